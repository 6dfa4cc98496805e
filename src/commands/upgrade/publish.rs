//! Branches to the remote and requests to the forge. Touches only branches below the prefix, and of those only its own.

use super::branch::{Built, Fault, Held};
use crate::config::upgrade::{Upgrade, author_parts};
use crate::model::change::Why;
use crate::plan::describe;
use crate::world::failure::Failure;
use crate::world::forges::{Draft, Forge, Opened, State};
use crate::world::git::{Author, Branch, Origin, Push, Rejected, Remote, Scratch};
use git2::Oid;

/// What became of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It would be pushed, but this run does nothing.
    Planned,
    /// It is on the remote as it should be.
    Unchanged,
    /// It is new there.
    Pushed,
    /// It was made anew.
    Rebuilt,
    /// It was made in the local repository.
    Local,
    /// Somebody else's commits are on it, so it stays as it is.
    Foreign,
    /// A person closed the same step before.
    Closed,
    /// It did not go through; why.
    Failed(String),
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// None was wanted.
    Nothing,
    /// It is open as it should be.
    Unchanged(String),
    /// It was opened.
    Opened(String),
    /// It was changed.
    Changed(String),
    /// As many are open as may be.
    Limit,
    /// It did not go through; why.
    Failed(String),
}

/// A branch with everything about it.
#[derive(Debug, Clone)]
pub struct Published {
    /// What it holds.
    pub built: Built,
    /// The request's words.
    pub draft: Draft,
    /// Its commit.
    pub commit: Oid,
    /// What became of it.
    pub fate: Fate,
    /// What became of its request.
    pub asked: Asked,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// Its patch, where nothing is done but said.
    pub patch: String,
}

/// What became of branches that no group needs any more.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// Closed and deleted.
    pub closed: Vec<String>,
    /// What failed, and why.
    pub failed: Vec<String>,
    /// Left alone, for they have a person's commits.
    pub left: Vec<String>,
}

/// The remote and the forge of a run.
pub struct Publisher<'a> {
    /// Where objects are.
    pub scratch: &'a Scratch,
    /// Where branches go; none: nowhere.
    pub remote: Option<&'a Remote>,
    /// Where requests go; none: nowhere.
    pub forge: Option<&'a dyn Forge>,
    /// What the remote has below the prefix.
    pub refs: &'a [Branch],
    /// What the configuration wants.
    pub policy: &'a Upgrade,
    /// How many requests are open.
    pub open: u32,
}

/// Who commits.
pub fn author(policy: &Upgrade) -> Author {
    let (name, email) = author_parts(&policy.author).unwrap_or(("pinguard", "pinguard@localhost"));
    Author { name: name.to_string(), email: email.to_string() }
}

impl Publisher<'_> {
    /// Brings one branch and its request to where they should be.
    pub fn publish(&mut self, built: Built, draft: Draft, commit: Oid) -> Published {
        let mut published = Published {
            built,
            draft,
            commit,
            fate: Fate::Planned,
            asked: Asked::Nothing,
            warnings: Vec::new(),
            patch: String::new(),
        };
        let Some(remote) = self.remote else { return published };
        let requests = match self.forge.map(|forge| forge.find(&published.draft.branch)).transpose() {
            Ok(requests) => requests.unwrap_or_default(),
            Err(failure) => {
                published.asked = Asked::Failed(failure.to_string());
                Vec::new()
            }
        };
        let open = requests.iter().find(|request| request.state == State::Open);
        let refused = open.is_none()
            && requests.first().is_some_and(|request| {
                request.state == State::Closed && describe::same_targets(&request.body, &published.draft.body)
            });
        if refused {
            published.fate = Fate::Closed;
            return published;
        }
        let may_ask = open.is_some() || self.open < self.policy.limit;
        if !may_ask {
            published.asked = Asked::Limit;
            return published;
        }
        published.fate = self.push(remote, &published.draft.branch, commit);
        if matches!(published.fate, Fate::Foreign | Fate::Failed(_)) || matches!(published.asked, Asked::Failed(_)) {
            return published;
        }
        self.ask(open, &mut published);
        published
    }

    fn push(&self, remote: &Remote, branch: &str, commit: Oid) -> Fate {
        let name = format!("refs/heads/{branch}");
        let there = self.refs.iter().find(|branch| branch.name == name);
        let from = there.map(|branch| branch.commit);
        if from == Some(commit) {
            return Fate::Unchanged;
        }
        if let Some(there) = there {
            match self.origin(remote, there) {
                Ok(Origin::Ours) => {}
                Ok(Origin::Foreign) => return Fate::Foreign,
                Err(failure) => return Fate::Failed(failure.to_string()),
            }
        }
        match remote.push(self.scratch, &Push { name, from, to: Some(commit) }) {
            Ok(()) if from.is_some() => Fate::Rebuilt,
            Ok(()) => Fate::Pushed,
            Err(rejected) => Fate::Failed(words(&rejected)),
        }
    }

    fn origin(&self, remote: &Remote, branch: &Branch) -> Result<Origin, Failure> {
        remote.fetch(self.scratch, branch)?;
        self.scratch.origin(branch.commit)
    }

    fn ask(&mut self, open: Option<&Opened>, published: &mut Published) {
        let Some(forge) = self.forge else { return };
        let draft = &published.draft;
        published.asked = match open {
            Some(open) if is_same(open, draft) => Asked::Unchanged(open.url.clone()),
            Some(open) => match forge.change(open.number, draft) {
                Ok(()) => Asked::Changed(open.url.clone()),
                Err(failure) => Asked::Failed(failure.to_string()),
            },
            None => match forge.open(draft) {
                Ok(done) => {
                    self.open += 1;
                    published.warnings.extend(done.warnings);
                    Asked::Opened(done.request.url)
                }
                Err(failure) => Asked::Failed(failure.to_string()),
            },
        };
    }

    /// Closes and deletes what no group needs any more; `keep` says which branches stay.
    pub fn supersede(&self, keep: &dyn Fn(&str) -> bool) -> Cleaned {
        let mut cleaned = Cleaned::default();
        let Some(remote) = self.remote else { return cleaned };
        let lead = format!("refs/heads/{}", self.policy.prefix);
        for branch in self.refs.iter().filter(|branch| branch.name.starts_with(&lead)) {
            let name = branch.name.trim_start_matches("refs/heads/");
            if keep(name) {
                continue;
            }
            match self.origin(remote, branch) {
                Ok(Origin::Ours) => {}
                // A person's work is a person's to delete.
                Ok(Origin::Foreign) => {
                    cleaned.left.push(name.to_string());
                    continue;
                }
                Err(failure) => {
                    cleaned.failed.push(format!("{name}: {failure}"));
                    continue;
                }
            }
            match self.close(remote, branch, name) {
                Ok(()) => cleaned.closed.push(name.to_string()),
                Err(why) => cleaned.failed.push(format!("{name}: {why}")),
            }
        }
        cleaned
    }

    fn close(&self, remote: &Remote, branch: &Branch, name: &str) -> Result<(), String> {
        if let Some(forge) = self.forge {
            let requests = forge.find(name).map_err(|failure| failure.to_string())?;
            for request in requests.iter().filter(|request| request.state == State::Open) {
                let told = Draft {
                    branch: name.to_string(),
                    base: request.base.clone(),
                    title: request.title.clone(),
                    // Later runs take a closed request with these targets for a person's no.
                    body: describe::superseded(&request.body),
                    labels: Vec::new(),
                    reviewers: Vec::new(),
                };
                forge.change(request.number, &told).map_err(|failure| failure.to_string())?;
                let why = "Superseded: what this request proposes is on the base already, or is not wanted any more.";
                forge.close(request.number, why).map_err(|failure| failure.to_string())?;
            }
        }
        let push = Push { name: branch.name.clone(), from: Some(branch.commit), to: None };
        remote.push(self.scratch, &push).map_err(|rejected| words(&rejected))
    }
}

/// Whether a request says what it should; ages alone make no difference.
fn is_same(open: &Opened, draft: &Draft) -> bool {
    let (there, here) = (describe::mark_of(&open.body), describe::mark_of(&draft.body));
    open.title == draft.title && open.base == draft.base && there == here && !here.is_empty()
}

fn words(rejected: &Rejected) -> String {
    match rejected {
        Rejected::Moved => "somebody moved the branch while this run worked; run again".to_string(),
        Rejected::Refused(why) => {
            format!("the remote refuses the branch ({why}); let this token push branches below the prefix")
        }
        Rejected::World(failure) => failure.to_string(),
    }
}

/// What a branch that was not published means for its steps.
pub fn held(published: &Published) -> Vec<Held> {
    let why = match (&published.fate, &published.asked) {
        (Fate::Foreign, _) => {
            (Why::Other(format!("somebody pushed to {}, so it is left alone", published.draft.branch)), Fault::Policy)
        }
        (Fate::Closed, _) => (Why::Other("a person closed the request for this very step".to_string()), Fault::Policy),
        (_, Asked::Limit) => (Why::Policy("`[upgrade] limit` requests are open".to_string()), Fault::Policy),
        (Fate::Failed(text), _) | (_, Asked::Failed(text)) => (Why::Other(text.clone()), Fault::World),
        _ => return Vec::new(),
    };
    published.built.group.steps.iter().map(|step| (step.reference, why.0.clone(), why.1)).collect()
}

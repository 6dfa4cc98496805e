//! What a rule says: where, what, why, and what to do. Plain data; words are final here.

use super::edit::Edit;
use super::pin::Strength;
use super::reference::ReferenceId;
use super::rule::{Level, Levels, Rule};
use super::span::Location;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// How many further places a report shows. A rule whose message counts them has no use for more labels.
pub const SHOWN: usize = 8;

/// A further place with a word about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// Where.
    pub at: Location,
    /// What is there.
    pub text: String,
}

/// How sure an edit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Same behaviour, offline.
    Safe,
    /// Same behaviour as today's run, after asking a registry.
    SafeOnline,
    /// May change behaviour.
    Unsafe,
    /// A person applies it.
    Guided,
}

impl Safety {
    /// The word of the output formats.
    pub fn name(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::SafeOnline => "safe-online",
            Safety::Unsafe => "unsafe",
            Safety::Guided => "guided",
        }
    }
}

/// What can be done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Hold a reference at least this firmly; the edit needs a look-up.
    Tighten {
        /// Which reference.
        reference: ReferenceId,
        /// How firmly.
        to: Strength,
    },
    /// These edits.
    Replace {
        /// The edits, disjoint.
        edits: Vec<Edit>,
        /// How sure they are.
        safety: Safety,
    },
    /// A text that a person puts in.
    Guide(String),
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// Its levels at this kind of site.
    pub levels: Levels,
    /// Where.
    pub at: Location,
    /// The fact and who is hurt, in one or two sentences.
    pub message: String,
    /// What to do, in the imperative, with the replacement text.
    pub help: String,
    /// Further places: members of an aggregate, the policy or the command that makes it matter.
    pub labels: Vec<Label>,
    /// What can be done.
    pub remedy: Option<Remedy>,
    /// Structural key path, for fingerprints.
    pub key: String,
    /// Name of what is concerned, for fingerprints. Never a secret's value.
    pub name: String,
}

impl Finding {
    /// Adds a further place.
    pub fn label(mut self, at: Location, text: impl Into<String>) -> Finding {
        self.labels.push(Label { at, text: text.into() });
        self
    }

    /// Says what can be done.
    pub fn remedy(mut self, remedy: Remedy) -> Finding {
        self.remedy = Some(remedy);
        self
    }

    /// Says what to do, in words.
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = help.into();
        self
    }

    /// Sets the structural key path and the name for the fingerprint.
    pub fn about(mut self, key: impl Into<String>, name: impl Into<String>) -> Finding {
        self.key = key.into();
        self.name = name.into();
        self
    }

    /// Equal labels are one, and so are equal edits.
    fn say_once(&mut self) {
        unique(&mut self.labels);
        if let Some(Remedy::Replace { edits, .. }) = &mut self.remedy {
            unique(edits);
        }
    }

    /// Whether the other speaks of the same thing at the same place and asks for the same.
    fn is_shared_by(&self, other: &Finding) -> bool {
        let about = |one: &Finding| (one.rule.id, one.at);
        about(self) == about(other) && self.name == other.name && self.help == other.help && self.remedy == other.remedy
    }

    fn share(&mut self, other: Finding) {
        self.levels = self.levels.max(other.levels);
        if other.message != self.message {
            self.labels.push(Label { at: other.at, text: other.message });
        }
        self.labels.extend(other.labels);
        unique(&mut self.labels);
    }
}

/// Keeps the first of equal ones.
fn unique<T: Clone + Eq + Hash>(list: &mut Vec<T>) {
    let mut seen = HashSet::with_capacity(list.len());
    list.retain(|one| seen.insert(one.clone()));
}

/// Findings as rules report them.
///
/// A place that several jobs share (the jobs of a matrix, an anchor, an `extends`, a template) is judged once per job, and told and changed
/// once: the first finding stays, and what the others say differently is a label of it.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    by_place: HashMap<Location, Vec<usize>>,
}

impl Findings {
    /// Begins a finding at a kind of site that the rule lists.
    pub fn finding(rule: &'static Rule, kind: &str, at: Location, message: impl Into<String>) -> Finding {
        Finding {
            rule,
            levels: rule.at(kind),
            at,
            message: message.into(),
            help: String::new(),
            labels: Vec::new(),
            remedy: None,
            key: String::new(),
            name: String::new(),
        }
    }

    /// Reports it.
    pub fn push(&mut self, mut finding: Finding) {
        finding.say_once();
        let here = self.by_place.entry(finding.at).or_default();
        if let Some(&index) = here.iter().find(|&&index| self.list[index].is_shared_by(&finding)) {
            return self.list[index].share(finding);
        }
        here.push(self.list.len());
        self.list.push(finding);
    }

    /// All of them in the order of reporting.
    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }
}

/// A finding with the level that is in force and the name it keeps from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What the rule said.
    pub finding: Finding,
    /// How much it matters here, after profile, configuration and suppressions.
    pub level: Level,
    /// Made from rule, path, structural key and name: the same when lines move or values change.
    pub fingerprint: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rule::{Group, Level::*, levels};
    use crate::model::span::{SourceId, Span};

    static RULE: Rule = Rule {
        id: "shared",
        group: Group::Log,
        summary: "",
        levels: &[("low", levels(Info, Warning, Error)), ("high", levels(Warning, Info, Error))],
        since: "",
        check: |_, _| {},
    };

    fn at(start: usize) -> Location {
        Location::new(SourceId(0), Span::new(start, start + 1))
    }

    fn found(findings: Vec<Finding>) -> Vec<Finding> {
        let mut list = Findings::default();
        findings.into_iter().for_each(|finding| list.push(finding));
        list.into_vec()
    }

    fn texts(finding: &Finding) -> Vec<&str> {
        finding.labels.iter().map(|label| label.text.as_str()).collect()
    }

    #[test]
    fn equal_labels_and_edits_are_one_and_keep_their_order() {
        let edit = |start| Edit::replace(at(start), "x");
        let edits = vec![edit(9), edit(3), edit(9)];
        let finding = Findings::finding(&RULE, "low", at(0), "one")
            .label(at(9), "b")
            .label(at(3), "a")
            .label(at(9), "b")
            .label(at(9), "a")
            .remedy(Remedy::Replace { edits, safety: Safety::Safe });
        let found = found(vec![finding]);
        assert_eq!(texts(&found[0]), ["b", "a", "a"]);
        assert_eq!(found[0].remedy, Some(Remedy::Replace { edits: vec![edit(9), edit(3)], safety: Safety::Safe }));
    }

    #[test]
    fn a_shared_place_is_one_finding_at_the_higher_level() {
        let of = |kind, job: &str| Findings::finding(&RULE, kind, at(0), format!("job {job}")).about(job, "pytest");
        let found =
            found(vec![of("low", "a").label(at(5), "there"), of("low", "a"), of("high", "b").label(at(5), "there")]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].message.as_str(), found[0].key.as_str()), ("job a", "a"));
        assert_eq!(texts(&found[0]), ["there", "job b"]);
        assert_eq!(found[0].levels, levels(Warning, Warning, Error));
    }

    #[test]
    fn what_asks_for_something_else_stays_apart() {
        let one = || Findings::finding(&RULE, "low", at(0), "one");
        let other = Remedy::Guide("other".to_string());
        let apart = vec![
            one(),
            one().about("", "name"),
            one().help("help"),
            one().remedy(other),
            Findings::finding(&RULE, "low", at(1), "one"),
        ];
        assert_eq!(found(apart).len(), 5);
    }
}

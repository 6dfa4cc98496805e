//! # What it finds
//!
//! A locked release that the lock itself marks as yanked. With `--online` also a pin that leads nowhere, or will not much longer. A locked or exactly required Python release that its index has
//! yanked, deleted or quarantined (PEP 792); a hash in a lock that the index does not publish for that release; an image digest that the
//! registry has no more; a tag or branch of an action, a hook or an include that its repository has no more.
//!
//! # Why
//!
//! The next run that fetches it fails, and blames the patch that it runs for. A release is yanked because it is broken or dangerous. A
//! hash that the index does not know is either a file that was taken away, or a lock that somebody changed.
//!
//! # What is not a finding
//!
//! Anything that could not be asked: that is *inconclusive*, and said as such. A project that the default index does not have, while the
//! configuration names other indexes; a file that names another default index, or most of whose hashes the index does not know. Test data
//! that CI does not reach. Without `--online` nothing is asked: only what the lock records counts (`yanked = false` is
//! none).
//!
//! # What to do
//!
//! Move the pin to a release that is there (`pinguard upgrade`, or the lock's own tool), in a patch of its own. For a hash that the index
//! does not publish, first find out who wrote it.
//!
//! # Levels
//!
//! What was asked: `error` in every profile. What only the lock records: `warning`, `error` in strict and audit.
//!
//! # Examples
//!
//! ```json answers.json with
//! {"index": {"urllib3": {"2.2.0": {"yanked": "broken on 3.8"}, "2.2.1": {}}}}
//! ```
//!
//! ```text requirements.txt bad default
//! urllib3==2.2.0
//! ```
//!
//! ```json answers.json with
//! {"index": {"urllib3": {"2.2.0": {"yanked": "broken on 3.8"}, "2.2.1": {}}}}
//! ```
//!
//! ```text requirements.txt good
//! urllib3==2.2.1
//! ```
//!
//! ```json answers.json with
//! {"images": {"ghcr.io/a/app": {"gone": ["sha256:1111111111111111111111111111111111111111111111111111111111111111"]}}}
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM ghcr.io/a/app:1.2.3@sha256:1111111111111111111111111111111111111111111111111111111111111111
//! ```
//!
//! ```json answers.json with
//! {"git": {"https://github.com/a/action": {"v2.0.0": "11bd71901bbe5b1630ceea73d27597364c9af683"}}}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: a/action@v1.0.0
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock bad default
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3", yanked = true }]
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock good
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3", yanked = false }]
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories without `--online`; the edits of `fixtures/locks/tampered.json` are found. With it and the package index alone (no container registry and no git host
//! could be asked): 4868 of 5999 things were answered, 2 findings in 2 repositories, both true by hand (yanked releases).
//! Ledger: `docs/evidence/pin-yanked.tsv`, with what was learnt from false ones.

use crate::model::finding::{Finding, Findings};
use crate::model::knowledge::{IndexProject, Release};
use crate::model::online::HeldRelease;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Reference};
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::SourceId;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule {
    id: "pin-yanked",
    group: Group::Upgrade,
    summary: "a pinned release, digest or tag is yanked or gone from where it is fetched",
    levels: &[("release", levels(Error, Error, Error)), ("hash", levels(Error, Error, Error)), ("gone", levels(Error, Error, Error)), ("marked", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut answered = HashSet::new();
    let all = if project.online.is_silent() { Vec::new() } else { project.held_releases() };
    let foreign = of_other_index(project, &all);
    for held in all.into_iter().filter(|held| !foreign.contains(&held.at.source)) {
        let Some(index) = project.index_answer(&held) else { continue };
        if let Some(finding) = release(&held, index) {
            answered.insert((held.name, held.version));
            findings.push(finding);
        }
    }
    marked(project, &answered, findings);
    for (id, reference) in project.references() {
        if let Some(finding) = image(project, id, reference).or_else(|| git_ref(project, id, reference)) {
            findings.push(finding);
        }
    }
}

/// What locks record by themselves, where no index said more.
fn marked(project: &Project, answered: &HashSet<(&str, &str)>, findings: &mut Findings) {
    let packages = project.trusted_locks().flat_map(|lock| lock.packages.iter().map(move |package| (lock, package)));
    for (lock, package) in packages {
        let Some(at) = package.yanked.filter(|_| !answered.contains(&(package.name.as_str(), package.version.as_str()))) else { continue };
        let path = project.path(lock.at);
        let message = format!("`{} {}` in `{path}` is marked as taken back by its maintainers", package.name, package.version);
        let finding = Findings::finding(&RULE, "marked", at, message).label(package.at, "the entry");
        findings.push(finding.help("move to the release that replaced it").about("yanked", package.name.as_str()));
    }
}

fn release(held: &HeldRelease, index: &IndexProject) -> Option<Finding> {
    let (name, version) = (held.name, held.version);
    let found = |kind, message: String, help: &str| {
        Findings::finding(&RULE, kind, held.at, message).help(help.to_string()).about("release", name)
    };
    if let Some(status) = index.status.as_ref().filter(|status| status.status == "quarantined") {
        let why = status.reason.as_deref().map_or(String::new(), |reason| format!(" ({reason})"));
        let message = format!("{name} is quarantined by its index{why}: nobody can install it, because it may be malware");
        return Some(found("release", message, "find out whether it ran anywhere, and replace it"));
    }
    let Some(release) = index.release(version) else {
        // Another index may have what this one has not.
        return held.sure.then(|| {
            let message = format!("{name} {version} is not on its index any more: the next fresh install fails");
            found("release", message, "move to a release that is there, in a patch of its own")
        });
    };
    if let Some(reason) = &release.yanked {
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let message = format!("{name} {version} was yanked by its owners{why}");
        return Some(found("release", message, "move to a release that was not taken back, in a patch of its own"));
    }
    let foreign = foreign_hash(held, release)?;
    let message = format!("the {} held for {name} {version} is not one that its index publishes: the file was taken away, or somebody changed the lock", foreign.describe());
    Some(found("hash", message, "find out who wrote the hash; then lock this release anew"))
}

/// A recorded file whose hash the index does not publish.
struct Foreign<'p> {
    file: &'p str,
    hash: &'p str,
}

impl Foreign<'_> {
    fn describe(&self) -> String {
        let short: String = self.hash.chars().take("sha256:".len() + 12).collect();
        if self.file.is_empty() { format!("hash `{short}…`") } else { format!("hash `{short}…` of `{}`", self.file) }
    }
}

/// A recorded file whose hash is not the published one, or a hash where none of those recorded is published. A file that the index
/// lists no more is no contradiction as long as others are there.
fn foreign_hash<'p>(held: &'p HeldRelease<'p>, release: &Release) -> Option<Foreign<'p>> {
    let unnamed: Vec<&(Cow<str>, Cow<str>)> = held.files.iter().filter(|(file, _)| file.is_empty()).collect();
    let agrees = |(file, hash): &(Cow<str>, Cow<str>)| agreement(release, file, hash);
    let named = held.files.iter().find(|one| !one.0.is_empty() && agrees(one) == Some(false));
    let none = !unnamed.is_empty() && unnamed.iter().all(|one| agrees(one) == Some(false));
    named.or_else(|| unnamed.first().copied().filter(|_| none)).map(|(file, hash)| Foreign { file, hash })
}

/// Whether a hash is one that the index publishes. `None`: it publishes none to compare with.
fn agreement(release: &Release, file: &str, hash: &str) -> Option<bool> {
    let (algorithm, hex) = hash.split_once(':')?;
    let of = |known: &&(String, String)| known.0 == algorithm && !known.1.is_empty();
    let published = release.files.iter().filter(|known| file.is_empty() || known.name == file);
    let mut published = published.flat_map(|known| known.hashes.iter().filter(of)).peekable();
    published.peek()?;
    Some(published.any(|(_, known)| known.eq_ignore_ascii_case(hex)))
}

/// Sources whose hashes mostly are not those of the index: they were made with another one, so that nothing here can be told of them.
fn of_other_index(project: &Project, held: &[HeldRelease]) -> HashSet<SourceId> {
    let mut votes: HashMap<SourceId, (usize, usize)> = HashMap::new();
    for held in held.iter().filter(|held| !held.files.is_empty()) {
        let Some(release) = project.index_answer(held).and_then(|index| index.release(held.version)) else { continue };
        let votes = votes.entry(held.at.source).or_default();
        if foreign_hash(held, release).is_some() { votes.1 += 1 } else { votes.0 += 1 }
    }
    votes.into_iter().filter(|(_, (same, foreign))| foreign > same).map(|(source, _)| source).collect()
}

fn image(project: &Project, id: crate::model::reference::ReferenceId, reference: &Reference) -> Option<Finding> {
    let answer = project.image_answer(id)?;
    let name = &reference.subject.name;
    let gone = reference.pin.digests.iter().find(|digest| answer.manifests.get(*digest) == Some(&None));
    let tag = reference.pin.version.as_deref().filter(|_| reference.pin.digests.is_empty());
    let lost = tag.filter(|tag| answer.digests.get(*tag) == Some(&None));
    let message = match (gone, lost) {
        (Some(digest), _) => {
            let short: String = digest.chars().take("sha256:".len() + 12).collect();
            format!("the registry of {name} has the digest `{short}…` no more: the next pull fails")
        }
        (None, Some(tag)) => format!("the registry has no tag `{tag}` of {name}: the next pull fails"),
        (None, None) => return None,
    };
    let help = "move to a tag and digest that are there, in a patch of its own";
    Some(Findings::finding(&RULE, "gone", reference.site.whole, message).help(help).about(&reference.key, name))
}

fn git_ref(project: &Project, id: crate::model::reference::ReferenceId, reference: &Reference) -> Option<Finding> {
    let refs = project.git_answer(id)?;
    let rev = reference.pin.version.as_deref()?;
    let is_git = reference.subject.ecosystem == Ecosystem::Git || !matches!(reference.origin, crate::model::reference::Origin::Registry);
    let hex = rev.len() >= 7 && rev.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_git || hex || refs.commit_of(rev).is_some() || rev.starts_with("refs/") {
        return None;
    }
    let name = &reference.subject.name;
    let message = format!("`{rev}` is neither a tag nor a branch of {name}: the next run fails");
    let help = "use a tag that is there, by its full commit";
    Some(Findings::finding(&RULE, "gone", reference.site.whole, message).help(help).about(&reference.key, name))
}

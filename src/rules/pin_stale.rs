//! # What it finds
//!
//! With `--online`: a pin that says something else than the world does today. A commit with a version beside it that is not the commit of
//! that tag; a release with a published vulnerability; a project that its owners have archived (PEP 792). In strict also an image whose
//! tag has moved on from the digest beside it, which is what pinning is for, and a reason to upgrade.
//!
//! # Why
//!
//! People review the comment, and the machine runs the commit: `@<commit> # v4.2.1` that is not v4.2.1 is a mistake at best, and at worst
//! code that nobody released. Vulnerabilities and archived projects are known to whoever asks; a pin that nobody moves keeps them.
//!
//! # What is not a finding
//!
//! Anything that could not be asked: that is *inconclusive*, and said as such. Without `--online` nothing is asked and nothing is found.
//!
//! # What to do
//!
//! Compare the commit with the tag of its repository; move the pin in a patch of its own (`pinguard upgrade`).
//!
//! # Levels
//!
//! A commit that is not its tag, a vulnerability: `warning`, `error` in audit. An archived project: `info`. A tag that has moved: off,
//! `info` in strict.
//!
//! # Examples
//!
//! ```json answers.json with
//! {"git": {"https://github.com/a/action": {"v4.2.1": "2222222222222222222222222222222222222222"}}}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: a/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.1
//! ```
//!
//! ```json answers.json with
//! {"git": {"https://github.com/a/action": {"v4.2.1": "11bd71901bbe5b1630ceea73d27597364c9af683"}}}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: a/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.1
//! ```
//!
//! ```json answers.json with
//! {"images": {"ghcr.io/a/app": {"tags": {"1.2": "sha256:2222222222222222222222222222222222222222222222222222222222222222"}}}}
//! ```
//!
//! ```dockerfile Dockerfile bad strict
//! FROM ghcr.io/a/app:1.2@sha256:1111111111111111111111111111111111111111111111111111111111111111
//! ```
//!
//! ```json answers.json with
//! {"index": {"ecdsa": {"0.19.0": {"vulnerable": "PYSEC-0000-0"}}}}
//! ```
//!
//! ```text requirements.txt bad default
//! ecdsa==0.19.0
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories without `--online`. With it and the package index alone (no container registry and no git host
//! could be asked): 4 findings in 3 repositories (three packages with vulnerabilities that the index states, some in several locks), all
//! as stated. Ledger: `docs/evidence/pin-stale.tsv`.

use crate::model::finding::{Finding, Findings};
use crate::model::knowledge::IndexProject;
use crate::model::online::HeldRelease;
use crate::model::project::Project;
use crate::model::reference::{Reference, ReferenceId};
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use pep440_rs::Version;
use std::collections::HashSet;
use std::str::FromStr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "pin-stale",
    group: Group::Upgrade,
    summary: "a pin says something else than the world does today: another commit than its tag, a known vulnerability",
    levels: &[
        ("claim", levels(Warning, Warning, Error)),
        ("vulnerable", levels(Warning, Warning, Error)),
        ("archived", levels(Info, Info, Warning)),
        ("moved", levels(Off, Info, Info)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    if project.online.is_silent() {
        return;
    }
    let mut seen = HashSet::new();
    for held in project.held_releases() {
        let Some(index) = project.index_answer(&held) else { continue };
        // A package that several locks hold at one version is one thing to mend, said where it is first.
        if seen.insert((held.at.source, held.name, held.version)) {
            findings_of_release(&held, index).into_iter().for_each(|finding| findings.push(finding));
        }
    }
    for (id, reference) in project.references() {
        if let Some(finding) = claim(project, id, reference).or_else(|| moved(project, id, reference)) {
            findings.push(finding);
        }
    }
}

fn findings_of_release(held: &HeldRelease, index: &IndexProject) -> Vec<Finding> {
    let name = held.name;
    let mut list = Vec::new();
    let same = |version: &str| {
        let (a, b) = (Version::from_str(version), Version::from_str(held.version));
        version == held.version || a.is_ok() && a == b
    };
    let known = index.vulnerabilities.iter().flatten().filter(|known| same(&known.version));
    let ids: Vec<&str> = known.clone().map(|known| known.id.as_str()).collect();
    if !ids.is_empty() {
        let fixed: Vec<&str> = known.flat_map(|known| &known.fixed_in).map(String::as_str).collect();
        let help = match fixed.last() {
            Some(version) => format!("move to {version} or newer, in a patch of its own"),
            None => "there is no release without it yet: look whether the vulnerable part is used".to_string(),
        };
        let message = format!("{name} {} has known vulnerabilities: {}", held.version, ids.join(", "));
        list.push(Findings::finding(&RULE, "vulnerable", held.at, message).help(help).about("vulnerable", name));
    }
    if let Some(status) = index.status.as_ref().filter(|status| matches!(status.status.as_str(), "archived" | "deprecated")) {
        let why = status.reason.as_deref().map_or(String::new(), |reason| format!(" ({reason})"));
        let message = format!("{name} is {} by its owners{why}: no fixes come any more", status.status);
        let help = "plan to replace it";
        list.push(Findings::finding(&RULE, "archived", held.at, message).help(help).about("archived", name));
    }
    list
}

/// A commit that is not the one of the tag named beside it.
fn claim(project: &Project, id: ReferenceId, reference: &Reference) -> Option<Finding> {
    let refs = project.git_answer(id)?;
    let (commit, noted) = (reference.pin.digests.first()?, reference.noted.as_deref()?);
    let tag = refs.tags.iter().find(|tag| tag.name == noted);
    let (name, short) = (&reference.subject.name, commit.get(..12).unwrap_or(commit));
    // Major and minor tags move on by convention; so do branches.
    let is_version = noted.bytes().filter(|byte| *byte == b'.').count() >= 2;
    let message = match tag {
        Some(tag) if tag.commit == *commit || tag.object.as_ref() == Some(commit) => return None,
        Some(tag) if is_version => {
            let now = tag.commit.get(..12).unwrap_or(&tag.commit);
            format!("`{short}…` is not `{noted}` of {name}, which is `{now}…`: what is reviewed is not what runs")
        }
        None if is_version => format!("{name} has no tag `{noted}`, which the comment names for `{short}…`"),
        _ => return None,
    };
    let help = "compare the commit with its repository, and write the commit and the tag that belong together";
    Some(Findings::finding(&RULE, "claim", reference.site.whole, message).help(help).about(&reference.key, name))
}

/// An image whose tag has another digest today.
fn moved(project: &Project, id: ReferenceId, reference: &Reference) -> Option<Finding> {
    let answer = project.image_answer(id)?;
    let (digest, tag) = (reference.pin.digests.first()?, reference.pin.version.as_deref()?);
    answer.digests.get(tag)?.as_ref().filter(|now| *now != digest)?;
    let name = &reference.subject.name;
    let message = format!("`{tag}` of {name} has moved on from the digest that is pinned");
    let help = "move tag and digest together, in a patch of its own (`pinguard upgrade`)";
    Some(Findings::finding(&RULE, "moved", reference.site.whole, message).help(help).about(&reference.key, name))
}

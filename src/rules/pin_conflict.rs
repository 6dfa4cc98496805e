//! # What it finds
//!
//! One name pinned to two versions inside one install: two `==` lines in the requirement files of one command, or a requirement against a
//! constraint of the same command.
//!
//! # Why
//!
//! pip refuses such a set today, or, across two commands, the second silently replaces what the first installed.
//!
//! # What is not a finding
//!
//! Lines with different environment markers; the same version twice; files that are installed by different commands.
//!
//! # What to do
//!
//! Keep one of the two lines.
//!
//! # Levels
//!
//! `error` in every profile.
//!
//! # Examples
//!
//! ```text requirements.txt with
//! -r base.txt
//! requests==2.31.0
//! ```
//!
//! ```text base.txt with
//! requests==2.32.3
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -r requirements.txt
//! ```
//!
//! ```text requirements.txt with
//! numpy==1.26.4; python_version < "3.12"
//! numpy==2.1.3; python_version >= "3.12"
//! requests==2.32.3
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -r requirements.txt
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. Thirteen files with includes were compared pin by pin, one workflow was read; all are clean. Ledger:
//! `docs/evidence/pin-conflict.tsv`.

use crate::model::finding::Findings;
use crate::model::pin::Strength;
use crate::model::project::{GateInstall, Project};
use crate::model::reference::{Ecosystem, Origin, Reference};
use crate::model::rule::Level::Error;
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::{Location, SourceId};
use std::collections::{BTreeMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule {
    id: "pin-conflict",
    group: Group::Requirement,
    summary: "one name is pinned to two versions inside one install",
    levels: &[("line", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut told: HashSet<(Location, Location)> = HashSet::new();
    for install in &project.gate.installs {
        for (first, other) in conflicts(project, install) {
            if !told.insert((first.site.whole, other.site.whole)) {
                continue;
            }
            let name = &other.subject.name;
            let version = |reference: &Reference| reference.pin.version.clone().unwrap_or_default();
            let message = format!(
                "`{name}` is pinned to `{}` here and to `{}` in `{}`, and {} installs both; pip refuses the pair",
                version(other), version(first), project.path(first.site.whole), install.reach.who
            );
            let finding = Findings::finding(&RULE, "line", other.site.whole, message)
                .help(format!("keep one of the two lines for `{name}`"))
                .label(first.site.whole, format!("`{}` here", version(first)))
                .label(install.reach.at, "both are installed here")
                .about(&other.key, name);
            findings.push(finding);
        }
    }
}

fn conflicts<'p>(project: &'p Project, install: &GateInstall) -> Vec<(&'p Reference, &'p Reference)> {
    let mut first: BTreeMap<&str, &Reference> = BTreeMap::new();
    let mut pairs = Vec::new();
    if install.install.files.iter().any(|file| file.path.expands) {
        // A path that is computed stands for several files, of which each run takes one.
        return pairs;
    }
    let constraints = install.constraints.iter().filter(|source| is_certain(project, install, **source));
    for source in install.files.iter().chain(constraints) {
        // A file with several manifests (a `pyproject.toml`) has groups that are never installed together.
        let [_] = project.facts_of(*source).manifests.as_slice() else { continue };
        for reference in project.facts_of(*source).references.iter().filter(|reference| is_plain_pin(reference)) {
            let seen = *first.entry(&reference.subject.name).or_insert(reference);
            if number(seen) != number(reference) {
                pairs.push((seen, reference));
            }
        }
    }
    pairs
}

/// Whether a constraint file is in force in every run: steps may set `PIP_CONSTRAINT` to one file or another.
fn is_certain(project: &Project, install: &GateInstall, constraint: SourceId) -> bool {
    let name = project.source(constraint).file_name();
    let named = |path: &str| path.rsplit(['/', '\\']).next() == Some(name);
    install.constraints.len() == 1 || install.install.files.iter().any(|file| file.constraint && named(&file.path.text.text))
}

/// Pinned by `==`, whatever the environment.
fn is_plain_pin(reference: &Reference) -> bool {
    reference.subject.ecosystem == Ecosystem::Pypi
        && reference.strength.is_some_and(|strength| strength >= Strength::Exact)
        && reference.marker.is_none()
        && reference.origin == Origin::Registry
        && reference.pin.version.is_some()
}

/// The version without operator, blanks and trailing zeros: `== 1.0` is `==1`.
fn number(reference: &Reference) -> String {
    let version = reference.pin.version.as_deref().unwrap_or_default();
    let version = version.trim_start_matches(['=', ' ']).trim().to_ascii_lowercase();
    let mut version = version.as_str();
    while let Some(shorter) = version.strip_suffix(".0") {
        version = shorter;
    }
    version.to_string()
}

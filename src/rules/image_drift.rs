//! # What it finds
//!
//! An image that CI runs in one version and the repository uses elsewhere (compose, development container, Dockerfile) in another, with no
//! version in common.
//!
//! # Why
//!
//! CI tests against postgres 13 and developers run 15: a red build does not reproduce on a desk, and a green one says nothing about what
//! ships.
//!
//! # What is not a finding
//!
//! - Several versions in CI (a matrix) of which one is used elsewhere; `15` and `15.4`, of which one contains the other.
//! - Variants of one version (`3.12`, `3.12-slim`), digests, tags without a number, values that an expression decides.
//! - Base systems (`debian`, `ubuntu`, `alpine` …): projects test several on purpose.
//! - Services and stages whose names say so: `old`, `legacy`, `previous`, `upgrade`, `migration`.
//! - Test data, examples, documentation, manifests of a cluster.
//!
//! # What to do
//!
//! Use one version everywhere, or add the other one to the matrix of CI.
//!
//! # Levels
//!
//! `warning`.
//!
//! # Examples
//!
//! ```yaml compose.yml with
//! services:
//!   db:
//!     image: postgres:15
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     services:
//!       db:
//!         image: postgres:13.4
//!     steps:
//!       - run: pytest
//! ```
//!
//! ```yaml compose.yml with
//! services:
//!   db:
//!     image: postgres:15-alpine
//!   db-old:
//!     image: postgres:9.6
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     strategy:
//!       matrix:
//!         db: ["postgres:13.4", "postgres:15.2"]
//!     runs-on: ubuntu-24.04
//!     services:
//!       db:
//!         image: ${{ matrix.db }}
//!     steps:
//!       - run: pytest
//! ```
//!
//! # Measured
//!
//! 1 finding in 1 of 52 public repositories (1 `warning`). Read by eye: 1, false: 0. Ledger: `docs/evidence/image-drift.tsv`.

use crate::model::finding::{Finding, Findings};
use crate::model::images::{ImagePlace, ImageUse};
use crate::model::project::Project;
use crate::model::reference::Role;
use crate::model::rule::Level::Warning;
use crate::model::rule::{Group, Rule, levels};
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-drift",
    group: Group::Image,
    summary: "CI runs an image in another version than the rest of the repository",
    levels: &[("image", levels(Warning, Warning, Warning))],
    since: "0.1.0",
    check,
};

/// Who uses an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum User {
    Ci,
    Developers,
    Builds,
}

/// Systems that things are installed on: projects test several on purpose.
const SYSTEMS: [&str; 14] = [
    "alpine", "debian", "ubuntu", "fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux", "ubi", "ubi-minimal",
    "archlinux", "busybox", "buildpack-deps",
];

/// Words in the name of a service or a stage that say that another version is meant.
const MEANT: [&str; 6] = ["old", "legacy", "previous", "upgrade", "migrat", "compat"];

fn check(project: &Project, findings: &mut Findings) {
    let uses = project.image_uses();
    let mut by_name: BTreeMap<&str, BTreeMap<User, Vec<&ImageUse>>> = BTreeMap::new();
    for image in &uses {
        let name = image.reference.subject.name.as_str();
        let system = name.rsplit('/').next().is_some_and(|last| SYSTEMS.contains(&last));
        let Some(user) = user(project, image).filter(|_| !system) else { continue };
        by_name.entry(name).or_default().entry(user).or_default().push(image);
    }
    for (name, users) in by_name {
        let Some(ci) = users.get(&User::Ci) else { continue };
        for user in [User::Developers, User::Builds] {
            let Some(others) = users.get(&user) else { continue };
            if drifts(ci, others) {
                findings.push(drift(project, name, user, ci, others));
            }
        }
    }
}

fn user(project: &Project, image: &ImageUse) -> Option<User> {
    let key = image.reference.key.to_ascii_lowercase();
    let source = image.id.source;
    let elsewhere = project.asleep(source) || matches!(image.place, ImagePlace::Example | ImagePlace::Local | ImagePlace::Variable);
    if elsewhere || MEANT.iter().any(|word| key.contains(word)) {
        return None;
    }
    match image.reference.role {
        Role::CiImage | Role::CiService => Some(User::Ci),
        Role::ComposeService | Role::DevImage => Some(User::Developers),
        Role::BaseImage => Some(User::Builds),
        _ => None,
    }
}

/// Whether both sides name versions, all of them can be seen, and none fits one of the other side.
fn drifts(ci: &[&ImageUse], others: &[&ImageUse]) -> bool {
    let versions = |images: &[&ImageUse]| -> Option<Vec<String>> {
        images.iter().map(|image| image.reference.strength.and(image.tag()).and_then(version).map(str::to_string)).collect()
    };
    let (Some(ci), Some(others)) = (versions(ci), versions(others)) else { return false };
    !ci.iter().any(|one| others.iter().any(|other| fits(one, other)))
}

/// The dotted number at the start of a tag.
fn version(tag: &str) -> Option<&str> {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let end = tag.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(tag.len());
    let number = tag[..end].trim_end_matches('.');
    // A long number is a date or a build, which is no version to compare.
    (!number.is_empty() && number.split('.').all(|part| part.len() < 5)).then_some(number)
}

/// Whether one version contains the other: `15` and `15.4`.
fn fits(one: &str, other: &str) -> bool {
    one.split('.').zip(other.split('.')).all(|(a, b)| a == b)
}

fn drift(project: &Project, name: &str, user: User, ci: &[&ImageUse], others: &[&ImageUse]) -> Finding {
    let place = |image: &ImageUse| project.path(image.reference.site.whole).to_string();
    let tag = |image: &ImageUse| image.tag().unwrap_or("").to_string();
    let (first, other) = (ci[0], others[0]);
    let (ci_tag, other_tag, path) = (tag(first), tag(other), place(other));
    let message = match user {
        User::Builds => format!("CI runs `{name}:{ci_tag}`, but {path} is built on `{other_tag}`; what CI says of one need not hold for the other"),
        _ => format!("CI runs `{name}:{ci_tag}`, developers run `{other_tag}` ({path}); a red build may not reproduce on a desk"),
    };
    let mut finding = Findings::finding(&RULE, "image", first.reference.site.whole, message)
        .help("use one version everywhere, or add the other one to CI")
        .about(&first.reference.key, name);
    for image in ci[1..].iter().chain(others) {
        finding = finding.label(image.reference.site.whole, format!("`{}`", image.shown()));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_far_as_both_go() {
        assert!(fits("15", "15.4") && fits("3.12.7", "3.12") && !fits("1.25.0", "1.25.11"));
        assert_eq!((version("15-alpine"), version("v1.2.3"), version("slim"), version("20250102")), (Some("15"), Some("1.2.3"), None, None));
    }
}

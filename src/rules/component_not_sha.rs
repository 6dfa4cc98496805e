//! # What it finds
//!
//! A component at a tag that names one version, rather than at a full commit.
//!
//! # Why
//!
//! A tag is a name that its owner can point elsewhere; only a commit says which code runs.
//!
//! # What is not a finding
//!
//! A full commit, a digest; a component that `.github/workflows/actions.lock` holds; orbs, whose versions cannot be changed once published.
//!
//! # What to do
//!
//! Write the full commit with the tag as a comment: `uses: some/action@<commit> # v4.2.2`.
//!
//! # Levels
//!
//! `info`, one finding a file; `warning` in strict and audit, and with `[require] components = "immutable"`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: some/action@v4.2.2
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: some/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
//! ```
//!
//! # Measured
//!
//! 59 findings in 17 of 52 public repositories (59 `info`). Read by eye: 59, false: 0. Ledger: `docs/evidence/component-not-sha.tsv`.

use crate::model::components::{ComponentUse, RefKind};
use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::pin::Strength;
use crate::model::policy::Demand;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::SourceId;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "component-not-sha",
    group: Group::Component,
    summary: "a component of the pipeline is held by a tag, not by a commit",
    levels: &[("tag", levels(Info, Warning, Warning)), ("required", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let demanded = project.policy.demanded(Demand::Components) == Some(Strength::Immutable);
    let kind = if demanded { "required" } else { "tag" };
    let mut files: BTreeMap<SourceId, Vec<ComponentUse>> = BTreeMap::new();
    for component in project.component_uses() {
        if component.kind == RefKind::Exact && component.takes_digest() {
            files.entry(component.id.source).or_default().push(component);
        }
    }
    for list in files.into_values() {
        findings.push(tags(kind, &list));
    }
}

fn tags(kind: &str, list: &[ComponentUse]) -> Finding {
    let first = &list[0];
    let count: usize = list.iter().map(|component| 1 + component.others.len()).sum();
    let message = match count {
        1 => format!("`{}` is held by a tag, which its owner can point to other code", first.shown()),
        _ => format!("{count} components are held by tags, which their owners can point to other code, `{}` first", first.shown()),
    };
    let mut finding = Findings::finding(&RULE, kind, first.reference.site.whole, message)
        .help(first.how_to_hold())
        .remedy(Remedy::Tighten { reference: first.id, to: Strength::Immutable })
        .about("uses", "tags");
    for component in list {
        let own = (!std::ptr::eq(component, first)).then_some(component.reference.site.whole);
        for at in own.into_iter().chain(component.others.iter().copied()) {
            finding = finding.label(at, format!("`{}`", component.shown()));
        }
    }
    finding
}

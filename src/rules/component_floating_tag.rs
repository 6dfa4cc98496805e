//! # What it finds
//!
//! A component at a tag that its owner moves: `some/action@v4`, `@v4.1`, a feature `:1`, an orb `@1`.
//!
//! # Why
//!
//! `v4` is a promise to run the newest 4, so it changes what a patch is judged by without a commit here. Stolen accounts of action owners
//! have moved such tags to code that reads secrets.
//!
//! # What is not a finding
//!
//! A full commit; a component that `.github/workflows/actions.lock` holds; names that `[allow] components` lists.
//!
//! # What to do
//!
//! Write the full commit with the version as a comment, and let an updater move both: `uses: some/action@<commit> # v4.2.2`.
//!
//! # Levels
//!
//! Third parties: `warning`, `error` in audit. The CI vendor's own organisation (`actions/*`, `github/*`, `circleci/*`, `atlassian/*`,
//! `ghcr.io/devcontainers/*`) and one's own: `info`, one finding a file, `warning` in strict. With `[require] components`: `warning`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: astral-sh/setup-uv@v5
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@v4
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
//! ```
//!
//! # Measured
//!
//! 350 findings in 32 of 52 public repositories (187 `warning`, 163 `info`). Read by eye: 40, false: 0. Ledger:
//! `docs/evidence/component-floating-tag.tsv`.

use crate::model::components::{ComponentUse, Owner, RefKind};
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
    id: "component-floating-tag",
    group: Group::Component,
    summary: "a component of the pipeline is used at a tag that its owner moves",
    levels: &[("third-party", levels(Warning, Warning, Error)), ("vendor", levels(Info, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let demanded = project.policy.demanded(Demand::Components).is_some_and(|strength| strength >= Strength::Exact);
    let mut of_vendors: BTreeMap<SourceId, Vec<ComponentUse>> = BTreeMap::new();
    for component in project.component_uses().into_iter().filter(|component| component.kind == RefKind::Floating) {
        if component.owner == Owner::Third || demanded {
            findings.push(third_party(&component));
        } else {
            of_vendors.entry(component.id.source).or_default().push(component);
        }
    }
    for list in of_vendors.into_values() {
        findings.push(vendors(&list));
    }
}

fn third_party(component: &ComponentUse) -> Finding {
    let name = &component.reference.subject.name;
    let to = if component.takes_digest() { Strength::Immutable } else { Strength::Exact };
    let message = format!("`{}` is a tag that its owner moves; other code judges the same patch tomorrow", component.shown());
    let mut finding = Findings::finding(&RULE, "third-party", component.reference.site.whole, message)
        .help(component.how_to_hold())
        .remedy(Remedy::Tighten { reference: component.id, to })
        .about(&component.reference.key, name);
    for other in &component.others {
        finding = finding.label(*other, "also here");
    }
    finding
}

/// One finding for all components of a file that belong to the vendor or to oneself.
fn vendors(list: &[ComponentUse]) -> Finding {
    let first = &list[0];
    let whose = if list.iter().all(|component| component.owner == Owner::Vendor) { "the CI vendor" } else { "the CI vendor or of one's own" };
    let count: usize = list.iter().map(|component| 1 + component.others.len()).sum();
    let message = match count {
        1 => format!("`{}` is a tag that its owner moves", first.shown()),
        _ => format!("{count} components of {whose} are at tags that move, `{}` first", first.shown()),
    };
    let mut finding = Findings::finding(&RULE, "vendor", first.reference.site.whole, message)
        .help(first.how_to_hold())
        .remedy(Remedy::Tighten { reference: first.id, to: if first.takes_digest() { Strength::Immutable } else { Strength::Exact } })
        .about("uses", "vendor");
    for component in list {
        let own = (!std::ptr::eq(component, first)).then_some(component.reference.site.whole);
        for at in own.into_iter().chain(component.others.iter().copied()) {
            finding = finding.label(at, format!("`{}`", component.shown()));
        }
    }
    finding
}

//! # What it finds
//!
//! An action, reusable workflow, include, orb or feature that is used at a branch, or at no ref at all, and manifests of another
//! repository that a `kustomization.yaml` takes in that way.
//!
//! # Why
//!
//! Whoever can push to that branch runs code in this gate, with its token and its secrets, from the next minute on. Nothing in this
//! repository records that it happened.
//!
//! # What is not a finding
//!
//! - `./local` and `$/local`: they are part of the commit.
//! - A component that `.github/workflows/actions.lock` holds.
//! - Names that `[allow] components` of the configuration lists.
//! - A tag, which is `component-floating-tag` or `component-not-sha`.
//!
//! # What to do
//!
//! Write the full commit with the version as a comment: `uses: owner/repo@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2`.
//!
//! # Levels
//!
//! `error`. `warning` for a branch that its owner documents as the way to use it (`pypa/gh-action-pypi-publish@release/v1`), and for
//! organisations that the configuration names as one's own, and for manifests, which no gate runs. `info` where the ref is an argument (`dtolnay/rust-toolchain@stable`).
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: some/action@main
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! include:
//!   - component: $CI_SERVER_FQDN/acme/components/test@~latest
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! include:
//!   - remote: https://corp.io/ci/base.yml
//! ```
//!
//! ```yaml deploy/kustomization.yaml bad default
//! resources:
//!   - https://github.com/acme/base//deploy
//! ```
//!
//! ```yaml deploy/kustomization.yaml good default
//! resources:
//!   - ../base
//!   - https://github.com/acme/base//deploy?ref=v1.2.3
//! ```
//!
//! ```yaml .github/workflows/ci.yml good default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: ./.github/actions/x
//!       - uses: some/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
//!       - uses: other/action@v3
//! ```
//!
//! # Measured
//!
//! 46 findings in 15 of 52 public repositories (5 `error`, 15 `warning`, 2 `info`). Read by eye: 22, false: 0. All 875 places of zizmor's
//! `unpinned-uses` are in this rule, `component-floating-tag`, `component-not-sha` or an image rule. Ledger:
//! `docs/evidence/component-mutable-branch.tsv`.

use crate::model::components::{ComponentUse, Owner, RefKind};
use crate::model::finding::{Findings, Remedy};
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Role};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "component-mutable-branch",
    group: Group::Component,
    summary: "a component of the pipeline is used at a branch",
    levels: &[
        ("branch", levels(Error, Error, Error)),
        ("documented", levels(Warning, Error, Error)),
        ("own", levels(Warning, Warning, Error)),
        ("argument", levels(Info, Warning, Error)),
        ("manifests", levels(Warning, Error, Error)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for component in project.component_uses() {
        let kind = match (component.kind, component.owner) {
            (RefKind::Argument, _) => "argument",
            (RefKind::Documented, _) => "documented",
            (RefKind::Branch, Owner::Own) => "own",
            (RefKind::Branch, _) if component.reference.role == Role::Manifests => "manifests",
            (RefKind::Branch, _) => "branch",
            _ => continue,
        };
        let name = &component.reference.subject.name;
        let to = if component.takes_digest() { Strength::Immutable } else { Strength::Exact };
        let mut finding = Findings::finding(&RULE, kind, component.reference.site.whole, message(&component))
            .help(component.how_to_hold())
            .remedy(Remedy::Tighten { reference: component.id, to })
            .about(&component.reference.key, name);
        for other in &component.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

fn message(component: &ComponentUse) -> String {
    let shown = component.shown();
    match component.kind {
        RefKind::Argument => format!("`{shown}` runs whatever its branch holds and sets up a toolchain that moves"),
        _ if component.reference.subject.ecosystem != Ecosystem::Git || component.is_newest() => {
            format!("`{shown}` is whatever was published last; its owner's next release runs here with this gate's secrets")
        }
        _ if component.reference.role == Role::Manifests => {
            format!("`{shown}` is {}: what is pushed there is deployed with the next build", match component.reference.strength {
                Some(Strength::Unspecified) => "whatever its default branch holds",
                _ => "a branch",
            })
        }
        _ if component.is_address() => {
            format!("`{shown}` is whatever its server says today; whoever can change that file runs code here with this gate's token")
        }
        _ if component.reference.strength == Some(Strength::Unspecified) => {
            format!("`{shown}` names no ref, so its default branch runs here with this gate's token")
        }
        _ => format!("`{shown}` is a branch; whoever can push to it runs code here with this gate's token"),
    }
}

//! # What it finds
//!
//! A hook repository of `.pre-commit-config.yaml` whose `rev` can move: a branch, `HEAD`, `stable`, a major tag, or, in `strict`, any tag.
//!
//! # Why
//!
//! A hook that moves changes what a patch is judged by. pre-commit caches a clone per `rev` and never looks again, so a branch as `rev` also
//! means that two machines run different code for ever, and neither shows which.
//!
//! # What is not a finding
//!
//! `repo: local`, `meta` and `builtin`; a full commit, with or without a `# frozen: v1.2.3` comment.
//!
//! # What to do
//!
//! `pre-commit autoupdate --freeze` writes full commits with the tag as a comment; commit that as a patch of its own.
//!
//! # Levels
//!
//! A branch is an `error`; a floating tag (`v1`) a `warning`; an exact tag is `info` (one finding a file) and `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml .pre-commit-config.yaml bad default
//! repos:
//!   - repo: https://github.com/pre-commit/pre-commit-hooks
//!     rev: main
//!     hooks:
//!       - id: check-yaml
//! ```
//!
//! ```yaml .pre-commit-config.yaml good
//! repos:
//!   - repo: https://github.com/pre-commit/pre-commit-hooks
//!     rev: cef0300fd0fc4d2a87a85fa2093c6b283ea36f4b  # frozen: v5.0.0
//!     hooks:
//!       - id: check-yaml
//!   - repo: local
//!     hooks:
//!       - {id: x, name: x, entry: ./x, language: system}
//! ```
//!
//! # Measured
//!
//! 34 findings in 29 of 52 public repositories (34 `info`). Read by eye: 34, false: 0. Ledger: `docs/evidence/precommit-rev-mutable.tsv`.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::pin::{Precision, Strength};
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Reference, ReferenceId, Role};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::SourceId;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "precommit-rev-mutable",
    group: Group::Component,
    summary: "a pre-commit hook's `rev` can move",
    levels: &[
        ("branch", levels(Error, Error, Error)),
        ("floating-tag", levels(Warning, Error, Error)),
        ("tag", levels(Info, Info, Warning)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut tags: BTreeMap<SourceId, Vec<(ReferenceId, &Reference)>> = BTreeMap::new();
    let hooks = project.references().filter(|(_, reference)| {
        reference.role == Role::Hook && reference.subject.ecosystem == Ecosystem::Git && reference.origin != Origin::Local
    });
    for (id, hook) in hooks.filter(|(_, hook)| !project.policy.allows(Ecosystem::Git, &hook.subject.name)) {
        match hook.strength {
            Some(Strength::Unspecified | Strength::Floating(Precision::Word)) => findings.push(moving(id, hook, "branch")),
            Some(Strength::Floating(Precision::Major)) => findings.push(moving(id, hook, "floating-tag")),
            // Hook tags with two numbers (`v0.25`) are releases, not moving names.
            Some(Strength::Floating(Precision::Minor) | Strength::Exact) => tags.entry(id.source).or_default().push((id, hook)),
            Some(Strength::Immutable) | None => {}
        }
    }
    for list in tags.into_values() {
        findings.push(movable_tags(&list));
    }
}

fn moving(id: ReferenceId, hook: &Reference, kind: &str) -> Finding {
    let name = &hook.subject.name;
    let rev = hook.pin.version.as_deref().unwrap_or("nothing");
    let message = format!("hook repository `{name}` is at `{rev}`, which moves; two machines run different hooks on one patch");
    Findings::finding(&RULE, kind, hook.site.whole, message)
        .help("freeze it: `pre-commit autoupdate --freeze` writes the full commit with the tag as a comment")
        .remedy(Remedy::Tighten { reference: id, to: Strength::Immutable })
        .about(&hook.key, name)
}

fn movable_tags(list: &[(ReferenceId, &Reference)]) -> Finding {
    let (id, first) = list[0];
    let message = match list.len() {
        1 => format!("hook repository `{}` is held by a tag, which its owner can move", first.subject.name),
        count => format!("{count} hook repositories are held by tags, which their owners can move"),
    };
    let mut finding = Findings::finding(&RULE, "tag", first.site.whole, message)
        .help("freeze them: `pre-commit autoupdate --freeze` writes full commits with the tags as comments")
        .remedy(Remedy::Tighten { reference: id, to: Strength::Immutable })
        .about("repos", "tags");
    for (_, hook) in list.iter().skip(1) {
        finding = finding.label(hook.site.whole, format!("`{}`", hook.subject.name));
    }
    finding
}

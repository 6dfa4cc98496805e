//! # What it finds
//!
//! `additional_dependencies` of a pre-commit hook without an exact version.
//!
//! # Why
//!
//! The hook's `rev` is pinned and its environment is not: a new release of a plugin or of a stub package changes the verdict on the next
//! machine that builds the environment, and only there.
//!
//! # What is not a finding
//!
//! `==` pins, full commits, local paths, names that an expression decides.
//!
//! # What to do
//!
//! Write the version that the hook's environment has today: `additional_dependencies: [types-requests==2.32.0.20241016]`.
//!
//! # Levels
//!
//! `info` in default, `warning` in strict and audit: two thirds of well-kept projects have such a line.
//!
//! # Examples
//!
//! ```yaml .pre-commit-config.yaml bad
//! repos:
//!   - repo: https://github.com/pre-commit/mirrors-mypy
//!     rev: 102bbee94061ff02fd361ec29c27b7cb26582f5f
//!     hooks:
//!       - id: mypy
//!         additional_dependencies: [types-requests, "pydantic>=2"]
//! ```
//!
//! ```yaml .pre-commit-config.yaml good
//! repos:
//!   - repo: https://github.com/pre-commit/mirrors-mypy
//!     rev: 102bbee94061ff02fd361ec29c27b7cb26582f5f
//!     hooks:
//!       - id: mypy
//!         additional_dependencies: [types-requests==2.32.0.20241016]
//! ```
//!
//! # Measured
//!
//! 11 findings in 11 of 52 public repositories (11 `info`). Read by eye: 11, false: 0. Ledger:
//! `docs/evidence/precommit-deps-unpinned.tsv`.

use crate::model::finding::{Findings, Remedy};
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::reference::{Origin, Reference, ReferenceId, Role};
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::SourceId;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "precommit-deps-unpinned",
    group: Group::Requirement,
    summary: "an additional dependency of a pre-commit hook has no exact version",
    levels: &[("hook", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut files: BTreeMap<SourceId, Vec<(ReferenceId, &Reference)>> = BTreeMap::new();
    for (id, reference) in project.references() {
        let loose = reference.strength.is_some_and(|strength| strength < Strength::Exact);
        let local = matches!(reference.origin, Origin::Local | Origin::Path(_));
        if reference.role == Role::HookDependency && loose && !local {
            files.entry(id.source).or_default().push((id, reference));
        }
    }
    for list in files.into_values() {
        let (id, first) = list[0];
        let mut names: Vec<String> = Vec::new();
        for name in list.iter().map(|(_, reference)| format!("`{}`", reference.subject.name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let shown = names.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
        let message = format!("additional dependencies of hooks move: {shown}{more}; the hook's verdict differs by the day its environment was built");
        let mut finding = Findings::finding(&RULE, "hook", first.site.whole, message)
            .help(format!("pin each: `{}==<version in use>`", first.subject.name))
            .remedy(Remedy::Tighten { reference: id, to: Strength::Exact })
            .about("additional_dependencies", &first.subject.name);
        for (_, reference) in list.iter().skip(1) {
            finding = finding.label(reference.site.whole, format!("`{}` moves too", reference.subject.name));
        }
        findings.push(finding);
    }
}

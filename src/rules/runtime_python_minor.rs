//! # What it finds
//!
//! An interpreter that CI sets up by its minor version alone: `python-version: "3.12"`.
//!
//! # Why
//!
//! Patch releases of Python change behaviour now and then (`ssl`, `tarfile`, `email`). A gate that names `3.12.7` never blames a patch for it.
//!
//! # What is not a finding
//!
//! A full version; a value that an expression decides.
//!
//! # What to do
//!
//! Write the full version, and let the upgrade patch move it.
//!
//! # Levels
//!
//! Off in default, `info` in strict, `warning` in audit; one finding a file.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b  # v5.3.0
//!         with: {python-version: "3.12"}
//!       - run: pytest
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b  # v5.3.0
//!         with: {python-version: "3.12.7"}
//!       - run: pytest
//! ```
//!
//! # Measured
//!
//! 120 findings in 52 public repositories in strict: what most projects write, therefore off by default.

use crate::model::finding::{Findings, Remedy};
use crate::model::pin::{Precision, Strength};
use crate::model::project::Project;
use crate::model::reference::{Reference, ReferenceId, Role};
use crate::model::rule::Level::{Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::SourceId;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "runtime-python-minor",
    group: Group::Runtime,
    summary: "CI sets up a Python whose patch release moves",
    levels: &[("ci", levels(Off, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut files: BTreeMap<SourceId, Vec<(ReferenceId, &Reference)>> = BTreeMap::new();
    for (id, reference) in project.references() {
        let facts = project.facts_of(id.source);
        let in_ci = !facts.pipelines.is_empty() || !facts.components.is_empty();
        let minor = reference.strength == Some(Strength::Floating(Precision::Minor));
        if reference.role == Role::Python && minor && in_ci {
            files.entry(id.source).or_default().push((id, reference));
        }
    }
    for list in files.into_values() {
        let (id, first) = list[0];
        let written = first.pin.version.as_deref().unwrap_or_default();
        let message = format!("Python is asked for as `{written}`; its patch release moves by itself");
        let mut finding = Findings::finding(&RULE, "ci", first.site.whole, message)
            .help(format!("name the full version, for example `{written}.<patch in use>`"))
            .remedy(Remedy::Tighten { reference: id, to: Strength::Exact })
            .about(&first.key, "python");
        for (_, reference) in list.iter().skip(1) {
            let written = reference.pin.version.as_deref().unwrap_or_default();
            finding = finding.label(reference.site.whole, format!("`{written}` here"));
        }
        findings.push(finding);
    }
}

//! # What it finds
//!
//! The same linter or type checker at two versions: the `rev` of its pre-commit hook, a pin in a requirements file or a lock, an install in a
//! CI job.
//!
//! # Why
//!
//! "CI says red, pre-commit says green": the verdict cannot be repeated at the desk, although nothing is wrong with the patch.
//!
//! # What is not a finding
//!
//! Versions that float (they have rules of their own); two projects of one repository that never meet; hooks that only wrap a tool whose
//! version they do not carry.
//!
//! # What to do
//!
//! Pin one version everywhere, or run the hook in CI (`pre-commit run --all-files`) and drop the second install.
//!
//! # Levels
//!
//! `warning` in default and strict, `error` in audit. One finding a tool, at the hook.
//!
//! # Examples
//!
//! ```yaml .pre-commit-config.yaml with
//! repos:
//!   - repo: https://github.com/astral-sh/ruff-pre-commit
//!     rev: v0.6.9
//!     hooks: [{id: ruff}]
//! ```
//!
//! ```text requirements-dev.txt bad default
//! ruff==0.8.1
//! ```
//!
//! ```yaml .pre-commit-config.yaml with
//! repos:
//!   - repo: https://github.com/astral-sh/ruff-pre-commit
//!     rev: v0.8.1
//!     hooks: [{id: ruff}]
//! ```
//!
//! ```text requirements-dev.txt good
//! ruff==0.8.1
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 7 findings in 6 of them.
//! Read by eye: 7, false: 0. Ledger: `docs/evidence/repro-tool-drift.tsv`.

use crate::model::finding::{Finding, Findings};
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Reference, Role};
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::source::Source;
use crate::model::span::Location;
use std::collections::HashMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "repro-tool-drift",
    group: Group::Log,
    summary: "the same tool has two versions in one repository",
    levels: &[("tool", levels(Warning, Warning, Error))],
    since: "0.1.0",
    check,
};

/// Hook repositories whose tag is the version of the tool, and the tool's package.
const HOOKS: &[(&str, &str)] = &[
    ("astral-sh/ruff-pre-commit", "ruff"),
    ("charliermarsh/ruff-pre-commit", "ruff"),
    ("psf/black", "black"),
    ("psf/black-pre-commit-mirror", "black"),
    ("pre-commit/mirrors-mypy", "mypy"),
    ("pycqa/flake8", "flake8"),
    ("pycqa/isort", "isort"),
    ("timothycrosley/isort", "isort"),
    ("pycqa/bandit", "bandit"),
    ("pycqa/pylint", "pylint"),
    ("pycqa/autoflake", "autoflake"),
    ("pycqa/docformatter", "docformatter"),
    ("pycqa/pydocstyle", "pydocstyle"),
    ("codespell-project/codespell", "codespell"),
    ("asottile/pyupgrade", "pyupgrade"),
    ("google/yapf", "yapf"),
    ("pre-commit/mirrors-yapf", "yapf"),
    ("robertcraigie/pyright-python", "pyright"),
    ("adrienverge/yamllint", "yamllint"),
    ("crate-ci/typos", "typos"),
    ("sphinx-contrib/sphinx-lint", "sphinx-lint"),
    ("rstcheck/rstcheck", "rstcheck"),
    ("zizmorcore/zizmor-pre-commit", "zizmor"),
    ("woodruffw/zizmor-pre-commit", "zizmor"),
    ("djlint/djlint", "djlint"),
    ("riverbed/djlint", "djlint"),
    ("nbqa-dev/nbqa", "nbqa"),
    ("fsouza/mirrors-pyright", "pyright"),
];

struct Pinned<'p> {
    version: String,
    at: Location,
    source: &'p Source,
}

fn check(project: &Project, findings: &mut Findings) {
    let hooks = project.references().filter(|(id, hook)| hook.role == Role::Hook && !project.asleep(id.source));
    let mut pins: HashMap<&str, Vec<Pinned>> = HashMap::new();
    for (_, hook) in hooks {
        let name = hook.subject.name.to_ascii_lowercase();
        let tool = HOOKS.iter().find(|(repository, _)| name == *repository || name.ends_with(&format!("/{repository}")));
        let (Some((_, tool)), Some(version)) = (tool, version_of(hook)) else { continue };
        let folder = project.source(hook.site.whole.source).folder();
        let pins = pins.entry(tool).or_insert_with(|| pins_of(project, tool));
        let others: Vec<&Pinned> = pins
            .iter()
            .filter(|pinned| pinned.source.folder() == folder || pinned.source.path.starts_with(".github/"))
            .filter(|pinned| pinned.version != version)
            .collect();
        if !others.is_empty() {
            findings.push(drift(tool, &version, hook, &others));
        }
    }
}

fn drift(tool: &str, version: &str, hook: &Reference, others: &[&Pinned]) -> Finding {
    let (first, path) = (&others[0].version, &others[0].source.path);
    let message = format!("`{tool}` is {version} in the pre-commit hook and {first} in `{path}`; CI and the desk can disagree on one patch");
    let help = format!("pin one version of `{tool}` in all of these places");
    let mut finding = Findings::finding(&RULE, "tool", hook.site.whole, message).help(help).about("tool", tool);
    for other in others {
        finding = finding.label(other.at, format!("`{tool}` is {} here", other.version));
    }
    finding
}

/// Exact pins of the package outside of hooks: requirement lines, install commands, inputs of actions, locks.
fn pins_of<'p>(project: &'p Project, tool: &str) -> Vec<Pinned<'p>> {
    let roles = [Role::Runtime, Role::Dev, Role::Extra, Role::Constraint, Role::Install, Role::Tool, Role::Toolchain];
    let mut pins: Vec<Pinned> = project
        .references()
        .filter(|(_, reference)| reference.subject.name == tool && roles.contains(&reference.role))
        .filter(|(_, reference)| matches!(reference.subject.ecosystem, Ecosystem::Pypi | Ecosystem::Toolchain))
        .filter_map(|(id, reference)| {
            let at = reference.site.whole;
            Some(Pinned { version: version_of(reference)?, at, source: project.source(id.source) })
        })
        .collect();
    for lock in project.lock_files() {
        // A lock with forks holds a package twice; then no single version can be said to differ.
        let held: Vec<_> = lock.packages.iter().filter(|package| package.name == tool).collect();
        if let [package] = held.as_slice()
            && !package.version.is_empty()
        {
            let version = plain(&package.version);
            pins.push(Pinned { version, at: package.at, source: project.source(lock.at.source) });
        }
    }
    pins
}

/// The version of an exact pin: as written, or as noted beside a full commit.
fn version_of(reference: &Reference) -> Option<String> {
    let written = match reference.strength? {
        Strength::Exact => reference.pin.version.as_deref(),
        Strength::Immutable => reference.noted.as_deref().or(reference.pin.version.as_deref()),
        _ => None,
    };
    written.map(plain).filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

fn plain(version: &str) -> String {
    let version = version.trim_start_matches(['=', ' ', 'v']).trim();
    version.split(['+', '-']).next().unwrap_or(version).to_string()
}

//! # What it finds
//!
//! Jobs that install the project itself (`pip install .[test]`, `uv sync`, `poetry install`, `hatch run`) where nothing holds the versions of
//! what it needs: no lock, no constraints, no compiled file. One finding for the repository, which lists the commands.
//!
//! # Why
//!
//! Every run resolves anew, so every run can test other packages than the one before.
//!
//! # What is not a finding
//!
//! A lock in the project's folder or above it; `-c constraints.txt` or `PIP_CONSTRAINT`; `--no-deps`; a job that installs a file of exact
//! versions too; a project that needs nothing; jobs that test against the newest releases on purpose (`latest`, `upstream`, `nightly`,
//! `canary` in their name): there loose is right.
//!
//! # What to do
//!
//! Commit a lock (`uv lock`), or constraints (`uv pip compile pyproject.toml --all-extras -o constraints.txt`), and let one scheduled job test
//! the newest releases.
//!
//! # Levels
//!
//! `advice`; `warning` in `strict` and `audit`. A library may want to see new releases early; a scheduled job does that without stopping patches.
//!
//! # Examples
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! dependencies = ["requests>=2"]
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@v4
//!       - run: pip install .
//! ```
//!
//! ```text constraints.txt with
//! requests==2.32.3
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! dependencies = ["requests>=2"]
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@v4
//!       - run: pip install . -c constraints.txt
//!   upstream:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@v4
//!       - run: pip install .
//! ```
//!
//! # Measured
//!
//! 5 of 52 public repositories; all read by eye, none false.

use crate::model::finding::Findings;
use crate::model::lock::LockTool;
use crate::model::manifest::ManifestKind;
use crate::model::pin::Strength;
use crate::model::project::{GateInstall, Project};
use crate::model::reference::Role;
use crate::model::rule::Level::{Advice, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::InstallTool;
use crate::model::span::SourceId;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-lock-missing",
    group: Group::Requirement,
    summary: "CI installs the project and nothing holds the versions of what it needs",
    levels: &[("project", levels(Advice, Warning, Warning))],
    since: "0.1.0",
    check,
};

/// Any lock in the place is a lock; one that the command does not use is another rule's.
const LOCKS: [LockTool; 8] = [
    LockTool::Uv,
    LockTool::Poetry,
    LockTool::Pdm,
    LockTool::Pipenv,
    LockTool::Pylock,
    LockTool::CondaLock,
    LockTool::Pixi,
    LockTool::Compiled,
];

/// Most commands that one finding lists.
const LISTED: usize = 20;

fn check(project: &Project, findings: &mut Findings) {
    let mut seen = HashSet::new();
    let open: Vec<&GateInstall> = project
        .gate
        .installs
        .iter()
        .filter(|install| is_open(project, install) && seen.insert(install.reach.at))
        .collect();
    let Some(first) = open.first() else { return };
    let count = if open.len() == 1 { "one command of CI installs".to_string() } else { format!("{} commands of CI install", open.len()) };
    let message = format!("{count} this project and nothing holds the versions of what it needs; each run can test other packages");
    let help = "commit a lock (`uv lock`) or constraints and install by them; let one scheduled job test the newest releases";
    let mut finding = Findings::finding(&RULE, "project", first.reach.at, message).help(help).about("", "");
    for install in open.iter().take(LISTED) {
        finding = finding.label(install.reach.at, format!("{} installs here", install.reach.who));
    }
    findings.push(finding);
}

/// Whether an install of a local project takes whatever is newest.
fn is_open(project: &Project, install: &GateInstall) -> bool {
    let tools = [
        InstallTool::Pip,
        InstallTool::UvPip,
        InstallTool::Uv,
        InstallTool::Poetry,
        InstallTool::Pdm,
        InstallTool::Pipenv,
        InstallTool::Hatch,
        InstallTool::Pixi,
    ];
    let command = &install.install;
    tools.contains(&command.tool)
        && !command.no_deps
        && !command.no_index
        && !project.wants_newest(install)
        && install.constraints.is_empty()
        && !project.asleep(install.source)
        && install.projects.iter().any(|&source| needs_something(project, source))
        && !install.projects.iter().any(|&source| has_lock(project, source))
        && !installs_exact_versions(project, install)
}

fn has_lock(project: &Project, source: SourceId) -> bool {
    project.lock_above(project.source(source).folder(), &LOCKS).is_some()
}

/// Whether a manifest asks for anything when it is installed. What computes its requirements does.
fn needs_something(project: &Project, source: SourceId) -> bool {
    let facts = project.facts_of(source);
    facts.manifests.iter().any(|manifest| {
        let runtime = |role: Role| !matches!(role, Role::Build | Role::Constraint | Role::Python);
        let computed = manifest.kind == ManifestKind::Setup && manifest.entries.is_empty();
        project.entries_of(manifest).any(|reference| runtime(reference.role)) || !manifest.includes.is_empty() || computed
    })
}

/// Whether the same job also installs a file of exact versions, which then hold the project's.
fn installs_exact_versions(project: &Project, install: &GateInstall) -> bool {
    let same = project.gate.installs.iter().filter(|other| other.reach.who == install.reach.who);
    same.flat_map(|other| &other.files).any(|&source| {
        project.facts_of(source).manifests.iter().any(|manifest| {
            let mut entries = project.entries_of(manifest).peekable();
            entries.peek().is_some() && entries.all(|reference| reference.strength >= Some(Strength::Exact))
        })
    })
}

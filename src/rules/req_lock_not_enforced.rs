//! # What it finds
//!
//! A committed lock that an install may change or does not look at: `uv sync` and `uv run` without `--locked`, `pipenv install` without
//! `--deploy`, `pdm install` without `--check`, `poetry lock` before `poetry install`, `conda env create` beside a `conda-lock.yml`, `pip install .`
//! beside any of them.
//!
//! # Why
//!
//! The lock says what the gate tests. A command that quietly makes a new lock, or ignores it, tests something else, and the run stays green.
//!
//! # What is not a finding
//!
//! `--locked`, `--frozen`, `UV_LOCKED=1` or `UV_FROZEN=1` anywhere around the command; a lock that was verified earlier in the job (`uv lock --check`,
//! `uv sync --locked`); `poetry install`, which fails by itself; `pdm sync`, `pipenv sync`, `pip-sync`; `uv run --no-project`, `uv run --script`, `uv tool run`;
//! jobs that update locks, test the newest releases or the installation itself, and say so in their name; `pip install --no-deps .` and `-c`.
//!
//! # What to do
//!
//! Add the flag that makes a stale lock fail: `uv sync --locked`, `pipenv install --deploy`, `pdm install --check`; install from the lock instead of
//! `pip install .`.
//!
//! # Levels
//!
//! `warning`, and `error` in `strict` and `audit`. `info` while the lock provably describes its manifest, `warning` in `strict`: today's run is the
//! locked one. A command that ignores the lock is a `warning` either way.
//!
//! # Examples
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock with
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: uv sync
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock with
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     env:
//!       UV_LOCKED: "1"
//!     steps:
//!       - run: uv sync
//!   frozen:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: uv sync --frozen
//! ```
//!
//! # Measured
//!
//! 34 findings in 8 of 52 public repositories (11 `warning`, 23 `info`); 45 hits were opened at their lines for the
//! ledger. 11 were false and are mended: installs behind `setup-pixi`, which checks the lock itself, and a composite action whose caller sets
//! `UV_FROZEN`.

use crate::model::finding::{Finding, Findings};
use crate::model::lock::{Lock, LockTool};
use crate::model::project::{GateInstall, Project};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Enforcement, InstallTool};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-lock-not-enforced",
    group: Group::Requirement,
    summary: "an install may change or ignore the committed lock",
    levels: &[
        ("loose", levels(Warning, Error, Error)),
        ("fresh", levels(Info, Warning, Error)),
        ("ignored", levels(Warning, Error, Error)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut seen = HashSet::new();
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for install in project.gate.installs.iter().filter(|install| !project.wants_newest(install) && !updates_locks(&install.reach.who)) {
        let Some(case) = case(project, install) else { continue };
        if !seen.insert(install.reach.at) {
            continue;
        }
        // Many `uv run` of one job have one remedy.
        let same = |group: &&mut Vec<Case>| {
            let first = &group[0];
            (first.kind, &first.install.reach.who, first.install.source) == (case.kind, &install.reach.who, install.source)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(case),
            None => groups.push(vec![case]),
        }
    }
    for group in groups {
        findings.push(finding(project, &group));
    }
}

/// An install that a lock does not bind.
struct Case<'p> {
    kind: &'static str,
    install: &'p GateInstall,
    lock: &'p Lock,
}

fn case<'p>(project: &'p Project, install: &'p GateInstall) -> Option<Case<'p>> {
    let command = &install.install;
    let own: &[LockTool] = match command.tool {
        InstallTool::Uv => &[LockTool::Uv],
        InstallTool::Poetry => &[LockTool::Poetry],
        InstallTool::Pdm => &[LockTool::Pdm],
        InstallTool::Pipenv => &[LockTool::Pipenv],
        InstallTool::Pixi => &[LockTool::Pixi],
        InstallTool::Pip | InstallTool::UvPip | InstallTool::Conda => return ignoring(project, install),
        _ => return None,
    };
    if command.enforcement != Enforcement::Loose || install.enforced {
        return None;
    }
    let lock = install.projects.iter().find_map(|&source| project.lock_above(project.source(source).folder(), own))?;
    let kind = if project.is_fresh(lock) { "fresh" } else { "loose" };
    Some(Case { kind, install, lock })
}

/// `pip install .` beside a lock that pip does not know, and an environment file beside its lock.
fn ignoring<'p>(project: &'p Project, install: &'p GateInstall) -> Option<Case<'p>> {
    let command = &install.install;
    if command.no_deps || command.no_index || !install.constraints.is_empty() || tests_installing(&install.reach.who) {
        return None;
    }
    let lock = match command.tool {
        InstallTool::Conda => {
            let file = install.files.first()?;
            let folder = project.source(*file).folder();
            project.lock_files().find(|lock| {
                lock.tool == LockTool::CondaLock && project.source(lock.at.source).folder() == folder
            })
        }
        _ => {
            let tools = [LockTool::Uv, LockTool::Poetry, LockTool::Pdm, LockTool::Pipenv, LockTool::Pylock];
            install.projects.iter().find_map(|&source| {
                let folder = project.source(source).folder();
                let lock = project.lock_above(folder, &tools)?;
                // A lock above belongs to another project unless it says that this one is its member.
                let here = project.source(lock.at.source).folder() == folder;
                let name = project.facts_of(source).manifests.iter().find_map(|manifest| manifest.name.as_deref());
                let member = name.is_some_and(|name| lock.packages.iter().any(|package| package.name == name));
                (here || member).then_some(lock)
            })
        }
    };
    Some(Case { kind: "ignored", install, lock: lock? })
}

/// Whether the job is there to see that the project can be installed as its users install it.
fn tests_installing(who: &str) -> bool {
    let words = who.to_ascii_lowercase();
    words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        matches!(word, "install" | "installation" | "installability" | "installs" | "wheel" | "wheels" | "sdist")
    })
}

/// Whether the job is there to move locks.
fn updates_locks(who: &str) -> bool {
    let words = who.to_ascii_lowercase();
    words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        matches!(word, "update" | "updates" | "upgrade" | "upgrades" | "bump" | "relock" | "lock" | "lockfile" | "lockfiles" | "autoupdate")
    })
}

fn finding(project: &Project, group: &[Case]) -> Finding {
    let Case { kind, install, lock } = &group[0];
    let (who, path) = (&install.reach.who, project.path(lock.at));
    let message = match *kind {
        "ignored" => format!("{who} installs without looking at `{path}`: what it tests is not what the lock says"),
        "fresh" => format!("{who} installs by `{path}` and would quietly change it when it no longer fits; today it does"),
        _ => format!("{who} installs by `{path}` and quietly changes it when it does not fit: a green run may have tested something else"),
    };
    let help = match install.install.tool {
        InstallTool::Uv => "add `--locked` (or set `UV_LOCKED: \"1\"` for the job), so that a stale lock fails",
        InstallTool::Pipenv => "use `pipenv install --deploy` or `pipenv sync`, so that a stale lock fails",
        InstallTool::Pdm => "use `pdm install --check` or `pdm sync`, so that a stale lock fails",
        InstallTool::Poetry => "leave `poetry lock` out of the job, so that a stale lock fails",
        InstallTool::Pixi => "add `--locked`, so that a stale lock fails",
        InstallTool::Conda => "install the lock (`conda-lock install`) instead of the environment file",
        _ => match lock.tool {
            LockTool::Uv => "install by the lock (`uv sync --locked`), or by constraints that are exported from it (`uv export`)",
            LockTool::Poetry => "install by the lock (`poetry sync`), or by constraints that are exported from it",
            _ => "install by the lock, or by constraints that are exported from it",
        },
    };
    let mut finding = Findings::finding(&RULE, kind, install.reach.at, message).help(help).about(who.as_str(), lock.tool.name());
    for case in group.iter().skip(1) {
        finding = finding.label(case.install.reach.at, "here too");
    }
    finding
}

//! # What it finds
//!
//! A committed lock that an install may change or does not look at:
//!
//! - `uv sync` and `uv run` without `--locked` or `--frozen`, `pdm install` without `--check`, `pipenv install` without `--deploy`, `pixi install`
//!   without `--locked`; `uv add`, `poetry add`;
//! - `poetry lock`, `uv lock`, `pip-compile` and their kind before an install in the same job;
//! - `pip install .` and `uv pip install -r pyproject.toml` beside any lock of the project, `pipenv install --skip-lock`, an environment file beside its
//!   `conda-lock.yml`, on a command line or in an `environment-file` of an action;
//! - an image build that copies the manifest and not the lock before it installs, or whose `.dockerignore` leaves the lock out.
//!
//! # Why
//!
//! The lock says what the gate tests. A command that quietly makes a new lock, or ignores it, tests something else, and the run stays green.
//!
//! # What is not a finding
//!
//! `--locked`, `--frozen`, `UV_LOCKED=1`, `UV_FROZEN=1`, `PDM_FROZEN_LOCKFILE=1`, `PIPENV_DEPLOY=1`, `PIXI_LOCKED=1` anywhere around the command; a
//! lock that was verified earlier in the job (`uv lock --check`, `uv sync --locked`, `uv lock` with `git diff --exit-code` behind it); `poetry install`,
//! which fails by itself; `pdm sync`, `pipenv sync`, `pip-sync`; `uv run --no-project`, `uv run --script`, `uv tool run`; jobs that update locks, test
//! the newest releases or the installation itself, and say so in their name; `pip install --no-deps .`, `-c`, and what follows an install of an
//! exported file. A job without any lock is `req-lock-missing`.
//!
//! # What to do
//!
//! Add the flag that makes a stale lock fail: `uv sync --locked`, `pipenv install --deploy`, `pdm install --check`; install from the lock instead of
//! `pip install .`; copy the lock into the image beside the manifest.
//!
//! # Levels
//!
//! `warning`, and `error` in `strict` and `audit`. `info` while the lock provably describes its manifest, `warning` in `strict`: today's run is the
//! locked one. A command that ignores the lock, and an image without it, is a `warning` either way.
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
//! ```dockerfile Dockerfile bad default
//! FROM python:3.12.7
//! COPY pyproject.toml ./
//! RUN uv sync
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
//! ```dockerfile Dockerfile good
//! FROM python:3.12.7
//! COPY pyproject.toml uv.lock ./
//! RUN uv sync --locked
//! ```
//!
//! # Measured
//!
//! 34 findings in 8 of 52 public repositories (11 `warning`, 23 `info`); 45 hits were opened at their lines for the
//! ledger. 11 were false and are mended: installs behind `setup-pixi`, which checks the lock itself, and a composite action whose caller sets
//! `UV_FROZEN`.

use crate::model::finding::{Finding, Findings};
use crate::model::installs::own_lock;
use crate::model::lock::{Lock, LockTool};
use crate::model::manifest::ManifestKind;
use crate::model::project::{GateInstall, LockInImage, Project};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Enforcement, InstallTool};
use crate::model::span::SourceId;
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
        ("absent", levels(Warning, Error, Error)),
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
    match install.install.tool {
        InstallTool::Pip | InstallTool::UvPip | InstallTool::PipSync => {
            compiled_anew(project, install).or_else(|| ignoring(project, install))
        }
        InstallTool::Conda => ignoring(project, install),
        tool => own(project, install, own_lock(tool)?),
    }
}

/// An install by the lock that its tool keeps.
fn own<'p>(project: &'p Project, install: &'p GateInstall, own: LockTool) -> Option<Case<'p>> {
    let enforcement = install.install.enforcement;
    let lock = install.projects.iter().find_map(|&source| project.lock_above(project.source(source).folder(), &[own]))?;
    // Without its lock in the image, poetry makes a new one whatever its flags; the others fail when they are told to keep to it.
    let resolves = enforcement == Enforcement::Loose && !install.enforced || own == LockTool::Poetry;
    let kind = match install.lock_in_image {
        LockInImage::Never if resolves => "absent",
        LockInImage::Ignored(_) if resolves => "absent",
        // `pipenv install --skip-lock`.
        _ if enforcement == Enforcement::NoLock => "ignored",
        _ if !install.remade && (enforcement != Enforcement::Loose || install.enforced) => return None,
        _ if project.is_fresh(lock) => "fresh",
        _ => "loose",
    };
    Some(Case { kind, install, lock })
}

/// `pip-compile` before an install of what it wrote.
fn compiled_anew<'p>(project: &'p Project, install: &'p GateInstall) -> Option<Case<'p>> {
    if !install.remade {
        return None;
    }
    let lock = install.files.iter().find_map(|&file| project.facts_of(file).locks.first())?;
    let kind = if project.is_fresh(lock) { "fresh" } else { "loose" };
    Some(Case { kind, install, lock })
}

/// `pip install .` beside a lock that pip does not know, and an environment file beside its lock.
fn ignoring<'p>(project: &'p Project, install: &'p GateInstall) -> Option<Case<'p>> {
    let command = &install.install;
    let constrained = command.files.iter().any(|file| file.constraint) || !install.constraints.is_empty();
    if command.no_deps || command.no_index || constrained || tests_installing(&install.reach.who) || exports(project, install) {
        return None;
    }
    let lock = match command.tool {
        InstallTool::Conda => {
            let file = install.files.first().filter(|file| project.facts_of(**file).locks.is_empty())?;
            let folder = project.source(*file).folder();
            project.lock_files().find(|lock| {
                lock.tool == LockTool::CondaLock && project.source(lock.at.source).folder() == folder
            })
        }
        _ => projects(project, install).find_map(|source| {
            project_lock(project, source).or_else(|| compiled_lock(project, install, source))
        }),
    };
    Some(Case { kind: "ignored", install, lock: lock? })
}

/// Whether the job installs a file that is not of this repository: an export of the lock, as far as anybody can see.
fn exports(project: &Project, install: &GateInstall) -> bool {
    let before = project.gate.installs.iter().take_while(|other| !std::ptr::eq(*other, install));
    let mut same_job = before.filter(|other| other.reach.who == install.reach.who);
    same_job.any(|other| other.is_pip() && !other.install.files.is_empty() && other.files.is_empty() && other.constraints.is_empty())
}

/// The projects that pip installs, those whose requirements alone it takes (`-r pyproject.toml`) too.
fn projects<'p>(project: &'p Project, install: &'p GateInstall) -> impl Iterator<Item = SourceId> {
    let is_project = |source: &SourceId| {
        project.facts_of(*source).manifests.iter().any(|manifest| manifest.kind == ManifestKind::Pyproject)
    };
    install.projects.iter().copied().chain(install.files.iter().copied().filter(is_project))
}

/// The lock of a project that pip does not know.
fn project_lock(project: &Project, source: SourceId) -> Option<&Lock> {
    let tools = [LockTool::Uv, LockTool::Poetry, LockTool::Pdm, LockTool::Pipenv, LockTool::Pylock];
    let folder = project.source(source).folder();
    let lock = project.lock_above(folder, &tools)?;
    // A lock above belongs to another project unless it says that this one is its member.
    let here = project.source(lock.at.source).folder() == folder;
    let name = project.facts_of(source).manifests.iter().find_map(|manifest| manifest.name.as_deref());
    let member = name.is_some_and(|name| lock.packages.iter().any(|package| package.name == name));
    (here || member).then_some(lock)
}

/// The file of all that a project needs, compiled from its manifest, when nothing in the job installs it.
fn compiled_lock<'p>(project: &'p Project, install: &GateInstall, source: SourceId) -> Option<&'p Lock> {
    let whole = |lock: SourceId| {
        let compiled = project.facts_of(lock).manifests.iter().find_map(|manifest| manifest.compiled.as_ref());
        // A file for one extra or group is not what the whole project is installed by.
        compiled.is_some_and(|compiled| {
            compiled.inputs.len() == 1
                && !compiled.command.as_deref().is_some_and(|command| ["--extra", "--group", "--only-group"].iter().any(|flag| command.contains(flag)))
        })
    };
    let same_job = |other: &&GateInstall| other.reach.who == install.reach.who;
    let used = |lock: SourceId| {
        let others = project.gate.installs.iter().filter(same_job);
        others.flat_map(|other| other.files.iter().chain(&other.constraints)).any(|&file| file == lock)
    };
    let states = project.locks.iter().filter(|state| state.manifest == Some(source));
    let mut locks = states.filter(|state| whole(state.lock) && !used(state.lock));
    locks.find_map(|state| project.facts_of(state.lock).locks.iter().find(|lock| lock.tool == LockTool::Compiled))
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
    let mut finding = Findings::finding(&RULE, kind, install.reach.at, message(project, &group[0]))
        .help(help(project, &group[0]))
        .about(install.reach.who.as_str(), lock.tool.name());
    if let LockInImage::Ignored(pattern) = install.lock_in_image {
        finding = finding.label(pattern, "this keeps the lock out of the image");
    }
    for case in group.iter().skip(1) {
        finding = finding.label(case.install.reach.at, "here too");
    }
    finding
}

fn message(project: &Project, case: &Case) -> String {
    let Case { kind, install, lock } = case;
    let (who, path) = (&install.reach.who, project.path(lock.at));
    match *kind {
        "absent" if matches!(install.lock_in_image, LockInImage::Ignored(_)) => {
            format!("{who} installs the project in an image that `{path}` never reaches, for `.dockerignore` leaves it out: each build resolves anew")
        }
        "absent" => format!("{who} installs the project in an image to which `{path}` was not copied before: each build resolves anew"),
        "ignored" => format!("{who} installs without looking at `{path}`: what it tests is not what the lock says"),
        "fresh" if install.remade => format!("{who} makes `{path}` anew before it installs by it: it would quietly change when it no longer fits; today it does"),
        _ if install.remade => format!("{who} makes `{path}` anew before it installs by it: a green run may have tested something else than the committed lock"),
        "fresh" => format!("{who} installs by `{path}` and would quietly change it when it no longer fits; today it does"),
        _ => format!("{who} installs by `{path}` and quietly changes it when it does not fit: a green run may have tested something else"),
    }
}

fn help(project: &Project, case: &Case) -> String {
    let Case { kind, install, lock } = case;
    let path = project.path(lock.at);
    let name = path.rsplit('/').next().unwrap_or(path);
    let text = match install.install.tool {
        _ if matches!(install.lock_in_image, LockInImage::Ignored(_)) && *kind == "absent" => {
            return format!("take `{name}` out of `.dockerignore` (or add `!{name}` at its end), so that the image is built by it");
        }
        _ if *kind == "absent" => return format!("copy it beside the manifest before the install (`COPY pyproject.toml {name} ./`)"),
        InstallTool::Pip | InstallTool::UvPip | InstallTool::PipSync if install.remade => {
            return format!("install the committed `{name}` as it is, and compile it in a patch of its own");
        }
        _ if install.remade => return format!("leave the command that makes `{name}` out of the job, so that a stale lock fails"),
        InstallTool::Uv => "add `--locked` (or set `UV_LOCKED: \"1\"` for the job), so that a stale lock fails",
        InstallTool::Pipenv => "use `pipenv install --deploy` or `pipenv sync`, so that a stale lock fails",
        InstallTool::Pdm => "use `pdm install --check` or `pdm sync`, so that a stale lock fails",
        InstallTool::Poetry => "leave what changes `poetry.lock` out of the job, so that a stale lock fails",
        InstallTool::Pixi => "add `--locked`, so that a stale lock fails",
        InstallTool::Conda => "install the lock (`conda-lock install`) instead of the environment file",
        _ => match lock.tool {
            LockTool::Uv => "install by the lock (`uv sync --locked`), or by constraints that are exported from it (`uv export`)",
            LockTool::Poetry => "install by the lock (`poetry sync`), or by constraints that are exported from it",
            LockTool::Compiled => return format!("install the lock first (`pip install -r {name}`) or give it as constraints (`-c {name}`)"),
            _ => "install by the lock, or by constraints that are exported from it",
        },
    };
    text.to_string()
}

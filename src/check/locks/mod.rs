//! How each lock stands to its manifest, told offline as the owning tool would tell it, and what locks say of references.
//! Reads no file format of a lock: facts are enough for that side. Manifests are parsed again, because tools hash their very text.

mod actions;
mod compiled;
mod conda;
mod hashes;
mod marker;
mod python_json;
mod satisfy;
mod stated;
mod uv;
mod whole;

use crate::ecosystems::pypi;
use crate::model::lock::{Hashed, Lock, LockTool, LockedPackage, Reason, Verdict};
use crate::model::pin::Strength;
use crate::model::project::{LockState, Project, Stray};
use crate::model::reference::{Ecosystem, Held, Origin, Reference, ReferenceId, Role};
use crate::model::source::{Source, join};
use crate::model::span::SourceId;
use foldhash::{HashMap, HashMapExt};
use rayon::prelude::*;
use std::collections::HashSet;

/// Every lock: its manifest, and whether the lock describes it. In order of paths.
pub fn states(project: &Project) -> Vec<LockState> {
    let locks: Vec<&Lock> = project.lock_files().collect();
    let judged = |lock: &&Lock| {
        let mut state = state(project, lock);
        unreadable(project, lock, &mut state);
        whole::check(project, lock, &mut state);
        state.strays = strays(project, lock, &state);
        state
    };
    let mut states: Vec<LockState> = locks.par_iter().map(judged).collect();
    states.sort_by(|a, b| project.source(a.lock).path.cmp(&project.source(b.lock).path));
    states
}

fn state(project: &Project, lock: &Lock) -> LockState {
    if !lock.known {
        let manifest = manifests(project, lock).first().copied();
        let format = if lock.format.is_empty() { "unnamed".to_string() } else { format!("`{}`", lock.format) };
        let why = Reason { text: format!("its format version ({format}) is not known here"), at: Some(lock.at) };
        return LockState {
            lock: lock.at.source,
            manifest,
            verdict: Verdict::Undecided(vec![why]),
            strays: Vec::new(),
        };
    }
    match lock.tool {
        LockTool::Uv => uv::state(project, lock),
        LockTool::Poetry | LockTool::Pdm | LockTool::Pipenv => hashes::state(project, lock),
        LockTool::Compiled | LockTool::Pylock => compiled::state(project, lock),
        LockTool::CondaLock | LockTool::Pixi => conda::state(project, lock),
        LockTool::Actions => actions::state(project, lock),
    }
}

/// A lock that was read in parts only is never fresh.
fn unreadable(project: &Project, lock: &Lock, state: &mut LockState) {
    if project.is_broken(lock.at.source) && state.verdict == Verdict::Fresh {
        let why = Reason { text: "a part of it cannot be read".to_string(), at: Some(lock.at) };
        state.verdict = Verdict::Undecided(vec![why]);
    }
}

/// Versions that the manifests do not allow, in a lock that is fresh by what it records.
fn strays(project: &Project, lock: &Lock, state: &LockState) -> Vec<Stray> {
    // The others are judged by their versions to begin with.
    let by_record = matches!(lock.tool, LockTool::Uv | LockTool::Poetry | LockTool::Pdm | LockTool::Pipenv);
    if state.verdict != Verdict::Fresh || !by_record {
        return Vec::new();
    }
    let packages = by_name(lock);
    let mut found: Vec<Stray> = Vec::new();
    let manifests = manifests(project, lock);
    // What the root of a workspace overrides holds for its members too.
    let all = || manifests.iter().flat_map(|&manifest| &project.facts_of(manifest).references);
    let overriding: HashSet<&str> =
        all().filter(|r| r.role == Role::Constraint).map(|r| r.subject.name.as_str()).collect();
    for &manifest in &manifests {
        let references = &project.facts_of(manifest).references;
        for (index, reference) in references.iter().enumerate() {
            let name = reference.subject.name.as_str();
            let asked = !matches!(reference.role, Role::Build | Role::Constraint | Role::Tool | Role::Python)
                && !is_elsewhere(reference);
            let plain = reference.origin == Origin::Registry && reference.marker.is_none();
            let Some(list) = packages.get(name).filter(|_| asked && plain && !overriding.contains(name)) else {
                continue;
            };
            let astray = list.iter().all(|package| !package.version.is_empty() && !satisfy::allows(reference, package));
            if astray && !found.iter().any(|old| old.name == name) {
                let (package, reference) = (list[0], ReferenceId { source: manifest, index: index as u32 });
                let (name, version) = (package.name.clone(), package.version.clone());
                found.push(Stray { reference, name, version, at: package.at });
            }
        }
    }
    found
}

/// Writes into every reference of a manifest what the lock beside it says: the version, and whether it is hashed.
///
/// A locked version that the manifest no longer allows holds nothing.
pub fn hold(project: &mut Project) {
    let mut found: Vec<(ReferenceId, Held)> = Vec::new();
    for lock in project.lock_files().filter(|lock| lock.known) {
        match lock.tool {
            LockTool::Actions => actions::held(project, lock, &mut found),
            _ => held(project, lock, &mut found),
        }
    }
    for (id, held) in found {
        let reference = &mut project.facts[id.source.0 as usize].references[id.index as usize];
        if reference.held.as_ref().is_none_or(|old| old.strength < held.strength) {
            reference.held = Some(held);
        }
    }
}

fn held(project: &Project, lock: &Lock, found: &mut Vec<(ReferenceId, Held)>) {
    let packages = by_name(lock);
    for manifest in manifests(project, lock) {
        for (index, reference) in project.facts_of(manifest).references.iter().enumerate() {
            let Some(package) = holder(reference, &packages) else { continue };
            let strength = match package.hashed {
                Hashed::All | Hashed::Some => Strength::Immutable,
                Hashed::None => Strength::Exact,
                Hashed::NotApplicable => continue,
            };
            let held = Held { lock: lock.at.source, version: package.version.clone(), strength };
            found.push((ReferenceId { source: manifest, index: index as u32 }, held));
        }
    }
}

/// Whether another tool installs it into an environment of its own, and reads no lock: hatch, tox.
fn is_elsewhere(reference: &Reference) -> bool {
    ["tool.hatch.", "tool.tox."].iter().any(|lead| reference.key.starts_with(lead))
}

/// The package that stands for a reference, when a lock of this kind holds references of this role.
fn holder<'l>(reference: &Reference, packages: &Packages<'l>) -> Option<&'l LockedPackage> {
    let python = matches!(reference.subject.ecosystem, Ecosystem::Pypi | Ecosystem::Conda);
    let locked = !matches!(reference.role, Role::Build | Role::Constraint | Role::Tool | Role::Python);
    if !python || !locked || is_elsewhere(reference) || matches!(reference.origin, Origin::Path(_) | Origin::Local) {
        return None;
    }
    let candidates = packages.get(reference.subject.name.as_str())?;
    candidates
        .iter()
        .copied()
        .filter(|package| !package.version.is_empty())
        .find(|package| satisfy::allows(reference, package))
}

/// Packages of a lock by name; one name can have several versions, for several markers or platforms.
type Packages<'l> = HashMap<&'l str, Vec<&'l LockedPackage>>;

fn by_name(lock: &Lock) -> Packages<'_> {
    let mut packages = Packages::new();
    for package in &lock.packages {
        packages.entry(&package.name).or_default().push(package);
    }
    packages
}

/// The manifests that a lock was made from, the main one first. None when they are not in the tree.
fn manifests(project: &Project, lock: &Lock) -> Vec<SourceId> {
    let source = project.source(lock.at.source);
    let beside = |name: &str| project.sources.find_from(source.folder(), name).map(|source| source.id);
    let found: Vec<Option<SourceId>> = match lock.tool {
        LockTool::Uv if source.file_name() != "uv.lock" => vec![beside(source.file_name().trim_end_matches(".lock"))],
        LockTool::Uv => {
            let paths = lock.statement.projects.iter().map(|stated| stated.path.as_str());
            let members = paths.map(|path| beside(&format!("{path}/pyproject.toml")));
            std::iter::once(beside("pyproject.toml")).chain(members).collect()
        }
        LockTool::Poetry | LockTool::Pdm => vec![beside("pyproject.toml")],
        LockTool::Pipenv => vec![beside("Pipfile")],
        LockTool::Pixi => vec![beside("pixi.toml"), beside("pyproject.toml")],
        LockTool::CondaLock => conda::sources(lock).map(beside).collect(),
        LockTool::Compiled | LockTool::Pylock => compiled::inputs(project, lock).into_iter().map(Some).collect(),
        LockTool::Actions => {
            lock.statement.members.iter().map(|path| project.sources.find(path).map(|s| s.id)).collect()
        }
    };
    let mut manifests: Vec<SourceId> = Vec::new();
    for id in found.into_iter().flatten().filter(|&id| id != lock.at.source) {
        if !manifests.contains(&id) {
            manifests.push(id);
        }
    }
    manifests
}

/// A reason without a place.
fn reason(text: impl Into<String>) -> Reason {
    Reason { text: text.into(), at: None }
}

fn verdict(stale: Vec<Reason>) -> Verdict {
    if stale.is_empty() { Verdict::Fresh } else { Verdict::Stale(stale) }
}

/// The verdict when the manifest that must be there is not.
fn orphan(lock: &Lock, name: &str) -> LockState {
    unknown(lock, format!("no `{name}` stands beside it, so there is nothing to compare it with"))
}

/// The verdict when there is no manifest to compare with, for this reason.
fn unknown(lock: &Lock, why: impl Into<String>) -> LockState {
    let why = reason(why);
    LockState { lock: lock.at.source, manifest: None, verdict: Verdict::Undecided(vec![why]), strays: Vec::new() }
}

/// The source at `path` as seen from the folder of another one.
fn from<'p>(project: &'p Project, source: &Source, path: &str) -> Option<&'p Source> {
    project.sources.find(&join(source.folder(), path)?)
}

/// Whether two names are one to Python's indexes.
fn same_name(a: &str, b: &str) -> bool {
    a == b || pypi::normalize(a) == pypi::normalize(b)
}

#[cfg(test)]
mod tests;

//! `actions.lock`: GitHub runs an onboarded workflow only if every action that it uses has an entry, and then runs the recorded
//! commit. Workflows that are not in the file are not held by it.

use crate::model::lock::{Hashed, Lock, Reason};
use crate::model::pin::Strength;
use crate::model::project::{LockState, Project};
use crate::model::reference::{Ecosystem, Held, Origin, Reference, ReferenceId, Role};
use crate::model::source::Source;
use std::collections::{HashMap, HashSet};

/// Fresh when every use in every onboarded workflow has an entry.
pub fn state(project: &Project, lock: &Lock) -> LockState {
    let entries: HashSet<(&str, &str)> =
        lock.statement.requires.iter().map(|(workflow, pin)| (workflow.as_str(), pin.as_str())).collect();
    let mut stale = Vec::new();
    for workflow in workflows(project, lock) {
        for reference in uses(project, workflow) {
            let Some(pin) = pin(reference) else { continue };
            if !entries.contains(&(workflow.path.as_str(), pin.as_str())) {
                let text = format!("`{pin}` is used by {} and has no entry for it", workflow.path);
                stale.push(Reason { text, at: Some(reference.site.whole) });
            }
        }
    }
    let manifest = workflows(project, lock).next().map(|source| source.id);
    LockState { lock: lock.at.source, manifest, verdict: super::verdict(stale), strays: Vec::new() }
}

/// What the lock holds in onboarded workflows.
pub fn held(project: &Project, lock: &Lock, found: &mut Vec<(ReferenceId, Held)>) {
    let commits: HashMap<&str, &str> = lock
        .packages
        .iter()
        .filter(|package| package.hashed == Hashed::All)
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    let entries: HashSet<(&str, &str)> =
        lock.statement.requires.iter().map(|(workflow, pin)| (workflow.as_str(), pin.as_str())).collect();
    for workflow in workflows(project, lock) {
        for (index, reference) in project.facts_of(workflow.id).references.iter().enumerate() {
            let Some(pin) = pin(reference).filter(|pin| entries.contains(&(workflow.path.as_str(), pin.as_str())))
            else {
                continue;
            };
            let Some(commit) = commits.get(pin.as_str()) else { continue };
            let held = Held { lock: lock.at.source, version: commit.to_string(), strength: Strength::Immutable };
            found.push((ReferenceId { source: workflow.id, index: index as u32 }, held));
        }
    }
}

fn workflows<'p>(project: &'p Project, lock: &'p Lock) -> impl Iterator<Item = &'p Source> {
    lock.statement.members.iter().filter_map(|path| project.sources.find(path))
}

fn uses<'p>(project: &'p Project, workflow: &Source) -> impl Iterator<Item = &'p Reference> {
    project.facts_of(workflow.id).references.iter()
}

/// The key of a use: `owner/repo@ref`, sub-paths left out, names in lower case. None for what needs no entry.
fn pin(reference: &Reference) -> Option<String> {
    let component =
        matches!(reference.role, Role::CiStep | Role::CiInclude) && reference.subject.ecosystem == Ecosystem::Git;
    if !component || matches!(reference.origin, Origin::Local | Origin::Path(_)) {
        return None;
    }
    let mut parts = reference.subject.name.split('/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    let git_ref = reference.pin.digests.first().or(reference.pin.version.as_ref())?;
    Some(format!("{}/{}@{git_ref}", owner.to_ascii_lowercase(), repository.to_ascii_lowercase()))
}

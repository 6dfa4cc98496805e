//! conda-lock and pixi: satisfaction decides, for their hashes need the channels' own data.

use super::{by_name, manifests, orphan, satisfy, unknown, verdict};
use crate::model::lock::{Lock, LockTool, Reason};
use crate::model::manifest::ManifestKind;
use crate::model::project::{LockState, Project};
use crate::model::reference::{Ecosystem, Origin, Reference, Role};

/// The files that a conda lock says it was made from.
pub fn sources(lock: &Lock) -> impl Iterator<Item = &str> {
    lock.statement.settings.iter().filter(|(key, _)| key == "source").map(|(_, path)| path.as_str())
}

/// How such a lock stands to its manifests.
pub fn state(project: &Project, lock: &Lock) -> LockState {
    let found = manifests(project, lock);
    let named = match lock.tool {
        LockTool::Pixi => "pixi.toml".to_string(),
        _ => match sources(lock).next() {
            Some(path) => path.to_string(),
            None => return unknown(lock, "an explicit list does not say what it was made from"),
        },
    };
    let kind = |kind: ManifestKind| lock.tool != LockTool::Pixi || kind == ManifestKind::Pixi;
    let fits = |id: &&crate::model::span::SourceId| {
        project.facts_of(**id).manifests.iter().any(|manifest| kind(manifest.kind))
    };
    let manifests: Vec<_> = found.iter().filter(fits).copied().collect();
    let Some(&manifest) = manifests.first() else { return orphan(lock, &named) };
    let packages = by_name(lock);
    let mut stale: Vec<Reason> = Vec::new();
    for &id in &manifests {
        let facts = project.facts_of(id);
        let entries =
            facts.manifests.iter().filter(|manifest| kind(manifest.kind)).flat_map(|manifest| &manifest.entries);
        let asked = entries.map(|entry| project.reference(entry.reference)).filter(|reference| is_locked(reference));
        stale.extend(satisfy::problems(asked, &packages));
    }
    LockState { lock: lock.at.source, manifest: Some(manifest), verdict: verdict(stale), strays: Vec::new() }
}

fn is_locked(reference: &Reference) -> bool {
    let ecosystem = matches!(reference.subject.ecosystem, Ecosystem::Conda | Ecosystem::Pypi);
    ecosystem
        && reference.origin == Origin::Registry
        && !matches!(reference.role, Role::Build | Role::Constraint | Role::Tool)
}

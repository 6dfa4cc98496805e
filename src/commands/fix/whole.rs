//! Requirements files that are resolved as a whole: what an installer of today would take for each line, given all the others.

use crate::commands::gather::Gathered;
use crate::commands::lookup::Registries;
use crate::model::knowledge::{Closed, Knowledge};
use crate::model::manifest::ManifestKind;
use crate::model::project::Project;
use crate::model::span::SourceId;
use crate::model::wish::Wishes;
use crate::plan::select;
use crate::resolve::file::{Asked, Form, Job};
use crate::world::clock;
use crate::world::registries::pypi::Named;
use std::collections::{BTreeMap, BTreeSet};

/// Resolves every requirements file of which a line is to be pinned. Needs a running runtime.
pub fn resolve(gathered: &Gathered, wishes: &Wishes, registries: &Registries, knowledge: &mut Knowledge) {
    for source in files(&gathered.project, wishes) {
        // The search waits for answers: it needs a thread of its own.
        let closed = tokio::task::block_in_place(|| closed(gathered, source, registries));
        knowledge.put_closed(source, closed);
    }
}

fn files(project: &Project, wishes: &Wishes) -> BTreeSet<SourceId> {
    let is_file = |source: &SourceId| {
        let manifests = &project.facts_of(*source).manifests;
        manifests
            .iter()
            .any(|manifest| matches!(manifest.kind, ManifestKind::Requirements | ManifestKind::RequirementsInput))
    };
    let whole = wishes.iter().map(|wish| wish.reference).filter(|id| select::needs_its_file(project.reference(*id)));
    whole.map(|id| id.source).filter(is_file).collect()
}

fn closed(gathered: &Gathered, source: SourceId, registries: &Registries) -> Closed {
    let project = &gathered.project;
    let path = project.source(source).path.clone();
    let asked = Asked {
        inputs: vec![path.clone()],
        universal: true,
        python: select::pythons(project).into_iter().next(),
        no_hashes: true,
        now: clock::now_millis(),
        ..Asked::default()
    };
    let read = |path: &str| project.sources.find(path).map(|source| source.text.clone());
    let job = Job::of("", None, &asked, Form::Requirements, &read).map_err(|mistakes| {
        let first = mistakes.first().map_or("its inputs cannot be read", |mistake| mistake.text.as_str());
        format!("it cannot be resolved as a whole: {first}")
    })?;
    let (default, extra, none) = job.indexes();
    let folder = gathered.root.folder.join(&job.folder);
    let pypi = registries.pypi(&Named { default, extra, none }, folder)?;
    let made = job.make(&pypi).map_err(|unsolved| {
        let first = unsolved.to_string();
        format!("it cannot be resolved as a whole: {}", first.lines().next().unwrap_or("no reason given"))
    })?;
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in &made.solution.packages {
        versions.entry(package.name.to_string()).or_default().push(package.version.to_string());
    }
    Ok(versions)
}

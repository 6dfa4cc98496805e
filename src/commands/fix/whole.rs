//! Requirements files that are resolved as a whole: what an installer of today would take for each line, given all the others.

use crate::commands::gather::Gathered;
use crate::commands::lookup::Registries;
use crate::model::knowledge::{Closed, ClosedRelease, Knowledge};
use crate::model::manifest::ManifestKind;
use crate::model::project::{GateInstall, Project};
use crate::model::reference::{Ecosystem, Origin, Reference, ReferenceId, Role};
use crate::model::span::SourceId;
use crate::model::wish::Wishes;
use crate::plan::select;
use crate::resolve::file::{Asked, Form, Job};
use crate::world::clock;
use crate::world::registries::pypi::Named;
use std::collections::{BTreeMap, BTreeSet};

/// Resolves every requirements file of which a line is to be pinned, and every command that installs several packages at once. Needs a
/// running runtime.
pub fn resolve(gathered: &Gathered, wishes: &Wishes, registries: &Registries, knowledge: &mut Knowledge) {
    for source in files(&gathered.project, wishes) {
        // The search waits for answers: it needs a thread of its own.
        let closed = tokio::task::block_in_place(|| closed(gathered, source, registries));
        knowledge.put_closed(source, closed);
    }
    for (ids, text) in commands(&gathered.project, wishes) {
        let closed = tokio::task::block_in_place(|| resolved(gathered, COMMAND, Some(&text), registries));
        for id in ids {
            knowledge.put_together(gathered.project.reference(id).site.whole, closed.clone());
        }
    }
}

/// The name of the input that stands for a command; no file has it.
const COMMAND: &str = "<command>";

/// Commands that install several things at once, of which one is to be pinned: their packages, and all of it as a requirements file.
fn commands(project: &Project, wishes: &Wishes) -> BTreeMap<Vec<ReferenceId>, String> {
    let mut commands = BTreeMap::new();
    for wish in wishes.iter() {
        let reference = project.reference(wish.reference);
        if reference.role != Role::Install || reference.subject.ecosystem != Ecosystem::Pypi {
            continue;
        }
        let holds = |install: &&GateInstall| install.install.references.contains(&wish.reference);
        let Some(install) = project.gate.installs.iter().find(holds) else { continue };
        let ids = &install.install.references;
        if ids.len() + install.files.len() > 1 && !install.install.no_deps {
            commands.entry(ids.clone()).or_insert_with(|| requirements(project, install));
        }
    }
    commands
}

fn requirements(project: &Project, install: &GateInstall) -> String {
    let of_index = |reference: &&Reference| reference.origin == Origin::Registry;
    let references = install.install.references.iter().map(|id| project.reference(*id)).filter(of_index);
    let mut text: String = references
        .map(|one| {
            let extras = if one.extras.is_empty() { String::new() } else { format!("[{}]", one.extras.join(",")) };
            let marker = one.marker.as_ref().map_or(String::new(), |marker| format!(" ; {marker}"));
            format!("{}{extras}{}{marker}\n", one.subject.name, one.pin.version.as_deref().unwrap_or(""))
        })
        .collect();
    for (flag, files) in [("-r", &install.files), ("-c", &install.constraints)] {
        files.iter().for_each(|file| text.push_str(&format!("{flag} {}\n", project.source(*file).path)));
    }
    text
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
    resolved(gathered, &gathered.project.source(source).path, None, registries)
}

/// The closed set of an input; `text` is what it says where it is no file.
fn resolved(gathered: &Gathered, input: &str, text: Option<&str>, registries: &Registries) -> Closed {
    let project = &gathered.project;
    let asked = Asked {
        inputs: vec![input.to_string()],
        universal: true,
        python: select::pythons(project).into_iter().next(),
        no_hashes: true,
        now: clock::now_millis(),
        ..Asked::default()
    };
    let of_file = |path: &str| project.sources.find(path).map(|source| source.text.clone());
    let read = |path: &str| text.filter(|_| path == input).map(str::to_string).or_else(|| of_file(path));
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
    let mut releases: BTreeMap<String, Vec<ClosedRelease>> = BTreeMap::new();
    for package in &made.solution.packages {
        let one = ClosedRelease { version: package.version.to_string(), hashes: package.hashes.clone() };
        releases.entry(package.name.to_string()).or_default().push(one);
    }
    Ok(releases)
}

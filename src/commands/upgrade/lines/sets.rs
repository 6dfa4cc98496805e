//! Which requirements files are installed as one, and the lines in them. Resolves nothing.

use super::{Lines, Wanted, newer};
use crate::model::manifest::ManifestKind;
use crate::model::reference::{Origin, Reference, ReferenceId};
use crate::model::source::join;
use crate::model::span::SourceId;
use std::collections::{BTreeMap, BTreeSet};

impl Lines<'_> {
    /// The files that are installed as one and reach a raised line: the outermost ones.
    pub(super) fn sets(&self, raise: &Wanted) -> Vec<SourceId> {
        let mut above: BTreeMap<SourceId, BTreeSet<SourceId>> = BTreeMap::new();
        for (file, included) in self.includes() {
            above.entry(included).or_default().insert(file);
        }
        let mut sets = BTreeSet::new();
        for source in raise.keys().map(|id| id.source).collect::<BTreeSet<_>>() {
            let (mut open, mut seen) = (vec![source], BTreeSet::new());
            while let Some(file) = open.pop() {
                if !seen.insert(file) {
                    continue;
                }
                match above.get(&file).filter(|above| above.iter().any(|one| !seen.contains(one))) {
                    Some(above) => open.extend(above),
                    None => drop(sets.insert(file)),
                }
            }
        }
        let limits = |id: &SourceId| {
            self.project.facts_of(*id).manifests.iter().any(|manifest| manifest.kind == ManifestKind::Constraints)
        };
        sets.into_iter().filter(|id| !limits(id)).collect()
    }

    /// Every file that a file reads, itself first.
    pub(super) fn files_of(&self, set: SourceId) -> Vec<SourceId> {
        let includes = self.includes();
        let mut files = vec![set];
        let mut at = 0;
        while let Some(file) = files.get(at).copied() {
            for (_, included) in includes.iter().filter(|(from, _)| *from == file) {
                if !files.contains(included) {
                    files.push(*included);
                }
            }
            at += 1;
        }
        files
    }

    pub(super) fn includes(&self) -> Vec<(SourceId, SourceId)> {
        let mut pairs = Vec::new();
        for manifest in self.project.manifests() {
            let from = manifest.at.source;
            let folder = self.project.source(from).folder();
            for include in &manifest.includes {
                let path = join(folder, &include.path.text);
                pairs.extend(path.and_then(|path| Some((from, self.project.sources.find(&path)?.id))));
            }
        }
        pairs
    }

    /// Lines of an index with one exact version, and that version.
    pub(super) fn exact_lines(&self, files: &[SourceId]) -> Vec<(ReferenceId, &Reference, String)> {
        let of_index = |(id, reference): &(ReferenceId, &Reference)| {
            files.contains(&id.source) && reference.origin == Origin::Registry && reference.site.version.is_some()
        };
        let references = self.project.references().filter(of_index);
        references.filter_map(|(id, one)| Some((id, one, newer::exact(one.pin.version.as_deref()?)?))).collect()
    }
}

//! Requirements files whose lines nobody makes: which they are, and which files are made from something that is not there. Asks nobody.

use crate::model::change::Why;
use crate::model::manifest::{Compiled, Manifest, ManifestKind};
use crate::model::project::Project;
use crate::model::reference::ReferenceId;
use crate::model::span::SourceId;

/// Whether the lines of a file are raised by editing them: a requirements file that no tool makes from another file.
pub fn are_own(project: &Project, source: SourceId) -> bool {
    files(project).any(|manifest| manifest.at.source == source && manifest.compiled.as_ref().is_none_or(is_nameless))
}

/// Files that a tool makes from something that the repository does not have, each by its first requirement: nothing here can move them.
pub fn orphans(project: &Project) -> Vec<(ReferenceId, Why)> {
    let mut orphans = Vec::new();
    for manifest in files(project) {
        let Some(compiled) = manifest.compiled.as_ref().filter(|compiled| !is_nameless(compiled)) else { continue };
        let source = manifest.at.source;
        let held = |(_, reference): (_, &crate::model::reference::Reference)| {
            reference.held.as_ref().is_some_and(|held| held.lock == source)
        };
        let Some(first) = manifest.entries.first().filter(|_| !project.references().any(held)) else { continue };
        let from = match &compiled.inputs[..] {
            [] => "from something that it does not name".to_string(),
            inputs => format!("from {}, which is not here or holds nothing", inputs.join(", ")),
        };
        let path = &project.source(source).path;
        let text = format!("{path} was made by `{}` {from}: make it anew there", compiled.by);
        orphans.push((first.reference, Why::NeedsResolution(text)));
    }
    orphans
}

fn files(project: &Project) -> impl Iterator<Item = &Manifest> {
    const KINDS: [ManifestKind; 3] =
        [ManifestKind::Requirements, ManifestKind::RequirementsInput, ManifestKind::Constraints];
    project.manifests().filter(|manifest| KINDS.contains(&manifest.kind))
}

/// Notes such as `# via x` without a header: somebody compiled it once, and nothing says from what.
fn is_nameless(compiled: &Compiled) -> bool {
    compiled.by == "pip-compile" && compiled.command.is_none() && compiled.inputs.is_empty()
}

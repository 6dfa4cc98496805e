//! Who is a member of a workspace. Knows folders and globs, no lock.

use crate::model::project::Project;
use crate::model::source::{Source, join};
use crate::syntax::toml;
use crate::syntax::tree::Node;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// The manifest of the workspace around this one that names its folder as a member.
pub fn outer<'p>(project: &'p Project, manifest: &Source) -> Option<&'p Source> {
    let mut folder = manifest.folder();
    while !folder.is_empty() {
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        let Some(found) = join(folder, "pyproject.toml").and_then(|path| project.sources.find(&path)) else { continue };
        let tree = toml::parse(found.id, &found.text);
        let Some(workspace) = tree.root().and_then(|root| root.path(&["tool", "uv", "workspace"])) else { continue };
        let texts = |key: &str| -> Vec<&str> {
            workspace.get(key).into_iter().flat_map(|list| list.items()).filter_map(Node::str).collect()
        };
        let members = members(project, folder, &texts("members"), &texts("exclude"));
        if members.iter().any(|(_, source)| source.id == manifest.id) {
            return Some(found);
        }
    }
    None
}

/// Folders and manifests of a workspace's members, in order of paths: `patterns` are globs of folders below `folder`.
pub fn members<'p>(
    project: &'p Project,
    folder: &str,
    patterns: &[&str],
    excludes: &[&str],
) -> Vec<(String, &'p Source)> {
    let (wanted, unwanted) = (globs(patterns), globs(excludes));
    let mut found: Vec<(String, &Source)> = Vec::new();
    for source in project.sources.iter().filter(|source| source.file_name() == "pyproject.toml") {
        let Some(path) = below(folder, source.folder()) else { continue };
        if !path.is_empty() && wanted.is_match(path) && !unwanted.is_match(path) {
            found.push((path.to_string(), source));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn globs(patterns: &[&str]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// `path` as seen from `folder`, when it is in it.
fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder).and_then(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix('/') })
}

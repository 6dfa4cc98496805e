//! What a solved part holds: the versions that were picked, and who needs whom.

use super::branch::Branch;
use super::package::{Node, Pkg};
use crate::resolve::listing::File;
use crate::resolve::marker::Marker;
use crate::resolve::requirement::Name;
use pep440_rs::Version;
use std::collections::HashMap;
use std::sync::Arc;

/// A solved part of the environments.
#[derive(Debug)]
pub struct Part {
    /// The part.
    pub marker: Marker,
    /// What was picked.
    pub picked: Vec<Picked>,
    /// Who needs whom.
    pub edges: Vec<Edge>,
}

/// A picked version, or an extra of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The project.
    pub name: Name,
    /// The extra.
    pub extra: Option<Name>,
    /// The version.
    pub version: Version,
    /// The file that speaks for it, when it is from an index.
    pub file: Option<Arc<FileRef>>,
    /// The URL, when it is not.
    pub direct: Option<Arc<str>>,
}

/// A file, compared by its address.
#[derive(Debug, Clone)]
pub struct FileRef(pub Arc<File>);

impl PartialEq for FileRef {
    fn eq(&self, other: &FileRef) -> bool {
        self.0.url == other.0.url
    }
}

impl Eq for FileRef {}

/// A need between two picked versions; `from` is `None` for the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Who needs.
    pub from: Option<(Name, Option<Name>, Version)>,
    /// What is needed.
    pub to: (Name, Option<Name>, Version),
    /// Where.
    pub marker: Marker,
}

impl Branch {
    /// Reads the solution out of a solved branch.
    pub(super) fn into_part(self) -> Part {
        let solution: HashMap<_, _> = self.state.partial_solution.extract_solution().collect();
        let mut edges = Vec::new();
        for (&id, version) in &solution {
            let from = match &*self.state.package_store[id] {
                Node::Real { name, extra, .. } => Some((name.clone(), extra.clone(), version.clone())),
                Node::Root => None,
                _ => continue,
            };
            for need in self.state.dependencies(id).filter(|need| need.dependent == id) {
                let Some(found) = solution.get(&need.dependency) else { continue };
                let fits = need.dependent_versions.contains(version)
                    && need.dependency_versions.is_some_and(|versions| versions.contains(found));
                if fits {
                    add_edges(&mut edges, from.as_ref(), &self.state.package_store[need.dependency], found);
                }
            }
        }
        let mut picked = Vec::new();
        for (&id, version) in &solution {
            let Node::Real { name, extra, marker } = &*self.state.package_store[id] else { continue };
            if !marker.is_always() {
                continue;
            }
            let direct = self.direct.get(name).cloned();
            let file = self.picked.get(&(name.clone(), version.clone())).filter(|_| direct.is_none());
            let file = file.map(|file| Arc::new(FileRef(file.clone())));
            picked.push(Picked { name: name.clone(), extra: extra.clone(), version: version.clone(), file, direct });
        }
        picked.sort_by(|a, b| (&a.name, &a.extra).cmp(&(&b.name, &b.extra)));
        Part { marker: self.environment.marker(), picked, edges }
    }
}

fn add_edges(edges: &mut Vec<Edge>, from: Option<&(Name, Option<Name>, Version)>, to: &Pkg, version: &Version) {
    let own = |name: &Name| from.is_some_and(|(from, ..)| from == name);
    let mut add = |name: &Name, extra: Option<&Name>, marker: &Marker| {
        let to = (name.clone(), extra.cloned(), version.clone());
        edges.push(Edge { from: from.cloned(), to, marker: marker.clone() });
    };
    match &**to {
        // A project that needs itself adds nothing.
        Node::Real { name, marker, .. } | Node::Marked { name, marker } if !own(name) => add(name, None, marker),
        Node::Extra { name, extra, marker } => {
            add(name, Some(extra), marker);
            add(name, None, marker);
        }
        _ => {}
    }
}

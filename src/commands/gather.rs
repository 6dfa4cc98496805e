//! From paths to projects: roots, sources, facts. Shared by the commands that read a tree.

use crate::check;
use crate::formats::{self, Claim};
use crate::model::policy::Policy;
use crate::model::project::Project;
use crate::world::disk::{self, Root, Wanted};
use std::io;
use std::path::PathBuf;

/// A root and its project.
pub struct Gathered {
    /// Where it is and which part of it was asked for.
    pub root: Root,
    /// What was read.
    pub project: Project,
}

struct Files;

impl Wanted for Files {
    fn wants(&self, path: &str) -> bool {
        formats::claim(path) != Claim::No
    }

    fn excludes(&self, _path: &str) -> bool {
        false
    }
}

/// Reads the projects of `paths`.
pub fn gather(paths: &[PathBuf]) -> io::Result<Vec<Gathered>> {
    let roots = disk::roots(paths)?;
    let read = |root: Root| {
        let discovered = disk::discover(&root, &Files);
        let project = check::read(discovered.sources, discovered.unreadable, Policy::default());
        Gathered { root, project }
    };
    Ok(roots.into_iter().map(read).collect())
}

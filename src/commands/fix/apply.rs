//! A patch onto the files of a work tree: each file as a whole or not at all, and never over somebody's unsaved work.

use super::Draft;
use crate::commands::gather::Gathered;
use crate::model::edit::Patch;
use crate::model::span::SourceId;
use crate::report::fixes::{Done, Left, Shown};
use crate::world::disk;
use crate::world::worktree::{self, Standing};
use std::io;

/// What was written, and what was left.
#[derive(Debug, Default)]
pub struct Written {
    /// What was changed.
    pub done: Vec<Done>,
    /// What is left.
    pub left: Vec<Left>,
    /// The patch, without the files that were left alone.
    pub patch: Patch,
}

/// What happens to files with unstaged changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dirty {
    /// They are left alone.
    Refused,
    /// They are changed too.
    Allowed,
}

/// Whether files are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Write,
    /// Nothing is written.
    Dry,
}

/// Writes the files of a draft.
pub fn write(gathered: &Gathered, draft: Draft, dirty: Dirty, mode: Mode) -> io::Result<Written> {
    let project = &gathered.project;
    let sources = draft.patch.sources();
    let paths: Vec<&str> = sources.iter().map(|&id| project.source(id).path.as_str()).collect();
    let standing = worktree::standing(&gathered.root.folder, &paths);
    let mut refused: Vec<(SourceId, &str)> = Vec::new();
    for (&source, standing) in sources.iter().zip(standing) {
        let why = match standing {
            Standing::Unstaged if dirty == Dirty::Refused => {
                "the file has unstaged changes: stage or commit them, or use --allow-dirty"
            }
            Standing::Refused if dirty == Dirty::Refused => {
                "git refuses to read this repository (see safe.directory in git's manual), so unstaged changes cannot be told; use --allow-dirty"
            }
            _ => continue,
        };
        refused.push((source, why));
    }
    let mut written = Written { left: draft.left, ..Written::default() };
    let folder = &gathered.root.folder;
    for &source in &sources {
        if refused.iter().any(|(id, _)| *id == source) {
            continue;
        }
        let (path, text) = (&project.source(source).path, &project.source(source).text);
        let full = disk::resolved(&folder.join(path))?;
        if mode == Mode::Write {
            if disk::read_named(&full)? != *text {
                refused.push((source, "the file was changed by somebody else meanwhile; run again"));
                continue;
            }
            disk::write_whole(&full, draft.patch.apply(source, text).as_bytes())?;
        }
    }
    for source in sources.iter().filter(|source| !refused.iter().any(|(id, _)| id == *source)) {
        // One source at a time keeps what is disjoint disjoint.
        let _ = written.patch.merge(draft.patch.of(*source).cloned().collect());
    }
    for (at, done) in draft.done {
        match refused.iter().find(|(id, _)| *id == at.source) {
            None => written.done.push(done),
            Some((_, why)) => {
                let Done { path, line, rules, name, .. } = done;
                written.left.push(Left { path, line, rules, name, reason: Shown::new(why) });
            }
        }
    }
    written.left.sort();
    Ok(written)
}

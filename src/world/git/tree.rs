//! Commits as objects: what a commit holds, and a commit on top of another.

use super::scratch::Scratch;
use super::{failed, object};
use crate::world::failure::Failure;
use git2::{FileMode, ObjectType, Oid, TreeWalkMode, TreeWalkResult};
use std::collections::BTreeMap;

/// The trailer by which a run knows its own commits.
const TRAILER: &str = "Pinguard: ";

/// What a path of a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that can be run.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
    /// Another repository.
    Module,
}

/// A path of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// The object with its content.
    pub id: Oid,
}

/// Who writes commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

/// Who made a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A run of pinguard, and nobody changed it since.
    Ours,
    /// Somebody else, or somebody changed ours.
    Foreign,
}

impl Scratch {
    /// Whether a commit is here, with its tree.
    pub fn has(&self, commit: Oid) -> bool {
        self.git.find_commit(commit).is_ok_and(|commit| commit.tree().is_ok())
    }

    /// Every file, link and module of a commit, by path.
    pub fn entries(&self, commit: Oid) -> Result<Vec<Entry>, Failure> {
        let tree = self.tree(commit)?;
        let mut found = Vec::new();
        let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let kind = match entry.filemode() {
                0o120000 => EntryKind::Link,
                0o160000 => EntryKind::Module,
                0o100755 => EntryKind::Executable,
                _ => EntryKind::File,
            };
            // A path that is no text is read by no format and stays as it is.
            if let (Ok(name), true) = (entry.name(), entry.kind() != Some(ObjectType::Tree)) {
                found.push(Entry { path: format!("{folder}{name}"), kind, id: entry.id() });
            }
            TreeWalkResult::Ok
        });
        walked.map_err(|error| object(&error))?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The content of an entry.
    pub fn content(&self, id: Oid) -> Result<Vec<u8>, Failure> {
        Ok(self.git.find_blob(id).map_err(|error| object(&error))?.content().to_vec())
    }

    /// How many bytes an entry has, without reading it.
    pub fn size(&self, id: Oid) -> u64 {
        let header = self.git.odb().and_then(|odb| odb.read_header(id));
        header.map_or(0, |(size, _)| size as u64)
    }

    /// One commit on top of `base` with these files instead of those there. `None`: nothing differs.
    ///
    /// It depends on nothing but its arguments: its dates are the base's, so the same input gives the same commit.
    pub fn commit(
        &self,
        base: Oid,
        files: &BTreeMap<String, Vec<u8>>,
        message: &str,
        author: &Author,
    ) -> Result<Option<Oid>, Failure> {
        let parent = self.git.find_commit(base).map_err(|error| object(&error))?;
        let old = self.tree(base)?;
        let mut builder = git2::build::TreeUpdateBuilder::new();
        for (path, bytes) in files {
            let blob = self.git.blob(bytes).map_err(|error| object(&error))?;
            let mode = old.get_path(path.as_ref()).map_or(FileMode::Blob, |entry| match entry.filemode() {
                0o100755 => FileMode::BlobExecutable,
                _ => FileMode::Blob,
            });
            builder.upsert(path.as_str(), blob, mode);
        }
        let tree = builder.create_updated(&self.git, &old).map_err(|error| object(&error))?;
        if tree == old.id() {
            return Ok(None);
        }
        let tree = self.git.find_tree(tree).map_err(|error| object(&error))?;
        let message = format!("{}\n\n{TRAILER}base={base} tree={}\n", message.trim_end(), tree.id());
        let who = git2::Signature::new(&author.name, &author.email, &parent.committer().when());
        let who = who.map_err(|error| {
            failed(
                format!("cannot use the author ({})", error.message()),
                "write `[upgrade] author` as \"Name <address>\"",
            )
        })?;
        let commit = self.git.commit(None, &who, &who, &message, &tree, &[&parent]);
        Ok(Some(commit.map_err(|error| object(&error))?))
    }

    /// Who made a commit. Ours say in their last line what they hold and what they stand on; any change makes that false.
    pub fn origin(&self, commit: Oid) -> Result<Origin, Failure> {
        let commit = self.git.find_commit(commit).map_err(|error| object(&error))?;
        let said = commit.message().ok().and_then(|text| text.trim_end().lines().last()?.strip_prefix(TRAILER));
        let parents: Vec<Oid> = commit.parent_ids().collect();
        let is = match parents.as_slice() {
            [parent] => format!("base={parent} tree={}", commit.tree_id()),
            _ => return Ok(Origin::Foreign),
        };
        Ok(if said == Some(is.as_str()) { Origin::Ours } else { Origin::Foreign })
    }

    fn tree(&self, commit: Oid) -> Result<git2::Tree<'_>, Failure> {
        let commit = self.git.find_commit(commit).map_err(|error| object(&error))?;
        commit.tree().map_err(|error| object(&error))
    }
}

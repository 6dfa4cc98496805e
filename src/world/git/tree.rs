//! Commits as objects: what a commit holds, and a commit on top of another.

use super::scratch::Scratch;
use super::{Local, failed, object};
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
        self.git().find_commit(commit).is_ok_and(|commit| commit.tree().is_ok())
    }

    /// Every file, link and module of a commit, by path.
    pub fn entries(&self, commit: Oid) -> Result<Vec<Entry>, Failure> {
        let git = self.git();
        let commit = git.find_commit(commit).map_err(|error| object(&error))?;
        let tree = commit.tree().map_err(|error| object(&error))?;
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
        Ok(self.git().find_blob(id).map_err(|error| object(&error))?.content().to_vec())
    }

    /// How many bytes an entry has, without reading it.
    pub fn size(&self, id: Oid) -> u64 {
        let header = self.git().odb().and_then(|odb| odb.read_header(id));
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
        commit_on(&self.git(), base, files, message, author)
    }

    /// A commit without a parent that holds one file.
    pub fn record(
        &self,
        file: &str,
        bytes: &[u8],
        message: &str,
        author: &Author,
        now: jiff::Timestamp,
    ) -> Result<Oid, Failure> {
        let git = self.git();
        let write = || {
            let mut builder = git.treebuilder(None)?;
            builder.insert(file, git.blob(bytes)?, 0o100644)?;
            let tree = git.find_tree(builder.write()?)?;
            let who = git2::Signature::new(&author.name, &author.email, &git2::Time::new(now.as_second(), 0))?;
            git.commit(None, &who, &who, message, &tree, &[])
        };
        write().map_err(|error: git2::Error| object(&error))
    }

    /// What a commit changes against another one, as a patch.
    pub fn patch(&self, from: Oid, to: Oid) -> Result<String, Failure> {
        let git = self.git();
        let write = || {
            let (from, to) = (git.find_commit(from)?.tree()?, git.find_commit(to)?.tree()?);
            let diff = git.diff_tree_to_tree(Some(&from), Some(&to), None)?;
            let mut text = String::new();
            diff.print(git2::DiffFormat::Patch, |_, _, line| {
                if matches!(line.origin(), '+' | '-' | ' ') {
                    text.push(line.origin());
                }
                text.push_str(&String::from_utf8_lossy(line.content()));
                true
            })?;
            Ok(text)
        };
        write().map_err(|error: git2::Error| object(&error))
    }

    /// Who made a commit. Ours say in their last line what they hold and what they stand on; any change makes that false.
    pub fn origin(&self, commit: Oid) -> Result<Origin, Failure> {
        origin_on(&self.git(), commit)
    }
}

/// The commit of [`Scratch::commit`] in any repository.
fn commit_on(
    git: &git2::Repository,
    base: Oid,
    files: &BTreeMap<String, Vec<u8>>,
    message: &str,
    author: &Author,
) -> Result<Option<Oid>, Failure> {
    let parent = git.find_commit(base).map_err(|error| object(&error))?;
    let old = parent.tree().map_err(|error| object(&error))?;
    let mut builder = git2::build::TreeUpdateBuilder::new();
    for (path, bytes) in files {
        let blob = git.blob(bytes).map_err(|error| object(&error))?;
        let mode = old.get_path(path.as_ref()).map_or(FileMode::Blob, |entry| match entry.filemode() {
            0o100755 => FileMode::BlobExecutable,
            _ => FileMode::Blob,
        });
        builder.upsert(path.as_str(), blob, mode);
    }
    let tree = builder.create_updated(git, &old).map_err(|error| object(&error))?;
    if tree == old.id() {
        return Ok(None);
    }
    let tree = git.find_tree(tree).map_err(|error| object(&error))?;
    let message = format!("{}\n\n{TRAILER}base={base} tree={}\n", message.trim_end(), tree.id());
    let who = git2::Signature::new(&author.name, &author.email, &parent.committer().when());
    let who = who.map_err(|error| {
        failed(format!("cannot use the author ({})", error.message()), "write `[upgrade] author` as \"Name <address>\"")
    })?;
    let commit = git.commit(None, &who, &who, &message, &tree, &[&parent]);
    Ok(Some(commit.map_err(|error| object(&error))?))
}

fn origin_on(git: &git2::Repository, commit: Oid) -> Result<Origin, Failure> {
    let commit = git.find_commit(commit).map_err(|error| object(&error))?;
    let said = commit.message().ok().and_then(|text| text.trim_end().lines().last()?.strip_prefix(TRAILER));
    let parents: Vec<Oid> = commit.parent_ids().collect();
    let is = match parents.as_slice() {
        [parent] => format!("base={parent} tree={}", commit.tree_id()),
        _ => return Ok(Origin::Foreign),
    };
    Ok(if said == Some(is.as_str()) { Origin::Ours } else { Origin::Foreign })
}

impl Local {
    /// Makes or moves a branch of the user's own repository to the commit of [`Scratch::commit`]. `None`: somebody else's commits are on
    /// it, or it is checked out, and it stays.
    pub fn branch(
        &self,
        name: &str,
        base: Oid,
        files: &BTreeMap<String, Vec<u8>>,
        message: &str,
        author: &Author,
    ) -> Result<Option<Oid>, Failure> {
        if self.git.find_commit(base).is_err() {
            return Err(failed("has the base commit on the remote only", "git fetch, then run again"));
        }
        let full = format!("refs/heads/{name}");
        let there = self.git.refname_to_id(&full).ok();
        let is_foreign = there.is_some_and(|there| origin_on(&self.git, there) != Ok(Origin::Ours));
        if is_foreign || self.current_branch().as_deref() == Some(name) {
            return Ok(None);
        }
        let Some(commit) = commit_on(&self.git, base, files, message, author)? else { return Ok(None) };
        if there == Some(commit) {
            return Ok(Some(commit));
        }
        let set = || match there {
            Some(there) => self.git.reference_matching(&full, commit, true, there, "pinguard upgrade"),
            None => self.git.reference(&full, commit, false, "pinguard upgrade"),
        };
        let mut done = set();
        if done.as_ref().is_err_and(|error| error.code() == git2::ErrorCode::Locked) {
            // Nobody but a run of ours writes below the prefix, for a moment only: an older lock is that of a run that was killed.
            std::thread::sleep(std::time::Duration::from_secs(2));
            super::scratch::remove_stale(&self.git.commondir().join(format!("{full}.lock")));
            done = set();
        }
        done.map(|_| Some(commit)).map_err(|error| object(&error))
    }
}

//! What is committed: the texts of a revision, its submodules, and which files differ between two. Changes nothing and decides nothing.

use super::disk::{MAX_BYTES, Wanted};
use git2::{DiffOptions, ErrorCode, ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};
use std::io;
use std::path::Path;

/// How many changed files are compared line by line.
const COMPARED: usize = 2_000;

/// How many commits are asked for their authors: more are no patch.
const COMMITS: usize = 1_000;

/// The repository of a folder.
pub struct Revisions {
    git: Repository,
}

/// A commit by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(Oid);

impl Revisions {
    /// Opens the repository around a folder: a clone, a work tree of one, or a submodule.
    pub fn open(folder: &Path) -> io::Result<Revisions> {
        let git = Repository::discover(folder).map_err(|error| {
            let next = match error.code() {
                ErrorCode::Owner => format!(
                    "it belongs to another user: `git config --global --add safe.directory {}`",
                    folder.display()
                ),
                _ => "`diff` compares revisions of git".to_string(),
            };
            wrong(format!("{} is no repository that git can read; {next}", folder.display()))
        })?;
        Ok(Revisions { git })
    }

    /// The commit that a name stands for.
    pub fn find(&self, name: &str) -> io::Result<Revision> {
        let commit = self.git.revparse_single(name).and_then(|object| object.peel_to_commit());
        commit.map(|commit| Revision(commit.id())).map_err(|_| self.missing(name))
    }

    /// The newest commit that two have in common.
    pub fn common(&self, one: Revision, other: Revision) -> io::Result<Revision> {
        self.git.merge_base(one.0, other.0).map(Revision).map_err(|_| self.missing("a common commit"))
    }

    fn missing(&self, name: &str) -> io::Error {
        let next = if self.git.is_shallow() {
            "this clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0` of actions/checkout)".to_string()
        } else {
            format!("fetch it: `git fetch origin {name}`")
        };
        wrong(format!("`{name}` is not in this clone; {next}"))
    }

    /// The texts of a revision that somebody wants, by path.
    pub fn texts(&self, revision: Revision, wanted: &dyn Wanted) -> io::Result<Vec<(String, String)>> {
        let mut found: Vec<(String, Oid)> = Vec::new();
        self.walk(revision, |path, kind, mode, id| {
            let is_link = mode == 0o120_000;
            if wanted.excludes(&path) {
                return TreeWalkResult::Skip;
            }
            if kind == ObjectType::Blob && !is_link && wanted.wants(&path) {
                found.push((path, id));
            }
            TreeWalkResult::Ok
        })?;
        let mut texts = Vec::with_capacity(found.len());
        for (path, id) in found {
            let blob = self.git.find_blob(id).map_err(|error| broken(&error))?;
            // What is no text is no text on the other side either, where reading says so.
            if let Some(text) = std::str::from_utf8(blob.content()).ok().filter(|text| text.len() as u64 <= MAX_BYTES) {
                texts.push((path, text.to_string()));
            }
        }
        Ok(texts)
    }

    /// The submodules of a revision: path and commit. Without a revision those of the work tree.
    pub fn submodules(&self, revision: Option<Revision>) -> io::Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        match revision {
            Some(revision) => self.walk(revision, |path, kind, _, id| {
                if kind == ObjectType::Commit {
                    found.push((path, id.to_string()));
                }
                TreeWalkResult::Ok
            })?,
            None => {
                for module in self.git.submodules().map_err(|error| broken(&error))? {
                    let id = module.workdir_id().or_else(|| module.index_id());
                    found.extend(id.map(|id| (module.path().to_string_lossy().replace('\\', "/"), id.to_string())));
                }
            }
        }
        Ok(found)
    }

    /// Files that differ in more than white space. Without `head`, the work tree is the newer side.
    pub fn changed(&self, base: Revision, head: Option<Revision>) -> io::Result<Vec<String>> {
        let tree = |revision: Revision| {
            self.git.find_commit(revision.0).and_then(|commit| commit.tree()).map_err(|error| broken(&error))
        };
        let mut options = DiffOptions::new();
        options
            .ignore_whitespace(true)
            .ignore_blank_lines(true)
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .context_lines(0);
        let base = tree(base)?;
        let diff = match head {
            Some(head) => self.git.diff_tree_to_tree(Some(&base), Some(&tree(head)?), Some(&mut options)),
            None => self.git.diff_tree_to_workdir_with_index(Some(&base), Some(&mut options)),
        }
        .map_err(|error| broken(&error))?;
        let mut paths = Vec::new();
        for (index, delta) in diff.deltas().enumerate() {
            let Some(path) = delta.new_file().path().or_else(|| delta.old_file().path()) else { continue };
            let patch = if index < COMPARED { git2::Patch::from_diff(&diff, index).ok().flatten() } else { None };
            let lines = patch.and_then(|patch| patch.line_stats().ok());
            let only_spaces = lines.is_some_and(|(_, added, removed)| added + removed == 0)
                && delta.status() == git2::Delta::Modified;
            if !only_spaces {
                paths.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
        Ok(paths)
    }

    /// The branch that `HEAD` is on.
    pub fn branch(&self) -> Option<String> {
        let head = self.git.head().ok()?;
        head.is_branch().then(|| head.shorthand().ok().map(str::to_string)).flatten()
    }

    /// Who wrote the commits behind `base` up to `head`, or up to `HEAD`: names with addresses, each once.
    pub fn authors(&self, base: Revision, head: Option<Revision>) -> io::Result<Vec<String>> {
        let mut walk = self.git.revwalk().map_err(|error| broken(&error))?;
        let pushed = match head {
            Some(head) => walk.push(head.0),
            None => walk.push_head(),
        };
        pushed.and_then(|()| walk.hide(base.0)).map_err(|error| broken(&error))?;
        let mut authors = Vec::new();
        for id in walk.take(COMMITS) {
            let commit = id.and_then(|id| self.git.find_commit(id)).map_err(|error| broken(&error))?;
            let author = commit.author().to_string();
            if !authors.contains(&author) {
                authors.push(author);
            }
        }
        Ok(authors)
    }

    fn walk(
        &self,
        revision: Revision,
        mut each: impl FnMut(String, ObjectType, i32, Oid) -> TreeWalkResult,
    ) -> io::Result<()> {
        let tree = self.git.find_commit(revision.0).and_then(|commit| commit.tree()).map_err(|error| broken(&error))?;
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let (Ok(name), Some(kind)) = (entry.name(), entry.kind()) else { return TreeWalkResult::Skip };
            each(format!("{folder}{name}"), kind, entry.filemode(), entry.id())
        })
        .map_err(|error| broken(&error))
    }
}

fn wrong(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn broken(error: &git2::Error) -> io::Error {
    let next = match error.code() {
        ErrorCode::NotFound => {
            "objects are missing: `git fetch --unshallow`, or `git fetch --refetch --no-filter` in a partial clone"
        }
        _ => "run `git fsck` and mend what it reports",
    };
    wrong(format!("git cannot go on ({}); {next}", error.message()))
}

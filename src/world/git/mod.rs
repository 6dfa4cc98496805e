//! Git without a work tree: commits built as objects, branches of a remote listed, fetched, pushed and deleted.
//!
//! The user's repository is only read. Objects are written into a scratch repository in a temporary folder that borrows the user's
//! objects, and from there they are pushed; so a run that is killed leaves the repository exactly as it was. The network is the
//! user's own `git` (docs/decisions/0005): ssh, credential helpers, proxies and the header that CI checkouts leave behind all work.
//! Does not know what is committed, nor why.

mod remote;
mod scratch;
mod tree;

pub(super) use remote::without_credentials;
pub use remote::{Branch, Listing, Push, Rejected, Remote};
pub use scratch::Scratch;
pub use tree::{Author, Entry, EntryKind, Origin};

use super::failure::Failure;
use std::path::{Path, PathBuf};

/// A repository of the user.
pub struct Local {
    git: git2::Repository,
}

impl Local {
    /// Opens the repository that a folder belongs to.
    pub fn open(folder: &Path) -> Result<Local, Failure> {
        let git = git2::Repository::open(folder).map_err(|error| {
            let next = match error.class() {
                git2::ErrorClass::Config if error.message().contains("owner") => {
                    format!("git config --global --add safe.directory {}", folder.display())
                }
                _ => "run it inside of a git repository".to_string(),
            };
            failed(format!("cannot read the repository at {} ({})", folder.display(), error.message()), next)
        })?;
        Ok(Local { git })
    }

    /// The commit that a name stands for: a branch, a remote's branch, a tag, a commit.
    pub fn commit_of(&self, name: &str) -> Option<git2::Oid> {
        let object = self.git.revparse_single(name).ok()?;
        Some(object.peel_to_commit().ok()?.id())
    }

    /// The folder that commands run in: the work tree, else the repository.
    pub fn folder(&self) -> PathBuf {
        self.git.workdir().unwrap_or(self.git.path()).to_path_buf()
    }

    /// The branch that is checked out.
    pub fn current_branch(&self) -> Option<String> {
        let head = self.git.find_reference("HEAD").ok()?;
        let target = head.symbolic_target().ok().flatten()?;
        Some(target.strip_prefix("refs/heads/")?.to_string())
    }

    /// Names of the remotes.
    pub fn remotes(&self) -> Vec<String> {
        let Ok(remotes) = self.git.remotes() else { return Vec::new() };
        remotes.iter().flatten().flatten().map(str::to_string).collect()
    }
}

/// Something that git could not do.
fn failed(why: impl Into<String>, next: impl Into<String>) -> Failure {
    Failure::Tool { name: "git".to_string(), why: why.into(), next: next.into() }
}

/// An object that could not be read or written.
fn object(error: &git2::Error) -> Failure {
    let next = match error.code() {
        git2::ErrorCode::NotFound => {
            "the clone lacks objects: `git fetch --unshallow`, or `git fetch --refetch --no-filter` in a partial clone"
        }
        _ => "run `git fsck` and mend what it reports",
    };
    failed(format!("cannot go on ({})", error.message()), next)
}

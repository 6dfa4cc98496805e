//! What git says of files in a work tree. Changes nothing.

use git2::{ErrorCode, Repository, Status};
use std::path::Path;

/// How a file stands in git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Committed or staged as it is, or unknown to git, or there is no git here.
    Settled,
    /// Changed since it was committed or staged: an edit could not be told from it afterwards.
    Unstaged,
    /// Git refuses to read this repository for this user.
    Refused,
}

/// How files (paths relative to `folder`) stand.
pub fn standing(folder: &Path, paths: &[&str]) -> Vec<Standing> {
    let repository = match Repository::discover(folder) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::Owner => return vec![Standing::Refused; paths.len()],
        Err(_) => return vec![Standing::Settled; paths.len()],
    };
    let top = repository.workdir().map(Path::to_path_buf).unwrap_or_default();
    let inside = folder.strip_prefix(&top).map(Path::to_path_buf).unwrap_or_default();
    let unstaged = Status::WT_MODIFIED | Status::WT_TYPECHANGE | Status::WT_RENAMED | Status::CONFLICTED;
    let one = |path: &&str| match repository.status_file(&inside.join(path)) {
        Ok(status) if status.intersects(unstaged) => Standing::Unstaged,
        _ => Standing::Settled,
    };
    paths.iter().map(one).collect()
}

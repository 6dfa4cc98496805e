//! One file of a commit of a foreign repository: the commit is fetched alone, without history, into a folder that goes. Nothing of it is
//! checked out and nothing is run.

use super::failure::Failure;
use super::git_dates;
use super::http::shown;
use super::process::Task;
use super::temporary::Temporary;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// The text of `path` at `commit`. `None`: it has no such file.
pub fn text(url: &str, commit: &str, path: &str) -> Result<Option<String>, Failure> {
    if url.starts_with('-') || url.contains("::") || commit.starts_with('-') {
        return Err(Failure::BadAddress { what: shown(url), why: "it is no address of a git repository".to_string() });
    }
    let temporary = Temporary::new()?;
    let run = |arguments: &[&str]| {
        let mut task = Task::new("git", arguments, temporary.path(), LIMIT);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
            task = task.unset(name);
        }
        task = task.set("GIT_TERMINAL_PROMPT", "0").set("GIT_ALLOW_PROTOCOL", "http:https:ssh:git:file");
        task.set("LC_ALL", "C").run().map_err(|failed| git_dates::failure(&failed))
    };
    run(&["init", "--quiet", "--bare", "."])?;
    // A remote of its own, so that the one file can be fetched behind the commit where the server can leave files out.
    run(&["remote", "add", "origin", url])?;
    let fetch =
        ["fetch", "--quiet", "--no-tags", "--depth=1", "--filter=blob:none", "--no-write-fetch-head", "origin", commit];
    let lean = run(&fetch)?;
    if !lean.is_good() {
        let plain = ["fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", "origin", commit];
        if !run(&plain)?.is_good() {
            let why = format!("git could not fetch {commit} from it");
            return Err(Failure::Unreachable { host: shown(url), why });
        }
    }
    let done = run(&["cat-file", "blob", &format!("{commit}:{path}")])?;
    Ok(done.is_good().then(|| done.text()))
}

//! When commits of a foreign repository were made: fetched alone, without history and without files, into a folder that goes.

use super::failure::Failure;
use super::process::{Failed, Task};
use super::temporary::Temporary;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// Committer dates by commit; those that could not be had are left out.
pub fn of(url: &str, commits: &[String]) -> Result<BTreeMap<String, Timestamp>, Failure> {
    let temporary = Temporary::new()?;
    let run = |arguments: &[&str]| {
        let mut task = Task::new("git", arguments, temporary.path(), LIMIT);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
            task = task.unset(name);
        }
        task.set("GIT_TERMINAL_PROMPT", "0").set("LC_ALL", "C").run().map_err(|failed| failure(&failed))
    };
    run(&["init", "--quiet", "--bare", "."])?;
    let mut fetch =
        vec!["fetch", "--quiet", "--no-tags", "--depth=1", "--filter=tree:0", "--no-write-fetch-head", "--", url];
    fetch.extend(commits.iter().map(String::as_str));
    let done = run(&fetch)?;
    if !done.is_good() {
        return Err(Failure::Unreachable {
            host: super::http::shown(url),
            why: "git could not fetch its tags".to_string(),
        });
    }
    let mut dates = BTreeMap::new();
    for commit in commits {
        let text = run(&["cat-file", "commit", commit])?.text();
        dates.extend(committed(&text).map(|at| (commit.clone(), at)));
    }
    Ok(dates)
}

/// The date in the `committer` line of a commit.
fn committed(text: &str) -> Option<Timestamp> {
    let line = text.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix("committer "))?;
    let seconds = line.rsplit(' ').nth(1)?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// What it means that git did not run.
pub(super) fn failure(failed: &Failed) -> Failure {
    let why = match failed {
        Failed::Missing => "is not installed".to_string(),
        Failed::Slow(limit) => format!("did not end within {} s", limit.as_secs()),
        Failed::Broken(why) => format!("could not be started ({why})"),
    };
    Failure::Tool { name: "git".to_string(), why, next: "install git and run again".to_string() }
}

#[cfg(test)]
mod tests {
    use super::committed;

    #[test]
    fn the_committer_says_when() {
        let text = "tree 1\nauthor A <a@b> 100 +0000\ncommitter B <b@c> 1700000000 +0100\n\ncommitter X <x> 5 +0000\n";
        assert_eq!(committed(text).map(|at| at.as_second()), Some(1_700_000_000));
        assert_eq!(committed("nothing"), None);
    }
}

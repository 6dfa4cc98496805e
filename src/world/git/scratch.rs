//! A repository in a temporary folder that borrows the objects of the user's: everything is written here, nothing there.

use super::{Local, failed, object};
use crate::world::credential::Token;
use crate::world::failure::Failure;
use crate::world::process::{Done, Failed, Task};
use crate::world::temporary::Temporary;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A hanging server must not hang the run.
const LIMIT: Duration = Duration::from_secs(300);

/// What the name of a token's user is does not matter to GitHub, GitLab and Gitea, but it must be there.
const USER: &str = "x-access-token";

/// Settings of the user's repository that say how to reach a remote; the rest of its configuration has no effect here.
const NEEDED: [&str; 9] =
    ["remote.", "http.", "credential.", "url.", "ssh.", "protocol.", "safe.", "core.sshcommand", "core.askpass"];

/// A repository to write into.
pub struct Scratch {
    /// Gone with this value.
    temporary: Temporary,
    /// One at a time: libgit2's repositories are for one thread.
    git: Mutex<git2::Repository>,
    /// Where the user's commands run; relative addresses of remotes are seen from here.
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Scratch {
    /// An empty repository beside the user's.
    pub fn beside(local: &Local) -> Result<Scratch, Failure> {
        let temporary = Temporary::new()?;
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).external_template(false).no_reinit(true);
        let at = temporary.folder("git")?;
        git2::Repository::init_opts(&at, &options).map_err(|error| object(&error))?;
        let objects = local.git.commondir().join("objects");
        let objects = objects.to_string_lossy();
        if objects.contains('\n') {
            return Err(failed("cannot work in a folder with a line end in its name", "rename the folder"));
        }
        temporary.write("git/objects/info/alternates", format!("{objects}\n").as_bytes())?;
        if let Some(shallow) = read(&local.git.commondir().join("shallow")) {
            temporary.write("git/shallow", &shallow)?;
        }
        // Opened again: a repository reads its alternates once.
        let git = git2::Repository::open_bare(&at).map_err(|error| object(&error))?;
        let settings = settings(local)?;
        Ok(Scratch { temporary, git: Mutex::new(git), folder: local.folder(), settings })
    }

    /// The repository, for as long as nobody else has it.
    pub(super) fn git(&self) -> MutexGuard<'_, git2::Repository> {
        self.git.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the user's configuration says about a key; the last one wins.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every setting below `lead` that ends with `end`: what stands between, and the value.
    pub(super) fn settings_of(&self, lead: &str, end: &str) -> impl Iterator<Item = (&str, &str)> {
        self.settings
            .iter()
            .filter_map(move |(key, value)| Some((key.strip_prefix(lead)?.strip_suffix(end)?, value.as_str())))
    }

    /// Runs git here, with the user's settings and `more` on top. The token is handed on by the environment, which nobody else can
    /// read, to the helper that `more` names. Nobody is asked for anything.
    pub(super) fn run(
        &self,
        arguments: &[&str],
        more: &[(String, String)],
        token: Option<&Token>,
    ) -> Result<Done, Failure> {
        let mut task = Task::new("git", arguments, &self.folder, LIMIT);
        for name in
            ["GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS", "GIT_NAMESPACE"]
        {
            task = task.unset(name);
        }
        task = task.set("GIT_DIR", self.temporary.path().join("git")).set("GIT_TERMINAL_PROMPT", "0");
        task = task.set("GIT_CONFIG_NOSYSTEM", "1").set("GIT_CONFIG_GLOBAL", "/dev/null").set("LC_ALL", "C");
        if let Some(token) = token {
            task = task.set("PINGUARD_GIT_USER", USER).set("PINGUARD_GIT_TOKEN", token.expose());
        }
        let own = [("core.hooksPath", "/dev/null"), ("gc.auto", "0"), ("maintenance.auto", "false")];
        let own = own.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        let settings: Vec<(String, String)> =
            self.settings.iter().cloned().chain(more.iter().cloned()).chain(own).collect();
        task = task.set("GIT_CONFIG_COUNT", settings.len().to_string());
        for (at, (key, value)) in settings.into_iter().enumerate() {
            task = task.set(&format!("GIT_CONFIG_KEY_{at}"), key).set(&format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        task.run().map_err(|why| stopped(&why))
    }
}

/// Every setting that is in force in the user's repository, its includes and conditions resolved, and that is needed here.
fn settings(local: &Local) -> Result<Vec<(String, String)>, Failure> {
    let task = Task::new("git", &["config", "--list", "-z", "--includes"], local.folder(), LIMIT);
    let done = task.unset("GIT_DIR").unset("GIT_WORK_TREE").run().map_err(|why| stopped(&why))?;
    if !done.is_good() {
        let why = format!("cannot read its configuration ({})", super::remote::first_line(&done.err));
        return Err(failed(why, "run `git config --list` and mend what it reports"));
    }
    let text = done.text();
    let pairs = text.split('\0').filter_map(|entry| entry.split_once('\n').or(Some((entry, "true"))));
    let needed = |key: &str| NEEDED.iter().any(|lead| key.to_ascii_lowercase().starts_with(lead));
    Ok(pairs.filter(|(key, _)| needed(key)).map(|(key, value)| (key.to_string(), value.to_string())).collect())
}

fn stopped(why: &Failed) -> Failure {
    match why {
        Failed::Missing => failed("is not installed", "install git"),
        Failed::Slow(limit) => failed(
            format!("did not end within {} s", limit.as_secs()),
            "check that the remote can be reached and that git asks for nothing, then run again",
        ),
        Failed::Broken(why) => failed(format!("could not be started ({why})"), "check the installation of git"),
    }
}

#[expect(clippy::disallowed_methods, reason = "git's own file; libgit2 does not show it")]
fn read(path: &std::path::Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

/// Removes a lock file that nobody touched for a second.
#[expect(clippy::disallowed_methods, reason = "git's own file; libgit2 removes none")]
pub(super) fn remove_stale(path: &std::path::Path) {
    let age = std::fs::metadata(path).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
    if age.is_some_and(|age| age > Duration::from_secs(1)) {
        let _ = std::fs::remove_file(path);
    }
}

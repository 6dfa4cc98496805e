//! What `check --fix` asks, on loopback: git hosts and a container registry.
#![allow(dead_code, reason = "each test crate uses its part")]

use super::git_server::{GitServer, Terms, git};
use super::oci_server::Registry;
use super::{Folder, Run, Sandbox};
use std::fs;

/// A sandbox whose actions and images come from loopback.
pub struct World {
    pub git: GitServer,
    pub registry: Registry,
    pub home: Folder,
}

impl World {
    pub fn new() -> World {
        let git = GitServer::start(Terms::default());
        let registry = Registry::start();
        let home = Folder::new("home");
        let hosts = ["github.com", "bitbucket.org"];
        let rewrite = |host| format!("[url \"{}/\"]\n\tinsteadOf = https://{host}/\n", git.address);
        fs::write(home.0.join(".gitconfig"), hosts.map(rewrite).concat()).expect("a file");
        World { git, registry, home }
    }

    pub fn run(&self, sandbox: &Sandbox, arguments: &[&str]) -> Run {
        let home = self.home.0.to_str().expect("text");
        let cache = self.home.0.join("cache");
        let environment = [("HOME", home), ("XDG_CACHE_HOME", cache.to_str().expect("text"))];
        sandbox.run_in(&environment, arguments)
    }

    /// Forgets every kept answer.
    pub fn forget(&self) {
        let _ = fs::remove_dir_all(self.home.0.join("cache"));
    }
}

pub fn read(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.0.join(path)).expect(path)
}

pub fn commit_all(sandbox: &Sandbox) {
    let _ = fs::remove_dir_all(sandbox.0.join(".git"));
    git(&sandbox.0, &["init", "--quiet"]);
    git(&sandbox.0, &["add", "."]);
    git(&sandbox.0, &["commit", "--quiet", "-m", "all"]);
}

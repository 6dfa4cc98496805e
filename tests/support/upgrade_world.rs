//! Everything that an upgrade meets, on loopback: a git server with a token, a forge with a memory, a container registry, a package
//! index, a host of actions, and a clone with work in progress.
#![allow(dead_code, reason = "each test crate uses its part")]

use super::forge_host::ForgeHost;
use super::git_host::{GitHost, TOKEN, git};
use super::git_server::{GitServer, Terms};
use super::oci_server::Registry;
use super::package_index::PackageIndex;
use super::prism::{Description, Prism};
use super::{Folder, Run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const NOW: &str = "2026-11-20T00:00:00Z";

pub struct World {
    pub folder: Folder,
    pub git: GitHost,
    pub forge: ForgeHost,
    pub index: PackageIndex,
    pub actions: GitServer,
    pub registry: Option<Registry>,
    /// Stands before the forge, where requests are to be held against its description.
    pub prism: Option<Prism>,
    pub clone: PathBuf,
    /// Folders of programs, before the system's.
    pub path: String,
}

impl World {
    /// A world without a container registry, whose index has `demo` 1.0 and 1.1.
    pub fn new(name: &str) -> World {
        let folder = Folder::new(name);
        let git_host = GitHost::start(&folder.0, false);
        let clone = folder.0.join("clone");
        fs::create_dir_all(&clone).expect("folder");
        fs::create_dir_all(folder.0.join("tmp")).expect("folder");
        git(&clone, &["init", "--quiet", "."]);
        git(&clone, &["remote", "add", "origin", &git_host.url()]);
        let index = PackageIndex::start();
        index.add("demo", "1.0", &[], "2026-01-01T00:00:00Z");
        index.add("demo", "1.1", &[], "2026-06-01T00:00:00Z");
        let actions = GitServer::start(Terms::default());
        let path = std::env::var("PATH").expect("PATH");
        World {
            folder,
            git: git_host,
            forge: ForgeHost::start("github"),
            index,
            actions,
            registry: None,
            prism: None,
            clone,
            path,
        }
    }

    /// Holds every request to the forge, and every answer, against GitHub's own description from now on.
    pub fn hold_requests(&mut self) -> Description {
        let description = Description::of_github();
        self.forge.set(|memory| memory.examples = description.examples());
        self.prism = Some(Prism::start(&description, &self.forge.api("github")));
        description
    }

    /// Writes files and commits them to the base on the server.
    pub fn commit(&self, files: &[(&str, &str)]) {
        let main = self.folder.0.join("person");
        if !main.exists() {
            git(&self.folder.0, &["clone", "--quiet", &self.clone.to_string_lossy(), &main.to_string_lossy()]);
            git(&main, &["remote", "set-url", "origin", &self.git.bare.to_string_lossy()]);
            let has_base = !self.git.refs("refs/heads/main").is_empty();
            git(&main, &["checkout", "--quiet", "-B", "main"]);
            if has_base {
                git(&main, &["pull", "--quiet", "origin", "main"]);
            }
        } else {
            git(&main, &["checkout", "--quiet", "main"]);
            git(&main, &["pull", "--quiet", "origin", "main"]);
        }
        for (path, text) in files {
            let full = main.join(path);
            fs::create_dir_all(full.parent().expect("a folder")).expect("folder");
            fs::write(full, text).expect("file");
        }
        git(&main, &["add", "."]);
        git(&main, &["commit", "--quiet", "-m", "work"]);
        git(&main, &["push", "--quiet", "origin", "main"]);
    }

    /// Brings the clone to the base, then leaves work in progress in it.
    pub fn sync(&self) {
        let header = format!("http.{}/.extraheader", self.git.host.url());
        git(&self.clone, &["config", &header, &super::git_host::basic(TOKEN)]);
        git(&self.clone, &["fetch", "--quiet", "origin"]);
        git(&self.clone, &["checkout", "--quiet", "--force", "-B", "main", "origin/main"]);
        fs::write(self.clone.join("requirements.txt"), "half = written\n").expect("file");
        fs::write(self.clone.join("staged.txt"), "staged\n").expect("file");
        git(&self.clone, &["add", "staged.txt"]);
    }

    /// The binary in the clone, with nothing of this machine but what the world has.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinguard"));
        command.args(arguments).current_dir(&self.clone).env_clear();
        command
            .env("PATH", &self.path)
            .env("HOME", self.folder.0.join("home"))
            .env("TMPDIR", self.folder.0.join("tmp"));
        command.env("UV_DEFAULT_INDEX", self.index.url()).env("PINGUARD_TOKEN", TOKEN);
        let api = self.prism.as_ref().map_or_else(|| self.forge.api("github"), |prism| prism.url.clone());
        command.env("GITHUB_SERVER_URL", &self.actions.address).env("GITHUB_API_URL", api);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("the binary runs"))
    }

    /// An upgrade, as JSON. The token is in no output, ever.
    pub fn upgrade(&self, more: &[&str]) -> (i32, serde_json::Value) {
        let mut arguments = vec!["upgrade", "--format", "json"];
        arguments.extend(more);
        if !more.contains(&"--now") {
            arguments.extend(["--now", NOW]);
        }
        let run = self.run(&arguments);
        assert!(!run.out.contains(TOKEN) && !run.err.contains(TOKEN), "{} {}", run.out, run.err);
        (run.code, run.json())
    }

    /// Branches of pinguard on the server, without the lead.
    pub fn branches(&self) -> Vec<String> {
        let refs = self.git.refs("refs/heads/pinguard");
        refs.into_iter().map(|(name, _)| name.trim_start_matches("refs/heads/pinguard/").to_string()).collect()
    }

    /// A file of a branch on the server.
    pub fn show(&self, branch: &str, path: &str) -> String {
        git(&self.git.bare, &["show", &format!("refs/heads/{branch}:{path}")])
    }
}

/// Where the tests' own tools are.
pub fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/bin")
}

/// The state of every branch in a report, as `branch state request`.
pub fn states(report: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_string();
    let branches = report["branches"].as_array().expect("branches");
    let one = |branch: &serde_json::Value| {
        let name = text(&branch["branch"]);
        let name = name.trim_start_matches("pinguard/");
        format!("{name} {} {}", text(&branch["state"]), text(&branch["request"]["state"]))
    };
    branches.iter().map(one).collect()
}

/// Everything held, as `name: why`.
pub fn held(report: &serde_json::Value) -> Vec<String> {
    let list = report["held"].as_array().expect("held");
    list.iter()
        .map(|held| format!("{}: {}", held["name"].as_str().unwrap_or(""), held["why"].as_str().unwrap_or("")))
        .collect()
}

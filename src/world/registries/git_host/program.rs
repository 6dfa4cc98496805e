//! The `git` program for what is not HTTP: `ssh` and repositories on this machine. Nothing of a project's configuration is run.

use super::wire;
use crate::model::knowledge::GitRefs;
use crate::world::failure::Failure;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

const WITHIN: Duration = Duration::from_secs(60);

/// The names of a repository, asked by `git ls-remote`.
pub async fn refs(url: &str) -> Result<GitRefs, Failure> {
    let what = crate::world::http::shown(url);
    if url.starts_with('-') || url.contains("::") {
        return Err(Failure::BadAddress { what, why: "it is no address of a git repository".to_string() });
    }
    let tool = |why: String, next: &str| Failure::Tool { name: "git".to_string(), why, next: next.to_string() };
    let child = Command::new("git")
        .args(["ls-remote", "--symref", "--", url])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", "ssh:file:git")
        .env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=10")
        .env("LC_ALL", "C")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(WITHIN, child).await {
        Err(_) => return Err(Failure::Unreachable { host: what, why: "git did not end in time".to_string() }),
        Ok(Err(error)) => return Err(tool(format!("cannot be started ({})", error.kind()), "install git")),
        Ok(Ok(output)) => output,
    };
    if output.status.success() {
        return Ok(wire::printed(&String::from_utf8_lossy(&output.stdout)));
    }
    let said = String::from_utf8_lossy(&output.stderr).to_ascii_lowercase();
    Err(match () {
        () if said.contains("permission denied") || said.contains("authentication") => Failure::Unauthorized { what },
        () if said.contains("not found") || said.contains("does not appear") || said.contains("does not exist") => {
            Failure::NotFound { what }
        }
        () => Failure::Unreachable { host: what, why: "git ls-remote failed".to_string() },
    })
}

/// The `url.NEW.insteadOf = OLD` rules of the user's and the machine's configuration.
pub fn rewrites() -> Vec<(String, String)> {
    let mut rules = Vec::new();
    let Ok(config) = git2::Config::open_default() else { return rules };
    let Ok(mut entries) = config.entries(Some(r"^url\..*\.insteadof$")) else { return rules };
    while let Some(Ok(entry)) = entries.next() {
        let (Ok(name), Ok(value)) = (entry.name(), entry.value()) else { continue };
        let name = name.strip_prefix("url.").and_then(|name| name.get(..name.len().checked_sub(".insteadof".len())?));
        if let Some(new) = name {
            rules.push((value.to_string(), new.to_string()));
        }
    }
    rules
}

//! Real pre-commit runs the hook from a git checkout of this repository.
//!
//! Talks to package registries: pre-commit builds the hook with `cargo install`. `./test.sh` installs pre-commit.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/bin").join(name);
    assert!(path.exists(), "{} is not installed: run ./test.sh", path.display());
    path
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
    let mut command = Command::new("git");
    let output = command.args(identity).args(arguments).current_dir(folder).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A commit of the work tree as it stands, in a repository of its own.
fn checkout(into: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = git(here, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).stdout;
    for path in String::from_utf8(listed).expect("paths are UTF-8").split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (here.join(path), into.join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().expect("a file has a folder")).expect("folder");
            fs::copy(from, to).expect("copy");
        }
    }
    git(into, &["init", "-q"]);
    git(into, &["add", "-A"]);
    git(into, &["commit", "-q", "-m", "hook"]);
}

#[test]
fn pre_commit_runs_the_hook_from_a_checkout() {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pre-commit");
    let _ = fs::remove_dir_all(&work);
    let (hook, user) = (work.join("pinguard"), work.join("user"));
    fs::create_dir_all(&hook).expect("folder");
    fs::create_dir_all(&user).expect("folder");
    checkout(&hook);
    git(&user, &["init", "-q"]);
    fs::write(user.join("Dockerfile"), "FROM python:latest\n").expect("file");
    git(&user, &["add", "-A"]);
    let run = || {
        let mut command = Command::new(tool("pre-commit"));
        command.args(["try-repo", hook.to_str().expect("path"), "pinguard", "--all-files"]).current_dir(&user);
        // The build may reuse what is compiled already; what is tested is the hook, not the optimiser.
        command.env("PRE_COMMIT_HOME", work.join("home")).env("CARGO_TARGET_DIR", work.join("target"));
        command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        let output = command.output().expect("pre-commit runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = run();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("image-tag-latest"), "{text}");
    fs::write(user.join("Dockerfile"), "FROM scratch\nCOPY a /a\n").expect("file");
    git(&user, &["add", "-A"]);
    let (code, text) = run();
    assert_eq!(code, Some(0), "{text}");
}

//! Lockers with tools that are not what they should be. The real ones are in `tests/registry_lockers.rs`.

use super::*;

/// A copy with a lock, and a folder of programs.
struct Shop {
    copy: PrivateCopy,
    bin: super::super::temporary::Temporary,
}

fn shop(program: &str, script: &str) -> Shop {
    let copy = PrivateCopy::new().unwrap();
    copy.put("uv.lock", Form::File, b"old\n").unwrap();
    copy.put("pdm.lock", Form::File, b"old\n").unwrap();
    let bin = super::super::temporary::Temporary::new().unwrap();
    if !program.is_empty() {
        bin.write(program, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        bin.executable(program);
    }
    Shop { copy, bin }
}

fn order(tool: LockTool, lock: &str) -> Order {
    let raise = vec![("idna".to_string(), Some("3.11".to_string()))];
    Order { tool, lock: lock.to_string(), raise, cutoff: None, builds: Builds::Forbidden, limit: LIMIT }
}

impl Shop {
    /// Whether a process is there and no zombie.
    fn is_running(&self, process: &str) -> bool {
        let stat = Task::new("ps", &["-o", "stat=", "-p", process], self.copy.folder().to_path_buf(), LIMIT);
        stat.run().is_ok_and(|done| done.is_good() && !done.text().trim().starts_with('Z'))
    }

    fn relock(&self, tool: LockTool, lock: &str) -> Result<Made, Why> {
        let path = format!("{}:/usr/bin:/bin", self.bin.path().display());
        let environment =
            Environment::of([("PATH", path.as_str()), ("GITHUB_TOKEN", "hunter2"), ("UV_INDEX_A_PASSWORD", "x")]);
        relock(&self.copy, &order(tool, lock), &environment)
    }
}

#[test]
fn a_missing_tool_is_held_with_the_command_that_brings_it() {
    let Err(Why::Other(text)) = shop("", "").relock(LockTool::Uv, "uv.lock") else { panic!("held") };
    assert!(text.contains("uv is not installed") && text.contains("pipx install uv"), "{text}");
}

#[test]
fn a_tool_sees_what_to_raise_and_no_token() {
    let script = "case $1 in --version) echo 'uv 1.2.3 (x)';; *) { echo \"$@\"; env; } > uv.lock;; esac";
    let made = shop("uv", script).relock(LockTool::Uv, "uv.lock").unwrap();
    let text = String::from_utf8(made.text).unwrap();
    assert_eq!(made.tool, "uv 1.2.3");
    assert!(text.starts_with("lock --no-progress --color=never --no-build --upgrade-package=idna==3.11\n"), "{text}");
    assert!(text.contains("UV_INDEX_A_PASSWORD=x") && !text.contains("hunter2") && !text.contains("CARGO"), "{text}");
}

#[test]
fn the_cutoff_is_handed_on_in_the_words_of_each_tool() {
    let cutoff = Cutoff { days: 3, date: "2026-11-17T00:00:00Z".parse().unwrap() };
    let script =
        "case $1 in --version) echo 'x 1.2.3';; *) { echo \"$@\"; cat \"$PDM_CONFIG_FILE\"; env; } >> LOCK;; esac";
    let words = [
        (LockTool::Uv, "uv", "uv.lock", "--exclude-newer=2026-11-17T00:00:00Z"),
        (LockTool::Pdm, "pdm", "pdm.lock", "exclude-newer = \"2026-11-17T00:00:00Z\""),
        (LockTool::Poetry, "poetry", "poetry.lock", "POETRY_SOLVER_MIN_RELEASE_AGE=3"),
        (LockTool::Pipenv, "pipenv", "Pipfile.lock", "PIP_UPLOADED_PRIOR_TO=2026-11-17T00:00:00Z"),
    ];
    for (tool, program, lock, words) in words {
        let shop = shop(program, &script.replace("LOCK", lock));
        let path = format!("{}:/usr/bin:/bin", shop.bin.path().display());
        let environment = Environment::of([("PATH", path.as_str())]);
        for (cutoff, wanted) in [(None, false), (Some(cutoff), true)] {
            let order = Order { cutoff, ..order(tool, lock) };
            let text = String::from_utf8(relock(&shop.copy, &order, &environment).unwrap().text).unwrap();
            assert_eq!(text.contains(words), wanted, "{program}: {text}");
        }
    }
}

#[test]
fn a_tool_that_hangs_is_stopped_with_everything_that_it_started() {
    let script = "case $1 in --version) echo 'uv 1.2.3';; *) sleep 300 & echo $! > pid; wait;; esac";
    let shop = shop("uv", script);
    let path = format!("{}:/usr/bin:/bin", shop.bin.path().display());
    let order = Order { limit: Duration::from_secs(2), ..order(LockTool::Uv, "uv.lock") };
    let start = std::time::Instant::now();
    let made = relock(&shop.copy, &order, &Environment::of([("PATH", path.as_str())]));
    let Err(Why::Other(text)) = made else { panic!("held") };
    assert_eq!(text, "uv did not end within 2 s and was stopped");
    assert!(start.elapsed() < Duration::from_secs(60));
    let child = String::from_utf8(shop.copy.read("pid").unwrap()).unwrap();
    let gone = |_| {
        !shop.is_running(child.trim()) || {
            std::thread::sleep(Duration::from_millis(100));
            false
        }
    };
    assert!((0..50).any(gone), "{child} still runs");
}

#[test]
fn hooks_are_off_and_builds_are_tried_without_first() {
    let script = "case $1 in --version) echo 'PDM, version 2.0';; *) echo \"$PDM_ONLY_BINARY $*\" >> pdm.lock;; esac";
    let made = shop("pdm", script).relock(LockTool::Pdm, "pdm.lock").unwrap();
    let text = String::from_utf8(made.text).unwrap();
    assert!(text.starts_with("old\n update --no-sync --update-reuse -k :all --override "), "{text}");
    assert_eq!(text.lines().count(), 2, "what the trial wrote is gone: {text}");
}

#[test]
fn a_tool_that_fails_is_held_in_its_own_words() {
    let script =
        "case $1 in --version) echo 'uv 1.2.3';; *) echo 'because https://me:pw@x.example/ is down' >&2; exit 1;; esac";
    let Err(Why::NothingFits(text)) = shop("uv", script).relock(LockTool::Uv, "uv.lock") else { panic!("held") };
    assert_eq!(text, "uv cannot make uv.lock anew: because https://x.example/ is down");
}

#[test]
fn links_out_of_the_tree_are_left_out() {
    let copy = PrivateCopy::new().unwrap();
    copy.put("a/inside", Form::Link, b"../b").unwrap();
    copy.put(".poetry/plugins/evil.pth", Form::File, b"import os").unwrap();
    assert_eq!(copy.read(".poetry/plugins/evil.pth"), None, "code of the repository");
    copy.put("outside", Form::Link, b"../../x").unwrap();
    copy.put("absolute", Form::Link, b"/etc/passwd").unwrap();
    let names: Vec<_> = ["a/inside", "outside", "absolute"].map(|path| copy.folder().join(path).is_symlink()).into();
    assert_eq!(names, [true, false, false]);
}

#[test]
fn locks_that_are_not_made_here_come_with_their_commands() {
    let text = super::by_hand(crate::model::lock::LockTool::CondaLock, "conda-lock.yml");
    let wanted = "conda-lock.yml is not made anew by pinguard: `pipx install conda-lock`, then `conda-lock lock --lockfile conda-lock.yml`";
    assert_eq!(text, wanted);
}

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
    copy.put("env/conda-lock.yml", Form::File, b"old\n").unwrap();
    copy.put("env/environment.yml", Form::File, b"channels: [conda-forge]\n").unwrap();
    copy.put("env/more/dev.yml", Form::File, b"channels: [conda-forge]\n").unwrap();
    let bin = super::super::temporary::Temporary::new().unwrap();
    if !program.is_empty() {
        bin.write(program, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        bin.executable(program);
    }
    Shop { copy, bin }
}

fn order(tool: LockTool, lock: &str) -> Order {
    let raise = vec![("idna".to_string(), Some("3.11".to_string()))];
    let recorded = [("source", "environment.yml"), ("source", "more/dev.yml"), ("platform", "linux-64")];
    let recorded = recorded.map(|(key, value)| (key.to_string(), value.to_string())).to_vec();
    Order { tool, lock: lock.to_string(), recorded, raise, cutoff: None, builds: Builds::Forbidden, limit: LIMIT }
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

/// A fake, for the channels of conda are far away: what it is told, and what it sees.
const CONDA_LOCK: &str =
    "case $1 in --version) echo 'conda-lock, version 3.0.4';; *) { echo \"$@\"; env; } > conda-lock.yml;; esac";

impl Shop {
    fn with_solver(self, solver: &str) -> Shop {
        self.bin.write(solver, b"#!/bin/sh\n").unwrap();
        self.bin.executable(solver);
        self
    }
}

#[test]
fn conda_lock_is_told_what_the_lock_records_and_which_solver_there_is() {
    let shop = shop("conda-lock", CONDA_LOCK).with_solver("mamba").with_solver("conda");
    // A program of the repository with the name of a solver is not the solver.
    shop.copy.put("env/conda", Form::Executable, b"#!/bin/sh\n").unwrap();
    let made = shop.relock(LockTool::CondaLock, "env/conda-lock.yml").unwrap();
    let text = String::from_utf8(made.text).unwrap();
    let conda = shop.bin.path().join("conda");
    let wanted = format!(
        "lock --conda {} --kind lock --lockfile conda-lock.yml --file environment.yml --file more/dev.yml --platform linux-64 \
         --update idna\n",
        conda.display()
    );
    assert!(text.starts_with(&wanted), "{text}");
    assert!(text.contains("VIRTUALENV_CREATOR=builds-are-forbidden") && !text.contains("hunter2"), "{text}");
    assert_eq!((made.tool.as_str(), made.remarks), ("conda-lock 3.0.4", vec!["solved by conda".to_string()]));
}

#[test]
fn conda_lock_knows_no_cutoff_and_the_request_says_so() {
    let shop = shop("conda-lock", CONDA_LOCK).with_solver("micromamba");
    let path = format!("{}:/usr/bin:/bin", shop.bin.path().display());
    let cutoff = Cutoff { days: 3, date: "2026-11-17T00:00:00Z".parse().unwrap() };
    let order = Order { cutoff: Some(cutoff), ..order(LockTool::CondaLock, "env/conda-lock.yml") };
    let made = relock(&shop.copy, &order, &Environment::of([("PATH", path.as_str())])).unwrap();
    assert!(made.remarks[1].contains("how old a release must be"), "{:?}", made.remarks);
}

#[test]
fn a_conda_lock_that_cannot_be_made_says_what_is_missing() {
    let lock = "env/conda-lock.yml";
    let why = |shop: &Shop, order: &Order| {
        let path = format!("{}:/usr/bin:/bin", shop.bin.path().display());
        relock(&shop.copy, order, &Environment::of([("PATH", path.as_str())])).unwrap_err().text()
    };
    let usual = order(LockTool::CondaLock, lock);
    assert!(why(&shop("", ""), &usual).contains("`pipx install conda-lock`"));
    assert!(why(&shop("conda-lock", CONDA_LOCK), &usual).contains("micromamba, conda or mamba"));
    let fails = "case $1 in --version) echo 'conda-lock, version 3.0.4';; *) echo 'Could not solve for idna' >&2; exit 1;; esac";
    let said = why(&shop("conda-lock", fails).with_solver("conda"), &usual);
    assert_eq!(said, format!("conda-lock cannot make {lock} anew: Could not solve for idna"));
    let hangs = "case $1 in --version) echo 'conda-lock, version 3.0.4';; *) sleep 300;; esac";
    let slow = Order { limit: Duration::from_secs(2), ..usual.clone() };
    assert!(why(&shop("conda-lock", hangs).with_solver("conda"), &slow).contains("did not end within 2 s"));
    let none = Order { recorded: Vec::new(), ..usual.clone() };
    assert!(why(&shop("conda-lock", CONDA_LOCK).with_solver("conda"), &none).contains("from which files"));
    for source in ["gone.yml", "../../../etc/passwd", "/etc/passwd"] {
        let recorded = vec![("source".to_string(), source.to_string())];
        let far = Order { recorded, ..usual.clone() };
        assert!(
            why(&shop("conda-lock", CONDA_LOCK).with_solver("conda"), &far).contains("which is not here"),
            "{source}"
        );
    }
}

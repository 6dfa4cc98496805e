//! Locks made anew by their own tools, the real ones of PyPI (see `test.sh`): minimal movement, the cutoff, no code of the repository, no
//! builds, no tokens.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]
#![cfg(unix)]

mod support;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Run;
use support::git_host::{TOKEN, git};
use support::upgrade_world::{World, held, states, tools};

/// A locker and a project of it.
struct Locker {
    tool: &'static str,
    lock: &'static str,
    manifest: &'static str,
    /// The manifest; `INDEX` stands for the address of the index.
    text: &'static str,
    /// Makes the lock from nothing.
    make: &'static [&'static str],
    /// Says whether the lock is fresh.
    check: &'static [&'static str],
    /// The command that installs it, as a person is told.
    install: &'static str,
}

const UV: Locker = Locker {
    tool: "uv",
    lock: "uv.lock",
    manifest: "pyproject.toml",
    text: "[project]\nname = \"shop\"\nversion = \"0\"\nrequires-python = \">=3.9\"\ndependencies = [\"lib>=1\", \"other>=1\", \"firm==1.0\"]\n\n\
           [[tool.uv.index]]\nurl = \"INDEX\"\ndefault = true\n",
    make: &["lock"],
    check: &["lock", "--check"],
    install: "pipx install uv",
};

const POETRY: Locker = Locker {
    tool: "poetry",
    lock: "poetry.lock",
    manifest: "pyproject.toml",
    text: "[project]\nname = \"shop\"\nversion = \"0\"\nrequires-python = \">=3.9\"\ndependencies = [\"lib>=1\", \"other>=1\", \"firm==1.0\"]\n\n\
           [tool.poetry]\npackage-mode = false\n\n[[tool.poetry.source]]\nname = \"made\"\nurl = \"INDEX/\"\npriority = \"primary\"\n",
    make: &["lock", "--no-interaction"],
    check: &["check", "--lock"],
    install: "pipx install poetry",
};

const PDM: Locker = Locker {
    tool: "pdm",
    lock: "pdm.lock",
    manifest: "pyproject.toml",
    text: "[project]\nname = \"shop\"\nversion = \"0\"\nrequires-python = \">=3.9\"\ndependencies = [\"lib>=1\", \"other>=1\", \"firm==1.0\"]\n\n\
           [tool.pdm]\ndistribution = false\n\n[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"INDEX\"\nverify_ssl = false\n\n\
           [tool.pdm.scripts]\npre_lock = \"touch TRACE\"\npost_lock = \"touch TRACE\"\n",
    make: &["lock", "-k", ":all"],
    check: &["lock", "--check", "-k", ":all"],
    install: "pipx install 'pdm[locked]'",
};

const PIPENV: Locker = Locker {
    tool: "pipenv",
    lock: "Pipfile.lock",
    manifest: "Pipfile",
    text: "[[source]]\nurl = \"INDEX\"\nverify_ssl = false\nname = \"made\"\n\n[packages]\nlib = \">=1\"\nother = \">=1\"\nfirm = \"==1.0\"\n",
    make: &["lock"],
    check: &["verify"],
    install: "pipx install pipenv",
};

const ALL: [&Locker; 4] = [&UV, &POETRY, &PDM, &PIPENV];

fn programs(tool: &str) -> PathBuf {
    if tool == "uv" { tools() } else { tools().join("../../test-lockers/bin") }
}

/// A timestamp so many days ago: Poetry reads the clock of the machine, not ours.
fn days_ago(days: i64) -> String {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    format!("{then:.0}")
}

/// A repository with a project of `locker`, and releases since its lock was made. The tool runs by a script that writes down its
/// arguments and its environment.
fn shop(locker: &Locker) -> World {
    let mut world = World::new(locker.tool);
    for name in ["dep", "lib", "other", "firm"] {
        let needs: &[&str] = if name == "lib" { &["dep>=1"] } else { &[] };
        world.index.add(name, "1.0", needs, &days_ago(300));
    }
    let project = world.folder.0.join("project");
    fs::create_dir_all(&project).unwrap();
    let text = locker.text.replace("INDEX", &world.index.url());
    let text = text.replace("TRACE", &world.folder.0.join("trace").to_string_lossy());
    fs::write(project.join(locker.manifest), &text).unwrap();
    let (good, said) = run(&world, locker, &project, locker.make);
    assert!(good, "{} {:?}: {said}", locker.tool, locker.make);
    let lock = fs::read_to_string(project.join(locker.lock)).unwrap();
    world.commit(&[(locker.manifest, &text), (locker.lock, &lock), ("main.py", "")]);
    world.sync();
    for (name, version, needs, days) in [
        ("lib", "1.2", &["dep>=2"][..], 100),
        ("dep", "2.0", &[], 100),
        ("other", "2.0", &[], 100),
        ("firm", "2.0", &[], 100),
    ] {
        world.index.add(name, version, needs, &days_ago(days));
    }
    let bin = world.folder.0.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\n{{ echo \"$@\"; env; echo; }} >> '{}'\nexec '{}' \"$@\"\n",
        world.folder.0.join("calls").display(),
        programs(locker.tool).join(locker.tool).display()
    );
    fs::write(bin.join(locker.tool), script).unwrap();
    fs::set_permissions(bin.join(locker.tool), fs::Permissions::from_mode(0o755)).unwrap();
    world.path = format!("{}:{}", bin.display(), system_path());
    world
}

/// The system's programs, without any of the lockers.
fn system_path() -> String {
    let path = std::env::var("PATH").unwrap();
    let bare = path.split(':').filter(|part| ALL.iter().all(|locker| !Path::new(part).join(locker.tool).exists()));
    bare.collect::<Vec<_>>().join(":")
}

/// The tool itself in a folder, as a person runs it.
fn run(world: &World, locker: &Locker, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(programs(locker.tool).join(locker.tool));
    command.args(arguments).current_dir(folder).env_clear().env("PATH", system_path());
    command.env("HOME", world.folder.0.join("home")).env("CI", "1").env("PIPENV_IGNORE_VIRTUALENVS", "1");
    let done = command.output().expect("tests/install.sh installs it");
    (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

/// An upgrade with branches in the clone only, as of now, with tokens in reach.
fn upgrade(world: &World, only: &str) -> (i32, serde_json::Value) {
    let mut command = world.command(&["upgrade", "--format", "json", "--no-push", "--only", only]);
    command.env("GITHUB_TOKEN", "secret-one").env("UV_PUBLISH_TOKEN", "secret-two").env("PYPI_TOKEN", "secret-three");
    command.env("AWS_SECRET_ACCESS_KEY", "secret-four");
    let run = Run::of(command.output().unwrap());
    assert!(!run.out.contains(TOKEN) && !run.err.contains(TOKEN) && !run.out.contains("secret-"), "{}", run.out);
    (run.code, run.json())
}

fn show(world: &World, branch: &str, path: &str) -> String {
    git(&world.clone, &["show", &format!("refs/heads/pinguard/{branch}:{path}")]) + "\n"
}

/// The version that a lock holds of a package.
fn locked(locker: &Locker, text: &str, name: &str) -> String {
    if locker.tool == "pipenv" {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        return json["default"][name]["version"].as_str().unwrap_or("").trim_start_matches('=').to_string();
    }
    let table: toml::Table = text.parse().unwrap();
    let packages = table["package"].as_array().unwrap();
    let found = packages.iter().find(|package| package["name"].as_str() == Some(name)).expect("a package");
    found["version"].as_str().unwrap().to_string()
}

/// What the tool itself says of the branch.
fn is_fresh(world: &World, locker: &Locker, branch: &str) -> (bool, String) {
    let folder = world.folder.0.join(format!("check-{branch}"));
    fs::create_dir_all(&folder).unwrap();
    for path in [locker.manifest, locker.lock] {
        fs::write(folder.join(path), show(world, branch, path)).unwrap();
    }
    run(world, locker, &folder, locker.check)
}

fn moves_what_is_asked_and_nothing_else(locker: &Locker) {
    let world = shop(locker);
    let before = support::tree_of(&world.clone.join("main.py").parent().unwrap().join(".git/refs/heads"));
    let (code, report) = upgrade(&world, "lib");
    assert_eq!(code, 0, "{}: {report:#}", locker.tool);
    assert_eq!(states(&report), ["pypi-lib local none"], "{report:#}");
    let lock = show(&world, "pypi-lib", locker.lock);
    let versions = ["lib", "dep", "other", "firm"].map(|name| locked(locker, &lock, name));
    assert_eq!(versions, ["1.2", "2.0", "1.0", "1.0"], "{}: {lock}", locker.tool);
    let (fresh, said) = is_fresh(&world, locker, "pypi-lib");
    assert!(fresh, "{}: {said}", locker.tool);
    let changed = git(&world.clone, &["diff", "--name-only", "origin/main", "pinguard/pypi-lib"]);
    assert_eq!(changed, locker.lock, "the range stays");
    let body = report["branches"][0]["request"]["body"].as_str().unwrap();
    assert!(body.contains("| `dep` | `1.0` | `2.0` |") && body.contains(locker.tool), "{body}");
    assert!(before.iter().all(|(path, _)| fs::metadata(path).is_ok()), "nothing is taken away");

    // One that is written exactly: manifest and lock in one commit.
    let (code, report) = upgrade(&world, "firm");
    assert_eq!(code, 0, "{}: {report:#}", locker.tool);
    let changed = git(&world.clone, &["diff", "--name-only", "origin/main", "pinguard/pypi-firm"]);
    let mut files: Vec<&str> = changed.lines().collect();
    files.sort_by_key(|path| *path != locker.manifest);
    assert_eq!(files, [locker.manifest, locker.lock]);
    assert_eq!(git(&world.clone, &["rev-list", "--count", "origin/main..pinguard/pypi-firm"]), "1");
    let lock = show(&world, "pypi-firm", locker.lock);
    assert_eq!(["lib", "dep", "other", "firm"].map(|name| locked(locker, &lock, name)), ["1.0", "1.0", "1.0", "2.0"]);
    let (fresh, said) = is_fresh(&world, locker, "pypi-firm");
    assert!(fresh, "{}: {said}", locker.tool);

    let calls = fs::read_to_string(world.folder.0.join("calls")).unwrap();
    assert!(calls.contains("\nPATH="), "its environment was written down: {calls}");
    for secret in [TOKEN, "secret-", "PINGUARD", "GITHUB_"] {
        assert!(!calls.contains(secret), "{} sees {secret}: {calls}", locker.tool);
    }
    assert!(!world.folder.0.join("trace").exists(), "{} ran a script of the repository", locker.tool);
}

#[test]
fn uv_moves_what_is_asked_and_nothing_else() {
    moves_what_is_asked_and_nothing_else(&UV);
}

#[test]
fn poetry_moves_what_is_asked_and_nothing_else() {
    moves_what_is_asked_and_nothing_else(&POETRY);
}

#[test]
fn pdm_moves_what_is_asked_and_nothing_else() {
    moves_what_is_asked_and_nothing_else(&PDM);
}

#[test]
fn pipenv_moves_what_is_asked_and_nothing_else() {
    moves_what_is_asked_and_nothing_else(&PIPENV);
}

/// Every tool is told the cutoff, and none leaves a trace of it in the lock.
#[test]
fn what_is_too_young_does_not_come_along() {
    for locker in ALL {
        let world = shop(locker);
        world.index.add("lib", "1.3", &["dep>=2"], &days_ago(1));
        world.index.add("dep", "2.1", &[], &days_ago(1));
        let (code, report) = upgrade(&world, "lib");
        assert_eq!(
            (code, states(&report)),
            (0, vec!["pypi-lib local none".to_string()]),
            "{}: {report:#}",
            locker.tool
        );
        let lock = show(&world, "pypi-lib", locker.lock);
        assert_eq!(["lib", "dep"].map(|name| locked(locker, &lock, name)), ["1.2", "2.0"], "{}", locker.tool);
        assert!(!lock.contains("newer"), "{lock}");
        let (fresh, said) = is_fresh(&world, locker, "pypi-lib");
        assert!(fresh, "{}: {said}", locker.tool);
    }
}

/// What the lock holds already stays, however young it is.
#[test]
fn what_is_there_and_too_young_does_not_go_back() {
    for locker in ALL {
        let world = shop(locker);
        // The lock is made anew with a young release in it.
        world.index.add("other", "2.1", &[], &days_ago(1));
        let folder = world.folder.0.join("project");
        fs::remove_file(folder.join(locker.lock)).unwrap();
        let (good, said) = run(&world, locker, &folder, locker.make);
        assert!(good, "{said}");
        let lock = fs::read_to_string(folder.join(locker.lock)).unwrap();
        assert_eq!(locked(locker, &lock, "other"), "2.1", "{}", locker.tool);
        world.commit(&[(locker.lock, &lock)]);
        world.sync();
        world.index.add("lib", "1.5", &["dep>=2"], &days_ago(20));
        let (code, report) = upgrade(&world, "lib");
        assert_eq!(
            (code, states(&report)),
            (0, vec!["pypi-lib local none".to_string()]),
            "{}: {report:#}",
            locker.tool
        );
        let lock = show(&world, "pypi-lib", locker.lock);
        assert_eq!(["lib", "other"].map(|name| locked(locker, &lock, name)), ["1.5", "2.1"], "{}", locker.tool);
    }
}

/// A newest release that would have to be built is held, or one before it is taken by the tools that choose for themselves.
#[test]
fn nothing_is_built_from_source() {
    for locker in ALL {
        let world = shop(locker);
        world.index.add("lib", "1.4", &["native>=1"], &days_ago(50));
        world.index.add_source("native", "1.0", &world.folder.0.join("trace"), &days_ago(50));
        let (code, report) = upgrade(&world, "lib");
        if locker.tool == "pipenv" {
            assert_eq!(
                report["branches"][0]["request"]["title"], "lib 1.0 to 1.2",
                "the request says what the lock holds"
            );
            assert_eq!(locked(locker, &show(&world, "pypi-lib", locker.lock), "lib"), "1.2");
            assert!(
                report["branches"][0]["steps"][0]["released"].is_string(),
                "and when that was released: {report:#}"
            );
        } else {
            assert_eq!(code, 2, "{}: {report:#}", locker.tool);
            let held = held(&report);
            assert!(held.iter().any(|text| text.contains("cannot make") && text.contains(locker.tool)), "{held:?}");
        }
        assert!(!world.folder.0.join("trace").exists(), "{} ran foreign code", locker.tool);
    }
}

#[test]
fn a_missing_tool_is_held_with_the_command_that_brings_it() {
    for locker in ALL {
        let mut world = shop(locker);
        world.path = system_path();
        let (code, report) = upgrade(&world, "lib");
        assert_eq!(code, 2, "{}: {report:#}", locker.tool);
        let held = held(&report);
        assert!(
            held.iter().any(|text| text.contains("not installed here") && text.contains(locker.install)),
            "{held:?}"
        );
    }
}

/// What a repository can bring that its tool would run.
#[test]
fn code_that_the_repository_brings_for_its_tool_is_not_run() {
    let world = shop(&POETRY);
    let trace = world.folder.0.join("trace");
    let code = format!("import os; open({:?}, 'w').close()\n", trace.to_string_lossy());
    world.commit(&[(".poetry/plugins/evil.pth", &code), (".env", "PIP_INDEX_URL=http://127.0.0.1:1/\n")]);
    world.sync();
    let (code, report) = upgrade(&world, "lib");
    assert_eq!((code, states(&report)), (0, vec!["pypi-lib local none".to_string()]), "{report:#}");
    assert!(!trace.exists(), "a plugin of the repository was run");
}

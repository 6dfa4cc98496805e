//! `pinguard diff` in real repositories: revisions, the work tree, shallow clones, work trees, submodules.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LOCK: &str = "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"idna\"\nversion = \"3.9\"\n\
                    source = { registry = \"https://pypi.org/simple\" }\nwheels = [\n    { url = \"https://files.pythonhosted.org/idna-3.9-py3-none-any.whl\", \
                    hash = \"sha256:aa\" },\n]\n";

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("diff-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder can be made");
        Place(folder)
    }

    fn git(&self, args: &[&str]) {
        let done = Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "protocol.file.allow=always",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .current_dir(&self.0)
            .output()
            .expect("git runs");
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn write(&self, path: &str, text: &str) {
        let full = self.0.join(path);
        fs::create_dir_all(full.parent().expect("a path has a folder")).expect("a folder can be made");
        fs::write(full, text).expect("a file can be written");
    }

    fn commit(&self, name: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", name]);
        self.git(&["tag", name]);
    }

    fn diff(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinguard"));
        command.arg("diff").args(args).current_dir(&self.0).output().expect("pinguard runs")
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn history(name: &str) -> Place {
    let place = Place::new(name);
    place.git(&["init", "-q"]);
    place.write("uv.lock", LOCK);
    place.write("app.py", "x = 1\n");
    place.commit("one");
    place.write("uv.lock", &LOCK.replace("3.9", "3.10"));
    place.commit("two");
    place
}

#[test]
fn revisions_and_the_work_tree_are_compared_in_every_form() {
    let place = history("forms");
    let up = place.diff(&["one", "two"]);
    assert_eq!(up.status.code(), Some(0), "{}", text(&up));
    assert!(text(&up).contains("upgraded  idna  3.9 -> 3.10"), "{}", text(&up));
    assert!(text(&place.diff(&["one..two"])).contains("1 upgraded"));
    assert!(text(&place.diff(&["two"])).contains("nothing moved"));
    place.write("uv.lock", &LOCK.replace("3.9", "3.10").replace("sha256:aa", "sha256:bb"));
    let forged = place.diff(&["two", "--format", "json"]);
    assert_eq!(forged.status.code(), Some(1), "{}", text(&forged));
    let json: serde_json::Value = serde_json::from_slice(&forged.stdout).expect("it is JSON");
    assert_eq!((&json["moves"][0]["motion"], &json["moves"][0]["level"]), (&"hash changed".into(), &"error".into()));
    let table = text(&place.diff(&["one", "two", "--format", "markdown"]));
    assert!(table.contains("| upgraded | idna | 3.9 | 3.10 |"), "{table}");
}

#[test]
fn a_patch_of_both_kinds_is_told() {
    let place = history("mixed");
    place.write("uv.lock", &LOCK.replace("3.9", "3.11"));
    place.write("app.py", "x = 2\n");
    place.commit("three");
    let both = text(&place.diff(&["two", "three"]));
    assert!(both.contains("warning[upgrade-mixed-patch]") && both.contains("app.py"), "{both}");
    assert_eq!(place.diff(&["two", "three"]).status.code(), Some(1));
    let json: serde_json::Value =
        serde_json::from_slice(&place.diff(&["two", "three", "--format", "json"]).stdout).expect("it is JSON");
    assert_eq!((&json["mixed"]["rule"], &json["mixed"]["level"]), (&"upgrade-mixed-patch".into(), &"warning".into()));
    assert_eq!(json["mixed"]["files"][0], "app.py");
    let added = LOCK.replace("3.9", "3.11")
        + "\n[[package]]\nname = \"six\"\nversion = \"1.17.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n";
    place.write("uv.lock", &added);
    place.write("app.py", "import six\n");
    place.commit("four");
    let new = text(&place.diff(&["three", "four"]));
    assert!(new.contains("added  six") && !new.contains("mixed"), "{new}");
    place.write("app.py", "import  six\n");
    place.write("uv.lock", &added.replace("1.17.0", "1.18.0"));
    let spaces = text(&place.diff(&["four"]));
    assert!(spaces.contains("upgraded") && !spaces.contains("mixed"), "{spaces}");
}

/// Who opened a patch is told by its branch or its authors; the configuration says how much the rule matters.
#[test]
fn patches_of_updaters_and_configured_levels_are_respected() {
    let place = history("updaters");
    let both = |place: &Place, version: &str| {
        place.write("uv.lock", &LOCK.replace("3.9", version));
        place.write("app.py", &format!("x = '{version}'\n"));
    };
    place.git(&["checkout", "-q", "-b", "renovate/idna"]);
    both(&place, "3.11");
    place.commit("fix");
    let told = |args: &[&str]| text(&place.diff(args)).contains("mixed");
    assert!(!told(&["two", "renovate/idna"]) && !told(&["two"]), "the branch is Renovate's");
    place.git(&["checkout", "-q", "-b", "people"]);
    assert!(told(&["two", "people"]) && told(&["two..HEAD"]));
    both(&place, "3.12");
    place.git(&["add", "-A"]);
    place.git(&["-c", "user.name=dependabot[bot]", "commit", "-q", "-m", "bump"]);
    assert!(!told(&["people~1..people"]), "its author is Dependabot");
    both(&place, "3.13");
    place.commit("human");
    assert!(told(&["people~1", "people"]));
    place.write("pinguard.toml", "[rules]\nupgrade-mixed-patch = \"info\"\n");
    place.commit("levels");
    both(&place, "3.14");
    let quiet = place.diff(&["HEAD"]);
    assert!(text(&quiet).contains("info[upgrade-mixed-patch]") && quiet.status.success(), "{}", text(&quiet));
    place.write("pinguard.toml", "[rules]\nupgrade-mixed-patch = \"off\"\n");
    assert!(!text(&place.diff(&["HEAD"])).contains("mixed"));
}

#[test]
fn a_shallow_clone_says_what_mends_it() {
    let place = history("shallow");
    let clone = Place::new("shallow-clone");
    let from = format!("file://{}", place.0.display());
    clone.git(&["clone", "-q", "--depth", "1", &from, "."]);
    let output = clone.diff(&["one"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("git fetch --unshallow"), "{}", text(&output));
    clone.git(&["fetch", "-q", "--unshallow", "--tags"]);
    assert!(text(&clone.diff(&["one"])).contains("upgraded"));
}

#[test]
fn work_trees_and_submodules_are_read() {
    let place = history("tree");
    let tree = Place::new("tree-second");
    fs::remove_dir_all(&tree.0).expect("it was just made");
    place.git(&["worktree", "add", "-q", tree.0.to_str().expect("a path"), "two"]);
    assert!(text(&tree.diff(&["one"])).contains("upgraded"));
    let outer = Place::new("outer");
    outer.git(&["init", "-q"]);
    outer.git(&["submodule", "add", "-q", place.0.to_str().expect("a path"), "vendor"]);
    outer.commit("first");
    let inner = Place(outer.0.join("vendor"));
    assert!(text(&inner.diff(&["one", "two"])).contains("upgraded"));
    inner.git(&["checkout", "-q", "one"]);
    let moved = text(&outer.diff(&["first"]));
    assert!(moved.contains("changed  vendor"), "{moved}");
}

#[test]
fn a_name_that_is_not_there_and_a_folder_without_git_are_told() {
    let place = history("missing");
    let output = place.diff(&["nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("git fetch origin nowhere"), "{}", text(&output));
}

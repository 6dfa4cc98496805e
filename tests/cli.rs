//! The built binary, in a folder of its own, as a user runs it.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use std::path::Path;
use support::Sandbox;

const WORKFLOW: &str = "on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    container: python:latest\n    steps:\n      - run: pytest\n";

#[test]
fn a_finding_has_a_place_a_level_and_help() {
    let run = Sandbox::new("finding").file(".github/workflows/ci.yml", WORKFLOW).run(&["check", "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let json = run.json();
    let findings = json["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["rule"] == "image-tag-latest").expect("latest is found");
    assert_eq!(found["level"], "error");
    assert_eq!(found["path"], ".github/workflows/ci.yml");
    assert_eq!((found["line"].as_u64(), found["column"].as_u64()), (Some(5), Some(16)));
    assert_eq!((found["end_line"].as_u64(), found["end_column"].as_u64()), (Some(5), Some(29)));
    assert!(found["help"].as_str().is_some_and(|help| !help.is_empty()));
    assert_eq!(found["fix"]["safety"], "safe-online");
}

#[test]
fn a_clean_run_says_what_it_read_and_exits_with_0() {
    let sandbox = Sandbox::new("clean").file("Dockerfile", "FROM scratch\nCOPY a /a\n");
    let run = sandbox.run(&["check"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("1 file") || run.out.contains("1 Dockerfile"), "{}", run.out);
    let empty = Sandbox::new("empty").run(&["check"]);
    assert_eq!(empty.code, 0);
    assert!(empty.out.contains("nothing"), "{}", empty.out);
}

#[test]
fn exit_codes_are_0_1_and_2() {
    let sandbox = Sandbox::new("codes").file(".github/workflows/ci.yml", WORKFLOW);
    assert_eq!(sandbox.run(&["check", "--exit-zero"]).code, 0);
    assert_eq!(sandbox.run(&["check", "--ignore", "images,log,gate,runtime"]).code, 0);
    assert_eq!(sandbox.run(&["check"]).code, 1);
    assert_eq!(sandbox.run(&["check", "no/such/path"]).code, 2);
    assert_eq!(sandbox.run(&["check", "--no-such-flag"]).code, 2);
    assert_eq!(sandbox.run(&["explain", "no-such-rule"]).code, 2);
}

#[test]
fn file_names_limit_findings_and_not_context() {
    let sandbox = Sandbox::new("names")
        .file(".github/workflows/ci.yml", WORKFLOW)
        .file("Dockerfile", "FROM python:latest\nRUN true\n");
    let run = sandbox.run(&["check", "--format", "json", "Dockerfile"]);
    let json = run.json();
    let findings = json["findings"].as_array().expect("findings");
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(finding["path"], "Dockerfile");
        assert_ne!(finding["level"], "advice");
    }
}

#[test]
fn bad_input_is_a_finding_and_the_rest_is_judged() {
    let sandbox = Sandbox::new("bad")
        .file(".github/workflows/broken.yml", "on: [push\njobs:\n  a: {\n")
        .file(".github/workflows/latin.yml", b"on: push\nname: caf\xe9\n")
        .file(".github/workflows/ci.yml", WORKFLOW);
    let json = sandbox.run(&["check", "--format", "json"]).json();
    let findings = json["findings"].as_array().expect("findings").clone();
    let unreadable: Vec<_> = findings.iter().filter(|finding| finding["rule"] == "file-unreadable").collect();
    let names: Vec<_> = unreadable.iter().map(|finding| finding["path"].as_str().expect("path")).collect();
    assert!(
        names.contains(&".github/workflows/broken.yml") && names.contains(&".github/workflows/latin.yml"),
        "{names:?}"
    );
    assert!(findings.iter().any(|finding| finding["rule"] == "image-tag-latest"));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_tree_and_in_circles_are_said_and_not_followed() {
    let sandbox = Sandbox::new("links").file("Dockerfile", "FROM scratch\n");
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, sandbox.0.join(name)).expect("link");
    link("/etc/passwd", "requirements.txt");
    link("Dockerfile.b", "Dockerfile.a");
    link("Dockerfile.a", "Dockerfile.b");
    let json = sandbox.run(&["check", "--format", "json"]).json();
    let findings = json["findings"].as_array().expect("findings").clone();
    let names: Vec<_> = findings.iter().filter(|f| f["rule"] == "file-unreadable").map(|f| f["path"].clone()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!json.to_string().contains("root:"));
}

#[test]
fn text_of_files_cannot_command_the_terminal_or_the_runner() {
    let image = "on: push\njobs:\n  t:\n    runs-on: x\n    container: \"evil\\e[31m\\n::error::x:latest\"\n    steps: [{run: \"pip install a\\e]0;t\\u0007 b\"}]\n";
    let sandbox = Sandbox::new("escapes").file(".github/workflows/ci.yml", image);
    for format in ["human", "concise", "json", "sarif", "github", "gitlab", "junit"] {
        let run = sandbox.run(&["check", "--format", format, "--profile", "audit"]);
        assert!(!run.out.contains('\u{1b}') && !run.out.contains('\u{7}'), "{format}: {}", run.out);
        if format != "github" {
            assert!(!run.out.lines().any(|line| line.starts_with("::")), "{format}: {}", run.out);
        } else {
            assert!(!run.out.lines().any(|line| line.starts_with("::error::x")), "{}", run.out);
        }
    }
}

#[test]
fn every_format_can_be_written_to_a_file_beside_the_output() {
    let sandbox = Sandbox::new("outputs").file(".github/workflows/ci.yml", WORKFLOW);
    let run = sandbox.run(&["check", "--format", "concise", "--output", "sarif=a.sarif", "--output", "json=a.json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    for name in ["a.sarif", "a.json"] {
        let text = fs::read_to_string(sandbox.0.join(name)).expect("written");
        serde_json::from_str::<serde_json::Value>(&text).expect("is JSON");
    }
    assert_eq!(sandbox.run(&["check", "--output", "nonsense=x"]).code, 2);
}

#[test]
fn list_prints_an_array_of_references() {
    let sandbox = Sandbox::new("list").file("requirements.txt", "requests>=2\nflask==3.0.0\n");
    let json = sandbox.run(&["list", "--format", "json"]).json();
    let all = json.as_array().expect("a bare array");
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["name"], "requests");
    assert_eq!(all[0]["strength"], "floating");
    assert_eq!(all[1]["strength"], "exact");
    assert_eq!(all[1]["version"], "==3.0.0");
}

#[test]
fn the_demo_of_the_readme_has_findings_of_each_promise() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
    let run = Sandbox::new("demo").run(&["check", "--format", "concise", demo.to_str().expect("path")]);
    assert_eq!(run.code, 1, "{}", run.err);
    for rule in
        ["image-tag-latest", "req-unpinned", "component-mutable-branch", "tool-run-unpinned", "gate-exit-swallowed"]
    {
        assert!(run.out.contains(rule), "{rule} in {}", run.out);
    }
}

const HOOKS: &str = "repos:\n  - repo: https://github.com/psf/black\n    rev: main\n    hooks:\n      - id: black\n";

#[test]
fn configuration_sets_levels_and_its_mistakes_are_shown_at_once() {
    let sandbox = Sandbox::new("config").file(".pre-commit-config.yaml", HOOKS);
    assert_eq!(sandbox.run(&["check"]).code, 1);
    let sandbox = sandbox.file("pinguard.toml", "ignore = [\"components\"]\n");
    assert_eq!(sandbox.run(&["check"]).code, 0);
    assert_eq!(sandbox.run(&["check", "--isolated"]).code, 1);
    let sandbox = sandbox.file("pinguard.toml", "exclude = [\".pre-commit-config.yaml\"]\n");
    assert_eq!(sandbox.run(&["check"]).code, 0);
    let sandbox = sandbox.file("pinguard.toml", "profil = \"strict\"\nfail-on = \"eror\"\n");
    let run = sandbox.run(&["check"]);
    assert_eq!(run.code, 2, "{}", run.out);
    for words in ["unknown key `profil`", "did you mean `profile`?", "did you mean \"error\"?", "pinguard.toml:2"] {
        assert!(run.err.contains(words), "{words} is not in {}", run.err);
    }
    let sandbox = Sandbox::new("pyproject")
        .file(".pre-commit-config.yaml", HOOKS)
        .file("pyproject.toml", "[tool.pinguard]\nignore = [\"components\"]\n");
    assert_eq!(sandbox.run(&["check"]).code, 0);
}

#[test]
fn names_and_dates_of_the_command_line_are_checked() {
    let sandbox = Sandbox::new("flags").file(".pre-commit-config.yaml", HOOKS);
    let run = sandbox.run(&["check", "--select", "precommit-rev-mutabl"]);
    assert!(run.code == 2 && run.err.contains("precommit-rev-mutable"), "{}", run.err);
    assert_eq!(sandbox.run(&["check", "--now", "soon"]).code, 2);
    assert_eq!(sandbox.run(&["check", "--config", "nowhere.toml"]).code, 2);
    assert_eq!(sandbox.run(&["check", "--baseline", "nowhere.json"]).code, 2);
}

#[test]
fn suppressions_count_and_never_turn_red_by_the_calendar() {
    let text = HOOKS.replace("main", "main # pinguard: ignore[components] our own until=2026-01-31");
    let sandbox = Sandbox::new("suppress").file(".pre-commit-config.yaml", text);
    for now in ["2026-01-01", "2030-01-01"] {
        let run = sandbox.run(&["check", "--now", now]);
        assert_eq!(run.code, 0, "{}", run.out);
        assert!(run.out.contains("1 suppressed"), "{}", run.out);
        assert_eq!(run.out.contains("ignore-expired"), now == "2030-01-01", "{}", run.out);
    }
    let sandbox = sandbox.file(".pre-commit-config.yaml", "repos: [] # pinguard: ignore[precommit-rev-mutable]\n");
    let out = sandbox.run(&["check"]).out;
    assert!(out.contains("ignore-unused") && out.contains("ignore-no-reason"), "{out}");
}

#[test]
fn a_baseline_hides_what_was_there_through_moved_lines() {
    let sandbox = Sandbox::new("baseline").file(".pre-commit-config.yaml", HOOKS);
    let written = sandbox.run(&["check", "--write-baseline", "--now", "2026-01-01"]);
    assert_eq!(written.code, 0, "{}", written.err);
    let sandbox = sandbox
        .file("pinguard.toml", "baseline = \"pinguard.baseline.json\"\n")
        .file(".pre-commit-config.yaml", format!("# moved\n\n{HOOKS}"));
    assert_eq!(sandbox.run(&["check", "--now", "2026-02-01"]).code, 0);
    let late = sandbox.run(&["check", "--now", "2027-02-01"]);
    assert_eq!(late.code, 0, "nothing turns red by the calendar: {}", late.out);
    assert!(late.out.contains("info"), "{}", late.out);
    let sandbox = sandbox.file("other/.pre-commit-config.yaml", HOOKS);
    assert_eq!(sandbox.run(&["check", "--now", "2026-02-01"]).code, 1);
}

#[test]
fn init_writes_a_configuration_that_is_read_without_mistakes() {
    let sandbox = Sandbox::new("init").file(".pre-commit-config.yaml", "repos: []\n");
    assert_eq!(sandbox.run(&["init"]).code, 0);
    assert_eq!(sandbox.run(&["check"]).code, 0);
    assert_eq!(sandbox.run(&["init"]).code, 2);
}

#[test]
fn standard_input_is_judged_as_the_file_it_is_named_after() {
    let sandbox = Sandbox::new("stdin").file("compose.yaml", "services: {}\n");
    let run = |arguments: &[&str], text: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pinguard"));
        command.args(arguments).current_dir(&sandbox.0).stdin(std::process::Stdio::piped());
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the binary runs");
        // A run that refuses its arguments ends before it reads.
        let _ = std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), text.as_bytes());
        child.wait_with_output().expect("it ends")
    };
    let latest = "services: {a: {image: 'redis:latest'}}\n";
    let named = ["check", "-", "--stdin-filename", "compose.yaml", "--format", "concise"];
    let output = run(&named, latest);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("compose.yaml:1:"));
    assert_eq!(run(&named, "services: {}\n").status.code(), Some(0));
    assert_eq!(run(&["check", "-"], latest).status.code(), Some(2));
}

#[test]
fn a_fix_that_may_change_the_run_waits_to_be_asked_for() {
    let text = WORKFLOW.replace("pytest", "pytest || true");
    let sandbox = Sandbox::new("unsafe").file(".github/workflows/ci.yml", &text);
    let path = sandbox.0.join(".github/workflows/ci.yml");
    let fix = ["check", "--offline", "--fix", "--select", "gate-exit-swallowed"];
    let run = sandbox.run(&fix);
    assert_eq!((run.code, fs::read_to_string(&path).expect("a file")), (1, text));
    assert!(run.out.contains("--unsafe-fixes applies it"), "{}", run.out);
    let run = sandbox.run(&[&fix[..], &["--unsafe-fixes"]].concat());
    assert_eq!((run.code, fs::read_to_string(&path).expect("a file")), (0, WORKFLOW.to_string()), "{}", run.out);
}

//! Configuration, suppressions and baselines through the built binary.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use support::Sandbox;

const LATEST: &str = "services:\n  a:\n    image: redis:latest\n";

#[test]
fn a_comment_suppresses_with_a_reason() {
    let text = LATEST.replace("latest\n", "latest  # pinguard: ignore[image-tag-latest] a demo\n");
    let run = Sandbox::new("comment").file("compose.yaml", text).run(&["check", "--format", "json"]);
    let json = run.json();
    assert!(!json["findings"].to_string().contains("image-tag-latest"), "{}", run.out);
}

#[test]
fn what_is_wrong_with_a_suppression_is_said_and_never_fails() {
    let cases = [
        ("# pinguard: ignore[image-tag-latest]", "ignore-no-reason"),
        ("# pinguard: ignore[image-tag-latset] a typo", "ignore-unknown-rule"),
        ("# pinguard: ignore[image-tag-latest] over until=2020-01-01", "ignore-expired"),
        ("# pinguard: ignore[image-tag-latest, image-tag-missing] one too many", "ignore-unused"),
    ];
    for (comment, rule) in cases {
        let text = LATEST.replace("latest\n", &format!("latest  {comment}\n"));
        let run =
            Sandbox::new("notes").file("compose.yaml", text).run(&["check", "--format", "json", "--now", "2026-11-22"]);
        let json = run.json();
        let notes: Vec<_> =
            json["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] == rule).collect();
        assert_eq!(notes.len(), 1, "{comment}: {}", run.out);
        assert_eq!(notes[0]["level"], "info");
    }
}

#[test]
fn every_mistake_of_a_configuration_is_told_at_once() {
    let config = "profil = \"strict\"\nfail-on = 3\n[rules]\nno-such-rule = \"off\"\n";
    let run = Sandbox::new("mistakes").file("pinguard.toml", config).file("compose.yaml", LATEST).run(&["check"]);
    assert_eq!(run.code, 2);
    for part in ["profil", "fail-on", "no-such-rule", "pinguard.toml:1", "pinguard.toml:2", "pinguard.toml:4"] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    assert!(run.out.is_empty());
}

#[test]
fn levels_paths_and_select_are_obeyed() {
    let base = || Sandbox::new("levels").file("compose.yaml", LATEST);
    assert_eq!(base().run(&["check"]).code, 1);
    assert_eq!(base().file("pinguard.toml", "[rules]\nimage-tag-latest = \"info\"\n").run(&["check"]).code, 0);
    assert_eq!(
        base().file("pinguard.toml", "[[paths]]\nglob = \"*.yaml\"\nlevel = \"info\"\n").run(&["check"]).code,
        0
    );
    assert_eq!(base().file("pinguard.toml", "exclude = [\"compose.yaml\"]\n").run(&["check"]).code, 0);
    assert_eq!(base().file("pinguard.toml", "select = [\"gate\"]\n").run(&["check"]).code, 0);
    assert_eq!(base().file("pinguard.toml", "select = [\"gate\"]\n").run(&["check", "--isolated"]).code, 1);
    assert_eq!(base().file("pyproject.toml", "[tool.pinguard]\nfail-on = \"error\"\n").run(&["check"]).code, 0);
}

#[test]
fn a_baseline_survives_moved_lines_and_lets_new_findings_through() {
    let sandbox = Sandbox::new("baseline").file("compose.yaml", LATEST);
    assert_eq!(sandbox.run(&["check", "--write-baseline", "--baseline", "b.json", "--now", "2026-11-22"]).code, 0);
    let sandbox = sandbox.file("compose.yaml", format!("# moved\n\n{LATEST}"));
    assert_eq!(sandbox.run(&["check", "--baseline", "b.json", "--now", "2026-11-22"]).code, 0);
    // An entry that is too old hides nothing, and still turns nothing red.
    assert_eq!(sandbox.run(&["check", "--baseline", "b.json", "--now", "2028-01-01"]).code, 0);
    let sandbox = sandbox.file("compose.yaml", format!("{LATEST}  b:\n    image: postgres:latest\n"));
    assert_eq!(sandbox.run(&["check", "--baseline", "b.json", "--now", "2026-11-22"]).code, 1);
    assert_eq!(sandbox.run(&["check", "--baseline", "none.json"]).code, 2);
}

#[test]
fn init_writes_a_configuration_that_is_read() {
    let sandbox = Sandbox::new("init").file("Dockerfile", "FROM scratch\n");
    assert_eq!(sandbox.run(&["init"]).code, 0);
    assert_eq!(sandbox.run(&["check"]).code, 0);
    assert_eq!(sandbox.run(&["init"]).code, 2, "a second time it is left as it is");
}

//! `check --online` against servers on loopback: what is found, what is inconclusive, and the exit code.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use support::fake::Fake;
use support::git_server::{GitServer, Terms};
use support::oci_server::Registry;
use support::{Folder, Run, Sandbox};

const OLD: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// An index with a yanked, a sound, an archived and a quarantined project.
fn index() -> Fake {
    Fake::start(|asked, address| {
        let path = asked.split(' ').nth(1).unwrap_or("");
        let file = |name: &str, more: &str| {
            format!(
                r#"{{"filename": "{name}", "url": "{address}/files/{name}", "hashes": {{"sha256": "{OLD}"}}, "upload-time": "2025-01-02T03:04:05Z"{more}}}"#
            )
        };
        let page = |name: &str, status: &str, files: &[String]| {
            Fake::answer(
                "200 OK",
                "content-type: application/vnd.pypi.simple.v1+json\r\n",
                &format!(
                    r#"{{"meta": {{"api-version": "1.4"}}, "name": "{name}"{status}, "files": [{}]}}"#,
                    files.join(",")
                ),
            )
        };
        match path.trim_end_matches('/') {
            "/simple/sound" => page("sound", "", &[file("sound-1.0-py3-none-any.whl", "")]),
            "/simple/broken" => page(
                "broken",
                "",
                &[
                    file("broken-1.0-py3-none-any.whl", r#", "yanked": "eats data""#),
                    file("broken-1.1-py3-none-any.whl", ""),
                ],
            ),
            "/simple/old" => page(
                "old",
                r#", "project-status": {"status": "archived", "reason": "use sound"}"#,
                &[file("old-1.0-py3-none-any.whl", "")],
            ),
            "/simple/evil" => page("evil", r#", "project-status": {"status": "quarantined"}"#, &[]),
            "/pypi/sound/1.0/json" => Fake::json(
                r#"{"info": {"version": "1.0"}, "vulnerabilities": [{"id": "PYSEC-1", "fixed_in": ["1.1"]}]}"#,
            ),
            "/simple/busy" => Fake::answer("500 No", "", ""),
            _ => Fake::answer("404 Not Found", "", ""),
        }
    })
}

fn run(sandbox: &Sandbox, index: &str, home: &Folder, more: &[&str]) -> Run {
    let home = home.0.to_str().expect("text");
    let index = format!("{index}/simple");
    let environment =
        [("HOME", home), ("XDG_CACHE_HOME", home), ("PIP_INDEX_URL", index.as_str()), ("UV_DEFAULT_INDEX", &index)];
    sandbox.run_in(&environment, &[&["check", "--online"][..], more].concat())
}

fn rules(run: &Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_string();
    let json = run.json();
    let findings = json["findings"].as_array().expect("findings").iter();
    findings.map(|one| (text(&one["rule"]), text(&one["name"]))).filter(|(rule, _)| rule.starts_with("pin-")).collect()
}

#[test]
fn yanked_gone_and_foreign_releases_are_found() {
    let (index, home) = (index(), Folder::new("home"));
    let lines = format!(
        "sound==1.0 --hash=sha256:{OLD}\nbroken==1.0 --hash=sha256:{OLD}\nold==1.0 --hash=sha256:{}\nevil==1\nsound-two==1\nbroken==9\n",
        OLD.replace('1', "2")
    );
    let sandbox = Sandbox::new("online").file("requirements.txt", lines);
    let found = run(&sandbox, &index.address, &home, &["--format", "json"]);
    let pairs = rules(&found);
    let want = [
        ("pin-stale", "sound"),
        ("pin-yanked", "broken"),
        ("pin-stale", "old"),
        ("pin-yanked", "old"),
        ("pin-yanked", "evil"),
        ("pin-yanked", "broken"),
    ];
    assert_eq!(
        pairs.iter().map(|(rule, name)| (rule.as_str(), name.as_str())).collect::<Vec<_>>(),
        want,
        "{}",
        found.out
    );
    // Nobody knows it: that may be a private one.
    let open = &found.json()["online"]["inconclusive"];
    assert_eq!((open.as_array().map(Vec::len), &open[0]["name"]), (Some(1), &"sound-two".into()), "{open}");
    assert_eq!(found.code, 1);
    assert!(found.out.contains("eats data") && found.out.contains("PYSEC-1"), "{}", found.out);
}

#[test]
fn weather_is_inconclusive_and_silence_is_a_failure() {
    let (index, home) = (index(), Folder::new("home"));
    let sandbox = Sandbox::new("weather").file("requirements.txt", "sound==1.0\nbusy==1.0\n");
    let found = run(&sandbox, &index.address, &home, &["--ignore", "pin-stale"]);
    assert!(found.out.contains("asked about 2 things online: 1 answered, 1 inconclusive"), "{}", found.out);
    assert!(found.out.contains("out of order (500)"), "{}", found.out);
    assert_eq!(found.code, 0, "{}", found.out);
    let dead = "http://127.0.0.1:1";
    let found = run(
        &sandbox,
        dead,
        &home,
        &["--format", "json", "--cache-dir", sandbox.0.join("none").to_str().expect("text")],
    );
    assert_eq!(found.code, 2, "{}{}", found.out, found.err);
    assert!(found.err.contains("asked about 2 things online: 0 answered"), "{}", found.err);
    // Without the flag nothing is asked.
    let before = index.requests().len();
    let found = sandbox.run(&["check", "--format", "json"]);
    assert!(found.json().get("online").is_none() && index.requests().len() == before);
}

#[test]
fn digests_tags_and_commits_are_held_against_their_servers() {
    let (registry, git, home) = (Registry::start(), GitServer::start(Terms::default()), Folder::new("home"));
    let old = registry.push("app", &["1.0"], "old");
    let new = registry.push("app", &["1.0"], "new");
    let gone = registry.push("gone", &["1.0"], "gone");
    registry.delete("gone", &gone);
    let commits = git.repository("team/action", &[&["v1.0.0"], &["a:v1.1.0"]]);
    fs::write(home.0.join(".gitconfig"), format!("[url \"{}/\"]\n\tinsteadOf = https://github.com/\n", git.address))
        .expect("a file");
    let host = &registry.host;
    let sandbox = Sandbox::new("held")
        .file("Dockerfile", format!("FROM {host}/app:1.0@{old} AS a\nFROM {host}/gone:1.0@{gone} AS b\nFROM {host}/app:1.0@{new}\n"))
        .file(
            ".github/workflows/ci.yml",
            format!(
                "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: team/action@{} # v1.0.0\n      - uses: team/action@{} # v1.0.0\n      - uses: team/action@v7\n",
                commits[0], commits[1]
            ),
        );
    let found = run(&sandbox, "http://127.0.0.1:1", &home, &["--format", "json", "--profile", "strict"]);
    let json = found.json();
    let places: Vec<(String, u64)> = json["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|one| one["rule"].as_str().is_some_and(|rule| rule.starts_with("pin-")))
        .map(|one| (one["rule"].as_str().unwrap_or("").to_string(), one["line"].as_u64().unwrap_or(0)))
        .collect();
    let want = [("pin-stale", 7), ("pin-yanked", 8), ("pin-stale", 1), ("pin-yanked", 2)];
    assert_eq!(places.iter().map(|(rule, line)| (rule.as_str(), *line)).collect::<Vec<_>>(), want, "{}", found.out);
    assert_eq!(json["online"]["answered"], json["online"]["asked"]);
}

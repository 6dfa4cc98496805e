//! How a step of a requirements file is proven: with or without a search. Against an index on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::commands::upgrade::base::{self, Base};
use crate::config::upgrade::Upgrade;
use crate::world::environment::Environment;
use crate::world::git::{Local, Scratch};
use crate::world::http::{Http, Settings};
use crate::world::process::Task;
use crate::world::progress::Progress;
use crate::world::temporary::Temporary;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const RELEASES: [(&str, &str, &str); 8] = [
    ("app", "1.0", "Requires-Dist: lib<2\n"),
    ("app", "1.1", "Requires-Dist: lib<2\n"),
    ("app", "2.0", "Requires-Dist: lib>=2\n"),
    ("extra", "1.0", ""),
    ("lib", "1.0", ""),
    ("lib", "1.5", "Requires-Dist: extra\n"),
    ("lib", "2.0", ""),
    ("lib", "2.1", "Requires-Dist: absent\n"),
];

/// The address of an index with these releases.
fn index() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/simple", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    address
}

fn answer(mut stream: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("");
    let file = |name: &str, version: &str| format!("{name}-{version}-py3-none-any.whl");
    let page = path.strip_prefix("/simple/").map(|name| name.trim_end_matches('/')).map(|name| {
        let files: Vec<String> = RELEASES
            .iter()
            .filter(|(project, ..)| *project == name)
            .map(|(_, version, _)| {
                let file = file(name, version);
                format!(r#"{{"filename": "{file}", "url": "/files/{file}", "hashes": {{}}, "upload-time": "2026-01-01T00:00:00Z", "core-metadata": true}}"#)
            })
            .collect();
        format!(r#"{{"meta": {{"api-version": "1.1"}}, "name": "{name}", "files": [{}]}}"#, files.join(","))
    });
    let metadata = || {
        let found =
            RELEASES.iter().find(|(name, version, _)| path == format!("/files/{}.metadata", file(name, version)));
        found.map(|(name, version, needs)| format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"))
    };
    let body = page.filter(|page| !page.contains("[]")).or_else(metadata);
    let line = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let kind = "content-type: application/vnd.pypi.simple.v1+json";
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {line}\r\n{kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
}

/// A repository with one requirements file, as its base is read.
fn base(folder: &Temporary) -> (Scratch, Base) {
    folder.write("requirements.txt", b"app==1.0\nlib==1.0\n").unwrap();
    let git = |arguments: &[&str]| {
        let done = Task::new("git", arguments, folder.path(), Duration::from_secs(60)).run().unwrap();
        assert!(done.is_good(), "{arguments:?}: {}", done.err);
    };
    git(&["init", "--quiet", "."]);
    git(&["add", "."]);
    git(&["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "base"]);
    let local = Local::open(folder.path()).unwrap();
    let scratch = Scratch::beside(&local).unwrap();
    let base = base::read(&scratch, local.commit_of("HEAD").unwrap()).unwrap();
    (scratch, base)
}

#[test]
fn a_step_that_the_set_carries_is_proven_without_a_search() {
    let folder = Temporary::new().unwrap();
    let (scratch, base) = base(&folder);
    let address = index();
    let environment = Environment::of([("UV_DEFAULT_INDEX", address.as_str())]);
    let policy = Upgrade::default();
    let http = Http::new(Settings { progress: Progress::Silent, ..Settings::default() });
    let relocker = Relocker {
        base: &base,
        scratch: &scratch,
        policy: &policy,
        environment: &environment,
        http: &http,
        folder: folder.path().to_path_buf(),
        now: "2026-11-20T00:00:00Z".parse().unwrap(),
        copy: Default::default(),
        lines: Memory::default(),
    };
    let id = |name: &str| {
        base.project.references().find(|(_, reference)| reference.subject.name == name).map(|(id, _)| id).unwrap()
    };
    let raise = |name: &str, version: &str| {
        let before = relocker.lines.searches.load(std::sync::atomic::Ordering::Relaxed);
        let made = relocker.lines(&Wanted::from([(id(name), version.to_string())]), &Patch::default());
        (
            made.map(|made| made.along.len()).ok(),
            relocker.lines.searches.load(std::sync::atomic::Ordering::Relaxed) - before,
        )
    };
    // The first step finds out on which Python the set resolves: one search, and none for the step itself.
    assert_eq!(raise("app", "1.1"), (Some(0), 1));
    assert_eq!(raise("app", "1.1"), (Some(0), 0));
    assert_eq!(raise("lib", "1.5"), (Some(0), 0), "what is new comes in");
    // What others do not let in, or what needs something that is not there, is searched for.
    let (along, searches) = raise("app", "2.0");
    assert_eq!(along, Some(1), "the library comes along");
    assert!(searches > 0);
    let (made, searches) = raise("lib", "2.1");
    assert_eq!(made, None);
    assert!(searches > 0);
}

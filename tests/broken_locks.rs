//! Locks that were cut off, merged by hand, written by another version or made to hurt: each is told at a place, and none is called fresh.

use pinguard::check;
use pinguard::model::lock::{Lock, LockTool, Verdict};
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::source::Sources;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A sound project: its files, the lock last.
struct Sound {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! sound {
    ($folder:literal, $($path:literal),+) => {
        Sound { name: $folder, files: &[$(($path, include_str!(concat!("../fixtures/locks/whole/", $folder, "/", $path)))),+] }
    };
}

const SOUND: &[Sound] = &[
    sound!("uv", "pyproject.toml", "uv.lock"),
    sound!("script", "tool.py", "tool.py.lock"),
    sound!("poetry", "pyproject.toml", "poetry.lock"),
    sound!("poetry-1", "pyproject.toml", "poetry.lock"),
    sound!("pdm", "pyproject.toml", "pdm.lock"),
    sound!("pipenv", "Pipfile", "Pipfile.lock"),
    sound!("pylock", "pyproject.toml", "pylock.toml"),
    sound!("compiled", "requirements.in", "requirements.txt"),
    sound!("conda-lock", "environment.yml", "conda-lock.yml"),
    sound!("pixi", "pixi.toml", "pixi.lock"),
    sound!("actions", ".github/workflows/ci.yml", ".github/workflows/docs.yml", ".github/workflows/actions.lock"),
];

impl Sound {
    fn lock(&self) -> (&'static str, &'static str) {
        *self.files.last().expect("a project has a lock")
    }

    /// The project with another text of its lock.
    fn with(&self, text: &str) -> Project {
        let mut sources = Sources::default();
        let (lock, _) = self.lock();
        for (path, whole) in self.files {
            sources.add(*path, if *path == lock { text } else { whole });
        }
        check::read(sources, Vec::new(), Policy::default())
    }

    /// What is wrong with how a broken text is taken: it is called fresh, or nothing is said of it.
    fn blunder(&self, text: &str) -> Option<&'static str> {
        let project = self.with(text);
        let (path, _) = self.lock();
        if project.locks.iter().any(|state| state.verdict == Verdict::Fresh && project.source(state.lock).path == path)
        {
            return Some("fresh");
        }
        let told = check::findings(&project).into_iter().any(|finding| {
            let labels = finding.labels.iter().map(|label| label.at);
            labels.chain([finding.at]).any(|at| self.files.iter().any(|(file, _)| project.path(at) == *file))
                && [
                    "file-unreadable",
                    "opaque-reference",
                    "req-lock-stale",
                    "lock-",
                    "req-unpinned",
                    "template-skipped",
                ]
                .iter()
                .any(|rule| finding.rule.id.starts_with(rule))
        });
        (!told).then_some("nothing is said")
    }
}

fn lock_of(project: &Project, path: &str) -> Option<Lock> {
    project.lock_files().find(|lock| project.path(lock.at) == path).cloned()
}

#[test]
fn sound_locks_are_fresh_and_silent() {
    for sound in SOUND {
        let (path, text) = sound.lock();
        let project = sound.with(text);
        let state = project.locks.iter().find(|state| project.source(state.lock).path == path);
        assert_eq!(state.map(|state| &state.verdict), Some(&Verdict::Fresh), "{}", sound.name);
        let unsound = check::findings(&project);
        let unsound: Vec<_> =
            unsound.iter().filter(|f| f.rule.id.starts_with("lock-") || f.rule.id == "file-unreadable").collect();
        assert!(unsound.is_empty(), "{}: {:?}", sound.name, unsound.iter().map(|f| &f.message).collect::<Vec<_>>());
    }
}

/// Whether a cut takes away nothing that anything left refers to, so that what is left is, to the byte, a lock that the tool could have
/// written of other releases. Two kinds exist:
///
/// - Compiled files and pylocks record no needs: the last packages go without a trace when only packages before them need them.
/// - The last entry of uv and pixi loses what is written behind its first hashed file: another file of it, its size, its licence.
///
/// Everything else must be told.
fn is_a_lock_of_its_own(sound: &Sound, whole: &Lock, cut: &Project) -> bool {
    let (path, _) = sound.lock();
    let Some(lock) = lock_of(cut, path) else { return false };
    let names = |lock: &Lock| lock.packages.iter().map(|package| package.name.clone()).collect::<BTreeSet<_>>();
    let (all, left) = (names(whole), names(&lock));
    let hashed =
        lock.packages.last().is_some_and(|last| last.artifacts.iter().any(|artifact| !artifact.hashes.is_empty()));
    match lock.tool {
        LockTool::Uv | LockTool::Pixi => all == left && hashed,
        LockTool::Compiled | LockTool::Pylock => {
            let lost = all.difference(&left).collect::<BTreeSet<_>>();
            let asked = cut
                .references()
                .filter(|(id, _)| cut.source(id.source).path != path)
                .any(|(_, r)| lost.contains(&r.subject.name));
            let noted = lock.packages.iter().flat_map(|package| &package.groups).any(|via| lost.contains(via));
            hashed && !asked && !noted
        }
        _ => false,
    }
}

#[test]
fn a_lock_that_was_cut_off_is_told_and_never_fresh() {
    let mut wrong = Vec::new();
    for sound in SOUND {
        let (path, text) = sound.lock();
        let whole = lock_of(&sound.with(text), path).expect("a sound lock is read");
        let mut own = 0;
        for at in cuts(text) {
            let cut = &text[..at];
            let Some(blunder) = sound.blunder(cut) else { continue };
            // The header alone of a compiled file is a file of comments, and no lock.
            let header = sound.name == "compiled" && lock_of(&sound.with(cut), path).is_none();
            if header || is_a_lock_of_its_own(sound, &whole, &sound.with(cut)) {
                own += 1;
                continue;
            }
            let line = cut.lines().last().unwrap_or("").chars().take(90).collect::<String>();
            wrong.push(format!("{} cut at {at} of {}: {blunder}, after {line:?}", sound.name, text.len()));
        }
        let most = if matches!(sound.name, "compiled" | "pylock") { 40 } else { 6 };
        assert!(own <= most, "{}: {own} cuts leave a lock of its own", sound.name);
    }
    assert!(
        wrong.is_empty(),
        "{} cuts\n{}",
        wrong.len(),
        wrong.iter().take(60).cloned().collect::<Vec<_>>().join("\n")
    );
}

/// Every end of a line, with and without it, and places inside of lines.
fn cuts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').flat_map(|(at, _)| [at, at + 1]);
    let inside = (0..text.len()).step_by(23);
    let all: BTreeSet<usize> =
        ends.chain(inside).filter(|at| *at < text.trim_end().len() && text.is_char_boundary(*at)).collect();
    all.into_iter().collect()
}

#[test]
fn a_part_that_was_taken_out_is_told() {
    let mut wrong = Vec::new();
    for sound in SOUND.iter().filter(|sound| !matches!(sound.name, "pipenv" | "pylock")) {
        let (_, text) = sound.lock();
        for (name, from, to) in entries(sound.name, text) {
            let without = format!("{}{}", &text[..from], &text[to..]);
            if let Some(blunder) = sound.blunder(&without) {
                let leaf = sound.name == "compiled" && !["httpx", "httpcore", "anyio"].contains(&name.as_str());
                if !leaf {
                    wrong.push(format!("{} without {name}: {blunder}", sound.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where each entry of a lock begins and ends.
fn entries(tool: &str, text: &str) -> Vec<(String, usize, usize)> {
    let mark = match tool {
        "conda-lock" => "\n- name: ",
        "pixi" => "\n- conda: ",
        "actions" => "\n  'actions/",
        "compiled" => "\n",
        _ => "\n[[package]]\nname = ",
    };
    let mut starts: Vec<usize> = text.match_indices(mark).map(|(at, _)| at + 1).collect();
    if tool == "compiled" {
        starts.retain(|at| text[*at..].starts_with(|c: char| c.is_ascii_alphabetic()));
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]).collect::<Vec<_>>();
    let name = |at: usize| {
        let rest = text[at..].trim_start_matches("[[package]]\nname = ");
        rest.trim_start_matches(['-', ' ', '\'', '"']).split(['=', '"', '\n']).next().unwrap_or("").to_string()
    };
    // poetry writes its own record behind the last entry.
    let end = |end: usize| {
        text[..end]
            .rfind("\n[metadata]")
            .filter(|_| tool.starts_with("poetry") && end == text.len())
            .map_or(end, |at| at + 1)
    };
    starts.iter().zip(ends).map(|(&from, to)| (name(from), from, end(to))).collect()
}

#[test]
fn conflicts_are_told_and_never_fresh() {
    let mut wrong = Vec::new();
    for sound in SOUND {
        let (path, text) = sound.lock();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in (0..lines.len()).step_by(7) {
            let (before, after) = (lines[..at].concat(), lines[at..].concat());
            let (ours, rest) = after.split_once('\n').unwrap_or((&after, ""));
            let conflict = format!("{before}<<<<<<< HEAD\n{ours}\n=======\n{ours}\n>>>>>>> topic\n{rest}");
            let project = sound.with(&conflict);
            let told = check::findings(&project).iter().any(|finding| {
                finding.rule.id == "file-unreadable"
                    && project.path(finding.at) == path
                    && finding.message.contains("conflict")
            });
            if let Some(blunder) = sound.blunder(&conflict) {
                wrong.push(format!("{} conflict before line {}: {blunder}", sound.name, at + 1));
            } else if !told {
                wrong.push(format!("{} conflict before line {}: it is not called one", sound.name, at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unknown_format_version_is_told_and_nothing_of_it_is_trusted() {
    for (name, known, unknown) in [
        ("uv", "version = 1\n", "version = 2\n"),
        ("uv", "version = 1\n", ""),
        ("script", "version = 1\n", "version = 99\n"),
        ("poetry", "lock-version = \"2.1\"", "lock-version = \"3.0\""),
        ("poetry-1", "lock-version = \"1.1\"", "lock-version = \"9\""),
        ("pdm", "lock_version = \"4.5", "lock_version = \"7.5"),
        ("pdm", "lock_version = ", "lock_varsion = "),
        ("pipenv", "\"pipfile-spec\": 6", "\"pipfile-spec\": 7"),
        ("pylock", "lock-version = \"1.0\"", "lock-version = \"2.0\""),
        ("conda-lock", "version: 1\n", "version: 3\n"),
        ("pixi", "version: 6\n", "version: 60\n"),
        ("pixi", "version: 6\n", "version: [6]\n"),
        ("actions", "'v0.0.2'", "'v1.0.0'"),
    ] {
        let sound = SOUND.iter().find(|sound| sound.name == name).expect("it is listed");
        let (path, text) = sound.lock();
        let other = text.replacen(known, unknown, 1);
        assert_ne!(text, other, "{name}");
        assert_eq!(sound.blunder(&other), None, "{name} {unknown:?}");
        let project = sound.with(&other);
        assert!(!lock_of(&project, path).expect("it is read").known, "{name} {unknown:?}");
        assert!(
            project.references().all(|(_, reference)| reference.held.is_none()),
            "{name} {unknown:?} holds something"
        );
    }
}

#[test]
fn hostile_locks_end_soon_and_are_told() {
    for sound in SOUND {
        let (_, text) = sound.lock();
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
        let (toml, json) = (sound.lock().0.ends_with(".lock") && text.contains(" = "), sound.name == "pipenv");
        let nested = match () {
            _ if json => text.replacen(
                "\"develop\": {}",
                &format!("\"develop\": {}", deep("{\"a\":", "}").replace(":}", ":1}")),
                1,
            ),
            _ if toml || sound.name == "pylock" => format!("x = {}\n{text}", deep("[", "]")),
            _ if sound.name == "compiled" => format!("{text}a{}\n", "[".repeat(40_000)),
            _ => format!("x: {}\n{text}", deep("[", "]")),
        };
        let twice = match () {
            _ if json => text.replacen("\"default\": {", "\"default\": {},\n    \"default\": {", 1),
            _ if sound.name == "compiled" => format!("{text}idna==3.19\n    # via anyio\n"),
            _ if toml || sound.name == "pylock" => text.replacen("version = ", "version = \"0\"\nversion = ", 1),
            _ => text.replacen("version: ", "version: 0\nversion: ", 1),
        };
        let garbage = format!("{}\u{0}\u{1}{}", &text[..text.len() / 2], &text[text.len() / 2..]);
        let words = format!("{text}{}", "[[".repeat(200_000));
        for (what, hostile) in [
            ("deep", nested),
            ("twice", twice),
            ("control characters", garbage),
            ("long line", words),
            ("empty", String::new()),
        ] {
            let start = Instant::now();
            let blunder = sound.blunder(&hostile);
            // An empty requirements file is one that asks for nothing, and no lock.
            let empty = what == "empty" && sound.name == "compiled";
            assert!(blunder.is_none() || empty, "{} {what}: {blunder:?}", sound.name);
            assert!(start.elapsed() < Duration::from_secs(20), "{} {what} takes {:?}", sound.name, start.elapsed());
        }
    }
}

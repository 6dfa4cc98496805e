//! Locks that were edited by hand: each edit is an error by the rule that is there for it, and the sound lock has none.

use pinguard::check;
use pinguard::model::finding::Finding;
use pinguard::model::lock::Verdict;
use pinguard::model::policy::Policy;
use pinguard::model::project::{LockState, Project};
use pinguard::model::rule::Level;
use pinguard::model::source::Sources;

struct Case {
    name: String,
    rule: Option<String>,
    files: Vec<(String, String)>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../fixtures/locks/tampered.json");
    let table: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    let cases = table["cases"].as_array().expect("the fixture lists cases");
    let word = |value: &serde_json::Value| value.as_str().map(str::to_string);
    let case = |case: &serde_json::Value| Case {
        name: format!("{} {}", word(&case["tool"]).expect("a tool"), word(&case["name"]).expect("a name")),
        rule: word(&case["rule"]),
        files: case["files"]
            .as_object()
            .expect("files")
            .iter()
            .map(|(path, text)| (path.clone(), word(text).expect("a text")))
            .collect(),
    };
    cases.iter().map(case).collect()
}

fn project(files: &[(String, String)]) -> Project {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(path.as_str(), text.as_str());
    }
    check::read(sources, Vec::new(), Policy::default())
}

fn errors(project: &Project) -> Vec<Finding> {
    let found = check::findings(project).into_iter();
    found.filter(|finding| finding.levels.default == Level::Error).collect()
}

#[test]
fn every_edit_is_an_error_and_sound_locks_have_none() {
    let mut wrong = Vec::new();
    for case in cases() {
        let project = project(&case.files);
        let found = errors(&project);
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule.id).collect();
        match &case.rule {
            None => {
                let locked = |rule: &&str| rule.starts_with("lock-") || rule.starts_with("req-lock");
                let texts: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
                if rules.iter().any(locked) {
                    wrong.push(format!("{}: {texts:?}", case.name));
                }
                // An explicit list does not say what it was made from: nothing can be compared.
                let fresh = |state: &&LockState| match &state.verdict {
                    Verdict::Undecided(_) => case.name.starts_with("explicit"),
                    verdict => *verdict == Verdict::Fresh,
                };
                if let Some(state) = project.locks.iter().find(|state| !fresh(state)) {
                    wrong.push(format!("{}: {:?}", case.name, state.verdict));
                }
            }
            Some(rule) if !rules.contains(&rule.as_str()) => {
                wrong.push(format!("{}: no {rule}, only {rules:?}", case.name))
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_password_is_named_by_its_place_only() {
    let mut count = 0;
    for case in cases().into_iter().filter(|case| case.name.ends_with(" credentials")) {
        count += 1;
        for finding in check::findings(&project(&case.files)) {
            let texts = finding
                .labels
                .iter()
                .map(|label| label.text.as_str())
                .chain([finding.message.as_str(), finding.help.as_str()]);
            for text in texts {
                assert!(!text.contains("correct-horse"), "{}: {text}", case.name);
            }
            assert!(!finding.name.contains("correct-horse") && !finding.key.contains("correct-horse"), "{}", case.name);
        }
    }
    assert!(count >= 8, "only {count} formats have the case");
}

/// A lock that was cut off, or holds both sides of a merge, is said to be so, and is never fresh.
#[test]
fn a_broken_lock_is_told_and_never_fresh() {
    let mut wrong = Vec::new();
    for case in cases().into_iter().filter(|case| case.rule.is_none()) {
        let (path, text) = case.files.iter().find(|(path, _)| is_lock(path)).expect("a case has a lock");
        let half = text.len() / 2;
        let middle = (half..text.len()).find(|&at| text[..at].ends_with('\n')).unwrap_or(text.len());
        let conflict = format!("{}<<<<<<< HEAD\n=======\n{}>>>>>>> topic\n", &text[..middle], &text[middle..]);
        // The last brace, bracket or quote cut in two.
        let cut = text[..text.len() * 3 / 4].trim_end_matches(|c: char| c.is_whitespace());
        let variants = [("conflict", conflict), ("cut off", cut.to_string()), ("empty", String::new())];
        for (what, broken) in variants {
            let files: Vec<(String, String)> = case
                .files
                .iter()
                .map(|(other, text)| (other.clone(), if other == path { broken.clone() } else { text.clone() }))
                .collect();
            let project = project(&files);
            let fresh = project.locks.iter().any(|state| state.verdict == Verdict::Fresh);
            let found = check::findings(&project);
            let unreadable = found
                .iter()
                .find(|finding| finding.rule.id == "file-unreadable" && project.path(finding.at) == path.as_str());
            if fresh && what != "cut off" {
                wrong.push(format!("{} {what}: fresh", case.name));
            }
            if fresh && what == "cut off" && unreadable.is_some() {
                wrong.push(format!("{} {what}: fresh and unreadable", case.name));
            }
            if what == "conflict" && !unreadable.is_some_and(|finding| finding.message.contains("conflict")) {
                wrong.push(format!("{} conflict: {:?}", case.name, unreadable.map(|finding| &finding.message)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_lock(path: &str) -> bool {
    ["lock", "conda-lock.yml", "pylock.toml", "requirements.txt"].iter().any(|end| path.ends_with(end))
}

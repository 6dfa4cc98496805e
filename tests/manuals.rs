//! The manuals are true: every example in them is run.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use pinguard::check;
use pinguard::compare;
use pinguard::model::edit::Patch;
use pinguard::model::finding::{Finding, Remedy};
use pinguard::model::policy::Policy;
use pinguard::model::rule::{Level, Profile};
use pinguard::model::source::Sources;
use pinguard::model::span::SourceId;
use pinguard::rules::manual::{Example, Kind, examples};
use pinguard::rules::{RULES, Registered};

fn findings(files: &[Example], registered: &Registered) -> Vec<Finding> {
    let mut sources = Sources::default();
    let is_answer = |file: &&Example| file.path == "answers.json";
    let is_before = |file: &&Example| file.path.starts_with(BEFORE);
    for file in files.iter().filter(|file| !is_answer(file) && !is_before(file)) {
        sources.add(file.path.clone(), file.text.clone());
    }
    let mut project = check::read(sources, Vec::new(), Policy::default());
    if files.iter().any(|file| is_before(&file)) {
        project.patch = Some(patch(files, &project));
    }
    if let Some(answers) = files.iter().find(is_answer) {
        support::answers::give(&mut project, &answers.text);
    }
    let named = files.last().and_then(|example| example.profile.as_deref());
    let profile = Profile::ALL.into_iter().find(|profile| Some(profile.name()) == named).unwrap_or(Profile::Audit);
    let all = check::findings(&project).into_iter();
    all.filter(|finding| finding.rule == registered.rule && finding.levels.in_profile(profile) > Level::Off).collect()
}

/// Examples of patches have their older side in this folder.
const BEFORE: &str = "before/";

/// The patch between the two sides of an example.
fn patch(files: &[Example], project: &pinguard::model::project::Project) -> pinguard::model::moves::Patch {
    let mut sources = Sources::default();
    let older = |path: &str| files.iter().find(|file| file.path.strip_prefix(BEFORE) == Some(path));
    for file in files {
        if let Some(path) = file.path.strip_prefix(BEFORE) {
            sources.add(path, file.text.clone());
        }
    }
    let newer = files.iter().filter(|file| !file.path.starts_with(BEFORE));
    let changed =
        newer.filter(|file| older(&file.path).is_none_or(|old| old.text != file.text)).map(|file| file.path.clone());
    let moves = compare::moves(&check::read(sources, Vec::new(), Policy::default()), project);
    compare::patch(&moves.rows, changed.collect(), None)
}

#[test]
fn every_example_shows_what_it_says() {
    let mut wrong = Vec::new();
    let mut run = 0;
    for registered in RULES {
        let mut files = Vec::new();
        for example in examples(&registered.manual()) {
            let kind = example.kind;
            let (id, path) = (registered.rule.id, example.path.clone());
            files.push(example);
            if kind == Kind::With {
                continue;
            }
            run += 1;
            let found = findings(&std::mem::take(&mut files), registered);
            let text: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
            if kind == Kind::Bad && found.is_empty() {
                wrong.push(format!("{id}: the bad example {path} has no finding"));
            }
            if kind != Kind::Bad && !found.is_empty() {
                wrong.push(format!("{id}: the {kind:?} example {path} has findings: {text:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {run} examples are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run > 0);
}

/// The text of the bad example after the edits of its findings; `None` when one of them has no edits of its own.
fn mended(files: &[Example], registered: &Registered) -> Option<String> {
    let mut patch = Patch::default();
    let found = findings(files, registered);
    for finding in found {
        let Some(Remedy::Replace { edits, .. }) = finding.remedy else { return None };
        patch.merge(edits).ok()?;
    }
    // Sources are numbered in the order of the files.
    let last = files.len() - 1;
    Some(patch.apply(SourceId(last as u32), &files[last].text))
}

#[test]
fn a_fixed_example_is_the_bad_one_after_its_edits() {
    let mut wrong = Vec::new();
    for registered in RULES {
        let mut bad: Vec<Example> = Vec::new();
        let mut files = Vec::new();
        for example in examples(&registered.manual()) {
            files.push(example);
            let last = &files[files.len() - 1];
            match last.kind {
                Kind::With => {}
                Kind::Bad => bad = std::mem::take(&mut files),
                Kind::Good => files.clear(),
                Kind::Fixed => {
                    let text = if bad.is_empty() { None } else { mended(&bad, registered) };
                    if let Some(text) = text.filter(|text| *text != last.text) {
                        wrong.push(format!("{}: the edits give\n{text}", registered.rule.id));
                    }
                    files.clear();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_manual_has_its_headings_and_both_kinds_of_example() {
    const HEADINGS: &[&str] =
        &["# What it finds", "# Why", "# What is not a finding", "# What to do", "# Levels", "# Examples"];
    let mut wrong = Vec::new();
    for registered in RULES {
        let manual = registered.manual();
        let id = registered.rule.id;
        for heading in HEADINGS {
            if !manual.lines().any(|line| line.trim_start_matches('#').trim() == heading.trim_start_matches("# ")) {
                wrong.push(format!("{id}: no heading `{heading}`"));
            }
        }
        let kinds: Vec<Kind> = examples(&manual).iter().map(|example| example.kind).collect();
        if registered.rule.group.name() != "control" && !(kinds.contains(&Kind::Bad) && kinds.contains(&Kind::Good)) {
            wrong.push(format!("{id}: needs a bad and a good example"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ids_are_unique_and_kebab_case_and_name_their_file() {
    let mut ids: Vec<&str> = RULES.iter().map(|registered| registered.rule.id).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "two rules share an id");
    for id in ids {
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        let file = format!("{}/src/rules/{}.rs", env!("CARGO_MANIFEST_DIR"), id.replace('-', "_"));
        assert!(std::path::Path::new(&file).exists(), "{id} is not in {file}");
    }
}

//! Laws that hold for every fixture, every example of every manual, and, on request, a folder of real repositories.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use pinguard::check;
use pinguard::model::finding::Remedy;
use pinguard::model::project::Project;
use pinguard::model::reference::{Reference, Slot};
use pinguard::model::span::Location;
use support::{Repository, project, repositories};

fn slots(reference: &Reference) -> impl Iterator<Item = (&'static str, Slot)> {
    let site = &reference.site;
    let named = [("version", site.version), ("digest", site.digest), ("note", site.note)];
    named.into_iter().filter_map(|(name, slot)| Some((name, slot?)))
}

fn is_real(project: &Project, at: Location) -> bool {
    project.source(at.source).text.get(at.span.range()).is_some()
}

#[test]
fn every_place_is_on_character_boundaries_of_its_text() {
    for repository in repositories() {
        let project = repository.project();
        for (_, reference) in project.references() {
            let places = slots(reference).map(|(_, slot)| slot.at).chain([reference.site.whole]);
            for at in places {
                assert!(is_real(&project, at), "{}: {:?}", repository.name, reference);
            }
        }
        for site in project.commands() {
            assert!(is_real(&project, site.command.at), "{}: {:?}", repository.name, site.command);
            for word in &site.command.words {
                let text = project.sources.text(word.text.at);
                assert!(!word.text.verbatim || text == word.text.text, "{}: {text:?} {word:?}", repository.name);
            }
        }
        for finding in check::findings(&project) {
            let places = finding.labels.iter().map(|label| label.at).chain([finding.at]);
            for at in places {
                assert!(is_real(&project, at), "{}: {} at {:?}", repository.name, finding.rule.id, at);
            }
        }
    }
}

/// Spelling a reference's own pin changes nothing: each slot holds lead and part, or nothing when the part is absent.
#[test]
fn a_slot_holds_its_part() {
    for repository in repositories() {
        let project = repository.project();
        for (_, reference) in project.references() {
            let pin = &reference.pin;
            for (name, slot) in slots(reference).filter(|(name, _)| *name != "note") {
                let held = project.sources.text(slot.at);
                let whole = if name == "version" { pin.version.clone() } else { pin.digests.first().cloned() };
                let part = held.strip_prefix(slot.lead).map(str::to_string);
                // A git ref has one slot: the digest's holds the tag until there is a digest.
                let fits = held.is_empty() || part == whole || part == pin.version;
                assert!(fits, "{}: {name} slot holds {held:?} of {reference:?}", repository.name);
            }
        }
    }
}

/// The walk is parallel, so files arrive in any order; what is printed must not show it.
#[test]
fn the_order_of_discovery_and_the_number_of_threads_do_not_matter() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let run = |threads: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pinguard"));
        command.args(["check", "--isolated", "--profile", "audit", "--format", "json"]).arg(&folder);
        let output = command.env("RAYON_NUM_THREADS", threads).output().expect("the binary runs");
        String::from_utf8(output.stdout).expect("output is UTF-8")
    };
    let first = run("1");
    assert!(first.contains("image-tag-latest"), "{first}");
    for threads in ["2", "3", "8", "1"] {
        assert_eq!(first, run(threads), "with {threads} threads");
    }
}

#[test]
fn remedies_speak_of_references_that_are_listed() {
    for repository in repositories() {
        let project = repository.project();
        for finding in check::findings(&project) {
            if let Some(Remedy::Tighten { reference, .. }) = finding.remedy {
                assert!(project.references().any(|(id, _)| id == reference), "{}", finding.message);
            }
        }
    }
}

#[test]
fn edits_of_findings_change_only_their_bytes_and_reading_goes_on() {
    for repository in repositories() {
        let project = repository.project();
        for finding in check::findings(&project) {
            let Some(Remedy::Replace { edits, .. }) = &finding.remedy else { continue };
            for edit in edits {
                assert!(is_real(&project, edit.at), "{}: {}", repository.name, finding.message);
            }
        }
    }
}

/// A small generator, so that a failing case can be repeated by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() as usize) % limit.max(1)
    }
}

/// Truncating or mutating any file at any byte never panics.
#[test]
fn reading_is_total() {
    const PIECES: &[&str] = &[
        "\0", "\t", "'", "\"", "{", "[", "}", "]", ":", "- ", "*a", "&a ", "\\", "\n", "\r", "$(", "${{", "<<E", "é",
        "#",
    ];
    let mut random = Random(20261122);
    for Repository { files, .. } in repositories() {
        let total: usize = files.iter().map(|(_, text)| text.len()).sum();
        if total > 200_000 {
            continue;
        }
        for round in 0..24 {
            let mut files = files.clone();
            let index = random.below(files.len());
            let text = &mut files[index].1;
            let at = (0..=random.below(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            if round % 2 == 0 {
                text.truncate(at);
            } else {
                text.insert_str(at, PIECES[random.below(PIECES.len())]);
            }
            let project = project(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
            let _ = check::findings(&project);
        }
    }
}

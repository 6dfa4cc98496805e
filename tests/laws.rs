//! Laws that hold for every fixture, every example of every manual, and, on request, a folder of real repositories.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use pinguard::check::{self, moved};
use pinguard::model::edit::{Edit, Patch};
use pinguard::model::finding::Remedy;
use pinguard::model::knowledge::{GitRef, GitRefs, ImageRepository, Knowledge, Known, Topic};
use pinguard::model::pin::{Pin, Strength};
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::reference::{Ecosystem, Reference, Role, Slot};
use pinguard::model::source::Sources;
use pinguard::model::span::Location;
use pinguard::model::wish::{Because, Goal, Wishes};
use pinguard::plan::topic::{self, Places};
use pinguard::plan::{self, spell};
use std::collections::{BTreeMap, HashSet};
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
                // A requirement has a hash for each of its files, each behind the lead.
                let all = pin.digests.join(slot.lead);
                let whole =
                    if name == "version" { pin.version.clone() } else { Some(all).filter(|all| !all.is_empty()) };
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
fn a_place_that_several_jobs_share_is_told_and_changed_once() {
    let mut shared = 0;
    for repository in repositories() {
        let project = repository.project();
        let mut told = HashSet::new();
        for finding in check::findings(&project) {
            let say = format!("{}: {}: {:?}", repository.name, finding.rule.id, finding);
            assert!(told.insert((finding.rule.id, finding.at, finding.message.clone(), finding.help.clone())), "{say}");
            assert_eq!(finding.labels.iter().collect::<HashSet<_>>().len(), finding.labels.len(), "{say}");
            shared += finding.labels.iter().filter(|label| label.at == finding.at).count();
            let Some(Remedy::Replace { edits, .. }) = &finding.remedy else { continue };
            assert_eq!(edits.iter().collect::<HashSet<_>>().len(), edits.len(), "{say}");
        }
        let mut listed = HashSet::new();
        for (_, reference) in project.references().filter(|(_, reference)| slots(reference).next().is_some()) {
            let what = format!("{:?} {:?} {:?}", reference.subject, reference.pin, reference.role);
            assert!(listed.insert((reference.site.whole, what)), "{}: {reference:?}", repository.name);
        }
    }
    assert!(shared > 5, "`fixtures/shared` has places that several jobs share");
}

#[test]
fn commands_of_a_shared_place_are_counted_once() {
    let repository = repositories().into_iter().find(|one| one.name == "shared").expect("fixtures/shared");
    let project = repository.project();
    let found = check::findings(&project);
    let terse = found.iter().find(|finding| finding.rule.id == "log-verbosity-unset").expect("terse test runs");
    let places: HashSet<Location> = terse.labels.iter().map(|label| label.at).chain([terse.at]).collect();
    assert_eq!(places.len(), terse.labels.len() + 1, "{terse:?}");
    assert!(terse.message.contains(&format!("({} commands)", places.len())), "{}", terse.message);
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

/// A pin that a reference could get: of the form that its place takes, and never its own.
fn other_pin(reference: &Reference) -> Option<Pin> {
    let digest = |length: usize| vec!["ab".repeat(length / 2)];
    let one_slot = reference.site.version.is_none();
    let ecosystem = reference.subject.ecosystem;
    let lead = reference.site.version.map_or("", |slot| slot.lead);
    reference.strength?;
    Some(match ecosystem {
        Ecosystem::Oci => {
            let digests = digest(64).into_iter().map(|hex| format!("sha256:{hex}")).collect();
            let digests = if reference.site.digest.is_some() { digests } else { Vec::new() };
            Pin { version: reference.site.version.map(|_| "9.8.7".to_string()), digests }
        }
        _ if one_slot && reference.site.digest.is_some() => {
            let note = reference.site.note.map(|_| "v9.8.7".to_string());
            Pin { version: note, digests: digest(40) }
        }
        Ecosystem::Pypi if lead != "@" => Pin { version: Some("==9.8.7".into()), digests: Vec::new() },
        _ if reference.site.version.is_some() => Pin { version: Some("9.8.7".into()), digests: Vec::new() },
        _ => return None,
    })
}

fn edited(project: &Project, patch: &Patch) -> Project {
    let mut sources = Sources::default();
    for source in project.sources.iter() {
        sources.add(source.path.as_str(), patch.apply(source.id, &source.text));
    }
    check::read(sources, Vec::new(), Policy::default())
}

/// Ecosystems whose pins are spelled by fixes and upgrades.
fn is_spelled(reference: &Reference) -> bool {
    let asked = matches!(reference.subject.ecosystem, Ecosystem::Oci | Ecosystem::Git | Ecosystem::Pypi);
    asked && !matches!(reference.role, Role::Download)
}

/// Whether the edits reach the digest of a reference.
fn shares_digest(reference: &Reference, edits: &[Edit]) -> bool {
    reference.site.digest.is_some_and(|slot| edits.iter().any(|edit| edit.at == slot.at))
}

/// Whether the edits reach the version of a reference.
fn shares_version(reference: &Reference, edits: &[Edit]) -> bool {
    reference.site.version.is_some_and(|slot| edits.iter().any(|edit| edit.at == slot.at))
}

/// Identity: spelling a reference's own pin yields no edit.
#[test]
fn spelling_its_own_pin_changes_nothing() {
    for repository in repositories() {
        let project = repository.project();
        for (_, reference) in project.references().filter(|(_, reference)| is_spelled(reference)) {
            let computed = reference.strength.is_none();
            let own = spell::edits(&project.sources, reference, &reference.pin).unwrap_or_default();
            assert!(own.is_empty() || computed, "{}: {own:?} for {reference:?}", repository.name);
        }
    }
}

/// Isolation and bytes: after a reference is repinned and read again it has the new pin, every other fact is unchanged, and outside of
/// the edited spans not one byte differs.
#[test]
fn repinning_one_reference_moves_nothing_else() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for repository in repositories() {
        let project = repository.project();
        let total: usize = project.sources.iter().map(|source| source.text.len()).sum();
        // Reading a large repository once for each of its references would take for ever: those are taken apart into some.
        let step = 1 + total / 100_000;
        for (index, (id, reference)) in project.references().enumerate() {
            if index % step != 0 || !is_spelled(reference) {
                continue;
            }
            let Some(to) = other_pin(reference) else { continue };
            let Ok(edits) = spell::edits(&project.sources, reference, &to) else { continue };
            let mut patch = Patch::default();
            patch.merge(edits.clone()).expect("one group");
            let after = edited(&project, &patch);
            tried += 1;
            // References that share the text move together.
            let shares = |other: &Reference| slots(other).any(|(_, slot)| edits.iter().any(|edit| edit.at == slot.at));
            let sharing = project.references().filter(|(_, other)| other.subject == reference.subject && shares(other));
            let together = sharing.map(|(id, other)| {
                let digests = if shares_digest(other, &edits) { to.digests.clone() } else { other.pin.digests.clone() };
                // Members of a matrix have versions of their own before the one digest that is written behind all of them.
                let version =
                    if shares_version(other, &edits) { to.version.clone() } else { other.pin.version.clone() };
                (id, Pin { version, digests })
            });
            let intended = together.chain(std::iter::once((id, to.clone()))).collect();
            for (source, why) in moved::wrong(&project, &after, &intended) {
                let text = project.sources.text(reference.site.whole);
                wrong.push(format!("{}: {} `{text}`: {why}", repository.name, project.source(source).path));
            }
            outside_is_untouched(&project, &after, &patch);
        }
    }
    assert!(tried > 50, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

fn outside_is_untouched(before: &Project, after: &Project, patch: &Patch) {
    for source in before.sources.iter() {
        let new = &after.source(source.id).text;
        let (mut old_at, mut new_at) = (0, 0);
        for edit in patch.of(source.id) {
            let start = edit.at.span.start as usize;
            let kept = &source.text[old_at..start];
            assert_eq!(kept, &new[new_at..new_at + kept.len()], "{}", source.path);
            (old_at, new_at) = (edit.at.span.end as usize, new_at + kept.len() + edit.text.len());
        }
        assert_eq!(&source.text[old_at..], &new[new_at..], "{}", source.path);
    }
}

/// An answer to everything: each tag has a digest that a whole version has too, each ref is a commit that a whole version names.
fn full_knowledge(project: &Project, places: &Places) -> Knowledge {
    let mut images: BTreeMap<Topic, ImageRepository> = BTreeMap::new();
    let mut refs: BTreeMap<Topic, GitRefs> = BTreeMap::new();
    for (_, reference) in project.references() {
        let Some(topic) = topic::of(reference, places) else { continue };
        let version = reference.pin.version.clone();
        match topic.subject.ecosystem {
            Ecosystem::Oci => {
                let image = images.entry(topic).or_default();
                let digest = format!("sha256:{}", "cd".repeat(32));
                let tag = version.unwrap_or_else(|| "latest".into());
                image.digests.insert(tag, Some(digest));
            }
            Ecosystem::Git => {
                let host = refs.entry(topic).or_default();
                let commit = "cd".repeat(20);
                host.head = Some(commit.clone());
                let named = |name: String| GitRef { name, commit: commit.clone(), object: None, date: None };
                host.tags.push(named(version.unwrap_or_else(|| "v0".into())));
                host.tags.push(named("v9.8.7".into()));
            }
            _ => {}
        }
    }
    let mut knowledge = Knowledge::default();
    images.into_iter().for_each(|(topic, known)| knowledge.put(topic, Ok(Known::Registry(known))));
    refs.into_iter().for_each(|(topic, known)| knowledge.put(topic, Ok(Known::Host(known))));
    knowledge
}

/// Confluence and idempotence: wishes in any order, and any of them twice, give the same patch; what was moved is not moved again.
#[test]
fn wishes_in_any_order_give_one_patch_and_once_is_enough() {
    let places = Places::default();
    let mut moved_in_all = 0;
    for repository in repositories() {
        let project = repository.project();
        let knowledge = full_knowledge(&project, &places);
        let list: Vec<_> = check::findings(&project)
            .into_iter()
            .filter_map(|finding| match finding.remedy {
                Some(Remedy::Tighten { reference, to }) => Some((reference, Goal::hold(to), finding.rule.id)),
                _ => None,
            })
            .collect();
        let wishes = |order: &mut dyn Iterator<Item = usize>| {
            let mut wishes = Wishes::default();
            order.for_each(|at| wishes.add(list[at].0, list[at].1, Because::Rule(list[at].2)));
            wishes
        };
        let forward = plan::moves(&project, &wishes(&mut (0..list.len())), &knowledge, &places);
        let backward = plan::moves(&project, &wishes(&mut (0..list.len()).rev()), &knowledge, &places);
        let twice = plan::moves(&project, &wishes(&mut (0..list.len()).chain(0..list.len())), &knowledge, &places);
        assert_eq!(forward, backward, "{}", repository.name);
        assert_eq!(forward, twice, "{}", repository.name);
        moved_in_all += forward.changes.len();
        let after = edited(&project, &forward.patch());
        let mut again = Wishes::default();
        for (change, _) in &forward.changes {
            again.add(change.reference, Goal::hold(Strength::Exact), Because::Newer);
        }
        let knowledge = full_knowledge(&after, &places);
        let same_shape = project.facts.iter().zip(&after.facts).all(|(a, b)| a.references.len() == b.references.len());
        if same_shape {
            let again = plan::moves(&after, &again, &knowledge, &places);
            assert!(again.changes.is_empty(), "{}: {:?}", repository.name, again.changes);
        }
    }
    assert!(moved_in_all > 20, "{moved_in_all}");
}

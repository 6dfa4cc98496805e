//! What moved outside of locks: requirements of manifests, images, components, tools. Knows no format.

use super::motion;
use crate::model::moves::{Motion, Move, Place};
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use std::collections::{BTreeMap, BTreeSet};

/// What two states of one reference have in common.
type Key<'p> = (&'p str, Place, Role, &'p str);

/// Rows of every reference that is written in no lock.
pub fn moves(base: &Project, head: &Project) -> Vec<Move> {
    let (old, new) = (by_key(base), by_key(head));
    let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
    let mut rows = Vec::new();
    for key in keys {
        let pins = |side: &BTreeMap<Key, Vec<&Reference>>| -> BTreeMap<String, Pinned> {
            side.get(key).into_iter().flatten().map(|reference| (shown(reference), pinned(reference))).collect()
        };
        let (before, after) = (pins(&old), pins(&new));
        let gone: Vec<(&String, &Pinned)> = before.iter().filter(|(pin, _)| !after.contains_key(*pin)).collect();
        let come: Vec<(&String, &Pinned)> = after.iter().filter(|(pin, _)| !before.contains_key(*pin)).collect();
        match (gone.as_slice(), come.as_slice()) {
            ([(from, was)], [(to, is)]) => rows.push(changed(key, (from, was), (to, is))),
            (gone, come) => {
                rows.extend(gone.iter().map(|(from, _)| row(key, Motion::Removed, Some(from), None, false)));
                rows.extend(come.iter().map(|(to, _)| row(key, Motion::Added, None, Some(to), false)));
            }
        }
    }
    rows
}

/// The parts of a pin that tell how it moved.
struct Pinned {
    version: String,
    digest: String,
    /// The version is one release, and not a range or a moving word.
    exact: bool,
    ecosystem: Ecosystem,
}

fn pinned(reference: &Reference) -> Pinned {
    let version = reference.noted.clone().or_else(|| reference.pin.version.clone()).unwrap_or_default();
    let exact = reference.strength >= Some(Strength::Exact);
    let digest = reference.pin.digests.join(" ");
    Pinned { version, digest, exact, ecosystem: reference.subject.ecosystem }
}

fn by_key(project: &Project) -> BTreeMap<Key<'_>, Vec<&Reference>> {
    let mut found: BTreeMap<Key, Vec<&Reference>> = BTreeMap::new();
    for (id, reference) in project.references() {
        let own = matches!(reference.origin, Origin::Local | Origin::Path(_));
        if own || reference.subject.name.is_empty() || !project.facts_of(id.source).locks.is_empty() {
            continue;
        }
        let key = (
            project.source(id.source).path.as_str(),
            place(reference),
            reference.role,
            reference.subject.name.as_str(),
        );
        found.entry(key).or_default().push(reference);
    }
    found
}

fn place(reference: &Reference) -> Place {
    match (reference.subject.ecosystem, reference.role) {
        (_, Role::Runner | Role::Python | Role::Toolchain | Role::Tool | Role::Install) => Place::Tool,
        (_, Role::CiStep | Role::CiInclude | Role::Hook | Role::Clone | Role::DevFeature | Role::Manifests) => {
            Place::Component
        }
        (Ecosystem::Oci, _) => Place::Image,
        (Ecosystem::Orb | Ecosystem::Git, _) => Place::Component,
        (Ecosystem::Toolchain, _) => Place::Tool,
        _ => Place::Manifest,
    }
}

/// The pin as a row shows it: version, and the beginning of a digest.
fn shown(reference: &Reference) -> String {
    let pin = &reference.pin;
    let version = reference.noted.as_deref().or(pin.version.as_deref()).unwrap_or("");
    let digest = pin
        .digests
        .first()
        .map(|digest| digest.rsplit(':').next().unwrap_or(digest))
        .map(|digest| digest.get(..12).unwrap_or(digest));
    match (version, digest) {
        ("", None) => "any".to_string(),
        ("", Some(digest)) => digest.to_string(),
        (version, None) => version.to_string(),
        (version, Some(digest)) => format!("{version} ({digest})"),
    }
}

fn changed(key: &Key, (from, was): (&str, &Pinned), (to, is): (&str, &Pinned)) -> Move {
    let both = !was.digest.is_empty() && !is.digest.is_empty();
    let same = !was.version.is_empty() && was.version == is.version;
    // A moving tag of an image, or a moving tag in a note, has another digest with each release.
    let released = was.version.matches('.').count() >= 2 && was.ecosystem != Ecosystem::Oci;
    let motion = match () {
        _ if same && both && released => Motion::HashChanged,
        _ if same || was.version.is_empty() || is.version.is_empty() => Motion::Changed,
        _ => motion(&was.version, &is.version),
    };
    let mut row = row(key, motion, Some(from), Some(to), was.exact);
    if motion == Motion::HashChanged {
        row.note = "another commit under the same release".to_string();
    }
    row
}

fn row(key: &Key, motion: Motion, from: Option<&str>, to: Option<&str>, pinned: bool) -> Move {
    let (path, place, _, name) = *key;
    let text = |pin: Option<&str>| pin.map(str::to_string);
    Move {
        path: path.to_string(),
        place,
        motion,
        name: name.to_string(),
        from: text(from),
        to: text(to),
        note: String::new(),
        pinned,
    }
}

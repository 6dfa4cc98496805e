//! Proof of an edit: a project is read before and after, and only the intended references may differ.

use crate::model::pin::Pin;
use crate::model::project::Project;
use crate::model::reference::{Reference, ReferenceId};
use crate::model::span::SourceId;
use std::collections::{BTreeMap, BTreeSet};

/// Sources in which `after` reads differently from what `intended` says, with a word what is wrong.
///
/// `after` has the same sources in the same order, with edited texts. References are compared by what they say, not by where they
/// stand.
pub fn wrong(before: &Project, after: &Project, intended: &BTreeMap<ReferenceId, Pin>) -> BTreeMap<SourceId, String> {
    let mut wrong = BTreeMap::new();
    for (old, new) in before.facts.iter().zip(&after.facts) {
        let Some(source) = old.source else { continue };
        if let Some(why) = source_wrong(source, &old.references, &new.references, intended) {
            wrong.insert(source, why);
        } else if new.problems.len() > old.problems.len() {
            wrong.insert(source, "the file could not be read any more".to_string());
        }
    }
    wrong
}

fn source_wrong(
    source: SourceId,
    old: &[Reference],
    new: &[Reference],
    intended: &BTreeMap<ReferenceId, Pin>,
) -> Option<String> {
    if old.len() != new.len() {
        return Some("other references would appear or vanish".to_string());
    }
    for (index, (old, new)) in old.iter().zip(new).enumerate() {
        let id = ReferenceId { source, index: index as u32 };
        let fits = match intended.get(&id) {
            Some(to) => old.subject == new.subject && old.role == new.role && holds(new, to),
            None => same(old, new),
        };
        if !fits {
            return Some(format!("`{}` would read differently", old.subject.name));
        }
    }
    None
}

/// Whether two readings say the same, wherever they stand.
pub fn same(old: &Reference, new: &Reference) -> bool {
    old.subject == new.subject
        && old.pin == new.pin
        && old.strength == new.strength
        && old.role == new.role
        && old.origin == new.origin
        && old.extras == new.extras
        && old.marker == new.marker
        && old.noted == new.noted
}

/// Whether a reference holds a pin that was spelled into it.
fn holds(new: &Reference, to: &Pin) -> bool {
    let digests = to.digests.is_empty() || new.pin.digests == to.digests;
    let in_note = new.site.version.is_none() && !to.digests.is_empty();
    // A note that names no version (`# main`) is a comment and nothing else.
    let version = to.version.is_none() || new.pin.version == to.version || in_note;
    digests && version
}

/// Sources that a set of changes touches.
pub fn touched(intended: &BTreeMap<ReferenceId, Pin>) -> BTreeSet<SourceId> {
    intended.keys().map(|id| id.source).collect()
}

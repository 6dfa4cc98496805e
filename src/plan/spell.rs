//! A pin into the slots of its reference: an edit is the difference between what a slot holds and what it would hold.

use crate::model::change::Why;
use crate::model::edit::Edit;
use crate::model::pin::Pin;
use crate::model::reference::{Ecosystem, Reference, Slot};
use crate::model::source::Sources;

/// The edits that make a reference hold `to`; none when it does already.
///
/// A reference to git has one slot for its ref: it holds the version until there is a commit, and then the version moves to the note.
/// Parts that `to` does not name stay as they are.
pub fn edits(sources: &Sources, reference: &Reference, to: &Pin) -> Result<Vec<Edit>, Why> {
    let site = &reference.site;
    if site.version.is_none() && site.digest.is_none() {
        return Err(if reference.strength.is_none() { Why::Computed } else { Why::ReadOnly });
    }
    let digest = to.digests.first();
    let one_slot = site.version.is_none() && reference.subject.ecosystem != Ecosystem::Oci;
    if !one_slot && digest.is_some() && site.digest.is_none() {
        return Err(Why::Ceiling("it takes a version only".to_string()));
    }
    let parts: [(Option<Slot>, Option<&String>); 3] = [
        (site.version, to.version.as_ref()),
        (site.digest, digest.or(to.version.as_ref().filter(|_| one_slot))),
        (site.note, to.version.as_ref().filter(|_| one_slot && digest.is_some())),
    ];
    let mut edits: Vec<Edit> = Vec::new();
    for (slot, part) in parts {
        let (Some(slot), Some(part)) = (slot, part) else { continue };
        let text = match reference.subject.ecosystem {
            // A Python release has a hash for each of its files, one after the other.
            Ecosystem::Pypi if Some(part) == digest => {
                to.digests.iter().map(|digest| format!("{}{digest}", slot.lead)).collect()
            }
            _ => format!("{}{part}", slot.lead),
        };
        if sources.text(slot.at) == text {
            continue;
        }
        match edits.iter_mut().find(|edit| edit.at == slot.at && slot.at.span.is_empty()) {
            // Two empty slots at one point: the parts follow each other in their order.
            Some(edit) => edit.text.push_str(&text),
            None => edits.push(Edit::replace(slot.at, text)),
        }
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::{git, oci};
    use crate::model::edit::Patch;
    use crate::model::reference::Role;
    use crate::model::span::{Location, Span};
    use crate::model::text::Text;

    const SHA: &str = "11bd71901bbe5b1630ceea73d27597364c9af683";

    fn pin(version: Option<&str>, digest: Option<&str>) -> Pin {
        Pin { version: version.map(str::to_string), digests: digest.map(str::to_string).into_iter().collect() }
    }

    fn image(text: &str, to: &Pin) -> String {
        spelled(text, to, |text| oci::image(&text, Role::BaseImage, "").expect("an image"))
    }

    fn action(text: &str, to: &Pin) -> String {
        spelled(text, to, |text| git::action(&text, None, Role::CiStep, "").expect("an action"))
    }

    fn spelled(text: &str, to: &Pin, read: impl Fn(Text) -> Reference) -> String {
        let mut sources = Sources::default();
        let id = sources.add("a", text);
        let at = Location::new(id, Span::new(0, text.len()));
        let reference = read(Text { text: text.to_string(), at, verbatim: true });
        let own = edits(&sources, &reference, &reference.pin).expect("slots");
        assert_eq!(own, [], "its own pin is spelled as it stands");
        let mut patch = Patch::default();
        patch.merge(edits(&sources, &reference, to).expect("slots")).expect("one group");
        patch.apply(id, text)
    }

    #[test]
    fn parts_go_into_their_slots() {
        let digest = "sha256:aa";
        assert_eq!(image("python", &pin(Some("3.12.7"), Some(digest))), "python:3.12.7@sha256:aa");
        assert_eq!(image("python:3", &pin(Some("3.12.7"), Some(digest))), "python:3.12.7@sha256:aa");
        assert_eq!(image("python:3", &pin(Some("3"), Some(digest))), "python:3@sha256:aa");
        assert_eq!(image("python:3@sha256:bb", &pin(Some("3.1"), Some(digest))), "python:3.1@sha256:aa");
        assert_eq!(action("a/b@v4", &pin(Some("v4.2.1"), Some(SHA))), format!("a/b@{SHA} # v4.2.1"));
        assert_eq!(action("a/b@v4", &pin(Some("v5"), None)), "a/b@v5");
        assert_eq!(action("a/b", &pin(Some("v4.2.1"), Some(SHA))), format!("a/b@{SHA} # v4.2.1"));
    }
}

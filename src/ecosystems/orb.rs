//! CircleCI orbs: `namespace/orb@version`. Asks no registry.
//!
//! A published version never changes; `@1`, `@1.2` and `@volatile` move to the newest that fits, and `@dev:name` can be published again.
//! <https://circleci.com/docs/orb-concepts/#semantic-versioning-for-orbs>

use super::{dotted, variable};
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Site, Slot};
use crate::model::text::Text;

/// Reads the value of an entry of `orbs`; `None` for an address of a file (`https://…`), which has no version.
pub fn orb(text: &Text, key: &str) -> Option<Reference> {
    let written = text.text.trim();
    let (name, version) = written.split_once('@').map_or((written, None), |(name, version)| (name, Some(version)));
    if !name.contains('/') || name.contains("://") || name.contains(char::is_whitespace) {
        return None;
    }
    let mut reference = Reference::new(Ecosystem::Orb, name, Role::CiStep, text.at);
    reference.key = key.to_string();
    reference.strength = version.map_or(Some(Strength::Unspecified), strength);
    reference.pin = Pin { version: version.map(str::to_string), digests: Vec::new() };
    if text.verbatim {
        let start = text.text.find(written).unwrap_or(0);
        let slot = start + name.len()..start + written.len();
        let version = Some(Slot { at: text.at.slice(slot), lead: "@" });
        reference.site = Site { whole: text.at, version, digest: None, note: None };
    }
    Some(reference)
}

fn strength(version: &str) -> Option<Strength> {
    if variable::is_variable(version) {
        return None;
    }
    let number = dotted::read(version).filter(|number| number.rest.is_empty());
    Some(number.map_or(Strength::Floating(Precision::Word), |number| number.strength()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, SourceId, Span};

    #[test]
    fn versions_are_ranked_and_have_a_slot() {
        let rows = [
            ("circleci/python@2.1.1", Some(Strength::Exact), "@2.1.1"),
            ("circleci/python@2.1", Some(Strength::Floating(Precision::Minor)), "@2.1"),
            ("circleci/python@2", Some(Strength::Floating(Precision::Major)), "@2"),
            ("circleci/python@volatile", Some(Strength::Floating(Precision::Word)), "@volatile"),
            ("acme/x@dev:first", Some(Strength::Floating(Precision::Word)), "@dev:first"),
            ("acme/x@<<pipeline.parameters.v>>", None, "@<<pipeline.parameters.v>>"),
            ("acme/x", Some(Strength::Unspecified), ""),
        ];
        for (written, want, slot) in rows {
            let at = Location::new(SourceId(0), Span::new(0, written.len()));
            let got = orb(&Text { text: written.into(), at, verbatim: true }, "orbs.x").expect("an orb");
            assert_eq!(got.strength, want, "{written}");
            assert_eq!(&written[got.site.version.expect("a slot").at.span.range()], slot);
        }
        let at = Location::new(SourceId(0), Span::empty(0));
        assert!(orb(&Text { text: "https://example.com/orb.yml".into(), at, verbatim: true }, "k").is_none());
    }
}

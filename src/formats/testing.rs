//! What tests of formats share: one text in, facts out. Not compiled into the program.

use super::Format;
use crate::model::facts::Facts;
use crate::model::source::Sources;

/// The facts of a text at a path.
pub fn facts_of(format: &Format, path: &str, text: &str) -> Facts {
    facts_among(format, &[(path, text)])
}

/// The facts of the first of several texts.
pub fn facts_among(format: &Format, texts: &[(&str, &str)]) -> Facts {
    let mut sources = Sources::default();
    let ids: Vec<_> = texts.iter().map(|(path, text)| sources.add(*path, *text)).collect();
    let mut facts = Facts::of(ids[0], format.name);
    (format.read)(sources.get(ids[0]), &sources, &mut facts);
    facts
}

/// `name:version` or `name@digest` of every reference in order.
pub fn names(facts: &Facts) -> Vec<String> {
    let name = |reference: &crate::model::reference::Reference| {
        let version = reference.pin.version.iter().map(|version| format!(":{version}"));
        let digests = reference.pin.digests.iter().map(|digest| format!("@{digest}"));
        reference.subject.name.clone() + &version.chain(digests).collect::<String>()
    };
    facts.references.iter().map(name).collect()
}

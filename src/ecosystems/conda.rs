//! How conda match specifications are written and read. Asks no channel.
//!
//! Source: conda's documentation, "Package match specifications".

use super::pypi::is_computed;
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Slot};
use crate::model::text::Text;
use std::ops::Range;

/// Reads one match specification: `channel::name=version=build`, `name >=1,<2`, `name[version='1.*']`.
///
/// The version slot holds the operator (`=1.26=build` as a whole) with an empty lead.
pub fn requirement(text: &Text, role: Role, key: &str) -> Result<Reference, String> {
    let source = text.text.as_str();
    let start = source.len() - source.trim_start().len();
    let end = start + source[start..].find(" #").unwrap_or(source.trim_end().len().saturating_sub(start));
    let end = start + source[start..end].trim_end().len();
    if start >= end {
        return Err("an empty match specification".to_string());
    }
    let name_at = source[start..end].find("::").map_or(start, |at| start + at + 2);
    let len = source[name_at..end].bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count();
    if len == 0 {
        return Err(format!(
            "`{}` does not begin with a package name",
            source[name_at..end].chars().take(40).collect::<String>()
        ));
    }
    let name = source[name_at..name_at + len].to_ascii_lowercase();
    let mut reference = Reference::new(Ecosystem::Conda, name, role, text.place(start..end));
    reference.key = key.to_string();
    if name_at > start {
        reference.origin = Origin::Url(source[start..name_at - 2].to_string());
    }
    version_into(&mut reference, text, name_at + len..end);
    Ok(reference)
}

/// A conda package whose version stands in a text of its own (`pixi.toml`).
pub fn named(name: &str, version: &Text, role: Role, key: &str) -> Reference {
    let mut reference = Reference::new(Ecosystem::Conda, name.to_ascii_lowercase(), role, version.at);
    reference.key = key.to_string();
    let written = version.text.trim();
    reference.strength = strength(written);
    reference.pin.version = (!written.is_empty()).then(|| written.to_string());
    reference.site.version = version.verbatim.then_some(Slot { at: version.at, lead: "" });
    reference
}

fn version_into(reference: &mut Reference, text: &Text, rest: Range<usize>) {
    let part = bracketed(&text.text, rest.clone()).unwrap_or_else(|| {
        let slice = &text.text[rest.clone()];
        let upto = slice.find('[').unwrap_or(slice.len());
        let start = rest.start + (slice[..upto].len() - slice[..upto].trim_start().len());
        start..(rest.start + slice[..upto].trim_end().len()).max(start)
    });
    let written = text.text[part.clone()].trim();
    reference.strength = strength(written);
    reference.pin.version = (!written.is_empty()).then(|| written.to_string());
    let part = if part.is_empty() { rest.start..rest.start } else { part };
    reference.site.version = text.verbatim.then(|| Slot { at: text.place(part), lead: "" });
}

/// The version inside `[version='…']`.
fn bracketed(text: &str, rest: Range<usize>) -> Option<Range<usize>> {
    let at = rest.start + text[rest.clone()].find("version=")? + "version=".len();
    text[rest.start..at].contains('[').then_some(())?;
    let quote = text[at..rest.end].chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let len = text[at + 1..rest.end].find(quote)?;
    Some(at + 1..at + 1 + len)
}

/// How firmly a version of a match specification holds; empty names none. `None`: it is computed elsewhere.
pub fn strength(written: &str) -> Option<Strength> {
    let written = written.trim();
    if is_computed(written) {
        return None;
    }
    if written.is_empty() {
        return Some(Strength::Unspecified);
    }
    let alternatives = written.split('|').filter(|part| !part.is_empty());
    alternatives.map(|part| part.split(',').map(clause).max().unwrap_or(Strength::Unspecified)).min()
}

fn clause(clause: &str) -> Strength {
    let clause = clause.trim();
    let fixed = |parts: usize| {
        Strength::Floating(match parts {
            0 => Precision::Word,
            1 => Precision::Major,
            _ => Precision::Minor,
        })
    };
    if let Some(version) = clause.strip_prefix("~=") {
        return fixed(count(version).saturating_sub(1));
    }
    if clause.starts_with(['>', '<', '!', '~', '^']) {
        return Strength::Floating(Precision::Word);
    }
    let exact = clause.starts_with("==");
    let fuzzy = clause.starts_with('=') && !exact;
    let mut words = clause.trim_start_matches('=').trim().splitn(2, ['=', ' ']);
    let version = words.next().unwrap_or("").trim();
    let build = words.next().is_some_and(|build| !build.trim().is_empty() && build.trim() != "*");
    if let Some(prefix) = version.strip_suffix('*') {
        return fixed(count(prefix));
    }
    // `=1.26.4` would also take `1.26.4.1`, which next to nobody publishes: people write it to mean one version.
    match fuzzy && !build && count(version) < 3 {
        true => fixed(count(version)),
        false => Strength::Exact,
    }
}

fn count(version: &str) -> usize {
    version.trim().split(['.', '-']).filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, SourceId, Span};

    fn read(source: &str) -> (Reference, String) {
        let at = Location::new(SourceId(0), Span::new(0, source.len()));
        let text = Text { text: source.to_string(), at, verbatim: true };
        let found = requirement(&text, Role::Runtime, "").unwrap_or_else(|why| panic!("{source}: {why}"));
        let slot = source[found.site.version.unwrap().at.span.range()].to_string();
        (found, slot)
    }

    #[test]
    fn specifications_have_a_slot_and_a_strength() {
        let floating = Strength::Floating;
        for (source, name, slot, strength) in [
            ("numpy", "numpy", "", Strength::Unspecified),
            ("numpy=1.26", "numpy", "=1.26", floating(Precision::Minor)),
            ("numpy=1", "numpy", "=1", floating(Precision::Major)),
            ("numpy=1.26.4", "numpy", "=1.26.4", Strength::Exact),
            ("numpy==1.26.4", "numpy", "==1.26.4", Strength::Exact),
            ("numpy=1.26.4=py312h_0", "numpy", "=1.26.4=py312h_0", Strength::Exact),
            ("numpy 1.26.*", "numpy", "1.26.*", floating(Precision::Minor)),
            ("numpy 1.26", "numpy", "1.26", Strength::Exact),
            ("conda-forge::numpy >=1.2,<2", "numpy", ">=1.2,<2", floating(Precision::Word)),
            ("numpy[version='1.*']", "numpy", "1.*", floating(Precision::Major)),
            ("numpy>=1.2 # why", "numpy", ">=1.2", floating(Precision::Word)),
            ("r-base=4.1|=4.2.1", "r-base", "=4.1|=4.2.1", floating(Precision::Minor)),
        ] {
            let (found, written) = read(source);
            assert_eq!((found.subject.name.as_str(), written.as_str()), (name, slot), "{source}");
            assert_eq!(found.strength, Some(strength), "{source}");
        }
    }
}

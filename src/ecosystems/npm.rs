//! How Node packages are written on command lines and in hook lists: `name@version`. Asks no registry.
//!
//! Source: npm's documentation, "package-spec" and "semver".

use super::pypi::{is_computed, without_credentials};
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Slot};
use crate::model::text::Text;

/// Reads `name`, `name@version`, `@scope/name@tag`, `git+https://…#ref`, `github:owner/repo#ref`. `None`: a path, an alias, or a word that
/// cannot be seen.
pub fn package(text: &Text, role: Role, key: &str) -> Option<Reference> {
    let source = text.text.as_str();
    let git = source.starts_with("git+") || source.starts_with("git://") || source.starts_with("github:");
    if git || source.contains("://") {
        return Some(url(text, git, role, key));
    }
    let at = source.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1);
    let name = &source[..at.unwrap_or(source.len())];
    if !is_name(name) {
        return None;
    }
    let mut reference = Reference::new(Ecosystem::Npm, name, role, text.at);
    reference.key = key.to_string();
    let part = at.unwrap_or(source.len())..source.len();
    reference.site.version = text.verbatim.then(|| Slot { at: text.place(part), lead: "@" });
    if let Some(version) = at.map(|at| &source[at + 1..]) {
        reference.pin.version = Some(version.to_string());
        reference.strength = strength(version);
    }
    Some(reference)
}

fn url(text: &Text, git: bool, role: Role, key: &str) -> Reference {
    let (base, reference_name) =
        text.text.split_once('#').map_or((text.text.as_str(), None), |(base, name)| (base, Some(name)));
    let ecosystem = if git { Ecosystem::Git } else { Ecosystem::Npm };
    let mut reference = Reference::new(ecosystem, super::git::name_of(base.trim_start_matches("git+")), role, text.at);
    reference.key = key.to_string();
    reference.origin =
        if git { Origin::Vcs(without_credentials(base)) } else { Origin::Url(without_credentials(base)) };
    if let Some(name) = reference_name {
        reference.pin.version = Some(name.to_string());
        reference.strength = if is_computed(name) { None } else { Some(super::git::ref_strength(name)) };
    }
    reference
}

/// Whether a text is a name of the registry: `name`, `@scope/name`.
fn is_name(name: &str) -> bool {
    let ok = |part: &str| {
        let first = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        first && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| ok(scope) && ok(name)),
        None => ok(name) && !name.ends_with(".tgz"),
    }
}

/// How firmly a version holds: `1.2.3` is one version, `1.2` and `~1.2.3` a minor, `1` and `^1.2.3` a major, words move.
pub fn strength(version: &str) -> Option<Strength> {
    if is_computed(version) {
        return None;
    }
    let floating = |precision| Some(Strength::Floating(precision));
    let bare = version.trim_start_matches(['=', 'v', '^', '~']);
    let numbers = bare
        .split(['-', '+'])
        .next()
        .unwrap_or("")
        .split('.')
        .take_while(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty())
        .count();
    match (version.as_bytes().first(), numbers) {
        (_, 0) => floating(Precision::Word),
        (Some(b'^'), _) | (_, 1) => floating(Precision::Major),
        (Some(b'~'), _) | (_, 2) => floating(Precision::Minor),
        (Some(b'>' | b'<'), _) => floating(Precision::Word),
        _ if version.contains([' ', '|', '*', 'x']) && !version.contains('-') => floating(Precision::Word),
        _ => Some(Strength::Exact),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, SourceId, Span};

    #[test]
    fn packages_have_a_version_behind_an_at() {
        let floating = |precision| Some(Strength::Floating(precision));
        for (source, name, slot, strength) in [
            ("eslint", "eslint", "", Some(Strength::Unspecified)),
            ("eslint@8.1.0", "eslint", "@8.1.0", Some(Strength::Exact)),
            ("eslint@8", "eslint", "@8", floating(Precision::Major)),
            ("eslint@^8.1.0", "eslint", "@^8.1.0", floating(Precision::Major)),
            ("eslint@~8.1.0", "eslint", "@~8.1.0", floating(Precision::Minor)),
            ("eslint@latest", "eslint", "@latest", floating(Precision::Word)),
            ("eslint@>=8", "eslint", "@>=8", floating(Precision::Word)),
            ("@scope/tool@1.2.3-rc.1", "@scope/tool", "@1.2.3-rc.1", Some(Strength::Exact)),
            ("eslint@$V", "eslint", "@$V", None),
        ] {
            let at = Location::new(SourceId(0), Span::new(0, source.len()));
            let text = Text { text: source.to_string(), at, verbatim: true };
            let found = package(&text, Role::Tool, "").unwrap();
            let written = &source[found.site.version.unwrap().at.span.range()];
            assert_eq!((found.subject.name.as_str(), written, found.strength), (name, slot, strength), "{source}");
        }
    }

    #[test]
    fn paths_are_no_packages() {
        for source in ["./x", "../x", "x.tgz", "$X", "a/b", ""] {
            let at = Location::new(SourceId(0), Span::new(0, source.len()));
            assert_eq!(
                package(&Text { text: source.to_string(), at, verbatim: true }, Role::Tool, ""),
                None,
                "{source}"
            );
        }
    }
}

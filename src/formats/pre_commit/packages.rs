//! `additional_dependencies`: which registry a hook's extra packages come from. Knows hooks by their spelling only.

use crate::ecosystems::{pypi, toolchain};
use crate::model::pin::Pin;
use crate::model::reference::{Ecosystem, Reference, Role, Site, Slot};
use crate::model::text::Text;

/// Where a hook's packages come from: its `language`, else what its repository and the packages look like; `None` for languages whose
/// packages are not known here.
pub fn kind(language: Option<&str>, url: &str, texts: &[Text]) -> Option<Ecosystem> {
    const NODE: [&str; 8] =
        ["eslint", "prettier", "stylelint", "commitlint", "markdownlint", "csslint", "jshint", "biome"];
    match language {
        Some("python" | "python_venv") => Some(Ecosystem::Pypi),
        Some("node") => Some(Ecosystem::Npm),
        Some("golang") => Some(Ecosystem::Go),
        Some("rust") => Some(Ecosystem::Cargo),
        Some("conda") => Some(Ecosystem::Conda),
        Some(_) => None,
        None if texts.iter().any(|text| is_go(&text.text)) => Some(Ecosystem::Go),
        None if texts.iter().any(|text| npm_at(&text.text).is_some()) => Some(Ecosystem::Npm),
        None if NODE.iter().any(|name| url.contains(name)) => Some(Ecosystem::Npm),
        None => Some(Ecosystem::Pypi),
    }
}

/// One package.
pub fn read(kind: Option<Ecosystem>, text: &Text, key: &str) -> Option<Reference> {
    match kind? {
        // Options for pip (`--extra-index-url=…`) and what is no requirement are left to pip.
        Ecosystem::Pypi if text.text.starts_with('-') => None,
        Ecosystem::Pypi => pypi::requirement(text, Role::HookDependency, key).ok(),
        Ecosystem::Conda => crate::ecosystems::conda::requirement(text, Role::HookDependency, key).ok(),
        Ecosystem::Cargo => {
            let at = text.text.rfind(':');
            Some(named(Ecosystem::Cargo, text, at.unwrap_or(text.text.len()), ":", key))
        }
        ecosystem => {
            let at = if ecosystem == Ecosystem::Npm { npm_at(&text.text) } else { text.text.rfind('@') };
            Some(named(ecosystem, text, at.unwrap_or(text.text.len()), "@", key))
        }
    }
}

/// A package whose version stands behind a sign at `at`.
fn named(ecosystem: Ecosystem, text: &Text, at: usize, sign: &'static str, key: &str) -> Reference {
    let name = text.text[..at].strip_prefix("cli:").unwrap_or(&text.text[..at]);
    let version = text.text.get(at + 1..).unwrap_or("");
    let mut reference = Reference::new(ecosystem, name, Role::HookDependency, text.at);
    reference.key = key.to_string();
    if !version.is_empty() {
        reference.pin = Pin { version: Some(version.to_string()), digests: Vec::new() };
        reference.strength = Some(toolchain::strength(version));
    }
    if text.verbatim {
        let version = Some(Slot { at: text.at.slice(at..text.text.len()), lead: sign });
        reference.site = Site { version, ..reference.site };
    }
    reference
}

/// Where the version of an npm package begins: the `@` that is not the scope's, with a version and no URL behind it.
fn npm_at(text: &str) -> Option<usize> {
    let at = text.rfind('@').filter(|&at| at > 0)?;
    let (name, version) = (&text[..at], &text[at + 1..]);
    // A direct reference of pip has blanks or a URL: `name @ https://…`.
    let looks = !name.contains([' ', '[', ':']) && !version.contains(['/', ' ', ':']) && !version.is_empty();
    looks.then_some(at)
}

/// `host.tld/path@v1`.
fn is_go(text: &str) -> bool {
    let host = text.split_once('/').map_or("", |(host, _)| host);
    !text.starts_with('@') && !text.contains("://") && host.contains('.') && text.contains("@v")
}

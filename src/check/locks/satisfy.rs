//! Whether what a lock holds still fits what a manifest asks for. Names what does not.

use super::{Packages, same_name};
use crate::ecosystems::pypi;
use crate::model::lock::{LockedPackage, Reason};
use crate::model::reference::{Ecosystem, Origin, Reference};

/// Whether a locked package fits a reference. What cannot be read fits: only a plain contradiction counts.
pub fn allows(reference: &Reference, package: &LockedPackage) -> bool {
    let Some(written) = reference.pin.version.as_deref().filter(|_| reference.origin == Origin::Registry) else {
        return true;
    };
    let version = package.version.as_str();
    if version.is_empty() || reference.strength.is_none() {
        return true;
    }
    let specifier =
        if reference.key.starts_with("tool.poetry") { pypi::poetry_to_pep440(written) } else { written.to_string() };
    match reference.subject.ecosystem {
        Ecosystem::Conda => conda_allows(&specifier, version),
        _ => specifier.is_empty() || specifier == "*" || pypi::satisfies(&specifier, version) != Some(false),
    }
}

/// Conda's match specification, translated as far as the two agree: `=1.26` is a prefix, a build behind a second `=` is left out.
fn conda_allows(specifier: &str, version: &str) -> bool {
    let fits = |clause: &str| {
        let clause = clause.trim();
        let bare = clause.trim_start_matches('=');
        let exact = clause.starts_with("==");
        let version_only = bare.split('=').next().unwrap_or("").trim_end_matches(".*").trim_end_matches('*');
        let translated = match () {
            _ if clause.is_empty() || version_only.is_empty() => return true,
            _ if exact => format!("=={version_only}"),
            _ if clause.starts_with('=') || clause.starts_with(|c: char| c.is_ascii_digit()) => {
                format!("=={version_only}.*")
            }
            _ => clause.to_string(),
        };
        pypi::satisfies(&translated, version) != Some(false)
    };
    specifier.split('|').any(|all| all.split(',').all(fits))
}

/// What is wrong with one reference, when something is: its name is not locked, or in no version that it allows.
///
/// A requirement with a marker may be left out by a lock of one platform, so that its absence proves nothing.
pub fn problem(reference: &Reference, packages: &Packages) -> Option<Reason> {
    let name = reference.subject.name.as_str();
    let at = Some(reference.site.whole);
    let Some(candidates) = packages.get(name) else {
        let absent = reference.marker.is_none()
            && !name.is_empty()
            && !matches!(reference.origin, Origin::Path(_) | Origin::Local);
        return absent.then(|| Reason { text: format!("`{name}` is asked for and not in the lock"), at });
    };
    if candidates.iter().any(|package| allows(reference, package)) {
        return None;
    }
    let versions: Vec<&str> = candidates.iter().map(|package| package.version.as_str()).collect();
    let asked = reference.pin.version.as_deref().unwrap_or("");
    let text = format!("`{name}` is locked at {} and asked for as `{asked}`", versions.join(", "));
    // The same name under two markers may be locked for the other one.
    (reference.marker.is_none() || candidates.len() == 1).then_some(Reason { text, at })
}

/// The first problems of many references; a lock that is far behind is told by a few of them.
pub fn problems<'r>(references: impl Iterator<Item = &'r Reference>, packages: &Packages) -> Vec<Reason> {
    const MOST: usize = 10;
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in references.filter_map(|reference| problem(reference, packages)) {
        if !reasons.iter().any(|old| old.text == reason.text) {
            reasons.push(reason);
        }
        if reasons.len() == MOST {
            break;
        }
    }
    reasons
}

/// Whether a requirement is the project itself (`myproject[test]` in an extra of myproject).
pub fn is_own(reference: &Reference, name: Option<&str>) -> bool {
    name.is_some_and(|name| same_name(name, &reference.subject.name))
}

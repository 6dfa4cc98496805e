//! Version specifiers (PEP 440): how firm they hold and what fits them. Knows no names and no URLs.

use crate::model::pin::{Precision, Strength};
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;

/// Whether something that is filled in elsewhere stands in a text: `$X`, `${X}`, `${{ … }}`, `{{ … }}`, `%X%`, `{x}`.
pub fn is_computed(text: &str) -> bool {
    text.contains('$') || text.contains('{') || text.contains('%') || text.contains("@@")
}

/// Number of dotted release parts of a version: `1.4.2rc1` has three.
pub fn parts(version: &str) -> usize {
    let version = version.trim().trim_start_matches('v');
    let version = version.split_once('!').map_or(version, |(_, rest)| rest);
    let release = version.split(['+', '-']).next().unwrap_or("");
    release.split('.').take_while(|part| part.starts_with(|c: char| c.is_ascii_digit())).count()
}

/// How firmly a list of specifiers holds: the firmest of its clauses. `None`: it is computed elsewhere.
///
/// An error is a clause that is none.
pub fn specifier_strength(specifiers: &str) -> Result<Option<Strength>, String> {
    if is_computed(specifiers) {
        return Ok(None);
    }
    let mut firmest = Strength::Unspecified;
    for clause in specifiers.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
        firmest = firmest.max(clause_strength(clause)?);
    }
    Ok(Some(firmest))
}

fn clause_strength(clause: &str) -> Result<Strength, String> {
    let operator: &str = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"]
        .iter()
        .find(|operator| clause.starts_with(**operator))
        .ok_or_else(|| format!("`{}` is no version specifier", super::shown(clause)))?;
    let version = clause[operator.len()..].trim();
    if version.is_empty() || version.contains(char::is_whitespace) {
        return Err(format!("`{}` is no version specifier", super::shown(clause)));
    }
    Ok(match operator {
        "===" => Strength::Exact,
        "==" => match version.strip_suffix(".*").or(version.strip_suffix('*')) {
            None => Strength::Exact,
            Some(prefix) => Strength::Floating(by_parts(parts(prefix))),
        },
        "~=" => Strength::Floating(by_parts(parts(version).saturating_sub(1))),
        _ => Strength::Floating(Precision::Word),
    })
}

/// The precision of a version of which the first `fixed` parts cannot move.
pub(super) fn by_parts(fixed: usize) -> Precision {
    match fixed {
        0 => Precision::Word,
        1 => Precision::Major,
        _ => Precision::Minor,
    }
}

/// Whether `version` fits `specifiers`. `None`: one of them cannot be read. Several alternatives are joined by `||`.
///
/// Lenient where published metadata is: trailing commas, `>=3.6.*`, `~=1`.
pub fn satisfies(specifiers: &str, version: &str) -> Option<bool> {
    let version = Version::from_str(version.trim()).ok()?;
    let mut fits = false;
    for alternative in specifiers.split('|').filter(|part| !part.is_empty() || specifiers.is_empty()) {
        fits |= specifier_set(alternative)?.contains(&version);
    }
    Some(fits || specifiers.trim().is_empty())
}

fn specifier_set(text: &str) -> Option<VersionSpecifiers> {
    let clauses: Vec<String> = text.split(',').map(lenient).filter(|clause| !clause.is_empty()).collect();
    VersionSpecifiers::from_str(&clauses.join(",")).ok()
}

fn lenient(clause: &str) -> String {
    let clause = clause.trim().trim_matches(['\'', '"']);
    let digits = clause.find(|c: char| c.is_ascii_alphanumeric() || c == '*').unwrap_or(clause.len());
    let (operator, version) = (clause[..digits].trim(), clause[digits..].trim());
    match operator {
        _ if version == "*" => String::new(),
        "" if !version.is_empty() => format!("=={version}"),
        ">" | ">=" | "<" | "<=" | "~=" if version.ends_with(".*") => {
            lenient(&format!("{operator}{}", &version[..version.len() - 2]))
        }
        "~=" if parts(version) == 1 => format!("=={version}.*"),
        _ => format!("{operator}{version}"),
    }
}

/// Whether some patch release of the Python `minor` (`3.12`) fits `specifiers`.
pub fn python_allows(specifiers: &str, minor: &str) -> Option<bool> {
    let mut known = None;
    for patch in (0..32).chain([99, 999]) {
        match satisfies(specifiers, &format!("{minor}.{patch}")) {
            Some(true) => return Some(true),
            found => known = found,
        }
    }
    known
}

/// The Python minor versions from 2.7 to 3.`newest` that fit `specifiers`, oldest first; empty when it cannot be read.
pub fn python_minors(specifiers: &str, newest: u32) -> Vec<String> {
    let minors = std::iter::once("2.7".to_string()).chain((0..=newest).map(|minor| format!("3.{minor}")));
    minors.filter(|minor| python_allows(specifiers, minor) == Some(true)).collect()
}

/// The lowest version that a specifier names as its floor: `3.9` of `>=3.9,<4`.
pub fn python_floor(specifiers: &str) -> Option<String> {
    let clauses = specifiers.split(',').map(str::trim);
    let floors = clauses.filter_map(|clause| {
        let rest = clause.strip_prefix(">=").or(clause.strip_prefix("~=")).or(clause.strip_prefix("=="))?;
        let rest = rest.trim().trim_end_matches(".*");
        Version::from_str(rest).ok().map(|version| (version, rest.to_string()))
    });
    floors.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, text)| text)
}

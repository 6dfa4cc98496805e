//! Poetry's own version constraints: caret, tilde, wildcards, alternatives. Knows no table of `pyproject.toml`.
//!
//! Source: poetry's documentation, "Dependency specification".

use super::version::{by_parts, is_computed, parts};
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Ecosystem, Reference, Role};
use crate::model::span::Location;
use crate::model::text::Text;

/// A requirement whose version stands in a text of its own, in poetry's spelling (also `Pipfile`'s, which is PEP 440).
pub fn poetry_requirement(name: &str, version: &Text, whole: Location, role: Role, key: &str) -> Reference {
    let mut reference = Reference::new(Ecosystem::Pypi, super::normalize(name), role, whole);
    reference.key = key.to_string();
    reference.site = super::version_site(whole, version);
    reference.strength = poetry_strength(&version.text);
    let written = version.text.trim();
    reference.pin.version = (!written.is_empty()).then(|| written.to_string());
    reference
}

/// How firmly a constraint in poetry's spelling holds. `None`: it is computed elsewhere, or is none.
pub fn poetry_strength(text: &str) -> Option<Strength> {
    if is_computed(text) {
        return None;
    }
    if text.trim().is_empty() {
        return Some(Strength::Unspecified);
    }
    let alternatives = text.split('|').map(str::trim).filter(|part| !part.is_empty());
    alternatives.map(all_of).try_fold(None, |loosest: Option<Strength>, found| {
        let found = found?;
        Some(Some(loosest.map_or(found, |loosest| loosest.min(found))))
    })?
}

fn all_of(text: &str) -> Option<Strength> {
    clauses(text)
        .iter()
        .map(|clause| clause_strength(clause))
        .try_fold(Strength::Unspecified, |firmest, found| Some(firmest.max(found?)))
}

/// Clauses are joined by commas or by spaces; an operator may have a space after it.
fn clauses(text: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        match list.last_mut() {
            Some(last) if !last.contains(|c: char| c.is_ascii_alphanumeric() || c == '*') => last.push_str(word),
            _ => list.push(word.to_string()),
        }
    }
    list
}

fn clause_strength(clause: &str) -> Option<Strength> {
    let floating = |fixed| Some(Strength::Floating(by_parts(fixed)));
    if clause == "*" {
        return Some(Strength::Floating(Precision::Word));
    }
    if let Some(version) = clause.strip_prefix('^') {
        return floating(caret(version));
    }
    if let Some(version) = clause.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        return floating(parts(version).min(2));
    }
    if clause.starts_with(|c: char| c.is_ascii_digit() || c == 'v') {
        return match clause.strip_suffix(".*") {
            Some(prefix) => floating(parts(prefix)),
            None => Some(Strength::Exact),
        };
    }
    super::specifier_strength(clause).ok().flatten()
}

/// How many leading parts a caret keeps: `^1.2` keeps one, `^0.2` two, `^0.0.3` three.
fn caret(version: &str) -> usize {
    let numbers: Vec<&str> = version.trim_start_matches('v').split('.').collect();
    let zeros = numbers.iter().take_while(|part| **part == "0").count();
    (zeros + 1).min(numbers.len().max(1))
}

/// The same constraint in PEP 440 spelling; alternatives stay joined by `||`, which [`super::satisfies`] reads.
pub fn poetry_to_pep440(text: &str) -> String {
    let alternatives = text.split('|').map(str::trim).filter(|part| !part.is_empty());
    let spelled = alternatives.map(|part| {
        let clauses: Vec<String> = clauses(part).iter().map(|clause| clause_to_pep440(clause)).collect();
        clauses.iter().filter(|clause| !clause.is_empty()).cloned().collect::<Vec<_>>().join(",")
    });
    spelled.collect::<Vec<_>>().join("||")
}

fn clause_to_pep440(clause: &str) -> String {
    if clause == "*" {
        return String::new();
    }
    if let Some(version) = clause.strip_prefix('^') {
        return format!(">={version},<{}", bumped(version, caret(version)));
    }
    if let Some(version) = clause.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        return format!(">={version},<{}", bumped(version, parts(version).clamp(1, 2)));
    }
    if clause.starts_with(|c: char| c.is_ascii_digit() || c == 'v') {
        return format!("=={}", clause.trim_start_matches('v'));
    }
    clause.to_string()
}

/// The lowest version above all that share the first `fixed` parts with `version`.
fn bumped(version: &str, fixed: usize) -> String {
    let number = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap_or(0)
    };
    let mut numbers: Vec<u64> = version.trim_start_matches('v').split('.').take(fixed).map(number).collect();
    if let Some(last) = numbers.last_mut() {
        *last = last.saturating_add(1);
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

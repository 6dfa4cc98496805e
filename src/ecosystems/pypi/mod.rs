//! How Python requirements are written, read and compared. Knows no file that holds them and asks no index.

mod poetry;
mod url;
mod version;

pub use poetry::{poetry_requirement, poetry_strength, poetry_to_pep440};
pub use url::{ARCHIVES, bare, without_credentials, without_credentials_in};
pub use version::{is_computed, parts, python_allows, python_floor, python_minors, satisfies, specifier_strength};

use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Site, Slot};
use crate::model::span::Location;
use crate::model::text::Text;
use std::ops::Range;

/// A project's name as indexes compare it (PEP 503): lower case, runs of `-`, `_` and `.` as one `-`.
pub fn normalize(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' => {
                if !out.ends_with('-') {
                    out.push('-');
                }
            }
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// Reads one requirement: PEP 508, or what pip takes in its place (a URL, a version control URL, a path).
///
/// Tolerant of parentheses and of commas and spaces that pip lets pass. The error says what is wrong, for a person.
pub fn requirement(text: &Text, role: Role, key: &str) -> Result<Reference, String> {
    let source = text.text.as_str();
    let start = source.len() - source.trim_start().len();
    let end = source.trim_end().len();
    if start >= end {
        return Err("an empty requirement".to_string());
    }
    let mut reader = Reader { text, role, key, whole: start..end, range: start..end };
    if url::is_url(reader.rest()) || is_path(reader.rest()) {
        return reader.direct();
    }
    reader.named()
}

/// Reads the value of `-e`: a version control URL (`name @ …` too), or a folder. `-e worker[test]` is no project of an index: pip looks for
/// the folder and stops where there is none.
///
/// Source: pip's "Local project installs" and "VCS Support".
pub fn editable(text: &Text, role: Role, key: &str) -> Result<Reference, String> {
    let source = text.text.as_str();
    let start = source.len() - source.trim_start().len();
    let end = source.trim_end().len();
    let value = &source[start..end];
    if value.is_empty() || is_computed(value) || value.contains('@') || url::is_url(value) {
        return requirement(text, role, key);
    }
    Reader { text, role, key, whole: start..end, range: start..end }.direct()
}

/// Reads what `uvx` and `uv tool` take: a requirement, or `name@version` with a bare version.
pub fn tool(text: &Text, role: Role, key: &str) -> Result<Reference, String> {
    let Some((name, version)) = text.text.split_once('@') else { return requirement(text, role, key) };
    let bare = !version.is_empty() && !version.contains([':', '/', ' ', '@']);
    if !bare || url::is_url(&text.text) {
        return requirement(text, role, key);
    }
    let head = Text { text: name.to_string(), at: text.place(0..name.len()), verbatim: text.verbatim };
    let mut reference = requirement(&head, role, key)?;
    reference.site.whole = text.at;
    reference.site.version = text.verbatim.then(|| Slot { at: text.place(name.len()..text.text.len()), lead: "@" });
    reference.pin.version = Some(version.to_string());
    reference.strength = match version {
        _ if is_computed(version) => None,
        "latest" => Some(Strength::Floating(Precision::Word)),
        _ => Some(Strength::Exact),
    };
    Ok(reference)
}

/// Whether a requirement is a path in the tree, as pip tells: it begins like a path, or names an archive.
pub fn is_path(text: &str) -> bool {
    let head = text.split([';', ' ', '\t']).next().unwrap_or("");
    let head = head.split_once('[').map_or(head, |(before, _)| before);
    let begins = head == "." || head == ".." || head.starts_with(['/', '~']);
    let relative = ["./", "../", ".\\", "..\\", "file:"].iter().any(|lead| head.starts_with(lead));
    let drive = head.len() > 2 && head.as_bytes()[1] == b':' && matches!(head.as_bytes()[2], b'\\' | b'/');
    let archive = !head.contains('@') && url::ARCHIVES.iter().any(|end| head.ends_with(end));
    begins || relative || drive || archive || head.contains(['/', '\\']) && !text.contains('@')
}

struct Reader<'t> {
    text: &'t Text,
    role: Role,
    key: &'t str,
    /// The requirement as a whole.
    whole: Range<usize>,
    /// What is still to be read.
    range: Range<usize>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text.text[self.range.clone()]
    }

    fn slot(&self, part: Range<usize>, lead: &'static str) -> Option<Slot> {
        self.text.verbatim.then(|| Slot { at: self.text.place(part), lead })
    }

    fn reference(&self, ecosystem: Ecosystem, name: String) -> Reference {
        let mut reference = Reference::new(ecosystem, name, self.role, self.text.place(self.whole.clone()));
        reference.key = self.key.to_string();
        reference
    }

    /// `name[extras] specifiers ; marker` or `name[extras] @ url ; marker`.
    fn named(&mut self) -> Result<Reference, String> {
        let whole = self.text.place(self.range.clone());
        let name = self.name()?;
        let mut reference = self.reference(Ecosystem::Pypi, normalize(&name));
        reference.site.whole = whole;
        self.skip_space();
        reference.extras = self.extras()?;
        let after = self.range.start;
        self.skip_space();
        if self.rest().starts_with('@') {
            self.range.start += 1;
            self.skip_space();
            self.url_into(&mut reference)?;
            return Ok(reference);
        }
        let marker = self.rest().find(';').map(|at| self.range.start + at);
        let end = marker.unwrap_or(self.range.end);
        reference.marker = marker.map(|at| self.text.text[at + 1..self.range.end].trim().to_string());
        self.specifiers_into(&mut reference, after, end)?;
        Ok(reference)
    }

    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')).count();
        let name = rest[..len].to_string();
        if name.is_empty() {
            return Err(format!("`{}` does not begin with a name", shown(rest)));
        }
        self.range.start += len;
        Ok(name)
    }

    fn extras(&mut self) -> Result<Vec<String>, String> {
        if !self.rest().starts_with('[') {
            return Ok(Vec::new());
        }
        let Some(close) = self.rest().find(']') else { return Err("`[` without `]`".to_string()) };
        let inner = self.rest()[1..close].to_string();
        self.range.start += close + 1;
        Ok(extras(&inner))
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.range.start += rest.len() - rest.trim_start().len();
    }

    fn specifiers_into(&self, reference: &mut Reference, after: usize, end: usize) -> Result<(), String> {
        let mut part = trimmed(&self.text.text, self.range.start..end);
        if self.text.text[part.clone()].starts_with('(') && self.text.text[part.clone()].ends_with(')') {
            part = trimmed(&self.text.text, part.start + 1..part.end - 1);
        }
        if part.is_empty() {
            let at = if part.start > self.range.start { part.start } else { after };
            reference.site.version = self.slot(at..at, "");
            return Ok(());
        }
        let written = &self.text.text[part.clone()];
        if !written.starts_with(['=', '<', '>', '!', '~']) {
            return Err(format!("`{}` is no version specifier", shown(written)));
        }
        reference.strength = version::specifier_strength(written)?;
        reference.pin.version = Some(written.to_string());
        reference.site.version = self.slot(part, "");
        Ok(())
    }

    /// A URL, a version control URL or a path without `name @`.
    fn direct(&mut self) -> Result<Reference, String> {
        let mut reference = self.reference(Ecosystem::Pypi, String::new());
        self.url_into(&mut reference)?;
        Ok(reference)
    }

    fn url_into(&mut self, reference: &mut Reference) -> Result<(), String> {
        let rest = self.rest();
        // PEP 508 asks for a space before the `;` of a marker, because `;` may stand in a URL.
        let marker = rest.find(" ;").or_else(|| rest.find("\t;")).or_else(|| rest.find("; "));
        let end = self.range.start + marker.unwrap_or(rest.len());
        reference.marker = marker.and_then(|at| rest[at..].split_once(';')).map(|(_, m)| m.trim().to_string());
        let part = trimmed(&self.text.text, self.range.start..end);
        let Some(found) = url::read(&self.text.text[part.clone()]) else {
            return Err("`@` without a URL".to_string());
        };
        reference.strength = found.strength;
        reference.pin.version = found.version;
        reference.pin.digests = found.digests;
        reference.origin = found.origin;
        if !found.extras.is_empty() {
            reference.extras = found.extras;
        }
        if let Some(at) = found.reference {
            reference.site.digest = self.slot(part.start + at.start..part.start + at.end, "@");
        }
        if reference.subject.name.is_empty() {
            reference.subject.name = match (&found.name, &reference.origin) {
                (Some(name), _) => normalize(name),
                (None, Origin::Vcs(_)) => {
                    reference.subject.ecosystem = Ecosystem::Git;
                    found.repository
                }
                (None, Origin::Path(path)) => path.clone(),
                (None, _) => found.repository,
            };
        }
        Ok(())
    }
}

/// Extras out of the text between brackets, in PEP 503 form, sorted.
fn extras(inner: &str) -> Vec<String> {
    let mut list: Vec<String> = inner.split(',').map(|extra| normalize(extra.trim())).collect();
    list.retain(|extra| !extra.is_empty());
    list.sort();
    list.dedup();
    list
}

fn trimmed(text: &str, part: Range<usize>) -> Range<usize> {
    let slice = &text[part.clone()];
    let start = part.start + (slice.len() - slice.trim_start().len());
    start..(part.start + slice.trim_end().len()).max(start)
}

/// The beginning of a text for a message, without what may be a credential.
fn shown(text: &str) -> String {
    without_credentials_in(&text.chars().take(40).collect::<String>())
}

/// A site that holds a version in one text of its own (poetry's tables, `rev = "…"`).
fn version_site(whole: Location, version: &Text) -> Site {
    let slot = version.verbatim.then_some(Slot { at: version.at, lead: "" });
    Site { whole, version: slot, digest: None, note: None }
}

#[cfg(test)]
mod tests;

//! Requirements as the resolver reads them, from inputs and from published metadata. Knows no index.
//!
//! Published metadata holds mistakes (`>=3.6.*`, `~=1`, a comma at the end) that installers let pass; the lenient pass reads them as they
//! were meant. `${VAR}` in a URL is never filled in from the environment: the text stays as it is written.

use super::marker::Marker;
use crate::ecosystems::pypi;
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;
use std::sync::Arc;

/// A project's or an extra's name in PEP 503 form.
pub type Name = Arc<str>;

/// What a requirement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A version of an index.
    Index(VersionSpecifiers),
    /// A URL, a version control URL or a path, as written.
    Direct(Arc<str>),
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Of what.
    pub name: Name,
    /// With which extras.
    pub extras: Vec<Name>,
    /// Which versions, or from where.
    pub source: Source,
    /// Where it holds.
    pub marker: Marker,
    /// Which input asks, for annotations and messages.
    pub origin: Option<Arc<Origin>>,
}

/// The place of an input requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// As an annotation writes it: `-r requirements.in`, `pkg (pyproject.toml)`.
    pub shown: String,
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
}

impl Requirement {
    /// Reads a requirement; the error says what is wrong, for a person.
    pub fn parse(text: &str) -> Result<Requirement, String> {
        let text = text.trim();
        let name_end =
            text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_end);
        if name.is_empty() {
            return Err(format!("`{}` does not begin with a name", shown(text)));
        }
        let (extras, rest) = extras(rest.trim_start())?;
        let (body, marker) = match rest.strip_prefix('@') {
            // A `;` can stand in a URL; one with a space before it begins the marker.
            Some(url) => url.split_once(" ;").unwrap_or((url, "")),
            None => rest.split_once(';').unwrap_or((rest, "")),
        };
        let source = match rest.starts_with('@') {
            true if body.trim().is_empty() || body.trim().starts_with(['@', ' ']) => {
                return Err(format!("`{}` has no URL behind its `@`", shown(text)));
            }
            true => Source::Direct(body.trim().into()),
            false => Source::Index(specifiers(body)?),
        };
        let marker = read_marker(marker.trim())?;
        Ok(Requirement { name: pypi::normalize(name).into(), extras, source, marker, origin: None })
    }

    /// Whether it names its version exactly; then that version may be yanked.
    pub fn exact(&self) -> Option<&Version> {
        let Source::Index(specifiers) = &self.source else { return None };
        let [one] = &specifiers[..] else { return None };
        let exact = matches!(one.operator(), pep440_rs::Operator::Equal | pep440_rs::Operator::ExactEqual);
        exact.then(|| one.version())
    }

    /// In the words of its input.
    pub fn words(&self) -> String {
        let extras = if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras.join(",")) };
        let body = match &self.source {
            Source::Index(specifiers) => specifiers.to_string().replace(", ", ","),
            Source::Direct(url) => format!(" @ {}", pypi::without_credentials(url)),
        };
        let marker = self.marker.text().map_or(String::new(), |marker| format!(" ; {marker}"));
        format!("{}{extras}{body}{marker}", self.name)
    }
}

fn shown(text: &str) -> String {
    pypi::without_credentials_in(&text.chars().take(60).collect::<String>())
}

fn extras(rest: &str) -> Result<(Vec<Name>, &str), String> {
    let Some(inner) = rest.strip_prefix('[') else { return Ok((Vec::new(), rest)) };
    let Some((list, rest)) = inner.split_once(']') else { return Err("`[` without `]`".to_string()) };
    let mut names: Vec<Name> = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| pypi::normalize(name).into())
        .collect();
    names.sort();
    names.dedup();
    Ok((names, rest.trim_start()))
}

/// Reads version specifiers, as they are written or as they were meant.
pub fn specifiers(text: &str) -> Result<VersionSpecifiers, String> {
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(text).trim();
    if text.is_empty() {
        return Ok(VersionSpecifiers::empty());
    }
    if let Ok(read) = VersionSpecifiers::from_str(text) {
        return Ok(read);
    }
    let separated = separated(text);
    let clauses: Vec<String> = separated.split(',').map(meant).filter(|clause| !clause.is_empty()).collect();
    VersionSpecifiers::from_str(&clauses.join(", ")).map_err(|_| format!("`{}` is no version specifier", shown(text)))
}

/// `>=1.0<2.0` and `>=1.0 <2.0` lack a comma.
fn separated(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        let operator = matches!(c, '<' | '>' | '=' | '!' | '~');
        let follows_version = before.is_ascii_alphanumeric() || before == '*';
        if operator && follows_version {
            out.push(',');
        }
        out.push(c);
        if !c.is_whitespace() {
            before = c;
        }
    }
    out
}

/// A clause as it was meant.
fn meant(clause: &str) -> String {
    let clause: String = clause.chars().filter(|c| !matches!(c, '\'' | '"') && !c.is_whitespace()).collect();
    let version_at = clause.find(|c: char| c.is_ascii_alphanumeric() || c == '*').unwrap_or(clause.len());
    let (operator, version) = clause.split_at(version_at);
    if clause.is_empty() {
        return clause;
    }
    let operator = match operator {
        "=>" => ">=",
        "=<" => "<=",
        "=" | "" => "==",
        "<>" => "!=",
        operator => operator,
    };
    let version = version.trim_end_matches('.');
    if version.is_empty() || version == "*" {
        // An operator without a version is no mistake that can be guessed.
        return if version.is_empty() { operator.to_string() } else { String::new() };
    }
    let bare = version.strip_suffix(".*").or(version.strip_suffix('*'));
    match (operator, bare) {
        (">" | ">=" | "<" | "<=" | "~=", Some(bare)) => meant(&format!("{operator}{bare}")),
        ("~=", None) if !version.contains('.') => format!("=={version}.*"),
        ("==" | "!=", Some(bare)) => format!("{operator}{}.*", bare.trim_end_matches('.')),
        _ => format!("{operator}{version}"),
    }
}

/// Reads a marker, as it is written or as it was meant.
fn read_marker(text: &str) -> Result<Marker, String> {
    if text.is_empty() {
        return Ok(Marker::always());
    }
    if let Some(marker) = Marker::parse(text) {
        return Ok(marker);
    }
    // `python_version >= '3.6.*'` compares with a star, which only `==` and `!=` know.
    let mended = text.replace(".*'", "'").replace(".*\"", "\"");
    Marker::parse(&mended).ok_or_else(|| format!("`{}` is no environment marker", shown(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_published_metadata_are_read_as_meant() {
        for (text, meant) in [
            (">=3.6.*", ">=3.6"),
            ("~=1", "==1.*"),
            (">=1.0,", ">=1.0"),
            (">=1.0<2.0", ">=1.0, <2.0"),
            ("(>=1.0)", ">=1.0"),
            ("=>1.0", ">=1.0"),
            ("!=3.0*", "!=3.0.*"),
            (">= '2.7'", ">=2.7"),
            (">=2.7, !=3.0.*, !=3.1.*,", ">=2.7, !=3.0.*, !=3.1.*"),
            ("*", ""),
        ] {
            assert_eq!(specifiers(text).expect(text).to_string(), meant, "{text}");
        }
        assert!(specifiers(">=banana").is_err());
    }

    #[test]
    fn requirements_are_read_in_parts() {
        let read = Requirement::parse("Foo_Bar[B,a] >= 1.0 , <2 ; python_version < '3.9'").unwrap();
        assert_eq!((&*read.name, read.extras.len()), ("foo-bar", 2));
        assert_eq!(read.words(), "foo-bar[a,b]>=1.0,<2 ; python_full_version < '3.9'");
        let read = Requirement::parse("x @ https://u:secret@h/x-1.0-py3-none-any.whl ; os_name == 'nt'").unwrap();
        assert_eq!(read.words(), "x @ https://h/x-1.0-py3-none-any.whl ; os_name == 'nt'");
        let read = Requirement::parse("x @ https://${USER}@h/x.whl").unwrap();
        assert_eq!(read.source, Source::Direct("https://${USER}@h/x.whl".into()));
        assert!(Requirement::parse("x==1 ; banana").is_err() && Requirement::parse(">=1").is_err());
    }
}

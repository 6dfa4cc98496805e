//! What a distribution says about itself: core metadata, `PKG-INFO`, and the static part of a `pyproject.toml`. Reads text only.

use super::requirement::{Name, Requirement, specifiers};
use crate::ecosystems::pypi;
use crate::syntax::toml;
use crate::syntax::tree::Node;
use pep440_rs::{Version, VersionSpecifiers};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

/// The metadata of one version.
#[derive(Debug)]
pub struct Metadata {
    /// The project.
    pub name: Name,
    /// The version.
    pub version: Version,
    /// The Pythons it runs on.
    pub requires_python: Option<VersionSpecifiers>,
    /// What it needs, markers with extras included.
    pub requires: Vec<Requirement>,
    /// Extras it offers.
    pub extras: Vec<Name>,
    /// `requires` with extras decided, by the extra asked for.
    decided: Mutex<HashMap<Option<Name>, Arc<Vec<Requirement>>>>,
}

/// Why metadata cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It can only be known by building the distribution, which is not done.
    Dynamic,
    /// It is wrong: the text says how.
    Broken(String),
}

impl Metadata {
    /// Reads the `METADATA` of a wheel.
    pub fn of_wheel(text: &str) -> Result<Metadata, Unusable> {
        read(&headers(text))
    }

    /// Reads the `PKG-INFO` of a source distribution: it counts from version 2.2 on, when dependencies are not dynamic (PEP 643).
    pub fn of_source(text: &str) -> Result<Metadata, Unusable> {
        let headers = headers(text);
        let all = |name: &'static str| {
            headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let version = all("Metadata-Version").next().map_or("", |value| value.trim());
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (2, 2) {
            return Err(Unusable::Dynamic);
        }
        let decisive = ["requires-dist", "requires-python", "provides-extra", "version"];
        if all("Dynamic").any(|value| decisive.contains(&value.trim().to_ascii_lowercase().as_str())) {
            return Err(Unusable::Dynamic);
        }
        read(&headers)
    }

    /// Reads a `pyproject.toml` whose metadata is static. `known_version` is that of the file name, for a dynamic version.
    pub fn of_pyproject(text: &str, known_version: Option<&Version>) -> Result<Metadata, Unusable> {
        let tree = toml::parse(crate::model::span::SourceId(0), text);
        let Some(project) = tree.root().and_then(|root| root.get("project")) else { return Err(Unusable::Dynamic) };
        let dynamic: Vec<&str> =
            project.get("dynamic").into_iter().flat_map(|list| list.items()).filter_map(Node::str).collect();
        if ["dependencies", "optional-dependencies", "requires-python"].iter().any(|key| dynamic.contains(key)) {
            return Err(Unusable::Dynamic);
        }
        let text_of = |key: &str| project.get(key).and_then(Node::str);
        let name = text_of("name").ok_or(Unusable::Dynamic)?;
        let version = text_of("version").and_then(|version| Version::from_str(version).ok());
        let version = version.or(known_version.cloned()).ok_or(Unusable::Dynamic)?;
        let requires_python = text_of("requires-python").map(specifiers).transpose().map_err(Unusable::Broken)?;
        let texts = |list: Option<Node>| -> Vec<String> {
            list.into_iter().flat_map(|list| list.items()).filter_map(Node::str).map(str::to_string).collect()
        };
        let mut requires = Vec::new();
        for text in texts(project.get("dependencies")) {
            requires.push(Requirement::parse(&text).map_err(Unusable::Broken)?);
        }
        let mut extras = Vec::new();
        let optional = project.get("optional-dependencies").into_iter().flat_map(|table| table.entries());
        for (key, list) in optional {
            let extra = pypi::normalize(key.str().unwrap_or(""));
            for text in texts(Some(list)) {
                let mut one = Requirement::parse(&text).map_err(Unusable::Broken)?;
                let only = super::marker::Marker::parse(&format!("extra == '{extra}'"));
                one.marker = one.marker.and(&only.unwrap_or_else(super::marker::Marker::never));
                requires.push(one);
            }
            extras.push(extra.into());
        }
        Ok(Metadata::new(pypi::normalize(name).into(), version, requires_python, requires, extras))
    }

    /// Puts metadata together.
    pub fn new(
        name: Name,
        version: Version,
        requires_python: Option<VersionSpecifiers>,
        requires: Vec<Requirement>,
        extras: Vec<Name>,
    ) -> Metadata {
        Metadata { name, version, requires_python, requires, extras, decided: Mutex::default() }
    }

    /// What is needed when an extra, or none, is asked for. For an extra: only what it adds.
    pub fn needs(&self, extra: Option<&Name>) -> Arc<Vec<Requirement>> {
        let key = extra.cloned();
        if let Ok(decided) = self.decided.lock()
            && let Some(known) = decided.get(&key)
        {
            return known.clone();
        }
        let decide = |requirement: &Requirement| {
            let plain = requirement.marker.without_extras();
            let marker = match extra {
                None => plain,
                Some(extra) => requirement.marker.with_extra(extra).and(&plain.not()),
            };
            (!marker.is_never()).then(|| Requirement { marker, ..requirement.clone() })
        };
        let list: Arc<Vec<Requirement>> = Arc::new(self.requires.iter().filter_map(decide).collect());
        if let Ok(mut decided) = self.decided.lock() {
            decided.insert(key, list.clone());
        }
        list
    }
}

/// The headers of an RFC 822 text, folded lines joined; the body is left out.
fn headers(text: &str) -> Vec<(&str, String)> {
    let mut out: Vec<(&str, String)> = Vec::new();
    for line in text.trim_start_matches('\u{feff}').split('\n').map(|line| line.trim_end_matches('\r')) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = out.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        // Descriptions of old versions stand in the headers and are not always folded as they should be.
        if let Some((key, value)) = line.split_once(':').filter(|(key, _)| !key.contains(' ')) {
            out.push((key, value.trim().to_string()));
        }
    }
    out
}

fn read(headers: &[(&str, String)]) -> Result<Metadata, Unusable> {
    let all = |name: &'static str| {
        headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let first = |name: &'static str| all(name).next().map(String::as_str);
    let missing = |what: &str| Unusable::Broken(format!("its metadata has no {what}"));
    let name = first("Name").ok_or_else(|| missing("Name"))?;
    let version = first("Version").ok_or_else(|| missing("Version"))?;
    let version = Version::from_str(version.trim())
        .map_err(|_| Unusable::Broken(format!("its metadata has the version `{version}`, which is none")))?;
    // A wrong Requires-Python is as good as none, as installers see it.
    let requires_python = first("Requires-Python").and_then(|text| specifiers(text).ok());
    let mut requires = Vec::new();
    for text in all("Requires-Dist") {
        let one = Requirement::parse(text)
            .map_err(|why| Unusable::Broken(format!("its metadata holds a requirement that cannot be read: {why}")))?;
        requires.push(one);
    }
    let extras = all("Provides-Extra").map(|extra| pypi::normalize(extra.trim()).into()).collect();
    Ok(Metadata::new(pypi::normalize(name).into(), version, requires_python, requires, extras))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Metadata-Version: 2.2\nName: Foo.Bar\nVersion: 1.0\nRequires-Python: >=3.6.*\nRequires-Dist: a\n\
        Requires-Dist: b>=1 ; extra == 'x'\nRequires-Dist: c ; extra == \"x\" or sys_platform == 'win32'\nProvides-Extra: x\n\n\
        Requires-Dist: in-the-description\n";

    fn names(list: &[Requirement]) -> Vec<String> {
        list.iter().map(Requirement::words).collect()
    }

    #[test]
    fn what_an_extra_adds_is_apart() {
        let metadata = Metadata::of_wheel(TEXT).unwrap();
        assert_eq!((&*metadata.name, metadata.requires.len()), ("foo-bar", 3));
        assert_eq!(names(&metadata.needs(None)), ["a", "c ; sys_platform == 'win32'"]);
        assert_eq!(names(&metadata.needs(Some(&"x".into()))), ["b>=1", "c ; sys_platform != 'win32'"]);
        assert!(metadata.needs(Some(&"y".into())).is_empty());
    }

    #[test]
    fn source_metadata_counts_only_when_it_cannot_change_in_a_build() {
        assert!(Metadata::of_source(TEXT).is_ok());
        let old = TEXT.replace("Metadata-Version: 2.2", "Metadata-Version: 2.1");
        assert_eq!(Metadata::of_source(&old).unwrap_err(), Unusable::Dynamic);
        let dynamic = TEXT.replace("Version: 1.0\n", "Version: 1.0\nDynamic: Requires-Dist\n");
        assert_eq!(Metadata::of_source(&dynamic).unwrap_err(), Unusable::Dynamic);
    }

    #[test]
    fn a_static_pyproject_is_metadata() {
        let text = "[project]\nname = 'A'\ndynamic = ['version']\ndependencies = ['b>1']\n[project.optional-dependencies]\nx = ['c']\n";
        let version = Version::from_str("3").unwrap();
        let metadata = Metadata::of_pyproject(text, Some(&version)).unwrap();
        assert_eq!(names(&metadata.needs(None)), ["b>1"]);
        assert_eq!(names(&metadata.needs(Some(&"x".into()))), ["c"]);
        let dynamic = text.replace("'version'", "'dependencies'");
        assert_eq!(Metadata::of_pyproject(&dynamic, Some(&version)).unwrap_err(), Unusable::Dynamic);
    }

    #[test]
    fn broken_metadata_says_how() {
        let broken = TEXT.replace("Requires-Dist: a\n", "Requires-Dist: a ==\n");
        assert!(matches!(Metadata::of_wheel(&broken), Err(Unusable::Broken(_))));
    }
}

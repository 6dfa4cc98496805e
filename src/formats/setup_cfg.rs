//! `setup.cfg` of setuptools, and the sections of pytest and tox in it.
//!
//! Source: setuptools' documentation, "Configuring setuptools using setup.cfg files".

use super::requires::{Collector, Place, tox};
use super::{Claim, Format, by_path};
use crate::ecosystems::pypi;
use crate::model::facts::Facts;
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::model::text::Text;
use crate::syntax::ini::{self, Entry, Ini};

/// The format.
pub static FORMAT: Format = Format { name: "setup.cfg", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "setup.cfg" { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let ini = ini::parse(source.id, &source.text);
    ini.report(facts);
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Setup, source.whole()) };
    metadata(&ini, &mut to);
    let lists = [
        ("install_requires", Role::Runtime, Group::Main),
        ("setup_requires", Role::Build, Group::Build),
        ("tests_require", Role::Dev, Group::Named("tests".to_string())),
    ];
    for (key, role, group) in lists {
        if let Some(entry) = ini.get("options", key) {
            list(entry, Place { role, group: &group, key: &format!("options.{key}") }, &mut to);
        }
    }
    for entry in ini.section("options.extras_require").into_iter().flat_map(|section| &section.entries) {
        let group = Group::Extra(pypi::normalize(&entry.key.text));
        let key = format!("options.extras_require.{}", entry.key.text);
        list(entry, Place { role: Role::Extra, group: &group, key: &key }, &mut to);
    }
    for line in ini.get("tool:pytest", "addopts").into_iter().flat_map(Entry::items) {
        to.manifest.settings.push(("pytest.addopts".to_string(), line.clone()));
    }
    to.finish();
    if ini.section("tox:tox").is_some() {
        let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Tox, source.whole()) };
        tox::read(&ini, "tox:tox", source, &mut to);
        to.finish();
    }
}

fn metadata(ini: &Ini, to: &mut Collector) {
    to.manifest.name = ini.get("metadata", "name").map(|entry| pypi::normalize(&entry.value()));
    to.manifest.requires_python = ini.get("options", "python_requires").and_then(|entry| entry.items().next().cloned());
    const LEAD: &str = "Programming Language :: Python :: ";
    for line in ini.get("metadata", "classifiers").into_iter().flat_map(Entry::items) {
        let Some(version) = line.text.strip_prefix(LEAD).filter(|version| version.contains('.')) else { continue };
        let at = line.place(LEAD.len()..line.text.len());
        to.manifest.python_versions.push(Text { text: version.to_string(), at, verbatim: line.verbatim });
    }
}

/// A list over several lines, or parted by `;` on one; `file:` names files that hold it.
fn list(entry: &Entry, place: Place, to: &mut Collector) {
    let lines: Vec<Text> = entry.items().map(ini::without_comment).collect();
    if let Some(files) = lines.first().and_then(|line| line.text.strip_prefix("file:")) {
        let mut at = lines[0].text.len() - files.len();
        for part in files.split(',') {
            let start = at + (part.len() - part.trim_start().len());
            let path = part.trim();
            let text = Text { text: path.to_string(), at: lines[0].place(start..start + path.len()), ..lines[0] };
            to.include(text, false, place.group);
            at += part.len() + 1;
        }
        return;
    }
    for line in lines.iter().filter(|line| !line.text.is_empty()) {
        to.pep508(line, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_extras_and_settings_are_read() {
        let text = "[metadata]\nname = My_Pkg\nclassifiers =\n    Programming Language :: Python :: 3.11\n[options]\npython_requires = >=3.8\ninstall_requires =\n    requests>=2  # why\n    six\n[options.extras_require]\ntest = pytest==8.0.0\nall = file: requirements.txt, more.txt\n[tool:pytest]\naddopts = -q\n";
        let mut sources = Sources::default();
        let id = sources.add("setup.cfg", text);
        let mut facts = Facts::of(id, "setup.cfg");
        read(sources.get(id), &sources, &mut facts);
        let found: Vec<(&str, &str)> = facts
            .references
            .iter()
            .map(|r| (r.subject.name.as_str(), &text[r.site.version.unwrap().at.span.range()]))
            .collect();
        assert_eq!(found, [("requests", ">=2"), ("six", ""), ("pytest", "==8.0.0")]);
        let manifest = &facts.manifests[0];
        assert_eq!(manifest.name.as_deref(), Some("my-pkg"));
        let includes: Vec<&str> = manifest.includes.iter().map(|include| &text[include.path.at.span.range()]).collect();
        assert_eq!(includes, ["requirements.txt", "more.txt"]);
        assert_eq!((manifest.settings.len(), manifest.python_versions.len()), (1, 1));
    }
}

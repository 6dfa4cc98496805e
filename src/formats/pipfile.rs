//! `Pipfile` of pipenv. Knows no lock.
//!
//! Source: pipenv's documentation, "Pipfile & Pipfile.lock".

use super::requires::{Collector, Place};
use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::syntax::toml;
use crate::syntax::tree::Node;

/// The format.
pub static FORMAT: Format = Format { name: "Pipfile", claims, sniff: by_path, read };

/// Sections that are no groups of packages.
const OTHERS: [&str; 5] = ["source", "requires", "scripts", "pipenv", "pipfile"];

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "Pipfile" { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root() else { return };
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Pipfile, source.whole()) };
    to.manifest.tools = vec!["pipenv".to_string()];
    for (key, table) in root.entries() {
        let Some(name) = key.str().filter(|name| !OTHERS.contains(name) && table.is_map()) else { continue };
        let (role, group) = match name {
            "packages" => (Role::Runtime, Group::Main),
            "dev-packages" => (Role::Dev, Group::Named("dev".to_string())),
            _ => (Role::Dev, Group::Named(name.to_string())),
        };
        to.package_table(table, Place { role, group: &group, key: name });
    }
    for index in root.get("source").into_iter().flat_map(|list| list.items()) {
        if let Some(url) = index.get("url").and_then(Node::text) {
            // pipenv takes a package from the first source unless the package names another one.
            to.index(index.get("name").and_then(Node::str).map(str::to_string), &url, false, false);
        }
    }
    let requires = root.get("requires");
    let version = requires.and_then(|table| table.get("python_full_version").or(table.get("python_version")));
    if let Some(text) = version.and_then(Node::text) {
        to.python(&text, "requires.python_version");
        to.manifest.requires_python = Some(text);
    }
    let scripts = root.get("scripts").into_iter().flat_map(|table| table.entries());
    to.manifest.entry_points = scripts.filter_map(|(key, _)| key.str().map(str::to_string)).collect();
    to.finish();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pin::Strength;

    #[test]
    fn groups_and_sources_are_read() {
        let text = "[[source]]\nurl = \"https://u:p@x.org/simple\"\nname = \"x\"\n[packages]\na = \"*\"\nb = {version = \"==1.2\", extras = [\"z\"]}\nc = {git = \"https://x/c\", ref = \"main\"}\n[dev-packages]\npytest = \">=7\"\n[requires]\npython_version = \"3.11\"\n";
        let mut sources = Sources::default();
        let id = sources.add("Pipfile", text);
        let mut facts = Facts::of(id, "Pipfile");
        read(sources.get(id), &sources, &mut facts);
        let names: Vec<&str> = facts.references.iter().map(|r| r.subject.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "pytest", "python"]);
        assert_eq!(facts.references[1].strength, Some(Strength::Exact));
        assert_eq!(&text[facts.references[1].site.version.unwrap().at.span.range()], "==1.2");
        assert_eq!(facts.manifests[0].indexes[0].url, "https://x.org/simple");
    }
}

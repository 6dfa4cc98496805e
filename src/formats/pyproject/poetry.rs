//! `[tool.poetry]`: requirements in poetry's own spelling, its groups and its sources.
//!
//! Source: poetry's documentation, "Dependency specification" and "Repositories".

use crate::ecosystems::pypi;
use crate::formats::requires::{Collector, Place};
use crate::model::manifest::Group;
use crate::model::reference::Role;
use crate::syntax::tree::Node;

/// Reads it.
pub fn read(tool: Node, to: &mut Collector) {
    let Some(poetry) = tool.get("poetry") else { return };
    if to.manifest.name.is_none() {
        to.manifest.name = poetry.get("name").and_then(Node::str).map(pypi::normalize);
    }
    let main = Place { role: Role::Runtime, group: &Group::Main, key: "tool.poetry.dependencies" };
    table(poetry.get("dependencies"), main, to);
    let dev = Group::Named("dev".to_string());
    table(poetry.get("dev-dependencies"), Place { role: Role::Dev, group: &dev, key: "tool.poetry.dev-dependencies" }, to);
    for (name, section) in poetry.get("group").into_iter().flat_map(|groups| groups.entries()) {
        let Some(name) = name.str() else { continue };
        let (group, key) = (Group::Named(name.to_string()), format!("tool.poetry.group.{name}.dependencies"));
        table(section.get("dependencies"), Place { role: Role::Dev, group: &group, key: &key }, to);
    }
    let plugins = Group::Named("requires-plugins".to_string());
    let place = Place { role: Role::Tool, group: &plugins, key: "tool.poetry.requires-plugins" };
    table(poetry.get("requires-plugins"), place, to);
    super::standard::classifiers(poetry.get("classifiers"), to);
    for source in poetry.get("source").into_iter().flat_map(|list| list.items()) {
        index(source, to);
    }
}

fn table(table: Option<Node>, place: Place, to: &mut Collector) {
    for (key, value) in table.into_iter().flat_map(|table| table.entries()) {
        let Some(name) = key.str() else { continue };
        if name.eq_ignore_ascii_case("python") {
            let version = if value.is_map() { value.get("version") } else { Some(value) }.and_then(Node::text);
            if to.manifest.requires_python.is_none() {
                to.manifest.requires_python = version;
            }
            continue;
        }
        // With `[project]` the table only adds where a requirement comes from.
        let says = |key: &str| value.get(key).is_some();
        let adds_only = value.is_map() && !["version", "git", "path", "url", "file"].iter().any(|key| says(key));
        if adds_only && declared(name, to) {
            continue;
        }
        let key = format!("{}.{name}", place.key);
        let alternatives: Vec<Node> = if value.is_seq() { value.items().collect() } else { vec![value] };
        for alternative in alternatives {
            to.package(name, alternative, Place { key: &key, ..place });
        }
    }
}

fn declared(name: &str, to: &Collector) -> bool {
    let name = pypi::normalize(name);
    to.facts.references.iter().any(|reference| reference.subject.name == name && reference.role != Role::Build)
}

fn index(source: Node, to: &mut Collector) {
    let Some(url) = source.get("url").and_then(Node::text) else { return };
    let name = source.get("name").and_then(Node::str).map(str::to_string);
    let priority = source.get("priority").and_then(Node::str).unwrap_or("");
    // Only a secondary source of old takes part in the choice of a version beside the others.
    let secondary = priority == "secondary" || source.get("secondary").and_then(Node::bool) == Some(true);
    to.index(name, &url, secondary, priority == "explicit");
}

//! `[tool.uv]`: groups of its own, sources, indexes, constraints.
//!
//! Source: uv's documentation, "Settings" and "Managing dependencies".

use crate::ecosystems::pypi;
use crate::formats::requires::{Collector, Place, source_into};
use crate::model::manifest::Group;
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use crate::syntax::tree::Node;

/// Reads it. Call it when every requirement of the manifest is there.
pub fn read(tool: Node, to: &mut Collector) {
    let Some(uv) = tool.get("uv") else { return };
    let dev = Group::Named("dev".to_string());
    if let Some(list) = uv.get("dev-dependencies") {
        to.pep508_list(list, Place { role: Role::Dev, group: &dev, key: "tool.uv.dev-dependencies" });
    }
    for name in ["constraint-dependencies", "override-dependencies", "build-constraint-dependencies"] {
        let (group, key) = (Group::Named(name.to_string()), format!("tool.uv.{name}"));
        if let Some(list) = uv.get(name) {
            to.pep508_list(list, Place { role: Role::Constraint, group: &group, key: &key });
        }
    }
    for (name, sources) in uv.get("sources").into_iter().flat_map(|table| table.entries()) {
        let tables: Vec<Node> = if sources.is_map() { vec![sources] } else { sources.items().collect() };
        for table in tables {
            source(name.str().unwrap_or(""), table, to);
        }
    }
    indexes(uv, to);
    if let Some(version) = uv.get("required-version") {
        to.setting("uv.required-version", version);
    }
    age(uv, to);
}

/// How old a release must be, for all packages and for some: `[tool.uv]`, or a `uv.toml`.
pub fn age(uv: Node, to: &mut Collector) {
    if let Some(limit) = uv.get("exclude-newer") {
        to.setting("uv.exclude-newer", limit);
    }
    for (name, _) in uv.get("exclude-newer-package").into_iter().flat_map(|table| table.entries()) {
        to.setting("uv.exclude-newer-package", name);
    }
}

/// Says of every requirement of this name where it comes from; without one the source itself is the requirement.
fn source(name: &str, table: Node, to: &mut Collector) {
    let name = pypi::normalize(name);
    let speaks = ["git", "path", "url", "workspace"].iter().any(|key| table.get(key).is_some());
    if !speaks || name.is_empty() {
        return;
    }
    let mut found = false;
    for reference in &mut to.facts.references {
        let same = reference.subject.name == name && reference.subject.ecosystem == Ecosystem::Pypi;
        if same && reference.role != Role::Constraint {
            // A second table for the same name (other platforms) may not hide a looser first one.
            let untouched = reference.origin == Origin::Registry;
            let mut held = reference.clone();
            source_into(&mut held, table);
            if untouched || held.strength < reference.strength {
                *reference = held;
            }
            found = true;
        }
    }
    if !found {
        let mut reference = Reference::new(Ecosystem::Pypi, name.clone(), Role::Runtime, table.whole());
        reference.key = format!("tool.uv.sources.{name}");
        source_into(&mut reference, table);
        to.push(reference, &Group::Main);
    }
}

/// The indexes of `[tool.uv]`, or of a `uv.toml`.
pub fn indexes(uv: Node, to: &mut Collector) {
    // By default uv takes a name from the first index that has it, so that no other index can put a higher version beside it.
    let strategy = uv.get("index-strategy").and_then(Node::str).unwrap_or("");
    let beside = strategy.starts_with("unsafe");
    for index in uv.get("index").into_iter().flat_map(|list| list.items()) {
        let Some(url) = index.get("url").and_then(Node::text) else { continue };
        let name = index.get("name").and_then(Node::str).map(str::to_string);
        let is = |key: &str| index.get(key).and_then(Node::bool) == Some(true);
        to.index(name, &url, beside && !is("default") && !is("explicit"), is("explicit"));
    }
    for tables in [Some(uv), uv.get("pip")].into_iter().flatten() {
        for url in tables.get("extra-index-url").into_iter().flat_map(|list| list.list()).filter_map(Node::text) {
            to.index(None, &url, beside, false);
        }
        if let Some(url) = tables.get("index-url").and_then(Node::text) {
            to.index(None, &url, false, false);
        }
    }
}

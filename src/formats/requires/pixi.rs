//! The tables of a pixi workspace, in `pixi.toml` or below `[tool.pixi]`. Knows no file.
//!
//! Source: pixi's documentation, "Manifest reference".

use super::{Collector, Place};
use crate::model::facts::Facts;
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::Source;
use crate::syntax::tree::Node;

/// Reads the tables of a workspace; `lead` is their structural key path.
pub fn tables(root: Node, lead: &str, facts: &mut Facts, source: &Source) -> Manifest {
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Pixi, source.whole()) };
    to.manifest.tools = vec!["pixi".to_string()];
    let workspace = root.get("workspace").or(root.get("project"));
    to.manifest.name = workspace.and_then(|table| table.get("name")).and_then(Node::str).map(str::to_string);
    feature(root, lead, &Group::Main, &mut to);
    for (name, table) in root.get("feature").into_iter().flat_map(|table| table.entries()) {
        let Some(name) = name.str() else { continue };
        feature(table, &format!("{lead}.feature.{name}"), &Group::Named(name.to_string()), &mut to);
    }
    if let Some(limit) = workspace.and_then(|table| table.get("exclude-newer")) {
        to.setting("pixi.exclude-newer", limit);
    }
    to.manifest
}

fn feature(table: Node, lead: &str, group: &Group, to: &mut Collector) {
    lists(table, lead, group, to);
    for (platform, table) in table.get("target").into_iter().flat_map(|table| table.entries()) {
        lists(table, &format!("{lead}.target.{}", platform.str().unwrap_or("")), group, to);
    }
    for (name, _) in table.get("tasks").into_iter().flat_map(|table| table.entries()) {
        to.manifest.entry_points.extend(name.str().map(str::to_string));
    }
}

fn lists(table: Node, lead: &str, group: &Group, to: &mut Collector) {
    let role = if *group == Group::Main { Role::Runtime } else { Role::Dev };
    for (name, role) in
        [("dependencies", role), ("host-dependencies", Role::Build), ("build-dependencies", Role::Build)]
    {
        if let Some(list) = table.get(name) {
            to.conda_table(list, Place { role, group, key: &format!("{lead}.{name}") });
        }
    }
    indexes(table, to);
    if let Some(list) = table.get("pypi-dependencies") {
        to.package_table(list, Place { role, group, key: &format!("{lead}.pypi-dependencies") });
    }
}

/// `[pypi-options]` and `index` of single packages. pixi takes a package from the first index that has it, so none competes with another.
fn indexes(table: Node, to: &mut Collector) {
    let options = table.get("pypi-options");
    let main = options.and_then(|options| options.get("index-url"));
    let more = options.and_then(|options| options.get("extra-index-urls"));
    let packages = table.get("pypi-dependencies").into_iter().flat_map(|list| list.entries());
    let own = packages.filter_map(|(_, package)| package.get("index"));
    let urls = main.into_iter().chain(more.into_iter().flat_map(|list| list.items())).chain(own);
    for url in urls.filter_map(Node::text).filter(|url| url.text.contains("://")) {
        to.index(None, &url, false, true);
    }
}

//! The PEP 723 block of a Python file, as scripts and noxfiles have it.

use super::{Collector, Place};
use crate::model::manifest::Group;
use crate::model::reference::Role;
use crate::model::source::Source;
use crate::syntax::tree::Node;
use crate::syntax::{python, toml};

/// Reads the block into the manifest, if there is one.
pub fn script_block(source: &Source, to: &mut Collector) {
    let Some(text) = python::script_metadata(&source.text) else { return };
    let tree = toml::parse(source.id, &text);
    tree.report(to.facts);
    let Some(root) = tree.root() else { return };
    if let Some(list) = root.get("dependencies") {
        to.pep508_list(list, Place { role: Role::Runtime, group: &Group::Main, key: "script.dependencies" });
    }
    to.manifest.requires_python = root.get("requires-python").and_then(Node::text);
    if root.path(&["tool", "uv"]).is_some() {
        to.manifest.tools.push("uv".to_string());
    }
    if let Some(date) = root.path(&["tool", "uv", "exclude-newer"]) {
        to.setting("uv.exclude-newer", date);
    }
    for index in root.path(&["tool", "uv", "index"]).into_iter().flat_map(|list| list.items()) {
        let name = index.get("name").and_then(Node::str).map(str::to_string);
        let said = |key: &str| index.get(key).and_then(Node::bool) == Some(true);
        if let Some(url) = index.get("url").and_then(Node::text) {
            to.index(name, &url, !said("default"), said("explicit"));
        }
    }
}

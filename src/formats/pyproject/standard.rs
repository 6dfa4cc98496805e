//! The tables of the standards: `[project]` (PEP 621), `[build-system]` (PEP 518), `[dependency-groups]` (PEP 735).

use crate::ecosystems::pypi;
use crate::formats::requires::{Collector, Place};
use crate::model::manifest::Group;
use crate::model::reference::Role;
use crate::syntax::tree::Node;

/// Reads them.
pub fn read(root: Node, to: &mut Collector) {
    if let Some(project) = root.get("project") {
        metadata(project, to);
    }
    if let Some(requires) = root.path(&["build-system", "requires"]) {
        to.pep508_list(requires, Place { role: Role::Build, group: &Group::Build, key: "build-system.requires" });
    }
    for (name, list) in root.get("dependency-groups").into_iter().flat_map(|table| table.entries()) {
        let Some(name) = name.str() else { continue };
        let (group, key) = (Group::Named(name.to_string()), format!("dependency-groups.{name}"));
        to.pep508_list(list, Place { role: Role::Dev, group: &group, key: &key });
    }
    dynamic(root, to);
}

fn metadata(project: Node, to: &mut Collector) {
    to.manifest.name = project.get("name").and_then(Node::str).map(pypi::normalize);
    to.manifest.requires_python = project.get("requires-python").and_then(Node::text);
    if let Some(list) = project.get("dependencies") {
        to.pep508_list(list, Place { role: Role::Runtime, group: &Group::Main, key: "project.dependencies" });
    }
    for (name, list) in project.get("optional-dependencies").into_iter().flat_map(|table| table.entries()) {
        let Some(name) = name.str() else { continue };
        let (group, key) = (Group::Extra(pypi::normalize(name)), format!("project.optional-dependencies.{name}"));
        to.pep508_list(list, Place { role: Role::Extra, group: &group, key: &key });
    }
    classifiers(project.get("classifiers"), to);
}

/// Python versions of the trove classifiers.
pub fn classifiers(list: Option<Node>, to: &mut Collector) {
    const LEAD: &str = "Programming Language :: Python :: ";
    for mut text in list.into_iter().flat_map(|list| list.items()).filter_map(Node::text) {
        let Some(version) = text.text.strip_prefix(LEAD).map(str::to_string) else { continue };
        if version.contains('.') && version.starts_with(|c: char| c.is_ascii_digit()) {
            text.at = text.place(LEAD.len()..text.text.len());
            text.text = version;
            to.manifest.python_versions.push(text);
        }
    }
}

/// Requirements that setuptools and hatch read from files.
fn dynamic(root: Node, to: &mut Collector) {
    let setuptools = root.path(&["tool", "setuptools", "dynamic"]);
    let main = setuptools.and_then(|table| table.path(&["dependencies", "file"]));
    let hook = root.path(&["tool", "hatch", "metadata", "hooks", "requirements_txt"]);
    let hook_main = hook.and_then(|table| table.get("files").or(table.get("filename")));
    for path in main.into_iter().chain(hook_main).flat_map(|list| list.list()).filter_map(Node::text) {
        to.include(path, false, &Group::Main);
    }
    let extras = setuptools.and_then(|table| table.get("optional-dependencies"));
    for (name, table) in extras.into_iter().flat_map(|table| table.entries()) {
        let group = Group::Extra(pypi::normalize(name.str().unwrap_or("")));
        for path in table.get("file").into_iter().flat_map(|list| list.list()).filter_map(Node::text) {
            to.include(path, false, &group);
        }
    }
}

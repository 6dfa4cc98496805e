//! Read the Docs' build configuration: what it installs and with which interpreter. Reads no Sphinx.
//!
//! Source: <https://docs.readthedocs.com/platform/stable/config-file/v2.html>

use super::requires::{Collector, Place};
use super::{Claim, Format, by_path};
use crate::ecosystems::toolchain;
use crate::model::facts::Facts;
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "Read the Docs", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path).trim_start_matches('.');
    if matches!(name, "readthedocs.yml" | "readthedocs.yaml") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root() else { return };
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::ReadTheDocs, source.whole()) };
    for (key, value) in root.path(&["build", "tools"]).into_iter().flat_map(|tools| tools.entries()) {
        let (Some(name), Some(text)) = (key.str(), value.text()) else { continue };
        let path = format!("build.tools.{name}");
        match name {
            "python" => to.python(&text, &path),
            _ => to.push(toolchain::tool(name, &text, Role::Toolchain, &path), &Group::Main),
        }
    }
    if let Some(text) = root.path(&["build", "os"]).and_then(Node::text) {
        to.facts.push(toolchain::runner(&text, "build.os"));
    }
    install(root, &mut to);
    to.finish();
}

fn install(root: Node, to: &mut Collector) {
    let docs = Group::Named("docs".to_string());
    for step in root.path(&["python", "install"]).into_iter().flat_map(|list| list.items()) {
        if let Some(path) = step.get("requirements").and_then(Node::text) {
            to.include(path, false, &docs);
        }
        if let Some(path) = step.get("path").and_then(Node::text) {
            let place = Place { role: Role::Dev, group: &docs, key: "python.install" };
            let folder = if path.text.starts_with('.') { path.text.clone() } else { format!("./{}", path.text) };
            to.pep508(&crate::model::text::Text { text: folder, verbatim: false, ..path }, place);
        }
    }
    // Version 1 of the file, and conda.
    for keys in [["requirements_file", ""], ["conda", "environment"], ["conda", "file"]] {
        let node = root.get(keys[0]).and_then(|node| if keys[1].is_empty() { Some(node) } else { node.get(keys[1]) });
        if let Some(path) = node.and_then(Node::text) {
            to.include(path, false, &docs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_and_installs_are_read() {
        let text = "version: 2\nbuild:\n  os: ubuntu-22.04\n  tools:\n    python: \"3.11\"\npython:\n  install:\n    - requirements: docs/requirements.txt\n    - method: pip\n      path: .\n";
        let mut sources = Sources::default();
        let id = sources.add(".readthedocs.yaml", text);
        let mut facts = Facts::of(id, "Read the Docs");
        read(sources.get(id), &sources, &mut facts);
        let roles: Vec<Role> = facts.references.iter().map(|reference| reference.role).collect();
        assert_eq!(roles, [Role::Python, Role::Runner, Role::Dev]);
        assert_eq!(facts.manifests[0].includes[0].path.text, "docs/requirements.txt");
    }
}

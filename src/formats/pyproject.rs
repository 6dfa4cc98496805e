//! `pyproject.toml` (and `hatch.toml`, `uv.toml`): the standard tables and those of the tools that keep requirements there. Knows no lock.

mod hatch;
mod poetry;
mod standard;
mod testing;
mod uv;

use super::requires::{Collector, Place, pixi};
use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::syntax::toml;
use crate::syntax::tree::Node;

/// The format.
pub static FORMAT: Format = Format { name: "pyproject", claims, sniff: by_path, read };

/// Sections of `[tool]` that own a lock or environments.
const TOOLS: [&str; 7] = ["uv", "poetry", "pdm", "hatch", "pixi", "conda-lock", "rye"];

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "pyproject.toml" | "hatch.toml" | "uv.toml") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root() else { return };
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Pyproject, source.whole()) };
    if source.file_name() == "hatch.toml" {
        hatch::environments(root.get("envs"), "envs", &mut to);
        return to.finish();
    }
    if source.file_name() == "uv.toml" {
        uv::indexes(root, &mut to);
        uv::age(root, &mut to);
        return to.finish();
    }
    standard::read(root, &mut to);
    if let Some(tool) = root.get("tool") {
        let present = TOOLS.iter().filter(|name| tool.get(name).is_some());
        to.manifest.tools = present.map(|name| name.to_string()).collect();
        poetry::read(tool, &mut to);
        pdm(tool, &mut to);
        hatch::read(tool, &mut to);
        testing::read(tool, &mut to);
        conda_lock(tool, &mut to);
        // Sources of uv speak of requirements that were read before.
        uv::read(tool, &mut to);
    }
    let pixi = root.path(&["tool", "pixi"]).map(|table| pixi::tables(table, "tool.pixi", to.facts, source));
    to.finish();
    facts.manifests.extend(pixi);
}

fn pdm(tool: Node, to: &mut Collector) {
    let Some(pdm) = tool.get("pdm") else { return };
    for (key, list) in pdm.get("dev-dependencies").into_iter().flat_map(|table| table.entries()) {
        let name = key.str().unwrap_or("dev");
        let (group, key) = (Group::Named(name.to_string()), format!("tool.pdm.dev-dependencies.{name}"));
        for text in list.items().filter_map(Node::text) {
            to.pip_line(&text, Place { role: Role::Dev, group: &group, key: &key });
        }
    }
    for index in pdm.get("source").into_iter().flat_map(|list| list.items()) {
        let name = index.get("name").and_then(Node::str).map(str::to_string);
        let extra = name.as_deref() != Some("pypi");
        if let Some(url) = index.get("url").and_then(Node::text) {
            to.index(name, &url, extra, false);
        }
    }
    entry_points(pdm.get("scripts"), to);
}

/// `[tool.conda-lock.dependencies]`: conda packages, or such from PyPI.
fn conda_lock(tool: Node, to: &mut Collector) {
    let Some(table) = tool.path(&["conda-lock", "dependencies"]) else { return };
    let place = Place { role: Role::Runtime, group: &Group::Main, key: "tool.conda-lock.dependencies" };
    to.conda_table(table, place);
}

/// Names of tasks: they run something locally.
fn entry_points(table: Option<Node>, to: &mut Collector) {
    let names = table.into_iter().flat_map(|table| table.entries()).filter_map(|(key, _)| key.str());
    to.manifest.entry_points.extend(names.filter(|name| *name != "_").map(str::to_string));
}

#[cfg(test)]
mod tests;

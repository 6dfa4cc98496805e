//! `poetry.lock` of poetry 1 and 2: packages, the content hash and who wrote it. Judges no freshness.

use super::{Claim, Format, by_path, locked};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Edge, Hashed, Lock, LockTool, LockedPackage, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::toml;
use crate::syntax::tree::Node;
use std::collections::HashMap;

/// The format.
pub static FORMAT: Format = Format { name: "poetry lock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    if path.rsplit('/').next() == Some("poetry.lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let metadata = root.get("metadata");
    let of = |key: &str| metadata.and_then(|metadata| metadata.get(key)).and_then(Node::str).map(str::to_string);
    let format = of("lock-version").unwrap_or_default();
    // Poetry before 1.0 wrote no lock version; those files hold what version 1.0 holds.
    let known = format.is_empty() && metadata.is_some() || format.starts_with("1.") || format.starts_with("2.");
    if !known {
        let at = metadata.map_or(source.top(), Node::at);
        let what = format!("poetry.lock has lock version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, at, what);
    }
    let files = metadata.and_then(|metadata| metadata.get("files"));
    let files: HashMap<&str, Node> =
        files.into_iter().flat_map(|table| table.entries()).filter_map(|(key, list)| Some((key.str()?, list))).collect();
    let packages = root.get("package").into_iter().flat_map(|list| list.items());
    let statement = Statement {
        content_hash: of("content-hash"),
        generator: generator(&source.text),
        requires_python: of("python-versions"),
        requires: extras(root),
        ..Statement::default()
    };
    let entries: Vec<Node> = packages.collect();
    let unlisted = |node: &&Node| {
        let name = node.get("name").and_then(Node::str).unwrap_or("");
        node.get("files").is_none() && !files.contains_key(name)
    };
    // Poetry before 1.0 had a table of hashes without files.
    if let Some(node) = entries.iter().find(unlisted).filter(|_| known && !format.is_empty()) {
        locked::incomplete(facts, node.get("name").unwrap_or(*node).at(), "no files of this entry are listed");
    }
    let packages = entries.iter().map(|node| package(*node, &files)).collect();
    facts.locks.push(Lock { tool: LockTool::Poetry, at: source.whole(), format, known, packages, statement, indexes: Vec::new() });
}

/// `Poetry 2.1.3` out of the first line; poetry before 1.4 names itself without a version, or not at all.
fn generator(text: &str) -> Option<String> {
    let (_, rest) = text.lines().next()?.split_once("Poetry ")?;
    let version = rest.split(' ').next()?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_string())
}

fn extras(root: Node) -> Vec<(String, String)> {
    let extras = root.get("extras").into_iter().flat_map(|table| table.entries());
    let pairs = extras.flat_map(|(extra, list)| {
        let extra = pypi::normalize(extra.str().unwrap_or(""));
        list.items().filter_map(Node::str).map(move |text| (extra.clone(), text.to_string())).collect::<Vec<_>>()
    });
    pairs.collect()
}

fn package(node: Node, files: &HashMap<&str, Node>) -> LockedPackage {
    let name = node.get("name").and_then(Node::str).unwrap_or("");
    let source = node.get("source");
    let kind = source.and_then(|source| source.get("type")).and_then(Node::str).unwrap_or("");
    // Version 1 keeps the files of all packages in one table below `metadata`.
    let own = node.get("files").or_else(|| files.get(name).copied());
    let own: Vec<Node> = own.into_iter().flat_map(|list| list.items()).collect();
    let hashes: Vec<bool> = own.iter().map(|file| file.get("hash").is_some()).collect();
    let hashed = match kind {
        "git" => Hashed::All,
        "directory" => Hashed::NotApplicable,
        _ if !hashes.contains(&true) => Hashed::None,
        _ if hashes.contains(&false) => Hashed::Some,
        _ => Hashed::All,
    };
    let version = node.get("version").and_then(Node::str).unwrap_or("");
    let at = node.get("name").unwrap_or(node).at();
    let mut package = LockedPackage::new(pypi::normalize(name), version, hashed, at);
    locked::push_files(&mut package, &own);
    if let Some(source) = source {
        provenance(&mut package, source, kind);
    }
    locked::compare_names(&mut package, node.document());
    let groups = node.get("groups").into_iter().flat_map(|list| list.items()).filter_map(Node::str);
    package.groups = groups.map(str::to_string).collect();
    package.marker = node.get("markers").and_then(Node::str).unwrap_or("").to_string();
    for (name, value) in node.get("dependencies").into_iter().flat_map(|table| table.entries()) {
        package.edges.extend(edges(name, value));
    }
    package
}

fn provenance(package: &mut LockedPackage, source: Node, kind: &str) {
    let of = |key: &str| source.get(key).and_then(Node::str).unwrap_or("");
    let address = locked::address(of("url"));
    package.from_at = source.get("url").unwrap_or(source).at();
    if address.credentials {
        package.credentials = Some(package.from_at);
    }
    package.from = match kind {
        "git" => {
            let (commit, asked) = (of("resolved_reference").to_string(), of("reference").to_string());
            Provenance::git(address.url, commit, asked)
        }
        "url" => Provenance::Url(address.url),
        "file" | "directory" => Provenance::Path(address.url),
        _ => Provenance::Registry(address.url),
    };
}

/// A need has one table, or several for several markers.
fn edges(name: Node, value: Node) -> Vec<Edge> {
    let alternatives: Vec<Node> = if value.is_seq() { value.items().collect() } else { vec![value] };
    let edge = |node: Node| Edge {
        name: pypi::normalize(name.str().unwrap_or("")),
        version: Box::default(),
        marker: node.get("markers").and_then(Node::str).unwrap_or("").into(),
        extras: Box::default(),
        optional: node.get("optional").and_then(Node::bool) == Some(true),
        at: name.at(),
    };
    alternatives.into_iter().map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn lock(text: &str) -> Lock {
        let source = Source::new(SourceId(0), "poetry.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        facts.locks.remove(0)
    }

    #[test]
    fn both_places_of_hashes_are_read() {
        let two = lock(
            "# This file is automatically @generated by Poetry 2.1.3 and should not be changed by hand.\n\
             [[package]]\nname = \"A_b\"\nversion = \"1.0\"\nfiles = [{file = \"x\", hash = \"sha256:0\"}]\n\n\
             [extras]\nweb = [\"a-b\"]\n\n[metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.9\"\ncontent-hash = \"ff\"\n",
        );
        assert_eq!((two.packages[0].name.as_str(), two.packages[0].hashed), ("a-b", Hashed::All));
        assert_eq!(two.statement.generator.as_deref(), Some("2.1.3"));
        assert_eq!(two.statement.requires, [("web".to_string(), "a-b".to_string())]);
        let one = lock(
            "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[metadata]\nlock-version = \"1.1\"\ncontent-hash = \"ff\"\n\n\
             [metadata.files]\na = [{file = \"x\", hash = \"sha256:0\"}]\n",
        );
        assert_eq!(one.packages[0].hashed, Hashed::All);
        assert!(one.known && one.statement.generator.is_none());
    }
}

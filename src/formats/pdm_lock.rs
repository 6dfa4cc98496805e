//! `pdm.lock`: packages and the content hash. Judges no freshness.

use super::{Claim, Format, by_path, locked};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Hashed, Lock, LockTool, LockedPackage, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::toml;
use crate::syntax::tree::Node;
use std::collections::HashMap;

/// The format.
pub static FORMAT: Format = Format { name: "pdm lock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    // `pdm lock -L pdm.NAME.lock` is pdm's own way to several locks.
    if name.starts_with("pdm.") && name.ends_with(".lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let metadata = root.get("metadata");
    let of = |key: &str| metadata.and_then(|metadata| metadata.get(key)).and_then(Node::str).map(str::to_string);
    let format = of("lock_version").unwrap_or_default();
    let known = ["2", "3", "4"].iter().any(|major| format.split('.').next() == Some(major));
    if !known {
        let at = metadata.map_or(source.top(), Node::at);
        let what = format!("pdm.lock has lock version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, at, what);
    }
    // Before 4.3 the hashes of all packages stand in one table below `metadata`.
    let files = metadata.and_then(|metadata| metadata.get("files"));
    let files: HashMap<&str, Node> =
        files.into_iter().flat_map(|table| table.entries()).filter_map(|(key, list)| Some((key.str()?, list))).collect();
    let packages = root.get("package").into_iter().flat_map(|list| list.items()).map(|node| package(node, &files));
    let inputs = metadata.and_then(|metadata| metadata.get("lock_inputs"));
    let statement = Statement {
        content_hash: of("content_hash"),
        requires_python: python_of(metadata),
        settings: settings(metadata, inputs.is_some()),
        ..Statement::default()
    };
    let packages = packages.collect();
    facts.locks.push(Lock { tool: LockTool::Pdm, at: source.whole(), format, known, packages, statement, indexes: Vec::new() });
}

/// What a lock says of itself beside the hash: its groups, and whether it is for every platform.
fn settings(metadata: Option<Node>, inputs: bool) -> Vec<(String, String)> {
    let list = |key: &str| {
        let items = metadata.and_then(|metadata| metadata.get(key)).into_iter().flat_map(|list| list.items());
        items.filter_map(Node::str).map(str::to_string).collect::<Vec<_>>()
    };
    let targets: Vec<Node> = targets(metadata).collect();
    let limited = |target: &Node| target.get("platform").is_some() || target.get("implementation").is_some();
    let all = match targets.as_slice() {
        // Before 2.17 a strategy said so.
        [] => list("strategy").iter().any(|strategy| strategy == "cross_platform"),
        targets => !targets.iter().any(limited),
    };
    let mut settings = vec![("groups".to_string(), list("groups").join(","))];
    settings.push(("platforms".to_string(), if all { "all" } else { "some" }.to_string()));
    settings.extend(inputs.then(|| ("lock_inputs".to_string(), String::new())));
    settings
}

fn targets(metadata: Option<Node<'_>>) -> impl Iterator<Item = Node<'_>> {
    metadata.and_then(|metadata| metadata.get("targets")).into_iter().flat_map(|list| list.items())
}

/// The range of Pythons, when there is one for all of the lock.
fn python_of(metadata: Option<Node>) -> Option<String> {
    let mut ranges = targets(metadata).filter_map(|target| target.get("requires_python")?.str());
    let range = ranges.next()?;
    ranges.all(|other| other == range).then(|| range.to_string())
}

fn package(node: Node, files: &HashMap<&str, Node>) -> LockedPackage {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    let (name, version) = (text("name"), text("version"));
    let shared = || files.get(format!("{name} {version}").as_str()).copied();
    let own = node.get("files").or_else(shared);
    let own: Vec<Node> = own.into_iter().flat_map(|list| list.items()).collect();
    let hashes: Vec<bool> = own.iter().map(|file| file.get("hash").is_some()).collect();
    let hashed = match () {
        _ if node.get("revision").is_some() => Hashed::All,
        _ if node.get("path").is_some() => Hashed::NotApplicable,
        _ if !hashes.contains(&true) => Hashed::None,
        _ if hashes.contains(&false) => Hashed::Some,
        _ => Hashed::All,
    };
    let at = node.get("name").unwrap_or(node).at();
    let mut package = LockedPackage::new(pypi::normalize(name), version, hashed, at);
    locked::push_files(&mut package, &own);
    provenance(&mut package, node);
    locked::compare_names(&mut package, node.document());
    let groups = node.get("groups").into_iter().flat_map(|list| list.items()).filter_map(Node::str);
    package.groups = groups.map(str::to_string).collect();
    package.marker = text("marker").to_string();
    let needs = node.get("dependencies").into_iter().flat_map(|list| list.items());
    package.edges = needs.filter_map(|need| locked::edge(need.str()?, need.at())).collect();
    package
}

fn provenance(package: &mut LockedPackage, node: Node) {
    let Some((kind, value)) = ["git", "url", "path"].iter().find_map(|kind| Some((*kind, node.get(kind)?))) else { return };
    let of = |key: &str| node.get(key).and_then(Node::str).unwrap_or("").to_string();
    let address = locked::address(value.str().unwrap_or(""));
    package.from_at = value.at();
    if address.credentials {
        package.credentials = Some(value.at());
    }
    package.from = match kind {
        "git" => Provenance::git(address.url, of("revision"), of("ref")),
        "url" => Provenance::Url(address.url),
        _ => Provenance::Path(address.url),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn packages_and_the_hash_are_read() {
        let text = "[metadata]\nlock_version = \"4.5.1\"\ncontent_hash = \"sha256:ff\"\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n\
                    files = [{file = \"x\", hash = \"sha256:0\"}]\n";
        let source = Source::new(SourceId(0), "pdm.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        let lock = &facts.locks[0];
        assert_eq!(lock.statement.content_hash.as_deref(), Some("sha256:ff"));
        assert_eq!((lock.packages[0].hashed, lock.known), (Hashed::All, true));
        assert_eq!(claims("a/pdm.win.lock"), Claim::Yes);
    }
}

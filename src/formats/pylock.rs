//! `pylock.toml` and `pylock.NAME.toml` (PEP 751). Judges no freshness.

use super::{Claim, Format, by_path, locked};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Edge, Hashed, Lock, LockTool, LockedPackage, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::toml;
use crate::syntax::tree::Node;

/// The format.
pub static FORMAT: Format = Format { name: "pylock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with("pylock.") && name.ends_with(".toml") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let text = |key: &str| root.get(key).and_then(Node::str).map(str::to_string);
    let format = text("lock-version").unwrap_or_default();
    // PEP 751: a greater minor version may add keys, a greater major version may change them.
    let known = format.split('.').next() == Some("1");
    if !known {
        let what = format!("this lock has lock-version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, source.top(), what);
    }
    let packages = root.get("packages").into_iter().flat_map(|list| list.items()).map(package).collect();
    let statement = Statement {
        generator: text("created-by"),
        requires_python: text("requires-python"),
        settings: command(&source.text).map(|command| ("command".to_string(), command)).into_iter().collect(),
        ..Statement::default()
    };
    facts.locks.push(Lock { tool: LockTool::Pylock, at: source.whole(), format, known, packages, statement, indexes: Vec::new() });
}

/// The command line of the header that uv writes.
fn command(text: &str) -> Option<String> {
    let mut header = text.lines().take(20).map_while(|line| line.strip_prefix('#')).map(str::trim);
    header.find(|line| line.ends_with(':'))?;
    header.find(|line| !line.is_empty()).map(str::to_string)
}

fn package(node: Node) -> LockedPackage {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    let archives = ["sdist", "archive"].iter().filter_map(|key| node.get(key));
    let wheels = node.get("wheels").into_iter().flat_map(|list| list.items());
    let files: Vec<Node> = archives.chain(wheels).collect();
    let has_hash = |file: &Node| file.get("hashes").is_some_and(|table| table.entries().next().is_some());
    let hashes: Vec<bool> = files.iter().map(has_hash).collect();
    let hashed = match () {
        _ if node.path(&["vcs", "commit-id"]).is_some() => Hashed::All,
        _ if node.get("directory").is_some() => Hashed::NotApplicable,
        _ if !hashes.contains(&true) => Hashed::None,
        _ if hashes.contains(&false) => Hashed::Some,
        _ => Hashed::All,
    };
    let name = pypi::normalize(text("name"));
    let at = node.get("name").unwrap_or(node).at();
    let mut package = LockedPackage::new(name, text("version"), hashed, at);
    locked::push_files(&mut package, &files);
    package.marker = text("marker").to_string();
    let needs = node.get("dependencies").into_iter().flat_map(|list| list.items());
    package.edges = needs.filter_map(edge).collect();
    provenance(&mut package, node);
    locked::compare_names(&mut package, node.document());
    package
}

fn edge(node: Node) -> Option<Edge> {
    let name = node.get("name")?;
    Some(Edge {
        name: pypi::normalize(name.str()?),
        version: node.get("version").and_then(Node::str).unwrap_or("").into(),
        marker: node.get("marker").and_then(Node::str).unwrap_or("").into(),
        extras: Box::default(),
        optional: false,
        at: name.at(),
    })
}

fn place(table: Node<'_>) -> Option<Node<'_>> {
    table.get("url").or_else(|| table.get("path"))
}

fn provenance(package: &mut LockedPackage, node: Node) {
    let (from, at) = if let Some(vcs) = node.get("vcs") {
        let of = |key: &str| vcs.get(key).and_then(Node::str).unwrap_or("").to_string();
        let at = place(vcs).unwrap_or(vcs);
        let url = locked::address(at.str().unwrap_or("")).url;
        (Provenance::git(url, of("commit-id"), of("requested-revision")), at)
    } else if let Some(directory) = node.get("directory") {
        let path = directory.get("path").and_then(Node::str).unwrap_or("").to_string();
        (Provenance::Path(path), directory)
    } else if let Some(archive) = node.get("archive") {
        let at = place(archive).unwrap_or(archive);
        let url = locked::address(at.str().unwrap_or("")).url;
        (if archive.get("url").is_some() { Provenance::Url(url) } else { Provenance::Path(url) }, at)
    } else if let Some(index) = node.get("index") {
        (Provenance::Registry(locked::address(index.str().unwrap_or("")).url), index)
    } else {
        return;
    };
    package.from = from;
    package.from_at = at.at();
    if at.str().is_some_and(|text| locked::address(text).credentials) {
        package.credentials = Some(at.at());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn packages_and_the_header_are_read() {
        let text = "# This file was autogenerated by uv via the following command:\n#    uv export --format pylock.toml\n\
                    lock-version = \"1.0\"\ncreated-by = \"uv\"\n[[packages]]\nname = \"a\"\nversion = \"1\"\n\
                    sdist = { url = \"x\", hashes = { sha256 = \"0\" } }\n";
        let source = Source::new(SourceId(0), "pylock.toml", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        let lock = &facts.locks[0];
        assert_eq!(lock.packages[0].hashed, Hashed::All);
        assert_eq!(lock.statement.settings[0].1, "uv export --format pylock.toml");
        assert_eq!(claims("x/pylock.dev.toml"), Claim::Yes);
    }
}

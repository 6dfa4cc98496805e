//! `Pipfile.lock`: packages by category and the hash of the `Pipfile`. Judges no freshness.

use super::{Claim, Format, by_path, locked};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Hashed, Lock, LockIndex, LockTool, LockedPackage, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::json;
use crate::syntax::tree::Node;

/// The format.
pub static FORMAT: Format = Format { name: "pipfile lock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    if path.rsplit('/').next() == Some("Pipfile.lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = json::parse(source.id, &source.text);
    tree.report(facts);
    locked::empty(source, facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let meta = root.get("_meta");
    let format = meta.and_then(|meta| meta.get("pipfile-spec")).and_then(Node::str).unwrap_or("").to_string();
    let known = format.parse::<u32>().is_ok_and(|spec| spec <= 6);
    if !known {
        let at = meta.map_or(source.top(), Node::at);
        let what = format!("Pipfile.lock has pipfile-spec `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, at, what);
    }
    let categories = root.entries().filter(|(key, _)| key.str() != Some("_meta"));
    let indexes: Vec<LockIndex> = meta
        .and_then(|meta| meta.get("sources"))
        .into_iter()
        .flat_map(|list| list.items())
        .filter_map(|source| {
            let url = source.get("url")?;
            Some(locked::index(source.get("name").and_then(Node::str).unwrap_or(""), url.str()?, url.at()))
        })
        .collect();
    let mut packages = Vec::new();
    for (category, table) in categories {
        packages.extend(table.entries().map(|entry| package(entry, category.str().unwrap_or(""), &indexes)));
    }
    let hash = meta.and_then(|meta| meta.path(&["hash", "sha256"])).and_then(Node::str);
    let statement = Statement { content_hash: hash.map(str::to_string), ..Statement::default() };
    facts.locks.push(Lock { tool: LockTool::Pipenv, at: source.whole(), format, known, packages, statement, indexes });
}

fn package((name, node): (Node, Node), category: &str, indexes: &[LockIndex]) -> LockedPackage {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    let hashed = match () {
        _ if node.get("git").is_some() && is_commit(text("ref")) => Hashed::All,
        _ if node.get("path").is_some() => Hashed::NotApplicable,
        _ if node.get("hashes").is_some_and(|list| list.items().len() > 0) => Hashed::All,
        _ => Hashed::None,
    };
    let version = text("version").trim_start_matches('=').trim();
    let mut package = LockedPackage::new(pypi::normalize(name.str().unwrap_or("")), version, hashed, name.at());
    package.groups = vec![category.to_string()];
    package.marker = text("markers").to_string();
    let hashes = node.get("hashes").into_iter().flat_map(|list| list.items());
    package.artifacts = hashes.filter_map(|hash| Some(locked::hash_only(hash.piece()?, hash.at()))).collect();
    provenance(&mut package, node, indexes);
    package
}

fn provenance(package: &mut LockedPackage, node: Node, indexes: &[LockIndex]) {
    let kinds = ["git", "file", "path", "index"];
    let Some((kind, value)) = kinds.iter().find_map(|kind| Some((*kind, node.get(kind)?))) else { return };
    let written = value.str().unwrap_or("");
    let address = locked::address(written);
    package.from_at = value.at();
    if address.credentials {
        package.credentials = Some(value.at());
    }
    package.from = match kind {
        "git" => {
            let written = node.get("ref").and_then(Node::str).unwrap_or("").to_string();
            let commit = if is_commit(&written) { written.clone() } else { String::new() };
            Provenance::git(address.url, commit, written)
        }
        "file" if written.contains("://") && !written.starts_with("file:") => Provenance::Url(address.url),
        "file" | "path" => Provenance::Path(address.url),
        _ => {
            let named = indexes.iter().find(|index| index.name == written);
            Provenance::Registry(named.map_or(written, |index| index.url.as_str()).to_string())
        }
    };
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn categories_are_read_alike() {
        let text = r#"{"_meta": {"hash": {"sha256": "ff"}, "pipfile-spec": 6}, "default": {"A.b": {"version": "==1.0",
            "hashes": ["sha256:0"]}}, "develop": {"c": {"git": "https://x", "ref": "main"}}}"#;
        let source = Source::new(SourceId(0), "Pipfile.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        let lock = &facts.locks[0];
        assert_eq!(lock.statement.content_hash.as_deref(), Some("ff"));
        assert_eq!((lock.packages[0].name.as_str(), lock.packages[0].version.as_str()), ("a-b", "1.0"));
        assert_eq!(lock.packages[1].hashed, Hashed::None);
    }
}

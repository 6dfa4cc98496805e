//! `conda-lock.yml`, and conda's explicit lists (`@EXPLICIT`). Judges no freshness.

use super::{Claim, Format};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Hashed, Lock, LockTool, LockedPackage, Statement};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use std::collections::HashSet;

/// The format.
pub static FORMAT: Format = Format { name: "conda lock", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let yaml = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    match yaml {
        Some(stem) if stem == "conda-lock" || stem.ends_with(".conda-lock") => Claim::Yes,
        None if name.ends_with(".lock") || name.ends_with(".txt") => Claim::Maybe,
        _ => Claim::No,
    }
}

/// An explicit list says so in a line of its own, below comments.
fn sniff(text: &str) -> bool {
    let mut lines = text.lines().take(60).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next() == Some("@EXPLICIT")
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    if source.file_name().ends_with(['l', 'L']) { unified(source, facts) } else { explicit(source, facts) }
}

fn unified(source: &Source, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let format = root.get("version").and_then(Node::str).unwrap_or("").to_string();
    let known = format == "1";
    if !known {
        let what = format!("this lock has version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, source.top(), what);
    }
    let mut seen = HashSet::new();
    let packages = root.get("package").into_iter().flat_map(|list| list.items()).map(package);
    let packages = packages.filter(|package| seen.insert((package.name.clone(), package.version.clone()))).collect();
    let sources = root.path(&["metadata", "sources"]).into_iter().flat_map(|list| list.items());
    let sources = sources.filter_map(Node::str).map(|path| ("source".to_string(), path.to_string()));
    let hashes = root.path(&["metadata", "content_hash"]).into_iter().flat_map(|table| table.entries());
    let hashes = hashes.filter_map(|(key, value)| Some((format!("content_hash.{}", key.str()?), value.str()?.to_string())));
    let statement = Statement { settings: sources.chain(hashes).collect(), ..Statement::default() };
    facts.locks.push(Lock { tool: LockTool::CondaLock, at: source.whole(), format, known, packages, statement });
}

fn package(node: Node) -> LockedPackage {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    let hashed = if node.get("hash").is_some_and(Node::is_map) { Hashed::All } else { Hashed::None };
    LockedPackage {
        name: text("name").to_lowercase(),
        version: text("version").to_string(),
        hashed,
        at: node.get("name").unwrap_or(node).at(),
    }
}

fn explicit(source: &Source, facts: &mut Facts) {
    let mut packages = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let text = line.trim();
        if let Some(package) = text.contains("://").then(|| listed(text)).flatten() {
            let lead = line.len() - line.trim_start().len();
            let at = Location::new(source.id, Span::new(start + lead, start + lead + text.len()));
            packages.push(LockedPackage { at, ..package });
        }
        start += line.len();
    }
    let statement = Statement::default();
    let format = "explicit".to_string();
    facts.locks.push(Lock { tool: LockTool::CondaLock, at: source.whole(), format, known: true, packages, statement });
}

/// `https://host/channel/platform/name-version-build.conda#md5` to its parts.
fn listed(line: &str) -> Option<LockedPackage> {
    let (url, hash) = line.split_once('#').unwrap_or((line, ""));
    let file = url.rsplit('/').next()?;
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let mut parts = stem.rsplitn(3, '-');
    let (_, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    let hashed = if hash.is_empty() { Hashed::None } else { Hashed::All };
    let nowhere = Location::new(crate::model::span::SourceId(0), Span::empty(0));
    Some(LockedPackage { name: name.to_lowercase(), version: version.to_string(), hashed, at: nowhere })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn lock(path: &str, text: &str) -> Lock {
        let source = Source::new(SourceId(3), path, text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        facts.locks.remove(0)
    }

    #[test]
    fn explicit_lists_are_told_by_their_first_word() {
        let text = "# platform: linux-64\n@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/ca-certificates-2022.1-h_0.tar.bz2#d34e\n";
        assert!(sniff(text) && !sniff("requests==1\n@EXPLICIT\n"));
        let lock = lock("env.lock", text);
        assert_eq!((lock.packages[0].name.as_str(), lock.packages[0].version.as_str()), ("ca-certificates", "2022.1"));
        assert_eq!(lock.packages[0].at.span.start, 31);
        assert_eq!(lock.packages[0].at.source, SourceId(3));
    }

    #[test]
    fn packages_of_several_platforms_count_once() {
        let text = "version: 1\nmetadata:\n  sources: [environment.yml]\npackage:\n- {name: zlib, version: '1.2', platform: linux-64, hash: {md5: a}}\n\
                    - {name: zlib, version: '1.2', platform: osx-64, hash: {md5: b}}\n";
        let lock = lock("conda-lock.yml", text);
        assert_eq!(lock.packages.len(), 1);
        assert_eq!(lock.statement.settings, [("source".to_string(), "environment.yml".to_string())]);
    }
}

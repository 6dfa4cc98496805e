//! `conda-lock.yml`, and conda's explicit lists (`@EXPLICIT`). Judges no freshness.

use super::{Claim, Format, locked};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{ArtifactKind, Hash, Hashed, Lock, LockIndex, LockTool, LockedPackage, Piece, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use foldhash::{HashMap, HashMapExt, HashSet};

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
    locked::empty(source, facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let format = root.get("version").and_then(Node::str).unwrap_or("").to_string();
    let known = format == "1";
    if !known {
        let what = format!("this lock has version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, source.top(), what);
    }
    locked::cut_off(source, facts);
    let entries: Vec<Node> = root.get("package").into_iter().flat_map(|list| list.items()).collect();
    if known {
        whole(&entries, source, facts);
    }
    let packages = joined(entries.into_iter().map(package));
    let channels = root.path(&["metadata", "channels"]).into_iter().flat_map(|list| list.items());
    let channels = channels.map(|channel| channel.get("url").unwrap_or(channel));
    let indexes: Vec<LockIndex> =
        channels.filter_map(|channel| Some(locked::index("", channel.str()?, channel.at()))).collect();
    let sources = root.path(&["metadata", "sources"]).into_iter().flat_map(|list| list.items());
    let sources = sources.filter_map(Node::str).map(|path| ("source".to_string(), path.to_string()));
    let hashes = root.path(&["metadata", "content_hash"]).into_iter().flat_map(|table| table.entries());
    let hashes = hashes.filter_map(|(key, value)| Some((format!("content_hash.{}", key.str()?), value.str()?.to_string())));
    let platforms = root.path(&["metadata", "platforms"]).into_iter().flat_map(|list| list.items());
    let platforms = platforms.filter_map(Node::str).map(|platform| ("platform".to_string(), platform.to_string()));
    let statement = Statement { settings: sources.chain(hashes).chain(platforms).collect(), ..Statement::default() };
    facts.locks.push(Lock { tool: LockTool::CondaLock, at: source.whole(), format, known, packages, statement, indexes });
}

/// One package for all platforms that hold the same version of it.
/// Says of what conda-lock always writes and is not there: keys of the last entry, and needs of a package on its own platform.
fn whole(entries: &[Node], source: &Source, facts: &mut Facts) {
    const KEYS: [&str; 9] =
        ["name", "version", "manager", "platform", "dependencies", "url", "hash", "category", "optional"];
    locked::last_lacks(facts, entries, &KEYS);
    if entries.is_empty() {
        locked::incomplete(facts, source.top(), "it holds no packages");
    }
    fn text<'t>(node: Node<'t>, key: &str) -> &'t str {
        node.get(key).and_then(Node::str).unwrap_or("")
    }
    let names: HashSet<(&str, &str)> =
        entries.iter().map(|entry| (text(*entry, "platform"), text(*entry, "name"))).collect();
    let anywhere: HashSet<&str> = names.iter().map(|(_, name)| *name).collect();
    for entry in entries.iter().filter(|entry| text(**entry, "manager") != "pip") {
        let platform = text(*entry, "platform");
        let needs = entry.get("dependencies").into_iter().flat_map(|table| table.entries()).map(|(name, _)| name);
        // What no platform has is told by the needs of the whole lock.
        let lost = |name: &Node| {
            name.str().is_some_and(|name| anywhere.contains(name) && !names.contains(&(platform, name)))
        };
        if let Some(need) = needs.into_iter().find(lost) {
            let what = format!("`{}` needs this on {platform}, and there is no entry of it for {platform}", text(*entry, "name"));
            return locked::incomplete(facts, need.at(), &what);
        }
    }
}

fn joined(packages: impl Iterator<Item = LockedPackage>) -> Vec<LockedPackage> {
    let mut list: Vec<LockedPackage> = Vec::new();
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for package in packages {
        let key = (package.name.clone(), package.version.clone());
        let Some(&index) = seen.get(&key) else {
            seen.insert(key, list.len());
            list.push(package);
            continue;
        };
        let first = &mut list[index];
        if first.hashed != package.hashed {
            first.hashed = Hashed::Some;
        }
        first.artifacts.extend(package.artifacts);
        first.credentials = first.credentials.or(package.credentials);
        for edge in package.edges {
            if !first.edges.iter().any(|old| old.name == edge.name) {
                first.edges.push(edge);
            }
        }
        for group in package.groups {
            if !first.groups.contains(&group) {
                first.groups.push(group);
            }
        }
    }
    list
}

fn package(node: Node) -> LockedPackage {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    let hashed = if node.get("hash").is_some_and(Node::is_map) { Hashed::All } else { Hashed::None };
    let at = node.get("name").unwrap_or(node).at();
    let mut package = LockedPackage::new(text("name").to_lowercase(), text("version"), hashed, at);
    let conda = text("manager") != "pip";
    if let Some(place) = node.get("url") {
        let written = place.str().unwrap_or("");
        let (mut artifact, credentials) = locked::artifact(place.piece().unwrap_or_default(), node.document(), place.at());
        if conda {
            artifact.kind = ArtifactKind::Conda;
        }
        artifact.hashes.extend(node.get("hash").into_iter().flat_map(locked::table_of_hashes));
        package.credentials = credentials.then(|| place.at());
        package.from_at = place.at();
        if conda {
            package.from = channel(artifact.url(node.document()));
        } else if written.starts_with("git+") {
            package.from = git(written);
        }
        package.artifacts.push(artifact);
    }
    locked::compare_names(&mut package, node.document());
    for (name, _) in node.get("dependencies").into_iter().flat_map(|table| table.entries()) {
        package.edges.extend(name.str().and_then(|text| locked::edge(text, name.at())));
    }
    package.groups = vec![if conda { "conda" } else { "pypi" }.to_string(), text("platform").to_string()];
    package
}

/// `git+URL@commit`.
fn git(written: &str) -> Provenance {
    let address = locked::address(written.trim_start_matches("git+"));
    let (url, commit) = address.url.rsplit_once('@').unwrap_or((&address.url, ""));
    Provenance::git(url, commit, "")
}

/// A channel ends where the folder of the platform begins.
fn channel(url: &str) -> Provenance {
    let folder = url.rsplit_once('/').map_or("", |(folder, _)| folder);
    Provenance::Registry(folder.rsplit_once('/').map_or("", |(channel, _)| channel).to_string())
}

fn explicit(source: &Source, facts: &mut Facts) {
    let mut packages = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let text = line.trim();
        if let Some(package) = text.contains("://").then(|| listed(text)).flatten() {
            let lead = line.len() - line.trim_start().len();
            let at = Location::new(source.id, Span::new(start + lead, start + lead + text.len()));
            let mut package = LockedPackage { at, from_at: at, ..package };
            let (_, hash) = text.split_once('#').unwrap_or((text, ""));
            let (mut artifact, credentials) = locked::artifact(Piece::At(at.span), &source.text, at);
            artifact.kind = ArtifactKind::Conda;
            package.from = channel(artifact.url(&source.text));
            if let Some(hash) = spelled_hash(hash) {
                artifact.hashes.push(Hash::written(Piece::made(&hash)));
            }
            package.credentials = credentials.then_some(at);
            package.artifacts.push(artifact);
            locked::compare_names(&mut package, &source.text);
            packages.push(package);
        }
        start += line.len();
    }
    let statement = Statement::default();
    let format = "explicit".to_string();
    facts.locks.push(Lock { tool: LockTool::CondaLock, at: source.whole(), format, known: true, packages, statement, indexes: Vec::new() });
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
    Some(LockedPackage::new(name.to_lowercase(), version, hashed, nowhere))
}

/// What stands behind `#` is md5, or says that it is sha256.
fn spelled_hash(hash: &str) -> Option<String> {
    match hash.strip_prefix("sha256:") {
        _ if hash.is_empty() => None,
        Some(_) => Some(hash.to_string()),
        None if hash.len() == 64 => Some(format!("sha256:{hash}")),
        None => Some(format!("md5:{hash}")),
    }
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

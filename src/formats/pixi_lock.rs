//! `pixi.lock`. Judges no freshness.

use super::{Claim, Format, by_path, locked};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Hash, Hashed, Lock, ArtifactKind, LockIndex, LockTool, LockedPackage, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::model::span::Location;
use crate::model::text::Text;
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use foldhash::HashSet;

/// The format.
pub static FORMAT: Format = Format { name: "pixi lock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    if path.rsplit('/').next() == Some("pixi.lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    locked::empty(source, facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let format = root.get("version").and_then(Node::str).unwrap_or("").to_string();
    let known = matches!(format.as_str(), "3" | "4" | "5" | "6" | "7");
    if !known {
        let what = format!("pixi.lock has version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, source.top(), what);
    }
    locked::cut_off(source, facts);
    if known {
        unlisted(root, facts);
    }
    let packages = root.get("packages").into_iter().flat_map(|list| list.items()).filter_map(package).collect();
    let statement = Statement::default();
    facts.locks.push(Lock { tool: LockTool::Pixi, at: source.whole(), format, known, packages, statement, indexes: indexes(root) });
}

fn package(node: Node) -> Option<LockedPackage> {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    // Up to version 5 an entry has a `kind`, then the kind is the key of its place.
    let place = ["pypi", "conda"].iter().find_map(|key| node.get(key)).or_else(|| node.get("url"));
    if let Some(written) = node.get("conda_source").and_then(Node::text) {
        return source_of(&written).map(|(name, place)| from_source(node, name, &place));
    }
    let url = place.and_then(Node::str).unwrap_or("");
    let python = node.get("pypi").is_some() || text("kind") == "pypi";
    let (of_file, version_of_file) = file(url).unwrap_or(("", ""));
    let name = if text("name").is_empty() { of_file } else { text("name") };
    let version = if text("version").is_empty() { version_of_file } else { text("version") };
    let hashed = match () {
        _ if !url.contains("://") => Hashed::NotApplicable,
        // A commit is in the URL.
        _ if url.starts_with("git+") => Hashed::All,
        _ if node.get("sha256").or_else(|| node.get("md5")).is_some() => Hashed::All,
        _ => Hashed::None,
    };
    let name = if python { pypi::normalize(name) } else { name.to_lowercase() };
    let at = node.get("name").or(place).unwrap_or(node).at();
    if name.is_empty() {
        return None;
    }
    let mut package = LockedPackage::new(name, version, hashed, at);
    let place = place.unwrap_or(node);
    file_into(&mut package, node, place);
    provenance(&mut package, url, python, place.at());
    locked::compare_names(&mut package, node.document());
    let needs = ["depends", "requires_dist"].iter().filter_map(|key| node.get(key)).flat_map(|list| list.items());
    package.edges = needs.filter_map(|need| locked::edge(need.str()?, need.at())).collect();
    package.groups = vec![if python { "pypi" } else { "conda" }.to_string()];
    Some(package)
}

/// Name and place of a package that pixi builds: `NAME[HASH] @ git+URL#COMMIT`, `NAME[HASH] @ FOLDER`.
fn source_of(text: &Text) -> Option<(&str, Text)> {
    let (name, place) = text.text.split_once(" @ ")?;
    let range = text.text.len() - place.len()..text.text.len();
    let place = Text { text: place.to_string(), at: text.place(range), verbatim: text.verbatim };
    Some((name.split('[').next().unwrap_or(name), place))
}

fn from_source(node: Node, name: &str, place: &Text) -> LockedPackage {
    let hashed = if place.text.starts_with("git+") { Hashed::All } else { Hashed::NotApplicable };
    let version = node.get("version").and_then(Node::str).unwrap_or("");
    let mut package = LockedPackage::new(name.to_lowercase(), version, hashed, place.at);
    provenance(&mut package, &place.text, false, place.at);
    let needs = node.get("depends").into_iter().flat_map(|list| list.items());
    package.edges = needs.filter_map(|need| locked::edge(need.str()?, need.at())).collect();
    package.groups = vec!["conda".to_string()];
    package
}

/// Says of the first package that an environment lists and that has no record.
fn unlisted(root: Node, facts: &mut Facts) {
    fn place(node: Node<'_>) -> Option<Node<'_>> {
        ["conda", "pypi", "url", "path"].iter().find_map(|key| node.get(key))
    }
    let records = root.get("packages").into_iter().flat_map(|list| list.items());
    let known: HashSet<&str> = records.filter_map(place).filter_map(Node::str).collect();
    let environments = root.get("environments").into_iter().flat_map(|table| table.entries());
    let platforms = environments.filter_map(|(_, environment)| environment.get("packages")).flat_map(|table| table.entries());
    let listed = platforms.flat_map(|(_, list)| list.items()).filter_map(place);
    if let Some(missing) = listed.into_iter().find(|node| node.str().is_some_and(|url| !known.contains(url))) {
        locked::incomplete(facts, missing.at(), "an environment lists this package and there is no record of it below `packages`");
    }
    if root.get("packages").is_none() {
        locked::incomplete(facts, root.at(), "it holds no `packages`");
    }
}

fn file_into(package: &mut LockedPackage, node: Node, place: Node) {
    let (url, at) = (place.str().unwrap_or(""), place.at());
    if !url.contains("://") || url.starts_with("git+") {
        return;
    }
    let of = |key: &str| node.get(key).and_then(Node::piece);
    let (mut artifact, credentials) = locked::artifact(place.piece().unwrap_or_default(), node.document(), at);
    if node.get("conda").is_some() || node.get("kind").and_then(Node::str) == Some("conda") {
        artifact.kind = ArtifactKind::Conda;
    }
    let algorithms = ["sha256", "md5"].iter();
    artifact.hashes.extend(algorithms.filter_map(|key| Some(Hash::of(key, of(key)?, node.document()))));
    artifact.size = of("size").unwrap_or_default();
    // Milliseconds since 1970: when the package was built.
    artifact.uploaded = of("timestamp").unwrap_or_default();
    if credentials {
        package.credentials = Some(at);
    }
    package.artifacts.push(artifact);
}

fn provenance(package: &mut LockedPackage, url: &str, python: bool, at: Location) {
    package.from_at = at;
    let address = locked::address(url);
    if address.credentials {
        package.credentials = Some(at);
    }
    package.from = match () {
        _ if url.starts_with("git+") || !address.fragment.is_empty() && url.contains(".git") => {
            let url = address.url.trim_start_matches("git+").to_string();
            let asked = address.query.split('&').find_map(|pair| Some(pair.split_once('=')?.1.to_string()));
            Provenance::git(url, address.fragment, asked.unwrap_or_default())
        }
        _ if !url.contains("://") => Provenance::Path(url.to_string()),
        _ if python => Provenance::default(),
        // A channel ends where the folder of the platform begins.
        _ => {
            let folder = address.url.rsplit_once('/').map_or("", |(folder, _)| folder);
            Provenance::Registry(folder.rsplit_once('/').map_or("", |(channel, _)| channel).to_string())
        }
    };
}

/// Channels and indexes of all environments.
fn indexes(root: Node) -> Vec<LockIndex> {
    let mut found: Vec<LockIndex> = Vec::new();
    for (_, environment) in root.get("environments").into_iter().flat_map(|table| table.entries()) {
        let channels = environment.get("channels").into_iter().flat_map(|list| list.items());
        let channels = channels.map(|channel| channel.get("url").unwrap_or(channel));
        let indexes = environment.get("indexes").into_iter().flat_map(|list| list.items());
        for place in channels.chain(indexes) {
            let Some(index) = place.str().map(|url| locked::index("", url, place.at())) else { continue };
            if !found.iter().any(|old| old.url == index.url) {
                found.push(index);
            }
        }
    }
    found
}

/// Name and version in the file name of a conda package.
fn file(url: &str) -> Option<(&str, &str)> {
    let file = url.rsplit('/').next()?;
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let mut parts = stem.rsplitn(3, '-');
    let (_, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn both_kinds_of_packages_are_read() {
        let text = "version: 6\npackages:\n- conda: https://c/conda-forge/noarch/pip-25.0-pyh_0.conda\n  sha256: aa\n\
                    - pypi: https://f/x.whl\n  name: My_Pkg\n  version: 1.0\n  sha256: bb\n- pypi: ./local\n  name: own\n";
        let source = Source::new(SourceId(0), "pixi.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        let packages = &facts.locks[0].packages;
        assert_eq!((packages[0].name.as_str(), packages[0].version.as_str()), ("pip", "25.0"));
        assert_eq!((packages[1].name.as_str(), packages[1].version.as_str()), ("my-pkg", "1.0"));
        assert_eq!(packages[2].hashed, Hashed::NotApplicable);
    }

    #[test]
    fn packages_that_are_built_have_their_source() {
        let text = "version: 7\npackages:\n- conda_source: Core[12ab] @ git+https://github.com/o/core?subdirectory=a#0123456789abcdef0123456789abcdef01234567\n  \
                    version: '1.2'\n  depends:\n  - python\n- conda_source: own[34cd] @ .\n";
        let source = Source::new(SourceId(0), "pixi.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        let packages = &facts.locks[0].packages;
        assert_eq!((packages[0].name.as_str(), packages[0].version.as_str(), packages[0].hashed), ("core", "1.2", Hashed::All));
        let Provenance::Git(git) = &packages[0].from else { panic!("{:?}", packages[0].from) };
        assert_eq!(git.url, "https://github.com/o/core");
        assert_eq!(packages[1].from, Provenance::Path(".".to_string()));
        assert_eq!(&text[packages[1].at.span.range()], ".");
    }
}

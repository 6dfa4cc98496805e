//! `uv.lock` and `*.py.lock`: packages, and what the lock recorded of the projects that it describes. Judges no freshness.
//!
//! Source: uv's own writer (`uv-resolver`, `lock/serialize.rs`). A greater `revision` of format version 1 is compatible by uv's rule.

use super::{Claim, Format, by_path, locked};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Edge, Hashed, Lock, LockTool, LockedPackage, Provenance, StatedProject, StatedRequirement, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::toml;
use crate::syntax::tree::Node;

/// The format.
pub static FORMAT: Format = Format { name: "uv lock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "uv.lock" || name.ends_with(".py.lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let version = text(root, "version");
    let known = version == "1";
    if !known {
        let at = root.get("version").map_or(source.top(), Node::at);
        let what = format!("uv.lock has format version `{version}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, at, what);
    }
    let packages: Vec<Node> = root.get("package").into_iter().flat_map(|list| list.items()).collect();
    let revision = text(root, "revision");
    let format = if revision.is_empty() { version.to_string() } else { format!("{version}.{revision}") };
    facts.locks.push(Lock {
        tool: LockTool::Uv,
        at: source.whole(),
        format,
        known,
        packages: packages.iter().map(|node| package(*node)).collect(),
        statement: statement(root, &packages),
        indexes: Vec::new(),
    });
}

fn text<'t>(node: Node<'t>, key: &str) -> &'t str {
    node.get(key).and_then(Node::str).unwrap_or("")
}

fn package(node: Node) -> LockedPackage {
    let files: Vec<Node> =
        node.get("sdist").into_iter().chain(node.get("wheels").into_iter().flat_map(|list| list.items())).collect();
    let hashes: Vec<bool> = files.iter().map(|file| file.get("hash").is_some()).collect();
    let source = node.get("source");
    // A commit is in the URL of a git source; the project itself and its neighbours have nothing to hash.
    let git = source.is_some_and(|source| source.get("git").is_some());
    let local = source.is_some_and(|source| LINKS.iter().any(|link| source.get(link).is_some()));
    let hashed = match () {
        _ if git => Hashed::All,
        _ if local => Hashed::NotApplicable,
        _ if !hashes.contains(&true) => Hashed::None,
        _ if hashes.contains(&false) => Hashed::Some,
        _ => Hashed::All,
    };
    let name = pypi::normalize(text(node, "name"));
    let at = node.get("name").unwrap_or(node).at();
    let mut package = LockedPackage::new(name, text(node, "version"), hashed, at);
    locked::push_files(&mut package, &files);
    if let Some(source) = source {
        provenance(&mut package, source);
    }
    locked::compare_names(&mut package, node.document());
    let forks = node.get("resolution-markers").into_iter().flat_map(|list| list.items()).filter_map(Node::str);
    package.marker = forks.collect::<Vec<_>>().join(" or ");
    let edges = |list: Option<Node>, optional: bool| {
        list.into_iter().flat_map(|list| list.items()).map(move |node| edge(node, optional)).collect::<Vec<_>>()
    };
    package.edges = edges(node.get("dependencies"), false);
    for table in ["optional-dependencies", "dev-dependencies"] {
        for (_, list) in node.get(table).into_iter().flat_map(|table| table.entries()) {
            package.edges.extend(edges(Some(list), true));
        }
    }
    package
}

fn provenance(package: &mut LockedPackage, source: Node) {
    let kinds = ["registry", "git", "url", "path", "editable", "virtual", "directory"];
    let Some((kind, value)) = kinds.iter().find_map(|kind| Some((*kind, source.get(kind)?))) else { return };
    let address = locked::address(value.str().unwrap_or(""));
    package.from_at = value.at();
    if address.credentials {
        package.credentials = Some(value.at());
    }
    package.from = match kind {
        "registry" => Provenance::Registry(address.url),
        "git" => {
            let asked = address.query.split('&').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                matches!(key, "rev" | "tag" | "branch").then(|| value.to_string())
            });
            Provenance::git(address.url, address.fragment, asked.unwrap_or_default())
        }
        "url" => Provenance::Url(address.url),
        _ => Provenance::Path(address.url),
    };
}

fn edge(node: Node, optional: bool) -> Edge {
    let extras = node.get("extra").into_iter().flat_map(|list| list.items()).filter_map(Node::str);
    Edge {
        name: pypi::normalize(text(node, "name")),
        version: text(node, "version").into(),
        marker: text(node, "marker").into(),
        extras: extras.map(pypi::normalize).collect(),
        optional,
        at: node.get("name").unwrap_or(node).at(),
    }
}

const LINKS: [&str; 3] = ["editable", "virtual", "directory"];

fn statement(root: Node, packages: &[Node]) -> Statement {
    let manifest = root.get("manifest");
    let of_manifest = |key: &str| manifest.and_then(|manifest| manifest.get(key));
    let members = of_manifest("members").into_iter().flat_map(|list| list.items()).filter_map(Node::str);
    let mut statement = Statement {
        requires_python: root.get("requires-python").and_then(Node::str).map(str::to_string),
        members: members.map(pypi::normalize).collect(),
        projects: packages.iter().filter_map(|node| project(*node)).collect(),
        ..Statement::default()
    };
    for key in ["requirements", "constraints", "overrides", "build-constraints"] {
        statement.lists.extend(of_manifest(key).map(|list| (key.to_string(), requirements(list))));
    }
    for (group, list) in of_manifest("dependency-groups").into_iter().flat_map(|table| table.entries()) {
        let group = pypi::normalize(group.str().unwrap_or(""));
        statement.lists.push((format!("dependency-groups.{group}"), requirements(list)));
    }
    for (table, keys) in [
        (Some(root), ["supported-markers", "required-markers", "conflicts", ""].as_slice()),
        (manifest, ["excludes", "dependency-metadata", "default-groups"].as_slice()),
    ] {
        let Some(table) = table else { continue };
        let found = keys.iter().filter_map(|key| Some((key.to_string(), spelled(table.get(key)?))));
        statement.settings.extend(found);
    }
    for (key, value) in root.get("options").into_iter().flat_map(|table| table.entries()) {
        statement.settings.push((format!("options.{}", key.str().unwrap_or("")), spelled(value)));
    }
    statement
}

/// A value in one spelling, keys sorted: enough to see whether two are equal.
fn spelled(node: Node) -> String {
    if node.is_seq() {
        return format!("[{}]", node.items().map(spelled).collect::<Vec<_>>().join(", "));
    }
    if node.is_map() {
        let mut parts: Vec<String> =
            node.entries().map(|(key, value)| format!("{} = {}", key.str().unwrap_or(""), spelled(value))).collect();
        parts.sort();
        return format!("{{{}}}", parts.join(", "));
    }
    node.str().unwrap_or("").to_string()
}

fn project(node: Node) -> Option<StatedProject> {
    let source = node.get("source")?;
    let (link, path) = LINKS.iter().find_map(|link| Some((*link, source.get(link)?.str()?)))?;
    let metadata = node.get("metadata");
    let of = |key: &str| metadata.and_then(|metadata| metadata.get(key));
    let extras = of("provides-extras").map(|list| list.items().filter_map(Node::str).map(pypi::normalize).collect());
    let groups = of("requires-dev").into_iter().flat_map(|table| table.entries());
    Some(StatedProject {
        name: pypi::normalize(text(node, "name")),
        path: path.to_string(),
        link: link.to_string(),
        version: node.get("version").and_then(Node::str).map(str::to_string),
        requires: of("requires-dist").map(requirements).unwrap_or_default(),
        extras,
        groups: groups.map(|(group, list)| (pypi::normalize(group.str().unwrap_or("")), requirements(list))).collect(),
        defaults: node.get("default-groups").map(spelled),
        at: node.get("name").unwrap_or(node).at(),
    })
}

fn requirements(list: Node) -> Vec<StatedRequirement> {
    list.items().map(requirement).collect()
}

fn requirement(node: Node) -> StatedRequirement {
    let mut extras: Vec<String> =
        node.get("extras").into_iter().flat_map(|list| list.items()).filter_map(Node::str).map(pypi::normalize).collect();
    extras.sort();
    // uv keeps an extra that is asked for twice as often as it is written.
    extras.dedup();
    let kinds = ["index", "git", "url", "path", "editable", "directory", "virtual"];
    let source = kinds.iter().find_map(|kind| Some(format!("{kind} {}", node.get(kind)?.str()?)));
    let mut source = source.unwrap_or_default();
    if let Some(folder) = node.get("subdirectory").and_then(Node::str) {
        source = format!("{source}#subdirectory={folder}");
    }
    StatedRequirement {
        name: pypi::normalize(text(node, "name")),
        extras,
        specifier: text(node, "specifier").to_string(),
        marker: text(node, "marker").to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn facts(text: &str) -> Facts {
        let source = Source::new(SourceId(0), "uv.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        facts
    }

    #[test]
    fn packages_and_the_recorded_manifest_are_read() {
        let facts = facts(
            "version = 1\nrevision = 3\nrequires-python = \">=3.10\"\n\n[manifest]\nmembers = [\"app\", \"lib\"]\n\
             constraints = [{ name = \"x\", specifier = \"<2\" }]\n\n[options]\nresolution-mode = \"lowest\"\n\n\
             [[package]]\nname = \"flask\"\nversion = \"3.1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n\
             sdist = { url = \"https://x/f.tar.gz\", hash = \"sha256:00\" }\nwheels = [{ url = \"https://x/f.whl\" }]\n\n\
             [[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = { editable = \".\" }\n\n[package.metadata]\n\
             requires-dist = [{ name = \"flask\", extras = [\"b\", \"a\", \"b\"], marker = \"extra == 'web'\", specifier = \">=3\" }]\n\
             provides-extras = [\"web\"]\n\n[package.metadata.requires-dev]\ndev = [{ name = \"pytest\", index = \"https://i/s\" }]\n",
        );
        let lock = &facts.locks[0];
        assert!(lock.known && lock.format == "1.3");
        assert_eq!(lock.packages[0].hashed, Hashed::Some);
        assert_eq!(lock.packages[1].hashed, Hashed::NotApplicable);
        assert_eq!(lock.statement.members, ["app", "lib"]);
        assert_eq!(lock.statement.settings, [("options.resolution-mode".to_string(), "lowest".to_string())]);
        let app = &lock.statement.projects[0];
        assert_eq!((app.link.as_str(), app.path.as_str()), ("editable", "."));
        assert_eq!(app.requires[0].extras, ["a", "b"]);
        assert_eq!(app.groups[0].1[0].source, "index https://i/s");
    }

    #[test]
    fn an_unknown_version_is_said() {
        let facts = facts("version = 2\n");
        assert!(!facts.locks[0].known);
        assert_eq!(facts.problems.len(), 1);
    }
}

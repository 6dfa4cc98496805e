//! Locks that hold a hash of their manifest: poetry, pdm, pipenv. The hash decides, as it does for the tool; the rest gives reasons.
//!
//! Each formula is the tool's own: poetry's `Locker._get_content_hash` (1.x, 2.0 to 2.2, from 2.3), pdm's `content_hash` (before
//! and from 2.16) and its workspaces, plette's and pipenv's `calculate_hash`.

use super::python_json::{SPACED, TIGHT, list, object, string, value};
use super::{Packages, by_name, orphan, reason, satisfy};
use crate::ecosystems::pypi;
use crate::model::lock::{Lock, LockTool, Reason, Verdict};
use crate::model::manifest::Group;
use crate::model::project::{LockState, Project};
use crate::model::reference::{Origin, Reference, Role};
use crate::model::source::Source;
use crate::model::text::hex;
use crate::syntax::toml;
use crate::syntax::tree::Node;
use sha2::{Digest, Sha256};

/// How such a lock stands to its manifest.
pub fn state(project: &Project, lock: &Lock) -> LockState {
    let name = if lock.tool == LockTool::Pipenv { "Pipfile" } else { "pyproject.toml" };
    let Some(manifest) = super::from(project, project.source(lock.at.source), name) else { return orphan(lock, name) };
    let tree = toml::parse(manifest.id, &manifest.text);
    let verdict = match tree.root().filter(|_| tree.problems.is_empty()) {
        Some(root) => judge(project, lock, manifest, root),
        None => Verdict::Undecided(vec![reason(format!("`{name}` cannot be read"))]),
    };
    LockState { lock: lock.at.source, manifest: Some(manifest.id), verdict, strays: Vec::new() }
}

fn judge(project: &Project, lock: &Lock, manifest: &Source, root: Node) -> Verdict {
    let Some(recorded) = lock.statement.content_hash.as_deref() else {
        return Verdict::Stale(vec![reason("it holds no hash of its manifest, so the tool takes it as out of date")]);
    };
    let recorded = recorded.strip_prefix("sha256:").unwrap_or(recorded);
    let hashes = match lock.tool {
        LockTool::Poetry => poetry(root, lock.statement.generator.as_deref()),
        LockTool::Pdm => pdm(project, manifest, root),
        _ => pipenv(root),
    };
    if hashes.iter().any(|hash| hash == recorded) {
        return super::verdict(neighbours(project, lock, manifest));
    }
    Verdict::Stale(reasons(project, lock, manifest, root))
}

/// What path dependencies ask for and the lock does not hold. The hash covers the manifest only, so the tools do not see this.
fn neighbours(project: &Project, lock: &Lock, manifest: &Source) -> Vec<Reason> {
    let packages = by_name(lock);
    let paths = project.facts_of(manifest.id).references.iter().filter_map(|reference| match &reference.origin {
        Origin::Path(path) if reference.role != Role::Build => Some(path.as_str()),
        _ => None,
    });
    let sources = paths.filter_map(|path| super::from(project, manifest, &format!("{path}/pyproject.toml")));
    let mut reasons = Vec::new();
    for source in sources.filter(|source| source.id != manifest.id) {
        let manifests = &project.facts_of(source.id).manifests;
        let main = manifests.iter().flat_map(|manifest| &manifest.entries).filter(|entry| entry.group == Group::Main);
        // Only what is asked for everywhere: poetry's own tables can limit a requirement in ways that are no marker.
        let asked = main
            .map(|entry| project.reference(entry.reference))
            .filter(|reference| reference.key.starts_with("project."));
        reasons.extend(satisfy::problems(asked, &packages));
    }
    reasons
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The hashes that a poetry of the lock's own version accepts. Without a version, those of every poetry.
fn poetry(root: Node, generator: Option<&str>) -> Vec<String> {
    let version = generator.map(numbers);
    let one = || sha256(&poetry_one(root, Groups::With));
    let first = || sha256(&poetry_one(root, Groups::Without));
    let two = |groups| sha256(&poetry_two(root, groups));
    match version {
        Some(version) if version < (1, 2) => vec![first()],
        Some(version) if version < (2, 0) => vec![one()],
        Some(version) if version < (2, 3) => vec![two(Groups::Without), two(Groups::With)],
        Some(_) => vec![two(Groups::With)],
        None => vec![one(), first(), two(Groups::Without), two(Groups::With)],
    }
}

fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Whether groups count: `[tool.poetry.group]` does from poetry 1.2 on, `[dependency-groups]` from 2.3 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Groups {
    With,
    Without,
}

const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// Legacy keys count as null when they are absent.
fn poetry_one(root: Node, groups: Groups) -> String {
    let poetry = root.path(&["tool", "poetry"]);
    let of = |key: &str| poetry.and_then(|table| table.get(key)).map(|node| value(node, SPACED));
    let mut pairs: Vec<(String, String)> =
        LEGACY.iter().map(|key| (key.to_string(), of(key).unwrap_or_else(|| "null".to_string()))).collect();
    pairs.extend(of("group").filter(|_| groups == Groups::With).map(|text| ("group".to_string(), text)));
    object(pairs, SPACED)
}

fn poetry_two(root: Node, groups: Groups) -> String {
    let project = root.get("project");
    let keys = ["requires-python", "dependencies", "optional-dependencies"];
    let of_project = |key: &&str| Some((key.to_string(), value(project?.get(key)?, SPACED)));
    let standard: Vec<(String, String)> = keys.iter().filter_map(of_project).collect();
    let groups =
        root.get("dependency-groups").filter(|table| groups == Groups::With && table.entries().next().is_some());
    if standard.is_empty() && groups.is_none() {
        return poetry_one(root, Groups::With);
    }
    let poetry = root.path(&["tool", "poetry"]);
    let of_poetry = |key: &&str| Some((key.to_string(), value(poetry?.get(key)?, SPACED)));
    let own: Vec<(String, String)> = LEGACY.iter().chain(&["group"]).filter_map(of_poetry).collect();
    let mut pairs = Vec::new();
    if !standard.is_empty() {
        pairs.push(("project".to_string(), object(standard, SPACED)));
    }
    pairs.extend(groups.map(|table| ("dependency-groups".to_string(), value(table, SPACED))));
    pairs.push(("tool".to_string(), object(vec![("poetry".to_string(), object(own, SPACED))], SPACED)));
    object(pairs, SPACED)
}

/// The lock does not say which pdm wrote it, so every formula that pdm had counts. The latest one also joins workspace members.
fn pdm(project: &Project, manifest: &Source, root: Node) -> Vec<String> {
    let latest = sha256(&pdm_text(root, Groups::With, Some("resolution")));
    let mut hashes = vec![latest.clone()];
    for (groups, last) in [
        (Groups::Without, Some("overrides")),
        (Groups::With, Some("overrides")),
        (Groups::Without, Some("resolution")),
        (Groups::Without, None),
    ] {
        hashes.push(sha256(&pdm_text(root, groups, last)));
    }
    hashes.extend(pdm_workspace(project, manifest, root, &latest));
    hashes
}

fn pdm_text(root: Node, groups: Groups, last: Option<&str>) -> String {
    let (metadata, settings) = (root.get("project"), root.path(&["tool", "pdm"]));
    let json = |node: Option<Node>, empty: &str| node.map_or(empty.to_string(), |node| value(node, SPACED));
    let of = |table: Option<Node<'_>>, key: &str, empty: &str| json(table.and_then(|table| table.get(key)), empty);
    let development = match groups {
        Groups::With => pdm_groups(root, settings),
        Groups::Without => of(settings, "dev-dependencies", "{}"),
    };
    let mut pairs = vec![
        ("sources".to_string(), of(settings, "source", "[]")),
        ("dependencies".to_string(), of(metadata, "dependencies", "[]")),
        ("dev-dependencies".to_string(), development),
        ("optional-dependencies".to_string(), of(metadata, "optional-dependencies", "{}")),
        ("requires-python".to_string(), of(metadata, "requires-python", "\"\"")),
    ];
    let resolution = settings.and_then(|table| table.get("resolution"));
    match last {
        Some("overrides") => pairs.push(("overrides".to_string(), of(resolution, "overrides", "{}"))),
        Some(key) => pairs.push((key.to_string(), json(resolution, "{}"))),
        None => {}
    }
    object(pairs, SPACED)
}

/// `[dependency-groups]`, and behind each group what `[tool.pdm.dev-dependencies]` adds to it; names in PEP 503 form.
fn pdm_groups(root: Node, settings: Option<Node>) -> String {
    let standard = root.get("dependency-groups");
    let own = settings.and_then(|table| table.get("dev-dependencies"));
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (name, items) in standard.into_iter().chain(own).flat_map(|table| table.entries()) {
        let name = pypi::normalize(name.str().unwrap_or(""));
        let items = items.items().map(|item| value(item, SPACED));
        match groups.iter_mut().find(|(old, _)| *old == name) {
            Some((_, list)) => list.extend(items),
            None => groups.push((name, items.collect())),
        }
    }
    object(groups.into_iter().map(|(name, items)| (name, list(items.into_iter(), SPACED))).collect(), SPACED)
}

fn pdm_workspace(project: &Project, manifest: &Source, root: Node, own: &str) -> Option<String> {
    let members = root.path(&["tool", "pdm", "workspace", "members"])?;
    let patterns: Vec<&str> = members.items().filter_map(Node::str).collect();
    let mut text = own.to_string();
    for (path, source) in super::uv::members(project, manifest.folder(), &patterns, &[]) {
        let tree = toml::parse(source.id, &source.text);
        let hash = sha256(&pdm_text(tree.root()?, Groups::With, Some("resolution")));
        text.push_str(&format!("\0{path}\0{hash}"));
    }
    Some(sha256(&text))
}

/// Names as written (plette, pipenv before 2022) and in PEP 503 form.
fn pipenv(root: Node) -> Vec<String> {
    vec![sha256(&pipfile(root, &|name| pypi::normalize(name))), sha256(&pipfile(root, &str::to_string))]
}

fn pipfile(root: Node, spell: &dyn Fn(&str) -> String) -> String {
    const NOT_PACKAGES: [&str; 9] =
        ["source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop"];
    const PYPI: &str = r#"[{"name":"pypi","url":"https://pypi.org/simple","verify_ssl":true}]"#;
    let json = |key: &str, empty: &str| root.get(key).map_or(empty.to_string(), |node| value(node, TIGHT));
    let section = |node: Option<Node>| {
        let pairs = node.into_iter().flat_map(|table| table.entries());
        object(pairs.map(|(key, item)| (spell(key.str().unwrap_or("")), value(item, TIGHT))).collect(), TIGHT)
    };
    let meta = vec![("sources".to_string(), json("source", PYPI)), ("requires".to_string(), json("requires", "{}"))];
    let mut pairs = vec![
        ("_meta".to_string(), object(meta, TIGHT)),
        ("default".to_string(), section(root.get("packages"))),
        ("develop".to_string(), section(root.get("dev-packages"))),
    ];
    let others = root.entries().filter(|(key, _)| !NOT_PACKAGES.contains(&key.str().unwrap_or("")));
    pairs.extend(others.map(|(key, table)| (key.str().unwrap_or("").to_string(), section(Some(table)))));
    object(pairs, TIGHT)
}

/// Why the hash differs, as far as the lock records it; else what can be excluded.
fn reasons(project: &Project, lock: &Lock, manifest: &Source, root: Node) -> Vec<Reason> {
    let packages = by_name(lock);
    let facts = project.facts_of(manifest.id);
    let name = facts.manifests.first().and_then(|manifest| manifest.name.as_deref());
    let asked = |reference: &&Reference| {
        !matches!(reference.role, Role::Build | Role::Constraint | Role::Tool | Role::Python)
            && !satisfy::is_own(reference, name)
    };
    let mut reasons = satisfy::problems(facts.references.iter().filter(asked), &packages);
    reasons.extend(python(lock, root));
    reasons.extend(removed_extras(lock, root));
    if reasons.is_empty() {
        reasons.push(reason(unnamed(
            lock,
            &packages,
            facts
                .manifests
                .first()
                .map_or(0, |manifest| manifest.entries.iter().filter(|entry| entry.group != Group::Build).count()),
        )));
    }
    reasons
}

fn unnamed(lock: &Lock, packages: &Packages, asked: usize) -> String {
    let tool = lock.tool.name();
    let elsewhere = match lock.tool {
        LockTool::Poetry => "a source, an optional group, a marker",
        LockTool::Pdm => "a source, `[tool.pdm.resolution]`",
        _ => "a source, `[requires]`",
    };
    format!(
        "the manifest's text changed since {tool} locked it, and nothing was found that would be installed differently: all {asked} \
         requirements fit the {} locked names; left are order, spelling, and what the lock does not record ({elsewhere})",
        packages.len()
    )
}

/// Poetry records the Python range as it was written.
fn python(lock: &Lock, root: Node) -> Option<Reason> {
    let recorded = lock.statement.requires_python.as_deref()?;
    let node = root
        .path(&["project", "requires-python"])
        .or_else(|| root.path(&["tool", "poetry", "dependencies", "python"]))?;
    let written = node.str()?;
    let squeezed = |text: &str| text.replace(' ', "");
    let text = format!("Python is asked for as `{written}` and was locked for `{recorded}`");
    (lock.tool == LockTool::Poetry && squeezed(written) != squeezed(recorded))
        .then(|| Reason { text, at: Some(node.at()) })
}

/// Poetry records the names of extras.
fn removed_extras(lock: &Lock, root: Node) -> Vec<Reason> {
    if lock.tool != LockTool::Poetry {
        return Vec::new();
    }
    let tables = [root.path(&["project", "optional-dependencies"]), root.path(&["tool", "poetry", "extras"])];
    let names = tables.into_iter().flatten().flat_map(|table| table.entries()).filter_map(|(key, _)| key.str());
    let written: Vec<String> = names.map(pypi::normalize).collect();
    let mut recorded: Vec<&str> = lock.statement.requires.iter().map(|(extra, _)| extra.as_str()).collect();
    recorded.dedup();
    let removed = recorded.iter().filter(|extra| !written.iter().any(|name| name == *extra));
    removed.map(|extra| reason(format!("the extra {} was removed", string(extra).replace('"', "`")))).collect()
}

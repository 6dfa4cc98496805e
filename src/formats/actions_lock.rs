//! `.github/workflows/actions.lock`, which makes GitHub run recorded commits for the refs of onboarded workflows. Judges nothing.
//!
//! Source: GitHub's own parser and schemas (`github/actions-lockfile`, v0.0.1 and v0.0.2) and
//! <https://docs.github.com/en/actions/concepts/security/workflow-dependency-lockfiles>. An unknown version is said, and then the
//! file is neither trusted nor blamed.

use super::{Claim, Format, by_path, locked};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Edge, Hashed, Lock, LockTool, LockedPackage, Provenance, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "actions lock", claims, sniff: by_path, read };

const VERSIONS: [&str; 2] = ["v0.0.1", "v0.0.2"];

fn claims(path: &str) -> Claim {
    if path.ends_with(".github/workflows/actions.lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    locked::empty(source, facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let format = root.get("version").and_then(Node::str).unwrap_or("").to_string();
    let known = VERSIONS.contains(&format.as_str());
    if !known {
        let at = root.get("version").map_or(source.top(), Node::at);
        let what = format!("actions.lock has version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, at, what);
    }
    locked::cut_off(source, facts);
    if known {
        let entries = root.get("dependencies").into_iter().flat_map(|table| table.entries());
        let entries: Vec<Node> = entries.map(|(_, entry)| entry).collect();
        locked::last_lacks(facts, &entries, &["ref", "commit", "owner_id", "repo_id"]);
        if root.get("dependencies").is_none() {
            locked::incomplete(facts, source.top(), "it has no `dependencies`");
        }
    }
    let packages = root.get("dependencies").into_iter().flat_map(|table| table.entries()).filter_map(package);
    let packages = packages.collect();
    let mut statement = Statement::default();
    for (workflow, pins) in root.get("workflows").into_iter().flat_map(|table| table.entries()) {
        let Some(path) = workflow.str() else { continue };
        statement.members.push(path.to_string());
        let pins = pins.items().filter_map(Node::str).filter_map(pin);
        statement.requires.extend(pins.map(|(name, reference)| (path.to_string(), format!("{name}@{reference}"))));
    }
    facts.locks.push(Lock { tool: LockTool::Actions, at: source.whole(), format, known, packages, statement, indexes: Vec::new() });
}

/// A dependency: its name is `owner/repo@ref` in lower case up to the ref, its version the commit.
fn package((key, node): (Node, Node)) -> Option<LockedPackage> {
    let (name, reference) = pin(key.str()?)?;
    let commit = node.get("commit").and_then(Node::str).unwrap_or("");
    let (algorithm, digest) = commit.split_once('-').unwrap_or(("", ""));
    let length = match algorithm {
        "sha1" => 40,
        "sha256" => 64,
        _ => 0,
    };
    let whole = digest.len() == length && length > 0 && digest.bytes().all(|c| c.is_ascii_hexdigit());
    let hashed = if whole { Hashed::All } else { Hashed::None };
    let version = if whole { digest.to_string() } else { String::new() };
    let mut package = LockedPackage::new(format!("{name}@{reference}"), version.as_str(), hashed, key.at());
    package.from_at = node.get("commit").unwrap_or(key).at();
    let url = format!("https://github.com/{name}");
    package.from = Provenance::git(url, version, reference);
    let needs = node.get("dependencies").into_iter().flat_map(|list| list.items());
    package.edges = needs.filter_map(|need| edge(need.str()?, need.at())).collect();
    Some(package)
}

fn edge(text: &str, at: crate::model::span::Location) -> Option<Edge> {
    let (name, reference) = pin(text)?;
    let name = format!("{name}@{reference}");
    Some(Edge { name, version: Box::default(), marker: Box::default(), extras: Box::default(), optional: false, at })
}

/// `owner/repo@ref`; v0.0.1 has `:algorithm-digest` behind it. Names compare without case, refs with it.
fn pin(text: &str) -> Option<(String, &str)> {
    let (name, reference) = text.split_once('@')?;
    let reference = reference.split(':').next().unwrap_or(reference);
    Some((name.to_ascii_lowercase(), reference))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn facts(text: &str) -> Facts {
        let source = Source::new(SourceId(0), ".github/workflows/actions.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        facts
    }

    #[test]
    fn pins_and_their_workflows_are_read() {
        let commit = "93cb6efe18208431cddfb8368fd83d5badbf9bfd";
        let facts = facts(&format!(
            "version: 'v0.0.2'\nworkflows:\n  '.github/workflows/ci.yml':\n    - 'Actions/checkout@v5'\ndependencies:\n  \
             'actions/checkout@v5':\n    ref: 'v5'\n    commit: 'sha1-{commit}'\n    owner_id: 1\n    repo_id: 2\n  \
             'a/b@v1':\n    commit: 'sha1-12'\n"
        ));
        let lock = &facts.locks[0];
        assert_eq!((lock.packages[0].name.as_str(), lock.packages[0].version.as_str()), ("actions/checkout@v5", commit));
        assert_eq!(lock.packages[1].hashed, Hashed::None);
        assert_eq!(lock.statement.requires[0].1, "actions/checkout@v5");
    }

    #[test]
    fn an_unknown_version_is_said() {
        let facts = facts("version: 'v9'\n");
        assert!(!facts.locks[0].known && facts.problems.len() == 1);
    }
}

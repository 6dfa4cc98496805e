//! Development containers: the image, the Dockerfile, the features, and the lock of the features. Knows no engine.
//!
//! <https://containers.dev/implementors/json_reference/>, <https://containers.dev/implementors/features/#referencing-a-feature>

use super::{Claim, Format, by_path};
use crate::ecosystems::oci;
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::Facts;
use crate::model::pin::Strength;
use crate::model::pipeline::{Assignment, Scope};
use crate::model::reference::{Held, Reference, Role};
use crate::model::secrets::handed;
use crate::model::source::{Source, Sources};
use crate::syntax::json;
use crate::syntax::tree::{Node, Tree};

/// The format.
pub static FORMAT: Format = Format { name: "devcontainer", claims, sniff: by_path, read };

const LOCKS: [&str; 2] = ["devcontainer-lock.json", ".devcontainer-lock.json"];

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ours = matches!(name, "devcontainer.json" | ".devcontainer.json") || LOCKS.contains(&name);
    if ours { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let tree = json::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| !LOCKS.contains(&source.file_name())) else { return };
    environments(root, facts);
    let image = root.get("image").and_then(Node::text);
    if let Some(reference) = image.and_then(|text| oci::image(&text, Role::DevImage, "image")) {
        facts.push(reference);
    }
    let file = root.path(&["build", "dockerfile"]).or_else(|| root.get("dockerFile"));
    if let Some((file, path)) = file.and_then(|file| Some((file, file.str()?))) {
        facts.builds_of.push((path.to_string(), file.at()));
    }
    let name = if source.file_name().starts_with('.') { LOCKS[1] } else { LOCKS[0] };
    let lock = sources.find_from(source.folder(), name);
    let locked = lock.map(|lock| json::parse(lock.id, &lock.text));
    for (id, _) in root.get("features").into_iter().flat_map(Node::entries) {
        let Some(mut reference) = id.text().and_then(|id| feature(&id)) else { continue };
        reference.held = lock.zip(locked.as_ref()).and_then(|(lock, tree)| held(lock, tree, id.str()?));
        facts.push(reference);
    }
}

/// `containerEnv` and `runArgs` belong to the container, `remoteEnv` to what a person starts in it, `build.args` to the image.
fn environments(root: Node, facts: &mut Facts) {
    let mut container = mapping(root.get("containerEnv"), "containerEnv");
    container.extend(run_arguments(root.get("runArgs")));
    let lists = [
        (EnvironmentKind::DevContainer, container),
        (EnvironmentKind::DevRemote, mapping(root.get("remoteEnv"), "remoteEnv")),
        (EnvironmentKind::BuildArguments, mapping(root.path(&["build", "args"]), "build.args")),
    ];
    for (kind, assignments) in lists {
        if !assignments.is_empty() {
            let name = root.get("name").and_then(Node::str).unwrap_or("devcontainer").to_string();
            facts.environments.push(Environment { kind, name, at: root.at(), assignments });
        }
    }
}

fn mapping(node: Option<Node>, key: &str) -> Vec<Assignment> {
    let entries = node.into_iter().flat_map(Node::entries);
    let read = |(name, value): (Node, Node)| {
        let (name, text) = (name.str()?, value.str()?);
        let key = format!("{key}.{name}");
        Some(Assignment { name: name.to_string(), value: handed::value(text, &LOCAL), scope: Scope::Container, at: value.at(), key })
    };
    entries.filter_map(read).collect()
}

const LOCAL: [&str; 2] = ["localEnv:", "env:"];

/// `"-e", "X=…"`, `"--env=X"`, `"--env-file", "path"` among the arguments of `docker run`.
fn run_arguments(node: Option<Node>) -> Vec<Assignment> {
    let words: Vec<_> = node.into_iter().flat_map(Node::items).filter_map(Node::text).collect();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", |index| words[index].text.as_str());
        let joined = ["--env=", "--env-file="].iter().find_map(|lead| Some((word.text.strip_prefix(lead)?, *lead)));
        let (text, file) = match (before, joined) {
            (_, Some((text, lead))) => (text, lead == "--env-file="),
            ("-e" | "--env", _) => (word.text.as_str(), false),
            ("--env-file", _) => (word.text.as_str(), true),
            _ => continue,
        };
        let (name, value) = match text.split_once('=') {
            _ if file => (text, handed::set("*")),
            Some((name, value)) => (name, handed::value(value, &LOCAL)),
            None => (text, handed::by_name(text)),
        };
        let (name, key) = (name.to_string(), format!("runArgs[{index}]"));
        found.push(Assignment { name, value, scope: Scope::Container, at: word.at, key });
    }
    found
}

/// A feature by its identifier; those of this repository (`./x`) and archives (`https://…`) are held by other means.
fn feature(id: &crate::model::text::Text) -> Option<Reference> {
    // Identifiers of the first days (`fish`, `owner/repo/fish@v1`) are mapped by the tool itself.
    let host = id.text.split_once('/').map_or("", |(host, _)| host);
    let registry = (host.contains(['.', ':', '$']) || host == "localhost") && !id.text.contains("://");
    registry.then(|| oci::image(id, Role::DevFeature, &format!("features.{}", without_pin(&id.text)))).flatten()
}

/// The identifier without its version, so that the key stays when the version moves.
fn without_pin(id: &str) -> &str {
    let start = id.rfind('/').map_or(0, |at| at + 1);
    id[start..].find([':', '@']).map_or(id, |at| &id[..start + at])
}

/// What the lock says of a feature: `"features": {"ghcr.io/a/b:1": {"version": "1.2.3", "integrity": "sha256:…"}}`.
fn held(lock: &Source, tree: &Tree, id: &str) -> Option<Held> {
    let entry = tree.root()?.path(&["features", id])?;
    let version = entry.get("version")?.str()?.to_string();
    let strength = if entry.get("integrity").is_some() { Strength::Immutable } else { Strength::Exact };
    Some(Held { lock: lock.id, version, strength })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_among, facts_of, names};

    const TEXT: &str = "// c\n{\"image\": \"a.io/base:1-3.12\", \"build\": {\"dockerfile\": \"../Dockerfile\"},\n \"features\": {\"ghcr.io/devcontainers/features/go:1\": {}, \
                        \"./mine\": {}, \"fish\": \"latest\", \"https://x.org/a.tgz\": {}, \"ghcr.io/a/b\": {},}}";

    #[test]
    fn image_file_and_features_are_read() {
        let facts = facts_of(&FORMAT, ".devcontainer/devcontainer.json", TEXT);
        assert_eq!(names(&facts), ["a.io/base:1-3.12", "ghcr.io/devcontainers/features/go:1", "ghcr.io/a/b"]);
        assert_eq!(facts.builds_of[0].0, "../Dockerfile");
        assert_eq!(facts.references[1].key, "features.ghcr.io/devcontainers/features/go");
        assert!(facts.problems.is_empty());
    }

    #[test]
    fn a_lock_holds_features() {
        let lock = r#"{"features": {"ghcr.io/devcontainers/features/go:1": {"version": "1.3.0", "resolved": "x", "integrity": "sha256:aa"}}}"#;
        let texts = [(".devcontainer/devcontainer.json", TEXT), (".devcontainer/devcontainer-lock.json", lock)];
        let facts = facts_among(&FORMAT, &texts);
        assert_eq!(facts.references[1].effective(), Some(Strength::Immutable));
        assert_eq!(facts.references[2].held, None);
    }
}

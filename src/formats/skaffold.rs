//! `skaffold.yaml`: the images that it builds, from which Dockerfiles, and those that it runs. Runs no build.
//!
//! <https://skaffold.dev/docs/references/yaml/>

use super::{Claim, Format};
use crate::ecosystems::oci;
use crate::model::facts::Facts;
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "skaffold", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return Claim::No };
    if stem.starts_with("skaffold") { Claim::Maybe } else { Claim::No }
}

fn sniff(text: &str) -> bool {
    text.contains("apiVersion: skaffold/") || text.contains("apiVersion: \"skaffold/")
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    for root in tree.roots() {
        config(root, "", facts);
        for (index, profile) in root.get("profiles").into_iter().flat_map(Node::items).enumerate() {
            config(profile, &format!("profiles[{index}]."), facts);
        }
    }
}

fn config(root: Node, prefix: &str, facts: &mut Facts) {
    let list = |path: &[&str]| root.path(path).into_iter().flat_map(Node::items).enumerate().collect::<Vec<_>>();
    for (index, artifact) in list(&["build", "artifacts"]) {
        read_artifact(artifact, &format!("{prefix}build.artifacts[{index}]"), facts);
    }
    for (index, check) in list(&["verify"]) {
        image(check.path(&["container", "image"]), &format!("{prefix}verify[{index}].container.image"), facts);
    }
    for (index, action) in list(&["customActions"]) {
        for (inner, container) in action.get("containers").into_iter().flat_map(Node::items).enumerate() {
            let key = format!("{prefix}customActions[{index}].containers[{inner}].image");
            image(container.get("image"), &key, facts);
        }
    }
}

fn read_artifact(artifact: Node, key: &str, facts: &mut Facts) {
    facts.own_images.extend(artifact.get("image").and_then(Node::str).map(str::to_string));
    let context = artifact.get("context").and_then(Node::str).unwrap_or(".");
    let docker = artifact.get("docker").or_else(|| artifact.get("kaniko"));
    let other = ["jib", "bazel", "ko", "custom", "buildpacks"].iter().any(|builder| artifact.get(builder).is_some());
    if !other {
        let file = docker.and_then(|docker| docker.get("dockerfile"));
        let at = file.or_else(|| artifact.get("image")).unwrap_or(artifact).at();
        let name = file.and_then(Node::str).unwrap_or("Dockerfile");
        let path = format!("{}/{name}", context.trim_end_matches('/'));
        facts.builds_of.push((path.trim_start_matches("./").to_string(), at));
    }
    image(artifact.path(&["kaniko", "image"]), &format!("{key}.kaniko.image"), facts);
    for name in ["builder", "runImage"] {
        image(artifact.path(&["buildpacks", name]), &format!("{key}.buildpacks.{name}"), facts);
    }
    image(artifact.path(&["ko", "fromImage"]), &format!("{key}.ko.fromImage"), facts);
    image(artifact.path(&["jib", "fromImage"]), &format!("{key}.jib.fromImage"), facts);
}

/// Adds an image; one that the file builds itself is left out when rules look.
fn image(node: Option<Node>, key: &str, facts: &mut Facts) {
    let reference = node.and_then(Node::text).and_then(|text| oci::image(&text, Role::Container, key));
    if let Some(reference) = reference {
        facts.push(reference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn artifacts_and_containers_are_read() {
        let text = "apiVersion: skaffold/v4beta1\nkind: Config\nbuild:\n  artifacts:\n  - {image: app, context: src/app, docker: {dockerfile: Dockerfile.dev}}\n  \
                    - {image: web}\n  - {image: jar, jib: {}}\n  - {image: pack, buildpacks: {builder: 'gcr.io/buildpacks/builder:v1'}}\n\
                    verify:\n- {name: e2e, container: {name: e2e, image: 'alpine'}}\nprofiles:\n- {name: p, build: {artifacts: [{image: app2, kaniko: {image: 'k/executor:v1.23.0'}}]}}\n";
        let facts = facts_of(&FORMAT, "skaffold.yaml", text);
        assert_eq!(names(&facts), ["gcr.io/buildpacks/builder:v1", "alpine", "k/executor:v1.23.0"]);
        assert_eq!(facts.own_images, ["app", "web", "jar", "pack", "app2"]);
        let builds: Vec<&str> = facts.builds_of.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(builds, ["src/app/Dockerfile.dev", "Dockerfile", "Dockerfile"]);
        assert_eq!(facts.references[2].key, "profiles[0].build.artifacts[0].kaniko.image");
    }
}

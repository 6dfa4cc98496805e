//! Compose files: services' images and the Dockerfiles they build. Knows no engine and no `.env` file.
//!
//! <https://docs.docker.com/reference/compose-file/>

use super::steps::moves;
use super::{Claim, Format, builds};
use crate::ecosystems::oci;
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::Facts;
use crate::model::pipeline::{Assignment, Scope};
use crate::model::reference::Role;
use crate::model::secrets::handed;
use crate::model::source::{Source, Sources};
use crate::model::span::Location;
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use std::collections::HashSet;

/// The format.
pub static FORMAT: Format = Format { name: "compose", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { return Claim::No };
    match stem {
        "compose" | "docker-compose" => Claim::Yes,
        _ if stem.starts_with("docker-compose") || stem.starts_with("compose.") => Claim::Yes,
        _ if stem.contains("compose") => Claim::Maybe,
        _ => Claim::No,
    }
}

fn sniff(text: &str) -> bool {
    text.lines().any(|line| line.trim_end() == "services:")
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let mut seen = HashSet::new();
    for (root, services) in tree.roots().filter_map(|root| Some((root, root.get("services")?))) {
        moves::note_slot(facts, root, "secrets", &["services"], "");
        for (name, service) in services.entries() {
            let Some(name) = name.str() else { continue };
            read_service(name, service, services, &mut seen, facts);
        }
    }
}

fn read_service(name: &str, service: Node, services: Node, seen: &mut HashSet<Location>, facts: &mut Facts) {
    let key = format!("services.{name}");
    read_environment(name, service, &key, facts);
    moves::note_list_slot(facts, service, "secrets", &["environment"], &key);
    match build_of(service, services) {
        Some(build) => {
            facts.own_images.extend(service.get("image").and_then(Node::str).map(str::to_string));
            read_build(build, &key, seen, facts);
        }
        None => {
            let text = service.get("image").and_then(Node::text);
            let reference = text.and_then(|text| oci::image(&text, Role::ComposeService, &format!("{key}.image")));
            // Services that share one anchor share one line.
            if let Some(reference) = reference.filter(|reference| seen.insert(reference.site.whole)) {
                facts.push(reference);
            }
        }
    }
}

/// `environment`, `env_file` and `build.args` of a service.
fn read_environment(name: &str, service: Node, key: &str, facts: &mut Facts) {
    let mut assignments = variables(service.get("environment"), &format!("{key}.environment"));
    for (index, file) in service.get("env_file").into_iter().flat_map(Node::list).enumerate() {
        let path = file.get("path").unwrap_or(file);
        if let Some(text) = path.str() {
            let (name, value, key) = (text.to_string(), handed::set("*"), format!("{key}.env_file[{index}]"));
            assignments.push(Assignment { name, value, scope: Scope::Container, at: path.at(), key });
        }
    }
    let build = variables(service.path(&["build", "args"]), &format!("{key}.build.args"));
    for (kind, assignments) in [(EnvironmentKind::Compose, assignments), (EnvironmentKind::BuildArguments, build)] {
        if !assignments.is_empty() {
            facts.environments.push(Environment { kind, name: name.to_string(), at: service.at(), assignments });
        }
    }
}

/// Variables as a mapping, or as a list of `NAME=value` and `NAME`; one without a value comes from whoever starts it.
fn variables(node: Option<Node>, key: &str) -> Vec<Assignment> {
    let Some(node) = node else { return Vec::new() };
    let mut found = Vec::new();
    let mut push = |name: &str, value, at| {
        found.push(Assignment { name: name.to_string(), value, scope: Scope::Container, at, key: format!("{key}.{name}") });
    };
    for (name, value) in node.entries() {
        let Some(name_text) = name.str() else { continue };
        match value.str().filter(|_| !value.is_null()) {
            Some(text) => push(name_text, handed::value(text, &[]), value.at()),
            None => push(name_text, handed::by_name(name_text), name.at()),
        }
    }
    for item in node.items().filter_map(Node::text) {
        match item.text.split_once('=') {
            Some((name, value)) => {
                push(name, handed::value(value, &[]), item.place(name.len() + 1..item.text.len()));
            }
            None => push(&item.text, handed::by_name(&item.text), item.at),
        }
    }
    found
}

/// What builds a service: its own `build`, or that of the service of this file that it extends. With one, `image` names what comes out.
fn build_of<'t>(service: Node<'t>, services: Node<'t>) -> Option<Node<'t>> {
    let mut service = service;
    for _ in 0..10 {
        if let Some(build) = service.get("build").filter(|build| !build.is_null()) {
            return Some(build);
        }
        let extends = service.get("extends")?;
        if extends.get("file").is_some() {
            return None;
        }
        let base = extends.str().or_else(|| extends.get("service")?.str())?;
        // An image of its own wins over nothing: the base builds, this service runs the result under its name.
        service = services.get(base)?;
    }
    None
}

/// Names of `additional_contexts`, which is a mapping or a list of `name=place`.
fn contexts(build: Node) -> Vec<String> {
    let Some(node) = build.get("additional_contexts") else { return Vec::new() };
    let keys = node.entries().filter_map(|(name, _)| name.str());
    let items = node.items().filter_map(|item| Some(item.str()?.split_once('=')?.0));
    keys.chain(items).map(str::to_string).collect()
}

fn read_build(build: Node, key: &str, seen: &mut HashSet<Location>, facts: &mut Facts) {
    if let Some(inline) = build.get("dockerfile_inline") {
        if let Some(text) = inline.mapped().filter(|_| seen.insert(inline.at())) {
            builds::inline(&text, &format!("{key}.build.dockerfile_inline"), facts);
        }
        return;
    }
    facts.contexts.extend(contexts(build));
    let context = build.str().or_else(|| build.get("context")?.str()).unwrap_or(".");
    let at = build.get("dockerfile").or_else(|| build.get("context")).unwrap_or(build).at();
    let remote = context.contains("://") || context.starts_with("git@") || context.contains(".git#");
    if remote || !seen.insert(at) {
        return;
    }
    let file = build.get("dockerfile").and_then(Node::str).unwrap_or("Dockerfile");
    let context = context.trim_end_matches('/');
    let path = if file.starts_with('/') { file.to_string() } else { format!("{context}/{file}") };
    facts.builds_of.push((path, at));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn services_are_images_or_builds() {
        let text = "x: &x\n  image: redis:7 # why\nservices:\n  a: {<<: *x}\n  b: {<<: *x}\n  c:\n    image: out:dev\n    build: ./c\n  \
                    d:\n    extends: {service: c}\n    image: out:dev\n  e:\n    image: ${IMG:-postgres:15}\n  f:\n    build:\n      context: f\n      \
                    dockerfile: deploy/Dockerfile\n  g:\n    build:\n      context: https://x.org/a.git\n  h:\n    build:\n      dockerfile_inline: |\n        \
                    FROM python:3.12 AS one\n        FROM one\n        FROM --platform=x debian\n";
        let facts = facts_of(&FORMAT, "compose.yml", text);
        assert_eq!(names(&facts), ["redis:7", "postgres:15", "python:3.12", "debian"]);
        assert_eq!(facts.references[1].subject.name, "postgres");
        let builds: Vec<_> = facts.builds_of.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(builds, ["./c/Dockerfile", "f/deploy/Dockerfile"]);
        for reference in &facts.references {
            let slot = reference.site.version.unwrap();
            let version = reference.pin.version.as_ref().map_or(String::new(), |version| format!("{}{version}", slot.lead));
            assert_eq!(&text[slot.at.span.range()], version);
        }
    }

    #[test]
    fn names_decide() {
        for path in ["compose.yaml", "x/docker-compose.yml", "docker-compose.dev.yml", "compose.prod.yml", "docker-compose-ci.yaml"] {
            assert_eq!(claims(path), Claim::Yes, "{path}");
        }
        assert_eq!(claims("ci-compose.yml"), Claim::Maybe);
        assert_eq!(claims("compose.py"), Claim::No);
        assert!(sniff("version: '3'\nservices:\n  a:\n"));
    }
}

//! `docker-bake.hcl` and `.json`: which Dockerfiles are built, and images and repositories that stand for stages. Runs no build.
//!
//! <https://docs.docker.com/build/bake/reference/>. Variables stand for their defaults.

use super::{Claim, Format, builds, by_path};
use crate::ecosystems::{git, oci, variable};
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::Facts;
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use crate::model::secrets::handed;
use crate::model::source::{Source, Sources};
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use crate::syntax::{hcl, json};

/// The format.
pub static FORMAT: Format = Format { name: "docker bake", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".hcl").or_else(|| name.strip_suffix(".json"));
    if stem.is_some_and(|stem| stem.starts_with("docker-bake")) { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let is_json = source.path.ends_with(".json");
    let tree = if is_json { json::parse(source.id, &source.text) } else { hcl::parse(source.id, &source.text) };
    tree.report(facts);
    let Some(root) = tree.root() else { return };
    let blocks = |kind: &str| {
        let all = root.entries().filter(|(key, _)| key.str() == Some(kind)).map(|(_, value)| value);
        all.flat_map(Node::entries).collect::<Vec<_>>()
    };
    let variables = blocks("variable");
    let values = |name: &str| {
        let of = variables.iter().filter(|(key, _)| key.str() == Some(name));
        of.filter_map(|(_, value)| value.get("default")?.text()).collect::<Vec<Text>>()
    };
    for (name, target) in blocks("target") {
        let key = format!("target.{}", name.str().unwrap_or(""));
        read_target(target, &key, &values, facts);
    }
}

fn read_target(target: Node, key: &str, values: &dyn Fn(&str) -> Vec<Text>, facts: &mut Facts) {
    let first = |node: Node| {
        let text = Mapped::of(&node.text()?);
        variable::resolve(&text, values).into_iter().next()
    };
    for tag in target.get("tags").into_iter().flat_map(Node::list) {
        facts.own_images.extend(first(tag).map(|tag| tag.text));
    }
    let context = target.get("context").and_then(first);
    if let Some(context) = &context
        && let Some(reference) = repository(context, &format!("{key}.context"))
    {
        facts.push(reference);
    }
    let local = context.as_ref().is_none_or(|context| !context.text.contains("://"));
    if local && target.get("dockerfile-inline").is_none() && (target.get("context").is_some() || target.get("dockerfile").is_some()) {
        let file = target.get("dockerfile").and_then(first).map_or("Dockerfile".to_string(), |file| file.text);
        let folder = context.as_ref().map_or(".", |context| context.text.as_str());
        let path = format!("{}/{file}", folder.trim_end_matches('/'));
        let at = target.get("dockerfile").or_else(|| target.get("context")).unwrap_or(target).at();
        facts.builds_of.push((path.trim_start_matches("./").to_string(), at));
    }
    if let Some(inline) = target.get("dockerfile-inline").and_then(Node::mapped) {
        builds::inline(&inline, &format!("{key}.dockerfile-inline"), facts);
    }
    let args = target.get("args").into_iter().flat_map(Node::entries);
    let assignments: Vec<Assignment> = args.filter_map(|(name, value)| argument(name, value, key, values)).collect();
    if !assignments.is_empty() {
        let (kind, name) = (EnvironmentKind::BuildArguments, key.trim_start_matches("target.").to_string());
        facts.environments.push(Environment { kind, name, at: target.at(), assignments });
    }
    for (name, node) in target.get("contexts").into_iter().flat_map(Node::entries) {
        facts.contexts.extend(name.str().map(str::to_string));
        let key = format!("{key}.contexts.{}", name.str().unwrap_or(""));
        let Some(text) = first(node) else { continue };
        let reference = if text.text.starts_with("docker-image://") {
            oci::mapped(&text, Role::CopyFrom, &key)
        } else {
            repository(&text, &key)
        };
        if let Some(reference) = reference {
            facts.push(reference);
        }
    }
}

/// `NAME = "text"`, `NAME = "${VARIABLE}"`, `NAME = VARIABLE`. A variable without a default, or with an empty one, comes from whoever builds.
fn argument(name: Node, value: Node, key: &str, values: &dyn Fn(&str) -> Vec<Text>) -> Option<Assignment> {
    let (name, text) = (name.str()?, value.str()?);
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let quoted = value.document()[value.whole().span.start as usize..].starts_with(['"', '<']);
    let variable = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or((!quoted).then_some(text));
    let given = match variable.filter(|variable| is_word(variable)) {
        Some(variable) if values(variable).iter().any(|default| !default.text.is_empty()) => Value::Expression(text.to_string()),
        Some(variable) => handed::by_name(variable),
        None => handed::value(text, &[]),
    };
    Some(Assignment { name: name.to_string(), value: given, scope: Scope::Container, at: value.at(), key: format!("{key}.args.{name}") })
}

/// `https://host/owner/repo.git#ref:folder`: without a ref, the default branch.
fn repository(text: &Mapped, key: &str) -> Option<Reference> {
    let (url, fragment) = text.text.split_once('#').unwrap_or((&text.text, ""));
    if !(url.ends_with(".git") || url.starts_with("git@") || url.starts_with("git://")) || !url.contains([':', '/']) {
        return None;
    }
    let rev = fragment.split(':').next().unwrap_or("");
    let start = (url.len() + 1).min(text.text.len());
    let written = text.text(start..start + rev.len());
    let mut reference = if rev.is_empty() {
        let mut reference = Reference::new(Ecosystem::Git, git::name_of(url), Role::Clone, text.at);
        reference.key = key.to_string();
        reference
    } else {
        git::pinned_at(&git::name_of(url), &written, None, Role::Clone, key)
    };
    reference.site.note = None;
    reference.origin = Origin::Vcs(url.to_string());
    Some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn targets_are_read() {
        let text = "variable \"V\" { default = \"3.12\" }\ntarget \"app\" {\n  context = \"src\"\n  dockerfile = \"Dockerfile.dev\"\n  \
                    tags = [\"org/app:1\"]\n  contexts = { base = \"docker-image://python:${V}\", other = \"target:web\" }\n}\n\
                    target \"web\" { context = \"https://github.com/a/b.git#main:images\" }\n";
        let facts = facts_of(&FORMAT, "docker-bake.hcl", text);
        assert_eq!(names(&facts), ["python:3.12", "a/b:main"]);
        assert_eq!(facts.references[0].key, "target.app.contexts.base");
        assert_eq!(&text[facts.references[0].site.version.expect("the default").at.span.range()], "3.12");
        assert_eq!(facts.own_images, ["org/app:1"]);
        assert_eq!(facts.contexts, ["base", "other"]);
        assert_eq!(facts.builds_of[0].0, "src/Dockerfile.dev");
        assert!(facts.problems.is_empty());
    }

    #[test]
    fn arguments_and_dockerfiles_inside_are_read() {
        let text = "variable \"TOKEN\" {}\nvariable \"PLAIN_TOKEN\" { default = \"dev\" }\ntarget \"app\" {\n  dockerfile-inline = <<EOT\nFROM alpine AS a\n\
                    FROM a\nEOT\n  args = { A = \"${TOKEN}\", B = TOKEN, C = PLAIN_TOKEN, D = \"1\", E = 2, F = \"${OTHER_TOKEN}\" }\n}\n\
                    target \"b\" { dockerfile-inline = \"FROM python\\nRUN x\" }\n";
        let facts = facts_of(&FORMAT, "docker-bake.hcl", text);
        assert_eq!(names(&facts), ["alpine", "python"]);
        assert_eq!(&text[facts.references[0].site.whole.span.range()], "alpine");
        let arguments = &facts.environments[0].assignments;
        let secret: Vec<&str> = arguments.iter().filter(|one| matches!(one.value, Value::Secret { .. })).map(|one| one.name.as_str()).collect();
        assert_eq!((arguments.len(), secret), (6, vec!["A", "B", "F"]));
        assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    }

    #[test]
    fn json_is_read_too() {
        let text = r#"{"target": {"app": {"contexts": {"b": "docker-image://alpine"}}}}"#;
        assert_eq!(names(&facts_of(&FORMAT, "x/docker-bake.override.json", text)), ["alpine"]);
    }
}

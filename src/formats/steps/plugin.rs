//! Steps as Drone and Woodpecker write them: an image with commands, or a plugin with settings. Is no format itself.

use super::pasted::{braced, pasted};
use super::{Reader, Values, assignments, commands, dollars, moves, named, pair, secret, when};
use crate::model::facts::ProblemKind;
use crate::model::pipeline::{Assignment, Job, Scope, Service, Setting, Step, StepKind};
use crate::model::reference::Role;
use crate::model::script::Shell;
use crate::model::source::join;
use crate::syntax::tree::Node;

/// What the steps of a pipeline share.
pub struct Around {
    /// What reads their commands.
    pub shell: Shell,
    /// Values of a matrix.
    pub values: Values,
}

/// Reads a step into its job. One without commands is a plugin: its image is the program, its settings are given by name.
pub fn step(node: Node, name: &str, key: &str, job: &mut Job, around: &Around, reader: &mut Reader) {
    if !node.is_map() {
        let text = "a step is not a mapping; this part was not checked";
        return reader.facts.problem(ProblemKind::Unreadable, node.at(), text);
    }
    let written = commands(node.get("commands"));
    let text = written.clone().map(dollars);
    let role = if text.is_some() { Role::CiImage } else { Role::CiStep };
    let images = reader.images(node.get("image"), &around.values, role, &format!("{key}.image"));
    let kind = match text {
        Some(text) => {
            job.images.extend(&images);
            let cwd = node.get("directory").and_then(Node::str).and_then(|folder| join("", folder));
            let script = reader.script(&text, around.shell, &cwd.unwrap_or_default(), &format!("{key}.commands"));
            script.map_or(StepKind::Other, StepKind::Run)
        }
        None => images.first().map_or(StepKind::Other, |image| StepKind::Uses {
            component: *image,
            inputs: assignments(node.get("settings"), Scope::Input, &format!("{key}.settings"), from_secret),
        }),
    };
    moves::note_slot(reader.facts, node, "environment", &["commands", "settings"], key);
    let mut step = Step::new(name, key, node.at(), kind);
    step.env = environment(node.get("environment"), Scope::Step, &format!("{key}.environment"));
    step.env.extend(old_secrets(node.get("secrets"), &format!("{key}.secrets")));
    if let Some(text) = written {
        step.pasted = pasted(&text, braced(&text.text), &step.env, &format!("{key}.commands"));
    }
    step.not_on_patch = !when::allows(node.get("when"), "pull_request");
    step.tolerated = match node.get("failure").map(|node| (node.str(), node.at())) {
        Some((Some("ignore"), at)) => Setting::Plain(true, at),
        _ => Setting::Absent,
    };
    job.steps.push(step);
}

/// Reads the containers beside the steps.
pub fn services(list: Option<Node>, prefix: &str, job: &mut Job, around: &Around, reader: &mut Reader) {
    for (key, name, node) in named(list, &format!("{prefix}services")) {
        let images = reader.images(node.get("image"), &around.values, Role::CiService, &format!("{key}.image"));
        let env = environment(node.get("environment"), Scope::Container, &format!("{key}.environment"));
        job.services.push(Service { name, images, env, options: None });
    }
}

/// `environment: {NAME: value}`, of old also `[NAME=value]`.
pub fn environment(node: Option<Node>, scope: Scope, key: &str) -> Vec<Assignment> {
    let pairs = node.into_iter().flat_map(Node::items).filter_map(|item| pair(item, scope, key));
    pairs.chain(assignments(node.filter(|node| node.is_map()), scope, key, from_secret)).collect()
}

/// `secrets: [a, {source: a, target: B}]` of Drone 0.8 and of Woodpecker before 3.0: variables with the names of the secrets in capitals.
fn old_secrets(list: Option<Node>, key: &str) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (index, item) in list.into_iter().flat_map(Node::items).enumerate() {
        let Some(source) = item.str().or_else(|| item.get("source")?.str()) else { continue };
        let target = item.get("target").and_then(Node::str).unwrap_or(source).to_ascii_uppercase();
        found.push(secret(&target, source, Scope::Step, item.at(), &format!("{key}[{index}]")));
    }
    found
}

/// `{ from_secret: NAME }`.
fn from_secret(node: Node) -> Option<String> {
    node.get("from_secret")?.str().map(str::to_string)
}

//! Steps of a job or of a composite action: scripts, actions, and groups of them.

use super::inputs::Used;
use super::reader::{Around, Reader, switch};
use super::value::{assignments, pasted};
use super::workflow::shell_of;
use crate::model::pipeline::{Job, Phase, Scope, Step, StepKind};
use crate::model::reference::Role;
use crate::model::script::Shell;
use crate::model::source::join;
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// What the steps of a job have in common.
pub struct Room<'a, 't> {
    /// Variables and matrix.
    pub around: Around<'a, 't>,
    /// The shell where nothing is written.
    pub default_shell: Shell,
    /// `defaults.run.shell`.
    pub shell: Option<Shell>,
    /// `defaults.run.working-directory`.
    pub cwd: Option<Text>,
    /// Where in the workspace the repository was checked out, when not at its top.
    pub checkout: Option<String>,
}

impl Reader<'_> {
    /// Reads a list of steps into the job; a `parallel` group is its steps.
    pub fn steps<'t>(&mut self, list: Node<'t>, key: &str, job: &mut Job, room: &mut Room<'_, 't>) {
        for (index, node) in list.items().enumerate() {
            let key = format!("{key}[{index}]");
            if !node.is_map() {
                self.refuse(node.at(), "a step is not a mapping");
                continue;
            }
            match node.get("parallel") {
                // A group cannot hold a group, so one level is all there is.
                Some(group) => {
                    for (index, inner) in group.items().enumerate() {
                        let inner_key = format!("{key}.parallel[{index}]");
                        self.step(inner, inner_key, job, room);
                    }
                }
                None => self.step(node, key, job, room),
            }
        }
    }

    fn step<'t>(&mut self, node: Node<'t>, key: String, job: &mut Job, room: &mut Room<'_, 't>) {
        let mut known = room.around.known.clone();
        known.env.extend(node.get("env"));
        let around = Around { known: &known, matrix: room.around.matrix };
        let mut step = Step {
            name: name(node),
            at: node.at(),
            env: assignments(node.get("env"), Scope::Step, &format!("{key}.env")),
            kind: StepKind::Other,
            pasted: Vec::new(),
            condition: node.get("if").and_then(Node::text),
            not_on_patch: false,
            tolerated: switch(node.get("continue-on-error")),
            shell: None,
            shell_written: false,
            phase: Phase::Main,
            key,
        };
        self.note_slot(node, &step.key);
        if let Some(run) = node.get("run") {
            self.run(node, run, &mut step, around, room);
        } else if let Some(uses) = node.get("uses") {
            self.uses(node, uses, &mut step, job, around);
            note_checkout(node, room);
        } else if !["wait", "wait-all", "cancel"].iter().any(|kind| node.get(kind).is_some()) {
            self.refuse(node.at(), "a step has neither `run` nor `uses`");
        }
        job.steps.push(step);
    }

    fn run<'t>(&mut self, node: Node<'t>, run: Node<'t>, step: &mut Step, around: Around<'_, 't>, room: &Room<'_, 't>) {
        let Some(text) = run.mapped() else {
            if !run.is_null() {
                self.refuse(run.at(), "`run` is not a text");
            }
            return;
        };
        let written = node.get("shell").and_then(Node::text).map(|text| shell_of(&text, around)).or(room.shell);
        let shell = written.unwrap_or(room.default_shell);
        step.shell = Some(shell);
        step.shell_written = written.is_some();
        let key = format!("{}.run", step.key);
        step.pasted = pasted(&text, "run", &key);
        let cwd = node.get("working-directory").and_then(Node::text).or_else(|| room.cwd.clone());
        let cwd = cwd.map_or(String::new(), |text| folder(&text, around));
        let cwd = in_repository(&cwd, room.checkout.as_deref());
        step.kind = StepKind::Run(self.script(&text, shell, &cwd, &key));
    }

    fn uses<'t>(&mut self, node: Node<'t>, uses: Node<'t>, step: &mut Step, job: &mut Job, around: Around<'_, 't>) {
        let with = node.get("with");
        let component = self.component(uses, Role::CiStep, &format!("{}.uses", step.key), around);
        let Some(component) = component else { return };
        let inputs = assignments(with, Scope::Input, &format!("{}.with", step.key));
        let written = uses.str().unwrap_or("");
        let action = written.split('@').next().unwrap_or(written).to_ascii_lowercase();
        if action == "actions/github-script"
            && let Some(script) = with.and_then(|with| with.get("script")).and_then(Node::mapped)
        {
            step.pasted = pasted(&script, "script", &format!("{}.with.script", step.key));
        }
        let condition = step.condition.as_ref().map_or("", |text| text.text.as_str());
        let used = Used { action, at: uses.at(), with, key: &step.key, condition };
        self.used(&used, job, around);
        step.kind = StepKind::Uses { component, inputs };
    }
}

/// What a person would call the step: its name, what it uses, or the first line that it runs.
fn name(node: Node<'_>) -> String {
    let text = |key: &str| node.get(key).and_then(Node::str);
    let first = text("name").or_else(|| text("uses")).or_else(|| text("run")).unwrap_or("");
    first.trim().lines().next().unwrap_or("").to_string()
}

/// The working folder as seen from the workspace. One that cannot be seen stays as it is written and fits no file.
fn folder(text: &Text, around: Around<'_, '_>) -> String {
    let resolved = around.resolve(text);
    let path = resolved.first().map_or("", |resolved| resolved.text.text.as_str());
    join("", path).unwrap_or_else(|| path.to_string())
}

/// A folder of the workspace as a folder of the repository.
fn in_repository(cwd: &str, checkout: Option<&str>) -> String {
    let Some(checkout) = checkout else { return cwd.to_string() };
    match cwd.strip_prefix(checkout) {
        Some("") => String::new(),
        Some(rest) if rest.starts_with('/') => rest[1..].to_string(),
        _ => cwd.to_string(),
    }
}

/// `actions/checkout` with a `path` puts the repository into a folder of the workspace.
fn note_checkout(node: Node<'_>, room: &mut Room<'_, '_>) {
    let is_checkout = node.get("uses").and_then(Node::str).is_some_and(|uses| uses.starts_with("actions/checkout@"));
    let input = |name: &str| node.path(&["with", name]).and_then(Node::text);
    let foreign = input("repository").is_some_and(|text| !text.text.contains("github.repository"));
    if let Some(path) = input("path").filter(|_| is_checkout && !foreign) {
        room.checkout = join("", &path.text).filter(|path| !path.is_empty());
    }
}

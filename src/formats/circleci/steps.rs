//! Steps: scripts, commands of the file with their arguments put in, commands of orbs, kept files.

use super::config::{Found, Room};
use super::executor::{Place, assignments};
use super::frame::{Frame, expressions, place, unescaped};
use super::job::Reader;
use super::workflow::Invocation;
use crate::ecosystems::variable;
use crate::model::facts::ProblemKind;
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Phase, Scope, Step, StepKind, Value};
use crate::model::script::{Language, Shell};
use crate::model::secrets::looks_secret;
use crate::model::source::join;
use crate::model::text::{Mapped, Text};
use crate::syntax::shell::started_by;
use crate::syntax::tree::Node;
use crate::tools;
use std::rc::Rc;

/// How deep commands may call commands.
const MAX_DEPTH: usize = 12;

/// How many bytes of scripts, and how many steps, all jobs together may have: commands that call each other multiply them.
const MAX_SCRIPTS: usize = 8 << 20;
const MAX_STEPS: usize = 50_000;

/// What the steps of a job have in common.
#[derive(Clone)]
struct Around<'t> {
    frame: Rc<Frame<'t>>,
    room: Room<'t>,
    /// The shell of the job: written, or the default of its machine.
    shell: Shell,
    written: bool,
    /// `working_directory` of the job: the repository is checked out there.
    home: String,
    depth: usize,
}

impl<'t> Reader<'t, '_> {
    /// The steps of a job, with those that workflows put before and after them.
    pub fn all_steps(
        &mut self,
        job_place: &Place<'t>,
        executor: Option<&Place<'t>>,
        room: Room<'t>,
        invocations: &[&Invocation<'t>],
        job: &mut Job,
    ) {
        let setting = |name: &str| {
            let own = job_place.node.get(name).and_then(|node| job_place.frame.piece(node));
            own.or_else(|| executor.and_then(|executor| executor.frame.piece(executor.node.get(name)?)))
        };
        let written = setting("shell").map(|text| started_by(&text.text));
        let class = setting("resource_class").map_or(String::new(), |text| text.text);
        let image = executor.and_then(|one| one.frame.piece(one.node.get("machine")?.get("image")?)).map_or(String::new(), |text| text.text);
        let named = job_place.node.get("executor").and_then(|node| node.str().or_else(|| node.get("name")?.str())).unwrap_or("");
        let windows = class.starts_with("windows") || image.starts_with("windows") || named.starts_with("win/");
        // <https://circleci.com/docs/configuration-reference/#default-shell-options>: `/bin/bash -eo pipefail`, or `/bin/sh` with the same
        // flags where there is no bash.
        let default = if windows { Shell { language: Language::PowerShell, ..Shell::ERREXIT } } else { Shell::PIPEFAIL };
        let home = setting("working_directory").map_or("~/project".to_string(), |text| text.text);
        let around =
            Around { frame: job_place.frame.clone(), room, shell: written.unwrap_or(default), written: written.is_some(), home, depth: 0 };
        let root = Around { frame: self.config.frame.clone(), room: self.config.room(), ..around.clone() };
        let extra = |part: &str| {
            let all = invocations.iter().flat_map(|one| &one.extra).filter(move |(_, key)| key.ends_with(part));
            all.cloned().collect::<Vec<_>>()
        };
        for (list, key) in extra("pre-steps") {
            self.steps(list, &key, &root, job);
        }
        if let Some(list) = job_place.node.get("steps") {
            self.steps(list, &format!("{}.steps", job_place.key), &around, job);
        }
        for (list, key) in extra("post-steps") {
            self.steps(list, &key, &root, job);
        }
    }

    fn steps(&mut self, list: Node<'t>, key: &str, around: &Around<'t>, job: &mut Job) {
        let (list, frame) = around.frame.deref(list);
        let around = Around { frame, ..around.clone() };
        for (index, node) in list.items().enumerate() {
            self.step(node, &format!("{key}[{index}]"), &around, job);
        }
    }

    fn step(&mut self, node: Node<'t>, key: &str, around: &Around<'t>, job: &mut Job) {
        self.visits += 1;
        if around.depth > MAX_DEPTH || self.visits > MAX_STEPS {
            return;
        }
        if node.is_scalar() {
            // A parameter of the type `steps`.
            let (list, frame) = around.frame.deref(node);
            if list.is_seq() {
                let inner = Around { frame, depth: around.depth + 1, ..around.clone() };
                return self.steps(list, key, &inner, job);
            }
            return self.named(node, None, key, around, job);
        }
        let Some((name, value)) = node.entries().next() else { return };
        self.named(name, Some(value), key, around, job);
    }

    fn named(&mut self, name: Node<'t>, value: Option<Node<'t>>, key: &str, around: &Around<'t>, job: &mut Job) {
        let Some(word) = name.str() else { return };
        match (word, value) {
            ("run", Some(value)) => self.run(value, key, around, job),
            ("when" | "unless", Some(value)) => {
                let inner = Around { depth: around.depth + 1, ..around.clone() };
                if holds(value.get("condition"), around) != Some(word != "when")
                    && let Some(list) = value.get("steps")
                {
                    self.steps(list, &format!("{key}.{word}.steps"), &inner, job);
                }
            }
            ("store_test_results" | "store_artifacts", value) => {
                let path = value.and_then(|value| around.frame.piece(value.get("path").unwrap_or(value)));
                // Both run whether the steps before them passed or not.
                let report = word == "store_test_results";
                let paths = path.into_iter().map(|text| text.text).collect();
                let artifact = Artifact { at: name.at(), paths, report, on_failure: true };
                if !job.artifacts.contains(&artifact) {
                    job.artifacts.push(artifact);
                }
            }
            ("restore_cache" | "save_cache", value) => {
                if let Some(value) = value {
                    cache(value, key, &around.frame, job);
                }
                self.add(job, Step::new(word, key, name.at(), StepKind::Other));
            }
            ("run" | "checkout" | "setup_remote_docker" | "persist_to_workspace", _)
            | ("attach_workspace" | "add_ssh_keys", _) => {
                self.add(job, Step::new(word, key, name.at(), StepKind::Other));
            }
            _ => self.command(name, value, key, around, job),
        }
    }

    /// A command of the file is its steps; one of an orb is a component.
    fn command(&mut self, name: Node<'t>, value: Option<Node<'t>>, key: &str, around: &Around<'t>, job: &mut Job) {
        let word = name.str().unwrap_or("");
        let given: Vec<(&str, Node)> =
            value.into_iter().flat_map(Node::entries).filter_map(|(key, value)| Some((key.str()?, value))).collect();
        match around.room.find("commands", word) {
            Found::Here(node, room, key) => {
                let frame = Frame::call(node.get("parameters"), &given, &around.frame, &self.config.frame);
                let inner = Around { frame, room, depth: around.depth + 1, ..around.clone() };
                if let Some(list) = node.get("steps") {
                    self.steps(list, &format!("{key}.steps"), &inner, job);
                }
            }
            Found::Orb(orb) => {
                let Some(component) = self.orb(orb) else { return };
                let input = |(name, node): &(&str, Node<'t>)| {
                    let text = around.frame.piece(*node)?;
                    let key = format!("{key}.{word}.{name}");
                    let value = variable::value(&text.text, |_| false);
                    Some(Assignment { name: name.to_string(), value, scope: Scope::Input, at: node.at(), key })
                };
                let inputs = given.iter().filter_map(input).collect();
                self.add(job, Step::new(word, key, name.at(), StepKind::Uses { component, inputs }));
            }
            Found::Nowhere => {}
        }
    }

    fn run(&mut self, node: Node<'t>, key: &str, around: &Around<'t>, job: &mut Job) {
        let part = |name: &str| if node.is_map() { node.get(name) } else { None };
        let (command, script_key) = match part("command") {
            Some(command) => (command, format!("{key}.run.command")),
            None => (node, format!("{key}.run")),
        };
        let (command, frame) = around.frame.deref(command);
        let Some(text) = frame.text(command).map(unescaped) else { return };
        let written = part("shell").and_then(|node| around.frame.piece(node)).map(|text| started_by(&text.text));
        let shell = written.unwrap_or(around.shell);
        let cwd = part("working_directory").and_then(|node| around.frame.piece(node));
        let cwd = cwd.map_or(String::new(), |text| folder(&text.text, &around.home));
        self.script_bytes += text.text.len();
        if self.script_bytes > MAX_SCRIPTS {
            return self.too_much(&text);
        }
        let place = (place(&text), format!("{cwd}\n{}", text.text));
        let script = match self.scripts.get(&place) {
            Some(script) => script.clone(),
            None => tools::read_script(&text, shell, &cwd, &script_key, self.facts),
        };
        self.scripts.insert(place, script.clone());
        let name = part("name").and_then(|node| around.frame.piece(node)).map(|text| text.text);
        let first = text.text.trim().lines().next().unwrap_or("").to_string();
        let mut step = Step::new(name.unwrap_or(first), key, node.at(), StepKind::Run(script));
        step.shell_written = written.is_some() || around.written;
        step.env = assignments(part("environment"), &around.frame, Scope::Step, &format!("{key}.run.environment"));
        step.pasted = pasted(command, &script_key);
        let when = part("when").and_then(|node| around.frame.piece(node)).filter(|text| text.text != "on_success");
        if when.as_ref().is_some_and(|text| text.text == "on_fail") {
            step.phase = Phase::After;
        }
        step.condition = when.map(|text| Text { text: format!("when: {}", text.text), ..text });
        self.add(job, step);
    }

    /// A step once: other arguments may leave it as it is.
    fn add(&mut self, job: &mut Job, step: Step) {
        if !job.steps.iter().any(|other| other.key == step.key && other.kind == step.kind) {
            job.steps.push(step);
        }
    }

    fn too_much(&mut self, text: &Mapped) {
        let told = "commands of this configuration are more than 8 MiB, shared ones counted each time; the rest was not read";
        if self.script_bytes < usize::MAX / 2 {
            self.facts.problem(ProblemKind::Unreadable, text.at, told);
            self.script_bytes = usize::MAX / 2;
        }
    }
}

/// Whether the condition of a step holds; `None`: that is decided when it runs.
fn holds(condition: Option<Node<'_>>, around: &Around<'_>) -> Option<bool> {
    let text = around.frame.piece(condition?)?.text;
    match text.trim() {
        "false" | "" | "0" => Some(false),
        text if text.contains('$') => None,
        _ => Some(true),
    }
}

/// Parameters of the pipeline in a script: put into its text before it runs.
fn pasted(command: Node<'_>, key: &str) -> Vec<Assignment> {
    let Some(text) = command.mapped() else { return Vec::new() };
    let assignment = |(part, name): (std::ops::Range<usize>, String)| {
        let last = name.rsplit('.').next().unwrap_or("").to_string();
        let value = match looks_secret(&last) {
            true => Value::Secret { names: vec![last], whole: true, derived: false },
            false => Value::Expression(text.text[part.clone()].to_string()),
        };
        Assignment { name: "command".to_string(), value, scope: Scope::Step, at: text.place(part).0, key: key.to_string() }
    };
    let found = expressions(&text.text).into_iter();
    found.filter(|(_, name)| name.starts_with("pipeline.")).map(assignment).collect()
}

/// `save_cache: {key, paths}`, `restore_cache: {key}` or `{keys: []}`. <https://circleci.com/docs/caching/>
fn cache<'t>(node: Node<'t>, key: &str, frame: &Rc<Frame<'t>>, job: &mut Job) {
    let texts = |name: &str| {
        let list = node.get(name).into_iter().flat_map(|node| frame.deref(node).0.list().collect::<Vec<_>>());
        list.filter_map(|node| frame.piece(node)).map(|text| text.text).collect::<Vec<_>>()
    };
    let names = [texts("key"), texts("keys")].concat();
    let cache = Cache { at: node.at(), key: key.to_string(), names, files: Vec::new(), paths: texts("paths") };
    if !job.caches.contains(&cache) {
        job.caches.push(cache);
    }
}

/// A working folder as one of the repository.
fn folder(path: &str, home: &str) -> String {
    let homes = [home, "~/project", "/root/project", "/home/circleci/project"];
    let below = homes.iter().find_map(|home| path.strip_prefix(home)).map(|rest| rest.trim_start_matches('/'));
    let path = below.unwrap_or(path);
    join("", path).unwrap_or_else(|| path.to_string())
}

//! A workflow file to a pipeline. Steps are read elsewhere.

use super::known::Known;
use super::matrix::{self, Matrix};
use super::reader::{Around, Reader, number, switch};
use super::shell::{self, Windows};
use super::steps::Room;
use super::triggers::{self, On};
use super::value::{assignments, value};
use crate::ecosystems::toolchain;
use crate::model::facts::ProblemKind;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Service, Setting};
use crate::model::reference::{ReferenceId, Role};
use crate::model::script::Shell;
use crate::model::text::Text;
use crate::syntax::tree::Node;
use std::collections::HashMap;

impl Reader<'_> {
    /// Reads a workflow.
    pub fn workflow(&mut self, root: Node<'_>) {
        let on = triggers::read(root.get("on"));
        if root.get("on").is_none_or(|on| on.is_null()) {
            self.facts.problem(
                ProblemKind::Unreadable,
                self.source.top(),
                "this workflow has no `on`: GitHub refuses it, nothing starts it",
            );
        }
        let called = root.path(&["on", "workflow_call", "inputs"]);
        let dispatched = root.path(&["on", "workflow_dispatch", "inputs"]);
        let known = Known {
            env: root.get("env").into_iter().collect(),
            inputs: called.into_iter().chain(dispatched).collect(),
            action_path: None,
        };
        let mut jobs = Vec::new();
        match root.get("jobs") {
            Some(map) if map.is_map() => {
                for (key, node) in map.entries() {
                    jobs.extend(self.job(root, key, node, &on, &known));
                }
            }
            other => {
                let at = other.map_or(self.source.top(), |node| node.at());
                self.refuse(at, "this workflow has no mapping `jobs`");
            }
        }
        follow_needs(&mut jobs);
        self.note_lines(root, "env");
        let name = root.get("name").and_then(Node::str).unwrap_or(&self.source.path).to_string();
        self.facts.pipelines.push(Pipeline {
            system: &super::DIALECT,
            name,
            at: self.source.whole(),
            triggers: on.triggers,
            env: assignments(root.get("env"), Scope::Pipeline, "env"),
            jobs,
            cancel: cancel(root.get("concurrency")),
            unseen: Vec::new(),
        });
    }

    fn job<'t>(&mut self, root: Node<'t>, name: Node<'t>, node: Node<'t>, on: &On, known: &Known<'t>) -> Option<Job> {
        let id = name.str()?.to_string();
        let key = format!("jobs.{id}");
        if !node.is_map() {
            self.refuse(name.at(), &format!("job `{id}` is not a mapping"));
            return None;
        }
        let mut known = known.clone();
        known.env.extend(node.get("env"));
        let matrix = matrix::read(node.path(&["strategy", "matrix"]));
        let around = Around { known: &known, matrix: &matrix };
        let runners = self.runners(node.get("runs-on"), &key, around);
        let text = |key: &str| node.get(key).and_then(Node::str).map(str::to_string);
        let condition = node.get("if").and_then(Node::text);
        let mut job = Job {
            name: text("name").unwrap_or_else(|| id.clone()),
            at: name.at(),
            env: assignments(node.get("env"), Scope::Job, &format!("{key}.env")),
            steps: Vec::new(),
            runner: runners.first().copied(),
            images: Vec::new(),
            services: self.services(node.get("services"), &key, around),
            calls: None,
            inputs: Vec::new(),
            pythons: Vec::new(),
            timeout: number(node.get("timeout-minutes")),
            cancel: cancel(node.get("concurrency")),
            tolerated: switch(node.get("continue-on-error")),
            retry: Setting::Absent,
            needs: names(node.get("needs")),
            legs: matrix.count,
            matrix: members(&matrix),
            on_patch: on.on_patch(condition.as_ref().map(|text| text.text.as_str()), &known),
            condition,
            environment: text("environment").or_else(|| node.path(&["environment", "name"])?.str().map(str::to_string)),
            artifacts: Vec::new(),
            caches: Vec::new(),
            token_writes: writes(node.get("permissions").or_else(|| root.get("permissions"))),
            id,
            key,
        };
        self.note_lines(node, &format!("{}.env", job.key));
        self.note_permissions(node, &job.key);
        self.container(node.get("container"), &mut job, around);
        self.body(root, node, &mut job, around);
        Some(job)
    }

    /// What a job does: steps, or a workflow that it calls.
    fn body<'t>(&mut self, root: Node<'t>, node: Node<'t>, job: &mut Job, around: Around<'_, 't>) {
        let key = job.key.clone();
        if let Some(uses) = node.get("uses") {
            job.calls = self.component(uses, Role::CiInclude, &format!("{key}.uses"), around);
            job.inputs = assignments(node.get("with"), Scope::Input, &format!("{key}.with"));
            job.inputs.extend(given_secrets(node.get("secrets"), &format!("{key}.secrets")));
        }
        match node.get("steps") {
            Some(steps) if steps.is_seq() => {
                let mut room = self.room(root, node, job, around);
                self.steps(steps, &format!("{key}.steps"), job, &mut room);
            }
            Some(steps) => self.refuse(steps.at(), &format!("`steps` of job `{}` is not a list", job.id)),
            None if node.get("uses").is_none() => {
                self.refuse(job.at, &format!("job `{}` has neither `steps` nor `uses`", job.id));
            }
            None => {}
        }
    }

    fn room<'a, 't>(&mut self, root: Node<'t>, node: Node<'t>, job: &Job, around: Around<'a, 't>) -> Room<'a, 't> {
        let setting = |name: &str| {
            let path = ["defaults", "run", name];
            node.path(&path).or_else(|| root.path(&path))
        };
        let on_windows = self.on_windows(node.get("runs-on"), around);
        let _ = job;
        Room {
            around,
            default_shell: shell::default(on_windows),
            shell: setting("shell").and_then(Node::text).map(|text| shell_of(&text, around)),
            cwd: setting("working-directory").and_then(Node::text),
            checkout: None,
        }
    }

    fn on_windows(&self, runs_on: Option<Node<'_>>, around: Around<'_, '_>) -> Windows {
        let labels = runs_on.into_iter().flat_map(labels).flat_map(|text| around.resolve(&text));
        let labels: Vec<String> = labels.map(|resolved| resolved.text.text.to_ascii_lowercase()).collect();
        let windows = labels.iter().filter(|label| label.contains("windows")).count();
        let is_list = runs_on.is_some_and(|node| node.is_seq() || node.is_map());
        if windows > 0 && (is_list || windows == labels.len()) { Windows::Yes } else { Windows::No }
    }

    fn runners(&mut self, node: Option<Node<'_>>, key: &str, around: Around<'_, '_>) -> Vec<ReferenceId> {
        let Some(node) = node else { return Vec::new() };
        let texts: Vec<Text> = labels(node).collect();
        // A machine of one's own is chosen by labels that name no version of anything.
        if texts.iter().any(|text| text.text == "self-hosted") {
            return Vec::new();
        }
        let key = format!("{key}.runs-on");
        let resolved: Vec<_> = texts.iter().flat_map(|text| around.resolve(text)).collect();
        let known = resolved.iter().filter(|resolved| resolved.known);
        let references: Vec<_> =
            known.map(|resolved| toolchain::runner(&resolved.text, &key)).collect();
        references.into_iter().map(|reference| self.push(reference)).collect()
    }

    fn container(&mut self, node: Option<Node<'_>>, job: &mut Job, around: Around<'_, '_>) {
        let Some(node) = node.filter(|node| !node.is_null()) else { return };
        let key = format!("{}.container", job.key);
        let (image, key) = match node.get("image") {
            Some(image) => (Some(image), format!("{key}.image")),
            None => (Some(node).filter(|node| node.is_scalar()), key),
        };
        match image.and_then(Node::text) {
            Some(text) => job.images = self.images(&text, Role::CiImage, &key, around),
            None => self.refuse(node.at(), &format!("`container` of job `{}` names no image", job.id)),
        }
        job.env.extend(assignments(node.get("env"), Scope::Container, &format!("{}.container.env", job.key)));
        job.env.extend(credentials(node, &format!("{}.container", job.key)));
    }

    fn services(&mut self, node: Option<Node<'_>>, key: &str, around: Around<'_, '_>) -> Vec<Service> {
        let mut services = Vec::new();
        for (name, node) in node.into_iter().flat_map(Node::entries) {
            let Some(name) = name.str() else { continue };
            let key = format!("{key}.services.{name}");
            let image = if node.is_scalar() { Some(node) } else { node.get("image") };
            let images = match image.and_then(Node::text) {
                Some(text) => self.images(&text, Role::CiService, &format!("{key}.image"), around),
                None => {
                    self.refuse(node.at(), &format!("service `{name}` names no image"));
                    Vec::new()
                }
            };
            let mut env = assignments(node.get("env"), Scope::Container, &format!("{key}.env"));
            env.extend(credentials(node, &key));
            let options = node.get("options").and_then(Node::str).map(str::to_string);
            services.push(Service { name: name.to_string(), images, env, options });
        }
        services
    }
}

/// Whether permissions let the token of a job change anything. Where none are written, settings of the server decide.
/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions>
fn writes(permissions: Option<Node<'_>>) -> bool {
    let Some(node) = permissions.filter(|node| !node.is_null()) else { return true };
    match node.str().filter(|_| node.is_scalar()) {
        Some(text) => text != "read-all",
        None => node.entries().any(|(_, level)| level.str().is_none_or(|level| !matches!(level, "read" | "none"))),
    }
}

/// The shell of `shell: TEXT`. One that cannot be seen gets the flags that raise no alarm.
pub fn shell_of(text: &Text, around: Around<'_, '_>) -> Shell {
    match around.known.only(text, around.matrix) {
        Some(text) => shell::named(&text),
        None => Shell::PIPEFAIL,
    }
}

/// Labels of `runs-on`: a text, a list, or `labels` of a mapping.
fn labels(node: Node<'_>) -> impl Iterator<Item = Text> {
    let node = if node.is_map() { node.get("labels") } else { Some(node) };
    node.into_iter().flat_map(Node::list).filter_map(Node::text)
}

fn names(node: Option<Node<'_>>) -> Vec<String> {
    node.into_iter().flat_map(Node::list).filter_map(Node::str).map(str::to_string).collect()
}

/// Passwords for a registry: given to the runner by name, not to any process of the job.
fn credentials(node: Node<'_>, key: &str) -> Vec<Assignment> {
    let mut list = assignments(node.get("credentials"), Scope::Input, &format!("{key}.credentials"));
    list.retain(|assignment| assignment.name == "password");
    list
}

/// `secrets: inherit`, or a mapping.
fn given_secrets(node: Option<Node<'_>>, key: &str) -> Vec<Assignment> {
    let Some(node) = node else { return Vec::new() };
    if node.str() != Some("inherit") {
        return assignments(Some(node), Scope::Input, key);
    }
    let value = value("${{ secrets }}");
    vec![Assignment { name: "secrets".to_string(), value, scope: Scope::Input, at: node.at(), key: key.to_string() }]
}

/// `concurrency`: a group alone queues, it does not cancel.
fn cancel(node: Option<Node<'_>>) -> Setting<bool> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Setting::Absent };
    match switch(node.get("cancel-in-progress")) {
        Setting::Absent => Setting::Plain(false, node.at()),
        setting => setting,
    }
}

/// Names and members of the matrix, each pair once.
fn members(matrix: &Matrix<'_>) -> Vec<(String, String)> {
    let mut seen = std::collections::HashSet::new();
    let pairs = matrix.legs.iter().flatten().filter_map(|(name, node)| Some((name.to_string(), node.str()?.to_string())));
    pairs.filter(|pair| seen.insert(pair.clone())).collect()
}

/// A job that waits for one that is not on patches is skipped with it, unless it says that it always runs.
fn follow_needs(jobs: &mut [Job]) {
    let index: HashMap<String, usize> = jobs.iter().enumerate().map(|(index, job)| (job.id.clone(), index)).collect();
    let always = |job: &Job| {
        let text = job.condition.as_ref().map_or("", |text| text.text.as_str());
        ["always()", "cancelled()", "failure()"].iter().any(|call| text.contains(call))
    };
    // Each round takes the answer one job further; chains are short.
    for _ in 0..jobs.len().min(20) {
        let skipped: Vec<usize> = (0..jobs.len())
            .filter(|at| jobs[*at].on_patch != Some(false) && !always(&jobs[*at]))
            .filter(|at| jobs[*at].needs.iter().any(|id| index.get(id).is_some_and(|i| jobs[*i].on_patch == Some(false))))
            .collect();
        if skipped.is_empty() {
            return;
        }
        for at in skipped {
            jobs[at].on_patch = Some(false);
        }
    }
}

//! Steps of Bitbucket, each a job: its image, services, script and pipes.

use crate::ecosystems::{oci, variable};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Phase, Scope, Service, Setting, Step, StepKind, Value};
use crate::model::reference::{Origin, ReferenceId, Role};
use crate::model::script::{Script, Shell};
use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use crate::tools;
use std::collections::HashMap;

/// How many steps a file may have, aliases counted each time.
const MAX_STEPS: usize = 2_000;

/// Reads the steps of a file into facts.
pub struct Reader<'t, 'c> {
    root: Node<'t>,
    pub facts: &'c mut Facts,
    images: HashMap<Location, Vec<ReferenceId>>,
    scripts: HashMap<(Location, usize), Script>,
    steps: usize,
}

impl<'t, 'c> Reader<'t, 'c> {
    pub fn new(root: Node<'t>, facts: &'c mut Facts) -> Reader<'t, 'c> {
        Reader { root, facts, images: HashMap::new(), scripts: HashMap::new(), steps: 0 }
    }

    /// A list of steps, of groups that run side by side, and of stages.
    pub fn list(&mut self, list: Node<'_>, key: &str, on_patch: Option<bool>, jobs: &mut Vec<Job>) {
        for (index, item) in list.items().enumerate() {
            let key = format!("{key}[{index}]");
            if let Some((name, step)) = item.entry("step") {
                jobs.extend(self.step(step, name.at(), &format!("{key}.step"), on_patch));
            }
            if let Some(group) = item.get("parallel") {
                let (steps, key) = match group.get("steps") {
                    Some(steps) => (steps, format!("{key}.parallel.steps")),
                    None => (group, format!("{key}.parallel")),
                };
                self.list(steps, &key, on_patch, jobs);
            }
            if let Some(stage) = item.get("stage") {
                let first = jobs.len();
                let runs = if is_manual(stage) { Some(false) } else { on_patch };
                if let Some(steps) = stage.get("steps") {
                    self.list(steps, &format!("{key}.stage.steps"), runs, jobs);
                }
                let deployment = stage.get("deployment").and_then(Node::str);
                for job in &mut jobs[first..] {
                    job.environment = job.environment.take().or(deployment.map(str::to_string));
                }
            }
        }
    }

    fn step(&mut self, node: Node<'_>, at: Location, key: &str, on_patch: Option<bool>) -> Option<Job> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            if self.steps == MAX_STEPS + 1 {
                let text = "this file has more than 2000 steps, aliases counted each time; the rest was not read";
                self.facts.problem(ProblemKind::Unreadable, at, text);
            }
            return None;
        }
        let name = node.get("name").and_then(Node::str).unwrap_or(key.trim_start_matches("pipelines.")).to_string();
        let mut job = Job::new(name, key, at);
        let (image, image_key) = match node.get("image") {
            Some(image) => (Some(image), format!("{key}.image")),
            None => (self.root.get("image"), "image".to_string()),
        };
        if let Some(image) = image {
            job.images = self.image(image, Role::CiImage, &image_key);
            job.inputs.extend(credentials(image, &image_key));
        }
        for name in node.get("services").into_iter().flat_map(Node::items).filter_map(Node::str) {
            job.services.extend(self.service(name));
        }
        self.script(node.get("script"), &format!("{key}.script"), Phase::Main, &mut job);
        self.script(node.get("after-script"), &format!("{key}.after-script"), Phase::After, &mut job);
        job.timeout = number(node.get("max-time").or_else(|| self.root.path(&["options", "max-time"])));
        job.on_patch = if is_manual(node) { Some(false) } else { on_patch };
        job.environment = node.get("deployment").and_then(Node::str).map(str::to_string);
        job.condition = node.path(&["condition", "state"]).and_then(Node::text);
        let strategy = node.path(&["on-fail", "strategy"]);
        job.tolerated = strategy.map_or(Setting::Absent, |node| Setting::Plain(node.str() == Some("ignore"), node.at()));
        job.retry = match strategy.and_then(Node::str) {
            Some("retry") => number(node.path(&["on-fail", "max-retry-count"]).or(strategy)),
            _ => Setting::Absent,
        };
        job.artifacts = artifact(node).into_iter().collect();
        job.caches = node.get("caches").into_iter().flat_map(Node::items).filter_map(|name| self.cache(name, key)).collect();
        Some(job)
    }

    /// `image: x` or `image: {name: x}`.
    fn image(&mut self, node: Node<'_>, role: Role, key: &str) -> Vec<ReferenceId> {
        let (node, key) = match node.get("name") {
            Some(name) => (name, format!("{key}.name")),
            None => (node, key.to_string()),
        };
        let Some(text) = node.text() else { return Vec::new() };
        if let Some(ids) = self.images.get(&text.at) {
            return ids.clone();
        }
        let ids: Vec<ReferenceId> = oci::image(&text, role, &key).map(|image| self.facts.push(image)).into_iter().collect();
        self.images.insert(text.at, ids.clone());
        ids
    }

    fn service(&mut self, name: &str) -> Option<Service> {
        let node = self.root.path(&["definitions", "services", name])?;
        let key = format!("definitions.services.{name}");
        let image = node.get("image")?;
        let mut env = variables(node.get("variables"), Scope::Container, &format!("{key}.variables"));
        env.extend(credentials(image, &format!("{key}.image")));
        let images = self.image(image, Role::CiService, &format!("{key}.image"));
        Some(Service { name: name.to_string(), images, env, options: None })
    }

    /// A cache by its name: one of the file, or one that Bitbucket knows. <https://support.atlassian.com/bitbucket-cloud/docs/cache-dependencies/>
    fn cache(&self, name: Node<'_>, step: &str) -> Option<Cache> {
        let word = name.str()?;
        let own = self.root.path(&["definitions", "caches", word]);
        let path = own.and_then(|own| own.str().or_else(|| own.get("path")?.str())).unwrap_or(word);
        let files = own.and_then(|own| own.path(&["key", "files"])).into_iter().flat_map(Node::items).filter_map(Node::str);
        let files = files.map(str::to_string).collect();
        Some(Cache { at: name.at(), key: format!("{step}.caches"), names: Vec::new(), files, paths: vec![path.to_string()] })
    }

    /// Images of services that no step asks for: the next step that does gets them.
    pub fn services_nobody_uses(&mut self) {
        let services = self.root.path(&["definitions", "services"]);
        let names: Vec<&str> = services.into_iter().flat_map(Node::entries).filter_map(|(name, _)| name.str()).collect();
        for name in names {
            self.service(name);
        }
    }

    /// A script: texts run in one shell, pipes stand between them.
    fn script(&mut self, list: Option<Node<'_>>, key: &str, phase: Phase, job: &mut Job) {
        let mut text: Option<Mapped> = None;
        for (index, item) in list.into_iter().flat_map(Node::list).enumerate() {
            match item.get("pipe") {
                Some(pipe) => {
                    self.run(text.take(), key, phase, job);
                    self.pipe(item, pipe, &format!("{key}[{index}]"), phase, job);
                }
                None => {
                    let Some(item) = item.mapped() else { continue };
                    match &mut text {
                        Some(text) => text.append_line(&item),
                        None => text = Some(item),
                    }
                }
            }
        }
        self.run(text, key, phase, job);
    }

    fn run(&mut self, text: Option<Mapped>, key: &str, phase: Phase, job: &mut Job) {
        let Some(text) = text else { return };
        let place = (text.at, text.text.len());
        let script = match self.scripts.get(&place) {
            Some(script) => script.clone(),
            // `#!/bin/bash`, `set -e`, and each item printed before it runs; `pipefail` is not set.
            // <https://support.atlassian.com/bitbucket-cloud/kb/why-does-bitbucket-pipelines-pass-build-steps-despite-previous-command-failure/>
            // <https://confluence.atlassian.com/bbkb/pipelines-builds-succeeds-even-on-command-failure-1142437808.html>
            None => tools::read_script(&text, Shell::ERREXIT, "", key, self.facts),
        };
        self.scripts.insert(place, script.clone());
        let name = text.text.trim().lines().next().unwrap_or("").to_string();
        let step = Step { phase, ..Step::new(name, key, text.at, StepKind::Run(script)) };
        job.steps.push(step);
    }

    fn pipe(&mut self, item: Node<'_>, pipe: Node<'_>, key: &str, phase: Phase, job: &mut Job) {
        let Some(text) = pipe.text() else { return };
        let key_of_pipe = format!("{key}.pipe");
        let component = match self.images.get(&text.at) {
            Some(ids) => ids.first().copied(),
            None => read_pipe(&text, &key_of_pipe).map(|reference| self.facts.push(reference)),
        };
        self.images.insert(text.at, component.into_iter().collect());
        let Some(component) = component else { return };
        let inputs = variables(item.get("variables"), Scope::Input, &format!("{key}.variables"));
        let name = item.get("name").and_then(Node::str).unwrap_or(&text.text).to_string();
        let step = Step { phase, ..Step::new(name, key, pipe.at(), StepKind::Uses { component, inputs }) };
        job.steps.push(step);
    }
}

/// `pipe: owner/name:version`, or `pipe: docker://image`, which is an image like any other.
fn read_pipe(text: &Text, key: &str) -> Option<crate::model::reference::Reference> {
    if text.text.starts_with("docker://") {
        return oci::image(text, Role::CiStep, key);
    }
    let mut reference = oci::image(text, Role::CiInclude, key)?;
    // The version is one of the pipe's own description, which no digest holds.
    reference.site.digest = None;
    // A pipe is a repository of Bitbucket, its versions are tags there.
    // <https://support.atlassian.com/bitbucket-cloud/docs/write-a-pipe-for-bitbucket-pipelines/>
    if text.text.contains('/') && !reference.subject.name.contains(['$', '.']) {
        reference.origin = Origin::Vcs(format!("https://bitbucket.org/{}", reference.subject.name));
    }
    Some(reference)
}

fn is_manual(node: Node<'_>) -> bool {
    node.get("trigger").and_then(Node::str) == Some("manual")
}

fn number(node: Option<Node<'_>>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    match node.str().and_then(|text| text.trim().parse().ok()) {
        Some(value) => Setting::Plain(value, node.at()),
        None => Setting::Computed(node.at()),
    }
}

/// Variables of a pipe or a service: a text, or a list of texts.
fn variables(map: Option<Node<'_>>, scope: Scope, key: &str) -> Vec<Assignment> {
    let read = |(name, node): (Node<'_>, Node<'_>)| {
        let name = name.str()?.to_string();
        let value = variable::value(node.str().unwrap_or(""), |_| false);
        let key = format!("{key}.{name}");
        Some(Assignment { value, scope, at: node.at(), key, name })
    };
    map.into_iter().flat_map(Node::entries).filter_map(read).collect()
}

/// Passwords of an image: given to Bitbucket by name, not to any process of the step.
fn credentials(image: Node<'_>, key: &str) -> Vec<Assignment> {
    let mut all = variables(image.is_map().then_some(image), Scope::Input, key);
    all.extend(variables(image.get("aws"), Scope::Input, &format!("{key}.aws")));
    all.retain(|one| matches!(one.name.as_str(), "password" | "secret-key") && !matches!(one.value, Value::Expression(_)));
    all
}

/// `artifacts`: a list of paths, or a mapping with `paths` or `upload`.
fn artifact(step: Node<'_>) -> Option<Artifact> {
    let node = step.get("artifacts")?;
    let lists = node.is_seq().then_some(node).or_else(|| node.get("paths"));
    let uploads = node.get("upload").into_iter().flat_map(Node::items).filter_map(|one| one.get("paths"));
    let paths = lists.into_iter().chain(uploads).flat_map(Node::items).filter_map(Node::str).map(str::to_string);
    let on_success = node.get("upload").into_iter().flat_map(Node::items).any(|one| one.get("capture-on").and_then(Node::str) == Some("success"));
    Some(Artifact { at: node.at(), paths: paths.collect(), report: false, on_failure: !on_success })
}

//! Stages and jobs, templates opened.

use super::File;
use super::expression;
use super::frame::{Frame, Item};
use super::variables::assignments;
use crate::formats::steps::moves;
use crate::ecosystems::{oci, toolchain};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Service, Setting, Value};
use crate::model::reference::{Reference, ReferenceId, Role};
use crate::model::script::{Script, Shell};
use crate::model::source::Sources;
use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use std::collections::HashMap;
use std::rc::Rc;

/// How deep templates may call templates.
const MAX_DEPTH: usize = 20;
/// How many stages, jobs and steps a pipeline may become.
const MAX_PARTS: usize = 20_000;

/// Reads a pipeline into facts.
pub struct Reader<'t, 'c> {
    pub files: &'t [File<'t>],
    root: Node<'t>,
    sources: &'t Sources,
    pub facts: &'c mut Facts,
    /// Images by alias.
    pub containers: HashMap<String, Vec<ReferenceId>>,
    /// References by place and text.
    references: HashMap<(Location, String), ReferenceId>,
    /// Scripts by place, text and shell.
    pub scripts: HashMap<(Location, String, Shell), Script>,
    parts: usize,
}

/// What a job has from its stage and its pipeline.
#[derive(Clone, Default)]
pub struct Around<'t> {
    pub pool: Option<Item<'t>>,
    pub container: Option<Item<'t>>,
    pub env: Vec<Assignment>,
    pub on_patch: Option<bool>,
}

impl<'t, 'c> Reader<'t, 'c> {
    pub fn new(files: &'t [File<'t>], root: Node<'t>, sources: &'t Sources, facts: &'c mut Facts) -> Reader<'t, 'c> {
        Reader {
            files,
            root,
            sources,
            facts,
            containers: HashMap::new(),
            references: HashMap::new(),
            scripts: HashMap::new(),
            parts: 0,
        }
    }

    /// Reads the first file: what stands in it, or in the template that it extends.
    pub fn pipeline(&mut self, root: Node<'t>, pipeline: &mut Pipeline) {
        let frame = Frame::of_file(self.files[0].source, root, None);
        self.resources(root, &frame, pipeline);
        pipeline.env = self.variables(root.get("variables"), &frame, Scope::Pipeline, "variables", 0);
        moves::note_lines(self.facts, root, "variables", "env", "variables");
        let on_patch = super::runs_for_patches(root);
        self.body(root, &frame, "", Around { on_patch, ..Around::default() }, pipeline, 0);
    }

    /// What a pipeline or a template for one holds: a template that it extends, stages, jobs or steps.
    fn body(&mut self, root: Node<'t>, frame: &Rc<Frame<'t>>, key: &str, around: Around<'t>, pipeline: &mut Pipeline, depth: usize) {
        let around = Around {
            pool: own(root, frame, "pool", key).or(around.pool),
            container: own(root, frame, "container", key).or(around.container),
            ..around
        };
        if let Some(extends) = root.get("extends") {
            return self.included(extends, frame, &format!("{key}extends"), around, pipeline, depth);
        }
        if let Some(stages) = root.get("stages") {
            self.stages(stages, frame, &format!("{key}stages"), &around, pipeline, depth);
        } else if let Some(jobs) = root.get("jobs") {
            self.jobs(jobs, frame, &format!("{key}jobs"), &around, pipeline, depth);
        } else if root.get("steps").is_some() {
            let at = root.entry("steps").map_or(root.at(), |(key, _)| key.at());
            let mut job = Job::new("Job", key.trim_end_matches('.'), at);
            self.fill(root, frame, key, &around, &mut job, depth);
            pipeline.jobs.push(job);
        }
    }

    /// What a template brings. Of one that lies elsewhere, the stages, jobs or steps that it is handed to run.
    fn included(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, key: &str, around: Around<'t>, pipeline: &mut Pipeline, depth: usize) {
        if let Some((root, inner)) = self.template(node, frame, depth) {
            // A template that is extended has the whole of a pipeline.
            self.resources(root, &inner, pipeline);
            pipeline.env.extend(self.variables(root.get("variables"), &inner, Scope::Pipeline, "variables", depth));
            self.body(root, &inner, "", around, pipeline, depth + 1);
        } else if let Some(handed) = node.get("parameters").filter(|_| is_elsewhere(node, frame))
            && self.goes_on(node, depth)
        {
            self.body(handed, frame, &format!("{key}.parameters."), around, pipeline, depth + 1);
        }
    }

    fn stages(&mut self, list: Node<'t>, frame: &Rc<Frame<'t>>, key: &str, around: &Around<'t>, pipeline: &mut Pipeline, depth: usize) {
        for item in frame.items(list, key) {
            if !self.goes_on(item.node, depth) {
                return;
            }
            if item.node.get("template").is_some() {
                self.included(item.node, &item.frame, &item.key, around.clone(), pipeline, depth);
                continue;
            }
            let (stage, key) = (item.node, &item.key);
            let inner = item.frame.inside(stage.get("variables"));
            let mut env = around.env.clone();
            env.extend(self.variables(stage.get("variables"), &inner, Scope::Job, &format!("{key}.variables"), depth));
            let condition = stage.get("condition").and_then(Node::str);
            let below = Around {
                pool: own(stage, &inner, "pool", &format!("{key}.")).or_else(|| around.pool.clone()),
                container: around.container.clone(),
                env,
                on_patch: both(around.on_patch, condition),
            };
            if let Some(jobs) = stage.get("jobs") {
                self.jobs(jobs, &inner, &format!("{key}.jobs"), &below, pipeline, depth);
            }
        }
    }

    fn jobs(&mut self, list: Node<'t>, frame: &Rc<Frame<'t>>, key: &str, around: &Around<'t>, pipeline: &mut Pipeline, depth: usize) {
        for item in frame.items(list, key) {
            if !self.goes_on(item.node, depth) {
                return;
            }
            if item.node.get("template").is_some() {
                self.included(item.node, &item.frame, &item.key, around.clone(), pipeline, depth);
                continue;
            }
            let (node, key) = (item.node, &item.key);
            let name = ["job", "deployment", "phase"].iter().find_map(|word| node.entry(word));
            let Some((word, value)) = name else { continue };
            let text = item.frame.text(value).map_or(String::new(), |text| text.text);
            let id = if text.is_empty() { "Job".to_string() } else { text };
            let mut job = Job::new(id, key.clone(), word.at());
            self.fill(node, &item.frame, &format!("{key}."), around, &mut job, depth);
            pipeline.jobs.push(job);
        }
    }

    /// Reads the keys of a job, which may be those of the whole pipeline.
    fn fill(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, key: &str, around: &Around<'t>, job: &mut Job, depth: usize) {
        let is_root = node == self.root;
        let frame = &if is_root { frame.clone() } else { frame.inside(node.get("variables")) };
        job.env = around.env.clone();
        if !is_root {
            job.env.extend(self.variables(node.get("variables"), frame, Scope::Job, &format!("{key}variables"), depth));
            moves::note_lines(self.facts, node, "variables", "env", &format!("{key}variables"));
        }
        let legs = legs(node, frame);
        job.legs = match node.path(&["strategy", "matrix"]) {
            Some(matrix) if matrix.is_scalar() => None,
            _ => Some(legs.len()),
        };
        for leg in legs.iter().flatten() {
            job.matrix.extend(leg.entries().filter_map(|(name, value)| Some((name.str()?.to_string(), value.str()?.to_string()))));
        }
        let frames: Vec<Rc<Frame<'t>>> = legs.iter().map(|leg| frame.inside(*leg)).collect();
        let pool = own(node, frame, "pool", key).or_else(|| around.pool.clone());
        let windows = self.machine(pool.as_ref(), &frames, job);
        if let Some(container) = own(node, frame, "container", key).or_else(|| around.container.clone()) {
            for frame in &frames {
                let ids = self.container(container.node, frame, Role::CiImage, &container.key);
                job.images.extend(ids.into_iter().filter(|id| !job.images.contains(id)).collect::<Vec<_>>());
            }
            let env = container.node.get("env");
            job.env.extend(assignments(env, frame, Scope::Container, &format!("{}.env", container.key)));
        }
        for (name, service) in node.get("services").map_or(Vec::new(), |map| frame.entries(map)) {
            let key = format!("{key}services.{name}");
            let images = self.container(service.node, &service.frame, Role::CiService, &key);
            let env = assignments(service.node.get("env"), &service.frame, Scope::Container, &format!("{key}.env"));
            job.services.push(Service { name, images, env, options: None });
        }
        self.settings(node, frame, around, job);
        let lists = step_lists(node);
        for (list, part) in lists {
            self.steps(list, &frames, &format!("{key}{part}"), windows, job, depth);
        }
    }

    fn settings(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, around: &Around<'t>, job: &mut Job) {
        if let Some(text) = node.get("displayName").and_then(|node| frame.text(node)) {
            job.name = text.text;
        }
        job.timeout = match node.get("timeoutInMinutes") {
            None => Setting::Absent,
            Some(node) => match frame.text(node).and_then(|text| text.text.trim().parse().ok()) {
                Some(minutes) => Setting::Plain(minutes, node.at()),
                None => Setting::Computed(node.at()),
            },
        };
        job.tolerated = switch(node.get("continueOnError"));
        job.needs = node.get("dependsOn").into_iter().flat_map(Node::list).filter_map(Node::str).map(str::to_string).collect();
        job.condition = node.get("condition").and_then(Node::text);
        job.on_patch = both(around.on_patch, job.condition.as_ref().map(|text| text.text.as_str()));
        let environment = node.get("environment");
        job.environment = environment.and_then(|node| frame.text(node.get("name").unwrap_or(node))).map(|text| text.text);
    }

    /// The machine of a job; whether it runs Windows in every leg.
    fn machine(&mut self, pool: Option<&Item<'t>>, frames: &[Rc<Frame<'t>>], job: &mut Job) -> bool {
        let Some(pool) = pool else { return false };
        let (node, _) = pool.frame.deref(pool.node);
        let Some(image) = node.get("vmImage") else {
            // A pool of one's own: its name may say what runs there.
            let name = node.str().or_else(|| node.get("name")?.str()).unwrap_or("").to_ascii_lowercase();
            let image = node.path(&["demands"]).and_then(Node::str).unwrap_or("").to_ascii_lowercase();
            return name.contains("windows") || image.contains("windows");
        };
        let mut windows = Vec::new();
        for frame in frames {
            let Some(text) = frame.text(image) else { continue };
            windows.push(text.text.to_ascii_lowercase().contains("win") || text.text.to_ascii_lowercase().starts_with("vs2"));
            let id = self.once(&text, &format!("{}.vmImage", pool.key), toolchain::runner);
            job.runner = job.runner.or(Some(id));
        }
        !windows.is_empty() && windows.iter().all(|windows| *windows)
    }

    /// Variables, those of templates too.
    fn variables(&mut self, node: Option<Node<'t>>, frame: &Rc<Frame<'t>>, scope: Scope, key: &str, depth: usize) -> Vec<Assignment> {
        let mut all = assignments(node, frame, scope, key);
        for item in node.map_or(Vec::new(), |node| frame.items(node, key)) {
            if item.node.get("template").is_some()
                && let Some((root, inner)) = self.template(item.node, &item.frame, depth)
            {
                all.extend(self.variables(root.get("variables"), &inner, scope, "variables", depth + 1));
            }
        }
        all
    }

    /// The root of a template of this repository, with the frame of its parameters.
    pub fn template(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, depth: usize) -> Option<(Node<'t>, Rc<Frame<'t>>)> {
        let path = frame.text(node.get("template")?)?;
        if depth > MAX_DEPTH {
            return None;
        }
        let source = super::find(&path.text, frame.source, self.sources)?;
        let file = self.files.iter().find(|file| file.source.id == source.id)?;
        let root = file.tree.root().filter(|root| root.is_map())?;
        let given = node.get("parameters").map(|node| (node, frame.clone()));
        Some((root, Frame::of_file(file.source, root, given)))
    }

    /// Counts a part; says once that there are too many.
    pub fn goes_on(&mut self, node: Node<'t>, depth: usize) -> bool {
        self.parts += 1;
        if self.parts == MAX_PARTS {
            let text = "this pipeline becomes more than 20000 stages, jobs and steps; the rest was not read";
            self.facts.problem(ProblemKind::Unreadable, node.at(), text);
        }
        self.parts < MAX_PARTS && depth <= MAX_DEPTH
    }

    /// Images that a text may stand for, each once.
    pub fn images(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, role: Role, key: &str) -> Vec<ReferenceId> {
        let Some(text) = frame.full(node).filter(|text| !text.text.is_empty()) else { return Vec::new() };
        let place = (place(&text), text.text.clone());
        if let Some(id) = self.references.get(&place) {
            return vec![*id];
        }
        let reference = oci::mapped(&text, role, key);
        reference.map(|reference| self.push(place, reference)).into_iter().collect()
    }

    fn push(&mut self, place: (Location, String), reference: Reference) -> ReferenceId {
        let facts = &mut *self.facts;
        *self.references.entry(place).or_insert_with(|| facts.push(reference))
    }

    /// Reads a piece to a reference, once.
    pub fn once(&mut self, text: &Text, key: &str, read: impl Fn(&Text, &str) -> Reference) -> ReferenceId {
        let place = (text.at, format!("{key} {}", text.text));
        let reference = read(text, key);
        self.push(place, reference)
    }
}

/// Whether a template is of another repository.
fn is_elsewhere(node: Node<'_>, frame: &Rc<Frame<'_>>) -> bool {
    let path = node.get("template").and_then(|path| frame.text(path)).map_or(String::new(), |path| path.text);
    path.contains('@') && !path.ends_with("@self")
}

/// A key of a node, if it has it.
fn own<'t>(node: Node<'t>, frame: &Rc<Frame<'t>>, name: &str, key: &str) -> Option<Item<'t>> {
    let value = node.get(name)?;
    Some(Item { node: value, frame: frame.clone(), key: format!("{key}{name}") })
}

/// The lists of steps of a job, or of the parts of a deployment.
fn step_lists(node: Node<'_>) -> Vec<(Node<'_>, String)> {
    let mut lists: Vec<(Node, String)> = node.get("steps").map(|list| (list, "steps".to_string())).into_iter().collect();
    for (strategy, parts) in node.get("strategy").into_iter().flat_map(Node::entries) {
        let Some(strategy) = strategy.str().filter(|name| matches!(*name, "runOnce" | "rolling" | "canary")) else { continue };
        for part in ["preDeploy", "deploy", "routeTraffic", "postRouteTraffic"] {
            let list = parts.path(&[part, "steps"]);
            lists.extend(list.map(|list| (list, format!("strategy.{strategy}.{part}.steps"))));
        }
        for part in ["failure", "success"] {
            let list = parts.path(&["on", part, "steps"]);
            lists.extend(list.map(|list| (list, format!("strategy.{strategy}.on.{part}.steps"))));
        }
    }
    lists
}

/// Legs of the matrix: a mapping of variables each; `None` where there is no matrix.
fn legs<'t>(node: Node<'t>, frame: &Rc<Frame<'t>>) -> Vec<Option<Node<'t>>> {
    let matrix = node.path(&["strategy", "matrix"]);
    let mut legs: Vec<Option<Node<'t>>> =
        matrix.map_or(Vec::new(), |matrix| frame.entries(matrix)).into_iter().map(|(_, item)| Some(item.node)).take(256).collect();
    let count = node.path(&["strategy", "parallel"]).and_then(Node::str).and_then(|text| text.parse().ok()).unwrap_or(1usize);
    if legs.is_empty() {
        legs = vec![None; count.clamp(1, 64)];
        legs.truncate(if matrix.is_some() { 1 } else { legs.len() });
    }
    legs
}

/// Whether a patch starts a part, with its own condition.
fn both(around: Option<bool>, condition: Option<&str>) -> Option<bool> {
    match (around, condition.map_or(Some(true), on_patch)) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether a condition lets a proposed patch through.
fn on_patch(condition: &str) -> Option<bool> {
    let plain = condition.to_ascii_lowercase().replace([' ', '\n'], "").replace("variables['", "").replace("']", "").replace("variables.", "");
    if plain.contains("or(") {
        return None;
    }
    let never = [
        "ne(build.reason,'pullrequest')",
        "eq(build.reason,'schedule')",
        "eq(build.reason,'manual')",
        "eq(build.sourcebranch,'refs/heads/",
        "eq(build.sourcebranchname,'ma",
        "startswith(build.sourcebranch,'refs/tags/",
    ];
    if never.iter().any(|part| plain.contains(&format!(",{part}")) || plain.starts_with(part) || plain.contains(&format!("and({part}"))) {
        return Some(false);
    }
    let name = |name: &str| match name.to_ascii_lowercase().trim() {
        "succeeded()" | "always()" => Some("true".to_string()),
        "build.reason" => Some("PullRequest".to_string()),
        _ => None,
    };
    if !plain.contains("build.") {
        // What earlier jobs say decides: a patch starts it all the same.
        return Some(true);
    }
    expression::value(&plain.replace("succeeded()", "true").replace("always()", "true"), &name, 0).map(|value| expression::is_true(&value))
}

/// A switch: `true`, `false`, or an expression.
pub fn switch(node: Option<Node<'_>>) -> Setting<bool> {
    let Some(node) = node else { return Setting::Absent };
    // Every scalar is a text to Azure: quotes make no difference.
    match node.str().map(str::to_ascii_lowercase).as_deref() {
        Some("true") => Setting::Plain(true, node.at()),
        Some("false") => Setting::Plain(false, node.at()),
        _ => Setting::Computed(node.at()),
    }
}

/// Where a text stands in the source.
pub fn place(text: &Mapped) -> Location {
    text.place(0..text.text.len()).0
}

/// A secret by name as the value of a variable.
pub fn secret(name: &str) -> Value {
    Value::Secret { names: vec![name.to_string()], whole: true, derived: false }
}

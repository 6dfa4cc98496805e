//! Jobs: what the keys at the top make with their matrix, and the entries of `jobs.include`.

use super::env;
use crate::formats::steps;
use crate::ecosystems::toolchain;
use crate::model::facts::Facts;
use crate::model::pipeline::{Assignment, Cache, Job, Phase, Scope, Setting, Step, StepKind, Value};
use crate::model::reference::{ReferenceId, Role};
use crate::model::script::{Script, Shell};
use crate::model::span::Location;
use crate::model::text::Mapped;
use crate::syntax::tree::Node;
use crate::tools;
use std::collections::HashMap;

/// How many jobs one file may have.
const MAX_JOBS: usize = 500;

/// Phases in the order in which they run. <https://docs.travis-ci.com/user/job-lifecycle/>
const PHASES: [(&str, Phase); 10] = [
    ("before_install", Phase::Before),
    ("install", Phase::Before),
    ("before_script", Phase::Before),
    ("script", Phase::Main),
    ("before_cache", Phase::After),
    ("after_success", Phase::After),
    ("after_failure", Phase::After),
    ("before_deploy", Phase::After),
    ("after_deploy", Phase::After),
    ("after_script", Phase::After),
];

/// Keys that multiply the job at the top.
const AXES: [&str; 5] = ["python", "os", "arch", "dist", "node_js"];

/// Reads the jobs of a file into facts.
pub struct Reader<'t, 'c> {
    root: Node<'t>,
    facts: &'c mut Facts,
    /// Whether there are requirements that Travis installs when nothing is said.
    has_requirements: bool,
    scripts: HashMap<(Location, String), Script>,
    versions: HashMap<Location, ReferenceId>,
}

impl<'t, 'c> Reader<'t, 'c> {
    pub fn new(root: Node<'t>, facts: &'c mut Facts, has_requirements: bool) -> Reader<'t, 'c> {
        Reader { root, facts, has_requirements, scripts: HashMap::new(), versions: HashMap::new() }
    }

    pub fn jobs(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        let listed = ["jobs", "matrix"].iter().find_map(|key| Some((*key, self.root.get(key)?)));
        let include = listed.and_then(|(key, node)| Some((key, node.get("include")?)));
        let included = include.map_or(0, |(_, list)| list.items().len());
        if included == 0 || self.is_multiplied() {
            let mut job = Job::new("build", "script", self.root.entry("script").map_or(self.root.at(), |(key, _)| key.at()));
            self.read(&[(self.root, String::new())], &mut job);
            self.matrix(listed.map(|(_, node)| node), &mut job);
            jobs.push(job);
        }
        for (index, node) in include.into_iter().flat_map(|(_, list)| list.items()).enumerate().take(MAX_JOBS) {
            let key = format!("{}.include[{index}]", include.map_or("jobs", |(key, _)| key));
            let name = ["name", "stage"].iter().find_map(|key| node.get(key)?.str());
            let mut job = Job::new(name.unwrap_or(&key), key.clone(), node.at());
            self.read(&[(node, format!("{key}.")), (self.root, String::new())], &mut job);
            job.env = node.get("env").map_or(Vec::new(), |node| env::assignments(node, Scope::Job, &format!("{key}.env")));
            job.tolerated = tolerated(node, listed.map(|(_, node)| node));
            jobs.push(job);
        }
        jobs
    }

    /// Whether the keys at the top make jobs beside those that are included.
    fn is_multiplied(&self) -> bool {
        let several = |key: &&str| self.root.get(key).is_some_and(|node| node.items().len() > 1);
        let env = self.root.get("env");
        let legs = env.and_then(|env| env.get("jobs").or_else(|| env.get("matrix"))).or(env.filter(|env| env.is_seq()));
        AXES.iter().any(several) || legs.is_some_and(|legs| legs.items().len() > 0)
    }

    /// Reads a job from several layers, most important first.
    fn read(&mut self, layers: &[(Node<'t>, String)], job: &mut Job) {
        let get = |name: &str| layers.iter().find_map(|(node, key)| Some((node.get(name)?, format!("{key}{name}"))));
        for (name, role) in [("python", Role::Python), ("node_js", Role::Toolchain)] {
            let Some((node, key)) = get(name) else { continue };
            for item in node.list() {
                let Some(id) = self.version(item, name, role, &key) else { continue };
                if role == Role::Python && !job.pythons.contains(&id) {
                    job.pythons.push(id);
                }
            }
        }
        if let Some((text, key)) = get("dist").and_then(|(node, key)| Some((node.text()?, key))) {
            let facts = &mut *self.facts;
            job.runner = Some(*self.versions.entry(text.at).or_insert_with(|| facts.push(toolchain::machine(&text, &key))));
        }
        // Git Bash reads the lines on Windows too.
        let shell = Shell::PLAIN;
        let mut cwd = String::new();
        for (name, phase) in PHASES {
            match get(name) {
                Some((node, key)) => self.phase(node, &key, (name, phase), shell, &mut cwd, job),
                None if name == "install" => self.default_install(&get("language"), job),
                None => {}
            }
        }
        for (index, node) in get("deploy").into_iter().flat_map(|(node, _)| deployments(node)).enumerate() {
            let key = format!("{}[{index}]", get("deploy").map_or(String::new(), |(_, key)| key));
            self.deploy(node, &key, shell, job);
        }
        job.caches = get("cache").map_or(Vec::new(), |(node, key)| cache(node, &key));
        job.condition = get("if").and_then(|(node, _)| node.text());
        job.on_patch = job.condition.as_ref().map_or(Some(true), |text| on_patch(&text.text));
    }

    fn version(&mut self, node: Node<'t>, name: &str, role: Role, key: &str) -> Option<ReferenceId> {
        let text = node.text()?;
        let facts = &mut *self.facts;
        let id = self.versions.entry(text.at).or_insert_with(|| {
            facts.push(match role {
                Role::Python => toolchain::python(&text, role, key),
                _ => toolchain::tool(name, &text, role, key),
            })
        });
        Some(*id)
    }

    /// The lines of a phase, each evaluated on its own in one shell without flags: what counts of a line is its last exit code.
    /// <https://github.com/travis-ci/travis-build/blob/master/lib/travis/build/bash/travis_cmd.bash>
    fn phase(&mut self, node: Node<'t>, key: &str, (name, phase): (&str, Phase), shell: Shell, cwd: &mut String, job: &mut Job) {
        if node.bool() == Some(true) || node.str() == Some("skip") {
            return;
        }
        let is_list = node.is_seq();
        for (index, item) in node.list().enumerate() {
            let Some(text) = item.mapped() else { continue };
            let key = if is_list { format!("{key}[{index}]") } else { key.to_string() };
            let script = self.script(&text, &key, shell, cwd);
            steps::follow(&script, cwd);
            job.steps.push(Step { phase, ..Step::new(name, &key, item.at(), StepKind::Run(script)) });
        }
    }

    fn script(&mut self, text: &Mapped, key: &str, shell: Shell, cwd: &str) -> Script {
        let place = (text.at, cwd.to_string());
        if let Some(script) = self.scripts.get(&place) {
            return script.clone();
        }
        let script = tools::read_script(text, shell, cwd, key, self.facts);
        self.scripts.insert(place, script.clone());
        script
    }

    /// Without a word about it, Travis installs `requirements.txt` of a Python project.
    fn default_install(&mut self, language: &Option<(Node<'t>, String)>, job: &mut Job) {
        let Some((node, _)) = language.as_ref().filter(|(node, _)| node.str() == Some("python")) else { return };
        if !self.has_requirements {
            return;
        }
        let text = Mapped::opaque("pip install -r requirements.txt", node.at());
        let script = self.script(&text, "install", Shell::PLAIN, "");
        job.steps.push(Step { phase: Phase::Before, ..Step::new("install", "install", node.at(), StepKind::Run(script)) });
    }

    /// Options of a provider go to it by name; `script` is a provider that runs a script.
    fn deploy(&mut self, node: Node<'t>, key: &str, shell: Shell, job: &mut Job) {
        for (name, value) in node.entries() {
            let Some(name) = name.str() else { continue };
            let key = format!("{key}.{name}");
            if value.get("secure").is_some() {
                let value_is = Value::Secret { names: vec![name.to_string()], whole: true, derived: false };
                job.inputs.push(Assignment { name: name.to_string(), value: value_is, scope: Scope::Input, at: value.at(), key });
            } else if name == "script" && node.get("provider").and_then(Node::str) == Some("script") {
                self.phase(value, &key, ("deploy", Phase::After), shell, &mut String::new(), job);
            }
        }
    }

    fn matrix(&self, listed: Option<Node<'t>>, job: &mut Job) {
        let mut legs = 1;
        for axis in AXES {
            let values: Vec<&str> = self.root.get(axis).into_iter().flat_map(Node::list).filter_map(Node::str).collect();
            if values.len() > 1 {
                legs *= values.len();
                job.matrix.extend(values.iter().map(|value| (axis.to_string(), value.to_string())));
            }
        }
        let env = self.root.get("env");
        let list = env.and_then(|env| Some((env.get("jobs").or_else(|| env.get("matrix"))?, "env.jobs")));
        let list = list.or(env.filter(|env| env.is_seq() || env.is_scalar()).map(|env| (env, "env")));
        if let Some((list, key)) = list {
            legs *= list.list().count().max(list.items().len()).max(1);
            job.env = env::assignments(list, Scope::Job, key);
        }
        job.legs = Some(legs);
        let allowed = listed.and_then(|node| node.get("allow_failures"));
        if let Some(node) = allowed.filter(|node| node.items().len() > 0) {
            job.tolerated = Setting::Computed(node.at());
        }
    }
}

/// Whether an included job is one of those that may fail.
fn tolerated(job: Node<'_>, listed: Option<Node<'_>>) -> Setting<bool> {
    let rules = listed.and_then(|node| node.get("allow_failures")).into_iter().flat_map(Node::items);
    for rule in rules {
        let mut entries = rule.entries().peekable();
        let same = |(key, value): (Node<'_>, Node<'_>)| {
            key.str().and_then(|key| job.get(key)).is_some_and(|other| other.str().is_some() && other.str() == value.str())
        };
        if entries.peek().is_some() && entries.all(same) {
            return Setting::Plain(true, rule.at());
        }
    }
    Setting::Absent
}

/// `cache: pip`, `cache: {pip: true, directories: []}`, and lists of these. <https://docs.travis-ci.com/user/caching/>
fn cache(node: Node<'_>, key: &str) -> Vec<Cache> {
    let words = node.list().filter_map(Node::str).map(str::to_string);
    let maps = node.is_map().then_some(node).into_iter().chain(node.items().filter(|item| item.is_map()));
    let inner = maps.flat_map(Node::entries).flat_map(|(name, value)| match name.str() {
        Some("directories") => value.list().filter_map(Node::str).map(str::to_string).collect(),
        Some(name) if value.bool() == Some(true) => vec![name.to_string()],
        _ => Vec::new(),
    });
    let paths: Vec<String> = words.chain(inner).filter(|word| word != "false").collect();
    let one = Cache { at: node.at(), key: key.to_string(), names: Vec::new(), files: Vec::new(), paths };
    Some(one).filter(|cache| !cache.paths.is_empty()).into_iter().collect()
}

fn deployments(node: Node<'_>) -> Vec<Node<'_>> {
    if node.is_map() { vec![node] } else { node.items().collect() }
}

/// Whether a condition lets a proposed patch through. <https://docs.travis-ci.com/user/conditions-v1>
fn on_patch(condition: &str) -> Option<bool> {
    let plain = condition.to_ascii_lowercase().replace(' ', "");
    if plain.contains("||") || plain.contains("or(") || plain.contains("not") {
        return None;
    }
    let never = ["type=push", "type=cron", "type=api", "type!=pull_request", "tagispresent", "tag=~"];
    if never.iter().any(|part| plain.contains(part)) || plain.starts_with("tag=") {
        return Some(false);
    }
    // The branch of a pull request is the one that it goes into.
    (plain.starts_with("type=pull_request") || plain.starts_with("branch=")).then_some(true)
}

//! Jobs: everything that GitLab would merge into one, as facts.

use super::config::{Config, Layers};
use super::image::images;
use super::script;
use super::trigger;
use super::variables::{Known, assignments};
use crate::ecosystems::toolchain;
use crate::formats::steps::moves;
use crate::model::facts::{Facts, ProblemKind, Shared};
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Phase, Scope, Service, Setting, Step, StepKind};
use crate::model::reference::{ReferenceId, Role};
use crate::model::script::{Language, Script, Shell};
use crate::model::secrets::handed;
use crate::model::span::Location;
use crate::syntax::tree::Node;
use crate::tools;
use std::collections::HashMap;

/// Reads the jobs of a pipeline into facts.
pub struct Reader<'t, 'c> {
    config: &'c Config<'t>,
    facts: &'c mut Facts,
    /// Images by place: several jobs share the default one.
    images: Shared,
    /// Scripts by place: several jobs share `before_script`.
    scripts: HashMap<(Location, usize), Script>,
    /// How much script was given to jobs.
    script_bytes: usize,
    /// Whether it was said that it is too much.
    told: bool,
}

/// How many bytes of scripts all jobs of a pipeline have at most: a thousand jobs that extend one long template multiply it.
const MAX_SCRIPTS: usize = 8 << 20;

impl<'t, 'c> Reader<'t, 'c> {
    pub fn new(config: &'c Config<'t>, facts: &'c mut Facts) -> Reader<'t, 'c> {
        Reader { config, facts, images: Shared::default(), scripts: HashMap::new(), script_bytes: 0, told: false }
    }

    /// The jobs that run. A file without any still names its default image.
    pub fn jobs(&mut self) -> Vec<Job> {
        let visible: Vec<_> = self.config.visible().collect();
        let mut jobs = Vec::new();
        for (name, key) in visible {
            let layers = self.config.job(name);
            let works = ["script", "trigger", "run"].iter().any(|key| !layers.get(key).is_absent());
            if works {
                jobs.push(self.job(name, key, &layers));
            }
        }
        if jobs.is_empty() {
            let nothing = Layers { config: self.config, nodes: Vec::new() };
            let known = self.known(&nothing);
            let (image, key) = self.inherited(&nothing, "image", "");
            self.image(&image, &known, Role::CiImage, &key);
            let (services, key) = self.inherited(&nothing, "services", "");
            self.services(&services, &known, &key);
        }
        jobs
    }

    fn job(&mut self, name: &str, key_node: Node<'t>, layers: &Layers<'t, 'c>) -> Job {
        let key = format!("jobs.{name}");
        let known = self.known(layers);
        let (image, image_key) = self.inherited(layers, "image", &key);
        let runner = self.machine(&image, &image_key);
        let images = if runner.is_some() { Vec::new() } else { self.image(&image, &known, Role::CiImage, &image_key) };
        let (services, services_key) = self.inherited(layers, "services", &key);
        let (matrix, legs) = matrix(layers);
        let inputs = forwarded(layers, &key);
        // Only what the job itself writes can be edited; a job that is an alias of another one writes nothing.
        if let Some(own) = layers.first().filter(|own| own.at().source == key_node.at().source && own.at().span.start >= key_node.at().span.start) {
            moves::note_slot(self.facts, own, "variables", &["script"], &key);
            moves::note_slot(self.facts, own, "id_tokens", &["script"], &key);
            moves::note_lines(self.facts, own, "variables", "variables", &format!("{key}.variables"));
        }
        let caches = caches(&self.inherited(layers, "cache", "").0, &key);
        Job {
            id: name.to_string(),
            name: name.to_string(),
            at: key_node.at(),
            env: self.environment(layers, &key),
            images,
            services: self.services(&services, &known, &services_key),
            steps: self.steps(layers, &key),
            key,
            runner,
            calls: None,
            inputs,
            pythons: Vec::new(),
            timeout: self.timeout(layers),
            cancel: self.interruptible(layers),
            tolerated: tolerated(layers),
            retry: self.retry(layers),
            needs: needs(layers),
            legs,
            matrix,
            condition: condition(layers),
            on_patch: trigger::on_patch(self.config, layers),
            environment: named(&layers.get("environment")),
            artifacts: artifacts(layers),
            caches,
            token_writes: true,
        }
    }

    /// A key of the job, else of `default`, else of the top, unless the job does not inherit it; with its structural key path.
    fn inherited(&self, job: &Layers<'t, 'c>, name: &str, key: &str) -> (Layers<'t, 'c>, String) {
        let own = job.get(name);
        let inherit = job.get("inherit").get("default");
        let wanted = match inherit.first() {
            Some(node) if node.is_seq() => node.items().any(|item| item.str() == Some(name)),
            Some(node) => node.bool() != Some(false),
            None => true,
        };
        if !own.is_absent() || !wanted {
            return (own, format!("{key}.{name}"));
        }
        let default = self.config.global().get("default").get(name);
        if !default.is_absent() {
            return (default, format!("default.{name}"));
        }
        let global = matches!(name, "image" | "services" | "before_script" | "after_script");
        let top = if global { self.config.global().get(name) } else { default };
        (top, name.to_string())
    }

    fn known(&self, job: &Layers<'t, 'c>) -> Known<'t> {
        let mut scopes = vec![job.get("variables")];
        if job.get("inherit").get("variables").first().and_then(Node::bool) != Some(false) {
            scopes.push(self.config.global().get("variables"));
        }
        let matrix = matrix_items(job).into_iter().flat_map(Node::entries);
        let matrix = matrix.flat_map(|(key, value)| value.list().filter_map(move |item| Some((key.str()?, item))));
        Known::new(&scopes).with_matrix(matrix.collect())
    }

    /// `variables`, and `secrets` that are not files (`file: false`).
    fn environment(&self, layers: &Layers<'t, 'c>, key: &str) -> Vec<crate::model::pipeline::Assignment> {
        use crate::model::pipeline::{Assignment, Value};
        let variables = layers.get("variables");
        let mut env = assignments(self.config, &variables, Scope::Job, &format!("{key}.variables"));
        let (secrets, _) = self.inherited(layers, "secrets", key);
        for (name, secret) in secrets.entries() {
            if secret.get("file").and_then(Node::bool) == Some(false)
                && let Some(name) = name.str().map(str::to_string)
            {
                let value = Value::Secret { names: vec![name.clone()], whole: true, derived: false };
                let key = format!("{key}.secrets.{name}");
                env.push(Assignment { name, value, scope: Scope::Job, at: secret.at(), key });
            }
        }
        env
    }

    /// Hosted runners on macOS take a virtual machine for an image: `macos-15-xcode-16`.
    /// <https://docs.gitlab.com/ci/runners/hosted_runners/macos/#supported-macos-images>
    fn machine(&mut self, image: &Layers<'t, 'c>, key: &str) -> Option<ReferenceId> {
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = image.first().and_then(Node::text).or_else(|| image.get("name").first().and_then(Node::text))?;
        let (system, xcode) = text.text.strip_prefix("macos-")?.split_once("-xcode-")?;
        let reference = (number(system) && number(xcode)).then(|| toolchain::runner(&text, key))?;
        Some(self.images.push(self.facts, reference))
    }

    /// `image: x` or `image: {name: x}`.
    fn image(&mut self, image: &Layers<'t, 'c>, known: &Known<'t>, role: Role, key: &str) -> Vec<ReferenceId> {
        if let Some(text) = image.first().and_then(Node::text) {
            return self.push(images(&text, known, role, key));
        }
        let Some(text) = image.get("name").first().and_then(Node::text) else { return Vec::new() };
        self.push(images(&text, known, role, &format!("{key}.name")))
    }

    fn push(&mut self, references: Vec<crate::model::reference::Reference>) -> Vec<ReferenceId> {
        references.into_iter().map(|reference| self.images.push(self.facts, reference)).collect()
    }

    fn services(&mut self, services: &Layers<'t, 'c>, known: &Known<'t>, key: &str) -> Vec<Service> {
        let mut found = Vec::new();
        for (index, node) in services.items().into_iter().enumerate() {
            let key = format!("{key}[{index}]");
            let named = node.get("name").and_then(Node::text);
            let image_key = if named.is_some() { format!("{key}.name") } else { key.clone() };
            let Some(text) = named.or_else(|| node.text()) else { continue };
            let layers = Layers { config: self.config, nodes: vec![node] };
            let env = assignments(self.config, &layers.get("variables"), Scope::Container, &format!("{key}.variables"));
            let images = self.push(images(&text, known, Role::CiService, &image_key));
            let name = node.get("alias").and_then(Node::str).map_or(text.text, str::to_string);
            found.push(Service { name, images, env, options: None });
        }
        found
    }

    fn steps(&mut self, layers: &Layers<'t, 'c>, key: &str) -> Vec<Step> {
        let shell = shell(&self.inherited(layers, "tags", key).0);
        let (hooks, hooks_key) = self.inherited(layers, "hooks", key);
        let hook = (hooks.get("pre_get_sources_script"), format!("{hooks_key}.pre_get_sources_script"));
        let lists = [
            ("pre_get_sources_script", Phase::Before, hook),
            ("before_script", Phase::Before, self.inherited(layers, "before_script", key)),
            ("script", Phase::Main, (layers.get("script"), format!("{key}.script"))),
            ("after_script", Phase::After, self.inherited(layers, "after_script", key)),
        ];
        let mut steps = Vec::new();
        for (name, phase, (list, key)) in lists {
            for text in script::texts(&list) {
                self.script_bytes += text.text.len();
                if self.script_bytes > MAX_SCRIPTS {
                    self.too_much(text.at);
                    continue;
                }
                let place = (text.at, text.text.len());
                let script = match self.scripts.get(&place) {
                    Some(script) => script.clone(),
                    None => tools::read_script(&text, shell, "", &key, self.facts),
                };
                self.scripts.insert(place, script.clone());
                steps.push(step(name, phase, &key, script, shell));
            }
        }
        steps
    }

    /// Says once that the jobs share more than can be read for each of them.
    fn too_much(&mut self, at: Location) {
        if !std::mem::replace(&mut self.told, true) {
            let text = "the jobs of this pipeline run more than 8 MiB of scripts, shared ones counted each time; the rest was not read";
            self.facts.problem(ProblemKind::Unreadable, at, text);
        }
    }

    fn timeout(&self, layers: &Layers<'t, 'c>) -> Setting<u32> {
        let (timeout, _) = self.inherited(layers, "timeout", "");
        let Some(node) = timeout.first() else { return Setting::Absent };
        let text = node.str().filter(|text| !text.contains('$'));
        text.and_then(minutes).map_or(Setting::Computed(node.at()), |minutes| Setting::Plain(minutes, node.at()))
    }

    fn interruptible(&self, layers: &Layers<'t, 'c>) -> Setting<bool> {
        switch(self.inherited(layers, "interruptible", "").0.first())
    }

    /// How often a failed script is run again. A retry for failures of the runner alone (`when:`) hides no test and counts as none.
    fn retry(&self, layers: &Layers<'t, 'c>) -> Setting<u32> {
        let (retry, _) = self.inherited(layers, "retry", "");
        let Some(node) = retry.first() else { return Setting::Absent };
        let whens: Vec<&str> = retry.get("when").first().into_iter().flat_map(Node::list).filter_map(Node::str).collect();
        let hides = |when: &&str| matches!(*when, "always" | "script_failure" | "unknown_failure");
        if !whens.is_empty() && !whens.iter().any(hides) || node.get("exit_codes").is_some() {
            return Setting::Absent;
        }
        let times = if node.is_map() { node.get("max") } else { Some(node) };
        match times.and_then(Node::str).and_then(|times| times.parse().ok()) {
            Some(times) => Setting::Plain(times, node.at()),
            None => Setting::Computed(node.at()),
        }
    }
}

fn step(name: &str, phase: Phase, key: &str, script: Script, shell: Shell) -> Step {
    Step {
        name: name.to_string(),
        at: script.at,
        key: key.to_string(),
        env: Vec::new(),
        kind: StepKind::Run(script),
        pasted: Vec::new(),
        condition: None,
        // The job's verdict is not the business of what runs after it.
        not_on_patch: false,
        tolerated: Setting::Absent,
        shell: Some(shell),
        shell_written: false,
        phase,
    }
}

/// The runner stops at the first failing line and at a failing part of a pipeline; Windows runners run PowerShell.
fn shell(tags: &Layers<'_, '_>) -> Shell {
    let windows = |tag: Node<'_>| tag.str().is_some_and(|tag| tag.to_ascii_lowercase().contains("windows"));
    if tags.items().into_iter().any(windows) {
        return Shell { language: Language::PowerShell, ..Shell::PIPEFAIL };
    }
    Shell::PIPEFAIL
}

fn switch(node: Option<Node<'_>>) -> Setting<bool> {
    let Some(node) = node else { return Setting::Absent };
    node.bool().map_or(Setting::Computed(node.at()), |value| Setting::Plain(value, node.at()))
}

/// `allow_failure` of the job; one that stands in a rule, or that names exit codes, depends.
fn tolerated(layers: &Layers<'_, '_>) -> Setting<bool> {
    let own = layers.get("allow_failure").first();
    let in_rules = layers.get("rules").items().into_iter().find_map(|rule| rule.get("allow_failure"));
    match (own, in_rules.filter(|node| node.bool() == Some(true))) {
        (None, Some(rule)) => Setting::Computed(rule.at()),
        (own, _) => switch(own),
    }
}

fn needs(layers: &Layers<'_, '_>) -> Vec<String> {
    let needs = layers.get("needs").items().into_iter();
    needs.filter_map(|need| need.str().or_else(|| need.get("job")?.str()).map(str::to_string)).collect()
}

/// The condition, when there is one rule with one.
fn condition(layers: &Layers<'_, '_>) -> Option<crate::model::text::Text> {
    let rules = layers.get("rules").items();
    if let [rule] = rules[..] { rule.get("if")?.text() } else { None }
}

/// `trigger:forward:pipeline_variables`: every variable of the pipeline for the one that is started.
fn forwarded(layers: &Layers<'_, '_>, key: &str) -> Vec<Assignment> {
    let node = layers.get("trigger").get("forward").get("pipeline_variables").first();
    let Some(node) = node.filter(|node| node.bool() == Some(true)) else { return Vec::new() };
    let (name, key) = ("secrets".to_string(), format!("{key}.trigger.forward.pipeline_variables"));
    vec![Assignment { name, value: handed::set("*"), scope: Scope::Input, at: node.at(), key }]
}

fn named(layers: &Layers<'_, '_>) -> Option<String> {
    layers.str().or_else(|| layers.get("name").str()).map(str::to_string)
}

fn matrix_items<'t>(job: &Layers<'t, '_>) -> Vec<Node<'t>> {
    job.get("parallel").get("matrix").items()
}

/// Names and values of `parallel:matrix`, and how many jobs it makes.
fn matrix(job: &Layers<'_, '_>) -> (Vec<(String, String)>, Option<usize>) {
    let mut pairs = Vec::new();
    let mut legs = 0usize;
    for item in matrix_items(job) {
        let mut product = 1usize;
        for (name, values) in item.entries() {
            let values: Vec<&str> = values.list().filter_map(Node::str).collect();
            product = product.saturating_mul(values.len().max(1));
            pairs.extend(values.iter().map(|value| (name.str().unwrap_or("").to_string(), value.to_string())));
        }
        legs = legs.saturating_add(product);
    }
    let count = job.get("parallel").str().and_then(|count| count.parse().ok());
    (pairs, if legs > 0 { Some(legs) } else { count })
}

/// `artifacts:paths`, `artifacts:reports:junit` and `:dotenv`; test reports are collected from failed jobs too.
fn artifacts(layers: &Layers<'_, '_>) -> Vec<Artifact> {
    let artifacts = layers.get("artifacts");
    let texts = |layers: &Layers<'_, '_>| -> Vec<String> {
        let one = layers.str().map(str::to_string);
        one.into_iter().chain(layers.items().into_iter().filter(|_| layers.str().is_none()).filter_map(|node| node.str().map(str::to_string))).collect()
    };
    let mut found = Vec::new();
    let on_failure = artifacts.get("when").str().is_some_and(|when| matches!(when, "always" | "on_failure"));
    // Whatever stands below `reports` is kept of failed jobs too.
    let lists = [
        (artifacts.get("paths"), false, on_failure),
        (artifacts.get("reports").get("junit"), true, true),
        (artifacts.get("reports").get("dotenv"), false, true),
    ];
    for (list, report, on_failure) in lists {
        if let Some(node) = list.first() {
            found.push(Artifact { at: node.at(), paths: texts(&list), report, on_failure });
        }
    }
    found
}

/// `cache`: one, or a list. <https://docs.gitlab.com/ci/yaml/#cache>
fn caches(layers: &Layers<'_, '_>, job: &str) -> Vec<Cache> {
    let list = layers.items();
    let one = layers.first().filter(|node| node.is_map());
    let texts = |node: Option<Node>| node.into_iter().flat_map(Node::list).filter_map(Node::str).map(str::to_string).collect::<Vec<_>>();
    let read = |node: Node| {
        let name = node.get("key");
        let prefix = name.and_then(|name| name.str().or_else(|| name.get("prefix")?.str()));
        let mut names: Vec<String> = prefix.map(str::to_string).into_iter().collect();
        names.extend(texts(node.get("fallback_keys")));
        let files = texts(name.and_then(|name| name.get("files")));
        Cache { at: node.at(), key: format!("{job}.cache"), names, files, paths: texts(node.get("paths")) }
    };
    list.into_iter().chain(one).filter(|node| node.get("paths").is_some() || node.get("untracked").is_some()).map(read).collect()
}

/// `3 hours 30 minutes`, `1h 30m`, `90m`, `5400` (seconds): minutes, rounded up.
fn minutes(text: &str) -> Option<u32> {
    let mut seconds = 0u64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let factor = match &rest[..letters] {
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(factor)?)?;
        rest = rest[letters..].trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    u32::try_from(seconds.div_ceil(60)).ok()
}

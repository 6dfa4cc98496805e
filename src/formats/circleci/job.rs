//! Jobs: each once, with everything that its invocations make of it.

use super::config::{Config, Found, Room};
use super::executor::{Place, add};
use super::frame::Frame;
use super::workflow::{self, Invocation};
use crate::ecosystems::orb;
use crate::model::facts::Facts;
use crate::model::pipeline::{Assignment, Job, Scope, Setting, Value};
use crate::model::reference::{Reference, ReferenceId};
use crate::model::script::Script;
use crate::model::span::Location;
use crate::model::text::Text;
use crate::syntax::tree::Node;
use std::collections::{HashMap, HashSet};

/// How many sets of arguments of one job are read.
const MAX_CALLS: usize = 64;

/// Reads the jobs of a configuration into facts.
pub struct Reader<'t, 'c> {
    pub config: &'c Config<'t>,
    pub facts: &'c mut Facts,
    /// References by place and text: jobs share executors and commands.
    references: HashMap<(Location, String), ReferenceId>,
    /// Scripts by place and text.
    pub scripts: HashMap<(Location, String), Script>,
    /// How much script was given to jobs.
    pub script_bytes: usize,
    /// How many steps were looked at.
    pub visits: usize,
    orbs: HashMap<String, ReferenceId>,
}

impl<'t, 'c> Reader<'t, 'c> {
    pub fn new(config: &'c Config<'t>, facts: &'c mut Facts) -> Reader<'t, 'c> {
        Reader {
            config,
            facts,
            references: HashMap::new(),
            scripts: HashMap::new(),
            script_bytes: 0,
            visits: 0,
            orbs: HashMap::new(),
        }
    }

    /// The jobs that workflows run, and those that none names.
    pub fn jobs(&mut self) -> (Vec<Job>, Vec<Job>) {
        self.orbs(self.config.root, "orbs", 0);
        let invocations = workflow::invocations(self.config);
        let room = self.config.room();
        let mut names: Vec<&str> = Vec::new();
        for invocation in &invocations {
            if !names.contains(&invocation.job) {
                names.push(invocation.job);
            }
        }
        let mut jobs = Vec::new();
        for name in names {
            let of: Vec<&Invocation<'t>> = invocations.iter().filter(|one| one.job == name).collect();
            jobs.extend(self.job(name, &of, room));
        }
        let used: HashSet<&str> = invocations.iter().map(|one| one.job).collect();
        let rest = self.config.root.get("jobs").into_iter().flat_map(Node::entries);
        let rest: Vec<&str> = rest.filter_map(|(name, _)| name.str()).filter(|name| !used.contains(name)).collect();
        let idle = rest.into_iter().filter_map(|name| self.job(name, &[], room)).collect();
        (jobs, idle)
    }

    /// The entries of `orbs`, those of inline orbs too.
    fn orbs(&mut self, node: Node<'t>, key: &str, depth: usize) {
        for (name, value) in node.get("orbs").into_iter().flat_map(Node::entries) {
            let Some(name) = name.str() else { continue };
            let key = format!("{key}.{name}");
            if value.is_map() && depth < 4 {
                self.orbs(value, &format!("{key}.orbs"), depth + 1);
            } else if let Some(text) = value.text()
                && let Some(reference) = orb::orb(&text, &key)
            {
                let id = self.facts.push(reference);
                self.orbs.insert(name.to_string(), id);
            }
        }
    }

    /// The orb of the registry with this name in the file.
    pub fn orb(&self, name: &str) -> Option<ReferenceId> {
        self.orbs.get(name).copied()
    }

    fn job(&mut self, name: &str, invocations: &[&Invocation<'t>], room: Room<'t>) -> Option<Job> {
        let entry = self.config.root.get("jobs").and_then(|jobs| jobs.entries().find(|(key, _)| key.str() == Some(name)));
        let at = entry.map(|(key, _)| key.at()).or_else(|| invocations.first().map(|one| one.at))?;
        let mut job = Job::new(name, format!("jobs.{name}"), at);
        match room.find("jobs", name) {
            Found::Here(node, room, key) => {
                job.key.clone_from(&key);
                self.calls(node, room, &key, invocations, &mut job);
            }
            Found::Orb(orb) => {
                job.calls = self.orb(orb);
                job.key = invocations.first().map_or(job.key, |one| one.key.clone());
            }
            Found::Nowhere => return None,
        }
        for invocation in invocations {
            self.around(invocation, &mut job);
        }
        let legs: usize = invocations.iter().map(|one| one.legs.len().max(1)).sum();
        job.legs = Some(legs.max(1));
        job.on_patch = if invocations.is_empty() { None } else { any(invocations.iter().map(|one| one.on_patch)) };
        Some(job)
    }

    /// Reads a job with each set of arguments that it is called with.
    fn calls(&mut self, node: Node<'t>, room: Room<'t>, key: &str, invocations: &[&Invocation<'t>], job: &mut Job) {
        let root = &self.config.frame.clone();
        let mut calls: Vec<Vec<(&'t str, Node<'t>, std::rc::Rc<Frame<'t>>)>> = Vec::new();
        for invocation in invocations {
            for leg in invocation.legs.iter().take(MAX_CALLS) {
                let caller = root.with_leg(leg);
                let given = invocation.arguments.iter().chain(leg.iter());
                calls.push(given.map(|(name, node)| (*name, *node, caller.clone())).collect());
            }
        }
        if calls.is_empty() || node.get("parameters").is_none() {
            calls = vec![Vec::new()];
        }
        calls.truncate(MAX_CALLS);
        for call in calls {
            let given: Vec<(&str, Node)> = call.iter().map(|(name, node, _)| (*name, *node)).collect();
            let caller = call.first().map_or(root, |(.., caller)| caller).clone();
            let frame = Frame::call(node.get("parameters"), &given, &caller, root);
            let place = Place { node, frame, key: key.to_string() };
            self.body(&place, room, invocations, job);
        }
    }

    fn body(&mut self, place: &Place<'t>, room: Room<'t>, invocations: &[&Invocation<'t>], job: &mut Job) {
        let executor = self.executor(place, room);
        if let Some(executor) = executor.as_ref().filter(|executor| executor.key != place.key) {
            self.machine(executor, job);
        }
        self.machine(place, job);
        self.all_steps(place, executor.as_ref(), room, invocations, job);
    }

    /// What the workflow gives a job: contexts, arguments, order.
    fn around(&mut self, invocation: &Invocation<'t>, job: &mut Job) {
        add(&mut job.needs, invocation.requires.clone());
        for (name, at, key) in &invocation.contexts {
            let value = Value::Secret { names: vec!["*".to_string()], whole: false, derived: false };
            let context = Assignment { name: name.clone(), value, scope: Scope::Job, at: *at, key: key.clone() };
            if !job.env.iter().any(|one| one.name == context.name && one.value == context.value) {
                job.env.push(context);
            }
        }
        for leg in &invocation.legs {
            let pairs = leg.iter().filter_map(|(name, node)| Some((name.to_string(), node.str()?.to_string())));
            add(&mut job.matrix, pairs.collect());
        }
        if job.calls.is_some() {
            let root = self.config.frame.clone();
            let inputs = invocation.arguments.iter().filter_map(|(name, node)| {
                let text = root.piece(*node)?;
                let value = crate::ecosystems::variable::value(&text.text, |_| false);
                let key = format!("{}.{name}", invocation.key);
                Some(Assignment { name: name.to_string(), value, scope: Scope::Input, at: node.at(), key })
            });
            job.inputs.extend(inputs);
        }
        if let Some((count, at)) = invocation.reruns {
            job.retry = Setting::Plain(count, at);
        }
    }

    /// The reference that was read at this place already.
    pub fn known(&self, place: &(Location, String)) -> Option<ReferenceId> {
        self.references.get(place).copied()
    }

    /// Adds a reference once per place and text.
    pub fn push(&mut self, place: (Location, String), reference: Reference) -> ReferenceId {
        let facts = &mut *self.facts;
        *self.references.entry(place).or_insert_with(|| facts.push(reference))
    }

    /// Reads a piece to a reference, once.
    pub fn once(&mut self, text: &Text, key: &str, read: impl Fn(&Text, &str) -> Reference) -> ReferenceId {
        let place = (text.at, text.text.clone());
        let reference = read(text, key);
        self.push(place, reference)
    }
}

/// Whether one of several holds; `None`: that cannot be seen.
pub fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

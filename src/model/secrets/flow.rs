//! Where secrets go in a script: which words, assignments and redirections carry one.
//!
//! A text carries a secret when it expands a variable that holds one, or when the system pastes one into it. Variables of the script itself
//! are followed through plain assignments and through substitutions that only reshape a text. Knows no value and no system's syntax beyond
//! the variables of its shells.

use super::expansion::{Expansion, expansions, gives_out, is_of};
use super::names::looks_secret;
use crate::model::container::Instruction;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::script::{Command, Nest, Script};
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::Text;
use std::collections::HashSet;
use std::sync::Arc;

/// A part of a command that carries a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    /// Which command of the script.
    pub command: usize,
    /// Which part of it.
    pub part: Part,
    /// The secrets, by name.
    pub secrets: Vec<String>,
    /// The variable that is expanded; `None` when the system pastes the secret.
    pub variable: Option<String>,
    /// Whether the text is one secret and nothing else.
    pub whole: bool,
    /// Whether the value was reshaped on its way, so that no mask knows it.
    pub derived: bool,
}

/// A part of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The word with this number, the program being 0.
    Word(usize),
    /// The assignment with this number.
    Assign(usize),
    /// The redirection with this number.
    Redirect(usize),
}

/// A script and where secrets go in it.
#[derive(Debug, Clone)]
pub struct Flow<'p> {
    /// The source whose facts hold it.
    pub source: SourceId,
    /// The pipeline and the job, when a step of one holds it.
    pub job: Option<(&'p Pipeline, &'p Job)>,
    /// The step, by number.
    pub step: Option<usize>,
    /// Whether it stands in an image build.
    pub in_build: bool,
    /// The script.
    pub script: &'p Script,
    /// Everything that carries a secret, in the order of the script.
    pub carries: Arc<[Carry]>,
}

impl<'p> Flow<'p> {
    /// The command of a carry.
    pub fn command(&self, carry: &Carry) -> &'p Command {
        &self.script.commands[carry.command]
    }

    /// The text of a carry.
    pub fn text(&self, carry: &Carry) -> &'p Text {
        text_of(self.command(carry), carry.part)
    }

    /// The step.
    pub fn step(&self) -> Option<&'p Step> {
        Some(&self.job?.1.steps[self.step?])
    }
}

fn text_of(command: &Command, part: Part) -> &Text {
    match part {
        Part::Word(index) => &command.words[index].text,
        Part::Assign(index) => &command.assigns[index].1,
        Part::Redirect(index) => &command.redirects[index].target.text,
    }
}

/// A variable that holds a secret.
#[derive(Debug, Clone)]
struct Holder {
    name: String,
    secrets: Vec<String>,
    whole: bool,
    derived: bool,
}

/// How many secrets of one text are looked at.
const MAX_EXPANSIONS: usize = 32;

/// What is known before a script begins.
#[derive(Debug, Clone, Default)]
struct Scene<'p> {
    holders: Vec<Holder>,
    /// Variables that are known to hold no secret.
    plain: Vec<String>,
    /// Whether a variable that nothing assigns holds a secret when its name says so: it comes from a server or a caller.
    by_name: bool,
    /// In the order of the text, secrets only.
    pasted: Vec<&'p Assignment>,
}

impl<'p> Scene<'p> {
    fn of_step(pipeline: &'p Pipeline, job: &'p Job, step: &'p Step) -> Scene<'p> {
        let mut pasted: Vec<&Assignment> =
            step.pasted.iter().filter(|one| matches!(one.value, Value::Secret { .. })).collect();
        pasted.sort_by_key(|one| one.at);
        let mut scene = Scene { by_name: pipeline.system.unseen_variables, pasted, ..Scene::default() };
        for assignment in step.env.iter().chain(&job.env).chain(&pipeline.env).filter(|one| one.scope != Scope::Input) {
            if scene.knows(&assignment.name) {
                continue;
            }
            match &assignment.value {
                Value::Secret { names, whole, derived } => scene.holders.push(Holder {
                    name: assignment.name.clone(),
                    secrets: names.clone(),
                    whole: *whole,
                    derived: *derived,
                }),
                // What an expression makes of other things is judged by its name where names are all there is.
                Value::Expression(_) if scene.by_name => {}
                _ => scene.plain.push(assignment.name.clone()),
            }
        }
        for token in pipeline.system.present.iter().filter(|token| looks_secret(token)) {
            if !scene.knows(token) {
                scene.hold(token, vec![token.to_string()], true, false);
            }
        }
        scene
    }

    fn knows(&self, name: &str) -> bool {
        self.holders.iter().any(|holder| holder.name == name) || self.plain.iter().any(|plain| plain == name)
    }

    fn hold(&mut self, name: &str, secrets: Vec<String>, whole: bool, derived: bool) {
        self.plain.retain(|plain| plain != name);
        self.holders.retain(|holder| holder.name != name);
        self.holders.push(Holder { name: name.to_string(), secrets, whole, derived });
    }

    fn clear(&mut self, name: &str) {
        self.holders.retain(|holder| holder.name != name);
        if !self.plain.iter().any(|plain| plain == name) {
            self.plain.push(name.to_string());
        }
    }

    /// What a variable holds, when that is a secret.
    fn holder(&self, name: &str) -> Option<Holder> {
        let known = self.holders.iter().find(|holder| is_of(name, &holder.name)).cloned();
        let by_name = || {
            let secret = self.by_name && !self.plain.iter().any(|plain| plain == name) && looks_secret(name);
            let (whole, derived) = (true, false);
            secret.then(|| Holder { name: name.to_string(), secrets: vec![name.to_string()], whole, derived })
        };
        known.or_else(by_name)
    }

    /// The secrets that a text carries.
    fn carried(&self, text: &Text) -> Option<Carry> {
        let mut carry: Option<Carry> = None;
        // What the script has a value for where nothing is set is no secret that a server keeps.
        let given = |found: &Expansion| self.knows(&found.name) || !found.has_default(&text.text);
        let held = expansions(&text.text).into_iter().filter(given);
        let held = held.filter_map(|found| Some((self.holder(&found.name)?, found)));
        // A text with more is none that a person wrote.
        for (holder, expansion) in held.take(MAX_EXPANSIONS).filter(|(_, found)| gives_out(&text.text, found.start)) {
            let whole = expansion.end - expansion.start == text.text.len();
            match &mut carry {
                Some(carry) => {
                    carry.derived |= holder.derived;
                    carry.secrets.extend(holder.secrets);
                    carry.secrets.dedup();
                }
                None => {
                    carry = Some(Carry {
                        command: 0,
                        part: Part::Word(0),
                        secrets: holder.secrets,
                        variable: Some(holder.name),
                        whole: whole && holder.whole,
                        derived: holder.derived,
                    });
                }
            }
        }
        if carry.is_some() {
            return carry;
        }
        let start = Location { span: Span::empty(text.at.span.start as usize), ..text.at };
        let first = self.pasted.partition_point(|one| one.at < start);
        let near = self.pasted[first..]
            .iter()
            .take_while(|one| one.at.source == text.at.source && one.at.span.start < text.at.span.end);
        let gives = |one: &&&Assignment| match text.verbatim {
            true => gives_out(&text.text, (one.at.span.start - text.at.span.start) as usize),
            // Where the place is lost, any pasted text of it may be the secret.
            false => {
                let mut pasted = text.text.match_indices("${{").peekable();
                pasted.peek().is_none() || pasted.any(|(at, _)| gives_out(&text.text, at))
            }
        };
        let inside = |one: &&&Assignment| text.at.span.contains(one.at.span);
        let pasted = near.filter(inside).find(gives)?;
        let Value::Secret { names, derived, .. } = &pasted.value else { return None };
        let whole = text.at.span == pasted.at.span;
        let secrets = names.clone();
        Some(Carry { command: 0, part: Part::Word(0), secrets, variable: None, whole, derived: *derived })
    }

    fn walk(mut self, script: &Script) -> Vec<Carry> {
        let mut carries = Vec::new();
        for (index, command) in script.commands.iter().enumerate() {
            let place = |carry: Carry, part: Part| Carry { command: index, part, ..carry };
            let words = command.words.iter().enumerate().filter(|(_, word)| word.expands);
            carries.extend(words.filter_map(|(at, word)| Some(place(self.carried(&word.text)?, Part::Word(at)))));
            for (at, redirect) in command.redirects.iter().enumerate() {
                let reads = redirect.operator.contains("<<");
                if reads && let Some(carry) = self.carried(&redirect.target.text) {
                    carries.push(place(carry, Part::Redirect(at)));
                }
            }
            for (at, (name, value)) in command.assigns.iter().enumerate() {
                let carry = self.assigned(value);
                carries.extend(carry.clone().map(|carry| place(carry, Part::Assign(at))));
                // One before a program is for that program alone.
                if command.words.is_empty() {
                    self.note(name, carry, command);
                }
            }
            self.declared(command);
        }
        carries
    }

    /// `export X=…`, `local X=…`, `read X`.
    fn declared(&mut self, command: &Command) {
        let Some(program) = command.words.first().map(|word| word.text.text.as_str()) else { return };
        if !matches!(program, "export" | "local" | "declare" | "typeset" | "readonly" | "read") {
            return;
        }
        for word in command.words[1..].iter().filter(|word| !word.text.text.starts_with('-')) {
            match word.text.text.split_once('=') {
                Some((name, value)) => {
                    let start = name.len() + 1;
                    let value = Text {
                        text: value.to_string(),
                        at: word.text.place(start..word.text.text.len()),
                        verbatim: false,
                    };
                    let carry = if word.expands { self.assigned(&value) } else { None };
                    self.note(name, carry, command);
                }
                None if program == "read" => self.clear(&word.text.text),
                None => {}
            }
        }
    }

    /// What an assigned value carries: substitutions only when they do nothing but reshape a text.
    fn assigned(&self, value: &Text) -> Option<Carry> {
        let mut carry = self.carried(value)?;
        if let Some((_, inner)) = value.text.split_once("$(").or_else(|| value.text.split_once('`')) {
            let mut programs = inner.split('|').filter_map(|part| part.split_whitespace().next());
            carry.derived |= programs.any(|program| RESHAPES.contains(&program));
            carry.whole = false;
        }
        Some(carry)
    }

    fn note(&mut self, name: &str, carry: Option<Carry>, command: &Command) {
        match carry {
            Some(carry) => self.hold(name, carry.secrets, carry.whole, carry.derived),
            // In a branch or a loop the old value may stay.
            None if command.nesting.iter().any(|nest| matches!(nest, Nest::Branch | Nest::Loop)) => {
                if !self.knows(name) {
                    self.clear(name);
                }
            }
            None => self.clear(name),
        }
    }
}

/// Programs that give out what they are given.
pub const COPIES: &[&str] = &["echo", "printf", "cat", "tee"];

/// Programs that make another text of it.
pub const RESHAPES: &[&str] =
    &["base64", "jq", "cut", "sed", "tr", "awk", "head", "tail", "xxd", "rev", "openssl", "yq", "grep"];

/// Where secrets go in a step of a job; `None` when it runs no script.
pub fn of_step<'p>(pipeline: &'p Pipeline, job: &'p Job, index: usize) -> Option<Flow<'p>> {
    let way = Way::of_step(pipeline, job, index)?;
    Some(way.flow(way.carries(Vec::new()).into()))
}

impl Project {
    /// Every script that CI runs, as far as files tell, and where secrets go in it: steps of jobs and of composite actions, scripts that
    /// they call, image builds. Only those in which some go somewhere.
    pub fn flows(&self) -> Vec<Flow<'_>> {
        let kept = self.derived.carries.get_or_init(|| {
            let carrying = self.ways().enumerate().filter_map(|(number, way)| {
                let alone = way.step.is_none() && !way.in_build;
                let plain = if alone { self.plain_in_callers(way.source) } else { Vec::new() };
                let carries = way.carries(plain);
                (!carries.is_empty()).then(|| (number as u32, carries.into()))
            });
            carrying.collect()
        });
        let mut kept = kept.iter().peekable();
        let ways = self.ways().enumerate();
        let flows = ways.filter_map(|(number, way)| {
            let (_, carries) = kept.next_if(|(kept, _)| *kept == number as u32)?;
            Some(way.flow(carries.clone()))
        });
        flows.collect()
    }

    /// Variables that jobs which run a script write out for it, with no secret of that name in any of them.
    fn plain_in_callers(&self, source: SourceId) -> Vec<String> {
        let jobs = self.reached_by(source).iter().filter_map(|reach| self.gate.jobs.get(&reach.who));
        let (mut plain, mut other) = (HashSet::new(), HashSet::new());
        for &(source, pipeline, job) in jobs {
            let pipeline = &self.facts_of(source).pipelines[pipeline];
            let job = &pipeline.jobs[job];
            for one in pipeline.env.iter().chain(&job.env).chain(job.steps.iter().flat_map(|step| &step.env)) {
                match one.value {
                    Value::Literal(_) => plain.insert(one.name.as_str()),
                    _ => other.insert(one.name.as_str()),
                };
            }
        }
        plain.difference(&other).map(|name| name.to_string()).collect()
    }

    /// Every script that CI runs, in the order of the sources.
    fn ways(&self) -> impl Iterator<Item = Way<'_>> {
        self.facts.iter().filter_map(|facts| Some((facts, facts.source?))).flat_map(|(facts, source)| {
            let pipelines = facts.pipelines.iter().chain(&facts.components);
            let jobs = pipelines.flat_map(|pipeline| pipeline.jobs.iter().map(move |job| (pipeline, job)));
            let steps = jobs.flat_map(|(pipeline, job)| (0..job.steps.len()).map(move |index| (pipeline, job, index)));
            let steps = steps.filter_map(|(pipeline, job, index)| Way::of_step(pipeline, job, index));
            let ci = self.reached_by(source).iter().any(|reach| reach.ci);
            let way = move |script, in_build| Way { source, step: None, in_build, script };
            let alone = facts.scripts.iter().filter(move |_| ci).map(move |(_, script)| way(script, false));
            let stages = facts.builds.iter().flat_map(|build| &build.stages).flat_map(|stage| &stage.instructions);
            let builds = stages.filter_map(move |instruction| match instruction {
                Instruction::Run { script, .. } => Some(way(script, true)),
                _ => None,
            });
            steps.chain(alone).chain(builds)
        })
    }
}

/// A script and who runs it.
#[derive(Clone, Copy)]
struct Way<'p> {
    source: SourceId,
    step: Option<(&'p Pipeline, &'p Job, usize)>,
    in_build: bool,
    script: &'p Script,
}

impl<'p> Way<'p> {
    fn of_step(pipeline: &'p Pipeline, job: &'p Job, index: usize) -> Option<Way<'p>> {
        let StepKind::Run(script) = &job.steps[index].kind else { return None };
        Some(Way { source: script.at.source, step: Some((pipeline, job, index)), in_build: false, script })
    }

    /// `plain` are variables of a script of its own that are known to hold no secret.
    fn carries(self, plain: Vec<String>) -> Vec<Carry> {
        let scene = match self.step {
            Some((pipeline, job, index)) => Scene::of_step(pipeline, job, &job.steps[index]),
            None => Scene { by_name: true, plain, ..Scene::default() },
        };
        scene.walk(self.script)
    }

    fn flow(self, carries: Arc<[Carry]>) -> Flow<'p> {
        let Way { source, step, in_build, script } = self;
        let job = step.map(|(pipeline, job, _)| (pipeline, job));
        Flow { source, job, step: step.map(|(.., index)| index), in_build, script, carries }
    }
}

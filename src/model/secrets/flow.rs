//! Where secrets go in a script: which words, assignments and redirections carry one, and what is kept for later steps.
//!
//! A text carries a secret when it expands a variable that holds one, or when the system pastes one into it. Variables of the script itself
//! are followed through plain assignments and through substitutions that only reshape a text. Knows no value and no system's syntax beyond
//! the variables of its shells.

use super::expansion::{expands, expansions, gives_out};
use super::names::looks_secret;
use crate::model::container::Instruction;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::script::{Command, Join, Nest, Script, Word};
use crate::model::span::{Location, SourceId};
use crate::model::text::Text;
use std::collections::HashMap;
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
        let known = self.holders.iter().find(|holder| holder.name == name).cloned();
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
        let held = expansions(&text.text).into_iter().filter_map(|found| Some((self.holder(&found.name)?, found)));
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
        let first = self.pasted.partition_point(|one| {
            one.at
                < crate::model::span::Location {
                    span: crate::model::span::Span::empty(text.at.span.start as usize),
                    ..text.at
                }
        });
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

/// Where something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sink {
    /// The environment of later steps.
    Environment,
    /// The outputs of the step.
    Output,
    /// A profile that every shell reads.
    Profile,
    /// A file outside of the workspace.
    Private,
    /// A file in the workspace.
    Workspace,
}

/// A secret that a step keeps for later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it goes.
    pub sink: Sink,
    /// The name it gets, as far as it can be seen; else `*`.
    pub variable: String,
    /// The secrets, by name.
    pub secrets: Vec<String>,
    /// Whether it is kept as it is.
    pub whole: bool,
    /// Whether the value was reshaped.
    pub derived: bool,
    /// Whether the log is told to hide it.
    pub masked: bool,
    /// The path, where it goes to a file.
    pub path: String,
    /// Which command.
    pub command: usize,
    /// Where the command stands.
    pub at: Location,
}

/// Where secrets go in a step of a job; `None` when it runs no script.
pub fn of_step<'p>(pipeline: &'p Pipeline, job: &'p Job, index: usize) -> Option<Flow<'p>> {
    let way = Way::of_step(pipeline, job, index)?;
    Some(way.flow(way.carries().into()))
}

/// What a step keeps for later.
pub fn persisted(pipeline: &Pipeline, job: &Job, index: usize) -> Vec<Kept> {
    of_step(pipeline, job, index).map(|flow| kept(&flow)).unwrap_or_default()
}

/// What a script keeps for later.
pub fn kept(flow: &Flow) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    let masks = masks(flow);
    for carry in flow.carries.iter() {
        // What stands inside of `$( )` is given to the command around it, which carries it too.
        let command = flow.command(carry);
        if command.nesting.contains(&Nest::Substitution) || matches!(carry.part, Part::Assign(_)) {
            continue;
        }
        let Some(program) = command.words.first() else { continue };
        let hands_on =
            ["echo", "printf", "cat", "tee", "write-output", "write-host", "add-content", "out-file", "set-content"];
        let lower = program.text.text.to_ascii_lowercase();
        let text = flow.text(carry);
        if let Some(kept) = set_by(flow, carry) {
            all.push(kept);
            continue;
        }
        let said = hands_on.contains(&lower.as_str()) || lower.starts_with(['"', '$']) || program.quoted;
        if !said {
            continue;
        }
        let mut end = carry.command;
        let mut derived = carry.derived;
        // The last command of the pipe is the one whose output is kept; each of them has to hand the text on.
        let mut lost = false;
        while flow.script.commands[end].join == Join::Pipe && redirect_of(&flow.script.commands[end]).is_none() {
            let Some(next) = flow.script.next(end) else { break };
            end = next;
            let name = flow.script.commands[end].words.first().map_or("", |word| word.text.text.as_str());
            let lower = name.to_ascii_lowercase();
            derived |= RESHAPES.contains(&lower.as_str());
            lost |= !(RESHAPES.contains(&lower.as_str())
                || COPIES.contains(&lower.as_str())
                || hands_on.contains(&lower.as_str())
                || lower == "sudo");
        }
        if lost {
            continue;
        }
        let last = &flow.script.commands[end];
        let system = flow.job.map(|(pipeline, _)| pipeline.system);
        let words = system.map(|system| system.secrets);
        let set = words.and_then(|words| words.setters.iter().find(|setter| text.text.contains(**setter)));
        let (sink, path) = match (set, target(last)) {
            (Some(_), _) => (Sink::Environment, String::new()),
            (None, Some(target)) => (sink_of(&target.text.text, flow), target.text.text.clone()),
            (None, None) => continue,
        };
        let masked = words.is_some_and(|words| {
            !words.setter_masks.is_empty() && set.is_some() && text.text.contains(words.setter_masks)
        });
        let file = matches!(sink, Sink::Private | Sink::Workspace | Sink::Profile);
        let Some((variable, whole)) =
            (if file { Some(("*".to_string(), carry.whole)) } else { named(&text.text, carry) })
        else {
            continue;
        };
        all.push(Kept {
            sink,
            variable,
            secrets: carry.secrets.clone(),
            whole,
            derived,
            masked: masked || masks.get(&carry.variable.as_deref()).is_some_and(|from| *from < carry.command),
            path,
            command: carry.command,
            at: command.at,
        });
    }
    all.dedup_by(|a, b| a.command == b.command && a.sink == b.sink && a.secrets == b.secrets);
    all
}

/// What a command of the system keeps that sets a value by its arguments (`buildkite-agent meta-data set NAME VALUE`).
fn set_by(flow: &Flow, carry: &Carry) -> Option<Kept> {
    let command = flow.command(carry);
    if !is_setter(flow, command) {
        return None;
    }
    Some(Kept {
        sink: Sink::Output,
        variable: "*".to_string(),
        secrets: carry.secrets.clone(),
        whole: carry.whole,
        derived: carry.derived,
        masked: false,
        path: String::new(),
        command: carry.command,
        at: command.at,
    })
}

/// Whether a command is one by which its system keeps a value for later steps.
pub fn is_setter(flow: &Flow, command: &Command) -> bool {
    let Some((pipeline, _)) = flow.job else { return false };
    let mut words = command.words.iter().map(|word| word.text.text.as_str());
    pipeline
        .system
        .secrets
        .setters
        .iter()
        .any(|setter| setter.contains(' ') && setter.split(' ').all(|part| words.next() == Some(part)))
}

fn redirect_of(command: &Command) -> Option<&Word> {
    let out = command.redirects.iter().rev().find(|redirect| {
        redirect.operator.contains('>') && !redirect.operator.starts_with('2') && !redirect.operator.contains('&')
    });
    out.map(|redirect| &redirect.target)
}

/// The file that the output of a command goes to.
fn target(command: &Command) -> Option<&Word> {
    if let Some(word) = redirect_of(command) {
        return Some(word);
    }
    let program = command.words.iter().position(|word| {
        ["tee", "out-file", "add-content", "set-content"].contains(&word.text.text.to_ascii_lowercase().as_str())
    })?;
    command.words[program + 1..].iter().find(|word| !word.text.text.starts_with('-'))
}

fn sink_of(path: &str, flow: &Flow) -> Sink {
    let words = flow.job.map(|(pipeline, _)| pipeline.system.secrets);
    let names = |list: &[&str]| list.iter().any(|name| expands(path, name) || path.contains(&format!("%{name}%")));
    let begins = |list: &[&str]| list.iter().any(|start| path.starts_with(start));
    let profiles = [".bashrc", ".profile", ".bash_profile", ".zshrc", "/etc/environment", "/etc/profile"];
    match words {
        Some(words) if names(words.persists) => Sink::Environment,
        Some(words) if names(words.outputs) => Sink::Output,
        _ if profiles.iter().any(|profile| path.ends_with(profile)) => Sink::Profile,
        Some(words) if begins(words.workspace) => Sink::Workspace,
        Some(words) if begins(words.private) => Sink::Private,
        None if begins(crate::model::dialect::SecretWords::PLAIN.private) => Sink::Private,
        // A path in a variable may be anywhere; an absolute one is not in the workspace.
        _ if path.starts_with(['/', '$', '%', '&']) => Sink::Private,
        _ => Sink::Workspace,
    }
}

/// The name before the `=`, and whether only the secret stands after it; `None` when the secret is not in the value.
fn named(text: &str, carry: &Carry) -> Option<(String, bool)> {
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    if let Some((_, rest)) = text.split_once("variable=").or_else(|| text.split_once("name=")) {
        let name = rest.split([';', ']', ':', ' ']).next().unwrap_or("");
        return Some((if plain(name) { name.to_string() } else { "*".to_string() }, false));
    }
    // Of several lines the one with the secret.
    let mut name = "*".to_string();
    for line in text.lines() {
        let value = match line.split_once('=') {
            Some((before, value)) if plain(before.trim()) => {
                name = before.trim().to_string();
                value
            }
            _ => line,
        };
        let inside = match &carry.variable {
            Some(variable) => expands(value, variable),
            None => value.contains("${{") || value.contains("$(") || value.contains("<<"),
        };
        if inside {
            let whole = carry
                .variable
                .as_ref()
                .is_some_and(|variable| value == format!("${variable}") || value == format!("${{{variable}}}"));
            return Some((name, whole && carry.whole));
        }
    }
    None
}

/// From which command on the log hides a secret, by the variable that it was told with.
fn masks<'f>(flow: &'f Flow) -> HashMap<Option<&'f str>, usize> {
    let mut masks = HashMap::new();
    for carry in flow.carries.iter().filter(|carry| flow.text(carry).text.contains("::add-mask::")) {
        masks.entry(carry.variable.as_deref()).or_insert(carry.command);
    }
    masks
}

impl Project {
    /// Every script that CI runs, as far as files tell, and where secrets go in it: steps of jobs and of composite actions, scripts that
    /// they call, image builds. Only those in which some go somewhere.
    pub fn flows(&self) -> Vec<Flow<'_>> {
        let kept = self.derived.carries.get_or_init(|| {
            let carrying = self.ways().enumerate().filter_map(|(number, way)| {
                let carries = way.carries();
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

    fn carries(self) -> Vec<Carry> {
        let scene = match self.step {
            Some((pipeline, job, index)) => Scene::of_step(pipeline, job, &job.steps[index]),
            None => Scene { by_name: true, ..Scene::default() },
        };
        scene.walk(self.script)
    }

    fn flow(self, carries: Arc<[Carry]>) -> Flow<'p> {
        let Way { source, step, in_build, script } = self;
        let job = step.map(|(pipeline, job, _)| (pipeline, job));
        Flow { source, job, step: step.map(|(.., index)| index), in_build, script, carries }
    }
}

/// Programs that a step uses which does nothing but put a secret into a file.
const QUIET: &[&str] = &[
    "umask",
    "mkdir",
    "install",
    "printf",
    "echo",
    "cat",
    "base64",
    "chmod",
    "chown",
    "touch",
    "rm",
    "set",
    "export",
    "true",
    ":",
    "tee",
    "mktemp",
    "mv",
    "cp",
    "test",
    "[",
    "[[",
    "trap",
    "exit",
    "tr",
    "sudo",
    "cd",
    "gunzip",
    "gpg",
    "ssh-keyscan",
];

/// Whether a step does nothing but put its secrets into files (and perhaps names their paths to later steps): the variable lives as long as
/// a few harmless commands.
pub fn materialises(flow: &Flow) -> bool {
    let program = |command: &Command| command.words.first().map_or("", |word| word.text.text.as_str()).to_string();
    let quiet = flow.script.commands.iter().all(|command| {
        let name = program(command);
        name.is_empty() || QUIET.contains(&name.rsplit('/').next().unwrap_or(&name))
    });
    let kept = kept(flow);
    let filed = |carry: &Carry| {
        kept.iter().any(|kept| kept.command == carry.command && matches!(kept.sink, Sink::Private | Sink::Workspace))
    };
    let asked = |carry: &Carry| matches!(program(flow.command(carry)).as_str(), "test" | "[" | "[[");
    let masked = |carry: &Carry| flow.text(carry).text.contains("::add-mask::");
    let local = |carry: &Carry| matches!(carry.part, Part::Assign(_)) && flow.command(carry).words.is_empty();
    let inner = |carry: &Carry| flow.command(carry).nesting.contains(&Nest::Substitution);
    quiet
        && kept.iter().any(|kept| matches!(kept.sink, Sink::Private | Sink::Workspace))
        && flow
            .carries
            .iter()
            .all(|carry| filed(carry) || asked(carry) || masked(carry) || local(carry) || inner(carry))
}

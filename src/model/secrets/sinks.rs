//! What a script keeps of its secrets for later steps: in the environment, in outputs, in profiles, in files. Knows the words of its system
//! and no rule.

use super::expansion::expands;
use super::flow::{COPIES, Carry, Flow, Part, RESHAPES, of_step};
use crate::model::dialect::SecretWords;
use crate::model::pipeline::{Job, Pipeline};
use crate::model::script::{Command, Join, Nest, Word};
use crate::model::span::Location;
use std::collections::HashMap;

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
        None if begins(SecretWords::PLAIN.private) => Sink::Private,
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

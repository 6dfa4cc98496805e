//! Recipes of task runners (make, just, tox): lines that are run one after the other, each by a shell or process of its own, until one
//! fails. Knows none of their file formats.

use super::read_script;
use crate::model::facts::Facts;
use crate::model::script::{Command, Deed, Join, Script, Shell, Word};
use crate::model::span::Location;
use crate::model::text::{Mapped, Text};

/// A line of a recipe.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the shell gets.
    pub text: Mapped,
    /// Whether its failure is ignored (the prefix `-`).
    pub tolerated: bool,
}

/// A recipe.
#[derive(Debug, Clone)]
pub struct Recipe<'a> {
    /// The runner: `make`, `just`, `tox`.
    pub tool: &'a str,
    /// Entries of the same runner that run before it.
    pub needs: Vec<Text>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// The shell of each line.
    pub shell: Shell,
    /// Where it stands.
    pub at: Location,
    /// The folder it runs in, relative to the project root.
    pub cwd: &'a str,
    /// Structural key path.
    pub key: &'a str,
}

/// Reads a recipe as one script. A failing line stops it, whatever the flags of the shell of that line say.
pub fn read_recipe(recipe: Recipe, facts: &mut Facts) -> Script {
    let mut commands = Vec::new();
    if let Some(first) = recipe.needs.first() {
        let entries = recipe.needs.iter().map(|text| text.text.clone()).collect();
        commands.push(runs(first.at, recipe.tool, entries));
    }
    for (index, line) in recipe.lines.iter().enumerate() {
        let key = format!("{}[{index}]", recipe.key);
        let mut part = read_script(&line.text, recipe.shell, recipe.cwd, &key, facts).commands;
        part.iter_mut().for_each(|command| keep_place(command, line.text.at));
        stop_at_failure(&mut part);
        if line.tolerated {
            tolerate(&mut part);
        }
        commands.append(&mut part);
    }
    Script { at: recipe.at, shell: recipe.shell, commands, cwd: recipe.cwd.to_string() }
}

/// A command without words that runs entries of a runner.
pub fn runs(at: Location, tool: &str, entries: Vec<String>) -> Command {
    let deeds = vec![Deed::RunEntry { tool: tool.to_string(), entries }];
    Command {
        at,
        assigns: Vec::new(),
        words: Vec::new(),
        redirects: Vec::new(),
        join: Join::End,
        nesting: Vec::new(),
        shell: Shell::ERREXIT,
        cwd: Some(String::new()),
        deeds,
    }
}

/// A command that begins in the line and ends in a variable's value has no place as a whole: it stands at its line.
fn keep_place(command: &mut Command, line: Location) {
    if command.at.span.is_empty() || !line.span.contains(command.at.span) {
        command.at = line;
    }
}

/// The list that decides the exit code of a line stops the recipe when it fails.
fn stop_at_failure(commands: &mut [Command]) {
    let mut last = true;
    for command in commands.iter_mut().rev().filter(|command| command.nesting.is_empty()) {
        let ends = matches!(command.join, Join::End | Join::Semicolon | Join::Background);
        if ends && !last {
            return;
        }
        command.shell.errexit = true;
        last = false;
    }
}

/// The failure of the line is ignored, as if `|| true` stood behind it.
fn tolerate(commands: &mut Vec<Command>) {
    let Some(last) = commands.iter().rposition(|command| command.nesting.is_empty()) else { return };
    let at = commands[last].at.at_end();
    let mut truth = runs(at, "", Vec::new());
    truth.deeds.clear();
    let text = Text { text: "true".to_string(), at, verbatim: false };
    truth.words = vec![Word { text, expands: false, quoted: false }];
    commands[last].join = Join::Or;
    commands.push(truth);
}

//! # What it finds
//!
//! A whole context of the CI system that is printed: `echo '${{ toJSON(github) }}'`, `toJSON(env)`, `toJSON(needs)`, `toJSON(steps)`, also by
//! way of a variable.
//!
//! # Why
//!
//! A context holds more than its readers think of: that of the run holds the job's token, that of the environment holds every secret that a
//! workflow or job put there.
//!
//! # What is not a finding
//!
//! - `toJSON(matrix)`, `toJSON(strategy)`, `toJSON(inputs)`, one entry of a context (`toJSON(github.event.inputs)`).
//! - Contexts that are handed to a program and not printed.
//! - `toJSON(secrets)`: `secret-env-bulk` speaks of it.
//!
//! # What to do
//!
//! Print the entries that are needed.
//!
//! # Levels
//!
//! `info` (`warning` in `strict`); `error` for the environment while a secret is in it, and when the text goes to a file that is kept.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: echo "$CONTEXT"
//!         env:
//!           CONTEXT: ${{ toJSON(github) }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! env:
//!   T: ${{ secrets.DEPLOY_KEY }}
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: echo '${{ toJSON(env) }}'
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           echo '${{ toJSON(matrix) }}' '${{ toJSON(github.event.inputs) }}'
//!           ./decide "$CONTEXT"
//!         env:
//!           CONTEXT: ${{ toJSON(github) }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 16 findings in 1 of them.

use crate::model::finding::{Findings, Remedy};
use crate::model::kept;
use crate::model::pipeline::{Job, Pipeline, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Script};
use crate::model::secrets::expansion::expands;
use crate::model::secrets::runners::Sorted;
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "env-dump-context",
    group: Group::Secret,
    summary: "a whole context of the CI system is printed",
    levels: &[
        ("context", levels(Info, Warning, Warning)),
        ("secret", levels(Error, Error, Error)),
        ("kept", levels(Error, Error, Error)),
    ],
    since: "0.1.0",
    check,
};

/// Programs that print what they are given.
const PRINT: &[&str] = &["echo", "printf", "cat", "tee", "jq", "write-host", "write-output"];

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for job in &pipeline.jobs {
                for (index, step) in job.steps.iter().enumerate() {
                    of_step(project, pipeline, job, index, step, findings);
                }
            }
        }
    }
}

/// A context in a step: where it stands, and the variable that holds it.
struct Held<'p> {
    expression: &'static str,
    holds: &'static str,
    at: Location,
    variable: Option<&'p str>,
}

fn of_step(project: &Project, pipeline: &Pipeline, job: &Job, index: usize, step: &Step, findings: &mut Findings) {
    let contexts = pipeline.system.secrets.contexts;
    let context = |value: &Value| {
        let Value::Expression(text) = value else { return None };
        let plain: String = text.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
        contexts.iter().find(|(expression, _)| plain.contains(expression))
    };
    let scopes = step.env.iter().chain(&job.env).chain(&pipeline.env);
    let in_env = scopes.filter_map(|one| context(&one.value).map(|found| (found, one.at, Some(one.name.as_str()))));
    let pasted = step.pasted.iter().filter_map(|one| context(&one.value).map(|found| (found, one.at, None)));
    for ((expression, holds), at, variable) in in_env.chain(pasted) {
        let held = Held { expression, holds, at, variable };
        if let Some(place) = printed(step, &held) {
            report(project, (pipeline, job, index), &held, place, findings);
            return;
        }
    }
}

/// The command that prints it; a script of a component counts when it says `console.log`.
enum Place<'p> {
    Command(&'p Script, usize),
    Input(Location),
}

fn printed<'p>(step: &'p Step, held: &Held) -> Option<Place<'p>> {
    match &step.kind {
        StepKind::Run(script) => {
            let prints = |command: &&Command| {
                let program = command.words.first().map_or(String::new(), |word| word.text.text.to_ascii_lowercase());
                PRINT.contains(&program.as_str()) && speaks(command, held)
            };
            let at = script.commands.iter().position(|command| prints(&command))?;
            Some(Place::Command(script, at))
        }
        StepKind::Uses { inputs, .. } => {
            let text = inputs.iter().find(|input| input.name == "script")?;
            let logs = match &text.value {
                Value::Literal(text) | Value::Expression(text) => text.contains("console.") || text.contains("core.info"),
                Value::Secret { .. } => false,
            };
            (logs && held.variable.is_none()).then_some(Place::Input(held.at))
        }
        StepKind::Other => None,
    }
}

fn speaks(command: &Command, held: &Held) -> bool {
    match held.variable {
        Some(variable) => {
            let words = command.words.iter().chain(command.redirects.iter().map(|one| &one.target));
            words.into_iter().any(|word| expands(&word.text.text, variable))
        }
        None => command.at.source == held.at.source && command.at.span.contains(held.at.span),
    }
}

fn report(project: &Project, around: (&Pipeline, &Job, usize), held: &Held, place: Place, findings: &mut Findings) {
    let (pipeline, job, index) = around;
    let file = match place {
        Place::Command(script, at) => {
            let pipe = std::iter::once(at).chain(script.pipe_from(at)).flat_map(|at| &script.commands[at].redirects);
            let mut outputs = pipe.filter(|one| one.operator.starts_with('>') && !one.target.text.text.starts_with('&'));
            outputs.next().map(|one| one.target.text.text.clone())
        }
        Place::Input(_) => None,
    };
    let sent = file.as_ref().and_then(|file| kept::kept(project, job, index, file));
    // What is written to a file and not kept is no print.
    if file.is_some() && sent.is_none() {
        return;
    }
    let at = match place {
        Place::Command(script, at) => script.commands[at].at,
        Place::Input(at) => at,
    };
    let secrets = held.expression.contains("(env)") && !Sorted::of(project, project.secrets_at(pipeline, job, index)).secrets.is_empty();
    let kind = match sent {
        Some(_) => "kept",
        None if secrets => "secret",
        None => "context",
    };
    let expression = held.expression.replace("tojson", "toJSON");
    let whither = sent.map_or("is printed".to_string(), |(_, what)| format!("{what}, where no mask applies"));
    let message = format!("`{expression}` {whither}: it holds {}", held.holds);
    let help = "print the entries that are needed, or run `pinguard env-report`";
    let finding = Findings::finding(&RULE, kind, at, message).help(help).about(&job.steps[index].key, expression);
    findings.push(finding.remedy(Remedy::Guide(help.to_string())));
}

//! # What it finds
//!
//! A value made from a secret that no mask knows: a field of a JSON secret (`fromJSON(secrets.X).field`) in a variable, the output of
//! `base64`, `jq`, `cut`, `sed` or `tr` over a secret that is printed or kept for later steps.
//!
//! # Why
//!
//! Masks know the exact text of a secret and nothing made from it. GitHub prints the variables of a step before it runs: a field of
//! a JSON secret then stands in the log in clear, without anybody asking.
//!
//! # What is not a finding
//!
//! - Two whole secrets joined by plain text: each half is still masked.
//! - The whole of a JSON secret as an input (`credentials_json: ${{ secrets.X }}`).
//! - What is decoded into a file or another program: `printf '%s' "$X" | base64 -d > "$RUNNER_TEMP/key"`.
//! - A value that the log is told to mask first (`::add-mask::`).
//!
//! # What to do
//!
//! Store each part as a secret of its own. Where the value is made in a step, mask it before it goes anywhere (`echo "::add-mask::$VALUE"`),
//! or write it to a file.
//!
//! # Levels
//!
//! `error` where the system prints variables, else `warning`, `error` in `strict` and `audit`. What a script makes and prints or keeps:
//! `warning`, `error`, `error`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./deploy
//!         env:
//!           PASSWORD: ${{ fromJSON(secrets.ACCOUNT).password }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           KEY=$(echo "$BLOB" | base64 -d)
//!           echo "KEY=$KEY" >> "$GITHUB_ENV"
//!         env:
//!           BLOB: ${{ secrets.BLOB }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: echo "$BLOB" | base64
//!         env:
//!           BLOB: ${{ secrets.BLOB }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           printf '%s' "$BLOB" | base64 -d > "$RUNNER_TEMP/key"
//!           echo "$BLOB" | base64 -d | gpg --import
//!         env:
//!           BLOB: ${{ secrets.BLOB }}
//!           PAIR: ${{ secrets.USER_NAME }}:${{ secrets.PASSWORD }}
//!       - uses: google-github-actions/auth@v2
//!         with:
//!           credentials_json: ${{ secrets.GCP }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 11 further ones: 0. Left alone, read by eye: 10.
//! Ledger: `docs/evidence/secret-derived-unmasked.tsv`.

use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Pipeline, Scope, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Join, Nest};
use crate::model::secrets::flow::{Flow, RESHAPES};
use crate::model::secrets::sinks::{self, Sink};
use crate::model::secrets::place::listed;
use crate::model::secrets::{Harm, Weight};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-derived-unmasked",
    group: Group::Secret,
    summary: "a value made from a secret goes where no mask knows it",
    levels: &[
        ("shown", levels(Error, Error, Error)),
        ("variable", levels(Warning, Error, Error)),
        ("script", levels(Warning, Error, Error)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            variables(project, pipeline, findings);
        }
    }
    for flow in project.flows().iter().filter(|flow| !flow.in_build) {
        kept(project, flow, findings);
        printed(project, flow, findings);
    }
}

/// Parts of a secret in variables.
fn variables(project: &Project, pipeline: &Pipeline, findings: &mut Findings) {
    let jobs = pipeline.jobs.iter().flat_map(|job| {
        let services = job.services.iter().flat_map(|service| &service.env);
        job.env.iter().chain(services).chain(job.steps.iter().flat_map(|step| &step.env))
    });
    for one in pipeline.env.iter().chain(jobs).filter(|one| one.scope != Scope::Input) {
        let Value::Secret { names, derived: true, .. } = &one.value else { continue };
        if project.worst(names.iter().map(String::as_str)) == Harm::None {
            continue;
        }
        let (kind, shown) = match pipeline.system.secrets.shows_variables {
            true => ("shown", "prints it before the step runs"),
            false => ("variable", "cannot mask it"),
        };
        findings.push(report(kind, one, names, pipeline.system.name, shown));
    }
}

fn report(kind: &str, one: &Assignment, names: &[String], system: &str, shown: &str) -> crate::model::finding::Finding {
    let message = format!(
        "`{}` is made from {}, so no mask knows it, and {system} {shown}",
        one.name,
        listed(names.iter().map(String::as_str))
    );
    Findings::finding(&RULE, kind, one.at, message)
        .help("store this part as a secret of its own, or give the whole to the component that reads it as an input")
        .about(&one.key, names.join(" "))
}

/// Values that a script makes and keeps for later steps.
fn kept(project: &Project, flow: &Flow, findings: &mut Findings) {
    for kept in sinks::kept(flow) {
        let goes_on = matches!(kept.sink, Sink::Environment | Sink::Output);
        if kept.derived && goes_on && !kept.masked {
            let place = if kept.sink == Sink::Output { "an output" } else { "the environment of later steps" };
            push(project, flow, &kept.secrets, kept.command, place, findings);
        }
    }
}

/// Values that a script makes and prints.
fn printed(project: &Project, flow: &Flow, findings: &mut Findings) {
    for carry in flow.carries.iter() {
        let command = flow.command(carry);
        let program = command.words.first().map_or("", |word| word.text.text.as_str());
        let says = matches!(program, "echo" | "printf" | "cat");
        if !says || command.join != Join::Pipe || command.nesting.contains(&Nest::Substitution) || flow.text(carry).text.contains("::add-mask::") {
            continue;
        }
        let rest: Vec<_> = flow.script.pipe_from(carry.command).into_iter().map(|at| &flow.script.commands[at]).collect();
        let reshapes = |command: &&crate::model::script::Command| {
            let name = command.words.first().map_or("", |word| word.text.text.as_str());
            RESHAPES.contains(&name) && name != "grep" && !command.words.iter().any(|word| matches!(word.text.text.as_str(), "-q" | "-out" | "-w" | "-i"))
        };
        let to_log = rest.last().is_some_and(|last| last.redirects.iter().all(|redirect| !redirect.operator.contains('>')));
        if !rest.is_empty() && rest.iter().all(reshapes) && to_log {
            push(project, flow, &carry.secrets, carry.command, "the log", findings);
        }
    }
}

fn push(project: &Project, flow: &Flow, secrets: &[String], command: usize, place: &str, findings: &mut Findings) {
    let harm = project.worst(secrets.iter().map(String::as_str));
    if harm <= Harm::Plain {
        return;
    }
    let names = listed(secrets.iter().map(String::as_str));
    let message = format!("a value made from {names} goes into {place}; masks know the secret itself and nothing made from it");
    let key = flow.step().map_or(String::new(), |step| step.key.clone());
    let mut finding = Findings::finding(&RULE, "script", flow.script.commands[command].at, message)
        .help("store the value as a secret of its own, mask it first (`echo \"::add-mask::$VALUE\"`), or write it to a private file")
        .about(key, secrets.join(" "));
    finding.levels = Weight { harm, exposed: false, protected: false }.weigh(finding.levels);
    findings.push(finding);
}

//! # What it finds
//!
//! Plain configuration stored as a secret: a region, a bucket, a user name, a URL, an account number.
//!
//! # Why
//!
//! The system masks every occurrence of a secret's text in the log. A project that stored the word `test` got a log full of `***`: what should
//! explain a red run is blanked. And a variable that could be printed makes the environment report refuse.
//!
//! # What is not a finding
//!
//! Web hook and upload addresses, names with `token`, `key`, `password` or `secret` in them, addresses that carry a credential, the machines
//! behind `ssh`.
//!
//! # What to do
//!
//! Keep it as a plain variable: `${{ vars.AWS_REGION }}` on GitHub, a visible variable elsewhere.
//!
//! # Levels
//!
//! `info` in default and strict, `warning` in audit; one finding a name and file.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./deploy
//!         env:
//!           AWS_REGION: ${{ secrets.AWS_REGION }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./deploy
//!         env:
//!           AWS_REGION: ${{ vars.AWS_REGION }}
//!           SLACK_WEBHOOK_URL: ${{ secrets.SLACK_WEBHOOK_URL }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 90 findings in 22 of them.
//! Read by eye: 90, false: 1. Ledger: `docs/evidence/log-masked-config.tsv`.

use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Job, Pipeline, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::names::is_plain;
use crate::model::span::Location;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "log-masked-config",
    group: Group::Log,
    summary: "plain configuration is stored as a secret and blanks the log",
    levels: &[("name", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        if facts.source.is_none_or(|source| project.asleep(source)) {
            continue;
        }
        let mut places: BTreeMap<&str, (&Pipeline, Vec<Location>)> = BTreeMap::new();
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for assignment in assignments(pipeline) {
                if let Value::Secret { names, .. } = &assignment.value {
                    names.iter().filter(|name| is_plain(name)).for_each(|name| places.entry(name).or_insert((pipeline, Vec::new())).1.push(assignment.at));
                }
            }
        }
        report(places, findings);
    }
}

fn report(places: BTreeMap<&str, (&Pipeline, Vec<Location>)>, findings: &mut Findings) {
    for (name, (pipeline, at)) in places {
        let message = format!("`{name}` is plain configuration by its name and stored as a secret; its text is blanked everywhere in the log");
        let mut finding = Findings::finding(&RULE, "name", at[0], message)
            .help(format!("keep it {}", pipeline.system.secrets.plain.replace("NAME", name)))
            .about("secrets", name);
        for place in &at[1..] {
            finding = finding.label(*place, "used here too");
        }
        findings.push(finding);
    }
}

fn assignments(pipeline: &Pipeline) -> impl Iterator<Item = &Assignment> {
    pipeline.env.iter().chain(pipeline.jobs.iter().flat_map(of_job))
}

fn of_job(job: &Job) -> impl Iterator<Item = &Assignment> {
    let steps = job.steps.iter().flat_map(|step| {
        let inputs: &[Assignment] = match &step.kind {
            StepKind::Uses { inputs, .. } => inputs,
            _ => &[],
        };
        step.env.iter().chain(inputs).chain(&step.pasted)
    });
    job.env.iter().chain(steps)
}

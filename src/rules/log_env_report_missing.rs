//! # What it finds
//!
//! Test jobs whose log does not say where the tests ran: before the first test, fewer than two of interpreter, platform, installed packages
//! and environment are printed. One finding per repository; its labels are the jobs.
//!
//! # Why
//!
//! "It passes on my machine" is answered by the difference of two machines, and a log that does not name its own cannot be compared.
//!
//! # What is not a finding
//!
//! - `pinguard env-report` and scripts made for it (`print_versions.py`); two of `python -VV`, `pip freeze`, `uname -a`, `env` and their kind; components that set up an interpreter count as
//!   one.
//! - Tests that tox or nox run: they print their own environment with `-vv`, and a person at the desk gets the same.
//! - Jobs without tests, and those that no patch starts.
//!
//! # What to do
//!
//! The first step of the job prints it: `pinguard env-report`, which refuses to print the environment while a secret is in it. Where a secret
//! is in the variables of the job or the workflow, that comes first.
//!
//! # Levels
//!
//! `advice`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@v5
//!       - run: pytest
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           uname -a
//!           env | sort
//!           pytest
//!   other:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pinguard env-report
//!       - run: pytest
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 24 findings in 24 of them.

use crate::model::check::{checks_of, is_on_patch};
use crate::model::finding::{Findings, Remedy};
use crate::model::pipeline::{Job, Pipeline, StepKind};
use crate::model::project::Project;
use crate::model::rule::Level::{Advice, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{CheckKind, Command, Deed, Reported};
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::runners::Sorted;
use crate::model::secrets::{Reach, Readable, Runner, Runners};
use crate::model::span::Location;
use std::collections::{BTreeSet, HashMap};

/// The rule.
pub static RULE: Rule = Rule {
    id: "log-env-report-missing",
    group: Group::Log,
    summary: "the log of the tests does not say where they ran",
    levels: &[("job", levels(Advice, Advice, Warning))],
    since: "0.1.0",
    check,
};

/// Components that say which interpreter or system they set up.
const SETUPS: &[&str] = &["setup-python", "setup-uv", "setup-miniconda", "setup-pixi", "setup-micromamba", "setup-pdm", "install-poetry", "python/install"];

fn check(project: &Project, findings: &mut Findings) {
    let scripts = reports_of_scripts(project);
    let silent: Vec<(&Pipeline, &Job)> = project
        .jobs()
        .filter(|(pipeline, job)| is_on_patch(pipeline, job) && !project.asleep(job.at.source))
        .filter(|(_, job)| is_silent(project, job, &scripts))
        .collect();
    let Some((pipeline, job)) = silent.first() else { return };
    let count = match silent.len() {
        1 => format!("job `{}`", job.id),
        count => format!("{count} test jobs (`{}` first)", job.id),
    };
    let message = format!("before the tests, the log of {count} says too little of interpreter, platform, packages and environment: a red run cannot be compared with a machine");
    let blocked = blocked(project, pipeline, job);
    let help = match blocked.as_slice() {
        [] => "print it in the first step of the job: `pinguard env-report`".to_string(),
        [first, ..] => {
            let (names, line) = (listed(blocked.iter().map(|one| one.variable.as_str())), project.source(first.at.source).position(first.at.span.start).line);
            format!("it cannot be printed yet: first move {names}, which {} in scope of the whole job (line {line})", are(blocked.len()))
        }
    };
    let mut finding = Findings::finding(&RULE, "job", job.at, message).help(help).about("", "report");
    finding = finding.remedy(Remedy::Guide(pipeline.system.report.to_string()));
    for (_, job) in silent.iter().skip(1) {
        finding = finding.label(job.at, format!("job `{}`", job.id));
    }
    findings.push(finding);
}

/// Secrets in the variables of the whole job.
fn blocked(project: &Project, pipeline: &Pipeline, job: &Job) -> Vec<Readable> {
    if job.steps.is_empty() {
        return Vec::new();
    }
    let sorted = Sorted::of(project, project.secrets_at(pipeline, job, 0));
    sorted.secrets.into_iter().filter(|one| matches!(one.reach, Reach::Job | Reach::Pipeline | Reach::Container)).collect()
}

/// What scripts that steps call report, by the place of the command that calls.
fn reports_of_scripts(project: &Project) -> HashMap<Location, BTreeSet<Reported>> {
    let runners = Runners::of(project);
    let mut found: HashMap<Location, BTreeSet<Reported>> = HashMap::new();
    for site in project.run_commands() {
        let parts = parts(site.command);
        let own = site.job.is_some() && site.pipeline.is_some_and(|pipeline| project.pipelines().any(|one| std::ptr::eq(one, pipeline)));
        if parts.is_empty() || own {
            continue;
        }
        for runner in runners.of_site(&site) {
            found.entry(place(&runner)).or_default().extend(parts.iter().copied());
        }
    }
    found
}

fn place(runner: &Runner) -> Location {
    runner.step().at
}

/// The parts of a report that a command prints.
fn parts(command: &Command) -> BTreeSet<Reported> {
    let part = |deed: &Deed| match deed {
        Deed::Report(part) => Some(*part),
        // The environment is as good as all the rest: it names versions, paths and the machine.
        Deed::Dump(_) => Some(Reported::Everything),
        _ => None,
    };
    command.deeds.iter().filter_map(part).collect()
}

fn is_silent(project: &Project, job: &Job, scripts: &HashMap<Location, BTreeSet<Reported>>) -> bool {
    let plain = |command: &Command| !command.check().is_some_and(|check| matches!(check.program(), "tox" | "nox" | "coverage"));
    let Some((last, first)) = checks_of(job, CheckKind::Test).find(|(_, command)| plain(command)) else { return false };
    let mut said: BTreeSet<Reported> = BTreeSet::new();
    for (index, step) in job.steps.iter().enumerate().take(last + 1) {
        said.extend(scripts.get(&step.at).into_iter().flatten());
        match &step.kind {
            StepKind::Run(script) => {
                let before = script.commands.iter().take_while(|command| index < last || !std::ptr::eq(*command, first));
                said.extend(before.flat_map(parts));
            }
            StepKind::Uses { component, .. } => {
                let name = &project.reference(*component).subject.name;
                if SETUPS.iter().any(|setup| name.ends_with(setup)) {
                    said.insert(Reported::Interpreter);
                }
            }
            StepKind::Other => {}
        }
    }
    !said.contains(&Reported::Everything) && said.len() < 2
}

//! # What it finds
//!
//! A command that prints its whole environment (`env`, `printenv`, `set`, `export -p`, `cat /proc/self/environ`, `gci env:`,
//! `print(os.environ)`, `node -p process.env` …) where a secret is in that environment: of the step, the job, the workflow, left by an earlier
//! step, exported by a component, or put there by the system. Scripts of the repository that a step calls count, and so do its composite
//! actions. In an image build, arguments with the name of a secret and secrets that are mounted as variables are in it; in the script of
//! `actions/github-script`, `console.log(process.env)` prints it.
//!
//! # Why
//!
//! Logs are kept, linked and often public. Masks know exact values only: no part of a secret, no other form of it.
//!
//! # What is not a finding
//!
//! - The same command where no secret is in scope: that is the environment report which a log needs.
//! - Names alone (`env | cut -d= -f1`, `compgen -e`), questions (`env | grep -q X`), one variable (`printenv HOME`), commands that are given
//!   variables (`env A=b cmd`, `/usr/bin/env python`), output that is thrown away.
//! - What runs in another container (`docker run x env`): it has what it was given.
//!
//! # What to do
//!
//! Keep the report, move the secret: to the one step that reads it, into a file, or away. `pinguard env-report` prints the environment and
//! refuses while a secret is in it.
//!
//! # Levels
//!
//! `error` with a secret that outlives its job, and always when the environment is sent to another machine. `info` (`warning` in `strict`)
//! when only tokens that end with the job are in scope, or where the system hands out variables that no file shows; `warning` (`error` in
//! `strict`) when a secret goes into a file that nothing is seen to keep (kept files: `env-dump-to-artifact`); `info` when a search lets
//! no secret through, or when the secret does little harm.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     env:
//!       T: ${{ secrets.DEPLOY_KEY }}
//!     steps:
//!       - run: env | sort
//!       - run: ./deploy "$T"
//! ```
//!
//! ```sh ci/report.sh with
//! #!/bin/sh
//! uname -a
//! printenv
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./ci/report.sh
//!         env:
//!           T: ${{ secrets.DEPLOY_KEY }}
//! ```
//!
//! ```python tools/info.py with
//! import os
//! for name, value in sorted(os.environ.items()):
//!     print(f"{name}={value}")
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: echo "T=$T" >> "$GITHUB_ENV"
//!         env:
//!           T: ${{ secrets.DEPLOY_KEY }}
//!       - run: python tools/info.py
//! ```
//!
//! ```yaml .gitlab-ci.yml bad
//! test:
//!   script:
//!     - printenv
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: env > env.txt
//!         env:
//!           T: ${{ secrets.DEPLOY_KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: env | curl -d @- https://collect.corp.io
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM python:3.12.4-slim
//! RUN --mount=type=secret,id=pypi,env=PYPI_TOKEN env | sort
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM python:3.12.4-slim
//! ARG NPM_TOKEN
//! RUN printenv
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     env:
//!       T: ${{ secrets.DEPLOY_KEY }}
//!     steps:
//!       - uses: actions/github-script@v7
//!         with:
//!           script: console.log(process.env)
//! ```
//!
//! ```dockerfile Dockerfile good
//! FROM python:3.12.4-slim
//! ARG VERSION=1.2.3
//! RUN env | sort
//! RUN --mount=type=secret,id=pypi,target=/run/token ./publish --token-file /run/token
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: env | sort
//!       - run: ./deploy "$T"
//!         env:
//!           T: ${{ secrets.DEPLOY_KEY }}
//!   names:
//!     runs-on: ubuntu-24.04
//!     env:
//!       T: ${{ secrets.DEPLOY_KEY }}
//!     steps:
//!       - run: |
//!           env | cut -d= -f1
//!           env FOO=1 cmd
//!           printenv HOME
//!           /usr/bin/env bash -c true
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 1 finding in 1 of them.

use crate::model::container::ContainerBuild;
use crate::model::dialect::Masks;
use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::kept;
use crate::model::pipeline::{Job, Pipeline, StepKind, Value};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Deed, Dump, DumpSink, Kept};
use crate::model::secrets::place::{advice, listed, shown as shown_name};
use crate::model::secrets::runners::Sorted;
use crate::model::secrets::{Reach, Readable, Runner, Runners, dumps, looks_secret};
use crate::model::span::Location;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "env-dump-with-secret",
    group: Group::Secret,
    summary: "the environment is printed while a secret is in it",
    levels: &[
        ("secret", levels(Error, Error, Error)),
        ("network", levels(Error, Error, Error)),
        ("token", levels(Info, Warning, Warning)),
        ("minor", levels(Info, Warning, Warning)),
        ("written", levels(Warning, Error, Error)),
        ("filtered", levels(Info, Info, Info)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let runners = Runners::of(project);
    // One script may stand under an anchor and be run by several jobs.
    let mut told = HashSet::new();
    for site in project.run_commands().into_iter().filter(|site| told.insert(site.command.at)) {
        for dump in site.command.deeds.iter().filter_map(dump) {
            let finding = match site.build.filter(|_| !dump.sinks.contains(&DumpSink::Network)) {
                Some(build) => of_build(project, build, &site, dump),
                None => of_dump(project, &runners, &site, dump),
            };
            finding.into_iter().for_each(|finding| findings.push(finding));
        }
    }
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for job in &pipeline.jobs {
                let found = (0..job.steps.len()).filter_map(|index| of_component(project, pipeline, job, index));
                found.for_each(|finding| findings.push(finding));
            }
        }
    }
}

/// A `RUN` that prints its environment: arguments of the build and secrets mounted as variables are in it.
fn of_build(project: &Project, build: &ContainerBuild, site: &Site, dump: &Dump) -> Option<Finding> {
    let mut readable = project.secrets_in_build(build, site.script);
    readable.retain(|one| dump.kept.lets(&one.variable));
    let sorted = Sorted::of(project, readable);
    let (kind, shown) = if sorted.secrets.is_empty() { ("minor", &sorted.minor) } else { ("secret", &sorted.secrets) };
    shown.first()?;
    let names: Vec<&str> = shown.iter().map(|one| one.variable.as_str()).collect();
    let how = &dump.how;
    let message = format!("`{how}` prints {} into the log of the image build, where nothing is masked", listed(names.iter().copied()));
    let help = "keep the report; mount the secret as a file in the one `RUN` that reads it: `--mount=type=secret,id=NAME`";
    let finding = Findings::finding(&RULE, kind, site.command.at, message).help(help).about(format!("build.{how}"), names.join(" "));
    let label = |finding: Finding, one: &Readable| finding.label(one.at, format!("{} comes into the environment here", shown_name(&one.variable)));
    Some(shown.iter().take(4).fold(finding, label).remedy(Remedy::Guide(help.to_string())))
}

/// A component whose script prints its environment (`actions/github-script`).
fn of_component(project: &Project, pipeline: &Pipeline, job: &Job, index: usize) -> Option<Finding> {
    let StepKind::Uses { inputs, .. } = &job.steps[index].kind else { return None };
    let script = inputs.iter().find(|input| input.name == "script")?;
    let (Value::Literal(code) | Value::Expression(code)) = &script.value else { return None };
    dumps::in_javascript(code)?;
    let dump = Dump { how: "process.env".to_string(), kept: Kept::All, sinks: vec![DumpSink::Log] };
    let runner = Runner::of_step(pipeline, job, index);
    let sorted = Sorted::of(project, runner.secrets(project));
    let (_, kind) = kind(&runner, &sorted, &dump)?;
    Some(report(project, script.at, &dump, kind, &runner, &sorted))
}

fn dump(deed: &Deed) -> Option<&Dump> {
    match deed {
        Deed::Dump(dump) => Some(dump),
        _ => None,
    }
}

fn of_dump<'p>(project: &'p Project, runners: &Runners<'p>, site: &Site<'p>, dump: &Dump) -> Option<Finding> {
    let all = runners.of_site(site);
    let network = dump.sinks.contains(&DumpSink::Network);
    if network {
        return Some(sent(site, dump, all.first()));
    }
    // The worst of the steps speaks; the others are labels.
    let mut ranked: Vec<(usize, &str, Runner, Sorted)> = Vec::new();
    for runner in all {
        if is_kept(project, &runner, dump) {
            continue;
        }
        let sorted = Sorted::of(project, runner.secrets(project));
        if let Some((rank, kind)) = kind(&runner, &sorted, dump) {
            match (written(dump), kind) {
                (None, kind) => ranked.push((rank, kind, runner, sorted)),
                // A file that nothing keeps is read by what runs there, and not by everybody.
                (Some(_), "secret") => ranked.push((rank, "written", runner, sorted)),
                (Some(_), _) => {}
            }
        }
    }
    ranked.sort_by_key(|(rank, ..)| *rank);
    let (_, kind, runner, sorted) = ranked.first()?;
    let mut finding = report(project, site.command.at, dump, kind, runner, sorted);
    for (_, _, other, _) in ranked.iter().skip(1) {
        finding = finding.label(other.at(), format!("run by step `{}` of job `{}` too", other.step().name, other.job.id));
    }
    Some(finding)
}

/// The file that all of it goes to, when nothing is printed.
fn written(dump: &Dump) -> Option<&str> {
    if dump.sinks.contains(&DumpSink::Log) {
        return None;
    }
    dump.sinks.iter().find_map(|sink| match sink {
        DumpSink::File(word) => Some(word.text.text.as_str()),
        _ => None,
    })
}

/// `env-dump-to-artifact` speaks of what is kept as a file.
fn is_kept(project: &Project, runner: &Runner, dump: &Dump) -> bool {
    dump.sinks.iter().any(|sink| match sink {
        DumpSink::File(word) => kept::kept(project, runner.job, runner.index, &word.text.text).is_some(),
        _ => false,
    })
}

/// How bad it is, the worst first.
fn kind(runner: &Runner, sorted: &Sorted, dump: &Dump) -> Option<(usize, &'static str)> {
    let passes = |list: &[Readable]| list.iter().any(|one| dump.kept.lets(&one.variable));
    let holds = !(sorted.secrets.is_empty() && sorted.minor.is_empty() && sorted.tokens.is_empty());
    match () {
        () if passes(&sorted.secrets) => Some((0, "secret")),
        () if passes(&sorted.minor) => Some((1, "minor")),
        () if matches!(dump.kept, Kept::Only(_)) && !passes(&sorted.tokens) => holds.then_some((3, "filtered")),
        () if passes(&sorted.tokens) || runner.pipeline.system.unseen_variables => Some((2, "token")),
        () => None,
    }
}

fn report(project: &Project, at: Location, dump: &Dump, kind: &str, runner: &Runner, sorted: &Sorted) -> Finding {
    let system = runner.pipeline.system;
    let shown: Vec<&Readable> = match kind {
        "secret" | "written" => &sorted.secrets,
        "minor" => &sorted.minor,
        "filtered" if !sorted.secrets.is_empty() => &sorted.secrets,
        "filtered" if !sorted.minor.is_empty() => &sorted.minor,
        _ => &sorted.tokens,
    }
    .iter()
    .filter(|one| kind == "filtered" || dump.kept.lets(&one.variable))
    .collect();
    let names: Vec<&str> = shown.iter().map(|one| one.variable.as_str()).collect();
    let how = &dump.how;
    let unseen = match system.unseen_variables {
        true => format!("; variables of the {} project that no file shows are printed too", system.name),
        false => String::new(),
    };
    let message = match kind {
        "filtered" => format!("`{how}` prints a part of the environment in which {} is; its search lets none of that through today", listed(names.iter().copied())),
        "written" => {
            format!("`{how}` writes {} to `{}`: whatever reads or keeps that file has {}", listed(names.iter().copied()), written(dump).unwrap_or(""), if names.len() == 1 { "it" } else { "them" })
        }
        _ if names.is_empty() => format!("`{how}` prints the whole environment{unseen}"),
        _ => format!(
            "`{how}` prints {}{}{}{unseen}",
            if shown.iter().all(|one| is_set(one)) { "everything in " } else { "" }, listed(names.iter().copied()),
            masks(runner, &shown, dump)
        ),
    };
    let help = match kind {
        "token" if system.unseen_variables => format!("keep the report; keep secrets of the project as {}", system.file),
        "token" => "keep the report; the token ends with the job, and its exact value is masked".to_string(),
        _ if shown.iter().all(|one| one.reach == Reach::Step) => {
            "keep the report and print it in a step that has no secret, for example the first one of the job".to_string()
        }
        _ => {
            let used = names.first().map(|name| project.usage(runner.job, name).steps).unwrap_or_default();
            let step = match used.as_slice() {
                [only] => Some(runner.job.steps[*only].name.as_str()),
                _ => None,
            };
            format!("keep the report, move the secret: {}", advice(system, &names, step, false))
        }
    };
    let key = format!("{}.{}", runner.step().key, how);
    let mut finding = Findings::finding(&RULE, kind, at, message).help(help.clone()).about(key, names.join(" ")).remedy(Remedy::Guide(help));
    if runner.call.is_some() {
        finding = finding.label(runner.at(), format!("run by step `{}` of job `{}`", runner.step().name, runner.job.id));
    }
    for one in shown.iter().filter(|one| one.reach != Reach::Present).take(4) {
        finding = finding.label(one.at, format!("{} comes into the environment here", shown_name(&one.variable)));
    }
    finding
}

/// Whether a whole set of secrets is attached under one name.
fn is_set(readable: &Readable) -> bool {
    readable.secrets.iter().any(|name| name == "*")
}

/// What the masks of the system do about it: to say how bad it is, never to excuse.
fn masks(runner: &Runner, shown: &[&Readable], dump: &Dump) -> String {
    let system = runner.pipeline.system;
    let name = system.name;
    match system.masks {
        _ if dump.kept == Kept::Encoded => " in a form that no mask knows".to_string(),
        Masks::Nothing => format!(" in clear: {name} masks nothing"),
        Masks::Names if shown.iter().any(|one| !looks_secret(&one.variable) && !is_set(one)) => format!(" in clear: {name} masks by name only"),
        Masks::Names => format!("; {name} masks by name only"),
        Masks::Values if shown.iter().any(|one| !one.whole && !is_set(one)) => format!(" in clear: the masks of {name} know exact values only"),
        Masks::Values => format!("; the masks of {name} know exact values only"),
    }
}

fn sent(site: &Site, dump: &Dump, runner: Option<&Runner>) -> Finding {
    let how = &dump.how;
    let message = format!("`{how}` sends the whole environment to another machine; no mask applies there, and whatever secret comes into scope goes with it");
    let help = "send the names of the variables that are needed, one by one";
    let key = runner.map_or(String::new(), |runner| runner.step().key.clone());
    Findings::finding(&RULE, "network", site.command.at, message).help(help).about(key, how).remedy(Remedy::Guide(help.to_string()))
}

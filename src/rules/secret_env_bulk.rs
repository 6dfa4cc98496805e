//! # What it finds
//!
//! Every secret of a repository handed over at once: `toJSON(secrets)`, `secrets[…]` with a computed name, `envFrom` of a whole secret in a
//! pipeline, a container that is started with the environment of its caller, a compose service whose `env_file` is committed with secrets.
//!
//! # Why
//!
//! The runner then delivers all secrets to the job, those that it never needs and those that are added next year. What leaks, leaks
//! everything; and no reader can say what the job holds.
//!
//! # What is not a finding
//!
//! - `secrets['NAME']` with a plain name, `toJSON(secrets.NAME)`.
//! - `secrets: inherit` to a called workflow, in `default`: it is the only way to secrets of environments.
//! - Sets that a system attaches to a job for lack of anything narrower (a CircleCI context): `secret-env-job-scope` speaks of them.
//! - `pass_env = *` of tox: `secret-tox-nox-env` speaks of it.
//!
//! # What to do
//!
//! Name each secret where it is needed. A matrix of names becomes a matrix of jobs or a chain of conditions, each with its plain name.
//!
//! # Levels
//!
//! `warning`, `error` in `strict` and `audit`. `secrets: inherit` and GitLab's `trigger:forward:pipeline_variables`: off, `info`, `warning`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./deploy
//!         env:
//!           ALL: ${{ toJSON(secrets) }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     strategy:
//!       matrix: {key: [A, B]}
//!     steps:
//!       - uses: some/action@v1
//!         with:
//!           key: ${{ secrets[matrix.key] }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad strict
//! on: push
//! jobs:
//!   call:
//!     uses: ./.github/workflows/other.yml
//!     secrets: inherit
//! ```
//!
//! ```yaml .gitlab-ci.yml bad strict
//! child:
//!   trigger:
//!     project: acme/child
//!     forward: {pipeline_variables: true}
//! ```
//!
//! ```ini deploy/web.env with
//! MODE=fast
//! API_TOKEN=Zk9vTq4mWx7RbN2y
//! ```
//!
//! ```yaml deploy/compose.yaml bad default
//! services:
//!   web:
//!     image: nginx:1.27.0
//!     env_file: web.env
//! ```
//!
//! ```ini deploy/web.env with
//! MODE=fast
//! API_TOKEN=changeme
//! ```
//!
//! ```yaml deploy/compose.yaml good
//! services:
//!   web:
//!     image: nginx:1.27.0
//!     env_file: [web.env, .env]
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
//!           A: ${{ secrets['A'] }}
//!           B: ${{ toJSON(secrets.B) }}
//!   call:
//!     uses: ./.github/workflows/other.yml
//!     secrets:
//!       TOKEN: ${{ secrets.TOKEN }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 5 findings in 2 of them. In 11 further ones: 1. Read by eye: 48, false: 0.
//! Ledger: `docs/evidence/secret-env-bulk.tsv`.

use crate::model::environment::EnvironmentKind;
use crate::model::finding::{Finding, Findings};
use crate::model::literal::shapes;
use crate::model::literal::value::{self, Strength};
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::Harm;
use crate::model::secrets::names::holds_secret;
use crate::model::secrets::place::listed;
use crate::model::source::join;
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-env-bulk",
    group: Group::Secret,
    summary: "all secrets are handed over at once",
    levels: &[("all", levels(Warning, Error, Error)), ("inherit", levels(Off, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            let mut scopes: Vec<(&str, String, Vec<&Assignment>)> = Vec::new();
            let mut seen: Vec<Location> = Vec::new();
            let mut take = |kind: &'static str, who: &str, one| {
                if !is_bulk(pipeline, one) || seen.contains(&one.at) {
                    return;
                }
                seen.push(one.at);
                match scopes.iter_mut().find(|(known, name, _)| *known == kind && name == who) {
                    Some((_, _, list)) => list.push(one),
                    None => scopes.push((kind, who.to_string(), vec![one])),
                }
            };
            pipeline.env.iter().for_each(|one| take("all", "all jobs", one));
            for job in &pipeline.jobs {
                visit(job, &mut take);
            }
            scopes.into_iter().for_each(|(kind, who, list)| findings.push(report(pipeline, kind, &who, &list)));
        }
    }
    handed_on(project, findings);
    files(project, findings);
}

/// `env_file:` of a service that names a committed file with secrets in it. What is in it is spoken of where it stands; here, who gets all
/// of it.
fn files(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        let Some(source) = facts.source.filter(|source| !project.asleep(*source)) else { continue };
        let services = facts.environments.iter().filter(|one| one.kind == EnvironmentKind::Compose);
        for (service, one) in services.flat_map(|service| service.assignments.iter().map(move |one| (service, one))) {
            let Some(path) = join(project.source(source).folder(), &one.name).filter(|_| one.key.contains(".env_file[")) else { continue };
            let Some(names) = committed(project, &path) else { continue };
            let message = format!(
                "`{path}` is committed with {} in it, and service `{}` gets all of it",
                listed(names.iter().copied()),
                service.name
            );
            let help = "take the file out of the repository and change the secrets; give each to the service by `secrets:` and `NAME_FILE`";
            findings.push(Findings::finding(&RULE, "all", one.at, message).help(help).about(&one.key, &one.name));
        }
    }
}

/// The names of strong literals in a file of variables that is in the repository.
fn committed<'p>(project: &'p Project, path: &str) -> Option<Vec<&'p str>> {
    let facts = project.facts.iter().find(|facts| facts.source.is_some_and(|source| project.source(source).path == path))?;
    let settings = facts.environments.iter().filter(|one| one.kind == EnvironmentKind::Settings);
    let strong = settings.flat_map(|one| &one.assignments).filter(|one| match &one.value {
        Value::Literal(text) => !shapes::find(text).is_empty() || holds_secret(&one.name) && value::strength(&one.name, text) == Strength::Strong,
        _ => false,
    });
    let names: Vec<&str> = strong.map(|one| one.name.as_str()).collect();
    (!names.is_empty()).then_some(names)
}

fn report(pipeline: &Pipeline, kind: &str, who: &str, list: &[&Assignment]) -> Finding {
    let (message, help) = match kind {
        "inherit" => (
            format!("{who} inherits every secret, those that it never reads and those that are added later"),
            pipeline.system.secrets.inherits,
        ),
        _ => (
            format!(
                "{} {} {who} every secret at once; whatever leaks there leaks all of them",
                listed(list.iter().map(|one| one.name.as_str())),
                if list.len() == 1 { "gives" } else { "give" }
            ),
            "name each secret that is needed, each by its plain name",
        ),
    };
    let mut finding = Findings::finding(&RULE, kind, list[0].at, message).help(help).about(&list[0].key, &list[0].name);
    for other in &list[1..] {
        finding = finding.label(other.at, "here too");
    }
    finding
}

fn visit<'p>(job: &'p Job, report: &mut dyn FnMut(&'static str, &str, &'p Assignment)) {
    let who = format!("job `{}`", job.id);
    for one in &job.inputs {
        let inherits = one.name == "secrets";
        report(if inherits { "inherit" } else { "all" }, &format!("the pipeline that {who} calls"), one);
    }
    job.env.iter().chain(job.services.iter().flat_map(|service| &service.env)).for_each(|one| report("all", &who, one));
    for step in &job.steps {
        let who = format!("step `{}` of {who}", step.name);
        let inputs: &[Assignment] = match &step.kind {
            StepKind::Uses { inputs, .. } => inputs,
            _ => &[],
        };
        step.env.iter().chain(inputs).chain(&step.pasted).for_each(|one| report("all", &who, one));
    }
}

/// A set that belongs to a job for lack of anything narrower is not everything.
fn is_bulk(pipeline: &Pipeline, one: &Assignment) -> bool {
    let attached = !pipeline.system.secrets.set.is_empty() && one.scope != Scope::Step;
    !attached && matches!(&one.value, Value::Secret { names, .. } if names.iter().any(|name| name == "*"))
}

/// Containers that get the environment of the step that starts them, where a secret is in it.
fn handed_on(project: &Project, findings: &mut Findings) {
    for pipeline in project.pipelines() {
        for job in &pipeline.jobs {
            for (index, step) in job.steps.iter().enumerate() {
                let StepKind::Run(script) = &step.kind else { continue };
                for command in &script.commands {
                    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
                    let starts = words.first().is_some_and(|word| matches!(*word, "docker" | "podman")) && words.contains(&"run");
                    let whole = words.iter().skip(1).any(|word| hands_on_everything(word));
                    if !starts || !whole {
                        continue;
                    }
                    let held = project.secrets_at(pipeline, job, index);
                    let real = held.iter().find(|one| !one.short_lived && project.worst(one.secrets.iter().map(String::as_str)) > Harm::Short);
                    let Some(real) = real else { continue };
                    let message = format!("the container gets the whole environment of the step, `{}` with it", real.variable);
                    let finding = Findings::finding(&RULE, "all", command.at, message)
                        .help("name the variables that it needs: `-e NAME`")
                        .about(&step.key, "environment")
                        .label(real.at, format!("`{}` comes from here", real.variable));
                    findings.push(finding);
                }
            }
        }
    }
}

/// `$(env …)`, `<(env)`, `<(printenv)` as an argument.
fn hands_on_everything(word: &str) -> bool {
    ["$(env", "`env", "<(env", "$(printenv", "<(printenv"].iter().any(|start| {
        let rest = word.split_once(start).map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.starts_with([' ', ')', '`', '|']))
    })
}

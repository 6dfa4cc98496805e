//! # What it finds
//!
//! Secrets of the desk that a development container takes as variables: `containerEnv` and `runArgs` with `${localEnv:…TOKEN}`, `remoteEnv`
//! with the same.
//!
//! # Why
//!
//! `containerEnv` and `-e` become part of the container: `docker inspect` shows them, every process has them, and so has every extension.
//! `remoteEnv` reaches all processes that a person starts there.
//!
//! # What is not a finding
//!
//! Paths and plain settings; `secrets` of the file, which only describes what is asked for.
//!
//! # What to do
//!
//! Declare it under `secrets` and give it with `--secrets-file`, or mount a file of the host (`mounts`) and let the tool read that.
//!
//! # Levels
//!
//! `containerEnv`, `runArgs`: `warning`. `remoteEnv`: `info`, `warning` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```json .devcontainer/devcontainer.json bad default
//! {
//!   "image": "ghcr.io/acme/base:1.2.3",
//!   "containerEnv": { "API_TOKEN": "${localEnv:API_TOKEN}" }
//! }
//! ```
//!
//! ```json .devcontainer/devcontainer.json bad default
//! {
//!   "image": "ghcr.io/acme/base:1.2.3",
//!   "runArgs": ["-e", "DB_PASSWORD"]
//! }
//! ```
//!
//! ```json .devcontainer/devcontainer.json bad strict
//! {
//!   "image": "ghcr.io/acme/base:1.2.3",
//!   "remoteEnv": { "API_TOKEN": "${localEnv:API_TOKEN}" }
//! }
//! ```
//!
//! ```json .devcontainer/devcontainer.json good
//! {
//!   "image": "ghcr.io/acme/base:1.2.3",
//!   "containerEnv": { "MODE": "dev", "TOKEN_FILE": "/run/secrets/token", "EDITOR": "${localEnv:EDITOR}" },
//!   "runArgs": ["-e", "TZ=UTC"],
//!   "remoteEnv": { "PATH": "${containerEnv:PATH}:/x" },
//!   "secrets": { "API_TOKEN": { "description": "for the tests against the API" } }
//! }
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 11 further ones: 0. Left alone, read by eye: 11.
//! Ledger: `docs/evidence/secret-devcontainer-env.tsv`.

use crate::model::environment::EnvironmentKind;
use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::Harm;
use crate::model::secrets::place::{are, listed};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-devcontainer-env",
    group: Group::Secret,
    summary: "a development container takes secrets as variables",
    levels: &[("container", levels(Warning, Warning, Warning)), ("remote", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for environment in project.facts.iter().flat_map(|facts| &facts.environments) {
        let (kind, who) = match environment.kind {
            EnvironmentKind::DevContainer => ("container", "of the container itself, which `docker inspect` shows"),
            EnvironmentKind::DevRemote => ("remote", "of every process that a person starts in the container"),
            _ => continue,
        };
        let held: Vec<&Assignment> = environment.assignments.iter().filter(|one| is_secret(project, one)).collect();
        let Some(first) = held.first() else { continue };
        let message = format!(
            "{} {} in the environment {who}",
            listed(held.iter().map(|one| one.name.as_str())),
            are(held.len())
        );
        let help = "declare it under `secrets` and give it with `--secrets-file`, or mount a file that the tool reads";
        let mut finding = Findings::finding(&RULE, kind, first.at, message).help(help).about(&first.key, &first.name);
        for other in &held[1..] {
            finding = finding.label(other.at, format!("`{}` too", other.name));
        }
        findings.push(finding);
    }
}

/// A file of variables may hold anything: that is said of single names only.
fn is_secret(project: &Project, one: &Assignment) -> bool {
    match &one.value {
        Value::Secret { names, .. } => {
            let harm = project.worst(names.iter().map(String::as_str));
            !names.iter().any(|name| name == "*") && !matches!(harm, Harm::None | Harm::Plain)
        }
        _ => false,
    }
}

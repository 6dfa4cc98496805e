//! # What it finds
//!
//! Compose services that take secrets as variables from whoever starts them: `X_PASSWORD: ${X_PASSWORD}`, `env_file`. One finding a file.
//!
//! # Why
//!
//! `docker inspect` and `docker compose config` print the variables of a service, and every process of the container has them.
//!
//! # What is not a finding
//!
//! - A default beside the variable (`${POSTGRES_PASSWORD:-postgres}`) and plain passwords of throw-away databases.
//! - Paths (`POSTGRES_PASSWORD_FILE`), `secrets:`.
//! - An `env_file` of the repository in which nothing is a secret, by name and value.
//!
//! # What to do
//!
//! Top-level `secrets:`, `secrets:` of the service, and `X_FILE: /run/secrets/x`: the images of postgres, mysql, mariadb and many others
//! read it. `--unsafe-fixes` does it where the image is one of those and the value is one variable and nothing else.
//!
//! # Levels
//!
//! Off in `default`, `info` in `strict`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml compose.yaml bad strict
//! services:
//!   db:
//!     image: postgres:16.2
//!     environment:
//!       POSTGRES_PASSWORD: ${DB_PASSWORD}
//!   web:
//!     image: acme/web:1.2.3
//!     env_file: .env
//!     environment:
//!       - API_TOKEN
//! ```
//!
//! ```ini dev.env with
//! SECRET_KEY=changeme
//! MODE=dev
//! ```
//!
//! ```yaml compose.yaml good
//! services:
//!   db:
//!     image: postgres:16.2
//!     environment:
//!       POSTGRES_PASSWORD_FILE: /run/secrets/db
//!       POSTGRES_USER: ${DB_USER}
//!     secrets: [db]
//!   test:
//!     image: mysql:8.4.0
//!     env_file: dev.env
//!     environment:
//!       MYSQL_ROOT_PASSWORD: ${MYSQL_ROOT_PASSWORD:-test}
//!       MYSQL_PASSWORD: test
//! secrets:
//!   db: {file: ./db.txt}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 14 findings in 4 of them. Read by eye: 14, false: 3 (development settings in a file of
//! variables). Ledger: `docs/evidence/secret-compose-env.tsv`.

use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::Facts;
use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::literal::value::{self, Strength};
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::{Harm, as_file, looks_secret};
use crate::model::source::join;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-compose-env",
    group: Group::Secret,
    summary: "compose services take secrets as variables instead of files",
    levels: &[("service", levels(Off, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        let environments = facts.environments.iter().filter(|one| one.kind == EnvironmentKind::Compose);
        let all = environments.flat_map(|environment| environment.assignments.iter().map(move |one| (environment, one)));
        let mut held: Vec<(&Environment, &Assignment)> = all.filter(|(_, one)| is_secret(project, one)).collect();
        // Services that share an anchor share its lines.
        held.dedup_by_key(|(_, one)| one.at);
        let Some((_, first)) = held.first() else { continue };
        let (files, variables): (Vec<_>, Vec<_>) = held.iter().map(|(_, one)| *one).partition(|one| is_file(one));
        let mut subjects: Vec<String> = Vec::new();
        if !variables.is_empty() {
            subjects.push(listed(variables.iter().map(|one| one.name.as_str())));
        }
        if !files.is_empty() {
            subjects.push(format!("what stands in {}", listed(files.iter().map(|one| one.name.as_str()))));
        }
        let count = variables.len() + usize::from(!files.is_empty());
        let them = if count == 1 && files.is_empty() { "it" } else { "them" };
        let message =
            format!("{} {} in the environment of services: `docker inspect` and every process there show {them}", subjects.join(", and "), are(count));
        let help = "declare it under `secrets:`, list it in the service, and set `X_FILE: /run/secrets/x`";
        let mut finding = Findings::finding(&RULE, "service", first.at, message).help(help).about(&first.key, &first.name);
        for (environment, other) in &held[1..] {
            finding = finding.label(other.at, format!("`{}` of `{}`", other.name, environment.name));
        }
        findings.push(match as_file::edits(project, &held) {
            Some(edits) => finding.remedy(Remedy::Replace { edits, safety: Safety::Unsafe }),
            None => finding.remedy(Remedy::Guide(SNIPPET.to_string())),
        });
    }
}

/// Where no edit is known.
const SNIPPET: &str = "services:\n  NAME:\n    environment: {X_FILE: /run/secrets/x}\n    secrets: [x]\nsecrets:\n  x: {environment: X}";

/// `env_file`: all that stands in it.
fn is_file(one: &Assignment) -> bool {
    matches!(&one.value, Value::Secret { names, .. } if names.iter().any(|name| name == "*"))
}

/// Whether a file of variables is in the repository and nothing in it is a secret: development settings have passwords that are words.
fn is_harmless(project: &Project, one: &Assignment) -> bool {
    let Some(path) = join(project.source(one.at.source).folder(), &one.name) else { return false };
    let facts = project.facts.iter().find(|facts| facts.source.is_some_and(|source| project.source(source).path == path));
    let settings = |facts: &Facts| {
        let variables = facts.environments.iter().filter(|one| one.kind == EnvironmentKind::Settings).flat_map(|one| &one.assignments);
        let secret = |one: &Assignment| match &one.value {
            Value::Literal(text) => looks_secret(&one.name) && value::strength(&one.name, text) == Strength::Strong,
            _ => looks_secret(&one.name),
        };
        variables.clone().next().is_some() && !variables.into_iter().any(secret)
    };
    facts.is_some_and(settings)
}

fn is_secret(project: &Project, one: &Assignment) -> bool {
    match &one.value {
        Value::Secret { .. } if is_file(one) => !is_harmless(project, one),
        Value::Secret { names, .. } => !matches!(project.worst(names.iter().map(String::as_str)), Harm::None | Harm::Plain),
        _ => false,
    }
}

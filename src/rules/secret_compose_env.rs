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
//!
//! # What to do
//!
//! Top-level `secrets:`, `secrets:` of the service, and `X_FILE: /run/secrets/x`: the images of postgres, mysql, mariadb and many others
//! read it.
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
//!     environment:
//!       MYSQL_ROOT_PASSWORD: ${MYSQL_ROOT_PASSWORD:-test}
//!       MYSQL_PASSWORD: test
//! secrets:
//!   db: {file: ./db.txt}
//! ```

use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::Harm;
use crate::model::secrets::place::{are, listed};

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
        let names = listed(held.iter().map(|(_, one)| one.name.as_str()));
        let message = format!("{names} {} in the environment of services: `docker inspect` and every process there show them", are(held.len()));
        let help = "declare it under `secrets:`, list it in the service, and set `X_FILE: /run/secrets/x`";
        let mut finding = Findings::finding(&RULE, "service", first.at, message).help(help).about(&first.key, &first.name);
        for (environment, other) in &held[1..] {
            finding = finding.label(other.at, format!("`{}` of `{}`", other.name, environment.name));
        }
        findings.push(finding);
    }
}

fn is_secret(project: &Project, one: &Assignment) -> bool {
    match &one.value {
        Value::Secret { names, .. } => !matches!(project.worst(names.iter().map(String::as_str)), Harm::None | Harm::Plain),
        _ => false,
    }
}

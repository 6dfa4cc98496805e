//! # What it finds
//!
//! Test environments that hand secrets of their caller on: `pass_env = *` of tox, patterns like `*_TOKEN` and `AWS_*`, names of secrets.
//!
//! # Why
//!
//! tox gives a test run few variables on purpose. With `*` every secret that CI or a desk has in its environment reaches the tests, their
//! plugins and every `setup.py`. tox hides values in its own log by the names of variables; the tests do not.
//!
//! # What is not a finding
//!
//! `pass_env = CI, FORCE_COLOR, PYTEST_*`; names of paths (`X_FILE`).
//!
//! # What to do
//!
//! Name the variables that the environment needs. A test that needs a secret reads it from a file whose path is handed on (`X_FILE`), in an
//! environment of its own.
//!
//! # Levels
//!
//! `*`: `warning`. Patterns that fit secrets, single secrets, and the whole environment in nox (which hands it on anyway): `info`,
//! `warning` in `strict` and `audit`. One finding an environment.
//!
//! # Examples
//!
//! ```ini tox.ini bad default
//! [testenv]
//! pass_env = *
//! commands = pytest
//! ```
//!
//! ```ini tox.ini bad strict
//! [testenv]
//! passenv =
//!     CI
//!     AWS_*
//!     PYPI_TOKEN
//! commands = pytest
//! ```
//!
//! ```python noxfile.py bad strict
//! import nox, os
//!
//! @nox.session
//! def tests(session):
//!     session.run("pytest", env={"TOKEN": os.environ["API_TOKEN"]})
//! ```
//!
//! ```ini tox.ini good
//! [testenv]
//! pass_env = CI
//!     FORCE_COLOR
//!     PYTEST_*
//!     API_TOKEN_FILE
//! set_env =
//!     COVERAGE_FILE = {toxworkdir}/.coverage
//! commands = pytest
//! ```
//!
//! ```python noxfile.py good
//! import nox
//!
//! @nox.session
//! def tests(session):
//!     session.run("pytest", env={"MODE": "fast"})
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 2 findings in 2 of them. In 11 further ones: 0. Read by eye: 2, false: 0.
//! Ledger: `docs/evidence/secret-tox-nox-env.tsv`.

use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::place::listed;
use crate::model::secrets::{Harm, looks_secret};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-tox-nox-env",
    group: Group::Secret,
    summary: "a test environment hands secrets of its caller on",
    levels: &[("everything", levels(Warning, Warning, Warning)), ("some", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for environment in project.facts.iter().flat_map(|facts| &facts.environments) {
        let tool = match environment.kind {
            EnvironmentKind::Tox => "tox",
            EnvironmentKind::Nox => "nox",
            _ => continue,
        };
        judge(project, environment, tool, findings);
    }
}

fn judge(project: &Project, environment: &Environment, tool: &str, findings: &mut Findings) {
    let everything = environment.assignments.iter().find(|one| one.name == "*");
    let some: Vec<&Assignment> = environment.assignments.iter().filter(|one| one.name != "*" && hands_secret(project, one)).collect();
    let first = match everything.or(some.first().copied()) {
        Some(first) => first,
        None => return,
    };
    let kind = if everything.is_some() && tool == "tox" { "everything" } else { "some" };
    let what = match everything {
        Some(_) => "the whole environment of its caller".to_string(),
        None => listed(some.iter().map(|one| one.name.as_str())),
    };
    let message = format!(
        "the {tool} environment `{}` hands {what} on: tests, plugins and build scripts can read every secret in it",
        environment.name
    );
    let message = if everything.is_none() { message.replace("every secret in it", "what stands there") } else { message };
    let help = "name the variables that it needs; hand secrets over as paths of files (`X_FILE`), in the one environment that reads them";
    let mut finding = Findings::finding(&RULE, kind, first.at, message).help(help).about(&first.key, &first.name);
    for other in some.iter().filter(|one| one.at != first.at) {
        finding = finding.label(other.at, format!("`{}` too", other.name));
    }
    findings.push(finding);
}

/// Whether a variable that is handed on may hold a secret: by its name, or because its pattern fits names of secrets.
fn hands_secret(project: &Project, one: &Assignment) -> bool {
    let Value::Secret { names, .. } = &one.value else { return false };
    match one.name.contains('*') {
        true => fits_secrets(&one.name),
        false => project.worst(names.iter().map(String::as_str)) > Harm::Plain,
    }
}

/// `*_TOKEN`, `AWS_*`, `TWINE_*`: patterns that are there for credentials.
fn fits_secrets(pattern: &str) -> bool {
    const CLOUDS: [&str; 9] = ["AWS_", "AZURE_", "GOOGLE_", "GCP_", "GCLOUD_", "TWINE_", "ARM_", "PYPI_", "VAULT_"];
    let fixed = pattern.trim_matches('*');
    let upper = fixed.to_ascii_uppercase();
    looks_secret(fixed.trim_matches('_')) || CLOUDS.iter().any(|cloud| upper == *cloud || upper == cloud.trim_end_matches('_'))
}

//! # What it finds
//!
//! A text that somebody made at random, under a name that says that it is a secret: in variables and inputs of pipelines, `ARG` and `ENV`,
//! compose files, Kubernetes manifests, test environments, settings files (`pip.conf`, `.pypirc`, `.env`), assignments and options of
//! scripts. Both keys are needed: name and value.
//!
//! # Why
//!
//! It is in the history of the repository and in the log, the image and the artifacts of every run.
//!
//! # What is not a finding
//!
//! - Names about a secret (`SECRETS_DIR`, `TOKEN_URL`, `…_KEY_FINGERPRINT`, `SECRET_NAME`), cache keys, hashes, commits, digests.
//! - Values that are variables, templates, paths, addresses, words, or contain their own name; placeholders (`changeme`, `example`, `test`,
//!   `dummy`, `xxx` …); fewer than 16 characters (20 hexadecimal digits), no digit or no letter, low entropy.
//! - Base64 of such a text.
//! - Lines with `# example`, `# nosec`, `gitleaks:allow`, `pragma: allowlist secret`.
//!
//! # What to do
//!
//! Change the secret where it is used, then keep the new one as a secret of the CI system. For a throw-away password of a test write one
//! that says so: `not-a-secret`.
//!
//! # Levels
//!
//! `warning` in `default`, `error` in `strict`. `info` for services beside a job and databases of compose files, samples (`.env.example`),
//! UUIDs (`warning` under names that end with `TOKEN` or `SECRET`), and upload tokens (`secrets.low-sensitivity`).
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     env:
//!       DEPLOY_PASSWORD: Zk9vTq4mWx7RbN2y
//!     steps:
//!       - run: ./deploy
//! ```
//!
//! ```yaml compose.yaml bad default
//! services:
//!   web:
//!     image: web:1.2.3
//!     environment:
//!       APP_SECRET_KEY: "${APP_SECRET_KEY:-q8Lr2vXz6Tn4Wb9kPm3s}"
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM debian:12.5
//! ENV API_TOKEN=q8Lr2vXz6Tn4Wb9kPm3s
//! ```
//!
//! ```yaml compose.yaml good
//! services:
//!   web:
//!     image: web:1.2.3
//!     environment:
//!       DB_PASSWORD: ChangeMe123ChangeMe456
//!       SECRETS_DIR: /mnt/secrets
//!       PLUGIN_REGISTRY_KEYS: "false"
//!       API_TOKEN: ${API_TOKEN}
//!       SECRET_KEY: django-insecure-0123456789abcdefghij
//!       JWT_SECRET: my-super-secret-jwt-signing-string-2
//!       GPG_KEY: A035C8C19219BA821ECEA86B64E628F8D684696D
//! ```
//!
//! ```dockerfile Dockerfile good
//! FROM debian:12.5
//! ARG RELEASE_KEY_FINGERPRINT=B42F6819007F00F88E364FD4036A9C25BF357DD4
//! ENV USE_GKE_GCLOUD_AUTH_PLUGIN=True
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 2 findings in 1 of them.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::literal::sites::{Literal, Place};
use crate::model::literal::value::Strength;
use crate::model::literal::{is_excused, shapes};
use crate::model::dialect::Dialect;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::{Harm, names};
use crate::model::span::SourceId;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-literal-in-env",
    group: Group::Secret,
    summary: "a secret is written out under its name",
    levels: &[("value", levels(Warning, Error, Error)), ("minor", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    // One text under one name in many places of a file is one secret.
    let mut told: BTreeMap<(SourceId, String, String), Finding> = BTreeMap::new();
    for (literal, strength) in project.written_secrets() {
        let source = project.source(literal.at.source);
        let line = source.line_text(source.line_of(literal.at.span.start));
        let known = !shapes::find(&literal.text).is_empty();
        let lock = !project.facts_of(source.id).locks.is_empty();
        // `token=…` inside of a pin, `integrity` and the like are no settings.
        if known || lock || is_excused(line) || is_fingerprint(literal) || project.harm(&literal.name) == Harm::None {
            continue;
        }
        let key = (source.id, literal.name.clone(), literal.text.clone());
        match told.entry(key) {
            Entry::Vacant(free) => drop(free.insert(report(project, literal, *strength))),
            Entry::Occupied(mut known) => {
                let finding = known.get().clone().label(literal.at, "the same text");
                known.insert(finding);
            }
        }
    }
    told.into_values().for_each(|finding| findings.push(finding));
}

/// `GPG_KEY` with 40 hexadecimal digits, as the images of Python have it: the fingerprint of a key, by which everybody asks for its public half.
fn is_fingerprint(literal: &Literal) -> bool {
    let of_keys = names::words(&literal.name).iter().any(|word| matches!(word.as_str(), "gpg" | "pgp" | "signing" | "keyid"));
    let text = literal.text.trim_start_matches("0x");
    of_keys && matches!(text.len(), 16 | 40) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn site(project: &Project, literal: &Literal, strength: Strength) -> &'static str {
    let words = names::words(&literal.name);
    let named = words.last().is_some_and(|word| matches!(word.as_str(), "token" | "secret"));
    let minor = matches!(literal.place, Place::Service | Place::Sample)
        || project.harm(&literal.name) < Harm::Full
        || strength == Strength::Uuid && !named;
    if minor { "minor" } else { "value" }
}

fn report(project: &Project, literal: &Literal, strength: Strength) -> Finding {
    let site = site(project, literal, strength);
    let len = literal.text.chars().count();
    let name = &literal.name;
    let what = if strength == Strength::Uuid { "a UUID" } else { "a random text" };
    let fact = match literal.place {
        Place::Image => "whoever has the image can read it",
        Place::Service => "it is a throw-away only if the service cannot be reached from outside",
        Place::Sample => "people copy it as it is",
        _ => "whoever can read the repository or its history has it",
    };
    let message = format!("`{name}` is set to {what} of {len} characters; {fact}");
    let file = literal.system.map_or("a secret of the system that runs it".to_string(), home);
    let guide = format!("change the secret first: this one stays in the history. Then keep the new one as {file}");
    Findings::finding(&RULE, site, literal.at, message)
        .help(guide.clone())
        .about(&literal.key, name)
        .remedy(Remedy::Guide(guide))
}

/// Where a secret lives on the system of a pipeline.
fn home(system: &Dialect) -> String {
    format!("a secret of {}, handed over by {}", system.name, system.file)
}

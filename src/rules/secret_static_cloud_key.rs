//! # What it finds
//!
//! A long-lived key of a cloud (AWS access keys, a Google service account key, an Azure client secret) on a system that gives jobs an identity.
//! One finding a repository; its labels are the places.
//!
//! # Why
//!
//! A key that never expires is worth stealing. The providers take the job's own identity token instead: nothing to store, nothing to leak.
//!
//! # What is not a finding
//!
//! - `role-to-assume`, `workload_identity_provider`, `client-id` with federated credentials.
//! - Systems without identity tokens.
//!
//! # What to do
//!
//! GitHub: `permissions: id-token: write` and `aws-actions/configure-aws-credentials` with `role-to-assume`, `google-github-actions/auth`
//! with `workload_identity_provider`, `azure/login` with `client-id`. GitLab, CircleCI, Bitbucket, Buildkite: write the token to a file and
//! set `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, which are no secrets.
//!
//! # Levels
//!
//! `advice`, `info` in `strict`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: aws-actions/configure-aws-credentials@v4
//!         with:
//!           aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}
//!           aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: google-github-actions/auth@v2
//!         with:
//!           credentials_json: ${{ secrets.GCP }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     permissions: {id-token: write}
//!     steps:
//!       - uses: aws-actions/configure-aws-credentials@v4
//!         with:
//!           role-to-assume: ${{ secrets.AWS_ROLE }}
//!       - uses: google-github-actions/auth@v2
//!         with:
//!           workload_identity_provider: ${{ secrets.PROVIDER }}
//!       - uses: azure/login@v2
//!         with:
//!           client-id: ${{ secrets.AZURE_CLIENT_ID }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 7 findings in 7 of them. In 11 further ones: 4. Read by eye: 11, false: 0.
//! Ledger: `docs/evidence/secret-static-cloud-key.tsv`.

use crate::model::finding::{Findings, Remedy};
use crate::model::pipeline::{Assignment, Pipeline, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Advice, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::place::listed;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-static-cloud-key",
    group: Group::Secret,
    summary: "a cloud is opened by a stored key where the job could have an identity",
    levels: &[("key", levels(Advice, Info, Warning))],
    since: "0.1.0",
    check,
};

/// Variables and inputs that hold a long-lived key of a cloud, in lower case and without marks.
const KEYS: &[&str] = &[
    "awssecretaccesskey", "credentialsjson", "serviceaccountkey", "gcpsakey", "gcpserviceaccountkey", "googlecredentials", "gcpcredentials",
    "azurecredentials", "azureclientsecret", "armclientsecret", "googleapplicationcredentialsjson",
];

fn check(project: &Project, findings: &mut Findings) {
    let mut found: Vec<(&Assignment, &Pipeline)> = Vec::new();
    for facts in project.facts.iter().filter(|facts| facts.source.is_some_and(|source| !project.asleep(source))) {
        for pipeline in facts.pipelines.iter().chain(&facts.components).filter(|one| !one.system.identity.is_empty()) {
            found.extend(assignments(pipeline).filter(|one| is_key(one)).map(|one| (one, pipeline)));
        }
    }
    let Some((first, pipeline)) = found.first() else { return };
    let names = listed(found.iter().flat_map(|(one, _)| secrets(one)).map(String::as_str));
    let places = match found.len() {
        1 => String::new(),
        count => format!(" ({count} places)"),
    };
    let opens = if names.contains(" and ") { "open clouds with keys that are stored and do" } else { "opens a cloud with a key that is stored and does" };
    let message = format!("{names} {opens} not expire{places}; {} gives jobs an identity", pipeline.system.name);
    let mut finding = Findings::finding(&RULE, "key", first.at, message)
        .help(format!("use {}", pipeline.system.identity))
        .about("", "cloud key");
    for (one, _) in &found[1..] {
        finding = finding.label(one.at, format!("`{}`", one.name));
    }
    let rewrite = pipeline.system.secrets.rewrites.cloud;
    findings.push(if rewrite.is_empty() { finding } else { finding.remedy(Remedy::Guide(rewrite.to_string())) });
}

fn assignments(pipeline: &Pipeline) -> impl Iterator<Item = &Assignment> {
    let jobs = pipeline.jobs.iter().flat_map(|job| {
        let steps = job.steps.iter().flat_map(|step| {
            let inputs: &[Assignment] = match &step.kind {
                StepKind::Uses { inputs, .. } => inputs,
                _ => &[],
            };
            step.env.iter().chain(inputs)
        });
        job.env.iter().chain(steps)
    });
    pipeline.env.iter().chain(jobs)
}

fn secrets(one: &Assignment) -> &[String] {
    match &one.value {
        Value::Secret { names, .. } => names,
        _ => &[],
    }
}

/// By the name of the variable or input, or by that of the secret in it.
fn is_key(one: &Assignment) -> bool {
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let named = |name: &str| {
        let name = plain(name);
        KEYS.iter().any(|key| name == *key || name.ends_with(key))
    };
    !secrets(one).is_empty() && (named(&one.name) || secrets(one).iter().any(|name| named(name)))
}

//! # What it finds
//!
//! A secret in the variables of a whole workflow or pipeline: every step of every job can read it.
//!
//! # Why
//!
//! A gate should be able to print its whole environment at the top of the log, and with a secret in it that is a leak. Masks are no cure: they
//! know exact values only, and not in artifacts, comments and caches. Whatever runs in any job inherits the variable: tests, plugins,
//! `setup.py` of a dependency, other people's actions.
//!
//! # What is not a finding
//!
//! - A question about a secret (`HAS_TOKEN: ${{ secrets.TOKEN != '' }}`): no value flows.
//! - A workflow with one job: there it is the scope of the job (`secret-env-job-scope`).
//! - `GITHUB_TOKEN` and other tokens that end with the job, in `default`.
//! - Names in `secrets.allow` of the configuration.
//!
//! # What to do
//!
//! Move it to the one step that reads it, or write it to a private file there and hand over the path. For clouds and for PyPI no
//! long-lived secret is needed at all. `--unsafe-fixes` moves it to the steps that read it (on systems without variables of a step: the jobs),
//! when these are three at most.
//!
//! # Levels
//!
//! `error`. One level lower for upload tokens and other secrets that do little harm (`secrets.low-sensitivity`), for plain configuration by
//! name, and where every job stands behind a protected environment that no patch can start. Job tokens: `info` in `strict` and `audit`,
//! nothing where `permissions` let the token change nothing.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! env:
//!   T: ${{ secrets.T }}
//! jobs:
//!   lint:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ruff check .
//!   upload:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./upload "$T"
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! variables:
//!   DEPLOY_TOKEN: $PROD_TOKEN
//! test:
//!   script: pytest
//! deploy:
//!   script: ./deploy
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! env:
//!   HAS: ${{ secrets.T != '' }}
//!   WORD: ${{ secrets.T && 'true' || 'false' }}
//!   REGION: ${{ vars.REGION }}
//! jobs:
//!   lint:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ruff check .
//!   upload:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./upload
//!         env:
//!           T: ${{ secrets.T }}
//! ```
//!
//! ```yaml .github/workflows/one.yml good
//! on: push
//! env:
//!   T: ${{ secrets.T }}
//! jobs:
//!   only:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./upload
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 1 finding in 1 of them. In 11 further ones: 6. Read by eye: 10, false: 0.
//! Ledger: `docs/evidence/secret-env-workflow-scope.tsv`.

use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Off};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::place::{advice, are, listed, shown};
use crate::model::secrets::narrow::{self, Place};
use crate::model::secrets::{Company, Held, Weight};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-env-workflow-scope",
    group: Group::Secret,
    summary: "a secret is in the variables of a whole workflow",
    levels: &[("secret", levels(Error, Error, Error)), ("job-token", levels(Off, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for pipeline in project.pipelines() {
        let company = Company::of_pipeline(project, pipeline);
        if company.jobs < 2 {
            continue;
        }
        let wide: Vec<&Assignment> = pipeline.env.iter().filter(|one| one.scope == Scope::Pipeline).collect();
        let held = Held::sort(project, wide);
        if !held.secrets.is_empty() {
            let mut finding = report(project, pipeline, &company, "secret", &held.secrets);
            finding.levels = Weight::new(held.harm, &company).weigh(finding.levels);
            findings.push(finding);
        }
        if !held.tokens.is_empty() && pipeline.jobs.iter().any(|job| job.token_writes) {
            findings.push(report(project, pipeline, &company, "job-token", &held.tokens));
        }
    }
}

fn report(project: &Project, pipeline: &Pipeline, company: &Company, kind: &str, held: &[&Assignment]) -> Finding {
    let names: Vec<&str> = held.iter().map(|one| one.name.as_str()).collect();
    let users: Vec<(&str, &str)> = users(project, pipeline, &names);
    let jobs = company.jobs;
    let named = match users.len() {
        0 => "no step is seen to read it".to_string(),
        1 => "one step reads it".to_string(),
        count => format!("{count} steps read it"),
    };
    let named = if names.len() > 1 { named.replace(" it", " them") } else { named };
    let all = if jobs == 2 { "both jobs".to_string() } else { format!("all {jobs} jobs") };
    let message = format!(
        "{} {} in the environment of {all} ({} steps{}), and {named}; whatever prints its environment in any of them prints {}",
        listed(names.iter().copied()),
        are(names.len()),
        company.steps,
        company.words(),
        if names.len() == 1 { "it" } else { "them" },
    );
    let step = match users.as_slice() {
        [(_, step)] => Some(*step),
        _ => None,
    };
    let mut finding = Findings::finding(&RULE, kind, held[0].at, message)
        .help(advice(pipeline.system, &names, step, false))
        .about(&held[0].key, names.join(" "));
    for other in &held[1..] {
        finding = finding.label(other.at, format!("{} too", shown(&other.name)));
    }
    match moved(project, pipeline, held) {
        Some(edits) => finding.remedy(Remedy::Replace { edits, safety: Safety::Unsafe }),
        None => finding,
    }
}

/// Into the steps that read them, or the jobs where a step has no variables of its own.
fn moved(project: &Project, pipeline: &Pipeline, held: &[&Assignment]) -> Option<Vec<Edit>> {
    // Conditions of jobs and steps are read before any narrower variable is there.
    let asked = |job: &Job| held.iter().any(|one| !project.usage(job, &one.name).conditions.is_empty());
    if pipeline.jobs.iter().any(asked) {
        return None;
    }
    let first = pipeline.jobs.first()?;
    if pipeline.system.secrets.steps {
        let steps: Vec<Place> = pipeline.jobs.iter().flat_map(|job| Place::of_steps(project, job, held)).collect();
        if let Some(edits) = narrow::into(project, pipeline, first, &steps, held) {
            return Some(edits);
        }
    }
    let jobs: Vec<Place> = pipeline.jobs.iter().filter_map(|job| Place::of_job(project, job, held)).collect();
    // In a job where steps have variables of their own, it would only be the next finding.
    let reading = pipeline.jobs.iter().filter(|job| Place::of_job(project, job, held).is_some());
    let apart = !pipeline.system.secrets.steps || reading.into_iter().all(|job| job.steps.len() == 1);
    if apart { narrow::into(project, pipeline, first, &jobs, held) } else { None }
}

/// Steps that name one of the variables: job and step.
fn users<'p>(project: &Project, pipeline: &'p Pipeline, names: &[&str]) -> Vec<(&'p str, &'p str)> {
    let mut users = Vec::new();
    for job in &pipeline.jobs {
        let mut steps: Vec<usize> = names.iter().flat_map(|name| project.usage(job, name).steps).collect();
        steps.sort_unstable();
        steps.dedup();
        users.extend(steps.into_iter().map(|index| (job.id.as_str(), job.steps[index].name.as_str())));
    }
    users
}

//! # What it finds
//!
//! A repository whose tests are run by CI, but never for a proposed patch: only after the merge, at night, or by hand.
//!
//! # Why
//!
//! The gate should say before the merge whether a patch breaks something. Tests that run after it tell everybody else first.
//!
//! # What is not a finding
//!
//! - At least one job with tests can be started by a pull request, a merge request or a merge queue, or it cannot be told:
//!   conditions that an expression decides, reusable pipelines and included files that cannot be seen.
//! - Pushes to every branch: contributors of the repository see the result on their branch. This is `info`, because patches from
//!   forks are not tested.
//! - Repositories without a job that is known to run tests.
//!
//! # What to do
//!
//! Add `pull_request:` to `on:` of the workflow that tests (and `merge_group:` where a merge queue is used); in GitLab a rule for
//! `$CI_PIPELINE_SOURCE == "merge_request_event"`.
//!
//! # Levels
//!
//! `warning` in `default`, `error` in `strict` and `audit`; `info` everywhere when pushes to every branch run the tests.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on:
//!   push:
//!     branches: [main]
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: [push, pull_request]
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//! ```
//!
//! ```yaml .github/workflows/nightly.yml with
//! on:
//!   schedule:
//!     - cron: "0 3 * * *"
//! jobs:
//!   long:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v long
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 61 further ones: 4. Read by eye: 4, false: 0. Ledger:
//! `docs/evidence/gate-not-on-patch.tsv`.

use crate::model::check::checks_of;
use crate::model::finding::Findings;
use crate::model::pipeline::{Job, Pipeline};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::CheckKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "gate-not-on-patch",
    group: Group::Gate,
    summary: "tests run, but never for a proposed patch",
    levels: &[("never", levels(Warning, Error, Error)), ("branches", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let awake = |pipeline: &Pipeline| !project.asleep(pipeline.at.source);
    let tests: Vec<(&Pipeline, &Job)> = project
        .jobs()
        .filter(|(pipeline, job)| awake(pipeline) && checks_of(job, CheckKind::Test).next().is_some())
        .collect();
    // A patch may start what cannot be seen: another pipeline, an include, something with another name for tests.
    let hidden = project.pipelines().filter(|pipeline| awake(pipeline)).any(|pipeline| {
        let calls = pipeline.jobs.iter().any(|job| job.calls.is_some() && job.on_patch != Some(false));
        pipeline.triggers.unseen || !pipeline.unseen.is_empty() || pipeline.triggers.patch && calls
    });
    let reached = tests.iter().any(|(_, job)| job.on_patch != Some(false));
    let Some((pipeline, job)) = tests.first().filter(|_| !hidden && !reached) else { return };
    if runs_elsewhere(project) {
        return;
    }
    let on_branches = tests.iter().any(|(pipeline, _)| {
        pipeline.triggers.push.as_ref().is_some_and(|push| push.branches.is_empty() && !push.tags_only)
    });
    let (kind, when) = match on_branches {
        true => ("branches", "pushed branches are tested, patches from forks are not"),
        false => ("never", "a patch is merged before anybody knows whether it breaks something"),
    };
    let message = format!("job `{}` runs the tests, and no proposed patch starts it: {when}", job.id);
    let mut finding = Findings::finding(&RULE, kind, job.at, message)
        .help("start it by patches too: `pull_request:` under `on:`, in GitLab a rule for `merge_request_event`")
        .about(job.key.clone(), job.id.clone());
    for (other, job) in tests.iter().skip(1) {
        finding = finding.label(job.at, format!("job `{}` of {} runs tests as well", job.id, other.name));
    }
    let _ = pipeline;
    findings.push(finding);
}

/// Whether a job that patches start runs scripts of which nothing is known: they may well be the tests.
fn runs_elsewhere(project: &Project) -> bool {
    project.gate_commands().iter().any(|site| {
        let on_patch = site.job.is_some_and(|job| job.on_patch != Some(false));
        on_patch && site.command.deeds.iter().any(|deed| {
            use crate::model::script::Deed;
            matches!(deed, Deed::Call(_) | Deed::RunEntry { .. } | Deed::UseImage(_))
        })
    })
}

//! # What it finds
//!
//! The step or setting that keeps logs, test reports or coverage, after tests, and is skipped exactly when the tests fail.
//!
//! # Why
//!
//! A report is read when something is red. A step after a failing one does not run unless its condition says so.
//!
//! # What is not a finding
//!
//! - A condition with `always()`, `failure()`, `!cancelled()` or `success()`, or for pushes and branches only; GitLab's `artifacts:reports` and `when: always`.
//! - Artifacts that are products: wheels, images, documentation, whatever does not speak of logs, reports or test results.
//! - Coverage data that a later job downloads and puts together: it does so only when all passed.
//! - Steps before the tests, and jobs without tests.
//!
//! # What to do
//!
//! GitHub: `if: ${{ !cancelled() }}` at the step. GitLab: `artifacts: when: always`.
//!
//! # Levels
//!
//! `warning` in `default`, `error` in `strict` and `audit`. Coverage alone is `info` in `default`, `warning` in `strict`, `error` in
//! `audit`: many projects want no coverage of a failing run.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --junitxml=junit.xml
//!       - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
//!         with:
//!           name: reports
//!           path: junit.xml
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --junitxml=junit.xml
//!       - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
//!         if: ${{ !cancelled() }}
//!         with:
//!           name: reports
//!           path: junit.xml
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//!       - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
//!         with:
//!           name: wheel
//!           path: dist/*.whl
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 17 findings in 12 of them. In 61 further ones: 20. All are coverage (`info` in
//! `default`). Read by eye: 27, false: 0. Ledger: `docs/evidence/report-lost-on-failure.tsv`.

use crate::model::check::{checks_of, is_on_patch};
use crate::model::edit::Edit;
use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Job, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::CheckKind;
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "report-lost-on-failure",
    group: Group::Log,
    summary: "logs and reports are kept only when nothing failed",
    levels: &[("report", levels(Warning, Error, Error)), ("coverage", levels(Info, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for (pipeline, job) in project.jobs() {
        let Some((first, _)) = checks_of(job, CheckKind::Test).next() else { continue };
        if !is_on_patch(pipeline, job) || project.asleep(pipeline.at.source) {
            continue;
        }
        if pipeline.system.keeps_on_success {
            kept_on_success(job, findings);
        } else {
            let gathers = pipeline.jobs.iter().any(|job| fetches(project, job));
            job.steps.iter().skip(first + 1).for_each(|step| skipped(project, step, gathers, findings));
        }
    }
}

/// Whether a job takes what others uploaded: data of coverage is put together there, when all of them passed.
fn fetches(project: &Project, job: &Job) -> bool {
    job.steps.iter().any(|step| match &step.kind {
        StepKind::Uses { component, .. } => project.reference(*component).subject.name.ends_with("/download-artifact"),
        _ => false,
    })
}

/// What kind of thing a path or name speaks of.
fn kind(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let parts = || text.split(|c: char| !c.is_ascii_alphanumeric());
    let product = ["dist", "wheel", "wheels", "whl", "sdist", "docs", "site", "image", "package", "packages", "benchmark", "benchmarks"];
    if parts().any(|part| product.contains(&part)) {
        return None;
    }
    if text.contains("coverage") || text.contains("htmlcov") || text.contains(".cov") {
        return Some("coverage");
    }
    let whole = ["log", "logs", "junit", "screenshot", "screenshots", "report", "reports", "results", "failures", "traces"];
    let within = ["junit", "test-result", "test_result", "testresult", "test-report", "test_report", "testreport"];
    let speaks = parts().any(|part| whole.contains(&part)) || within.iter().any(|word| text.contains(word));
    speaks.then_some("report")
}

fn input<'s>(inputs: &'s [Assignment], name: &str) -> &'s str {
    inputs.iter().find(|input| input.name.eq_ignore_ascii_case(name)).map_or("", |input| match &input.value {
        Value::Literal(text) | Value::Expression(text) => text.as_str(),
        Value::Secret { .. } => "",
    })
}

/// What a step keeps, if it is one that keeps something.
fn keeps(project: &Project, step: &Step) -> Option<&'static str> {
    let StepKind::Uses { component, inputs } = &step.kind else { return None };
    let action = project.reference(*component).subject.name.to_ascii_lowercase();
    match action.as_str() {
        "codecov/codecov-action" if input(inputs, "report_type") == "test_results" => Some("report"),
        "codecov/codecov-action" | "coverallsapp/github-action" | "codacy/codacy-coverage-reporter-action" => Some("coverage"),
        "codecov/test-results-action"
        | "dorny/test-reporter"
        | "enricomi/publish-unit-test-result-action"
        | "mikepenz/action-junit-report"
        | "pmeier/pytest-results-action"
        | "test-summary/action"
        | "datadog/junit-upload-github-action" => Some("report"),
        _ if action.ends_with("/upload-artifact") => {
            let path = kind(input(inputs, "path"));
            path.and_then(|found| kind(input(inputs, "name")).or(Some(found)).filter(|_| !is_product(input(inputs, "name"))))
        }
        _ => None,
    }
}

fn is_upload(project: &Project, step: &Step) -> bool {
    matches!(&step.kind, StepKind::Uses { component, .. } if project.reference(*component).subject.name.ends_with("/upload-artifact"))
}

fn is_product(name: &str) -> bool {
    !name.is_empty() && name.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|part| matches!(part, "dist" | "wheel" | "wheels" | "docs" | "image"))
}

fn skipped(project: &Project, step: &Step, gathers: bool, findings: &mut Findings) {
    let Some(kind) = keeps(project, step) else { return };
    if kind == "coverage" && gathers && is_upload(project, step) {
        return;
    }
    let condition = step.condition.as_ref().map_or("", |condition| condition.text.as_str());
    // `success()` written out is a decision.
    let decided = ["always()", "failure()", "cancelled()", "success()"].iter().any(|call| condition.contains(call));
    if decided || condition.trim() == "false" || is_for_others(condition) {
        return;
    }
    let StepKind::Uses { component, .. } = &step.kind else { return };
    let at = project.reference(*component).site.whole;
    let what = if kind == "coverage" { "coverage" } else { "the report" };
    let message = format!("this step keeps {what}, comes after the tests, and is skipped when they fail: it is lost when it is needed");
    let mut finding = Findings::finding(&RULE, kind, at, message)
        .help("add `if: ${{ !cancelled() }}` to the step")
        .about(step.key.clone(), project.reference(*component).subject.name.clone());
    if let Some(edit) = edit(project, step, at) {
        finding = finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Safe });
    }
    findings.push(finding);
}

/// Whether a condition asks for an event that is no patch, or for a branch.
fn is_for_others(condition: &str) -> bool {
    let event = condition.contains("event_name ==") && !condition.contains("pull_request") && !condition.contains("merge_group");
    event || condition.contains("github.ref ==") || condition.contains("github.ref_name ==")
}

/// A condition of its own, or the one that is there with `!cancelled()` before it.
fn edit(project: &Project, step: &Step, at: Location) -> Option<Edit> {
    if let Some(condition) = &step.condition {
        let text = condition.text.trim();
        let inner = match text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) {
            Some(inner) => inner.trim(),
            None => text,
        };
        let plain = condition.verbatim && !inner.contains("${{") && !inner.contains('\n') && !inner.contains(['"', '#']);
        return plain.then(|| Edit::replace(condition.at, format!("${{{{ !cancelled() && ({inner}) }}}}")));
    }
    let source = project.source(at.source);
    let line = source.line_span(source.line_of(at.span.start));
    let text = source.line_text(source.line_of(at.span.start));
    let indent = text.len() - text.trim_start_matches(' ').len();
    let rest = &text[indent..];
    let (dash, rest) = match rest.strip_prefix("- ") {
        Some(rest) => (2 + rest.len() - rest.trim_start_matches(' ').len(), rest.trim_start_matches(' ')),
        None => (0, rest),
    };
    let blanks = " ".repeat(indent + dash);
    let place = Location::new(at.source, Span::empty(line.end as usize));
    rest.starts_with("uses:").then(|| Edit::replace(place, format!("\n{blanks}if: ${{{{ !cancelled() }}}}")))
}

/// GitLab keeps artifacts of a job that succeeded, unless it is told otherwise.
fn kept_on_success(job: &Job, findings: &mut Findings) {
    for artifact in job.artifacts.iter().filter(|artifact| !artifact.on_failure && !artifact.report) {
        let found = artifact.paths.iter().filter_map(|path| kind(path)).min_by_key(|kind| *kind == "coverage");
        let Some(kind) = found else { continue };
        let message = format!("job `{}` keeps what its tests wrote only when they pass: it is lost when it is needed", job.id);
        let finding = Findings::finding(&RULE, kind, artifact.at, message);
        findings.push(finding.help("add `when: always` to `artifacts`").about(job.key.clone(), "artifacts"));
    }
}

//! # What it finds
//!
//! Jobs of the gate that run pytest, tox or nox and leave no machine-readable report of their tests. One finding per repository; its
//! labels are the jobs.
//!
//! # Why
//!
//! CI is the only one that sees every run. Which test failed how often, and which became slow, can be asked later only if each run
//! wrote it down in a form that a program reads.
//!
//! # What is not a finding
//!
//! - A job with a command, an input or a kept file that speaks of JUnit or of test results, or a report log.
//! - A repository whose configuration (`addopts`, tox, scripts that CI calls) or a plugin of pytest (`pytest-azurepipelines`) writes a report.
//! - A repository in which at least half of the test jobs report.
//! - Jobs that no proposed patch starts, and jobs without such a test command.
//!
//! # What to do
//!
//! Add `--junitxml=junit.xml` to the pytest command and keep the file also when tests fail. GitHub: `actions/upload-artifact` with
//! `if: ${{ !cancelled() }}`. GitLab: `artifacts:reports:junit`. With tox: `pytest --junitxml=junit-{envname}.xml`. There is
//! no automatic edit: a report that no step keeps is of no use.
//!
//! # Levels
//!
//! `advice` in `default` and `strict`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//! ```
//!
//! ```yaml azure-pipelines.yml good
//! steps:
//! - script: pip install pytest pytest-azurepipelines
//! - script: pytest
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --junitxml=junit.xml
//!       - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
//!         if: ${{ !cancelled() }}
//!         with:
//!           path: junit.xml
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 23 findings in 23 of them. Read by eye: 21, false: 0. Ledger:
//! `docs/evidence/test-no-junit.tsv`.

use crate::model::check::{checks_of, is_on_patch};
use crate::model::finding::{Findings, Remedy};
use crate::model::pipeline::{Assignment, Job, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Advice, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{CheckKind, Command};

/// The rule.
pub static RULE: Rule = Rule {
    id: "test-no-junit",
    group: Group::Gate,
    summary: "tests leave no machine-readable report",
    levels: &[("report", levels(Advice, Advice, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    if configured(project) {
        return;
    }
    let mut members = Vec::new();
    let mut tests = 0;
    for (pipeline, job) in project.jobs() {
        let counts = is_on_patch(pipeline, job) && !project.asleep(pipeline.at.source);
        let test = checks_of(job, CheckKind::Test).find(|(_, command)| is_known(command));
        let Some((_, command)) = test.filter(|_| counts) else { continue };
        tests += 1;
        if !reports(project, job) {
            members.push((pipeline.system, job, command));
        }
    }
    // Where most test jobs report, the practice is there.
    let Some((system, _, command)) = members.first().filter(|_| 2 * members.len() > tests) else { return };
    let message = format!(
        "{} of {tests} jobs with tests leave no machine-readable report: nobody can ask later which test failed how often",
        members.len()
    );
    let snippet = system.keeps_report;
    let mut finding = Findings::finding(&RULE, "report", command.at, message)
        .help(format!("let pytest write one and keep it: `{snippet}`"))
        .remedy(Remedy::Guide(snippet.to_string()))
        .about("", "junit");
    for (_, job, command) in members.iter().skip(1) {
        finding = finding.label(command.at, format!("job `{}`", job.id));
    }
    findings.push(finding);
}

/// Runners of which it is known how they write a report.
fn is_known(command: &Command) -> bool {
    command.check().is_some_and(|check| matches!(check.program(), "pytest" | "py.test" | "tox" | "nox"))
}

const WORDS: &[&str] = &["junit", "test-results", "test_results", "test-report", "test_report", "report-log", "xunit", "nunit", "allure", "json-report"];

/// A plugin of pytest that writes a report and hands it to Azure Pipelines where it is installed.
/// <https://pypi.org/project/pytest-azurepipelines/>
const PLUGIN: &str = "pytest-azurepipelines";

fn speaks(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

fn said(command: &Command) -> bool {
    command.words.iter().any(|word| speaks(&word.text.text)) || command.assigns.iter().any(|(_, value)| speaks(&value.text))
}

/// Whether configuration or a called script writes a report.
fn configured(project: &Project) -> bool {
    let settings = project.manifests().flat_map(|manifest| &manifest.settings).any(|(_, text)| speaks(&text.text));
    let standing = project.facts.iter().filter(|facts| facts.source.is_some_and(|source| project.judged(source)));
    let plugin = project.references().any(|(_, reference)| reference.subject.name == PLUGIN && !project.asleep(reference.site.whole.source));
    settings || plugin || standing.flat_map(|facts| &facts.scripts).flat_map(|(_, script)| &script.commands).any(said)
}

fn reports(project: &Project, job: &Job) -> bool {
    let env = |list: &[Assignment]| {
        list.iter().any(|assignment| match &assignment.value {
            Value::Literal(text) | Value::Expression(text) => speaks(text),
            Value::Secret { .. } => false,
        })
    };
    let steps = job.steps.iter().any(|step| {
        let does = match &step.kind {
            StepKind::Run(script) => script.commands.iter().any(said),
            StepKind::Uses { component, inputs } => {
                speaks(&project.reference(*component).subject.name) || env(inputs)
            }
            StepKind::Other => false,
        };
        does || env(&step.env)
    });
    steps || env(&job.env) || job.artifacts.iter().any(|artifact| artifact.report)
}

//! # What it finds
//!
//! Tests that are run again until they pass: `pytest --reruns`, `pytest … || pytest --last-failed`, a retry action around a test
//! command, `retry:` of a whole job.
//!
//! # Why
//!
//! A test that fails one time in ten says something true one time in ten. A retry makes the gate quick to forgive, and
//! the flaw stays until it is frequent enough to fail three times in a row. The retry is fine if someone watches the count: see
//! `test-reruns-unrecorded`.
//!
//! # What is not a finding
//!
//! - Retries of downloads, installs and image pulls.
//! - A job's retry that is limited to failures of the infrastructure (`when: runner_system_failure`).
//! - `--reruns 0`, `--reruns-delay` alone, `--last-failed` as a first run.
//!
//! # What to do
//!
//! Mark the few tests that flake (`@pytest.mark.flaky`), record each attempt (`--report-log`), and limit the retry of jobs to
//! failures of the infrastructure.
//!
//! # Levels
//!
//! `info` in `default`, `warning` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --reruns 3
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v || pytest -v --last-failed
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: nick-fields/retry@ce71cc2ab81d554ebbe88c79ab5975992d79ba08 # v3.0.2
//!         with:
//!           max_attempts: 3
//!           timeout_minutes: 20
//!           command: tox -e py312
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: nick-fields/retry@ce71cc2ab81d554ebbe88c79ab5975992d79ba08 # v3.0.2
//!         with:
//!           max_attempts: 3
//!           timeout_minutes: 20
//!           command: pip install -r requirements-pytest.txt
//!       - run: pytest -v --reruns 0 || exit 1
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 2 findings in 1 of them. In 61 further ones: 8. Read by eye: 10, false: 0.
//! Ledger: `docs/evidence/test-retry-hides-flake.tsv`.

use crate::model::check::is_on_patch;
use crate::model::finding::Findings;
use crate::model::pipeline::{Job, Setting, Step, StepKind, Value};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{CheckKind, Command, Join, Nest};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "test-retry-hides-flake",
    group: Group::Gate,
    summary: "tests are run again until they pass",
    levels: &[("retry", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.gate_commands() {
        let Some(check) = site.check().filter(|check| check.kind == CheckKind::Test) else { continue };
        let key = site.step.map_or(String::new(), |step| step.key.clone());
        if let Some(how) = reruns(site.command).or_else(|| again(&site, check.tool)) {
            report(findings, site.command.at, check.tool, &how, key);
        }
    }
    for (pipeline, job) in project.jobs() {
        if is_on_patch(pipeline, job) && !project.asleep(pipeline.at.source) {
            retried_job(job, findings);
            for step in &job.steps {
                retried_step(project, step, findings);
            }
        }
    }
    settings(project, findings);
}

fn report(findings: &mut Findings, at: Location, tool: &str, how: &str, key: String) {
    let message = format!("`{tool}` {how}: a test that fails now and then is green, and nobody sees how often");
    let help = "mark the tests that flake one by one, and record every attempt (`--report-log`)";
    findings.push(Findings::finding(&RULE, "retry", at, message).help(help).about(key, tool));
}

/// `--reruns N` and its like.
fn reruns(command: &Command) -> Option<String> {
    let check = command.check()?;
    let arguments: Vec<&str> = check.arguments.iter().map(|word| word.text.text.as_str()).collect();
    arguments.iter().enumerate().find_map(|(index, text)| {
        let (name, value) = text.split_once('=').unwrap_or((text, arguments.get(index + 1).copied().unwrap_or("")));
        let again = matches!(name, "--reruns" | "--force-flaky" | "--flaky-test-attempts" | "--retries" | "--max-reruns");
        (again && value != "0").then(|| format!("runs failed tests again (`{name}`)"))
    })
}

/// The same test command again after `||`, or a loop that ends at the first success.
fn again(site: &Site, tool: &str) -> Option<String> {
    let next = site.script.next(site.index).map(|at| &site.script.commands[at])?;
    let command = site.command;
    let same = next.check().is_some_and(|check| check.tool == tool);
    if command.join == Join::Or && same {
        return Some("is run again after `||`".to_string());
    }
    let breaks = next.words.first().is_some_and(|word| word.text.text == "break");
    let in_loop = command.nesting.contains(&Nest::Loop);
    (command.join == Join::And && breaks && in_loop).then(|| "is run in a loop until it passes".to_string())
}

fn retried_job(job: &Job, findings: &mut Findings) {
    let Setting::Plain(count, at) = job.retry else { return };
    let tool = job.steps.iter().find_map(|step| match &step.kind {
        StepKind::Run(script) => script.commands.iter().find_map(|command| {
            command.check().filter(|check| check.kind == CheckKind::Test).map(|check| check.tool.to_string())
        }),
        _ => None,
    });
    if let Some(tool) = tool.filter(|_| count > 0) {
        let times = if count == 1 { "once".to_string() } else { format!("{count} times") };
        report(findings, at, &tool, &format!("is run again with its whole job, {times} at most"), job.key.clone());
    }
}

/// An action that runs a command until it succeeds.
fn retried_step(project: &Project, step: &Step, findings: &mut Findings) {
    let StepKind::Uses { component, inputs } = &step.kind else { return };
    let name = project.reference(*component).subject.name.to_ascii_lowercase();
    let retries = name.rsplit('/').next().is_some_and(|name| name.contains("retry"));
    if !retries {
        return;
    }
    for input in inputs.iter().filter(|input| matches!(input.name.as_str(), "command" | "run")) {
        let (Value::Literal(text) | Value::Expression(text)) = &input.value else { continue };
        if let Some(tool) = tested_by(text) {
            report(findings, input.at, tool, "is run by an action that tries again", step.key.clone());
        }
    }
}

/// The test runner that a command text starts, as far as its words tell.
fn tested_by(text: &str) -> Option<&'static str> {
    let runners = ["pytest", "tox", "nox", "ctest", "jest", "vitest"];
    let is_install = |line: &str| line.contains("install") || line.contains("pull");
    let mut words = text.lines().filter(|line| !is_install(line)).flat_map(str::split_whitespace);
    words.find_map(|word| runners.into_iter().find(|runner| word.rsplit('/').next() == Some(*runner)))
}

/// `addopts = --reruns 2`, when the gate runs pytest.
fn settings(project: &Project, findings: &mut Findings) {
    let runs = project.gate_commands().iter().any(|site| site.check().is_some_and(|check| check.kind == CheckKind::Test));
    for manifest in project.manifests().filter(|manifest| runs && project.judged(manifest.at.source)) {
        for (name, text) in manifest.settings.iter().filter(|(name, _)| name == "pytest.addopts") {
            let mut words = text.text.split_whitespace().skip_while(|word| !word.starts_with("--reruns") || *word == "--reruns-delay");
            let Some(flag) = words.next().filter(|flag| !flag.starts_with("--reruns-delay")) else { continue };
            let count = flag.split_once('=').map(|(_, count)| count).or(words.next()).unwrap_or("");
            if count != "0" {
                report(findings, text.at, "pytest", "runs failed tests again by its configuration", name.clone());
            }
        }
    }
}

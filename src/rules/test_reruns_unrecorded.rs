//! # What it finds
//!
//! `pytest --reruns` whose only record is a JUnit file.
//!
//! # Why
//!
//! pytest's JUnit writer knows passed, failed and skipped; an attempt that is run again is none of them. The file shows a clean pass, and
//! the history that should tell flaky tests from good ones is blind.
//!
//! # What is not a finding
//!
//! - Reruns with a report of every attempt: `--report-log`, `--json-report`, `--report-json`, `--csv`, a recording plugin (`-p`).
//! - Reruns without any report (`test-no-junit` and `test-retry-hides-flake` speak of that).
//!
//! # What to do
//!
//! Add `--report-log=reruns.jsonl` (plugin `pytest-reportlog`) and keep the file with the JUnit report.
//!
//! # Levels
//!
//! `warning` in every profile.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --reruns 2 --junitxml=junit.xml
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --reruns 2 --junitxml=junit.xml --report-log=reruns.jsonl
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. Ten files that come near stay clean. Ledger:
//! `docs/evidence/test-reruns-unrecorded.tsv`.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Warning;
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::CheckKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "test-reruns-unrecorded",
    group: Group::Gate,
    summary: "tests are run again and the report does not say so",
    levels: &[("reruns", levels(Warning, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.gate_commands() {
        let Some(check) = site.check().filter(|check| check.kind == CheckKind::Test) else { continue };
        let has = |names: &[&str]| {
            check.arguments.iter().any(|word| names.contains(&word.text.text.split('=').next().unwrap_or("")))
        };
        let records = has(&["--report-log", "--json-report", "--json-report-file", "--report-json", "--csv", "--html", "-p", "--alluredir"]);
        let none = check.arguments.iter().any(|word| word.text.text == "--reruns=0");
        if !has(&["--reruns"]) || !has(&["--junitxml", "--junit-xml"]) || records || none {
            continue;
        }
        let message = "pytest runs failed tests again, and the JUnit file does not know it: a flaky test looks like one that passed";
        let help = "add `--report-log=reruns.jsonl` (plugin `pytest-reportlog`) and keep that file too";
        let key = site.step.map_or(String::new(), |step| step.key.clone());
        findings.push(Findings::finding(&RULE, "reruns", site.command.at, message).help(help).about(key, check.tool));
    }
}

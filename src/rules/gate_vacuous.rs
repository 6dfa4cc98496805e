//! # What it finds
//!
//! A test that cannot turn red: `pytest --collect-only` as the only test of the gate, an exit code 5 ("no tests were found") that counts
//! as success, and test jobs or steps that are switched off by `if: false` or `when: never` while no other test runs.
//!
//! # Why
//!
//! A green step that tested nothing looks like one that did. When a path is renamed and pytest finds nothing, the gate should
//! say so.
//!
//! # What is not a finding
//!
//! - `--collect-only` whose output is used (a pipe, a file, `$(…)`), or beside real tests in any job.
//! - A single job or step that is switched off while others test: that is `info`.
//! - Paths of tests are not looked up: Python files are not read.
//!
//! # What to do
//!
//! Run the tests; let pytest fail when it collects none; delete what is switched off.
//!
//! # Levels
//!
//! `error` in every profile; `info` where other tests run in the gate beside the one that is switched off or may find nothing.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest --collect-only tests
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v tests || [ $? -eq 5 ]
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     if: false
//!     steps:
//!       - run: pytest -v tests
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest --collect-only -q tests > list
//!       - run: pytest --collect-only tests
//!       - run: pytest -v tests
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 61 further ones: 1. Read by eye: 1, false: 0. Ledger:
//! `docs/evidence/gate-vacuous.tsv`.

use crate::model::check::{checks_of, is_on_patch};
use crate::model::finding::Findings;
use crate::model::pipeline::Job;
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{CheckKind, Command, Deed, Join, Nest};
use crate::model::text::Text;

/// The rule.
pub static RULE: Rule = Rule {
    id: "gate-vacuous",
    group: Group::Gate,
    summary: "a test that cannot turn red",
    levels: &[("never fails", levels(Error, Error, Error)), ("one of several", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let sites = project.gate_commands();
    // Counted once: every site asks whether there is a test besides it.
    let is_test = |site: &Site| site.check().is_some_and(|check| check.kind == CheckKind::Test);
    let mut tests: Vec<*const Command> =
        sites.iter().filter(|site| is_test(site)).map(|site| std::ptr::from_ref(site.command)).collect();
    tests.sort();
    tests.dedup();
    for site in &sites {
        if tests.is_empty() {
            collects_only(site, findings);
        }
        if is_pytest(site.command) {
            let other = tests.len() > usize::from(tests.binary_search(&std::ptr::from_ref(site.command)).is_ok());
            accepts_none(site, other, findings);
        }
    }
    switched_off(project, findings);
}

fn is_pytest(command: &Command) -> bool {
    let named = |deed: &Deed| matches!(deed, Deed::Check { tool, .. } if tool == "pytest" || tool == "py.test");
    command.deeds.iter().any(named)
}

fn collects_only(site: &Site, findings: &mut Findings) {
    let command = site.command;
    let collects = command.words.iter().any(|word| matches!(word.text.text.as_str(), "--collect-only" | "--collectonly" | "--co"));
    let used = command.join == Join::Pipe || !command.redirects.is_empty() || command.nesting.contains(&Nest::Substitution);
    if !is_pytest(command) || !collects || used || site.job.is_none() {
        return;
    }
    let message = "`pytest --collect-only` is the only test of the gate, and it runs none: no patch can break a test";
    let key = site.step.map_or(String::new(), |step| step.key.clone());
    let finding = Findings::finding(&RULE, "never fails", command.at, message);
    findings.push(finding.help("run the tests as well, without `--collect-only`").about(key, "pytest"));
}

fn accepts_none(site: &Site, other: bool, findings: &mut Findings) {
    let command = site.command;
    if command.join != Join::Or {
        return;
    }
    let Some(next) = site.script.next(site.index).map(|at| &site.script.commands[at]) else { return };
    let first = next.words.first().map_or("", |word| word.text.text.as_str());
    let asks = matches!(first, "[" | "test" | "[[" | "((") || first.starts_with("((");
    let five = next.words.iter().any(|word| word.text.text == "5") && next.mentions("$?");
    if !asks || !five || next.join == Join::And {
        return;
    }
    let message = "exit code 5 of pytest counts as success here: when no test is found any more, the job stays green";
    let key = site.step.map_or(String::new(), |step| step.key.clone());
    let kind = if other { "one of several" } else { "never fails" };
    let finding = Findings::finding(&RULE, kind, next.at, message);
    findings.push(finding.help("let code 5 fail, or leave out the run where there are no tests").about(key, "pytest"));
}

/// Jobs and steps with tests that are switched off by a plain `false`.
fn switched_off(project: &Project, findings: &mut Findings) {
    let mut running = false;
    let mut off = Vec::new();
    for (pipeline, job) in project.jobs().filter(|(pipeline, _)| !project.asleep(pipeline.at.source)) {
        let is_off = is_false(job.condition.as_ref());
        for (index, _) in checks_of(job, CheckKind::Test) {
            let step = &job.steps[index];
            match (is_off, is_false(step.condition.as_ref())) {
                (true, _) => off.push((job.condition.as_ref(), job.key.clone(), name(job))),
                (false, true) => off.push((step.condition.as_ref(), step.key.clone(), name(job))),
                (false, false) => running |= is_on_patch(pipeline, job) || job.on_patch.is_none(),
            }
        }
        running |= job.calls.is_some();
    }
    off.dedup_by(|a, b| a.1 == b.1);
    for (condition, key, name) in off {
        let Some(condition) = condition else { continue };
        let (kind, also) = if running { ("one of several", "") } else { ("never fails", ", and no other test runs for a patch") };
        let message = format!("the tests of job `{name}` are switched off for good{also}");
        let finding = Findings::finding(&RULE, kind, condition.at, message);
        findings.push(finding.help("switch them on again, or delete them").about(key, name));
    }
}

fn name(job: &Job) -> String {
    job.id.clone()
}

fn is_false(condition: Option<&Text>) -> bool {
    let Some(condition) = condition else { return false };
    let text = condition.text.trim();
    let text = text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text).trim();
    matches!(text, "false" | "never" | "when: never")
}

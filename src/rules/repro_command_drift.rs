//! # What it finds
//!
//! The repository has a local entry point that runs pytest (tox, nox, make, just), and CI runs pytest by itself with other paths or
//! selections. One finding per repository.
//!
//! # Why
//!
//! Who sees a red patch runs the entry point that the project documents. If CI runs something else, "it works here" and "CI
//! is red" are both true.
//!
//! # What is not a finding
//!
//! - CI runs the entry point.
//! - A command of CI runs pytest with the same paths and selections; flags of reporting, coverage and parallelism do not count.
//! - The entry point names no paths and CI selects nothing: both follow the configuration of pytest.
//! - An entry point that passes its arguments on, when CI names what to pass (`pytest {posargs}`).
//! - Repositories without a local entry point.
//!
//! # What to do
//!
//! Let CI call the entry point (`tox -e py312 -- …`), or change the entry point to what CI runs.
//!
//! # Levels
//!
//! `info` in `default`, `warning` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```ini tox.ini with
//! [testenv]
//! commands = pytest tests/unit
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -x tests/all
//! ```
//!
//! ```ini tox.ini with
//! [testenv]
//! commands = pytest tests/unit
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v --cov=pkg tests/unit
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 61 further ones: 2. Read by eye: 2, false: 0. Ledger:
//! `docs/evidence/repro-command-drift.tsv`.

use crate::model::finding::Findings;
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Deed};

/// The rule.
pub static RULE: Rule = Rule {
    id: "repro-command-drift",
    group: Group::Log,
    summary: "CI tests something else than the local entry point",
    levels: &[("command", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

/// Files with entry points and who runs them.
const RUNNERS: &[(&str, &str)] = &[
    ("tox.ini", "tox"),
    ("tox.toml", "tox"),
    ("noxfile.py", "nox"),
    ("Makefile", "make"),
    ("justfile", "just"),
];

fn check(project: &Project, findings: &mut Findings) {
    let commands: Vec<_> = project.commands().collect();
    let gate = project.gate_commands();
    let local: Vec<(&Site, &str)> = commands
        .iter()
        .filter(|site| site.job.is_none() && site.build.is_none() && is_pytest(site.command) && !project.asleep(site.source))
        .filter_map(|site| Some((site, runner(&project.source(site.source).path)?)))
        .collect();
    let used = |tool: &str| {
        commands.iter().filter(|site| site.job.is_some()).any(|site| {
            site.command.deeds.iter().any(|deed| matches!(deed, Deed::RunEntry { tool: run, .. } if run == tool))
        })
    };
    if local.is_empty() || local.iter().any(|(_, tool)| used(tool)) {
        return;
    }
    let direct: Vec<&Site> = gate.iter().filter(|site| site.job.is_some() && is_pytest(site.command)).collect();
    let same = |site: &Site| {
        let wanted = essence(site.command);
        local.iter().any(|(entry, _)| {
            let entry_runs = essence(entry.command);
            // Without any path or selection pytest runs what its configuration says, which is mostly what CI names.
            let all = entry_runs.is_empty() && !wanted.iter().any(|part| part.starts_with('-'));
            all || passes_on(entry.command) || entry_runs == wanted
        })
    };
    // Where one command is the same, the entry point is what it should be, and the others are more of it.
    if direct.iter().any(|site| same(site)) {
        return;
    }
    let (Some(first), Some((entry, tool))) = (direct.first(), local.first()) else { return };
    let path = &project.source(entry.source).path;
    let message = format!("CI runs pytest with other paths or selections than `{tool}` does ({path}): what is red here may be green there");
    let mut finding = Findings::finding(&RULE, "command", first.command.at, message)
        .help(format!("let CI call `{tool}`, or make {path} run what CI runs"))
        .about("", "pytest")
        .label(entry.command.at, "the local entry point");
    for site in direct.iter().skip(1) {
        finding = finding.label(site.command.at, "this one as well");
    }
    findings.push(finding);
}

fn runner(path: &str) -> Option<&'static str> {
    // An entry point for the whole project stands at its root.
    RUNNERS.iter().find(|(file, _)| path == *file).map(|(_, tool)| *tool)
}

fn is_pytest(command: &Command) -> bool {
    command.check().is_some_and(|check| matches!(check.program(), "pytest" | "py.test"))
}

/// Whether what a person gives to the entry point is handed to pytest.
fn passes_on(command: &Command) -> bool {
    command.words.iter().any(|word| word.text.text.contains("posargs") || word.text.text == "$@" || word.text.text.contains("ARGS"))
}

/// Paths and selections, sorted.
fn essence(command: &Command) -> Vec<String> {
    let Some(check) = command.check() else { return Vec::new() };
    let mut parts = Vec::new();
    let mut words = check.arguments.iter().map(|word| word.text.text.as_str());
    while let Some(text) = words.next() {
        match text {
            "-k" | "-m" | "--ignore" | "--deselect" => parts.push(format!("{text} {}", words.next().unwrap_or(""))),
            "-n" | "-p" | "-c" | "-o" | "-W" | "--cov" | "--tb" | "--durations" | "--junitxml" | "--rootdir" => {
                words.next();
            }
            _ if text.starts_with("--ignore") || text.starts_with("--pyargs") => parts.push(text.to_string()),
            _ if text.starts_with('-') || text.contains(['$', '{']) => {}
            _ => parts.push(text.trim_start_matches("./").trim_end_matches('/').to_string()),
        }
    }
    parts.sort();
    parts
}

//! # What it finds
//!
//! A debug switch of the CI system that is turned on in the repository: `CI_DEBUG_TRACE` (GitLab prints every variable), and those that make a
//! runner or an agent print more of itself: `CI_DEBUG_SERVICES`, `ACTIONS_STEP_DEBUG`, `ACTIONS_RUNNER_DEBUG`, `system.debug`,
//! `BUILDKITE_AGENT_DEBUG…`, `DRONE_TRACE`, `--debug-signing`.
//!
//! # Why
//!
//! These switches are for one run that a person looks at. Left in the repository they print, in every run, what masks were made for.
//!
//! # What is not a finding
//!
//! - A switch that is off (`"false"`, `0`), or that a variable decides.
//! - Debug switches of your own programs.
//!
//! # What to do
//!
//! Turn it off. Whoever needs it for one run turns it on for that run (a variable of a manual pipeline, "Enable debug logging").
//!
//! # Levels
//!
//! `error` for `CI_DEBUG_TRACE`, `warning` for the others (`error` in `audit`).
//!
//! # Examples
//!
//! ```yaml .gitlab-ci.yml bad default
//! variables:
//!   CI_DEBUG_TRACE: t
//! test:
//!   script: pytest
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! variables:
//!   CI_DEBUG_TRACE: "true"
//! test:
//!   script: pytest
//! ```
//!
//! ```yaml .gitlab-ci.yml fixed
//! variables:
//!   CI_DEBUG_TRACE: "false"
//! test:
//!   script: pytest
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! env:
//!   ACTIONS_STEP_DEBUG: false
//!   MY_DEBUG: true
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest
//!         env:
//!           ACTIONS_RUNNER_DEBUG: ${{ vars.DEBUG }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding.

use crate::model::edit::Edit;
use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Pipeline, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "debug-mode-committed",
    group: Group::Secret,
    summary: "a debug switch of the CI system is on in the repository",
    levels: &[("trace", levels(Error, Error, Error)), ("debug", levels(Warning, Warning, Error))],
    since: "0.1.0",
    check,
};

/// Switches, with what they make the system print.
const SWITCHES: &[(&str, &str)] = &[
    ("CI_DEBUG_TRACE", "every variable of the job, the secret ones too"),
    ("CI_DEBUG_SERVICES", "the logs of all services, which print their passwords"),
    ("ACTIONS_STEP_DEBUG", "what every step hands to its components"),
    ("ACTIONS_RUNNER_DEBUG", "the inner log of the runner"),
    ("SYSTEM_DEBUG", "what every task does, with its inputs"),
    ("SYSTEM.DEBUG", "what every task does, with its inputs"),
    ("BUILDKITE_AGENT_DEBUG", "the inner log of the agent"),
    ("BUILDKITE_AGENT_DEBUG_HTTP", "the agent's requests, with its token"),
    ("DRONE_TRACE", "the inner log of the runner"),
];

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for assignment in assignments(pipeline) {
                let Value::Literal(text) = &assignment.value else { continue };
                found(project, &assignment.name, text, assignment.at, &assignment.key, findings);
            }
        }
    }
    for site in project.run_commands() {
        let key = site.step.map_or("", |step| step.key.as_str());
        for (name, text) in &site.command.assigns {
            found(project, name, &text.text, text.at, key, findings);
        }
        for word in &site.command.words {
            let text = word.text.text.as_str();
            if let Some((name, value)) = text.split_once('=') {
                let at = word.text.place(name.len() + 1..text.len());
                found(project, name, value, at, key, findings);
            }
            if text == "--debug-signing" {
                let message = "`--debug-signing` makes the tool print what it signs with";
                let help = "remove it";
                let finding = Findings::finding(&RULE, "debug", word.text.at, message).help(help).about(key, text);
                findings.push(finding.remedy(Remedy::Guide(help.to_string())));
            }
        }
    }
}

fn assignments(pipeline: &Pipeline) -> impl Iterator<Item = &Assignment> {
    let jobs = pipeline.jobs.iter();
    pipeline.env.iter().chain(jobs.flat_map(|job| job.env.iter().chain(job.steps.iter().flat_map(|step| &step.env))))
}

fn found(project: &Project, name: &str, text: &str, at: Location, key: &str, findings: &mut Findings) {
    let Some((switch, prints)) = SWITCHES.iter().find(|(switch, _)| name.eq_ignore_ascii_case(switch)) else { return };
    // As the runners read it: `1`, `t`, `T`, `true` in any case.
    let Some(off) = opposite(text) else { return };
    let kind = if *switch == "CI_DEBUG_TRACE" { "trace" } else { "debug" };
    let message = format!("`{name}` is on in the repository: every run prints {prints}");
    let help = "turn it off here, and on for the one run that needs it";
    let mut finding = Findings::finding(&RULE, kind, at, message).help(help).about(key, name);
    finding = match project.sources.text(at) == text {
        true => finding.remedy(Remedy::Replace { edits: vec![Edit::replace(at, off)], safety: Safety::Safe }),
        false => finding.remedy(Remedy::Guide(format!("{help}: `{name}: \"false\"`"))),
    };
    findings.push(finding);
}

/// What is off in the way in which a switch is on; `None` when it is not.
fn opposite(text: &str) -> Option<&'static str> {
    Some(match text.trim() {
        "1" => "0",
        "t" => "f",
        "T" => "F",
        "TRUE" => "FALSE",
        "True" => "False",
        text if text.eq_ignore_ascii_case("true") => "false",
        _ => return None,
    })
}

//! # What it finds
//!
//! A test, type check, linter or build whose output is thrown away: `>/dev/null`, `2>/dev/null`, `| tail -n 20`, `| head`, `| grep -v`
//! as the last filter, or written to a file that no step prints or keeps.
//!
//! # Why
//!
//! One can filter out later, but not filter in. The lines that explain the failure are the ones that nobody thought of.
//!
//! # What is not a finding
//!
//! - Questions (`if ! black --check … >/dev/null`), values (`$(…)`), and a second run that prints (`x >/dev/null || x`).
//! - `| tee FILE`, also before `tail`; files that a later command of the script or job names, or whose folder it keeps.
//! - Commands that are no check: `command -v x >/dev/null`, health checks, version probes.
//! - Files named by a variable (`$GITHUB_STEP_SUMMARY`).
//!
//! # What to do
//!
//! Remove the redirection or the filter, or use `tee` and keep the file.
//!
//! # Levels
//!
//! `warning` in `default` and `strict`, `error` in `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v 2>/dev/null
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v | tail -n 20
//!         shell: bash
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           command -v pytest >/dev/null
//!           pytest -v > log.txt 2>&1 || (cat log.txt; exit 1)
//!           mypy src | tee mypy.log | tail -n 5
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. Ten files that come near stay clean. Ledger: `docs/evidence/log-output-discarded.tsv`.

use crate::model::edit::Edit;
use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::pipeline::{StepKind, Value};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Join, Nest, Redirect};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "log-output-discarded",
    group: Group::Log,
    summary: "what a check says is thrown away",
    levels: &[("output", levels(Warning, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.gate_commands() {
        let Some(check) = site.check() else { continue };
        let asks = site.command.nesting.iter().any(|nest| matches!(nest, Nest::Condition | Nest::Substitution));
        if asks || runs_again(&site, check.tool) {
            continue;
        }
        let lost = by_redirect(project, &site).or_else(|| by_filter(&site));
        let Some(Lost { at, how, edit }) = lost else { continue };
        let message = format!("`{}` {how}: what explains a failure is gone", check.tool);
        let key = site.step.map_or(String::new(), |step| step.key.clone());
        let help = "let it print everything, or use `tee` and keep the file also when the job fails";
        let mut finding = Findings::finding(&RULE, "output", at, message).help(help).about(key, check.tool);
        if let Some(edit) = edit {
            finding = finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Safe });
        }
        findings.push(finding);
    }
}

struct Lost {
    at: Location,
    how: String,
    edit: Option<Edit>,
}

/// `x >/dev/null || x`: the second run prints.
fn runs_again(site: &Site, tool: &str) -> bool {
    let next = site.script.next(site.index).map(|at| &site.script.commands[at]);
    site.command.join == Join::Or && next.and_then(Command::check).is_some_and(|check| check.tool == tool)
}

fn by_redirect(project: &Project, site: &Site) -> Option<Lost> {
    // The last redirection of a stream is in force; one to another stream follows that stream.
    let outputs = site.command.redirects.iter().filter(|one| one.operator.contains('>') && !is_stream(one));
    for redirect in outputs {
        let target = redirect.target.text.text.as_str();
        let errors = redirect.operator.starts_with('2');
        let what = if errors { "its errors" } else { "its output" };
        if matches!(target, "/dev/null" | "$null" | "nul" | "NUL") {
            let edit = cut(project, redirect).filter(|_| site.command.redirects.len() == 1);
            return Some(Lost { at: redirect.target.text.at, how: format!("sends {what} to {target}"), edit });
        }
        let known = !redirect.target.expands && !target.starts_with("/dev/") && !target.is_empty();
        if known && !errors && site.job.is_some() && !is_kept(site, target) {
            let how = format!("sends {what} to `{target}`, which no later command prints and no step keeps");
            return Some(Lost { at: redirect.target.text.at, how, edit: None });
        }
    }
    None
}

/// `2>&1`, `>&2`, `2>&-`.
fn is_stream(redirect: &Redirect) -> bool {
    let target = redirect.target.text.text.as_str();
    redirect.operator.contains(">&") && (target == "-" || !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Takes out a redirection with the blanks before it.
fn cut(project: &Project, redirect: &Redirect) -> Option<Edit> {
    let target = &redirect.target.text;
    let text = project.source(target.at.source).text.get(..target.at.span.start as usize)?;
    let before = text.trim_end_matches([' ', '\t']).strip_suffix(redirect.operator.as_str())?.trim_end_matches([' ', '\t']);
    let span = Span { start: before.len() as u32, end: target.at.span.end };
    (target.verbatim && !redirect.target.quoted).then(|| Edit::replace(Location::new(target.at.source, span), ""))
}

/// Whether a later command, or any step of the job, speaks of the file or keeps its folder.
fn is_kept(site: &Site, target: &str) -> bool {
    let name = target.rsplit('/').next().unwrap_or(target);
    let folder = target.rsplit_once('/').map_or(".", |(folder, _)| folder.trim_start_matches("./"));
    let speaks = |text: &str| text.contains(name);
    let keeps = |text: &str| {
        speaks(text)
            || text.lines().any(|line| {
                let line = line.trim().trim_start_matches("./").trim_end_matches('/');
                line == folder || line.contains('*') || folder.starts_with(&format!("{line}/")) && !line.is_empty()
            })
    };
    let later = site.script.commands[site.index + 1..].iter().any(|command| command.mentions(name));
    let Some(job) = site.job else { return later };
    let in_steps = job.steps.iter().any(|step| match &step.kind {
        StepKind::Run(script) if std::ptr::eq(script, site.script) => false,
        StepKind::Run(script) => script.commands.iter().any(|command| command.mentions(name)),
        StepKind::Uses { inputs, .. } => inputs.iter().any(|input| match &input.value {
            Value::Literal(text) | Value::Expression(text) => keeps(text),
            Value::Secret { .. } => false,
        }),
        StepKind::Other => false,
    });
    later || in_steps || job.artifacts.iter().any(|artifact| artifact.paths.iter().any(|path| keeps(path)))
}

/// A filter at the end of the pipe that lets only a part through.
fn by_filter(site: &Site) -> Option<Lost> {
    let readers = site.script.pipe_from(site.index);
    let reader = |at: &usize| -> (&Command, &str) {
        let command = &site.script.commands[*at];
        (command, command.words.first().map_or("", |word| word.text.text.as_str()))
    };
    if readers.iter().any(|at| reader(at).1 == "tee") {
        return None;
    }
    let (last, program) = reader(readers.last()?);
    let inverted = || last.words.iter().any(|word| word.text.text.starts_with('-') && !word.text.text.starts_with("--") && word.text.text.contains('v'));
    let filters = matches!(program, "tail" | "head") && !last.words.iter().any(|word| word.text.text.starts_with("+") || word.text.text == "-f")
        || matches!(program, "grep" | "egrep") && inverted();
    if !filters || !last.redirects.is_empty() {
        return None;
    }
    let how = format!("is piped into `{program}`, which lets only a part of its output through");
    Some(Lost { at: last.at, how, edit: None })
}

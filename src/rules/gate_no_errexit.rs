//! # What it finds
//!
//! A test, type check, linter or build that is not the last command of a script which does not stop at failures:
//! `RUN pytest; rm -rf cache`, a script of the repository without `set -e`, `shell: bash -l {0}`.
//!
//! # Why
//!
//! Only the code of the last command counts there, so a failing check is green as long as an `echo` after it succeeds.
//!
//! # What is not a finding
//!
//! - `&&` chains, and checks whose code is looked at: `|| exit 1`, `if ! pytest`, `code=$?` later.
//! - The last command of a script.
//! - Scripts that nothing of the gate calls, and shells that stop by themselves (GitHub's and GitLab's defaults, tox).
//! - `set +e` in a shell that would stop: `gate-exit-swallowed` speaks of that.
//! - PowerShell, cmd.exe.
//!
//! # What to do
//!
//! Make `set -euo pipefail` the first line of the script; in a `RUN` join the commands by `&&`; write `shell: bash -el {0}` for
//! a login shell.
//!
//! # Levels
//!
//! `error` in every profile.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad
//! FROM python:3.12.4-slim
//! RUN pytest -v; rm -rf .pytest_cache
//! ```
//!
//! ```dockerfile Dockerfile fixed
//! FROM python:3.12.4-slim
//! RUN pytest -v && rm -rf .pytest_cache
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     defaults:
//!       run:
//!         shell: bash -l {0}
//!     steps:
//!       - run: |
//!           pytest -v
//!           coverage xml
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           pytest -v
//!           coverage xml
//!       - shell: bash -l {0}
//!         run: |
//!           conda info
//!           pytest -v
//!       - shell: bash -l {0}
//!         run: |
//!           pytest -v || exit 1
//!           echo done
//!       - shell: bash -el {0}
//!         run: |
//!           pytest -v
//!           echo done
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 61 further ones: 2. Read by eye: 2, false: 0. Ledger:
//! `docs/evidence/gate-no-errexit.tsv`.

use crate::model::check::Check;
use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::Error;
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Language, Join, Nest, Script};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "gate-no-errexit",
    group: Group::Gate,
    summary: "a check is not the last command of a script that does not stop at failures",
    levels: &[("script", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.gate_commands() {
        if let Some(check) = site.check()
            && let Some(next) = lost(&site)
        {
            findings.push(finding(project, &site, &check, next));
        }
    }
}

/// The command after the list that the check is in, when the check's code is lost there.
fn lost(site: &Site) -> Option<usize> {
    let command = site.command;
    let inner = command.nesting.iter().rposition(|nest| *nest == Nest::Inner);
    let started_with = inner.map_or(site.script.shell.errexit, |_| command.shell.errexit);
    let quiet = command.nesting.iter().any(|nest| matches!(nest, Nest::Condition | Nest::Substitution));
    if command.shell.errexit || started_with || quiet || command.shell.language != Language::Posix {
        return None;
    }
    let script = site.script;
    let list = script.list_from(site.index);
    let joins = |join: Join| list.iter().any(|&at| script.commands[at].join == join);
    // After `||` somebody looks at it; a pipe has a rule of its own; a background job is waited for.
    if joins(Join::Or) || joins(Join::Pipe) || joins(Join::Background) {
        return None;
    }
    let last = *list.last()?;
    let next = after(script, last, inner.map_or(0, |at| at + 1))?;
    let rest = &script.commands[last + 1..];
    (!rest.iter().any(looks)).then_some(next)
}

/// The next command that runs after the one at `last` in the same shell, whose nesting has `shell` parts.
fn after(script: &Script, last: usize, shell: usize) -> Option<usize> {
    let nesting = &script.commands[last].nesting;
    let split = |nest: &Nest| matches!(nest, Nest::Branch | Nest::Loop | Nest::Function);
    let base = nesting.iter().skip(shell).position(split).map_or(nesting.len(), |at| shell + at);
    let next = script.next(last)?;
    let same_shell = |at: &usize| script.commands[*at].nesting.starts_with(&nesting[..shell]);
    (next..script.commands.len()).take_while(same_shell).find(|&at| {
        let other = &script.commands[at].nesting;
        let defines = other.iter().skip(shell).any(|nest| *nest == Nest::Function);
        let same_list = other.starts_with(&nesting[..base]) || nesting[..base].starts_with(other);
        // Inside of a branch, what follows at the same depth may be the other branch.
        let sure = base == nesting.len() || other.len() <= base;
        same_list && sure && !defines
    })
}

fn looks(command: &Command) -> bool {
    let first = command.words.first().map_or("", |word| word.text.text.as_str());
    let exits = first == "exit" && command.words.get(1).is_some_and(|word| word.expands || word.text.text != "0");
    command.mentions("$?") || command.mentions("PIPESTATUS") || exits
}

fn finding(project: &Project, site: &Site, check: &Check, next: usize) -> Finding {
    let next = &site.script.commands[next];
    let then = next.words.first().map_or("another command", |word| word.text.text.as_str());
    let message = format!(
        "`{}` runs in a shell that goes on after failures, and `{then}` comes after it: a failing check ends green",
        check.tool
    );
    let step = site.step.filter(|step| step.shell_written);
    let help = match (site.build, step) {
        (Some(_), _) => "join the commands of this `RUN` by `&&`",
        (None, Some(_)) => "give the shell `-e`, as in `shell: bash -el {0}`",
        _ => "make `set -euo pipefail` the first line of the script",
    };
    let key = site.step.map_or(String::new(), |step| step.key.clone());
    let finding = Findings::finding(&RULE, "script", site.command.at, message).help(help).about(key, check.tool);
    match edits(project, site) {
        Some((edits, safety)) => finding.remedy(Remedy::Replace { edits, safety }),
        None => finding,
    }
}

fn edits(project: &Project, site: &Site) -> Option<(Vec<Edit>, Safety)> {
    if site.build.is_some() {
        return Some((vec![chained(project, site)?], Safety::Safe));
    }
    if site.step.is_some() || site.pipeline.is_some() {
        return None;
    }
    // A script of its own: after its first line, when that names a shell.
    let source = project.source(site.command.at.source);
    let starts = source.text.starts_with("#!") && site.script.at.span.start == 0;
    let place = Location::new(source.id, Span::empty(source.line_start(1)?));
    starts.then(|| (vec![Edit::replace(place, "set -euo pipefail\n")], Safety::Unsafe))
}

/// The `;` after the check becomes `&&`.
fn chained(project: &Project, site: &Site) -> Option<Edit> {
    let last = *site.script.list_from(site.index).last()?;
    let command = &site.script.commands[last];
    let next = &site.script.commands[site.script.next(last)?];
    if command.join != Join::Semicolon || command.nesting != next.nesting || command.at.source != next.at.source {
        return None;
    }
    let span = Span { start: command.at.span.end, end: next.at.span.start.max(command.at.span.end) };
    let between = Location::new(command.at.source, span);
    let text = project.sources.text(between);
    let at = text.find(';').filter(|_| text.matches(';').count() == 1 && !text.contains('#'))?;
    let lead = if text[..at].ends_with([' ', '\t']) { "" } else { " " };
    Some(Edit::replace(between.slice(at..at + 1), format!("{lead}&&")))
}

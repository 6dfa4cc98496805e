//! # What it finds
//!
//! A test, type check, linter or build whose failure does not fail the job: `pytest || true`, `pytest || echo failed`, `set +e` without a
//! later look at `$?`, `continue-on-error: true` and `allow_failure: true` on the step or job that runs it.
//!
//! # Why
//!
//! The gate answers whether a patch breaks something. A check whose exit code is thrown away answers "no" to every patch, and
//! nobody notices the day it begins to fail.
//!
//! # What is not a finding
//!
//! - Settings that an expression decides (`${{ matrix.experimental }}`), and legs or jobs that are called experimental, nightly,
//!   upstream, canary, dev or the like: their failure is news, not a verdict.
//! - A step whose outcome is read later (`steps.X.outcome`), and a command whose code is kept (`|| code=$?`).
//! - Commands that are no check (`grep … || true`, `docker rm … || true`), linters that rewrite files (`ruff check --fix`), and linters
//!   whose output goes to a file to be counted.
//! - Jobs that repair rather than judge: they commit, push or open a patch.
//! - `allow_failure: exit_codes`, and jobs that no proposed patch starts.
//! - A job that others are gathered without: a last job waits for several jobs, and this one is not among them.
//!
//! # What to do
//!
//! Remove what swallows the code. If the check is not ready to count, take it out of the gate, or let an expression say for which
//! leg it does not count.
//!
//! # Levels
//!
//! `error` for tests and type checks; for linters and builds `warning` in `default`, `error` in `strict` and `audit`.
//!
//! `info` in `default`, `warning` in `strict`, `error` in `audit` where it is an open decision: the setting stands on one job or step
//! while the same tool counts elsewhere in the gate, or the step's name or a comment right above says that it is informational,
//! non-blocking, optional, advisory or allowed to fail, or what follows `||` prints a warning.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v || true
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v
//!         continue-on-error: true
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     continue-on-error: true
//!     steps:
//!       - run: (cd pkg && tox -e py312)
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           set +e
//!           pytest -v
//!           echo done
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     continue-on-error: ${{ matrix.experimental }}
//!     strategy:
//!       matrix:
//!         experimental: [true, false]
//!     steps:
//!       - run: |
//!           docker rm old || true
//!           grep -c x log || true
//!           pytest -v || code=$?
//!           echo "$code"
//!           exit $code
//!       - run: |
//!           set +e
//!           pytest -v
//!           code=$?
//!           exit $code
//!       - id: lint
//!         run: ruff check
//!         continue-on-error: true
//!       - if: steps.lint.outcome == 'failure'
//!         run: exit 1
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 5 findings in 4 of them. In 61 further ones: 2. All of them are `info` in
//! `default`. Read by eye: 6, false: 1. Ledger: `docs/evidence/gate-exit-swallowed.tsv`.

use crate::model::check::{Check, check_in, is_on_patch};
use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::pipeline::{Job, Pipeline, Setting, Step, StepKind};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{CheckKind, Command, Join, Nest, Redirect, Script};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "gate-exit-swallowed",
    group: Group::Gate,
    summary: "a check fails and the gate stays green",
    levels: &[("test", levels(Error, Error, Error)), ("lint", levels(Warning, Error, Error)), ("informational", levels(Info, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let sites = project.gate_commands();
    for site in &sites {
        if let Some(check) = site.check()
            && !site.job.is_some_and(|job| repairs(project, job))
            && let Some(finding) = swallowed(project, site, &check)
        {
            findings.push(finding);
        }
    }
    for (pipeline, job) in project.jobs() {
        if is_on_patch(pipeline, job) && !project.asleep(pipeline.at.source) && !repairs(project, job) {
            tolerated(project, pipeline, job, &sites, findings);
        }
    }
}

/// Whether a job writes to the repository: what it runs prepares a change.
fn repairs(project: &Project, job: &Job) -> bool {
    let words = ["create-pull-request", "auto-commit", "add-and-commit", "autofix", "/lite-action", "git-push", "github-push"];
    job.steps.iter().any(|step| match &step.kind {
        StepKind::Uses { component, .. } => {
            let name = &project.reference(*component).subject.name;
            words.iter().any(|word| name.contains(word))
        }
        StepKind::Run(script) => script.commands.iter().any(|command| {
            let words: Vec<&str> = command.words.iter().take(2).map(|word| word.text.text.as_str()).collect();
            matches!(words.as_slice(), ["git", "push" | "commit"])
        }),
        StepKind::Other => false,
    })
}

fn kind(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Test | CheckKind::Types => "test",
        CheckKind::Lint | CheckKind::Build => "lint",
    }
}

fn swallowed(project: &Project, site: &Site, check: &Check) -> Option<Finding> {
    let command = site.command;
    if command.nesting.iter().any(|nest| matches!(nest, Nest::Condition | Nest::Substitution)) {
        return None;
    }
    // A linter whose output goes to a file measures: somebody counts what it found.
    let to_file = command.redirects.iter().any(is_kept) || check.has(&["--output-file", "-o"]);
    if check.kind == CheckKind::Lint && to_file {
        return None;
    }
    let list = site.script.list_from(site.index);
    let finding = |why: &str| {
        let message = format!("`{}` {why}: when it fails, the job stays green and the patch is merged", check.tool);
        let key = site.step.map_or(String::new(), |step| step.key.clone());
        let declared = site.step.is_some_and(|step| is_declared(&step.name)) || is_declared(comments(project, command.at));
        let kind = if declared { "informational" } else { kind(check.kind) };
        Findings::finding(&RULE, kind, command.at, message).about(key, check.tool)
    };
    if let [.., before, last] = list[..]
        && site.script.commands[before].join == Join::Or
        && swallows(site.script, last)
    {
        let last = &site.script.commands[last];
        // A task runner's own mark stands for a command without a place.
        if last.at.span.is_empty() {
            return Some(finding("has the mark `-` that ignores its failure").help("remove the `-` in front of the command"));
        }
        let why = format!("is followed by `|| {}`", spelled(last));
        let mut finding = finding(&why).help(format!("remove `|| {}`", spelled(last)));
        if last.words.iter().any(|word| word.text.text.to_ascii_lowercase().contains("warning")) {
            finding.levels = RULE.at("informational");
        }
        let edits = cut(project, &site.script.commands[before], last);
        return Some(match edits {
            Some(edit) => finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Unsafe }),
            None => finding,
        });
    }
    let turned_off = site.script.shell.errexit && !command.shell.errexit && !command.nesting.contains(&Nest::Inner);
    let last = *list.last()?;
    if turned_off && !list.iter().any(|&at| site.script.commands[at].join == Join::Or) && is_lost(site.script, last) {
        let finding = finding("runs after `set +e` and nothing looks at `$?`");
        return Some(finding.help("keep its code, `code=$?`, and end with `exit $code`; or remove `set +e`"));
    }
    None
}

fn is_kept(redirect: &Redirect) -> bool {
    redirect.operator.contains('>') && !redirect.operator.starts_with('2') && !redirect.target.text.text.starts_with("/dev/")
}

/// Whether a command does nothing but succeed, and ends the list.
fn swallows(script: &Script, index: usize) -> bool {
    let command = &script.commands[index];
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    match words.as_slice() {
        ["true" | ":" | "/bin/true", ..] | ["exit", "0"] => true,
        // A word about the failure; one that goes to a file may be read there.
        ["echo" | "printf", ..] => {
            let kept = command.redirects.iter().any(|redirect| !redirect.target.text.text.starts_with(['2', '&']));
            let grouped = command.nesting.last() == Some(&Nest::Group);
            !kept && !grouped && !command.mentions("$?")
        }
        _ => false,
    }
}

/// How a command is shown: short, and without anything that an expansion could hold.
fn spelled(command: &Command) -> String {
    let first = command.words.first().map_or("", |word| word.text.text.as_str());
    match first {
        "exit" => "exit 0".to_string(),
        "echo" | "printf" => format!("{first} …"),
        _ => first.to_string(),
    }
}

/// Whether commands follow and none of them looks at an exit code.
fn is_lost(script: &Script, last: usize) -> bool {
    let Some(next) = script.next(last) else { return false };
    let rest = &script.commands[next..];
    let looks = |command: &Command| {
        command.mentions("$?") || command.mentions("PIPESTATUS") || command.mentions("LASTEXITCODE") || turns_on(command)
    };
    let exits = |command: &Command| {
        command.words.first().is_some_and(|word| word.text.text == "exit") && command.words.iter().any(|word| word.expands)
    };
    let immediate = turns_on(&script.commands[next]) && script.next(next).is_none();
    !immediate && !rest.iter().any(|command| looks(command) && !turns_on(command) || exits(command))
}

fn turns_on(command: &Command) -> bool {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    matches!(words.as_slice(), ["set", flag, ..] if flag.starts_with('-'))
}

/// Takes out what stands between the end of a command and the end of the one that swallows its code.
fn cut(project: &Project, before: &Command, last: &Command) -> Option<Edit> {
    let (from, to) = (before.at.span.end, last.at.span.end);
    let between = Location::new(before.at.source, Span { start: from, end: last.at.span.start.max(from) });
    let operator = project.sources.text(between).trim();
    let direct = before.at.source == last.at.source && operator == "||" && before.nesting == last.nesting;
    direct.then(|| Edit::replace(Location::new(before.at.source, Span { start: from, end: to }), ""))
}

/// Steps and jobs whose failure is ignored by a setting.
fn tolerated(project: &Project, pipeline: &Pipeline, job: &Job, sites: &[Site], findings: &mut Findings) {
    if is_experimental(&job.id) || is_experimental(&job.name) || job.matrix.iter().any(|(name, _)| is_experimental(name)) {
        return;
    }
    if let Setting::Plain(true, at) = job.tolerated
        && let Some((kind_of, tool)) = worst(job, job.steps.iter())
        && !left_out(pipeline, job)
    {
        let kind = grade(project, (kind_of, &tool), at, &job.name, sites);
        report(project, findings, at, kind, &tool, &format!("job `{}`", job.id), &job.key);
        return;
    }
    for (index, step) in job.steps.iter().enumerate() {
        if let Setting::Plain(true, at) = step.tolerated
            && let Some((kind_of, tool)) = worst(job, std::iter::once(step))
            && !is_experimental(&step.name)
            && !is_read_later(job, index)
        {
            let kind = grade(project, (kind_of, &tool), at, &step.name, sites);
            report(project, findings, at, kind, &tool, "this step", &step.key);
        }
    }
}

/// The site kind: informational when the same tool counts elsewhere in the gate, or when the file says that it is.
///
/// Where a part of the pipeline cannot be seen, it may well be there.
fn grade(project: &Project, check: (CheckKind, &str), at: Location, name: &str, sites: &[Site]) -> &'static str {
    let counts = |site: &Site| {
        let ignored = |setting: &Setting<bool>| *setting != Setting::Absent && setting.plain() != Some(&false);
        let by_job = site.job.is_some_and(|job| ignored(&job.tolerated));
        let by_step = site.step.is_some_and(|step| ignored(&step.tolerated));
        !by_job && !by_step && site.check().is_some_and(|other| other.tool == check.1)
    };
    let unseen = project.facts_of(at.source).pipelines.iter().any(|pipeline| !pipeline.unseen.is_empty());
    let informational = unseen || is_declared(name) || is_declared(comments(project, at)) || sites.iter().any(counts);
    if informational { "informational" } else { kind(check.0) }
}

/// Whether words say that a failure here is no verdict.
fn is_declared(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = ["informational", "block", "optional", "advisory", "allowed to fail", "best effort"];
    words.iter().any(|word| text.contains(word))
}

/// The line of a place and the comments right above it, as one piece of text.
fn comments(project: &Project, at: Location) -> &str {
    let source = project.source(at.source);
    let line = source.line_of(at.span.start);
    let is_comment = |line: &usize| source.line_text(*line).trim_start().starts_with('#');
    let first = (0..line).rev().take(8).take_while(is_comment).last().unwrap_or(line);
    let (from, to) = (source.line_span(first).start, source.line_span(line).end);
    source.slice(Span { start: from, end: to })
}

/// What stands for the opposite where a setting is no switch: `failure` of Woodpecker and Drone, `onError` of Tekton. Drone knows `ignore` and
/// `fast` (and other spellings of it) and takes every other word for its default, which is Woodpecker's `fail`.
/// <https://github.com/drone-runners/drone-runner-docker/blob/master/engine/compiler/step.go>
fn opposite(written: &str) -> Option<&'static str> {
    match written.trim_matches(['"', '\'']) {
        "ignore" => Some("fail"),
        "continue" => Some("stopAndFail"),
        // `catchError(buildResult: 'SUCCESS')` of Jenkins.
        "SUCCESS" => Some("FAILURE"),
        "null" => Some("'FAILURE'"),
        "true" | "True" | "TRUE" | "yes" | "on" | "1" => Some("false"),
        // A list says which jobs are meant, as `allow_failures` of Travis does.
        _ => None,
    }
}

fn report(project: &Project, findings: &mut Findings, at: Location, kind: &str, tool: &str, whom: &str, key: &str) {
    let message = format!("a failure of {whom} is ignored, and it runs `{tool}`: it cannot turn a patch red");
    let finding = Findings::finding(&RULE, kind, at, message);
    let help = "remove the setting, or let an expression say for which leg a failure does not count";
    let finding = finding.help(help).about(key, tool);
    let edit = opposite(project.sources.text(at)).map(|word| Edit::replace(at, word));
    findings.push(match edit {
        Some(edit) => finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Unsafe }),
        None => finding,
    });
}

/// The check whose loss hurts most, with its tool.
fn worst<'j>(job: &Job, steps: impl Iterator<Item = &'j Step>) -> Option<(CheckKind, String)> {
    let commands = steps.flat_map(|step| match &step.kind {
        StepKind::Run(script) => script.commands.iter().map(|command| (step, command)).collect(),
        _ => Vec::new(),
    });
    let checks = commands.filter_map(|(step, command)| check_in(job, Some(step), command));
    let found = checks.min_by_key(|check| kind(check.kind) != "test")?;
    Some((found.kind, found.tool.to_string()))
}

/// Whether a later step asks how this one ended.
fn is_read_later(job: &Job, index: usize) -> bool {
    let asks = |text: &str| text.contains(".outcome") || text.contains("failure()");
    job.steps[index + 1..].iter().any(|step| {
        let pasted = step.pasted.iter().chain(&step.env).any(|assignment| match &assignment.value {
            crate::model::pipeline::Value::Expression(text) => asks(text),
            _ => false,
        });
        let said = match &step.kind {
            StepKind::Run(script) => script.commands.iter().any(|command| command.mentions(".outcome")),
            StepKind::Uses { inputs, .. } => inputs.iter().any(|input| match &input.value {
                crate::model::pipeline::Value::Expression(text) => asks(text),
                _ => false,
            }),
            StepKind::Other => false,
        };
        pasted || said || step.condition.as_ref().is_some_and(|condition| asks(&condition.text))
    })
}

/// Whether a last job gathers several others and not this one.
fn left_out(pipeline: &Pipeline, job: &Job) -> bool {
    let needed = pipeline.jobs.iter().any(|other| other.needs.contains(&job.id));
    let gathers = |other: &Job| other.needs.len() > 1 && !pipeline.jobs.iter().any(|third| third.needs.contains(&other.id));
    !needed && pipeline.jobs.iter().any(|other| other.id != job.id && gathers(other))
}

fn is_experimental(name: &str) -> bool {
    let words = ["experimental", "nightly", "upstream", "canary", "prerelease", "pre-release", "alpha", "beta", "unstable", "allow", "bleeding"];
    let name = name.to_ascii_lowercase();
    let dev = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| matches!(part, "dev" | "next" | "edge" | "rc"));
    dev || words.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::opposite;

    #[test]
    fn a_setting_gets_a_word_that_its_system_knows() {
        let written = ["true", "ignore", "\"ignore\"", "continue", "1", "SUCCESS"];
        let expected = ["false", "fail", "fail", "stopAndFail", "false", "FAILURE"];
        assert_eq!(written.map(opposite), expected.map(Some));
        assert_eq!(opposite("python: nightly"), None);
    }
}

//! # What it finds
//!
//! A test, type check, linter or build on the left of a pipe, in a shell that looks at the last command of a pipe only:
//! `pytest | tee log`.
//!
//! # Why
//!
//! `tee`, `tail` and `sed` succeed whatever they read, so a red test run is a green step. GitHub's default shell is `bash -e` without
//! `pipefail`; only `shell: bash` written out has it. A Dockerfile's `RUN` has none either.
//!
//! # What is not a finding
//!
//! - Shells that have `pipefail`: GitLab's and CircleCI's defaults, `shell: bash`, `set -o pipefail` earlier in the script.
//! - A script that looks at `PIPESTATUS`, and a pipe that is itself a question (`if pytest … | grep -q …`).
//! - A right side that gives the verdict: `grep -q`, `diff`, `reviewdog`, `mypy-baseline filter` (behind `uv run` too), `xargs`.
//! - PowerShell and cmd.exe, which keep the code of the program.
//!
//! # What to do
//!
//! On GitHub write `shell: bash` at the step, or under `defaults.run`; elsewhere begin the script with `set -o pipefail` (in a
//! Dockerfile `SHELL ["/bin/bash", "-o", "pipefail", "-c"]`).
//!
//! # Levels
//!
//! `error` in every profile.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           pytest -v | tee log
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           set -o pipefail
//!           pytest -v | tee log
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -v | tee log
//!         shell: bash
//!       - run: |
//!           pytest -v | tee log
//!           exit ${PIPESTATUS[0]}
//!       - run: |
//!           set -o pipefail
//!           pytest -v | tee log
//!       - run: ls tests | xargs pytest
//!       - run: uv run mypy src | uv run mypy-baseline filter
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding. In 61 further ones: 1. Read by eye: 1, false: 0. Ledger:
//! `docs/evidence/gate-pipe-masks-exit.tsv`.

use crate::model::check::Check;
use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::Error;
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Language, Join, Nest};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "gate-pipe-masks-exit",
    group: Group::Gate,
    summary: "a check fails on the left of a pipe and nobody sees it",
    levels: &[("pipe", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.gate_commands() {
        if let Some(check) = site.check()
            && is_masked(&site)
        {
            findings.push(finding(project, &site, &check));
        }
    }
}

fn is_masked(site: &Site) -> bool {
    let command = site.command;
    let shell = command.shell;
    let asks = command.nesting.iter().any(|nest| matches!(nest, Nest::Condition | Nest::Substitution));
    if command.join != Join::Pipe || shell.pipefail || shell.language != Language::Posix || asks {
        return false;
    }
    let readers = site.script.pipe_from(site.index);
    let judged = readers.iter().any(|&at| gives_verdict(&site.script.commands[at]));
    let looked_at = site.script.commands[site.index..].iter().any(|command| command.mentions("PIPESTATUS") || command.mentions("pipestatus"));
    // A pipe after a pipe is told at its first check.
    let is_first = site.index == 0 || site.script.commands[site.index - 1].join != Join::Pipe;
    !readers.is_empty() && is_first && !judged && !looked_at
}

/// Programs that are made to read what a check printed and to say whether it was good.
const JUDGES: [&str; 4] = ["reviewdog", "mypy-baseline", "mypy_baseline", "diff-quality"];

/// Whether a reader's own code says whether what it read was good.
fn gives_verdict(command: &Command) -> bool {
    let Some(program) = command.words.first() else { return false };
    let name = program.text.text.rsplit('/').next().unwrap_or("");
    let given = |flags: &[&str]| command.words.iter().any(|word| flags.contains(&word.text.text.as_str()));
    match name {
        "grep" | "egrep" | "fgrep" | "rg" => given(&["-q", "--quiet", "-qE", "-Eq", "-qF", "-Fq", "-c"]),
        "jq" => given(&["-e", "--exit-status"]),
        "diff" | "cmp" | "xargs" | "test" | "while" | "read" | "baseline" => true,
        // These stand behind `uv run`, `python -m`, `npx` and their kind as often as alone.
        _ => command.words.iter().any(|word| JUDGES.contains(&word.text.text.rsplit('/').next().unwrap_or(""))) || command.check().is_some() || program.expands,
    }
}

fn finding(project: &Project, site: &Site, check: &Check) -> Finding {
    let reader = site.script.pipe_from(site.index).last().map(|&at| &site.script.commands[at]);
    let reader = reader.and_then(|command| command.words.first()).map_or("the next command", |word| word.text.text.as_str());
    let message = format!("`{}` is piped into `{reader}` in a shell without `pipefail`: when it fails, the step stays green", check.tool);
    let help = match (site.build, site.pipeline) {
        (Some(_), _) => "put `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]` before this instruction",
        (None, Some(_)) if site.step.is_some_and(|step| !step.shell_written) => {
            "write `shell: bash` at the step, or put `set -o pipefail` before the pipe"
        }
        _ => "put `set -o pipefail` before the pipe",
    };
    let key = site.step.map_or(String::new(), |step| step.key.clone());
    let finding = Findings::finding(&RULE, "pipe", site.command.at, message).help(help).about(key, check.tool);
    match edit(project, site) {
        Some(edit) => finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Safe }),
        None => finding,
    }
}

/// Puts `set -o pipefail` before the line. Only where bash is known to read it: not every `sh` has the option.
fn edit(project: &Project, site: &Site) -> Option<Edit> {
    let on_machine = site.job.is_some_and(|job| job.images.is_empty());
    let by_bash = site.pipeline.is_some_and(|pipeline| pipeline.system.bash);
    let is_bash = site.step.is_some_and(|step| !step.shell_written) && on_machine && by_bash;
    let at = site.command.at;
    let source = project.source(at.source);
    let line = source.line_span(source.line_of(at.span.start));
    let before = source.text.get(line.start as usize..at.span.start as usize)?;
    let indented = before.bytes().all(|byte| byte == b' ');
    let place = Location::new(at.source, Span::empty(at.span.start as usize));
    let nested = !site.command.nesting.is_empty() || site.command.at.span.is_empty();
    if !is_bash || nested {
        return None;
    }
    if indented {
        return Some(Edit::replace(place, format!("set -o pipefail\n{before}")));
    }
    (site.index == 0 && before.trim_end().ends_with("run:")).then(|| Edit::replace(place, "set -o pipefail; "))
}

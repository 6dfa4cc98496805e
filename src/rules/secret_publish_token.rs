//! # What it finds
//!
//! An upload to PyPI with a stored token or password, on a system whose identity PyPI takes.
//!
//! # Why
//!
//! Trusted publishing needs no secret: the job proves who it is, PyPI gives out a token for some minutes. A stored token can be printed,
//! inherited and stolen, and whoever has it publishes as you.
//!
//! # What is not a finding
//!
//! - Another index (`repository-url`, `--repository-url`, `TWINE_REPOSITORY_URL`); TestPyPI counts as PyPI.
//! - `poetry publish`: it cannot do it. (`uv publish` or the action can upload what poetry built.)
//! - Systems that PyPI does not take identities of.
//!
//! # What to do
//!
//! ```yaml
//! publish:
//!   needs: build
//!   environment: pypi
//!   permissions: { id-token: write }
//!   steps:
//!     - uses: actions/download-artifact@<commit> # vX.Y.Z
//!     - uses: pypa/gh-action-pypi-publish@<commit> # vX.Y.Z
//! ```
//!
//! GitLab: `id_tokens: { PYPI_ID_TOKEN: { aud: pypi } }` and `twine upload` without a token. The publisher is registered once in the project's
//! settings on PyPI.
//!
//! `--unsafe-fixes` takes the token out and gives the job its identity (of `twine upload`, `uv publish` and the action): register the publisher
//! before. A job of GitHub that says nothing of `permissions` gets `contents: read` beside it: what else it does with its token stops.
//!
//! # Levels
//!
//! `info`, `warning` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/release.yml bad default
//! on: {release: {types: [published]}}
//! jobs:
//!   publish:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: pypa/gh-action-pypi-publish@release/v1
//!         with:
//!           password: ${{ secrets.PYPI_TOKEN }}
//! ```
//!
//! ```yaml .github/workflows/release.yml bad default
//! on: {release: {types: [published]}}
//! jobs:
//!   publish:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: twine upload dist/*
//!         env:
//!           TWINE_PASSWORD: ${{ secrets.PYPI_TOKEN }}
//! ```
//!
//! ```yaml .github/workflows/release.yml good
//! on: {release: {types: [published]}}
//! jobs:
//!   publish:
//!     runs-on: ubuntu-24.04
//!     permissions: {id-token: write}
//!     steps:
//!       - uses: pypa/gh-action-pypi-publish@release/v1
//!       - uses: pypa/gh-action-pypi-publish@release/v1
//!         with:
//!           repository-url: https://pypi.example.org/legacy/
//!           password: ${{ secrets.INTERNAL }}
//!       - run: twine upload --repository-url https://pypi.example.org dist/*
//!         env:
//!           TWINE_PASSWORD: ${{ secrets.INTERNAL }}
//!       - run: poetry publish
//!         env:
//!           POETRY_PYPI_TOKEN_PYPI: ${{ secrets.PYPI_TOKEN }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 7 findings in 6 of them. In 11 further ones: 1. Read by eye: 8, false: 0.
//! Ledger: `docs/evidence/secret-publish-token.tsv`.

use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Job, Pipeline, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::Command;
use crate::model::secrets::{Harm, flow, identity};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-publish-token",
    group: Group::Secret,
    summary: "an upload to PyPI uses a stored token where an identity would do",
    levels: &[("token", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

/// Programs that upload, their subcommand, and the variables that they take a token from.
const UPLOADS: &[(&str, &str, &[&str])] = &[
    ("twine", "upload", &["TWINE_PASSWORD"]),
    ("uv", "publish", &["UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"]),
    ("flit", "publish", &["FLIT_PASSWORD"]),
    ("hatch", "publish", &["HATCH_INDEX_AUTH"]),
    ("pdm", "publish", &["PDM_PUBLISH_PASSWORD"]),
    ("maturin", "publish", &["MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD"]),
    ("maturin", "upload", &["MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD"]),
];

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components).filter(|one| one.system.publishes) {
            for job in &pipeline.jobs {
                for index in 0..job.steps.len() {
                    if let Some((at, what, key)) = upload(project, pipeline, job, index) {
                        let message = format!("{what} uploads to PyPI with a stored token; {} can publish without one", pipeline.system.name);
                        let twine = if what.contains("twine") { "; twine finds it by itself since 6.1" } else { "" };
                        let help = format!("register the publisher on PyPI and use {}{twine}", pipeline.system.identity);
                        let rewrite = match identity::edits(project, pipeline, job, index) {
                            Some(edits) => Remedy::Replace { edits, safety: Safety::Unsafe },
                            None => Remedy::Guide(pipeline.system.secrets.rewrites.publish.to_string()),
                        };
                        findings.push(Findings::finding(&RULE, "token", at, message).help(help).about(key, "pypi").remedy(rewrite));
                    }
                }
            }
        }
    }
}

/// The upload of a step with a secret: where, by what, at which key.
fn upload<'p>(project: &Project, pipeline: &'p Pipeline, job: &'p Job, index: usize) -> Option<(Location, String, &'p str)> {
    let step = &job.steps[index];
    match &step.kind {
        StepKind::Uses { component, inputs } => {
            let name = &project.reference(*component).subject.name;
            let input = |names: &[&str]| inputs.iter().find(|one| names.contains(&one.name.as_str()));
            let url = input(&["repository-url", "repository_url"]);
            let password = input(&["password"]).filter(|one| matches!(one.value, Value::Secret { .. }))?;
            let publishes = name.eq_ignore_ascii_case("pypa/gh-action-pypi-publish");
            (publishes && url.is_none_or(is_pypi)).then(|| (password.at, format!("`{name}`"), password.key.as_str()))
        }
        StepKind::Run(script) => {
            if !script.commands.iter().any(|command| tool_of(command).is_some()) {
                return None;
            }
            let held = project.secrets_at(pipeline, job, index);
            let flow = flow::of_step(pipeline, job, index)?;
            script.commands.iter().enumerate().find_map(|(number, command)| {
                let (tool, variables) = tool_of(command)?;
                let elsewhere = elsewhere(command) || variables_of(pipeline, job, index).any(|one| one.name.ends_with("REPOSITORY_URL") && !is_pypi(one));
                let by_variable = held.iter().any(|one| variables.contains(&one.variable.as_str()));
                let mut carries = flow.carries.iter().filter(|carry| carry.command == number);
                let by_word = carries.any(|carry| project.worst(carry.secrets.iter().map(String::as_str)) > Harm::Plain);
                (!elsewhere && (by_variable || by_word || pasted(command))).then(|| (command.at, format!("`{tool}`"), step.key.as_str()))
            })
        }
        StepKind::Other => None,
    }
}

fn variables_of<'p>(pipeline: &'p Pipeline, job: &'p Job, index: usize) -> impl Iterator<Item = &'p Assignment> {
    job.steps[index].env.iter().chain(&job.env).chain(&pipeline.env)
}

/// Whether a URL is that of PyPI or TestPyPI.
fn is_pypi(one: &Assignment) -> bool {
    match &one.value {
        Value::Literal(url) => url.is_empty() || url.contains("pypi.org"),
        _ => false,
    }
}

/// A secret of the system among the arguments.
fn pasted(command: &Command) -> bool {
    command.words.iter().any(|word| word.text.text.contains("${{ secrets."))
}

fn tool_of(command: &Command) -> Option<(String, &'static [&'static str])> {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    let (tool, task, variables) = UPLOADS.iter().find(|(tool, task, _)| {
        let at = command.words.iter().position(|word| word.names(tool));
        at.is_some_and(|at| words[at + 1..].iter().take_while(|word| **word != "&&").any(|word| word == task))
    })?;
    Some((format!("{tool} {task}"), variables))
}

/// Whether the command names another index.
fn elsewhere(command: &Command) -> bool {
    const OPTIONS: [&str; 8] =
        ["--repository-url", "--publish-url", "-r", "--repository", "--repo", "--index", "--index-url", "--config-file"];
    let mut words = command.words.iter().map(|word| word.text.text.as_str()).peekable();
    while let Some(word) = words.next() {
        let (option, joined) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
        if OPTIONS.contains(&option) {
            let value = joined.or_else(|| words.peek().copied()).unwrap_or("");
            let pypi = value.contains("pypi.org") || matches!(value, "pypi" | "testpypi");
            if !pypi {
                return true;
            }
        }
    }
    false
}

//! # What it finds
//!
//! pytest and tox in the gate without any of their switches for more words. One finding per repository; its labels are the commands.
//!
//! # Why
//!
//! The runner knows more than it prints: whole differences (`-vv`), why tests were skipped or xfailed (`-ra`), which were slow
//! (`--durations`). Who reads the log of a red patch cannot ask it again.
//!
//! # What is not a finding
//!
//! - Commands with `-v`, `-r…` or `--verbose`, and repositories whose `addopts` or `PYTEST_ADDOPTS` has one of them.
//! - Commands that are asked to be quiet: `log-tool-quiet` speaks of them.
//! - Tasks that CI does not run.
//!
//! # What to do
//!
//! In the command that CI runs (people at their desk may prefer less): `pytest -vv -ra --durations=20 --tb=long --show-capture=all`
//! (`--showlocals` only where no secret is in scope), `tox -vv`, `mypy --show-error-context --pretty`, `docker build --progress=plain`.
//!
//! # Levels
//!
//! `advice` in `default` and `strict`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest tests
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -vv -ra tests
//!       - run: tox -v -e py312
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 19 findings in 19 of them. In 61 further ones: 27. Read by eye: 27, false: 0.
//! Ledger: `docs/evidence/log-verbosity-unset.tsv`.

use crate::model::edit::Edit;
use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Advice, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::Word;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "log-verbosity-unset",
    group: Group::Log,
    summary: "test runners could say more and are not asked to",
    levels: &[("runner", levels(Advice, Advice, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let configured = project.manifests().flat_map(|manifest| &manifest.settings).any(|(name, text)| {
        name == "pytest.addopts" && text.text.split_whitespace().any(says_more)
    });
    let sites = project.gate_commands();
    // The jobs of a matrix share their text: a place counts once, and is changed once.
    let mut seen = HashSet::new();
    let terse: Vec<&Site> = sites.iter().filter(|site| site.job.is_some() && is_terse(site, configured) && seen.insert(site.command.at)).collect();
    let Some(first) = terse.first() else { return };
    let tool = first.command.check().map_or("", |check| check.tool);
    let others = match terse.len() {
        1 => String::new(),
        count => format!(" ({count} commands)"),
    };
    let message = format!("`{tool}` is not asked for details{others}: the log of a red patch leaves out what the runner knows");
    let help = "in CI: `pytest -vv -ra --durations=20 --tb=long --show-capture=all`, `tox -vv`";
    let mut finding = Findings::finding(&RULE, "runner", first.command.at, message).help(help).about("", "verbosity");
    for site in terse.iter().skip(1) {
        let tool = site.check().map_or("", |check| check.tool);
        finding = finding.label(site.command.at, format!("`{tool}` in job `{}`", site.job.map_or("", |job| &job.id)));
    }
    let edits: Vec<Edit> = terse.iter().filter_map(|site| edit(site)).collect();
    if !edits.is_empty() {
        finding = finding.remedy(Remedy::Replace { edits, safety: Safety::Safe });
    }
    findings.push(finding);
}

fn is_terse(site: &Site, configured: bool) -> bool {
    let Some(check) = site.check() else { return false };
    let says = |word: &Word| says_more(&word.text.text) || word.text.text.starts_with("-q");
    match check.program() {
        "pytest" | "py.test" => {
            let opaque = check.arguments.iter().any(|word| word.expands && word.text.text.starts_with('$') && !word.quoted);
            !configured && !opaque && !check.arguments.iter().any(says) && !by_environment(site)
        }
        "tox" => !check.arguments.iter().any(says),
        _ => false,
    }
}

fn says_more(text: &str) -> bool {
    let short = text.starts_with('-') && !text.starts_with("--");
    text == "--verbose" || text.starts_with("--verbosity") || short && (text.contains('v') || text.starts_with("-r"))
}

fn by_environment(site: &Site) -> bool {
    let sets = |list: &[Assignment]| list.iter().any(|one| one.name == "PYTEST_ADDOPTS" && !matches!(one.value, Value::Secret { .. }));
    let scopes = [site.pipeline.map(|one| &one.env), site.job.map(|one| &one.env), site.step.map(|one| &one.env)];
    scopes.into_iter().flatten().any(|env| sets(env))
}

/// The switch goes after the name of the tool.
fn edit(site: &Site) -> Option<Edit> {
    let check = site.check()?;
    let (program, switch) = if check.program() == "tox" { ("tox", " -vv") } else { ("pytest", " -vv -ra") };
    let word = site.command.words.iter().find(|word| word.text.text == program)?;
    (word.text.verbatim && !word.quoted).then(|| Edit::replace(word.text.at.at_end(), switch))
}

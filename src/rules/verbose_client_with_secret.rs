//! # What it finds
//!
//! Verbosity that prints credentials: `curl -v` and `wget -d` with a secret in the request, `GIT_CURL_VERBOSE`, `aws --debug`, `ansible -vvv`,
//! `TF_LOG=TRACE`, `docker compose config`, `make -p`, `tox config`, `pytest --showlocals` while a secret is in scope.
//!
//! # Why
//!
//! A log should say as much as it can. With a secret in reach it says too much: headers, signed requests, local variables.
//!
//! # What is not a finding
//!
//! - The same switch where no secret is in scope; for curl, wget and httpie where the request carries none.
//! - Tokens that end with the job, in `default`.
//! - pytest's plain traceback: it shows arguments of functions too, which no file tells. Wrap keys in a type with a `repr` that hides them.
//!
//! # What to do
//!
//! Take the switch out of the step that has the secret, or the secret out of the step that needs the switch.
//!
//! # Levels
//!
//! `warning`, `error` in `audit`; with nothing but tokens that end with the job: `info` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           curl -v -H "Authorization: Bearer $T" https://api.corp.io
//!         env:
//!           T: ${{ secrets.API_KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           curl -H "Authorization: Bearer $T" https://api.corp.io
//!         env:
//!           T: ${{ secrets.API_KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     env:
//!       OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}
//!     steps:
//!       - run: pytest -vv --showlocals
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           curl -v https://example.org
//!           pytest -vv --showlocals
//!       - run: |
//!           curl -v https://example.org
//!           curl -sS -H "Authorization: Bearer $T" https://api.corp.io
//!         env:
//!           T: ${{ secrets.API_KEY }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding.

use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Deed};
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::runners::Sorted;
use crate::model::secrets::{Readable, Runner, Runners};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "verbose-client-with-secret",
    group: Group::Secret,
    summary: "a tool is so verbose that it prints the secret that it has",
    levels: &[("secret", levels(Warning, Warning, Error)), ("token", levels(Off, Info, Info))],
    since: "0.1.0",
    check,
};

/// Tools that print what they send: without a secret in the request there is nothing to print.
const REQUESTS: [&str; 3] = ["curl -v", "wget -d", "http --verbose"];

/// Words that can be taken out without a change of what is done.
const SWITCHES: [&str; 6] = ["-v", "--verbose", "-l", "--showlocals", "--debug", "-d"];

fn check(project: &Project, findings: &mut Findings) {
    let runners = Runners::of(project);
    for site in project.run_commands() {
        let how = site.command.deeds.iter().find_map(|deed| match deed {
            Deed::Reveal(how) => Some(how.as_str()),
            _ => None,
        });
        let Some(how) = how else { continue };
        let found = runners.of_site(&site).into_iter().filter_map(|runner| of_step(project, &site, how, &runner)).next();
        found.into_iter().for_each(|finding| findings.push(finding));
    }
}

fn of_step(project: &Project, site: &Site, how: &str, runner: &Runner) -> Option<Finding> {
    let readable = runner.secrets(project);
    let sorted = Sorted::of(project, readable.clone());
    let given = |one: &&Readable| {
        !REQUESTS.contains(&how) || site.command.uses(Some(runner.step()), &one.variable, &one.secrets)
    };
    let names = |list: &[Readable]| list.iter().filter(given).map(|one| one.variable.clone()).collect::<Vec<_>>();
    let (mut secrets, tokens) = (names(&sorted.secrets), names(&sorted.tokens));
    if REQUESTS.contains(&how) {
        let mut unseen = site.command.named_secrets();
        unseen.retain(|name| runner.may_hold(&readable, name) && !secrets.contains(name));
        secrets.extend(unseen);
    }
    let (kind, names) = match (secrets.is_empty(), tokens.is_empty()) {
        (false, _) => ("secret", secrets),
        // Every job of some systems has a token; only a request with it counts.
        (true, false) if REQUESTS.contains(&how) => ("token", tokens),
        _ => return None,
    };
    let shown = listed(names.iter().map(String::as_str));
    let message = match REQUESTS.contains(&how) {
        true => format!("`{how}` prints the request, and {shown} {} in it", are(names.len())),
        false => format!("`{how}` prints what it can reach while {shown} {} in scope", are(names.len())),
    };
    let help = "take the switch out of this step, or move the secret to a step without it";
    let key = format!("{}.{how}", runner.step().key);
    let mut finding = Findings::finding(&RULE, kind, site.command.at, message).help(help).about(key, names.join(" "));
    if runner.call.is_some() {
        finding = finding.label(runner.at(), format!("run by step `{}` of job `{}`", runner.step().name, runner.job.id));
    }
    Some(match cut(project, site.command) {
        Some(edit) => finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Safe }),
        None => finding.remedy(Remedy::Guide(help.to_string())),
    })
}

/// Takes the switch out, with the blanks before it.
fn cut(project: &Project, command: &Command) -> Option<Edit> {
    let mut found = command.words.iter().skip(1).filter(|word| SWITCHES.contains(&word.text.text.as_str()));
    let word = found.next()?;
    if found.next().is_some() || !word.text.verbatim || word.quoted {
        return None;
    }
    let at = word.text.at;
    let text = project.source(at.source).text.get(..at.span.start as usize)?;
    let start = text.trim_end_matches([' ', '\t']).len();
    (start < text.len()).then(|| Edit::replace(Location::new(at.source, Span::new(start, at.span.end as usize)), ""))
}

//! # What it finds
//!
//! Verbosity that prints credentials: `curl -v` and `wget -d` with a secret in the request, `GIT_CURL_VERBOSE`, `aws --debug`, `ansible -vvv`,
//! `TF_LOG=TRACE`, `docker compose config`, `helm --debug`, `helm get values`, `kubectl -v=8`, `kubectl describe` of pods, `make -p`,
//! `tox config`, `pytest --showlocals` while a secret is in scope; `docker inspect` of a container that a step of the job starts with `-e` of
//! a secret. In an image build the same, with arguments of the build, variables made of them and mounted secrets. `GIT_TRACE`, `GIT_CURL_VERBOSE`, `GIT_TRACE_CURL` and `TF_LOG` count wherever they are set: command, step, job or pipeline.
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
//!     steps:
//!       - run: |
//!           curl \
//!             -v \
//!             --user "joe:${{ secrets.PASSWORD }}" https://api.corp.io
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           curl \
//!             --user "joe:${{ secrets.PASSWORD }}" https://api.corp.io
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     env:
//!       TF_LOG: TRACE
//!     steps:
//!       - run: terraform apply -auto-approve
//!         env:
//!           TF_VAR_db_password: ${{ secrets.DB_PASSWORD }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           docker run -d --name db -e DB_PASSWORD postgres:16.3
//!           docker inspect db
//!         env:
//!           DB_PASSWORD: ${{ secrets.DB_PASSWORD }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     env:
//!       TF_LOG: INFO
//!     steps:
//!       - run: |
//!           terraform apply -auto-approve
//!           docker run -d --name web nginx:1.27.0
//!           docker inspect web
//!           kubectl get pods -v=4
//!         env:
//!           TF_VAR_db_password: ${{ secrets.DB_PASSWORD }}
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
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! RUN --mount=type=secret,id=api curl -v -H "Authorization: Bearer $(cat /run/secrets/api)" https://api.corp.io
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! ARG GIT_TOKEN
//! ENV GIT_CURL_VERBOSE=1
//! RUN git clone "https://joe:$GIT_TOKEN@git.corp.io/a.git"
//! ```
//!
//! ```docker Dockerfile good
//! FROM python:3.12.7
//! ARG API_TOKEN
//! RUN curl -v https://example.org
//! RUN --mount=type=secret,id=netrc,target=/root/.netrc curl -sS --netrc-file /root/.netrc https://api.corp.io
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
//! In 52 public repositories: 2 findings in 1 of them. Read by eye: 2, false: 0.
//! Ledger: `docs/evidence/verbose-client-with-secret.tsv`.

use crate::model::container::ContainerBuild;
use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::pipeline::{Job, Step, StepKind, Value};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Deed};
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::runners::Sorted;
use crate::model::secrets::{Harm, Readable, Runner, Runners, build};
use crate::model::span::{Location, Span};
use std::collections::HashSet;

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
const REQUESTS: [&str; 4] = ["curl -v", "wget -d", "http --verbose", "GIT_TRACE"];

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
        if let Some(build) = site.build {
            of_build(project, build, &site, how).into_iter().for_each(|finding| findings.push(finding));
            continue;
        }
        let found = runners.of_site(&site).into_iter().filter_map(|runner| of_step(project, &site, how, &runner)).next();
        found.into_iter().for_each(|finding| findings.push(finding));
    }
    switches(project, &runners, findings);
}

/// Variables that make a client verbose, wherever they are set: their names, the clients, the values that are on (none: any but an empty
/// one, `0` and `false`), and how people say it.
const VARIABLES: &[(&str, &[&str], &[&str], &str)] = &[
    ("GIT_CURL_VERBOSE", &["git"], &[], "GIT_CURL_VERBOSE"),
    ("GIT_TRACE_CURL", &["git"], &[], "GIT_TRACE_CURL"),
    ("GIT_TRACE", &["git"], &[], "GIT_TRACE"),
    ("TF_LOG", &["terraform", "tofu", "terragrunt"], &["TRACE", "DEBUG", "JSON"], "TF_LOG=TRACE"),
];

/// Such variables of pipelines, jobs and steps, with the first client that prints a secret because of them.
fn switches<'p>(project: &'p Project, runners: &Runners<'p>, findings: &mut Findings) {
    let mut told: HashSet<Location> = HashSet::new();
    for site in project.run_commands() {
        let Some(client) = site.command.words.first().map(|word| word.text.text.rsplit('/').next().unwrap_or("")) else { continue };
        for (variable, _, on, how) in VARIABLES.iter().filter(|(_, clients, ..)| clients.contains(&client)) {
            let is_on = |text: &str| {
                let off = matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off");
                !off && (on.is_empty() || on.contains(&text.to_ascii_uppercase().as_str()))
            };
            if let Some(build) = site.build {
                let set = build::env(build, site.script, variable).filter(|one| one.value.as_ref().is_some_and(|text| is_on(&text.text)));
                let found = set.filter(|one| !told.contains(&one.at)).and_then(|one| Some((one, of_build(project, build, &site, how)?)));
                if let Some((one, finding)) = found {
                    told.insert(one.at);
                    findings.push(elsewhere(finding, one.at, variable));
                }
                continue;
            }
            for runner in runners.of_site(&site) {
                let Some((assignment, text)) = runner.plain(variable) else { continue };
                if !is_on(text) || told.contains(&assignment.at) {
                    continue;
                }
                if let Some(finding) = of_step(project, &site, how, &runner) {
                    told.insert(assignment.at);
                    findings.push(elsewhere(finding, assignment.at, variable));
                }
            }
        }
    }
}

/// The same finding where the variable is set that makes the client verbose.
fn elsewhere(finding: Finding, at: Location, variable: &str) -> Finding {
    let prints = finding.at;
    let help = format!("take `{variable}` out; set it for the one run that needs it");
    let place = Finding { at, remedy: None, ..finding };
    place.label(prints, "this command prints it").help(help.clone()).remedy(Remedy::Guide(help))
}

/// A verbose client in a `RUN`: arguments of the build, variables made of them and mounted secrets are in its reach.
fn of_build(project: &Project, build: &ContainerBuild, site: &Site, how: &str) -> Option<Finding> {
    let sorted = Sorted::of(project, project.secrets_in_build(build, site.script));
    let request = REQUESTS.contains(&how);
    let given = |one: &&Readable| !request || site.command.uses(None, &one.variable, &[]);
    let mut names: Vec<String> = sorted.secrets.iter().filter(given).map(|one| one.variable.clone()).collect();
    if request {
        let files = build::secret_files(build, site.script);
        names.extend(files.into_iter().filter(|file| file.pasted(site.command) || file.named(site.command)).map(|file| file.id));
    }
    if names.is_empty() || how == "docker inspect" {
        return None;
    }
    let shown = listed(names.iter().map(String::as_str));
    let message = match request {
        true => format!("`{how}` prints the request into the log of the image build, and {shown} {} in it", are(names.len())),
        false => format!("`{how}` prints what it can reach into the log of the image build while {shown} {} in scope", are(names.len())),
    };
    let help = "take the switch out of this `RUN`, or read the secret in another one";
    let finding = Findings::finding(&RULE, "secret", site.command.at, message).help(help).about(format!("build.{how}"), names.join(" "));
    Some(match cut(project, site.command) {
        Some(edit) => finding.remedy(Remedy::Replace { edits: vec![edit], safety: Safety::Safe }),
        None => finding.remedy(Remedy::Guide(help.to_string())),
    })
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
        let pasted = pasted(project, site.command, runner.step());
        secrets.extend(pasted.into_iter().filter(|name| !secrets.contains(name)).collect::<Vec<_>>());
    }
    // What a container was started with is shown; no more than that.
    if how == "docker inspect" {
        secrets.retain(|name| started_with(runner.job, name));
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

/// Secrets that the system pastes into a command, those that do harm.
fn pasted(project: &Project, command: &Command, step: &Step) -> Vec<String> {
    let names = step.pasted.iter().filter_map(|one| match &one.value {
        Value::Secret { names, .. } => Some(names),
        _ => None,
    });
    let full = names.flatten().filter(|name| project.harm(name) == Harm::Full && command.is_given(step, std::slice::from_ref(name)));
    full.cloned().collect()
}

/// Whether a step starts a container with a variable of this name: `-e NAME`, `--env NAME=…`, `--env=NAME`.
fn started_with(job: &Job, variable: &str) -> bool {
    let scripts = job.steps.iter().filter_map(|step| if let StepKind::Run(script) = &step.kind { Some(script) } else { None });
    scripts.flat_map(|script| &script.commands).any(|command| {
        let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
        let starts = words.first().is_some_and(|word| matches!(*word, "docker" | "podman")) && (words.contains(&"run") || words.contains(&"create"));
        let named = |word: &str| word.split('=').next() == Some(variable);
        let given = words.windows(2).any(|pair| matches!(pair[0], "-e" | "--env") && named(pair[1]));
        starts && (given || words.iter().any(|word| word.strip_prefix("--env=").or_else(|| word.strip_prefix("-e")).is_some_and(named)))
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
    let whole = &project.source(at.source).text;
    let text = whole.get(..at.span.start as usize)?;
    let start = text.trim_end_matches([' ', '\t']).len();
    if text[..start].is_empty() || text[..start].ends_with('\n') {
        // Alone on a line that goes on: the line with it.
        let rest = whole[at.span.end as usize..].split_inclusive('\n').next().unwrap_or("");
        let end = at.span.end as usize + rest.len();
        return (rest.trim() == "\\" && rest.ends_with('\n')).then(|| Edit::replace(Location::new(at.source, Span::new(start, end)), ""));
    }
    (start < text.len()).then(|| Edit::replace(Location::new(at.source, Span::new(start, at.span.end as usize)), ""))
}

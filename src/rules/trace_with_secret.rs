//! # What it finds
//!
//! A shell that prints its commands with all values put in (`set -x`, `bash -x`, `set -o xtrace`, `Set-PSDebug -Trace`) while a secret is in
//! scope. Which lines are traced is followed through `set -x` and `set +x`, also in scripts of the repository that a step calls. In an image
//! build: a traced command of a `RUN` that uses an argument of the build, a variable made of one, or the text of a mounted secret.
//!
//! # Why
//!
//! The trace shows `curl -H 'Authorization: Bearer …'` as it is run. Masks know exact values only; whatever a tool makes of a secret before
//! it uses it is shown.
//!
//! # What is not a finding
//!
//! - The trace of every `sh` of Jenkins, where no traced command uses a secret.
//! - A trace where no secret is in scope, or that is off where the secret is used (`set -x; make; set +x; use "$T"`).
//! - `GITHUB_TOKEN` and other tokens that end with the job, unless a traced command uses them.
//!
//! # What to do
//!
//! Drop the `x`, or put `set +x` before the commands that use the secret and `set -x` behind them.
//!
//! # Levels
//!
//! `error` when a traced command uses the secret. `warning` (`error` in `strict`) when none does and the traced shell reads other files
//! (`source`, `eval`), which may; `info` (`warning` in `strict`) when it does not: programs that it starts do not inherit the trace. `info` for
//! tokens that end with the job and secrets that do little harm, when they are used.
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
//!           set -ex
//!           curl -H "Authorization: Bearer $T" https://api.corp.io
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
//!           set -e
//!           curl -H "Authorization: Bearer $T" https://api.corp.io
//!         env:
//!           T: ${{ secrets.API_KEY }}
//! ```
//!
//! ```groovy Jenkinsfile good
//! pipeline {
//!   agent any
//!   stages {
//!     stage('Ship') {
//!       steps {
//!         withCredentials([string(credentialsId: 'key', variable: 'DEPLOY_KEY')]) {
//!           sh './ship'
//!         }
//!       }
//!     }
//!   }
//! }
//! ```
//!
//! ```sh ci/deploy.sh with
//! #!/bin/bash
//! ./upload --token "$DEPLOY_KEY"
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: bash -x ci/deploy.sh
//!         env:
//!           DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! deploy:
//!   script:
//!     - set -x
//!     - 'curl -H "PRIVATE-TOKEN: $DEPLOY_TOKEN" https://api.corp.io'
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! RUN --mount=type=secret,id=api set -ex; T=$(cat /run/secrets/api); ./fetch
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! ARG API_TOKEN
//! RUN set -eux; curl -H "Authorization: Bearer $API_TOKEN" https://api.corp.io
//! ```
//!
//! ```docker Dockerfile good
//! FROM python:3.12.7
//! ARG API_TOKEN
//! RUN set -eux; make
//! RUN --mount=type=secret,id=netrc,target=/root/.netrc set -x; curl --netrc-file /root/.netrc https://api.corp.io
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           set -x
//!           make
//!       - run: |
//!           set -x
//!           ls
//!           set +x
//!           use "$T"
//!         env:
//!           T: ${{ secrets.API_KEY }}
//!       - run: |
//!           set -x
//!           gh pr list
//!         env:
//!           GH_TOKEN: ${{ github.token }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 1 finding in 1 of them.

use crate::model::container::ContainerBuild;
use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Language, Script, Word};
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::runners::Sorted;
use crate::model::secrets::{Readable, Runner, Runners, build};
use crate::model::span::Location;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "trace-with-secret",
    group: Group::Secret,
    summary: "commands are traced while a secret is in scope",
    levels: &[
        ("used", levels(Error, Error, Error)),
        ("scope", levels(Warning, Error, Error)),
        ("unused", levels(Info, Warning, Error)),
        ("token", levels(Info, Warning, Warning)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let runners = Runners::of(project);
    let mut done: HashSet<*const Script> = HashSet::new();
    // One script may stand under an anchor and be run by several jobs.
    let mut told: HashSet<Location> = HashSet::new();
    for site in project.run_commands() {
        if done.insert(std::ptr::from_ref(site.script)) {
            let found = match site.build {
                Some(build) => of_build(project, build, &site),
                None => of_script(project, &runners, &site),
            };
            let found = found.filter(|finding| told.insert(finding.at));
            found.into_iter().for_each(|finding| findings.push(finding));
        }
    }
}

/// A `RUN` that traces its commands: arguments of the build, variables made of them and mounted secrets are in its reach. What no traced
/// command uses is not printed.
fn of_build(project: &Project, build: &ContainerBuild, site: &Site) -> Option<Finding> {
    let traced: Vec<&Command> = traced(site.script, false);
    if traced.is_empty() {
        return None;
    }
    let sorted = Sorted::of(project, project.secrets_in_build(build, site.script));
    let files = build::secret_files(build, site.script);
    let first = |list: &[Readable]| {
        let used = |command: &&&Command| {
            let named: Vec<String> = list.iter().filter(|one| command.uses(None, &one.variable, &[])).map(|one| one.variable.clone()).collect();
            (!named.is_empty()).then_some(named)
        };
        traced.iter().find_map(|command| Some((used(&command)?, *command)))
    };
    let pasted = || {
        traced.iter().find_map(|command| {
            let ids: Vec<String> = files.iter().filter(|file| file.pasted(command)).map(|file| file.id.clone()).collect();
            (!ids.is_empty()).then_some((ids, *command))
        })
    };
    let (kind, (names, command)) = match first(&sorted.secrets).or_else(pasted) {
        Some(found) => ("used", found),
        None => ("token", first(&sorted.minor)?),
    };
    Some(report(project, site, None, kind, &names, command))
}

/// The steps that run a script, and how it is traced in each of them; the worst is told.
fn of_script<'p>(project: &'p Project, runners: &Runners<'p>, site: &Site<'p>) -> Option<Finding> {
    let mut worst: Option<(usize, Finding)> = None;
    for runner in runners.of_site(site) {
        let everywhere = runner.plain("SHELLOPTS").is_some_and(|(_, text)| text.split(':').any(|option| option == "xtrace"));
        let from_call = everywhere || runner.call.is_some_and(|call| flag(call).is_some());
        let traced: Vec<&Command> = traced(site.script, from_call);
        if traced.is_empty() {
            continue;
        }
        let readable = runner.secrets(project);
        let by_name = by_name(site.script, &traced, &runner, &readable);
        // Whose variables are not known by name is looked at by name only.
        let known = readable.into_iter().filter(|one| one.secrets.iter().all(|name| name != "*")).collect();
        let sorted = Sorted::of(project, known);
        let uses = |list: &[Readable]| -> Option<(Vec<String>, &Command)> {
            let used = |command: &&&Command, one: &Readable| command.uses(Some(runner.step()), &one.variable, &one.secrets);
            let first = traced.iter().find(|command| list.iter().any(|one| used(command, one)))?;
            let names = list.iter().filter(|one| traced.iter().any(|command| used(&command, one)));
            Some((names.map(|one| one.variable.clone()).collect(), first))
        };
        let minor: Vec<Readable> = sorted.minor.iter().chain(&sorted.tokens).cloned().collect();
        let found = if let Some((names, command)) = uses(&sorted.secrets).or_else(|| pasted(&traced, &runner)).or(by_name) {
            (0, report(project, site, Some(&runner), "used", &names, command))
        } else if !is_given(&runner) && !sorted.secrets.is_empty() && is_careless(site.script, &runner, &sorted.secrets) {
            let names: Vec<String> = sorted.secrets.iter().map(|one| one.variable.clone()).collect();
            // Other programs do not inherit the trace; what is read into this shell does.
            let reads = |command: &&Command| {
                command.words.first().is_some_and(|word| matches!(word.text.text.as_str(), "." | "source" | "eval"))
            };
            let kind = if traced.iter().any(reads) { "scope" } else { "unused" };
            (1, report(project, site, Some(&runner), kind, &names, traced[0]))
        } else if let Some((names, command)) = uses(&minor) {
            (2, report(project, site, Some(&runner), "token", &names, command))
        } else {
            continue;
        };
        if worst.as_ref().is_none_or(|(rank, _)| found.0 < *rank) {
            worst = Some(found);
        }
    }
    worst.map(|(_, finding)| finding)
}

/// Variables that come from a server, by name, and the first traced command that uses one.
fn by_name<'c>(script: &Script, traced: &[&'c Command], runner: &Runner, readable: &[Readable]) -> Option<(Vec<String>, &'c Command)> {
    let own = |name: &str| script.commands.iter().any(|command| command.assigns.iter().any(|(known, _)| known == name));
    let held = |command: &Command| -> Vec<String> {
        let mut names = command.named_secrets();
        names.retain(|name| runner.may_hold(readable, name) && !own(name));
        names
    };
    let first = traced.iter().find(|command| !held(command).is_empty())?;
    Some((traced.iter().flat_map(|command| held(command)).collect(), first))
}

/// Whether the system traces every script that does not say otherwise: then nobody asked for it, and only what it prints counts.
fn is_given(runner: &Runner) -> bool {
    runner.step().shell.is_some_and(|shell| shell.xtrace) && !runner.step().shell_written
}

/// Whether nothing says that the trace was kept away from the secrets: it is never turned off, and no other command uses one.
fn is_careless(script: &Script, runner: &Runner, secrets: &[Readable]) -> bool {
    let stops = |command: &Command| {
        let set = command.words.first().is_some_and(|word| word.text.text == "set");
        set && command.words.iter().any(|word| word.text.text.starts_with('+') && word.text.text.contains(['x', 'o']))
    };
    let uses = |command: &Command| {
        secrets.iter().any(|one| command.uses(Some(runner.step()), &one.variable, &one.secrets))
    };
    !script.commands.iter().any(|command| stops(command) || uses(command))
}

/// Secrets that the system pastes into a traced command.
fn pasted<'c>(traced: &[&'c Command], runner: &Runner) -> Option<(Vec<String>, &'c Command)> {
    use crate::model::pipeline::Value;
    use crate::model::secrets::names::is_short_lived;
    let names = runner.step().pasted.iter().filter_map(|one| match &one.value {
        Value::Secret { names, .. } => Some(names),
        _ => None,
    });
    let names: Vec<String> = names.flatten().filter(|name| !is_short_lived(name)).cloned().collect();
    let command = traced.iter().find(|command| command.is_given(runner.step(), &names))?;
    Some((names, command))
}

/// The commands that are printed with their values, those of the shell itself that say nothing left out.
fn traced(script: &Script, from_call: bool) -> Vec<&Command> {
    let mut off = false;
    let mut traced = Vec::new();
    for command in &script.commands {
        let program = command.words.first().map_or("", |word| word.text.text.as_str());
        let on = match script.shell.language {
            Language::Posix => command.shell.xtrace || from_call && !off,
            Language::PowerShell => command.shell.xtrace,
            _ => false,
        };
        if program == "set" {
            off |= command.words.iter().skip(1).any(|word| word.text.text.starts_with('+') && word.text.text.contains('x'));
        } else if on && !matches!(program, "true" | ":" | "shopt" | "cd") {
            traced.push(command);
        }
    }
    traced
}

/// The word by which a command turns the trace on: `-x`, `-eux`, or `-o` before `xtrace`.
fn flag(command: &Command) -> Option<&Word> {
    let program = command.words.first()?.text.text.rsplit('/').next()?;
    if !matches!(program, "set" | "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash") {
        return None;
    }
    let words = &command.words[1..];
    let cluster = |word: &&Word| {
        let text = &word.text.text;
        text.starts_with('-') && !text.starts_with("--") && text.contains('x') && text[1..].bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let options = words.iter().take_while(|word| word.text.text.starts_with('-') || word.text.text == "pipefail" || word.text.text == "xtrace");
    let options: Vec<&Word> = options.collect();
    let long = options.windows(2).find(|pair| pair[0].text.text == "-o" && pair[1].text.text == "xtrace").map(|pair| pair[0]);
    options.into_iter().find(cluster).or(long)
}

fn report(project: &Project, site: &Site, runner: Option<&Runner>, kind: &str, names: &[String], at: &Command) -> Finding {
    let shown = listed(names.iter().map(String::as_str));
    let message = match kind {
        "scope" | "unused" => format!(
            "commands are traced while {shown} {} in scope; the first line that uses one prints it",
            are(names.len())
        ),
        _ if runner.is_none() => format!("this command is traced and uses {shown}: the log of the image build shows it with the value put in"),
        _ => format!("this command is traced and uses {shown}: the log shows it with the value put in"),
    };
    let help = "drop the `x`, or put `set +x` before the commands that use the secret and `set -x` behind them";
    let key = format!("{}.trace", runner.map_or("build", |runner| runner.step().key.as_str()));
    let mut finding = Findings::finding(&RULE, kind, at.at, message).help(help).about(key, names.join(" "));
    let before = site.script.commands.iter().take_while(|command| !std::ptr::eq(*command, at));
    let own = before.filter(|command| command.words.first().is_some_and(|word| word.text.text == "set")).filter_map(flag).last();
    let switch = own.or_else(|| runner?.call.and_then(flag));
    if let Some(word) = switch {
        finding = finding.label(word.text.at, "the trace is turned on here");
    }
    if let Some(runner) = runner.filter(|runner| runner.call.is_some()) {
        finding = finding.label(runner.at(), format!("run by step `{}` of job `{}`", runner.step().name, runner.job.id));
    }
    let edit = switch.and_then(|word| off(project, word));
    finding.remedy(match edit {
        Some(edit) => Remedy::Replace { edits: vec![edit], safety: Safety::Safe },
        None => Remedy::Guide("set +x   # the first line of the script".to_string()),
    })
}

/// Takes the `x` out of a cluster, or turns the flag around where it stands alone.
fn off(project: &Project, word: &Word) -> Option<Edit> {
    let text = &word.text.text;
    if !word.text.verbatim || project.sources.text(word.text.at) != text {
        return None;
    }
    let part = |range: std::ops::Range<usize>| -> Location { word.text.at.slice(range) };
    if text == "-x" || text == "-o" {
        return Some(Edit::replace(part(0..1), "+"));
    }
    let at = text.find('x')?;
    Some(Edit::replace(part(at..at + 1), ""))
}

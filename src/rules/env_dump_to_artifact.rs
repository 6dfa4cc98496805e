//! # What it finds
//!
//! A print of the whole environment into a file that a later step, or the job, keeps or sends: an artifact, a cache, a comment, an upload.
//!
//! # Why
//!
//! Masks apply to logs. In a file the secret stands as it is, for as long as the file is kept and for everybody who can fetch it.
//!
//! # What is not a finding
//!
//! - A file that stays on the machine: `env-dump-with-secret` speaks of it.
//! - Names alone, one variable, output that is thrown away.
//!
//! # What to do
//!
//! Print the environment to the log, where no secret is in scope, and keep no file of it.
//!
//! # Levels
//!
//! `error` where a secret is in scope, and on systems that put a token into every job; `warning` else.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     env:
//!       T: ${{ secrets.DEPLOY_KEY }}
//!     steps:
//!       - run: env > env.txt
//!       - uses: actions/upload-artifact@v4
//!         with:
//!           path: env.txt
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! test:
//!   script:
//!     - mkdir -p out
//!     - env | sort > out/env.log
//!   artifacts:
//!     paths: [out/]
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     env:
//!       T: ${{ secrets.DEPLOY_KEY }}
//!     steps:
//!       - run: |
//!           env > env.txt
//!           env | cut -d= -f1 > names.txt
//!       - uses: actions/upload-artifact@v4
//!         with:
//!           path: names.txt
//! ```
//!
//! ```docker Dockerfile with
//! FROM python:3.12.7
//! COPY . /app
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           env > build-env.txt
//!           docker build -t app .
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! a:
//!   script: env > .state/env
//!   cache: {paths: [.state]}
//! ```
//!
//! ```docker Dockerfile with
//! FROM python:3.12.7
//! COPY src /app
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           env > build-env.txt
//!           docker build -t app .
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding.

use crate::model::finding::{Findings, Remedy};
use crate::model::kept;
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Deed, Dump, DumpSink};
use crate::model::secrets::place::listed;
use crate::model::secrets::runners::Sorted;
use crate::model::secrets::Runners;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "env-dump-to-artifact",
    group: Group::Secret,
    summary: "the environment is written to a file that is kept",
    levels: &[("secret", levels(Error, Error, Error)), ("nothing", levels(Warning, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let runners = Runners::of(project);
    let mut told = HashSet::new();
    for site in project.run_commands().into_iter().filter(|site| told.insert(site.command.at)) {
        for deed in &site.command.deeds {
            if let Deed::Dump(dump) = deed {
                of_dump(project, &runners, &site, dump, findings);
            }
        }
    }
}

fn of_dump<'p>(project: &'p Project, runners: &Runners<'p>, site: &Site<'p>, dump: &Dump, findings: &mut Findings) {
    for runner in runners.of_site(site) {
        let files = dump.sinks.iter().filter_map(|sink| match sink {
            DumpSink::File(word) => Some(word),
            _ => None,
        });
        let kept = files.filter_map(|word| {
            let (at, what) = kept::kept(project, runner.job, runner.index, &word.text.text)?;
            Some((word, at, what))
        });
        let Some((word, at, what)) = kept.into_iter().next() else { continue };
        let sorted = Sorted::of(project, runner.secrets(project));
        let all = sorted.secrets.iter().chain(&sorted.minor).chain(&sorted.tokens);
        let names: Vec<&str> = all.map(|one| one.variable.as_str()).filter(|name| dump.kept.lets(name)).collect();
        let holds = !names.is_empty() || kept::always_holds(runner.pipeline);
        let kind = if holds { "secret" } else { "nothing" };
        let with = match names.is_empty() {
            true => "whatever secret comes into scope goes with it".to_string(),
            false => format!("{} with it, and no mask applies to files", listed(names.iter().copied())),
        };
        let (how, file) = (&dump.how, &word.text.text);
        let message = format!("`{how}` writes the whole environment to `{file}`, which {what}: {with}");
        let help = "print it to the log in a step where no secret is in scope, or write the names alone (`env | cut -d= -f1`)";
        let finding = Findings::finding(&RULE, kind, site.command.at, message)
            .help(help)
            .about(format!("{}.{how}", runner.step().key), file)
            .label(at, "kept or sent here")
            .remedy(Remedy::Guide(help.to_string()));
        findings.push(finding);
        return;
    }
}

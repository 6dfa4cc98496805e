//! # What it finds
//!
//! A secret that a step keeps for what comes later: in the environment of later steps (`$GITHUB_ENV`, `$BASH_ENV`, a pipeline variable), in
//! outputs, in the profile of the shell, in a file of the workspace.
//!
//! # Why
//!
//! The narrow place that it came from is left: every later step, and every artifact, cache and image that takes the workspace in, can
//! hold it. An output is not masked when the value was reshaped on its way.
//!
//! # What is not a finding
//!
//! - Plain configuration by its name (a region, a schema): `log-masked-config` speaks of it.
//! - The path of a file: `echo "NETRC=$RUNNER_TEMP/netrc" >> "$GITHUB_ENV"`.
//! - A file outside of the workspace: `printf … > "$RUNNER_TEMP/netrc"`, `~/.netrc`, `/tmp/key`.
//! - Whether a secret is set: `echo "HAS=$([ -n "$T" ] && echo 1)" >> "$GITHUB_ENV"`.
//!
//! # What to do
//!
//! Give each step that needs the secret its own, or write it once to a private file outside of the workspace and hand over the path:
//!
//! ```sh
//! umask 077
//! printf 'machine idx.example.com login __token__ password %s\n' "$IDX" > "$RUNNER_TEMP/netrc"
//! echo "NETRC=$RUNNER_TEMP/netrc" >> "$GITHUB_ENV"
//! ```
//!
//! # Levels
//!
//! `warning`, `error` in `strict` and `audit`: environment, outputs, profile. A pipeline variable that is not marked secret is an `error`. A
//! value that the log is told to mask first is `info`. A file in the workspace is `info`, `warning` where an artifact takes it in. Job tokens
//! and secrets that do little harm are one level lower.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: echo "TOKEN=$T" >> "$GITHUB_ENV"
//!         env:
//!           T: ${{ secrets.T }}
//!       - run: make
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: echo "password=$PASSWORD" > settings.ini
//!         env:
//!           PASSWORD: ${{ secrets.PASSWORD }}
//!       - run: make
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           umask 077
//!           printf 'machine idx.example.com password %s\n' "$T" > "$RUNNER_TEMP/netrc"
//!           echo "NETRC=$RUNNER_TEMP/netrc" >> "$GITHUB_ENV"
//!           echo "HAS=$([ -n "$T" ] && echo 1 || echo 0)" >> "$GITHUB_ENV"
//!           echo "SET=${T:+yes}" >> "$GITHUB_OUTPUT"
//!         env:
//!           T: ${{ secrets.T }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 9 findings in 3 of them. In 11 further ones: 1. Read by eye: 10, false: 0.
//! Ledger: `docs/evidence/secret-env-persisted.tsv`.

use crate::model::finding::{Finding, Findings};
use crate::model::pipeline::Job;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Levels, Rule, levels};
use crate::model::secrets::flow::Flow;
use crate::model::secrets::sinks::{self, Kept, Sink};
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::{Harm, Weight};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-env-persisted",
    group: Group::Secret,
    summary: "a secret is kept for later steps, outputs or files of the workspace",
    levels: &[
        ("environment", levels(Warning, Error, Error)),
        ("unmarked", levels(Error, Error, Error)),
        ("masked", levels(Info, Info, Warning)),
        ("workspace", levels(Info, Info, Warning)),
        ("artifact", levels(Warning, Error, Error)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for flow in project.flows().iter().filter(|flow| !flow.in_build) {
        for kept in sinks::kept(flow) {
            let harm = project.worst(kept.secrets.iter().map(String::as_str));
            // What was reshaped and goes on is another rule's.
            let derived = kept.derived && !kept.masked && matches!(kept.sink, Sink::Environment | Sink::Output);
            if kept.sink == Sink::Private || matches!(harm, Harm::None | Harm::Plain) || derived || keeps_nothing(&kept) {
                continue;
            }
            findings.push(report(flow, &kept, harm));
        }
    }
}

fn report(flow: &Flow, kept: &Kept, harm: Harm) -> Finding {
    let words = flow.job.map(|(pipeline, _)| pipeline.system.secrets);
    let printed = kept.sink == Sink::Environment && kept.path.is_empty();
    let kind = match kept.sink {
        _ if kept.masked => "masked",
        Sink::Workspace if flow.job.is_some_and(|(_, job)| takes_in(job, &kept.path)) => "artifact",
        Sink::Workspace => "workspace",
        Sink::Environment if printed && words.is_some_and(|words| !words.setter_masks.is_empty()) => "unmarked",
        _ => "environment",
    };
    let set = kept.secrets.iter().any(|name| name == "*");
    let names = if set { "a secret".to_string() } else { listed(kept.secrets.iter().map(String::as_str)) };
    let path = kept.path.replace(['"', '\''], "");
    let place = match kept.sink {
        Sink::Environment => "into the environment of every later step".to_string(),
        Sink::Output => "into an output, which later steps and jobs read".to_string(),
        Sink::Profile => format!("into `{path}`, which every shell reads"),
        _ if kind == "artifact" => format!("into `{path}`, which an artifact of the job takes in"),
        _ => format!("into `{path}` in the workspace, where artifacts, caches and `COPY . .` find it"),
    };
    let message = format!("{names} {} written {place}", are(kept.secrets.len()));
    let help = match kept.sink {
        Sink::Workspace if kind == "workspace" => "write it outside of the workspace, readable by its owner alone (`umask 077`), and hand over the path".to_string(),
        _ => match flow.job {
            Some((pipeline, _)) => format!("give it to each step that needs it: {}; or use {}", pipeline.system.narrow, pipeline.system.file),
            None => "write it to a file outside of the workspace, readable by its owner alone, and hand over the path".to_string(),
        },
    };
    let key = flow.step().map_or(String::new(), |step| step.key.clone());
    let mut finding =
        Findings::finding(&RULE, kind, kept.at, message).help(help).about(key, format!("{} {}", kept.variable, kept.secrets.join(" ")));
    finding.levels = lighter(finding.levels, harm);
    finding
}

fn lighter(levels: Levels, harm: Harm) -> Levels {
    Weight { harm, exposed: false, protected: false }.weigh(levels)
}

/// Whether an artifact of the job takes a file in: by its name, by its folder, or by taking everything.
fn takes_in(job: &Job, path: &str) -> bool {
    let path = path.trim_matches(['"', '\'']).trim_start_matches("./");
    job.artifacts.iter().flat_map(|artifact| &artifact.paths).any(|kept| {
        let kept = kept.trim().trim_start_matches("./").trim_end_matches(['/', '*']);
        kept.is_empty() || kept == "." || kept == path || path.strip_prefix(kept).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// `> /dev/null` and the terminal keep nothing.
fn keeps_nothing(kept: &Kept) -> bool {
    let path = kept.path.trim_matches(['"', '\'']);
    kept.sink == Sink::Workspace && (path.starts_with('&') || path == "-" || path.is_empty())
}

//! # What it finds
//!
//! A secret that the system pastes into program text before a shell or an interpreter reads it: `${{ secrets.X }}` in `run:` or in the script
//! of `actions/github-script`, `$(secret)` in an inline script of Azure, Groovy's `"…${TOKEN}…"`, `$TOKEN` in a file that Buildkite's agent
//! uploads, `${TOKEN}` in commands of Drone and Woodpecker, `$_TOKEN` of Cloud Build, `$(params.token)` in a script of Tekton,
//! `<< pipeline.parameters.token >>` of CircleCI. Where only a name tells what a variable holds, the name has to be that of a secret.
//!
//! # Why
//!
//! The value becomes code: a quote or a `$` in it breaks the script or runs something. The text with the secret is written to disk and
//! stands in argument lists. This is the one place where the advice leads *towards* a variable: that of one step is narrower than all that.
//!
//! # What is not a finding
//!
//! - `"$X"` from `env:` of the step; a question about a secret (`${{ secrets.X != '' }}`).
//! - Inputs of components.
//! - `$$TOKEN` and `\$TOKEN` of Buildkite, `$TOKEN` and `$${TOKEN}` of Drone and Woodpecker, `$$TOKEN` of Cloud Build, `'…$TOKEN…'` of Groovy:
//!   the shell reads those.
//! - A pipeline of Buildkite that scripts or steps of the repository upload with `--no-interpolation`, all of them. An upload that only the
//!   settings of the server show is taken for one that replaces variables.
//!
//! # What to do
//!
//! ```yaml
//! - run: ./upload --as joe --with "$T"
//!   env:
//!     T: ${{ secrets.T }}
//! ```
//!
//! `--fix` does it where the secret stands alone between double quotes or is a word of its own in double quotes; other places are `unsafe`.
//! On Buildkite, Drone and Woodpecker the edit is a second dollar, on Jenkins single quotes around the script: both are `unsafe`, for the
//! shell may know another value than the system.
//!
//! # Levels
//!
//! `warning`, `error` in `strict` and `audit`. Job tokens, plain configuration by name and upload tokens: one level lower. One finding a
//! step.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./upload --with "${{ secrets.T }}"
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - env:
//!           T: ${{ secrets.T }}
//!         run: ./upload --with "$T"
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - name: upload
//!         run: |
//!           ./upload --with ${{ secrets.T }} --as '${{ secrets.KEY }}x'
//!         env:
//!           KEY: ${{ secrets.KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/github-script@v7
//!         with:
//!           script: |
//!             console.log("${{ secrets.T }}")
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - if: env.HAS == 'true'
//!         run: ./upload --with "$T" --set ${{ secrets.T != '' }}
//!         env:
//!           T: ${{ secrets.T }}
//! ```
//!
//! ```yaml .buildkite/pipeline.yml bad default
//! steps:
//!   - label: upload
//!     command: ./upload --with "$API_TOKEN"
//! ```
//!
//! ```yaml .buildkite/pipeline.yml good
//! steps:
//!   - label: upload
//!     commands:
//!       - ./upload --with-file "$$API_TOKEN"
//!       - ./upload --with-file "\$API_TOKEN"
//! ```
//!
//! ```sh .buildkite/upload.sh with
//! #!/bin/sh
//! buildkite-agent pipeline upload --no-interpolation .buildkite/deploy.yml
//! ```
//!
//! ```yaml .buildkite/deploy.yml good
//! steps:
//!   - label: upload
//!     command: ./upload --with-file "$API_TOKEN"
//! ```
//!
//! ```groovy Jenkinsfile bad default
//! pipeline {
//!   agent any
//!   stages {
//!     stage('upload') {
//!       steps {
//!         withCredentials([string(credentialsId: 'id', variable: 'TOKEN')]) {
//!           sh "curl -H '$TOKEN' https://example.com"
//!         }
//!       }
//!     }
//!   }
//! }
//! ```
//!
//! ```groovy Jenkinsfile good
//! pipeline {
//!   agent any
//!   stages {
//!     stage('upload') {
//!       steps {
//!         withCredentials([string(credentialsId: 'id', variable: 'TOKEN')]) {
//!           sh 'curl -H "$TOKEN" https://example.com'
//!         }
//!       }
//!     }
//!   }
//! }
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 22 findings in 8 of them. In 11 further ones: 7. Read by eye: 29, false: 0.
//! Ledger: `docs/evidence/secret-inline-expansion.tsv`.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::pipeline::{Assignment, Pipeline, Step, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::place::listed;
use crate::model::secrets::{Harm, Weight, unpaste};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-inline-expansion",
    group: Group::Secret,
    summary: "a secret is pasted into program text",
    levels: &[("pasted", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for job in &pipeline.jobs {
                for step in &job.steps {
                    findings_of(project, pipeline, step, findings);
                }
            }
        }
    }
}

/// A secret in the text: where, and by which names.
struct Pasted<'p> {
    at: Location,
    names: &'p [String],
    whole: bool,
}

fn findings_of(project: &Project, pipeline: &Pipeline, step: &Step, findings: &mut Findings) {
    let pasted: Vec<Pasted> = step.pasted.iter().filter_map(|one| pasted(project, one)).collect();
    let Some(first) = pasted.first() else { return };
    let names = || pasted.iter().flat_map(|one| one.names.iter().map(String::as_str));
    let message = format!(
        "{} is pasted into the text of step `{}`: what it says becomes code, on disk and in argument lists",
        listed(names()),
        step.name
    );
    let message = if names().collect::<std::collections::BTreeSet<_>>().len() > 1 { message.replacen(" is pasted", " are pasted", 1) } else { message };
    let mut all: Vec<&str> = names().collect();
    all.dedup();
    let mut finding = Findings::finding(&RULE, "pasted", first.at, message)
        .help(pipeline.system.secrets.unpasted)
        .about(&step.key, all.join(" "));
    for other in &pasted[1..] {
        finding = finding.label(other.at, format!("{} too", listed(other.names.iter().map(String::as_str))));
    }
    let harm = project.worst(names());
    finding.levels = Weight { harm, exposed: false, protected: false }.weigh(finding.levels);
    findings.push(mend(project, pipeline, step, &pasted, finding));
}

fn pasted<'p>(project: &Project, one: &'p Assignment) -> Option<Pasted<'p>> {
    let Value::Secret { names, whole, .. } = &one.value else { return None };
    // Everything at once is another rule's.
    let bulk = names.iter().any(|name| name == "*");
    let allowed = project.worst(names.iter().map(String::as_str)) == Harm::None;
    (!bulk && !allowed).then_some(Pasted { at: one.at, names, whole: *whole })
}

/// Adds the edits, when every place of the step can be edited.
fn mend(project: &Project, pipeline: &Pipeline, step: &Step, pasted: &[Pasted], finding: Finding) -> Finding {
    let places: Vec<unpaste::Place> =
        pasted.iter().map(|one| unpaste::Place { at: one.at, names: one.names, whole: one.whole }).collect();
    match unpaste::edits(project, pipeline.system, step, &places) {
        Some((edits, safety)) => finding.remedy(Remedy::Replace { edits, safety }),
        None => finding,
    }
}

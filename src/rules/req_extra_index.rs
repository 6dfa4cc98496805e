//! # What it finds
//!
//! `--extra-index-url` (in commands, requirements files and `PIP_EXTRA_INDEX_URL`), further sources of pdm, `secondary` sources of poetry, and uv's indexes
//! under an `unsafe-…` strategy.
//!
//! # Why
//!
//! pip takes the highest version that any index has. Whoever can publish a higher version of one of these names on one of the indexes decides
//! what the gate runs.
//!
//! # What is not a finding
//!
//! `--index-url` alone; uv's own rule, where the first index that has a name wins (unless a command names an `unsafe-…` strategy); poetry's `explicit`, `primary` and `supplemental` sources; a
//! file in which every requirement has a hash; an index that the configuration lists under `[allow] indexes`.
//!
//! # What to do
//!
//! Use one index that proxies the other, name the index per package (uv: `explicit = true`), or install with hashes.
//!
//! # Levels
//!
//! `warning`, and `error` in `audit`.
//!
//! # Examples
//!
//! ```text requirements.txt bad default
//! --extra-index-url https://pypi.example.org/simple
//! requests==2.32.3
//! ```
//!
//! ```text requirements.txt good
//! --index-url https://pypi.example.org/simple
//! requests==2.32.3
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install --extra-index-url https://pypi.example.org/simple mine==1.0
//! ```
//!
//! # Measured
//!
//! 6 findings in 2 of 52 public repositories; all read by eye, none false.

use crate::model::container::Instruction;
use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::InstallTool;
use crate::model::span::Location;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-extra-index",
    group: Group::Requirement,
    summary: "two indexes compete for each name, and the higher version wins",
    levels: &[("index", levels(Warning, Warning, Error))],
    since: "0.1.0",
    check,
};

const VARIABLE: &str = "PIP_EXTRA_INDEX_URL";

fn check(project: &Project, findings: &mut Findings) {
    let mut seen = HashSet::new();
    let mut report = |at: Location, url: &str, who: &str| {
        let host = host(url);
        let allowed = project.policy.indexes.iter().any(|known| url.contains(known.as_str()) || host == *known);
        if allowed || !seen.insert(at) {
            return;
        }
        let message = format!(
            "{who} asks {host} beside the default index: the higher version wins, whoever published it"
        );
        let help = "use one index that proxies the other, or name the index per package, or install with hashes";
        findings.push(Findings::finding(&RULE, "index", at, message).help(help).about("index", host));
    };
    for manifest in project.manifests() {
        if manifest.hashed == Some(true) || !project.judged(manifest.at.source) {
            continue;
        }
        let path = format!("`{}`", project.path(manifest.at));
        manifest.indexes.iter().filter(|index| index.extra).for_each(|index| report(index.at, &index.url, &path));
    }
    for install in &project.gate.installs {
        let command = &install.install;
        // uv takes a name from the first index that has it.
        let unsafe_strategy = project.sources.text(install.reach.at).contains("unsafe-");
        let first_wins = matches!(command.tool, InstallTool::UvPip | InstallTool::Uv) && !unsafe_strategy;
        let hashed = command.require_hashes || !install.files.is_empty() && install.files.iter().all(|&file| {
            project.facts_of(file).manifests.iter().all(|manifest| manifest.hashed == Some(true))
        });
        if !first_wins && !hashed {
            command.extra_indexes.iter().for_each(|word| report(word.text.at, &word.text.text, &install.reach.who));
        }
    }
    for (at, url, who) in variables(project) {
        report(at, &url, &who);
    }
}

/// The variable in pipelines and image builds.
fn variables(project: &Project) -> Vec<(Location, String, String)> {
    let mut found = Vec::new();
    let mut take = |list: &[Assignment], who: &str| {
        for assignment in list.iter().filter(|assignment| assignment.name == VARIABLE) {
            if let Value::Literal(url) | Value::Expression(url) = &assignment.value {
                found.push((assignment.at, url.clone(), who.to_string()));
            }
        }
    };
    for pipeline in project.pipelines().filter(|pipeline| !project.asleep(pipeline.at.source)) {
        take(&pipeline.env, &pipeline.name);
        for job in &pipeline.jobs {
            take(&job.env, &format!("job `{}`", job.id));
            job.steps.iter().for_each(|step| take(&step.env, &format!("job `{}`", job.id)));
        }
    }
    for build in project.builds() {
        for instruction in build.stages.iter().flat_map(|stage| &stage.instructions) {
            let (Instruction::Env(variable) | Instruction::Arg(variable)) = instruction else { continue };
            if let Some(value) = variable.value.as_ref().filter(|value| variable.name == VARIABLE && !value.text.is_empty()) {
                let who = format!("`{}`", project.path(build.at));
                found.push((value.at, value.text.clone(), who));
            }
        }
    }
    found
}

/// The host of a URL, without what may be a credential.
fn host(url: &str) -> String {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:_".contains(&b)) && !host.is_empty();
    if plain { format!("`{host}`") } else { "a further index".to_string() }
}

//! # What it finds
//!
//! Programs that a job fetches and runs by name without a version: `uvx ruff`, `uv tool install x`, `pipx run x`, `npx x`, `cargo install x`,
//! `go install x@latest`, `go get x`, and `pip install` of nothing but programs (`build`, `twine`, `ruff`, `tox` …).
//!
//! # Why
//!
//! A linter with one more check is the most frequent reason for "red without my patch" in Python projects.
//!
//! # What is not a finding
//!
//! `uvx ruff@0.6.9`, `uvx --from ruff==0.6.9 ruff`, `x==1.2.3`; a name that a constraints file pins; `npx` after `npm ci`, where the package
//! comes from the project's lock; `$VARIABLE`; jobs that run the newest release on purpose and say so in their name.
//!
//! # What to do
//!
//! Write the version, or make the program a locked development requirement (`uv run ruff`).
//!
//! # Levels
//!
//! `warning`, and `error` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   lint:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: uvx ruff check
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: python -m pip install build twine
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   lint:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: uvx ruff@0.6.9 check
//!       - run: uvx --from ruff==0.6.9 ruff check
//!       - run: pipx run black==24.8.0 .
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM node:22.11.0
//! RUN npm install -g pnpm@10
//! RUN pnpm install
//! ```
//!
//! ```sh ci/js.sh with
//! npx vite build
//! ```
//!
//! ```dockerfile Dockerfile with
//! FROM node:22.11.0
//! RUN npm ci
//! RUN npx vite build
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   js:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: npm ci
//!       - run: ./ci/js.sh
//! ```
//!
//! # Measured
//!
//! 119 findings in 35 of 52 public repositories; every message was read, and 57 hits were
//! opened at their lines for the ledger: none false.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::installs::{is_bootstrap, is_tool, speaks_of_newest};
use crate::model::pin::Strength;
use crate::model::container::Instruction;
use crate::model::pipeline::{Job, StepKind};
use crate::model::project::{GateInstall, Project, Site};
use crate::model::reference::{Ecosystem, Reference, ReferenceId};
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Deed, InstallTool, Script};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "tool-run-unpinned",
    group: Group::Requirement,
    summary: "a program is fetched and run without a version",
    levels: &[("command", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.run_commands() {
        if wants_newest(project, &site) {
            continue;
        }
        for deed in &site.command.deeds {
            let Deed::RunTool(id) = deed else { continue };
            let reference = project.reference(*id);
            let local = reference.subject.ecosystem == Ecosystem::Npm && looks_here_first(&site) && has_node_modules(project, &site);
            if is_loose(reference) && !local {
                findings.push(run(*id, reference));
            }
        }
    }
    let mut seen = HashSet::new();
    let installs = project.gate.installs.iter().filter(|install| !install.in_build && !project.is_in_environment(install));
    for install in installs.filter(|install| !project.wants_newest(install)) {
        let loose = project.loose_names(install);
        let tools = loose.iter().all(|reference| is_tool(&reference.subject.name) || is_bootstrap(&reference.subject.name));
        let any = loose.iter().any(|reference| is_tool(&reference.subject.name));
        if any && tools && seen.insert(install.reach.at) {
            findings.push(installed(project, install, &loose));
        }
    }
}

fn is_loose(reference: &Reference) -> bool {
    reference.effective().is_some_and(|strength| strength < Strength::Exact)
}

fn wants_newest(project: &Project, site: &Site) -> bool {
    let job = site.job.map_or("", |job| &job.id);
    let name = site.job.map_or("", |job| &job.name);
    [job, name, project.path(site.command.at)].iter().any(|words| speaks_of_newest(words))
}

/// Whether a command runs what `node_modules` holds before it fetches anything: `npx` does, `npm install -g` and `pnpm dlx` do not.
fn looks_here_first(site: &Site) -> bool {
    const FETCHES: [&str; 4] = ["-g", "--global", "global", "dlx"];
    !site.command.words.iter().any(|word| FETCHES.contains(&word.text.text.as_str()))
}

/// Whether the job, or the build, installs the packages of `package.json` first: `npx` then runs those. A script of its own runs in the jobs
/// and builds that start it.
fn has_node_modules(project: &Project, site: &Site) -> bool {
    let own = site.job.into_iter().chain(reaching_jobs(project, site)).flat_map(|job| &job.steps);
    let scripts = own.filter_map(|step| if let StepKind::Run(script) = &step.kind { Some(script) } else { None });
    let builds = project.reached_by(site.source).iter().flat_map(|reach| &project.facts_of(reach.at.source).builds);
    let layers = site.build.into_iter().chain(builds).flat_map(|build| &build.stages).flat_map(|stage| &stage.instructions);
    let layers = layers.filter_map(|layer| if let Instruction::Run { script, .. } = layer { Some(script) } else { None });
    std::iter::once(site.script).chain(scripts).chain(layers).any(installs_node_modules)
}

fn installs_node_modules(script: &Script) -> bool {
    script.commands.iter().flat_map(|command| &command.deeds).any(|deed| {
        matches!(deed, Deed::Install(install) if install.tool == InstallTool::Npm && install.references.is_empty())
    })
}

fn reaching_jobs<'p>(project: &'p Project, site: &Site) -> impl Iterator<Item = &'p Job> {
    let alone = site.job.is_none();
    let reaches = project.reached_by(site.source).iter().filter(move |_| alone);
    let places = reaches.filter_map(|reach| project.gate.jobs.get(&reach.who));
    places.map(|&(source, pipeline, job)| &project.facts_of(source).pipelines[pipeline].jobs[job])
}

fn run(id: ReferenceId, reference: &Reference) -> Finding {
    let name = &reference.subject.name;
    let message = format!(
        "`{}` is fetched and run without an exact version: a release of {name} can turn it red without a change here",
        reference.shown()
    );
    let spelled = match reference.subject.ecosystem {
        Ecosystem::Cargo => format!("cargo install --locked --version VERSION {name}"),
        Ecosystem::Go | Ecosystem::Npm => format!("{name}@VERSION"),
        _ => format!("{name}==VERSION"),
    };
    let help = format!("name the version that runs today (`{spelled}`), or make it a locked development requirement");
    let finding = Findings::finding(&RULE, "command", reference.site.whole, message);
    let finding = finding.help(help).about(reference.key.as_str(), name.as_str());
    match reference.site.version {
        Some(_) => finding.remedy(Remedy::Tighten { reference: id, to: Strength::Exact }),
        None => finding,
    }
}

fn installed(project: &Project, install: &GateInstall, loose: &[&Reference]) -> Finding {
    let names: Vec<&str> = loose.iter().map(|reference| reference.subject.name.as_str()).collect();
    let shown: Vec<String> = loose.iter().map(|reference| reference.shown()).collect();
    let message = format!(
        "{} installs the newest `{}`: a release can turn it red without a change here",
        install.reach.who,
        shown.join("`, `")
    );
    let help = format!("pin what runs today (`{}==VERSION`), or install it from a compiled file", names.join("==VERSION "));
    let mut finding = Findings::finding(&RULE, "command", loose[0].site.whole, message)
        .help(help)
        .about(loose[0].key.as_str(), names[0]);
    for reference in loose.iter().skip(1) {
        finding = finding.label(reference.site.whole, format!("`{}` can move", reference.shown()));
    }
    let mut ids = install.install.references.iter().copied();
    let can = loose.iter().all(|one| one.site.version.is_some() && one.subject.ecosystem == loose[0].subject.ecosystem);
    match ids.find(|id| can && project.reference(*id).site.whole == loose[0].site.whole) {
        Some(id) => finding.remedy(Remedy::Tighten { reference: id, to: Strength::Exact }),
        None => finding,
    }
}

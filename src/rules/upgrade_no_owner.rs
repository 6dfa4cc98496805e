//! # What it finds
//!
//! Pins of an ecosystem that no updater of the repository moves: actions, images, requirements or hooks without Dependabot, Renovate,
//! pre-commit.ci, Updatecli or pinguard's own schedule covering them.
//!
//! # Why
//!
//! A pin that nobody moves rots: it misses fixes, and one day the jump is too big. Pinning is half of the promise; moving pins in patches of
//! their own is the other half.
//!
//! # What is not a finding
//!
//! A repository with an updater for that ecosystem; Renovate without `enabledManagers`, which covers everything; a scheduled pipeline that runs
//! an upgrade or opens a patch with the result; images that only tests build.
//!
//! # What to do
//!
//! Add the ecosystem to the updater in use, for example to `.github/dependabot.yml`.
//!
//! # Levels
//!
//! `advice` in default and strict, `warning` in audit; one finding a repository. An updater that is set up outside of the repository (an
//! organisation's Renovate) cannot be seen from here.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683  # v4.2.2
//! ```
//!
//! ```yaml .github/dependabot.yml with
//! version: 2
//! updates:
//!   - package-ecosystem: github-actions
//!     directory: /
//!     schedule: {interval: weekly}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683  # v4.2.2
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 28 findings in 28 of them.
//! Read by eye: 27, false: 1. Ledger: `docs/evidence/upgrade-no-owner.tsv`.

use crate::model::facts::Updater;
use crate::model::finding::Findings;
use crate::model::pin::Strength;
use crate::model::pipeline::StepKind;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use crate::model::rule::Level::{Advice, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Command, Deed};
use crate::model::span::{Location, SourceId};

/// The rule.
pub static RULE: Rule = Rule {
    id: "upgrade-no-owner",
    group: Group::Upgrade,
    summary: "pins exist that no updater moves",
    levels: &[("repository", levels(Advice, Advice, Warning))],
    since: "0.1.0",
    check,
};

/// A family of pins, as people speak of it, and what covers it: names that updaters use.
const FAMILIES: &[(&str, &[&str])] = &[
    ("actions", &["github-actions"]),
    ("images", &["docker", "docker-compose", "dockerfile", "devcontainers", "helm", "kubernetes", "gitlabci"]),
    ("requirements", &["pip", "uv", "pip_requirements", "pep621", "poetry", "pipenv", "pip-compile", "pip_setup", "setup-cfg"]),
    ("hooks", &["pre-commit"]),
];

fn check(project: &Project, findings: &mut Findings) {
    let updaters: Vec<&Updater> = project.facts.iter().flat_map(|facts| &facts.updaters).collect();
    let mut first: Option<Location> = None;
    let mut uncovered: Vec<(&str, usize, Location)> = Vec::new();
    for (family, names) in FAMILIES {
        let pinned: Vec<&Reference> = project
            .references()
            .filter(|(id, reference)| !is_aside(project, id.source) && family_of(reference) == Some(family))
            .map(|(_, reference)| reference)
            .collect();
        let Some(one) = pinned.first() else { continue };
        if !updaters.iter().any(|updater| covers(updater, family, names)) && !moved_on_schedule(project, family) {
            first.get_or_insert(one.site.whole);
            uncovered.push((family, pinned.len(), one.site.whole));
        }
    }
    let Some(at) = first else { return };
    let listed: Vec<String> = uncovered.iter().map(|(family, count, _)| format!("{family} ({count})")).collect();
    let message = format!("nothing in the repository moves its pinned {}; pins that nobody moves rot", listed.join(", "));
    let mut finding = Findings::finding(&RULE, "repository", at, message)
        .help("let an updater propose them in patches of their own: Dependabot, Renovate, or pre-commit.ci for hooks")
        .about("", "updaters");
    for (family, _, place) in uncovered.iter().skip(1) {
        finding = finding.label(*place, format!("the first of the {family}"));
    }
    findings.push(finding);
}

/// Pins worth moving: exact ones and better. Loose ones move by themselves, which other rules speak of.
fn family_of(reference: &Reference) -> Option<&'static str> {
    if reference.strength.is_none_or(|strength| strength < Strength::Exact) || matches!(reference.origin, Origin::Local | Origin::Path(_)) {
        return None;
    }
    match (reference.subject.ecosystem, reference.role) {
        (Ecosystem::Git, Role::Hook) => Some("hooks"),
        (Ecosystem::Git, Role::CiStep | Role::CiInclude) => Some("actions"),
        (Ecosystem::Oci, Role::BaseImage | Role::CiImage | Role::CiService | Role::ComposeService) => Some("images"),
        (Ecosystem::Pypi, Role::Runtime | Role::Dev | Role::Constraint) => Some("requirements"),
        _ => None,
    }
}

/// Whether a scheduled pipeline of the project's own moves hooks or requirements: it runs an upgrade, or opens a patch with what changed.
fn moved_on_schedule(project: &Project, family: &str) -> bool {
    let scheduled = project.pipelines().filter(|pipeline| pipeline.triggers.schedule);
    scheduled.flat_map(|pipeline| &pipeline.jobs).flat_map(|job| &job.steps).any(|step| match &step.kind {
        StepKind::Uses { component, .. } => {
            family == "requirements" && project.reference(*component).subject.name.ends_with("/create-pull-request")
        }
        StepKind::Run(script) => script.commands.iter().any(|command| moves(command, family)),
        StepKind::Other => false,
    })
}

fn moves(command: &Command, family: &str) -> bool {
    let words: Vec<&str> = command.words.iter().take(3).map(|word| word.text.text.as_str()).collect();
    let opens = family == "requirements" && matches!(words.as_slice(), ["gh", "pr", "create"]);
    opens
        || command.deeds.iter().any(|deed| match deed {
            Deed::Upgrade { what } if what.contains("hook") => family == "hooks",
            Deed::Upgrade { what } => family == "requirements" && (what.ends_with("lock") || what.contains("requirements")),
            _ => false,
        })
}

/// Whether nothing runs the file: test data, an image that only a test builds.
fn is_aside(project: &Project, source: SourceId) -> bool {
    let path = &project.source(source).path;
    let in_tests = path.split('/').any(|part| matches!(part, "test" | "tests" | "fixtures"));
    project.asleep(source) || in_tests && project.reached_by(source).is_empty()
}

fn covers(updater: &Updater, family: &str, names: &[&str]) -> bool {
    if updater.name == "pre-commit.ci" {
        return family == "hooks";
    }
    let all = updater.ecosystems.is_empty();
    // Renovate leaves hooks alone unless told otherwise.
    let hooks_by_default = updater.name != "renovate" || family != "hooks";
    all && hooks_by_default || updater.ecosystems.iter().any(|ecosystem| names.contains(&ecosystem.as_str()))
}

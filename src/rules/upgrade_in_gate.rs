//! # What it finds
//!
//! A command that moves pins by itself in a job that a proposed patch starts: `poetry update`, `uv lock --upgrade`, `pip-compile --upgrade`,
//! `pre-commit autoupdate`, `apt-get upgrade`, `pip install -U NAME`.
//!
//! # Why
//!
//! The gate then tests the patch together with whatever was released since yesterday. If it turns red, nobody can tell which of the two did it.
//!
//! # What is not a finding
//!
//! Scheduled and manual upgrade workflows; `pip install -U pip` (see `req-bootstrap-unpinned`); `pip install -U -r pinned.txt`; `-U` with an exact
//! version; image builds, which have their own rules.
//!
//! # What to do
//!
//! Install what is locked, and run the upgrade on a schedule that opens a patch of its own.
//!
//! # Levels
//!
//! `error` in every profile.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: poetry update
//!       - run: poetry run pytest
//! ```
//!
//! ```yaml .github/workflows/upgrade.yml good
//! on:
//!   schedule: [{cron: "0 3 * * 1"}]
//! jobs:
//!   upgrade:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: poetry update
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -U pip
//!       - run: pip install -U pytest==8.3.3
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 18 findings in 10 of them.
//! Read by eye: 9, false: 0. Ledger: `docs/evidence/upgrade-in-gate.tsv`.

use crate::model::check::is_on_patch;
use crate::model::finding::{Finding, Findings};
use crate::model::pin::Strength;
use crate::model::project::{Project, Site};
use crate::model::reference::Ecosystem;
use crate::model::rule::Level::Error;
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Deed, Install};

/// The rule.
pub static RULE: Rule = Rule {
    id: "upgrade-in-gate",
    group: Group::Upgrade,
    summary: "a job that a patch starts moves pins by itself",
    levels: &[("command", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for site in project.commands() {
        // A script that stands alone may be somebody's upgrade script: only what a job names itself is judged.
        let (Some(pipeline), Some(job)) = (site.pipeline, site.job) else { continue };
        if !is_on_patch(pipeline, job) || !pipeline.triggers.patch {
            continue;
        }
        for deed in &site.command.deeds {
            let what = match deed {
                Deed::Upgrade { what } => Some(what.clone()),
                Deed::Install(install) if install.upgrade => loose_names(project, install),
                _ => None,
            };
            findings_of(what, &site, &job.id).into_iter().for_each(|finding| findings.push(finding));
        }
    }
}

fn findings_of(what: Option<String>, site: &Site, job: &str) -> Option<Finding> {
    let what = what?;
    let message = format!("job `{job}` upgrades {what} while it judges a patch; a red run may be the upgrade's fault");
    let finding = Findings::finding(&RULE, "command", site.command.at, message);
    let key = site.step.map_or(String::new(), |step| step.key.clone());
    let help = "install what is locked here, and upgrade on a schedule in a patch of its own";
    Some(finding.help(help).about(key, what))
}

/// Packages named on the command line that the upgrade moves; tools that only bootstrap the installer are another rule's.
fn loose_names(project: &Project, install: &Install) -> Option<String> {
    let names: Vec<String> = install
        .references
        .iter()
        .map(|id| project.reference(*id))
        .filter(|reference| reference.subject.ecosystem == Ecosystem::Pypi)
        .filter(|reference| reference.strength.is_some_and(|strength| strength < Strength::Exact))
        .map(|reference| reference.subject.name.as_str())
        .filter(|name| !matches!(*name, "pip" | "setuptools" | "wheel" | "uv" | "pipx" | "virtualenv"))
        .map(|name| format!("`{name}`"))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

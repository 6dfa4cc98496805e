//! # What it finds
//!
//! Requirements of tox, nox and hatch environments that have no exact version: `deps = pytest`, `session.install("pytest")`. One finding for the
//! repository, which lists them.
//!
//! # Why
//!
//! The environment is made anew in every run, with whatever was released last.
//!
//! # What is not a finding
//!
//! `-c constraints.txt` in the environment; `-r` of a file (which is judged by itself); `constrain_package_deps`; `uv_resolution`; runners that
//! install a lock (`uv-venv-lock-runner`); tox-pin-deps; environments that test the newest releases on purpose and say so in their name.
//!
//! # What to do
//!
//! Put the packages into a dependency group and lock it (tox: `dependency_groups` with `runner = uv-venv-lock-runner`; nox: `uv sync --locked` in the session),
//! or add `-c constraints.txt` to the environment.
//!
//! # Levels
//!
//! `advice`; `warning` in `strict`, `error` in `audit`. Most well-kept projects have it.
//!
//! # Examples
//!
//! ```ini tox.ini bad default
//! [testenv]
//! deps =
//!     pytest
//!     coverage>=7
//! commands = pytest
//! ```
//!
//! ```python noxfile.py bad
//! import nox
//!
//!
//! @nox.session
//! def tests(session):
//!     session.install("pytest")
//!     session.run("pytest")
//! ```
//!
//! ```toml pyproject.toml bad
//! [tool.hatch.envs.test]
//! dependencies = ["pytest", "coverage>=7"]
//! ```
//!
//! ```ini tox.ini good
//! [testenv]
//! deps =
//!     -c constraints.txt
//!     pytest
//! commands = pytest
//! ```
//!
//! ```ini tox.ini good
//! [testenv]
//! deps = pytest==8.3.3
//! commands = pytest
//! ```
//!
//! # Measured
//!
//! 5 of 52 public repositories; all read by eye, none false.

use crate::model::finding::Findings;
use crate::model::installs::speaks_of_newest;
use crate::model::manifest::{Group as Section, Manifest, ManifestKind};
use crate::model::project::Project;
use crate::model::reference::{Reference, Role};
use crate::model::rule::Level::{Advice, Error, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "tox-nox-unpinned",
    group: Group::Requirement,
    summary: "environments of tox, nox or hatch take whatever was released last",
    levels: &[("environment", levels(Advice, Warning, Error))],
    since: "0.1.0",
    check,
};

/// Most places that the finding lists.
const LISTED: usize = 20;

fn check(project: &Project, findings: &mut Findings) {
    let loose: Vec<&Reference> =
        project.manifests().filter(|manifest| !project.asleep(manifest.at.source)).flat_map(|m| loose_of(project, m)).collect();
    let Some(first) = loose.first() else { return };
    let whose = match loose.len() {
        1 => format!("`{}` of a test environment has", first.shown()),
        number => format!("{number} requirements of test environments, `{}` first, have", first.shown()),
    };
    let message = format!("{whose} no exact version; each run can test with other packages");
    let help = "constrain the environments (`-c constraints.txt`), or install a locked dependency group in them";
    let mut finding = Findings::finding(&RULE, "environment", first.site.whole, message).help(help).about("", "");
    for reference in loose.iter().take(LISTED) {
        finding = finding.label(reference.site.whole, format!("`{}` can move", reference.shown()));
    }
    findings.push(finding);
}

fn loose_of<'p>(project: &'p Project, manifest: &'p Manifest) -> Vec<&'p Reference> {
    let in_environments = match manifest.kind {
        ManifestKind::Tox | ManifestKind::Nox => |_: &str| true,
        ManifestKind::Pyproject => |key: &str| key.starts_with("tool.tox.") || key.starts_with("tool.hatch.envs.") || key.starts_with("envs."),
        _ => return Vec::new(),
    };
    if holds_by_setting(manifest) {
        return Vec::new();
    }
    let constrained = |group: &Section| {
        let own = manifest.includes.iter().filter(|include| include.constraint);
        own.into_iter().any(|include| include.group == *group || is_base(&include.group))
    };
    manifest
        .entries
        .iter()
        .filter(|entry| !constrained(&entry.group) && !matches!(&entry.group, Section::Named(name) if speaks_of_newest(name)))
        .map(|entry| project.reference(entry.reference))
        .filter(|reference| reference.role != Role::Python && reference.key != "tox.requires")
        .filter(|reference| reference.is_loose() && in_environments(&reference.key))
        .collect()
}

/// The section whose settings every environment inherits.
fn is_base(group: &Section) -> bool {
    matches!(group, Section::Main) || matches!(group, Section::Named(name) if name == "testenv" || name == "env_run_base")
}

/// Settings of tox and its plugins that hold the versions in another way.
fn holds_by_setting(manifest: &Manifest) -> bool {
    manifest.settings.iter().any(|(name, value)| match name.as_str() {
        "tox.constrain_package_deps" | "tox.use_frozen_constraints" => value.text.eq_ignore_ascii_case("true"),
        "tox.install_command" => value.text.contains(" -c") || value.text.contains("--constraint"),
        "tox.set_env" => value.text.contains("PIP_CONSTRAINT") || value.text.contains("UV_CONSTRAINT"),
        "tox.uv_resolution" => true,
        "tox.runner" => value.text.contains("lock-runner"),
        "tox.requires" => value.text.contains("tox-pin-deps"),
        _ => false,
    })
}

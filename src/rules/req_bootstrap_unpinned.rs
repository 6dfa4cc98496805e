//! # What it finds
//!
//! `pip install -U pip`, `setuptools` or `wheel` without an exact version, in a job or in a `RUN` of a Dockerfile, and nothing else in the
//! command.
//!
//! # Why
//!
//! A release of the installer changes how everything after it is resolved and built. It happens once or twice a year, and then to everyone.
//!
//! # What is not a finding
//!
//! `pip install pip==24.2`; a name that a file of `-c` or `-r` pins.
//!
//! # What to do
//!
//! Write the version, or use the installer that the interpreter or image came with.
//!
//! # Levels
//!
//! `info`, and `warning` in `audit`: it is everywhere, and it seldom breaks.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: python -m pip install --upgrade pip setuptools
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: python -m pip install pip==24.2
//! ```
//!
//! # Measured
//!
//! 62 findings in 19 of 52 public repositories; all opened at their lines for the ledger, 2 of them
//! doubtful: an upper bound below which nothing new is released.

use crate::model::finding::Findings;
use crate::model::installs::is_bootstrap;
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-bootstrap-unpinned",
    group: Group::Requirement,
    summary: "a command upgrades the installer itself to whatever is newest",
    levels: &[("command", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for install in project.gate.installs.iter().filter(|install| install.is_pip() && !project.wants_newest(install)) {
        let loose = project.loose_names(install);
        if loose.is_empty() || !loose.iter().all(|reference| is_bootstrap(&reference.subject.name)) || !seen.insert(install.reach.at) {
            continue;
        }
        let names: Vec<&str> = loose.iter().map(|reference| reference.subject.name.as_str()).collect();
        let shown = names.join("`, `");
        let message = format!("{} installs the newest `{shown}`; a release changes how all that follows is installed", install.reach.who);
        let help = format!("pin it (`{}==VERSION`), or leave the command out", names.join("==VERSION "));
        let finding = Findings::finding(&RULE, "command", loose[0].site.whole, message);
        findings.push(finding.help(help).about(loose[0].key.as_str(), names[0]));
    }
}

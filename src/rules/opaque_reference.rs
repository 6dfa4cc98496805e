//! # What it finds
//!
//! A place where something is fetched and installed whose name cannot be seen from the files: `pip install $PACKAGES`, a remote include,
//! a `setup.py` that computes its requirements.
//!
//! # Why
//!
//! pinguard never guesses. What it cannot see, it says, so that nobody takes silence for proof.
//!
//! # What is not a finding
//!
//! A variable that resolves inside the repository: a matrix value, an `ARG` default, an anchor.
//!
//! # What to do
//!
//! Write the name where it is used, or check by hand that what the variable holds is pinned.
//!
//! # Levels
//!
//! `info` in every profile.
//!
//! # Examples
//!
//! ```yaml .gitlab-ci.yml bad
//! include:
//!   - remote: https://example.com/ci.yml
//! test:
//!   image: python:3.12.7@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//!   script: [pytest]
//! ```
//!
//! ```yaml .gitlab-ci.yml good
//! test:
//!   image: python:3.12.7@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//!   script: [pytest]
//! ```

use crate::model::facts::ProblemKind;
use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Info;
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "opaque-reference",
    group: Group::Reading,
    summary: "something is fetched whose name cannot be seen from the files",
    levels: &[("place", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let unseen = project.pipelines().flat_map(|pipeline| &pipeline.unseen).map(|(text, at)| (text, *at));
    let opaque = project.problems(ProblemKind::Opaque).map(|problem| (&problem.text, problem.at));
    for (text, at) in opaque.chain(unseen) {
        let finding = Findings::finding(&RULE, "place", at, format!("{text}; this cannot be seen from the files"));
        findings.push(finding.help("check by hand that it is pinned, or write it here").about("", text));
    }
}

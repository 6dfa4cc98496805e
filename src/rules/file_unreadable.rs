//! # What it finds
//!
//! A file that pinguard wants to judge and cannot read: it is not UTF-8, does not parse, is nested too deeply, is too large, repeats a
//! key, or is a link out of the repository.
//!
//! # Why
//!
//! What was not read was not judged. A clean report over a file that nobody could read would be a lie.
//!
//! # What is not a finding
//!
//! Files that are no text and of no format (programs in `bin/`, old texts, sources of other tools), whatever their names end in; files that
//! git-crypt keeps encrypted.
//!
//! CRLF line ends, a byte order mark, a missing final newline and non-ASCII text are valid and read like any other. Limits: 48 MiB a
//! file, 255 levels of nesting, and as many followed aliases as keep a document below a million nodes; no real file met comes near.
//!
//! # What to do
//!
//! Mend the file at the place that the finding names. Every other file is judged all the same.
//!
//! # Levels
//!
//! `error` in every profile.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: push
//! jobs:
//!   test: {steps: [
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps: [{run: "true"}]
//! ```

use crate::model::facts::ProblemKind;
use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Error;
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "file-unreadable",
    group: Group::Reading,
    summary: "a file, or a part of it, cannot be read",
    levels: &[("file", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for problem in project.problems(ProblemKind::Unreadable) {
        let path = project.path(problem.at);
        let message = format!("{}; what stands there was not judged", problem.text);
        let finding = Findings::finding(&RULE, "file", problem.at, message);
        findings.push(finding.help("mend the file at this place").about("", path));
    }
}

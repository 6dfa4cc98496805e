//! # What it finds
//!
//! Artifacts whose file name tells another package or version than the entry that holds them.
//!
//! # Why
//!
//! The entry says what is reviewed, the file is what is installed.
//!
//! # What is not a finding
//!
//! Other spellings of one name or version (`Babel`, `1.0.0` for `1.0`, `+` as `_`); direct URLs and version control, whose files are named as
//! their makers like.
//!
//! # What to do
//!
//! Lock again; if the entry was edited by hand, look at who did it.
//!
//! # Levels
//!
//! `error`.
//!
//! # Examples
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock bad default
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/ldna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock good
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Error};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-file-mismatch",
    group: Group::Lock,
    summary: "a locked file is not of the package or version that its entry names",
    levels: &[("artifact", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for package in project.trusted_locks().flat_map(|lock| &lock.packages) {
        let mut wrong = package.artifacts.iter().filter_map(|artifact| Some((artifact, artifact.told.as_deref()?)));
        let Some((artifact, told)) = wrong.next() else { continue };
        let message = format!(
            "the entry of `{} {}` holds a file of `{told}`: what is installed is not what is written",
            package.name, package.version
        );
        let mut finding = Findings::finding(&RULE, "artifact", artifact.at, message).label(package.at, "the entry");
        for (artifact, told) in wrong.take(10) {
            finding = finding.label(artifact.at, format!("a file of `{told}`"));
        }
        findings.push(finding.help("lock again, and look at who edited the entry").about("file", package.name.as_str()));
    }
}

//! # What it finds
//!
//! Packages of which a lock has only a source distribution.
//!
//! # Why
//!
//! It is built where it is installed: its build runs code, and takes build requirements that the lock does not hold.
//!
//! # What is not a finding
//!
//! Packages of this repository, of version control and of direct URLs; formats that do not name files.
//!
//! # What to do
//!
//! Ask for a version with wheels, or build a wheel once and serve it; hold build requirements (`build-constraint-dependencies` of uv).
//!
//! # Levels
//!
//! `info`.
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
//! sdist = { url = "https://files.pythonhosted.org/packages/f1/70/idna-3.10.tar.gz", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }
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
//! 17 findings in 14 of 52 public repositories (17 `info`); all read by eye, none false.

use crate::model::finding::{Findings, SHOWN};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{ArtifactKind, LockedPackage, Provenance};
use crate::model::locked::{several, verb};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-sdist-only",
    group: Group::Lock,
    summary: "a locked package is built where it is installed",
    levels: &[("package", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks() {
        let built = |package: &&LockedPackage| {
            matches!(package.from, Provenance::Registry(_))
                && !package.artifacts.is_empty()
                && package.artifacts.iter().all(|artifact| artifact.kind == ArtifactKind::Source)
        };
        let built: Vec<&LockedPackage> = lock.packages.iter().filter(built).collect();
        let Some(first) = built.first() else { continue };
        let names: Vec<&str> = built.iter().map(|package| package.name.as_str()).collect();
        let message = format!("{} in `{}` {} no wheel: what has none is built where it is installed, with build requirements that nothing holds", several(&names), project.path(lock.at), verb(&names, "has", "have"));
        let mut finding = Findings::finding(&RULE, "package", first.at, message);
        for package in built.iter().skip(1).take(SHOWN) {
            finding = finding.label(package.at, format!("`{}` too", package.name));
        }
        findings.push(finding.help("ask for a version with wheels, or serve a wheel that was built once").about("sdist", ""));
    }
}

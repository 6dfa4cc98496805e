//! # What it finds
//!
//! A package in a lock that needs another one which is not in the lock.
//!
//! # Why
//!
//! The lock is not whole: an install fails, or fetches the missing package in whatever version is newest.
//!
//! # What is not a finding
//!
//! Needs under a marker, where the lock may be for other environments (uv records every one, so there they count); needs of extras; packages
//! of conda's own system (`__glibc`); the project itself, which poetry and pdm give no entry, and which packages for its development need.
//!
//! # What to do
//!
//! Lock again.
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
//! dependencies = [{ name = "absent" }]
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
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
//! ```toml pyproject.toml with
//! [tool.poetry]
//! name = "demo"
//! version = "1.0.0"
//! [tool.poetry.dependencies]
//! python = "^3.12"
//! [tool.poetry.group.dev.dependencies]
//! pytest-demo = "^1"
//! ```
//!
//! ```toml poetry.lock good
//! [[package]]
//! name = "pytest-demo"
//! version = "1.0.0"
//! description = ""
//! optional = false
//! python-versions = ">=3.12"
//! groups = ["dev"]
//! files = [
//!     {file = "pytest_demo-1.0.0-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"},
//! ]
//!
//! [package.dependencies]
//! demo = ">=1"
//!
//! [metadata]
//! lock-version = "2.1"
//! python-versions = "^3.12"
//! content-hash = "946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Error;
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::LockTool;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-edge-dangling",
    group: Group::Lock,
    summary: "a locked package needs one that is not in the lock",
    levels: &[("edge", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks() {
        for (package, edge) in lock.dangling(&project.own_names(lock)) {
            let message = format!("`{}` needs `{}`, which is not in `{}`", package.name, edge.name, project.path(lock.at));
            let finding = Findings::finding(&RULE, "edge", edge.at, message).label(package.at, "needed by this entry");
            findings.push(finding.help("lock again, so that all that is needed is there").about(package.name.as_str(), edge.name.as_str()));
        }
        if lock.tool == LockTool::Actions {
            let names: HashSet<&str> = lock.packages.iter().map(|package| package.name.as_str()).collect();
            for (workflow, pin) in lock.statement.requires.iter().filter(|(_, pin)| !names.contains(pin.as_str())) {
                let message = format!("{workflow} is locked to use `{pin}`, which has no entry under `dependencies`");
                let finding = Findings::finding(&RULE, "edge", lock.at, message).help("write the lock again (`gh actions-lock`)");
                findings.push(finding.about(workflow.as_str(), pin.as_str()));
            }
        }
    }
}

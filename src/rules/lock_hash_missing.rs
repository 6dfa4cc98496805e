//! # What it finds
//!
//! Artifacts and packages without a hash in a lock whose format has them: `uv.lock`, `poetry.lock`, `pdm.lock`, `Pipfile.lock`, pylock,
//! conda-lock, pixi, and compiled requirements whose header says `--generate-hashes`.
//!
//! # Why
//!
//! A lock without hashes says which release, not which bytes. Tools do not complain when hashes are taken out: uv and poetry install such a
//! lock.
//!
//! # What is not a finding
//!
//! Paths and projects of this repository; version control at a commit; conda's explicit lists; requirements files that were compiled without
//! hashes (see `req-no-hashes`).
//!
//! # What to do
//!
//! Lock again with the owning tool. An index that offers no hashes can be replaced by one that does.
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
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl" }]
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
//! 2 findings in 1 of 52 public repositories (2 `info`); all read by eye, none false.

use crate::model::finding::{Findings, SHOWN};
use crate::model::project::Project;
use crate::model::rule::Level::{Error};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{Hashed, Lock, LockTool, LockedPackage};
use crate::model::locked::{several, verb};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-hash-missing",
    group: Group::Lock,
    summary: "a lock has artifacts without a hash",
    levels: &[("package", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks().filter(|lock| has_hashes(project, lock)) {
        let bare: Vec<&LockedPackage> = lock.packages.iter().filter(|package| matches!(package.hashed, Hashed::None | Hashed::Some)).collect();
        let Some(first) = bare.first() else { continue };
        let mut names: Vec<&str> = bare.iter().map(|package| package.name.as_str()).collect();
        // pixi has an entry for each file of a package.
        names.dedup();
        let message = format!("{} in `{}` {} artifacts without a hash: any bytes under that name are installed", several(&names), project.path(lock.at), verb(&names, "has", "have"));
        let mut finding = Findings::finding(&RULE, "package", first.at, message);
        for package in bare.iter().skip(1).take(SHOWN) {
            finding = finding.label(package.at, format!("`{}` too", package.name));
        }
        findings.push(finding.help("lock again with the owning tool, from an index that offers hashes").about("hash", first.name.as_str()));
    }
}

fn has_hashes(project: &Project, lock: &Lock) -> bool {
    match lock.tool {
        LockTool::Compiled => {
            let manifests = &project.facts_of(lock.at.source).manifests;
            let commands = manifests.iter().filter_map(|manifest| manifest.compiled.as_ref()?.command.as_deref());
            commands.into_iter().any(|command| command.contains("--generate-hashes"))
        }
        LockTool::CondaLock if lock.format == "explicit" => lock.packages.iter().any(|package| package.hashed == Hashed::All),
        LockTool::Actions => false,
        _ => true,
    }
}

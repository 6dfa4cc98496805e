//! # What it finds
//!
//! A package in a lock that nothing asks for: no requirement of the manifests, and no other package on the way from them.
//!
//! # Why
//!
//! The owning tool drops such an entry when it locks. One that is there all the same was put there by hand, or left by a merge, and some
//! tools install it.
//!
//! # What is not a finding
//!
//! Locks that are stale; formats that do not record what a package needs (`Pipfile.lock`, most pylocks); conda and pixi, whose environments
//! ask for more than one file says.
//!
//! # What to do
//!
//! Lock again; it goes by itself.
//!
//! # Levels
//!
//! `warning`; `error` in `strict` and `audit`.
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
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//!
//! [[package]]
//! name = "evil"
//! version = "1.0"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/evil-1.0-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
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

use crate::model::finding::{Findings, SHOWN};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{Lock, LockTool, LockedPackage, Provenance, Verdict};
use crate::model::locked::several;
use crate::model::reference::Role;
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-orphan",
    group: Group::Lock,
    summary: "a locked package is asked for by nothing",
    levels: &[("package", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks() {
        let state = project.locks.iter().find(|state| state.lock == lock.at.source);
        let fresh = state.is_some_and(|state| state.verdict == Verdict::Fresh);
        let Some(roots) = roots(project, lock).filter(|roots| fresh && !roots.is_empty()) else { continue };
        let reached = reached(lock, roots);
        let own = |package: &LockedPackage| lock.tool == LockTool::Uv && matches!(package.from, Provenance::Path(_));
        let orphans: Vec<&LockedPackage> =
            lock.packages.iter().filter(|package| !reached.contains(package.name.as_str()) && !own(package)).collect();
        let Some(first) = orphans.first() else { continue };
        let names: Vec<&str> = orphans.iter().map(|package| package.name.as_str()).collect();
        let message = format!("nothing asks for {} in `{}`: the tool that owns the lock would not have written it", several(&names), project.path(lock.at));
        let mut finding = Findings::finding(&RULE, "package", first.at, message);
        for package in orphans.iter().skip(1).take(SHOWN) {
            finding = finding.label(package.at, format!("`{}` too", package.name));
        }
        findings.push(finding.help("lock again; what nothing asks for goes by itself").about("orphan", first.name.as_str()));
    }
}

/// The names that are asked for, when the lock's format tells enough of what they need.
fn roots<'p>(project: &'p Project, lock: &'p Lock) -> Option<HashSet<&'p str>> {
    let statement = &lock.statement;
    match lock.tool {
        LockTool::Uv => {
            let own = statement.projects.iter().map(|stated| stated.name.as_str());
            let lists = statement.lists.iter().filter(|(key, _)| key == "requirements" || key.starts_with("dependency-groups"));
            let listed = lists.flat_map(|(_, list)| list).map(|stated| stated.name.as_str());
            Some(own.chain(listed).collect())
        }
        LockTool::Poetry | LockTool::Pdm => {
            let state = project.locks.iter().find(|state| state.lock == lock.at.source)?;
            let references = &project.facts_of(state.manifest?).references;
            let asked = references.iter().filter(|reference| !matches!(reference.role, Role::Build | Role::Tool | Role::Python));
            Some(asked.map(|reference| reference.subject.name.as_str()).collect())
        }
        LockTool::Actions => Some(statement.requires.iter().map(|(_, pin)| pin.as_str()).collect()),
        _ => None,
    }
}

fn reached<'p>(lock: &'p Lock, roots: HashSet<&'p str>) -> HashSet<&'p str> {
    let mut by_name: HashMap<&str, Vec<&LockedPackage>> = HashMap::new();
    for package in &lock.packages {
        by_name.entry(&package.name).or_default().push(package);
    }
    let mut waiting: Vec<&str> = roots.iter().copied().collect();
    let mut reached = roots;
    while let Some(name) = waiting.pop() {
        for edge in by_name.get(name).into_iter().flatten().flat_map(|package| &package.edges) {
            if reached.insert(&edge.name) {
                waiting.push(&edge.name);
            }
        }
    }
    reached
}

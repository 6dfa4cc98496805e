//! # What it finds
//!
//! A lock with packages of several indexes where the tool, at its next locking, may take a name from either: pdm with several sources, pipenv
//! with packages that name none, poetry's `secondary` sources, uv under an `unsafe-…` strategy, compiled files with `--extra-index-url` and
//! no hashes.
//!
//! # Why
//!
//! Whoever publishes a name of the private index on the public one, with a higher version, is in the next lock (dependency confusion).
//!
//! # What is not a finding
//!
//! uv's own rule, where the first index that has a name wins; poetry's other priorities; indexes that packages are bound to by name.
//!
//! # What to do
//!
//! Bind each private package to its index (uv: `explicit = true` and `tool.uv.sources`; poetry: `priority = "explicit"`; pipenv: `index =
//! "…"`), or use one index that proxies the other.
//!
//! # Levels
//!
//! `info`; `warning` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```text Pipfile.lock bad default
//! {"_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "sources": [{"name": "pypi", "url": "https://pypi.org/simple"},
//!  {"name": "own", "url": "https://pypi.example.org/simple"}]},
//!  "default": {"demo": {"version": "==1.0", "hashes": ["sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"]}}, "develop": {}}
//! ```
//!
//! ```text Pipfile.lock good
//! {"_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "sources": [{"name": "pypi", "url": "https://pypi.org/simple"},
//!  {"name": "own", "url": "https://pypi.example.org/simple"}]},
//!  "default": {"demo": {"version": "==1.0", "index": "own", "hashes": ["sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"]}}, "develop": {}}
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{Lock, LockTool, Provenance};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-mixed-index",
    group: Group::Lock,
    summary: "a name in the lock could come from either of two indexes",
    levels: &[("lock", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks() {
        let Some((at, count)) = mixed(project, lock) else { continue };
        let message = format!(
            "`{}` was made from {count} indexes, and nothing says which of them a name comes from: the next locking may take it from the other one",
            project.path(lock.at)
        );
        let help = "bind each private package to its index, or use one index that proxies the other";
        findings.push(Findings::finding(&RULE, "lock", at, message).help(help).about("indexes", ""));
    }
}

/// Where, and how many indexes compete.
fn mixed(project: &Project, lock: &Lock) -> Option<(Location, usize)> {
    let manifest = project.locks.iter().find(|state| state.lock == lock.at.source).and_then(|state| state.manifest);
    let indexes = || manifest.into_iter().flat_map(|id| &project.facts_of(id).manifests).flat_map(|manifest| &manifest.indexes);
    match lock.tool {
        LockTool::Pipenv if lock.indexes.len() > 1 => {
            let unbound = lock.packages.iter().find(|package| matches!(&package.from, Provenance::Registry(url) if url.is_empty()))?;
            Some((unbound.at, lock.indexes.len()))
        }
        LockTool::Pdm | LockTool::Poetry | LockTool::Uv => {
            let extra: Vec<_> = indexes().filter(|index| index.extra && !index.explicit).collect();
            Some((extra.first()?.at, extra.len() + 1))
        }
        LockTool::Compiled => {
            let manifests = &project.facts_of(lock.at.source).manifests;
            let extra: Vec<_> = manifests.iter().filter(|manifest| manifest.hashed != Some(true)).flat_map(|m| &m.indexes).filter(|index| index.extra).collect();
            Some((extra.first()?.at, extra.len() + 1))
        }
        _ => None,
    }
}

//! # What it finds
//!
//! Indexes, artifacts and repositories in a lock that are fetched over `http://` or `git://`.
//!
//! # Why
//!
//! Anybody on the way can answer in the place of the server. A hash in the lock holds the bytes, but not the answer to which versions there
//! are.
//!
//! # What is not a finding
//!
//! `localhost` and names that only a private network has (`devpi`, `*.local`, `10.…`).
//!
//! # What to do
//!
//! Lock again from the same place over `https://`.
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
//! wheels = [{ url = "http://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
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
//! 2 findings in 1 of 52 public repositories (2 `error`); all read by eye, none false.

use crate::model::finding::{Findings, SHOWN};
use crate::model::project::Project;
use crate::model::rule::Level::{Error};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::LockTool;
use crate::model::locked::{host, is_private, several};
use crate::model::span::Location;
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-http",
    group: Group::Lock,
    summary: "a lock fetches over an unprotected connection",
    levels: &[("url", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks().filter(|lock| lock.tool != LockTool::Actions) {
        let text = project.source(lock.at.source).text.as_str();
        let mut by_host: BTreeMap<String, Vec<(&str, Location)>> = BTreeMap::new();
        let mut take = |url: &str, name, at| {
            if url.starts_with("http://") || url.starts_with("git://") {
                let found = host(url);
                if !is_private(&found) {
                    by_host.entry(found).or_default().push((name, at));
                }
            }
        };
        lock.indexes.iter().for_each(|index| take(&index.url, "its index", index.at));
        for package in &lock.packages {
            if let Some(url) = package.from.url() {
                take(url, package.name.as_str(), package.from_at);
            }
            package.artifacts.iter().for_each(|artifact| take(artifact.url(text), package.name.as_str(), artifact.at));
        }
        for (found, places) in by_host {
            let mut names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
            names.dedup();
            let message = format!("{} in `{}` come from `{found}` without encryption: anybody on the way can answer", several(&names), project.path(lock.at));
            let mut finding = Findings::finding(&RULE, "url", places[0].1, message);
            for (name, at) in places.iter().skip(1).take(SHOWN) {
                finding = finding.label(*at, format!("`{name}` too"));
            }
            findings.push(finding.help("lock again from the same place over `https://`").about("http", found));
        }
    }
}

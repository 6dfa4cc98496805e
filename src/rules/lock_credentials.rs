//! # What it finds
//!
//! A user name with a password, or a token, in a URL of a lock.
//!
//! # Why
//!
//! A lock is committed, copied into images and sent to every reader of the repository. Whoever has it has the access.
//!
//! # What is not a finding
//!
//! Variables that are filled in when the lock is used (`https://user:${TOKEN}@…`); `git@` of ssh; names without a password.
//!
//! # What to do
//!
//! Withdraw the credential: it is in the history. Give it to the tool by its environment (`UV_INDEX_NAME_PASSWORD`, `.netrc`, a keyring) and
//! lock again.
//!
//! # Levels
//!
//! `error`. The value is never printed.
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
//! source = { registry = "https://ci:hunter2hunter2@pypi.org/simple" }
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
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Error};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-credentials",
    group: Group::Lock,
    summary: "a URL in a lock holds a password or token",
    levels: &[("url", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.lock_files() {
        let indexes = lock.indexes.iter().filter(|index| index.credentials).map(|index| ("an index", index.at));
        let packages = lock.packages.iter().filter_map(|package| Some((package.name.as_str(), package.credentials?)));
        let found: Vec<(&str, Location)> = indexes.chain(packages).collect();
        let Some((name, at)) = found.first() else { continue };
        let message = format!("the URL of {name} in `{}` holds a password or token, which every reader of the repository has", project.path(lock.at));
        let mut finding = Findings::finding(&RULE, "url", *at, message);
        for (name, at) in found.iter().skip(1) {
            finding = finding.label(*at, format!("that of {name} too"));
        }
        let help = "withdraw it, give it to the tool by its environment or a keyring, and lock again";
        findings.push(finding.help(help).about("credentials", *name));
    }
}

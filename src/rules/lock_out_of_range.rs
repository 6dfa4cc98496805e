//! # What it finds
//!
//! A version in a lock that the manifest does not allow, while the lock's own record says that all is well: an entry was edited, or a range
//! that the lock does not record.
//!
//! # Why
//!
//! The tool that owns the lock installs the version that is written, not the one that was asked for.
//!
//! # What is not a finding
//!
//! A lock that is stale altogether (see `req-lock-stale`); requirements with markers, where another version may be meant; names that
//! `override-dependencies` speak of; environments of hatch and tox, which install for themselves and read no lock.
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
//! version = "2.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-2.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
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
    id: "lock-out-of-range",
    group: Group::Lock,
    summary: "a locked version is outside of what the manifest allows",
    levels: &[("package", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for state in &project.locks {
        for stray in &state.strays {
            let reference = project.reference(stray.reference);
            let asked = reference.pin.version.as_deref().unwrap_or("");
            let message = format!(
                "`{}` is locked at {} and `{}` asks for `{asked}`; the tool installs what is locked",
                stray.name, stray.version, project.path(reference.site.whole)
            );
            let finding = Findings::finding(&RULE, "package", stray.at, message).label(reference.site.whole, "asked for here");
            findings.push(finding.help("lock again, so that the version is one that is asked for").about("range", stray.name.as_str()));
        }
    }
}

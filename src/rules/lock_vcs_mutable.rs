//! # What it finds
//!
//! A package that a lock takes from version control without a full commit, or an action whose entry in `actions.lock` has none.
//!
//! # Why
//!
//! A branch or tag in a lock moves like one outside of it; what was locked is not held.
//!
//! # What is not a finding
//!
//! A full commit; requirements files (see `req-vcs-mutable`).
//!
//! # What to do
//!
//! Lock again, so that the commit is written.
//!
//! # Levels
//!
//! `error`.
//!
//! # Examples
//!
//! ```text Pipfile.lock bad default
//! {"_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "sources": []},
//!  "default": {"demo": {"git": "https://github.com/example/demo.git", "ref": "main"}}, "develop": {}}
//! ```
//!
//! ```text Pipfile.lock good
//! {"_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "sources": []},
//!  "default": {"demo": {"git": "https://github.com/example/demo.git", "ref": "0123456789abcdef0123456789abcdef01234567"}}, "develop": {}}
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Error};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{LockTool, Provenance};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-vcs-mutable",
    group: Group::Lock,
    summary: "a lock takes a package from version control without a commit",
    levels: &[("package", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks().filter(|lock| lock.tool != LockTool::Compiled) {
        for package in &lock.packages {
            let Provenance::Git(source) = &package.from else { continue };
            let (commit, asked) = (&source.commit, &source.asked);
            if is_commit(commit) {
                continue;
            }
            let held = if asked.is_empty() { "no commit at all".to_string() } else { format!("`{asked}`, which can move,") };
            let message = format!("`{}` in `{}` is held by {held} and not by a full commit", package.name, project.path(lock.at));
            let finding = Findings::finding(&RULE, "package", package.from_at, message);
            findings.push(finding.help("lock again, so that the commit is written").about("vcs", package.name.as_str()));
        }
    }
}

/// 40 or 64 hexadecimal digits that are not all zero.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.bytes().any(|byte| byte != b'0')
}

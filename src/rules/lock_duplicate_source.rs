//! # What it finds
//!
//! The same package twice in a lock, from two different sources, with nothing that says when which of them is meant.
//!
//! # Why
//!
//! Which of them is installed is decided by the order of entries, and one of them may be somebody else's.
//!
//! # What is not a finding
//!
//! Forks of uv and poetry, which have markers; the entries of pdm for extras; categories of pipenv; one version for several platforms.
//!
//! # What to do
//!
//! Lock again; bind the package to one source.
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
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://test.pypi.org/simple" }
//! wheels = [{ url = "https://test-files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
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
use crate::model::lock::{LockTool, LockedPackage, Provenance};
use foldhash::{HashMap, HashMapExt};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-duplicate-source",
    group: Group::Lock,
    summary: "a package is locked from two sources at once",
    levels: &[("package", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let single = |tool| matches!(tool, LockTool::Uv | LockTool::Poetry | LockTool::Pdm | LockTool::Pylock | LockTool::Pipenv);
    for lock in project.trusted_locks().filter(|lock| single(lock.tool)) {
        let mut by_name: HashMap<&str, Vec<&LockedPackage>> = HashMap::new();
        for package in &lock.packages {
            by_name.entry(&package.name).or_default().push(package);
        }
        let mut twice: Vec<(&LockedPackage, &LockedPackage)> = Vec::new();
        for list in by_name.values() {
            let unmarked: Vec<&LockedPackage> = list.iter().copied().filter(|package| package.marker.is_empty()).collect();
            for (index, second) in unmarked.iter().enumerate().skip(1) {
                let other = unmarked[..index].iter().find(|first| !same(&first.from, &second.from));
                twice.extend(other.map(|first| (*first, *second)));
            }
        }
        twice.sort_by_key(|(_, second)| second.at);
        for (first, second) in twice {
            let message = format!(
                "`{}` is in `{}` twice, from {} and from {}, and nothing says which is meant",
                second.name, project.path(lock.at), place(&first.from), place(&second.from)
            );
            let finding = Findings::finding(&RULE, "package", second.at, message).label(first.at, "the other one");
            findings.push(finding.help("lock again, and bind the package to one source").about("source", second.name.as_str()));
        }
    }
}

fn same(a: &Provenance, b: &Provenance) -> bool {
    match (a, b) {
        (Provenance::Registry(a), Provenance::Registry(b)) => a.trim_end_matches('/') == b.trim_end_matches('/') || a.is_empty() || b.is_empty(),
        _ => a == b,
    }
}

fn place(from: &Provenance) -> String {
    match from {
        Provenance::Registry(url) if url.is_empty() => "the default index".to_string(),
        Provenance::Registry(url) | Provenance::Url(url) | Provenance::Path(url) => format!("`{url}`"),
        Provenance::Git(source) => format!("`{}`", source.url),
    }
}

//! # What it finds
//!
//! Artifacts whose only hash is md5 or sha1, or is no hash at all: too short, or with letters that no hash has.
//!
//! # Why
//!
//! Two files with the same md5 or sha1 can be made. An artifact that is held by such a hash alone can be exchanged.
//!
//! # What is not a finding
//!
//! A weak hash beside a strong one (conda-lock writes md5 and sha256); URLs of version control.
//!
//! # What to do
//!
//! Lock again; indexes offer sha256. An explicit list of conda is written with them by `conda list --explicit --sha256`
//! (<https://docs.conda.io/projects/conda/en/latest/commands/list.html>).
//!
//! # Levels
//!
//! `error`; `info` where a whole lock of conda is held so, as old channels offer no more.
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
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "md5:0123456789abcdef0123456789abcdef" }]
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
//! 22 findings in 2 of 52 public repositories (22 `info`); all read by eye, none false.

use crate::model::finding::{Findings, SHOWN};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{LockTool, LockedPackage};
use crate::model::locked::{several, verb};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-hash-weak",
    group: Group::Lock,
    summary: "artifacts are held by a hash that can be forged",
    levels: &[("artifact", levels(Error, Error, Error)), ("explicit", levels(Info, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks().filter(|lock| lock.tool != LockTool::Actions) {
        let text = project.source(lock.at.source).text.as_str();
        let weak: Vec<(&LockedPackage, Location)> = lock
            .packages
            .iter()
            .flat_map(|package| package.artifacts.iter().map(move |artifact| (package, artifact)))
            .filter(|(package, _)| !package.name.starts_with("__"))
            .filter(|(_, artifact)| !artifact.hashes.is_empty() && !artifact.hashes.iter().any(|hash| is_strong(hash.parts(text))))
            .map(|(package, artifact)| (package, artifact.at))
            .collect();
        let Some((first, at)) = weak.first() else { continue };
        // Old channels offered nothing better, and then every package is held so; one among others is not conda's doing.
        let held = lock.packages.iter().filter(|package| !package.artifacts.is_empty()).count();
        let conda = matches!(lock.tool, LockTool::CondaLock | LockTool::Pixi);
        let mut names: Vec<&str> = weak.iter().map(|(package, _)| package.name.as_str()).collect();
        names.dedup();
        let kind = if conda && names.len() * 10 >= held * 9 { "explicit" } else { "artifact" };
        let message = format!("{} in `{}` {} held by no hash better than md5 or sha1, for which two files can be made", several(&names), project.path(lock.at), verb(&names, "is", "are"));
        let mut finding = Findings::finding(&RULE, kind, *at, message);
        for (package, at) in weak.iter().skip(1).take(SHOWN) {
            finding = finding.label(*at, format!("`{}` too", package.name));
        }
        let help = match text.contains("@EXPLICIT") {
            true => "write it again with `conda list --explicit --sha256` from an environment that was made of it",
            false => "lock again, so that sha256 is written",
        };
        findings.push(finding.help(help).about("hash", first.name.as_str()));
    }
}

/// Whether it is a whole hash of an algorithm that holds.
fn is_strong((algorithm, value): (&str, &str)) -> bool {
    let length = match algorithm {
        "sha256" | "sha3_256" | "blake2s" | "blake3" => 64,
        "sha384" | "sha3_384" => 96,
        "sha512" | "sha3_512" | "blake2b" => 128,
        _ => return false,
    };
    // No short cut in the loop: so it is done for many bytes at once.
    value.len() == length && value.bytes().fold(true, |all, byte| all & byte.is_ascii_hexdigit())
}

//! # What it finds
//!
//! Locked releases that were uploaded less than a number of days ago, by the upload times that the lock records. The number is that of
//! `[lock] cooldown`; else that of Dependabot's or Renovate's settings; else three.
//!
//! # Why
//!
//! Releases with stolen accounts are mostly found within days. A lock that waits does not run them.
//!
//! # What is not a finding
//!
//! Locks without upload times (poetry, pdm, pipenv, compiled files); an artifact that was added late to an old release: the first upload
//! counts.
//!
//! # What to do
//!
//! Wait, or lock with `exclude-newer`; a security fix may well be wanted at once.
//!
//! # Levels
//!
//! `info`, as time alone may not turn a gate red; `warning` with `[lock] cooldown` of the configuration. `--now` sets the day.
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
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3", upload-time = "2999-01-01T00:00:00Z" }]
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
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3", upload-time = "2024-09-15T18:07:37Z" }]
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories at today's date, which is months after their locks. With `--now` the day after the newest of them
//! was changed, 20 locks in 3 repositories; all read by eye, none false.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{LockTool, LockedPackage};
use crate::model::locked::several;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-too-fresh",
    group: Group::Lock,
    summary: "a locked release is younger than the cooldown",
    levels: &[("unset", levels(Info, Info, Warning)), ("configured", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

const DEFAULT_DAYS: u32 = 3;

/// Without a date of today (a check of texts alone) only what lies in a far future is young.
const FAR: i64 = 365_000;

fn check(project: &Project, findings: &mut Findings) {
    let (days, said) = cooldown(project);
    let kind = if project.policy.cooldown.is_some() { "configured" } else { "unset" };
    let edge = project.today.map_or(FAR, |today| today - i64::from(days));
    for lock in project.trusted_locks().filter(|lock| lock.tool != LockTool::Actions) {
        let young: Vec<(&LockedPackage, i64)> =
            lock.packages.iter().filter_map(|package| Some((package, released(package)?))).filter(|(_, day)| *day > edge).collect();
        let Some((first, _)) = young.first() else { continue };
        let names: Vec<&str> = young.iter().map(|(package, _)| package.name.as_str()).collect();
        let message = format!("{} in `{}` were released less than {days} days ago ({said})", several(&names), project.path(lock.at));
        let mut finding = Findings::finding(&RULE, kind, first.at, message);
        for (package, _) in young.iter().skip(1).take(20) {
            finding = finding.label(package.at, format!("`{} {}` too", package.name, package.version));
        }
        findings.push(finding.help("wait, or lock with `exclude-newer`; say `[lock] cooldown` to make it a rule").about("age", ""));
    }
}

/// How many days a release must be old, and who says so.
fn cooldown(project: &Project) -> (u32, String) {
    if let Some(days) = project.policy.cooldown {
        return (days, "`[lock] cooldown`".to_string());
    }
    let python = ["pip", "uv", "pip-compile", "poetry", "pdm", "pipenv", "pep621", "pip_requirements"];
    let fits = |ecosystems: &[String]| ecosystems.is_empty() || ecosystems.iter().any(|name| python.contains(&name.as_str()));
    let updaters = project.facts.iter().flat_map(|facts| &facts.updaters).filter(|updater| fits(&updater.ecosystems));
    let asked = updaters.filter_map(|updater| Some((updater.cooldown_days?, updater.name.as_str()))).max();
    asked.map_or((DEFAULT_DAYS, "no cooldown is configured".to_string()), |(days, name)| (days, format!("the cooldown of {name}")))
}

/// The day of the first upload, counted from 1970.
fn released(package: &LockedPackage) -> Option<i64> {
    package.artifacts.iter().filter_map(|artifact| day(artifact.uploaded.as_deref()?)).min()
}

/// `2024-09-15T18:07:37Z`, or milliseconds since 1970.
fn day(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(|milliseconds| milliseconds / 86_400_000);
    }
    let mut parts = text.get(..10)?.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // Days of the civil calendar, years from March.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_count_from_1970() {
        assert_eq!(day("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(day("2024-02-29"), Some(19_782));
        assert_eq!(day("1578324546067"), Some(18_267));
        assert_eq!(day("soon"), None);
    }
}

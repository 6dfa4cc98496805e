//! # What it finds
//!
//! Locked releases that were uploaded less than a number of days ago, by the upload times that the lock records. The number is the first of:
//! `[lock] cooldown` of the configuration; uv's `exclude-newer` (of the lock's own options, `[tool.uv]`, `uv.toml`) or pixi's; Dependabot's `cooldown` and
//! Renovate's `minimumReleaseAge` for Python; three. A release that is newer than the date of an `exclude-newer` contradicts it, whatever today is.
//!
//! # Why
//!
//! Releases with stolen accounts are mostly found within days. A lock that waits does not run them.
//!
//! # What is not a finding
//!
//! Locks without upload times (poetry, pdm, pipenv, compiled files); an artifact that was added late to an old release: the first upload
//! counts. Packages that the settings let through (`exclude-newer-package`, `exclude` of a cooldown).
//!
//! # What to do
//!
//! Wait, or lock with `exclude-newer`; a security fix may well be wanted at once.
//!
//! # Levels
//!
//! `info`, as time alone may not turn a gate red; `warning` with `[lock] cooldown` of the configuration, and for a release that contradicts the date of
//! an `exclude-newer`. `--now` sets the day.
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
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//!
//! [tool.uv]
//! exclude-newer = "2024-09-01T00:00:00Z"
//! ```
//!
//! ```toml uv.lock bad default
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [options]
//! exclude-newer = "2024-09-01T00:00:00Z"
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
//! was changed, 23 locks in 3 repositories; each named release was compared with the upload times of its entry, none is false.

use crate::model::finding::{Findings, SHOWN};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::age::{day, span_days};
use crate::model::facts::Updater;
use crate::model::lock::{Lock, LockTool, LockedPackage};
use crate::model::locked::several;
use crate::model::policy::matches;
use crate::model::span::SourceId;

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-too-fresh",
    group: Group::Lock,
    summary: "a locked release is younger than the cooldown",
    levels: &[("unset", levels(Info, Info, Warning)), ("configured", levels(Warning, Error, Error)), ("contradicts", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

const DEFAULT_DAYS: u32 = 3;

/// Without a date of today (a check of texts alone) only what lies in a far future is young.
const FAR: i64 = 365_000;

/// How old releases must be, and who says so.
struct Limit {
    kind: &'static str,
    /// The last day on which a release may have been made.
    last: i64,
    said: String,
    /// Packages that need not be.
    except: Vec<String>,
}

fn check(project: &Project, findings: &mut Findings) {
    for lock in project.trusted_locks().filter(|lock| lock.tool != LockTool::Actions) {
        let limit = limit(project, lock);
        let text = project.source(lock.at.source).text.as_str();
        let held = |package: &LockedPackage| !limit.except.iter().any(|pattern| matches(pattern, &package.name));
        let released = |package: &LockedPackage| package.artifacts.iter().filter_map(|artifact| day(artifact.uploaded.of(text))).min();
        let young: Vec<&LockedPackage> =
            lock.packages.iter().filter(|package| held(package) && released(package).is_some_and(|day| day > limit.last)).collect();
        let Some(first) = young.first() else { continue };
        let names: Vec<&str> = young.iter().map(|package| package.name.as_str()).collect();
        let were = if young.len() == 1 { "was" } else { "were" };
        let message = format!("{} in `{}` {were} released {}", several(&names), project.path(lock.at), limit.said);
        let mut finding = Findings::finding(&RULE, limit.kind, first.at, message);
        for package in young.iter().skip(1).take(SHOWN) {
            finding = finding.label(package.at, format!("`{} {}` too", package.name, package.version));
        }
        let help = match limit.kind {
            "contradicts" => "lock again: the tool itself would not have taken them",
            _ => "wait, or lock with `exclude-newer`; say `[lock] cooldown` to make it a rule",
        };
        findings.push(finding.help(help).about("age", ""));
    }
}

fn limit(project: &Project, lock: &Lock) -> Limit {
    let ago = |days: u32| project.today.map_or(FAR, |today| today - i64::from(days));
    let of = |kind, days: u32, who: &str, except| Limit { kind, last: ago(days), said: format!("less than {days} days ago ({who})"), except };
    if let Some(days) = project.policy.cooldown {
        return of("configured", days, "`[lock] cooldown`", Vec::new());
    }
    if let Some((written, except, whose)) = exclude_newer(project, lock) {
        match span_days(&written) {
            Some(days) => return of("unset", days, &format!("`exclude-newer` of {whose}"), except),
            None => {
                if let Some(last) = day(&written) {
                    let said = format!("after `exclude-newer` of {whose} ({written})");
                    return Limit { kind: "contradicts", last, said, except };
                }
            }
        }
    }
    match updater(project) {
        Some(updater) => of("unset", updater.cooldown_days.unwrap_or(DEFAULT_DAYS), &format!("the cooldown of {}", updater.name), updater.cooldown_except.clone()),
        None => of("unset", DEFAULT_DAYS, "no cooldown is configured", Vec::new()),
    }
}

/// The limit that the owning tool was told, the packages that it does not hold for, and where it stands. What the lock records counts first: it
/// is what the tool went by.
fn exclude_newer(project: &Project, lock: &Lock) -> Option<(String, Vec<String>, String)> {
    let setting = |key: &str| lock.statement.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let (name, files): (&str, &[&str]) = match lock.tool {
        LockTool::Uv | LockTool::Pylock => ("uv.exclude-newer", &["uv.toml", "pyproject.toml"]),
        LockTool::Pixi => ("pixi.exclude-newer", &["pixi.toml", "pyproject.toml"]),
        _ => return None,
    };
    let state = project.locks.iter().find(|state| state.lock == lock.at.source).and_then(|state| state.manifest);
    let beside = files.iter().filter_map(|file| project.beside(lock.at.source, file)).chain(state);
    let sources: Vec<SourceId> = beside.collect();
    let said = |key: &str| -> Vec<(SourceId, String)> {
        let manifests = sources.iter().flat_map(|&source| project.facts_of(source).manifests.iter().map(move |manifest| (source, manifest)));
        let all = manifests.flat_map(|(source, manifest)| manifest.settings.iter().map(move |setting| (source, setting)));
        all.filter(|(_, (name, _))| name == key).map(|(source, (_, text))| (source, text.text.clone())).collect()
    };
    let mut except: Vec<String> = said("uv.exclude-newer-package").into_iter().map(|(_, name)| name).collect();
    let recorded = setting("options.exclude-newer-package").unwrap_or_default();
    except.extend(recorded.trim_matches(['{', '}']).split(", ").filter_map(|pair| Some(pair.split_once(" = ")?.0.to_string())));
    // Beside a span newer uvs write a date in the year 1, which has no effect.
    let date = setting("options.exclude-newer").filter(|date| !date.starts_with("0001-"));
    if let Some(written) = date.or_else(|| setting("options.exclude-newer-span")) {
        return Some((written, except, format!("`{}`", project.path(lock.at))));
    }
    let (source, written) = said(name).into_iter().next()?;
    Some((written, except, format!("`{}`", project.source(source).path)))
}

/// The updater of Python packages with the longest cooldown.
fn updater(project: &Project) -> Option<&Updater> {
    const PYTHON: [&str; 13] = [
        "pip", "uv", "pip-compile", "poetry", "pdm", "pipenv", "pep621", "pep723", "pip_requirements", "pip_setup", "pypi", "python", "pixi",
    ];
    let fits = |ecosystems: &[String]| ecosystems.is_empty() || ecosystems.iter().any(|name| PYTHON.contains(&name.as_str()));
    let updaters = project.facts.iter().flat_map(|facts| &facts.updaters).filter(|updater| fits(&updater.ecosystems));
    updaters.filter(|updater| updater.cooldown_days.is_some()).max_by_key(|updater| updater.cooldown_days)
}

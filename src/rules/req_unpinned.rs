//! # What it finds
//!
//! Requirements without one exact version, in files that the gate installs: `requests`, `requests>=2`, `requests~=2.31`, `requests==2.*`;
//! the same in conda environments, and in the comment block of a script that `uv run` or `pipx run` starts.
//!
//! # Why
//!
//! A release of any of them can turn every open patch red at once, and nobody changed a line. The patch that is judged today is not judged
//! by what judged it yesterday.
//!
//! # What is not a finding
//!
//! - Inputs of a lock: `requirements.in`, or a `.txt` from which another file was compiled that is installed in its place.
//! - `.`, `-e .` and paths; version control URLs (see `req-vcs-mutable`).
//! - A range in a file that is installed together with `-c constraints.txt`, or with another file, that pins the name.
//! - The metadata of a library: `[project]` dependencies and extras, `requires-python`.
//! - Scripts whose block has `exclude-newer`.
//! - Names that a lock pins; `x==${VERSION}`, which cannot be seen.
//! - Files that only jobs install that test against the newest releases on purpose: `latest`, `upstream`, `nightly` in their name.
//! - Files that nothing in CI installs. Without any CI file that pinguard reads, every requirements file counts.
//!
//! # What to do
//!
//! Compile the file to exact versions of everything (`uv pip compile requirements.in -o requirements.txt`), install the result, and upgrade
//! it in patches of its own.
//!
//! # Levels
//!
//! `warning`, and `error` in `strict` and `audit`. Files for documentation only: `info`, `warning` in `strict`. Where at least half of a file is
//! pinned, each other line is a finding; else the file is one finding that lists its lines.
//!
//! # Examples
//!
//! ```text requirements.txt bad default
//! requests>=2
//! ```
//!
//! ```text requirements.txt good
//! requests==2.32.3
//! -e .
//! ```
//!
//! ```text requirements.txt with
//! requests>=2
//! flask
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -r requirements.txt
//! ```
//!
//! ```text constraints.txt with
//! requests==2.32.3
//! ```
//!
//! ```text requirements.txt with
//! requests>=2
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -r requirements.txt -c constraints.txt
//! ```
//!
//! ```text requirements.in good
//! requests>=2
//! ```
//!
//! ```python report.py with
//! # /// script
//! # dependencies = ["requests>=2"]
//! # ///
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   report:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: uv run report.py
//! ```
//!
//! ```python report.py with
//! # /// script
//! # dependencies = ["requests>=2"]
//! # [tool.uv]
//! # exclude-newer = "2024-10-01T00:00:00Z"
//! # ///
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   report:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: uv run report.py
//! ```
//!
//! # Measured
//!
//! 59 findings in 21 of 52 public repositories (47 `warning`, 12 `info`); all opened at their lines for the
//! ledger: 1 is false (a marker that no job of the project can meet). Every `pip install -r` in their workflows and Dockerfiles was searched by
//! text: no file with loose lines was missed.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::installs::speaks_of_newest;
use crate::model::manifest::{Manifest, ManifestKind};
use crate::model::pin::Strength;
use crate::model::project::{GateInstall, Project};
use crate::model::reference::{Ecosystem, Origin, Reference, ReferenceId};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::SourceId;

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-unpinned",
    group: Group::Requirement,
    summary: "a requirement that CI installs has no exact version",
    levels: &[("file", levels(Warning, Error, Error)), ("docs", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

/// Most names that a message lists.
const SHOWN: usize = 3;

fn check(project: &Project, findings: &mut Findings) {
    let kinds = [
        ManifestKind::Requirements,
        ManifestKind::RequirementsInput,
        ManifestKind::CondaEnvironment,
        ManifestKind::InlineScript,
    ];
    for manifest in project.manifests().filter(|manifest| kinds.contains(&manifest.kind)) {
        let Some(use_) = used(project, manifest) else { continue };
        let counted: Vec<(ReferenceId, &Reference)> = manifest
            .entries
            .iter()
            .map(|entry| (entry.reference, project.reference(entry.reference)))
            .filter(|(_, reference)| counts(reference))
            .collect();
        let loose: Vec<(ReferenceId, &Reference)> = counted
            .iter()
            .copied()
            .filter(|(_, reference)| reference.is_loose() && !use_.held(project, &reference.subject.name))
            .collect();
        if loose.is_empty() {
            continue;
        }
        if loose.len() == 1 || (counted.len() - loose.len()) * 2 >= counted.len() {
            loose.iter().for_each(|(id, reference)| findings.push(one(project, *id, reference, &use_)));
        } else {
            findings.push(all(project, &loose, counted.len(), &use_));
        }
    }
}

/// What belongs to the sum: `pip` itself stands in every conda environment, as the installer of the rest.
fn counts(reference: &Reference) -> bool {
    let pip_of_conda = reference.subject.ecosystem == Ecosystem::Conda && reference.subject.name == "pip";
    matches!(reference.origin, Origin::Registry | Origin::Url(_)) && !pip_of_conda
}

/// Who installs a file, and with which other files.
struct Use<'p> {
    installs: Vec<&'p GateInstall>,
    constraints: Vec<SourceId>,
    who: String,
    docs: bool,
}

impl Use<'_> {
    /// Whether every install of the file pins the name by another file.
    fn held(&self, project: &Project, name: &str) -> bool {
        let by_install = |install: &&GateInstall| {
            project.holds(&install.constraints, name) || project.holds(&install.files, name)
        };
        !self.installs.is_empty() && self.installs.iter().all(by_install) || project.holds(&self.constraints, name)
    }

    fn kind(&self) -> &'static str {
        if self.docs { "docs" } else { "file" }
    }
}

/// How the gate uses the file; `None` when it does not.
fn used<'p>(project: &'p Project, manifest: &'p Manifest) -> Option<Use<'p>> {
    let source = manifest.at.source;
    if manifest.settings.iter().any(|(name, _)| name == "uv.exclude-newer") {
        return None;
    }
    let installs: Vec<&GateInstall> =
        project.gate.installs.iter().filter(|install| install.files.contains(&source)).collect();
    let wanted: Vec<&GateInstall> = installs.iter().copied().filter(|install| !project.wants_newest(install)).collect();
    let constraints = project.own_constraints(manifest);
    let is_docs = |source: SourceId| is_for_docs(project.path(project.source(source).whole()));
    let docs = is_docs(source)
        && wanted.iter().all(|install| is_for_docs(&install.reach.who) || install.files.iter().all(|&file| is_docs(file)));
    let use_ = |who: String, docs| Some(Use { installs: wanted.clone(), constraints: constraints.clone(), who, docs });
    if let Some(first) = wanted.first() {
        let who = first.reach.who.clone();
        let more = wanted.iter().map(|install| &install.reach.who).filter(|other| **other != who);
        let more = more.collect::<std::collections::BTreeSet<_>>().len();
        return use_(if more == 0 { who } else { format!("{who} and {more} more") }, docs);
    }
    // A script is installed by who starts it so, and by nobody else.
    if !installs.is_empty() || manifest.kind == ManifestKind::InlineScript {
        return None;
    }
    let constrains_only = project.gate.installs.iter().any(|install| install.constraints.contains(&source));
    let reach = project.reached_by(source).iter().find(|reach| !speaks_of_newest(&reach.who));
    match reach.filter(|_| !constrains_only) {
        Some(reach) => use_(reach.who.clone(), docs),
        None if built_by_read_the_docs(project, source) => use_("Read the Docs".to_string(), true),
        None if !project.gate.seen && manifest.kind != ManifestKind::RequirementsInput => {
            use_("whoever tests this project".to_string(), docs)
        }
        None => None,
    }
}

fn is_for_docs(path: &str) -> bool {
    let words = path.split(['/', '-', '_', '.', ' ', '`']);
    words.map(str::to_ascii_lowercase).any(|word| matches!(word.as_str(), "docs" | "doc" | "rtd" | "readthedocs" | "sphinx"))
}

fn built_by_read_the_docs(project: &Project, source: SourceId) -> bool {
    let builds = project.manifests().filter(|manifest| manifest.kind == ManifestKind::ReadTheDocs);
    builds.flat_map(|manifest| manifest.includes.iter().map(move |include| (manifest, include))).any(|(manifest, include)| {
        // Paths there are relative to the root of the repository.
        let found = project.sources.find(include.path.text.trim_start_matches("./"));
        found.is_some_and(|found| found.id == source) || project.beside(manifest.at.source, &include.path.text) == Some(source)
    })
}

fn one(project: &Project, id: ReferenceId, reference: &Reference, use_: &Use) -> Finding {
    let (path, name) = (project.path(reference.site.whole), &reference.subject.name);
    let message = format!(
        "`{}` in `{path}`, installed by {}, is no exact version: a release of {name} can turn it red without a change here",
        reference.shown(),
        use_.who
    );
    let pin = if reference.subject.ecosystem == Ecosystem::Conda { "=" } else { "==" };
    let help = format!("pin it to the version that is installed today (`{name}{pin}VERSION`), and upgrade it in a patch of its own");
    let finding = Findings::finding(&RULE, use_.kind(), reference.site.whole, message).help(help);
    let finding = finding.about(reference.key.as_str(), name.as_str());
    match reference.site.version {
        Some(_) => finding.remedy(Remedy::Tighten { reference: id, to: Strength::Exact }),
        None => finding,
    }
}

fn all(project: &Project, loose: &[(ReferenceId, &Reference)], counted: usize, use_: &Use) -> Finding {
    let at = loose[0].1.site.whole;
    let path = project.path(at);
    let names: Vec<String> = loose.iter().take(SHOWN).map(|(_, reference)| format!("`{}`", reference.shown())).collect();
    let dots = if loose.len() > SHOWN { " …" } else { "" };
    let share = if loose.len() == counted { format!("none of the {counted}") } else { format!("{} of the {counted}", loose.len()) };
    let verb = if loose.len() == counted { "is" } else { "are not" };
    let message = format!(
        "{share} requirements in `{path}`, installed by {}, {verb} pinned ({}{dots}): a release of any of them can turn it red without a change here",
        use_.who,
        names.join(", ")
    );
    let conda = loose.iter().any(|(_, reference)| reference.subject.ecosystem == Ecosystem::Conda);
    let help = match conda {
        true => "lock the environment (`conda-lock -f FILE`) and install the lock, or write exact versions".to_string(),
        false => format!("compile it to exact versions (`uv pip compile {path} -o LOCK.txt`), install the result, and upgrade it in patches of its own"),
    };
    let mut finding = Findings::finding(&RULE, use_.kind(), at, message).help(help).about("requirements", "");
    if !conda && loose.iter().all(|(_, reference)| reference.site.version.is_some()) {
        finding = finding.remedy(Remedy::Tighten { reference: loose[0].0, to: Strength::Exact });
    }
    for (_, reference) in loose {
        finding = finding.label(reference.site.whole, format!("`{}` can move", reference.shown()));
    }
    finding
}

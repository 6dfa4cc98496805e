//! # What it finds
//!
//! Requirements from version control that are not held by a full commit: `git+https://…@main`, `git+https://…` without a ref, `branch = "…"`
//! of uv and poetry; on a lower level those held by a tag.
//!
//! # Why
//!
//! A branch moves with each push of somebody else, and what it holds was never released. A tag can be moved too, though few people do.
//!
//! # What is not a finding
//!
//! A full commit (40 hexadecimal digits); a requirement that a lock holds at a commit; groups and extras that CI does not ask for;
//! `@${REF}`, which cannot be seen; commands of jobs whose name says that they test a branch (`main`, `dev`, `upstream`, `nightly`), and
//! environments, groups and factors whose name says that they are for what is newest (`[testenv:nightly]`, `devdeps: git+https://…`).
//!
//! # What to do
//!
//! Write the full commit behind `@` (`rev = "…"` in tables), and move it in patches of its own.
//!
//! # Levels
//!
//! Branch or no ref: `error`. Tag: `info`, `warning` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```text requirements.txt bad default
//! pkg @ git+https://github.com/example/pkg@main
//! ```
//!
//! ```text requirements.txt bad strict
//! git+https://github.com/example/pkg.git@v1.2.3#egg=pkg
//! ```
//!
//! ```text requirements.txt good
//! pkg @ git+https://github.com/example/pkg@0123456789abcdef0123456789abcdef01234567
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install git+https://github.com/example/pkg
//! ```
//!
//! ```ini tox.ini with
//! [testenv]
//! deps =
//!     devdeps: git+https://github.com/example/pkg
//! [testenv:nightly]
//! deps = git+https://github.com/example/other@main
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: tox -e py312,py313-devdeps,nightly
//! ```
//!
//! # Measured
//!
//! 14 findings in 6 of 52 public repositories (8 `error`, 5 `info`); all read by eye, none false.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::installs::speaks_of_newest;
use crate::model::manifest::{Group as Section, Manifest, ManifestKind};
use crate::model::pin::{Precision, Strength};
use crate::model::project::{GateInstall, Project};
use crate::model::reference::{Origin, Reference, ReferenceId, Role};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-vcs-mutable",
    group: Group::Requirement,
    summary: "a requirement from version control is not held by a commit",
    levels: &[("branch", levels(Error, Error, Error)), ("tag", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for manifest in project.manifests() {
        for entry in &manifest.entries {
            let reference = project.reference(entry.reference);
            let wanted = || is_wanted(project, &entry.group, reference);
            if matches!(reference.origin, Origin::Vcs(_)) && is_used(project, manifest, &entry.group, reference) && !wanted() {
                report(entry.reference, reference, findings);
            }
        }
    }
    let installs = project.gate.installs.iter().filter(|install| !wants_branch(project, install));
    let mut named: Vec<ReferenceId> = installs.flat_map(|install| install.install.references.iter().copied()).collect();
    named.sort();
    named.dedup();
    for id in named {
        let reference = project.reference(id);
        if matches!(reference.origin, Origin::Vcs(_)) {
            report(id, reference, findings);
        }
    }
}

/// Whether the environment, the group or the factor that a requirement stands behind says that it is there to test what is newest:
/// `[testenv:nightly]`, `devdeps: git+https://…`.
fn is_wanted(project: &Project, group: &Section, reference: &Reference) -> bool {
    let name = match group {
        Section::Extra(name) | Section::Named(name) => name.as_str(),
        Section::Main | Section::Build => "",
    };
    let at = reference.site.whole;
    let source = project.source(at.source);
    let line = source.line_span(source.line_of(at.span.start));
    let before = source.text.get(line.start as usize..at.span.start as usize).unwrap_or("");
    speaks_of_newest(name) || speaks_of_newest(before)
}

/// Whether the job says that it tests what is on a branch elsewhere.
fn wants_branch(project: &Project, install: &GateInstall) -> bool {
    const WORDS: [&str; 6] = ["main", "master", "trunk", "head", "dev", "git"];
    let name = project.job_of(install).map_or("", |job| &job.name);
    let id = project.job_of(install).map_or("", |job| &job.id);
    let says = |words: &str| words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word));
    project.wants_newest(install) || says(name) || says(id)
}

/// Whether CI installs the entry: of a project's extras and groups only those that an install asks for.
fn is_used(project: &Project, manifest: &Manifest, group: &Section, reference: &Reference) -> bool {
    let source = manifest.at.source;
    if reference.role == Role::Constraint || !project.judged(source) || manifest.kind == ManifestKind::PreCommit {
        return false;
    }
    let Section::Extra(name) = group else { return true };
    if !project.gate.seen {
        return true;
    }
    let installs = project.gate.installs.iter().filter(|install| install.projects.contains(&source));
    installs.into_iter().any(|install| {
        let asked = install.install.groups.iter().any(|asked| asked == "--all-extras" || same(asked, name));
        let inline = install.install.projects.iter().any(|word| {
            let extras = word.text.text.split_once('[').map_or("", |(_, rest)| rest.trim_end_matches(']'));
            extras.split(',').any(|asked| same(asked.trim(), name))
        });
        asked || inline
    })
}

fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
    plain(a) == plain(b)
}

fn report(id: ReferenceId, reference: &Reference, findings: &mut Findings) {
    let kind = match reference.effective() {
        None | Some(Strength::Immutable) => return,
        Some(Strength::Unspecified | Strength::Floating(Precision::Word)) => "branch",
        Some(_) if reference.held.is_some() => return,
        Some(_) => "tag",
    };
    findings.push(finding(kind, id, reference));
}

fn finding(kind: &str, id: ReferenceId, reference: &Reference) -> Finding {
    let name = &reference.subject.name;
    let what = match (&reference.pin.version, kind) {
        (Some(version), "tag") if is_hexadecimal(version) => {
            format!("the abbreviated commit `{version}`, which need not stay the only one")
        }
        (Some(version), "tag") => format!("the tag `{version}`, which can be moved"),
        (Some(version), _) => format!("the branch `{version}`, which moves with each push there"),
        (None, _) => "no ref, so that each push there moves it".to_string(),
    };
    let message = format!("`{name}` comes from version control by {what}; what is tested can change without a change here");
    let help = "hold it by the full commit that is installed today, and move it in a patch of its own";
    let finding = Findings::finding(&RULE, kind, reference.site.whole, message).help(help);
    let finding = finding.about(reference.key.as_str(), name.as_str());
    match reference.site.digest {
        Some(_) => finding.remedy(Remedy::Tighten { reference: id, to: Strength::Immutable }),
        None => finding,
    }
}

fn is_hexadecimal(version: &str) -> bool {
    version.len() >= 7 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}

//! # What it finds
//!
//! Python versions that contradict each other in one repository: the lowest version of `requires-python`, or the newest of the classifiers,
//! that the versions tested in CI leave out; a `.python-version`, a base image, a classifier, or the interpreter of a job that installs
//! the project, that `requires-python` rules out.
//!
//! # Why
//!
//! What is promised and not tested breaks at a user's desk, and a patch is merged green all the same. An interpreter outside of the range
//! fails as soon as somebody builds with it.
//!
//! # What is not a finding
//!
//! - A gate whose versions cannot all be seen (expressions, reusable workflows of other repositories), or that tests fewer than two.
//! - A version that any command, variable, matrix value, tox or nox environment of the gate names.
//! - Projects below the root of the repository: each may have a range of its own. Test data, examples, documentation.
//!
//! # What to do
//!
//! Add the missing version to the matrix, or stop declaring it.
//!
//! # Levels
//!
//! `warning`, `error` in audit.
//!
//! # Examples
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "app"
//! requires-python = ">=3.9"
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     strategy:
//!       matrix:
//!         python: ["3.11", "3.12"]
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b # v5.3.0
//!         with:
//!           python-version: ${{ matrix.python }}
//!       - run: pytest
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "app"
//! requires-python = ">=3.12"
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM python:3.11-slim
//! ```
//!
//! ```toml pyproject.toml bad default
//! [project]
//! name = "app"
//! requires-python = ">=3.10"
//! classifiers = ["Programming Language :: Python :: 3.9"]
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "app"
//! requires-python = ">=3.11"
//! classifiers = ["Programming Language :: Python :: 3.12"]
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     strategy:
//!       matrix:
//!         python: ["3.11", "3.12"]
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b # v5.3.0
//!         with:
//!           python-version: ${{ matrix.python }}
//!       - run: pytest
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. In 15 of them both the range and the tested versions can be seen, and all agree; each was
//! compared by its range and its tested versions. Ledger of those: `docs/evidence/runtime-declared-mismatch.tsv`.

use crate::model::finding::Findings;
use crate::model::images::is_example;
use crate::model::manifest::{Manifest, ManifestKind};
use crate::model::pin::{Precision, Strength};
use crate::model::pipeline::{Assignment, Pipeline, StepKind, Value};
use crate::model::project::{GateInstall, Project};
use crate::model::reference::{Origin, Reference, Role};
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::Deed;
use crate::model::text::Text;
use std::collections::BTreeSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "runtime-declared-mismatch",
    group: Group::Runtime,
    summary: "Python versions that are declared, tested and built on contradict each other",
    levels: &[("untested", levels(Warning, Warning, Error)), ("outside", levels(Warning, Warning, Error))],
    since: "0.1.0",
    check,
};

/// The minor version of a Python 3.
type Minor = u32;

fn check(project: &Project, findings: &mut Findings) {
    let at_root = |manifest: &&Manifest| project.source(manifest.at.source).folder().is_empty();
    let own = |manifest: &&Manifest| matches!(manifest.kind, ManifestKind::Pyproject | ManifestKind::Setup);
    let manifests: Vec<&Manifest> = project.manifests().filter(own).filter(at_root).collect();
    let Some(range) = manifests.iter().find_map(|manifest| manifest.requires_python.as_ref()) else { return };
    let bounds = Bounds::read(&range.text.replace("= ", "=").replace("< ", "<").replace("> ", ">"));
    let newest = manifests.iter().flat_map(|manifest| &manifest.python_versions).filter_map(|text| Some((minor(&text.text)?, text))).max_by_key(|(minor, _)| *minor);
    if let Some(tested) = tested(project) {
        let lowest = bounds.lowest.map(|lowest| (lowest, range));
        let newest = newest.filter(|(newest, _)| !tested.moving && Some(*newest) != bounds.lowest);
        for (declared, text) in lowest.into_iter().chain(newest) {
            if !tested.minors.contains(&declared) {
                untested(declared, text, &tested, findings);
            }
        }
    }
    outside(project, range, &bounds, findings);
    for manifest in manifests {
        classified(manifest, range, &bounds, findings);
        set_up(project, manifest, range, &bounds, findings);
    }
}

/// Classifiers of versions on which installers refuse the project.
fn classified(manifest: &Manifest, range: &Text, bounds: &Bounds, findings: &mut Findings) {
    for text in &manifest.python_versions {
        let Some(minor) = minor(&text.text).filter(|minor| !bounds.holds(*minor)) else { continue };
        let message = format!("a classifier promises Python 3.{minor}, which `requires-python` (`{}`) rules out", range.text);
        let finding = Findings::finding(&RULE, "outside", text.at, message)
            .help("take the classifier away, or widen the range")
            .about("classifiers", format!("3.{minor}"));
        findings.push(finding.label(range.at, "the range"));
    }
}

/// Interpreters of jobs that install the project, where a job sets up one interpreter, or a matrix of one.
fn set_up(project: &Project, manifest: &Manifest, range: &Text, bounds: &Bounds, findings: &mut Findings) {
    let of_project = |install: &&GateInstall| install.projects.contains(&manifest.at.source);
    let runners: BTreeSet<&str> = project.gate.installs.iter().filter(of_project).map(|install| install.reach.who.as_str()).collect();
    for (pipeline, job) in project.jobs() {
        let who = format!("job `{}` of {}", job.id, project.path(pipeline.at));
        let pythons: Vec<&Reference> = job.pythons.iter().map(|id| project.reference(*id)).collect();
        let single = pythons.iter().all(|python| python.key == pythons[0].key);
        if project.asleep(pipeline.at.source) || !single || !runners.contains(who.as_str()) {
            continue;
        }
        for python in pythons {
            let version = python.pin.version.as_deref().filter(|_| python.strength.is_some());
            let Some(minor) = version.and_then(minor).filter(|minor| !bounds.holds(*minor)) else { continue };
            let message = format!("{who} takes Python 3.{minor} and installs the project, whose `requires-python` (`{}`) rules it out", range.text);
            let finding = Findings::finding(&RULE, "outside", python.site.whole, message)
                .help("use a version of the range; an installer fails on this one, or takes another one in silence")
                .about(&python.key, "python");
            findings.push(finding.label(range.at, "the range"));
        }
    }
}

fn untested(declared: Minor, text: &Text, tested: &Tested, findings: &mut Findings) {
    let list: Vec<String> = tested.set_up.iter().map(|minor| format!("3.{minor}")).collect();
    let message = format!("`{}` promises Python 3.{declared}, and CI tests {} only", text.text, list.join(", "));
    let help = format!("add `3.{declared}` to the versions that CI tests, or stop declaring it");
    findings.push(Findings::finding(&RULE, "untested", text.at, message).help(help).about("requires-python", format!("3.{declared}")));
}

/// Interpreters of files at the root, and base images, that the range rules out.
fn outside(project: &Project, range: &Text, bounds: &Bounds, findings: &mut Findings) {
    for (_, reference) in project.references() {
        let path = project.path(reference.site.whole);
        let is_file = reference.role == Role::Python && path == ".python-version";
        let is_base = reference.role == Role::BaseImage && reference.subject.name == "python" && !path.contains('/');
        let Some(version) = reference.pin.version.as_deref().filter(|_| is_file || is_base) else { continue };
        let Some(minor) = minor(version).filter(|minor| !bounds.holds(*minor)) else { continue };
        if project.asleep(reference.site.whole.source) || is_example(path) {
            continue;
        }
        let message = format!("{path} takes Python 3.{minor}, which `requires-python` (`{}`) rules out", range.text);
        let finding = Findings::finding(&RULE, "outside", reference.site.whole, message)
            .help("use a version of the range, or widen the range")
            .about(&reference.key, "python");
        findings.push(finding.label(range.at, "the range"));
    }
}

/// What CI tests.
struct Tested {
    /// Every version that it names, be it in passing: what is among them is given the benefit of the doubt.
    minors: BTreeSet<Minor>,
    /// The versions that jobs set up, and those of the environments that they run.
    set_up: BTreeSet<Minor>,
    /// Some job takes the newest Python, whichever it is.
    moving: bool,
}

/// The versions that the gate names anywhere; `None` when some cannot be seen, or when there is no choice of versions at all.
fn tested(project: &Project) -> Option<Tested> {
    let mut tested = Tested { minors: BTreeSet::new(), set_up: BTreeSet::new(), moving: false };
    for (pipeline, job) in project.jobs() {
        if project.asleep(pipeline.at.source) {
            continue;
        }
        if job.calls.is_some_and(|called| !matches!(project.reference(called).origin, Origin::Local | Origin::Path(_))) {
            return None;
        }
        for python in job.pythons.iter().chain(&job.images).map(|id| project.reference(*id)) {
            tested.take(python)?;
        }
        for (_, value) in &job.matrix {
            tested.minors.extend(minors_in(value));
        }
        take_assignments(&mut tested, pipeline, &job.env);
        for step in &job.steps {
            take_assignments(&mut tested, pipeline, &step.env);
            if let StepKind::Uses { inputs, .. } = &step.kind {
                take_assignments(&mut tested, pipeline, inputs);
            }
        }
    }
    let mut runs_environments = false;
    for site in project.commands() {
        tested.minors.extend(site.command.words.iter().flat_map(|word| minors_in(&word.text.text)));
        runs_environments |= site.command.deeds.iter().any(|deed| matches!(deed, Deed::RunEntry { .. }));
    }
    if tested.set_up.len() < 2 {
        return None;
    }
    if runs_environments {
        let environments = project.manifests().filter(|manifest| matches!(manifest.kind, ManifestKind::Tox | ManifestKind::Nox));
        let versions = environments.flat_map(|manifest| &manifest.python_versions).filter_map(|text| minor(&text.text));
        tested.set_up.extend(versions);
        tested.minors.extend(&tested.set_up);
    }
    Some(tested)
}

fn take_assignments(tested: &mut Tested, pipeline: &Pipeline, list: &[Assignment]) {
    for assignment in list.iter().chain(&pipeline.env) {
        if let Value::Literal(text) = &assignment.value {
            tested.minors.extend(minors_in(text));
        }
    }
}

impl Tested {
    /// Takes an interpreter that a job sets up, or an image that it runs in. `None`: it cannot be seen.
    fn take(&mut self, reference: &Reference) -> Option<()> {
        let version = reference.pin.version.as_deref().unwrap_or("");
        let is_python = reference.role == Role::Python;
        match reference.strength {
            None if is_python => return None,
            Some(Strength::Unspecified | Strength::Floating(Precision::Word | Precision::Major)) if is_python => self.moving = true,
            _ => {}
        }
        let of_image = reference.subject.name.contains("python") || is_python;
        let found: Vec<Minor> = minor(version).filter(|_| of_image).into_iter().collect();
        self.set_up.extend(&found);
        self.minors.extend(&found);
        Some(())
    }
}

/// The minor version of `3.12`, `3.12.4`, `pypy3.10`, `py312`, `3.13-dev`.
fn minor(version: &str) -> Option<Minor> {
    minors_in(version).next()
}

/// Every Python 3 minor version that a text names: `3.12` or `py312`, not inside of a longer number.
fn minors_in(text: &str) -> impl Iterator<Item = Minor> {
    let bytes = text.as_bytes();
    let apart = move |at: usize| at == 0 || !(bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.');
    let dotted = text.match_indices("3.").filter(move |(at, _)| apart(*at)).map(|(at, found)| at + found.len());
    let joined = text.match_indices("py3").chain(text.match_indices("cp3")).map(|(at, found)| at + found.len());
    dotted.chain(joined).filter_map(move |at| {
        let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        (1..=2).contains(&digits).then(|| text[at..at + digits].parse().ok()).flatten()
    })
}

/// The minors that a range allows, as far as it bounds them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Bounds {
    lowest: Option<Minor>,
    /// The first that is not allowed.
    end: Option<Minor>,
}

impl Bounds {
    /// Reads `>=3.9,<3.13`, `^3.9`, `~=3.9`, `>=3.9.2`. What it does not understand bounds nothing.
    fn read(range: &str) -> Bounds {
        let mut bounds = Bounds::default();
        for part in range.split([',', ' ']).filter(|part| !part.is_empty()) {
            let number = part.trim_start_matches(['>', '<', '=', '~', '^', '!']);
            let Some(minor) = minor(number) else { continue };
            let patch = number.split('.').count() > 2 && !number.ends_with(".0") && !number.ends_with(".*");
            match &part[..part.len() - number.len()] {
                ">=" | "^" => bounds.lowest = Some(minor),
                "~=" | "==" | "~" if number.split('.').count() > 2 => (bounds.lowest, bounds.end) = (Some(minor), Some(minor + 1)),
                "~=" => bounds.lowest = Some(minor),
                "<" => bounds.end = Some(if patch { minor + 1 } else { minor }),
                "<=" => bounds.end = Some(minor + 1),
                _ => {}
            }
        }
        bounds
    }

    fn holds(&self, minor: Minor) -> bool {
        self.lowest.is_none_or(|lowest| minor >= lowest) && self.end.is_none_or(|end| minor < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_are_found_in_texts() {
        for (text, want) in [
            ("3.12.4", vec![12]),
            ("pypy3.10", vec![10]),
            ("py39,py312", vec![9, 12]),
            ("[\"3.9\", \"3.10\"]", vec![9, 10]),
            ("13.5 0.3.7", vec![]),
            ("3.x", vec![]),
        ] {
            assert_eq!(minors_in(text).collect::<Vec<_>>(), want, "{text}");
        }
    }

    #[test]
    fn ranges_bound_minors() {
        let rows = [
            (">=3.9", Some(9), None),
            (">=3.9,<3.13", Some(9), Some(13)),
            (">= 3.9, < 4", Some(9), None),
            ("^3.9", Some(9), None),
            ("~=3.9.2", Some(9), Some(10)),
            ("==3.12.*", Some(12), Some(13)),
            (">=3.9.2,<=3.12", Some(9), Some(13)),
            ("", None, None),
        ];
        for (range, lowest, end) in rows {
            let range_text = range.replace("= ", "=").replace("< ", "<");
            assert_eq!(Bounds::read(&range_text), Bounds { lowest, end }, "{range}");
        }
    }
}

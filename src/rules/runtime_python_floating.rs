//! # What it finds
//!
//! An interpreter that CI sets up without naming its minor version: `python-version: 3.x`, `3`, `>=3.9`, or nothing.
//!
//! # Why
//!
//! The next release of Python turns patches red that did nothing wrong, on the day of the release and not on yours.
//!
//! # What is not a finding
//!
//! `3.12` (the patch release still floats: see `runtime-python-minor`), `python-version-file`, a matrix over several minors, a value that an
//! expression decides.
//!
//! # What to do
//!
//! Name the version that runs today: `python-version: "3.13"`, better `"3.13.1"`.
//!
//! # Levels
//!
//! Where a job that a patch starts sets it up: `warning`, `error` in audit. In other jobs, in a file that nothing in CI is seen to read, and for `default_language_version` of
//! pre-commit: `info`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b  # v5.3.0
//!         with:
//!           python-version: "3.x"
//!       - run: pytest
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     strategy:
//!       matrix:
//!         python: ["3.12", "3.13"]
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/setup-python@0b93645e9fea7318ecaed2b359559ac225c90a2b  # v5.3.0
//!         with:
//!           python-version: ${{ matrix.python }}
//!       - run: pytest
//! ```
//!
//! # Measured
//!
//! 28 findings in 15 of 52 public repositories (15 `warning`, 9 `info`). Read by eye: 24, false: 0. Ledger:
//! `docs/evidence/runtime-python-floating.tsv`.

use crate::model::check::is_on_patch;
use crate::model::finding::{Findings, Remedy};
use crate::model::pin::{Precision, Strength};
use crate::model::project::Project;
use crate::model::reference::{Reference, ReferenceId, Role};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "runtime-python-floating",
    group: Group::Runtime,
    summary: "CI sets up a Python whose minor version moves",
    levels: &[("ci", levels(Warning, Warning, Error)), ("file", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for (id, reference) in project.references() {
        if reference.role != Role::Python || !moves(reference) {
            continue;
        }
        let kind = if is_set_up(project, id) { "ci" } else { "file" };
        let written = match &reference.pin.version {
            Some(written) => format!("Python is asked for as `{written}`"),
            None => "no version of Python is asked for".to_string(),
        };
        let hurt = if kind == "ci" { "what every open patch is tested on" } else { "what runs there" };
        let message = format!("{written}; the next minor release changes {hurt}");
        let finding = Findings::finding(&RULE, kind, reference.site.whole, message)
            .help("name the version in use, for example `3.13.1`, and move it in a patch of its own")
            .remedy(Remedy::Tighten { reference: id, to: Strength::Exact })
            .about(&reference.key, &reference.subject.name);
        findings.push(finding);
    }
}

fn moves(reference: &Reference) -> bool {
    use Precision::{Major, Word};
    let loose = matches!(reference.strength, Some(Strength::Unspecified | Strength::Floating(Word | Major)));
    // A word that is no version (`default`) means something to whoever wrote it, not to us.
    let version = reference.pin.version.as_deref();
    loose && version.is_none_or(|text| text.contains(|c: char| c.is_ascii_digit()) || matches!(text, "latest" | "x" | "*"))
}

/// Whether a job that a patch can start, or one of its components, sets it up, rather than a release or a file that only people read.
fn is_set_up(project: &Project, id: ReferenceId) -> bool {
    let facts = project.facts_of(id.source);
    let jobs = || facts.pipelines.iter().flat_map(|pipeline| pipeline.jobs.iter().map(move |job| (pipeline, job)));
    // Where no job names it (a script, a component) every job of the file may be the one.
    let named = jobs().any(|(_, job)| job.pythons.contains(&id));
    let on_patch = jobs().any(|(pipeline, job)| is_on_patch(pipeline, job) && (!named || job.pythons.contains(&id)));
    on_patch || !facts.components.is_empty() && project.judged(id.source)
}

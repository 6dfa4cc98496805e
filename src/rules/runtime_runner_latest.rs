//! # What it finds
//!
//! Jobs on a machine image whose name moves: `runs-on: ubuntu-latest`.
//!
//! # Why
//!
//! On the day that `ubuntu-latest` becomes the next release, every open patch is tested on another compiler, libc and set of installed
//! tools, and red builds look like the patch's fault.
//!
//! # What is not a finding
//!
//! `ubuntu-24.04`; self-hosted labels; a job that runs wholly in a pinned container, where the machine matters little.
//!
//! # What to do
//!
//! Write the release that the label means today (`ubuntu-24.04`), and move it in a patch of its own.
//!
//! # Levels
//!
//! `advice` in default, one finding for a whole repository: two of three jobs everywhere have it. `warning` in strict, `error` in audit.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-latest
//!     steps: [{run: pytest}]
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps: [{run: pytest}]
//!   own:
//!     runs-on: [self-hosted, gpu]
//!     steps: [{run: pytest}]
//! ```
//!
//! # Measured
//!
//! 45 findings in 45 of 52 public repositories (43 `advice`). Read by eye: 43, false: 0. Ledger:
//! `docs/evidence/runtime-runner-latest.tsv`.

use crate::model::finding::Findings;
use crate::model::pin::{Precision, Strength};
use crate::model::pipeline::Job;
use crate::model::project::Project;
use crate::model::reference::{Reference, Role};
use crate::model::rule::Level::{Advice, Error, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "runtime-runner-latest",
    group: Group::Runtime,
    summary: "jobs run on a machine image whose name moves",
    levels: &[("job", levels(Advice, Warning, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let in_pinned_image: Vec<_> = project.jobs().filter(|(_, job)| in_pinned_image(project, job)).collect();
    let loose: Vec<&Reference> = project
        .references()
        .filter(|(id, reference)| reference.role == Role::Runner && moves(reference) && !project.asleep(id.source))
        .filter(|(id, _)| !in_pinned_image.iter().any(|(_, job)| job.runner == Some(*id)))
        .map(|(_, reference)| reference)
        .collect();
    let Some((first, rest)) = loose.split_first() else { return };
    let name = spelled(first);
    let count = loose.len();
    let message = format!("{count} {} on a machine image that moves (`{name}` here); the day it moves, every open patch is tested on another system", if count == 1 { "job runs" } else { "jobs run" });
    let mut finding = Findings::finding(&RULE, "job", first.site.whole, message)
        .help("name the release, for example `ubuntu-24.04`, and move it in a patch of its own")
        .about("runs-on", "latest");
    for reference in rest {
        finding = finding.label(reference.site.whole, format!("`{}`", spelled(reference)));
    }
    findings.push(finding);
}

fn spelled(reference: &Reference) -> &str {
    reference.pin.version.as_deref().unwrap_or(&reference.subject.name)
}

fn moves(reference: &Reference) -> bool {
    matches!(reference.strength, Some(Strength::Floating(Precision::Word)))
}

fn in_pinned_image(project: &Project, job: &Job) -> bool {
    let strength = |id| project.reference(id).strength.is_some_and(|strength| strength >= Strength::Exact);
    !job.images.is_empty() && job.images.iter().all(|id| strength(*id))
}

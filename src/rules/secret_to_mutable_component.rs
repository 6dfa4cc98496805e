//! # What it finds
//!
//! A secret handed to somebody else's component whose ref can move: a branch, no ref at all, and in `strict` a floating tag. By input, by
//! variable, or by a called pipeline.
//!
//! # Why
//!
//! Whoever can push to that branch can read the secret with the next run, without a commit here. This is how the compromises of
//! actions in 2025 harvested.
//!
//! # What is not a finding
//!
//! - Components of this repository, of the vendor of the system, and of the organisations in the configuration.
//! - A full commit, and what a lock of components holds.
//! - A ref that is an argument (`dtolnay/rust-toolchain@stable`).
//!
//! # What to do
//!
//! Pin the component to a full commit, a plugin that is an image to its digest; `--fix` looks it up.
//!
//! # Levels
//!
//! A branch or no ref: `warning`, `error` in `strict` and `audit`. A floating tag: off, `info`, `warning`. Job tokens and secrets that do
//! little harm are one level lower.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: some/action@main
//!         with:
//!           token: ${{ secrets.T }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad strict
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: some/action@v1
//!         env:
//!           TOKEN: ${{ secrets.T }}
//! ```
//!
//! ```yaml .woodpecker.yml bad default
//! steps:
//!   - name: tell
//!     image: plugins/slack
//!     settings:
//!       webhook:
//!         from_secret: slack_webhook
//! ```
//!
//! ```yaml .woodpecker.yml good
//! steps:
//!   - name: tell
//!     image: plugins/slack:1.4.1
//!     settings:
//!       webhook:
//!         from_secret: slack_webhook
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: some/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
//!         with:
//!           token: ${{ secrets.T }}
//!       - uses: ./.github/actions/x
//!         with:
//!           token: ${{ secrets.T }}
//!       - uses: actions/setup-node@v4
//!         with:
//!           token: ${{ secrets.T }}
//!       - uses: other/action@main
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 15 findings in 5 of them. In 11 further ones: 24. Read by eye: 143, false: 0.
//! Ledger: `docs/evidence/secret-to-mutable-component.tsv`.

use crate::model::components::{Owner, RefKind, ref_kind};
use crate::model::finding::{Findings, Remedy};
use crate::model::pin::Strength;
use crate::model::pipeline::{Assignment, Job, Scope, StepKind, Value};
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, ReferenceId, Role};
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::names::is_short_lived;
use crate::model::secrets::place::{are, listed};
use crate::model::secrets::{Harm, Weight};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-to-mutable-component",
    group: Group::Secret,
    summary: "a secret is handed to a component that can change without a commit here",
    levels: &[("branch", levels(Warning, Error, Error)), ("tag", levels(Off, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for job in &pipeline.jobs {
                of_job(project, job, findings);
            }
        }
    }
}

fn of_job(project: &Project, job: &Job, findings: &mut Findings) {
    if let Some(called) = job.calls {
        judge(project, called, &job.inputs.iter().collect::<Vec<_>>(), &job.key, findings);
    }
    for step in &job.steps {
        if let StepKind::Uses { component, inputs } = &step.kind {
            let own = step.env.iter().filter(|one| one.scope == Scope::Step);
            judge(project, *component, &inputs.iter().chain(own).collect::<Vec<_>>(), &step.key, findings);
        }
    }
}

fn judge(project: &Project, id: ReferenceId, given: &[&Assignment], key: &str, findings: &mut Findings) {
    let component = project.reference(id);
    // A step that is an image: a plugin of Woodpecker or Drone, `docker://` of others.
    let is_image = component.subject.ecosystem == Ecosystem::Oci && component.role == Role::CiStep;
    let is_third_party = project.is_third_party(component) || is_image && project.owner(&component.subject.name) == Owner::Third;
    if !is_third_party || project.policy.allows(if is_image { Ecosystem::Oci } else { Ecosystem::Git }, &component.subject.name) {
        return;
    }
    let kind = match ref_kind(component) {
        Some(RefKind::Branch) => "branch",
        Some(RefKind::Documented | RefKind::Floating) => "tag",
        _ => return,
    };
    let secrets: Vec<&str> = given.iter().flat_map(|one| names(one)).collect();
    let harm = project.worst(secrets.iter().copied());
    if matches!(harm, Harm::None | Harm::Plain) {
        return;
    }
    let shown = match &component.pin.version {
        Some(version) => format!("{}{}{version}", component.subject.name, if is_image { ':' } else { '@' }),
        None => component.subject.name.clone(),
    };
    let names = match secrets.contains(&"*") {
        true => "every secret".to_string(),
        false => listed(secrets.iter().copied()),
    };
    let message = format!(
        "{names} {} handed to `{shown}`, which can change without a commit here: whoever can move its {} can read {}",
        are(secrets.len().min(if names.contains(" and ") { 2 } else { 1 })),
        if is_image { "tag" } else { "ref" },
        if names.contains(" and ") { "them" } else { "it" }
    );
    let name = &component.subject.name;
    let help = match is_image {
        true => format!("name the version that runs today and its digest: `{name}:X.Y.Z@sha256:…`"),
        false => format!("write the full commit and the version as a comment: `{name}@<40 hex digits> # vX.Y.Z`"),
    };
    let mut finding = Findings::finding(&RULE, kind, component.site.whole, message)
        .help(help)
        .remedy(Remedy::Tighten { reference: id, to: Strength::Immutable })
        .about(key, &component.subject.name);
    if let Some(one) = given.iter().find(|one| names_of(one).is_some_and(|names| names.iter().any(|name| !is_short_lived(name)))) {
        finding = finding.label(one.at, "handed over here");
    }
    finding.levels = Weight { harm, exposed: false, protected: false }.weigh(finding.levels);
    findings.push(finding);
}

fn names_of(one: &Assignment) -> Option<&Vec<String>> {
    match &one.value {
        Value::Secret { names, .. } => Some(names),
        _ => None,
    }
}

fn names(one: &Assignment) -> impl Iterator<Item = &str> {
    names_of(one).into_iter().flatten().map(String::as_str)
}

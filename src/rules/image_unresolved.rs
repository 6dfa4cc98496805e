//! # What it finds
//!
//! An image whose name or tag is a variable that the files of the repository do not answer: `FROM $BASE`, `image: ${{ inputs.image }}`.
//!
//! # Why
//!
//! pinguard never guesses. Whether the image is pinned is decided elsewhere, where no review of this repository sees it.
//!
//! # What is not a finding
//!
//! A variable with a written default, an `ARG` with one, a value of a matrix: those are resolved and judged.
//!
//! # What to do
//!
//! Give the variable a pinned default: `ARG BASE=python:3.12.7-slim@sha256:…`.
//!
//! # Levels
//!
//! `off`, `info` in strict and audit.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad
//! ARG BASE
//! FROM $BASE
//! ```
//!
//! ```dockerfile Dockerfile good
//! ARG BASE=python:3.12.7
//! FROM $BASE
//! ```
//!
//! # Measured
//!
//! 60 findings in 52 public repositories in strict: 8 of them hadolint takes for images without a tag, which nobody can see.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Off};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-unresolved",
    group: Group::Image,
    summary: "an image is a variable that the repository does not answer",
    levels: &[("image", levels(Off, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for image in project.image_uses().iter().filter(|image| image.reference.strength.is_none()) {
        let shown = image.shown();
        let message = format!("{} `{shown}` is decided by a variable that nothing in the repository sets", image.what());
        let mut finding = Findings::finding(&RULE, "image", image.reference.site.whole, message)
            .help("give the variable a pinned default, `NAME:X.Y.Z@sha256:…`, or pin it where it is set")
            .about(&image.reference.key, shown);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

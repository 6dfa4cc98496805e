//! # What it finds
//!
//! An image with a tag that names a version, but without a digest.
//!
//! # Why
//!
//! A tag is a name that its owner can point elsewhere. Only `@sha256:…` says which bytes run.
//!
//! # What is not a finding
//!
//! An image with a digest; images without a version at all, which have rules of their own with the same remedy.
//!
//! # What to do
//!
//! Keep the tag and add the digest of the index, not of one platform: `python:3.12.7-slim@sha256:…`.
//! `docker buildx imagetools inspect python:3.12.7-slim` prints it.
//!
//! # Levels
//!
//! `off`, `warning` in strict and audit. With `[require] images = "immutable"`: `warning`.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad strict
//! FROM python:3.12.7-slim
//! ```
//!
//! ```dockerfile Dockerfile good default
//! FROM python:3.12.7-slim
//! ```
//!
//! ```dockerfile Dockerfile good
//! FROM python:3.12.7-slim@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//! ```
//!
//! # Measured
//!
//! 230 findings in 52 public repositories in strict (19 of them in test data and examples).

use crate::model::finding::{Findings, Remedy};
use crate::model::pin::{Precision, Strength};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Off, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-no-digest",
    group: Group::Image,
    summary: "an image is held by a tag without a digest",
    levels: &[("tag", levels(Off, Warning, Warning)), ("required", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let demanded = project.demanded_of_images() == Some(Strength::Immutable);
    let kind = if demanded { "required" } else { "tag" };
    for image in project.image_uses() {
        if !matches!(image.reference.strength, Some(Strength::Exact | Strength::Floating(Precision::Minor))) {
            continue;
        }
        let message = format!("{} `{}` has no digest; its owner can push other content under that tag", image.what(), image.shown());
        let mut finding = Findings::finding(&RULE, kind, image.reference.site.whole, message)
            .help(format!("add the digest and keep the tag: `{}@sha256:…`", image.shown()))
            .remedy(Remedy::Tighten { reference: image.id, to: Strength::Immutable })
            .about(&image.reference.key, &image.reference.subject.name);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

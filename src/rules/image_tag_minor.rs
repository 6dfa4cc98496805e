//! # What it finds
//!
//! An image whose tag names a minor version and no more: `python:3.12`, `ubuntu:22.04`, `alpine:3.19`.
//!
//! # Why
//!
//! Patch releases and rebuilds still arrive by themselves. They rarely break a build, and when they do, no commit shows it.
//!
//! # What is not a finding
//!
//! A tag of three numbers, a date or a commit; `postgres:17.2`, whose releases have two numbers; `# syntax=`.
//!
//! # What to do
//!
//! Name the patch release, or add the digest and let an updater move it: `python:3.12@sha256:…`.
//!
//! # Levels
//!
//! `off`, `info` in strict, `warning` in audit: it is what most projects write. With `[require] images = "exact"` or more: `warning`.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad strict
//! FROM python:3.12-slim
//! ```
//!
//! ```dockerfile Dockerfile good default
//! FROM python:3.12-slim
//! ```
//!
//! ```dockerfile Dockerfile good
//! FROM python:3.12.7-slim
//! FROM postgres:17.2
//! FROM redis:7.2@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//! ```
//!
//! # Measured
//!
//! 146 findings in 52 public repositories in strict: what most projects write, therefore off by default.

use crate::model::finding::{Findings, Remedy};
use crate::model::images::ImagePlace;
use crate::model::pin::{Precision, Strength};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-tag-minor",
    group: Group::Image,
    summary: "an image's tag leaves the patch release open",
    levels: &[("tag", levels(Off, Info, Warning)), ("required", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let demanded = project.demanded_of_images().is_some_and(|strength| strength >= Strength::Exact);
    let kind = if demanded { "required" } else { "tag" };
    for image in project.image_uses() {
        let minor = image.reference.strength == Some(Strength::Floating(Precision::Minor));
        if !minor || image.place == ImagePlace::Frontend {
            continue;
        }
        let name = &image.reference.subject.name;
        let message = format!("{} `{}` takes every patch release and rebuild as it comes", image.what(), image.shown());
        let mut finding = Findings::finding(&RULE, kind, image.reference.site.whole, message)
            .help(format!("add the digest of today's image: `{}@sha256:…`", image.shown()))
            .remedy(Remedy::Tighten { reference: image.id, to: Strength::Exact })
            .about(&image.reference.key, name);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

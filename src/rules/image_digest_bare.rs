//! # What it finds
//!
//! An image that is held by a digest and nothing else: no tag, and no comment beside it that names the version.
//!
//! # Why
//!
//! It never moves, which is right, and nothing can ever move it: an updater, this one included, cannot tell which version to follow, and a
//! reader cannot tell how old it is.
//!
//! # What is not a finding
//!
//! `name:tag@sha256:…`; a comment with a number on the same line or on the line above.
//!
//! # What to do
//!
//! Write the tag before the digest: `python:3.12.7-slim@sha256:…`. The engine ignores it, people and updaters do not.
//!
//! # Levels
//!
//! `info`, `warning` in strict and audit.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad default
//! FROM python@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//! ```
//!
//! ```dockerfile Dockerfile good
//! # 3.12.7-slim
//! FROM python@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//! FROM redis:7.2.4@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6
//! ```
//!
//! # Measured
//!
//! 4 findings in 4 of 52 public repositories (4 `info`). Read by eye: 4, false: 0. Ledger: `docs/evidence/image-digest-bare.tsv`.

use crate::model::finding::{Findings, Remedy};
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-digest-bare",
    group: Group::Image,
    summary: "an image has a digest and nothing that says which version it is",
    levels: &[("digest", levels(Info, Warning, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for image in project.image_uses() {
        let reference = image.reference;
        let bare = reference.strength == Some(Strength::Immutable) && image.tag().is_none() && reference.noted.is_none();
        if !bare || is_explained(project, reference.site.whole) {
            continue;
        }
        let name = &reference.subject.name;
        let message = format!("{} `{name}` has a digest and no tag; no updater can tell which version to follow", image.what());
        let mut finding = Findings::finding(&RULE, "digest", reference.site.whole, message)
            .help(format!("write the tag before the digest: `{name}:X.Y.Z@sha256:…`"))
            .remedy(Remedy::Guide(format!("{name}:X.Y.Z@{}", reference.pin.digests.join("@"))))
            .about(&reference.key, name);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

/// Whether a comment on the line, or a comment line above it, holds a number.
fn is_explained(project: &Project, at: Location) -> bool {
    let source = project.source(at.source);
    let line = source.line_of(at.span.end);
    let tail = source.line_text(line).rsplit_once(" #").map_or("", |(_, comment)| comment);
    let above = line.checked_sub(1).map_or("", |above| source.line_text(above).trim_start());
    let above = above.strip_prefix('#').unwrap_or("");
    [tail, above].iter().any(|comment| comment.contains(|c: char| c.is_ascii_digit()))
}

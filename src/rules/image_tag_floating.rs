//! # What it finds
//!
//! An image whose tag names no minor version: `3`, `3-slim`, `slim`, `alpine`, `lts`, `stable`, `edge`, `nightly`, `main`.
//!
//! # Why
//!
//! The next minor or major release upstream arrives in the middle of somebody's patch, and the patch is blamed for it.
//!
//! # What is not a finding
//!
//! - `latest` and no tag at all, which are rules of their own; `3.12`, which is `image-tag-minor`.
//! - Dates, build numbers and commits in a tag: `20250102`, `2025-01-02`, `sha-0a1b2c3`.
//! - `# syntax=docker/dockerfile:1`: that is the documented form.
//!
//! # What to do
//!
//! Name the version that runs today: `python:3.12.7-slim-bookworm`, better with its digest.
//!
//! # Levels
//!
//! `warning`, `error` in strict. The release of an operating system (`debian:bookworm`, `debian:12`, `rockylinux:9`) fixes the major
//! versions of its packages and is the documented choice: `info`, `warning` in strict. So are a name that is partly a variable, and examples
//! and documentation that nothing in CI is seen to run. Images that are made here: `info`.
//! With `[require] images` it is a `warning` at least.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad default
//! FROM python:3-slim
//! ```
//!
//! ```yaml compose.yml bad default
//! services:
//!   web:
//!     image: nginx:alpine
//! ```
//!
//! ```dockerfile Dockerfile good
//! # syntax=docker/dockerfile:1
//! FROM python:3.12-slim
//! FROM quay.io/jupyter/base-notebook:2025-01-02
//! ```
//!
//! # Measured
//!
//! 88 findings in 25 of 52 public repositories (55 `warning`, 20 `info`). Read by eye: 75, false: 1. The false one is a counter of
//! somebody's own builds (`:v13`), which a tag cannot tell from a line of releases. Ledger: `docs/evidence/image-tag-floating.tsv`.

use crate::model::finding::{Findings, Remedy};
use crate::model::images::{ImagePlace, ImageUse};
use crate::model::pin::{Precision, Strength};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-tag-floating",
    group: Group::Image,
    summary: "an image's tag names no minor version",
    levels: &[
        ("tag", levels(Warning, Error, Error)),
        ("system", levels(Info, Warning, Error)),
        ("variable", levels(Info, Warning, Error)),
        ("example", levels(Info, Warning, Error)),
        ("local", levels(Info, Info, Warning)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let demanded = project.demanded_of_images().is_some_and(|strength| strength >= Strength::Floating(Precision::Minor));
    for image in project.image_uses() {
        if !floats(&image) || image.place == ImagePlace::Frontend {
            continue;
        }
        let kind = match image.place {
            _ if demanded => "tag",
            ImagePlace::Variable | ImagePlace::Example | ImagePlace::Local => image.place.name(),
            _ if is_system_release(&image) => "system",
            _ => "tag",
        };
        let name = &image.reference.subject.name;
        let message = match kind {
            "system" => format!("{} `{}` is rebuilt with every update of the system", image.what(), image.shown()),
            _ => format!(
                "{} `{}` names no version that stays; the next release upstream arrives in the middle of somebody's patch",
                image.what(),
                image.shown()
            ),
        };
        let mut finding = Findings::finding(&RULE, kind, image.reference.site.whole, message)
            .help(format!("name the version that runs today and its digest: `{name}:X.Y.Z@sha256:…`"))
            .remedy(Remedy::Tighten { reference: image.id, to: Strength::Exact })
            .about(&image.reference.key, name);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

fn floats(image: &ImageUse) -> bool {
    let strength = image.reference.strength;
    matches!(strength, Some(Strength::Floating(Precision::Word | Precision::Major))) && image.tag() != Some("latest")
}

/// Images of operating systems whose releases are numbered or named.
const SYSTEMS: [&str; 15] = [
    "base",
    "debian", "ubuntu", "buildpack-deps", "fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux", "ubi", "ubi-minimal",
    "ubi8", "ubi9", "leap",
];

/// Names of tags that no release has: they move from one release to the next.
const ROLLING: [&str; 10] = ["current", "sid", "unstable", "testing", "stable", "oldstable", "rolling", "devel", "rawhide", "edge"];

/// Whether the tag is one release of an operating system: `debian:bookworm-slim`, `rockylinux:9`.
fn is_system_release(image: &ImageUse) -> bool {
    let name = image.reference.subject.name.rsplit('/').next().unwrap_or("");
    let tag = image.tag().unwrap_or("");
    let first = tag.split('-').next().unwrap_or("");
    SYSTEMS.contains(&name) && !ROLLING.contains(&first) && first != "slim" && first != "latest"
}

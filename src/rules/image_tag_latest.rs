//! # What it finds
//!
//! An image whose tag is `latest`: in a job, a service, a script, a `FROM` or `COPY --from`, a compose file, a manifest. A variable whose
//! written default is `latest` (`${TAG:-latest}`, `ARG TAG=latest`) counts.
//!
//! # Why
//!
//! `latest` is whatever was pushed last. A patch can turn red, or a secret be read, without a commit of anybody here.
//!
//! # What is not a finding
//!
//! - An image that also has a digest: the engine ignores its tag.
//! - An earlier stage, `scratch`, an image that the project's own pipelines build, a compose service with `build:` (its `image:` names what
//!   comes out), the arguments of `docker tag`, `docker push` and `docker build -t`.
//! - Names that `[allow] images` of the configuration lists.
//!
//! # What to do
//!
//! Name the version that runs today, and its digest: `python:3.12.7-slim-bookworm@sha256:…`.
//! `docker buildx imagetools inspect python:latest` prints the digest.
//!
//! # Levels
//!
//! Where CI runs it or builds on it: `error`. Elsewhere, also in tasks of a Makefile that CI is not seen to run: `warning`, `error` in strict.
//! `info`, `warning` in strict: in `# syntax=`, in examples
//! and documentation that nothing in CI is seen to run, in a leg of a matrix that says `experimental: true`, and where a part of the name is
//! a variable (it may be one's own image). `info`: names that no registry gives (`my-app`), or that a folder with a Dockerfile of this
//! repository has.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad default
//! FROM python:latest
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! ARG TAG=latest
//! FROM python:${TAG}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     services:
//!       db:
//!         image: postgres:latest
//!     steps:
//!       - run: pytest
//! ```
//!
//! ```dockerfile Dockerfile good
//! FROM python:3.12.7-slim AS latest
//! FROM latest
//! COPY --from=nginx:latest@sha256:5d0c9ec0c4fe5eb1a7d1b2c8ffd6ea4a0d9a3f9e3b3ad5d7e5f0a1b2c3d4e5f6 /x /x
//! ```
//!
//! ```yaml compose.yml good
//! services:
//!   app:
//!     build: .
//!     image: app:latest
//! ```
//!
//! # Measured
//!
//! 90 findings in 15 of 52 public repositories (7 `error`, 22 `warning`, 58 `info`). Read by eye: 87, false: 0. All 11 rows of hadolint's
//! DL3007 and every untagged or `latest` image of zizmor's `unpinned-images` are among these and those of `image-tag-missing`. Ledger:
//! `docs/evidence/image-tag-latest.tsv`.

use crate::model::finding::{Findings, Remedy};
use crate::model::images::ImageUse;
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-tag-latest",
    group: Group::Image,
    summary: "an image is `latest`, which is whatever was pushed last",
    levels: &[
        ("ci", levels(Error, Error, Error)),
        ("other", levels(Warning, Error, Error)),
        ("frontend", levels(Info, Warning, Error)),
        ("variable", levels(Info, Warning, Error)),
        ("example", levels(Info, Warning, Error)),
        ("local", levels(Info, Info, Warning)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for image in project.image_uses().iter().filter(|image| is_latest(image)) {
        let message =
            format!("{} `{}` moves with every push; a patch can turn red without being wrong", image.what(), image.shown());
        let name = &image.reference.subject.name;
        let mut finding = Findings::finding(&RULE, image.place.name(), image.reference.site.whole, message)
            .help(format!("name the version that runs today and its digest: `{name}:X.Y.Z@sha256:…`"))
            .remedy(Remedy::Tighten { reference: image.id, to: Strength::Immutable })
            .about(&image.reference.key, name);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

fn is_latest(image: &ImageUse) -> bool {
    image.tag() == Some("latest") && matches!(image.reference.strength, Some(Strength::Floating(_)))
}

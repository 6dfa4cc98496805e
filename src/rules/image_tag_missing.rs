//! # What it finds
//!
//! An image without a tag and without a digest.
//!
//! # Why
//!
//! An engine reads it as `latest`: whatever was pushed last. Nobody wrote that down, so nobody will look there when a build breaks.
//!
//! # What is not a finding
//!
//! - An earlier stage, `scratch`, a variable, a template.
//! - A name in a manifest that no registry gives: a placeholder for skaffold or kustomize.
//! - An image that the project's own pipelines build; names that `[allow] images` of the configuration lists.
//! - A name that a build gives to a folder, an image or another build: `--build-context`, `build-contexts:` of an action, `contexts` of bake,
//!   `additional_contexts` of compose.
//! - `registry:5000/app:1`: what stands before the last `/` is a host, not a tag.
//!
//! # What to do
//!
//! Name the version that runs today, and its digest: `python:3.12.7-slim-bookworm@sha256:…`.
//!
//! # Levels
//!
//! Where CI runs it or builds on it: `error`. Elsewhere: `warning`, `error` in strict. In examples and documentation that nothing in CI is
//! seen to run: `info`, `warning` in strict. In `# syntax=`, for the builders of Google Cloud Build, which are documented without a tag, and
//! for names that no registry gives (`my-app`) or that a folder with a Dockerfile of this repository has: `info`.
//!
//! # Examples
//!
//! ```dockerfile Dockerfile bad default
//! FROM python
//! RUN echo
//! ```
//!
//! ```yaml compose.yml bad default
//! services:
//!   cache:
//!     image: registry.example.org:5000/redis
//! ```
//!
//! ```dockerfile Dockerfile good
//! ARG BASE
//! FROM python:3.12.7 AS one
//! FROM one
//! FROM $BASE
//! FROM scratch
//! ```
//!
//! ```dockerfile Dockerfile with
//! FROM app-base
//! COPY --from=plugin . /src
//! COPY --from=docs . /docs
//! COPY --from=assets . /assets
//! ```
//!
//! ```sh build.sh with
//! docker buildx build --build-context plugin=./plugins/one .
//! ```
//!
//! ```yaml compose.yml with
//! services:
//!   app:
//!     build:
//!       context: .
//!       additional_contexts: {docs: ./docs}
//! ```
//!
//! ```yaml .github/workflows/image.yml with
//! on: push
//! jobs:
//!   image:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: docker/build-push-action@v6
//!         with:
//!           build-contexts: |
//!             assets=./assets
//! ```
//!
//! ```hcl docker-bake.hcl good
//! target "app" {
//!   contexts = { app-base = "target:base" }
//! }
//! ```
//!
//! # Measured
//!
//! 91 findings in 21 of 52 public repositories (17 `error`, 18 `warning`, 33 `info`). Read by eye: 68, false: 0. Of 30 rows of hadolint's
//! DL3006, 21 are here, 8 are variables without a default (`image-unresolved`), and 1 is an image that the pipeline builds itself.
//! Ledger: `docs/evidence/image-tag-missing.tsv`.

use crate::model::finding::{Findings, Remedy};
use crate::model::images::ImagePlace;
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "image-tag-missing",
    group: Group::Image,
    summary: "an image has no tag, which means `latest`",
    levels: &[
        ("ci", levels(Error, Error, Error)),
        ("other", levels(Warning, Error, Error)),
        ("frontend", levels(Info, Info, Warning)),
        ("builder", levels(Info, Info, Warning)),
        ("example", levels(Info, Warning, Error)),
        ("local", levels(Info, Info, Warning)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for image in project.image_uses() {
        if image.reference.strength != Some(Strength::Unspecified) || image.place == ImagePlace::Variable {
            continue;
        }
        let name = &image.reference.subject.name;
        let builder = name.starts_with("gcr.io/cloud-builders/") || name.starts_with("gcr.io/google.com/cloudsdktool/");
        let kind = if builder { "builder" } else { image.place.name() };
        let message = match image.place {
            ImagePlace::Local => format!("{} `{name}` has no tag; which build of it is meant cannot be told", image.what()),
            _ => format!("{} `{name}` has no tag, so it is `latest`: it moves with every push", image.what()),
        };
        let mut finding = Findings::finding(&RULE, kind, image.reference.site.whole, message)
            .help(format!("name the version that runs today and its digest: `{name}:X.Y.Z@sha256:…`"))
            .remedy(Remedy::Tighten { reference: image.id, to: Strength::Immutable })
            .about(&image.reference.key, name);
        for other in &image.others {
            finding = finding.label(*other, "also here");
        }
        findings.push(finding);
    }
}

//! # What it finds
//!
//! A secret that becomes part of an image: a build argument that carries one (`--build-arg TOKEN=$T`, `build-args:` of an action,
//! `build.args` of compose and of a development container), an `ARG` that goes on into `ENV`, a file with credentials that is copied in.
//!
//! # Why
//!
//! The history of an image shows every build argument and every variable to all who can pull it; layers and exported caches keep files that
//! a later layer deletes.
//!
//! # What is not a finding
//!
//! - `RUN --mount=type=secret`, `docker build --secret id=t,env=T`, `secrets:` of `docker/build-push-action`.
//! - Names about a secret: `RELEASE_KEY_FINGERPRINT`, `SECRETS_DIR`, `PUBLIC_KEY`, `TOKEN_FILE`; an empty or boolean default.
//! - Copies from another stage or image, and of a settings file that stands in the repository and names no secret: an `.npmrc` with
//!   `engine-strict=true`.
//!
//! # What to do
//!
//! ```docker
//! RUN --mount=type=secret,id=netrc,target=/root/.netrc pip install -r requirements.txt
//! ```
//!
//! and `docker build --secret id=netrc,src=$HOME/.netrc .`, or `secret-files:` of `docker/build-push-action`.
//!
//! # Levels
//!
//! `error` where a secret is seen to flow in; `warning` for a copied file. An `ARG` that only has a secret's name: `info`,
//! `warning` in `strict` and `audit`. Job tokens and secrets that do little harm are one level lower.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: docker build --build-arg TOKEN="$T" .
//!         env:
//!           T: ${{ secrets.T }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: docker/build-push-action@v6
//!         with:
//!           build-args: |
//!             TOKEN=${{ secrets.T }}
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! ARG NPM_TOKEN
//! ENV NPM_TOKEN=$NPM_TOKEN
//! ```
//!
//! ```docker Dockerfile bad strict
//! FROM python:3.12.7
//! ARG API_TOKEN
//! RUN ./fetch
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! COPY .netrc /root/.netrc
//! RUN pip install -r requirements.txt
//! ```
//!
//! ```yaml compose.yaml bad default
//! services:
//!   web:
//!     build:
//!       context: .
//!       args:
//!         NPM_TOKEN: ${NPM_TOKEN}
//! ```
//!
//! ```yaml azure-pipelines.yml bad default
//! steps:
//! - task: Docker@2
//!   inputs:
//!     command: build
//!     arguments: --build-arg INDEX_TOKEN=$(INDEX_TOKEN)
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: docker build --secret id=t,env=T --build-arg VERSION="$GITHUB_SHA" .
//!         env:
//!           T: ${{ secrets.T }}
//!       - uses: docker/build-push-action@v6
//!         with:
//!           build-args: VERSION=1
//!           secrets: |
//!             t=${{ secrets.T }}
//! ```
//!
//! ```docker Dockerfile good
//! FROM python:3.12.7
//! ARG RELEASE_KEY_FINGERPRINT
//! ARG USE_TOKEN=false
//! ARG SECRET_TOKEN=
//! ENV USE_GKE_GCLOUD_AUTH_PLUGIN=True SECRETS_DIR=/mnt/secrets PRIVATE_REGISTRY_KEYS=false
//! RUN --mount=type=secret,id=netrc,target=/root/.netrc pip install -r requirements.txt
//! COPY --from=builder /root/.netrc.example /x
//! ```
//!
//! ```ini web/.npmrc with
//! engine-strict=true
//! //registry.example.com/:_authToken=${NPM_TOKEN}
//! ```
//!
//! ```docker Dockerfile good
//! FROM node:22.11.0
//! COPY web/package.json ./web/.npmrc ./
//! ```
//!
//! ```ini .npmrc with
//! //registry.example.com/:_authToken=s3cr3t-of-mine
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM node:22.11.0
//! COPY package.json .npmrc ./
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 2 findings in 1 of them. In 11 further ones: 0. Read by eye: 2, false: 0.
//! Ledger: `docs/evidence/secret-in-image.tsv`.

use crate::model::container::{ContainerBuild, Instruction, Stage, Variable};
use crate::model::environment::EnvironmentKind;
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Pipeline, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::build::is_secret;
use crate::model::secrets::names;
use crate::model::secrets::flow::Part;
use crate::model::secrets::place::listed;
use crate::model::secrets::{Harm, Weight, expansion};
use crate::model::span::Location;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-in-image",
    group: Group::Secret,
    summary: "a secret becomes part of an image",
    levels: &[
        ("flow", levels(Error, Error, Error)),
        ("file", levels(Warning, Warning, Error)),
        ("name", levels(Info, Warning, Warning)),
    ],
    since: "0.1.0",
    check,
};

const HELP: &str = "mount it in the one `RUN` that reads it: `--mount=type=secret,id=NAME`, and build with `--secret id=NAME,src=FILE`";

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for build in &facts.builds {
            image(project, build, findings);
        }
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            inputs(project, pipeline, findings);
        }
        arguments(project, facts, findings);
    }
    commands(project, findings);
}

fn push(project: &Project, at: Location, message: String, secrets: &[String], key: &str, findings: &mut Findings) {
    let harm = project.worst(secrets.iter().map(String::as_str));
    if matches!(harm, Harm::None | Harm::Plain) {
        return;
    }
    let mut finding = Findings::finding(&RULE, "flow", at, message).help(HELP).about(key, secrets.join(" "));
    finding.levels = Weight { harm, exposed: false, protected: false }.weigh(finding.levels);
    findings.push(finding);
}

/// `docker build --build-arg TOKEN=$T`.
fn commands(project: &Project, findings: &mut Findings) {
    let mut seen = std::collections::HashSet::new();
    for flow in project.flows() {
        for carry in flow.carries.iter() {
            let Part::Word(index) = carry.part else { continue };
            let command = flow.command(carry);
            let before = index.checked_sub(1).map_or("", |index| command.words[index].text.text.as_str());
            let text = flow.text(carry);
            let argument = before == "--build-arg" || text.text.starts_with("--build-arg=");
            let builds = command.words.iter().any(|word| matches!(word.text.text.as_str(), "build" | "buildx" | "bud" | "bake" | "/kaniko/executor" | "executor"));
            if argument && builds && seen.insert(text.at) {
                let message = format!(
                    "{} goes into the image as a build argument: its history shows it to everybody who can pull it",
                    listed(carry.secrets.iter().map(String::as_str))
                );
                let key = flow.step().map_or(String::new(), |step| step.key.clone());
                push(project, text.at, message, &carry.secrets, &key, findings);
            }
        }
    }
}

/// `build-args:` of a component, or arguments for the program that it starts: `arguments: --build-arg …` of Azure's Docker task.
fn inputs(project: &Project, pipeline: &Pipeline, findings: &mut Findings) {
    for step in pipeline.jobs.iter().flat_map(|job| &job.steps) {
        let StepKind::Uses { inputs, .. } = &step.kind else { continue };
        let given = |one: &&Assignment| is_build_arguments(&one.name) || one.name == "arguments" && project.sources.text(one.at).contains("--build-arg");
        for one in inputs.iter().filter(given) {
            let Value::Secret { names, .. } = &one.value else { continue };
            let message = format!(
                "`{}` puts {} into the image: its history shows build arguments to everybody who can pull it",
                one.name,
                listed(names.iter().map(String::as_str))
            );
            push(project, one.at, message, names, &one.key, findings);
        }
    }
}

fn is_build_arguments(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    matches!(plain.as_str(), "buildargs" | "buildarg" | "buildarguments" | "dockerbuildargs" | "extrabuildargs")
}

/// `build.args` of compose files and development containers.
fn arguments(project: &Project, facts: &Facts, findings: &mut Findings) {
    for environment in facts.environments.iter().filter(|one| one.kind == EnvironmentKind::BuildArguments) {
        for one in &environment.assignments {
            let Value::Secret { names, .. } = &one.value else { continue };
            let message = format!(
                "{} goes into the image of `{}` as a build argument: its history shows it to everybody who can pull it",
                listed(names.iter().map(String::as_str)),
                environment.name
            );
            push(project, one.at, message, names, &one.key, findings);
        }
    }
}

/// What a Dockerfile itself says.
fn image(project: &Project, build: &ContainerBuild, findings: &mut Findings) {
    for (number, stage) in build.stages.iter().enumerate() {
        for (index, instruction) in stage.instructions.iter().enumerate() {
            let key = format!("stages[{number}].instructions[{index}]");
            match instruction {
                Instruction::Arg(variable) if is_secret(variable) => argument(project, stage, variable, &key, findings),
                Instruction::Copy { from, foreign: false, at, .. } => {
                    let mut named = from.iter().filter(|path| is_credential(&path.text));
                    let secret = named.find(|path| !holds_none(project, build, &path.text));
                    if let Some(path) = secret {
                        let name = path.text.rsplit('/').next().unwrap_or(&path.text);
                        let message = format!("`{name}` is copied into the image: its layers keep it, even when a later one deletes it");
                        let finding = Findings::finding(&RULE, "file", *at, message).help(HELP).about(&key, name);
                        findings.push(finding);
                    }
                }
                _ => {}
            }
        }
    }
}

/// An `ARG` with a secret's name: worse when an `ENV` keeps it.
fn argument(project: &Project, stage: &Stage, variable: &Variable, key: &str, findings: &mut Findings) {
    let name = &variable.name;
    if project.harm(name) == Harm::None {
        return;
    }
    let keeps = |instruction: &&Instruction| match instruction {
        Instruction::Env(kept) => kept.value.as_ref().is_some_and(|value| expansion::expands(&value.text, name)),
        _ => false,
    };
    if let Some(Instruction::Env(kept)) = stage.instructions.iter().find(keeps) {
        let message = format!("`ENV {}` keeps the build argument `{name}` in the image, for every container and everybody who can pull it", kept.name);
        let at = kept.value.as_ref().map_or(kept.at, |value| value.at);
        return push(project, at, message, std::slice::from_ref(name), key, findings);
    }
    let message = format!("`ARG {name}` asks for a secret as a build argument: the history of the image shows it");
    let mut finding = Findings::finding(&RULE, "name", variable.at, message).help(HELP).about(key, name);
    let weight = Weight { harm: project.harm(name), exposed: false, protected: false };
    finding.levels = weight.weigh(finding.levels);
    findings.push(finding);
}

/// Whether a settings file stands in the repository and what it says is no secret: `.npmrc` with `engine-strict=true`.
fn holds_none(project: &Project, build: &ContainerBuild, path: &str) -> bool {
    let folder = std::path::Path::new(project.source(build.at.source).folder());
    let mut contexts = folder.ancestors().filter_map(|context| context.to_str());
    let path = path.trim_start_matches('/');
    let Some(source) = contexts.find_map(|context| project.sources.find_from(context, path)) else { return false };
    let mut settings = project.facts_of(source.id).environments.iter().filter(|one| one.kind == EnvironmentKind::Settings).peekable();
    let says = |one: &Assignment| match &one.value {
        Value::Literal(text) => names::may_be_secret(&one.name) || text.contains("://") && text.contains('@'),
        Value::Secret { .. } => true,
        _ => false,
    };
    settings.peek().is_some() && !settings.any(|file| file.assignments.iter().any(says))
}

/// Files that hold credentials whatever the project.
fn is_credential(path: &str) -> bool {
    let name = path.trim_end_matches('*').rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        ".env" | ".netrc" | "_netrc" | ".pypirc" | ".npmrc" | "id_rsa" | "id_ed25519" | "id_ecdsa" | "id_dsa" | "credentials.json" | ".git-credentials" | ".dockercfg" | ".docker/config.json"
    )
}

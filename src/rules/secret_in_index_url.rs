//! # What it finds
//!
//! A credential in the URL of a package index: in `PIP_INDEX_URL`, `PIP_EXTRA_INDEX_URL`, `UV_INDEX_URL`, `UV_DEFAULT_INDEX` and their
//! kin, in `--index-url` and `--extra-index-url`, in `pip config set`, in requirements files.
//!
//! # Why
//!
//! Index URLs travel: installers print them, `pip freeze`, `direct_url.json` and lock files keep them, `pipenv --support` prints every
//! `PIPENV*` variable, and each process of the scope inherits the variable.
//!
//! # What is not a finding
//!
//! - A user name alone (`https://__token__@…` with a keyring), a URL without a credential.
//! - `UV_INDEX_<NAME>_PASSWORD` and the like in one step: the URL is free of it (`secret-env-step-scope` speaks of them).
//! - Literal credentials: `secret-literal-url` speaks of them.
//!
//! # What to do
//!
//! Write a netrc file; pip and uv read it:
//!
//! ```sh
//! umask 077
//! printf 'machine idx.example.com login __token__ password %s\n' "$IDX" > "$RUNNER_TEMP/netrc"
//! echo "NETRC=$RUNNER_TEMP/netrc" >> "$GITHUB_ENV"
//! ```
//!
//! `--unsafe-fixes` puts the credential into such a file before the one command that reads the index, or mounts one into the one `RUN`; both only
//! where user and password both stand in the URL: of a token alone nobody knows which user goes with it.
//!
//! In an image build: `RUN --mount=type=secret,id=netrc,target=/root/.netrc pip install …`. Indexes of clouds take identities
//! (`keyrings.google-artifactregistry-auth`, `aws codeartifact login`).
//!
//! # Levels
//!
//! `warning`, `error` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -r requirements.txt
//!         env:
//!           PIP_EXTRA_INDEX_URL: https://joe:${{ secrets.IDX }}@idx.example.com/simple
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! build:
//!   script:
//!     - pip install --index-url "https://joe:$IDX_TOKEN@idx.example.com/simple" mypackage==1.0
//! ```
//!
//! ```docker Dockerfile bad default
//! FROM python:3.12.7
//! ARG IDX_TOKEN
//! RUN pip install --extra-index-url https://joe:${IDX_TOKEN}@idx.example.com/simple mypackage==1.0
//! ```
//!
//! ```text requirements.txt bad default
//! --extra-index-url https://joe:${IDX_TOKEN}@idx.example.com/simple
//! mypackage==1.0
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install --index-url https://__token__@idx.example.com/simple mypackage==1.0
//!         env:
//!           PIP_INDEX_URL: https://idx.example.com/simple
//!           PIP_EXTRA_INDEX_URL: ${{ vars.INDEX }}
//!           NETRC: /tmp/netrc
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 1 finding in 1 of them. In 11 further ones: 0. Read by eye: 1, false: 0.
//! Ledger: `docs/evidence/secret-in-index-url.tsv`.

use crate::model::container::Instruction;
use crate::model::dialect::Rewrites;
use crate::model::edit::Edit;
use crate::model::finding::{Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Pipeline, Scope, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::filed;
use crate::model::secrets::flow::Part;
use crate::model::secrets::looks_secret;
use crate::model::secrets::place::listed;
use crate::model::span::Location;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-in-index-url",
    group: Group::Secret,
    summary: "the URL of a package index carries a credential",
    levels: &[("index", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

/// Variables that hold the URL of an index.
const VARIABLES: &[&str] = &[
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "PIPENV_PYPI_MIRROR",
    "PDM_PYPI_URL", "POETRY_REPOSITORIES_URL", "PIP_FIND_LINKS",
];

const OPTIONS: &[&str] =
    &["-i", "--index-url", "--extra-index-url", "--index", "--default-index", "--pypi-mirror", "global.index-url", "global.extra-index-url"];

fn check(project: &Project, findings: &mut Findings) {
    let mut seen: HashSet<Location> = HashSet::new();
    let mut report = |at: Location, what: &str, secrets: &str, (help, rewrite): (&str, &str), key: &str, edits: Option<Vec<Edit>>| {
        if seen.insert(at) {
            let message = format!(
                "{what} carries {secrets} in the URL of a package index: installers print such URLs, and locks and metadata keep them"
            );
            let rewrite = filled(rewrite, project.sources.text(at), secrets);
            let finding = Findings::finding(&RULE, "index", at, message).help(help).about(key, "index");
            findings.push(finding.remedy(match edits {
                Some(edits) => Remedy::Replace { edits, safety: Safety::Unsafe },
                None => Remedy::Guide(rewrite),
            }));
        }
    };
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for (one, names) in variables(project, pipeline) {
                let steps = pipeline.jobs.iter().flat_map(|job| &job.steps);
                let step = steps.into_iter().find(|step| step.env.iter().any(|own| std::ptr::eq(own, one)));
                let edits = step.and_then(|step| filed::netrc_of_step(project, step, one, names, pipeline.system.secrets.temp));
                let names = listed(names.iter().map(String::as_str));
                let help = format!("write a netrc file ({}) and name the index without a credential", pipeline.system.file);
                report(one.at, &format!("`{}`", one.name), &names, (&help, pipeline.system.secrets.rewrites.index), &one.key, edits);
            }
        }
        for environment in &facts.environments {
            for one in environment.assignments.iter().filter(|one| VARIABLES.contains(&one.name.as_str())) {
                if let Value::Secret { names, .. } = &one.value {
                    report(one.at, &format!("`{}`", one.name), &listed(names.iter().map(String::as_str)), (FILE, Rewrites::PLAIN.index), &one.key, None);
                }
            }
        }
        for manifest in &facts.manifests {
            for index in manifest.indexes.iter().filter(|index| has_variable_password(project.sources.text(index.at))) {
                report(index.at, "this line", "a credential", (FILE, Rewrites::PLAIN.index), "index", None);
            }
        }
        for (at, name) in facts.builds.iter().flat_map(|build| &build.stages).flat_map(|stage| &stage.instructions).filter_map(image) {
            report(at, &format!("`{name}`"), "a credential", (MOUNT, BUILD), "image", None);
        }
    }
    for flow in project.flows() {
        for carry in flow.carries.iter() {
            let command = flow.command(carry);
            let text = &flow.text(carry).text;
            let named = match carry.part {
                Part::Word(index) => {
                    let before = index.checked_sub(1).map_or("", |index| command.words[index].text.text.as_str());
                    let joined = OPTIONS.iter().any(|option| text.starts_with(&format!("{option}=")));
                    let export = text.split_once('=').is_some_and(|(name, _)| VARIABLES.contains(&name));
                    OPTIONS.contains(&before) || joined || export
                }
                Part::Assign(index) => VARIABLES.contains(&command.assigns[index].0.as_str()),
                Part::Redirect(_) => false,
            };
            if named && text.contains("://") && carry.variable.is_some() {
                let of_system = flow.job.map_or(Rewrites::PLAIN.index, |(pipeline, _)| pipeline.system.secrets.rewrites.index);
                let help = if flow.in_build { (MOUNT, BUILD) } else { (FILE, of_system) };
                let key = flow.step().map_or("", |step| step.key.as_str());
                let edits = if flow.in_build { filed::mounted(project, &flow, carry) } else { filed::netrc(project, &flow, carry) };
                report(flow.text(carry).at, "this command", &listed(carry.secrets.iter().map(String::as_str)), help, key, edits);
            }
        }
    }
}

/// Lines to put in, with the host of the URL and the name of the secret in them.
fn filled(rewrite: &str, text: &str, secrets: &str) -> String {
    let host = text.split_once("://").map_or("", |(_, rest)| rest.rsplit_once('@').map_or(rest, |(_, host)| host));
    let host = host.split(['/', '"', '\'', ' ', '\n']).next().unwrap_or("");
    let plain = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
    let name = secrets.trim_matches('`');
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rewrite = if plain { rewrite.replace("HOST", host) } else { rewrite.to_string() };
    if named { rewrite.replace("TOKEN", name) } else { rewrite }
}

const BUILD: &str = "RUN --mount=type=secret,id=netrc,target=/root/.netrc pip install --index-url https://HOST/simple PACKAGE\n# docker build --secret \
                     id=netrc,src=$HOME/.netrc .";
const FILE: &str = "write the credential to a netrc file that only its owner can read, and name the index without it";
const MOUNT: &str = "mount it: `RUN --mount=type=secret,id=netrc,target=/root/.netrc pip install …`, and name the index without it";

/// Variables of a pipeline that hold an index URL with a secret in it.
fn variables<'p>(project: &Project, pipeline: &'p Pipeline) -> Vec<(&'p Assignment, &'p Vec<String>)> {
    let jobs = pipeline.jobs.iter().flat_map(|job| job.env.iter().chain(job.steps.iter().flat_map(|step| &step.env)));
    let of = pipeline.env.iter().chain(jobs).filter(|one| one.scope != Scope::Input && VARIABLES.contains(&one.name.as_str()));
    let held = of.filter_map(|one| match &one.value {
        Value::Secret { names, whole, .. } => Some((one, names, *whole)),
        _ => None,
    });
    // A whole URL that is a secret is one because of what is in it.
    held.filter(|(one, _, whole)| *whole || project.sources.text(one.at).contains("://")).map(|(one, names, _)| (one, names)).collect()
}

/// `https://user:${TOKEN}@host`, `https://${TOKEN}@host`: userinfo with a variable that is more than a user name.
fn has_variable_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let Some((userinfo, _)) = rest.split('/').next().unwrap_or("").rsplit_once('@') else { return false };
    match userinfo.split_once(':') {
        Some((_, password)) => password.contains('$'),
        None => userinfo.trim_start_matches(['$', '{']).split(['}', '$']).next().is_some_and(looks_secret),
    }
}

/// `ENV PIP_INDEX_URL=https://joe:$TOKEN@…` of an image.
fn image(instruction: &Instruction) -> Option<(Location, &str)> {
    let (Instruction::Env(variable) | Instruction::Arg(variable)) = instruction else { return None };
    let value = variable.value.as_ref()?;
    (VARIABLES.contains(&variable.name.as_str()) && has_variable_password(&value.text)).then_some((value.at, &variable.name))
}

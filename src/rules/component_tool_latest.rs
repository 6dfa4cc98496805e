//! # What it finds
//!
//! An action that is perhaps pinned itself and then installs the newest release of a tool: `version: latest`, `stable`, `nightly`, or no version
//! where the action takes the newest.
//!
//! # Why
//!
//! The commit of `astral-sh/setup-uv` holds the code that downloads uv, not uv. The tool is what judges the patch, and it changes with the
//! day: a red run may be the fault of a release that nobody here has seen.
//!
//! # What is not a finding
//!
//! - Actions that choose the tool inside themselves, so that their own ref holds it (`hadolint-action`, `cosign-installer`, `zizmor-action`,
//!   `trivy-action`, `cibuildwheel`), unless their version is given as `latest`.
//! - A version file (`version-file`, `terraform_version_file`), and a version that the action finds in `pyproject.toml`
//!   (`[tool.uv] required-version`, a requirement on `uv`, `ruff` or `maturin`).
//! - A version with a number in it: `0.5`, `~> v2`, `3.x`.
//! - A value that an expression decides, when it cannot be seen.
//!
//! # What to do
//!
//! Name the version that runs today and let an updater move it: `with: {version: "0.9.5"}`.
//!
//! # Levels
//!
//! `warning`; `info` for programs that only send a report elsewhere (`codecov-action`), for actions that leave no choice (`pre-commit/action`),
//! for Rust's `stable`, and in files of which a proposed patch starts no such job (releases, schedules). One finding a file and action.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   lint:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: golangci/golangci-lint-action@1481404843c368bc19ca9406f87d6e0fc97bdcfd # v7.0.0
//!         with: {version: latest}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
//!         with: {version: "0.9.5"}
//!       - uses: hashicorp/setup-terraform@b9cd54a3c349d3f38e8881555d616ced269862dd # v3.1.2
//!         with: {terraform_version_file: .terraform-version}
//!       - uses: sigstore/cosign-installer@d58896d6a1865668819e1d91763c7751a165e159 # v3.9.2
//! ```
//!
//! ```toml pyproject.toml with
//! [tool.uv]
//! required-version = "==0.9.5"
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
//! ```
//!
//! # Measured
//!
//! 139 findings in 31 of 52 public repositories (55 `warning`, 84 `info`). Read by eye: 40, false: 0. All 12 rows of zizmor's
//! `unpinned-tools` are among these. Ledger: `docs/evidence/component-tool-latest.tsv`.

use crate::model::check::is_on_patch;
use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::manifest::ManifestKind;
use crate::model::pin::{Precision, Strength};
use crate::model::pipeline::{Assignment, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Reference, ReferenceId, Role};
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::source::join;
use crate::model::span::{Location, SourceId};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "component-tool-latest",
    group: Group::Component,
    summary: "a component installs the newest release of a tool",
    levels: &[
        ("tool", levels(Warning, Error, Error)),
        ("reporter", levels(Info, Warning, Error)),
        ("built-in", levels(Info, Warning, Error)),
        ("toolchain", levels(Info, Info, Warning)),
        ("elsewhere", levels(Info, Warning, Error)),
    ],
    since: "0.1.0",
    check,
};

/// What an action does without a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// Installs the newest release.
    Newest,
    /// The same, unless `pyproject.toml` names the tool.
    Declared,
    /// Installs what its own ref holds, or uses what is there: only a word such as `latest` counts.
    Held,
}

/// An action that installs a tool, as its `action.yml` says.
struct Installer {
    action: &'static str,
    tool: &'static str,
    input: &'static str,
    absent: Absent,
    /// Inputs that hold the tool, or that say to install none.
    instead: &'static [&'static str],
}

const fn row(action: &'static str, tool: &'static str, input: &'static str, absent: Absent) -> Installer {
    Installer { action, tool, input, absent, instead: &[] }
}

const fn unless(row: Installer, instead: &'static [&'static str]) -> Installer {
    Installer { instead, ..row }
}

/// Each row was read in the `action.yml` (and where that is silent, the code) of the action.
const INSTALLERS: &[Installer] = {
    use Absent::{Declared, Held, Newest};
    &[
        row("astral-sh/setup-uv", "uv", "version", Declared),
        unless(row("astral-sh/ruff-action", "ruff", "version", Declared), &["manifest-file"]),
        row("pyo3/maturin-action", "maturin", "maturin-version", Declared),
        row("snok/install-poetry", "poetry", "version", Newest),
        row("abatilo/actions-poetry", "poetry", "poetry-version", Newest),
        row("gr1n/setup-poetry", "poetry", "poetry-version", Newest),
        row("pdm-project/setup-pdm", "pdm", "version", Newest),
        unless(row("prefix-dev/setup-pixi", "pixi", "pixi-version", Newest), &["pixi-url", "pixi-bin-path"]),
        unless(
            row("mamba-org/setup-micromamba", "micromamba", "micromamba-version", Newest),
            &["micromamba-url", "download-micromamba"],
        ),
        row("conda-incubator/setup-miniconda", "miniconda", "miniconda-version", Held),
        row("conda-incubator/setup-miniconda", "miniforge", "miniforge-version", Held),
        row("j178/prek-action", "prek", "prek-version", Newest),
        row("jdx/mise-action", "mise", "version", Newest),
        row("extractions/setup-just", "just", "just-version", Newest),
        row("extractions/setup-crate", "crate", "version", Newest),
        row("aquasecurity/setup-trivy", "trivy", "version", Newest),
        row("aquasecurity/trivy-action", "trivy", "version", Held),
        row("1password/load-secrets-action", "1Password CLI", "version", Newest),
        row("1password/install-cli-action", "1Password CLI", "version", Newest),
        unless(row("golangci/golangci-lint-action", "golangci-lint", "version", Newest), &["install-mode"]),
        row("sigstore/cosign-installer", "cosign", "cosign-release", Held),
        row("hashicorp/setup-terraform", "terraform", "terraform_version", Newest),
        row("opentofu/setup-opentofu", "tofu", "tofu_version", Newest),
        row("terraform-linters/setup-tflint", "tflint", "tflint_version", Newest),
        row("open-policy-agent/setup-opa", "opa", "version", Newest),
        row("azure/setup-helm", "helm", "version", Newest),
        row("azure/setup-kubectl", "kubectl", "version", Newest),
        row("medyagh/setup-minikube", "minikube", "minikube-version", Newest),
        unless(row("google-github-actions/setup-gcloud", "gcloud", "version", Newest), &["skip_install"]),
        row("superfly/flyctl-actions/setup-flyctl", "flyctl", "version", Newest),
        row("regclient/actions/regctl-installer", "regctl", "release", Newest),
        row("imjasonh/setup-crane", "crane", "version", Newest),
        row("ko-build/setup-ko", "ko", "version", Newest),
        row("ludeeus/action-shellcheck", "shellcheck", "version", Newest),
        row("reviewdog/action-setup", "reviewdog", "reviewdog_version", Newest),
        row("emscripten-core/setup-emsdk", "emsdk", "version", Newest),
        row("mymindstorm/setup-emsdk", "emsdk", "version", Newest),
        row("nf-core/setup-nextflow", "nextflow", "version", Newest),
        row("peaceiris/actions-hugo", "hugo", "hugo-version", Newest),
        row("quarto-dev/quarto-actions/setup", "quarto", "version", Newest),
        row("foundry-rs/foundry-toolchain", "foundry", "version", Newest),
        row("goreleaser/goreleaser-action", "goreleaser", "version", Held),
        row("oven-sh/setup-bun", "bun", "bun-version", Held),
        row("denoland/setup-deno", "deno", "deno-version", Held),
        row("docker/setup-buildx-action", "buildx", "version", Held),
        row("docker/setup-qemu-action", "binfmt", "image", Newest),
        unless(row("codecov/codecov-action", "Codecov CLI", "version", Newest), &["binary"]),
        unless(row("codecov/test-results-action", "Codecov CLI", "version", Newest), &["binary"]),
        row("pre-commit/action", "pre-commit", "", Newest),
    ]
};

/// Actions that only send reports elsewhere.
const REPORTERS: &[&str] = &["codecov/codecov-action", "codecov/test-results-action"];

/// Actions that resolve `latest` to a version that they hold themselves.
const HOLDERS: &[&str] = &["zizmorcore/zizmor-action"];

/// A tool that moves, at one place.
struct Moving<'p> {
    action: &'p str,
    tool: &'p str,
    kind: &'static str,
    input: &'p str,
    /// What is written; nothing when the input is absent.
    written: Option<&'p str>,
    at: Location,
    key: String,
    reference: Option<ReferenceId>,
    /// Whether a proposed patch can start it.
    on_patch: bool,
}

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        let Some(source) = facts.source else { continue };
        let of_jobs = facts.pipelines.iter().flat_map(|pipeline| pipeline.jobs.iter().map(|job| (is_on_patch(pipeline, job), job)));
        let of_components = facts.components.iter().flat_map(|component| &component.jobs).map(|job| (true, job));
        let steps = of_jobs.chain(of_components).flat_map(|(on_patch, job)| job.steps.iter().map(move |step| (on_patch, step)));
        let mut groups: Vec<Vec<Moving>> = Vec::new();
        let mut told = HashSet::new();
        let all = steps.flat_map(|(on_patch, step)| {
            of_step(project, source, step).into_iter().map(move |moving| Moving { on_patch, ..moving })
        });
        for moving in all {
            // A step that a matrix or a template repeats is one place.
            if !told.insert((moving.at, moving.tool)) {
                continue;
            }
            match groups.iter_mut().find(|group| group[0].action == moving.action && group[0].tool == moving.tool) {
                Some(group) => group.push(moving),
                None => groups.push(vec![moving]),
            }
        }
        groups.iter().for_each(|group| findings.push(told_as(group)));
    }
}

/// The tools that a step installs and that move.
fn of_step<'p>(project: &'p Project, source: SourceId, step: &'p Step) -> Vec<Moving<'p>> {
    let StepKind::Uses { component, inputs } = &step.kind else { return Vec::new() };
    let used = project.reference(*component);
    let name = used.subject.name.to_ascii_lowercase();
    if used.subject.ecosystem != Ecosystem::Git || HOLDERS.contains(&name.as_str()) {
        return Vec::new();
    }
    if project.policy.allows(Ecosystem::Git, &used.subject.name) {
        return Vec::new();
    }
    let mut list = Vec::new();
    for installer in INSTALLERS.iter().filter(|installer| installer.action == name) {
        list.extend(by_table(project, installer, step, used, inputs));
    }
    let prefix = format!("{}.with.", step.key);
    for (index, tool) in project.facts_of(source).references.iter().enumerate() {
        let Some(input) = tool.key.strip_prefix(&prefix).filter(|_| tool.role == Role::Toolchain) else { continue };
        let id = ReferenceId { source, index: index as u32 };
        let Some(written) = tool.pin.version.as_deref().filter(|_| names_newest(tool)) else { continue };
        if let Some(known) = list.iter_mut().find(|moving: &&mut Moving| moving.input == input) {
            known.reference = Some(id);
            continue;
        }
        let kind = if tool.subject.name == "rust" { "toolchain" } else { "tool" };
        let (action, name) = (used.subject.name.as_str(), tool.subject.name.as_str());
        let key = tool.key.clone();
        let at = tool.site.whole;
        list.push(Moving { action, tool: name, kind, input, written: Some(written), at, key, reference: Some(id), on_patch: true });
    }
    list
}

fn by_table<'p>(
    project: &Project,
    installer: &'static Installer,
    step: &Step,
    used: &'p Reference,
    inputs: &'p [Assignment],
) -> Option<Moving<'p>> {
    let given = |name: &str| inputs.iter().find(|input| input.name.eq_ignore_ascii_case(name) && !is_empty(&input.value));
    let action = used.subject.name.as_str();
    let kind = match () {
        _ if REPORTERS.contains(&installer.action) => "reporter",
        _ if installer.input.is_empty() => "built-in",
        _ => "tool",
    };
    let moving = |written, at, key| {
        Some(Moving { action, tool: installer.tool, kind, input: installer.input, written, at, key, reference: None, on_patch: true })
    };
    if let Some(input) = given(installer.input) {
        let Value::Literal(text) = &input.value else { return None };
        let text = text.trim();
        let newest = if installer.input == "image" { is_newest_image(text) } else { is_newest(text) };
        return newest.then(|| moving(Some(text), input.at, input.key.clone())).flatten();
    }
    let by_file = inputs.iter().any(|input| {
        let name = input.name.to_ascii_lowercase().replace('_', "-");
        name.ends_with("version-file") && !is_empty(&input.value)
    });
    if by_file || installer.absent == Absent::Held || installer.instead.iter().any(|name| given(name).is_some()) {
        return None;
    }
    if installer.absent == Absent::Declared && is_declared(project, installer.tool, given("working-directory")) {
        return None;
    }
    moving(None, used.site.whole, format!("{}.uses", step.key))
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Literal(text) if text.trim().is_empty())
}

/// A word that means the newest, and no version at all.
fn is_newest(text: &str) -> bool {
    matches!(
        text.trim().to_ascii_lowercase().as_str(),
        "latest" | "stable" | "nightly" | "latest-stable" | "latest-edge" | "latest-everything" | "latest-release" | "edge"
            | "canary" | "head" | "main" | "master" | "tip" | "*" | "x" | "release" | "pre-release" | "lts" | "lts/*"
            | "current" | "node" | "oldstable"
    )
}

fn is_newest_image(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn names_newest(tool: &Reference) -> bool {
    tool.strength == Some(Strength::Floating(Precision::Word)) && tool.pin.version.as_deref().is_some_and(is_newest)
}

/// Whether a `pyproject.toml` that the action looks into names the tool, or lies where it cannot be seen.
fn is_declared(project: &Project, tool: &str, folder: Option<&Assignment>) -> bool {
    let folder = match folder.map(|input| &input.value) {
        None => String::new(),
        Some(Value::Literal(text)) => join("", text).unwrap_or_default(),
        Some(_) => return true,
    };
    // A folder that is not in this tree belongs to another repository that the job checks out.
    let inside = |path: &str| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
    if !folder.is_empty() && !project.sources.iter().any(|source| inside(&source.path)) {
        return true;
    }
    let setting = format!("{tool}.required-version");
    let manifests = project.manifests().filter(|manifest| manifest.kind == ManifestKind::Pyproject);
    manifests.filter(|manifest| project.source(manifest.at.source).folder() == folder).any(|manifest| {
        manifest.settings.iter().any(|(name, _)| *name == setting)
            || manifest.entries.iter().any(|entry| project.reference(entry.reference).subject.name == tool)
    })
}

fn told_as(group: &[Moving]) -> Finding {
    let on_patch = group.iter().any(|moving| moving.on_patch);
    let kind = if on_patch || group[0].kind != "tool" { group[0].kind } else { "elsewhere" };
    let mut finding = Findings::finding(&RULE, kind, group[0].at, message(&group[0], on_patch))
        .help(help(&group[0]))
        .about(&group[0].key, group[0].action);
    for other in &group[1..] {
        finding = finding.label(other.at, "also here");
    }
    match (group[0].reference, group[0].input) {
        (Some(reference), _) => finding.remedy(Remedy::Tighten { reference, to: Strength::Exact }),
        (None, "") => finding,
        (None, input) => finding.remedy(Remedy::Guide(format!("with:\n  {input}: \"<x.y.z>\"\n"))),
    }
}

fn message(moving: &Moving, on_patch: bool) -> String {
    let Moving { action, tool, input, .. } = moving;
    let fact = match moving.written {
        Some(written) => format!("`{action}` installs {tool} `{written}`, which moves"),
        None if input.is_empty() => format!("`{action}` always installs the newest {tool}"),
        None => format!("`{action}` is given no `{input}` and installs the newest {tool}, whatever its own ref holds"),
    };
    match on_patch {
        true => format!("{fact}; the same patch is judged by another one tomorrow"),
        false => format!("{fact}; the same commit runs with another one tomorrow"),
    }
}

fn help(moving: &Moving) -> String {
    match moving.input {
        "" => format!("install {} at an exact version and run it in a step of its own", moving.tool),
        "image" => "name the image by digest: `image: docker.io/tonistiigi/binfmt@sha256:<digest>`".to_string(),
        input => format!("name the version in use, `{input}: \"<x.y.z>\"`, and move it in a patch of its own"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_newest_and_numbers_are_not() {
        for word in ["latest", "Stable", "*", "lts/*", "nightly"] {
            assert!(is_newest(word), "{word}");
        }
        for word in ["0.5", "~> v2", "3.x", "latest-known", "nightly-2024-01-01", "1.80"] {
            assert!(!is_newest(word), "{word}");
        }
        assert!(is_newest_image("docker.io/tonistiigi/binfmt:latest") && is_newest_image("tonistiigi/binfmt"));
        assert!(!is_newest_image("tonistiigi/binfmt:qemu-v7.0.0-28"));
    }
}

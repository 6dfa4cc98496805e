//! What the inputs of well-known actions mean: interpreters and tools with versions, kept files, built images.
//! Knows actions by name and asks nobody what they do.

use super::reader::{Around, Reader};
use crate::model::pipeline::{Artifact, Cache, Job};
use crate::model::reference::Role;
use crate::model::span::Location;
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// Inputs that name a version: action, input, what it is a version of.
const VERSIONS: &[(&str, &str, &str)] = &[
    ("actions/setup-python", "python-version", "python"),
    ("actions/setup-node", "node-version", "node"),
    ("actions/setup-go", "go-version", "go"),
    ("actions/setup-java", "java-version", "java"),
    ("actions/setup-dotnet", "dotnet-version", "dotnet"),
    ("ruby/setup-ruby", "ruby-version", "ruby"),
    ("astral-sh/setup-uv", "version", "uv"),
    ("astral-sh/setup-uv", "python-version", "python"),
    ("astral-sh/ruff-action", "version", "ruff"),
    ("chartboost/ruff-action", "version", "ruff"),
    ("psf/black", "version", "black"),
    ("pdm-project/setup-pdm", "python-version", "python"),
    ("pdm-project/setup-pdm", "version", "pdm"),
    ("snok/install-poetry", "version", "poetry"),
    ("abatilo/actions-poetry", "poetry-version", "poetry"),
    ("gabrielfalcao/pyenv-action", "default", "python"),
    ("conda-incubator/setup-miniconda", "python-version", "python"),
    ("conda-incubator/setup-miniconda", "miniconda-version", "miniconda"),
    ("conda-incubator/setup-miniconda", "miniforge-version", "miniforge"),
    ("mamba-org/setup-micromamba", "micromamba-version", "micromamba"),
    ("mamba-org/provision-with-micromamba", "micromamba-version", "micromamba"),
    ("prefix-dev/setup-pixi", "pixi-version", "pixi"),
    ("dtolnay/rust-toolchain", "toolchain", "rust"),
    ("actions-rust-lang/setup-rust-toolchain", "toolchain", "rust"),
    ("actions-rs/toolchain", "toolchain", "rust"),
    ("pyo3/maturin-action", "maturin-version", "maturin"),
    ("pyo3/maturin-action", "rust-toolchain", "rust"),
    ("oven-sh/setup-bun", "bun-version", "bun"),
    ("denoland/setup-deno", "deno-version", "deno"),
    ("pnpm/action-setup", "version", "pnpm"),
    ("erlef/setup-beam", "otp-version", "erlang"),
    ("shivammathur/setup-php", "php-version", "php"),
    ("r-lib/actions/setup-r", "r-version", "r"),
    ("julia-actions/setup-julia", "version", "julia"),
    ("hashicorp/setup-terraform", "terraform_version", "terraform"),
    ("azure/setup-helm", "version", "helm"),
    ("azure/setup-kubectl", "version", "kubectl"),
    ("helm/chart-testing-action", "version", "chart-testing"),
    ("golangci/golangci-lint-action", "version", "golangci-lint"),
    ("aquasecurity/trivy-action", "version", "trivy"),
    ("aquasecurity/setup-trivy", "version", "trivy"),
    ("sigstore/cosign-installer", "cosign-release", "cosign"),
    ("extractions/setup-just", "just-version", "just"),
    ("taiki-e/setup-cross-toolchain-action", "qemu", "qemu"),
    ("docker/setup-buildx-action", "version", "buildx"),
    ("peaceiris/actions-hugo", "hugo-version", "hugo"),
    ("jdx/mise-action", "version", "mise"),
    ("j178/prek-action", "prek-version", "prek"),
    ("bufbuild/buf-setup-action", "version", "buf"),
    ("arduino/setup-protoc", "version", "protoc"),
    ("goreleaser/goreleaser-action", "version", "goreleaser"),
    ("nf-core/setup-nextflow", "version", "nextflow"),
    ("zizmorcore/zizmor-action", "version", "zizmor"),
    ("wntrblm/nox", "python-versions", "python"),
];

/// Inputs that name a Dockerfile or a context: action, input for the file, input for the context.
const BUILDS: &[(&str, &str, &str)] = &[
    ("docker/build-push-action", "file", "context"),
    ("depot/build-push-action", "file", "context"),
    ("useblacksmith/build-push-action", "file", "context"),
    ("redhat-actions/buildah-build", "containerfiles", "context"),
    ("elgohr/publish-docker-github-action", "dockerfile", "workdir"),
    ("mr-smithers-excellent/docker-build-push", "dockerfile", "directory"),
    ("whoan/docker-build-with-cache-action", "dockerfile", "context"),
    ("jupyterhub/repo2docker-action", "dockerfile", "context"),
];

/// Actions that read test reports and keep them.
const REPORTS: &[(&str, &str)] = &[
    ("dorny/test-reporter", "path"),
    ("phoenix-actions/test-reporting", "path"),
    ("mikepenz/action-junit-report", "report_paths"),
    ("enricomi/publish-unit-test-result-action", "files"),
    ("test-summary/action", "paths"),
    ("codecov/test-results-action", "files"),
    ("pmeier/pytest-results-action", "path"),
    ("datadog/junit-upload-github-action", "files"),
    ("trunk-io/analytics-uploader", "junit-paths"),
    ("buildpulse/buildpulse-action", "path"),
    ("ctrf-io/github-test-reporter", "report-path"),
    ("madrapps/jacoco-report", "paths"),
];

/// An action step: its name, its inputs and where they stand.
pub struct Used<'a, 't> {
    /// `owner/repo/sub` in lower case.
    pub action: String,
    /// The place of `uses`.
    pub at: Location,
    /// `with`.
    pub with: Option<Node<'t>>,
    /// Key path of the step.
    pub key: &'a str,
    /// The condition of the step.
    pub condition: &'a str,
}

impl Used<'_, '_> {
    fn input(&self, name: &str) -> Option<Text> {
        self.with?.get(name).and_then(Node::text).filter(|text| !text.text.trim().is_empty())
    }

    /// A value in the lines of a block, each with its own place.
    fn lines(&self, name: &str) -> Vec<Text> {
        let Some(mapped) = self.with.and_then(|with| with.get(name)).and_then(Node::mapped) else { return Vec::new() };
        let mut start = 0;
        let mut lines = Vec::new();
        for line in mapped.text.split_inclusive('\n') {
            let trimmed = line.trim();
            let from = start + (line.len() - line.trim_start().len());
            start += line.len();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                lines.push(mapped.text(from..from + trimmed.len()));
            }
        }
        lines
    }

    fn is(&self, action: &str) -> bool {
        self.action == action || self.action.strip_prefix(action).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl Reader<'_> {
    /// Takes from the inputs of a step what the job gets by it.
    pub fn used(&mut self, used: &Used<'_, '_>, job: &mut Job, around: Around<'_, '_>) {
        for (action, input, name) in VERSIONS.iter().filter(|(action, ..)| used.is(action)) {
            let role = if *name == "python" { Role::Python } else { Role::Toolchain };
            let key = format!("{}.with.{input}", used.key);
            let ids = self.versions(&used.lines(input), name, role, &key, around);
            if role == Role::Python {
                job.pythons.extend(&ids);
                let by_file = used.input("python-version-file").is_some() || self.sources.find(".python-version").is_some();
                if ids.is_empty() && *action == "actions/setup-python" && !by_file && used.lines(input).is_empty() {
                    job.pythons.push(self.absent(name, role, used.at, &key));
                }
            }
        }
        for (_, file, context) in BUILDS.iter().filter(|(action, ..)| used.is(action)) {
            self.built(used, file, context, around);
        }
        job.artifacts.extend(artifact(used));
        job.caches.extend(cache(used));
    }

    /// The Dockerfile of a build step: `file` is seen from the checkout, without it `Dockerfile` of the context.
    fn built(&mut self, used: &Used<'_, '_>, file: &str, context: &str, around: Around<'_, '_>) {
        let files = used.lines(file);
        let from_file = files.iter().flat_map(|text| around.resolve(text)).filter(|r| r.known).map(|r| r.text.text);
        let mut paths: Vec<String> = from_file.collect();
        if files.is_empty() {
            let contexts = used.input(context).map_or(vec![".".to_string()], |text| {
                around.resolve(&text).into_iter().filter(|r| r.known).map(|r| r.text.text).collect()
            });
            // A context on a server is no folder of the checkout.
            let local = contexts.into_iter().filter(|context| !context.contains("://") && !context.contains('@'));
            paths.extend(local.map(|context| format!("{}/Dockerfile", context.trim_end_matches('/'))));
        }
        for path in paths {
            let path = path.strip_prefix("./").unwrap_or(&path).to_string();
            self.facts.builds_of.push((path, used.at));
        }
    }
}

fn artifact(used: &Used<'_, '_>) -> Option<Artifact> {
    let kept = ["always()", "failure()", "cancelled()"].iter().any(|call| used.condition.contains(call));
    let upload = used.is("actions/upload-artifact") || used.action.ends_with("/upload-artifact");
    let report = REPORTS.iter().find(|(action, _)| used.is(action));
    let input = report.map(|(_, input)| *input).or(upload.then_some("path"))?;
    let paths: Vec<String> = used.lines(input).into_iter().map(|text| text.text).collect();
    let report = report.is_some() || paths.iter().any(|path| is_report(path));
    Some(Artifact { at: used.at, paths, report, on_failure: kept })
}

/// Actions that keep a cache: input of what is kept, inputs of its names, input of files in its name.
const CACHES: [(&str, &str, &[&str], &str); 6] = [
    ("actions/cache", "path", &["key", "restore-keys"], ""),
    ("actions/setup-python", "cache", &[], "cache-dependency-path"),
    ("actions/setup-node", "cache", &[], "cache-dependency-path"),
    ("astral-sh/setup-uv", "enable-cache", &[], "cache-dependency-glob"),
    ("docker/build-push-action", "cache-to", &["cache-from"], ""),
    ("docker/bake-action", "cache-to", &["cache-from"], ""),
];

fn cache(used: &Used<'_, '_>) -> Option<Cache> {
    let (_, kept, names, files) = CACHES.iter().find(|(action, ..)| used.is(action))?;
    let texts = |input: &str| used.lines(input).into_iter().map(|text| text.text).collect::<Vec<_>>();
    let paths: Vec<String> = texts(kept).into_iter().filter(|text| text != "false").collect();
    let names: Vec<String> = names.iter().flat_map(|input| texts(input)).collect();
    let on = !paths.is_empty() || !names.is_empty();
    on.then(|| Cache { at: used.at, key: used.key.to_string(), names, files: texts(files), paths })
}

/// Whether a path is one that test runners write their report to.
fn is_report(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let words = ["junit", "test-results", "test_results", "testresults", "test-report", "test_report", "pytest.xml", "results.xml"];
    words.iter().any(|word| path.contains(word))
}

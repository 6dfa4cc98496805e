//! The better place of a secret, in the words of its system: which case it is, and what to write. Edits nothing.

use super::expansion::PASSWORD;
use super::names::{JOB_TOKEN, UNNAMED};
use crate::model::dialect::Dialect;
use crate::model::pipeline::{Job, Step, StepKind};
use crate::model::project::Project;

/// Which steps of a job name a variable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Those whose text names it outside of their condition, or that start a program which reads it.
    pub steps: Vec<usize>,
    /// Those whose condition does.
    pub conditions: Vec<usize>,
}

impl Project {
    /// Which steps of a job name a variable, or start a program that is known to read it. Another one may read it all the same.
    pub fn usage(&self, job: &Job, variable: &str) -> Usage {
        let mut usage = Usage::default();
        if variable == UNNAMED {
            return usage;
        }
        for (index, step) in job.steps.iter().enumerate() {
            let condition = step.condition.as_ref().map_or("", |text| text.text.as_str());
            let in_condition = names(condition, variable);
            if in_condition > 0 {
                usage.conditions.push(index);
            }
            let (at, counted) = match &step.kind {
                StepKind::Run(script) => (script.at, 0),
                _ => (step.at, in_condition),
            };
            let in_env = step.env.iter().any(|one| names(self.sources.text(one.at), variable) > 0);
            if in_env || names(self.sources.text(at), variable) > counted || self.reads(step, variable) {
                usage.steps.push(index);
            }
        }
        usage
    }
}

/// Beginnings of variables, and the programs and components that read those without being told.
const READERS: &[(&str, &[&str])] = &[
    ("TWINE_", &["twine"]),
    ("UV_", &["uv", "uvx"]),
    ("PIP_", &["pip", "pip3", "tox", "nox"]),
    ("POETRY_", &["poetry"]),
    ("FLIT_", &["flit"]),
    ("HATCH_", &["hatch"]),
    ("PDM_", &["pdm"]),
    ("MATURIN_", &["maturin", "pyo3/maturin-action"]),
    (
        "AWS_",
        &[
            "aws",
            "sam",
            "cdk",
            "terraform",
            "terragrunt",
            "serverless",
            "sls",
            "pulumi",
            "eksctl",
            "copilot",
            "chalice",
            "zappa",
        ],
    ),
    ("ARM_", &["terraform", "terragrunt", "pulumi"]),
    ("TF_VAR_", &["terraform", "terragrunt"]),
    ("AZURE_", &["az", "azd"]),
    ("GOOGLE_", &["gcloud", "terraform", "terragrunt"]),
    ("CODECOV_TOKEN", &["codecov", "codecovcli", "codecov/codecov-action", "codecov/test-results-action"]),
    ("COVERALLS_REPO_TOKEN", &["coveralls", "coverallsapp/github-action"]),
    ("CODSPEED_TOKEN", &["codspeedhq/action"]),
    ("SONAR_TOKEN", &["sonar-scanner", "sonarsource/sonarqube-scan-action", "sonarsource/sonarcloud-github-action"]),
    ("SENTRY_AUTH_TOKEN", &["sentry-cli", "getsentry/action-release"]),
    ("SNYK_TOKEN", &["snyk"]),
    ("NPM_TOKEN", &["npm", "yarn", "pnpm"]),
    ("NODE_AUTH_TOKEN", &["npm", "yarn", "pnpm"]),
    ("GH_TOKEN", &["gh", "semantic-release"]),
    ("GITHUB_TOKEN", &["gh", "semantic-release", "softprops/action-gh-release"]),
    ("PGPASSWORD", &["psql", "pg_dump", "pg_restore", "createdb", "dropdb"]),
    ("MYSQL_PWD", &["mysql", "mysqldump", "mysqladmin"]),
    ("VAULT_TOKEN", &["vault"]),
    ("CLOUDFLARE_", &["wrangler", "cloudflare/wrangler-action"]),
    ("NETLIFY_AUTH_TOKEN", &["netlify"]),
    ("SSHPASS", &["sshpass"]),
];

impl Project {
    /// Whether a step starts a program that reads a variable without being told.
    fn reads(&self, step: &Step, variable: &str) -> bool {
        let mut known = READERS.iter().filter(|(lead, _)| match lead.ends_with('_') {
            true => variable.starts_with(lead),
            false => variable == *lead,
        });
        match &step.kind {
            StepKind::Run(script) => known.any(|(_, programs)| {
                script
                    .commands
                    .iter()
                    .any(|command| programs.iter().any(|program| command.words.iter().any(|word| word.names(program))))
            }),
            StepKind::Uses { component, .. } => {
                let name = self.reference(*component).subject.name.to_ascii_lowercase();
                known.any(|(_, programs)| programs.contains(&name.as_str()))
            }
            StepKind::Other => false,
        }
    }
}

/// How often a text names a variable as a whole word.
fn names(text: &str, variable: &str) -> usize {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    // The name of the secret is not that of the variable.
    let secret = |at: usize| text[..at].ends_with("secrets.");
    let alone = |at: usize| {
        let rest = &text[at + variable.len()..];
        let rest = rest.strip_prefix(PASSWORD).unwrap_or(rest);
        !part(text[..at].chars().next_back()) && !part(rest.chars().next()) && !secret(at)
    };
    text.match_indices(variable).filter(|(at, _)| alone(*at)).count()
}

/// What a secret is for, by the name of its variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Uploads to PyPI.
    Publish,
    /// Reads a package index.
    Index,
    /// Logs in to an image registry.
    Registry,
    /// Opens a cloud.
    Cloud,
    /// Nothing of that.
    Other,
}

/// What a secret is for.
pub fn purpose(name: &str) -> Purpose {
    let words = super::names::words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&["index"]) && has(&["pip", "uv", "poetry", "pdm", "pipenv"]) {
        Purpose::Index
    } else if has(&["pypi", "testpypi", "twine", "flit"]) || has(&["publish"]) && has(&["uv", "pdm", "hatch"]) {
        Purpose::Publish
    } else if has(&["docker", "dockerhub", "ghcr", "quay", "registry"]) {
        Purpose::Registry
    } else if has(&["aws", "gcp", "gcloud", "azure", "arm"]) || has(&["google"]) && has(&["credentials", "key", "sa"]) {
        Purpose::Cloud
    } else {
        Purpose::Other
    }
}

/// What to do about secrets in a scope that is wider than a step. `names` are their variables; `step` is the one step that names them.
pub fn advice(system: &Dialect, names: &[&str], step: Option<&str>, only_asked: bool) -> String {
    let first = names.first().copied().filter(|name| *name != UNNAMED).unwrap_or("NAME");
    let purpose = purpose(first);
    let all = names.iter().all(|name| self::purpose(name) == purpose);
    let it = if names.len() == 1 { "it" } else { "them" };
    let narrow = match step {
        Some(step) if system.secrets.steps => format!("move {it} to step `{step}`: {}", system.narrow),
        _ => format!("use {}; where several steps need {it}, {}", system.narrow, system.file),
    };
    let identity = if system.identity.is_empty() { "an identity of the job" } else { system.identity };
    match purpose {
        _ if only_asked && !system.secrets.question.is_empty() => {
            let question = system.secrets.question.replace("NAME", first);
            format!(
                "conditions need no secret: keep a boolean here, {question}, and the secret in the step that reads it"
            )
        }
        Purpose::Publish if all && system.publishes => format!("publish with {identity} and no token, or {narrow}"),
        Purpose::Cloud if all && !system.identity.is_empty() => format!("use {identity} instead of a key, or {narrow}"),
        Purpose::Index if all => {
            format!("write the credential to a netrc file ({}) and name the index without it, or {narrow}", system.file)
        }
        Purpose::Registry if all => format!("log in with `--password-stdin` in the one step that does, and {narrow}"),
        _ => narrow,
    }
}

/// "`A`, `B`, `C`, `D` and 5 more". What has no name is counted.
pub fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 4;
    let mut all: Vec<&str> = Vec::new();
    let mut unnamed = 0;
    for name in names {
        // As its users call it.
        let name = if name == JOB_TOKEN { "GITHUB_TOKEN" } else { name };
        if name == UNNAMED {
            unnamed += 1;
        } else if !all.contains(&name) {
            all.push(name);
        }
    }
    let mut shown: Vec<String> = all.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = all.len() - shown.len();
    match unnamed {
        0 => {}
        1 => shown.push(shown_unnamed()),
        count => shown.push(format!("{count} encrypted variables whose names the file does not show")),
    }
    match (more, shown.split_last()) {
        (_, None) => String::new(),
        (0, Some((only, []))) => only.clone(),
        (0, Some((last, rest))) => format!("{} and {last}", rest.join(", ")),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// One name.
pub fn shown(name: &str) -> String {
    if name == UNNAMED { shown_unnamed() } else { format!("`{name}`") }
}

fn shown_unnamed() -> String {
    "an encrypted variable whose name the file does not show".to_string()
}

/// "is" or "are".
pub fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

//! GitLab CI: `.gitlab-ci.yml`, the files of this repository that it includes, and templates that stand alone. Knows no server.
//!
//! <https://docs.gitlab.com/ci/yaml/>. Included files, `extends`, `default`, `!reference`, anchors and merge keys are followed, so that a
//! job is what GitLab would make of it. What lies on a server (remote includes, other projects, CI/CD variables) is named, not guessed.

mod condition;
mod config;
mod files;
mod image;
mod include;
mod job;
mod script;
#[cfg(test)]
mod tests;
mod trigger;
mod variables;

use super::{Claim, Format};
use crate::model::facts::Facts;
use super::steps::moves;
use crate::model::dialect::{Dialect, Grant, Masks, Rewrites, SecretWords};
use crate::model::pipeline::{Pipeline, Scope, Setting};
use crate::model::source::{Source, Sources};
use crate::model::span::Location;
use config::Config;
use job::Reader;

/// The format.
pub static FORMAT: Format = Format { name: "gitlab ci", claims, sniff: super::by_path, read };

/// How GitLab says things. <https://docs.gitlab.com/ci/variables/>, <https://docs.gitlab.com/ci/secrets/>
pub static DIALECT: Dialect = Dialect {
    name: "GitLab CI",
    files: &[".gitlab-ci.yml", "*.gitlab-ci.yml", ".gitlab/ci/**/*.yml"],
    unread: &["includes of other projects and URLs", "variables and settings of the server"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &["CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD", "CI_REPOSITORY_URL"],
    publishes: true,
    identity: "an `id_tokens:` entry of the job, exchanged for short-lived credentials",
    file: "`secrets:` of the job (a file by default) or a variable of type File: the variable holds a path",
    narrow: "a masked, protected variable limited to the one environment that needs it",
    report: "before_script:\n  - pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # with artifacts:reports:junit: junit.xml",
    keeps_on_success: true,
    bash: false,
    secrets: &WORDS,
};

/// <https://docs.gitlab.com/ci/yaml/#secretsfile>: a secret is a file unless `file: false` asks for a variable.
static WORDS: SecretWords = SecretWords {
    pipeline: "`variables` at the top of the file",
    job: "`variables` of the job",
    refused_file: ".secrets.",
    workspace: &["$CI_PROJECT_DIR/", "${CI_PROJECT_DIR}/"],
    inherits: "forward nothing, `pipeline_variables: false`, and give the other pipeline what it needs as `variables:` of this job",
    grants: Some(Grant { word: "id_tokens", entry: "PYPI_ID_TOKEN:\n  aud: pypi", beside: "", content: &[] }),
    rewrites: &Rewrites {
        publish: "publish:\n  id_tokens: {PYPI_ID_TOKEN: {aud: pypi}}\n  script:\n    - twine upload dist/*",
        index: "install:\n  script:\n    - umask 077\n    - printf 'machine HOST login USER password %s\\n' \"$TOKEN\" > /tmp/netrc\n    - \
                NETRC=/tmp/netrc pip install --index-url https://HOST/simple PACKAGE",
        cloud: "deploy:\n  id_tokens: {AWS_ID_TOKEN: {aud: sts.amazonaws.com}}\n  variables: {AWS_ROLE_ARN: \"arn:aws:iam::ACCOUNT:role/ROLE\", \
                AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/aws-token}\n  script:\n    - umask 077\n    - printf '%s' \"$AWS_ID_TOKEN\" > \
                \"$AWS_WEB_IDENTITY_TOKEN_FILE\"",
    },
    apart: "`rules: [{if: $CI_PIPELINE_SOURCE != \"merge_request_event\"}]`",
    plain: "in `variables:` of the file, or as a variable that is not masked",
    private: &["/tmp/", "/dev/shm/", "~/", "$HOME/", "${HOME}/", "/root/", "/run/", "$CI_PROJECT_DIR.tmp", "${CI_PROJECT_DIR}.tmp"],
    ..SecretWords::PLAIN
};

fn claims(path: &str) -> Claim {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { return Claim::No };
    let folder = format!("/{folder}/");
    let by_name = stem == ".gitlab-ci" || stem.ends_with(".gitlab-ci");
    let by_folder = folder.contains("/.gitlab/ci/") || folder.contains("/.gitlab-ci/");
    if by_name || by_folder { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    if files::is_included(source, sources) {
        // The pipeline that includes it holds its jobs, with their places in this file.
        crate::syntax::yaml::parse(source.id, &source.text).report(facts);
        return;
    }
    let files = files::load(source, sources);
    files[0].tree.report(facts);
    if files[0].tree.template.is_some() {
        return;
    }
    // Included files with names of their own kind report themselves.
    for file in files.iter().skip(1).filter(|file| claims(&file.source.path) == Claim::No) {
        file.tree.report(facts);
    }
    let config = Config::new(&files);
    let mut unseen = Vec::new();
    for file in &files {
        include::read(file, sources, facts, &mut unseen);
    }
    if let Some(root) = files[0].tree.root() {
        moves::note_lines(facts, root, "variables", "variables", "variables");
    }
    let mut reader = Reader::new(&config, facts);
    let jobs = reader.jobs();
    let triggers = trigger::triggers(&config, &jobs);
    let global = config.global().get("variables");
    let env = variables::assignments(&config, &global, Scope::Pipeline, "variables");
    let cancel = cancel(&config);
    let (system, name) = (&DIALECT, source.path.clone());
    facts.pipelines.push(Pipeline { system, name, at: source.top(), triggers, env, jobs, cancel, unseen });
}

/// `workflow:auto_cancel:on_new_commit`. The default, `conservative`, cancels only what is `interruptible`: that is said per job.
fn cancel(config: &Config<'_>) -> Setting<bool> {
    let setting = config.global().get("workflow").get("auto_cancel").get("on_new_commit").first();
    match setting.and_then(|node| Some((node.str()?, node.at()))) {
        Some(("none", at)) => Setting::Plain(false, at),
        Some(("interruptible", at)) => Setting::Plain(true, at),
        _ => Setting::Absent,
    }
}

/// Something that lies on a server: in words, and where it is named.
type Unseen = Vec<(String, Location)>;

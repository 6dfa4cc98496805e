//! CircleCI: `.circleci/config.yml` and the other configurations beside it. Knows no server.
//!
//! <https://circleci.com/docs/configuration-reference/>. Commands, executors, inline orbs and parameters are followed, so that a job is what
//! CircleCI would make of it; orbs of the registry are named, not guessed.

mod config;
mod executor;
mod frame;
mod job;
mod steps;
#[cfg(test)]
mod tests;
mod workflow;

use super::{Claim, Format};
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::Pipeline;
use crate::model::source::{Source, Sources};
use crate::syntax::yaml;
use job::Reader;

/// The format.
pub static FORMAT: Format = Format { name: "circleci", claims, sniff, read };

/// How CircleCI says things. <https://circleci.com/docs/env-vars/>, <https://circleci.com/docs/contexts/>,
/// <https://circleci.com/docs/openid-connect-tokens/>
pub static DIALECT: Dialect = Dialect {
    name: "CircleCI",
    files: &[".circleci/**/*.yml"],
    unread: &["orbs of the registry", "configurations that a setup workflow generates", "variables and contexts of the server"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"],
    publishes: false,
    identity: "the token in `$CIRCLE_OIDC_TOKEN_V2`, exchanged for short-lived credentials",
    file: "a step of the publishing job that writes it to a file below `/tmp` with `umask 077` and exports the path",
    narrow: "a restricted context on a job that only publishes, behind an approval",
    report: "- run: pinguard env-report",
    keeps_report: "pytest --junitxml=test-results/junit.xml   # and store_test_results: {path: test-results}",
    keeps_on_success: false,
    bash: true,
    secrets: &WORDS,
};

/// <https://circleci.com/docs/set-environment-variable/>: what is written to `$BASH_ENV` is in every later step.
static WORDS: SecretWords = SecretWords {
    pipeline: "the variables of the project",
    job: "`environment` of the job",
    steps: true,
    set: "context",
    persists: &["BASH_ENV"],
    rewrites: &Rewrites {
        cloud: "umask 077\nprintf '%s' \"$CIRCLE_OIDC_TOKEN_V2\" > /tmp/aws-token\nexport AWS_WEB_IDENTITY_TOKEN_FILE=/tmp/aws-token AWS_ROLE_ARN=arn:aws:iam::ACCOUNT:role/ROLE",
        ..Rewrites::PLAIN
    },
    plain: "in `environment:` of the job, or as a parameter of the pipeline",
    unpasted: "keep it in a context and read the variable in the script",
    ..SecretWords::PLAIN
};

fn claims(path: &str) -> Claim {
    let Some((folder, name)) = path.rsplit_once('/') else { return Claim::No };
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { return Claim::No };
    let inside = folder.split('/').any(|part| part == ".circleci");
    match inside {
        true if stem == "config" && folder.ends_with(".circleci") => Claim::Yes,
        true => Claim::Maybe,
        false => Claim::No,
    }
}

/// A version and something that runs: other YAML files lie in the folder too.
fn sniff(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let has = |words: &[&str]| text.lines().any(|line| words.iter().any(|word| line.starts_with(word)));
    has(&["version:"]) && has(&["jobs:", "workflows:", "commands:", "executors:", "orbs:"])
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|root| root.is_map() && tree.template.is_none()) else { return };
    let config = config::Config::new(root);
    let mut reader = Reader::new(&config, facts);
    let (jobs, idle) = reader.jobs();
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    pipeline.triggers = workflow::triggers(root, &jobs);
    pipeline.jobs = jobs;
    if let Some(setup) = root.get("setup").filter(|setup| setup.bool() == Some(true)) {
        let text = "this is a setup configuration: the pipeline that it continues with is made while it runs".to_string();
        pipeline.unseen.push((text, setup.at()));
    }
    // CircleCI reads the folder at the root only; elsewhere, and in jobs that no workflow names, references count and jobs do not.
    if source.path.starts_with(".circleci/") {
        facts.pipelines.push(pipeline);
    } else {
        facts.components.push(pipeline);
    }
    if !idle.is_empty() {
        let mut rest = Pipeline::new(&DIALECT, source.path.clone(), source.top());
        rest.triggers.called = true;
        rest.jobs = idle;
        facts.components.push(rest);
    }
}

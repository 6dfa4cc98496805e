//! GitHub Actions, and what reads the same files (Gitea, Forgejo): workflows and composite actions to pipelines.
//! Knows nothing of other CI systems and has no opinion about what it reads.

mod action;
mod edits;
mod expression;
mod inputs;
mod known;
mod matrix;
mod reader;
mod secrets;
mod shell;
mod steps;
#[cfg(test)]
mod tests;
mod triggers;
mod value;
mod workflow;

use super::{Claim, Format};
use crate::model::dialect::{Dialect, Masks};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::source::{Source, Sources};
use crate::syntax::yaml;
use reader::Reader;

/// The format.
pub static FORMAT: Format = Format { name: "github actions", claims, sniff, read };

/// How GitHub says things. <https://docs.github.com/actions/reference/security/secure-use>
pub static DIALECT: Dialect = Dialect {
    name: "GitHub Actions",
    files: &[".github/workflows/*.yml", ".gitea/workflows/*.yml", ".forgejo/workflows/*.yml", "action.yml"],
    unread: &["workflows and actions of other repositories", "variables, secrets and protection rules of the server"],
    masks: Masks::Values,
    unseen_variables: false,
    present: &[],
    publishes: true,
    identity: "`permissions: id-token: write` and the provider's login action (or trusted publishing)",
    file: "a step that writes it below `$RUNNER_TEMP` with `umask 077` and exports the path",
    narrow: "`env:` of the one step that reads it",
    report: "- run: pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # and actions/upload-artifact with if: ${{ !cancelled() }}",
    keeps_on_success: false,
    bash: true,
    secrets: &secrets::WORDS,
};

fn claims(path: &str) -> Claim {
    if !path.ends_with(".yml") && !path.ends_with(".yaml") {
        return Claim::No;
    }
    match workflow_root(path) {
        Some(_) => Claim::Yes,
        None if is_action(path) => Claim::Maybe,
        None => Claim::No,
    }
}

/// Looks for what an action cannot do without.
fn sniff(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"runs:").is_some()
        && memchr::memmem::find(text.as_bytes(), b"using").is_some()
}

fn is_action(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("action.yml" | "action.yaml"))
}

/// The folder whose workflows a file is one of: empty for those that run; a longer path for templates and vendored ones.
fn workflow_root(path: &str) -> Option<&str> {
    let (folder, _) = path.rsplit_once('/')?;
    let kinds = [".github/workflows", ".gitea/workflows", ".forgejo/workflows", "workflow-templates"];
    let root = kinds.iter().find_map(|kind| folder.strip_suffix(kind))?;
    let is_template = folder.ends_with("workflow-templates");
    match root {
        "" if is_template => Some("workflow-templates"),
        "" => Some(""),
        _ => root.strip_suffix('/'),
    }
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let root = tree.root().filter(|root| root.is_map());
    let mut reader = Reader::new(source, sources, facts);
    match (root, workflow_root(&source.path)) {
        (Some(root), Some("")) => reader.workflow(root),
        // Nobody starts a workflow that is not at the root: its references count, its jobs do not.
        (Some(root), Some(_)) => {
            reader.workflow(root);
            let pipelines = std::mem::take(&mut facts.pipelines);
            facts.components.extend(pipelines);
        }
        (Some(root), None) => reader.action(root),
        (None, _) if tree.problems.is_empty() => {
            let text = "this is not a workflow: its top level is not a mapping with `on` and `jobs`, so nothing of it was checked";
            facts.problem(ProblemKind::Unreadable, source.top(), text);
        }
        (None, _) => {}
    }
}

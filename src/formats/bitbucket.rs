//! Bitbucket Pipelines: `bitbucket-pipelines.yml`. Knows no server.
//!
//! <https://support.atlassian.com/bitbucket-cloud/docs/bitbucket-pipelines-configuration-reference/>. A step of Bitbucket has a machine of its
//! own: it is a job of the model. Anchors are followed by the YAML reader; imports of other repositories are named, not guessed.

mod step;
#[cfg(test)]
mod tests;

use super::{Claim, Format};
use crate::ecosystems::git;
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{Pipeline, PushFilter, Triggers};
use crate::model::reference::{Role, Slot};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use step::Reader;

/// The format.
pub static FORMAT: Format = Format { name: "bitbucket pipelines", claims, sniff: super::by_path, read };

/// How Bitbucket says things. <https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/>
pub static DIALECT: Dialect = Dialect {
    name: "Bitbucket Pipelines",
    files: &["bitbucket-pipelines.yml"],
    unread: &["pipelines imported from other repositories", "variables and deployments of the server"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &[],
    publishes: false,
    identity: "`oidc: true` at the step, its token exchanged for short-lived credentials",
    file: "a step that writes it to a file below `/tmp` with `umask 077` and exports the path",
    narrow: "a secured deployment variable on the one step with `deployment:`, or `variables:` of the pipe that needs it",
    report: "script:\n  - pinguard env-report",
    keeps_report: "pytest --junitxml=test-results/junit.xml   # found by Bitbucket itself, also when tests failed",
    keeps_on_success: false,
    bash: false,
    secrets: &WORDS,
};

static WORDS: SecretWords = SecretWords {
    pipeline: "the variables of the repository",
    job: "the variables of the deployment",
    bound: "deployment",
    rewrites: &Rewrites {
        cloud: "oidc: true   # at the step, and in its script:\numask 077\nprintf '%s' \"$BITBUCKET_STEP_OIDC_TOKEN\" > /tmp/aws-token\nexport AWS_WEB_IDENTITY_TOKEN_FILE=/tmp/aws-token AWS_ROLE_ARN=arn:aws:iam::ACCOUNT:role/ROLE",
        ..Rewrites::PLAIN
    },
    plain: "as a variable that is not secured",
    workspace: &["$BITBUCKET_CLONE_DIR/", "${BITBUCKET_CLONE_DIR}/"],
    unpasted: "read the variable in the script and write `\"$NAME\"` with quotes",
    ..SecretWords::PLAIN
};

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "bitbucket-pipelines.yml" | "bitbucket-pipelines.yaml") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|root| root.is_map() && tree.template.is_none()) else { return };
    let mut reader = Reader::new(root, facts);
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    let pipelines = root.get("pipelines");
    for (kind, node) in pipelines.into_iter().flat_map(Node::entries) {
        let Some(kind) = kind.str() else { continue };
        let key = format!("pipelines.{kind}");
        if kind == "default" {
            one(&mut reader, node, &key, Some(true), &mut pipeline);
            continue;
        }
        for (name, node) in node.entries() {
            let Some(name) = name.str() else { continue };
            one(&mut reader, node, &format!("{key}.{name}"), on_patch(kind, name), &mut pipeline);
        }
    }
    reader.services_nobody_uses();
    pipeline.triggers = triggers(pipelines, &pipeline);
    // Bitbucket reads the file at the root only.
    if source.path.contains('/') { facts.components.push(pipeline) } else { facts.pipelines.push(pipeline) }
}

/// One pipeline: a list of steps, or an import.
fn one(reader: &mut Reader<'_, '_>, node: Node<'_>, key: &str, on_patch: Option<bool>, pipeline: &mut Pipeline) {
    if let Some(import) = node.get("import") {
        return imported(reader, import, &format!("{key}.import"), pipeline);
    }
    reader.list(node, key, on_patch, &mut pipeline.jobs);
}

/// `import: repository:ref:pipeline`.
fn imported(reader: &mut Reader<'_, '_>, node: Node<'_>, key: &str, pipeline: &mut Pipeline) {
    let Some(text) = node.text() else { return };
    let parts: Vec<&str> = text.text.split(':').collect();
    let [repository, rev, ..] = parts[..] else { return };
    let start = repository.len() + 1;
    let rev_text = crate::model::text::Text {
        text: rev.to_string(),
        at: text.place(start..start + rev.len()),
        verbatim: text.verbatim,
    };
    let mut reference = git::pinned_at(repository, &rev_text, None, Role::CiInclude, key);
    // Nothing may stand behind the ref: the name of the pipeline follows it.
    reference.site.note = None;
    reference.site.digest = text.verbatim.then_some(Slot { at: rev_text.at, lead: "" });
    reader.facts.push(reference);
    let what = format!("a pipeline is imported from the repository `{repository}`");
    pipeline.unseen.push((what, node.at()));
}

/// Whether a pipeline starts for a proposed patch: the branch of a patch is pushed too.
fn on_patch(kind: &str, pattern: &str) -> Option<bool> {
    match kind {
        "pull-requests" => Some(true),
        "branches" if matches!(pattern, "*" | "**" | "**/*") => Some(true),
        // A pattern may be that of branches of patches; a name alone is a branch that patches go into.
        "branches" if pattern.contains(['*', '{', '?']) => None,
        _ => Some(false),
    }
}

fn triggers(pipelines: Option<Node<'_>>, pipeline: &Pipeline) -> Triggers {
    let has = |kind: &str| pipelines.and_then(|node| node.get(kind));
    let branches = has("branches").into_iter().flat_map(Node::entries).filter_map(|(name, _)| name.str()).map(str::to_string);
    let push = match (has("default"), has("branches"), has("tags")) {
        (Some(_), ..) => Some(PushFilter::default()),
        (None, Some(_), _) => Some(PushFilter { branches: branches.collect(), tags_only: false }),
        (None, None, Some(_)) => Some(PushFilter { branches: Vec::new(), tags_only: true }),
        _ => None,
    };
    Triggers {
        patch: pipeline.jobs.iter().any(|job| job.on_patch != Some(false)),
        push,
        manual: has("custom").is_some(),
        ..Triggers::default()
    }
}

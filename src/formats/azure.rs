//! Azure Pipelines: `azure-pipelines.yml`, its like, and the templates of this repository. Knows no server.
//!
//! <https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/>. Templates of this repository are followed with their parameters;
//! conditional insertion is decided where it can be seen, and kept where it cannot.

mod expression;
mod frame;
mod job;
mod resources;
mod steps;
mod tasks;
#[cfg(test)]
mod tests;
mod variables;

use super::{Claim, Format};
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords, Unpaste};
use crate::model::facts::Facts;
use crate::model::pipeline::{Pipeline, PushFilter, Triggers};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::{Node, Tree};
use crate::syntax::yaml;
use std::collections::HashSet;

/// The format.
pub static FORMAT: Format = Format { name: "azure pipelines", claims, sniff, read };

/// How Azure Pipelines says things. <https://learn.microsoft.com/azure/devops/pipelines/process/set-secret-variables>
pub static DIALECT: Dialect = Dialect {
    name: "Azure Pipelines",
    files: &["azure-pipelines*.yml", ".azure-pipelines/**/*.yml", ".azuredevops/**/*.yml"],
    unread: &["templates of other repositories", "variable groups, secrets and branch policies of the server", "what tasks do"],
    masks: Masks::Values,
    unseen_variables: false,
    present: &[],
    publishes: false,
    identity: "a service connection with workload identity federation and `AzureCLI@2`",
    file: "`DownloadSecureFile@1`: the variable holds a path",
    narrow: "`env:` of the one step that reads it: `NAME: $(secret)`",
    report: "- script: pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # and PublishTestResults@2 with condition: succeededOrFailed()",
    keeps_on_success: false,
    bash: true,
    secrets: &WORDS,
};

/// <https://learn.microsoft.com/azure/devops/pipelines/process/set-variables-scripts>
static WORDS: SecretWords = SecretWords {
    pipeline: "`variables` at the top of the file",
    job: "`variables` of the job",
    steps: true,
    set: "key vault",
    only_step: true,
    setters: &["##vso[task.setvariable"],
    setter_masks: "issecret=true",
    private: &["$(Agent.TempDirectory)", "$AGENT_TEMPDIRECTORY", "/tmp/", "/dev/shm/", "~/", "$HOME/", "${HOME}/"],
    rewrites: &Rewrites {
        cloud: "- task: AzureCLI@2\n  inputs: {azureSubscription: CONNECTION, scriptType: bash, scriptLocation: inlineScript, inlineScript: ./deploy}",
        ..Rewrites::PLAIN
    },
    apart: "`condition: ne(variables['Build.Reason'], 'PullRequest')`",
    plain: "in `variables:` of the file, or as a variable without the lock",
    temp: "\"$AGENT_TEMPDIRECTORY\"",
    workspace: &["$(Build.SourcesDirectory)/", "$BUILD_SOURCESDIRECTORY/", "$(System.DefaultWorkingDirectory)/"],
    unpasted: "put it into `env` of the step and write `\"$NAME\"`",
    unpaste: Unpaste::Variable("$("),
    ..SecretWords::PLAIN
};

fn claims(path: &str) -> Claim {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { return Claim::No };
    let folders = [".azure-pipelines", ".azuredevops", "azure-pipelines", ".azurepipelines", ".azure"];
    let inside = folder.split('/').any(|part| folders.contains(&part));
    let named = stem.starts_with("azure-pipelines") || stem.starts_with(".azure-pipelines") || stem == ".vsts-ci";
    match (named, inside) {
        (true, _) => Claim::Yes,
        (_, true) => Claim::Maybe,
        _ => Claim::No,
    }
}

/// Keys that a pipeline or a template cannot do without.
fn sniff(text: &str) -> bool {
    let words = ["steps:", "jobs:", "stages:", "extends:", "trigger:", "variables:"];
    text.trim_start_matches('\u{feff}').lines().any(|line| words.iter().any(|word| line.starts_with(word)))
}

/// A file of the pipeline.
struct File<'s> {
    source: &'s Source,
    tree: Tree<'s>,
}

/// How many templates one pipeline includes at most, as on the server.
const MAX_FILES: usize = 100;

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    if is_included(source, sources) {
        // The pipeline that includes it holds its jobs, with their places in this file.
        return yaml::parse(source.id, &source.text).report(facts);
    }
    let files = load(source, sources);
    files[0].tree.report(facts);
    for file in files.iter().skip(1).filter(|file| claims(&file.source.path) == Claim::No) {
        file.tree.report(facts);
    }
    let Some(root) = files[0].tree.root().filter(|root| root.is_map() && files[0].tree.template.is_none()) else { return };
    let mut reader = job::Reader::new(&files, root, sources, facts);
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    reader.pipeline(root, &mut pipeline);
    pipeline.triggers = triggers(root, &pipeline);
    pipeline.cancel = job::switch(root.path(&["pr", "autoCancel"]));
    let is_template = root.get("trigger").is_none() && source.path.to_ascii_lowercase().contains("template");
    if is_template { facts.components.push(pipeline) } else { facts.pipelines.push(pipeline) }
}

/// The file and the templates that it names, directly and through others.
fn load<'s>(first: &'s Source, sources: &'s Sources) -> Vec<File<'s>> {
    let mut files: Vec<File<'s>> = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![first];
    while let Some(source) = waiting.pop() {
        if files.len() >= MAX_FILES || !seen.insert(source.id) {
            continue;
        }
        let tree = yaml::parse(source.id, &source.text);
        waiting.extend(mentioned(&source.text).iter().filter_map(|path| find(path, source, sources)));
        files.push(File { source, tree });
    }
    files
}

/// Texts behind `template:`, found without the tree: it is asked for every file.
fn mentioned(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").trim_start().strip_prefix("template:"));
    lines.map(|rest| rest.split(" #").next().unwrap_or(rest).trim().trim_matches(['"', '\''])).filter(|path| !path.is_empty()).collect()
}

/// The template of this repository that a path names, seen from the file that names it.
fn find<'s>(path: &str, from: &Source, sources: &'s Sources) -> Option<&'s Source> {
    let path = path.strip_suffix("@self").unwrap_or(path);
    if path.contains('@') {
        return None;
    }
    match path.strip_prefix('/') {
        Some(path) => sources.find(path),
        None => sources.find_from(from.folder(), path),
    }
}

/// Whether another file of the repository uses this one as a template.
fn is_included(source: &Source, sources: &Sources) -> bool {
    let name = source.file_name();
    let others = sources.iter().filter(|other| other.id != source.id && claims(&other.path) != Claim::No);
    let users = others.filter(|other| memchr::memmem::find(other.text.as_bytes(), name.as_bytes()).is_some());
    users.into_iter().any(|other| mentioned(&other.text).iter().any(|path| find(path, other, sources).is_some_and(|one| one.id == source.id)))
}

/// `trigger`, `pr`, `schedules`. Policies of branches start pipelines too, and stand in no file.
fn triggers(root: Node<'_>, pipeline: &Pipeline) -> Triggers {
    let off = |key: &str| root.get(key).is_some_and(|node| node.str() == Some("none"));
    let trigger = root.get("trigger");
    let branches = trigger.map_or(Vec::new(), |node| {
        let list = node.path(&["branches", "include"]).unwrap_or(node);
        list.list().filter_map(Node::str).map(str::to_string).collect::<Vec<_>>()
    });
    let tags_only = trigger.is_some_and(|node| node.get("tags").is_some() && node.get("branches").is_none());
    Triggers {
        patch: pipeline.jobs.iter().any(|job| job.on_patch != Some(false)),
        push: (!off("trigger")).then_some(PushFilter { branches, tags_only }),
        schedule: root.get("schedules").is_some(),
        manual: true,
        unseen: off("pr"),
        ..Triggers::default()
    }
}

/// Whether a proposed patch starts the pipeline as a whole.
fn runs_for_patches(root: Node<'_>) -> Option<bool> {
    let off = |key: &str| root.get(key).is_some_and(|node| node.str() == Some("none"));
    match (off("pr"), off("trigger")) {
        (false, _) => Some(true),
        // A policy of the branch may start it.
        (true, _) => None,
    }
}

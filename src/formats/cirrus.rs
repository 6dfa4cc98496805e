//! Cirrus CI: `.cirrus.yml`. Knows no server; `.cirrus.star` is a program and is not run.
//!
//! <https://cirrus-ci.org/guide/writing-tasks/>. Every `task` is a job, every `NAME_script` a step. Scripts run by bash where there is one,
//! with `set -e` and `pipefail`; lines are printed unexpanded
//! (<https://github.com/cirruslabs/cirrus-cli/blob/master/internal/agent/executor/cmd.go>).

use super::steps::{self, Reader, Values, moves};
use super::{Claim, Format, by_path};
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Phase, Pipeline, PushFilter, Scope, Service, Setting, Step, StepKind, Triggers, Value};
use crate::model::reference::Role;
use crate::model::script::{Language, Shell};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "cirrus ci", claims, sniff: by_path, read };

/// How Cirrus CI says things. <https://cirrus-ci.org/guide/writing-tasks/#encrypted-variables>
pub static DIALECT: Dialect = Dialect {
    name: "Cirrus CI",
    files: &[".cirrus.yml"],
    unread: &["`.cirrus.star`, which is a program", "variables and settings of the server"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &[],
    publishes: false,
    identity: "the OIDC token of the task (`CIRRUS_OIDC_TOKEN`), exchanged for short-lived credentials",
    file: "a file that one script writes with `umask 077` into `$CIRRUS_WORKING_DIR/..`",
    narrow: "`env` of the one task that needs it, with `only_if` that keeps patches away",
    report: "environment_script: pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # with always: {junit_artifacts: {path: junit.xml, type: text/xml, format: junit}}",
    keeps_on_success: true,
    bash: true,
    secrets: &SecretWords {
        pipeline: "`env` at the top of the file",
        rewrites: &Rewrites {
            cloud: "deploy_task:\n  env:\n    AWS_ROLE_ARN: arn:aws:iam::ACCOUNT:role/ROLE\n    AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/aws-token\n  deploy_script:\n    - umask 077\n    - printf '%s' \"$CIRRUS_OIDC_TOKEN\" > \"$AWS_WEB_IDENTITY_TOKEN_FILE\"",
            ..Rewrites::PLAIN
        },
        job: "`env` of the task", persists: &["CIRRUS_ENV"], apart: "`only_if: $CIRRUS_PR == ''`", ..SecretWords::PLAIN },
};

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, ".cirrus.yml" | ".cirrus.yaml" | ".cirrus.star") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    if source.path.ends_with(".star") {
        let text = "this is a program that writes tasks; it was not run, and nothing in it was checked";
        return facts.problem(ProblemKind::Template, source.top(), text);
    }
    let mut tree = yaml::parse(source.id, &source.text);
    // `task:` may stand as often as one likes.
    tree.problems.retain(|(_, text)| !text.contains("stands twice"));
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    pipeline.triggers =
        Triggers { patch: true, push: Some(PushFilter::default()), schedule: false, manual: true, ..Triggers::default() };
    pipeline.env = environment(root, Scope::Pipeline, "");
    moves::note_lines(facts, root, "env", "env", "env");
    let mut reader = Reader::new(facts);
    let is_task = |key: &str| matches!(key, "task" | "docker_builder") || key.ends_with("_task") || key.ends_with("_docker_builder");
    let mut count = 0;
    for (key_node, node) in root.entries() {
        let Some(key) = key_node.str().filter(|key| is_task(key)) else { continue };
        if !node.is_map() {
            continue;
        }
        let name = node.get("name").or_else(|| node.get("alias")).and_then(Node::str);
        let path = if key == "task" { format!("task[{count}]") } else { key.to_string() };
        count += usize::from(key == "task");
        let id = name.unwrap_or_else(|| key.trim_end_matches("_task"));
        let mut job = Job::new(id, &path, key_node.at());
        let runs = |name: &&str| *name == "script" || name.ends_with("_script");
        if let Some(first) = node.entries().filter_map(|(name, _)| name.str()).find(runs) {
            moves::note_slot(reader.facts, node, "env", &[first], &path);
        }
        task(node, root, &path, &mut job, &mut reader);
        pipeline.jobs.push(job);
    }
    facts.pipelines.push(pipeline);
}

/// Combinations of `matrix`: alternatives for the mapping that it stands in.
fn alternatives<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let matrix = node.get("matrix");
    matrix.into_iter().flat_map(|matrix| matrix.is_map().then_some(matrix).into_iter().chain(matrix.items())).collect()
}

fn task(node: Node, root: Node, key: &str, job: &mut Job, reader: &mut Reader) {
    let legs = alternatives(node);
    let mut values = Values::default();
    for holder in [node].iter().chain(&legs).filter_map(|one| one.get("env").or_else(|| one.get("environment"))) {
        for (name, value) in holder.entries().chain(alternatives(holder).into_iter().flat_map(Node::entries)) {
            if let Some(name) = name.str().filter(|name| *name != "matrix") {
                for text in value.list().chain(alternatives(value)).filter_map(Node::text) {
                    values.add(name, Some(text));
                }
            }
        }
    }
    for (name, value) in legs.iter().flat_map(|leg| leg.entries()) {
        job.matrix.extend(name.str().zip(value.str()).map(|(name, value)| (name.to_string(), value.to_string())));
    }
    if !legs.is_empty() {
        job.legs = Some(legs.len());
    }
    job.env = environment(node, Scope::Job, &format!("{key}."));
    let leg_keys = legs.iter().enumerate().map(|(index, leg)| (*leg, format!("{key}.matrix[{index}].")));
    let holders: Vec<(Node, String)> = std::iter::once((node, format!("{key}."))).chain(leg_keys).collect();
    let mut found = false;
    for (holder, prefix) in &holders {
        found |= container(*holder, prefix, &values, job, reader);
    }
    if !found {
        container(root, "", &values, job, reader);
    }
    let windows = ["windows_container", "windows_instance"].iter().any(|name| node.get(name).is_some());
    let named = values.of("CIRRUS_SHELL").into_iter().next().or_else(|| root.get("env")?.get("CIRRUS_SHELL")?.text());
    let shell = shell(windows, named.as_ref().map_or("", |text| text.text.as_str()));
    for (holder, prefix) in &holders {
        instructions(*holder, prefix, Phase::Main, shell, job, reader);
    }
    let needs = node.get("depends_on").into_iter().flat_map(Node::list).filter_map(Node::str);
    job.needs = needs.map(str::to_string).collect();
    job.tolerated = steps::switch(node.get("allow_failures"));
    job.cancel = steps::switch(node.get("auto_cancellation"));
    job.timeout = timeout(node.get("timeout_in"));
    job.condition = node.get("only_if").and_then(Node::text);
    let condition = job.condition.as_ref().map_or("", |text| text.text.as_str());
    let manual = node.get("trigger_type").and_then(Node::str) == Some("manual");
    job.on_patch = match condition {
        _ if manual => Some(false),
        "" => Some(true),
        text if !text.contains("||") && text.contains("$CIRRUS_TAG != ''") => Some(false),
        _ => None,
    };
}

/// What reads scripts: bash with `set -e` and `pipefail`, on Windows a batch file that stops at each line that fails, or what `CIRRUS_SHELL`
/// names. <https://github.com/cirruslabs/cirrus-cli/tree/master/internal/agent/executor>
fn shell(windows: bool, named: &str) -> Shell {
    let name = named.rsplit(['/', '\\']).next().unwrap_or(named).trim_end_matches(".exe");
    let language = match name {
        "powershell" | "pwsh" => Language::PowerShell,
        "" if windows => Language::Cmd,
        "cmd" => Language::Cmd,
        _ => return Shell::PIPEFAIL,
    };
    Shell { language, ..Shell::ERREXIT }
}

/// The container of a task, and those beside it. Whether there was one.
fn container(node: Node, prefix: &str, values: &Values, job: &mut Job, reader: &mut Reader) -> bool {
    let mut found = false;
    for name in ["container", "arm_container", "gke_container", "eks_container", "aks_container", "windows_container"] {
        let Some(one) = node.get(name) else { continue };
        found = true;
        let choices = alternatives(one);
        let all = std::iter::once((one, String::new()))
            .chain(choices.into_iter().enumerate().map(|(index, choice)| (choice, format!(".matrix[{index}]"))));
        for (choice, part) in all {
            let image = choice.get("image");
            let inner = image.map(alternatives).unwrap_or_default();
            let key = format!("{prefix}{name}{part}.image");
            for image in image.into_iter().chain(inner) {
                job.images.extend(reader.images(Some(image), values, Role::CiImage, &key));
            }
        }
        if let Some(file) = one.get("dockerfile") {
            reader.facts.builds_of.extend(file.str().map(|path| (path.to_string(), file.at())));
        }
        for (index, beside) in one.get("additional_containers").into_iter().flat_map(Node::items).enumerate() {
            let key = format!("{prefix}{name}.additional_containers[{index}]");
            let images = reader.images(beside.get("image"), values, Role::CiService, &format!("{key}.image"));
            let name = beside.get("name").and_then(Node::str).unwrap_or("").to_string();
            let env = environment(beside, Scope::Container, &format!("{key}."));
            job.services.push(Service { name, images, env, options: None });
        }
    }
    let machine = ["macos_instance", "freebsd_instance", "compute_engine_instance", "persistent_worker", "macos"];
    found || machine.iter().any(|name| node.get(name).is_some())
}

/// `NAME_script`, `NAME_artifacts`, and those under `always` and the like, in order.
fn instructions(node: Node, prefix: &str, phase: Phase, shell: Shell, job: &mut Job, reader: &mut Reader) {
    for (name, value) in node.entries() {
        let Some(name) = name.str() else { continue };
        let key = format!("{prefix}{name}");
        if name == "script" || name.ends_with("_script") {
            let Some(text) = steps::commands(Some(value)) else { continue };
            if let Some(script) = reader.script(&text, shell, "", &key) {
                let mut step = Step::new(name, &key, value.at(), StepKind::Run(script));
                step.phase = phase;
                job.steps.push(step);
            }
        } else if name == "cache" || name.ends_with("_cache") && value.is_map() {
            let texts = |name: &str| value.get(name).into_iter().flat_map(Node::list).filter_map(Node::str).map(str::to_string).collect::<Vec<_>>();
            let names = [texts("fingerprint_key"), texts("fingerprint_script")].concat();
            let paths = [texts("folder"), texts("folders")].concat();
            job.caches.push(Cache { at: value.at(), key, names, files: Vec::new(), paths });
        } else if name.ends_with("_artifacts") {
            let path = value.get("path").or_else(|| value.get("paths")).unwrap_or(value);
            let paths = path.list().filter_map(Node::str).map(str::to_string).collect();
            let report = value.get("format").and_then(Node::str) == Some("junit");
            job.artifacts.push(Artifact { at: value.at(), paths, report, on_failure: phase == Phase::After });
        } else if matches!(name, "always" | "on_failure" | "on_success" | "on_timeout") && value.is_map() {
            let phase = if name == "on_success" { phase } else { Phase::After };
            instructions(value, &format!("{key}."), phase, shell, job, reader);
        }
    }
}

fn environment(node: Node, scope: Scope, prefix: &str) -> Vec<Assignment> {
    let named = ["env", "environment"].into_iter().filter_map(|name| Some((name, node.get(name)?)));
    let read = |(name, map)| steps::assignments(Some(map), scope, &format!("{prefix}{name}"), encrypted);
    let mut all: Vec<Assignment> = named.flat_map(read).collect();
    for one in &mut all {
        if let Value::Secret { names, .. } = &mut one.value {
            *names = vec![one.name.clone()];
        }
    }
    all
}

/// `ENCRYPTED[…]`: the name of the secret is not in the file; its variable tells what it is.
fn encrypted(node: Node) -> Option<String> {
    node.str()?.starts_with("ENCRYPTED[").then(String::new)
}

/// `30m`, `1h`, `90` (minutes).
fn timeout(node: Option<Node>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    let text = node.str().unwrap_or("");
    let (number, factor) = match text.strip_suffix('h') {
        Some(hours) => (hours, 60),
        None => (text.strip_suffix('m').unwrap_or(text), 1),
    };
    number.parse::<u32>().map_or(Setting::Computed(node.at()), |number| Setting::Plain(number.saturating_mul(factor), node.at()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    const TEXT: &str = "env: {A: b}\ncontainer: {image: 'alpine:3'}\ntask:\n  name: unit\n  container: {image: 'python:$PY'}\n  env:\n    TOKEN: ENCRYPTED[abc]\n    \
        matrix:\n    - PY: '3.12'\n    - PY: '3.13'\n  install_script: pip install -r r.txt\n  test_script:\n  - pytest\n  always:\n    junit_artifacts: {path: j.xml, format: junit}\n\
        lint_task:\n  lint_script: make lint\n  allow_failures: true\n  depends_on: unit\ntask:\n  name: more\n  container:\n    matrix:\n    - image: a:1\n    - image: b:2\n";

    #[test]
    fn tasks_are_jobs() {
        let facts = facts_of(&FORMAT, ".cirrus.yml", TEXT);
        assert!(facts.problems.is_empty(), "{:?}", facts.problems);
        assert_eq!(names(&facts), ["python:3.12", "python:3.13", "alpine:3", "a:1", "b:2"]);
        let [unit, lint, more] = &facts.pipelines[0].jobs[..] else { panic!("three jobs") };
        assert!(matches!(unit.env[0].value, Value::Secret { .. }));
        assert_eq!((unit.steps.len(), unit.steps[1].key.as_str()), (2, "task[0].test_script"));
        assert!(unit.artifacts[0].report && unit.artifacts[0].on_failure);
        assert_eq!((lint.id.as_str(), lint.tolerated.plain(), lint.images.len()), ("lint", Some(&true), 1));
        assert_eq!(more.images.len(), 2);
        assert_eq!(facts.references[3].key, "task[1].container.matrix[0].image");
    }
}

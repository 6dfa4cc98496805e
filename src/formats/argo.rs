//! Argo Workflows: workflows, templates and cron workflows (`argoproj.io`). Knows no cluster.
//!
//! <https://argo-workflows.readthedocs.io/en/latest/fields/>. Every template with containers is a job. A `source` is read by the words of
//! `command` with the flags written there, and no others. Parameters stand for what the file gives them. Nothing is masked.

use super::objects::{self, Owner};
use super::steps::{self, Reader, Values};
use super::{Claim, Format};
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{Job, Pipeline, Scope, Service, Setting, Step, StepKind, Triggers};
use crate::model::reference::Role;
use crate::model::script::{Language, Script, Shell};
use crate::model::source::{Source, Sources, join};
use crate::model::text::Mapped;
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use std::collections::BTreeSet;

/// The format.
pub static FORMAT: Format = Format { name: "argo workflows", claims, sniff, read };

/// How Argo Workflows say things. <https://argo-workflows.readthedocs.io/en/latest/walk-through/secrets/>
pub static DIALECT: Dialect = Dialect {
    name: "Argo Workflows",
    files: &["*.yaml with `apiVersion: argoproj.io/…` and a kind of workflows"],
    unread: &["templates of the cluster", "sensors and events"],
    masks: Masks::Nothing,
    unseen_variables: false,
    present: &[],
    publishes: false,
    identity: "workload identity of the workflow's service account",
    file: "a volume of the secret that the one template mounts",
    narrow: "`env` of the one template that needs it",
    report: "- name: environment\n  container:\n    image: IMAGE_OF_YOUR_TESTS\n    command: [pinguard, env-report]",
    keeps_report: "pytest --junitxml=/tmp/junit.xml   # with outputs.artifacts: [{name: junit, path: /tmp/junit.xml}]",
    keeps_on_success: false,
    bash: false,
    secrets: &SecretWords {
        pipeline: "the arguments of the workflow",
        rewrites: &Rewrites { cloud: "spec:\n  serviceAccountName: NAME   # bound to a role of the cloud, not to a key", ..Rewrites::PLAIN },
        job: "`env` of the template",
        ..SecretWords::PLAIN
    },
};

fn claims(path: &str) -> Claim {
    let yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    if yaml { Claim::Maybe } else { Claim::No }
}

fn sniff(text: &str) -> bool {
    objects::has(text, Owner::Argo)
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    // Workflows run what a cluster is told to run, patches perhaps among it.
    pipeline.triggers = Triggers { manual: true, called: true, unseen: true, ..Triggers::default() };
    let roots: Vec<Node> = tree.roots().filter(|root| objects::owner_of(*root) == Owner::Argo).collect();
    let several = roots.len() > 1;
    let mut reader = Reader::new(facts);
    for root in roots {
        let Some(spec) = root.get("spec") else { continue };
        let name = root.path(&["metadata", "name"]).or_else(|| root.path(&["metadata", "generateName"]));
        let prefix = match name.and_then(Node::str).filter(|_| several) {
            Some(name) => format!("{name}.spec"),
            None => "spec".to_string(),
        };
        match spec.get("workflowSpec") {
            Some(inner) => {
                pipeline.triggers.schedule = true;
                workflow(inner, &format!("{prefix}.workflowSpec"), sources, &mut pipeline, &mut reader);
            }
            None => workflow(spec, &prefix, sources, &mut pipeline, &mut reader),
        }
    }
    facts.pipelines.push(pipeline);
}

fn workflow(spec: Node, key: &str, sources: &Sources, pipeline: &mut Pipeline, reader: &mut Reader) {
    let mut values = Values::default();
    for (name, value) in parameters(spec.get("arguments")) {
        values.add(format!("workflow.parameters.{name}"), value.text());
    }
    let templates: Vec<Node> = spec.get("templates").into_iter().flat_map(Node::items).collect();
    let parts = templates.iter().flat_map(steps_of).filter_map(|step| step.path(&["templateRef", "name"]));
    let mut told = BTreeSet::new();
    for name in spec.path(&["workflowTemplateRef", "name"]).into_iter().chain(parts) {
        let Some(word) = name.str().filter(|word| !word.contains("{{") && told.insert(word.to_string())) else { continue };
        if !objects::is_held(sources, "argoproj.io/", word) {
            pipeline.unseen.push((format!("the workflow template `{word}` lies in the cluster or elsewhere"), name.at()));
        }
    }
    let limit = spec.get("activeDeadlineSeconds");
    for (index, node) in templates.iter().enumerate() {
        let key = format!("{key}.templates[{index}]");
        let name = node.get("name").and_then(Node::str).unwrap_or("");
        let mut given = arguments(&templates, name);
        for (parameter, value) in parameters(node.get("inputs")) {
            if given.of(&format!("inputs.parameters.{parameter}")).is_empty() {
                given.add(format!("inputs.parameters.{parameter}"), value.text());
            }
        }
        let mut job = Job::new(name, &key, node.get("name").unwrap_or(*node).at());
        job.timeout = seconds(node.get("activeDeadlineSeconds").or(limit));
        job.retry = retry(node.get("retryStrategy"));
        template(*node, &key, &given.below(&values), &mut job, reader);
        if !job.steps.is_empty() {
            pipeline.jobs.push(job);
        }
    }
}

/// `parameters` with a value or a default.
fn parameters(node: Option<Node<'_>>) -> Vec<(&str, Node<'_>)> {
    let all = node.and_then(|node| node.get("parameters")).into_iter().flat_map(Node::items);
    all.filter_map(|one| Some((one.get("name")?.str()?, one.get("value").or_else(|| one.get("default"))?))).collect()
}

/// The steps and tasks of a template.
fn steps_of<'t>(template: &Node<'t>) -> impl Iterator<Item = Node<'t>> {
    let groups = template.get("steps").into_iter().flat_map(Node::items);
    let steps = groups.flat_map(|group| group.is_map().then_some(group).into_iter().chain(group.items()));
    steps.chain(template.path(&["dag", "tasks"]).into_iter().flat_map(Node::items))
}

/// What steps and tasks give to a template.
fn arguments(templates: &[Node], name: &str) -> Values {
    let mut values = Values::default();
    for template in templates {
        for step in steps_of(template).filter(|step| step.get("template").and_then(Node::str) == Some(name)) {
            for (parameter, value) in parameters(step.get("arguments")) {
                let items = step.get("withItems").into_iter().flat_map(Node::items).filter_map(Node::text);
                let items: Vec<_> = items.filter(|_| value.str() == Some("{{item}}")).collect();
                let key = format!("inputs.parameters.{parameter}");
                let all = if items.is_empty() { value.text().into_iter().collect() } else { items };
                for text in all.into_iter().filter(|text| !text.text.contains("inputs.parameters")) {
                    values.add(&key, Some(text));
                }
            }
        }
    }
    values
}

fn template(node: Node, key: &str, values: &Values, job: &mut Job, reader: &mut Reader) {
    for (index, one) in node.get("initContainers").into_iter().flat_map(Node::items).enumerate() {
        container(one, &format!("{key}.initContainers[{index}]"), values, job, reader);
    }
    for name in ["container", "script"] {
        if let Some(one) = node.get(name) {
            container(one, &format!("{key}.{name}"), values, job, reader);
        }
    }
    for (index, one) in node.path(&["containerSet", "containers"]).into_iter().flat_map(Node::items).enumerate() {
        container(one, &format!("{key}.containerSet.containers[{index}]"), values, job, reader);
    }
    for (index, one) in node.get("sidecars").into_iter().flat_map(Node::items).enumerate() {
        let key = format!("{key}.sidecars[{index}]");
        let images = reader.images(one.get("image"), values, Role::CiService, &format!("{key}.image"));
        let name = one.get("name").and_then(Node::str).unwrap_or("").to_string();
        let env = steps::container_variables(one, Scope::Container, &key);
        job.services.push(Service { name, images, env, options: None });
    }
}

fn container(node: Node, key: &str, values: &Values, job: &mut Job, reader: &mut Reader) {
    let images = reader.images(node.get("image"), values, Role::CiImage, &format!("{key}.image"));
    job.images.extend(&images);
    let kind = match script(node, key, values, reader) {
        Some(script) => StepKind::Run(script),
        None => images.first().map_or(StepKind::Other, |image| StepKind::Uses { component: *image, inputs: Vec::new() }),
    };
    let name = node.get("name").and_then(Node::str).unwrap_or(&job.id).to_string();
    let mut step = Step::new(name, key, node.at(), kind);
    step.shell_written = true;
    step.env = steps::container_variables(node, Scope::Step, key);
    job.steps.push(step);
}

fn script(node: Node, key: &str, values: &Values, reader: &mut Reader) -> Option<Script> {
    let folder = node.get("workingDir").and_then(Node::str).and_then(|folder| join("", folder)).unwrap_or_default();
    let first = |text: Mapped| values.resolve(&text).into_iter().next().unwrap_or(text);
    let list = |name: &str| node.get(name).into_iter().flat_map(Node::items).filter_map(Node::mapped).map(first);
    let command: Vec<Mapped> = list("command").collect();
    if let Some(text) = node.get("source").and_then(Node::mapped) {
        let words: Vec<&str> = command.iter().map(|word| word.text.as_str()).collect();
        return reader.script(&first(text), interpreter(&words), &folder, &format!("{key}.source"));
    }
    // Without a command, the image decides what the arguments mean.
    node.get("command")?;
    reader.words(command.into_iter().chain(list("args")).collect(), Shell::PLAIN, &folder, &format!("{key}.command"))
}

/// `[bash, -e]`: who reads a source.
fn interpreter(words: &[&str]) -> Shell {
    let name = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let language = match name {
        "sh" | "bash" | "ash" | "dash" | "zsh" => Language::Posix,
        "pwsh" | "powershell" => Language::PowerShell,
        _ if name.starts_with("python") => Language::Python,
        _ => Language::Other,
    };
    let flags = words.iter().skip(1).filter(|word| word.starts_with('-') && !word.starts_with("--"));
    let has = |flag: char| flags.clone().any(|word| word.contains(flag));
    Shell { language, errexit: has('e'), pipefail: words.contains(&"pipefail"), xtrace: has('x') }
}

fn seconds(node: Option<Node>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    let seconds = node.str().and_then(|text| text.parse::<u32>().ok());
    seconds.map_or(Setting::Computed(node.at()), |seconds| Setting::Plain(seconds.div_ceil(60), node.at()))
}

/// `retryStrategy` for failed containers; one for errors of the cluster alone (`OnError`) hides no test.
fn retry(node: Option<Node>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    if matches!(node.get("retryPolicy").and_then(Node::str), Some("OnError" | "OnTransientError")) {
        return Setting::Absent;
    }
    let limit = node.get("limit").and_then(Node::str).and_then(|text| text.parse().ok());
    limit.map_or(Setting::Computed(node.at()), |limit| Setting::Plain(limit, node.at()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_among, facts_of, names};
    use crate::model::pipeline::Value;

    const TEXT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: w}\nspec:\n  schedule: '0 1 * * *'\n  workflowSpec:\n    \
        entrypoint: main\n    activeDeadlineSeconds: 600\n    arguments: {parameters: [{name: py, value: '3.12'}]}\n    templates:\n    - name: main\n      \
        steps:\n      - - {name: a, template: unit, arguments: {parameters: [{name: tag, value: '{{item}}'}]}, withItems: ['1', '2']}\n    - name: unit\n      \
        inputs: {parameters: [{name: tag}]}\n      container:\n        image: app:{{inputs.parameters.tag}}\n        command: [sh, -c]\n        \
        args: ['pip install x; pytest']\n        env: [{name: T, valueFrom: {secretKeyRef: {name: api, key: token}}}]\n    - name: lint\n      \
        script: {image: 'python:{{workflow.parameters.py}}', command: [bash, -eo, pipefail], source: 'ruff check .'}\n      \
        retryStrategy: {limit: 3}\n";

    #[test]
    fn templates_are_jobs() {
        let facts = facts_of(&FORMAT, "ci/w.yaml", TEXT);
        assert!(sniff(TEXT));
        assert_eq!(names(&facts), ["app:1", "app:2", "x", "python:3.12", ]);
        let pipeline = &facts.pipelines[0];
        assert!(pipeline.triggers.schedule);
        let [unit, lint] = &pipeline.jobs[..] else { panic!("two jobs") };
        assert_eq!(facts.references[0].key, "spec.workflowSpec.templates[1].container.image");
        assert!(matches!(&unit.steps[0].env[0].value, Value::Secret { names, .. } if names == &["api/token"]));
        assert_eq!((unit.timeout.plain(), lint.retry.plain()), (Some(&10), Some(&3)));
        let StepKind::Run(script) = &lint.steps[0].kind else { panic!("a script") };
        assert!(script.shell.errexit && script.shell.pipefail);
    }

    #[test]
    fn templates_of_other_files_are_looked_for() {
        let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  workflowTemplateRef: {name: whole}\n  templates:\n  - name: a\n    \
                    dag: {tasks: [{name: x, templateRef: {name: here, template: t}}, {name: y, templateRef: {name: gone, template: t}}]}\n";
        let held = "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata:\n  name: here\nspec: {}\n---\nmetadata: {name: whole}\n";
        let facts = facts_among(&FORMAT, &[("ci/w.yaml", text), ("ci/t.yaml", held)]);
        let said: Vec<&str> = facts.pipelines[0].unseen.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(said, ["the workflow template `gone` lies in the cluster or elsewhere"]);
    }

    #[test]
    fn other_kinds_are_left_alone() {
        assert!(!sniff("apiVersion: argoproj.io/v1alpha1\nkind: Application\n"));
        assert!(!sniff("apiVersion: v1\nkind: Workflow\n") && !sniff("kind: x\n"));
    }
}

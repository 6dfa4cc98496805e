//! AWS CodeBuild: `buildspec*.yml`. Knows no project: its image, its webhooks and more variables live there.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html>. Commands run one after the other in one shell, and one that
//! fails ends its phase; what counts of a text of several lines is its last exit code. `post_build` runs after a build that failed too.

use super::steps::{self, Reader};
use super::{Claim, Format};
use crate::ecosystems::toolchain;
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{
    Artifact, Assignment, Cache, Job, Phase, Pipeline, Scope, Setting, Step, StepKind, Triggers, Value,
};
use crate::model::reference::Role;
use crate::model::script::{Language, Shell};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "codebuild", claims, sniff, read };

/// How CodeBuild says things. <https://docs.aws.amazon.com/codebuild/latest/userguide/data-protection.html>
pub static DIALECT: Dialect = Dialect {
    name: "AWS CodeBuild",
    files: &["buildspec*.yml"],
    unread: &["image, webhooks and variables of the project", "images of batch builds"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &[],
    publishes: false,
    identity: "the service role of the project, which needs no secret for AWS",
    file: "`aws secretsmanager get-secret-value` in the one command that needs it, into standard input or a file with mode 0600",
    narrow: "`env.secrets-manager` of a buildspec of its own that only publishes",
    report: "phases:\n  pre_build:\n    commands:\n      - pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # with reports: {tests: {files: [junit.xml], file-format: JUNITXML}}",
    keeps_on_success: false,
    bash: false,
    secrets: &SecretWords {
        pipeline: "`env` of the build",
        rewrites: &Rewrites { cloud: "# no key: `aws` and every AWS library find the service role of the project\nphases:\n  build:\n    commands:\n      - aws sts get-caller-identity", ..Rewrites::PLAIN },
        job: "`env` of the build", ..SecretWords::PLAIN },
};

const PHASES: [(&str, Phase); 4] =
    [("install", Phase::Before), ("pre_build", Phase::Before), ("build", Phase::Main), ("post_build", Phase::After)];

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    if stem.is_some_and(|stem| stem.starts_with("buildspec") || stem.ends_with("buildspec")) {
        Claim::Maybe
    } else {
        Claim::No
    }
}

fn sniff(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("phases:"))
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    pipeline.triggers = Triggers { manual: true, unseen: true, ..Triggers::default() };
    pipeline.env = environment(root.get("env"));
    let mut job = Job::new("build", "phases", root.entry("phases").map_or(source.top(), |(key, _)| key.at()));
    let shell = shell(root.path(&["env", "shell"]));
    let (mut reader, mut cwd) = (Reader::new(facts), String::new());
    for (name, phase) in PHASES {
        let Some(node) = root.path(&["phases", name]) else { continue };
        let key = format!("phases.{name}");
        versions(node, &key, &mut job, &mut reader);
        retries(node, &mut job);
        for (list, phase) in [("commands", phase), ("finally", Phase::After)] {
            commands(node, &format!("{key}.{list}"), phase, shell, &mut cwd, &mut job, &mut reader);
        }
    }
    job.artifacts = artifacts(root);
    job.caches = cache(root.get("cache")).into_iter().collect();
    pipeline.jobs.push(job);
    facts.pipelines.push(pipeline);
}

/// `env.shell`: `bash`, `/bin/sh`, `powershell.exe`, `cmd.exe`. None is started with flags.
fn shell(node: Option<Node>) -> Shell {
    let name = node.and_then(Node::str).unwrap_or("");
    let language = match name.trim_end_matches(".exe") {
        "powershell" | "pwsh" => Language::PowerShell,
        "cmd" => Language::Cmd,
        _ => Language::Posix,
    };
    Shell { language, ..Shell::PLAIN }
}

fn commands(
    node: Node,
    key: &str,
    phase: Phase,
    shell: Shell,
    cwd: &mut String,
    job: &mut Job,
    reader: &mut Reader,
) {
    let list = if key.ends_with("finally") { "finally" } else { "commands" };
    let tolerated = node.get("on-failure").filter(|node| node.str() == Some("CONTINUE")).map(Node::at);
    for (index, item) in node.get(list).into_iter().flat_map(Node::list).enumerate() {
        let key = format!("{key}[{index}]");
        let Some(text) = item.mapped() else { continue };
        let Some(script) = reader.script(&text, shell, cwd, &key) else { return };
        steps::follow(&script, cwd);
        let name = text.text.trim().lines().next().unwrap_or("").to_string();
        let mut step = Step { phase, ..Step::new(name, &key, item.at(), StepKind::Run(script)) };
        step.tolerated = tolerated.map_or(Setting::Absent, |at| Setting::Plain(true, at));
        job.steps.push(step);
    }
}

/// `runtime-versions: {python: 3.12}`.
fn versions(phase: Node, key: &str, job: &mut Job, reader: &mut Reader) {
    for (name, value) in phase.get("runtime-versions").into_iter().flat_map(Node::entries) {
        let (Some(name), Some(text)) = (name.str(), value.text()) else { continue };
        let key = format!("{key}.runtime-versions.{name}");
        if name == "python" {
            let id = reader.push(toolchain::python(&text, Role::Python, &key));
            job.pythons.push(id);
        } else {
            reader.push(toolchain::tool(name, &text, Role::Toolchain, &key));
        }
    }
}

/// `on-failure: RETRY`, `RETRY-3`, `RETRY-3-regex`.
fn retries(phase: Node, job: &mut Job) {
    let Some(node) = phase.get("on-failure") else { return };
    let Some(rest) = node.str().and_then(|text| text.strip_prefix("RETRY")) else { return };
    let count = rest.trim_start_matches('-').split('-').next().and_then(|text| text.parse().ok());
    job.retry = Setting::Plain(count.unwrap_or(1), node.at());
}

/// `variables` are texts; `parameter-store` and `secrets-manager` name secrets, whose text is in the environment of every command.
fn environment(node: Option<Node>) -> Vec<Assignment> {
    let Some(node) = node else { return Vec::new() };
    let mut all = steps::assignments(node.get("variables"), Scope::Pipeline, "env.variables", |_| None);
    for list in ["parameter-store", "secrets-manager"] {
        for (name, value) in node.get(list).into_iter().flat_map(Node::entries) {
            let Some(name) = name.str().zip(value.str()) else { continue };
            let value_is = Value::Secret { names: vec![name.1.to_string()], whole: true, derived: false };
            let key = format!("env.{list}.{}", name.0);
            all.push(Assignment { name: name.0.to_string(), value: value_is, scope: Scope::Pipeline, at: value.at(), key });
        }
    }
    all
}

/// `artifacts.files`, and the files of `reports`, which are taken whether the build passes or not.
fn artifacts(root: Node) -> Vec<Artifact> {
    let texts = |node: Node| {
        let list = node.get("files").into_iter().flat_map(Node::list);
        list.filter_map(Node::str).map(str::to_string).collect::<Vec<_>>()
    };
    let reports = root.get("reports").into_iter().flat_map(Node::entries).map(|(_, report)| (report, true));
    let kept = root.get("artifacts").map(|node| (node, false));
    let one = |(node, report): (Node, bool)| Artifact {
        at: node.at(),
        paths: texts(node),
        report,
        on_failure: report,
    };
    kept.into_iter().chain(reports).map(one).collect()
}

fn cache(node: Option<Node>) -> Option<Cache> {
    let node = node?;
    let texts = |name: &str| {
        let list = node.get(name).into_iter().flat_map(Node::list);
        list.filter_map(Node::str).map(str::to_string).collect::<Vec<_>>()
    };
    let names = [texts("key"), texts("fallback-keys")].concat();
    Some(Cache { at: node.at(), key: "cache".to_string(), names, files: Vec::new(), paths: texts("paths") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    const TEXT: &str = "version: 0.2\nenv:\n  shell: bash\n  variables: {A: b}\n  secrets-manager: {TOKEN: 'api:token'}\nphases:\n  install:\n    \
        runtime-versions: {python: 3.12}\n    commands:\n      - cd app\n      - pip install tox\n  build:\n    on-failure: CONTINUE\n    commands: pytest\n    \
        finally: [echo done]\n  post_build: {on-failure: RETRY-2, commands: [make report]}\nreports: {tests: {files: [j.xml]}}\nartifacts: {files: [dist/*]}\n\
        cache: {key: 'pip-$(codebuild-hash-files requirements.txt)', paths: [/root/.cache/pip/**/*]}\n";

    #[test]
    fn phases_are_read_in_one_shell() {
        let facts = facts_of(&FORMAT, "ci/buildspec-test.yaml", TEXT);
        assert!(facts.problems.is_empty(), "{:?}", facts.problems);
        assert_eq!(names(&facts), ["python:3.12", "tox"]);
        let (pipeline, job) = (&facts.pipelines[0], &facts.pipelines[0].jobs[0]);
        assert!(matches!(&pipeline.env[1].value, Value::Secret { names, .. } if names == &["api:token"]));
        assert_eq!(pipeline.env[1].key, "env.secrets-manager.TOKEN");
        let keys: Vec<&str> = job.steps.iter().map(|step| step.key.as_str()).collect();
        let want = ["phases.install.commands[0]", "phases.install.commands[1]", "phases.build.commands[0]", "phases.build.finally[0]"];
        assert_eq!(keys[..4], want);
        let StepKind::Run(script) = &job.steps[2].kind else { panic!("a script") };
        assert_eq!((script.cwd.as_str(), script.shell), ("app", Shell::PLAIN));
        assert_eq!((job.steps[2].tolerated.plain(), job.steps[3].phase), (Some(&true), Phase::After));
        assert_eq!((job.retry.plain(), job.pythons.len()), (Some(&2), 1));
        assert!(job.artifacts[1].report && job.artifacts[1].on_failure && !job.artifacts[0].report);
        assert_eq!(job.caches[0].paths, ["/root/.cache/pip/**/*"]);
    }

    #[test]
    fn other_files_are_left_alone() {
        assert!(sniff(TEXT) && !sniff("a: b\n"));
        assert_eq!((claims("buildspec.yml"), claims("a/deploy-buildspec.yml"), claims("spec.yml")), (Claim::Maybe, Claim::Maybe, Claim::No));
    }
}

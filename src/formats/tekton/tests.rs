//! Tasks, pipelines and runs as facts.

use super::*;
use crate::formats::testing::{facts_among, facts_of, names};
use crate::model::pin::Strength;
use crate::model::pipeline::{Scope, StepKind, Value};
use crate::model::reference::{Ecosystem, Role};

const TASK: &str = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: unit}\nspec:\n  params:\n  - {name: py, default: '3.12'}\n  stepTemplate:\n    env:\n    \
    - {name: T, valueFrom: {secretKeyRef: {name: api, key: token}}}\n    envFrom: [{secretRef: {name: all}}]\n  steps:\n  - name: a\n    \
    image: python:$(params.py)-slim\n    script: |\n      pip install -r r.txt\n      pytest\n  - name: b\n    image: alpine\n    \
    script: |\n      #!/usr/bin/env bash\n      make\n    onError: continue\n  - {name: c, image: 'busybox:1', command: [sh, -ec], args: ['make x']}\n  \
    sidecars: [{name: db, image: postgres}]\n";

#[test]
fn a_task_is_a_job() {
    let facts = facts_of(&FORMAT, "ci/task.yaml", TASK);
    assert_eq!(names(&facts), ["python:3.12-slim", "alpine", "busybox:1", "postgres"]);
    assert_eq!(facts.references[0].key, "spec.steps[0].image");
    let slot = facts.references[0].site.digest.expect("a place for a digest");
    assert!(TASK[..slot.at.span.start as usize].ends_with("-slim"));
    let job = &facts.pipelines[0].jobs[0];
    assert_eq!(job.env.len(), 2);
    assert!(job.env.iter().all(|one| one.scope == Scope::Job));
    assert!(matches!(&job.env[1].value, Value::Secret { names, .. } if names == &["*"]));
    let shells: Vec<(bool, usize)> = job
        .steps
        .iter()
        .map(|step| match &step.kind {
            StepKind::Run(script) => (script.commands[0].shell.errexit, script.commands.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shells, [(true, 2), (false, 1), (true, 1)]);
    assert_eq!(job.steps[1].tolerated.plain(), Some(&true));
    assert!(facts.pipelines[0].triggers.unseen && facts.problems.is_empty());
}

#[test]
fn what_lies_elsewhere_is_a_component_or_said() {
    let text = "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec:\n  params: [{name: rev, default: main}]\n  tasks:\n  \
                - {name: a, taskRef: {name: unit}}\n  - name: b\n    runAfter: [a]\n    taskRef:\n      resolver: bundles\n      params:\n      \
                - {name: bundle, value: 'quay.io/t/task-init:0.4@sha256:288f'}\n  - name: c\n    taskRef:\n      resolver: git\n      params:\n      \
                - {name: url, value: https://github.com/o/r.git}\n      - {name: revision, value: $(params.rev)}\n  \
                - {name: d, taskRef: {resolver: hub, params: [{name: name, value: git-clone}, {name: version, value: '0.9'}]}}\n  \
                - {name: e, timeout: 1h30m, taskRef: {name: gone}}\n  finally:\n  - name: f\n    matrix: {params: [{name: v, value: ['1', '2']}]}\n    \
                taskSpec: {steps: [{name: x, image: 'node:$(params.v)'}]}\n";
    let facts = facts_among(&FORMAT, &[("ci/pipeline.yaml", text), ("ci/task.yaml", TASK)]);
    let want = ["quay.io/t/task-init:0.4@sha256:288f", "o/r:main", "tektoncd/catalog/task/git-clone:0.9", "node:1", "node:2"];
    assert_eq!(names(&facts), want);
    let bundle = &facts.references[0];
    assert_eq!((bundle.subject.ecosystem, bundle.role, bundle.key.as_str()), (Ecosystem::Oci, Role::CiInclude, "spec.tasks[1].taskRef"));
    assert_eq!(facts.references[2].strength, Some(Strength::Exact));
    let pipeline = &facts.pipelines[0];
    assert_eq!(pipeline.jobs.len(), 6);
    assert_eq!((pipeline.jobs[1].needs.as_slice(), pipeline.jobs[4].timeout.plain()), (&["a".to_string()][..], Some(&90)));
    assert_eq!(pipeline.jobs[5].key, "spec.finally[0]");
    let said: Vec<&str> = pipeline.unseen.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(said, ["task `gone` lies in the cluster or elsewhere"]);
}

#[test]
fn runs_say_what_starts_them() {
    let text = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata:\n  name: r\n  annotations:\n    \
                pipelinesascode.tekton.dev/on-event: '[pull_request]'\n    pipelinesascode.tekton.dev/cancel-in-progress: 'true'\n    \
                pipelinesascode.tekton.dev/task: '[git-clone, maven:0.2]'\n    \
                pipelinesascode.tekton.dev/pipeline: https://github.com/o/r/blob/main/p.yaml\n    \
                build.appstudio.openshift.io/repo: https://github.com/q/q?rev={{revision}}\nspec:\n  params: [{name: v, value: '3.13'}]\n  \
                timeouts: {pipeline: 20m}\n  pipelineSpec:\n    params: [{name: v}]\n    tasks:\n    - name: t\n      taskSpec:\n        steps:\n        \
                - {name: s, image: 'python:$(params.v)'}\n";
    let facts = facts_of(&FORMAT, ".tekton/run.yaml", text);
    assert_eq!(names(&facts), ["tektoncd/catalog/task/git-clone", "tektoncd/catalog/task/maven:0.2", "o/r:main", "python:3.13"]);
    let pipeline = &facts.pipelines[0];
    assert!(pipeline.triggers.patch && pipeline.triggers.push.is_none() && !pipeline.triggers.unseen);
    assert_eq!((pipeline.cancel.plain(), pipeline.jobs[0].timeout.plain()), (Some(&true), Some(&20)));
    assert_eq!(facts.references[3].key, "spec.pipelineSpec.tasks[0].taskSpec.steps[0].image");
}

#[test]
fn only_objects_of_its_own_kinds_are_wanted() {
    assert!(sniff(TASK) && sniff("apiVersion: triggers.tekton.dev/v1beta1\nkind: TriggerTemplate\n"));
    assert!(!sniff("apiVersion: v1\nkind: Pod\n"));
    let secret = "---\napiVersion: v1\nkind: Secret\nspec: {tasks: [{taskRef: {name: x}}]}\n";
    let mixed = format!("{TASK}{secret}");
    assert!(sniff(&mixed));
    let (alone, beside) = (facts_of(&FORMAT, "a.yaml", TASK), facts_of(&FORMAT, "a.yaml", &mixed));
    assert_eq!(alone.pipelines[0].jobs.len(), beside.pipelines[0].jobs.len());
}

#[test]
fn a_parameter_whose_value_the_file_has_is_no_secret() {
    let task = |default: &str| {
        format!("apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {{name: t}}\nspec:\n  params:\n  - name: API_TOKEN_SECRET_KEY\n{default}  steps:\n  - name: s\n    image: a:1.2.3\n    script: cat /etc/$(params.API_TOKEN_SECRET_KEY)\n")
    };
    let pasted = |default: &str| facts_of(&FORMAT, "t.yaml", &task(default)).pipelines[0].jobs[0].steps[0].pasted.len();
    assert_eq!((pasted("    default: token\n"), pasted("    default: ''\n"), pasted("")), (0, 1, 1));
}

use super::{FORMAT, claims};
use crate::formats::Claim;
use crate::formats::testing::{facts_of, names};
use crate::model::facts::Facts;
use crate::model::pin::Strength;
use crate::model::pipeline::{Job, StepKind, Value};
use crate::model::script::{Language, Shell};

const PATH: &str = ".circleci/config.yml";

fn job<'f>(facts: &'f Facts, id: &str) -> &'f Job {
    facts.pipelines[0].jobs.iter().find(|job| job.id == id).unwrap_or_else(|| panic!("no job {id}"))
}

fn images(facts: &Facts, id: &str) -> Vec<String> {
    let all = names(facts);
    job(facts, id).images.iter().map(|id| all[id.index as usize].clone()).collect()
}

fn scripts(job: &Job) -> Vec<String> {
    let runs = job.steps.iter().filter_map(|step| if let StepKind::Run(script) = &step.kind { Some(script) } else { None });
    let line = |command: &crate::model::script::Command| {
        command.words.iter().map(|word| word.text.text.as_str()).collect::<Vec<_>>().join(" ")
    };
    runs.map(|script| script.commands.iter().map(line).collect::<Vec<_>>().join("; ")).collect()
}

#[test]
fn names_decide_and_other_files_of_the_folder_are_left_alone() {
    assert_eq!(claims(PATH), Claim::Yes);
    assert_eq!(claims("x/.circleci/config.yml"), Claim::Yes);
    assert_eq!(claims(".circleci/continue/a.yml"), Claim::Maybe);
    assert_eq!(claims("circleci/config.yml"), Claim::No);
    assert!((FORMAT.sniff)("version: 2.1\njobs:\n  a: {}\n"));
    assert!(!(FORMAT.sniff)("images:\n  x: {}\n"));
    let facts = facts_of(&FORMAT, "web/.circleci/config.yml", "version: 2\njobs:\n  build:\n    docker: [{image: a:1}]\n    steps: [checkout]\n");
    assert!(facts.pipelines.is_empty() && names(&facts) == ["a:1"]);
}

#[test]
fn executors_commands_and_parameters_make_the_job() {
    let text = "version: 2.1\nparameters:\n  tag: {type: string, default: '3.12'}\nexecutors:\n  py:\n    parameters:\n      v: {type: string, default: \
                << pipeline.parameters.tag >>}\n    docker:\n      - image: cimg/python:<< parameters.v >>\n        environment: {A: b}\n      - image: postgres:16\n\
                commands:\n  install:\n    parameters:\n      what: {type: string}\n      after: {type: steps, default: []}\n    steps:\n      - run: pip install << parameters.what >>\n      \
                - steps: << parameters.after >>\n      - when:\n          condition: << parameters.what >>\n          steps:\n            - run: echo set\n      - unless:\n          condition: true\n          steps:\n            - run: echo never\n\
                jobs:\n  test:\n    parameters:\n      v: {type: string, default: '3.11'}\n    executor: {name: py, v: << parameters.v >>}\n    environment:\n      X: y\n    steps:\n      - checkout\n      \
                - install:\n          what: tox==4.1.0\n      - run:\n          name: t\n          command: |\n            cat \\<<EOF\n            x\n            EOF\n          environment: {Q: r}\n          shell: /bin/sh\n          working_directory: ~/project/sub\n      \
                - store_test_results: {path: out}\n  idle:\n    docker: [{image: idle:1}]\n    steps: [checkout]\n  plain:\n    executor: py\n    steps: [{run: x}]\n\
                workflows:\n  w:\n    jobs:\n      - test:\n          matrix: {parameters: {v: ['3.10', '3.13']}}\n          context: [a, b]\n      - plain:\n          requires: [test]\n          filters: {branches: {only: main}}\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    assert_eq!(images(&facts, "test"), ["cimg/python:3.10", "cimg/python:3.13"]);
    assert_eq!(images(&facts, "plain"), ["cimg/python:3.12"]);
    let slot = |index: usize| &text[facts.references[index].site.version.expect("a slot").at.span.range()];
    assert_eq!(slot(0), "3.10");
    let plain = facts.references[job(&facts, "plain").images[0].index as usize].clone();
    assert_eq!(&text[plain.site.version.unwrap().at.span.range()], "3.12");
    assert_eq!(plain.key, "executors.py.docker[0].image");
    let test = job(&facts, "test");
    assert_eq!(scripts(test), ["pip install tox==4.1.0", "echo set", "cat"]);
    assert_eq!(test.steps[1].key, "commands.install.steps[0]");
    let script = &test.steps[3];
    assert_eq!(script.shell, Some(Shell::PLAIN));
    assert!(script.shell_written && script.env[0].key == "jobs.test.steps[2].run.environment.Q");
    let StepKind::Run(run) = &script.kind else { panic!("a script") };
    assert_eq!(run.cwd, "sub");
    assert_eq!((test.legs, test.artifacts[0].report, test.services.len()), (Some(2), true, 1));
    let contexts: Vec<_> = test.env.iter().filter(|one| matches!(one.value, Value::Secret { .. })).map(|one| one.key.as_str()).collect();
    assert_eq!(contexts, ["workflows.w.jobs[0].test.context[0]", "workflows.w.jobs[0].test.context[1]"]);
    let plain = job(&facts, "plain");
    assert_eq!((plain.on_patch, test.on_patch, plain.needs.clone()), (Some(false), Some(true), vec!["test".to_string()]));
    assert_eq!(facts.components[0].jobs[0].id, "idle");
}

#[test]
fn orbs_are_components_and_inline_ones_are_followed() {
    let text = "version: 2.1\norbs:\n  cov: codecov/codecov@5\n  py: circleci/python@2.1.1\n  own:\n    commands:\n      hi:\n        steps: [{run: echo hi}]\n    jobs:\n      j:\n        docker: [{image: own:1}]\n        steps: [hi]\n\
                jobs:\n  a:\n    machine: {image: 'ubuntu-2204:current'}\n    steps:\n      - own/hi\n      - cov/upload: {token: $COV_TOKEN}\nworkflows:\n  w:\n    jobs: [a, own/j, py/test: {version: '3.12'}]\n  night:\n    triggers: [{schedule: {cron: x}}]\n    jobs: [a]\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert_eq!(names(&facts)[..2], ["codecov/codecov:5", "circleci/python:2.1.1"]);
    assert_eq!(facts.references[0].key, "orbs.cov");
    let a = job(&facts, "a");
    assert_eq!(scripts(a), ["echo hi"]);
    let StepKind::Uses { component, inputs } = &a.steps[1].kind else { panic!("a component") };
    assert_eq!(component.index, 0);
    assert!(matches!(&inputs[0].value, Value::Secret { names, .. } if names == &["COV_TOKEN"]));
    assert_eq!(images(&facts, "own/j"), ["own:1"]);
    assert!(job(&facts, "py/test").calls.is_some());
    let runner = a.runner.expect("a machine");
    assert!(facts.references[runner.index as usize].strength < Some(Strength::Exact));
    assert!(facts.pipelines[0].triggers.schedule && facts.pipelines[0].triggers.push.is_some());
}

#[test]
fn shells_are_those_of_the_machine() {
    let text = "version: 2\njobs:\n  build:\n    docker: [{image: a:1}]\n    steps: [{run: x}]\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert_eq!(job(&facts, "build").steps[0].shell, Some(Shell::PIPEFAIL));
    let text = "version: 2.1\njobs:\n  build:\n    machine: {image: 'windows-server-2022-gui:2024.04.1'}\n    resource_class: windows.medium\n    steps: [{run: x}]\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert_eq!(job(&facts, "build").steps[0].shell.map(|shell| shell.language), Some(Language::PowerShell));
}

#[test]
fn a_command_that_calls_itself_ends() {
    let text = "version: 2.1\ncommands:\n  a:\n    steps: [a, a, {run: x}]\njobs:\n  build:\n    docker: [{image: a:1}]\n    steps: [a]\nworkflows:\n  w:\n    jobs: [build]\n";
    assert_eq!(facts_of(&FORMAT, PATH, text).pipelines[0].jobs.len(), 1);
}

use super::FORMAT;
use crate::formats::testing::{facts_of, names};
use crate::model::pipeline::{Phase, Setting, StepKind, Value};
use crate::model::reference::Role;
use crate::model::script::Shell;

const PATH: &str = "bitbucket-pipelines.yml";

#[test]
fn steps_are_jobs_with_images_services_and_pipes() {
    let text = "image: python:3.12\noptions: {max-time: 30}\ndefinitions:\n  services:\n    db:\n      image: {name: 'postgres:16', password: $PW}\n      variables: {A: b}\n    idle: {image: 'redis:7'}\n    docker: {memory: 2048}\n  \
                steps:\n    - step: &lint\n        name: lint\n        script: [ruff check]\npipelines:\n  default:\n    - step: *lint\n    - parallel:\n        - step:\n            image: node:20\n            services: [db, docker]\n            max-time: 5\n            \
                script:\n              - cd sub\n              - pytest\n              - pipe: atlassian/slack-notify:2.1.0\n                variables: {WEBHOOK: $SLACK_TOKEN, X: y}\n              - echo done\n            after-script: [echo after]\n            artifacts: [out/**]\n  \
                branches:\n    main:\n      - stage:\n          deployment: prod\n          steps:\n            - step: {script: [x], trigger: manual}\n  pull-requests:\n    '**':\n      - step: *lint\n  custom:\n    c:\n      import: shared:main:p\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    assert_eq!(names(&facts), ["python:3.12", "node:20", "postgres:16", "atlassian/slack-notify:2.1.0", "shared:main", "redis:7"]);
    let jobs = &facts.pipelines[0].jobs;
    assert_eq!(jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["lint", "default[1].parallel[0].step", "branches.main[0].stage.steps[0].step", "lint"]);
    let job = &jobs[1];
    assert_eq!((job.steps.len(), job.services.len(), job.timeout.plain(), jobs[0].timeout.plain()), (4, 1, Some(&5), Some(&30)));
    assert_eq!((job.steps[0].shell, job.steps[3].phase), (Some(Shell::ERREXIT), Phase::After));
    let StepKind::Uses { component, inputs } = &job.steps[1].kind else { panic!("a pipe") };
    assert_eq!(facts.references[component.index as usize].role, Role::CiInclude);
    assert!(matches!(&inputs[0].value, Value::Secret { names, .. } if names == &["SLACK_TOKEN"]));
    let StepKind::Run(script) = &job.steps[0].kind else { panic!("a script") };
    assert_eq!(script.commands[1].cwd.as_deref(), Some("sub"));
    assert_eq!(&text[script.commands[1].at.span.range()], "pytest");
    assert_eq!((jobs[2].environment.as_deref(), jobs[2].on_patch, jobs[3].on_patch), (Some("prod"), Some(false), Some(true)));
    assert_eq!(facts.pipelines[0].unseen.len(), 1);
    let import = &facts.references[4];
    assert_eq!(&text[import.site.digest.unwrap().at.span.range()], "main");
    assert_eq!(jobs[0].tolerated, Setting::Absent);
}

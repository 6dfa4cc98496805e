use super::FORMAT;
use crate::formats::testing::{facts_among, facts_of, names};
use crate::model::pipeline::{Phase, Setting, StepKind, Value};
use crate::model::pin::Strength;

const PATH: &str = ".travis.yml";

#[test]
fn phases_matrix_and_included_jobs_are_read() {
    let text = "language: python\ndist: focal\npython: ['3.11', '3.12']\nenv:\n  global:\n    - secure: 'abc='\n    - A: b\n    - TOKEN:\n        secure: 'def='\n  jobs:\n    - X=1 Y=\"a b\"\n    - X=2\nimport:\n  - acme/ci:py.yml@main\n\
                install:\n  - cd sub\n  - pip install tox\nscript:\n  - |\n    pytest\n    echo done\nafter_success: codecov\njobs:\n  include:\n    - name: lint\n      python: '3.10'\n      if: type = push\n      env: [{Q: $DEPLOY_TOKEN}]\n      script: ruff check\n  \
                allow_failures:\n    - python: '3.10'\ndeploy:\n  provider: pypi\n  password: {secure: 'x='}\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    assert_eq!(names(&facts), ["acme/ci:main", "python:3.11", "python:3.12", "runner:focal", "tox", "python:3.10"]);
    assert_eq!(&text[facts.references[0].site.digest.unwrap().at.span.range()], "@main");
    assert_eq!(facts.references[3].strength, None);
    let pipeline = &facts.pipelines[0];
    let secrets: Vec<_> = pipeline.env.iter().filter(|one| matches!(one.value, Value::Secret { .. })).map(|one| one.key.as_str()).collect();
    assert_eq!(secrets, ["env.global[0].secure", "env.global[2].TOKEN"]);
    let (build, lint) = (&pipeline.jobs[0], &pipeline.jobs[1]);
    assert_eq!((build.legs, build.pythons.len(), build.inputs.len()), (Some(4), 2, 1));
    let env: Vec<_> = build.env.iter().map(|one| (one.key.as_str(), one.value.clone())).collect();
    assert_eq!(env[1], ("env.jobs[0].Y", Value::Literal("a b".into())));
    assert_eq!(build.steps.iter().map(|step| step.key.as_str()).collect::<Vec<_>>(), ["install[0]", "install[1]", "script[0]", "after_success"]);
    let StepKind::Run(script) = &build.steps[1].kind else { panic!("a script") };
    assert_eq!(script.cwd, "sub");
    assert!(!build.steps[2].shell.unwrap().errexit && build.steps[3].phase == Phase::After);
    assert_eq!((lint.id.as_str(), lint.on_patch, lint.steps[2].key.as_str()), ("lint", Some(false), "jobs.include[0].script"));
    assert!(matches!(lint.tolerated, Setting::Plain(true, _)));
    assert!(matches!(&lint.env[0].value, Value::Secret { names, .. } if names == &["DEPLOY_TOKEN"]));
    assert_eq!(facts.references[0].strength.map(|strength| strength < Strength::Exact), Some(true));
}

#[test]
fn requirements_are_installed_when_nothing_is_said() {
    let texts = [(PATH, "language: python\nscript: pytest\n"), ("requirements.txt", "x==1\n")];
    let facts = facts_among(&FORMAT, &texts);
    assert_eq!(facts.pipelines[0].jobs[0].steps.len(), 2);
    assert_eq!(facts_of(&FORMAT, PATH, texts[0].1).pipelines[0].jobs[0].steps.len(), 1);
}

#[test]
fn included_jobs_stand_alone_when_nothing_is_multiplied() {
    let facts = facts_of(&FORMAT, PATH, "language: python\nscript: x\njobs:\n  include:\n    - python: '3.9'\n    - python: '3.10'\n");
    assert_eq!(facts.pipelines[0].jobs.len(), 2);
}

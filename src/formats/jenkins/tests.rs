use super::FORMAT;
use crate::formats::testing::{facts_of, names};
use crate::model::facts::Facts;
use crate::model::pipeline::{Job, Phase, StepKind, Value};
use crate::model::script::Shell;

fn job<'f>(facts: &'f Facts, id: &str) -> &'f Job {
    facts.pipelines[0].jobs.iter().find(|job| job.id == id).unwrap_or_else(|| panic!("no job {id}"))
}

#[test]
fn declarative_stages_are_jobs() {
    let text = "@Library('acme@main') _\npipeline {\n  agent { docker { image 'python:3.12' args '-u 0' } }\n  environment { A = 'b'; TOKEN = credentials('t') }\n  options { timeout(time: 1, unit: 'HOURS')\n disableConcurrentBuilds(abortPrevious: true) }\n  triggers { cron('H 4 * * *') }\n  stages {\n    \
                stage('Test') {\n      agent { kubernetes { yaml '''\nspec:\n  containers:\n  - name: a\n    image: node:20\n''' } }\n      steps {\n        dir('sub') { sh 'pytest' }\n        sh \"curl ${TOKEN}\"\n        sh(script: '''#!/bin/bash\npytest | tee x\n''', returnStatus: true)\n        \
                withCredentials([string(credentialsId: 'x', variable: 'X'), file(credentialsId: 'f', variable: 'F')]) {\n          sh 'use $X'\n        }\n        script { docker.image('redis:7').inside { sh 'redis-cli' } }\n      }\n      post { always { junit 'r.xml' } }\n    }\n    \
                stage('Ship') { when { branch 'main' }\n steps { bat 'ship' } }\n    stage('Both') { parallel { stage('P') { agent { dockerfile { filename 'ci/Dockerfile' } }\n steps { sh 'p' } } } }\n  }\n  post { failure { sh 'tell' } }\n}\n";
    let facts = facts_of(&FORMAT, "Jenkinsfile", text);
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    assert_eq!(names(&facts), ["acme:main", "python:3.12", "node:20", "redis:7"]);
    for reference in &facts.references[1..] {
        let slot = reference.site.version.expect("a slot").at.span;
        assert_eq!(&text[slot.range()], format!(":{}", reference.pin.version.as_deref().unwrap()));
    }
    let pipeline = &facts.pipelines[0];
    assert_eq!((pipeline.cancel.plain(), pipeline.triggers.schedule, pipeline.env.len()), (Some(&true), true, 2));
    let test = job(&facts, "Test");
    assert_eq!(test.steps.iter().map(|step| step.key.as_str()).collect::<Vec<_>>()[..2], ["stages.Test.steps[0].dir[0].sh", "stages.Test.steps[1].sh"]);
    let StepKind::Run(script) = &test.steps[0].kind else { panic!("a script") };
    assert_eq!((script.cwd.as_str(), script.shell.xtrace, test.timeout.plain()), ("sub", true, Some(&60)));
    assert!(matches!(&test.steps[1].pasted[0].value, Value::Secret { names, .. } if names == &["TOKEN"]));
    assert_eq!(test.steps[2].shell, Some(Shell::PLAIN));
    assert_eq!(test.steps[3].env.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["X"]);
    assert!(test.artifacts[0].report && test.artifacts[0].on_failure);
    assert_eq!((job(&facts, "Ship").on_patch, test.on_patch), (Some(false), Some(true)));
    assert_eq!(facts.builds_of[0].0, "ci/Dockerfile");
    assert_eq!(job(&facts, "post").steps[0].phase, Phase::After);
    assert_eq!(facts.references[2].key, "stages.Test.agent.kubernetes.yaml.spec.containers[0].image");
}

#[test]
fn the_container_of_the_whole_pipeline_runs_beside_those_of_stages() {
    let text = "pipeline {\n  agent { docker { image 'node:latest' } }\n  stages { stage('A') { agent { label 'x' }\n steps { sh 'a' } } }\n}\n";
    let facts = facts_of(&FORMAT, "Jenkinsfile", text);
    assert_eq!(names(&facts), ["node:latest"]);
    assert!(job(&facts, "A").images.is_empty());
}

#[test]
fn an_error_that_is_caught_still_fails_the_build_unless_it_says_otherwise() {
    let tolerated = |call: &str| {
        let text = format!("pipeline {{\n  agent any\n  stages {{ stage('A') {{ steps {{ {call} {{ sh 'pytest' }} }} }} }}\n}}\n");
        job(&facts_of(&FORMAT, "Jenkinsfile", &text), "A").steps[0].tolerated.plain().copied()
    };
    for call in ["catchError", "catchError(stageResult: 'FAILURE')", "catchError(buildResult: 'UNSTABLE')", "warnError('x')"] {
        assert_eq!(tolerated(call), None, "{call}");
    }
    for call in ["catchError(buildResult: 'SUCCESS')", "catchError(buildResult: null, stageResult: 'FAILURE')"] {
        assert_eq!(tolerated(call), Some(true), "{call}");
    }
}

#[test]
fn scripted_pipelines_are_read_in_part_and_that_is_said() {
    let text = "node('x') {\n  stage('a') { checkout scm }\n  docker.image('python:3').inside { sh 'pip install tox' }\n  parallel a: { sh 'f' }, b: { sh 'g' }\n}\n";
    let facts = facts_of(&FORMAT, "ci/Jenkinsfile.test", text);
    assert_eq!(names(&facts), ["python:3", "tox"]);
    assert_eq!((facts.pipelines[0].jobs[0].steps.len(), facts.pipelines[0].unseen.len()), (3, 1));
    assert!(facts_of(&FORMAT, "Jenkinsfile", "acmePipeline()\n").pipelines.is_empty());
}

#[test]
fn methods_are_read_where_they_are_called() {
    let text = "pipeline {\n  agent any\n  stages {\n    stage('A') { steps { script { init() }\n retry(2) { test('x') } } }\n    stage('B') { steps { withCredentials([string(credentialsId: 't', variable: 'T')]) { ship() } } }\n  }\n}\n\
                def test(what) {\n  sh 'pip install tox'\n  sh \"tox -e ${what}\"\n  test(what)\n}\nvoid init() {\n  ship = { sh 'ship' }\n  sh 'init'\n}\nString never() { sh 'never' }\n";
    let facts = facts_of(&FORMAT, "Jenkinsfile", text);
    let steps = |id: &str| job(&facts, id).steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>();
    assert_eq!((steps("A"), steps("B")), (vec!["init", "pip install tox", "tox -e ${what}"], vec!["ship"]));
    assert_eq!(job(&facts, "B").steps[0].env.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["T"]);
    assert_eq!(job(&facts, "A").retry.plain(), Some(&1));
    let text = "node {\n  withCredentials([string(credentialsId: 't', variable: 'T')]) { ship() }\n}\ndef ship() { sh 'ship' }\ndef job = { sh 'later' }\nrun job\n";
    let facts = facts_of(&FORMAT, "Jenkinsfile", text);
    let steps = &facts.pipelines[0].jobs[0].steps;
    assert_eq!(steps.iter().map(|step| (step.name.as_str(), step.env.len())).collect::<Vec<_>>(), [("ship", 1), ("later", 0)]);
}

#[test]
fn files_of_groovy_are_read_where_they_hold_steps() {
    use crate::formats::Claim;
    for path in ["Jenkinsfile", "ci/jenkinsfile", "ci/release.Jenkinsfile", "ci/Jenkinsfile.groovy", "nightly-jenkinsfile"] {
        assert_eq!((FORMAT.claims)(path), Claim::Yes, "{path}");
    }
    for path in ["vars/build.groovy", "ci/pipeline.groovy", ".ci/tests.jenkins", "ci/arm_jenkinsfile.groovy"] {
        assert_eq!((FORMAT.claims)(path), Claim::Maybe, "{path}");
    }
    for path in ["src/org/acme/Build.groovy", "test/x.groovy", "build.gradle"] {
        assert_eq!((FORMAT.claims)(path), Claim::No, "{path}");
    }
    for text in ["pipeline {\n}\n", "node('linux') {\n}\n", "def call() {\n  sh \"\"\"pytest\"\"\"\n}\n", "  bat(script: 'x')\n"] {
        assert!((FORMAT.sniff)(text), "{text}");
    }
    for text in ["pipelineJob('x') {\n}\n", "job('x') { steps { shell('make') } }\n", "show 'x'\n", "nodes.each { }\n"] {
        assert!(!(FORMAT.sniff)(text), "{text}");
    }
}

#[test]
fn a_step_of_a_library_starts_with_the_jenkinsfiles_that_name_it() {
    use crate::formats::testing::facts_among;
    let step = "def call() {\n  library identifier: 'h@main', retriever: modernSCM([:])\n  pipeline {\n    agent { docker { image 'python:3' } }\n    \
                stages { stage('T') { steps { sh 'pytest' } } }\n  }\n}\n";
    let jenkinsfile = "library identifier: 'own@version', retriever: legacySCM(scm)\ntestAll()\n";
    let alone = facts_of(&FORMAT, "vars/testAll.groovy", step);
    assert_eq!(names(&alone), ["h:main", "python:3"]);
    assert!(alone.pipelines[0].triggers.called && !alone.pipelines[0].triggers.patch);
    assert_eq!(job(&alone, "T").steps.len(), 1);
    let facts = facts_among(&FORMAT, &[("vars/testAll.groovy", step), ("Jenkinsfile", jenkinsfile)]);
    assert!(facts.pipelines[0].triggers.patch);
    let facts = facts_among(&FORMAT, &[("Jenkinsfile", jenkinsfile), ("vars/testAll.groovy", step)]);
    assert!(facts.references.is_empty() && facts.pipelines.is_empty(), "{:?}", facts.references);
    let facts = facts_among(&FORMAT, &[("ci/run.groovy", "sh 'pytest'\n"), ("Jenkinsfile", "node { load('ci/run.groovy') }\n")]);
    assert!(facts.pipelines[0].triggers.patch);
}

#[test]
fn texts_of_variables_and_sums_are_scripts() {
    let text = "def tools = \"python -m pip install tox ${flags} && \" +\n  'pip install -r r.txt && '\nnode {\n  def all = tools + 'tox -e py'\n  \
                sh(script: all)\n  sh 'a ' + unknown + ' b'\n  sh(fast ? 'x' : 'y')\n}\n";
    let facts = facts_of(&FORMAT, "Jenkinsfile", text);
    let steps = &job(&facts, "script").steps;
    let commands = |at: usize| {
        let StepKind::Run(script) = &steps[at].kind else { panic!("a script") };
        script.commands.iter().map(|command| command.words.iter().map(|word| word.text.text.as_str()).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(commands(0), ["python -m pip install tox ${flags}", "pip install -r r.txt", "tox -e py"]);
    assert_eq!((commands(1), commands(2)), (vec!["a ${unknown} b".to_string()], vec!["x".to_string()]));
    let StepKind::Run(script) = &steps[0].kind else { panic!("a script") };
    let last = script.commands[2].words[0].text.at.span;
    assert_eq!(&text[last.range()], "tox");
}

#[test]
fn what_steps_for_findings_read_is_kept() {
    let text = "node {\n  recordIssues(filters: [excludeFile('x')], tools: [flake8(pattern: 'logs/f.log', name: 'F'), myPy(pattern: 'm.log')])\n  stash includes: 'dist/*', name: 'd'\n}\n";
    let facts = facts_of(&FORMAT, "Jenkinsfile", &format!("{text}sh 'make'\n"));
    let paths: Vec<_> = job(&facts, "script").artifacts.iter().map(|one| one.paths.join(" ")).collect();
    assert_eq!(paths, ["logs/f.log m.log", "dist/*"]);
}

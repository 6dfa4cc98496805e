use super::{FORMAT, claims};
use crate::formats::Claim;
use crate::formats::testing::{facts_among, facts_of, names};
use crate::model::facts::Facts;
use crate::model::pin::Strength;
use crate::model::pipeline::{Job, Setting, StepKind, Value};
use crate::model::reference::Role;
use crate::model::script::{Language, Shell};

const PATH: &str = "azure-pipelines.yml";

fn job<'f>(facts: &'f Facts, id: &str) -> &'f Job {
    facts.pipelines[0].jobs.iter().find(|job| job.id == id).unwrap_or_else(|| panic!("no job {id}"))
}

fn lines(job: &Job) -> Vec<String> {
    let runs = job.steps.iter().filter_map(|step| if let StepKind::Run(script) = &step.kind { Some(script) } else { None });
    let line = |command: &crate::model::script::Command| {
        command.words.iter().map(|word| word.text.text.as_str()).collect::<Vec<_>>().join(" ")
    };
    runs.map(|script| script.commands.iter().map(line).collect::<Vec<_>>().join("; ")).collect()
}

#[test]
fn names_and_folders_decide() {
    for (path, want) in [
        (PATH, Claim::Yes),
        ("ci/azure-pipelines-linux.yaml", Claim::Yes),
        (".azure-pipelines/steps.yml", Claim::Maybe),
        (".azuredevops/x/y.yml", Claim::Maybe),
        ("pipelines.yml", Claim::No),
    ] {
        assert_eq!(claims(path), want, "{path}");
    }
}

#[test]
fn stages_jobs_containers_and_variables_are_read() {
    let text = "trigger: [main]\npr: [main]\nvariables:\n  TAG: '3.12'\n  LEAK: $(PYPI_TOKEN)\nresources:\n  containers:\n    - container: py\n      image: python:$(TAG)\n  repositories:\n    - repository: lib\n      type: github\n      name: acme/lib\n      ref: refs/heads/main\n    - repository: data\n      name: acme/data\n\
                stages:\n  - stage: Test\n    variables: {S: t}\n    jobs:\n      - job: Linux\n        pool: {vmImage: ubuntu-latest}\n        container: py\n        services: {db: postgres:16}\n        timeoutInMinutes: 20\n        strategy:\n          matrix:\n            a: {V: '3.11'}\n            b: {V: '3.12'}\n        \
                steps:\n          - checkout: self\n          - task: UsePythonVersion@0\n            inputs: {versionSpec: $(V)}\n          - bash: pip install tox\n            env: {T: $(DEPLOY_TOKEN), U: $(System.AccessToken)}\n          - script: echo $(DEPLOY_TOKEN)\n          - task: Bash@3\n            inputs: {targetType: inline, script: 'pytest | tee x'}\n          \
                - task: PublishTestResults@2\n            condition: succeededOrFailed()\n            inputs: {testResultsFiles: junit.xml}\n          - template: x.yml@lib\n      - job: Win\n        pool: {vmImage: windows-2022}\n        dependsOn: Linux\n        continueOnError: true\n        steps: [{script: nose2}, {powershell: pytest}]\n  \
                - stage: Ship\n    condition: ne(variables['Build.Reason'], 'PullRequest')\n    jobs:\n      - deployment: Web\n        environment: prod\n        strategy: {runOnce: {deploy: {steps: [{script: ./ship}]}}}\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    let all = names(&facts);
    assert_eq!(all[..3], ["python:3.12", "acme/lib:refs/heads/main", "acme/data"]);
    let slot = facts.references[0].site.version.expect("a slot").at.span;
    assert_eq!(&text[slot.range()], "3.12");
    assert_eq!((facts.references[1].role, facts.references[2].role), (Role::CiInclude, Role::Clone));
    let linux = job(&facts, "Linux");
    assert_eq!((linux.images.len(), linux.services.len(), linux.legs, linux.timeout.plain()), (1, 1, Some(2), Some(&20)));
    assert_eq!(linux.pythons.iter().map(|id| all[id.index as usize].as_str()).collect::<Vec<_>>(), ["python:3.11", "python:3.12"]);
    assert_eq!(lines(linux)[0], "pip install tox");
    assert_eq!(linux.steps[2].key, "stages[0].jobs[0].steps[2]");
    assert_eq!(linux.steps[2].shell, Some(Shell::PLAIN));
    assert!(linux.steps[2].env.iter().all(|one| matches!(one.value, Value::Secret { whole: true, .. })));
    assert_eq!(linux.steps[3].pasted.len(), 1);
    assert!(matches!(&facts.pipelines[0].env[1].value, Value::Secret { names, .. } if names == &["PYPI_TOKEN"]));
    assert!(linux.artifacts[0].report && linux.artifacts[0].on_failure);
    let win = job(&facts, "Win");
    assert_eq!(win.steps[0].shell.map(|shell| shell.language), Some(Language::Cmd));
    assert_eq!((win.needs.clone(), matches!(win.tolerated, Setting::Plain(true, _))), (vec!["Linux".to_string()], true));
    let web = job(&facts, "Web");
    assert_eq!((web.environment.as_deref(), web.on_patch, linux.on_patch), (Some("prod"), Some(false), Some(true)));
    assert_eq!(web.steps[0].key, "stages[1].jobs[0].strategy.runOnce.deploy.steps[0]");
    assert_eq!(facts.pipelines[0].unseen.len(), 1);
    let task = facts.references.iter().find(|one| one.subject.name == "PublishTestResults").expect("a task");
    assert!(task.strength < Some(Strength::Exact) && !crate::model::components::is_component(task));
}

#[test]
fn templates_are_followed_with_their_parameters() {
    let main = "pr: none\njobs:\n  - template: ci/job.yml\n    parameters:\n      name: A\n      image: python:3.12.1\n      extra: [{script: echo extra}]\n      lint: false\n  - ${{ each v in parameters.versions }}:\n    - job: J${{ v }}\n      container: node:${{ v }}\n      steps: [{script: x}]\nparameters:\n  - name: versions\n    type: object\n    default: [18, 20]\n";
    let template = "parameters:\n  name: ''\n  image: none\n  extra: []\n  lint: true\njobs:\n  - job: ${{ parameters.name }}\n    container: ${{ parameters.image }}\n    steps:\n      - script: echo one\n      - ${{ if eq(parameters.lint, true) }}:\n        - script: echo lint\n      - ${{ else }}:\n        - script: echo plain\n      - ${{ parameters.extra }}\n";
    let facts = facts_among(&FORMAT, &[(PATH, main), ("ci/job.yml", template)]);
    assert_eq!(names(&facts), ["python:3.12.1", "node:18", "node:20"]);
    assert_eq!(lines(job(&facts, "A")), ["echo one", "echo plain", "echo extra"]);
    assert_eq!(job(&facts, "A").steps[0].at.source.0, 1);
    assert_eq!(job(&facts, "J20").on_patch, None);
    let texts = [(".azure-pipelines/t.yml", "steps:\n  - script: x\n"), (PATH, "steps:\n  - template: .azure-pipelines/t.yml\n")];
    assert!(facts_among(&FORMAT, &texts).pipelines.is_empty());
}

#[test]
fn what_a_template_of_another_repository_is_handed_runs() {
    let text = "pr: [main]\nextends:\n  template: v1/official.yml@templates\n  parameters:\n    pool: {vmImage: ubuntu-22.04}\n    stages:\n      \
                - stage: S\n        jobs:\n          - job: A\n            steps:\n              - bash: pip install x\n          \
                - template: jobs/b.yml@templates\n            parameters:\n              steps:\n                - script: pytest\n";
    let facts = facts_of(&FORMAT, PATH, text);
    assert_eq!(lines(job(&facts, "A")), ["pip install x"]);
    assert_eq!(job(&facts, "A").key, "extends.parameters.stages[0].jobs[0]");
    assert_eq!(lines(job(&facts, "Job")), ["pytest"]);
    assert!(names(&facts).contains(&"x".to_string()), "{:?}", names(&facts));
    // Of a template that is here and not found, nothing is known.
    let missing = facts_of(&FORMAT, PATH, &text.replace("@templates", ""));
    assert!(missing.pipelines.iter().all(|pipeline| pipeline.jobs.is_empty()), "{:?}", missing.pipelines);
}

#[test]
fn a_template_that_is_extended_brings_containers_and_variables() {
    let template = "parameters:\n- name: TAG\nresources:\n  containers:\n  - container: builder\n    image: org/builder:$(TAG)\n\
                    variables:\n  TAG: '1.2'\njobs:\n- job: A\n  container: builder\n  steps: [{script: make}]\n";
    let pipeline = "pr: [main]\nextends:\n  template: all.yml\n";
    let facts = facts_among(&FORMAT, &[(PATH, pipeline), ("all.yml", template)]);
    assert_eq!((names(&facts), job(&facts, "A").images.len()), (vec!["org/builder:1.2".to_string()], 1));
}

#[test]
fn a_template_that_uses_itself_ends() {
    let facts = facts_of(&FORMAT, PATH, "steps:\n  - template: azure-pipelines.yml\n  - template: azure-pipelines.yml\n  - script: x\n");
    assert_eq!(facts.pipelines[0].jobs.len(), 1);
}

#[test]
fn what_other_pipelines_made_cannot_be_seen() {
    let text = "resources:\n  pipelines:\n  - {pipeline: a, source: build-app}\n  - {pipeline: b, source: other, version: '20260101.1'}\nsteps:\n- bash: make\n";
    let facts = facts_of(&FORMAT, "azure-pipelines.yml", text);
    let unseen = &facts.pipelines[0].unseen;
    assert_eq!(unseen.len(), 1);
    assert_eq!((&text[unseen[0].1.span.range()], unseen[0].0.contains("build-app")), ("build-app", true));
}

//! One leak for each CI system and each place that a secret can be in: the rule, the exact key, the level and the better place that is printed.
//!
//! The files stand here, a template each; what is found stands in `fixtures/leaks/lattice.txt`, a line for each system and place, with `not
//! expressible` and the reason where a system has no such place. `PINGUARD_WRITE=1 cargo test --test lattice` writes it anew: read the diff.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and the environment")]

use pinguard::check;
use pinguard::model::finding::{Finding, Remedy};
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::rule::Profile;
use pinguard::model::source::Sources;
use std::fmt::Write;

/// A system: its name, its file, and how a secret `API_TOKEN` gets into each place. `Err` says why it cannot.
struct System {
    name: &'static str,
    path: &'static str,
    /// All jobs (row 7).
    pipeline: Result<&'static str, &'static str>,
    /// One job with several steps, tests among them (row 6).
    job: Result<&'static str, &'static str>,
    /// One step (row 5).
    step: Result<&'static str, &'static str>,
    /// Every secret at once (row 8).
    bulk: Result<&'static str, &'static str>,
    /// A file in which `COMMAND` is run with the secret in the narrowest variable: rows 10 and 11, and arguments.
    run: &'static str,
    /// A command that keeps it for later steps (row 9).
    persist: Result<&'static str, &'static str>,
    /// A file that keeps what `env > env.txt` wrote (row 12).
    keep: Result<&'static str, &'static str>,
    /// A file with `LITERAL` as the value of `API_TOKEN` (row 13).
    literal: &'static str,
}

const NO_STEP: &str = "a step has no variables of its own";
const NO_BULK: &str = "secrets are named one by one";
const NO_LATER: &str = "nothing of a step's environment outlives it";

const SYSTEMS: &[System] = &[
    System {
        name: "GitHub Actions",
        path: ".github/workflows/a.yml",
        pipeline: Ok(
            "on: push\nenv:\n  API_TOKEN: ${{ secrets.API_TOKEN }}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{run: ./a}]\n  b:\n    runs-on: ubuntu-24.04\n    steps: [{run: ./b}]\n",
        ),
        job: Ok(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    env:\n      API_TOKEN: ${{ secrets.API_TOKEN }}\n    steps:\n      - run: pytest\n      - run: ./a\n",
        ),
        step: Ok(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ./a\n        env:\n          API_TOKEN: ${{ secrets.API_TOKEN }}\n",
        ),
        bulk: Ok(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ./a\n        env:\n          ALL: ${{ toJSON(secrets) }}\n",
        ),
        run: "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          COMMAND\n        env:\n          API_TOKEN: ${{ secrets.API_TOKEN }}\n",
        persist: Ok("echo \"API_TOKEN=$API_TOKEN\" >> \"$GITHUB_ENV\""),
        keep: Ok(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: env > env.txt\n        env:\n          API_TOKEN: ${{ secrets.API_TOKEN }}\n      - uses: actions/upload-artifact@v4\n        with: {path: env.txt}\n",
        ),
        literal: "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    env:\n      API_TOKEN: LITERAL\n    steps: [{run: ./a}]\n",
    },
    System {
        name: "GitLab CI",
        path: ".gitlab-ci.yml",
        pipeline: Ok("variables:\n  API_TOKEN: $DEPLOY_TOKEN\na:\n  script: [./a]\nb:\n  script: [./b]\n"),
        job: Ok("a:\n  variables:\n    API_TOKEN: $DEPLOY_TOKEN\n  script: [pytest, ./a]\n"),
        step: Err(NO_STEP),
        bulk: Ok("a:\n  trigger:\n    project: acme/b\n    forward: {pipeline_variables: true}\n"),
        run: "a:\n  script:\n    - COMMAND\n",
        persist: Ok("echo API_TOKEN=$API_TOKEN >> build.env"),
        keep: Ok("a:\n  script:\n    - env > env.txt\n  artifacts:\n    paths: [env.txt]\n"),
        literal: "a:\n  variables:\n    API_TOKEN: LITERAL\n  script: [./a]\n",
    },
    System {
        name: "CircleCI",
        path: ".circleci/config.yml",
        pipeline: Err("contexts are attached to jobs"),
        job: Ok(
            "version: 2.1\njobs:\n  a:\n    docker: [{image: cimg/base:2024.01}]\n    steps: [{run: pytest}, {run: ./a}]\nworkflows:\n  w:\n    jobs:\n    - a: {context: deploy}\n",
        ),
        step: Err("a context belongs to a job"),
        bulk: Err("a context is a set by nature: the row of the job speaks of it"),
        run: "version: 2.1\njobs:\n  a:\n    docker: [{image: cimg/base:2024.01}]\n    steps:\n    - run: |\n        COMMAND\nworkflows:\n  w:\n    jobs:\n    - a: {context: deploy}\n",
        persist: Ok("echo \"export X=$API_TOKEN\" >> \"$BASH_ENV\""),
        keep: Ok(
            "version: 2.1\njobs:\n  a:\n    docker: [{image: cimg/base:2024.01}]\n    steps:\n    - run: env > env.txt\n    - store_artifacts: {path: env.txt}\nworkflows:\n  w:\n    jobs:\n    - a: {context: deploy}\n",
        ),
        literal: "version: 2.1\njobs:\n  a:\n    docker: [{image: cimg/base:2024.01}]\n    environment: {API_TOKEN: LITERAL}\n    steps: [{run: ./a}]\n",
    },
    System {
        name: "Azure Pipelines",
        path: "azure-pipelines.yml",
        pipeline: Ok(
            "variables:\n  WIDE: $(API_TOKEN)\njobs:\n- job: a\n  steps: [{bash: ./a}]\n- job: b\n  steps: [{bash: ./b}]\n",
        ),
        job: Ok("jobs:\n- job: a\n  variables:\n    WIDE: $(API_TOKEN)\n  steps: [{bash: pytest}, {bash: ./a}]\n"),
        step: Err("`env` of the step is the only way to a secret variable that its vendor documents"),
        bulk: Ok(
            "jobs:\n- job: a\n  steps:\n  - task: AzureKeyVault@2\n    inputs: {azureSubscription: s, KeyVaultName: v, SecretsFilter: '*', RunAsPreJob: true}\n  - bash: pytest\n",
        ),
        run: "jobs:\n- job: a\n  steps:\n  - bash: |\n      COMMAND\n    env:\n      API_TOKEN: $(API_TOKEN)\n",
        persist: Ok("echo \"##vso[task.setvariable variable=X]$API_TOKEN\""),
        keep: Ok(
            "jobs:\n- job: a\n  steps:\n  - bash: env > env.txt\n    env: {API_TOKEN: $(API_TOKEN)}\n  - publish: env.txt\n",
        ),
        literal: "variables:\n  API_TOKEN: LITERAL\njobs:\n- job: a\n  steps: [{bash: ./a}]\n",
    },
    System {
        name: "Bitbucket Pipelines",
        path: "bitbucket-pipelines.yml",
        pipeline: Err("secured variables live on the server"),
        job: Err("secured variables live on the server"),
        step: Err("secured variables live on the server"),
        bulk: Err(NO_BULK),
        run: "pipelines:\n  default:\n  - step:\n      script:\n      - COMMAND\n",
        persist: Ok("echo \"export X=$API_TOKEN\" >> ~/.bashrc"),
        keep: Ok(
            "pipelines:\n  default:\n  - step:\n      script:\n      - env > env.txt\n      artifacts: [env.txt]\n",
        ),
        literal: "pipelines:\n  default:\n  - step: {script: ['export API_TOKEN=LITERAL']}\n",
    },
    System {
        name: "Travis CI",
        path: ".travis.yml",
        pipeline: Ok(
            "language: python\nenv:\n  global:\n  - secure: abc\njobs:\n  include:\n  - name: a\n    script: ./a\n  - name: b\n    script: ./b\n",
        ),
        job: Ok(
            "language: python\njobs:\n  include:\n  - name: a\n    env:\n    - secure: abc\n    script: [pytest, ./a]\n",
        ),
        step: Err(NO_STEP),
        bulk: Err(NO_BULK),
        run: "language: python\nscript:\n- COMMAND\n",
        persist: Ok("echo \"export X=$API_TOKEN\" >> ~/.bashrc"),
        keep: Ok("language: python\nscript:\n- env > env.txt\n- curl -T env.txt https://files.example.com\n"),
        literal: "language: python\nenv:\n- API_TOKEN=LITERAL\nscript: ./a\n",
    },
    System {
        name: "AppVeyor",
        path: "appveyor.yml",
        pipeline: Err("one job, perhaps with a matrix"),
        job: Ok("environment:\n  API_TOKEN:\n    secure: abc\ntest_script:\n- pytest\n- ./a\n"),
        step: Err(NO_STEP),
        bulk: Err(NO_BULK),
        run: "environment:\n  API_TOKEN:\n    secure: abc\nimage: Ubuntu2204\nfor: []\ntest_script:\n- sh: COMMAND\n",
        persist: Ok("echo \"export X=$API_TOKEN\" >> ~/.bashrc"),
        keep: Ok(
            "environment:\n  API_TOKEN:\n    secure: abc\nimage: Ubuntu2204\ntest_script:\n- sh: env > env.txt\nartifacts:\n- path: env.txt\n",
        ),
        literal: "environment:\n  API_TOKEN: LITERAL\ntest_script:\n- ./a\n",
    },
    System {
        name: "Jenkins",
        path: "Jenkinsfile",
        pipeline: Ok(
            "pipeline {\n  agent any\n  environment { API_TOKEN = credentials('t') }\n  stages {\n    stage('a') { steps { sh './a' } }\n    stage('b') { steps { sh './b' } }\n  }\n}\n",
        ),
        job: Ok(
            "pipeline {\n  agent any\n  stages {\n    stage('a') {\n      environment { API_TOKEN = credentials('t') }\n      steps {\n        sh 'pytest'\n        sh './a'\n      }\n    }\n  }\n}\n",
        ),
        step: Ok(
            "pipeline {\n  agent any\n  stages {\n    stage('a') { steps { withCredentials([string(credentialsId: 't', variable: 'API_TOKEN')]) { sh './a' } } }\n  }\n}\n",
        ),
        bulk: Err(NO_BULK),
        run: "pipeline {\n  agent any\n  stages {\n    stage('a') { steps { withCredentials([string(credentialsId: 't', variable: 'API_TOKEN')]) { sh '''\n      COMMAND\n''' } } }\n  }\n}\n",
        persist: Err(NO_LATER),
        keep: Ok(
            "pipeline {\n  agent any\n  stages {\n    stage('a') { steps { withCredentials([string(credentialsId: 't', variable: 'API_TOKEN')]) {\n      sh 'env > env.txt'\n    }\n    archiveArtifacts 'env.txt' } }\n  }\n}\n",
        ),
        literal: "pipeline {\n  agent any\n  environment { API_TOKEN = 'LITERAL' }\n  stages {\n    stage('a') { steps { sh './a' } }\n  }\n}\n",
    },
    System {
        name: "Drone",
        path: ".drone.yml",
        pipeline: Err("`environment` belongs to one pipeline, which is the job"),
        job: Ok(
            "kind: pipeline\nname: p\nenvironment:\n  API_TOKEN: {from_secret: t}\nsteps:\n- {name: a, image: 'python:3.12.4', commands: [pytest]}\n- {name: b, image: 'alpine:3.20', commands: [./a]}\n",
        ),
        step: Ok(
            "kind: pipeline\nname: p\nsteps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: {from_secret: t}\n  commands: [./a]\n",
        ),
        bulk: Err(NO_BULK),
        run: "kind: pipeline\nname: p\nsteps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: {from_secret: t}\n  commands:\n  - COMMAND\n",
        persist: Err(NO_LATER),
        keep: Ok(
            "kind: pipeline\nname: p\nsteps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: {from_secret: t}\n  commands:\n  - env > env.txt\n  - curl -T env.txt https://files.example.com\n",
        ),
        literal: "kind: pipeline\nname: p\nsteps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: LITERAL\n  commands: [./a]\n",
    },
    System {
        name: "Woodpecker",
        path: ".woodpecker.yml",
        pipeline: Err("variables belong to steps"),
        job: Err("variables belong to steps"),
        step: Ok(
            "steps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: {from_secret: t}\n  commands: [./a]\n",
        ),
        bulk: Err(NO_BULK),
        run: "steps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: {from_secret: t}\n  commands:\n  - COMMAND\n",
        persist: Err(NO_LATER),
        keep: Ok(
            "steps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: {from_secret: t}\n  commands:\n  - env > env.txt\n  - curl -T env.txt https://files.example.com\n",
        ),
        literal: "steps:\n- name: a\n  image: alpine:3.20\n  environment:\n    API_TOKEN: LITERAL\n  commands: [./a]\n",
    },
    System {
        name: "Buildkite",
        path: ".buildkite/pipeline.yml",
        pipeline: Ok("secrets: [API_TOKEN]\nsteps:\n- command: ./a\n- command: ./b\n"),
        job: Ok("steps:\n- commands: [pytest, ./a]\n  secrets: [API_TOKEN]\n"),
        step: Err("a step of the file is a job of its own"),
        bulk: Err(NO_BULK),
        run: "steps:\n- commands:\n  - COMMAND\n  secrets: [API_TOKEN]\n",
        persist: Ok("buildkite-agent meta-data set token \"$$API_TOKEN\""),
        keep: Ok("steps:\n- command: env > env.txt\n  secrets: [API_TOKEN]\n  artifact_paths: env.txt\n"),
        literal: "steps:\n- command: ./a\n  env: {API_TOKEN: LITERAL}\n",
    },
    System {
        name: "Google Cloud Build",
        path: "cloudbuild.yaml",
        pipeline: Err("a build is one job"),
        job: Ok(
            "steps:\n- {name: 'python:3.12.4', entrypoint: bash, args: [-c, pytest]}\n- {name: 'alpine:3.20', entrypoint: sh, args: [-c, ./a]}\noptions:\n  secretEnv: [API_TOKEN]\navailableSecrets:\n  secretManager: [{versionName: projects/p/secrets/t/versions/1, env: API_TOKEN}]\n",
        ),
        step: Ok(
            "steps:\n- {name: 'alpine:3.20', entrypoint: sh, args: [-c, ./a], secretEnv: [API_TOKEN]}\navailableSecrets:\n  secretManager: [{versionName: projects/p/secrets/t/versions/1, env: API_TOKEN}]\n",
        ),
        bulk: Err(NO_BULK),
        run: "steps:\n- name: alpine:3.20\n  script: |\n    COMMAND\n  secretEnv: [API_TOKEN]\navailableSecrets:\n  secretManager: [{versionName: projects/p/secrets/t/versions/1, env: API_TOKEN}]\n",
        persist: Ok("echo \"$API_TOKEN\" > /workspace/token"),
        keep: Ok(
            "steps:\n- name: alpine:3.20\n  script: |\n    env > env.txt\n    gsutil cp env.txt gs://bucket/\n  secretEnv: [API_TOKEN]\navailableSecrets:\n  secretManager: [{versionName: projects/p/secrets/t/versions/1, env: API_TOKEN}]\n",
        ),
        literal: "steps:\n- name: alpine:3.20\n  env: [API_TOKEN=LITERAL]\n  script: ./a\n",
    },
    System {
        name: "Tekton",
        path: "task.yaml",
        pipeline: Err("variables belong to tasks"),
        job: Ok(
            "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  stepTemplate:\n    env:\n    - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n  steps:\n  - {name: a, image: 'python:3.12.4', script: pytest}\n  - {name: b, image: 'alpine:3.20', script: ./a}\n",
        ),
        step: Ok(
            "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - name: a\n    image: alpine:3.20\n    script: ./a\n    env:\n    - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n",
        ),
        bulk: Ok(
            "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - name: a\n    image: alpine:3.20\n    script: ./a\n    envFrom:\n    - {secretRef: {name: all}}\n",
        ),
        run: "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - name: a\n    image: alpine:3.20\n    script: |\n      COMMAND\n    env:\n    - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n",
        persist: Err("results are files that the task names"),
        keep: Ok(
            "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - name: a\n    image: alpine:3.20\n    script: |\n      env > env.txt\n      curl -T env.txt https://files.example.com\n    env:\n    - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n",
        ),
        literal: "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n  - name: a\n    image: alpine:3.20\n    script: ./a\n    env: [{name: API_TOKEN, value: LITERAL}]\n",
    },
    System {
        name: "Argo Workflows",
        path: "workflow.yaml",
        pipeline: Err("variables belong to templates"),
        job: Err("a template is a job of one step"),
        step: Ok(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: a\n  templates:\n  - name: a\n    container:\n      image: python:3.12.4\n      command: [sh, -c]\n      args: ['pytest; ./a']\n      env:\n      - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n",
        ),
        bulk: Ok(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: a\n  templates:\n  - name: a\n    container:\n      image: alpine:3.20\n      command: [./a]\n      envFrom:\n      - {secretRef: {name: all}}\n",
        ),
        run: "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: a\n  templates:\n  - name: a\n    script:\n      image: alpine:3.20\n      command: [sh]\n      source: |\n        COMMAND\n      env:\n      - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n",
        persist: Err(NO_LATER),
        keep: Ok(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: a\n  templates:\n  - name: a\n    script:\n      image: alpine:3.20\n      command: [sh]\n      source: |\n        env > env.txt\n        curl -T env.txt https://files.example.com\n      env:\n      - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n",
        ),
        literal: "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: a\n  templates:\n  - name: a\n    container:\n      image: alpine:3.20\n      command: [./a]\n      env: [{name: API_TOKEN, value: LITERAL}]\n",
    },
    System {
        name: "Cirrus CI",
        path: ".cirrus.yml",
        pipeline: Ok(
            "env:\n  API_TOKEN: ENCRYPTED[abc]\na_task:\n  container: {image: 'alpine:3.20'}\n  run_script: ./a\nb_task:\n  container: {image: 'alpine:3.20'}\n  run_script: ./b\n",
        ),
        job: Ok(
            "a_task:\n  container: {image: 'python:3.12.4'}\n  env:\n    API_TOKEN: ENCRYPTED[abc]\n  test_script: pytest\n  run_script: ./a\n",
        ),
        step: Err(NO_STEP),
        bulk: Err(NO_BULK),
        run: "a_task:\n  container: {image: 'alpine:3.20'}\n  env:\n    API_TOKEN: ENCRYPTED[abc]\n  run_script: |\n    COMMAND\n",
        persist: Ok("echo \"API_TOKEN=$API_TOKEN\" >> $CIRRUS_ENV"),
        keep: Ok(
            "a_task:\n  container: {image: 'alpine:3.20'}\n  env:\n    API_TOKEN: ENCRYPTED[abc]\n  run_script: env > env.txt\n  env_artifacts: {path: env.txt}\n",
        ),
        literal: "a_task:\n  container: {image: 'alpine:3.20'}\n  env:\n    API_TOKEN: LITERAL\n  run_script: ./a\n",
    },
];

/// A row of the lattice: its name, the rules that may speak of it, and how a system makes it.
type Row = (&'static str, &'static [&'static str], fn(&System) -> Result<String, &'static str>);

const ROWS: &[Row] = &[
    ("5 step", &["secret-env-step-scope"], |system| system.step.map(str::to_string)),
    ("6 job", &["secret-env-job-scope"], |system| system.job.map(str::to_string)),
    ("7 pipeline", &["secret-env-workflow-scope"], |system| system.pipeline.map(str::to_string)),
    ("8 whole set", &["secret-env-bulk", "secret-env-job-scope"], |system| system.bulk.map(str::to_string)),
    ("9 persisted", &["secret-env-persisted"], |system| system.persist.map(|command| run(system, command))),
    ("10 image", &["secret-in-image"], |system| Ok(run(system, "docker build --build-arg TOKEN=\"$API_TOKEN\" ."))),
    ("11 printed", &["env-dump-with-secret"], |system| Ok(run(system, "env"))),
    ("11 traced", &["trace-with-secret"], |system| Ok(run(system, "set -x; ./a --as \"$API_TOKEN\""))),
    ("12 kept", &["env-dump-to-artifact"], |system| system.keep.map(str::to_string)),
    ("13 literal", &["secret-literal-in-env"], |system| Ok(system.literal.replace("LITERAL", &literal()))),
    ("argument", &["secret-in-argv"], |system| Ok(run(system, "./a --as \"$API_TOKEN\""))),
];

/// Put together at run time, so that no scanner takes this file for a leak.
fn literal() -> String {
    ["Zk9vTq4m", "Wx7RbN2y"].concat()
}

fn run(system: &System, command: &str) -> String {
    system.run.replace("COMMAND", command)
}

fn read(path: &str, text: &str) -> Project {
    let mut sources = Sources::default();
    sources.add(path, text.to_string());
    check::read(sources, Vec::new(), Policy::default())
}

fn line(finding: &Finding) -> String {
    let [default, strict] =
        [Profile::Default, Profile::Strict].map(|profile| finding.levels.in_profile(profile).name());
    let remedy = match &finding.remedy {
        Some(Remedy::Replace { safety, .. }) => format!(" [{}]", safety.name()),
        _ => String::new(),
    };
    format!("{default} {strict} {} at {}{remedy}: {}", finding.rule.id, finding.key, finding.help)
}

#[test]
fn each_place_of_each_system_is_found() {
    let mut out = String::new();
    let mut missing = Vec::new();
    for system in SYSTEMS {
        writeln!(out, "{}", system.name).expect("text grows");
        for (row, rules, make) in ROWS {
            let text = match make(system) {
                Ok(text) => text,
                Err(why) => {
                    writeln!(out, "  {row}: not expressible in this system: {why}").expect("text grows");
                    continue;
                }
            };
            let project = read(system.path, &text);
            let known = project.pipelines().any(|pipeline| pipeline.system.name == system.name);
            let first = check::findings(&project).into_iter().find(|finding| rules.contains(&finding.rule.id));
            match first.filter(|_| known) {
                Some(finding) => writeln!(out, "  {row}: {}", line(&finding)).expect("text grows"),
                None => missing.push(format!("{} {row}: nothing found in\n{text}", system.name)),
            }
            let all = check::findings(&project);
            assert!(all.iter().all(|finding| !finding.message.contains(&literal())), "a secret's text is in a message");
        }
    }
    let path = "fixtures/leaks/lattice.txt";
    if std::env::var_os("PINGUARD_WRITE").is_some() {
        std::fs::write(path, &out).expect("the list is written");
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let written = std::fs::read_to_string(path).expect("what is found is listed");
    assert_eq!(out, written, "PINGUARD_WRITE=1 cargo test --test lattice");
}

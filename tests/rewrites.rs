//! The better place for a secret, case by case and system by system: what is printed, and what an edit makes of the file. An edited file
//! parses, the finding is gone, and not one byte beside the edits differs: each row has the whole text before and after.

use pinguard::check;
use pinguard::model::edit::Patch;
use pinguard::model::facts::ProblemKind;
use pinguard::model::finding::{Finding, Remedy, Safety};
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::rule::{Level, Profile};
use pinguard::model::source::Sources;

const GITHUB: &str = ".github/workflows/a.yml";
const GITLAB: &str = ".gitlab-ci.yml";
const CIRCLECI: &str = ".circleci/config.yml";
const AZURE: &str = "azure-pipelines.yml";
const JENKINS: &str = "Jenkinsfile";
const BUILDKITE: &str = ".buildkite/pipeline.yml";
const DRONE: &str = ".drone.yml";
const WOODPECKER: &str = ".woodpecker.yml";
const DOCKERFILE: &str = "Dockerfile";
const CLOUDBUILD: &str = "cloudbuild.yaml";
const TEKTON: &str = "task.yaml";
const TRAVIS: &str = ".travis.yml";
const COMPOSE: &str = "compose.yaml";
const CIRRUS: &str = ".cirrus.yml";
const BITBUCKET: &str = "bitbucket-pipelines.yml";

fn read(path: &str, text: &str) -> Project {
    let mut sources = Sources::default();
    sources.add(path, text.to_string());
    check::read(sources, Vec::new(), Policy::default())
}

fn found(project: &Project, rule: &str) -> Vec<Finding> {
    let all = check::findings(project).into_iter();
    all.filter(|one| one.rule.id == rule && one.levels.in_profile(Profile::Audit) > Level::Off).collect()
}

/// A row: letter of the case, path, rule, text before, safety, text after.
type Edited = (&'static str, &'static str, &'static str, String, Safety, String);

fn github(steps: &str) -> String {
    format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}")
}

fn circleci(command: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  a:\n    docker: [{{image: cimg/base:2024.01}}]\n    steps:\n    - run: |\n        {command}\n"
    )
}

fn azure(step: &str) -> String {
    format!("pool: {{vmImage: ubuntu-24.04}}\nsteps:\n{step}")
}

fn jenkins(step: &str) -> String {
    format!(
        "pipeline {{\n  agent any\n  stages {{\n    stage('a') {{\n      steps {{\n        withCredentials([string(credentialsId: 'id', \
         variable: 'T')]) {{\n          {step}\n        }}\n      }}\n    }}\n  }}\n}}\n"
    )
}

/// Two stages, the second with two steps.
fn stages(environment: &str, of_stage: &str, step: &str) -> String {
    format!(
        "pipeline {{\n  agent any\n{environment}  stages {{\n    stage('test') {{\n      steps {{\n        sh 'pytest'\n      }}\n    }}\n    stage('deploy') \
         {{\n{of_stage}      steps {{\n        sh 'make'\n{step}      }}\n    }}\n  }}\n}}\n"
    )
}

fn cloudbuild(env: &str, options: &str) -> String {
    format!(
        "steps:\n- name: python:3.12.4\n  entrypoint: bash\n  args: [-c, 'pytest']\n- name: python:3.12.4\n  entrypoint: bash\n{env}  args: [-c, \
         './deploy \"$$TOKEN\"']{options}\navailableSecrets:\n  secretManager:\n  - versionName: projects/p/secrets/t/versions/1\n    env: TOKEN\n"
    )
}

fn tekton(template: &str, env: &str) -> String {
    format!(
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {{name: a}}\nspec:\n{template}  steps:\n    - name: test\n      image: python:3.12.4\n      script: \
         pytest\n    - name: deploy\n      image: python:3.12.4\n{env}      script: ./deploy \"$API_TOKEN\"\n"
    )
}

fn bitbucket(command: &str) -> String {
    format!("pipelines:\n  default:\n  - step:\n      script:\n      - |\n        {command}\n")
}

fn buildkite(command: &str) -> String {
    format!("steps:\n- command: |\n    {command}\n")
}

fn drone(secret: &str, command: &str) -> String {
    format!(
        "kind: pipeline\nname: a\nsteps:\n- name: one\n  image: alpine:3.20\n  environment: {{{secret}: {{from_secret: key}}}}\n  commands:\n  - |\n    {command}\n"
    )
}

/// A command with another variable in place of `$T`.
fn api(variable: &str, command: &str) -> String {
    command.replace("$T", variable)
}

/// What an upload with a password becomes where there is no identity.
fn pypirc(folder: &str) -> String {
    format!(
        "(umask 077 && printf '[pypi]\\nusername = __token__\\npassword = %s\\n' \"$PYPI_TOKEN\" > {folder}/pypirc) && twine upload --config-file \
         {folder}/pypirc dist/*"
    )
}

fn edited() -> Vec<Edited> {
    let login = "docker login -u u -p \"$P_TOKEN\" r.example.com";
    let piped = "printf '%s' \"$P_TOKEN\" | docker login -u u --password-stdin r.example.com";
    let curl = "curl -H \"Authorization: Bearer $T\" https://example.com";
    let read = "printf '%s\\n' \"Authorization: Bearer $T\" | curl -H @- https://example.com";
    let env = "        env:\n          P_TOKEN: ${{ secrets.P }}\n          T: ${{ secrets.T }}\n";
    let twine = "twine upload -u __token__ -p \"$PYPI_TOKEN\" dist/*";
    let pip = "pip install --extra-index-url \"https://u:$IDX_TOKEN@idx.example.com/simple\" a==1.0";
    let netrc = "(umask 077 && printf 'machine idx.example.com login u password %s\\n' \"$IDX_TOKEN\" > /tmp/netrc) && NETRC=/tmp/netrc pip install --extra-index-url \"https://idx.example.com/simple\" a==1.0";
    let wide = |env: &str, steps: &str| {
        format!(
            "on: push\n{env}jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}  b:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ./b\n"
        )
    };
    let secret_env = "env:\n  DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}\n";
    vec![
        ("C", GITHUB, "secret-in-argv", github(&format!("      - run: {login}\n{env}")), Safety::Safe, github(&format!("      - run: {piped}\n{env}"))),
        ("C", GITLAB, "secret-in-argv", format!("a:\n  script:\n    - {login}\n"), Safety::Safe, format!("a:\n  script:\n    - {piped}\n")),
        (
            "C in quotes", GITLAB, "secret-in-argv", format!("a:\n  script: ['{login}']\n"), Safety::Safe,
            format!("a:\n  script: ['{}']\n", piped.replace("'%s'", "%s")),
        ),
        ("C", CIRCLECI, "secret-in-argv", circleci(login), Safety::Safe, circleci(piped)),
        (
            "C", JENKINS, "secret-in-argv", jenkins("sh 'docker login -u u -p \"$T\" r.io'"), Safety::Safe,
            jenkins("sh 'printf %s \"$T\" | docker login -u u --password-stdin r.io'"),
        ),
        (
            "C", JENKINS, "secret-in-argv", jenkins("sh \"docker login -u u -p \\$T r.io\""), Safety::Safe,
            jenkins("sh \"printf '%s' \\$T | docker login -u u --password-stdin r.io\""),
        ),
        ("I", GITHUB, "secret-in-argv", github(&format!("      - run: |\n          {curl}\n{env}")), Safety::Unsafe, github(&format!("      - run: |\n          {read}\n{env}"))),
        (
            "I", GITLAB, "secret-in-argv", format!("a:\n  script:\n    - '{}'\n", curl.replace("$T", "$API_TOKEN")), Safety::Unsafe,
            "a:\n  script:\n    - 'echo \"Authorization: Bearer $API_TOKEN\" | curl -H @- https://example.com'\n".to_string(),
        ),
        ("I", CIRCLECI, "secret-in-argv", circleci(&curl.replace("$T", "$API_TOKEN")), Safety::Unsafe, circleci(&read.replace("$T", "$API_TOKEN"))),
        (
            "I", JENKINS, "secret-in-argv", jenkins(&format!("sh '{curl}'")), Safety::Unsafe,
            jenkins("sh 'echo \"Authorization: Bearer $T\" | curl -H @- https://example.com'"),
        ),
        (
            "A", GITHUB, "secret-publish-token",
            github("      - uses: pypa/gh-action-pypi-publish@release/v1\n        with:\n          packages-dir: dist\n          user: __token__\n          password: ${{ secrets.PYPI_TOKEN }}\n"), Safety::Unsafe,
            github("      - uses: pypa/gh-action-pypi-publish@release/v1\n        with:\n          packages-dir: dist\n").replace("    steps", "    permissions:\n      contents: read\n      id-token: write\n    steps"),
        ),
        (
            "A", GITHUB, "secret-publish-token",
            github("      - run: twine upload dist/*\n        env:\n          TWINE_USERNAME: __token__\n          TWINE_PASSWORD: ${{ secrets.PYPI_TOKEN }}\n").replace("    steps", "    permissions:\n      contents: write\n    steps"), Safety::Unsafe,
            github("      - run: twine upload dist/*\n").replace("    steps", "    permissions:\n      id-token: write\n      contents: write\n    steps"),
        ),
        (
            "A", GITLAB, "secret-publish-token", "a:\n  script:\n    - twine upload -u __token__ -p \"$PYPI_TOKEN\" dist/*\n".to_string(), Safety::Unsafe,
            "a:\n  id_tokens:\n    PYPI_ID_TOKEN:\n      aud: pypi\n  script:\n    - twine upload dist/*\n".to_string(),
        ),
        (
            "A", GITLAB, "secret-publish-token", "a:\n  variables:\n    UV_PUBLISH_TOKEN: $PYPI_TOKEN\n    MODE: fast\n  script: uv publish\n".to_string(), Safety::Unsafe,
            "a:\n  variables:\n    MODE: fast\n  id_tokens:\n    PYPI_ID_TOKEN:\n      aud: pypi\n  script: uv publish\n".to_string(),
        ),
        ("A", CIRCLECI, "secret-in-argv", circleci(twine), Safety::Unsafe, circleci(&pypirc("/tmp"))),
        ("A", BITBUCKET, "secret-in-argv", bitbucket(twine), Safety::Unsafe, bitbucket(&pypirc("/tmp"))),
        ("A", BUILDKITE, "secret-in-argv", buildkite(&twine.replace('$', "$$")), Safety::Unsafe, buildkite(&pypirc("/tmp").replace('$', "$$"))),
        ("A", DRONE, "secret-in-argv", drone("PYPI_TOKEN", twine), Safety::Unsafe, drone("PYPI_TOKEN", &pypirc("/tmp"))),
        (
            "A", AZURE, "secret-in-argv", azure(&format!("- bash: |\n    {twine}\n  env: {{PYPI_TOKEN: $(PYPI_TOKEN)}}\n")), Safety::Unsafe,
            azure(&format!("- bash: |\n    {}\n  env: {{PYPI_TOKEN: $(PYPI_TOKEN)}}\n", pypirc("\"$AGENT_TEMPDIRECTORY\""))),
        ),
        (
            "A", JENKINS, "secret-in-argv", jenkins("sh '#!/bin/sh -e\\n twine upload -p \"$T\" dist/*'"), Safety::Unsafe,
            jenkins("sh '#!/bin/sh -e\\n (umask 077 && echo \"[pypi]\" > \"$WORKSPACE_TMP\"/pypirc && echo username = __token__ >> \"$WORKSPACE_TMP\"/pypirc && echo password = \"$T\" >> \"$WORKSPACE_TMP\"/pypirc) && twine upload --config-file \"$WORKSPACE_TMP\"/pypirc dist/*'"),
        ),
        (
            "B", GITHUB, "secret-in-index-url",
            github("      - run: pip install -r r.txt\n        env:\n          PIP_INDEX_URL: https://u:${{ secrets.IDX_TOKEN }}@idx.example.com/simple\n"), Safety::Unsafe,
            github("      - run: (umask 077 && printf 'machine idx.example.com login u password %s\\n' \"$IDX_TOKEN\" > \"$RUNNER_TEMP\"/netrc) && export NETRC=\"$RUNNER_TEMP\"/netrc && pip install -r r.txt\n        env:\n          IDX_TOKEN: ${{ secrets.IDX_TOKEN }}\n          PIP_INDEX_URL: https://idx.example.com/simple\n"),
        ),
        (
            "B", AZURE, "secret-in-index-url", azure("- bash: pip install -r r.txt\n  env:\n    PIP_INDEX_URL: https://u:$(IDX_TOKEN)@idx.example.com/simple\n"), Safety::Unsafe,
            azure("- bash: (umask 077 && printf 'machine idx.example.com login u password %s\\n' \"$IDX_TOKEN\" > \"$AGENT_TEMPDIRECTORY\"/netrc) && export NETRC=\"$AGENT_TEMPDIRECTORY\"/netrc && pip install -r r.txt\n  env:\n    IDX_TOKEN: $(IDX_TOKEN)\n    PIP_INDEX_URL: https://idx.example.com/simple\n"),
        ),
        ("B", GITLAB, "secret-in-index-url", format!("a:\n  script:\n    - {pip}\n"), Safety::Unsafe, format!("a:\n  script:\n    - {}\n", netrc)),
        (
            "B in quotes", GITLAB, "secret-in-index-url", format!("a:\n  script: ['{pip}']\n"), Safety::Unsafe,
            "a:\n  script: ['(umask 077 && echo machine idx.example.com login u password \"$IDX_TOKEN\" > /tmp/netrc) && NETRC=/tmp/netrc pip install --extra-index-url \"https://idx.example.com/simple\" a==1.0']\n".to_string(),
        ),
        (
            "B", GITLAB, "secret-in-index-url", "a:\n  script:\n    - export PIP_INDEX_URL=\"https://u:${IDX_TOKEN}@idx.example.com/simple\"\n    - pip install -r r.txt\n".to_string(), Safety::Unsafe,
            "a:\n  script:\n    - (umask 077 && printf 'machine idx.example.com login u password %s\\n' \"${IDX_TOKEN}\" > /tmp/netrc) && export NETRC=/tmp/netrc && export PIP_INDEX_URL=\"https://idx.example.com/simple\"\n    - pip install -r r.txt\n".to_string(),
        ),
        ("B", CIRCLECI, "secret-in-index-url", circleci(pip), Safety::Unsafe, circleci(netrc)),
        ("B", BITBUCKET, "secret-in-index-url", bitbucket(pip), Safety::Unsafe, bitbucket(netrc)),
        ("B", BUILDKITE, "secret-in-index-url", buildkite(&pip.replace('$', "$$")), Safety::Unsafe, buildkite(&netrc.replace('$', "$$"))),
        ("B", DRONE, "secret-in-index-url", drone("IDX_TOKEN", pip), Safety::Unsafe, drone("IDX_TOKEN", netrc)),
        (
            "B", DOCKERFILE, "secret-in-index-url",
            "FROM python:3.12.4\nARG IDX_TOKEN\nRUN pip install --index-url https://u:$IDX_TOKEN@idx.example.com/simple a==1.0\n".to_string(), Safety::Unsafe,
            "FROM python:3.12.4\nRUN --mount=type=secret,id=netrc,target=/root/.netrc pip install --index-url https://idx.example.com/simple a==1.0\n".to_string(),
        ),
        ("C", BUILDKITE, "secret-in-argv", buildkite(&login.replace('$', "$$")), Safety::Safe, buildkite(&piped.replace('$', "$$"))),
        ("C", DRONE, "secret-in-argv", drone("P_TOKEN", login), Safety::Safe, drone("P_TOKEN", piped)),
        ("C", BITBUCKET, "secret-in-argv", bitbucket(login), Safety::Safe, bitbucket(piped)),
        ("C", AZURE, "secret-in-argv", azure(&format!("- bash: {login}\n  env: {{P_TOKEN: $(P_TOKEN)}}\n")), Safety::Safe, azure(&format!("- bash: {piped}\n  env: {{P_TOKEN: $(P_TOKEN)}}\n"))),
        ("I", BUILDKITE, "secret-in-argv", buildkite(&api("$$API_TOKEN", curl)), Safety::Unsafe, buildkite(&api("$$API_TOKEN", read))),
        ("I", DRONE, "secret-in-argv", drone("API_TOKEN", &api("$API_TOKEN", curl)), Safety::Unsafe, drone("API_TOKEN", &api("$API_TOKEN", read))),
        ("I", BITBUCKET, "secret-in-argv", bitbucket(&api("$API_TOKEN", curl)), Safety::Unsafe, bitbucket(&api("$API_TOKEN", read))),
        (
            "K", COMPOSE, "secret-compose-env",
            "services:\n  db:\n    image: postgres:16.3\n    environment:\n      POSTGRES_USER: joe\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n".to_string(), Safety::Unsafe,
            "secrets:\n  db_password:\n    environment: DB_PASSWORD\nservices:\n  db:\n    image: postgres:16.3\n    secrets:\n      - db_password\n    environment:\n      POSTGRES_USER: joe\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n".to_string(),
        ),
        (
            "K", COMPOSE, "secret-compose-env",
            "services:\n  a:\n    image: mysql:8.4.0\n    environment:\n      - MYSQL_ROOT_PASSWORD=${DB_PASSWORD}\n      - MYSQL_PASSWORD=$MY_PASSWORD\n    secrets: [other]\n  b:\n    image: mongo:7.0.1\n    environment:\n      MONGO_INITDB_ROOT_PASSWORD: \"${DB_PASSWORD}\"\nsecrets:\n  other:\n    file: ./o\n".to_string(), Safety::Unsafe,
            "services:\n  a:\n    image: mysql:8.4.0\n    environment:\n      - MYSQL_ROOT_PASSWORD_FILE=/run/secrets/db_password\n      - MYSQL_PASSWORD_FILE=/run/secrets/my_password\n    secrets: [db_password, my_password, other]\n  b:\n    image: mongo:7.0.1\n    secrets:\n      - db_password\n    environment:\n      MONGO_INITDB_ROOT_PASSWORD_FILE: \"/run/secrets/db_password\"\nsecrets:\n  db_password:\n    environment: DB_PASSWORD\n  my_password:\n    environment: MY_PASSWORD\n  other:\n    file: ./o\n".to_string(),
        ),
        (
            "D", GITHUB, "secret-env-job-scope",
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    env:\n      TOKEN: ${{ secrets.TOKEN }}\n    steps:\n      - if: env.TOKEN != ''\n        run: ./publish\n      - if: ${{ env.TOKEN == '' }}\n        run: ./b\n".to_string(),
            Safety::Unsafe,
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    env:\n      HAS_TOKEN: ${{ secrets.TOKEN != '' }}\n    steps:\n      - if: env.HAS_TOKEN == 'true'\n        env:\n          TOKEN: ${{ secrets.TOKEN }}\n        run: ./publish\n      - if: ${{ env.HAS_TOKEN != 'true' }}\n        run: ./b\n".to_string(),
        ),
        (
            "E", GITHUB, "secret-env-workflow-scope", wide(secret_env, "      - run: ./x\n      - run: ./use \"$DEPLOY_KEY\"\n"), Safety::Unsafe,
            wide("", "      - run: ./x\n      - env:\n          DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}\n        run: ./use \"$DEPLOY_KEY\"\n"),
        ),
        (
            "E", GITHUB, "secret-env-job-scope", github("      - run: ./x\n      - run: ./use \"$DEPLOY_KEY\"\n").replace("    steps", "    env:\n      DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}\n    steps"), Safety::Unsafe,
            github("      - run: ./x\n      - env:\n          DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}\n        run: ./use \"$DEPLOY_KEY\"\n"),
        ),
        (
            "E", GITLAB, "secret-env-workflow-scope", "variables:\n  WIDE_TOKEN: $DEPLOY_TOKEN\na:\n  script:\n    - ./use \"$WIDE_TOKEN\"\nb:\n  script:\n    - ./b\n".to_string(), Safety::Unsafe,
            "a:\n  variables:\n    WIDE_TOKEN: $DEPLOY_TOKEN\n  script:\n    - ./use \"$WIDE_TOKEN\"\nb:\n  script:\n    - ./b\n".to_string(),
        ),
        (
            "E", DRONE, "secret-env-job-scope", "kind: pipeline\nname: a\nenvironment:\n  DEPLOY_KEY: {from_secret: key}\nsteps:\n- name: one\n  image: alpine:3.20\n  commands:\n  - ./one\n- name: two\n  image: alpine:3.20\n  commands:\n  - ./two \"$DEPLOY_KEY\"\n".to_string(), Safety::Unsafe,
            "kind: pipeline\nname: a\nsteps:\n- name: one\n  image: alpine:3.20\n  commands:\n  - ./one\n- name: two\n  image: alpine:3.20\n  environment:\n    DEPLOY_KEY: {from_secret: key}\n  commands:\n  - ./two \"$DEPLOY_KEY\"\n".to_string(),
        ),
        (
            "E", DRONE, "secret-env-job-scope", "kind: pipeline\nname: a\nenvironment:\n  DEPLOY_KEY: {from_secret: key}\n  MODE: fast\nsteps:\n- name: one\n  image: alpine:3.20\n  commands: [./one \"$DEPLOY_KEY\"]\n- name: two\n  image: alpine:3.20\n  environment:\n    A: b\n  commands: [./two \"$DEPLOY_KEY\"]\n- name: three\n  image: alpine:3.20\n  commands: [./three]\n".to_string(), Safety::Unsafe,
            "kind: pipeline\nname: a\nenvironment:\n  MODE: fast\nsteps:\n- name: one\n  image: alpine:3.20\n  environment:\n    DEPLOY_KEY: {from_secret: key}\n  commands: [./one \"$DEPLOY_KEY\"]\n- name: two\n  image: alpine:3.20\n  environment:\n    DEPLOY_KEY: {from_secret: key}\n    A: b\n  commands: [./two \"$DEPLOY_KEY\"]\n- name: three\n  image: alpine:3.20\n  commands: [./three]\n".to_string(),
        ),
        (
            "E", AZURE, "secret-env-workflow-scope", "variables:\n  STAGE: prod\n  WIDE: $(API_TOKEN)\njobs:\n- job: a\n  steps:\n  - bash: ./a \"$WIDE\"\n  - bash: ./b\n- job: b\n  steps:\n  - script: ./b\n".to_string(), Safety::Unsafe,
            "variables:\n  STAGE: prod\njobs:\n- job: a\n  steps:\n  - env:\n      WIDE: $(API_TOKEN)\n    bash: ./a \"$WIDE\"\n  - bash: ./b\n- job: b\n  steps:\n  - script: ./b\n".to_string(),
        ),
        (
            "E", BUILDKITE, "secret-env-workflow-scope", "secrets:\n  - DEPLOY_TOKEN\n  - OTHER_TOKEN\nsteps:\n  - label: a\n    command: ./a \"$$DEPLOY_TOKEN\"\n  - label: b\n    command: ./b\n  - label: c\n    command: ./c \"$$OTHER_TOKEN\"\n    secrets: [X_TOKEN]\n".to_string(), Safety::Unsafe,
            "steps:\n  - label: a\n    secrets:\n      - DEPLOY_TOKEN\n    command: ./a \"$$DEPLOY_TOKEN\"\n  - label: b\n    command: ./b\n  - label: c\n    command: ./c \"$$OTHER_TOKEN\"\n    secrets: [OTHER_TOKEN, X_TOKEN]\n".to_string(),
        ),
        (
            "E", BUILDKITE, "secret-env-workflow-scope", "secrets:\n  API_TOKEN: deploy-token\nsteps:\n  - command: ./a \"$$API_TOKEN\"\n  - command: ./b\n".to_string(), Safety::Unsafe,
            "steps:\n  - secrets:\n      API_TOKEN: deploy-token\n    command: ./a \"$$API_TOKEN\"\n  - command: ./b\n".to_string(),
        ),
        ("E", CLOUDBUILD, "secret-env-job-scope", cloudbuild("", "\noptions:\n  secretEnv: ['TOKEN']"), Safety::Unsafe, cloudbuild("  secretEnv:\n    - 'TOKEN'\n", "")),
        (
            "E", CLOUDBUILD, "secret-env-job-scope", cloudbuild("", "\noptions:\n  logging: NONE\n  secretEnv:\n  - TOKEN"), Safety::Unsafe,
            cloudbuild("  secretEnv:\n    - TOKEN\n", "\noptions:\n  logging: NONE"),
        ),
        (
            "E", TEKTON, "secret-env-job-scope", tekton("  stepTemplate:\n    env:\n      - name: API_TOKEN\n        valueFrom:\n          secretKeyRef:\n            name: s\n            key: k\n", ""), Safety::Unsafe,
            tekton("", "      env:\n        - name: API_TOKEN\n          valueFrom:\n            secretKeyRef:\n              name: s\n              key: k\n"),
        ),
        (
            "E", TEKTON, "secret-env-job-scope", tekton("  stepTemplate:\n    env:\n    - {name: A, value: b}\n    - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n", "      env:\n      - name: C\n        value: d\n"), Safety::Unsafe,
            tekton("  stepTemplate:\n    env:\n    - {name: A, value: b}\n", "      env:\n      - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}\n      - name: C\n        value: d\n"),
        ),
        (
            "E", CIRRUS, "secret-env-workflow-scope", "env:\n  API_TOKEN: ENCRYPTED[abc]\n  MODE: fast\ntest_task:\n  container: {image: python:3.12.4}\n  test_script: pytest\ndeploy_task:\n  container: {image: python:3.12.4}\n  deploy_script: ./deploy \"$API_TOKEN\"\n".to_string(), Safety::Unsafe,
            "env:\n  MODE: fast\ntest_task:\n  container: {image: python:3.12.4}\n  test_script: pytest\ndeploy_task:\n  container: {image: python:3.12.4}\n  env:\n    API_TOKEN: ENCRYPTED[abc]\n  deploy_script: ./deploy \"$API_TOKEN\"\n".to_string(),
        ),
        (
            "H", JENKINS, "secret-env-workflow-scope", stages("  environment {\n    API_TOKEN = credentials('api')\n    MODE = 'fast'\n  }\n", "", "        sh './deploy \"$API_TOKEN\"'\n"), Safety::Unsafe,
            stages("  environment {\n    MODE = 'fast'\n  }\n", "", "        withCredentials([string(credentialsId: 'api', variable: 'API_TOKEN')]) {\n          sh './deploy \"$API_TOKEN\"'\n        }\n"),
        ),
        (
            "H", JENKINS, "secret-env-job-scope", stages("", "      environment {\n        A_TOKEN = credentials('a')\n        B_TOKEN = credentials('b')\n      }\n", "        sh '''\n          ./deploy \"$A_TOKEN\" \"$B_TOKEN\"\n        '''\n"), Safety::Unsafe,
            stages("", "", "        withCredentials([string(credentialsId: 'a', variable: 'A_TOKEN'), string(credentialsId: 'b', variable: 'B_TOKEN')]) {\n          sh '''\n          ./deploy \"$A_TOKEN\" \"$B_TOKEN\"\n        '''\n        }\n"),
        ),
        (
            "H", JENKINS, "secret-inline-expansion", jenkins("sh \"curl -d '$T' https://example.com\""), Safety::Unsafe,
            jenkins("sh 'curl -d \"$T\" https://example.com'"),
        ),
        (
            "inline", GITHUB, "secret-inline-expansion", github("      - run: ./x --with \"${{ secrets.T }}\"\n"), Safety::Safe,
            github("      - env:\n          T: ${{ secrets.T }}\n        run: ./x --with \"$T\"\n"),
        ),
        (
            "inline in a substitution", GITHUB, "secret-inline-expansion", github("      - run: echo \"A=$([ -n '${{ secrets.T }}' ] && echo 1)\" >> \"$GITHUB_ENV\"\n"), Safety::Safe,
            github("      - env:\n          T: ${{ secrets.T }}\n        run: echo \"A=$([ -n \"$T\" ] && echo 1)\" >> \"$GITHUB_ENV\"\n"),
        ),
        (
            "inline", AZURE, "secret-inline-expansion", azure("- bash: ./x --with \"$(API_TOKEN)\"\n"), Safety::Safe,
            azure("- env:\n    API_TOKEN: $(API_TOKEN)\n  bash: ./x --with \"$API_TOKEN\"\n"),
        ),
        (
            "inline", BUILDKITE, "secret-inline-expansion", "steps:\n- command: ./x \"${API_TOKEN}\" $DB_PASSWORD\n".to_string(), Safety::Unsafe,
            "steps:\n- command: ./x \"$${API_TOKEN}\" $$DB_PASSWORD\n".to_string(),
        ),
        (
            "inline", WOODPECKER, "secret-inline-expansion", "steps:\n- name: a\n  image: alpine:3.20\n  commands:\n  - ./x ${API_TOKEN}\n".to_string(), Safety::Unsafe,
            "steps:\n- name: a\n  image: alpine:3.20\n  commands:\n  - ./x $${API_TOKEN}\n".to_string(),
        ),
    ]
}

#[test]
fn edits_make_exactly_the_better_text() {
    let mut wrong = Vec::new();
    for (case, path, rule, before, safety, after) in edited() {
        let project = read(path, &before);
        let findings = found(&project, rule);
        let replace = findings.iter().find_map(|one| match &one.remedy {
            Some(Remedy::Replace { edits, safety: own }) if *own == safety => Some(edits.clone()),
            _ => None,
        });
        let Some(edits) = replace else {
            let remedies: Vec<_> = findings.iter().map(|one| (&one.remedy, &one.message)).collect();
            wrong.push(format!("{case} {path}: {rule} has no such edit: {remedies:?}"));
            continue;
        };
        let mut patch = Patch::default();
        patch.merge(edits).expect("edits of one finding fit together");
        let source = project.sources.iter().next().expect("one source");
        let text = patch.apply(source.id, &source.text);
        if text != after {
            wrong.push(format!("{case} {path}: {rule} makes\n{text}\nand not\n{after}"));
            continue;
        }
        let mended = read(path, &text);
        if mended.problems(ProblemKind::Unreadable).next().is_some()
            || mended.pipelines().count() != project.pipelines().count()
        {
            wrong.push(format!("{case} {path}: what {rule} makes does not parse:\n{text}"));
        }
        if !found(&mended, rule).is_empty() {
            wrong.push(format!("{case} {path}: {rule} still fires on\n{text}"));
        }
        let new = worse(&project, &mended);
        if !new.is_empty() {
            wrong.push(format!("{case} {path}: what {rule} makes has new findings {new:?}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Rules that say more in strict about a better text than about the one before: what a narrower place is worth is said for it too.
const NARROWEST: &[&str] = &["secret-env-step-scope", "secret-in-argv"];

/// What is a warning or an error in `strict` after an edit and was none before.
fn worse(before: &Project, after: &Project) -> Vec<String> {
    let loud = |project: &Project| {
        let all = check::findings(project).into_iter();
        let loud = all.filter(|one| one.levels.in_profile(Profile::Strict) >= Level::Warning);
        loud.map(|one| one.rule.id).collect::<Vec<_>>()
    };
    let known = loud(before);
    let new = loud(after).into_iter().filter(|rule| !known.contains(rule) && !NARROWEST.contains(rule));
    new.map(str::to_string).collect()
}

/// A row: letter of the case, path, rule, text, what is printed.
type Printed = (&'static str, &'static str, &'static str, String, &'static [&'static str]);

fn printed() -> Vec<Printed> {
    let twine = "twine upload -u __token__ -p \"$PYPI_TOKEN\" dist/*";
    // The token alone: nobody but the index knows which user goes with it.
    let pip = "pip install --extra-index-url \"https://$IDX_TOKEN@idx.example.com/simple\" a==1.0";
    let netrc: &[&str] = &[
        "machine idx.example.com login",
        "\"$IDX_TOKEN\" > ",
        "--index-url https://idx.example.com/simple",
        "umask 077",
    ];
    let keys = |lead: &str| format!("{lead}AWS_SECRET_ACCESS_KEY");
    vec![
        (
            "A", GITHUB, "secret-publish-token",
            github("      - run: twine upload dist/*\n        env: {TWINE_PASSWORD: \"${{ secrets.PYPI_TOKEN }}\"}\n"),
            &["id-token: write", "pypa/gh-action-pypi-publish@", "environment: pypi"],
        ),
        ("A", GITLAB, "secret-publish-token", format!("a:\n  script:\n    - {}\n", twine.replace("-p ", "--password=")), &["PYPI_ID_TOKEN: {aud: pypi}", "twine upload dist/*"]),
        ("A", CIRCLECI, "secret-in-argv", circleci(twine), &["--config-file"]),
        ("A", JENKINS, "secret-in-argv", jenkins("sh 'twine upload -p \"$T\" dist/*'"), &["--config-file"]),
        (
            "B", GITHUB, "secret-in-index-url",
            github("      - run: pip install -r r.txt\n        env: {PIP_EXTRA_INDEX_URL: \"https://u:${{ secrets.IDX_TOKEN }}@idx.example.com/simple\"}\n"),
            &["machine idx.example.com login", "secrets.IDX_TOKEN", "$RUNNER_TEMP/netrc", "--index-url https://idx.example.com/simple"],
        ),
        ("B", GITLAB, "secret-in-index-url", format!("a:\n  script:\n    - {pip}\n"), netrc),
        ("B", CIRCLECI, "secret-in-index-url", circleci(pip), netrc),
        ("B", BITBUCKET, "secret-in-index-url", format!("pipelines:\n  default:\n  - step:\n      script:\n      - {pip}\n"), netrc),
        (
            "B", "Dockerfile", "secret-in-index-url",
            "FROM python:3.12.4\nARG IDX_TOKEN\nRUN pip install --index-url https://$IDX_TOKEN@idx.example.com/simple a==1.0\n".to_string(),
            &["--mount=type=secret,id=netrc,target=/root/.netrc", "https://idx.example.com/simple"],
        ),
        (
            "G", GITHUB, "secret-static-cloud-key", github(&format!("      - run: ./x\n        env: {{{}: \"${{{{ secrets.K }}}}\"}}\n", keys(""))),
            &["role-to-assume", "id-token: write"],
        ),
        ("G", GITLAB, "secret-static-cloud-key", "a:\n  variables: {AWS_SECRET_ACCESS_KEY: $PROD_SECRET_KEY}\n  script: [./x]\n".to_string(), &["id_tokens", "AWS_WEB_IDENTITY_TOKEN_FILE"]),
        ("G", AZURE, "secret-static-cloud-key", azure("- bash: ./x\n  env: {AWS_SECRET_ACCESS_KEY: $(AWS_SECRET_ACCESS_KEY)}\n"), &["AzureCLI@2"]),
        ("G", BUILDKITE, "secret-static-cloud-key", "steps:\n- command: ./x\n  secrets: [AWS_SECRET_ACCESS_KEY]\n".to_string(), &["oidc request-token", "AWS_WEB_IDENTITY_TOKEN_FILE"]),
        ("G", CIRRUS, "secret-static-cloud-key", "a_task:\n  env:\n    AWS_SECRET_ACCESS_KEY: ENCRYPTED[abc]\n  a_script: ./x\n".to_string(), &["CIRRUS_OIDC_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"]),
        ("G", TEKTON, "secret-static-cloud-key", tekton("", "      env: [{name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n"), &["serviceAccountName"]),
        (
            "G", JENKINS, "secret-static-cloud-key", stages("  environment {\n    AWS_SECRET_ACCESS_KEY = credentials('aws')\n  }\n", "", ""),
            &["withCredentials([file(credentialsId: 'aws'", "AWS_ROLE_ARN"],
        ),
        ("G", CLOUDBUILD, "secret-static-cloud-key", cloudbuild("", "").replace("TOKEN", "AWS_SECRET_ACCESS_KEY").replace("  args: [-c, './", "  secretEnv: [AWS_SECRET_ACCESS_KEY]\n  args: [-c, './"), &["serviceAccount"]),
        (
            "J", GITHUB, "secret-env-step-scope", github("      - run: pytest\n        env: {OPENAI_API_KEY: \"${{ secrets.OPENAI_API_KEY }}\"}\n"),
            &["accepted", "No patch starts this step", "--showlocals", "`repr`"],
        ),
        (
            "J", GITHUB, "secret-env-step-scope",
            github("      - run: pytest\n        env: {OPENAI_API_KEY: \"${{ secrets.OPENAI_API_KEY }}\"}\n").replace("on: push", "on: pull_request"),
            &["accepted", "No patch of a stranger", "`if: github.event_name != 'pull_request'`"],
        ),
        (
            "J", GITHUB, "secret-env-step-scope",
            github("      - if: github.event_name != 'pull_request'\n        run: pytest\n        env: {OPENAI_API_KEY: \"${{ secrets.OPENAI_API_KEY }}\"}\n").replace("on: push", "on: pull_request"),
            &["accepted", "No patch starts this step"],
        ),
        ("J", JENKINS, "secret-env-step-scope", jenkins("sh 'pytest'"), &["accepted", "when { not { changeRequest() } }"]),
        (
            "J", WOODPECKER, "secret-env-step-scope",
            "when: [{event: [push, pull_request]}]\nsteps:\n- name: one\n  image: python:3.12.4\n  environment: {OPENAI_API_KEY: {from_secret: key}}\n  commands: [pytest]\n".to_string(),
            &["accepted", "`when: [{event: push}]`"],
        ),
        (
            "J", GITLAB, "secret-env-job-scope", "a:\n  variables: {OPENAI_API_KEY: $KEY_TOKEN}\n  script: [pytest]\n  rules:\n  - when: always\n".to_string(),
            &["keep patches away", "CI_PIPELINE_SOURCE"],
        ),
        ("J", BUILDKITE, "secret-env-job-scope", "steps:\n- command: pytest\n  secrets: [OPENAI_API_KEY]\n".to_string(), &["keep patches away", "build.pull_request.id == null"]),
        ("J", CIRRUS, "secret-env-job-scope", "a_task:\n  env:\n    OPENAI_API_KEY: ENCRYPTED[abc]\n  container: {image: python:3.12.4}\n  test_script: pytest\n".to_string(), &["keep patches away", "only_if: $CIRRUS_PR == ''"]),
        ("J", TRAVIS, "secret-env-job-scope", "language: python\njobs:\n  include:\n  - env:\n    - secure: abc\n    script: pytest\n".to_string(), &["keep patches away", "type != pull_request"]),
        (
            "J", DRONE, "secret-env-step-scope",
            "kind: pipeline\nname: a\nsteps:\n- name: one\n  image: python:3.12.4\n  environment: {OPENAI_API_KEY: {from_secret: key}}\n  commands: [pytest]\n".to_string(),
            &["accepted", "No patch of a stranger"],
        ),
    ]
}

#[test]
fn what_a_person_has_to_do_is_printed() {
    let mut wrong = Vec::new();
    for (case, path, rule, text, wanted) in printed() {
        let said: Vec<String> = found(&read(path, &text), rule)
            .into_iter()
            .map(|one| match one.remedy {
                Some(Remedy::Guide(text)) => format!("{}\n{text}", one.help),
                _ => one.help,
            })
            .collect();
        if !said.iter().any(|said| wanted.iter().all(|part| said.contains(part))) {
            wrong.push(format!("{case} {path}: {rule} says {said:#?} and not {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// F: a step that only puts a secret into a file; K: passwords of throw-away services.
#[test]
fn what_is_good_already_is_left_alone() {
    let write = "umask 077\n{}printf 'machine i.example.com login t password %s\\n' \"$IDX_TOKEN\" > \"{}/netrc\"\n";
    let script = |indent: &str, folder: &str| write.replacen("{}", indent, 1).replacen("{}", folder, 1);
    let rows = [
        (GITHUB, github(&format!("      - shell: bash\n        env: {{IDX_TOKEN: \"${{{{ secrets.IDX_TOKEN }}}}\"}}\n        run: |\n          {}          echo \"NETRC=$RUNNER_TEMP/netrc\" >> \"$GITHUB_ENV\"\n", script("          ", "$RUNNER_TEMP")))),
        (GITLAB, format!("a:\n  script:\n    - |\n      {}", script("      ", "/tmp"))),
        (CIRCLECI, circleci(&script("        ", "/tmp"))),
        (AZURE, azure(&format!("- bash: |\n    {}  env: {{IDX_TOKEN: $(IDX_TOKEN)}}\n", script("    ", "$AGENT_TEMPDIRECTORY")))),
        (DRONE, format!("kind: pipeline\nname: a\nsteps:\n- name: one\n  image: alpine:3.20\n  environment: {{IDX_TOKEN: {{from_secret: key}}}}\n  commands:\n  - |\n    {}", script("    ", "/tmp"))),
        ("compose.yaml", "services:\n  db:\n    image: postgres:16.3\n    environment: {POSTGRES_PASSWORD: postgres}\n".to_string()),
        (GITHUB, github("      - run: ./x\n").replace("    steps", "    services:\n      db:\n        image: postgres:16.3\n        env: {POSTGRES_PASSWORD: postgres}\n    steps")),
        (GITLAB, "a:\n  services: [postgres:16.3]\n  variables: {POSTGRES_PASSWORD: postgres}\n  script: [./x]\n".to_string()),
        (BITBUCKET, "definitions:\n  services:\n    db: {image: postgres:16.3, variables: {POSTGRES_PASSWORD: postgres}}\npipelines:\n  default:\n  - step: {services: [db], script: [./x]}\n".to_string()),
    ];
    let mut wrong = Vec::new();
    for (path, text) in rows {
        let project = read(path, &text);
        assert!(project.problems(ProblemKind::Unreadable).next().is_none(), "{text}");
        let all = check::findings(&project).into_iter();
        let on =
            all.filter(|one| one.rule.id.starts_with("secret-") && one.levels.in_profile(Profile::Strict) > Level::Off);
        wrong.extend(on.map(|one| format!("{path}: {} {}\n{text}", one.rule.id, one.message)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

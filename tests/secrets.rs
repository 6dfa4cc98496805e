//! Secrets in variables on planted repositories: one leak for each place, all found at their exact key and level, and clean twins that are
//! silent; pairs of which one fires and the other does not; edits that mend what they were made for.
//!
//! A set is a folder `fixtures/leaks/NAME/` with `bad/` and `clean/`. `bad/expected` lists what profile `strict` finds, a line each: level in
//! `default` and `strict`, rule, path, key, name. `PINGUARD_WRITE=1 cargo test --test secrets` writes the lists anew: read the diff.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and the environment")]

mod support;

use pinguard::check;
use pinguard::model::edit::Patch;
use pinguard::model::finding::{Finding, Remedy, Safety};
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::rule::{Level, Profile};
use pinguard::model::source::Sources;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of planted sets about scopes.
fn sets() -> Vec<PathBuf> {
    ["scopes_github", "scopes_gitlab", "scopes_files"]
        .iter()
        .map(|name| Path::new("fixtures/leaks").join(name))
        .collect()
}

fn project(folder: &Path, kind: &str) -> Project {
    let all = support::folder_of_repositories(folder);
    let one = all.into_iter().find(|one| one.name == kind).unwrap_or_else(|| panic!("{folder:?} has no {kind}"));
    let files = one.files.into_iter().filter(|(path, _)| path != "expected");
    read(files.collect())
}

fn read(files: Vec<(String, String)>) -> Project {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(path, text);
    }
    check::read(sources, Vec::new(), Policy::default())
}

/// Literals and dumps have tests of their own.
fn is_about_scopes(finding: &Finding) -> bool {
    let id = finding.rule.id;
    id.starts_with("secret-") && !id.starts_with("secret-literal")
}

fn line(project: &Project, finding: &Finding) -> String {
    let [default, strict] =
        [Profile::Default, Profile::Strict].map(|profile| finding.levels.in_profile(profile).name());
    let (id, path) = (finding.rule.id, project.path(finding.at));
    format!("{default} {strict} {id} {path} {} ({})", finding.key, finding.name)
}

fn lines(project: &Project) -> Vec<String> {
    let all = check::findings(project).into_iter().filter(is_about_scopes);
    let on = all.filter(|finding| finding.levels.in_profile(Profile::Strict) > Level::Off);
    let mut lines: Vec<String> = on.map(|finding| line(project, &finding)).collect();
    lines.sort();
    lines
}

#[test]
fn each_planted_leak_is_found_at_its_key() {
    for set in sets() {
        let found = lines(&project(&set, "bad"));
        let list = set.join("bad/expected");
        if std::env::var_os("PINGUARD_WRITE").is_some() {
            fs::write(&list, found.join("\n") + "\n").expect("list is written");
        }
        let expected = fs::read_to_string(&list).expect("what is expected is listed");
        assert_eq!(found, expected.lines().collect::<Vec<_>>(), "{set:?}");
        assert!(found.len() >= 9, "{set:?} plants too little");
    }
}

#[test]
fn clean_twins_are_silent() {
    for set in sets() {
        let project = project(&set, "clean");
        let all = check::findings(&project).into_iter();
        let on = all.filter(|finding| finding.levels.in_profile(Profile::Strict) >= Level::Info);
        let found: Vec<String> = on
            .filter(|finding| finding.rule.id.starts_with("secret-"))
            .map(|finding| line(&project, &finding))
            .collect();
        assert!(found.is_empty(), "{set:?}: {found:#?}");
    }
}

fn workflow(body: &str) -> String {
    format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n{body}")
}

fn jenkins(step: &str) -> String {
    format!(
        "pipeline {{\n  agent any\n  stages {{\n    stage('a') {{\n      steps {{\n        withCredentials([string(credentialsId: 'id', \
         variable: 'T')]) {{\n          {step}\n        }}\n      }}\n    }}\n  }}\n}}\n"
    )
}

fn woodpecker(command: &str) -> String {
    format!("steps:\n- name: a\n  image: alpine:3.20\n  commands:\n  - {command}\n")
}

fn cloudbuild(command: &str) -> String {
    format!("steps:\n- name: alpine:3.20\n  entrypoint: sh\n  args: [-c, '{command}']\n")
}

fn tekton(command: &str) -> String {
    format!(
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {{name: a}}\nspec:\n  params: [{{name: api-token}}]\n  steps:\n  - name: a\n    \
         image: alpine:3.20\n    script: |\n      {command}\n"
    )
}

fn count(path: &str, text: &str, rule: &str, profile: Profile) -> usize {
    let project = read(vec![(path.to_string(), text.to_string())]);
    let all = check::findings(&project).into_iter();
    all.filter(|finding| finding.rule.id == rule && finding.levels.in_profile(profile) > Level::Off).count()
}

#[test]
fn of_each_pair_only_the_left_fires() {
    let nine: String =
        (1..=9).map(|number| format!("      K{number}_TOKEN: ${{{{ secrets.K{number}_TOKEN }}}}\n")).collect();
    let nine = workflow(&format!("    env:\n{nine}    steps:\n      - run: ./a\n      - run: ./b\n"));
    assert_eq!(count(".github/workflows/a.yml", &nine, "secret-env-job-scope", Profile::Default), 1);
    let gha = ".github/workflows/a.yml";
    let wide = |jobs: &str| format!("on: push\nenv:\n  T: ${{{{ secrets.T }}}}\njobs:\n{jobs}");
    let job = |name: &str, steps: usize| {
        format!("  {name}:\n    runs-on: ubuntu-24.04\n    steps:\n{}", "      - run: ./x\n".repeat(steps))
    };
    let (two, three, one) = (wide(&(job("a", 1) + &job("b", 1))), wide(&job("a", 3)), wide(&job("a", 1)));
    let run =
        |text: &str, env: &str| workflow(&format!("    steps:\n      - run: {text}\n        env:\n          {env}\n"));
    let pairs: Vec<(&str, &str, String, &str, String, Profile)> = vec![
        ("secret-env-workflow-scope", gha, two.clone(), gha, three.clone(), Profile::Default),
        ("secret-env-job-scope", gha, three, gha, one.clone(), Profile::Default),
        ("secret-env-workflow-scope", gha, two.clone(), gha, two.replace("secrets.T }}", "secrets.T != '' }}"), Profile::Audit),
        ("secret-env-step-scope", gha, one, gha, two.replace("secrets.T }}", "secrets.T != '' }}"), Profile::Audit),
        (
            "secret-to-mutable-component",
            gha,
            workflow("    steps:\n      - uses: a/b@main\n        with: {token: '${{ secrets.T }}'}\n"),
            gha,
            workflow("    steps:\n      - uses: a/b@11bd71901bbe5b1630ceea73d27597364c9af683\n        with: {token: '${{ secrets.T }}'}\n"),
            Profile::Default,
        ),
        (
            "secret-env-step-scope",
            gha,
            run("python make_netrc.py", "IDX: ${{ secrets.IDX }}"),
            gha,
            run("umask 077; printf '%s' \"$IDX\" > \"$RUNNER_TEMP/netrc\"", "IDX: ${{ secrets.IDX }}"),
            Profile::Strict,
        ),
        (
            "secret-env-job-scope",
            ".gitlab-ci.yml",
            "a:\n  script: ./x\n  secrets:\n    X: {vault: a/b/c, file: false}\n".to_string(),
            ".gitlab-ci.yml",
            "a:\n  script: ./x\n  secrets:\n    X: {vault: a/b/c}\n".to_string(),
            Profile::Default,
        ),
        (
            "secret-in-image",
            gha,
            run("docker build --build-arg TOKEN=$T .", "T: ${{ secrets.T }}"),
            gha,
            run("docker build --secret id=t,env=T .", "T: ${{ secrets.T }}"),
            Profile::Default,
        ),
        (
            "secret-in-image",
            "Dockerfile",
            "FROM a:1.2.3\nARG API_TOKEN\n".to_string(),
            "Dockerfile",
            "FROM a:1.2.3\nARG RELEASE_KEY_FINGERPRINT\nENV USE_GKE_GCLOUD_AUTH_PLUGIN=True\nENV SECRETS_DIR=/mnt/secrets\nARG MY_REGISTRY_KEYS=false\n".to_string(),
            Profile::Audit,
        ),
        (
            "secret-tox-nox-env",
            "tox.ini",
            "[testenv]\npass_env = *\n".to_string(),
            "tox.ini",
            "[testenv]\npass_env = CI\n".to_string(),
            Profile::Audit,
        ),
        (
            "secret-inline-expansion",
            gha,
            workflow("    steps:\n      - run: ./x ${{ secrets.T }}\n"),
            gha,
            workflow("    steps:\n      - run: ./x ${{ secrets.T != '' }} ${{ secrets.T && 'a' || 'b' }}\n"),
            Profile::Audit,
        ),
        (
            "secret-inline-expansion",
            "Jenkinsfile",
            jenkins("sh \"curl -H '$T' https://example.com\""),
            "Jenkinsfile",
            jenkins("sh 'curl -H \"$T\" https://example.com'"),
            Profile::Default,
        ),
        (
            "secret-inline-expansion",
            ".buildkite/pipeline.yml",
            "steps:\n- command: x $TOKEN\n".to_string(),
            ".buildkite/pipeline.yml",
            "steps:\n- command: x $$TOKEN\n- command: x \\$TOKEN\n- commands: ['x $$TOKEN']\n".to_string(),
            Profile::Default,
        ),
        (
            "secret-inline-expansion",
            ".buildkite/pipeline.yml",
            "steps:\n- commands: ['x \"${API_TOKEN:-none}\"']\n".to_string(),
            ".buildkite/pipeline.yml",
            "env: {DB_PASSWORD: postgres}\nsteps:\n- commands: ['x $DB_PASSWORD $BUILDKITE_BRANCH $(cat token)']\n".to_string(),
            Profile::Default,
        ),
        (
            "secret-inline-expansion",
            ".woodpecker.yml",
            woodpecker("./x ${API_TOKEN}"),
            ".woodpecker.yml",
            woodpecker("./x $${API_TOKEN} $API_TOKEN"),
            Profile::Default,
        ),
        (
            "secret-inline-expansion",
            "cloudbuild.yaml",
            cloudbuild("./x $_API_TOKEN"),
            "cloudbuild.yaml",
            cloudbuild("./x $$API_TOKEN $_REGION"),
            Profile::Default,
        ),
        (
            "secret-inline-expansion",
            "task.yaml",
            tekton("./x $(params.api-token)"),
            "task.yaml",
            tekton("./x $(params.version) $(cat token)"),
            Profile::Default,
        ),
        (
            "secret-env-persisted",
            gha,
            run("echo \"X=$T\" >> $GITHUB_ENV", "T: ${{ secrets.T }}"),
            gha,
            run("echo \"X=$([ -n '${{ secrets.T }}' ] && echo 1)\" >> $GITHUB_ENV", "T: ${{ secrets.T }}"),
            Profile::Audit,
        ),
        (
            "secret-env-bulk",
            gha,
            run("./x", "ALL: ${{ toJSON(secrets) }}"),
            gha,
            run("./x", "ONE: ${{ toJSON(secrets.ONE) }}"),
            Profile::Audit,
        ),
        (
            "secret-derived-unmasked",
            gha,
            run("./x", "P: ${{ fromJSON(secrets.A).password }}"),
            gha,
            run("./x", "P: ${{ secrets.A }}:${{ secrets.B }}"),
            Profile::Audit,
        ),
    ];
    let mut wrong = Vec::new();
    for (rule, path, left, other, right, profile) in pairs {
        if count(path, &left, rule, profile) == 0 {
            wrong.push(format!("{rule} does not fire on\n{left}"));
        }
        if count(other, &right, rule, profile) > 0 {
            wrong.push(format!("{rule} fires on\n{right}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_configuration_names_weighs_less_or_nothing() {
    let text =
        workflow("    env:\n      T: ${{ secrets.SANDBOX_TOKEN }}\n    steps:\n      - run: ./a\n      - run: ./b\n");
    let level = |policy: Policy| {
        let mut sources = Sources::default();
        sources.add(".github/workflows/a.yml", text.clone());
        let project = check::read(sources, Vec::new(), policy);
        let found = check::findings(&project).into_iter().find(|finding| finding.rule.id == "secret-env-job-scope");
        found.map(|finding| finding.levels.in_profile(Profile::Default))
    };
    assert_eq!(level(Policy::default()), Some(Level::Warning));
    let low = Policy { low_sensitivity: vec!["SANDBOX_*".to_string()], ..Policy::default() };
    assert_eq!(level(low), Some(Level::Info));
    let allowed = Policy { allowed_secrets: vec!["SANDBOX_TOKEN".to_string()], ..Policy::default() };
    assert_eq!(level(allowed), None);
}

#[test]
fn a_component_without_an_input_may_be_named() {
    let text = workflow("    steps:\n      - uses: acme/notify@v1\n        env: {T: '${{ secrets.T }}'}\n");
    let found = |policy: Policy| {
        let mut sources = Sources::default();
        sources.add(".github/workflows/a.yml", text.clone());
        let project = check::read(sources, Vec::new(), policy);
        let all = check::findings(&project).into_iter();
        all.filter(|one| one.rule.id == "secret-env-step-scope" && one.levels.in_profile(Profile::Audit) > Level::Off)
            .count()
    };
    assert_eq!(found(Policy::default()), 1);
    let named = Policy { env_only_components: vec!["acme/*".to_string()], ..Policy::default() };
    assert_eq!(found(named), 0);
}

#[test]
fn of_each_pair_about_dumps_traces_and_literals_only_the_left_fires() {
    let gha = ".github/workflows/a.yml";
    let secret = "        env:\n          T: ${{ secrets.T }}\n";
    let script = |text: &str, env: &str| {
        let lines: String = text.lines().map(|line| format!("          {line}\n")).collect();
        workflow(&format!("    steps:\n      - run: |\n{lines}{env}"))
    };
    let dump = |text: &str, env: &str| count(gha, &script(text, env), "env-dump-with-secret", Profile::Default);
    let wide = workflow(
        "    env:\n      T: ${{ secrets.T }}\n    steps:\n      - run: env | sort\n      - run: ./use \"$T\"\n",
    );
    assert_eq!(count(gha, &wide, "env-dump-with-secret", Profile::Default), 1);
    assert_eq!(dump("env | sort", ""), 0);
    for never in ["env | cut -d= -f1", "env FOO=1 cmd", "printenv HOME", "/usr/bin/env bash"] {
        assert_eq!(dump(never, secret), 0, "{never}");
    }
    let said = |text: &str| count("Jenkinsfile", &jenkins(text), "env-dump-with-secret", Profile::Default);
    assert_eq!(said("echo \"${env.getEnvironment()}\""), 1);
    assert_eq!(said("echo \"${env.BUILD_ID} getEnvironment\""), 0);
    let upload = "      - uses: actions/upload-artifact@v4\n        with: {path: env.txt}\n";
    let kept = script("env > env.txt", &format!("{secret}{upload}"));
    let stays = script("env > env.txt", secret);
    assert_eq!(count(gha, &kept, "env-dump-to-artifact", Profile::Default), 1);
    assert_eq!(count(gha, &stays, "env-dump-to-artifact", Profile::Audit), 0);
    assert_eq!(count(gha, &stays, "env-dump-with-secret", Profile::Default), 1);
    let trace = |text: &str, env: &str| count(gha, &script(text, env), "trace-with-secret", Profile::Audit);
    assert_eq!(trace("set -x\n./use \"$T\"", secret), 1);
    assert_eq!(trace("set -x\nls", ""), 0);
    assert_eq!(trace("set -x\nls\nset +x\n./use \"$T\"", secret), 0);
    let debug = |value: &str| format!("a:\n  variables: {{CI_DEBUG_TRACE: {value}}}\n  script: [./a]\n");
    for on in ["t", "T", "'1'", "true", "\"TRUE\""] {
        assert_eq!(count(".gitlab-ci.yml", &debug(on), "debug-mode-committed", Profile::Default), 1, "{on}");
    }
    assert_eq!(count(".gitlab-ci.yml", &debug("f"), "debug-mode-committed", Profile::Audit), 0);
    let commit = workflow("    steps:\n      - uses: a/b@11bd71901bbe5b1630ceea73d27597364c9af683\n");
    assert_eq!(literals(gha, &commit), 0);
    let key = |end: &str| {
        workflow(&format!(
            "    env:\n      AWS_ACCESS_KEY_ID: {}{end}\n    steps: [{{run: ./a}}]\n",
            ["AK", "IAZ5QT7VNX"].concat()
        ))
    };
    assert_eq!(count(gha, &key("R2WKLD3M"), "secret-literal-known-token", Profile::Default), 1);
    assert_eq!(literals(gha, &key("EXAMPLE").replace("Z5QT7VNX", "IOSFODNN7")), 0);
}

/// Findings about literals in the profile that shows most.
fn literals(path: &str, text: &str) -> usize {
    ["secret-literal-known-token", "secret-literal-in-env", "secret-literal-url"]
        .iter()
        .map(|rule| count(path, text, rule, Profile::Audit))
        .sum()
}

#[test]
fn samples_of_passwords_are_no_secrets() {
    let names = [
        "POSTGRES_PASSWORD",
        "API_TOKEN",
        "MINIO_SECRET_KEY",
        "CONNECTOR_TOKEN",
        "OPENCTI_TOKEN",
        "RABBITMQ_DEFAULT_PASS",
        "DB_PASS",
    ];
    let values = [
        "ChangeMe",
        "changeme",
        "CHANGEME",
        "ChangeMe_UUIDv4",
        "chageme",
        "<your-token>",
        "example",
        "xxxxxxxx",
        "please-change-me-1",
        "your_token_here",
        "dummy",
        "secret",
    ];
    let mut text = "services:\n".to_string();
    for number in 0..583 {
        let (name, value) = (names[number % names.len()], values[number % values.len()]);
        text += &format!("  s{number}:\n    image: a/b:1.2.{number}\n    environment:\n      - {name}={value}\n");
    }
    assert_eq!(literals("compose.yaml", &text), 0);
}

#[test]
fn a_mask_in_the_file_is_no_remedy() {
    // `masked: true` is no key of GitLab's variables: nobody may be told to write it.
    let project = project(Path::new("fixtures/leaks/scopes_gitlab"), "bad");
    for finding in check::findings(&project) {
        let guide = if let Some(Remedy::Guide(text)) = &finding.remedy { text.as_str() } else { "" };
        assert!(
            !finding.help.contains("masked:") && !guide.contains("masked:"),
            "{}: {}",
            finding.rule.id,
            finding.help
        );
    }
}

#[test]
fn the_token_of_a_job_is_known_by_its_value() {
    let job = |value: &str, permissions: &str| {
        workflow(&format!(
            "    permissions: {permissions}\n    env:\n      GITHUB_TOKEN: ${{{{ {value} }}}}\n    steps:\n      - run: ./a\n      - run: env\n"
        ))
    };
    let gha = ".github/workflows/a.yml";
    let scope = |text: &str, profile| count(gha, text, "secret-env-job-scope", profile);
    // In a variable of that name may be another token.
    assert_eq!(scope(&job("secrets.ADMIN_PAT", "{}"), Profile::Default), 1);
    assert_eq!(count(gha, &job("secrets.ADMIN_PAT", "{}"), "env-dump-with-secret", Profile::Default), 1);
    for value in ["secrets.GITHUB_TOKEN", "github.token", "secrets['GITHUB_TOKEN']"] {
        assert_eq!(scope(&job(value, "write-all"), Profile::Default), 0, "{value}");
        assert_eq!(scope(&job(value, "write-all"), Profile::Strict), 1, "{value}");
        assert_eq!(scope(&job(value, "{contents: write}"), Profile::Strict), 1, "{value}");
        assert_eq!(scope(&job(value, "{contents: read}"), Profile::Strict), 0, "{value}");
        assert_eq!(scope(&job(value, "read-all"), Profile::Strict), 0, "{value}");
        assert_eq!(scope(&job(value, "{}"), Profile::Strict), 0, "{value}");
    }
    let unset = job("github.token", "x").replace("    permissions: x\n", "");
    assert_eq!(scope(&unset, Profile::Strict), 1);
    assert_eq!(scope(&format!("permissions: read-all\n{unset}"), Profile::Strict), 0);
    // On another system, it is one that somebody made.
    let buildkite = "secrets: [GITHUB_TOKEN]\nsteps:\n- commands: [env]\n- command: ./x\n";
    assert_eq!(count(".buildkite/pipeline.yml", buildkite, "secret-env-workflow-scope", Profile::Default), 1);
    assert_eq!(count(".buildkite/pipeline.yml", buildkite, "env-dump-with-secret", Profile::Default), 1);
}

#[test]
fn edits_mend_what_they_were_made_for() {
    let folder = Path::new("fixtures/leaks/scopes_github");
    let all = support::folder_of_repositories(folder);
    let bad = all.into_iter().find(|one| one.name == "bad").expect("a bad set");
    let before = read(bad.files.clone());
    let mut patch = Patch::default();
    let mut mended = Vec::new();
    for finding in check::findings(&before).into_iter().filter(is_about_scopes) {
        let Some(Remedy::Replace { edits, safety }) = finding.remedy.clone() else { continue };
        if safety <= Safety::Unsafe && patch.merge(edits).is_ok() {
            mended.push((finding.rule.id, finding.key, finding.name));
        }
    }
    assert!(mended.len() >= 2, "{mended:?}");
    let files =
        before.sources.iter().map(|source| (source.path.clone(), patch.apply(source.id, &source.text))).collect();
    let after = read(files);
    for (rule, key, name) in mended {
        let left = check::findings(&after)
            .into_iter()
            .any(|finding| finding.rule.id == rule && finding.key == key && finding.name == name);
        assert!(!left, "{rule} is still there at {key}");
    }
    assert!(after.problems(pinguard::model::facts::ProblemKind::Unreadable).next().is_none());
}

#[test]
fn programs_read_variables_that_no_text_names() {
    let text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    env:\n      AWS_SECRET_ACCESS_KEY: ${{ secrets.K }}\n    steps:\n      - run: pytest\n      \
                - run: aws s3 sync . s3://x\n      - uses: a/b@v1\n        with: {k: \"${{ secrets.AWS_SECRET_ACCESS_KEY }}\"}\n      - run: twine upload x\n";
    let mut sources = Sources::default();
    sources.add(".github/workflows/a.yml", text.to_string());
    let project = check::read(sources, Vec::new(), Policy::default());
    let pipeline = project.pipelines().next().expect("a pipeline");
    let usage = |name: &str| project.usage(&pipeline.jobs[0], name).steps;
    // The secret of the same name that an input takes is not the variable.
    assert_eq!(usage("AWS_SECRET_ACCESS_KEY"), [1]);
    assert_eq!(usage("TWINE_PASSWORD"), [3]);
    assert_eq!(usage("OTHER"), [0_usize; 0]);
}

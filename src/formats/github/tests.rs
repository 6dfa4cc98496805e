//! Whole files through the format.

use super::{FORMAT, claims, workflow_root};
use crate::formats::Claim;
use crate::model::facts::Facts;
use crate::model::pin::Strength;
use crate::model::pipeline::{Job, Setting, StepKind, Value};
use crate::model::reference::{Reference, Role};
use crate::model::script::Shell;
use crate::model::source::Sources;

fn read_at(path: &str, text: &str) -> (Facts, Sources) {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let mut facts = Facts::of(id, FORMAT.name);
    (FORMAT.read)(sources.get(id), &sources, &mut facts);
    (facts, sources)
}

fn read(text: &str) -> (Facts, Sources) {
    read_at(".github/workflows/ci.yml", text)
}

fn shown(facts: &Facts, role: Role) -> Vec<String> {
    let show = |r: &Reference| {
        let version = r.pin.version.as_deref().or(r.pin.digests.first().map(String::as_str)).unwrap_or("-");
        format!("{} {version} {}", r.subject.name, r.key)
    };
    facts.references.iter().filter(|reference| reference.role == role).map(show).collect()
}

fn slots(facts: &Facts, sources: &Sources, role: Role) -> Vec<(String, String)> {
    let of = |reference: &Reference| {
        let version = reference.site.version.map(|slot| sources.text(slot.at).to_string()).unwrap_or("none".into());
        (sources.text(reference.site.whole).to_string(), version)
    };
    facts.references.iter().filter(|reference| reference.role == role).map(of).collect()
}

fn job(facts: &Facts) -> &Job {
    &facts.pipelines[0].jobs[0]
}

const CI: &str = r#"
name: CI
on: [push, pull_request]
env:
  TOKEN: ${{ secrets.PYPI }}
concurrency:
  group: ${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ${{ matrix.os }}
    timeout-minutes: 10
    continue-on-error: ${{ matrix.experimental }}
    strategy:
      matrix:
        os: [ubuntu-latest, macos-14]
        python: ["3.12", '3.13']
        pg: [15]
    container:
      image: python:3.12@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      env: {A: x}
    services:
      db:
        image: postgres:${{ matrix.pg }}
        env: {POSTGRES_PASSWORD: postgres}
        options: --tmpfs /data
      other: ${{ vars.IMAGE }}
    steps:
      - uses: actions/checkout@v4
      - uses: "actions/setup-python@3dc1ecc9bcb9e94e9b2c709687979e1298497054" # v5.1.0
        with:
          python-version: ${{ matrix.python }}
      - uses: ./.github/actions/x
      - uses: $/.github/actions/y
      - uses: docker://alpine:3
      - run: |
          pytest "${{ secrets.X }}"
        shell: bash
        working-directory: sub
      - parallel:
          - run: ruff check
          - uses: a/b@main
      - wait-all:
      - uses: actions/upload-artifact@v4
        if: ${{ always() }}
        with:
          path: |
            junit.xml
            logs/
      - uses: docker/build-push-action@v6
        with: {file: docker/Dockerfile}
"#;

#[test]
fn references_stand_where_a_person_would_look() {
    let (facts, sources) = read(CI);
    assert_eq!(facts.problems, []);
    assert_eq!(
        shown(&facts, Role::CiStep),
        [
            "actions/checkout v4 jobs.test.steps[0].uses",
            "actions/setup-python 3dc1ecc9bcb9e94e9b2c709687979e1298497054 jobs.test.steps[1].uses",
            "./.github/actions/x - jobs.test.steps[2].uses",
            "$/.github/actions/y - jobs.test.steps[3].uses",
            "a/b main jobs.test.steps[6].parallel[1].uses",
            "actions/upload-artifact v4 jobs.test.steps[8].uses",
            "docker/build-push-action v6 jobs.test.steps[9].uses",
        ]
    );
    let images = shown(&facts, Role::CiImage);
    assert_eq!(images, ["python 3.12 jobs.test.container.image", "alpine 3 jobs.test.steps[4].uses"]);
    let services = slots(&facts, &sources, Role::CiService);
    assert_eq!(services, [("15".into(), "15".into()), ("${{ vars.IMAGE }}".into(), "none".to_string())]);
    assert_eq!(facts.references.iter().find(|r| r.key == "jobs.test.services.other.image").unwrap().strength, None);
    let pythons = slots(&facts, &sources, Role::Python);
    assert_eq!(pythons, [("3.12".into(), "3.12".into()), ("3.13".to_string(), "3.13".to_string())]);
    let runners = slots(&facts, &sources, Role::Runner);
    assert_eq!(runners.len(), 2);
    assert_eq!(facts.builds_of[0].0, "docker/Dockerfile");
    let checkout = facts.references.iter().find(|r| r.subject.name == "actions/setup-python").unwrap();
    assert_eq!(checkout.noted.as_deref(), Some("v5.1.0"));
    assert_eq!(checkout.strength, Some(Strength::Immutable));
}

#[test]
fn a_job_keeps_what_rules_ask_for() {
    let (facts, _) = read(CI);
    let job = job(&facts);
    assert_eq!(job.legs, Some(4));
    assert_eq!(job.on_patch, Some(true));
    assert_eq!(job.timeout.plain(), Some(&10));
    assert!(matches!(job.tolerated, Setting::Computed(_)));
    assert_eq!(facts.pipelines[0].cancel.plain(), Some(&true));
    assert!(matches!(&facts.pipelines[0].env[0].value, Value::Secret { names, whole: true, .. } if names == &["PYPI"]));
    assert_eq!(job.pythons.len(), 2);
    assert_eq!(job.services[0].options.as_deref(), Some("--tmpfs /data"));
    let run = &job.steps[5];
    assert_eq!(run.shell, Some(Shell::PIPEFAIL));
    assert!(run.shell_written);
    assert!(matches!(&run.pasted[0].value, Value::Secret { names, .. } if names == &["X"]));
    let StepKind::Run(script) = &run.kind else { panic!("{run:?}") };
    assert_eq!(script.cwd, "sub");
    assert_eq!(job.steps[6].shell, Some(Shell::ERREXIT));
    let artifact = &job.artifacts[0];
    assert!(artifact.report && artifact.on_failure);
    assert_eq!(artifact.paths, ["junit.xml", "logs/"]);
}

#[test]
fn jobs_behind_a_job_that_is_not_on_patches_are_not_either() {
    let text = "on: [push, pull_request]\njobs:\n  a:\n    if: github.event_name == 'push'\n    uses: o/r/.github/workflows/x.yml@v1\n    \
                secrets: inherit\n  b:\n    needs: a\n    steps: []\n  c:\n    needs: [a]\n    if: always()\n    steps: []\n";
    let (facts, _) = read(text);
    let answers: Vec<_> = facts.pipelines[0].jobs.iter().map(|job| job.on_patch).collect();
    assert_eq!(answers, [Some(false), Some(false), Some(true)]);
    assert_eq!(shown(&facts, Role::CiInclude), ["o/r/.github/workflows/x.yml v1 jobs.a.uses"]);
    assert!(matches!(&job(&facts).inputs[0].value, Value::Secret { names, .. } if names == &["*"]));
}

#[test]
fn what_is_no_workflow_is_a_problem() {
    for text in ["[]", "on: push", "on: push\njobs: []", "on: push\njobs: {a: x}", "on: push\njobs: {a: {steps: x}}"] {
        assert_eq!(read(text).0.problems.len(), 1, "{text}");
    }
    for step in ["{}", "x", "{uses: checkout}", "{run: [a]}"] {
        let text = format!("on: push\njobs: {{a: {{steps: [{step}]}}}}");
        assert_eq!(read(&text).0.problems.len(), 1, "{step}");
    }
    assert_eq!(read("jobs: {a: {steps: []}}").0.problems.len(), 1);
}

#[test]
fn actions_are_components() {
    let text = "name: x\ninputs:\n  v: {default: '3.11'}\nruns:\n  using: composite\n  steps:\n    - uses: actions/setup-python@v5\n      \
                with: {python-version: '${{ inputs.v }}'}\n    - run: pip install .\n      shell: bash\n";
    let (facts, sources) = read_at(".github/actions/x/action.yml", text);
    assert_eq!(facts.problems, []);
    assert!(facts.pipelines.is_empty());
    assert_eq!(facts.components[0].jobs[0].steps.len(), 2);
    assert_eq!(slots(&facts, &sources, Role::Python), [("3.11".to_string(), "3.11".to_string())]);
    let (facts, _) = read_at("action.yml", "runs:\n  using: docker\n  image: docker://a/b:latest\n");
    assert_eq!(shown(&facts, Role::CiImage), ["a/b latest runs.image"]);
    let (facts, _) = read_at("action.yml", "runs:\n  using: docker\n  image: Dockerfile\n");
    assert_eq!(facts.builds_of[0].0, "Dockerfile");
}

#[test]
fn workflows_that_nobody_starts_are_components() {
    let (facts, _) = read_at("template/.github/workflows/ci.yml", "on: push\njobs: {a: {steps: [{uses: a/b@v1}]}}");
    assert_eq!((facts.pipelines.len(), facts.components.len(), facts.references.len()), (0, 1, 1));
}


#[test]
fn files_are_claimed_by_where_they_stand() {
    let cases = [
        (".github/workflows/ci.yml", Claim::Yes),
        (".forgejo/workflows/ci.yaml", Claim::Yes),
        ("template/.github/workflows/ci.yml", Claim::Yes),
        (".github/workflows/readme.md", Claim::No),
        (".github/workflows/sub/ci.yml", Claim::No),
        (".github/dependabot.yml", Claim::No),
        (".github/actions/x/action.yml", Claim::Maybe),
        ("action.yaml", Claim::Maybe),
        ("xaction.yml", Claim::No),
    ];
    for (path, expected) in cases {
        assert_eq!(claims(path), expected, "{path}");
    }
    assert_eq!(workflow_root(".github/workflows/ci.yml"), Some(""));
    assert_eq!(workflow_root("a/.github/workflows/ci.yml"), Some("a"));
}

#[test]
fn places_of_variables_are_noted_where_a_secret_can_be() {
    let places = |value: &str| {
        let step = format!("{{run: x, env: {{A: \"{value}\"}}}}");
        let (facts, _) = read(&format!("on: push\nenv:\n  B: 1\njobs:\n  a:\n    steps:\n    - {step}\n"));
        facts.variable_edits.lines.len()
    };
    assert_eq!(["1", "${{ github.ref }}", "${{ vars.X }}"].map(places), [0, 0, 0]);
    for secret in ["${{ secrets.X }}", "${{ SECRETS['X'] }}", "${{ github.token }}", "${{ github['token'] }}"] {
        assert!(places(secret) > 0, "{secret}");
    }
}

//! Every CI system on one planted repository: each kind of problem is found at the exact key, and the clean twin is silent.
//!
//! A system is a folder `fixtures/systems/NAME/` with `bad/` and `clean/`. `bad/expected` lists what is found, a line each: rule, path and
//! key, or the name where a finding has no key. Errors and warnings that are not listed fail the test; `info` and `advice` may be listed.
//! `docs/systems.md` is made of the same folders; `PINGUARD_WRITE=1 cargo test --test systems` writes it and the lists anew: read the diff.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and the environment")]

mod support;

use pinguard::check;
use pinguard::model::finding::Finding;
use pinguard::model::pipeline::{Job, Pipeline, Scope, Setting, StepKind, Value};
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::reference::Role;
use pinguard::model::rule::{Level, Profile};
use pinguard::model::script::Shell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use support::Repository;

/// The folders of systems, by name.
fn systems() -> Vec<(String, PathBuf)> {
    let mut all: Vec<(String, PathBuf)> = fs::read_dir("fixtures/systems")
        .expect("fixtures of systems")
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

/// One repository of a system, without the list of what is expected.
fn repository(folder: &Path, kind: &str) -> Repository {
    let all = support::folder_of_repositories(folder);
    let mut one = all.into_iter().find(|one| one.name == kind).unwrap_or_else(|| panic!("{folder:?} has no {kind}"));
    one.files.retain(|(path, _)| path != "expected");
    one
}

fn read(repository: &Repository) -> Project {
    let mut sources = pinguard::model::source::Sources::default();
    for (path, text) in &repository.files {
        sources.add(path.clone(), text.clone());
    }
    check::read(sources, Vec::new(), Policy::default())
}

fn line(project: &Project, finding: &Finding) -> String {
    let key = if finding.key.is_empty() { &finding.name } else { &finding.key };
    format!("{} {} {key}", finding.rule.id, project.path(finding.at))
}

/// Lines of findings at least as bad as `level` in the default profile, with the worst level of each.
fn found(project: &Project, level: Level) -> BTreeSet<String> {
    let counts = |finding: &Finding| {
        // What a file cannot show is said of the best file too.
        finding.levels.in_profile(Profile::Default) >= level && finding.rule.id != "opaque-reference"
    };
    let all = check::findings(project).into_iter();
    all.filter(counts).map(|finding| line(project, &finding)).collect()
}

fn wants_writing() -> bool {
    std::env::var_os("PINGUARD_WRITE").is_some()
}

#[test]
fn each_planted_problem_is_found_at_its_key() {
    let mut wrong = Vec::new();
    for (name, folder) in systems() {
        let project = read(&repository(&folder, "bad"));
        let list = folder.join("bad/expected");
        if wants_writing() {
            let lines: Vec<String> = found(&project, Level::Warning).into_iter().collect();
            fs::write(&list, lines.join("\n") + "\n").expect("list is written");
        }
        let text = fs::read_to_string(&list).expect("what is expected is listed");
        let expected: BTreeSet<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_string).collect();
        let (bad, all) = (found(&project, Level::Warning), found(&project, Level::Advice));
        wrong.extend(expected.difference(&all).map(|line| format!("{name}: not found: {line}")));
        wrong.extend(bad.difference(&expected).map(|line| format!("{name}: not expected: {line}")));
        assert!(!expected.is_empty(), "{name} plants nothing");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn clean_twins_are_silent() {
    let mut wrong = Vec::new();
    for (name, folder) in systems() {
        let project = read(&repository(&folder, "clean"));
        assert!(project.pipelines().next().is_some() || name == "others", "{name}: no pipeline was read");
        wrong.extend(found(&project, Level::Info).into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn found_in(files: &[(&str, &str)]) -> BTreeSet<String> {
    found(&support::project(files.iter().copied()), Level::Info)
}

#[test]
fn documents_of_one_file_are_each_read_as_what_they_are() {
    let text = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: unit}\nspec:\n  steps:\n    - name: a\n      image: python\n      \
                script: pip install requests\n---\napiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: b\n  \
                templates:\n    - name: b\n      script: {image: python:latest, command: [bash], source: pip install black}\n---\n\
                apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: c, image: redis}]}}}\n";
    let found = found_in(&[("ci/all.yaml", text)]);
    let at = |rule: &str, key: &str| {
        assert!(found.contains(&format!("{rule} ci/all.yaml {key}")), "{rule} {key}: {found:?}")
    };
    at("image-tag-missing", "spec.steps[0].image");
    at("req-adhoc-install", "spec.steps[0].script[0].requests");
    at("image-tag-latest", "spec.templates[0].script.image");
    at("tool-run-unpinned", "spec.templates[0].script.source[0].black");
    at("image-tag-missing", "Deployment.web.containers.c.image");
    assert_eq!(found.iter().filter(|line| line.contains(".image")).count(), 3, "each once: {found:?}");
}

#[test]
fn a_task_that_nothing_starts_is_no_gate() {
    let task = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: a}\nspec: {steps: [{name: b, image: 'a/b:1.2.3', script: make}]}\n";
    let run = task.replace("kind: Task\n", "kind: PipelineRun\n");
    let requirements = ("requirements.txt", "requests\n");
    let judged =
        |text: &str| found_in(&[("ci/a.yaml", text), requirements]).iter().any(|line| line.contains("req-unpinned"));
    assert!(judged(task), "nobody is seen to judge patches, so everything is judged");
    assert!(!judged(&run));
}

#[test]
fn what_bake_and_skaffold_build_in_a_job_belongs_to_the_gate() {
    let bake = "target \"app\" { context = \"app\" }\n";
    let skaffold = "apiVersion: skaffold/v4beta11\nkind: Config\nbuild: {artifacts: [{image: web, context: app}]}\n";
    for (command, path, text) in [
        ("docker buildx bake -f ci/bake.hcl --push", "ci/docker-bake.hcl", bake),
        ("docker buildx bake", "docker-bake.hcl", bake),
        ("skaffold build --profile ci", "skaffold.yaml", skaffold),
    ] {
        let command = command.replace("ci/bake.hcl", "ci/docker-bake.hcl");
        let workflow =
            format!("on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{{run: '{command}'}}]\n");
        let folder = if path.starts_with("ci/") { "ci/app" } else { "app" };
        let dockerfile = format!("{folder}/Dockerfile");
        let files =
            [(".github/workflows/ci.yml", workflow.as_str()), (path, text), (dockerfile.as_str(), "FROM python\n")];
        let project = support::project(files.into_iter());
        let source = project.sources.find(&dockerfile).expect("a Dockerfile");
        assert!(project.reached_by(source.id).iter().any(|reach| reach.ci), "{command}: {dockerfile}");
    }
}

type Capability = (&'static str, fn(&Pipeline) -> bool);

/// What of the model a system fills in, as its fixtures show.
const CAPABILITIES: &[Capability] = &[
    ("image of a job", |pipeline| pipeline.jobs.iter().any(|job| !job.images.is_empty())),
    ("service images", |pipeline| pipeline.jobs.iter().any(|job| !job.services.is_empty())),
    ("machine", |pipeline| pipeline.jobs.iter().any(|job| job.runner.is_some())),
    ("interpreter", |pipeline| pipeline.jobs.iter().any(|job| !job.pythons.is_empty())),
    ("scripts", |pipeline| steps(pipeline, |kind| matches!(kind, StepKind::Run(_)))),
    ("components", |pipeline| {
        steps(pipeline, |kind| matches!(kind, StepKind::Uses { .. }))
            || pipeline.jobs.iter().any(|job| job.calls.is_some())
    }),
    ("variables of all jobs", |pipeline| !pipeline.env.is_empty()),
    ("variables of a job", |pipeline| {
        pipeline.jobs.iter().any(|job| job.env.iter().any(|one| one.scope == Scope::Job))
    }),
    ("variables of a step", |pipeline| {
        pipeline.jobs.iter().flat_map(|job| &job.steps).any(|step| !step.env.is_empty())
    }),
    ("secrets by name", |pipeline| has_secret(pipeline)),
    ("starts on a patch", |pipeline| {
        pipeline.triggers.patch || pipeline.jobs.iter().any(|job| job.on_patch == Some(true))
    }),
    ("schedule", |pipeline| pipeline.triggers.schedule),
    ("conditions", |pipeline| {
        pipeline.jobs.iter().any(|job| job.condition.is_some() || job.steps.iter().any(|step| step.condition.is_some()))
    }),
    ("matrix", |pipeline| pipeline.jobs.iter().any(|job| !job.matrix.is_empty())),
    ("needs", |pipeline| pipeline.jobs.iter().any(|job| !job.needs.is_empty())),
    ("time limit", |pipeline| pipeline.jobs.iter().any(|job| job.timeout != Setting::Absent)),
    ("cancels superseded runs", |pipeline| {
        pipeline.cancel != Setting::Absent || pipeline.jobs.iter().any(|job| job.cancel != Setting::Absent)
    }),
    ("tolerated failures", |pipeline| {
        let step = |job: &Job| job.steps.iter().any(|step| step.tolerated != Setting::Absent);
        pipeline.jobs.iter().any(|job| job.tolerated != Setting::Absent || step(job))
    }),
    ("retries", |pipeline| pipeline.jobs.iter().any(|job| job.retry != Setting::Absent)),
    ("deployments", |pipeline| pipeline.jobs.iter().any(|job| job.environment.is_some())),
    ("kept files, test reports", |pipeline| pipeline.jobs.iter().any(|job| !job.artifacts.is_empty())),
    ("caches", |pipeline| pipeline.jobs.iter().any(|job| !job.caches.is_empty())),
    ("says what cannot be seen", |pipeline| !pipeline.unseen.is_empty()),
];

/// What a system has no words for in its files: a setting of the server, or nothing at all.
const NONE: &[(&str, &[&str])] = &[
    (
        "AppVeyor",
        &[
            "image of a job",
            "service images",
            "components",
            "variables of a step",
            "schedule",
            "needs",
            "time limit",
            "cancels superseded runs",
            "retries",
        ],
    ),
    (
        "AWS CodeBuild",
        &[
            "image of a job",
            "service images",
            "machine",
            "components",
            "variables of a job",
            "variables of a step",
            "starts on a patch",
            "schedule",
            "conditions",
            "matrix",
            "needs",
            "time limit",
            "cancels superseded runs",
            "deployments",
        ],
    ),
    (
        "Argo Workflows",
        &[
            "machine",
            "interpreter",
            "components",
            "variables of all jobs",
            "variables of a job",
            "starts on a patch",
            "cancels superseded runs",
            "deployments",
            "caches",
        ],
    ),
    ("Azure Pipelines", &[]),
    (
        "Bitbucket Pipelines",
        &[
            "interpreter",
            "variables of all jobs",
            "variables of a job",
            "variables of a step",
            "schedule",
            "matrix",
            "needs",
            "cancels superseded runs",
        ],
    ),
    ("Buildkite", &["interpreter", "variables of a step", "schedule", "cancels superseded runs", "deployments"]),
    (
        "CircleCI",
        &[
            "interpreter",
            "variables of all jobs",
            "tolerated failures",
            "time limit",
            "cancels superseded runs",
            "deployments",
        ],
    ),
    ("Cirrus CI", &["interpreter", "components", "variables of a step", "schedule", "retries", "deployments"]),
    (
        "Drone",
        &[
            "machine",
            "interpreter",
            "variables of all jobs",
            "matrix",
            "time limit",
            "cancels superseded runs",
            "retries",
            "deployments",
            "kept files, test reports",
            "caches",
        ],
    ),
    ("GitHub Actions", &["retries"]),
    ("GitLab CI", &["interpreter", "variables of a step"]),
    (
        "Google Cloud Build",
        &[
            "service images",
            "interpreter",
            "components",
            "variables of a job",
            "starts on a patch",
            "schedule",
            "conditions",
            "matrix",
            "cancels superseded runs",
            "retries",
            "deployments",
            "caches",
        ],
    ),
    ("Jenkins", &["service images", "needs", "deployments", "caches"]),
    (
        "Tekton",
        &[
            "machine",
            "interpreter",
            "variables of all jobs",
            "schedule",
            "deployments",
            "kept files, test reports",
            "caches",
        ],
    ),
    (
        "Travis CI",
        &[
            "image of a job",
            "service images",
            "variables of a step",
            "schedule",
            "needs",
            "time limit",
            "cancels superseded runs",
            "retries",
            "kept files, test reports",
        ],
    ),
    (
        "Woodpecker",
        &[
            "machine",
            "interpreter",
            "variables of all jobs",
            "variables of a job",
            "time limit",
            "cancels superseded runs",
            "retries",
            "deployments",
            "kept files, test reports",
            "caches",
        ],
    ),
];

/// A cell of the table: what the fixtures show, else whether there is anything to read.
fn cell(system: &str, capability: &str, shown: &[bool]) -> &'static str {
    let (_, none) =
        NONE.iter().find(|(name, _)| *name == system).unwrap_or_else(|| panic!("{system} says what it has not"));
    let has = shown == [true];
    let lacks = none.contains(&capability);
    assert!(!(has && lacks), "{system} has {capability}");
    match (has, lacks, capability) {
        (true, ..) => "yes",
        (_, true, _) | (.., "says what cannot be seen") => "–",
        _ => "not read",
    }
}

fn steps(pipeline: &Pipeline, wanted: fn(&StepKind) -> bool) -> bool {
    pipeline.jobs.iter().flat_map(|job| &job.steps).any(|step| wanted(&step.kind))
}

fn has_secret(pipeline: &Pipeline) -> bool {
    let jobs = pipeline.jobs.iter();
    let of_jobs = jobs.flat_map(|job| {
        let services = job.services.iter().flat_map(|service| &service.env);
        let steps = job.steps.iter().flat_map(|step| {
            let inputs: &[_] = if let StepKind::Uses { inputs, .. } = &step.kind { inputs } else { &[] };
            step.env.iter().chain(&step.pasted).chain(inputs)
        });
        job.env.iter().chain(&job.inputs).chain(services).chain(steps)
    });
    pipeline.env.iter().chain(of_jobs).any(|one| matches!(one.value, Value::Secret { .. }))
}

/// The flags of the shell where nothing is written.
fn shell_of(pipelines: &[&Pipeline]) -> String {
    let steps = pipelines.iter().flat_map(|pipeline| &pipeline.jobs).flat_map(|job| &job.steps);
    let mut seen: Vec<Shell> = Vec::new();
    for step in steps.filter(|step| !step.shell_written) {
        seen.extend(step.shell.filter(|shell| !seen.contains(shell)));
    }
    let flag = |is: fn(&Shell) -> bool| match (seen.iter().any(is), seen.iter().all(is)) {
        (_, true) if !seen.is_empty() => "yes",
        (true, _) => "in part",
        _ => "no",
    };
    let flags = [flag(|shell| shell.errexit), flag(|shell| shell.pipefail), flag(|shell| shell.xtrace)];
    format!("{} | {} | {}", flags[0], flags[1], flags[2])
}

/// `docs/systems.md` as the fixtures make it.
fn document() -> String {
    let mut out = String::from(
        "# CI systems\n\nMade of the fixtures by `tests/systems.rs`: a capability is shown where a fixture of the system has it in the one model that rules \
         read, so every rule sees it; `–` is what a system has no words for in its files. Settings of a server are in no file; pinguard says so and judges nothing by them.\n\n",
    );
    let mut rows = Vec::new();
    for (_, folder) in systems() {
        let projects = [read(&repository(&folder, "bad")), read(&repository(&folder, "clean"))];
        let all: Vec<&Pipeline> = projects.iter().flat_map(Project::pipelines).collect();
        let Some(first) = all.first() else { continue };
        // What a file as a whole brings in is a component too.
        let references = || projects.iter().flat_map(Project::references);
        let included = references().any(|(_, reference)| reference.role == Role::CiInclude);
        let shown =
            |(name, test): &Capability| all.iter().any(|pipeline| test(pipeline)) || *name == "components" && included;
        let has: Vec<bool> = CAPABILITIES.iter().map(shown).collect();
        rows.push((first.system, has, shell_of(&all)));
    }
    rows.sort_by_key(|(system, ..)| system.name.to_lowercase());
    out.push_str("| System | Files | Not read | stops at a failing command | `pipefail` | prints commands expanded |\n| --- | --- | --- | --- | --- | --- |\n");
    for (system, _, shell) in &rows {
        let files: Vec<String> = system.files.iter().map(|file| format!("`{file}`")).collect();
        writeln!(out, "| {} | {} | {} | {shell} |", system.name, files.join(", "), system.unread.join("; "))
            .expect("text grows");
    }
    let heads: Vec<&str> = rows.iter().map(|(system, ..)| system.name).collect();
    write!(out, "\n| Read into the model | {} |\n| --- |{}\n", heads.join(" | "), " --- |".repeat(heads.len()))
        .expect("text grows");
    for (index, (name, _)) in CAPABILITIES.iter().enumerate() {
        let cells: Vec<&str> =
            rows.iter().map(|(system, has, _)| cell(system.name, name, &has[index..=index])).collect();
        writeln!(out, "| {name} | {} |", cells.join(" | ")).expect("text grows");
    }
    out.push_str("\n## The better place for a secret\n\n| System | best | as a file | narrowest variable |\n| --- | --- | --- | --- |\n");
    for (system, ..) in &rows {
        let best = if system.identity.is_empty() { "none" } else { system.identity };
        writeln!(out, "| {} | {best} | {} | {} |", system.name, system.file, system.narrow).expect("text grows");
    }
    out
}

#[test]
fn the_page_on_systems_is_current() {
    let (path, text) = ("docs/systems.md", document());
    if wants_writing() {
        fs::write(path, &text).expect("page is written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "{path} is not what the fixtures say: PINGUARD_WRITE=1 cargo test --test systems");
}

//! Drone: `.drone.yml` with one pipeline per document, and the older form with one `pipeline` mapping. Knows no server.
//!
//! <https://docs.drone.io/pipeline/docker/syntax/>. Commands run by `/bin/sh` with `set -e`; each is printed before it runs, unexpanded:
//! <https://github.com/drone-runners/drone-runner-docker/blob/master/engine/compiler/shell/shell.go>.
//! Jsonnet and Starlark are programs that write such a file; they are named, not run.

use super::steps::plugin::{self, Around};
use super::steps::{self, Reader, Values, moves, when};
use super::{Claim, Format, by_path};
use crate::model::dialect::{Dialect, Masks, SecretWords, Unpaste};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::pipeline::{Job, Pipeline, Scope, Triggers};
use crate::model::script::{Language, Shell};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "drone", claims, sniff: by_path, read };

/// How Drone says things. <https://docs.drone.io/secret/>
pub static DIALECT: Dialect = Dialect {
    name: "Drone",
    files: &[".drone.yml", ".drone.yaml"],
    unread: &["`.drone.jsonnet` and `.drone.star`, which are programs", "templates and secrets of the server"],
    masks: Masks::Values,
    unseen_variables: false,
    present: &[],
    publishes: false,
    identity: "",
    file: "a plugin that takes it by `settings:`, or a file that one step writes with `umask 077` into a temporary volume",
    narrow: "`environment:` of the one step that needs it, with the secret limited to its image and events",
    report: "- name: environment\n  image: IMAGE_OF_YOUR_TESTS\n  commands:\n  - pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # and a step with `when: {status: [success, failure]}` that uploads it",
    keeps_on_success: true,
    bash: false,
    secrets: &SecretWords {
        pipeline: "`environment` of the pipeline",
        job: "`environment` of the pipeline",
        steps: true,
        apart: "`when: {event: {exclude: [pull_request]}}`",
        plain: "in `environment:` of the step",
        workspace: &["/drone/src/", "$DRONE_WORKSPACE/"],
        unpasted: "write `$NAME` or `$${NAME}`: a `${NAME}` is replaced before the shell sees it",
        unpaste: Unpaste::Double,
        ..SecretWords::PLAIN
    },
};

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, ".drone.yml" | ".drone.yaml" | ".drone.jsonnet" | ".drone.star") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    if !source.path.ends_with("ml") {
        let text = "this is a program that writes the pipeline; it was not run, and nothing in it was checked: check the file that it writes";
        return facts.problem(ProblemKind::Template, source.top(), text);
    }
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    let mut triggers: Option<Triggers> = None;
    let is_pipeline = |root: &Node| root.get("kind").and_then(Node::str) == Some("pipeline");
    let several = tree.roots().filter(is_pipeline).count() > 1;
    let mut reader = Reader::new(facts);
    for root in tree.roots() {
        let name = root.get("name").and_then(Node::str).unwrap_or("default");
        match root.get("kind").and_then(Node::str) {
            Some("pipeline") => {
                let prefix = if several { format!("{name}.") } else { String::new() };
                let starts = when::triggers(root.get("trigger"));
                triggers = Some(triggers.map_or(starts.clone(), |known| when::either(known, starts)));
                pipeline.jobs.push(job(root, name, &prefix, &mut reader));
            }
            Some("template") => pipeline.unseen.push((
                "this pipeline is made of a template of the Drone server".to_string(),
                root.get("load").unwrap_or(root).at(),
            )),
            // Drone 0.8 and before.
            None if root.get("pipeline").is_some_and(Node::is_map) => {
                triggers = Some(when::triggers(None));
                pipeline.jobs.push(old_job(root, &mut reader));
            }
            _ => {}
        }
    }
    pipeline.triggers = triggers.unwrap_or_default();
    if !pipeline.jobs.is_empty() || !pipeline.unseen.is_empty() {
        facts.pipelines.push(pipeline);
    }
}

fn job(root: Node, name: &str, prefix: &str, reader: &mut Reader) -> Job {
    let mut job = Job::new(name, format!("{prefix}steps"), root.get("name").unwrap_or(root).at());
    job.env = plugin::environment(root.get("environment"), Scope::Job, &format!("{prefix}environment"));
    moves::note_lines(reader.facts, root, "environment", "environment", &format!("{prefix}environment"));
    job.on_patch = Some(when::allows(root.get("trigger"), "pull_request"));
    let needs = root.get("depends_on").into_iter().flat_map(Node::list).filter_map(Node::str);
    job.needs = needs.map(str::to_string).collect();
    let windows = root.path(&["platform", "os"]).and_then(Node::str) == Some("windows");
    let language = if windows { Language::PowerShell } else { Language::Posix };
    let around = Around { shell: Shell { language, ..Shell::ERREXIT }, values: Values::default() };
    for (key, name, node) in steps::named(root.get("steps"), &format!("{prefix}steps")) {
        plugin::step(node, &name, &key, &mut job, &around, reader);
    }
    plugin::services(root.get("services"), prefix, &mut job, &around, reader);
    job
}

/// One `pipeline` mapping of steps, with a matrix beside it.
fn old_job(root: Node, reader: &mut Reader) -> Job {
    let mut job = Job::new("pipeline", "pipeline", root.get("pipeline").unwrap_or(root).at());
    job.on_patch = Some(true);
    let mut around = Around { shell: Shell::ERREXIT, values: Values::default() };
    for (name, values) in root.get("matrix").into_iter().flat_map(Node::entries) {
        for value in values.items() {
            around.values.add(name.str().unwrap_or(""), value.text());
            job.matrix.extend(name.str().zip(value.str()).map(|(name, value)| (name.to_string(), value.to_string())));
        }
    }
    let steps = steps::named(root.get("pipeline"), "pipeline");
    steps.into_iter().for_each(|(key, name, node)| plugin::step(node, &name, &key, &mut job, &around, reader));
    plugin::services(root.get("services"), "", &mut job, &around, reader);
    job
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};
    use crate::model::pipeline::{StepKind, Value};
    use crate::model::reference::Role;

    const TEXT: &str = "kind: pipeline\nname: test\nplatform: {os: linux}\nenvironment: {A: b, T: {from_secret: wide}}\nsteps:\n- name: unit\n  \
        image: python:3.12\n  commands:\n  - pip install -r r.txt\n  - pytest\n- name: publish\n  image: plugins/pypi\n  settings:\n    \
        password: {from_secret: pypi}\n    username: u\n  when: {event: [tag]}\n  failure: ignore\nservices:\n- {name: db, image: postgres}\n\
        ---\nkind: pipeline\nname: nightly\ntrigger: {event: [cron]}\ndepends_on: [test]\nsteps: [{name: x, image: alpine, commands: [make]}]\n\
        ---\nkind: secret\nname: x\n";

    #[test]
    fn documents_are_jobs() {
        let facts = facts_of(&FORMAT, ".drone.yml", TEXT);
        assert_eq!(names(&facts), ["python:3.12", "plugins/pypi", "postgres", "alpine"]);
        let keys: Vec<&str> = facts.references.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(
            keys,
            ["test.steps[0].image", "test.steps[1].image", "test.services[0].image", "nightly.steps[0].image"]
        );
        assert_eq!(facts.references[1].role, Role::CiStep);
        let pipeline = &facts.pipelines[0];
        assert!(pipeline.triggers.patch && pipeline.triggers.schedule);
        let [test, nightly] = &pipeline.jobs[..] else { panic!("two jobs") };
        assert_eq!((test.on_patch, nightly.on_patch), (Some(true), Some(false)));
        assert_eq!(nightly.needs, ["test"]);
        assert!(matches!(&test.env[1].value, Value::Secret { names, whole: true, .. } if names == &["wide"]));
        let StepKind::Run(script) = &test.steps[0].kind else { panic!("commands") };
        assert_eq!((script.commands.len(), script.shell), (2, Shell::ERREXIT));
        let StepKind::Uses { inputs, .. } = &test.steps[1].kind else { panic!("a plugin") };
        assert_eq!(inputs[0].key, "test.steps[1].settings.password");
        assert!(test.steps[1].not_on_patch && test.steps[1].tolerated.plain() == Some(&true));
        assert!(facts.problems.is_empty());
    }

    #[test]
    fn one_pipeline_needs_no_name_in_its_keys() {
        let facts = facts_of(&FORMAT, ".drone.yml", "kind: pipeline\nname: a\nsteps:\n- {name: b, image: c}\n");
        assert_eq!(facts.references[0].key, "steps[0].image");
    }

    #[test]
    fn the_old_form_is_read() {
        let text = "pipeline:\n  test:\n    image: python:${V}\n    commands: [pytest]\n    secrets: [tok, {source: a, target: b}]\n\
                    matrix: {V: ['3.11', '3.12']}\n";
        let facts = facts_of(&FORMAT, ".drone.yml", text);
        assert_eq!(names(&facts), ["python:3.11", "python:3.12"]);
        let env = &facts.pipelines[0].jobs[0].steps[0].env;
        assert_eq!((env[0].name.as_str(), env[1].name.as_str()), ("TOK", "B"));
    }

    #[test]
    fn programs_are_named() {
        let facts = facts_of(&FORMAT, ".drone.star", "def main(ctx): pass\n");
        assert_eq!(facts.problems[0].kind, ProblemKind::Template);
        assert!(facts.pipelines.is_empty());
    }
}

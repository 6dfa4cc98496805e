//! Woodpecker: `.woodpecker.yml` and the workflows of `.woodpecker/`, one per file. Knows no server.
//!
//! <https://woodpecker-ci.org/docs/usage/workflow-syntax>. Commands run by `/bin/sh -e`, on Windows by
//! PowerShell; each is printed before it runs, unexpanded:
//! <https://github.com/woodpecker-ci/woodpecker/blob/main/pipeline/backend/common/script.go>.

use super::steps::plugin::{self, Around};
use super::steps::{self, Reader, Values, when};
use super::{Claim, Format, by_path};
use crate::model::dialect::{Dialect, Masks, SecretWords, Unpaste};
use crate::model::facts::Facts;
use crate::model::pipeline::{Job, Pipeline};
use crate::model::reference::Role;
use crate::model::script::{Language, Shell};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "woodpecker", claims, sniff: by_path, read };

/// How Woodpecker says things. <https://woodpecker-ci.org/docs/usage/secrets>
pub static DIALECT: Dialect = Dialect {
    name: "Woodpecker",
    files: &[".woodpecker.yml", ".woodpecker/**/*.yml"],
    unread: &["secrets, plugin filters and registries of the server"],
    masks: Masks::Values,
    unseen_variables: false,
    present: &[],
    publishes: false,
    identity: "",
    file: "a plugin that takes it by `settings:`, with the secret limited to that plugin's image",
    narrow: "`environment:` of the one step that needs it, with the secret limited to its events",
    report: "- name: environment\n  image: IMAGE_OF_YOUR_TESTS\n  commands:\n    - pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # and a step with `when: [{status: [success, failure]}]` that uploads it",
    keeps_on_success: true,
    bash: false,
    secrets: &SecretWords {
        pipeline: "the variables of the workflow",
        job: "the variables of the workflow",
        steps: true,
        apart: "`when: [{event: push}]`",
        plain: "in `environment:` of the step",
        workspace: &["/woodpecker/src/", "$CI_WORKSPACE/"],
        unpasted: "write `$NAME` or `$${NAME}`: a `${NAME}` is replaced before the shell sees it",
        unpaste: Unpaste::Double,
        ..SecretWords::PLAIN
    },
};

fn claims(path: &str) -> Claim {
    let Some(stem) = path.strip_suffix(".yml").or_else(|| path.strip_suffix(".yaml")) else { return Claim::No };
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let inside = folder.split('/').any(|part| part == ".woodpecker");
    if name == ".woodpecker" || inside { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|root| root.is_map() && tree.template.is_none()) else { return };
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    pipeline.triggers = when::triggers(root.get("when"));
    let name = source.file_name().split('.').find(|part| !part.is_empty()).unwrap_or("workflow");
    // Before 1.0 the steps stood under `pipeline`.
    let key = if root.get("steps").is_some() { "steps" } else { "pipeline" };
    let Some((place, list)) = root.entry(key) else { return };
    let mut job = Job::new(name, key, place.at());
    job.on_patch = Some(when::allows(root.get("when"), "pull_request"));
    let needs = root.get("depends_on").into_iter().flat_map(Node::list);
    job.needs = needs.filter_map(|need| need.str().or_else(|| need.get("name")?.str()).map(str::to_string)).collect();
    let values = matrix(root.get("matrix"), &mut job);
    let windows = root.path(&["labels", "platform"]).and_then(Node::str).is_some_and(|text| text.starts_with("windows"));
    let language = if windows { Language::PowerShell } else { Language::Posix };
    let around = Around { shell: Shell { language, ..Shell::ERREXIT }, values };
    let mut reader = Reader::new(facts);
    for (key, _, node) in steps::named(root.get("clone"), "clone") {
        reader.images(node.get("image"), &around.values, Role::CiStep, &format!("{key}.image"));
    }
    for (key, name, node) in steps::named(Some(list), key) {
        plugin::step(node, &name, &key, &mut job, &around, &mut reader);
    }
    plugin::services(root.get("services"), "", &mut job, &around, &mut reader);
    pipeline.jobs.push(job);
    facts.pipelines.push(pipeline);
}

/// `matrix: {NAME: [values]}` and `matrix: {include: [{NAME: value}]}`. <https://woodpecker-ci.org/docs/usage/matrix-workflows>
fn matrix(node: Option<Node>, job: &mut Job) -> Values {
    let mut values = Values::default();
    let mut add = |name: Node, value: Node| {
        let Some((name, text)) = name.str().zip(value.text()) else { return };
        job.matrix.push((name.to_string(), text.text.clone()));
        values.add(name, Some(text));
    };
    let Some(node) = node else { return values };
    let mut legs = 1usize;
    if let Some(include) = node.get("include") {
        include.items().flat_map(Node::entries).for_each(|(name, value)| add(name, value));
        legs = include.items().count();
    } else {
        for (name, list) in node.entries() {
            list.items().for_each(|value| add(name, value));
            legs = legs.saturating_mul(list.items().count().max(1));
        }
    }
    job.legs = Some(legs);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};
    use crate::model::pipeline::{StepKind, Value};

    #[test]
    fn maps_lists_and_matrices_are_read() {
        let text = "when:\n- event: pull_request\n- {event: push, branch: main}\nmatrix:\n  PY: ['3.12', '3.13']\nsteps:\n  test:\n    image: python:${PY}-slim\n    \
                    directory: app\n    commands: [pytest]\n    environment: {T: {from_secret: tok}}\n  up:\n    image: woodpeckerci/plugin-s3\n    \
                    settings: {key: {from_secret: k}}\n    when: {event: push}\nclone: {git: {image: woodpeckerci/plugin-git:2.6.0}}\n\
                    services:\n- {name: db, image: 'postgres:17'}\n";
        let facts = facts_of(&FORMAT, ".woodpecker/test.yml", text);
        let want = [
            "woodpeckerci/plugin-git:2.6.0",
            "python:3.12-slim",
            "python:3.13-slim",
            "woodpeckerci/plugin-s3",
            "postgres:17",
        ];
        assert_eq!(names(&facts), want);
        assert_eq!(facts.references[1].key, "steps.test.image");
        let (pipeline, job) = (&facts.pipelines[0], &facts.pipelines[0].jobs[0]);
        assert!(pipeline.triggers.patch && job.on_patch == Some(true));
        assert_eq!((job.id.as_str(), job.legs, job.images.len()), ("test", Some(2), 2));
        assert!(matches!(&job.steps[0].env[0].value, Value::Secret { names, .. } if names == &["tok"]));
        assert!(job.steps[1].not_on_patch);
        let StepKind::Run(script) = &job.steps[0].kind else { panic!("commands") };
        assert_eq!(script.cwd, "app");
    }

    #[test]
    fn files_are_known_by_their_folder() {
        for path in [".woodpecker.yml", ".woodpecker/a.yaml", "x/.woodpecker/b/c.yml"] {
            assert_eq!(claims(path), Claim::Yes, "{path}");
        }
        assert_eq!(claims("woodpecker/a.yml"), Claim::No);
    }
}

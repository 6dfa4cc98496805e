//! Google Cloud Build: `cloudbuild*.yaml` and `.json`. Knows no trigger: those live in the project of the build.
//!
//! <https://cloud.google.com/build/docs/build-config-file-schema>. Each step is a container. A `script` is read by plain `/bin/sh` or by
//! what its first line names, `args` behind `-c` by the shell that is named, both without `-e` unless it is written:
//! <https://cloud.google.com/build/docs/configuring-builds/run-bash-scripts>. `$$` is a dollar; `$_NAME` is a substitution.

use super::steps::pasted::{pasted, substitutions};
use super::steps::{self, Reader, Values, moves};
use super::{Claim, Format};
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Setting, Step, StepKind, Triggers};
use crate::model::reference::Role;
use crate::model::script::{Script, Shell};
use crate::model::source::{Source, Sources, join};
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use crate::syntax::{json, yaml};

/// The format.
pub static FORMAT: Format = Format { name: "cloud build", claims, sniff, read };

/// How Cloud Build says things. <https://cloud.google.com/build/docs/securing-builds/use-secrets>
pub static DIALECT: Dialect = Dialect {
    name: "Google Cloud Build",
    files: &["cloudbuild*.yaml", "cloudbuild*.json"],
    unread: &["triggers and their substitutions, which the project of the build holds"],
    masks: Masks::Nothing,
    unseen_variables: false,
    present: &[],
    publishes: true,
    identity: "the service account of the build (`serviceAccount:`), which needs no secret for Google Cloud",
    file: "`gcloud secrets versions access` in a step of its own, written to a file of a shared volume (`volumes:`)",
    narrow: "`secretEnv:` of the one step that needs it, read as `$$NAME`",
    report: "- name: IMAGE_OF_YOUR_TESTS\n  script: pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml; code=$?; gsutil cp junit.xml \"gs://$BUCKET/$BUILD_ID/\"; exit $code",
    keeps_on_success: true,
    bash: false,
    secrets: &SecretWords {
        pipeline: "`options` of the build",
        rewrites: &Rewrites { cloud: "serviceAccount: projects/PROJECT/serviceAccounts/NAME@PROJECT.iam.gserviceaccount.com\noptions: {logging: CLOUD_LOGGING_ONLY}", ..Rewrites::PLAIN },
        job: "`options` of the build",
        steps: true,
        private: &["/tmp/", "/dev/shm/", "~/", "$HOME/", "${HOME}/", "$$HOME/", "/root/", "/run/", "/secrets/"],
        plain: "in `substitutions:`, `$_NAME`, or in `env:` of the step",
        workspace: &["/workspace/"],
        unpasted: "keep it in Secret Manager: `availableSecrets`, `secretEnv: [NAME]` of the one step, and `$$NAME` in its script",
        ..SecretWords::PLAIN
    },
};

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, end)) = name.rsplit_once('.') else { return Claim::No };
    let known = stem.starts_with("cloudbuild") || stem.ends_with("cloudbuild");
    match end {
        "yaml" | "yml" | "json" if stem == "cloudbuild" => Claim::Yes,
        "yaml" | "yml" | "json" if known => Claim::Maybe,
        _ => Claim::No,
    }
}

fn sniff(text: &str) -> bool {
    text.contains("steps") && text.contains("name")
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = if source.path.ends_with(".json") {
        json::parse(source.id, &source.text)
    } else {
        yaml::parse(source.id, &source.text)
    };
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let Some((place, list)) = root.entry("steps") else { return };
    let mut build = Build { values: Values::default(), secrets: secrets(root) };
    for (name, value) in root.get("substitutions").into_iter().flat_map(Node::entries) {
        build.values.add(name.str().unwrap_or(""), value.text());
    }
    if let Some(options) = options_of(root, source) {
        moves::note_items(facts, options, "secretEnv", "secretEnv", "options.secretEnv");
        moves::widen(facts, root, "options", "options.secretEnv");
    }
    let mut reader = Reader::new(facts);
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    pipeline.triggers = Triggers { manual: true, unseen: true, ..Triggers::default() };
    let options = root.get("options");
    pipeline.env = build.environment(options, Scope::Pipeline, "options");
    let mut job = Job::new("build", "steps", place.at());
    job.timeout = timeout(root.get("timeout"));
    for (index, node) in list.items().enumerate() {
        let key = format!("steps[{index}]");
        if is_yaml(source) {
            moves::note_list_slot(reader.facts, node, "secretEnv", &["script", "args", "entrypoint", "name"], &key);
        }
        build.step(node, &key, &mut job, &mut reader);
    }
    let images = root.get("images").into_iter().flat_map(Node::items).filter_map(Node::str);
    reader.facts.own_images.extend(images.map(str::to_string));
    pipeline.jobs.push(job);
    facts.pipelines.push(pipeline);
}

/// Variables are moved in YAML only.
fn is_yaml(source: &Source) -> bool {
    !source.path.ends_with(".json")
}

fn options_of<'t>(root: Node<'t>, source: &Source) -> Option<Node<'t>> {
    root.get("options").filter(|_| is_yaml(source))
}

/// What all steps of a build share.
struct Build {
    /// Substitutions by default value.
    values: Values,
    /// Variables that hold secrets, and the secrets.
    secrets: Vec<(String, String)>,
}

impl Build {
    fn step(&self, node: Node, key: &str, job: &mut Job, reader: &mut Reader) {
        let image = node.get("name").and_then(Node::text);
        let script = self.script(node, image.as_ref(), key, reader);
        let role = if script.is_some() { Role::CiImage } else { Role::CiStep };
        let images = reader.images(node.get("name"), &self.values, role, &format!("{key}.name"));
        let kind = match script {
            Some(script) => {
                job.images.extend(&images);
                StepKind::Run(script)
            }
            None => images.first().map_or(StepKind::Other, |image| StepKind::Uses { component: *image, inputs: Vec::new() }),
        };
        let name = node.get("id").and_then(Node::str).or(image.as_ref().map(|image| image.text.as_str())).unwrap_or("");
        let mut step = Step::new(name, key, node.at(), kind);
        step.env = self.environment(Some(node), Scope::Step, key);
        step.pasted = self.pasted(node, key);
        step.shell_written = node.get("script").is_none();
        step.tolerated = match (steps::switch(node.get("allowFailure")), node.get("allowExitCodes")) {
            (Setting::Absent, Some(codes)) => Setting::Computed(codes.at()),
            (switch, _) => switch,
        };
        job.steps.push(step);
    }

    /// What a step runs: its `script`, or its `entrypoint` and `args` as one command.
    fn script(&self, node: Node, image: Option<&Text>, key: &str, reader: &mut Reader) -> Option<Script> {
        let folder = node.get("dir").and_then(Node::str).and_then(|folder| join("", folder)).unwrap_or_default();
        if let Some(text) = node.get("script").and_then(Node::mapped) {
            return reader.script(&text, Shell::PLAIN, &folder, &format!("{key}.script"));
        }
        let args = node.get("args").into_iter().flat_map(Node::items).filter_map(Node::mapped);
        let mut words: Vec<Mapped> = args.map(|text| self.expand(&text)).collect();
        let program = match node.get("entrypoint").and_then(Node::mapped) {
            Some(entrypoint) => Some(self.expand(&entrypoint)),
            None => image.and_then(|image| builder(&image.text)).map(|program| {
                // The image itself is the program; its place stands for the word.
                Mapped::opaque(program, words.first().map_or(node.at(), |word| word.at))
            }),
        };
        if let Some(program) = program.filter(|program| words.first().is_none_or(|first| first.text != program.text)) {
            words.insert(0, program);
        }
        reader.words(words, Shell::PLAIN, &folder, &format!("{key}.args"))
    }

    /// Substitutions that a build is started with and that are secrets by their names.
    fn pasted(&self, node: Node, key: &str) -> Vec<Assignment> {
        let texts = node.get("args").into_iter().flat_map(Node::items).enumerate();
        let found = texts.flat_map(|(index, text)| {
            let Some(text) = text.mapped() else { return Vec::new() };
            let mut parts = substitutions(&text.text);
            // One with a default in the file holds no secret, or a literal that other rules speak of.
            parts.retain(|(_, name)| self.values.of(name).iter().all(|value| value.text.is_empty()));
            pasted(&text, parts, &[], &format!("{key}.args[{index}]"))
        });
        found.collect()
    }

    /// A text as the step gets it: substitutions put in, `$$` a dollar.
    fn expand(&self, text: &Mapped) -> Mapped {
        let mut out = Mapped::opaque("", text.at);
        let mut rest = 0;
        for (at, _) in text.text.match_indices("$$") {
            if at < rest {
                continue;
            }
            out.append(&self.substitute(&text.slice(rest..at)));
            out.append(&text.slice(at + 1..at + 2));
            rest = at + 2;
        }
        out.append(&self.substitute(&text.slice(rest..text.text.len())));
        out
    }

    fn substitute(&self, text: &Mapped) -> Mapped {
        self.values.resolve(text).into_iter().next().unwrap_or_else(|| text.clone())
    }

    /// `env` and `secretEnv` of a step or of `options`.
    fn environment(&self, node: Option<Node>, scope: Scope, key: &str) -> Vec<Assignment> {
        let list = |name: &str| {
            let node = node.and_then(|node| node.get(name));
            node.into_iter().flat_map(Node::items).enumerate().collect::<Vec<_>>()
        };
        let plain = list("env").into_iter().filter_map(|(_, item)| steps::pair(item, scope, &format!("{key}.env")));
        let secret = list("secretEnv").into_iter().filter_map(|(index, item)| {
            let name = item.str()?;
            let known = self.secrets.iter().find(|(variable, _)| variable == name);
            let secret = known.map_or(name, |(_, secret)| secret.as_str());
            Some(steps::secret(name, secret, scope, item.at(), &format!("{key}.secretEnv[{index}]")))
        });
        plain.chain(secret).collect()
    }
}

/// Variables and the secrets that they hold: `availableSecrets`, and `secrets` of before.
fn secrets(root: Node) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let all = |path: &[&str]| root.path(path).into_iter().flat_map(Node::items).collect::<Vec<_>>();
    for one in all(&["availableSecrets", "secretManager"]) {
        let version = one.get("versionName").and_then(Node::str).unwrap_or("");
        let name = version.split("/secrets/").nth(1).and_then(|rest| rest.split('/').next());
        if let Some(variable) = one.get("env").and_then(Node::str) {
            found.push((variable.to_string(), name.unwrap_or(variable).to_string()));
        }
    }
    let maps = all(&["availableSecrets", "inline"]).into_iter().filter_map(|one| one.get("envMap"));
    let old = all(&["secrets"]).into_iter().filter_map(|one| one.get("secretEnv"));
    for (variable, _) in maps.chain(old).flat_map(Node::entries) {
        found.extend(variable.str().map(|name| (name.to_string(), name.to_string())));
    }
    found
}

/// The program that a builder image starts when no entrypoint is written.
/// <https://github.com/GoogleCloudPlatform/cloud-builders>
fn builder(image: &str) -> Option<&str> {
    let name = image.split(['@']).next().unwrap_or(image);
    let (folder, last) = name.rsplit_once('/')?;
    let last = last.split(':').next().unwrap_or(last);
    let official = matches!(folder, "gcr.io/cloud-builders" | "gcr.io/google.com/cloudsdktool");
    match last {
        "cloud-sdk" | "google-cloud-cli" => None,
        _ if official => Some(last),
        _ => None,
    }
}

/// `3600s`: minutes, rounded up.
fn timeout(node: Option<Node>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    let seconds = node.str().and_then(|text| text.strip_suffix('s').unwrap_or(text).parse::<f64>().ok());
    seconds.map_or(Setting::Computed(node.at()), |seconds| {
        Setting::Plain((seconds / 60.0).ceil().clamp(0.0, 1e9) as u32, node.at())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};
    use crate::model::pipeline::Value;
    use crate::model::script::Deed;

    const TEXT: &str = r#"
steps:
- name: gcr.io/cloud-builders/docker
  args: [build, -t, "gcr.io/$PROJECT_ID/app:$_TAG", .]
- name: python:$_PY
  id: unit
  entrypoint: bash
  args:
  - -ceu
  - |
    pip install pytest==$_PYTEST
    echo "$$TOKEN"
  secretEnv: [TOKEN]
  env: ['A=b', 'B=$_TAG']
- name: python:3.12-slim
  args: [pip, install, requests]
- name: alpine:3.20
  script: |
    make test
  allowFailure: true
substitutions: {_PY: '3.12', _PYTEST: 8.3.4}
options: {secretEnv: [WIDE]}
availableSecrets:
  secretManager:
  - {versionName: projects/p/secrets/api-token/versions/latest, env: TOKEN}
timeout: 1200s
"#;

    #[test]
    fn steps_are_read_as_they_run() {
        let facts = facts_of(&FORMAT, "cloudbuild.yaml", TEXT);
        let want =
            ["gcr.io/cloud-builders/docker", "pytest:==8.3.4", "python:3.12", "requests", "python:3.12-slim", "alpine:3.20"];
        let mut got = names(&facts);
        let mut want = want.map(str::to_string).to_vec();
        got.sort();
        want.sort();
        assert_eq!(got, want);
        let job = &facts.pipelines[0].jobs[0];
        assert_eq!(job.timeout.plain(), Some(&20));
        let script = |index: usize| match &job.steps[index].kind {
            StepKind::Run(script) => script,
            other => panic!("{other:?}"),
        };
        assert!(matches!(script(0).commands[0].deeds[0], Deed::BuildImage(_)));
        assert_eq!((script(1).shell.errexit, script(1).commands.len()), (true, 2));
        assert_eq!(script(1).commands[1].words[1].text.text, "$TOKEN");
        assert!(!script(3).shell.errexit && job.steps[3].tolerated.plain() == Some(&true));
        let secrets: Vec<_> = job.steps[1].env.iter().filter(|one| matches!(one.value, Value::Secret { .. })).collect();
        assert!(matches!(&secrets[0].value, Value::Secret { names, .. } if names == &["api-token"]));
        assert_eq!(facts.pipelines[0].env[0].key, "options.secretEnv[0]");
        let python = facts.references.iter().find(|one| one.key == "steps[1].name").expect("an image");
        let slot = python.site.version.expect("the substitution is where it is written").at;
        assert_eq!(&TEXT[slot.span.range()], "3.12");
    }

    #[test]
    fn json_is_read_too() {
        let facts = facts_of(&FORMAT, "ci/cloudbuild.json", r#"{"steps": [{"name": "alpine", "args": ["ls"]}]}"#);
        assert_eq!(names(&facts), ["alpine"]);
        assert_eq!((claims("a/cloudbuild-dev.yml"), claims("a/build.yml")), (Claim::Maybe, Claim::No));
    }
}

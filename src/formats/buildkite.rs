//! Buildkite: `.buildkite/**/*.yml` and `buildkite.yml`. Knows no server, no agent and no hook.
//!
//! <https://buildkite.com/docs/pipelines/configure/step-types>. Every command step is a job on an agent of its own. Commands run by
//! `/bin/bash -e -c`, on Windows by `CMD.exe /S /C`, unless the agent says another `shell`, lists as lines of one script:
//! <https://github.com/buildkite/agent/blob/main/clicommand/agent_start.go>. Plugins are repositories at a tag.

mod upload;

use super::steps::pasted::{interpolated, pasted};
use super::steps::{self, Reader, Values, moves};
use super::{Claim, Format};
use crate::ecosystems::git;
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords, Unpaste};
use crate::model::facts::Facts;
use crate::model::pin::Strength;
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Pipeline, PushFilter, Scope, Setting, Step, StepKind, Triggers, Value};
use crate::model::reference::{Origin, Reference, Role, Slot};
use crate::model::script::{Language, Shell};
use crate::model::secrets::looks_secret;
use crate::model::source::{Source, Sources};
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::{Node, Tree};
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "buildkite", claims, sniff, read };

/// How Buildkite says things. <https://buildkite.com/docs/pipelines/security/secrets/managing>
pub static DIALECT: Dialect = Dialect {
    name: "Buildkite",
    files: &[".buildkite/**/*.yml", "buildkite.yml"],
    unread: &["steps that a program uploads", "hooks and environment of the agents", "settings of the pipeline on the server"],
    masks: Masks::Names,
    unseen_variables: true,
    present: &["BUILDKITE_AGENT_ACCESS_TOKEN"],
    publishes: false,
    identity: "`buildkite-agent oidc request-token`, exchanged for short-lived credentials",
    file: "`buildkite-agent secret get NAME` in the command, into standard input or a file with mode 0600",
    narrow: "`secrets:` of the one step that needs it",
    report: "- label: environment\n  command: pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # with artifact_paths: junit.xml",
    keeps_on_success: false,
    bash: true,
    secrets: &SecretWords {
        pipeline: "`env` and `secrets` of the pipeline",
        job: "`env` and `secrets` of the step",
        setters: &["buildkite-agent meta-data set", "buildkite-agent env set"],
        rewrites: &Rewrites {
            cloud: "umask 077\nbuildkite-agent oidc request-token --audience sts.amazonaws.com > /tmp/aws-token\nexport AWS_WEB_IDENTITY_TOKEN_FILE=/tmp/aws-token AWS_ROLE_ARN=arn:aws:iam::ACCOUNT:role/ROLE",
            ..Rewrites::PLAIN
        },
        apart: "`if: build.pull_request.id == null`",
        plain: "in `env:` of the pipeline or the step",
        unpasted: "write `$$NAME`: the upload leaves it alone, and the shell of the step reads the variable; or keep the commands in a script file",
        unpaste: Unpaste::Double,
        ..SecretWords::PLAIN
    },
};

fn claims(path: &str) -> Claim {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { return Claim::No };
    let inside = folder.split('/').any(|part| part == ".buildkite");
    let named = stem == "buildkite" || stem.starts_with("buildkite.");
    if inside || named { Claim::Maybe } else { Claim::No }
}

fn sniff(text: &str) -> bool {
    // Steps alone may stand as a list.
    let keys = ["command:", "commands:", "plugins:", "wait", "block:", "trigger:", "group:", "input:"];
    text.contains("steps:") || text.trim_start().starts_with("- ") && keys.iter().any(|key| text.contains(key))
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let list = root.get("steps").or_else(|| root.is_seq().then_some(root));
    let Some(list) = list else { return };
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    // Which branches and pull requests are built is set on the server.
    pipeline.triggers = Triggers { patch: true, push: Some(PushFilter::default()), manual: true, unseen: true, ..Triggers::default() };
    let replaces = !upload::leaves_variables(source, sources);
    pipeline.env = environment(root.get("env"), Scope::Pipeline, "env", replaces);
    pipeline.env.extend(secrets(root.get("secrets"), Scope::Pipeline, "secrets"));
    note_lines(facts, root);
    let lists_secrets = root.get("secrets").is_some_and(Node::is_seq);
    let mut file = File { tree: &tree, reader: Reader::new(facts), image: root.get("image"), lists_secrets, replaces, pipeline: &mut pipeline };
    file.steps(list, "steps");
    facts.pipelines.push(pipeline);
}

struct File<'t, 'f, 'p> {
    tree: &'t Tree<'t>,
    reader: Reader<'f>,
    /// The image of steps that name none.
    image: Option<Node<'t>>,
    /// Whether the secrets of all steps are a list of names.
    lists_secrets: bool,
    /// Whether the upload replaces variables.
    replaces: bool,
    pipeline: &'p mut Pipeline,
}

impl<'t> File<'t, '_, '_> {
    fn steps(&mut self, list: Node<'t>, key: &str) {
        for (index, node) in list.items().enumerate() {
            let key = format!("{key}[{index}]");
            if let Some(group) = node.get("steps").filter(|_| node.get("group").is_some()) {
                for (index, inner) in group.items().enumerate() {
                    self.step(inner, &format!("{key}.steps[{index}]"));
                }
            } else {
                self.step(node, &key);
            }
        }
    }

    /// A step that runs something. `wait`, `block` and `input` run nothing; a trigger starts a pipeline that lies elsewhere.
    fn step(&mut self, node: Node<'t>, key: &str) {
        // An older spelling wraps a step: `command: {…}`.
        let node = node.get("command").filter(|inner| inner.is_map()).unwrap_or(node);
        if let Some(trigger) = node.get("trigger").filter(|trigger| trigger.is_scalar()) {
            let text = format!("step `{key}` starts the pipeline `{}`, whose steps lie elsewhere", trigger.str().unwrap_or(""));
            return self.pipeline.unseen.push((text, trigger.at()));
        }
        let text = steps::commands(node.get("command").or_else(|| node.get("commands")));
        if text.is_none() && node.get("plugins").is_none() {
            return;
        }
        for word in ["env", "secrets"] {
            let is_list = node.get(word).is_some_and(Node::is_seq) || node.get(word).is_none() && word == "secrets" && self.lists_secrets;
            let note = if is_list { moves::note_list_slot } else { moves::note_slot };
            note(self.reader.facts, node, word, &["command", "commands", "plugins"], key);
        }
        let name = ["key", "id", "identifier", "label", "name"].iter().find_map(|name| node.get(name)?.str());
        let mut job = Job::new(name.unwrap_or(key), key, node.at());
        job.name = node.get("label").or_else(|| node.get("name")).and_then(Node::str).unwrap_or(&job.id).to_string();
        let values = matrix(node.get("matrix"), &mut job);
        job.env = environment(node.get("env"), Scope::Job, &format!("{key}.env"), self.replaces);
        job.env.extend(secrets(node.get("secrets"), Scope::Job, &format!("{key}.secrets")));
        let (image, image_key) = match node.get("image") {
            Some(image) => (Some(image), format!("{key}.image")),
            None => (self.image, "image".to_string()),
        };
        job.images = self.reader.images(image, &values, Role::CiImage, &image_key);
        self.plugins(node.get("plugins"), key, &values, &mut job);
        if let Some(text) = text {
            let key = format!("{key}.{}", if node.get("command").is_some() { "command" } else { "commands" });
            let written = values.resolve(&text).into_iter().next().unwrap_or(text);
            let (text, parts) = if self.replaces { interpolated(written.clone()) } else { (written.clone(), Vec::new()) };
            let pasted = pasted(&written, parts, job.env.iter().chain(&self.pipeline.env), &key);
            let windows = node.get("agents").is_some_and(|agents| on_windows(self.tree, agents));
            let shell = if windows { Shell { language: Language::Cmd, ..Shell::PLAIN } } else { Shell::ERREXIT };
            if let Some(script) = self.reader.script(&text, shell, "", &key) {
                let first = text.text.trim().lines().next().unwrap_or("").to_string();
                job.steps.push(Step { pasted, ..Step::new(first, key, text.at, StepKind::Run(script)) });
            }
        }
        settings(node, &mut job);
        self.pipeline.jobs.push(job);
    }

    fn plugins(&mut self, list: Option<Node<'t>>, key: &str, values: &Values, job: &mut Job) {
        let Some(list) = list else { return };
        let pairs = list.entries().map(|(name, config)| (format!("{key}.plugins"), name, Some(config)));
        let items = list.items().enumerate().flat_map(|(index, item)| {
            let key = format!("{key}.plugins[{index}]");
            let own = key.clone();
            let one = item.is_scalar().then_some((own, item, None));
            one.into_iter().chain(item.entries().map(move |(name, config)| (key.clone(), name, Some(config)))).collect::<Vec<_>>()
        });
        for (key, name, config) in pairs.chain(items).collect::<Vec<_>>() {
            let Some(reference) = plugin(name, &key) else { continue };
            let short = reference.subject.name.rsplit('/').next().unwrap_or("").trim_end_matches("-buildkite-plugin").to_string();
            let component = self.reader.push(reference);
            let inputs = steps::assignments(config.filter(|node| node.is_map()), Scope::Input, &key, |_| None);
            job.steps.push(Step::new(short.clone(), &key, name.at(), StepKind::Uses { component, inputs }));
            if let Some(config) = config {
                self.plugin_images(&short, config, &format!("{key}.{short}"), values, job);
            }
        }
    }

    /// Images that plugins run the step in.
    fn plugin_images(&mut self, plugin: &str, config: Node<'t>, key: &str, values: &Values, job: &mut Job) {
        let found = match plugin {
            "docker" => self.reader.images(config.get("image"), values, Role::CiImage, &format!("{key}.image")),
            "kubernetes" => {
                let containers = config.path(&["podSpec", "containers"]).into_iter().flat_map(Node::items).enumerate();
                let all = containers.flat_map(|(index, container)| {
                    let key = format!("{key}.podSpec.containers[{index}].image");
                    self.reader.images(container.get("image"), values, Role::CiImage, &key)
                });
                all.collect()
            }
            _ => Vec::new(),
        };
        job.images.extend(found);
    }
}

/// `docker#v5.12.0`, `org/name#v1`, `https://host/repo.git#ref`, `ssh://…#ref`, `./path`.
/// <https://buildkite.com/docs/pipelines/integrations/plugins/using>
fn plugin(node: Node, key: &str) -> Option<Reference> {
    let text = &node.text()?;
    let (source, rev) = text.text.split_once('#').unwrap_or((&text.text, ""));
    if source.is_empty() {
        return None;
    }
    let local = source.starts_with("./") || source.starts_with('/') || source.starts_with("file:");
    let name = if local {
        source.to_string()
    } else if source.contains("://") || source.contains('@') {
        git::name_of(source)
    } else {
        let (owner, name) = source.rsplit_once('/').unwrap_or(("buildkite-plugins", source));
        format!("{owner}/{name}-buildkite-plugin")
    };
    let start = source.len();
    let part = (start + 1).min(text.text.len())..text.text.len();
    let written = Text { text: rev.to_string(), at: text.place(part), verbatim: text.verbatim };
    let mut reference = git::pinned_at(&name, &written, node.comment(), Role::CiStep, key);
    reference.site.whole = text.at;
    if let Some(slot) = &mut reference.site.digest {
        *slot = Slot { at: text.place(start..text.text.len()), lead: "#" };
    }
    git::note_at_end(&mut reference, node.free_end());
    if local {
        reference = Reference { origin: Origin::Local, strength: Some(Strength::Immutable), ..reference };
    }
    Some(reference)
}

/// What of a step is neither image nor command.
fn settings(node: Node, job: &mut Job) {
    let number = |node: Node| node.str().and_then(|text| text.parse().ok());
    job.timeout = match node.get("timeout_in_minutes") {
        None => Setting::Absent,
        Some(node) => number(node).map_or(Setting::Computed(node.at()), |minutes| Setting::Plain(minutes, node.at())),
    };
    job.tolerated = match node.get("soft_fail") {
        None => Setting::Absent,
        Some(node) if node.is_seq() => {
            let any = node.items().any(|item| item.get("exit_status").and_then(Node::str) == Some("*"));
            if any { Setting::Plain(true, node.at()) } else { Setting::Computed(node.at()) }
        }
        node => steps::switch(node),
    };
    job.retry = retry(node.path(&["retry", "automatic"]));
    let needs = node.get("depends_on").into_iter().flat_map(Node::list);
    job.needs = needs.filter_map(|need| need.str().or_else(|| need.get("step")?.str()).map(str::to_string)).collect();
    job.condition = node.get("if").and_then(Node::text);
    let condition = job.condition.as_ref().map_or("", |text| text.text.as_str()).replace(' ', "");
    // Without pull requests in it, a condition on the branch or a tag keeps patches away.
    let never = ["build.branch==\"main\"", "build.branch==\"master\"", "build.branch==pipeline.default_branch", "build.tag!=null"];
    let branches = node.get("branches").and_then(Node::str).is_some_and(|text| matches!(text, "main" | "master"));
    let apart = !condition.contains("||") && never.iter().any(|part| condition.replace('\'', "\"").contains(part));
    job.on_patch = match (branches || apart, condition.is_empty()) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        (false, false) => None,
    };
    if let Some(cache) = node.get("cache") {
        // <https://buildkite.com/docs/agent/buildkite-hosted/cache-volumes>
        let texts = |node: Option<Node>| node.into_iter().flat_map(Node::list).filter_map(Node::str).map(str::to_string).collect::<Vec<_>>();
        let paths = texts(cache.get("paths").or(Some(cache)));
        let key = format!("{}.cache", job.key);
        job.caches.push(Cache { at: cache.at(), key, names: texts(cache.get("name")), files: Vec::new(), paths });
    }
    if let Some(paths) = node.get("artifact_paths") {
        let texts: Vec<String> = paths.list().filter_map(Node::str).flat_map(|text| text.split(';')).map(str::to_string).collect();
        let report = texts.iter().any(|path| path.ends_with(".xml"));
        job.artifacts.push(Artifact { at: paths.at(), paths: texts, report, on_failure: true });
    }
}

/// `automatic: true` (twice), `{limit: 3}`, or a list. One for lost agents alone hides no test.
fn retry(node: Option<Node>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    let one = |rule: Node| {
        let status = rule.get("exit_status");
        let agent = status.is_some_and(|status| status.list().all(|code| matches!(code.str(), Some("-1" | "255" | "143" | "137"))));
        let signal = status.is_none() && rule.get("signal_reason").is_some();
        if agent || signal { None } else { Some(rule.get("limit").and_then(Node::str).and_then(|text| text.parse().ok()).unwrap_or(2)) }
    };
    let most = if node.is_seq() {
        node.items().filter_map(one).max()
    } else if node.is_map() {
        one(node)
    } else {
        node.bool().and_then(|on| on.then_some(2))
    };
    most.map_or(Setting::Absent, |most| Setting::Plain(most, node.at()))
}

fn on_windows(tree: &Tree, agents: Node) -> bool {
    tree.slice(agents.whole()).to_ascii_lowercase().contains("windows")
}

/// Notes how the variables of all steps can be taken out.
fn note_lines(facts: &mut Facts, root: Node) {
    moves::note_lines(facts, root, "env", "env", "env");
    match root.get("secrets").is_some_and(Node::is_seq) {
        true => moves::note_items(facts, root, "secrets", "secrets", "secrets"),
        false => moves::note_lines(facts, root, "secrets", "secrets", "secrets"),
    }
}

/// `env: {NAME: value}` or a list of `NAME=value`. What the upload puts into a value is a secret when its name says so.
fn environment(node: Option<Node>, scope: Scope, key: &str, replaces: bool) -> Vec<Assignment> {
    let pairs = node.into_iter().flat_map(Node::items).filter_map(|item| steps::pair(item, scope, key));
    let mut all: Vec<Assignment> = pairs.chain(steps::assignments(node.filter(|node| node.is_map()), scope, key, |_| None)).collect();
    for one in all.iter_mut().filter(|_| replaces) {
        let Value::Expression(text) = &one.value else { continue };
        let (_, parts) = interpolated(Mapped::opaque(text.as_str(), one.at));
        let names: Vec<String> = parts.iter().map(|(_, name)| name.clone()).filter(|name| looks_secret(name)).collect();
        if !names.is_empty() {
            let whole = parts.len() == 1 && parts[0].0 == (0..text.len());
            one.value = Value::Secret { names, whole, derived: false };
        }
    }
    all
}

/// `secrets: [NAME]` or `{VARIABLE: NAME}`. <https://buildkite.com/docs/pipelines/security/secrets/buildkite-secrets>
fn secrets(node: Option<Node>, scope: Scope, key: &str) -> Vec<Assignment> {
    let Some(node) = node else { return Vec::new() };
    let items = node.items().enumerate().filter_map(|(index, item)| {
        let name = item.str()?;
        Some(steps::secret(name, name, scope, item.at(), &format!("{key}[{index}]")))
    });
    let entries = node.entries().filter_map(|(variable, name)| {
        let variable = variable.str()?;
        let value = Value::Secret { names: vec![name.str()?.to_string()], whole: true, derived: false };
        Some(Assignment { name: variable.to_string(), value, scope, at: name.at(), key: format!("{key}.{variable}") })
    });
    items.chain(entries).collect()
}

/// `matrix: [a, b]` is `{{matrix}}`, `setup: {x: [a]}` is `{{matrix.x}}`; adjustments add combinations.
fn matrix(node: Option<Node>, job: &mut Job) -> Values {
    let mut values = Values::default();
    let Some(node) = node else { return values };
    let setup = node.get("setup").unwrap_or(node);
    let mut legs = setup.items().count().max(1);
    let mut add = |name: String, value: Node, values: &mut Values| {
        let Some(text) = value.text() else { return };
        let known = values.of(&name).iter().any(|known| known.text == text.text);
        if !known {
            job.matrix.push((name.trim_start_matches("matrix.").to_string(), text.text.clone()));
            values.add(name, Some(text));
        }
    };
    setup.items().for_each(|value| add("matrix".to_string(), value, &mut values));
    for (name, list) in setup.entries() {
        list.items().for_each(|value| add(format!("matrix.{}", name.str().unwrap_or("")), value, &mut values));
        legs = legs.saturating_mul(list.items().count().max(1));
    }
    for adjustment in node.get("adjustments").into_iter().flat_map(Node::items) {
        if adjustment.get("skip").is_some() {
            continue;
        }
        for (name, value) in adjustment.get("with").into_iter().flat_map(Node::entries) {
            add(format!("matrix.{}", name.str().unwrap_or("")), value, &mut values);
        }
    }
    job.legs = Some(legs);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    const TEXT: &str = r#"
env: {A: b}
secrets: [WIDE]
steps:
- label: ":python: unit {{matrix.py}}"
  key: unit
  commands: [pip install -r r.txt, pytest]
  matrix: {setup: {py: ['3.12', '3.13']}}
  plugins:
  - docker#v5.12.0: {image: 'python:{{matrix.py}}'}
  - acme/thing#main
  - https://example.com/a/b.git#v1
  secrets: {TOKEN: api_token}
  timeout_in_minutes: 10
  soft_fail: true
  retry: {automatic: [{exit_status: -1, limit: 2}]}
  artifact_paths: 'junit.xml;log.txt'
- wait
- group: more
  steps:
  - {command: make lint, depends_on: unit, branches: main}
- {trigger: other}
"#;

    #[test]
    fn what_an_upload_puts_into_variables_is_a_secret_by_its_name() {
        let text = "env: {A: $API_TOKEN, B: 'x-${STAGE}', C: $$API_TOKEN}\nsteps:\n- {command: ./a, env: ['D=u:$DB_PASSWORD']}\n";
        let facts = facts_of(&FORMAT, ".buildkite/pipeline.yml", text);
        let secrets = |list: &[Assignment]| -> Vec<(String, bool)> {
            let one = |one: &Assignment| match &one.value {
                Value::Secret { names, whole, .. } => Some((names.join(" "), *whole)),
                _ => None,
            };
            list.iter().filter_map(one).collect()
        };
        assert_eq!(secrets(&facts.pipelines[0].env), [("API_TOKEN".to_string(), true)]);
        assert_eq!(secrets(&facts.pipelines[0].jobs[0].env), [("DB_PASSWORD".to_string(), false)]);
    }

    #[test]
    fn steps_are_jobs() {
        let facts = facts_of(&FORMAT, ".buildkite/pipeline.yml", TEXT);
        let want = [
            "buildkite-plugins/docker-buildkite-plugin:v5.12.0",
            "python:3.12",
            "python:3.13",
            "acme/thing-buildkite-plugin:main",
            "example.com/a/b:v1",
        ];
        assert_eq!(names(&facts), want);
        assert_eq!(facts.references[1].key, "steps[0].plugins[0].docker.image");
        let slot = facts.references[3].site.digest.expect("a place for a commit");
        assert_eq!((&TEXT[slot.at.span.range()], slot.lead), ("#main", "#"));
        let pipeline = &facts.pipelines[0];
        assert_eq!(pipeline.env.len(), 2);
        let [unit, lint] = &pipeline.jobs[..] else { panic!("two jobs") };
        assert_eq!((unit.id.as_str(), unit.legs, unit.images.len(), unit.steps.len()), ("unit", Some(2), 2, 4));
        assert_eq!((unit.timeout.plain(), unit.retry.clone(), unit.on_patch), (Some(&10), Setting::Absent, Some(true)));
        assert!(unit.artifacts[0].report);
        assert_eq!((lint.key.as_str(), lint.needs.as_slice(), lint.on_patch), ("steps[2].steps[0]", &["unit".to_string()][..], Some(false)));
        assert_eq!(pipeline.unseen.len(), 1);
        assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    }

    #[test]
    fn other_files_of_the_folder_are_left_alone() {
        assert!(sniff("steps:\n- wait\n") && sniff("- command: x\n"));
        assert!(!sniff("key: value\n") && !sniff("- one\n- two\n"));
        assert_eq!((claims(".buildkite/a/b.yaml"), claims("buildkite.yml"), claims("a.yml")), (Claim::Maybe, Claim::Maybe, Claim::No));
    }
}

//! AppVeyor: `appveyor.yml`. Knows no server.
//!
//! <https://www.appveyor.com/docs/appveyor-yml/>. Each line of a phase runs on its own; what `for` says of some legs of the matrix makes a job
//! of its own.

use super::{Claim, Format, steps};
use crate::ecosystems::{toolchain, variable};
use crate::model::dialect::{Dialect, Masks, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Phase, Pipeline, PushFilter, Scope, Setting, Step, StepKind, Triggers, Value};
use crate::model::reference::{ReferenceId, Role};
use crate::model::script::{Language, Script, Shell};
use crate::model::source::{Source, Sources};
use crate::model::span::Location;
use crate::model::text::Text;
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use crate::tools;
use std::collections::HashMap;

/// The format.
pub static FORMAT: Format = Format { name: "appveyor", claims, sniff: super::by_path, read };

/// How AppVeyor says things. <https://www.appveyor.com/docs/build-configuration/#secure-variables>
pub static DIALECT: Dialect = Dialect {
    name: "AppVeyor",
    files: &["appveyor.yml", ".appveyor.yml"],
    unread: &["variables and settings of the server"],
    masks: Masks::Nothing,
    unseen_variables: true,
    present: &[],
    publishes: false,
    identity: "",
    file: "an encrypted file that the deploy phase decrypts with `appveyor-tools/secure-file`",
    narrow: "`secure:` as an option of the `deploy:` provider",
    report: "before_test:\n  - pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # and in on_finish an upload to the test results of the build",
    keeps_on_success: false,
    bash: false,
    secrets: &WORDS,
};

static WORDS: SecretWords = SecretWords {
    pipeline: "`environment`",
    job: "`environment.matrix`",
    plain: "in `environment:` without `secure:`",
    unpasted: "read the variable in the script",
    ..SecretWords::PLAIN
};

/// Phases in the order in which they run.
const PHASES: [(&str, Phase); 14] = [
    ("init", Phase::Before),
    ("install", Phase::Before),
    ("before_build", Phase::Before),
    ("build_script", Phase::Main),
    ("after_build", Phase::Main),
    ("before_test", Phase::Main),
    ("test_script", Phase::Main),
    ("after_test", Phase::Main),
    ("before_deploy", Phase::After),
    ("deploy_script", Phase::After),
    ("after_deploy", Phase::After),
    ("on_success", Phase::After),
    ("on_failure", Phase::After),
    ("on_finish", Phase::After),
];

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    if matches!(stem, Some("appveyor" | ".appveyor")) { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|root| root.is_map() && tree.template.is_none()) else { return };
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    pipeline.env = environment(root);
    let mut reader = Reader { root, facts, scripts: HashMap::new(), versions: HashMap::new(), machines: HashMap::new() };
    let all = root.get("for").into_iter().flat_map(Node::items).take(200).enumerate();
    let parts: Vec<(Node<'_>, String)> = all.map(|(index, node)| (node, format!("for[{index}]"))).collect();
    // What is said at the top alone runs for the legs that no part names.
    let top_runs = parts.is_empty() || ["build_script", "test_script"].iter().any(|name| root.get(name).is_some());
    if top_runs {
        pipeline.jobs.push(reader.job("build", &[(root, String::new())]));
    }
    for (node, key) in parts {
        let layers = [(node, format!("{key}.")), (root, String::new())];
        pipeline.jobs.push(reader.job(&key, &layers));
    }
    pipeline.triggers = Triggers { patch: true, push: Some(PushFilter::default()), ..Triggers::default() };
    // The server reads the file at the root unless it is told another.
    if source.path.contains('/') { facts.components.push(pipeline) } else { facts.pipelines.push(pipeline) }
}

struct Reader<'t, 'c> {
    root: Node<'t>,
    facts: &'c mut Facts,
    scripts: HashMap<(Location, String), Script>,
    versions: HashMap<Location, ReferenceId>,
    machines: HashMap<Location, ReferenceId>,
}

impl<'t> Reader<'t, '_> {
    fn job(&mut self, id: &str, layers: &[(Node<'t>, String)]) -> Job {
        let get = |name: &str| layers.iter().find_map(|(node, key)| Some((node.get(name)?, format!("{key}{name}"))));
        let mut job = Job::new(id, id, layers[0].0.at());
        let images = get("image").map_or(Vec::new(), |(node, _)| node.list().filter_map(Node::text).collect());
        let legs = self.root.path(&["environment", "matrix"]).or_else(|| get("environment")?.0.get("matrix"));
        let of_legs = legs.into_iter().flat_map(Node::items).filter_map(|leg| leg.get("APPVEYOR_BUILD_WORKER_IMAGE")?.str());
        let named: Vec<String> = images.iter().map(|text| text.text.clone()).chain(of_legs.map(str::to_string)).collect();
        let is_unix = |name: &String| name.to_ascii_lowercase().starts_with("ubuntu") || name.to_ascii_lowercase().starts_with("macos");
        let unix = !named.is_empty() && named.iter().all(is_unix);
        if let Some(text) = images.first() {
            let key = get("image").map_or(String::new(), |(_, key)| key);
            let facts = &mut *self.facts;
            let id = self.machines.entry(text.at).or_insert_with(|| facts.push(toolchain::machine(text, &key)));
            job.runner = Some(*id);
        }
        if let Some((node, key)) = get("stack") {
            self.stack(node, &key, &mut job);
        }
        // Variables and the folder go from one line to the next.
        // <https://www.appveyor.com/docs/getting-started-with-appveyor-for-linux/#bash-and-powershell>
        let mut cwd = String::new();
        for (name, phase) in PHASES {
            let Some((node, key)) = get(name) else { continue };
            let is_list = node.is_seq();
            let one = node.is_map().then_some(node);
            for (index, item) in node.list().chain(one).enumerate() {
                let key = if is_list { format!("{key}[{index}]") } else { key.clone() };
                job.steps.extend(self.line(item, &key, phase, unix, &mut cwd));
            }
        }
        self.matrix(legs, &mut job);
        let artifacts = get("artifacts").into_iter().flat_map(|(node, _)| node.items());
        job.artifacts = artifacts.map(|node| artifact(node)).collect();
        for (index, deploy) in get("deploy").into_iter().flat_map(|(node, _)| if node.is_map() { vec![node] } else { node.items().collect() }).enumerate() {
            job.inputs.extend(assignments(deploy, Scope::Input, &format!("deploy[{index}]")).into_iter().filter(is_secret));
        }
        job.caches = get("cache").into_iter().flat_map(|(node, key)| caches(node, &key)).collect();
        job.on_patch = Some(true);
        job
    }

    /// `stack: python 3.12, node 22, docker`: languages by version, and services.
    fn stack(&mut self, node: Node<'t>, key: &str, job: &mut Job) {
        let Some(text) = node.text() else { return };
        let mut start = 0;
        for part in text.text.split(',') {
            let from = start;
            start += part.len() + 1;
            let Some((name, version)) = part.trim().split_once(' ') else { continue };
            let at = from + part.rfind(version).unwrap_or(0);
            let version = Text { text: version.to_string(), at: text.place(at..at + version.len()), verbatim: text.verbatim };
            let facts = &mut *self.facts;
            let python = name == "python";
            let id = *self.versions.entry(version.at).or_insert_with(|| {
                facts.push(match python {
                    true => toolchain::python(&version, Role::Python, key),
                    false => toolchain::tool(name, &version, Role::Toolchain, key),
                })
            });
            if python {
                job.pythons.push(id);
            }
        }
    }

    /// A line: a text for the machine's own shell, or a text for a named one.
    fn line(&mut self, item: Node<'t>, key: &str, phase: Phase, unix: bool, cwd: &mut String) -> Option<Step> {
        let own = if unix { Language::Posix } else { Language::Cmd };
        let (node, language, key) = match item.entries().next() {
            Some((name, node)) => {
                let language = match name.str()? {
                    "ps" | "pwsh" => Language::PowerShell,
                    "cmd" => Language::Cmd,
                    "sh" | "bash" => Language::Posix,
                    "python" => Language::Python,
                    _ => return None,
                };
                (node, language, format!("{key}.{}", name.str()?))
            }
            None => (item, own, key.to_string()),
        };
        let text = node.mapped()?;
        let shell = Shell { language, ..Shell::ERREXIT };
        let place = (text.at, cwd.clone());
        let script = match self.scripts.get(&place) {
            Some(script) => script.clone(),
            None => tools::read_script(&text, shell, cwd, &key, self.facts),
        };
        self.scripts.insert(place, script.clone());
        steps::follow(&script, cwd);
        let name = text.text.trim().lines().next().unwrap_or("").to_string();
        Some(Step { phase, ..Step::new(name, key, text.at, StepKind::Run(script)) })
    }

    fn matrix(&self, legs: Option<Node<'t>>, job: &mut Job) {
        let Some(legs) = legs.filter(|legs| legs.items().len() > 0) else { return };
        job.legs = Some(legs.items().len());
        for (index, leg) in legs.items().enumerate() {
            job.env.extend(assignments(leg, Scope::Job, &format!("environment.matrix[{index}]")));
            job.matrix.extend(leg.entries().filter_map(|(name, value)| Some((name.str()?.to_string(), value.str()?.to_string()))));
        }
        if let Some(node) = self.root.path(&["matrix", "allow_failures"]).filter(|node| node.items().len() > 0) {
            job.tolerated = Setting::Computed(node.at());
        }
    }
}

fn artifact(node: Node<'_>) -> Artifact {
    let path = node.get("path").or(Some(node)).and_then(Node::str);
    Artifact { at: node.at(), paths: path.map(str::to_string).into_iter().collect(), report: false, on_failure: false }
}

/// `cache: [path -> file, file]`. <https://www.appveyor.com/docs/build-cache/>
fn caches(node: Node<'_>, key: &str) -> Vec<Cache> {
    let one = |item: Node<'_>| {
        let (path, files) = item.str()?.split_once("->").unwrap_or((item.str()?, ""));
        let files = files.split(',').map(|file| file.trim().to_string()).filter(|file| !file.is_empty()).collect();
        Some(Cache { at: item.at(), key: key.to_string(), names: Vec::new(), files, paths: vec![path.trim().to_string()] })
    };
    node.list().filter_map(one).collect()
}

fn is_secret(one: &Assignment) -> bool {
    matches!(one.value, Value::Secret { .. })
}

/// Variables of all legs: those of `global`, and those that stand beside it.
fn environment(root: Node<'_>) -> Vec<Assignment> {
    let Some(node) = root.get("environment") else { return Vec::new() };
    let mut all = node.get("global").map_or(Vec::new(), |node| assignments(node, Scope::Pipeline, "environment.global"));
    let beside = assignments(node, Scope::Pipeline, "environment");
    all.extend(beside.into_iter().filter(|one| !matches!(one.name.as_str(), "global" | "matrix")));
    all
}

fn assignments(node: Node<'_>, scope: Scope, key: &str) -> Vec<Assignment> {
    let read = |(name, node): (Node<'_>, Node<'_>)| {
        let name = name.str()?.to_string();
        let secure = node.get("secure");
        let value = match secure {
            Some(_) => Value::Secret { names: vec![name.clone()], whole: true, derived: false },
            None => variable::value(node.str().unwrap_or(""), |_| false),
        };
        let at = secure.unwrap_or(node).at();
        Some(Assignment { value, scope, at, key: format!("{key}.{name}"), name })
    };
    node.entries().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn phases_and_parts_are_read() {
        let text = "image: [Visual Studio 2022, Ubuntu]\nenvironment:\n  A: b\n  T: {secure: 'x='}\n  matrix:\n    - PY: '3.11'\n    - PY: '3.12'\nmatrix:\n  allow_failures: [{PY: '3.12'}]\ninstall:\n  - pip install tox\n  - ps: pip install ruff\n  - sh: pip install black\nbuild: off\n\
                    test_script:\n  - cmd: pytest\nfor:\n  - matrix: {only: [{PY: '3.12'}]}\n    test_script: [{sh: 'nox'}]\ndeploy:\n  - provider: x\n    api_key: {secure: 'y='}\n";
        let facts = facts_of(&FORMAT, ".appveyor.yml", text);
        assert!(facts.problems.is_empty(), "{:?}", facts.problems);
        assert_eq!(names(&facts)[1..], ["tox", "ruff", "black"]);
        let pipeline = &facts.pipelines[0];
        assert_eq!(pipeline.env.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["environment.A", "environment.T"]);
        let keys = |index: usize| pipeline.jobs[index].steps.iter().map(|step| step.key.as_str()).collect::<Vec<_>>();
        assert_eq!(keys(0), ["install[0]", "install[1].ps", "install[2].sh", "test_script[0].cmd"]);
        assert_eq!(keys(1)[3], "for[0].test_script[0].sh");
        assert_eq!((pipeline.jobs[0].legs, pipeline.jobs[0].inputs.len()), (Some(2), 1));
        assert_eq!(pipeline.jobs[0].steps[0].shell.map(|shell| shell.language), Some(Language::Cmd));
    }

    #[test]
    fn the_stack_is_read_and_the_folder_is_kept() {
        let text = "image: Ubuntu\nstack: python 3.12, node 22, docker\ninstall:\n- cd app\n- pip install tox\ntest_script: [tox]\n";
        let facts = facts_of(&FORMAT, "appveyor.yml", text);
        assert_eq!(names(&facts)[1..], ["python:3.12", "node:22", "tox"]);
        assert_eq!(&text[facts.references[1].site.whole.span.range()], "3.12");
        let job = &facts.pipelines[0].jobs[0];
        let StepKind::Run(script) = &job.steps[2].kind else { panic!("a script") };
        assert_eq!((script.cwd.as_str(), job.pythons.len()), ("app", 1));
    }
}

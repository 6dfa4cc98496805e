//! Tasks by name: those that run a script, ask for an interpreter, keep files or fetch secrets. What other tasks do is not known.
//!
//! <https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/>. `Name@1` is as firm as a task can be held.

use super::frame::Frame;
use super::job::{Reader, secret};
use super::steps::{folder, runs_on_failure};
use super::variables;
use crate::ecosystems::toolchain;
use crate::model::pipeline::{Artifact, Assignment, Cache, Job, Scope, Step, StepKind, Value};
use crate::model::reference::{Ecosystem, Reference, Role};
use crate::model::script::{Language, Shell};
use crate::model::text::Mapped;
use crate::syntax::tree::Node;
use std::rc::Rc;

/// Tasks that ask for a version: task, input, tool.
const VERSIONS: [(&str, &str, &str); 6] = [
    ("usepythonversion", "versionSpec", "python"),
    ("condaenvironment", "createOptions", ""),
    ("nodetool", "versionSpec", "node"),
    ("usenode", "version", "node"),
    ("gotool", "version", "go"),
    ("usedotnet", "version", "dotnet"),
];

impl<'t> Reader<'t, '_> {
    /// Reads a task into the step.
    #[allow(clippy::too_many_arguments, reason = "a task touches all of its surroundings")]
    pub fn task(
        &mut self,
        node: Node<'t>,
        name: Node<'t>,
        frames: &[Rc<Frame<'t>>],
        key: &str,
        own: Shell,
        step: &mut Step,
        job: &mut Job,
    ) {
        let frame = &frames[0];
        let Some(written) = frame.text(name) else { return };
        let (task, version) = written.text.split_once('@').unwrap_or((&written.text, ""));
        let inputs = node.get("inputs").map_or(Vec::new(), |map| frame.entries(map));
        let input = |wanted: &str| inputs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, item)| item.node);
        let say = |wanted: &str| input(wanted).and_then(|node| frame.text(node)).map_or(String::new(), |text| text.text);
        let base = format!("{key}.inputs");
        let task = task.rsplit('.').next().unwrap_or(task).to_ascii_lowercase();
        step.name = written.text.clone();
        match task.as_str() {
            "bash" | "shellscript" | "cmdline" | "powershell" | "azurecli" | "azurepowershell" | "pythonscript" => {
                self.script_task(&task, &input, frame, &base, own, step);
                if task == "azurecli" && say("addSpnToEnvironment").eq_ignore_ascii_case("true") {
                    let at = input("addSpnToEnvironment").map_or(name.at(), Node::at);
                    let key = format!("{base}.addSpnToEnvironment");
                    step.env.push(Assignment { name: "servicePrincipalKey".into(), value: secret("servicePrincipalKey"), scope: Scope::Step, at, key });
                }
            }
            "publishtestresults" | "publishcodecoverageresults" | "publishbuildartifacts" | "publishpipelineartifact" => {
                let paths = ["testResultsFiles", "pathToPublish", "targetPath", "summaryFileLocation"].iter().map(|name| say(name));
                let paths = paths.filter(|path| !path.is_empty()).collect();
                let report = task == "publishtestresults";
                job.artifacts.push(Artifact { at: name.at(), paths, report, on_failure: runs_on_failure(step) });
            }
            "cache" => {
                let lines = |text: String| text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect::<Vec<_>>();
                let names = [vec![say("key")], lines(say("restoreKeys"))].concat();
                job.caches.push(Cache { at: name.at(), key: base.clone(), names, files: Vec::new(), paths: lines(say("path")) });
            }
            "azurekeyvault" if say("RunAsPreJob").eq_ignore_ascii_case("true") => {
                let value = Value::Secret { names: vec!["*".into()], whole: false, derived: false };
                let at = input("RunAsPreJob").map_or(name.at(), Node::at);
                job.env.push(Assignment { name: say("KeyVaultName"), value, scope: Scope::Job, at, key: format!("{base}.RunAsPreJob") });
            }
            "docker" => {
                let file = say("Dockerfile");
                let builds = matches!(say("command").to_ascii_lowercase().as_str(), "build" | "buildandpush" | "");
                if builds && !file.contains(['*', '$']) {
                    let path = if file.is_empty() { "Dockerfile".to_string() } else { folder(&file) };
                    self.facts.builds_of.push((path, name.at()));
                }
            }
            _ => {}
        }
        self.versions(&task, &input, frames, &base, job);
        if !matches!(step.kind, StepKind::Run(_)) {
            let inputs = inputs.iter().map(|(name, item)| {
                let text = item.frame.mapped(item.node).map_or(String::new(), |text| text.text);
                let value = variables::value(&text, &item.frame);
                Assignment { name: name.clone(), value, scope: Scope::Input, at: item.node.at(), key: format!("{base}.{name}") }
            });
            let inputs = inputs.collect();
            let component = self.once(&written, &format!("{key}.task"), |text, key| held(text.at, written.text.split('@').next().unwrap_or(""), version, key));
            step.kind = StepKind::Uses { component, inputs };
        }
    }

    fn script_task(&mut self, task: &str, input: &dyn Fn(&str) -> Option<Node<'t>>, frame: &Rc<Frame<'t>>, base: &str, own: Shell, step: &mut Step) {
        let language = input("scriptType").and_then(Node::str).unwrap_or("").to_ascii_lowercase();
        let powershell = Shell { language: Language::PowerShell, errexit: true, ..Shell::PLAIN };
        let shell = match task {
            "powershell" | "azurepowershell" => powershell,
            "azurecli" if language.starts_with('p') => powershell,
            "azurecli" if language == "batch" => Shell { language: Language::Cmd, ..Shell::PLAIN },
            "pythonscript" => Shell { language: Language::Python, ..Shell::PLAIN },
            "cmdline" => own,
            _ => Shell::PLAIN,
        };
        let cwd = input("workingDirectory").or_else(|| input("cwd"));
        for name in ["script", "inlineScript", "inline"] {
            if let Some(node) = input(name) {
                return self.script(node, frame, cwd, shell, &format!("{base}.{name}"), step);
            }
        }
        // A script of the repository is started by its path.
        for name in ["filePath", "scriptPath", "scriptFile"] {
            if let Some(text) = input(name).and_then(|node| frame.text(node)) {
                let program = match task {
                    "pythonscript" => "python ",
                    "powershell" | "azurepowershell" => "",
                    _ => "bash ",
                };
                let line = Mapped::opaque(format!("{program}{}", folder(&text.text)), text.at);
                let shell = if task == "pythonscript" { Shell::PLAIN } else { shell };
                return self.text(line, frame, cwd, shell, &format!("{base}.{name}"), step);
            }
        }
    }

    fn versions(&mut self, task: &str, input: &dyn Fn(&str) -> Option<Node<'t>>, frames: &[Rc<Frame<'t>>], base: &str, job: &mut Job) {
        for (_, name, tool) in VERSIONS.iter().filter(|(known, _, tool)| *known == task && !tool.is_empty()) {
            let Some(node) = input(name) else { continue };
            for text in frames.iter().filter_map(|frame| frame.text(node)) {
                let key = format!("{base}.{name}");
                let id = match *tool {
                    "python" => self.once(&text, &key, |text, key| toolchain::python(text, Role::Python, key)),
                    _ => self.once(&text, &key, |text, key| toolchain::tool(tool, text, Role::Toolchain, key)),
                };
                if *tool == "python" && !job.pythons.contains(&id) {
                    job.pythons.push(id);
                }
            }
        }
    }
}

/// A task at a major version: nothing firmer can be written.
fn held(at: crate::model::span::Location, name: &str, version: &str, key: &str) -> Reference {
    let mut reference = Reference::new(Ecosystem::Toolchain, name, Role::CiStep, at);
    reference.key = key.to_string();
    reference.strength = Some(toolchain::strength(version));
    reference.pin.version = (!version.is_empty()).then(|| version.to_string());
    reference
}

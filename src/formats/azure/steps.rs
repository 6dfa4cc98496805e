//! Steps: scripts, tasks, and templates of steps.

use super::frame::Frame;
use super::job::{Reader, place, switch};
use super::variables::{assignments, pasted};
use crate::formats::steps::moves;
use crate::model::pipeline::{Artifact, Job, Scope, Setting, Step, StepKind};
use crate::model::script::{Language, Shell};
use crate::model::source::join;
use crate::model::text::Mapped;
use crate::syntax::tree::Node;
use crate::tools;
use std::rc::Rc;

// `bash` and `script` write a file and start plain `bash FILE`: only the last exit code counts, and a script of one line is printed.
// <https://github.com/microsoft/azure-pipelines-tasks/blob/master/Tasks/BashV3/bash.ts>

/// Stops at errors by its own default (`errorActionPreference: stop`).
const POWERSHELL: Shell = Shell { language: Language::PowerShell, errexit: true, pipefail: false, xtrace: false };

impl<'t> Reader<'t, '_> {
    /// Reads a list of steps with the variables of each leg of the job.
    pub fn steps(&mut self, list: Node<'t>, frames: &[Rc<Frame<'t>>], key: &str, windows: bool, job: &mut Job, depth: usize) {
        // Steps are the same in all legs but for variables, which the first leg shows.
        let Some(frame) = frames.first() else { return };
        for item in frame.items(list, key) {
            if !self.goes_on(item.node, depth) {
                return;
            }
            if item.node.get("template").is_some() {
                if let Some((root, inner)) = self.template(item.node, &item.frame, depth)
                    && let Some(list) = root.get("steps")
                {
                    self.steps(list, &[inner], "steps", windows, job, depth + 1);
                }
                continue;
            }
            // In the file of the job, names may mean the members of any leg.
            let own = Rc::ptr_eq(&item.frame, frame);
            let frames = if own { frames.to_vec() } else { vec![item.frame.clone()] };
            self.step(item.node, &frames, &item.key, windows, job);
        }
    }

    fn step(&mut self, node: Node<'t>, frames: &[Rc<Frame<'t>>], key: &str, windows: bool, job: &mut Job) {
        let frame = &frames[0];
        let Some((word, value)) = node.entries().find(|(name, _)| name.str().is_some_and(|name| KINDS.contains(&name))) else { return };
        let at = word.at();
        moves::note_slot(self.facts, node, "env", &KINDS, key);
        let mut step = Step::new(word.str().unwrap_or(""), key, at, StepKind::Other);
        step.env = assignments(node.get("env"), frame, Scope::Step, &format!("{key}.env"));
        step.condition = node.get("condition").and_then(Node::text);
        step.tolerated = switch(node.get("continueOnError"));
        let own = if windows { Shell { language: Language::Cmd, ..Shell::PLAIN } } else { Shell::PLAIN };
        match word.str().unwrap_or("") {
            "script" => self.script(value, frame, node.get("workingDirectory"), own, &format!("{key}.script"), &mut step),
            "bash" => self.script(value, frame, node.get("workingDirectory"), Shell::PLAIN, &format!("{key}.bash"), &mut step),
            word @ ("powershell" | "pwsh") => {
                self.script(value, frame, node.get("workingDirectory"), POWERSHELL, &format!("{key}.{word}"), &mut step);
            }
            "publish" => {
                let paths = frame.text(value).map(|text| text.text).into_iter().collect();
                job.artifacts.push(Artifact { at, paths, report: false, on_failure: runs_on_failure(&step) });
            }
            "task" => self.task(node, value, frames, key, own, &mut step, job),
            _ => {}
        }
        if let Some(text) = node.get("displayName").and_then(|node| frame.text(node)) {
            step.name = text.text;
        }
        if let Some(count) = node.get("retryCountOnTaskFailure").and_then(|node| Some((node.str()?.parse().ok()?, node.at()))) {
            job.retry = Setting::Plain(count.0, count.1);
        }
        job.steps.push(step);
    }

    /// Reads a script into the step.
    pub fn script(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, cwd: Option<Node<'t>>, shell: Shell, key: &str, step: &mut Step) {
        let Some(text) = frame.mapped(node) else { return };
        step.pasted = pasted(&text, frame, "script", key);
        self.text(text, frame, cwd, shell, key, step);
    }

    /// Reads a text that is known to be a script into the step.
    pub fn text(&mut self, text: Mapped, frame: &Rc<Frame<'t>>, cwd: Option<Node<'t>>, shell: Shell, key: &str, step: &mut Step) {
        let cwd = cwd.and_then(|node| frame.text(node)).map_or(String::new(), |text| folder(&text.text));
        let known = (place(&text), format!("{cwd}\n{}", text.text), shell);
        let script = match self.scripts.get(&known) {
            Some(script) => script.clone(),
            None => tools::read_script(&text, shell, &cwd, key, self.facts),
        };
        self.scripts.insert(known, script.clone());
        step.name = text.text.trim().lines().next().unwrap_or("").to_string();
        step.shell = Some(shell);
        step.kind = StepKind::Run(script);
    }
}

/// Keys that say what a step is.
const KINDS: [&str; 11] = [
    "script", "bash", "powershell", "pwsh", "task", "checkout", "download", "downloadBuild", "publish", "getPackage", "reviewApp",
];

/// Whether a step runs although one before it failed.
pub fn runs_on_failure(step: &Step) -> bool {
    let condition = step.condition.as_ref().map_or(String::new(), |text| text.text.to_ascii_lowercase());
    ["always()", "succeededorfailed()", "failed()"].iter().any(|word| condition.contains(word))
}

/// A working folder as one of the repository.
pub fn folder(path: &str) -> String {
    let homes = ["$(Build.SourcesDirectory)", "$(System.DefaultWorkingDirectory)", "$(Pipeline.Workspace)/s", "$(Build.Repository.LocalPath)"];
    let below = homes.iter().find_map(|home| path.strip_prefix(home)).map(|rest| rest.trim_start_matches('/'));
    let path = below.unwrap_or(path);
    join("", path).unwrap_or_else(|| path.to_string())
}

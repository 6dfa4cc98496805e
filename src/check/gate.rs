//! What the gate runs: from every step of every pipeline through scripts, task runners and image builds to the files that are installed.
//! Knows commands by their deeds only, never by their words.

use super::image::{Layer, folders_up, lock_in_image, resolve_copied};
use super::relock::{LocksOfJob, enforcing, environment_of, installs_locked};
use super::workspace::Workspace;
use crate::model::container::Instruction;
use crate::model::facts::Facts;
use crate::model::installs::own_lock;
use crate::model::lock::Lock;
use crate::model::manifest::ManifestKind;
use crate::model::pipeline::{Assignment, Job, Pipeline, Step, StepKind, Value};
use crate::model::project::{Gate, GateInstall, LockInImage, Project, Reach};
use crate::model::reference::Origin;
use crate::model::script::{BuildImage, Command, Deed, FileArg, Install, InstallTool, Script};
use crate::model::source::join;
use crate::model::span::{Location, SourceId};
use std::collections::HashSet;

/// How far calls of scripts are followed.
const MAX_DEPTH: usize = 4;

/// What the gate of a project reaches.
pub fn reach(project: &Project) -> Gate {
    let mut walk = Walk { project, gate: Gate::default(), done: HashSet::new() };
    for facts in &project.facts {
        // What sleeps runs nothing; the gate is empty here, so this asks only for the place.
        let Some(source) = facts.source.filter(|source| !project.asleep(*source)) else { continue };
        walk.gate.seen |= facts.pipelines.iter().any(may_judge);
        debug_assert_eq!(facts.source, Some(source));
        for (index, pipeline) in facts.pipelines.iter().enumerate() {
            walk.pipeline(facts, index, pipeline);
        }
    }
    walk.builds_nobody_runs();
    walk.gate
}

/// Whether a pipeline may be what judges patches. A task or a workflow that is only ever called, by whom no file says, is no gate.
fn may_judge(pipeline: &Pipeline) -> bool {
    let triggers = &pipeline.triggers;
    let only_called = triggers.called && triggers.unseen && !triggers.patch && triggers.push.is_none();
    !only_called
}

struct Walk<'p> {
    project: &'p Project,
    gate: Gate,
    /// Scripts and composite actions that were followed already, by place and by who.
    done: HashSet<(Location, String)>,
}

/// Around a script: who runs it, in which folder, and what its environment says.
#[derive(Clone)]
struct Around<'p> {
    who: String,
    source: SourceId,
    /// The step or key that started it: what a reader looks at first.
    from: Option<Location>,
    ci: bool,
    depth: usize,
    env: Vec<&'p [Assignment]>,
    /// The instruction of the image build that the script stands in.
    layer: Option<Layer<'p>>,
    /// What the job did with locks earlier.
    locks: LocksOfJob,
    /// Where the job's checkouts put the repository.
    workspace: Workspace,
    /// Variables that earlier steps of the job left for later ones.
    left: Vec<(&'p str, &'p str)>,
}

impl<'p> Walk<'p> {
    fn pipeline(&mut self, facts: &'p Facts, index: usize, pipeline: &'p Pipeline) {
        let Some(source) = facts.source else { return };
        let path = &self.project.source(source).path;
        for (file, at) in &facts.builds_of {
            let base = base_folder(path);
            self.dockerfile(&base, file, &Reach { who: path.clone(), at: *at, ci: true }, 0);
        }
        for (place, job) in pipeline.jobs.iter().enumerate() {
            let who = format!("job `{}` of {path}", job.id);
            self.gate.jobs.entry(who.clone()).or_insert((source, index, place));
            let mut around = Around {
                who,
                source,
                from: None,
                ci: true,
                depth: 0,
                env: vec![&pipeline.env, &job.env],
                layer: None,
                locks: LocksOfJob::default(),
                workspace: Workspace::of(self.project, job),
                left: Vec::new(),
            };
            self.steps(job, &mut around);
        }
    }

    fn steps(&mut self, job: &'p Job, around: &mut Around<'p>) {
        for step in &job.steps {
            self.step(step, around);
        }
    }

    fn step(&mut self, step: &'p Step, around: &mut Around<'p>) {
        match &step.kind {
            StepKind::Run(script) => {
                let mut inner = around.clone();
                inner.env.push(&step.env);
                self.script(script, &inner);
                around.locks.after(script);
                around.left.extend(script.commands.iter().flat_map(variables_left));
            }
            StepKind::Uses { component, inputs } => {
                let reference = self.project.reference(*component);
                around.locks.verified.extend(installs_locked(&reference.subject.name, inputs));
                if let Some(install) = environment_of(&reference.subject.name, inputs) {
                    let at = install.files.first().map_or(step.at, |file| file.path.text.at);
                    let reach = Reach { who: around.who.clone(), at, ci: true };
                    self.install(&install, "", reach, around);
                }
                if let Origin::Path(path) = &reference.origin {
                    self.component(path, step, around);
                }
            }
            StepKind::Other => {}
        }
    }

    /// A composite action of this repository: its steps run in the caller's job, with the caller's environment.
    fn component(&mut self, path: &str, step: &'p Step, around: &mut Around<'p>) {
        if around.depth >= MAX_DEPTH {
            return;
        }
        // A path is one of the checkout, also inside of an action; a project below the root has its own `.github`.
        let base = base_folder(&self.project.source(around.source).path);
        let project = self.project;
        for name in ["action.yml", "action.yaml"] {
            let at = |base: &str| project.sources.find_from(&join(base, path)?, name);
            let Some(source) = at(&base).or_else(|| at("")) else { continue };
            let folder = source.folder();
            self.mark(source.id, Reach { who: around.who.clone(), at: step.at, ci: true });
            // An action that calls itself twice would double with every level.
            if !self.done.insert((source.whole(), around.who.clone())) {
                continue;
            }
            let facts = project.facts_of(source.id);
            for (file, at) in &facts.builds_of {
                self.dockerfile(folder, file, &Reach { who: around.who.clone(), at: *at, ci: true }, around.depth);
            }
            for (component, job) in facts.components.iter().flat_map(|c| c.jobs.iter().map(move |job| (c, job))) {
                let mut inner = Around { source: source.id, depth: around.depth + 1, ..around.clone() };
                inner.env.extend([step.env.as_slice(), &component.env, &job.env]);
                self.steps(job, &mut inner);
                around.locks = inner.locks;
                around.left.extend(inner.left);
            }
        }
    }

    fn script(&mut self, script: &'p Script, around: &Around<'p>) {
        if around.depth > MAX_DEPTH || !self.done.insert((script.at, around.who.clone())) {
            return;
        }
        if around.ci {
            self.gate.followed.insert(script.at);
        }
        let mut here = around.clone();
        for command in &script.commands {
            let inline = self.runs_inline_script(script, command, around);
            for deed in &command.deeds {
                // A script with its own requirements runs beside the project, whose lock does not matter to it.
                if inline && matches!(deed, Deed::Install(install) if install.tool == InstallTool::Uv) {
                    continue;
                }
                self.deed(script, command, deed, &here);
            }
            here.locks.after_command(command, &folder(script, command));
        }
    }

    /// Whether a command installs from the comment block of a script.
    fn runs_inline_script(&self, script: &Script, command: &Command, around: &Around<'p>) -> bool {
        let cwd = folder(script, command);
        let installs = command.deeds.iter().filter_map(|deed| match deed {
            Deed::Install(install) => Some(install),
            _ => None,
        });
        let mut paths = installs.flat_map(|install| &install.files).map(|file| file.path.text.text.as_str());
        paths.any(|path| {
            path.ends_with(".py")
                && self.resolve(path, &cwd, around).into_iter().any(|source| self.is_inline_script(source))
        })
    }

    fn is_inline_script(&self, source: SourceId) -> bool {
        self.project.facts_of(source).manifests.iter().any(|manifest| manifest.kind == ManifestKind::InlineScript)
    }

    fn deed(&mut self, script: &'p Script, command: &'p Command, deed: &'p Deed, around: &Around<'p>) {
        let cwd = folder(script, command);
        let reach = Reach { who: around.who.clone(), at: command.at, ci: around.ci };
        match deed {
            Deed::Install(install) => self.install(install, &cwd, reach, around),
            Deed::Call(word) => self.call(&word.text.text, &cwd, reach, around),
            Deed::RunEntry { tool, entries } => self.entry(tool, entries, &cwd, reach, around),
            Deed::BuildImage(build) => self.build_image(build, &cwd, &reach, around),
            _ => {}
        }
    }

    fn install(&mut self, install: &Install, cwd: &str, reach: Reach, around: &Around<'p>) {
        let mut files = Vec::new();
        let mut constraints = Vec::new();
        for file in &install.files {
            for source in self.resolve(&file.path.text.text, cwd, around) {
                if file.constraint { constraints.push(source) } else { files.push(source) }
            }
        }
        // A Python file without a block of requirements is no file to install from.
        files.retain(|source| !self.project.source(*source).path.ends_with(".py") || self.is_inline_script(*source));
        let only_scripts = |install: &Install| {
            let python = |file: &FileArg| file.path.text.text.ends_with(".py");
            !install.files.is_empty() && install.files.iter().all(python) && install.references.is_empty()
        };
        if files.is_empty() && only_scripts(install) {
            return;
        }
        for value in self.setting("PIP_CONSTRAINT", around).iter().chain(&self.setting("UV_CONSTRAINT", around)) {
            constraints.extend(value.split_whitespace().flat_map(|path| self.resolve(path, cwd, around)));
        }
        self.follow_includes(&mut files, &mut constraints);
        let mut projects = Vec::new();
        for project in &install.projects {
            projects.extend(self.project_at(&project.text.text, cwd, install.tool, around));
        }
        for &source in files.iter().chain(&constraints).chain(&projects) {
            self.mark(source, reach.clone());
        }
        let truthy = |name: &&str| self.setting(name, around).iter().any(|value| is_truthy(value));
        // A check says nothing of what `uv add` and its kind bring.
        let verified = install.references.is_empty() && around.locks.verified.contains(&install.tool);
        let enforced = verified || enforcing(install.tool).iter().any(truthy);
        let paths = files.iter().map(|&file| self.project.source(file).path.as_str());
        let remade = around.locks.remade(install.tool, paths);
        let lock_in_image = self.lock_in_image(install.tool, &projects, around);
        let (source, in_build) = (around.source, around.layer.is_some());
        let install = install.clone();
        self.gate.installs.push(GateInstall {
            reach,
            source,
            install,
            files,
            constraints,
            projects,
            enforced,
            remade,
            lock_in_image,
            in_build,
        });
    }

    /// Whether the image build around a command brings it the lock of its project.
    fn lock_in_image(&self, tool: InstallTool, projects: &[SourceId], around: &Around<'p>) -> LockInImage {
        let project = self.project;
        let (Some(layer), Some(own), Some(&manifest)) = (around.layer, own_lock(tool), projects.first()) else {
            return LockInImage::Unknown;
        };
        let manifest = project.source(manifest);
        let lock = project.lock_above(manifest.folder(), &[own]);
        let path = |lock: &Lock| lock_in_image(project, layer, &manifest.path, project.path(lock.at));
        lock.map_or(LockInImage::Unknown, path)
    }

    /// Literal values of a variable, the narrowest scope last.
    fn setting(&self, name: &str, around: &Around<'p>) -> Vec<&'p str> {
        let all = around.env.iter().flat_map(|scope| scope.iter());
        let values =
            all.filter(|assignment| assignment.name == name).filter_map(|assignment| match &assignment.value {
                Value::Literal(text) => Some(text.as_str()),
                _ => None,
            });
        let stage =
            around.layer.into_iter().flat_map(|layer| &layer.build.stages).flat_map(|stage| &stage.instructions);
        let set = stage.filter_map(|instruction| match instruction {
            Instruction::Env(variable) | Instruction::Arg(variable) if variable.name == name => {
                variable.value.as_ref().map(|text| text.text.as_str())
            }
            _ => None,
        });
        let left = around.left.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
        values.chain(set).chain(left).collect()
    }

    /// Adds what requirement files pull in by `-r` and `-c`.
    fn follow_includes(&self, files: &mut Vec<SourceId>, constraints: &mut Vec<SourceId>) {
        let mut index = 0;
        while index < files.len() {
            let source = self.project.source(files[index]);
            for manifest in &self.project.facts_of(source.id).manifests {
                for include in &manifest.includes {
                    let Some(found) = self.project.sources.find_from(source.folder(), &include.path.text) else {
                        continue;
                    };
                    let list = if include.constraint { &mut *constraints } else { &mut *files };
                    if !list.contains(&found.id) {
                        list.push(found.id);
                    }
                }
            }
            index += 1;
        }
    }

    /// The sources behind a path on a command line.
    fn resolve(&self, path: &str, cwd: &str, around: &Around<'p>) -> Vec<SourceId> {
        let sources = &self.project.sources;
        let path = known_prefix(path);
        if let Some(layer) = around.layer {
            return resolve_copied(self.project, path, layer.build).into_iter().collect();
        }
        let Some(full) = join(cwd, path).and_then(|full| around.workspace.locate(&full)) else { return Vec::new() };
        if path.contains('*') {
            let pattern = full;
            let fits = |candidate: &str| crate::model::policy::matches(&pattern, candidate);
            return sources.iter().filter(|source| fits(&source.path)).map(|source| source.id).collect();
        }
        let base = base_folder(&self.project.source(around.source).path);
        let elsewhere = || sources.find_from(&base, path).or_else(|| sources.find_from("", path));
        let found = sources.find(&full).or_else(elsewhere);
        found.map(|source| source.id).into_iter().collect()
    }

    /// The manifest of a local project (`.`, `./pkg[extra]`), searched upwards for tools that do so.
    fn project_at(&self, path: &str, cwd: &str, tool: InstallTool, around: &Around<'p>) -> Vec<SourceId> {
        let path = path.split('[').next().unwrap_or(path);
        let path = path.strip_prefix("file://").unwrap_or(path);
        // In another project's tree and environment this one is a guest: that project's lock decides.
        if around.workspace.foreign_root {
            return Vec::new();
        }
        // A built archive is no project.
        let archive = [".whl", ".tar.gz", ".zip"].iter().any(|end| path.ends_with(end));
        if archive || path.contains('*') {
            return Vec::new();
        }
        let located = join(cwd, known_prefix(path)).and_then(|full| around.workspace.locate(&full));
        let Some(folder) = located else { return Vec::new() };
        let start = match around.layer {
            Some(layer) => self.project.source(layer.build.at.source).folder().to_string(),
            None => folder,
        };
        let names = ["pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "pixi.toml"];
        for folder in folders_up(&start) {
            let found = names.iter().filter_map(|name| self.project.sources.find_from(folder, name));
            let found: Vec<SourceId> = found.map(|source| source.id).collect();
            // pip takes the folder that it is given; tools with a lock look for their project upwards.
            if !found.is_empty() || around.layer.is_none() && matches!(tool, InstallTool::Pip | InstallTool::UvPip) {
                return found;
            }
        }
        Vec::new()
    }

    fn call(&mut self, path: &str, cwd: &str, reach: Reach, around: &Around<'p>) {
        for source in self.resolve(path, cwd, around) {
            // `python x.py` runs a script and installs nothing from its block; who does, says so.
            if !self.is_inline_script(source) {
                self.mark(source, reach.clone());
            }
            for (_, script) in &self.project.facts_of(source).scripts {
                self.script(script, &inside(around, source, &reach));
            }
        }
    }

    /// An entry of a task runner: its configuration is reached, and the scripts behind the named entries.
    fn entry(&mut self, tool: &str, entries: &[String], cwd: &str, reach: Reach, around: &Around<'p>) {
        let names: &[&str] = match tool {
            "tox" => &["tox.ini", "tox.toml", "pyproject.toml", "setup.cfg"],
            "nox" => &["noxfile.py"],
            "make" => &["Makefile", "GNUmakefile", "makefile"],
            "just" => &["justfile", "Justfile", ".justfile"],
            "pre-commit" => &[".pre-commit-config.yaml"],
            "hatch" | "pdm" | "poetry" => &["pyproject.toml", "hatch.toml"],
            "compose" => {
                let usual = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
                return self.builders(&usual, entries, cwd, &reach, around);
            }
            "bake" => {
                let usual =
                    ["docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl"];
                return self.builders(&usual, entries, cwd, &reach, around);
            }
            "skaffold" => return self.builders(&["skaffold.yaml", "skaffold.yml"], entries, cwd, &reach, around),
            _ => &[],
        };
        let project = self.project;
        for source in names.iter().flat_map(|name| self.resolve(name, cwd, around)).collect::<Vec<_>>() {
            self.mark(source, reach.clone());
            if entries.iter().any(|entry| entry.contains('$')) {
                self.gate.unclear.insert(source);
            }
            let scripts = &project.facts_of(source).scripts;
            let known = |entry: &String| scripts.iter().any(|(name, _)| name == entry);
            for (index, (name, script)) in scripts.iter().enumerate() {
                let default = entries.is_empty() && index == 0;
                // An environment of tox without a section of its own is the general one.
                let general = tool == "tox" && name == "testenv" && entries.iter().any(|entry| !known(entry));
                if default || general || entries.contains(name) {
                    self.script(script, &inside(around, source, &reach));
                }
            }
            self.reach_includes(source, &reach);
        }
    }

    /// Files that say which images are built, those named or the usual ones in the folder, and what they build.
    fn builders(&mut self, usual: &[&str], files: &[String], cwd: &str, reach: &Reach, around: &Around<'p>) {
        let usual: Vec<String> = usual.iter().map(|name| name.to_string()).collect();
        let names = if files.is_empty() { &usual[..] } else { files };
        let project = self.project;
        for source in names.iter().flat_map(|name| self.resolve(name, cwd, around)).collect::<Vec<_>>() {
            self.mark(source, reach.clone());
            let base = project.source(source).folder().to_string();
            for (file, _) in &project.facts_of(source).builds_of {
                self.dockerfile(&base, file, reach, around.depth + 1);
            }
        }
    }

    /// Files that a test environment pulls in are installed with it.
    fn reach_includes(&mut self, source: SourceId, reach: &Reach) {
        let mut files = vec![source];
        let mut constraints = Vec::new();
        self.follow_includes(&mut files, &mut constraints);
        for found in files.into_iter().skip(1).chain(constraints) {
            self.mark(found, reach.clone());
        }
    }

    fn build_image(&mut self, build: &BuildImage, cwd: &str, reach: &Reach, around: &Around<'p>) {
        let context = build.context.as_ref().map_or(".", |word| word.text.text.as_str());
        let file = match &build.file {
            Some(file) => file.text.text.clone(),
            None => format!("{}/Dockerfile", context.trim_end_matches('/')),
        };
        self.dockerfile(cwd, &file, reach, around.depth);
    }

    /// Marks the Dockerfile at a path, or in the folder at that path, and follows what it runs.
    fn dockerfile(&mut self, base: &str, path: &str, reach: &Reach, depth: usize) {
        let project = self.project;
        let in_folder = format!("{}/Dockerfile", path.trim_end_matches('/'));
        let candidates = [path, &in_folder].map(|path| project.sources.find_from(base, path));
        let root = [path, &in_folder].map(|path| project.sources.find_from("", path));
        let Some(source) = candidates.into_iter().chain(root).flatten().next() else { return };
        self.mark(source.id, reach.clone());
        self.builds(source.id, &reach.who, true, depth);
    }

    fn builds(&mut self, source: SourceId, who: &str, ci: bool, depth: usize) {
        let project = self.project;
        for build in &project.facts_of(source).builds {
            // What a stage did with locks holds for the stages that build on it.
            let mut locks: Vec<LocksOfJob> = Vec::new();
            for (number, stage) in build.stages.iter().enumerate() {
                let mut done = stage.parent.and_then(|parent| locks.get(parent).cloned()).unwrap_or_default();
                for (index, instruction) in stage.instructions.iter().enumerate() {
                    let Instruction::Run { script, .. } = instruction else { continue };
                    let who = if ci { who.to_string() } else { project.source(source).path.clone() };
                    let layer = Some(Layer { build, stage: number, index });
                    let (env, left, workspace) = (Vec::new(), Vec::new(), Workspace::default());
                    let (depth, locks) = (depth + 1, done.clone());
                    let around = Around { who, source, from: None, ci, depth, env, layer, locks, workspace, left };
                    self.script(script, &around);
                    done.after(script);
                }
                locks.push(done);
            }
        }
    }

    /// Dockerfiles are always judged for installs, also when no pipeline that is read builds them: somebody's does.
    fn builds_nobody_runs(&mut self) {
        let project = self.project;
        for facts in &project.facts {
            let Some(source) = facts.source else { continue };
            if !facts.builds.is_empty() && !self.gate.reached.contains_key(&source) {
                self.builds(source, "", false, 0);
            }
        }
    }

    fn mark(&mut self, source: SourceId, reach: Reach) {
        let list = self.gate.reached.entry(source).or_default();
        if !list.contains(&reach) {
            list.push(reach);
        }
        let manifests = &self.project.facts_of(source).manifests;
        debug_assert!(manifests.iter().all(|manifest| manifest.kind <= ManifestKind::DevContainer));
    }
}

/// The folder that a command runs in. One that cannot be followed is taken for the script's own: better a file found than none.
fn folder(script: &Script, command: &Command) -> String {
    command.cwd.as_deref().and_then(|cwd| join(&script.cwd, cwd)).unwrap_or_else(|| script.cwd.clone())
}

fn inside<'p>(around: &Around<'p>, source: SourceId, reach: &Reach) -> Around<'p> {
    let from = around.from.or(Some(reach.at));
    Around { source, from, depth: around.depth + 1, ..around.clone() }
}

/// Variables that a command leaves for later steps: `echo "X=y" >> "$GITHUB_ENV"`, and GitHub's old `::set-env name=X::y`.
fn variables_left(command: &Command) -> Vec<(&str, &str)> {
    let words = command.words.iter().map(|word| word.text.text.as_str());
    let old = command.words.iter().any(|word| word.text.text == "::set-env");
    let to_env = command.redirects.iter().any(|redirect| redirect.target.text.text.contains("GITHUB_ENV"));
    words
        .filter_map(|word| match word.strip_prefix("::set-env name=").or(word.strip_prefix("name=").filter(|_| old)) {
            Some(rest) => rest.split_once("::"),
            None if to_env => word.split_once('='),
            None => None,
        })
        .collect()
}

fn is_truthy(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "t" | "y")
}

/// Drops spellings of the checkout folder from the front of a path.
fn known_prefix(path: &str) -> &str {
    const PREFIXES: &[&str] = &[
        "${{ github.workspace }}/",
        "${{github.workspace}}/",
        "$GITHUB_WORKSPACE/",
        "${GITHUB_WORKSPACE}/",
        "$CI_PROJECT_DIR/",
        "${CI_PROJECT_DIR}/",
        "$PWD/",
        "${PWD}/",
        "$(pwd)/",
    ];
    PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path)
}

/// Folders of CI files; what stands in them runs in the folder above.
const FOLDERS: [&str; 8] =
    [".github", ".gitea", ".forgejo", ".gitlab", ".circleci", ".woodpecker", ".buildkite", ".tekton"];

/// The folder that paths in a CI file are relative to: what is above `.github`, `.gitlab`, `.circleci`; else the file's own.
fn base_folder(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let marker = parts.iter().position(|part| FOLDERS.contains(part));
    let upto = marker.unwrap_or(parts.len().saturating_sub(1));
    parts[..upto].join("/")
}

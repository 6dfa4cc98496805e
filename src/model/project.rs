//! One project: its sources, the facts of all of them, and what its gate reaches. Rules see this and nothing else.

use super::container::ContainerBuild;
use super::derived::Derived;
use super::facts::{Facts, Problem, ProblemKind};
use super::lock::{Lock, Verdict};
use super::manifest::Manifest;
use super::moves::Patch;
use super::online::Online;
use super::pipeline::{Job, Pipeline, Step};
use super::policy::Policy;
use super::reference::{Reference, ReferenceId};
use super::script::{Command, Install, Script};
use super::source::{Source, Sources};
use super::span::{Location, SourceId};
use std::collections::{HashMap, HashSet};

/// One project.
#[derive(Debug, Default)]
pub struct Project {
    /// Every text that was read.
    pub sources: Sources,
    /// Facts per source, in order of source numbers.
    pub facts: Vec<Facts>,
    /// Per source: whether nothing runs it unless the gate reaches it ([`Project::asleep`]).
    pub dormant: Vec<bool>,
    /// What the gate reaches.
    pub gate: Gate,
    /// How each lock stands to its manifest.
    pub locks: Vec<LockState>,
    /// What the project's configuration allows and demands.
    pub policy: Policy,
    /// The day of the run, counted from 1970; none where nobody gave one.
    pub today: Option<i64>,
    /// What registries said, when they were asked.
    pub online: Online,
    /// The patch that made the project as it is, when it is compared with what was before.
    pub patch: Option<Patch>,
    /// What was worked out of facts and gate.
    pub derived: Derived,
}

/// A lock, its manifest, and the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockState {
    /// The lock's source.
    pub lock: SourceId,
    /// The manifest's source, when it was found.
    pub manifest: Option<SourceId>,
    /// Whether the lock describes it.
    pub verdict: Verdict,
    /// Versions that the manifest does not allow, in a lock that describes it by its own record.
    pub strays: Vec<Stray>,
}

/// A locked version that the manifest does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Which requirement.
    pub reference: ReferenceId,
    /// The package.
    pub name: String,
    /// Its locked version.
    pub version: String,
    /// Its entry.
    pub at: Location,
}

/// Why the gate runs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Who runs it, in words: ``job `test` of .github/workflows/ci.yml``, `Dockerfile`.
    pub who: String,
    /// The command or key that does.
    pub at: Location,
    /// Whether a CI system runs it (a Dockerfile that nobody builds in CI does not count).
    pub ci: bool,
}

/// What the gate reaches: the join of pipelines, scripts, builds and manifests.
#[derive(Debug, Default)]
pub struct Gate {
    /// Whether any pipeline was read. Without one, everything is judged as if CI installed it.
    pub seen: bool,
    /// Sources (manifests, Dockerfiles, scripts, tox files) and who reaches them.
    pub reached: HashMap<SourceId, Vec<Reach>>,
    /// The jobs by what [`Reach::who`] calls them: pipeline and job by their places in the facts of a source.
    pub jobs: HashMap<String, (SourceId, usize, usize)>,
    /// Scripts that CI is seen to run, by their places: tasks of task runners, each by itself.
    pub followed: HashSet<Location>,
    /// Files of which CI runs a task whose name cannot be seen.
    pub unclear: HashSet<SourceId>,
    /// Every install that is reached, with the constraint files that are in force for it.
    pub installs: Vec<GateInstall>,
}

/// An install command that the gate runs.
#[derive(Debug, Clone)]
pub struct GateInstall {
    /// Who runs it.
    pub reach: Reach,
    /// The source whose facts hold the command.
    pub source: SourceId,
    /// What is installed.
    pub install: Install,
    /// The requirement files, includes followed.
    pub files: Vec<SourceId>,
    /// The constraint files, those of `PIP_CONSTRAINT` and of includes too.
    pub constraints: Vec<SourceId>,
    /// The manifests of the local projects.
    pub projects: Vec<SourceId>,
    /// Whether a wider setting (`UV_LOCKED`, `UV_FROZEN`) or an earlier check enforces the lock.
    pub enforced: bool,
    /// Whether the job made the lock anew before.
    pub remade: bool,
    /// Whether the image that it runs in has the lock.
    pub lock_in_image: LockInImage,
    /// Whether it stands in a Dockerfile.
    pub in_build: bool,
}

/// Whether an image build brings the lock of a project to the command that installs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockInImage {
    /// It does, or nothing is known, or it is no build.
    #[default]
    Unknown,
    /// It copies the manifest before, and the lock never or later.
    Never,
    /// It copies both, and this pattern of `.dockerignore` leaves the lock out.
    Ignored(Location),
}

/// A command with everything around it.
#[derive(Debug, Clone, Copy)]
pub struct Site<'p> {
    /// The source whose facts hold it.
    pub source: SourceId,
    /// The pipeline, when there is one.
    pub pipeline: Option<&'p Pipeline>,
    /// The job, when there is one.
    pub job: Option<&'p Job>,
    /// The step, when there is one.
    pub step: Option<&'p Step>,
    /// The image build, when it stands in one.
    pub build: Option<&'p ContainerBuild>,
    /// The script.
    pub script: &'p Script,
    /// Its place in the script.
    pub index: usize,
    /// The command.
    pub command: &'p Command,
}

impl Project {
    /// The reference with this number.
    pub fn reference(&self, id: ReferenceId) -> &Reference {
        &self.facts[id.source.0 as usize].references[id.index as usize]
    }

    /// The facts of a source.
    pub fn facts_of(&self, source: SourceId) -> &Facts {
        &self.facts[source.0 as usize]
    }

    /// The text of a source.
    pub fn source(&self, id: SourceId) -> &Source {
        self.sources.get(id)
    }

    /// Path of the source that holds a place.
    pub fn path(&self, at: Location) -> &str {
        &self.sources.get(at.source).path
    }

    /// Every reference with its number, in order of sources.
    pub fn references(&self) -> impl Iterator<Item = (ReferenceId, &Reference)> {
        self.facts.iter().flat_map(|facts| {
            facts.references.iter().enumerate().filter_map(|(index, reference)| {
                Some((ReferenceId { source: facts.source?, index: index as u32 }, reference))
            })
        })
    }

    /// Every pipeline, components left out.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.facts.iter().flat_map(|facts| &facts.pipelines)
    }

    /// Every job with its pipeline.
    pub fn jobs(&self) -> impl Iterator<Item = (&Pipeline, &Job)> {
        self.pipelines().flat_map(|pipeline| pipeline.jobs.iter().map(move |job| (pipeline, job)))
    }

    /// Every manifest.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.facts.iter().flat_map(|facts| &facts.manifests)
    }

    /// Every lock.
    pub fn lock_files(&self) -> impl Iterator<Item = &Lock> {
        self.facts.iter().flat_map(|facts| &facts.locks)
    }

    /// Every image build.
    pub fn builds(&self) -> impl Iterator<Item = &ContainerBuild> {
        self.facts.iter().flat_map(|facts| &facts.builds)
    }

    /// Every problem of one kind, in order of sources.
    pub fn problems(&self, kind: ProblemKind) -> impl Iterator<Item = &Problem> {
        self.facts.iter().flat_map(|facts| &facts.problems).filter(move |problem| problem.kind == kind)
    }

    /// Who of the gate reaches a source. Without any pipeline, nobody does and `judged` is still true.
    pub fn reached_by(&self, source: SourceId) -> &[Reach] {
        self.gate.reached.get(&source).map_or(&[], Vec::as_slice)
    }

    /// Whether what stands in `source` is judged as something that CI runs.
    pub fn judged(&self, source: SourceId) -> bool {
        !self.gate.seen || !self.reached_by(source).is_empty()
    }

    /// Whether nothing runs what stands in `source`: it is test data, or a workflow below a project that has its own.
    ///
    /// What stands there is true and worth a word, but no gate depends on it.
    pub fn asleep(&self, source: SourceId) -> bool {
        let dormant = self.dormant.get(source.0 as usize).copied().unwrap_or(false);
        dormant && !self.reached_by(source).iter().any(|reach| reach.ci)
    }

    /// Finds the sources that sleep unless the gate reaches them. Asked once, after all sources were read.
    ///
    /// GitHub runs the workflows of the root only, as other systems do; a tree without workflows at its root is a folder of projects.
    /// Actions beside nested workflows belong to them.
    pub fn find_dormant(&mut self) {
        let workflows = self.sources.iter().any(|source| source.path.starts_with(".github/workflows/"));
        let below = |path: &str| path.contains("/.github/workflows/") || path.contains("/.github/actions/");
        let pipelines = self.pipelines().next().is_some();
        let nested = |path: &str| workflows && below(path) || pipelines && is_nested_pipeline(path);
        self.dormant = self.sources.iter().map(|source| is_test_data(&source.path) || nested(&source.path)).collect();
    }

    /// Every command that CI runs or an image build holds: those of pipelines, components, builds and stand-alone scripts.
    pub fn commands(&self) -> impl Iterator<Item = Site<'_>> {
        self.facts.iter().flat_map(commands_of)
    }
}

/// The commands of one source, in order.
fn commands_of(facts: &Facts) -> Vec<Site<'_>> {
    let mut sites = Vec::new();
    let Some(source) = facts.source else { return sites };
    for pipeline in facts.pipelines.iter().chain(&facts.components) {
        for job in &pipeline.jobs {
            for step in &job.steps {
                if let super::pipeline::StepKind::Run(script) = &step.kind {
                    let around = (Some(pipeline), Some(job), Some(step), None);
                    push_commands(&mut sites, source, around, script);
                }
            }
        }
    }
    for build in &facts.builds {
        for instruction in build.stages.iter().flat_map(|stage| &stage.instructions) {
            if let super::container::Instruction::Run { script, .. } = instruction {
                push_commands(&mut sites, source, (None, None, None, Some(build)), script);
            }
        }
    }
    for (_, script) in &facts.scripts {
        push_commands(&mut sites, source, (None, None, None, None), script);
    }
    sites
}

/// Whether a file has the name of a pipeline that its system reads at the root only, and lies deeper.
fn is_nested_pipeline(path: &str) -> bool {
    const NAMES: [&str; 4] = [".travis.yml", "appveyor.yml", ".appveyor.yml", "bitbucket-pipelines.yml"];
    let Some((_, name)) = path.rsplit_once('/') else { return false };
    NAMES.contains(&name) || path.contains("/.circleci/")
}

/// Whether a path lies in test data, in examples, or in a template of another project: nothing there is run as it stands.
pub fn is_test_data(path: &str) -> bool {
    let mut in_tests = false;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.split('/').any(|part| {
        in_tests |= matches!(part, "test" | "tests" | "testing" | "__tests__" | "e2e");
        let data =
            matches!(part, "testdata" | "test_data" | "test-data" | "test-fixtures" | "test_fixtures" | "__fixtures__");
        let below_tests = in_tests
            && (matches!(part, "fixtures" | "data" | "resources" | "assets" | "snapshots")
                || part.starts_with("sample"));
        let template = part.ends_with("-template") || part.ends_with("_template");
        let shown = template || matches!(part, "examples" | "example");
        data || below_tests || shown || part.starts_with("{{")
    })
}

type Around<'p> = (Option<&'p Pipeline>, Option<&'p Job>, Option<&'p Step>, Option<&'p ContainerBuild>);

fn push_commands<'p>(sites: &mut Vec<Site<'p>>, source: SourceId, around: Around<'p>, script: &'p Script) {
    let (pipeline, job, step, build) = around;
    for (index, command) in script.commands.iter().enumerate() {
        sites.push(Site { source, pipeline, job, step, build, script, index, command });
    }
}

#[cfg(test)]
mod tests {
    use super::is_test_data;

    #[test]
    fn test_data_is_known_by_its_folder() {
        for path in [
            "tests/unit/fixtures/a.yml",
            "x/testdata/Dockerfile",
            "examples/a/Dockerfile",
            "tests/sample_resources/pod.yaml",
            "{{cookiecutter.slug}}/Dockerfile",
        ] {
            assert!(is_test_data(path), "{path}");
        }
        for path in ["tests/Dockerfile", "fixtures/Dockerfile", "data/a.yml", "testdata.yml"] {
            assert!(!is_test_data(path), "{path}");
        }
    }
}

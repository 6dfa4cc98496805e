//! What reading one source gave. Plain lists; opinions come later.

use super::container::ContainerBuild;
use super::environment::{Environment, VariableEdits};
use super::lock::Lock;
use super::manifest::Manifest;
use super::pipeline::Pipeline;
use super::reference::{Reference, ReferenceId};
use super::script::Script;
use super::span::{Location, SourceId};
use std::collections::HashMap;

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// Where.
    pub at: Location,
    /// What is wrong and what to do, in words.
    pub text: String,
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The file, or a part of it, cannot be read.
    Unreadable,
    /// The file is a template of another language.
    Template,
    /// A reference whose value cannot be seen.
    Opaque,
}

/// What reading one source gave.
#[derive(Debug, Default)]
pub struct Facts {
    /// Which source.
    pub source: Option<SourceId>,
    /// Name of the format that read it.
    pub format: &'static str,
    /// References in the order of the text.
    pub references: Vec<Reference>,
    /// Pipelines (most files have one).
    pub pipelines: Vec<Pipeline>,
    /// Manifests.
    pub manifests: Vec<Manifest>,
    /// Locks.
    pub locks: Vec<Lock>,
    /// Image builds.
    pub builds: Vec<ContainerBuild>,
    /// Scripts that stand alone (`ci/test.sh`, a target of a Makefile), by entry name.
    pub scripts: Vec<(String, Script)>,
    /// Composite actions: like pipelines, but started only by others.
    pub components: Vec<Pipeline>,
    /// Updaters that are set up (`dependabot`, `renovate` …) and the ecosystems that they cover, as written.
    pub updaters: Vec<Updater>,
    /// Variables of processes outside of pipelines: compose services, containers, development containers, test environments.
    pub environments: Vec<Environment>,
    /// How variables of this source can be moved; nothing where that is not known.
    pub variable_edits: VariableEdits,
    /// Dockerfiles that compose files and the like build: (file or context path, place).
    pub builds_of: Vec<(String, Location)>,
    /// Names of images that come out of this file, or that it puts others in place of (kustomize): nobody fetches them by that name.
    pub own_images: Vec<String>,
    /// Names that builds give to folders, images and other builds, for `FROM` and `COPY --from`.
    pub contexts: Vec<String>,
    /// Patterns of files that image builds do not see, in order; `!` in front brings them back.
    pub unseen: Vec<(String, Location)>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// A program that opens upgrade patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updater {
    /// `dependabot`, `renovate`, `pre-commit.ci`, `updatecli`, `pinguard`.
    pub name: String,
    /// Ecosystems as that program names them; empty means all.
    pub ecosystems: Vec<String>,
    /// Where it is set up.
    pub at: Location,
    /// Days that a release must be old, if set.
    pub cooldown_days: Option<u32>,
    /// Names or patterns of packages that need not be.
    pub cooldown_except: Vec<String>,
}

/// References of one file that several jobs share (anchors, templates, the jobs of a matrix): each is added once.
#[derive(Debug, Default)]
pub struct Shared(HashMap<Location, Vec<ReferenceId>>);

impl Shared {
    /// Adds a reference, or finds the one that stands at the same place and says the same.
    pub fn push(&mut self, facts: &mut Facts, reference: Reference) -> ReferenceId {
        let here = self.0.entry(reference.site.whole).or_default();
        let same = |id: &&ReferenceId| {
            let known = &facts.references[id.index as usize];
            known.subject == reference.subject && known.pin == reference.pin && known.role == reference.role
        };
        if let Some(&id) = here.iter().find(same) {
            return id;
        }
        let id = facts.push(reference);
        here.push(id);
        id
    }
}

impl Facts {
    /// Empty facts of `source`, read by `format`.
    pub fn of(source: SourceId, format: &'static str) -> Facts {
        Facts { source: Some(source), format, ..Facts::default() }
    }

    /// Adds a reference and gives it its number.
    pub fn push(&mut self, reference: Reference) -> ReferenceId {
        let index = self.references.len() as u32;
        self.references.push(reference);
        ReferenceId { source: self.source.expect("facts that hold references name their source"), index }
    }

    /// Adds a problem.
    pub fn problem(&mut self, kind: ProblemKind, at: Location, text: impl Into<String>) {
        self.problems.push(Problem { kind, at, text: text.into() });
    }

    /// Gives back the room that growing lists took and do not use: over a large project that is a part of all memory.
    pub fn give_back_room(&mut self) {
        self.references.shrink_to_fit();
        for lock in &mut self.locks {
            lock.packages.shrink_to_fit();
            for package in &mut lock.packages {
                package.artifacts.shrink_to_fit();
                package.edges.shrink_to_fit();
            }
        }
        for pipeline in &mut self.pipelines {
            pipeline.jobs.shrink_to_fit();
            pipeline.jobs.iter_mut().for_each(|job| job.steps.shrink_to_fit());
        }
        self.variable_edits.slots.shrink_to_fit();
        self.variable_edits.lines.shrink_to_fit();
    }

    /// Keeps the first `limit` unreadable places and says at the next one how many more there are.
    pub fn keep_unreadable(&mut self, limit: usize) {
        let unreadable = |problem: &Problem| problem.kind == ProblemKind::Unreadable;
        let count = self.problems.iter().filter(|problem| unreadable(problem)).count();
        // One more than the limit is told as it is: "1 more" says less.
        if count <= limit + 1 {
            return;
        }
        let mut seen = 0;
        self.problems.retain_mut(|problem| {
            seen += usize::from(unreadable(problem));
            if unreadable(problem) && seen == limit + 1 {
                problem.text =
                    format!("here and further down stand {} more mistakes; correct those above first", count - limit);
            }
            !unreadable(problem) || seen <= limit + 1
        });
    }
}

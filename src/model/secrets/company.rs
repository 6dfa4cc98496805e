//! Who shares a scope: how many steps, whose they are, and whether tests or installs run there. Judges nothing.

use super::weight::is_protected;
use crate::model::check::{check_in, is_on_patch};
use crate::model::components::{Owner, is_component};
use crate::model::pin::Strength;
use crate::model::pipeline::{Job, Pipeline, Step, StepKind};
use crate::model::project::Project;
use crate::model::reference::Reference;
use crate::model::script::{CheckKind, Deed};

/// Who shares a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Company {
    /// Jobs with steps.
    pub jobs: usize,
    /// Steps of all of them.
    pub steps: usize,
    /// Steps that use a component of somebody else.
    pub third: usize,
    /// Those of them whose component can change without a commit here.
    pub mutable: usize,
    /// Whether tests run there.
    pub tests: bool,
    /// Whether tests, linters or type checkers run there.
    pub checks: bool,
    /// Whether packages are installed there.
    pub installs: bool,
    /// Whether a proposed patch can start one of the jobs.
    pub on_patch: bool,
    /// Whether every job has a protected environment and none is started by patches.
    pub protected: bool,
}

impl Company {
    /// Everybody in a job.
    pub fn of_job(project: &Project, pipeline: &Pipeline, job: &Job) -> Company {
        let mut company = Company { jobs: 1, steps: job.steps.len(), ..Company::default() };
        company.protected = is_protected(pipeline, job);
        // Where it cannot be seen what starts a pipeline, no more is said than is known.
        company.on_patch = pipeline.triggers.patch && is_on_patch(pipeline, job);
        job.steps.iter().for_each(|step| company.add(project, job, step));
        company
    }

    /// Everybody in a pipeline. Jobs that only call another pipeline do not have its variables.
    pub fn of_pipeline(project: &Project, pipeline: &Pipeline) -> Company {
        let jobs: Vec<Company> = pipeline
            .jobs
            .iter()
            .filter(|job| job.calls.is_none() && !job.steps.is_empty())
            .map(|job| Company::of_job(project, pipeline, job))
            .collect();
        let protected = !jobs.is_empty() && jobs.iter().all(|job| job.protected);
        jobs.into_iter().fold(Company { protected, ..Company::default() }, |sum, job| Company {
            jobs: sum.jobs + 1,
            steps: sum.steps + job.steps,
            third: sum.third + job.third,
            mutable: sum.mutable + job.mutable,
            tests: sum.tests || job.tests,
            checks: sum.checks || job.checks,
            installs: sum.installs || job.installs,
            on_patch: sum.on_patch || job.on_patch,
            protected,
        })
    }

    fn add(&mut self, project: &Project, job: &Job, step: &Step) {
        match &step.kind {
            StepKind::Uses { component, .. } => {
                let component = project.reference(*component);
                if project.is_third_party(component) {
                    self.third += 1;
                    self.mutable += usize::from(is_mutable(component));
                }
            }
            StepKind::Run(script) => {
                for command in &script.commands {
                    let check = check_in(job, Some(step), command).map(|check| check.kind);
                    self.tests |= check == Some(CheckKind::Test);
                    self.checks |= matches!(check, Some(CheckKind::Test | CheckKind::Lint | CheckKind::Types));
                    self.installs |= command.deeds.iter().any(from_an_index);
                }
            }
            StepKind::Other => {}
        }
    }

    /// Whether code that this repository does not hold, or that a patch brings, runs there.
    pub fn exposed(&self) -> bool {
        self.tests || self.installs || self.mutable > 0 || self.on_patch
    }

    /// ``, 7 of them third-party actions, and tests run there``: what follows a count of steps.
    pub fn words(&self) -> String {
        let third = match self.third {
            0 => String::new(),
            1 => ", one of them a third-party component".to_string(),
            third => format!(", {third} of them third-party components"),
        };
        let runs = match (self.tests, self.installs) {
            (true, true) => ", among them tests and installs of packages",
            (true, false) => ", among them tests",
            (false, true) => ", among them installs of packages",
            (false, false) => "",
        };
        third + runs
    }
}

impl Project {
    /// Whether a component belongs to somebody else than this project and the vendor of its system.
    pub fn is_third_party(&self, component: &Reference) -> bool {
        is_component(component) && self.owner(&component.subject.name) == Owner::Third
    }
}

/// Whether a component can change without a commit here, as a branch does.
pub fn is_mutable(component: &Reference) -> bool {
    use crate::model::components::{RefKind, ref_kind};
    match ref_kind(component) {
        Some(kind) => kind == RefKind::Branch,
        None => component.effective().is_some_and(|strength| strength == Strength::Unspecified),
    }
}

fn from_an_index(deed: &Deed) -> bool {
    match deed {
        Deed::Install(install) => !install.no_index && !install.references.is_empty() || !install.files.is_empty(),
        Deed::RunTool(_) => true,
        _ => false,
    }
}

//! One model for every CI system: triggers, jobs, steps, environments, services. Does not know which system wrote it beyond a name.

use super::dialect::Dialect;
use super::reference::ReferenceId;
use super::script::{Script, Shell};
use super::span::Location;
use super::text::Text;

/// Whether an event starts a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Triggers {
    /// Proposed patches: pull requests, merge requests, merge queues.
    pub patch: bool,
    /// Pushes, and how they are filtered.
    pub push: Option<PushFilter>,
    /// A schedule.
    pub schedule: bool,
    /// Started by hand or by another program.
    pub manual: bool,
    /// Called by another pipeline.
    pub called: bool,
    /// Releases and other events that are no patch.
    pub other: bool,
    /// Some of it is decided where it cannot be seen.
    pub unseen: bool,
}

/// Which pushes count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushFilter {
    /// Branch patterns; empty means all branches unless `tags_only`.
    pub branches: Vec<String>,
    /// Only tags start it.
    pub tags_only: bool,
}

/// How widely an assignment can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One process of one step by name (`with:`).
    Input,
    /// One step.
    Step,
    /// A container or service of one job.
    Container,
    /// All steps of one job.
    Job,
    /// All jobs.
    Pipeline,
}

/// What is assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text without references. Never printed.
    Literal(String),
    /// Secrets, by name, perhaps with text around them.
    Secret {
        /// The names of the secrets; `*` stands for all of them (`toJSON(secrets)`, `secrets: inherit`).
        names: Vec<String>,
        /// Whether the value is one secret and nothing else.
        whole: bool,
        /// Whether a function made a new text of it that no mask of the system knows (`fromJSON(secrets.X).field`).
        derived: bool,
    },
    /// Anything else that is computed; as written.
    Expression(String),
}

/// A variable or an input and what it is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Who can read it.
    pub scope: Scope,
    /// Where the value stands.
    pub at: Location,
    /// Structural key path.
    pub key: String,
}

/// A setting that may be plain, computed or absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// Not written.
    Absent,
    /// Written.
    Plain(T, Location),
    /// Decided by an expression.
    Computed(Location),
}

impl<T> Setting<T> {
    /// The plain value.
    pub fn plain(&self) -> Option<&T> {
        match self {
            Setting::Plain(value, _) => Some(value),
            _ => None,
        }
    }

    /// Where it is written.
    pub fn at(&self) -> Option<Location> {
        match self {
            Setting::Absent => None,
            Setting::Plain(_, at) | Setting::Computed(at) => Some(*at),
        }
    }
}

/// A pipeline, or something with steps that a pipeline calls (a composite action).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Which system reads it, in its own words.
    pub system: &'static Dialect,
    /// Its name, or its path.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// What starts it.
    pub triggers: Triggers,
    /// Variables of all jobs.
    pub env: Vec<Assignment>,
    /// Its jobs, hidden and template jobs left out.
    pub jobs: Vec<Job>,
    /// Whether a newer run of the same patch cancels it.
    pub cancel: Setting<bool>,
    /// Things that cannot be seen from the files, in words: remote includes, server-side settings.
    pub unseen: Vec<(String, Location)>,
}

impl Pipeline {
    /// A pipeline about which nothing is known but its name and place.
    pub fn new(system: &'static Dialect, name: impl Into<String>, at: Location) -> Pipeline {
        Pipeline {
            system,
            name: name.into(),
            at,
            triggers: Triggers::default(),
            env: Vec::new(),
            jobs: Vec::new(),
            cancel: Setting::Absent,
            unseen: Vec::new(),
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its key.
    pub id: String,
    /// Its displayed name, or its key.
    pub name: String,
    /// Where its key stands.
    pub at: Location,
    /// Structural key path.
    pub key: String,
    /// Variables of its steps.
    pub env: Vec<Assignment>,
    /// Its steps in order.
    pub steps: Vec<Step>,
    /// The machine it runs on.
    pub runner: Option<ReferenceId>,
    /// The image it runs in (several when a matrix decides).
    pub images: Vec<ReferenceId>,
    /// Images beside it.
    pub services: Vec<Service>,
    /// A pipeline or template that is called instead of steps.
    pub calls: Option<ReferenceId>,
    /// Inputs and secrets given to what is called.
    pub inputs: Vec<Assignment>,
    /// Interpreters asked for.
    pub pythons: Vec<ReferenceId>,
    /// Minutes until it is stopped.
    pub timeout: Setting<u32>,
    /// Whether a newer run of the same patch cancels it.
    pub cancel: Setting<bool>,
    /// Whether its failure is ignored.
    pub tolerated: Setting<bool>,
    /// Whether it is retried, and how often.
    pub retry: Setting<u32>,
    /// Jobs that it waits for.
    pub needs: Vec<String>,
    /// Whether a matrix multiplies it, and by how much when that can be counted.
    pub legs: Option<usize>,
    /// Names and values of the matrix, for recognising experimental legs.
    pub matrix: Vec<(String, String)>,
    /// Its condition, as written.
    pub condition: Option<Text>,
    /// Whether it can be started by a proposed patch. `None`: an expression decides.
    pub on_patch: Option<bool>,
    /// The protected environment it deploys to.
    pub environment: Option<String>,
    /// What it keeps.
    pub artifacts: Vec<Artifact>,
    /// What it keeps for later runs.
    pub caches: Vec<Cache>,
    /// Whether the token that the system makes for it can change anything, as far as the files tell.
    pub token_writes: bool,
}

impl Job {
    /// A job about which nothing is written but its name: nothing is tolerated, limited, waited for or retried.
    pub fn new(id: impl Into<String>, key: impl Into<String>, at: Location) -> Job {
        let id = id.into();
        Job {
            name: id.clone(),
            id,
            at,
            key: key.into(),
            env: Vec::new(),
            steps: Vec::new(),
            runner: None,
            images: Vec::new(),
            services: Vec::new(),
            calls: None,
            inputs: Vec::new(),
            pythons: Vec::new(),
            timeout: Setting::Absent,
            cancel: Setting::Absent,
            tolerated: Setting::Absent,
            retry: Setting::Absent,
            needs: Vec::new(),
            legs: Some(1),
            matrix: Vec::new(),
            condition: None,
            on_patch: None,
            environment: None,
            artifacts: Vec::new(),
            caches: Vec::new(),
            token_writes: true,
        }
    }
}

/// An image that runs beside a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name in the job.
    pub name: String,
    /// Its image (several when a matrix decides).
    pub images: Vec<ReferenceId>,
    /// Its variables.
    pub env: Vec<Assignment>,
    /// Options given to the container, as written.
    pub options: Option<String>,
}

/// Files kept after a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it is declared.
    pub at: Location,
    /// Paths, as written.
    pub paths: Vec<String>,
    /// Whether it is a machine-readable test report.
    pub report: bool,
    /// Whether it is kept when the job fails.
    pub on_failure: bool,
}

/// What a job takes from runs before it and leaves for later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Where it is declared.
    pub at: Location,
    /// Structural key path.
    pub key: String,
    /// The names under which it is looked for, as written: its own first, then those that it falls back to. Empty: the system makes one.
    pub names: Vec<String>,
    /// Files whose content is in its name, where the syntax has a place for them.
    pub files: Vec<String>,
    /// What is kept, as written: paths, or a word that the system knows (`pip`).
    pub paths: Vec<String>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its displayed name, or what it runs.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// Structural key path.
    pub key: String,
    /// Variables of this step alone.
    pub env: Vec<Assignment>,
    /// What it does.
    pub kind: StepKind,
    /// What the system pastes into its program text before it runs (`${{ secrets.X }}` inside `run`), literals left out.
    pub pasted: Vec<Assignment>,
    /// Its condition, as written.
    pub condition: Option<Text>,
    /// Whether its own condition keeps it from running for proposed patches, whatever its job does.
    pub not_on_patch: bool,
    /// Whether its failure is ignored.
    pub tolerated: Setting<bool>,
    /// The shell as written or by default.
    pub shell: Option<Shell>,
    /// Whether the shell was written rather than defaulted.
    pub shell_written: bool,
    /// Which part of the job it is.
    pub phase: Phase,
}

impl Step {
    /// A step of the main part that does `kind`.
    pub fn new(name: impl Into<String>, key: impl Into<String>, at: Location, kind: StepKind) -> Step {
        let shell = if let StepKind::Run(script) = &kind { Some(script.shell) } else { None };
        Step {
            name: name.into(),
            at,
            key: key.into(),
            env: Vec::new(),
            kind,
            pasted: Vec::new(),
            condition: None,
            not_on_patch: false,
            tolerated: Setting::Absent,
            shell,
            shell_written: false,
            phase: Phase::Main,
        }
    }
}

/// Which part of a job a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Before the main part.
    Before,
    /// The main part.
    Main,
    /// After it, whatever the verdict.
    After,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// Runs a script.
    Run(Script),
    /// Uses a component with inputs.
    Uses {
        /// The component.
        component: ReferenceId,
        /// Its inputs.
        inputs: Vec<Assignment>,
    },
    /// Neither could be read.
    Other,
}

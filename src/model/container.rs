//! An image build as facts: stages, copies, commands. Knows no Dockerfile syntax.

use super::reference::ReferenceId;
use super::script::Script;
use super::span::Location;
use super::text::Text;

/// An image build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerBuild {
    /// The whole file.
    pub at: Location,
    /// Its stages in order.
    pub stages: Vec<Stage>,
    /// `ARG`s before the first stage.
    pub args: Vec<Variable>,
}

/// A stage of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// `AS` name.
    pub name: Option<String>,
    /// Its base image; `None` when it is an earlier stage or `scratch`.
    pub base: Option<ReferenceId>,
    /// The earlier stage that it builds on.
    pub parent: Option<usize>,
    /// Where `FROM` stands.
    pub at: Location,
    /// Its instructions in order.
    pub instructions: Vec<Instruction>,
}

/// `ARG` or `ENV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value or default.
    pub value: Option<Text>,
    /// Where it stands.
    pub at: Location,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// `RUN`.
    Run {
        /// Where it stands.
        at: Location,
        /// What it runs.
        script: Script,
        /// `--mount` types with their texts.
        mounts: Vec<Text>,
    },
    /// `COPY` or `ADD`.
    Copy {
        /// Where it stands.
        at: Location,
        /// Sources, as written.
        from: Vec<Text>,
        /// Target.
        to: Option<Text>,
        /// `--from` is given: another stage or image.
        foreign: bool,
    },
    /// `ARG`.
    Arg(Variable),
    /// `ENV`.
    Env(Variable),
    /// `WORKDIR`.
    Workdir(Text),
    /// `USER`, `CMD`, and the rest.
    Other(Location),
}

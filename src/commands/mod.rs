//! One file per subcommand: gather, decide, act, report. Knows every layer below and no argument parsing.

mod baselines;
pub mod check;
pub mod diff;
pub mod env_report;
pub mod explain;
pub mod fix;
pub mod gather;
pub mod init;
pub mod list;
pub mod lock;
pub mod lookup;
pub mod network;
pub mod online;
pub mod rules;
pub mod settings;
pub mod upgrade;

/// What `main` knows of the terminal and the environment; nothing below asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether standard output is coloured.
    pub colour: crate::report::Colour,
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing at or above the threshold.
    Clean,
    /// Findings.
    Found,
    /// Wrong arguments, wrong configuration, or the world failed.
    Failed,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Outcome::Clean => 0,
            Outcome::Found => 1,
            Outcome::Failed => 2,
        }
    }
}

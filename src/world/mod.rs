//! The only place that touches disk, network, clock, processes and environment. Makes no decision.

pub mod clock;
pub mod console;
pub mod credential;
pub mod disk;
pub mod environment;
pub mod failure;
pub mod forges;
pub mod git;
pub mod git_dates;
pub mod git_files;
pub mod http;
pub mod lockers;
pub mod netrc;
pub mod panic;
pub mod process;
pub mod progress;
pub mod registries;
pub mod revisions;
pub mod runtime;
pub mod temporary;
pub mod worktree;

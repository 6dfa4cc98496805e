//! `pinguard init`: a commented configuration to begin with.

use super::Outcome;
use crate::world::disk;
use std::io::{self, Write};
use std::path::Path;

/// Runs the command: prints `sample`, or writes it as `pinguard.toml` unless there is one.
pub fn run(sample: &str, to_stdout: crate::commands::init::Target, out: &mut dyn Write) -> io::Result<Outcome> {
    if to_stdout == Target::Stdout {
        out.write_all(sample.as_bytes())?;
        return Ok(Outcome::Clean);
    }
    let path = Path::new("pinguard.toml");
    if disk::exists(path) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "pinguard.toml is there already; it was left as it is",
        ));
    }
    disk::write_whole(path, sample.as_bytes())?;
    writeln!(out, "wrote pinguard.toml; every key in it is a comment that shows the default")?;
    Ok(Outcome::Clean)
}

/// Where the sample goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file in the current folder.
    File,
    /// Standard output.
    Stdout,
}

//! `pinguard list`: every reference that was found, with its strength.

use super::gather::gather;
use super::settings::Choice;
use super::{Outcome, Terminal};
use crate::cli;
use crate::model::rule::Level;
use crate::report::list;
use crate::report::{Report, Root};
use std::io::{self, Write};

/// Runs the command.
pub fn run(args: &cli::List, terminal: Terminal, out: &mut dyn Write) -> io::Result<Outcome> {
    let gathered = gather(&args.paths, Choice::of(args.config.as_deref(), args.isolated))?;
    let roots = gathered.iter().map(|gathered| Root { prefix: "", project: &gathered.project, findings: &[] });
    let manual = |_: &str| String::new();
    let report =
        Report { roots: roots.collect(), manual, fail_on: Level::Error, suppressed: 0, colour: terminal.colour };
    let form = list::Form::named(&args.format).unwrap_or_default();
    if args.locks {
        list::write_locks(&report, form, out)?
    } else {
        list::write(&report, form, out)?
    }
    Ok(Outcome::Clean)
}

//! `pinguard list`: every reference that was found, with its strength.

use super::gather::{Gathered, gather, prefixes};
use super::settings::Choice;
use super::{Outcome, Terminal};
use crate::cli;
use crate::model::rule::Level;
use crate::report::list;
use crate::report::{Report, Root};
use std::io::{self, Write};

/// Runs the command.
pub fn run(args: &cli::List, terminal: Terminal, out: &mut dyn Write) -> io::Result<Outcome> {
    let mut gathered = gather(&args.paths, Choice::of(args.config.as_deref(), args.isolated))?;
    gathered.iter_mut().for_each(narrow);
    let prefixes = prefixes(&gathered);
    let roots = gathered.iter().zip(&prefixes);
    let roots = roots.map(|(gathered, prefix)| Root { prefix, project: &gathered.project, findings: &[] });
    let manual = |_: &str| String::new();
    let report = Report {
        roots: roots.collect(),
        manual,
        fail_on: Level::Error,
        suppressed: 0,
        colour: terminal.colour,
        fixes: None,
        asked: None,
    };
    let form = list::Form::named(&args.format).unwrap_or_default();
    if args.locks {
        list::write_locks(&report, form, out)?
    } else {
        list::write(&report, form, out)?
    }
    Ok(Outcome::Clean)
}

/// What was read for context alone is not listed.
fn narrow(gathered: &mut Gathered) {
    let Gathered { root, project, .. } = gathered;
    for facts in &mut project.facts {
        if facts.source.is_some_and(|source| !root.asks_for(&project.sources.get(source).path)) {
            facts.references.clear();
            facts.locks.clear();
        }
    }
}

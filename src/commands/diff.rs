//! `pinguard diff`: what moved in locks, manifests, images and components between two revisions.

use super::Outcome;
use super::gather::{self, Gathered};
use super::settings::Choice;
use crate::cli;
use crate::compare;
use crate::model::moves::Moves;
use crate::report::moves;
use crate::world::revisions::{Revision, Revisions};
use std::io::{self, Write};
use std::path::PathBuf;

/// Runs the command.
pub fn run(args: &cli::Diff, out: &mut dyn Write) -> io::Result<Outcome> {
    let choice = Choice::of(args.config.as_deref(), args.isolated);
    let here: Vec<PathBuf> = vec![args.repository.clone()];
    let Some(gathered) = gather::gather(&here, choice)?.pop() else { return Ok(Outcome::Failed) };
    let moves = compared(args, &gathered)?;
    match args.format.as_str() {
        "json" => moves::json(&moves, out)?,
        "markdown" => moves::markdown(&moves, out)?,
        _ => moves::human(&moves, out)?,
    }
    let fails = moves.rows.iter().any(|row| row.motion.is_error()) || !moves.unread.is_empty();
    Ok(if fails { Outcome::Found } else { Outcome::Clean })
}

fn compared(args: &cli::Diff, gathered: &Gathered) -> io::Result<Moves> {
    let git = Revisions::open(&gathered.root.folder)?;
    let (base, head) = sides(&git, &args.base, args.head.as_deref())?;
    let old = gather::revision(&gathered.config, git.texts(base.1, &gather::files(&gathered.config))?);
    let new = match &head {
        Some((_, head)) => {
            Some(gather::revision(&gathered.config, git.texts(*head, &gather::files(&gathered.config))?))
        }
        None => None,
    };
    let commit = head.as_ref().map(|(_, head)| *head);
    let mut moves = compare::moves(&old, new.as_ref().unwrap_or(&gathered.project));
    moves.rows.extend(compare::submodules(&git.submodules(Some(base.1))?, &git.submodules(commit)?));
    let code = git.changed(base.1, commit)?.into_iter().filter(|path| compare::is_code(path)).collect();
    moves.mixed = compare::mixed(&moves.rows, code);
    moves.base = base.0;
    moves.head = head.map_or_else(|| "the work tree".to_string(), |(name, _)| name);
    Ok(moves)
}

type Named = (String, Revision);

/// `BASE HEAD`, `BASE..HEAD`, and `BASE...HEAD` for what happened on HEAD since it left BASE.
fn sides(git: &Revisions, base: &str, head: Option<&str>) -> io::Result<(Named, Option<Named>)> {
    let find = |name: &str| {
        let name = if name.is_empty() { "HEAD" } else { name };
        Ok::<Named, io::Error>((name.to_string(), git.find(name)?))
    };
    if let Some((base, head)) = base.split_once("...") {
        let (base, head) = (find(base)?, find(head)?);
        return Ok(((base.0, git.common(base.1, head.1)?), Some(head)));
    }
    if let Some((base, head)) = base.split_once("..") {
        return Ok((find(base)?, Some(find(head)?)));
    }
    Ok((find(base)?, head.map(find).transpose()?))
}

//! `pinguard diff`: what moved in locks, manifests, images and components between two revisions.

use super::Outcome;
use super::gather::{self, Gathered};
use super::settings::Choice;
use crate::cli;
use crate::compare;
use crate::config::Asked;
use crate::model::finding::Findings;
use crate::model::moves::{Mixed, Moves};
use crate::model::project::Project;
use crate::model::rule::Level;
use crate::report::moves;
use crate::rules;
use crate::world::revisions::{Revision, Revisions};
use std::io::{self, Write};
use std::path::PathBuf;

/// The rule that looks at patches.
const MIXED: &str = "upgrade-mixed-patch";

/// Runs the command.
pub fn run(args: &cli::Diff, out: &mut dyn Write) -> io::Result<Outcome> {
    let choice = Choice::of(args.config.as_deref(), args.isolated);
    let here: Vec<PathBuf> = vec![args.repository.clone()];
    let Some(mut gathered) = gather::gather(&here, choice)?.pop() else { return Ok(Outcome::Failed) };
    let (moves, judged) = compared(args, &mut gathered)?;
    match args.format.as_str() {
        "json" => moves::json(&moves, out)?,
        "markdown" => moves::markdown(&moves, out)?,
        _ => moves::human(&moves, out)?,
    }
    let threshold = gathered.config.fail_on.unwrap_or(Level::Warning);
    let mixed = judged.is_some_and(|level| level >= threshold);
    let fails = mixed || moves.rows.iter().any(|row| row.motion.is_error()) || !moves.unread.is_empty();
    Ok(if fails { Outcome::Found } else { Outcome::Clean })
}

/// What moved, and the level of what is said of the patch as a whole.
fn compared(args: &cli::Diff, gathered: &mut Gathered) -> io::Result<(Moves, Option<Level>)> {
    let git = Revisions::open(&gathered.root.folder)?;
    let (base, head) = sides(&git, &args.base, args.head.as_deref())?;
    let read = |revision: Revision| {
        let texts = git.texts(revision, &gather::files(&gathered.config))?;
        Ok::<Project, io::Error>(gather::revision(&gathered.config, texts))
    };
    let old = read(base.1)?;
    let commit = head.as_ref().map(|(_, head)| *head);
    if let Some(commit) = commit {
        gathered.project = read(commit)?;
    }
    let mut moves = compare::moves(&old, &gathered.project);
    moves.rows.extend(compare::submodules(&git.submodules(Some(base.1))?, &git.submodules(commit)?));
    let named = head.as_ref().map(|(name, _)| name.clone()).filter(|name| name != "HEAD");
    let branch = named.or_else(|| git.branch());
    let updater = compare::updater(branch.as_deref(), &git.authors(base.1, commit)?);
    gathered.project.patch = Some(compare::patch(&moves.rows, git.changed(base.1, commit)?, updater));
    let level = judge(gathered, &mut moves);
    moves.base = base.0;
    moves.head = head.map_or_else(|| "the work tree".to_string(), |(name, _)| name);
    Ok((moves, level))
}

/// Asks the one rule that looks at patches, at the level that the configuration gives it.
fn judge(gathered: &Gathered, moves: &mut Moves) -> Option<Level> {
    let Gathered { config, project, .. } = gathered;
    let rule = rules::named(MIXED)?.rule;
    let mut findings = Findings::default();
    (rule.check)(project, &mut findings);
    let finding = findings.into_vec().into_iter().next()?;
    let asked = Asked { rule: rule.id, group: rule.group, levels: finding.levels, path: project.path(finding.at) };
    let level = config.level(config.profile.unwrap_or_default(), asked);
    let patch = project.patch.as_ref().filter(|_| level > Level::Off)?;
    moves.mixed = Some(Mixed {
        pins: patch.pins.len(),
        files: patch.files.clone(),
        level: level.name().to_string(),
        message: finding.message,
        help: finding.help,
    });
    Some(level)
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

//! When targets without a date were first met: one file in a commit that `refs/pinguard/seen` names on the remote. So a registry that
//! tells no dates has a cooldown too, on whichever machine the next run is.

use crate::world::failure::Failure;
use crate::world::git::{Author, Branch, Push, Rejected, Remote, Scratch};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// The ref on the remote.
pub const NAME: &str = "refs/pinguard/seen";
const FILE: &str = "seen.tsv";
/// What nobody met for so long is forgotten.
const KEPT_DAYS: i64 = 400;
/// A record of more lines is no record of ours.
const MOST: usize = 100_000;

/// What earlier runs met.
#[derive(Debug, Default)]
pub struct Seen {
    /// By key.
    pub dates: BTreeMap<String, Timestamp>,
    at: Option<git2::Oid>,
}

/// Reads the record of a remote.
pub fn read(scratch: &Scratch, remote: &Remote, refs: &[Branch]) -> Result<Seen, Failure> {
    let Some(branch) = refs.iter().find(|branch| branch.name == NAME) else { return Ok(Seen::default()) };
    remote.fetch(scratch, branch)?;
    let entries = scratch.entries(branch.commit)?;
    let mut seen = Seen { dates: BTreeMap::new(), at: Some(branch.commit) };
    if let Some(entry) = entries.iter().find(|entry| entry.path == FILE) {
        let text = scratch.content(entry.id)?;
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().take(MOST).filter_map(|line| line.split_once('\t'));
        seen.dates.extend(lines.filter_map(|(date, key)| Some((key.to_string(), date.parse().ok()?))));
    }
    Ok(seen)
}

/// Adds to the record of a remote. Somebody else who did so meanwhile is no failure: the next run adds again.
pub fn write(
    scratch: &Scratch,
    remote: &Remote,
    seen: &Seen,
    new: &BTreeMap<String, Timestamp>,
    author: &Author,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut dates = seen.dates.clone();
    for (key, date) in new {
        dates.entry(key.clone()).or_insert(*date);
    }
    let oldest = now.checked_sub((KEPT_DAYS * 24).hours()).unwrap_or(now);
    dates.retain(|_, date| *date >= oldest);
    if dates == seen.dates {
        return Ok(());
    }
    let text: String = dates.iter().map(|(key, date)| format!("{date}\t{key}\n")).collect();
    let commit = scratch.record(FILE, text.as_bytes(), "first seen", author, now)?;
    match remote.push(scratch, &Push { name: NAME.to_string(), from: seen.at, to: Some(commit) }) {
        Ok(()) | Err(Rejected::Moved) => Ok(()),
        Err(Rejected::World(failure)) => Err(failure),
        Err(Rejected::Refused(why)) => Err(Failure::Tool {
            name: "git".to_string(),
            why: format!("may not push {NAME} ({why})"),
            next: "allow it, so that images without a date get a cooldown".to_string(),
        }),
    }
}

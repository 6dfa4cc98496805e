//! The baseline of a run: where it stands, reading it, and `--write-baseline`.

use super::Outcome;
use super::check::settled;
use super::gather::Gathered;
use super::settings::wrong_input;
use crate::cli;
use crate::config::baseline::Baseline;
use crate::world::disk;
use jiff::civil::Date;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where `--write-baseline` writes when nothing else is said.
const NAME: &str = "pinguard.baseline.json";

/// The file of `--baseline`, seen from the current folder, or of the configuration, seen from the project root.
fn path(gathered: &Gathered, args: &cli::Check) -> Option<PathBuf> {
    let configured = || gathered.config.baseline.as_ref().map(|path| gathered.root.folder.join(path));
    args.baseline.clone().or_else(configured)
}

/// The baseline of a project, if it has one. One that is asked for and is not there is an error.
pub fn read(gathered: &Gathered, args: &cli::Check) -> io::Result<Option<Baseline>> {
    path(gathered, args).map(|path| read_at(&path)).transpose()
}

fn read_at(path: &Path) -> io::Result<Baseline> {
    let text = disk::read_named(path)?;
    Baseline::parse(&text).map_err(|why| wrong_input(format!("{}: {why}", path.display())))
}

/// Writes what is found now, over whatever the baseline was, and says so.
pub fn write(gathered: &[Gathered], args: &cli::Check, now: Date, out: &mut dyn Write) -> io::Result<Outcome> {
    if gathered.len() > 1 && args.baseline.is_some() {
        return Err(wrong_input(
            "--baseline names one file, and the paths lie in several projects: run one at a time".into(),
        ));
    }
    for gathered in gathered {
        let path = path(gathered, args).unwrap_or_else(|| gathered.root.folder.join(NAME));
        // An old baseline that cannot be read is replaced: that is what the flag is for.
        let old = if disk::exists(&path) { read_at(&path).ok() } else { None };
        let judged = settled(gathered, now).judged;
        let baseline = Baseline::of(&judged, &gathered.project.sources, now, old.as_ref());
        disk::write_whole(&path, baseline.to_text().as_bytes())?;
        let count = judged.len();
        let findings = if count == 1 { "finding" } else { "findings" };
        writeln!(out, "wrote {count} {findings} to {}", path.display())?;
        if gathered.config.baseline.is_none() && args.baseline.is_none() {
            writeln!(out, "to use it, write `baseline = \"{NAME}\"` into pinguard.toml or pass `--baseline {NAME}`")?;
        }
    }
    Ok(Outcome::Clean)
}

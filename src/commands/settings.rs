//! The configuration of a run: where it stands, its mistakes shown, and what the command line says on top of it.

use crate::config::{self, Config};
use crate::model::rule::Group;
use crate::model::source::{Source, Sources};
use crate::model::span::SourceId;
use crate::report::Colour;
use crate::report::mistakes::{self, Mistake};
use crate::rules::RULES;
use crate::world::disk::{self, Root};
use jiff::civil::Date;
use std::io;
use std::path::Path;

/// Which configuration is used.
#[derive(Debug, Clone, Copy)]
pub enum Choice<'a> {
    /// That of the project.
    Project,
    /// This file's.
    File(&'a Path),
    /// None.
    Nothing,
}

impl<'a> Choice<'a> {
    /// What the arguments ask for.
    pub fn of(file: Option<&'a Path>, isolated: bool) -> Choice<'a> {
        match (file, isolated) {
            (_, true) => Choice::Nothing,
            (Some(file), false) => Choice::File(file),
            (None, false) => Choice::Project,
        }
    }
}

/// A configuration and its text.
#[derive(Debug, Default)]
pub struct Settings {
    /// What it says.
    pub config: Config,
    /// Its path and text, so that a place in it can be shown.
    file: Option<(String, String)>,
}

/// Ids of all rules.
pub fn known() -> Vec<&'static str> {
    RULES.iter().map(|registered| registered.rule.id).collect()
}

/// Reads the configuration for a root. Its mistakes are an error that shows every one.
pub fn load(root: &Root, choice: Choice<'_>) -> io::Result<Settings> {
    let found = match choice {
        Choice::Nothing => None,
        Choice::File(path) => Some((path.to_string_lossy().into_owned(), disk::read_named(path)?)),
        Choice::Project => of_project(root)?,
    };
    let Some((path, text)) = found else { return Ok(Settings::default()) };
    of_text(path, text)
}

/// Whether a file of this name with this text configures pinguard.
pub fn configures(name: &str, text: &str) -> bool {
    name == "pinguard.toml" || text.contains("tool.pinguard") || text.contains("pinguard]")
}

/// Reads a configuration that is given as text. Its mistakes are an error that shows every one.
pub fn of_text(path: String, text: String) -> io::Result<Settings> {
    let source = Source::new(SourceId(0), path.clone(), text.clone());
    let (config, wrong) = config::parse(&source, &known());
    if wrong.is_empty() {
        return Ok(Settings { config, file: Some((path, text)) });
    }
    let list: Vec<Mistake> = wrong
        .iter()
        .map(|mistake| Mistake { at: mistake.at, text: &mistake.text, help: mistake.help.as_deref() })
        .collect();
    let shown = mistakes::render(&source, &list, Colour::Plain);
    let count = if list.len() == 1 { "a mistake".to_string() } else { format!("{} mistakes", list.len()) };
    Err(wrong_input(format!("{path} has {count}, so nothing was checked\n\n{}", shown.trim_end())))
}

/// `pinguard.toml` of the root, else a `pyproject.toml` that configures pinguard.
fn of_project(root: &Root) -> io::Result<Option<(String, String)>> {
    for name in ["pinguard.toml", "pyproject.toml"] {
        let path = root.folder.join(name);
        if !disk::exists(&path) {
            continue;
        }
        let text = match disk::read_named(&path) {
            // A manifest that is no text configures nothing; the walk reports it as a finding.
            Err(error) if name == "pyproject.toml" && error.kind() == io::ErrorKind::InvalidData => continue,
            text => text?,
        };
        if configures(name, &text) {
            return Ok(Some((name.to_string(), text)));
        }
    }
    Ok(None)
}

impl Settings {
    /// Puts the configuration among the sources, so that findings about it have a place.
    pub fn join(&mut self, sources: &mut Sources) {
        let Some((path, text)) = self.file.take() else { return };
        let id = sources.add(path, text);
        for ignore in &mut self.config.ignores {
            ignore.at.source = id;
        }
    }
}

/// Says which of the names given on the command line are neither a rule nor a group.
pub fn check_names(flag: &str, names: &[String]) -> io::Result<()> {
    let known = known();
    let is_known =
        |name: &String| known.contains(&name.as_str()) || Group::ALL.iter().any(|group| group.name() == name);
    match names.iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => {
            let words = known.iter().copied().chain(Group::ALL.map(Group::name));
            let near = config::nearest(name, words).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let name = name.escape_debug();
            Err(wrong_input(format!(
                "{flag}: no rule or group is named `{name}`{near} (`pinguard rules` prints them all)"
            )))
        }
    }
}

/// The day of `--now`.
pub fn date(text: &str) -> io::Result<Date> {
    let wrong = || wrong_input(format!("--now {}: expected a date like 2027-01-31", text.escape_debug()));
    text.parse().map_err(|_| wrong())
}

/// A mistake of the caller: exit code 2.
pub fn wrong_input(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

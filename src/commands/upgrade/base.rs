//! The project as it is at a commit: read from git's objects, never from the work tree.

use crate::check;
use crate::commands::gather::Files;
use crate::commands::settings::{self, Settings};
use crate::config::Config;
use crate::model::project::Project;
use crate::model::source::{Sources, join};
use crate::model::span::{Location, Span};
use crate::world::disk::{self, MAX_BYTES, SKIPPED_FOLDERS, Wanted};
use crate::world::git::{Entry, EntryKind, Scratch};
use git2::Oid;
use std::collections::BTreeMap;
use std::io;

/// A commit and what was read of it.
pub struct Base {
    /// The commit.
    pub commit: Oid,
    /// Everything in it.
    pub entries: Vec<Entry>,
    /// What its configuration says.
    pub config: Config,
    /// What was read.
    pub project: Project,
    /// Its texts, so that they can be read again with some of them changed.
    texts: Texts,
}

/// Texts by path, in the order in which they are read.
#[derive(Debug, Clone, Default)]
struct Texts {
    files: BTreeMap<String, (String, Option<String>)>,
    links: Vec<(String, String)>,
    /// The configuration's path and text.
    settings: Option<(String, String)>,
}

/// Reads a commit.
pub fn read(scratch: &Scratch, commit: Oid) -> io::Result<Base> {
    let entries = scratch.entries(commit).map_err(io::Error::other)?;
    let mut texts = Texts { settings: configuration(scratch, &entries)?, ..Texts::default() };
    let config = texts.config()?;
    let files = Files { config: &config };
    for entry in entries.iter().filter(|entry| is_read(&files, &entry.path)) {
        match entry.kind {
            EntryKind::Module => {}
            EntryKind::Link => {
                let target = scratch.content(entry.id).map_err(io::Error::other)?;
                let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = join(folder, &String::from_utf8_lossy(&target));
                texts.links.extend(target.map(|target| (entry.path.clone(), target)));
            }
            _ if scratch.size(entry.id) > MAX_BYTES => {}
            _ => {
                let bytes = scratch.content(entry.id).map_err(io::Error::other)?;
                texts.files.insert(entry.path.clone(), disk::text_of(bytes));
            }
        }
    }
    let project = texts.project(&config);
    Ok(Base { commit, entries, config, project, texts })
}

fn is_read(files: &Files<'_>, path: &str) -> bool {
    let installed = path.split('/').any(|part| SKIPPED_FOLDERS.contains(&part));
    !installed
        && files.wants(path)
        && !std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above))
            .any(|path| files.excludes(path))
}

fn configuration(scratch: &Scratch, entries: &[Entry]) -> io::Result<Option<(String, String)>> {
    for name in ["pinguard.toml", "pyproject.toml"] {
        let Some(entry) = entries.iter().find(|entry| entry.path == name) else { continue };
        let bytes = scratch.content(entry.id).map_err(io::Error::other)?;
        let (text, broken) = disk::text_of(bytes);
        if broken.is_none() && settings::configures(name, &text) {
            return Ok(Some((name.to_string(), text)));
        }
    }
    Ok(None)
}

impl Texts {
    fn config(&self) -> io::Result<Config> {
        let Some((path, text)) = self.settings.clone() else { return Ok(Config::default()) };
        Ok(settings::of_text(path, text)?.config)
    }

    fn project(&self, config: &Config) -> Project {
        let mut sources = Sources::default();
        let mut unreadable = Vec::new();
        for (path, (text, broken)) in &self.files {
            let id = sources.add(path.as_str(), text.as_str());
            if let Some(why) = broken {
                unreadable.push((Location::new(id, Span::empty(text.len())), why.clone()));
            }
        }
        for (path, target) in &self.links {
            if let Some(id) = sources.find(target).map(|source| source.id) {
                sources.alias(path.as_str(), id);
            }
        }
        if let Some((path, text)) = self.settings.clone()
            && let Ok(mut settings) = settings::of_text(path, text)
        {
            Settings::join(&mut settings, &mut sources);
        }
        check::read(sources, unreadable, config.policy.clone())
    }
}

impl Base {
    /// The project as it is with some files changed.
    pub fn with(&self, files: &BTreeMap<String, Vec<u8>>) -> Project {
        let mut texts = self.texts.clone();
        for (path, bytes) in files {
            texts.files.insert(path.clone(), disk::text_of(bytes.clone()));
        }
        texts.project(&self.config)
    }

    /// The content of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.files.get(path).map(|(text, _)| text.as_str())
    }
}

//! From paths to projects: roots, sources, facts. Shared by the commands that read a tree.

use super::settings::{self, Choice};
use crate::check;
use crate::config::Config;
use crate::formats::{self, Claim};
use crate::model::project::Project;
use crate::model::source::Sources;
use crate::world::disk::{self, Root, Wanted};
use std::io;
use std::path::{Path, PathBuf};

/// A root and its project.
pub struct Gathered {
    /// Where it is and which part of it was asked for.
    pub root: Root,
    /// What its configuration says.
    pub config: Config,
    /// What was read.
    pub project: Project,
}

/// Which files a configuration reads.
pub fn files(config: &Config) -> impl Wanted + '_ {
    Files { config }
}

/// The project of a revision, out of its texts.
pub fn revision(config: &Config, texts: Vec<(String, String)>) -> Project {
    let mut sources = Sources::default();
    for (path, text) in texts {
        sources.add(path, text);
    }
    check::read(sources, Vec::new(), config.policy.clone())
}

/// The files that some format reads and no configuration leaves out.
pub(super) struct Files<'c> {
    /// What leaves files out.
    pub(super) config: &'c Config,
}

impl Wanted for Files<'_> {
    fn wants(&self, path: &str) -> bool {
        !formats::is_foreign(path) && formats::claim(path) != Claim::No
    }

    fn excludes(&self, path: &str) -> bool {
        self.config.excludes(path)
    }

    fn misses(&self, path: &str, text: Option<&str>) -> bool {
        match text {
            Some(text) => formats::is_of_one(path, text),
            None => formats::is_told_by_name(path),
        }
    }
}

/// Reads the projects of `paths`, each with its configuration.
pub fn gather(paths: &[PathBuf], choice: Choice<'_>) -> io::Result<Vec<Gathered>> {
    disk::roots(paths)?.into_iter().map(|root| read(root, choice, None)).collect()
}

/// Reads the project around a file whose text comes from standard input.
pub fn gather_input(path: &Path, choice: Choice<'_>) -> io::Result<Vec<Gathered>> {
    let root = disk::root_of_given(path)?;
    let text = disk::read_input()?;
    read(root, choice, Some(text)).map(|gathered| vec![gathered])
}

fn read(root: Root, choice: Choice<'_>, given: Option<String>) -> io::Result<Gathered> {
    let mut settings = settings::load(&root, choice)?;
    let mut discovered = disk::discover(&root, &Files { config: &settings.config });
    if let (Some(text), Some(path)) = (given, root.scope.first()) {
        let id = discovered.sources.put(path.as_str(), text);
        discovered.unreadable.retain(|(at, _)| at.source != id);
    }
    settings.join(&mut discovered.sources);
    let policy = settings.config.policy.clone();
    let project = check::read(discovered.sources, discovered.unreadable, policy);
    Ok(Gathered { root, config: settings.config, project })
}

/// What stands before the paths of each root when there are several.
pub fn prefixes(gathered: &[Gathered]) -> Vec<String> {
    if gathered.len() < 2 {
        return vec![String::new(); gathered.len()];
    }
    let name = |gathered: &Gathered| gathered.root.folder.file_name().map(|name| name.to_string_lossy().into_owned());
    gathered.iter().map(|gathered| name(gathered).map_or_else(String::new, |name| name + "/")).collect()
}

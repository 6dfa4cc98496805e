//! What an index lists of a project, and the port through which the resolver asks. Knows no protocol.

use super::metadata::Metadata;
use super::requirement::Name;
use super::wheel::Wheel;
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

pub mod packed;

/// A file of a project.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Where it lies, without credentials.
    pub url: String,
    /// Its hashes as `sha256:…`.
    pub hashes: Vec<String>,
    /// The Pythons it runs on, as the index says.
    pub requires_python: Option<VersionSpecifiers>,
    /// When it was uploaded, in milliseconds since 1970.
    pub uploaded: Option<i64>,
    /// Why it was withdrawn, when it was; the reason can be empty.
    pub yanked: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Whether the index announces its metadata as a file of its own (PEP 658 and 714).
    pub announced: Announced,
    /// The index that lists it, as it is written in a lock (without credentials).
    pub index: Arc<str>,
    /// What kind of file it is.
    pub kind: Kind,
}

/// Whether metadata lies beside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// It does not, or nothing is said.
    No,
    /// It does; with its hash when that is said.
    Yes(Option<String>),
}

/// What kind of file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A wheel.
    Wheel(Box<Wheel>),
    /// A source distribution.
    Source,
}

/// A version.
#[derive(Debug)]
pub struct Release {
    /// The version.
    pub version: Version,
    /// When the first of its files was uploaded, in milliseconds since 1970. `None`: no file says.
    pub oldest: Option<i64>,
    unread: packed::Unread,
    files: OnceLock<Vec<Arc<File>>>,
}

impl Release {
    /// Its files, in the order of their names.
    pub fn files(&self) -> &[Arc<File>] {
        self.files.get_or_init(|| self.unread.read())
    }
}

/// What an index lists of a project.
#[derive(Debug)]
pub struct Listing {
    /// The project.
    pub name: Name,
    /// Its versions, oldest first.
    pub releases: Vec<Release>,
    /// Whether the index says that the project is quarantined, archived and the like (PEP 792), and why.
    pub status: Option<String>,
}

impl Listing {
    /// A version's files.
    pub fn release(&self, version: &Version) -> Option<&Release> {
        let at = self.releases.binary_search_by(|release| release.version.cmp(version)).ok()?;
        self.releases.get(at)
    }
}

/// The kind of a file by its name. `None`: nothing that can be installed.
pub fn kind_of(file: &str) -> Option<Kind> {
    if let Some(wheel) = Wheel::parse(file) {
        return Some(Kind::Wheel(Box::new(wheel)));
    }
    // PEP 625 knows `.tar.gz` alone; `.zip` is still met.
    (file.ends_with(".tar.gz") || file.ends_with(".zip")).then_some(Kind::Source)
}

/// The version in the name of a source distribution, whose project name may hold `-` itself.
pub fn source_version(project: &str, file: &str) -> Option<Version> {
    let stem = file.strip_suffix(".tar.gz").or(file.strip_suffix(".zip"))?;
    let mut dashes = stem.match_indices('-').map(|(at, _)| at);
    let split = dashes.rfind(|at| crate::ecosystems::pypi::normalize(&stem[..*at]) == project)?;
    Version::from_str(&stem[split + 1..]).ok()
}

/// Why something cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// No index has it.
    NotFound,
    /// It could be known only by building a source distribution, which is not done.
    NeedsBuild,
    /// Its metadata is wrong; how.
    Broken(String),
    /// The world failed; the text says what happened and what next. The resolution ends.
    Failed(String),
}

/// Chooses the file whose metadata will most likely be wanted.
pub type Guess = Box<dyn FnOnce(&Arc<Listing>) -> Option<Arc<File>> + Send>;

/// What the resolver asks the world. Calls block; hints do not.
pub trait Index: Send + Sync {
    /// What the first index that has the project lists of it.
    fn listing(&self, name: &Name) -> Result<Arc<Listing>, Absent>;
    /// The metadata of a listed file.
    fn metadata(&self, file: &Arc<File>) -> Result<Arc<Metadata>, Absent>;
    /// The metadata behind a URL, a version control URL or a path.
    fn direct(&self, name: &Name, url: &str) -> Result<Arc<Direct>, Absent>;
    /// The listing, if it is there already.
    fn ready(&self, name: &Name) -> Option<Arc<Listing>>;
    /// A hint: the listing, and then the metadata of a file of it, will be asked for.
    fn soon(&self, name: &Name, guess: Option<Guess>);
    /// A hint: the metadata of this file will be asked for.
    fn soon_metadata(&self, file: &Arc<File>);
}

/// What a URL leads to.
#[derive(Debug)]
pub struct Direct {
    /// Its metadata.
    pub metadata: Arc<Metadata>,
    /// The hash of the archive, when it is known.
    pub hashes: Vec<String>,
    /// The URL as a lock writes it: a version control URL with its commit.
    pub pinned: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_source_distributions_are_behind_the_name() {
        let version = |project, file| source_version(project, file).map(|version| version.to_string());
        assert_eq!(version("zope-interface", "zope.interface-5.0.tar.gz").as_deref(), Some("5.0"));
        assert_eq!(version("a-b", "a-b-1.0-1.zip").as_deref(), Some("1.0.post1"));
        assert_eq!(version("a", "a-b-1.0.tar.gz"), None);
        assert_eq!(version("a", "a-1.0.tar.bz2"), None);
    }
}

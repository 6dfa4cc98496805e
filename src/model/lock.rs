//! What a lock file holds: packages with their files, sources and needs, and what it says of its manifest. Knows no file format.

pub use super::artifact::{Artifact, ArtifactKind, Hash, Hashes, Piece};
use super::span::Location;

/// Which tool owns a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockTool {
    /// `uv.lock`, `script.py.lock`.
    Uv,
    /// `poetry.lock`.
    Poetry,
    /// `pdm.lock`.
    Pdm,
    /// `Pipfile.lock`.
    Pipenv,
    /// `pylock.toml` (PEP 751).
    Pylock,
    /// A compiled requirements file.
    Compiled,
    /// `conda-lock.yml`.
    CondaLock,
    /// `pixi.lock`.
    Pixi,
    /// `.github/workflows/actions.lock`.
    Actions,
}

impl LockTool {
    /// As its users write it.
    pub fn name(self) -> &'static str {
        match self {
            LockTool::Uv => "uv",
            LockTool::Poetry => "poetry",
            LockTool::Pdm => "pdm",
            LockTool::Pipenv => "pipenv",
            LockTool::Pylock => "pylock",
            LockTool::Compiled => "pip-compile",
            LockTool::CondaLock => "conda-lock",
            LockTool::Pixi => "pixi",
            LockTool::Actions => "gh-actions-lock",
        }
    }
}

/// How many artifacts of a package carry a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hashed {
    /// Every one.
    All,
    /// Some.
    Some,
    /// None.
    None,
    /// There is nothing to hash (a path, the project itself).
    NotApplicable,
}

/// A package as the lock holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Name (PEP 503 form; `owner/repo` for actions).
    pub name: String,
    /// Version, ref or commit; empty when the lock has none (a path).
    pub version: String,
    /// Whether its artifacts are hashed.
    pub hashed: Hashed,
    /// Where the entry stands: its name.
    pub at: Location,
    /// Where it comes from.
    pub from: Provenance,
    /// The place that says where it comes from; that of the entry when nothing says it.
    pub from_at: Location,
    /// Its files.
    pub artifacts: Vec<Artifact>,
    /// What it needs.
    pub edges: Vec<Edge>,
    /// When it is installed; empty: always.
    pub marker: String,
    /// The groups, categories or platforms that it is there for, where the lock records them.
    pub groups: Vec<String>,
    /// Where the lock says that the release was taken back.
    pub yanked: Option<Location>,
    /// Where a user name, password or token stands in one of its URLs.
    pub credentials: Option<Location>,
}

impl LockedPackage {
    /// A package of which nothing more is known than name, version and place.
    pub fn new(name: impl Into<String>, version: impl Into<String>, hashed: Hashed, at: Location) -> LockedPackage {
        LockedPackage {
            name: name.into(),
            version: version.into(),
            hashed,
            at,
            from: Provenance::default(),
            from_at: at,
            artifacts: Vec::new(),
            edges: Vec::new(),
            marker: String::new(),
            groups: Vec::new(),
            yanked: None,
            credentials: None,
        }
    }
}

/// Where a locked package comes from. URLs are without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// An index or channel; empty: the tool's default, or the lock does not say.
    Registry(String),
    /// Version control.
    Git(Box<GitSource>),
    /// One file behind a URL.
    Url(String),
    /// A file or folder of this machine or repository.
    Path(String),
}

/// A package in version control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSource {
    /// The repository.
    pub url: String,
    /// The commit that was resolved; empty when there is none.
    pub commit: String,
    /// What was asked for: a branch, a tag, a commit; empty when the lock does not say.
    pub asked: String,
}

impl Default for Provenance {
    fn default() -> Provenance {
        Provenance::Registry(String::new())
    }
}

impl Provenance {
    /// A package in version control: repository, resolved commit, and what was asked for.
    pub fn git(url: impl Into<String>, commit: impl Into<String>, asked: impl Into<String>) -> Provenance {
        Provenance::Git(Box::new(GitSource { url: url.into(), commit: commit.into(), asked: asked.into() }))
    }

    /// The address of the index, the repository or the file; none for a path.
    pub fn url(&self) -> Option<&str> {
        match self {
            Provenance::Registry(url) | Provenance::Url(url) => Some(url),
            Provenance::Git(source) => Some(&source.url),
            Provenance::Path(_) => None,
        }
    }

    /// The kind in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Provenance::Registry(_) => "an index",
            Provenance::Git(_) => "version control",
            Provenance::Url(_) => "a URL",
            Provenance::Path(_) => "a path",
        }
    }
}

/// A need of a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The name of what is needed.
    pub name: String,
    /// The version, where the lock says which one of several; empty otherwise.
    pub version: Box<str>,
    /// When; empty: always.
    pub marker: Box<str>,
    /// Extras asked for.
    pub extras: Box<[String]>,
    /// Whether only an extra or a group of the package needs it.
    pub optional: bool,
    /// Where it stands.
    pub at: Location,
}

/// Whether a lock describes its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Fresh,
    /// It does not, and why.
    Stale(Vec<Reason>),
    /// Cannot be told from the files, and why.
    Undecided(Vec<Reason>),
}

impl Verdict {
    /// The word of the output formats.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Fresh => "fresh",
            Verdict::Stale(_) => "stale",
            Verdict::Undecided(_) => "undecided",
        }
    }
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// In words.
    pub text: String,
    /// The place in the manifest that causes it.
    pub at: Option<Location>,
}

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Whose.
    pub tool: LockTool,
    /// The whole file.
    pub at: Location,
    /// The format version as written.
    pub format: String,
    /// Whether this format version is known, so that what it says can be trusted.
    pub known: bool,
    /// Its packages.
    pub packages: Vec<LockedPackage>,
    /// What it says about its manifest, in the owning tool's terms.
    pub statement: Statement,
    /// The indexes and channels that it names for itself: name (may be empty), URL without credentials, place.
    pub indexes: Vec<LockIndex>,
}

/// An index or channel that a lock names for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockIndex {
    /// Its name; empty when it has none.
    pub name: String,
    /// Its URL without credentials, or the name of a channel.
    pub url: String,
    /// Where it stands.
    pub at: Location,
    /// Whether the URL had credentials.
    pub credentials: bool,
}

/// What a lock says about the manifest that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Hash of the manifest's relevant content, as the tool computes it.
    pub content_hash: Option<String>,
    /// Version of the tool that wrote it.
    pub generator: Option<String>,
    /// `requires-python` as recorded.
    pub requires_python: Option<String>,
    /// Requirements as recorded, per recorded group (`` is the main one): normalised PEP 508 texts or the tool's own spelling.
    pub requires: Vec<(String, String)>,
    /// Members (uv workspaces): names.
    pub members: Vec<String>,
    /// The projects of this repository that the lock describes, with what it recorded of each.
    pub projects: Vec<StatedProject>,
    /// Lists of requirements that are no project's (`constraints`, `overrides`, `requirements`, `dependency-groups.NAME` of uv).
    pub lists: Vec<(String, Vec<StatedRequirement>)>,
    /// Further settings that the lock was made under, by their name in the lock, in the owning tool's spelling.
    pub settings: Vec<(String, String)>,
}

/// A project of this repository as a lock describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedProject {
    /// Its name (PEP 503 form).
    pub name: String,
    /// Its folder as seen from the lock's; `.` for the same one.
    pub path: String,
    /// How it is installed: `editable`, `virtual`, `directory`.
    pub link: String,
    /// Its version; `None` when it is dynamic.
    pub version: Option<String>,
    /// What it requires; requirements of extras have a marker that says so.
    pub requires: Vec<StatedRequirement>,
    /// Its extras, when the lock records them.
    pub extras: Option<Vec<String>>,
    /// Its groups.
    pub groups: Vec<(String, Vec<StatedRequirement>)>,
    /// The groups that are installed unless others are asked for, in the lock's spelling; `None` when it records none.
    pub defaults: Option<String>,
    /// Where its entry stands.
    pub at: Location,
}

/// A requirement in parts that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct StatedRequirement {
    /// PEP 503 form.
    pub name: String,
    /// Sorted.
    pub extras: Vec<String>,
    /// As written.
    pub specifier: String,
    /// As written; empty when there is none.
    pub marker: String,
    /// From where, when not from the default index: `index URL`, `git URL?rev=…`, `url URL`, `editable PATH`, `directory PATH` …
    pub source: String,
}

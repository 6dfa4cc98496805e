//! What a lock file holds: names, versions, hashes. Knows no file format.

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
    /// Where the entry stands.
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

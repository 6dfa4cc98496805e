//! What a project declares that it needs. Knows no file format.

use super::reference::ReferenceId;
use super::span::Location;
use super::text::Text;

/// Which kind of file declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ManifestKind {
    /// A pip requirements file that is installed.
    Requirements,
    /// An input of a lock (`.in`), or a `.txt` whose compiled sibling is installed.
    RequirementsInput,
    /// A constraints file.
    Constraints,
    /// `pyproject.toml`.
    Pyproject,
    /// `setup.cfg` or `setup.py`.
    Setup,
    /// `Pipfile`.
    Pipfile,
    /// A conda environment.
    CondaEnvironment,
    /// `pixi.toml`.
    Pixi,
    /// tox.
    Tox,
    /// nox.
    Nox,
    /// A script with inline metadata (PEP 723).
    InlineScript,
    /// A tool version file (`.python-version`, `.tool-versions`, `mise.toml`, `runtime.txt`).
    ToolVersions,
    /// Read the Docs.
    ReadTheDocs,
    /// pre-commit.
    PreCommit,
    /// pytest's own configuration.
    Pytest,
    /// A development container.
    DevContainer,
}

/// A group of requirements inside a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// What the product needs.
    Main,
    /// An extra.
    Extra(String),
    /// A dependency group (PEP 735, poetry, pdm, pipenv's `dev`), an environment of tox, nox or hatch.
    Named(String),
    /// What building needs.
    Build,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The reference.
    pub reference: ReferenceId,
    /// The group it is in.
    pub group: Group,
}

/// A file that a manifest pulls in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The path as written.
    pub path: Text,
    /// Whether it only constrains (`-c`).
    pub constraint: bool,
    /// The group that it goes into.
    pub group: Group,
}

/// A package index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name, when it has one.
    pub name: Option<String>,
    /// Its URL without credentials.
    pub url: String,
    /// Where it is written.
    pub at: Location,
    /// Whether it is asked beside the default one (`--extra-index-url`), so that a name could come from either.
    pub extra: bool,
    /// Whether only packages that name it come from it.
    pub explicit: bool,
}

/// The tool that wrote a compiled requirements file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// `pip-compile`, `uv pip compile`, or a custom command.
    pub by: String,
    /// The command line of the header, if it has one.
    pub command: Option<String>,
    /// Inputs named by the header.
    pub inputs: Vec<String>,
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its kind.
    pub kind: ManifestKind,
    /// The whole file.
    pub at: Location,
    /// The project's name (PEP 503 form) when it has one.
    pub name: Option<String>,
    /// Its requirements in order.
    pub entries: Vec<Entry>,
    /// Files that it pulls in.
    pub includes: Vec<Include>,
    /// Indexes that it names.
    pub indexes: Vec<Index>,
    /// `requires-python` or what stands for it.
    pub requires_python: Option<Text>,
    /// Python versions of classifiers, `env_list` and the like: `3.12`.
    pub python_versions: Vec<Text>,
    /// Who compiled it, when it was.
    pub compiled: Option<Compiled>,
    /// Whether every entry has a hash (`Some(false)`: none or not all), where the format can hold hashes.
    pub hashed: Option<bool>,
    /// The lock tools its sections belong to: `uv`, `poetry`, `pdm`, `hatch`, `pixi`.
    pub tools: Vec<String>,
    /// Settings of test tools that matter to rules: (`pytest.addopts`, text) and the like.
    pub settings: Vec<(String, Text)>,
    /// Names of tox, nox, hatch, just or make entries that run something locally.
    pub entry_points: Vec<String>,
}

impl Manifest {
    /// A manifest of `kind` that declares nothing yet.
    pub fn new(kind: ManifestKind, at: Location) -> Manifest {
        Manifest {
            kind,
            at,
            name: None,
            entries: Vec::new(),
            includes: Vec::new(),
            indexes: Vec::new(),
            requires_python: None,
            python_versions: Vec::new(),
            compiled: None,
            hashed: None,
            tools: Vec::new(),
            settings: Vec::new(),
            entry_points: Vec::new(),
        }
    }
}

//! What registries answered, per subject: plain data that a plan is made of. Knows neither how it was asked nor what follows.

use super::reference::Subject;
use super::span::{Location, SourceId};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is asked about: a subject at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    /// What.
    pub subject: Subject,
    /// Where, when it is not the usual place for such a name: a repository's URL, an index URL. Without credentials.
    pub place: Option<String>,
}

impl Topic {
    /// A subject at the usual place.
    pub fn usual(subject: Subject) -> Topic {
        Topic { subject, place: None }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Which kind.
    pub kind: MissKind,
    /// What happened and what next, on one line.
    pub text: String,
}

/// Kinds of missing answers. Only [`MissKind::Absent`] says something about the subject; the others are inconclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissKind {
    /// The registry answered that there is no such thing.
    Absent,
    /// The registry wants (other) credentials.
    Refused,
    /// No answer, or asked too often.
    Unreachable,
    /// The network was not to be used, and nothing was kept.
    Offline,
    /// The answer contradicts itself or the question.
    Lying,
    /// There is no registry to ask for this.
    Unsupported,
}

/// What a registry knows of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A package index.
    Index(IndexProject),
    /// A container registry.
    Registry(ImageRepository),
    /// A git host.
    Host(GitRefs),
    /// A list of versions and nothing else (npm, crates, Go modules, orbs, pipes, interpreters).
    Versions(Published),
}

/// The versions of a name, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// All of them.
    pub versions: Vec<PublishedVersion>,
    /// The one that the registry hands out when none is asked for, where it says so.
    pub usual: Option<String>,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedVersion {
    /// As the registry writes it.
    pub version: String,
    /// When it was published.
    pub released: Option<Timestamp>,
    /// Yanked or deprecated.
    pub withdrawn: bool,
}

/// A project of a package index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexProject {
    /// The index that answered, without credentials.
    pub index: String,
    /// Its releases, oldest version first where versions can be compared.
    pub releases: Vec<Release>,
    /// PEP 792: `active`, `archived`, `quarantined`, `deprecated`. `None`: the index says nothing.
    pub status: Option<ProjectStatus>,
    /// Published vulnerabilities. `None`: the index says nothing about any.
    pub vulnerabilities: Option<Vec<Vulnerability>>,
}

/// PEP 792.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectStatus {
    /// The word.
    pub status: String,
    /// The reason that its owners give.
    pub reason: Option<String>,
}

/// A known vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulnerability {
    /// `PYSEC-…`, `GHSA-…`.
    pub id: String,
    /// Other names of the same.
    pub aliases: Vec<String>,
    /// The version that the answer is about.
    pub version: String,
    /// Versions without it.
    pub fixed_in: Vec<String>,
    /// In words.
    pub summary: Option<String>,
}

/// One version of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// As the index writes it.
    pub version: String,
    /// When its first file was uploaded.
    pub uploaded: Option<Timestamp>,
    /// All of its files are yanked: the reason given, perhaps empty.
    pub yanked: Option<String>,
    /// The `requires-python` of its files; the widest when they differ.
    pub requires_python: Option<String>,
    /// Its files.
    pub files: Vec<ReleaseFile>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseFile {
    /// File name.
    pub name: String,
    /// Where it is, absolute and without credentials.
    pub url: String,
    /// Algorithm and hexadecimal digits, as the index publishes them.
    pub hashes: Vec<(String, String)>,
    /// When it was uploaded.
    pub uploaded: Option<Timestamp>,
    /// Yanked, and the reason given.
    pub yanked: Option<String>,
}

/// A repository of a container registry: its tags, and the manifests that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageRepository {
    /// Every tag name, as the registry lists them. `None`: it was not asked, or does not list them.
    pub tags: Option<Vec<String>>,
    /// The digest of each tag that was asked for: of the index where there is one. `None`: there is no such tag.
    pub digests: BTreeMap<String, Option<String>>,
    /// What each digest that was asked for stands for. `None`: it is gone.
    pub manifests: BTreeMap<String, Option<ImageManifest>>,
}

/// What stands behind a digest of a container registry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageManifest {
    /// Platforms (`linux/amd64`, `linux/arm64/v8`) and their own manifests' digests; empty for a single image. Attestations are left out.
    pub platforms: Vec<(String, String)>,
    /// When it was made, unless that is a constant of a reproducible build.
    pub created: Option<Timestamp>,
}

/// Names and commits of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitRefs {
    /// Tags; annotated ones point at the commit, not at the tag object.
    pub tags: Vec<GitRef>,
    /// Branches.
    pub branches: Vec<GitRef>,
    /// The commit of `HEAD`.
    pub head: Option<String>,
    /// The branch that `HEAD` names.
    pub default_branch: Option<String>,
}

/// A name and its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitRef {
    /// Without `refs/tags/` or `refs/heads/`.
    pub name: String,
    /// The commit.
    pub commit: String,
    /// The tag object itself, for annotated tags.
    pub object: Option<String>,
    /// The committer's date, where it was asked for.
    pub date: Option<Timestamp>,
}

impl GitRefs {
    /// The commit that a ref names as git would take it: a tag, else a branch, with or without `refs/…/`.
    pub fn commit_of(&self, name: &str) -> Option<&str> {
        let find = |list: &'_ [GitRef], name: &str| list.iter().position(|one| one.name == name);
        if name == "HEAD" {
            return self.head.as_deref();
        }
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            return find(&self.branches, branch).map(|at| self.branches[at].commit.as_str());
        }
        let tag = name.strip_prefix("refs/tags/").unwrap_or(name);
        find(&self.tags, tag)
            .map(|at| self.tags[at].commit.as_str())
            .or_else(|| find(&self.branches, name).map(|at| self.branches[at].commit.as_str()))
    }

    /// The tags that name a commit.
    pub fn tags_of<'r>(&'r self, commit: &'r str) -> impl Iterator<Item = &'r GitRef> {
        self.tags.iter().filter(move |tag| tag.commit == commit)
    }
}

/// A release of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClosedRelease {
    /// Its version.
    pub version: String,
    /// The hashes of its files (`sha256:…`), sorted.
    pub hashes: Vec<String>,
}

/// A requirements file resolved as a whole: for each name the releases that an installer of today takes, several where Pythons or
/// platforms differ; else why it has no closed set.
pub type Closed = Result<BTreeMap<String, Vec<ClosedRelease>>, String>;

/// Everything that was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Knowledge {
    by_topic: BTreeMap<Topic, Result<Known, Miss>>,
    closed: BTreeMap<SourceId, Closed>,
    together: BTreeMap<Location, Closed>,
}

impl Knowledge {
    /// Whether there is no answer at all.
    pub fn is_empty(&self) -> bool {
        self.by_topic.is_empty() && self.closed.is_empty()
    }

    /// Takes an answer; a later one about the same topic replaces the earlier.
    pub fn put(&mut self, topic: Topic, answer: Result<Known, Miss>) {
        self.by_topic.insert(topic, answer);
    }

    /// The answer about a topic; `None`: nobody asked.
    pub fn of(&self, topic: &Topic) -> Option<&Result<Known, Miss>> {
        self.by_topic.get(topic)
    }

    /// Takes the closed set of a file.
    pub fn put_closed(&mut self, source: SourceId, closed: Closed) {
        self.closed.insert(source, closed);
    }

    /// The closed set of a file; `None`: it was not resolved.
    pub fn closed(&self, source: SourceId) -> Option<&Closed> {
        self.closed.get(&source)
    }

    /// Takes the closed set of a command that names the reference at a place beside others.
    pub fn put_together(&mut self, place: Location, closed: Closed) {
        self.together.insert(place, closed);
    }

    /// The closed set of the command that names the reference at a place; `None`: it stands there alone.
    pub fn together(&self, place: Location) -> Option<&Closed> {
        self.together.get(&place)
    }

    /// The package index's answer.
    pub fn index(&self, topic: &Topic) -> Option<&IndexProject> {
        match self.of(topic) {
            Some(Ok(Known::Index(project))) => Some(project),
            _ => None,
        }
    }

    /// The container registry's answer.
    pub fn images(&self, topic: &Topic) -> Option<&ImageRepository> {
        match self.of(topic) {
            Some(Ok(Known::Registry(repository))) => Some(repository),
            _ => None,
        }
    }

    /// The git host's answer.
    pub fn refs(&self, topic: &Topic) -> Option<&GitRefs> {
        match self.of(topic) {
            Some(Ok(Known::Host(refs))) => Some(refs),
            _ => None,
        }
    }

    /// Every topic with its answer.
    pub fn iter(&self) -> impl Iterator<Item = (&Topic, &Result<Known, Miss>)> {
        self.by_topic.iter()
    }
}

//! What registries say of the pins of a project, when they were asked. Without answers every question here has none.

use super::knowledge::{GitRefs, ImageRepository, IndexProject, Knowledge, Release, Topic};
use super::lock::{Lock, LockTool, LockedPackage, Provenance};
use super::project::Project;
use super::reference::{Ecosystem, Origin, Reference, ReferenceId, Subject};
use super::span::{Location, SourceId};
use pep440_rs::Version;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Answers, and which of them belongs to which reference.
#[derive(Debug, Clone, Default)]
pub struct Online {
    /// What was answered.
    pub knowledge: Knowledge,
    /// What was asked for a reference.
    pub topics: BTreeMap<ReferenceId, Topic>,
}

/// Addresses of the index that everybody means by default.
const DEFAULT_INDEX: [&str; 3] = ["https://pypi.org/simple", "https://pypi.python.org/simple", "https://pypi.org"];

/// A Python release that a project holds by name and version.
#[derive(Debug, Clone)]
pub struct HeldRelease<'p> {
    /// Which project.
    pub name: &'p str,
    /// Which version.
    pub version: &'p str,
    /// Where it stands.
    pub at: Location,
    /// The files that are recorded: name (may be empty) and hash (`sha256:…`).
    pub files: Vec<(Cow<'p, str>, Cow<'p, str>)>,
    /// Whether the index is known to be the one that was asked.
    pub sure: bool,
}

impl HeldRelease<'_> {
    /// What is asked about it.
    pub fn topic(&self) -> Topic {
        Topic::usual(Subject { ecosystem: Ecosystem::Pypi, name: self.name.to_string() })
    }
}

impl Online {
    /// Whether nobody answered anything.
    pub fn is_silent(&self) -> bool {
        self.knowledge.is_empty()
    }
}

impl Project {
    /// Every Python release that a lock or an exact requirement holds and that comes from the default index.
    pub fn held_releases(&self) -> Vec<HeldRelease<'_>> {
        let other = self.manifests().any(|manifest| manifest.indexes.iter().any(|index| !is_default(&index.url)));
        // What says that it comes from another index was never a matter of this one.
        let elsewhere = |source: SourceId| {
            let facts = self.facts_of(source);
            let of_manifests = facts.manifests.iter().flat_map(|manifest| &manifest.indexes);
            let replaced =
                of_manifests.filter(|index| !index.extra && !index.explicit).any(|index| !is_default(&index.url));
            let mut of_locks = facts.locks.iter().flat_map(|lock| &lock.indexes).peekable();
            let named = of_locks.peek().is_some();
            replaced || named && of_locks.all(|index| !is_default(&index.url))
        };
        let python = |lock: &&Lock| !matches!(lock.tool, LockTool::CondaLock | LockTool::Pixi | LockTool::Actions);
        let mut list: Vec<HeldRelease<'_>> = Vec::new();
        for lock in self.lock_files().filter(python).filter(|lock| !elsewhere(lock.at.source)) {
            let others = other || lock.indexes.iter().any(|index| !is_default(&index.url));
            let text = &self.source(lock.at.source).text;
            list.extend(lock.packages.iter().filter_map(|package| of_lock(package, text, others)));
        }
        // What a compiled file requires, it also locks: once is enough.
        let locked: Vec<SourceId> = self.lock_files().map(|lock| lock.at.source).collect();
        let own = self.references().filter(|(id, _)| !locked.contains(&id.source) && !elsewhere(id.source));
        list.extend(own.filter_map(|(_, reference)| of_reference(reference, other)));
        list.retain(|held| !self.asleep(held.at.source));
        list
    }

    /// What a container registry said of a reference.
    pub fn image_answer(&self, id: ReferenceId) -> Option<&ImageRepository> {
        self.online.knowledge.images(self.online.topics.get(&id)?)
    }

    /// What a git host said of a reference.
    pub fn git_answer(&self, id: ReferenceId) -> Option<&GitRefs> {
        self.online.knowledge.refs(self.online.topics.get(&id)?)
    }

    /// What the index said of a project.
    pub fn index_answer(&self, held: &HeldRelease<'_>) -> Option<&IndexProject> {
        self.online.knowledge.index(&held.topic())
    }
}

fn is_default(url: &str) -> bool {
    let url = url.trim_end_matches('/');
    url.is_empty() || DEFAULT_INDEX.contains(&url)
}

/// Whether a file lies where the default index keeps its files, or the lock does not say where.
fn is_of_default(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or("");
    url.is_empty() || host.is_empty() || matches!(host, "files.pythonhosted.org" | "pypi.org" | "pypi.python.org")
}

fn of_lock<'p>(package: &'p LockedPackage, text: &'p str, others: bool) -> Option<HeldRelease<'p>> {
    let Provenance::Registry(url) = &package.from else { return None };
    if !is_default(url) || package.version.is_empty() || package.name.contains('/') {
        return None;
    }
    // A file from another place (a wheel built for one platform's own index) is not one that this index publishes.
    let own = package.artifacts.iter().filter(|artifact| is_of_default(artifact.url(text)));
    let files = own.flat_map(|artifact| artifact.hashes.iter().map(|hash| (artifact.file(text), hash.spelled(text))));
    let sure = !url.is_empty() || !others;
    let (name, version) = (package.name.as_str(), package.version.as_str());
    Some(HeldRelease { name, version, at: package.at, files: files.collect(), sure })
}

fn of_reference(reference: &Reference, others: bool) -> Option<HeldRelease<'_>> {
    if reference.subject.ecosystem != Ecosystem::Pypi || reference.origin != Origin::Registry {
        return None;
    }
    let written = reference.pin.version.as_deref()?.trim();
    let version = written.strip_prefix("===").or_else(|| written.strip_prefix("==")).unwrap_or(written).trim();
    let exact = Version::from_str(version).is_ok() && (version.len() < written.len() || is_bare(reference));
    let files = reference.pin.digests.iter().map(|hash| (Cow::Borrowed(""), Cow::Borrowed(hash.as_str()))).collect();
    let name = reference.subject.name.as_str();
    exact.then_some(HeldRelease { name, version, at: reference.site.whole, files, sure: !others })
}

/// `uvx ruff@0.6.0`: the version stands alone.
fn is_bare(reference: &Reference) -> bool {
    reference.site.version.is_some_and(|slot| slot.lead == "@")
}

impl IndexProject {
    /// The release of a version, however its zeros are written.
    pub fn release(&self, version: &str) -> Option<&Release> {
        let wanted = Version::from_str(version).ok();
        let same = |release: &&Release| {
            release.version == version || wanted.is_some() && Version::from_str(&release.version).ok() == wanted
        };
        self.releases.iter().find(same)
    }
}

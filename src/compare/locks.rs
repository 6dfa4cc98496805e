//! What moved in lock files: versions, sources, and bytes under the same version. Knows no format.

use super::motion;
use crate::model::lock::{Lock, LockTool, LockedPackage, Provenance};
use crate::model::locked::host;
use crate::model::moves::{Motion, Move, Place};
use crate::model::project::Project;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows of every lock of both sides.
pub fn moves(base: &Project, head: &Project) -> Vec<Move> {
    let (old, new) = (by_path(base), by_path(head));
    let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut rows = Vec::new();
    for path in paths {
        let empty = BTreeMap::new();
        let before = old.get(path).map_or_else(|| empty.clone(), |lock| names(lock));
        let after = new.get(path).map_or(empty, |lock| names(lock));
        let every: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in every {
            let (was, is) = (before.get(name).cloned(), after.get(name).cloned());
            let was = Side { packages: was.unwrap_or_default(), text: text(base, old.get(path)) };
            let is = Side { packages: is.unwrap_or_default(), text: text(head, new.get(path)) };
            one(path, name, &was, &is, &mut rows);
        }
    }
    rows
}

fn text<'p>(project: &'p Project, lock: Option<&&Lock>) -> &'p str {
    lock.map_or("", |lock| project.source(lock.at.source).text.as_str())
}

fn by_path(project: &Project) -> BTreeMap<&str, &Lock> {
    project.lock_files().map(|lock| (project.path(lock.at), lock)).collect()
}

/// Packages by name. The project itself and its neighbours are no pins.
fn names(lock: &Lock) -> BTreeMap<&str, Vec<&LockedPackage>> {
    let mut names: BTreeMap<&str, Vec<&LockedPackage>> = BTreeMap::new();
    let fetched =
        |package: &&LockedPackage| !matches!(package.from, Provenance::Path(_)) || lock.tool == LockTool::Pipenv;
    for package in lock.packages.iter().filter(fetched) {
        names.entry(&package.name).or_default().push(package);
    }
    names
}

/// The packages of one name at one side, and the text of their lock.
struct Side<'p> {
    packages: Vec<&'p LockedPackage>,
    text: &'p str,
}

impl<'p> Side<'p> {
    /// Only those of a version.
    fn of(&self, version: &str) -> Side<'p> {
        let same = self.packages.iter().filter(|package| package.version == version);
        Side { packages: same.copied().collect(), text: self.text }
    }
}

fn one(path: &str, name: &str, before: &Side, after: &Side, rows: &mut Vec<Move>) {
    let row = |motion: Motion, from: Option<&str>, to: Option<&str>, note: String| {
        let pinned = !matches!(motion, Motion::Added | Motion::Removed);
        let text = |version: Option<&str>| version.map(str::to_string);
        Move {
            path: path.to_string(),
            place: Place::Lock,
            motion,
            name: name.to_string(),
            from: text(from),
            to: text(to),
            note,
            pinned,
        }
    };
    let versions =
        |list: &[&LockedPackage]| -> BTreeSet<String> { list.iter().map(|package| package.version.clone()).collect() };
    let (old, new) = (versions(&before.packages), versions(&after.packages));
    let gone: Vec<&String> = old.difference(&new).collect();
    let come: Vec<&String> = new.difference(&old).collect();
    match (gone.as_slice(), come.as_slice()) {
        ([from], [to]) => {
            let of = |list: &[&LockedPackage], version: &str| {
                list.iter().find(|package| package.version == version).map(|p| p.from.clone())
            };
            let (was, is) = (of(&before.packages, from), of(&after.packages, to));
            let note = match (&was, &is) {
                (Some(was), Some(is)) if was.kind() != is.kind() => format!("from {} to {}", was.kind(), is.kind()),
                _ => String::new(),
            };
            rows.push(row(motion(from, to), Some(from), Some(to), note));
        }
        (gone, come) => {
            rows.extend(gone.iter().map(|from| row(Motion::Removed, Some(from), None, String::new())));
            rows.extend(come.iter().map(|to| row(Motion::Added, None, Some(to), String::new())));
        }
    }
    for version in old.intersection(&new) {
        let (was, is) = (before.of(version), after.of(version));
        if let Some(note) = source_change(&was, &is) {
            rows.push(row(Motion::SourceChanged, Some(version), Some(version), note));
        } else if let Some(note) = hash_change(&was, &is) {
            rows.push(row(Motion::HashChanged, Some(version), Some(version), note));
        }
    }
}

/// Where the same version comes from now, when that is elsewhere.
fn source_change(was: &Side, is: &Side) -> Option<String> {
    let places =
        |side: &Side| -> BTreeSet<String> { side.packages.iter().map(|package| place(&package.from)).collect() };
    let (old, new) = (places(was), places(is));
    let open = |set: &BTreeSet<String>| set.iter().all(String::is_empty);
    if old != new && !open(&old) && !open(&new) || old != new && (kinds(was) != kinds(is)) {
        let joined = |set: BTreeSet<String>| {
            set.into_iter()
                .map(|place| if place.is_empty() { "the default index".to_string() } else { place })
                .collect::<Vec<_>>()
                .join(", ")
        };
        return Some(format!("from {} to {}", joined(old), joined(new)));
    }
    let hosts = |side: &Side| -> BTreeSet<String> {
        let files = side.packages.iter().flat_map(|package| &package.artifacts);
        files.map(|artifact| host(artifact.url(side.text))).filter(|host| !host.is_empty()).collect()
    };
    let (old, new) = (hosts(was), hosts(is));
    let foreign: Vec<&String> = new.difference(&old).collect();
    (!old.is_empty() && !foreign.is_empty()).then(|| format!("files now at {}", foreign[0]))
}

fn kinds(side: &Side) -> BTreeSet<&'static str> {
    side.packages.iter().map(|package| package.from.kind()).collect()
}

fn place(from: &Provenance) -> String {
    match from {
        Provenance::Registry(url) => url.trim_end_matches('/').to_string(),
        Provenance::Git(source) => format!("{}@{}", source.url, source.commit),
        Provenance::Url(url) => url.clone(),
        Provenance::Path(path) => format!("path {path}"),
    }
}

/// What is new about the bytes of the same version. Files that an index offers in addition are no change of those that were there.
fn hash_change(was: &Side, is: &Side) -> Option<String> {
    let files = |side: &Side| -> HashMap<String, BTreeSet<String>> {
        let mut files: HashMap<String, BTreeSet<String>> = HashMap::new();
        for artifact in side.packages.iter().flat_map(|package| &package.artifacts) {
            let hashes = artifact.hashes.iter().map(|hash| hash.spelled(side.text).into_owned());
            files.entry(artifact.file(side.text).into_owned()).or_default().extend(hashes);
        }
        files
    };
    let (old, new) = (files(was), files(is));
    let had = old.values().any(|hashes| !hashes.is_empty());
    if had && new.values().all(BTreeSet::is_empty) {
        return Some("its hashes are gone".to_string());
    }
    let mut changed: Vec<&String> = old
        .iter()
        .filter(|(file, hashes)| {
            let Some(now) = new.get(*file) else { return false };
            match file.is_empty() {
                // Without names of files it is a set: what is exchanged, not what is added or left out.
                true => hashes.difference(now).next().is_some() && now.difference(hashes).next().is_some(),
                false => !hashes.is_empty() && hashes.is_disjoint(now),
            }
        })
        .map(|(file, _)| file)
        .collect();
    changed.sort();
    let first = changed.first()?;
    Some(if first.is_empty() {
        "other hashes under the same version".to_string()
    } else {
        format!("other bytes in {first}")
    })
}

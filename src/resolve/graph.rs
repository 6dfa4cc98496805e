//! From solved parts to one closed set: where each version is needed, by whom, with which extras and hashes.

use super::choose::Chooser;
use super::listing::{File, Index};
use super::marker::Marker;
use super::requirement::{Name, Origin, Requirement};
use super::solve::{Part, Picked};
use super::{Pin, Solution};
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A resolved project in one version.
#[derive(Debug, Clone)]
pub struct Package {
    /// The project.
    pub name: Name,
    /// The version.
    pub version: Version,
    /// Extras that were asked for.
    pub extras: Vec<Name>,
    /// Where it is needed.
    pub marker: Marker,
    /// Hashes of its files.
    pub hashes: Vec<String>,
    /// Projects that need it.
    pub needed_by: BTreeSet<Name>,
    /// Inputs that ask for it, in the words of annotations, sorted as they are written.
    pub asked_by: BTreeSet<Via>,
    /// The files of the version that exist for this resolution; none for a URL.
    pub files: Vec<Arc<File>>,
    /// The one of them that spoke for the version.
    pub file: Option<Arc<File>>,
    /// The URL, when it is not from an index: as it is asked for, and as a lock writes it.
    pub direct: Option<(Arc<str>, String)>,
    /// When its first file was uploaded, in milliseconds since 1970.
    pub uploaded: Option<i64>,
    /// Why it was withdrawn, when it was.
    pub yanked: Option<String>,
    /// The index it is from.
    pub index: Option<Arc<str>>,
    /// What it needs, among the resolved: project, version and where.
    pub needs: Vec<(Name, Version, Marker)>,
    /// The Pythons it runs on, as its index says.
    pub requires_python: Option<String>,
}

/// Who asks in the inputs; constraints and overrides sort before requirements, as uv has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// A constraint.
    Constraint(Arc<Origin>),
    /// An override.
    Override(Arc<Origin>),
    /// A requirement.
    Requirement(Arc<Origin>),
}

impl Via {
    /// As annotations write it.
    pub fn text(&self) -> String {
        match self {
            Via::Requirement(origin) => origin.shown.clone(),
            Via::Constraint(origin) => format!("-c {}", origin.file),
            Via::Override(origin) => format!("--override {}", origin.file),
        }
    }
}

type Key = (Name, Option<Name>, Version);

/// Nodes and edges of all parts together. Node 0 is the inputs.
struct Graph {
    keys: Vec<Option<Key>>,
    edges: HashMap<(usize, usize), Marker>,
}

impl Graph {
    fn of(parts: &[Part]) -> Graph {
        let mut at: HashMap<Key, usize> = HashMap::new();
        let mut keys = vec![None];
        for picked in parts.iter().flat_map(|part| &part.picked) {
            let key = (picked.name.clone(), picked.extra.clone(), picked.version.clone());
            at.entry(key.clone()).or_insert_with(|| {
                keys.push(Some(key));
                keys.len() - 1
            });
        }
        let mut edges: HashMap<(usize, usize), Marker> = HashMap::new();
        for part in parts {
            for edge in &part.edges {
                let from = edge.from.as_ref().map_or(Some(0), |from| at.get(from).copied());
                let (Some(from), Some(&to)) = (from, at.get(&edge.to)) else { continue };
                let marker = edge.marker.and(&part.marker);
                edges.entry((from, to)).and_modify(|known| *known = known.or(&marker)).or_insert(marker);
            }
        }
        Graph { keys, edges }
    }

    /// Where each node is needed: over all ways from the inputs.
    fn reach(&self, all: &Marker) -> Vec<Marker> {
        let mut out: HashMap<usize, Vec<(usize, &Marker)>> = HashMap::new();
        for ((from, to), marker) in &self.edges {
            out.entry(*from).or_default().push((*to, marker));
        }
        let mut reach = vec![Marker::never(); self.keys.len()];
        reach[0] = all.clone();
        let mut waiting = vec![0];
        while let Some(from) = waiting.pop() {
            let here = reach[from].clone();
            for (to, marker) in out.get(&from).into_iter().flatten() {
                let there = here.and(marker).or(&reach[*to]);
                if there != reach[*to] {
                    reach[*to] = there;
                    waiting.push(*to);
                }
            }
        }
        reach
    }
}

/// What the output is made of.
pub struct Sources<'a> {
    /// The index.
    pub index: &'a dyn Index,
    /// Chooses versions and knows the cutoff.
    pub chooser: &'a Arc<Chooser>,
    /// The inputs, then constraints, then overrides.
    pub inputs: [&'a [Requirement]; 3],
    /// Earlier pins, whose hashes stay.
    pub earlier: &'a [Pin],
    /// Whether a requirement counts here.
    pub counts: &'a dyn Fn(&Requirement) -> bool,
}

/// Joins parts to a solution.
pub fn join(parts: &[Part], python: super::bounds::PythonRange, sources: &Sources) -> Solution {
    let graph = Graph::of(parts);
    let all = match parts {
        [one] => one.marker.clone(),
        parts => parts.iter().fold(Marker::never(), |all, part| all.or(&part.marker)),
    };
    let reach = graph.reach(&all);
    let mut packages: BTreeMap<(Name, Version), Package> = BTreeMap::new();
    let picked: HashMap<(Name, Version), &Picked> =
        parts.iter().flat_map(|part| &part.picked).map(|one| ((one.name.clone(), one.version.clone()), one)).collect();
    let mut with_extras: Vec<(Name, Version, Option<Name>, Marker)> = Vec::new();
    for (key, marker) in graph.keys.iter().zip(&reach) {
        let Some((name, extra, version)) = key else { continue };
        if marker.is_never() {
            continue;
        }
        with_extras.push((name.clone(), version.clone(), extra.clone(), marker.clone()));
        let id = (name.clone(), version.clone());
        let entry = packages.entry(id.clone()).or_insert_with(|| package(&id, picked.get(&id).copied(), sources));
        entry.marker = entry.marker.or(marker);
        entry.extras.extend(extra.clone());
    }
    for ((from, to), marker) in &graph.edges {
        let (Some(Some(to_key)), from_key) = (graph.keys.get(*to), graph.keys.get(*from)) else { continue };
        let to_id = (to_key.0.clone(), to_key.2.clone());
        if reach[*from].is_never() || reach[*to].is_never() {
            continue;
        }
        if let Some(Some(from_key)) = from_key {
            if let Some(package) = packages.get_mut(&to_id) {
                package.needed_by.insert(from_key.0.clone());
            }
            if let Some(package) = packages.get_mut(&(from_key.0.clone(), from_key.2.clone()))
                && to_key.1.is_none()
            {
                package.needs.push((to_id.0, to_id.1, marker.clone()));
            }
        }
    }
    let mut packages: Vec<Package> = packages.into_values().collect();
    for package in &mut packages {
        package.extras.sort();
        package.extras.dedup();
        package.needs.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        package.asked_by = asked_by(&package.name, sources);
    }
    let forks = if parts.len() > 1 { parts.iter().map(|part| part.marker.clone()).collect() } else { Vec::new() };
    Solution { packages, python, forks, with_extras }
}

fn asked_by(name: &Name, sources: &Sources) -> BTreeSet<Via> {
    let wrap: [fn(Arc<Origin>) -> Via; 3] = [Via::Requirement, Via::Constraint, Via::Override];
    let mut seen: HashSet<(usize, String)> = HashSet::new();
    let mut out = BTreeSet::new();
    for (kind, list) in sources.inputs.iter().enumerate() {
        for one in list.iter().filter(|one| one.name == *name && (sources.counts)(one)) {
            let Some(origin) = &one.origin else { continue };
            let via = wrap[kind](origin.clone());
            if seen.insert((kind, via.text())) {
                out.insert(via);
            }
        }
    }
    out
}

fn package(id: &(Name, Version), picked: Option<&Picked>, sources: &Sources) -> Package {
    let (name, version) = id;
    let mut package = Package {
        name: name.clone(),
        version: version.clone(),
        extras: Vec::new(),
        marker: Marker::never(),
        hashes: Vec::new(),
        needed_by: BTreeSet::new(),
        asked_by: BTreeSet::new(),
        files: Vec::new(),
        file: None,
        direct: None,
        uploaded: None,
        yanked: None,
        index: None,
        needs: Vec::new(),
        requires_python: None,
    };
    if let Some(url) = picked.and_then(|picked| picked.direct.clone()) {
        if let Ok(direct) = sources.index.direct(name, &url) {
            package.hashes = direct.hashes.clone();
            package.direct = Some((url, direct.pinned.clone()));
        }
    } else if let Ok(listing) = sources.index.listing(name)
        && let Some(release) = listing.release(version)
    {
        let present = release.files().iter().filter(|file| !sources.chooser.is_too_new(name, file));
        package.files = present.cloned().collect();
        package.hashes = sources.chooser.hashes(name, release);
        package.uploaded = package.files.iter().filter_map(|file| file.uploaded).min();
        if package.files.iter().all(|file| file.yanked.is_some()) {
            package.yanked = package.files.iter().find_map(|file| file.yanked.clone());
        }
        let file = picked.and_then(|picked| picked.file.as_ref());
        package.file = file.map(|file| file.0.clone());
        package.index = file.map(|file| file.0.index.clone());
        package.requires_python = file.and_then(|file| file.0.requires_python.as_ref().map(ToString::to_string));
    }
    // Hashes that were there for the same version stay: files that came later are no business of this change.
    let known =
        sources.earlier.iter().find(|pin| pin.name == *name && pin.version == *version && !pin.hashes.is_empty());
    if let Some(pin) = known {
        package.hashes = pin.hashes.clone();
        package.hashes.sort();
    }
    package
}

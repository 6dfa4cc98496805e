//! Whether a lock holds all that its packages need, as far as this or another lock of the repository tells. Has no opinion on the answer.

use super::lock::{Edge, Lock, LockTool, LockedPackage};
use super::manifest::ManifestKind;
use super::project::Project;
use super::reference::Origin;
use foldhash::{HashMap, HashMapExt, HashSet};

/// Names that pip-compile leaves out unless it is told otherwise.
const UNSAFE: [&str; 3] = ["pip", "setuptools", "distribute"];

/// Options of compilers and exporters after which a file does not hold everything.
const PARTIAL: [&str; 6] = ["--no-deps", "--no-emit", "--prune", "--unsafe-package", "--only-emit", "build-deps"];

/// Commands whose output holds all that their inputs need. A wrapper of a project may take some of it out.
const WHOLE: [&str; 8] = [
    "pip-compile",
    "pip compile",
    "piptools compile",
    "pip-tools compile",
    "pinguard lock",
    "uv export",
    "poetry export",
    "pdm export",
];

impl Lock {
    /// Needs of its packages that it has no entry for. What only some environments need counts where the format writes no conditions
    /// that it has not resolved.
    ///
    /// `own` are names of the project itself, to which packages for its development may come back (see [`Project::own_names`]).
    pub fn dangling(&self, own: &[&str]) -> Vec<(&LockedPackage, &Edge)> {
        // The needs of a compiled file are made of its entries.
        if self.tool == LockTool::Compiled {
            return Vec::new();
        }
        let names: HashSet<String> = self.packages.iter().map(|package| plain(self.tool, &package.name)).collect();
        let conda = matches!(self.tool, LockTool::CondaLock | LockTool::Pixi);
        let python = |package: &&LockedPackage| package.groups.iter().any(|group| group == "pypi");
        let packages = self.packages.iter().filter(|package| !(conda && python(package)));
        let edges = packages.flat_map(|package| package.edges.iter().map(move |edge| (package, edge)));
        let resolved = matches!(self.tool, LockTool::Uv | LockTool::Pylock | LockTool::Actions);
        let counts = |edge: &Edge| {
            let system = conda && (edge.name.starts_with('-') || edge.name.starts_with('_'));
            let certain = resolved || !edge.optional && edge.marker.is_empty();
            certain && !system && !edge.name.is_empty()
        };
        let absent = |edge: &Edge| !names.contains(&edge.name) && !own.contains(&edge.name.as_str());
        edges.filter(|(_, edge)| counts(edge) && absent(edge)).collect()
    }
}

/// Conda's names have `_` and `.`; needs are read with `-` for both.
fn plain(tool: LockTool, name: &str) -> String {
    if matches!(tool, LockTool::CondaLock | LockTool::Pixi) { name.replace(['_', '.'], "-") } else { name.to_string() }
}

impl Project {
    /// Names under which packages of a lock may need the project that the lock is of. poetry and pdm give the project no entry; uv does.
    pub fn own_names(&self, lock: &Lock) -> Vec<&str> {
        if !matches!(lock.tool, LockTool::Poetry | LockTool::Pdm) {
            return Vec::new();
        }
        let folder = self.source(lock.at.source).folder();
        let beside = self.manifests().filter(|manifest| self.source(manifest.at.source).folder() == folder);
        beside.filter_map(|manifest| manifest.name.as_deref()).collect()
    }

    /// Needs that another lock of the repository records for the very versions that this one holds, and that this one leaves out.
    ///
    /// Only for compiled files and pylocks, which record no needs themselves.
    pub fn open_needs<'l>(&self, lock: &'l Lock) -> Vec<(String, &'l LockedPackage)> {
        if !self.is_whole_by_intent(lock) {
            return Vec::new();
        }
        let known = self.known_needs(lock);
        let held: HashSet<&str> = lock.packages.iter().map(|package| package.name.as_str()).collect();
        let mut open = Vec::new();
        for package in lock.packages.iter().filter(|package| package.marker.is_empty()) {
            let needs = known.get(&(package.name.as_str(), package.version.as_str()));
            for need in needs.into_iter().flatten() {
                let absent = !held.contains(need) && !UNSAFE.contains(need) && !self.writes(lock, need);
                if absent && !open.iter().any(|(old, _): &(String, _)| old == need) {
                    open.push((need.to_string(), package));
                }
            }
        }
        open
    }

    /// Names behind `# via` that a compiled file does not hold: they asked for what is there, so they were there.
    pub fn absent_parents<'p>(&'p self, lock: &'p Lock) -> Vec<(&'p str, &'p LockedPackage)> {
        // Without the compiler's head the file was worked on by something else, which may have moved lines out of it.
        if lock.tool != LockTool::Compiled
            || !WHOLE.iter().any(|known| self.command(lock).contains(known))
            || !self.is_whole_by_intent(lock)
        {
            return Vec::new();
        }
        let held: HashSet<&str> = lock.packages.iter().map(|package| package.name.as_str()).collect();
        let own: HashSet<&str> = self.manifests().filter_map(|manifest| manifest.name.as_deref()).collect();
        let pairs =
            lock.packages.iter().flat_map(|package| package.groups.iter().map(move |via| (via.as_str(), package)));
        pairs
            .filter(|(via, _)| is_package(via))
            .filter(|(via, _)| {
                let name = via.split('[').next().unwrap_or(via).to_ascii_lowercase().replace(['_', '.'], "-");
                let name = name.as_str();
                !held.contains(name) && !own.contains(name) && !UNSAFE.contains(&name) && !self.writes(lock, name)
            })
            .collect()
    }

    /// Whether a lock is one that is meant to hold everything: not told to leave something out, and including no other file.
    fn is_whole_by_intent(&self, lock: &Lock) -> bool {
        let manifests = &self.facts_of(lock.at.source).manifests;
        let command = self.command(lock);
        let unknown = !command.is_empty() && !WHOLE.iter().any(|known| command.contains(known));
        let partial = unknown || PARTIAL.iter().any(|option| command.contains(option));
        let includes = manifests.iter().any(|manifest| !manifest.includes.is_empty());
        let limits = manifests.iter().any(|manifest| manifest.kind == ManifestKind::Constraints);
        matches!(lock.tool, LockTool::Compiled | LockTool::Pylock) && !partial && !includes && !limits
    }

    /// The command that wrote a lock, as its head tells; empty when it does not.
    fn command<'p>(&'p self, lock: &'p Lock) -> &'p str {
        let manifests = &self.facts_of(lock.at.source).manifests;
        let of_file = manifests.iter().find_map(|manifest| manifest.compiled.as_ref()?.command.as_deref());
        let settings = lock.statement.settings.iter().find(|(key, _)| key == "command");
        of_file.or(settings.map(|(_, command)| command.as_str())).unwrap_or("")
    }

    /// Whether the file of a lock has a line for a name in another way than as a locked package.
    fn writes(&self, lock: &Lock, name: &str) -> bool {
        self.facts_of(lock.at.source).references.iter().any(|reference| {
            reference.subject.name == name || matches!(&reference.origin, Origin::Path(path) if path.ends_with(name))
        })
    }

    /// What the packages of a lock need in every environment, by name and version, as the other locks of the repository record it.
    fn known_needs<'p>(&'p self, lock: &'p Lock) -> HashMap<(&'p str, &'p str), Vec<&'p str>> {
        let mut known: HashMap<(&str, &str), Vec<&str>> = HashMap::with_capacity(lock.packages.len());
        known.extend(
            lock.packages.iter().map(|package| ((package.name.as_str(), package.version.as_str()), Vec::new())),
        );
        let tells = |other: &&Lock| {
            let records = matches!(other.tool, LockTool::Uv | LockTool::Poetry | LockTool::Pdm);
            // uv leaves out conditions that its range of Pythons decides; one with an upper end may decide them otherwise.
            let open =
                other.tool != LockTool::Uv || other.statement.requires_python.as_deref().is_some_and(is_lower_bound);
            records && open && other.known && other.at.source != lock.at.source
        };
        for package in self.lock_files().filter(tells).flat_map(|other| &other.packages) {
            let Some(needs) = known.get_mut(&(package.name.as_str(), package.version.as_str())) else { continue };
            let certain = package.edges.iter().filter(|edge| !edge.optional && edge.marker.is_empty());
            needs.extend(certain.map(|edge| edge.name.as_str()));
        }
        known
    }
}

/// Whether a range of Pythons has one end only: `>=3.10`.
fn is_lower_bound(range: &str) -> bool {
    range.starts_with(">=") && !range.contains(['<', ',', '!']) && !range.contains("==")
}

/// Whether a note is the name of a package, and no file, option or remark.
fn is_package(via: &str) -> bool {
    let ends = [".in", ".txt", ".toml", ".cfg", ".py"];
    let plain = via.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-[],".contains(&c));
    plain && via.starts_with(|c: char| c.is_ascii_alphanumeric()) && !ends.iter().any(|end| via.ends_with(end))
}

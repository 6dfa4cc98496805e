//! Whether a lock holds all that it must by its own word: a file that was cut off, or of which a part was taken out, says less than it should.
//!
//! Every package of a lock is there because a manifest or another package asks for it. So a missing one leaves a need without an entry,
//! unless what asks for it is missing too, and so on up to the manifest, which is whole. What is left are formats that record no needs.

use super::marker::{Marker, of_python};
use super::{Packages, by_name, manifests};
use crate::ecosystems::pypi;
use crate::model::lock::{Edge, Hashed, Lock, LockTool, LockedPackage, Provenance, Reason, Verdict};
use crate::model::manifest::Group;
use crate::model::project::{LockState, Project};
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use std::collections::HashSet;

/// A lock that lacks something is not fresh, whatever it records of its manifest.
pub fn check(project: &Project, lock: &Lock, state: &mut LockState) {
    if state.verdict != Verdict::Fresh {
        return;
    }
    let packages = by_name(lock);
    let found = half_written(lock)
        .or_else(|| missing_need(project, lock, &packages))
        .or_else(|| missing_requirement(project, lock, &packages))
        .or_else(|| missing_by_record(lock, &packages))
        .or_else(|| missing_parent(project, lock));
    if let Some(reason) = found {
        state.verdict = Verdict::Stale(vec![reason]);
    }
}

/// The last entry of a file that was cut off inside of it: no file, or no hash where the others have one.
fn half_written(lock: &Lock) -> Option<Reason> {
    let last = lock.packages.iter().max_by_key(|package| package.at.span.start)?;
    let registry = matches!(last.from, Provenance::Registry(_));
    let fetched = |package: &&LockedPackage| !matches!(package.from, Provenance::Path(_));
    let others = || lock.packages.iter().filter(|package| package.at != last.at).filter(fetched);
    let hashed = || others().any(|_| true) && others().all(|package| package.hashed != Hashed::None);
    let bare = match lock.tool {
        LockTool::Uv | LockTool::Pdm | LockTool::Pylock => registry && last.artifacts.is_empty(),
        // Some indexes give no hashes: then others have none either.
        LockTool::CondaLock | LockTool::Pixi => last.hashed == Hashed::None && hashed(),
        LockTool::Actions => last.hashed == Hashed::None,
        LockTool::Compiled => registry && last.hashed == Hashed::None && hashed() || unexplained(lock, last),
        LockTool::Poetry => registry && last.hashed == Hashed::None && hashed(),
        LockTool::Pipenv => false,
    };
    let bare = bare || last.version.is_empty() && registry && lock.tool != LockTool::Compiled;
    let text = format!("its last entry, that of `{}`, is not whole: the file was cut off", last.name);
    bare.then_some(Reason { text, at: Some(last.at) })
}

/// Whether the last entry of a compiled file has no `# via`, as all others have.
fn unexplained(lock: &Lock, last: &LockedPackage) -> bool {
    let asked: HashSet<&str> =
        lock.packages.iter().flat_map(|package| &package.edges).map(|edge| edge.name.as_str()).collect();
    let explained = |package: &LockedPackage| !package.groups.is_empty() || asked.contains(package.name.as_str());
    lock.packages.len() > 1 && lock.packages.iter().all(|package| explained(package) != (package.at == last.at))
}

/// What an entry needs and the lock does not hold.
fn missing_need(project: &Project, lock: &Lock, packages: &Packages) -> Option<Reason> {
    let own = project.own_names(lock);
    let conditional = || {
        let reach = Reach::of(project, lock, packages)?;
        let edges = lock.packages.iter().flat_map(|package| package.edges.iter().map(move |edge| (package, edge)));
        let known = |name: &str| packages.contains_key(name) || own.contains(&name);
        let mut absent = edges.filter(|(_, edge)| !known(&edge.name));
        absent.find(|(package, edge)| reach.holds(package, edge))
    };
    let (package, edge) = lock.dangling(&own).into_iter().next().or_else(conditional)?;
    let text = format!("its entry of `{}` needs `{}`, which it does not hold", package.name, edge.name);
    Some(Reason { text, at: Some(edge.at) })
}

/// The environments that a lock is for, when it is for every platform.
struct Reach<'l> {
    within: Marker,
    /// Packages that every environment has; none: each package says itself when it is there.
    always: Option<HashSet<&'l str>>,
}

impl<'l> Reach<'l> {
    /// None for other tools, for locks of single platforms, and where the manifest takes packages out of the resolution.
    fn of(project: &'l Project, lock: &'l Lock, packages: &Packages<'l>) -> Option<Reach<'l>> {
        let setting = |key: &str| lock.statement.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        let python = lock.statement.requires_python.as_deref().unwrap_or("");
        match lock.tool {
            LockTool::Poetry => {
                let within = of_python(&pypi::poetry_to_pep440(python));
                Some(Reach { within, always: Some(always(project, lock, packages)) })
            }
            LockTool::Pdm if setting("platforms").is_some_and(|platforms| platforms == "all") => {
                let manifest = manifests(project, lock).first().copied()?;
                let excludes = project.source(manifest).text.contains("excludes");
                (!excludes).then(|| Reach { within: of_python(python), always: None })
            }
            _ => None,
        }
    }

    /// Whether some environment of the lock has the package and needs what the edge names.
    fn holds(&self, package: &LockedPackage, edge: &Edge) -> bool {
        let there = match &self.always {
            Some(always) if always.contains(package.name.as_str()) => Marker::read(""),
            Some(_) => return false,
            None => Marker::read(&package.marker),
        };
        if edge.optional || edge.name.is_empty() || edge.marker.contains("extra") {
            return false;
        }
        let marker = Marker::read(&edge.marker).and(&there).and(&self.within);
        matches!(marker, Marker::Tree(_)) && !marker.is_never()
    }
}

/// Packages that are asked for without a condition, by the manifest or by one of themselves.
fn always<'l>(project: &'l Project, lock: &Lock, packages: &Packages<'l>) -> HashSet<&'l str> {
    let mut waiting: Vec<&str> = asked(project, lock).into_iter().map(|asked| asked.subject.name.as_str()).collect();
    let mut found: HashSet<&str> = waiting.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        // Of several versions of one package none is there always.
        let Some([package]) = packages.get(name).map(Vec::as_slice) else { continue };
        for edge in package.edges.iter().filter(|edge| !edge.optional && edge.marker.is_empty()) {
            if found.insert(&edge.name) {
                waiting.push(&edge.name);
            }
        }
    }
    found
}

/// What a manifest asks for in every environment and the lock does not hold, where the tool's own verdict does not look at it.
fn missing_requirement(project: &Project, lock: &Lock, packages: &Packages) -> Option<Reason> {
    let reference = match lock.tool {
        LockTool::Pdm | LockTool::Poetry => {
            let mut asked = asked(project, lock).into_iter();
            asked.find(|reference| !packages.contains_key(reference.subject.name.as_str()))?
        }
        LockTool::CondaLock => missing_on_a_platform(project, lock, packages)?,
        _ => return None,
    };
    let text = format!("`{}` is asked for and not in the lock", reference.subject.name);
    Some(Reason { text, at: Some(reference.site.whole) })
}

/// What a manifest asks for without a condition, in the groups that the lock is for.
fn asked<'p>(project: &'p Project, lock: &Lock) -> Vec<&'p Reference> {
    let groups = lock.statement.settings.iter().find(|(name, _)| name == "groups").map(|(_, groups)| groups.as_str());
    let of_lock = |name: &str| {
        let same = |group: &str| pypi::normalize(group) == pypi::normalize(name);
        groups.is_none_or(|groups| groups.split(',').any(same))
    };
    let locked = |group: &Group| match group {
        Group::Main => true,
        Group::Extra(name) | Group::Named(name) => of_lock(name),
        Group::Build => false,
    };
    let mut found = Vec::new();
    for id in manifests(project, lock) {
        let manifests = &project.facts_of(id).manifests;
        let own = manifests.iter().find_map(|manifest| manifest.name.as_deref());
        let entries = manifests.iter().flat_map(|manifest| &manifest.entries).filter(|entry| locked(&entry.group));
        let entries = entries.map(|entry| project.reference(entry.reference));
        found.extend(
            entries.filter(|reference| is_plain(project, reference) && own != Some(reference.subject.name.as_str())),
        );
    }
    found
}

/// Whether a requirement holds everywhere. Poetry's own tables can limit one in ways that are no marker.
fn is_plain(project: &Project, reference: &Reference) -> bool {
    let source = project.source(reference.site.whole.source);
    let limited = || source.line_text(source.line_of(reference.site.whole.span.start)).contains('{');
    let plain_line =
        || source.line_text(source.line_of(reference.site.whole.span.start)).contains(&reference.subject.name);
    reference.marker.is_none()
        && reference.origin == Origin::Registry
        && matches!(reference.role, Role::Runtime | Role::Dev | Role::Install)
        && (!reference.key.starts_with("tool.poetry") || plain_line() && !limited())
}

/// A requirement of the one environment file that a platform of the lock does not hold. Selectors stand in comments.
fn missing_on_a_platform<'p>(project: &'p Project, lock: &Lock, packages: &Packages) -> Option<&'p Reference> {
    let platforms: Vec<&str> = lock
        .statement
        .settings
        .iter()
        .filter(|(key, _)| key == "platform")
        .map(|(_, platform)| platform.as_str())
        .collect();
    let [manifest] = manifests(project, lock)[..] else { return None };
    let source = project.source(manifest);
    let plain = |reference: &&Reference| {
        let line = source.line_text(source.line_of(reference.site.whole.span.start));
        let held = reference.subject.ecosystem == Ecosystem::Conda && reference.origin == Origin::Registry;
        held && reference.role != Role::Tool && reference.marker.is_none() && !line.contains('#')
    };
    let on = |reference: &Reference, platform: &str| {
        let list = packages.get(reference.subject.name.as_str());
        list.is_some_and(|list| list.iter().any(|package| package.groups.iter().any(|group| group == platform)))
    };
    let mut asked = project.facts_of(manifest).references.iter().filter(plain);
    asked.find(|reference| platforms.iter().any(|platform| !on(reference, platform)))
}

/// What the lock itself lists in its head and has no entry for.
fn missing_by_record(lock: &Lock, packages: &Packages) -> Option<Reason> {
    let statement = &lock.statement;
    let listed: Vec<&str> = match lock.tool {
        LockTool::Uv => {
            let lists =
                statement.lists.iter().filter(|(key, _)| key == "requirements" || key.starts_with("dependency-groups"));
            let asked = lists.flat_map(|(_, list)| list).map(|stated| stated.name.as_str());
            asked.chain(statement.members.iter().map(String::as_str)).collect()
        }
        LockTool::Actions => statement.requires.iter().map(|(_, name)| name.as_str()).collect(),
        _ => return None,
    };
    let mut listed = listed.into_iter();
    let name = listed.find(|name| !packages.contains_key(name))?;
    Some(Reason { text: format!("it lists `{name}` and has no entry of it"), at: Some(lock.at) })
}

/// Names behind `# via` that a compiled file does not hold, and needs that another lock of the repository tells.
fn missing_parent(project: &Project, lock: &Lock) -> Option<Reason> {
    let parent = project.absent_parents(lock).into_iter().next();
    if let Some((via, package)) = parent {
        let text = format!("`{}` is there for `{via}`, which it does not hold", package.name);
        return Some(Reason { text, at: Some(package.at) });
    }
    let (need, package) = project.open_needs(lock).into_iter().next()?;
    let text = format!(
        "`{}` {} needs `{need}`, as another lock of the repository tells, and it does not hold it",
        package.name, package.version
    );
    Some(Reason { text, at: Some(package.at) })
}

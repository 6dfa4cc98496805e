//! The search: PubGrub's state driven by hand, so that a universal resolution can split where needs differ by environment.
//!
//! The order of decisions, of splits and of the solving of parts is that of uv, so that both find the same versions. It asks the world
//! only through [`Index`].

mod ahead;
mod branch;
mod edges;
pub mod fork;
pub mod needs;
pub mod package;

pub use edges::{Edge, Part, Picked};

use super::bounds::{Lower, PythonRange, Versions};
use super::choose::{Chooser, Offer, Preference, Refusal};
use super::listing::{Absent, Direct, Index};
use super::marker::Marker;
use super::metadata::Metadata;
use super::requirement::{Name, Requirement, Source};
use branch::{Branch, PkgId};
use fork::{Environment, Fork};
use needs::{Rules, Scope};
use package::{Need, Node, Pkg};
use pep440_rs::{Version, VersionSpecifiers};
use pubgrub::{Ranges, State};
use std::collections::HashMap;
use std::sync::Arc;

/// More decisions than any solvable input has been seen to need.
const MOST_DECISIONS: usize = 200_000;

/// Why there is no solution.
#[derive(Debug)]
pub enum Failed {
    /// The needs contradict each other.
    NoSolution(Box<pubgrub::DerivationTree<Pkg, Versions, String>>, Marker),
    /// The world did not answer, or something is wrong with the request; the text says what and what next.
    Stopped(String),
}

/// A search over an index.
pub struct Solver<'a> {
    /// The port.
    pub index: &'a dyn Index,
    /// Chooses versions.
    pub chooser: &'a Arc<Chooser>,
    /// What the inputs ask for.
    pub requirements: &'a [Requirement],
    /// Constraints and overrides.
    pub rules: &'a Rules,
    /// The environments.
    pub environment: Environment,
    /// The Pythons.
    pub pythons: PythonRange,
    /// Versions to prefer.
    pub preferences: HashMap<Name, Vec<Preference>>,
    /// Metadata from an earlier lock, for versions whose own cannot be had without a build.
    pub earlier: &'a HashMap<(Name, Version), Arc<Metadata>>,
    /// Projects that no index has, and why; filled by the search.
    pub missing: HashMap<Name, String>,
}

enum Decision {
    Take(Version),
    Nothing,
    Split(Vec<(Marker, Option<Version>)>),
    Refuse(Version, String),
    NeedsPython(Version, VersionSpecifiers),
}

enum Needs {
    Here(Vec<Need>),
    Split(Vec<Fork>),
    Newer(VersionSpecifiers),
    Refuse(String),
}

impl<'a> Solver<'a> {
    /// Solves every part.
    pub fn solve(mut self) -> Result<Vec<Part>, Failed> {
        let root: Pkg = Arc::new(Node::Root);
        let state = State::init(root, Version::new([0]));
        let mut waiting = vec![Branch::new(state, self.environment.clone(), self.pythons.clone())];
        let mut parts = Vec::new();
        while let Some(branch) = waiting.pop() {
            match self.run(branch)? {
                Ran::Solved(part) => {
                    self.prefer(&part);
                    parts.push(part);
                }
                Ran::Split(branches) => waiting.extend(branches),
            }
        }
        Ok(parts)
    }

    /// Versions of one part are preferred in the others, so that they agree where they can.
    fn prefer(&mut self, part: &Part) {
        if self.chooser.policy.strategy == super::choose::Strategy::LowestDirect {
            return;
        }
        for picked in part.picked.iter().filter(|picked| picked.extra.is_none()) {
            let one = Preference { marker: part.marker.clone(), version: picked.version.clone(), earlier: false };
            self.preferences.entry(picked.name.clone()).or_default().push(one);
        }
    }

    fn run(&mut self, mut branch: Branch) -> Result<Ran, Failed> {
        for _ in 0..MOST_DECISIONS {
            let Some(next) = self.next_package(&mut branch)? else {
                return Ok(Ran::Solved(branch.into_part()));
            };
            branch.next = next;
            let package = branch.state.package_store[next].clone();
            let decision = match branch.first_version.take() {
                Some(version) => Decision::Take(version),
                None => self.decide(&mut branch, &package)?,
            };
            let version = match decision {
                Decision::Take(version) => version,
                Decision::Nothing => {
                    self.nothing_fits(&mut branch, &package);
                    continue;
                }
                Decision::Refuse(version, why) => {
                    let versions = self.widened(&branch, &package, &version);
                    branch.state.add_unavailable(next, versions, why);
                    continue;
                }
                Decision::NeedsPython(version, specifiers) => {
                    let versions = self.widened(&branch, &package, &version);
                    let python = branch.state.package_store.alloc(Arc::new(Node::Python));
                    let pythons = PythonRange::of(&specifiers);
                    let asked = Ranges::from_range_bounds::<_, Version>((pythons.lower.0, pythons.upper.0));
                    branch.state.add_dependency(next, versions, (python, asked));
                    branch.state.partial_solution.add_decision(next, version);
                    continue;
                }
                Decision::Split(parts) => return Ok(Ran::Split(branch.split(parts))),
            };
            if branch.added.get(&next).is_some_and(|versions| versions.contains(&version)) {
                branch.state.partial_solution.add_decision(next, version);
                continue;
            }
            self.hint_batch(&mut branch, &package, &version);
            match self.needs_of(&branch, &package, &version)? {
                Needs::Refuse(why) => {
                    let versions = self.widened(&branch, &package, &version);
                    branch.state.add_unavailable(next, versions, why);
                }
                Needs::Newer(specifiers) => {
                    let split = self.split_on_python(&branch, &specifiers);
                    if !split.is_empty() {
                        return Ok(Ran::Split(branch.split(split)));
                    }
                    let versions = self.widened(&branch, &package, &version);
                    branch.state.add_unavailable(next, versions, format!("needs Python {specifiers}"));
                }
                Needs::Here(needs) => {
                    branch.added.entry(next).or_default().insert(version.clone());
                    self.add(&mut branch, &package, &version, needs)?;
                }
                Needs::Split(mut forks) => {
                    branch.added.entry(next).or_default().insert(version.clone());
                    if self.chooser.policy.strategy == super::choose::Strategy::Lowest {
                        forks.sort_by(Fork::order_lowest);
                    } else {
                        forks.sort_by(Fork::order);
                    }
                    let mut branches = Vec::new();
                    for fork in forks {
                        let mut part = branch.clone();
                        part.narrow(fork.marker);
                        self.add(&mut part, &package, &version, fork.needs)?;
                        branches.push(part);
                    }
                    return Ok(Ran::Split(branches));
                }
            }
        }
        Err(Failed::Stopped(format!(
            "no solution was found in {MOST_DECISIONS} steps; narrow the ranges of the inputs, or name versions that are known to go together"
        )))
    }

    fn next_package(&self, branch: &mut Branch) -> Result<Option<PkgId>, Failed> {
        if let Some(first) = branch.first.take() {
            return Ok(Some(first));
        }
        let conflicts: Vec<_> = match branch.state.unit_propagation(branch.next) {
            Ok(conflicts) => conflicts.into_iter().collect(),
            Err(tree) => return Err(Failed::NoSolution(Box::new(tree), branch.environment.marker())),
        };
        for (affected, conflict) in conflicts {
            let packages: Vec<PkgId> = branch.state.conflict_packages(&conflict).collect();
            branch.record(affected, &packages);
        }
        self.hint(branch);
        branch.reorder();
        let Branch { state, ranks, .. } = branch;
        let store = &state.package_store;
        let picked = state.partial_solution.pick_highest_priority_pkg(|id, _| ranks.of(&store[id]));
        Ok(picked.map(|(id, _)| id))
    }

    fn nothing_fits(&self, branch: &mut Branch, package: &Pkg) {
        let range = branch.range();
        match package.name().and_then(|name| self.missing.get(name)) {
            Some(why) => branch.state.add_unavailable(branch.next, range, why.clone()),
            None => branch.state.add_no_versions(branch.next, range),
        }
    }

    fn decide(&mut self, branch: &mut Branch, package: &Pkg) -> Result<Decision, Failed> {
        let name = match &**package {
            Node::Root => return Ok(Decision::Take(Version::new([0]))),
            Node::Python => return Ok(Decision::Nothing),
            Node::Real { name, .. } | Node::Extra { name, .. } | Node::Marked { name, .. } => name.clone(),
        };
        let range = branch.range();
        if let Some(url) = branch.direct.get(&name).cloned() {
            return self.decide_direct(branch, &name, &url, &range);
        }
        let listing = match self.index.listing(&name) {
            Ok(listing) => listing,
            Err(Absent::Failed(why)) => return Err(Failed::Stopped(why)),
            Err(absent) => {
                let why = match absent {
                    Absent::Broken(why) => format!("cannot be read: {why}"),
                    _ => "is not on the index".to_string(),
                };
                self.missing.insert(name, why);
                return Ok(Decision::Nothing);
            }
        };
        let shelf = self.chooser.shelf(&listing);
        let preferences = self.preferences.get(&name).map(Vec::as_slice).unwrap_or_default();
        let environment = branch.environment.marker();
        let Some((version, offer)) = self.chooser.choose(&shelf, &range, preferences, &environment) else {
            return Ok(Decision::Nothing);
        };
        let (file, requires_python, environments) = match offer {
            Offer::Fits { file, requires_python, environments } => (file, requires_python, environments),
            Offer::Refused(why) => return Ok(Decision::Refuse(version, why.to_string())),
            Offer::TooNew => return Ok(Decision::Refuse(version, "is newer than the cutoff date".to_string())),
        };
        if let Some(specifiers) = requires_python.filter(|specifiers| !branch.pythons.is_served_by(specifiers)) {
            let split = self.split_on_python(branch, &specifiers);
            if !split.is_empty() {
                return Ok(Decision::Split(split));
            }
            return Ok(Decision::NeedsPython(version, specifiers));
        }
        // An index can say of a version that it runs on a Python for which it has no wheel.
        if branch.environment.is_universal() && !self.chooser.serves(&shelf, &version, &branch.pythons) {
            return Ok(Decision::Refuse(version, Refusal::NoWheel.to_string()));
        }
        let partly = version.is_local() && branch.environment.is_universal() && !environments.is_always();
        if partly && let Some(decision) = self.decide_local(branch, &shelf, &range, &version, &environments) {
            branch.picked.insert((name, version), file);
            return Ok(decision);
        }
        branch.picked.insert((name.clone(), version.clone()), file.clone());
        if matches!(&**package, Node::Real { .. }) {
            self.index.soon_metadata(&file);
        }
        Ok(Decision::Take(version))
    }

    /// A local build (`2.0+cpu`) often serves fewer platforms than its public version: then the rest gets that one.
    fn decide_local(
        &self,
        branch: &mut Branch,
        shelf: &super::choose::Shelf,
        range: &Versions,
        version: &Version,
        environments: &Marker,
    ) -> Option<Decision> {
        let public = Ranges::singleton(version.clone().without_local()).intersection(range);
        let (public, offer) = self.chooser.best(shelf, &public)?;
        let Offer::Fits { file, environments: of_public, .. } = offer else { return None };
        let mut rest = of_public.and(&environments.not());
        if rest.is_never() || !branch.environment.meets(&rest) {
            return None;
        }
        branch.picked.insert((shelf.listing.name.clone(), public.clone()), file);
        if !branch.environment.meets(environments) {
            return Some(Decision::Take(public));
        }
        for platform in ["darwin", "linux", "win32"] {
            let platform = Marker::string(pep508_rs::marker::MarkerValueString::SysPlatform, platform);
            if environments.is_disjoint(&platform) && !rest.is_disjoint(&platform) {
                rest = rest.or(&platform);
            }
        }
        let (base, local) = fork::split_marker(&branch.environment.marker(), &rest)?;
        Some(Decision::Split(vec![(base, Some(public)), (local, Some(version.clone()))]))
    }

    fn decide_direct(&mut self, branch: &Branch, name: &Name, url: &str, range: &Versions) -> Result<Decision, Failed> {
        let direct = self.direct(name, url)?;
        let metadata = &direct.metadata;
        if !range.contains(&metadata.version) {
            let shown = crate::ecosystems::pypi::without_credentials(url);
            self.missing.insert(name.clone(), format!("is {} at {shown}", metadata.version));
            return Ok(Decision::Nothing);
        }
        match &metadata.requires_python {
            Some(specifiers) if !branch.pythons.is_served_by(specifiers) => {
                Ok(Decision::NeedsPython(metadata.version.clone(), specifiers.clone()))
            }
            _ => Ok(Decision::Take(metadata.version.clone())),
        }
    }

    fn direct(&self, name: &Name, url: &str) -> Result<Arc<Direct>, Failed> {
        let shown = crate::ecosystems::pypi::without_credentials(url);
        let stopped = |why: String| Failed::Stopped(format!("{name} @ {shown}: {why}"));
        self.index.direct(name, url).map_err(|absent| match absent {
            Absent::NotFound => stopped("it is not there; check the URL".to_string()),
            Absent::NeedsBuild => stopped(
                "its metadata is not static, and nothing is built; name a wheel, or lock it with the tool that builds it".to_string(),
            ),
            Absent::Broken(why) => stopped(why),
            Absent::Failed(why) => Failed::Stopped(why),
        })
    }

    fn split_on_python(&self, branch: &Branch, specifiers: &VersionSpecifiers) -> Vec<(Marker, Option<Version>)> {
        let Environment::Many(marker) = &branch.environment else { return Vec::new() };
        let asked: Lower = PythonRange::of(specifiers).lower;
        fork::split_python(&asked, marker, &branch.pythons).into_iter().map(|part| (part, None)).collect()
    }

    /// A version with the gap around it that holds no other version.
    fn widened(&self, branch: &Branch, package: &Pkg, version: &Version) -> Versions {
        let one = Ranges::singleton(version.clone());
        let Some(name) = package.name().filter(|name| !branch.direct.contains_key(*name)) else { return one };
        let Some(listing) = self.index.ready(name) else { return one };
        let shelf = self.chooser.shelf(&listing);
        if shelf.known.is_empty() { one } else { one.widen_versions(&shelf.known) }
    }

    fn needs_of(&mut self, branch: &Branch, package: &Pkg, version: &Version) -> Result<Needs, Failed> {
        let scope = Scope { environment: &branch.environment, pythons: &branch.pythons };
        let one = |package: Node| Need {
            package: Arc::new(package),
            versions: Ranges::singleton(version.clone()),
            direct: None,
        };
        let requirements = match &**package {
            Node::Root => self.rules.of_inputs(self.requirements, scope),
            Node::Python => return Ok(Needs::Here(Vec::new())),
            Node::Marked { name, marker } => {
                let real =
                    |marker: &Marker| one(Node::Real { name: name.clone(), extra: None, marker: marker.clone() });
                return Ok(Needs::Here(vec![real(&Marker::always()), real(marker)]));
            }
            Node::Extra { name, extra, marker } => {
                let mut markers = vec![Marker::always()];
                if !marker.is_always() {
                    markers.push(marker.clone());
                }
                let real = |marker: &Marker, extra: Option<&Name>| {
                    one(Node::Real { name: name.clone(), extra: extra.cloned(), marker: marker.clone() })
                };
                let both = |marker: &Marker| [real(marker, None), real(marker, Some(extra))];
                return Ok(Needs::Here(markers.iter().flat_map(both).collect()));
            }
            Node::Real { name, extra, .. } => {
                let metadata = match self.metadata(branch, name, version)? {
                    Ok(metadata) => metadata,
                    Err(why) => return Ok(Needs::Refuse(why)),
                };
                if let Some(specifiers) = &metadata.requires_python
                    && !branch.pythons.is_served_by(specifiers)
                {
                    return Ok(Needs::Newer(specifiers.clone()));
                }
                self.rules.of_version(&metadata, extra.as_ref(), scope)
            }
        };
        if let Some(never) = requirements.iter().find(|one| asks_for_nothing(one)) {
            return Ok(Needs::Refuse(format!("needs `{}`, which no version can satisfy", never.words())));
        }
        let needs: Vec<Need> = requirements.iter().flat_map(Need::of).collect();
        let Environment::Many(marker) = &branch.environment else { return Ok(Needs::Here(needs)) };
        let mut forks = fork::split(needs, marker, &branch.pythons);
        Ok(match forks.len() {
            0 => Needs::Here(Vec::new()),
            1 => Needs::Here(forks.remove(0).needs),
            _ => Needs::Split(forks),
        })
    }

    fn metadata(
        &self,
        branch: &Branch,
        name: &Name,
        version: &Version,
    ) -> Result<Result<Arc<Metadata>, String>, Failed> {
        if let Some(url) = branch.direct.get(name) {
            return Ok(Ok(self.direct(name, url)?.metadata.clone()));
        }
        let Some(file) = branch.picked.get(&(name.clone(), version.clone())) else {
            return Err(Failed::Stopped(format!("{name} {version} was decided without a file; please report this")));
        };
        let earlier = || self.earlier.get(&(name.clone(), version.clone())).cloned();
        match self.index.metadata(file) {
            Ok(metadata) if metadata.name != *name => Ok(Err(format!("holds the metadata of `{}`", metadata.name))),
            Ok(metadata) if metadata.version != *version && !version.is_local() => {
                Ok(Err(format!("holds the metadata of version {}", metadata.version)))
            }
            Ok(metadata) => Ok(Ok(metadata)),
            Err(Absent::Failed(why)) => Err(Failed::Stopped(why)),
            Err(Absent::NeedsBuild) => Ok(earlier().ok_or_else(|| {
                "has no wheel, and its source distribution would have to be built to know what it needs".to_string()
            })),
            Err(Absent::NotFound) => Ok(earlier().ok_or_else(|| "is listed, and its file is not there".to_string())),
            Err(Absent::Broken(why)) => Ok(Err(format!("cannot be used: {why}"))),
        }
    }

    /// Adds the needs of a decided version to a branch.
    fn add(&self, branch: &mut Branch, package: &Pkg, version: &Version, needs: Vec<Need>) -> Result<(), Failed> {
        for need in &needs {
            let Some(name) = need.package.name() else { continue };
            if let Some(url) = need.direct.clone().or_else(|| self.url_of_inputs(name, &branch.environment)) {
                match branch.direct.get(name) {
                    Some(known) if !same_place(known, &url) => {
                        let shown = crate::ecosystems::pypi::without_credentials;
                        return Err(Failed::Stopped(format!(
                            "{name} is asked for from two places: {} and {}; keep one",
                            shown(known),
                            shown(&url)
                        )));
                    }
                    Some(_) => {}
                    None => {
                        if need.direct.is_some() && !self.is_url_of_inputs(name) && **package != Node::Root {
                            return Err(Failed::Stopped(format!(
                                "{package} {version} needs {name} from a URL; ask for that URL in an input, so that it is seen"
                            )));
                        }
                        branch.direct.insert(name.clone(), url);
                    }
                }
            } else if !branch.direct.contains_key(name) {
                self.index.soon(name, None);
            }
            let direct = &branch.direct;
            branch.ranks.note(&need.package, &need.versions, |name| direct.contains_key(name));
            if let Some(real) = need.package.stands_for() {
                branch.ranks.note(&real, &need.versions, |name| direct.contains_key(name));
            }
        }
        for need in &needs {
            // What is asked of a stand-in is asked of what it stands for, so that conflicts show at once.
            let Some(real) = need.package.stands_for() else { continue };
            let stand_in = branch.state.package_store.alloc(need.package.clone());
            let real = branch.state.package_store.alloc(real);
            branch.state.add_dependency(stand_in, need.versions.clone(), (real, need.versions.clone()));
        }
        let versions = self.widened(branch, package, version);
        let needs = needs.into_iter().map(|need| (need.package, need.versions));
        let conflict = branch.state.add_package_version_dependencies(branch.next, version.clone(), versions, needs);
        if let Some(conflict) = conflict {
            let packages: Vec<PkgId> = branch.state.conflict_packages(&conflict).collect();
            branch.record(branch.next, &packages);
        }
        Ok(())
    }

    fn is_url_of_inputs(&self, name: &Name) -> bool {
        let overrides = self.rules.overrides.values().chain(self.rules.constraints.values()).flatten();
        self.requirements
            .iter()
            .chain(overrides)
            .any(|one| one.name == *name && matches!(one.source, Source::Direct(_)))
    }

    /// The URL that the inputs name for a project, where a registry requirement asks for it.
    fn url_of_inputs(&self, name: &Name, environment: &Environment) -> Option<Arc<str>> {
        let fits =
            |one: &&Requirement| one.name == *name && environment.holds(&one.marker) && environment.meets(&one.marker);
        self.requirements.iter().filter(fits).find_map(|one| match &one.source {
            Source::Direct(url) if one.marker.is_always() || !environment.is_universal() => Some(url.clone()),
            _ => None,
        })
    }
}

enum Ran {
    Solved(Part),
    Split(Vec<Branch>),
}

fn asks_for_nothing(requirement: &Requirement) -> bool {
    matches!(&requirement.source, Source::Index(specifiers) if super::bounds::allowed(specifiers).is_empty())
}

fn same_place(a: &str, b: &str) -> bool {
    let plain = |url: &str| {
        let url = crate::ecosystems::pypi::without_credentials(url);
        url.split('#').next().unwrap_or("").trim_end_matches('/').to_string()
    };
    plain(a) == plain(b)
}

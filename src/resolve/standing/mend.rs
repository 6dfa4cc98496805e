//! The mending of a closed set: what a raised version asks for is looked up in the set, what does not fit moves to the newest version that
//! suits everybody, what is absent comes in, and so on until nothing is asked for that is not there. No way back is ever taken but one: a
//! version that turned out too new or too old is chosen again within tighter limits, from the beginning.

use super::Standing;
use crate::resolve::bounds::{PythonRange, Versions, allowed, everything};
use crate::resolve::choose::{Chooser, Offer, Policy, Target};
use crate::resolve::graph::Package;
use crate::resolve::listing::{Index, Listing};
use crate::resolve::marker::Marker;
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::{Name, Requirement, Source};
use crate::resolve::solve::fork::python_marker;
use crate::resolve::{Request, chooser_of, place};
use pep440_rs::Version;
use pubgrub::Ranges;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

/// How often it is begun again.
const ROUNDS: usize = 24;

/// How many versions of one project are looked at.
const VERSIONS: usize = 60;

/// Why a round came to no end.
enum Stuck {
    /// A version was chosen that another need does not take: the next round chooses within these.
    Choose(Name, Versions),
    /// There is no way that can be seen from here.
    NoWay,
}

/// A project with an extra or without, and where it is needed.
type Place = (Name, Option<Name>, Marker);

/// One round.
struct Round<'a> {
    standing: &'a Standing,
    index: &'a dyn Index,
    chooser: &'a Chooser,
    raised: &'a BTreeMap<Name, Version>,
    limits: &'a HashMap<&'a Name, Vec<&'a Requirement>>,
    /// What earlier rounds found out.
    tight: &'a HashMap<Name, Versions>,
    /// The Pythons: those of the set, or later ones.
    python: &'a PythonRange,
    pythons: Marker,
    /// Versions that are not those of the set, and what they ask for.
    moved: BTreeMap<Name, (Version, Arc<Metadata>)>,
    /// What they ask of others, by project.
    asked: HashMap<Name, Vec<Versions>>,
    /// What is needed where the set does not have it.
    added: Vec<Place>,
    /// What is still to be looked at.
    open: VecDeque<Place>,
    /// Projects whose version is being chosen: none of them can be the way out for another.
    choosing: Vec<Name>,
}

pub(super) fn mend(
    standing: &Standing,
    index: &dyn Index,
    raised: &BTreeMap<Name, Version>,
    request: &Request,
) -> Option<BTreeMap<Name, Version>> {
    if !request.overrides.is_empty() {
        return None;
    }
    let (environment, python, target) = place(&request.target).ok()?;
    let chooser = chooser_of(request, &environment, target);
    // What has wheels for some of the Pythons of the set need not have any for later ones alone.
    if python != standing.solution.python && !serves(standing, index, request, &python) {
        return None;
    }
    let mut limits: HashMap<&Name, Vec<&Requirement>> = HashMap::new();
    for limit in request.requirements.iter().chain(&request.constraints) {
        limits.entry(&limit.name).or_default().push(limit);
    }
    let mut tight = HashMap::new();
    for _ in 0..ROUNDS {
        let mut round = Round {
            standing,
            index,
            chooser: &chooser,
            raised,
            limits: &limits,
            tight: &tight,
            pythons: python_marker(&python),
            python: &python,
            moved: BTreeMap::new(),
            asked: HashMap::new(),
            added: Vec::new(),
            open: VecDeque::new(),
            choosing: Vec::new(),
        };
        match round.run() {
            Ok(()) => return Some(round.moved.into_iter().map(|(name, (version, _))| (name, version)).collect()),
            Err(Stuck::NoWay) => return None,
            Err(Stuck::Choose(name, versions)) => {
                let known = tight.entry(name).or_insert_with(everything);
                *known = known.intersection(&versions);
            }
        }
    }
    None
}

/// Whether all that stands can be installed on these Pythons, whatever is asked for besides.
fn serves(standing: &Standing, index: &dyn Index, request: &Request, python: &PythonRange) -> bool {
    let mut known = standing.serves.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, serves)) = known.iter().find(|(of, _)| of == python) {
        return *serves;
    }
    // What stands was taken already: neither its age nor that it was withdrawn since is of interest.
    let policy = Policy { cutoff: None, cutoff_of: HashMap::new(), ..request.policy.clone() };
    let mut chooser = Chooser::new(policy, Target::Universal(python.clone()));
    for package in &standing.solution.packages {
        chooser.pinned.entry(package.name.clone()).or_default().insert(package.version.clone());
    }
    let pythons = python_marker(python);
    let mut here = standing.solution.packages.iter().filter(|package| !package.marker.is_disjoint(&pythons));
    let serves = here.all(|package| {
        let fits = |listing: Arc<Listing>| {
            let at = listing.releases.binary_search_by(|release| release.version.cmp(&package.version));
            at.is_ok_and(|at| matches!(chooser.offer(&chooser.shelf(&listing), at), Offer::Fits { .. }))
        };
        package.direct.is_some() || index.listing(&package.name).is_ok_and(fits)
    });
    known.push((python.clone(), serves));
    serves
}

impl Round<'_> {
    fn run(&mut self) -> Result<(), Stuck> {
        for (name, version) in self.raised {
            let limits = self.limited(name)?;
            let known = self.packages(name).next().is_some();
            let metadata = self.usable(name, version).ok_or(Stuck::NoWay)?;
            if !known || !limits.contains(version) {
                return Err(Stuck::NoWay);
            }
            self.put(name.clone(), version.clone(), metadata)?;
        }
        loop {
            while let Some((name, extra, at)) = self.open.pop_front() {
                self.look_at(&name, extra.as_ref(), &at).map_err(|stuck| self.or_another(&name, stuck))?;
            }
            // Whatever stays has to take what moved, or it moves as well.
            let Some(asker) = self.displeased() else { return Ok(()) };
            self.choose_other(&asker)?;
        }
    }

    /// The versions of a project that stand in the set.
    fn packages<'s>(&'s self, name: &Name) -> impl Iterator<Item = &'s Package> {
        let here = |package: &&Package| package.name == *name && !package.marker.is_disjoint(&self.pythons);
        self.standing.solution.packages.iter().filter(here)
    }

    /// What the inputs allow of a project.
    fn limited(&self, name: &Name) -> Result<Versions, Stuck> {
        let mut all = self.tight.get(name).cloned().unwrap_or_else(everything);
        for limit in self.limits.get(name).into_iter().flatten() {
            let Source::Index(specifiers) = &limit.source else { return Err(Stuck::NoWay) };
            all = all.intersection(&allowed(specifiers));
        }
        Ok(all)
    }

    /// A package that stays and does not take a version that moved.
    fn displeased(&self) -> Option<Name> {
        let of = |(name, (version, _)): (&Name, &(Version, Arc<Metadata>))| {
            let asked = self.standing.asked.get(name).into_iter().flatten();
            let mut against =
                asked.filter(|(asker, versions)| !self.moved.contains_key(asker) && !versions.contains(version));
            against.next().map(|(asker, _)| asker.clone())
        };
        self.moved.iter().find_map(of)
    }

    /// The needs of one place.
    fn look_at(&mut self, name: &Name, extra: Option<&Name>, at: &Marker) -> Result<(), Stuck> {
        let metadata = match self.moved.get(name) {
            Some((_, metadata)) => Arc::clone(metadata),
            None => self.standing_metadata(name)?,
        };
        if extra.is_some_and(|extra| !metadata.extras.contains(extra)) {
            return Err(Stuck::NoWay);
        }
        let at = at.and(&self.pythons);
        for need in metadata.needs(extra).iter() {
            let wanted = need.marker.and(&at);
            if wanted.is_never() {
                continue;
            }
            let Source::Index(specifiers) = &need.source else { return Err(Stuck::NoWay) };
            let versions = allowed(specifiers);
            self.version_within(&need.name, &versions, &wanted)?;
            self.asked.entry(need.name.clone()).or_default().push(versions);
            for extra in std::iter::once(None).chain(need.extras.iter().map(Some)) {
                self.cover(&need.name, extra, &wanted);
            }
        }
        Ok(())
    }

    /// When there is no way for what a version asks, there may be one for another version of the same project.
    fn or_another(&self, asker: &Name, stuck: Stuck) -> Stuck {
        match (stuck, self.moved.get(asker)) {
            (Stuck::NoWay, Some((version, _))) if !self.raised.contains_key(asker) => {
                Stuck::Choose(asker.clone(), Ranges::singleton(version.clone()).complement())
            }
            (stuck, _) => stuck,
        }
    }

    /// What a package asks for that stays in its version and is needed in more places.
    fn standing_metadata(&self, name: &Name) -> Result<Arc<Metadata>, Stuck> {
        let mut packages = self.packages(name);
        let (Some(package), None) = (packages.next(), packages.next()) else { return Err(Stuck::NoWay) };
        let file = package.file.as_ref().filter(|_| package.direct.is_none()).ok_or(Stuck::NoWay)?;
        self.index.metadata(file).map_err(|_| Stuck::NoWay)
    }

    /// Sees to it that a project has a version that a need takes.
    fn version_within(&mut self, name: &Name, versions: &Versions, wanted: &Marker) -> Result<(), Stuck> {
        if let Some((version, _)) = self.moved.get(name) {
            return match versions.contains(version) {
                true => Ok(()),
                false if self.raised.contains_key(name) => Err(Stuck::NoWay),
                false => Err(Stuck::Choose(name.clone(), versions.clone())),
            };
        }
        let mut is_there = false;
        for (of, version, _, at) in &self.standing.solution.with_extras {
            if of == name && !at.is_disjoint(wanted) {
                is_there = true;
                if !versions.contains(version) {
                    return self.choose(name, versions);
                }
            }
        }
        let elsewhere = || self.packages(name).next();
        match is_there.then_some(()).or_else(|| elsewhere().filter(|one| versions.contains(&one.version)).map(drop)) {
            Some(()) => Ok(()),
            None => self.choose(name, versions),
        }
    }

    /// Sees to it that a project is there wherever it is needed.
    fn cover(&mut self, name: &Name, extra: Option<&Name>, wanted: &Marker) {
        let standing = self.standing.solution.with_extras.iter();
        let here = standing.filter(|(of, _, with, _)| of == name && with.as_ref() == extra).map(|(.., at)| at);
        let added = self.added.iter().filter(|(of, with, _)| of == name && with.as_ref() == extra);
        let left = here.chain(added.map(|(.., at)| at)).fold(wanted.clone(), |left, at| left.and(&at.not()));
        if !left.is_never() {
            let place = (name.clone(), extra.cloned(), left);
            self.added.push(place.clone());
            self.open.push_back(place);
        }
    }

    /// Gives a project the best version that everybody takes; who stays and takes none that the needs in hand allow has to move itself.
    fn choose(&mut self, name: &Name, versions: &Versions) -> Result<(), Stuck> {
        if self.choosing.contains(name) {
            return Err(Stuck::NoWay);
        }
        self.choosing.push(name.clone());
        let mut wanted = versions.intersection(&self.limited(name)?);
        for asked in self.asked.get(name).into_iter().flatten() {
            wanted = wanted.intersection(asked);
        }
        loop {
            let asked = self.standing.asked.get(name).into_iter().flatten();
            let staying: Vec<&(Name, Versions)> = asked.filter(|(asker, _)| !self.moved.contains_key(asker)).collect();
            let range = staying.iter().fold(wanted.clone(), |range, (_, asked)| range.intersection(asked));
            if let Some((version, metadata)) = self.best(name, &range)? {
                self.choosing.pop();
                return self.put(name.clone(), version, metadata);
            }
            let mut range = wanted.clone();
            let mut against = None;
            if self.best(name, &range)?.is_some() {
                for (asker, asked) in staying {
                    range = range.intersection(asked);
                    if self.best(name, &range)?.is_none() {
                        against = Some(asker.clone());
                        break;
                    }
                }
            }
            self.choose_other(&against.ok_or(Stuck::NoWay)?)?;
        }
    }

    /// Gives a project that cannot stay in its version the best other one.
    fn choose_other(&mut self, name: &Name) -> Result<(), Stuck> {
        let now = self.packages(name).next();
        let other = now.map_or_else(everything, |package| Ranges::singleton(package.version.clone()).complement());
        self.choose(name, &other)
    }

    /// The best version in a range that can be used, with its metadata. What stands in a final version does not move to a pre-release.
    fn best(&self, name: &Name, range: &Versions) -> Result<Option<(Version, Arc<Metadata>)>, Stuck> {
        let listing = self.index.listing(name).map_err(|_| Stuck::NoWay)?;
        let shelf = self.chooser.shelf(&listing);
        let is_final = self.packages(name).any(|package| !package.version.any_prerelease());
        let mut range = range.clone();
        for _ in 0..VERSIONS {
            let best = self.chooser.best(&shelf, &range);
            let Some((version, _)) = best.filter(|(version, _)| !is_final || !version.any_prerelease()) else { break };
            if let Some(metadata) = self.usable(name, &version) {
                return Ok(Some((version, metadata)));
            }
            range = range.intersection(&Ranges::singleton(version).complement());
        }
        Ok(None)
    }

    /// The metadata of a version that can be had for all Pythons of the set.
    fn usable(&self, name: &Name, version: &Version) -> Option<Arc<Metadata>> {
        let python = self.python;
        let listing = self.index.listing(name).ok()?;
        let shelf = self.chooser.shelf(&listing);
        let at = listing.releases.binary_search_by(|release| release.version.cmp(version)).ok()?;
        let Offer::Fits { file, requires_python, environments } = self.chooser.offer(&shelf, at) else { return None };
        let runs = requires_python.is_none_or(|asked| python.is_served_by(&asked));
        if !runs || version.is_local() && !environments.is_always() || !self.chooser.serves(&shelf, version, python) {
            return None;
        }
        let metadata = self.index.metadata(&file).ok()?;
        let runs = metadata.requires_python.as_ref().is_none_or(|asked| python.is_served_by(asked));
        (runs && metadata.name == *name && metadata.version == *version).then_some(metadata)
    }

    /// A version takes the place of the one in the set, or comes in.
    fn put(&mut self, name: Name, version: Version, metadata: Arc<Metadata>) -> Result<(), Stuck> {
        if self.packages(&name).any(|package| package.direct.is_some()) {
            return Err(Stuck::NoWay);
        }
        let standing = self.standing.solution.with_extras.iter().filter(|(of, ..)| *of == name);
        self.open.extend(standing.map(|(_, _, extra, at)| (name.clone(), extra.clone(), at.clone())));
        self.open.extend(self.added.iter().filter(|(of, ..)| *of == name).cloned());
        self.moved.insert(name, (version, metadata));
        Ok(())
    }
}

//! Which version of a project is taken, and which of its files speaks for it: pre-releases, yanked files, the cutoff date, tags.

use super::bounds::{Lower, PythonRange, Versions};
use super::listing::{File, Kind, Listing, Release};
use super::marker::Marker;
use super::requirement::Name;
use super::wheel::Platform;
use pep440_rs::{Version, VersionSpecifiers};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, OnceLock};

/// How versions are chosen.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Files uploaded at this time (milliseconds since 1970) or later do not exist.
    pub cutoff: Option<i64>,
    /// Cutoffs of single packages; `None`: no cutoff.
    pub cutoff_of: HashMap<Name, Option<i64>>,
    /// Which end of a range is taken.
    pub strategy: Strategy,
    /// What pre-releases are good for.
    pub prereleases: Prereleases,
    /// Whether source distributions count.
    pub sources: Sources,
    /// Wheels for these Pythons speak for a version before others do: so resolutions for several ranges of Pythons ask the same files.
    pub speakers: Option<PythonRange>,
}

/// Which end of a range is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The newest.
    #[default]
    Highest,
    /// The oldest.
    Lowest,
    /// The oldest of what the inputs ask for, the newest of the rest.
    LowestDirect,
}

/// What pre-releases are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prereleases {
    /// They are taken when no other version fits.
    #[default]
    WhenNeeded,
    /// They are versions like any other.
    Allowed,
    /// They are never taken.
    Never,
    /// They are taken when no other fits, for packages whose input names one.
    Named,
}

/// Whether source distributions count. They are never built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sources {
    /// Where their metadata is static.
    #[default]
    Static,
    /// Never: a version without wheels does not fit.
    Never,
}

/// For what is chosen.
#[derive(Debug, Clone)]
pub enum Target {
    /// One CPython 3.x on one platform.
    One(u64, Platform),
    /// Every platform.
    Universal(PythonRange),
}

/// What a version has to offer.
#[derive(Debug, Clone)]
pub enum Offer {
    /// It can be taken.
    Fits {
        /// The file that speaks for it.
        file: Arc<File>,
        /// The Pythons it runs on.
        requires_python: Option<VersionSpecifiers>,
        /// Where it can be installed.
        environments: Marker,
    },
    /// It cannot.
    Refused(Refusal),
    /// For this resolution it does not exist: all its files are too new.
    TooNew,
}

/// Why a version is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It was withdrawn.
    Yanked(String),
    /// It has only source distributions, and those do not count.
    OnlySource,
    /// None of its wheels is for this Python or platform.
    NoWheel,
    /// It has no file that can be installed.
    NoFile,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Yanked(reason) if reason.trim().is_empty() => f.write_str("was yanked"),
            Refusal::Yanked(reason) => write!(f, "was yanked ({})", reason.trim().trim_end_matches('.')),
            Refusal::OnlySource => f.write_str("has no wheel, and source distributions are not built"),
            Refusal::NoWheel => f.write_str("has no wheel for this Python and platform"),
            Refusal::NoFile => f.write_str("has no file that can be installed"),
        }
    }
}

/// A listing with what each version offers, found out when it is needed.
#[derive(Debug)]
pub struct Shelf {
    /// The listing.
    pub listing: Arc<Listing>,
    /// Versions that exist for this resolution, oldest first.
    pub known: Vec<Version>,
    /// Whether some version is a local build.
    pub has_locals: bool,
    offers: Vec<OnceLock<Offer>>,
}

/// Chooses versions.
#[derive(Debug)]
pub struct Chooser {
    /// How.
    pub policy: Policy,
    /// For what.
    pub target: Target,
    /// Yanked versions that may be taken: pinned ones.
    pub pinned: HashMap<Name, HashSet<Version>>,
    /// What the inputs ask for.
    pub direct: HashSet<Name>,
    /// Packages whose input names a pre-release.
    pub named_prereleases: HashSet<Name>,
    shelves: Mutex<HashMap<Name, Arc<Shelf>>>,
}

/// A version to prefer, with the environments it was chosen for.
#[derive(Debug, Clone)]
pub struct Preference {
    /// Where it was chosen.
    pub marker: Marker,
    /// The version.
    pub version: Version,
    /// Whether it comes from an earlier file, not from another fork of this resolution.
    pub earlier: bool,
}

impl Chooser {
    /// Chooses by a policy.
    pub fn new(policy: Policy, target: Target) -> Chooser {
        Chooser {
            policy,
            target,
            pinned: HashMap::new(),
            direct: HashSet::new(),
            named_prereleases: HashSet::new(),
            shelves: Mutex::default(),
        }
    }

    /// The shelf of a listing.
    pub fn shelf(&self, listing: &Arc<Listing>) -> Arc<Shelf> {
        let mut shelves = self.shelves.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let make = || {
            let cutoff = self.cutoff(&listing.name);
            let exists =
                |release: &&Release| cutoff.is_none_or(|cutoff| release.oldest.is_some_and(|time| time < cutoff));
            let known = listing.releases.iter().filter(exists).map(|release| release.version.clone()).collect();
            let has_locals = listing.releases.iter().any(|release| release.version.is_local());
            let offers = listing.releases.iter().map(|_| OnceLock::new()).collect();
            Arc::new(Shelf { listing: listing.clone(), known, has_locals, offers })
        };
        shelves.entry(listing.name.clone()).or_insert_with(make).clone()
    }

    /// The cutoff that counts for a package.
    pub fn cutoff(&self, name: &Name) -> Option<i64> {
        self.policy.cutoff_of.get(name).copied().unwrap_or(self.policy.cutoff)
    }

    /// Whether a file came after the cutoff. One without a date is as good as too new.
    pub fn is_too_new(&self, name: &Name, file: &File) -> bool {
        self.cutoff(name).is_some_and(|cutoff| file.uploaded.is_none_or(|uploaded| uploaded >= cutoff))
    }

    /// What a version offers.
    pub fn offer(&self, shelf: &Shelf, at: usize) -> Offer {
        let (Some(cell), Some(release)) = (shelf.offers.get(at), shelf.listing.releases.get(at)) else {
            return Offer::TooNew;
        };
        cell.get_or_init(|| self.judge(&shelf.listing.name, release)).clone()
    }

    fn judge(&self, name: &Name, release: &Release) -> Offer {
        let present: Vec<&Arc<File>> = release.files().iter().filter(|file| !self.is_too_new(name, file)).collect();
        if present.is_empty() {
            return Offer::TooNew;
        }
        let pinned = self.pinned.get(name).is_some_and(|versions| versions.contains(&release.version));
        let standing: Vec<&Arc<File>> =
            present.iter().filter(|file| pinned || file.yanked.is_none()).copied().collect();
        if standing.is_empty() {
            let reason = present.iter().find_map(|file| file.yanked.clone()).unwrap_or_default();
            return Offer::Refused(Refusal::Yanked(reason));
        }
        let wheels = standing.iter().filter(|file| matches!(file.kind, Kind::Wheel(_)));
        let fitting: Vec<&Arc<File>> = wheels.clone().filter(|file| self.fit(file).is_some()).copied().collect();
        let source = standing.iter().find(|file| file.kind == Kind::Source).copied();
        let source = source.filter(|_| self.policy.sources == Sources::Static);
        // Of wheels that fit equally well the first counts, as it does for uv.
        let best = fitting.iter().rev().max_by_key(|file| self.fit(file));
        if let Some(best) = best {
            let environments = match source {
                Some(_) => Marker::always(),
                None => environments(&fitting, &self.target),
            };
            return Offer::Fits { file: (*best).clone(), requires_python: best.requires_python.clone(), environments };
        }
        let any_wheel = wheels.clone().next().copied();
        match (any_wheel, source) {
            // A wheel for something else says the same as the source would, and needs no build.
            (wheel, Some(source)) => Offer::Fits {
                file: wheel.unwrap_or(source).clone(),
                requires_python: source.requires_python.clone(),
                environments: Marker::always(),
            },
            (Some(_), None) => Offer::Refused(Refusal::NoWheel),
            (None, None) if standing.iter().any(|file| file.kind == Kind::Source) => {
                Offer::Refused(Refusal::OnlySource)
            }
            (None, None) => Offer::Refused(Refusal::NoFile),
        }
    }

    /// Whether a version that fits somewhere can be installed on these Pythons: it has a source distribution that counts, or a wheel that
    /// is not for later ones. For a Python that is still to come there may be wheels one day.
    pub fn serves(&self, shelf: &Shelf, version: &Version, pythons: &PythonRange) -> bool {
        let pythons = &PythonRange { lower: Lower(Bound::Unbounded), upper: pythons.upper.clone() };
        let name = &shelf.listing.name;
        let pinned = self.pinned.get(name).is_some_and(|versions| versions.contains(version));
        let files = shelf.listing.release(version).map_or(&[][..], Release::files).iter();
        files.filter(|file| !self.is_too_new(name, file) && (pinned || file.yanked.is_none())).any(|file| {
            match &file.kind {
                Kind::Wheel(wheel) => wheel.serves(pythons),
                Kind::Source => self.policy.sources == Sources::Static,
            }
        })
    }

    fn fit(&self, file: &File) -> Option<(u32, Option<(u64, String)>)> {
        let Kind::Wheel(wheel) = &file.kind else { return None };
        let fit = match &self.target {
            Target::One(minor, platform) => wheel.fit(*minor, *platform),
            Target::Universal(pythons) => {
                let speaks = self.policy.speakers.as_ref().is_some_and(|speakers| wheel.serves(speakers));
                wheel.serves(pythons).then_some(u32::from(speaks))
            }
        };
        fit.map(|fit| (fit, wheel.build.clone()))
    }

    /// Whether the newest version of a range is taken.
    pub fn takes_highest(&self, name: &Name) -> bool {
        match self.policy.strategy {
            Strategy::Highest => true,
            Strategy::Lowest => false,
            Strategy::LowestDirect => !self.direct.contains(name),
        }
    }

    /// Chooses a version in a range: a preferred one, else the best.
    pub fn choose(
        &self,
        shelf: &Shelf,
        range: &Versions,
        preferences: &[Preference],
        environment: &Marker,
    ) -> Option<(Version, Offer)> {
        self.preferred(shelf, range, preferences, environment).or_else(|| self.best(shelf, range))
    }

    fn preferred(
        &self,
        shelf: &Shelf,
        range: &Versions,
        preferences: &[Preference],
        environment: &Marker,
    ) -> Option<(Version, Offer)> {
        let name = &shelf.listing.name;
        let may = |one: &&Preference| range.contains(&one.version) && self.may_prefer(name, one);
        let mut sorted: Vec<&Preference> = preferences.iter().filter(may).collect();
        // Most parts agree: only where they do not, their environments decide.
        if sorted.windows(2).any(|pair| pair[0].version != pair[1].version) {
            let highest = self.takes_highest(name);
            sorted.sort_by_cached_key(|one| {
                let version = one.version.clone();
                let order = if highest { (None, Some(Reverse(version))) } else { (Some(version), None) };
                (environment.is_disjoint(&one.marker), order)
            });
        }
        for preference in sorted {
            let Ok(at) = shelf.listing.releases.binary_search_by(|release| release.version.cmp(&preference.version))
            else {
                continue;
            };
            let at = self.local_of(shelf, at, range).unwrap_or(at);
            return Some((shelf.listing.releases[at].version.clone(), self.offer(shelf, at)));
        }
        None
    }

    fn may_prefer(&self, name: &Name, preference: &Preference) -> bool {
        if !preference.version.any_prerelease() {
            return true;
        }
        match self.policy.prereleases {
            Prereleases::Allowed => true,
            Prereleases::Never => false,
            Prereleases::WhenNeeded => preference.earlier,
            Prereleases::Named => preference.earlier && self.named_prereleases.contains(name),
        }
    }

    /// A local build of a preferred version goes before it.
    fn local_of(&self, shelf: &Shelf, at: usize, range: &Versions) -> Option<usize> {
        if !shelf.has_locals {
            return None;
        }
        let wanted = &shelf.listing.releases[at].version;
        let local = |release: &Release| {
            release.version.is_local()
                && release.version.clone().without_local() == *wanted
                && range.contains(&release.version)
        };
        (at + 1..shelf.listing.releases.len()).rev().find(|&at| local(&shelf.listing.releases[at]))
    }

    /// The best version of a range.
    pub fn best(&self, shelf: &Shelf, range: &Versions) -> Option<(Version, Offer)> {
        self.ordered(shelf, range).find_map(|at| match self.offer(shelf, at) {
            Offer::TooNew => None,
            offer => Some((shelf.listing.releases[at].version.clone(), offer)),
        })
    }

    /// The versions of a range, by their place, in the order in which they are tried.
    pub fn ordered<'s>(&self, shelf: &'s Shelf, range: &'s Versions) -> impl Iterator<Item = usize> + use<'s> {
        let releases = &shelf.listing.releases;
        let highest = self.takes_highest(&shelf.listing.name);
        let named = self.named_prereleases.contains(&shelf.listing.name);
        // Whether each pass takes final versions, and whether it takes pre-releases.
        let passes: &'static [(bool, bool)] = match self.policy.prereleases {
            Prereleases::Allowed => &[(true, true)],
            Prereleases::Never => &[(true, false)],
            Prereleases::Named if !named => &[(true, false)],
            Prereleases::WhenNeeded | Prereleases::Named => &[(true, false), (false, true)],
        };
        passes.iter().flat_map(move |(finals, prereleases)| {
            let places = (0..releases.len()).map(move |at| if highest { releases.len() - 1 - at } else { at });
            places.filter(move |&at| {
                let version = &releases[at].version;
                let counts = if version.any_prerelease() { prereleases } else { finals };
                *counts && range.contains(version)
            })
        })
    }

    /// The hashes of all files of a version that exist for this resolution, sorted.
    pub fn hashes(&self, name: &Name, release: &Release) -> Vec<String> {
        let uncounted_source = |file: &File| file.kind == Kind::Source && self.policy.sources == Sources::Never;
        let counts = |file: &&Arc<File>| uncounted_source(file) || !self.is_too_new(name, file);
        let mut hashes: Vec<String> =
            release.files().iter().filter(counts).flat_map(|file| file.hashes.iter().cloned()).collect();
        hashes.sort();
        hashes.dedup();
        hashes
    }
}

/// Where wheels can be installed. Only local builds are ever judged by it, so one target needs none.
fn environments(files: &[&Arc<File>], target: &Target) -> Marker {
    if matches!(target, Target::One(..)) {
        return Marker::always();
    }
    files.iter().fold(Marker::never(), |all, file| match &file.kind {
        Kind::Wheel(wheel) => all.or(&wheel.environments()),
        Kind::Source => Marker::always(),
    })
}

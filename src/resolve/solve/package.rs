//! What the solver decides on: packages, and the stand-ins for extras and markers of them. Also in which order.

use crate::resolve::bounds::{Versions, is_one};
use crate::resolve::marker::Marker;
use crate::resolve::requirement::{Name, Requirement, Source};
use pep440_rs::Version;
use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// What the solver decides on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// The inputs together.
    Root,
    /// The Python that is resolved for.
    Python,
    /// A project, or what an extra of it adds, under a marker.
    Real {
        /// The project.
        name: Name,
        /// The extra.
        extra: Option<Name>,
        /// Where it is needed.
        marker: Marker,
    },
    /// Stands for a project and its extra, which must have the same version.
    Extra {
        /// The project.
        name: Name,
        /// The extra.
        extra: Name,
        /// Where it is needed.
        marker: Marker,
    },
    /// Stands for a project where a marker holds, so that its version is that of the project.
    Marked {
        /// The project.
        name: Name,
        /// Where it is needed.
        marker: Marker,
    },
}

/// A shared [`Node`].
pub type Pkg = Arc<Node>;

/// The project itself.
pub fn base(name: &Name) -> Pkg {
    Arc::new(Node::Real { name: name.clone(), extra: None, marker: Marker::always() })
}

impl Node {
    /// The project.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Node::Root | Node::Python => None,
            Node::Real { name, .. } | Node::Extra { name, .. } | Node::Marked { name, .. } => Some(name),
        }
    }

    /// Where it is needed.
    pub fn marker(&self) -> Marker {
        match self {
            Node::Root | Node::Python => Marker::always(),
            Node::Real { marker, .. } | Node::Extra { marker, .. } | Node::Marked { marker, .. } => marker.clone(),
        }
    }

    /// The project that a stand-in stands for.
    pub fn stands_for(&self) -> Option<Pkg> {
        match self {
            Node::Extra { name, .. } | Node::Marked { name, .. } => Some(base(name)),
            _ => None,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Root => f.write_str("the inputs"),
            Node::Python => f.write_str("Python"),
            Node::Real { name, extra: Some(extra), .. } | Node::Extra { name, extra, .. } => {
                write!(f, "{name}[{extra}]")
            }
            Node::Real { name, .. } | Node::Marked { name, .. } => f.write_str(name),
        }
    }
}

/// A need of a package.
#[derive(Debug, Clone)]
pub struct Need {
    /// Of what.
    pub package: Pkg,
    /// Which versions.
    pub versions: Versions,
    /// From where, when not from an index.
    pub direct: Option<Arc<str>>,
}

impl Need {
    /// The needs that a requirement stands for: one for each extra.
    pub fn of(requirement: &Requirement) -> Vec<Need> {
        let marker = requirement.marker.ignoring_extras();
        let (versions, direct) = match &requirement.source {
            Source::Index(specifiers) => (crate::resolve::bounds::allowed(specifiers), None),
            Source::Direct(url) => (crate::resolve::bounds::everything(), Some(url.clone())),
        };
        let name = || requirement.name.clone();
        let need =
            |package: Node| Need { package: Arc::new(package), versions: versions.clone(), direct: direct.clone() };
        if !requirement.extras.is_empty() {
            let extra = |extra: &Name| Node::Extra { name: name(), extra: extra.clone(), marker: marker.clone() };
            return requirement.extras.iter().map(|one| need(extra(one))).collect();
        }
        if marker.is_always() {
            return vec![need(Node::Real { name: name(), extra: None, marker })];
        }
        vec![need(Node::Marked { name: name(), marker })]
    }
}

/// The order of decisions: what is tied to one version goes first, then what often conflicts, then first come, first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Nothing is known of it.
    Unspecified(Reverse<usize>),
    /// Others were often rejected because of it.
    ConflictLate(Reverse<usize>),
    /// It was often rejected.
    ConflictEarly(Reverse<usize>),
    /// One version is asked for.
    One(Reverse<usize>),
    /// A URL is asked for.
    Direct(Reverse<usize>),
    /// The inputs.
    Root,
}

impl Rank {
    fn index(self) -> usize {
        match self {
            Rank::Unspecified(Reverse(at))
            | Rank::ConflictLate(Reverse(at))
            | Rank::ConflictEarly(Reverse(at))
            | Rank::One(Reverse(at))
            | Rank::Direct(Reverse(at)) => at,
            Rank::Root => 0,
        }
    }
}

/// Ranks of projects, and the order in which stand-ins were met.
#[derive(Debug, Clone, Default)]
pub struct Ranks {
    ranks: HashMap<Name, Rank>,
    met: HashMap<Pkg, usize>,
}

impl Ranks {
    /// Notes a need.
    pub fn note(&mut self, package: &Pkg, versions: &Versions, is_direct: impl Fn(&Name) -> bool) {
        let len = self.met.len();
        self.met.entry(package.clone()).or_insert(len);
        let Some(name) = package.name() else { return };
        let known = self.ranks.get(name).copied();
        let at = Reverse(known.map_or(self.ranks.len(), Rank::index));
        let rank = match known {
            _ if is_direct(name) => Rank::Direct(at),
            _ if is_one(versions) => Rank::One(at),
            // Ranks won by conflicts stay, else decisions would seesaw.
            Some(Rank::ConflictEarly(_) | Rank::ConflictLate(_)) => return,
            _ => Rank::Unspecified(at),
        };
        if known.is_none_or(|known| rank > known) {
            self.ranks.insert(name.clone(), rank);
        }
    }

    /// The rank of a package.
    pub fn of(&self, package: &Pkg) -> (Rank, Reverse<usize>) {
        let Some(name) = package.name() else { return (Rank::Root, Reverse(usize::from(**package == Node::Python))) };
        let rank = self.ranks.get(name).copied().unwrap_or(Rank::Unspecified(Reverse(usize::MAX)));
        (rank, Reverse(self.met.get(package).copied().unwrap_or(usize::MAX)))
    }

    /// Decides a package earlier. Whether that is new.
    pub fn earlier(&mut self, package: &Pkg) -> bool {
        let Some(name) = package.name() else { return false };
        let known = self.ranks.get(name).copied();
        if matches!(known, Some(Rank::ConflictEarly(_))) {
            return false;
        }
        let at = Reverse(known.map_or(self.ranks.len(), Rank::index));
        self.ranks.insert(name.clone(), Rank::ConflictEarly(at));
        true
    }

    /// Decides a package later than those that it rejects. Whether that is new.
    pub fn later(&mut self, package: &Pkg) -> bool {
        let Some(name) = package.name() else { return false };
        let known = self.ranks.get(name).copied();
        if matches!(known, Some(Rank::ConflictEarly(_) | Rank::ConflictLate(_))) {
            return false;
        }
        let at = Reverse(known.map_or(self.ranks.len(), Rank::index));
        self.ranks.insert(name.clone(), Rank::ConflictLate(at));
        true
    }
}

/// Types for pubgrub. Its state is driven by hand, so its questions never come here.
#[derive(Debug, Clone)]
pub struct Types;

impl DependencyProvider for Types {
    type P = Pkg;
    type V = Version;
    type VS = Versions;
    type Priority = (Rank, Reverse<usize>);
    type M = String;
    type Err = Infallible;

    fn prioritize(&self, package: &Pkg, _: &Versions, _: &PackageResolutionStatistics) -> Self::Priority {
        Ranks::default().of(package)
    }

    fn choose_version(&self, _: &Pkg, _: &Versions) -> Result<Option<Version>, Infallible> {
        Ok(None)
    }

    fn get_dependencies(&self, _: &Pkg, _: &Version) -> Result<Dependencies<Pkg, Versions, String>, Infallible> {
        Ok(Dependencies::Unavailable("it is not asked".to_string()))
    }
}

/// What often conflicts.
#[derive(Debug, Clone)]
pub struct Conflicts<Id: std::hash::Hash + Eq> {
    /// How often a decision was rejected because of others.
    pub affected: HashMap<Id, usize>,
    /// How often others were rejected because of it.
    pub culprit: HashMap<Id, usize>,
    /// To be decided earlier.
    pub earlier: Vec<Id>,
    /// To be decided later.
    pub later: Vec<Id>,
}

impl<Id: std::hash::Hash + Eq> Default for Conflicts<Id> {
    fn default() -> Self {
        Conflicts { affected: HashMap::new(), culprit: HashMap::new(), earlier: Vec::new(), later: Vec::new() }
    }
}

//! One part of the environments being solved, and how it is narrowed and split.

use super::ahead::Hint;
use super::fork::Environment;
use super::package::{Conflicts, Pkg, Ranks, Types};
use crate::resolve::bounds::{PythonRange, Versions, everything};
use crate::resolve::listing::File;
use crate::resolve::marker::Marker;
use crate::resolve::requirement::Name;
use pep440_rs::Version;
use pubgrub::{Id, State, Term};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// After how many conflicts the order of decisions changes.
const CONFLICTS: usize = 5;

pub(super) type PkgId = Id<Pkg>;

/// One part of the environments being solved.
#[derive(Clone)]
pub(super) struct Branch {
    pub(super) state: State<Types>,
    pub(super) next: PkgId,
    /// The package that a split happened on: it is decided first, without propagation.
    pub(super) first: Option<PkgId>,
    /// The version that a split chose for it.
    pub(super) first_version: Option<Version>,
    pub(super) ranks: Ranks,
    pub(super) conflicts: Conflicts<PkgId>,
    pub(super) added: HashMap<PkgId, HashSet<Version>>,
    pub(super) picked: HashMap<(Name, Version), Arc<File>>,
    pub(super) direct: HashMap<Name, Arc<str>>,
    pub(super) hinted: HashMap<PkgId, Hint>,
    /// The version of each project that was tried last, and how many were tried.
    pub(super) tried: HashMap<Name, (Version, usize)>,
    pub(super) environment: Environment,
    pub(super) pythons: PythonRange,
}

impl Branch {
    /// Before anything is decided.
    pub(super) fn new(state: State<Types>, environment: Environment, pythons: PythonRange) -> Branch {
        Branch {
            next: state.root_package,
            state,
            first: None,
            first_version: None,
            ranks: Ranks::default(),
            conflicts: Conflicts::default(),
            added: HashMap::new(),
            picked: HashMap::new(),
            direct: HashMap::new(),
            hinted: HashMap::new(),
            tried: HashMap::new(),
            environment,
            pythons,
        }
    }

    /// The versions of the package in hand that are still possible.
    pub(super) fn range(&self) -> Versions {
        match self.state.partial_solution.term_intersection_for_package(self.next) {
            Some(Term::Positive(range)) => range.clone(),
            _ => everything(),
        }
    }

    pub(super) fn narrow(&mut self, marker: Marker) {
        if let Some(narrowed) = marker.python_bounds().and_then(|bounds| self.pythons.narrowed(&bounds)) {
            self.pythons = narrowed;
        }
        self.environment = Environment::Many(marker);
    }

    pub(super) fn split(self, parts: Vec<(Marker, Option<Version>)>) -> Vec<Branch> {
        let part = |(marker, version): (Marker, Option<Version>)| {
            let mut part = self.clone();
            part.first = Some(self.next);
            part.first_version = version;
            part.narrow(marker);
            part
        };
        parts.into_iter().map(part).collect()
    }

    pub(super) fn record(&mut self, affected: PkgId, packages: &[PkgId]) {
        let store = &self.state.package_store;
        let mut real = false;
        for &culprit in packages.iter().filter(|&&culprit| culprit != affected) {
            // A project and its own stand-ins conflict all the time, and that says nothing.
            if store[affected].name() == store[culprit].name() {
                continue;
            }
            real = true;
            let count = self.conflicts.culprit.entry(culprit).or_default();
            *count += 1;
            if *count == CONFLICTS {
                self.conflicts.later.push(culprit);
            }
        }
        if real {
            let count = self.conflicts.affected.entry(self.next).or_default();
            *count += 1;
            if *count == CONFLICTS {
                self.conflicts.earlier.push(self.next);
            }
        }
    }

    pub(super) fn reorder(&mut self) {
        for id in std::mem::take(&mut self.conflicts.earlier) {
            self.ranks.earlier(&self.state.package_store[id]);
        }
        for id in std::mem::take(&mut self.conflicts.later) {
            if self.ranks.later(&self.state.package_store[id]) {
                self.state.backtrack_package(id);
            }
        }
    }
}

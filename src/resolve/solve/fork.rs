//! Where a universal resolution splits: on needs of one project under different markers, and on newer Pythons.

use super::package::Need;
use crate::resolve::bounds::{Lower, PythonRange};
use crate::resolve::marker::Marker;
use crate::resolve::requirement::Name;
use pep508_rs::MarkerEnvironment;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The environments of a (part of a) resolution.
#[derive(Debug, Clone)]
pub enum Environment {
    /// Exactly one.
    One(Box<MarkerEnvironment>),
    /// All that a marker holds in.
    Many(Marker),
}

impl Environment {
    /// Whether it has something in common with a marker.
    pub fn meets(&self, marker: &Marker) -> bool {
        match self {
            Environment::One(_) => true,
            Environment::Many(own) => !own.is_disjoint(marker),
        }
    }

    /// Whether a marker can hold; for one environment: whether it does.
    pub fn holds(&self, marker: &Marker) -> bool {
        match self {
            Environment::One(one) => marker.holds(one),
            Environment::Many(_) => true,
        }
    }

    /// The marker of a part.
    pub fn marker(&self) -> Marker {
        match self {
            Environment::One(_) => Marker::always(),
            Environment::Many(own) => own.clone(),
        }
    }

    /// Whether it is all environments or a part of them.
    pub fn is_universal(&self) -> bool {
        matches!(self, Environment::Many(_))
    }
}

/// The needs of a version in one part of the environments.
#[derive(Debug, Clone)]
pub struct Fork {
    /// The part.
    pub marker: Marker,
    /// What is needed there.
    pub needs: Vec<Need>,
}

impl Fork {
    fn add(&mut self, need: &Need) {
        self.needs.push(need.clone());
    }

    fn lower(&self) -> Lower {
        lower_of(&self.marker)
    }

    fn upper_bounds(&self) -> usize {
        let bounded =
            |need: &&Need| need.versions.bounding_range().is_some_and(|(_, upper)| !matches!(upper, Bound::Unbounded));
        self.needs.iter().filter(bounded).count()
    }

    /// The order in which forks are solved, last first: those for newer Pythons, then those with more upper bounds.
    pub fn order(&self, other: &Fork) -> Ordering {
        self.lower().cmp(&other.lower()).then_with(|| self.upper_bounds().cmp(&other.upper_bounds()))
    }

    /// The order for the lowest versions: older Pythons first.
    pub fn order_lowest(&self, other: &Fork) -> Ordering {
        self.lower().cmp(&other.lower()).reverse().then_with(|| self.upper_bounds().cmp(&other.upper_bounds()))
    }
}

/// The lower bound of Python that a marker sets.
pub fn lower_of(marker: &Marker) -> Lower {
    marker.python_bounds().map_or(Lower(Bound::Unbounded), |range| range.lower)
}

/// Splits needs where one project is needed differently under different markers. One fork: no split.
pub fn split(needs: Vec<Need>, environment: &Marker, pythons: &PythonRange) -> Vec<Fork> {
    let python_marker = python_marker(pythons);
    let mut by_name: BTreeMap<Name, Vec<Need>> = BTreeMap::new();
    for need in needs {
        if let Some(name) = need.package.name() {
            by_name.entry(name.clone()).or_default().push(need);
        }
    }
    let mut forks = vec![Fork { marker: environment.clone(), needs: Vec::new() }];
    for needs in by_name.into_values() {
        let first = needs.first().map(|need| need.package.marker()).unwrap_or_else(Marker::always);
        let same = needs.iter().all(|need| need.package.marker() == first);
        let raises = first.python_bounds().is_some_and(|bounds| pythons.is_raised_by(&bounds));
        if same && !raises {
            for need in &needs {
                forks.iter_mut().filter(|fork| !fork.marker.is_disjoint(&first)).for_each(|fork| fork.add(need));
            }
            continue;
        }
        for need in &needs {
            forks = split_on(need, forks, environment, &python_marker);
        }
    }
    forks
}

fn split_on(need: &Need, mut forks: Vec<Fork>, environment: &Marker, python_marker: &Marker) -> Vec<Fork> {
    let marker = need.package.marker();
    if environment.is_disjoint(&marker) {
        return forks;
    }
    if marker.is_always() {
        forks.iter_mut().for_each(|fork| fork.add(need));
        return forks;
    }
    let mut remaining = marker.clone();
    let mut out = Vec::new();
    for fork in forks {
        if fork.marker.is_disjoint(&remaining) {
            out.push(fork);
            continue;
        }
        let outside = remaining.not();
        let mut parts = Vec::new();
        if !fork.marker.is_disjoint(&outside) {
            parts.push(fork.marker.and(&outside));
        }
        parts.push(fork.marker.and(&remaining));
        remaining = remaining.and(&fork.marker.not());
        for part in parts {
            let mut new = Fork { marker: part, needs: fork.needs.clone() };
            let own = new.marker.clone();
            new.needs.retain(|need| !own.is_disjoint(&need.package.marker()));
            // Some forks are there to leave the need out.
            if !new.marker.is_disjoint(&marker) {
                new.add(need);
            }
            if !new.marker.is_disjoint(python_marker) {
                out.push(new);
            }
        }
    }
    out
}

/// A range of Pythons as a marker.
pub fn python_marker(pythons: &PythonRange) -> Marker {
    pythons.specifiers().into_iter().fold(Marker::always(), |all, specifier| all.and(&Marker::python(specifier)))
}

/// Splits an environment at the Python that a version asks for. Empty: there is nothing to split.
pub fn split_python(asked: &Lower, environment: &Marker, pythons: &PythonRange) -> Vec<Marker> {
    let Some((before, after)) = pythons.split(asked) else { return Vec::new() };
    let parts = [python_marker(&before), python_marker(&after)];
    parts.iter().filter(|part| !environment.is_disjoint(part)).map(|part| environment.and(part)).collect()
}

/// Splits an environment in two by a marker. `None`: one part would be empty.
pub fn split_marker(environment: &Marker, marker: &Marker) -> Option<(Marker, Marker)> {
    let rest = marker.not();
    if environment.is_disjoint(marker) || environment.is_disjoint(&rest) {
        return None;
    }
    Some((environment.and(marker), environment.and(&rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::requirement::{Requirement, specifiers};

    fn forks(needs: &[&str], python: &str) -> Vec<String> {
        let needs = needs.iter().flat_map(|text| Need::of(&Requirement::parse(text).unwrap())).collect();
        let pythons = PythonRange::of(&specifiers(python).unwrap());
        let show = |fork: &Fork| format!("{} ({})", fork.marker, fork.needs.len());
        split(needs, &Marker::always(), &pythons).iter().map(show).collect()
    }

    #[test]
    fn only_different_markers_split() {
        assert_eq!(forks(&["a>1 ; sys_platform == 'win32'", "b"], ">=3.9"), ["always (2)"]);
        assert_eq!(
            forks(&["a<2 ; python_version < '3.11'", "a>=2 ; python_version >= '3.11'"], ">=3.9"),
            ["python_full_version >= '3.11' (1)", "python_full_version < '3.11' (1)"]
        );
        assert_eq!(forks(&["a ; python_version >= '3.10'"], ">=3.9").len(), 2);
        assert_eq!(forks(&["a ; python_version >= '3.8'"], ">=3.9").len(), 1);
    }
}

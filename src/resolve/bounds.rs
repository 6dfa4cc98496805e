//! Ranges of versions: what specifiers allow of a package, and the bounds of Python. Knows no marker and no package.

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers, release_specifiers_to_ranges};
use pubgrub::Ranges;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;

/// Versions of a package.
pub type Versions = Ranges<Version>;

/// Every version.
pub fn everything() -> Versions {
    Ranges::full()
}

/// What specifiers allow. A version without a local part stands for its local builds too (`==1.0` takes `1.0+cpu`).
pub fn allowed(specifiers: &VersionSpecifiers) -> Versions {
    specifiers.iter().fold(Ranges::full(), |all, specifier| all.intersection(&clause(specifier)))
}

fn clause(specifier: &VersionSpecifier) -> Versions {
    let version = specifier.version();
    match specifier.operator() {
        Operator::Equal if !version.is_local() => with_locals(version),
        Operator::NotEqual if !version.is_local() => with_locals(version).complement(),
        Operator::LessThanEqual if !version.is_local() => Ranges::strictly_lower_than(after_locals(version)),
        _ => {
            let plain = version_ranges_of(specifier);
            plain.into_iter().collect()
        }
    }
}

/// The rest is `pep440_rs`'s own conversion, whose range type is another crate's.
fn version_ranges_of(specifier: &VersionSpecifier) -> Vec<(Bound<Version>, Bound<Version>)> {
    let version = specifier.version().clone();
    let from = |lower: Version| vec![(Bound::Included(lower), Bound::Unbounded)];
    match specifier.operator() {
        Operator::Equal | Operator::ExactEqual => vec![(Bound::Included(version.clone()), Bound::Included(version))],
        Operator::NotEqual => {
            vec![(Bound::Unbounded, Bound::Excluded(version.clone())), (Bound::Excluded(version), Bound::Unbounded)]
        }
        Operator::TildeEqual => {
            let upper = next_of(&version.release()[..version.release().len().saturating_sub(1)]);
            let upper = upper.with_epoch(version.epoch()).with_dev(Some(0));
            vec![(Bound::Included(version), Bound::Excluded(upper))]
        }
        Operator::LessThan if version.any_prerelease() => vec![(Bound::Unbounded, Bound::Excluded(version))],
        Operator::LessThan => vec![(Bound::Unbounded, Bound::Excluded(version.with_min(Some(0))))],
        Operator::LessThanEqual => vec![(Bound::Unbounded, Bound::Included(version))],
        Operator::GreaterThan => match (version.dev(), version.post()) {
            (Some(dev), _) => from(version.with_dev(Some(dev + 1))),
            (None, Some(post)) => from(version.with_post(Some(post + 1))),
            _ => vec![(Bound::Excluded(version.with_max(Some(0))), Bound::Unbounded)],
        },
        Operator::GreaterThanEqual => from(version),
        Operator::EqualStar | Operator::NotEqualStar => {
            let lower = version.clone().with_dev(Some(0));
            let upper = match (version.post(), version.pre()) {
                (Some(post), _) => version.with_post(Some(post + 1)),
                (None, Some(mut pre)) => {
                    pre.number += 1;
                    version.with_pre(Some(pre))
                }
                _ => next_of(version.release()).with_epoch(version.epoch()),
            };
            let upper = upper.with_dev(Some(0));
            if *specifier.operator() == Operator::EqualStar {
                vec![(Bound::Included(lower), Bound::Excluded(upper))]
            } else {
                vec![(Bound::Unbounded, Bound::Excluded(lower)), (Bound::Included(upper), Bound::Unbounded)]
            }
        }
    }
}

/// The release after all that begin with these numbers.
fn next_of(release: &[u64]) -> Version {
    let mut numbers = release.to_vec();
    if let Some(last) = numbers.last_mut() {
        *last += 1;
    }
    Version::new(numbers)
}

fn with_locals(version: &Version) -> Versions {
    Ranges::from_range_bounds(version.clone()..after_locals(version))
}

/// The first version after a version and its local builds.
fn after_locals(version: &Version) -> Version {
    match (version.dev(), version.post()) {
        (Some(dev), _) => version.clone().with_dev(Some(dev + 1)),
        (None, Some(post)) => version.clone().with_post(Some(post + 1)).with_dev(Some(0)),
        (None, None) => version.clone().with_post(Some(0)).with_dev(Some(0)),
    }
}

/// Whether a range is one version, its local builds apart.
pub fn is_one(range: &Versions) -> bool {
    if range.as_singleton().is_some() {
        return true;
    }
    let mut segments = range.iter();
    match (segments.next(), segments.next()) {
        (Some((Bound::Included(lower), Bound::Excluded(upper))), None) => *upper == after_locals(lower),
        (None, _) => true,
        _ => false,
    }
}

/// A lower bound; unbounded is the lowest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lower(pub Bound<Version>);

/// An upper bound; unbounded is the highest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Upper(pub Bound<Version>);

impl Ord for Lower {
    fn cmp(&self, other: &Lower) -> Ordering {
        let key = |bound: &Bound<Version>| match bound {
            Bound::Unbounded => (None, 0),
            Bound::Included(version) => (Some(version.clone()), 0),
            Bound::Excluded(version) => (Some(version.clone()), 1),
        };
        key(&self.0).cmp(&key(&other.0))
    }
}

impl Ord for Upper {
    fn cmp(&self, other: &Upper) -> Ordering {
        let key = |bound: &Bound<Version>| match bound {
            Bound::Unbounded => (1, None, 0),
            Bound::Included(version) => (0, Some(version.clone()), 1),
            Bound::Excluded(version) => (0, Some(version.clone()), 0),
        };
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for Lower {
    fn partial_cmp(&self, other: &Lower) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialOrd for Upper {
    fn partial_cmp(&self, other: &Upper) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The Pythons that a resolution is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PythonRange {
    /// The oldest.
    pub lower: Lower,
    /// The newest.
    pub upper: Upper,
}

impl PythonRange {
    /// Between two bounds; Pythons are compared by their release alone.
    pub fn new(lower: Bound<Version>, upper: Bound<Version>) -> PythonRange {
        let plain = |bound: Bound<Version>| bound.map(|version| version.only_release());
        PythonRange { lower: Lower(plain(lower)), upper: Upper(plain(upper)) }
    }

    /// This version and later ones.
    pub fn from(version: &Version) -> PythonRange {
        PythonRange::new(Bound::Included(without_zeros(&version.only_release())), Bound::Unbounded)
    }

    /// What `requires-python` says; its holes are forgotten.
    pub fn of(specifiers: &VersionSpecifiers) -> PythonRange {
        let ranges: Vec<_> = release_specifiers_to_ranges(specifiers.clone())
            .iter()
            .map(|(lower, upper)| (lower.clone(), upper.clone()))
            .collect();
        match (ranges.first(), ranges.last()) {
            (Some((lower, _)), Some((_, upper))) => PythonRange::new(lower.clone(), upper.clone()),
            _ => PythonRange::new(Bound::Unbounded, Bound::Unbounded),
        }
    }

    fn ranges(&self) -> Versions {
        Ranges::from_range_bounds::<(Bound<Version>, Bound<Version>), Version>((
            self.lower.0.clone(),
            self.upper.0.clone(),
        ))
    }

    /// Whether a package that asks for `specifiers` can serve the oldest Python of the range.
    pub fn is_served_by(&self, specifiers: &VersionSpecifiers) -> bool {
        self.lower >= PythonRange::of(specifiers).lower
    }

    /// Whether bounds begin later.
    pub fn is_raised_by(&self, bounds: &PythonRange) -> bool {
        bounds.lower > self.lower
    }

    /// The part of the range within bounds, when they are tighter on a side.
    pub fn narrowed(&self, bounds: &PythonRange) -> Option<PythonRange> {
        if bounds == self {
            return None;
        }
        let (lower, upper) = (bounds.lower >= self.lower, bounds.upper <= self.upper);
        if !lower && !upper {
            return None;
        }
        let lower = if lower { bounds.lower.clone() } else { self.lower.clone() };
        let upper = if upper { bounds.upper.clone() } else { self.upper.clone() };
        Some(PythonRange { lower, upper })
    }

    /// What lies before and what from a bound on; `None` when one of them is empty.
    pub fn split(&self, at: &Lower) -> Option<(PythonRange, PythonRange)> {
        let upper: Versions = Ranges::from_range_bounds::<(Bound<Version>, Bound<Version>), Version>((
            at.0.clone(),
            self.upper.0.clone(),
        ));
        let lower = upper.complement().intersection(&self.ranges());
        let upper = upper.intersection(&self.ranges());
        let range = |ranges: &Versions| {
            ranges.bounding_range().map(|(lower, upper)| PythonRange::new(lower.cloned(), upper.cloned()))
        };
        Some((range(&lower)?, range(&upper)?))
    }

    /// The range as specifiers.
    pub fn specifiers(&self) -> Vec<VersionSpecifier> {
        let lower = VersionSpecifier::from_lower_bound(&self.lower.0);
        lower.into_iter().chain(VersionSpecifier::from_upper_bound(&self.upper.0)).collect()
    }

    /// Major and minor number of the lower bound.
    pub fn lower_minor(&self) -> Option<(u64, u64)> {
        minor_of(&self.lower.0)
    }

    /// Major and minor number of the upper bound, and whether it is in the range.
    pub fn upper_minor(&self) -> Option<(u64, u64, bool)> {
        let (major, minor) = minor_of(&self.upper.0)?;
        // Below 3.12.4 still takes 3.12.
        let patch = |version: &Version| version.release().len() > 2;
        let inside = match &self.upper.0 {
            Bound::Included(_) => true,
            Bound::Excluded(version) => patch(version),
            Bound::Unbounded => return None,
        };
        Some((major, minor, inside))
    }
}

fn minor_of(bound: &Bound<Version>) -> Option<(u64, u64)> {
    let (Bound::Included(version) | Bound::Excluded(version)) = bound else { return None };
    let release = version.release();
    Some((*release.first()?, release.get(1).copied().unwrap_or(0)))
}

/// `3.12` of `3.12.0`.
pub fn without_zeros(version: &Version) -> Version {
    let mut release = version.release().to_vec();
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    version.clone().with_release(release)
}

impl fmt::Display for PythonRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.specifiers().iter().map(ToString::to_string).collect();
        f.write_str(if parts.is_empty() { "any" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn takes(specifiers: &str, version: &str) -> bool {
        let specifiers = VersionSpecifiers::from_str(specifiers).unwrap();
        allowed(&specifiers).contains(&Version::from_str(version).unwrap())
    }

    #[test]
    fn local_builds_belong_to_their_version() {
        assert!(takes("==2.0", "2.0+cpu") && takes("<=2.0", "2.0+cpu") && !takes("!=2.0", "2.0+cpu"));
        assert!(!takes(">2.0", "2.0+cpu") && !takes("==2.0", "2.0.post1") && !takes("==2.0+cpu", "2.0"));
        assert!(takes("==2.0.post1", "2.0.post1+x") && !takes("==2.0.post1", "2.0.post2.dev0"));
    }

    #[test]
    fn specifiers_are_read_as_written_down_in_pep_440() {
        for (specifiers, inside, outside) in [
            ("~=2.2", "2.9", "3.0.dev0"),
            ("~=2.2.1", "2.2.9", "2.3"),
            ("==1.*", "1.9a1", "2.0.dev0"),
            ("!=1.5.*", "1.6", "1.5.3"),
            ("<2", "1.9", "2.0rc1"),
            (">1.7", "1.7.1", "1.7.post1"),
            (">=1a1", "1.0", "0.9"),
        ] {
            assert!(takes(specifiers, inside), "{specifiers} {inside}");
            assert!(!takes(specifiers, outside), "{specifiers} {outside}");
        }
    }

    #[test]
    fn ranges_of_python_split_and_narrow() {
        let range = |text: &str| PythonRange::of(&VersionSpecifiers::from_str(text).unwrap());
        let (before, after) = range(">=3.9").split(&range(">=3.11").lower).unwrap();
        assert_eq!((before.to_string(), after.to_string()), (">=3.9, <3.11".to_string(), ">=3.11".to_string()));
        assert!(range(">=3.9").split(&range(">=3.8").lower).is_none());
        assert!(range(">=3.9").is_served_by(&VersionSpecifiers::from_str(">=3.7,<3.10").unwrap()));
        assert_eq!(range(">=3.9").narrowed(&range("<3.11")).unwrap().to_string(), ">=3.9, <3.11");
        assert!(range(">=3.9").is_raised_by(&range(">=3.9.1")));
    }
}

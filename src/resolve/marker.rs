//! Environment markers as the resolver computes with them: sets of environments. Knows no package.
//!
//! A thin layer over `pep508_rs` that adds what uv does on top: `platform_system` is read as `sys_platform` where both say the same, and
//! environments that cannot exist (`os_name == 'nt'` on Linux) count as empty.

mod spell;

use super::bounds::{Lower, PythonRange, Upper};
use pep440_rs::{Version, VersionSpecifier};
use pep508_rs::marker::{ExtraOperator, MarkerOperator, MarkerValueExtra, MarkerValueString, MarkerValueVersion};
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerExpression, MarkerTree, MarkerTreeKind};
use std::collections::HashMap;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex};

/// A set of environments.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Marker(MarkerTree);

/// Values of `platform_system` that say exactly what a `sys_platform` says.
const SAME_PLATFORM: [(&str, &str); 6] = [
    ("Windows", "win32"),
    ("Darwin", "darwin"),
    ("Linux", "linux"),
    ("AIX", "aix"),
    ("Emscripten", "emscripten"),
    ("Android", "android"),
];

/// Environments that cannot exist, as pairs of values of `os_name` and `sys_platform`.
const NO_OS: [(&str, &str); 4] = [("nt", "linux"), ("nt", "darwin"), ("nt", "ios"), ("posix", "win32")];

/// Systems that have a `sys_platform` of their own, which carries a version.
const OTHER_SYSTEMS: [&str; 6] = ["FreeBSD", "NetBSD", "OpenBSD", "SunOS", "iOS", "iPadOS"];

/// Platforms that none of the other systems is.
const OTHER_PLATFORMS: [&str; 9] =
    ["aix", "android", "emscripten", "ios", "linux", "darwin", "win32", "cygwin", "wasi"];

/// Everything that can exist.
static POSSIBLE: LazyLock<MarkerTree> = LazyLock::new(|| {
    let mut impossible = MarkerTree::FALSE;
    let mut exclude = |(a, left): (MarkerValueString, &str), right: &str| {
        let mut both = equal(a, left);
        both.and(equal(MarkerValueString::SysPlatform, right));
        impossible.or(both);
    };
    for (os, platform) in NO_OS {
        exclude((MarkerValueString::OsName, os), platform);
    }
    for system in OTHER_SYSTEMS {
        let own = |platform: &&&str| !(**platform == "ios" && system.starts_with('i'));
        for platform in OTHER_PLATFORMS.iter().filter(own) {
            exclude((MarkerValueString::PlatformSystem, system), platform);
        }
    }
    impossible.negate()
});

fn equal(key: MarkerValueString, value: &str) -> MarkerTree {
    MarkerTree::expression(MarkerExpression::String { key, operator: MarkerOperator::Equal, value: value.to_string() })
}

impl Marker {
    /// Every environment.
    pub fn always() -> Marker {
        Marker(MarkerTree::TRUE)
    }

    /// No environment.
    pub fn never() -> Marker {
        Marker(MarkerTree::FALSE)
    }

    /// Reads a marker. `None`: it is none.
    pub fn parse(text: &str) -> Option<Marker> {
        if text.trim().is_empty() {
            return Some(Marker::always());
        }
        MarkerTree::from_str(text).ok().map(Marker::of)
    }

    /// Takes a parsed one.
    pub fn of(tree: MarkerTree) -> Marker {
        if tree.is_true() || tree.is_false() {
            return Marker(tree);
        }
        Marker(Rebuild { extras: &|_| None }.lowered(&tree))
    }

    /// `sys_platform == value` and its like.
    pub fn string(key: MarkerValueString, value: &str) -> Marker {
        Marker(equal(key, value))
    }

    /// A condition on the full version of Python.
    pub fn python(specifier: VersionSpecifier) -> Marker {
        let key = MarkerValueVersion::PythonFullVersion;
        Marker(MarkerTree::expression(MarkerExpression::Version { key, specifier }))
    }

    /// Whether it holds everywhere.
    pub fn is_always(&self) -> bool {
        self.0.is_true()
    }

    /// Whether it holds nowhere.
    pub fn is_never(&self) -> bool {
        self.0.is_false()
    }

    /// Both.
    #[must_use]
    pub fn and(&self, other: &Marker) -> Marker {
        if self.is_always() || self == other {
            return other.clone();
        }
        if other.is_always() {
            return self.clone();
        }
        let mut both = self.0.clone();
        both.and(other.0.clone());
        if !both.is_false() && both.is_disjoint(&POSSIBLE) { Marker::never() } else { Marker(both) }
    }

    /// Either.
    #[must_use]
    pub fn or(&self, other: &Marker) -> Marker {
        if self == other {
            return self.clone();
        }
        let mut either = self.0.clone();
        either.or(other.0.clone());
        Marker(either)
    }

    /// The rest.
    #[must_use]
    pub fn not(&self) -> Marker {
        Marker(self.0.negate())
    }

    /// Whether no environment is in both.
    pub fn is_disjoint(&self, other: &Marker) -> bool {
        if self.is_always() {
            return other.is_never();
        }
        if other.is_always() {
            return self.is_never();
        }
        self.0.is_disjoint(&other.0) || self.and(other).is_never()
    }

    /// Whether it holds in an environment; extras count as not asked for.
    pub fn holds(&self, environment: &MarkerEnvironment) -> bool {
        self.0.evaluate(environment, &[])
    }

    /// Whether it speaks of extras.
    pub fn has_extras(&self) -> bool {
        !self.is_always() && mentions_extra(&self.0)
    }

    /// What is left when no extra is asked for.
    #[must_use]
    pub fn without_extras(&self) -> Marker {
        if !self.has_extras() {
            return self.clone();
        }
        Marker(Rebuild { extras: &|_| Some(false) }.tree(&self.0))
    }

    /// What is left when this extra, and no other, is asked for.
    #[must_use]
    pub fn with_extra(&self, extra: &str) -> Marker {
        if !self.has_extras() {
            return self.clone();
        }
        Marker(Rebuild { extras: &|name| Some(name == extra) }.tree(&self.0))
    }

    /// What is said of everything but extras.
    #[must_use]
    pub fn ignoring_extras(&self) -> Marker {
        if !self.has_extras() {
            return self.clone();
        }
        Marker(self.0.clone().simplify_extras_with(|_| true))
    }

    /// The marker as it can be written where the range of Python versions is known.
    #[must_use]
    pub fn simplified(&self, python: &PythonRange) -> Marker {
        let (Lower(lower), Upper(upper)) = (&python.lower, &python.upper);
        Marker(self.0.clone().simplify_python_versions(lower.as_ref(), upper.as_ref()))
    }

    /// The bounds of Python that it sets; `None` when it sets none.
    pub fn python_bounds(&self) -> Option<PythonRange> {
        static KNOWN: LazyLock<Mutex<HashMap<MarkerTree, Option<PythonRange>>>> = LazyLock::new(Mutex::default);
        if self.is_always() || self.is_never() {
            return None;
        }
        if let Some(known) = KNOWN.lock().ok().and_then(|known| known.get(&self.0).cloned()) {
            return known;
        }
        let mut paths = Vec::new();
        python_paths(&self.0, &mut paths, &super::bounds::everything());
        let free = |range: &pubgrub::Ranges<Version>| {
            range.bounding_range().is_none_or(|bounds| matches!(bounds, (Bound::Unbounded, Bound::Unbounded)))
        };
        let bounds = if paths.iter().all(free) {
            None
        } else {
            let all = paths.iter().fold(pubgrub::Ranges::empty(), |all, range| all.union(range));
            all.bounding_range().map(|(lower, upper)| PythonRange::new(lower.cloned(), upper.cloned()))
        };
        if let Ok(mut known) = KNOWN.lock() {
            known.insert(self.0.clone(), bounds.clone());
        }
        bounds
    }

    /// As it is written; `None` when it holds everywhere.
    pub fn text(&self) -> Option<String> {
        if self.is_always() {
            return None;
        }
        if self.is_never() {
            return Some("python_version < '0'".to_string());
        }
        let clauses = spell::clauses(&self.0);
        let words = |clause: &[MarkerExpression]| clause.iter().map(ToString::to_string).collect::<Vec<_>>();
        if let Some((common, ends)) = factored(&clauses) {
            return Some(format!("{} and ({})", words(&common).join(" and "), words(&ends).join(" or ")));
        }
        let single = clauses.len() == 1;
        let shown = clauses.iter().map(|clause| {
            let parts = words(clause);
            if single || parts.len() == 1 { parts.join(" and ") } else { format!("({})", parts.join(" and ")) }
        });
        Some(shown.collect::<Vec<_>>().join(" or "))
    }
}

/// Clauses that differ in one condition each are written as `common and (a or b)`.
fn factored(clauses: &[Vec<MarkerExpression>]) -> Option<(Vec<MarkerExpression>, Vec<MarkerExpression>)> {
    let first = clauses.first().filter(|_| clauses.len() > 1)?;
    let common: Vec<MarkerExpression> =
        first.iter().filter(|term| clauses.iter().all(|clause| clause.contains(term))).cloned().collect();
    if common.is_empty() || clauses.iter().any(|clause| clause.len() != common.len() + 1) {
        return None;
    }
    let ends = clauses.iter().filter_map(|clause| clause.iter().find(|term| !common.contains(term)).cloned());
    Some((common.clone(), ends.collect()))
}

fn mentions_extra(tree: &MarkerTree) -> bool {
    match tree.kind() {
        MarkerTreeKind::True | MarkerTreeKind::False => false,
        MarkerTreeKind::Version(node) => node.edges().any(|(_, child)| mentions_extra(&child)),
        MarkerTreeKind::String(node) => node.children().any(|(_, child)| mentions_extra(&child)),
        MarkerTreeKind::In(node) => node.children().any(|(_, child)| mentions_extra(&child)),
        MarkerTreeKind::Contains(node) => node.children().any(|(_, child)| mentions_extra(&child)),
        MarkerTreeKind::Extra(_) => true,
    }
}

fn python_paths(tree: &MarkerTree, paths: &mut Vec<pubgrub::Ranges<Version>>, range: &pubgrub::Ranges<Version>) {
    match tree.kind() {
        MarkerTreeKind::True => paths.push(range.clone()),
        MarkerTreeKind::False => {}
        MarkerTreeKind::Version(node) => {
            let full = *node.key() == MarkerValueVersion::PythonFullVersion;
            for (edge, child) in node.edges() {
                let edge: pubgrub::Ranges<Version> =
                    edge.iter().map(|(lower, upper)| (lower.clone(), upper.clone())).collect();
                python_paths(&child, paths, if full { &edge } else { range });
            }
        }
        MarkerTreeKind::String(node) => node.children().for_each(|(_, child)| python_paths(&child, paths, range)),
        MarkerTreeKind::In(node) => node.children().for_each(|(_, child)| python_paths(&child, paths, range)),
        MarkerTreeKind::Contains(node) => node.children().for_each(|(_, child)| python_paths(&child, paths, range)),
        MarkerTreeKind::Extra(node) => node.children().for_each(|(_, child)| python_paths(&child, paths, range)),
    }
}

/// A range of texts.
type Segment = (Bound<String>, Bound<String>);

/// Builds a tree anew with extras decided, and `platform_system` lowered.
struct Rebuild<'f> {
    extras: &'f dyn Fn(&str) -> Option<bool>,
}

impl Rebuild<'_> {
    /// Only trees that speak of `platform_system` are built anew.
    fn lowered(&self, tree: &MarkerTree) -> MarkerTree {
        if mentions_system(tree) { self.tree(tree) } else { tree.clone() }
    }

    fn tree(&self, tree: &MarkerTree) -> MarkerTree {
        if let MarkerTreeKind::Extra(node) = tree.kind() {
            let decided = match node.name() {
                MarkerValueExtra::Extra(name) => (self.extras)(name.as_ref()),
                MarkerValueExtra::Arbitrary(_) => None,
            };
            if let Some(decided) = decided {
                return self.tree(&node.edge(decided));
            }
        }
        rebuilt(tree, &|child| self.tree(child))
    }
}

/// A tree with its children changed. `platform_system` becomes `sys_platform` on the way.
fn rebuilt(tree: &MarkerTree, change: &dyn Fn(&MarkerTree) -> MarkerTree) -> MarkerTree {
    let mut out = MarkerTree::FALSE;
    let mut add = |mut here: MarkerTree, child: &MarkerTree| {
        here.and(change(child));
        out.or(here);
    };
    match tree.kind() {
        MarkerTreeKind::True => return MarkerTree::TRUE,
        MarkerTreeKind::False => {}
        MarkerTreeKind::Version(node) => {
            for (edge, child) in node.edges() {
                let mut here = MarkerTree::FALSE;
                edge.iter().for_each(|bounds| here.or(versions(node.key(), bounds)));
                add(here, &child);
            }
        }
        MarkerTreeKind::String(node) => {
            // Edges to one child belong together: `!=` is what lies on both sides of a value.
            let mut edges: Vec<(MarkerTree, Vec<Segment>)> = Vec::new();
            for (edge, child) in node.children() {
                let segments = edge.iter().map(|(lower, upper)| (lower.clone(), upper.clone()));
                match edges.iter_mut().find(|(known, _)| *known == child) {
                    Some((_, list)) => list.extend(segments),
                    None => edges.push((child, segments.collect())),
                }
            }
            edges.iter().for_each(|(child, segments)| add(strings(node.key(), segments), child));
        }
        MarkerTreeKind::In(node) => {
            for (value, child) in node.children() {
                let operator = if value { MarkerOperator::In } else { MarkerOperator::NotIn };
                add(text_expression(node.key(), operator, node.value()), &child);
            }
        }
        MarkerTreeKind::Contains(node) => {
            for (value, child) in node.children() {
                let operator = if value { MarkerOperator::Contains } else { MarkerOperator::NotContains };
                add(text_expression(node.key(), operator, node.value()), &child);
            }
        }
        MarkerTreeKind::Extra(node) => {
            for (value, child) in node.children() {
                add(MarkerTree::expression(extra(node.name(), value)), &child);
            }
        }
    }
    out
}

fn text_expression(key: &MarkerValueString, operator: MarkerOperator, value: &str) -> MarkerTree {
    MarkerTree::expression(MarkerExpression::String { key: key.clone(), operator, value: value.to_string() })
}
fn extra(name: &MarkerValueExtra, value: bool) -> MarkerExpression {
    let operator = if value { ExtraOperator::Equal } else { ExtraOperator::NotEqual };
    MarkerExpression::Extra { operator, name: name.clone() }
}

fn versions(key: &MarkerValueVersion, (lower, upper): (&Bound<Version>, &Bound<Version>)) -> MarkerTree {
    if let (Bound::Included(a), Bound::Included(b)) = (lower, upper)
        && a == b
    {
        let specifier = VersionSpecifier::equals_version(a.clone());
        return MarkerTree::expression(MarkerExpression::Version { key: key.clone(), specifier });
    }
    let lower = VersionSpecifier::from_lower_bound(lower);
    let upper = VersionSpecifier::from_upper_bound(upper);
    let mut tree = MarkerTree::TRUE;
    for specifier in lower.into_iter().chain(upper) {
        tree.and(MarkerTree::expression(MarkerExpression::Version { key: key.clone(), specifier }));
    }
    tree
}

fn mentions_system(tree: &MarkerTree) -> bool {
    match tree.kind() {
        MarkerTreeKind::True | MarkerTreeKind::False | MarkerTreeKind::Extra(_) => false,
        MarkerTreeKind::Version(node) => node.edges().any(|(_, child)| mentions_system(&child)),
        MarkerTreeKind::String(node) => {
            *node.key() == MarkerValueString::PlatformSystem
                || node.children().any(|(_, child)| mentions_system(&child))
        }
        MarkerTreeKind::In(node) => node.children().any(|(_, child)| mentions_system(&child)),
        MarkerTreeKind::Contains(node) => node.children().any(|(_, child)| mentions_system(&child)),
    }
}

/// The values of one edge of a string key: one value, everything but some values, or ranges.
fn strings(key: &MarkerValueString, segments: &[Segment]) -> MarkerTree {
    if let [(Bound::Included(a), Bound::Included(b))] = segments
        && a == b
    {
        return one_string(key, a, MarkerOperator::Equal);
    }
    if let Some(holes) = holes(segments) {
        let mut tree = MarkerTree::TRUE;
        for hole in holes {
            tree.and(one_string(key, hole, MarkerOperator::NotEqual));
        }
        return tree;
    }
    let mut tree = MarkerTree::FALSE;
    for (lower, upper) in segments {
        let mut here = MarkerTree::TRUE;
        let ends = [MarkerOperator::from_lower_bound(lower), MarkerOperator::from_upper_bound(upper)];
        for (operator, value) in ends.into_iter().flatten() {
            here.and(MarkerTree::expression(MarkerExpression::String { key: key.clone(), operator, value }));
        }
        tree.or(here);
    }
    tree
}

/// The values that are missing in otherwise everything.
fn holes(segments: &[Segment]) -> Option<Vec<&String>> {
    let (first, last) = (segments.first()?, segments.last()?);
    if !matches!((&first.0, &last.1), (Bound::Unbounded, Bound::Unbounded)) {
        return None;
    }
    let gap = |pair: &[Segment]| (pair[0].1.clone(), pair[1].0.clone());
    let single = |pair: &[Segment]| matches!(gap(pair), (Bound::Excluded(a), Bound::Excluded(b)) if a == b);
    if !segments.windows(2).all(single) {
        return None;
    }
    let ends = segments.iter().filter_map(|(_, upper)| match upper {
        Bound::Excluded(value) => Some(value),
        _ => None,
    });
    Some(ends.collect())
}

fn one_string(key: &MarkerValueString, value: &str, operator: MarkerOperator) -> MarkerTree {
    let same = SAME_PLATFORM.iter().find(|(system, _)| *key == MarkerValueString::PlatformSystem && *system == value);
    let (key, value) = match same {
        Some((_, platform)) => (MarkerValueString::SysPlatform, *platform),
        None => (key.clone(), value),
    };
    MarkerTree::expression(MarkerExpression::String { key, operator, value: value.to_string() })
}

/// An extra's name in the form that markers compare.
pub fn extra_name(text: &str) -> Option<ExtraName> {
    ExtraName::new(text.to_string()).ok()
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().unwrap_or_else(|| "always".to_string()))
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(marker: &str) -> String {
        Marker::parse(marker).expect("it is a marker").to_string()
    }

    #[test]
    fn systems_are_platforms_where_both_say_the_same() {
        assert_eq!(text("platform_system == 'Windows'"), "sys_platform == 'win32'");
        assert_eq!(text("platform_system != 'Windows'"), "sys_platform != 'win32'");
        assert_eq!(text("platform_system == 'FreeBSD'"), "platform_system == 'FreeBSD'");
    }

    #[test]
    fn what_cannot_exist_is_empty() {
        let nt = Marker::parse("os_name == 'nt'").unwrap();
        assert!(nt.is_disjoint(&Marker::parse("sys_platform == 'linux'").unwrap()));
        assert!(!nt.is_disjoint(&Marker::parse("sys_platform == 'win32'").unwrap()));
    }

    #[test]
    fn extras_are_decided() {
        let marker = Marker::parse("python_version < '3.9' or extra == 'x'").unwrap();
        assert_eq!(marker.without_extras().to_string(), "python_full_version < '3.9'");
        assert!(marker.with_extra("x").is_always());
        assert_eq!(marker.with_extra("y").to_string(), "python_full_version < '3.9'");
        let negative = Marker::parse("extra != 'x' and os_name == 'nt'").unwrap();
        assert_eq!(negative.without_extras().to_string(), "os_name == 'nt'");
        assert!(negative.with_extra("x").is_never());
    }

    #[test]
    fn bounds_of_python_are_found() {
        let bounds = |text: &str| Marker::parse(text).unwrap().python_bounds().map(|range| range.to_string());
        assert_eq!(bounds("python_version >= '3.8' and sys_platform == 'win32'").as_deref(), Some(">=3.8"));
        assert_eq!(bounds("sys_platform == 'win32'"), None);
        assert_eq!(bounds("python_version == '3.8' or python_version == '3.10'").as_deref(), Some(">=3.8, <3.11"));
    }
}

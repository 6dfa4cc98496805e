//! Why nothing fits, as a chain of facts in the words of the requirements. Knows the derivation that the solver gives.

use super::bounds::Versions;
use super::choose::Chooser;
use super::listing::Index;
use super::marker::Marker;
use super::requirement::{Name, Requirement};
use super::solve::package::{Node, Pkg};
use super::{Contradiction, Holds};
use pep440_rs::Version;
use pubgrub::{DerivationTree, External};
use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

/// What a report can look up.
pub struct Words<'a> {
    /// The inputs.
    pub requirements: &'a [Requirement],
    /// Constraints.
    pub constraints: &'a [Requirement],
    /// Overrides.
    pub overrides: &'a [Requirement],
    /// The index, for the versions that there are.
    pub index: &'a dyn Index,
    /// Chooses versions.
    pub chooser: &'a Arc<Chooser>,
}

/// More facts than a person reads.
const MOST_FACTS: usize = 24;

impl Words<'_> {
    /// The chain of facts, one a line.
    pub fn explain(&self, tree: &DerivationTree<Pkg, Versions, String>, part: &Marker) -> Contradiction {
        let mut leaves = Vec::new();
        leaves_of(tree, &mut leaves);
        let holds = match (part.is_always(), leaves.iter().all(|leaf| is_timeless(leaf))) {
            (false, _) => Holds::InPart,
            (true, false) => Holds::Here,
            (true, true) => Holds::Always,
        };
        let mut facts: Vec<(u8, String)> = Vec::new();
        let mut seen = HashSet::new();
        for leaf in leaves {
            for (rank, fact) in self.fact(leaf) {
                if seen.insert(fact.clone()) {
                    facts.push((rank, fact));
                }
            }
        }
        // Inputs first, then what they lead to in the order of the derivation, then what is not there.
        facts.sort_by_key(|(rank, _)| *rank);
        let mut text = String::from("no set of versions satisfies the inputs");
        if !part.is_always() {
            text += &format!(" where {part}");
        }
        text += ":";
        let more = facts.len().saturating_sub(MOST_FACTS);
        for (_, fact) in facts.into_iter().take(MOST_FACTS) {
            text += &format!("\n  - {fact}");
        }
        if more > 0 {
            text += &format!("\n  - and {more} more such needs");
        }
        text += "\nloosen one of them, or ask for another version of the package that needs it";
        Contradiction { text, holds }
    }

    fn fact(&self, leaf: &External<Pkg, Versions, String>) -> Vec<(u8, String)> {
        match leaf {
            External::NotRoot(..) => Vec::new(),
            External::NoVersions(package, range) => match package.name() {
                Some(name) => vec![(3, self.missing(name, range))],
                None => Vec::new(),
            },
            External::Custom(package, range, why) => match package.name() {
                Some(name) if why == "is not on the index" => vec![(3, format!("{name} {why}; check the spelling"))],
                Some(name) => vec![(2, format!("{} {why}", self.versions(name, range)))],
                None => vec![(2, why.clone())],
            },
            External::FromDependencyOf(from, versions, to, asked) => self.need(from, versions, to, asked),
        }
    }

    fn need(&self, from: &Pkg, versions: &Versions, to: &Pkg, asked: &Versions) -> Vec<(u8, String)> {
        if **to == Node::Python {
            let Some(name) = from.name() else { return Vec::new() };
            return vec![(2, format!("{} needs Python {}", self.versions(name, versions), show(asked)))];
        }
        let Some(to_name) = to.name() else { return Vec::new() };
        if **from == Node::Root {
            return self.of_inputs(to_name, asked);
        }
        match from.name() {
            // Stand-ins are of no interest to a person.
            Some(name) if name == to_name => Vec::new(),
            Some(name) => {
                let range = show(asked);
                let space = if range.is_empty() || range.starts_with(['<', '>', '=', '!', '~']) { "" } else { " " };
                let mut out = vec![(1, format!("{} needs {to_name}{space}{range}", self.versions(name, versions)))];
                out.extend(self.limits(to_name));
                out
            }
            None => Vec::new(),
        }
    }

    fn of_inputs(&self, name: &Name, asked: &Versions) -> Vec<(u8, String)> {
        let fits = |one: &&Requirement| one.name == *name;
        let mut out: Vec<(u8, String)> =
            self.requirements.iter().filter(fits).map(|one| (0, asks(one, "asks for"))).collect();
        if out.is_empty() {
            out.push((0, format!("the inputs ask for {name}{}", show(asked))));
        }
        out.extend(self.limits(name));
        out
    }

    fn limits(&self, name: &Name) -> Vec<(u8, String)> {
        let fits = |one: &&Requirement| one.name == *name;
        let limits = self.constraints.iter().filter(fits).map(|one| (0, asks(one, "limits")));
        limits.chain(self.overrides.iter().filter(fits).map(|one| (0, asks(one, "overrides")))).collect()
    }

    /// `flask 3.0`, `flask >=2, <3` or `every flask`.
    fn versions(&self, name: &Name, range: &Versions) -> String {
        let known = self.known(name);
        let inside: Vec<&Version> = known.iter().filter(|version| range.contains(version)).collect();
        match inside[..] {
            [one] => format!("{name} {one}"),
            _ if !known.is_empty() && inside.len() == known.len() => format!("every {name}"),
            [first, .., last] => format!("{name} {first} to {last}"),
            [] => format!("{name} {}", show(range)),
        }
    }

    fn known(&self, name: &Name) -> Vec<Version> {
        self.index.ready(name).map_or(Vec::new(), |listing| self.chooser.shelf(&listing).known.clone())
    }

    fn missing(&self, name: &Name, range: &Versions) -> String {
        let known = self.known(name);
        let there = match (known.first(), known.last()) {
            (Some(first), Some(last)) => format!("; the index has {first} to {last}"),
            _ if self.chooser.cutoff(name).is_some() => "; nothing of it is older than the cutoff date".to_string(),
            _ => String::new(),
        };
        let range = show(range);
        if range.is_empty() {
            format!("there is no version of {name}{there}")
        } else {
            format!("there is no {name} {range}{there}")
        }
    }
}

/// Whether a fact is one for every Python and every platform. What is needed on all Pythons of a range is needed on the later ones, too.
fn is_timeless(leaf: &External<Pkg, Versions, String>) -> bool {
    match leaf {
        External::NotRoot(..) => true,
        External::NoVersions(package, _) => is_everywhere(package),
        // Why a version cannot be used has mostly to do with a Python.
        External::Custom(..) => false,
        External::FromDependencyOf(from, _, to, _) => is_everywhere(from) && is_everywhere(to),
    }
}

fn is_everywhere(package: &Pkg) -> bool {
    **package != Node::Python && package.marker().is_always()
}

fn asks(one: &Requirement, verb: &str) -> String {
    match &one.origin {
        Some(origin) => format!("{}:{} {verb} {}", origin.file, origin.line, one.words()),
        None => format!("{verb} {}", one.words()),
    }
}

fn leaves_of<'t>(
    tree: &'t DerivationTree<Pkg, Versions, String>,
    leaves: &mut Vec<&'t External<Pkg, Versions, String>>,
) {
    // Derivations share parts: each is walked once.
    let mut seen = HashSet::new();
    let mut waiting = vec![tree];
    while let Some(tree) = waiting.pop() {
        match tree {
            DerivationTree::External(leaf) => leaves.push(leaf),
            DerivationTree::Derived(derived) => {
                for cause in [&derived.cause2, &derived.cause1] {
                    if seen.insert(Arc::as_ptr(cause)) {
                        waiting.push(cause);
                    }
                }
            }
        }
    }
}

/// A range as specifiers. Bounds that only keep local builds or pre-releases in are written as the version that was meant.
pub fn show(range: &Versions) -> String {
    if *range == Versions::full() {
        return String::new();
    }
    let segment = |(lower, upper): (Bound<&Version>, Bound<&Version>)| match (lower, upper) {
        (Bound::Included(a), Bound::Included(b)) if a == b => format!("=={a}"),
        (Bound::Included(a), Bound::Excluded(b))
            if super::bounds::is_one(&Versions::from_range_bounds(a.clone()..b.clone())) =>
        {
            format!("=={a}")
        }
        (lower, upper) => {
            let lower = match lower {
                Bound::Included(version) => format!(">={}", plain(version)),
                Bound::Excluded(version) => format!(">{}", plain(version)),
                Bound::Unbounded => String::new(),
            };
            let upper = match upper {
                Bound::Included(version) => format!("<={}", plain(version)),
                Bound::Excluded(version) => format!("<{}", plain(version)),
                Bound::Unbounded => String::new(),
            };
            [lower, upper].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(",")
        }
    };
    let parts: Vec<String> = range.iter().map(segment).collect();
    if parts.is_empty() { "of no version".to_string() } else { parts.join(" or ") }
}

fn plain(version: &Version) -> Version {
    match (version.min(), version.max(), version.dev()) {
        (Some(_), ..) => version.clone().with_min(None),
        (_, Some(_), _) => version.clone().with_max(None),
        (.., Some(0)) => version.clone().with_dev(None),
        _ => version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::bounds::allowed;
    use crate::resolve::requirement::specifiers;
    use crate::resolve::standing::tests::{Made, request};
    use crate::resolve::{Unsolved, resolve};

    #[test]
    fn a_contradiction_tells_where_it_holds() {
        let index = Made(vec![
            ("app", "1", &["lib<2", "old<2 ; python_version < '3.11'"]),
            ("old", "2", &[]),
            ("late", "1", &["Python >=3.12"]),
            ("early", "1", &["Tag cp38-cp38"]),
            ("lib", "2", &[]),
        ]);
        let holds = |lines: &[&str]| match resolve(&request(lines), &index) {
            Err(Unsolved::Contradiction(why)) => Some(why.holds),
            _ => None,
        };
        assert_eq!(holds(&["app==1", "lib==2"]), Some(Holds::Always));
        assert_eq!(holds(&["early==1"]), Some(Holds::Here), "what has no wheel has to do with a Python");
        assert_eq!(holds(&["late==1"]), Some(Holds::InPart), "on later Pythons it can be had");
        let apart = ["app==1", "old==2 ; python_version < '3.11'", "lib<1 ; python_version < '3.10'"];
        assert_ne!(holds(&apart), Some(Holds::Always));
        assert_eq!(holds(&["lib==2"]), None);
    }

    #[test]
    fn ranges_read_as_they_were_written() {
        for text in ["==1.0", ">=1.0,<2.0", "<2", ">1", ""] {
            assert_eq!(show(&allowed(&specifiers(text).unwrap())), text);
        }
        assert_eq!(show(&allowed(&specifiers("==1.*").unwrap())), ">=1,<2");
        assert_eq!(show(&allowed(&specifiers("<1,>2").unwrap())), "of no version");
    }
}

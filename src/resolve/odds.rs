//! What exact lines say of each other at first sight, before anything is searched for: which Pythons all of them run on, and which of them
//! contradict each other.

use super::bounds::{PythonRange, allowed};
use super::choose::Offer;
use super::listing::{File, Index};
use super::requirement::{Name, Requirement, Source};
use super::solve::fork::python_marker;
use super::{Request, chooser_of, place};
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The exact lines of a request, each with the file that speaks for it, where there is one.
pub struct Given<'a> {
    index: &'a dyn Index,
    lines: Vec<(&'a Requirement, &'a Version, Option<Arc<File>>)>,
}

impl<'a> Given<'a> {
    /// Looks the lines up.
    pub fn of(request: &'a Request, index: &'a dyn Index) -> Option<Given<'a>> {
        let (environment, _, target) = place(&request.target).ok()?;
        let chooser = chooser_of(request, &environment, target);
        let file = |name: &Name, version: &Version| {
            let listing = index.listing(name).ok()?;
            let at = listing.releases.binary_search_by(|release| release.version.cmp(version)).ok()?;
            match chooser.offer(&chooser.shelf(&listing), at) {
                Offer::Fits { file, .. } => Some(file),
                _ => None,
            }
        };
        let exact = |one: &'a Requirement| one.exact().map(|version| (one, version));
        let lines = || request.requirements.iter().chain(&request.constraints).filter_map(exact);
        // Everything is asked for before the first answer is waited for.
        lines().for_each(|(line, _)| index.soon(&line.name, None));
        let lines = lines().map(|(line, version)| (line, version, file(&line.name, version))).collect();
        Some(Given { index, lines })
    }

    /// Whether every line that counts everywhere runs on the oldest of these Pythons, as far as the index tells.
    pub fn run_on(&self, pythons: &PythonRange) -> bool {
        let runs = |file: &File| file.requires_python.as_ref().is_none_or(|asked| pythons.is_served_by(asked));
        let everywhere = self.lines.iter().filter(|(line, ..)| line.marker.is_always());
        everywhere.filter_map(|(.., file)| file.as_ref()).all(|file| runs(file))
    }

    /// Projects to leave out so that no line is against another one on these Pythons: those that are part of most contradictions first, and of two alike
    /// the one that is limited. Only what the lines ask of each other counts, not what comes along with them.
    pub fn odds(&self, pythons: &PythonRange) -> BTreeSet<Name> {
        let mut pairs = self.pairs(pythons);
        let mut odds = BTreeSet::new();
        while !pairs.is_empty() {
            let mut weights: BTreeMap<&Name, (usize, usize)> = BTreeMap::new();
            for (asker, asked) in &pairs {
                weights.entry(asker).or_default().0 += 1;
                let of_asked = weights.entry(asked).or_default();
                (of_asked.0, of_asked.1) = (of_asked.0 + 1, of_asked.1 + 1);
            }
            let Some(worst) = weights.into_iter().max_by_key(|(_, weight)| *weight).map(|(name, _)| name.clone())
            else {
                break;
            };
            pairs.retain(|(asker, asked)| *asker != worst && *asked != worst);
            odds.insert(worst);
        }
        odds
    }

    /// Whether two of the lines contradict each other on these Pythons, apart from some projects.
    pub fn contradict(&self, pythons: &PythonRange, apart: &BTreeSet<String>) -> bool {
        self.pairs(pythons).iter().any(|(asker, asked)| !apart.contains(&**asker) && !apart.contains(&**asked))
    }

    /// Who is against whom: the project that asks, and the one whose line holds another version.
    fn pairs(&self, pythons: &PythonRange) -> BTreeSet<(Name, Name)> {
        let mut by_name: HashMap<&Name, Vec<(&Requirement, &Version)>> = HashMap::new();
        for (line, version, _) in &self.lines {
            by_name.entry(&line.name).or_default().push((line, version));
        }
        self.lines.iter().filter_map(|(.., file)| file.as_ref()).for_each(|file| self.index.soon_metadata(file));
        let everywhere = python_marker(pythons);
        let mut pairs = BTreeSet::new();
        for (line, _, file) in &self.lines {
            let Some(metadata) = file.as_ref().and_then(|file| self.index.metadata(file).ok()) else { continue };
            let at = line.marker.and(&everywhere);
            let extras = std::iter::once(None).chain(line.extras.iter().map(Some));
            for need in extras.flat_map(|extra| metadata.needs(extra).to_vec()) {
                let Source::Index(specifiers) = &need.source else { continue };
                let Some(others) = by_name.get(&need.name).filter(|_| need.name != line.name) else { continue };
                let (versions, wanted) = (allowed(specifiers), need.marker.and(&at));
                let against = |(other, version): &(&Requirement, &Version)| {
                    !versions.contains(version) && !wanted.is_disjoint(&other.marker)
                };
                if others.iter().any(against) {
                    pairs.insert((line.name.clone(), need.name.clone()));
                }
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::standing::tests::{Made, request};
    use std::str::FromStr;

    fn from(python: &str) -> PythonRange {
        PythonRange::from(&Version::from_str(python).expect("a version"))
    }

    fn odds(index: &Made, lines: &[&str], python: &str) -> Vec<String> {
        let request = request(lines);
        let given = Given::of(&request, index).expect("a target");
        given.odds(&from(python)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_are_against_each_other_where_both_count() {
        let index = Made(vec![
            ("app", "1", &["lib<2", "old<2 ; python_version < '3.11'", "Provides-Extra: x", "tool<2 ; extra == 'x'"]),
            ("web", "1", &["lib<2"]),
            ("lib", "2", &[]),
            ("old", "2", &[]),
            ("tool", "2", &["app<2"]),
        ]);
        // Of two alike the one that is limited gives way.
        assert_eq!(odds(&index, &["app==1", "lib==2"], "3.9"), ["lib"]);
        // One that is in the way of two goes before both of them.
        assert_eq!(odds(&index, &["app==1", "web==1", "lib==2"], "3.9"), ["lib"]);
        // What holds for older Pythons only, or on another platform than the line.
        assert_eq!(odds(&index, &["app==1", "old==2"], "3.9"), ["old"]);
        assert!(odds(&index, &["app==1", "old==2"], "3.12").is_empty());
        let split = ["app==1 ; sys_platform == 'win32'", "lib==2 ; sys_platform == 'linux'"];
        assert!(odds(&index, &split, "3.9").is_empty());
        // An extra counts where it is asked for.
        assert!(odds(&index, &["app==1", "tool==2"], "3.9").is_empty());
        assert_eq!(odds(&index, &["app[x]==1", "tool==2"], "3.9"), ["tool"]);
        // What is apart does not count.
        let request = request(&["app==1", "lib==2"]);
        let given = Given::of(&request, &index).expect("a target");
        assert!(given.contradict(&from("3.9"), &BTreeSet::new()));
        assert!(!given.contradict(&from("3.9"), &BTreeSet::from(["lib".to_string()])));
    }

    #[test]
    fn a_python_has_to_suit_every_line_that_counts_everywhere() {
        let index = Made(vec![("app", "1", &["Python >=3.11"]), ("win", "1", &["Python >=3.13"])]);
        let request = request(&["app==1", "win==1 ; sys_platform == 'win32'", "absent==1"]);
        let given = Given::of(&request, &index).expect("a target");
        assert!(!given.run_on(&from("3.10")) && given.run_on(&from("3.11")));
    }
}

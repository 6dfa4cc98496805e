//! A closed set, and what becomes of it when some of its packages get other versions: whether all others can stay, and if not, what has
//! to move with them or to come in. It proves a step without a search; where it finds no way, the resolver has to be asked.

mod mend;

use super::bounds::{PythonRange, Versions, allowed};
use super::listing::Index;
use super::requirement::{Name, Source};
use super::{Request, Solution};
use pep440_rs::Version;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// A closed set with all that its packages ask of each other.
#[derive(Debug)]
pub struct Standing {
    solution: Solution,
    /// By project: who asks for which versions of it.
    asked: HashMap<Name, Vec<(Name, Versions)>>,
    /// Whether all of it can be installed on these Pythons, as far as that was found out.
    serves: Mutex<Vec<(PythonRange, bool)>>,
}

impl Standing {
    /// Looks through the metadata of a set's packages. What has none asks for nothing, as it does in the resolution.
    pub fn of(solution: Solution, index: &dyn Index) -> Standing {
        let mut asked: HashMap<Name, Vec<(Name, Versions)>> = HashMap::new();
        for package in &solution.packages {
            let metadata = package.file.as_ref().and_then(|file| index.metadata(file).ok());
            let extras = std::iter::once(None).chain(package.extras.iter().map(Some));
            let needs = metadata.iter().flat_map(|metadata| extras.clone().map(|extra| metadata.needs(extra)));
            for need in needs.collect::<Vec<_>>().iter().flat_map(|needs| needs.iter()) {
                if let Source::Index(specifiers) = &need.source
                    && !need.marker.is_disjoint(&package.marker)
                {
                    asked.entry(need.name.clone()).or_default().push((package.name.clone(), allowed(specifiers)));
                }
            }
        }
        Standing { solution, asked, serves: Mutex::default() }
    }

    /// The versions that are other ones, or new, when these are raised and the set is closed again within `request`, whose inputs
    /// hold the raised versions. `None`: no way was found without a search.
    pub fn mended(
        &self,
        index: &dyn Index,
        raised: &BTreeMap<Name, Version>,
        request: &Request,
    ) -> Option<BTreeMap<Name, Version>> {
        mend::mend(self, index, raised, request)
    }
}

#[cfg(test)]
pub(super) mod tests;

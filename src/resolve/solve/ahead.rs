//! What is fetched ahead of the search, so that it need not wait.

use super::Solver;
use super::branch::Branch;
use crate::resolve::bounds::Versions;
use crate::resolve::choose::Offer;
use crate::resolve::listing::Listing;
use crate::resolve::solve::package::{Node, Pkg};
use pep440_rs::Version;
use std::sync::Arc;

/// What the index was told of a project.
#[derive(Clone)]
pub(super) struct Hint {
    /// For which versions.
    range: Versions,
    /// The one that will probably be taken, once that is known.
    version: Option<Version>,
}

impl Hint {
    /// Whether there is nothing more to tell for a range. The best of many is the best of fewer as long as it is among them.
    fn holds_within(&self, range: &Versions) -> bool {
        let stays = self.version.as_ref().is_some_and(|version| range.contains(version));
        *range == self.range || stays && range.subset_of(&self.range)
    }
}

impl Solver<'_> {
    /// Tells the index what will probably be asked.
    pub(super) fn hint(&self, branch: &mut Branch) {
        let mut new = Vec::new();
        for (id, range) in branch.state.partial_solution.prioritized_packages() {
            let Node::Real { name, extra: None, marker } = &*branch.state.package_store[id] else { continue };
            let holds = branch.hinted.get(&id).is_some_and(|hint| hint.holds_within(range));
            if marker.is_always() && !branch.direct.contains_key(name) && !holds {
                new.push((id, name.clone(), range.clone()));
            }
        }
        for (id, name, range) in new {
            let preferences = self.preferences.get(&name).map(Vec::as_slice).unwrap_or_default();
            let environment = branch.environment.marker();
            let mut version = None;
            if let Some(listing) = self.index.ready(&name) {
                let shelf = self.chooser.shelf(&listing);
                if let Some((best, offer)) = self.chooser.choose(&shelf, &range, preferences, &environment) {
                    if let Offer::Fits { file, .. } = offer {
                        self.index.soon_metadata(&file);
                    }
                    version = Some(best);
                }
            } else {
                let (chooser, range, preferences) = (self.chooser.clone(), range.clone(), preferences.to_vec());
                let guess = move |listing: &Arc<Listing>| {
                    let shelf = chooser.shelf(listing);
                    match chooser.choose(&shelf, &range, &preferences, &environment)?.1 {
                        Offer::Fits { file, .. } => Some(file),
                        _ => None,
                    }
                };
                self.index.soon(&name, Some(Box::new(guess)));
            }
            branch.hinted.insert(id, Hint { range, version });
        }
    }

    /// When many versions of a package were tried, the next ones are fetched together.
    pub(super) fn hint_batch(&self, branch: &mut Branch, package: &Pkg, version: &Version) {
        // An extra that cannot be had is looked for through all versions of its package, too.
        let Some(name) = package.name() else { return };
        let (last, tried) = branch.tried.entry(name.clone()).or_insert_with(|| (version.clone(), 1));
        if last == version {
            return;
        }
        *last = version.clone();
        *tried += 1;
        if !tried.is_power_of_two() {
            return;
        }
        let amount = *tried * 2;
        let Some(listing) = self.index.ready(name) else { return };
        let shelf = self.chooser.shelf(&listing);
        let range = branch.range();
        for at in self.chooser.ordered(&shelf, &range).take(amount) {
            if let Offer::Fits { file, .. } = self.chooser.offer(&shelf, at) {
                self.index.soon_metadata(&file);
            }
        }
    }
}

#[cfg(test)]
mod tests;

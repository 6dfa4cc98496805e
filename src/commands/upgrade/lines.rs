//! Requirements files that nobody compiles: lines are raised, and every set of files that they belong to is resolved again as the proof.
//! What does not resolve alone is tried with the other exact lines of the set free to move within the policy.

mod prove;
mod sets;

use super::branch::Fault;
use super::relock::Relocker;
use crate::ecosystems::pypi::normalize;
use crate::model::change::Why;
use crate::model::edit::{Edit, Patch};
use crate::model::pin::Pin;
use crate::model::project::Project;
use crate::model::reference::{Origin, Reference, ReferenceId};
use crate::model::source::join;
use crate::model::span::{Location, SourceId, Span};
use crate::plan::{newer, spell};
use crate::resolve::file::{Asked, Form, Job};
use crate::resolve::requirement::Name;
use crate::resolve::{self, Solution, Unsolved};
use pep440_rs::Version;
pub use prove::Memory;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// What raising lines came to.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// The edits.
    pub edits: Vec<Edit>,
    /// References that had to move with them: from which version to which.
    pub along: Vec<Along>,
    /// Words about how it was made.
    pub remarks: Vec<String>,
}

/// A reference that nobody asked for and that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Along {
    /// Which.
    pub reference: ReferenceId,
    /// Its version before.
    pub from: String,
    /// Its version afterwards.
    pub to: String,
}

/// Versions that references should have.
type Wanted = BTreeMap<ReferenceId, String>;

/// Whether lines that nobody asked for may move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Stay,
    MayMove,
    /// Nothing has to stay, though it should.
    AreFree,
}

/// The work on one group.
struct Lines<'a> {
    relocker: &'a Relocker<'a>,
    project: &'a Project,
    /// Edits of the group that are no lines.
    patch: &'a Patch,
}

impl Relocker<'_> {
    /// Raises lines (each with the version that it should have) on top of the edits of `patch`.
    pub fn lines(&self, raise: &Wanted, patch: &Patch) -> Result<Rewritten, (Why, Fault)> {
        let lines = Lines { relocker: self, project: &self.base.project, patch };
        lines.rewrite(raise)
    }

    /// What else of the inputs of a compiled file has to move so that `raise` can: exact lines within the policy. `None`: nothing helps.
    pub fn with_others(&self, lock: &str, raise: &[(String, Option<String>)], patch: &Patch) -> Option<Rewritten> {
        let lines = Lines { relocker: self, project: &self.base.project, patch };
        lines.inputs(lock, raise)
    }
}

impl Lines<'_> {
    fn rewrite(&self, raise: &Wanted) -> Result<Rewritten, (Why, Fault)> {
        let sets = self.sets(raise);
        let mut wanted = raise.clone();
        let mut solved = Vec::new();
        for set in &sets {
            match self.proven(*set, &wanted) {
                Ok(solution) => solved.extend(solution),
                Err(Unsolved::World(text)) => return Err((Why::Other(text), Fault::World)),
                Err(Unsolved::Contradiction(alone)) => {
                    let path = &self.project.source(*set).path;
                    let held = || {
                        (Why::NothingFits(format!("{path} would not resolve with it: {}", alone.text)), Fault::Policy)
                    };
                    (wanted, solved) = self.with_connected(&sets, &wanted).ok_or_else(held)?;
                    break;
                }
            }
        }
        let mut made = Rewritten { edits: self.edits(&wanted, &solved)?, ..Rewritten::default() };
        made.along = self.along(raise, &wanted);
        made.remarks = self.remarks(raise, &sets);
        Ok(made)
    }

    /// That a set resolves with the wanted versions while all others stay: what it comes to, where that had to be searched for.
    fn proven(&self, set: SourceId, wanted: &Wanted) -> Result<Option<Solution>, Unsolved> {
        match self.mended(set, wanted, Others::Stay) {
            Some(_) => Ok(None),
            None => self.solve(set, wanted, Others::Stay).map(Some),
        }
    }

    /// The versions with which everything resolves when the other exact lines of each set may move up, and what that comes to.
    fn with_connected(&self, sets: &[SourceId], wanted: &Wanted) -> Option<(Wanted, Vec<Solution>)> {
        let mut all = wanted.clone();
        let mut solved = Vec::new();
        for set in sets {
            let mended = self.mended(*set, wanted, Others::MayMove);
            let solution = match mended {
                Some(_) => None,
                None => Some(self.solve(*set, wanted, Others::MayMove).ok()?),
            };
            let found = |name: &str| -> BTreeSet<Version> {
                match (&solution, &mended) {
                    (Some(solution), _) => of(solution, name).map(|one| one.version.clone()).collect(),
                    (None, mended) => mended.iter().filter_map(|moved| moved.get(&*normalize(name))).cloned().collect(),
                }
            };
            for (id, reference, now) in self.exact_lines(&self.files_of(*set)) {
                if wanted.contains_key(&id) {
                    continue;
                }
                if self.ground(*set).is_ok_and(|ground| ground.odds.contains(&normalize(&reference.subject.name))) {
                    continue;
                }
                match &found(&reference.subject.name).into_iter().collect::<Vec<_>>()[..] {
                    [] => {}
                    [one] if one.to_string() == now => {}
                    // Nobody asked for a pre-release.
                    [one] if one.any_prerelease() && !is_prerelease(&now) => return None,
                    [one] => {
                        let to = one.to_string();
                        // Two sets that want different versions of one line have no common answer.
                        if all.insert(id, to.clone()).is_some_and(|other| other != to) {
                            return None;
                        }
                    }
                    _ => return None,
                }
            }
            solved.extend(solution);
        }
        // One set was solved with what it says itself; several have to agree with what the others say, too.
        if sets.len() > 1 {
            solved = Vec::new();
            for set in sets {
                solved.extend(self.proven(*set, &all).ok()?);
            }
        }
        Some((all, solved))
    }

    fn along(&self, raise: &Wanted, wanted: &Wanted) -> Vec<Along> {
        let one = |(id, to): (&ReferenceId, &String)| {
            let from = newer::exact(self.project.reference(*id).pin.version.as_deref()?)?;
            Some(Along { reference: *id, from, to: to.clone() })
        };
        wanted.iter().filter(|(id, _)| !raise.contains_key(id)).filter_map(one).collect()
    }

    fn remarks(&self, raise: &Wanted, sets: &[SourceId]) -> Vec<String> {
        let path = |id: &SourceId| format!("`{}`", self.project.source(*id).path);
        let sources: BTreeSet<SourceId> = raise.keys().map(|id| id.source).collect();
        match sets {
            [] => vec![format!(
                "{} limits and nothing here reads it: only its line was raised",
                sources.iter().map(path).collect::<Vec<_>>().join(", ")
            )],
            sets => {
                let list: Vec<String> = sets.iter().map(path).collect();
                let whole =
                    format!("{} resolved as a whole by pinguard {}", list.join(", "), env!("CARGO_PKG_VERSION"));
                std::iter::once(whole).chain(sets.iter().filter_map(|set| self.at_odds(*set))).collect()
            }
        }
    }

    fn pin(&self, reference: &Reference, to: &str, digests: Vec<String>) -> Pin {
        let written = reference.pin.version.as_deref().unwrap_or("");
        let now = newer::exact(written).unwrap_or_default();
        Pin { version: Some(written.replacen(&now, to, 1)), digests }
    }

    /// The edits of lines, with their hashes where they have some, and lines for what a closed file lacks now.
    fn edits(&self, wanted: &Wanted, solved: &[Solution]) -> Result<Vec<Edit>, (Why, Fault)> {
        let held = |why| (why, Fault::Policy);
        let mut edits = Vec::new();
        for (id, to) in wanted {
            let reference = self.project.reference(*id);
            let mut digests = Vec::new();
            if !reference.pin.digests.is_empty() {
                digests = hashes(solved, reference, to).map_err(held)?;
            }
            let pin = self.pin(reference, to, digests);
            edits.extend(spell::edits(&self.project.sources, reference, &pin).map_err(held)?);
        }
        for file in wanted.keys().map(|id| id.source).collect::<BTreeSet<_>>() {
            if holds_hashes(self.project, file) {
                edits.extend(self.missing(file, wanted, solved));
            }
        }
        Ok(edits)
    }

    /// Lines for packages that a file with hashes needs now and does not name, behind the first line that moves.
    fn missing(&self, file: SourceId, wanted: &Wanted, solved: &[Solution]) -> Option<Edit> {
        let files: BTreeSet<SourceId> = self.sets(wanted).iter().flat_map(|set| self.files_of(*set)).collect();
        let named = |name: &Name| {
            let of_files = self.project.references().filter(|(id, _)| files.contains(&id.source));
            of_files.into_iter().any(|(_, reference)| normalize(&reference.subject.name) == **name)
        };
        let first = wanted.keys().find(|id| id.source == file)?;
        let slot = self.project.reference(*first).site.digest?;
        let source = self.project.source(file);
        let behind = slot.at.span.end as usize;
        let end = source.text[behind..].find('\n').map_or(source.text.len(), |at| behind + at);
        let end = if source.text[..end].ends_with('\r') { end - 1 } else { end };
        let line_end = if source.text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: BTreeSet<String> = BTreeSet::new();
        for package in solved.iter().flat_map(|solution| &solution.packages).filter(|package| !named(&package.name)) {
            let marker = package.marker.text().map_or(String::new(), |marker| format!(" ; {marker}"));
            let hashes: String = package.hashes.iter().map(|hash| format!("{}{hash}", slot.lead)).collect();
            lines.insert(format!("{line_end}{}=={}{marker}{hashes}", package.name, package.version));
        }
        let text: String = lines.into_iter().collect();
        (!text.is_empty()).then(|| Edit::replace(Location::new(file, Span::empty(end)), text))
    }

    /// Exact lines of the inputs of a compiled file that have to move so that the raised ones can.
    fn inputs(&self, lock: &str, raise: &[(String, Option<String>)]) -> Option<Rewritten> {
        let asked = Asked { now: self.relocker.now.as_millisecond(), ..Asked::default() };
        let earlier = self.relocker.text(lock);
        let read = |path: &str| self.text(path, &Wanted::new());
        let mut job = Job::of(lock, earlier.as_deref(), &asked, Form::of(lock), &read).ok()?;
        let raised: BTreeSet<String> = raise.iter().map(|(name, _)| normalize(name)).collect();
        self.terms(&mut job, &raised, Others::MayMove, &BTreeSet::new());
        self.cut_young(&mut job);
        for (name, version) in raise {
            job.raise(name, Version::from_str(version.as_deref()?).ok()?);
        }
        let solution = self.ask(&job).ok()?;
        let paths = job.inputs.files.iter().filter_map(|path| join(&job.folder, path));
        let files: Vec<SourceId> = paths.filter_map(|path| Some(self.project.sources.find(&path)?.id)).collect();
        let mut made = Rewritten::default();
        for (id, reference, from) in self.exact_lines(&files) {
            let name = &reference.subject.name;
            let found: BTreeSet<String> = of(&solution, name).map(|one| one.version.to_string()).collect();
            let [to] = &found.into_iter().collect::<Vec<_>>()[..] else { continue };
            if *to == from || raised.contains(&normalize(name)) {
                continue;
            }
            if is_prerelease(to) && !is_prerelease(&from) {
                return None;
            }
            let pin = self.pin(reference, to, Vec::new());
            made.edits.extend(spell::edits(&self.project.sources, reference, &pin).ok()?);
            made.along.push(Along { reference: id, from, to: to.clone() });
        }
        (!made.along.is_empty()).then_some(made)
    }
}

/// The packages of a solution with a name.
fn of<'s>(solution: &'s Solution, name: &str) -> impl Iterator<Item = &'s resolve::graph::Package> {
    let name = normalize(name);
    solution.packages.iter().filter(move |package| *package.name == *name)
}

fn is_prerelease(version: &str) -> bool {
    Version::from_str(version).is_ok_and(|version| version.any_prerelease())
}

fn holds_hashes(project: &Project, file: SourceId) -> bool {
    let references = &project.facts_of(file).references;
    references.iter().any(|one| one.origin == Origin::Registry && !one.pin.digests.is_empty())
}

/// The hashes of a version, as the index publishes them.
fn hashes(solved: &[Solution], reference: &Reference, version: &str) -> Result<Vec<String>, Why> {
    let name = &reference.subject.name;
    let found = solved.iter().flat_map(|one| of(one, name)).find(|one| one.version.to_string() == version);
    match found.map(|one| one.hashes.clone()).filter(|hashes| !hashes.is_empty()) {
        Some(_) if reference.site.digest.is_none() => {
            let what =
                format!("the hashes of {name} stand in a form that is not rewritten; put each behind a `--hash=`");
            Err(Why::Ceiling(what))
        }
        Some(hashes) => Ok(hashes),
        None => Err(Why::NothingFits(format!("the hashes of {name} {version} are not known"))),
    }
}

#[cfg(test)]
mod tests;

//! Requirements files that nobody compiles: lines are raised, and every set of files that they belong to is resolved again as the proof.
//! What does not resolve alone is tried with the other exact lines of the set free to move within the policy.

use super::branch::Fault;
use super::relock::Relocker;
use crate::ecosystems::pypi::{normalize, python_allows};
use crate::model::change::Why;
use crate::model::edit::{Edit, Patch};
use crate::model::manifest::ManifestKind;
use crate::model::pin::Pin;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Reference, ReferenceId, Subject};
use crate::model::source::join;
use crate::model::span::{Location, SourceId, Span};
use crate::model::wish::Reach;
use crate::plan::{newer, select, spell};
use crate::resolve::file::{Asked, Form, Job};
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::{Name, Source, specifiers};
use crate::resolve::{self, Solution, Unsolved};
use crate::world::registries::pypi::{Named, Places, Pypi};
use crate::world::runtime;
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

/// Minor versions of Python that are tried, oldest first, where the repository names none.
const PYTHONS: [&str; 7] = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"];

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
        let made = runtime::block_on(async { tokio::task::block_in_place(|| lines.rewrite(raise)) });
        made.map_err(|error| (Why::Other(error.to_string()), Fault::World))?
    }

    /// What else of the inputs of a compiled file has to move so that `raise` can: exact lines within the policy. `None`: nothing helps.
    pub fn with_others(&self, lock: &str, raise: &[(String, Option<String>)], patch: &Patch) -> Option<Rewritten> {
        let lines = Lines { relocker: self, project: &self.base.project, patch };
        runtime::block_on(async { tokio::task::block_in_place(|| lines.inputs(lock, raise)) }).ok()?
    }
}

impl Lines<'_> {
    fn rewrite(&self, raise: &Wanted) -> Result<Rewritten, (Why, Fault)> {
        let sets = self.sets(raise);
        let mut wanted = raise.clone();
        let mut solved = Vec::new();
        for set in &sets {
            match self.solve(*set, &wanted, Others::Stay) {
                Ok(solution) => solved.push(solution),
                Err(Unsolved::World(text)) => return Err((Why::Other(text), Fault::World)),
                Err(Unsolved::Contradiction(alone)) => {
                    let held = || (Why::NothingFits(self.words(*set, &alone)), Fault::Policy);
                    wanted = self.with_connected(&sets, &wanted).ok_or_else(held)?;
                    solved = sets.iter().filter_map(|set| self.solve(*set, &wanted, Others::Stay).ok()).collect();
                    if solved.len() < sets.len() {
                        return Err(held());
                    }
                    break;
                }
            }
        }
        let mut made = Rewritten { edits: self.edits(&wanted, &solved)?, ..Rewritten::default() };
        made.along = self.along(raise, &wanted);
        made.remarks = self.remarks(raise, &sets);
        Ok(made)
    }

    /// Why it stays, and whether the file resolves as it is at all.
    fn words(&self, set: SourceId, alone: &str) -> String {
        let path = &self.project.source(set).path;
        match self.solve(set, &Wanted::new(), Others::Stay) {
            Err(Unsolved::Contradiction(before)) => format!("{path} does not resolve as it stands: {before}"),
            _ => format!("{path} would not resolve with it: {alone}"),
        }
    }

    /// The versions with which everything resolves when the other exact lines of each set may move up.
    fn with_connected(&self, sets: &[SourceId], wanted: &Wanted) -> Option<Wanted> {
        let mut all = wanted.clone();
        for set in sets {
            let solution = self.solve(*set, wanted, Others::MayMove).ok()?;
            for (id, reference, now) in self.exact_lines(&self.files_of(*set)) {
                if wanted.contains_key(&id) {
                    continue;
                }
                let found: BTreeSet<&Version> =
                    of(&solution, &reference.subject.name).map(|one| &one.version).collect();
                match found.into_iter().collect::<Vec<_>>()[..] {
                    [] => {}
                    [one] if one.to_string() == now => {}
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
        }
        Some(all)
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
                vec![format!("{} resolved as a whole by pinguard {}", list.join(", "), env!("CARGO_PKG_VERSION"))]
            }
        }
    }

    /// The files that are installed as one and reach a raised line: the outermost ones.
    fn sets(&self, raise: &Wanted) -> Vec<SourceId> {
        let mut above: BTreeMap<SourceId, BTreeSet<SourceId>> = BTreeMap::new();
        for (file, included) in self.includes() {
            above.entry(included).or_default().insert(file);
        }
        let mut sets = BTreeSet::new();
        for source in raise.keys().map(|id| id.source).collect::<BTreeSet<_>>() {
            let (mut open, mut seen) = (vec![source], BTreeSet::new());
            while let Some(file) = open.pop() {
                if !seen.insert(file) {
                    continue;
                }
                match above.get(&file).filter(|above| above.iter().any(|one| !seen.contains(one))) {
                    Some(above) => open.extend(above),
                    None => drop(sets.insert(file)),
                }
            }
        }
        let limits = |id: &SourceId| {
            self.project.facts_of(*id).manifests.iter().any(|manifest| manifest.kind == ManifestKind::Constraints)
        };
        sets.into_iter().filter(|id| !limits(id)).collect()
    }

    /// Every file that a file reads, itself first.
    fn files_of(&self, set: SourceId) -> Vec<SourceId> {
        let includes = self.includes();
        let mut files = vec![set];
        let mut at = 0;
        while let Some(file) = files.get(at).copied() {
            for (_, included) in includes.iter().filter(|(from, _)| *from == file) {
                if !files.contains(included) {
                    files.push(*included);
                }
            }
            at += 1;
        }
        files
    }

    fn includes(&self) -> Vec<(SourceId, SourceId)> {
        let mut pairs = Vec::new();
        for manifest in self.project.manifests() {
            let from = manifest.at.source;
            let folder = self.project.source(from).folder();
            for include in &manifest.includes {
                let path = join(folder, &include.path.text);
                pairs.extend(path.and_then(|path| Some((from, self.project.sources.find(&path)?.id))));
            }
        }
        pairs
    }

    /// Lines of an index with one exact version, and that version.
    fn exact_lines(&self, files: &[SourceId]) -> Vec<(ReferenceId, &Reference, String)> {
        let of_index = |(id, reference): &(ReferenceId, &Reference)| {
            files.contains(&id.source) && reference.origin == Origin::Registry && reference.site.version.is_some()
        };
        let references = self.project.references().filter(of_index);
        references.filter_map(|(id, one)| Some((id, one, newer::exact(one.pin.version.as_deref()?)?))).collect()
    }

    /// Resolves a file with all that it reads, for the Pythons of the repository.
    fn solve(&self, set: SourceId, wanted: &Wanted, others: Others) -> Result<Solution, Unsolved> {
        let mut last = Unsolved::Contradiction("no Python is left to try".to_string());
        for python in self.pythons() {
            match self.solve_on(set, wanted, others, python) {
                Ok(solution) => return Ok(solution),
                Err(Unsolved::World(text)) => return Err(Unsolved::World(text)),
                Err(unsolved) => last = unsolved,
            }
        }
        Err(last)
    }

    fn solve_on(&self, set: SourceId, wanted: &Wanted, others: Others, python: String) -> Result<Solution, Unsolved> {
        let path = self.project.source(set).path.clone();
        let now = self.relocker.now.as_millisecond();
        let asked = Asked { inputs: vec![path], universal: true, python: Some(python), now, ..Asked::default() };
        let read = |path: &str| self.text(path, wanted);
        let job = Job::of("", None, &asked, Form::Requirements, &read);
        let mut job = job.map_err(|mistakes| Unsolved::Contradiction(first_of(&mistakes)))?;
        let raised: BTreeSet<String> =
            wanted.keys().map(|id| normalize(&self.project.reference(*id).subject.name)).collect();
        self.terms(&mut job, &raised, others, self.is_hashed(set));
        self.ask(&job)
    }

    /// What may move, how old it must be, and what stands for packages that would have to be built.
    fn terms(&self, job: &mut Job, raised: &BTreeSet<String>, others: Others, closed: bool) {
        let policy = self.relocker.policy;
        let days = i64::from(policy.days(Ecosystem::Pypi));
        let request = &mut job.request;
        let mut free = BTreeSet::new();
        for one in request.requirements.iter_mut().chain(&mut request.constraints) {
            let Some(version) = one.exact().cloned() else { continue };
            let subject = Subject { ecosystem: Ecosystem::Pypi, name: one.name.to_string() };
            if others == Others::MayMove && !raised.contains(&*one.name) && policy.refuses(&subject).is_none() {
                free.insert(one.name.clone());
                let hashes = Vec::new();
                let marker = resolve::marker::Marker::always();
                request.pins.push(resolve::Pin { name: one.name.clone(), version: version.clone(), marker, hashes });
                one.source = Source::Index(upwards(&version, policy.reach(&subject)));
                continue;
            }
            // What stays as it is needs what it needed before, whatever that was.
            let nothing = Metadata::new(one.name.clone(), version.clone(), None, Vec::new(), one.extras.clone());
            if !raised.contains(&*one.name) {
                request.known.insert((one.name.clone(), version), Arc::new(nothing));
            }
            request.policy.cutoff_of.insert(one.name.clone(), None);
        }
        // An open file takes whatever is newest on the day of the installation, as it did before; a closed one says what comes along.
        if days > 0 && (closed || others == Others::MayMove) {
            request.policy.cutoff = Some(self.relocker.now.as_millisecond() - days * 24 * 3_600_000);
        }
    }

    fn ask(&self, job: &Job) -> Result<Solution, Unsolved> {
        let (default, extra, none) = job.indexes();
        let environment = self.relocker.environment;
        let places = Places::of(&Named { default, extra, none }, environment, &|_| None).map_err(Unsolved::World)?;
        let folder = self.relocker.folder.join(&job.folder);
        let pypi = Pypi::new(self.relocker.http.clone(), places, environment, folder);
        job.make(&pypi).map(|made| made.solution)
    }

    /// Whether one of the files of a set holds hashes, so that nothing may be missing from it.
    fn is_hashed(&self, set: SourceId) -> bool {
        self.files_of(set).iter().any(|file| holds_hashes(self.project, *file))
    }

    /// The Pythons of the repository, else what its projects ask for, else all that are known.
    fn pythons(&self) -> Vec<String> {
        if let Some(oldest) = oldest(&select::pythons(self.project)) {
            return vec![oldest];
        }
        let stated: Vec<&str> = self
            .project
            .manifests()
            .filter_map(|manifest| manifest.requires_python.as_ref())
            .map(|text| text.text.as_str())
            .collect();
        let fits = |minor: &&&str| stated.iter().all(|requires| python_allows(requires, minor) != Some(false));
        match PYTHONS.iter().find(fits) {
            Some(minor) if !stated.is_empty() => vec![minor.to_string()],
            _ => PYTHONS.iter().map(ToString::to_string).collect(),
        }
    }

    /// A file with the edits of the group and the wanted versions in it; what no index has is left out of the proof.
    fn text(&self, path: &str, wanted: &Wanted) -> Option<String> {
        let Some(source) = self.project.sources.find(path) else { return self.relocker.text(path) };
        let mut patch = self.patch.clone();
        for (id, to) in wanted.iter().filter(|(id, _)| id.source == source.id) {
            let reference = self.project.reference(*id);
            let edits = spell::edits(&self.project.sources, reference, &self.pin(reference, to, Vec::new())).ok()?;
            patch.merge(edits).ok()?;
        }
        for reference in &self.project.facts_of(source.id).references {
            if reference.origin != Origin::Registry {
                let start = source.text[..reference.site.whole.span.start as usize].rfind('\n').map_or(0, |at| at + 1);
                let at = Location::new(source.id, Span::empty(start));
                let _ = patch.merge(vec![Edit::replace(at, "# ")]);
            }
        }
        let text = patch.apply(source.id, &source.text);
        let of_links = |line: &str| line.starts_with("-f ") || line.starts_with("--find-links");
        Some(text.split_inclusive('\n').map(|line| if of_links(line) { "\n" } else { line }).collect())
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
        self.terms(&mut job, &raised, Others::MayMove, true);
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
            let pin = self.pin(reference, to, Vec::new());
            made.edits.extend(spell::edits(&self.project.sources, reference, &pin).ok()?);
            made.along.push(Along { reference: id, from, to: to.clone() });
        }
        (!made.along.is_empty()).then_some(made)
    }
}

fn first_of(mistakes: &[resolve::file::Mistake]) -> String {
    match mistakes.first() {
        Some(mistake) => format!("{}:{}: {}", mistake.file, mistake.line, mistake.text),
        None => "its inputs cannot be read".to_string(),
    }
}

/// The packages of a solution with a name.
fn of<'s>(solution: &'s Solution, name: &str) -> impl Iterator<Item = &'s resolve::graph::Package> {
    let name = normalize(name);
    solution.packages.iter().filter(move |package| *package.name == *name)
}

/// This version and newer ones within a reach.
fn upwards(version: &Version, reach: Reach) -> pep440_rs::VersionSpecifiers {
    let release = version.release();
    let at = |index: usize| release.get(index).copied().unwrap_or(0);
    let limit = match reach {
        Reach::Written => format!(",=={version}"),
        Reach::Patch => format!(",=={}.{}.*", at(0), at(1)),
        Reach::Minor => format!(",=={}.*", at(0)),
        Reach::Major => String::new(),
    };
    specifiers(&format!(">={version}{limit}")).unwrap_or_default()
}

fn oldest(pythons: &[String]) -> Option<String> {
    let minor = |text: &&String| text.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or(0);
    pythons.iter().filter(|text| text.starts_with("3.")).min_by_key(minor).cloned()
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
mod tests {
    use super::*;

    #[test]
    fn lines_move_up_within_the_policy() {
        let reach = |reach| {
            let bounds = upwards(&Version::from_str("1.2.3").expect("a version"), reach);
            let fits = |text: &str| bounds.contains(&Version::from_str(text).expect("a version"));
            ["1.2.2", "1.2.4", "1.3", "2.0"].map(fits)
        };
        assert_eq!(reach(Reach::Patch), [false, true, false, false]);
        assert_eq!(reach(Reach::Minor), [false, true, true, false]);
        assert_eq!(reach(Reach::Major), [false, true, true, true]);
    }

    #[test]
    fn the_oldest_python_counts() {
        let list = ["3.12", "3.9", "3.10"].map(str::to_string);
        assert_eq!(oldest(&list).as_deref(), Some("3.9"));
    }
}

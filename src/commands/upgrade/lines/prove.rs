//! The resolution of a set of requirements files as it would be: on which Pythons, with what free to move, and what is left out because
//! it contradicts the rest before anything moves.

use super::{Lines, Others, Relocker, Wanted, holds_hashes, of};
use crate::ecosystems::pypi::{normalize, python_allows};
use crate::model::edit::Edit;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Subject};
use crate::model::span::{Location, SourceId, Span};
use crate::model::wish::Reach;
use crate::plan::newer::Step;
use crate::plan::{select, spell};
use crate::resolve::bounds::PythonRange;
use crate::resolve::file::{Asked, Form, Job, Mistake};
use crate::resolve::listing::{Index, Kind, Listing};
use crate::resolve::metadata::Metadata;
use crate::resolve::odds::Given;
use crate::resolve::requirement::{Name, Source, specifiers};
use crate::resolve::standing::Standing;
use crate::resolve::{self, Contradiction, Holds, Solution, Unsolved};
use crate::world::registries::pypi::{Named, Places, Pypi};
use crate::world::runtime::Kept;
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Minor versions of Python that are tried, oldest first, where the repository names none.
const PYTHONS: [&str; 7] = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"];

/// How a set stands, once that is known.
type Found = Arc<OnceLock<Result<Ground, Unsolved>>>;

/// What is learnt once for all groups.
#[derive(Default)]
pub struct Memory {
    runtime: OnceLock<Option<Kept>>,
    indexes: Mutex<BTreeMap<(Named, PathBuf), Arc<Pypi>>>,
    grounds: Mutex<BTreeMap<SourceId, Found>>,
    /// Versions that lines will be raised to: their metadata is fetched together.
    pub(super) foreseen: Vec<(Name, Version)>,
    /// How often the resolver was asked.
    #[cfg(test)]
    pub(super) searches: std::sync::atomic::AtomicUsize,
}

impl Memory {
    /// A memory for these steps.
    pub fn of(project: &Project, steps: &[Step]) -> Memory {
        let foreseen = steps.iter().filter(|step| step.is_line()).filter_map(|step| {
            let name = normalize(&project.reference(step.reference).subject.name);
            Some((name.into(), Version::from_str(&step.relock.as_ref()?.1).ok()?))
        });
        Memory { foreseen: foreseen.collect(), ..Memory::default() }
    }
}

/// How a set of files stands before anything moves.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// The Pythons to try: the first one on which it resolves, and newer ones.
    pub(super) pythons: Vec<String>,
    /// Exact lines that contradict others already; they are no part of the proof.
    pub(super) odds: BTreeSet<String>,
    /// Why they do.
    why: String,
    /// The set as it stands, without those lines.
    standing: Option<Arc<Standing>>,
}

impl Relocker<'_> {
    /// The indexes that a file names, asked once for all groups.
    pub fn index(&self, job: &Job) -> Result<Arc<Pypi>, Unsolved> {
        let (default, extra, none) = job.indexes();
        let (named, folder) = (Named { default, extra, none }, self.folder.join(&job.folder));
        let memory = &self.lines;
        let mut indexes = lock(&memory.indexes);
        if let Some(known) = indexes.get(&(named.clone(), folder.clone())) {
            return Ok(Arc::clone(known));
        }
        let places = Places::of(&named, self.environment, &|_| None).map_err(Unsolved::World)?;
        let kept = memory.runtime.get_or_init(|| Kept::start().ok());
        let kept = kept.as_ref().ok_or_else(|| Unsolved::World("no thread can be started".to_string()))?;
        let http = self.http.clone();
        let pypi = Arc::new(kept.within(|| Pypi::new(http, places, self.environment, folder.clone())));
        indexes.insert((named, folder), Arc::clone(&pypi));
        Ok(pypi)
    }
}

impl Lines<'_> {
    /// How a set stands: on which Python it resolves, and which lines are at odds already.
    pub(super) fn ground(&self, set: SourceId) -> Result<Ground, Unsolved> {
        // Who comes second waits for the first.
        let ground = Arc::clone(lock(&self.relocker.lines.grounds).entry(set).or_default());
        ground.get_or_init(|| self.grounded(set)).clone()
    }

    fn grounded(&self, set: SourceId) -> Result<Ground, Unsolved> {
        let all = self.pythons();
        let newest = all.last().map_or("3.14", String::as_str).to_string();
        let (nothing, nobody) = (Wanted::new(), BTreeSet::new());
        // Where the lines leave no Python, the newest is tried for the reason.
        let as_it_stands = |python: &str| self.job(set, &nothing, Others::Stay, &nobody, python);
        let runs = self.given(&as_it_stands(&all[0])?, |given| {
            all.iter().filter(|python| **python == newest || given.run_on(&range(python))).cloned().collect::<Vec<_>>()
        })?;
        let pythons = runs.unwrap_or_else(|| all.clone());
        let solve = |pythons: &[String], odds: &BTreeSet<String>| {
            Lines::oldest(pythons, |on| self.solve_on(set, &nothing, Others::Stay, (on, odds)))
        };
        let ground = |odds: BTreeSet<String>, why: String, (at, solution): (usize, Solution)| {
            let standing = self.standing(set, &pythons[at], solution);
            Ok(Ground { pythons: pythons[at..].to_vec(), odds, why, standing })
        };
        let odds = |given: &Given| given.odds(&range(&newest)).into_iter().map(|name| name.to_string()).collect();
        let odds: BTreeSet<String> = self.given(&as_it_stands(&pythons[0])?, odds)?.unwrap_or_default();
        // What two lines say against each other on the newest Python holds on all.
        let tried = if odds.is_empty() { &pythons[..] } else { &pythons[..1] };
        let why = match solve(tried, &nobody) {
            Ok(found) => return ground(nobody.clone(), String::new(), found),
            Err(Unsolved::Contradiction(why)) => why.text,
            Err(world) => return Err(world),
        };
        if !odds.is_empty() {
            match solve(&pythons, &odds) {
                Ok(found) => return ground(odds, why, found),
                Err(Unsolved::Contradiction(_)) => {}
                Err(world) => return Err(world),
            }
        }
        let odds = self.gives_way(set, &newest)?;
        match solve(&pythons, &odds) {
            Ok(found) => ground(odds, why, found),
            Err(Unsolved::Contradiction(_)) => Ok(Ground { pythons: pythons.clone(), odds, why, standing: None }),
            Err(world) => Err(world),
        }
    }

    /// What the exact lines of a job say at first sight.
    fn given<T>(&self, job: &Job, ask: impl Fn(&Given) -> T) -> Result<Option<T>, Unsolved> {
        let index = self.relocker.index(job)?;
        Ok(Given::of(&job.request, &*index).as_ref().map(ask))
    }

    /// What gives way when nothing has to stay: that is what the others contradict.
    fn gives_way(&self, set: SourceId, python: &str) -> Result<BTreeSet<String>, Unsolved> {
        let free = self.solve_on(set, &Wanted::new(), Others::AreFree, (python, &BTreeSet::new()))?;
        let lines = self.exact_lines(&self.files_of(set));
        let moved = lines.into_iter().filter(|(_, reference, now)| {
            !of(&free, &reference.subject.name).any(|package| package.version.to_string() == *now)
        });
        Ok(moved.map(|(_, reference, _)| normalize(&reference.subject.name)).collect())
    }

    /// The first Python, by its place, on which something resolves; else the reason why not that says most, the first of those. All are
    /// tried that the reason leaves open: what has no wheels for the newest yet can resolve on an older one.
    fn oldest(
        pythons: &[String],
        solve: impl Fn(&str) -> Result<Solution, Unsolved>,
    ) -> Result<(usize, Solution), Unsolved> {
        let mut reason: Option<Contradiction> = None;
        for (at, python) in pythons.iter().enumerate() {
            match solve(python) {
                Ok(solution) => return Ok((at, solution)),
                Err(Unsolved::Contradiction(one)) => {
                    let holds = one.holds;
                    if reason.as_ref().is_none_or(|known| known.holds < holds) {
                        reason = Some(one);
                    }
                    if holds == Holds::Always {
                        break;
                    }
                }
                Err(world) => return Err(world),
            }
        }
        let reason = reason.map(Unsolved::Contradiction);
        Err(reason.unwrap_or_else(|| Unsolved::said("no Python is left to try".to_string())))
    }

    /// A set that holds hashes says what comes along, so it has to be resolved for every step.
    fn standing(&self, set: SourceId, python: &str, solution: Solution) -> Option<Arc<Standing>> {
        if self.is_hashed(set) {
            return None;
        }
        let job = self.job(set, &Wanted::new(), Others::Stay, &BTreeSet::new(), python).ok()?;
        let index = self.relocker.index(&job).ok()?;
        for (name, version) in &self.relocker.lines.foreseen {
            let version = version.clone();
            let wheel = move |listing: &Arc<Listing>| {
                let files = listing.release(&version)?.files();
                files.iter().find(|file| matches!(file.kind, Kind::Wheel(_)) && file.yanked.is_none()).cloned()
            };
            index.soon(name, Some(Box::new(wheel)));
        }
        Some(Arc::new(Standing::of(solution, &*index)))
    }

    /// The versions that are other ones when a set gets the wanted ones without a search. `None`: it has to be searched for.
    pub(super) fn mended(&self, set: SourceId, wanted: &Wanted, others: Others) -> Option<BTreeMap<Name, Version>> {
        let ground = self.ground(set).ok()?;
        let standing = ground.standing?;
        let files = self.files_of(set);
        let mut raised: BTreeMap<Name, Version> = BTreeMap::new();
        for (id, version) in wanted.iter().filter(|(id, _)| files.contains(&id.source)) {
            let name = normalize(&self.project.reference(*id).subject.name);
            let version = Version::from_str(version).ok()?;
            if raised.insert(name.into(), version.clone()).is_some_and(|other| other != version) {
                return None;
            }
        }
        // What moves along has to run on the oldest Python; who stays alone proves the step on any.
        let pythons = if others == Others::Stay { &ground.pythons[..] } else { &ground.pythons[..1] };
        pythons.iter().find_map(|python| {
            let job = self.job(set, wanted, others, &ground.odds, python).ok()?;
            let index = self.relocker.index(&job).ok()?;
            standing.mended(&*index, &raised, &job.request)
        })
    }

    /// What is said of lines that contradict others before anything moves.
    pub(super) fn at_odds(&self, set: SourceId) -> Option<String> {
        let ground = self.ground(set).ok().filter(|ground| !ground.odds.is_empty())?;
        let names: Vec<String> = ground.odds.iter().map(|name| format!("`{name}`")).collect();
        let why: Vec<&str> = ground.why.lines().skip(1).map(|line| line.trim_start_matches([' ', '-'])).collect();
        let path = &self.project.source(set).path;
        let names = names.join(", ");
        Some(format!(
            "`{path}` does not resolve as it stands, so {names} had to be left out of the proof: {}",
            why.join("; ")
        ))
    }

    /// Resolves a file with all that it reads, for the Pythons of the repository.
    pub(super) fn solve(&self, set: SourceId, wanted: &Wanted, others: Others) -> Result<Solution, Unsolved> {
        let ground = self.ground(set)?;
        let solve = |python: &str| self.solve_on(set, wanted, others, (python, &ground.odds));
        let (first, newest) = (&ground.pythons[0], range(&ground.pythons[ground.pythons.len() - 1]));
        let contradict = |given: &Given| given.contradict(&newest, &ground.odds);
        // What two lines say against each other on the newest Python holds on all.
        let job = self.job(set, wanted, others, &ground.odds, first)?;
        let hopeless = self.given(&job, contradict)?.unwrap_or_default();
        let pythons = if hopeless { &ground.pythons[..1] } else { &ground.pythons[..] };
        Ok(Lines::oldest(pythons, solve)?.1)
    }

    fn solve_on(
        &self,
        set: SourceId,
        wanted: &Wanted,
        others: Others,
        on: (&str, &BTreeSet<String>),
    ) -> Result<Solution, Unsolved> {
        self.ask(&self.job(set, wanted, others, on.1, on.0)?)
    }

    fn job(
        &self,
        set: SourceId,
        wanted: &Wanted,
        others: Others,
        odds: &BTreeSet<String>,
        python: &str,
    ) -> Result<Job, Unsolved> {
        let path = self.project.source(set).path.clone();
        let now = self.relocker.now.as_millisecond();
        let asked =
            Asked { inputs: vec![path], universal: true, python: Some(python.to_string()), now, ..Asked::default() };
        let read = |path: &str| self.text(path, wanted);
        let job = Job::of("", None, &asked, Form::Requirements, &read);
        let mut job = job.map_err(|mistakes| Unsolved::said(first_of(&mistakes)))?;
        let raised: BTreeSet<String> =
            wanted.keys().map(|id| normalize(&self.project.reference(*id).subject.name)).collect();
        self.terms(&mut job, &raised, others, odds);
        job.request.policy.speakers = Some(range(PYTHONS[PYTHONS.len() - 1]));
        if self.is_hashed(set) || others == Others::MayMove {
            self.cut_young(&mut job);
        }
        Ok(job)
    }

    /// What may move, how old it must be, and what stands for packages that would have to be built.
    pub(super) fn terms(&self, job: &mut Job, raised: &BTreeSet<String>, others: Others, odds: &BTreeSet<String>) {
        let policy = self.relocker.policy;
        let request = &mut job.request;
        for one in request.requirements.iter_mut().chain(&mut request.constraints) {
            let Some(version) = one.exact().cloned() else { continue };
            let subject = Subject { ecosystem: Ecosystem::Pypi, name: one.name.to_string() };
            // What stays as it is needs what it needed before, whatever that was.
            let nothing = Metadata::new(one.name.clone(), version.clone(), None, Vec::new(), one.extras.clone());
            if !raised.contains(&*one.name) {
                request.known.insert((one.name.clone(), version.clone()), Arc::new(nothing));
            }
            let free = others == Others::AreFree || odds.contains(&*one.name);
            let moves = free || others == Others::MayMove && policy.refuses(&subject).is_none();
            if moves && !raised.contains(&*one.name) {
                let hashes = Vec::new();
                let marker = resolve::marker::Marker::always();
                request.pins.push(resolve::Pin { name: one.name.clone(), version: version.clone(), marker, hashes });
                let bounds = if free { Default::default() } else { upwards(&version, policy.reach(&subject)) };
                one.source = Source::Index(bounds);
                continue;
            }
            request.policy.cutoff_of.insert(one.name.clone(), None);
        }
    }

    /// What comes along has to be old enough. An open file takes whatever is newest on the day of the installation, as it did before; a
    /// closed one says what comes along.
    pub(super) fn cut_young(&self, job: &mut Job) {
        let days = i64::from(self.relocker.policy.days(Ecosystem::Pypi));
        if days > 0 {
            job.request.policy.cutoff = Some(self.relocker.now.as_millisecond() - days * 24 * 3_600_000);
        }
    }

    pub(super) fn ask(&self, job: &Job) -> Result<Solution, Unsolved> {
        #[cfg(test)]
        self.relocker.lines.searches.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        job.make(&*self.relocker.index(job)?).map(|made| made.solution)
    }

    /// Whether one of the files of a set holds hashes, so that nothing may be missing from it.
    pub(super) fn is_hashed(&self, set: SourceId) -> bool {
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
    pub(super) fn text(&self, path: &str, wanted: &Wanted) -> Option<String> {
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
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn first_of(mistakes: &[Mistake]) -> String {
    match mistakes.first() {
        Some(mistake) => format!("{}:{}: {}", mistake.file, mistake.line, mistake.text),
        None => "its inputs cannot be read".to_string(),
    }
}

/// A Python and all newer ones.
fn range(python: &str) -> PythonRange {
    Version::from_str(python).map_or_else(|_| PythonRange::of(&Default::default()), |python| PythonRange::from(&python))
}

/// This version and newer ones within a reach.
pub(super) fn upwards(version: &Version, reach: Reach) -> pep440_rs::VersionSpecifiers {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

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

//! One group to the files of its branch: edits, locks made anew, and the proof that nothing else moved. A group that cannot be built is
//! split until the culprit stands alone; the rest goes ahead.

use super::ages::{self, Released};
use super::base::Base;
use super::lines::Along;
use super::relock::Relocker;
use crate::check;
use crate::check::settle::settle;
use crate::config::upgrade::Upgrade;
use crate::model::change::Why;
use crate::model::edit::Patch;
use crate::model::finding::Judged;
use crate::model::lock::{LockTool, LockedPackage};
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, ReferenceId};
use crate::model::rule::Level;
use crate::model::span::SourceId;
use crate::plan::describe::LockMove;
use crate::plan::group::{self, Group};
use crate::plan::newer::Step;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A branch before it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// What moves.
    pub group: Group,
    /// The files that change, whole.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What moved in locks.
    pub locks: Vec<LockMove>,
    /// How it was made.
    pub remarks: Vec<String>,
    /// Commands that check it.
    pub commands: Vec<String>,
}

impl Built {
    /// Takes in another one that comes to the same files.
    pub fn join(&mut self, project: &Project, other: Built) {
        self.group.steps.extend(other.group.steps);
        self.group.steps.sort_by_key(|step| step.reference);
        self.group.subjects = group::subjects(project, self.group.steps.iter().map(|step| step.reference));
    }
}

/// Whose fault it is that something is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The policy's, or the project's: nothing failed.
    Policy,
    /// The world's: a tool, an index, a forge.
    World,
}

/// Something that is held, and whose fault that is.
pub type Held = (ReferenceId, Why, Fault);

/// Builds branches on one base.
pub struct Builder<'a> {
    /// The base.
    pub base: &'a Base,
    /// What the configuration wants.
    pub policy: &'a Upgrade,
    /// Makes locks anew.
    pub relocker: Relocker<'a>,
    /// Now.
    pub now: Timestamp,
    /// What `check` says of the base, by fingerprint.
    before: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    /// A builder on `base`.
    pub fn new(base: &'a Base, policy: &'a Upgrade, relocker: Relocker<'a>, now: Timestamp) -> Builder<'a> {
        let before = serious(base, &base.project, now).into_iter().map(|judged| judged.fingerprint).collect();
        Builder { base, policy, relocker, now, before }
    }

    /// As much of a group as can be built, and what cannot.
    pub fn settle(&self, group: Group) -> (Option<Built>, Vec<Held>) {
        let (why, fault) = match self.build(&group) {
            Ok(built) => return (Some(built), Vec::new()),
            Err(failed) => failed,
        };
        let units = self.units(&group);
        if units.len() < 2 {
            let held = group.steps.iter().map(|step| (step.reference, why.clone(), fault)).collect();
            return (None, held);
        }
        self.split(&group, &units, &why, fault)
    }

    /// What can stand alone: subjects, and of one subject the locks that hold it.
    fn units(&self, group: &Group) -> Vec<Vec<Step>> {
        let mut units: BTreeMap<_, Vec<Step>> = BTreeMap::new();
        for step in &group.steps {
            let subject = &self.base.project.reference(step.reference).subject;
            let lock = step.relock.as_ref().map(|(lock, _)| *lock);
            let key = if group.subjects.len() > 1 { (Some(subject), None) } else { (None, lock) };
            units.entry(key).or_default().push(step.clone());
        }
        units.into_values().collect()
    }

    /// Each half for itself, then what is left of both together.
    fn split(&self, group: &Group, units: &[Vec<Step>], why: &Why, fault: Fault) -> (Option<Built>, Vec<Held>) {
        let (left, right) = units.split_at(units.len() / 2);
        let (left, mut held) = self.settle(self.part(group, left.concat()));
        let (right, more) = self.settle(self.part(group, right.concat()));
        held.extend(more);
        let (left, right) = match (left, right) {
            (Some(left), Some(right)) => (left, right),
            (one, other) => return (one.or(other), held),
        };
        let steps = left.group.steps.iter().chain(&right.group.steps).cloned().collect();
        match self.build(&self.part(group, steps)) {
            Ok(built) => (Some(built), held),
            Err(_) => {
                // Each is right alone and both together are not: the first goes ahead.
                held.extend(right.group.steps.iter().map(|step| (step.reference, why.clone(), fault)));
                (Some(left), held)
            }
        }
    }

    fn part(&self, group: &Group, steps: Vec<Step>) -> Group {
        let subjects = group::subjects(&self.base.project, steps.iter().map(|step| step.reference));
        Group { branch: group.branch.clone(), subjects, steps }
    }

    fn build(&self, group: &Group) -> Result<Built, (Why, Fault)> {
        let project = &self.base.project;
        let mut patch = Patch::default();
        for step in &group.steps {
            patch.merge(step.edits.clone()).map_err(|_| (Why::Shared, Fault::Policy))?;
        }
        let mut along = Vec::new();
        let mut remarks = Vec::new();
        let lines = lines(group);
        if !lines.is_empty() {
            let made = self.relocker.lines(&lines, &patch)?;
            patch.merge(made.edits).map_err(|_| (Why::Shared, Fault::Policy))?;
            along.extend(made.along);
            remarks.extend(made.remarks);
        }
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        apply(project, &patch, &mut files);
        let mut commands = vec!["pinguard check".to_string()];
        for (lock, raise) in raises(project, group) {
            let Some(tool) = project.facts_of(lock).locks.first().map(|lock| lock.tool) else { continue };
            let path = project.source(lock).path.clone();
            let made = match self.relocker.make(tool, &path, &raise, &files) {
                Err((Why::NothingFits(text), fault)) if matches!(tool, LockTool::Compiled | LockTool::Pylock) => {
                    // Alone it does not go: perhaps with other exact lines of the same inputs.
                    let more = self.relocker.with_others(&path, &raise, &patch);
                    let more = more.ok_or((Why::NothingFits(text), fault))?;
                    patch.merge(more.edits).map_err(|_| (Why::Shared, Fault::Policy))?;
                    apply(project, &patch, &mut files);
                    along.extend(more.along);
                    self.relocker.make(tool, &path, &raise, &files)?
                }
                made => made?,
            };
            remarks.push(format!("`{path}` was made by {}", made.tool));
            remarks.extend(made.remarks);
            commands.extend(command(tool, &path));
            files.insert(path, made.text);
        }
        let after = self.base.with(&files);
        let mut locks = moved(project, &after, &files);
        self.moved_far_enough(group, &locks)?;
        locks.extend(along.iter().map(|one| along_row(project, one)));
        locks.sort();
        locks.dedup();
        let released = self.ages(group, &locks, &after)?;
        self.proof(group, &along, &after).map_err(|text| (Why::Other(text), Fault::Policy))?;
        let group = self.as_made(group, &locks, &released);
        Ok(Built { group, files, locks, remarks, commands })
    }

    /// Whether the locks hold what was asked for.
    fn moved_far_enough(&self, group: &Group, locks: &[LockMove]) -> Result<(), (Why, Fault)> {
        for step in group.steps.iter().filter(|step| step.relock.is_some() && !step.is_line()) {
            let name = &self.base.project.reference(step.reference).subject.name;
            if !locks.iter().any(|row| row.name == *name && row.to.is_some()) {
                let text =
                    format!("its lock stays at {}: other requirements or markers do not let {} in", step.from, step.to);
                return Err((Why::NothingFits(text), Fault::Policy));
            }
        }
        Ok(())
    }

    /// The group as its locks hold it: some tools cannot be told a version, and take another one than the newest.
    fn as_made(&self, group: &Group, locks: &[LockMove], released: &Released) -> Group {
        let mut group = group.clone();
        for step in group.steps.iter_mut().filter(|step| step.edits.is_empty()) {
            let Some((lock, version)) = &mut step.relock else { continue };
            let (path, name) =
                (&self.base.project.source(*lock).path, &self.base.project.reference(step.reference).subject.name);
            let row = locks.iter().find(|row| row.lock == *path && row.name == *name);
            let Some(to) = row.and_then(|row| row.to.clone()).filter(|to| to != version) else { continue };
            let date = released.get(&(name.clone(), to.clone())).copied();
            (step.to, *version, step.released) = (to.clone(), to, date);
        }
        group
    }

    /// Whether everything that moved in locks is old enough, asked for or not.
    fn ages(&self, group: &Group, locks: &[LockMove], after: &Project) -> Result<Released, (Why, Fault)> {
        let days = self.policy.days(Ecosystem::Pypi);
        let asked = |row: &&LockMove| {
            let wanted = |step: &Step| self.name(step) == row.name && row.to.as_deref() == Some(&step.to);
            !group.steps.iter().any(wanted)
        };
        let mut rows: Vec<&LockMove> = locks.iter().filter(asked).filter(|row| row.to.is_some()).collect();
        if days == 0 {
            // Nothing has to wait: only what a tool chose itself is told with its age.
            let of_step = |row: &&LockMove| group.steps.iter().any(|step| self.name(step) == row.name);
            rows.retain(|row| of_step(row) && !is_of_channel(after, row));
        }
        if rows.is_empty() {
            return Ok(Released::new());
        }
        if let Some(row) = rows.iter().find(|row| is_of_channel(after, row)) {
            let version = row.to.as_deref().unwrap_or("");
            let text =
                format!("it would take {} {version} along from a channel of conda, which tells no age", row.name);
            return Err((Why::NothingFits(text), Fault::Policy));
        }
        match ages::check(&rows, days, self.now, &self.relocker) {
            // An age that nobody knows holds nothing where none is asked for.
            Err(_) if days == 0 => Ok(Released::new()),
            checked => checked.map_err(|why| (why, Fault::Policy)),
        }
    }

    fn name(&self, step: &Step) -> &str {
        &self.base.project.reference(step.reference).subject.name
    }

    /// Only the intended references moved, and `check` says nothing new.
    fn proof(&self, group: &Group, along: &[Along], after: &Project) -> Result<(), String> {
        let before = &self.base.project;
        let meant: BTreeSet<ReferenceId> =
            group.steps.iter().map(|step| step.reference).chain(along.iter().map(|one| one.reference)).collect();
        for (old, new) in before.facts.iter().zip(&after.facts) {
            let Some(source) = old.source else { continue };
            if !old.locks.is_empty() {
                continue;
            }
            let path = &before.source(source).path;
            if old.references.len() != new.references.len() {
                return Err(format!("{path} would be read differently afterwards"));
            }
            for (index, (old, new)) in old.references.iter().zip(&new.references).enumerate() {
                let id = ReferenceId { source, index: index as u32 };
                if old.subject != new.subject || old.pin != new.pin && !meant.contains(&id) {
                    return Err(format!("{} in {path} would move too", old.subject.name));
                }
            }
        }
        let fresh =
            serious(self.base, after, self.now).into_iter().find(|judged| !self.before.contains(&judged.fingerprint));
        match fresh {
            Some(judged) => Err(format!(
                "`pinguard check` would say afterwards: {} ({})",
                judged.finding.message, judged.finding.rule.id
            )),
            None => Ok(()),
        }
    }
}

fn serious(base: &Base, project: &Project, now: Timestamp) -> Vec<Judged> {
    let config = &base.config;
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let settled = settle(project, check::findings(project), config, config.profile.unwrap_or_default(), today);
    settled.judged.into_iter().filter(|judged| judged.level >= Level::Warning).collect()
}

/// Lines that are raised, each with its version.
fn lines(group: &Group) -> BTreeMap<ReferenceId, String> {
    let lines = group.steps.iter().filter(|step| step.is_line());
    lines.filter_map(|step| Some((step.reference, step.relock.as_ref()?.1.clone()))).collect()
}

/// The texts of what a patch changes.
fn apply(project: &Project, patch: &Patch, files: &mut BTreeMap<String, Vec<u8>>) {
    for id in patch.sources() {
        let source = project.source(id);
        files.insert(source.path.clone(), patch.apply(id, &source.text).into_bytes());
    }
}

/// Whether a package of a lock comes from a channel of conda: an index of Python's knows others of the same name.
fn is_of_channel(project: &Project, row: &LockMove) -> bool {
    let source = project.sources.find(&row.lock).map(|source| source.id);
    let mut locks = source.iter().flat_map(|id| &project.facts_of(*id).locks);
    locks.any(|lock| {
        let conda = matches!(lock.tool, LockTool::CondaLock | LockTool::Pixi);
        let is_it =
            |package: &LockedPackage| package.name == row.name && package.groups.iter().any(|group| group == "conda");
        conda && lock.packages.iter().any(is_it)
    })
}

fn along_row(project: &Project, one: &Along) -> LockMove {
    let lock = project.source(one.reference.source).path.clone();
    let name = project.reference(one.reference).subject.name.clone();
    LockMove { lock, name, from: Some(one.from.clone()), to: Some(one.to.clone()) }
}

/// What each lock should hold, in the order of locks.
fn raises(project: &Project, group: &Group) -> BTreeMap<SourceId, Vec<(String, Option<String>)>> {
    let mut by_lock: BTreeMap<SourceId, BTreeMap<String, Option<String>>> = BTreeMap::new();
    for step in group.steps.iter().filter(|step| !step.is_line()) {
        if let Some((lock, version)) = &step.relock {
            let name = project.reference(step.reference).subject.name.clone();
            by_lock.entry(*lock).or_default().insert(name, Some(version.clone()));
        }
    }
    by_lock.into_iter().map(|(lock, raise)| (lock, raise.into_iter().collect())).collect()
}

/// What moved in the locks among `files`.
pub(super) fn moved(before: &Project, after: &Project, files: &BTreeMap<String, Vec<u8>>) -> Vec<LockMove> {
    let mut rows = Vec::new();
    for path in files.keys() {
        let versions = |project: &Project| {
            let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            let source = project.sources.find(path).map(|source| source.id);
            for lock in source.iter().flat_map(|id| &project.facts_of(*id).locks) {
                for package in &lock.packages {
                    versions.entry(package.name.clone()).or_default().insert(package.version.clone());
                }
            }
            versions
        };
        let (old, new) = (versions(before), versions(after));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let text = |versions: &BTreeMap<String, BTreeSet<String>>| {
                versions.get(name).map(|set| set.iter().cloned().collect::<Vec<_>>().join(", "))
            };
            let (from, to) = (text(&old), text(&new));
            if from != to {
                rows.push(LockMove { lock: path.clone(), name: name.clone(), from, to });
            }
        }
    }
    rows
}

/// The command by which a lock's own tool says whether it is fresh.
fn command(tool: LockTool, path: &str) -> Option<String> {
    let command = match tool {
        LockTool::Uv => "uv lock --check",
        LockTool::Poetry => "poetry check --lock",
        LockTool::Pdm => "pdm lock --check",
        LockTool::Pipenv => "pipenv verify",
        LockTool::Compiled | LockTool::Pylock => return Some("pinguard lock --check".to_string()),
        _ => return None,
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_plain = folder.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    match (folder.is_empty(), is_plain) {
        (true, _) => Some(command.to_string()),
        (false, true) => Some(format!("(cd {folder} && {command})")),
        _ => None,
    }
}

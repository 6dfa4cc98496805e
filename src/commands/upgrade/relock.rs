//! Locks made anew: compiled files by our own resolver, the others by their own tool in a private copy of the base.

use super::base::Base;
use super::branch::{Fault, moved};
use crate::config::upgrade::{self, Upgrade};
use crate::ecosystems::pypi::normalize;
use crate::model::change::Why;
use crate::model::lock::LockTool;
use crate::model::reference::Ecosystem;
use crate::resolve::Unsolved;
use crate::resolve::file::{Asked, Form as FileForm, Job, Made as FileMade};
use crate::world::environment::Environment;
use crate::world::git::{EntryKind, Scratch};
use crate::world::http::{Http, Mode};
use crate::world::lockers::{self, Builds, Cutoff, Form, Made, Order, PrivateCopy};
use jiff::Timestamp;
use pep440_rs::Version;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Makes locks anew.
pub struct Relocker<'a> {
    /// The base.
    pub base: &'a Base,
    /// Where its objects are.
    pub scratch: &'a Scratch,
    /// What the configuration wants.
    pub policy: &'a Upgrade,
    /// Logins, indexes, the path of tools.
    pub environment: &'a Environment,
    /// The client of indexes.
    pub http: &'a Http,
    /// Where relative indexes begin.
    pub folder: PathBuf,
    /// Now.
    pub now: Timestamp,
    /// Made when a tool needs it first; for one tool at a time.
    pub copy: Mutex<Option<Result<PrivateCopy, String>>>,
    /// What was learnt of requirements files.
    pub lines: super::lines::Memory,
}

impl Relocker<'_> {
    /// A lock in which the packages of `raise` have moved, on top of the changed `files`.
    pub fn make(
        &self,
        tool: LockTool,
        lock: &str,
        raise: &[(String, Option<String>)],
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Made, (Why, Fault)> {
        match tool {
            LockTool::Compiled | LockTool::Pylock => self.resolve(lock, raise, files),
            _ if self.policy.lockers == upgrade::Lockers::Off => {
                let text = format!("`[upgrade] lockers` is \"off\", and {lock} has to be made by {}", tool.name());
                Err((Why::Policy(text), Fault::Policy))
            }
            _ if self.http.mode() == Mode::Offline => {
                let text = format!("{} needs the network to make {lock} anew", tool.name());
                Err((Why::Other(text), Fault::World))
            }
            _ => self.by_tool(tool, lock, raise, files),
        }
    }

    fn by_tool(
        &self,
        tool: LockTool,
        lock: &str,
        raise: &[(String, Option<String>)],
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Made, (Why, Fault)> {
        let world = |text: String| (Why::Other(text), Fault::World);
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = copy.get_or_insert_with(|| self.copied()).as_ref().map_err(|why| world(why.clone()))?;
        let builds = match self.policy.builds {
            upgrade::Builds::Allowed => Builds::Allowed,
            upgrade::Builds::Forbidden => Builds::Forbidden,
        };
        let days = self.policy.days(Ecosystem::Pypi);
        let date = self.now - jiff::SignedDuration::from_hours(24 * i64::from(days));
        let cutoff = (days > 0).then_some(Cutoff { days, date });
        let recorded = self.recorded(lock);
        let (lock, raise) = (lock.to_string(), raise.to_vec());
        let mut order = Order { tool, lock, recorded, raise, cutoff, builds, limit: lockers::LIMIT };
        let make = |order: &Order| {
            copy.lend(&order.lock);
            copy.change(files).map_err(|failure| world(failure.to_string()))?;
            let made = lockers::relock(copy, order, self.environment);
            copy.restore().map_err(|failure| world(failure.to_string()))?;
            made.map_err(|why| (why, Fault::World))
        };
        if order.cutoff.is_some() {
            match make(&order) {
                Ok(made) if self.is_as_wanted(&order, &made) => return Ok(made),
                // The tool is not there, or hangs: it would do so again.
                Err((why @ Why::Other(_), fault)) => return Err((why, fault)),
                // What is asked for, or what the lock holds, is younger: the age of what moves is looked at afterwards.
                _ => order.cutoff = None,
            }
        }
        make(&order)
    }

    /// What a lock says of how it was made.
    fn recorded(&self, lock: &str) -> Vec<(String, String)> {
        let source = self.base.project.sources.find(lock);
        let lock = source.and_then(|source| self.base.project.facts_of(source.id).locks.first());
        lock.map(|lock| lock.statement.settings.clone()).unwrap_or_default()
    }

    /// Whether a lock has moved what was asked for, and nothing else backwards.
    fn is_as_wanted(&self, order: &Order, made: &Made) -> bool {
        let files = BTreeMap::from([(order.lock.clone(), made.text.clone())]);
        let rows = moved(&self.base.project, &self.base.with(&files), &files);
        let raised = |name: &str| order.raise.iter().find(|(raised, _)| normalize(raised) == name);
        let version = |text: &Option<String>| text.as_deref().and_then(|text| Version::from_str(text).ok());
        let back = rows.iter().any(|row| {
            let (from, to) = (version(&row.from), version(&row.to));
            raised(&row.name).is_none() && matches!((from, to), (Some(from), Some(to)) if to < from)
        });
        let reached = |(name, _): &(String, Option<String>)| {
            rows.iter().any(|row| row.name == normalize(name) && row.to.is_some())
        };
        !back && order.raise.iter().all(reached)
    }

    /// The whole tree of the base, for tools.
    fn copied(&self) -> Result<PrivateCopy, String> {
        let copy = PrivateCopy::new().map_err(|failure| failure.to_string())?;
        for entry in &self.base.entries {
            let form = match entry.kind {
                EntryKind::Module => continue,
                EntryKind::File => Form::File,
                EntryKind::Executable => Form::Executable,
                EntryKind::Link => Form::Link,
            };
            let put = self.scratch.content(entry.id).and_then(|bytes| copy.put(&entry.path, form, &bytes));
            put.map_err(|failure| failure.to_string())?;
        }
        Ok(copy)
    }

    fn resolve(
        &self,
        lock: &str,
        raise: &[(String, Option<String>)],
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Made, (Why, Fault)> {
        let read = |path: &str| match files.get(path) {
            Some(bytes) => String::from_utf8(bytes.clone()).ok(),
            None => self.text(path),
        };
        let asked = Asked { now: self.now.as_millisecond(), ..Asked::default() };
        let earlier = self.text(lock);
        let job = Job::of(lock, earlier.as_deref(), &asked, FileForm::of(lock), &read);
        let mut job = job.map_err(|mistakes| {
            let first =
                mistakes.first().map_or("its inputs cannot be read".to_string(), |mistake| mistake.text.clone());
            (Why::NothingFits(format!("{lock} cannot be made anew: {first}")), Fault::Policy)
        })?;
        for (name, version) in raise {
            match version.as_deref().and_then(|version| Version::from_str(version).ok()) {
                Some(version) => job.raise(&normalize(name), version),
                None => job.release(&normalize(name)),
            }
        }
        let usual = job.request.policy.cutoff;
        self.cut_off(&mut job, raise);
        let make = |job: &Job| job.make(&*self.index(job)?);
        let made = match make(&job) {
            Ok(made) if !goes_back(&job, &made, raise) => Ok(made),
            // What the file holds is younger than the cutoff: it stays, and the age of what moves is looked at afterwards.
            _ => {
                job.request.policy.cutoff = usual;
                make(&job)
            }
        };
        let made = made.map_err(|unsolved| match unsolved {
            Unsolved::Contradiction(why) => (Why::NothingFits(why.text), Fault::Policy),
            Unsolved::World(text) => (Why::Other(text), Fault::World),
        })?;
        let tool = concat!("pinguard ", env!("CARGO_PKG_VERSION")).to_string();
        Ok(Made { text: made.text.into_bytes(), tool, remarks: Vec::new() })
    }

    /// Nothing that is younger than the cooldown comes along; what was asked for was looked at already.
    fn cut_off(&self, job: &mut Job, raise: &[(String, Option<String>)]) {
        let days = i64::from(self.policy.days(Ecosystem::Pypi));
        if days == 0 {
            return;
        }
        let cutoff = self.now.as_millisecond() - days * 24 * 3_600_000;
        let policy = &mut job.request.policy;
        policy.cutoff = Some(policy.cutoff.map_or(cutoff, |own| own.min(cutoff)));
        for (name, _) in raise {
            policy.cutoff_of.entry(normalize(name).as_str().into()).or_insert(None);
        }
    }

    /// A text of the base: of those that were read, else of any.
    pub fn text(&self, path: &str) -> Option<String> {
        if let Some(text) = self.base.text(path) {
            return Some(text.to_string());
        }
        let entry = self.base.entries.iter().find(|entry| entry.path == path)?;
        String::from_utf8(self.scratch.content(entry.id).ok()?).ok()
    }
}

/// Whether something that nobody asked for would go to an older version.
fn goes_back(job: &Job, made: &FileMade, raise: &[(String, Option<String>)]) -> bool {
    let asked = |name: &str| raise.iter().any(|(raised, _)| normalize(raised) == name);
    job.moves(&made.solution).iter().any(|(name, old, new)| {
        let older = matches!((old, new), (Some(old), Some(new)) if new < old);
        older && !asked(name.as_ref())
    })
}

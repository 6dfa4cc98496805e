//! `pinguard upgrade`: reads the base commit, asks, decides, builds branches, pushes them and opens requests.
//!
//! Nothing here touches the work tree, the index or the current branch.

mod ages;
mod base;
mod branch;
mod lines;
mod look;
mod plan;
mod publish;
mod relock;
mod seen;
mod tell;

use super::{Outcome, Terminal, network, settings};
use crate::cli;
use crate::config::upgrade::{Upgrade, fits};
use crate::model::change::Why;
use crate::plan::describe::{self, Story};
use crate::plan::group::{self, Group};
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::forges::{self, Address, Draft, Forge, Named, State};
use crate::world::git::{Branch, Listing, Local, Remote, Scratch};
use crate::world::http::{Http, Mode};
use crate::world::{clock, disk, runtime};
use base::Base;
use branch::{Builder, Built, Fault, Held};
use git2::Oid;
use jiff::Timestamp;
use publish::{Fate, Published, Publisher};
use relock::Relocker;
use seen::Seen;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use tell::Report;

/// Runs the command.
pub fn run(
    args: &cli::Upgrade,
    environment: &Environment,
    terminal: Terminal,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let root = disk::roots(&[PathBuf::from(".")])?.into_iter().next().ok_or_else(|| io::Error::other("no folder"))?;
    let local = Local::open(&root.folder).map_err(io::Error::other)?;
    let scratch = Scratch::beside(&local).map_err(io::Error::other)?;
    let own = settings::load(&root, settings::Choice::Project)?.config.upgrade;
    let http = network::client(&args.network, environment);
    let now = args.now.as_deref().map_or_else(|| Ok(clock::now()), instant)?;
    let run =
        Run { args, environment, local: &local, scratch: &scratch, http: &http, now, folder: root.folder.clone() };
    let far = run.reach(&own)?;
    let base_name = args.base.clone().or(own.base.clone()).or_else(|| far.listing.default.clone());
    let (base_name, commit) = run.base(base_name, &far)?;
    let base = base::read(&scratch, commit)?;
    let mut policy = base.config.upgrade.clone();
    policy.prefix = own.prefix.clone();
    let report = run.decide(&base, &base_name, &policy, &far)?;
    tell::write(&report, &args.format, terminal, out)?;
    Ok(if report.held.iter().any(|(.., fault)| *fault == Fault::World) || !report.failed.is_empty() {
        Outcome::Failed
    } else {
        Outcome::Clean
    })
}

/// How many groups are built at a time.
const WORKERS: usize = 6;
/// The stack of a thread that reads files, in bytes: as much as the main thread has.
const STACK: usize = 8 << 20;

/// Groups built at the same time, in their order: most of the time they wait for answers.
fn settled(builder: &Builder<'_>, groups: Vec<Group>) -> Vec<(Option<Built>, Vec<Held>)> {
    let next = AtomicUsize::new(0);
    let (groups, next) = (&groups, &next);
    let work = || {
        let mine = std::iter::from_fn(|| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            Some((at, builder.settle(groups.get(at)?.clone())))
        });
        mine.collect::<Vec<_>>()
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let start = || std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..WORKERS.min(groups.len())).filter_map(|_| start()).collect();
        let of_others =
            |worker: ScopedJoinHandle<'_, Vec<_>>| worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        let mut all = work();
        all.extend(others.into_iter().flat_map(of_others));
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, settled)| settled).collect()
}

/// A date or a timestamp.
fn instant(text: &str) -> io::Result<Timestamp> {
    let whole = text.parse::<Timestamp>().ok();
    let date = || {
        let date: jiff::civil::Date = text.parse().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let wrong = || settings::wrong_input(format!("--now {}: expected a date like 2027-01-31", text.escape_debug()));
    whole.or_else(date).ok_or_else(wrong)
}

struct Run<'a> {
    args: &'a cli::Upgrade,
    environment: &'a Environment,
    local: &'a Local,
    scratch: &'a Scratch,
    http: &'a Http,
    now: Timestamp,
    folder: PathBuf,
}

/// The remote side of a run.
struct Far {
    remote: Option<Remote>,
    forge: Option<Box<dyn Forge>>,
    listing: Listing,
    warnings: Vec<String>,
}

impl Run<'_> {
    fn acts(&self) -> bool {
        !self.args.dry_run
    }

    /// Finds the remote, the forge, and what is there already.
    fn reach(&self, policy: &Upgrade) -> io::Result<Far> {
        let mut far = Far { remote: None, forge: None, listing: Listing::default(), warnings: Vec::new() };
        let named = self.args.remote.as_deref().unwrap_or(&policy.remote);
        let alone = self.args.network.offline || self.args.no_push;
        if self.acts() && !alone || !self.local.remotes().is_empty() && !self.args.network.offline {
            match self.connect(named, policy) {
                Ok(reached) => far = reached,
                Err(failure) if !self.acts() || alone => {
                    far.warnings.push(format!("the base is the one of this clone: {failure}"));
                }
                Err(failure) => return Err(io::Error::other(failure)),
            }
        } else if self.acts() && !self.args.no_push {
            let text = "--offline cannot push: add --no-push or --dry-run";
            return Err(settings::wrong_input(text.to_string()));
        }
        Ok(far)
    }

    fn connect(&self, named: &str, policy: &Upgrade) -> Result<Far, Failure> {
        let bare = Remote::of(self.scratch, self.local, named, None)?;
        let of = Named { kind: policy.forge.as_deref(), api: policy.api.as_deref() };
        let address = Address::of(&bare.address, of, self.environment);
        let found = address.as_ref().ok().and_then(|address| address.token(self.environment));
        // What CI or the user set up goes first, unless a token was given to pinguard itself.
        let explicit = self.environment.get("PINGUARD_TOKEN").map(crate::world::credential::Token::new);
        let mut remote = match &explicit {
            Some(token) => Remote::of(self.scratch, self.local, named, Some(token))?,
            None => bare,
        };
        let patterns = [format!("refs/heads/{}*", policy.prefix), "refs/heads/*".to_string(), seen::NAME.to_string()];
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let listing = match (remote.list(self.scratch, &patterns), &found) {
            (Err(Failure::Unauthorized { .. }), Some(found)) if explicit.is_none() => {
                remote = Remote::of(self.scratch, self.local, named, Some(&found.token))?;
                remote.list(self.scratch, &patterns)?
            }
            (listing, found) => {
                if let (Some(found), None) = (found, &explicit) {
                    remote.fall_back(&found.token);
                }
                listing?
            }
        };
        let mut warnings = Vec::new();
        let wants_forge = !self.args.no_request && !self.args.no_push;
        let forge = match (wants_forge, address) {
            (false, _) => None,
            (true, Err(failure)) => {
                if self.acts() {
                    return Err(failure);
                }
                warnings.push(failure.to_string());
                None
            }
            (true, Ok(address)) => {
                if found.is_none() && self.acts() {
                    let what = format!("{} at {}", address.kind.name(), address.api);
                    return Err(Failure::Tool { name: what, why: "needs a token".to_string(), next: address.wanted() });
                }
                let in_actions = self.environment.is_set("GITHUB_ACTIONS");
                if in_actions && found.as_ref().is_some_and(|found| found.variable == "GITHUB_TOKEN") {
                    let text = "requests opened with the workflow's own GITHUB_TOKEN start no workflows, so their checks do not run; \
                                give a token of an app or a person as PINGUARD_TOKEN";
                    warnings.push(text.to_string());
                }
                Some(forges::at(address, self.http.clone(), found.as_ref().map(|found| &found.token))?)
            }
        };
        Ok(Far { remote: Some(remote), forge, listing, warnings })
    }

    /// The base branch and its commit: the remote's where there is one, else this clone's.
    fn base(&self, name: Option<String>, far: &Far) -> io::Result<(String, Oid)> {
        if let (Some(remote), Some(name)) = (&far.remote, &name) {
            let full = format!("refs/heads/{name}");
            let Some(branch) = far.listing.refs.iter().find(|branch| branch.name == full) else {
                let text = format!("{} has no branch `{name}`; name one with --base", remote.address);
                return Err(settings::wrong_input(text));
            };
            remote.fetch(self.scratch, branch).map_err(io::Error::other)?;
            return Ok((name.clone(), branch.commit));
        }
        let name = name.or_else(|| self.local.current_branch()).unwrap_or_else(|| "HEAD".to_string());
        let remote = self.args.remote.as_deref().unwrap_or("origin");
        let found = [format!("refs/remotes/{remote}/{name}"), format!("refs/heads/{name}"), name.clone()];
        let commit = found.iter().find_map(|name| self.local.commit_of(name));
        let missing = || settings::wrong_input(format!("there is no commit `{name}` here; name a branch with --base"));
        Ok((name.clone(), commit.ok_or_else(missing)?))
    }

    fn decide<'b>(&self, base: &'b Base, base_name: &str, policy: &Upgrade, far: &Far) -> io::Result<Report<'b>> {
        let mut report = Report::of(base, base_name, self.args.dry_run);
        report.warnings.extend(far.warnings.iter().cloned());
        let seen = self.seen(far, &mut report);
        let planned = plan::make(self, base, policy, &seen)?;
        report.held = planned.held;
        report.looked_at = planned.looked_at;
        let relocker = Relocker {
            base,
            scratch: self.scratch,
            policy,
            environment: self.environment,
            http: self.http,
            folder: self.folder.clone(),
            now: self.now,
            copy: Mutex::default(),
            lines: lines::Memory::of(&base.project, &planned.steps),
        };
        let builder = Builder::new(base, policy, relocker, self.now);
        let groups = group::groups(&base.project, planned.steps, policy);
        let open = self.open_requests(policy, far, &mut report);
        let publishes = self.acts() && !self.args.no_push;
        let mut publisher = Publisher {
            scratch: self.scratch,
            remote: far.remote.as_ref().filter(|_| publishes),
            forge: far.forge.as_deref().filter(|_| publishes),
            refs: &far.listing.refs,
            policy,
            open,
        };
        let mut all: Vec<Built> = Vec::new();
        for (built, held) in settled(&builder, groups) {
            report.held.extend(held);
            let Some(built) = built else { continue };
            // What can only move together is one branch, whichever of them was asked for.
            match all.iter_mut().find(|other| other.files == built.files) {
                Some(same) => same.join(&base.project, built),
                None => all.push(built),
            }
        }
        for built in all {
            let branch = built.group.branch.clone();
            match self.one(&mut publisher, base, base_name, policy, built, &report.held) {
                Ok(Some(published)) => report.published.push(published),
                Ok(None) => {}
                Err(failure) => report.failed.push(format!("{branch}: {failure}")),
            }
        }
        report.held.extend(report.published.iter().flat_map(publish::held).collect::<Vec<_>>());
        self.clean_up(&publisher, policy, &mut report);
        if let (true, Some(remote)) = (publishes, &far.remote) {
            let author = publish::author(policy);
            if let Err(failure) = seen::write(self.scratch, remote, &seen, &planned.first_seen, &author, self.now) {
                report.warnings.push(failure.to_string());
            }
        }
        report.warnings.extend(self.http.low_quotas());
        report.counts = self.http.counts();
        report.held.sort_by_key(|(id, ..)| *id);
        report.held.dedup_by_key(|(id, ..)| *id);
        Ok(report)
    }

    fn seen(&self, far: &Far, report: &mut Report<'_>) -> Seen {
        let Some(remote) = &far.remote else { return Seen::default() };
        match seen::read(self.scratch, remote, &far.listing.refs) {
            Ok(seen) => seen,
            Err(failure) => {
                report.warnings.push(format!("what was first seen when: {failure}"));
                Seen::default()
            }
        }
    }

    /// How many of our requests are open now.
    fn open_requests(&self, policy: &Upgrade, far: &Far, report: &mut Report<'_>) -> u32 {
        let Some(forge) = far.forge.as_deref().filter(|_| self.acts()) else { return 0 };
        let lead = format!("refs/heads/{}", policy.prefix);
        let branches = far.listing.refs.iter().filter_map(|branch: &Branch| branch.name.strip_prefix("refs/heads/"));
        let mut open = 0;
        for branch in branches.filter(|name| format!("refs/heads/{name}").starts_with(&lead)) {
            match forge.find(branch) {
                Ok(requests) => open += u32::from(requests.iter().any(|request| request.state == State::Open)),
                Err(failure) => {
                    report.warnings.push(format!("open requests could not be counted: {failure}"));
                    return open;
                }
            }
        }
        open
    }

    fn one(
        &self,
        publisher: &mut Publisher<'_>,
        base: &Base,
        base_name: &str,
        policy: &Upgrade,
        built: Built,
        held: &[Held],
    ) -> Result<Option<Published>, Failure> {
        let title = policy.message.replace("{title}", &describe::title(&base.project, &built.group));
        let of_group: Vec<_> = held
            .iter()
            .filter(|(id, ..)| group::branch_of(&base.project.reference(*id).subject, policy) == built.group.branch)
            .map(|(id, why, _)| (*id, why.clone()))
            .collect();
        let story = Story {
            project: &base.project,
            group: &built.group,
            locks: &built.locks,
            held: &of_group,
            remarks: &built.remarks,
            commands: &built.commands,
            remote: &Remote::for_people(self.args.remote.as_deref().unwrap_or(&policy.remote)),
        };
        let draft = Draft {
            branch: built.group.branch.clone(),
            base: base_name.to_string(),
            title: title.clone(),
            body: describe::body(&story, self.now),
            labels: policy.labels.clone(),
            reviewers: policy.reviewers.clone(),
        };
        let author = publish::author(policy);
        let commit = self.scratch.commit(base.commit, &built.files, &title, &author)?;
        let Some(commit) = commit else { return Ok(None) };
        let patch = if self.acts() { String::new() } else { self.scratch.patch(base.commit, commit)? };
        let mut published = publisher.publish(built, draft, commit);
        published.patch = patch;
        if self.args.no_push && self.acts() {
            let made =
                self.local.branch(&published.draft.branch, base.commit, &published.built.files, &title, &author)?;
            published.fate = if made.is_some() { Fate::Local } else { Fate::Foreign };
        }
        Ok(Some(published))
    }

    /// Superseded branches go, unless this run did not look at everything.
    fn clean_up(&self, publisher: &Publisher<'_>, policy: &Upgrade, report: &mut Report<'_>) {
        let whole = self.args.only.is_empty() && self.http.mode() == Mode::Online;
        if !whole || publisher.remote.is_none() {
            return;
        }
        let project = &report.base.project;
        let branches = |held: &Held| {
            let subject = &project.reference(held.0).subject;
            [group::branch_of(subject, policy), group::security_branch_of(subject, policy)]
        };
        let undecided: Vec<String> = report
            .held
            .iter()
            .filter(|held| held.2 == Fault::World || matches!(held.1, Why::Unknown(_)))
            .flat_map(branches)
            .collect();
        let wanted: Vec<String> = report.published.iter().map(|published| published.draft.branch.clone()).collect();
        let failed: Vec<String> = report.failed.clone();
        let keep = |name: &str| {
            wanted.iter().chain(&undecided).any(|branch| branch == name)
                || failed.iter().any(|text| text.starts_with(&format!("{name}:")))
        };
        let cleaned = publisher.supersede(&keep);
        report.closed = cleaned.closed;
        report.failed.extend(cleaned.failed);
        let left = cleaned.left.into_iter();
        report.warnings.extend(left.map(|name| {
            format!(
                "{name}: nothing needs this branch any more, but it has somebody else's commits, so it is left alone"
            )
        }));
    }

    /// Whether the arguments ask for a subject.
    fn asks_for(&self, subject: &crate::model::reference::Subject) -> bool {
        self.args.only.is_empty() || self.args.only.iter().any(|pattern| fits(pattern, subject))
    }

    fn ask<F: Future>(&self, asked: F) -> io::Result<F::Output> {
        runtime::block_on(asked)
    }
}

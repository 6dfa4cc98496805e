//! What registries know about everything that may move: asked all at once, and about the age of targets one after the other, newest
//! first, until one is old enough.

mod lists;
mod platforms;

use crate::commands::lookup::index;
use crate::config::upgrade::Upgrade;
use crate::model::knowledge::{GitRefs, ImageRepository, Knowledge, Known, Miss, MissKind, Topic};
use crate::model::project::Project;
use crate::model::reference::Ecosystem;
use crate::model::span::SourceId;
use crate::plan::newer::{self, Age, Dates, Wanted};
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::git_dates;
use crate::world::http::{Http, Mode};
use crate::world::registries::git_host::GitHost;
use crate::world::registries::oci::Oci;
use crate::world::registries::published::Lists;
use crate::world::registries::pypi::{Named, Places as Indexes, Pypi};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What was found out.
#[derive(Debug, Default)]
pub struct Found {
    /// By topic.
    pub knowledge: Knowledge,
    /// When targets were released.
    pub dates: Dates,
    /// Targets without a date that were met for the first time, by their key in the record.
    pub first_seen: BTreeMap<String, Timestamp>,
}

/// Who is asked, and with what in mind.
pub struct Look<'a> {
    /// The client.
    pub http: &'a Http,
    /// Its logins.
    pub environment: &'a Environment,
    /// The facts of the base.
    pub project: &'a Project,
    /// How old things must be.
    pub policy: &'a Upgrade,
    /// When targets were met for the first time in earlier runs.
    pub seen: &'a BTreeMap<String, Timestamp>,
    /// Now.
    pub now: Timestamp,
    /// Where relative indexes begin.
    pub folder: PathBuf,
}

/// What one topic came to.
struct Told {
    topic: Topic,
    answer: Result<Known, Miss>,
    dates: Vec<(String, Option<Timestamp>)>,
    first_seen: Vec<String>,
}

impl Told {
    fn of(topic: &Topic, answer: Result<Known, Miss>) -> Told {
        Told { topic: topic.clone(), answer, dates: Vec::new(), first_seen: Vec::new() }
    }
}

impl Look<'_> {
    /// Asks about everything.
    pub async fn ask(&self, wanted: &[Wanted]) -> Found {
        let mut by_topic: BTreeMap<&Topic, Vec<&Wanted>> = BTreeMap::new();
        for one in wanted {
            by_topic.entry(&one.topic).or_default().push(one);
        }
        let oci = Oci::new(self.http.clone(), self.environment);
        let hosts = GitHost::new(self.http.clone(), self.environment);
        let lists = Lists::new(self.http.clone(), self.environment);
        let indexes = Indexed::default();
        let bar = self.http.progress().start("asking", by_topic.len());
        let asked = by_topic.iter().map(|(topic, list)| async {
            let told = match topic.subject.ecosystem {
                Ecosystem::Oci => self.image(&oci, topic, list).await,
                Ecosystem::Git => self.repository(&hosts, topic, list).await,
                Ecosystem::Toolchain => self.tagged(&hosts, topic, list).await,
                Ecosystem::Npm | Ecosystem::Cargo | Ecosystem::Go | Ecosystem::Orb => {
                    self.listed(&lists, topic, list).await
                }
                _ => self.package(&indexes, topic, list).await,
            };
            bar.tick(&topic.subject.name);
            told
        });
        let mut found = Found::default();
        for told in join_all(asked).await {
            for (name, date) in told.dates {
                found.dates.insert((told.topic.clone(), name), date);
            }
            found.first_seen.extend(told.first_seen.into_iter().map(|key| (key, self.now)));
            found.knowledge.put(told.topic, told.answer);
        }
        found
    }

    /// Whether a candidate is old enough as far as `dates` tell.
    fn is_ripe(&self, wanted: &Wanted, name: &str, date: Option<Timestamp>) -> bool {
        let dates: Dates = [((wanted.topic.clone(), name.to_string()), date)].into();
        let days = self.policy.days(wanted.topic.subject.ecosystem);
        matches!(newer::age(wanted, name, days, &dates, self.now), Age::Ripe(_))
    }

    async fn image(&self, oci: &Oci, topic: &Topic, list: &[&Wanted]) -> Told {
        let name = &topic.subject.name;
        let mut told = Told::of(topic, Err(unasked()));
        let tags = match oci.tags(name).await {
            Ok(tags) => tags,
            Err(failure) => {
                told.answer = Err(failure.miss());
                return told;
            }
        };
        let mut repository = ImageRepository { tags: Some(tags.clone()), ..ImageRepository::default() };
        for wanted in list {
            let mut knowledge = Knowledge::default();
            knowledge.put(topic.clone(), Ok(Known::Registry(repository.clone())));
            let candidates = newer::candidates(self.project, wanted, &knowledge);
            let mut ripe = false;
            for candidate in &candidates {
                if let Err(failure) = self.digests(oci, wanted, candidate, &mut repository).await {
                    told.answer = Err(failure.miss());
                    return told;
                }
                let Some(Some(digest)) = repository.digests.get(candidate).cloned() else { continue };
                let date = self.date(oci, name, &digest, &mut told).await;
                told.dates.push((candidate.clone(), date));
                ripe = self.is_ripe(wanted, candidate, date);
                if ripe {
                    break;
                }
            }
            // Nothing newer by name: what the written name stands for today.
            if !ripe && tags.contains(&wanted.now) {
                if let Err(failure) = self.digests(oci, wanted, &wanted.now, &mut repository).await {
                    told.answer = Err(failure.miss());
                    return told;
                }
                self.refresh(oci, wanted, &mut repository, &mut told).await;
            }
        }
        told.answer = Ok(Known::Registry(repository));
        told
    }

    /// Whether the digest of a written tag moved in a way that matters, and how old the new one is.
    async fn refresh(&self, oci: &Oci, wanted: &Wanted, repository: &mut ImageRepository, told: &mut Told) {
        let reference = self.project.reference(wanted.reference);
        let name = &reference.subject.name;
        let Some(Some(new)) = repository.digests.get(&wanted.now).cloned() else { return };
        let Some(old) = reference.pin.digests.first().filter(|old| **old != new) else { return };
        if self.same_where_it_runs(oci, name, old, &new).await {
            // Attestations or platforms that nobody here uses: the content is the same.
            repository.digests.insert(wanted.now.clone(), Some(old.clone()));
            return;
        }
        let date = self.date(oci, name, &new, told).await;
        told.dates.push((new, date));
    }

    /// Whether two indexes hold the same image for every platform that is used here, as far as both can still be read.
    async fn same_where_it_runs(&self, oci: &Oci, name: &str, old: &str, new: &str) -> bool {
        let (Ok(Some(old)), Ok(Some(new))) = (oci.manifest(name, old).await, oci.manifest(name, new).await) else {
            return false;
        };
        let of = |list: &[(String, String)]| -> Vec<(String, String)> {
            list.iter().filter(|(platform, _)| platforms::is_used(self.project, platform)).cloned().collect()
        };
        let (before, after) = (of(&old.platforms), of(&new.platforms));
        !before.is_empty() && before == after
    }

    async fn digests(
        &self,
        oci: &Oci,
        wanted: &Wanted,
        tag: &str,
        repository: &mut ImageRepository,
    ) -> Result<(), Failure> {
        let name = &wanted.topic.subject.name;
        let tags = repository.tags.clone().unwrap_or_default();
        let ask: Vec<String> = newer::tags_to_ask(self.project, wanted, tag, &tags)
            .into_iter()
            .filter(|tag| !repository.digests.contains_key(tag))
            .collect();
        let answers = join_all(ask.iter().map(|tag| oci.digest(name, tag))).await;
        for (tag, answer) in ask.into_iter().zip(answers) {
            repository.digests.insert(tag, answer?);
        }
        Ok(())
    }

    /// When an image was made; where nobody says, when it was first met.
    async fn date(&self, oci: &Oci, name: &str, digest: &str, told: &mut Told) -> Option<Timestamp> {
        if let Ok(Some(made)) = oci.created(name, digest).await {
            return Some(made);
        }
        let key = format!("oci {name}@{digest}");
        let seen = self.seen.get(&key).copied();
        if seen.is_none() {
            told.first_seen.push(key);
        }
        seen
    }

    async fn repository(&self, hosts: &GitHost, topic: &Topic, list: &[&Wanted]) -> Told {
        let mut told = Told::of(topic, Err(unasked()));
        let url = topic.place.clone().unwrap_or_default();
        let refs: GitRefs = match hosts.refs(&url).await {
            Ok(refs) => refs,
            Err(failure) => {
                told.answer = Err(failure.miss());
                return told;
            }
        };
        let names = self.candidates(topic, list, Known::Host(refs.clone()));
        let commits: Vec<(String, String)> =
            names.iter().filter_map(|name| Some((name.clone(), refs.commit_of(name)?.to_string()))).collect();
        let needed = self.http.mode() == Mode::Online && !commits.is_empty();
        let ids: Vec<String> = commits.iter().map(|(_, commit)| commit.clone()).collect();
        let dates = if needed { self.commit_dates(url, ids).await } else { BTreeMap::new() };
        for (name, commit) in commits {
            let mut date = dates.get(&commit).copied();
            let key = format!("git {}@{commit}", topic.subject.name);
            if date.is_none() {
                date = self.seen.get(&key).copied();
                told.first_seen.extend(date.is_none().then_some(key));
            }
            told.dates.push((name, date));
        }
        told.answer = Ok(Known::Host(refs));
        told
    }

    /// What any of the references could move to. Without a cooldown the newest is taken, and the others need no date.
    fn candidates(&self, topic: &Topic, list: &[&Wanted], known: Known) -> Vec<String> {
        let mut knowledge = Knowledge::default();
        knowledge.put(topic.clone(), Ok(known));
        let most = if self.policy.days(topic.subject.ecosystem) == 0 { 1 } else { usize::MAX };
        let of = |wanted: &&Wanted| newer::candidates(self.project, wanted, &knowledge).into_iter().take(most);
        let names: BTreeSet<String> = list.iter().flat_map(of).collect();
        names.into_iter().collect()
    }

    /// Committer dates: git is a program that waits, so it gets a thread.
    async fn commit_dates(&self, url: String, commits: Vec<String>) -> BTreeMap<String, Timestamp> {
        let asked = tokio::task::spawn_blocking(move || git_dates::of(&url, &commits)).await;
        asked.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn package(&self, indexes: &Indexed, topic: &Topic, list: &[&Wanted]) -> Told {
        let sources: BTreeSet<SourceId> = list.iter().map(|wanted| wanted.reference.source).collect();
        let pypi = match indexes.of(self, named(self.project, |source| sources.contains(&source))) {
            Ok(pypi) => pypi,
            Err(text) => return Told::of(topic, Err(Miss { kind: MissKind::Unsupported, text })),
        };
        let versions: BTreeSet<String> = list.iter().map(|wanted| wanted.now.clone()).collect();
        let mut told = Told::of(topic, Err(unasked()));
        let scope = index::Scope::Steps;
        told.answer = match index::project(&pypi, self.http, &topic.subject.name, &versions, scope).await {
            Ok(project) => {
                for release in &project.releases {
                    told.dates.push((release.version.clone(), release.uploaded));
                }
                let mut knowledge = Knowledge::default();
                knowledge.put(topic.clone(), Ok(Known::Index(project.clone())));
                for wanted in list {
                    self.undated(wanted, &knowledge, &mut told);
                }
                Ok(Known::Index(project))
            }
            Err(miss) => Err(miss),
        };
        told
    }
}

/// Clients of indexes, one for each set of addresses that manifests name.
#[derive(Default)]
struct Indexed(Mutex<BTreeMap<Addresses, Arc<Pypi>>>);

/// The default index and further ones.
type Addresses = (Option<String>, Vec<String>);

impl Indexed {
    fn of(&self, look: &Look<'_>, named: Named) -> Result<Arc<Pypi>, String> {
        let key = (named.default.clone(), named.extra.clone());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pypi) = known.get(&key) {
            return Ok(Arc::clone(pypi));
        }
        let places = Indexes::of(&named, look.environment, &|_| None)?;
        let pypi = Arc::new(Pypi::new(look.http.clone(), places, look.environment, look.folder.clone()));
        known.insert(key, Arc::clone(&pypi));
        Ok(pypi)
    }
}

/// The indexes that manifests name: a private one knows its packages' ages, and nobody else does.
pub fn named(project: &Project, counts: impl Fn(SourceId) -> bool) -> Named {
    let manifests = project.manifests().filter(|manifest| counts(manifest.at.source));
    let (mut default, mut extra) = (None, Vec::new());
    for index in manifests.flat_map(|manifest| &manifest.indexes) {
        match index.extra || index.explicit || default.as_ref().is_some_and(|known| *known != index.url) {
            false => default = Some(index.url.clone()),
            true if !extra.contains(&index.url) => extra.push(index.url.clone()),
            true => {}
        }
    }
    Named { default, extra, none: false }
}

impl Look<'_> {
    /// Targets of an index that tells no dates: only the newest are worth a line in the record.
    fn undated(&self, wanted: &Wanted, knowledge: &Knowledge, told: &mut Told) {
        for version in newer::candidates(self.project, wanted, knowledge).into_iter().take(newer::MOST) {
            let Some(entry) = told.dates.iter_mut().find(|(name, date)| *name == version && date.is_none()) else {
                continue;
            };
            let key = format!("pypi {}=={version}", told.topic.subject.name);
            entry.1 = self.seen.get(&key).copied();
            told.first_seen.extend(entry.1.is_none().then_some(key));
        }
    }
}

fn unasked() -> Miss {
    Miss { kind: MissKind::Unsupported, text: "it was not asked".to_string() }
}

//! What registries know about everything that may move: asked all at once, and about the age of targets one after the other, newest
//! first, until one is old enough.

use crate::config::upgrade::Upgrade;
use crate::model::knowledge::{
    GitRefs, ImageRepository, IndexProject, Knowledge, Known, Miss, MissKind, Release, ReleaseFile, Topic,
};
use crate::model::project::Project;
use crate::model::reference::Ecosystem;
use crate::plan::newer::{self, Age, Dates, Wanted};
use crate::resolve::listing::{Absent, Listing};
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::git_dates;
use crate::world::http::{Http, Mode};
use crate::world::registries::git_host::GitHost;
use crate::world::registries::oci::Oci;
use crate::world::registries::pypi::{Named, Places as Indexes, Pypi};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;

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

impl Look<'_> {
    /// Asks about everything.
    pub async fn ask(&self, wanted: &[Wanted]) -> Found {
        let mut by_topic: BTreeMap<&Topic, Vec<&Wanted>> = BTreeMap::new();
        for one in wanted {
            by_topic.entry(&one.topic).or_default().push(one);
        }
        let oci = Oci::new(self.http.clone(), self.environment);
        let hosts = GitHost::new(self.http.clone(), self.environment);
        let named = Named { default: None, extra: Vec::new(), none: false };
        let pypi = Indexes::of(&named, self.environment, &|_| None);
        let pypi = pypi.map(|places| Pypi::new(self.http.clone(), places, self.environment, self.folder.clone()));
        let bar = self.http.progress().start("asking", by_topic.len());
        let asked = by_topic.iter().map(|(topic, list)| async {
            let told = match topic.subject.ecosystem {
                Ecosystem::Oci => self.image(&oci, topic, list).await,
                Ecosystem::Git => self.repository(&hosts, topic, list).await,
                _ => self.package(pypi.as_ref(), topic, list).await,
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
        let mut told = Told { topic: topic.clone(), answer: Err(unasked()), dates: Vec::new(), first_seen: Vec::new() };
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

    /// Whether two indexes hold the same image for the platform that CI runs on, as far as both can still be read.
    async fn same_where_it_runs(&self, oci: &Oci, name: &str, old: &str, new: &str) -> bool {
        let (Ok(Some(old)), Ok(Some(new))) = (oci.manifest(name, old).await, oci.manifest(name, new).await) else {
            return false;
        };
        let of = |list: &[(String, String)]| list.iter().find(|(platform, _)| platform == "linux/amd64").cloned();
        let (before, after) = (of(&old.platforms), of(&new.platforms));
        before.is_some() && before == after
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
        let mut told = Told { topic: topic.clone(), answer: Err(unasked()), dates: Vec::new(), first_seen: Vec::new() };
        let url = topic.place.clone().unwrap_or_default();
        let refs: GitRefs = match hosts.refs(&url).await {
            Ok(refs) => refs,
            Err(failure) => {
                told.answer = Err(failure.miss());
                return told;
            }
        };
        let mut knowledge = Knowledge::default();
        knowledge.put(topic.clone(), Ok(Known::Host(refs.clone())));
        let mut names: Vec<String> = Vec::new();
        for wanted in list {
            names.extend(newer::candidates(self.project, wanted, &knowledge));
        }
        names.sort();
        names.dedup();
        let commits: Vec<(String, String)> =
            names.iter().filter_map(|name| Some((name.clone(), refs.commit_of(name)?.to_string()))).collect();
        let online = self.http.mode() == Mode::Online;
        let needed = self.policy.days(Ecosystem::Git) > 0 && online && !commits.is_empty();
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

    /// Committer dates: git is a program that waits, so it gets a thread.
    async fn commit_dates(&self, url: String, commits: Vec<String>) -> BTreeMap<String, Timestamp> {
        let asked = tokio::task::spawn_blocking(move || git_dates::of(&url, &commits)).await;
        asked.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn package(&self, pypi: Result<&Pypi, &String>, topic: &Topic, list: &[&Wanted]) -> Told {
        let mut told = Told { topic: topic.clone(), answer: Err(unasked()), dates: Vec::new(), first_seen: Vec::new() };
        let pypi = match pypi {
            Ok(pypi) => pypi,
            Err(why) => {
                told.answer = Err(Miss { kind: MissKind::Unsupported, text: why.clone() });
                return told;
            }
        };
        match pypi.look_up(&topic.subject.name.as_str().into()).await {
            Ok(listing) => {
                let project = index_project(&listing);
                for release in &project.releases {
                    told.dates.push((release.version.clone(), release.uploaded));
                }
                let mut knowledge = Knowledge::default();
                knowledge.put(topic.clone(), Ok(Known::Index(project.clone())));
                for wanted in list {
                    self.undated(wanted, &knowledge, &mut told);
                }
                told.answer = Ok(Known::Index(project));
            }
            Err(absent) => told.answer = Err(missing(&topic.subject.name, absent)),
        }
        told
    }
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

fn missing(name: &str, absent: Absent) -> Miss {
    match absent {
        Absent::NotFound => Miss { kind: MissKind::Absent, text: format!("no index has {name}") },
        Absent::NeedsBuild => Miss { kind: MissKind::Unsupported, text: format!("{name} would have to be built") },
        Absent::Broken(why) => Miss { kind: MissKind::Lying, text: why },
        Absent::Failed(why) => Miss { kind: MissKind::Unreachable, text: why },
    }
}

/// A listing as the plan knows it.
fn index_project(listing: &Listing) -> IndexProject {
    let releases = listing.releases.iter().map(|release| {
        let files: Vec<ReleaseFile> = release
            .files
            .iter()
            .map(|file| ReleaseFile {
                name: file.name.clone(),
                url: file.url.clone(),
                hashes: file
                    .hashes
                    .iter()
                    .filter_map(|hash| hash.split_once(':').map(|(a, b)| (a.into(), b.into())))
                    .collect(),
                uploaded: file.uploaded.and_then(|at| Timestamp::from_millisecond(at).ok()),
                yanked: file.yanked.clone(),
            })
            .collect();
        let all_yanked = !files.is_empty() && files.iter().all(|file| file.yanked.is_some());
        Release {
            version: release.version.to_string(),
            uploaded: files.iter().filter_map(|file| file.uploaded).min(),
            yanked: files.first().filter(|_| all_yanked).and_then(|file| file.yanked.clone()),
            requires_python: release.files.iter().find_map(|file| Some(file.requires_python.as_ref()?.to_string())),
            files,
        }
    });
    IndexProject { index: String::new(), releases: releases.collect(), status: None, vulnerabilities: None }
}

//! What registries of versions know, and when the candidates among them were published.

use super::{Look, Told, unasked};
use crate::model::knowledge::{Known, Published, Topic};
use crate::plan::newer::Wanted;
use crate::world::http::Mode;
use crate::world::registries::git_host::GitHost;
use crate::world::registries::published::{Lists, of_refs};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Look<'_> {
    /// Asks a registry of versions.
    pub(super) async fn listed(&self, lists: &Lists, topic: &Topic, list: &[&Wanted]) -> Told {
        match lists.of(topic.subject.ecosystem, &topic.subject.name).await {
            Ok(published) => self.told(topic, list, published),
            Err(failure) => Told::of(topic, Err(failure.miss())),
        }
    }

    /// Asks for the tags of a repository whose tags are the releases.
    pub(super) async fn tagged(&self, hosts: &GitHost, topic: &Topic, list: &[&Wanted]) -> Told {
        let url = topic.place.clone().unwrap_or_default();
        let refs = match hosts.refs(&url).await {
            Ok(refs) => refs,
            Err(failure) => return Told::of(topic, Err(failure.miss())),
        };
        let mut published = of_refs(&refs);
        let names = self.candidates(topic, list, Known::Versions(published.clone()));
        let commit = |name: &String| refs.commit_of(name).or_else(|| refs.commit_of(&format!("v{name}")));
        let commits: BTreeMap<&String, String> =
            names.iter().filter_map(|name| Some((name, commit(name)?.to_string()))).collect();
        if self.http.mode() == Mode::Online && !commits.is_empty() {
            let dates = self.commit_dates(url, commits.values().cloned().collect()).await;
            for one in &mut published.versions {
                one.released = commits.get(&one.version).and_then(|commit| dates.get(commit)).copied();
            }
        }
        self.told(topic, list, published)
    }

    fn told(&self, topic: &Topic, list: &[&Wanted], published: Published) -> Told {
        let mut told = Told::of(topic, Err(unasked()));
        let dates: BTreeMap<&str, Timestamp> =
            published.versions.iter().filter_map(|one| Some((one.version.as_str(), one.released?))).collect();
        for name in self.candidates(topic, list, Known::Versions(published.clone())) {
            let key = format!("{} {}@{name}", topic.subject.ecosystem.name(), topic.subject.name);
            let date = dates.get(name.as_str()).copied().or_else(|| self.seen.get(&key).copied());
            told.first_seen.extend(date.is_none().then_some(key));
            told.dates.push((name, date));
        }
        told.answer = Ok(Known::Versions(published));
        told
    }
}

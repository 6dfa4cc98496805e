//! `check --online`: asks registries about every pin, and gives the answers to the rules. A failure is inconclusive: neither clean nor a
//! finding.

use super::gather::Gathered;
use super::lookup::{self, Question, Registries};
use crate::model::knowledge::{Knowledge, Topic};
use crate::model::online::Online;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, ReferenceId};
use crate::model::span::Location;
use crate::plan::topic::{self, Places};
use crate::report::fixes::Shown;
use crate::report::online::{Asked, Inconclusive};
use crate::world::runtime;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Asks about the pins of every project, and puts the answers where rules find them.
pub fn ask(gathered: &mut [Gathered], registries: &Registries, places: &Places) -> io::Result<Asked> {
    let mut asked = Asked::default();
    for gathered in gathered {
        let project = &gathered.project;
        let (questions, topics) = questions(project, places);
        let knowledge = runtime::block_on(lookup::ask(registries, &questions))?;
        asked.join(count(project, &knowledge, &topics));
        gathered.project.online = Online { knowledge, topics };
    }
    Ok(asked)
}

/// What is asked, and which question belongs to which reference.
fn questions(project: &Project, places: &Places) -> (BTreeMap<Topic, Question>, BTreeMap<ReferenceId, Topic>) {
    let mut questions: BTreeMap<Topic, Question> = BTreeMap::new();
    let mut topics = BTreeMap::new();
    for (id, reference) in project.references().filter(|(_, reference)| reference.strength.is_some()) {
        let Some(topic) = topic::of(reference, places) else { continue };
        // Of the others no rule asks anything.
        if !matches!(topic.subject.ecosystem, Ecosystem::Oci | Ecosystem::Git) {
            continue;
        }
        let question = questions.entry(topic.clone()).or_default();
        if topic.subject.ecosystem == Ecosystem::Oci {
            question.digests.extend(reference.pin.digests.iter().cloned());
            question.tags.extend(reference.pin.version.clone());
        }
        topics.insert(id, topic);
    }
    for held in project.held_releases() {
        questions.entry(held.topic()).or_default().versions.insert(held.version.to_string());
    }
    (questions, topics)
}

/// How many questions were answered, and why the others were not.
fn count(project: &Project, knowledge: &Knowledge, topics: &BTreeMap<ReferenceId, Topic>) -> Asked {
    let mut first: BTreeMap<&Topic, Location> = BTreeMap::new();
    for (id, topic) in topics {
        first.entry(topic).or_insert(project.reference(*id).site.whole);
    }
    let held = project.held_releases();
    let of_held: Vec<(Topic, Location)> = held.iter().map(|held| (held.topic(), held.at)).collect();
    for (topic, at) in &of_held {
        first.entry(topic).or_insert(*at);
    }
    let mut asked = Asked::default();
    let mut reasons: BTreeMap<String, BTreeSet<(String, usize, String)>> = BTreeMap::new();
    for (topic, answer) in knowledge.iter() {
        asked.asked += 1;
        match answer {
            Ok(_) => asked.answered += 1,
            Err(miss) => {
                let at = first.get(topic).copied();
                let place =
                    at.map(|at| (project.path(at).to_string(), project.source(at.source).position(at.span.start).line));
                let (path, line) = place.unwrap_or_default();
                reasons.entry(miss.text.clone()).or_default().insert((path, line, topic.subject.name.clone()));
            }
        }
    }
    for (reason, places) in reasons {
        for (path, line, name) in places {
            let (path, name, reason) = (Shown::new(&path), Shown::new(&name), Shown::new(&reason));
            asked.inconclusive.push(Inconclusive { path, line, name, reason });
        }
    }
    asked
}

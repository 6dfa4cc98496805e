//! Answers of registries as the examples of manuals write them (`answers.json`), so that rules about them can be shown.

use pinguard::model::knowledge::{
    GitRef, GitRefs, ImageRepository, IndexProject, Known, Release, Topic, Vulnerability,
};
use pinguard::model::project::Project;
use pinguard::model::reference::{Ecosystem, Subject};
use pinguard::plan::topic::{self, Places};
use serde_json::{Map, Value};

/// Puts the answers into a project, as `check --online` does.
pub fn give(project: &mut Project, text: &str) {
    let answers: Value = serde_json::from_str(text).expect("answers.json is JSON");
    let none = Map::new();
    let part = |name: &str| answers[name].as_object().unwrap_or(&none).clone();
    let usual = |ecosystem, name: &str| Topic::usual(Subject { ecosystem, name: name.to_string() });
    let knowledge = &mut project.online.knowledge;
    for (name, releases) in part("index") {
        knowledge.put(usual(Ecosystem::Pypi, &name), Ok(Known::Index(index(&releases))));
    }
    for (name, image) in part("images") {
        knowledge.put(usual(Ecosystem::Oci, &name), Ok(Known::Registry(images(&image))));
    }
    for (url, refs) in part("git") {
        let name = url.trim_start_matches("https://github.com/").to_string();
        let topic = Topic { subject: Subject { ecosystem: Ecosystem::Git, name }, place: Some(url) };
        knowledge.put(topic, Ok(Known::Host(git(&refs))));
    }
    let topics =
        project.references().filter_map(|(id, reference)| Some((id, topic::of(reference, &Places::default())?)));
    project.online.topics = topics.collect();
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_string)
}

fn index(releases: &Value) -> IndexProject {
    let mut project = IndexProject::default();
    for (version, said) in releases.as_object().expect("releases by version") {
        let yanked = text(&said["yanked"]);
        project.releases.push(Release { version: version.clone(), yanked, ..Release::default() });
        if let Some(id) = text(&said["vulnerable"]) {
            let (aliases, fixed_in) = (Vec::new(), Vec::new());
            let known = Vulnerability { id, aliases, version: version.clone(), fixed_in, summary: None };
            project.vulnerabilities.get_or_insert_default().push(known);
        }
    }
    project
}

fn images(image: &Value) -> ImageRepository {
    let mut known = ImageRepository::default();
    for (tag, digest) in image["tags"].as_object().into_iter().flatten() {
        known.digests.insert(tag.clone(), text(digest));
    }
    for digest in image["gone"].as_array().into_iter().flatten() {
        known.manifests.insert(text(digest).expect("a digest"), None);
    }
    known
}

fn git(refs: &Value) -> GitRefs {
    let tag = |(name, commit): (&String, &Value)| GitRef {
        name: name.clone(),
        commit: text(commit).expect("a commit"),
        object: None,
        date: None,
    };
    GitRefs { tags: refs.as_object().into_iter().flatten().map(tag).collect(), ..GitRefs::default() }
}

//! `agent`: the image, the Dockerfile or the pod that a stage runs in.

use super::stage::{Around, Reader};
use crate::ecosystems::oci;
use crate::model::pipeline::Job;
use crate::model::reference::{ReferenceId, Role};
use crate::model::text::Text;
use crate::syntax::groovy::{Call, Str, Value};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

impl Reader<'_> {
    /// Adds what an agent gives to a job.
    pub fn agent(&mut self, around: &Around<'_>, job: &mut Job) {
        let Some(agent) = around.agent else { return };
        let key = &around.agent_key;
        // `agent { docker 'x' }`, `agent docker: 'x'`.
        for (name, value) in agent.arguments.iter().filter_map(|argument| Some((argument.name.as_deref()?, &argument.value))) {
            if name == "docker" {
                self.docker(value.text(), &format!("{key}.docker"), job);
            }
        }
        for call in agent.calls() {
            let key = format!("{key}.{}", call.name);
            match call.name.as_str() {
                "docker" => {
                    let inner = call.call("image").and_then(Call::first).or_else(|| call.named("image"));
                    let inner_key = if inner.is_some() { format!("{key}.image") } else { key };
                    self.docker(inner.or_else(|| call.first()).and_then(Value::text), &inner_key, job);
                }
                "dockerfile" => self.dockerfile(call),
                "kubernetes" => self.pod(call, &key, job),
                _ => {}
            }
        }
        // `agent { dockerfile true }` is read as a call with a word; `agent any` names no image.
    }

    fn docker(&mut self, text: Option<&Str>, key: &str, job: &mut Job) {
        let Some(text) = text else { return };
        let ids = self.image(&piece(text), Role::CiImage, key);
        job.images.extend(ids.into_iter().filter(|id| !job.images.contains(id)).collect::<Vec<_>>());
    }

    /// An image by its text; parts that the program puts in stay open.
    pub fn image(&mut self, text: &Text, role: Role, key: &str) -> Vec<ReferenceId> {
        if let Some(ids) = self.images.get(&text.at) {
            return ids.clone();
        }
        let ids: Vec<ReferenceId> = oci::image(text, role, key).map(|image| self.facts.push(image)).into_iter().collect();
        self.images.insert(text.at, ids.clone());
        ids
    }

    fn dockerfile(&mut self, call: &Call) {
        let say = |name: &str| call.call(name).and_then(Call::first).or_else(|| call.named(name)).and_then(Value::says);
        let file = say("filename").unwrap_or("Dockerfile");
        let folder = say("dir").map_or(String::new(), |dir| format!("{}/", dir.trim_end_matches('/')));
        self.facts.builds_of.push((format!("{folder}{file}"), call.at));
    }

    /// A pod: YAML in the file, or a file of the repository.
    fn pod(&mut self, call: &Call, key: &str, job: &mut Job) {
        let yaml_text = call.call("yaml").and_then(Call::first).or_else(|| call.named("yaml")).and_then(Value::text);
        if let Some(text) = yaml_text {
            let tree = yaml::parse(text.text.at.source, &text.text.text);
            for (image, at) in tree.root().map_or(Vec::new(), containers) {
                let span = image.at().span;
                let place = text.text.text(span.range());
                let ids = self.image(&place, Role::CiImage, &format!("{key}.yaml.{at}.image"));
                job.images.extend(ids);
            }
        }
        // The plugin's own words for a container.
        for template in call.calls().filter(|call| call.name == "containerTemplate") {
            let image = template.call("image").and_then(Call::first).or_else(|| template.named("image")).and_then(Value::text);
            self.docker(image, &format!("{key}.containerTemplate.image"), job);
        }
        let file = call.call("yamlFile").and_then(Call::first).and_then(Value::says);
        if let Some(source) = file.and_then(|file| self.sources.find(file)) {
            let tree = yaml::parse(source.id, &source.text);
            let images: Vec<(Text, String)> =
                tree.root().map_or(Vec::new(), containers).into_iter().filter_map(|(node, at)| Some((node.text()?, at))).collect();
            for (text, at) in images {
                // The file is read as a manifest too where it has the words of one.
                let known = self.images.contains_key(&text.at);
                if !known {
                    job.images.extend(self.image(&text, Role::CiImage, &format!("{at}.image")));
                }
            }
        }
    }
}

/// The images of a pod with the key paths of their containers.
fn containers(root: Node<'_>) -> Vec<(Node<'_>, String)> {
    let lists = ["containers", "initContainers"].into_iter().filter_map(|name| Some((name, root.path(&["spec", name])?)));
    let all = lists.flat_map(|(name, list)| list.items().enumerate().map(move |(index, node)| (node, format!("spec.{name}[{index}]"))));
    all.filter_map(|(node, at)| Some((node.get("image")?, at))).collect()
}

/// A string as one piece.
pub fn piece(text: &Str) -> Text {
    text.text.text(0..text.text.text.len())
}


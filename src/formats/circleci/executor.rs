//! Where a job runs: `docker`, `machine`, `macos`, an executor by name.

use super::config::{Found, Room};
use super::frame::{Frame, place};
use super::job::Reader;
use crate::ecosystems::{oci, toolchain, variable};
use crate::model::pipeline::{Assignment, Job, Scope, Service};
use crate::model::reference::{ReferenceId, Role};
use crate::syntax::tree::Node;
use std::rc::Rc;

/// Something with the keys of an executor: a job, or an executor by name.
#[derive(Clone)]
pub struct Place<'t> {
    pub node: Node<'t>,
    pub frame: Rc<Frame<'t>>,
    pub key: String,
}

impl<'t> Reader<'t, '_> {
    /// The place that holds the machine of a job: its own, else that of the executor that it names.
    pub fn executor(&self, job: &Place<'t>, room: Room<'t>) -> Option<Place<'t>> {
        let Some(written) = job.node.get("executor") else { return Some(job.clone()) };
        let (node, frame) = job.frame.deref(written);
        let name_node = if node.is_map() { node.get("name")? } else { node };
        let name = frame.piece(name_node)?.text;
        let Found::Here(found, ..) = room.find("executors", &name) else { return None };
        let Found::Here(_, _, key) = room.find("executors", &name) else { return None };
        let given: Vec<(&str, Node)> =
            node.entries().filter_map(|(key, value)| Some((key.str()?, value))).filter(|(key, _)| *key != "name").collect();
        let frame = Frame::call(found.get("parameters"), &given, &frame, &self.config.frame);
        Some(Place { node: found, frame, key })
    }

    /// Images, services, machine and variables of a place, added to the job.
    pub fn machine(&mut self, at: &Place<'t>, job: &mut Job) {
        let images = at.node.get("docker").into_iter().flat_map(Node::items);
        for (index, entry) in images.enumerate() {
            let key = format!("{}.docker[{index}]", at.key);
            let Some(node) = entry.get("image") else { continue };
            let role = if index == 0 { Role::CiImage } else { Role::CiService };
            let ids = self.image(node, &at.frame, role, &format!("{key}.image"));
            let mut env = assignments(entry.get("environment"), &at.frame, Scope::Container, &format!("{key}.environment"));
            env.extend(credentials(entry, &at.frame, &key));
            if index == 0 {
                add(&mut job.images, ids);
                add(&mut job.env, env);
                continue;
            }
            let name = entry.get("name").and_then(Node::str).map_or_else(|| key.clone(), str::to_string);
            match job.services.iter_mut().find(|service| service.name == name) {
                Some(service) => add(&mut service.images, ids),
                None => job.services.push(Service { name, images: ids, env, options: None }),
            }
        }
        self.virtual_machine(at, job);
        add(&mut job.env, assignments(at.node.get("environment"), &at.frame, Scope::Job, &format!("{}.environment", at.key)));
    }

    fn virtual_machine(&mut self, at: &Place<'t>, job: &mut Job) {
        if let Some(machine) = at.node.get("machine") {
            let (machine, frame) = at.frame.deref(machine);
            let (node, key) = match machine.get("image") {
                Some(image) => (image, format!("{}.machine.image", at.key)),
                None => (machine, format!("{}.machine", at.key)),
            };
            if let Some(text) = frame.piece(node).filter(|text| text.text != "false") {
                let id = self.once(&text, &key, toolchain::machine);
                job.runner = job.runner.or(Some(id));
            }
        }
        if let Some(text) = at.node.get("macos").and_then(|macos| macos.get("xcode")).and_then(|node| at.frame.piece(node)) {
            let key = format!("{}.macos.xcode", at.key);
            self.once(&text, &key, |text, key| toolchain::tool("xcode", text, Role::Toolchain, key));
        }
    }

    fn image(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, role: Role, key: &str) -> Vec<ReferenceId> {
        let Some(text) = frame.text(node) else { return Vec::new() };
        let place = (place(&text), text.text.clone());
        if let Some(id) = self.known(&place) {
            return vec![id];
        }
        // A text with an unknown parameter in it is read as it is written.
        let reference = oci::mapped(&text, role, key);
        reference.map(|reference| self.push(place, reference)).into_iter().collect()
    }
}

/// Adds what is not there yet.
pub fn add<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}

/// `auth` of an image: given to the machine by name, not to any process of the job.
fn credentials<'t>(entry: Node<'t>, frame: &Rc<Frame<'t>>, key: &str) -> Vec<Assignment> {
    let auth = |name: &str| assignments(entry.get(name), frame, Scope::Input, &format!("{key}.{name}"));
    let mut all = auth("auth");
    all.extend(auth("aws_auth"));
    all.retain(|one| matches!(one.name.as_str(), "password" | "aws_secret_access_key"));
    all
}

/// `environment`: a mapping, or a list of mappings or of `NAME=value`. Values are taken as they are; only expressions are put in.
pub fn assignments<'t>(node: Option<Node<'t>>, frame: &Rc<Frame<'t>>, scope: Scope, key: &str) -> Vec<Assignment> {
    let Some(node) = node else { return Vec::new() };
    let (node, frame) = frame.deref(node);
    let pairs = node.entries().chain(node.items().flat_map(Node::entries));
    let pair = |(name, value): (Node<'t>, Node<'t>)| {
        let text = frame.piece(value)?;
        let name = name.str()?.to_string();
        let key = format!("{key}.{name}");
        Some(Assignment { value: variable::value(&text.text, |_| false), scope, at: value.at(), key, name })
    };
    pairs.filter_map(pair).collect()
}

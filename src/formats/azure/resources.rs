//! `resources`: containers by alias, and repositories whose templates are used.

use super::frame::Frame;
use super::job::Reader;
use crate::ecosystems::git;
use crate::model::pin::Strength;
use crate::model::pipeline::Pipeline;
use crate::model::reference::{Origin, ReferenceId, Role, Slot};
use crate::model::text::Text;
use crate::syntax::tree::Node;
use std::rc::Rc;

impl<'t> Reader<'t, '_> {
    /// Reads `resources` of a file.
    pub fn resources(&mut self, root: Node<'t>, frame: &Rc<Frame<'t>>, pipeline: &mut Pipeline) {
        let list = |name: &str| {
            let node = root.path(&["resources", name]);
            node.map_or(Vec::new(), |node| frame.items(node, &format!("resources.{name}")))
        };
        for item in list("containers") {
            let Some(alias) = item.node.get("container").and_then(Node::str) else { continue };
            let Some(image) = item.node.get("image") else { continue };
            let ids = self.images(image, &item.frame, Role::CiImage, &format!("{}.image", item.key));
            self.containers.insert(alias.to_string(), ids);
        }
        // What another pipeline made is taken at its newest run unless a version is set.
        for item in list("pipelines") {
            let word = |name: &str| item.node.get(name).and_then(|node| item.frame.text(node));
            let Some(source) = word("source").or_else(|| word("pipeline")).filter(|_| item.node.get("version").is_none()) else { continue };
            pipeline.unseen.push((format!("what the newest run of the pipeline `{}` made is used", source.text), source.at));
        }
        for item in list("repositories") {
            self.repository(item.node, &item.frame, &item.key, pipeline);
        }
    }

    fn repository(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, key: &str, pipeline: &mut Pipeline) {
        let text = |name: &str| node.get(name).and_then(|node| frame.text(node));
        let (Some(alias), Some(name)) = (text("repository"), text("name")) else { return };
        let place = node.get("ref").unwrap_or(node);
        let rev = text("ref").unwrap_or(Text { text: String::new(), at: name.at.at_end(), verbatim: false });
        let role = if self.uses_templates_of(&alias.text) { Role::CiInclude } else { Role::Clone };
        let key = if node.get("ref").is_some() { format!("{key}.ref") } else { key.to_string() };
        let mut reference = git::pinned_at(&name.text, &rev, place.comment(), role, &key);
        git::note_at_end(&mut reference, place.free_end());
        // The organisation of Azure Repos, and the server of an enterprise, stand in the service connection.
        // <https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/resources-repositories-repository>
        reference.origin = match text("type").map(|text| text.text).as_deref() {
            Some("github") => Origin::Registry,
            Some("bitbucket") => Origin::Vcs(format!("https://bitbucket.org/{}", name.text)),
            _ => Origin::Vcs(format!("$(System.CollectionUri)/{}", name.text)),
        };
        // `refs/tags/v1.2.0` is a tag; what is below `refs/heads/` is a branch whatever its name.
        if let Some(tag) = rev.text.strip_prefix("refs/tags/") {
            reference.strength = Some(git::ref_strength(tag));
        } else if rev.text.starts_with("refs/heads/") {
            reference.strength = Some(Strength::Floating(crate::model::pin::Precision::Word));
        }
        if !rev.verbatim {
            reference.site = crate::model::reference::Site::read_only(if node.get("ref").is_some() { rev.at } else { name.at });
        } else {
            reference.site.digest = Some(Slot { at: rev.at, lead: "" });
        }
        self.facts.push(reference);
        if role == Role::CiInclude {
            pipeline.unseen.push((format!("templates of the repository `{}` are used", name.text), alias.at));
        }
    }

    fn uses_templates_of(&self, alias: &str) -> bool {
        let end = format!("@{alias}");
        self.files.iter().any(|file| super::mentioned(&file.source.text).iter().any(|path| path.ends_with(&end)))
    }

    /// The images of a container by alias, by image, or by mapping.
    pub fn container(&mut self, node: Node<'t>, frame: &Rc<Frame<'t>>, role: Role, key: &str) -> Vec<ReferenceId> {
        let (node, frame) = frame.deref(node);
        if let Some(image) = node.get("image") {
            return self.images(image, &frame, role, &format!("{key}.image"));
        }
        let alias = frame.text(node).map_or(String::new(), |text| text.text);
        match self.containers.get(&alias) {
            Some(ids) => ids.clone(),
            None => self.images(node, &frame, role, key),
        }
    }
}

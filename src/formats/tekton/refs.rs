//! Tasks, pipelines and step actions that lie elsewhere: bundles, git repositories, hubs, the cluster.
//!
//! <https://tekton.dev/docs/pipelines/bundle-resolver/>, `git-resolver`, `hub-resolver`.

use super::File;
use crate::ecosystems::{git, oci};
use crate::formats::objects;
use crate::formats::steps::Values;
use crate::model::pin::{Pin, Strength};
use crate::model::reference::{Ecosystem, Reference, ReferenceId, Role};
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;

impl File<'_, '_> {
    /// What a reference names. One by name alone is of this repository, or of the cluster.
    pub fn reference(&mut self, node: Node, what: &str, key: &str, values: &Values) -> Option<ReferenceId> {
        if let Some(bundle) = node.get("bundle") {
            return self.bundle(bundle, key, values);
        }
        let param = |name: &str| {
            let params = node.get("params").or_else(|| node.get("resource"));
            params?.items().find(|param| param.get("name").and_then(Node::str) == Some(name))?.get("value")
        };
        let reference = match node.get("resolver").and_then(Node::str) {
            None => {
                let name = node.get("name").filter(|name| !name.str().unwrap_or("").contains('$'))?;
                if !self.is_known(name.str()?) {
                    self.elsewhere.push((format!("{what} `{}`", name.str()?), name.at()));
                }
                return None;
            }
            Some("bundles") => return self.bundle(param("bundle")?, key, values),
            Some("git") => {
                let url = param("url").and_then(Node::text);
                let repository = || Some(format!("{}/{}", param("org")?.str()?, param("repo")?.str()?));
                let name = url.map(|url| git::name_of(&first(&url, values).text)).or_else(repository)?;
                match param("revision").and_then(Node::text) {
                    Some(revision) => {
                        let place = param("revision")?;
                        let rev = first(&revision, values);
                        let mut reference = git::pinned_at(&name, &rev, place.comment(), Role::CiInclude, key);
                        git::note_at_end(&mut reference, place.free_end());
                        reference
                    }
                    None => {
                        let mut reference = Reference::new(Ecosystem::Git, name, Role::CiInclude, param("url")?.at());
                        reference.key = key.to_string();
                        reference
                    }
                }
            }
            Some("hub") => hub(param("name")?.text()?, param("version").and_then(Node::text), key),
            Some("http") => {
                let url = param("url")?;
                return self.address(&url.text()?, what, key);
            }
            Some(_) => {
                let name = param("name").and_then(Node::str).unwrap_or("");
                self.elsewhere.push((format!("{what} `{name}`"), node.at()));
                return None;
            }
        };
        Some(self.reader.push(reference))
    }

    fn bundle(&mut self, node: Node, key: &str, values: &Values) -> Option<ReferenceId> {
        let all = values.resolve(&Mapped::of(&node.text()?));
        let reference = oci::mapped(all.first()?, Role::CiInclude, key)?;
        Some(self.reader.push(reference))
    }

    /// Something at a URL: of a git host it names a ref; of another place nothing can be told.
    pub fn address(&mut self, url: &Text, what: &str, key: &str) -> Option<ReferenceId> {
        let Some((name, part)) = git::file_at_host(&url.text) else {
            self.elsewhere.push((format!("the {what} at a URL"), url.at));
            return None;
        };
        let rev = Text { text: url.text[part.clone()].to_string(), at: url.place(part), verbatim: url.verbatim };
        let mut reference = git::pinned_at(&name, &rev, None, Role::CiInclude, key);
        reference.site.note = None;
        Some(self.reader.push(reference))
    }

    /// Whether some file of the repository holds a task or pipeline of this name.
    fn is_known(&self, name: &str) -> bool {
        objects::is_held(self.sources, "tekton.dev/", name)
    }
}

fn first(text: &Text, values: &Values) -> Text {
    let all = values.resolve(&Mapped::of(text));
    all.into_iter().next().map_or_else(|| text.clone(), |one| one.text(0..one.text.len()))
}

/// A task of a hub. Each version there is one release; without one the newest is taken. It is a name of the hub, not a tag.
pub fn hub(name: Text, version: Option<Text>, key: &str) -> Reference {
    let at = version.as_ref().map_or(name.at, |version| version.at);
    let mut reference = Reference::new(Ecosystem::Git, format!("tektoncd/catalog/task/{}", name.text), Role::CiInclude, at);
    reference.key = key.to_string();
    if let Some(version) = version {
        let open = crate::ecosystems::variable::is_variable(&version.text);
        reference.strength = if open { None } else { Some(Strength::Exact) };
        reference.pin = Pin { version: Some(version.text), digests: Vec::new() };
    }
    reference
}

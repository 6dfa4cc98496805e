//! `include`: what comes from other projects and servers, and how firmly it is held.
//!
//! <https://docs.gitlab.com/ci/yaml/#include>

use super::Unseen;
use super::files::{self, File};
use crate::ecosystems::{git, pypi};
use crate::model::facts::Facts;
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Site, Slot};
use crate::model::source::Sources;
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// Reads the includes of one file.
pub fn read(file: &File<'_>, sources: &Sources, facts: &mut Facts, unseen: &mut Unseen) {
    for include in file.tree.roots().flat_map(files::includes) {
        if let Some(reference) = reference(include, unseen) {
            facts.push(reference);
        } else if let Some(path) = files::local(include).filter(|path| files::find(path, file.source, sources).is_empty()) {
            unseen.push((format!("`{path}` is included and not in this tree"), place(include, "local").at()));
        }
    }
}

fn place<'t>(include: Node<'t>, key: &str) -> Node<'t> {
    include.get(key).unwrap_or(include)
}

fn reference(include: Node<'_>, unseen: &mut Unseen) -> Option<Reference> {
    let text = |key: &str| include.get(key).and_then(Node::text);
    if let Some(project) = text("project") {
        unseen.push((format!("jobs are included from the project `{}`", project.text), project.at));
        return Some(project_at(&project, include));
    }
    if let Some(component) = text("component") {
        let comment = include.get("component").and_then(Node::comment);
        let mut reference = git::action(&component, comment, Role::CiInclude, "include.component")?;
        reference.key = format!("include.{}", reference.subject.name);
        unseen.push((format!("jobs are included from the component `{}`", reference.subject.name), component.at));
        return Some(reference);
    }
    if let Some(template) = text("template") {
        // Templates come with the server, and nothing in the file can hold them.
        unseen.push((format!("jobs are included from the template `{}` of the server", template.text), template.at));
        return None;
    }
    let remote = text("remote").or_else(|| include.text().filter(|text| text.text.contains("://")))?;
    let url = pypi::without_credentials(&remote.text);
    unseen.push((format!("jobs are included from `{url}`"), remote.at));
    Some(remote_at(&remote, &url, include))
}

fn project_at(project: &Text, include: Node<'_>) -> Reference {
    let key = format!("include.{}", project.text);
    match include.get("ref").and_then(|node| Some((node, node.text()?))) {
        Some((node, rev)) => {
            let mut reference = git::pinned_at(&project.text, &rev, node.comment(), Role::CiInclude, &key);
            git::note_after(&mut reference, node.whole());
            reference
        }
        None => {
            let mut reference = Reference::new(Ecosystem::Git, project.text.clone(), Role::CiInclude, project.at);
            reference.key = key;
            reference
        }
    }
}

/// A file by its address: held by `integrity`, or by the ref in the path of a git host.
fn remote_at(remote: &Text, url: &str, include: Node<'_>) -> Reference {
    let mut reference = Reference::new(Ecosystem::Git, url, Role::CiInclude, remote.at);
    reference.origin = Origin::Url(url.to_string());
    reference.key = format!("include.{}", url.rsplit('/').next().unwrap_or(url));
    reference.strength = Some(Strength::Floating(Precision::Word));
    if let Some(integrity) = include.get("integrity").and_then(Node::str) {
        reference.pin = Pin { version: None, digests: vec![integrity.to_string()] };
        reference.strength = Some(Strength::Immutable);
    } else if let Some(range) = ref_of(&remote.text) {
        let rev = &remote.text[range.clone()];
        reference.strength = Some(git::ref_strength(rev));
        reference.pin = match git::is_commit(rev) {
            true => Pin { version: None, digests: vec![rev.to_string()] },
            false => Pin { version: Some(rev.to_string()), digests: Vec::new() },
        };
        let digest = remote.verbatim.then(|| Slot { at: remote.at.slice(range), lead: "" });
        reference.site = Site { digest, ..reference.site };
    }
    reference
}

/// Where the ref stands: `host/group/project/-/raw/REF/path`, `raw.githubusercontent.com/owner/repo/REF/path`.
fn ref_of(url: &str) -> Option<std::ops::Range<usize>> {
    let start = match url.find("/raw/") {
        Some(at) => at + "/raw/".len(),
        None => {
            let host = "raw.githubusercontent.com/";
            let path = url.find(host)? + host.len();
            url[path..].match_indices('/').nth(1).map(|(at, _)| path + at + 1)?
        }
    };
    let len = url[start..].find('/')?;
    (len > 0).then_some(start..start + len)
}

//! `kustomization.yaml`: images that it names anew, and what it takes in from other repositories. Does not know the manifests that it
//! changes.
//!
//! <https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md>
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>

use super::{Claim, Format, by_path};
use crate::ecosystems::{git, oci};
use crate::model::facts::Facts;
use crate::model::pin::{Pin, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Site, Slot};
use crate::model::source::{Source, Sources};
use crate::model::text::Text;
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "kustomize", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    for root in tree.roots() {
        for list in ["resources", "bases", "components"] {
            for (index, node) in root.get(list).into_iter().flat_map(Node::items).enumerate() {
                let text = node.text();
                let reference = text.and_then(|text| from_elsewhere(&text, &format!("{list}[{index}]")));
                if let Some(reference) = reference {
                    facts.push(reference);
                }
            }
        }
    }
    for images in tree.roots().filter_map(|root| root.get("images")) {
        for image in images.items() {
            if let (Some(old), Some(_)) = (image.get("name").and_then(Node::str), image.get("newName")) {
                facts.own_images.push(old.to_string());
            }
            if let Some(reference) = read_image(image) {
                facts.push(reference);
            }
        }
    }
}

/// Manifests of another repository: `https://github.com/a/b//folder?ref=v1`, `git@host:a/b.git//folder`, a file of a git host by its address.
fn from_elsewhere(text: &Text, key: &str) -> Option<Reference> {
    const HOSTS: [&str; 3] = ["github.com/", "gitlab.com/", "bitbucket.org/"];
    let written = text.text.strip_prefix("git::").unwrap_or(&text.text);
    let (place, query) = written.split_once('?').unwrap_or((written, ""));
    if !place.contains("://") && !place.starts_with("git@") && !HOSTS.iter().any(|host| place.starts_with(host)) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| Text { text: text.text[range.clone()].to_string(), at: text.place(range), verbatim: text.verbatim };
    let asked = ["ref=", "version="].iter().find_map(|name| query.split('&').find_map(|pair| pair.strip_prefix(name)));
    let (name, rev) = match (asked, git::file_at_host(&text.text)) {
        (Some(rev), _) => {
            let start = rev.as_ptr() as usize - text.text.as_ptr() as usize;
            (repository(place), Some(part(start..start + rev.len())))
        }
        (None, Some((name, range))) => (name, Some(part(range))),
        // A file at another address says nothing of versions.
        (None, None) if [".yaml", ".yml", ".json"].iter().any(|end| place.ends_with(end)) => return None,
        (None, None) => (repository(place), None),
    };
    let mut reference = match rev {
        Some(rev) => git::pinned_at(&name, &rev, None, Role::Manifests, key),
        None => Reference::new(Ecosystem::Git, name, Role::Manifests, text.at),
    };
    reference.key = key.to_string();
    reference.site.whole = text.at;
    reference.site.note = None;
    Some(reference)
}

/// The repository of an address: what stands before `//` or ends in `.git`; on the known hosts, owner and name.
fn repository(place: &str) -> String {
    let start = place.find("://").map_or(0, |at| at + 3);
    let cut = place[start..].find("//").map_or(place, |at| &place[..start + at]);
    let cut = cut.find(".git/").map_or(cut, |at| &cut[..at]);
    let name = git::name_of(cut);
    let parts = if name.starts_with("gitlab.com/") || name.starts_with("bitbucket.org/") { 3 } else { 2 };
    let on_host = parts == 3 || place.contains("github.com");
    if on_host { name.split('/').take(parts).collect::<Vec<_>>().join("/") } else { name }
}

/// An entry that sets a tag or a digest; with neither, the manifests decide.
fn read_image(image: Node) -> Option<Reference> {
    let old = image.get("name")?;
    let name = image.get("newName").unwrap_or(old);
    // The name may carry a registry with a port, but no tag: those have keys of their own.
    let named = oci::image(&name.text()?, Role::Container, "")?;
    let (tag, digest) = (image.get("newTag"), image.get("digest"));
    let at = digest.or(tag)?.at();
    let mut reference = Reference::new(Ecosystem::Oci, named.subject.name, Role::Container, at);
    reference.key = format!("images.{}", old.str()?);
    let slot = |node: Option<Node>| {
        let text = node?.text()?;
        text.verbatim.then_some(Slot { at: text.at, lead: "" })
    };
    let part = |node: Option<Node>| node.and_then(Node::str).filter(|text| !text.is_empty()).map(str::to_string);
    reference.pin = Pin { version: part(tag), digests: part(digest).into_iter().collect() };
    reference.strength = match &reference.pin {
        Pin { digests, .. } if !digests.is_empty() => Some(Strength::Immutable),
        Pin { version: Some(tag), .. } if oci::is_variable(tag) => None,
        Pin { version: Some(tag), .. } => Some(oci::tag_strength(&reference.subject.name, tag)),
        _ => return None,
    };
    reference.site = Site { whole: at, version: slot(tag), digest: slot(digest), note: None };
    Some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn tags_and_digests_stand_apart_from_the_name() {
        let text = "images:\n- name: a\n  newName: r.io/a\n  newTag: \"1.2.3\"\n- name: b\n  digest: sha256:aa\n- name: c\n  newName: d\n- name: e\n  newTag: latest\n";
        let facts = facts_of(&FORMAT, "x/kustomization.yaml", text);
        assert_eq!(names(&facts), ["r.io/a:1.2.3", "b@sha256:aa", "e:latest"]);
        assert_eq!(&text[facts.references[0].site.version.unwrap().at.span.range()], "1.2.3");
        assert_eq!(facts.references[1].strength, Some(Strength::Immutable));
    }

    #[test]
    fn manifests_of_other_repositories_are_held_by_a_ref() {
        let sha = "8f14e45fceea167a5a36dedd4bea2543c9f1e3b2";
        let rows = [
            ("github.com/acme/base//deploy".to_string(), "acme/base", None),
            ("github.com/acme/base/deploy?ref=main".to_string(), "acme/base", Some("main")),
            ("https://github.com/acme/base//deploy?timeout=90s&ref=v1.2.3".to_string(), "acme/base", Some("v1.2.3")),
            ("git::https://github.com/acme/base?version=v2".to_string(), "acme/base", Some("v2")),
            ("git@github.com:acme/base.git//x".to_string(), "acme/base", None),
            ("https://git.corp.io/team/base.git/x?ref=v1".to_string(), "git.corp.io/team/base", Some("v1")),
            ("https://raw.githubusercontent.com/acme/base/main/x.yaml".to_string(), "acme/base", Some("main")),
            ("https://github.com/acme/base/releases/download/v3.0.1/x.yaml".to_string(), "acme/base", Some("v3.0.1")),
            (format!("https://github.com/acme/base//x?ref={sha}"), "acme/base", Some(sha)),
        ];
        for (written, name, rev) in rows {
            let text = format!("resources:\n- ../base\n- deploy.yaml\n- https://x.org/y.yaml\n- {written}\n");
            let facts = facts_of(&FORMAT, "kustomization.yaml", &text);
            let reference = &facts.references[0];
            assert_eq!((facts.references.len(), reference.subject.name.as_str()), (1, name), "{written}");
            let pin = reference.pin.version.as_deref().or(reference.pin.digests.first().map(String::as_str));
            assert_eq!(pin, rev, "{written}");
            let slot = reference.site.digest.map(|slot| &text[slot.at.span.range()]);
            assert_eq!(slot, rev, "{written}");
            assert_eq!(&text[reference.site.whole.span.range()], written);
        }
    }
}

//! `kustomization.yaml`: images that it names anew. Does not know the manifests that it changes.
//!
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>

use super::{Claim, Format, by_path};
use crate::ecosystems::oci;
use crate::model::facts::Facts;
use crate::model::pin::{Pin, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Site, Slot};
use crate::model::source::{Source, Sources};
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
}

//! Values of Helm charts: images by the convention that `image` holds a name, or `repository`, `tag` and `digest`. Renders no chart.
//!
//! <https://helm.sh/docs/chart_best_practices/values/>. Without a tag a chart takes its own version, so that such an image is of unknown strength.

use super::{Claim, Format};
use crate::ecosystems::{oci, variable};
use crate::model::facts::Facts;
use crate::model::pin::{Pin, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Site, Slot};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;
use std::collections::HashSet;

/// The format.
pub static FORMAT: Format = Format { name: "helm values", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return Claim::No };
    match stem {
        // Read so that it is known to be there.
        "Chart" => Claim::Yes,
        _ if stem.ends_with(".schema") => Claim::No,
        _ if stem.starts_with("values") || stem.ends_with("-values") || stem.ends_with(".values") => Claim::Maybe,
        _ => Claim::No,
    }
}

fn sniff(text: &str) -> bool {
    text.contains("mage")
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    if source.file_name().starts_with("Chart.") || !is_of_chart(source, sources) {
        return;
    }
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let mut seen = HashSet::new();
    let mut waiting: Vec<(String, bool, Node)> = tree.roots().map(|root| (String::new(), false, root)).collect();
    while let Some((path, is_image, node)) = waiting.pop() {
        let reference = if is_image { image(node, &path) } else { None };
        if let Some(reference) = reference.filter(|reference| seen.insert(reference.site.whole)) {
            facts.push(reference);
        }
        let start = waiting.len();
        for (key, value) in node.entries() {
            let Some(key) = key.str() else { continue };
            let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
            waiting.push((path, key == "image" || key.ends_with("Image"), value));
        }
        waiting.extend(node.items().enumerate().map(|(index, item)| (format!("{path}[{index}]"), false, item)));
        waiting[start..].reverse();
    }
}

/// Whether a chart lies in the folder of the file or above it.
fn is_of_chart(source: &Source, sources: &Sources) -> bool {
    let folders = std::iter::successors(Some(source.folder()), |folder| {
        if folder.is_empty() { None } else { Some(folder.rsplit_once('/').map_or("", |(above, _)| above)) }
    });
    let has = |folder: &str| ["Chart.yaml", "Chart.yml"].iter().any(|name| sources.find_from(folder, name).is_some());
    folders.into_iter().any(has)
}

/// One image: a text, or a mapping. Templates in values are for the chart to fill in.
fn image(node: Node, key: &str) -> Option<Reference> {
    if let Some(text) = node.text() {
        return oci::image(&text, Role::Container, key).filter(|_| !text.text.contains("{{") && !text.text.is_empty());
    }
    let repository = node.get("repository").or_else(|| node.get("name"))?;
    let written = repository.text().filter(|text| !text.text.is_empty() && !text.text.contains("{{"))?;
    let named = oci::image(&written, Role::Container, key)?;
    let part = |name: &str| node.get(name).filter(|node| node.is_scalar() || node.is_null());
    let text = |node: Option<Node>| node.and_then(Node::str).filter(|text| !text.is_empty()).map(str::to_string);
    let (tag, digest) = (part("tag").or_else(|| part("version")), part("digest"));
    let registry = text(part("registry")).filter(|registry| !matches!(registry.as_str(), "docker.io" | "index.docker.io"));
    // Only `image` as a name alone may be anything; with a key beside it, it is an image.
    if node.get("repository").is_none() && tag.is_none() && digest.is_none() {
        return None;
    }
    let name = registry.map_or(named.subject.name.clone(), |registry| format!("{}/{}", registry.trim_end_matches('/'), named.subject.name));
    // A tag in the repository itself is a mistake that some charts live with.
    let mut reference = Reference::new(Ecosystem::Oci, name, Role::Container, repository.at());
    reference.key = key.to_string();
    let digest_text = text(digest).filter(|digest| digest.contains(':'));
    // `tag: 1.2@sha256:…` is one text to a chart that puts a colon before it.
    let (version, glued) = match text(tag) {
        Some(tag) => match tag.split_once('@') {
            Some((tag, digest)) => (Some(tag.to_string()), Some(digest.to_string())),
            None => (Some(tag), None),
        },
        None => (named.pin.version.clone(), named.pin.digests.first().cloned()),
    };
    reference.pin = Pin { version, digests: digest_text.or(glued).into_iter().collect() };
    reference.strength = match &reference.pin {
        Pin { digests, .. } if !digests.is_empty() => Some(Strength::Immutable),
        Pin { version: Some(tag), .. } if variable::is_variable(tag) || is_placeholder(tag) => None,
        Pin { version: Some(tag), .. } => Some(oci::tag_strength(&reference.subject.name, tag)),
        _ => None,
    };
    reference.site = site(repository, tag, digest);
    Some(reference)
}

/// `set-by-chartpress`, `REPLACED_BY_CI`: a program puts the tag in before the chart is published.
fn is_placeholder(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    let words = ["set-by", "set_by", "replace", "placeholder", "changeme", "change-me", "filled-in", "overridden", "todo"];
    words.iter().any(|word| tag.contains(word))
}

fn site(repository: Node, tag: Option<Node>, digest: Option<Node>) -> Site {
    let slot = |node: Node| node.text().filter(|text| text.verbatim && !text.text.contains('@')).map(|text| Slot { at: text.at, lead: "" });
    let version = tag.filter(|tag| tag.str().is_some_and(|text| !text.is_empty())).and_then(slot);
    let behind = version.filter(|_| digest.is_none()).map(|slot| Slot { at: slot.at.at_end(), lead: "@" });
    Site { whole: repository.at(), version, digest: digest.and_then(slot).or(behind), note: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_among, facts_of, names};

    const TEXT: &str = "image: {repository: org/app, tag: \"\"}\nweb:\n  image:\n    registry: ghcr.io\n    repository: org/web\n    tag: '1.2.3'\n    digest: ''\n\
                        db: {image: 'postgres:17', pullImage: {repository: a/b, tag: 1.2}}\nproxyImage: envoy:v1.30.1\nother: {image: '{{ .Values.x }}'}\n\
                        own: {image: {repository: o/own, tag: set-by-ci}}\nlist:\n- {image: {repository: redis, tag: 7, digest: sha256:ab}}\nimagePullPolicy: Always\nfoo: {image: {pullPolicy: Always}}\n";

    #[test]
    fn images_are_found_by_convention() {
        let facts = facts_among(&FORMAT, &[("chart/values.yaml", TEXT), ("chart/Chart.yaml", "name: x\n")]);
        let want = ["org/app", "ghcr.io/org/web:1.2.3", "postgres:17", "a/b:1.2", "envoy:v1.30.1", "o/own:set-by-ci", "redis:7@sha256:ab"];
        assert_eq!(names(&facts), want);
        assert_eq!((facts.references[0].strength, facts.references[5].strength), (None, None));
        assert_eq!(facts.references[1].key, "web.image");
        assert_eq!(facts.references[6].key, "list[0].image");
        let slot = facts.references[1].site.digest.expect("a place");
        assert_eq!((slot.lead, slot.at.span.is_empty()), ("", true));
        let slot = facts.references[3].site.digest.expect("a place");
        assert!(slot.lead == "@" && TEXT[..slot.at.span.start as usize].ends_with("tag: 1.2"));
    }

    #[test]
    fn without_a_chart_they_are_somebody_elses() {
        assert!(facts_of(&FORMAT, "conf/values.yaml", TEXT).references.is_empty());
        assert_eq!((claims("c/values-prod.yaml"), claims("c/values.schema.yaml")), (Claim::Maybe, Claim::No));
    }
}

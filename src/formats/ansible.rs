//! `requirements.yml` of Ansible: roles and collections. Asks no Galaxy.
//!
//! <https://docs.ansible.com/ansible/latest/galaxy/user_guide.html#installing-multiple-roles-from-a-file>. What a git repository gives is
//! held by a ref; what Galaxy gives by a version. Without one, either takes the newest.

use super::{Claim, Format};
use crate::ecosystems::git;
use crate::model::facts::Facts;
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Slot};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "ansible requirements", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "requirements.yml" | "requirements.yaml") { Claim::Maybe } else { Claim::No }
}

fn sniff(text: &str) -> bool {
    let starts = |line: &str| ["collections:", "roles:", "- src:", "- name:"].iter().any(|key| line.starts_with(key));
    // Charts of the first Helm list their parts in a file of this name.
    text.lines().any(starts) && !text.lines().any(|line| line.starts_with("dependencies:"))
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    // The older form is a list of roles alone.
    let lists = [("roles", root.get("roles").or(Some(root))), ("collections", root.get("collections"))];
    for (kind, list) in lists {
        for (index, item) in list.into_iter().flat_map(Node::items).enumerate() {
            let key = if root.is_seq() { format!("[{index}]") } else { format!("{kind}[{index}]") };
            if let Some(reference) = entry(item, &key, kind == "roles") {
                facts.push(reference);
            }
        }
    }
}

/// `namespace.name`, `name:1.0`, `{name, version}`, `{src, scm: git, version}`, `{name: URL, type: git, version}`.
fn entry(item: Node, key: &str, is_role: bool) -> Option<Reference> {
    let source = item.get("src").or_else(|| item.get("source").filter(|node| is_repository(*node) && is_role));
    let named = source.or_else(|| item.get("name")).unwrap_or(item);
    let text = named.text().filter(|text| !text.text.contains("{{"))?;
    let word = |name: &str| item.get(name).and_then(Node::str);
    let local = matches!(word("type"), Some("file" | "dir" | "subdirs")) || text.text.starts_with(['/', '.']);
    if local || item.get("include").is_some() {
        return None;
    }
    let version = item.get("version").and_then(Node::text).filter(|text| !text.text.is_empty());
    if word("scm") == Some("git") || word("type") == Some("git") || is_repository(named) {
        let url = text.text.split('#').next().unwrap_or("").split(',').next().unwrap_or("");
        let name = git::name_of(url.trim_start_matches("git+"));
        let mut reference = match version {
            Some(version) => {
                let mut reference = git::pinned_at(&name, &version, item.get("version")?.comment(), Role::Clone, key);
                reference.site.note = None;
                reference
            }
            None => Reference::new(Ecosystem::Git, name, Role::Clone, text.at),
        };
        reference.key = key.to_string();
        reference.origin = Origin::Vcs(without_user(url));
        return Some(reference);
    }
    let (name, inline) = match text.text.split_once([':', ',']) {
        Some((name, version)) => (name.to_string(), Some(version.to_string())),
        None => (text.text.clone(), None),
    };
    let mut reference = Reference::new(Ecosystem::Toolchain, name, Role::Toolchain, text.at);
    reference.key = key.to_string();
    let written = version.as_ref().map(|version| version.text.clone()).or(inline).filter(|text| text != "*");
    if let Some(version) = version.filter(|version| version.verbatim) {
        reference.site.whole = version.at;
        reference.site.version = Some(Slot { at: version.at, lead: "" });
    }
    reference.strength = Some(written.as_deref().map_or(Strength::Unspecified, strength));
    reference.pin = Pin { version: written, digests: Vec::new() };
    Some(reference)
}

fn is_repository(node: Node) -> bool {
    let text = node.str().unwrap_or("");
    let archive = text.ends_with(".tar.gz") || text.ends_with(".tgz");
    text.starts_with("git+") || text.starts_with("git@") || text.contains("://") && !archive
}

fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.find('@')) {
        (Some((scheme, rest)), Some(_)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        _ => url.to_string(),
    }
}

/// One number is one release; a comparison takes the newest that fits.
fn strength(version: &str) -> Strength {
    if version.starts_with(['>', '<', '!', '*']) || version.contains(',') {
        return Strength::Floating(Precision::Major);
    }
    Strength::Exact
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn roles_and_collections_are_read() {
        let text = "roles:\n- src: https://github.com/a/b.git\n  name: b\n- {src: git@github.com:c/d, scm: git, version: v1.2.3}\n- geerlingguy.docker\n\
                    collections:\n- awx.awx\n- {name: community.general, version: 9.5.0}\n- {name: community.docker, version: '>=3'}\n\
                    - {name: 'https://github.com/e/f.git', type: git, version: main}\n- {name: ./local, type: dir}\n";
        let facts = facts_of(&FORMAT, "requirements.yml", text);
        let want =
            ["a/b", "c/d:v1.2.3", "geerlingguy.docker", "awx.awx", "community.general:9.5.0", "community.docker:>=3", "e/f:main"];
        assert_eq!(names(&facts), want);
        assert_eq!(facts.references[4].key, "collections[1]");
        assert_eq!((facts.references[4].strength, facts.references[3].strength), (Some(Strength::Exact), Some(Strength::Unspecified)));
    }

    #[test]
    fn the_old_list_is_read_and_helm_is_not() {
        let facts = facts_of(&FORMAT, "r/requirements.yml", "- src: geerlingguy.java\n  version: 1.9.6\n");
        assert_eq!((names(&facts), facts.references[0].key.as_str()), (vec!["geerlingguy.java:1.9.6".to_string()], "[0]"));
        assert!(!sniff("dependencies:\n- name: postgresql\n"));
    }
}

//! conda environment files. Knows no recipe and no lock.
//!
//! Source: conda's documentation, "Creating an environment file manually".

use super::requires::{Collector, Place};
use super::{Claim, Format};
use crate::model::facts::Facts;
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "conda environment", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if yaml && !name.starts_with("conda-lock") && !name.ends_with(".lock.yml") { Claim::Maybe } else { Claim::No }
}

/// A list of plain words under `dependencies:` at the left margin, and channels, a prefix or conda's own package names.
fn sniff(text: &str) -> bool {
    let mut inside = false;
    let mut channels = false;
    let mut words = 0;
    let mut telling = false;
    for line in text.lines().take(2000) {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        if !line.starts_with([' ', '-', '\t']) {
            inside = bare.split(" #").next().map(str::trim) == Some("dependencies:");
            channels |= bare.starts_with("channels:");
            // Helm charts and Ansible roles have lists of that name too.
            if bare.starts_with("apiVersion:") || bare.starts_with("galaxy_info:") {
                return false;
            }
            continue;
        }
        if let Some(item) = bare.strip_prefix('-').filter(|_| inside) {
            let item = item.trim().trim_matches(['"', '\'']);
            telling |= item == "pip:" || item == "pip" || item == "python" || item.starts_with("python=");
            telling |= item.starts_with("python ") || item.starts_with("python>");
            let mapping = item.split(" #").next().unwrap_or(item).contains(": ") || item.ends_with(':') && item != "pip:";
            if mapping {
                return false;
            }
            words += 1;
        }
    }
    words > 0 && (channels || telling)
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root() else { return };
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::CondaEnvironment, source.whole()) };
    to.manifest.tools = vec!["conda".to_string()];
    let conda = Place { role: Role::Runtime, group: &Group::Main, key: "dependencies" };
    let pip = Place { key: "dependencies.pip", ..conda };
    for item in root.get("dependencies").into_iter().flat_map(|list| list.items()) {
        if let Some(text) = item.text() {
            to.conda(&text, conda);
        }
        for text in item.get("pip").into_iter().flat_map(|list| list.items()).filter_map(Node::text) {
            to.pip_line(&text, pip);
        }
    }
    to.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - 'numpy >=1'\n  - pip:\n    - requests==2.32.0\n    - -r requirements.txt\n    - git+https://x/y@main#egg=z\n";

    #[test]
    fn packages_of_both_kinds_are_read() {
        let mut sources = Sources::default();
        let id = sources.add("environment.yml", TEXT);
        let mut facts = Facts::of(id, "conda environment");
        read(sources.get(id), &sources, &mut facts);
        let names: Vec<(&str, &str)> =
            facts.references.iter().map(|r| (r.subject.ecosystem.name(), r.subject.name.as_str())).collect();
        assert_eq!(names, [("conda", "python"), ("conda", "numpy"), ("pypi", "requests"), ("pypi", "z")]);
        assert_eq!(&TEXT[facts.references[1].site.version.unwrap().at.span.range()], ">=1");
        assert_eq!(facts.manifests[0].includes[0].path.text, "requirements.txt");
    }

    #[test]
    fn other_lists_of_dependencies_are_told_apart() {
        assert!(sniff(TEXT));
        assert!(sniff("dependencies:\n- pip:\n  - a\n"));
        assert!(!sniff("apiVersion: v2\ndependencies:\n  - name: redis\n    version: 1\n"));
        assert!(!sniff("dependencies:\n  - role: x\n"));
        assert!(!sniff("build:\n  dependencies:\n  - x\n"));
        assert!(!sniff("dependencies:\n  - lint\n  - build\n"));
    }
}

//! `tox.ini` and `tox.toml`: what test environments install and run. Knows no plugin but tox-docker.

mod native;

use super::requires::{Collector, tox};
use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::manifest::{Manifest, ManifestKind};
use crate::model::source::{Source, Sources};
use crate::syntax::{ini, toml};

/// The format.
pub static FORMAT: Format = Format { name: "tox", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let variant = name.starts_with("tox-") && name.ends_with(".ini");
    if matches!(name, "tox.ini" | "tox.toml") || variant { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let manifest = Manifest::new(ManifestKind::Tox, source.whole());
    if source.path.ends_with(".toml") {
        let tree = toml::parse(source.id, &source.text);
        tree.report(facts);
        let mut to = Collector { facts, manifest };
        if let Some(root) = tree.root() {
            native::read(root, source, &mut to);
        }
        return to.finish();
    }
    let ini = ini::parse(source.id, &source.text);
    ini.report(facts);
    let mut to = Collector { facts, manifest };
    tox::read(&ini, "tox", source, &mut to);
    for line in ini.get("pytest", "addopts").into_iter().flat_map(|entry| entry.items()) {
        to.manifest.settings.push(("pytest.addopts".to_string(), line.clone()));
    }
    to.finish();
}

#[cfg(test)]
mod tests;

//! pytest's own configuration files. Reads the settings that rules look at, nothing more.

use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::manifest::{Manifest, ManifestKind};
use crate::model::source::{Source, Sources};
use crate::syntax::ini::{self, Entry};

/// The format.
pub static FORMAT: Format = Format { name: "pytest configuration", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "pytest.ini" | ".pytest.ini") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let ini = ini::parse(source.id, &source.text);
    ini.report(facts);
    let mut manifest = Manifest::new(ManifestKind::Pytest, source.whole());
    for line in ini.get("pytest", "addopts").into_iter().flat_map(Entry::items) {
        manifest.settings.push(("pytest.addopts".to_string(), line.clone()));
    }
    facts.manifests.push(manifest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addopts_is_a_setting_line_by_line() {
        let mut sources = Sources::default();
        let id = sources.add("pytest.ini", "[pytest]\naddopts =\n    -q\n    --reruns 3\n");
        let mut facts = Facts::of(id, "pytest configuration");
        read(sources.get(id), &sources, &mut facts);
        let settings: Vec<&str> = facts.manifests[0].settings.iter().map(|(_, text)| text.text.as_str()).collect();
        assert_eq!(settings, ["-q", "--reruns 3"]);
    }
}

//! Python scripts that say what they need in a comment block (PEP 723). Reads nothing else of them.

use super::requires::{Collector, script_block};
use super::{Claim, Format};
use crate::model::facts::Facts;
use crate::model::manifest::{Manifest, ManifestKind};
use crate::model::source::{Source, Sources};
use crate::syntax::python;

/// The format.
pub static FORMAT: Format = Format { name: "inline script", claims, sniff: python::has_script_metadata, read };

/// Folders of scripts; elsewhere only files near the root are opened, because most Python files are a package's.
const FOLDERS: [&str; 10] = ["scripts", "script", "tools", "bin", "ci", ".ci", "dev", "examples", ".github", "utils"];

fn claims(path: &str) -> Claim {
    let python = path.ends_with(".py");
    let depth = path.matches('/').count();
    let known = || path.split('/').any(|part| FOLDERS.contains(&part));
    if python && (depth <= 1 || known()) { Claim::Maybe } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::InlineScript, source.whole()) };
    script_block(source, &mut to);
    to.finish();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn the_block_is_a_manifest() {
        let text = "#!/usr/bin/env -S uv run --script\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"requests>=2\",\n#   \"rich==13.7.0\",\n# ]\n# [tool.uv]\n# exclude-newer = \"2024-01-01T00:00:00Z\"\n# ///\nimport requests\n";
        let facts = facts_of(&FORMAT, "scripts/x.py", text);
        assert_eq!(names(&facts), ["requests:>=2", "rich:==13.7.0"]);
        let slot = facts.references[0].site.version.unwrap();
        assert_eq!(&text[slot.at.span.range()], ">=2");
        assert_eq!(facts.manifests[0].requires_python.as_ref().unwrap().text, ">=3.11");
    }

    #[test]
    fn files_of_packages_are_not_opened() {
        assert_eq!(claims("src/a/b/c/d.py"), Claim::No);
        assert_eq!(claims("a/tools/b/c/d.py"), Claim::Maybe);
        assert_eq!(claims("x.py"), Claim::Maybe);
    }
}

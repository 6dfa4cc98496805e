//! pixi's workspaces: `pixi.toml` and the same tables below `[tool.pixi]`. Knows no lock.
//!
//! Source: pixi's documentation, "Manifest reference".

use super::requires::pixi;
use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::source::{Source, Sources};
use crate::syntax::toml;

/// The format.
pub static FORMAT: Format = Format { name: "pixi", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "pixi.toml" { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root() else { return };
    let manifest = pixi::tables(root, "pixi", facts, source);
    facts.manifests.push(manifest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::facts_of;

    #[test]
    fn indexes_are_those_of_the_options_and_of_single_packages() {
        let text = "[workspace]\nname = \"x\"\n[pypi-options]\nindex-url = \"https://a/simple\"\nextra-index-urls = [\"https://b/simple\"]\n\
                    [feature.t.pypi-dependencies]\nnumpy = { index = \"https://c/simple\", version = \"*\" }\n";
        let facts = facts_of(&FORMAT, "pixi.toml", text);
        let urls: Vec<&str> = facts.manifests[0].indexes.iter().map(|index| index.url.as_str()).collect();
        assert_eq!(urls, ["https://a/simple", "https://b/simple", "https://c/simple"]);
        assert!(facts.manifests[0].indexes.iter().all(|index| index.explicit));
    }
}

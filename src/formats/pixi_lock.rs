//! `pixi.lock`. Judges no freshness.

use super::{Claim, Format, by_path};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Hashed, Lock, LockTool, LockedPackage, Statement};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "pixi lock", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    if path.rsplit('/').next() == Some("pixi.lock") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let format = root.get("version").and_then(Node::str).unwrap_or("").to_string();
    let known = matches!(format.as_str(), "3" | "4" | "5" | "6" | "7");
    if !known {
        let what = format!("pixi.lock has version `{format}`, which is not known here; what it says is not used");
        facts.problem(ProblemKind::Opaque, source.top(), what);
    }
    let packages = root.get("packages").into_iter().flat_map(|list| list.items()).filter_map(package).collect();
    let statement = Statement::default();
    facts.locks.push(Lock { tool: LockTool::Pixi, at: source.whole(), format, known, packages, statement });
}

fn package(node: Node) -> Option<LockedPackage> {
    let text = |key: &str| node.get(key).and_then(Node::str).unwrap_or("");
    // Up to version 5 an entry has a `kind`, then the kind is the key of its place.
    let place = ["pypi", "conda"].iter().find_map(|key| node.get(key)).or_else(|| node.get("url"));
    let url = place.and_then(Node::str).unwrap_or("");
    let python = node.get("pypi").is_some() || text("kind") == "pypi";
    let (of_file, version_of_file) = file(url).unwrap_or(("", ""));
    let name = if text("name").is_empty() { of_file } else { text("name") };
    let version = if text("version").is_empty() { version_of_file } else { text("version") };
    let hashed = match () {
        _ if !url.contains("://") => Hashed::NotApplicable,
        _ if node.get("sha256").or_else(|| node.get("md5")).is_some() => Hashed::All,
        _ => Hashed::None,
    };
    let name = if python { pypi::normalize(name) } else { name.to_lowercase() };
    let at = node.get("name").or(place).unwrap_or(node).at();
    (!name.is_empty()).then(|| LockedPackage { name, version: version.to_string(), hashed, at })
}

/// Name and version in the file name of a conda package.
fn file(url: &str) -> Option<(&str, &str)> {
    let file = url.rsplit('/').next()?;
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let mut parts = stem.rsplitn(3, '-');
    let (_, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn both_kinds_of_packages_are_read() {
        let text = "version: 6\npackages:\n- conda: https://c/conda-forge/noarch/pip-25.0-pyh_0.conda\n  sha256: aa\n\
                    - pypi: https://f/x.whl\n  name: My_Pkg\n  version: 1.0\n  sha256: bb\n- pypi: ./local\n  name: own\n";
        let source = Source::new(SourceId(0), "pixi.lock", text);
        let mut facts = Facts::of(source.id, FORMAT.name);
        read(&source, &Sources::default(), &mut facts);
        let packages = &facts.locks[0].packages;
        assert_eq!((packages[0].name.as_str(), packages[0].version.as_str()), ("pip", "25.0"));
        assert_eq!((packages[1].name.as_str(), packages[1].version.as_str()), ("my-pkg", "1.0"));
        assert_eq!(packages[2].hashed, Hashed::NotApplicable);
    }
}

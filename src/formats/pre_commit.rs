//! pre-commit's configuration: hook repositories, what is installed beside them, and the interpreters they ask for. Knows no hook.
//!
//! <https://pre-commit.com/#adding-pre-commit-plugins-to-your-project>

mod packages;

use super::{Claim, Format, by_path};
use crate::ecosystems::{git, oci, pypi, toolchain};
use crate::model::facts::{Facts, Updater};
use crate::model::manifest::{Entry, Group, Manifest, ManifestKind};
use crate::model::reference::{Origin, Reference, Role};
use crate::model::source::{Source, Sources};
use crate::model::text::Text;
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "pre-commit", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, ".pre-commit-config.yaml" | ".pre-commit-config.yml") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|_| tree.template.is_none()) else { return };
    let mut reader = Reader { manifest: Manifest::new(ManifestKind::PreCommit, source.whole()), facts };
    for (language, version) in root.get("default_language_version").into_iter().flat_map(Node::entries) {
        let Some(language) = language.str() else { continue };
        reader.language_version(language, version, &format!("default_language_version.{language}"));
    }
    for (index, repo) in root.get("repos").into_iter().flat_map(Node::items).enumerate() {
        reader.repo(repo, &format!("repos[{index}]"));
    }
    let manifest = reader.manifest;
    facts.manifests.push(manifest);
    if let Some((key, _)) = root.entry("ci") {
        let (name, ecosystems) = ("pre-commit.ci".to_string(), vec!["pre-commit".to_string()]);
        facts.updaters.push(Updater { name, ecosystems, at: key.at(), cooldown_days: None, cooldown_except: Vec::new() });
    }
}

struct Reader<'r> {
    manifest: Manifest,
    facts: &'r mut Facts,
}

impl Reader<'_> {
    fn repo(&mut self, repo: Node, key: &str) {
        let Some(url) = repo.get("repo").and_then(Node::text) else { return };
        let hooks: Vec<Node> = repo.get("hooks").into_iter().flat_map(Node::items).collect();
        let ids: Vec<&str> = hooks.iter().filter_map(|hook| hook.get("id")?.str()).collect();
        // These come with pre-commit itself or stand in this file.
        let own = matches!(url.text.as_str(), "local" | "meta" | "builtin");
        if !own {
            let reference = hook_repository(&url, repo, &format!("{key}.hooks.{}", ids.join("+")));
            self.facts.push(reference);
        }
        for hook in hooks {
            let id = hook.get("id").and_then(Node::str).unwrap_or("");
            self.hook(hook, &url.text, id, &format!("{key}.hooks.{id}"));
        }
    }

    fn hook(&mut self, hook: Node, url: &str, id: &str, key: &str) {
        let language = hook.get("language").and_then(Node::str);
        if language == Some("docker_image") {
            self.docker_image(hook, key);
        }
        if let Some(version) = hook.get("language_version") {
            self.language_version(language.unwrap_or("python"), version, &format!("{key}.language_version"));
        }
        let Some(packages) = hook.get("additional_dependencies") else { return };
        let texts: Vec<Text> = packages.items().filter_map(Node::text).collect();
        let kind = packages::kind(language, url, &texts);
        for text in texts {
            let key = format!("{key}.additional_dependencies");
            let Some(reference) = packages::read(kind, &text, &key) else { continue };
            let reference = self.facts.push(reference);
            self.manifest.entries.push(Entry { reference, group: Group::Named(id.to_string()) });
        }
    }

    /// `entry: --entrypoint x image:tag args` of a hook that runs an image: options first, then the image.
    fn docker_image(&mut self, hook: Node, key: &str) {
        let Some(entry) = hook.get("entry").and_then(Node::text) else { return };
        let mut words = entry.text.split_whitespace();
        while let Some(word) = words.next() {
            if word.starts_with('-') {
                // `--entrypoint x` takes the next word, `--entrypoint=x` does not.
                let _ = (!word.contains('=')).then(|| words.next());
                continue;
            }
            let start = word.as_ptr() as usize - entry.text.as_ptr() as usize;
            let part = start..start + word.len();
            let at = entry.place(part);
            let text = Text { text: word.to_string(), at, verbatim: entry.verbatim };
            if let Some(reference) = oci::image(&text, Role::ScriptImage, &format!("{key}.entry")) {
                self.facts.push(reference);
            }
            return;
        }
    }

    fn language_version(&mut self, language: &str, version: Node, key: &str) {
        // `system` and `default` take what the machine has: no version is meant.
        let Some(text) = version.text().filter(|text| !matches!(text.text.as_str(), "system" | "default")) else { return };
        if language == "python" {
            self.facts.push(toolchain::python(&text, Role::Python, key));
            self.manifest.python_versions.push(text);
        } else {
            self.facts.push(toolchain::tool(language, &text, Role::Toolchain, key));
        }
    }
}

/// A hook repository, held by its `rev`. A path on the machine is this repository's own affair.
fn hook_repository(url: &Text, repo: Node, key: &str) -> Reference {
    let name = git::name_of(&url.text);
    let mut reference = match repo.get("rev").and_then(|rev| Some((rev, rev.text()?))) {
        Some((rev, text)) => {
            let mut reference = git::pinned_at(&name, &text, rev.comment(), Role::Hook, key);
            git::note_after(&mut reference, rev.whole());
            reference
        }
        None => {
            let mut reference = Reference::new(crate::model::reference::Ecosystem::Git, name, Role::Hook, url.at);
            reference.key = key.to_string();
            reference
        }
    };
    if url.text.starts_with(['.', '/', '~']) {
        reference.origin = Origin::Path(url.text.clone());
    } else if url.text.contains(':') && !url.text.starts_with("https://") {
        // The name alone would lead to another address.
        reference.origin = Origin::Vcs(pypi::without_credentials(&url.text));
    }
    reference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};
    use crate::model::pin::Strength;
    use crate::model::reference::Ecosystem;

    const TEXT: &str = "ci: {autofix_prs: false}\ndefault_language_version:\n  python: python3.11\n  node: 20.1.0\nrepos:\n- repo: https://github.com/astral-sh/ruff-pre-commit\n  \
                        rev: 'v0.5.0'  # why\n  hooks:\n  - id: ruff\n    args: [--fix]\n  - id: ruff-format\n- repo: https://github.com/a/mypy\n  \
                        rev: 11bd71901bbe5b1630ceea73d27597364c9af683  # frozen: v1.2.0\n  hooks:\n  - id: mypy\n    additional_dependencies: [types-x, 'attrs==23.1.0', .]\n\
                        - repo: local\n  hooks:\n  - id: e\n    language: node\n    additional_dependencies: ['eslint@8.1.0', '@types/x@^1', prettier]\n  \
                        - id: d\n    language: docker_image\n    entry: --entrypoint=x hadolint/hadolint:v2.1.0 hadolint\n- repo: meta\n  hooks: [{id: check-hooks-apply}]\n";

    #[test]
    fn hooks_and_what_is_beside_them_are_read() {
        let facts = facts_of(&FORMAT, ".pre-commit-config.yaml", TEXT);
        assert!(facts.problems.is_empty(), "{:?}", facts.problems);
        let sha = "a/mypy@11bd71901bbe5b1630ceea73d27597364c9af683";
        let want = ["python:python3.11", "node:20.1.0", "astral-sh/ruff-pre-commit:v0.5.0", sha, "types-x", "attrs:==23.1.0"];
        assert_eq!(names(&facts)[..6], want);
        let keys: Vec<_> = facts.references.iter().map(|reference| reference.key.as_str()).collect();
        assert_eq!(keys[2], "repos[0].hooks.ruff+ruff-format");
        assert_eq!(keys[4], "repos[1].hooks.mypy.additional_dependencies");
        assert_eq!(facts.references[3].noted.as_deref(), Some("v1.2.0"));
        assert_eq!(facts.references[3].strength, Some(Strength::Immutable));
        let note = facts.references[2].site.note.unwrap();
        assert_eq!(TEXT[..note.at.span.start as usize].chars().last(), Some('\''));
        assert_eq!(facts.updaters[0].name, "pre-commit.ci");
        let of = |ecosystem| {
            let found = facts.references.iter().filter(move |reference| reference.subject.ecosystem == ecosystem);
            found.map(|reference| (reference.subject.name.as_str(), reference.strength)).collect::<Vec<_>>()
        };
        let npm = of(Ecosystem::Npm);
        assert_eq!(npm.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["eslint", "@types/x", "prettier"]);
        assert_eq!((npm[0].1, npm[2].1), (Some(Strength::Exact), Some(Strength::Unspecified)));
        assert_eq!(of(Ecosystem::Oci), [("hadolint/hadolint", Some(Strength::Exact))]);
    }
}

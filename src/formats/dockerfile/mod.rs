//! Dockerfiles and Containerfiles as image builds: stages, base images, copies from images, and the commands that build them.
//! Does not know who builds them, nor what `--build-arg` says.

mod script;
mod stages;

use super::{Claim, Format};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};

/// The format.
pub static FORMAT: Format = Format { name: "dockerfile", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let names = ["dockerfile", "containerfile"];
    if names.contains(&name.as_str()) || names.iter().any(|word| name.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'))) {
        return Claim::Yes;
    }
    let behind = |word: &&str| name.strip_prefix(*word).is_some_and(|rest| rest.starts_with(['.', '-', '_']));
    let before = |word: &&str| name.strip_suffix(*word).is_some_and(|rest| rest.ends_with(['-', '_']));
    let within = |word: &&str| name.contains(&format!(".{word}."));
    let other = ["md", "rst", "txt", "py", "sh", "yml", "yaml", "json", "lock", "html", "dockerignore", "toml", "license"];
    let is_other = other.iter().any(|word| name.rsplit('.').next() == Some(word));
    let named = names.iter().any(|word| behind(word) || before(word) || within(word));
    if named && !is_other { Claim::Maybe } else { Claim::No }
}

/// Whether a line begins a stage.
fn sniff(text: &str) -> bool {
    let is_from = |line: &str| line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("from")) && line.as_bytes().get(4) == Some(&b' ');
    text.lines().take(2000).any(|line| is_from(line.trim_start()))
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    match template_mark(source) {
        Some(at) => facts.problem(
            ProblemKind::Template,
            at,
            "this Dockerfile is a template of another language and was not read; check the rendered file",
        ),
        None => stages::read(source, facts),
    }
}

/// The first sign of a template engine: a line that begins with its marks, or marks in an image name.
fn template_mark(source: &Source) -> Option<Location> {
    let mut offset = 0;
    for line in source.text.split_inclusive('\n') {
        let bare = line.trim_start();
        let is_from = bare.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("from "));
        let opens = ["{%", "{{", "{#", "<%", "@@"].iter().any(|mark| bare.starts_with(mark));
        if opens || is_from && (bare.contains("{{") || bare.contains("<%") || bare.contains("{%")) {
            let start = offset + line.len() - bare.len();
            return Some(Location::new(source.id, Span::new(start, start + bare.trim_end().len())));
        }
        offset += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_claimed_by_name() {
        let rows = [
            ("Dockerfile", Claim::Yes),
            ("a/b/Containerfile", Claim::Yes),
            ("docker/ci.Dockerfile", Claim::Yes),
            ("x.dockerfile", Claim::Yes),
            ("Dockerfile.dev", Claim::Maybe),
            ("Dockerfile-dev", Claim::Maybe),
            ("Dockerfile_ubi9", Claim::Maybe),
            ("Dockerfile.j2", Claim::Maybe),
            ("pipeline.Dockerfile.j2", Claim::Maybe),
            ("Dockerfile.md", Claim::No),
            ("Dockerfile.dockerignore", Claim::No),
            (".dockerignore", Claim::No),
            ("dockerfiles/x", Claim::No),
        ];
        for (path, want) in rows {
            assert_eq!(claims(path), want, "{path}");
        }
    }

    #[test]
    fn templates_are_said_and_not_read() {
        for text in ["{% if x %}\nFROM a:1\n", "FROM {{ image }}\nRUN pip install x\n"] {
            let mut sources = Sources::default();
            let id = sources.add("Dockerfile.j2", text);
            let mut facts = Facts::of(id, "dockerfile");
            read(sources.get(id), &sources, &mut facts);
            assert_eq!(facts.problems.len(), 1);
            assert!(facts.references.is_empty() && facts.builds.is_empty());
        }
    }
}

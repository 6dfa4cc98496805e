//! Files that name versions of interpreters and tools: `.python-version`, `.tool-versions`, mise, `runtime.txt`. Installs nothing.
//!
//! Sources: the documentation of pyenv, asdf, mise and Heroku's Python buildpack.

use super::{Claim, Format, by_path};
use crate::ecosystems::toolchain;
use crate::model::facts::Facts;
use crate::model::manifest::{Entry, Group, Manifest, ManifestKind};
use crate::model::reference::{Reference, Role};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};
use crate::model::text::Text;
use crate::syntax::toml;
use crate::syntax::tree::Node;

/// The format.
pub static FORMAT: Format = Format { name: "tool versions", claims, sniff: by_path, read };

/// Files that hold the version of one tool, and that tool.
const SINGLE: [(&str, &str); 6] = [
    (".python-version", "python"),
    (".node-version", "node"),
    (".nvmrc", "node"),
    (".ruby-version", "ruby"),
    (".terraform-version", "terraform"),
    (".go-version", "go"),
];

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let several = matches!(name, ".tool-versions" | "mise.toml" | ".mise.toml" | "runtime.txt" | "uv.toml");
    let mise = path.ends_with(".config/mise.toml") || path.ends_with("mise/config.toml");
    let single = SINGLE.iter().any(|(file, _)| *file == name);
    if several || mise || single { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let name = source.file_name();
    let references = match SINGLE.iter().find(|(file, _)| *file == name) {
        Some((_, tool)) => single(source, tool),
        None if name == ".tool-versions" => tool_versions(source),
        None if name == "runtime.txt" => runtime(source),
        None if name == "uv.toml" => uv(source, facts),
        None => mise(source, facts),
    };
    let mut manifest = Manifest::new(ManifestKind::ToolVersions, source.whole());
    for reference in references {
        let reference = facts.push(reference);
        manifest.entries.push(Entry { reference, group: Group::Main });
    }
    facts.manifests.push(manifest);
}

/// `required-version`: what uv itself, and the action that installs it, go by.
fn uv(source: &Source, facts: &mut Facts) -> Vec<Reference> {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let version = tree.root().and_then(|root| root.get("required-version")).and_then(Node::text);
    version.map(|text| reference("uv", &text, "required-version")).into_iter().collect()
}

fn reference(tool: &str, text: &Text, key: &str) -> Reference {
    match tool {
        "python" => toolchain::python(text, Role::Python, key),
        _ => toolchain::tool(tool, text, Role::Toolchain, key),
    }
}

/// Words of the lines that say something, with their places.
fn lines(source: &Source) -> impl Iterator<Item = Vec<Text>> {
    (0..source.line_count()).map(|line| {
        let text = source.line_text(line);
        let start = source.line_span(line).range().start;
        let text = text.split('#').next().unwrap_or("");
        let mut words = Vec::new();
        let mut at = 0;
        for part in text.split([' ', '\t', '\u{feff}']) {
            let from = at + text[at..].find(part).unwrap_or(0);
            at = from + part.len();
            if !part.is_empty() {
                let span = Span::new(start + from, start + at);
                words.push(Text { text: part.to_string(), at: Location::new(source.id, span), verbatim: true });
            }
        }
        words
    })
}

fn single(source: &Source, tool: &str) -> Vec<Reference> {
    lines(source).flatten().map(|text| reference(tool, &text, tool)).collect()
}

fn tool_versions(source: &Source) -> Vec<Reference> {
    let read = |words: Vec<Text>| {
        let name = words.first().map_or(String::new(), |name| canonical(&name.text));
        words.into_iter().skip(1).map(|text| reference(&name, &text, &name)).collect::<Vec<_>>()
    };
    lines(source).flat_map(read).collect()
}

/// `python-3.11.4`; other buildpacks write other names.
fn runtime(source: &Source) -> Vec<Reference> {
    let words = lines(source).flatten().take(1);
    let read = |text: Text| {
        let (name, version) = text.text.split_once('-')?;
        let starts = version.starts_with(|c: char| c.is_ascii_digit());
        let at = text.place(name.len() + 1..text.text.len());
        let part = Text { text: version.to_string(), at, verbatim: true };
        starts.then(|| reference(name, &part, "runtime"))
    };
    words.filter_map(read).collect()
}

fn mise(source: &Source, facts: &mut Facts) -> Vec<Reference> {
    let tree = toml::parse(source.id, &source.text);
    tree.report(facts);
    let mut references = Vec::new();
    for (key, value) in tree.root().and_then(|root| root.get("tools")).into_iter().flat_map(|tools| tools.entries()) {
        let Some(written) = key.str() else { continue };
        let name = canonical(written);
        let values: Vec<Node> = match value.is_map() {
            true => value.get("version").into_iter().collect(),
            false => value.list().map(|item| item.get("version").unwrap_or(item)).collect(),
        };
        let texts = values.into_iter().filter_map(Node::text);
        references.extend(texts.map(|text| reference(&name, &text, &format!("tools.{written}"))));
    }
    references
}

/// The usual name of a tool that several managers spell in their own way.
fn canonical(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "nodejs" => "node".to_string(),
        "golang" => "go".to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<(String, String)> {
        let mut sources = Sources::default();
        let id = sources.add(path, text);
        let mut facts = Facts::of(id, "tool versions");
        read(sources.get(id), &sources, &mut facts);
        let slot = |reference: &Reference| text[reference.site.version.unwrap().at.span.range()].to_string();
        facts.references.iter().map(|reference| (reference.subject.name.clone(), slot(reference))).collect()
    }

    #[test]
    fn every_file_gives_tools_with_versions() {
        let pair = |name: &str, version: &str| (name.to_string(), version.to_string());
        assert_eq!(names(".python-version", "3.12\n3.11.4\n"), [pair("python", "3.12"), pair("python", "3.11.4")]);
        assert_eq!(names(".tool-versions", "# x\nnodejs 20.1.0\npython 3.12 3.11\n").len(), 3);
        assert_eq!(names("runtime.txt", "python-3.11.4\n"), [pair("python", "3.11.4")]);
        assert_eq!(names("mise.toml", "[tools]\npython = '3.12'\nnode = ['20', '22']\nuv = {version='latest'}\n").len(), 4);
    }
}

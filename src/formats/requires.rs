//! Lists and tables of requirements, as several formats hold them. Is no format itself and claims no file.

pub mod pixi;
mod script;
pub mod tox;

pub use script::script_block;

use crate::ecosystems::{conda, git, pypi, toolchain};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::manifest::{Entry, Group, Include, Index, Manifest};
use crate::model::reference::{Origin, Reference, Role, Slot};
use crate::model::span::Location;
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// What goes for a whole list: what its requirements are for, their group, the structural key.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What for.
    pub role: Role,
    /// In which group.
    pub group: &'a Group,
    /// Structural key path of the list.
    pub key: &'a str,
}

/// Collects requirements into facts and a manifest.
pub struct Collector<'f> {
    /// Where references and problems go.
    pub facts: &'f mut Facts,
    /// Where entries, includes and indexes go.
    pub manifest: Manifest,
}

impl Collector<'_> {
    /// Takes a reference as an entry of `group`.
    pub fn push(&mut self, reference: Reference, group: &Group) {
        let reference = self.facts.push(reference);
        self.manifest.entries.push(Entry { reference, group: group.clone() });
    }

    /// A list of PEP 508 texts; items that are no texts are somebody else's.
    pub fn pep508_list(&mut self, list: Node, place: Place) {
        for text in list.list().filter_map(Node::text) {
            self.pep508(&text, place);
        }
    }

    /// One PEP 508 text.
    pub fn pep508(&mut self, text: &Text, place: Place) {
        self.read(pypi::requirement(text, place.role, place.key), text, place.group);
    }

    fn read(&mut self, found: Result<Reference, String>, text: &Text, group: &Group) {
        match found {
            Ok(reference) => self.push(reference, group),
            Err(why) => self.refused(text, &why),
        }
    }

    /// What cannot be read as a requirement is a problem: a place to fill in, or a mistake.
    pub fn refused(&mut self, text: &Text, why: &str) {
        if text.text.trim().is_empty() {
            return;
        }
        let kind = if pypi::is_computed(&text.text) { ProblemKind::Opaque } else { ProblemKind::Unreadable };
        self.facts.problem(kind, text.at, format!("this is no requirement: {why}"));
    }

    /// A line as pip takes it on its command line or in a requirements file: `-r x`, `-c x`, `-e x`, an index, or a requirement.
    pub fn pip_line(&mut self, line: &Text, place: Place) {
        let words =
            ["--requirement", "--constraint", "--editable", "--extra-index-url", "--index-url", "-r", "-c", "-e", "-i"];
        let Some(option) = words.iter().find(|option| line.text.starts_with(**option)) else {
            if !line.text.starts_with('-') {
                self.pep508(&up_to_options(line), place);
            }
            return;
        };
        let rest = &line.text[option.len()..];
        let start = option.len() + (rest.len() - rest.trim_start_matches([' ', '=', '\t']).len());
        let text = line.text[start..].trim_end();
        let value = Text { text: text.to_string(), at: line.place(start..start + text.len()), verbatim: line.verbatim };
        match *option {
            "-r" | "--requirement" => self.include(value, false, place.group),
            "-c" | "--constraint" => self.include(value, true, place.group),
            "-e" | "--editable" => self.read(pypi::editable(&value, place.role, place.key), &value, place.group),
            _ => self.index(None, &value, option.contains("extra"), false),
        }
    }

    /// A file that is pulled in.
    pub fn include(&mut self, path: Text, constraint: bool, group: &Group) {
        if !path.text.is_empty() {
            self.manifest.includes.push(Include { path, constraint, group: group.clone() });
        }
    }

    /// A package index.
    pub fn index(&mut self, name: Option<String>, url: &Text, extra: bool, explicit: bool) {
        let (url, at) = (pypi::without_credentials(&url.text), url.at);
        self.manifest.indexes.push(Index { name, url, at, extra, explicit });
    }

    /// A table of packages in poetry's and pipenv's manner: `name = "^1"`, `name = { version, git, path, url … }`, or a list of such.
    pub fn package_table(&mut self, table: Node, place: Place) {
        for (key, value) in table.entries() {
            let Some(name) = key.str() else { continue };
            let key = format!("{}.{name}", place.key);
            let place = Place { key: &key, ..place };
            let alternatives: Vec<Node> = if value.is_seq() { value.items().collect() } else { vec![value] };
            for alternative in alternatives {
                self.package(name, alternative, place);
            }
        }
    }

    /// One package of such a table.
    pub fn package(&mut self, name: &str, value: Node, place: Place) {
        let at = value.whole();
        let version = if value.is_map() { value.get("version") } else { Some(value) }.and_then(Node::text);
        let mut reference = match &version {
            Some(version) => pypi::poetry_requirement(name, version, at, place.role, place.key),
            None => {
                let mut bare =
                    Reference::new(crate::model::reference::Ecosystem::Pypi, pypi::normalize(name), place.role, at);
                bare.key = place.key.to_string();
                bare
            }
        };
        if value.is_map() {
            source_into(&mut reference, value);
            let extras = value.get("extras").into_iter().flat_map(|extras| extras.items()).filter_map(Node::str);
            reference.extras = extras.map(pypi::normalize).collect();
            reference.extras.sort();
            reference.marker = value.get("markers").and_then(Node::str).map(str::to_string);
            let optional = value.get("optional").and_then(Node::bool) == Some(true);
            if optional && place.role == Role::Runtime {
                reference.role = Role::Extra;
            }
        }
        self.push(reference, place.group);
    }

    /// A table of conda packages in pixi's and conda-lock's manner: `name = "1.*"`, `name = { version, build, channel }`.
    pub fn conda_table(&mut self, table: Node, place: Place) {
        for (key, value) in table.entries() {
            let Some(name) = key.str() else { continue };
            let key = format!("{}.{name}", place.key);
            let version = if value.is_map() { value.get("version") } else { Some(value) }.and_then(Node::text);
            let local = value.get("path").is_some() || value.get("git").is_some() || value.get("url").is_some();
            let mut reference = match version.filter(|_| !local) {
                Some(version) => conda::named(name, &version, place.role, &key),
                None => {
                    let ecosystem = crate::model::reference::Ecosystem::Conda;
                    let mut bare = Reference::new(ecosystem, name.to_ascii_lowercase(), place.role, value.whole());
                    bare.key = key;
                    source_into(&mut bare, value);
                    bare
                }
            };
            reference.site.whole = value.whole();
            self.push(reference, place.group);
        }
    }

    /// One conda match specification.
    pub fn conda(&mut self, text: &Text, place: Place) {
        match conda::requirement(text, place.role, place.key) {
            Ok(reference) => self.push(reference, place.group),
            Err(why) => self.refused(text, &why),
        }
    }

    /// A Python interpreter.
    pub fn python(&mut self, text: &Text, key: &str) {
        let reference = toolchain::python(text, Role::Python, key);
        self.push(reference, &Group::Main);
    }

    /// A setting that rules look at; a list gives one each.
    pub fn setting(&mut self, name: &str, value: Node) {
        self.manifest.settings.extend(value.list().filter_map(Node::text).map(|text| (name.to_string(), text)));
    }

    /// Ends the manifest.
    pub fn finish(self) {
        self.facts.manifests.push(self.manifest);
    }
}

/// The requirement of a line without pip's options behind it.
fn up_to_options(line: &Text) -> Text {
    let end = line.text.find(" --").unwrap_or(line.text.len());
    let text = line.text[..end].trim_end();
    Text { text: text.to_string(), at: line.place(0..text.len()), verbatim: line.verbatim }
}

/// Where a package comes from by a table of `git`, `branch`, `tag`, `rev`, `ref`, `path`, `file`, `url`, `workspace`.
pub fn source_into(reference: &mut Reference, table: Node) {
    let said = |key: &str| table.get(key).and_then(Node::text);
    if let Some(url) = said("git") {
        let rev = ["rev", "tag", "branch", "ref"].iter().find_map(|key| Some((*key, said(key)?)));
        hold_by_ref(reference, &url, rev, table.whole());
        return;
    }
    let local = said("path").or_else(|| said("file"));
    let member = table.get("workspace").and_then(Node::bool) == Some(true);
    if local.is_some() || member {
        let path = local.map_or_else(|| reference.subject.name.clone(), |path| path.text);
        reference.strength = Some(crate::model::pin::Strength::Immutable);
        reference.origin = Origin::Path(path);
        reference.site.version = None;
        return;
    }
    if let Some(url) = said("url")
        && let Ok(read) = pypi::requirement(&url, reference.role, "")
    {
        reference.origin = read.origin;
        reference.strength = read.strength;
        reference.pin = read.pin;
        reference.site.version = None;
    }
}

/// A git source with its ref in a text of its own: the ref is in the digest slot, as everywhere for git.
fn hold_by_ref(reference: &mut Reference, url: &Text, rev: Option<(&str, Text)>, whole: Location) {
    reference.origin = Origin::Vcs(pypi::without_credentials(&url.text));
    reference.site = crate::model::reference::Site::read_only(whole);
    reference.pin = Default::default();
    let Some((key, rev)) = rev else {
        reference.strength = Some(crate::model::pin::Strength::Unspecified);
        return;
    };
    let written = git::ref_strength(&rev.text);
    let floating = crate::model::pin::Strength::Floating(crate::model::pin::Precision::Word);
    // The key says whether it is a branch or a tag, whatever the name looks like.
    reference.strength = Some(match key {
        "branch" => floating,
        "tag" => written.max(crate::model::pin::Strength::Exact),
        _ => written,
    });
    if git::is_commit(&rev.text) {
        reference.pin.digests = vec![rev.text.clone()];
    } else {
        reference.pin.version = Some(rev.text.clone());
    }
    if key == "rev" || key == "ref" {
        reference.site.digest = rev.verbatim.then_some(Slot { at: rev.at, lead: "" });
    }
}

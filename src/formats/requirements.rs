//! pip requirements and constraints files, written by hand or compiled. Knows the grammar of one requirement no better than `pypi` does.

mod compiled;
mod held;
mod names;

use super::requires::{Collector, Place};
use super::{Claim, Format, locked};
use crate::ecosystems::{conda, pypi};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Hashed, Lock, LockTool, LockedPackage, Provenance, Statement};
use crate::model::manifest::{Entry, Group, Include, Index, Manifest, ManifestKind};
use crate::model::pin::Strength;
use crate::model::reference::{Origin, Reference, Role, Slot};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};
use crate::model::text::Text;
use crate::syntax::requirements::{File, Flag, Line, parse};
pub use names::is_handed_over;

/// The format.
pub static FORMAT: Format = Format { name: "requirements", claims: names::claims, sniff: names::sniff, read };

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let file = parse(source.id, &source.text);
    if is_conda_list(&file) {
        return conda_list(&file, source, facts);
    }
    let mut reader = Reader::new(source, &file, facts);
    for line in &file.lines {
        reader.line(line);
    }
    reader.finish(&file, sources);
}

/// `conda install --file` reads lists of match specifications, often of the same name: `name=1.2` is one, and no requirement of pip.
fn is_conda_list(file: &File) -> bool {
    let is_spec = |text: &Text| {
        let len = text.text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count();
        let rest = text.text[len..].trim_start();
        len > 0 && rest.starts_with('=') && !rest.starts_with("==") && conda::strength(rest).is_some()
    };
    let requirement = |line: &Line| line.options.is_empty() && line.requirement.as_ref().is_some_and(is_spec);
    file.lines.iter().any(requirement) && file.lines.iter().all(|line| line.options.is_empty())
}

fn conda_list(file: &File, source: &Source, facts: &mut Facts) {
    let manifest = Manifest::new(ManifestKind::CondaEnvironment, source.whole());
    let mut to = Collector { facts, manifest };
    let role = if names::is_for_development(&source.path) { Role::Dev } else { Role::Runtime };
    let place = Place { role, group: &Group::Main, key: "requirements" };
    for text in file.lines.iter().filter_map(|line| line.requirement.as_ref()) {
        to.conda(text, place);
    }
    to.finish();
}

/// How a text is read: as a requirement, or as the value of `-e`.
type Read = fn(&Text, Role, &str) -> Result<Reference, String>;

struct Reader<'r> {
    source: &'r Source,
    facts: &'r mut Facts,
    manifest: Manifest,
    role: Role,
    packages: Vec<LockedPackage>,
    hashed: usize,
    bad: Vec<(Text, String)>,
    template: bool,
    /// What stands before a hash in this file.
    hash_lead: &'static str,
}

impl<'r> Reader<'r> {
    fn new(source: &'r Source, file: &File, facts: &'r mut Facts) -> Reader<'r> {
        let kind = names::kind(&source.path);
        let role = match kind {
            ManifestKind::Constraints => Role::Constraint,
            _ if names::is_for_development(&source.path) => Role::Dev,
            _ => Role::Runtime,
        };
        let manifest = Manifest::new(kind, source.whole());
        let hash_lead = file.lines.iter().find_map(|line| held::hash_slot(source, line)).map_or(held::HASH, |slot| slot.lead);
        let (packages, bad) = (Vec::new(), Vec::new());
        Reader { source, facts, manifest, role, packages, hashed: 0, bad, template: false, hash_lead }
    }

    fn line(&mut self, line: &Line) {
        let words = self.source.slice(line.at.span);
        if words.contains("{%") || words.contains("{{") {
            self.template(line);
            return;
        }
        if let Some(text) = &line.requirement {
            self.requirement(pypi::requirement, text, line);
            return;
        }
        for flag in &line.options {
            self.option(flag, line);
        }
    }

    fn template(&mut self, line: &Line) {
        if !self.template {
            let text = "the file is a template of another language: lines with `{{` or `{%` are not read";
            self.facts.problem(ProblemKind::Template, line.at, text);
        }
        self.template = true;
    }

    fn option(&mut self, flag: &Flag, line: &Line) {
        let Some(value) = &flag.value else { return };
        match flag.name.as_str() {
            "requirement" | "constraint" => {
                let constraint = flag.name == "constraint";
                self.manifest.includes.push(Include { path: value.clone(), constraint, group: Group::Main });
            }
            "editable" => self.requirement(pypi::editable, value, line),
            "index-url" | "pypi-url" | "extra-index-url" => self.manifest.indexes.push(Index {
                name: None,
                url: pypi::without_credentials(&value.text),
                at: value.at,
                extra: flag.name == "extra-index-url",
                explicit: false,
            }),
            _ => {}
        }
    }

    fn requirement(&mut self, read: Read, text: &Text, line: &Line) {
        let key = "requirements";
        let mut reference = match read(text, self.role, key) {
            Ok(reference) => reference,
            Err(why) => {
                self.bad.push((text.clone(), why));
                return;
            }
        };
        self.hashes(&mut reference, line);
        let exact = matches!(reference.origin, Origin::Registry) && reference.strength >= Some(Strength::Exact);
        let version = reference.pin.version.as_deref().filter(|_| exact).unwrap_or("");
        self.packages.push(held::package(&reference, text, line, version.trim_start_matches('=').trim()));
        let reference = self.facts.push(reference);
        self.manifest.entries.push(Entry { reference, group: Group::Main });
    }

    fn hashes(&mut self, reference: &mut Reference, line: &Line) {
        let hashes: Vec<&Text> =
            line.options.iter().filter(|flag| flag.name == "hash").filter_map(|flag| flag.value.as_ref()).collect();
        let held_otherwise = !matches!(reference.origin, Origin::Registry);
        if hashes.is_empty() {
            self.hashed += usize::from(held_otherwise && reference.strength == Some(Strength::Immutable));
            if !held_otherwise && reference.site.version.is_some() {
                reference.site.digest = Some(Slot { at: reference.site.whole.at_end(), lead: self.hash_lead });
            }
            return;
        }
        self.hashed += 1;
        reference.pin.digests = hashes.iter().map(|hash| hash.text.clone()).collect();
        if !held_otherwise && reference.site.version.is_some() {
            reference.site.digest = held::hash_slot(self.source, line);
        }
        if reference.strength == Some(Strength::Exact) {
            reference.strength = Some(Strength::Immutable);
        }
    }

    fn finish(mut self, file: &File, sources: &Sources) {
        let read = self.manifest.entries.len() + self.manifest.includes.len();
        self.problems(read);
        self.manifest.compiled = compiled::by(file);
        let entries = self.manifest.entries.len();
        self.manifest.hashed = Some(entries > 0 && self.hashed == entries);
        let of_index = |package: &&LockedPackage| matches!(package.from, Provenance::Registry(_));
        let pinned = entries > 0 && self.packages.iter().filter(of_index).all(|package| !package.version.is_empty());
        if self.manifest.compiled.is_none() && self.manifest.kind == ManifestKind::Requirements {
            let input = compiled::is_input(self.source, sources);
            self.manifest.kind = if input { ManifestKind::RequirementsInput } else { ManifestKind::Requirements };
        }
        let hashed = self.manifest.hashed == Some(true);
        // A file that names folders of the repository only is no lock.
        let held = self.packages.iter().any(|package| package.hashed == Hashed::All);
        if self.manifest.compiled.is_some() || hashed && pinned && held {
            self.whole();
            let generator = self.manifest.compiled.as_ref().map(|compiled| compiled.by.clone());
            let statement = Statement { generator, ..Statement::default() };
            let (at, mut packages) = (self.source.whole(), std::mem::take(&mut self.packages));
            held::needs(&mut packages, file);
            let indexes = held::indexes(file);
            let tool = LockTool::Compiled;
            self.facts.locks.push(Lock { tool, at, format: String::new(), known: true, packages, statement, indexes });
        }
        self.facts.manifests.push(self.manifest);
    }

    /// Whether a compiled file ends where its compiler would have ended it.
    fn whole(&mut self) {
        let last_line = self.source.text.lines().last().unwrap_or("");
        let comment = last_line.trim_start().starts_with('#');
        if !comment {
            locked::cut_off(self.source, self.facts);
        }
        if last_line.trim_end().ends_with('\\') {
            locked::incomplete(self.facts, self.source.whole().at_end(), "its last line says that it goes on");
        }
        if let Some(at) = self.source.text.find('\0') {
            let place = Location::new(self.source.id, Span::new(at, at + 1));
            self.facts.problem(ProblemKind::Unreadable, place, "a NUL stands here: this is no text, or a damaged one");
        }
    }

    /// What could not be read is said, unless so much of it that the file is something else under this name.
    fn problems(&mut self, read: usize) {
        let bad = std::mem::take(&mut self.bad);
        if bad.len() > read {
            let text = "most lines are no requirements of pip, so the file is not read as one";
            self.facts.problem(ProblemKind::Opaque, bad[0].0.at, text);
            return;
        }
        for (text, why) in bad {
            let kind = if pypi::is_computed(&text.text) { ProblemKind::Opaque } else { ProblemKind::Unreadable };
            self.facts.problem(kind, text.at, format!("this line is no requirement that pip takes: {why}"));
        }
    }
}

#[cfg(test)]
mod tests;

//! Texts of a workflow to references: the expressions in them put in, one reference per distinct result. Knows no key of a workflow.

use super::known::{Known, Resolved};
use super::matrix::Matrix;
use super::edits::names_a_secret;
use crate::ecosystems::{git, oci, toolchain};
use crate::model::facts::{Facts, ProblemKind, Shared};
use crate::model::pipeline::Setting;
use crate::model::pin::Strength;
use crate::model::reference::{Ecosystem, Origin, Reference, ReferenceId, Role, Slot};
use crate::model::source::{Source, Sources};
use crate::model::span::Location;
use crate::model::script::{Script, Shell};
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use crate::tools;
use std::collections::HashMap;

/// What reads one file. What several jobs have through one anchor is read once.
pub struct Reader<'r> {
    /// The file.
    pub source: &'r Source,
    /// Every file.
    pub sources: &'r Sources,
    /// What was read so far.
    pub facts: &'r mut Facts,
    /// Whether the file can name a secret.
    pub has_secrets: bool,
    references: Shared,
    scripts: HashMap<(Location, Shell, String), Script>,
}

/// What is known around a value: variables and the matrix of its job.
#[derive(Clone, Copy)]
pub struct Around<'a, 't> {
    /// Variables and inputs.
    pub known: &'a Known<'t>,
    /// The matrix of the job.
    pub matrix: &'a Matrix<'t>,
}

impl Around<'_, '_> {
    /// Every text that `text` becomes.
    pub fn resolve(&self, text: &Text) -> Vec<Resolved> {
        self.known.resolve(text, self.matrix)
    }
}

impl<'r> Reader<'r> {
    /// A reader that has seen nothing.
    pub fn new(source: &'r Source, sources: &'r Sources, facts: &'r mut Facts) -> Reader<'r> {
        let has_secrets = names_a_secret(&source.text);
        Reader { source, sources, facts, has_secrets, references: Shared::default(), scripts: HashMap::new() }
    }

    /// Adds a reference, or finds the one that stands at the same place and says the same.
    pub fn push(&mut self, reference: Reference) -> ReferenceId {
        self.references.push(self.facts, reference)
    }

    /// Reads a script, or finds what was read of it.
    pub fn script(&mut self, text: &Mapped, shell: Shell, cwd: &str, key: &str) -> Script {
        let place = (text.at, shell, cwd.to_string());
        if let Some(script) = self.scripts.get(&place) {
            return script.clone();
        }
        let script = tools::read_script(text, shell, cwd, key, self.facts);
        self.scripts.insert(place, script.clone());
        script
    }

    /// Says that a part of the file is not what it should be, and that it was passed over.
    pub fn refuse(&mut self, at: Location, what: &str) {
        self.facts.problem(ProblemKind::Unreadable, at, format!("{what}; this part was not checked"));
    }

    /// Images: `container`, `services`, `docker://`.
    pub fn images(&mut self, text: &Text, role: Role, key: &str, around: Around<'_, '_>) -> Vec<ReferenceId> {
        let mut ids = Vec::new();
        for resolved in around.resolve(text) {
            let Some(mut reference) = oci::image(&resolved.text, role, key) else { continue };
            if !resolved.known {
                reference.site.version = None;
                reference.site.digest = None;
            }
            point_at_member(&mut reference, &resolved, text);
            ids.push(self.push(reference));
        }
        ids
    }

    /// A component: an action, a reusable workflow, an image, or something of this repository.
    pub fn component(&mut self, node: Node<'_>, role: Role, key: &str, around: Around<'_, '_>) -> Option<ReferenceId> {
        let text = node.text()?;
        if text.text.starts_with("docker://") {
            return self.images(&text, Role::CiImage, key, around).first().copied();
        }
        let reference = local(&text, role, key).or_else(|| git::action(&text, node.comment(), role, key));
        let Some(mut reference) = reference else {
            self.refuse(text.at, &format!("`{}` names no action: it should be `owner/repo@ref`", text.text));
            return None;
        };
        git::note_after(&mut reference, node.whole());
        Some(self.push(reference))
    }

    /// Versions of a tool, one per line of the text.
    pub fn versions(&mut self, texts: &[Text], name: &str, role: Role, key: &str, around: Around<'_, '_>) -> Vec<ReferenceId> {
        let mut ids = Vec::new();
        for resolved in texts.iter().flat_map(|text| around.resolve(text)) {
            for line in resolved.text.text.lines().filter(|line| !line.trim().is_empty()) {
                let text = part(&resolved.text, line);
                let mut reference = match role {
                    Role::Python => toolchain::python(&text, role, key),
                    _ => toolchain::tool(name, &text, role, key),
                };
                if !resolved.known {
                    reference.strength = None;
                    reference.site.version = None;
                }
                ids.push(self.push(reference));
            }
        }
        ids
    }

    /// A version that is not written although something is fetched.
    pub fn absent(&mut self, name: &str, role: Role, at: Location, key: &str) -> ReferenceId {
        let mut reference = Reference::new(Ecosystem::Toolchain, name, role, at);
        reference.key = key.to_string();
        self.push(reference)
    }
}

/// `./path`, `$/path` and a workflow of the same repository by its path.
fn local(text: &Text, role: Role, key: &str) -> Option<Reference> {
    let written = text.text.as_str();
    let path = match written.strip_prefix("$/") {
        Some(path) => format!("./{path}"),
        None if written.starts_with("./") || written.starts_with("../") => written.to_string(),
        None => return None,
    };
    let mut reference = Reference::new(Ecosystem::Git, written, role, text.at);
    reference.strength = Some(Strength::Immutable);
    reference.origin = Origin::Path(path);
    reference.key = key.to_string();
    Some(reference)
}

/// When the version of an image is a member of the matrix or a variable, that is where it is changed. The digest can only follow the
/// member where nothing stands behind it.
fn point_at_member(reference: &mut Reference, resolved: &Resolved, written: &Text) {
    let Some(part) = resolved.part.as_ref().filter(|part| part.verbatim) else { return };
    if reference.pin.version.as_deref() == Some(&part.text) {
        reference.site.version = Some(Slot { at: part.at, lead: "" });
        if written.text.trim_end().ends_with("}}") {
            reference.site.digest = Some(Slot { at: part.at.at_end(), lead: "@" });
        }
    }
}

/// A line of a text.
fn part(text: &Text, line: &str) -> Text {
    let trimmed = line.trim();
    let start = trimmed.as_ptr() as usize - text.text.as_ptr() as usize;
    let range = start..start + trimmed.len();
    Text { text: trimmed.to_string(), at: text.place(range), verbatim: text.verbatim }
}

/// A switch: `true`, `false`, or an expression.
pub fn switch(node: Option<Node<'_>>) -> Setting<bool> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Setting::Absent };
    match node.str().map(str::trim) {
        Some("true") => Setting::Plain(true, node.at()),
        Some("false") => Setting::Plain(false, node.at()),
        _ => Setting::Computed(node.at()),
    }
}

/// A number, or an expression.
pub fn number(node: Option<Node<'_>>) -> Setting<u32> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Setting::Absent };
    // Fractions are written though not supported; what counts is that a limit is there.
    match node.str().and_then(|text| text.trim().parse::<f64>().ok()) {
        Some(value) => Setting::Plain(value.ceil().clamp(0.0, 1e9) as u32, node.at()),
        None => Setting::Computed(node.at()),
    }
}

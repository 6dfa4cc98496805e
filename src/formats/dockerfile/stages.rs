//! The stages of a build and the images that they name. Does not look into commands.

use super::script::{shell_of, text_of};
use crate::ecosystems::oci;
use crate::model::container::{ContainerBuild, Instruction, Stage, Variable};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::reference::{ReferenceId, Role};
use crate::model::script::{Language, Shell};
use crate::model::source::Source;
use crate::model::text::{Mapped, Text};
use crate::syntax::dockerfile::scope::{self, Scope};
use crate::syntax::dockerfile::{self, words};
use crate::tools;

/// Reads a whole file.
pub fn read(source: &Source, facts: &mut Facts) {
    let file = dockerfile::read(source);
    for (at, text) in &file.problems {
        facts.problem(ProblemKind::Unreadable, *at, text.clone());
    }
    if let Some(frontend) = file.syntax.as_ref().and_then(|text| oci::image(text, Role::Frontend, "syntax")) {
        facts.push(frontend);
    }
    let build = ContainerBuild { at: source.whole(), stages: Vec::new(), args: Vec::new() };
    let names = file.instructions.iter().filter(|i| i.keyword == "FROM").map(stage_name).collect();
    // Windows images are built with a backquote as the escape; their shell is cmd unless they say otherwise.
    let language = if file.escape == '`' { Language::Cmd } else { Language::Posix };
    let shell = Shell { language, ..Shell::PLAIN };
    let mut reader =
        Reader { facts, build, names, global: Scope::default(), local: Scope::default(), default: shell, shells: Vec::new() };
    for instruction in &file.instructions {
        reader.instruction(instruction);
    }
    let build = reader.build;
    facts.builds.push(build);
}

/// What stands behind `AS`.
fn stage_name(from: &dockerfile::Instruction) -> Option<String> {
    let words = words::fields(&from.body);
    let at = words.iter().position(|word| word.text.eq_ignore_ascii_case("as"))?;
    Some(words.get(at + 1)?.text.clone())
}

/// `FROM "python:3.12"` is `FROM python:3.12`.
fn unquoted(word: &Text) -> Text {
    let inner = ['"', '\''].iter().find_map(|quote| word.text.strip_prefix(*quote)?.strip_suffix(*quote));
    let Some(inner) = inner else { return word.clone() };
    Text { text: inner.to_string(), at: word.place(1..1 + inner.len()), verbatim: word.verbatim }
}

struct Reader<'f> {
    facts: &'f mut Facts,
    build: ContainerBuild,
    /// Names of all stages of the file, those without a name included.
    names: Vec<Option<String>>,
    global: Scope,
    local: Scope,
    default: Shell,
    /// The shell at the end of each stage.
    shells: Vec<Shell>,
}

impl Reader<'_> {
    fn instruction(&mut self, instruction: &dockerfile::Instruction) {
        match instruction.keyword.as_str() {
            "FROM" => self.from(instruction),
            "ARG" => self.arg(instruction),
            "ENV" => self.env(instruction),
            "RUN" => self.run(instruction),
            "COPY" | "ADD" => self.copy(instruction),
            "SHELL" => self.shell(instruction),
            "WORKDIR" => {
                let text = instruction.body.text(0..instruction.body.text.len());
                self.push(Instruction::Workdir(text));
            }
            _ => self.push(Instruction::Other(instruction.at)),
        }
    }

    fn push(&mut self, instruction: Instruction) {
        if let Some(stage) = self.build.stages.last_mut() {
            stage.instructions.push(instruction);
        }
    }

    /// `stages[2].run[5]`: which instruction of which stage.
    fn key(&self, word: &str) -> String {
        let stage = self.build.stages.len().saturating_sub(1);
        let index = self.build.stages.last().map_or(0, |stage| stage.instructions.len());
        format!("stages[{stage}].{word}[{index}]")
    }

    fn from(&mut self, instruction: &dockerfile::Instruction) {
        let words = words::fields(&instruction.body);
        let Some(image) = words.first().map(unquoted) else { return };
        let image = &image;
        let index = self.build.stages.len();
        let name = self.names.get(index).cloned().flatten();
        let expanded = self.global.expand(&scope::mapped(image));
        let parent = self.stage_named(&expanded.text, index);
        let base = match parent {
            Some(_) => None,
            None if self.may_be_stage(&expanded.text, index) => None,
            None => self.image(&expanded, image, Role::BaseImage, &format!("stages[{index}].from")),
        };
        let windows = base.is_some() && ["windows", "nanoserver"].iter().any(|word| expanded.text.contains(word));
        let default = if windows { Shell { language: Language::Cmd, ..Shell::PLAIN } } else { self.default };
        self.shells.push(parent.and_then(|parent| self.shells.get(parent).copied()).unwrap_or(default));
        self.local = Scope::default();
        self.build.stages.push(Stage { name, base, parent, at: instruction.at, instructions: Vec::new() });
    }

    /// The number of a stage before `end` that has this name.
    fn stage_named(&self, name: &str, end: usize) -> Option<usize> {
        let is = |other: &Option<String>| other.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(name));
        self.names.iter().take(end).rposition(is)
    }

    /// Whether a name with an open variable (`base-$TARGETARCH`) fits a stage before `end`.
    fn may_be_stage(&self, name: &str, end: usize) -> bool {
        let Some((head, rest)) = name.split_once('$') else { return false };
        let tail = rest.rsplit(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '}').next().unwrap_or("");
        let fits = |other: &str| other.len() >= head.len() + tail.len() && other.starts_with(head) && other.ends_with(tail);
        !head.is_empty() && self.names.iter().take(end).flatten().any(|other| fits(other))
    }

    /// Pushes the image that `text` names; a default that empties a part of it leaves it as written.
    fn image(&mut self, text: &Mapped, written: &Text, role: Role, key: &str) -> Option<ReferenceId> {
        let emptied = text.text.ends_with([':', '@', '/']) || text.text.is_empty() || text.text.starts_with([':', '/']);
        let reference = if emptied { oci::image(written, role, key) } else { oci::mapped(text, role, key) };
        if reference.is_none() && text.text != "scratch" {
            let what = format!("`{}` is no image name that can be read", written.text);
            self.facts.problem(ProblemKind::Opaque, written.at, what);
        }
        Some(self.facts.push(reference?))
    }

    fn arg(&mut self, instruction: &dockerfile::Instruction) {
        let inside = !self.build.stages.is_empty();
        for (name, value) in words::pairs(&instruction.body) {
            match &value {
                Some(value) if inside => self.local.set(&name.text, value),
                Some(value) => self.global.set(&name.text, value),
                None if inside => self.local.import(&name.text, &self.global),
                None => {}
            }
            let variable = Variable { name: name.text.clone(), value, at: instruction.at };
            if inside { self.push(Instruction::Arg(variable)) } else { self.build.args.push(variable) }
        }
    }

    fn env(&mut self, instruction: &dockerfile::Instruction) {
        let pairs = match words::spaced_pair(&instruction.body) {
            Some((name, value)) => vec![(name, Some(value))],
            None => words::pairs(&instruction.body),
        };
        for (name, value) in pairs {
            if let Some(value) = &value {
                self.local.set(&name.text, value);
            }
            self.push(Instruction::Env(Variable { name: name.text.clone(), value, at: instruction.at }));
        }
    }

    fn run(&mut self, instruction: &dockerfile::Instruction) {
        let mut mounts = Vec::new();
        for flag in instruction.flags.iter().filter(|flag| flag.name == "mount") {
            self.mount(&flag.value);
            mounts.push(flag.value.clone());
        }
        let shell = self.shells.last().copied().unwrap_or(self.default);
        let (text, shell) = text_of(instruction, shell);
        let key = self.key("run");
        let script = tools::read_script(&text, shell, "", &key, self.facts);
        self.push(Instruction::Run { at: instruction.at, script, mounts });
    }

    /// `type=bind,from=image,source=/x`.
    fn mount(&mut self, value: &Text) {
        let mut offset = 0;
        for part in value.text.split(',') {
            if let Some(name) = part.trim().strip_prefix("from=") {
                let start = offset + part.len() - part.trim_start().len() + "from=".len();
                let at = value.place(start..start + name.len());
                let text = Text { text: name.to_string(), at, verbatim: value.verbatim };
                self.foreign(&text, Role::MountFrom, "mount");
            }
            offset += part.len() + 1;
        }
    }

    /// An image that files are taken from, unless it is a stage of this file by name or number.
    fn foreign(&mut self, from: &Text, role: Role, word: &str) {
        let mut expanded = self.local.expand(&scope::mapped(from));
        expanded = self.global.expand(&expanded);
        let name = expanded.text.as_str();
        let end = self.names.len();
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        if number || self.stage_named(name, end).is_some() || self.may_be_stage(name, end) {
            return;
        }
        let key = self.key(word);
        self.image(&expanded, from, role, &key);
    }

    fn copy(&mut self, instruction: &dockerfile::Instruction) {
        let foreign = instruction.flag("from").cloned();
        if let Some(from) = &foreign {
            self.foreign(from, Role::CopyFrom, "copy");
        }
        let mut from = words::array(&instruction.body).unwrap_or_else(|| words::fields(&instruction.body));
        let to = from.pop();
        from.retain(|word| !word.text.starts_with("<<"));
        self.push(Instruction::Copy { at: instruction.at, from, to, foreign: foreign.is_some() });
    }

    fn shell(&mut self, instruction: &dockerfile::Instruction) {
        let words = words::array(&instruction.body).unwrap_or_default();
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        if let (Some(last), false) = (self.shells.last_mut(), words.is_empty()) {
            *last = shell_of(&words);
        }
        self.push(Instruction::Other(instruction.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pin::{Precision, Strength};
    use crate::model::reference::Slot;
    use crate::model::source::Sources;

    fn facts(text: &str) -> Facts {
        let mut sources = Sources::default();
        let id = sources.add("Dockerfile", text);
        let mut facts = Facts::of(id, "dockerfile");
        read(sources.get(id), &mut facts);
        facts
    }

    fn images(text: &str) -> Vec<(String, Option<String>, Role)> {
        let of_images = |role: Role| {
            matches!(role, Role::BaseImage | Role::CopyFrom | Role::MountFrom | Role::Frontend)
        };
        let facts = facts(text);
        let images = facts.references.into_iter().filter(|reference| of_images(reference.role));
        images.map(|reference| (reference.subject.name, reference.pin.version, reference.role)).collect()
    }

    #[test]
    fn stages_are_no_images() {
        let text = "FROM python:3 AS Base\nFROM base AS b\nCOPY --from=0 a b\nCOPY --from=base a b\nCOPY --from=nginx:1 a b\n\
                    RUN --mount=type=bind,from=b,source=/ --mount=type=bind,from=uv:2 x\nFROM scratch\nFROM node:4 AS node\n";
        let got = images(text);
        let got: Vec<_> = got.iter().map(|(n, v, r)| (n.as_str(), v.as_deref(), *r)).collect();
        assert_eq!(
            got,
            [
                ("python", Some("3"), Role::BaseImage),
                ("nginx", Some("1"), Role::CopyFrom),
                ("uv", Some("2"), Role::MountFrom),
                ("node", Some("4"), Role::BaseImage),
            ]
        );
    }

    #[test]
    fn defaults_of_arguments_apply_and_are_the_slots() {
        let slice = |text: &str, slot: Option<Slot>| slot.map(|slot| (text[slot.at.span.range()].to_string(), slot.lead));
        let rows = [
            ("ARG V=3.12\nFROM python:$V\n", "python", Some("3.12"), Some(("3.12", ""))),
            ("ARG I=python:3.12\nFROM $I\n", "python", Some("3.12"), Some((":3.12", ":"))),
            ("ARG V=3.12\nFROM python:${V}-slim\n", "python", Some("3.12-slim"), None),
            ("ARG V=3.12\nFROM \"python:$V\"\n", "python", Some("3.12"), Some(("3.12", ""))),
            ("ARG V\nFROM python:${V:-3.12}\n", "python", Some("3.12"), Some(("3.12", ""))),
            ("ARG R=docker.io/library/\nFROM ${R}python:3.12\n", "python", Some("3.12"), Some((":3.12", ":"))),
        ];
        for (text, name, version, slot) in rows {
            let facts = facts(text);
            let reference = &facts.references[0];
            assert_eq!((reference.subject.name.as_str(), reference.pin.version.as_deref()), (name, version), "{text}");
            assert_eq!(reference.strength, Some(Strength::Floating(Precision::Minor)), "{text}");
            let got = slice(text, reference.site.version);
            assert_eq!(got.as_ref().map(|(text, lead)| (text.as_str(), *lead)), slot, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_seen_has_no_strength() {
        for text in ["ARG V\nFROM python:$V\n", "FROM python:$V\n", "ARG I\nFROM $I\n", "ARG V=\nFROM python:$V\n"] {
            let facts = facts(text);
            assert_eq!(facts.references.len(), 1, "{text}");
            assert_eq!(facts.references[0].strength, None, "{text}");
        }
    }

    #[test]
    fn a_stage_chosen_by_a_variable_is_no_image() {
        assert!(images("FROM scratch AS base-amd64\nFROM base-$TARGETARCH AS final\n").is_empty());
        assert_eq!(images("FROM scratch AS a\nFROM $B\n").len(), 1);
    }

    #[test]
    fn the_frontend_is_a_reference() {
        let got = images("# syntax=docker/dockerfile:1\nFROM scratch\n");
        assert_eq!(got, [("docker/dockerfile".to_string(), Some("1".to_string()), Role::Frontend)]);
    }
}

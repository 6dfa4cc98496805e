//! What input files ask for: requirements files, `pyproject.toml`, `setup.cfg`. Reads through a function, so it knows no disk.

mod options;
mod project;

pub use options::{Annotations, Options, Tool, options};

use super::Pin;
use super::marker::Marker;
use super::requirement::{Name, Origin, Requirement, Source};
use crate::ecosystems::pypi;
use crate::model::span::SourceId;
use crate::syntax::requirements::{self, Line};
use std::collections::HashSet;
use std::sync::Arc;

/// What inputs say together.
#[derive(Debug, Default)]
pub struct Inputs {
    /// What is asked for.
    pub requirements: Vec<Requirement>,
    /// What only limits.
    pub constraints: Vec<Requirement>,
    /// What replaces the needs of packages.
    pub overrides: Vec<Requirement>,
    /// The index that an input names as the default.
    pub index: Option<String>,
    /// Further indexes that inputs name.
    pub extra_indexes: Vec<String>,
    /// Whether an input says that no index is to be asked.
    pub no_index: bool,
    /// Whether an input asks for pre-releases.
    pub prereleases: bool,
    /// What a project says of the Pythons that it runs on.
    pub requires_python: Option<String>,
    /// Every file that was read.
    pub files: Vec<String>,
    /// What cannot be locked as it stands: file, line, and what to do.
    pub problems: Vec<(String, u32, String)>,
}

/// What of an input is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Extras of projects.
    pub extras: Vec<String>,
    /// All extras.
    pub all_extras: bool,
    /// Dependency groups.
    pub groups: Vec<String>,
}

/// What a file is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Asks,
    Limits,
    Overrides,
}

/// Reads inputs. Paths count from the folder where the command runs; `read` gives a file's text by such a path.
pub fn read(
    inputs: &[String],
    constraints: &[String],
    overrides: &[String],
    wanted: &Wanted,
    read: &dyn Fn(&str) -> Option<String>,
) -> Inputs {
    let mut reader = Reader { out: Inputs::default(), read, wanted, seen: HashSet::new() };
    for (list, used) in [(inputs, Use::Asks), (constraints, Use::Limits), (overrides, Use::Overrides)] {
        for path in list {
            reader.file(path, used, None);
        }
    }
    reader.out
}

struct Reader<'r> {
    out: Inputs,
    read: &'r dyn Fn(&str) -> Option<String>,
    wanted: &'r Wanted,
    seen: HashSet<(String, Use)>,
}

impl std::hash::Hash for Use {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (*self as u8).hash(state);
    }
}

impl Reader<'_> {
    /// Reads a file; `from` is where it is named, when another file names it.
    fn file(&mut self, path: &str, used: Use, from: Option<(String, u32)>) {
        if !self.seen.insert((path.to_string(), used)) {
            return;
        }
        let Some(text) = (self.read)(path) else {
            let (file, line) = from.unwrap_or((path.to_string(), 1));
            self.out.problems.push((file, line, format!("`{path}` is not there or is no text; mend the name")));
            return;
        };
        self.out.files.push(path.to_string());
        let name = path.rsplit('/').next().unwrap_or(path);
        match name {
            "pyproject.toml" => self.pyproject(path, &text),
            "setup.cfg" => self.setup_cfg(path, &text),
            _ if name.ends_with(".py") => self.out.problems.push((
                path.to_string(),
                1,
                "what a `setup.py` asks for is known only by running it, which is not done; move it to `pyproject.toml`".to_string(),
            )),
            _ => self.requirements(path, &text, used),
        }
    }

    fn requirements(&mut self, path: &str, text: &str, used: Use) {
        let file = requirements::parse(SourceId(0), text);
        for line in &file.lines {
            let number = line_number(text, line.at.span.start as usize);
            self.options_of(path, line, number, used);
            let Some(written) = &line.requirement else { continue };
            let written = filled_root(&written.text);
            let shown = format!("-r {path}");
            match self.requirement(&written, path) {
                Ok(mut one) => {
                    let file = path.to_string();
                    one.origin = Some(Arc::new(Origin { shown, file, line: number }));
                    self.list(used).push(one);
                }
                Err(why) => self.out.problems.push((path.to_string(), number, why)),
            }
        }
    }

    fn list(&mut self, used: Use) -> &mut Vec<Requirement> {
        match used {
            Use::Asks => &mut self.out.requirements,
            Use::Limits => &mut self.out.constraints,
            Use::Overrides => &mut self.out.overrides,
        }
    }

    fn options_of(&mut self, path: &str, line: &Line, number: u32, used: Use) {
        for flag in &line.options {
            let value = flag.value.as_ref().map(|value| value.text.clone()).unwrap_or_default();
            match flag.name.as_str() {
                "requirement" | "constraint" => {
                    let used = if flag.name == "constraint" && used == Use::Asks { Use::Limits } else { used };
                    if value.contains("://") {
                        let why = format!(
                            "`{}` is a URL; keep that file in the repository",
                            pypi::without_credentials(&value)
                        );
                        self.out.problems.push((path.to_string(), number, why));
                        continue;
                    }
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    self.file(&beside(folder, &value), used, Some((path.to_string(), number)));
                }
                "editable" => match self.requirement(&value, path) {
                    Ok(mut one) => {
                        let shown = format!("-r {path}");
                        one.origin = Some(Arc::new(Origin { shown, file: path.to_string(), line: number }));
                        if let Source::Direct(url) = &one.source {
                            one.source = Source::Direct(format!("-e {url}").into());
                        }
                        self.list(used).push(one);
                    }
                    Err(why) => self.out.problems.push((path.to_string(), number, why)),
                },
                "index-url" | "pypi-url" => self.out.index = Some(value),
                "extra-index-url" => self.out.extra_indexes.push(value),
                "no-index" => self.out.no_index = true,
                "pre" => self.out.prereleases = true,
                "find-links" => self.out.problems.push((
                    path.to_string(),
                    number,
                    "`--find-links` is not read; serve the files as an index, or name them by URL".to_string(),
                )),
                _ => {}
            }
        }
    }

    /// A requirement with a name; a path gets it from the project there.
    fn requirement(&self, text: &str, file: &str) -> Result<Requirement, String> {
        if !pypi::is_path(text) && !is_bare_url(text) {
            return Requirement::parse(text);
        }
        let (body, marker) = text.split_once(" ;").or_else(|| text.split_once("; ")).unwrap_or((text, ""));
        let (body, extras) = match body.trim().strip_suffix(']').and_then(|body| body.rsplit_once('[')) {
            Some((body, extras)) if !body.contains("#egg=") => (body, format!("[{extras}]")),
            _ => (body.trim(), String::new()),
        };
        let name = self.name_of(body, file).ok_or_else(|| {
            format!(
                "the name of `{}` is not known without building it; write `NAME @ {0}`",
                pypi::without_credentials(body)
            )
        })?;
        let marker = if marker.is_empty() { String::new() } else { format!(" ; {marker}") };
        Requirement::parse(&format!("{name}{extras} @ {body}{marker}"))
    }

    fn name_of(&self, body: &str, file: &str) -> Option<String> {
        if let Some((_, fragment)) = body.split_once("#egg=") {
            let end = fragment.find(['&', '[']).unwrap_or(fragment.len());
            return Some(pypi::normalize(&fragment[..end]));
        }
        let last = body.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?;
        if let Some(wheel) = super::wheel::Wheel::parse(last) {
            return Some(wheel.name);
        }
        if is_bare_url(body) {
            return None;
        }
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let body = body.strip_prefix("file://").or(body.strip_prefix("file:")).unwrap_or(body);
        // Paths in a requirements file count from where the command runs, as pip has it; uv counts from the file.
        let places =
            ["", folder].map(|folder| beside(folder, &format!("{}/pyproject.toml", body.trim_end_matches('/'))));
        let text = places.iter().find_map(|place| (self.read)(place))?;
        project::name(&text)
    }
}

/// A path as seen from a folder; it may lead out of where the command runs.
fn beside(folder: &str, path: &str) -> String {
    if path.starts_with('/') || folder.is_empty() && !path.contains('.') {
        return path.to_string();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split(['/', '\\'])) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// `file:///${PROJECT_ROOT}/x` is uv's way to write a path from here; nothing else is filled in.
fn filled_root(text: &str) -> String {
    text.replace("file:///${PROJECT_ROOT}/", "./")
}

fn is_bare_url(text: &str) -> bool {
    let head = text.split_whitespace().next().unwrap_or("");
    head.contains("://") && !text.contains('@')
        || head.starts_with("git+")
        || head.starts_with("http://")
        || head.starts_with("https://")
}

/// The line of an offset, from 1.
pub(super) fn line_number(text: &str, offset: usize) -> u32 {
    let before = text.get(..offset).unwrap_or(text);
    memchr::memchr_iter(b'\n', before.as_bytes()).count() as u32 + 1
}

/// The pins of a compiled requirements file.
pub fn pins(text: &str) -> Vec<Pin> {
    let file = requirements::parse(SourceId(0), text);
    let pin = |line: &Line| {
        let one = Requirement::parse(&line.requirement.as_ref()?.text).ok()?;
        let version = one.exact()?.clone();
        let hashes = line.options.iter().filter(|flag| flag.name == "hash").filter_map(|flag| flag.value.as_ref());
        let hashes = hashes.map(|value| value.text.clone()).collect();
        Some(Pin { name: one.name, version, marker: one.marker, hashes })
    };
    file.lines.iter().filter_map(pin).collect()
}

/// The pins of a `pylock.toml`.
pub fn pylock_pins(text: &str) -> Vec<Pin> {
    let tree = crate::syntax::toml::parse(SourceId(0), text);
    let packages = tree.root().and_then(|root| root.get("packages"));
    let pin = |node: crate::syntax::tree::Node| {
        let name: Name = pypi::normalize(node.get("name")?.str()?).into();
        let version = node.get("version")?.str()?.parse().ok()?;
        Some(Pin { name, version, marker: Marker::always(), hashes: Vec::new() })
    };
    packages.into_iter().flat_map(|list| list.items()).filter_map(pin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<'f>(files: &'f [(&'f str, &'f str)]) -> impl Fn(&str) -> Option<String> + 'f {
        move |path| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.to_string())
    }

    #[test]
    fn includes_constraints_and_places_are_followed() {
        let read_file = files(&[
            ("req/dev.in", "-r base.in\n-c ../limits.txt\npytest[x]>=7  # why\n--index-url https://i/simple\n"),
            ("req/base.in", "flask\n\nrequests ; python_version < '3.9'\n"),
            ("limits.txt", "flask<3\n"),
        ]);
        let inputs = read(&["req/dev.in".into()], &[], &[], &Wanted::default(), &read_file);
        let words: Vec<String> = inputs.requirements.iter().map(Requirement::words).collect();
        assert_eq!(words, ["flask", "requests ; python_full_version < '3.9'", "pytest[x]>=7"]);
        let origin = inputs.requirements[1].origin.as_ref().unwrap();
        assert_eq!((origin.shown.as_str(), origin.line), ("-r req/base.in", 3));
        assert_eq!((inputs.constraints.len(), inputs.index.as_deref()), (1, Some("https://i/simple")));
        assert!(inputs.problems.is_empty(), "{:?}", inputs.problems);
    }

    #[test]
    fn projects_are_read_with_extras_and_groups() {
        let text = "[project]\nname = 'My.App'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['a', 'my-app[x]']\n\
            [project.optional-dependencies]\nx = ['b']\ny = ['c']\n[dependency-groups]\ndev = ['d', {include-group = 'more'}]\nmore = ['e']\n";
        let wanted = Wanted { extras: vec!["x".into()], groups: vec!["dev".into()], ..Wanted::default() };
        let inputs = read(&["pyproject.toml".into()], &[], &[], &wanted, &files(&[("pyproject.toml", text)]));
        let words: Vec<String> = inputs.requirements.iter().map(Requirement::words).collect();
        assert_eq!(words, ["a", "b", "d", "e"]);
        assert_eq!(inputs.requirements[0].origin.as_ref().unwrap().shown, "my-app (pyproject.toml)");
        assert_eq!(inputs.requires_python.as_deref(), Some(">=3.9"));
    }

    #[test]
    fn what_cannot_be_locked_says_why_and_where() {
        let read_file = files(&[("a.in", "x\n./lib\nhttps://h/unknown.zip\n-r gone.in\ny @@ z\n"), ("s/setup.py", "")]);
        let inputs = read(&["a.in".into(), "s/setup.py".into()], &[], &[], &Wanted::default(), &read_file);
        let lines: Vec<u32> = inputs.problems.iter().map(|(_, line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 1], "{:?}", inputs.problems);
    }

    #[test]
    fn pins_of_compiled_files_are_read_with_hashes() {
        let pins = pins(
            "a==1.0 ; python_version < '3.9' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\nb>=1\n",
        );
        assert_eq!((pins.len(), pins[0].hashes.len(), &*pins[0].name), (1, 2, "a"));
    }
}

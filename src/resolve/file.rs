//! A compiled file as a whole: what it was made from, what is asked of it now, and its new text. Pure but for the index.
//!
//! This is the way in for everything that re-makes such files:
//!
//! ```text
//! let mut job = Job::of("requirements.txt", Some(earlier_text), Asked::default(), &read)?;
//! job.raise("flask", version);            // the target of an upgrade; nothing else moves but what has to
//! let made = job.make(&index)?;           // made.text, made.solution (dates, hashes, who needs whom)
//! ```
//!
//! `read` gives the text of a file by its path from the root of the project: of the working tree, or of a commit.

use super::choose::{Policy, Prereleases, Sources};
use super::inputs::{self, Inputs, Options, Tool, options};
use super::listing::{File, Index, Kind};
use super::requirement::{Name, specifiers};
use super::wheel::{PLATFORMS, Platform};
use super::write::{Scope, pylock, requirements, style_of};
use super::{For, Pin, Request, Solution, Unsolved, resolve};
use crate::ecosystems::pypi;
use crate::model::source::join;
use crate::resolve::bounds::PythonRange;
use pep440_rs::{Version, VersionSpecifiers};
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// What is asked of a file now, over what its header says.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Inputs, from the root; empty: those of the header.
    pub inputs: Vec<String>,
    /// For all platforms.
    pub universal: bool,
    /// The Python.
    pub python: Option<String>,
    /// The platform.
    pub platform: Option<String>,
    /// The cutoff date, as written.
    pub exclude_newer: Option<String>,
    /// Without hashes.
    pub no_hashes: bool,
    /// With hashes.
    pub hashes: bool,
    /// Nothing stays because it was there.
    pub upgrade: bool,
    /// The default index.
    pub index: Option<String>,
    /// Further indexes.
    pub extra_indexes: Vec<String>,
    /// Extras of projects among the inputs.
    pub extras: Vec<String>,
    /// Dependency groups.
    pub groups: Vec<String>,
    /// Source distributions do not count.
    pub no_build: bool,
    /// The command that a new header names.
    pub command: String,
    /// Now, in milliseconds since 1970, for cutoffs like `7 days`.
    pub now: i64,
}

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A requirements file.
    Requirements,
    /// A `pylock.toml`.
    Pylock,
}

impl Form {
    /// The form of a file by its name.
    pub fn of(path: &str) -> Form {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with("pylock.") && name.ends_with(".toml") { Form::Pylock } else { Form::Requirements }
    }
}

/// A mistake in the inputs or in what is asked: file, line, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file; empty when it is no file's fault.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// What is wrong, and what to do.
    pub text: String,
}

/// A compiled file to be made.
#[derive(Debug)]
pub struct Job {
    /// Its path from the root.
    pub path: String,
    /// The folder where its command runs, from the root.
    pub folder: String,
    /// What the command line says.
    pub options: Options,
    /// What the inputs say.
    pub inputs: Inputs,
    /// The question.
    pub request: Request,
    form: Form,
    preamble: String,
    earlier: Option<String>,
}

/// A made file.
#[derive(Debug)]
pub struct Made {
    /// Its text.
    pub text: String,
    /// The closed set.
    pub solution: Solution,
}

/// Header comments of a compiled file, and the command they name.
#[derive(Debug, Default)]
struct Header {
    command: Option<String>,
    /// The Python that pip-compile notes.
    python: Option<String>,
}

impl Job {
    /// Prepares a file. `earlier` is its present text, `read` gives files by their path from the root.
    pub fn of(
        path: &str,
        earlier: Option<&str>,
        asked: &Asked,
        form: Form,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Job, Vec<Mistake>> {
        let header = header(earlier.unwrap_or(""));
        let mut options = header.command.as_deref().map(options).unwrap_or_default();
        let (folder, listed) = match &asked.inputs[..] {
            [] => {
                let folder = run_folder(path, &options, read).ok_or_else(|| vec![nothing_to_read(path, &options)])?;
                (folder, options.inputs.clone())
            }
            given => (String::new(), given.to_vec()),
        };
        if !asked.inputs.is_empty() && (options.inputs.is_empty() || !same_inputs(&options, path, &asked.inputs, read))
        {
            // Another command made that file: only its looks stay.
            options = Options { tool: options.tool, annotations: options.annotations, ..Options::default() };
        }
        let folder = if asked.inputs.is_empty() { folder } else { run_folder(path, &options, read).unwrap_or(folder) };
        let listed = if options.inputs.is_empty() { listed } else { options.inputs.clone() };
        options.inputs = listed;
        merge(&mut options, asked);
        let from_folder = |inner: &str| join(&folder, inner).and_then(|path| read(&path));
        let wanted = &options.wanted;
        let inputs = inputs::read(&options.inputs, &options.constraints, &options.overrides, wanted, &from_folder);
        let mut mistakes: Vec<Mistake> = inputs
            .problems
            .iter()
            .map(|(file, line, text)| Mistake {
                file: join(&folder, file).unwrap_or_else(|| file.clone()),
                line: *line,
                text: text.clone(),
            })
            .collect();
        let mistake = |text: String| Mistake { file: path.to_string(), line: 1, text };
        for word in &options.unknown {
            mistakes.push(mistake(format!(
                "its command has `{word}`, which this resolver does not do; make it with its own tool"
            )));
        }
        let target = target(&options, &header, &inputs, &from_folder);
        let policy = policy(&options, &inputs, asked.now);
        match (target, policy) {
            (Ok(target), Ok(policy)) if mistakes.is_empty() => {
                let pins = if asked.upgrade { Vec::new() } else { pins(earlier.unwrap_or(""), form) };
                let request = Request {
                    requirements: inputs.requirements.clone(),
                    constraints: inputs.constraints.clone(),
                    overrides: inputs.overrides.clone(),
                    pins,
                    fixed: Vec::new(),
                    target,
                    policy,
                    known: HashMap::new(),
                };
                let keeps = keeps_header(earlier, asked, &header);
                let preamble = match form {
                    _ if keeps => preamble(earlier.unwrap_or(""), form),
                    _ if options.no_header && asked.inputs.is_empty() => String::new(),
                    _ => new_header(&asked.command),
                };
                let earlier = earlier.map(str::to_string);
                Ok(Job { path: path.to_string(), folder, options, inputs, request, form, preamble, earlier })
            }
            (target, policy) => {
                mistakes.extend(target.err().into_iter().chain(policy.err()).map(mistake));
                Err(mistakes)
            }
        }
    }

    /// Raises (or lowers) one package to a version; everything else is kept where it can be.
    pub fn raise(&mut self, name: &str, version: Version) {
        let name: Name = pypi::normalize(name).into();
        self.request.pins.retain(|pin| pin.name != name);
        self.request.fixed.push((name, version));
    }

    /// Lets one package move to whatever is best.
    pub fn release(&mut self, name: &str) {
        let name = pypi::normalize(name);
        self.request.pins.retain(|pin| *pin.name != *name);
    }

    /// The indexes that the inputs and the command name: the default, further ones, and whether none may be asked.
    pub fn indexes(&self) -> (Option<String>, Vec<String>, bool) {
        let default = self.options.index.clone().or_else(|| self.inputs.index.clone());
        let extra = self.options.extra_indexes.iter().chain(&self.inputs.extra_indexes).cloned().collect();
        (default, extra, self.options.no_index || self.inputs.no_index)
    }

    /// Resolves, and writes the text.
    pub fn make(&self, index: &dyn Index) -> Result<Made, Unsolved> {
        let solution = resolve(&self.request, index)?;
        let text = self.write(&solution);
        Ok(Made { text, solution })
    }

    fn write(&self, solution: &Solution) -> String {
        let earlier = self.earlier.as_deref();
        match self.form {
            Form::Requirements => requirements(solution, &style_of(earlier, &self.options, self.preamble.clone())),
            Form::Pylock => {
                let by = earlier.and_then(created_by).unwrap_or_else(|| "pinguard".to_string());
                let scope = if self.options.universal { Scope::Universal } else { Scope::One };
                pylock(solution, &self.preamble, &by, scope, &|file| self.keeps(file))
            }
        }
    }

    /// Whether a file is of use where the lock is.
    fn keeps(&self, file: &File) -> bool {
        match (&file.kind, &self.request.target) {
            (Kind::Source, _) => self.request.policy.sources == Sources::Static,
            (Kind::Wheel(wheel), For::Universal { python }) => wheel.serves(python),
            (Kind::Wheel(wheel), For::One { python, platform }) => {
                wheel.fit(python.release().get(1).copied().unwrap_or(0), *platform).is_some()
            }
        }
    }

    /// What moves from the earlier file to a solution: name, old and new version.
    pub fn moves(&self, solution: &Solution) -> Vec<(Name, Option<Version>, Option<Version>)> {
        let versions = |list: Vec<(Name, Version)>| {
            let mut map: BTreeMap<Name, Vec<Version>> = BTreeMap::new();
            for (name, version) in list {
                map.entry(name).or_default().push(version);
            }
            map
        };
        let pins = pins(self.earlier.as_deref().unwrap_or(""), self.form);
        let old = versions(pins.into_iter().map(|pin| (pin.name, pin.version)).collect());
        let new = versions(solution.packages.iter().map(|one| (one.name.clone(), one.version.clone())).collect());
        let mut names: Vec<&Name> = old.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        let mut moves = Vec::new();
        for name in names {
            let (old, new) = (old.get(name), new.get(name));
            if old != new {
                let newest = |list: Option<&Vec<Version>>| list.and_then(|list| list.iter().max().cloned());
                moves.push((name.clone(), newest(old), newest(new)));
            }
        }
        moves
    }
}

/// Whether the command of a file's header names other inputs than those given.
fn same_inputs(options: &Options, path: &str, given: &[String], read: &dyn Fn(&str) -> Option<String>) -> bool {
    let Some(folder) = run_folder(path, options, read) else { return false };
    let full: Vec<Option<String>> = options.inputs.iter().map(|input| join(&folder, input)).collect();
    full.len() == given.len() && given.iter().all(|one| full.contains(&join("", one)))
}

/// The folder from which all inputs of a command are found: that of the file, or one above it.
fn run_folder(path: &str, options: &Options, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if options.inputs.is_empty() {
        return None;
    }
    let mut folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    loop {
        let there = |input: &String| join(folder, input).and_then(|path| read(&path)).is_some();
        if options.inputs.iter().all(there) {
            return Some(folder.to_string());
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

fn nothing_to_read(path: &str, options: &Options) -> Mistake {
    let text = match options.inputs.first() {
        Some(input) => format!(
            "its header names the input `{input}`, which is not there; name the inputs: pinguard lock INPUT -o {path}"
        ),
        None => format!("its header names no inputs; name them: pinguard lock INPUT -o {path}"),
    };
    Mistake { file: path.to_string(), line: 1, text }
}

fn merge(options: &mut Options, asked: &Asked) {
    options.universal |= asked.universal;
    if asked.python.is_some() || asked.platform.is_some() {
        options.universal = asked.universal;
    }
    let set = |slot: &mut Option<String>, value: &Option<String>| {
        if value.is_some() {
            slot.clone_from(value);
        }
    };
    set(&mut options.python, &asked.python);
    set(&mut options.platform, &asked.platform);
    set(&mut options.exclude_newer, &asked.exclude_newer);
    set(&mut options.index, &asked.index);
    options.extra_indexes.extend(asked.extra_indexes.iter().cloned());
    options.wanted.extras.extend(asked.extras.iter().cloned());
    options.wanted.groups.extend(asked.groups.iter().cloned());
    options.no_build |= asked.no_build;
    if asked.no_hashes {
        options.hashes = Some(false);
    } else if asked.hashes {
        options.hashes = Some(true);
    }
}

fn target(
    options: &Options,
    header: &Header,
    inputs: &Inputs,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<For, String> {
    // A header names no patch release: the newest of its minor version is as good as sure to be at least as new.
    let noted = header
        .python
        .as_ref()
        .map(|python| if python.matches('.').count() == 1 { format!("{python}.99") } else { python.clone() });
    let stated = options.python.clone().or(noted);
    let requires = inputs.requires_python.as_deref().and_then(|text| specifiers(text).ok());
    if options.universal {
        let python = match (&stated, &requires) {
            (Some(text), _) => PythonRange::from(&python_version(text)?),
            (None, Some(specifiers)) => PythonRange::of(specifiers),
            (None, None) => PythonRange::from(&python_of_file(read).ok_or_else(no_python)?),
        };
        return Ok(For::Universal { python });
    }
    let python = match (&stated, &requires) {
        (Some(text), _) => python_version(text)?,
        (None, Some(specifiers)) => floor(specifiers).or_else(|| python_of_file(read)).ok_or_else(no_python)?,
        (None, None) => python_of_file(read).ok_or_else(no_python)?,
    };
    let platform = match &options.platform {
        Some(name) => Platform::named(name).ok_or_else(|| {
            let known: Vec<&str> = PLATFORMS.iter().map(|(name, _)| *name).collect();
            format!("`{name}` is no platform known here; take one of {}", known.join(", "))
        })?,
        None => Platform::host(),
    };
    Ok(For::One { python, platform })
}

fn no_python() -> String {
    "it is not said for which Python this is; give --python V, or write requires-python or a .python-version"
        .to_string()
}

/// The oldest Python that specifiers take.
fn floor(specifiers: &VersionSpecifiers) -> Option<Version> {
    use std::ops::Bound;
    match PythonRange::of(specifiers).lower.0 {
        Bound::Included(version) | Bound::Excluded(version) => Some(version),
        Bound::Unbounded => None,
    }
}

fn python_of_file(read: &dyn Fn(&str) -> Option<String>) -> Option<Version> {
    let text = read(".python-version")?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    python_version(line.strip_prefix("cpython-").unwrap_or(line)).ok()
}

/// `3.12`, `3.12.4`, `python3.12`, `cp312`.
fn python_version(text: &str) -> Result<Version, String> {
    let plain = text.trim().trim_start_matches("python").trim_start_matches('-');
    let version = match plain.strip_prefix("cp3") {
        Some(minor) => Version::from_str(&format!("3.{minor}")),
        None => Version::from_str(plain),
    };
    let version = version.map_err(|_| format!("`{text}` is no version of Python; write it as 3.12"))?;
    match version.release() {
        [3, _, ..] => Ok(version),
        _ => Err(format!("`{text}` is not one version of Python 3; write it as 3.12")),
    }
}

fn policy(options: &Options, inputs: &Inputs, now: i64) -> Result<Policy, String> {
    let cutoff = options.exclude_newer.as_deref().map(|text| cutoff(text, now)).transpose()?;
    let prereleases =
        options.prereleases.unwrap_or(if inputs.prereleases { Prereleases::Allowed } else { Prereleases::WhenNeeded });
    let sources = if options.no_build { Sources::Never } else { Sources::Static };
    Ok(Policy { cutoff, strategy: options.strategy, prereleases, sources, ..Policy::default() })
}

/// A cutoff in milliseconds since 1970: the end of a date, a moment, or so long ago (`7 days`, `2 weeks`, `P7D`).
pub fn cutoff(text: &str, now: i64) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(date) = jiff::civil::Date::from_str(text)
        && let Ok(start) = date.tomorrow().and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC))
    {
        return Ok(start.timestamp().as_millisecond());
    }
    if let Ok(moment) = jiff::Timestamp::from_str(text) {
        return Ok(moment.as_millisecond());
    }
    let digits = text.trim_start_matches(['P', 'p']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let amount: Option<i64> = digits[..end].parse().ok();
    let unit = digits[end..].trim().to_ascii_lowercase();
    let days = match unit.trim_end_matches('s') {
        "d" | "day" => Some(1),
        "w" | "week" => Some(7),
        _ => None,
    };
    match (amount, days) {
        (Some(amount), Some(days)) if amount < 100_000 => Ok(now - amount * days * 86_400_000),
        _ => Err(format!("`{text}` is no date; write 2026-01-31, a moment in RFC 3339, or an age such as `7 days`")),
    }
}

fn pins(text: &str, form: Form) -> Vec<Pin> {
    match form {
        Form::Requirements => inputs::pins(text),
        Form::Pylock => inputs::pylock_pins(text),
    }
}

/// The comments before the first package.
fn header(text: &str) -> Header {
    let mut header = Header::default();
    let mut after_colon = false;
    for line in text.lines().take(40).take_while(|line| line.starts_with('#') || line.trim().is_empty()) {
        let line = line.trim_start_matches('#').trim();
        let lower = line.to_ascii_lowercase();
        if let Some((_, version)) = lower.split_once("with python ") {
            header.python = version.split([' ', ':']).next().map(|version| version.trim_end_matches('.').to_string());
        }
        let known = ["pip-compile ", "uv pip compile ", "pinguard lock ", "python -m piptools compile "];
        let is_command =
            !lower.contains("generated") && known.iter().any(|tool| line.contains(tool)) || line == "pip-compile";
        if header.command.is_none() && (is_command && !line.ends_with(':') || after_colon && !line.is_empty()) {
            header.command = Some(line.to_string());
        }
        after_colon = line.ends_with(':') || after_colon && line.is_empty();
    }
    header
}

fn created_by(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("created-by"))?;
    Some(line.split_once('=')?.1.trim().trim_matches('"').to_string())
}

/// What stands above the first package, to the byte.
fn preamble(text: &str, form: Form) -> String {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let option = line.starts_with('-') && !line.starts_with("-e") && !line.starts_with("--editable");
        let above = line.starts_with('#') || line.trim().is_empty() || option && form == Form::Requirements;
        // What pip-compile says of unsafe packages belongs to them.
        if !above || line.starts_with("# The following packages") {
            break;
        }
        end += line.len();
    }
    text[..end].to_string()
}

fn keeps_header(earlier: Option<&str>, asked: &Asked, header: &Header) -> bool {
    let changed =
        asked.python.is_some() || asked.platform.is_some() || asked.universal || asked.exclude_newer.is_some();
    earlier.is_some_and(|text| !text.trim().is_empty())
        && (asked.inputs.is_empty() || header.command.is_none() || !changed)
        && (!asked.inputs.is_empty() || !changed || header.command.is_some())
}

fn new_header(command: &str) -> String {
    format!("# This file was autogenerated by pinguard via the following command:\n#    {command}\n")
}

impl Options {
    /// Whether the output is one that this tool can write to the byte.
    pub fn is_known(&self) -> bool {
        matches!(self.tool, Tool::Uv | Tool::PipTools | Tool::Pinguard) && self.unknown.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutoffs_are_dates_moments_and_ages() {
        assert_eq!(cutoff("2026-01-31", 0), Ok(1_769_904_000_000));
        assert_eq!(cutoff("2026-02-01T00:00:00Z", 0), Ok(1_769_904_000_000));
        assert_eq!(cutoff("7 days", 700_000_000), Ok(95_200_000));
        assert_eq!(cutoff("P1W", 700_000_000), Ok(95_200_000));
        assert!(cutoff("soon", 0).is_err());
    }

    #[test]
    fn headers_name_command_and_python() {
        let pip = "#\n# This file is autogenerated by pip-compile with Python 3.11\n# by the following command:\n#\n#    pip-compile --generate-hashes a.in\n#\na==1\n";
        let read = header(pip);
        assert_eq!(
            (read.command.as_deref(), read.python.as_deref()),
            (Some("pip-compile --generate-hashes a.in"), Some("3.11"))
        );
        let uv =
            "# This file was autogenerated by uv via the following command:\n#    uv pip compile a.in -o a.txt\na==1\n";
        assert_eq!(header(uv).command.as_deref(), Some("uv pip compile a.in -o a.txt"));
        let custom = "# This file was autogenerated by uv via the following command:\n#    ./lock.sh\na==1\n";
        assert_eq!(header(custom).command.as_deref(), Some("./lock.sh"));
        assert_eq!(
            preamble(&format!("{}--index-url https://i\n\na==1\n", "#\n"), Form::Requirements),
            "#\n--index-url https://i\n\n"
        );
    }

    #[test]
    fn the_folder_of_the_command_is_found() {
        let read = |path: &str| (path == "req/in/a.in" || path == "limits.txt").then(String::new);
        let options = options("uv pip compile in/a.in -o out/a.txt");
        assert_eq!(run_folder("req/out/a.txt", &options, &read).as_deref(), Some("req"));
    }

    #[test]
    fn without_a_python_there_is_a_way_out() {
        let read = |path: &str| (path == "a.in").then(|| "x\n".to_string());
        let asked = Asked { inputs: vec!["a.in".to_string()], ..Asked::default() };
        let mistakes = Job::of("a.txt", None, &asked, Form::Requirements, &read).unwrap_err();
        assert!(mistakes[0].text.contains("--python"), "{mistakes:?}");
    }
}

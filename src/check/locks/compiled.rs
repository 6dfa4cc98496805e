//! Compiled requirements files and `pylock.toml`: their header names what they were made from, and satisfaction decides.
//!
//! Neither records requirement texts or extras: what that leaves open is said, not guessed.

use super::{Packages, by_name, satisfy, unknown, verdict};
use crate::ecosystems::pypi;
use crate::model::lock::{Lock, LockTool, LockedPackage, Reason, Verdict};
use crate::model::manifest::{Group, Manifest};
use crate::model::project::{LockState, Project};
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use crate::model::source::{Source, join};
use crate::model::span::SourceId;
use std::collections::HashSet;

/// Names that pip-compile leaves out unless it is told otherwise.
const UNSAFE: [&str; 3] = ["pip", "setuptools", "distribute"];

/// How such a lock stands to its inputs.
pub fn state(project: &Project, lock: &Lock) -> LockState {
    let source = project.source(lock.at.source);
    let command = command(project, lock);
    if let Some(other) = exported(project, lock, command.as_deref()) {
        let verdict = verdict(differences(project, lock, other));
        return LockState { lock: source.id, manifest: Some(other), verdict, strays: Vec::new() };
    }
    let (found, missing) = named(project, lock);
    let Some(&manifest) = found.first() else {
        let why = match missing.first() {
            Some(path) => format!("its input `{path}` is not in the repository"),
            None => "it does not say what it was made from, and no input of its name stands beside it".to_string(),
        };
        return unknown(lock, why);
    };
    let verdict = judge(project, lock, &found, command.as_deref().unwrap_or(""));
    LockState { lock: source.id, manifest: Some(manifest), verdict, strays: Vec::new() }
}

/// What an input does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It asks for requirements.
    Asks,
    /// It only limits their versions (`-c`).
    Limits,
}

/// The inputs of a lock that are in the tree and ask for requirements.
pub fn inputs(project: &Project, lock: &Lock) -> Vec<SourceId> {
    let used = used(project, lock).into_iter();
    used.filter(|(_, used)| *used == Use::Asks).map(|(input, _)| input).collect()
}

fn used(project: &Project, lock: &Lock) -> Vec<(SourceId, Use)> {
    let mut inputs: Vec<(SourceId, Use)> = named(project, lock).0.into_iter().map(|input| (input, Use::Asks)).collect();
    let mut at = 0;
    // What an input includes is an input too; every source counts once, so this ends.
    while let Some(&(input, used)) = inputs.get(at) {
        for (included, limits) in includes(project, input) {
            if !inputs.iter().any(|(old, _)| *old == included) {
                inputs.push((included, if used == Use::Limits { used } else { limits }));
            }
        }
        at += 1;
    }
    inputs
}

fn command(project: &Project, lock: &Lock) -> Option<String> {
    if lock.tool == LockTool::Pylock {
        return lock.statement.settings.iter().find(|(key, _)| key == "command").map(|(_, command)| command.clone());
    }
    compiled(project, lock)?.compiled.as_ref()?.command.clone()
}

fn compiled<'p>(project: &'p Project, lock: &Lock) -> Option<&'p Manifest> {
    project.facts_of(lock.at.source).manifests.iter().find(|manifest| manifest.compiled.is_some())
}

/// Inputs that the header names, found and missing; without a header the `.in` of the same name.
fn named(project: &Project, lock: &Lock) -> (Vec<SourceId>, Vec<String>) {
    let source = project.source(lock.at.source);
    let paths = match lock.tool {
        LockTool::Pylock => command(project, lock).map(|command| words_of_inputs(&command)).unwrap_or_default(),
        _ if command(project, lock).is_some_and(|command| !resolves(&command)) => return (Vec::new(), Vec::new()),
        _ => compiled(project, lock).and_then(|m| m.compiled.as_ref()).map(|c| c.inputs.clone()).unwrap_or_default(),
    };
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for path in paths {
        match find(project, source, &path).filter(|&id| id != source.id) {
            Some(id) if !found.contains(&id) => found.push(id),
            Some(_) => {}
            None => missing.push(path),
        }
    }
    if found.is_empty() && missing.is_empty() && lock.tool == LockTool::Compiled && compiled(project, lock).is_some() {
        let stem = source.file_name().trim_end_matches(".txt");
        found.extend(super::from(project, source, &format!("{stem}.in")).map(|input| input.id));
    }
    (found, missing)
}

/// Whether a command is one whose output holds what its inputs ask for; wrappers of projects name no inputs.
fn resolves(command: &str) -> bool {
    let known =
        ["pip-compile", "pip compile", "piptools compile", "pip-compile-multi", "pip-tools compile", "pinguard lock"];
    let named =
        [".in", ".txt", ".toml", ".cfg", ".py"].iter().any(|end| command.split_whitespace().any(|w| w.ends_with(end)));
    !named || known.iter().any(|words| command.contains(words))
}

/// An input is named from the folder where the command ran: the root, the lock's folder, or one between them.
fn find(project: &Project, lock: &Source, path: &str) -> Option<SourceId> {
    let mut folder = lock.folder();
    loop {
        if let Some(found) = join(folder, path).and_then(|path| project.sources.find(&path)) {
            return Some(found.id);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// Files on the command line of the header that uv writes.
fn words_of_inputs(command: &str) -> Vec<String> {
    let mut inputs = Vec::new();
    let mut words = command.split_whitespace().skip(1);
    while let Some(word) = words.next() {
        let valued = ["-o", "--output-file", "-c", "--constraint", "--constraints", "--override", "--overrides", "-p"];
        if valued.contains(&word) {
            words.next();
        } else if !word.starts_with('-')
            && [".in", ".txt", ".toml", ".cfg", ".py"].iter().any(|end| word.ends_with(end))
        {
            inputs.push(word.to_string());
        }
    }
    inputs
}

/// The lock that a file was exported from (`uv export`, `poetry export`, `pdm export`, `pipenv requirements`), beside it or above.
fn exported(project: &Project, lock: &Lock, command: Option<&str>) -> Option<SourceId> {
    const COMMANDS: [(&str, &str); 4] = [
        ("uv export", "uv.lock"),
        ("poetry export", "poetry.lock"),
        ("pdm export", "pdm.lock"),
        ("pipenv requirements", "Pipfile.lock"),
    ];
    let source = project.source(lock.at.source);
    let name = match command {
        Some(command) => COMMANDS.iter().find(|(words, _)| command.contains(words)).map(|(_, name)| *name),
        // pipenv and poetry name themselves in a pylock and no command.
        None if lock.tool == LockTool::Pylock => match lock.statement.generator.as_deref() {
            Some("pipenv") => Some("Pipfile.lock"),
            Some(by) if by.starts_with("poetry") => Some("poetry.lock"),
            _ => None,
        },
        None => None,
    };
    find(project, source, name?)
}

/// Packages that the exported file holds and the lock behind it does not, in that version.
fn differences(project: &Project, lock: &Lock, other: SourceId) -> Vec<Reason> {
    let Some(origin) = project.facts_of(other).locks.first() else { return Vec::new() };
    let packages = by_name(origin);
    let differs = |package: &&LockedPackage| {
        let versions = packages.get(package.name.as_str());
        !package.version.is_empty()
            && !versions.is_some_and(|list| list.iter().any(|other| same_version(&other.version, &package.version)))
    };
    let path = &project.source(other).path;
    let told = lock.packages.iter().filter(differs).take(10).map(|package| {
        let versions = packages.get(package.name.as_str());
        let versions =
            versions.map(|list| list.iter().map(|other| other.version.as_str()).collect::<Vec<_>>().join(", "));
        let there = versions.map_or(format!("not in {path}"), |versions| format!("{versions} in {path}"));
        let text = format!("`{}` is {} here and {there}, from which this file is made", package.name, package.version);
        Reason { text, at: Some(package.at) }
    });
    told.collect()
}

fn same_version(a: &str, b: &str) -> bool {
    a == b || pypi::satisfies(&format!("=={b}"), a) == Some(true)
}

fn includes(project: &Project, source: SourceId) -> impl Iterator<Item = (SourceId, Use)> + '_ {
    let folder = project.source(source).folder();
    let includes = project.facts_of(source).manifests.iter().flat_map(|manifest| &manifest.includes);
    includes.filter_map(move |include| {
        let found = project.sources.find_from(folder, &include.path.text)?;
        Some((found.id, if include.constraint { Use::Limits } else { Use::Asks }))
    })
}

fn judge(project: &Project, lock: &Lock, found: &[SourceId], command: &str) -> Verdict {
    let packages = by_name(lock);
    let mut stale = Vec::new();
    let mut open = Vec::new();
    let all = used(project, lock);
    for &(input, used) in &all {
        let wanted = wanted(project, input, command);
        let name = project.facts_of(input).manifests.first().and_then(|manifest| manifest.name.as_deref());
        let wanted = wanted.into_iter().filter(|reference| !satisfy::is_own(reference, name));
        let limits = |reference: &Reference| used == Use::Limits || reference.role == Role::Constraint;
        let (limits, asked): (Vec<&Reference>, Vec<&Reference>) = wanted.partition(|reference| limits(reference));
        let held = asked.iter().copied().filter(|reference| !elsewhere(project, lock, reference, command, &packages));
        stale.extend(satisfy::problems(held, &packages));
        // A constraint for a name that nothing needs is no contradiction.
        let limits = limits.into_iter().filter(|limit| packages.contains_key(limit.subject.name.as_str()));
        stale.extend(satisfy::problems(limits, &packages));
        for reference in asked.iter().filter(|reference| packages.contains_key(reference.subject.name.as_str())) {
            match extras(project, lock, reference) {
                Extras::Held => {}
                Extras::Missing(reason) => stale.push(reason),
                Extras::Unrecorded(reason) => open.push(reason),
            }
        }
    }
    let asking: Vec<SourceId> = all.iter().filter(|(_, used)| *used == Use::Asks).map(|(input, _)| *input).collect();
    stale.extend(removed(project, lock, &asking, found));
    match (stale.is_empty(), open.is_empty()) {
        (false, _) => Verdict::Stale(stale),
        (true, true) => Verdict::Fresh,
        (true, false) => Verdict::Undecided(open),
    }
}

/// Whether a requirement stands in the lock as a URL or a path, or is left out on purpose.
fn elsewhere(project: &Project, lock: &Lock, reference: &Reference, command: &str, packages: &Packages) -> bool {
    let name = reference.subject.name.as_str();
    if packages.contains_key(name) {
        return false;
    }
    let same = |other: &Reference| other.subject.name == name || named_by(reference, other);
    let written = project.facts_of(lock.at.source).references.iter().any(same);
    let left_out = lock.tool == LockTool::Compiled && UNSAFE.contains(&name);
    written || left_out || option(command, &["--unsafe-package", "--no-emit-package"], name)
}

/// Whether an input asks for a repository by its URL alone, and another text names what comes from there: `git+https://…/x@main` becomes
/// `x @ git+https://…/x@main`.
fn named_by(asked: &Reference, named: &Reference) -> bool {
    let plain = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_ascii_lowercase();
    match (&asked.origin, &named.origin) {
        (Origin::Vcs(a), Origin::Vcs(b)) => asked.subject.ecosystem == Ecosystem::Git && plain(a) == plain(b),
        _ => false,
    }
}

/// The requirements of an input that the command asks for.
fn wanted<'p>(project: &'p Project, input: SourceId, command: &str) -> Vec<&'p Reference> {
    let facts = project.facts_of(input);
    let all = command.contains("--all-extras");
    let asked = |group: &Group| match group {
        Group::Main => true,
        Group::Extra(name) => all || option(command, &["--extra", "-E"], name),
        Group::Named(name) => option(command, &["--group", "--only-group"], name),
        Group::Build => command.contains("--all-build-deps"),
    };
    let entries = facts.manifests.iter().flat_map(|manifest| &manifest.entries).filter(|entry| asked(&entry.group));
    entries.map(|entry| project.reference(entry.reference)).collect()
}

/// Whether `--name value` or `--name=value` stands in a command.
fn option(command: &str, names: &[&str], value: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let apart =
        words.windows(2).any(|pair| names.contains(&pair[0]) && pypi::normalize(pair[1]) == pypi::normalize(value));
    let joined = |word: &&str| {
        names.iter().any(|name| word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) == Some(value))
    };
    apart || words.iter().any(joined)
}

/// How a lock stands to the extras that a requirement asks for.
enum Extras {
    Held,
    Missing(Reason),
    /// The lock shows no extras at all, so that it cannot be told for which ones it was made.
    Unrecorded(Reason),
}

fn extras(project: &Project, lock: &Lock, reference: &Reference) -> Extras {
    if reference.extras.is_empty() || reference.origin != Origin::Registry {
        return Extras::Held;
    }
    let name = reference.subject.name.as_str();
    let written = &project.facts_of(lock.at.source).references;
    let shown: Vec<&str> = written
        .iter()
        .filter(|other| other.subject.name == name)
        .flat_map(|other| &other.extras)
        .map(String::as_str)
        .collect();
    let asked = format!("{name}[{}]", reference.extras.join(","));
    let at = Some(reference.site.whole);
    if reference.extras.iter().all(|extra| shown.contains(&extra.as_str())) {
        return Extras::Held;
    }
    if written.iter().any(|other| !other.extras.is_empty()) && lock.tool == LockTool::Compiled {
        return Extras::Missing(Reason {
            text: format!("`{asked}` is asked for, and the lock holds `{name}` without that extra"),
            at,
        });
    }
    let text = format!("`{asked}` asks for extras, and this lock does not record for which extras it was made");
    Extras::Unrecorded(Reason { text, at })
}

/// Packages whose only reason to be there (`# via -r requirements.in`) is an input that does not ask for them any more.
fn removed(project: &Project, lock: &Lock, all: &[SourceId], found: &[SourceId]) -> Vec<Reason> {
    let source = project.source(lock.at.source);
    if lock.tool != LockTool::Compiled || found.is_empty() {
        return Vec::new();
    }
    let asked: Vec<&Reference> = all.iter().flat_map(|&input| &project.facts_of(input).references).collect();
    let mut names: HashSet<&str> = asked.iter().map(|reference| reference.subject.name.as_str()).collect();
    let held = project.facts_of(lock.at.source).references.iter();
    let by_url = held.filter(|held| asked.iter().any(|asked| named_by(asked, held)));
    names.extend(by_url.map(|held| held.subject.name.as_str()));
    let gone = lock.packages.iter().filter(|package| !names.contains(package.name.as_str())).filter_map(|package| {
        let via = vias(source, package);
        let inputs: Vec<&str> = via.iter().filter_map(|via| via.strip_prefix("-r ")).collect();
        let one = via.len() == 1 && inputs.len() == 1;
        let input = all.iter().find(|&&input| one && same_file(&project.source(input).path, inputs[0]))?;
        let text =
            format!("`{}` is held for `{}`, which does not ask for it", package.name, project.source(*input).path);
        Some(Reason { text, at: Some(package.at) })
    });
    gone.take(10).collect()
}

fn same_file(path: &str, written: &str) -> bool {
    path == written || path.rsplit('/').next() == written.rsplit('/').next()
}

/// What `# via` notes below a package name.
fn vias<'s>(source: &'s Source, package: &LockedPackage) -> Vec<&'s str> {
    let mut vias = Vec::new();
    let first = source.line_of(package.at.span.start);
    let inline = source.line_text(first).split_once("# via ").map(|(_, via)| via);
    if let Some(via) = inline {
        return via.split(", ").map(str::trim).collect();
    }
    for line in first + 1..(first + 400).min(source.line_count()) {
        let text = source.line_text(line).trim();
        let Some(note) = text.strip_prefix('#') else {
            if text.starts_with("--hash") {
                continue;
            }
            break;
        };
        let note = note.trim();
        let via = note.strip_prefix("via").map_or(note, str::trim);
        vias.extend((!via.is_empty()).then_some(via));
    }
    vias
}

//! tox's environments as an INI file holds them (`tox.ini`, `setup.cfg`). Is no format itself and claims no file.
//!
//! Source: tox's documentation, "Configuration". References between sections are followed for `deps`; other substitutions stay as written.

mod words;

pub use words::{commands, expanded, python_of};

use super::{Collector, Place};
use crate::ecosystems::{oci, toolchain};
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::manifest::Group;
use crate::model::pipeline::{Assignment, Scope};
use crate::model::reference::Role;
use crate::model::script::{Script, Shell};
use crate::model::secrets::handed;
use crate::model::source::Source;
use crate::model::text::Text;
use crate::syntax::ini::{self, Ini, Section};
use crate::tools::{Line, Recipe, read_recipe, runs};
use words::unconditional;

/// This many sections are followed from `deps`, one inside the other at most.
const MAX_SECTIONS: usize = 32;

/// Settings that rules look at.
const SETTINGS: [(&str, &str); 13] = [
    ("use_frozen_constraints", "tox.use_frozen_constraints"),
    ("pass_env", "tox.pass_env"),
    ("passenv", "tox.pass_env"),
    ("set_env", "tox.set_env"),
    ("setenv", "tox.set_env"),
    ("constrain_package_deps", "tox.constrain_package_deps"),
    ("runner", "tox.runner"),
    ("uv_resolution", "tox.uv_resolution"),
    ("uv_sync_locked", "tox.uv_sync_locked"),
    ("dependency_groups", "tox.dependency_groups"),
    ("ignore_outcome", "tox.ignore_outcome"),
    ("install_command", "tox.install_command"),
    ("package", "tox.package"),
];

/// Reads every environment. `core` is the name of the section with the list of environments: `tox`, in `setup.cfg` `tox:tox`.
pub fn read(ini: &Ini, core: &str, source: &Source, to: &mut Collector) {
    let list = ["env_list", "envlist"].iter().find_map(|key| ini.get(core, key));
    let lines: Vec<Text> = list.into_iter().flat_map(|entry| entry.items()).map(ini::without_comment).collect();
    let names = expanded(&lines);
    for name in &names {
        if let Some(version) = python_of(name) {
            to.manifest.python_versions.push(version);
        }
    }
    requires(ini, core, to);
    default_entry(&names, to);
    to.manifest.entry_points = names.into_iter().map(|name| name.text).collect();
    let mut seen = Vec::new();
    for section in &ini.sections {
        environment(ini, section, source, &mut seen, to);
        image(section, to);
    }
}

/// `requires = tox-uv>=1`: what tox installs beside itself.
fn requires(ini: &Ini, core: &str, to: &mut Collector) {
    let group = Group::Named("requires".to_string());
    let place = Place { role: Role::Dev, group: &group, key: "tox.requires" };
    for line in ini.get(core, "requires").into_iter().flat_map(|entry| entry.items()) {
        to.manifest.settings.push(("tox.requires".to_string(), line.clone()));
        for text in words::split(&ini::without_comment(line), ',') {
            to.pip_line(&text, place);
        }
    }
}

/// Without `-e`, tox runs the environments of the list: the script without a name stands for that.
pub fn default_entry(names: &[Text], to: &mut Collector) {
    let Some(first) = names.first() else { return };
    let entries = names.iter().map(|name| name.text.clone()).collect();
    let commands = vec![runs(first.at, "tox", entries)];
    let script = Script { at: first.at, shell: Shell::ERREXIT, commands, cwd: String::new() };
    to.facts.scripts.push((String::new(), script));
}

/// The environments that a section describes: `testenv`, `testenv:{py311,py312}-x`.
fn environments(section: &Section) -> Vec<Text> {
    let name = &section.name;
    match name.text.strip_prefix("testenv") {
        Some("") => vec![name.clone()],
        Some(rest) if rest.starts_with(':') => {
            let start = name.text.len() - rest.len() + 1;
            let text = name.text[start..].to_string();
            expanded(&[Text { text, at: name.place(start..name.text.len()), verbatim: name.verbatim }])
        }
        _ => Vec::new(),
    }
}

fn environment(ini: &Ini, section: &Section, source: &Source, seen: &mut Vec<String>, to: &mut Collector) {
    let names = environments(section);
    let Some(first) = names.first().cloned() else { return };
    if section.name.text != "testenv" {
        let new: Vec<String> = names
            .iter()
            .map(|name| name.text.clone())
            .filter(|name| !to.manifest.entry_points.contains(name))
            .collect();
        to.manifest.entry_points.extend(new);
    }
    let group = Group::Named(first.text.clone());
    let key = format!("{}.deps", section.name.text);
    let place = Place { role: Role::Dev, group: &group, key: &key };
    dependencies(ini, section, place, seen, to);
    for (key, setting) in SETTINGS {
        for line in section.get(key).into_iter().flat_map(|entry| entry.items()) {
            to.manifest.settings.push((setting.to_string(), line.clone()));
        }
    }
    variables(section, &first.text, to);
    base_python(section, to);
    scripts(section, &names, source, to);
}

/// `pass_env` and `set_env` of a section.
fn variables(section: &Section, name: &str, to: &mut Collector) {
    let lines = |names: [&str; 2]| -> Vec<Text> {
        let entry = names.iter().find_map(|name| section.get(name));
        entry
            .into_iter()
            .flat_map(|entry| entry.items())
            .map(|line| unconditional(&ini::without_comment(line)))
            .collect()
    };
    let mut assignments = Vec::new();
    for line in lines(["pass_env", "passenv"]) {
        assignments.extend(passed(&line, &format!("{}.pass_env", section.name.text)));
    }
    for line in lines(["set_env", "setenv"]) {
        assignments.extend(set(&line, &format!("{}.set_env", section.name.text)));
    }
    push_environment(name, section.name.at, assignments, to);
}

/// Adds the variables of an environment, if it has any.
pub fn push_environment(
    name: &str,
    at: crate::model::span::Location,
    assignments: Vec<Assignment>,
    to: &mut Collector,
) {
    if !assignments.is_empty() {
        let (kind, name) = (EnvironmentKind::Tox, name.to_string());
        to.facts.environments.push(Environment { kind, name, at, assignments });
    }
}

/// The names and patterns of a line of `pass_env`, which commas or blanks part.
pub fn passed(line: &Text, key: &str) -> Vec<Assignment> {
    let mut found = Vec::new();
    let mut start = 0;
    for part in line.text.split_inclusive([',', ' ', '\t']) {
        let name = part.trim_matches([',', ' ', '\t']);
        let at = start + part.find(name).unwrap_or(0);
        start += part.len();
        // A substitution of another section says nothing here.
        if name.is_empty() || name.contains(['{', '}', '[', ']']) {
            continue;
        }
        let value = if name.contains('*') { handed::set(name) } else { handed::by_name(name) };
        let at = line.place(at..at + name.len());
        found.push(Assignment {
            name: name.to_string(),
            value,
            scope: Scope::Container,
            at,
            key: format!("{key}.{name}"),
        });
    }
    found
}

/// `NAME = value` of `set_env`.
fn set(line: &Text, key: &str) -> Option<Assignment> {
    let (name, value) = line.text.split_once('=')?;
    let lead = name.len() + 1 + value.len() - value.trim_start().len();
    let (name, value) = (name.trim(), value.trim());
    let at = line.place(lead..lead + value.len());
    let value = handed::value(value, &["env:"]);
    Some(Assignment { name: name.to_string(), value, scope: Scope::Container, at, key: format!("{key}.{name}") })
}

/// `deps`, with the factor that a line begins with taken off, and lines of other sections in place of `{[x]deps}`.
///
/// Environments are read by themselves; a section that is none is read where it is asked for first.
fn dependencies(ini: &Ini, section: &Section, place: Place, seen: &mut Vec<String>, to: &mut Collector) {
    for line in section.get("deps").into_iter().flat_map(|entry| entry.items()) {
        let line = unconditional(&ini::without_comment(line));
        let Some(rest) = line.text.strip_prefix("{[") else {
            dependency(&line, place, to);
            continue;
        };
        let name = rest.split(']').next().unwrap_or("");
        let known = name.starts_with("testenv") || seen.iter().any(|known| known == name) || seen.len() >= MAX_SECTIONS;
        if let Some(other) = ini.section(name).filter(|_| !known) {
            seen.push(name.to_string());
            dependencies(ini, other, place, seen, to);
        }
    }
}

/// One line of `deps`: what pip takes, with `{toxinidir}/` before paths.
pub fn dependency(line: &Text, place: Place, to: &mut Collector) {
    let is_include = line.text.starts_with("-r") || line.text.starts_with("-c") || line.text.starts_with("--");
    match words::in_tree(line) {
        Some(text) if is_include => to.pip_line(&text, place),
        // The tree itself, or what a variable holds.
        Some(text) if text.text.starts_with(['.', '{']) || text.text.is_empty() => opaque(&text, to),
        Some(text) => to.pip_line(&text, place),
        None => {}
    }
}

fn opaque(text: &Text, to: &mut Collector) {
    if text.text.starts_with("{env:") {
        let why = "an environment variable decides what this environment installs";
        to.facts.problem(crate::model::facts::ProblemKind::Opaque, text.at, why);
    }
}

/// `base_python = python3.12`. A name without a minor version takes what is there and fetches nothing.
fn base_python(section: &Section, to: &mut Collector) {
    let entry = ["base_python", "basepython"].iter().find_map(|key| section.get(key));
    for line in entry.into_iter().flat_map(|entry| entry.items()) {
        let text = unconditional(&ini::without_comment(line));
        if text.text.contains('.') && !text.text.contains('{') {
            to.facts.push(toolchain::python(&text, Role::Python, &format!("{}.base_python", section.name.text)));
        }
    }
}

/// The commands of a section as a script under the name of its first environment; the others run that one.
fn scripts(section: &Section, names: &[Text], source: &Source, to: &mut Collector) {
    let mut lines: Vec<Line> = Vec::new();
    for key in ["commands_pre", "commands", "commands_post"] {
        let entry = section.get(key).into_iter().flat_map(|entry| entry.items());
        let texts: Vec<Text> = entry.map(ini::without_comment).collect();
        lines.extend(commands(&texts));
    }
    let (Some(first), false) = (names.first(), lines.is_empty()) else { return };
    let key = section.name.text.clone();
    let recipe = Recipe {
        tool: "tox",
        needs: Vec::new(),
        lines,
        shell: Shell::ERREXIT,
        at: section.name.at,
        cwd: source.folder(),
        key: &key,
    };
    let script = read_recipe(recipe, to.facts);
    for name in &names[1..] {
        let same = vec![runs(name.at, "tox", vec![first.text.clone()])];
        to.facts.scripts.push((name.text.clone(), Script { commands: same, at: name.at, ..script.clone() }));
    }
    to.facts.scripts.push((first.text.clone(), script));
}

/// tox-docker: `[docker:db] image = postgres:15`.
fn image(section: &Section, to: &mut Collector) {
    if !section.name.text.starts_with("docker:") {
        return;
    }
    for line in section.get("image").into_iter().flat_map(|entry| entry.items()) {
        let text = ini::without_comment(line);
        if let Some(reference) = oci::image(&text, Role::CiService, &format!("{}.image", section.name.text)) {
            to.facts.push(reference);
        }
    }
}

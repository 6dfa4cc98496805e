//! tox's own TOML tables: `env_run_base`, `env.NAME`. Source: tox's documentation, "TOML".

use crate::formats::requires::{Collector, Place, tox};
use crate::ecosystems::toolchain;
use crate::model::manifest::Group;
use crate::model::reference::Role;
use crate::model::pipeline::{Assignment, Scope};
use crate::model::script::Shell;
use crate::model::secrets::handed;
use crate::model::source::Source;
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use crate::tools::{Line, Recipe, read_recipe};

/// Reads all tables.
pub fn read(root: Node, source: &Source, to: &mut Collector) {
    let lines: Vec<Text> = root.get("env_list").into_iter().flat_map(|list| list.items()).filter_map(Node::text).collect();
    let names = tox::expanded(&lines);
    to.manifest.python_versions = names.iter().filter_map(tox::python_of).collect();
    tox::default_entry(&names, to);
    to.manifest.entry_points = names.into_iter().map(|name| name.text).collect();
    let group = Group::Named("requires".to_string());
    for text in texts(root.get("requires")) {
        to.pip_line(&text, Place { role: Role::Dev, group: &group, key: "requires" });
    }
    if let Some(base) = root.get("env_run_base") {
        environment("testenv", base, source, to);
    }
    for (name, env) in root.get("env").into_iter().flat_map(|table| table.entries()) {
        let Some(name) = name.str() else { continue };
        if !to.manifest.entry_points.iter().any(|known| known == name) {
            to.manifest.entry_points.push(name.to_string());
        }
        environment(name, env, source, to);
    }
}

fn texts(list: Option<Node>) -> Vec<Text> {
    list.into_iter().flat_map(|list| list.list()).filter_map(Node::text).collect()
}

fn environment(name: &str, env: Node, source: &Source, to: &mut Collector) {
    let (group, key) = (Group::Named(name.to_string()), format!("env.{name}.deps"));
    for text in texts(env.get("deps")) {
        tox::dependency(&text, Place { role: Role::Dev, group: &group, key: &key }, to);
    }
    let settings = ["pass_env", "set_env", "runner", "constrain_package_deps", "dependency_groups", "ignore_outcome", "package", "uv_sync_locked"];
    for setting in settings {
        if let Some(value) = env.get(setting) {
            to.setting(&format!("tox.{setting}"), value);
        }
    }
    let mut assignments = Vec::new();
    for line in texts(env.get("pass_env")) {
        assignments.extend(tox::passed(&line, &format!("env.{name}.pass_env")));
    }
    for (variable, value) in env.get("set_env").into_iter().flat_map(|table| table.entries()) {
        let (Some(variable), Some(text)) = (variable.str(), value.str()) else { continue };
        let (value_of, key) = (handed::value(text, &["env:"]), format!("env.{name}.set_env.{variable}"));
        assignments.push(Assignment { name: variable.to_string(), value: value_of, scope: Scope::Container, at: value.at(), key });
    }
    tox::push_environment(name, env.at(), assignments, to);
    for text in texts(env.get("base_python")).into_iter().filter(|text| text.text.contains('.')) {
        to.facts.push(toolchain::python(&text, Role::Python, &format!("env.{name}.base_python")));
    }
    scripts(name, env, source, to);
}

/// `commands = [["pytest", "-q"]]`: each a list of words, which no shell reads.
fn scripts(name: &str, env: Node, source: &Source, to: &mut Collector) {
    let mut lines = Vec::new();
    for key in ["commands_pre", "commands", "commands_post"] {
        for command in env.get(key).into_iter().flat_map(|list| list.items()) {
            let mut text = Mapped { text: String::new(), at: command.whole(), segments: Vec::new() };
            for word in command.items().filter_map(Node::text) {
                push(&word, &mut text);
            }
            let tolerated = text.text.starts_with("- ");
            let lead = if tolerated { 2 } else { 0 };
            if text.text.len() > lead {
                lines.push(Line { text: text.slice(lead..text.text.len()), tolerated });
            }
        }
    }
    if lines.is_empty() {
        return;
    }
    let key = format!("env.{name}");
    let recipe = Recipe { tool: "tox", needs: Vec::new(), lines, shell: Shell::ERREXIT, at: env.whole(), cwd: source.folder(), key: &key };
    let script = read_recipe(recipe, to.facts);
    to.facts.scripts.push((name.to_string(), script));
}

/// A word between single quotes where it needs them; `{posargs}` alone is nothing.
fn push(word: &Text, text: &mut Mapped) {
    let bare = word.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=:@%+,[]".contains(&byte));
    if word.text.is_empty() || word.text.starts_with("{posargs") {
        return;
    }
    if !text.text.is_empty() {
        text.text.push(' ');
    }
    let quote = !bare && !word.text.contains('\'');
    if quote {
        text.text.push('\'');
    }
    match word.verbatim {
        true => text.push(&word.text, word.at.span.start as usize),
        false => text.text.push_str(&word.text),
    }
    if quote {
        text.text.push('\'');
    }
}

//! Tables of tools that test: pytest, tox, cibuildwheel, task runners.

use super::entry_points;
use crate::ecosystems::oci;
use crate::formats::requires::{Collector, Place};
use crate::model::manifest::Group;
use crate::model::reference::Role;
use crate::syntax::tree::Node;

/// Reads them.
pub fn read(tool: Node, to: &mut Collector) {
    let pytest = tool.get("pytest");
    for table in [pytest.and_then(|table| table.get("ini_options")), pytest].into_iter().flatten() {
        if let Some(addopts) = table.get("addopts") {
            to.setting("pytest.addopts", addopts);
        }
    }
    tox(tool.get("tox"), to);
    cibuildwheel(tool.get("cibuildwheel"), to);
    entry_points(tool.path(&["poe", "tasks"]), to);
    entry_points(tool.path(&["taskipy", "tasks"]), to);
}

/// tox 4's own table; `legacy_tox_ini` is a text of another format and only its presence is of use here.
fn tox(tox: Option<Node>, to: &mut Collector) {
    let Some(tox) = tox else { return };
    to.manifest.tools.push("tox".to_string());
    let named = tox.get("env").into_iter().flat_map(|table| table.entries());
    let named = named.filter_map(|(name, env)| Some((name.str()?, env)));
    let base = ["env_run_base", "env_pkg_base"].iter().filter_map(|name| Some((*name, tox.get(name)?)));
    for (name, env) in base.chain(named) {
        let (group, key) = (Group::Named(name.to_string()), format!("tool.tox.{name}.deps"));
        let place = Place { role: Role::Dev, group: &group, key: &key };
        for text in env.get("deps").into_iter().flat_map(|deps| deps.items()).filter_map(Node::text) {
            to.pip_line(&text, place);
        }
        to.manifest.entry_points.push(name.to_string());
    }
}

fn cibuildwheel(table: Option<Node>, to: &mut Collector) {
    let Some(table) = table else { return };
    let group = Group::Named("cibuildwheel".to_string());
    let place = Place { role: Role::Dev, group: &group, key: "tool.cibuildwheel.test-requires" };
    let systems = ["linux", "macos", "windows", "pyodide"].iter().filter_map(|name| table.get(name));
    for section in std::iter::once(table).chain(systems) {
        if let Some(list) = section.get("test-requires").filter(|list| list.is_seq()) {
            to.pep508_list(list, place);
        }
        for (key, value) in section.entries() {
            let Some(name) = key.str().filter(|name| name.ends_with("-image")) else { continue };
            // `manylinux2014` and its kind are names that cibuildwheel itself resolves to images it pins.
            let Some(text) = value.text().filter(|text| text.text.contains('/')) else { continue };
            let found = oci::image(&text, Role::CiImage, &format!("tool.cibuildwheel.{name}"));
            if let Some(reference) = found {
                to.facts.push(reference);
            }
        }
    }
}

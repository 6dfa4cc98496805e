//! `[tool.hatch]`: environments with requirements and scripts, and what its builds need.
//!
//! Source: hatch's documentation, "Environment overview".

use crate::formats::requires::{Collector, Place};
use crate::model::manifest::Group;
use crate::model::reference::Role;
use crate::syntax::tree::Node;

/// Reads it.
pub fn read(tool: Node, to: &mut Collector) {
    let Some(hatch) = tool.get("hatch") else { return };
    environments(hatch.get("envs"), "tool.hatch.envs", to);
    for kind in ["hooks", "targets"] {
        let table = hatch.path(&["build", kind]).into_iter().flat_map(|table| table.entries());
        for (name, section) in table {
            let key = format!("tool.hatch.build.{kind}.{}", name.str().unwrap_or(""));
            if let Some(list) = section.get("dependencies") {
                to.pep508_list(list, Place { role: Role::Build, group: &Group::Build, key: &key });
            }
        }
    }
}

/// Environments of `hatch.toml` or `[tool.hatch.envs]`.
pub fn environments(envs: Option<Node>, lead: &str, to: &mut Collector) {
    for (name, env) in envs.into_iter().flat_map(|table| table.entries()) {
        let Some(name) = name.str() else { continue };
        let group = Group::Named(name.to_string());
        for list in ["dependencies", "extra-dependencies"] {
            let key = format!("{lead}.{name}.{list}");
            if let Some(list) = env.get(list) {
                to.pep508_list(list, Place { role: Role::Dev, group: &group, key: &key });
            }
        }
        for (script, _) in env.get("scripts").into_iter().flat_map(|table| table.entries()) {
            let script = script.str().unwrap_or("");
            let point = if name == "default" { script.to_string() } else { format!("{name}:{script}") };
            to.manifest.entry_points.push(point);
        }
    }
}

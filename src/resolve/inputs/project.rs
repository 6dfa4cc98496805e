//! What projects ask for: `pyproject.toml` and `setup.cfg`. Only what is written there; nothing is built.

use super::{Reader, line_number};
use crate::ecosystems::pypi;
use crate::model::span::SourceId;
use crate::resolve::requirement::{Origin, Requirement, Source};
use crate::syntax::ini;
use crate::syntax::toml;
use crate::syntax::tree::Node;
use std::sync::Arc;

/// The name of a project by its `pyproject.toml`.
pub fn name(text: &str) -> Option<String> {
    let tree = toml::parse(SourceId(0), text);
    tree.root()?.path(&["project", "name"])?.str().map(pypi::normalize)
}

/// A requirement's text and the line where it stands.
type Written = (String, u32);

impl Reader<'_> {
    pub(super) fn pyproject(&mut self, path: &str, text: &str) {
        let tree = toml::parse(SourceId(0), text);
        let Some(root) = tree.root() else { return };
        let project = root.get("project");
        let name = project.and_then(|project| project.get("name")).and_then(Node::str).map(pypi::normalize);
        let dynamic: Vec<&str> = project
            .and_then(|project| project.get("dynamic"))
            .into_iter()
            .flat_map(|list| list.items())
            .filter_map(Node::str)
            .collect();
        let only_groups = !self.wanted.groups.is_empty() && project.is_none();
        if dynamic.contains(&"dependencies") {
            let why =
                "its dependencies are dynamic: known only by building it, which is not done; write them in the table";
            self.out.problems.push((path.to_string(), 1, why.to_string()));
        } else if project.is_none() && !only_groups {
            let why = "there is no [project] table to read; name an input that says what is asked for";
            self.out.problems.push((path.to_string(), 1, why.to_string()));
        }
        if let Some(python) = project.and_then(|project| project.get("requires-python")).and_then(Node::str) {
            self.out.requires_python = Some(python.to_string());
        }
        let list = |node: Option<Node>| -> Vec<Written> {
            let items = node.into_iter().flat_map(|list| list.items());
            items
                .filter_map(|item| Some((item.str()?.to_string(), line_number(text, item.at().span.start as usize))))
                .collect()
        };
        let mut written = list(project.and_then(|project| project.get("dependencies")));
        let optional = project.and_then(|project| project.get("optional-dependencies"));
        let extras: Vec<(String, Vec<Written>)> = optional
            .into_iter()
            .flat_map(|table| table.entries())
            .filter_map(|(key, node)| Some((pypi::normalize(key.str()?), list(Some(node)))))
            .collect();
        let asked: Vec<String> = if self.wanted.all_extras {
            extras.iter().map(|(name, _)| name.clone()).collect()
        } else {
            self.wanted.extras.iter().map(|extra| pypi::normalize(extra)).collect()
        };
        for extra in &asked {
            written.extend(extras.iter().filter(|(name, _)| name == extra).flat_map(|(_, list)| list.clone()));
        }
        let shown = format!("{} ({path})", name.as_deref().unwrap_or("project"));
        self.add_written(path, &shown, name.as_deref(), written, &extras, &asked);
        for group in &self.wanted.groups.clone() {
            let mut list = Vec::new();
            self.group(path, text, root, &pypi::normalize(group), &mut Vec::new(), &mut list);
            let shown = match &name {
                Some(name) => format!("{name} ({path}:{group})"),
                None => format!("({path}:{group})"),
            };
            self.add_written(path, &shown, name.as_deref(), list, &extras, &asked);
        }
    }

    fn group(
        &mut self,
        path: &str,
        text: &str,
        root: Node,
        group: &str,
        open: &mut Vec<String>,
        out: &mut Vec<Written>,
    ) {
        if open.iter().any(|one| one == group) {
            return;
        }
        open.push(group.to_string());
        let table = root.get("dependency-groups").into_iter().flat_map(|table| table.entries());
        let found = table
            .filter(|(key, _)| key.str().map(pypi::normalize).as_deref() == Some(group))
            .map(|(_, list)| list)
            .last();
        let Some(list) = found else {
            self.out.problems.push((path.to_string(), 1, format!("there is no dependency group `{group}`")));
            return;
        };
        for item in list.items() {
            if let Some(inner) = item.get("include-group").and_then(Node::str) {
                self.group(path, text, root, &pypi::normalize(inner), open, out);
            } else if let Some(one) = item.str() {
                out.push((one.to_string(), line_number(text, item.at().span.start as usize)));
            }
        }
        open.pop();
    }

    /// Adds requirements; those of the project itself stand for its extras.
    fn add_written(
        &mut self,
        path: &str,
        shown: &str,
        name: Option<&str>,
        written: Vec<Written>,
        extras: &[(String, Vec<Written>)],
        asked: &[String],
    ) {
        let mut waiting = written;
        waiting.reverse();
        let mut expanded: Vec<String> = asked.to_vec();
        while let Some((text, line)) = waiting.pop() {
            let mut one = match Requirement::parse(&text) {
                Ok(one) => one,
                Err(why) => {
                    self.out.problems.push((path.to_string(), line, why));
                    continue;
                }
            };
            if Some(&*one.name) == name && matches!(&one.source, Source::Index(_)) {
                for extra in &one.extras {
                    if !expanded.iter().any(|known| **known == **extra) {
                        expanded.push(extra.to_string());
                        let list =
                            extras.iter().filter(|(name, _)| **name == **extra).flat_map(|(_, list)| list.clone());
                        waiting.extend(list.collect::<Vec<_>>().into_iter().rev());
                    }
                }
                continue;
            }
            one.origin = Some(Arc::new(Origin { shown: shown.to_string(), file: path.to_string(), line }));
            self.out.requirements.push(one);
        }
    }

    pub(super) fn setup_cfg(&mut self, path: &str, text: &str) {
        let file = ini::parse(SourceId(0), text);
        let value = |section: &str, key: &str| {
            let section = file.sections.iter().find(|one| one.name.text == section)?;
            section.entries.iter().find(|entry| entry.key.text == key)
        };
        let lines = |entry: &ini::Entry| -> Vec<Written> {
            entry
                .lines
                .iter()
                .filter(|line| !line.text.trim().is_empty())
                .map(|line| (line.text.trim().to_string(), line_number(text, line.at.span.start as usize)))
                .collect()
        };
        let name =
            value("metadata", "name").map(|entry| pypi::normalize(lines(entry).first().map_or("", |(text, _)| text)));
        if let Some(python) = value("options", "python_requires") {
            self.out.requires_python = lines(python).first().map(|(text, _)| text.clone());
        }
        let mut written = value("options", "install_requires").map(lines).unwrap_or_default();
        let mut extras = Vec::new();
        if let Some(section) = file.sections.iter().find(|one| one.name.text == "options.extras_require") {
            extras = section.entries.iter().map(|entry| (pypi::normalize(&entry.key.text), lines(entry))).collect();
        }
        for (extra, list) in &extras {
            if self.wanted.all_extras || self.wanted.extras.iter().any(|asked| pypi::normalize(asked) == *extra) {
                written.extend(list.clone());
            }
        }
        let shown = format!("{} ({path})", name.as_deref().unwrap_or("project"));
        let asked = self.wanted.extras.clone();
        self.add_written(path, &shown, name.as_deref(), written, &extras, &asked);
    }
}

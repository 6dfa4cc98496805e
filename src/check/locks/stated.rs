//! What a `pyproject.toml` states, in the parts in which uv records it. Knows no lock.
//!
//! Source: uv's lowering of requirements (`uv-distribution`, `metadata/lowering.rs`) and its documentation of `tool.uv.sources`.

use super::marker::{Marker, of_python};
use crate::ecosystems::pypi;
use crate::model::lock::StatedRequirement;
use crate::model::source::join;
use crate::model::span::Location;
use crate::syntax::tree::Node;
use pep440_rs::VersionSpecifiers;
use std::str::FromStr;

/// A requirement that can be compared.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// PEP 503 form.
    pub name: String,
    /// Sorted.
    pub extras: Vec<String>,
    /// Clauses in one spelling and order.
    pub specifier: String,
    /// From where; empty for the default index.
    pub source: String,
    /// When.
    pub marker: Marker,
    /// Where it is written, on the side of the manifest.
    pub at: Option<Location>,
}

impl Wanted {
    /// What must be equal but for the marker.
    pub fn key(&self) -> (&str, &[String], &str, &str) {
        (&self.name, &self.extras, &self.specifier, &self.source)
    }

    /// As a person writes it.
    pub fn shown(&self) -> String {
        let extras = if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras.join(",")) };
        let source = if self.source.is_empty() {
            String::new()
        } else {
            format!(" from {}", pypi::without_credentials_in(&self.source))
        };
        format!("{}{extras}{}{source}", self.name, self.specifier)
    }
}

/// The side of the lock: `folder` is the lock's, `members` are the folders of workspace members.
pub fn recorded(stated: &StatedRequirement, folder: &str, members: &[String]) -> Wanted {
    Wanted {
        name: stated.name.clone(),
        extras: stated.extras.clone(),
        specifier: specifier(&stated.specifier),
        source: source_of_lock(&stated.source, folder, members),
        marker: Marker::read(&stated.marker),
        at: None,
    }
}

fn source_of_lock(source: &str, folder: &str, members: &[String]) -> String {
    let Some((kind, rest)) = source.split_once(' ') else { return String::new() };
    match kind {
        "index" => index(rest),
        "git" => git(rest),
        "url" => format!("url {}", rest.trim_end_matches('/')),
        kind => {
            let path = place(folder, rest);
            let kind = if kind == "virtual" { "directory" } else { kind };
            if members.contains(&path) { "workspace".to_string() } else { format!("{kind} {path}") }
        }
    }
}

fn place(folder: &str, path: &str) -> String {
    join(folder, path).unwrap_or_else(|| format!("outside {}", path.rsplit('/').next().unwrap_or(path)))
}

fn index(url: &str) -> String {
    format!("index {}", pypi::without_credentials(url).trim_end_matches('/'))
}

/// `URL?rev=x&subdirectory=y` with its parts in order.
fn git(url: &str) -> String {
    let url = url.split('#').next().unwrap_or(url);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    format!("git {}?{}", pypi::without_credentials(base).trim_end_matches('/'), pairs.join("&"))
}

/// Clauses sorted, versions without zeros at their end, as uv compares them.
pub fn specifier(text: &str) -> String {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')').trim_matches(',');
    let Ok(parsed) = VersionSpecifiers::from_str(text) else { return text.replace(' ', "") };
    let mut clauses: Vec<String> = parsed
        .iter()
        .map(|clause| {
            let text = clause.to_string();
            let significant = text.ends_with(".*") || text.starts_with("~=") || text.starts_with("===");
            if significant { text } else { without_zeros(&text) }
        })
        .collect();
    clauses.sort();
    clauses.dedup();
    clauses.join(", ")
}

fn without_zeros(clause: &str) -> String {
    let plain = clause.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '<' | '>' | '=' | '!'));
    let mut text = clause;
    while let Some(rest) = text.strip_suffix(".0").filter(|_| plain) {
        text = rest;
    }
    text.to_string()
}

/// A manifest and the root of its workspace.
#[derive(Clone, Copy)]
pub struct Manifest<'t> {
    /// Its document.
    pub node: Node<'t>,
    /// Its folder.
    pub folder: &'t str,
    /// The document of the workspace root (its own when it is the root).
    pub root: Node<'t>,
    /// The folder of the root.
    pub root_folder: &'t str,
    /// Folders of the workspace's members.
    pub members: &'t [String],
}

/// The list that a requirement stands in: sources can speak of one extra or group only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List<'a> {
    /// `dependencies` and lists that are no extra and no group.
    Main,
    /// An extra.
    Extra(&'a str),
    /// A group.
    Group(&'a str),
}

impl<'t> Manifest<'t> {
    /// A value below `[tool.uv]`.
    pub fn uv(self, key: &str) -> Option<Node<'t>> {
        self.node.path(&["tool", "uv", key])
    }

    /// `dependencies` and extras, the latter with a marker that names them.
    pub fn requires(self) -> Vec<Wanted> {
        let project = self.node.get("project");
        let main = project.and_then(|table| table.get("dependencies"));
        let mut wanted = self.list(main, List::Main);
        for (name, list) in extras(project) {
            let marker = Marker::read(&format!("extra == '{name}'"));
            let of_extra = self.list(Some(list), List::Extra(&name)).into_iter();
            wanted.extend(of_extra.map(|one| Wanted { marker: one.marker.and(&marker), ..one }));
        }
        wanted
    }

    /// `[dependency-groups]` with their includes followed, and uv's older `dev-dependencies`.
    pub fn groups(self) -> Vec<(String, Vec<Wanted>)> {
        let table = self.node.get("dependency-groups");
        let names = table.into_iter().flat_map(|table| table.entries()).filter_map(|(key, _)| key.str());
        let mut groups: Vec<(String, Vec<Wanted>)> = Vec::new();
        for name in names.map(pypi::normalize) {
            let wanted = self.group(&name, &mut Vec::new());
            groups.push((name, wanted));
        }
        if let Some(list) = self.uv("dev-dependencies") {
            let wanted = self.list(Some(list), List::Group("dev"));
            match groups.iter_mut().find(|(name, _)| name == "dev") {
                Some((_, group)) => group.extend(wanted),
                None => groups.push(("dev".to_string(), wanted)),
            }
        }
        groups
    }

    fn group(self, name: &str, seen: &mut Vec<String>) -> Vec<Wanted> {
        if seen.iter().any(|old| old == name) || seen.len() > 64 {
            return Vec::new();
        }
        seen.push(name.to_string());
        let table = self.node.get("dependency-groups").into_iter().flat_map(|table| table.entries());
        let list = table
            .filter(|(key, _)| key.str().map(pypi::normalize).as_deref() == Some(name))
            .map(|(_, list)| list)
            .last();
        let mut wanted = Vec::new();
        for item in list.into_iter().flat_map(|list| list.items()) {
            match item.get("include-group").and_then(Node::str) {
                Some(included) => wanted.extend(self.group(&pypi::normalize(included), seen)),
                None => wanted.extend(self.one(item, List::Group(name))),
            }
        }
        seen.pop();
        let when = self.python_of_group(name);
        wanted.into_iter().map(|one| Wanted { marker: one.marker.and(&when), ..one }).collect()
    }

    /// The Pythons that a group is for, which uv records as a marker of each of its requirements, those of included groups too:
    /// `[tool.uv.dependency-groups] docs = { requires-python = ">=3.12" }`.
    fn python_of_group(self, name: &str) -> Marker {
        let table = self.uv("dependency-groups").into_iter().flat_map(|table| table.entries());
        let of_group = table.filter(|(key, _)| key.str().map(pypi::normalize).as_deref() == Some(name));
        let python = of_group.filter_map(|(_, settings)| settings.get("requires-python")?.str()).last();
        of_python(python.unwrap_or(""))
    }

    /// The requirements of a list.
    pub fn list(self, list: Option<Node>, of: List) -> Vec<Wanted> {
        list.into_iter().flat_map(|list| list.items()).flat_map(|item| self.one(item, of)).collect()
    }

    /// One text can be several requirements: one for each source that speaks of it.
    pub fn one(self, item: Node, of: List) -> Vec<Wanted> {
        let Some(mut base) = item.str().and_then(parse) else { return Vec::new() };
        base.at = Some(item.at());
        if !base.source.is_empty() {
            return vec![base];
        }
        let mut rest = base.marker.clone();
        let mut wanted = Vec::new();
        for table in self.sources(&base.name) {
            let speaks = |key: &str, name: Option<&str>| match table.get(key).and_then(Node::str) {
                Some(only) => name.is_some_and(|name| pypi::normalize(only) == name),
                None => true,
            };
            let (extra, group) = match of {
                List::Main => (None, None),
                List::Extra(name) => (Some(name), None),
                List::Group(name) => (None, Some(name)),
            };
            if !speaks("extra", extra) || !speaks("group", group) {
                continue;
            }
            let when = Marker::read(table.get("marker").and_then(Node::str).unwrap_or(""));
            let one = Wanted { marker: base.marker.and(&when), source: self.source(table), ..base.clone() };
            // A place of its own has no versions to choose from.
            let specifier = if one.source.is_empty() || one.source.starts_with("index ") {
                base.specifier.clone()
            } else {
                String::new()
            };
            wanted.push(Wanted { specifier, ..one });
            rest = rest.and(&when.negate());
        }
        if !rest.is_never() || wanted.is_empty() {
            wanted.push(Wanted { marker: rest, ..base });
        }
        wanted
    }

    /// Tables of `tool.uv.sources` for a name: the manifest's own, else those of the root.
    fn sources(self, name: &str) -> Vec<Node<'t>> {
        let of = |node: Node<'t>| {
            let table = node.path(&["tool", "uv", "sources"]).into_iter().flat_map(|table| table.entries());
            table
                .filter(|(key, _)| key.str().map(pypi::normalize).as_deref() == Some(name))
                .map(|(_, value)| value)
                .last()
        };
        let found = of(self.node).or_else(|| of(self.root));
        found.into_iter().flat_map(|node| if node.is_map() { vec![node] } else { node.items().collect() }).collect()
    }

    fn source(self, table: Node) -> String {
        let text = |key: &str| table.get(key).and_then(Node::str);
        if let Some(name) = text("index") {
            return self.index(name).map_or_else(|| format!("index {name}"), |url| index(&url));
        }
        if let Some(url) = text("git") {
            let pairs =
                ["rev", "tag", "branch", "subdirectory"].iter().filter_map(|key| Some(format!("{key}={}", text(key)?)));
            let lfs = table.get("lfs").and_then(Node::bool).filter(|lfs| *lfs).map(|_| "lfs=true".to_string());
            return git(&format!("{url}?{}", pairs.chain(lfs).collect::<Vec<_>>().join("&")));
        }
        if let Some(url) = text("url") {
            let folder = text("subdirectory").map_or(String::new(), |folder| format!("#subdirectory={folder}"));
            return format!("url {}{folder}", url.trim_end_matches('/'));
        }
        if table.get("workspace").and_then(Node::bool) == Some(true) {
            return "workspace".to_string();
        }
        let Some(path) = text("path") else { return String::new() };
        self.path(path, table)
    }

    fn path(self, path: &str, table: Node) -> String {
        // Sources of the root are written from the root, those of a member from the member.
        let own = self
            .node
            .path(&["tool", "uv", "sources"])
            .is_some_and(|own| own.entries().any(|(_, value)| value == table));
        let folder = if own { self.folder } else { self.root_folder };
        let place = place(folder, path);
        let archive = [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"].iter().any(|end| path.ends_with(end));
        let editable = table.get("editable").and_then(Node::bool) == Some(true);
        match () {
            _ if archive => format!("path {place}"),
            _ if self.members.contains(&place) => "workspace".to_string(),
            _ if editable => format!("editable {place}"),
            _ => format!("directory {place}"),
        }
    }

    fn index(self, name: &str) -> Option<String> {
        let of = |node: Node<'t>| {
            let list = node.path(&["tool", "uv", "index"]).into_iter().flat_map(|list| list.items());
            let mut named = list.filter(|index| index.get("name").and_then(Node::str) == Some(name));
            named.next().and_then(|index| index.get("url")).and_then(Node::str).map(str::to_string)
        };
        of(self.node).or_else(|| of(self.root))
    }
}

/// Extras of a project, names in PEP 503 form.
pub fn extras(project: Option<Node<'_>>) -> Vec<(String, Node<'_>)> {
    let table = project.and_then(|table| table.get("optional-dependencies"));
    let entries = table.into_iter().flat_map(|table| table.entries());
    entries.map(|(key, list)| (pypi::normalize(key.str().unwrap_or("")), list)).collect()
}

/// A PEP 508 text in parts. None when it is none.
pub fn parse(text: &str) -> Option<Wanted> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start();
    let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((list, rest)) => (list, rest.trim_start()),
        None => ("", rest),
    };
    let mut extras: Vec<String> =
        extras.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(pypi::normalize).collect();
    extras.sort();
    extras.dedup();
    let (body, marker) = match rest.strip_prefix('@') {
        Some(url) => url.split_once(" ;").unwrap_or((url, "")),
        None => rest.split_once(';').unwrap_or((rest, "")),
    };
    let url = rest.starts_with('@').then(|| direct(body.trim()));
    Some(Wanted {
        name: pypi::normalize(name),
        extras,
        specifier: if url.is_some() { String::new() } else { specifier(body) },
        source: url.unwrap_or_default(),
        marker: Marker::read(marker),
        at: None,
    })
}

/// A direct URL as uv records it.
fn direct(url: &str) -> String {
    let Some(rest) = url.strip_prefix("git+") else {
        let (base, fragment) = url.split_once('#').unwrap_or((url, ""));
        let folder = fragment.split('&').find(|part| part.starts_with("subdirectory="));
        let folder = folder.map_or(String::new(), |folder| format!("#{folder}"));
        return format!("url {}{folder}", pypi::without_credentials(base).trim_end_matches('/'));
    };
    let (base, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let host = base.find("://").map_or(0, |at| at + 3);
    let path = base[host..].find('/').map_or(base.len(), |at| host + at);
    let (base, commit) = match base[path..].rfind('@') {
        Some(at) => (&base[..path + at], Some(format!("rev={}", &base[path + at + 1..]))),
        None => (base, None),
    };
    let folder = fragment.split('&').find(|part| part.starts_with("subdirectory=")).map(str::to_string);
    let pairs: Vec<String> = commit.into_iter().chain(folder).collect();
    git(&format!("{base}?{}", pairs.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_have_one_spelling() {
        for (a, b) in [(">=8.1.0,<9", "<9, >=8.1"), ("== 1.0", "==1"), ("(>=1)", ">=1"), (">=1.0,", ">=1")] {
            assert_eq!(specifier(a), specifier(b), "{a} / {b}");
        }
        assert_ne!(specifier("~=1.4"), specifier("~=1.4.0"));
        assert_ne!(specifier(">=8.1"), specifier(">=8.0"));
    }

    #[test]
    fn direct_urls_are_as_uv_records_them() {
        let source = |text: &str| parse(text).expect("it is a requirement").source;
        assert_eq!(
            source("a @ git+https://h/o/r@v1#subdirectory=x ; os_name == 'nt'"),
            "git https://h/o/r?rev=v1&subdirectory=x"
        );
        assert_eq!(source("a @ https://h/a.whl"), "url https://h/a.whl");
        assert_eq!(git("https://h/o/r?subdirectory=x&rev=v1"), source("a @ git+https://h/o/r@v1#subdirectory=x"));
    }
}

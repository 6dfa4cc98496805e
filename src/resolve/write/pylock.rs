//! `pylock.toml` (PEP 751) as uv writes it.

use crate::resolve::Solution;
use crate::resolve::graph::Package;
use crate::resolve::listing::{File, Kind};
use crate::resolve::marker::Marker;
use crate::resolve::solve::fork::python_marker;
use std::sync::Arc;

/// The index that need not be named.
const PYPI: &str = "https://pypi.org/simple";

/// Which files are written.
pub type Keeps<'k> = &'k dyn Fn(&File) -> bool;

/// For what a file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One environment.
    One,
    /// Every platform; markers then name the Pythons too, as uv writes them here.
    Universal,
}

/// Writes a `pylock.toml`. `command` is what its header names, `by` the tool that made it.
pub fn pylock(solution: &Solution, header: &str, by: &str, scope: Scope, keeps: Keeps) -> String {
    let mut out = String::from(header);
    out += "lock-version = \"1.0\"\n";
    out += &format!("created-by = {}\n", quoted(by));
    let scope = &match scope {
        Scope::One => Marker::always(),
        Scope::Universal => python_marker(&solution.python),
    };
    let python = solution.python.to_string();
    if python != "any" {
        out += &format!("requires-python = {}\n", quoted(&python));
    }
    for package in &solution.packages {
        out += &one(package, scope, keeps);
    }
    out
}

fn one(package: &Package, scope: &Marker, keeps: Keeps) -> String {
    let mut out = String::from("\n[[packages]]\n");
    out += &format!("name = {}\n", quoted(&package.name));
    out += &format!("version = {}\n", quoted(&package.version.to_string()));
    if let Some(marker) = package.marker.and(scope).text() {
        out += &format!("marker = {}\n", quoted(&marker));
    }
    if let Some((_, pinned)) = &package.direct {
        let hash = package.hashes.iter().find_map(|hash| hash.strip_prefix("sha256:"));
        let hashes = hash.map_or(String::new(), |hash| format!(", hashes = {{ sha256 = {} }}", quoted(hash)));
        let url = pinned.split('#').next().unwrap_or(pinned);
        if pinned.contains("://") {
            out += &format!("archive = {{ url = {}{hashes} }}\n", quoted(url));
        } else {
            let place = pinned.strip_prefix("-e ").unwrap_or(pinned);
            let editable = if pinned.starts_with("-e ") { ", editable = true" } else { "" };
            out += &format!("directory = {{ path = {}{editable} }}\n", quoted(place));
        }
        return out;
    }
    if let Some(index) = package.index.as_ref().filter(|index| ***index != *PYPI) {
        out += &format!("index = {}\n", quoted(index));
    }
    let kept = package.files.iter().filter(|file| keeps(file));
    let (wheels, sdists): (Vec<&Arc<File>>, Vec<&Arc<File>>) =
        kept.partition(|file| matches!(file.kind, Kind::Wheel(_)));
    if let Some(source) = sdists.first() {
        out += &format!("sdist = {}\n", file(source));
    }
    match &wheels[..] {
        [] => {}
        [one] => out += &format!("wheels = [{}]\n", file(one)),
        many => {
            out += "wheels = [\n";
            for wheel in many {
                out += &format!("    {},\n", file(wheel));
            }
            out += "]\n";
        }
    }
    out
}

fn file(file: &File) -> String {
    let mut parts = vec![format!("url = {}", quoted(&file.url))];
    if let Some(time) = file.uploaded.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()) {
        parts.push(format!("upload-time = {}", date_time(time)));
    }
    if let Some(size) = file.size {
        parts.push(format!("size = {size}"));
    }
    let hashes: Vec<String> = file
        .hashes
        .iter()
        .filter_map(|hash| hash.split_once(':'))
        .map(|(kind, hash)| format!("{kind} = {}", quoted(hash)))
        .collect();
    if !hashes.is_empty() {
        parts.push(format!("hashes = {{ {} }}", hashes.join(", ")));
    }
    format!("{{ {} }}", parts.join(", "))
}

/// To the second, as uv writes it.
fn date_time(time: jiff::Timestamp) -> String {
    let text = time.to_string();
    format!("{}Z", text.split(['.', 'Z']).next().unwrap_or(&text))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

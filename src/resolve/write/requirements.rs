//! Requirements files as uv and pip-compile write them, to the byte.

use crate::resolve::Solution;
use crate::resolve::graph::{Package, Via};
use crate::resolve::inputs::{Annotations, Options, Tool};
use crate::resolve::marker::Marker;
use crate::resolve::requirement::Name;
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet};

/// Packages that pip-compile does not write unless it is told to.
const UNSAFE: [&str; 3] = ["distribute", "pip", "setuptools"];

/// What pip-compile writes above them.
const UNSAFE_NOTE: &str = "# The following packages are considered to be unsafe in a requirements file:";

/// What it writes in its place where hashes make pip ask for them.
const UNPINNED_NOTE: &str = "# WARNING: The following packages were not pinned, but pip requires them to be\n\
    # pinned when the requirements file includes hashes and the requirement is not\n\
    # satisfied by a package already installed. Consider using the --allow-unsafe flag.";

/// Whose layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// That of uv.
    Uv,
    /// That of pip-compile.
    PipTools,
}

/// Whether extras stand behind names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extras {
    /// `celery==5`.
    Stripped,
    /// `celery[redis]==5`.
    Written,
}

/// How a requirements file looks.
#[derive(Debug, Clone)]
pub struct Style {
    /// Whose layout.
    pub layout: Layout,
    /// Whether hashes are written.
    pub hashes: bool,
    /// How it is noted who needs a package.
    pub annotations: Annotations,
    /// Whether extras are written.
    pub extras: Extras,
    /// Whether markers are written.
    pub markers: bool,
    /// Whether the index of each package is noted.
    pub index_noted: bool,
    /// Whether pip-compile writes unsafe packages.
    pub unsafe_allowed: bool,
    /// Packages that are left out.
    pub left_out: Vec<String>,
    /// What stands above the first package, to the byte.
    pub preamble: String,
    /// The end of lines.
    pub newline: &'static str,
    /// Markers of packages that one environment asks for directly, as the earlier file writes them.
    pub known_markers: BTreeMap<String, String>,
}

/// The style of an earlier file, else what the command line says, else the tool's own.
pub fn style_of(earlier: Option<&str>, options: &Options, preamble: String) -> Style {
    let text = earlier.unwrap_or("");
    let has = |part: &str| text.contains(part);
    let layout = if options.tool == Tool::PipTools { Layout::PipTools } else { Layout::Uv };
    let split = has("\n    # via");
    let line = text.lines().any(|line| !line.starts_with([' ', '#']) && line.contains("# via "));
    let seen = match (earlier.is_some_and(has_packages), split, line) {
        (false, ..) => None,
        (true, true, _) => Some(Annotations::Split),
        (true, false, true) => Some(Annotations::Line),
        (true, false, false) => Some(Annotations::None),
    };
    let extras_seen = text
        .lines()
        .any(|line| !line.starts_with([' ', '#', '-']) && line.split("==").next().unwrap_or("").contains('['));
    // pip-compile wrote extras by itself before its version 8.
    let extras = options.extras_written.unwrap_or(extras_seen);
    let hashes = options.hashes.unwrap_or_else(|| has("--hash="));
    let unsafe_seen = text.split_once(UNSAFE_NOTE).is_some_and(|(_, rest)| rest.contains("=="));
    Style {
        layout,
        hashes,
        // With hashes, notes of the line style stand below the package all the same.
        annotations: options.annotations.or(seen).unwrap_or(Annotations::Split),
        extras: if extras { Extras::Written } else { Extras::Stripped },
        markers: options.universal || options.markers_written.unwrap_or(layout == Layout::PipTools),
        index_noted: options.index_noted,
        unsafe_allowed: options.unsafe_allowed.unwrap_or(unsafe_seen || layout == Layout::Uv),
        left_out: options.left_out.clone(),
        preamble,
        newline: if has("\r\n") { "\r\n" } else { "\n" },
        known_markers: known_markers(text),
    }
}

fn has_packages(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

fn known_markers(text: &str) -> BTreeMap<String, String> {
    let pinned = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let marked = pinned.filter_map(|line| {
        let (pin, rest) = line.split_once(" ; ")?;
        let marker = rest.split(" \\").next()?.split("  #").next()?.trim();
        let name = pin.split(['=', '[', ' ']).next()?;
        Some((crate::ecosystems::pypi::normalize(name), marker.to_string()))
    });
    marked.collect()
}

/// A line of the file with what belongs to it.
struct Row<'p> {
    package: &'p Package,
    extras: Vec<Name>,
    marker: Marker,
}

/// Writes a requirements file.
pub fn requirements(solution: &Solution, style: &Style) -> String {
    let mut rows = rows(solution, style);
    rows.retain(|row| !style.left_out.iter().any(|name| **name == *row.package.name));
    let unsafe_one = |row: &Row| style.layout == Layout::PipTools && UNSAFE.contains(&&*row.package.name);
    let (unsafe_rows, safe): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(unsafe_one);
    let mut out = style.preamble.clone();
    for row in &safe {
        write_row(&mut out, row, solution, style);
    }
    if style.layout == Layout::PipTools && !unsafe_rows.is_empty() {
        out.push('\n');
        out += if style.hashes && !style.unsafe_allowed { UNPINNED_NOTE } else { UNSAFE_NOTE };
        out.push('\n');
        for row in &unsafe_rows {
            if style.unsafe_allowed {
                write_row(&mut out, row, solution, style);
            } else {
                out += &format!("# {}\n", row.package.name);
            }
        }
    }
    out += &left_out_note(solution, style);
    if style.newline == "\n" { out } else { out.replace("\r\n", "\n").replace('\n', style.newline) }
}

fn left_out_note(solution: &Solution, style: &Style) -> String {
    let names: BTreeSet<&str> = solution.packages.iter().map(|package| &*package.name).collect();
    let mut left: Vec<&String> = style.left_out.iter().filter(|name| names.contains(name.as_str())).collect();
    left.sort();
    left.dedup();
    if style.layout != Layout::Uv || left.is_empty() || style.annotations == Annotations::None {
        return String::new();
    }
    let list: String = left.iter().map(|name| format!("# {name}\n")).collect();
    format!("\n# The following packages were excluded from the output:\n{list}")
}

/// One row for a package, or, where extras are kept, one for each marker that they have.
fn rows<'p>(solution: &'p Solution, style: &Style) -> Vec<Row<'p>> {
    let mut rows = Vec::new();
    for package in &solution.packages {
        let direct_path = package.direct.as_ref().is_some_and(|(url, _)| url.starts_with("-e "));
        if style.extras == Extras::Stripped || direct_path {
            rows.push(Row { package, extras: Vec::new(), marker: package.marker.clone() });
            continue;
        }
        let own =
            |entry: &&(Name, Version, Option<Name>, Marker)| entry.0 == package.name && entry.1 == package.version;
        let mut by_marker: Vec<(Marker, Vec<Name>)> = Vec::new();
        for (_, _, extra, marker) in solution.with_extras.iter().filter(own) {
            match by_marker.iter_mut().find(|(known, _)| known == marker) {
                Some((_, extras)) => extras.extend(extra.clone()),
                None => by_marker.push((marker.clone(), extra.iter().cloned().collect())),
            }
        }
        for (marker, mut extras) in by_marker {
            extras.sort();
            extras.dedup();
            rows.push(Row { package, extras, marker });
        }
    }
    let editable = |row: &Row| row.package.direct.as_ref().is_some_and(|(url, _)| url.starts_with("-e "));
    let pip_name =
        |row: &Row| if style.layout == Layout::PipTools { row.package.name.to_string() } else { String::new() };
    rows.sort_by(|a, b| {
        let key = |row: &Row| (!editable(row), pip_name(row), row.package.name.clone(), row.package.version.clone());
        key(a).cmp(&key(b)).then_with(|| a.extras.cmp(&b.extras))
    });
    rows
}

fn write_row(out: &mut String, row: &Row, solution: &Solution, style: &Style) {
    let mut line = pin(row, solution, style);
    let hashed = style.hashes && !row.package.hashes.is_empty();
    if hashed {
        for hash in &row.package.hashes {
            line += &format!(" \\\n    --hash={hash}");
        }
    }
    let notes = notes(row.package, style);
    let text = match style.annotations {
        _ if notes.is_empty() => line,
        Annotations::None => line,
        Annotations::Line => {
            let apart = if hashed { "\n    " } else { "  " };
            format!("{line:24}{apart}# via {}", notes.join(", "))
        }
        Annotations::Split => match &notes[..] {
            [one] => format!("{line}\n    # via {one}"),
            many => {
                let list: String = many.iter().map(|note| format!("\n    #   {note}")).collect();
                format!("{line}\n    # via{list}")
            }
        },
    };
    for line in text.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if let Some(index) = row.package.index.as_ref().filter(|_| style.index_noted) {
        out.push_str(&format!("    # from {index}\n"));
    }
}

fn pin(row: &Row, solution: &Solution, style: &Style) -> String {
    let package = row.package;
    let marker = if style.markers { marker_text(row, solution, style) } else { None };
    let extras = match (row.extras.is_empty(), style.layout) {
        (true, _) => String::new(),
        (false, Layout::Uv) => format!("[{}]", row.extras.join(", ")),
        (false, Layout::PipTools) => format!("[{}]", row.extras.join(",")),
    };
    let mut line = match &package.direct {
        Some((url, _)) if url.starts_with("-e ") => url.to_string(),
        // A path is written as it was asked for.
        Some((url, _)) if !url.contains("://") => url.to_string(),
        Some((_, pinned)) => format!("{}{extras} @ {pinned}", package.name),
        None => format!("{}{extras}=={}", package.name, package.version),
    };
    if let Some(marker) = marker {
        line += &format!(" ; {marker}");
    }
    line
}

fn marker_text(row: &Row, solution: &Solution, style: &Style) -> Option<String> {
    match style.layout {
        Layout::Uv => row.marker.simplified(&solution.python).text(),
        // In its one environment pip-compile repeats the markers of what the inputs ask for; the earlier file has their spelling.
        Layout::PipTools => {
            let asked = row.package.asked_by.iter().any(|via| matches!(via, Via::Requirement(_)));
            style.known_markers.get(&*row.package.name).filter(|_| asked).cloned()
        }
    }
}

/// Who needs a package, in the order of the tool.
fn notes(package: &Package, style: &Style) -> Vec<String> {
    let asked: Vec<String> = package.asked_by.iter().map(Via::text).collect();
    let needed: Vec<String> = package.needed_by.iter().map(|name| name.to_string()).collect();
    let mut notes = match (style.layout, style.annotations) {
        (Layout::Uv, Annotations::Line) => [needed, asked].concat(),
        _ => [asked, needed].concat(),
    };
    if style.layout == Layout::PipTools {
        notes.sort();
    }
    notes
}

//! Everything that is fetched by name, for people and for programs: `pinguard list`, and `pinguard list --locks`. Has no opinion.

use super::redact::{self, Mask};
use super::view::place;
use super::{Report, Root, clean, json};
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Held, Reference};
use serde::Serialize;
use std::collections::HashMap;
use std::io;

/// The outputs of `list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Form {
    /// A table.
    #[default]
    Human,
    /// One line a reference.
    Concise,
    /// A bare array.
    Json,
}

impl Form {
    /// The form with this name.
    pub fn named(name: &str) -> Option<Form> {
        match name {
            "human" => Some(Form::Human),
            "concise" => Some(Form::Concise),
            "json" => Some(Form::Json),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    path: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    ecosystem: &'static str,
    name: String,
    version: Option<String>,
    digest: Option<&'a str>,
    digests: &'a [String],
    strength: &'static str,
    precision: Option<&'static str>,
    locked: Option<Locked<'a>>,
    role: &'static str,
    key: String,
}

#[derive(Serialize)]
struct Locked<'a> {
    path: String,
    version: &'a str,
    strength: &'static str,
}

/// Writes the references of a report, findings aside.
pub fn write(report: &Report, form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    let rows = rows(report);
    match form {
        Form::Json => clean::json(&rows, out),
        Form::Concise => rows.iter().try_for_each(|row| writeln!(out, "{}: {}", spot(row), words(row))),
        Form::Human => table(&rows, out),
    }
}

/// Writes the locks of a report.
pub fn write_locks(report: &Report, form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    let locks = json::locks(report);
    if form == Form::Json {
        return clean::json(&locks, out);
    }
    locks.iter().try_for_each(|lock| writeln!(out, "{}", lock.line()))
}

fn rows<'a>(report: &Report<'a>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for &root in &report.roots {
        let mut masks = HashMap::new();
        for (id, reference) in root.project.references() {
            let mask = masks.entry(id.source).or_insert_with(|| Mask::of(root.project.source(id.source), &[]));
            rows.push(row(root, reference, mask));
        }
    }
    rows.sort_by(|a, b| {
        (&a.path, a.line, a.column, &a.name, a.role).cmp(&(&b.path, b.line, b.column, &b.name, b.role))
    });
    rows
}

fn row<'a>(root: Root<'a>, reference: &'a Reference, mask: &Mask) -> Row<'a> {
    let place = place(root, reference.site.whole);
    let strength = reference.strength;
    let hidden = |text: &str| clean::line(&redact::hide_shapes(&mask.text(text))).into_owned();
    Row {
        path: place.path,
        line: place.start.line,
        column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
        ecosystem: reference.subject.ecosystem.name(),
        name: hidden(&reference.subject.name),
        version: reference.pin.version.as_deref().map(hidden),
        digest: reference.pin.digests.first().map(String::as_str),
        digests: &reference.pin.digests,
        strength: strength.map_or("unknown", strength_name),
        precision: match strength {
            Some(Strength::Floating(precision)) => Some(precision_name(precision)),
            _ => None,
        },
        locked: reference.held.as_ref().map(|held| locked(root, held)),
        role: reference.role.name(),
        key: hidden(&reference.key),
    }
}

fn locked<'a>(root: Root<'a>, held: &'a Held) -> Locked<'a> {
    let path = format!("{}{}", root.prefix, root.project.source(held.lock).path);
    Locked { path, version: &held.version, strength: strength_name(held.strength) }
}

/// The word of the output formats.
pub fn strength_name(strength: Strength) -> &'static str {
    match strength {
        Strength::Unspecified => "unspecified",
        Strength::Floating(_) => "floating",
        Strength::Exact => "exact",
        Strength::Immutable => "immutable",
    }
}

fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::Word => "word",
        Precision::Major => "major",
        Precision::Minor => "minor",
    }
}

fn spot(row: &Row) -> String {
    format!("{}:{}:{}", clean::path(&row.path), row.line, row.column)
}

fn words(row: &Row) -> String {
    let [ecosystem, name, version, strength, role] = cells(row);
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    format!("{ecosystem} {name}{version} [{strength}] {role}")
}

fn cells(row: &Row) -> [String; 5] {
    let digest = row.digest.map(|digest| short(digest).to_string()).unwrap_or_default();
    let version = [row.version.clone().unwrap_or_default(), digest].join(" ").trim().to_string();
    let strength = match (&row.locked, row.precision) {
        (Some(locked), _) => format!("{}, {} {} in {}", row.strength, locked.strength, locked.version, locked.path),
        (None, Some(precision)) => format!("{} ({precision})", row.strength),
        (None, None) => row.strength.to_string(),
    };
    [row.ecosystem.to_string(), row.name.clone(), version, clean::line(&strength).into_owned(), row.role.to_string()]
}

/// Enough of a digest to tell it from others.
fn short(digest: &str) -> &str {
    let end = digest.find(':').map_or(0, |colon| colon + 1) + 12;
    digest.get(..end).unwrap_or(digest)
}

fn table(rows: &[Row], out: &mut dyn io::Write) -> io::Result<()> {
    let mut path = "";
    for row in rows {
        if row.path != path {
            path = &row.path;
            writeln!(out, "{}", clean::path(path))?;
        }
        let [ecosystem, name, version, strength, role] = cells(row);
        let spot = format!("{}:{}", row.line, row.column);
        writeln!(out, "  {spot:<8} {ecosystem:<9} {name:<36} {version:<28} {strength:<16} {role}")?;
    }
    let unknown = rows.iter().filter(|row| row.strength == "unknown").count();
    writeln!(out, "{} references, {unknown} of unknown strength", rows.len())
}

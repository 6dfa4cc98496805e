//! SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. Only the parts that code scanning services
//! read; the schema in `fixtures/schemas` checks them.

use super::excerpt::Excerpt;
use super::summary::Summary;
use super::view::{Place, Row, View};
use super::{Report, clean};
use crate::model::rule::{Level, Rule};
use crate::model::span::{Location as At, Span};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    column_kind: &'static str,
    original_uri_base_ids: Value,
    invocations: Value,
    results: Vec<Result<'a>>,
    properties: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message<'a>,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix<'a>>,
    properties: Value,
}

#[derive(Serialize)]
struct Message<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'a> {
    description: Message<'a>,
    artifact_changes: Vec<Change>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: Artifact,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Value,
}

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let view = View::of(report);
    let mut rules: Vec<&'static Rule> = view.rows.iter().map(|row| row.rule).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup();
    let summary = Summary::of(report, &view);
    let run = Run {
        tool: json!({"driver": {
            "name": "pinguard",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.iter().map(|rule| descriptor(rule, report)).collect::<Vec<_>>(),
        }}),
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: json!({"%SRCROOT%": {"description": {"text": "The root of the project."}}}),
        invocations: json!([{"executionSuccessful": true}]),
        results: view.rows.iter().map(|row| result(row, &rules, &view)).collect(),
        properties: json!({"summary": summary}),
    };
    let log = Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
    clean::json(&log, out)
}

fn descriptor(rule: &Rule, report: &Report) -> Value {
    let manual = (report.manual)(rule.id);
    let markdown = if manual.is_empty() { rule.summary } else { manual.as_str() };
    let main = rule.levels.first().map_or(Level::Warning, |(_, levels)| levels.default);
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": markdown, "markdown": markdown},
        "defaultConfiguration": {"level": level(main), "enabled": main > Level::Off},
        "properties": {"tags": [rule.group.name()], "since": rule.since},
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info | Level::Advice => "note",
        Level::Off => "none",
    }
}

fn result<'a>(row: &'a Row, rules: &[&'static Rule], view: &View) -> Result<'a> {
    let related = row.related.iter().enumerate().map(|(index, related)| Location {
        id: Some(index + 1),
        physical_location: physical(&related.place, None),
        message: Some(Message { text: &related.message }),
    });
    Result {
        rule_id: row.rule.id,
        rule_index: rules.binary_search_by_key(&row.rule.id, |rule| rule.id).unwrap_or_default(),
        level: level(row.level),
        message: Message { text: &row.message },
        locations: [Location { id: None, physical_location: physical(&row.place, snippet(row, view)), message: None }],
        related_locations: related.collect(),
        partial_fingerprints: fingerprints(row.fingerprint),
        fixes: fix(row).into_iter().collect(),
        properties: json!({"key": row.key, "name": row.name, "pinguard/level": row.level.name(), "help": row.help}),
    }
}

/// Code scanning of GitHub reads `primaryLocationLineHash` only, in the form `hash:count`.
fn fingerprints(fingerprint: &str) -> BTreeMap<&'static str, String> {
    let counted = if fingerprint.contains(':') { fingerprint.to_string() } else { format!("{fingerprint}:1") };
    BTreeMap::from([("pinguard/v1", fingerprint.to_string()), ("primaryLocationLineHash", counted)])
}

fn physical(place: &Place, snippet: Option<String>) -> Physical {
    Physical { artifact_location: artifact(&place.path), region: region(place, snippet) }
}

fn artifact(path: &str) -> Artifact {
    let mut uri = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'@' | b'+' => {
                uri.push(byte as char)
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Artifact { uri, uri_base_id: "%SRCROOT%" }
}

fn region(place: &Place, snippet: Option<String>) -> Region {
    let (start, end) = (place.start, place.end);
    let snippet = snippet.filter(|text| !text.is_empty()).map(|text| json!({"text": text}));
    Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column, snippet }
}

/// The first line of the place, masked.
fn snippet(row: &Row, view: &View) -> Option<String> {
    let source = row.root.project.sources.get(row.at.source);
    let line = source.line_of(row.at.span.start);
    let mask = view.mask(row.root, source.id)?;
    Some(Excerpt::of(source, mask, line..line + 1, &[row.at.span]).text.trim_end().to_string())
}

fn fix<'a>(row: &'a Row) -> Option<Fix<'a>> {
    let fix = row.fix.as_ref().filter(|fix| !fix.edits.is_empty())?;
    let mut changes: BTreeMap<&str, Vec<Replacement>> = BTreeMap::new();
    for ((path, span, text), edit) in fix.edits.iter().zip(&fix.places) {
        changes.entry(path).or_default().push(replacement(row, edit.at.source, *span, text));
    }
    let changes = changes.into_iter();
    let changes = changes.map(|(path, replacements)| Change { artifact_location: artifact(path), replacements });
    let text = if row.help.is_empty() { "Replace the text." } else { &row.help };
    Some(Fix { description: Message { text }, artifact_changes: changes.collect() })
}

fn replacement(row: &Row, source: crate::model::span::SourceId, span: Span, text: &str) -> Replacement {
    let place = super::view::place(row.root, At::new(source, span));
    Replacement { deleted_region: region(&place, None), inserted_content: json!({"text": text}) }
}

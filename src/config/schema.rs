//! The JSON schema of the configuration, for editors: shapes from the table of keys, words from the sample.

use super::SAMPLE;
use super::keys::{self, Key, Kind};
use serde_json::{Map, Value, json};

/// The schema; `docs/pinguard.schema.json` is what this gives.
pub fn schema() -> Value {
    let mut root = table("");
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("pinguard.toml");
    root
}

fn table(path: &str) -> Value {
    let mut properties = Map::new();
    for key in keys::in_table(path) {
        let name = key.path.rsplit('.').next().unwrap_or(key.path);
        let mut value = shape(key);
        value["description"] = json!(description(key.path));
        properties.insert(name.to_string(), value);
    }
    let required: Vec<&str> = keys::in_table(path)
        .filter(|key| key.required)
        .map(|key| key.path.rsplit('.').next().unwrap_or(key.path))
        .collect();
    let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn shape(key: &Key) -> Value {
    let text = json!({ "type": "string" });
    let list = |of: Value| json!({ "type": "array", "items": of });
    match key.kind {
        Kind::Word(words) => json!({ "enum": words() }),
        Kind::Text | Kind::Glob | Kind::Rule => text,
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Texts | Kind::Globs | Kind::Rules => list(text),
        Kind::Words(words) => list(json!({ "enum": words() })),
        Kind::Levels => json!({ "type": "object", "additionalProperties": { "enum": keys::levels() } }),
        Kind::Table => table(key.path),
        Kind::Tables => list(table(key.path)),
        Kind::RulesOrTables => list(json!({ "anyOf": [text, table(key.path)] })),
    }
}

/// What the sample says about a key: the comment directly above it.
pub fn description(path: &str) -> String {
    let mut comment: Vec<&str> = Vec::new();
    let mut section = String::new();
    for line in SAMPLE.lines() {
        if let Some(words) = line.strip_prefix("# ") {
            comment.push(words);
            continue;
        }
        let Some(written) = line.strip_prefix('#') else {
            comment.clear();
            continue;
        };
        let header = written.trim_matches(['[', ']']);
        let name = if written.starts_with('[') {
            section = header.to_string();
            section.clone()
        } else {
            let key = written.split(" =").next().unwrap_or(written);
            if section.is_empty() { key.to_string() } else { format!("{section}.{key}") }
        };
        // `ignore` is a list at the top and a table at the end; the words at the top are those of the key.
        if name == path && !comment.is_empty() {
            return comment.join(" ");
        }
        comment.clear();
    }
    String::new()
}

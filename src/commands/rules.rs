//! `pinguard rules`: every rule with its levels.

use super::Outcome;
use crate::rules::RULES;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Row {
    id: &'static str,
    group: &'static str,
    summary: &'static str,
    since: &'static str,
    levels: Vec<Levels>,
}

#[derive(Serialize)]
struct Levels {
    kind: &'static str,
    default: &'static str,
    strict: &'static str,
    audit: &'static str,
}

/// Runs the command.
pub fn run(format: &str, out: &mut dyn Write) -> io::Result<Outcome> {
    let rows: Vec<Row> = RULES.iter().map(|registered| row(registered.rule)).collect();
    if format == "json" {
        serde_json::to_writer_pretty(&mut *out, &rows)?;
        writeln!(out)?;
        return Ok(Outcome::Clean);
    }
    let mut group = "";
    for row in &rows {
        if row.group != group {
            writeln!(out, "{}{}:", if group.is_empty() { "" } else { "\n" }, row.group)?;
            group = row.group;
        }
        let main = &row.levels[0];
        let levels = format!("{}/{}/{}", main.default, main.strict, main.audit);
        writeln!(out, "  {:<28} {levels:<24} {}", row.id, row.summary)?;
    }
    writeln!(
        out,
        "\nlevels are those of the profiles default/strict/audit; `pinguard explain RULE` prints a rule's manual"
    )?;
    Ok(Outcome::Clean)
}

fn row(rule: &'static crate::model::rule::Rule) -> Row {
    let levels = rule.levels.iter().map(|(kind, levels)| Levels {
        kind,
        default: levels.default.name(),
        strict: levels.strict.name(),
        audit: levels.audit.name(),
    });
    Row { id: rule.id, group: rule.group.name(), summary: rule.summary, since: rule.since, levels: levels.collect() }
}

//! What moved, as a table for people, as JSON, and as Markdown for a comment on a pull request. Finds nothing itself.

use super::clean;
use crate::model::moves::{Motion, Move, Moves};
use serde::Serialize;
use std::io::{self, Write};

/// The version of the JSON form.
const VERSION: u32 = 1;

/// How many rows of one file Markdown shows before it folds them.
const OPEN_ROWS: usize = 25;

/// What a patch is told that moves pins and edits code.
const MIXED: &str = "upgrade-mixed-patch";

/// Writes the table for people.
pub fn human(moves: &Moves, out: &mut dyn Write) -> io::Result<()> {
    for rows in moves.rows.chunk_by(|a, b| a.path == b.path) {
        writeln!(out, "{}", clean::line(&rows[0].path))?;
        let width = |text: fn(&Move) -> usize| rows.iter().map(text).max().unwrap_or(0).min(48);
        let (names, motions) = (width(|row| row.name.chars().count()), width(|row| row.motion.name().len()));
        for row in rows {
            let note = if row.note.is_empty() { String::new() } else { format!("  ({})", row.note) };
            let line = format!("  {:motions$}  {:names$}  {}{note}", row.motion.name(), row.name, change(row));
            writeln!(out, "{}", clean::line(line.trim_end()))?;
        }
    }
    for path in &moves.unread {
        writeln!(out, "error: {} could not be read; what moved in it is not known", clean::line(path))?;
    }
    for row in moves.rows.iter().filter(|row| row.motion.is_error()) {
        writeln!(out, "error: {}", clean::line(&complaint(row)))?;
    }
    if let Some(mixed) = &moves.mixed {
        writeln!(out, "{}[{MIXED}]: {}", mixed.level, clean::line(&mixed.message))?;
        writeln!(out, "  help: {}", clean::line(&mixed.help))?;
    }
    writeln!(out, "{}: {}", clean::line(&format!("{} to {}", moves.base, moves.head)), summary(moves))
}

/// Writes Markdown.
pub fn markdown(moves: &Moves, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### What moved: {}\n", summary(moves))?;
    for row in moves.rows.iter().filter(|row| row.motion.is_error()) {
        writeln!(out, "> **Error:** {}\n", cell(&complaint(row)))?;
    }
    for path in &moves.unread {
        writeln!(out, "> **Error:** {} could not be read; what moved in it is not known\n", cell(path))?;
    }
    if let Some(mixed) = &moves.mixed {
        writeln!(
            out,
            "> **{}** ({MIXED}): {}\n",
            capital(&mixed.level),
            cell(&format!("{}; {}", mixed.message, mixed.help))
        )?;
    }
    for rows in moves.rows.chunk_by(|a, b| a.path == b.path) {
        let path = cell(&rows[0].path);
        let folded = rows.len() > OPEN_ROWS;
        if folded {
            writeln!(out, "<details><summary><code>{path}</code>: {} rows</summary>\n", rows.len())?;
        } else {
            writeln!(out, "**`{path}`**\n")?;
        }
        writeln!(out, "| | name | from | to |\n| --- | --- | --- | --- |")?;
        for row in rows {
            let text = |pin: &Option<String>| pin.as_deref().map(cell).unwrap_or_default();
            let note = if row.note.is_empty() { String::new() } else { format!(" ({})", cell(&row.note)) };
            writeln!(
                out,
                "| {} | {} | {} | {}{note} |",
                row.motion.name(),
                cell(&row.name),
                text(&row.from),
                text(&row.to)
            )?;
        }
        writeln!(out, "{}", if folded { "\n</details>\n" } else { "" })?;
    }
    Ok(())
}

/// Text that ends no cell, begins no tag and mentions nobody.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => safe.push_str("\\|"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("@\u{200b}"),
            '`' => safe.push('\''),
            '[' => safe.push_str("\\["),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[derive(Serialize)]
struct Document<'m> {
    version: u32,
    base: &'m str,
    head: &'m str,
    moves: Vec<Row<'m>>,
    mixed: Option<Mixed<'m>>,
    unread: &'m [String],
    summary: Vec<Count>,
}

#[derive(Serialize)]
struct Row<'m> {
    path: &'m str,
    place: &'static str,
    motion: &'static str,
    level: &'static str,
    name: &'m str,
    from: Option<&'m str>,
    to: Option<&'m str>,
    note: &'m str,
}

#[derive(Serialize)]
struct Mixed<'m> {
    rule: &'static str,
    level: &'m str,
    pins: usize,
    files: &'m [String],
    message: &'m str,
    help: &'m str,
}

#[derive(Serialize)]
struct Count {
    motion: &'static str,
    count: usize,
}

/// Writes JSON.
pub fn json(moves: &Moves, out: &mut dyn Write) -> io::Result<()> {
    let mixed = moves.mixed.as_ref().map(|mixed| Mixed {
        rule: MIXED,
        level: &mixed.level,
        pins: mixed.pins,
        files: &mixed.files,
        message: &mixed.message,
        help: &mixed.help,
    });
    let document = Document {
        version: VERSION,
        base: &moves.base,
        head: &moves.head,
        moves: moves.rows.iter().map(shown).collect(),
        mixed,
        unread: &moves.unread,
        summary: Motion::ALL
            .iter()
            .map(|&motion| Count { motion: motion.name(), count: moves.count(motion) })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn shown(row: &Move) -> Row<'_> {
    Row {
        path: &row.path,
        place: row.place.name(),
        motion: row.motion.name(),
        level: if row.motion.is_error() { "error" } else { "info" },
        name: &row.name,
        from: row.from.as_deref(),
        to: row.to.as_deref(),
        note: &row.note,
    }
}

fn change(row: &Move) -> String {
    match (&row.from, &row.to) {
        (Some(from), Some(to)) if from == to => from.clone(),
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => String::new(),
    }
}

fn complaint(row: &Move) -> String {
    let version = row.to.as_deref().unwrap_or("");
    format!(
        "{} {version} in {}: {} without a change of its version ({})",
        row.name,
        row.path,
        row.motion.name(),
        row.note
    )
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn summary(moves: &Moves) -> String {
    let counts = Motion::ALL.iter().map(|&motion| (moves.count(motion), motion.name())).filter(|(count, _)| *count > 0);
    let words: Vec<String> = counts.map(|(count, name)| format!("{count} {name}")).collect();
    if words.is_empty() { "nothing moved".to_string() } else { words.join(", ") }
}

//! What a fix did and what it left, with the reason: lines for people, fields for JSON.

use super::{clean, redact};
use serde::{Serialize, Serializer};
use std::io;

/// What a run with `--fix` or `--diff` did or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixes {
    /// What was changed, or would be.
    pub done: Vec<Done>,
    /// What was wanted and is left.
    pub left: Vec<Left>,
    /// Whether nothing was written: the words are then "would".
    pub dry: bool,
}

/// A text for output: masked and cleaned when it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Shown(String);

impl Shown {
    /// Takes a text from a file or a server.
    pub fn new(text: &str) -> Shown {
        Shown(clean::line(&redact::hide_shapes(text)).into_owned())
    }

    /// The text, safe to print.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Done {
    /// The file.
    pub path: Shown,
    /// Its line before the change.
    pub line: usize,
    /// Who asked for it.
    pub rules: Vec<&'static str>,
    /// What.
    pub name: Shown,
    /// As it was.
    pub from: Shown,
    /// As it is.
    pub to: Shown,
    /// A word that the pin does not say.
    pub remark: Option<Shown>,
}

/// Something that is left as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Left {
    /// The file.
    pub path: Shown,
    /// The line.
    pub line: usize,
    /// Who asked for it.
    pub rules: Vec<&'static str>,
    /// What.
    pub name: Shown,
    /// Why it is left, and what to do.
    pub reason: Shown,
}

/// Writes both lists for people.
pub fn write(fixes: &Fixes, out: &mut dyn io::Write) -> io::Result<()> {
    let count = |list: usize| if list == 1 { "1 place".to_string() } else { format!("{list} places") };
    if fixes.done.is_empty() && fixes.left.is_empty() {
        let verb = if fixes.dry { "would be" } else { "was" };
        return writeln!(out, "Nothing {verb} fixed: no finding has a fix.");
    }
    let (done, left) = if fixes.dry { ("Would fix", "Would not fix") } else { ("Fixed", "Not fixed:") };
    let (done, left) = (done, left.trim_end_matches(':'));
    if !fixes.done.is_empty() {
        writeln!(out, "{done} {}:", count(fixes.done.len()))?;
        for done in &fixes.done {
            let rules = done.rules.join(", ");
            write!(out, "  {}:{}: ", done.path.0, done.line)?;
            match done.from == done.to || done.to.0.is_empty() {
                true => write!(out, "{}", done.name.0)?,
                false => write!(out, "{} -> {}", done.from.0, done.to.0)?,
            }
            let remark = done.remark.as_ref().map_or(String::new(), |remark| format!("; {}", remark.0));
            writeln!(out, " [{rules}]{remark}")?;
        }
    }
    if !fixes.left.is_empty() {
        writeln!(out, "{left} {}:", count(fixes.left.len()))?;
        for left in &fixes.left {
            let rules = left.rules.join(", ");
            writeln!(out, "  {}:{}: {}: {} [{rules}]", left.path.0, left.line, left.name.0, left.reason.0)?;
        }
    }
    Ok(())
}

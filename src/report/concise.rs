//! One line a finding: `path:line:col: level[rule] message`. Shows no source.

use super::view::View;
use super::{Report, clean};
use std::io;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for row in &View::of(report).rows {
        let (path, start) = (clean::path(&row.place.path), row.place.start);
        let (level, rule, message) = (row.level.name(), row.rule.id, clean::line(&row.message));
        writeln!(out, "{path}:{}:{}: {level}[{rule}] {message}", start.line, start.column)?;
    }
    Ok(())
}

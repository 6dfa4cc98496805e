//! GitHub workflow commands, which show findings on the lines of a pull request. Shows no source.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>; the escapes are those of the runner's
//! own toolkit.

use super::view::{Row, View};
use super::{Report, clean};
use crate::model::rule::Level;
use std::io;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for row in &View::of(report).rows {
        writeln!(out, "{}", command(row))?;
    }
    Ok(())
}

fn command(row: &Row) -> String {
    let name = match row.level {
        Level::Error => "error",
        Level::Warning => "warning",
        _ => "notice",
    };
    let (start, end) = (row.place.start, row.place.end);
    let mut command = format!("::{name} file={},line={}", property(&clean::path(&row.place.path)), start.line);
    command += &format!(",endLine={}", end.line);
    if start.line == end.line {
        command += &format!(",col={},endColumn={}", start.column, end.column);
    }
    let text = match row.help.as_str() {
        "" => row.message.clone(),
        help => format!("{}\nhelp: {help}", row.message),
    };
    command + &format!(",title={}::{}", property(row.rule.id), data(&clean::lines(&text)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

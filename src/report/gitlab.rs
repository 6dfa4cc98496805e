//! GitLab Code Quality: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>. Shows no source.

use super::view::View;
use super::{Report, clean};
use crate::model::rule::Level;
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let view = View::of(report);
    let issues = view.rows.iter().map(|row| Issue {
        description: match row.help.as_str() {
            "" => row.message.clone(),
            help => format!("{} {}", row.message, clean::line(help)),
        },
        check_name: row.rule.id,
        fingerprint: row.fingerprint,
        severity: severity(row.level),
        location: Location {
            path: &row.place.path,
            lines: Lines { begin: row.place.start.line, end: row.place.end.line },
        },
    });
    clean::json(&issues.collect::<Vec<_>>(), out)
}

/// GitLab knows `info minor major critical blocker`; only what fails the gate is more than minor.
fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "critical",
        Level::Warning => "major",
        Level::Info => "minor",
        Level::Advice | Level::Off => "info",
    }
}

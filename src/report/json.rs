//! The frozen JSON of `check`: `{version, findings, summary, locks, problems}`. Its types are its own, so that the model can move
//! without it.
//!
//! Lines and columns count from 1, columns in Unicode scalar values, ends are exclusive; `start` and `end` of edits are bytes of
//! the file. Fields are only ever added.

use super::fixes::{Done, Left};
use super::online::Asked;
use super::summary::Summary;
use super::view::{Fix as ShownFix, Place, Related as ShownRelated, Row, View};
use super::{Report, Root, clean, redact, view};
use crate::model::facts::ProblemKind;
use crate::model::lock::Verdict;
use crate::model::project::LockState;
use serde::Serialize;
use std::io;

/// The version of this form.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
    summary: Summary,
    locks: Vec<Lock>,
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'a [Done]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<&'a [Left]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    online: Option<&'a Asked>,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    level: &'static str,
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    help: Option<&'a str>,
    fix: Option<Fix<'a>>,
    related: Vec<Related<'a>>,
    fingerprint: &'a str,
    key: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Related<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    safety: &'static str,
    edits: Vec<Edit<'a>>,
    snippet: Option<&'a str>,
}

#[derive(Serialize)]
struct Edit<'a> {
    path: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

/// A lock as `check` and `list --locks` print it.
#[derive(Serialize)]
pub(super) struct Lock {
    path: String,
    manifest: Option<String>,
    tool: &'static str,
    verdict: &'static str,
    reasons: Vec<String>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    path: String,
    line: usize,
    column: usize,
    kind: &'static str,
    message: String,
}

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let view = View::of(report);
    let document = Document {
        version: VERSION,
        findings: view.rows.iter().map(finding).collect(),
        summary: Summary::of(report, &view),
        locks: locks(report),
        problems: problems(report),
        fixed: report.fixes.map(|fixes| fixes.done.as_slice()),
        held: report.fixes.map(|fixes| fixes.left.as_slice()),
        online: report.asked,
    };
    clean::json(&document, out)
}

fn finding<'a>(row: &'a Row) -> Finding<'a> {
    let Place { path, start, end } = &row.place;
    Finding {
        rule: row.rule.id,
        level: row.level.name(),
        path,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: &row.message,
        help: Some(row.help.as_str()).filter(|help| !help.is_empty()),
        fix: row.fix.as_ref().map(fix),
        related: row.related.iter().map(related).collect(),
        fingerprint: row.fingerprint,
        key: &row.key,
        name: &row.name,
    }
}

fn related(related: &ShownRelated) -> Related<'_> {
    let Place { path, start, end } = &related.place;
    Related {
        path,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: &related.message,
    }
}

fn fix(fix: &ShownFix) -> Fix<'_> {
    let edits = fix.edits.iter().map(|(path, span, text)| Edit { path, start: span.start, end: span.end, text });
    Fix { safety: fix.safety.name(), edits: edits.collect(), snippet: fix.snippet.as_deref() }
}

/// The locks of a report by path.
pub(super) fn locks(report: &Report) -> Vec<Lock> {
    let mut locks: Vec<Lock> =
        report.roots.iter().flat_map(|&root| root.project.locks.iter().map(move |state| lock(root, state))).collect();
    locks.sort_by(|a, b| (&a.path, &a.manifest).cmp(&(&b.path, &b.manifest)));
    locks
}

impl Lock {
    /// `uv.lock: fresh (uv, of pyproject.toml)`, and the reasons.
    pub(super) fn line(&self) -> String {
        let of = self.manifest.as_deref().map_or(String::new(), |manifest| format!(", of {}", clean::line(manifest)));
        let reasons: String = self.reasons.iter().map(|reason| format!("\n  {reason}")).collect();
        format!("{}: {} ({}{of}){reasons}", clean::path(&self.path), self.verdict, self.tool)
    }
}

fn lock(root: Root, state: &LockState) -> Lock {
    let path = |source| format!("{}{}", root.prefix, root.project.source(source).path);
    let reasons = match &state.verdict {
        Verdict::Fresh => &[][..],
        Verdict::Stale(reasons) | Verdict::Undecided(reasons) => reasons.as_slice(),
    };
    let tool = root.project.facts_of(state.lock).locks.first().map_or("pip-compile", |lock| lock.tool.name());
    Lock {
        path: path(state.lock),
        manifest: state.manifest.map(path),
        tool,
        verdict: state.verdict.name(),
        reasons: reasons.iter().map(|reason| clean::line(&redact::hide_shapes(&reason.text)).into_owned()).collect(),
    }
}

fn problems(report: &Report) -> Vec<Problem> {
    let mut problems = Vec::new();
    for &root in &report.roots {
        problems.extend(root.project.facts.iter().flat_map(|facts| &facts.problems).map(|problem| {
            let place = view::place(root, problem.at);
            Problem {
                path: place.path,
                line: place.start.line,
                column: place.start.column,
                kind: kind(problem.kind),
                message: clean::line(&redact::hide_shapes(&problem.text)).into_owned(),
            }
        }));
    }
    problems.sort();
    problems
}

fn kind(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Unreadable => "unreadable",
        ProblemKind::Template => "template",
        ProblemKind::Opaque => "opaque",
    }
}

//! The report of a run, for people, as Markdown, and as JSON. Names and texts of files pass the same filters as in every other output.

use super::base::Base;
use super::branch::{Fault, Held};
use super::publish::{Asked, Fate, Published};
use crate::commands::Terminal;
use crate::plan::describe;
use crate::report::{clean, redact};
use crate::world::http::Counts;
use serde_json::{Value, json};
use std::io::{self, Write};

/// What a run did, or would do.
pub struct Report<'b> {
    /// The base.
    pub base: &'b Base,
    /// Its branch.
    pub base_name: String,
    /// Whether nothing was done.
    pub dry: bool,
    /// The branches.
    pub published: Vec<Published>,
    /// What is held, and whose fault that is.
    pub held: Vec<Held>,
    /// Branches that were closed and deleted.
    pub closed: Vec<String>,
    /// What did not go through.
    pub failed: Vec<String>,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// How many references were looked at.
    pub looked_at: usize,
    /// What the look-up and the proofs asked of the world.
    pub counts: Counts,
}

impl<'b> Report<'b> {
    /// An empty report.
    pub fn of(base: &'b Base, base_name: &str, dry: bool) -> Report<'b> {
        Report {
            base,
            base_name: base_name.to_string(),
            dry,
            published: Vec::new(),
            held: Vec::new(),
            closed: Vec::new(),
            failed: Vec::new(),
            warnings: Vec::new(),
            looked_at: 0,
            counts: Counts::default(),
        }
    }
}

fn patch(published: &Published) -> String {
    redact::hide_shapes(&published.patch).into_owned()
}

/// Writes it in a form.
pub fn write(report: &Report<'_>, form: &str, _: Terminal, out: &mut dyn Write) -> io::Result<()> {
    match form {
        "json" => clean::json(&data(report), out),
        "markdown" => markdown(report, out),
        _ => human(report, out),
    }
}

fn fate(published: &Published) -> String {
    let branch = match &published.fate {
        Fate::Planned => "planned".to_string(),
        Fate::Unchanged => "unchanged".to_string(),
        Fate::Pushed => "pushed".to_string(),
        Fate::Rebuilt => "rebuilt".to_string(),
        Fate::Local => "made here".to_string(),
        Fate::Foreign => "left alone: it has somebody else's commits".to_string(),
        Fate::Closed => "not proposed again: a person closed this request".to_string(),
        Fate::Failed(why) => format!("failed: {why}"),
    };
    let asked = match &published.asked {
        Asked::Nothing => return branch,
        Asked::Unchanged(url) => format!("request unchanged {url}"),
        Asked::Opened(url) => format!("request opened {url}"),
        Asked::Changed(url) => format!("request changed {url}"),
        Asked::Limit => return "not proposed: as many requests are open as may be".to_string(),
        Asked::Failed(why) => format!("request failed: {why}"),
    };
    format!("{branch}, {asked}")
}

fn place(report: &Report<'_>, id: crate::model::reference::ReferenceId) -> (String, String, usize) {
    let project = &report.base.project;
    let reference = project.reference(id);
    let source = project.source(reference.site.whole.source);
    let line = source.position(reference.site.whole.span.start).line;
    (clean::line(&reference.subject.name).into_owned(), clean::path(&source.path), line)
}

fn human(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let base: String = report.base.commit.to_string().chars().take(12).collect();
    let references = if report.looked_at == 1 { "reference" } else { "references" };
    writeln!(out, "{} at {base}: looked at {} {references}", clean::line(&report.base_name), report.looked_at)?;
    let Counts { requests, bytes, kept, confirmed } = report.counts;
    if requests + kept > 0 {
        let megabytes = bytes as f64 / 1e6;
        writeln!(out, "{requests} requests, {megabytes:.1} MB; {} answers from the cache", kept + confirmed)?;
    }
    for published in &report.published {
        writeln!(out, "\n{}: {}", clean::line(&published.draft.branch), clean::line(&published.draft.title))?;
        for step in &published.built.group.steps {
            let (name, path, line) = place(report, step.reference);
            writeln!(out, "  {name} {} -> {}  {path}:{line}", clean::line(&step.from), clean::line(&step.to))?;
        }
        let asked = |name: &str| published.built.group.subjects.iter().any(|subject| subject.name == name);
        let along = published.built.locks.iter().filter(|row| !asked(&row.name)).count();
        if along > 0 {
            writeln!(out, "  and {along} more in locks")?;
        }
        writeln!(out, "  {}", clean::line(&fate(published)))?;
        for warning in &published.warnings {
            writeln!(out, "  warning: {}", clean::line(warning))?;
        }
        if report.dry {
            writeln!(out, "\n{}", clean::lines(&indented(&patch(published))))?;
            writeln!(out, "{}", clean::lines(&indented(&published.draft.body)))?;
        }
    }
    section(out, "held", report.held.len())?;
    for (id, why, _) in &report.held {
        let (name, path, line) = place(report, *id);
        writeln!(out, "  {path}:{line} {name}: {}", clean::line(&why.text()))?;
    }
    section(out, "closed", report.closed.len())?;
    for branch in &report.closed {
        writeln!(out, "  {}", clean::line(branch))?;
    }
    section(out, "failed", report.failed.len())?;
    for text in &report.failed {
        writeln!(out, "  {}", clean::line(text))?;
    }
    for warning in &report.warnings {
        writeln!(out, "\nwarning: {}", clean::line(warning))?;
    }
    if report.published.is_empty() {
        writeln!(out, "\nnothing to move")?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn section(out: &mut dyn Write, name: &str, count: usize) -> io::Result<()> {
    if count > 0 { writeln!(out, "\n{name} ({count}):") } else { Ok(()) }
}

fn markdown(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let code = |text: &str| format!("`{}`", clean::line(text).replace('`', " ").replace('|', "\\|"));
    let words = |text: &str| describe::plain(&clean::line(text));
    writeln!(
        out,
        "## pinguard upgrade\n\n{} references of {} were looked at.",
        report.looked_at,
        code(&report.base_name)
    )?;
    if !report.published.is_empty() {
        writeln!(out, "\n| branch | what | |\n| --- | --- | --- |")?;
    }
    for published in &report.published {
        let row = (code(&published.draft.branch), code(&published.draft.title), words(&fate(published)));
        writeln!(out, "| {} | {} | {} |", row.0, row.1, row.2)?;
    }
    if !report.held.is_empty() {
        writeln!(out, "\n| held | where | why |\n| --- | --- | --- |")?;
    }
    for (id, why, _) in &report.held {
        let (name, path, line) = place(report, *id);
        writeln!(out, "| {} | {} | {} |", code(&name), code(&format!("{path}:{line}")), words(&why.text()))?;
    }
    let of_branch = |published: &Published| {
        let branch = published.draft.branch.clone();
        published.warnings.iter().map(move |warning| format!("{branch}: {warning}")).collect::<Vec<_>>()
    };
    let warnings: Vec<String> =
        report.published.iter().flat_map(of_branch).chain(report.warnings.iter().cloned()).collect();
    for (head, list) in [("Closed", &report.closed), ("Failed", &report.failed), ("Warnings", &warnings)] {
        if !list.is_empty() {
            writeln!(out, "\n### {head}\n")?;
        }
        for text in list {
            writeln!(out, "- {}", words(text))?;
        }
    }
    for published in report.published.iter().filter(|_| report.dry) {
        writeln!(out, "\n### {}\n", code(&published.draft.title))?;
        fenced(out, "diff", &clean::lines(&patch(published)))?;
        fenced(out, "markdown", &clean::lines(&published.draft.body))?;
    }
    Ok(())
}

/// A text as it is, between fences that it does not hold itself.
fn fenced(out: &mut dyn Write, kind: &str, text: &str) -> io::Result<()> {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(out, "{fence}{kind}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

fn data(report: &Report<'_>) -> Value {
    let branches = report.published.iter().map(|published| branch(report, published));
    let held = report.held.iter().map(|(id, why, fault)| {
        let (name, path, line) = place(report, *id);
        let fault = if *fault == Fault::World { "world" } else { "policy" };
        json!({ "name": name, "path": path, "line": line, "why": why.text(), "fault": fault })
    });
    let Counts { requests, bytes, kept, confirmed } = report.counts;
    let asked = json!({ "requests": requests, "bytes": bytes, "kept": kept, "confirmed": confirmed });
    json!({
        "version": 1,
        "base": { "branch": report.base_name, "commit": report.base.commit.to_string() },
        "dry_run": report.dry,
        "looked_at": report.looked_at,
        "asked": asked,
        "branches": branches.collect::<Vec<_>>(),
        "held": held.collect::<Vec<_>>(),
        "closed": report.closed,
        "failed": report.failed,
        "warnings": report.warnings,
    })
}

fn branch(report: &Report<'_>, published: &Published) -> Value {
    let steps = published.built.group.steps.iter().map(|step| {
        let (name, path, line) = place(report, step.reference);
        let ecosystem = report.base.project.reference(step.reference).subject.ecosystem.name();
        let released = step.released.map(|at| at.to_string());
        json!({
            "ecosystem": ecosystem, "name": name, "path": path, "line": line, "from": step.from, "to": step.to,
            "released": released, "lock": step.relock.is_some() && !step.is_line(),
        })
    });
    let locks = published.built.locks.iter();
    let locks = locks.map(|row| json!({ "lock": row.lock, "name": row.name, "from": row.from, "to": row.to }));
    let (fate_word, why) = match &published.fate {
        Fate::Planned => ("planned", None),
        Fate::Unchanged => ("unchanged", None),
        Fate::Pushed => ("pushed", None),
        Fate::Rebuilt => ("rebuilt", None),
        Fate::Local => ("local", None),
        Fate::Foreign => ("left-alone", None),
        Fate::Closed => ("closed-by-hand", None),
        Fate::Failed(why) => ("failed", Some(why.clone())),
    };
    let (asked, url) = match &published.asked {
        Asked::Nothing => ("none", None),
        Asked::Unchanged(url) => ("unchanged", Some(url.clone())),
        Asked::Opened(url) => ("opened", Some(url.clone())),
        Asked::Changed(url) => ("changed", Some(url.clone())),
        Asked::Limit => ("limit", None),
        Asked::Failed(why) => ("failed", Some(why.clone())),
    };
    json!({
        "branch": published.draft.branch,
        "commit": published.commit.to_string(),
        "state": fate_word,
        "why": why,
        "request": {
            "state": asked, "url": url, "title": published.draft.title, "body": published.draft.body,
            "base": published.draft.base, "labels": published.draft.labels, "reviewers": published.draft.reviewers,
        },
        "steps": steps.collect::<Vec<_>>(),
        "locks": locks.collect::<Vec<_>>(),
        "patch": patch(published),
        "warnings": published.warnings,
    })
}

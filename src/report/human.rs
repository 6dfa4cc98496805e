//! For people: the place with its source, why it matters, what to do, and a closing line that says how much was looked at.

use super::excerpt::Excerpt;
use super::redact::Mask;
use super::summary::Summary;
use super::view::{self, Place, Row, View};
use super::{Colour, Report, clean, fixes, online};
use crate::model::edit::Edit;
use crate::model::finding::{SHOWN, Safety};
use crate::model::rule::Level;
use crate::model::span::{Location, SourceId, Span};
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level as Title, Origin, Patch, Renderer, Snippet};
use std::io;

/// Lines between two marked lines that are still shown as one piece.
const GAP: usize = 2;
/// A place over more lines is shown by its first line.
const TALL: usize = 8;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let view = View::of(report);
    let renderer = match report.colour {
        Colour::Plain => Renderer::plain(),
        Colour::Styled => Renderer::styled(),
    };
    for row in &view.rows {
        let mut headers = Headers::default();
        let text = renderer.render(&groups(row, &view, &mut headers));
        writeln!(out, "{}\n", headers.put(&text))?;
    }
    let summary = Summary::of(report, &view);
    writeln!(out, "{}", summary.found())?;
    writeln!(out, "{}", clean::line(&summary.looked()))?;
    report.asked.map_or(Ok(()), |asked| online::write(asked, out))?;
    report.fixes.map_or(Ok(()), |fixes| {
        writeln!(out)?;
        fixes::write(fixes, out)
    })
}

/// Headers of excerpts (`path:line:column`). The renderer would count lines and columns in the excerpt, which may be cut or masked,
/// so it gets a mark instead of a path, and the mark becomes the true place afterwards.
#[derive(Default)]
struct Headers {
    list: Vec<String>,
}

impl Headers {
    /// A private character, which no header of a terminal needs.
    const MARK: char = '\u{f8f0}';

    fn mark(&mut self, place: &Place) -> String {
        self.list.push(format!("{}:{}:{}", clean::path(&place.path), place.start.line, place.start.column));
        format!("{0}{1}{0}", Headers::MARK, self.list.len() - 1)
    }

    fn put(&self, text: &str) -> String {
        let mut out = text.to_string();
        for (index, header) in self.list.iter().enumerate() {
            let mark = format!("{0}{index}{0}", Headers::MARK);
            let Some(start) = out.find(&mark) else { continue };
            let rest = &out[start + mark.len()..];
            let counted = rest.find(|c: char| c != ':' && !c.is_ascii_digit()).unwrap_or(rest.len());
            out.replace_range(start..start + mark.len() + counted, header);
        }
        out
    }
}

fn groups<'a>(row: &'a Row, view: &View, headers: &mut Headers) -> Vec<Group<'a>> {
    let title = level(row.level).primary_title(row.message.as_str()).id(row.rule.id);
    let mut main = Group::with_title(title).elements(places(row, view, headers));
    let patch = patch(row, view);
    if patch.is_none() && !row.help.is_empty() {
        main = main.element(Title::HELP.message(row.help.as_str()));
    }
    let snippet = row.fix.as_ref().and_then(|fix| fix.snippet.as_deref());
    // Help that holds the whole text already says it better.
    if let Some(snippet) = snippet.filter(|snippet| !row.help.contains(snippet.trim())) {
        main = main.element(Title::NOTE.message(clean::lines(snippet)));
    }
    // Edits that stand too far apart to be shown here.
    if let Some(fix) = row.fix.as_ref().filter(|fix| patch.is_none() && !fix.places.is_empty()) {
        let flag = if fix.safety == Safety::Unsafe { " --unsafe-fixes" } else { "" };
        main = main.element(Title::NOTE.message(format!("`--diff{flag}` shows the edits")));
    }
    std::iter::once(main).chain(patch).collect()
}

fn level(level: Level) -> Title<'static> {
    match level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Info => Title::INFO,
        Level::Advice | Level::Off => Title::NOTE.with_name("advice"),
    }
}

/// What is marked in one source.
struct Marked<'a> {
    at: Location,
    kind: AnnotationKind,
    label: &'a str,
}

fn places<'a>(row: &'a Row, view: &View, headers: &mut Headers) -> Vec<Element<'a>> {
    let mut marked = vec![Marked { at: row.at, kind: AnnotationKind::Primary, label: "" }];
    let context =
        |related: &'a view::Related| Marked { at: related.at, kind: AnnotationKind::Context, label: &related.message };
    marked.extend(row.related.iter().take(SHOWN).map(context));
    let mut sources: Vec<SourceId> = marked.iter().map(|marked| marked.at.source).collect();
    let mut seen = Vec::new();
    sources.retain(|source| {
        !seen.contains(source) && {
            seen.push(*source);
            true
        }
    });
    let mut elements = Vec::new();
    for source in sources {
        let of_source: Vec<&Marked> = marked.iter().filter(|marked| marked.at.source == source).collect();
        source_elements(row, view, &of_source, headers, &mut elements);
    }
    if row.related.len() > SHOWN {
        let more = format!("and {} more places", row.related.len() - SHOWN);
        elements.push(Title::NOTE.message(more).into());
    }
    elements
}

fn source_elements<'a>(
    row: &Row,
    view: &View,
    marked: &[&Marked<'a>],
    headers: &mut Headers,
    elements: &mut Vec<Element<'a>>,
) {
    let Some(first) = marked.first() else { return };
    let source = row.root.project.sources.get(first.at.source);
    if source.text.is_empty() {
        elements.push(Origin::path(headers.mark(&view::place(row.root, first.at))).into());
        return;
    }
    let none = Mask::default();
    let mask = view.mask(row.root, source.id).unwrap_or(&none);
    let spans: Vec<Span> = marked.iter().map(|marked| shown(source, marked.at.span)).collect();
    for lines in clusters(source, &spans) {
        let excerpt = Excerpt::of(source, mask, lines.clone(), &spans);
        let inside = |span: &Span| lines.contains(&source.line_of(span.start));
        let marks: Vec<Annotation> = marked
            .iter()
            .zip(&spans)
            .filter(|(_, span)| inside(span))
            .map(|(marked, &span)| {
                // A label that only repeats what stands above it says nothing.
                let repeats = marked.label.trim_matches('`') == source.slice(marked.at.span);
                let label = Some(marked.label).filter(|label| !label.is_empty() && !repeats);
                marked.kind.span(excerpt.range(span)).label(label)
            })
            .collect();
        let shown = marked.iter().zip(&spans).find(|(_, span)| inside(span)).map_or(first.at, |(marked, _)| marked.at);
        let header = headers.mark(&view::place(row.root, shown));
        let snippet = Snippet::source(excerpt.text.clone()).line_start(excerpt.first).path(header);
        elements.push(snippet.annotations(marks).into());
    }
}

/// The part of a place that is marked: the first line of a tall one, without its end of line.
fn shown(source: &crate::model::source::Source, span: Span) -> Span {
    let (first, last) = (source.line_of(span.start), source.line_of(span.end));
    let end = if last - first >= TALL { source.line_span(first).end.max(span.start) } else { span.end };
    Span { start: span.start, end }
}

/// Runs of lines (from 0) that hold the spans.
fn clusters(source: &crate::model::source::Source, spans: &[Span]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> =
        spans.iter().map(|span| source.line_of(span.start)..source.line_of(span.end.max(span.start)) + 1).collect();
    runs.sort_by_key(|run| (run.start, run.end));
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for run in runs {
        match out.last_mut() {
            Some(last) if run.start <= last.end + GAP => last.end = last.end.max(run.end),
            _ => out.push(run),
        }
    }
    out
}

/// The edits as a small difference, when they stand together in one source.
fn patch<'a>(row: &'a Row, view: &View) -> Option<Group<'a>> {
    let edits: &[Edit] = &row.fix.as_ref()?.places;
    let first = edits.first()?;
    let source = row.root.project.sources.get(first.at.source);
    let one = edits.iter().all(|edit| edit.at.source == first.at.source);
    let spans: Vec<Span> = edits.iter().map(|edit| edit.at.span).collect();
    let runs = clusters(source, &spans);
    let [lines] = runs.as_slice() else { return None };
    if !one || lines.len() > 3 * TALL || source.text.is_empty() {
        return None;
    }
    let none = Mask::default();
    let excerpt = Excerpt::of(source, view.mask(row.root, source.id).unwrap_or(&none), lines.clone(), &spans);
    let patches = edits.iter().map(|edit| Patch::new(excerpt.range(edit.at.span), clean::lines(&edit.text)));
    let snippet = Snippet::source(excerpt.text.clone()).line_start(excerpt.first).patches(patches);
    let help = if row.help.is_empty() { "write" } else { row.help.as_str() };
    Some(Title::HELP.secondary_title(help).element(snippet))
}

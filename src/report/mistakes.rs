//! Mistakes in the configuration, for people: each underlined in its place, all at once.

use super::excerpt::Excerpt;
use super::redact::Mask;
use super::{Colour, clean};
use crate::model::source::Source;
use crate::model::span::{Location, Span};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// More than these are counted only.
const MOST: usize = 50;

/// One mistake.
pub struct Mistake<'a> {
    /// Where.
    pub at: Location,
    /// What is wrong.
    pub text: &'a str,
    /// What to write instead.
    pub help: Option<&'a str>,
}

/// Every mistake of one source as a text that ends with a line end.
pub fn render(source: &Source, mistakes: &[Mistake<'_>], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Plain => Renderer::plain(),
        Colour::Styled => Renderer::styled(),
    };
    let mask = Mask::of(source, &[]);
    let mut out = String::new();
    for mistake in mistakes.iter().take(MOST) {
        out.push_str(&one(source, &mask, mistake, &renderer));
        out.push_str("\n\n");
    }
    if mistakes.len() > MOST {
        out.push_str(&format!("and {} more\n\n", mistakes.len() - MOST));
    }
    out
}

fn one(source: &Source, mask: &Mask, mistake: &Mistake<'_>, renderer: &Renderer) -> String {
    let span = mistake.at.span;
    let first = source.line_of(span.start);
    // A table over many lines is shown by its first one.
    let span = Span { start: span.start, end: span.end.min(source.line_span(first).end).max(span.start) };
    let excerpt = Excerpt::of(source, mask, first..first + 1, &[span]);
    let mark = AnnotationKind::Primary.span(excerpt.range(span));
    let snippet = Snippet::source(excerpt.text.clone()).line_start(excerpt.first).path(clean::path(&source.path));
    let title = clean::line(&mask.text(mistake.text)).into_owned();
    let mut group = Level::ERROR.primary_title(title).element(snippet.annotation(mark));
    if let Some(help) = mistake.help {
        group = group.element(Level::HELP.message(clean::line(&mask.text(help)).into_owned()));
    }
    renderer.render(&[group])
}

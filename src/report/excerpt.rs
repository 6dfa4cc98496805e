//! A few lines of a source as they may be shown: secrets hidden, controls spelled out, very long lines cut, and a map from places
//! in the source to places in the excerpt.

use super::clean;
use super::redact::{HIDDEN, Mask};
use crate::model::source::Source;
use crate::model::span::Span;
use std::ops::Range;

/// Lines longer than this are cut around what matters.
const LONGEST: usize = 300;
/// Bytes that stay before and after what matters in a line that is cut.
const AROUND: usize = 100;

/// Lines of a source, fit to be shown.
pub struct Excerpt {
    /// The text, its lines ended by `\n`.
    pub text: String,
    /// The number of its first line, from 1.
    pub first: usize,
    /// (offset in the source, offset in `text`), growing; between two of them both grow alike, up to the next one.
    steps: Vec<(usize, usize)>,
}

impl Excerpt {
    /// The lines `lines` (from 0) of `source`; long lines are cut around `focus`.
    pub fn of(source: &Source, mask: &Mask, lines: Range<usize>, focus: &[Span]) -> Excerpt {
        let mut excerpt = Excerpt { text: String::new(), first: lines.start + 1, steps: Vec::new() };
        for line in lines {
            let span = without_mark(source, source.line_span(line));
            let kept = window(source, span, focus);
            excerpt.cut(span.start, kept.start);
            excerpt.take(source, mask, kept);
            excerpt.cut(kept.end, span.end);
            excerpt.steps.push((span.end as usize, excerpt.text.len()));
            excerpt.text.push('\n');
        }
        excerpt
    }

    /// Where a place of the source is in the text.
    pub fn range(&self, span: Span) -> Range<usize> {
        let start = self.place(span.start as usize);
        start..self.place(span.end as usize).max(start)
    }

    fn place(&self, offset: usize) -> usize {
        let next = self.steps.partition_point(|&(from, _)| from <= offset);
        let Some(&(from, to)) = next.checked_sub(1).and_then(|at| self.steps.get(at)) else { return 0 };
        let limit = self.steps.get(next).map_or(self.text.len(), |&(_, to)| to);
        let at = (to + (offset - from)).min(limit);
        (0..=at).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0)
    }

    fn cut(&mut self, start: u32, end: u32) {
        self.steps.push((start as usize, self.text.len()));
        if start < end {
            self.text.push('…');
        }
    }

    fn take(&mut self, source: &Source, mask: &Mask, span: Span) {
        let mut at = span.start;
        let first = mask.spans().partition_point(|hidden| hidden.end <= span.start);
        for hidden in mask.spans()[first..].iter().take_while(|hidden| hidden.start < span.end) {
            self.copy(source, Span { start: at, end: hidden.start.max(at) });
            self.steps.push((hidden.start.max(at) as usize, self.text.len()));
            self.text.push_str(HIDDEN);
            at = hidden.end.min(span.end);
            self.steps.push((at as usize, self.text.len()));
        }
        self.copy(source, Span { start: at, end: span.end });
    }

    fn copy(&mut self, source: &Source, span: Span) {
        self.steps.push((span.start as usize, self.text.len()));
        let shown = source.slice(span);
        for (at, c) in shown.char_indices() {
            let before = self.text.len();
            match c {
                '#' if self.text.ends_with('#') => self.text.push_str(" #"),
                c => clean::push(&mut self.text, c),
            }
            if self.text.len() - before != c.len_utf8() {
                self.steps.push((span.start as usize + at + c.len_utf8(), self.text.len()));
            }
        }
    }
}

/// A byte order mark is no part of the first line.
fn without_mark(source: &Source, line: Span) -> Span {
    let mark = if source.slice(line).starts_with('\u{feff}') { 3 } else { 0 };
    Span { start: line.start + mark, end: line.end }
}

/// The part of a line that is kept.
fn window(source: &Source, line: Span, focus: &[Span]) -> Span {
    if line.len() <= LONGEST {
        return line;
    }
    let middle = focus.iter().find(|span| line.contains(Span::empty(span.start as usize)));
    let middle = middle
        .map_or(Span::empty(line.start as usize), |&span| Span { start: span.start, end: span.end.min(line.end) });
    let start = (middle.start as usize).saturating_sub(AROUND).max(line.start as usize);
    let end = (middle.end as usize).min(middle.start as usize + LONGEST) + AROUND;
    let boundary = |at: usize| (0..=at).rev().find(|&at| source.text.is_char_boundary(at)).unwrap_or(0);
    Span::new(boundary(start), boundary(end.min(line.end as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn places_follow_hidden_and_spelled_out_parts() {
        let source = Source::new(SourceId(0), "a", "x: 1\nTOKEN: abcdef # \u{1b}[1m é here\n");
        let excerpt = Excerpt::of(&source, &Mask::of(&source, &[]), 1..2, &[]);
        assert_eq!(excerpt.text, "TOKEN: *** # \\u{1b}[1m é here\n");
        let at = source.text.find("here").unwrap();
        assert_eq!(&excerpt.text[excerpt.range(Span::new(at, at + 4))], "here");
        let at = source.text.find("abcdef").unwrap();
        assert_eq!(&excerpt.text[excerpt.range(Span::new(at, at + 6))], "***");
    }

    #[test]
    fn long_lines_are_cut_around_what_matters() {
        let text = format!("{}needle{}\n", "é".repeat(4000), "b".repeat(4000));
        let source = Source::new(SourceId(0), "a", text);
        let span = Span::new(8000, 8006);
        let excerpt = Excerpt::of(&source, &Mask::default(), 0..1, &[span]);
        assert!(excerpt.text.len() < 400, "{}", excerpt.text.len());
        assert_eq!(&excerpt.text[excerpt.range(span)], "needle");
    }
}

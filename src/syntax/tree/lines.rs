//! Follows the lines of a multi-line scalar from its value back to the source. Does not read YAML: it compares texts, and stops where
//! they differ, so that a place is either right or not given.

use super::Style;
use crate::model::span::Span;

/// Calls `found(offset in value, offset in text, length)` for each line of `value` that can be followed. `span` is the raw scalar without
/// quotes; for block scalars it begins on the line of the first content.
pub(super) fn walk(text: &str, span: Span, value: &str, style: Style, mut found: impl FnMut(usize, usize, usize)) {
    match style {
        Style::Literal => literal(text, span, value, &mut found),
        Style::Folded => folded(text, span, value, &mut found),
        Style::Plain | Style::Quoted => flowed(text, span, value, &mut found),
    }
}

/// The raw span of a block scalar's content: from its first character to the end of its last line that is not blank.
pub(super) fn content(text: &str, span: Span, value: &str, style: Style) -> Span {
    let (mut start, mut end) = (None, span.start as usize);
    walk(text, span, value, style, |_, to, len| {
        if len > 0 {
            start.get_or_insert(to);
            end = to + len;
        }
    });
    Span::new(start.unwrap_or(span.start as usize), end)
}

/// Raw lines of `text` from the one that holds `at`: (offset, line without its end). CR, LF and CRLF end a line.
fn raw_lines(text: &str, at: usize) -> impl Iterator<Item = (usize, &str)> {
    let start = text.get(..at).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |found| found + 1);
    let mut next = (start < text.len()).then_some(start);
    std::iter::from_fn(move || {
        let start = next?;
        let rest = &text[start..];
        let len = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let brk = if rest[len..].starts_with("\r\n") { 2 } else { usize::from(len < rest.len()) };
        next = (start + len + brk < text.len()).then_some(start + len + brk);
        Some((start, &rest[..len]))
    })
}

/// Each line of a literal block is the end of its raw line.
fn literal(text: &str, span: Span, value: &str, found: &mut impl FnMut(usize, usize, usize)) {
    let lead = value.len() - value.trim_start_matches('\n').len();
    let mut from = lead;
    let lines = value[lead..].trim_end_matches('\n').split('\n');
    for (line, (start, raw)) in lines.zip(raw_lines(text, span.start as usize)) {
        if !raw.ends_with(line) {
            return;
        }
        found(from, start + raw.len() - line.len(), line.len());
        from += line.len() + 1;
    }
}

/// Lines of a folded block follow each other, with a space or line feeds between.
fn folded(text: &str, span: Span, value: &str, found: &mut impl FnMut(usize, usize, usize)) {
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let lead = value.len() - value.trim_start_matches('\n').len();
    let Some((_, first)) = raw_lines(text, span.start as usize).next() else { return };
    let Some(indent) = spaces(first).checked_sub(spaces(&value[lead..])) else { return };
    let lines =
        raw_lines(text, span.start as usize).map(|(start, raw)| (start + indent, raw.get(indent..).unwrap_or("")));
    join(value, lead, lines, found);
}

/// Lines of a plain or quoted scalar follow each other without the blanks around them.
fn flowed(text: &str, span: Span, value: &str, found: &mut impl FnMut(usize, usize, usize)) {
    let Some(raw) = text.get(span.range()) else { return };
    if !raw.contains(['\n', '\r']) {
        return;
    }
    let lines = raw_lines(raw, 0).enumerate().map(|(index, (start, line))| {
        // The first line of a quoted scalar may begin with blanks that count.
        let trimmed = if index == 0 { line } else { line.trim_start_matches([' ', '\t']) };
        (span.start as usize + start + line.len() - trimmed.len(), trimmed.trim_end_matches([' ', '\t']))
    });
    join(value, 0, lines, found);
}

/// Finds raw `lines` one after the other in `value` from `from` on.
fn join<'t>(
    value: &str,
    mut from: usize,
    lines: impl Iterator<Item = (usize, &'t str)>,
    found: &mut impl FnMut(usize, usize, usize),
) {
    for (to, line) in lines {
        if value[from..].trim_end_matches('\n').is_empty() {
            return;
        }
        if line.is_empty() {
            continue;
        }
        let rest = &value[from..];
        let gap = match rest.strip_prefix(' ') {
            Some(rest) if rest.starts_with(line) => 1,
            _ => rest.len() - rest.trim_start_matches('\n').len(),
        };
        if !value[from + gap..].starts_with(line) {
            return;
        }
        found(from + gap, to, line.len());
        from += gap + line.len();
    }
}

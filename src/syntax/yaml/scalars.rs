//! Where the scalars of ordinary YAML end, and what they say. Gives up like the pass over the lines that asks it.

use crate::model::span::Span;

/// What ended the line of a plain scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The line.
    Line,
    /// A colon: it is a key.
    Key,
    /// A comment.
    Comment,
}

/// A scalar in quotes: where it ends, quotes included, and its text when that is not what stands there.
pub(super) struct Quoted {
    pub end: usize,
    pub text: Option<String>,
}

/// A block scalar: what it covers, its text, and where the next line begins.
pub(super) struct Block {
    pub span: Span,
    pub text: String,
    pub next: usize,
}

/// How many spaces stand at `at`.
pub(super) fn spaces(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|&&byte| byte == b' ').count()
}

/// Where the line of `at` ends, before its line feed.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |len| at + len)
}

/// Where the part of a plain scalar ends that stands on the line of `start`, and by what.
pub(super) fn plain_end(bytes: &[u8], start: usize) -> Option<(usize, Ended)> {
    let mut at = start;
    let ended = loop {
        match bytes.get(at) {
            None | Some(b'\n') => break Ended::Line,
            Some(b':') if bytes.get(at + 1).is_none_or(|byte| matches!(byte, b' ' | b'\n')) => break Ended::Key,
            Some(b'#') if bytes[at - 1] == b' ' => break Ended::Comment,
            Some(b'\t') => return None,
            Some(_) => at += 1,
        }
    };
    while at > start && bytes[at - 1] == b' ' {
        at -= 1;
    }
    Some((at, ended))
}

/// Where a plain scalar in brackets ends; it stands on one line.
pub(super) fn plain_end_in_flow(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b',' | b'[' | b']' | b'{' | b'}' | b'\n' => break,
            b':' => match bytes.get(at + 1)? {
                b' ' => break,
                b',' | b'[' | b']' | b'{' | b'}' | b'\n' | b'\t' => return None,
                _ => at += 1,
            },
            b'#' if bytes[at - 1] == b' ' => break,
            b'\t' => return None,
            _ => at += 1,
        }
    }
    while bytes[at - 1] == b' ' {
        at -= 1;
    }
    // A line may go on with the next one.
    let next = at + spaces(bytes, at);
    matches!(bytes.get(next)?, b',' | b']' | b'}' | b':').then_some(at)
}

/// A plain value on one or several lines, the further ones deeper than `column`: where it ends, and its text when lines were joined.
pub(super) fn plain(text: &str, start: usize, column: usize) -> Option<(usize, Option<String>)> {
    let bytes = text.as_bytes();
    let (mut end, mut ended) = plain_end(bytes, start)?;
    let mut joined: Option<String> = None;
    while ended == Ended::Line {
        let Some((next, breaks)) = next_content(bytes, end, column) else { break };
        let (next_end, next_ended) = plain_end(bytes, next)?;
        let joined = joined.get_or_insert_with(|| text[start..end].to_string());
        join(joined, breaks);
        joined.push_str(&text[next..next_end]);
        (end, ended) = (next_end, next_ended);
    }
    (ended != Ended::Key).then_some((end, joined))
}

/// The next line that goes on with a plain scalar which pauses at `end`, and how many lines end before it.
fn next_content(bytes: &[u8], end: usize, column: usize) -> Option<(usize, usize)> {
    let mut line = line_end(bytes, end) + 1;
    let mut breaks = 1;
    loop {
        let at = line + spaces(bytes.get(line..)?, 0);
        match bytes.get(at)? {
            b'\n' => {
                breaks += 1;
                line = at + 1;
            }
            b'#' => return None,
            _ => return (at - line > column).then_some((at, breaks)),
        }
    }
}

/// Folds line ends: one is a space, several are one less.
fn join(text: &mut String, breaks: usize) {
    match breaks {
        1 => text.push(' '),
        _ => (1..breaks).for_each(|_| text.push('\n')),
    }
}

/// A scalar in quotes that ends on its line.
pub(super) fn quoted_in_line(text: &str, start: usize) -> Option<Quoted> {
    quoted(&text[..line_end(text.as_bytes(), start)], start, 0)
}

/// A scalar in quotes on one or several lines, the further ones deeper than `column`.
pub(super) fn quoted(text: &str, start: usize, column: usize) -> Option<Quoted> {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let mut out: Option<String> = None;
    let mut from = start + 1;
    loop {
        let found = match quote {
            b'"' => memchr::memchr3(b'"', b'\\', b'\n', &bytes[from..]),
            _ => memchr::memchr2(b'\'', b'\n', &bytes[from..]),
        };
        let at = from + found?;
        match bytes[at] {
            b'\n' => {
                let out = out.get_or_insert_with(String::new);
                out.push_str(text[from..at].trim_end_matches(' '));
                let (next, breaks) = next_quoted(bytes, at, column)?;
                // Blanks before the break that came from an escape, or tabs, are read by the whole parser.
                if text[..at].trim_end_matches(' ').ends_with(['\t', '\\']) {
                    return None;
                }
                join(out, breaks);
                from = next;
            }
            b'\\' => {
                let out = out.get_or_insert_with(String::new);
                out.push_str(&text[from..at]);
                out.push(match bytes.get(at + 1)? {
                    b'n' => '\n',
                    b't' => '\t',
                    b'r' => '\r',
                    &byte @ (b'"' | b'\\' | b'/') => char::from(byte),
                    _ => return None,
                });
                from = at + 2;
            }
            _ if quote == b'\'' && bytes.get(at + 1) == Some(&quote) => {
                let out = out.get_or_insert_with(String::new);
                out.push_str(&text[from..=at]);
                from = at + 2;
            }
            _ => {
                if let Some(out) = &mut out {
                    out.push_str(&text[from..at]);
                }
                return Some(Quoted { end: at + 1, text: out });
            }
        }
    }
}

/// Where a scalar in quotes goes on after the line feed at `at`, and how many lines ended.
fn next_quoted(bytes: &[u8], at: usize, column: usize) -> Option<(usize, usize)> {
    let (mut line, mut breaks) = (at + 1, 1);
    loop {
        let next = line + spaces(bytes, line);
        match bytes.get(next)? {
            b'\n' => {
                breaks += 1;
                line = next + 1;
            }
            b'\t' => return None,
            _ => return (next - line > column).then_some((next, breaks)),
        }
    }
}

/// The block scalar whose lines begin at `start` and stand deeper than `column`.
pub(super) fn block(text: &str, start: usize, column: usize, folded: bool, chomp: Option<u8>) -> Option<Block> {
    let bytes = text.as_bytes();
    let (mut line, mut breaks, mut longest) = (start, 0, 0);
    let indent = loop {
        let width = spaces(bytes, line);
        match bytes.get(line + width)? {
            b'\n' => {
                breaks += 1;
                longest = longest.max(width);
                line += width + 1;
            }
            b'\t' => return None,
            _ => break width,
        }
    };
    if indent <= column || longest > indent {
        return None;
    }
    let first = line + indent;
    let mut out = String::new();
    // Whether a line was read whose end is not yet written, and whether it began with a blank.
    let (mut pending, mut was_blank) = (false, false);
    let mut end;
    loop {
        let content = line + indent;
        let close = line_end(bytes, content);
        let is_blank = matches!(bytes[content], b' ' | b'\t');
        if pending && folded && !was_blank && !is_blank {
            join(&mut out, breaks + 1);
        } else {
            (0..breaks + usize::from(pending)).for_each(|_| out.push('\n'));
        }
        out.push_str(&text[content..close]);
        (breaks, was_blank, pending) = (0, is_blank, close < bytes.len());
        line = (close + 1).min(bytes.len());
        // Lines without content.
        let mut width;
        loop {
            width = spaces(bytes, line).min(indent);
            if bytes.get(line + width) != Some(&b'\n') {
                break;
            }
            breaks += 1;
            line += width + 1;
        }
        end = line + width;
        if width < indent || end == bytes.len() {
            break;
        }
    }
    if chomp != Some(b'-') {
        out.push('\n');
    }
    if chomp == Some(b'+') {
        (0..breaks).for_each(|_| out.push('\n'));
    }
    Some(Block { span: Span::new(first, end), text: out, next: line })
}

//! Words of a Dockerfile instruction: flags, `NAME=value` pairs, JSON arrays, fields. Knows no instruction.

use super::Flag;
use crate::model::text::{Mapped, Text};
use std::ops::Range;

/// The words of a text between white space; quotes mean nothing.
pub fn fields(body: &Mapped) -> Vec<Text> {
    ranges(&body.text).into_iter().map(|range| body.text(range)).collect()
}

/// Where the words between white space are.
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_whitespace(), start) {
            (true, Some(from)) => {
                found.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    found.extend(start.map(|from| from..text.len()));
    found
}

/// Reads `--name=value` words from `start` on, and says where the rest begins.
pub fn flags(body: &Mapped, mut start: usize) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    while body.text[start..].starts_with("--") {
        let end = word_end(&body.text, start);
        let word = &body.text[start..end];
        if word == "--" {
            break;
        }
        let name_end = start + word.find('=').unwrap_or(word.len());
        let value = value(body, (name_end + 1).min(end)..end);
        flags.push(Flag { name: body.text[start + 2..name_end].to_ascii_lowercase(), value });
        start = end + (body.text[end..].len() - body.text[end..].trim_start().len());
    }
    (flags, start)
}

/// Where the word at `start` ends when quotes and backslashes are obeyed.
fn word_end(text: &str, start: usize) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text[start..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('\''), '\\') => {}
            (_, '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => return start + at,
            _ => {}
        }
    }
    text.len()
}

/// The value of a word: quotes and escapes removed; verbatim when nothing but a pair of quotes around all of it had to go.
fn value(body: &Mapped, range: Range<usize>) -> Text {
    let raw = &body.text[range.clone()];
    let inner = ['"', '\''].into_iter().find_map(|quote| raw.strip_prefix(quote)?.strip_suffix(quote));
    if let Some(inner) = inner.filter(|inner| !inner.contains(['"', '\'', '\\'])) {
        return body.text(range.start + 1..range.start + 1 + inner.len());
    }
    if !raw.contains(['"', '\'', '\\']) {
        return body.text(range);
    }
    Text { text: unquote(raw), at: body.place(range).0, verbatim: false }
}

fn unquote(raw: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (Some('\''), _) => out.push(c),
            (_, '\\') => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

/// `NAME=value NAME2 …` of `ARG` and `ENV`; also the old `ENV NAME all the rest`.
pub fn pairs(body: &Mapped) -> Vec<(Text, Option<Text>)> {
    let mut pairs = Vec::new();
    let mut start = body.text.len() - body.text.trim_start().len();
    while start < body.text.len() {
        let end = word_end(&body.text, start);
        let name_end = body.text[start..end].find('=').map(|at| start + at);
        let after = end + (body.text[end..].len() - body.text[end..].trim_start().len());
        pairs.push(match name_end {
            Some(name_end) => (body.text(start..name_end), Some(value(body, name_end + 1..end))),
            None => (body.text(start..end), None),
        });
        start = after.max(start + 1);
        if !body.text.is_char_boundary(start) {
            break;
        }
    }
    pairs
}

/// The old form of `ENV`: a name, and all of the rest as its value.
pub fn spaced_pair(body: &Mapped) -> Option<(Text, Text)> {
    let end = body.text.find(char::is_whitespace)?;
    let name = &body.text[..end];
    let rest = end + (body.text[end..].len() - body.text[end..].trim_start().len());
    (!name.contains('=')).then(|| (body.text(0..end), value(body, rest..body.text.len())))
}

/// The strings of a JSON array (`["a", "b"]`); `None` when it is none.
pub fn array(body: &Mapped) -> Option<Vec<Text>> {
    let text = body.text.as_str();
    let inner = text.trim();
    if !inner.starts_with('[') || !inner.ends_with(']') {
        return None;
    }
    let strings: Vec<String> = serde_json::from_str(inner).ok()?;
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut texts = Vec::with_capacity(strings.len());
    for string in strings {
        // The array is well-formed, so each string begins at the next quote and ends at the next one that is not escaped.
        let open = at + bytes[at..].iter().position(|byte| *byte == b'"')?;
        let mut close = open + 1;
        while *bytes.get(close)? != b'"' {
            close += if bytes[close] == b'\\' { 2 } else { 1 };
        }
        let (place, verbatim) = body.place(open + 1..close);
        texts.push(Text { verbatim: verbatim && text[open + 1..close] == string, text: string, at: place });
        at = close + 1;
    }
    Some(texts)
}

/// The here-documents that a line announces: name, and whether tabs before the lines are dropped.
pub fn here_documents(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut start = text.len() - text.trim_start().len();
    while start < text.len() {
        let end = word_end(text, start);
        found.extend(here_document(&text[start..end]));
        let next = end + (text[end..].len() - text[end..].trim_start().len());
        if next <= start {
            break;
        }
        start = next;
    }
    found
}

/// `<<EOF`, `3<<-"EOF"`.
fn here_document(word: &str) -> Option<(String, bool)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (rest, strip) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let name = unquote(rest);
    (!name.is_empty() && !name.contains(['<', '(', ')'])).then_some((name, strip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn body(text: &str) -> Mapped {
        Mapped::verbatim(text, SourceId(0), 100)
    }

    #[test]
    fn pairs_are_unquoted() {
        let rows = pairs(&body("A=1 B=\"x y\" C D='q' E=a\\ b"));
        let got: Vec<_> =
            rows.iter().map(|(n, v)| (n.text.as_str(), v.as_ref().map(|v| (v.text.as_str(), v.verbatim)))).collect();
        let want = [
            ("A", Some(("1", true))),
            ("B", Some(("x y", true))),
            ("C", None),
            ("D", Some(("q", true))),
            ("E", Some(("a b", false))),
        ];
        assert_eq!(got, want);
        assert_eq!(rows[1].1.as_ref().map(|v| v.at.span.start), Some(107));
    }

    #[test]
    fn arrays_know_the_places_of_their_strings() {
        let got = array(&body(r#" ["bash", "-c", "a \"b\""]"#)).expect("an array");
        let got: Vec<_> = got.iter().map(|text| (text.text.as_str(), text.at.span.start, text.verbatim)).collect();
        assert_eq!(got, [("bash", 103, true), ("-c", 111, true), ("a \"b\"", 117, false)]);
        assert!(array(&body("[ -f x ] && y")).is_none());
    }

    #[test]
    fn here_documents_are_words_of_their_own() {
        assert_eq!(here_documents("python <<-'A' 3<<B x"), [("A".to_string(), true), ("B".to_string(), false)]);
        assert!(here_documents("a <<< b; echo $((1<<2)) '<<x'").is_empty());
    }
}

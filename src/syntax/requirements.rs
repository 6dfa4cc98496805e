//! pip's requirements file format: logical lines, options, comments, each with its place. Does not read the requirements themselves.
//!
//! Source: pip's `_internal/req/req_file.py`: physical lines are joined at a trailing `\`, comments begin with `#` at the start or after
//! white space, a line is words up to the first one that begins with `-`, then options as `shlex` splits them.

use crate::model::span::{Location, SourceId, Span};
use crate::model::text::{Mapped, Segment, Text};
use std::borrow::Cow;
use std::ops::Range;

/// A requirements file.
#[derive(Debug, Default)]
pub struct File {
    /// Its logical lines that say something.
    pub lines: Vec<Line>,
    /// Its comments in order, without `#` and outer spaces.
    pub comments: Vec<Text>,
}

/// A logical line.
#[derive(Debug)]
pub struct Line {
    /// The requirement, when the line begins with one.
    pub requirement: Option<Text>,
    /// Options of the file, or of the requirement when there is one.
    pub options: Vec<Flag>,
    /// From its first word to its last.
    pub at: Location,
    /// The comment at its end, without `#`.
    pub comment: Option<Text>,
}

/// An option.
#[derive(Debug)]
pub struct Flag {
    /// Its long name without dashes (`requirement` for `-r`); as written when pip knows none such.
    pub name: String,
    /// Its value.
    pub value: Option<Text>,
    /// From its dash to the end of its value.
    pub at: Location,
    /// Whether pip knows it.
    pub known: bool,
}

/// Options that pip takes in a requirements file: long name, short letter, whether a value follows.
const OPTIONS: [(&str, Option<char>, bool); 19] = [
    ("requirement", Some('r'), true),
    ("constraint", Some('c'), true),
    ("editable", Some('e'), true),
    ("index-url", Some('i'), true),
    ("pypi-url", None, true),
    ("extra-index-url", None, true),
    ("no-index", None, false),
    ("find-links", Some('f'), true),
    ("no-binary", None, true),
    ("only-binary", None, true),
    ("prefer-binary", None, false),
    ("require-hashes", None, false),
    ("pre", None, false),
    ("trusted-host", None, true),
    ("use-feature", None, true),
    ("hash", None, true),
    ("config-settings", Some('C'), true),
    ("global-option", None, true),
    ("install-option", None, true),
];

/// Reads a requirements file. Never fails: options that pip does not know are marked as such.
pub fn parse(source: SourceId, text: &str) -> File {
    let mut file = File::default();
    for (mapped, comment) in logical_lines(source, text) {
        let comment = comment.map(|span| bare_comment(source, text, span));
        if let Some(line) = line(&mapped, comment.clone()) {
            file.lines.push(line);
        }
        file.comments.extend(comment);
    }
    file
}

/// Physical lines, without their ends, as offsets.
fn physical_lines(text: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let ends_pair = bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r' && at == start;
        if ends_pair {
            start = at + 1;
            continue;
        }
        lines.push(start..at);
        start = at + 1;
    }
    if start < text.len() {
        lines.push(start..text.len());
    }
    lines
}

/// Where the comment of a line begins: at `#` that is first or follows white space.
fn comment_start(line: &str) -> Option<usize> {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return Some(at);
        }
        before = c;
    }
    None
}

/// Joins physical lines; each comes with the span of its comment.
fn logical_lines(source: SourceId, text: &str) -> Vec<(Mapped, Option<Span>)> {
    let mut out = Vec::new();
    let mut joined: Option<Mapped> = None;
    for range in physical_lines(text) {
        let line = &text[range.clone()];
        let whole_comment = line.trim_start().starts_with('#');
        if line.ends_with('\\') && !whole_comment {
            append(joined.get_or_insert_with(|| empty(source, range.start)), line.trim_end_matches('\\'), range.start);
            continue;
        }
        let mut mapped = joined.take().unwrap_or_else(|| empty(source, range.start));
        let comment = comment_start(line);
        append(&mut mapped, &line[..comment.unwrap_or(line.len())], range.start);
        out.push((mapped, comment.map(|at| Span::new(range.start + at, range.end))));
    }
    out.extend(joined.map(|mapped| (mapped, None)));
    // A comment may also stand before a `\`: pip joins first, and it then takes the rest of the logical line.
    for (mapped, comment) in &mut out {
        if let Some(at) = comment_start(&mapped.text) {
            *comment = comment.or(Some(mapped.place(at..mapped.text.len()).0.span));
            mapped.text.truncate(at);
        }
    }
    out
}

fn empty(source: SourceId, start: usize) -> Mapped {
    Mapped { text: String::new(), at: Location::new(source, Span::empty(start)), segments: Vec::new() }
}

fn append(mapped: &mut Mapped, part: &str, at: usize) {
    let from = mapped.text.len() as u32;
    mapped.segments.push(Segment { from, to: at as u32, len: part.len() as u32 });
    mapped.text.push_str(part);
    mapped.at.span = mapped.at.span.to(Span::new(at, at + part.len()));
}

fn bare_comment(source: SourceId, text: &str, span: Span) -> Text {
    let raw = &text[span.range()];
    let inner = raw.trim_start_matches('#');
    let start = raw.len() - inner.trim_start().len();
    let inner = inner.trim();
    let span = span.slice(start..start + inner.len());
    Text { text: inner.to_string(), at: Location::new(source, span), verbatim: text.get(span.range()) == Some(inner) }
}

fn line(mapped: &Mapped, comment: Option<Text>) -> Option<Line> {
    let words = words(&mapped.text);
    let (first, last) = (words.first()?, words.last()?);
    let at = mapped.place(first.range.start..last.range.end).0;
    let options_from = words.iter().position(|word| mapped.text[word.range.clone()].starts_with('-'));
    let options_from = options_from.unwrap_or(words.len());
    let requirement = options_from.checked_sub(1).map(|end| mapped.text(first.range.start..words[end].range.end));
    Some(Line { requirement, options: flags(mapped, &words[options_from..]), at, comment })
}

struct Word<'t> {
    range: Range<usize>,
    text: Cow<'t, str>,
    /// Where the unquoted text stands, when it is one piece.
    inner: Option<Range<usize>>,
}

/// Words as `shlex` splits them: white space, quotes, `\`.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<char> = None;
    let chars = text.char_indices().peekable();
    for (at, c) in chars {
        if quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_with(|| Word { range: at..at, text: Cow::default(), inner: Some(at..at) });
        word.range.end = at + c.len_utf8();
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.text.to_mut();
            }
            _ => {
                match &mut word.text {
                    // Without quotes so far, it says what stands there.
                    Cow::Borrowed(plain) => *plain = &text[word.range.clone()],
                    Cow::Owned(made) => made.push(c),
                }
                let extends = word.inner.as_ref().is_some_and(|inner| inner.is_empty() || inner.end == at);
                let start = word.inner.as_ref().filter(|inner| !inner.is_empty()).map_or(at, |inner| inner.start);
                word.inner = extends.then(|| start..at + c.len_utf8());
            }
        }
    }
    words.extend(word);
    words
}

fn flags(mapped: &Mapped, words: &[Word<'_>]) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, inline) = split(word);
        let Some((long, takes)) = known(&name) else {
            let at = mapped.place(word.range.clone()).0;
            flags.push(Flag { name, value: None, at, known: false });
            continue;
        };
        let mut end = word.range.end;
        let value = match inline {
            Some(from) => Some(part_of(mapped, word, from)),
            None if takes => rest.next().map(|next| {
                end = next.range.end;
                part_of(mapped, next, 0)
            }),
            None => None,
        };
        let at = mapped.place(word.range.start..end).0;
        flags.push(Flag { name: long.to_string(), value: value.filter(|_| takes), at, known: true });
    }
    flags
}

/// The name of an option and where in the word its value begins.
fn split(word: &Word) -> (String, Option<usize>) {
    let text = word.text.as_ref();
    if let Some(long) = text.strip_prefix("--") {
        return match long.split_once('=') {
            Some((name, _)) => (name.to_string(), Some(name.len() + 3)),
            None => (long.to_string(), None),
        };
    }
    let mut chars = text.chars();
    let letter: String = chars.by_ref().skip(1).take(1).collect();
    let value = 1 + letter.len();
    (letter, (value < text.len()).then_some(value))
}

fn known(name: &str) -> Option<(&'static str, bool)> {
    let exact = OPTIONS
        .iter()
        .find(|(long, short, _)| *long == name || short.is_some_and(|c| name.strip_prefix(c) == Some("")));
    // Like `optparse`, pip takes an abbreviation that fits one option only.
    let mut abbreviated = OPTIONS.iter().filter(|(long, ..)| name.len() > 2 && long.starts_with(name));
    let found = exact.or_else(|| abbreviated.next().filter(|_| abbreviated.next().is_none()))?;
    Some((found.0, found.2))
}

fn part_of(mapped: &Mapped, word: &Word, from: usize) -> Text {
    let text = word.text[from..].to_string();
    match &word.inner {
        Some(inner) => Text { text, ..mapped.text(inner.start + from..inner.end) },
        None => Text { text, at: mapped.place(word.range.clone()).0, verbatim: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let file = parse(SourceId(0), text);
        let show = |line: &Line| {
            let mut out = line.requirement.as_ref().map_or(String::new(), |r| r.text.clone());
            for flag in &line.options {
                let value = flag.value.as_ref();
                if let Some(value) = value.filter(|value| value.verbatim) {
                    assert_eq!(&text[value.at.span.range()], value.text);
                }
                out += &format!(" <{}{}>", flag.name, value.map_or(String::new(), |v| format!("={}", v.text)));
            }
            if let Some(requirement) = line.requirement.as_ref().filter(|requirement| requirement.verbatim) {
                assert_eq!(&text[requirement.at.span.range()], requirement.text);
            }
            out
        };
        file.lines.iter().map(show).collect()
    }

    #[test]
    fn lines_are_split_into_requirements_and_options() {
        for (text, expected) in [
            ("a==1\r\nb >= 2 # why\n", &["a==1", "b >= 2"][..]),
            ("\u{feff}a==1\rb", &["a==1", "b"]),
            (
                "-r x.txt\n--requirement=y.txt\n-cz.txt",
                &[" <requirement=x.txt>", " <requirement=y.txt>", " <constraint=z.txt>"],
            ),
            ("-e git+https://x/y@main#egg=z", &[" <editable=git+https://x/y@main#egg=z>"]),
            ("a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n", &["a==1 <hash=sha256:aa> <hash=sha256:bb>"]),
            ("a ; python_version < '3' --hash \"sha256:a\"", &["a ; python_version < '3' <hash=sha256:a>"]),
            ("-r \"a b.txt\"", &[" <requirement=a b.txt>"]),
            ("--pre\n--no-index\n--extra-index https://x", &[" <pre>", " <no-index>", " <extra-index-url=https://x>"]),
            ("a # b \\\nc", &["a"]),
            ("# x \\\nc", &["c"]),
            ("a\\", &["a"]),
            ("\\\n\\\n", &[]),
            ("--weird x", &[" <weird> <>"]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn comments_keep_their_place() {
        let text = "# This file is autogenerated by pip-compile\na==1  # via b\n";
        let file = parse(SourceId(0), text);
        assert_eq!(file.comments.len(), 2);
        assert_eq!(&text[file.comments[1].at.span.range()], "via b");
        assert_eq!(file.lines[0].comment.as_ref().unwrap().text, "via b");
    }

    #[test]
    fn a_requirement_that_was_continued_in_the_middle_is_not_verbatim() {
        let file = parse(SourceId(0), "a>=1,\\\n<2\n");
        let requirement = file.lines[0].requirement.as_ref().unwrap();
        assert_eq!((requirement.text.as_str(), requirement.verbatim), ("a>=1,<2", false));
    }
}

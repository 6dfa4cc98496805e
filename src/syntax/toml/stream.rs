//! TOML to a tree in one pass over its bytes, without a table of tables in between: what lock files of tools look like.
//!
//! Gives up on what needs more than that (mistakes, dotted keys, tables that are taken up again), and then says nothing.

use super::quotes;
use crate::model::span::{SourceId, Span};
use crate::syntax::tree::{Builder, Quotes, Style, Tree};
use memchr::memmem;
use std::borrow::Cow;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::{ParseError, Raw};

/// How deep values may nest; the same as in the parser of the `toml` crate.
const MAX_NESTING: usize = 80;

/// How many parts the name of a table may have here.
const MAX_PARTS: usize = 40;

/// Reads `text`; `None` when it has anything out of the ordinary.
pub fn parse(source: SourceId, text: &str) -> Option<Tree<'_>> {
    if !is_ordinary(text) {
        return None;
    }
    let skip = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: skip, builder: Builder::new(source, text), levels: Vec::new() };
    reader.builder.open(true, Span::empty(skip), 0, Span::empty(0));
    while reader.skip_lines() {
        match reader.bytes[reader.at] {
            b'[' => reader.header()?,
            _ => reader.entry(0)?,
        }
        reader.rest()?;
    }
    let tree = reader.builder.finish();
    tree.problems.is_empty().then_some(tree)
}

/// Whether no control character stands anywhere, but for tabs and line ends.
fn is_ordinary(text: &str) -> bool {
    // No short cut in the loop: so it is done for many bytes at once.
    let odd = |odd, byte| odd | ((byte < b' ') & (byte != b'\n') & (byte != b'\r') & (byte != b'\t')) | (byte == 0x7f);
    let carriage = |at: usize| text.as_bytes().get(at + 1) != Some(&b'\n');
    !text.bytes().fold(false, odd) && !memchr::memchr_iter(b'\r', text.as_bytes()).any(carriage)
}

/// A table that is open, by the last part of its name.
struct Level<'s> {
    name: Cow<'s, str>,
    /// Whether it is the last of a list of tables.
    listed: bool,
}

struct Reader<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    builder: Builder<'s>,
    levels: Vec<Level<'s>>,
}

impl<'s> Reader<'s> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes a byte, if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes the rest of a line that has been read; a comment may stand there.
    fn rest(&mut self) -> Option<()> {
        self.skip_blanks();
        match self.peek() {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(b'\r') => self.at += 2,
            Some(b'#') => self.comment(),
            Some(_) => return None,
        }
        Some(())
    }

    fn comment(&mut self) {
        let end = memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.bytes.len(), |len| self.at + len);
        let line = self.text[self.at..end].trim_end_matches('\r');
        self.builder.comment(Span::new(self.at, self.at + line.len()));
        self.at = end;
    }

    /// Goes to what is neither blank nor comment nor line end; whether there is anything.
    fn skip_lines(&mut self) -> bool {
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return false,
                Some(b'\n') => self.at += 1,
                Some(b'\r') => self.at += 2,
                Some(b'#') => self.comment(),
                Some(_) => return true,
            }
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    fn header(&mut self) -> Option<()> {
        let start = self.at;
        self.at += 1;
        let listed = self.takes(b'[');
        let mut names = Vec::new();
        loop {
            self.skip_blanks();
            names.push(self.key()?);
            self.skip_blanks();
            if !self.takes(b'.') {
                break;
            }
        }
        let closed = self.takes(b']') && (!listed || self.takes(b']'));
        (closed && names.len() <= MAX_PARTS).then_some(())?;
        self.enter(listed, Span::new(start, self.at), names)
    }

    /// Opens the table that a header names, and closes those that it is not in.
    fn enter(&mut self, listed: bool, span: Span, mut names: Vec<(Span, Cow<'s, str>)>) -> Option<()> {
        let none = Span::empty(0);
        let (last_at, last) = names.pop()?;
        let same = self.levels.iter().zip(&names).take_while(|(level, (_, name))| level.name == *name).count();
        if same == names.len() && self.levels.get(same).is_some_and(|level| level.name == last) {
            // The next one of a list; anything else of that name was there before.
            if !listed || !self.levels[same].listed {
                return None;
            }
            self.close_levels(same + 1);
            self.builder.close(None);
            self.builder.open(true, span, 0, none);
            return Some(());
        }
        self.close_levels(same);
        for (at, name) in names.into_iter().skip(same) {
            self.leaf(at, name.clone());
            self.builder.open(true, at, 0, none);
            self.levels.push(Level { name, listed: false });
        }
        self.leaf(last_at, last.clone());
        if listed {
            self.builder.open(false, span, 0, none);
        }
        self.builder.open(true, span, 0, none);
        self.levels.push(Level { name: last, listed });
        Some(())
    }

    fn close_levels(&mut self, keep: usize) {
        while self.levels.len() > keep {
            self.builder.close(None);
            if self.levels.pop().is_some_and(|level| level.listed) {
                self.builder.close(None);
            }
        }
    }

    /// A key of one part.
    fn key(&mut self) -> Option<(Span, Cow<'s, str>)> {
        let start = self.at;
        if matches!(self.peek()?, b'"' | b'\'') {
            let encoding = self.string()?;
            let span = Span::new(start, self.at);
            let of_line = matches!(encoding, Encoding::BasicString | Encoding::LiteralString);
            return Some((span, self.decoded(span, encoding)?)).filter(|_| of_line);
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        (!span.is_empty()).then(|| (span, Cow::Borrowed(&self.text[span.range()])))
    }

    /// `key = value`
    fn entry(&mut self, depth: usize) -> Option<()> {
        let (at, name) = self.key()?;
        self.leaf(at, name);
        self.skip_blanks();
        if !self.takes(b'=') {
            return None;
        }
        self.skip_blanks();
        self.value(depth)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let start = self.at;
        match self.peek()? {
            b'[' => self.array(depth),
            b'{' => self.table(depth),
            b'"' | b'\'' => {
                let encoding = self.string()?;
                let span = Span::new(start, self.at);
                let text = self.decoded(span, encoding)?;
                self.leaf(span, text);
                Some(())
            }
            _ => self.word(),
        }
    }

    fn open(&mut self, is_map: bool, depth: usize) -> Option<()> {
        self.builder.open(is_map, Span::new(self.at, self.at + 1), 0, Span::empty(0));
        self.at += 1;
        (depth < MAX_NESTING).then_some(())
    }

    /// `[…]`
    fn array(&mut self, depth: usize) -> Option<()> {
        self.open(false, depth)?;
        loop {
            self.skip_lines();
            if self.takes(b']') {
                break;
            }
            self.value(depth + 1)?;
            self.skip_lines();
            if !self.takes(b',') && self.peek() != Some(b']') {
                return None;
            }
        }
        self.builder.close(Some(self.at));
        Some(())
    }

    /// `{…}` on one line.
    fn table(&mut self, depth: usize) -> Option<()> {
        self.open(true, depth)?;
        self.skip_blanks();
        while !self.takes(b'}') {
            self.entry(depth + 1)?;
            self.skip_blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => continue,
                _ => return None,
            }
            self.skip_blanks();
            // A comma before the end is new, and rare.
            if self.peek() == Some(b'}') {
                return None;
            }
        }
        self.builder.close(Some(self.at));
        Some(())
    }

    /// A number, a truth value or a date.
    fn word(&mut self) -> Option<()> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'_' | b'.' | b':'))
        {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        let word = &self.text[span.range()];
        let number = word.bytes().all(|byte| byte.is_ascii_digit()) && !word.starts_with('0') && !word.is_empty();
        if !number && word != "true" && word != "false" {
            let (mut wrong, mut text) = (false, Cow::Borrowed(""));
            let raw = Raw::new_unchecked(word, None, toml_parser::Span::new_unchecked(0, word.len()));
            let kind = raw.decode_scalar(&mut text, &mut |_: ParseError| wrong = true);
            wrong |= word.is_empty() || kind == ScalarKind::String;
            wrong |= kind == ScalarKind::DateTime && text.parse::<toml::value::Datetime>().is_err();
            if wrong {
                return None;
            }
        }
        self.builder.verbatim(span, Quotes::NONE, Style::Plain);
        Some(())
    }

    /// Goes behind a string, and tells its kind.
    fn string(&mut self) -> Option<Encoding> {
        let rest = &self.bytes[self.at..];
        let quote = rest[0];
        let three = [quote; 3];
        if rest.starts_with(&three) {
            let len = 3 + memmem::find(&rest[3..], &three)?;
            // Whether a quote is escaped, or stands before those that close, takes a closer look.
            if rest.get(len + 3) == Some(&quote) || quote == b'"' && rest[..len].contains(&b'\\') {
                return None;
            }
            self.at += len + 3;
            return Some(if quote == b'"' { Encoding::MlBasicString } else { Encoding::MlLiteralString });
        }
        let mut end = 1;
        loop {
            end += memchr::memchr3(quote, b'\\', b'\n', &rest[end..])?;
            match rest[end] {
                b'\n' => return None,
                b'\\' if quote == b'"' => end += 2,
                b'\\' => end += 1,
                _ => break,
            }
            rest.get(end)?;
        }
        self.at += end + 1;
        Some(if quote == b'"' { Encoding::BasicString } else { Encoding::LiteralString })
    }

    /// What a string says.
    fn decoded(&self, span: Span, encoding: Encoding) -> Option<Cow<'s, str>> {
        let raw = &self.text[span.range()];
        let plain = encoding == Encoding::LiteralString || encoding == Encoding::BasicString && !raw.contains('\\');
        if plain {
            return Some(Cow::Borrowed(&raw[1..raw.len() - 1]));
        }
        let (mut wrong, mut text) = (false, Cow::Borrowed(""));
        let raw = Raw::new_unchecked(raw, Some(encoding), toml_parser::Span::new_unchecked(0, raw.len()));
        let _ = raw.decode_scalar(&mut text, &mut |_: ParseError| wrong = true);
        (!wrong).then_some(text)
    }

    fn leaf(&mut self, span: Span, text: Cow<'s, str>) {
        let quotes = quotes(&self.text[span.range()]);
        let style = if quotes.before == 0 { Style::Plain } else { Style::Quoted };
        match text {
            Cow::Borrowed(_) if quotes.before < 3 => self.builder.verbatim(span, quotes, style),
            text => self.builder.scalar(span, quotes, style, text, 0, Span::empty(0)),
        }
    }
}

//! YAML to a tree in one pass over its lines: what workflows, manifests and lock files look like.
//!
//! Gives up on what needs more than that (anchors, tags, complex keys, tabs between values, mistakes), and then says nothing.

use super::is_null;
use super::scalars::{self, Ended, Quoted};
use crate::model::span::{SourceId, Span};
use crate::syntax::tree::{Builder, Quotes, Style, Tree};
use std::borrow::Cow;

/// How deep collections may nest here; what nests deeper is rare, and at some depth a mistake.
const MAX_NESTING: usize = 100;

/// How long a key may be here, in bytes; from 1024 characters on it is a mistake.
const MAX_KEY: usize = 1000;

/// Reads `text`; `None` when it has anything out of the ordinary.
pub(super) fn parse(source: SourceId, text: &str) -> Option<Tree<'_>> {
    if !is_ordinary(text) {
        return None;
    }
    let mut builder = Builder::new(source, text);
    builder.merges = true;
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, line: 0, builder, open: Vec::new(), document: Document::Bare };
    reader.read()?;
    Some(reader.builder.finish())
}

/// Whether every character is one that may stand in a document and ends no line, but for the line feed.
fn is_ordinary(text: &str) -> bool {
    // No short cut in the loop: so it is done for many bytes at once.
    let odd =
        |odd: u8, byte: u8| odd | u8::from((byte < b' ') & (byte != b'\n') & (byte != b'\t')) | u8::from(byte == 0x7f);
    text.bytes().fold(0, odd) == 0
        && (text.is_ascii()
            || !text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')))
}

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Document {
    /// Nothing of it was said.
    Bare,
    /// `---` was there, and no content yet.
    Begun,
    /// Its content has begun.
    Filled,
}

/// A block collection that is not closed yet.
struct Open {
    column: usize,
    is_map: bool,
    /// A key or an entry still waits for its value; the place of a null, should none come.
    owed: Option<usize>,
}

struct Reader<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    /// Where the line of `at` begins.
    line: usize,
    builder: Builder<'s>,
    open: Vec<Open>,
    document: Document,
}

impl<'s> Reader<'s> {
    fn read(&mut self) -> Option<()> {
        self.builder.document();
        while self.next_line() {
            let column = self.at - self.line;
            match column {
                0 if self.is_marker(b"---") => self.begin()?,
                0 if self.is_marker(b"...") => return None,
                _ => self.node(column)?,
            }
        }
        self.end()
    }

    /// Goes to the next line with content; comments on the way are taken.
    fn next_line(&mut self) -> bool {
        loop {
            self.line = self.at;
            self.skip_spaces();
            match self.bytes.get(self.at) {
                None => return false,
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.comment(),
                Some(_) => return true,
            }
        }
    }

    fn skip_spaces(&mut self) {
        self.at += scalars::spaces(self.bytes, self.at);
    }

    /// Takes a comment, and the end of its line.
    fn comment(&mut self) {
        let end = scalars::line_end(self.bytes, self.at);
        self.builder.comment(Span::new(self.at, end));
        self.at = (end + 1).min(self.bytes.len());
    }

    /// Takes the blank rest of a line with its comment; anything else is given up.
    fn rest(&mut self) -> Option<()> {
        let from = self.at;
        self.skip_spaces();
        match self.bytes.get(self.at) {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(b'#') if self.at > from => self.comment(),
            Some(_) => return None,
        }
        Some(())
    }

    /// Whether the byte after `at` ends an indicator.
    fn is_blank(&self, at: usize) -> bool {
        self.bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\n'))
    }

    fn is_marker(&self, marker: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(marker) && self.is_blank(self.at + marker.len())
    }

    fn is_dash(&self) -> bool {
        self.bytes.get(self.at) == Some(&b'-') && self.is_blank(self.at + 1)
    }

    /// `---`
    fn begin(&mut self) -> Option<()> {
        self.end()?;
        self.builder.document();
        self.document = Document::Begun;
        self.at += 3;
        self.rest()
    }

    /// Ends a document. One that was begun and holds nothing would be a null.
    fn end(&mut self) -> Option<()> {
        while !self.open.is_empty() {
            self.close();
        }
        (self.document != Document::Begun).then_some(())
    }

    /// Closes the innermost collection.
    fn close(&mut self) {
        self.settle();
        self.open.pop();
        self.builder.close(None);
    }

    /// Gives null to what still waits for a value.
    fn settle(&mut self) {
        if let Some(at) = self.open.last_mut().and_then(|top| top.owed.take()) {
            self.builder.null(Span::empty(at), 0, Span::empty(0));
        }
    }

    fn enter(&mut self, is_map: bool, column: usize, at: usize) -> Option<()> {
        self.document = Document::Filled;
        self.builder.open(is_map, Span::empty(at), 0, Span::empty(0));
        self.open.push(Open { column, is_map, owed: None });
        (self.open.len() < MAX_NESTING).then_some(())
    }

    /// Takes the node that begins a line.
    fn node(&mut self, mut column: usize) -> Option<()> {
        let mut dash = self.is_dash();
        while let Some(top) = self.open.last() {
            // A list that stands no deeper than its key ends with the next key.
            let ended = top.column > column || top.column == column && !top.is_map && !dash;
            if !ended {
                break;
            }
            self.close();
        }
        self.expect(column, dash)?;
        while dash {
            let indicator = self.at;
            let same = self.open.last().filter(|top| top.column == column);
            let (listed, indentless) = (same.is_some_and(|top| !top.is_map), same.is_some_and(|top| top.is_map));
            self.at += 1;
            self.skip_spaces();
            let ends = self.bytes.get(self.at).is_none_or(|byte| matches!(byte, b'\n' | b'#'));
            let after = match self.bytes.get(self.at) {
                Some(b'#') => scalars::line_end(self.bytes, self.at),
                _ => self.at,
            };
            if !listed {
                self.enter(false, column, if indentless { after } else { indicator })?;
            }
            if ends {
                self.at = indicator + 1;
                self.owe(after);
                return self.rest();
            }
            column += self.at - indicator;
            dash = self.is_dash();
        }
        self.content(column)
    }

    /// Whether something may begin at a column; what waited for a value has it then.
    fn expect(&mut self, column: usize, dash: bool) -> Option<()> {
        match self.open.last_mut() {
            None if self.document == Document::Filled => return None,
            None => {}
            Some(top) if top.column < column || top.is_map && dash => {
                top.owed.take()?;
            }
            Some(_) => self.settle(),
        }
        Some(())
    }

    fn owe(&mut self, at: usize) {
        if let Some(top) = self.open.last_mut() {
            top.owed = Some(at);
        }
    }

    /// Takes what stands at a column and is no entry of a list: a key with its value, or a value.
    fn content(&mut self, column: usize) -> Option<()> {
        let must_be_key = self.open.last().is_some_and(|top| top.is_map && top.column == column);
        let start = self.at;
        let (end, quoted) = match self.bytes[start] {
            b'"' | b'\'' => match scalars::quoted_in_line(self.text, start) {
                Some(Quoted { end, text }) => (end, Some(text)),
                None if must_be_key => return None,
                None => return self.value(),
            },
            _ if !self.begins_plain() => return if must_be_key { None } else { self.value() },
            _ => {
                let (end, ended) = scalars::plain_end(self.bytes, start)?;
                if ended != Ended::Key {
                    return if must_be_key { None } else { self.value() };
                }
                (end, None)
            }
        };
        let colon = end + scalars::spaces(self.bytes, end);
        if self.bytes.get(colon) != Some(&b':') || !self.is_blank(colon + 1) {
            return if must_be_key { None } else { self.value() };
        }
        if colon - start > MAX_KEY {
            return None;
        }
        if !must_be_key {
            self.enter(true, column, start)?;
        }
        match quoted {
            Some(text) => self.quoted(start, end, text),
            None => self.plain(start, end),
        }
        self.at = colon + 1;
        self.skip_spaces();
        if self.bytes.get(self.at).is_none_or(|byte| matches!(byte, b'\n' | b'#')) {
            self.at = colon + 1;
            self.owe(colon);
            return self.rest();
        }
        self.value()
    }

    /// Takes a value that is no block collection, to the end of its last line.
    fn value(&mut self) -> Option<()> {
        // A document that is one scalar or one flow collection is rare.
        let column = self.open.last()?.column;
        match self.bytes[self.at] {
            b'|' | b'>' => return self.block(column),
            b'[' | b'{' => self.flow(column)?,
            b'"' | b'\'' => {
                let Quoted { end, text } = scalars::quoted(self.text, self.at, column)?;
                self.quoted(self.at, end, text);
                self.at = end;
            }
            _ if !self.begins_plain() => return None,
            _ => self.lines_of_plain(column)?,
        }
        self.rest()?;
        self.line = self.at;
        Some(())
    }

    /// Whether a plain scalar may begin here.
    fn begins_plain(&self) -> bool {
        match self.bytes[self.at] {
            b'-' => !self.is_blank(self.at + 1),
            b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
            | b'%' | b'@' | b'`' | b'\t' => false,
            _ => true,
        }
    }

    fn lines_of_plain(&mut self, column: usize) -> Option<()> {
        let start = self.at;
        let (end, text) = scalars::plain(self.text, start, column)?;
        match text {
            None => self.plain(start, end),
            Some(text) => {
                self.builder.scalar(Span::new(start, end), Quotes::NONE, Style::Plain, text.into(), 0, Span::empty(0))
            }
        }
        self.at = end;
        Some(())
    }

    fn plain(&mut self, start: usize, end: usize) {
        let span = Span::new(start, end);
        if is_null(&self.text[start..end]) {
            self.builder.null(span, 0, Span::empty(0));
        } else {
            self.builder.verbatim(span, Quotes::NONE, Style::Plain);
        }
    }

    fn quoted(&mut self, start: usize, end: usize, text: Option<String>) {
        let span = Span::new(start, end);
        match text {
            None => self.builder.verbatim(span, Quotes::ONE, Style::Quoted),
            Some(text) => self.builder.scalar(span, Quotes::ONE, Style::Quoted, Cow::Owned(text), 0, Span::empty(0)),
        }
    }

    /// `|` or `>`
    fn block(&mut self, column: usize) -> Option<()> {
        let style = if self.bytes[self.at] == b'|' { Style::Literal } else { Style::Folded };
        self.at += 1;
        let chomp = self.bytes.get(self.at).copied().filter(|byte| matches!(byte, b'+' | b'-'));
        self.at += usize::from(chomp.is_some());
        self.rest()?;
        let block = scalars::block(self.text, self.at, column, style == Style::Folded, chomp)?;
        self.builder.scalar(block.span, Quotes::NONE, style, Cow::Owned(block.text), 0, Span::empty(0));
        self.at = block.next;
        Some(())
    }

    /// `[…]` or `{…}`
    fn flow(&mut self, column: usize) -> Option<()> {
        let mut brackets: Vec<u8> = Vec::new();
        // Whether an item, a key or its value may come; else a comma or the end.
        let mut expects_item = true;
        loop {
            self.flow_space(column)?;
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b'[' | b'{' => {
                    let in_key = brackets.last() == Some(&b'{') && !self.builder.owes_value();
                    if !expects_item || in_key || brackets.len() + self.open.len() > MAX_NESTING {
                        return None;
                    }
                    self.builder.open(byte == b'{', Span::new(self.at, self.at + 1), 0, Span::empty(0));
                    brackets.push(byte);
                    self.at += 1;
                }
                b']' | b'}' => {
                    // `]` is two after `[`, and `}` after `{`.
                    if self.builder.owes_value() || brackets.pop()? + 2 != byte {
                        return None;
                    }
                    self.at += 1;
                    self.builder.close(Some(self.at));
                    expects_item = false;
                    if brackets.is_empty() {
                        return Some(());
                    }
                }
                b',' if !expects_item => {
                    self.at += 1;
                    expects_item = true;
                }
                _ if !expects_item => return None,
                _ => {
                    let is_key = brackets.last() == Some(&b'{') && !self.builder.owes_value();
                    self.flow_scalar(is_key)?;
                    expects_item = is_key;
                }
            }
        }
    }

    /// Takes a scalar in brackets; a key with its colon.
    fn flow_scalar(&mut self, is_key: bool) -> Option<()> {
        let start = self.at;
        match self.bytes[start] {
            b'"' | b'\'' => {
                let Quoted { end, text } = scalars::quoted_in_line(self.text, start)?;
                self.quoted(start, end, text);
                self.at = end;
            }
            b'-' if self.bytes.get(start + 1).is_none_or(|byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}')) => {
                return None;
            }
            _ if !self.begins_plain() => return None,
            _ => {
                self.at = scalars::plain_end_in_flow(self.bytes, start)?;
                self.plain(start, self.at);
            }
        }
        if is_key {
            let colon = self.bytes[self.at..].starts_with(b": ") && self.at - start <= MAX_KEY;
            self.at += 1;
            return colon.then_some(());
        }
        Some(())
    }

    /// Skips what stands between the parts of a flow collection.
    fn flow_space(&mut self, column: usize) -> Option<()> {
        let from = self.at;
        self.skip_spaces();
        match self.bytes.get(self.at) {
            Some(b'\n') => self.at += 1,
            Some(b'#') if self.at > from => self.comment(),
            _ => return Some(()),
        }
        // What stands too far to the left is read leniently by the whole parser.
        (self.next_line() && self.at - self.line > column).then_some(())
    }
}

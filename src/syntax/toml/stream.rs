//! TOML to a tree in one pass, table by table, without a table of tables in between: what lock files of tools look like.
//!
//! Gives up on what needs more than that (mistakes, dotted keys, tables that are taken up again), and then says nothing.

use super::quotes;
use crate::model::span::{SourceId, Span};
use crate::syntax::tree::{Builder, Quotes, Style, Tree};
use std::borrow::Cow;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{EventReceiver, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw};

/// How deep values may nest; the same as in the parser of the `toml` crate.
const MAX_NESTING: u32 = 80;

/// How many parts the name of a table may have here.
const MAX_PARTS: usize = 40;

/// Reads `text`; `None` when it has anything out of the ordinary.
pub fn parse(source: SourceId, text: &str) -> Option<Tree<'_>> {
    let skip = text.len() - text.trim_start_matches('\u{feff}').len();
    let parsed = toml_parser::Source::new(&text[skip..]);
    let mut reader = Reader {
        text,
        parsed,
        skip,
        builder: Builder::new(source, text),
        levels: Vec::new(),
        header: None,
        odd: false,
    };
    reader.builder.open(true, Span::empty(skip), 0, Span::empty(0));
    let mut part: Vec<Token> = Vec::new();
    let (mut depth, mut line_begins) = (0_usize, true);
    for token in parsed.lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket if depth == 0 && line_begins => {
                reader.part(&part)?;
                part.clear();
                depth += 1;
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.checked_sub(1)?,
            _ => {}
        }
        line_begins = match token.kind() {
            TokenKind::Newline => true,
            TokenKind::Whitespace => line_begins,
            _ => false,
        };
        part.push(token);
    }
    reader.part(&part)?;
    let tree = reader.builder.finish();
    tree.problems.is_empty().then_some(tree)
}

/// A table that is open, by the last part of its name.
struct Level<'s> {
    name: Cow<'s, str>,
    /// Whether it is the last of a list of tables.
    listed: bool,
}

/// `[a.b]` or `[[a.b]]`.
struct Header<'s> {
    listed: bool,
    span: Span,
    names: Vec<(Span, Cow<'s, str>)>,
}

struct Reader<'s> {
    text: &'s str,
    parsed: toml_parser::Source<'s>,
    /// Bytes before the parsed text: a byte order mark.
    skip: usize,
    builder: Builder<'s>,
    levels: Vec<Level<'s>>,
    /// The header that is being read.
    header: Option<Header<'s>>,
    /// Whether something was met that is not read here.
    odd: bool,
}

impl<'s> Reader<'s> {
    /// A table with its header, or what stands before the first one.
    fn part(&mut self, tokens: &[Token]) -> Option<()> {
        let mut wrong = false;
        let source = self.parsed;
        let mut checked = ValidateWhitespace::new(self, source);
        let mut guarded = RecursionGuard::new(&mut checked, MAX_NESTING);
        parse_document(tokens, &mut guarded, &mut |_: ParseError| wrong = true);
        (!wrong && !self.odd).then_some(())
    }

    fn span(&self, span: toml_parser::Span) -> Span {
        Span::new(span.start() + self.skip, span.end() + self.skip)
    }

    fn raw(&self, span: toml_parser::Span, encoding: Option<Encoding>) -> Raw<'s> {
        let raw = self.parsed.input().get(span.start()..span.end()).unwrap_or("");
        Raw::new_unchecked(raw, encoding, span)
    }

    fn leaf(&mut self, span: Span, text: Cow<'s, str>) {
        let quotes = quotes(self.text.get(span.range()).unwrap_or(""));
        let style = if quotes.before == 0 { Style::Plain } else { Style::Quoted };
        self.builder.scalar(span, quotes, style, text, 0, Span::empty(0));
    }

    fn close_levels(&mut self, keep: usize) {
        while self.levels.len() > keep {
            self.builder.close(None);
            if self.levels.pop().is_some_and(|level| level.listed) {
                self.builder.close(None);
            }
        }
    }

    /// Opens the table that a header names, and closes those that it is not in.
    fn enter(&mut self, header: Header<'s>) {
        let none = Span::empty(0);
        let Header { listed, span, mut names } = header;
        let Some((last_at, last)) = names.pop().filter(|_| names.len() < MAX_PARTS) else {
            self.odd = true;
            return;
        };
        let same = self.levels.iter().zip(&names).take_while(|(level, (_, name))| level.name == *name).count();
        if same == names.len() && self.levels.get(same).is_some_and(|level| level.name == last) {
            // The next one of a list; anything else of that name was there before.
            self.odd |= !listed || !self.levels[same].listed;
            self.close_levels(same + 1);
            self.builder.close(None);
            self.builder.open(true, span, 0, none);
            return;
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
    }

    fn opened(&mut self, listed: bool, span: toml_parser::Span) {
        self.header = Some(Header { listed, span: self.span(span), names: Vec::new() });
    }

    fn closed(&mut self, span: toml_parser::Span) {
        let end = self.span(span);
        match self.header.take() {
            Some(header) => self.enter(Header { span: header.span.to(end), ..header }),
            None => self.odd = true,
        }
    }
}

impl EventReceiver for Reader<'_> {
    fn std_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.opened(false, span);
    }

    fn std_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.closed(span);
    }

    fn array_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.opened(true, span);
    }

    fn array_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.closed(span);
    }

    fn inline_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.builder.open(true, self.span(span), 0, Span::empty(0));
        true
    }

    fn inline_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        let end = self.span(span).end as usize;
        self.builder.close(Some(end));
    }

    fn array_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.builder.open(false, self.span(span), 0, Span::empty(0));
        true
    }

    fn array_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        let end = self.span(span).end as usize;
        self.builder.close(Some(end));
    }

    fn simple_key(&mut self, span: toml_parser::Span, encoding: Option<Encoding>, errors: &mut dyn ErrorSink) {
        let mut name = Cow::Borrowed("");
        self.raw(span, encoding).decode_key(&mut name, errors);
        let at = self.span(span);
        match &mut self.header {
            Some(header) => header.names.push((at, name)),
            None => self.leaf(at, name),
        }
    }

    fn key_sep(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.odd |= self.header.is_none();
    }

    fn scalar(&mut self, span: toml_parser::Span, encoding: Option<Encoding>, errors: &mut dyn ErrorSink) {
        let mut text = Cow::Borrowed("");
        let at = self.span(span);
        if let Some(inner) =
            self.text.get(at.range()).filter(|_| encoding == Some(Encoding::BasicString)).and_then(plain)
        {
            return self.leaf(at, Cow::Borrowed(inner));
        }
        match self.raw(span, encoding).decode_scalar(&mut text, errors) {
            ScalarKind::String => self.leaf(at, text),
            kind => {
                self.odd |= kind == ScalarKind::DateTime && text.parse::<toml::value::Datetime>().is_err();
                let word = self.text.get(at.range()).unwrap_or("");
                self.builder.scalar(at, Quotes::NONE, Style::Plain, word.into(), 0, Span::empty(0));
            }
        }
    }

    fn comment(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        let span = self.span(span);
        let line = self.text.get(span.range()).unwrap_or("").trim_end_matches('\r');
        self.builder.comment(Span::new(span.start as usize, span.start as usize + line.len()));
    }

    fn error(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.odd = true;
    }
}
/// What stands in the quotes of a basic string that needs no decoding.
fn plain(raw: &str) -> Option<&str> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    // No short cut in the loop: so it is done for many bytes at once.
    let odd =
        inner.bytes().fold(false, |odd, byte| odd | (byte < b' ') | (byte == b'"') | (byte == b'\\') | (byte == 0x7f));
    (!odd).then_some(inner)
}

//! Python text to tokens: names, strings, operators, and where logical lines begin. Knows no grammar beyond that.

use crate::model::text::{Mapped, Text};
use std::ops::Range;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Name,
    /// A string: where its content is, counted from the start of the token, and whether backslashes mean themselves.
    Text {
        /// Length of prefix and opening quotes.
        open: u8,
        /// Length of the closing quotes.
        close: u8,
        /// `r"…"`.
        raw: bool,
    },
    /// A number.
    Number,
    /// One byte of punctuation; operators of several bytes that could be taken for `=` are `Other`.
    Op(u8),
    /// Something else.
    Other,
    /// The end of a logical line; the next one has this indent.
    Line(usize),
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes.
    pub at: Range<usize>,
}

impl Token {
    /// What a string says.
    pub fn text(&self, text: &Mapped) -> Text {
        let Kind::Text { open, close, raw } = self.kind else { return text.text(self.at.clone()) };
        let inner = self.at.start + open as usize..(self.at.end - close as usize).max(self.at.start + open as usize);
        let mut found = text.text(inner.clone());
        if !raw && found.text.contains('\\') {
            found.text = unescaped(&found.text);
            found.verbatim = false;
        }
        found
    }
}

/// The escapes that occur in requirements and paths; others keep their backslash.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\n') => {}
            Some(quote @ ('\\' | '\'' | '"')) => out.push(quote),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// The tokens of a text; comments and blanks are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, depth: 0, tokens: Vec::new() };
    lexer.at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let indent = lexer.indent();
    lexer.push(Kind::Line(indent), 0);
    while lexer.at < text.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// How many brackets are open: line ends inside of them mean nothing.
    depth: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, len: usize) {
        self.tokens.push(Token { kind, at: self.at..self.at + len });
        self.at += len;
    }

    /// Width of the blanks here, a tab to the next multiple of eight.
    fn indent(&mut self) -> usize {
        let mut width = 0;
        loop {
            match self.byte(self.at) {
                b' ' => width += 1,
                b'\t' => width = width / 8 * 8 + 8,
                b'\x0c' => width = 0,
                _ => return width,
            }
            self.at += 1;
        }
    }

    fn step(&mut self) {
        let byte = self.byte(self.at);
        match byte {
            b'\n' => self.line(),
            b' ' | b'\t' | b'\r' | b'\x0c' => self.at += 1,
            b'\\' if matches!(self.byte(self.at + 1), b'\n' | b'\r') => {
                self.at += 2 + usize::from(self.byte(self.at + 1) == b'\r')
            }
            b'#' => self.at = self.text[self.at..].find('\n').map_or(self.text.len(), |len| self.at + len),
            b'\'' | b'"' => self.string(0, false),
            b'(' | b'[' | b'{' => {
                self.depth += 1;
                self.push(Kind::Op(byte), 1);
            }
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.push(Kind::Op(byte), 1);
            }
            b'0'..=b'9' => {
                let rest = &self.text[self.at..];
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
                self.push(Kind::Number, len);
            }
            _ if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => self.name(),
            _ => self.operator(),
        }
    }

    fn line(&mut self) {
        self.at += 1;
        if self.depth > 0 {
            return;
        }
        let indent = self.indent();
        // Blank lines and lines of comment alone end no block.
        if matches!(self.byte(self.at), b'\n' | b'\r' | b'#') {
            return;
        }
        self.push(Kind::Line(indent), 0);
    }

    fn name(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(1, char::len_utf8));
        let prefix = &rest[..len];
        let quoted = matches!(self.byte(self.at + len), b'\'' | b'"');
        let is_prefix = len <= 2 && prefix.bytes().all(|b| b"rRbBuUfFtT".contains(&b));
        if quoted && is_prefix {
            let raw = prefix.contains(['r', 'R']);
            return self.string(len, raw);
        }
        self.push(Kind::Name, len);
    }

    fn string(&mut self, prefix: usize, raw: bool) {
        let start = self.at + prefix;
        let quote = self.byte(start);
        let triple = self.byte(start + 1) == quote && self.byte(start + 2) == quote;
        let width = if triple { 3 } else { 1 };
        let mut at = start + width;
        let bytes = self.text.as_bytes();
        while at < bytes.len() {
            let here = bytes[at];
            if here == b'\\' {
                at += 2;
                continue;
            }
            let ends = here == quote && (!triple || self.byte(at + 1) == quote && self.byte(at + 2) == quote);
            if ends {
                let open = (prefix + width) as u8;
                return self.push(Kind::Text { open, close: width as u8, raw }, at + width - self.at);
            }
            // A line end closes what was not closed.
            if here == b'\n' && !triple {
                break;
            }
            at += 1;
        }
        let mut end = at.min(bytes.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        self.push(Kind::Other, end - self.at);
    }

    fn operator(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let two = rest.len() > 1 && rest[1] == b'=' && b"=!<>+-*/%&|^:@".contains(&rest[0])
            || rest.starts_with(b"->")
            || rest.starts_with(b"**");
        if two {
            return self.push(Kind::Other, 2);
        }
        self.push(Kind::Op(rest[0]), 1);
    }
}

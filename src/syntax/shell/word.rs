//! Words: quotes are taken off, expansions stay as they are written, and commands in substitutions are read.

use super::MAX_DEPTH;
use super::parser::{EDGE, PAREN, Parser, is_separator};
use crate::model::script::{Nest, Word};
use crate::model::text::Text;
use std::ops::Range;

/// What an inner shell needs to know of a word.
pub(super) struct Piece {
    /// Where the word stands in the script as it reads, quotes left out; `None` when no part of the script is equal to it.
    pub(super) plain: Option<Range<usize>>,
    /// Whether its substitutions were read as commands.
    pub(super) read: bool,
}

/// A word while it is being read.
struct Draft {
    start: usize,
    /// What it says, once that differs from what is written.
    text: Option<String>,
    expands: bool,
    quoted: bool,
    read: bool,
    /// The inside of a quote that began at the start of the word.
    inside: Option<Range<usize>>,
}

impl Draft {
    /// The unquoted text, which from now on differs from the script.
    fn unquoted<'d>(&'d mut self, parser: &Parser, upto: usize) -> &'d mut String {
        let start = self.start;
        self.text.get_or_insert_with(|| parser.map.text[start..upto].to_string())
    }

    /// Adds what stands at `range`.
    fn push(&mut self, parser: &Parser, range: Range<usize>) {
        if let Some(text) = &mut self.text {
            text.push_str(&parser.map.text[range]);
        }
    }
}

impl Parser<'_> {
    /// Reads a word; at least one character is gone over.
    pub(super) fn word(&mut self) -> (Word, Piece) {
        let mut draft = Draft { start: self.pos, text: None, expands: false, quoted: false, read: false, inside: None };
        loop {
            let at = self.pos;
            if self.at_end() || !self.word_part(&mut draft) {
                break;
            }
            debug_assert!(self.pos > at, "each part of a word has a length");
        }
        if self.pos == draft.start {
            self.step();
        }
        self.finish(draft)
    }

    fn finish(&self, draft: Draft) -> (Word, Piece) {
        let raw = draft.start..self.pos;
        let plain = match (&draft.text, draft.inside) {
            (None, _) => Some(raw.clone()),
            (Some(text), Some(inside)) if inside.end + 1 == raw.end && self.map.text[inside.clone()] == **text => {
                Some(inside)
            }
            _ => None,
        };
        let text = match (&plain, draft.text) {
            (None, Some(text)) => Text { text, at: self.map.place(raw).0, verbatim: false },
            _ => self.map.text(plain.clone().unwrap_or(raw)),
        };
        let word = Word { text, expands: draft.expands, quoted: draft.quoted };
        (word, Piece { plain, read: draft.read })
    }

    /// Reads a part of a word: a run, a quote, an expansion. `false` at its end.
    fn word_part(&mut self, draft: &mut Draft) -> bool {
        let at = self.pos;
        match self.byte(0) {
            b'\'' => self.single_quote(draft),
            b'"' => self.double_quote(draft),
            b'\\' => self.escape(draft),
            b'$' if self.byte(1) == b'\'' => self.ansi_quote(draft),
            b'$' if self.byte(1) == b'"' => {
                draft.unquoted(self, at);
                self.pos += 1;
                self.double_quote(draft);
            }
            b'$' | b'`' => self.expansion(draft),
            b'<' | b'>' if self.byte(1) == b'(' => {
                draft.expands = true;
                self.substitution(2, draft);
                draft.push(self, at..self.pos);
            }
            b'<' => match self.parameter(at) {
                Some(end) => {
                    draft.expands = true;
                    self.pos = end;
                    draft.push(self, at..end);
                }
                None => return false,
            },
            b'(' if at > draft.start && matches!(self.bytes[at - 1], b'=' | b'@' | b'+' | b'?' | b'*' | b'!') => {
                self.array(draft);
                draft.push(self, at..self.pos);
            }
            // A value that begins with its array, `x=(a b)`: the word begins after the `=`.
            b'(' if at > 0 && at == draft.start && self.bytes[at - 1] == b'=' => {
                self.array(draft);
                draft.push(self, at..self.pos);
            }
            byte if is_separator(byte) => return false,
            _ => {
                while self.pos < self.end && !is_special(self.bytes[self.pos]) {
                    self.pos += 1;
                }
                draft.push(self, at..self.pos);
            }
        }
        true
    }

    fn single_quote(&mut self, draft: &mut Draft) {
        let at = self.pos;
        draft.quoted = true;
        draft.unquoted(self, at);
        self.pos += 1;
        let mut from = self.pos;
        while self.pos < self.end && self.bytes[self.pos] != b'\'' {
            // The system puts the value of a template expression here before the shell reads the quote.
            match self.template() {
                Some(end) => {
                    draft.expands = true;
                    self.pos = end;
                }
                None => self.pos += 1,
            }
        }
        draft.push(self, from..self.pos);
        if at == draft.start {
            from = at + 1;
            draft.inside = Some(from..self.pos);
        }
        self.pos = (self.pos + 1).min(self.end);
    }

    fn double_quote(&mut self, draft: &mut Draft) {
        let at = self.pos;
        draft.quoted = true;
        draft.unquoted(self, at);
        self.pos += 1;
        while self.pos < self.end && self.bytes[self.pos] != b'"' {
            let from = self.pos;
            match self.bytes[from] {
                b'$' | b'`' => self.expansion(draft),
                b'\\' if matches!(self.byte(1), b'$' | b'`' | b'"' | b'\\') => {
                    self.pos += 2;
                    draft.push(self, from + 1..from + 2);
                }
                b'\\' if self.byte(1) == b'\n' => self.pos += 2,
                b'\\' => {
                    self.pos += 1;
                    draft.push(self, from..from + 1);
                }
                _ => {
                    while self.pos < self.end && !matches!(self.bytes[self.pos], b'"' | b'$' | b'`' | b'\\') {
                        self.pos += 1;
                    }
                    draft.push(self, from..self.pos);
                }
            }
        }
        if at == draft.start {
            draft.inside = Some(at + 1..self.pos);
        }
        self.pos = (self.pos + 1).min(self.end);
    }

    /// Reads a backslash and the character after it; a continued line is nothing.
    fn escape(&mut self, draft: &mut Draft) {
        let at = self.pos;
        draft.unquoted(self, at);
        self.pos += 1;
        if self.byte(0) == b'\n' {
            self.pos += 1;
        } else if self.byte(0) == b'\r' && self.byte(1) == b'\n' {
            self.pos += 2;
        } else if !self.at_end() {
            draft.quoted = true;
            self.step();
            draft.push(self, at + 1..self.pos);
        }
    }

    /// Reads `$'…'`.
    fn ansi_quote(&mut self, draft: &mut Draft) {
        let at = self.pos;
        draft.quoted = true;
        draft.unquoted(self, at);
        self.pos += 2;
        while self.pos < self.end && self.bytes[self.pos] != b'\'' {
            let from = self.pos;
            self.step();
            if self.bytes[from] != b'\\' || self.at_end() {
                draft.push(self, from..self.pos);
                continue;
            }
            let known = match self.bytes[self.pos] {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'e' | b'E' => '\u{1b}',
                // Numbers and rarer escapes stay as they are written: no name is spelled with them.
                _ => {
                    let escaped = self.pos;
                    self.step();
                    draft.push(self, escaped..self.pos);
                    continue;
                }
            };
            self.pos += 1;
            draft.unquoted(self, at).push(known);
        }
        self.pos = (self.pos + 1).min(self.end);
    }

    /// Reads what begins with `$` or a backquote; the text stays as written.
    fn expansion(&mut self, draft: &mut Draft) {
        let at = self.pos;
        if self.bytes[at] == b'`' {
            draft.expands = true;
            self.backquotes(draft);
        } else if let Some(end) = self.template() {
            draft.expands = true;
            self.pos = end;
        } else {
            match self.byte(1) {
                b'(' if self.byte(2) == b'(' && self.closes_arithmetic(at + 3) => {
                    draft.expands = true;
                    self.arithmetic(3, draft);
                }
                b'(' => {
                    draft.expands = true;
                    self.substitution(2, draft);
                }
                b'{' if self.depth < MAX_DEPTH => {
                    draft.expands = true;
                    self.braces(draft);
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    draft.expands = true;
                    self.pos += 2;
                    while matches!(self.byte(0), b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') {
                        self.pos += 1;
                    }
                }
                b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' | b'0'..=b'9' => {
                    draft.expands = true;
                    self.pos += 2;
                }
                _ => self.pos += 1,
            }
        }
        draft.push(self, at..self.pos);
    }

    /// Reads `$(…)`, `<(…)` or `>(…)`, whose opening has `len` bytes, as commands of their own.
    fn substitution(&mut self, len: usize, draft: &mut Draft) {
        if self.depth >= MAX_DEPTH || self.skips {
            self.pos += len - 1;
            return self.skip_parens();
        }
        draft.read = true;
        self.pos += len;
        self.within(Nest::Substitution, |parser| parser.list(PAREN));
        if self.byte(0) == b')' {
            self.pos += 1;
        }
    }

    /// Reads a deeper part whose flags and folder end with it.
    pub(super) fn within<T>(&mut self, nest: Nest, read: impl FnOnce(&mut Self) -> T) -> T {
        let state = self.state.clone();
        self.depth += 1;
        self.nesting.push(nest);
        let result = read(self);
        self.nesting.pop();
        self.depth -= 1;
        self.state = state;
        result
    }

    fn backquotes(&mut self, draft: &mut Draft) {
        let start = self.pos + 1;
        let mut close = start;
        while close < self.end && self.bytes[close] != b'`' {
            close += if self.bytes[close] == b'\\' { 2 } else { 1 };
        }
        let close = close.min(self.end);
        if self.depth < MAX_DEPTH && !self.skips {
            draft.read = true;
            let end = std::mem::replace(&mut self.end, close);
            self.pos = start;
            self.within(Nest::Substitution, |parser| parser.list(EDGE));
            self.end = end;
        }
        self.pos = (close + 1).min(self.end);
    }

    /// Reads `${…}`.
    fn braces(&mut self, draft: &mut Draft) {
        self.pos += 2;
        self.depth += 1;
        while self.pos < self.end {
            match self.bytes[self.pos] {
                b'}' => {
                    self.pos += 1;
                    break;
                }
                b'\\' => {
                    self.pos += 1;
                    self.step();
                }
                _ => self.nested_part(draft),
            }
        }
        self.depth -= 1;
        self.pos = self.pos.min(self.end);
    }

    /// Reads `((…))`, whose opening has `len` bytes.
    pub(super) fn arithmetic_words(&mut self, len: usize) -> (Word, Piece) {
        let mut draft = Draft { start: self.pos, text: None, expands: true, quoted: false, read: false, inside: None };
        self.arithmetic(len, &mut draft);
        self.finish(draft)
    }

    fn arithmetic(&mut self, len: usize, draft: &mut Draft) {
        self.pos += len;
        self.depth += 1;
        let mut open = 2;
        while self.pos < self.end && open > 0 {
            match self.bytes[self.pos] {
                b'(' => {
                    open += 1;
                    self.pos += 1;
                }
                b')' => {
                    open -= 1;
                    self.pos += 1;
                }
                _ => self.nested_part(draft),
            }
        }
        self.depth -= 1;
    }

    /// Goes over a character, a quote or an expansion inside of braces or arithmetic, which stay as written.
    fn nested_part(&mut self, draft: &mut Draft) {
        let expands = matches!(self.bytes[self.pos], b'$' | b'`');
        if !expands || self.depth >= MAX_DEPTH {
            return self.step();
        }
        let mut inner = Draft { start: self.pos, text: None, expands: false, quoted: false, read: false, inside: None };
        self.expansion(&mut inner);
        draft.read |= inner.read;
    }

    /// Reads the parentheses of an array or an extended pattern; the text stays as written.
    fn array(&mut self, draft: &mut Draft) {
        if self.depth >= MAX_DEPTH {
            return self.skip_parens();
        }
        self.pos += 1;
        self.depth += 1;
        while !self.at_end() && self.byte(0) != b')' {
            match self.byte(0) {
                b'\n' => self.newline(),
                b'#' => self.skip_comment(),
                byte if is_separator(byte) && !matches!(byte, b'<' | b'>') => self.pos += 1,
                _ => {
                    let (word, piece) = self.word();
                    draft.expands |= word.expands;
                    draft.read |= piece.read;
                }
            }
        }
        self.depth -= 1;
        self.pos = (self.pos + 1).min(self.end);
    }

    /// Goes over balanced parentheses without looking at what is in them.
    pub(super) fn skip_parens(&mut self) {
        let mut open = 0usize;
        while self.pos < self.end {
            match self.bytes[self.pos] {
                b'\\' => self.pos += 1,
                quote @ (b'\'' | b'"') => {
                    self.pos += 1;
                    while self.pos < self.end && self.bytes[self.pos] != quote {
                        self.pos += if self.bytes[self.pos] == b'\\' && quote == b'"' { 2 } else { 1 };
                    }
                }
                b'(' => open += 1,
                b')' => open -= 1,
                _ => {}
            }
            self.pos = self.pos.min(self.end);
            if !self.at_end() {
                self.step();
            }
            if open == 0 {
                return;
            }
        }
    }

    /// Whether `))` closes what was opened by `((` before `from`, rather than two subshells.
    pub(super) fn closes_arithmetic(&mut self, from: usize) -> bool {
        if self.arithmetic_open {
            return false;
        }
        let mut open = 2usize;
        for at in from..self.end {
            match self.bytes[at] {
                b'(' => open += 1,
                b')' if open == 2 => return self.bytes.get(at + 1) == Some(&b')') && at + 1 < self.end,
                b')' => open -= 1,
                _ => {}
            }
        }
        self.arithmetic_open = true;
        false
    }

    /// The end of a template expression of a CI system that begins here: `${{ … }}`, `$[[ … ]]`.
    fn template(&mut self) -> Option<usize> {
        if self.bytes[self.pos] != b'$' || self.template_open {
            return None;
        }
        let close: &[u8; 2] = match (self.byte(1), self.byte(2)) {
            (b'{', b'{') => b"}}",
            (b'[', b'[') => b"]]",
            _ => return None,
        };
        let mut quoted = false;
        let mut plain = None;
        for at in self.pos + 3..self.end.saturating_sub(1) {
            let closed = self.bytes[at..at + 2] == *close;
            if self.bytes[at] == b'\'' {
                quoted = !quoted;
            } else if closed && !quoted {
                return Some(at + 2);
            } else if closed && plain.is_none() {
                plain = Some(at + 2);
            }
        }
        self.template_open = plain.is_none();
        plain
    }

    /// The end of a CircleCI expression at `at`: `<< parameters.x >>`.
    pub(super) fn parameter(&self, at: usize) -> Option<usize> {
        let rest = self.bytes[at..self.end].strip_prefix(b"<<")?.trim_ascii_start();
        let name = ["parameters.", "pipeline.", "matrix."].iter().find(|name| rest.starts_with(name.as_bytes()))?;
        let window = &rest[..rest.len().min(256)];
        let close = window.windows(2).position(|pair| pair == b">>")?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b' ');
        (close > name.len() && rest[..close].iter().all(is_name)).then(|| self.end - rest.len() + close + 2)
    }
}

/// Whether a byte cannot be gone over as a plain part of a word.
fn is_special(byte: u8) -> bool {
    is_separator(byte) || matches!(byte, b'\'' | b'"' | b'\\' | b'$' | b'`')
}

//! PowerShell and cmd.exe, as far as it takes to find commands: words, quotes, pipes, lists, continued lines. Follows no blocks.

use super::state::State;
use crate::model::script::{Command, Join, Language, Redirect, Shell, Word};
use crate::model::text::{Mapped, Text};
use std::ops::Range;

/// The commands of a PowerShell or cmd.exe script. Blocks and parentheses only separate commands.
pub(super) fn parse(text: &Mapped, shell: Shell) -> Vec<Command> {
    let bytes = text.text.as_bytes();
    let escape = if shell.language == Language::Cmd { b'^' } else { b'`' };
    let mut reader = Reader { map: text, bytes, pos: 0, escape, state: State::new(shell), out: Vec::new() };
    while reader.pos < bytes.len() {
        let start = reader.pos;
        reader.command();
        if reader.pos == start {
            reader.step();
        }
    }
    reader.out
}

struct Reader<'a> {
    map: &'a Mapped,
    bytes: &'a [u8],
    pos: usize,
    escape: u8,
    state: State,
    out: Vec<Command>,
}

impl Reader<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        self.pos += 1;
        while self.pos < self.bytes.len() && self.bytes[self.pos] & 0xC0 == 0x80 {
            self.pos += 1;
        }
    }

    fn is_cmd(&self) -> bool {
        self.escape == b'^'
    }

    /// Goes over blanks, continued lines and, between commands, everything else that is no word.
    fn skip(&mut self, between: bool) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                byte if byte == self.escape && self.byte(1) == b'\n' => self.pos += 2,
                byte if byte == self.escape && self.byte(1) == b'\r' && self.byte(2) == b'\n' => self.pos += 3,
                b'\n' | b';' | b'{' | b'}' | b'(' | b')' | b'&' | b'|' | b'@' | b'.'
                    if between && (self.byte(0) != b'.' || self.byte(1) == b' ') =>
                {
                    self.pos += 1;
                }
                b'<' if between && self.byte(1) == b'#' => self.skip_to(b"#>"),
                b'#' if !self.is_cmd() => self.skip_line(),
                b':' if between && self.is_cmd() && self.byte(1) == b':' => self.skip_line(),
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes[self.pos..];
        self.pos += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn skip_to(&mut self, close: &[u8]) {
        let rest = &self.bytes[self.pos..];
        self.pos += memchr::memmem::find(rest, close).map_or(rest.len(), |at| at + close.len());
    }

    fn command(&mut self) {
        self.skip(true);
        let start = self.pos;
        let mut words: Vec<Word> = Vec::new();
        let mut redirects = Vec::new();
        let mut end = start;
        while self.pos < self.bytes.len() && !self.ends_command() {
            let at = self.pos;
            match self.redirect() {
                Some(redirect) => redirects.push(redirect),
                None => words.push(self.word()),
            }
            if self.pos == at {
                self.step();
            }
            end = self.pos;
            self.skip(false);
        }
        if words.is_empty() {
            return;
        }
        if self.is_cmd() && words[0].text.text.eq_ignore_ascii_case("rem") {
            return self.skip_line();
        }
        let join = self.join();
        self.keep(start..end, words, redirects, join);
    }

    fn keep(&mut self, part: Range<usize>, words: Vec<Word>, redirects: Vec<Redirect>, join: Join) {
        let (assigns, words) = assignment(words);
        let command = Command {
            at: self.map.place(part).0,
            assigns,
            words,
            redirects,
            join,
            nesting: Vec::new(),
            shell: self.state.shell,
            cwd: self.state.cwd.clone(),
            deeds: Vec::new(),
        };
        let moves =
            !matches!(command.words.first(), Some(first) if first.text.text == "set" || first.text.text == "shopt");
        if moves {
            self.state.apply(&command);
        }
        self.out.push(command);
    }

    fn ends_command(&self) -> bool {
        match self.byte(0) {
            b'\n' | b'|' | b'&' => true,
            b')' | b'(' => true,
            b';' | b'{' | b'}' => !self.is_cmd(),
            _ => false,
        }
    }

    fn join(&mut self) -> Join {
        let (join, len) = match (self.byte(0), self.byte(1)) {
            (b'&', b'&') => (Join::And, 2),
            (b'|', b'|') => (Join::Or, 2),
            (b'|', _) => (Join::Pipe, 1),
            (b'&', _) if self.is_cmd() => (Join::Semicolon, 1),
            (b';', _) => (Join::Semicolon, 1),
            _ => (Join::End, 0),
        };
        self.pos += len;
        join
    }

    fn redirect(&mut self) -> Option<Redirect> {
        let start = self.pos;
        let digits = usize::from(matches!(self.byte(0), b'0'..=b'9' | b'*'));
        let sign = self.byte(digits);
        if sign != b'>' && !(sign == b'<' && self.is_cmd()) {
            return None;
        }
        self.pos += digits + 1;
        if self.byte(0) == b'>' {
            self.pos += 1;
        }
        let joined = self.byte(0) == b'&' && self.byte(1).is_ascii_digit();
        self.pos += usize::from(joined);
        let operator = self.map.text[start..self.pos].to_string();
        self.skip(false);
        let target = if self.ends_command() || self.pos >= self.bytes.len() {
            Word { text: self.map.text(self.pos..self.pos), expands: false, quoted: false }
        } else {
            self.word()
        };
        Some(Redirect { operator, target })
    }

    fn word(&mut self) -> Word {
        let start = self.pos;
        let mut text = String::new();
        let (mut expands, mut quotes, mut changed) = (false, 0, false);
        while self.pos < self.bytes.len() {
            let at = self.pos;
            match self.byte(0) {
                b' ' | b'\t' | b'\r' | b'\n' => break,
                b'"' => {
                    quotes += 1;
                    self.quote(b'"', &mut text, &mut expands, &mut changed);
                    continue;
                }
                b'\'' if !self.is_cmd() => {
                    quotes += 1;
                    self.quote(b'\'', &mut text, &mut expands, &mut changed);
                    continue;
                }
                byte if byte == self.escape => {
                    changed = true;
                    self.pos += 1;
                    let escaped = self.pos;
                    if escaped < self.bytes.len() {
                        self.step();
                    }
                    text.push_str(&self.map.text[escaped..self.pos]);
                    continue;
                }
                b'$' if self.byte(1) == b'{' && self.byte(2) == b'{' => {
                    expands = true;
                    self.skip_to(b"}}");
                }
                b'$' => {
                    expands = true;
                    self.pos += 1;
                    if self.byte(0) == b'(' || self.byte(0) == b'{' {
                        self.balanced();
                    }
                }
                b'%' if self.is_cmd() => {
                    expands = true;
                    self.pos += 1;
                }
                b'(' if at > start && !self.is_cmd() => self.balanced(),
                b'>' if at > start => break,
                _ if self.ends_command() => break,
                _ => self.step(),
            }
            text.push_str(&self.map.text[at..self.pos]);
        }
        self.finish(start, text, expands, quotes, changed)
    }

    fn finish(&self, start: usize, text: String, expands: bool, quotes: usize, changed: bool) -> Word {
        let raw = &self.map.text[start..self.pos];
        let text = if !changed && quotes == 0 {
            self.map.text(start..self.pos)
        } else if !changed && quotes == 1 && raw.len() == text.len() + 2 && raw.starts_with(['"', '\'']) {
            self.map.text(start + 1..self.pos - 1)
        } else {
            Text { text, at: self.map.place(start..self.pos).0, verbatim: false }
        };
        Word { text, expands, quoted: quotes > 0 }
    }

    /// Reads a quoted part; a doubled quote is one.
    fn quote(&mut self, quote: u8, text: &mut String, expands: &mut bool, changed: &mut bool) {
        self.pos += 1;
        while self.pos < self.bytes.len() {
            let at = self.pos;
            let byte = self.bytes[at];
            if byte == quote && self.byte(1) == quote && !self.is_cmd() {
                *changed = true;
                self.pos += 2;
                text.push(quote as char);
                continue;
            }
            if byte == quote {
                self.pos += 1;
                return;
            }
            let template = byte == b'$' && self.byte(1) == b'{' && self.byte(2) == b'{';
            *expands |= template || byte == b'$' && quote == b'"' || byte == b'%' && self.is_cmd();
            if byte == self.escape && quote == b'"' && self.pos + 1 < self.bytes.len() {
                *changed = true;
                self.pos += 1;
                let escaped = self.pos;
                self.step();
                text.push_str(&self.map.text[escaped..self.pos]);
                continue;
            }
            self.step();
            text.push_str(&self.map.text[at..self.pos]);
        }
    }

    /// Goes over balanced brackets that begin here, up to the end of the text at most.
    fn balanced(&mut self) {
        let mut open = 0usize;
        while self.pos < self.bytes.len() {
            match self.byte(0) {
                b'(' | b'{' => open += 1,
                b')' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            self.step();
            if open == 0 {
                return;
            }
        }
    }
}

/// `$env:NAME = value` as an assignment.
fn assignment(mut words: Vec<Word>) -> (Vec<(String, Text)>, Vec<Word>) {
    let name = match words.as_slice() {
        [name, equals, value] if equals.text.text == "=" && !value.text.text.is_empty() => {
            name.text.text.strip_prefix('$').map(|name| name.strip_prefix("env:").unwrap_or(name).to_string())
        }
        _ => None,
    };
    match (name, words.pop()) {
        (Some(name), Some(value)) => (vec![(name, value.text)], Vec::new()),
        (None, Some(last)) => {
            words.push(last);
            (Vec::new(), words)
        }
        _ => (Vec::new(), words),
    }
}

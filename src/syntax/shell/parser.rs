//! Lists and simple commands. Does not know what stands inside of words.

use super::MAX_DEPTH;
use super::state::State;
use super::word::Piece;
use crate::model::script::{Command, Join, Nest, Redirect, Shell, Word};
use crate::model::text::{Mapped, Text};

/// What ends a list, as a set of bits.
pub(super) type Stop = u16;
pub(super) const THEN: Stop = 1;
pub(super) const ELSE: Stop = 2;
pub(super) const FI: Stop = 4;
pub(super) const DO: Stop = 8;
pub(super) const DONE: Stop = 16;
pub(super) const ESAC: Stop = 32;
pub(super) const BRACE: Stop = 64;
/// `)` ends it, and reserved words of outer lists do not.
pub(super) const PAREN: Stop = 128;
/// Only the end of its text ends it.
pub(super) const EDGE: Stop = 256;

/// A here-document whose body begins after the next line end.
pub(super) struct Pending {
    /// The command that reads it.
    pub(super) command: Option<usize>,
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    /// `<<-`: leading tabs do not count.
    pub(super) tabs: bool,
}

/// What was read between two operators.
pub(super) enum Element {
    Nothing,
    Simple(usize),
    /// A compound command and its last simple command.
    Compound(Option<usize>),
}

pub(super) struct Parser<'a> {
    pub(super) map: &'a Mapped,
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    pub(super) end: usize,
    pub(super) out: Vec<Command>,
    pub(super) nesting: Vec<Nest>,
    pub(super) state: State,
    pub(super) depth: usize,
    pub(super) stops: Vec<Stop>,
    pub(super) pending: Vec<Pending>,
    /// Substitutions are skipped: they were read before, as part of an outer word.
    pub(super) skips: bool,
    /// A search for `))` has run into the end of the text before, so that another is in vain.
    pub(super) arithmetic_open: bool,
    /// The same for `}}` and `]]` of template expressions.
    pub(super) template_open: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(map: &'a Mapped, shell: Shell) -> Parser<'a> {
        Parser::inside(map, State::new(shell), Vec::new(), 0)
    }

    pub(super) fn inside(map: &'a Mapped, state: State, nesting: Vec<Nest>, depth: usize) -> Parser<'a> {
        let bytes = map.text.as_bytes();
        Parser {
            map,
            bytes,
            pos: if map.text.starts_with('\u{feff}') { 3 } else { 0 },
            end: bytes.len(),
            out: Vec::new(),
            nesting,
            state,
            depth,
            stops: Vec::new(),
            pending: Vec::new(),
            skips: false,
            arithmetic_open: false,
            template_open: false,
        }
    }

    pub(super) fn run(mut self) -> Vec<Command> {
        self.list(EDGE);
        self.out
    }

    /// The byte `ahead` of the current one; 0 past the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        let at = self.pos + ahead;
        if at < self.end { self.bytes[at] } else { 0 }
    }

    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.end
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        self.bytes[self.pos.min(self.end)..self.end].starts_with(text.as_bytes())
    }

    /// Goes over one character.
    pub(super) fn step(&mut self) {
        self.pos += 1;
        while self.pos < self.end && self.bytes[self.pos] & 0xC0 == 0x80 {
            self.pos += 1;
        }
        self.pos = self.pos.min(self.end);
    }

    /// Reads a list up to what stops it, which is left, and gives its last command.
    pub(super) fn list(&mut self, stop: Stop) -> Option<usize> {
        self.stops.push(stop);
        let mut last = None;
        let mut before = Join::End;
        let mut negated = false;
        loop {
            self.skip_gaps();
            if self.at_end() || self.at_stop() {
                break;
            }
            let start = self.pos;
            if !negated && self.reserved() == "!" {
                self.pos += 1;
                negated = true;
                self.nesting.push(Nest::Condition);
                continue;
            }
            let element = self.element();
            let join = self.operator();
            let index = match element {
                Element::Nothing => None,
                Element::Simple(index) => {
                    if join != Join::Pipe && join != Join::Background && before != Join::Pipe {
                        self.state.apply(&self.out[index]);
                    }
                    Some(index)
                }
                Element::Compound(index) => index,
            };
            if let Some(index) = index {
                self.out[index].join = join;
                last = Some(index);
            }
            before = join;
            if negated && join != Join::Pipe {
                negated = false;
                self.nesting.pop();
            }
            if self.pos == start {
                self.step();
            }
        }
        if negated {
            self.nesting.pop();
        }
        self.stops.pop();
        if let Some(index) = last.filter(|&index| self.out[index].join == Join::Semicolon) {
            self.out[index].join = Join::End;
        }
        last
    }

    /// Goes over blanks, line ends, comments and stray separators.
    fn skip_gaps(&mut self) {
        loop {
            self.skip_blanks();
            match self.byte(0) {
                b'\n' => self.newline(),
                b'#' => self.skip_comment(),
                b';' if self.byte(1) == b';' && self.wanted(ESAC) => return,
                b';' | b'|' => self.pos += 1,
                b'&' if self.byte(1) != b'>' => self.pos += 1,
                b')' if !self.wanted(PAREN) => self.pos += 1,
                _ => return,
            }
            if self.at_end() {
                return;
            }
        }
    }

    /// Goes over blanks and continued lines.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' => self.pos += 1,
                b'\r' if self.byte(1) == b'\n' || self.pos + 1 >= self.end => self.pos += 1,
                b'\\' if self.byte(1) == b'\n' => self.pos += 2,
                b'\\' if self.byte(1) == b'\r' && self.byte(2) == b'\n' => self.pos += 3,
                _ => return,
            }
        }
    }

    pub(super) fn skip_comment(&mut self) {
        let rest = &self.bytes[self.pos..self.end];
        self.pos += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// Goes over a line end and the here-documents that begin after it.
    pub(super) fn newline(&mut self) {
        self.pos += 1;
        for pending in std::mem::take(&mut self.pending) {
            self.here_document(pending);
        }
    }

    /// Whether a list that is being read ends with `stop`, up to the innermost text of its own.
    fn wanted(&self, stop: Stop) -> bool {
        for &open in self.stops.iter().rev() {
            if open & stop != 0 {
                return true;
            }
            if open & (EDGE | if stop == PAREN { 0 } else { PAREN }) != 0 {
                return false;
            }
        }
        false
    }

    fn at_stop(&self) -> bool {
        match self.byte(0) {
            b')' => self.wanted(PAREN),
            b';' => self.byte(1) == b';' && self.wanted(ESAC),
            _ => {
                let stop = closes(self.reserved());
                stop != 0 && self.wanted(stop)
            }
        }
    }

    /// The word here when it could be a reserved one: short, plain, and followed by a separator; else empty.
    pub(super) fn reserved(&self) -> &'a str {
        let first = self.byte(0);
        if !(first.is_ascii_lowercase() || matches!(first, b'{' | b'}' | b'!' | b'[')) {
            return "";
        }
        let limit = self.end.min(self.pos + 9);
        let mut end = self.pos;
        while end < limit && !is_separator(self.bytes[end]) {
            end += 1;
        }
        if end == limit && end < self.end {
            return "";
        }
        std::str::from_utf8(&self.bytes[self.pos..end]).unwrap_or("")
    }

    /// Goes over a reserved word if it is here.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let here = self.reserved() == word;
        if here {
            self.pos += word.len();
        }
        here
    }

    /// Goes over gaps, then over a reserved word if it is there.
    pub(super) fn take_after_gaps(&mut self, word: &str) -> bool {
        self.skip_gaps();
        self.take(word)
    }

    /// Reads what joins the command before it to the next, and the line end after it.
    fn operator(&mut self) -> Join {
        self.skip_blanks();
        let (join, len) = match (self.byte(0), self.byte(1)) {
            (b'&', b'&') => (Join::And, 2),
            (b'|', b'|') => (Join::Or, 2),
            (b'|', b'&') => (Join::Pipe, 2),
            (b'|', _) => (Join::Pipe, 1),
            (b'&', _) => (Join::Background, 1),
            (b';', b';') => (Join::End, 0),
            (b';', _) => (Join::Semicolon, 1),
            _ => (Join::End, 0),
        };
        self.pos += len;
        self.skip_blanks();
        let last = matches!(self.byte(0), b'\n' | b'#') || self.at_end();
        if join == Join::Semicolon && last { Join::End } else { join }
    }

    fn element(&mut self) -> Element {
        let word = self.reserved();
        if closes(word) != 0 {
            self.pos += word.len();
            return Element::Nothing;
        }
        let start = self.out.len();
        match self.compound(word) {
            Some(last) => {
                self.trailing_redirects(start);
                Element::Compound(last)
            }
            None => self.simple(),
        }
    }

    /// Reads the redirections of a compound command. Its output redirections count for each command in it.
    fn trailing_redirects(&mut self, start: usize) {
        let inner = self.out.len();
        let mut outputs = Vec::new();
        loop {
            self.skip_blanks();
            let Some(redirect) = self.redirect(None) else { break };
            if redirect.operator.contains('>') {
                outputs.push(redirect);
            }
        }
        if outputs.is_empty() || inner - start > MAX_DEPTH {
            return;
        }
        let base = self.nesting.len();
        for command in &mut self.out[start..inner] {
            let captured = command.nesting.iter().skip(base).any(|nest| *nest == Nest::Substitution);
            if command.join != Join::Pipe && !captured {
                command.redirects.splice(0..0, outputs.iter().cloned());
            }
        }
    }

    /// Reads a simple command, or the definition of a function.
    fn simple(&mut self) -> Element {
        let slot = self.out.len();
        let start = self.pos;
        self.out.push(self.blank_command());
        let mut command = self.blank_command();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut end = start;
        loop {
            self.skip_blanks();
            if self.at_end() {
                break;
            }
            match self.byte(0) {
                b'\n' | b';' | b'|' | b')' => break,
                b'&' if self.byte(1) != b'>' => break,
                b'#' => {
                    self.skip_comment();
                    break;
                }
                b'(' if command.words.len() == 1 && self.takes_parens() => {
                    self.out.truncate(slot);
                    return self.function();
                }
                b'(' => self.skip_parens(),
                _ => {
                    if let Some(redirect) = self.redirect(Some(slot)) {
                        command.redirects.push(redirect);
                    } else if command.words.is_empty() && self.assignment(&mut command) {
                    } else {
                        let (word, piece) = self.word();
                        command.words.push(word);
                        pieces.push(piece);
                    }
                }
            }
            end = self.pos.max(end);
        }
        if command.words.is_empty() && command.assigns.is_empty() && command.redirects.is_empty() {
            self.out.truncate(slot);
            return Element::Nothing;
        }
        command.at = self.map.place(start..end).0;
        self.out[slot] = command;
        self.inner_shell(slot, &pieces);
        Element::Simple(slot)
    }

    /// A command without words, in the present state.
    pub(super) fn blank_command(&self) -> Command {
        Command {
            at: self.map.at,
            assigns: Vec::new(),
            words: Vec::new(),
            redirects: Vec::new(),
            join: Join::End,
            nesting: self.nesting.clone(),
            shell: self.state.shell,
            cwd: self.state.cwd.clone(),
            deeds: Vec::new(),
        }
    }

    /// Goes over `()` of a function definition if it is here.
    fn takes_parens(&mut self) -> bool {
        let mut at = self.pos + 1;
        while at < self.end && matches!(self.bytes[at], b' ' | b'\t') {
            at += 1;
        }
        let found = at < self.end && self.bytes[at] == b')';
        if found {
            self.pos = at + 1;
        }
        found
    }

    /// Reads `NAME=value`, `NAME+=value` or `NAME[i]=value` into `command` if it is here.
    fn assignment(&mut self, command: &mut Command) -> bool {
        let mut at = self.pos;
        while at < self.end && (self.bytes[at].is_ascii_alphanumeric() || self.bytes[at] == b'_') {
            at += 1;
        }
        let name = self.pos..at;
        if name.is_empty() || self.bytes[name.start].is_ascii_digit() || at >= self.end {
            return false;
        }
        if self.bytes[at] == b'[' {
            let window = &self.bytes[at..self.end.min(at + 128)];
            match window.iter().position(|byte| matches!(byte, b']' | b'\n' | b' ')) {
                Some(close) if window[close] == b']' => at += close + 1,
                _ => return false,
            }
        }
        let rest = &self.bytes[at..self.end];
        let operator = if rest.starts_with(b"=") {
            1
        } else if rest.starts_with(b"+=") {
            2
        } else {
            return false;
        };
        self.pos = at + operator;
        let value = self.value();
        command.assigns.push((self.map.text[name].to_string(), value));
        true
    }

    fn value(&mut self) -> Text {
        if self.at_end() || is_separator(self.byte(0)) && !matches!(self.byte(0), b'(' | b'<' | b'>') {
            return self.map.text(self.pos..self.pos);
        }
        self.word().0.text
    }

    /// Reads a redirection if one is here; here-documents are read later, for `command`.
    fn redirect(&mut self, command: Option<usize>) -> Option<Redirect> {
        let start = self.pos;
        let mut at = start;
        while at < self.end && self.bytes[at].is_ascii_digit() {
            at += 1;
        }
        let rest = &self.bytes[at..self.end];
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(operator.as_bytes()))?;
        let is_process = matches!(*operator, "<" | ">") && rest.get(1) == Some(&b'(');
        if is_process || operator.starts_with('&') && at > start || self.parameter(at).is_some() {
            return None;
        }
        self.pos = at + operator.len();
        let written = self.map.text[start..self.pos].to_string();
        self.skip_blanks();
        let missing = self.at_end() || matches!(self.byte(0), b'\n' | b';' | b'|' | b')' | b'&');
        let target = if missing { self.empty_word() } else { self.word().0 };
        let few = self.pending.len() < MOST_HERE_DOCUMENTS;
        if matches!(*operator, "<<" | "<<-") && !target.text.text.is_empty() && few {
            self.pending.push(Pending {
                command,
                delimiter: target.text.text.clone(),
                quoted: target.quoted,
                tabs: *operator == "<<-",
            });
        }
        Some(Redirect { operator: written, target })
    }

    fn empty_word(&self) -> Word {
        Word { text: self.map.text(self.pos..self.pos), expands: false, quoted: false }
    }

    /// Reads the body of a here-document, which begins here.
    fn here_document(&mut self, pending: Pending) {
        let start = self.pos;
        let mut body_end = self.end;
        while self.pos < self.end {
            let rest = &self.bytes[self.pos..self.end];
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest[..len].strip_suffix(b"\r").unwrap_or(&rest[..len]);
            let line = if pending.tabs { line.trim_ascii_start() } else { line };
            let line_start = self.pos;
            self.pos = (self.pos + len + 1).min(self.end);
            if line == pending.delimiter.as_bytes() {
                body_end = line_start;
                break;
            }
        }
        let Some(command) = pending.command else { return };
        let Some(owner) = self.out.get_mut(command) else { return };
        let text = self.map.text(start..body_end);
        let expands = !pending.quoted && text.text.contains(['$', '`']);
        let word = Word { text, expands, quoted: pending.quoted };
        let waits = |one: &&mut Redirect| one.operator.contains("<<") && one.target.text.text == pending.delimiter;
        if let Some(redirect) = owner.redirects.iter_mut().find(waits) {
            redirect.target = word;
        }
        self.inner_document(command, start..body_end);
    }
}

/// Here-documents that may wait for one line end; no script has more than a few, and each is looked for among the redirections.
const MOST_HERE_DOCUMENTS: usize = 64;

/// Longest first.
const OPERATORS: [&str; 12] = ["&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"];

/// What a reserved word closes; 0 when it closes nothing.
fn closes(word: &str) -> Stop {
    match word {
        "then" => THEN,
        "elif" | "else" => ELSE,
        "fi" => FI,
        "do" => DO,
        "done" => DONE,
        "esac" => ESAC,
        "}" => BRACE,
        _ => 0,
    }
}

/// Whether a byte ends an unquoted word.
pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

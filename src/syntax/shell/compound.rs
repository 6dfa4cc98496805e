//! Compound commands: groups, conditions, loops, functions. Does not know simple commands.

use super::MAX_DEPTH;
use super::parser::{BRACE, DO, DONE, ELSE, ESAC, Element, FI, PAREN, Parser, THEN};
use crate::model::script::Nest;

impl Parser<'_> {
    /// Reads the compound command that begins with the reserved word `word` or a parenthesis and gives its last simple command;
    /// `None` when there is none here, or when it stands too deep.
    pub(super) fn compound(&mut self, word: &str) -> Option<Option<usize>> {
        let paren = self.byte(0) == b'(';
        if self.depth >= MAX_DEPTH {
            if paren {
                self.skip_parens();
                return Some(None);
            }
            return None;
        }
        if paren {
            return Some(self.parens());
        }
        match word {
            "{" => {
                self.pos += 1;
                Some(self.deeper(Nest::Group, BRACE, "}"))
            }
            "if" => {
                self.pos += 2;
                Some(self.condition())
            }
            "while" | "until" => {
                self.pos += 5;
                self.deeper_list(Nest::Condition, DO);
                Some(self.loop_body())
            }
            "for" | "select" => {
                self.pos += word.len();
                self.loop_header();
                Some(self.loop_body())
            }
            "case" => {
                self.pos += 4;
                Some(self.case())
            }
            "function" => {
                self.pos += 8;
                self.skip_blanks();
                self.word();
                self.skip_blanks();
                if self.looking_at("()") {
                    self.pos += 2;
                }
                self.function();
                Some(None)
            }
            "[[" => Some(Some(self.test())),
            _ => None,
        }
    }

    /// Reads a list in a deeper nesting.
    fn deeper_list(&mut self, nest: Nest, stop: u16) -> Option<usize> {
        self.depth += 1;
        self.nesting.push(nest);
        let last = self.list(stop);
        self.nesting.pop();
        self.depth -= 1;
        last
    }

    fn deeper(&mut self, nest: Nest, stop: u16, close: &str) -> Option<usize> {
        let last = self.deeper_list(nest, stop);
        self.take(close);
        last
    }

    fn parens(&mut self) -> Option<usize> {
        if self.byte(1) == b'(' && self.closes_arithmetic(self.pos + 2) {
            let slot = self.out.len();
            let start = self.pos;
            let command = self.blank_command();
            self.out.push(command);
            let word = self.arithmetic_words(2).0;
            self.out[slot].words.push(word);
            self.out[slot].at = self.map.place(start..self.pos).0;
            return Some(slot);
        }
        self.pos += 1;
        let last = self.within(Nest::Subshell, |parser| parser.list(PAREN));
        if self.byte(0) == b')' {
            self.pos += 1;
        }
        last
    }

    fn condition(&mut self) -> Option<usize> {
        self.deeper_list(Nest::Condition, THEN);
        let mut last = None;
        let folder = self.state.cwd.clone();
        let mut moved = false;
        while self.take("then") || self.take("else") || self.take("elif") {
            if self.bytes[..self.pos].ends_with(b"elif") {
                self.deeper_list(Nest::Condition, THEN);
                continue;
            }
            self.state.cwd.clone_from(&folder);
            last = self.deeper_list(Nest::Branch, ELSE | FI).or(last);
            moved |= self.state.cwd != folder;
        }
        self.take("fi");
        self.state.cwd = if moved { None } else { folder };
        last
    }

    fn loop_header(&mut self) {
        self.skip_blanks();
        if self.looking_at("((") && self.closes_arithmetic(self.pos + 2) {
            self.arithmetic_words(2);
            return;
        }
        while !self.at_end() && !matches!(self.byte(0), b'\n' | b';' | b'&' | b'|' | b')') {
            if self.reserved() == "do" {
                return;
            }
            self.word();
            self.skip_blanks();
        }
    }

    fn loop_body(&mut self) -> Option<usize> {
        if !self.take_after_gaps("do") {
            return None;
        }
        let folder = self.state.cwd.clone();
        let last = self.deeper(Nest::Loop, DONE, "done");
        if self.state.cwd != folder {
            self.state.cwd = None;
        }
        last
    }

    fn case(&mut self) -> Option<usize> {
        self.skip_blanks();
        if !self.at_end() {
            self.word();
        }
        if !self.take_after_gaps("in") {
            return None;
        }
        let folder = self.state.cwd.clone();
        let mut moved = false;
        let mut last = None;
        loop {
            self.skip_newlines();
            if self.at_end() || self.take("esac") || !self.case_pattern() {
                break;
            }
            self.state.cwd.clone_from(&folder);
            last = self.deeper_list(Nest::Branch, ESAC).or(last);
            moved |= self.state.cwd != folder;
            if self.byte(0) == b';' {
                self.pos += 2;
                self.pos += usize::from(matches!(self.byte(0), b'&'));
                self.pos = self.pos.min(self.end);
            } else if self.reserved() != "esac" {
                break;
            }
        }
        self.state.cwd = if moved { None } else { folder };
        last
    }

    fn skip_newlines(&mut self) {
        loop {
            self.skip_blanks();
            match self.byte(0) {
                b'\n' => self.newline(),
                b'#' => self.skip_comment(),
                _ => return,
            }
        }
    }

    /// Goes over `(a | b)` of a case; `false` when its `)` is missing on the line.
    fn case_pattern(&mut self) -> bool {
        if self.byte(0) == b'(' {
            self.pos += 1;
        }
        loop {
            self.skip_blanks();
            match self.byte(0) {
                b')' => {
                    self.pos += 1;
                    return true;
                }
                b'|' => self.pos += 1,
                _ if self.at_end() || matches!(self.byte(0), b'\n' | b';') => return false,
                _ => {
                    self.word();
                }
            }
        }
    }

    /// Reads the body of a function, whose flags and folder are its own.
    pub(super) fn function(&mut self) -> Element {
        self.skip_newlines();
        if self.depth >= MAX_DEPTH {
            return Element::Nothing;
        }
        self.within(Nest::Function, |parser| {
            if parser.take("{") {
                parser.list(BRACE);
                parser.take("}");
            } else {
                let word = parser.reserved();
                parser.compound(word);
            }
        });
        Element::Nothing
    }

    /// Reads `[[ … ]]`, in which operators are words.
    fn test(&mut self) -> usize {
        let slot = self.out.len();
        let start = self.pos;
        let command = self.blank_command();
        self.out.push(command);
        let mut words = Vec::new();
        let mut continues = false;
        loop {
            self.skip_blanks();
            let at = self.pos;
            match self.byte(0) {
                _ if self.at_end() => break,
                b'\n' if continues => {
                    self.newline();
                    continue;
                }
                b'\n' => break,
                byte if is_operator(byte) => {
                    while is_operator(self.byte(0)) {
                        self.pos += 1;
                    }
                    let text = self.map.text(at..self.pos);
                    words.push(crate::model::script::Word { text, expands: false, quoted: false });
                    continues = true;
                    continue;
                }
                _ => {}
            }
            continues = false;
            let word = self.word().0;
            let closed = word.text.text == "]]" && !word.quoted;
            words.push(word);
            if closed {
                break;
            }
        }
        self.out[slot].words = words;
        self.out[slot].at = self.map.place(start..self.pos).0;
        slot
    }
}

/// Whether a byte is part of an operator of `[[ … ]]`.
fn is_operator(byte: u8) -> bool {
    matches!(byte, b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b';')
}

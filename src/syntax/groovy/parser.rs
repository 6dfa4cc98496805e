//! Statements, calls and values of Groovy. Knows how strings begin, not what is in them.

use super::{Argument, Call, Item, Value};
use crate::model::span::{Location, SourceId, Span};
use std::ops::Range;

/// How deep blocks and arguments nest at most; what stands deeper is not read.
const MAX_DEPTH: usize = 80;

/// The statements of a text.
pub fn parse(source: SourceId, text: &str) -> Vec<Item> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut parser = Parser { source, text, at: start, depth: 0 };
    let mut items = Vec::new();
    while parser.at < text.len() {
        items.extend(parser.items());
        // A closing brace without an opening one.
        parser.at += usize::from(parser.at < text.len());
    }
    items
}

pub(super) struct Parser<'s> {
    source: SourceId,
    pub(super) text: &'s str,
    pub(super) at: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    pub(super) fn location(&self, range: Range<usize>) -> Location {
        Location::new(self.source, Span::new(range.start, range.end))
    }

    /// Passes over blanks and comments; over line ends too when asked to.
    fn blank(&mut self, lines: Lines) {
        loop {
            let rest = self.rest();
            let blank = |c: char| c.is_whitespace() && (lines == Lines::Cross || c != '\n');
            let trimmed = rest.trim_start_matches(blank);
            self.at += rest.len() - trimmed.len();
            let comment = if trimmed.starts_with("//") || (self.at == 0 && trimmed.starts_with("#!")) {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else if trimmed.starts_with("\\\n") {
                2
            } else {
                return;
            };
            self.at += comment;
        }
    }

    /// Statements up to a closing brace or the end.
    fn items(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            self.blank(Lines::Cross);
            match self.peek() {
                None | Some(b'}') => return items,
                Some(b'{') => {
                    // A block of its own, or a closure that nobody asked about.
                    items.extend(self.block());
                }
                _ => self.statement(&mut items),
            }
        }
    }

    fn statement(&mut self, items: &mut Vec<Item>) {
        let Some((name, at)) = self.path() else {
            // A string or a bracket begins an expression whose calls count.
            match self.value() {
                Some(value) => collect(value, items),
                None => self.skip_char(),
            }
            return;
        };
        let from = self.at;
        self.blank(Lines::Stay);
        if self.is_assignment() {
            self.at += 1;
            self.blank(Lines::Cross);
            if let Some(value) = self.expression() {
                items.push(Item::Assign(name, at, value));
            }
            return;
        }
        // `def x = 1`, `String x = 'a'`: the last name counts.
        if self.peek().is_some_and(is_word_start) {
            let back = self.at;
            if let Some((second, second_at)) = self.path() {
                self.blank(Lines::Stay);
                if self.is_assignment() {
                    self.at += 1;
                    self.blank(Lines::Cross);
                    if let Some(value) = self.expression() {
                        items.push(Item::Assign(second, second_at, value));
                    }
                    return;
                }
            }
            self.at = back;
        }
        self.at = from;
        let call = self.call(name, at, Style::Statement);
        items.push(Item::Call(call));
    }

    fn is_assignment(&self) -> bool {
        self.rest().starts_with('=') && !self.rest().starts_with("==") && !self.rest().starts_with("=~")
    }

    /// Arguments and block of a call whose name was read.
    fn call(&mut self, name: String, at: Location, style: Style) -> Call {
        let mut call = Call { name, at, arguments: Vec::new(), block: None };
        self.blank(Lines::Stay);
        match self.peek() {
            Some(b'(') => call.arguments = self.arguments(b')'),
            Some(b'{') => {}
            Some(byte) if style == Style::Statement && starts_value(byte) => call.arguments = self.bare_arguments(),
            _ => {}
        }
        loop {
            self.blank(Lines::Stay);
            if self.peek() == Some(b'{') {
                call.block.get_or_insert_with(Vec::new).extend(self.block());
                continue;
            }
            // A call on the result: its block belongs to what began the chain.
            let back = self.at;
            self.blank(Lines::Cross);
            let dotted = self.rest().starts_with('.') || self.rest().starts_with("?.");
            if dotted && !self.rest().starts_with("..") {
                self.at += if self.rest().starts_with('?') { 2 } else { 1 };
                if let Some((_, at)) = self.path() {
                    let inner = self.call(String::new(), at, Style::Expression);
                    call.block = call.block.or(inner.block);
                    continue;
                }
            }
            self.at = back;
            return call;
        }
    }

    fn block(&mut self) -> Vec<Item> {
        self.at += 1;
        self.depth += 1;
        let items = if self.depth > MAX_DEPTH { self.skip_block() } else { self.items() };
        self.depth -= 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
        }
        items
    }

    /// Passes over a block that stands too deep, without a call for each level.
    fn skip_block(&mut self) -> Vec<Item> {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' => open += 1,
                b'}' if open == 0 => break,
                b'}' => open -= 1,
                _ => {}
            }
            self.skip_char();
        }
        Vec::new()
    }

    /// Arguments in parentheses or brackets.
    fn arguments(&mut self, close: u8) -> Vec<Argument> {
        self.at += 1;
        self.depth += 1;
        let mut list = Vec::new();
        loop {
            self.blank(Lines::Cross);
            match self.peek() {
                None | Some(b'}') => break,
                Some(byte) if byte == close => {
                    self.at += 1;
                    break;
                }
                _ if self.depth > MAX_DEPTH => self.skip_char(),
                _ => match self.argument() {
                    Some(argument) => list.push(argument),
                    None => self.skip_char(),
                },
            }
        }
        self.depth -= 1;
        list
    }

    /// Arguments without parentheses: up to the end of the line, further lines after a comma.
    fn bare_arguments(&mut self) -> Vec<Argument> {
        let mut list = Vec::new();
        loop {
            self.blank(Lines::Stay);
            let Some(argument) = self.peek().filter(|byte| starts_value(*byte)).and_then(|_| self.argument()) else {
                return list;
            };
            list.push(argument);
            self.blank(Lines::Stay);
            if self.peek() != Some(b',') {
                return list;
            }
            self.at += 1;
            self.blank(Lines::Cross);
        }
    }

    fn argument(&mut self) -> Option<Argument> {
        let back = self.at;
        if let Some(name) = self.label() {
            self.blank(Lines::Cross);
            return Some(Argument { name: Some(name), value: self.expression()? });
        }
        self.at = back;
        Some(Argument { name: None, value: self.expression()? })
    }

    /// `name:` or `'name':`.
    fn label(&mut self) -> Option<String> {
        let name = match self.peek()? {
            b'\'' | b'"' => self.string()?.text.text,
            byte if is_word_start(byte) => self.path()?.0,
            _ => return None,
        };
        self.blank(Lines::Stay);
        let colon = self.rest().starts_with(':') && !self.rest().starts_with("::");
        self.at += usize::from(colon);
        colon.then_some(name)
    }

    /// Values with operators between them.
    fn expression(&mut self) -> Option<Value> {
        let mut values = vec![self.value()?];
        loop {
            let back = self.at;
            self.blank(Lines::Stay);
            let rest = self.rest();
            let operator = ["&&", "||", "==", "!=", "<=", ">=", "=~", "?:", "+", "?", ":", "<", ">", "*", "%"]
                .iter()
                .find(|word| rest.starts_with(**word));
            let Some(operator) = operator else {
                self.at = back;
                break;
            };
            self.at += operator.len();
            self.blank(Lines::Cross);
            match self.value() {
                Some(value) => values.push(value),
                None => break,
            }
        }
        if values.len() == 1 { values.pop() } else { Some(Value::Joined(values)) }
    }

    fn value(&mut self) -> Option<Value> {
        let byte = self.peek()?;
        if byte == b'!' || byte == b'-' {
            self.at += 1;
            return self.value();
        }
        match byte {
            b'/' if !self.is_pattern() => None,
            b'\'' | b'"' | b'$' | b'/' => {
                let text = self.string()?;
                self.methods();
                Some(Value::Text(text))
            }
            b'[' => {
                let list = self.arguments(b']');
                self.methods();
                Some(Value::List(list))
            }
            b'(' => {
                let mut list = self.arguments(b')');
                self.methods();
                let one = list.len() == 1;
                if one { list.pop().map(|argument| argument.value) } else { Some(Value::List(list)) }
            }
            b'{' => Some(Value::Block(self.block())),
            byte if is_word_start(byte) || byte.is_ascii_digit() => {
                let (word, at) = self.path()?;
                let back = self.at;
                self.blank(Lines::Stay);
                match self.peek() {
                    Some(b'(' | b'{') => Some(Value::Call(Box::new(self.call(word, at, Style::Expression)))),
                    _ => {
                        self.at = back;
                        Some(Value::Word(word, at))
                    }
                }
            }
            _ => None,
        }
    }

    /// Calls on a value that leave its text as it is, or are not known.
    fn methods(&mut self) {
        loop {
            let back = self.at;
            self.blank(Lines::Cross);
            if !self.rest().starts_with('.') || self.rest().starts_with("..") {
                self.at = back;
                return;
            }
            self.at += 1;
            if self.path().is_none() {
                self.at = back;
                return;
            }
            if self.peek() == Some(b'(') {
                self.arguments(b')');
            }
        }
    }

    /// A name with dots, or a number.
    fn path(&mut self) -> Option<(String, Location)> {
        let start = self.at;
        let annotation = self.peek() == Some(b'@');
        let rest = &self.rest()[usize::from(annotation)..];
        let len = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.len());
        let word = rest[..len].trim_end_matches('.');
        if word.is_empty() || word.starts_with('.') {
            return None;
        }
        self.at += word.len() + usize::from(annotation);
        Some((self.text[start..self.at].to_string(), self.location(start..self.at)))
    }

    pub(super) fn skip_char(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }
}

/// Whether a gap may go over the end of a line.
#[derive(PartialEq, Clone, Copy)]
enum Lines {
    Cross,
    Stay,
}

/// Whether arguments may stand without parentheses.
#[derive(PartialEq, Clone, Copy)]
enum Style {
    Statement,
    Expression,
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'@' || byte >= 0x80
}

fn starts_value(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || matches!(byte, b'\'' | b'"' | b'[' | b'!' | b'$')
}

/// The calls inside of a value, as statements.
fn collect(value: Value, items: &mut Vec<Item>) {
    match value {
        Value::Call(call) => items.push(Item::Call(*call)),
        Value::Block(inner) => items.extend(inner),
        Value::List(list) => list.into_iter().for_each(|argument| collect(argument.value, items)),
        Value::Joined(list) => list.into_iter().for_each(|value| collect(value, items)),
        Value::Text(_) | Value::Word(..) => {}
    }
}

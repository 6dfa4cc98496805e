//! Python source scanned for calls with literal arguments, for functions with their decorators, and for PEP 723 blocks.
//! Runs nothing, follows no import, and knows no library.

mod metadata;
mod token;

pub use metadata::{has_script_metadata, script_metadata};

use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use std::collections::HashMap;
use std::ops::Range;
use token::{Kind, Token};

/// Lists inside lists are flattened this deep.
const MAX_LISTS: usize = 4;

/// An argument, or an element of a list that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string; of an f-string the text as written, braces included.
    Literal(Text),
    /// Anything else, as written.
    Unseen(Text),
}

impl Value {
    /// The text, literal or as written.
    pub fn text(&self) -> &Text {
        match self {
            Value::Literal(text) | Value::Unseen(text) => text,
        }
    }

    /// The text of a literal.
    pub fn literal(&self) -> Option<&Text> {
        match self {
            Value::Literal(text) => Some(text),
            Value::Unseen(_) => None,
        }
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is called, with dots: `session.install`.
    pub name: String,
    /// Positional arguments in order, lists and tuples flattened, constants of the module filled in.
    pub args: Vec<Value>,
    /// Keyword arguments, flattened likewise.
    pub keywords: Vec<(String, Vec<Value>)>,
    /// From the name to the closing bracket.
    pub at: Location,
    /// Index of the function that it stands in, in [`Module::functions`].
    pub function: Option<usize>,
}

impl Call {
    /// The values of a keyword argument.
    pub fn keyword(&self, name: &str) -> Option<&[Value]> {
        self.keywords.iter().find(|(known, _)| known == name).map(|(_, values)| values.as_slice())
    }
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: Text,
    /// Its decorators; one without brackets has no arguments.
    pub decorators: Vec<Call>,
}

/// What was found in a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// Calls in the order of the text, calls inside of arguments included, decorators left out.
    pub calls: Vec<Call>,
    /// Functions in the order of the text.
    pub functions: Vec<Function>,
    /// Strings and lists of strings that names of the module (and attributes, with dots) stand for.
    pub constants: HashMap<String, Vec<Value>>,
}

/// The calls of a text.
pub fn calls(text: &Mapped) -> Vec<Call> {
    read(text).calls
}

/// Scans a text.
pub fn read(text: &Mapped) -> Module {
    let tokens = token::tokens(&text.text);
    let partners = partners(&tokens);
    let mut scan =
        Scan { text, tokens: &tokens, partners, module: Module::default(), open: Vec::new(), pending: Vec::new() };
    scan.run();
    scan.module
}

/// For each opening bracket the index of the closing one.
fn partners(tokens: &[Token]) -> Vec<usize> {
    let mut partners = vec![usize::MAX; tokens.len()];
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Op(b'(' | b'[' | b'{') => open.push(index),
            Kind::Op(b')' | b']' | b'}') => {
                if let Some(start) = open.pop() {
                    partners[start] = index;
                }
            }
            _ => {}
        }
    }
    partners
}

struct Scan<'t> {
    text: &'t Mapped,
    tokens: &'t [Token],
    partners: Vec<usize>,
    module: Module,
    /// Indents and indexes of the functions around the current line.
    open: Vec<(usize, usize)>,
    /// Decorators that wait for their function.
    pending: Vec<Call>,
}

impl Scan<'_> {
    fn run(&mut self) {
        let mut at = 0;
        let mut after_line = true;
        while at < self.tokens.len() {
            if let Kind::Line(indent) = self.tokens[at].kind {
                self.open.retain(|(own, _)| *own < indent);
                after_line = true;
                at += 1;
                continue;
            }
            let first = std::mem::replace(&mut after_line, false);
            at = if first { self.statement(at) } else { self.expression(at) };
        }
    }

    fn slice(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &self.text.text[token.at.clone()])
    }

    fn is_op(&self, index: usize, op: u8) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == Kind::Op(op))
    }

    /// The first token of a line: decorators, functions, constants; everything else is an expression.
    fn statement(&mut self, at: usize) -> usize {
        if self.is_op(at, b'@') {
            let (call, next) = self.dotted(at + 1);
            self.pending.extend(call);
            return next.max(at + 1);
        }
        let at = if self.slice(at) == "async" { at + 1 } else { at };
        if at >= self.tokens.len() {
            return at;
        }
        match self.slice(at) {
            "def" | "class" if self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Name) => {
                return self.definition(at);
            }
            _ => {}
        }
        self.constant(at);
        self.expression(at)
    }

    fn definition(&mut self, at: usize) -> usize {
        let decorators = std::mem::take(&mut self.pending);
        if self.slice(at) == "def" {
            let indent = self.tokens[..at].iter().rev().find_map(|token| match token.kind {
                Kind::Line(indent) => Some(indent),
                _ => None,
            });
            let name = self.text.text(self.tokens[at + 1].at.clone());
            self.open.push((indent.unwrap_or(0), self.module.functions.len()));
            self.module.functions.push(Function { name, decorators });
        }
        // Parameters are no call; their defaults may hold some.
        at + 2
    }

    /// `NAME = …`, `NAME: type = …`, `a.b = …` at the left margin.
    fn constant(&mut self, at: usize) {
        let margin = at == 0 || matches!(self.tokens[at - 1].kind, Kind::Line(0));
        if !margin || self.tokens[at].kind != Kind::Name {
            return;
        }
        let end = self.line_end(at);
        let behind = self.name_end(at);
        let equals = match self.tokens.get(behind).map(|token| token.kind) {
            Some(Kind::Op(b'=')) => behind,
            Some(Kind::Op(b':')) => match (behind + 1..end).find(|&index| self.is_op(index, b'=')) {
                Some(index) => index,
                None => return,
            },
            _ => return,
        };
        let values = self.values(equals + 1..end, 0);
        let seen = values.iter().any(|value| matches!(value, Value::Literal(_)));
        if seen || values.is_empty() {
            let name = self.joined(at..behind);
            self.module.constants.insert(name, values);
        }
    }

    /// The end of the logical line that holds `at`.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.tokens[at..];
        at + rest.iter().position(|token| matches!(token.kind, Kind::Line(_))).unwrap_or(rest.len())
    }

    /// One token of an expression: records the call that begins there.
    fn expression(&mut self, at: usize) -> usize {
        let follows_dot = at > 0 && self.is_op(at - 1, b'.');
        if self.tokens[at].kind != Kind::Name || follows_dot {
            return at + 1;
        }
        let (call, name_end) = self.dotted_call(at);
        if let Some(call) = call {
            self.module.calls.push(call);
        }
        name_end
    }

    /// A dotted name, and the call that it begins, if any; then the index behind the name, so that arguments are scanned too.
    fn dotted_call(&self, at: usize) -> (Option<Call>, usize) {
        let end = self.name_end(at);
        if !self.is_op(end, b'(') || self.partners[end] == usize::MAX {
            return (None, end);
        }
        (Some(self.call(at, end)), end)
    }

    /// The same for a decorator: one without brackets is a call without arguments, and the index is behind it all.
    fn dotted(&self, at: usize) -> (Option<Call>, usize) {
        if self.tokens.get(at).is_none_or(|token| token.kind != Kind::Name) {
            return (None, at);
        }
        let end = self.name_end(at);
        if self.is_op(end, b'(') && self.partners[end] != usize::MAX {
            return (Some(self.call(at, end)), self.partners[end] + 1);
        }
        let range = self.tokens[at].at.start..self.tokens[end - 1].at.end;
        let (place, _) = self.text.place(range);
        let name = self.joined(at..end);
        (Some(Call { name, args: Vec::new(), keywords: Vec::new(), at: place, function: None }), end)
    }

    /// Behind `a.b.c`.
    fn name_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        while self.is_op(end, b'.') && self.tokens.get(end + 1).is_some_and(|token| token.kind == Kind::Name) {
            end += 2;
        }
        end
    }

    fn joined(&self, range: Range<usize>) -> String {
        range.map(|index| self.slice(index)).collect()
    }

    fn call(&self, at: usize, open: usize) -> Call {
        let close = self.partners[open];
        let (place, _) = self.text.place(self.tokens[at].at.start..self.tokens[close].at.end);
        let function = self.open.last().map(|(_, index)| *index);
        let mut call =
            Call { name: self.joined(at..open), args: Vec::new(), keywords: Vec::new(), at: place, function };
        for part in self.parts(open + 1..close) {
            let named =
                part.len() > 2 && self.tokens[part.start].kind == Kind::Name && self.is_op(part.start + 1, b'=');
            if named {
                call.keywords.push((self.slice(part.start).to_string(), self.values(part.start + 2..part.end, 0)));
            } else {
                call.args.extend(self.values(part, 0));
            }
        }
        call
    }

    /// Splits at commas outside of brackets.
    fn parts(&self, range: Range<usize>) -> Vec<Range<usize>> {
        self.split(range, b',')
    }

    fn split(&self, range: Range<usize>, mark: u8) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = range.start;
        let mut at = range.start;
        while at < range.end {
            if self.is_op(at, mark) {
                parts.push(start..at);
                start = at + 1;
            }
            at = match self.partners[at] {
                usize::MAX => at + 1,
                close => close + 1,
            };
        }
        parts.push(start..range.end);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// The literals of an expression.
    fn values(&self, part: Range<usize>, depth: usize) -> Vec<Value> {
        let Some(first) = self.tokens.get(part.start).filter(|_| part.start < part.end) else { return Vec::new() };
        if first.kind == Kind::Op(b'*') && part.len() > 1 {
            return self.values(part.start + 1..part.end, depth);
        }
        if part.clone().all(|index| matches!(self.tokens[index].kind, Kind::Text { .. })) {
            return vec![Value::Literal(self.literal(part))];
        }
        let whole_list =
            matches!(first.kind, Kind::Op(b'[' | b'(' | b'{')) && self.partners[part.start] == part.end - 1;
        if whole_list && depth < MAX_LISTS && !self.has_word(part.clone(), "for") {
            let inner = self.parts(part.start + 1..part.end - 1);
            return inner.into_iter().flat_map(|part| self.values(part, depth + 1)).collect();
        }
        if part.len() == 1
            && first.kind == Kind::Name
            && let Some(values) = self.module.constants.get(self.slice(part.start))
        {
            return values.clone();
        }
        let sums = self.split(part.clone(), b'+');
        if sums.len() > 1 && depth < MAX_LISTS && sums.iter().all(|sum| self.is_list(sum)) {
            return sums.into_iter().flat_map(|sum| self.values(sum, depth + 1)).collect();
        }
        let range = self.tokens[part.start].at.start..self.tokens[part.end - 1].at.end;
        vec![Value::Unseen(self.text.text(range))]
    }

    fn has_word(&self, part: Range<usize>, word: &str) -> bool {
        part.into_iter().any(|index| self.tokens[index].kind == Kind::Name && self.slice(index) == word)
    }

    /// A list in brackets, or a name that stands for one.
    fn is_list(&self, part: &Range<usize>) -> bool {
        let bracket =
            matches!(self.tokens[part.start].kind, Kind::Op(b'[' | b'(')) && self.partners[part.start] == part.end - 1;
        bracket
            || part.len() == 1
                && self.module.constants.get(self.slice(part.start)).is_some_and(|values| values.len() != 1)
    }

    /// One string, or several that Python joins.
    fn literal(&self, part: Range<usize>) -> Text {
        let pieces: Vec<Text> = part.map(|index| self.tokens[index].text(self.text)).collect();
        match <[Text; 1]>::try_from(pieces) {
            Ok([text]) => text,
            Err(pieces) => {
                let at = Location {
                    source: pieces[0].at.source,
                    span: pieces[0].at.span.to(pieces[pieces.len() - 1].at.span),
                };
                Text { text: pieces.into_iter().map(|piece| piece.text).collect(), at, verbatim: false }
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Enough of Groovy to read a Jenkinsfile: strings of all kinds, calls with arguments and blocks, assignments.
//!
//! The reader is tolerant: any text gives items, and nothing fails. What it does not know (classes, operators, control flow) is passed over,
//! and the calls and strings inside of it are found all the same. <https://groovy-lang.org/syntax.html>

use crate::model::span::{Location, SourceId, Span};
use crate::model::text::Mapped;
use std::ops::Range;

/// How deep blocks and arguments nest at most; what stands deeper is not read.
const MAX_DEPTH: usize = 80;

/// A string.
#[derive(Debug, Clone)]
pub struct Str {
    /// What it says, with its places.
    pub text: Mapped,
    /// What the program puts in: places in the text, and the expression.
    pub puts_in: Vec<(Range<usize>, String)>,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    Text(Str),
    /// A list or a map.
    List(Vec<Argument>),
    /// A call with arguments.
    Call(Box<Call>),
    /// A closure.
    Block(Vec<Item>),
    /// A name, a number, a word.
    Word(String, Location),
    /// Several values with operators between them.
    Joined(Vec<Value>),
}

/// An argument, perhaps with a name.
#[derive(Debug, Clone)]
pub struct Argument {
    /// `name:` before it.
    pub name: Option<String>,
    /// The value.
    pub value: Value,
}

/// A call: `sh 'x'`, `stage('x') { … }`, `agent any`, `steps { … }`.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name with dots: `docker.image`. Annotations keep their mark.
    pub name: String,
    /// Where the name stands.
    pub at: Location,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// The block behind it, its own or that of a call on its result (`docker.image('x').inside { … }`).
    pub block: Option<Vec<Item>>,
}

/// A statement.
#[derive(Debug, Clone)]
pub enum Item {
    /// A call.
    Call(Call),
    /// `name = value`.
    Assign(String, Location, Value),
}

impl Call {
    /// The value of a named argument.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name)).map(|argument| &argument.value)
    }

    /// The first argument without a name.
    pub fn first(&self) -> Option<&Value> {
        self.arguments.iter().find(|argument| argument.name.is_none()).map(|argument| &argument.value)
    }

    /// Calls of its block.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        calls(self.block.as_deref().unwrap_or(&[]))
    }

    /// The first call of its block with a name.
    pub fn call(&self, name: &str) -> Option<&Call> {
        self.calls().find(|call| call.name == name)
    }
}

impl Value {
    /// The string, if it is one.
    pub fn text(&self) -> Option<&Str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// What it says: a string's text, or a word.
    pub fn says(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(&text.text.text),
            Value::Word(word, _) => Some(word),
            _ => None,
        }
    }
}

/// The calls among items.
pub fn calls(items: &[Item]) -> impl Iterator<Item = &Call> {
    items.iter().filter_map(|item| if let Item::Call(call) = item { Some(call) } else { None })
}

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

struct Parser<'s> {
    source: SourceId,
    text: &'s str,
    at: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    fn location(&self, range: Range<usize>) -> Location {
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
            b'\'' | b'"' | b'$' => {
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

    fn skip_char(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    /// A string of any kind.
    fn string(&mut self) -> Option<Str> {
        let rest = self.rest();
        let (open, close, puts_in) = [
            ("'''", "'''", false),
            ("\"\"\"", "\"\"\"", true),
            ("$/", "/$", true),
            ("'", "'", false),
            ("\"", "\"", true),
        ]
        .into_iter()
        .find(|(open, ..)| rest.starts_with(open))?;
        self.at += open.len();
        let start = self.at;
        let mut out = Str {
            text: Mapped { text: String::new(), at: self.location(start..start), segments: Vec::new() },
            puts_in: Vec::new(),
        };
        let mut run = start;
        while self.at < self.text.len() && !self.rest().starts_with(close) {
            let byte = self.text.as_bytes()[self.at];
            match byte {
                b'\\' if open != "$/" => {
                    out.text.push(&self.text[run..self.at], run);
                    self.escape(&mut out.text);
                    run = self.at;
                }
                b'$' if puts_in => {
                    out.text.push(&self.text[run..self.at], run);
                    run = self.at;
                    self.interpolation(&mut out, &mut run);
                }
                // A string on one line that does not end.
                b'\n' if open.len() == 1 => break,
                _ => self.skip_char(),
            }
        }
        out.text.push(&self.text[run..self.at], run);
        out.text.at = self.location(start..self.at);
        if self.rest().starts_with(close) {
            self.at += close.len();
        }
        Some(out)
    }

    fn escape(&mut self, out: &mut Mapped) {
        self.at += 1;
        let Some(c) = self.rest().chars().next() else { return };
        self.at += c.len_utf8();
        let made = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            // A line goes on.
            '\n' => return,
            '\\' | '\'' | '"' | '$' => {
                return out.push(&self.text[self.at - c.len_utf8()..self.at], self.at - c.len_utf8());
            }
            other => other,
        };
        out.text.push(made);
    }

    /// `${expression}` or `$name.property`.
    fn interpolation(&mut self, out: &mut Str, run: &mut usize) {
        let start = self.at;
        let rest = self.rest();
        let (len, expression) = if rest.starts_with("${") {
            let mut open = 0usize;
            let end = rest.char_indices().find_map(|(at, c)| {
                match c {
                    '{' => open += 1,
                    '}' => {
                        open -= 1;
                        if open == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                None
            });
            let end = end.unwrap_or(2);
            (end, rest.get(2..end - 1).unwrap_or("").trim().to_string())
        } else {
            let len = rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
                .unwrap_or(rest.len() - 1);
            let name = rest[1..1 + len].trim_end_matches('.');
            (1 + name.len(), name.to_string())
        };
        self.at += len;
        let from = out.text.text.len();
        out.text.push(&self.text[start..self.at], start);
        *run = self.at;
        if !expression.is_empty() {
            out.puts_in.push((from..from + len, expression));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<Item> {
        parse(SourceId(0), text)
    }

    #[test]
    fn calls_have_arguments_and_blocks() {
        let text = "@Library('x@v1') _\npipeline {\n  agent any // why\n  stage('A') { steps { sh 'a'\n sh(script: \"b ${c.d}\", returnStatus: true) } }\n}\n";
        let all = items(text);
        let [Item::Call(library), .., Item::Call(pipeline)] = &all[..] else { panic!("{all:?}") };
        assert_eq!((library.name.as_str(), library.first().and_then(Value::says)), ("@Library", Some("x@v1")));
        assert_eq!(pipeline.call("agent").and_then(|call| call.first()).and_then(Value::says), Some("any"));
        let steps = pipeline.call("stage").and_then(|stage| stage.call("steps")).expect("steps");
        let shs: Vec<_> = steps.calls().collect();
        assert_eq!(shs[0].first().and_then(Value::says), Some("a"));
        let script = shs[1].named("script").and_then(Value::text).expect("a string");
        assert_eq!((script.text.text.as_str(), script.puts_in[0].1.as_str()), ("b ${c.d}", "c.d"));
        assert_eq!(&text[script.text.place(0..1).0.span.range()], "b");
    }

    #[test]
    fn strings_of_all_kinds_keep_their_places() {
        let text = "a '''x\\\ny'''\nb \"\"\"p\n$q.r\\$s\"\"\"\nc $/d/$\ne 'f\\'g'\nh 'i'.trim()\n";
        let said: Vec<String> =
            calls(&items(text)).filter_map(|call| Some(call.first()?.says()?.to_string())).collect();
        assert_eq!(said, ["xy", "p\n$q.r$s", "d", "f'g", "i"]);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let text = "def x = docker.image('a:1')\nif (x == 1) { sh 'b' } else { sh 'c' }\ndocker.image(\"d:2\").inside('-u 0') { sh 'e' }\nparallel a: { sh 'f' }, b: { sh 'g' }\nx.each { y -> sh \"h\" }\n} ) ]";
        let all = items(text);
        assert!(
            matches!(&all[0], Item::Assign(name, _, Value::Call(call)) if name == "x" && call.name == "docker.image")
        );
        let image = calls(&all).find(|call| call.name == "docker.image").expect("a call");
        assert_eq!(image.calls().count(), 1);
        let parallel = calls(&all).find(|call| call.name == "parallel").expect("a call");
        assert!(matches!(parallel.named("b"), Some(Value::Block(items)) if items.len() == 1));
        assert!(calls(&all).any(|call| call.name == "x.each" && call.calls().any(|call| call.name == "sh")));
        for cut in 0..text.len() {
            items(&text[..cut]);
        }
        items(&"{[(".repeat(5_000));
        items(&"a {".repeat(5_000));
    }
}

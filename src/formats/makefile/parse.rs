//! The text of a makefile to rules and variables. Source: GNU make's manual, "How to Write Makefiles", "Rules", "Variables".

use crate::model::script::Shell;
use crate::model::source::Source;
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::{Mapped, Text};
use std::collections::HashMap;

/// Variables inside variables are expanded this deep.
const MAX_DEPTH: usize = 8;
/// An expanded line is cut off here.
const MAX_LINE: usize = 1 << 16;

/// A line of a recipe.
#[derive(Debug)]
pub struct RecipeLine {
    /// Without the prefixes `@`, `-` and `+`.
    pub text: Mapped,
    /// Whether the prefix `-` was there.
    pub tolerated: bool,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// What it makes.
    pub targets: Vec<Text>,
    /// What has to be there first.
    pub prerequisites: Vec<Text>,
    /// How.
    pub recipe: Vec<RecipeLine>,
    /// The place of the targets.
    pub at: Location,
}

/// A makefile.
#[derive(Debug, Default)]
pub struct Makefile {
    /// Rules in order; those for equal targets are one.
    pub rules: Vec<Rule>,
    /// Whether `.ONESHELL` is set.
    pub one_shell: bool,
    variables: HashMap<String, Option<Mapped>>,
}

impl Makefile {
    /// The text of a variable that has one value.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.as_ref().map(|value| value.text.trim())
    }

    /// The shell that runs recipe lines: `SHELL` and `.SHELLFLAGS`.
    pub fn shell(&self) -> Shell {
        let flags = self.value(".SHELLFLAGS").unwrap_or("-c");
        let clustered = |letter: char| flags.split_whitespace().any(|word| !word.starts_with("--") && word.starts_with('-') && word.contains(letter));
        Shell { errexit: clustered('e'), pipefail: flags.contains("pipefail"), xtrace: clustered('x'), ..Shell::PLAIN }
    }

    /// Puts the values of variables into a line; a place inside of a value is that of its assignment.
    pub fn expand(&self, line: &Mapped) -> Mapped {
        let mut out = Mapped { text: String::new(), at: line.at, segments: Vec::new() };
        self.expand_into(line, &mut out, 0);
        out
    }

    fn expand_into(&self, text: &Mapped, out: &mut Mapped, depth: usize) {
        let mut start = 0;
        while let Some(found) = text.text[start..].find('$') {
            let at = start + found;
            out.append(&text.slice(start..at));
            if out.text.len() > MAX_LINE {
                return;
            }
            let (end, name) = reference(&text.text, at);
            match name.map(|name| self.variables.get(name)) {
                // `$$` is a dollar for the shell.
                _ if text.text[at..end] == *"$$" => out.append(&text.slice(at + 1..end)),
                Some(Some(Some(value))) if depth < MAX_DEPTH => self.expand_into(value, out, depth + 1),
                _ => out.append(&text.slice(at..end)),
            }
            start = end;
        }
        out.append(&text.slice(start..text.text.len()));
    }
}

/// The end of the reference that begins at a dollar, and the name when it is a plain one.
fn reference(text: &str, at: usize) -> (usize, Option<&str>) {
    let bytes = text.as_bytes();
    let Some(&next) = bytes.get(at + 1) else { return (at + 1, None) };
    let (open, close) = match next {
        b'(' => (b'(', b')'),
        b'{' => (b'{', b'}'),
        // GitHub and templates aside, `$x` is the variable of one letter.
        _ => return (at + 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8), None),
    };
    let mut depth = 0;
    for (offset, &byte) in bytes[at + 1..].iter().enumerate() {
        depth += i32::from(byte == open) - i32::from(byte == close);
        if depth == 0 {
            let end = at + 1 + offset + 1;
            let name = &text[at + 2..end - 1];
            let plain = !name.is_empty() && !name.contains([' ', '$', ':', ',', '(', '{']);
            return (end, plain.then_some(name));
        }
    }
    (text.len(), None)
}

/// Parses the text of a source.
pub fn parse(source: &Source) -> Makefile {
    let mut parser = Parser { id: source.id, text: &source.text, out: Makefile::default(), current: None, index: HashMap::new(), prefix: '\t' };
    parser.run();
    parser.out
}

struct Parser<'t> {
    id: SourceId,
    text: &'t str,
    out: Makefile,
    /// The rule that recipe lines belong to.
    current: Option<usize>,
    index: HashMap<String, usize>,
    prefix: char,
}

impl Parser<'_> {
    fn run(&mut self) {
        let mut at = if self.text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut defining = false;
        while at < self.text.len() {
            let end = self.logical_end(at);
            let line = &self.text[at..end];
            let words = line.trim_start();
            let is_recipe = line.starts_with(self.prefix) && self.current.is_some();
            if defining {
                defining = !words.starts_with("endef");
            } else if words.starts_with("define ") && !is_recipe {
                defining = true;
            } else if is_recipe {
                self.recipe(at, end);
            } else {
                self.line(at, end);
            }
            at = end + 1;
        }
    }

    /// The end of the line that begins at `at`, continued by backslashes.
    fn logical_end(&self, mut at: usize) -> usize {
        loop {
            let end = self.text[at..].find('\n').map_or(self.text.len(), |len| at + len);
            let line = self.text[at..end].trim_end_matches('\r');
            let slashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
            if slashes % 2 == 0 || end >= self.text.len() {
                return end;
            }
            at = end + 1;
        }
    }

    /// A recipe line: the prefix of continued lines is taken off, the backslash and the line end stay for the shell.
    fn recipe(&mut self, start: usize, end: usize) {
        let body = start + self.prefix.len_utf8();
        let rest = self.text[body..end].trim_end_matches('\r');
        let lead = rest.len() - rest.trim_start_matches(['@', '-', '+', ' ', '\t']).len();
        let tolerated = rest[..lead].contains('-');
        let (from, to) = (body + lead, body + rest.len());
        let at = Location::new(self.id, Span::new(from, to.max(from)));
        let mut text = Mapped { text: String::new(), at, segments: Vec::new() };
        let mut place = from;
        for piece in self.text[from..to.max(from)].split_inclusive('\n') {
            let skip = if place > from && piece.starts_with(self.prefix) { self.prefix.len_utf8() } else { 0 };
            text.push(&piece[skip..], place + skip);
            place += piece.len();
        }
        if let Some(rule) = self.current.filter(|_| !text.text.trim().is_empty()) {
            self.out.rules[rule].recipe.push(RecipeLine { text, tolerated });
        }
    }

    fn line(&mut self, start: usize, end: usize) {
        let raw = &self.text[start..end];
        let code = &raw[..comment(raw)];
        let trimmed = code.trim();
        let first = trimmed.split_whitespace().next().unwrap_or("");
        match first {
            // Both branches of a condition count.
            "" | "ifeq" | "ifneq" | "ifdef" | "ifndef" | "else" | "endif" | "include" | "-include" | "sinclude" | "vpath" | "unexport" | "undefine" => return,
            _ => {}
        }
        let begin = start + (code.len() - code.trim_start().len());
        if let Some((name, operator, value)) = assignment(trimmed) {
            self.current = None;
            self.assign(name, operator, begin + value, begin + trimmed.len());
        } else {
            self.rule(begin, begin + trimmed.len(), end);
        }
    }

    fn assign(&mut self, name: &str, operator: &str, start: usize, end: usize) {
        if name == ".RECIPEPREFIX" {
            self.prefix = self.text[start..end].trim().chars().next().unwrap_or('\t');
        }
        let value = self.folded(start, end);
        let variables = &mut self.out.variables;
        match operator {
            "+=" => {
                if let Some(Some(before)) = variables.get_mut(name) {
                    before.text.push(' ');
                    before.append(&value);
                    return;
                }
                variables.entry(name.to_string()).or_insert(Some(value));
            }
            // The output of a command.
            "!=" => {
                variables.insert(name.to_string(), None);
            }
            "?=" => {
                variables.entry(name.to_string()).or_insert(Some(value));
            }
            // Two values: a condition decides, and that is not looked at.
            _ => {
                let other = variables.get(name).is_some_and(|before| before.as_ref().is_none_or(|before| before.text != value.text));
                variables.insert(name.to_string(), if other { None } else { Some(value) });
            }
        }
    }

    /// A part of the text in which continued lines are one, with a blank between them.
    fn folded(&self, start: usize, end: usize) -> Mapped {
        let at = Location::new(self.id, Span::new(start, end.max(start)));
        let mut out = Mapped { text: String::new(), at, segments: Vec::new() };
        let mut place = start;
        for piece in self.text[start..end.max(start)].split_inclusive('\n') {
            let line = piece.trim_end_matches(['\n', '\r']);
            let line = if piece.len() > line.len() { line.strip_suffix('\\').unwrap_or(line) } else { line };
            let lead = if place > start { line.len() - line.trim_start().len() } else { 0 };
            let line = line[lead..].trim_end();
            if place > start {
                out.text.push(' ');
            }
            out.push(line, place + lead);
            place += piece.len();
        }
        out
    }

    /// `targets: prerequisites | order-only ; recipe`.
    fn rule(&mut self, start: usize, end: usize, line_end: usize) {
        let text = &self.text[start..end];
        let Some(colon) = outside(text, ':') else {
            self.current = None;
            return;
        };
        let after = colon + 1 + usize::from(text[colon + 1..].starts_with(':'));
        let targets = self.words(start, start + colon);
        let rest = &text[after..];
        // `target: NAME = value` is a variable of that target.
        if assignment(rest.trim_start()).is_some_and(|(_, operator, _)| operator != "!=" || !rest.contains(';')) {
            self.current = None;
            return;
        }
        let recipe = outside(rest, ';');
        let upto = recipe.unwrap_or(rest.len());
        // A static pattern has a second colon.
        let from = outside(&rest[..upto], ':').map_or(0, |at| at + 1);
        let prerequisites = self.words(start + after + from, start + after + upto);
        if targets.first().is_some_and(|target| target.text == ".ONESHELL") {
            self.out.one_shell = true;
        }
        self.open(targets, prerequisites, Location::new(self.id, Span::new(start, start + colon)));
        if let Some(semicolon) = recipe {
            // The recipe begins where a prefix would stand.
            self.recipe(start + after + semicolon, line_end.min(end));
        }
    }

    fn open(&mut self, mut targets: Vec<Text>, mut prerequisites: Vec<Text>, at: Location) {
        self.current = None;
        let special = targets.first().is_none_or(|target| target.text.starts_with('.') && !target.text.contains('/'));
        if special {
            return;
        }
        targets.retain(|target| target.text != "&");
        prerequisites.retain(|text| text.text != "|" && text.text != ".WAIT");
        let name: Vec<&str> = targets.iter().map(|target| target.text.as_str()).collect();
        let name = name.join(" ");
        let next = self.out.rules.len();
        let place = *self.index.entry(name).or_insert(next);
        if place == next {
            self.out.rules.push(Rule { targets, prerequisites, recipe: Vec::new(), at });
        } else {
            self.out.rules[place].prerequisites.extend(prerequisites);
        }
        self.current = Some(place);
    }

    /// Words between blanks, with variables put in where they have a value.
    fn words(&self, start: usize, end: usize) -> Vec<Text> {
        let whole = self.out.expand(&self.folded(start, end));
        let mut words = Vec::new();
        let mut at = 0;
        for piece in whole.text.split_inclusive([' ', '\t']) {
            let word = piece.trim_end();
            if !word.is_empty() {
                words.push(whole.text(at..at + word.len()));
            }
            at += piece.len();
        }
        words
    }
}

/// Where a comment begins.
fn comment(line: &str) -> usize {
    let bytes = line.as_bytes();
    (0..bytes.len()).find(|&at| bytes[at] == b'#' && (at == 0 || bytes[at - 1] != b'\\')).unwrap_or(bytes.len())
}

/// Where a byte stands outside of `$( )` and `${ }`.
fn outside(text: &str, mark: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ if c == mark && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// `NAME operator value`: the name, the operator, and where the value begins.
fn assignment(text: &str) -> Option<(&str, &str, usize)> {
    let mut start = 0;
    for word in ["export ", "override ", "private "] {
        if text[start..].starts_with(word) {
            start += word.len();
            start += text[start..].len() - text[start..].trim_start().len();
        }
    }
    let equals = start + outside(&text[start..], '=')?;
    let head = text[start..equals].trim_end_matches(['?', '+', '!', ':']);
    let name = head.trim();
    let plain = !name.is_empty() && !name.contains([' ', '\t', ':', '=', '#']);
    let operator = text[start + head.len()..=equals].trim();
    let value = equals + 1 + (text[equals + 1..].len() - text[equals + 1..].trim_start().len());
    plain.then_some((name, operator, value))
}

//! Justfiles: each recipe becomes a script, and its dependencies are entries that it runs first.
//!
//! Source: just's manual, "Grammar". Evaluates nothing but plain strings; what it cannot fill in counts as unseen.

use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::script::{Script, Shell};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::{Mapped, Text};
use crate::tools::{Line, Recipe, read_recipe, runs};
use std::collections::HashMap;
use std::ops::Range;

/// The format.
pub static FORMAT: Format = Format { name: "justfile", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if matches!(name.as_str(), "justfile" | ".justfile") || name.ends_with(".just") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let mut justfile = Justfile { id: source.id, text: &source.text, ..Justfile::default() };
    justfile.parse();
    let shell = justfile.shell;
    for entry in &justfile.recipes {
        let needs: Vec<Text> = entry.needs.iter().map(|range| justfile.place(range.clone())).collect();
        let name = justfile.place(entry.name.clone());
        let (lines, shell) = justfile.lines(entry, shell);
        let recipe = Recipe { tool: "just", needs, lines, shell, at: name.at, cwd: source.folder(), key: &name.text };
        let script = read_recipe(recipe, facts);
        facts.scripts.push((name.text, script));
    }
    for (alias, target) in &justfile.aliases {
        let (alias, target) = (justfile.place(alias.clone()), justfile.place(target.clone()));
        let commands = vec![runs(alias.at, "just", vec![target.text])];
        facts.scripts.push((alias.text, Script { at: alias.at, shell, commands, cwd: source.folder().to_string() }));
    }
}

/// A recipe: byte ranges of the source.
#[derive(Default)]
struct Entry {
    name: Range<usize>,
    needs: Vec<Range<usize>>,
    body: Vec<Range<usize>>,
}

struct Justfile<'t> {
    id: SourceId,
    text: &'t str,
    recipes: Vec<Entry>,
    aliases: Vec<(Range<usize>, Range<usize>)>,
    variables: HashMap<&'t str, Range<usize>>,
    shell: Shell,
}

impl Default for Justfile<'_> {
    fn default() -> Self {
        // `sh -cu`
        let (recipes, aliases, variables) = (Vec::new(), Vec::new(), HashMap::new());
        Justfile { id: SourceId(0), text: "", recipes, aliases, variables, shell: Shell::PLAIN }
    }
}

impl<'t> Justfile<'t> {
    fn place(&self, range: Range<usize>) -> Text {
        let at = Location::new(self.id, Span::new(range.start, range.end));
        Text { text: self.text[range].to_string(), at, verbatim: true }
    }

    fn parse(&mut self) {
        let mut start = if self.text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut in_body = false;
        for line in self.text[start..].split_inclusive('\n') {
            let end = start + line.trim_end().len();
            if line.starts_with([' ', '\t']) {
                if let Some(recipe) = self.recipes.last_mut().filter(|_| in_body && end > start) {
                    recipe.body.push(start..end);
                }
            } else if end > start {
                in_body = self.line(start, end);
            }
            start += line.len();
        }
    }

    /// A line at the margin; says whether a recipe begins there.
    fn line(&mut self, start: usize, end: usize) -> bool {
        let text = &self.text[start..end];
        if text.starts_with(['#', '[']) {
            return false;
        }
        if let Some(operator) = text.find(":=") {
            self.assignment(start, start + operator, end);
            return false;
        }
        let Some(colon) = outside(text, b':') else { return false };
        let lead = usize::from(text.starts_with('@'));
        let len = text[lead..].find(|c: char| c.is_whitespace() || c == ':').unwrap_or(0);
        let name = start + lead..start + lead + len;
        if len == 0 {
            return false;
        }
        let needs = self.words(start + colon + 1, end);
        self.recipes.push(Entry { name, needs, body: Vec::new() });
        true
    }

    /// Names behind the colon: `a (b "x") && c # why`. Arguments are left out.
    fn words(&self, start: usize, end: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = start;
        let mut inside = false;
        for piece in self.text[start..end].split_inclusive([' ', '\t']) {
            let word = piece.trim();
            let lead = piece.len() - piece.trim_start().len();
            let opens = usize::from(word.starts_with('('));
            let name = word[opens..].trim_end_matches(')');
            if word.starts_with('#') {
                break;
            }
            if !name.is_empty() && name != "&&" && !inside {
                found.push(at + lead + opens..at + lead + opens + name.len());
            }
            inside = (inside || opens > 0) && !word.ends_with(')');
            at += piece.len();
        }
        found
    }

    /// `x := "y"`, `export x := 'y'`, `set shell := ["bash", "-euc"]`, `alias t := test`.
    fn assignment(&mut self, start: usize, operator: usize, end: usize) {
        let head = self.text[start..operator].trim();
        let behind = operator + 2;
        let lead = self.text[behind..end].len() - self.text[behind..end].trim_start().len();
        let value = behind + lead..end;
        let last = head.rsplit(' ').next().unwrap_or(head);
        let name = start + head.len() - last.len()..start + head.len();
        match head.split(' ').next() {
            Some("set") => self.setting(last, value),
            Some("alias") => self.aliases.push((name, value)),
            _ => {
                let text = &self.text[value.clone()];
                let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
                let inner = quote.and_then(|quote| text[1..].find(quote).map(|len| value.start + 1..value.start + 1 + len));
                let escaped = |range: &Range<usize>| self.text[range.clone()].contains('\\') || self.text[range.end + 1..end].trim_start().starts_with(['+', '/']);
                if let Some(inner) = inner.filter(|range| !escaped(range)) {
                    self.variables.insert(&self.text[name], inner);
                }
            }
        }
    }

    fn setting(&mut self, name: &str, value: Range<usize>) {
        let text = &self.text[value];
        if name == "shell" {
            let flags = text.split(['"', '\'']).filter(|word| word.starts_with('-') && !word.starts_with("--"));
            self.shell.errexit = flags.clone().any(|word| word.contains('e'));
            self.shell.xtrace = flags.clone().any(|word| word.contains('x'));
            self.shell.pipefail = text.contains("pipefail");
        }
    }

    /// The lines of a recipe. One with a first line `#!` is one script for that interpreter.
    fn lines(&self, entry: &Entry, shell: Shell) -> (Vec<Line>, Shell) {
        let Some(first) = entry.body.first() else { return (Vec::new(), shell) };
        let first_line = self.text[first.clone()].trim_start();
        let indent = self.text[first.clone()].len() - first_line.len();
        let joined = first_line.starts_with("#!");
        let mut lines: Vec<Line> = Vec::new();
        let mut goes_on = false;
        for range in &entry.body {
            let line = &self.text[range.clone()];
            let blanks = (line.len() - line.trim_start().len()).min(indent);
            let rest = &line[blanks..];
            let prefix = if joined || goes_on { 0 } else { rest.len() - rest.trim_start_matches(['@', '-', ' ', '\t']).len() };
            let start = range.start + blanks + prefix;
            let text = self.filled(start..range.end);
            let tolerated = rest[..prefix].contains('-');
            let continues = joined || goes_on;
            goes_on = line.ends_with('\\');
            match lines.last_mut().filter(|_| continues) {
                Some(last) => {
                    last.text.text.push('\n');
                    last.text.append(&text);
                    last.text.at.span = last.text.at.span.to(text.at.span);
                }
                None => lines.push(Line { text, tolerated }),
            }
        }
        (lines, if joined { Shell::PLAIN } else { shell })
    }

    /// The text with `{{ name }}` filled in where it is a plain string, and made one unseen word where it is not.
    fn filled(&self, range: Range<usize>) -> Mapped {
        let at = Location::new(self.id, Span::new(range.start, range.end));
        let mut out = Mapped { text: String::new(), at, segments: Vec::new() };
        let mut start = range.start;
        while let Some(open) = self.text[start..range.end].find("{{").map(|len| start + len) {
            let Some(close) = self.text[open..range.end].find("}}").map(|len| open + len) else { break };
            out.push(&self.text[start..open], start);
            match self.variables.get(self.text[open + 2..close].trim()) {
                Some(value) => out.push(&self.text[value.clone()], value.start),
                None => out.text.push_str("${just}"),
            }
            start = close + 2;
        }
        out.push(&self.text[start..range.end], start);
        out
    }
}

/// Where a byte stands outside of quotes and brackets.
fn outside(text: &str, mark: u8) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, _) if byte == mark && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};
    use crate::model::script::Deed;

    const TEXT: &str = "set shell := [\"bash\", \"-euo\", \"pipefail\", \"-c\"]
version := '2.0'
tool := `which x`
alias t := test

# why
[group('x')]
@ci: lint (test \"a\") && done # no
test *args='x:y':
    pip install 'django=={{version}}' {{ tool }}
    -pytest {{args}} | tee log
lint:
    @ruff check .
script:
    #!/usr/bin/env bash
    cd sub
    pytest
";

    #[test]
    fn recipes_become_scripts() {
        let facts = facts_of(&FORMAT, "justfile", TEXT);
        let entries: Vec<&str> = facts.scripts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(entries, ["ci", "test", "lint", "script", "t"]);
        let ci = &facts.scripts[0].1.commands[0].deeds[0];
        assert_eq!(ci, &Deed::RunEntry { tool: "just".to_string(), entries: ["lint", "test", "done"].map(String::from).to_vec() });
        assert_eq!(names(&facts), ["django:==2.0"]);
        let Deed::Install(install) = &facts.scripts[1].1.commands[0].deeds[0] else { panic!() };
        assert_eq!(install.opaque[0].text.text, "${just}");
        let pytest = &facts.scripts[1].1.commands[1];
        assert!(pytest.shell.errexit && pytest.shell.pipefail);
        assert_eq!(facts.scripts[1].1.commands[3].words[0].text.text, "true");
        assert_eq!(facts.scripts[3].1.commands[1].cwd.as_deref(), Some("sub"));
    }

    #[test]
    fn every_prefix_of_a_text_is_read() {
        for end in (0..=TEXT.len()).filter(|&end| TEXT.is_char_boundary(end)) {
            facts_of(&FORMAT, "justfile", &TEXT[..end]);
        }
    }
}

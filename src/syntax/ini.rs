//! INI files as Python's `configparser` reads them (tox.ini, setup.cfg). Knows no format.
//!
//! <https://docs.python.org/3/library/configparser.html#supported-ini-file-structure>: `key = value` and `key: value`, values that go on
//! over indented lines, whole-line comments with `#` and `;`. A `#` inside a value belongs to it; [`without_comment`] is for readers that
//! cut it off.

use crate::model::facts::{Facts, ProblemKind};
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::Text;

/// A parsed file.
#[derive(Debug, Default)]
pub struct Ini {
    /// Its sections in order.
    pub sections: Vec<Section>,
    /// What could not be read: where, and a sentence that says what to do.
    pub problems: Vec<(Location, String)>,
    /// Whole-line comments with their mark.
    pub comments: Vec<Location>,
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its name, without brackets.
    pub name: Text,
    /// Its keys in order.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug)]
pub struct Entry {
    /// The key as written.
    pub key: Text,
    /// The lines of the value without the blanks around them; the first stands beside the key, and may be empty. Blank lines are left out.
    pub lines: Vec<Text>,
}

impl Ini {
    /// The section with this name; the first when it stands twice.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name.text == name)
    }

    /// The value of a key of a section.
    pub fn get(&self, section: &str, key: &str) -> Option<&Entry> {
        self.section(section)?.get(key)
    }

    /// Adds what could not be read to the facts.
    pub fn report(&self, facts: &mut Facts) {
        for (at, text) in &self.problems {
            facts.problem(ProblemKind::Unreadable, *at, text.clone());
        }
    }
}

impl Section {
    /// The value of a key; keys do not differ by case, and the last of equal keys wins.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.key.text.eq_ignore_ascii_case(key))
    }
}

impl Entry {
    /// Lines that say something.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &Text> {
        self.lines.iter().filter(|line| !line.text.is_empty())
    }

    /// The whole value, lines joined.
    pub fn value(&self) -> String {
        self.items().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The place of the whole value.
    pub fn at(&self) -> Location {
        let mut lines = self.items();
        let first = lines.next().map_or(self.key.at.at_end(), |line| line.at);
        let last = lines.next_back().map_or(first, |line| line.at);
        Location::new(first.source, first.span.to(last.span))
    }
}

/// The line without a comment that begins with `#` after a blank, for readers that know such (tox).
pub fn without_comment(line: &Text) -> Text {
    let is_comment = |(at, _): &(usize, &str)| *at == 0 || line.text[..*at].ends_with([' ', '\t']);
    let end = line.text.match_indices('#').find(is_comment).map_or(line.text.len(), |(at, _)| at);
    let text = line.text[..end].trim_end();
    Text { text: text.to_string(), at: line.at.slice(0..text.len()), verbatim: line.verbatim }
}

/// Parses `text`. Lines that are nothing of the above are problems, and the rest is read.
pub fn parse(source: SourceId, text: &str) -> Ini {
    let mut reader = Reader { source, ini: Ini::default(), indent: 0 };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let skip = if start == 0 { line.len() - line.trim_start_matches('\u{feff}').len() } else { 0 };
        reader.line(start + skip, line[skip..].trim_end());
        start += line.len();
    }
    reader.ini
}

struct Reader {
    source: SourceId,
    ini: Ini,
    /// How far the last key is indented.
    indent: usize,
}

impl Reader {
    fn line(&mut self, start: usize, line: &str) {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let piece = self.piece(start + indent, content);
        if content.is_empty() {
            return;
        }
        if content.starts_with(['#', ';']) {
            return self.ini.comments.push(piece.at);
        }
        let open = self.ini.sections.last_mut().and_then(|section| section.entries.last_mut());
        if let Some(entry) = open.filter(|_| indent > self.indent) {
            return entry.lines.push(piece);
        }
        self.indent = indent;
        let header = content.strip_prefix('[').and_then(|rest| rest.rfind(']'));
        match header {
            Some(end) if end > 0 => self.section(self.piece(start + indent + 1, &content[1..=end])),
            _ => self.entry(start + indent, content),
        }
    }

    fn section(&mut self, name: Text) {
        if let Some(first) = self.ini.section(&name.text) {
            let text = format!("the section `{}` stands twice; put its keys into the first one", first.name.text);
            self.ini.problems.push((name.at, text));
        }
        self.ini.sections.push(Section { name, entries: Vec::new() });
    }

    fn entry(&mut self, start: usize, content: &str) {
        let whole = self.piece(start, content);
        let Some(section) = self.ini.sections.last_mut() else {
            let text = "this stands before the first `[section]`; put it into one".to_string();
            return self.ini.problems.push((whole.at, text));
        };
        let split = content.find(['=', ':']);
        let Some(split) = split.filter(|&at| at > 0) else {
            let text =
                "this is neither `key = value` nor the rest of a value; add the `=`, or indent the line".to_string();
            return self.ini.problems.push((whole.at, text));
        };
        let (key, value) = (content[..split].trim_end(), content[split + 1..].trim_start());
        let part = |range: std::ops::Range<usize>| Text {
            text: content[range.clone()].to_string(),
            at: whole.at.slice(range),
            verbatim: true,
        };
        let (key, value) = (part(0..key.len()), part(content.len() - value.len()..content.len()));
        if section.entries.iter().any(|entry| entry.key.text == key.text) {
            let text = format!("the key `{}` stands twice in `[{}]`; remove one of them", key.text, section.name.text);
            self.ini.problems.push((key.at, text));
        }
        section.entries.push(Entry { key, lines: vec![value] });
    }

    fn piece(&self, start: usize, text: &str) -> Text {
        let at = Location::new(self.source, Span::new(start, start + text.len()));
        Text { text: text.to_string(), at, verbatim: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\u{feff}# top\r\n[tox]\r\nenvlist = py3{11,12}\r\n; c\r\n[testenv:ä]\ndeps =\n    pytest==8  # why\n    # not this\n\n    -r x.txt\n\
                        commands: pytest {posargs}\nempty =\n";

    #[test]
    fn sections_keys_and_lines_have_their_places() {
        let ini = parse(SourceId(0), TEXT);
        assert!(ini.problems.is_empty(), "{:?}", ini.problems);
        let deps = ini.get("testenv:ä", "deps").unwrap();
        let items: Vec<_> = deps.items().map(|line| line.text.as_str()).collect();
        assert_eq!(items, ["pytest==8  # why", "-r x.txt"]);
        for line in ini.sections.iter().flat_map(|section| &section.entries).flat_map(|entry| &entry.lines) {
            assert_eq!(&TEXT[line.at.span.range()], line.text);
        }
        assert_eq!(without_comment(&deps.lines[1]).text, "pytest==8");
        assert_eq!(ini.get("tox", "envlist").unwrap().value(), "py3{11,12}");
        assert_eq!(ini.get("testenv:ä", "commands").unwrap().value(), "pytest {posargs}");
        assert_eq!(ini.get("testenv:ä", "empty").unwrap().items().count(), 0);
        assert_eq!(ini.comments.len(), 3);
    }

    #[test]
    fn any_prefix_gives_a_tree() {
        for at in (0..TEXT.len()).filter(|&at| TEXT.is_char_boundary(at)) {
            parse(SourceId(0), &TEXT[..at]);
            parse(SourceId(0), &TEXT[at..]);
        }
    }

    #[test]
    fn what_is_no_entry_is_a_problem() {
        let ini = parse(SourceId(0), "x = 1\n[a]\nb\n= c\nd = 1\nd = 2\n[a]\n");
        assert_eq!(ini.problems.len(), 5, "{:?}", ini.problems);
        assert_eq!(ini.get("a", "d").unwrap().value(), "2");
    }
}

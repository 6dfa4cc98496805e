//! Dockerfiles as instructions whose every word knows its bytes. Knows no image and no command.
//!
//! Follows BuildKit's own reader: <https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/parser.go>. A line that is
//! no instruction is said and skipped, so that the rest of the file is still read.

pub mod scope;
pub mod words;

use crate::model::source::Source;
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::{Mapped, Text};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// `# syntax=`.
    pub syntax: Option<Text>,
    /// The escape character: `\` or a backquote.
    pub escape: char,
    /// Its instructions in order.
    pub instructions: Vec<Instruction>,
    /// Lines that could not be read.
    pub problems: Vec<(Location, String)>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// In capitals: `RUN`.
    pub keyword: String,
    /// From the keyword to the end, here-documents included.
    pub at: Location,
    /// `--name=value` words before the body.
    pub flags: Vec<Flag>,
    /// The rest: continuations joined, comments between them left out.
    pub body: Mapped,
    /// Here-documents in order.
    pub documents: Vec<Document>,
    /// It stands behind `ONBUILD` and runs in the builds of others.
    pub deferred: bool,
}

/// A flag of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Its name without dashes.
    pub name: String,
    /// Its value; empty when there is none.
    pub value: Text,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The word that ends it.
    pub name: String,
    /// Its text, the line that ends it left out.
    pub body: Mapped,
    /// Where its text and the line that ends it stand in the source.
    pub at: Location,
}

const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads a Dockerfile. Any text gives a result.
pub fn parse(source: SourceId, text: &str) -> Dockerfile {
    let file = Dockerfile { syntax: None, escape: '\\', instructions: Vec::new(), problems: Vec::new() };
    let mut reader = Reader { source, text, lines: lines(text), next: 0, file };
    reader.directives();
    while reader.next < reader.lines.len() {
        reader.instruction();
    }
    reader.file
}

/// The same for a source.
pub fn read(source: &Source) -> Dockerfile {
    parse(source.id, &source.text)
}

/// Spans of the lines without their ends.
fn lines(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        spans.push(Span::new(start, start + bare.len()));
        start += line.len();
    }
    if let Some(first) = spans.first_mut()
        && text.starts_with('\u{feff}')
    {
        first.start = '\u{feff}'.len_utf8() as u32;
    }
    spans
}

struct Reader<'t> {
    source: SourceId,
    text: &'t str,
    lines: Vec<Span>,
    next: usize,
    file: Dockerfile,
}

impl<'t> Reader<'t> {
    fn line(&self, index: usize) -> &'t str {
        &self.text[self.lines[index].range()]
    }

    fn place(&self, span: Span) -> Location {
        Location::new(self.source, span)
    }

    /// `# name=value` lines at the top; the first other line ends them.
    fn directives(&mut self) {
        for index in 0..self.lines.len() {
            let line = self.line(index);
            let Some((name, value)) = line.trim_start().strip_prefix('#').and_then(|rest| rest.split_once('=')) else {
                return;
            };
            let (name, start) =
                (name.trim().to_ascii_lowercase(), self.lines[index].end as usize - value.trim_start().len());
            let value = value.trim();
            let text =
                Text { text: value.into(), at: self.place(Span::new(start, start + value.len())), verbatim: true };
            match name.as_str() {
                "syntax" => self.file.syntax = Some(text),
                "escape" if value == "`" => self.file.escape = '`',
                "escape" | "check" => {}
                _ => return,
            }
            self.next = index + 1;
        }
    }

    fn instruction(&mut self) {
        let first = self.next;
        let line = self.line(first);
        let bare = line.trim_start();
        if bare.is_empty() || bare.starts_with('#') {
            self.next += 1;
            return;
        }
        let keyword_len = bare.find(char::is_whitespace).unwrap_or(bare.len());
        let keyword = bare[..keyword_len].to_ascii_uppercase();
        if !KEYWORDS.contains(&keyword.as_str()) {
            self.not_an_instruction(first);
            return;
        }
        let whole = self.logical_line();
        let mut start = whole.text.len() - whole.text.trim_start().len();
        let mut keyword = keyword;
        let mut deferred = false;
        // One step is enough: `ONBUILD ONBUILD` is forbidden.
        for _ in 0..2 {
            start += keyword.len();
            start += whole.text[start..].len() - whole.text[start..].trim_start().len();
            if keyword != "ONBUILD" || deferred {
                break;
            }
            deferred = true;
            let rest = &whole.text[start..];
            keyword = rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())].to_ascii_uppercase();
        }
        let (flags, start) = if takes_flags(&keyword) { words::flags(&whole, start) } else { (Vec::new(), start) };
        let end = whole.text.trim_end().len().max(start);
        let body = whole.slice(start..end);
        let documents = if takes_documents(&keyword) { self.documents(&body) } else { Vec::new() };
        let last = documents.last().map_or(whole.at.span.end, |document| document.at.span.end);
        let at = self.place(Span { start: self.lines[first].end - bare.len() as u32, end: last });
        self.file.instructions.push(Instruction { keyword, at, flags, body, documents, deferred });
    }

    /// Says so once for a run of such lines.
    fn not_an_instruction(&mut self, index: usize) {
        let span = self.lines[index];
        self.next = index + 1;
        match self.file.problems.last_mut() {
            Some((last, _)) if index > 0 && last.span.end == self.lines[index - 1].end => last.span.end = span.end,
            _ => {
                let at = self.place(span);
                self.file.problems.push((at, "this line is no Dockerfile instruction and was skipped".into()));
            }
        }
    }

    /// The lines from `next` that continuations join, as one text.
    fn logical_line(&mut self) -> Mapped {
        let start = self.lines[self.next];
        let mut joined = Mapped::opaque("", self.place(start));
        let mut first = true;
        while self.next < self.lines.len() {
            let span = self.lines[self.next];
            let line = self.line(self.next);
            let bare = line.trim();
            self.next += 1;
            if !first && (bare.is_empty() || bare.starts_with('#')) {
                continue;
            }
            first = false;
            let kept = self.continued(line);
            joined.push(kept.unwrap_or(line), span.start as usize);
            joined.at.span.end = span.end;
            if kept.is_none() {
                break;
            }
        }
        joined
    }

    /// The line without its escape at the end, when it has one that is not itself escaped.
    fn continued<'l>(&self, line: &'l str) -> Option<&'l str> {
        let kept = line.trim_end_matches([' ', '\t']).strip_suffix(self.file.escape)?;
        (!kept.ends_with('\\')).then_some(kept)
    }

    /// The here-documents that a body announces. One without an end is none.
    fn documents(&mut self, body: &Mapped) -> Vec<Document> {
        let mut documents = Vec::new();
        for (name, strip) in words::here_documents(&body.text) {
            let ends = |line: &str| line == name || strip && line.trim_start_matches('\t') == name;
            let Some(last) = (self.next..self.lines.len()).find(|index| ends(self.line(*index))) else {
                self.file.problems.push((body.at, format!("the here-document has no line `{name}` that ends it")));
                break;
            };
            let start = self.lines[self.next].start;
            let (end, stop) = (self.lines[last].start, self.lines[last].end);
            let inner = Mapped::verbatim(&self.text[start as usize..end as usize], self.source, start as usize);
            documents.push(Document { name, body: inner, at: self.place(Span { start, end: stop }) });
            self.next = last + 1;
        }
        documents
    }
}

fn takes_flags(keyword: &str) -> bool {
    matches!(keyword, "ADD" | "COPY" | "FROM" | "RUN" | "HEALTHCHECK")
}

fn takes_documents(keyword: &str) -> bool {
    matches!(keyword, "ADD" | "COPY" | "RUN")
}

impl Instruction {
    /// The value of a flag.
    pub fn flag(&self, name: &str) -> Option<&Text> {
        self.flags.iter().find(|flag| flag.name == name).map(|flag| &flag.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Dockerfile {
        parse(SourceId(0), text)
    }

    #[test]
    fn instructions_have_flags_and_bodies() {
        let text = "# syntax=docker/dockerfile:1\n\n# c\nfrom --platform=$B python:3 AS x\r\nRUN --mount=type=cache,target=/c a \\\n  # c\n\n  b\nCMD [\"x\"]";
        let file = read(text);
        assert_eq!(file.syntax.as_ref().map(|text| text.text.as_str()), Some("docker/dockerfile:1"));
        let got: Vec<_> = file.instructions.iter().map(|i| (i.keyword.as_str(), i.body.text.as_str())).collect();
        assert_eq!(got, [("FROM", "python:3 AS x"), ("RUN", "a   b"), ("CMD", "[\"x\"]")]);
        assert_eq!(file.instructions[0].flag("platform").map(|text| text.text.as_str()), Some("$B"));
        assert_eq!(file.instructions[1].flag("mount").map(|text| text.text.as_str()), Some("type=cache,target=/c"));
        let run = &file.instructions[1].body;
        for (offset, want) in [(0, "a"), (4, "b")] {
            let (at, verbatim) = run.place(offset..offset + 1);
            assert_eq!((&text[at.span.range()], verbatim), (want, true));
        }
        assert!(file.problems.is_empty());
    }

    #[test]
    fn here_documents_end_at_their_word() {
        let text = "RUN <<EOF\npip install x\nFROM no\nEOF\nCOPY <<-\"A\" <<B /x/\n1\n\tA\n2\nB\nFROM a\n";
        let file = read(text);
        let got: Vec<_> = file.instructions.iter().map(|i| (i.keyword.as_str(), i.documents.len())).collect();
        assert_eq!(got, [("RUN", 1), ("COPY", 2), ("FROM", 0)]);
        assert_eq!(file.instructions[0].documents[0].body.text, "pip install x\nFROM no\n");
        assert_eq!(file.instructions[1].documents[1].body.text, "2\n");
    }

    #[test]
    fn a_broken_line_does_not_lose_the_rest() {
        let file = read("FROM a\nwhat is\nthis\nRUN <<EOF\nx\nFROM b\nONBUILD COPY --from=q a b\n");
        let got: Vec<_> = file.instructions.iter().map(|i| i.keyword.as_str()).collect();
        assert_eq!(got, ["FROM", "RUN", "FROM", "COPY"]);
        assert_eq!(file.problems.len(), 2, "{:?}", file.problems);
        assert!(file.instructions[3].deferred);
    }

    #[test]
    fn the_escape_can_be_a_backquote() {
        let file = read("# escape=`\nFROM w\nRUN a `\n b C:\\\nCMD x\n");
        assert_eq!(file.instructions[1].body.text, "a  b C:\\");
        assert_eq!(file.instructions.len(), 3);
    }

    #[test]
    fn any_truncation_is_read() {
        let text = "\u{feff}# escape=`\nFROM ä AS b\nARG A=\"x\\\"y\" B='z'\nRUN --mount=from=\"a b\" <<E\nü\nE\nSHELL [\"a\", \"\\u0041\"]\nENV a b=c\n";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let file = read(&text[..end]);
            for instruction in &file.instructions {
                words::pairs(&instruction.body);
                words::array(&instruction.body);
            }
        }
    }
}

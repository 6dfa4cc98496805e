//! HCL to a [`Tree`]: blocks are mappings by their labels, attributes are values. Knows no format and computes nothing.
//!
//! <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md>. A quoted text keeps its `${…}`; an expression that is neither a text, a
//! list nor an object is a scalar with its source text. What breaks keeps what was read before it. Blocks of one kind stand one after the
//! other under equal keys: walk them with `entries`.

use super::tree::{Builder, MAX_DEPTH, Quotes, Style, Tree};
use crate::model::span::{SourceId, Span};
use std::borrow::Cow;

/// Parses `text`.
pub fn parse(source: SourceId, text: &str) -> Tree<'_> {
    let mut builder = Builder::new(source, text);
    builder.unique_keys = false;
    let mut parser = Parser { text, at: text.len() - text.trim_start_matches('\u{feff}').len(), builder };
    parser.builder.open(true, Span::empty(parser.at), 0, Span::empty(0));
    if let Err(what) = parser.body(0) {
        let at = Span::empty(parser.at.min(text.len()));
        let what = format!("this is not valid HCL: {what}; correct it, since what follows was not read");
        parser.builder.problem(at, what);
    }
    parser.builder.close_all();
    parser.builder.finish()
}

struct Parser<'s> {
    text: &'s str,
    at: usize,
    builder: Builder<'s>,
}

type Broken = Result<(), &'static str>;

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            let len = if rest.starts_with('#') || rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some(inner) = rest.strip_prefix("/*") {
                inner.find("*/").map_or(rest.len(), |end| end + 4)
            } else {
                return;
            };
            self.builder.comment(Span::new(self.at, self.at + rest[..len].trim_end().len()));
            self.at += len;
        }
    }

    /// Attributes and blocks up to the end of the text, or up to the `}` of a block.
    fn body(&mut self, depth: usize) -> Broken {
        if depth > MAX_DEPTH / 4 {
            return Err("blocks nest too deep here");
        }
        loop {
            self.skip_blanks();
            match self.rest().chars().next() {
                None if depth == 0 => return Ok(()),
                None => return Err("it ends before every bracket is closed"),
                Some('}') if depth > 0 => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => self.entry(depth)?,
            }
        }
    }

    fn entry(&mut self, depth: usize) -> Broken {
        self.word()?;
        let mut labels = 0;
        loop {
            self.skip_blanks();
            let rest = self.rest();
            if rest.starts_with('=') && labels == 0 {
                self.at += 1;
                return self.value(depth);
            }
            // The key that was read last, or its label, now holds a mapping.
            self.builder.open(true, Span::empty(self.at), 0, Span::empty(0));
            if rest.starts_with('{') {
                self.at += 1;
                let read = self.body(depth + 1);
                for _ in 0..=labels {
                    self.builder.close(Some(self.at));
                }
                return read;
            }
            labels += 1;
            if labels > 4 {
                return Err("a block has too many labels");
            }
            if rest.starts_with('"') { self.quoted()? } else { self.word()? }
        }
    }

    fn word(&mut self) -> Broken {
        let rest = self.rest();
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if len == 0 {
            return Err("a name is expected here");
        }
        self.builder.scalar(
            Span::new(self.at, self.at + len),
            Quotes::NONE,
            Style::Plain,
            rest[..len].into(),
            0,
            Span::empty(0),
        );
        self.at += len;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Broken {
        if depth > MAX_DEPTH / 4 {
            return Err("values nest too deep here");
        }
        self.skip_blanks();
        let rest = self.rest();
        match rest.chars().next() {
            Some('"') if self.is_alone() => self.quoted(),
            Some('[') if !starts_loop(&rest[1..]) => self.list(depth),
            Some('{') if !starts_loop(&rest[1..]) => self.object(depth),
            Some('<') if rest.starts_with("<<") => self.heredoc(),
            Some(_) => self.raw(),
            None => Err("a value is expected here"),
        }
    }

    /// Whether the quoted text that begins here is the whole value.
    fn is_alone(&self) -> bool {
        let Some(end) = quoted_end(self.text, self.at) else { return true };
        let behind = self.text[end..].trim_start_matches([' ', '\t']);
        behind.is_empty()
            || behind.starts_with([',', ']', '}', ')', '\n', '\r', '#', '=', ':']) && !behind.starts_with("==")
            || behind.starts_with("//")
    }

    fn quoted(&mut self) -> Broken {
        let end = quoted_end(self.text, self.at).ok_or("this text has no closing quote")?;
        let raw = &self.text[self.at + 1..end - 1];
        let text: Cow<'_, str> = if raw.contains('\\') { unescape(raw).into() } else { raw.into() };
        self.builder.scalar(Span::new(self.at, end), Quotes::ONE, Style::Quoted, text, 0, Span::empty(0));
        self.at = end;
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Broken {
        self.builder.open(false, Span::new(self.at, self.at + 1), 0, Span::empty(0));
        self.at += 1;
        loop {
            self.skip_blanks();
            match self.rest().chars().next() {
                Some(']') => {
                    self.at += 1;
                    self.builder.close(Some(self.at));
                    return Ok(());
                }
                Some(',') => self.at += 1,
                Some(_) => self.value(depth + 1)?,
                None => return Err("it ends before every bracket is closed"),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Broken {
        self.builder.open(true, Span::new(self.at, self.at + 1), 0, Span::empty(0));
        self.at += 1;
        loop {
            self.skip_blanks();
            match self.rest().chars().next() {
                Some('}') => {
                    self.at += 1;
                    self.builder.close(Some(self.at));
                    return Ok(());
                }
                Some(',') => self.at += 1,
                Some(first) => {
                    if first == '"' {
                        self.quoted()?
                    } else {
                        self.word()?
                    }
                    self.skip_blanks();
                    if !self.rest().starts_with(['=', ':']) {
                        return Err("a `=` is expected after this key");
                    }
                    self.at += 1;
                    self.value(depth + 1)?;
                }
                None => return Err("it ends before every bracket is closed"),
            }
        }
    }

    /// `<<END` up to a line with `END` alone.
    fn heredoc(&mut self) -> Broken {
        let rest = self.rest();
        let line = rest.find('\n').ok_or("a here-document has no end")?;
        let mark = rest[2..line].trim().trim_start_matches('-').trim();
        let start = self.at + line + 1;
        let mut end = start;
        for one in self.text[start..].split_inclusive('\n') {
            if one.trim() == mark {
                self.builder.scalar(
                    Span::new(start, end),
                    Quotes::NONE,
                    Style::Quoted,
                    self.text[start..end].into(),
                    0,
                    Span::empty(0),
                );
                self.at = end + one.trim_end().len();
                return Ok(());
            }
            end += one.len();
        }
        Err("a here-document has no end")
    }

    /// An expression: up to the end of its line, or of what it stands in.
    fn raw(&mut self) -> Broken {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let (mut at, mut open) = (start, 0usize);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    at = quoted_end(self.text, at).ok_or("this text has no closing quote")?;
                    continue;
                }
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' if open > 0 => open -= 1,
                b'\n' | b',' | b']' | b'}' | b')' | b'#' if open == 0 => break,
                _ => {}
            }
            at += 1;
        }
        let text = self.text[start..at].trim_end();
        if text.is_empty() {
            return Err("a value is expected here");
        }
        self.builder.scalar(
            Span::new(start, start + text.len()),
            Quotes::NONE,
            Style::Plain,
            text.into(),
            0,
            Span::empty(0),
        );
        self.at = at;
        Ok(())
    }
}

/// `[for x in y : z]`.
fn starts_loop(inner: &str) -> bool {
    inner.trim_start().strip_prefix("for").is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// Behind the closing quote of the text that begins at `start`; quotes inside of `${…}` belong to it.
fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut inner) = (start + 1, 0usize, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'$' | b'%' if bytes.get(at + 1) == Some(&b'{') && !inner => {
                depth += 1;
                at += 1;
            }
            b'"' if depth == 0 => return Some(at + 1),
            b'"' => inner = !inner,
            b'{' if depth > 0 && !inner => depth += 1,
            b'}' if depth > 0 && !inner => depth -= 1,
            b'\n' if depth == 0 => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::tree::Node;

    const TEXT: &str = "# top\nvariable \"TAG\" { default = \"1.2\" }\ntarget \"app\" {\n  context = \".\"\n  args = { A = \"${TAG}-x\", \"B\" : 2 }\n  \
                        tags = [\"a:${TAG == \"\" ? \"x\" : TAG}\", // one\n    \"b\",\n  ]\n  out = notequal(\"\", TAG) ? [\"y\"] : []\n  \
                        inline = <<EOT\nFROM x\nEOT\n}\ntarget \"web\" {}\n";

    #[test]
    fn blocks_attributes_and_texts_are_read() {
        let tree = parse(SourceId(0), TEXT);
        assert!(tree.problems.is_empty(), "{:?}", tree.problems);
        let root = tree.root().expect("a body");
        let names: Vec<_> = root.entries().map(|(key, _)| key.str().unwrap_or("")).collect();
        assert_eq!(names, ["variable", "target", "target"]);
        let target = root.entries().nth(1).expect("a target").1.get("app").expect("its label");
        assert_eq!(target.path(&["args", "A"]).and_then(Node::str), Some("${TAG}-x"));
        assert_eq!(target.path(&["args", "B"]).and_then(Node::str), Some("2"));
        let tags: Vec<_> = target.get("tags").expect("a list").items().filter_map(Node::str).collect();
        assert_eq!(tags, ["a:${TAG == \"\" ? \"x\" : TAG}", "b"]);
        assert_eq!(target.get("out").and_then(Node::str), Some("notequal(\"\", TAG) ? [\"y\"] : []"));
        assert_eq!(target.get("inline").and_then(Node::str), Some("FROM x\n"));
        let at = target.get("context").expect("a text").at();
        assert_eq!(tree.slice(at), ".");
    }

    #[test]
    fn any_text_gives_a_tree() {
        for end in 0..TEXT.len() {
            parse(SourceId(0), &TEXT[..end]);
        }
        for text in ["a", "a =", "a = [", "{", "\"", "a \"b", "a = <<X\ny", "a = \"${", "}", "a b c d e f {"] {
            assert!(!parse(SourceId(0), text).problems.is_empty(), "{text}");
        }
        parse(SourceId(0), &"a {".repeat(10_000));
        parse(SourceId(0), &format!("a = {}", "[".repeat(10_000)));
    }
}

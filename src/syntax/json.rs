//! JSON with comments, trailing commas and the spellings of JSON5 to a [`Tree`]. Knows no format.
//!
//! Lenient: what some reader of such files accepts is no problem. What breaks keeps what was read before it.

use super::tree::{Builder, MAX_DEPTH, Quotes, Style, Tree, looks_like_template};
use crate::model::span::{Location, SourceId, Span};

/// Parses `text` (JSON, JSONC, JSON5).
pub fn parse(source: SourceId, text: &str) -> Tree<'_> {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut parser = Parser { text, at: start, maps: Vec::new(), builder: Builder::new(source, text) };
    let broken = parser.run();
    if let Some((span, what)) = broken {
        parser
            .builder
            .problem(span, format!("this is not valid JSON: {what}; correct it, since what follows was not read"));
    }
    let mut tree = parser.builder.finish();
    if let Some(at) = looks_like_template(text).filter(|_| broken.is_some()) {
        tree.template = Some(Location::new(source, Span::new(at, at + 2)));
    }
    tree
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// After `[` or a comma in a list.
    ValueOrEnd,
    /// After `{` or a comma in an object.
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

type Broken = (Span, &'static str);

struct Parser<'s> {
    text: &'s str,
    at: usize,
    /// For each open collection, whether it is an object.
    maps: Vec<bool>,
    builder: Builder<'s>,
}

impl Parser<'_> {
    fn run(&mut self) -> Option<Broken> {
        let mut next = Next::Value;
        loop {
            if let Some(broken) = self.skip_blanks() {
                return Some(broken);
            }
            let Some(first) = self.text[self.at..].chars().next() else {
                let end = Span::empty(self.text.len());
                let open = !self.maps.is_empty();
                return open.then_some((end, "it ends before every bracket is closed"));
            };
            match self.step(next, first) {
                Ok(then) => next = then,
                Err(what) => return Some((Span::new(self.at, self.at + first.len_utf8()), what)),
            }
        }
    }

    fn step(&mut self, next: Next, first: char) -> Result<Next, &'static str> {
        match (next, first) {
            (Next::Value | Next::ValueOrEnd, '{') => self.open(true),
            (Next::Value | Next::ValueOrEnd, '[') => self.open(false),
            (Next::ValueOrEnd | Next::CommaOrEnd, ']') if self.maps.last() == Some(&false) => Ok(self.close()),
            (Next::KeyOrEnd | Next::CommaOrEnd, '}') if self.maps.last() == Some(&true) => Ok(self.close()),
            (Next::Colon, ':') => {
                self.at += 1;
                Ok(Next::Value)
            }
            (Next::CommaOrEnd, ',') => {
                self.at += 1;
                Ok(if self.maps.last() == Some(&true) { Next::KeyOrEnd } else { Next::ValueOrEnd })
            }
            (Next::KeyOrEnd, _) => self.scalar(first).map(|()| Next::Colon),
            (Next::Value | Next::ValueOrEnd, _) => self.scalar(first).map(|()| self.after_value()),
            (Next::Colon, _) => Err("a `:` is expected after this key"),
            (Next::CommaOrEnd, _) => Err("a `,` or a closing bracket is expected here"),
            (Next::Nothing, _) => Err("there is more after the end of the value"),
        }
    }

    fn after_value(&self) -> Next {
        if self.maps.is_empty() { Next::Nothing } else { Next::CommaOrEnd }
    }

    fn open(&mut self, is_map: bool) -> Result<Next, &'static str> {
        if self.maps.len() >= MAX_DEPTH {
            return Err("values nest deeper than 255 levels here");
        }
        self.builder.open(is_map, Span::new(self.at, self.at + 1), 0, Span::empty(0));
        self.maps.push(is_map);
        self.at += 1;
        Ok(if is_map { Next::KeyOrEnd } else { Next::ValueOrEnd })
    }

    fn close(&mut self) -> Next {
        self.at += 1;
        self.maps.pop();
        self.builder.close(Some(self.at));
        self.after_value()
    }

    fn scalar(&mut self, first: char) -> Result<(), &'static str> {
        if first == '"' || first == '\'' {
            return self.string(first as u8);
        }
        let rest = &self.text[self.at..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '+' | '.');
        let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if len == 0 {
            return Err("a value is expected here");
        }
        let span = Span::new(self.at, self.at + len);
        let (word, none) = (&rest[..len], Span::empty(0));
        if word == "null" && !self.builder.at_key() {
            self.builder.null(span, 0, none);
        } else {
            self.builder.scalar(span, Quotes::NONE, Style::Plain, word.into(), 0, none);
        }
        self.at += len;
        Ok(())
    }

    fn string(&mut self, quote: u8) -> Result<(), &'static str> {
        let (bytes, start) = (self.text.as_bytes(), self.at + 1);
        let mut end = start;
        loop {
            match bytes.get(end) {
                None | Some(b'\n') => return Err("this text has no closing quote on its line"),
                Some(&byte) if byte == quote => break,
                // An escaped line end goes on (JSON5); a character of several bytes has none below 0x80.
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        let raw = &self.text[start..end];
        let text = if raw.contains('\\') { unescape(raw).into() } else { raw.into() };
        self.builder.scalar(Span::new(self.at, end + 1), Quotes::ONE, Style::Quoted, text, 0, Span::empty(0));
        self.at = end + 1;
        Ok(())
    }

    fn skip_blanks(&mut self) -> Option<Broken> {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start().len();
            let rest = &self.text[self.at..];
            let len = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some(inner) = rest.strip_prefix("/*") {
                let Some(end) = inner.find("*/") else {
                    return Some((Span::new(self.at, self.at + 2), "this comment is not closed"));
                };
                end + 4
            } else {
                return None;
            };
            self.builder.comment(Span::new(self.at, self.at + rest[..len].trim_end().len()));
            self.at += len;
        }
    }
}

/// Escapes of JSON and JSON5; one that is not known stands for its character, as in JSON5.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(kind) = rest.chars().next() else { break };
        rest = &rest[kind.len_utf8()..];
        match kind {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            '\n' => {}
            'u' => {
                let (found, used) = code_point(rest);
                text.push(found);
                rest = &rest[used..];
            }
            other => text.push(other),
        }
    }
    text.push_str(rest);
    text
}

/// The character of `XXXX` or `XXXX\uXXXX` (a surrogate pair), and how many bytes it took.
fn code_point(rest: &str) -> (char, usize) {
    let unit = |at: usize| rest.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(high) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 0) };
    let low = if rest.get(4..6) == Some("\\u") { unit(6) } else { None };
    if let (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) = (high, low) {
        let both = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\u{feff}// top\r\n{\n  \"a\": [1, -2.5, true, null,], /* b */ 'c': \"\\u00e4\\ud83d\\ude00\\n/\",\n  d: {\"ü\": \"ß\"}, // end\n}\n";

    #[test]
    fn every_value_slices_to_its_text() {
        let tree = parse(SourceId(0), TEXT);
        assert!(tree.problems.is_empty(), "{:?}", tree.problems);
        let root = tree.root().unwrap();
        let items: Vec<_> = root.get("a").unwrap().items().map(|item| item.str()).collect();
        assert_eq!(items, [Some("1"), Some("-2.5"), Some("true"), None]);
        assert_eq!(root.get("c").unwrap().str(), Some("ä😀\n/"));
        let inner = root.path(&["d", "ü"]).unwrap();
        assert_eq!((tree.slice(inner.at()), tree.slice(inner.whole())), ("ß", "\"ß\""));
        assert_eq!(tree.slice(root.get("d").unwrap().whole()), "{\"ü\": \"ß\"}");
        assert_eq!(root.get("d").unwrap().comment().unwrap().text, "// end");
        let comments: Vec<_> = tree.comments.iter().map(|at| tree.slice(*at)).collect();
        assert_eq!(comments, ["// top", "/* b */", "// end"]);
    }

    #[test]
    fn any_prefix_and_any_hole_gives_a_tree() {
        for at in (0..TEXT.len()).filter(|&at| TEXT.is_char_boundary(at)) {
            for text in [TEXT[..at].to_string(), TEXT[at..].to_string(), format!("{}\\\"{}", &TEXT[..at], &TEXT[at..])]
            {
                let tree = parse(SourceId(0), &text);
                assert!(tree.problems.iter().all(|(at, _)| text.get(at.span.range()).is_some()), "{text:?}");
            }
        }
    }

    #[test]
    fn what_breaks_keeps_what_was_before() {
        let tree = parse(SourceId(0), "{\"a\": 1, \"b\" 2, \"c\": 3}");
        assert_eq!(tree.root().unwrap().get("a").and_then(|node| node.str()), Some("1"));
        assert_eq!(tree.problems.len(), 1);
        assert!(parse(SourceId(0), "{{cookiecutter.x}}").template.is_some());
    }

    #[test]
    fn duplicates_and_deep_nesting_are_problems() {
        assert!(parse(SourceId(0), "{\"a\": 1, \"a\": 2}").problems[0].1.contains("stands twice"));
        assert!(parse(SourceId(0), &"[".repeat(100_000)).problems[0].1.contains("deeper than 255"));
        assert!(parse(SourceId(0), &"{\"a\":".repeat(100_000)).problems[0].1.contains("deeper than 255"));
    }
}

//! TOML to a [`Tree`], over the recovering parser of the `toml` crate. Knows no format.
//!
//! Keys and tables come in the order of the text. Numbers, dates and truth values are plain scalars that read as written.

mod stream;

use super::tree::{Builder, Quotes, Style, Tree, looks_like_template};
use crate::model::span::{Location, SourceId, Span};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many parts a dotted key may have; the parser nests a table for each.
const MAX_DOTS: usize = 128;

/// Parses `text`; what does not parse is a problem, and the rest is read.
pub fn parse(source: SourceId, text: &str) -> Tree<'_> {
    stream::parse(source, text).unwrap_or_else(|| parse_with_mistakes(source, text))
}

fn parse_with_mistakes(source: SourceId, text: &str) -> Tree<'_> {
    let mut builder = Builder::new(source, text);
    // The parser itself reports keys that stand twice.
    builder.unique_keys = false;
    let skip = text.len() - text.trim_start_matches('\u{feff}').len();
    if let Some(at) = endless_key(text) {
        builder
            .problem(Span::empty(at), format!("a dotted key has more than {MAX_DOTS} parts; this file was not read"));
        return builder.finish();
    }
    let (table, errors) = DeTable::parse_recoverable(&text[skip..]);
    let mut reader = Reader { text, skip, strings: Vec::new(), builder };
    reader.read(&table);
    let mut told = None;
    for error in &errors {
        let at = error.span().map_or(Span::empty(skip), |span| reader.span(span));
        // What follows on one line follows from the first mistake on it.
        let line = memchr::memrchr(b'\n', &text.as_bytes()[..at.start as usize]);
        if told.replace(line) == Some(line) {
            continue;
        }
        let text = format!(
            "this is not valid TOML: {}; correct it",
            error.message().trim_end_matches('.').replace('\n', ", ")
        );
        reader.builder.problem(at, text);
    }
    reader.comments();
    let mut tree = reader.builder.finish();
    if let Some(at) = looks_like_template(text).filter(|_| !errors.is_empty()) {
        tree.template = Some(Location::new(source, Span::new(at, at + 2)));
    }
    tree
}

/// Where a line begins that has too many dots to be a key (and is no text with dots: those stand in quotes).
fn endless_key(text: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let key = line.split(['=', '"', '\'', '#']).next().unwrap_or("");
        if key.len() > MAX_DOTS && key.bytes().filter(|&byte| byte == b'.').count() > MAX_DOTS {
            return Some(start);
        }
        start += line.len();
    }
    None
}

struct Reader<'s> {
    text: &'s str,
    /// Bytes before the parsed text: a byte order mark.
    skip: usize,
    /// Spans of strings, in which `#` begins no comment.
    strings: Vec<Span>,
    builder: Builder<'s>,
}

/// What is still to be read, last first.
enum Todo<'a, 'i> {
    Key(&'a Spanned<Cow<'i, str>>),
    Value(&'a Spanned<DeValue<'i>>),
    Close,
}

impl Reader<'_> {
    fn read(&mut self, table: &Spanned<DeTable<'_>>) {
        self.builder.open(true, self.span(table.span()), 0, Span::empty(0));
        let mut todo = vec![Todo::Close];
        push_entries(&mut todo, table.get_ref());
        while let Some(next) = todo.pop() {
            match next {
                Todo::Close => self.builder.close(None),
                Todo::Key(key) => self.string(key.span(), key.get_ref()),
                Todo::Value(value) => self.value(value, &mut todo),
            }
        }
    }

    fn value<'a, 'i>(&mut self, value: &'a Spanned<DeValue<'i>>, todo: &mut Vec<Todo<'a, 'i>>) {
        let span = self.span(value.span());
        match value.get_ref() {
            DeValue::String(text) => self.string(value.span(), text),
            DeValue::Array(items) => {
                self.builder.open(false, span, 0, Span::empty(0));
                todo.push(Todo::Close);
                todo.extend(items.iter().rev().map(Todo::Value));
            }
            DeValue::Table(table) => {
                self.builder.open(true, span, 0, Span::empty(0));
                todo.push(Todo::Close);
                push_entries(todo, table);
            }
            _ => {
                let word = self.text.get(span.range()).unwrap_or("").to_string();
                self.builder.scalar(span, Quotes::NONE, Style::Plain, word.into(), 0, Span::empty(0));
            }
        }
    }

    fn string(&mut self, span: Range<usize>, text: &str) {
        let span = self.span(span);
        let raw = self.text.get(span.range()).unwrap_or("");
        let quotes = quotes(raw);
        let style = if quotes.before == 0 { Style::Plain } else { Style::Quoted };
        if style == Style::Quoted {
            self.strings.push(span);
        }
        self.builder.scalar(span, quotes, style, text.into(), 0, Span::empty(0));
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new((range.start + self.skip).min(self.text.len()), (range.end + self.skip).min(self.text.len()))
    }

    /// Every `#` outside of strings begins a comment.
    fn comments(&mut self) {
        self.strings.sort();
        let bytes = self.text.as_bytes();
        let (mut at, mut strings) = (0, self.strings.iter().peekable());
        while let Some(found) = memchr::memchr(b'#', &bytes[at..]) {
            at += found;
            while strings.next_if(|string| string.end as usize <= at).is_some() {}
            if let Some(string) = strings.peek().filter(|string| string.start as usize <= at) {
                at = string.end as usize;
                continue;
            }
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found);
            let line = self.text[at..end].trim_end_matches('\r');
            self.builder.comment(Span::new(at, at + line.len()));
            at = end;
        }
    }
}

/// How much of a raw string is quotes: none, one, or three and a line end that does not count.
fn quotes(raw: &str) -> Quotes {
    let three = raw.len() >= 6 && (raw.starts_with("\"\"\"") || raw.starts_with("'''"));
    if three {
        let newline = if raw[3..].starts_with("\r\n") { 2 } else { usize::from(raw[3..].starts_with('\n')) };
        return Quotes { before: 3 + newline, after: 3 };
    }
    if raw.len() >= 2 && raw.starts_with(['"', '\'']) { Quotes::ONE } else { Quotes::NONE }
}

fn push_entries<'a, 'i>(todo: &mut Vec<Todo<'a, 'i>>, table: &'a DeTable<'i>) {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| std::cmp::Reverse(key.span().start));
    for (key, value) in entries {
        todo.push(Todo::Value(value));
        todo.push(Todo::Key(key));
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read the fixtures")]
mod tests {
    use super::*;
    use std::path::Path;

    const TEXT: &str = "\u{feff}# top\nb = \"x # no\" # yes\n[a.'q']\nlist = [ # in\n  \"one\", 'two',\n]\ntext = \"\"\"\nä\n\"\"\"\n\
                        e = \"\\u00e4\"\nn = 1_000\nd = 2024-01-01\n[[t]]\nx = true\n[[t]]\nx = {y = 1}\n";

    #[test]
    fn every_value_slices_to_its_text() {
        let tree = parse(SourceId(0), TEXT);
        assert!(tree.problems.is_empty(), "{:?}", tree.problems);
        let root = tree.root().unwrap();
        let keys: Vec<_> = root.entries().map(|(key, _)| key.str().unwrap()).collect();
        assert_eq!(keys, ["b", "a", "t"]);
        let q = root.path(&["a", "q"]).unwrap();
        for (key, want) in [("text", "ä\n"), ("n", "1_000"), ("d", "2024-01-01")] {
            let text = q.get(key).unwrap().text().unwrap();
            assert_eq!((text.text.as_str(), tree.slice(text.at), text.verbatim), (want, want, true));
        }
        assert_eq!(q.get("e").unwrap().text().map(|text| (text.text, text.verbatim)), Some(("ä".into(), false)));
        let list: Vec<_> = q.get("list").unwrap().items().map(|item| tree.slice(item.at())).collect();
        assert_eq!(list, ["one", "two"]);
        assert_eq!(root.get("t").unwrap().items().count(), 2);
        assert_eq!(root.get("b").unwrap().comment().unwrap().text, "# yes");
        let comments: Vec<_> = tree.comments.iter().map(|at| tree.slice(*at)).collect();
        assert_eq!(comments, ["# top", "# yes", "# in"]);
    }

    #[test]
    fn any_prefix_and_any_hole_gives_a_tree() {
        for at in (0..TEXT.len()).filter(|&at| TEXT.is_char_boundary(at)) {
            for text in [TEXT[..at].to_string(), TEXT[at..].to_string(), format!("{}[\"{}", &TEXT[..at], &TEXT[at..])] {
                let tree = parse(SourceId(0), &text);
                assert!(tree.problems.iter().all(|(at, _)| text.get(at.span.range()).is_some()), "{text:?}");
            }
        }
    }

    /// Every node with its places, as text.
    fn shown(tree: &Tree) -> String {
        let mut out = String::new();
        let mut todo: Vec<super::super::tree::Node> = tree.root().into_iter().collect();
        while let Some(node) = todo.pop() {
            out += &format!(
                "{:?} {:?} {:?} {:?}\n",
                node.at(),
                node.str(),
                node.is_map(),
                node.comment().map(|text| text.text)
            );
            let entries = node.entries().flat_map(|(key, value)| [value, key]);
            todo.extend(entries.chain(node.items()));
        }
        out + &format!("{:?} {:?}", tree.comments, tree.template)
    }

    #[test]
    fn the_quick_way_reads_the_same() {
        let tables = "a = 1 # one\n\n[[p]]\nname = \"x\"\nfiles = [\n  { u = \"a\", h = 'b' }, # two\n  {},\n]\n[p.m]\nk = 2024-01-01T00:00:00Z\n\
                      [[p.m.l]]\nq = 1\n[[p.m.l]]\nq = 2\n[[p]]\nname = \"\\u00e4\"\n[t.\"u.v\"]\r\nw = \"\"\"\n[no]\n\"\"\"\n[t.x]\n[z]\n";
        for text in [tables.to_string(), format!("\u{feff}{tables}"), String::new(), "# only".into(), "a = []".into()] {
            let quick = stream::parse(SourceId(0), &text).expect("nothing is odd in it");
            assert_eq!(shown(&quick), shown(&parse_with_mistakes(SourceId(0), &text)), "{text}");
        }
        for (at, _) in tables.char_indices() {
            for text in [&tables[..at], &tables[at..]] {
                let quick = stream::parse(SourceId(0), text);
                let whole = parse_with_mistakes(SourceId(0), text);
                if let Some(quick) = quick {
                    assert_eq!((shown(&quick), 0), (shown(&whole), whole.problems.len()), "{text:?}");
                }
            }
        }
    }

    /// Every TOML text below a folder.
    fn texts(folder: &Path, found: &mut Vec<String>) {
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let is_toml = [".toml", "uv.lock", "poetry.lock"].iter().any(|end| path.to_string_lossy().ends_with(end));
            match path.is_dir() {
                true if !path.is_symlink() => texts(&path, found),
                false if is_toml => found.extend(std::fs::read_to_string(&path)),
                _ => {}
            }
        }
    }

    #[test]
    fn mutated_texts_are_read_the_same_or_left_to_the_whole_parser() {
        const PIECES: [&str; 34] = [
            " ",
            "\n",
            "=",
            " = ",
            "[",
            "]",
            "[[",
            "]]",
            "{",
            "}",
            ",",
            ".",
            "\"",
            "'",
            "\"\"\"",
            "'''",
            "#",
            "\\",
            "\\n",
            "\\u00e4",
            "\t",
            "\r\n",
            "1",
            "0",
            "-1",
            "1.5",
            "inf",
            "true",
            "2024-01-01",
            "T00:00:00Z",
            "[a]\n",
            "[[a]]\n",
            "a.b = 1\n",
            "é",
        ];
        let mut all = Vec::new();
        texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut all);
        let (mut state, mut read) = (0x9e37_79b9_7f4a_7c15_u64, 0);
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) as usize % limit.max(1)
        };
        for _ in 0..10_000 {
            let lines: Vec<&str> = all[below(all.len())].split_inclusive('\n').collect();
            let from = below(lines.len()) * below(2);
            let mut text: String = lines[from..].iter().take(1 + below(25)).copied().collect();
            for _ in 0..below(4) {
                let at = below(text.len() + 1);
                let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap();
                match below(4) {
                    0 => text.truncate(at),
                    1 => text = text[..at].chars().chain(text[at..].chars().skip(1)).collect(),
                    _ => text.insert_str(at, PIECES[below(PIECES.len())]),
                }
            }
            let Some(quick) = stream::parse(SourceId(0), &text) else { continue };
            let whole = parse_with_mistakes(SourceId(0), &text);
            assert_eq!((shown(&quick), 0), (shown(&whole), whole.problems.len()), "{text:?}");
            read += 1;
        }
        assert!(read > 2_000, "only {read} texts were read in one pass");
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_left_to_the_whole_parser() {
        for text in [
            "a.b = 1",
            "a = 1\na = 2",
            "[a]\n[b]\n[a.c]",
            "[a]\n[a]",
            "[a.b]\n[a]",
            "[a]\n[[a]]",
            "a = {b.c = 1}",
            "a = ",
            "[a",
            "a = ]",
        ] {
            assert!(stream::parse(SourceId(0), text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_breaks_keeps_the_rest() {
        let tree = parse(SourceId(0), "a = 1\nb = = 2\nc = 3\na = 4\n");
        let root = tree.root().unwrap();
        assert_eq!(root.get("c").and_then(|node| node.str()), Some("3"));
        assert_eq!(tree.problems.len(), 2, "{:?}", tree.problems);
    }

    #[test]
    fn deep_nesting_is_a_problem() {
        for text in [
            "a = ".to_string() + &"[".repeat(100_000),
            "a.".repeat(200_000) + "a = 1",
            format!("[{}a]", "a.".repeat(200_000)),
        ] {
            assert!(!parse(SourceId(0), &text).problems.is_empty());
        }
    }
}

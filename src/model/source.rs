//! Texts by number: the arena of everything that was read. Knows no disk: `world` fills it.

use super::span::{Location, SourceId, Span};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// One text of a project.
#[derive(Debug)]
pub struct Source {
    /// Its number in [`Sources`].
    pub id: SourceId,
    /// Path relative to the project root, with `/`.
    pub path: String,
    /// The whole text, byte for byte as on disk (a byte order mark included). Empty when it could not be read.
    pub text: String,
    marks: OnceLock<Vec<u32>>,
}

/// How many lines there are from one mark to the next.
const STEP: usize = 64;

/// A place as people count it. All count from 1, columns in Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl Source {
    /// A text at a path.
    pub fn new(id: SourceId, path: impl Into<String>, text: impl Into<String>) -> Source {
        Source { id, path: path.into(), text: text.into(), marks: OnceLock::new() }
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder of the file, without a trailing `/`; empty at the root.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The whole text as a location.
    pub fn whole(&self) -> Location {
        Location::new(self.id, Span::new(0, self.text.len()))
    }

    /// The first line's start: where a finding about a whole file stands.
    pub fn top(&self) -> Location {
        Location::new(self.id, Span::empty(0))
    }

    /// The bytes of `span`; empty when the span is not of this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Where every [`STEP`]th line begins: few numbers for a long text, and few lines to walk from one.
    fn marks(&self) -> &[u32] {
        self.marks.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            let mut marks = vec![0];
            marks.extend(ends.skip(STEP - 1).step_by(STEP).map(|at| at as u32 + 1));
            marks.shrink_to_fit();
            marks
        })
    }

    /// Where line `line` (from 0) begins; `None` behind the last one. What stands behind the last line end is a line, be it empty.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        let mark = *self.marks().get(line / STEP)? as usize;
        match line % STEP {
            0 => Some(mark),
            further => {
                memchr::memchr_iter(b'\n', &self.text.as_bytes()[mark..]).nth(further - 1).map(|at| mark + at + 1)
            }
        }
    }

    /// How many lines there are; what stands behind the last line end counts, be it empty.
    pub fn line_count(&self) -> usize {
        self.line_of(self.text.len() as u32) + 1
    }

    /// Line (from 0) that holds `offset`.
    pub fn line_of(&self, offset: u32) -> usize {
        let index = self.marks().partition_point(|&start| start <= offset).saturating_sub(1);
        let passed = self.marks()[index] as usize..(offset as usize).min(self.text.len());
        index * STEP + memchr::memchr_iter(b'\n', &self.text.as_bytes()[passed]).count()
    }

    /// The span of line `line` (from 0) without its end of line.
    pub fn line_span(&self, line: usize) -> Span {
        let Some(start) = self.line_start(line) else { return Span::empty(self.text.len()) };
        let rest = &self.text[start..];
        let text = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest, |end| &rest[..end]);
        Span::new(start, start + text.strip_suffix('\r').unwrap_or(text).len())
    }

    /// The text of the line (from 0) without its end of line.
    pub fn line_text(&self, line: usize) -> &str {
        self.slice(self.line_span(line))
    }

    /// Where `offset` is, as people count. A byte order mark is no column.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let end = (offset as usize).min(self.text.len());
        let start = memchr::memrchr(b'\n', &self.text.as_bytes()[..end]).map_or(0, |at| at + 1);
        let upto = self.text.get(start..end).unwrap_or("");
        Position { line: line + 1, column: upto.trim_start_matches('\u{feff}').chars().count() + 1 }
    }
}

/// All texts of one project, by number and by path.
#[derive(Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
    by_path: foldhash::HashMap<String, SourceId>,
    /// Which texts hold a mark: looked for once, and asked by every file that refers to another by name.
    marked: Mutex<HashMap<&'static str, Arc<[SourceId]>>>,
}

impl Sources {
    /// Adds a text and gives it its number. A path that is there already keeps its first text.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> SourceId {
        let path = path.into();
        if let Some(&id) = self.by_path.get(&path) {
            return id;
        }
        let id = SourceId(self.list.len() as u32);
        self.by_path.insert(path.clone(), id);
        self.list.push(Source::new(id, path, text));
        id
    }

    /// Puts a text at a path, in the place of the one that is there.
    pub fn put(&mut self, path: impl Into<String>, text: impl Into<String>) -> SourceId {
        let (path, text) = (path.into(), text.into());
        let Some(&id) = self.by_path.get(&path) else { return self.add(path, text) };
        self.list[id.0 as usize] = Source::new(id, path, text);
        id
    }

    /// Makes a text known under one more path (a symbolic link to it).
    pub fn alias(&mut self, path: impl Into<String>, id: SourceId) {
        self.by_path.entry(path.into()).or_insert(id);
    }

    /// The text with this number.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.list[id.0 as usize]
    }

    /// The text at this path (relative to the root, with `/`).
    pub fn find(&self, path: &str) -> Option<&Source> {
        self.by_path.get(path).map(|&id| self.get(id))
    }

    /// The text at `path` as seen from `folder`: `..` and `.` are resolved; a path out of the root is `None`.
    pub fn find_from(&self, folder: &str, path: &str) -> Option<&Source> {
        self.find(&join(folder, path)?)
    }

    /// The text behind a location.
    pub fn text(&self, at: Location) -> &str {
        self.get(at.source).slice(at.span)
    }

    /// The texts that hold `mark`, in order of their numbers. Every text is searched the first time; call it when all are added.
    pub fn holding(&self, mark: &'static str) -> Arc<[SourceId]> {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = marked.entry(mark).or_insert_with(|| {
            let finder = memchr::memmem::Finder::new(mark);
            let holds = |source: &&Source| finder.find(source.text.as_bytes()).is_some();
            self.list.iter().filter(holds).map(|source| source.id).collect()
        });
        ids.clone()
    }

    /// All texts in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// `path` seen from `folder`, both relative to the root: `None` when it leaves the root or is absolute.
pub fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(':') && path.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_in_characters() {
        let source = Source::new(SourceId(0), "a", "\u{feff}äb\r\ncd\n");
        assert_eq!(source.position(3), Position { line: 1, column: 1 });
        assert_eq!(source.position(5), Position { line: 1, column: 2 });
        assert_eq!(source.position(8), Position { line: 2, column: 1 });
        assert_eq!(source.line_text(0), "\u{feff}äb");
        assert_eq!(source.line_text(1), "cd");
    }

    #[test]
    fn lines_are_found_from_the_mark_before_them() {
        let text = "é\r\n\nab\n".repeat(100) + "last";
        for text in [text.as_str(), &text[..text.len() - 4], "", "\n"] {
            let source = Source::new(SourceId(0), "a", text);
            let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            assert_eq!(source.line_count(), starts.len());
            for (line, &start) in starts.iter().enumerate() {
                assert_eq!(source.line_start(line), Some(start));
                assert_eq!(source.line_of(start as u32), line);
                assert_eq!(source.line_text(line), text[start..].lines().next().unwrap_or(""));
            }
            assert_eq!((source.line_start(starts.len()), source.line_text(starts.len() + 70)), (None, ""));
            assert_eq!(source.line_of(u32::MAX), starts.len() - 1);
        }
    }

    #[test]
    fn join_stays_in_the_root() {
        assert_eq!(join("a/b", "../c.txt").as_deref(), Some("a/c.txt"));
        assert_eq!(join("", "../c.txt"), None);
        assert_eq!(join("a", "/etc/passwd"), None);
    }
}

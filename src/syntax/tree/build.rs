//! Builds a tree without recursion: open, scalars, close. Does not know which syntax is read.

use super::{Data, Kind, MAX_ALIASED, MAX_DEPTH, Style, Tree, lines};
use crate::model::span::{Location, SourceId, Span};
use foldhash::{HashMap, HashMapExt};
use std::borrow::Cow;

/// How many problems of one text are told one by one. A broken file is mended from its top; what it says a thousand times is no news.
const MAX_PROBLEMS: usize = 100;

/// How many bytes of a text weigh as much as a node.
const BYTES_OF_A_NODE: u64 = 64;

/// How many bytes of quotes stand on each side of a scalar.
#[derive(Debug, Clone, Copy)]
pub(in crate::syntax) struct Quotes {
    pub before: usize,
    pub after: usize,
}

impl Quotes {
    pub const NONE: Quotes = Quotes { before: 0, after: 0 };
    pub const ONE: Quotes = Quotes { before: 1, after: 1 };
}

/// A collection that is not closed yet.
struct Frame {
    id: u32,
    /// Where its children begin in `pending`.
    first: usize,
    anchor: usize,
    /// Nodes so far, aliases followed, when it was opened.
    expanded: u64,
    /// The height of its highest child.
    height: usize,
}

/// What an anchor names. While its collection is open there is none.
struct Anchored {
    id: u32,
    nodes: u64,
    height: usize,
}

pub(in crate::syntax) struct Builder<'s> {
    pub tree: Tree<'s>,
    frames: Vec<Frame>,
    /// Children of the open frames, one after the other.
    pending: Vec<u32>,
    anchors: HashMap<usize, Anchored>,
    expanded: u64,
    aliased: u64,
    /// Problems beyond [`MAX_PROBLEMS`]: where the first of them stands, and how many there are.
    untold: Option<(Location, usize)>,
    /// Duplicate keys are a mistake (YAML, JSON); TOML's own parser reports them.
    pub unique_keys: bool,
    /// `<<` merges.
    pub merges: bool,
}

impl<'s> Builder<'s> {
    pub fn new(source: SourceId, text: &'s str) -> Builder<'s> {
        // A scalar for about every sixteen bytes is what configuration has; growing once or twice is cheap.
        let room = text.len() / 16 + 4;
        let tree = Tree {
            source,
            text,
            nodes: Vec::with_capacity(room),
            links: Vec::with_capacity(room),
            owned: Vec::new(),
            roots: Vec::new(),
            problems: Vec::new(),
            comments: Vec::new(),
            template: None,
        };
        let (frames, pending, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        let (expanded, aliased, untold) = (0, 0, None);
        Builder { tree, frames, pending, anchors, expanded, aliased, untold, unique_keys: true, merges: false }
    }

    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Whether the next scalar is the key of a mapping.
    pub fn at_key(&self) -> bool {
        let is_map = |frame: &Frame| self.tree.nodes[frame.id as usize].kind == Kind::Map;
        self.frames.last().is_some_and(is_map) && !self.owes_value()
    }

    /// Whether a value is owed: a mapping has a key without one.
    pub fn owes_value(&self) -> bool {
        self.frames.last().is_some_and(|frame| {
            let is_map = self.tree.nodes[frame.id as usize].kind == Kind::Map;
            is_map && (self.pending.len() - frame.first) % 2 == 1
        })
    }

    /// A scalar whose quotes are inside `outer`.
    pub fn scalar(&mut self, outer: Span, quotes: Quotes, style: Style, text: Cow<'_, str>, anchor: usize, tag: Span) {
        let inner = Span::new(outer.start as usize + quotes.before, (outer.end as usize).saturating_sub(quotes.after));
        let mut data = Data { kind: Kind::Verbatim, style, outer, inner, tag, first: 0, count: 0 };
        let written = self.tree.text.get(inner.range());
        if matches!(style, Style::Literal | Style::Folded) {
            data.inner = lines::content(self.tree.text, inner, &text, style);
            data.outer = data.inner;
        }
        if written != Some(&*text) || data.inner != inner {
            data.kind = Kind::Owned;
            data.first = self.tree.owned.len() as u32;
            self.tree.owned.push(text.into_owned());
        }
        self.leaf(data, anchor);
    }

    /// A scalar whose text is what stands between its quotes.
    pub fn verbatim(&mut self, outer: Span, quotes: Quotes, style: Style) {
        let inner = Span::new(outer.start as usize + quotes.before, outer.end as usize - quotes.after);
        let (kind, tag) = (Kind::Verbatim, Span::empty(0));
        self.leaf(Data { kind, style, outer, inner, tag, first: 0, count: 0 }, 0);
    }

    pub fn null(&mut self, span: Span, anchor: usize, tag: Span) {
        let data = Data { kind: Kind::Null, style: Style::Plain, outer: span, inner: span, tag, first: 0, count: 0 };
        self.leaf(data, anchor);
    }

    fn leaf(&mut self, data: Data, anchor: usize) {
        // A text of a megabyte that a thousand aliases name is as much as a thousand lists.
        let nodes = 1 + data.outer.len() as u64 / BYTES_OF_A_NODE;
        let id = self.push(data);
        self.expanded += nodes;
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { id, nodes, height: 0 });
        }
    }

    /// An alias of an anchor; one that cannot be followed is null and a problem.
    pub fn alias(&mut self, span: Span, anchor: usize) {
        let why = match self.anchors.get(&anchor) {
            None => "names the value that it stands in, without end; write the value out",
            Some(target) if self.aliased + target.nodes > MAX_ALIASED => {
                "stands for too many values (more than 1000000 in this document); write the value out"
            }
            Some(target) if self.depth() + target.height > MAX_DEPTH => {
                "nests deeper than 255 levels; flatten what it names"
            }
            Some(target) => {
                self.aliased += target.nodes;
                self.expanded += target.nodes;
                let (first, height) = (target.id, target.height);
                if let Some(frame) = self.frames.last_mut() {
                    frame.height = frame.height.max(height + 1);
                }
                let none = Span::empty(0);
                let (kind, style) = (Kind::Alias, Style::Plain);
                self.push(Data { kind, style, outer: span, inner: span, tag: none, first, count: 0 });
                return;
            }
        };
        let name = self.tree.text.get(span.range()).unwrap_or("*");
        self.problem(span, format!("the alias `{name}` {why}"));
        self.null(span, 0, Span::empty(0));
    }

    pub fn open(&mut self, is_map: bool, span: Span, anchor: usize, tag: Span) {
        let kind = if is_map { Kind::Map } else { Kind::Seq };
        let id = self.push(Data { kind, style: Style::Plain, outer: span, inner: span, tag, first: 0, count: 0 });
        self.expanded += 1;
        self.frames.push(Frame { id, first: self.pending.len(), anchor, expanded: self.expanded - 1, height: 0 });
    }

    /// Closes the innermost collection; `end` is where its closing bracket ends, if it has one.
    pub fn close(&mut self, end: Option<usize>) {
        if self.owes_value() {
            let at = self.pending.last().map_or(0, |&id| self.tree.nodes[id as usize].outer.end as usize);
            self.null(Span::empty(at), 0, Span::empty(0));
        }
        let Some(frame) = self.frames.pop() else { return };
        if self.unique_keys && self.tree.nodes[frame.id as usize].kind == Kind::Map {
            self.check_keys(frame.first);
        }
        let children = &self.pending[frame.first..];
        let last = children.iter().map(|&id| self.tree.nodes[id as usize].outer.end).max();
        let data = &mut self.tree.nodes[frame.id as usize];
        data.first = self.tree.links.len() as u32;
        data.count = children.len() as u32;
        data.outer.end = end.map_or(last.unwrap_or(0), |end| end as u32).max(data.outer.end);
        data.inner = data.outer;
        let is_map = data.kind == Kind::Map;
        self.tree.links.extend_from_slice(children);
        if is_map && self.merges && self.has_merge(frame.first) {
            self.tree.nodes[frame.id as usize].kind = Kind::Merging;
        }
        self.pending.truncate(frame.first);
        if let Some(parent) = self.frames.last_mut() {
            parent.height = parent.height.max(frame.height + 1);
        }
        if frame.anchor != 0 {
            let nodes = self.expanded - frame.expanded;
            self.anchors.insert(frame.anchor, Anchored { id: frame.id, nodes, height: frame.height + 1 });
        }
    }

    pub fn problem(&mut self, span: Span, text: String) {
        let at = Location::new(self.tree.source, span);
        if self.tells_more(at) {
            self.tree.problems.push((at, text));
        }
    }

    /// Whether one more problem is told; counts it where not.
    fn tells_more(&mut self, at: Location) -> bool {
        if self.tree.problems.len() < MAX_PROBLEMS {
            return true;
        }
        self.untold.get_or_insert((at, 0)).1 += 1;
        false
    }

    pub fn comment(&mut self, span: Span) {
        let at = Location::new(self.tree.source, span);
        self.tree.comments.push(at);
    }

    /// Begins a document: anchors of the one before do not count.
    pub fn document(&mut self) {
        self.close_all();
        self.anchors.clear();
        self.aliased = 0;
    }

    pub fn close_all(&mut self) {
        while !self.frames.is_empty() {
            self.close(None);
        }
    }

    /// The tree; whatever is open is closed where its last child ends.
    pub fn finish(mut self) -> Tree<'s> {
        self.close_all();
        if let Some((at, count)) = self.untold {
            self.tree
                .problems
                .push((at, format!("here and further down stand {count} more mistakes; correct those above first")));
        }
        self.tree.problems.sort_by_key(|(at, _)| at.span.start);
        self.tree.comments.sort();
        self.tree
    }

    fn push(&mut self, data: Data) -> u32 {
        let id = self.tree.nodes.len() as u32;
        self.tree.nodes.push(data);
        if self.frames.is_empty() {
            self.tree.roots.push(id);
        } else {
            self.pending.push(id);
        }
        id
    }

    fn has_merge(&self, first: usize) -> bool {
        let keys = self.pending[first..].iter().step_by(2);
        keys.copied()
            .any(|id| self.tree.nodes[id as usize].style == Style::Plain && self.tree.node(id).str() == Some("<<"))
    }

    /// Reports keys that stand twice in the mapping whose keys and values are pending from `first` on.
    fn check_keys(&mut self, first: usize) {
        let pairs = &self.pending[first..];
        let mut twice: Vec<(u32, u32)> = Vec::new();
        if pairs.len() <= 16 {
            for (index, &key) in pairs.iter().enumerate().step_by(2) {
                let Some(name) = self.tree.node(key).str() else { continue };
                let earlier = pairs[..index].iter().step_by(2);
                let same = earlier.copied().find(|&other| self.tree.node(other).str() == Some(name));
                twice.extend(same.map(|other| (other, key)));
            }
        } else {
            let mut seen: HashMap<&str, u32> = HashMap::with_capacity(pairs.len() / 2);
            for &key in pairs.iter().step_by(2) {
                let Some(name) = self.tree.node(key).str() else { continue };
                let first = *seen.entry(name).or_insert(key);
                if first != key {
                    twice.push((first, key));
                }
            }
        }
        for (one, two) in twice {
            self.report_twice(one, two);
        }
    }

    fn report_twice(&mut self, one: u32, two: u32) {
        let (one, two) = (self.tree.nodes[one as usize], self.tree.node(two));
        let name: String = two.str().unwrap_or("").chars().take(60).collect();
        // Several merge keys in one mapping are read one after the other by every reader that knows merge keys.
        if self.merges && name == "<<" && two.plain() {
            return;
        }
        let span = two.data().outer;
        // Counting lines costs as much as what stands before, so it is not done for what nobody will read.
        if !self.tells_more(Location::new(self.tree.source, span)) {
            return;
        }
        let line = 1 + memchr::memchr_iter(b'\n', &self.tree.text.as_bytes()[..one.outer.start as usize]).count();
        self.problem(
            span,
            format!("the key `{name}` stands twice in one mapping, first on line {line}; remove one of them"),
        );
    }
}

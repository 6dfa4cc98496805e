//! One tree for YAML, JSON and TOML: an arena whose every scalar knows its bytes. Knows no syntax and no format.
//!
//! Nodes are handed out resolved: an alias is the node that it names, and a merge key (`<<`) is looked through. The builder cuts aliases
//! that would make a walk endless or too long, so a recursive walk over any tree is bounded by [`MAX_DEPTH`] and [`MAX_ALIASED`].

mod build;
mod lines;

pub(in crate::syntax) use build::{Builder, Quotes};

use crate::model::artifact::Piece;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::{Mapped, Segment, Text};

/// How deep collections may nest, aliases followed.
pub const MAX_DEPTH: usize = 255;

/// How many nodes aliases may stand for in one document.
pub const MAX_ALIASED: u64 = 1_000_000;

/// How many mappings one look-up follows through merge keys.
const MAX_MERGES: usize = 1_000;

/// A parsed text.
#[derive(Debug, PartialEq)]
pub struct Tree<'s> {
    source: SourceId,
    text: &'s str,
    nodes: Vec<Data>,
    /// Children of collections; for mappings key and value by turns.
    links: Vec<u32>,
    /// Scalars whose text is not what the source holds.
    owned: Vec<String>,
    roots: Vec<u32>,
    /// What could not be read: where, and a sentence that says what to do. In order of the text.
    pub problems: Vec<(Location, String)>,
    /// Every comment with its mark (`#`, `//`, `/*`), without the line end.
    pub comments: Vec<Location>,
    /// Where the syntax of a template language stands, in a text that does not parse because of it.
    pub template: Option<Location>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    /// The text is the bytes of the inner span.
    Verbatim,
    /// The text is `owned[first]`.
    Owned,
    /// Children are `links[first..first + count]`.
    Seq,
    Map,
    /// A mapping that has a merge key.
    Merging,
    /// Stands for the node `first`.
    Alias,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::syntax) enum Style {
    Plain,
    Quoted,
    Literal,
    Folded,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Data {
    kind: Kind,
    style: Style,
    /// With quotes.
    outer: Span,
    /// Without quotes.
    inner: Span,
    tag: Span,
    first: u32,
    count: u32,
}

impl<'s> Tree<'s> {
    /// The documents of the text, in order. A text without content has none.
    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().map(|&id| self.node(id))
    }

    /// The first document.
    pub fn root(&self) -> Option<Node<'_>> {
        self.roots.first().map(|&id| self.node(id))
    }

    /// The bytes of a place.
    pub fn slice(&self, at: Location) -> &'s str {
        self.text.get(at.span.range()).unwrap_or("")
    }

    /// Adds what could not be read to the facts: one problem for a template, else each.
    pub fn report(&self, facts: &mut Facts) {
        if let Some(at) = self.template {
            let text = "this looks like a template of another language, which cannot be read before it is rendered; \
                        nothing in it was checked: exclude the file, or check what it renders to";
            return facts.problem(ProblemKind::Template, at, text);
        }
        for (at, text) in &self.problems {
            facts.problem(ProblemKind::Unreadable, *at, text.clone());
        }
    }

    fn node(&self, id: u32) -> Node<'_> {
        let data = &self.nodes[id as usize];
        Node { tree: self, id: if data.kind == Kind::Alias { data.first } else { id } }
    }

    fn location(&self, span: Span) -> Location {
        Location::new(self.source, span)
    }
}

/// A value of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree<'t>,
    id: u32,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:?} {:?})", self.data().kind, self.tree.slice(self.whole()))
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl Eq for Node<'_> {}

impl<'t> Node<'t> {
    /// The whole text that it stands in.
    pub fn document(self) -> &'t str {
        self.tree.text
    }

    /// The value of a key; merged keys count, own keys win, the last of equal keys wins.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.own(key).or_else(|| match self.data().kind {
            Kind::Merging => self.merged().into_iter().find_map(|map| map.own(key)),
            _ => None,
        })
    }

    /// The values of several keys, in one walk over the entries.
    pub fn all<const N: usize>(self, keys: [&str; N]) -> [Option<Node<'t>>; N] {
        let mut found = [None; N];
        for (key, value) in self.entries() {
            if let Some(at) = key.str().and_then(|name| keys.iter().position(|key| *key == name)) {
                found[at] = Some(value);
            }
        }
        found
    }

    /// The value at the end of a way of keys.
    pub fn path(self, keys: &[&str]) -> Option<Node<'t>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The key node and the value of a key that stands in this mapping itself.
    pub fn entry(self, key: &str) -> Option<(Node<'t>, Node<'t>)> {
        self.own_entries().filter(|(name, _)| name.says(key)).last()
    }

    /// Keys and values of a mapping: own ones in order, then those that merge keys bring in.
    pub fn entries(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let merged = if self.data().kind == Kind::Merging { self.merged_entries() } else { Vec::new() };
        let plain = self.data().kind != Kind::Merging;
        self.own_entries().filter(move |(key, _)| plain || !key.is_merge()).chain(merged)
    }

    /// Items of a sequence; nothing for anything else.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Node<'t>> + ExactSizeIterator {
        let links = if self.is_seq() { self.links() } else { &[] };
        links.iter().map(move |&id| self.tree.node(id))
    }

    /// Items of a sequence, or the value itself when it is one scalar: for keys that take both.
    pub fn list(self) -> impl Iterator<Item = Node<'t>> {
        self.is_scalar().then_some(self).into_iter().chain(self.items())
    }

    /// The text of any scalar: a string, a number, a word. Null has none. The line ends that close a block scalar are left out: they are
    /// part of how it is written, and no name, number or image has one.
    pub fn str(self) -> Option<&'t str> {
        let text = self.whole_str()?;
        Some(if self.block() { text.trim_end_matches(['\n', '\r']) } else { text })
    }

    /// The text of a scalar with the line ends of a block scalar.
    fn whole_str(self) -> Option<&'t str> {
        let data = self.data();
        match data.kind {
            Kind::Verbatim => Some(&self.tree.text[data.inner.range()]),
            Kind::Owned => Some(&self.tree.owned[data.first as usize]),
            _ => None,
        }
    }

    /// The scalar with its place, quotes left out.
    pub fn text(self) -> Option<Text> {
        let text = self.str()?.to_string();
        Some(Text { text, at: self.at(), verbatim: self.data().kind == Kind::Verbatim })
    }

    /// The text as a place in the document, where it stands there as it is.
    pub fn piece(self) -> Option<Piece> {
        let text = self.str()?;
        let verbatim = self.data().kind == Kind::Verbatim;
        Some(if verbatim { Piece::At(self.at().span) } else { Piece::made(text) })
    }

    /// The scalar with a map of every line back to the source: block scalars, folded lines and quoted texts as far as they can be followed.
    pub fn mapped(self) -> Option<Mapped> {
        let (text, data) = (self.whole_str()?, self.data());
        if data.kind == Kind::Verbatim {
            return Some(Mapped::verbatim(text, self.tree.source, data.inner.start as usize));
        }
        let mut segments = Vec::new();
        lines::walk(self.tree.text, data.inner, text, data.style, |from, to, len| {
            segments.push(Segment { from: from as u32, to: to as u32, len: len as u32 });
        });
        Some(Mapped { text: text.to_string(), at: self.at(), segments })
    }

    /// Where the value stands, quotes and the line ends that close a block scalar left out.
    pub fn at(self) -> Location {
        let data = self.data();
        match self.str() {
            Some(text) if data.kind == Kind::Verbatim => self.tree.location(data.inner.slice(0..text.len())),
            _ => self.tree.location(data.inner),
        }
    }

    /// Where the value stands, quotes included.
    pub fn whole(self) -> Location {
        self.tree.location(self.data().outer)
    }

    /// Whether it is a mapping.
    pub fn is_map(self) -> bool {
        matches!(self.data().kind, Kind::Map | Kind::Merging)
    }

    /// Whether it is a sequence.
    pub fn is_seq(self) -> bool {
        self.data().kind == Kind::Seq
    }

    /// Whether it has a text: neither a collection nor null.
    pub fn is_scalar(self) -> bool {
        matches!(self.data().kind, Kind::Verbatim | Kind::Owned)
    }

    /// Whether it is null, written or left out.
    pub fn is_null(self) -> bool {
        self.data().kind == Kind::Null
    }

    /// The truth value of an unquoted word, those of YAML 1.1 included (`yes`, `off`).
    pub fn bool(self) -> Option<bool> {
        let word = self.str().filter(|_| self.plain())?;
        let is = |words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
        if is(&["true", "yes", "on"]) {
            return Some(true);
        }
        is(&["false", "no", "off"]).then_some(false)
    }

    /// Whether it is written without quotes.
    pub fn plain(self) -> bool {
        self.data().style == Style::Plain
    }

    /// Whether it is a block scalar (`|` or `>`).
    pub fn block(self) -> bool {
        matches!(self.data().style, Style::Literal | Style::Folded)
    }

    /// The tag as written (`!reference`).
    pub fn tag(self) -> Option<&'t str> {
        let tag = self.data().tag;
        (!tag.is_empty()).then(|| &self.tree.text[tag.range()])
    }

    /// Where a comment may stand behind the value on its line, quotes and the colon of a key left out; `None` where something follows.
    pub fn free_end(self) -> Option<Location> {
        let end = self.data().outer.end as usize;
        let line = self.tree.text.get(end..)?.lines().next().unwrap_or("");
        let colon = usize::from(line.starts_with(':'));
        let rest = &line[colon..];
        let free = rest.trim().is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#');
        free.then(|| self.tree.location(Span::empty(end + colon)))
    }

    /// The comment at the end of the line on which the value ends, with its mark.
    pub fn comment(self) -> Option<Text> {
        let end = self.data().outer.end;
        let next = self.tree.comments.partition_point(|comment| comment.span.start < end);
        let at = *self.tree.comments.get(next).filter(|_| !self.block())?;
        let between = self.tree.text.get(end as usize..at.span.start as usize)?;
        let same_line = !between.contains(['\n', '\r']);
        same_line.then(|| Text { text: self.tree.slice(at).to_string(), at, verbatim: true })
    }

    fn data(self) -> &'t Data {
        &self.tree.nodes[self.id as usize]
    }

    fn links(self) -> &'t [u32] {
        let data = self.data();
        &self.tree.links[data.first as usize..(data.first + data.count) as usize]
    }

    fn own(self, key: &str) -> Option<Node<'t>> {
        self.own_entries().filter(|(name, _)| name.says(key)).last().map(|(_, value)| value)
    }

    /// Whether its text is `key`; most keys differ in length already.
    fn says(self, key: &str) -> bool {
        let data = self.data();
        let other = data.kind == Kind::Verbatim && data.inner.len() != key.len() && !self.block();
        !other && self.str() == Some(key)
    }

    fn own_entries(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let links = if self.is_map() { self.links() } else { &[] };
        links.chunks_exact(2).map(move |pair| (self.tree.node(pair[0]), self.tree.node(pair[1])))
    }

    fn is_merge(self) -> bool {
        self.plain() && self.str() == Some("<<")
    }

    /// The mappings that merge keys bring in, nearest first, those of merged mappings too.
    fn merged(self) -> Vec<Node<'t>> {
        let mut found: Vec<Node<'t>> = Vec::new();
        let mut waiting = vec![self];
        while let Some(map) = waiting.pop() {
            if found.len() > MAX_MERGES {
                break;
            }
            if map != self {
                found.push(map);
            }
            let merges = map.own_entries().filter(|(key, _)| key.is_merge()).map(|(_, value)| value);
            let mut maps: Vec<Node<'t>> = merges.flat_map(Node::or_items).filter(|node| node.is_map()).collect();
            maps.reverse();
            waiting.append(&mut maps);
        }
        found
    }

    fn or_items(self) -> impl Iterator<Item = Node<'t>> {
        self.is_map().then_some(self).into_iter().chain(self.items())
    }

    fn merged_entries(self) -> Vec<(Node<'t>, Node<'t>)> {
        let mut seen: std::collections::HashSet<&str> = self.own_entries().filter_map(|(key, _)| key.str()).collect();
        let maps = self.merged();
        let merged = maps.into_iter().flat_map(Node::own_entries);
        merged.filter(|(key, _)| key.str().is_some_and(|name| seen.insert(name))).collect()
    }
}

/// Where the syntax of a template language (`{{ … }}`, `{% … %}`) stands outside of quotes and comments; `${{ … }}` is none.
pub fn looks_like_template(text: &str) -> Option<usize> {
    // Nearly every file ends here, at the speed of memory.
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    if !has("{{") && !has("{%") {
        return None;
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut quote = None;
        let bytes = line.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let next = bytes.get(at + 1);
            match byte {
                b'#' if quote.is_none() && (at == 0 || bytes[at - 1].is_ascii_whitespace()) => break,
                b'{' if quote.is_none() && (at == 0 || bytes[at - 1] != b'$') && matches!(next, Some(b'{' | b'%')) => {
                    return Some(start + at);
                }
                b'"' | b'\'' if quote == Some(byte) => quote = None,
                // An apostrophe inside a word (`don't`) opens nothing.
                b'"' | b'\'' if quote.is_none() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()) => {
                    quote = Some(byte)
                }
                _ => {}
            }
        }
        start += line.len();
    }
    None
}

//! Where text stands: byte spans inside a source. Knows no file system and no line numbers.

use std::ops::Range;

/// Bytes `start..end` of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span `start..end`; sources above 4 GiB are refused long before this.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end.max(start) as u32 }
    }

    /// The empty span at `at`.
    pub fn empty(at: usize) -> Span {
        Span::new(at, at)
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether nothing is covered.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The span as a range that indexes text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// A part of this span, given by offsets from its start.
    pub fn slice(self, part: Range<usize>) -> Span {
        Span::new(self.start as usize + part.start, self.start as usize + part.end)
    }

    /// Whether `other` lies inside.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A source in the arena of its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A span in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Which text.
    pub source: SourceId,
    /// Which bytes of it.
    pub span: Span,
}

impl Location {
    /// A location of `span` in `source`.
    pub fn new(source: SourceId, span: Span) -> Location {
        Location { source, span }
    }

    /// The same place, narrowed to offsets from its start.
    pub fn slice(self, part: Range<usize>) -> Location {
        Location { source: self.source, span: self.span.slice(part) }
    }

    /// The empty place at the end.
    pub fn at_end(self) -> Location {
        Location { source: self.source, span: Span { start: self.span.end, end: self.span.end } }
    }
}

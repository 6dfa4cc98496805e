//! Pieces of documents as facts keep them, and texts that were taken out of a document and still know where each part stood.

use super::span::{Location, SourceId, Span};
use std::ops::Range;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What it says, unescaped.
    pub text: String,
    /// Where it stands (without quotes).
    pub at: Location,
    /// Whether `source[at]` is exactly `text`, so that parts of it have a place and can be edited.
    pub verbatim: bool,
}

impl Text {
    /// The place of `part` of the text: exact when verbatim, else the whole piece.
    pub fn place(&self, part: Range<usize>) -> Location {
        if self.verbatim { self.at.slice(part) } else { self.at }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let mut out = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| out.extend([digit(byte >> 4), digit(byte & 15)]));
    out
}

/// One run of a [`Mapped`] text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset in the taken text.
    pub from: u32,
    /// Offset in the source.
    pub to: u32,
    /// Bytes that are the same in both.
    pub len: u32,
}

/// A text taken out of a source (a block scalar, a `RUN` body), with a map back to it.
///
/// Inside a segment both sides are equal byte for byte. Text outside of all segments was made (a folded line break, an
/// unescaped character) and has no place of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The text itself.
    pub text: String,
    /// Where it was taken from, as a whole.
    pub at: Location,
    /// Sorted, disjoint in `from`.
    pub segments: Vec<Segment>,
}

impl Mapped {
    /// A text that stands in the source exactly as it is.
    pub fn verbatim(text: impl Into<String>, source: SourceId, start: usize) -> Mapped {
        let text = text.into();
        let len = text.len();
        let segments = vec![Segment { from: 0, to: start as u32, len: len as u32 }];
        Mapped { text, at: Location::new(source, Span::new(start, start + len)), segments }
    }

    /// A piece of a document with a place for each part, as far as the piece has one.
    pub fn of(text: &Text) -> Mapped {
        if text.verbatim {
            return Mapped::verbatim(text.text.clone(), text.at.source, text.at.span.start as usize);
        }
        Mapped::opaque(text.text.clone(), text.at)
    }

    /// Several texts of one source as the lines of one; `None` without any.
    pub fn lines(texts: impl IntoIterator<Item = Mapped>) -> Option<Mapped> {
        texts.into_iter().reduce(|mut all, next| {
            if !all.text.ends_with('\n') {
                all.text.push('\n');
            }
            all.append(&next);
            all.at = Location::new(all.at.source, all.at.span.to(next.at.span));
            all
        })
    }

    /// A text without places: everything in it stands at `at`.
    pub fn opaque(text: impl Into<String>, at: Location) -> Mapped {
        Mapped { text: text.into(), at, segments: Vec::new() }
    }

    /// Where `part` stands, and whether the source holds exactly these bytes there.
    pub fn place(&self, part: Range<usize>) -> (Location, bool) {
        let first = self.segment_of(part.start);
        if let Some(segment) = first {
            let start = segment.to as usize + (part.start - segment.from as usize);
            if part.end <= (segment.from + segment.len) as usize {
                return (Location::new(self.at.source, Span::new(start, start + part.len())), true);
            }
            if let Some(last) = self.segment_of(part.end.saturating_sub(1)) {
                // A line end may be made: the last line of a file may lack it.
                let end = last.to as usize + (part.end - last.from as usize).min(last.len as usize);
                return (Location::new(self.at.source, Span::new(start, end)), false);
            }
        }
        (self.at, false)
    }

    /// The same part as [`Text`].
    pub fn text(&self, part: Range<usize>) -> Text {
        let (at, verbatim) = self.place(part.clone());
        Text { text: self.text[part].to_string(), at, verbatim }
    }

    /// The same without blanks and line ends around it.
    pub fn trimmed(&self) -> Mapped {
        let start = self.text.len() - self.text.trim_start().len();
        let part = self.slice(start..start + self.text.trim().len());
        // A value that came from elsewhere is used where it was.
        let at = if self.at.span.contains(part.at.span) { part.at } else { self.at };
        Mapped { at, ..part }
    }

    /// A part of the text that keeps its places.
    pub fn slice(&self, part: Range<usize>) -> Mapped {
        let mut segments = Vec::new();
        let first = self.segments.partition_point(|segment| ((segment.from + segment.len) as usize) <= part.start);
        for segment in self.segments[first..].iter().take_while(|segment| (segment.from as usize) < part.end) {
            let start = (segment.from as usize).max(part.start);
            let end = ((segment.from + segment.len) as usize).min(part.end);
            let to = segment.to + (start - segment.from as usize) as u32;
            segments.push(Segment { from: (start - part.start) as u32, to, len: (end - start) as u32 });
        }
        Mapped { text: self.text[part.clone()].to_string(), at: self.place(part).0, segments }
    }

    /// Adds a part of a source to the end.
    pub fn push(&mut self, text: &str, start: usize) {
        if text.is_empty() {
            return;
        }
        let segment = Segment { from: self.text.len() as u32, to: start as u32, len: text.len() as u32 };
        match self.segments.last_mut() {
            Some(last) if last.from + last.len == segment.from && last.to + last.len == segment.to => {
                last.len += segment.len
            }
            _ => self.segments.push(segment),
        }
        self.text.push_str(text);
    }

    /// Adds all of another text, with its places, to the end.
    pub fn append(&mut self, other: &Mapped) {
        let base = self.text.len() as u32;
        self.segments.extend(other.segments.iter().map(|segment| Segment { from: segment.from + base, ..*segment }));
        self.text.push_str(&other.text);
    }

    /// Adds all of another text of the same source as further lines.
    pub fn append_line(&mut self, other: &Mapped) {
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.append(other);
        self.at = Location::new(self.at.source, self.at.span.to(other.at.span));
    }

    fn segment_of(&self, offset: usize) -> Option<&Segment> {
        let index = self.segments.partition_point(|segment| segment.from as usize <= offset).checked_sub(1)?;
        let segment = &self.segments[index];
        (offset <= (segment.from + segment.len) as usize).then_some(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_places() {
        let mut text = Mapped::opaque("", Location::new(SourceId(0), Span::new(0, 30)));
        text.push("run a ", 0);
        text.push("  b c", 10);
        let part = text.slice(4..9);
        assert_eq!(part.text, "a   b");
        assert_eq!(part.place(0..1), (Location::new(SourceId(0), Span::new(4, 5)), true));
        assert_eq!(part.place(4..5), (Location::new(SourceId(0), Span::new(12, 13)), true));
        assert_eq!(part.at.span, Span::new(4, 13));
        let mut joined = Mapped::opaque("x", part.at);
        joined.append(&part);
        assert_eq!(joined.place(5..6).0.span, Span::new(12, 13));
    }
}

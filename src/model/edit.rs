//! Replacements of bytes, kept disjoint. Knows no document.

use super::span::{Location, SourceId};

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub at: Location,
    /// By what.
    pub text: String,
}

impl Edit {
    /// Replaces `at` by `text`.
    pub fn replace(at: Location, text: impl Into<String>) -> Edit {
        Edit { at, text: text.into() }
    }
}

/// Edits of several sources: sorted, disjoint; equal ones are one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    edits: Vec<Edit>,
}

impl Patch {
    /// Takes a group of edits as a whole, or gives it back when one of them overlaps what is there.
    ///
    /// Edits that are there already, equal byte for byte, are no conflict. Two different insertions at one point are one.
    pub fn merge(&mut self, group: Vec<Edit>) -> Result<(), Vec<Edit>> {
        let clashes = |new: &Edit| self.edits.iter().any(|old| old != new && overlaps(old.at, new.at));
        if group.iter().any(clashes) {
            return Err(group);
        }
        self.edits.extend(group);
        self.edits.sort();
        self.edits.dedup();
        Ok(())
    }

    /// The edits of one source, in order.
    pub fn of(&self, source: SourceId) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.at.source == source)
    }

    /// The sources that change, in order.
    pub fn sources(&self) -> Vec<SourceId> {
        let mut sources: Vec<SourceId> = self.edits.iter().map(|edit| edit.at.source).collect();
        sources.dedup();
        sources
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The text of `source` after the patch.
    pub fn apply(&self, source: SourceId, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 64);
        let mut done = 0;
        for edit in self.of(source) {
            let range = edit.at.span.range();
            out.push_str(&text[done..range.start]);
            out.push_str(&edit.text);
            done = range.end;
        }
        out.push_str(&text[done..]);
        out
    }
}

fn overlaps(a: Location, b: Location) -> bool {
    let same_point = a.span.start == b.span.start && (a.span.is_empty() || b.span.is_empty());
    a.source == b.source && (same_point || a.span.start < b.span.end && b.span.start < a.span.end)
}

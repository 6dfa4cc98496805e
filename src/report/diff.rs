//! A patch as a unified diff, masked like every other output.

use super::redact::Mask;
use super::{clean, redact};
use crate::model::edit::{Edit, Patch};
use crate::model::source::{Source, Sources};
use crate::model::span::SourceId;
use std::io;
use std::ops::Range;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Stands above a diff that is not the true text.
const MASKED: &str = "# Secrets and control characters in this diff are hidden: it cannot be applied by hand, run `pinguard check --fix`";

/// Old lines that are replaced, and what stands in their place.
struct Block {
    old: Range<usize>,
    new: String,
}

/// Writes the diffs of a patch, one file after the other, with `prefix` before each path.
pub fn write(sources: &Sources, patch: &Patch, prefix: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut ids = patch.sources();
    ids.sort_by(|a, b| sources.get(*a).path.cmp(&sources.get(*b).path));
    for id in ids {
        let text = of_source(sources, patch, id, prefix);
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn of_source(sources: &Sources, patch: &Patch, id: SourceId, prefix: &str) -> String {
    let source = sources.get(id);
    let blocks = blocks(source, &patch.of(id).cloned().collect::<Vec<_>>());
    let mut body = String::new();
    let mut shift = 0_isize;
    let mut rest = &blocks[..];
    while !rest.is_empty() {
        let near = |pair: &[Block]| pair[1].old.start - pair[0].old.end <= 2 * CONTEXT;
        let count = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        shift = hunk(source, &rest[..count], shift, &mut body);
        rest = &rest[count..];
    }
    let (shown, hidden) = masked(source, &body);
    let path = clean::path(&format!("{prefix}{}", source.path));
    let note = if hidden { format!("{MASKED}\n") } else { String::new() };
    format!("{note}diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{shown}")
}

/// Whole lines that edits touch, neighbours joined.
fn blocks(source: &Source, edits: &[Edit]) -> Vec<Block> {
    let mut groups: Vec<(Range<usize>, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let first = source.line_of(edit.at.span.start);
        let last = source.line_of(edit.at.span.end);
        match groups.last_mut() {
            Some((lines, list)) if first < lines.end => {
                lines.end = lines.end.max(last + 1);
                list.push(edit);
            }
            _ => groups.push((first..last + 1, vec![edit])),
        }
    }
    let block = |(lines, list): (Range<usize>, Vec<&Edit>)| {
        let bytes = byte_range(source, &lines);
        let mut new = String::new();
        let mut done = bytes.start;
        for edit in list {
            new.push_str(&source.text[done..edit.at.span.start as usize]);
            new.push_str(&edit.text);
            done = edit.at.span.end as usize;
        }
        new.push_str(&source.text[done..bytes.end]);
        trimmed(&source.text[bytes], Block { old: lines, new })
    };
    groups.into_iter().map(block).collect()
}

/// A block without the lines at its ends that stay as they are.
fn trimmed(old: &str, block: Block) -> Block {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), block.new.split_inclusive('\n').collect());
    let same = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    let most = before.len().min(after.len()) - same;
    let tail = before.iter().rev().zip(after.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
    let lines = block.old.start + same..block.old.end - tail;
    Block { old: lines, new: after[same..after.len() - tail].concat() }
}

fn byte_range(source: &Source, lines: &Range<usize>) -> Range<usize> {
    let at = |line: usize| source.line_start(line).unwrap_or(source.text.len());
    at(lines.start)..at(lines.end)
}

/// Adds a hunk; returns how many lines the new text is ahead after it.
fn hunk(source: &Source, blocks: &[Block], shift: isize, body: &mut String) -> isize {
    let lines = source.line_count() - usize::from(source.text.is_empty() || source.text.ends_with('\n'));
    let first = blocks[0].old.start.saturating_sub(CONTEXT);
    let last = (blocks[blocks.len() - 1].old.end + CONTEXT).min(lines);
    let (mut text, mut old, mut new) = (String::new(), 0, 0);
    let mut context = |range: Range<usize>, text: &mut String| {
        let bytes = byte_range(source, &range);
        let count = put(text, ' ', &source.text[bytes]);
        (old, new) = (old + count, new + count);
    };
    let mut at = first;
    let mut counts = (0, 0);
    for block in blocks {
        context(at..block.old.start, &mut text);
        let bytes = byte_range(source, &block.old);
        counts.0 += put(&mut text, '-', &source.text[bytes]);
        counts.1 += put(&mut text, '+', &block.new);
        at = block.old.end;
    }
    context(at..last.max(at), &mut text);
    let (old, new) = (old + counts.0, new + counts.1);
    let begins = |count: usize, line: isize| if count == 0 { line - 1 } else { line };
    let (from, to) = (begins(old, first as isize + 1), begins(new, first as isize + 1 + shift));
    body.push_str(&format!("@@ -{from},{old} +{to},{new} @@\n{text}"));
    shift + new as isize - old as isize
}

/// Adds lines with a mark; returns how many.
fn put(text: &mut String, mark: char, lines: &str) -> usize {
    let mut count = 0;
    for line in lines.split_inclusive('\n') {
        text.push(mark);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
        count += 1;
    }
    count
}

/// The diff without secrets and without what could command a terminal, and whether anything was hidden.
fn masked(source: &Source, body: &str) -> (String, bool) {
    let mask = Mask::of(source, &[]);
    let mut out = String::with_capacity(body.len());
    for line in body.split_inclusive('\n') {
        let (text, end) = line
            .strip_suffix("\r\n")
            .map_or_else(|| line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n")), |text| (text, "\r\n"));
        let shaped = redact::hide_shapes(text);
        let hidden = mask.text(&shaped);
        for c in hidden.chars() {
            match c {
                '\t' | '\u{feff}' => out.push(c),
                c => clean::push(&mut out, c),
            }
        }
        out.push_str(end);
    }
    let changed = out != body;
    (out, changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, Span};

    fn diff(text: &str, edits: &[(&str, &str)]) -> String {
        let mut sources = Sources::default();
        let id = sources.add("a.yml", text);
        let mut patch = Patch::default();
        for (old, new) in edits {
            let at = text.find(old).expect("a part of the text");
            let at = Location::new(id, Span::new(at, at + old.len()));
            patch.merge(vec![Edit::replace(at, *new)]).expect("disjoint");
        }
        let mut out = Vec::new();
        write(&sources, &patch, "", &mut out).expect("a vector");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn hunks_have_context_and_counts() {
        let text: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let found = diff(&text, &[("line 5\n", "LINE 5\nmore\n"), ("line 17", "LINE 17")]);
        let want = "diff --git a/a.yml b/a.yml\n--- a/a.yml\n+++ b/a.yml\n\
                    @@ -2,7 +2,8 @@\n line 2\n line 3\n line 4\n-line 5\n+LINE 5\n+more\n line 6\n line 7\n line 8\n\
                    @@ -14,7 +15,7 @@\n line 14\n line 15\n line 16\n-line 17\n+LINE 17\n line 18\n line 19\n line 20\n";
        assert_eq!(found, want);
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        let found = diff("a\r\nb", &[("b", "c")]);
        assert!(
            found.ends_with(
                "@@ -1,2 +1,2 @@\n a\r\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
            ),
            "{found}"
        );
        assert!(!found.contains(MASKED));
    }

    #[test]
    fn what_is_hidden_is_said() {
        let found = diff("image: a:1 # \u{1b}[2J\n", &[("a:1", "a:2")]);
        assert!(found.starts_with(MASKED) && !found.contains('\u{1b}'), "{found}");
    }
}

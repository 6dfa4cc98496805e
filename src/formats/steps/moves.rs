//! Where variables of a step or a job can be put in and cut out, byte for byte. Block style; of lists in brackets, short ones too: a
//! mapping in braces is left to a person.

use crate::model::environment::{VariableLines, VariableSlot};
use crate::model::facts::Facts;
use crate::model::span::{Location, Span};
use crate::syntax::tree::Node;

/// Notes where a step or a job takes further variables: at the front of its mapping `word`, else before the first of `anchors`, which say
/// what it does.
pub fn note_slot(facts: &mut Facts, holder: Node<'_>, word: &'static str, anchors: &[&str], key: &str) {
    let own = holder.entry(word).filter(|(_, map)| !map.is_null());
    let slot = match own {
        Some((_, map)) => map.entries().next().and_then(|(first, _)| before(first, "", "")),
        None => absent(holder, word, anchors, false),
    };
    facts.variable_edits.slots.extend(slot.map(|slot| VariableSlot { step: key.to_string(), word, ..slot }));
}

/// Notes where a step or a job takes further items of its list `word`.
pub fn note_list_slot(facts: &mut Facts, holder: Node<'_>, word: &'static str, anchors: &[&str], key: &str) {
    let own = holder.entry(word).filter(|(_, list)| !list.is_null());
    let slot = match own {
        Some((_, list)) if is_flow(list) => list.items().next().map(|first| VariableSlot {
            between: ", ".to_string(),
            tail: ", ".to_string(),
            ..VariableSlot::at(first.whole(), "")
        }),
        Some((_, list)) => list.items().next().and_then(|first| before(first, "- ", "- ")),
        None => absent(holder, word, anchors, true),
    };
    facts.variable_edits.slots.extend(slot.map(|slot| VariableSlot { step: key.to_string(), word, ..slot }));
}

/// Before the first entry of what is there.
fn before(first: Node<'_>, dash: &str, mark: &str) -> Option<VariableSlot> {
    let text = first.document();
    let column = indent(text, first.whole(), dash)? - dash.len();
    let blank = " ".repeat(column);
    let end = line_end(text, first.at());
    let between = format!("{end}{blank}{mark}");
    let newline = format!("{end}{blank}{}", " ".repeat(mark.len()));
    let at = Location { span: Span::empty(first.whole().span.start as usize), ..first.at() };
    Some(VariableSlot { tail: between.clone(), between, newline, ..VariableSlot::at(at, "") })
}

/// A mapping or a list of its own, before what says what the holder does.
fn absent(holder: Node<'_>, word: &str, anchors: &[&str], list: bool) -> Option<VariableSlot> {
    if holder.entry(word).is_some() {
        return None;
    }
    let text = holder.document();
    let (action, _) = anchors.iter().find_map(|anchor| holder.entry(anchor))?;
    let end = line_end(text, action.at());
    let column = indent(text, action.whole(), "- ")?;
    let mark = if list { "- " } else { "" };
    let between = format!("{end}{}{mark}", " ".repeat(column + 2));
    let newline = format!("{end}{}", " ".repeat(column + 2 + mark.len()));
    let tail = format!("{end}{}", " ".repeat(column));
    Some(VariableSlot {
        lead: format!("{word}:{between}"),
        between,
        newline,
        tail,
        ..VariableSlot::at(action.whole(), "")
    })
}

/// Notes the lines of each variable of a mapping `word`, and those of the mapping as a whole. A slot for `to` takes them.
pub fn note_lines(facts: &mut Facts, holder: Node<'_>, word: &str, to: &'static str, key: &str) {
    let Some(mut block) = Block::of(holder, word, to, key, Node::is_map) else { return };
    for (variable, value) in block.value.entries() {
        if block.is_elsewhere(variable.at()) {
            return;
        }
        let Some(column) = indent(block.text, variable.whole(), "") else { return };
        let (first, last) = (lines(block.text, variable.at()), lines(block.text, value.whole()));
        if last.span.start < first.span.start {
            return;
        }
        let place = Location { span: first.span.to(last.span), ..first };
        let own = format!("{key}.{}", variable.str().unwrap_or(""));
        block.add(own, place, place, without(block.text, place, column));
    }
    block.note(facts);
}

/// Notes the lines of each item of a list `word`, and those of the list as a whole. A slot for `to` takes them.
pub fn note_items(facts: &mut Facts, holder: Node<'_>, word: &str, to: &'static str, key: &str) {
    let Some(mut block) = Block::of(holder, word, to, key, Node::is_seq) else { return };
    let text = block.text;
    let flow = is_flow(block.value);
    let items: Vec<Node<'_>> = block.value.items().collect();
    for (index, item) in items.iter().enumerate() {
        let whole = item.whole();
        let own = format!("{key}[{index}]");
        if block.is_elsewhere(whole) {
            return;
        }
        if flow {
            // With the comma behind it, or the one before the last.
            let (from, to_end) = match (items.get(index + 1), index.checked_sub(1).map(|before| &items[before])) {
                (Some(next), _) => (whole.span.start, next.whole().span.start),
                (None, Some(before)) => (before.whole().span.end, whole.span.end),
                (None, None) => (whole.span.start, whole.span.end),
            };
            let cut = Location { span: Span::new(from as usize, to_end as usize), ..whole };
            block.add(own, cut, lines(text, whole), text[whole.span.range()].to_string());
            continue;
        }
        let Some(column) = indent(text, whole, "- ") else { return };
        let first = Location { span: Span::empty(whole.span.start as usize), ..whole };
        let place = Location { span: lines(text, first).span.to(lines(text, last_of(*item)).span), ..whole };
        let body = Location { span: Span::new(whole.span.start as usize, place.span.end as usize), ..place };
        block.add(own, place, place, without(text, body, column));
    }
    block.note(facts);
}

/// A mapping or a list whose parts can be cut out, and what was found of it.
struct Block<'t> {
    text: &'t str,
    name: Node<'t>,
    value: Node<'t>,
    key: String,
    to: &'static str,
    /// All its lines, with that of its name.
    all: Location,
    parts: Vec<VariableLines>,
}

impl<'t> Block<'t> {
    /// What `word` holds, where it is of the `kind` and no one else's.
    fn of(holder: Node<'t>, word: &str, to: &'static str, key: &str, kind: fn(Node<'t>) -> bool) -> Option<Block<'t>> {
        let text = holder.document();
        let (name, value) = holder.entry(word).filter(|(_, value)| kind(*value))?;
        let all = lines(text, name.at());
        (!is_shared(text, name, value)).then(|| Block {
            text,
            name,
            value,
            key: key.to_string(),
            to,
            all,
            parts: Vec::new(),
        })
    }

    /// What an anchor or a merge brings in stands elsewhere, and others have it too.
    fn is_elsewhere(&self, at: Location) -> bool {
        at.source != self.name.at().source || at.span.start < self.name.at().span.end
    }

    fn add(&mut self, key: String, at: Location, lines: Location, text: String) {
        self.all.span = self.all.span.to(lines.span);
        self.parts.push(VariableLines { key, block: self.key.clone(), at, forms: vec![(self.to, text)] });
    }

    fn note(self, facts: &mut Facts) {
        facts.variable_edits.lines.extend(self.parts);
        let whole = VariableLines { key: self.key.clone(), block: self.key, at: self.all, forms: Vec::new() };
        facts.variable_edits.lines.push(whole);
    }
}

/// Makes the lines of a block those of its holder `word`, where that holds nothing else.
pub fn widen(facts: &mut Facts, parent: Node<'_>, word: &str, key: &str) {
    let Some((name, holder)) = parent.entry(word).filter(|(_, holder)| holder.entries().count() == 1) else { return };
    let text = holder.document();
    if is_shared(text, name, holder) {
        return;
    }
    let first = lines(text, name.at());
    for block in facts.variable_edits.lines.iter_mut().filter(|known| known.key == key && known.forms.is_empty()) {
        // A holder in braces has all on one line.
        if first.span.start < block.at.span.start {
            block.at.span = first.span.to(block.at.span);
        }
    }
}

/// The last scalar of a value: a mapping ends where that does.
fn last_of(node: Node<'_>) -> Location {
    if node.is_map() {
        node.entries().map(|(_, value)| last_of(value)).max_by_key(|at| at.span.end).unwrap_or(node.whole())
    } else if node.is_seq() {
        node.items().map(last_of).max_by_key(|at| at.span.end).unwrap_or(node.whole())
    } else {
        node.whole()
    }
}

/// Whether others have what stands here: it is an anchor, or stands behind a mark of one.
fn is_shared(text: &str, name: Node<'_>, value: Node<'_>) -> bool {
    let (from, to) = (name.whole().span.end as usize, value.whole().span.start as usize);
    text.get(from..to).is_none_or(|between| between.contains(['&', '*']))
}

/// Whether a list stands in brackets.
fn is_flow(list: Node<'_>) -> bool {
    list.document()[list.whole().span.start as usize..].starts_with('[')
}

/// Lines without their indentation and without the last line end.
fn without(text: &str, at: Location, column: usize) -> String {
    let lines = text[at.span.range()].trim_end_matches(['\n', '\r']).lines();
    let short = |line: &str| {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        line[blanks.min(column)..].to_string()
    };
    lines.map(short).collect::<Vec<_>>().join("\n")
}

/// How far a place stands from the start of its line, when only blanks (and perhaps a `dash`) stand before it.
fn indent(text: &str, at: Location, dash: &str) -> Option<usize> {
    let text = &text[..at.span.start as usize];
    let line = &text[text.rfind('\n').map_or(0, |end| end + 1)..];
    let bare = line.trim_start_matches(' ');
    (bare.is_empty() || bare == dash).then_some(line.len())
}

/// The whole lines of a place.
fn lines(text: &str, at: Location) -> Location {
    let begin = text[..at.span.start as usize].rfind('\n').map_or(0, |end| end + 1);
    let last = at.span.end as usize;
    // A text of several lines ends with its last line end.
    let end = match text[..last].ends_with('\n') && last > begin {
        true => last,
        false => text[last..].find('\n').map_or(text.len(), |end| last + end + 1),
    };
    Location::new(at.source, Span::new(begin, end))
}

fn line_end(text: &str, at: Location) -> &'static str {
    let rest = &text[at.span.end as usize..];
    let line = rest.split_inclusive('\n').next().unwrap_or("");
    if line.ends_with("\r\n") { "\r\n" } else { "\n" }
}

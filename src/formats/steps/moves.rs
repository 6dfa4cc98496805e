//! Where variables of a step or a job can be put in and cut out, byte for byte. Only block style: a mapping in braces is left to a person.

use crate::model::environment::VariableSlot;
use crate::model::facts::Facts;
use crate::model::span::{Location, Span};
use crate::syntax::tree::Node;

/// Notes where a step or a job takes further variables: at the front of its mapping `word`, else before the first of `anchors`, which say
/// what it does.
pub fn note_slot(facts: &mut Facts, holder: Node<'_>, word: &str, anchors: &[&str], key: &str) {
    let text = holder.document();
    let Some((action, _)) = anchors.iter().find_map(|anchor| holder.entry(anchor)) else { return };
    let end = line_end(text, action.at());
    let own = holder.entry(word).filter(|(_, map)| !map.is_null());
    let slot = match own {
        Some((_, map)) => {
            let Some((first, _)) = map.entries().next() else { return };
            let Some(indent) = indent(text, first.at(), "") else { return };
            let between = format!("{end}{}", " ".repeat(indent));
            let tail = between.clone();
            VariableSlot { step: key.to_string(), at: start(first.at()), lead: String::new(), between, tail }
        }
        None if holder.entry(word).is_some() => return,
        None => {
            let Some(indent) = indent(text, action.at(), "- ") else { return };
            let between = format!("{end}{}", " ".repeat(indent + 2));
            let tail = format!("{end}{}", " ".repeat(indent));
            let lead = format!("{word}:{between}");
            VariableSlot { step: key.to_string(), at: start(action.at()), lead, between, tail }
        }
    };
    facts.variable_edits.slots.push(slot);
}

/// Notes the lines of each variable of a mapping `word`, and those of the mapping as a whole.
pub fn note_lines(facts: &mut Facts, holder: Node<'_>, word: &str, key: &str) {
    let text = holder.document();
    let Some((name, map)) = holder.entry(word).filter(|(_, map)| map.is_map()) else { return };
    let mut all = lines(text, name.at());
    let mut found = Vec::new();
    for (variable, value) in map.entries() {
        if indent(text, variable.at(), "").is_none() {
            return;
        }
        let (first, last) = (lines(text, variable.at()), lines(text, value.whole()));
        let place = Location { span: first.span.to(last.span), ..first };
        all.span = all.span.to(place.span);
        found.push((format!("{key}.{}", variable.str().unwrap_or("")), place));
    }
    found.push((key.to_string(), all));
    facts.variable_edits.lines.extend(found);
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

fn start(at: Location) -> Location {
    Location { span: Span::empty(at.span.start as usize), ..at }
}

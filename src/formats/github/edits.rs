//! Where variables of workflows can be put in and cut out, byte for byte. Only block style: a mapping in braces is left to a person.

use super::reader::Reader;
use crate::model::environment::VariableSlot;
use crate::model::span::{Location, Span};
use crate::syntax::tree::Node;

impl Reader<'_> {
    /// Notes where a step takes further variables: at the front of its `env`, else before what it does.
    pub fn note_slot(&mut self, step: Node<'_>, key: &str) {
        let Some((action, _)) = step.entry("run").or_else(|| step.entry("uses")) else { return };
        let end = self.line_end(action.at());
        let own = step.entry("env").filter(|(_, env)| !env.is_null());
        let slot = match own {
            Some((_, env)) => {
                let Some((first, _)) = env.entries().next() else { return };
                let Some(indent) = self.indent(first.at(), "") else { return };
                let between = format!("{end}{}", " ".repeat(indent));
                let tail = between.clone();
                VariableSlot { step: key.to_string(), at: start(first.at()), lead: String::new(), between, tail }
            }
            None if step.entry("env").is_some() => return,
            None => {
                let Some(indent) = self.indent(action.at(), "- ") else { return };
                let between = format!("{end}{}", " ".repeat(indent + 2));
                let tail = format!("{end}{}", " ".repeat(indent));
                VariableSlot { step: key.to_string(), at: start(action.at()), lead: format!("env:{between}"), between, tail }
            }
        };
        self.facts.variable_edits.slots.push(slot);
    }

    /// Notes the lines of each variable of an `env` mapping, and those of the mapping as a whole.
    pub fn note_lines(&mut self, holder: Node<'_>, key: &str) {
        let Some((name, env)) = holder.entry("env").filter(|(_, env)| env.is_map()) else { return };
        let mut all = self.lines(name.at());
        for (variable, value) in env.entries() {
            if self.indent(variable.at(), "").is_none() {
                return;
            }
            let (first, last) = (self.lines(variable.at()), self.lines(value.whole()));
            let lines = Location { span: first.span.to(last.span), ..first };
            all.span = all.span.to(lines.span);
            let variable = variable.str().unwrap_or("");
            self.facts.variable_edits.lines.push((format!("{key}.{variable}"), lines));
        }
        self.facts.variable_edits.lines.push((key.to_string(), all));
    }

    /// How far a place stands from the start of its line, when only blanks (and perhaps a `dash`) stand before it.
    fn indent(&self, at: Location, dash: &str) -> Option<usize> {
        let text = &self.source.text[..at.span.start as usize];
        let line = &text[text.rfind('\n').map_or(0, |end| end + 1)..];
        let bare = line.trim_start_matches(' ');
        (bare.is_empty() || bare == dash).then_some(line.len())
    }

    /// The whole lines of a place.
    fn lines(&self, at: Location) -> Location {
        let text = &self.source.text;
        let begin = text[..at.span.start as usize].rfind('\n').map_or(0, |end| end + 1);
        let last = at.span.end as usize;
        // A text of several lines ends with its last line end.
        let end = match text[..last].ends_with('\n') && last > begin {
            true => last,
            false => text[last..].find('\n').map_or(text.len(), |end| last + end + 1),
        };
        Location::new(at.source, Span::new(begin, end))
    }

    fn line_end(&self, at: Location) -> &'static str {
        let rest = &self.source.text[at.span.end as usize..];
        let line = rest.split_inclusive('\n').next().unwrap_or("");
        if line.ends_with("\r\n") { "\r\n" } else { "\n" }
    }
}

fn start(at: Location) -> Location {
    Location { span: Span::empty(at.span.start as usize), ..at }
}

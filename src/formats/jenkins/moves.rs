//! Where credentials of an `environment` block can be put in and cut out, byte for byte: into the block of a stage, or around one step with
//! `withCredentials`. Only what stands on lines of its own.

use crate::model::environment::{VariableLines, VariableSlot};
use crate::model::facts::Facts;
use crate::model::pipeline::Step;
use crate::model::span::{Location, Span};
use crate::syntax::groovy::{self, Call, Item, Str, Value};

/// Around one step.
const AROUND: &str = "withCredentials";

/// How deep blocks are gone into.
const MAX_DEPTH: usize = 60;

/// In the block of a stage.
const BLOCK: &str = "environment";

/// Notes the lines of each credential of an `environment` block, and those of the block.
pub fn note_lines(facts: &mut Facts, source: &str, holder: &Call, key: &str) {
    let Some(call) = holder.call(BLOCK) else { return };
    let items = call.block.as_deref().unwrap_or(&[]);
    for item in items {
        let Item::Assign(name, at, Value::Call(value)) = item else { continue };
        let Some(id) = value.first().and_then(Value::says).filter(|_| value.name == "credentials") else { continue };
        let line = line(source, *at);
        let text = source[line.clone()].trim();
        // A user and a password make two more variables, and both move or none.
        let double = ["_USR", "_PSW"].iter().any(|end| source.contains(&format!("{name}{end}")));
        // Where the program itself reads it, nobody knows how long it has to live.
        let elsewhere = count(source, name) != 1 + in_scripts(holder.block.as_deref().unwrap_or(&[]), name, 0);
        if double || elsewhere || text != format!("{name} = credentials('{id}')") {
            continue;
        }
        facts.variable_edits.lines.push(VariableLines {
            key: format!("{key}.{name}"),
            block: key.to_string(),
            at: Location { span: Span::new(line.start, line.end), ..*at },
            forms: vec![
                (AROUND, format!("string(credentialsId: '{id}', variable: '{name}')")),
                (BLOCK, text.to_string()),
            ],
        });
    }
    let Some(Item::Assign(_, last, _)) = items.last() else { return };
    let (first, last) = (line(source, call.at), line(source, *last));
    let end = source[last.end..].lines().next().unwrap_or("");
    if source[first.clone()].trim() == "environment {" && end.trim() == "}" {
        let end = (last.end + end.len() + 1).min(source.len());
        let at = Location { span: Span::new(first.start, end), ..call.at };
        let whole = VariableLines { key: key.to_string(), block: key.to_string(), at, forms: Vec::new() };
        facts.variable_edits.lines.push(whole);
    }
}

/// Notes where a stage takes further variables.
pub fn note_stage(facts: &mut Facts, source: &str, stage: &Call, key: &str) {
    let (Some(steps), Some(outer)) = (stage.call("steps"), column(source, stage.at)) else { return };
    let Some(inner) = column(source, steps.at) else { return };
    let (end, blank) = (line_end(source, steps.at), " ".repeat(inner));
    let slot = match stage.call(BLOCK) {
        Some(own) => {
            let Some(Item::Assign(_, first, _)) = own.block.as_deref().and_then(<[Item]>::first) else { return };
            let Some(column) = column(source, *first) else { return };
            let between = format!("{end}{}", " ".repeat(column));
            VariableSlot { tail: between.clone(), between, ..VariableSlot::at(*first, BLOCK) }
        }
        None => {
            let between = format!("{end}{blank}{}", " ".repeat(inner.saturating_sub(outer)));
            let tail = format!("{end}{blank}}}{end}{blank}");
            VariableSlot { lead: format!("environment {{{between}"), between, tail, ..VariableSlot::at(steps.at, BLOCK) }
        }
    };
    facts.variable_edits.slots.push(VariableSlot { step: key.to_string(), ..slot });
}

/// Notes where credentials are bound around a step.
pub fn note_step(facts: &mut Facts, source: &str, call: &Call, text: &Str, step: &Step) {
    let Some(column) = column(source, call.at) else { return };
    let from = text.text.at.span.end as usize;
    let rest = source[from..].lines().next().unwrap_or("");
    let bare = ["'''", "\"\"\"", "'", "\""].iter().find_map(|quote| rest.strip_prefix(quote));
    let Some(bare) = bare.filter(|bare| matches!(bare.trim(), "" | ")" | ");" | ";")) else { return };
    let after = from + rest.len() - bare.len() + bare.trim_end().len();
    let (end, blank) = (line_end(source, call.at), " ".repeat(column));
    let close = Location { span: Span::empty(after), ..call.at };
    facts.variable_edits.slots.push(VariableSlot {
        step: step.key.clone(),
        lead: format!("{AROUND}(["),
        between: ", ".to_string(),
        tail: format!("]) {{{end}{blank}  "),
        close: Some((close, format!("{end}{blank}}}"))),
        ..VariableSlot::at(call.at, AROUND)
    });
}

/// How often a text has a name as a whole word.
fn count(text: &str, name: &str) -> usize {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let alone = |at: usize| !part(text[..at].chars().next_back()) && !part(text[at + name.len()..].chars().next());
    text.match_indices(name).filter(|(at, _)| alone(*at)).count()
}

/// How often scripts have a name.
fn in_scripts(items: &[Item], name: &str, depth: usize) -> usize {
    if depth > MAX_DEPTH {
        return 0;
    }
    let of_call = |call: &Call| -> usize {
        let is_script = matches!(call.name.as_str(), "sh" | "bat" | "powershell" | "pwsh");
        let inner = |argument: &Value| match argument {
            Value::Text(text) if is_script => count(&text.text.text, name),
            Value::Call(call) => in_scripts(&[Item::Call((**call).clone())], name, depth + 1),
            Value::Block(items) => in_scripts(items, name, depth + 1),
            _ => 0,
        };
        let arguments: usize = call.arguments.iter().map(|argument| inner(&argument.value)).sum();
        arguments + in_scripts(call.block.as_deref().unwrap_or(&[]), name, depth + 1)
    };
    groovy::calls(items).map(of_call).sum()
}

/// The whole line of a place.
fn line(source: &str, at: Location) -> std::ops::Range<usize> {
    let start = at.span.start as usize;
    let begin = source[..start].rfind('\n').map_or(0, |end| end + 1);
    begin..source[start..].find('\n').map_or(source.len(), |end| start + end + 1)
}

/// How far a place stands from the start of its line, when only blanks stand before it.
fn column(source: &str, at: Location) -> Option<usize> {
    let line = &source[line(source, at).start..at.span.start as usize];
    line.chars().all(|c| c == ' ').then_some(line.len())
}

fn line_end(source: &str, at: Location) -> &'static str {
    if source[line(source, at)].ends_with("\r\n") { "\r\n" } else { "\n" }
}

//! How a secret that a system pastes into program text is left to the shell instead: the edits, and how sure they are. Knows no rule.

use crate::model::dialect::{Dialect, Unpaste};
use crate::model::edit::Edit;
use crate::model::finding::Safety;
use crate::model::pipeline::{Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::script::{Language, Script};
use crate::model::secrets::names::JOB_TOKEN;
use crate::model::span::{Location, Span};

/// A secret in a text: where, by which names, and whether nothing else stands there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// Where.
    pub at: Location,
    /// The names.
    pub names: &'p [String],
    /// Whether it is one secret and nothing else.
    pub whole: bool,
}

/// How many places of one step are edited: one with more is not mended by a machine.
const MAX_PLACES: usize = 40;

/// The edits, when every place of the step can be edited.
pub fn edits(project: &Project, system: &Dialect, step: &Step, places: &[Place]) -> Option<(Vec<Edit>, Safety)> {
    let StepKind::Run(script) = &step.kind else { return None };
    if script.shell.language != Language::Posix || places.len() > MAX_PLACES {
        return None;
    }
    match system.secrets.unpaste {
        Unpaste::Never => None,
        Unpaste::Variable(lead) => variables(project, step, script, places, lead),
        Unpaste::Double => doubled(project, places),
        Unpaste::Quotes => requoted(project, step, script, places),
    }
}

/// The secrets as variables of the step.
fn variables(
    project: &Project,
    step: &Step,
    script: &Script,
    places: &[Place],
    lead: &str,
) -> Option<(Vec<Edit>, Safety)> {
    let slot = project.facts_of(step.at.source).variable_edits.slot(&step.key)?;
    let mut added: Vec<(String, String)> = Vec::new();
    let mut edits = Vec::new();
    let mut safety = Safety::Safe;
    for one in places {
        let ([name], true) = (one.names, one.whole) else { return None };
        let value = project.sources.text(one.at);
        let plain = value.starts_with(lead) && !value.contains([':', '#', '\n', '"']);
        let variable = if name == JOB_TOKEN { "GITHUB_TOKEN".to_string() } else { name.clone() };
        if !plain || !is_variable(&variable) {
            return None;
        }
        match step.env.iter().find(|known| known.name == variable) {
            Some(known) if matches!(&known.value, Value::Secret { names, whole: true, .. } if names == one.names) => {}
            Some(_) => return None,
            None if added.iter().any(|(known, _)| *known == variable) => {}
            None => added.push((variable.clone(), value.to_string())),
        }
        let (edit, sure) = in_place(project, script.at, one.at, &variable)?;
        safety = safety.max(sure);
        edits.push(edit);
    }
    // A secret that a wider scope holds under this name is the same variable; another value would be hidden by it.
    if !added.is_empty() {
        edits.push(slot.insert(&added));
    }
    edits.sort();
    Some((edits, safety))
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// A second dollar before each.
fn doubled(project: &Project, places: &[Place]) -> Option<(Vec<Edit>, Safety)> {
    let edit = |one: &Place| {
        // What would be computed of it is not the shell's to compute in the same way.
        let text = project.sources.text(one.at);
        let name = text.trim_start_matches(['$', '{']).trim_end_matches('}');
        let plain = text.starts_with('$') && one.names.iter().any(|known| known == name);
        let start = Location { span: Span::empty(one.at.span.start as usize), ..one.at };
        plain.then(|| Edit::replace(start, "$"))
    };
    Some((places.iter().map(edit).collect::<Option<Vec<Edit>>>()?, Safety::Unsafe))
}

/// Single quotes around the script, double quotes in it.
fn requoted(project: &Project, step: &Step, script: &Script, places: &[Place]) -> Option<(Vec<Edit>, Safety)> {
    let at = script.at;
    let source = &project.source(at.source).text;
    let inner = project.sources.text(at);
    // Whatever else the program puts in, it has to go on putting in.
    let others = step.pasted.iter().any(|one| !matches!(one.value, Value::Secret { .. }));
    if others || inner.contains(['"', '\\', '`']) {
        return None;
    }
    let (start, end) = (at.span.start as usize, at.span.end as usize);
    let (before, after) = (&source[..start], &source[end..]);
    let long = before.ends_with("\"\"\"") && after.starts_with("\"\"\"");
    let width = if long { 3 } else { 1 };
    if !(before.ends_with('"') && after.starts_with('"')) {
        return None;
    }
    let place = |from: usize, to: usize| Location::new(at.source, Span::new(from, to));
    let mut edits = vec![
        Edit::replace(place(start - width, start), "'".repeat(width)),
        Edit::replace(place(end, end + width), "'".repeat(width)),
    ];
    edits.extend(
        inner.match_indices('\'').map(|(found, _)| Edit::replace(place(start + found, start + found + 1), "\"")),
    );
    for one in places {
        let ([name], text) = (one.names, project.sources.text(one.at)) else { return None };
        let bare = text.trim_start_matches(['$', '{']).trim_end_matches('}');
        if !text.starts_with('$') {
            return None;
        }
        if bare != name {
            edits.push(Edit::replace(one.at, format!("${{{name}}}")));
        }
    }
    edits.sort();
    Some((edits, Safety::Unsafe))
}

/// The variable in place of the pasted text, with the quotes that it needs.
fn in_place(project: &Project, script: Location, at: Location, name: &str) -> Option<(Edit, Safety)> {
    let source = project.source(at.source);
    if !(script.source == at.source && script.span.contains(at.span)) {
        return None;
    }
    let text = &source.text;
    let (start, end) = (at.span.start as usize, at.span.end as usize);
    let line = &text[text[..start].rfind('\n').map_or(0, |end| end + 1).max(script.span.start as usize)..start];
    let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let variable = if part(after) { format!("${{{name}}}") } else { format!("${name}") };
    let edit = |span: Span, text: String| Edit::replace(Location::new(at.source, span), text);
    // A YAML text in double quotes would need its own escapes; here-documents may or may not expand.
    let document = text[script.span.start as usize..start].contains("<<");
    let yaml_quoted = text[..script.span.start as usize].ends_with(['"', '\'']);
    if document || yaml_quoted {
        return None;
    }
    match quote_at(line) {
        Some('"') => Some((edit(at.span, variable), Safety::Safe)),
        Some('\'') if before == Some('\'') && after == Some('\'') => {
            Some((edit(Span::new(start - 1, end + 1), format!("\"${name}\"")), Safety::Safe))
        }
        Some(_) => None,
        None => {
            let blank = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '=' || c == ';' || c == ')');
            (blank(before) && blank(after)).then(|| (edit(at.span, format!("\"{variable}\"")), Safety::Unsafe))
        }
    }
}

/// Which quote is open at the end of the beginning of a line. Inside of `$( )` quotes begin anew.
pub fn quote_at(line: &str) -> Option<char> {
    // One entry for each substitution that is open, and how many parentheses are open in it.
    let mut open: Vec<(Option<char>, usize)> = vec![(None, 0)];
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let inner = open.len() > 1;
        let (quote, depth) = open.last_mut()?;
        match (*quote, c) {
            (Some('"') | None, '\\') => drop(chars.next()),
            (Some('"') | None, '$') if chars.peek() == Some(&'(') => {
                chars.next();
                open.push((None, 0));
            }
            (None, '(') => *depth += 1,
            (None, ')') if *depth > 0 => *depth -= 1,
            (None, ')') if inner => drop(open.pop()),
            (None, '"' | '\'') => *quote = Some(c),
            (Some(own), c) if own == c => *quote = None,
            _ => {}
        }
    }
    open.last().and_then(|(quote, _)| *quote)
}

#[cfg(test)]
mod tests {
    use super::quote_at;

    #[test]
    fn quotes_begin_anew_in_substitutions() {
        for (line, want) in [
            ("a \"b", Some('"')),
            ("a 'b", Some('\'')),
            ("a \"b\" '", Some('\'')),
            ("a \"$(b 'c", Some('\'')),
            ("a \"$(b ", None),
            ("a \"$(b (c) 'd') ", Some('"')),
            ("a \"$(b \"c\") ", Some('"')),
            ("a '$(b \"", Some('\'')),
            ("a \\\" b", None),
            ("a) \"", Some('"')),
        ] {
            assert_eq!(quote_at(line), want, "{line}");
        }
    }
}

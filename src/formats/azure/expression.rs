//! `${{ … }}`: which of it can be decided from the files. Knows functions that compare; everything else stays open.
//!
//! <https://learn.microsoft.com/azure/devops/pipelines/process/expressions>

use std::ops::Range;

/// A value, as far as it is known.
pub type Known = Option<String>;

/// The expressions of a text: the whole with its marks, and the inside.
pub fn find(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("${{").map(|at| at + from) {
        let Some(len) = text[at..].find("}}") else { break };
        found.push((at..at + len + 2, text[at + 3..at + len].trim()));
        from = at + len + 2;
    }
    found
}

/// The inside of a text that is one expression and nothing else.
pub fn whole(text: &str) -> Option<&str> {
    match find(text)[..] {
        [(ref part, inner)] if text[..part.start].trim().is_empty() && text[part.end..].trim().is_empty() => Some(inner),
        _ => None,
    }
}

/// What an expression is, asked with what names stand for.
pub fn value(expression: &str, name: &dyn Fn(&str) -> Known, depth: usize) -> Known {
    let text = expression.trim();
    if depth > 16 {
        return None;
    }
    if let Some(inner) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return (!inner.contains('\'')).then(|| inner.to_string());
    }
    if let Some((function, inside)) = text.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
        return call(&function.trim().to_ascii_lowercase(), inside, name, depth + 1);
    }
    let lower = text.to_ascii_lowercase();
    if lower == "true" || lower == "false" || text.parse::<f64>().is_ok() {
        return Some(lower);
    }
    name(text)
}

fn call(function: &str, inside: &str, name: &dyn Fn(&str) -> Known, depth: usize) -> Known {
    let arguments: Vec<&str> = arguments(inside);
    let get = |index: usize| arguments.get(index).and_then(|text| value(text, name, depth));
    let truth = |index: usize| get(index).map(|value| is_true(&value));
    let answer = match function {
        "eq" => same(&get(0)?, &get(1)?),
        "ne" => !same(&get(0)?, &get(1)?),
        "not" => !truth(0)?,
        "and" | "or" => {
            let all: Vec<Option<bool>> = (0..arguments.len()).map(truth).collect();
            let stops = function == "or";
            if all.contains(&Some(stops)) {
                stops
            } else if all.contains(&None) {
                return None;
            } else {
                !stops
            }
        }
        "in" => {
            let first = get(0)?;
            let others: Option<Vec<String>> = (1..arguments.len()).map(get).collect();
            others?.iter().any(|other| same(&first, other))
        }
        "startswith" => get(0)?.to_ascii_lowercase().starts_with(&get(1)?.to_ascii_lowercase()),
        _ => return None,
    };
    Some(answer.to_string())
}

/// Whether a text counts as true.
pub fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "" | "false" | "0")
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Arguments between commas that stand in no parentheses, brackets or quotes.
fn arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0usize, false, 0);
    let mut list = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                list.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    list.push(&text[start..]);
    list
}

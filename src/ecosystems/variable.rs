//! Expressions inside references (`$X`, `${X:-y}`, `${{ x }}`, `<< x >>`, `$(x)`, `{{ x }}`) and their written defaults.
//! Does not know any value.

use crate::model::pipeline::Value;
use crate::model::secrets::looks_secret;
use std::ops::Range;

/// An expression in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// The bytes of its default (`y` in `${X:-y}`), when it has one and that is plain.
    pub default: Option<Range<usize>>,
}

/// Whether any part of the text is decided by an expression.
pub fn is_variable(text: &str) -> bool {
    !find(text).is_empty()
}

/// The expressions of a text in order.
pub fn find(text: &str) -> Vec<Variable> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match starts(&text[at..]) {
            Some((len, default)) => {
                let default = default.map(|range| range.start + at..range.end + at);
                found.push(Variable { at: at..at + len, default });
                at += len;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// The name in `$NAME` or `${NAME}` as the whole of a text.
pub fn name_of(written: &str) -> Option<&str> {
    let braced = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let name = braced.or_else(|| written.strip_prefix('$'))?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some(name)
}

/// What a text with `$NAME` in it is, where the names come from a server: a secret when one that the file does not define is named like
/// one.
pub fn value(text: &str, is_defined: impl Fn(&str) -> bool) -> Value {
    let found = find(text);
    if found.is_empty() {
        return Value::Literal(text.to_string());
    }
    let names = found.iter().filter_map(|variable| name_of(&text[variable.at.clone()]));
    let names: Vec<String> = names.filter(|name| !is_defined(name) && looks_secret(name)).map(str::to_string).collect();
    if names.is_empty() {
        return Value::Expression(text.to_string());
    }
    Value::Secret { whole: found.len() == 1 && found[0].at == (0..text.len()), names, derived: false }
}

/// Length of the expression at the start of `text`, and where its default is.
fn starts(text: &str) -> Option<(usize, Option<Range<usize>>)> {
    for (open, close) in
        [("${{", "}}"), ("{{", "}}"), ("<<", ">>"), ("$((", "))"), ("$(", ")"), ("$[[", "]]"), ("$[", "]")]
    {
        if let Some(inner) = text.strip_prefix(open) {
            let end = inner.find(close).map_or(text.len(), |end| open.len() + end + close.len());
            return Some((end, None));
        }
    }
    if text.starts_with("${") {
        return Some(braced(text));
    }
    let rest = text.strip_prefix('$')?;
    let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    Some((1 + len, None))
}

/// `${X}`, `${X:-default}`, `${X-default}` at the start of `text`; braces inside of it are counted.
fn braced(text: &str) -> (usize, Option<Range<usize>>) {
    let mut depth = 0usize;
    let mut end = text.len();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => {
                end = at + 1;
                break;
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    let inner = text.get(2..end.saturating_sub(1)).unwrap_or("");
    let name = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let mark = [":-", "-"].into_iter().find(|mark| inner[name..].starts_with(mark));
    let default = mark.map(|mark| 2 + name + mark.len()..2 + inner.len());
    (end, default.filter(|range| !range.is_empty() && !text[range.clone()].contains('$')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found_with_their_defaults() {
        type Row<'r> = (&'r str, &'r [(&'r str, Option<&'r str>)]);
        let rows: &[Row] = &[
            ("python:3", &[]),
            ("a:$V-b", &[("$V", None)]),
            ("a:${V:-3.12}", &[("${V:-3.12}", Some("3.12"))]),
            ("a:${V-3}x", &[("${V-3}", Some("3"))]),
            ("a:${V:-${W}}", &[("${V:-${W}}", None)]),
            ("a:${{ matrix.x }}", &[("${{ matrix.x }}", None)]),
            ("<< pipeline.x >>/b", &[("<< pipeline.x >>", None)]),
            ("a:$(tag)", &[("$(tag)", None)]),
            ("a:{{ tag }}", &[("{{ tag }}", None)]),
            ("a:${V", &[("${V", None)]),
        ];
        for (text, want) in rows {
            let got = find(text);
            let got: Vec<_> = got.iter().map(|v| (&text[v.at.clone()], v.default.clone().map(|d| &text[d]))).collect();
            assert_eq!(&got, want, "{text}");
        }
    }
}

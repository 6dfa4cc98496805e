//! Expressions inside references (`$X`, `${X:-y}`, `${{ x }}`, `<< x >>`, `$(x)`, `{{ x }}`) and their written defaults.
//! Knows no value itself: who resolves a text says what its names stand for.

use crate::model::pipeline::Value;
use crate::model::secrets::looks_secret;
use crate::model::text::{Mapped, Text};
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

/// How many texts one text may become.
const MAX_TEXTS: usize = 64;
/// How long a text with its expressions replaced may be.
const MAX_LENGTH: usize = 1 << 16;
/// How deep values may name each other.
const MAX_VALUES: usize = 4;

/// What stands inside of an expression: `x` of `$(x)`, `${x}`, `$x`, `{{ x }}`.
pub fn inner(written: &str) -> &str {
    const PAIRS: [(&str, &str); 6] =
        [("${{", "}}"), ("{{", "}}"), ("<<", ">>"), ("$(", ")"), ("$[[", "]]"), ("${", "}")];
    let pair = PAIRS.iter().find_map(|(open, close)| written.strip_prefix(open)?.strip_suffix(close));
    pair.or_else(|| written.strip_prefix('$')).unwrap_or(written).trim()
}

/// Every text that `text` becomes when expressions are replaced by what `values` says their inner text stands for.
///
/// An expression that nothing is known of stays as it is written. Replaced parts keep the places of the values.
pub fn resolve(text: &Mapped, values: &dyn Fn(&str) -> Vec<Text>) -> Vec<Mapped> {
    resolve_at(text, values, MAX_VALUES)
}

fn resolve_at(text: &Mapped, values: &dyn Fn(&str) -> Vec<Text>, depth: usize) -> Vec<Mapped> {
    let found = find(&text.text);
    if depth == 0 || found.is_empty() {
        return vec![text.clone()];
    }
    let mut texts = vec![Mapped::opaque("", text.at)];
    let mut done = 0;
    for variable in found {
        let between = text.slice(done..variable.at.start);
        texts.iter_mut().for_each(|one| one.append(&between));
        done = variable.at.end;
        let known = values(inner(&text.text[variable.at.clone()]));
        let mut parts: Vec<Mapped> =
            known.iter().flat_map(|value| resolve_at(&Mapped::of(value), values, depth - 1)).collect();
        if parts.is_empty() || texts.iter().any(|one| one.text.len() > MAX_LENGTH) {
            parts = vec![text.slice(variable.at.clone())];
        }
        let joined = texts.iter().flat_map(|one| {
            parts.iter().map(|part| {
                let mut one = one.clone();
                one.append(part);
                one
            })
        });
        texts = joined.take(MAX_TEXTS).collect();
    }
    let rest = text.slice(done..text.text.len());
    texts.iter_mut().for_each(|one| one.append(&rest));
    texts
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
    fn expressions_become_what_they_stand_for() {
        use crate::model::span::{Location, SourceId, Span};
        let text = |text: &str, at: usize| Text {
            text: text.to_string(),
            at: Location::new(SourceId(0), Span::new(at, at + text.len())),
            verbatim: true,
        };
        let values = |name: &str| match name {
            "params.v" => vec![text("3.12", 50), text("3.13", 60)],
            "_X" => vec![text("a$_X", 70)],
            _ => Vec::new(),
        };
        let says = |written: &str| -> Vec<String> {
            resolve(&Mapped::of(&text(written, 0)), &values).into_iter().map(|one| one.text).collect()
        };
        assert_eq!(says("python:$(params.v)-slim"), ["python:3.12-slim", "python:3.13-slim"]);
        assert_eq!(says("$(params.other)/x"), ["$(params.other)/x"]);
        assert_eq!(says("${_X}"), ["aaaa$_X"]);
        let one = &resolve(&Mapped::of(&text("python:{{ params.v }}", 0)), &values)[0];
        assert_eq!(one.place(7..11).0.span, Span::new(50, 54));
    }

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

//! Variables that a file hands through from whoever starts it: `${X}`, `${localEnv:X}`, `{env:X}`. Knows no format.

use super::names::looks_secret;
use crate::model::pipeline::Value;

/// What the value of a variable is, where `$X` comes from the caller. A secret when the name in it says so and no default stands beside:
/// with a default it is a development setting.
///
/// `lead` is what stands before a name inside of the braces, if the format has such a thing (`localEnv:`, `env:`).
pub fn value(text: &str, leads: &[&str]) -> Value {
    let mut names: Vec<String> = Vec::new();
    let mut computed = false;
    let mut whole = false;
    let mut rest = text;
    let mut at = 0;
    while let Some(open) = rest.find(['$', '{']) {
        let start = at + open;
        let tail = &text[start..];
        // `$$X` is a plain `$X`.
        if tail.starts_with("$$") {
            at = start + 2;
            rest = &text[at..];
            continue;
        }
        let inner = tail.strip_prefix("${").or_else(|| tail.strip_prefix('{'));
        let (name, end, fallback) = match inner {
            Some(inner) => {
                let end = inner.find('}').unwrap_or(inner.len());
                let body = &inner[..end];
                let body = leads.iter().find_map(|lead| body.strip_prefix(lead)).unwrap_or(body);
                let stop = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(body.len());
                let fallback = body[stop..].trim_start_matches([':', '-']);
                let asks = body[stop..].trim_start_matches(':').starts_with(['?', '+']);
                (&body[..stop], tail.len() - inner.len() + end + 1, !fallback.is_empty() && !asks)
            }
            None => {
                let body = &tail[1..];
                let stop = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(body.len());
                (&body[..stop], stop + 1, false)
            }
        };
        computed |= !name.is_empty();
        if looks_secret(name) && !fallback {
            names.push(name.to_string());
            whole = start == 0 && end >= text.len();
        }
        at = (start + end.max(1)).min(text.len());
        while !text.is_char_boundary(at) {
            at += 1;
        }
        rest = &text[at..];
    }
    match (names.is_empty(), computed) {
        (false, _) => Value::Secret { whole: whole && names.len() == 1, names, derived: false },
        (true, true) => Value::Expression(text.to_string()),
        (true, false) => Value::Literal(text.to_string()),
    }
}

/// What a variable is that is handed through by its name alone.
pub fn by_name(name: &str) -> Value {
    match looks_secret(name) {
        true => Value::Secret { names: vec![name.to_string()], whole: true, derived: false },
        false => Value::Expression(format!("${name}")),
    }
}

/// What one entry is that stands for many variables.
pub fn set(pattern: &str) -> Value {
    Value::Secret { names: vec![pattern.to_string()], whole: false, derived: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_values_are_found() {
        let names = |text: &str| match value(text, &["localEnv:", "env:"]) {
            Value::Secret { names, whole, .. } => Some((names.join(" "), whole)),
            _ => None,
        };
        for (text, want) in [
            ("${API_TOKEN}", Some(("API_TOKEN", true))),
            ("$API_TOKEN", Some(("API_TOKEN", true))),
            ("${API_TOKEN:?}", Some(("API_TOKEN", true))),
            ("Bearer ${localEnv:API_TOKEN}", Some(("API_TOKEN", false))),
            ("{env:API_TOKEN}", Some(("API_TOKEN", true))),
            ("${DB_PASSWORD:-postgres}", None),
            ("${localEnv:API_TOKEN:none}", None),
            ("$$API_TOKEN", None),
            ("${HOME}/x", None),
            ("{posargs}", None),
            ("plain", None),
            ("ü${", None),
        ] {
            assert_eq!(names(text), want.map(|(names, whole)| (names.to_string(), whole)), "{text}");
        }
        assert!(matches!(value("plain {", &[]), Value::Literal(_)));
    }
}

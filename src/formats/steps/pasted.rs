//! Secrets that a system puts into the text of a script before any shell reads it: `$X` of an upload, `${X}` of a preprocessor, `$(params.x)`.
//! Is no format itself.

use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::secrets::looks_secret;
use crate::model::text::Mapped;
use std::ops::Range;

/// A part of a text and the variable that it names.
pub type Named = (Range<usize>, String);

/// The parts that hold a secret: by the variables that the file itself gives to the script, the narrowest first, else by their names.
pub fn pasted<'a>(
    text: &Mapped,
    parts: Vec<Named>,
    given: impl IntoIterator<Item = &'a Assignment>,
    key: &str,
) -> Vec<Assignment> {
    let given: Vec<&Assignment> = given.into_iter().collect();
    let holds = parts.into_iter().filter(|(_, name)| match given.iter().find(|one| one.name == *name) {
        Some(one) => matches!(one.value, Value::Secret { .. }),
        None => looks_secret(name),
    });
    let assignment = |(part, name): Named| {
        let value = Value::Secret { names: vec![name], whole: true, derived: false };
        Assignment {
            name: "script".to_string(),
            value,
            scope: Scope::Step,
            at: text.place(part).0,
            key: key.to_string(),
        }
    };
    holds.map(assignment).collect()
}

/// A text after `$NAME` and `${NAME}` in it were replaced by whoever sends it, and what was replaced: `$$` and `\$` stand for a dollar, `\\`
/// for itself, `$(` is left alone. <https://github.com/buildkite/interpolate>
pub fn interpolated(text: Mapped) -> (Mapped, Vec<Named>) {
    let bytes = text.text.as_bytes();
    let (mut escapes, mut parts) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'\\')) | (b'$', Some(b'(')) => at += 2,
            (b'\\' | b'$', Some(b'$')) => {
                escapes.push(at);
                at += 2;
            }
            (b'$', Some(_)) => {
                let end = expansion(&text.text, at, &mut parts);
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
    }
    (without(text, &escapes), parts)
}

/// Notes the expansion that begins at a dollar; its end.
fn expansion(text: &str, at: usize, parts: &mut Vec<Named>) -> usize {
    let rest = &text[at + 1..];
    let braced = rest.starts_with('{');
    let name = rest.trim_start_matches('{');
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    let name = &name[..end];
    if name.is_empty() || name.starts_with(|c: char| !c.is_ascii_alphabetic()) {
        return at + 1;
    }
    let stop = match braced {
        true => rest.find('}').map_or(text.len(), |close| at + 1 + close + 1),
        false => at + 1 + end,
    };
    parts.push((at..stop, name.to_string()));
    stop
}

/// A text without the bytes at some places.
fn without(text: Mapped, places: &[usize]) -> Mapped {
    if places.is_empty() {
        return text;
    }
    let mut out = Mapped::opaque("", text.at);
    let mut done = 0;
    for place in places {
        out.append(&text.slice(done..*place));
        done = place + 1;
    }
    out.append(&text.slice(done..text.text.len()));
    out
}

/// `${NAME}` that is not written `$${NAME}`: what preprocessors of Drone and Woodpecker replace.
/// <https://woodpecker-ci.org/docs/usage/environment#string-substitution>
pub fn braced(text: &str) -> Vec<Named> {
    let mut parts = Vec::new();
    for (at, _) in text.match_indices("${") {
        if !text[..at].ends_with('$') {
            expansion(text, at, &mut parts);
        }
    }
    parts
}

/// `$(params.NAME)`, and the names of other parentheses of a system whose names begin with `lead`.
pub fn parameters(text: &str, lead: &str) -> Vec<Named> {
    let found = text.match_indices("$(").filter_map(|(at, _)| {
        let end = at + text[at..].find(')')?;
        let name = text[at + 2..end].strip_prefix(lead)?;
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        plain.then(|| (at..end + 1, name.to_string()))
    });
    found.collect()
}

/// `$_NAME` and `${_NAME}`: substitutions of a user that a build is started with; `$$` is a dollar.
/// <https://cloud.google.com/build/docs/build-config-file-schema#substitutions>
pub fn substitutions(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut rest = 0;
    for (at, _) in text.match_indices('$') {
        if at < rest {
            continue;
        }
        rest = at + 1;
        if text[at + 1..].starts_with('$') {
            rest = at + 2;
        } else if text[at + 1..].trim_start_matches('{').starts_with('_') {
            let braced = text[at + 1..].starts_with('{');
            let start = at + 1 + usize::from(braced);
            let end = start
                + text[start..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len() - start);
            let stop = if braced && text[end..].starts_with('}') { end + 1 } else { end };
            found.push((at..stop, text[start..end].to_string()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn names(parts: &[Named]) -> Vec<&str> {
        parts.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn an_upload_replaces_what_is_not_escaped() {
        let text = "a $X ${Y:-z} $$A $${B} \\$C $(d $E) \\\\$F $1 $";
        let (out, parts) = interpolated(Mapped::verbatim(text, SourceId(0), 100));
        assert_eq!(out.text, "a $X ${Y:-z} $A ${B} $C $(d $E) \\\\$F $1 $");
        assert_eq!(names(&parts), ["X", "Y", "E", "F"]);
        assert_eq!(&text[parts[1].0.clone()], "${Y:-z}");
        assert_eq!(out.place(14..15).0.span.start, 115);
        assert_eq!(interpolated(Mapped::verbatim("ü${", SourceId(0), 0)).1, []);
    }

    #[test]
    fn each_system_replaces_its_own_spelling() {
        assert_eq!(names(&braced("${A} $${B} $C ${1}")), ["A"]);
        assert_eq!(names(&parameters("$(params.token) $(date) $(context.x) $(params.a", "params.")), ["token"]);
        assert_eq!(names(&substitutions("$_A $$_B ${_C} $D $${_E} ${_ü")), ["_A", "_C", "_"]);
    }
}

//! Variables of a Dockerfile and what they expand to, with the place of every part. Knows no value that is given from outside.
//!
//! <https://docs.docker.com/reference/dockerfile/#environment-replacement>

use crate::model::text::{Mapped, Text};
use std::collections::HashMap;

/// Values longer than this are left as written: nobody writes them, and expansions could otherwise double without end.
const MAX_LEN: usize = 4096;

/// Names and what is known of their values.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    values: HashMap<String, Mapped>,
}

impl Scope {
    /// Sets a variable; its value is expanded with what is known so far.
    pub fn set(&mut self, name: &str, value: &Text) {
        let value = self.expand(&mapped(value));
        self.values.insert(name.to_string(), value);
    }

    /// Takes the value of a variable from a wider scope (`ARG NAME` inside of a stage).
    pub fn import(&mut self, name: &str, wider: &Scope) {
        if let Some(value) = wider.values.get(name) {
            self.values.insert(name.to_string(), value.clone());
        }
    }

    /// The text with every variable replaced whose value is known; others stay as written.
    pub fn expand(&self, text: &Mapped) -> Mapped {
        let mut out = Mapped { text: String::new(), at: text.at, segments: Vec::new() };
        let mut done = 0;
        while let Some(found) = text.text[done..].find('$').map(|at| at + done) {
            out.append(&text.slice(done..found));
            done = self.variable(text, found, &mut out);
            if out.text.len() > MAX_LEN {
                return text.clone();
            }
        }
        out.append(&text.slice(done..text.text.len()));
        out
    }

    /// Appends what the variable at `start` expands to, and says where it ends.
    fn variable(&self, text: &Mapped, start: usize, out: &mut Mapped) -> usize {
        let rest = &text.text[start + 1..];
        let braced = rest.starts_with('{');
        let name_start = start + 1 + usize::from(braced);
        let name_len = name_len(&text.text[name_start..]);
        let name = &text.text[name_start..name_start + name_len];
        let after = name_start + name_len;
        let (end, operator) = match braced.then(|| brace_end(&text.text, start)) {
            None => (after, after..after),
            Some(Some(end)) => (end, after..end - 1),
            // Nothing closes it: the rest stays as written.
            Some(None) => {
                out.append(&text.slice(start..text.text.len()));
                return text.text.len();
            }
        };
        let value = (!name.is_empty()).then(|| self.operate(name, text.slice(operator))).flatten();
        out.append(&value.unwrap_or_else(|| text.slice(start..end)));
        end
    }

    /// `:-x`, `-x`, `:+x`, `+x`, `:?x`, `#x`, `%x` and nothing, applied to a variable.
    fn operate(&self, name: &str, operator: Mapped) -> Option<Mapped> {
        let value = self.values.get(name);
        let filled = value.filter(|value| !value.text.is_empty());
        let word = |len: usize| operator.slice(len.min(operator.text.len())..operator.text.len());
        let marks = [":-", ":+", ":?", "##", "%%", "-", "+", "?", "#", "%"];
        let mark = marks.into_iter().find(|mark| operator.text.starts_with(mark)).unwrap_or("");
        let empty = || Mapped { text: String::new(), at: operator.at, segments: Vec::new() };
        match mark {
            "" if operator.text.is_empty() => value.cloned(),
            ":-" => filled.cloned().or_else(|| Some(self.expand_once(word(2)))),
            "-" => value.cloned().or_else(|| Some(self.expand_once(word(1)))),
            ":+" => Some(filled.map_or_else(empty, |_| self.expand_once(word(2)))),
            "+" => Some(value.map_or_else(empty, |_| self.expand_once(word(1)))),
            ":?" | "?" => value.cloned(),
            "#" | "##" | "%" | "%%" => value.and_then(|value| strip(value, mark, &operator.text[mark.len()..])),
            _ => None,
        }
    }

    /// Variables inside of a default; defaults inside of these stay as written.
    fn expand_once(&self, word: Mapped) -> Mapped {
        match self.values.get(word.text.trim_start_matches(['$', '{']).trim_end_matches('}')) {
            Some(value) if word.text.starts_with('$') => value.clone(),
            _ => word,
        }
    }
}

/// `${X#prefix}` and `${X%suffix}` for plain patterns, with at most a leading or trailing `*`.
fn strip(value: &Mapped, mark: &str, pattern: &str) -> Option<Mapped> {
    let text = value.text.as_str();
    let plain = pattern.trim_matches('*');
    if plain.is_empty() || plain.contains(['*', '?', '[', '\\', '$']) {
        return None;
    }
    let kept = match (mark, pattern.starts_with('*'), pattern.ends_with('*')) {
        ("#" | "##", false, false) => text.strip_prefix(plain).map_or(0, |rest| text.len() - rest.len())..text.len(),
        ("#", true, false) => text.find(plain).map_or(0, |at| at + plain.len())..text.len(),
        ("##", true, false) => text.rfind(plain).map_or(0, |at| at + plain.len())..text.len(),
        ("%" | "%%", false, false) => 0..text.strip_suffix(plain).map_or(text.len(), str::len),
        ("%", false, true) => 0..text.rfind(plain).unwrap_or(text.len()),
        ("%%", false, true) => 0..text.find(plain).unwrap_or(text.len()),
        _ => return None,
    };
    Some(value.slice(kept))
}

fn name_len(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// Behind the brace that closes `${` at `start`; `None` when none does.
fn brace_end(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text[start..].bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return Some(start + at + 1),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A text as one segment, when it stands verbatim in its source.
pub fn mapped(text: &Text) -> Mapped {
    if text.verbatim {
        Mapped::verbatim(text.text.clone(), text.at.source, text.at.span.start as usize)
    } else {
        Mapped::opaque(text.text.clone(), text.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, SourceId, Span};

    fn text(text: &str, at: usize) -> Text {
        Text { text: text.into(), at: Location::new(SourceId(0), Span::new(at, at + text.len())), verbatim: true }
    }

    #[test]
    fn variables_expand_as_docker_says() {
        let mut scope = Scope::default();
        scope.set("V", &text("3.12", 50));
        scope.set("E", &text("", 60));
        scope.set("T", &text("$V-slim", 70));
        let rows = [
            ("python:$V", "python:3.12"),
            ("python:${V}-slim", "python:3.12-slim"),
            ("a:${N:-x}", "a:x"),
            ("a:${E:-x}", "a:x"),
            ("a:${E-x}", "a:"),
            ("a:${V:+y}${N:+z}", "a:y"),
            ("a:${N:-$V}", "a:3.12"),
            ("a:${N:-${V}}", "a:3.12"),
            ("a:$T", "a:3.12-slim"),
            ("a:${T%-*}", "a:3.12"),
            ("a:${T#3.}", "a:12-slim"),
            ("a:$N", "a:$N"),
            ("a:${N}", "a:${N}"),
            ("a:${N/x/y}", "a:${N/x/y}"),
            ("a$", "a$"),
            ("a${", "a${"),
            ("a${V", "a${V"),
            ("a${V(\u{38b}", "a${V(\u{38b}"),
            ("a${\u{38b}", "a${\u{38b}"),
        ];
        for (written, want) in rows {
            let got = scope.expand(&mapped(&text(written, 0)));
            assert_eq!(got.text, want, "{written}");
        }
    }

    #[test]
    fn parts_point_into_the_default() {
        let mut scope = Scope::default();
        scope.set("V", &text("3.12", 50));
        let got = scope.expand(&mapped(&text("python:$V", 10)));
        assert_eq!(got.place(7..11), (Location::new(SourceId(0), Span::new(50, 54)), true));
        assert_eq!(got.place(0..7).0.span, Span::new(10, 17));
        assert_eq!(got.at.span, Span::new(10, 19));
    }

    #[test]
    fn values_cannot_grow_without_end() {
        let mut scope = Scope::default();
        scope.set("A", &text("xxxxxxxxxxxxxxxx", 0));
        for _ in 0..64 {
            scope.set("A", &text("$A$A$A$A", 0));
        }
        assert!(scope.expand(&mapped(&text("$A", 0))).text.len() <= 4 * MAX_LEN);
    }
}

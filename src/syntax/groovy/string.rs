//! Strings of Groovy: six kinds of quotes, escapes, and what a program puts in.

use super::Str;
use super::parser::Parser;
use crate::model::text::Mapped;

impl Parser<'_> {
    /// A string of any kind.
    pub fn string(&mut self) -> Option<Str> {
        let rest = self.rest();
        let (open, close, puts_in) = [
            ("'''", "'''", false),
            ("\"\"\"", "\"\"\"", true),
            ("$/", "/$", true),
            ("'", "'", false),
            ("\"", "\"", true),
            ("/", "/", true),
        ]
        .into_iter()
        .find(|(open, ..)| rest.starts_with(open))?;
        self.at += open.len();
        let start = self.at;
        let mut out = Str {
            text: Mapped { text: String::new(), at: self.location(start..start), segments: Vec::new() },
            puts_in: Vec::new(),
        };
        let mut run = start;
        while self.at < self.text.len() && !self.rest().starts_with(close) {
            let byte = self.text.as_bytes()[self.at];
            match byte {
                // Backslashes of a pattern stand for themselves, and keep a slash from ending it.
                b'\\' if open == "/" => {
                    self.skip_char();
                    self.skip_char();
                }
                b'\\' if open != "$/" => {
                    out.text.push(&self.text[run..self.at], run);
                    self.escape(&mut out.text);
                    run = self.at;
                }
                b'$' if puts_in => {
                    out.text.push(&self.text[run..self.at], run);
                    run = self.at;
                    self.interpolation(&mut out, &mut run);
                }
                // A string on one line that does not end.
                b'\n' if open.len() == 1 => break,
                _ => self.skip_char(),
            }
        }
        out.text.push(&self.text[run..self.at], run);
        out.text.at = self.location(start..self.at);
        if self.rest().starts_with(close) {
            self.at += close.len();
        }
        Some(out)
    }

    /// Whether a slash begins a pattern, `/main|release.*/`: no comment and no division, and it ends on its line.
    pub fn is_pattern(&self) -> bool {
        let rest = &self.rest()[1..];
        let line = rest.lines().next().unwrap_or("");
        !rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '/' | '*' | '='))
            && line.replace("\\/", "").contains('/')
    }

    fn escape(&mut self, out: &mut Mapped) {
        self.at += 1;
        let Some(c) = self.rest().chars().next() else { return };
        self.at += c.len_utf8();
        let made = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            // A line goes on.
            '\n' => return,
            '\\' | '\'' | '"' | '$' => {
                return out.push(&self.text[self.at - c.len_utf8()..self.at], self.at - c.len_utf8());
            }
            other => other,
        };
        out.text.push(made);
    }

    /// `${expression}` or `$name.property`.
    fn interpolation(&mut self, out: &mut Str, run: &mut usize) {
        let start = self.at;
        let rest = self.rest();
        let (len, expression) = if rest.starts_with("${") {
            let mut open = 0usize;
            let end = rest.char_indices().find_map(|(at, c)| {
                match c {
                    '{' => open += 1,
                    '}' => {
                        open -= 1;
                        if open == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                None
            });
            let end = end.unwrap_or(2);
            (end, rest.get(2..end - 1).unwrap_or("").trim().to_string())
        } else {
            let len = rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
                .unwrap_or(rest.len() - 1);
            let name = rest[1..1 + len].trim_end_matches('.');
            (1 + name.len(), name.to_string())
        };
        self.at += len;
        let from = out.text.text.len();
        out.text.push(&self.text[start..self.at], start);
        *run = self.at;
        if !expression.is_empty() {
            out.puts_in.push((from..from + len, expression));
        }
    }
}

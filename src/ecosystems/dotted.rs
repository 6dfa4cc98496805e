//! Dotted numbers as people write versions (`v4`, `3.12`, `1.2.x`, `3.13.0rc1`). Does not know what a version is of.

use crate::model::pin::{Precision, Strength};

/// A dotted number at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dotted<'t> {
    /// The number as written, without a leading `v`.
    pub text: &'t str,
    /// How many numbers there are.
    pub parts: usize,
    /// Whether a part is `x` or `*`.
    pub wild: bool,
    /// What follows: `-slim`, `rc1`.
    pub rest: &'t str,
}

/// Reads a dotted number, with or without a leading `v`.
pub fn read(text: &str) -> Option<Dotted<'_>> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let mut parts = 0;
    let mut end = 0;
    loop {
        let digits = text[end..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            break;
        }
        parts += 1;
        end += digits;
        let next = &text[end..];
        if let Some(rest) = wildcard(next) {
            let text = &text[..text.len() - rest.len()];
            return Some(Dotted { text, parts, wild: true, rest });
        }
        let more = next.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !more {
            break;
        }
        end += 1;
    }
    (parts > 0).then(|| Dotted { text: &text[..end], parts, wild: false, rest: &text[end..] })
}

/// What follows `.x` or `.*`.
fn wildcard(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('.')?.strip_prefix(['x', 'X', '*'])?;
    let rest = rest.strip_prefix(".x").or_else(|| rest.strip_prefix(".*")).unwrap_or(rest);
    (!rest.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(rest)
}

impl Dotted<'_> {
    /// How firmly this many numbers hold a version of three.
    pub fn strength(&self) -> Strength {
        match (self.parts, self.wild) {
            (1, _) => Strength::Floating(Precision::Major),
            (_, true) | (2, _) => Strength::Floating(Precision::Minor),
            _ => Strength::Exact,
        }
    }
}

/// Whether a text names a numbered pre-release: `rc1`, `-rc.1`, `b3`, `-beta2`.
pub fn is_prerelease(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '.', '_']);
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, rest) = text.split_at(letters);
    let digits = rest.trim_start_matches(['.', '-']).bytes().take_while(u8::is_ascii_digit).count();
    let words = ["rc", "a", "b", "alpha", "beta", "pre", "preview", "c", "m", "post", "dev"];
    digits > 0 && words.contains(&word.to_ascii_lowercase().as_str())
}

/// Whether a text is all hexadecimal digits and looks like (a part of) a commit: 7 to 40 digits, letters and numbers both.
pub fn is_commit_like(text: &str) -> bool {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    (7..=40).contains(&text.len()) && hex && digit && letter
}

/// Whether a text holds a date (`2025-01-02`, `20250102`) or another number of six digits and more, which no release line has.
pub fn has_serial(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut run = 0;
    for at in 0..bytes.len() {
        run = if digit(at) { run + 1 } else { 0 };
        let separator = bytes.get(at + 1).copied();
        let dashed = run == 4 && matches!(separator, Some(b'-' | b'_')) && bytes.get(at + 4).copied() == separator;
        let days = digit(at + 2) && digit(at + 3) && digit(at + 5) && digit(at + 6) && !digit(at + 7);
        if run >= 6 || dashed && days {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted() {
        let rows = [
            ("v4", Some(("4", 1, false, ""))),
            ("3.12-slim", Some(("3.12", 2, false, "-slim"))),
            ("3.12.7", Some(("3.12.7", 3, false, ""))),
            ("3.x", Some(("3.x", 1, true, ""))),
            ("1.2.*", Some(("1.2.*", 2, true, ""))),
            ("3.13.0rc1", Some(("3.13.0", 3, false, "rc1"))),
            ("3.xyz", Some(("3", 1, false, ".xyz"))),
            ("slim", None),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(read(text).map(|d| (d.text, d.parts, d.wild, d.rest)), want, "{text}");
        }
    }

    #[test]
    fn serials_are_dates_and_long_numbers() {
        for (text, want) in [
            ("20250102", true),
            ("2025-01-02", true),
            ("RELEASE.2024-01-01T00-00-00Z", true),
            ("2024.10", false),
            ("2204", false),
            ("2022-12", false),
            ("build-512311", true),
        ] {
            assert_eq!(has_serial(text), want, "{text}");
        }
    }
}

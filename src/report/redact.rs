//! One mask per source, built from every secret-like literal in it, so that no output repeats one. Has no opinion on whether a
//! literal is a finding: it hides too much rather than too little.

use crate::model::literal::{shapes, urls};
use crate::model::secrets::names;
use crate::model::source::Source;
use crate::model::span::Span;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::borrow::Cow;
use std::sync::OnceLock;

/// What stands for a hidden text. Its length says nothing about what it hides.
pub const HIDDEN: &str = "***";

/// Words after `secret` names that say how, not what (`id-token: write`, `secrets: inherit`).
const PLAIN: &[&str] =
    &["true", "false", "null", "none", "yes", "no", "on", "off", "read", "write", "inherit", "always", "never"];

/// What is hidden of one source.
#[derive(Debug, Default, Clone)]
pub struct Mask {
    spans: Vec<Span>,
    literals: Vec<String>,
}

impl Mask {
    /// The mask of a source. `known` are places that rules found to hold a secret's text.
    pub fn of(source: &Source, known: &[Span]) -> Mask {
        // Two looks at one text that know nothing of each other; a large lock is often the only one.
        let look = |into: &(dyn Fn(&mut Mask) + Sync)| {
            let mut mask = Mask::default();
            into(&mut mask);
            mask
        };
        let tokens = |mask: &mut Mask| {
            shapes::find_loose(&source.text, &mut |start, end| mask.token(source, Span::new(start, end)));
        };
        let named = |mask: &mut Mask| {
            mask.urls(source);
            mask.keys(source);
        };
        let (mut mask, other) = rayon::join(|| look(&tokens), || look(&named));
        mask.spans.extend(other.spans);
        mask.literals.extend(other.literals);
        for &span in known {
            let text = source.slice(span);
            if !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains('$') {
                mask.hide(source, span, everywhere(text));
            }
        }
        mask.spans = merged(std::mem::take(&mut mask.spans));
        mask.literals.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        mask.literals.dedup();
        mask
    }

    /// The hidden places, in order and disjoint.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// `text`, which speaks of this source, without its secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.literals_of(hide_shapes(text))
    }

    /// `text`, which has no token and no credentials, without the secrets of this source.
    pub fn literals_of<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let mut out = text;
        for literal in &self.literals {
            if out.contains(literal.as_str()) {
                out = Cow::Owned(out.replace(literal.as_str(), HIDDEN));
            }
        }
        out
    }

    fn hide(&mut self, source: &Source, span: Span, everywhere: Everywhere) {
        self.spans.push(span);
        if everywhere == Everywhere::Yes {
            self.literals.push(source.slice(span).to_string());
        }
    }

    /// A token, or the lines of a private key.
    fn token(&mut self, source: &Source, span: Span) {
        self.spans.push(span);
        let lines = source.slice(span).lines().map(str::trim).filter(|line| line.len() >= 12);
        self.literals.extend(lines.map(str::to_string));
    }

    fn urls(&mut self, source: &Source) {
        userinfo(&source.text, &mut |start, end| {
            self.spans.push(Span::new(start, end));
            for part in source.text[start..end].splitn(2, ':') {
                if everywhere(part) == Everywhere::Yes {
                    self.literals.push(part.to_string());
                }
            }
        });
    }

    /// Values of keys that are named like secrets: `NAME: value`, `NAME=value`, `"NAME": "value"`, `--name value`, and the pair
    /// `name: NAME` with `value: …` on the next line.
    fn keys(&mut self, source: &Source) {
        let text = source.text.as_str();
        let mut done = 0;
        for found in name_words().find_iter(text) {
            if found.start() < done {
                continue;
            }
            let mut start = memchr::memrchr(b'\n', &text.as_bytes()[..found.start()]).map_or(0, |at| at + 1);
            let mut named = Pair::Other;
            loop {
                let line = text[start..].split_inclusive('\n').next().unwrap_or("");
                named = self.line(source, start, line, named);
                start += line.len();
                // The value of a named pair stands on the line after it.
                if named == Pair::Other || line.is_empty() {
                    break;
                }
            }
            done = start;
        }
    }

    fn line(&mut self, source: &Source, start: usize, line: &str, before: Pair) -> Pair {
        let mut pair = Pair::Other;
        let mut at = 0;
        while let Some((word, next)) = word_from(line, at) {
            at = next;
            let name = &line[word.clone()];
            // `Authorization: Bearer x`
            let scheme = matches!(name, "Bearer" | "bearer" | "Basic" | "basic" | "token" | "Token")
                && line[..word.start].to_ascii_lowercase().trim_end().ends_with("authorization:");
            let Some(value) = value_after(line, word.end, if scheme { "--" } else { name }) else { continue };
            let text = &line[value.start..value.end(MAX_SEEN)];
            if name == "name" && names::may_be_secret(text) {
                pair = Pair::Named;
            }
            let asked = scheme
                || names::may_be_secret(name) && !NAMES_ONE.contains(&name)
                || name == "value" && (before == Pair::Named || pair == Pair::Named);
            if asked && is_secret_value(text) {
                // Only what is hidden is followed to its end, so that no line is walked more than once.
                at = value.end(usize::MAX);
                self.hide(source, Span::new(start + value.start, start + at), everywhere(&line[value.start..at]));
            }
        }
        pair
    }
}

/// Whether a hidden text is hidden wherever it occurs, or only where it stands because it is a common word too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Everywhere {
    Yes,
    No,
}

/// Whether the line before was `name: SOME_SECRET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Named,
    Other,
}

/// `text` without tokens of known shape and without credentials in URLs, whatever source it speaks of.
pub fn hide_shapes(text: &str) -> Cow<'_, str> {
    let mut spans = Vec::new();
    shapes::find_loose(text, &mut |start, end| spans.push(Span::new(start, end)));
    userinfo(text, &mut |start, end| spans.push(Span::new(start, end)));
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in merged(spans) {
        out.push_str(&text[done..span.range().start]);
        out.push_str(HIDDEN);
        done = span.range().end;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.into_iter().filter(|span| !span.is_empty()) {
        match out.last_mut() {
            Some(last) if span.start <= last.end => *last = last.to(span),
            _ => out.push(span),
        }
    }
    out
}

/// One pass over a text finds every line that could name a secret.
fn name_words() -> &'static AhoCorasick {
    static WORDS: OnceLock<AhoCorasick> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut builder = AhoCorasick::builder();
        builder
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(names::words_to_search())
            .expect("a few short words")
    })
}

/// Credentials in `scheme://user:pass@host`; what is plainly a variable is none.
fn userinfo(text: &str, found: &mut dyn FnMut(usize, usize)) {
    for url in urls::find(text) {
        let secret = url.secret();
        let variable = secret.starts_with(['$', '{', '%']) && secret.ends_with(['}', '%']) || is_variable(secret);
        if !secret.is_empty() && !variable && !url.is_account() {
            found(url.start, url.end);
        }
    }
}

fn is_variable(text: &str) -> bool {
    let name =
        text.strip_prefix("$(").map_or(text.trim_start_matches('$'), |name| name.strip_suffix(')').unwrap_or(name));
    text.starts_with('$')
        .then_some(name)
        .is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The next word of name characters from `at`, and where to go on.
fn word_from(line: &str, at: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
    let bytes = line.as_bytes();
    let start = at + bytes.get(at..)?.iter().position(|&c| is_name(c))?;
    let end = start + bytes[start..].iter().take_while(|&&c| is_name(c)).count();
    Some((start..end, end))
}

/// Keys behind which the name of a secret stands, never its value.
const NAMES_ONE: [&str; 5] = ["from_secret", "secretName", "secretKeyRef", "secretRef", "secretEnv"];

/// How many bytes of a value say whether it is a secret.
const MAX_SEEN: usize = 256;

/// A value in a line, whose end is not known yet.
struct ValueStart<'l> {
    line: &'l str,
    start: usize,
    quote: Option<char>,
}

impl ValueStart<'_> {
    /// Where the value ends, looking at no more than `limit` bytes of it.
    fn end(&self, limit: usize) -> usize {
        let upto = self.start.saturating_add(limit).min(self.line.len());
        let upto = (self.start..=upto).rev().find(|&at| self.line.is_char_boundary(at)).unwrap_or(self.start);
        let stop = |c: char| match self.quote {
            Some(quote) => c == quote || c == '\n',
            None => c.is_whitespace() || matches!(c, ',' | ';' | '}' | ')' | '"'),
        };
        self.line[self.start..upto].find(stop).map_or(upto, |len| self.start + len)
    }
}

/// The value that follows a name: after `:` or `=`, or after a space when the name is an option.
fn value_after<'l>(line: &'l str, end: usize, name: &str) -> Option<ValueStart<'l>> {
    let rest = &line[end..];
    let plain = rest.trim_start_matches(['"', '\'']);
    let spaced = plain.trim_start_matches([' ', '\t']);
    let value = match spaced.strip_prefix([':', '=']) {
        Some(value) => value.strip_prefix(['=', '>']).unwrap_or(value),
        None if name.starts_with("--") && spaced.len() < plain.len() => spaced,
        None => return None,
    };
    let value = value.trim_start_matches([' ', '\t']);
    let quote = value.chars().next().filter(|&c| c == '"' || c == '\'');
    let start = line.len() - value.len() + usize::from(quote.is_some());
    let value = ValueStart { line, start, quote };
    // Four bytes hold one character of any kind.
    (value.end(4) > start).then_some(value)
}

fn is_secret_value(text: &str) -> bool {
    let variable = text.contains("${")
        || text.contains("$(")
        || text.contains("{{")
        || text.starts_with(['$', '%', '<', '[', '{', '&', '*', '|', '>', '!', '@']);
    // The id of a credential in a program of Jenkins.
    let asked = text.starts_with("credentials('");
    !variable && !asked && text.len() >= 4 && !PLAIN.contains(&text.to_ascii_lowercase().as_str())
}

fn everywhere(text: &str) -> Everywhere {
    let digit = text.bytes().any(|c| c.is_ascii_digit());
    let letter = text.bytes().any(|c| c.is_ascii_alphabetic());
    let odd = text.bytes().any(|c| c.is_ascii_punctuation() && !matches!(c, b'-' | b'_' | b'.' | b'/' | b':'));
    if text.len() >= 8 && (letter && digit || odd) && !text.contains("://") { Everywhere::Yes } else { Everywhere::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn shown(text: &str) -> String {
        let source = Source::new(SourceId(0), "a.yml", text);
        let mask = Mask::of(&source, &[]);
        let mut out = text.to_string();
        for span in mask.spans().iter().rev() {
            out.replace_range(span.range(), HIDDEN);
        }
        out
    }

    // Put together at run time, so that no scanner takes this file for a leak.
    fn token() -> String {
        format!("ghp_{}", "a1B2c3D4e5F6".repeat(3))
    }

    #[test]
    fn values_of_secret_names_are_hidden() {
        assert_eq!(shown("DB_PASSWORD: hunter2x\n"), "DB_PASSWORD: ***\n");
        assert_eq!(shown("export API_KEY='a b c'; x\n"), "export API_KEY='***'; x\n");
        assert_eq!(shown("{\"clientSecret\": \"abc123\"}"), "{\"clientSecret\": \"***\"}");
        assert_eq!(shown("- name: DB_TOKEN\n  value: abcdef\n"), "- name: DB_TOKEN\n  value: ***\n");
        assert_eq!(shown("twine upload --password s3cr3t dist\n"), "twine upload --password *** dist\n");
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "id-token: write\n",
            "password: {from_secret: s3_password}\n",
            "secrets: inherit\n",
            "token: ${{ secrets.GITHUB_TOKEN }}\n",
            "PASSWORD: $DB_PASSWORD\n",
            "SECRET_NAME: my-secret-name\n",
            "token_url: example.org\n",
            "uses: a/b@0123456789abcdef0123456789abcdef01234567\n",
            "url = https://$USER:$PASS@example.org/simple\n",
            "url = ssh://git@github.com/a/b\n",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn tokens_and_credentials_are_hidden_everywhere() {
        let text = format!("run: curl -H 'Authorization: {}' https://joe:s3cr3tpw@example.org/x\n", token());
        assert_eq!(shown(&text), "run: curl -H 'Authorization: ***' https://***@example.org/x\n");
        let source = Source::new(SourceId(0), "a", format!("{text}DEPLOY_TOKEN=abc123def456\n"));
        let mask = Mask::of(&source, &[]);
        assert_eq!(mask.text("found abc123def456 and s3cr3tpw"), "found *** and ***");
        assert_eq!(hide_shapes(&format!("x {} y", token())), "x *** y");
    }

    #[test]
    fn private_keys_lose_their_body() {
        let text = "k: |\n  -----BEGIN PRIVATE KEY-----\n  MIIabcdefghijklmnop\n  -----END PRIVATE KEY-----\n";
        assert!(!shown(text).contains("MII"));
    }
}

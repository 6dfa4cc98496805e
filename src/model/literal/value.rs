//! Whether a text under a secret's name is one that somebody made at random, and no placeholder, word or path. Keeps no text.

use super::{entropy, is_fake, shapes};
use crate::model::secrets::names;
use std::collections::HashSet;
use std::sync::OnceLock;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// A placeholder, a word, a variable, a path: no secret, or none worth the name.
    Weak,
    /// A UUID: often an identifier, sometimes a token.
    Uuid,
    /// Made at random.
    Strong,
}

/// Words of placeholders and of throw-away values.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "chageme",
    "changeit",
    "change-me",
    "change_me",
    "changethis",
    "replace",
    "example",
    "dummy",
    "sample",
    "your-",
    "your_",
    "yours",
    "xxxx",
    "redacted",
    "fake",
    "foo",
    "test",
    "secret",
    "password",
    "passw0rd",
    "p4ssw0rd",
    "admin",
    "root",
    "guest",
    "default",
    "insecure",
    "local",
    "demo",
    "1234",
    "abcd",
    "qwerty",
    "placeholder",
    "notreal",
    "not-real",
    "not_real",
    "not-a-",
    "not_a_",
    "mock",
    "todo",
    "fixme",
    "tbd",
    "null",
    "undefined",
    "anything",
    "whatever",
    "some-",
    "some_",
    "deadbeef",
    "lorem",
    "temp",
    "token",
    "ci-only",
    "insert",
    "-here",
    "_here",
];

/// What a value under `name` is. The name only takes part so that a value that repeats it is none.
pub fn strength(name: &str, value: &str) -> Strength {
    judge(name, value, 16, 0)
}

/// The same for passwords inside of URLs, which people choose shorter.
pub fn password(value: &str) -> Strength {
    judge("", value, 10, 0)
}

fn judge(name: &str, value: &str, least: usize, depth: usize) -> Strength {
    let value = value.trim();
    if is_computed(value) || is_path(value) || has_placeholder(value) || repeats(name, value) || is_fake(value) {
        return Strength::Weak;
    }
    if is_uuid(value) {
        return Strength::Uuid;
    }
    let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (least, bits) = if hex { (least.max(20), 3.0) } else { (least, if least < 16 { 2.8 } else { 3.5 }) };
    let digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    // Long texts without a digit are random when their case changes all the time, as no word's does.
    let turns =
        value.as_bytes().windows(2).filter(|two| two[0].is_ascii_lowercase() != two[1].is_ascii_lowercase()).count();
    let digit = digit || value.len() >= 16 && turns * 3 >= value.len();
    if value.len() < least || !digit || !letter || entropy(value) < bits || coverage(value) >= 0.6 {
        return Strength::Weak;
    }
    // A sentence in base64 is that sentence.
    match decoded(value).filter(|_| depth == 0) {
        Some(text) if text.contains(' ') => Strength::Weak,
        Some(text) => judge(name, &text, least, depth + 1),
        None => Strength::Strong,
    }
}

/// Whether something puts the value together, so that it is not written here: `$X`, `{{ x }}`, `%X%`, `@X@`, `<x>`.
pub fn is_computed(value: &str) -> bool {
    let wrapped = |mark: char| value.len() > 2 && value.starts_with(mark) && value.ends_with(mark);
    value.contains(['$', '`'])
        || value.contains("{{")
        || value.contains("<<")
        || value.contains("((")
        || value.starts_with('<') && value.ends_with('>')
        || value.starts_with('[') && value.ends_with(']')
        || value.starts_with('{') && value.ends_with('}')
        || wrapped('%')
        || wrapped('@')
        || wrapped('_')
        || value.contains(char::is_whitespace)
}

/// A file, a URL, or a name with folders: `vault:secret/data/x`, `arn:aws:…`, `projects/1/secrets/x`.
fn is_path(value: &str) -> bool {
    let file = value.starts_with(['/', '.', '~']) || value.contains(":/") || value.contains(":\\");
    let parts: Vec<&str> = value.split(['/', ':', '.']).collect();
    let wordy = |part: &&str| {
        part.len() <= 24 && (part.is_empty() || !part.bytes().any(|byte| byte.is_ascii_digit()) || part.len() < 6)
    };
    file || value.starts_with("arn:")
        || parts.len() >= 3 && parts.iter().filter(|part| wordy(part)).count() * 2 > parts.len()
}

fn has_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    // Four letters come about by chance in a long random text; there they must be a word of it.
    let mixed = lower != value;
    let words = if mixed { names::words(value) } else { Vec::new() };
    let is_word = |short: &str| words.iter().any(|word| word.trim_matches(|c: char| c.is_ascii_digit()) == short);
    let has = |part: &&&str| lower.contains(**part) && (part.len() > 4 || !mixed || is_word(part));
    let dev = lower.starts_with("dev-") || lower.starts_with("dev_") || lower.ends_with("-dev");
    PLACEHOLDERS.iter().any(|part| has(&part)) || dev || lower.contains("***") || lower.contains("...")
}

/// Whether a value says no more than its name.
fn repeats(name: &str, value: &str) -> bool {
    let plain = |text: &str| {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase() as char).collect::<String>()
    };
    let (name, value) = (plain(name), plain(value));
    name.len() >= 4 && (value.contains(&name) || value.len() >= 6 && name.contains(&value))
}

fn is_uuid(value: &str) -> bool {
    let parts: Vec<usize> = value.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The text behind base64 when it is printable.
fn decoded(value: &str) -> Option<String> {
    if !value.len().is_multiple_of(4) {
        return None;
    }
    let text = String::from_utf8(shapes::base64(value)?).ok()?;
    let text = text.trim_end_matches('\n');
    (text.len() >= 4 && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())).then(|| text.to_string())
}

/// Which share of a text is words of a dictionary.
fn coverage(value: &str) -> f64 {
    let mut covered = 0;
    for word in names::words(value).iter().flat_map(|word| word.split(|c: char| c.is_ascii_digit())) {
        let mut at = 0;
        while at < word.len() {
            let longest = (4..=(word.len() - at).min(14)).rev().find(|&len| dictionary().contains(&word[at..at + len]));
            covered += longest.unwrap_or(0);
            at += longest.unwrap_or(1);
        }
    }
    let letters = value.bytes().filter(u8::is_ascii_alphanumeric).count();
    covered as f64 / letters.max(1) as f64
}

/// The most frequent words of technical English, four letters and more.
fn dictionary() -> &'static HashSet<&'static str> {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| include_str!("words.txt").lines().collect())
}

//! Words that name Python packages, sorted into references, local projects and what cannot be seen. Knows no tool.

use super::args::part;
use super::{Out, texts};
use crate::ecosystems::pypi;
use crate::model::reference::{Origin, Role};
use crate::model::script::{FileArg, Install, Word};

/// Endings of files that pip installs from the disk.
const ARCHIVES: [&str; 7] = [".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".egg"];

/// Puts a word of `pip install` where it belongs.
pub fn sort(word: &Word, role: Role, install: &mut Install, out: &mut Out) {
    let text = word.text.text.as_str();
    if is_project(word) {
        install.groups.extend(extras_of(text));
        install.projects.push(word.clone());
        return;
    }
    match pypi::requirement(&word.text, role, "") {
        Ok(reference) if matches!(reference.origin, Origin::Path(_)) => install.projects.push(word.clone()),
        Ok(reference) => {
            let id = out.push(reference);
            install.references.push(id);
        }
        Err(_) => install.opaque.push(word.clone()),
    }
}

/// `-e` takes a path or a version control URL; a value that cannot be seen stays that.
pub fn sort_editable(word: &Word, role: Role, install: &mut Install, out: &mut Out) {
    let text = word.text.text.as_str();
    let url = text.contains("://") || text.starts_with("git+");
    let unseen = word.expands && text.starts_with(['$', '`']) && !text.contains('/') && !is_working_folder(text);
    match (url, unseen) {
        (true, _) => sort(word, role, install, out),
        (false, true) => install.opaque.push(word.clone()),
        (false, false) => {
            install.groups.extend(extras_of(text));
            install.projects.push(word.clone());
        }
    }
}

/// Whether a word is a path in the tree (or on the machine), as pip tells. A path with an expansion in it still is one.
pub fn is_project(word: &Word) -> bool {
    let text = word.text.text.as_str();
    let direct = text.contains("://") || text.starts_with("git+") || text.contains(" @ ");
    if direct {
        return false;
    }
    let bare = text.split_once('[').filter(|_| !text.starts_with('$')).map_or(text, |(before, _)| before);
    // What stands inside `${{ }}` or `$( )` is no path of ours: `${{ matrix.a/b }}`.
    let outside = without_expansions(bare);
    let path = outside.contains(['/', '\\'])
        || matches!(bare, "." | "..")
        || ARCHIVES.iter().any(|end| outside.ends_with(end));
    path && !outside.contains('@') || is_working_folder(text) || !word.expands && pypi::is_path(text)
}

/// `$PWD` and its like: the tree itself.
fn is_working_folder(text: &str) -> bool {
    let bare = text.split_once('[').filter(|_| text.ends_with(']')).map_or(text, |(before, _)| before);
    let names = [
        "$PWD",
        "${PWD}",
        "$(pwd)",
        "$GITHUB_WORKSPACE",
        "${GITHUB_WORKSPACE}",
        "$CI_PROJECT_DIR",
        "${CI_PROJECT_DIR}",
    ];
    names.contains(&bare) || bare.replace(' ', "") == "${{github.workspace}}"
}

/// The text without `$X`, `${…}`, `${{ … }}` and `$( … )`.
fn without_expansions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let skip = match after.as_bytes().first() {
            Some(b'{') => after.rfind('}').map_or(after.len(), |end| end + 1).min(first_close(after, '{', '}')),
            Some(b'(') => first_close(after, '(', ')'),
            _ => after.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count(),
        };
        rest = &after[skip..];
    }
    out.push_str(rest);
    out
}

/// Length up to the bracket that closes the first one.
fn first_close(text: &str, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return at + c.len_utf8();
            }
        }
    }
    text.len()
}

/// `test` and `dev` of `.[test,dev]`.
fn extras_of(text: &str) -> Vec<String> {
    let inner = text.strip_suffix(']').and_then(|text| text.rsplit_once('[')).map_or("", |(_, inner)| inner);
    inner.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(str::to_string).collect()
}

/// Requirement and constraint files of an option list.
pub fn files<'w>(words: impl Iterator<Item = &'w Word>, constraint: bool) -> Vec<FileArg> {
    words.map(|word| FileArg { path: word.clone(), constraint }).collect()
}

/// Values of a variable with several paths or URLs, split at white space (`PIP_CONSTRAINT`, `PIP_EXTRA_INDEX_URL`).
pub fn variable_words(name: &str, out: &Out) -> Vec<Word> {
    let Some(value) = out.var(name) else { return Vec::new() };
    let word = Word { expands: super::args::expansion(&value.text).is_some(), text: value.clone(), quoted: true };
    let text = value.text.as_str();
    let mut words = Vec::new();
    let mut start = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let trimmed = piece.trim_end();
        if !trimmed.is_empty() {
            words.push(part(&word, start..start + trimmed.len()));
        }
        start += piece.len();
    }
    words
}

/// Splits each text at commas: `--with a,b`.
pub fn comma_list<'w>(words: impl Iterator<Item = &'w Word>) -> Vec<String> {
    let split =
        |text: String| text.split([',', ' ']).map(str::to_string).filter(|name| !name.is_empty()).collect::<Vec<_>>();
    texts(words).into_iter().flat_map(split).collect()
}

//! Which files are requirements files, by their names and by their first lines. Reads none of them.

use super::{Claim, ManifestKind};
use crate::ecosystems::pypi;
use crate::model::source::{Source, Sources};

/// Whether a path is that of a requirements file.
pub fn claims(path: &str) -> Claim {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.to_ascii_lowercase();
    let Some((stem, ext)) = name.rsplit_once('.') else { return Claim::No };
    // `requirements.dev` and its kind say what they are for where others say that they are texts.
    if stem == "requirements" && is_for_development(ext) {
        return Claim::Yes;
    }
    // Sphinx keeps the text of each page as `page.rst.txt`.
    let page = [".rst", ".md", ".html"].iter().any(|end| stem.ends_with(end));
    if !matches!(ext, "txt" | "in" | "pip" | "lock") || page || is_other(&name, stem) {
        return Claim::No;
    }
    let named = stem.contains("requirements") || words(stem).any(|word| matches!(word, "constraints" | "reqs"));
    if named {
        return Claim::Yes;
    }
    let parent = folder.rsplit('/').next().unwrap_or("");
    let foldered = words(&parent.to_ascii_lowercase()).any(|w| matches!(w, "requirements" | "reqs" | "constraints"));
    match ext {
        "txt" | "in" if foldered => Claim::Yes,
        "txt" if folder.split('/').count() <= 2 || hints(stem) => Claim::Maybe,
        _ => Claim::No,
    }
}

/// Files of other programs that end in `.txt`, and texts for people.
fn is_other(name: &str, stem: &str) -> bool {
    let people = ["readme", "license", "licence", "changelog", "changes", "notice", "authors", "robots", "humans"];
    let egg_info = ["sources", "top_level", "entry_points", "dependency_links", "requires", "not-zip-safe"];
    name == "cmakelists.txt" || name == "runtime.txt" || people.contains(&stem) || egg_info.contains(&stem)
}

fn words(stem: &str) -> impl Iterator<Item = &str> {
    stem.split(['-', '_', '.', ' '])
}

fn hints(stem: &str) -> bool {
    const HINTS: [&str; 14] =
        ["req", "dep", "pip", "dev", "test", "doc", "lint", "constraint", "pin", "freeze", "lock", "ci", "rtd", "py"];
    HINTS.iter().any(|hint| stem.contains(hint))
}

/// What a file is for, by its name.
pub fn kind(path: &str) -> ManifestKind {
    let lower = path.to_ascii_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let constraining = |part: &str| words(part).any(|word| word == "constraints" || word == "constraint");
    if constraining(stem) || constraining(folder.rsplit('/').next().unwrap_or("")) {
        return ManifestKind::Constraints;
    }
    if name.ends_with(".in") { ManifestKind::RequirementsInput } else { ManifestKind::Requirements }
}

/// Whether the name says that the product does not need it.
pub fn is_for_development(path: &str) -> bool {
    const DEVELOPMENT: [&str; 20] = [
        "dev", "devel", "develop", "development", "test", "tests", "testing", "doc", "docs", "lint", "linting", "ci",
        "tool", "tools", "tox", "typing", "mypy", "rtd", "local", "style",
    ];
    let lower = path.to_ascii_lowercase();
    let tail: Vec<&str> = lower.rsplit('/').take(2).collect();
    tail.iter().any(|part| words(part).any(|word| DEVELOPMENT.contains(&word)))
}

/// Whether a text begins like a requirements file: every one of its first lines reads as one, and one is more than a word.
pub fn sniff(text: &str) -> bool {
    first_lines(text) == Some(true)
}

/// Whether every one of the first lines reads as one of a requirements file, and whether one of them only there.
fn first_lines(text: &str) -> Option<bool> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut telling = None;
    for line in lines.take(12) {
        let tells = line_kind(line.split(" #").next().unwrap_or(line).trim().trim_end_matches('\\').trim())?;
        telling = Some(telling == Some(true) || tells);
    }
    telling
}

/// Whether a list of bare words is one of requirements because a file of the repository hands it to an installer: `pip install -r deps.txt`.
pub fn is_handed_over(source: &Source, sources: &Sources) -> bool {
    claims(&source.path) == Claim::Maybe
        && first_lines(&source.text) == Some(false)
        && sources.holding("-r").iter().any(|&id| id != source.id && hands_over(&sources.get(id).text, &source.path))
}

/// Whether a text names a path behind `-r` or `--requirement`, from whichever folder.
fn hands_over(text: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    memchr::memmem::find_iter(text.as_bytes(), name.as_bytes()).any(|at| {
        let end = at + name.len();
        let before = text[..at].trim_end_matches(|c: char| c.is_alphanumeric() || "_-./".contains(c));
        let word = &text[before.len()..end];
        // A folder in a variable in front may be any: `{toxinidir}/`, `${HERE}/`, `$HERE/`.
        let (before, word) = match (before.strip_suffix('$'), before.ends_with('}')) {
            (Some(before), _) => (before, word.split_once('/').map_or(word, |(_, rest)| rest)),
            (_, true) => (before[..before.rfind('{').unwrap_or(0)].trim_end_matches('$'), word.trim_start_matches('/')),
            _ => (before, word),
        };
        let word = word.trim_start_matches("../").trim_start_matches("./");
        let is_path = path.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let flag = before.trim_end_matches(['"', '\'', ' ', '=', ',']);
        let is_flag = [" -r", "\"-r", "'-r", "--requirement"].iter().any(|written| flag.ends_with(written));
        is_path && is_flag && !text[end..].starts_with(|c: char| c.is_alphanumeric() || "-_/.".contains(c))
    })
}

/// Whether a line reads as one of a requirements file, and whether only there.
fn line_kind(line: &str) -> Option<bool> {
    const OPTIONS: [&str; 10] = ["-r", "-c", "-e", "-i", "-f", "--hash=", "--index-url", "--extra-index-url", "--find-links", "--pre"];
    if line.starts_with('-') {
        let known = |option: &str| line.strip_prefix(option).is_some_and(|rest| option.len() > 2 || rest.starts_with(' '));
        return OPTIONS.iter().any(|option| known(option)).then_some(true);
    }
    if line.starts_with("git+") {
        return Some(true);
    }
    let main = line.split(';').next().unwrap_or("").trim();
    let len = main.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count();
    let mut rest = main[len..].trim();
    if len == 0 {
        return None;
    }
    if rest.starts_with('[') {
        rest = rest[rest.find(']')? + 1..].trim();
    }
    if let Some(url) = rest.strip_prefix('@') {
        return url.contains("://").then_some(true);
    }
    let rest = rest.split(" --hash").next().unwrap_or(rest).trim().trim_start_matches('(').trim_end_matches(')');
    match pypi::specifier_strength(rest) {
        _ if rest.is_empty() => Some(false),
        Ok(Some(_)) => Some(true),
        _ => None,
    }
}

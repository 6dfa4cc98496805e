//! Texts of tox: lists of environments with braces, factors before lines, substitutions in commands. Knows no section.

use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use crate::tools::Line;

/// Names that a list may be expanded to.
const MAX_NAMES: usize = 512;

/// The parts of a text between marks outside of braces, without blanks around them.
pub fn split(text: &Text, mark: char) -> Vec<Text> {
    let mut depth = 0usize;
    let mut start = 0;
    let mut parts = Vec::new();
    let ends = text.text.char_indices().chain([(text.text.len(), mark)]);
    for (at, c) in ends {
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == mark && (depth == 0 || at == text.text.len()) {
            let piece = &text.text[start.min(at)..at];
            let lead = piece.len() - piece.trim_start().len();
            let piece = piece.trim();
            if !piece.is_empty() {
                let at = text.place(start + lead..start + lead + piece.len());
                parts.push(Text { text: piece.to_string(), at, verbatim: text.verbatim });
            }
            start = at + 1;
        }
    }
    parts
}

/// The names of a list: parted by commas and lines, `py{311,312}-x` is two, `py3{10-12}` three.
pub fn expanded(lines: &[Text]) -> Vec<Text> {
    let mut names = Vec::new();
    for item in lines.iter().flat_map(|line| split(line, ',')) {
        let mut found = vec![String::new()];
        let mut rest = item.text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((inner, behind)) = after.split_once('}') else { break };
            let choices: Vec<String> = inner.split(',').flat_map(range).collect();
            found = found
                .iter()
                .flat_map(|name| choices.iter().map(move |choice| format!("{name}{before}{choice}")))
                .take(MAX_NAMES)
                .collect();
            rest = behind;
        }
        let texts = found.into_iter().map(|name| name + rest).map(|text| text.replace(' ', ""));
        names.extend(texts.map(|text| Text { verbatim: item.verbatim && text == item.text, text, at: item.at }));
        names.truncate(MAX_NAMES);
    }
    names
}

/// `9-12` is four numbers.
fn range(text: &str) -> Vec<String> {
    let text = text.trim();
    let bounds = text.split_once('-').and_then(|(a, b)| Some((a.parse::<u32>().ok()?, b.parse::<u32>().ok()?)));
    match bounds {
        Some((from, to)) if from <= to && to - from < 64 => (from..=to).map(|number| number.to_string()).collect(),
        _ => vec![text.to_string()],
    }
}

/// The interpreter that a name asks for: `py311-x` is 3.11, `3.12` itself.
pub fn python_of(name: &Text) -> Option<Text> {
    let version = name.text.split('-').find_map(|factor| {
        let bare = factor.strip_prefix("python").or_else(|| factor.strip_prefix("py")).unwrap_or(factor);
        let dotted =
            bare.split_once('.').filter(|(major, minor)| *major == "3" && is_number(minor)).map(|_| bare.to_string());
        let joined =
            bare.strip_prefix('3').filter(|minor| is_number(minor) && bare != factor).map(|minor| format!("3.{minor}"));
        dotted.or(joined)
    })?;
    Some(Text { text: version, at: name.at, verbatim: false })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() < 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The line without the factors that it begins with: `py311: x`, `!lint,{a,b}-c: x`.
pub fn unconditional(line: &Text) -> Text {
    let end = line.text.find(':').filter(|&at| {
        let (factors, rest) = (&line.text[..at], &line.text[at + 1..]);
        let fits = factors.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_{}.,!- ".contains(&byte));
        fits && !factors.is_empty() && !factors.starts_with('-') && rest.starts_with([' ', '\t'])
    });
    let start = end.map_or(0, |at| at + 1 + (line.text[at + 1..].len() - line.text[at + 1..].trim_start().len()));
    Text { text: line.text[start..].to_string(), at: line.place(start..line.text.len()), verbatim: line.verbatim }
}

/// Names of the folder that the file stands in.
const ROOTS: [&str; 5] = ["{toxinidir}", "{tox_root}", "{project_dir}", "{setupdir}", "{config_dir}"];

/// The line with a path below the file's own folder made relative. Nothing when it is the folder itself.
pub fn in_tree(line: &Text) -> Option<Text> {
    let Some((at, root)) = ROOTS.iter().find_map(|root| Some((line.text.find(root)?, *root))) else {
        return Some(line.clone());
    };
    let behind = at + root.len();
    let skip = if line.text[behind..].starts_with("{/}") {
        3
    } else {
        usize::from(line.text[behind..].starts_with(['/', '\\']))
    };
    let rest = &line.text[behind + skip..];
    if rest.is_empty() {
        return None;
    }
    let before = line.text[..at].trim_end_matches(['=', ' ']);
    // Nothing before the path: what is left stands in the source as it is.
    if before.is_empty() {
        return Some(Text {
            text: rest.to_string(),
            at: line.place(behind + skip..line.text.len()),
            verbatim: line.verbatim,
        });
    }
    Some(Text { text: format!("{before} {rest}"), at: line.at, verbatim: false })
}

/// The commands of a list of lines: lines that end in a backslash go on, `-` ignores the failure, factors are taken off.
pub fn commands(lines: &[Text]) -> Vec<Line> {
    let mut found = Vec::new();
    let mut open: Option<Mapped> = None;
    for line in lines {
        let first = open.is_none();
        let line = if first { unconditional(line) } else { line.clone() };
        let goes_on = line.text.ends_with('\\');
        let text = line.text.trim_end_matches('\\').trim_end();
        let mut whole = open.take().unwrap_or(Mapped { text: String::new(), at: line.at, segments: Vec::new() });
        if !first {
            whole.text.push(' ');
        }
        let place = line.at.span.start as usize;
        if line.verbatim {
            whole.push(text, place)
        } else {
            whole.text.push_str(text)
        }
        whole.at = Location::new(whole.at.source, whole.at.span.to(line.at.span));
        if goes_on { open = Some(whole) } else { found.extend(command(whole)) }
    }
    found.extend(open.and_then(command));
    found
}

fn command(whole: Mapped) -> Option<Line> {
    let lead = whole.text.len() - whole.text.trim_start_matches(['-', '!', ' ']).len();
    // `--x` would be a strange program; `{[base]commands}` stands for lines of another section.
    if whole.text[lead..].is_empty() || whole.text[lead..].starts_with("{[") {
        return None;
    }
    let tolerated = whole.text[..lead].contains('-');
    let text = substituted(&whole.slice(lead..whole.text.len()));
    Some(Line { text, tolerated })
}

/// Fills in what is known: the default of `{posargs:x}`, the file's own folder, the interpreter. The rest becomes one unseen word.
fn substituted(text: &Mapped) -> Mapped {
    let mut out = Mapped { text: String::new(), at: text.at, segments: Vec::new() };
    let mut start = 0;
    while let Some(found) = text.text[start..].find('{') {
        let open = start + found;
        let Some(close) = closing(&text.text, open) else { break };
        out.append(&text.slice(start..open));
        let inner = &text.text[open + 1..close];
        let root = ROOTS.contains(&&text.text[open..=close]);
        start = close + 1;
        match inner.split_once(':') {
            Some(("posargs", _)) => out.append(&text.slice(open + 1 + "posargs:".len()..close)),
            None if inner == "posargs" => {}
            None if inner == "/" => out.text.push('/'),
            None if matches!(inner, "envpython" | "env_python") => out.text.push_str("python"),
            None if matches!(inner, "envbindir" | "env_bin_dir") => out.text.push_str(".tox/bin"),
            _ if root => start += usize::from(text.text[start..].starts_with('/')),
            _ => out.text.push_str("${tox}"),
        }
    }
    out.append(&text.slice(start..text.text.len()));
    out
}

/// Where the brace that opens at `open` is closed.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return Some(open + at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

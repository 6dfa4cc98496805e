//! Python source that prints its whole environment. Looks at statements as text: no name is resolved beyond the file.

use std::ops::Range;

/// Calls that write what they are given.
const WRITES: &[&str] = &[
    "print(",
    "pprint(",
    "pp(",
    ".info(",
    ".debug(",
    ".warning(",
    ".error(",
    ".log(",
    ".write(",
    ".dump(",
    ".echo(",
    "write_text(",
    ".critical(",
];

/// The first statement that prints the whole environment.
pub fn find(code: &str) -> Option<Range<usize>> {
    let mut names: Vec<String> = vec!["os.environ".to_string()];
    if code.contains("from os import") && code.contains("environ") {
        names.push("environ".to_string());
    }
    let statements = statements(code);
    for (index, range) in statements.iter().enumerate() {
        let text = code[range.clone()].trim();
        if text.starts_with('#') {
            continue;
        }
        let shows = names.iter().any(|name| shown(text, name)) || comprehension(text, &names);
        if shows || loops(text, &names).is_some_and(|header| body_prints(code, &statements[index..], &header)) {
            return Some(range.clone());
        }
        names.extend(copied(text, &names));
    }
    None
}

/// Statements as lines; brackets keep lines together.
fn statements(code: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut at, mut depth) = (0, 0, 0i32);
    for line in code.split_inclusive(['\n', ';']) {
        let quoted = line.trim_start().starts_with('#');
        if !quoted {
            depth += line.matches(['(', '[', '{']).count() as i32 - line.matches([')', ']', '}']).count() as i32;
        }
        at += line.len();
        if depth <= 0 || at - start > 4000 {
            let text = &code[start..at];
            let lead = text.len() - text.trim_start().len();
            let end = start + text.trim_end_matches(['\n', ';', ' ', '\r']).len();
            if start + lead < end {
                found.push(start + lead..end);
            }
            start = at;
            depth = 0;
        }
    }
    let rest = code[start..].trim();
    if !rest.is_empty() {
        let lead = code[start..].len() - code[start..].trim_start().len();
        found.push(start + lead..start + lead + rest.len());
    }
    found
}

/// Places where a name stands for the whole mapping: not an entry, not a question, not handed to another process.
fn wholes<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(name).map(|(at, _)| at).filter(move |&at| {
        let (before, rest) = (&text[..at], &text[at + name.len()..]);
        let part = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.')
            || rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let entry = rest.starts_with('[')
            || rest.starts_with('.')
                && ![".items()", ".copy()", ".values()", ".__"].iter().any(|method| rest.starts_with(method));
        let before = before.trim_end();
        let asks = before.ends_with(" in")
            || before.ends_with(" is")
            || before.ends_with("len(")
            || before.ends_with("sorted(") && !rest.starts_with('.')
            || before.ends_with("list(") && !rest.starts_with('.');
        let handed =
            before.ends_with("env=") || before.ends_with("env =") || before.ends_with("**") && !before.ends_with("{**");
        !part && !entry && !asks && !handed
    })
}

/// Whether a statement writes the whole mapping.
fn shown(text: &str, name: &str) -> bool {
    let by = |at: usize| {
        let before = &text[..at];
        WRITES.iter().any(|call| before.contains(call)) && !before.contains(" env=") && !before.contains("(env=")
    };
    wholes(text, name).any(by)
}

/// `env = dict(os.environ)`: another name for the same.
fn copied(text: &str, names: &[String]) -> Option<String> {
    let (left, right) = text.split_once('=')?;
    let left = left.trim();
    let plain = !left.is_empty() && left.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let right = right.trim();
    let form = |name: &String| {
        let wrapped = [
            format!("dict({name})"),
            format!("{name}.copy()"),
            format!("copy.copy({name})"),
            format!("{{**{name}"),
            format!("json.dumps(dict({name})"),
        ];
        right == name || wrapped.iter().any(|form| right.starts_with(form.as_str()))
    };
    (plain && names.iter().any(form)).then(|| left.to_string())
}

/// The header of a loop over the mapping: the variable for the value, or how an entry would be written.
struct Header {
    words: Vec<String>,
    /// The variable for the name.
    key: Option<String>,
    indent: usize,
}

impl Header {
    /// Whether a condition lets only some names through: `key.startswith("APP_")`, `key in WANTED`, `key == "HOME"`.
    fn chooses(&self, condition: &str) -> bool {
        let Some(key) = &self.key else { return false };
        let Some(at) = condition.trim_start().strip_prefix(key.as_str()) else { return false };
        let asked = [".startswith(", ".endswith(", " in ", " == "];
        asked.iter().any(|form| at.starts_with(form)) && !condition.contains(" or ")
    }
}

fn loops(text: &str, names: &[String]) -> Option<Header> {
    let rest = text.strip_prefix("for ")?;
    let (targets, over) = rest.split_once(" in ")?;
    let name = names.iter().find(|name| over.contains(name.as_str()))?;
    let targets: Vec<&str> = targets.split(',').map(|part| part.trim().trim_matches(['(', ')'])).collect();
    let items = over.contains(&format!("{name}.items()"));
    let words = match targets.as_slice() {
        [_, value] if items => vec![value.to_string()],
        [pair] if items => vec![pair.to_string()],
        [key] => vec![format!("{name}[{key}]"), format!("{name}.get({key}"), format!("getenv({key}")],
        _ => return None,
    };
    let key = (!items || targets.len() == 2).then(|| targets[0].to_string());
    Some(Header { words, key, indent: 0 })
}

/// `print(v for k, v in os.environ.items())`.
fn comprehension(text: &str, names: &[String]) -> bool {
    let Some((body, header)) = text.split_once(" for ") else { return false };
    let condition = header.split_once(" if ").map_or("", |(_, condition)| condition);
    let Some(header) = loops(&format!("for {header}"), names).filter(|header| !header.chooses(condition)) else {
        return false;
    };
    header.words.iter().any(|word| {
        let uses = body
            .match_indices(word.as_str())
            .any(|(at, _)| !body[at + word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        uses && WRITES.iter().any(|call| body.contains(call))
    })
}

/// Whether the statements inside of a loop write the value.
fn body_prints(code: &str, statements: &[Range<usize>], header: &Header) -> bool {
    let indent = |range: &Range<usize>| range.start - code[..range.start].rfind('\n').map_or(0, |end| end + 1);
    let Some((first, rest)) = statements.split_first() else { return false };
    let outer = indent(first) + header.indent;
    let speaks = |text: &str| {
        let word = |word: &String| {
            text.match_indices(word.as_str()).any(|(at, _)| {
                let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
                let whole = !part(text[..at].chars().next_back())
                    && (word.ends_with(['(', ']'])
                        || word.contains('(')
                        || !part(text[at + word.len()..].chars().next()));
                whole && WRITES.iter().any(|call| text[..at].contains(call))
            })
        };
        header.words.iter().any(word)
    };
    // `for k, v in …: print(k, v)` on one line.
    let one = &code[first.clone()];
    if one.split_once(':').is_some_and(|(_, body)| speaks(body)) {
        return true;
    }
    // What stands in `if key.startswith("APP_"):` writes some, not all.
    let mut chosen = None;
    rest.iter().take_while(|range| indent(range) > outer).any(|range| {
        let (text, depth) = (&code[range.clone()], indent(range));
        if text.trim_start().starts_with('#') || chosen.is_some_and(|of| depth > of) {
            return false;
        }
        chosen = text.strip_prefix("if ").filter(|condition| header.chooses(condition)).map(|_| depth);
        chosen.is_none() && speaks(text)
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn whole_environments_are_seen() {
        for code in [
            "import os; print(os.environ)",
            "import os\nprint(dict(os.environ))\n",
            "from os import environ\npprint(environ)\n",
            "import os, json\njson.dump(dict(os.environ), sys.stdout)\n",
            "print(json.dumps(\n    dict(os.environ),\n    indent=2))\n",
            "logging.info('env %s', os.environ)",
            "print(f'{os.environ}')",
            "for k, v in sorted(os.environ.items()):\n    print(f'{k}={v}')\n",
            "for k in os.environ:\n    print(k, os.environ[k])\n",
            "for k, v in os.environ.items(): print(k, v)",
            "env = dict(os.environ)\nx = 1\nprint(env)\n",
            "[print(k, v) for k, v in os.environ.items()]",
            "for k in os.environ:\n    if k not in ('A', 'B'):\n        print(k, os.environ[k])\n",
            "for k in os.environ:\n    if k == 'A':\n        x = 1\n    print(k, os.environ[k])\n",
        ] {
            assert!(find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn entries_names_and_processes_are_no_dump() {
        for code in [
            "print(os.environ['HOME'])",
            "print(os.environ.get('A', 1))",
            "print('A' in os.environ)",
            "subprocess.run(['x'], env=os.environ)",
            "print(subprocess.check_output(['x'], env=dict(os.environ, A='1')))",
            "for k in os.environ:\n    print(k)\n",
            "for k, v in os.environ.items():\n    print(k)\n",
            "print(sorted(os.environ))",
            "print(len(os.environ))",
            "env = os.environ.copy()\nenv['A'] = '1'\nprint(env['A'])\nrun(env=env)\n",
            "os.environ.update(x)\nprint(1)\n",
            "e = os.environ\nfor k in e:\n    # mine\n    if k.startswith('APP_'):\n        n = k[4:]\n        f.write(n + e[k])\n",
            "[print(k, v) for k, v in os.environ.items() if k.startswith('APP_')]",
            "# print(os.environ)\n",
            "my_os.environment.print()",
        ] {
            assert!(find(code).is_none(), "{code}");
        }
    }
}

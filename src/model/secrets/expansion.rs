//! Which variables a text gives out: `$X`, `${X:-y}`, `$(echo "$X")`; not `${#X}`, `$(curl -u "$X")`. Knows no command beyond programs that hand
//! on what they are given.

use super::flow::{COPIES, RESHAPES};

/// A `$NAME` in a text.
pub struct Expansion {
    /// The name.
    pub name: String,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Expansion {
    /// Whether the text has a value of its own for it: `${X:-changeme}`, `${X=y}`; not `${X:-}`, `${X:-$Y}`, nor a word that says that it is unset.
    pub fn has_default(&self, text: &str) -> bool {
        let inner =
            text[self.start..self.end].strip_prefix("${").and_then(|rest| rest.strip_prefix(self.name.as_str()));
        let Some(rest) = inner.map(|rest| rest.trim_start_matches(':')) else { return false };
        let Some(value) =
            rest.strip_prefix(['-', '=']).map(|value| value.trim_end_matches('}').trim_matches(['"', '\'']))
        else {
            return false;
        };
        !value.contains(['$', '`']) && !matches!(value, "" | "none" | "null" | "unset" | "undefined" | "false")
    }
}

/// The expansions of a text that give out the value of a variable: `$X`, `${X}`, `${X:-y}`, `$env:X`, `%X%`; not `${#X}`, `${X:+y}`.
pub fn expansions(text: &str) -> Vec<Expansion> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // The next closing brace: found once for all that stand before it.
    let mut brace = 0;
    let name_end = |from: usize| {
        let rest = &bytes[from.min(bytes.len())..];
        from + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
    };
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'\\' => at += 1,
            b'$' => {
                let braced = bytes.get(at) == Some(&b'{');
                let mut from = at + usize::from(braced);
                // PowerShell names the environment.
                if text.get(from..from + 4).is_some_and(|lead| lead.eq_ignore_ascii_case("env:")) {
                    from += 4;
                }
                let end = name_end(from);
                if end == from {
                    continue;
                }
                let name = text[from..end].to_string();
                if !braced {
                    found.push(Expansion { name, start, end });
                    at = end;
                    continue;
                }
                let asks = matches!((bytes.get(end), bytes.get(end + 1)), (Some(b'+'), _) | (Some(b':'), Some(b'+')));
                if brace <= end {
                    brace = text[end..].find('}').map_or(bytes.len(), |close| end + close + 1);
                }
                let close = brace;
                if !asks {
                    found.push(Expansion { name, start, end: close });
                }
                at = end;
            }
            b'%' => {
                let end = name_end(at);
                if end > at && bytes.get(end) == Some(&b'%') && bytes[at].is_ascii_alphabetic() {
                    found.push(Expansion { name: text[at..end].to_string(), start, end: end + 1 });
                    at = end + 1;
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether what stands at `at` comes out of all substitutions around it: `$(echo "$X" | base64)` gives it out, `$([ -n "$X" ] && echo 1)` and
/// `$(curl -u "$X")` do not.
pub fn gives_out(text: &str, at: usize) -> bool {
    let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let before = &text[..at];
    let mut open: Vec<usize> = Vec::new();
    let mut back = None;
    for (index, byte) in before.bytes().enumerate() {
        match byte {
            b'(' if index > 0 && before.as_bytes()[index - 1] == b'$' => open.push(index + 1),
            b')' => drop(open.pop()),
            b'`' => back = if back.is_some() { None } else { Some(index + 1) },
            _ => {}
        }
    }
    let says = open.iter().copied().chain(back).all(|start| {
        let segment = before[start..].rsplit(['|', ';', '&', '\n']).next().unwrap_or("");
        let program = segment.split_whitespace().next().unwrap_or("");
        COPIES.contains(&program) || RESHAPES.contains(&program)
    });
    says && (open.is_empty() && back.is_none() || !is_swallowed(&text[at..]))
}

/// Whether a pipe behind it, inside of the same substitution, ends in a program that does something else with what it reads.
fn is_swallowed(rest: &str) -> bool {
    let mut depth = 0usize;
    let mut end = rest.len();
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => {
                end = at;
                break;
            }
            b')' => depth -= 1,
            b'`' | b';' if depth == 0 => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let segment = &rest[..end];
    let pipes = segment.match_indices('|').filter(|(at, _)| {
        let around = (segment[..*at].chars().next_back(), segment[at + 1..].chars().next());
        around.0.is_some_and(char::is_whitespace) && around.1 != Some('|')
    });
    pipes.into_iter().any(|(at, _)| {
        let program = segment[at + 1..].split_whitespace().next().unwrap_or("");
        !(COPIES.contains(&program)
            || RESHAPES.contains(&program)
            || matches!(program, "" | "sudo" | "sort" | "uniq" | "wc"))
    })
}

/// Whether a text expands a variable.
pub fn expands(text: &str, variable: &str) -> bool {
    expansions(text).iter().any(|expansion| is_of(&expansion.name, variable))
}

/// The variable beside one that holds a user and a password, with the password alone.
/// <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#usernames-and-passwords>
pub const PASSWORD: &str = "_PSW";

/// Whether a name is that of a variable, or of its password.
pub fn is_of(name: &str, variable: &str) -> bool {
    name.strip_prefix(variable).is_some_and(|rest| rest.is_empty() || rest == PASSWORD)
}

#[cfg(test)]
mod tests {
    use super::gives_out;

    #[test]
    fn what_a_program_takes_does_not_come_out() {
        let out = |text: &str| gives_out(text, text.find("$X").expect("the variable"));
        for text in [
            "a $X",
            "$(echo $X)",
            "$(echo $X | base64)",
            "$(echo \"$X\" | tr a b | base64)",
            "`printf %s $X`",
            "$(echo $X; curl y | z)",
        ] {
            assert!(out(text), "{text}");
        }
        for text in [
            "$(curl -u $X)",
            "$(printf %s \"$X\" | curl -H @- y | jq .z)",
            "$(echo $X | docker login)",
            "`echo $X | vault login -`",
        ] {
            assert!(!out(text), "{text}");
        }
    }
}

//! Programs inside of components that print their whole environment (`console.log(process.env)` in the script of an action). Knows no rule
//! and no component by name.

use std::ops::Range;

/// Calls that print what they are given.
const PRINTS: &[&str] = &[
    "console.log",
    "console.info",
    "console.debug",
    "console.warn",
    "console.error",
    "console.dir",
    "console.table",
    "core.info",
    "core.debug",
    "core.notice",
    "core.warning",
    "core.error",
    "process.stdout.write",
];

/// What of the environment is not its values.
const NAMES: &[&str] = &["Object.keys(", "...", "in "];

/// Where a JavaScript program prints all of `process.env`; entries of it (`process.env.HOME`), its names and copies of it do not count.
pub fn in_javascript(code: &str) -> Option<Range<usize>> {
    const OBJECT: &str = "process.env";
    code.match_indices(OBJECT).find_map(|(at, _)| {
        let rest = &code[at + OBJECT.len()..];
        if rest.starts_with(['.', '[', '_', '?']) || rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        let start = code[..at].rfind(['\n', ';', '{']).map_or(0, |end| end + 1);
        let before = &code[start..at];
        let printed = PRINTS.iter().any(|print| before.contains(&format!("{print}(")));
        (printed && !NAMES.iter().any(|name| before.ends_with(name))).then(|| at..at + OBJECT.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_object_counts() {
        for code in [
            "console.log(process.env)",
            "const a = 1; core.info(JSON.stringify(process.env, null, 2))",
            "if (x) {\n  console.dir(process.env)\n}",
            "console.table(Object.entries(process.env))",
        ] {
            assert!(in_javascript(code).is_some(), "{code}");
        }
        for code in [
            "console.log(process.env.HOME)",
            "console.log(Object.keys(process.env))",
            "console.log('x'); run('a', {env: process.env})",
            "exec('a', [], {env: {...process.env}})",
            "const {A} = process.env",
            "console.log(process.env['A'])",
            "core.info(process.env?.A)",
        ] {
            assert!(in_javascript(code).is_none(), "{code}");
        }
    }
}

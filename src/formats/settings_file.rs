//! Settings files of clients that hold credentials: `pip.conf`, `.pypirc`, `.netrc`, `.npmrc`, `.env`. Gives names and texts; knows no client.
//!
//! <https://packaging.python.org/en/latest/specifications/pypirc/>, <https://pip.pypa.io/en/stable/topics/configuration/>,
//! <https://docs.npmjs.com/cli/configuring-npm/npmrc>, <https://everything.curl.dev/usingcurl/netrc.html>

use super::{Claim, Format, by_path};
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::Facts;
use crate::model::literal::value::is_computed;
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};

/// The format.
pub static FORMAT: Format = Format { name: "settings file", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let known = [
        "pip.conf", "pip.ini", "poetry.toml", "pdm.toml", ".pdm.toml", ".condarc", "condarc", ".pypirc", "pypirc", ".netrc", "_netrc", "netrc", ".npmrc", ".env",
    ];
    // `.env.enc` is a text that a key of the server opens.
    let sealed = [".enc", ".gpg", ".age", ".asc"].iter().any(|end| name.ends_with(end));
    let dotenv = name.starts_with(".env.") && !sealed || name.ends_with(".env") && name.len() > 4;
    if known.contains(&name) || dotenv { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let mut environment = Environment {
        kind: EnvironmentKind::Settings,
        name: source.file_name().to_string(),
        at: source.whole(),
        assignments: Vec::new(),
    };
    let is_netrc = source.file_name().ends_with("netrc");
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let found = if is_netrc { logins(line) } else { setting(line).into_iter().collect() };
        for (name, range) in found {
            let at = Location::new(source.id, Span::new(start + range.start, start + range.end));
            let text = &line[range];
            let value = if is_computed(text) { Value::Expression(text.to_string()) } else { Value::Literal(text.to_string()) };
            environment.assignments.push(Assignment { name: name.to_string(), value, scope: Scope::Pipeline, at, key: name.to_string() });
        }
        start += line.len();
    }
    facts.environments.push(environment);
}

/// `name = text`; the name of npm's `//host/:_authToken` is what stands after the last colon.
fn setting(line: &str) -> Option<(&str, std::ops::Range<usize>)> {
    let bare = line.trim_start_matches('\u{feff}').trim_start();
    if bare.starts_with(['#', ';', '[']) {
        return None;
    }
    let equals = line.find('=').or_else(|| line.find(": "))?;
    let name = line[..equals].trim().trim_start_matches('\u{feff}');
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let name = name.rsplit(':').next().unwrap_or(name);
    let text = line[equals + 1..].trim();
    let quoted = |mark: char| text.len() >= 2 && text.starts_with(mark) && text.ends_with(mark);
    let text = if quoted('"') || quoted('\'') { &text[1..text.len() - 1] } else { text.split(" #").next().unwrap_or(text).trim_end() };
    let start = text.as_ptr() as usize - line.as_ptr() as usize;
    (!text.is_empty()).then(|| (name, start..start + text.len()))
}

/// `machine example.org login joe password x`.
fn logins(line: &str) -> Vec<(&'static str, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        if word == "password" {
            let Some(text) = words.next() else { break };
            let start = text.as_ptr() as usize - line.as_ptr() as usize;
            found.push(("password", start..start + text.len()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::facts_of;

    fn read_all(path: &str, text: &str) -> Vec<(String, String)> {
        let facts = facts_of(&FORMAT, path, text);
        let assignments = &facts.environments[0].assignments;
        let pair = |one: &Assignment| (one.name.clone(), text[one.at.span.range()].to_string());
        assignments.iter().map(pair).collect()
    }

    #[test]
    fn names_and_texts_have_places() {
        let pair = |name: &str, text: &str| (name.to_string(), text.to_string());
        assert_eq!(
            read_all(".env", "# X=1\nexport A='b c'\nB=d # e\n\nC=\n"),
            [pair("A", "b c"), pair("B", "d")]
        );
        assert_eq!(read_all(".pypirc", "[pypi]\nusername = __token__\npassword: x y\n"), [pair("username", "__token__"), pair("password", "x y")]);
        assert_eq!(read_all(".npmrc", "//registry.npmjs.org/:_authToken=abc\n"), [pair("_authToken", "abc")]);
        assert_eq!(read_all("ci/.netrc", "machine x.org login joe password p\n"), [pair("password", "p")]);
    }

    #[test]
    fn files_are_known_by_name() {
        for path in [".env", "a/.env.example", "prod.env", "pip.conf", "x/.pypirc"] {
            assert_eq!(claims(path), Claim::Yes, "{path}");
        }
        for path in ["env", ".envrc", ".env.enc", "pip.conf.j2", "environment"] {
            assert_eq!(claims(path), Claim::No, "{path}");
        }
    }
}

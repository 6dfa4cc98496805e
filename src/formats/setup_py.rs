//! `setup.py`: the lists that its call of `setup()` has as literals. Never runs it; what it computes is said to be unseen.

use super::requires::{Collector, Place};
use super::{Claim, Format, by_path};
use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::reference::Role;
use crate::model::source::{Source, Sources};
use crate::model::text::{Mapped, Text};
use crate::syntax::python::{self, Call, Value};

/// The format.
pub static FORMAT: Format = Format { name: "setup.py", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "setup.py" { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let module = python::read(&Mapped::verbatim(source.text.as_str(), source.id, 0));
    let setup = module.calls.iter().find(|call| call.name.rsplit('.').next() == Some("setup"));
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Setup, source.whole()) };
    if let Some(setup) = setup {
        arguments(setup, &mut to);
    }
    to.finish();
}

fn arguments(setup: &Call, to: &mut Collector) {
    let literal = |name: &str| setup.keyword(name).and_then(|values| values.first()).and_then(Value::literal);
    to.manifest.name = literal("name").map(|text| pypi::normalize(&text.text));
    to.manifest.requires_python = literal("python_requires").cloned();
    const LEAD: &str = "Programming Language :: Python :: ";
    for text in setup.keyword("classifiers").into_iter().flatten().filter_map(Value::literal) {
        let Some(version) = text.text.strip_prefix(LEAD).filter(|version| version.contains('.')) else { continue };
        let at = text.place(LEAD.len()..text.text.len());
        to.manifest.python_versions.push(Text { text: version.to_string(), at, verbatim: text.verbatim });
    }
    let lists = [
        ("install_requires", Role::Runtime, Group::Main),
        ("setup_requires", Role::Build, Group::Build),
        ("tests_require", Role::Dev, Group::Named("tests".to_string())),
    ];
    for (name, role, group) in lists {
        for value in setup.keyword(name).into_iter().flatten() {
            item(value, Place { role, group: &group, key: name }, to);
        }
    }
    for value in setup.keyword("extras_require").into_iter().flatten() {
        let Value::Unseen(text) = value else { continue };
        let items = items_of(text);
        if items.is_empty() && !text.text.trim_end().ends_with(['}', ']']) {
            unseen(text, "extras_require", to);
        }
        for (extra, requirement) in items {
            let (group, key) = (Group::Extra(pypi::normalize(&extra)), format!("extras_require.{extra}"));
            to.pep508(&requirement, Place { role: Role::Extra, group: &group, key: &key });
        }
    }
}

fn item(value: &Value, place: Place, to: &mut Collector) {
    match value {
        Value::Literal(text) => {
            // One string may hold a requirement a line.
            for line in text.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let whole = line == text.text;
                to.pep508(&Text { text: line.to_string(), at: text.at, verbatim: text.verbatim && whole }, place);
            }
        }
        Value::Unseen(text) => unseen(text, place.key, to),
    }
}

/// What is computed cannot be seen; a file that it names is most likely the list.
fn unseen(text: &Text, key: &str, to: &mut Collector) {
    let file = text.text.split(['"', '\'']).find(|part| part.ends_with(".txt") || part.ends_with(".in"));
    if let Some(path) = file {
        to.include(Text { text: path.to_string(), at: text.at, verbatim: false }, false, &Group::Main);
        return;
    }
    // A table whose every entry is computed is said once.
    let what = format!("`{key}` of setup.py is computed when it runs");
    if !to.facts.problems.iter().any(|problem| problem.text == what) {
        to.facts.problem(ProblemKind::Opaque, text.at, what);
    }
}

/// Keys and string items of a dictionary of lists, with their places.
fn items_of(text: &Text) -> Vec<(String, Text)> {
    let source = text.text.as_str();
    let bytes = source.as_bytes();
    let mut items = Vec::new();
    let (mut at, mut depth, mut key) = (0, 0usize, None::<String>);
    // A dictionary comes whole, or as one text for each of its entries.
    let base = usize::from(source.starts_with('{'));
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => at += source[at..].find('\n').unwrap_or(source.len() - at),
            quote @ (b'"' | b'\'') => {
                let Some(len) = source[at + 1..].find(quote as char) else { break };
                let inner = at + 1..at + 1 + len;
                let string = &source[inner.clone()];
                at = inner.end;
                if depth == base && source[at + 1..].trim_start().starts_with(':') {
                    key = Some(string.to_string());
                } else if let Some(key) = &key {
                    let at = text.place(inner.clone());
                    items.push((key.clone(), Text { text: string.to_string(), at, verbatim: text.verbatim }));
                }
            }
            _ => {}
        }
        at += 1;
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn literal_lists_are_read_and_nothing_is_run() {
        let text = "from setuptools import setup\nDEPS = ['six']\nsetup(\n    name='My_Pkg',\n    python_requires='>=3.8',\n    install_requires=['requests>=2', *DEPS],\n    extras_require={\n        'test': ['pytest==8.0.0', \"cov\"],  # x\n        \"doc\": [],\n    },\n)\n";
        let facts = facts_of(&FORMAT, "setup.py", text);
        assert!(names(&facts).contains(&"requests:>=2".to_string()), "{:?}", names(&facts));
        assert!(names(&facts).contains(&"pytest:==8.0.0".to_string()));
        assert_eq!(facts.manifests[0].name.as_deref(), Some("my-pkg"));
        let pytest = facts.references.iter().find(|reference| reference.subject.name == "pytest").unwrap();
        assert_eq!(&text[pytest.site.version.unwrap().at.span.range()], "==8.0.0");
    }

    #[test]
    fn what_is_computed_is_said_or_followed_to_its_file() {
        let facts = facts_of(&FORMAT, "setup.py", "setup(install_requires=open('requirements.txt').read().splitlines())\n");
        assert_eq!(facts.manifests[0].includes[0].path.text, "requirements.txt");
        let facts = facts_of(&FORMAT, "setup.py", "setup(install_requires=get_requirements())\n");
        assert_eq!(facts.problems.len(), 1);
        let facts = facts_of(&FORMAT, "setup.py", "setup(extras_require={'a': a(), 'b': b()})\n");
        assert_eq!(facts.problems.len(), 1);
    }
}

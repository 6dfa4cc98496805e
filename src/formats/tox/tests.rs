use super::*;
use crate::formats::testing::{facts_of, names};
use crate::model::manifest::Group;
use crate::model::script::{Deed, Join};

const INI: &str = "[tox]
env_list = py{311,312}-dj{4,5}, lint
requires =
    tox-uv>=1
[base]
deps = pytest
[testenv]
deps =
    {[base]deps}
    dj4: Django>=4,<5   # why
    -r{toxinidir}/requirements/test.txt
    -cconstraints.txt
    {env:EXTRA:}
extras = x
pass_env = *
commands_pre = - pip list
commands =
    pytest {posargs:tests} \\
      -q
    -coverage report
[testenv:lint]
base_python = python3.12
skip_install = true
deps = ruff==0.5.0
commands =
    ruff check .
    {envpython} -m mypy src
[testenv:{docs,dev}]
commands = {toxinidir}/scripts/build.sh
[docker:db]
image = postgres:15
";

fn deeds(facts: &Facts, name: &str) -> Vec<String> {
    let (_, script) = facts.scripts.iter().find(|(known, _)| known == name).unwrap();
    let deed = |deed: &Deed| match deed {
        Deed::RunEntry { entries, .. } => entries.join(","),
        Deed::Check { tool, .. } => tool.clone(),
        Deed::Call(word) => word.text.text.clone(),
        other => format!("{other:?}"),
    };
    let deeds = script.commands.iter().flat_map(|command| &command.deeds);
    deeds.filter(|deed| !matches!(deed, Deed::Report(_))).map(deed).collect()
}

#[test]
fn environments_install_and_run() {
    let facts = facts_of(&FORMAT, "tox.ini", INI);
    assert_eq!(names(&facts), ["tox-uv:>=1", "pytest", "django:>=4,<5", "ruff:==0.5.0", "python:python3.12", "postgres:15"]);
    let manifest = &facts.manifests[0];
    let groups: Vec<&Group> = manifest.entries.iter().map(|entry| &entry.group).collect();
    assert_eq!(groups[2], &Group::Named("testenv".to_string()));
    let includes: Vec<(&str, bool)> = manifest.includes.iter().map(|include| (include.path.text.as_str(), include.constraint)).collect();
    assert_eq!(includes, [("requirements/test.txt", false), ("constraints.txt", true)]);
    let versions: Vec<&str> = manifest.python_versions.iter().map(|text| text.text.as_str()).collect();
    assert_eq!(versions, ["3.11", "3.11", "3.12", "3.12"]);
    assert_eq!(manifest.entry_points, ["py311-dj4", "py311-dj5", "py312-dj4", "py312-dj5", "lint", "docs", "dev"]);
    assert_eq!(facts.problems.len(), 1);
    let django = &facts.references[2].site;
    assert_eq!(&INI[django.version.unwrap().at.span.range()], ">=4,<5");
}

#[test]
fn commands_become_scripts() {
    let facts = facts_of(&FORMAT, "tox.ini", INI);
    assert_eq!(facts.scripts[0].0, "");
    assert_eq!(deeds(&facts, ""), ["py311-dj4,py311-dj5,py312-dj4,py312-dj5,lint"]);
    assert_eq!(deeds(&facts, "testenv"), ["pytest", "coverage"]);
    assert_eq!(deeds(&facts, "lint"), ["ruff", "mypy"]);
    assert_eq!(deeds(&facts, "docs"), ["scripts/build.sh"]);
    assert_eq!(deeds(&facts, "dev"), ["docs"]);
    let (_, script) = facts.scripts.iter().find(|(name, _)| name == "testenv").unwrap();
    let words: Vec<&str> = script.commands[2].words.iter().map(|word| word.text.text.as_str()).collect();
    assert_eq!(words, ["pytest", "tests", "-q"]);
    assert_eq!(&INI[script.commands[2].words[1].text.at.span.range()], "tests");
    assert_eq!(script.commands[3].join, Join::Or);
}

#[test]
fn native_tables_are_read() {
    let text = "env_list = ['3.12', 'lint']\nrequires = ['tox>=4.20']\n[env_run_base]\ndeps = ['pytest>=8', '-r r.txt']\npass_env = ['*']\ncommands = [['pytest', '-k', 'a b', { replace = 'posargs' }]]\n[env.lint]\ndeps = ['ruff==0.5.0']\ncommands = [['ruff', 'check', '.']]\n";
    let facts = facts_of(&FORMAT, "tox.toml", text);
    assert_eq!(names(&facts), ["tox:>=4.20", "pytest:>=8", "ruff:==0.5.0"]);
    assert_eq!(deeds(&facts, "testenv"), ["pytest"]);
    assert_eq!(deeds(&facts, "lint"), ["ruff"]);
    assert_eq!(facts.manifests[0].includes[0].path.text, "r.txt");
    assert_eq!(facts.manifests[0].settings, [("tox.pass_env".to_string(), facts.manifests[0].settings[0].1.clone())]);
}

#[test]
fn every_prefix_of_a_text_is_read() {
    for end in (0..=INI.len()).filter(|&end| INI.is_char_boundary(end)) {
        facts_of(&FORMAT, "tox.ini", &INI[..end]);
    }
}

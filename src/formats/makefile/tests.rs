use super::*;
use crate::formats::testing::{facts_of, names};
use crate::model::script::{Deed, Join};

fn shown(text: &str) -> Vec<String> {
    let facts = facts_of(&FORMAT, "Makefile", text);
    let deed = |deed: &Deed| match deed {
        Deed::RunEntry { entries, .. } => format!("->{}", entries.join(",")),
        Deed::Check { tool, .. } => tool.clone(),
        Deed::Install(install) => format!("install {}", install.references.len()),
        Deed::Call(word) => format!("call {}", word.text.text),
        _ => "other".to_string(),
    };
    let script = |(name, script): &(String, Script)| {
        let deeds: Vec<String> = script.commands.iter().flat_map(|command| &command.deeds).map(deed).collect();
        format!("{name}: {}", deeds.join(" "))
    };
    facts.scripts.iter().map(script).collect()
}

#[test]
fn targets_become_scripts_with_their_prerequisites() {
    for (text, expected) in [
        ("all: lint test\n\nlint:\n\t@ruff check .\n\ntest: deps ; pytest\n", vec!["all: ->lint,test", "lint: ruff", "test: ->deps pytest"]),
        ("a b: c\n\tpytest\n", vec!["a: ->c pytest", "b: ->a"]),
        ("x:\n\ttrue\n.DEFAULT_GOAL := t\nt:\n\tpytest\n", vec!["t: pytest", "x: "]),
        (".PHONY: t\nt:: a\nt:: b\n\tpytest \\\n\t  -q\n", vec!["t: ->a,b pytest"]),
        ("ifdef X\nt:\n\tpytest\nendif\n", vec!["t: pytest"]),
        ("t: X = 1\nt:\n\t$(MAKE) lint\n", vec!["t: make lint ->lint"]),
        ("define x\nt:\n\tpytest\nendef\n", vec![]),
        ("T = t\n$(T): $(D)\n\tpytest\n", vec!["t: ->$(D) pytest"]),
        ("t:\r\n\tpytest\r\n", vec!["t: pytest"]),
        ("pip install x\n\tpytest\n", vec![]),
    ] {
        let found = shown(text);
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn values_of_variables_keep_the_place_of_their_assignment() {
    let text = "PIP ?= pip3\nPACKAGES = a>=1 \\\n    b\nPACKAGES += c\nX = 1\nX = 2\nt:\n\t$(PIP) install '$(PACKAGES)' d$(X) $$e\n";
    let text = text.replace('\'', "");
    let facts = facts_of(&FORMAT, "Makefile", &text);
    assert_eq!(names(&facts), ["a", "b", "c"]);
    let place = |index: usize| &text[facts.references[index].site.whole.span.range()];
    assert_eq!((place(1), place(2)), ("b", "c"));
    let Deed::Install(install) = &facts.scripts[0].1.commands[0].deeds[0] else { panic!() };
    let opaque: Vec<&str> = install.opaque.iter().map(|word| word.text.text.as_str()).collect();
    assert_eq!(opaque, ["d$(X)", "$e"]);
}

#[test]
fn a_line_stops_the_recipe_unless_its_failure_is_ignored() {
    let facts = facts_of(&FORMAT, "Makefile", "t:\n\tpytest; true\n\t-mypy .\n\tpytest | tee log\n");
    let commands = &facts.scripts[0].1.commands;
    let flags: Vec<(bool, Join)> = commands.iter().map(|command| (command.shell.errexit, command.join)).collect();
    assert_eq!(flags[0], (false, Join::Semicolon));
    assert!(flags[1].0);
    assert_eq!(flags[2].1, Join::Or);
    assert_eq!(commands[3].words[0].text.text, "true");
    assert!(!commands[4].shell.pipefail);
    let facts = facts_of(&FORMAT, "Makefile", "SHELL := /bin/bash\n.SHELLFLAGS := -eu -o pipefail -c\nt:\n\tpytest | tee log\n");
    let shell = facts.scripts[0].1.commands[0].shell;
    assert!(shell.errexit && shell.pipefail);
}

#[test]
fn one_shell_joins_the_lines() {
    let facts = facts_of(&FORMAT, "Makefile", ".ONESHELL:\nt:\n\tcd x\n\tpytest\n");
    assert_eq!(facts.scripts[0].1.commands[1].cwd.as_deref(), Some("x"));
}

#[test]
fn every_prefix_of_a_hostile_text_is_read() {
    let text = "é = $(é) ${x}\nA = $(B)\nB = $(A)$(A)\n.RECIPEPREFIX = >\nt é: $(A) | b ; -@$(call x,$(y)) é\\\n> z $$\\\ndefine q\n";
    for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
        facts_of(&FORMAT, "Makefile", &text[..end]);
    }
}

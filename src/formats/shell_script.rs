//! Shell scripts of the repository: `*.sh`, `*.bash`, and files without an ending whose first line names a shell.
//!
//! Whether anything runs a script is not known here; only scripts that the gate reaches are judged.

use super::{Claim, Format};
use crate::model::facts::Facts;
use crate::model::script::{Language, Shell};
use crate::model::source::{Source, Sources};
use crate::model::text::Mapped;
use crate::tools;

/// The format.
pub static FORMAT: Format = Format { name: "shell script", claims, sniff, read };

/// Folders in which files without an ending are looked into, at any depth. Folders of CI systems (`.buildkite`, `.circleci`) have a dot.
const FOLDERS: [&str; 13] = [
    "bin", "build", "buildkite", "ci", "contrib", "dev", "hack", "jenkins", "script", "scripts", "tools", "travis", "utils",
];

/// Folders in which only the files that stand in them are: below are the data of tests.
const FLAT: [&str; 3] = ["", "test", "tests"];

fn claims(path: &str) -> Claim {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if [".sh", ".bash", ".bats", ".ksh"].iter().any(|end| name.ends_with(end)) {
        return Claim::Yes;
    }
    if [".ps1", ".bat", ".cmd"].iter().any(|end| name.to_ascii_lowercase().ends_with(end)) {
        return Claim::Yes;
    }
    let known = FLAT.contains(&folder) || folder.split('/').any(|part| part.starts_with('.') || FOLDERS.contains(&part));
    let bare = !name.contains('.') && !matches!(name, "Dockerfile" | "Makefile" | "LICENSE" | "README");
    if known && bare { Claim::Maybe } else { Claim::No }
}

/// A first line that names a shell.
fn sniff(text: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or("");
    let Some(rest) = first.strip_prefix("#!") else { return false };
    let mut words = rest.split_whitespace().flat_map(|word| word.rsplit('/').next());
    words.any(|word| matches!(word, "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash"))
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    // The parser takes flags of the first line; a script that is started by name has no others.
    let shell = Shell { language: language(&source.path), ..Shell::PLAIN };
    let start = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
    let text = Mapped::verbatim(&source.text[start..], source.id, start);
    // Scripts are started from the root far more often than from their own folder, and say `cd` when they are not.
    let script = tools::read_script(&text, shell, "", "script", facts);
    facts.scripts.push((source.file_name().to_string(), script));
}

fn language(path: &str) -> Language {
    let path = path.to_ascii_lowercase();
    match () {
        _ if path.ends_with(".ps1") => Language::PowerShell,
        _ if path.ends_with(".bat") || path.ends_with(".cmd") => Language::Cmd,
        _ => Language::Posix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};
    use crate::model::script::Deed;

    #[test]
    fn scripts_are_known_by_ending_or_first_line() {
        for (path, claim) in [
            ("a.sh", Claim::Yes),
            ("x/y.bash", Claim::Yes),
            ("ci/build.PS1", Claim::Yes),
            ("scripts/test", Claim::Maybe),
            (".buildkite/steps/test", Claim::Maybe),
            ("build", Claim::Maybe),
            ("tests/run-tests", Claim::Maybe),
            ("tests/data/x", Claim::No),
            ("src/test", Claim::No),
            ("scripts/a.py", Claim::No),
            ("docker/bin/Dockerfile", Claim::No),
        ] {
            assert_eq!(claims(path), claim, "{path}");
        }
        for text in ["#!/bin/sh", "#!/usr/bin/env -S bash -e\n", "\u{feff}#! /bin/dash"] {
            assert!(sniff(text), "{text}");
        }
        for text in ["", "# !/bin/sh", "#!/usr/bin/env python", "echo\n#!/bin/sh"] {
            assert!(!sniff(text), "{text}");
        }
    }

    #[test]
    fn flags_of_the_first_line_count() {
        let facts = facts_of(&FORMAT, "ci/t.sh", "#!/bin/bash -e\npip install a\npytest | tee log\n");
        let (name, script) = &facts.scripts[0];
        assert_eq!((name.as_str(), names(&facts)), ("t.sh", vec!["a".to_string()]));
        assert!(script.commands[1].shell.errexit && !script.commands[1].shell.pipefail);
        assert!(matches!(script.commands[1].deeds[..], [Deed::Check { .. }]));
    }
}

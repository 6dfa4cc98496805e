//! Which variables hold the path of a file and no secret: where a program takes nothing but a file, it would fail otherwise. Knows no value.
//!
//! Systems with variables of the type file (GitLab, Jenkins, Azure) put the path into the variable, and nothing in the repository says so.

use super::expansion::expansions;
use crate::model::script::{Command, Script};
use std::collections::HashSet;

/// Programs that take files only, options aside.
const FILES: [&str; 24] = [
    ".",
    "base64",
    "basename",
    "cat",
    "chmod",
    "chown",
    "cp",
    "dirname",
    "file",
    "head",
    "install",
    "ln",
    "ls",
    "md5sum",
    "mv",
    "realpath",
    "rm",
    "sha256sum",
    "shred",
    "source",
    "ssh-add",
    "stat",
    "tail",
    "wc",
];

/// Options whose value is a file, by program.
const OPTIONS: [(&str, &str); 12] = [
    ("ssh", "-i"),
    ("scp", "-i"),
    ("sftp", "-i"),
    ("rsync", "--password-file"),
    ("gpg", "--import"),
    ("gpg2", "--import"),
    ("openssl", "-in"),
    ("openssl", "-inkey"),
    ("curl", "--cert"),
    ("curl", "--key"),
    ("test", "-f"),
    ("[", "-f"),
];

/// The variables that a script uses as files.
pub fn of(script: &Script) -> HashSet<String> {
    script.commands.iter().flat_map(of_command).collect()
}

fn of_command(command: &Command) -> Vec<String> {
    let program = command.words.iter().map(|word| word.text.text.as_str()).find(|word| *word != "sudo").unwrap_or("");
    let program = program.rsplit('/').next().unwrap_or(program);
    let words = command.words.windows(2).filter_map(|pair| {
        let (before, word) = (pair[0].text.text.as_str(), pair[1].text.text.as_str());
        let alone = FILES.contains(&program) || OPTIONS.contains(&(program, before)) || names_file(before);
        match word.split_once('=') {
            Some((option, value)) if names_file(option) => only_variable(value),
            _ => only_variable(word).filter(|_| alone),
        }
    });
    let read = command.redirects.iter().filter(|redirect| redirect.operator == "<");
    words.chain(read.filter_map(|redirect| only_variable(&redirect.target.text.text))).collect()
}

/// `--key-file`, `--kubeconfig`: the name of the option says what it takes.
fn names_file(option: &str) -> bool {
    option.starts_with("--") && ["file", "kubeconfig", "cacert"].iter().any(|end| option.ends_with(end))
}

/// The variable that a text is, with nothing around it.
fn only_variable(text: &str) -> Option<String> {
    let mut found = expansions(text).into_iter();
    let one = found.next().filter(|one| one.start == 0 && one.end == text.len())?;
    found.next().is_none().then_some(one.name)
}

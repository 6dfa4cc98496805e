//! What a shell carries from command to command: its flags and its folder. Knows no grammar.

use crate::model::script::{Command, Language, Shell, Word};

/// Folders longer than this are not followed, so that hostile text cannot make each command carry a long one.
const MAX_FOLDER: usize = 1024;
/// Folders kept by `pushd`.
const MAX_STACK: usize = 16;

/// Flags and folder at one point of a script.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) shell: Shell,
    /// Relative to where the script starts.
    pub(super) cwd: Option<String>,
    previous: Option<String>,
    stack: Vec<Option<String>>,
}

impl State {
    pub(super) fn new(shell: Shell) -> State {
        State { shell, cwd: Some(String::new()), previous: None, stack: Vec::new() }
    }

    /// Takes in what `command` changes for those after it.
    pub(super) fn apply(&mut self, command: &Command) {
        let Some((program, arguments)) = command.words.split_first() else { return };
        match program.text.text.as_str() {
            "set" => set_flags(&mut self.shell, arguments.iter().map(|word| word.text.text.as_str())),
            "shopt" => self.shopt(arguments),
            "cd" | "chdir" | "Set-Location" => self.go(arguments),
            "pushd" | "Push-Location" => {
                if self.stack.len() < MAX_STACK {
                    self.stack.push(self.cwd.clone());
                }
                self.go(arguments);
            }
            "popd" | "Pop-Location" => self.cwd = self.stack.pop().flatten(),
            _ => {}
        }
    }

    fn shopt(&mut self, arguments: &[Word]) {
        let has = |text: &str| arguments.iter().any(|word| word.text.text == text);
        let sets = arguments.iter().any(|word| word.text.text.starts_with("-s") || word.text.text == "-os");
        if sets && has("pipefail") {
            self.shell.pipefail = true;
        }
        if sets && has("errexit") {
            self.shell.errexit = true;
        }
    }

    fn go(&mut self, arguments: &[Word]) {
        let target = arguments.iter().find(|word| !word.text.text.starts_with('-') || word.text.text == "-");
        let next = match target {
            None => None,
            Some(word) if word.text.text == "-" => self.previous.clone(),
            Some(word) if word.expands => None,
            Some(word) => self.cwd.as_deref().and_then(|from| enter(from, &word.text.text)),
        };
        self.previous = std::mem::replace(&mut self.cwd, next);
    }
}

/// `folder` as seen from `from`; `..` may lead out of where the script started. Absolute and home folders cannot be placed.
fn enter(from: &str, folder: &str) -> Option<String> {
    if folder.starts_with(['/', '~', '\\'])
        || folder.contains([':', '*', '?'])
        || from.len() + folder.len() > MAX_FOLDER
    {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Takes in arguments of `set`, or of a shell's own command line (`-euo pipefail`).
pub(super) fn set_flags<'a>(shell: &mut Shell, arguments: impl Iterator<Item = &'a str>) {
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let on = match argument.as_bytes().first() {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => continue,
        };
        if argument == "--" {
            return;
        }
        if argument.starts_with("--") {
            continue;
        }
        for flag in argument[1..].bytes() {
            match flag {
                b'e' => shell.errexit = on,
                b'x' => shell.xtrace = on,
                b'o' => match arguments.next() {
                    Some("errexit") => shell.errexit = on,
                    Some("pipefail") => shell.pipefail = on,
                    Some("xtrace") => shell.xtrace = on,
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

/// Whether a program is a shell, given by name or path.
pub(super) fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "sh" | "bash" | "dash" | "zsh" | "ash" | "ksh" | "mksh")
}

/// `shell` with the flags of a first line `#!…`; `None` when that line names something that is no POSIX shell.
pub(super) fn shebang(text: &str, mut shell: Shell) -> Option<Shell> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(line) = text.strip_prefix("#!") else { return Some(shell) };
    let line = line.lines().next().unwrap_or("");
    let mut words = line.split_ascii_whitespace().peekable();
    let mut program = words.next().unwrap_or("");
    if program.rsplit('/').next() == Some("env") || program.ends_with("/with-contenv") {
        program = words.find(|word| !word.starts_with('-') && !word.contains('=')).unwrap_or("sh");
    }
    if program.rsplit('/').next() == Some("busybox") {
        program = words.next().unwrap_or("sh");
    }
    if !is_shell(program) {
        return None;
    }
    shell.language = Language::Posix;
    set_flags(&mut shell, words);
    Some(shell)
}

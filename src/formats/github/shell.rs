//! Which shell a step runs in and with which flags (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax>, `shell`).
//! Does not know what the script says.

use crate::model::script::{Language, Shell};

const POWERSHELL: Shell = Shell { language: Language::PowerShell, errexit: true, pipefail: false, xtrace: false };

/// Without any `shell:`: `bash -e` on Linux and macOS, PowerShell on Windows.
pub fn default(on_windows: Windows) -> Shell {
    if on_windows == Windows::Yes { POWERSHELL } else { Shell::ERREXIT }
}

/// Whether the machine runs Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// Every leg does.
    Yes,
    /// Some leg does not.
    No,
}

/// The shell of `shell: TEXT`. A word alone stands for a command with flags; a command is what it says.
pub fn named(text: &str) -> Shell {
    let other = |language| Shell { language, errexit: false, pipefail: false, xtrace: false };
    match text.trim() {
        "bash" => Shell::PIPEFAIL,
        "sh" => Shell::ERREXIT,
        "pwsh" | "powershell" => POWERSHELL,
        "cmd" => other(Language::Cmd),
        "python" => other(Language::Python),
        command => written(command),
    }
}

fn written(command: &str) -> Shell {
    let mut words = command.split_whitespace();
    let name = |word: &str| word.rsplit(['/', '\\']).next().unwrap_or(word).trim_end_matches(".exe").to_string();
    let program = words.find_map(|word| language(&name(word)).map(|language| (language, name(word))));
    let mut shell = Shell { language: Language::Other, errexit: false, pipefail: false, xtrace: false };
    let Some((language, program)) = program else { return shell };
    shell.language = language;
    if program == "micromamba-shell" {
        // The wrapper that setup-micromamba writes starts `bash -eo pipefail`.
        return Shell::PIPEFAIL;
    }
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.starts_with('-')) else { continue };
        shell.errexit |= flags.contains('e');
        shell.xtrace |= flags.contains('x');
        let option = if flags.ends_with('o') { words.peek().copied().unwrap_or("") } else { "" };
        shell.pipefail |= option == "pipefail";
        shell.errexit |= option == "errexit";
        shell.xtrace |= option == "xtrace";
    }
    shell
}

fn language(program: &str) -> Option<Language> {
    match program {
        "bash" | "sh" | "dash" | "zsh" | "ash" | "ksh" | "wsl-bash" | "micromamba-shell" | "msys2" | "alpine.sh" => {
            Some(Language::Posix)
        }
        "pwsh" | "powershell" => Some(Language::PowerShell),
        "cmd" => Some(Language::Cmd),
        _ if program.starts_with("python") => Some(Language::Python),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_follow_the_documentation() {
        let cases = [
            ("bash", (Language::Posix, true, true)),
            ("sh", (Language::Posix, true, false)),
            ("bash -l {0}", (Language::Posix, false, false)),
            ("bash -el {0}", (Language::Posix, true, false)),
            ("bash -leo pipefail {0}", (Language::Posix, true, true)),
            ("bash --noprofile --norc -exo pipefail {0}", (Language::Posix, true, true)),
            ("/usr/bin/bash -e {0}", (Language::Posix, true, false)),
            ("nix develop -c bash -e {0}", (Language::Posix, true, false)),
            ("python", (Language::Python, false, false)),
            ("perl {0}", (Language::Other, false, false)),
        ];
        for (text, expected) in cases {
            let shell = named(text);
            assert_eq!((shell.language, shell.errexit, shell.pipefail), expected, "{text}");
        }
        assert!(named("bash -exo pipefail {0}").xtrace);
    }
}

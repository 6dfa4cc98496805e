//! The command line that a system starts a shell with (`shell: bash -leo pipefail {0}`), as the flags in force. Knows no system.

use crate::model::script::{Language, Shell};

/// The shell that a command line starts, wrappers before it passed over.
pub fn started_by(command: &str) -> Shell {
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

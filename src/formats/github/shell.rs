//! Which shell a step runs in and with which flags (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax>, `shell`).
//! Does not know what the script says.

use crate::model::script::{Language, Shell};
use crate::syntax::shell::started_by;

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
        command => started_by(command),
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

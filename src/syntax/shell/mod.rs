//! Shell scripts to commands: words, redirections, joins, nesting, flags and folders, each with its place.
//!
//! The parser is tolerant: any text gives commands, and nothing fails. It knows the grammar of POSIX shells and bash (XCU chapter 2, the
//! bash manual), and enough of PowerShell and cmd.exe to find commands. It expands nothing, runs nothing, and does not know what a
//! program does.

mod compound;
mod inner;
mod parser;
mod started;
mod state;
mod windows;
mod word;

#[cfg(test)]
mod tests;

pub use started::started_by;

use crate::model::script::{Command, Language, Shell};
use crate::model::text::Mapped;

/// Constructs that stand deeper than this are one opaque text.
const MAX_DEPTH: usize = 64;

/// The commands of `text` in the order of the text, when `shell` reads it.
///
/// A command comes before the commands that stand in its own words (`$(…)`, `<(…)`, `bash -c '…'`), which have
/// [`Nest::Substitution`](crate::model::script::Nest) or `Nest::Inner` as a further nesting. The last command of a group, a subshell or
/// another compound command has the join of the whole: in `(cd x && pytest) || true`, `pytest` is joined by `||`.
///
/// A first line that names another interpreter than a shell gives no commands; flags that it gives to a shell are added to `shell`.
pub fn parse(text: &Mapped, shell: Shell) -> Vec<Command> {
    let mut commands = match shell.language {
        Language::Posix => match state::shebang(&text.text, shell) {
            Some(shell) => parser::Parser::new(text, shell).run(),
            None => Vec::new(),
        },
        Language::PowerShell | Language::Cmd => windows::parse(text, shell),
        Language::Python | Language::Other => Vec::new(),
    };
    // They are kept as long as the project.
    commands.shrink_to_fit();
    commands
}

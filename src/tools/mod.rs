//! What a command line means: the deeds of each shell command, and references for everything that it names. One file per family of tools.
//! Knows no document that holds scripts, runs nothing, and has no opinion on what it finds.

pub mod args;
mod cargo_go;
mod checks;
mod conda;
mod containers;
mod entries;
mod fetch;
mod hatch;
mod later;
mod node;
mod packages;
mod pdm;
mod pip;
mod pipenv;
mod pipx;
mod poetry;
mod prefix;
pub mod python_dump;
mod recipe;
mod shows;
mod system;
mod uv;

#[cfg(test)]
pub mod tests;

pub use later::join_scripts;
pub use recipe::{Line, Recipe, read_recipe, runs};
pub use shows::dump;

use crate::model::facts::Facts;
use crate::model::reference::{Reference, ReferenceId};
use crate::model::script::{Command, Deed, Enforcement, Install, InstallTool, Join, Language, Script, Shell, Word};
use crate::model::source::join;
use crate::model::span::Location;
use crate::model::text::{Mapped, Text};

/// Launchers inside launchers are followed this deep (`sudo env uv run coverage run -m pytest` is four).
const DEPTH: usize = 12;

/// Reads a script: parses it, says what each command does, and puts the references of its words into `facts`.
///
/// `cwd` is the folder that it starts in, relative to the project root. `key` is the structural key path of the script; references
/// get `key[index of the command].name`.
pub fn read_script(text: &Mapped, shell: Shell, cwd: &str, key: &str, facts: &mut Facts) -> Script {
    let mut commands = crate::syntax::shell::parse(text, shell);
    read_commands(&mut commands, shell, key, facts);
    commands.shrink_to_fit();
    let mut script = Script { at: text.at, shell, commands, cwd: cwd.to_string() };
    if shell.language == Language::Python {
        shows::read_python(&mut script, text);
    }
    script
}

/// Reads one command whose words are known without a shell: an exec-form `RUN`, the arguments of `session.run`.
pub fn read_words(words: Vec<Text>, at: Location, cwd: &str, key: &str, facts: &mut Facts) -> Script {
    let shell = Shell { errexit: true, ..Shell::PLAIN };
    let word = |text: Text| Word { expands: args::expansion(&text.text).is_some(), text, quoted: true };
    let words = words.into_iter().map(word).collect();
    let command = Command {
        at,
        assigns: Vec::new(),
        words,
        redirects: Vec::new(),
        join: Join::End,
        nesting: Vec::new(),
        shell,
        cwd: Some(String::new()),
        deeds: Vec::new(),
    };
    let mut commands = vec![command];
    read_commands(&mut commands, shell, key, facts);
    Script { at, shell, commands, cwd: cwd.to_string() }
}

/// Fills in the deeds of parsed commands.
pub fn read_commands(commands: &mut [Command], shell: Shell, key: &str, facts: &mut Facts) {
    let mut env = Vec::new();
    for (index, command) in commands.iter_mut().enumerate() {
        if !matches!(shell.language, Language::Posix | Language::PowerShell | Language::Cmd) {
            break;
        }
        let exported = env.len();
        env.extend(command.assigns.iter().map(|(name, value)| (name.clone(), value.clone())));
        let at = command.at;
        let key = format!("{key}[{index}]");
        let mut out = Out { facts, key, deeds: Vec::new(), env: &mut env, at, folder: None, fed: None };
        recognise(&command.words, &mut out);
        let (deeds, folder) = (out.deeds, out.folder);
        // Variables in front of a command hold for it alone.
        if !command.words.is_empty() {
            env.truncate(exported);
        }
        prefix::exports(&command.words, &mut env);
        command.deeds = deeds;
        if let Some(folder) = folder {
            command.cwd = command.cwd.take().and_then(|cwd| join(&cwd, &folder));
        }
    }
    later::join(commands, facts);
    shows::read(commands);
    commands.iter_mut().for_each(Command::give_back_room);
}

/// Where deeds and references go, and what is known around the command.
struct Out<'a> {
    facts: &'a mut Facts,
    key: String,
    deeds: Vec<Deed>,
    /// Variables set before the command in the same script, and in front of it.
    env: &'a mut Vec<(String, Text)>,
    /// The whole command.
    at: Location,
    /// The folder that the command itself goes to (`make -C docs`).
    folder: Option<String>,
    /// The word of the program that adds words from its input (`xargs pip install`).
    fed: Option<Word>,
}

impl Out<'_> {
    /// Adds a reference, with its name at the end of its key path.
    fn push(&mut self, mut reference: Reference) -> ReferenceId {
        reference.key = format!("{}.{}", self.key, reference.subject.name);
        self.facts.push(reference)
    }

    fn deed(&mut self, deed: Deed) {
        self.deeds.push(deed);
    }

    /// The value of a variable that the script itself sets.
    fn var(&self, name: &str) -> Option<&Text> {
        self.env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether a variable is set to something that tools take for yes.
    fn is_on(&self, name: &str) -> bool {
        let value = self.var(name).map(|value| value.text.to_ascii_lowercase());
        value.is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no" | "off" | "f" | "n"))
    }

    /// The folder that the command runs in, as a word: what project tools work on when no folder is given.
    fn here(&self) -> Word {
        let text = Text { text: ".".to_string(), at: self.at, verbatim: false };
        Word { text, expands: false, quoted: false }
    }

    /// Adds an install that installs something, or gets what it installs from its input.
    fn install(&mut self, mut install: Install) {
        if pip::is_empty(&install) {
            let Some(word) = self.fed.clone() else { return };
            install.opaque.push(word);
        }
        self.deed(Deed::Install(install));
    }

    fn upgrade(&mut self, what: impl Into<String>) {
        self.deed(Deed::Upgrade { what: what.into() });
    }

    /// The lock of the project is made anew.
    fn relock(&mut self, tool: InstallTool) {
        self.deed(Deed::Relock { tool, output: None });
    }

    fn entry(&mut self, tool: &str, entries: Vec<String>) {
        self.deed(Deed::RunEntry { tool: tool.to_string(), entries });
    }
}

/// One program with its arguments, prefixes taken off.
#[derive(Debug, Clone, Copy)]
struct Call<'c> {
    /// The program without folder, `.exe` and Python version: `pip3.11` is `pip`.
    program: &'c str,
    /// All words from the program on.
    words: &'c [Word],
    /// Whether Python was asked to run it as a module (`python -m build`).
    module: bool,
}

impl<'c> Call<'c> {
    fn of(words: &'c [Word], module: bool) -> Option<Call<'c>> {
        let first = words.first()?;
        let program = prefix::program(&first.text.text);
        Some(Call { program, words, module })
    }

    /// The words after the program.
    fn args(&self) -> &'c [Word] {
        &self.words[1..]
    }

    /// The text of an argument; empty when there is none.
    fn arg(&self, number: usize) -> &'c str {
        self.words.get(number + 1).map_or("", |word| word.text.text.as_str())
    }
}

/// What a recogniser hands on: a command that is started by the one it saw.
struct Inner<'c> {
    words: &'c [Word],
    module: bool,
}

impl<'c> Inner<'c> {
    fn command(words: &'c [Word]) -> Option<Inner<'c>> {
        (!words.is_empty()).then_some(Inner { words, module: false })
    }

    fn module(words: &'c [Word]) -> Option<Inner<'c>> {
        (!words.is_empty()).then_some(Inner { words, module: true })
    }
}

/// A recogniser: says what a call does, and what command it starts.
type Recognise = for<'c> fn(&Call<'c>, &mut Out) -> Option<Inner<'c>>;

fn recognise(words: &[Word], out: &mut Out) {
    let mut inner = Inner::command(words);
    for _ in 0..DEPTH {
        let Some(Inner { words, module }) = inner.take() else { return };
        let Some(call) = Call::of(words, module) else { return };
        checks::read(&call, out);
        entries::read(&call, out);
        inner = family(&call).and_then(|recognise| recognise(&call, out));
    }
}

/// Which recogniser knows a program.
fn family(call: &Call) -> Option<Recognise> {
    if let Some(recognise) = prefix::family(call) {
        return Some(recognise);
    }
    Some(match call.program {
        "pip" | "pip-sync" | "pip-compile" | "piptools" | "easy_install" => pip::read,
        "uv" | "uvx" => uv::read,
        "poetry" => poetry::read,
        "pdm" => pdm::read,
        "pipenv" => pipenv::read,
        "hatch" => hatch::read,
        "pipx" => pipx::read,
        "conda" | "mamba" | "micromamba" | "pixi" | "conda-lock" => conda::read,
        "npm" | "npx" | "yarn" | "pnpm" | "pnpx" | "bun" | "bunx" | "corepack" => node::read,
        "cargo" | "cargo-binstall" | "go" => cargo_go::read,
        "docker" | "podman" | "nerdctl" | "buildah" | "docker-compose" | "podman-compose" => containers::read,
        "skaffold" => containers::read_skaffold,
        "skopeo" | "crane" | "apptainer" | "singularity" => containers::read_other,
        "curl" | "wget" | "git" | "gh" => fetch::read,
        "pre-commit" | "pre_commit" | "prek" => checks::read_pre_commit,
        "pyenv" => uv::read_pyenv,
        program if system::MANAGERS.contains(&program) => system::read,
        _ => return None,
    })
}

/// An install that names nothing yet.
pub fn install(tool: InstallTool, enforcement: Enforcement) -> Install {
    Install {
        tool,
        references: Vec::new(),
        files: Vec::new(),
        projects: Vec::new(),
        opaque: Vec::new(),
        enforcement,
        no_deps: false,
        require_hashes: false,
        upgrade: false,
        no_index: false,
        local_links: false,
        extra_indexes: Vec::new(),
        groups: Vec::new(),
    }
}

/// Texts of words.
fn texts<'w>(words: impl IntoIterator<Item = &'w Word>) -> Vec<String> {
    words.into_iter().map(|word| word.text.text.clone()).collect()
}

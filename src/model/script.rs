//! Shell text as facts: commands, how they are joined, and what each is known to do. Does not know where scripts come from.

use super::reference::ReferenceId;
use super::span::Location;
use super::text::Text;

/// Which interpreter reads a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// sh, bash, dash, zsh, ash.
    Posix,
    /// Windows PowerShell and pwsh.
    PowerShell,
    /// cmd.exe.
    Cmd,
    /// Python source.
    Python,
    /// Anything else: not looked into.
    Other,
}

/// The interpreter and the flags that the system starts it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shell {
    /// Which language.
    pub language: Language,
    /// Whether it stops at the first failing command.
    pub errexit: bool,
    /// Whether a pipeline fails when any part fails.
    pub pipefail: bool,
    /// Whether it prints expanded commands.
    pub xtrace: bool,
}

impl Shell {
    /// `sh -e`: what most systems start.
    pub const ERREXIT: Shell = Shell { language: Language::Posix, errexit: true, pipefail: false, xtrace: false };
    /// `bash -eo pipefail`.
    pub const PIPEFAIL: Shell = Shell { language: Language::Posix, errexit: true, pipefail: true, xtrace: false };
    /// A plain `sh` without flags.
    pub const PLAIN: Shell = Shell { language: Language::Posix, errexit: false, pipefail: false, xtrace: false };
}

/// A script and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Where it stands.
    pub at: Location,
    /// The shell at its start.
    pub shell: Shell,
    /// Its commands in the order of the text, those in substitutions and compound commands included.
    pub commands: Vec<Command>,
    /// Working folder relative to the project root, when known.
    pub cwd: String,
}

impl Script {
    /// The index of the command that the one at `index` is joined to: the next one that does not stand in its words.
    pub fn next(&self, index: usize) -> Option<usize> {
        let base = &self.commands.get(index)?.nesting;
        let is_inner = |command: &Command| {
            let deeper = command.nesting.get(base.len()).filter(|_| command.nesting.starts_with(base));
            matches!(deeper, Some(Nest::Substitution | Nest::Inner))
        };
        (index + 1..self.commands.len()).find(|&next| !is_inner(&self.commands[next]))
    }
}

/// How a command is joined to the one after it. The last command of a group, a subshell or another compound command has the join of
/// the whole: in `(cd x && pytest) || true`, `pytest` has `Or`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Join {
    /// End of the list (line end, end of group).
    End,
    /// `;` on one line.
    Semicolon,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|` (also `|&`).
    Pipe,
    /// `&`.
    Background,
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// From its first word or assignment to its last word or redirection.
    pub at: Location,
    /// Assignments before the command (`X=1 cmd`), or the whole command (`X=1`).
    pub assigns: Vec<(String, Text)>,
    /// The words: program first.
    pub words: Vec<Word>,
    /// Its redirections.
    pub redirects: Vec<Redirect>,
    /// What joins it to the next command.
    pub join: Join,
    /// How deep it stands, from the outside in.
    pub nesting: Vec<Nest>,
    /// The flags in force when it runs, followed through `set -e`, `set +o pipefail` …
    pub shell: Shell,
    /// Working folder followed through `cd`, relative to the script's `cwd`; `None` when it cannot be followed.
    pub cwd: Option<String>,
    /// What it is known to do.
    pub deeds: Vec<Deed>,
}

impl Command {
    /// Gives back the room that growing lists took and do not use.
    pub fn give_back_room(&mut self) {
        self.words.shrink_to_fit();
        self.redirects.shrink_to_fit();
        self.assigns.shrink_to_fit();
        self.deeds.shrink_to_fit();
    }
}

/// What a command stands inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nest {
    /// `$( )`, backquotes, `<( )`.
    Substitution,
    /// `( )`.
    Subshell,
    /// `{ }`.
    Group,
    /// The condition of `if`, `while`, `until`, or after `!`: its exit code is looked at.
    Condition,
    /// The body of `if`, `else`, `case`.
    Branch,
    /// The body of a loop.
    Loop,
    /// The body of a function.
    Function,
    /// The text given to another shell (`bash -c '…'`).
    Inner,
}

/// One word of a command, unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it says, quotes and escapes removed, expansions left as written (`$X`, `${X:-y}`, `$(…)`, `${{ … }}`).
    pub text: Text,
    /// Whether an expansion is in it, so that its value is not what it says.
    pub expands: bool,
    /// Whether any part of it was quoted.
    pub quoted: bool,
}

/// One redirection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The operator as written: `>`, `2>`, `&>`, `<`, `<<`, `<<<`, `>>`.
    pub operator: String,
    /// The target; for a here-document its body.
    pub target: Word,
}

/// What kind of check a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckKind {
    /// Runs tests.
    Test,
    /// Lints or checks format.
    Lint,
    /// Checks types.
    Types,
    /// Builds something.
    Build,
}

/// What a command is known to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Installs packages.
    Install(Install),
    /// Runs or installs a tool by name (`uvx ruff`, `npx x`, `cargo install x`).
    RunTool(ReferenceId),
    /// Runs or pulls an image.
    UseImage(ReferenceId),
    /// Builds an image.
    BuildImage(BuildImage),
    /// Fetches a file.
    Download(Download),
    /// Clones a repository.
    Clone(ReferenceId),
    /// Is a check whose verdict counts.
    Check {
        /// Which kind.
        kind: CheckKind,
        /// The tool: `pytest`, `ruff`, `tox`.
        tool: String,
    },
    /// Calls a script of the repository, path as written.
    Call(Word),
    /// Runs entries of a task runner (`tox -e x`, `nox -s x`, `make x`, `just x`, `hatch run x`).
    RunEntry {
        /// `tox`, `nox`, `make`, `just`, `hatch`, `pre-commit`, `invoke`, `npm`.
        tool: String,
        /// Entry names; empty means the default.
        entries: Vec<String>,
    },
    /// Moves pins by itself (`poetry update`, `uv lock --upgrade`, `pre-commit autoupdate`).
    Upgrade {
        /// What is upgraded, in words: `uv.lock`, `pre-commit hooks`.
        what: String,
    },
    /// Prints or writes its whole environment.
    Dump(Dump),
    /// Prints a part of an environment report.
    Report(Reported),
    /// Is so verbose that it prints credentials that it has; how, as people say.
    Reveal(String),
    /// Makes a lock anew, or may (`poetry lock`, `pip-compile`).
    Relock {
        /// Which tool; [`InstallTool::PipSync`] for compilers of requirements files.
        tool: InstallTool,
        /// The file that a compiler writes.
        output: Option<Word>,
    },
    /// Verifies a lock against its manifest (`uv lock --check`).
    VerifyLock {
        /// Which tool.
        tool: InstallTool,
    },
}

/// A print of the whole environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// What does it, as people say: `env`, `os.environ`.
    pub how: String,
    /// What of it comes out.
    pub kept: Kept,
    /// Where it goes.
    pub sinks: Vec<DumpSink>,
}

/// What of an environment comes out of the filters behind it. One that leaves out by name counts as all: it forgets the next name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    All,
    /// All of it in a form that no mask knows.
    Encoded,
    /// Lines with one of these patterns, as `grep` reads them; `(?i)` in front when case does not count.
    Only(Vec<String>),
}

impl Kept {
    /// Whether a variable may come out. A pattern that is more than a text and anchors lets everything through.
    pub fn lets(&self, variable: &str) -> bool {
        let Kept::Only(patterns) = self else { return true };
        patterns.iter().any(|pattern| {
            let folded = pattern.strip_prefix("(?i)");
            let text = folded.unwrap_or(pattern);
            let start = text.strip_prefix('^').map(|text| text.trim_matches(['(', ')']));
            let text = start.unwrap_or(text).trim_end_matches(".*").trim_end_matches(['=', '$']);
            if text.contains(['.', '*', '[', '+', '?', '{', '\\', '(', '$']) {
                return true;
            }
            let (variable, text) = match folded {
                Some(_) => (variable.to_ascii_lowercase(), text.to_ascii_lowercase()),
                None => (variable.to_string(), text.to_string()),
            };
            if start.is_some() { variable.starts_with(&text) } else { variable.contains(&text) }
        })
    }
}

/// Where a print of an environment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpSink {
    /// The log.
    Log,
    /// A file.
    File(Word),
    /// Another machine.
    Network,
}

/// A part of an environment report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reported {
    /// Which interpreter.
    Interpreter,
    /// Which system, processor, library.
    Platform,
    /// Which packages.
    Packages,
    /// All of it.
    Everything,
}

/// A tool that installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstallTool {
    /// `pip install`.
    Pip,
    /// `uv pip install`, `uv pip sync`.
    UvPip,
    /// `uv sync`, `uv run` and what else works on `uv.lock`.
    Uv,
    /// `poetry install`.
    Poetry,
    /// `pdm install`, `pdm sync`.
    Pdm,
    /// `pipenv install`, `pipenv sync`.
    Pipenv,
    /// `pip-sync`.
    PipSync,
    /// `hatch`.
    Hatch,
    /// `conda`, `mamba`, `micromamba`.
    Conda,
    /// `conda-lock install`.
    CondaLock,
    /// `pixi`.
    Pixi,
    /// `apt-get`, `apk`, `dnf`, `yum`.
    System,
    /// `npm`, `yarn`, `pnpm`.
    Npm,
}

/// How an install treats the lock of its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// The tool has no lock.
    NoLock,
    /// It uses the lock and may change or ignore it.
    Loose,
    /// It fails when the lock does not fit the manifest.
    Checked,
    /// It installs exactly the lock without looking at the manifest.
    Frozen,
}

/// A file that an install reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileArg {
    /// As written.
    pub path: Word,
    /// Whether it only constrains (`-c`).
    pub constraint: bool,
}

/// An installation of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// By which tool.
    pub tool: InstallTool,
    /// Packages named on the command line.
    pub references: Vec<ReferenceId>,
    /// `-r` and `-c` files, environment files.
    pub files: Vec<FileArg>,
    /// Local projects (`.`, `-e .[test]`, `./pkg`) as written; for project tools the folder they work on.
    pub projects: Vec<Word>,
    /// Words whose value cannot be seen (`$PKG`).
    pub opaque: Vec<Word>,
    /// Treatment of a lock.
    pub enforcement: Enforcement,
    /// `--no-deps`.
    pub no_deps: bool,
    /// `--require-hashes`.
    pub require_hashes: bool,
    /// `-U`, `--upgrade`.
    pub upgrade: bool,
    /// `--no-index`.
    pub no_index: bool,
    /// `--find-links` with a folder: packages that were built before.
    pub local_links: bool,
    /// `--extra-index-url` values.
    pub extra_indexes: Vec<Word>,
    /// Groups and extras asked for, as written.
    pub groups: Vec<String>,
}

/// A build of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildImage {
    /// `-f`, as written.
    pub file: Option<Word>,
    /// The context folder, as written.
    pub context: Option<Word>,
    /// `-t` names.
    pub tags: Vec<Word>,
    /// `--pull`.
    pub pull: bool,
    /// Names and values of `--build-arg`.
    pub args: Vec<Word>,
    /// Names and places of `--build-context`.
    pub contexts: Vec<Word>,
    /// Whether a cache source is named.
    pub cached: bool,
}

/// A download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The URL as written.
    pub url: Word,
    /// Where it is run: by a pipe, a later command, or not at all.
    pub run_by: Option<Location>,
    /// Whether a checksum or signature check follows before it is run.
    pub verified: bool,
    /// The names of the files that it lies in when its script ends, for what is run by a later one.
    pub kept_as: Vec<String>,
}

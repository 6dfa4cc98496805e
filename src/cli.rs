//! The command line's surface: arguments and nothing else. Knows no command's work.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Tells, before a patch is merged, whether anything that CI runs can change or leak without a commit.
///
/// Exit codes: 0 nothing at or above the threshold, 1 findings, 2 wrong arguments, wrong configuration, or the world failed.
#[derive(Debug, Parser)]
#[command(name = "pinguard", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to colour.
    #[arg(long, value_enum, default_value = "auto", global = true, value_name = "WHEN")]
    pub color: Color,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report what can change or leak without a commit
    Check(Box<Check>),
    /// Print every reference that was found, loose or not, with its strength
    List(List),
    /// Make compiled requirements and pylock.toml files: resolve their inputs to a closed set
    Lock(Box<Lock>),
    /// Move pins to newer releases: branches from the base commit, pushed, with a request for each
    Upgrade(Box<Upgrade>),
    /// Show what moved in locks, manifests, images and components between two revisions
    Diff(Diff),
    /// Print the manual of a rule
    Explain {
        /// Id of the rule.
        rule: String,
    },
    /// Print every rule with its levels
    Rules {
        /// How to print them.
        #[arg(long, default_value = "human", value_parser = ["human", "json"])]
        format: String,
    },
    /// Write a commented pinguard.toml into the current folder
    Init {
        /// Print it instead of writing it.
        #[arg(long)]
        stdout: bool,
    },
    /// Print what a log needs on its top: interpreters, platform, tools, packages, git, resources, and the environment if nothing in it
    /// looks like a secret
    EnvReport {
        /// Exit with 1 when the environment is not printed because something in it looks like a secret.
        #[arg(long)]
        strict: bool,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Folders or files to check; `-` reads one file from standard input.
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// What goes to standard output.
    #[arg(long, default_value = "human", value_parser = CHECK_FORMATS)]
    pub format: String,
    /// Write a further report to a file.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub output: Vec<String>,
    /// Which set of levels is in force.
    #[arg(long, value_parser = ["default", "strict", "audit"])]
    pub profile: Option<String>,
    /// Only these rules or groups.
    #[arg(long, value_delimiter = ',', value_name = "RULE")]
    pub select: Vec<String>,
    /// Without these rules or groups.
    #[arg(long, value_delimiter = ',', value_name = "RULE")]
    pub ignore: Vec<String>,
    /// The lowest level that fails the run.
    #[arg(long, value_parser = ["error", "warning", "info", "advice"], value_name = "LEVEL")]
    pub fail_on: Option<String>,
    /// Exit with 0 also when there are findings.
    #[arg(long)]
    pub exit_zero: bool,
    /// The configuration to use instead of the project's.
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    pub config: Option<PathBuf>,
    /// Use no configuration at all.
    #[arg(long)]
    pub isolated: bool,
    /// Report only what this baseline does not hold.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all present findings into the baseline and exit with 0.
    #[arg(long)]
    pub write_baseline: bool,
    /// Whether and how the network is used.
    #[command(flatten)]
    pub network: Network,
    /// Ask registries about the pins: yanked or gone releases, digests and tags, known vulnerabilities.
    #[arg(long)]
    pub online: bool,
    /// Change the files: safe edits, and pins that a registry was asked for.
    #[arg(long, conflicts_with = "write_baseline")]
    pub fix: bool,
    /// Print the changes of --fix as a diff and change nothing; exit with 1 if there are any.
    #[arg(long, conflicts_with = "write_baseline")]
    pub diff: bool,
    /// Also apply edits that may change what a run does.
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Also change files with unstaged changes.
    #[arg(long)]
    pub allow_dirty: bool,
    /// The date to judge expiries by, instead of today's.
    #[arg(long, value_name = "DATE")]
    pub now: Option<String>,
    /// The path that standard input is read as.
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
}

/// Arguments of `upgrade`.
#[derive(Debug, Args)]
pub struct Upgrade {
    /// Print plan, patches and requests, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Make the branches in this repository and push nothing.
    #[arg(long)]
    pub no_push: bool,
    /// Push the branches and open no requests.
    #[arg(long)]
    pub no_request: bool,
    /// The branch to start from, instead of the configured one or the remote's default.
    #[arg(long, value_name = "BRANCH")]
    pub base: Option<String>,
    /// The remote to push to: a name or an address.
    #[arg(long, value_name = "REMOTE")]
    pub remote: Option<String>,
    /// Only what fits a pattern: `requests`, `oci:*`.
    #[arg(long, value_name = "PATTERN")]
    pub only: Vec<String>,
    /// How to report.
    #[arg(long, default_value = "human", value_parser = ["human", "markdown", "json"])]
    pub format: String,
    /// How the network is used.
    #[command(flatten)]
    pub network: Network,
    /// The time to judge ages by, instead of now: a date or a timestamp.
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
}

/// Arguments of every command that may use the network.
#[derive(Debug, Clone, Default, Args)]
pub struct Network {
    /// Use no network, only answers kept from an earlier run.
    #[arg(long)]
    pub offline: bool,
    /// Where answers are kept between runs, instead of $XDG_CACHE_HOME/pinguard.
    #[arg(long, value_name = "FOLDER")]
    pub cache_dir: Option<PathBuf>,
}

/// The formats of `check`.
pub const CHECK_FORMATS: [&str; 7] = ["human", "concise", "json", "sarif", "github", "gitlab", "junit"];

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Folders or files to list.
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, default_value = "human", value_parser = ["human", "concise", "json"])]
    pub format: String,
    /// Print the lock files and how they stand to their manifests instead.
    #[arg(long)]
    pub locks: bool,
    /// The configuration to use instead of the project's.
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    pub config: Option<PathBuf>,
    /// Use no configuration at all.
    #[arg(long)]
    pub isolated: bool,
}

/// Arguments of `lock`.
#[derive(Debug, Args)]
pub struct Lock {
    /// Input files (.in, .txt, pyproject.toml, setup.cfg); none: every compiled file of the repository whose inputs changed.
    pub inputs: Vec<String>,
    /// The file to make; what it holds stays where nothing else is asked. Without it the text goes to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
    /// For every platform and all Pythons from --python on.
    #[arg(long)]
    pub universal: bool,
    /// The Python to resolve for (3.12, 3.12.4).
    #[arg(long, value_name = "VERSION")]
    pub python: Option<String>,
    /// The platform to resolve for (linux, macos, windows, x86_64-manylinux_2_28, ...).
    #[arg(long, value_name = "PLATFORM", conflicts_with = "universal")]
    pub platform: Option<String>,
    /// Leave out what was uploaded after this date, moment or age (2026-01-31, `7 days`).
    #[arg(long, value_name = "DATE")]
    pub exclude_newer: Option<String>,
    /// Move every package to the best version.
    #[arg(long)]
    pub upgrade: bool,
    /// Move this package, to this version where one is named; the rest stays where it can.
    #[arg(long, value_name = "NAME[==VERSION]")]
    pub upgrade_package: Vec<String>,
    /// Write hashes.
    #[arg(long, conflicts_with = "no_hashes")]
    pub generate_hashes: bool,
    /// Write no hashes.
    #[arg(long)]
    pub no_hashes: bool,
    /// An extra of a project among the inputs.
    #[arg(long, value_name = "EXTRA", value_delimiter = ',')]
    pub extra: Vec<String>,
    /// A dependency group of a project among the inputs.
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// The index to ask instead of the one that is set up.
    #[arg(long, value_name = "URL")]
    pub index_url: Option<String>,
    /// A further index, asked first.
    #[arg(long, value_name = "URL")]
    pub extra_index_url: Vec<String>,
    /// Take no version that has only source distributions. (None is ever built; static metadata is read otherwise.)
    #[arg(long)]
    pub no_build: bool,
    /// The form of the file; by its name when it is not said.
    #[arg(long, value_parser = ["requirements", "pylock"])]
    pub format: Option<String>,
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub check: bool,
    /// Use only what is kept from earlier runs.
    #[arg(long)]
    pub offline: bool,
    /// The moment that ages count from, instead of now.
    #[arg(long, value_name = "DATE")]
    pub now: Option<String>,
}

/// Arguments of `diff`.
///
/// Exit codes: 0 what moved has a new version, 1 bytes or sources changed without one (or a file cannot be read), 2 no such revision.
#[derive(Debug, Args)]
pub struct Diff {
    /// The older revision; `A..B` and `A...B` name both.
    pub base: String,
    /// The newer revision; the work tree when it is left out.
    #[arg(value_name = "HEAD")]
    pub head: Option<String>,
    /// How to print.
    #[arg(long, default_value = "human", value_parser = ["human", "json", "markdown"])]
    pub format: String,
    /// The repository.
    #[arg(short = 'C', long, default_value = ".", value_name = "FOLDER")]
    pub repository: PathBuf,
    /// The configuration to use instead of the project's.
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    pub config: Option<PathBuf>,
    /// Use no configuration at all.
    #[arg(long)]
    pub isolated: bool,
}

//! Lock files made anew by the tool that each belongs to, in a private copy of the tree. Knows no plan: it is told what to raise.
//!
//! A tool sees no token of ours (its environment is made from nothing but what it needs to find its index), runs no hook of the
//! repository, builds nothing from source unless that is allowed, and has its time. What it writes is read back from the copy.

mod conda;
mod copy;
mod pdm;
mod pipenv;
mod poetry;
mod uv;

pub use copy::{Form, PrivateCopy};

use super::environment::Environment;
use super::process::{Done, Failed, Inherit, Stop, Task};
use crate::model::change::Why;
use crate::model::lock::LockTool;
use std::path::Path;
use std::time::Duration;

/// How long a tool may take: the largest projects met need about two minutes.
pub const LIMIT: Duration = Duration::from_secs(600);

/// Whether packages may be built from source, which runs their code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builds {
    /// No.
    Forbidden,
    /// Yes.
    Allowed,
}

/// A lock that is to be made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whose it is.
    pub tool: LockTool,
    /// Its path from the root.
    pub lock: String,
    /// What the lock says of how it was made, in the words of its tool: for conda-lock its sources and platforms.
    pub recorded: Vec<(String, String)>,
    /// The packages that are to move, with the version that they should have afterwards where one is wanted.
    pub raise: Vec<(String, Option<String>)>,
    /// How old a release must be; `None`: the tool takes what it finds.
    pub cutoff: Option<Cutoff>,
    /// Whether packages may be built.
    pub builds: Builds,
    /// How long the tool may take.
    pub limit: Duration,
}

/// How old a release must be, in both forms that tools ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff {
    /// Days before today.
    pub days: u32,
    /// The day and time after which nothing counts.
    pub date: jiff::Timestamp,
}

/// A lock that was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its content.
    pub text: Vec<u8>,
    /// By which tool, with its version.
    pub tool: String,
    /// What the reader should know about how it was made.
    pub remarks: Vec<String>,
}

/// Makes a lock anew in `copy`, which already holds the changed manifests.
pub fn relock(copy: &PrivateCopy, order: &Order, environment: &Environment) -> Result<Made, Why> {
    let bench = Bench { copy, order, environment };
    match order.tool {
        LockTool::Uv => uv::relock(&bench),
        LockTool::Poetry => poetry::relock(&bench),
        LockTool::Pdm => pdm::relock(&bench),
        LockTool::Pipenv => pipenv::relock(&bench),
        LockTool::CondaLock => conda::relock(&bench),
        other => Err(Why::Other(by_hand(other, &order.lock))),
    }
}

/// What is said of a lock whose tool pinguard does not run.
fn by_hand(tool: LockTool, lock: &str) -> String {
    format!("{lock} is not made anew by pinguard: do it with {}", tool.name())
}

/// What a tool needs to run.
struct Bench<'b> {
    copy: &'b PrivateCopy,
    order: &'b Order,
    environment: &'b Environment,
}

/// Variables that say where things are or how to reach an index, and hold no token of ours. Those of indexes may hold the index's
/// password: without it a private index cannot be asked.
const PASSED: &[&str] = &[
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SYSTEMROOT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NETRC",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX_STRATEGY",
    "UV_CACHE_DIR",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PDM_PYPI_URL",
    "PDM_PYPI_USERNAME",
    "PDM_PYPI_PASSWORD",
    "PIPENV_PYPI_MIRROR",
    "POETRY_PYPI_MIRROR_URL",
];
const PASSED_LEADS: &[&str] = &["UV_INDEX_", "POETRY_HTTP_BASIC_", "POETRY_CERTIFICATES_"];

impl Bench<'_> {
    /// The folder of the lock, as the tool sees it.
    fn folder(&self) -> &Path {
        self.copy.folder()
    }

    /// The folder of the lock from the root, and its name.
    fn place(&self) -> (&str, &str) {
        self.order.lock.rsplit_once('/').unwrap_or(("", &self.order.lock))
    }

    /// A run of the tool in the folder of its project.
    fn task(&self, program: &str, arguments: &[&str]) -> Task {
        let mut task = Task::new(program, arguments, self.folder().join(self.place().0), self.order.limit);
        task.inherit = Inherit::Only(&[]);
        task.stop = Stop::Family;
        for (name, value) in self.environment.iter() {
            if PASSED.contains(&name) || PASSED_LEADS.iter().any(|lead| name.starts_with(lead)) {
                task = task.set(name, value);
            }
        }
        task = task.set("HOME", self.copy.home()).set("NO_COLOR", "1").set("PYTHONDONTWRITEBYTECODE", "1");
        if let Some(cache) = self.environment.cache_folder() {
            task = task.set("XDG_CACHE_HOME", cache.join("lockers"));
        }
        // Interpreters that uv manages stand in the user's home, which the tool does not see.
        if let Some(home) = self.environment.home() {
            task = task.set("UV_PYTHON_INSTALL_DIR", home.join(".local/share/uv/python"));
        }
        task
    }

    /// The tool's name and version; `install` is the command that brings it.
    fn version(&self, program: &str, install: &str) -> Result<String, Why> {
        let done = run(&self.task(program, &["--version"]), program, install)?;
        let text = format!("{}{}", done.text(), done.err);
        let version = text.split_whitespace().find(|word| is_version(word)).unwrap_or("");
        Ok(format!("{program} {}", version.trim_matches([',', '(', ')'])).trim().to_string())
    }

    /// Runs the tool; a failure is in its own words.
    fn must(&self, task: &Task, program: &str, install: &str) -> Result<Done, Why> {
        let done = run(task, program, install)?;
        match done.is_good() {
            true => Ok(done),
            false => Err(Why::NothingFits(format!("{program} cannot make {} anew: {}", self.order.lock, words(&done)))),
        }
    }

    /// The lock as it is now.
    fn made(&self, tool: String, remarks: Vec<String>) -> Result<Made, Why> {
        let text = self.copy.read(&self.order.lock);
        let text = text.ok_or_else(|| Why::Other(format!("{tool} left no {}", self.order.lock)))?;
        Ok(Made { text, tool, remarks })
    }

    fn names(&self) -> Vec<&str> {
        self.order.raise.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn run(task: &Task, program: &str, install: &str) -> Result<Done, Why> {
    task.run().map_err(|failed| match failed {
        Failed::Missing => Why::Other(format!("{program} is not installed here: `{install}`")),
        Failed::Slow(limit) => {
            Why::Other(format!("{program} did not end within {} s and was stopped", limit.as_secs()))
        }
        Failed::Broken(why) => Why::Other(format!("{program} could not be started ({why})")),
    })
}

fn is_version(word: &str) -> bool {
    let word = word.trim_start_matches(['v', '(']);
    word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit())
}

/// The last words of a tool that failed, on one line: where it says why.
fn words(done: &Done) -> String {
    let text = if done.err.trim().is_empty() { done.text() } else { done.err.clone() };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = lines.len().saturating_sub(4);
    let text = lines[from..].join(" ");
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = super::git::without_credentials(&text);
    let start = text.char_indices().rev().nth(399).map_or(0, |(at, _)| at);
    if text.is_empty() { "it gave no reason".to_string() } else { text[start..].to_string() }
}

#[cfg(test)]
mod tests;

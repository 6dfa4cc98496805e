//! `pinguard env-report`: what a log needs on its top to explain a red run later. Prints the environment only when nothing in it looks like
//! a secret: that is not masking, it is refusing.

use super::Outcome;
use super::settings::{self, Choice};
use crate::model::literal::exposed::{exposed, is_always_there};
use crate::model::policy;
use crate::report::environment::{Folding, Section, write};
use crate::world::environment::Environment;
use crate::world::process::{Failed, Stop, Task};
use crate::world::{clock, disk};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How long one program may take to say its version.
const LIMIT: Duration = Duration::from_secs(10);

/// Whether a refusal fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strict {
    /// It exits with 1.
    Yes,
    /// It is only said.
    No,
}

/// Runs the command.
pub fn run(strict: Strict, environment: &Environment, out: &mut dyn io::Write) -> io::Result<Outcome> {
    let root = disk::roots(&[PathBuf::from(".")])?;
    let settings = root.first().map(|root| settings::load(root, Choice::Project)).transpose()?.unwrap_or_default();
    let now = clock::second();
    let folding = Folding::of(&|name| environment.is_set(name), now);
    writeln!(out, "pinguard {} environment report, {}", env!("CARGO_PKG_VERSION"), clock::stamp())?;
    for section in gathered() {
        write(&section, folding, out)?;
    }
    let shown = variables(environment, &settings.config.policy.allowed_secrets);
    write(&shown.section, folding, out)?;
    if !shown.left_out.is_empty() {
        writeln!(out, "left out, because the system puts them into every job: {}", shown.left_out.join(", "))?;
    }
    if shown.refused.is_empty() {
        return Ok(Outcome::Clean);
    }
    writeln!(
        out,
        "the environment is not printed, because it holds what looks like secrets; move these to the one step that reads them:"
    )?;
    for (name, reason) in &shown.refused {
        writeln!(out, "  {name}: {reason}")?;
    }
    Ok(if strict == Strict::Yes { Outcome::Found } else { Outcome::Clean })
}

/// The environment as it may be shown.
struct Variables {
    section: Section,
    left_out: Vec<String>,
    refused: Vec<(String, &'static str)>,
}

fn variables(environment: &Environment, allowed: &[String]) -> Variables {
    let mut shown = Variables {
        section: Section { title: "environment", lines: Vec::new() },
        left_out: Vec::new(),
        refused: Vec::new(),
    };
    for (name, value) in environment.iter() {
        // A name is foreign text too.
        let clean: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).take(200).collect();
        if is_always_there(name) {
            shown.left_out.push(clean);
        } else if allowed.iter().any(|pattern| policy::matches(pattern, name)) {
            shown.section.lines.push(format!("{clean}=(allowed by the configuration, not shown)"));
        } else if let Some(exposed) = exposed(name, value) {
            shown.refused.push((clean, exposed.reason()));
        } else {
            shown.section.lines.push(format!("{clean}={value}"));
        }
    }
    if !shown.refused.is_empty() {
        shown.section.lines = vec!["not printed, see below".to_string()];
    }
    shown
}

/// Everything but the environment, asked at the same time.
fn gathered() -> Vec<Section> {
    thread::scope(|scope| {
        let sections = [
            ("platform", platform as fn() -> Vec<String>),
            ("resources", resources),
            ("python", python),
            ("python packages", packages),
            ("tools", tools),
            ("git", git),
        ];
        let running: Vec<_> = sections.into_iter().map(|(title, ask)| (title, scope.spawn(ask))).collect();
        let ended = |(title, thread): (&'static str, thread::ScopedJoinHandle<'_, Vec<String>>)| {
            let mut lines = thread.join().unwrap_or_default();
            if lines.is_empty() {
                lines.push("nothing could be asked".to_string());
            }
            Section { title, lines }
        };
        running.into_iter().map(ended).collect()
    })
}

/// What a program says to a question: all its lines, or one that says why it said nothing. `None`: it is not there.
fn ask(program: &str, arguments: &[&str]) -> Option<Vec<String>> {
    let task = Task { stop: Stop::Family, ..Task::new(program, arguments, ".", LIMIT) };
    // Nobody answers a question that a program asks back, and git takes no lock.
    let task = task
        .set("GIT_TERMINAL_PROMPT", "0")
        .set("GIT_OPTIONAL_LOCKS", "0")
        .set("PIP_NO_INPUT", "1")
        .set("NO_COLOR", "1");
    match task.run() {
        Ok(done) => {
            let text = if done.out.iter().all(u8::is_ascii_whitespace) { done.err.clone() } else { done.text() };
            let lines: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_string).collect();
            let code = done.code.map_or("a signal".to_string(), |code| code.to_string());
            let failed = (!done.is_good()).then(|| format!("(ended with {code})"));
            Some(lines.into_iter().chain(failed).collect())
        }
        Err(Failed::Missing) => None,
        Err(Failed::Slow(limit)) => Some(vec![format!("(no answer in {} seconds)", limit.as_secs())]),
        Err(Failed::Broken(why)) => Some(vec![format!("(could not be started: {why})")]),
    }
}

/// The first line of an answer.
fn first(program: &str, arguments: &[&str]) -> Option<String> {
    ask(program, arguments)?.into_iter().next()
}

fn read(path: &str) -> Option<String> {
    disk::read_named(Path::new(path)).ok()
}

fn platform() -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(format!("built for: {} {}", std::env::consts::OS, std::env::consts::ARCH));
    lines.extend(ask("uname", &["-a"]).into_iter().flatten());
    let release = read("/etc/os-release").unwrap_or_default();
    let named = release.lines().filter(|line| {
        line.starts_with("PRETTY_NAME=") || line.starts_with("VERSION_ID=") || line.starts_with("IMAGE_VERSION=")
    });
    lines.extend(named.map(str::to_string));
    lines.extend(first("ldd", &["--version"]).map(|line| format!("libc: {line}")));
    lines.extend(ask("sw_vers", &[]).into_iter().flatten());
    lines.extend(
        ask("locale", &[])
            .into_iter()
            .flatten()
            .filter(|line| line.starts_with("LANG=") || line.starts_with("LC_ALL=") || line.starts_with("LC_CTYPE=")),
    );
    lines
}

fn resources() -> Vec<String> {
    let mut lines = Vec::new();
    let cores = thread::available_parallelism().map_or("unknown".to_string(), |count| count.to_string());
    lines.push(format!("processors for this process: {cores}"));
    let cpu = read("/proc/cpuinfo").unwrap_or_default();
    lines.extend(cpu.lines().find(|line| line.starts_with("model name")).map(str::to_string));
    let memory = read("/proc/meminfo").unwrap_or_default();
    lines.extend(
        memory
            .lines()
            .filter(|line| {
                line.starts_with("MemTotal") || line.starts_with("MemAvailable") || line.starts_with("SwapTotal")
            })
            .map(str::to_string),
    );
    for (name, path) in [
        ("memory limit of the group", "/sys/fs/cgroup/memory.max"),
        ("processor limit of the group", "/sys/fs/cgroup/cpu.max"),
    ] {
        lines.extend(read(path).map(|text| format!("{name}: {}", text.trim())));
    }
    lines.extend(ask("df", &["-h", "."]).into_iter().flatten());
    let limits = read("/proc/self/limits").unwrap_or_default();
    let wanted =
        ["Max cpu time", "Max file size", "Max processes", "Max open files", "Max address space", "Max stack size"];
    lines.extend(limits.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name))).map(str::to_string));
    lines
}

/// Runs in the interpreter of the job. `locale.getlocale` and `sys.flags` explain more red runs than they should.
const ABOUT: &str = "import locale, platform, sys, sysconfig
print(sys.executable)
print(platform.platform(), *platform.libc_ver())
print(sysconfig.get_platform(), 'gil', sysconfig.get_config_var('Py_GIL_DISABLED') != 1, 'debug', bool(sysconfig.get_config_var('Py_DEBUG')))
print(sys.flags)
print('locale', locale.getlocale(), 'encoding', sys.getfilesystemencoding(), sys.stdout.encoding)
print('prefix', sys.prefix, '' if sys.prefix == sys.base_prefix else '(virtual environment of %s)' % sys.base_prefix)
import ssl
print(ssl.OPENSSL_VERSION)";

const PACKAGES: &str = "import importlib.metadata as m
for name, version in sorted({(d.metadata['Name'] or '?', d.version or '?') for d in m.distributions()}, key=lambda p: p[0].lower()):
    print('%s==%s' % (name, version))";

/// `python`, or what it is called where only the versioned name is there.
fn interpreter() -> Option<&'static str> {
    ["python", "python3", "py"].into_iter().find(|name| ask(name, &["-c", ""]).is_some())
}

fn python() -> Vec<String> {
    let Some(name) = interpreter() else { return vec!["no Python in PATH".to_string()] };
    let version = ask(name, &["-VV"]).unwrap_or_default();
    version.into_iter().chain(ask(name, &["-c", ABOUT]).unwrap_or_default()).collect()
}

fn packages() -> Vec<String> {
    interpreter().and_then(|name| ask(name, &["-c", PACKAGES])).unwrap_or_default()
}

/// Programs that explain why a run went otherwise, and how each is asked.
const TOOLS: &[(&str, &[&str])] = &[
    ("git", &["--version"]),
    ("bash", &["--version"]),
    ("uv", &["--version"]),
    ("pip", &["--version"]),
    ("poetry", &["--version"]),
    ("pdm", &["--version"]),
    ("pipenv", &["--version"]),
    ("hatch", &["--version"]),
    ("tox", &["--version"]),
    ("nox", &["--version"]),
    ("pytest", &["--version"]),
    ("ruff", &["--version"]),
    ("mypy", &["--version"]),
    ("pre-commit", &["--version"]),
    ("conda", &["--version"]),
    ("pixi", &["--version"]),
    ("docker", &["--version"]),
    ("podman", &["--version"]),
    ("node", &["--version"]),
    ("npm", &["--version"]),
    ("gcc", &["--version"]),
    ("clang", &["--version"]),
    ("make", &["--version"]),
    ("cmake", &["--version"]),
    ("rustc", &["--version"]),
    ("cargo", &["--version"]),
    ("go", &["version"]),
    ("openssl", &["version"]),
    ("curl", &["--version"]),
];

fn tools() -> Vec<String> {
    let said = thread::scope(|scope| {
        let running: Vec<_> =
            TOOLS.iter().map(|(name, arguments)| (*name, scope.spawn(|| first(name, arguments)))).collect();
        let joined = running.into_iter().map(|(name, thread)| (name, thread.join().unwrap_or_default()));
        joined.collect::<Vec<_>>()
    });
    let (there, absent): (Vec<_>, Vec<_>) = said.into_iter().partition(|(_, answer)| answer.is_some());
    let mut lines: Vec<String> =
        there.into_iter().map(|(name, answer)| format!("{name}: {}", answer.unwrap_or_default())).collect();
    let absent: Vec<&str> = absent.into_iter().map(|(name, _)| name).collect();
    lines.push(format!("not there: {}", absent.join(" ")));
    lines
}

fn git() -> Vec<String> {
    let mut lines = ask("git", &["log", "-1", "--format=%H %cI"]).unwrap_or_default();
    // Without a commit or a repository, every further question has the same answer.
    if lines.iter().any(|line| line.starts_with("fatal:")) {
        return lines;
    }
    lines.extend(first("git", &["describe", "--tags", "--always"]).map(|line| format!("described as: {line}")));
    lines.extend(first("git", &["rev-parse", "--is-shallow-repository"]).map(|line| format!("shallow: {line}")));
    lines.extend(ask("git", &["status", "--short", "--branch"]).unwrap_or_default());
    lines
}

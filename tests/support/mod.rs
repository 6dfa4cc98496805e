//! What the tests share: repositories as lists of files.
#![allow(dead_code, reason = "each test crate uses its part")]

pub mod answers;
pub mod fake;
pub mod fix_world;
pub mod forge_host;
pub mod git_host;
pub mod git_server;
pub mod host;
pub mod index;
pub mod lattice;
pub mod oci_server;
pub mod package_index;
pub mod prism;
pub mod upgrade_world;

use pinguard::check;
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::source::Sources;
use pinguard::rules::RULES;
use pinguard::rules::manual::{Kind, examples};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A repository: its name and its files.
pub struct Repository {
    pub name: String,
    pub files: Vec<(String, String)>,
}

impl Repository {
    /// Reads the files to a project, in the order given.
    pub fn project(&self) -> Project {
        project(self.files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }
}

pub fn project<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> Project {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(path, text);
    }
    check::read(sources, Vec::new(), Policy::default())
}

/// Every folder of `fixtures/`, every example of every manual, and, where `PINGUARD_CORPUS` names a folder of repositories, those.
pub fn repositories() -> Vec<Repository> {
    let mut all = folder_of_repositories(Path::new("fixtures"));
    all.extend(manual_examples());
    if let Some(folder) = std::env::var_os("PINGUARD_CORPUS") {
        all.extend(folder_of_repositories(Path::new(&folder)));
    }
    assert!(all.len() > 1, "fixtures are there");
    all
}

pub fn manual_examples() -> Vec<Repository> {
    examples_of(|_| true)
}

/// The examples of the manuals that show how it should be.
pub fn good_examples() -> Vec<Repository> {
    examples_of(|kind| kind == Kind::Good)
}

fn examples_of(wanted: impl Fn(Kind) -> bool) -> Vec<Repository> {
    let mut all = Vec::new();
    for registered in RULES {
        let mut files = Vec::new();
        for (index, example) in examples(&registered.manual()).into_iter().enumerate() {
            files.push((example.path, example.text));
            if example.kind != Kind::With {
                let name = format!("{} example {index}", registered.rule.id);
                let files = std::mem::take(&mut files);
                if wanted(example.kind) {
                    all.push(Repository { name, files });
                }
            }
        }
    }
    all
}

pub fn folder_of_repositories(folder: &Path) -> Vec<Repository> {
    let mut all = Vec::new();
    let mut names: Vec<_> = fs::read_dir(folder).expect("folder of repositories").flatten().collect();
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in names.into_iter().filter(|entry| entry.path().is_dir()) {
        let mut files = Vec::new();
        collect(&entry.path(), "", &mut files);
        all.push(Repository { name: entry.file_name().to_string_lossy().into_owned(), files });
    }
    all
}

/// The planted repositories of all CI systems, good and bad.
pub fn planted_repositories() -> Vec<Repository> {
    let systems = fs::read_dir("fixtures/systems").expect("fixtures of systems").flatten();
    systems.flat_map(|system| folder_of_repositories(&system.path())).collect()
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("folder can be read").flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push((path, text));
        }
    }
}

/// A folder that is removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        Folder(fs::canonicalize(folder).expect("a folder"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder that is removed at the end, with a repository in it.
pub struct Sandbox(pub PathBuf);

impl Sandbox {
    pub fn new(name: &str) -> Sandbox {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join(".git")).expect("sandbox");
        Sandbox(fs::canonicalize(folder).expect("sandbox"))
    }

    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Sandbox {
        let full = self.0.join(path);
        fs::create_dir_all(full.parent().expect("a file has a folder")).expect("folder");
        fs::write(full, text).expect("file");
        self
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.start(Command::new(env!("CARGO_BIN_EXE_pinguard")).args(arguments))
    }

    /// Like [`Sandbox::run`], with these variables on top.
    pub fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinguard"));
        self.start(command.args(arguments).envs(environment.iter().copied()))
    }

    /// Like [`Sandbox::run`], with at most 20 seconds of processor time and 1500 MB of address space.
    ///
    /// Processor time is the same on a machine that has other work to do; the clock on the wall is not.
    pub fn bounded(&self, arguments: &[&str]) -> Run {
        if !cfg!(unix) {
            return self.run(arguments);
        }
        let limited = "ulimit -t 20 && ulimit -v 1500000 && exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", limited, env!("CARGO_BIN_EXE_pinguard")]).args(arguments).env("RAYON_NUM_THREADS", "2");
        self.start(&mut command)
    }

    fn start(&self, command: &mut Command) -> Run {
        for (name, _) in std::env::vars() {
            if name.starts_with("GIT") || name.starts_with("CI") || name.contains("COLOR") {
                command.env_remove(name);
            }
        }
        Run::of(command.current_dir(&self.0).output().expect("the binary runs"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the binary ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn of(output: Output) -> Run {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Run { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

/// Every file below a folder with its content: `.git` too.
pub fn tree_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).expect("folder can be read").flatten() {
            let path = entry.path();
            match entry.file_type().expect("a type") {
                kind if kind.is_dir() => open.push(path),
                kind if kind.is_file() => files.push((path.display().to_string(), fs::read(&path).expect("file"))),
                _ => files.push((path.display().to_string(), Vec::new())),
            }
        }
    }
    files.sort();
    files
}

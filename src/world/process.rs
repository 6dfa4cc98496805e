//! Runs a program to its end, or to the end of its time. Knows no program by name.
#![expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// More output than this is thrown away: a program that talks for ever must not fill the memory.
const MAX_OUTPUT: u64 = 64 << 20;

/// What a program inherits of our environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherit {
    /// All of it but what is taken away: a program of the user, run for the user.
    All,
    /// Only these names: a program that works on foreign input and must see no token.
    Only(&'static [&'static str]),
}

/// Who is stopped when the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The program. It keeps the terminal, so that it may ask for a passphrase.
    Program,
    /// The program and everything that it started.
    Family,
}

/// A program to run.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name, looked for in `PATH`, or its path.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub folder: PathBuf,
    /// What it inherits.
    pub inherit: Inherit,
    /// Set on top of that; `None` takes a name away.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// Its standard input.
    pub input: Vec<u8>,
    /// How long it may take.
    pub limit: Duration,
    /// Who is stopped then.
    pub stop: Stop,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its exit code; `None`: a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub out: Vec<u8>,
    /// What it wrote to its standard error, as text.
    pub err: String,
}

impl Done {
    /// Whether it ended well.
    pub fn is_good(&self) -> bool {
        self.code == Some(0)
    }

    /// Its standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// Why a program did not come to its own end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// It is not there.
    Missing,
    /// It took longer than it may, and was stopped.
    Slow(Duration),
    /// It could not be started.
    Broken(String),
}

impl Task {
    /// A program with its arguments, in a folder.
    pub fn new(program: impl Into<OsString>, arguments: &[&str], folder: impl Into<PathBuf>, limit: Duration) -> Task {
        Task {
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            folder: folder.into(),
            inherit: Inherit::All,
            environment: Vec::new(),
            input: Vec::new(),
            limit,
            stop: Stop::Program,
        }
    }

    /// Sets a name of the environment.
    pub fn set(mut self, name: &str, value: impl Into<OsString>) -> Task {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a name of the environment away.
    pub fn unset(mut self, name: &str) -> Task {
        self.environment.push((name.into(), None));
        self
    }

    /// Runs it.
    pub fn run(&self) -> Result<Done, Failed> {
        let mut child = self.command().spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failed::Missing,
            _ => Failed::Broken(error.to_string()),
        })?;
        let input = self.input.clone();
        let stdin = child.stdin.take();
        // A program that does not read its input is its own affair.
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
        let out = collect(child.stdout.take());
        let err = collect(child.stderr.take());
        let code = wait(&mut child, self.limit, self.stop)?;
        let err = String::from_utf8_lossy(&gather(&err)).into_owned();
        Ok(Done { code, out: gather(&out), err })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Inherit::Only(names) = self.inherit {
            command.env_clear();
            for name in names {
                if let Some(value) = std::env::var_os(name) {
                    command.env(name, value);
                }
            }
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        #[cfg(unix)]
        if self.stop == Stop::Family {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        command
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let (mut chunk, mut total) = (vec![0; 1 << 16], 0);
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            total += count as u64;
            if total <= MAX_OUTPUT && send.send(chunk[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receive
}

/// What was written. Something that the program left running may hold its output open; that is not waited for.
fn gather(from: &Receiver<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(chunk) = from.recv_timeout(Duration::from_secs(2)) {
        bytes.extend(chunk);
    }
    bytes
}

fn wait(child: &mut Child, limit: Duration, stop: Stop) -> Result<Option<i32>, Failed> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.code()),
            Ok(None) if start.elapsed() > limit => {
                end(child, stop);
                return Err(Failed::Slow(limit));
            }
            Ok(None) => thread::sleep(pause),
            Err(error) => return Err(Failed::Broken(error.to_string())),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn end(child: &mut Child, stop: Stop) {
    if stop == Stop::Family && cfg!(unix) {
        // The group has the number of its first process; the standard library can end only that one.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Task {
        Task::new("sh", &["-c", script], ".", limit)
    }

    #[test]
    fn a_program_ends_with_what_it_wrote() {
        let done = shell("cat; echo no >&2; exit 3", Duration::from_secs(20));
        let done = Task { input: b"yes".to_vec(), ..done }.run().unwrap();
        assert_eq!((done.code, done.text().as_str(), done.err.as_str()), (Some(3), "yes", "no\n"));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_its_family() {
        let task = Task { stop: Stop::Family, ..shell("sleep 60 & sleep 60", Duration::from_millis(100)) };
        let start = Instant::now();
        assert_eq!(task.run(), Err(Failed::Slow(Duration::from_millis(100))));
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_scrubbed_program_sees_only_what_it_is_given() {
        let task = Task { inherit: Inherit::Only(&["PATH"]), ..shell("env", Duration::from_secs(20)) };
        let seen = task.set("GIVEN", "1").run().unwrap().text();
        let names: Vec<&str> = seen.lines().filter_map(|line| line.split('=').next()).collect();
        assert!(names.contains(&"GIVEN") && names.contains(&"PATH"), "{names:?}");
        assert!(!names.contains(&"HOME") && !names.contains(&"CARGO_MANIFEST_DIR"), "{names:?}");
    }

    #[test]
    fn a_missing_program_is_said() {
        let task = Task::new("no-such-program-here", &[], ".", Duration::from_secs(1));
        assert_eq!(task.run(), Err(Failed::Missing));
    }
}

//! `pinguard lock`: makes compiled requirements files and `pylock.toml` anew.

use super::Outcome;
use super::gather::{Gathered, gather};
use super::settings::Choice;
use crate::cli;
use crate::model::lock::{LockTool, Verdict};
use crate::resolve::file::{Asked, Form, Job, Made, Mistake};
use crate::resolve::requirement::Requirement;
use crate::world::clock;
use crate::world::disk;
use crate::world::environment::Environment;
use crate::world::http::{Http, Mode, Settings};
use crate::world::registries::pypi::{Named, Places, Pypi};
use crate::world::runtime;
use pep440_rs::Version;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file to make: its path from the root, and whether it is to be written even when its inputs did not change.
struct Target {
    path: Option<String>,
    fresh: bool,
}

/// Runs the command.
pub fn run(args: &cli::Lock, environment: &Environment, out: &mut dyn Write) -> io::Result<Outcome> {
    let here = disk::roots(&[PathBuf::from(".")])?;
    let Some(root) = here.into_iter().next() else { return Ok(Outcome::Failed) };
    let prefix = root.scope.first().cloned().unwrap_or_default();
    let read = |path: &str| disk::read_named(&root.folder.join(path)).ok();
    let raised = args
        .upgrade_package
        .iter()
        .map(|text| wanted(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io::Error::other)?;
    let asked = asked(args, &prefix)?;
    let targets = if args.inputs.is_empty() { compiled(args, &prefix)? } else { vec![named(args, &prefix)] };
    if targets.is_empty() {
        writeln!(
            out,
            "nothing to lock: no compiled requirements file and no pylock.toml that names its inputs was found; \
            name inputs: pinguard lock requirements.in -o requirements.txt"
        )?;
        return Ok(Outcome::Clean);
    }
    let http = Http::new(Settings {
        mode: if args.offline { Mode::Offline } else { Mode::Online },
        cache: environment.cache_folder(),
        ..Settings::default()
    });
    let run = Run { args, asked: &asked, raised: &raised, environment, http, folder: &root.folder, read: &read };
    let mut outcome = Outcome::Clean;
    for target in targets {
        outcome = worse(outcome, run.one(&target, out)?);
    }
    Ok(outcome)
}

struct Run<'a> {
    args: &'a cli::Lock,
    asked: &'a Asked,
    raised: &'a [(String, Option<Version>)],
    environment: &'a Environment,
    http: Http,
    folder: &'a Path,
    read: &'a dyn Fn(&str) -> Option<String>,
}

impl Run<'_> {
    fn one(&self, target: &Target, out: &mut dyn Write) -> io::Result<Outcome> {
        let path = target.path.as_deref();
        let shown = path.unwrap_or("-");
        if target.fresh {
            writeln!(out, "{shown}: fresh, left as it is")?;
            return Ok(Outcome::Clean);
        }
        let earlier = path.and_then(|path| (self.read)(path));
        let form = match self.args.format.as_deref() {
            Some("pylock") => Form::Pylock,
            Some(_) => Form::Requirements,
            None => path.map_or(Form::Requirements, Form::of),
        };
        let job = Job::of(path.unwrap_or(""), earlier.as_deref(), self.asked, form, self.read);
        let mut job = match job {
            Ok(job) => job,
            Err(mistakes) => return failed(shown, &mistakes),
        };
        for (name, version) in self.raised {
            match version {
                Some(version) => job.raise(name, version.clone()),
                None => job.release(name),
            }
        }
        let made = match self.make(&job) {
            Ok(made) => made,
            Err(text) => return failed(shown, &[Mistake { file: String::new(), line: 0, text }]),
        };
        self.finish(path, earlier.as_deref(), &job, &made, out)
    }

    fn make(&self, job: &Job) -> Result<Made, String> {
        let (default, extra, none) = job.indexes();
        let read = |path: &PathBuf| disk::read_named(path).ok();
        let places = Places::of(&Named { default, extra, none }, self.environment, &read)?;
        let folder = self.folder.join(&job.folder);
        let made = runtime::block_on(async {
            let pypi = Arc::new(Pypi::new(self.http.clone(), places, self.environment, folder));
            // The search waits for answers: it needs a thread of its own.
            tokio::task::block_in_place(|| job.make(&*pypi).map_err(|unsolved| unsolved.to_string()))
        });
        made.map_err(|error| error.to_string())?
    }

    fn finish(
        &self,
        path: Option<&str>,
        earlier: Option<&str>,
        job: &Job,
        made: &Made,
        out: &mut dyn Write,
    ) -> io::Result<Outcome> {
        let Some(path) = path else {
            out.write_all(made.text.as_bytes())?;
            return Ok(Outcome::Clean);
        };
        let count = made.solution.packages.len();
        for package in made.solution.packages.iter() {
            if let Some(reason) = &package.yanked {
                let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
                writeln!(
                    out,
                    "{path}: {} {} was yanked{reason}; it stays because it is pinned",
                    package.name, package.version
                )?;
            }
        }
        if earlier == Some(made.text.as_str()) {
            writeln!(out, "{path}: {count} packages, unchanged")?;
            return Ok(Outcome::Clean);
        }
        let moves = job.moves(&made.solution);
        if self.args.check {
            writeln!(out, "{path}: would change ({count} packages, {} moved)", moves.len())?;
        } else {
            disk::write_whole(&self.folder.join(path), made.text.as_bytes())?;
            writeln!(out, "{path}: {count} packages, {} moved", moves.len())?;
        }
        if earlier.is_some() {
            for (name, old, new) in moves {
                let show = |version: Option<Version>| version.map_or("-".to_string(), |version| version.to_string());
                writeln!(out, "  {name} {} -> {}", show(old), show(new))?;
            }
        }
        Ok(if self.args.check { Outcome::Found } else { Outcome::Clean })
    }
}

fn failed(shown: &str, mistakes: &[Mistake]) -> io::Result<Outcome> {
    let mut stderr = io::stderr().lock();
    for mistake in mistakes {
        let place = match mistake.file.as_str() {
            "" => shown.to_string(),
            file => format!("{file}:{}", mistake.line),
        };
        writeln!(stderr, "pinguard: {place}: {}", mistake.text)?;
    }
    Ok(Outcome::Failed)
}

fn worse(a: Outcome, b: Outcome) -> Outcome {
    if a.code() >= b.code() { a } else { b }
}

fn from_root(prefix: &str, path: &str) -> io::Result<String> {
    let joined = crate::model::source::join(prefix, path);
    joined.ok_or_else(|| io::Error::other(format!("`{path}` lies outside of the project; run pinguard there")))
}

fn asked(args: &cli::Lock, prefix: &str) -> io::Result<Asked> {
    let now = match &args.now {
        Some(text) => crate::resolve::file::cutoff(text, 0).map_err(io::Error::other)?,
        None => clock::now_millis(),
    };
    let inputs = args.inputs.iter().map(|input| from_root(prefix, input)).collect::<io::Result<_>>()?;
    Ok(Asked {
        inputs,
        universal: args.universal,
        python: args.python.clone(),
        platform: args.platform.clone(),
        exclude_newer: args.exclude_newer.clone(),
        no_hashes: args.no_hashes,
        hashes: args.generate_hashes,
        upgrade: args.upgrade,
        index: args.index_url.clone(),
        extra_indexes: args.extra_index_url.clone(),
        extras: args.extra.clone(),
        groups: args.group.clone(),
        no_build: args.no_build,
        command: command(args),
        now,
    })
}

/// The command as a header names it: what decides the outcome, and nothing of this one run.
fn command(args: &cli::Lock) -> String {
    let mut words = vec!["pinguard lock".to_string()];
    words.extend(args.inputs.iter().cloned());
    let mut flag = |name: &str, value: &str| words.push(format!("{name} {value}"));
    args.output.iter().for_each(|value| flag("-o", value));
    args.python.iter().for_each(|value| flag("--python", value));
    args.platform.iter().for_each(|value| flag("--platform", value));
    args.exclude_newer.iter().for_each(|value| {
        flag("--exclude-newer", &format!("'{value}'").replace('\'', if value.contains(' ') { "'" } else { "" }))
    });
    args.extra.iter().for_each(|value| flag("--extra", value));
    args.group.iter().for_each(|value| flag("--group", value));
    for (on, name) in [
        (args.universal, "--universal"),
        (args.generate_hashes, "--generate-hashes"),
        (args.no_hashes, "--no-hashes"),
        (args.no_build, "--no-build"),
    ] {
        words.extend(on.then(|| name.to_string()));
    }
    words.join(" ")
}

/// `NAME` or `NAME==VERSION`.
fn wanted(text: &str) -> Result<(String, Option<Version>), String> {
    let one = Requirement::parse(text).map_err(|why| format!("--upgrade-package {text}: {why}"))?;
    let version = one.exact().cloned();
    let bare = matches!(&one.source, crate::resolve::requirement::Source::Index(specifiers) if specifiers.is_empty());
    if version.is_none() && !bare {
        return Err(format!("--upgrade-package {text}: name a version as NAME==VERSION, or none"));
    }
    Ok((one.name.to_string(), version))
}

fn named(args: &cli::Lock, prefix: &str) -> Target {
    Target { path: args.output.as_ref().and_then(|path| from_root(prefix, path).ok()), fresh: false }
}

/// The compiled files of the repository, those first whose inputs changed; fresh ones are left alone unless something moves them.
fn compiled(args: &cli::Lock, prefix: &str) -> io::Result<Vec<Target>> {
    let moved = args.upgrade || !args.upgrade_package.is_empty() || args.python.is_some() || args.universal;
    let mut targets = Vec::new();
    for Gathered { project, .. } in gather(&[PathBuf::from(".")], Choice::of(None, false))? {
        for state in &project.locks {
            let source = project.source(state.lock);
            let Some(lock) = project.facts_of(state.lock).locks.first() else { continue };
            let below = prefix.is_empty() || source.path.starts_with(&format!("{prefix}/"));
            let only =
                args.output.as_ref().is_none_or(|path| from_root(prefix, path).is_ok_and(|path| path == source.path));
            let ours = matches!(lock.tool, LockTool::Compiled | LockTool::Pylock) && state.manifest.is_some();
            if ours && below && only && is_resolved(&source.text) {
                let fresh = state.verdict == Verdict::Fresh && !moved && args.exclude_newer.is_none();
                targets.push(Target { path: Some(source.path.clone()), fresh });
            }
        }
    }
    targets.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(targets)
}

/// Whether a file was made by resolving inputs, not by exporting another lock.
fn is_resolved(text: &str) -> bool {
    let head: String = text.lines().take(40).collect::<Vec<_>>().join("\n");
    ["pip-compile", "uv pip compile", "pinguard lock", "piptools compile"].iter().any(|tool| head.contains(tool))
}

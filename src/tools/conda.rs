//! conda, mamba, micromamba, conda-lock and pixi. Reads no environment file.

use super::args::{Args, Spec};
use super::packages::files;
use super::{Call, Inner, Out, install, texts};
use crate::ecosystems::conda;
use crate::model::reference::Role;
use crate::model::script::{Deed, Enforcement, Install, InstallTool, Word};

const CONDA: Spec = Spec {
    long: &[
        "--name",
        "--prefix",
        "--channel",
        "--file",
        "--clone",
        "--solver",
        "--platform",
        "--subdir",
        "--repodata-fn",
        "--revision",
        "--experimental",
        "--env-spec",
        "--root-prefix",
        "--rc-file",
        "--relocate-prefix",
        "--channel-priority",
        "--cwd",
        "--conda",
        "--environment-specifier",
        "--category",
    ],
    short: "npcfr",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

const PIXI: Spec = Spec {
    long: &[
        "--manifest-path",
        "--environment",
        "--platform",
        "--feature",
        "--channel",
        "--pypi-keyring-provider",
        "--auth-file",
        "--color",
        "--concurrent-downloads",
        "--concurrent-solves",
        "--with",
        "--expose",
        "--spec",
    ],
    short: "efcpmw",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `conda …` and its kind do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    match call.program {
        "pixi" => return pixi(call, out),
        "conda-lock" => {
            lock_install(call.args(), out);
            return None;
        }
        _ => {}
    }
    let global = Args::read(call.args(), &[Spec { leading: true, ..CONDA }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    match (global.text(0), global.text(1)) {
        ("env", "create" | "update") => environment(&words[1..], out),
        ("install" | "create", _) => packages(words, out),
        ("update" | "upgrade", _) => update(words, out),
        ("run", _) => return run(words),
        _ => {}
    }
    None
}

/// `conda run -n x pytest`.
fn run(words: &[Word]) -> Option<Inner<'_>> {
    let args = Args::read(words, &[Spec { leading: true, ..CONDA }]);
    Inner::command(args.tail(0, words))
}

/// `conda env create -f environment.yml`; without `-f` it is that very file.
fn environment(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[CONDA]);
    let mut found = install(InstallTool::Conda, Enforcement::NoLock);
    found.files = files(args.values(&["-f", "--file"]), false);
    if found.files.is_empty() {
        let mut word = out.here();
        word.text.text = "environment.yml".to_string();
        found.files = files(std::iter::once(&word), false);
    }
    out.deed(Deed::Install(found));
}

fn packages(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[CONDA]);
    if args.has(&["--clone", "--help", "-h", "--dry-run"]) {
        return;
    }
    let mut found = install(InstallTool::Conda, Enforcement::NoLock);
    specs(args.rest(0), &mut found, out);
    found.files = files(args.values(&["-f", "--file"]), false);
    found.no_deps = args.has(&["--no-deps"]);
    found.upgrade = args.has(&["--update-all", "--update-deps"]);
    out.install(found);
}

fn specs<'w>(words: impl Iterator<Item = &'w Word>, found: &mut Install, out: &mut Out) {
    for word in words {
        let text = word.text.text.as_str();
        if text.ends_with(".conda") || text.ends_with(".tar.bz2") || text.contains('/') && !text.contains("::") {
            found.projects.push(word.clone());
            continue;
        }
        match conda::requirement(&word.text, Role::Install, "") {
            Ok(reference) => found.references.push(out.push(reference)),
            Err(_) => found.opaque.push(word.clone()),
        }
    }
}

/// `conda update x` moves what is installed.
fn update(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[CONDA]);
    let names = texts(args.rest(0));
    match names.as_slice() {
        [] if args.has(&["--all"]) => out.upgrade("conda packages"),
        [] => {}
        names => out.upgrade(names.join(", ")),
    }
}

/// `conda-lock install [lock]` installs exactly the lock.
fn lock_install(words: &[Word], out: &mut Out) {
    let global = Args::read(words, &[Spec { leading: true, ..CONDA }]);
    if global.text(0) != "install" {
        return;
    }
    let rest = &global.tail(0, words)[1..];
    let args = Args::read(rest, &[CONDA]);
    let mut found = install(InstallTool::CondaLock, Enforcement::Frozen);
    found.files = files(args.rest(0), false);
    out.deed(Deed::Install(found));
}

/// pixi: `--locked` fails on a lock that does not fit, `--frozen` takes it as it is.
fn pixi<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let global = Args::read(call.args(), &[Spec { leading: true, ..PIXI }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    match (global.text(0), global.text(1)) {
        ("run" | "r", _) => {
            let args = Args::read(words, &[Spec { leading: true, ..PIXI }]);
            pixi_install(&args, out);
            if let Some(task) = args.word(0).filter(|word| super::entries::is_task(word)) {
                out.entry("pixi", vec![task.text.text.clone()]);
            }
            return Inner::command(args.tail(0, words));
        }
        ("install" | "i" | "shell" | "reinstall", _) => pixi_install(&Args::read(words, &[PIXI]), out),
        ("add", _) => pixi_install(&Args::read(words, &[PIXI]), out),
        ("update" | "upgrade", _) => {
            out.upgrade("pixi.lock");
            out.relock(InstallTool::Pixi);
        }
        ("lock", _) if Args::read(words, &[PIXI]).has(&["--check"]) => {
            out.deed(Deed::VerifyLock { tool: InstallTool::Pixi })
        }
        ("lock", _) => out.relock(InstallTool::Pixi),
        ("global", "install" | "add") => tools(&words[1..], out),
        ("exec" | "x", _) => return exec(words, out),
        _ => {}
    }
    None
}

fn pixi_install(args: &Args, out: &mut Out) {
    let enforcement = if args.has(&["--locked"]) || out.is_on("PIXI_LOCKED") {
        Enforcement::Checked
    } else if args.has(&["--frozen", "--as-is"]) || out.is_on("PIXI_FROZEN") {
        Enforcement::Frozen
    } else {
        Enforcement::Loose
    };
    let mut found = install(InstallTool::Pixi, enforcement);
    found.projects = vec![args.value(&["--manifest-path", "-m"]).cloned().unwrap_or_else(|| out.here())];
    found.groups = texts(args.values(&["-e", "--environment"]));
    out.deed(Deed::Install(found));
}

fn tools(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[PIXI]);
    for word in args.rest(0).chain(args.values(&["--with"])) {
        tool(word, out);
    }
}

fn exec<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[PIXI, Spec { leading: true, short: "s", ..Spec::default() }]);
    let specs: Vec<&Word> = args.values(&["-s", "--spec"]).collect();
    match specs.is_empty() {
        true => args.word(0).into_iter().for_each(|word| tool(word, out)),
        false => specs.into_iter().for_each(|word| tool(word, out)),
    }
    Inner::command(args.tail(0, words))
}

fn tool(word: &Word, out: &mut Out) {
    if let Ok(reference) = conda::requirement(&word.text, Role::Tool, "") {
        let id = out.push(reference);
        out.deed(Deed::RunTool(id));
    }
}

//! uv: project commands, `uv pip`, tools, interpreters; and pyenv's interpreters. Reads neither `pyproject.toml` nor `uv.lock`.
//!
//! Options are those of `uv … --help` (0.13); what the lock flags mean is in uv's "Locking and syncing".

use super::args::{Args, Spec};
use super::packages::{self, files};
use super::{Call, Inner, Out, install, pip, texts};
use crate::ecosystems::{pypi, toolchain};
use crate::model::reference::Role;
use crate::model::script::{Deed, Enforcement, InstallTool, Word};

/// Options with a value that most subcommands share.
const UV: Spec = Spec {
    long: &[
        "--allow-insecure-host",
        "--annotation-style",
        "--bounds",
        "--branch",
        "--build-constraint",
        "--build-constraints",
        "--cache-dir",
        "--cert",
        "--color",
        "--config-file",
        "--config-setting",
        "--config-settings",
        "--config-settings-package",
        "--constraint",
        "--constraints",
        "--default-index",
        "--directory",
        "--env-file",
        "--exclude-newer",
        "--exclude-newer-package",
        "--excludes",
        "--extra",
        "--extra-index-url",
        "--find-links",
        "--fork-strategy",
        "--format",
        "--from",
        "--group",
        "--index",
        "--index-strategy",
        "--index-url",
        "--install-dir",
        "--keyring-provider",
        "--link-mode",
        "--mirror",
        "--no-binary-package",
        "--no-build-isolation-package",
        "--no-build-package",
        "--no-editable-package",
        "--no-emit-package",
        "--no-extra",
        "--no-group",
        "--no-install-package",
        "--no-sources-package",
        "--only-group",
        "--optional",
        "--out-dir",
        "--output-file",
        "--output-format",
        "--override",
        "--overrides",
        "--package",
        "--prefix",
        "--prerelease",
        "--prerelease-package",
        "--project",
        "--prompt",
        "--prune",
        "--pypy-mirror",
        "--python",
        "--python-platform",
        "--python-preference",
        "--python-version",
        "--refresh-package",
        "--reinstall-package",
        "--requirement",
        "--requirements",
        "--resolution",
        "--rev",
        "--tag",
        "--target",
        "--torch-backend",
        "--upgrade-group",
        "--upgrade-package",
        "--with",
        "--with-editable",
        "--with-executables-from",
        "--with-requirements",
    ],
    short: "bcCfiopPw",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// `uv pip install` gives a value to what is a flag elsewhere.
const UV_PIP: Spec = Spec {
    long: &["--editable", "--no-binary", "--only-binary"],
    short: "ert",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `uv …` and `uvx …` do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    if call.program == "uvx" {
        return tool_run(call.args(), out);
    }
    let global = Args::read(call.args(), &[Spec { leading: true, ..UV }]);
    let tail = global.tail(0, call.args());
    let rest = tail.get(1..).unwrap_or(&[]);
    match (global.text(0), global.text(1)) {
        ("pip", "install") => pip_install(&rest[1..], out),
        ("pip", "sync") => pip_sync(&rest[1..], out),
        ("pip", "compile") => compile(&rest[1..], out),
        ("sync", _) => sync(&global, rest, out),
        ("run", _) => return run(&global, rest, out),
        ("lock", _) => lock(rest, out),
        ("add" | "remove", _) => change(&global, rest, out),
        ("tool", "run") => return tool_run(&rest[1..], out),
        ("tool", "install") => tool_install(&rest[1..], out),
        ("tool", "upgrade") => out.upgrade("uv tools"),
        ("python", "install") => pythons(&rest[1..], out),
        _ => {}
    }
    None
}

fn pip_install(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV, UV_PIP]);
    if args.has(&["--dry-run", "--help", "-h"]) {
        return;
    }
    let mut found = install(InstallTool::UvPip, Enforcement::NoLock);
    pip::targets(&args, Role::Install, &mut found, out);
    pip::from_environment("UV", &mut found, out);
    out.install(found);
}

/// `uv pip sync` takes nothing but files, and makes the environment equal to them.
fn pip_sync(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV, UV_PIP]);
    let mut found = install(InstallTool::UvPip, Enforcement::Frozen);
    found.files = files(args.rest(0), false);
    found.files.extend(files(args.values(&["-c", "--constraint", "--constraints"]), true));
    found.extra_indexes.extend(args.values(&["--extra-index-url"]).cloned());
    found.require_hashes = args.has(&["--require-hashes"]);
    out.deed(Deed::Install(found));
}

fn compile(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV]);
    if args.has(&["-U", "--upgrade", "-P", "--upgrade-package"]) {
        let target = args.value(&["-o", "--output-file"]).map_or("compiled requirements", |word| &word.text.text);
        out.upgrade(target);
    }
    if !args.has(&["--help", "-h"]) {
        let output = args.value(&["-o", "--output-file"]).cloned();
        out.deed(Deed::Relock { tool: InstallTool::PipSync, output });
    }
}

fn enforcement(args: &Args, out: &Out) -> Enforcement {
    // `--frozen` and `--locked` exclude each other; a flag beats a variable.
    if args.has(&["--locked"]) {
        Enforcement::Checked
    } else if args.has(&["--frozen"]) {
        Enforcement::Frozen
    } else if out.is_on("UV_LOCKED") {
        Enforcement::Checked
    } else if out.is_on("UV_FROZEN") {
        Enforcement::Frozen
    } else {
        Enforcement::Loose
    }
}

/// The groups and extras that the flags of `uv sync` and `uv run` ask for, as written.
fn groups(args: &Args) -> Vec<String> {
    let mut groups = texts(args.values(&["--group", "--only-group", "--extra"]));
    let flags = ["--all-groups", "--all-extras", "--no-dev", "--only-dev", "--dev", "--no-default-groups"];
    groups.extend(flags.iter().filter(|flag| args.has(&[flag])).map(|flag| flag.to_string()));
    groups
}

fn project(global: &Args, args: &Args, out: &Out) -> Vec<Word> {
    let names = ["--project", "--directory"];
    vec![args.value(&names).or_else(|| global.value(&names)).cloned().unwrap_or_else(|| out.here())]
}

fn sync(global: &Args, words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV, Spec { long: &["--script"], ..Spec::default() }]);
    // `--check` looks at the environment and installs nothing.
    if args.has(&["--dry-run", "--check", "--help", "-h"]) {
        return;
    }
    if args.has(&["-U", "--upgrade", "-P", "--upgrade-package"]) {
        out.upgrade("uv.lock");
    }
    // `uv sync --script x.py` installs what the script's own block asks for.
    if args.has(&["--script"]) {
        return;
    }
    let mut found = install(InstallTool::Uv, enforcement(&args, out));
    found.projects = project(global, &args, out);
    found.groups = groups(&args);
    found.upgrade = args.has(&["-U", "--upgrade"]);
    out.deed(Deed::Install(found));
}

fn run<'c>(global: &Args, words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[Spec { leading: true, ..UV }]);
    if args.has(&["-U", "--upgrade", "-P", "--upgrade-package"]) {
        out.upgrade("uv.lock");
    }
    let outside = args.has(&["--no-project", "--script", "-s", "--gui-script", "--no-sync"])
        || out.is_on("UV_NO_SYNC")
        || out.is_on("UV_NO_PROJECT");
    if !outside {
        let mut found = install(InstallTool::Uv, enforcement(&args, out));
        found.projects = project(global, &args, out);
        found.groups = groups(&args);
        out.deed(Deed::Install(found));
    }
    with_packages(&args, out);
    let tail = args.tail(0, words);
    if args.has(&["-m", "--module"]) {
        return Inner::module(tail);
    }
    call_file(tail, args.has(&["--script", "-s"]), out);
    Inner::command(tail)
}

/// `uv run x.py` runs the file, whatever `PATH` says.
fn call_file(words: &[Word], script: bool, out: &mut Out) {
    if let Some(word) = words.first().filter(|word| script || word.text.text.ends_with(".py")) {
        script_install(word, out);
        // Paths are calls for every launcher; a bare name is one for uv only.
        if !word.text.text.contains('/') || script && !word.text.text.ends_with(".py") {
            out.deed(Deed::Call(word.clone()));
        }
    }
}

/// A script is installed from its own comment block, when it has one: the file is a requirements file then.
pub fn script_install(word: &Word, out: &mut Out) {
    let mut found = install(InstallTool::UvPip, Enforcement::NoLock);
    found.files = files(std::iter::once(word), false);
    out.deed(Deed::Install(found));
}

/// `--with x`: packages beside the project's.
fn with_packages(args: &Args, out: &mut Out) {
    let mut found = install(InstallTool::UvPip, Enforcement::NoLock);
    for word in args.values(&["-w", "--with"]) {
        for piece in comma_words(word) {
            packages::sort(&piece, Role::Install, &mut found, out);
        }
    }
    found.projects.extend(args.values(&["--with-editable"]).cloned());
    found.files.extend(files(args.values(&["--with-requirements"]), false));
    pip::from_environment("UV", &mut found, out);
    out.install(found);
}

/// `--with a,b==1`: commas separate packages, unless they separate specifiers or extras.
fn comma_words(word: &Word) -> Vec<Word> {
    let text = &word.text.text;
    let mut words = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(',') {
        let next = text[at + 1..].trim_start();
        let inside = text[start..at].matches('[').count() > text[start..at].matches(']').count();
        if next.starts_with(|c: char| c.is_ascii_alphabetic()) && !inside {
            words.push(super::args::part(word, start..at));
            start = at + 1;
        }
    }
    words.push(super::args::part(word, start..text.len()));
    words
}

fn lock(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV]);
    if args.has(&["--check", "--locked", "--check-exists", "--frozen"]) || out.is_on("UV_LOCKED") {
        out.deed(Deed::VerifyLock { tool: InstallTool::Uv });
    } else if !args.has(&["--dry-run", "--help", "-h"]) {
        if args.has(&["-U", "--upgrade", "-P", "--upgrade-package", "--upgrade-group"]) {
            out.upgrade("uv.lock");
        }
        // `uv lock --script x.py` makes the lock of a script.
        if !args.has(&["--script"]) {
            out.relock(InstallTool::Uv);
        }
    }
}

/// `uv add x` resolves x anew and installs the project.
fn change(global: &Args, words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV, Spec { long: &["--script", "--marker"], short: "rm", ..Spec::default() }]);
    let mut found = install(InstallTool::Uv, enforcement(&args, out));
    if global.text(0) == "add" {
        for word in args.rest(0) {
            packages::sort(word, Role::Install, &mut found, out);
        }
        found.files = files(args.values(&["-r", "--requirements", "--requirement"]), false);
    }
    found.projects.extend(project(global, &args, out));
    out.deed(Deed::Install(found));
}

/// `uvx [--from PACKAGE] [--with PACKAGE] COMMAND …`.
fn tool_run<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[Spec { leading: true, ..UV }]);
    let from = args.value(&["--from"]);
    if let Some(package) = from.or(args.word(0)) {
        tool(package, out);
    }
    for word in args.values(&["-w", "--with"]) {
        comma_words(word).iter().for_each(|piece| tool(piece, out));
    }
    with_files(&args, out);
    Inner::command(args.tail(0, words))
}

fn tool_install(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV]);
    if let Some(package) = args.value(&["--from"]).or(args.word(0)) {
        tool(package, out);
    }
    for word in args.values(&["-w", "--with", "--with-executables-from"]) {
        comma_words(word).iter().for_each(|piece| tool(piece, out));
    }
    with_files(&args, out);
}

/// Requirement files of a tool.
fn with_files(args: &Args, out: &mut Out) {
    let mut found = install(InstallTool::UvPip, Enforcement::NoLock);
    found.files = files(args.values(&["--with-requirements"]), false);
    if !found.files.is_empty() {
        found.files.extend(files(args.values(&["-c", "--constraints", "--constraint"]), true));
        out.deed(Deed::Install(found));
    }
}

/// A package that is run as a tool: `ruff`, `ruff@0.5.0`, `ruff==0.5.0`. Paths and words that cannot be seen are installs.
pub fn tool(word: &Word, out: &mut Out) {
    let mut found = install(InstallTool::UvPip, Enforcement::NoLock);
    if packages::is_project(word) {
        found.projects.push(word.clone());
    } else if let Ok(reference) = pypi::tool(&word.text, Role::Tool, "") {
        let id = out.push(reference);
        out.deed(Deed::RunTool(id));
        return;
    } else {
        found.opaque.push(word.clone());
    }
    out.deed(Deed::Install(found));
}

fn pythons(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[UV]);
    for word in args.rest(0) {
        python(word, out);
    }
}

/// An interpreter named by version.
fn python(word: &Word, out: &mut Out) {
    out.push(toolchain::python(&word.text, Role::Python, ""));
}

/// `pyenv install 3.12.1`, `pyenv local 3.12`.
pub fn read_pyenv<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(call.args(), &[]);
    match args.text(0) {
        "install" | "local" | "global" | "shell" => args.rest(1).for_each(|word| python(word, out)),
        "exec" => return Inner::command(args.tail(1, call.args())),
        _ => {}
    }
    None
}

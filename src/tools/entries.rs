//! Calls of what the repository holds: scripts by path, and entries of task runners. Opens no file: a path may lead nowhere.

use super::args::{Args, Spec};
use super::{Call, Out, prefix, texts};
use crate::model::script::{Deed, Word};

/// Says which script or entry a call runs.
pub fn read(call: &Call, out: &mut Out) {
    match call.program {
        "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" => shell(call, out),
        "source" | "." => file(call.args().first(), out),
        "pwsh" | "powershell" => powershell(call, out),
        "tox" => tox(call, out),
        "nox" => nox(call, out),
        "make" | "gmake" => make(call, out),
        "just" => just(call, out),
        "invoke" | "inv" | "task" | "doit" => tasks(call, out),
        name if prefix::is_python(name) => python(call, out),
        _ => path(call, out),
    }
}

/// Whether a word that a runner starts can be a task of the project: no path, and no interpreter.
pub fn is_task(word: &Word) -> bool {
    let text = word.text.text.as_str();
    !word.expands && !text.starts_with('-') && !text.contains(['/', '.']) && !prefix::is_python(prefix::program(text))
}

fn file(word: Option<&Word>, out: &mut Out) {
    if let Some(word) = word.filter(|word| !word.text.text.starts_with(['-', '<'])) {
        out.deed(Deed::Call(word.clone()));
    }
}

/// `./ci/test.sh`: a program with a path that is relative, and no program of a virtual environment or of the system.
fn path(call: &Call, out: &mut Out) {
    let word = &call.words[0];
    let text = word.text.text.as_str();
    let bin = ["/bin/", "\\bin\\", "/Scripts/", "\\Scripts\\", "node_modules/"];
    let script = [".sh", ".py", ".bash", ".ps1", ".bat"].iter().any(|end| text.ends_with(end));
    let own = text.contains('/')
        && !text.starts_with('@')
        && !text.contains("://")
        && (script || !text.starts_with(['/', '~']))
        && !call.module;
    if own
        && (script
            || !bin.iter().any(|part| text.contains(part))
            || text.starts_with("./bin/")
            || text.starts_with("bin/"))
    {
        out.deed(Deed::Call(word.clone()));
    }
}

/// `bash [options] file`: with `-c` the text is read as commands of its own.
fn shell(call: &Call, out: &mut Out) {
    let args = Args::read(
        call.args(),
        &[Spec { long: &["--rcfile", "--init-file"], short: "oO", leading: true, ..Spec::default() }],
    );
    if !args.has(&["-c", "-s"]) {
        file(args.word(0), out);
    }
}

fn powershell(call: &Call, out: &mut Out) {
    let script = call.args().iter().find(|word| word.text.text.ends_with(".ps1"));
    file(script, out);
}

/// `python [options] file`: not with `-m` or `-c`.
fn python(call: &Call, out: &mut Out) {
    let mut words = call.args().iter();
    while let Some(word) = words.next() {
        let text = word.text.text.as_str();
        if !text.starts_with('-') {
            // `setup.py` is the project itself.
            return file(Some(word), out);
        }
        if text.starts_with("--") {
            continue;
        }
        if text == "-" || text.contains(['m', 'c']) {
            return;
        }
        if text.ends_with(['W', 'X']) {
            words.next();
        }
    }
}

const TOX: Spec = Spec {
    long: &[
        "--colored",
        "--stderr-color",
        "--exit-and-dump-after",
        "--conf",
        "--workdir",
        "--root",
        "--runner",
        "--result-json",
        "--hashseed",
        "--discover",
        "--installpkg",
        "--override",
        "--skip-env",
        "--parallel",
        "--parallel-no-spinner",
        "--index-url",
        "--force-dep",
    ],
    short: "cxemfpi",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// `tox [run] -e a,b -- posargs`. `-p` takes a value only when the next word is one.
fn tox(call: &Call, out: &mut Out) {
    let words = before_dashes(call.args());
    let args = Args::read(words, &[TOX]);
    let command = args.word(0).map_or("", |word| word.text.text.as_str());
    let other =
        ["list", "l", "config", "c", "quickstart", "q", "devenv", "d", "exec", "e", "depends", "de", "schema", "man"];
    if other.contains(&command) || args.has(&["-l", "-a", "--listenvs", "--listenvs-all", "--version", "--help", "-h"])
    {
        return;
    }
    out.folder = args.value(&["-c", "--conf", "--root"]).and_then(folder_of);
    let named =
        args.values(&["-e"]).flat_map(|word| word.text.text.split([',', ' ', '\n']).map(str::trim).map(str::to_string));
    out.entry("tox", named.filter(|name| !name.is_empty() && name != "ALL").collect());
}

/// The folder of a file given by an option; a path without an ending is a folder itself.
fn folder_of(word: &Word) -> Option<String> {
    let text = word.text.text.as_str();
    let (folder, name) = text.rsplit_once('/').unwrap_or((".", text));
    let is_file = name.contains('.') && name != "." && name != "..";
    (!word.expands).then(|| if is_file { folder } else { text }.to_string())
}

/// The words before `--`: what follows is for the commands of the entries.
fn before_dashes(words: &[Word]) -> &[Word] {
    let end = words.iter().position(|word| word.text.text == "--").unwrap_or(words.len());
    &words[..end]
}

/// `nox -s a b`: the option takes every word up to the next option.
fn nox(call: &Call, out: &mut Out) {
    let names = ["-s", "-e", "--session", "--sessions"];
    let mut entries = Vec::new();
    let mut taking = false;
    let file = Args::read(before_dashes(call.args()), &[Spec { long: &["--noxfile"], short: "f", ..Spec::default() }]);
    out.folder = file.value(&["-f", "--noxfile"]).and_then(folder_of);
    for word in before_dashes(call.args()) {
        let text = word.text.text.as_str();
        if matches!(text, "-l" | "--list" | "--list-sessions" | "--version" | "--help" | "-h") {
            return;
        }
        if let Some((_, value)) = text.split_once('=').filter(|(name, _)| names.contains(name)) {
            entries.push(value.to_string());
        } else if text.starts_with('-') {
            taking = names.contains(&text);
        } else if taking {
            entries.push(text.to_string());
        }
    }
    // `tests-3.12` is the session `tests` with one interpreter, `tests(x=1)` with one parameter.
    out.entry("nox", entries);
}

fn make(call: &Call, out: &mut Out) {
    let long = &["--directory", "--file", "--makefile", "--include-dir", "--old-file", "--what-if", "--eval"];
    let args = Args::read(call.args(), &[Spec { long, short: "CfIoW", ..Spec::default() }]);
    // `-j` takes a number when one follows.
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let entries = args
        .rest(0)
        .map(|word| word.text.text.clone())
        .filter(|text| prefix::assignment(text).is_none() && !number(text));
    if args.has(&["--version", "--help", "-n", "--dry-run"]) {
        return;
    }
    let entries: Vec<String> = entries.collect();
    out.folder = args.value(&["-C", "--directory"]).filter(|word| !word.expands).map(|word| word.text.text.clone());
    match args.value(&["-f", "--file", "--makefile"]) {
        Some(word) => out.deed(Deed::Call(word.clone())),
        None => out.entry("make", entries),
    }
}

fn just(call: &Call, out: &mut Out) {
    let long = &["--justfile", "--working-directory", "--set", "--shell", "--shell-arg", "--dotenv-path", "--color"];
    let args = Args::read(call.args(), &[Spec { long, short: "fd", leading: true, ..Spec::default() }]);
    if args.has(&["-l", "--list", "--version", "--help", "--summary"]) {
        return;
    }
    let entries = args.rest(0).map(|word| word.text.text.clone()).find(|text| !text.contains('='));
    out.entry("just", entries.into_iter().collect());
}

/// `invoke name --option name2`: words that are no option.
fn tasks(call: &Call, out: &mut Out) {
    let args = Args::read(
        call.args(),
        &[Spec { long: &["--collection", "--search-root", "--config"], short: "crf", ..Spec::default() }],
    );
    let tool = if call.program == "task" { "task" } else { "invoke" };
    if !args.plain.is_empty() {
        out.entry(tool, texts(args.rest(0)));
    }
}

//! Words in front of a command that change how it runs and not what it is: `sudo -E`, `env A=b`, `timeout 5`, `python -m`, `xargs`.
//! Does not know what the command behind them does.

use super::args::{Args, Spec};
use super::{Call, Inner, Out, Recognise};
use crate::model::script::{Deed, Word};
use crate::model::text::Text;

/// A program's name without its folder, `.exe`, and the version of a Python: `/usr/bin/pip3.11` is `pip`.
pub fn program(text: &str) -> &str {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name);
    if let Some(variable) = name.strip_prefix('$') {
        let variable = variable.trim_matches(['{', '}', '(', ')']);
        return VARIABLES.iter().find(|known| known.eq_ignore_ascii_case(variable)).unwrap_or(&name);
    }
    // `uvx ruff@0.5`, `npx eslint@8`, `pipx run black==24.1`: the program without its version.
    let name = name.find(['@', '=', '<', '>', '[']).filter(|&at| at > 0).map_or(name, |at| &name[..at]);
    let unversioned = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    match unversioned {
        "pip" | "python" | "pythonw" | "pypy" | "easy_install" => unversioned,
        _ => name,
    }
}

/// Programs that scripts and makefiles keep in a variable of the same name: `$(PIP) install`, `${PYTHON} -m build`.
const VARIABLES: [&str; 15] = [
    "make", "pip", "python", "uv", "poetry", "pdm", "pipenv", "tox", "nox", "pytest", "docker", "podman", "conda",
    "mamba", "npm",
];

/// Whether a program is a Python interpreter.
pub fn is_python(program: &str) -> bool {
    matches!(program, "python" | "pythonw" | "pypy" | "py" | "pypy3")
}

/// The recogniser of a prefix.
pub fn family(call: &Call) -> Option<Recognise> {
    Some(match call.program {
        "sudo" | "doas" => sudo,
        "env" => env,
        "command" | "exec" | "builtin" | "nohup" | "time" | "setsid" | "catchsegv" | "winpty" | "linux32"
        | "caffeinate" | "!" => plain,
        "nice" | "ionice" | "stdbuf" | "chrt" | "taskset" | "unbuffer" | "eatmydata" | "faketime" => nice,
        "timeout" | "gtimeout" => timeout,
        "xvfb-run" | "dbus-run-session" | "xvfb-run-safe" => xvfb,
        "wait-for-it" => retry,
        // Scripts call their own functions like this.
        name if name.starts_with("retry") || name.ends_with("_retry") || name.ends_with("-retry") => retry,
        "xargs" | "gxargs" | "parallel" => xargs,
        "coverage" | "kernprof" | "memray" | "scalene" => coverage,
        "arch" => nice,
        "if" | "then" | "else" | "do" | "while" => plain,
        "call" | "&" | "cmd" => windows,
        name if is_python(name) => python,
        // `${{ steps.py.outputs.python-path }} -m pip`: nothing but Python is called like this.
        _ if call.words[0].expands && call.arg(0) == "-m" => python,
        _ => return None,
    })
}

fn read<'c>(call: &Call<'c>, long: &'static [&'static str], short: &'static str) -> Args<'c> {
    Args::read(call.args(), &[Spec { long, short, leading: true, ..Spec::default() }])
}

fn plain<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let args = read(call, &[], "");
    // `command -v x` asks where x is.
    if args.has(&["-v", "-V"]) && call.program == "command" {
        return None;
    }
    Inner::command(args.tail(0, call.args()))
}

fn sudo<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let long =
        &["--user", "--group", "--host", "--chdir", "--chroot", "--prompt", "--close-from", "--preserve-env-list"];
    let args = read(call, long, "ughpCDRT");
    after_assignments(args.tail(0, call.args()), out)
}

fn env<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let args = read(call, &["--unset", "--chdir", "--split-string"], "uCS");
    after_assignments(args.tail(0, call.args()), out)
}

/// Skips `A=b` words, which hold for this command.
fn after_assignments<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let mut skip = 0;
    while let Some((name, value)) = words.get(skip).and_then(|word| assignment(&word.text.text)) {
        let text = &words[skip];
        out.env.push((name.to_string(), super::args::part(text, value..text.text.text.len()).text));
        skip += 1;
    }
    Inner::command(&words[skip..])
}

fn nice<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let args = match call.program {
        "stdbuf" => read(call, &["--input", "--output", "--error"], "ioe"),
        "arch" => read(call, &[], ""),
        _ => read(call, &["--adjustment", "--class", "--classdata"], "nc"),
    };
    // These two take one word of their own before the command.
    let own = usize::from(matches!(call.program, "taskset" | "faketime" | "chrt"));
    Inner::command(args.tail(own, call.args()))
}

fn timeout<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let args = read(call, &["--signal", "--kill-after"], "sk");
    Inner::command(args.tail(1, call.args()))
}

fn xvfb<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let long = &[
        "--error-file",
        "--auth-file",
        "--server-num",
        "--xauth-protocol",
        "--server-args",
        "--wait",
        "--config-file",
    ];
    let args = read(call, long, "efnpsw");
    Inner::command(args.tail(0, call.args()))
}

/// `retry 3 cmd`, `retry -t 5 -- cmd`: several programs have this name, so numbers are skipped.
fn retry<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let args = read(call, &["--times", "--delay", "--max", "--tries", "--until", "--sleep", "--timeout"], "tdmsT");
    let numbers =
        args.rest(0).take_while(|word| word.text.text.trim_end_matches(['s', 'm']).parse::<f64>().is_ok()).count();
    Inner::command(args.tail(numbers, call.args()))
}

fn xargs<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let long = &["--arg-file", "--delimiter", "--max-args", "--max-procs", "--max-lines", "--replace", "--max-chars"];
    let args = read(call, long, "adEILnPs");
    out.fed = Some(call.words[0].clone());
    Inner::command(args.tail(0, call.args()))
}

/// `coverage run -m pytest`, `coverage run x.py`.
fn coverage<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    if call.arg(0) != "run" {
        return None;
    }
    let words = &call.args()[1..];
    let spec = Spec {
        long: &[
            "--source",
            "--omit",
            "--include",
            "--concurrency",
            "--context",
            "--rcfile",
            "--data-file",
            "--debug",
            "--output",
        ],
        short: "o",
        leading: true,
        ..Spec::default()
    };
    let args = Args::read(words, &[spec]);
    let tail = args.tail(0, words);
    if args.has(&["-m", "--module"]) {
        return Inner::module(tail);
    }
    if let Some(word) = tail.first() {
        // `coverage run bin/pytest`: a program that Python can run.
        if !word.text.text.ends_with(".py") {
            return Inner::command(tail);
        }
        out.deed(Deed::Call(word.clone()));
        super::checks::python_file(tail, out);
    }
    None
}

fn windows<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let flags = call.args().iter().take_while(|word| word.text.text.starts_with('/')).count();
    Inner::command(&call.args()[flags..])
}

/// `python -m X`: X with its arguments. Python's own options that take a value are `-W`, `-X`, `-c`, `-m`; `py` takes `-3.11` too.
fn python<'c>(call: &Call<'c>, _: &mut Out) -> Option<Inner<'c>> {
    let words = call.args();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.text.text.as_str();
        at += 1;
        let cluster = text.strip_prefix('-').filter(|rest| !rest.is_empty())?;
        if cluster.starts_with('-') {
            at += usize::from(matches!(cluster, "-check-hash-based-pycs" | "-python"));
            continue;
        }
        match cluster.find(['m', 'c', 'W', 'X']).map(|place| (&cluster[place..place + 1], cluster.len() == place + 1)) {
            Some(("m", true)) => return Inner::module(&words[at..]),
            Some(("m" | "c", _)) => return None,
            Some((_, true)) => at += 1,
            _ => {}
        }
    }
    None
}

/// The name of `NAME=value`.
pub fn assignment(text: &str) -> Option<(&str, usize)> {
    let equals = text.find('=')?;
    let name = &text[..equals];
    let ok = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    ok.then_some((name, equals + 1))
}

/// Variables that a command sets for those after it: `export A=b`, and PowerShell's `$env:A = "b"`.
pub fn exports(words: &[Word], env: &mut Vec<(String, Text)>) {
    let Some(first) = words.first() else { return };
    let listed = match first.text.text.as_str() {
        "export" | "declare" | "typeset" | "readonly" | "set" => &words[1..],
        _ => return powershell_assignment(words, env),
    };
    for word in listed {
        if let Some((name, value)) = assignment(&word.text.text) {
            let text = super::args::part(word, value..word.text.text.len()).text;
            env.push((name.to_string(), text));
        }
    }
}

fn powershell_assignment(words: &[Word], env: &mut Vec<(String, Text)>) {
    let Some(name) = words[0].text.text.strip_prefix("$env:") else { return };
    match name.split_once('=') {
        Some((name, value)) if !value.is_empty() => {
            env.push((name.to_string(), Text { text: value.to_string(), ..words[0].text.clone() }))
        }
        None if words.get(1).is_some_and(|word| word.text.text == "=") => {
            if let Some(value) = words.get(2) {
                env.push((name.to_string(), value.text.clone()));
            }
        }
        _ => {}
    }
}

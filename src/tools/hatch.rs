//! hatch: environments, their scripts, tests, format and builds. Reads neither `pyproject.toml` nor `hatch.toml`.

use super::args::{Args, Spec};
use super::{Call, Inner, Out, install};
use crate::model::script::{Deed, Enforcement, InstallTool, Word};

const HATCH: Spec = Spec {
    long: &[
        "--env",
        "--project",
        "--data-dir",
        "--cache-dir",
        "--config",
        "--include",
        "--exclude",
        "--filter",
        "--python",
        "--target",
    ],
    short: "epixft",
    leading: true,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `hatch …` does.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let global = Args::read(call.args(), &[HATCH]);
    let tail = global.tail(0, call.args());
    let env = global.value(&["-e", "--env"]).map_or("default", |word| &word.text.text);
    match (global.text(0), global.text(1)) {
        ("run", _) => run(env, &tail[1..], out),
        ("env", "run") => run(env, &tail[2..], out),
        ("env", "create") => {
            let args = Args::read(&tail[2..], &[HATCH]);
            environment(if args.text(0).is_empty() { env } else { args.text(0) }, out);
            None
        }
        ("test", _) => {
            environment("hatch-test", out);
            None
        }
        ("fmt", _) => {
            environment("hatch-static-analysis", out);
            None
        }
        _ => None,
    }
}

/// An environment is made from the manifest, which hatch locks nowhere.
fn environment(name: &str, out: &mut Out) {
    let mut found = install(InstallTool::Hatch, Enforcement::NoLock);
    found.projects = vec![out.here()];
    found.groups = vec![name.to_string()];
    out.deed(Deed::Install(found));
}

/// `hatch run [+var=x] [env:]command args`: the command is a script of the environment or any program.
fn run<'c>(env: &str, words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[HATCH]);
    let env = args.value(&["-e", "--env"]).map_or(env, |word| &word.text.text);
    let selectors = args.rest(0).take_while(|word| word.text.text.starts_with('+')).count();
    let word = args.word(selectors)?;
    let text = word.text.text.as_str();
    // `hatch run x.py` reads the script's own block; a Windows drive is no environment.
    let (env, command) = match text.split_once(':') {
        Some((env, command)) if !word.expands => (env, command),
        _ => (env, text),
    };
    environment(env, out);
    out.entry("hatch", vec![format!("{env}:{command}")]);
    let tail = args.tail(selectors, words);
    if command.len() == text.len() {
        return Inner::command(tail);
    }
    // Behind `env:` stands a program or a script; the word keeps its place as a whole.
    super::checks::read_program(command, tail, out);
    None
}

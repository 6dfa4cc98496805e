//! pipx: tools in environments of their own. Asks no index.

use super::args::{Args, Spec};
use super::{Call, Inner, Out, uv};
use crate::model::script::{Deed, Word};

const PIPX: Spec = Spec {
    long: &[
        "--include-resources-from",
        "--upgrade-strategy",
        "--suffix",
        "--python",
        "--fetch-python",
        "--preinstall",
        "--app",
        "--lock",
        "--index-url",
        "--pip-args",
        "--cooldown",
        "--backend",
        "--output",
        "--python-args",
        "--with",
        "--spec",
        "--requirement",
        "--verbosity",
    ],
    short: "ir",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `pipx …` does.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let global = Args::read(call.args(), &[Spec { leading: true, ..PIPX }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    match global.text(0) {
        "install" => packages(words, 0, out),
        // The first word of `inject` names the environment.
        "inject" => packages(words, 1, out),
        "run" => return run(words, out),
        "upgrade" | "upgrade-all" => out.upgrade("pipx tools"),
        "runpip" => return Inner::command(&[]),
        _ => {}
    }
    None
}

fn packages(words: &[Word], from: usize, out: &mut Out) {
    let args = Args::read(words, &[PIPX]);
    args.rest(from).chain(args.values(&["--preinstall"])).for_each(|word| uv::tool(word, out));
}

fn run<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[Spec { leading: true, ..PIPX }]);
    let script = args.word(0).filter(|word| word.text.text.ends_with(".py"));
    if let Some(word) = script {
        uv::script_install(word, out);
        out.deed(Deed::Call(word.clone()));
        return None;
    }
    if let Some(package) = args.value(&["--spec"]).or(args.word(0)) {
        uv::tool(package, out);
    }
    args.values(&["--with"]).for_each(|word| uv::tool(word, out));
    Inner::command(args.tail(0, words))
}

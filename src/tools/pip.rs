//! pip and pip-tools: `pip install`, `pip-sync`, `pip-compile`. Reads no requirements file.
//!
//! Options are those of `pip install --help` (26), of pip-tools 7 and of older pips.

use super::args::{Args, Spec};
use super::packages::{self, files, variable_words};
use super::{Call, Inner, Out, install, texts};
use crate::model::reference::Role;
use crate::model::script::{Deed, Enforcement, Install, InstallTool, Word};

/// pip's options with a value.
const PIP: Spec = Spec {
    long: &[
        "--abi",
        "--build",
        "--build-constraint",
        "--build-option",
        "--cache-dir",
        "--cert",
        "--client-cert",
        "--config-settings",
        "--constraint",
        "--dest",
        "--editable",
        "--exists-action",
        "--extra-index-url",
        "--find-links",
        "--global-option",
        "--group",
        "--hash",
        "--implementation",
        "--index-url",
        "--install-option",
        "--keyring-provider",
        "--log",
        "--log-file",
        "--no-binary",
        "--only-binary",
        "--only-final",
        "--platform",
        "--prefix",
        "--progress-bar",
        "--proxy",
        "--pypi-url",
        "--python",
        "--python-version",
        "--report",
        "--requirement",
        "--requirements-from-script",
        "--resume-retries",
        "--retries",
        "--root",
        "--root-user-action",
        "--src",
        "--target",
        "--timeout",
        "--trusted-host",
        "--upgrade-strategy",
        "--uploaded-prior-to",
        "--use-deprecated",
        "--use-feature",
        "--wheel-dir",
        "--all-releases",
        "--constraints",
        "--requirements",
    ],
    short: "rceiftdbwC",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// pip-tools' options with a value.
const TOOLS: Spec = Spec {
    long: &[
        "--extra",
        "--find-links",
        "--index-url",
        "--extra-index-url",
        "--cert",
        "--client-cert",
        "--trusted-host",
        "--annotation-style",
        "--upgrade-package",
        "--output-file",
        "--newline",
        "--max-rounds",
        "--cache-dir",
        "--pip-args",
        "--resolver",
        "--unsafe-package",
        "--config",
        "--constraint",
        "--build-deps-for",
        "--python-executable",
        "--uploaded-prior-to",
    ],
    short: "fiPoc",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `pip …`, `pip-sync …` and `pip-compile …` do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    match call.program {
        "pip-sync" => sync(call.args(), out),
        "pip-compile" => compile(call.args(), out),
        "piptools" if call.arg(0) == "sync" => sync(&call.args()[1..], out),
        "piptools" if call.arg(0) == "compile" => compile(&call.args()[1..], out),
        "easy_install" => pip_words(call.args(), out),
        "pip" => pip(call, out),
        _ => {}
    }
    None
}

fn pip(call: &Call, out: &mut Out) {
    let args = Args::read(call.args(), &[Spec { leading: true, ..PIP }]);
    let tail = args.tail(0, call.args());
    match args.text(0) {
        // A wheel that is built or downloaded is what a later step installs.
        "install" | "download" | "wheel" => pip_words(&tail[1..], out),
        _ => {}
    }
}

fn pip_words(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[PIP]);
    // pip shows help or a report and installs nothing.
    if args.has(&["--help", "-h", "--dry-run"]) {
        return;
    }
    let mut found = install(InstallTool::Pip, Enforcement::NoLock);
    targets(&args, Role::Install, &mut found, out);
    from_environment("PIP", &mut found, out);
    out.install(found);
}

/// Everything that pip's and uv's `install` have in common.
pub fn targets(args: &Args, role: Role, found: &mut Install, out: &mut Out) {
    for word in args.rest(0) {
        packages::sort(word, role, found, out);
    }
    for word in args.values(&["-e", "--editable"]) {
        packages::sort_editable(word, role, found, out);
    }
    found
        .files
        .extend(files(args.values(&["-r", "--requirement", "--requirements", "--requirements-from-script"]), false));
    found.files.extend(files(args.values(&["-c", "--constraint", "--constraints"]), true));
    found.extra_indexes.extend(args.values(&["--extra-index-url"]).cloned());
    found.groups.extend(texts(args.values(&["--group", "--extra"])));
    found.no_deps |= args.has(&["--no-deps", "--no-dependencies"]);
    found.require_hashes |= args.has(&["--require-hashes"]);
    found.upgrade |= args.has(&["-U", "--upgrade"]);
    found.no_index |= args.has(&["--no-index"]);
    let links = args.values(&["-f", "--find-links"]);
    found.local_links |= links.into_iter().any(|word| !word.text.text.contains("://"));
}

/// What variables in the script add: `PIP_CONSTRAINT=c.txt pip install x`, `export UV_CONSTRAINT=c.txt`.
pub fn from_environment(lead: &str, found: &mut Install, out: &Out) {
    let constraints = variable_words(&format!("{lead}_CONSTRAINT"), out);
    found.files.extend(files(constraints.iter(), true));
    found.extra_indexes.extend(variable_words(&format!("{lead}_EXTRA_INDEX_URL"), out));
    found.require_hashes |= out.is_on(&format!("{lead}_REQUIRE_HASHES"));
    found.no_index |= out.is_on(&format!("{lead}_NO_INDEX"));
}

/// Whether an install installs nothing that can be named: `pip install --help`, a lone `pip install -U`.
pub fn is_empty(found: &Install) -> bool {
    let requirements = found.files.iter().any(|file| !file.constraint);
    found.references.is_empty()
        && found.projects.is_empty()
        && found.opaque.is_empty()
        && !requirements
        && found.groups.is_empty()
}

/// `pip-sync [files]` makes the environment equal to compiled files.
fn sync(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[TOOLS]);
    let mut found = install(InstallTool::PipSync, Enforcement::Frozen);
    found.files = files(args.rest(0), false);
    found.extra_indexes.extend(args.values(&["--extra-index-url"]).cloned());
    found.no_index = args.has(&["--no-index"]);
    out.deed(Deed::Install(found));
}

/// `pip-compile --upgrade` moves pins; without it, it keeps what its output already holds.
fn compile(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[TOOLS]);
    if args.has(&["-U", "--upgrade", "-P", "--upgrade-package"]) {
        let target = args.value(&["-o", "--output-file"]).map_or("compiled requirements", |word| &word.text.text);
        out.upgrade(target);
    }
    if !args.has(&["--dry-run", "-n", "--help", "-h"]) {
        let written = args.value(&["-o", "--output-file"]).cloned();
        let output = written.unwrap_or_else(|| output_of(args.word(0).unwrap_or(&out.here())));
        out.deed(Deed::Relock { tool: InstallTool::PipSync, output: Some(output) });
    }
}

/// Where pip-compile writes when nobody says it: `dev.in` becomes `dev.txt`, everything else `requirements.txt` beside it.
fn output_of(input: &Word) -> Word {
    let mut word = input.clone();
    let path = input.text.text.as_str();
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    word.text.text = match path.strip_suffix(".in") {
        Some(stem) => format!("{stem}.txt"),
        None => format!("{folder}requirements.txt"),
    };
    word.text.verbatim = false;
    word
}

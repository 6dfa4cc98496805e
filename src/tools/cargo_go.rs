//! `cargo install` and `go install`: tools built from source. Asks no registry.

use super::args::{Args, Spec};
use super::{Call, Inner, Out};
use crate::ecosystems::{git, npm, pypi};
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Slot};
use crate::model::script::{Deed, Word};

const CARGO: Spec = Spec {
    long: &[
        "--version",
        "--vers",
        "--git",
        "--branch",
        "--tag",
        "--rev",
        "--path",
        "--root",
        "--registry",
        "--index",
        "--bin",
        "--example",
        "--features",
        "--profile",
        "--target",
        "--target-dir",
        "--jobs",
        "--config",
        "--color",
        "--message-format",
        "--manifest-path",
    ],
    short: "jFZC",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

const GO: Spec = Spec {
    long: &[
        "-C",
        "-p",
        "-asmflags",
        "-buildmode",
        "-buildvcs",
        "-compiler",
        "-gccgoflags",
        "-gcflags",
        "-installsuffix",
        "-ldflags",
        "-mod",
        "-modfile",
        "-overlay",
        "-pgo",
        "-pkgdir",
        "-tags",
        "-toolexec",
        "-o",
        "-exec",
        "-covermode",
        "-coverpkg",
    ],
    short: "",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: true,
};

/// What `cargo …` and `go …` do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    match call.program {
        "go" => go(call, out),
        "cargo-binstall" => crates(call.args(), out),
        _ => {
            // `cargo +nightly install x`
            let toolchain = usize::from(call.arg(0).starts_with('+'));
            match call.arg(toolchain) {
                "install" | "binstall" => crates(&call.args()[toolchain + 1..], out),
                "update" => out.upgrade("Cargo.lock"),
                _ => {}
            }
        }
    }
    None
}

fn crates(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[CARGO]);
    if args.has(&["--path", "--list"]) {
        return;
    }
    if let Some(url) = args.value(&["--git"]) {
        let reference = from_git(url, &args);
        run(reference, out);
        return;
    }
    let version = args.value(&["--version", "--vers"]);
    for word in args.rest(0) {
        match package(word, version) {
            Some(reference) => run(reference, out),
            None => unseen(word, out),
        }
    }
}

fn run(reference: Reference, out: &mut Out) {
    let id = out.push(reference);
    out.deed(Deed::RunTool(id));
}

fn unseen(word: &Word, out: &mut Out) {
    if word.expands {
        let at = word.text.at;
        out.facts.problem(
            crate::model::facts::ProblemKind::Opaque,
            at,
            "an expression decides which tool is installed",
        );
    }
}

/// `name`, `name@1.2.3`, `name --version 1.2.3`. A version without an operator has to be a full one and means exactly it.
fn package(word: &Word, version: Option<&Word>) -> Option<Reference> {
    let text = word.text.text.as_str();
    let end = text.find('@').unwrap_or(text.len());
    let name = &text[..end];
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return None;
    }
    let mut reference = Reference::new(Ecosystem::Cargo, name, Role::Tool, word.text.at);
    let (written, slot, lead) = match version {
        Some(version) => (version.text.text.as_str(), version.text.verbatim.then_some(version.text.at), ""),
        None => (&text[(end + 1).min(text.len())..], word.text.verbatim.then(|| word.text.place(end..text.len())), "@"),
    };
    reference.site.version = slot.map(|at| Slot { at, lead });
    if !written.is_empty() {
        reference.pin.version = Some(written.to_string());
        reference.strength = npm::strength(written);
    }
    Some(reference)
}

fn from_git(url: &Word, args: &Args) -> Reference {
    let mut reference = Reference::new(Ecosystem::Git, git::name_of(&url.text.text), Role::Tool, url.text.at);
    reference.origin = Origin::Vcs(pypi::without_credentials(&url.text.text));
    if let Some(rev) = args.value(&["--rev", "--tag", "--branch"]) {
        reference.site.version = rev.text.verbatim.then_some(Slot { at: rev.text.at, lead: "" });
        reference.pin.version = Some(rev.text.text.clone());
        let branch = args.has(&["--branch"]);
        let word = Strength::Floating(Precision::Word);
        reference.strength =
            if rev.expands { None } else { Some(if branch { word } else { git::ref_strength(&rev.text.text) }) };
    }
    reference
}

fn go(call: &Call, out: &mut Out) {
    let words = call.args().get(1..).unwrap_or(&[]);
    match call.arg(0) {
        "install" => modules(Args::read(words, &[GO]).rest(0), Bare::OfModule, out),
        "run" => modules(Args::read(words, &[Spec { leading: true, ..GO }]).rest(0).take(1), Bare::OfModule, out),
        // Outside of a module this was how tools were installed; inside it moves go.mod.
        "get" => {
            let args = Args::read(words, &[GO]);
            if args.has(&["-u", "-u=patch"]) {
                out.upgrade("go.mod");
            }
            modules(args.rest(0), Bare::Newest, out);
        }
        _ => {}
    }
}

/// What a path without a version means.
#[derive(Clone, Copy, PartialEq)]
enum Bare {
    /// What the module's own `go.mod` says.
    OfModule,
    /// `go get` takes the newest: <https://go.dev/ref/mod#go-get>.
    Newest,
}

/// `host/path@version`.
fn modules<'w>(words: impl Iterator<Item = &'w Word>, bare: Bare, out: &mut Out) {
    for word in words.filter(|word| !word.text.text.starts_with(['.', '/', '$'])) {
        let text = word.text.text.as_str();
        let Some(at) = text.rfind('@').filter(|&at| at > 0) else {
            let is_path = text.split_once('/').is_some_and(|(host, _)| host.contains('.')) && !word.expands;
            if is_path && bare == Bare::Newest {
                let mut reference =
                    Reference::new(Ecosystem::Go, text.trim_end_matches("/..."), Role::Tool, word.text.at);
                let plain = word.text.verbatim && !text.ends_with("/...");
                reference.site.version = plain.then(|| Slot { at: word.text.at.at_end(), lead: "@" });
                run(reference, out);
            }
            continue;
        };
        let version = &text[at + 1..];
        let mut reference = Reference::new(Ecosystem::Go, &text[..at], Role::Tool, word.text.at);
        reference.site.version = word.text.verbatim.then(|| Slot { at: word.text.place(at..text.len()), lead: "@" });
        reference.pin.version = Some(version.to_string());
        reference.strength = match version {
            _ if pypi::is_computed(version) => None,
            "latest" | "upgrade" | "patch" | "none" => Some(Strength::Floating(Precision::Word)),
            _ => Some(git::ref_strength(version)),
        };
        run(reference, out);
    }
}

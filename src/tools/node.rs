//! npm, npx, yarn, pnpm, bun: installs, tools, scripts. Reads no `package.json`.

use super::args::{Args, Spec};
use super::{Call, Inner, Out, install};
use crate::ecosystems::npm;
use crate::model::reference::Role;
use crate::model::script::{Deed, Enforcement, Install, InstallTool, Word};

const NODE: Spec = Spec {
    long: &[
        "--prefix",
        "--registry",
        "--workspace",
        "--cache",
        "--package",
        "--call",
        "--loglevel",
        "--userconfig",
        "--omit",
        "--include",
        "--tag",
        "--cwd",
        "--dir",
        "--filter",
        "--reporter",
        "--network-timeout",
        "--network-concurrency",
        "--cache-folder",
        "--modules-folder",
        "--store-dir",
        "--location",
        "--before",
        "--install-strategy",
        "--mutex",
        "--fetch-timeout",
        "--child-concurrency",
    ],
    short: "wpcCF",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `npm …`, `npx …`, `yarn …`, `pnpm …` and `bun …` do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    match call.program {
        "npx" | "pnpx" | "bunx" => return run_tool(call.args(), out),
        "corepack" => return None,
        _ => {}
    }
    let global = Args::read(call.args(), &[Spec { leading: true, ..NODE }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    let args = Args::read(words, &[NODE]);
    match (call.program, global.text(0)) {
        ("yarn", "global") if args.text(0) == "add" => tools(args.rest(1), out),
        (_, "install" | "i" | "add" | "in" | "isntall") if is_global(&global, &args) => tools(args.rest(0), out),
        (_, "exec" | "x") => return run_tool(words, out),
        (_, "dlx") => return run_tool(words, out),
        (_, "ci" | "clean-install") => packages(&args, Enforcement::Checked, out),
        (_, "install" | "i" | "add" | "isntall") => packages(&args, loose(call.program, &args), out),
        ("yarn", "") => packages(&global, loose("yarn", &global), out),
        (_, "update" | "up" | "upgrade") => out.upgrade("node packages"),
        (_, "run" | "run-script" | "rum" | "urn") => scripts(&args, out),
        (_, "test" | "t" | "tst" | "start") => out.entry("npm", vec![global.text(0).to_string()]),
        ("yarn" | "pnpm" | "bun", script) if is_script(script) => out.entry("npm", vec![script.to_string()]),
        _ => {}
    }
    None
}

fn is_global(global: &Args, args: &Args) -> bool {
    let names = ["-g", "--global"];
    global.has(&names) || args.has(&names) || args.value(&["--location"]).is_some_and(|word| word.text.text == "global")
}

/// Words that yarn and pnpm do not keep for themselves are scripts of package.json.
fn is_script(word: &str) -> bool {
    let own = [
        "config",
        "cache",
        "set",
        "version",
        "publish",
        "pack",
        "link",
        "unlink",
        "why",
        "info",
        "list",
        "ls",
        "init",
        "create",
        "plugin",
        "workspaces",
        "workspace",
        "remove",
        "rm",
        "audit",
        "bin",
        "import",
        "prune",
        "store",
        "node",
        "env",
        "dedupe",
        "outdated",
        "rebuild",
        "root",
        "setup",
        "fetch",
        "deploy",
        "licenses",
        "login",
        "logout",
        "owner",
        "tag",
        "team",
        "policies",
        "autoclean",
        "check",
        "help",
    ];
    !word.is_empty() && !word.starts_with('-') && !own.contains(&word)
}

fn loose(program: &str, args: &Args) -> Enforcement {
    let frozen = ["--frozen-lockfile", "--immutable"];
    match program {
        "yarn" | "pnpm" | "bun" if args.has(&frozen) => Enforcement::Checked,
        _ => Enforcement::Loose,
    }
}

fn packages(args: &Args, enforcement: Enforcement, out: &mut Out) {
    let mut found = install(InstallTool::Npm, enforcement);
    args.rest(0).filter(|word| !is_value(word)).for_each(|word| sort(word, Role::Install, &mut found, out));
    if found.projects.is_empty() && found.references.is_empty() && found.opaque.is_empty() {
        let folder = ["--prefix", "--cwd", "--dir", "-C"];
        found.projects.push(args.value(&folder).cloned().unwrap_or_else(|| out.here()));
    }
    out.deed(Deed::Install(found));
}

fn sort(word: &Word, role: Role, found: &mut Install, out: &mut Out) {
    let text = word.text.text.as_str();
    if text.starts_with(['.', '/', '~']) || text.ends_with(".tgz") {
        found.projects.push(word.clone());
        return;
    }
    match npm::package(&word.text, role, "") {
        Some(reference) => found.references.push(out.push(reference)),
        None if word.expands => found.opaque.push(word.clone()),
        None => found.projects.push(word.clone()),
    }
}

fn scripts(args: &Args, out: &mut Out) {
    if let Some(name) = args.word(0) {
        out.entry("npm", vec![name.text.text.clone()]);
    }
}

fn tools<'w>(words: impl Iterator<Item = &'w Word>, out: &mut Out) {
    words.filter(|word| !is_value(word)).for_each(|word| tool(word, out));
}

/// The value that npm lets any switch have: `--unsafe-perm true`. <https://github.com/npm/nopt#readme>
fn is_value(word: &Word) -> bool {
    matches!(word.text.text.as_str(), "true" | "false")
}

/// A package that is run as a tool. A name that is also a script of the tree cannot be told from here.
fn tool(word: &Word, out: &mut Out) {
    if let Some(reference) = npm::package(&word.text, Role::Tool, "") {
        let id = out.push(reference);
        out.deed(Deed::RunTool(id));
    } else if word.expands {
        let mut found = install(InstallTool::Npm, Enforcement::NoLock);
        found.opaque.push(word.clone());
        out.deed(Deed::Install(found));
    }
}

/// `npx [-p package] command`: with `--no-install` it runs what is there already.
fn run_tool<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[Spec { leading: true, ..NODE }]);
    if !args.has(&["--no-install", "--no", "--offline"]) {
        let named: Vec<&Word> = args.values(&["-p", "--package"]).collect();
        match named.is_empty() {
            true => args.word(0).into_iter().for_each(|word| tool(word, out)),
            false => tools(named.into_iter(), out),
        }
    }
    Inner::command(args.tail(0, words))
}

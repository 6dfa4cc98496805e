//! poetry. Reads neither `pyproject.toml` nor `poetry.lock`.
//!
//! `poetry install` refuses a lock that does not fit the manifest, since 1.0 (with a warning only) and since 1.5 as an error; without a lock
//! it makes one. `poetry lock` keeps versions since 2.0 and moved them before (`--no-update` kept them).

use super::args::{Args, Spec};
use super::packages::comma_list;
use super::{Call, Inner, Out, install, uv};
use crate::model::script::{Deed, Enforcement, Install, InstallTool};

const POETRY: Spec = Spec {
    long: &[
        "--without",
        "--with",
        "--only",
        "--extras",
        "--project",
        "--directory",
        "--group",
        "--optional",
        "--python",
        "--platform",
        "--markers",
        "--source",
        "--format",
        "--output",
    ],
    short: "EPCGo",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `poetry …` does.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let global = Args::read(call.args(), &[Spec { leading: true, ..POETRY }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    let args = Args::read(words, &[POETRY]);
    match global.text(0) {
        "install" | "sync" => {
            let found = project_install(&global, &args, Enforcement::Checked, out);
            // `--only-root` installs the project and none of its requirements.
            if !args.has(&["--only-root", "--dry-run"]) {
                out.deed(Deed::Install(found));
            }
        }
        "update" => {
            out.upgrade("poetry.lock");
            out.relock(InstallTool::Poetry);
        }
        "add" | "remove" => {
            let found = project_install(&global, &args, Enforcement::Loose, out);
            out.deed(Deed::Install(found));
        }
        "lock" if args.has(&["--check"]) => out.deed(Deed::VerifyLock { tool: InstallTool::Poetry }),
        "lock" => {
            if args.has(&["--regenerate"]) {
                out.upgrade("poetry.lock");
            }
            out.relock(InstallTool::Poetry);
        }
        "check" if args.has(&["--lock", "--strict"]) => out.deed(Deed::VerifyLock { tool: InstallTool::Poetry }),
        "self" if matches!(global.text(1), "add" | "install") => plugins(&global, out),
        "run" => return Inner::command(words),
        _ => {}
    }
    None
}

fn project_install(global: &Args, args: &Args, enforcement: Enforcement, out: &Out) -> Install {
    let mut found = install(InstallTool::Poetry, enforcement);
    let folder = ["-C", "--directory", "-P", "--project"];
    found.projects = vec![args.value(&folder).or_else(|| global.value(&folder)).cloned().unwrap_or_else(|| out.here())];
    found.groups = comma_list(args.values(&["--with", "--only", "-E", "--extras"]));
    let flags = ["--all-extras", "--all-groups"];
    found.groups.extend(flags.iter().filter(|flag| args.has(&[flag])).map(|flag| flag.to_string()));
    found
}

/// `poetry self add plugin@^1` puts packages beside poetry itself.
fn plugins(global: &Args, out: &mut Out) {
    for word in global.rest(2).filter(|word| !word.text.text.starts_with('-')) {
        uv::tool(word, out);
    }
}

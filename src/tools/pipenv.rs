//! pipenv. Reads neither `Pipfile` nor `Pipfile.lock`.
//!
//! `pipenv install` makes the lock anew when it does not fit; `--deploy` fails instead; `sync` and `--ignore-pipfile` take it as it is.

use super::args::{Args, Spec};
use super::packages::{self, comma_list, files};
use super::{Call, Inner, Out, install};
use crate::model::reference::Role;
use crate::model::script::{Deed, Enforcement, InstallTool};

const PIPENV: Spec = Spec {
    long: &[
        "--pypi-mirror",
        "--python",
        "--extra-pip-args",
        "--resolver",
        "--categories",
        "--extras",
        "--config-settings",
        "--index",
        "--requirements",
        "--editable",
        "--backend",
    ],
    short: "ire",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `pipenv …` does.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let global = Args::read(call.args(), &[Spec { leading: true, ..PIPENV }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    let args = Args::read(words, &[PIPENV]);
    match global.text(0) {
        "install" => project_install(&args, enforcement(&args, out), out),
        "sync" => project_install(&args, Enforcement::Frozen, out),
        "update" if args.has(&["--outdated", "--dry-run"]) => {}
        "update" | "lock" | "upgrade" => {
            out.upgrade("Pipfile.lock");
            out.relock(InstallTool::Pipenv);
        }
        "verify" => out.deed(Deed::VerifyLock { tool: InstallTool::Pipenv }),
        "run" => {
            if let Some(name) = words.first().filter(|word| super::entries::is_task(word)) {
                out.entry("pipenv", vec![name.text.text.clone()]);
            }
            return Inner::command(words);
        }
        _ => {}
    }
    None
}

/// Every flag has a variable of its name: `PIPENV_DEPLOY=1`.
fn enforcement(args: &Args, out: &Out) -> Enforcement {
    let given = |flag: &str, variable: &str| args.has(&[flag]) || out.is_on(variable);
    if given("--deploy", "PIPENV_DEPLOY") {
        Enforcement::Checked
    } else if given("--ignore-pipfile", "PIPENV_IGNORE_PIPFILE") {
        Enforcement::Frozen
    } else if given("--skip-lock", "PIPENV_SKIP_LOCK") {
        Enforcement::NoLock
    } else {
        Enforcement::Loose
    }
}

fn project_install(args: &Args, enforcement: Enforcement, out: &mut Out) {
    let mut found = install(InstallTool::Pipenv, enforcement);
    for word in args.rest(0) {
        packages::sort(word, Role::Install, &mut found, out);
    }
    for word in args.values(&["-e", "--editable"]) {
        packages::sort_editable(word, Role::Install, &mut found, out);
    }
    found.projects.push(out.here());
    found.files = files(args.values(&["-r", "--requirements"]), false);
    found.groups = comma_list(args.values(&["--categories", "--extras"]));
    if args.has(&["-d", "--dev"]) {
        found.groups.push("--dev".to_string());
    }
    out.deed(Deed::Install(found));
}

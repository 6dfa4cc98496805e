//! pdm. Reads neither `pyproject.toml` nor `pdm.lock`.
//!
//! `pdm install` makes the lock anew when it does not fit; `--check` fails instead; `pdm sync` and `--frozen-lockfile` take it as it is.

use super::args::{Args, Spec};
use super::packages::comma_list;
use super::{Call, Inner, Out, install};
use crate::model::script::{Deed, Enforcement, InstallTool};

const PDM: Spec = Spec {
    long: &[
        "--project",
        "--override",
        "--lockfile",
        "--skip",
        "--venv",
        "--group",
        "--with",
        "--without",
        "--config-setting",
        "--exclude-newer",
        "--strategy",
        "--python",
        "--platform",
        "--implementation",
        "--editable",
        "--env",
        "--env-file",
        "--working-dir",
        "--config",
    ],
    short: "pLkGCSec",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `pdm …` does.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let global = Args::read(call.args(), &[Spec { leading: true, ..PDM }]);
    let tail = global.tail(0, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    let args = Args::read(words, &[PDM]);
    match global.text(0) {
        "install" | "sync" | "add" | "remove" => project_install(global.text(0), &global, &args, out),
        "update" | "up" => {
            out.upgrade("pdm.lock");
            out.relock(InstallTool::Pdm);
        }
        "lock" if args.has(&["--check"]) => out.deed(Deed::VerifyLock { tool: InstallTool::Pdm }),
        // These take hashes and markers anew and keep versions.
        "lock" if args.has(&["--refresh", "--update-reuse", "--update-reuse-installed"]) => {
            out.relock(InstallTool::Pdm)
        }
        "lock" => {
            out.upgrade("pdm.lock");
            out.relock(InstallTool::Pdm);
        }
        "run" => return run(words, out),
        // `pdm lint` runs the script `lint` of pyproject.toml.
        "" | "build" | "publish" | "use" | "venv" | "config" | "info" | "list" | "export" | "init" | "self"
        | "python" | "show" => {}
        script => out.entry("pdm", vec![script.to_string()]),
    }
    None
}

fn project_install(command: &str, global: &Args, args: &Args, out: &mut Out) {
    if args.has(&["--dry-run", "--help", "-h"]) {
        return;
    }
    let enforcement = match command {
        "sync" => Enforcement::Frozen,
        "install" if args.has(&["--check"]) => Enforcement::Checked,
        _ if args.has(&["--frozen-lockfile", "--no-lock"]) || out.is_on("PDM_FROZEN_LOCKFILE") => Enforcement::Frozen,
        _ => Enforcement::Loose,
    };
    let mut found = install(InstallTool::Pdm, enforcement);
    let folder = ["-p", "--project"];
    found.projects = vec![args.value(&folder).or_else(|| global.value(&folder)).cloned().unwrap_or_else(|| out.here())];
    found.groups = comma_list(args.values(&["-G", "--group", "--with"]));
    if args.has(&["-d", "--dev"]) {
        found.groups.push("--dev".to_string());
    }
    let flags = ["--prod", "--production", "--no-default"];
    found.groups.extend(flags.iter().filter(|flag| args.has(&[flag])).map(|flag| flag.to_string()));
    out.deed(Deed::Install(found));
}

/// `pdm run x`: x is a script of the project or any command.
fn run<'c>(words: &'c [crate::model::script::Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[Spec { leading: true, ..PDM }]);
    if let Some(name) = args.word(0).filter(|word| super::entries::is_task(word)) {
        out.entry("pdm", vec![name.text.text.clone()]);
    }
    Inner::command(args.tail(0, words))
}

//! Packages of the operating system: apt, apk, dnf, yum, zypper, pacman, brew, choco. Asks no mirror.

use super::args::{Args, Spec};
use super::{Call, Inner, Out, install};
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Slot};
use crate::model::script::{Enforcement, InstallTool, Word};

/// Programs that this file knows.
pub const MANAGERS: [&str; 16] = [
    "snap",
    "apt-get",
    "apt",
    "aptitude",
    "apk",
    "dnf",
    "dnf5",
    "yum",
    "microdnf",
    "zypper",
    "pacman",
    "brew",
    "choco",
    "apt-fast",
    "tdnf",
    "eatmydata-apt",
];

const SYSTEM: Spec = Spec {
    long: &[
        "--option",
        "--target-release",
        "--default-release",
        "--config-file",
        "--virtual",
        "--repository",
        "--root",
        "--keys-dir",
        "--repositories-file",
        "--cache-dir",
        "--arch",
        "--wait",
        "--enablerepo",
        "--disablerepo",
        "--setopt",
        "--exclude",
        "--installroot",
        "--releasever",
        "--repo",
        "--host-architecture",
        "--build-profiles",
        "--version",
        "--source",
        "--repoid",
        "--config",
        "--appdir",
        "--cachedir",
        "--dbpath",
        "--from",
    ],
    short: "otcXp",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `apt-get …` and its kind do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(call.args(), &[SYSTEM]);
    if args.has(&["--download-only", "--simulate", "--dry-run", "--help"]) {
        return None;
    }
    match (call.program, args.text(0)) {
        ("pacman", _) => pacman(&args, out),
        (_, "install" | "add" | "in" | "reinstall" | "groupinstall" | "localinstall") => {
            packages(&args, 1, call.program, out)
        }
        ("apt-get" | "apt" | "aptitude" | "apt-fast", "upgrade" | "dist-upgrade" | "full-upgrade" | "safe-upgrade") => {
            all(&args, out)
        }
        ("dnf" | "dnf5" | "yum" | "microdnf" | "tdnf", "upgrade" | "update" | "distro-sync") | ("apk", "upgrade") => {
            all(&args, out)
        }
        ("zypper", "update" | "up" | "dup" | "dist-upgrade") | ("brew" | "choco", "upgrade") => all(&args, out),
        _ => {}
    }
    None
}

fn all(args: &Args, out: &mut Out) {
    let names: Vec<&str> = args.rest(1).map(|word| word.text.text.as_str()).collect();
    out.upgrade(if names.is_empty() { "system packages".to_string() } else { names.join(", ") });
}

fn pacman(args: &Args, out: &mut Out) {
    let sync = args.options.iter().any(|option| option.name == "-S" || option.name == "--sync");
    if sync && args.has(&["-u", "--sysupgrade"]) {
        out.upgrade("system packages");
    }
    if sync {
        packages(args, 0, "pacman", out);
    }
}

fn packages(args: &Args, from: usize, program: &str, out: &mut Out) {
    let mut found = install(InstallTool::System, Enforcement::NoLock);
    for word in args.rest(from) {
        let text = word.text.text.as_str();
        if text.contains('/') && (text.starts_with(['.', '/', '~', '$']) || text.contains("://"))
            || text.ends_with(".deb")
            || text.ends_with(".rpm")
            || text.ends_with(".snap")
        {
            found.projects.push(word.clone());
            continue;
        }
        match package(word, program) {
            Some(reference) => found.references.push(out.push(reference)),
            None => found.opaque.push(word.clone()),
        }
    }
    out.install(found);
}

/// `name`, `name=1.2-3` (apt, apk), `name~1.2` (apk), `name/bookworm-backports` (apt), `name@3` is part of the name for brew.
fn package(word: &Word, program: &str) -> Option<Reference> {
    let text = word.text.text.as_str();
    let marks: &[char] = match program {
        "apk" => &['=', '~', '<', '>', '@'],
        "brew" => &[],
        _ => &['=', '/'],
    };
    let end = text.find(marks).unwrap_or(text.len());
    let name = text[..end].split(':').next().unwrap_or("");
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-_.+@/*^".contains(&b);
    if name.is_empty() || !name.bytes().all(fine) {
        return None;
    }
    let mut reference = Reference::new(Ecosystem::Apt, name.to_ascii_lowercase(), Role::System, word.text.at);
    let lead = if text[end..].starts_with("~=") { "~=" } else { "=" };
    reference.site.version = word.text.verbatim.then(|| Slot { at: word.text.place(end..text.len()), lead });
    let mark = &text[end..];
    let version = mark.trim_start_matches(['=', '~', '<', '>', '/', '@']);
    if !version.is_empty() {
        reference.pin.version = Some(version.to_string());
        reference.strength = strength(mark, version, word.expands);
        if !mark.starts_with(lead) {
            reference.site.version = None;
        }
    }
    Some(reference)
}

fn strength(mark: &str, version: &str, expands: bool) -> Option<Strength> {
    let computed = expands && version.contains('$');
    match mark.as_bytes().first() {
        _ if computed => None,
        // A suite, a pinned repository tag, a bound.
        Some(b'/' | b'@' | b'<' | b'>') => Some(Strength::Floating(Precision::Word)),
        Some(b'~') => Some(Strength::Floating(Precision::Minor)),
        _ if version.contains('*') => {
            Some(Strength::Floating(if version.contains('.') { Precision::Minor } else { Precision::Major }))
        }
        _ if mark.starts_with("=~") => Some(Strength::Floating(Precision::Minor)),
        _ => Some(Strength::Exact),
    }
}

//! Interpreters, machines and tools that are named by a version only. Does not know which versions exist.

use super::{dotted, variable};
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Site, Slot};
use crate::model::text::Text;

const WORD: Strength = Strength::Floating(Precision::Word);

/// Reads the version of a Python interpreter as `setup-python`, `.python-version`, tox and pre-commit write it.
pub fn python(text: &Text, role: Role, key: &str) -> Reference {
    reference("python", text, role, key, python_strength(text.text.trim()))
}

/// How firmly a Python version is named; `None` when an expression decides. `pypy3.10`, `python3.12`, `py312`, `3.14t` are understood.
pub fn python_strength(version: &str) -> Option<Strength> {
    if variable::is_variable(version) {
        return None;
    }
    let lower = version.to_ascii_lowercase();
    let implementations = ["graalpy", "pypy", "python", "cpython", "cp", "py", "miniconda3", "miniforge3", "anaconda3"];
    let bare = implementations.iter().find_map(|name| lower.strip_prefix(name)).unwrap_or(&lower);
    let bare = bare.trim_start_matches(['-', '@', ' ']);
    // `py312` of tox: one digit for the major version, the rest for the minor one.
    if bare.len() < lower.len() && (2..=3).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Strength::Floating(Precision::Minor));
    }
    Some(strength(bare))
}

/// Reads the label of the machine that a job runs on. Only labels of hosted machines have a strength.
pub fn runner(text: &Text, key: &str) -> Reference {
    reference("runner", text, Role::Runner, key, runner_strength(text.text.trim()))
}

/// `ubuntu-latest` and `ubuntu-slim` move, `ubuntu-24.04` is rebuilt weekly; of other labels nothing is known.
/// <https://github.com/actions/runner-images>
fn runner_strength(label: &str) -> Option<Strength> {
    let lower = label.to_ascii_lowercase();
    let (system, rest) = lower.split_once('-')?;
    if variable::is_variable(label) || !["ubuntu", "windows", "macos", "macos_big"].contains(&system) {
        return None;
    }
    match dotted::read(rest) {
        _ if rest == "latest" || rest.starts_with("latest-") || rest == "slim" => Some(WORD),
        Some(_) => Some(Strength::Floating(Precision::Minor)),
        None => None,
    }
}

/// Reads the image of a virtual machine by `name:version`, as CircleCI names them. A name alone, `current`, `default` and `edge` move.
/// <https://circleci.com/docs/configuration-reference/#available-linux-machine-images-cloud>
pub fn machine(text: &Text, key: &str) -> Reference {
    let label = text.text.trim();
    let strength = match label.rsplit_once(':') {
        _ if variable::is_variable(label) => None,
        Some((_, version)) if dotted::read(version).is_some_and(|number| number.parts > 1) || is_dated(version) => {
            Some(Strength::Exact)
        }
        // An image of one's own, by a name that says nothing.
        None if !matches!(label, "default" | "current" | "edge" | "true") => None,
        _ => Some(WORD),
    };
    reference("runner", text, Role::Runner, key, strength)
}

/// A month and a count, as images before 2022 have: `202010-01`.
fn is_dated(version: &str) -> bool {
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    version.split_once('-').is_some_and(|(month, count)| digits(month, 6) && digits(count, 2))
}

/// Reads the version of another tool or language.
pub fn tool(name: &str, text: &Text, role: Role, key: &str) -> Reference {
    let version = text.text.trim();
    let strength = if variable::is_variable(version) { None } else { Some(strength(version)) };
    reference(name, text, role, key, strength)
}

/// How firmly a version text of a tool holds: ranges and words float, three numbers are exact.
pub fn strength(version: &str) -> Strength {
    let version = version.trim();
    if version.is_empty() {
        return Strength::Unspecified;
    }
    if let Some(rest) = version.strip_prefix("==") {
        return strength_of_number(rest.trim());
    }
    if let Some(rest) = version.strip_prefix(['~', '^', '=']) {
        return strength_of_range(version, rest);
    }
    if version.contains(['<', '>', '!', ',', '*', '|', ' ']) && dotted::read(version).is_none_or(|number| !number.wild)
    {
        return WORD;
    }
    strength_of_number(version)
}

/// `~3.12.0-0` floats in its minor line, `^1.2` in its major one, `=1.2.3` not at all.
fn strength_of_range(version: &str, rest: &str) -> Strength {
    let rest = rest.trim_start_matches('=').trim();
    let parts = dotted::read(rest).map_or(0, |number| number.parts);
    match (version.as_bytes()[0], parts) {
        (b'=', _) => strength_of_number(rest),
        (b'~', 3..) | (b'~', 2) if !version.starts_with("~=") => Strength::Floating(Precision::Minor),
        (b'~', 3..) => Strength::Floating(Precision::Minor),
        (_, 1..) => Strength::Floating(Precision::Major),
        _ => WORD,
    }
}

fn strength_of_number(version: &str) -> Strength {
    if let Some(number) = dotted::read(version) {
        let exact = dotted::is_prerelease(number.rest) && !number.wild && number.parts > 1;
        return if exact { Strength::Exact } else { number.strength() };
    }
    if dotted::has_serial(version) || dotted::is_commit_like(version) || super::git::is_commit(version) {
        return Strength::Exact;
    }
    // `nightly-2024-01-01` was exact above; `node-22`, `go1.22`, `temurin-21` have a number behind a word.
    let letters = version.find(|c: char| c.is_ascii_digit()).filter(|at| !version[..*at].contains('/'));
    letters.and_then(|at| dotted::read(&version[at..])).map_or(WORD, |number| number.strength())
}

fn reference(name: &str, text: &Text, role: Role, key: &str, strength: Option<Strength>) -> Reference {
    let mut reference = Reference::new(Ecosystem::Toolchain, name, role, text.at);
    reference.key = key.to_string();
    reference.strength = strength;
    let version = text.text.trim();
    reference.pin = Pin { version: (!version.is_empty()).then(|| version.to_string()), digests: Vec::new() };
    if text.verbatim {
        let version = Some(Slot { at: text.at, lead: "" });
        reference.site = Site { whole: text.at, version, digest: None, note: None };
    }
    reference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, SourceId, Span};

    const MAJOR: Strength = Strength::Floating(Precision::Major);
    const MINOR: Strength = Strength::Floating(Precision::Minor);

    #[test]
    fn python_versions_are_ranked() {
        let rows = [
            ("3.12.4", Some(Strength::Exact)),
            ("3.12", Some(MINOR)),
            ("3.12.x", Some(MINOR)),
            ("3", Some(MAJOR)),
            ("3.x", Some(MAJOR)),
            ("python3", Some(MAJOR)),
            ("python3.12", Some(MINOR)),
            ("py312", Some(MINOR)),
            ("py3", Some(MAJOR)),
            (">=3.9", Some(WORD)),
            ("3.9 - 3.12", Some(WORD)),
            ("~3.12.0-0", Some(MINOR)),
            ("^3.9", Some(MAJOR)),
            ("pypy3.10", Some(MINOR)),
            ("pypy-3.10", Some(MINOR)),
            ("3.13-dev", Some(MINOR)),
            ("3.14t", Some(MINOR)),
            ("3.14.0rc1", Some(Strength::Exact)),
            ("3.14.0-rc.1", Some(Strength::Exact)),
            ("cpython-3.12.4", Some(Strength::Exact)),
            ("", Some(Strength::Unspecified)),
            ("${{ matrix.python }}", None),
            ("$(python.version)", None),
        ];
        for (version, want) in rows {
            assert_eq!(python_strength(version), want, "{version}");
        }
    }

    #[test]
    fn only_hosted_machines_have_a_strength() {
        let rows = [
            ("ubuntu-latest", Some(WORD)),
            ("macos-latest-xlarge", Some(WORD)),
            ("ubuntu-24.04", Some(MINOR)),
            ("ubuntu-24.04-arm", Some(MINOR)),
            ("windows-2022", Some(MINOR)),
            ("self-hosted", None),
            ("blacksmith-4vcpu-ubuntu-2404", None),
            ("${{ matrix.os }}", None),
        ];
        for (label, want) in rows {
            assert_eq!(runner_strength(label), want, "{label}");
        }
    }

    #[test]
    fn machine_images_with_a_date_hold() {
        let at = Location::new(SourceId(0), Span::empty(0));
        let rows = [
            ("ubuntu-2204:2024.11.1", Some(Strength::Exact)),
            ("ubuntu-2004-cuda-11.2:202103-01", Some(Strength::Exact)),
            ("ubuntu-2204:current", Some(WORD)),
            ("windows-server-2022-gui:edge", Some(WORD)),
            ("default", Some(WORD)),
            ("ubuntu-2204:<< parameters.v >>", None),
        ];
        for (label, want) in rows {
            let text = Text { text: label.into(), at, verbatim: false };
            assert_eq!(machine(&text, "k").strength, want, "{label}");
        }
    }

    #[test]
    fn tool_versions_are_ranked() {
        let rows = [
            ("latest", WORD),
            ("nightly", WORD),
            ("nightly-2024-01-02", Strength::Exact),
            ("lts/*", WORD),
            ("20", MAJOR),
            ("20.x", MAJOR),
            ("v1.2.3", Strength::Exact),
            ("1.22", MINOR),
            ("~1.2.3", MINOR),
            (">=1.0.0", WORD),
            ("==0.5.1", Strength::Exact),
            ("go1.22.3", Strength::Exact),
        ];
        for (version, want) in rows {
            assert_eq!(strength(version), want, "{version}");
        }
    }

    #[test]
    fn the_whole_text_is_the_version_slot() {
        let at = Location::new(SourceId(0), Span::new(3, 7));
        let got = python(&Text { text: "3.12".into(), at, verbatim: true }, Role::Python, "k");
        assert_eq!(got.site.version, Some(Slot { at, lead: "" }));
        assert_eq!(got.pin.version.as_deref(), Some("3.12"));
    }
}

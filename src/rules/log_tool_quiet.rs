//! # What it finds
//!
//! A test runner, linter or type checker of the gate that is asked to say less: `pytest -q`, `--tb=no`, `--no-header`,
//! `--disable-warnings`, `tox -q`, `ruff --quiet`, `mypy --no-error-summary`, `docker build -q`, `make -s`, and `addopts = "-q"` when
//! CI does not override it.
//!
//! # Why
//!
//! The log is all that the author of a red patch gets. What was not printed cannot be read later; what was printed can be filtered.
//!
//! # What is not a finding
//!
//! - pytest that is verbose in sum (`-q -vv`, `addopts = "-q"` and `-vv` in CI), and `--collect-only -q`.
//! - Output that is a value (`$(docker build -q .)`).
//! - `-q` of tools where it hides no finding: `codespell -q 3`, `eslint --quiet`, `bandit -q`, `sphinx-build -q`.
//! - Tasks that CI does not run.
//! - Installers (`pip -q`, `apt-get -qq`): `info` in `strict` and `audit` only.
//!
//! # What to do
//!
//! Remove the flag in the command that CI runs. For short output at one's desk keep it in a local alias.
//!
//! # Levels
//!
//! `warning` in `default`, `error` in `strict` and `audit`; `--tb=short` is `info`.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: python -m pytest -q tests
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: python -m pytest tests
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: tox -q -e py312
//!       - run: pytest -v --tb=line
//! ```
//!
//! ```toml pyproject.toml with
//! [tool.pytest.ini_options]
//! addopts = "-q --strict-markers"
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest tests
//! ```
//!
//! ```toml pyproject.toml with
//! [tool.pytest.ini_options]
//! addopts = ["-q", "--strict-markers"]
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest -vv tests
//! ```
//!
//! ```yaml .github/workflows/ci.yml good default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pip install -q pytest
//!       - run: pytest -q -vv tests -k "not -q"
//!       - run: pytest --collect-only -q
//!       - run: codespell -q 3
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 71 findings in 16 of them. All but 1 of them are installers (`info` in `strict`).
//! In 61 further ones: 41. Read by eye: 29, false: 0. Ledger: `docs/evidence/log-tool-quiet.tsv`.

use crate::model::check::Check;
use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::manifest::Manifest;
use crate::model::project::{Project, Site};
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Deed, Nest, Word};
use crate::model::span::{Location, Span};
use crate::model::text::Text;

/// The rule.
pub static RULE: Rule = Rule {
    id: "log-tool-quiet",
    group: Group::Log,
    summary: "a check is asked to say less than it knows",
    levels: &[
        ("runner", levels(Warning, Error, Error)),
        ("traceback", levels(Info, Info, Info)),
        ("installer", levels(Off, Info, Info)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let sites = project.gate_commands();
    let extra = configured(project);
    for site in &sites {
        if site.command.nesting.contains(&Nest::Substitution) {
            continue;
        }
        if let Some(check) = site.check() {
            let quiet = quiet(&check, extra);
            if !quiet.is_empty() {
                findings.push(finding(project, site, check.tool, &quiet));
            }
        } else {
            others(project, site, findings);
        }
    }
    settings(project, &sites, findings);
}

/// A flag that makes a tool say less.
struct Flag<'c> {
    word: &'c Word,
    /// Its value, when that is the next word.
    value: Option<&'c str>,
    /// The site kind of the rule.
    kind: &'static str,
}

fn quiet<'c>(check: &Check<'c>, configured: i32) -> Vec<Flag<'c>> {
    let own = check.arguments.iter().take_while(|word| word.text.text != "--" || check.program() == "pytest");
    let named = |names: &[&str], kind: &'static str| -> Vec<Flag<'c>> {
        own.clone().filter(|word| names.contains(&word.text.text.as_str())).map(|word| Flag { word, value: None, kind }).collect()
    };
    match check.program() {
        "pytest" | "py.test" => pytest(check.arguments, configured),
        "tox" => {
            let sum = own.clone().map(|word| verbosity(&word.text.text, TOX_VALUES)).sum::<i32>();
            let words = own.clone().filter(|word| sum < 0 && verbosity(&word.text.text, TOX_VALUES) < 0);
            words.map(|word| Flag { word, value: None, kind: "runner" }).collect()
        }
        "nox" => named(&["--no-verbose"], "runner"),
        "unittest" => named(&["-q", "--quiet"], "runner"),
        "ruff" => named(&["-q", "--quiet", "-s", "--silent"], "runner"),
        "flake8" | "black" | "isort" | "ty" => named(&["-q", "-qq", "--quiet"], "runner"),
        "mypy" => named(&["--no-error-summary", "--hide-error-context"], "runner"),
        "make" | "gmake" => named(&["-s", "--silent", "--quiet"], "runner"),
        _ => Vec::new(),
    }
}

/// Short options of pytest that take a value: the rest of the word, or the next word.
const PYTEST_VALUES: &str = "kmnpcorW";
/// The same for tox.
const TOX_VALUES: &str = "ecfmpx";

/// What a word adds to the verbosity: `-vv` two, `-q` minus one.
fn verbosity(text: &str, values: &str) -> i32 {
    match text {
        "--quiet" => return -1,
        "--verbose" => return 1,
        _ => {}
    }
    let Some(letters) = text.strip_prefix('-').filter(|letters| letters.chars().all(|c| c.is_ascii_alphabetic())) else { return 0 };
    let letters = letters.chars().take_while(|letter| !values.contains(*letter));
    letters.map(|letter| i32::from(letter == 'v') - i32::from(letter == 'q')).sum()
}

/// The words that are options, each with the word after it: values of options left out.
fn options(arguments: &[Word]) -> Vec<(&Word, &str)> {
    let mut options = Vec::new();
    let mut is_value = false;
    for (index, word) in arguments.iter().enumerate() {
        let text = word.text.text.as_str();
        if !is_value && text.starts_with('-') {
            options.push((word, arguments.get(index + 1).map_or("", |next| next.text.text.as_str())));
        }
        let short = text.starts_with('-') && !text.starts_with("--");
        is_value = !is_value && short && text.len() == 2 && PYTEST_VALUES.contains(&text[1..]);
    }
    options
}

fn pytest(arguments: &[Word], configured: i32) -> Vec<Flag<'_>> {
    let options = options(arguments);
    let sum = configured.max(0) + options.iter().map(|(word, _)| verbosity(&word.text.text, PYTEST_VALUES)).sum::<i32>();
    let mut flags = Vec::new();
    for (word, value) in options {
        let text = word.text.text.as_str();
        let hides = matches!(
            text,
            "--no-header"
                | "--no-summary"
                | "--tb=no"
                | "--tb=line"
                | "-pno:terminal"
                | "--disable-warnings"
                | "--disable-pytest-warnings"
                | "--show-capture=no"
        );
        let with_value = matches!((text, value), ("--tb", "no" | "line") | ("-p", "no:terminal") | ("--show-capture", "no"));
        if hides || with_value || sum < 0 && verbosity(text, PYTEST_VALUES) < 0 {
            flags.push(Flag { word, value: with_value.then_some(value), kind: "runner" });
        } else if text == "--tb=short" || text == "--tb" && value == "short" {
            flags.push(Flag { word, value: None, kind: "traceback" });
        }
    }
    flags
}

fn finding(project: &Project, site: &Site, tool: &str, flags: &[Flag]) -> Finding {
    let main = flags.iter().find(|flag| flag.kind == "runner").unwrap_or(&flags[0]);
    let of_kind = flags.iter().filter(|flag| flag.kind == main.kind);
    let spelled = |flag: &Flag| match flag.value {
        Some(value) => format!("{} {value}", flag.word.text.text),
        None => flag.word.text.text.clone(),
    };
    let names: Vec<String> = of_kind.clone().map(spelled).collect();
    let names = names.join(" ");
    let shown = if main.kind == "installer" { tool.to_string() } else { format!("`{tool}`") };
    let message = format!("{shown} is asked to say less (`{names}`): who has to mend a red patch has nothing but this log");
    let key = site.step.map_or(String::new(), |step| step.key.clone());
    let finding = Findings::finding(&RULE, main.kind, main.word.text.at, message)
        .help(format!("remove `{names}` in the command that CI runs"))
        .about(key, tool);
    let edits: Option<Vec<Edit>> = of_kind.map(|flag| without(project, flag.word)).collect();
    match edits {
        Some(edits) => finding.remedy(Remedy::Replace { edits, safety: Safety::Safe }),
        None => finding,
    }
}

/// Takes out a word that is one flag, with the blanks before it.
fn without(project: &Project, word: &Word) -> Option<Edit> {
    let text = word.text.text.as_str();
    let alone = matches!(text, "-q" | "-qq" | "-s") || text.starts_with("--") && !matches!(text, "--tb" | "--show-capture");
    if !word.text.verbatim || word.quoted || !alone {
        return None;
    }
    let at = word.text.at;
    let before = project.source(at.source).text.get(..at.span.start as usize)?;
    let kept = before.trim_end_matches([' ', '\t']);
    let inside = kept.len() < before.len() && !kept.ends_with('\n');
    inside.then(|| Edit::replace(Location::new(at.source, Span { start: kept.len() as u32, end: at.span.end }), ""))
}

/// Image builds and installers.
fn others(project: &Project, site: &Site, findings: &mut Findings) {
    let is_quiet = |word: &&Word| matches!(word.text.text.as_str(), "-q" | "-qq" | "--quiet" | "-yqq" | "-qqy" | "-qy" | "-yq");
    let Some(word) = site.command.words.iter().find(is_quiet) else { return };
    let kind = site.command.deeds.iter().find_map(|deed| match deed {
        Deed::BuildImage(_) => Some(("runner", "docker build")),
        Deed::Install(_) => Some(("installer", "an installer")),
        _ => None,
    });
    if let Some((kind, tool)) = kind {
        findings.push(finding(project, site, tool, &[Flag { word, value: None, kind }]));
    }
}

/// Verbosity that the configuration gives to pytest; the greatest, where there are several files.
fn configured(project: &Project) -> i32 {
    project.manifests().map(|manifest| addopts(manifest).0).max().unwrap_or(0)
}

/// What `addopts` of one file add to the verbosity, with the text that has `-q`. A list has a text for each member.
fn addopts(manifest: &Manifest) -> (i32, Option<&Text>) {
    let texts = manifest.settings.iter().filter(|(name, _)| name == "pytest.addopts").map(|(_, text)| text);
    let sum = |text: &Text| -> i32 { text.text.split_whitespace().map(|word| verbosity(word, PYTEST_VALUES)).sum() };
    (texts.clone().map(sum).sum(), texts.clone().find(|text| sum(text) < 0))
}

/// `addopts = "-q"` that a command of CI does not outweigh.
fn settings(project: &Project, sites: &[Site], findings: &mut Findings) {
    for manifest in project.manifests().filter(|manifest| !project.asleep(manifest.at.source)) {
        let (given, Some(text)) = addopts(manifest) else { continue };
        let folder = project.source(manifest.at.source).folder();
        let run = sites.iter().find(|site| {
            let check = site.check().filter(|check| matches!(check.program(), "pytest" | "py.test"));
            let own = |check: Check| -> i32 {
                options(check.arguments).iter().map(|(word, _)| verbosity(&word.text.text, PYTEST_VALUES)).sum()
            };
            check.is_some_and(|check| given + own(check) < 0) && (folder.is_empty() || site.script.cwd.starts_with(folder))
        });
        let Some(run) = run.filter(|_| given < 0) else { continue };
        let message =
            "pytest is asked to say less by its configuration (`-q`), and CI does not override it: the log of a red patch is short";
        let finding = Findings::finding(&RULE, "runner", text.at, message)
            .help("remove `-q` from `addopts`, or run `pytest -vv` in CI")
            .about("pytest.addopts", "pytest")
            .label(run.command.at, "CI runs pytest here");
        findings.push(finding);
    }
}

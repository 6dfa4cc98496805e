//! # What it finds
//!
//! A secret that the system pastes into program text before a shell or an interpreter reads it: `${{ secrets.X }}` in `run:` or in the script
//! of `actions/github-script`, `$(secret)` in an inline script of Azure, Groovy's `"…${TOKEN}…"`.
//!
//! # Why
//!
//! The value becomes code: a quote or a `$` in it breaks the script or runs something. The text with the secret is written to disk and
//! stands in argument lists. This is the one place where the advice leads *towards* a variable: that of one step is narrower than all that.
//!
//! # What is not a finding
//!
//! - `"$X"` from `env:` of the step; a question about a secret (`${{ secrets.X != '' }}`).
//! - Inputs of components.
//!
//! # What to do
//!
//! ```yaml
//! - run: ./upload --as joe --with "$T"
//!   env:
//!     T: ${{ secrets.T }}
//! ```
//!
//! `--fix` does it where the secret stands alone between double quotes or is a word of its own in double quotes; other places are `unsafe`.
//!
//! # Levels
//!
//! `warning`, `error` in `strict` and `audit`. Job tokens, plain configuration by name and upload tokens: one level lower. One finding a
//! step.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: ./upload --with "${{ secrets.T }}"
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - env:
//!           T: ${{ secrets.T }}
//!         run: ./upload --with "$T"
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - name: upload
//!         run: |
//!           ./upload --with ${{ secrets.T }} --as '${{ secrets.KEY }}x'
//!         env:
//!           KEY: ${{ secrets.KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/github-script@v7
//!         with:
//!           script: |
//!             console.log("${{ secrets.T }}")
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - if: env.HAS == 'true'
//!         run: ./upload --with "$T" --set ${{ secrets.T != '' }}
//!         env:
//!           T: ${{ secrets.T }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 22 findings in 8 of them. In 11 further ones: 7. Read by eye: 29, false: 0.
//! Ledger: `docs/evidence/secret-inline-expansion.tsv`.

use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Job, Pipeline, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::Language;
use crate::model::secrets::place::listed;
use crate::model::secrets::{Harm, Weight};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-inline-expansion",
    group: Group::Secret,
    summary: "a secret is pasted into program text",
    levels: &[("pasted", levels(Warning, Error, Error))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components) {
            for job in &pipeline.jobs {
                for step in &job.steps {
                    findings_of(project, pipeline, job, step, findings);
                }
            }
        }
    }
}

/// A secret in the text: where, and by which names.
struct Pasted<'p> {
    at: Location,
    names: &'p [String],
    whole: bool,
}

fn findings_of(project: &Project, pipeline: &Pipeline, job: &Job, step: &Step, findings: &mut Findings) {
    let pasted: Vec<Pasted> = step.pasted.iter().filter_map(|one| pasted(project, one)).collect();
    let Some(first) = pasted.first() else { return };
    let names = || pasted.iter().flat_map(|one| one.names.iter().map(String::as_str));
    let message = format!(
        "{} is pasted into the text of step `{}`: what it says becomes code, on disk and in argument lists",
        listed(names()),
        step.name
    );
    let message = if names().collect::<std::collections::BTreeSet<_>>().len() > 1 { message.replacen(" is pasted", " are pasted", 1) } else { message };
    let mut all: Vec<&str> = names().collect();
    all.dedup();
    let mut finding = Findings::finding(&RULE, "pasted", first.at, message)
        .help(pipeline.system.secrets.unpasted)
        .about(&step.key, all.join(" "));
    for other in &pasted[1..] {
        finding = finding.label(other.at, format!("{} too", listed(other.names.iter().map(String::as_str))));
    }
    let harm = project.worst(names());
    finding.levels = Weight { harm, exposed: false, protected: false }.weigh(finding.levels);
    let _ = job;
    findings.push(mend(project, step, &pasted, finding));
}

fn pasted<'p>(project: &Project, one: &'p Assignment) -> Option<Pasted<'p>> {
    let Value::Secret { names, whole, .. } = &one.value else { return None };
    // Everything at once is another rule's.
    let bulk = names.iter().any(|name| name == "*");
    let allowed = project.worst(names.iter().map(String::as_str)) == Harm::None;
    (!bulk && !allowed).then_some(Pasted { at: one.at, names, whole: *whole })
}

/// Adds the edits, when every place of the step can be edited.
fn mend(project: &Project, step: &Step, pasted: &[Pasted], finding: Finding) -> Finding {
    match edits(project, step, pasted) {
        Some((edits, safety)) => finding.remedy(Remedy::Replace { edits, safety }),
        None => finding,
    }
}

fn edits(project: &Project, step: &Step, pasted: &[Pasted]) -> Option<(Vec<Edit>, Safety)> {
    let StepKind::Run(script) = &step.kind else { return None };
    if script.shell.language != Language::Posix {
        return None;
    }
    // A step with more is not mended by a machine.
    if pasted.len() > 40 {
        return None;
    }
    let slot = project.facts_of(step.at.source).variable_edits.slot(&step.key)?;
    let mut added: Vec<(String, String)> = Vec::new();
    let mut edits = Vec::new();
    let mut safety = Safety::Safe;
    for one in pasted {
        let ([name], true) = (one.names, one.whole) else { return None };
        let value = project.sources.text(one.at);
        let plain = value.starts_with("${{") && !value.contains([':', '#', '\n', '"']);
        if !plain || !is_variable(name) {
            return None;
        }
        match step.env.iter().find(|known| known.name == *name) {
            Some(known) if matches!(&known.value, Value::Secret { names, whole: true, .. } if names == one.names) => {}
            Some(_) => return None,
            None if added.iter().any(|(known, _)| known == name) => {}
            None => added.push((name.clone(), value.to_string())),
        }
        let (edit, sure) = in_place(project, script.at, one.at, name)?;
        safety = safety.max(sure);
        edits.push(edit);
    }
    // A secret that a wider scope holds under this name is the same variable; another value would be hidden by it.
    if !added.is_empty() {
        edits.push(slot.insert(&added));
    }
    edits.sort();
    Some((edits, safety))
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The variable in place of the pasted text, with the quotes that it needs.
fn in_place(project: &Project, script: Location, at: Location, name: &str) -> Option<(Edit, Safety)> {
    let source = project.source(at.source);
    if !(script.source == at.source && script.span.contains(at.span)) {
        return None;
    }
    let text = &source.text;
    let (start, end) = (at.span.start as usize, at.span.end as usize);
    let line = &text[text[..start].rfind('\n').map_or(0, |end| end + 1).max(script.span.start as usize)..start];
    let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let variable = if part(after) { format!("${{{name}}}") } else { format!("${name}") };
    let edit = |span: Span, text: String| Edit::replace(Location::new(at.source, span), text);
    // A YAML text in double quotes would need its own escapes; here-documents may or may not expand.
    let document = text[script.span.start as usize..start].contains("<<");
    let yaml_quoted = text[..script.span.start as usize].ends_with(['"', '\'']);
    if document || yaml_quoted {
        return None;
    }
    match quote_at(line) {
        Some('"') => Some((edit(at.span, variable), Safety::Safe)),
        Some('\'') if before == Some('\'') && after == Some('\'') => {
            Some((edit(Span::new(start - 1, end + 1), format!("\"${name}\"")), Safety::Safe))
        }
        Some(_) => None,
        None => {
            let blank = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '=' || c == ';' || c == ')');
            (blank(before) && blank(after)).then(|| (edit(at.span, format!("\"{variable}\"")), Safety::Unsafe))
        }
    }
}

/// Which quote is open at the end of the beginning of a line.
fn quote_at(line: &str) -> Option<char> {
    let mut open = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (open, c) {
            (Some('"') | None, '\\') => drop(chars.next()),
            (None, '"' | '\'') => open = Some(c),
            (Some(quote), c) if quote == c => open = None,
            _ => {}
        }
    }
    open
}

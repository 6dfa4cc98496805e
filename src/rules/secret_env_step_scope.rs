//! # What it finds
//!
//! Secrets in the variables of one step, listed once a file: the narrowest variable, and still one that every process of the step inherits.
//!
//! # Why
//!
//! Nothing wider can read it, and many programs know no other way. But tests print what they inherit when they fail, and a component with an
//! input for the same value needs no variable. In `strict` this is the letter of "no secrets in environment variables".
//!
//! # What is not a finding
//!
//! - A step that only writes the secret to a private file and names its path (`umask 077`, `printf … > "$RUNNER_TEMP/netrc"`).
//! - Steps whose only secret is `GITHUB_TOKEN` or another token that ends with the job, or plain configuration by its name
//!   (`log-masked-config` speaks of that).
//! - Inputs of components (`with:`, plugin settings); components that read nothing but variables (`audit` lists those).
//! - Systems where the step's variables are the only way to a secret (Azure).
//!
//! # What to do
//!
//! Hand it to the component as its input; let the tool read a file, standard input or a credential helper; for clouds and for PyPI use an
//! identity. Where a program reads nothing but the variable, keep it, keep environment reports and `--showlocals` out of this step, and
//! do not start it for patches of strangers.
//!
//! Components that read a variable and have no input for it may be named in `secrets.env-only-components`.
//!
//! # Levels
//!
//! `info`, `warning` in `strict` and `audit`; a component without an input for it is `info` in `audit` alone. One finding a file.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: pytest tests
//!         env:
//!           API_KEY: ${{ secrets.API_KEY }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml bad strict
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: python make_netrc.py
//!         env:
//!           IDX: ${{ secrets.IDX_TOKEN }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml good strict
//! on: push
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - shell: bash
//!         env:
//!           IDX: ${{ secrets.IDX_TOKEN }}
//!         run: |
//!           umask 077
//!           printf 'machine idx.example.com login __token__ password %s\n' "$IDX" > "$RUNNER_TEMP/netrc"
//!           echo "NETRC=$RUNNER_TEMP/netrc" >> "$GITHUB_ENV"
//!       - run: gh release view
//!         env:
//!           GH_TOKEN: ${{ github.token }}
//!       - uses: some/action@v1
//!         with:
//!           token: ${{ secrets.T }}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 67 findings in 26 of them. In 11 further ones: 15. Read by eye: 79, false: 0.
//! Ledger: `docs/evidence/secret-env-step-scope.tsv`.

use crate::model::finding::{Finding, Findings};
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Step, StepKind, Value};
use crate::model::policy;
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::Deed;
use crate::model::secrets::{flow, sinks};
use crate::model::secrets::place::listed;
use crate::model::secrets::{Company, Harm, Held};
use crate::model::span::{Location, SourceId};
use std::collections::BTreeMap;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-env-step-scope",
    group: Group::Secret,
    summary: "secrets are in the variables of single steps",
    levels: &[("step", levels(Info, Warning, Warning)), ("component", levels(Off, Off, Info))],
    since: "0.1.0",
    check,
};

/// A step with secrets in its variables.
struct Found<'p> {
    at: Location,
    key: &'p str,
    names: Vec<&'p str>,
    step: &'p str,
    help: String,
}

fn check(project: &Project, findings: &mut Findings) {
    let mut files: BTreeMap<(SourceId, &str), Vec<Found>> = BTreeMap::new();
    for facts in &project.facts {
        for pipeline in facts.pipelines.iter().chain(&facts.components).filter(|one| !one.system.secrets.only_step) {
            let alone = Company::of_pipeline(project, pipeline).jobs == 1;
            for job in &pipeline.jobs {
                for index in 0..job.steps.len() {
                    if let Some((kind, found)) = judge(project, pipeline, job, index, alone) {
                        files.entry((found.at.source, kind)).or_default().push(found);
                    }
                }
            }
        }
    }
    files.into_iter().for_each(|((_, kind), found)| findings.push(report(kind, &found)));
}

fn judge<'p>(
    project: &Project,
    pipeline: &'p Pipeline,
    job: &'p Job,
    index: usize,
    alone: bool,
) -> Option<(&'static str, Found<'p>)> {
    let step = &job.steps[index];
    // What a job or a pipeline gives to its only step is the step's.
    let wide = job.steps.len() == 1 && pipeline.system.secrets.steps;
    let of_job = job.env.iter().filter(|one| wide && one.scope != Scope::Input);
    let of_pipeline = pipeline.env.iter().filter(|_| wide && alone);
    let variables = step.env.iter().filter(|one| one.scope == Scope::Step);
    let held = Held::sort(project, variables.chain(of_job).chain(of_pipeline));
    // Plain configuration is `log-masked-config`'s.
    let is_real = |one: &&&Assignment| match &one.value {
        Value::Secret { names, .. } => project.worst(names.iter().map(String::as_str)) > Harm::Plain,
        _ => false,
    };
    let real: Vec<&Assignment> = held.secrets.iter().filter(is_real).copied().collect();
    let first = real.first()?;
    if flow::of_step(pipeline, job, index).is_some_and(|flow| sinks::materialises(&flow)) {
        return None;
    }
    let names: Vec<&str> = real.iter().map(|one| one.name.as_str()).collect();
    let (kind, help) = match &step.kind {
        StepKind::Uses { component, .. } => {
            let component = &project.reference(*component).subject.name;
            match input(pipeline, component, &real) {
                Some((variable, input)) => ("step", format!("give it to the component as its input `{input}` instead of `{variable}`")),
                None if project.policy.env_only_components.iter().any(|pattern| policy::matches(pattern, component)) => return None,
                None => ("component", "look for an input of the component that takes it".to_string()),
            }
        }
        _ => ("step", rewrite(pipeline, job, step)),
    };
    Some((kind, Found { at: first.at, key: &first.key, names, step: &step.name, help }))
}

/// The input that a component has for one of the variables.
fn input(pipeline: &Pipeline, component: &str, held: &[&Assignment]) -> Option<(&'static str, &'static str)> {
    let inputs = pipeline.system.secrets.inputs.iter().filter(|(name, _, _)| name.eq_ignore_ascii_case(component));
    let known = inputs.map(|(_, variable, input)| (*variable, *input));
    known.into_iter().find(|(variable, _)| held.iter().any(|one| one.name == *variable))
}

/// What belongs to the commands of a step.
fn rewrite(pipeline: &Pipeline, job: &Job, step: &Step) -> String {
    let StepKind::Run(script) = &step.kind else { return String::new() };
    let system = pipeline.system;
    let runs = |names: &[&str]| {
        script.commands.iter().any(|command| names.iter().all(|name| command.words.iter().any(|word| word.text.text == **name)))
    };
    let is_check = |deed: &Deed| matches!(deed, Deed::Check { .. } | Deed::RunEntry { .. });
    if system.publishes && (runs(&["twine", "upload"]) || runs(&["uv", "publish"])) {
        format!("publish with {} and no token", system.identity)
    } else if runs(&["docker", "login"]) {
        "pipe it into `docker login --password-stdin`, in a step of its own".to_string()
    } else if runs(&["aws"]) || runs(&["gcloud"]) || runs(&["az"]) {
        format!("use {}", system.identity)
    } else if script.commands.iter().flat_map(|command| &command.deeds).any(is_check) {
        accepted(pipeline, job, step)
    } else {
        "let the program read a file or standard input; where it cannot, this is the narrowest place: keep environment reports out of this step"
            .to_string()
    }
}

/// Tests that need a key: no better place is there for a program that reads a variable.
fn accepted(pipeline: &Pipeline, job: &Job, step: &Step) -> String {
    let how = pipeline.system.secrets.apart;
    let plain = |text: &str| text.replace([' ', '`'], "");
    let asked = how.split_once(": ").map(|(_, condition)| plain(condition));
    let says = |condition: &str| asked.as_ref().is_some_and(|asked| plain(condition).contains(asked.as_str()));
    let kept = step.condition.as_ref().or(job.condition.as_ref()).is_some_and(|text| says(&text.text));
    let open = pipeline.triggers.patch && job.on_patch != Some(false) && !step.not_on_patch && !kept;
    let away = match how {
        "" => "No patch of a stranger should start this step".to_string(),
        how if open => format!("No patch of a stranger should start this step: {how}"),
        _ => "No patch starts this step, and it should stay so".to_string(),
    };
    format!(
        "accepted: tests that need a key keep it here. {away}; `--showlocals` stays off, the environment is reported in a step before, and a type whose \
         `repr` hides its value holds the key in the tests"
    )
}

fn report(kind: &str, found: &[Found]) -> Finding {
    let first = &found[0];
    let names: Vec<&str> = found.iter().flat_map(|one| one.names.iter().copied()).collect();
    let count = match found.len() {
        1 => format!("step `{}`", first.step),
        count => format!("{count} steps"),
    };
    let message = format!("{} in the variables of {count}: every process that they start inherits them", listed(names));
    let message = if found.len() == 1 { message.replace("that they start inherits them", "of the step can read what stands there") } else { message };
    let mut finding = Findings::finding(&RULE, kind, first.at, message).help(first.help.clone()).about(first.key, kind);
    for other in &found[1..] {
        let text = format!("{} of step `{}`: {}", listed(other.names.iter().copied()), other.step, other.help);
        finding = finding.label(other.at, text);
    }
    finding
}

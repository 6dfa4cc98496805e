//! Every output over one small project, and over hostile ones.

use super::list::Form;
use super::*;
use crate::model::edit::Edit;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::lock::{Reason, Verdict};
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::project::LockState;
use crate::model::reference::{Ecosystem, Reference, Role};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::{Location, SourceId, Span};

static RULE: Rule = Rule {
    id: "req-unpinned",
    group: Group::Requirement,
    summary: "A requirement can move.",
    levels: &[("file", levels(Level::Warning, Level::Error, Level::Error))],
    since: "0.1.0",
    check: |_, _| {},
};

const WORKFLOW: &str = "jobs:\n  test:\n    steps:\n      - run: pip install -r requirements.txt\n";
const REQUIREMENTS: &str = "flask>=2\nrequests==2.32.3\n";

fn project(files: &[(&str, &'static str, &str)]) -> Project {
    let mut project = Project::default();
    for (path, format, text) in files {
        let id = project.sources.add(*path, *text);
        project.facts.push(Facts::of(id, format));
    }
    project
}

fn at(project: &Project, path: &str, part: &str) -> Location {
    let source = project.sources.find(path).expect("the test names a file that it made");
    let start = source.text.find(part).expect("the test names a part of the file");
    Location::new(source.id, Span::new(start, start + part.len()))
}

fn judged(finding: Finding, level: Level) -> Judged {
    Judged { finding, level, fingerprint: "00ff".to_string() }
}

fn sample() -> (Project, Vec<Judged>) {
    let mut project = project(&[
        (".github/workflows/ci.yml", "github workflow", WORKFLOW),
        ("requirements.txt", "requirements", REQUIREMENTS),
    ]);
    let flask = at(&project, "requirements.txt", "flask>=2");
    let mut reference = Reference::new(Ecosystem::Pypi, "flask", Role::Runtime, flask);
    reference.pin = Pin { version: Some(">=2".into()), digests: Vec::new() };
    reference.strength = Some(Strength::Floating(Precision::Word));
    project.facts[1].push(reference);
    project.locks.push(LockState {
        lock: SourceId(1),
        manifest: None,
        verdict: Verdict::Stale(vec![Reason { text: "flask is missing".into(), at: None }]),
        strays: Vec::new(),
    });
    let installed = at(&project, ".github/workflows/ci.yml", "-r requirements.txt");
    let pin = Remedy::Replace {
        edits: vec![Edit::replace(at(&project, "requirements.txt", ">=2"), "==3.1.0")],
        safety: Safety::Safe,
    };
    let first = Findings::finding(&RULE, "file", flask, "`flask>=2` can change without a commit.")
        .label(installed, "installed here")
        .help("pin it: `flask==3.1.0`")
        .remedy(pin)
        .about("flask", "flask");
    let second = Findings::finding(&RULE, "file", installed, "No lock is in force.").help("use one").about("x", "y");
    (project, vec![judged(first, Level::Warning), judged(second, Level::Info)])
}

fn text(format: Format, project: &Project, findings: &[Judged]) -> String {
    let mut out = Vec::new();
    let mut report = Report::of(project, findings);
    report.manual = |id| format!("# {id}\n\nWhy it matters.");
    format.write(&report, &mut out).expect("a vector takes every byte");
    String::from_utf8(out).expect("outputs are UTF-8")
}

fn value(format: Format, project: &Project, findings: &[Judged]) -> serde_json::Value {
    serde_json::from_str(&text(format, project, findings)).expect("the output is JSON")
}

#[test]
fn concise_is_one_line_a_finding_in_order_of_paths() {
    let (project, findings) = sample();
    assert_eq!(
        text(Format::Concise, &project, &findings),
        ".github/workflows/ci.yml:4:26: info[req-unpinned] No lock is in force.\n\
         requirements.txt:1:1: warning[req-unpinned] `flask>=2` can change without a commit.\n"
    );
}

#[test]
fn human_shows_the_source_the_help_and_what_was_looked_at() {
    let (project, findings) = sample();
    let expected = r"
info[req-unpinned]: No lock is in force.
 --> .github/workflows/ci.yml:4:26
  |
4 |       - run: pip install -r requirements.txt
  |                          ^^^^^^^^^^^^^^^^^^^
  |
  = help: use one

warning[req-unpinned]: `flask>=2` can change without a commit.
 --> requirements.txt:1:1
  |
1 | flask>=2
  | ^^^^^^^^
  |
 ::: .github/workflows/ci.yml:4:26
  |
4 |       - run: pip install -r requirements.txt
  |                          ------------------- installed here
  |
help: pin it: `flask==3.1.0`
  |
1 - flask>=2
1 + flask==3.1.0
  |

found 1 warning, 1 info
read 2 files: 1 github workflow, 1 requirements file; 1 reference: 1 floating; 1 lock stale
";
    assert_eq!(text(Format::Human, &project, &findings), expected.trim_start());
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let (mut project, findings) = sample();
    let at = at(&project, "requirements.txt", "requests");
    project.facts[1].problem(ProblemKind::Opaque, at, "cannot be seen");
    let document = value(Format::Json, &project, &findings);
    let finding = &document["findings"][1];
    assert_eq!(finding["path"], "requirements.txt");
    assert_eq!((&finding["line"], &finding["column"], &finding["end_column"]), (&1.into(), &1.into(), &9.into()));
    assert_eq!(finding["fix"]["safety"], "safe");
    let edit = serde_json::json!({"path": "requirements.txt", "start": 5, "end": 8, "text": "==3.1.0"});
    assert_eq!(finding["fix"]["edits"][0], edit);
    assert_eq!(finding["related"][0]["message"], "installed here");
    assert_eq!(document["findings"][0]["fix"], serde_json::Value::Null);
    assert_eq!(document["locks"][0]["verdict"], "stale");
    assert_eq!(document["locks"][0]["reasons"][0], "flask is missing");
    assert_eq!(document["problems"][0]["line"], 2);
    assert_eq!(document["summary"]["references"]["floating"], 1);
}

#[test]
fn sarif_is_valid_by_the_official_schema() {
    let (project, findings) = sample();
    let log = value(Format::Sarif, &project, &findings);
    // One pattern of the schema has a lone `]`, which the validator's regular expressions refuse.
    let schema = include_str!("../../fixtures/schemas/sarif-2.1.0.json").replace("{2}]?$", "{2}\\\\]?$");
    let schema = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let clean = value(Format::Sarif, &project, &[]);
    assert!(validator.is_valid(&clean));
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["help"]["markdown"], "# req-unpinned\n\nWhy it matters.");
    let result = &run["results"][1];
    assert_eq!(result["level"], "warning");
    assert_eq!(result["partialFingerprints"]["primaryLocationLineHash"], "00ff:1");
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "==3.1.0");
    assert_eq!(change["replacements"][0]["deletedRegion"]["startColumn"], 6);
}

#[test]
fn github_escapes_properties_and_text() {
    let project = project(&[("a,b:c%.yml", "github workflow", "x: 1\n")]);
    let finding =
        Findings::finding(&RULE, "file", at(&project, "a,b:c%.yml", "1"), "50% of `x`\n::error::no").help("do");
    assert_eq!(
        text(Format::Github, &project, &[judged(finding, Level::Error)]),
        "::error file=a%2Cb%3Ac%25.yml,line=1,endLine=1,col=4,endColumn=5,title=req-unpinned::50%25 of `x`%0A: :error::no%0Ahelp: do\n"
    );
}

#[test]
fn gitlab_has_what_code_quality_needs() {
    let (project, findings) = sample();
    let issues = value(Format::Gitlab, &project, &findings);
    let issue = &issues[1];
    assert_eq!(issue["check_name"], "req-unpinned");
    assert_eq!(issue["severity"], "major");
    assert_eq!(issue["fingerprint"], "00ff");
    assert_eq!(issue["location"], serde_json::json!({"path": "requirements.txt", "lines": {"begin": 1, "end": 1}}));
}

#[test]
fn junit_counts_failures_and_files() {
    let (project, findings) = sample();
    let xml = text(Format::Junit, &project, &findings);
    assert!(xml.contains("<testsuite name=\"pinguard\" tests=\"3\" failures=\"1\" errors=\"0\">"), "{xml}");
    assert!(xml.contains("message=\"`flask&gt;=2` can change without a commit.\""), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), 3);
    assert_eq!(
        xml.matches("<testcase ").count(),
        xml.matches("</testcase>").count() + xml.matches("clean\" file=").count()
    );
}

#[test]
fn list_is_a_bare_array() {
    let (project, _) = sample();
    let report = Report::of(&project, &[]);
    let mut out = Vec::new();
    list::write(&report, Form::Json, &mut out).expect("a vector takes every byte");
    let rows: serde_json::Value = serde_json::from_slice(&out).expect("the output is JSON");
    let expected = serde_json::json!([{
        "path": "requirements.txt", "line": 1, "column": 1, "end_line": 1, "end_column": 9, "ecosystem": "pypi",
        "name": "flask", "version": ">=2", "digest": null, "digests": [], "strength": "floating", "precision": "word",
        "locked": null, "role": "runtime", "key": "",
    }]);
    assert_eq!(rows, expected);
    let mut out = Vec::new();
    list::write(&report, Form::Concise, &mut out).expect("a vector takes every byte");
    assert_eq!(String::from_utf8_lossy(&out), "requirements.txt:1:1: pypi flask >=2 [floating (word)] runtime\n");
    let mut out = Vec::new();
    list::write_locks(&report, Form::Human, &mut out).expect("a vector takes every byte");
    assert_eq!(String::from_utf8_lossy(&out), "requirements.txt: stale (pip-compile)\n  flask is missing\n");
}

#[test]
fn no_output_shows_a_secret_or_obeys_a_file() {
    // Put together at run time, so that no scanner takes this file for a leak.
    let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
    let secret = "s3cr3t-Pa55";
    let text_of = format!(
        "env:\n  DB_PASSWORD: {secret}\n  URL: https://joe:{secret}@example.org\n  X: {token} \u{1b}[31m\u{202e}\n::add-mask::x ##[group]y\n"
    );
    let project = project(&[("a.yml", "github workflow", &text_of)]);
    let source = project.sources.find("a.yml").expect("the test made it");
    let message = format!("the value `{secret}` or {token} \u{1b}[0m\n::stop-commands::x");
    let finding = Findings::finding(&RULE, "file", at(&project, "a.yml", "DB_PASSWORD"), message.clone())
        .label(at(&project, "a.yml", "::add-mask::x"), message.clone())
        .label(at(&project, "a.yml", "URL"), "here")
        .label(at(&project, "a.yml", "X:"), "here")
        .help(message.clone())
        .remedy(Remedy::Replace { edits: vec![Edit::replace(source.top(), message.clone())], safety: Safety::Unsafe })
        .about(secret, secret);
    let findings = [judged(finding, Level::Error)];
    for format in Format::ALL {
        let shown = text(format, &project, &findings);
        assert!(!shown.contains(secret) && !shown.contains(&token), "{}: {shown}", format.name());
        assert!(shown.chars().all(|c| !clean::is_hidden(c)), "{}: {shown}", format.name());
        assert!(!shown.contains("##["), "{}: {shown}", format.name());
        let commands = shown.lines().filter(|line| line.trim_start().starts_with("::")).count();
        assert_eq!(
            commands,
            if matches!(format, Format::Github) { 1 } else { shown.matches(" ::: ").count() },
            "{shown}"
        );
    }
}

#[test]
fn a_clean_run_proves_that_it_looked() {
    let (project, _) = sample();
    assert_eq!(
        text(Format::Human, &project, &[]),
        "found nothing\nread 2 files: 1 github workflow, 1 requirements file; 1 reference: 1 floating; 1 lock stale\n"
    );
    assert_eq!(
        text(Format::Human, &Project::default(), &[]),
        "found nothing\nread 0 files: nothing here that pinguard reads\n"
    );
}

#[test]
fn formats_are_found_by_their_names() {
    assert!(Format::ALL.iter().all(|&format| Format::named(format.name()) == Some(format)));
    assert_eq!(Format::named("yaml"), None);
}

//! # What it finds
//!
//! A file that is a template of another language (Jinja, Helm, Go templates) and was left alone.
//!
//! # Why
//!
//! A template is not yet the text that runs. Guessing at it would bring false alarms; saying nothing would hide that it was not judged.
//!
//! # What is not a finding
//!
//! Expressions that a format knows itself: `${{ … }}` of GitHub, `$VAR` of GitLab. Templates of a chart whose objects run nothing: a
//! `Service`, a `ServiceAccount`, an `Ingress`.
//!
//! # What to do
//!
//! Nothing, or check the rendered files: `helm template . > rendered.yaml`.
//!
//! # Levels
//!
//! `info` in every profile.
//!
//! # Examples
//!
//! ```yaml chart/templates/pod.yaml bad
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: {{ include "app.name" . }}
//! {{- if .Values.enabled }}
//! spec: {}
//! {{- end }}
//! ```
//!
//! ```yaml pod.yaml good
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: app
//! ```

use crate::model::facts::ProblemKind;
use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Info;
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "template-skipped",
    group: Group::Reading,
    summary: "a file is a template of another language and was left alone",
    levels: &[("file", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for problem in project.problems(ProblemKind::Template) {
        let path = project.path(problem.at);
        let message = problem.text.clone();
        let finding = Findings::finding(&RULE, "file", problem.at, message);
        findings.push(finding.help("to judge it, render it and check the result").about("", path));
    }
}

//! What a fix did, as lines of a report.

use crate::model::change::{Change, Held};
use crate::model::finding::Judged;
use crate::model::pin::Pin;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Reference};
use crate::model::span::Location;
use crate::model::wish::Because;
use crate::report::fixes::{Done, Left, Shown};

/// A reference that moved.
pub fn changed(project: &Project, change: &Change) -> Done {
    let reference = project.reference(change.reference);
    let (path, line) = place(project, reference.site.whole);
    Done {
        path,
        line,
        rules: rules(&change.because),
        name: Shown::new(&reference.subject.name),
        from: Shown::new(&spelled(reference, &change.from)),
        to: Shown::new(&spelled(reference, &change.to)),
        remark: change.remark.as_deref().map(Shown::new),
    }
}

/// An edit that a rule gave by itself.
pub fn edited(project: &Project, judged: &Judged) -> Done {
    let finding = &judged.finding;
    let (path, line) = place(project, finding.at);
    let what = if finding.name.is_empty() { finding.rule.summary } else { finding.name.as_str() };
    let rules = vec![finding.rule.id];
    Done { path, line, rules, name: Shown::new(what), from: Shown::default(), to: Shown::default(), remark: None }
}

/// A reference that stays.
pub fn held(project: &Project, held: &Held) -> Left {
    let reference = project.reference(held.reference);
    let (path, line) = place(project, reference.site.whole);
    let name = Shown::new(&spelled(reference, &reference.pin));
    Left { path, line, rules: rules(&held.because), name, reason: Shown::new(&held.why.text()) }
}

/// A finding that stays.
pub fn left(project: &Project, judged: &Judged, reason: &str) -> Left {
    let finding = &judged.finding;
    let (path, line) = place(project, finding.at);
    let what = if finding.name.is_empty() { finding.rule.summary } else { finding.name.as_str() };
    Left { path, line, rules: vec![finding.rule.id], name: Shown::new(what), reason: Shown::new(reason) }
}

fn place(project: &Project, at: Location) -> (Shown, usize) {
    let source = project.source(at.source);
    (Shown::new(&source.path), source.position(at.span.start).line)
}

fn rules(because: &[Because]) -> Vec<&'static str> {
    let rule = |because: &Because| if let Because::Rule(id) = because { Some(*id) } else { None };
    because.iter().filter_map(rule).collect()
}

/// `python:3.12@sha256:…`, `actions/checkout@v4`, `ruff==0.6.0`.
fn spelled(reference: &Reference, pin: &Pin) -> String {
    let name = &reference.subject.name;
    let version = pin.version.as_deref().unwrap_or("");
    let digest = pin.digests.first().map(String::as_str).unwrap_or("");
    match reference.subject.ecosystem {
        Ecosystem::Oci => {
            let tag = if version.is_empty() { String::new() } else { format!(":{version}") };
            let digest = if digest.is_empty() { String::new() } else { format!("@{digest}") };
            format!("{name}{tag}{digest}")
        }
        Ecosystem::Pypi | Ecosystem::Conda if digest.is_empty() => {
            let glue = if version.starts_with(|c: char| c.is_ascii_digit()) { "@" } else { "" };
            format!("{name}{glue}{version}")
        }
        Ecosystem::Pypi if reference.site.version.is_some() => {
            let (count, s) = (pin.digests.len(), if pin.digests.len() == 1 { "" } else { "es" });
            format!("{name}{version} with {count} hash{s}")
        }
        _ if digest.is_empty() && version.is_empty() => name.clone(),
        _ if digest.is_empty() => format!("{name}@{version}"),
        _ if version.is_empty() => format!("{name}@{digest}"),
        _ => format!("{name}@{digest} ({version})"),
    }
}

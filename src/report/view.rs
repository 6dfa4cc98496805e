//! Findings as every renderer sees them: ordered, with places counted as people count, and with nothing secret in any text.

use super::clean;
use super::redact::{self, Mask};
use super::{Report, Root};
use crate::model::edit::Edit;
use crate::model::finding::{Judged, Remedy, Safety};
use crate::model::project::Project;
use crate::model::rule::{Level, Rule};
use crate::model::source::Position;
use crate::model::span::{Location, SourceId, Span};
use foldhash::{HashMap, HashMapExt};
use rayon::prelude::*;
use std::borrow::Cow;

/// A place as people count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path from the root of the report.
    pub path: String,
    /// Where it begins.
    pub start: Position,
    /// Where it ends, exclusive.
    pub end: Position,
}

/// A further place with a word about it.
pub struct Related {
    /// Where.
    pub place: Place,
    /// The same as a location.
    pub at: Location,
    /// What is there.
    pub message: String,
}

/// What can be done, ready for an output.
pub struct Fix {
    /// How sure it is.
    pub safety: Safety,
    /// Replacements by path; byte offsets.
    pub edits: Vec<(String, Span, String)>,
    /// The same edits as places, for excerpts.
    pub places: Vec<Edit>,
    /// A text that a person puts in.
    pub snippet: Option<String>,
}

/// One finding.
pub struct Row<'a> {
    /// Which project.
    pub root: Root<'a>,
    /// Which rule.
    pub rule: &'static Rule,
    /// How much it matters.
    pub level: Level,
    /// Where.
    pub place: Place,
    /// The same as a location.
    pub at: Location,
    /// The fact.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Further places.
    pub related: Vec<Related>,
    /// What can be done.
    pub fix: Option<Fix>,
    /// Its name from run to run.
    pub fingerprint: &'a str,
    /// Structural key path.
    pub key: String,
    /// What is concerned.
    pub name: String,
}

/// Everything of a report, ready for an output.
pub struct View<'a> {
    /// The findings in order of path, line, column and rule.
    pub rows: Vec<Row<'a>>,
    masks: Masks<'a>,
}

impl<'a> View<'a> {
    /// Prepares a report.
    pub fn of(report: &Report<'a>) -> View<'a> {
        let mut masks = Masks::default();
        let mut rows = Vec::new();
        for &root in &report.roots {
            masks.learn(root);
            let shown = root.findings.par_iter().filter(|judged| judged.level > Level::Off);
            rows.par_extend(shown.map(|judged| row(root, judged, &masks)));
        }
        rows.sort_by(|a, b| (&a.place, a.rule.id, &a.key, &a.name).cmp(&(&b.place, b.rule.id, &b.key, &b.name)));
        View { rows, masks }
    }

    /// The mask of a source, when a finding stands in it.
    pub fn mask(&self, root: Root<'a>, source: SourceId) -> Option<&Mask> {
        self.masks.get(root, source)
    }

    /// How many findings have this level.
    pub fn count(&self, level: Level) -> usize {
        self.rows.iter().filter(|row| row.level == level).count()
    }
}

/// A location as people count.
pub fn place(root: Root, at: Location) -> Place {
    let source = root.project.sources.get(at.source);
    let (start, end) = (source.position(at.span.start), source.position(at.span.end.max(at.span.start)));
    Place { path: format!("{}{}", root.prefix, source.path), start, end }
}

/// Masks of the sources that a report shows, by project and source.
#[derive(Default)]
pub struct Masks<'a> {
    by_source: HashMap<(usize, SourceId), Mask>,
    roots: std::marker::PhantomData<&'a Project>,
}

impl<'a> Masks<'a> {
    /// Makes the masks of all sources that the findings of a project name.
    pub fn learn(&mut self, root: Root<'a>) {
        let mut known: HashMap<SourceId, Vec<Span>> = HashMap::new();
        for judged in root.findings {
            for at in places_of(judged) {
                known.entry(at.source).or_default();
            }
        }
        // What is found to be a secret is hidden wherever it stands, whether it is reported or suppressed.
        for (literal, _) in root.project.written_secrets() {
            if let Some(spans) = known.get_mut(&literal.at.source) {
                spans.push(literal.at.span);
            }
        }
        let sources = &root.project.sources;
        let known: Vec<(SourceId, Vec<Span>)> = known.into_iter().collect();
        let masks: Vec<Mask> = known.par_iter().map(|(source, spans)| Mask::of(sources.get(*source), spans)).collect();
        for ((source, _), mask) in known.into_iter().zip(masks) {
            self.by_source.insert((address(root.project), source), mask);
        }
    }

    /// The mask of a source, when it was learnt.
    pub fn get(&self, root: Root<'a>, source: SourceId) -> Option<&Mask> {
        self.by_source.get(&(address(root.project), source))
    }
}

/// `text` without what is secret in any of the sources that it speaks of.
fn hidden(masks: &[&Mask], text: &str) -> String {
    let shaped = redact::hide_shapes(text);
    let out = match shaped {
        // A text that shows no shape needs no second look for one.
        Cow::Borrowed(_) => masks.iter().fold(shaped, |out, mask| mask.literals_of(out)),
        Cow::Owned(_) => masks.iter().fold(shaped, |out, mask| Cow::Owned(mask.text(&out).into_owned())),
    };
    shortened(out.into_owned())
}

/// Tells the projects of one report apart.
fn address(project: &Project) -> usize {
    std::ptr::from_ref(project).addr()
}

/// Bytes of one message, name or label that are shown. A name of a megabyte is somebody's joke, and would be printed several times.
const LONGEST: usize = 4000;

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn places_of(judged: &Judged) -> impl Iterator<Item = Location> {
    let finding = &judged.finding;
    let edits = match &finding.remedy {
        Some(Remedy::Replace { edits, .. }) => edits.as_slice(),
        _ => &[],
    };
    let labels = finding.labels.iter().map(|label| label.at);
    std::iter::once(finding.at).chain(labels).chain(edits.iter().map(|edit| edit.at))
}

fn row<'a>(root: Root<'a>, judged: &'a Judged, masks: &Masks<'a>) -> Row<'a> {
    let finding = &judged.finding;
    let mut sources: Vec<SourceId> = places_of(judged).map(|at| at.source).collect();
    sources.sort();
    sources.dedup();
    let masks: Vec<&Mask> = sources.iter().filter_map(|&source| masks.get(root, source)).collect();
    let hidden = |text: &str| hidden(&masks, text);
    let related = finding.labels.iter().map(|label| Related {
        place: place(root, label.at),
        at: label.at,
        message: clean::lines(&hidden(&label.text)),
    });
    Row {
        root,
        rule: finding.rule,
        level: judged.level,
        place: place(root, finding.at),
        at: finding.at,
        message: clean::lines(&hidden(&finding.message)),
        help: clean::lines(&hidden(&finding.help)),
        related: related.collect(),
        fix: finding.remedy.as_ref().map(|remedy| fix(root, remedy, &hidden)),
        fingerprint: &judged.fingerprint,
        key: hidden(&finding.key),
        name: hidden(&finding.name),
    }
}

/// What stands for an edit that would show a secret.
const MASKED_EDIT: &str = "the edit holds a masked value and cannot be applied by hand: run `pinguard check --fix`";

fn fix(root: Root, remedy: &Remedy, hidden: &dyn Fn(&str) -> String) -> Fix {
    let (safety, edits, snippet) = match remedy {
        Remedy::Tighten { .. } => (Safety::SafeOnline, &[][..], None),
        Remedy::Guide(text) => (Safety::Guided, &[][..], Some(hidden(text))),
        Remedy::Replace { edits, safety } if edits.iter().all(|edit| hidden(&edit.text) == edit.text) => {
            (*safety, edits.as_slice(), None)
        }
        Remedy::Replace { safety, .. } => (*safety, &[][..], Some(MASKED_EDIT.to_string())),
    };
    let path = |edit: &Edit| format!("{}{}", root.prefix, root.project.path(edit.at));
    let mut places = edits.to_vec();
    places.sort();
    let edits = places.iter().map(|edit| (path(edit), edit.at.span, edit.text.clone())).collect();
    Fix { safety, edits, places, snippet }
}

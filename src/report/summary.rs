//! What a run looked at, in numbers: so that a clean run proves it looked. Has no opinion on any number.

use super::Report;
use super::view::View;
use crate::model::lock::Verdict;
use crate::model::pin::Strength;
use crate::model::rule::Level;
use serde::Serialize;
use std::collections::BTreeMap;

/// References by how firmly they are held, locks included.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub struct References {
    /// All.
    pub total: usize,
    /// By digest, commit or hash.
    pub immutable: usize,
    /// By one version's name.
    pub exact: usize,
    /// By a range or a moving name.
    pub floating: usize,
    /// Not at all.
    pub unspecified: usize,
    /// By something that cannot be seen.
    pub unknown: usize,
}

/// Locks by verdict.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub struct Locks {
    /// They describe their manifest.
    pub fresh: usize,
    /// They do not.
    pub stale: usize,
    /// It cannot be told.
    pub undecided: usize,
}

/// Findings by level.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub struct Findings {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// True but minor.
    pub info: usize,
    /// Absent practices.
    pub advice: usize,
    /// Suppressed ones, in none of the other numbers.
    pub suppressed: usize,
}

/// What a run looked at and found.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub struct Summary {
    /// Files that were read.
    pub files: usize,
    /// The same by format.
    pub formats: BTreeMap<&'static str, usize>,
    /// References.
    pub references: References,
    /// Locks.
    pub locks: Locks,
    /// Findings.
    pub findings: Findings,
}

impl Summary {
    /// Counts.
    pub fn of(report: &Report, view: &View) -> Summary {
        let mut summary = Summary::default();
        for root in &report.roots {
            for facts in root.project.facts.iter().filter(|facts| !facts.format.is_empty()) {
                summary.files += 1;
                *summary.formats.entry(facts.format).or_default() += 1;
            }
            for (_, reference) in root.project.references() {
                summary.references.total += 1;
                *summary.references.of(reference.effective()) += 1;
            }
            for state in &root.project.locks {
                *summary.locks.of(&state.verdict) += 1;
            }
        }
        summary.findings = Findings {
            error: view.count(Level::Error),
            warning: view.count(Level::Warning),
            info: view.count(Level::Info),
            advice: view.count(Level::Advice),
            suppressed: report.suppressed,
        };
        summary
    }

    /// `read 41 files: 12 github workflows, …; 212 references: 30 immutable, …; 3 locks fresh`.
    pub fn looked(&self) -> String {
        if self.files == 0 {
            return "read 0 files: nothing here that pinguard reads".to_string();
        }
        let mut formats: Vec<(&str, usize)> = self.formats.iter().map(|(&name, &count)| (name, count)).collect();
        formats.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let formats: Vec<String> = formats.into_iter().map(|(name, count)| counted(count, name)).collect();
        let mut parts = vec![format!("read {}: {}", counted(self.files, "file"), formats.join(", "))];
        let found = &self.references;
        let strengths = [
            (found.immutable, "immutable"),
            (found.exact, "exact"),
            (found.floating, "floating"),
            (found.unspecified, "unspecified"),
            (found.unknown, "unknown"),
        ];
        parts.push(match found.total {
            0 => "no references".to_string(),
            total => format!("{}: {}", counted(total, "reference"), nonzero(&strengths)),
        });
        let locks = [(self.locks.fresh, "fresh"), (self.locks.stale, "stale"), (self.locks.undecided, "undecided")];
        let total: usize = locks.iter().map(|(count, _)| count).sum();
        if total > 0 {
            let verdicts = nonzero(&locks);
            parts.push(match verdicts.split_once(", ") {
                None => format!("{} {}", counted(total, "lock"), verdicts.split_once(' ').map_or("", |(_, word)| word)),
                Some(_) => format!("{}: {verdicts}", counted(total, "lock")),
            });
        }
        parts.join("; ")
    }

    /// `found 2 errors, 1 warning (3 suppressed)` or `found nothing`.
    pub fn found(&self) -> String {
        let found = &self.findings;
        let words =
            [(found.error, "error"), (found.warning, "warning"), (found.info, "info"), (found.advice, "advice")];
        let words: Vec<String> =
            words.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| level_count(count, word)).collect();
        let found = if words.is_empty() { "nothing".to_string() } else { words.join(", ") };
        match self.findings.suppressed {
            0 => format!("found {found}"),
            suppressed => format!("found {found} ({suppressed} suppressed)"),
        }
    }
}

impl References {
    fn of(&mut self, strength: Option<Strength>) -> &mut usize {
        match strength {
            None => &mut self.unknown,
            Some(Strength::Unspecified) => &mut self.unspecified,
            Some(Strength::Floating(_)) => &mut self.floating,
            Some(Strength::Exact) => &mut self.exact,
            Some(Strength::Immutable) => &mut self.immutable,
        }
    }
}

impl Locks {
    fn of(&mut self, verdict: &Verdict) -> &mut usize {
        match verdict {
            Verdict::Fresh => &mut self.fresh,
            Verdict::Stale(_) => &mut self.stale,
            Verdict::Undecided(_) => &mut self.undecided,
        }
    }
}

fn nonzero(parts: &[(usize, &str)]) -> String {
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    parts.join(", ")
}

fn level_count(count: usize, word: &str) -> String {
    match word {
        "error" | "warning" => counted(count, word),
        word => format!("{count} {word}"),
    }
}

/// Names of formats that are words for a thing; the others are words for a kind of file.
const THINGS: &[&str] =
    &["file", "reference", "lock", "error", "warning", "workflow", "action", "dockerfile", "script", "pipeline"];

fn counted(count: usize, name: &str) -> String {
    let last = name.rsplit(' ').next().unwrap_or(name).to_ascii_lowercase();
    let thing = THINGS.contains(&last.as_str());
    match (count, thing) {
        (1, true) => format!("1 {name}"),
        (_, true) => format!("{count} {name}s"),
        (1, false) => format!("1 {name} file"),
        (_, false) => format!("{count} {name} files"),
    }
}

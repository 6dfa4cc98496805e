//! The baseline: findings that are known and do not count. Names each by its fingerprint and never by a line, so that edits around it
//! change nothing. Reads and writes text; the disk is somebody else's.

use crate::model::finding::Judged;
use crate::model::rule::Level;
use crate::model::source::Sources;
use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Days for which an entry hides its findings.
pub const DAYS: u32 = 180;

/// Version of the file's shape.
const VERSION: u32 = 1;

/// A baseline file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    /// Days after which an entry no longer hides; its findings come back as `info`.
    #[serde(rename = "expires-after-days", default = "days")]
    pub expires_after_days: u32,
    findings: Vec<Entry>,
}

/// One known finding, or several equal ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    rule: String,
    path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    key: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    count: usize,
    added: Date,
}

fn days() -> u32 {
    DAYS
}

/// What a baseline left.
#[derive(Debug, Default)]
pub struct Applied {
    /// Findings that it does not hide. Those of expired entries are `info` at most.
    pub kept: Vec<Judged>,
    /// How many it hides.
    pub hidden: usize,
    /// How many of the kept ones had an entry that expired.
    pub expired: usize,
    /// How many entries fit nothing any more.
    pub gone: usize,
}

impl Baseline {
    /// Reads a file; the error says what is wrong with it and what to do.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let again = "write it again with `--write-baseline`";
        let baseline: Baseline = serde_json::from_str(text)
            .map_err(|error| format!("this is not a baseline of pinguard: {error}; {again}"))?;
        match baseline.version {
            VERSION => Ok(baseline),
            other => Err(format!("this baseline has version {other}, and version {VERSION} was expected; {again}")),
        }
    }

    /// A baseline of what is found now. What was in the old one keeps its day until that is over.
    pub fn of(judged: &[Judged], sources: &Sources, now: Date, old: Option<&Baseline>) -> Baseline {
        let added: HashMap<&str, Date> = old
            .into_iter()
            .flat_map(|old| old.findings.iter().filter(|entry| !old.has_expired(entry, now)))
            .map(|entry| (entry.fingerprint.as_str(), entry.added))
            .collect();
        let mut entries: BTreeMap<(String, String, String), Entry> = BTreeMap::new();
        for judged in judged {
            let finding = &judged.finding;
            let fingerprint = base(&judged.fingerprint).to_string();
            let path = sources.get(finding.at.source).path.clone();
            let order = (path.clone(), finding.rule.id.to_string(), fingerprint.clone());
            let added = added.get(fingerprint.as_str()).copied().unwrap_or(now);
            let entry = entries.entry(order).or_insert_with(|| Entry {
                fingerprint,
                rule: finding.rule.id.to_string(),
                path,
                key: finding.key.clone(),
                name: finding.name.clone(),
                count: 0,
                added,
            });
            entry.count += 1;
        }
        let expires_after_days = old.map_or(DAYS, |old| old.expires_after_days);
        Baseline { version: VERSION, expires_after_days, findings: entries.into_values().collect() }
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts, numbers and dates can always be written");
        text.push('\n');
        text
    }

    /// Hides what is known. Of several equal findings as many are hidden as there were.
    pub fn apply(&self, judged: Vec<Judged>, now: Date) -> Applied {
        let mut left: HashMap<&str, (usize, bool)> = HashMap::new();
        for entry in &self.findings {
            let room = left.entry(entry.fingerprint.as_str()).or_insert((0, false));
            *room = (room.0 + entry.count, room.1 || self.has_expired(entry, now));
        }
        let mut applied = Applied::default();
        let mut met: std::collections::HashSet<&str> = Default::default();
        for mut judged in judged {
            let known = left.get_key_value(base(&judged.fingerprint)).map(|(name, _)| *name);
            match known.and_then(|name| left.get_mut(name)) {
                Some((room, expired)) if *room > 0 => {
                    *room -= 1;
                    met.extend(known);
                    if !*expired {
                        applied.hidden += 1;
                        continue;
                    }
                    applied.expired += 1;
                    judged.level = judged.level.min(Level::Info);
                }
                _ => {}
            }
            applied.kept.push(judged);
        }
        applied.gone = self.findings.iter().filter(|entry| !met.contains(entry.fingerprint.as_str())).count();
        applied
    }

    fn has_expired(&self, entry: &Entry, now: Date) -> bool {
        // A date that cannot be counted up to is not over yet.
        let end = entry.added.checked_add(Span::new().days(i64::from(self.expires_after_days.min(100_000))));
        end.is_ok_and(|end| end < now)
    }
}

/// A fingerprint without the number that tells equal findings of one run apart.
fn base(fingerprint: &str) -> &str {
    fingerprint.split('-').next().unwrap_or(fingerprint)
}

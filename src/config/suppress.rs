//! Suppressions: comments of the form `# pinguard: ignore[RULE] reason until=DATE`, and `[[ignore]]` of the configuration.
//!
//! A comment speaks of its own line; alone on a line it speaks of the next one. On or directly above the line that opens an item (a
//! job, a step, a service, a stage, a TOML table) it speaks of the whole item. Knows lines and indentation, not formats.

use super::{Config, Ignore};
use crate::model::finding::Finding;
use crate::model::policy::matches;
use crate::model::rule::Group;
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, SourceId, Span};
use jiff::civil::Date;
use memchr::memmem;
use std::collections::HashMap;

/// A comment that suppresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Rules or groups that it names, and where.
    pub rules: Vec<(String, Location)>,
    /// Why.
    pub reason: String,
    /// Until when; a date that cannot be read is kept as it is written.
    pub until: Option<Result<Date, String>>,
    /// The comment's own place.
    pub at: Location,
    /// Which part of the source it speaks of.
    pub covers: Span,
}

/// Something about a suppression that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Id of the rule that says it: `ignore-unused` and its kin.
    pub rule: &'static str,
    /// Where.
    pub at: Location,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The rule that is suppressed, for the fingerprint.
    pub name: String,
}

/// What is left when suppressions were applied.
#[derive(Debug, Default)]
pub struct Applied {
    /// Findings that nobody suppressed.
    pub kept: Vec<Finding>,
    /// How many were.
    pub suppressed: usize,
    /// What is wrong with the suppressions, in order of their places.
    pub notes: Vec<Note>,
}

const MARKER: &[u8] = b"pinguard:";
/// More suppressions of one file are not read, and no item is longer than this: a file made of markers must cost no quadratic time.
const MAX_COMMENTS: usize = 1_000;
const MAX_LINES: usize = 20_000;
const LEADS: [&str; 6] = ["#", "//", ";", "<!--", "--", "/*"];

/// Every suppressing comment of every source.
pub fn collect(sources: &Sources) -> Vec<Suppression> {
    let finder = memmem::Finder::new(MARKER);
    sources.iter().flat_map(|source| of(source, &finder)).collect()
}

fn of(source: &Source, finder: &memmem::Finder<'_>) -> Vec<Suppression> {
    let mut found = Vec::new();
    for at in finder.find_iter(source.text.as_bytes()) {
        if found.len() >= MAX_COMMENTS {
            break;
        }
        found.extend(read(source, at));
    }
    found
}

/// Reads the comment whose `pinguard:` stands at `at`; `None` when it is no comment or asks for something else.
fn read(source: &Source, at: usize) -> Option<Suppression> {
    let line = source.line_of(at as u32);
    let span = source.line_span(line);
    let text = source.slice(span);
    let before = &text[..at - span.start as usize];
    let lead = LEADS.iter().find_map(|lead| before.trim_end().strip_suffix(lead))?;
    let word = text[before.len() + MARKER.len()..].trim_start();
    let rest = word.strip_prefix("ignore")?;
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_') {
        return None;
    }
    let offset = |part: &str| part.as_ptr() as usize - source.text.as_ptr() as usize;
    let place = |part: &str| Location::new(source.id, Span::new(offset(part), offset(part) + part.len()));
    let end = text.trim_end().trim_end_matches("-->").trim_end_matches("*/").trim_end();
    let (list, tail) = match rest.trim_start().strip_prefix('[').and_then(|list| list.split_once(']')) {
        Some((list, tail)) => (list, tail),
        None => ("", rest),
    };
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rules = names.map(|name| (name.to_string(), place(name))).collect();
    let tail = tail.strip_suffix(&text[end.len()..]).unwrap_or(tail);
    let (reason, until) = reason_and_date(tail);
    let comment = &text[lead.len()..end.len()];
    let alone = lead.trim().trim_start_matches('\u{feff}').is_empty();
    Some(Suppression { rules, reason, until, at: place(comment), covers: covers(source, line, lead.len(), alone) })
}

fn reason_and_date(tail: &str) -> (String, Option<Result<Date, String>>) {
    let mut until = None;
    let mut words = Vec::new();
    for word in tail.split_whitespace() {
        match word.strip_prefix("until=").or_else(|| word.strip_prefix("until:")) {
            Some(date) if !date.is_empty() => {
                let date = date.trim_end_matches(['.', ',', ';', ')']);
                until = Some(date.parse::<Date>().map_err(|_| date.to_string()));
            }
            _ => words.push(word),
        }
    }
    let reason = words.join(" ");
    (reason.trim_matches([':', '-', ' ', '(', ')', ';', '\u{2014}']).to_string(), until)
}

/// The bytes that a comment on `line` speaks of.
fn covers(source: &Source, line: usize, lead: usize, alone: bool) -> Span {
    let own = source.line_span(line);
    if !alone {
        let code = &source.line_text(line)[..lead];
        return own.to(item(source, line, code));
    }
    let lines = source.line_count();
    // Further comments may stand between, an empty line may not.
    let is_comment = |text: &str| LEADS.iter().any(|lead| text.trim_start().starts_with(lead)) && !is_item(text);
    let next = (line + 1..lines).find(|&next| !is_comment(source.line_text(next)));
    match next.filter(|&next| !source.line_text(next).trim().is_empty()) {
        Some(next) => own.to(source.line_span(next)).to(item(source, next, source.line_text(next))),
        None => own,
    }
}

/// A list item of YAML begins like a comment of SQL; what follows tells them apart.
fn is_item(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("- ") || text.starts_with("---") && text.trim_end() == "---"
}

/// What a line opens: the lines below it that are indented deeper, the rest of a TOML table or of a build stage, continued lines.
fn item(source: &Source, line: usize, code: &str) -> Span {
    let trimmed = code.trim();
    let stop: Box<dyn Fn(&str) -> bool> = if trimmed.starts_with('[') && trimmed.ends_with(']') {
        Box::new(|text: &str| text.starts_with('['))
    } else if trimmed.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("from ")) {
        Box::new(|text: &str| text.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("from ")))
    } else if trimmed.ends_with('\\') {
        return source.line_span(line).to(continued(source, line));
    } else if opens_block(trimmed) {
        let own = indent(code);
        Box::new(move |text: &str| indent(text) <= own)
    } else {
        return source.line_span(line);
    };
    let mut last = line;
    for next in (line + 1..source.line_count()).take(MAX_LINES) {
        let text = source.line_text(next);
        if text.trim().is_empty() {
            continue;
        }
        if stop(text) {
            break;
        }
        last = next;
    }
    source.line_span(line).to(source.line_span(last))
}

/// A key with a block below it, a block scalar, or an item of a list.
fn opens_block(code: &str) -> bool {
    code.ends_with(':')
        || code.starts_with("- ")
        || [": |", ": >", ": |-", ": >-", ": |+"].iter().any(|end| code.ends_with(end))
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

fn continued(source: &Source, line: usize) -> Span {
    let lines = source.line_count();
    let last = (line..lines).find(|&next| !source.line_text(next).trim_end().ends_with('\\')).unwrap_or(line);
    source.line_span(last)
}

/// What is asked around suppressions.
pub struct Around<'a> {
    /// Today, or the day that the run is told.
    pub now: Date,
    /// The ids of all rules.
    pub known: &'a [&'a str],
    /// Whether a rule or group is fully in force for a file. Where it is not, nothing can be said about use.
    pub in_force: &'a dyn Fn(&str, &str) -> bool,
}

/// Takes suppressed findings out and says what is wrong with the suppressions.
///
/// An expired suppression still holds, so that nothing turns red by the calendar; it is said.
pub fn apply(
    findings: Vec<Finding>,
    comments: &[Suppression],
    config: &Config,
    sources: &Sources,
    around: &Around<'_>,
) -> Applied {
    let mut used = vec![Vec::new(); comments.len()];
    let mut used_ignores = vec![false; config.ignores.len()];
    let mut applied = Applied::default();
    let by_source = Index::of(comments);
    for finding in findings {
        let mut hit = false;
        for index in by_source.at(finding.at) {
            for (position, (name, _)) in comments[index].rules.iter().enumerate() {
                if names(name, &finding) {
                    used[index].push(position);
                    hit = true;
                }
            }
        }
        for (index, ignore) in config.ignores.iter().enumerate() {
            if fits(ignore, &finding, &sources.get(finding.at.source).path) {
                used_ignores[index] = true;
                hit = true;
            }
        }
        match hit {
            true => applied.suppressed += 1,
            false => applied.kept.push(finding),
        }
    }
    for (comment, used) in comments.iter().zip(&used) {
        let path = &sources.get(comment.at.source).path;
        notes_of_comment(comment, used, path, around, &mut applied.notes);
    }
    for (ignore, used) in config.ignores.iter().zip(&used_ignores) {
        notes_of_ignore(ignore, *used, around, &mut applied.notes);
    }
    applied
}

/// Suppressions by source, so that a finding is not compared with those of other files.
struct Index<'c> {
    comments: &'c [Suppression],
    by_source: HashMap<SourceId, Vec<usize>>,
}

impl<'c> Index<'c> {
    fn of(comments: &'c [Suppression]) -> Index<'c> {
        let mut by_source: HashMap<SourceId, Vec<usize>> = Default::default();
        for (index, comment) in comments.iter().enumerate() {
            by_source.entry(comment.at.source).or_default().push(index);
        }
        Index { comments, by_source }
    }

    fn at(&self, place: Location) -> impl Iterator<Item = usize> {
        let list = self.by_source.get(&place.source).into_iter().flatten().copied();
        list.filter(move |&index| {
            let covers = self.comments[index].covers;
            covers.start <= place.span.start && place.span.start <= covers.end
        })
    }
}

fn names(name: &str, finding: &Finding) -> bool {
    let rule = finding.rule;
    name == rule.id || name == rule.group.name()
}

fn fits(ignore: &Ignore, finding: &Finding, path: &str) -> bool {
    names(&ignore.rule, finding)
        && ignore.path.as_ref().is_none_or(|pattern| pattern.fits(path))
        && ignore.name.as_ref().is_none_or(|name| matches(name, &finding.name))
}

fn notes_of_comment(comment: &Suppression, used: &[usize], path: &str, around: &Around<'_>, notes: &mut Vec<Note>) {
    let Around { now, known, in_force } = *around;
    let mut note = |rule, at, name: &str, message: String, help: &str| {
        notes.push(Note { rule, at, message, help: help.to_string(), name: name.to_string() });
    };
    if comment.rules.is_empty() {
        let message = "this suppression names no rule, so it suppresses nothing".to_string();
        note("ignore-unknown-rule", comment.at, "", message, "write `# pinguard: ignore[RULE] reason`");
    }
    if comment.reason.is_empty() {
        let message = "this suppression gives no reason".to_string();
        note(
            "ignore-no-reason",
            comment.at,
            "",
            message,
            "say why behind the bracket, so that the next reader can judge it",
        );
    }
    match &comment.until {
        Some(Ok(until)) if *until < now => {
            let message = format!("this suppression was meant to end on {until}; it still holds");
            note("ignore-expired", comment.at, "", message, "mend what it suppresses, or give it a new date");
        }
        Some(Err(text)) => {
            let message = format!("`until={}` is not a date, so this suppression never ends", text.escape_debug());
            note("ignore-expired", comment.at, "", message, "write it as `until=2027-01-31`");
        }
        _ => {}
    }
    for (position, (name, at)) in comment.rules.iter().enumerate() {
        let group = Group::ALL.iter().any(|group| group.name() == name);
        if !group && !known.contains(&name.as_str()) {
            let near = super::keys::nearest(name, known.iter().copied());
            let help =
                near.map_or("`pinguard rules` prints every rule".to_string(), |near| format!("did you mean `{near}`?"));
            let message = format!("no rule is named `{}`, so this suppresses nothing", name.escape_debug());
            note("ignore-unknown-rule", *at, name, message, &help);
        } else if !used.contains(&position) && in_force(name, path) {
            let message = format!("nothing here is suppressed by `{name}` any more");
            note("ignore-unused", *at, name, message, "take it away");
        }
    }
}

fn notes_of_ignore(ignore: &Ignore, used: bool, around: &Around<'_>, notes: &mut Vec<Note>) {
    let mut note = |rule, message: String, help: &str| {
        let name = ignore.rule.clone();
        notes.push(Note { rule, at: ignore.at, message, help: help.to_string(), name });
    };
    if let Some(until) = ignore.until.filter(|until| *until < around.now) {
        let message = format!("this suppression of `{}` was meant to end on {until}; it still holds", ignore.rule);
        note("ignore-expired", message, "mend what it suppresses, or give it a new date");
    }
    // Its pattern names no one file, so the rule has to be in force at the root.
    if !used && (around.in_force)(&ignore.rule, "") {
        note(
            "ignore-unused",
            format!("nothing is suppressed by this `[[ignore]]` of `{}`", ignore.rule),
            "take it away",
        );
    }
}

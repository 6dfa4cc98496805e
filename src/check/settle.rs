//! Levels, suppressions and what is wrong with them: from what rules say to what counts.

use super::judge::judge;
use crate::config::suppress::{self, Around, Note};
use crate::config::{Asked, Config};
use crate::model::finding::{Finding, Findings, Judged};
use crate::model::project::Project;
use crate::model::rule::{Level, Profile};
use crate::rules::{self, RULES};
use jiff::civil::Date;

/// What counts, and how much does not.
#[derive(Debug)]
pub struct Settled {
    /// Findings with their levels.
    pub judged: Vec<Judged>,
    /// How many were suppressed by comments or the configuration.
    pub suppressed: usize,
}

/// Applies the configuration and the suppressions of a project to what its rules say.
pub fn settle(project: &Project, found: Vec<Finding>, config: &Config, profile: Profile, now: Date) -> Settled {
    let level_of = |finding: &Finding| {
        let (rule, path) = (finding.rule, project.path(finding.at));
        config.level(profile, Asked { rule: rule.id, group: rule.group, levels: finding.levels, path })
    };
    let in_force = |name: &str, path: &str| is_in_force(config, profile, name, path);
    let known: Vec<&str> = RULES.iter().map(|registered| registered.rule.id).collect();
    // What is off is not there: nothing suppresses it.
    let found = found.into_iter().filter(|finding| level_of(finding) > Level::Off).collect();
    let comments = suppress::collect(&project.sources);
    let around = Around { now, known: &known, in_force: &in_force };
    let applied = suppress::apply(found, &comments, config, &project.sources, &around);
    let notes = applied.notes.into_iter().filter_map(finding);
    let left = applied.kept.into_iter().chain(notes).collect();
    Settled { judged: judge(project, left, &level_of), suppressed: applied.suppressed }
}

/// Whether every rule of this name is reported at every kind of site of a file, so that silence means that there is nothing.
fn is_in_force(config: &Config, profile: Profile, name: &str, path: &str) -> bool {
    let named =
        RULES.iter().map(|registered| registered.rule).filter(|rule| rule.id == name || rule.group.name() == name);
    let on = |rule: &crate::model::rule::Rule| {
        let asked = |levels| Asked { rule: rule.id, group: rule.group, levels, path };
        rule.levels.iter().all(|(_, levels)| config.level(profile, asked(*levels)) > Level::Off)
    };
    named.into_iter().all(on)
}

fn finding(note: Note) -> Option<Finding> {
    let rule = rules::named(note.rule)?.rule;
    Some(Findings::finding(rule, "suppression", note.at, note.message).help(note.help).about("", note.name))
}

//! Every key of the configuration and what it takes: the one table behind reading, hints and the schema.

use super::{peers, upgrade};
use crate::model::rule::{Level, Profile};

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A path pattern.
    Glob,
    /// A date.
    Date,
    /// A rule or a group.
    Rule,
    /// A list of texts.
    Texts,
    /// A list of these words.
    Words(fn() -> Vec<&'static str>),
    /// A list of path patterns.
    Globs,
    /// A list of rules and groups.
    Rules,
    /// Levels by rule or group.
    Levels,
    /// A table with the keys below it.
    Table,
    /// A list of tables with the keys below it.
    Tables,
    /// A list of rules and groups, or of tables with the keys below it.
    RulesOrTables,
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// Dotted path; keys of tables stand behind their table.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether a table without it is a mistake.
    pub required: bool,
}

const fn key(path: &'static str, kind: Kind) -> Key {
    Key { path, kind, required: false }
}

const fn required(path: &'static str, kind: Kind) -> Key {
    Key { path, kind, required: true }
}

/// Every key, in the order of the sample.
pub const KEYS: &[Key] = &[
    key("profile", Kind::Word(profiles)),
    key("fail-on", Kind::Word(thresholds)),
    key("select", Kind::Rules),
    key("ignore", Kind::RulesOrTables),
    key("exclude", Kind::Globs),
    key("baseline", Kind::Text),
    key("organisations", Kind::Texts),
    key("peers", Kind::Words(peers::names)),
    key("rules", Kind::Levels),
    key("require", Kind::Table),
    key("require.images", Kind::Word(strengths)),
    key("require.requirements", Kind::Word(strengths)),
    key("require.components", Kind::Word(strengths)),
    key("require.hooks", Kind::Word(strengths)),
    key("policy", Kind::Table),
    key("policy.images", Kind::Texts),
    key("policy.components", Kind::Texts),
    key("policy.indexes", Kind::Texts),
    key("lock", Kind::Table),
    key("lock.cooldown", Kind::Number),
    key("secrets", Kind::Table),
    key("secrets.allow", Kind::Texts),
    key("secrets.low-sensitivity", Kind::Texts),
    key("secrets.env-only-components", Kind::Texts),
    key("upgrade", Kind::Table),
    key("upgrade.level", Kind::Word(upgrade::reaches)),
    key("upgrade.allow", Kind::Texts),
    key("upgrade.ignore", Kind::Texts),
    key("upgrade.limit", Kind::Number),
    key("upgrade.base", Kind::Text),
    key("upgrade.remote", Kind::Text),
    key("upgrade.prefix", Kind::Text),
    key("upgrade.labels", Kind::Texts),
    key("upgrade.reviewers", Kind::Texts),
    key("upgrade.author", Kind::Text),
    key("upgrade.message", Kind::Text),
    key("upgrade.range-strategy", Kind::Word(upgrade::range_strategies)),
    key("upgrade.lockers", Kind::Word(lockers)),
    key("upgrade.allow-builds", Kind::Flag),
    key("upgrade.forge", Kind::Word(forges)),
    key("upgrade.api", Kind::Text),
    key("upgrade.cooldown", Kind::Table),
    key("upgrade.cooldown.all", Kind::Number),
    key("upgrade.cooldown.pypi", Kind::Number),
    key("upgrade.cooldown.oci", Kind::Number),
    key("upgrade.cooldown.git", Kind::Number),
    key("upgrade.cooldown.orb", Kind::Number),
    key("upgrade.cooldown.npm", Kind::Number),
    key("upgrade.cooldown.cargo", Kind::Number),
    key("upgrade.cooldown.go", Kind::Number),
    key("upgrade.cooldown.toolchain", Kind::Number),
    key("upgrade.cooldown.security", Kind::Number),
    key("upgrade.levels", Kind::Tables),
    required("upgrade.levels.match", Kind::Texts),
    required("upgrade.levels.level", Kind::Word(upgrade::reaches)),
    key("upgrade.groups", Kind::Tables),
    required("upgrade.groups.name", Kind::Text),
    required("upgrade.groups.match", Kind::Texts),
    key("paths", Kind::Tables),
    required("paths.glob", Kind::Glob),
    required("paths.level", Kind::Word(levels)),
    key("paths.rules", Kind::Rules),
    required("ignore.rule", Kind::Rule),
    key("ignore.path", Kind::Glob),
    key("ignore.name", Kind::Text),
    required("ignore.reason", Kind::Text),
    key("ignore.until", Kind::Date),
];

fn profiles() -> Vec<&'static str> {
    Profile::ALL.iter().map(|profile| profile.name()).collect()
}

/// Words for a level.
pub fn levels() -> Vec<&'static str> {
    Level::ALL.iter().map(|level| level.name()).collect()
}

fn thresholds() -> Vec<&'static str> {
    levels().into_iter().filter(|level| *level != "off").collect()
}

fn lockers() -> Vec<&'static str> {
    vec!["tool", "off"]
}

fn forges() -> Vec<&'static str> {
    vec!["github", "gitlab", "gitea"]
}

fn strengths() -> Vec<&'static str> {
    vec!["major", "minor", "exact", "immutable"]
}

/// The key at this path.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The names of the keys directly in a table; the top is the empty path.
pub fn in_table(table: &str) -> impl Iterator<Item = &'static Key> {
    let table = table.to_string();
    KEYS.iter().filter(move |key| key.path.rsplit_once('.').map_or("", |(above, _)| above) == table)
}

/// The word that is nearest to `word`, when one is near.
pub fn nearest<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let folded = word.to_ascii_lowercase().replace('_', "-");
    let limit = (folded.len() / 3).clamp(1, 4);
    let near = words.into_iter().map(|other| (distance(&folded, other), other));
    let near = near.filter(|(distance, other)| *distance <= limit || other.starts_with(&folded) && folded.len() > 2);
    near.min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// Edits (insert, remove, replace, swap of neighbours) from one word to another. Long words are not compared.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

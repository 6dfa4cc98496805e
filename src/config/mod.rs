//! `pinguard.toml`, or `[tool.pinguard]` of `pyproject.toml`: levels, demands, allow-lists, suppressions and the baseline.
//! Reads texts that it is given and never the disk; knows rules by their ids only.

pub mod baseline;
mod keys;
mod peers;
mod read;
pub mod schema;
pub mod suppress;
#[cfg(test)]
mod tests;
pub mod upgrade;

pub use keys::nearest;
pub use read::parse;

use crate::model::policy::Policy;
use crate::model::rule::{Group, Level, Levels, Profile};
use crate::model::span::Location;
use globset::{GlobBuilder, GlobMatcher};
use jiff::civil::Date;

/// A documented configuration: what `pinguard init` writes, and where the words of the schema come from.
pub const SAMPLE: &str = include_str!("../../docs/pinguard.sample.toml");

/// What a project asks for. The default is what holds without any configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `profile`.
    pub profile: Option<Profile>,
    /// `fail-on`.
    pub fail_on: Option<Level>,
    /// `select`: only these rules or groups; empty means all.
    pub select: Vec<String>,
    /// `ignore`: rules or groups that are off.
    pub ignore: Vec<String>,
    /// `[rules]`: levels by rule or group.
    pub rules: Vec<(String, Level)>,
    /// `[[paths]]`, the last that fits wins.
    pub paths: Vec<PathLevel>,
    /// `[require]`, `[policy]`, `[secrets]`, `organisations`, as rules see them.
    pub policy: Policy,
    /// `[[ignore]]`.
    pub ignores: Vec<Ignore>,
    /// `exclude`.
    pub exclude: Vec<Pattern>,
    /// `baseline`, relative to the project root.
    pub baseline: Option<String>,
    /// `[upgrade]`.
    pub upgrade: upgrade::Upgrade,
    /// `peers`: tools whose findings are not repeated.
    pub peers: Vec<String>,
}

/// A level for the files of a pattern.
#[derive(Debug, Clone)]
pub struct PathLevel {
    /// Which files.
    pub glob: Pattern,
    /// The level. Without `rules` it is the highest that a finding can have there.
    pub level: Level,
    /// Rules or groups whose level it is, whatever the profile says; empty means all.
    pub rules: Vec<String>,
}

/// A suppression of the configuration, for files that cannot carry a comment.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// Which rule or group.
    pub rule: String,
    /// Which files; none means all.
    pub path: Option<Pattern>,
    /// Which name (an image, an action, a package); `*` stands for any characters. None means all.
    pub name: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Option<Date>,
    /// Where it stands.
    pub at: Location,
}

/// A path pattern as `.gitignore` knows it, but always seen from the project root.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As written.
    pub text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// Compiles a pattern; the error says in words what is wrong.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let trimmed = text.trim_start_matches("./").trim_end_matches('/');
        let glob = GlobBuilder::new(trimmed).literal_separator(true).backslash_escape(true).build();
        let matcher = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Pattern { text: text.to_string(), matcher })
    }

    /// Whether the pattern fits a path, or a folder above it.
    pub fn fits(&self, path: &str) -> bool {
        let above = std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder));
        above.into_iter().any(|path| self.matcher.is_match(path))
    }
}

/// Something in the configuration that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: Location,
    /// What is wrong.
    pub text: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// What a level is asked for: a rule at a kind of site in a file.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// Its group.
    pub group: Group,
    /// Its levels at this kind of site.
    pub levels: Levels,
    /// The file, relative to the project root.
    pub path: &'a str,
}

impl Config {
    /// The level in force: the profile's, then `select` and `ignore`, then `[rules]` (ids before groups), then `[[paths]]`, then `peers`.
    pub fn level(&self, profile: Profile, asked: Asked<'_>) -> Level {
        let names = |name: &String| name == asked.rule || name == asked.group.name();
        let selected = self.select.is_empty() || self.select.iter().any(names);
        if !selected || self.ignore.iter().any(names) || peers::covered(&self.peers, asked.rule, asked.path) {
            return Level::Off;
        }
        let by_id = self.rules.iter().rev().find(|(name, _)| name == asked.rule);
        let by_group = || self.rules.iter().rev().find(|(name, _)| name == asked.group.name());
        let level = by_id.or_else(by_group).map_or(asked.levels.in_profile(profile), |(_, level)| *level);
        let place = self
            .paths
            .iter()
            .rev()
            .find(|place| (place.rules.is_empty() || place.rules.iter().any(names)) && place.glob.fits(asked.path));
        match place {
            Some(place) if place.rules.is_empty() => level.min(place.level),
            Some(place) => place.level,
            None => level,
        }
    }

    /// Whether files at this path are not read at all.
    pub fn excludes(&self, path: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.fits(path))
    }
}

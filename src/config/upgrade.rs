//! `[upgrade]`: what may move, how far, how old it must be, and what the branches and requests look like.

use crate::model::policy::matches;
use crate::model::reference::{Ecosystem, Subject};
use crate::model::wish::Reach;

/// What `[upgrade]` says; the default is what holds without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The branch that branches start from; none: the default branch of the remote.
    pub base: Option<String>,
    /// The remote to push to.
    pub remote: String,
    /// What the names of all branches begin with. Nothing else is ever touched.
    pub prefix: String,
    /// Labels of requests.
    pub labels: Vec<String>,
    /// Who is asked to review.
    pub reviewers: Vec<String>,
    /// Who commits: `Name <address>`.
    pub author: String,
    /// The first line of a commit; `{title}` is what moves.
    pub message: String,
    /// How many requests may be open at a time.
    pub limit: u32,
    /// How far things may move, unless a pattern says otherwise.
    pub level: Reach,
    /// How far the things of a pattern may move; the last that fits counts.
    pub levels: Vec<(Vec<String>, Reach)>,
    /// Only these; empty: all.
    pub allow: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// How many days old a release must be, by ecosystem.
    pub cooldown: Cooldown,
    /// What moves together.
    pub groups: Vec<Group>,
    /// What happens to ranges.
    pub ranges: RangeStrategy,
    /// Who makes lock files anew.
    pub lockers: Lockers,
    /// Whether a tool that makes a lock may build packages from source, which runs their code.
    pub builds: Builds,
    /// Which forge takes the requests, when its name does not tell.
    pub forge: Option<String>,
    /// Where the forge's interface is, when it is not at the usual place.
    pub api: Option<String>,
}

/// How many days old a release must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cooldown {
    /// Of every ecosystem that has no number of its own.
    pub all: Option<u32>,
    /// By ecosystem.
    pub by: Vec<(Ecosystem, u32)>,
    /// Of a release that mends a known vulnerability.
    pub security: Option<u32>,
}

/// Things that move in one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name: a part of the branch's.
    pub name: String,
    /// What belongs to it.
    pub matches: Vec<String>,
}

/// Who makes lock files anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lockers {
    /// The tool that each belongs to.
    #[default]
    Tool,
    /// Nobody: what needs it is held.
    Off,
}

/// What happens to the range of a requirement that a lock holds, by the names that Renovate gave to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RangeStrategy {
    /// Exact versions are raised; a range stays, and the lock moves within it.
    #[default]
    Auto,
    /// The range becomes the exact version.
    Pin,
    /// The lower bound follows every release.
    Bump,
    /// A range that does not take the release in is written anew.
    Replace,
    /// The upper bound is lifted until the range takes the release in.
    Widen,
    /// Nothing that is written is changed.
    InRangeOnly,
}

/// Words of the range strategies.
pub fn range_strategies() -> Vec<&'static str> {
    vec!["auto", "pin", "bump", "replace", "widen", "in-range-only"]
}

/// The range strategy of a word.
pub fn range_strategy_named(word: &str) -> RangeStrategy {
    match word {
        "pin" => RangeStrategy::Pin,
        "bump" => RangeStrategy::Bump,
        "replace" => RangeStrategy::Replace,
        "widen" => RangeStrategy::Widen,
        "in-range-only" => RangeStrategy::InRangeOnly,
        _ => RangeStrategy::Auto,
    }
}

/// Whether packages may be built from source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Builds {
    /// They are not.
    #[default]
    Forbidden,
    /// They may be.
    Allowed,
}

/// How many days a release waits unless the configuration says otherwise: most malicious releases are found and removed within three.
pub const DEFAULT_COOLDOWN: u32 = 3;

impl Default for Upgrade {
    fn default() -> Upgrade {
        Upgrade {
            base: None,
            remote: "origin".to_string(),
            prefix: "pinguard/".to_string(),
            labels: Vec::new(),
            reviewers: Vec::new(),
            author: "pinguard <pinguard@localhost>".to_string(),
            message: "{title}".to_string(),
            limit: 10,
            level: Reach::Major,
            levels: Vec::new(),
            allow: Vec::new(),
            ignore: Vec::new(),
            cooldown: Cooldown::default(),
            groups: Vec::new(),
            ranges: RangeStrategy::Auto,
            lockers: Lockers::Tool,
            builds: Builds::Forbidden,
            forge: None,
            api: None,
        }
    }
}

impl Upgrade {
    /// Why a subject is left alone, if it is: the pattern that says so.
    pub fn refuses(&self, subject: &Subject) -> Option<String> {
        if let Some(pattern) = self.ignore.iter().find(|pattern| fits(pattern, subject)) {
            return Some(format!("`[upgrade] ignore` has \"{pattern}\""));
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|pattern| fits(pattern, subject));
        (!allowed).then(|| "`[upgrade] allow` does not have it".to_string())
    }

    /// How far a subject may move.
    pub fn reach(&self, subject: &Subject) -> Reach {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, subject));
        self.levels.iter().rev().find(|(patterns, _)| fits(patterns)).map_or(self.level, |(_, reach)| *reach)
    }

    /// How many days old a release of an ecosystem must be.
    pub fn days(&self, ecosystem: Ecosystem) -> u32 {
        let own = self.cooldown.by.iter().find(|(of, _)| *of == ecosystem).map(|(_, days)| *days);
        own.or(self.cooldown.all).unwrap_or(DEFAULT_COOLDOWN)
    }

    /// How many days old a release that mends a known vulnerability must be.
    pub fn security_days(&self, ecosystem: Ecosystem) -> u32 {
        self.cooldown.security.unwrap_or(0).min(self.days(ecosystem))
    }

    /// The group that a subject belongs to, if the configuration names one.
    pub fn group(&self, subject: &Subject) -> Option<&Group> {
        self.groups.iter().find(|group| group.matches.iter().any(|pattern| fits(pattern, subject)))
    }
}

/// Whether a pattern fits a subject: `requests`, `pypi:*`, `git:actions/*`.
pub fn fits(pattern: &str, subject: &Subject) -> bool {
    match pattern.split_once(':') {
        Some((ecosystem, name)) if ecosystem_named(ecosystem).is_some() => {
            ecosystem == subject.ecosystem.name() && matches(name, &subject.name)
        }
        _ => matches(pattern, &subject.name),
    }
}

/// The ecosystems that have a cooldown of their own.
pub const ECOSYSTEMS: [Ecosystem; 8] = [
    Ecosystem::Pypi,
    Ecosystem::Oci,
    Ecosystem::Git,
    Ecosystem::Orb,
    Ecosystem::Npm,
    Ecosystem::Cargo,
    Ecosystem::Go,
    Ecosystem::Toolchain,
];

/// The ecosystem of a word.
pub fn ecosystem_named(word: &str) -> Option<Ecosystem> {
    use Ecosystem::{Apt, Cargo, Conda, Git, Go, Npm, Oci, Orb, Pypi, Toolchain};
    [Pypi, Oci, Git, Orb, Conda, Npm, Cargo, Go, Apt, Toolchain].into_iter().find(|one| one.name() == word)
}

/// Words for how far something may move.
pub fn reaches() -> Vec<&'static str> {
    vec!["patch", "minor", "major"]
}

/// The reach of a word.
pub fn reach_named(word: &str) -> Reach {
    match word {
        "patch" => Reach::Patch,
        "minor" => Reach::Minor,
        _ => Reach::Major,
    }
}

/// `Name <address>` in its parts.
pub fn author_parts(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('<')?;
    let (name, email) = (name.trim(), rest.strip_suffix('>')?.trim());
    let good = |part: &str| !part.is_empty() && !part.contains(['<', '>', '\n']);
    (good(name) && good(email)).then_some((name, email))
}

/// What is wrong with a lead of branch names, if anything is.
pub fn prefix_mistake(prefix: &str) -> Option<&'static str> {
    let parts: Vec<&str> = prefix.trim_end_matches(['/', '-']).split('/').collect();
    let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if prefix.len() < 2 || !prefix.ends_with(['/', '-']) {
        return Some("`prefix` must end with `/` or `-`, so that it cannot take in branches of yours");
    }
    let bad = |part: &&str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock") || part.contains("..");
    if !prefix.chars().all(sign) || parts.iter().any(bad) || prefix.starts_with('-') {
        return Some("`prefix` is not the beginning of a branch name");
    }
    None
}

//! What a rule is: a name, levels, a manual and a function. Does not know any rule.

use super::finding::Findings;
use super::project::Project;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not reported.
    Off,
    /// A practice is absent; at most one finding per rule and project.
    Advice,
    /// True but minor.
    Info,
    /// A line to edit, with a known better form.
    Warning,
    /// The promise is broken now.
    Error,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 5] = [Level::Off, Level::Advice, Level::Info, Level::Warning, Level::Error];

    /// The word in configuration and output.
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Advice => "advice",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// The level with this name.
    pub fn named(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Which set of levels is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// For every day.
    #[default]
    Default,
    /// The letter of the promise.
    Strict,
    /// Everything, likely false positives included.
    Audit,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Profile; 3] = [Profile::Default, Profile::Strict, Profile::Audit];

    /// The word in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Default => "default",
            Profile::Strict => "strict",
            Profile::Audit => "audit",
        }
    }
}

/// One level per profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// In profile `default`.
    pub default: Level,
    /// In profile `strict`.
    pub strict: Level,
    /// In profile `audit`.
    pub audit: Level,
}

impl Levels {
    /// The level in `profile`.
    pub fn in_profile(self, profile: Profile) -> Level {
        match profile {
            Profile::Default => self.default,
            Profile::Strict => self.strict,
            Profile::Audit => self.audit,
        }
    }

    /// The higher level of the two in every profile.
    pub fn max(self, other: Levels) -> Levels {
        let Levels { default, strict, audit } = other;
        levels(self.default.max(default), self.strict.max(strict), self.audit.max(audit))
    }
}

/// Levels in the order default, strict, audit: `levels(Warning, Error, Error)`.
pub const fn levels(default: Level, strict: Level, audit: Level) -> Levels {
    Levels { default, strict, audit }
}

/// A family of rules that can be selected as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Container images.
    Image,
    /// Python and other requirements.
    Requirement,
    /// Actions, includes, hooks.
    Component,
    /// Interpreters and machines.
    Runtime,
    /// How pins move.
    Upgrade,
    /// Whether the gate's verdict is true.
    Gate,
    /// Whether its log can be read.
    Log,
    /// Lock files.
    Lock,
    /// Secrets.
    Secret,
    /// What could not be read.
    Reading,
    /// pinguard's own suppressions and baseline.
    Control,
}

impl Group {
    /// Every group.
    pub const ALL: [Group; 11] = [
        Group::Image,
        Group::Requirement,
        Group::Component,
        Group::Runtime,
        Group::Upgrade,
        Group::Gate,
        Group::Log,
        Group::Lock,
        Group::Secret,
        Group::Reading,
        Group::Control,
    ];

    /// The word in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Group::Image => "images",
            Group::Requirement => "requirements",
            Group::Component => "components",
            Group::Runtime => "runtime",
            Group::Upgrade => "upgrade",
            Group::Gate => "gate",
            Group::Log => "log",
            Group::Lock => "locks",
            Group::Secret => "secrets",
            Group::Reading => "reading",
            Group::Control => "control",
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its frozen id.
    pub id: &'static str,
    /// Its family.
    pub group: Group,
    /// One sentence: what it finds.
    pub summary: &'static str,
    /// Levels per kind of site; the first entry is the main one.
    pub levels: &'static [(&'static str, Levels)],
    /// The version that brought it.
    pub since: &'static str,
    /// Looks at a project and reports.
    pub check: fn(&Project, &mut Findings),
}

impl Rule {
    /// The levels at a kind of site; a kind that the rule does not list is a mistake of ours.
    pub fn at(&self, kind: &str) -> Levels {
        let found = self.levels.iter().find(|(name, _)| *name == kind);
        found.unwrap_or_else(|| panic!("rule {} lists no site kind {kind}", self.id)).1
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

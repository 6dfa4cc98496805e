//! What a rule says: where, what, why, and what to do. Plain data; words are final here.

use super::edit::Edit;
use super::pin::Strength;
use super::reference::ReferenceId;
use super::rule::{Level, Levels, Rule};
use super::span::Location;

/// A further place with a word about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub at: Location,
    /// What is there.
    pub text: String,
}

/// How sure an edit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Same behaviour, offline.
    Safe,
    /// Same behaviour as today's run, after asking a registry.
    SafeOnline,
    /// May change behaviour.
    Unsafe,
    /// A person applies it.
    Guided,
}

impl Safety {
    /// The word of the output formats.
    pub fn name(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::SafeOnline => "safe-online",
            Safety::Unsafe => "unsafe",
            Safety::Guided => "guided",
        }
    }
}

/// What can be done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Hold a reference at least this firmly; the edit needs a look-up.
    Tighten {
        /// Which reference.
        reference: ReferenceId,
        /// How firmly.
        to: Strength,
    },
    /// These edits.
    Replace {
        /// The edits, disjoint.
        edits: Vec<Edit>,
        /// How sure they are.
        safety: Safety,
    },
    /// A text that a person puts in.
    Guide(String),
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// Its levels at this kind of site.
    pub levels: Levels,
    /// Where.
    pub at: Location,
    /// The fact and who is hurt, in one or two sentences.
    pub message: String,
    /// What to do, in the imperative, with the replacement text.
    pub help: String,
    /// Further places: members of an aggregate, the policy or the command that makes it matter.
    pub labels: Vec<Label>,
    /// What can be done.
    pub remedy: Option<Remedy>,
    /// Structural key path, for fingerprints.
    pub key: String,
    /// Name of what is concerned, for fingerprints. Never a secret's value.
    pub name: String,
}

impl Finding {
    /// Adds a further place.
    pub fn label(mut self, at: Location, text: impl Into<String>) -> Finding {
        self.labels.push(Label { at, text: text.into() });
        self
    }

    /// Says what can be done.
    pub fn remedy(mut self, remedy: Remedy) -> Finding {
        self.remedy = Some(remedy);
        self
    }

    /// Says what to do, in words.
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = help.into();
        self
    }

    /// Sets the structural key path and the name for the fingerprint.
    pub fn about(mut self, key: impl Into<String>, name: impl Into<String>) -> Finding {
        self.key = key.into();
        self.name = name.into();
        self
    }
}

/// Findings as rules report them.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Begins a finding at a kind of site that the rule lists.
    pub fn finding(rule: &'static Rule, kind: &str, at: Location, message: impl Into<String>) -> Finding {
        Finding {
            rule,
            levels: rule.at(kind),
            at,
            message: message.into(),
            help: String::new(),
            labels: Vec::new(),
            remedy: None,
            key: String::new(),
            name: String::new(),
        }
    }

    /// Reports it.
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// All of them in the order of reporting.
    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }
}

/// A finding with the level that is in force and the name it keeps from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What the rule said.
    pub finding: Finding,
    /// How much it matters here, after profile, configuration and suppressions.
    pub level: Level,
    /// Made from rule, path, structural key and name: the same when lines move or values change.
    pub fingerprint: String,
}

//! How much harm a secret does, and what that makes of a level (the modifiers of one scope). Knows no rule.

use super::company::Company;
use super::names;
use crate::model::pipeline::{Job, Pipeline};
use crate::model::policy;
use crate::model::project::Project;
use crate::model::rule::{Level, Levels};

/// How much harm a secret does when it is read, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harm {
    /// The configuration says that it may be anywhere.
    None,
    /// It ends with its job.
    Short,
    /// Plain configuration by its name.
    Plain,
    /// It only uploads reports, or the configuration says so.
    Low,
    /// Everything else.
    Full,
}

impl Project {
    /// How much harm a secret does, by its name and the configuration.
    pub fn harm(&self, secret: &str) -> Harm {
        // A configuration names the token of a job as its users do.
        let known = if secret == names::JOB_TOKEN { "GITHUB_TOKEN" } else { secret };
        let named = |list: &[String]| list.iter().any(|pattern| policy::matches(pattern, known));
        if named(&self.policy.allowed_secrets) {
            Harm::None
        } else if names::is_short_lived(secret) {
            Harm::Short
        } else if named(&self.policy.low_sensitivity) || names::is_low(secret) {
            Harm::Low
        } else if names::is_identifier(secret) {
            Harm::Plain
        } else {
            Harm::Full
        }
    }

    /// The most harm that one of several secrets does.
    pub fn worst<'n>(&self, secrets: impl IntoIterator<Item = &'n str>) -> Harm {
        secrets.into_iter().map(|secret| self.harm(secret)).max().unwrap_or(Harm::None)
    }
}

/// What makes a finding about a scope weigh more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// The most harm that one of the secrets does.
    pub harm: Harm,
    /// Whether tests, installs or a component that can change are in the scope, or a proposed patch starts it.
    pub exposed: bool,
    /// Whether a protected environment stands before it and no patch can start it.
    pub protected: bool,
}

impl Weight {
    /// Of secrets that `company` can read.
    pub fn new(harm: Harm, company: &Company) -> Weight {
        Weight { harm, exposed: company.exposed(), protected: company.protected }
    }

    /// The levels after weighing. What is off stays off, and nothing that is on is weighed away: the lowest is `info`.
    ///
    /// Exposure does not lift a secret that does little harm: an upload token beside tests is what every project has.
    pub fn weigh(self, levels: Levels) -> Levels {
        let lighter = i32::from(self.harm < Harm::Full) + i32::from(self.protected);
        let heavier = i32::from(self.exposed && self.harm == Harm::Full);
        let weigh = |level| shifted(level, heavier - lighter);
        Levels { default: weigh(levels.default), strict: weigh(levels.strict), audit: weigh(levels.audit) }
    }
}

fn shifted(level: Level, by: i32) -> Level {
    const LADDER: [Level; 3] = [Level::Info, Level::Warning, Level::Error];
    let Some(at) = LADDER.iter().position(|step| *step == level) else { return level };
    LADDER[(at as i32 + by).clamp(0, 2) as usize]
}

/// Whether a protected environment stands before a job and no patch can start it.
pub fn is_protected(pipeline: &Pipeline, job: &Job) -> bool {
    let on_patch = pipeline.triggers.patch && job.on_patch != Some(false);
    job.environment.is_some() && !on_patch
}

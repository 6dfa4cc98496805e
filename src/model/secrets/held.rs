//! The secrets of one scope, sorted by what they are: real ones, and tokens that every job has anyway.

use super::names::is_short_lived;
use super::weight::Harm;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;

/// The secrets among the variables of one scope. What the configuration allows is left out.
#[derive(Debug, Clone)]
pub struct Held<'p> {
    /// Variables with at least one secret that outlives its job.
    pub secrets: Vec<&'p Assignment>,
    /// Variables with nothing but tokens that end with their job.
    pub tokens: Vec<&'p Assignment>,
    /// The most harm that one of the secrets does.
    pub harm: Harm,
}

impl<'p> Held<'p> {
    /// Sorts the variables of one scope. Whole sets (`*`) are left out: they have rules of their own.
    pub fn sort(project: &Project, variables: impl IntoIterator<Item = &'p Assignment>) -> Held<'p> {
        let mut held = Held { secrets: Vec::new(), tokens: Vec::new(), harm: Harm::None };
        for variable in variables {
            let Value::Secret { names, .. } = &variable.value else { continue };
            let harm = project.worst(names.iter().map(String::as_str));
            if harm == Harm::None || names.iter().any(|name| name == "*") {
                continue;
            }
            if names.iter().all(|name| is_short_lived(name)) {
                held.tokens.push(variable);
            } else {
                held.harm = held.harm.max(harm);
                held.secrets.push(variable);
            }
        }
        held
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.tokens.is_empty()
    }
}

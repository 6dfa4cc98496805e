//! Which secrets are in the environment of a step, and from where. Knows nothing that a server adds and no file shows.

use super::names::{UNNAMED, is_short_lived};
use super::sinks;
use crate::model::dialect::Exporter;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::span::Location;

/// How a secret comes into the environment of a step, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// The step has it alone.
    Step,
    /// The container of the job has it.
    Container,
    /// The job has it.
    Job,
    /// An earlier step wrote it into the environment of later ones.
    Persisted,
    /// An earlier component exported it.
    Exported,
    /// All jobs have it.
    Pipeline,
    /// The system puts it there, whether asked for or not.
    Present,
}

/// A secret that a step can read from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// The variable.
    pub variable: String,
    /// The secrets in it, by name; `*` for a whole set.
    pub secrets: Vec<String>,
    /// How it comes there.
    pub reach: Reach,
    /// Where it is put there.
    pub at: Location,
    /// Structural key path of that place.
    pub key: String,
    /// Whether the value is a secret and nothing else, so that masks that know exact values know it.
    pub whole: bool,
    /// Whether all of it ends by itself soon.
    pub short_lived: bool,
}

impl Readable {
    /// An assignment as something that can be read; `None` when no secret is in it.
    pub fn of(assignment: &Assignment, reach: Reach) -> Option<Readable> {
        let Value::Secret { names, whole, derived } = &assignment.value else { return None };
        Some(Readable {
            variable: assignment.name.clone(),
            secrets: names.clone(),
            reach,
            at: assignment.at,
            key: assignment.key.clone(),
            whole: *whole && !derived,
            short_lived: names.iter().all(|name| is_short_lived(name)),
        })
    }
}

impl Project {
    /// Every secret in the environment of step `index` of a job, by variable: the narrowest assignment of a name wins, and one without a
    /// secret hides a wider one. Secrets that the configuration allows anywhere are left out.
    pub fn secrets_at(&self, pipeline: &Pipeline, job: &Job, index: usize) -> Vec<Readable> {
        let step = &job.steps[index];
        let mut found: Vec<Readable> = Vec::new();
        let mut named: Vec<&str> = Vec::new();
        let layers: [(&[Assignment], Option<Reach>); 3] =
            [(&step.env, Some(Reach::Step)), (&job.env, None), (&pipeline.env, Some(Reach::Pipeline))];
        let persisted = self.left_behind(pipeline, job, index);
        for (number, (list, reach)) in layers.into_iter().enumerate() {
            for assignment in list.iter().filter(|one| one.scope != Scope::Input) {
                let several = is_set(assignment) || assignment.name == UNNAMED;
                if named.contains(&assignment.name.as_str()) && !several {
                    continue;
                }
                named.push(&assignment.name);
                let reach =
                    reach.unwrap_or(if assignment.scope == Scope::Container { Reach::Container } else { Reach::Job });
                found.extend(Readable::of(assignment, reach));
            }
            // What earlier steps persisted wins over the job and loses against the step.
            if number == 0 {
                for readable in &persisted {
                    if found.iter().all(|known| known.variable != readable.variable || readable.variable == "*") {
                        found.push(readable.clone());
                    }
                }
            }
        }
        for token in pipeline.system.present {
            if found.iter().any(|known| known.variable == *token) {
                continue;
            }
            found.push(Readable {
                variable: token.to_string(),
                secrets: vec![token.to_string()],
                reach: Reach::Present,
                at: job.at,
                key: job.key.clone(),
                whole: true,
                short_lived: is_short_lived(token),
            });
        }
        found.retain(|readable| self.worst(readable.secrets.iter().map(String::as_str)) > super::Harm::None);
        found
    }

    /// What the steps before `index` put into the environment of those after them.
    pub fn left_behind(&self, pipeline: &Pipeline, job: &Job, index: usize) -> Vec<Readable> {
        let mut left = Vec::new();
        for (number, step) in job.steps.iter().enumerate().take(index) {
            left.extend(self.exported(pipeline, step));
            for kept in
                sinks::persisted(pipeline, job, number).into_iter().filter(|kept| kept.sink == sinks::Sink::Environment)
            {
                let secrets = kept.secrets;
                left.push(Readable {
                    variable: kept.variable,
                    short_lived: secrets.iter().all(|name| is_short_lived(name)),
                    secrets,
                    reach: Reach::Persisted,
                    at: kept.at,
                    key: step.key.clone(),
                    whole: kept.whole,
                });
            }
        }
        left
    }

    /// What the component of a step puts into the environment of later steps.
    fn exported(&self, pipeline: &Pipeline, step: &Step) -> Vec<Readable> {
        let StepKind::Uses { component, inputs } = &step.kind else { return Vec::new() };
        let name = self.reference(*component).subject.name.to_ascii_lowercase();
        let Some(exporter) = pipeline.system.secrets.exporters.iter().find(|known| known.component == name) else {
            return Vec::new();
        };
        if !exports(exporter, inputs) {
            return Vec::new();
        }
        let short_lived = exporter.short_lived_with.is_some_and(|input| inputs.iter().any(|one| one.name == input));
        let readable = |variable: &&str| Readable {
            variable: variable.to_string(),
            secrets: vec![variable.to_string()],
            reach: Reach::Exported,
            at: step.at,
            key: step.key.clone(),
            whole: true,
            short_lived,
        };
        exporter.exports.iter().map(readable).collect()
    }
}

/// Several sets may have one name.
fn is_set(assignment: &Assignment) -> bool {
    matches!(&assignment.value, Value::Secret { names, .. } if names.iter().any(|name| name == "*"))
}

fn exports(exporter: &Exporter, inputs: &[Assignment]) -> bool {
    let says = |(name, text): (&str, &str)| {
        inputs.iter().any(|one| one.name == name && matches!(&one.value, Value::Literal(value) if value == text))
    };
    exporter.only_with.is_none_or(says) && !exporter.not_with.is_some_and(says)
}

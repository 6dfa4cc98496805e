//! From the base to steps: what the policy lets move, what registries know, and what is held.

use super::Run;
use super::base::Base;
use super::branch::{Fault, Held};
use super::look::Look;
use super::seen::Seen;
use crate::config::upgrade::Upgrade;
use crate::model::change::Why;
use crate::model::edit::Patch;
use crate::model::knowledge::{Miss, MissKind};
use crate::plan::newer::{self, Around, Step};
use crate::plan::topic::Places;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io;

/// What moves, what does not, and what was met for the first time.
pub struct Planned {
    /// What moves.
    pub steps: Vec<Step>,
    /// What does not.
    pub held: Vec<Held>,
    /// Targets without a date.
    pub first_seen: BTreeMap<String, Timestamp>,
    /// How many references were looked at.
    pub looked_at: usize,
}

/// Makes the plan.
pub fn make(run: &Run<'_>, base: &Base, policy: &Upgrade, seen: &Seen) -> io::Result<Planned> {
    let project = &base.project;
    let places = places(run);
    let (mut wanted, held) = newer::wanted(project, policy, &places);
    wanted.retain(|wanted| run.asks_for(&project.reference(wanted.reference).subject));
    let mut planned =
        Planned { steps: Vec::new(), held: Vec::new(), first_seen: BTreeMap::new(), looked_at: wanted.len() };
    for (id, why) in held {
        if run.asks_for(&project.reference(id).subject) {
            planned.held.push((id, why, Fault::Policy));
        }
    }
    let look = Look {
        http: run.http,
        environment: run.environment,
        project,
        policy,
        seen: &seen.dates,
        now: run.now,
        folder: run.folder.clone(),
    };
    let found = run.ask(look.ask(&wanted))?;
    let around =
        Around { project, knowledge: &found.knowledge, dates: &found.dates, policy, places: &places, now: run.now };
    for wanted in &wanted {
        match newer::step(&around, wanted) {
            Ok(Some(step)) => planned.steps.push(step),
            Ok(None) => {}
            Err(why) => {
                let fault = fault(&why);
                planned.held.push((wanted.reference, why, fault));
            }
        }
    }
    // Only what held something back is worth a place in the record.
    planned.first_seen = found.first_seen;
    part(&mut planned);
    Ok(planned)
}

/// A look-up that failed is the world's fault; one that was answered with "no such thing" is the project's.
fn fault(why: &Why) -> Fault {
    match why {
        Why::Unknown(Miss { kind: MissKind::Refused | MissKind::Unreachable | MissKind::Lying, .. }) => Fault::World,
        _ => Fault::Policy,
    }
}

/// The servers that names without a host belong to: those of the CI that runs us.
fn places(run: &Run<'_>) -> Places {
    let get = |name: &str| run.environment.get(name).map(|url| url.trim_end_matches('/').to_string());
    let usual = Places::default();
    Places {
        github: get("GITHUB_SERVER_URL").unwrap_or(usual.github),
        gitlab: get("CI_SERVER_URL").unwrap_or(usual.gitlab),
    }
}

/// Holds every step whose edits meet different edits of another one: neither may decide for the other.
fn part(planned: &mut Planned) {
    let clash = |a: &Step, b: &Step| {
        let mut patch = Patch::default();
        patch.merge(a.edits.clone()).is_err() || patch.merge(b.edits.clone()).is_err()
    };
    let steps = &planned.steps;
    let source = |step: &Step| step.reference.source;
    let shared: Vec<bool> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let others = steps.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            others.filter(|other| source(other) == source(step)).any(|other| clash(step, other))
        })
        .collect();
    let mut shared = shared.into_iter();
    let held = &mut planned.held;
    planned.steps.retain(|step| {
        let parts = shared.next().unwrap_or(false);
        if parts {
            held.push((step.reference, Why::Shared, Fault::Policy));
        }
        !parts
    });
}

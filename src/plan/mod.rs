//! Wishes and knowledge to changes and edits: what a reference moves to, how that is spelled in its slots, and what is held.
//!
//! Everything here is a pure function of what it is given. It asks nobody: [`topic`] says what there is to ask.

pub mod describe;
pub mod group;
pub mod images;
pub mod lines;
pub mod newer;
pub mod order;
pub mod packages;
pub mod ranges;
pub mod refs;
pub mod security;
pub mod select;
pub mod spell;
pub mod topic;
pub mod versions;

use crate::model::change::{Change, Held, Why};
use crate::model::edit::{Edit, Patch};
use crate::model::knowledge::Knowledge;
use crate::model::project::Project;
use crate::model::wish::{Wish, Wishes};
use select::Target;
use topic::Places;

/// What a run changes, and what it leaves with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    /// The changes, each with its own edits.
    pub changes: Vec<(Change, Vec<Edit>)>,
    /// What was wanted and is not done.
    pub held: Vec<Held>,
}

/// Decides every wish on what was looked up.
pub fn moves(project: &Project, wishes: &Wishes, knowledge: &Knowledge, places: &Places) -> Moves {
    let mut moves = Moves::default();
    for wish in wishes.iter() {
        match one(project, wish, knowledge, places) {
            Ok(Some((change, edits))) => moves.changes.push((change, edits)),
            Ok(None) => {}
            Err(why) => moves.hold(wish, why),
        }
    }
    moves.part();
    moves
}

/// `None`: it is as wanted already.
fn one(
    project: &Project,
    wish: &Wish,
    knowledge: &Knowledge,
    places: &Places,
) -> Result<Option<(Change, Vec<Edit>)>, Why> {
    let reference = project.reference(wish.reference);
    let Target { to, remark } = select::target(project, reference, wish.goal, knowledge, places)?;
    let edits = spell::edits(&project.sources, reference, &to)?;
    if edits.is_empty() {
        return Ok(None);
    }
    let from = reference.pin.clone();
    let change = Change { reference: wish.reference, from, to, because: wish.because.clone(), remark };
    Ok(Some((change, edits)))
}

impl Moves {
    fn hold(&mut self, wish: &Wish, why: Why) {
        self.held.push(Held { reference: wish.reference, why, because: wish.because.clone() });
    }

    /// Holds every change whose edits meet different edits of another one: neither may decide for the other.
    fn part(&mut self) {
        let clash = |a: &[Edit], b: &[Edit]| {
            let mut patch = Patch::default();
            patch.merge(a.to_vec()).is_err() || patch.merge(b.to_vec()).is_err()
        };
        let mut by_source: std::collections::BTreeMap<_, Vec<usize>> = std::collections::BTreeMap::new();
        for (index, (_, edits)) in self.changes.iter().enumerate() {
            for edit in edits {
                by_source.entry(edit.at.source).or_default().push(index);
            }
        }
        let mut shared = vec![false; self.changes.len()];
        for indices in by_source.values() {
            for (position, &a) in indices.iter().enumerate() {
                for &b in indices[position + 1..].iter().filter(|&&b| b != a) {
                    if clash(&self.changes[a].1, &self.changes[b].1) {
                        (shared[a], shared[b]) = (true, true);
                    }
                }
            }
        }
        let mut shared = shared.into_iter();
        let mut held = Vec::new();
        self.changes.retain(|(change, _)| {
            let parts = shared.next().unwrap_or(false);
            if parts {
                let because = change.because.clone();
                held.push(Held { reference: change.reference, why: Why::Shared, because });
            }
            !parts
        });
        self.held.extend(held);
        self.held.sort_by_key(|held| held.reference);
    }

    /// All edits as one patch.
    pub fn patch(&self) -> Patch {
        let mut patch = Patch::default();
        for (_, edits) in &self.changes {
            // What clashes was parted before.
            let _ = patch.merge(edits.clone());
        }
        patch
    }

    /// Takes back a change that turned out to be wrong after all.
    pub fn take_back(&mut self, reference: crate::model::reference::ReferenceId, why: &Why) {
        let mut taken = Vec::new();
        self.changes.retain(|(change, _)| {
            let keep = change.reference != reference;
            if !keep {
                taken.push(Held { reference, why: why.clone(), because: change.because.clone() });
            }
            keep
        });
        self.held.extend(taken);
        self.held.sort_by_key(|held| held.reference);
    }
}

//! What is wanted of a reference, by whom. Wishes on one reference join before anything is looked up, so that two rules never fight
//! over one line. Knows no registry.

use super::pin::Strength;
use super::reference::ReferenceId;
use std::collections::BTreeMap;

/// How far from what is written a target may lie. Nearer is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// What a run of today would take: the newest that the written version or range admits.
    Written,
    /// The same minor version.
    Patch,
    /// The same major version.
    Minor,
    /// Any newer one.
    Major,
}

/// What is wanted: a product of total orders, so that the join of goals does not depend on their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Goal {
    /// Hold it at least this firmly.
    pub strength: Strength,
    /// Do not go further than this.
    pub reach: Reach,
}

impl Goal {
    /// Hold what a run of today would take, at least this firmly.
    pub fn hold(strength: Strength) -> Goal {
        Goal { strength, reach: Reach::Written }
    }

    /// Both: the greater strength and the nearer reach.
    pub fn join(self, other: Goal) -> Goal {
        Goal { strength: self.strength.max(other.strength), reach: self.reach.min(other.reach) }
    }
}

/// Who wants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// A rule, by its id.
    Rule(&'static str),
    /// A newer release within the policy.
    Newer,
    /// A published vulnerability, by its id.
    Vulnerable(String),
    /// The release was withdrawn, with the reason given.
    Yanked(String),
}

/// What is wanted of one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Of which.
    pub reference: ReferenceId,
    /// What.
    pub goal: Goal,
    /// By whom: sorted, without repetitions.
    pub because: Vec<Because>,
}

/// All wishes of a run: one per reference.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    by_reference: BTreeMap<ReferenceId, Wish>,
}

impl Wishes {
    /// Adds a wish to those that are there. The result is the same for any order of wishes, and for any of them twice.
    pub fn add(&mut self, reference: ReferenceId, goal: Goal, because: Because) {
        let joined = self.by_reference.entry(reference).or_insert(Wish { reference, goal, because: Vec::new() });
        joined.goal = joined.goal.join(goal);
        if let Err(at) = joined.because.binary_search(&because) {
            joined.because.insert(at, because);
        }
    }

    /// The joined wishes in order of references.
    pub fn iter(&self) -> impl Iterator<Item = &Wish> {
        self.by_reference.values()
    }

    /// The joined wish for a reference.
    pub fn of(&self, reference: ReferenceId) -> Option<&Wish> {
        self.by_reference.get(&reference)
    }

    /// How many references somebody wants something of.
    pub fn len(&self) -> usize {
        self.by_reference.len()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.by_reference.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn wishes_join_in_any_order() {
        let reference = ReferenceId { source: SourceId(0), index: 0 };
        let list = [
            (Goal::hold(Strength::Exact), Because::Rule("image-tag-floating")),
            (Goal { strength: Strength::Immutable, reach: Reach::Major }, Because::Newer),
            (Goal::hold(Strength::Immutable), Because::Rule("image-no-digest")),
        ];
        let joined = |order: &[usize]| {
            let mut wishes = Wishes::default();
            order.iter().for_each(|&at| wishes.add(reference, list[at].0, list[at].1.clone()));
            wishes
        };
        let first = joined(&[0, 1, 2]);
        assert_eq!(first.of(reference).map(|wish| wish.goal), Some(Goal::hold(Strength::Immutable)));
        for order in [&[2, 1, 0][..], &[1, 0, 2, 1, 1], &[2, 0, 1, 0]] {
            assert_eq!(joined(order), first, "{order:?}");
        }
    }
}

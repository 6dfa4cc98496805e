//! What many rules ask of one project, worked out by the first that asks. Holds numbers and owned values only, so that it can live beside the
//! facts that it speaks of.

use super::images::ImagePlace;
use super::literal::sites::Literal;
use super::literal::value::Strength;
use super::reference::ReferenceId;
use super::secrets::flow::Carry;
use super::span::Location;
use std::sync::{Arc, OnceLock};

/// Answers that are kept. They hold for the facts and the gate of a project: who changes those begins anew.
#[derive(Debug, Default)]
pub struct Derived {
    /// Per command of [`Project::commands`](super::project::Project::commands): whether the gate runs it.
    pub(super) gate: OnceLock<Vec<bool>>,
    /// The same: whether CI runs it.
    pub(super) run: OnceLock<Vec<bool>>,
    /// Images: the first reference, where the others stand, how it is used.
    pub(super) images: OnceLock<Vec<(ReferenceId, Vec<Location>, ImagePlace)>>,
    /// Texts that are secrets by their names and by themselves.
    pub(super) written: OnceLock<Vec<(Literal, Strength)>>,
    /// Scripts that carry secrets, by their place in the order of [`Project::flows`](super::project::Project::flows), and what they carry.
    pub(super) carries: OnceLock<Vec<(u32, Arc<[Carry]>)>>,
}

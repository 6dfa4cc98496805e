//! # What it finds
//!
//! A suppression, in a comment or in `[[ignore]]`, of a rule that finds nothing at its place.
//!
//! # Why
//!
//! It hides the next finding of that rule there, which nobody has judged.
//!
//! # What is not a finding
//!
//! A suppression of a rule that is switched off, and any suppression in a run over a part of the project or of the rules.
//!
//! # What to do
//!
//! Take it away.
//!
//! # Levels
//!
//! `info` in every profile: it never fails a run.
//!
//! # Examples
//!
//! ```yaml
//! image: python:3.12.7 # pinguard: ignore[image-tag-latest] our own base
//! ```

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Info;
use crate::model::rule::{Group, Rule, levels};

/// The rule. Its findings are made where suppressions are applied, after every other rule has spoken.
pub static RULE: Rule = Rule {
    id: "ignore-unused",
    group: Group::Control,
    summary: "a suppression suppresses nothing any more",
    levels: &[("suppression", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(_: &Project, _: &mut Findings) {}

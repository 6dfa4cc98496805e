//! # What it finds
//!
//! A suppression comment whose bracket names no rule and no group, or that has no bracket at all.
//!
//! # Why
//!
//! It suppresses nothing, and looks as if it did.
//!
//! # What is not a finding
//!
//! The name of a group (`images`, `secrets` …). An `[[ignore]]` of an unknown rule is a mistake in the configuration.
//!
//! # What to do
//!
//! Write the id as `pinguard rules` prints it.
//!
//! # Levels
//!
//! `info` in every profile: it never fails a run.
//!
//! # Examples
//!
//! ```yaml
//! image: python:latest # pinguard: ignore[image-latest] our own base
//! ```

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Info;
use crate::model::rule::{Group, Rule, levels};

/// The rule. Its findings are made where suppressions are applied, after every other rule has spoken.
pub static RULE: Rule = Rule {
    id: "ignore-unknown-rule",
    group: Group::Control,
    summary: "a suppression names a rule that does not exist",
    levels: &[("suppression", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(_: &Project, _: &mut Findings) {}

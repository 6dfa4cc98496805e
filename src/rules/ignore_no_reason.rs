//! # What it finds
//!
//! A suppression comment with nothing behind the bracket.
//!
//! # Why
//!
//! The next reader has to be able to judge whether it still holds.
//!
//! # What is not a finding
//!
//! A suppression with any words behind the bracket. An `[[ignore]]` without a reason is a mistake in the configuration.
//!
//! # What to do
//!
//! Say why, in a few words.
//!
//! # Levels
//!
//! `info` in every profile: it never fails a run.
//!
//! # Examples
//!
//! ```yaml
//! image: python:latest # pinguard: ignore[image-tag-latest]
//! ```

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Info;
use crate::model::rule::{Group, Rule, levels};

/// The rule. Its findings are made where suppressions are applied, after every other rule has spoken.
pub static RULE: Rule = Rule {
    id: "ignore-no-reason",
    group: Group::Control,
    summary: "a suppression does not say why",
    levels: &[("suppression", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(_: &Project, _: &mut Findings) {}

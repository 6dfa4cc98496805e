//! # What it finds
//!
//! A suppression (`# pinguard: ignore[RULE] reason until=DATE`, or an `[[ignore]]` with `until`) whose day has passed, or whose date
//! cannot be read.
//!
//! # Why
//!
//! Somebody meant to look again. The suppression still holds, because nothing may turn red by the calendar alone.
//!
//! # What is not a finding
//!
//! A suppression without a date.
//!
//! # What to do
//!
//! Mend what it suppresses and take it away, or give it a new date.
//!
//! # Levels
//!
//! `info` in every profile: it never fails a run.
//!
//! # Examples
//!
//! ```yaml
//! image: python:latest # pinguard: ignore[image-tag-latest] until the move is done until=2026-01-31
//! ```

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::Info;
use crate::model::rule::{Group, Rule, levels};

/// The rule. Its findings are made where suppressions are applied, after every other rule has spoken.
pub static RULE: Rule = Rule {
    id: "ignore-expired",
    group: Group::Control,
    summary: "a suppression has passed its day",
    levels: &[("suppression", levels(Info, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(_: &Project, _: &mut Findings) {}

//! pinguard answers one question before a patch is merged: can anything that CI runs change under us, or leak, without a commit?
//!
//! The way of a run: `world` discovers sources, `formats` read each to facts, `rules` look at the facts of the whole project and
//! report findings, `report` prints them. `docs/architecture.md` has the map and the table of allowed imports.

pub mod check;
pub mod cli;
pub mod commands;
pub mod compare;
pub mod config;
pub mod ecosystems;
pub mod formats;
pub mod model;
pub mod plan;
pub mod report;
pub mod resolve;
pub mod rules;
pub mod syntax;
pub mod tools;
pub mod world;

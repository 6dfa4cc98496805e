//! What everything talks about: plain owned data. No I/O, nothing that can fail, nothing of the other layers.

pub mod change;
pub mod check;
pub mod components;
pub mod container;
pub mod dialect;
pub mod edit;
pub mod environment;
pub mod facts;
pub mod finding;
pub mod images;
pub mod installs;
pub mod knowledge;
pub mod lock;
pub mod manifest;
pub mod pin;
pub mod pipeline;
pub mod policy;
pub mod project;
pub mod reference;
pub mod rule;
pub mod script;
pub mod secrets;
pub mod source;
pub mod span;
pub mod text;
pub mod wish;

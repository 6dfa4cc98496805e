//! The only place that touches disk, clock, processes and environment. Makes no decision.

pub mod clock;
pub mod disk;

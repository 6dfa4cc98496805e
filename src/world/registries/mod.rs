//! The registries of each ecosystem, over the one HTTP client. They answer what was asked and decide nothing.

pub mod git_host;
pub mod oci;
pub mod published;
pub mod pypi;

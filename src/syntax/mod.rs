//! Bytes to trees whose every scalar knows where it stands. Total: any text gives a tree and a list of problems. Knows no format.

pub mod dockerfile;
pub mod groovy;
pub mod hcl;
pub mod ini;
pub mod json;
pub mod python;
pub mod requirements;
pub mod shell;
pub mod toml;
pub mod tree;
pub mod yaml;

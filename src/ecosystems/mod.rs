//! How a pin is written, read and compared, one ecosystem per file. Knows no file that holds it and no network.

pub mod conda;
pub mod dotted;
pub mod git;
pub mod npm;
pub mod oci;
pub mod orb;
pub mod pypi;
pub mod toolchain;
pub mod variable;

//! How a pin is written, read and compared, one ecosystem per file. Knows no file that holds it and no network.

pub mod conda;
pub mod pypi;

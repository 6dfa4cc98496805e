//! Words beside the output: notices go to standard error, so that standard output stays what was asked for.

use std::io::{self, Write};

/// Writes a notice. A closed standard error is nobody's failure.
pub fn note(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

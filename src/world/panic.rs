//! What is said when pinguard itself is wrong: where, and how to report it. Never the text of the panic when it was made at run time: a
//! slice out of bounds quotes the text that it was cut from, and that may hold a secret.
#![expect(clippy::print_stderr, reason = "a panic has no writer")]

use std::panic::{self, PanicHookInfo};

/// From now on a panic says its place, and its text only when that is part of the program.
pub fn quiet() {
    panic::set_hook(Box::new(|info| eprintln!("{}", told(info))));
}

fn told(info: &PanicHookInfo) -> String {
    let place = info.location().map_or(String::new(), |at| format!(" at {}:{}", at.file(), at.line()));
    // A text that was put together at run time is a `String`; one that stands in the program is a `&'static str`.
    let text = info.payload().downcast_ref::<&'static str>().map_or(String::new(), |text| format!(": {text}"));
    format!(
        "pinguard: a mistake of pinguard's own{place}{text}\nplease report it with this line and the file that it happened on, secrets taken out"
    )
}

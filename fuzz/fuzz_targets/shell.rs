//! Shell scripts to commands.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let text = pinguard::model::text::Mapped::verbatim(text, pinguard::model::span::SourceId(0), 0);
    let _ = pinguard::syntax::shell::parse(&text, pinguard::model::script::Shell::PIPEFAIL);
});

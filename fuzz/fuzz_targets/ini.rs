//! configparser files to sections.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = pinguard::syntax::ini::parse(pinguard::model::span::SourceId(0), text);
});

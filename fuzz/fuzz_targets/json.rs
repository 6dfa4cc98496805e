//! JSON with comments to a tree.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = pinguard::syntax::json::parse(pinguard::model::span::SourceId(0), text);
});

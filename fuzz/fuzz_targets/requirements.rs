//! `requirements.txt` through formats, gate and every rule.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut sources = pinguard::model::source::Sources::default();
    sources.add("requirements.txt", text);
    let project = pinguard::check::read(sources, Vec::new(), Default::default());
    let _ = pinguard::check::findings(&project);
});

//! YAML to a tree, and every node of it looked at.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let tree = pinguard::syntax::yaml::parse(pinguard::model::span::SourceId(0), text);
    for root in tree.roots() {
        let _ = (root.text(), root.mapped(), root.entries().count(), root.items().count());
    }
});

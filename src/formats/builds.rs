//! Image builds that stand in other files: the text of a Dockerfile in compose and bake files. Knows neither.

use crate::ecosystems::oci;
use crate::model::facts::Facts;
use crate::model::reference::Role;
use crate::model::text::Mapped;
use std::collections::HashSet;

/// The images of `FROM` lines; stages are none.
pub fn inline(text: &Mapped, key: &str, facts: &mut Facts) {
    let mut stages = HashSet::new();
    let mut start = 0;
    for line in text.text.split_inclusive('\n') {
        let words: Vec<&str> = line.split_whitespace().collect();
        let from = words.first().is_some_and(|word| word.eq_ignore_ascii_case("from"));
        let image = words.iter().skip(1).find(|word| !word.starts_with("--")).filter(|_| from);
        if let Some(image) = image.filter(|image| !stages.contains(&image.to_lowercase())) {
            let at = start + (image.as_ptr() as usize - line.as_ptr() as usize);
            let reference = oci::image(&text.text(at..at + image.len()), Role::BaseImage, key);
            if let Some(reference) = reference {
                facts.push(reference);
            }
        }
        let named = words.iter().position(|word| word.eq_ignore_ascii_case("as")).filter(|_| from);
        stages.extend(named.and_then(|at| words.get(at + 1)).map(|name| name.to_lowercase()));
        start += line.len();
    }
}

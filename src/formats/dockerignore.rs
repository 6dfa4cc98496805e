//! `.dockerignore`: which files of the context an image build does not see. Knows no build.

use super::{Claim, Format, by_path};
use crate::model::facts::Facts;
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};

/// The format.
pub static FORMAT: Format = Format { name: "dockerignore", claims, sniff: by_path, read };

/// `.dockerignore`, and `Dockerfile.dockerignore` for one file alone; `.containerignore` is podman's name.
fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends = [".dockerignore", ".containerignore"];
    if ends.iter().any(|end| name.ends_with(end)) { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let text = line.trim();
        if !text.is_empty() && !text.starts_with('#') {
            let from = start + line.len() - line.trim_start().len();
            facts.unseen.push((text.to_string(), Location::new(source.id, Span::new(from, from + text.len()))));
        }
        start += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::facts_of;
    use super::FORMAT;

    #[test]
    fn patterns_are_read_with_their_places() {
        let text = "# no\n*\n\n  !src \n";
        let facts = facts_of(&FORMAT, ".dockerignore", text);
        let shown: Vec<&str> = facts.unseen.iter().map(|(_, at)| &text[at.span.range()]).collect();
        assert_eq!(shown, ["*", "!src"]);
    }
}

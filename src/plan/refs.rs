//! Tags of a git repository: which names a commit most exactly, and which are newer. Asks no host.

use super::images::within;
use super::order;
use crate::ecosystems::git;
use crate::model::knowledge::{GitRef, GitRefs};
use crate::model::pin::Strength;
use crate::model::wish::Reach;
use std::cmp::Reverse;

/// The tag that names a commit most exactly: a whole version, of the line of `written` where there are several lines.
pub fn most_exact<'r>(refs: &'r GitRefs, commit: &'r str, written: Option<&str>) -> Option<&'r GitRef> {
    let wide = written.and_then(order::read);
    let tags = refs.tags_of(commit).filter(|tag| order::read(&tag.name).is_some());
    tags.min_by_key(|tag| {
        let number = order::read(&tag.name);
        let of_line = |number: &order::Numbered<'_>| {
            wide.as_ref().is_none_or(|wide| wide.same_line(number) && number.is_within(wide))
        };
        let line = !number.as_ref().is_some_and(of_line);
        let pre = number.as_ref().is_some_and(|number| number.pre.is_some());
        let exact = git::ref_strength(&tag.name) < Strength::Exact;
        let parts = number.map_or(0, |number| number.numbers.len());
        (line, exact, pre, Reverse(parts), tag.name.len(), tag.name.as_str())
    })
}

/// Newer tags of the line of `tag` that name a whole version, within a reach, newest first.
pub fn newer<'r>(tag: &str, refs: &'r GitRefs, reach: Reach) -> Vec<&'r GitRef> {
    let Some(now) = order::read(tag) else { return Vec::new() };
    let mut list: Vec<(order::Numbered<'r>, &'r GitRef)> = refs
        .tags
        .iter()
        .filter_map(|tag| Some((order::read(&tag.name)?, tag)))
        .filter(|(number, tag)| number.same_line(&now) && git::ref_strength(&tag.name) >= Strength::Exact)
        .filter(|(number, _)| number.pre.is_none() || now.pre.is_some())
        .filter(|(number, _)| now.distance(number).is_some_and(|distance| within(distance, reach)))
        .collect();
    list.sort_by(|a, b| b.0.cmp_version(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    list.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs(list: &[(&str, &str)]) -> GitRefs {
        let tag = |(name, commit): &(&str, &str)| GitRef {
            name: name.to_string(),
            commit: commit.to_string(),
            object: None,
            date: None,
        };
        GitRefs { tags: list.iter().map(tag).collect(), ..GitRefs::default() }
    }

    #[test]
    fn the_most_exact_name_of_a_commit_wins() {
        let refs = refs(&[
            ("v4", "a"),
            ("v4.2", "a"),
            ("v4.2.1", "a"),
            ("v4.2.1-rc1", "a"),
            ("ui-v9.0.0", "a"),
            ("nightly", "a"),
        ]);
        let name = |written| most_exact(&refs, "a", written).map(|tag| tag.name.as_str());
        assert_eq!(name(Some("v4")), Some("v4.2.1"));
        assert_eq!(name(Some("ui-v9")), Some("ui-v9.0.0"));
        assert_eq!(name(Some("main")), Some("v4.2.1"));
        assert_eq!(name(None), Some("v4.2.1"));
        assert_eq!(most_exact(&refs, "b", None), None);
    }

    #[test]
    fn newer_tags_are_whole_versions() {
        let refs =
            refs(&[("v4", "a"), ("v4.2.1", "a"), ("v4.3.0", "b"), ("v5.0.0", "c"), ("v5.1.0-rc1", "d"), ("v5", "c")]);
        let names = |tag, reach| newer(tag, &refs, reach).iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names("v4.2.1", Reach::Major), ["v5.0.0", "v4.3.0"]);
        assert_eq!(names("v4.2.1", Reach::Minor), ["v4.3.0"]);
        assert_eq!(names("v5.0.0", Reach::Major), [""; 0]);
    }
}

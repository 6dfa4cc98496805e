//! Lists of versions (npm, crates, Go modules, orbs, pipes, interpreters): what fits a written version, and what is newer. Asks nobody.

use super::images::within;
use super::order::{self, Numbered};
use crate::model::knowledge::Published;
use crate::model::wish::Reach;

/// Newer whole versions within a reach, newest first. Pre-releases and what was withdrawn are no targets.
pub fn newer<'p>(now: &str, published: &'p Published, reach: Reach) -> Vec<&'p str> {
    let Some(now) = order::read(now) else { return Vec::new() };
    let mut list = whole(published);
    list.retain(|number| now.distance(number).is_some_and(|distance| within(distance, reach)));
    list.sort_by(|a, b| b.cmp_version(a));
    list.into_iter().map(|number| number.text).collect()
}

/// The version that a run of today takes for what is written: nothing, a word such as `latest`, a part of a version (`2`, `2.1`), or a
/// caret or tilde range. `Err`: what is written is not understood, or nothing fits it.
pub fn fitting<'p>(written: &str, published: &'p Published) -> Result<&'p str, String> {
    let written = written.trim();
    let mut list = whole(published);
    list.sort_by(|a, b| b.cmp_version(a));
    let nothing = || format!("no version fits `{written}`");
    if matches!(written, "" | "*" | "latest" | "volatile" | "upgrade") {
        let usual = published.usual.as_deref().and_then(|usual| {
            published.versions.iter().map(|one| one.version.as_str()).find(|version| *version == usual)
        });
        return usual.or_else(|| list.first().map(|number| number.text)).ok_or_else(nothing);
    }
    let bare = written.trim_start_matches(['^', '~', '=', 'v']);
    let is_number = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let Some(wide) = order::read(bare).filter(|_| is_number) else {
        return Err(format!("`{written}` is not understood as a version; write the one that is meant"));
    };
    let fits = |number: &&Numbered<'_>| match written.as_bytes().first() {
        Some(b'^') => same(&wide, number, first_that_counts(&wide)) && !older(number, &wide),
        Some(b'~') => same(&wide, number, wide.numbers.len().min(2)) && !older(number, &wide),
        _ => number.is_within(&wide),
    };
    list.iter().find(fits).map(|number| number.text).ok_or_else(nothing)
}

/// A version as the place spells it: what stands before its number there stays (`v`, `python`), that of the registry goes.
pub fn spelled(written: &str, version: &str) -> String {
    let before = order::read(written).map_or("", |number| number.before);
    let before = if before.chars().all(|c| "^~=<>".contains(c)) { "" } else { before };
    match version.strip_prefix('v') {
        Some(_) if before.is_empty() && written.starts_with(|c: char| !c.is_ascii_digit()) => version.to_string(),
        Some(bare) => format!("{before}{bare}"),
        None => format!("{before}{version}"),
    }
}

/// Versions without words around them that were not withdrawn.
fn whole(published: &Published) -> Vec<Numbered<'_>> {
    let usable = published.versions.iter().filter(|one| !one.withdrawn);
    let read = usable.filter_map(|one| order::read(&one.version));
    read.filter(|one| matches!(one.before, "" | "v") && one.after.is_empty() && one.pre.is_none()).collect()
}

/// How many numbers stay under `^`: up to the first that is not zero.
fn first_that_counts(wide: &Numbered<'_>) -> usize {
    wide.numbers.iter().position(|number| *number > 0).map_or(wide.numbers.len(), |at| at + 1)
}

fn same(wide: &Numbered<'_>, number: &Numbered<'_>, count: usize) -> bool {
    number.numbers.len() >= count && number.numbers[..count] == wide.numbers[..count]
}

fn older(number: &Numbered<'_>, wide: &Numbered<'_>) -> bool {
    number.cmp_version(wide).is_lt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::knowledge::PublishedVersion;

    fn published(list: &[&str], usual: Option<&str>) -> Published {
        let one = |text: &&str| PublishedVersion {
            version: text.trim_end_matches('!').to_string(),
            released: None,
            withdrawn: text.ends_with('!'),
        };
        Published { versions: list.iter().map(one).collect(), usual: usual.map(str::to_string) }
    }

    #[test]
    fn what_a_run_takes_is_found() {
        let list =
            published(&["1.9.0", "2.0.0", "2.1.3", "2.10.0", "2.11.0!", "3.0.0-rc.1", "0.2.3", "0.3.0"], Some("2.1.3"));
        for (written, want) in [
            ("", Some("2.1.3")),
            ("latest", Some("2.1.3")),
            ("2", Some("2.10.0")),
            ("2.1", Some("2.1.3")),
            ("^2.0.0", Some("2.10.0")),
            ("~2.1.0", Some("2.1.3")),
            ("^0.2.0", Some("0.2.3")),
            ("4", None),
            (">=1 <2", None),
            ("next", None),
        ] {
            assert_eq!(fitting(written, &list).ok(), want, "{written}");
        }
        let plain = published(&["1.9.0", "1.10.0"], None);
        assert_eq!(fitting("volatile", &plain), Ok("1.10.0"));
    }

    #[test]
    fn newer_versions_are_whole_and_within_reach() {
        let list = published(&["v1.0.0", "v1.0.1", "v1.1.0", "v2.0.0", "v2.1.0-beta.1"], None);
        assert_eq!(newer("v1.0.0", &list, Reach::Major), ["v2.0.0", "v1.1.0", "v1.0.1"]);
        assert_eq!(newer("1.0.0", &list, Reach::Patch), ["v1.0.1"]);
    }

    #[test]
    fn the_spelling_of_the_place_stays() {
        assert_eq!(spelled("python3.12.1", "3.13.0"), "python3.13.0");
        assert_eq!(spelled("v1.0.0", "v1.1.0"), "v1.1.0");
        assert_eq!(spelled("latest", "v1.1.0"), "v1.1.0");
        assert_eq!(spelled("^1", "1.1.0"), "1.1.0");
        assert_eq!(spelled("3.12", "3.12.9"), "3.12.9");
        assert_eq!(spelled("", "3.12.9"), "3.12.9");
    }
}

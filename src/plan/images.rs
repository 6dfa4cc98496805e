//! Tags of one image: which of them may name the same content more exactly, and which are newer. Asks no registry.

use super::order::{self, Numbered};
use crate::ecosystems::oci;
use crate::model::pin::Strength;
use crate::model::wish::Reach;
use std::cmp::Reverse;

/// The most tags whose digest is asked for to find one that names the same content.
pub const MOST: usize = 12;

/// Tags that move with everything and say nothing of a line.
const WORDS: [&str; 8] = ["latest", "stable", "lts", "main", "master", "current", "edge", "release"];

/// Tags that may name what `tag` names today, more exactly; the likeliest first, at most [`MOST`].
///
/// `3.12-slim` may be `3.12.7-slim` or `3.12.7-slim-bookworm`, `latest` the highest release, `bookworm-slim` the newest
/// `bookworm-20240101-slim`. Which of them it is, only their digests tell.
pub fn more_exact<'t>(name: &str, tag: &str, tags: &'t [String]) -> Vec<&'t str> {
    if oci::tag_strength(name, tag) >= Strength::Exact {
        return Vec::new();
    }
    let wide = order::read(tag);
    let mut ranked: Vec<(usize, Reverse<Sortable<'t>>, usize, &'t str)> = tags
        .iter()
        .filter(|candidate| *candidate != tag && oci::tag_strength(name, candidate) >= Strength::Exact)
        .filter_map(|candidate| {
            let number = order::read(candidate)?;
            let extra = match &wide {
                Some(wide) => refines(wide, &number)?,
                None => names_word(tag, &number)?,
            };
            Some((extra, Reverse(Sortable(number)), candidate.len(), candidate.as_str()))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(_, _, _, candidate)| candidate).take(MOST).collect()
}

/// How many words `number` adds to a tag with a number; `None`: it is of another line.
fn refines(wide: &Numbered<'_>, number: &Numbered<'_>) -> Option<usize> {
    let same_start = wide.before.trim_end_matches(['v', 'V']) == number.before.trim_end_matches(['v', 'V']);
    let longer = number.numbers.len() >= wide.numbers.len();
    let fits = same_start && longer && number.is_within(wide) && number.pre.is_none() == wide.pre.is_none();
    if !fits {
        return None;
    }
    words_added(wide.after, number.after)
}

/// How many words `number` adds to a tag without one.
fn names_word(tag: &str, number: &Numbered<'_>) -> Option<usize> {
    if number.pre.is_some() {
        return None;
    }
    let words: Vec<&str> = tag.split(['-', '_']).filter(|word| !WORDS.contains(word) && !word.is_empty()).collect();
    let before: Vec<&str> = number.before.split(['-', '_']).filter(|word| !word.is_empty() && *word != "v").collect();
    let after: Vec<&str> = number.after.split(['-', '_', '+']).filter(|word| !word.is_empty()).collect();
    let all: Vec<&str> = before.iter().chain(&after).copied().collect();
    // The words of the tag in their order, each perhaps with a number of its own (`alpine` is `alpine3.20`).
    let mut rest = all.iter();
    let each = words.iter().all(|word| rest.any(|other| other == word || is_numbered(other, word)));
    // What stands before the number names another product (`python3.12`), unless the tag says it.
    let foreign = before.iter().any(|word| !words.contains(word));
    (each && !foreign).then(|| all.len() - words.len())
}

fn words_added(wide: &str, narrow: &str) -> Option<usize> {
    let split = |text: &str| -> Vec<String> {
        text.split(['-', '_', '+']).filter(|word| !word.is_empty()).map(str::to_string).collect()
    };
    let (wide, narrow) = (split(wide), split(narrow));
    let mut rest = narrow.iter();
    let each = wide.iter().all(|word| rest.any(|other| other == word || is_numbered(other, word)));
    each.then(|| narrow.len() - wide.len())
}

/// `alpine3.20` for `alpine`.
fn is_numbered(text: &str, word: &str) -> bool {
    let rest = text.strip_prefix(word);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Newer tags of the same line within a reach, newest first.
pub fn newer<'t>(tag: &str, tags: &'t [String], reach: Reach) -> Vec<&'t str> {
    let Some(now) = order::read(tag) else { return Vec::new() };
    let mut list: Vec<Numbered<'t>> = tags
        .iter()
        .filter_map(|candidate| order::read(candidate))
        .filter(|candidate| candidate.same_line(&now) && candidate.numbers.len() == now.numbers.len())
        .filter(|candidate| candidate.pre.is_none() || now.pre.is_some())
        .filter(|candidate| now.distance(candidate).is_some_and(|distance| within(distance, reach)))
        .collect();
    list.sort_by(|a, b| b.cmp_version(a).then_with(|| a.text.cmp(b.text)));
    list.into_iter().map(|candidate| candidate.text).collect()
}

/// Whether a step at this number (0 is the major one) lies within a reach.
pub fn within(distance: usize, reach: Reach) -> bool {
    match reach {
        Reach::Written => false,
        Reach::Patch => distance >= 2,
        Reach::Minor => distance >= 1,
        Reach::Major => true,
    }
}

/// A name in the order of its version.
#[derive(Debug, PartialEq, Eq)]
struct Sortable<'t>(Numbered<'t>);

impl PartialOrd for Sortable<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sortable<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp_version(&other.0).then_with(|| self.0.text.cmp(other.0.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_string).collect()
    }

    #[test]
    fn more_exact_tags_are_ranked() {
        let all = tags(
            "latest 3 3.12 3.13 3.12.6 3.12.7 3.13.1 3.14.0rc1 3.12-slim 3.12.7-slim 3.12.6-slim 3.12.7-slim-bookworm \
             slim alpine 3.13.1-slim 3.13.1-alpine3.20 3.13.1-alpine3.19 windowsservercore",
        );
        let exact = |tag: &str| more_exact("python", tag, &all);
        assert_eq!(exact("3.12"), ["3.12.7", "3.12.6", "3.12.7-slim", "3.12.6-slim", "3.12.7-slim-bookworm"]);
        assert_eq!(exact("3.12-slim"), ["3.12.7-slim", "3.12.6-slim", "3.12.7-slim-bookworm"]);
        assert_eq!(exact("latest")[..3], ["3.13.1", "3.12.7", "3.12.6"]);
        assert_eq!(exact("alpine"), ["3.13.1-alpine3.20", "3.13.1-alpine3.19"]);
        assert_eq!(exact("3.12.7"), [""; 0]);
        assert!(
            more_exact("x", "latest", &tags(&(0..40).map(|n| format!("1.0.{n}")).collect::<Vec<_>>().join(" "))).len()
                == MOST
        );
    }

    #[test]
    fn serials_refine_code_names() {
        let all = tags(
            "bookworm bookworm-slim bookworm-20240101-slim bookworm-20240201-slim bookworm-20240201 trixie-20250101-slim",
        );
        assert_eq!(more_exact("debian", "bookworm-slim", &all), ["bookworm-20240201-slim", "bookworm-20240101-slim"]);
        assert_eq!(more_exact("debian", "bookworm", &all)[0], "bookworm-20240201");
    }

    #[test]
    fn newer_tags_stay_in_their_line_and_reach() {
        let all = tags("3.12.1-slim 3.12.7-slim 3.13.1-slim 3.13.1 4.0.0-slim 3.12 3.14.0rc1-slim 3.12.1-alpine");
        assert_eq!(newer("3.12.1-slim", &all, Reach::Patch), ["3.12.7-slim"]);
        assert_eq!(newer("3.12.1-slim", &all, Reach::Minor), ["3.13.1-slim", "3.12.7-slim"]);
        assert_eq!(newer("3.12.1-slim", &all, Reach::Major), ["4.0.0-slim", "3.13.1-slim", "3.12.7-slim"]);
        assert_eq!(newer("latest", &all, Reach::Major), [""; 0]);
    }
}

//! Ranges that are written anew when their release moves, by the names that Renovate gave to the ways of doing so. Asks nobody.

use crate::config::upgrade::RangeStrategy;
use crate::ecosystems::pypi;

/// A range that takes `version` in, as a strategy writes it. `None`: it stays as it is, or cannot be written in its form.
pub fn moved(strategy: RangeStrategy, written: &str, version: &str) -> Option<String> {
    let fits = pypi::satisfies(written, version) == Some(true);
    let text = match strategy {
        RangeStrategy::Auto | RangeStrategy::InRangeOnly => return None,
        RangeStrategy::Replace | RangeStrategy::Widen if fits => return None,
        RangeStrategy::Pin => format!("=={version}"),
        _ => clauses(written, |clause| rewritten(strategy, clause, version, fits)),
    };
    (text != written && pypi::satisfies(&text, version) == Some(true)).then_some(text)
}

/// Each clause rewritten, what stands between them kept.
fn clauses(written: &str, rewrite: impl Fn(&str) -> String) -> String {
    let one = |part: &str| {
        let clause = part.trim();
        part.replacen(clause, &rewrite(clause), 1)
    };
    written.split(',').map(one).collect::<Vec<_>>().join(",")
}

fn rewritten(strategy: RangeStrategy, clause: &str, version: &str, fits: bool) -> String {
    let start = clause.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(clause.len());
    let (operator, old) = clause.split_at(start);
    let kept = || clause.to_string();
    let (bare, star) = old.strip_suffix(".*").map_or((old, ""), |bare| (bare, ".*"));
    let parts = bare.split('.').count();
    match (operator.trim(), strategy) {
        ("<", _) if !fits => format!("{operator}{}", above(bare, version)),
        ("<=", _) if !fits => format!("{operator}{version}"),
        ("<" | "<=" | "!=", _) | (_, RangeStrategy::Widen) => kept(),
        (">=" | ">", RangeStrategy::Bump) => format!(">={version}"),
        ("^" | "~", RangeStrategy::Bump) => format!("{operator}{version}"),
        ("~=", RangeStrategy::Bump) => format!("{operator}{}", first(version, parts.max(2))),
        (">=" | ">", _) => format!(">={}", first(version, parts)),
        ("~=", _) => format!("{operator}{}", first(version, parts.max(2))),
        ("^" | "~" | "==", _) => format!("{operator}{}{star}", first(version, parts)),
        _ => kept(),
    }
}

/// The first numbers of a version; missing ones are nought.
fn first(version: &str, count: usize) -> String {
    let numbers: Vec<&str> = version.split('.').collect();
    (0..count).map(|at| numbers.get(at).copied().unwrap_or("0")).collect::<Vec<_>>().join(".")
}

/// The bound above a version that is as wide as the old one: `<2` for 2.4 becomes `<3`, `<1.5` becomes `<2.5`.
fn above(old: &str, version: &str) -> String {
    let old: Vec<u64> = old.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    let last = old.iter().rposition(|part| *part != 0).unwrap_or(0);
    let numbers: Vec<u64> = version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
    let part = |index: usize| match index {
        _ if index < last => at(index),
        _ if index == last => at(index) + 1,
        _ => 0,
    };
    (0..old.len()).map(|index| part(index).to_string()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use RangeStrategy::{Auto, Bump, InRangeOnly, Pin, Replace, Widen};

    #[test]
    fn ranges_are_written_as_their_strategy_says() {
        for (strategy, written, version, want) in [
            (Auto, ">=1,<2", "2.4.1", None),
            (InRangeOnly, ">=1", "2.4.1", None),
            (Replace, ">=1,<2", "1.5", None),
            (Replace, ">=1, <2", "2.4.1", Some(">=2, <3")),
            (Replace, ">=1.2,<1.5,!=1.3", "2.4.1", Some(">=2.4,<2.5,!=1.3")),
            (Replace, "~=1.4", "2.4.1", Some("~=2.4")),
            (Replace, "==1.*", "2.4.1", Some("==2.*")),
            (Replace, "<2.0", "2.4.1", Some("<3.0")),
            (Widen, ">=1,<2", "2.4.1", Some(">=1,<3")),
            (Widen, "~=1.4", "2.4.1", None),
            (Bump, ">=1", "2.4.1", Some(">=2.4.1")),
            (Bump, ">=1,<2", "1.5.2", Some(">=1.5.2,<2")),
            (Pin, ">=1", "2.4.1", Some("==2.4.1")),
        ] {
            assert_eq!(moved(strategy, written, version).as_deref(), want, "{strategy:?} {written} {version}");
        }
    }
}

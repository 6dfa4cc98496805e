//! The order of version-like names (tags of images and of git): which name is newer, more exact, or of another line. Asks nobody.

use std::cmp::Ordering;

/// A name with the dotted number in it: `v4.2.1`, `3.12-slim`, `release-1.2`, `bookworm-20240101-slim`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<'t> {
    /// The name as a whole.
    pub text: &'t str,
    /// What stands before the number.
    pub before: &'t str,
    /// The numbers.
    pub numbers: Vec<u64>,
    /// What follows, a numbered pre-release left out.
    pub after: &'t str,
    /// The pre-release: `rc1` of `3.13.0rc1-slim`.
    pub pre: Option<&'t str>,
}

/// Words of pre-releases.
const PRE: [&str; 12] = ["rc", "a", "b", "alpha", "beta", "pre", "preview", "c", "m", "dev", "snapshot", "nightly"];

/// Reads a name; `None` when no number is in it.
pub fn read(text: &str) -> Option<Numbered<'_>> {
    let start = start_of_number(text)?;
    let (mut numbers, mut end) = (Vec::new(), start);
    loop {
        let digits = text[end..].bytes().take_while(u8::is_ascii_digit).count();
        numbers.push(text[end..end + digits].parse().unwrap_or(u64::MAX));
        end += digits;
        let more = text[end..].strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !more {
            break;
        }
        end += 1;
    }
    let (pre, after) = pre_release(&text[end..]);
    Some(Numbered { text, before: &text[..start], numbers, after, pre })
}

/// The first digit that begins a word, or follows a single `v` or the letters of a word (`python3.12`).
fn start_of_number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let begins = |at: usize| at == 0 || !bytes[at - 1].is_ascii_digit();
    (0..bytes.len()).find(|&at| bytes[at].is_ascii_digit() && begins(at))
}

fn pre_release(rest: &str) -> (Option<&str>, &str) {
    let word = rest.trim_start_matches(['-', '.', '_']);
    let lead = rest.len() - word.len();
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let tail = word[letters..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let known = PRE.contains(&word[..letters].to_ascii_lowercase().as_str());
    let ends = word[letters + tail..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
    if letters > 0 && known && ends && (tail > 0 || letters > 2) {
        let end = lead + letters + tail;
        return (Some(&rest[..end]), &rest[end..]);
    }
    (None, rest)
}

impl Numbered<'_> {
    /// Whether both are of one line: the same words around the number, a leading `v` aside.
    pub fn same_line(&self, other: &Numbered<'_>) -> bool {
        let bare = |before: &str| before.strip_suffix(['v', 'V']).unwrap_or(before).to_string();
        bare(self.before) == bare(other.before) && self.after == other.after
    }

    /// Whether it names a version inside of what `wider` names: `4.2.1` inside of `4`.
    pub fn is_within(&self, wider: &Numbered<'_>) -> bool {
        self.numbers.len() >= wider.numbers.len() && self.numbers[..wider.numbers.len()] == wider.numbers[..]
    }

    /// How far `newer` is: the first number that differs (0 major, 1 minor, 2 and more patch); `None`: it is not newer.
    pub fn distance(&self, newer: &Numbered<'_>) -> Option<usize> {
        if newer.cmp_version(self) != Ordering::Greater {
            return None;
        }
        let at = |list: &[u64], index: usize| list.get(index).copied().unwrap_or(0);
        let longest = self.numbers.len().max(newer.numbers.len());
        Some((0..longest).find(|&index| at(&self.numbers, index) != at(&newer.numbers, index)).unwrap_or(2))
    }

    /// The order of versions; a pre-release is before its release.
    pub fn cmp_version(&self, other: &Numbered<'_>) -> Ordering {
        let longest = self.numbers.len().max(other.numbers.len());
        let at = |list: &[u64], index: usize| list.get(index).copied().unwrap_or(0);
        let by_number = (0..longest).map(|index| at(&self.numbers, index).cmp(&at(&other.numbers, index)));
        by_number.fold(Ordering::Equal, Ordering::then).then_with(|| match (self.pre, other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => cmp_natural(a, b),
        })
    }
}

/// Compares words with numbers in them by their numbers: `rc2` before `rc10`.
fn cmp_natural(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> (String, u64) {
        let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        (letters.to_ascii_lowercase(), digits.parse().unwrap_or(0))
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (text, before, numbers, after, pre) in [
            ("v4.2.1", "v", &[4, 2, 1][..], "", None),
            ("3.12-slim", "", &[3, 12], "-slim", None),
            ("3.13.0rc1-slim", "", &[3, 13, 0], "-slim", Some("rc1")),
            ("1.0.0-beta.2", "", &[1, 0, 0], "", Some("-beta.2")),
            ("name-v1.2", "name-v", &[1, 2], "", None),
            ("bookworm-20240101-slim", "bookworm-", &[20_240_101], "-slim", None),
            ("python3.12", "python", &[3, 12], "", None),
            ("2.0.0-alpine3.19", "", &[2, 0, 0], "-alpine3.19", None),
        ] {
            let found = read(text).expect(text);
            assert_eq!(
                (found.before, &found.numbers[..], found.after, found.pre),
                (before, numbers, after, pre),
                "{text}"
            );
        }
        assert_eq!(read("latest"), None);
    }

    #[test]
    fn versions_are_ordered_and_measured() {
        let order = ["1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.1", "1.2", "1.10", "2"];
        for pair in order.windows(2) {
            let (a, b) = (read(pair[0]).expect("a"), read(pair[1]).expect("b"));
            assert_eq!(a.cmp_version(&b), Ordering::Less, "{pair:?}");
        }
        let distance = |a: &str, b: &str| read(a).expect("a").distance(&read(b).expect("b"));
        assert_eq!(distance("v4.1.0", "v5.0.0"), Some(0));
        assert_eq!(distance("v4.1.0", "v4.2.0"), Some(1));
        assert_eq!(distance("v4.1.0", "v4.1.9"), Some(2));
        assert_eq!(distance("v4.1.0", "v4.1.0"), None);
        assert_eq!(distance("v4", "v4.1.0"), Some(1));
    }
}

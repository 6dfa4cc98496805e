//! Container images: how `[registry/]path[:tag][@digest]` is read, and how firmly a tag holds. Asks no registry.
//!
//! Grammar: <https://pkg.go.dev/github.com/distribution/reference>.

use super::dotted;
use super::variable::{self, Variable};
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::reference::{Ecosystem, Reference, Role, Slot};
use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use std::ops::Range;

pub use super::variable::is_variable;

/// Reads an image reference; `None` for `scratch`, for an empty text, and for a text that no engine would take for an image.
///
/// A variable with a written default (`${TAG:-3.12}`) counts as that default, and the slot points into it. A variable without one
/// leaves `strength` open, unless a tag or digest is written behind it (`$REGISTRY/app:latest` is `latest` all the same).
pub fn image(text: &Text, role: Role, key: &str) -> Option<Reference> {
    if let Some(part) = whole_default(&text.text) {
        let inner = Text { text: text.text[part.clone()].to_string(), at: text.place(part), verbatim: text.verbatim };
        return image(&inner, role, key);
    }
    let place = |part: Range<usize>| text.verbatim.then(|| text.at.slice(part));
    let (parts, mut reference) = read(&text.text, text.at, role, key)?;
    if text.verbatim {
        reference.site.whole = text.at.slice(parts.name.start..text.text.len());
        reference.site.version = parts.version_slot(&place);
        reference.site.digest = parts.digest_slot(&place, text.at.at_end());
    }
    Some(reference)
}

/// The same for a text whose parts stand in several places, as `FROM python:$V` does when an `ARG` says what `V` is.
///
/// The version slot is where the whole tag stands. The digest slot is behind the text itself (`$V@…`), unless the whole reference
/// comes from one other place.
pub fn mapped(text: &Mapped, role: Role, key: &str) -> Option<Reference> {
    // The line end of a block scalar is no part of a name.
    if text.text.trim().len() < text.text.len() {
        return mapped(&text.trimmed(), role, key);
    }
    if let Some(part) = whole_default(&text.text) {
        return image(&text.text(part), role, key);
    }
    let exact = |part: Range<usize>| Some(text.place(part)).filter(|(_, exact)| *exact).map(|(at, _)| at);
    let (parts, mut reference) = read(&text.text, text.at, role, key)?;
    if !text.segments.is_empty() {
        let end = exact(parts.name.start..text.text.len()).map_or(text.at.at_end(), Location::at_end);
        reference.site.version = parts.version_slot(&exact);
        reference.site.digest = parts.digest_slot(&exact, end);
    }
    // What stands before the name says only that it is an image.
    let named =
        exact(parts.name.start..text.text.len()).filter(|at| parts.name.start > 0 && text.at.span.contains(at.span));
    reference.site.whole = named.unwrap_or(reference.site.whole);
    Some(reference)
}

/// Where the default of a text stands that is one variable with a default and nothing else: it is an image of its own.
fn whole_default(text: &str) -> Option<Range<usize>> {
    let variables = variable::find(text);
    let [variable] = &variables[..] else { return None };
    variable.default.clone().filter(|default| variable.at == (0..text.len()) && !default.is_empty())
}

/// Everything but the slots.
fn read(written: &str, at: Location, role: Role, key: &str) -> Option<(Parts, Reference)> {
    let scheme = ["docker://", "docker-image://"].into_iter().find(|scheme| written.starts_with(scheme));
    let parts = split(written, scheme.map_or(0, str::len))?;
    let mut reference = Reference::new(Ecosystem::Oci, parts.name(written), role, at);
    reference.key = key.to_string();
    reference.strength = parts.strength(written, &reference.subject.name);
    reference.pin = Pin {
        version: parts.tag.clone().map(|tag| parts.expand(written, tag)),
        digests: parts.digest.clone().map(|digest| parts.expand(written, digest)).into_iter().collect(),
    };
    Some((parts, reference))
}

/// The parts of an image reference as offsets into its text.
struct Parts {
    name: Range<usize>,
    tag: Option<Range<usize>>,
    digest: Option<Range<usize>>,
    variables: Vec<Variable>,
}

fn split(text: &str, start: usize) -> Option<Parts> {
    let variables = variable::find(text);
    let inside = |at: usize| variables.iter().any(|variable| variable.at.contains(&at));
    let plain = |at: &usize| !inside(*at);
    let bytes = text.as_bytes();
    let at_sign = (start..bytes.len()).find(|at| bytes[*at] == b'@' && plain(at));
    let end = at_sign.unwrap_or(text.len());
    let slash = (start..end).rev().find(|at| bytes[*at] == b'/' && plain(at));
    let colon = (slash.unwrap_or(start)..end).find(|at| bytes[*at] == b':' && plain(at));
    let name = start..colon.unwrap_or(end);
    let parts =
        Parts { tag: colon.map(|at| at + 1..end), digest: at_sign.map(|at| at + 1..text.len()), name, variables };
    parts.is_image(text).then_some(parts)
}

impl Parts {
    /// Whether an engine would take the text for an image.
    fn is_image(&self, text: &str) -> bool {
        let outside = |range: Range<usize>| -> String {
            let kept = text[range.clone()].char_indices().filter(|(at, _)| {
                let at = at + range.start;
                !self.variables.iter().any(|variable| variable.at.contains(&at))
            });
            kept.map(|(_, c)| c).collect()
        };
        let name = outside(self.name.clone());
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
        // Only a registry's host may have capitals.
        let path = name.split_once('/').map_or(name.as_str(), |(_, path)| path);
        let tag = self.tag.clone().map(outside).unwrap_or_default();
        let whole = &text[self.name.clone()];
        let named =
            !whole.is_empty() && whole != "scratch" && !whole.starts_with(['/', '.', '-']) && !whole.ends_with('/');
        named
            && name.chars().all(legal)
            && !path.chars().any(|c| c.is_ascii_uppercase())
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    }

    /// The text with defaults in place of the variables that have one.
    fn expand(&self, text: &str, range: Range<usize>) -> String {
        let mut out = String::new();
        let mut done = range.start;
        for variable in self.variables.iter().filter(|variable| range.contains(&variable.at.start)) {
            out.push_str(&text[done..variable.at.start]);
            out.push_str(&text[variable.default.clone().unwrap_or(variable.at.clone())]);
            done = variable.at.end;
        }
        out.push_str(&text[done..range.end]);
        out
    }

    fn name(&self, text: &str) -> String {
        canonical(&self.expand(text, self.name.clone()))
    }

    fn is_open(&self, range: &Range<usize>) -> bool {
        self.variables.iter().any(|variable| range.contains(&variable.at.start) && variable.default.is_none())
    }

    fn strength(&self, text: &str, name: &str) -> Option<Strength> {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => (!self.is_open(digest)).then_some(Strength::Immutable),
            (None, Some(tag)) if self.is_open(tag) || is_placeholder(&text[tag.clone()]) => None,
            (None, Some(tag)) => Some(tag_strength(name, &self.expand(text, tag.clone()))),
            // The variable may hold a tag of its own.
            (None, None) if self.is_open(&self.name) => None,
            (None, None) => Some(Strength::Unspecified),
        }
    }

    /// The tag with its lead, or the tag alone where the lead stands elsewhere or a variable's default is the whole tag.
    fn version_slot(&self, place: &dyn Fn(Range<usize>) -> Option<Location>) -> Option<Slot> {
        let slot = |part: Range<usize>, lead: &'static str| place(part).map(|at| Slot { at, lead });
        match &self.tag {
            None => slot(self.name.end..self.name.end, ":"),
            Some(tag) if !self.has_variable(tag) => slot(tag.start - 1..tag.end, ":").or_else(|| slot(tag.clone(), "")),
            Some(tag) => {
                let whole = self.variables.iter().find(|variable| variable.at == *tag);
                slot(whole?.default.clone()?, "")
            }
        }
    }

    /// The digest with its lead, or the given end.
    fn digest_slot(&self, place: &dyn Fn(Range<usize>) -> Option<Location>, end: Location) -> Option<Slot> {
        match &self.digest {
            None => Some(Slot { at: end, lead: "@" }),
            Some(digest) if self.has_variable(digest) => None,
            Some(digest) => place(digest.start - 1..digest.end).map(|at| Slot { at, lead: "@" }),
        }
    }

    fn has_variable(&self, range: &Range<usize>) -> bool {
        self.variables.iter().any(|variable| range.contains(&variable.at.start))
    }
}

/// `IMAGE_TAG`, `VERSION`: capitals only, put in by a program before anybody pulls.
fn is_placeholder(tag: &str) -> bool {
    tag.len() > 2 && tag != "LATEST" && tag.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// The name as its registry knows it: Docker Hub's host and `library/` left out.
fn canonical(name: &str) -> String {
    let hosts = ["docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/"];
    let name = hosts.iter().find_map(|host| name.strip_prefix(host)).unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name).to_string()
}

/// Images whose releases have two numbers since long, so that `17.2` is one release.
const TWO_NUMBERS: [&str; 2] = ["postgres", "postgresql"];

/// How firmly a tag of the image `name` holds its content, as far as its spelling tells.
///
/// Dates, build numbers and commits in a tag make it exact; a word without a number moves with everything. Tags of operating
/// systems with two numbers (`ubuntu:22.04`, `alpine:3.19`) are rebuilt all the time and count as a floating minor.
pub fn tag_strength(name: &str, tag: &str) -> Strength {
    if tag.is_empty() {
        return Strength::Unspecified;
    }
    let commit =
        |part: &str| dotted::is_commit_like(part.strip_prefix('g').unwrap_or(part)) || dotted::is_commit_like(part);
    if dotted::has_serial(tag) || components(tag).any(commit) || is_build_number(tag) {
        return Strength::Exact;
    }
    let Some(at) = components(tag).position(|part| dotted::read(part).is_some()) else {
        return worded(tag);
    };
    let part = components(tag).nth(at).unwrap_or(tag);
    let Some(number) = dotted::read(part) else { return Strength::Floating(Precision::Word) };
    let next = components(tag).nth(at + 1).unwrap_or("");
    let last_name = name.rsplit('/').next().unwrap_or(name);
    let two = number.parts == 2 && !number.wild && TWO_NUMBERS.contains(&last_name);
    if two
        || is_release_number(name, tag, number.text)
        || dotted::is_prerelease(number.rest)
        || dotted::is_prerelease(next)
    {
        return Strength::Exact;
    }
    number.strength()
}

/// `trino:479`: one number that counts releases. Years and the versions of browsers are release lines.
fn is_release_number(name: &str, tag: &str, number: &str) -> bool {
    let browser = ["chrome", "chromium", "firefox", "edge", "browser"].iter().any(|word| name.contains(word));
    let counts = number.parse::<u32>().is_ok_and(|number| number >= 100 && !(1990..=2604).contains(&number));
    counts && !browser && !tag.contains("latest")
}

/// Parts of a tag between `-`, `_` and `+`.
fn components(tag: &str) -> impl Iterator<Item = &str> {
    tag.split(['-', '_', '+']).filter(|part| !part.is_empty())
}

/// `build-512`, `b1234`, `r42`: a number of a build line.
fn is_build_number(tag: &str) -> bool {
    let numbered = |tag: &str, prefix: &str| {
        let rest = tag.strip_prefix(prefix).map(|rest| rest.trim_start_matches('-'));
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["build", "b", "r"].iter().any(|prefix| numbered(tag, prefix))
}

/// Systems whose number in a tag (`alpine3.20`) says nothing of what the image is for.
const SYSTEMS: [&str; 12] = [
    "alpine",
    "debian",
    "ubuntu",
    "centos",
    "fedora",
    "rocky",
    "rockylinux",
    "almalinux",
    "el",
    "ubi",
    "amazonlinux",
    "oraclelinux",
];

/// A tag without a number of its own: `slim`, or a number behind a word (`python3.12-bookworm`).
fn worded(tag: &str) -> Strength {
    let numbered = components(tag).find_map(|part| {
        let letters = part.bytes().take_while(u8::is_ascii_alphabetic).count();
        let number = dotted::read(part.get(letters..)?)?;
        (letters > 0 && number.rest.is_empty() && !SYSTEMS.contains(&&part[..letters])).then_some(number)
    });
    numbered.map_or(Strength::Floating(Precision::Word), |number| number.strength())
}

/// The version in a tag without its variant: `3.12` of `3.12-slim`, nothing of `slim`.
pub fn version_part(tag: &str) -> Option<&str> {
    dotted::read(tag).map(|number| number.text)
}

/// What follows the version in a tag: `slim-bookworm` of `3.12-slim-bookworm`; all of `slim`.
pub fn variant(tag: &str) -> &str {
    dotted::read(tag).map_or(tag, |number| number.rest.trim_start_matches(['-', '_', '+']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{SourceId, Span};

    fn text(text: &str) -> Text {
        Text { text: text.into(), at: Location::new(SourceId(0), Span::new(10, 10 + text.len())), verbatim: true }
    }

    fn part(written: &str, slot: Option<Slot>) -> Option<String> {
        let span = slot?.at.span;
        Some(written[span.start as usize - 10..span.end as usize - 10].to_string())
    }

    const WORD: Strength = Strength::Floating(Precision::Word);
    const MAJOR: Strength = Strength::Floating(Precision::Major);
    const MINOR: Strength = Strength::Floating(Precision::Minor);

    #[test]
    fn references_are_taken_apart() {
        let rows = [
            ("python", "python", None, Some(Strength::Unspecified), Some(""), Some("")),
            ("python:3.12", "python", Some("3.12"), Some(MINOR), Some(":3.12"), Some("")),
            ("docker.io/library/python:3", "python", Some("3"), Some(MAJOR), Some(":3"), Some("")),
            ("library/python", "python", None, Some(Strength::Unspecified), Some(""), Some("")),
            ("localhost:5000/a/b", "localhost:5000/a/b", None, Some(Strength::Unspecified), Some(""), Some("")),
            ("ghcr.io/a/b:v1.2.3", "ghcr.io/a/b", Some("v1.2.3"), Some(Strength::Exact), Some(":v1.2.3"), Some("")),
            ("docker://alpine:3.8", "alpine", Some("3.8"), Some(MINOR), Some(":3.8"), Some("")),
            ("a:1@sha256:ab", "a", Some("1"), Some(Strength::Immutable), Some(":1"), Some("@sha256:ab")),
            ("a@sha256:ab", "a", None, Some(Strength::Immutable), Some(""), Some("@sha256:ab")),
            ("a:$TAG", "a", Some("$TAG"), None, None, Some("")),
            ("a:IMAGE_TAG", "a", Some("IMAGE_TAG"), None, Some(":IMAGE_TAG"), Some("")),
            ("a:${TAG:-latest}", "a", Some("latest"), Some(WORD), Some("latest"), Some("")),
            ("a:1.2-${X-slim}", "a", Some("1.2-slim"), Some(MINOR), None, Some("")),
            ("${REG:-docker.io}/a/b:1", "a/b", Some("1"), Some(MAJOR), Some(":1"), Some("")),
            ("$REG/a:latest", "$REG/a", Some("latest"), Some(WORD), Some(":latest"), Some("")),
            ("$IMAGE", "$IMAGE", None, None, Some(""), Some("")),
            ("a:${{ matrix.a/b }}", "a", Some("${{ matrix.a/b }}"), None, None, Some("")),
        ];
        for (written, name, version, strength, version_slot, digest_slot) in rows {
            let reference = image(&text(written), Role::CiImage, "k").expect(written);
            assert_eq!(reference.subject.name, name, "{written}");
            assert_eq!(reference.pin.version.as_deref(), version, "{written}");
            assert_eq!(reference.strength, strength, "{written}");
            assert_eq!(part(written, reference.site.version).as_deref(), version_slot, "{written}");
            assert_eq!(part(written, reference.site.digest).as_deref(), digest_slot, "{written}");
        }
    }

    #[test]
    fn texts_that_are_no_images_are_refused() {
        for written in ["", "scratch", "a b", "A/B/C", "./x", ":tag", "x:a b", "-x", "name/"] {
            assert!(image(&text(written), Role::CiImage, "k").is_none(), "{written}");
        }
    }

    #[test]
    fn tags_hold_as_firmly_as_their_numbers() {
        let rows = [
            ("python", "latest", WORD),
            ("python", "slim-bookworm", WORD),
            ("node", "lts-alpine3.20", WORD),
            ("python", "3", MAJOR),
            ("python", "3-slim", MAJOR),
            ("a", "v2", MAJOR),
            ("python", "3.12-slim", MINOR),
            ("ubuntu", "22.04", MINOR),
            ("debian", "12.5", MINOR),
            ("cimg/base", "2024.10", MINOR),
            ("python", "3.12.7-slim", Strength::Exact),
            ("python", "3.13-rc", MINOR),
            ("python", "3.13-rc1", Strength::Exact),
            ("python", "3.13rc1-slim", Strength::Exact),
            ("postgres", "17.2-alpine", Strength::Exact),
            ("postgres", "17", MAJOR),
            ("debian", "bookworm-20240812-slim", Strength::Exact),
            ("jupyter", "2024-10-07", Strength::Exact),
            ("a", "sha-abc1234", Strength::Exact),
            ("a", "main-0a1b2c3d", Strength::Exact),
            ("a", "v1.2-3-gabc1234", Strength::Exact),
            ("a", "build-512", Strength::Exact),
            ("eclipse-temurin", "17.0.9_9-jdk", Strength::Exact),
            ("eclipse-temurin", "17-jdk", MAJOR),
            ("ghcr.io/astral-sh/uv", "python3.12-bookworm-slim", MINOR),
            ("ghcr.io/astral-sh/uv", "0.5.11-python3.12", Strength::Exact),
            ("mcr", "2022-latest", MAJOR),
            ("a", "1.2.x", MINOR),
            ("trinodb/trino", "479", Strength::Exact),
            ("selenium/standalone-chrome", "119", MAJOR),
            ("mcr.microsoft.com/mssql/server", "2022-latest", MAJOR),
        ];
        for (name, tag, want) in rows {
            assert_eq!(tag_strength(name, tag), want, "{name}:{tag}");
        }
    }

    #[test]
    fn a_tag_is_a_version_and_a_variant() {
        assert_eq!(
            (version_part("3.12-slim-bookworm"), variant("3.12-slim-bookworm")),
            (Some("3.12"), "slim-bookworm")
        );
        assert_eq!((version_part("slim"), variant("slim")), (None, "slim"));
        assert_eq!((version_part("17.2"), variant("17.2")), (Some("17.2"), ""));
    }
}

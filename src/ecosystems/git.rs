//! Things fetched from a git host: actions, reusable workflows, hooks, includes. Knows how a ref is written, asks no host.

use super::{dotted, oci, variable};
use crate::model::pin::{Pin, Precision, Strength};
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Site, Slot};
use crate::model::span::Location;
use crate::model::text::Text;
use std::ops::Range;

/// Reads what stands behind `uses:` of GitHub's workflows: `owner/repo[/sub]@ref`, `./local`, `docker://image`.
///
/// `comment` is the comment at the end of the line, with or without its `#`. The note slot of a quoted value stands behind its
/// closing quote: call [`note_after`] with the place of the whole scalar.
/// <https://docs.github.com/en/actions/reference/workflow-syntax-for-github-actions#jobsjob_idstepsuses>
pub fn action(text: &Text, comment: Option<Text>, role: Role, key: &str) -> Option<Reference> {
    let written = text.text.as_str();
    if written.starts_with("docker://") {
        return oci::image(text, role, key);
    }
    if written.starts_with("./") || written.starts_with("$/") || written.starts_with("../") {
        return Some(local(text, role, key));
    }
    let at_sign = outside_variables(written, b'@');
    let name = &written[..at_sign.unwrap_or(written.len())];
    if !name.contains('/') || name.contains(char::is_whitespace) && !variable::is_variable(name) {
        return None;
    }
    let ref_part = at_sign.map_or(written.len()..written.len(), |at| at + 1..written.len());
    let mut reference = Reference::new(Ecosystem::Git, name.trim_end_matches(".git"), role, text.at);
    reference.key = key.to_string();
    let slot = at_sign.unwrap_or(written.len())..written.len();
    hold(&mut reference, text, ref_part, Slot { at: text.place(slot), lead: "@" }, comment, " # ");
    Some(reference)
}

/// Reads a ref that stands apart from its repository (`rev: v1.2`, `ref: main`) and holds the repository `name`.
pub fn pinned_at(name: &str, rev: &Text, comment: Option<Text>, role: Role, key: &str) -> Reference {
    let mut reference = Reference::new(Ecosystem::Git, name, role, rev.at);
    reference.key = key.to_string();
    hold(&mut reference, rev, 0..rev.text.len(), Slot { at: rev.at, lead: "" }, comment, "  # frozen: ");
    reference
}

/// Notes a ref as `# v1.2.3` at this free end of its line; without one it is not noted.
pub fn note_at_end(reference: &mut Reference, end: Option<Location>) {
    match (&mut reference.site.note, end) {
        (Some(note), Some(end)) if note.at.span.is_empty() => *note = Slot { at: end, lead: " # " },
        (Some(_), Some(_)) | (None, _) => {}
        (note, None) => *note = None,
    }
}

/// Moves the place of an absent note behind the whole scalar (its closing quote).
pub fn note_after(reference: &mut Reference, whole: Location) {
    if let Some(note) = &mut reference.site.note
        && note.at.span.is_empty()
    {
        note.at = whole.at_end();
    }
}

fn local(text: &Text, role: Role, key: &str) -> Reference {
    let mut reference = Reference::new(Ecosystem::Git, text.text.clone(), role, text.at);
    reference.key = key.to_string();
    reference.origin = Origin::Local;
    // It is part of the commit itself.
    reference.strength = Some(Strength::Immutable);
    reference
}

/// Fills pin, strength and slots from the ref at `part` of the text.
fn hold(
    reference: &mut Reference,
    text: &Text,
    part: Range<usize>,
    slot: Slot,
    comment: Option<Text>,
    lead: &'static str,
) {
    let rev = &text.text[part];
    reference.strength = if variable::is_variable(rev) { None } else { Some(ref_strength(rev)) };
    reference.pin = match reference.strength {
        Some(Strength::Immutable) => Pin { version: None, digests: vec![rev.to_ascii_lowercase()] },
        Some(Strength::Unspecified) => Pin::default(),
        _ => Pin { version: Some(rev.to_string()), digests: Vec::new() },
    };
    let noted = comment.as_ref().and_then(|comment| Some((comment, noted_version(&comment.text)?)));
    reference.noted = noted.as_ref().map(|(comment, range)| comment.text[range.clone()].to_string());
    if text.verbatim {
        let note = match noted {
            Some((comment, range)) if comment.verbatim => Slot { at: comment.at.slice(range), lead: "" },
            _ => Slot { at: text.at.at_end(), lead },
        };
        reference.site = Site { whole: text.at, version: None, digest: Some(slot), note: Some(note) };
    }
}

fn outside_variables(text: &str, byte: u8) -> Option<usize> {
    let variables = variable::find(text);
    let inside = |at: usize| variables.iter().any(|variable| variable.at.contains(&at));
    text.bytes().enumerate().find(|(at, found)| *found == byte && !inside(*at)).map(|(at, _)| at)
}

/// Where a comment names a version: `# v4.1.0`, `# frozen: v1`, `# tag=v1`, `# pin@v1`, `# ratchet:a/b@v1`, `# a/b@v1`.
pub fn noted_version(comment: &str) -> Option<Range<usize>> {
    let start = comment.len() - comment.trim_start_matches(['#', ' ', '\t']).len();
    let mut word = start..comment[start..].find(char::is_whitespace).map_or(comment.len(), |len| start + len);
    for mark in ["frozen:", "pin:", "tag:", "version:", "pinned"] {
        if comment[word.clone()].eq_ignore_ascii_case(mark) {
            let next = comment.len() - comment[word.end..].trim_start().len();
            word = next..comment[next..].find(char::is_whitespace).map_or(comment.len(), |len| next + len);
        }
    }
    let inner = comment[word.clone()].rfind(['=', '@', ':']).map_or(0, |at| at + 1);
    let word = word.start + inner..comment[..word.end].trim_end_matches([',', ';', ')']).len().max(word.start + inner);
    looks_like_version(&comment[word.clone()]).then_some(word)
}

/// `v4`, `4.1.0`, `release/v1`, `name-v1.2`; words without a number and hexadecimal commits do not.
fn looks_like_version(word: &str) -> bool {
    let number = tail_version(word);
    let bare_integer =
        number.is_some_and(|number| number.parts == 1 && number.text.len() == word.len() && word.len() > 2);
    number.is_some() && !bare_integer
}

/// The dotted number that a ref ends in or consists of: `v1.2.3-rc1`, `name-v1.2.3`, `release/v1`, `pkg@1.2.3`.
fn tail_version(rev: &str) -> Option<dotted::Dotted<'_>> {
    let ends_well =
        |rest: &str| rest.is_empty() || rest.starts_with(['-', '+', '.', '_']) || dotted::is_prerelease(rest);
    if let Some(number) = dotted::read(rev).filter(|number| ends_well(number.rest)) {
        return Some(number);
    }
    let starts = rev.match_indices(['-', '/', '@', '_', '=']).map(|(at, _)| at + 1);
    starts.filter_map(|at| dotted::read(&rev[at..])).find(|number| ends_well(number.rest))
}

/// How firmly a git ref holds, as far as its spelling tells.
///
/// A full commit (SHA-1 or SHA-256) is immutable. A tag that names one version is exact, also a date or an abbreviated commit;
/// `v4` and `v4.1` are moved by convention; everything else is taken for a branch.
pub fn ref_strength(rev: &str) -> Strength {
    const WORD: Strength = Strength::Floating(Precision::Word);
    if rev.is_empty() {
        return Strength::Unspecified;
    }
    if is_commit(rev) {
        return Strength::Immutable;
    }
    if rev.starts_with("refs/heads/") {
        return WORD;
    }
    let rev = rev.strip_prefix("refs/tags/").unwrap_or(rev);
    if dotted::is_commit_like(rev) || dotted::has_serial(rev) {
        return Strength::Exact;
    }
    let Some(number) = tail_version(rev) else { return WORD };
    let numbered_first = dotted::read(rev).is_some();
    match number.strength() {
        // `3.x` and `release/v1`, `stable-2.0` are names of branches.
        _ if number.wild => WORD,
        Strength::Exact => Strength::Exact,
        _ if dotted::is_prerelease(number.rest) => Strength::Exact,
        _ if !numbered_first && is_branch_line(rev) => WORD,
        strength => strength,
    }
}

/// Whether a ref is a full commit: 40 or 64 hexadecimal digits.
pub fn is_commit(rev: &str) -> bool {
    matches!(rev.len(), 40 | 64) && rev.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Names of long-lived branches that carry a number.
fn is_branch_line(rev: &str) -> bool {
    let lower = rev.to_ascii_lowercase();
    let starts = [
        "release",
        "releases",
        "stable",
        "dev",
        "develop",
        "branch",
        "maint",
        "maintenance",
        "main",
        "master",
        "feature",
        "fix",
    ];
    let rest = |start: &&str| lower.strip_prefix(*start).is_some_and(|rest| rest.starts_with(['/', '-', '_']));
    starts.iter().any(rest) || lower.contains('/')
}

/// The name of a repository by its URL: `owner/repo` on github.com, `host/path` elsewhere; credentials are left out.
pub fn name_of(url: &str) -> String {
    let url = url.trim().strip_prefix("git+").unwrap_or(url.trim());
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host_part, path_part) = rest.split_once('/').unwrap_or((rest, ""));
    let host_part = host_part.rsplit_once('@').map_or(host_part, |(_, host)| host);
    // `git@github.com:owner/repo`.
    let joined = match host_part.split_once(':') {
        Some((host, owner)) if !url.contains("://") => format!("{host}/{owner}/{path_part}"),
        _ => format!("{host_part}/{path_part}"),
    };
    let name = joined.trim_end_matches('/').trim_end_matches(".git");
    name.strip_prefix("github.com/").or_else(|| name.strip_prefix("www.github.com/")).unwrap_or(name).to_string()
}

/// Repository and ref of a file on GitHub: `github.com/O/R/blob/REF/…`, `raw.githubusercontent.com/O/R/REF/…`, and
/// `github.com/O/R/releases/download/TAG/…`.
pub fn file_at_host(url: &str) -> Option<(String, Range<usize>)> {
    let start = url.find("://")? + 3;
    let parts: Vec<&str> = url[start..].split('/').collect();
    let (owner, repository, index) = match parts.as_slice() {
        ["github.com", owner, repository, "blob" | "raw", ..] => (owner, repository, 4),
        ["github.com", owner, repository, "releases", "download", ..] => (owner, repository, 5),
        ["raw.githubusercontent.com", owner, repository, "refs", "heads" | "tags", ..] => (owner, repository, 5),
        ["raw.githubusercontent.com", owner, repository, ..] => (owner, repository, 3),
        _ => return None,
    };
    let rev = parts.get(index)?;
    let from = start + parts[..index].iter().map(|part| part.len() + 1).sum::<usize>();
    Some((format!("{owner}/{repository}"), from..from + rev.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{SourceId, Span};

    const SHA: &str = "11bd71901bbe5b1630ceea73d27597364c9af683";
    const WORD: Strength = Strength::Floating(Precision::Word);
    const MAJOR: Strength = Strength::Floating(Precision::Major);
    const MINOR: Strength = Strength::Floating(Precision::Minor);

    fn text(text: &str, at: usize) -> Text {
        Text { text: text.into(), at: Location::new(SourceId(0), Span::new(at, at + text.len())), verbatim: true }
    }

    #[test]
    fn refs_hold_as_firmly_as_they_are_spelled() {
        let rows = [
            (SHA, Strength::Immutable),
            ("v1.2.3", Strength::Exact),
            ("1.2.3", Strength::Exact),
            ("v1.2.3-rc1", Strength::Exact),
            ("2024-01-02", Strength::Exact),
            ("20240102", Strength::Exact),
            ("name-v1.2.3", Strength::Exact),
            ("pkg@1.2.3", Strength::Exact),
            ("refs/tags/v1.2.3", Strength::Exact),
            ("abc1234", Strength::Exact),
            ("v4-rc1", Strength::Exact),
            ("v4", MAJOR),
            ("name-v4", MAJOR),
            ("v4.1", MINOR),
            ("main", WORD),
            ("HEAD", WORD),
            ("release/v1", WORD),
            ("release-1.2", WORD),
            ("refs/heads/v1", WORD),
            ("1.x", WORD),
            ("stable", WORD),
            ("py3k", WORD),
            ("", Strength::Unspecified),
        ];
        for (rev, want) in rows {
            assert_eq!(ref_strength(rev), want, "{rev}");
        }
    }

    #[test]
    fn actions_have_a_digest_slot_and_a_note_slot() {
        let reference = action(&text("a/b/sub@v4", 10), None, Role::CiStep, "k").expect("an action");
        assert_eq!((reference.subject.name.as_str(), reference.pin.version.as_deref()), ("a/b/sub", Some("v4")));
        let slot = reference.site.digest.expect("a digest slot");
        assert_eq!((slot.at.span, slot.lead), (Span::new(17, 20), "@"));
        let note = reference.site.note.expect("a note slot");
        assert_eq!((note.at.span, note.lead), (Span::empty(20), " # "));

        let pinned =
            action(&text(&format!("a/b@{SHA}"), 0), Some(text("# v4.1.0 (keep)", 60)), Role::CiStep, "k").expect("one");
        assert_eq!((pinned.noted.as_deref(), pinned.strength), (Some("v4.1.0"), Some(Strength::Immutable)));
        assert_eq!(pinned.pin.digests, [SHA]);
        assert_eq!(pinned.site.note.expect("a note slot").at.span, Span::new(62, 68));
    }

    #[test]
    fn local_and_image_components_are_told_apart() {
        let local = action(&text("./.github/actions/x", 0), None, Role::CiStep, "k").expect("one");
        assert_eq!((local.origin, local.strength), (Origin::Local, Some(Strength::Immutable)));
        let image = action(&text("docker://alpine:3", 0), None, Role::CiStep, "k").expect("one");
        assert_eq!((image.subject.ecosystem, image.strength), (Ecosystem::Oci, Some(MAJOR)));
        let open = action(&text("a/b@${{ inputs.ref }}", 0), None, Role::CiStep, "k").expect("one");
        assert_eq!(open.strength, None);
        assert!(action(&text("checkout", 0), None, Role::CiStep, "k").is_none());
    }

    #[test]
    fn comments_name_versions() {
        let rows = [
            ("# v4.1.0", Some("v4.1.0")),
            ("v4", Some("v4")),
            ("# frozen: v1.2", Some("v1.2")),
            ("# tag=v1", Some("v1")),
            ("# pin@v1", Some("v1")),
            ("# ratchet:actions/checkout@v4", Some("v4")),
            ("# actions/checkout@v4.1.0", Some("v4.1.0")),
            ("# release/v1", Some("release/v1")),
            ("# why", None),
            ("# 2024", None),
            ("#", None),
            ("", None),
        ];
        for (comment, want) in rows {
            assert_eq!(noted_version(comment).map(|range| &comment[range]), want, "{comment}");
        }
    }

    #[test]
    fn urls_become_names() {
        for (url, want) in [
            ("https://github.com/psf/black", "psf/black"),
            ("https://github.com/psf/black.git", "psf/black"),
            ("git@github.com:psf/black.git", "psf/black"),
            ("https://user:word@gitlab.com/a/b/c", "gitlab.com/a/b/c"),
            ("git+https://github.com/a/b", "a/b"),
            ("ssh://git@host:22/a/b", "host:22/a/b"),
        ] {
            assert_eq!(name_of(url), want, "{url}");
        }
    }
}

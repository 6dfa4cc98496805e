//! What a compiled requirements file says of its packages beside names and versions: hashes with their places, direct URLs, `# via` notes.
//! Judges nothing.

use crate::formats::locked;
use crate::model::lock::{Edge, Hash, Hashed, LockIndex, LockedPackage, Piece, Provenance};
use crate::model::reference::{Origin, Reference, Slot};
use crate::model::source::Source;
use crate::model::span::{Location, Span};
use crate::model::text::Text;
use crate::syntax::requirements::{File, Line};
use std::collections::HashMap;

/// What stands before a hash on the line of its requirement.
pub const HASH: &str = " --hash=";

/// What stands before the hashes of a requirement where each is written the same way.
const LEADS: [&str; 8] = [
    HASH,
    "  --hash=",
    " --hash ",
    " \\\n    --hash=",
    " \\\n  --hash=",
    " \\\n\t--hash=",
    " \\\n        --hash=",
    " \\\r\n    --hash=",
];

/// Where the hashes of a requirement are written, and what stands before each. `None`: there are none, or they stand in no regular form,
/// or something else stands between or after them.
pub fn hash_slot(source: &Source, line: &Line) -> Option<Slot> {
    let from = line.requirement.as_ref()?.at.span.end;
    let all_hashes = line.options.iter().all(|flag| flag.name == "hash");
    let hashes: Vec<&Text> = line.options.iter().filter_map(|flag| flag.value.as_ref()).collect();
    let last = hashes.last().filter(|_| all_hashes)?;
    let at = Location::new(source.id, Span { start: from, end: last.at.span.end });
    let text = source.slice(at.span);
    let written = |lead: &&str| {
        let mut rest = hashes.iter().try_fold(text, |rest, hash| rest.strip_prefix(*lead)?.strip_prefix(hash.text.as_str()));
        rest.take().is_some_and(str::is_empty)
    };
    LEADS.into_iter().find(written).map(|lead| Slot { at, lead })
}

/// The package that a line of a requirements file holds.
pub fn package(reference: &Reference, text: &Text, line: &Line, version: &str) -> LockedPackage {
    let hashes = line.options.iter().filter(|flag| flag.name == "hash").filter_map(|flag| flag.value.as_ref());
    let hashes: Vec<&Text> = hashes.collect();
    let hashed = match (&reference.origin, hashes.is_empty()) {
        (Origin::Path(_) | Origin::Local, _) => Hashed::NotApplicable,
        (_, false) => Hashed::All,
        (Origin::Registry, true) => Hashed::None,
        // A commit, or a hash in the URL's fragment.
        (_, true) if !reference.pin.digests.is_empty() => Hashed::All,
        (_, true) => Hashed::None,
    };
    let mut package = LockedPackage::new(reference.subject.name.as_str(), version, hashed, reference.site.whole);
    package.marker = reference.marker.clone().unwrap_or_default();
    let commit = reference.pin.digests.first().cloned().unwrap_or_default();
    package.from = match &reference.origin {
        Origin::Registry => Provenance::default(),
        Origin::Vcs(url) => {
            let asked = reference.pin.version.clone().unwrap_or_else(|| commit.clone());
            Provenance::git(url.trim_start_matches("git+"), commit, asked)
        }
        Origin::Url(url) => Provenance::Url(url.clone()),
        Origin::Path(path) => Provenance::Path(path.clone()),
        Origin::Local => Provenance::Path(".".to_string()),
    };
    if let Some(url) = url_in(&text.text) {
        let address = locked::address(url);
        package.credentials = address.credentials.then_some(text.at);
        if let Origin::Url(_) = reference.origin {
            let mut artifact = locked::artifact(Piece::made(url), "", text.at).0;
            artifact.hashes.extend(fragment_hash(&address.fragment).map(|hash| Hash::written(Piece::made(&hash))));
            package.artifacts.push(artifact);
        }
    }
    match package.artifacts.first_mut() {
        Some(artifact) => artifact.hashes.extend(hashes.iter().map(|hash| Hash::written(piece(hash)))),
        None => package.artifacts = hashes.iter().map(|hash| locked::hash_only(piece(hash), hash.at)).collect(),
    }
    package
}

/// A text as a place in its file.
fn piece(text: &Text) -> Piece {
    if text.verbatim { Piece::At(text.at.span) } else { Piece::made(&text.text) }
}

/// `sha256=…` of a URL's fragment.
fn fragment_hash(fragment: &str) -> Option<String> {
    let known = ["sha256", "sha512", "sha384", "sha1", "md5"];
    fragment.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(algorithm, value)| {
        known.contains(&algorithm).then(|| format!("{algorithm}:{value}"))
    })
}

fn url_in(text: &str) -> Option<&str> {
    let at = text.find("://")?;
    let start = text[..at].rfind(char::is_whitespace).map_or(0, |space| space + 1);
    text[start..].split_whitespace().next()
}

/// The indexes that a file names (`--index-url`, `--extra-index-url`, `--find-links`).
pub fn indexes(file: &File) -> Vec<LockIndex> {
    let named = ["index-url", "pypi-url", "extra-index-url", "find-links"];
    let options = file.lines.iter().filter(|line| line.requirement.is_none()).flat_map(|line| &line.options);
    let options = options.filter(|flag| named.contains(&flag.name.as_str())).filter_map(|flag| flag.value.as_ref());
    options.map(|value| locked::index("", &value.text, value.at)).collect()
}

/// Turns `# via` notes into needs: a package that is there via another one is needed by it; via a file it is asked for by that file.
pub fn needs(packages: &mut [LockedPackage], file: &File) {
    let starts: Vec<u32> = file.lines.iter().map(|line| line.at.span.start).collect();
    let by_name: HashMap<String, usize> =
        packages.iter().enumerate().map(|(index, package)| (package.name.clone(), index)).collect();
    let mut edges: Vec<(usize, Edge)> = Vec::new();
    for package in packages.iter_mut() {
        let from = package.at.span.start;
        let until = starts.get(starts.partition_point(|start| *start <= from)).copied().unwrap_or(u32::MAX);
        let first = file.comments.partition_point(|comment| comment.at.span.start < from);
        let comments = file.comments[first..].iter().take_while(|comment| comment.at.span.start < until);
        for (via, at) in vias(comments) {
            if via.starts_with('-') || via.contains(['(', '/']) {
                package.groups.push(via.to_string());
            } else if let Some(&index) = by_name.get(&crate::ecosystems::pypi::normalize(via)) {
                let name = package.name.clone();
                let (version, marker, extras) = (Box::default(), Box::default(), Box::default());
                edges.push((index, Edge { name, version, marker, extras, optional: false, at }));
            } else {
                package.groups.push(via.to_string());
            }
        }
    }
    for (index, edge) in edges {
        packages[index].edges.push(edge);
    }
}

/// The names behind `via`: on its line with commas between them, or one a line below it.
fn vias<'f>(comments: impl Iterator<Item = &'f Text>) -> Vec<(&'f str, Location)> {
    let mut found = Vec::new();
    let mut below = false;
    for comment in comments {
        let text = comment.text.trim();
        let names = match text.strip_prefix("via") {
            Some(rest) if rest.is_empty() || rest.starts_with([' ', ':']) => {
                below = true;
                rest.trim_start_matches(':').trim()
            }
            _ if below => text,
            _ => continue,
        };
        found.extend(names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| (name, comment.at)));
    }
    found
}

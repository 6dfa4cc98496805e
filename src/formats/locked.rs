//! Parts that the formats of locks share: addresses of artifacts, names of their files, needs as texts. Knows no format and judges nothing.

use crate::ecosystems::pypi;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::lock::{Artifact, ArtifactKind, Edge, Hash, LockIndex, LockedPackage, Piece, Provenance};
use crate::model::source::Source;
use crate::model::span::{Location, Span};
use crate::syntax::tree::Node;
use std::borrow::Cow;

/// A URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without credentials, query and fragment.
    pub url: String,
    /// The query without `?`, when it holds no credentials.
    pub query: String,
    /// The fragment without `#`.
    pub fragment: String,
    /// Whether a user name with a password, or a token, is in it.
    pub credentials: bool,
}

/// Takes a URL apart.
pub fn address(text: &str) -> Address {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let url = pypi::without_credentials(rest);
    let secret = has_token(query);
    let credentials = secret || url.len() != rest.len() && has_password(rest);
    let query = if secret { String::new() } else { query.to_string() };
    Address { url, query, fragment: fragment.to_string(), credentials }
}

/// Whether what stands before `@` is more than a public user name or a variable that is filled in when it is used.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let variable =
        |text: &str| text.contains('$') || text.contains("%24") || text.contains("{") || text.contains("%7B");
    let masked = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    match password {
        // Tokens stand in the place of the user name; names of people are short.
        "" => name.len() >= 20 && !variable(name),
        password => !variable(password) && !masked(password),
    }
}

/// Whether a query names a parameter that opens a door.
fn has_token(query: &str) -> bool {
    const NAMES: [&str; 9] = [
        "token",
        "access_token",
        "private_token",
        "auth",
        "auth_token",
        "password",
        "sig",
        "x-amz-signature",
        "api_key",
    ];
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) && !value.is_empty() && !value.contains('$')
    })
}

/// Says when there is nothing in the file of a lock.
pub fn empty(source: &Source, facts: &mut Facts) {
    if source.text.trim().is_empty() {
        incomplete(facts, source.top(), "the lock is empty");
    }
}

/// Says when a file that a program wrote ends in the middle of a line: its last value is perhaps a part of one.
pub fn cut_off(source: &Source, facts: &mut Facts) {
    if source.text.is_empty() || source.text.ends_with('\n') {
        return;
    }
    let start = source.text.rfind('\n').map_or(0, |at| at + 1);
    let at = Location::new(source.id, Span::new(start, source.text.len()));
    let text = "the file ends in the middle of a line, as when it is cut off, so that its last value cannot be trusted; write it again";
    facts.problem(ProblemKind::Unreadable, at, text);
}

/// Says when the last of several entries lacks one of the keys that all others have.
pub fn last_lacks(facts: &mut Facts, entries: &[Node], keys: &[&str]) {
    let Some((last, others)) = entries.split_last().filter(|(_, others)| !others.is_empty()) else { return };
    let lacks = |key: &&&str| last.get(key).is_none() && others.iter().all(|other| other.get(key).is_some());
    if let Some(key) = keys.iter().find(lacks) {
        incomplete(facts, last.at(), &format!("this entry has no `{key}`, as all others have"));
    }
}

/// Says that a part of a lock is missing that its tool always writes.
pub fn incomplete(facts: &mut Facts, at: Location, what: &str) {
    facts.problem(
        ProblemKind::Unreadable,
        at,
        format!("{what}: the file was cut off, or a part was taken out; write it again"),
    );
}

/// What kind of file a name of a Python package's file tells.
pub fn kind(file: &str) -> ArtifactKind {
    match () {
        _ if file.is_empty() => ArtifactKind::Unnamed,
        _ if file.ends_with(".whl") || file.ends_with(".egg") => ArtifactKind::Wheel,
        _ if file.ends_with(".conda") => ArtifactKind::Conda,
        _ => ArtifactKind::Source,
    }
}

/// A file of a package: its address or name as the lock writes it. Says beside it whether the URL had credentials.
pub fn artifact(written: Piece, document: &str, at: Location) -> (Artifact, bool) {
    let mut artifact = Artifact::new(at);
    let text = written.of(document);
    let end = text.find('#').unwrap_or(text.len());
    artifact.addressed = text.contains("://");
    let mut credentials = false;
    artifact.place = if artifact.addressed {
        let (rest, query) = text[..end].split_once('?').unwrap_or((&text[..end], ""));
        credentials = has_token(query);
        match pypi::bare(rest) {
            Cow::Borrowed(_) => written.part(0..rest.len()),
            Cow::Owned(bare) => {
                credentials |= has_password(rest);
                Piece::made(&bare)
            }
        }
    } else {
        written.part(0..end)
    };
    artifact.kind = kind(&artifact.file(document));
    (artifact, credentials)
}

/// A file of which only a hash is known.
pub fn hash_only(hash: Piece, at: Location) -> Artifact {
    let mut artifact = Artifact::new(at);
    artifact.hashes.push(Hash::written(hash));
    artifact
}

/// The hashes of a table: algorithm and value.
pub fn table_of_hashes(table: Node<'_>) -> impl Iterator<Item = Hash> {
    table.entries().filter_map(|(algorithm, value)| Some(Hash::of(algorithm.str()?, value.piece()?, value.document())))
}

/// Adds the files that tables describe: `url`, `path`, `file`, `filename` or `name`; `hash` or `hashes`; `size`; `upload-time`.
pub fn push_files(package: &mut LockedPackage, files: &[Node]) {
    package.artifacts.reserve_exact(files.len());
    files.iter().for_each(|file| push_file(package, *file));
}

fn push_file(package: &mut LockedPackage, node: Node) {
    let [url, path, file, filename, name, hash, hashes, size, time, old_time, yanked] = node.all([
        "url",
        "path",
        "file",
        "filename",
        "name",
        "hash",
        "hashes",
        "size",
        "upload-time",
        "upload_time",
        "yanked",
    ]);
    let place = url.or(path).or(file).or(filename).or(name).filter(|node| node.is_scalar());
    let at = place.unwrap_or(node).at();
    let (mut artifact, credentials) = artifact(place.and_then(Node::piece).unwrap_or_default(), node.document(), at);
    artifact.hashes.extend(hash.and_then(Node::piece).map(Hash::written));
    artifact.hashes.extend(hashes.into_iter().flat_map(table_of_hashes));
    artifact.size = size.and_then(Node::piece).unwrap_or_default();
    artifact.uploaded = time.or(old_time).and_then(Node::piece).unwrap_or_default();
    if credentials {
        package.credentials.get_or_insert(at);
    }
    if let Some(yanked) = yanked.filter(|node| node.bool() != Some(false) && !node.is_null()) {
        package.yanked.get_or_insert(yanked.at());
    }
    package.artifacts.push(artifact);
}

/// Compares what the names of files tell with the package, where it comes from an index.
pub fn compare_names(package: &mut LockedPackage, document: &str) {
    if !matches!(package.from, Provenance::Registry(_)) || package.name.is_empty() {
        return;
    }
    let (name, version) = (package.name.as_str(), package.version.as_str());
    for artifact in package.artifacts.iter_mut().filter(|artifact| !artifact.place.is_empty()) {
        let told = told(&artifact.file(document), artifact.kind, name, version);
        artifact.told = told.map(String::into_boxed_str);
    }
}

/// The name and version that a file's name tells, when they are others than these.
fn told(file: &str, kind: ArtifactKind, name: &str, version: &str) -> Option<String> {
    let (found, told) = match kind {
        ArtifactKind::Conda => {
            let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2")).unwrap_or(file);
            let mut parts = stem.rsplitn(3, '-');
            let (_, version, name) = (parts.next()?, parts.next()?, parts.next()?);
            (name, version)
        }
        ArtifactKind::Wheel => {
            let stem = file.strip_suffix(".whl").or_else(|| file.strip_suffix(".egg")).unwrap_or(file);
            let mut parts = stem.split('-');
            (parts.next()?, parts.next()?)
        }
        _ => {
            let stem = pypi::ARCHIVES.iter().find_map(|end| file.strip_suffix(end))?;
            let (found, told) = split_source(stem, version, name)?;
            (found, told)
        }
    };
    let same_name = match kind {
        ArtifactKind::Conda => found.eq_ignore_ascii_case(name),
        _ => found == name || pypi::normalize(found) == name,
    };
    let same_version = version.is_empty() || same_version(told, version);
    (!same_name || !same_version).then(|| format!("{found} {told}"))
}

/// Name and version of a source archive. Names and versions can both hold `-`, so a cut that fits the package is tried first.
fn split_source<'f>(stem: &'f str, version: &str, name: &str) -> Option<(&'f str, &'f str)> {
    let fitting = stem.match_indices('-').find(|(at, _)| {
        let (found, told) = (&stem[..*at], &stem[at + 1..]);
        pypi::normalize(found) == name && same_version(told, version)
    });
    let cut = fitting.map(|(at, _)| at).or_else(|| {
        stem.match_indices('-').map(|(at, _)| at).find(|at| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
    })?;
    Some((&stem[..cut], &stem[cut + 1..]))
}

fn same_version(told: &str, version: &str) -> bool {
    if told == version {
        return true;
    }
    // Names of wheels write the parts of a local version with `_`.
    let told = told.replace('_', ".").replace("%21", "!");
    told == version || pypi::satisfies(&format!("=={version}"), &told).is_none_or(|same| same)
}

/// A need written as a requirement: `name[extra]>=1; marker`, or conda's `name >=1 build`.
pub fn edge(text: &str, at: Location) -> Option<Edge> {
    let (main, marker) = text.split_once(';').unwrap_or((text, ""));
    let main = main.trim();
    let end = main.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(main.len());
    let (name, rest) = main.split_at(end);
    if name.is_empty() {
        return None;
    }
    let extras =
        rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(inner, _)| inner);
    let extras = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(pypi::normalize).collect();
    let optional = marker.contains("extra ==") || marker.contains("extra==");
    Some(Edge {
        name: pypi::normalize(name),
        version: Box::default(),
        marker: marker.trim().into(),
        extras,
        optional,
        at,
    })
}

/// An index that a lock names.
pub fn index(name: &str, url: &str, at: Location) -> LockIndex {
    let address = address(url);
    LockIndex { name: name.to_string(), url: address.url, at, credentials: address.credentials }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn credentials_are_seen_and_left_out() {
        for (url, clean, found) in [
            ("https://u:hunter2@x.org/a/b.whl?x=1#sha256=0", "https://x.org/a/b.whl", true),
            ("https://aaaaaaaaaabbbbbbbbbb@x.org/a", "https://x.org/a", true),
            ("https://u:${PASS}@x.org/a", "https://x.org/a", false),
            ("https://bob@x.org/a", "https://x.org/a", false),
            ("https://x.org/a?token=abc", "https://x.org/a", true),
            ("ssh://git@x.org/a", "ssh://git@x.org/a", false),
            ("https://x.org/a@b/c", "https://x.org/a@b/c", false),
        ] {
            let address = address(url);
            assert_eq!((address.url.as_str(), address.credentials), (clean, found), "{url}");
        }
    }

    #[test]
    fn names_of_files_are_compared() {
        use ArtifactKind::{Conda, Source, Wheel};
        for (file, kind, name, version, expected) in [
            ("Babel-2.13.0.tar.gz", Source, "babel", "2.13.0", None),
            ("zope-interface-5.0.tar.gz", Source, "zope-interface", "5.0", None),
            ("pkg-1.0-1.tar.gz", Source, "pkg", "1.0.post1", None),
            ("torch-2.1.0+cpu-cp312-cp312-linux_x86_64.whl", Wheel, "torch", "2.1.0+cpu", None),
            ("foo-1.0.0-py3-none-any.whl", Wheel, "foo", "1.0", None),
            ("pip-25.0-pyh_0.conda", Conda, "pip", "25.0", None),
            ("evil-1.0.0-py3-none-any.whl", Wheel, "foo", "1.0", Some("evil 1.0.0")),
            ("foo-1.1.tar.gz", Source, "foo", "1.0", Some("foo 1.1")),
            ("foo-1.1-py3-none-any.whl", Wheel, "foo", "1.0", Some("foo 1.1")),
        ] {
            assert_eq!(told(file, kind, name, version).as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn needs_are_read_in_both_spellings() {
        let at = Location::new(SourceId(0), Span::empty(0));
        let one = edge("Foo_Bar[b]>=1; python_version < '3'", at).expect("it is a need");
        assert_eq!((one.name.as_str(), one.marker.as_ref(), one.extras.len()), ("foo-bar", "python_version < '3'", 1));
        assert_eq!(edge("libgomp >=7.5.0", at).expect("it is a need").name, "libgomp");
        assert!(edge("  ", at).is_none());
    }
}

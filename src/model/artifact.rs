//! Files of locked packages. Locks hold tens of thousands of them, so their texts are kept as places in the lock wherever they stand
//! there as they are. Whoever asks brings the lock's text. Knows no file format.

use super::span::{Location, Span};
use std::borrow::Cow;
use std::ops::Range;

/// A text of a document: a place in it where it stands there as it is, else a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes of the document.
    At(Span),
    /// An unescaped or composed text.
    Made(Box<str>),
}

impl Default for Piece {
    fn default() -> Piece {
        Piece::At(Span::empty(0))
    }
}

impl Piece {
    /// A text of its own; an empty one takes no room.
    pub fn made(text: &str) -> Piece {
        if text.is_empty() { Piece::default() } else { Piece::Made(text.into()) }
    }

    /// What it says, in the document that it was taken from.
    pub fn of<'s>(&'s self, document: &'s str) -> &'s str {
        match self {
            Piece::At(span) => document.get(span.range()).unwrap_or(""),
            Piece::Made(text) => text,
        }
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        match self {
            Piece::At(span) => span.is_empty(),
            Piece::Made(text) => text.is_empty(),
        }
    }

    /// A part of it.
    pub fn part(&self, part: Range<usize>) -> Piece {
        match self {
            Piece::At(span) => Piece::At(span.slice(part)),
            Piece::Made(text) => Piece::made(text.get(part).unwrap_or("")),
        }
    }
}

/// What kind of file an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// A wheel: installed as it is.
    Wheel,
    /// A source distribution: built where it is installed.
    Source,
    /// A conda package.
    Conda,
    /// Only a hash is known.
    Unnamed,
}

/// The algorithm of a hash, where it is not written in one text with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Written,
    Sha256,
    Md5,
}

/// A hash of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    algorithm: Algorithm,
    text: Piece,
}

impl Hash {
    /// A hash as most locks write it: `sha256:…` in one text.
    pub fn written(text: Piece) -> Hash {
        Hash { algorithm: Algorithm::Written, text }
    }

    /// A hash whose algorithm is written apart from its value.
    pub fn of(algorithm: &str, value: Piece, document: &str) -> Hash {
        match algorithm {
            "sha256" => Hash { algorithm: Algorithm::Sha256, text: value },
            "md5" => Hash { algorithm: Algorithm::Md5, text: value },
            _ => Hash::written(Piece::made(&format!("{algorithm}:{}", value.of(document)))),
        }
    }

    /// Algorithm and value; no algorithm where the lock names none.
    pub fn parts<'s>(&'s self, document: &'s str) -> (&'s str, &'s str) {
        let text = self.text.of(document);
        match self.algorithm {
            Algorithm::Written => text.split_once([':', '=']).unwrap_or(("", text)),
            Algorithm::Sha256 => ("sha256", text),
            Algorithm::Md5 => ("md5", text),
        }
    }

    /// `sha256:…`, as written where it is written in one text.
    pub fn spelled<'s>(&'s self, document: &'s str) -> Cow<'s, str> {
        match self.algorithm {
            Algorithm::Written => Cow::Borrowed(self.text.of(document)),
            _ => {
                let (algorithm, value) = self.parts(document);
                Cow::Owned(format!("{algorithm}:{value}"))
            }
        }
    }
}

/// The hashes of a file. Nearly every file has one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes {
    first: Option<Hash>,
    more: Box<[Hash]>,
}

impl Hashes {
    /// Adds one.
    pub fn push(&mut self, hash: Hash) {
        if self.first.is_none() {
            self.first = Some(hash);
        } else {
            let mut all = std::mem::take(&mut self.more).into_vec();
            all.push(hash);
            self.more = all.into();
        }
    }

    /// Each in the order of the lock.
    pub fn iter(&self) -> impl Iterator<Item = &Hash> {
        self.first.iter().chain(self.more.iter())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl Extend<Hash> for Hashes {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, hashes: I) {
        hashes.into_iter().for_each(|hash| self.push(hash));
    }
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its address without credentials, query and fragment, or its name, as the lock writes it; empty when the lock has only a hash.
    pub place: Piece,
    /// Whether [`Artifact::place`] is an address.
    pub addressed: bool,
    /// What kind of file.
    pub kind: ArtifactKind,
    /// Its hashes.
    pub hashes: Hashes,
    /// Bytes, when recorded.
    pub size: Piece,
    /// When it was uploaded, as the lock writes it (RFC 3339); empty when it is not recorded.
    pub uploaded: Piece,
    /// The name and version that its file's name tells, where they are not those of the package.
    pub told: Option<Box<str>>,
    /// Where it stands: its URL, its file name, or its hash.
    pub at: Location,
}

impl Artifact {
    /// A file of which only the place is known.
    pub fn new(at: Location) -> Artifact {
        Artifact {
            place: Piece::default(),
            addressed: false,
            kind: ArtifactKind::Unnamed,
            hashes: Hashes::default(),
            size: Piece::default(),
            uploaded: Piece::default(),
            told: None,
            at,
        }
    }

    /// Where it is fetched, without credentials, query and fragment; empty when the lock has no URL for it.
    pub fn url<'s>(&'s self, document: &'s str) -> &'s str {
        if self.addressed { self.place.of(document) } else { "" }
    }

    /// Its name, unescaped; empty when the lock has only a hash.
    pub fn file<'s>(&'s self, document: &'s str) -> Cow<'s, str> {
        file_name(self.place.of(document))
    }

    /// Bytes, when recorded.
    pub fn size(&self, document: &str) -> Option<u64> {
        self.size.of(document).parse().ok()
    }
}

/// The last part of a path or URL, `%2B` and its kind read.
pub fn file_name(url: &str) -> Cow<'_, str> {
    let url = url.trim_end_matches('/');
    let last = &url[memchr::memrchr2(b'/', b'\\', url.as_bytes()).map_or(0, |at| at + 1)..];
    if last.contains('%') { Cow::Owned(unescaped(last)) } else { Cow::Borrowed(last) }
}

fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code =
            text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn names_of_files_are_unescaped() {
        assert_eq!(
            file_name("https://x/torch-2.1%2Bcpu-cp312-cp312-linux_x86_64.whl"),
            "torch-2.1+cpu-cp312-cp312-linux_x86_64.whl"
        );
        assert_eq!(file_name("100%"), "100%");
        assert_eq!(file_name("a\\b/c/"), "c");
    }

    #[test]
    fn texts_are_read_where_they_stand() {
        let document = "url = https://x/a-1.tar.gz sha256:00 7";
        let mut artifact = Artifact::new(Location::new(SourceId(0), Span::new(6, 26)));
        artifact.place = Piece::At(artifact.at.span);
        assert_eq!((artifact.url(document), artifact.file(document).as_ref()), ("", "a-1.tar.gz"));
        artifact.addressed = true;
        assert_eq!((artifact.url(document), artifact.size(document)), ("https://x/a-1.tar.gz", None));
        artifact.size = Piece::At(Span::new(37, 38));
        assert_eq!(artifact.size(document), Some(7));
        artifact.hashes.push(Hash::written(Piece::At(Span::new(27, 36))));
        artifact.hashes.push(Hash::of("md5", Piece::At(Span::new(34, 36)), document));
        artifact.hashes.push(Hash::of("sha3", Piece::made("11"), document));
        let spelled: Vec<_> = artifact.hashes.iter().map(|hash| hash.spelled(document)).collect();
        assert_eq!(spelled, ["sha256:00", "md5:00", "sha3:11"]);
        let parts: Vec<_> = artifact.hashes.iter().map(|hash| hash.parts(document)).collect();
        assert_eq!(parts, [("sha256", "00"), ("md5", "00"), ("sha3", "11")]);
    }

    #[test]
    fn a_place_of_another_text_is_empty() {
        assert_eq!(Piece::At(Span::new(3, 9)).of("ab"), "");
        assert_eq!(Piece::made("abc").part(1..3).of(""), "bc");
        assert!(Piece::made("").is_empty() && Piece::default().is_empty() && !Piece::made("a").is_empty());
    }

    #[test]
    fn artifacts_are_small() {
        assert!(size_of::<Artifact>() <= 120, "{}", size_of::<Artifact>());
    }
}

//! A listing as bytes: what is kept of an index page between runs. The versions are read at once and a version's files when somebody
//! looks at them, so a project with thousands of releases costs what is asked of it.
//!
//! The form: the name and the status that the page states; for each version, oldest first, its text, the time of its first upload and the
//! length of its files; then the files. Numbers are LEB128, texts have their length in front.

use super::{Announced, File, Kind, Listing, Release, kind_of, source_version};
use crate::ecosystems::pypi::normalize;
use crate::resolve::requirement::specifiers;
use pep440_rs::Version;
use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

/// The form's name; what was kept in another one is not read.
pub const FORM: &str = "listing-1";

/// What a page says.
#[derive(Debug, Default)]
pub struct Page<'t> {
    /// The name of the project, where the page says it.
    pub name: Option<Cow<'t, str>>,
    /// Its files.
    pub entries: Vec<Entry<'t>>,
    /// `quarantined`, `archived` and the like, with the reason.
    pub status: Option<String>,
}

/// A file as a page names it.
#[derive(Debug)]
pub struct Entry<'t> {
    /// Its name.
    pub name: Cow<'t, str>,
    /// Where it lies, absolute and without credentials.
    pub url: Cow<'t, str>,
    /// Its hashes as `sha256:…`.
    pub hashes: Vec<String>,
    /// The Pythons it runs on, as they are written.
    pub requires_python: Option<Cow<'t, str>>,
    /// When it was uploaded, in milliseconds since 1970.
    pub uploaded: Option<i64>,
    /// Why it was withdrawn, when it was.
    pub yanked: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Whether its metadata lies beside it.
    pub announced: Announced,
}

/// Files that were not looked at yet.
#[derive(Debug)]
pub(super) struct Unread {
    bytes: Arc<Vec<u8>>,
    from: usize,
    upto: usize,
    index: Arc<str>,
}

/// Packs a page of a project. Files that are neither wheels nor source distributions of the project are left out.
pub fn pack(project: &str, page: &Page) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.maybe(page.name.as_deref());
    out.maybe(page.status.as_deref());
    let releases = sorted(project, &page.entries);
    out.number(releases.len() as u64);
    let mut blocks = Writer(Vec::new());
    for (version, files) in &releases {
        let before = blocks.0.len();
        blocks.files(files);
        out.text(&version.to_string());
        let oldest = files.iter().filter_map(|file| file.uploaded).min();
        out.number(oldest.map_or(0, |time| time.max(0) as u64 + 1));
        out.number((blocks.0.len() - before) as u64);
    }
    out.0.append(&mut blocks.0);
    out.0
}

/// The versions of a page, oldest first, with their files in the order of their names.
fn sorted<'e, 't>(project: &str, entries: &'e [Entry<'t>]) -> Vec<(Version, Vec<&'e Entry<'t>>)> {
    let mut releases: Vec<(Version, Vec<&Entry>)> = Vec::new();
    // Pages name the files of a version one after another: most need no second look at name and version.
    let mut known: HashMap<&str, Option<usize>> = HashMap::new();
    for entry in entries {
        let beginning = beginning(&entry.name);
        let at = *known.entry(beginning).or_insert_with(|| {
            let version = version_of(project, &entry.name)?;
            releases.push((version, Vec::new()));
            Some(releases.len() - 1)
        });
        if let Some(at) = at {
            releases[at].1.push(entry);
        }
    }
    releases.sort_by(|a, b| a.0.cmp(&b.0));
    // The same version can be spelled in two ways.
    releases.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1.append(&mut later.1);
        }
        same
    });
    for (_, files) in &mut releases {
        files.sort_by(|a, b| a.name.cmp(&b.name));
    }
    releases
}

/// What decides of which version a file is: name and version of a wheel, all of another name.
fn beginning(file: &str) -> &str {
    let mut dashes = file.match_indices('-').map(|(at, _)| at);
    let wheel = file.ends_with(".whl") && matches!(file.matches('-').count(), 4 | 5);
    dashes.nth(1).filter(|_| wheel).map_or(file, |at| &file[..at])
}

fn version_of(project: &str, file: &str) -> Option<Version> {
    match kind_of(file)? {
        Kind::Wheel(wheel) => (wheel.name == project).then_some(wheel.version),
        Kind::Source => source_version(project, file),
    }
}

/// Unpacks a listing, with the name that its page stated. `None`: the bytes are none.
pub fn unpack(project: &str, bytes: Vec<u8>, index: &Arc<str>) -> Option<(Option<String>, Listing)> {
    let bytes = Arc::new(bytes);
    let mut reader = Reader { bytes: &bytes, at: 0 };
    let claimed = reader.maybe()?.map(|name| normalize(&name));
    let status = reader.maybe()?;
    let count = reader.number()? as usize;
    let mut heads = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        let version = Version::from_str(reader.text()?).ok()?;
        let uploaded = reader.number()?;
        heads.push((version, uploaded.checked_sub(1).map(|time| time as i64), reader.number()? as usize));
    }
    let mut from = reader.at;
    let mut releases = Vec::with_capacity(heads.len());
    for (version, oldest, length) in heads {
        let upto = from.checked_add(length).filter(|upto| *upto <= bytes.len())?;
        let unread = Unread { bytes: bytes.clone(), from, upto, index: index.clone() };
        releases.push(Release { version, oldest, unread, files: OnceLock::new() });
        from = upto;
    }
    Some((claimed, Listing { name: project.into(), releases, status }))
}

impl Unread {
    /// The files.
    pub(super) fn read(&self) -> Vec<Arc<File>> {
        let bytes = self.bytes.get(self.from..self.upto).unwrap_or_default();
        let mut reader = Reader { bytes, at: 0 };
        let mut url = String::new();
        let count = reader.number().unwrap_or(0);
        (0..count).map_while(|_| reader.file(&mut url, &self.index)).map(Arc::new).collect()
    }
}

/// What a file has, as bits of one number.
const AT_NAME: u64 = 1;
const UPLOADED: u64 = 2;
const YANKED: u64 = 4;
const SIZED: u64 = 8;
const PYTHONS: u64 = 16;
const ANNOUNCED: u64 = 32;
const ANNOUNCED_HASH: u64 = 64;

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.number(u64::from(text.is_some()));
        text.into_iter().for_each(|text| self.text(text));
    }

    /// Most are SHA-256: those take half when they are no text.
    fn hash(&mut self, hash: &str) {
        match hash.strip_prefix("sha256:").and_then(unhex) {
            Some(bytes) => {
                self.number(1);
                self.0.extend_from_slice(&bytes);
            }
            None => {
                self.number(0);
                self.text(hash);
            }
        }
    }

    fn files(&mut self, files: &[&Entry]) {
        self.number(files.len() as u64);
        let mut last = "";
        for file in files {
            let at_name = file.url.ends_with(&*file.name);
            let announced_hash = match &file.announced {
                Announced::Yes(hash) => hash.as_deref(),
                Announced::No => None,
            };
            let bit = |is: bool, bit: u64| if is { bit } else { 0 };
            self.number(
                bit(at_name, AT_NAME)
                    | bit(file.uploaded.is_some(), UPLOADED)
                    | bit(file.yanked.is_some(), YANKED)
                    | bit(file.size.is_some(), SIZED)
                    | bit(file.requires_python.is_some(), PYTHONS)
                    | bit(file.announced != Announced::No, ANNOUNCED)
                    | bit(announced_hash.is_some(), ANNOUNCED_HASH),
            );
            self.text(&file.name);
            let end = file.url.len() - if at_name { file.name.len() } else { 0 };
            let shared = shared(last, &file.url[..end]);
            self.number(shared as u64);
            self.text(&file.url[shared..end]);
            last = &file.url;
            self.number(file.hashes.len() as u64);
            file.hashes.iter().for_each(|hash| self.hash(hash));
            file.uploaded.into_iter().for_each(|time| self.number(time.max(0) as u64));
            file.yanked.iter().for_each(|why| self.text(why));
            file.size.into_iter().for_each(|size| self.number(size));
            file.requires_python.iter().for_each(|text| self.text(text));
            announced_hash.into_iter().for_each(|hash| self.hash(hash));
        }
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'b str> {
        let count = self.number()?;
        std::str::from_utf8(self.take(usize::try_from(count).ok()?)?).ok()
    }

    fn maybe(&mut self) -> Option<Option<String>> {
        Some(if self.number()? == 0 { None } else { Some(self.text()?.to_string()) })
    }

    fn hash(&mut self) -> Option<String> {
        if self.number()? == 0 {
            return Some(self.text()?.to_string());
        }
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = String::with_capacity(7 + 64);
        out.push_str("sha256:");
        for byte in self.take(32)? {
            out.push(DIGITS[usize::from(byte >> 4)] as char);
            out.push(DIGITS[usize::from(byte & 15)] as char);
        }
        Some(out)
    }

    /// A file; `url` is that of the one before it, then its own.
    fn file(&mut self, url: &mut String, index: &Arc<str>) -> Option<File> {
        let bits = self.number()?;
        let name = self.text()?;
        let shared = usize::try_from(self.number()?).ok()?;
        if !url.is_char_boundary(shared) {
            return None;
        }
        url.truncate(shared);
        url.push_str(self.text()?);
        if bits & AT_NAME != 0 {
            url.push_str(name);
        }
        let count = self.number()?;
        let hashes = (0..count).map(|_| self.hash()).collect::<Option<Vec<_>>>()?;
        let uploaded = if bits & UPLOADED != 0 { Some(self.number()? as i64) } else { None };
        let yanked = if bits & YANKED != 0 { Some(self.text()?.to_string()) } else { None };
        let size = if bits & SIZED != 0 { Some(self.number()?) } else { None };
        let pythons = if bits & PYTHONS != 0 { Some(self.text()?) } else { None };
        let hash = if bits & ANNOUNCED_HASH != 0 { Some(self.hash()?) } else { None };
        Some(File {
            kind: kind_of(name)?,
            name: name.to_string(),
            url: url.clone(),
            hashes,
            requires_python: pythons.and_then(|text| specifiers(text).ok()),
            uploaded,
            yanked,
            size,
            announced: if bits & ANNOUNCED != 0 { Announced::Yes(hash) } else { Announced::No },
            index: index.clone(),
        })
    }
}

/// How many bytes two texts begin with alike, up to a whole character.
fn shared(a: &str, b: &str) -> usize {
    let mut count = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !b.is_char_boundary(count) {
        count -= 1;
    }
    count
}

/// The bytes of a SHA-256 in lower case; everything else stays text, so that it comes back as it was.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (pair, byte) in text.as_bytes().chunks_exact(2).zip(&mut out) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static str, url: &str) -> Entry<'static> {
        Entry {
            name: name.into(),
            url: url.to_string().into(),
            hashes: vec![format!("sha256:{}", "0f".repeat(32)), "sha512:AB".to_string()],
            requires_python: Some(">=3.8".into()),
            uploaded: Some(1_704_164_645_678),
            yanked: Some("bad".to_string()),
            size: Some(5),
            announced: Announced::Yes(Some(format!("sha256:{}", "A0".repeat(32)))),
        }
    }

    fn bare(name: &'static str, url: &str) -> Entry<'static> {
        let (hashes, announced) = (Vec::new(), Announced::No);
        let entry = entry(name, url);
        Entry { hashes, requires_python: None, uploaded: None, yanked: None, size: None, announced, ..entry }
    }

    fn page() -> Page<'static> {
        let entries = vec![
            entry("a_b-1.10-py3-none-any.whl", "https://f.example/x/a_b-1.10-py3-none-any.whl"),
            bare("a_b-1.9-py3-none-any.whl", "https://f.example/ä/a_b-1.9-py3-none-any.whl?sig=1"),
            bare("a-b-1.9.0.tar.gz", "https://f.example/á/a-b-1.9.0.tar.gz"),
            bare("other-1.0-py3-none-any.whl", "https://f.example/other-1.0-py3-none-any.whl"),
            bare("a_b-1.0.exe", "https://f.example/a_b-1.0.exe"),
        ];
        Page { name: Some("A.B".into()), entries, status: Some("archived (old)".to_string()) }
    }

    #[test]
    fn what_is_packed_comes_back() {
        let (claimed, listing) = unpack("a-b", pack("a-b", &page()), &"https://i.example/simple".into()).unwrap();
        assert_eq!((claimed.as_deref(), listing.status.as_deref()), (Some("a-b"), Some("archived (old)")));
        let [old, new] = &listing.releases[..] else { panic!("two versions are wanted: {listing:?}") };
        assert_eq!((old.version.to_string(), old.oldest, old.files().len()), ("1.9".to_string(), None, 2));
        assert_eq!((new.version.to_string(), new.oldest), ("1.10".to_string(), Some(1_704_164_645_678)));
        let names: Vec<_> = old.files().iter().map(|file| (file.name.as_str(), file.url.as_str())).collect();
        assert_eq!(names[0], ("a-b-1.9.0.tar.gz", "https://f.example/á/a-b-1.9.0.tar.gz"));
        assert_eq!(names[1], ("a_b-1.9-py3-none-any.whl", "https://f.example/ä/a_b-1.9-py3-none-any.whl?sig=1"));
        assert_eq!((old.files()[0].yanked.as_ref(), &old.files()[0].announced), (None, &Announced::No));
        let (file, sent) =
            (&new.files()[0], entry("a_b-1.10-py3-none-any.whl", "https://f.example/x/a_b-1.10-py3-none-any.whl"));
        assert_eq!((&*file.name, &*file.url, &file.hashes), (&*sent.name, &*sent.url, &sent.hashes));
        assert_eq!(file.requires_python.as_ref().unwrap().to_string(), ">=3.8");
        assert_eq!((file.uploaded, &file.yanked, file.size), (sent.uploaded, &sent.yanked, sent.size));
        assert_eq!((&file.announced, &*file.index), (&sent.announced, "https://i.example/simple"));
    }

    #[test]
    fn bytes_that_are_cut_off_are_no_listing_or_have_fewer_files() {
        let whole = pack("a-b", &page());
        for end in 0..whole.len() {
            assert!(unpack("a-b", whole[..end].to_vec(), &"i".into()).is_none(), "{end} of {}", whole.len());
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            if let Some((_, listing)) = unpack("a-b", bytes, &"i".into()) {
                listing.releases.iter().for_each(|release| assert!(release.files().len() <= 3));
            }
        }
    }
}

//! Direct URLs, version control URLs and paths that stand for a requirement. Fetches nothing.
//!
//! Source: pip's "VCS Support" and the specification "Direct URL Data Structure".

use crate::ecosystems::git;
use crate::model::pin::Strength;
use crate::model::reference::Origin;
use std::borrow::Cow;
use std::ops::Range;

/// What file names of archives that pip installs end in.
pub const ARCHIVES: [&str; 8] = [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar", ".egg"];

const VCS: [&str; 4] = ["git+", "hg+", "svn+", "bzr+"];

/// What a URL says.
pub struct Found {
    /// Where it comes from, without credentials.
    pub origin: Origin,
    /// How firmly.
    pub strength: Option<Strength>,
    /// A ref, or the version in a file name.
    pub version: Option<String>,
    /// A commit, or hashes of the fragment.
    pub digests: Vec<String>,
    /// The name of `#egg=` or of the file.
    pub name: Option<String>,
    /// `owner/repo`, or the last part of the path.
    pub repository: String,
    /// Extras of `#egg=x[extra]` or of a path.
    pub extras: Vec<String>,
    /// Where `@ref` stands or would stand in a version control URL.
    pub reference: Option<Range<usize>>,
}

/// Whether a text begins with a URL or a version control URL.
pub fn is_url(text: &str) -> bool {
    let head = text.split_whitespace().next().unwrap_or("");
    let scheme = head.split_once("://").map_or("", |(scheme, _)| scheme);
    let plain = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    plain || VCS.iter().any(|vcs| head.starts_with(vcs))
}

/// A URL without the name and password in it. The `git@` of ssh is none.
pub fn without_credentials(url: &str) -> String {
    bare(url).into_owned()
}

/// The same, as a part of the text where there is nothing to leave out.
pub fn bare(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) if &rest[..at] != "git" => Cow::Owned(format!("{scheme}://{}", &rest[at + 1..])),
        _ => Cow::Borrowed(url),
    }
}

/// The same for a text that may have a URL somewhere in it.
pub fn without_credentials_in(text: &str) -> String {
    match text.find("://") {
        Some(at) => {
            let scheme = text[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
            let start = scheme.map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
            format!("{}{}", &text[..start], without_credentials(&text[start..]))
        }
        None => text.to_string(),
    }
}

/// Reads a URL, a version control URL or a path. `None`: there is nothing.
pub fn read(text: &str) -> Option<Found> {
    if text.is_empty() {
        return None;
    }
    let (main, fragment) = text.split_once('#').map_or((text, ""), |(main, fragment)| (main, fragment));
    let egg = fragment_value(fragment, "egg").map(|egg| egg.split_once('[').map_or(egg, |(name, _)| name).to_string());
    let mut found = if VCS.iter().any(|vcs| main.starts_with(vcs)) || main.starts_with("git://") {
        vcs(main)
    } else if main.contains("://") && !main.starts_with("file:") {
        url(main, fragment)
    } else {
        path(main)
    };
    found.name = egg.filter(|name| !name.is_empty()).or(found.name);
    if let Some((_, inner)) = fragment_value(fragment, "egg").and_then(|egg| egg.split_once('[')) {
        found.extras = super::extras(inner.trim_end_matches(']'));
    }
    Some(found)
}

fn fragment_value<'f>(fragment: &'f str, key: &str) -> Option<&'f str> {
    fragment.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn vcs(main: &str) -> Found {
    let path = path_start(main);
    let at = main[path..].rfind('@').map(|at| path + at);
    let repository = git::name_of(&without_credentials(&main[..at.unwrap_or(main.len())]));
    let written = at.map(|at| &main[at + 1..]);
    let commit = written.filter(|written| git::is_commit(written));
    Found {
        origin: Origin::Vcs(without_credentials(&main[..at.unwrap_or(main.len())])),
        strength: ref_strength(written),
        version: written.filter(|_| commit.is_none()).map(str::to_string),
        digests: commit.map(str::to_string).into_iter().collect(),
        name: None,
        repository,
        extras: Vec::new(),
        reference: Some(at.unwrap_or(main.len())..main.len()),
    }
}

/// Where the path of a version control URL begins: after the host, or after the `:` of `git@host:path`.
fn path_start(main: &str) -> usize {
    let host = main.find("://").map_or(0, |at| at + 3);
    let slash = main[host..].find('/').map_or(main.len(), |at| host + at);
    if host > 0 {
        return slash;
    }
    main.find(':').map_or(slash, |colon| colon + 1)
}

/// How firmly a ref of a version control URL holds.
pub(super) fn ref_strength(written: Option<&str>) -> Option<Strength> {
    let written = written.unwrap_or("");
    if super::is_computed(written) { None } else { Some(git::ref_strength(written)) }
}

fn url(main: &str, fragment: &str) -> Found {
    let clean = without_credentials(main);
    let file = clean.split('?').next().unwrap_or("").rsplit('/').next().unwrap_or("").to_string();
    let hash = ["sha256", "sha512", "sha384"].iter();
    let digests: Vec<String> =
        hash.filter_map(|kind| Some(format!("{kind}:{}", fragment_value(fragment, kind)?))).collect();
    let (name, version) = file_parts(&file).map_or((None, None), |(name, version)| (Some(name), Some(version)));
    let commit = main.split(['/', '.']).any(|part| part.len() == 40 && git::is_commit(part));
    let strength = match () {
        _ if !digests.is_empty() => Some(Strength::Immutable),
        _ if super::is_computed(main) => None,
        // GitHub makes archives of a commit anew at each request; the content is the commit's.
        _ if commit => Some(Strength::Immutable),
        _ if version.is_some() || tagged_archive(main) => Some(Strength::Exact),
        _ => Some(Strength::Unspecified),
    };
    // The file of an archive of GitHub is named after the ref: `main.tar.gz` says nothing.
    let archive = clean.split_once("/archive/").filter(|(repository, _)| repository.contains("//github.com/"));
    let repository = archive.map_or(file, |(repository, _)| git::name_of(repository));
    Found {
        origin: Origin::Url(clean),
        strength,
        version,
        digests,
        name,
        repository,
        extras: Vec::new(),
        reference: None,
    }
}

/// Whether a forge's archive of a tag is named: `/archive/v1.2.3.zip`, `/releases/download/v1.2/x`.
fn tagged_archive(main: &str) -> bool {
    let download = main.split_once("/releases/download/").map(|(_, rest)| rest.split('/').next().unwrap_or(""));
    let archive = main.split_once("/archive/").map(|(_, rest)| rest.trim_start_matches("refs/tags/"));
    let tag = archive.map(|rest| ARCHIVES.iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest)).or(download);
    tag.is_some_and(|tag| ref_strength(Some(tag)) == Some(Strength::Exact))
}

/// Name and version of a wheel or a source archive by its file name.
fn file_parts(file: &str) -> Option<(String, String)> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        let (name, version) = (parts.next()?, parts.next()?);
        return version.starts_with(|c: char| c.is_ascii_digit()).then(|| (name.to_string(), version.to_string()));
    }
    let stem = ARCHIVES.iter().find_map(|end| file.strip_suffix(end))?;
    let (name, version) = stem.rsplit_once('-')?;
    let versioned = version.starts_with(|c: char| c.is_ascii_digit()) && super::parts(version) >= 1;
    (versioned && !name.is_empty()).then(|| (name.to_string(), version.to_string()))
}

fn path(main: &str) -> Found {
    let (path, extras) = main
        .split_once('[')
        .map_or((main, Vec::new()), |(path, rest)| (path, super::extras(rest.split(']').next().unwrap_or(""))));
    let path = path.strip_prefix("file://").or(path.strip_prefix("file:")).unwrap_or(path);
    let file = path.rsplit(['/', '\\']).next().unwrap_or("");
    let (name, version) = file_parts(file).map_or((None, None), |(name, version)| (Some(name), Some(version)));
    Found {
        origin: Origin::Path(path.to_string()),
        // What stands in the tree moves only with a commit.
        strength: Some(Strength::Immutable),
        version,
        digests: Vec::new(),
        name,
        repository: String::new(),
        extras,
        reference: None,
    }
}

//! Answers kept on disk between runs. One file an answer: a line of JSON, then the body. A file that is not whole counts as none.
#![expect(
    clippy::disallowed_methods,
    reason = "the cache is a part of the world: it lives on the disk and asks the clock"
)]

use super::request::{Answer, Caching, Request};
use crate::model::text::hex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

/// The form of the files; another one is another folder.
const FORM: &str = "http-v1";
/// Left over by a run that was killed.
const STALE: Duration = Duration::from_secs(3600);
/// Headers that are of use later.
const KEPT: [&str; 9] = [
    "cache-control",
    "content-range",
    "content-type",
    "docker-content-digest",
    "etag",
    "last-modified",
    "link",
    "content-length",
    "accept-ranges",
];

/// A folder of answers.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    next: AtomicU64,
}

/// An answer from the cache.
#[derive(Debug)]
pub struct Kept {
    /// The answer.
    pub answer: Answer,
    /// Whether it may be used without asking.
    pub is_fresh: bool,
}

#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    url: String,
    headers: Vec<(String, String)>,
    /// Seconds since 1970.
    stored: u64,
    length: u64,
    sha256: String,
}

impl Cache {
    /// The cache in a folder, which is made when something is kept.
    pub fn at(folder: PathBuf) -> Cache {
        let folder = folder.join(FORM);
        sweep(&folder.join("tmp"));
        Cache { folder, next: AtomicU64::new(0) }
    }

    /// What is kept for a request.
    pub fn find(&self, request: &Request) -> Option<Kept> {
        if request.caching == Caching::Never {
            return None;
        }
        let mut body = fs::read(self.path(request)).ok()?;
        let end = memchr::memchr(b'\n', &body)?;
        let head: Head = serde_json::from_slice(&body[..end]).ok()?;
        body.drain(..=end);
        if body.len() as u64 != head.length || hex(&Sha256::digest(&body)) != head.sha256 {
            return None;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &head.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                headers.append(name, value);
            }
        }
        let answer = Answer { status: head.status, url: Url::parse(&head.url).ok()?, headers, body, from_cache: true };
        let age = now().saturating_sub(head.stored);
        let is_fresh = fresh_for(request.caching, &answer).is_some_and(|limit| age < limit.as_secs());
        Some(Kept { answer, is_fresh })
    }

    /// Keeps an answer. A disk that is full or read-only costs a repetition, not the run.
    pub fn keep(&self, request: &Request, answer: &Answer) {
        let whole = matches!(answer.status, 200 | 206 | 404 | 410);
        let forbidden = directives(answer).any(|word| word == "no-store");
        if request.caching == Caching::Never || !whole || forbidden {
            return;
        }
        let _ = self.write(&self.path(request), answer);
    }

    fn write(&self, path: &Path, answer: &Answer) -> std::io::Result<()> {
        let headers = KEPT.iter().filter_map(|name| Some((name.to_string(), answer.header(name)?.to_string())));
        let mut url = answer.url.clone();
        // A query may be a signature that opens the file for whoever has it.
        url.set_query(None);
        let head = Head {
            status: answer.status,
            url: url.to_string(),
            headers: headers.collect(),
            stored: now(),
            length: answer.body.len() as u64,
            sha256: hex(&Sha256::digest(&answer.body)),
        };
        let tmp = self.folder.join("tmp");
        make_private(&tmp)?;
        if let Some(folder) = path.parent() {
            make_private(folder)?;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let beside = tmp.join(format!("{}-{number}", std::process::id()));
        let mut file = fs::File::create(&beside)?;
        let done = serde_json::to_writer(&mut file, &head)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.write_all(&answer.body))
            .and_then(|()| fs::rename(&beside, path));
        if done.is_err() {
            let _ = fs::remove_file(&beside);
        }
        done
    }

    /// The file of a request: named by everything that makes the answer.
    fn path(&self, request: &Request) -> PathBuf {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut hash = Sha256::new();
        let protocol = header("git-protocol");
        for part in [request.method.as_str(), request.url.as_str(), header("accept"), header("range"), protocol] {
            hash.update(part.as_bytes());
            hash.update(b"\n");
        }
        hash.update(request.body.as_deref().unwrap_or_default());
        if let Some(reduction) = &request.reduction {
            hash.update(b"\n");
            hash.update(reduction.form);
        }
        let name = hex(&hash.finalize());
        self.folder.join(&name[..2]).join(&name[2..])
    }
}

/// How long an answer may be used; `None`: it has to be confirmed each time.
fn fresh_for(caching: Caching, answer: &Answer) -> Option<Duration> {
    let unsaid = match caching {
        Caching::Never => return None,
        // What is not there may be there in a moment, or for somebody who is logged in.
        _ if answer.status >= 400 => return None,
        Caching::Immutable => return Some(Duration::MAX),
        Caching::For(time) => time,
    };
    let mut said = None;
    for word in directives(answer) {
        match word.split_once('=') {
            Some(("max-age", seconds)) => said = seconds.trim_matches('"').parse().ok().map(Duration::from_secs),
            None if word == "no-cache" => return None,
            _ => {}
        }
    }
    Some(said.unwrap_or(unsaid))
}

fn directives(answer: &Answer) -> impl Iterator<Item = String> + use<> {
    let text = answer.header("cache-control").unwrap_or("").to_ascii_lowercase();
    text.split(',').map(|word| word.trim().to_string()).collect::<Vec<_>>().into_iter()
}

/// Makes a folder that only its owner can look into.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Removes what runs that were killed left behind.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified()).map(|time| time.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

//! The questions themselves: pages, metadata, and what stands behind URLs.

use super::archive::Source;
use super::{Place, Shared, absent, archive, simple};
use crate::ecosystems::pypi::normalize;
use crate::model::text::hex;
use crate::resolve::listing::{Absent, Announced, Direct, File, Kind, Listing, kind_of, packed, source_version};
use crate::resolve::metadata::{Metadata, Unusable};
use crate::resolve::requirement::Name;
use crate::world::credential::{Authorization, Token};
use crate::world::failure::Failure;
use crate::world::http::{Answer, Caching, Request, shown};
use crate::world::process::Task;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The form of metadata without the description behind it.
const HEADERS: &str = "headers-1";
/// How long a page may be used again when the index does not say: as long as PyPI says it itself.
const PAGES_FOR: Duration = Duration::from_secs(600);
/// How long a file at an address that names no content may be used again.
const FILES_FOR: Duration = Duration::from_secs(3600);
/// What is asked of a page: JSON, else HTML.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";
/// The largest known page has some tens of MiB.
const LARGEST_PAGE: u64 = 256 << 20;
/// Bytes from the end of a wheel that nearly always hold its directory, and often the metadata itself.
const TAIL: u64 = 16 << 10;
/// The form of the texts of a source distribution.
const SOURCE: &str = "source-1";
/// A source distribution that is read at once, in bytes, and how much of a bigger one is looked at first.
const SMALL_SOURCE: u64 = 512 << 10;
/// The largest source distribution that is read as a whole for its metadata, which is then kept in memory for a moment.
const LARGEST_SOURCE: u64 = 64 << 20;
/// The largest file that is read where a server knows no ranges, or where nothing but a URL names it.
const LARGEST_FILE: u64 = 512 << 20;
/// The largest wheel at a URL that is read as a whole for its hash.
const LARGEST_HASHED: u64 = 128 << 20;

impl Shared {
    /// The first index that has the project decides.
    pub(super) async fn fetch_listing(&self, name: &Name) -> Result<Listing, Absent> {
        let tied = self.places.tied.iter().find(|(tied, _)| tied == name).map(|(_, index)| index);
        let asked = |place: &&Place| match tied {
            Some(index) => place.name.as_ref() == Some(index),
            None => !place.explicit,
        };
        for place in self.places.list.iter().filter(asked) {
            match self.fetch_page(name, place).await {
                Ok((claimed, listing)) => {
                    if let Some(other) = claimed.filter(|claimed| **claimed != **name) {
                        let why = format!("asked for `{name}`, it answers for `{other}`");
                        return Err(Absent::Failed(Failure::Lying { what: place.shown(), why }.to_string()));
                    }
                    return Ok(listing);
                }
                Err(Failure::NotFound { .. }) => {}
                Err(failure) => return Err(absent(failure)),
            }
        }
        Err(Absent::NotFound)
    }

    /// A project's page, with the name that it states.
    async fn fetch_page(&self, name: &Name, place: &Place) -> Result<(Option<String>, Listing), Failure> {
        let address = format!("{}/{name}/", place.url);
        let project = name.clone();
        let request = Request::get(&address)?.header("accept", ACCEPT).reduced(packed::FORM, move |answer| {
            let kind = answer.header("content-type").unwrap_or("").to_ascii_lowercase();
            simple::read(&kind, &answer.body, &answer.url).map(|page| packed::pack(&project, &page))
        });
        let request = request.caching(Caching::For(PAGES_FOR)).limit(LARGEST_PAGE);
        let answer = self.ask(request, &address).await?;
        let index: Arc<str> = place.shown().trim_end_matches('/').into();
        packed::unpack(name, answer.body, &index)
            .ok_or_else(|| Failure::Lying { what: shown(&address), why: "it is no index page".to_string() })
    }

    /// Sends a request with the login of its address; where that is refused, the keyring is asked once.
    async fn ask(&self, request: Request, address: &str) -> Result<Answer, Failure> {
        let login = self.login(address);
        let answer = self.http.send(&request.clone().authorized(login)).await?;
        if answer.status == 401
            && let Some(login) = self.ask_keyring(address).await
        {
            return self.http.fetch(&request.authorized(Some(login))).await;
        }
        answer.success()
    }

    /// `keyring get ADDRESS USER`, then the same with the host: as pip and uv ask it.
    async fn ask_keyring(&self, address: &str) -> Option<Authorization> {
        if !self.places.keyring {
            return None;
        }
        let url = Url::parse(address).ok()?;
        let origin = url.origin().ascii_serialization();
        if let Ok(logins) = self.logins.lock()
            && let Some(known) = logins.get(&origin)
        {
            return known.clone();
        }
        let place = self.places.list.iter().find(|place| address.starts_with(&place.url));
        let user = place.and_then(|place| place.user.clone()).unwrap_or_else(|| "__token__".to_string());
        let services = [place.map(|place| place.url.clone()), url.host_str().map(str::to_string)];
        let folder = self.folder.clone();
        let asked = tokio::task::spawn_blocking(move || {
            services.into_iter().flatten().find_map(|service| {
                let done =
                    Task::new("keyring", &["get", &service, &user], &folder, Duration::from_secs(30)).run().ok()?;
                let secret = done.text().trim_end_matches(['\r', '\n']).to_string();
                (done.is_good() && !secret.is_empty()).then(|| Authorization::Basic(user.clone(), Token::new(secret)))
            })
        });
        let login = asked.await.ok().flatten();
        if let Ok(mut logins) = self.logins.lock() {
            logins.insert(origin, login.clone());
        }
        login
    }

    /// The metadata of a file: beside it, inside of it, or what a source distribution says for good.
    pub(super) async fn fetch_metadata(&self, file: &File) -> Result<Metadata, Absent> {
        let metadata = match (&file.announced, &file.kind) {
            (Announced::Yes(hash), Kind::Wheel(_)) => match self.beside(file, hash.as_deref()).await {
                Ok(text) => Metadata::of_wheel(&text).map_err(unusable),
                // Announced and not there: the wheel itself still says it.
                Err(Absent::NotFound) => self.inside(file).await,
                Err(absent) => Err(absent),
            },
            (_, Kind::Wheel(_)) => self.inside(file).await,
            (_, Kind::Source) => self.source(file).await,
        };
        metadata.map_err(|absent| match absent {
            Absent::Broken(why) => Absent::Broken(format!("{}: {why}", file.name)),
            absent => absent,
        })
    }

    async fn beside(&self, file: &File, hash: Option<&str>) -> Result<String, Absent> {
        let address = format!("{}.metadata", file.url);
        let hash = hash.map(str::to_string);
        // Behind the headers stands the project's description, which nobody asks for.
        let request = Request::get(&address).map_err(absent)?.reduced(HEADERS, move |answer| {
            if hash.as_ref().is_some_and(|hash| sha256(&answer.body) != *hash) {
                return Err("its hash is not the one that the index announces".to_string());
            }
            Ok(answer.body[..headers_end(&answer.body)].to_vec())
        });
        let answer = self.ask(request.caching(kept_for(file)), &address).await.map_err(absent)?;
        Ok(answer.text())
    }

    /// Out of the wheel by ranges. A server without ranges sends the whole, which is read just so.
    async fn inside(&self, file: &File) -> Result<Metadata, Absent> {
        let headers = Request::get(&file.url).map_err(absent)?.caching(kept_for(file)).made(HEADERS);
        if let Some(kept) = self.http.recall(&headers) {
            return Metadata::of_wheel(&kept.text()).map_err(unusable);
        }
        // What is read is a hundredth of what has to be fetched for it, and the parts are of no use again.
        let text = self.wheel_metadata(&file.url, file.size, Caching::Never).await?;
        let metadata = Metadata::of_wheel(&text).map_err(unusable)?;
        self.http.remember(&headers, text.as_bytes()[..headers_end(text.as_bytes())].to_vec());
        Ok(metadata)
    }

    async fn wheel_metadata(&self, url: &str, size: Option<u64>, caching: Caching) -> Result<String, Absent> {
        let broken = |why: &str| absent(Failure::Lying { what: shown(url), why: why.to_string() });
        let tail = self.part(url, Part::Last(TAIL), caching).await?;
        if size.is_some_and(|size| size != tail.size) {
            return Err(broken("its size is not the one that the index lists"));
        }
        let mut held = tail;
        let directory = match archive::directory(&held.bytes, held.size) {
            Some(directory) => directory,
            // A comment or a 64-bit record can push the end further in.
            None => {
                held = self.part(url, Part::Last(4 * TAIL), caching).await?;
                archive::directory(&held.bytes, held.size).ok_or_else(|| broken("it is no zip file"))?
            }
        };
        if directory.start < held.start {
            // The metadata mostly stands right before the directory.
            let from = directory.start.saturating_sub(TAIL);
            held = self.part(url, Part::Between(from, held.start), caching).await?.before(held);
        }
        let bytes = held.between(directory.start, directory.end).ok_or_else(|| broken("it is no zip file"))?;
        let entries = archive::entries(bytes).ok_or_else(|| broken("its directory is broken"))?;
        let entry =
            archive::metadata_entry(&entries).ok_or_else(|| Absent::Broken("it holds no METADATA".to_string()))?;
        let end = (entry.offset + archive::reach(entry)).min(held.size);
        if entry.offset < held.start {
            held = self.part(url, Part::Between(entry.offset, end), caching).await?;
        }
        let whole = held.size;
        let mut unpacked = held.between(entry.offset, end).and_then(|bytes| archive::unpack(entry, bytes));
        if unpacked.is_none() {
            // A local header can be longer than the directory tells.
            let end = (end + (64 << 10)).min(whole);
            held = self.part(url, Part::Between(entry.offset, end), caching).await?;
            unpacked = held.between(entry.offset, end).and_then(|bytes| archive::unpack(entry, bytes));
        }
        let unpacked = unpacked.ok_or_else(|| broken("its METADATA cannot be unpacked"))?;
        Ok(String::from_utf8_lossy(&unpacked).into_owned())
    }

    async fn part(&self, url: &str, part: Part, caching: Caching) -> Result<Held, Absent> {
        let request = Request::get(url).map_err(absent)?.caching(caching).limit(LARGEST_FILE);
        let request = match part {
            Part::Last(bytes) => request.last(bytes),
            Part::Between(start, end) => request.range(start..end),
        };
        let answer = match self.ask(request, url).await {
            Ok(answer) => answer,
            // A file that is shorter than what was asked for: some servers refuse instead of sending all.
            Err(Failure::Unexpected { status: 416, .. }) => {
                let whole = Request::get(url).map_err(absent)?.caching(caching).limit(LARGEST_FILE);
                self.ask(whole, url).await.map_err(absent)?
            }
            Err(failure) => return Err(absent(failure)),
        };
        Held::of(answer).ok_or_else(|| {
            let why = "it answers a range with something else".to_string();
            absent(Failure::Lying { what: shown(url), why })
        })
    }

    /// A big one is opened only as far as its `PKG-INFO`, when that stands in front and is final. What is kept are the two texts.
    async fn source(&self, file: &File) -> Result<Metadata, Absent> {
        let texts = Request::get(&file.url).map_err(absent)?.caching(kept_for(file)).made(SOURCE);
        if let Some(kept) = self.http.recall(&texts).and_then(|kept| kept.json::<Source>().ok()) {
            return of_source(&file.name, &kept);
        }
        let big = file.size.is_some_and(|size| size > SMALL_SOURCE);
        let source = match if big { self.source_head(file).await? } else { None } {
            Some(source) => source,
            None => match self.whole_source(file).await {
                // That one is too big to be read is kept as well: the next run need not find out again.
                Err(Absent::NeedsBuild) => Source::default(),
                read => read?,
            },
        };
        if let Ok(kept) = serde_json::to_vec(&source) {
            self.http.remember(&texts, kept);
        }
        of_source(&file.name, &source)
    }

    /// `None`: its beginning does not tell enough.
    async fn source_head(&self, file: &File) -> Result<Option<Source>, Absent> {
        let head = self.part(&file.url, Part::Between(0, SMALL_SOURCE), Caching::Never).await?;
        let source = archive::source_head(&file.name, &head.bytes);
        let told = source.info.as_deref().is_some_and(|info| Metadata::of_source(info).is_ok());
        Ok(told.then_some(source))
    }

    async fn whole_source(&self, file: &File) -> Result<Source, Absent> {
        if file.size.is_some_and(|size| size > LARGEST_SOURCE) {
            return Err(Absent::NeedsBuild);
        }
        let request = Request::get(&file.url).map_err(absent)?.caching(Caching::Never).limit(LARGEST_SOURCE);
        let answer = self.ask(request, &file.url).await.map_err(absent)?;
        if let Some(hash) = file.hashes.iter().find(|hash| hash.starts_with("sha256:"))
            && sha256(&answer.body) != *hash
        {
            let why = "its hash is not the one that the index lists".to_string();
            return Err(absent(Failure::Lying { what: shown(&file.url), why }));
        }
        archive::source(&file.name, &answer.body).ok_or_else(broken_source)
    }

    /// What stands behind a URL or a path.
    pub(super) async fn fetch_direct(&self, name: &Name, url: &str) -> Result<Direct, Absent> {
        let url = url.strip_prefix("-e ").unwrap_or(url);
        if url.contains("${") || url.contains("$(") {
            return Err(Absent::Broken(
                "it holds a variable, which is not filled in from the environment; write the address out".to_string(),
            ));
        }
        if let Some(repository) = url.strip_prefix("git+") {
            return self.version_controlled(name, repository).await;
        }
        if url.starts_with("hg+") || url.starts_with("svn+") || url.starts_with("bzr+") {
            return Err(Absent::NeedsBuild);
        }
        if !url.contains("://") {
            return self.local(name, url);
        }
        if let Some(path) = url.strip_prefix("file://") {
            return self.local(name, path.strip_prefix("localhost").unwrap_or(path));
        }
        let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
        let file = Url::parse(address).ok().and_then(|url| Some(url.path_segments()?.next_back()?.to_string()));
        let file = file.unwrap_or_default().replace("%2B", "+");
        let stated = fragment.split('&').filter_map(|pair| pair.split_once('='));
        let mut hashes: Vec<String> =
            stated.filter(|(kind, _)| kind.starts_with("sha")).map(|(kind, hash)| format!("{kind}:{hash}")).collect();
        let caching = if hashes.is_empty() { Caching::For(FILES_FOR) } else { Caching::Immutable };
        let metadata = match kind_of(&file) {
            Some(Kind::Wheel(_)) => {
                let text = self.wheel_metadata(address, None, caching).await?;
                if hashes.is_empty() {
                    hashes.extend(self.hash_of(address, caching).await);
                }
                Metadata::of_wheel(&text).map_err(unusable)?
            }
            Some(Kind::Source) => {
                let request = Request::get(address).map_err(absent)?.caching(caching).limit(LARGEST_FILE);
                let answer = self.ask(request, address).await.map_err(absent)?;
                let own = sha256(&answer.body);
                if hashes.iter().any(|hash| hash.starts_with("sha256:") && *hash != own) {
                    let why = "its hash is not the one in the requirement".to_string();
                    return Err(absent(Failure::Lying { what: shown(address), why }));
                }
                hashes = vec![own];
                source_metadata(&file, &answer.body)?
            }
            None => return Err(Absent::NeedsBuild),
        };
        named(name, metadata, hashes, url)
    }

    /// The hash of a file that no index lists: all of it has to be read, unless it is too big for that.
    async fn hash_of(&self, address: &str, caching: Caching) -> Option<String> {
        let request = Request::get(address).ok()?.caching(caching).limit(LARGEST_HASHED);
        let answer = self.ask(request, address).await.ok()?;
        Some(sha256(&answer.body))
    }

    fn local(&self, name: &Name, path: &str) -> Result<Direct, Absent> {
        let (path, _) = path.split_once('#').unwrap_or((path, ""));
        let place = self.folder.join(path);
        let read = crate::world::disk::read_bytes;
        let project = place.join("pyproject.toml");
        if let Ok(bytes) = read(&project) {
            let text = String::from_utf8_lossy(&bytes);
            return named(name, Metadata::of_pyproject(&text, None).map_err(unusable)?, Vec::new(), path);
        }
        let bytes = read(&place).map_err(|_| Absent::NotFound)?;
        let file = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let metadata = match kind_of(&file) {
            Some(Kind::Wheel(_)) => wheel_of(&bytes)?,
            Some(Kind::Source) => source_metadata(&file, &bytes)?,
            None => return Err(Absent::NeedsBuild),
        };
        named(name, metadata, vec![sha256(&bytes)], path)
    }
}

fn wheel_of(bytes: &[u8]) -> Result<Metadata, Absent> {
    let broken = || Absent::Broken("it is no wheel".to_string());
    let directory = archive::directory(bytes, bytes.len() as u64).ok_or_else(broken)?;
    let inner = bytes.get(directory.start as usize..directory.end as usize).ok_or_else(broken)?;
    let entries = archive::entries(inner).ok_or_else(broken)?;
    let entry = archive::metadata_entry(&entries).ok_or_else(broken)?;
    let unpacked =
        bytes.get(entry.offset as usize..).and_then(|bytes| archive::unpack(entry, bytes)).ok_or_else(broken)?;
    Metadata::of_wheel(&String::from_utf8_lossy(&unpacked)).map_err(unusable)
}

pub(super) fn named(name: &Name, metadata: Metadata, hashes: Vec<String>, url: &str) -> Result<Direct, Absent> {
    if metadata.name != *name {
        return Err(Absent::Broken(format!("it is `{}`, not `{name}`", metadata.name)));
    }
    Ok(Direct { metadata: Arc::new(metadata), hashes, pinned: url.to_string() })
}

fn broken_source() -> Absent {
    Absent::Broken("it is no source distribution".to_string())
}

fn source_metadata(file: &str, bytes: &[u8]) -> Result<Metadata, Absent> {
    of_source(file, &archive::source(file, bytes).ok_or_else(broken_source)?)
}

/// The metadata of a source distribution: `PKG-INFO` where it is final, else a static `pyproject.toml`.
fn of_source(file: &str, source: &Source) -> Result<Metadata, Absent> {
    if let Some(info) = &source.info {
        match Metadata::of_source(info) {
            Ok(metadata) => return Ok(metadata),
            Err(Unusable::Broken(why)) => return Err(Absent::Broken(why)),
            Err(Unusable::Dynamic) => {}
        }
    }
    let Some(project) = &source.project else { return Err(Absent::NeedsBuild) };
    let name = source.info.as_deref().and_then(|info| info.lines().find_map(|line| line.strip_prefix("Name:")));
    let version = name.and_then(|name| source_version(&normalize(name.trim()), file));
    // Tools of their own (poetry) keep requirements elsewhere, and then the table is not all there is.
    Metadata::of_pyproject(project, version.as_ref()).map_err(unusable)
}

pub(super) fn unusable(unusable: Unusable) -> Absent {
    match unusable {
        Unusable::Dynamic => Absent::NeedsBuild,
        Unusable::Broken(why) => Absent::Broken(why),
    }
}

/// A file that the index lists with a hash never changes.
fn kept_for(file: &File) -> Caching {
    if file.hashes.is_empty() { Caching::For(FILES_FOR) } else { Caching::Immutable }
}

/// Where the headers end: before the first empty line.
fn headers_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            break;
        }
        at += line.len();
    }
    at
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Last(u64),
    Between(u64, u64),
}

/// A part of a file.
struct Held {
    start: u64,
    size: u64,
    bytes: Vec<u8>,
}

impl Held {
    fn of(answer: Answer) -> Option<Held> {
        if answer.status == 200 {
            return Some(Held { start: 0, size: answer.body.len() as u64, bytes: answer.body });
        }
        // `bytes 100-199/200`
        let range = answer.header("content-range")?.strip_prefix("bytes ")?.to_string();
        let (range, size) = range.split_once('/')?;
        let (start, end) = range.split_once('-')?;
        let (start, end, size) =
            (start.trim().parse().ok()?, end.trim().parse::<u64>().ok()?, size.trim().parse().ok()?);
        let whole = end.checked_sub(start)?.checked_add(1)? == answer.body.len() as u64 && end < size;
        whole.then_some(Held { start, size, bytes: answer.body })
    }

    /// Joins what comes right behind it.
    fn before(mut self, behind: Held) -> Held {
        if self.start + self.bytes.len() as u64 == behind.start {
            self.bytes.extend(behind.bytes);
        }
        self
    }

    fn between(&self, start: u64, end: u64) -> Option<&[u8]> {
        let from = start.checked_sub(self.start)? as usize;
        let to = end.checked_sub(self.start)? as usize;
        self.bytes.get(from..to.min(self.bytes.len()))
    }
}

#[cfg(test)]
mod tests;

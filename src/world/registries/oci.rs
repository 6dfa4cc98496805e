//! Container registries: tags, digests and manifests over the distribution API, with logins as Docker and Podman keep them.
//!
//! Image names are checked by `oci-client`'s grammar; requests are our own, because paging by `Link`, `Retry-After`, the cache and the
//! limits of the one client have to hold here too. <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

mod login;
mod place;

pub use place::{Place, Rules};

use crate::model::knowledge::ImageManifest;
use crate::model::text::hex;
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::http::{Answer, Caching, Http, Request};
use login::Logins;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a manifest may be: an index of platforms first, a single image else.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// A tag may move at any time; a run that follows another within this time takes the same answer.
const TAG_FOR: Duration = Duration::from_secs(300);
/// Manifests are small; the specification's limit is 4 MiB.
const MANIFEST_LIMIT: u64 = 4 << 20;
/// Pages of a list of tags that are read; more is a registry in a loop.
const MOST_PAGES: usize = 200;

/// The client of all container registries.
#[derive(Debug)]
pub struct Oci {
    http: Http,
    rules: Rules,
    logins: Logins,
}

#[derive(Deserialize)]
struct TagList {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Entry>,
    config: Option<Blob>,
}

#[derive(Deserialize)]
struct Blob {
    digest: String,
}

#[derive(Deserialize)]
struct Entry {
    digest: String,
    platform: Option<Platform>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    created: Option<String>,
}

impl Oci {
    /// A client with the mirrors and logins that the environment names.
    pub fn new(http: Http, environment: &Environment) -> Oci {
        let rules = Rules::of(environment);
        Oci { logins: Logins::new(http.clone(), environment), http, rules }
    }

    /// Where an image is pulled from.
    pub fn place(&self, image: &str) -> Result<Place, Failure> {
        self.rules.place(image)
    }

    /// Every tag of an image.
    pub async fn tags(&self, image: &str) -> Result<Vec<String>, Failure> {
        let place = self.place(image)?;
        let mut url = format!("{}/tags/list?n=1000", place.base);
        let (mut tags, mut seen) = (Vec::new(), BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let request = Request::get(&url)?.caching(Caching::For(TAG_FOR));
            let answer = self.ask(&place, request).await?.success()?;
            let page: TagList = answer.json()?;
            let before = seen.len();
            // Some registries ignore the paging and begin anew each time: a page without news is the end.
            tags.extend(page.tags.unwrap_or_default().into_iter().filter(|tag| seen.insert(tag.clone())));
            let next = next_page(&answer).filter(|_| seen.len() > before);
            let Some(next) = next else { return Ok(tags) };
            url = next;
        }
        Err(Failure::Lying { what: place.base, why: format!("its list of tags has more than {MOST_PAGES} pages") })
    }

    /// The digest of a tag: of the index where the image has one. `None`: there is no such tag.
    pub async fn digest(&self, image: &str, tag: &str) -> Result<Option<String>, Failure> {
        let place = self.place(image)?;
        let url = format!("{}/manifests/{tag}", place.base);
        let head = Request::head(&url)?.header("accept", MANIFESTS).caching(Caching::For(TAG_FOR));
        let answer = self.ask(&place, head).await?;
        if matches!(answer.status, 404 | 410) {
            return Ok(None);
        }
        // A few registries know no HEAD, or leave the digest out.
        if let Some(digest) = answer.header("docker-content-digest").filter(|digest| is_digest(digest))
            && answer.status < 300
        {
            return Ok(Some(digest.to_string()));
        }
        if !matches!(answer.status, 200..=299 | 405) {
            answer.success()?;
        }
        let get = Request::get(&url)?.header("accept", MANIFESTS).limit(MANIFEST_LIMIT).caching(Caching::For(TAG_FOR));
        let answer = self.ask(&place, get).await?;
        match answer.status {
            404 | 410 => Ok(None),
            _ => Ok(Some(sha256(&answer.success()?.body))),
        }
    }

    /// What a digest stands for. `None`: the registry has it no more.
    pub async fn manifest(&self, image: &str, digest: &str) -> Result<Option<ImageManifest>, Failure> {
        let place = self.place(image)?;
        let Some(manifest) = self.raw_manifest(&place, digest).await? else { return Ok(None) };
        let attests = |entry: &Entry| entry.annotations.contains_key("vnd.docker.reference.type");
        let platforms = manifest.manifests.iter().filter(|entry| !attests(entry)).filter_map(|entry| {
            let platform = entry.platform.as_ref().filter(|platform| platform.os != "unknown")?;
            let variant = platform.variant.as_ref().map_or(String::new(), |variant| format!("/{variant}"));
            Some((format!("{}/{}{variant}", platform.os, platform.architecture), entry.digest.clone()))
        });
        let mut platforms: Vec<(String, String)> = platforms.collect();
        platforms.sort();
        Ok(Some(ImageManifest { platforms, created: None }))
    }

    /// When the image of a digest was made, unless that is the constant of a reproducible build. Two more requests.
    pub async fn created(&self, image: &str, digest: &str) -> Result<Option<jiff::Timestamp>, Failure> {
        let place = self.place(image)?;
        let Some(mut manifest) = self.raw_manifest(&place, digest).await? else { return Ok(None) };
        if let Some(first) = manifest.manifests.first() {
            let digest = first.digest.clone();
            let Some(inner) = self.raw_manifest(&place, &digest).await? else { return Ok(None) };
            manifest = inner;
        }
        let Some(config) = manifest.config else { return Ok(None) };
        let url = format!("{}/blobs/{}", place.base, config.digest);
        let request = Request::get(&url)?.limit(MANIFEST_LIMIT).caching(Caching::Immutable);
        let answer = self.ask(&place, request).await?.success()?;
        verify(&answer, &config.digest)?;
        let created = answer.json::<Config>()?.created.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        // 1970, 1980 (the zip epoch) and the like.
        let real = |time: &jiff::Timestamp| time.as_second() > 1_000_000_000;
        Ok(created.filter(real))
    }

    async fn raw_manifest(&self, place: &Place, digest: &str) -> Result<Option<Manifest>, Failure> {
        let url = format!("{}/manifests/{digest}", place.base);
        let request = Request::get(&url)?.header("accept", MANIFESTS).limit(MANIFEST_LIMIT).caching(Caching::Immutable);
        let answer = self.ask(place, request).await?;
        if matches!(answer.status, 404 | 410) {
            return Ok(None);
        }
        let answer = answer.success()?;
        verify(&answer, digest)?;
        answer.json().map(Some)
    }

    /// Sends a request, logging in when the registry asks for it.
    async fn ask(&self, place: &Place, request: Request) -> Result<Answer, Failure> {
        let known = self.logins.known(place);
        let answer = self.http.send(&request.clone().authorized(known.clone())).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let authorization = self.logins.answer(place, &answer, known).await?;
        self.http.send(&request.authorized(Some(authorization))).await
    }
}

/// Where `Link: <…>; rel="next"` leads: to the same registry only.
fn next_page(answer: &Answer) -> Option<String> {
    let next = answer.header("link")?.split(',').find(|link| link.contains("next"))?;
    let target = next.split_once('<')?.1.split_once('>')?.0;
    let url = answer.url.join(target).ok()?;
    (url.origin() == answer.url.origin()).then(|| url.to_string())
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Refuses a body that is not what its digest says.
fn verify(answer: &Answer, digest: &str) -> Result<(), Failure> {
    let found = sha256(&answer.body);
    // Digests of other algorithms are allowed and next to never seen.
    if found == digest || !digest.starts_with("sha256:") {
        return Ok(());
    }
    let what = crate::world::http::shown(answer.url.as_str());
    Err(Failure::Lying { what, why: format!("its content has the digest {found}") })
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

//! One HTTP client for every registry, index and forge: bounded, patient, cached, and silent about credentials.
//!
//! Knows no registry. A request says what it wants; the client decides when it is sent, how often it is tried again, and whether an
//! answer of an earlier run will do. Redirects are followed here, because credentials must not travel to another host.

mod cache;
mod pace;
mod quota;
mod request;

pub use request::{Answer, Caching, Request, shown};

use super::clock;
use super::credential::Authorization;
use super::failure::Failure;
use super::progress::Progress;
use cache::Cache;
use pace::{Lane, Pace};
use quota::Quota;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether the network may be used.
    pub mode: Mode,
    /// Where answers are kept between runs; `None`: nowhere.
    pub cache: Option<PathBuf>,
    /// Requests at a time, over all hosts.
    pub at_once: usize,
    /// Requests at a time to one host.
    pub per_host: usize,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// The pause before the first repetition; each further one is twice as long.
    pub pause: Duration,
    /// The longest pause that a server's `Retry-After` may ask for.
    pub patience: Duration,
    /// Time for one attempt, from connecting to the last byte.
    pub within: Duration,
    /// Whether progress is shown.
    pub progress: Progress,
}

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It may.
    #[default]
    Online,
    /// Only what is kept from an earlier run.
    Offline,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Online,
            cache: None,
            at_once: 100,
            per_host: 50,
            retries: 3,
            pause: Duration::from_millis(300),
            patience: Duration::from_secs(60),
            within: Duration::from_secs(60),
            progress: Progress::Terminal,
        }
    }
}

/// What a run has asked of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests sent, repetitions and redirects included.
    pub requests: u64,
    /// Bytes of bodies received, after decompression.
    pub bytes: u64,
    /// Answers taken from the cache without asking.
    pub kept: u64,
    /// Answers taken from the cache after the server said that they still hold.
    pub confirmed: u64,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    kept: AtomicU64,
    confirmed: AtomicU64,
}

/// The client. Clones share connections, limits, cache and counters.
#[derive(Debug, Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    client: OnceLock<Result<reqwest::Client, String>>,
    cache: Option<Cache>,
    pace: Pace,
    counters: Counters,
}

/// The longest body that room is made for before it arrives, in bytes.
const FORESEEN: u64 = 16 << 20;

/// Hops after which a chain of redirects is a circle.
const MOST_REDIRECTS: usize = 10;

impl Http {
    /// A client; nothing is opened before the first request.
    pub fn new(settings: Settings) -> Http {
        let cache = settings.cache.clone().map(Cache::at);
        let pace = Pace::new(settings.at_once, settings.per_host);
        let counters = Counters::default();
        Http { inner: Arc::new(Inner { settings, client: OnceLock::new(), cache, pace, counters }) }
    }

    /// Whether the network may be used.
    pub fn mode(&self) -> Mode {
        self.inner.settings.mode
    }

    /// Whether progress is shown.
    pub fn progress(&self) -> Progress {
        self.inner.settings.progress
    }

    /// Hosts that allow few more requests, in words.
    pub fn low_quotas(&self) -> Vec<String> {
        let quotas = self.inner.pace.quotas();
        quotas.iter().filter(|(_, quota)| quota.is_low()).map(|(host, quota)| quota.words(host)).collect()
    }

    /// What was asked so far.
    pub fn counts(&self) -> Counts {
        let counters = &self.inner.counters;
        Counts {
            requests: counters.requests.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            kept: counters.kept.load(Ordering::Relaxed),
            confirmed: counters.confirmed.load(Ordering::Relaxed),
        }
    }

    /// Sends a request and gives the answer of any status that is not a passing failure.
    ///
    /// What passes (429, 5xx, no connection, a body that ends early) is tried again; what is left of it is a [`Failure`]. So 401, 403
    /// and 404 arrive as answers: their headers matter. [`Answer::success`] makes failures of them.
    pub async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let kept = self.inner.cache.as_ref().and_then(|cache| cache.find(request));
        if self.inner.settings.mode == Mode::Offline {
            let offline = || Failure::Offline { what: request.what() };
            return kept.map(|kept| self.count_kept(kept.answer)).ok_or_else(offline);
        }
        let kept = match kept {
            Some(kept) if kept.is_fresh => return Ok(self.count_kept(kept.answer)),
            kept => kept,
        };
        let mut conditions = HeaderMap::new();
        if let Some(kept) = &kept {
            kept.answer.conditions(&mut conditions);
        }
        let mut answer = self.patiently(request, &conditions).await?;
        let reduction = request.reduction.as_ref().and_then(|reduction| reduction.make.as_ref());
        if let Some(make) = reduction.filter(|_| answer.status == 200) {
            answer.body = make(&answer).map_err(|why| Failure::Lying { what: request.what(), why })?;
            answer.body.shrink_to_fit();
        }
        match kept {
            Some(kept) if answer.status == 304 => {
                self.inner.counters.confirmed.fetch_add(1, Ordering::Relaxed);
                let confirmed = kept.answer.confirmed_by(&answer);
                self.keep(request, &confirmed);
                Ok(confirmed)
            }
            _ => {
                self.keep(request, &answer);
                Ok(answer)
            }
        }
    }

    /// Sends a request whose answer is only of use when it is a success.
    pub async fn fetch(&self, request: &Request) -> Result<Answer, Failure> {
        self.send(request).await?.success()
    }

    /// What [`Http::remember`] kept for a request, while it may be used.
    pub fn recall(&self, request: &Request) -> Option<Answer> {
        let kept = self.inner.cache.as_ref()?.find(request)?;
        let counts = kept.is_fresh || self.inner.settings.mode == Mode::Offline;
        counts.then(|| self.count_kept(kept.answer))
    }

    /// Keeps what was made of several answers.
    pub fn remember(&self, request: &Request, body: Vec<u8>) {
        let url = request.url.clone();
        self.keep(request, &Answer { status: 200, url, headers: HeaderMap::new(), body, from_cache: false });
    }

    fn count_kept(&self, answer: Answer) -> Answer {
        self.inner.counters.kept.fetch_add(1, Ordering::Relaxed);
        answer
    }

    fn keep(&self, request: &Request, answer: &Answer) {
        if let Some(cache) = &self.inner.cache {
            cache.keep(request, answer);
        }
    }

    /// Tries until there is an answer that stays, or patience ends.
    async fn patiently(&self, request: &Request, conditions: &HeaderMap) -> Result<Answer, Failure> {
        let settings = &self.inner.settings;
        let lane = self.inner.pace.lane(&request.url);
        for attempt in 0.. {
            if let Some(dead) = lane.dead() {
                return Err(dead);
            }
            if let Some(after) = lane.spent() {
                return Err(Failure::Limited { host: request.host(), after: Some(after) });
            }
            let outcome = self.follow(request, conditions, &lane).await;
            let quota = outcome.as_ref().ok().and_then(|answer| Quota::of(answer, clock::now_millis() as u64 / 1000));
            let reset = quota.as_ref().filter(|quota| quota.left == 0).and_then(|quota| quota.reset);
            quota.into_iter().for_each(|quota| lane.allows(quota, settings.patience));
            let wait = match &outcome {
                Ok(answer) if answer.passes() => answer.retry_after().or(reset),
                Err(Failure::Unreachable { .. } | Failure::Truncated { .. }) => None,
                _ => {
                    lane.alive();
                    return outcome;
                }
            };
            let give_up =
                attempt >= settings.retries || !request.repeatable || wait.is_some_and(|wait| wait > settings.patience);
            if give_up {
                return match outcome {
                    Ok(answer) => Err(answer.passing_failure(&request.host(), wait)),
                    Err(failure) => Err(lane.bury(failure)),
                };
            }
            let pause = wait.unwrap_or_else(|| pace::jitter(settings.pause * 2_u32.saturating_pow(attempt)));
            if wait.is_some() {
                lane.hold_for(pause);
            }
            tokio::time::sleep(pause).await;
        }
        unreachable!("the loop ends by returning")
    }

    /// One attempt: the request, and what it is redirected to.
    async fn follow(&self, request: &Request, conditions: &HeaderMap, lane: &Lane) -> Result<Answer, Failure> {
        let mut url = request.url.clone();
        for _ in 0..MOST_REDIRECTS {
            let at_home = same_origin(&url, &request.url);
            let permit = match at_home {
                true => lane.enter().await,
                false => self.inner.pace.lane(&url).enter().await,
            };
            // Waiting for a turn costs none of the attempt's time.
            let within = request.within.unwrap_or(self.inner.settings.within);
            let answer = tokio::time::timeout(within, self.once(request, &url, conditions, at_home)).await;
            drop(permit);
            let late = |_| Failure::Unreachable { host: request.host(), why: "it took too long".to_string() };
            let answer = answer.map_err(late)??;
            let keeps_method = matches!(answer.status, 307 | 308);
            let follows = keeps_method || request.body.is_none() && matches!(answer.status, 301..=303);
            let Some(target) = answer.header("location").filter(|_| follows) else { return Ok(answer) };
            let next = url.join(target).map_err(|error| Failure::Lying {
                what: request.what(),
                why: format!("it redirects to something that is no address ({error})"),
            })?;
            if url.scheme() == "https" && next.scheme() != "https" || !matches!(next.scheme(), "http" | "https") {
                let why = format!("it redirects from https to {}", next.scheme());
                return Err(Failure::Lying { what: request.what(), why });
            }
            url = next;
        }
        Err(Failure::Lying { what: request.what(), why: "it redirects in a circle".to_string() })
    }

    async fn once(
        &self,
        request: &Request,
        url: &Url,
        conditions: &HeaderMap,
        at_home: bool,
    ) -> Result<Answer, Failure> {
        let client = self.client(request)?;
        let mut builder = client.request(request.method.clone(), url.clone());
        builder = builder.headers(request.headers.clone()).headers(conditions.clone());
        if let Some(authorization) = request.authorization.as_ref().filter(|_| at_home) {
            builder = authorize(builder, authorization);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        self.inner.counters.requests.fetch_add(1, Ordering::Relaxed);
        let mut response = builder.send().await.map_err(|error| request::failure(request, error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        // What a server says of the length is believed as far as it costs little.
        let mut body = Vec::with_capacity(response.content_length().map_or(0, |length| length.min(FORESEEN) as usize));
        loop {
            let chunk = response.chunk().await.map_err(|error| request::failure(request, error))?;
            let Some(chunk) = chunk else { break };
            self.inner.counters.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            if (body.len() + chunk.len()) as u64 > request.limit {
                return Err(Failure::TooBig { what: request.what(), limit: request.limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, url: url.clone(), headers, body, from_cache: false })
    }

    fn client(&self, request: &Request) -> Result<&reqwest::Client, Failure> {
        let client = self.inner.client.get_or_init(|| build().map_err(|error| request::root_cause(&error)));
        client.as_ref().map_err(|why| Failure::Unreachable { host: request.host(), why: why.clone() })
    }
}

fn build() -> reqwest::Result<reqwest::Client> {
    // A second installation is refused, which is fine: it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("pinguard/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(20))
        .build()
}

fn authorize(builder: reqwest::RequestBuilder, authorization: &Authorization) -> reqwest::RequestBuilder {
    match authorization {
        Authorization::Basic(user, password) => builder.basic_auth(user, Some(password.expose())),
        Authorization::Bearer(token) => builder.bearer_auth(token.expose()),
        Authorization::Header(name, token) => {
            let Ok(mut value) = HeaderValue::from_str(token.expose()) else { return builder };
            value.set_sensitive(true);
            builder.header(HeaderName::from_static(name), value)
        }
    }
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

#[cfg(test)]
mod tests;

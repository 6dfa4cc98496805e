//! Requests and answers as values. Sends nothing.

use super::super::credential::{Authorization, Token};
use super::super::failure::Failure;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long an answer may be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Never, and it is not kept.
    Never,
    /// As long as the server says; this long where it says nothing.
    For(Duration),
    /// For ever: the address names the content.
    Immutable,
}

/// Bodies above this are refused unless a request says otherwise.
const LIMIT: u64 = 64 << 20;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) authorization: Option<Authorization>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) limit: u64,
    pub(super) within: Option<Duration>,
    pub(super) caching: Caching,
    pub(super) repeatable: bool,
    pub(super) reduction: Option<Reduction>,
}

/// What becomes of a good answer's body before it is kept and handed on.
#[derive(Clone)]
pub(super) struct Reduction {
    /// The name of what comes out; answers in another form are not used.
    pub(super) form: &'static str,
    /// Makes it, or says what is wrong with the answer. `None`: it is made elsewhere.
    pub(super) make: Option<Reduce>,
}

type Reduce = Arc<dyn Fn(&Answer) -> Result<Vec<u8>, String> + Send + Sync>;

impl fmt::Debug for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.form)
    }
}

impl Request {
    /// Reads an address; credentials in it become an authorization.
    pub fn get(url: &str) -> Result<Request, Failure> {
        Request::new(Method::GET, url)
    }

    /// Asks for the headers of an address.
    pub fn head(url: &str) -> Result<Request, Failure> {
        Request::new(Method::HEAD, url)
    }

    /// Sends a body. It is not sent twice unless [`Request::repeatable`] says that this does no harm.
    pub fn post(url: &str, body: impl Into<Vec<u8>>) -> Result<Request, Failure> {
        Request::with_body(Method::POST, url, body)
    }

    /// Sends a body by any method (`PATCH`, `PUT`, `DELETE`).
    pub fn with_body(method: Method, url: &str, body: impl Into<Vec<u8>>) -> Result<Request, Failure> {
        let mut request = Request::new(method, url)?;
        request.body = Some(body.into());
        request.repeatable = false;
        Ok(request)
    }

    fn new(method: Method, address: &str) -> Result<Request, Failure> {
        let bad = |why: String| Failure::BadAddress { what: shown(address), why };
        let mut url = Url::parse(address).map_err(|error| bad(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it is neither http nor https".to_string()));
        }
        let authorization = take_credentials(&mut url);
        Ok(Request {
            method,
            url,
            headers: HeaderMap::new(),
            authorization,
            body: None,
            limit: LIMIT,
            within: None,
            caching: Caching::Never,
            repeatable: true,
            reduction: None,
        })
    }

    /// Adds a header that is no secret. A text that cannot be a header value is left out.
    pub fn header(mut self, name: &'static str, value: &str) -> Request {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Only these bytes (the end is exclusive).
    pub fn range(self, bytes: Range<u64>) -> Request {
        let value = format!("bytes={}-{}", bytes.start, bytes.end.saturating_sub(1));
        self.header("range", &value).header("accept-encoding", "identity")
    }

    /// Only the last bytes.
    pub fn last(self, bytes: u64) -> Request {
        self.header("range", &format!("bytes=-{bytes}")).header("accept-encoding", "identity")
    }

    /// Says who asks. Sent to this host only, whatever it redirects to. `None` leaves what the address said.
    pub fn authorized(mut self, authorization: Option<Authorization>) -> Request {
        self.authorization = authorization.or(self.authorization);
        self
    }

    /// How long the answer may be used again.
    pub fn caching(mut self, caching: Caching) -> Request {
        self.caching = caching;
        self
    }

    /// Keeps and hands on only what `make` makes of the body of a good answer, under the name of a form. Its error is what is wrong with
    /// the answer.
    pub fn reduced(
        mut self,
        form: &'static str,
        make: impl Fn(&Answer) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Request {
        self.reduction = Some(Reduction { form, make: Some(Arc::new(make)) });
        self
    }

    /// Stands for what is made of several answers, under the name of a form; it is not sent.
    pub fn made(mut self, form: &'static str) -> Request {
        self.reduction = Some(Reduction { form, make: None });
        self
    }

    /// The most bytes that a right answer can have.
    pub fn limit(mut self, bytes: u64) -> Request {
        self.limit = bytes;
        self
    }

    /// Time for one attempt.
    pub fn within(mut self, time: Duration) -> Request {
        self.within = Some(time);
        self
    }

    /// Sending it twice does no harm, though it has a body.
    pub fn repeatable(mut self) -> Request {
        self.repeatable = true;
        self
    }

    /// The address for people: without credentials, query and fragment.
    pub fn what(&self) -> String {
        shown(self.url.as_str())
    }

    /// Host and port for people.
    pub fn host(&self) -> String {
        host(&self.url)
    }
}

fn take_credentials(url: &mut Url) -> Option<Authorization> {
    let decode = |text: &str| String::from_utf8_lossy(&percent_decoded(text)).into_owned();
    let user = decode(url.username());
    let password = url.password().map(decode);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let named = !user.is_empty() || password.is_some();
    named.then(|| Authorization::Basic(user, Token::new(password.unwrap_or_default())))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| bytes[at] == b'%') {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// An address for people: without credentials, query and fragment.
pub fn shown(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
        // Not an address: what stands before an `@` may be a password.
        Err(_) => address.rsplit('@').next().unwrap_or("").chars().take(200).collect(),
    }
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or("");
    url.port().map_or_else(|| name.to_string(), |port| format!("{name}:{port}"))
}

/// An answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The number.
    pub status: u16,
    /// Where it came from in the end.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// All of its body.
    pub body: Vec<u8>,
    /// Whether it was kept from an earlier request, confirmed or still fresh.
    pub from_cache: bool,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::Lying {
            what: shown(self.url.as_str()),
            why: format!("it is not the JSON expected ({error})"),
        })
    }

    /// The answer, when its status is a success; else the failure that the status means.
    pub fn success(self) -> Result<Answer, Failure> {
        let what = || shown(self.url.as_str());
        Err(match self.status {
            200..=299 => return Ok(self),
            401 => Failure::Unauthorized { what: what() },
            403 => Failure::Forbidden { what: what() },
            404 | 410 => Failure::NotFound { what: what() },
            429 => Failure::Limited { host: host(&self.url), after: self.retry_after() },
            status @ 500..=599 => Failure::Broken { host: host(&self.url), status },
            status => Failure::Unexpected { what: what(), status },
        })
    }

    /// Whether the same request may get another answer in a moment.
    pub(super) fn passes(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500 | 502 | 503 | 504) || self.is_limit()
    }

    /// A 403 that is no word on rights but on too many requests, as GitHub has it.
    fn is_limit(&self) -> bool {
        let none = |name: &str| self.header(name).is_some_and(|left| left.split(';').next() == Some("0"));
        let spent = none("x-ratelimit-remaining") || none("ratelimit-remaining");
        self.status == 403 && (spent || self.header("retry-after").is_some())
    }

    /// What `Retry-After` asks for, in seconds or as a date.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let then = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        let seconds = then.as_second() - jiff::Timestamp::now().as_second();
        Some(Duration::from_secs(seconds.max(0) as u64))
    }

    /// The failure that a passing status becomes when patience ends.
    pub(super) fn passing_failure(&self, host: &str, after: Option<Duration>) -> Failure {
        match self.status {
            429 | 403 => Failure::Limited { host: host.to_string(), after },
            status => Failure::Broken { host: host.to_string(), status },
        }
    }

    /// Headers that ask whether this answer still holds.
    pub(super) fn conditions(&self, into: &mut HeaderMap) {
        for (from, to) in [("etag", "if-none-match"), ("last-modified", "if-modified-since")] {
            if let Some(value) = self.headers.get(from) {
                into.insert(HeaderName::from_static(to), value.clone());
            }
        }
    }

    /// The same body with the headers of a 304.
    pub(super) fn confirmed_by(mut self, answer: &Answer) -> Answer {
        for name in ["cache-control", "etag", "last-modified", "expires", "date"] {
            if let Some(value) = answer.headers.get(name) {
                self.headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        self
    }
}

/// What an error of the client means.
pub(super) fn failure(request: &Request, error: reqwest::Error) -> Failure {
    if error.is_builder() {
        return Failure::BadAddress { what: request.what(), why: root_cause(&error) };
    }
    let begun = error.is_body() || error.is_decode();
    if begun && !error.is_timeout() {
        return Failure::Truncated { what: request.what() };
    }
    let why = if error.is_timeout() { "it took too long".to_string() } else { root_cause(&error) };
    Failure::Unreachable { host: request.host(), why }
}

/// The innermost reason in words; never the address, which may hold a query.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    let text = if text.contains("://") { "the request failed".to_string() } else { text };
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

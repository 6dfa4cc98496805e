//! Tags, branches and their commits of any git repository, over git's own protocol: no API, no clone.
//!
//! Smart HTTP goes through the one client (protocol 2, where the server can filter names; else protocol 0). `ssh` and local
//! repositories go through the `git` program. <https://git-scm.com/docs/protocol-v2>

mod program;
mod wire;

use crate::model::knowledge::{GitRef, GitRefs};
use crate::world::credential::{Authorization, Token};
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::http::{Answer, Caching, Http, Mode, Request};
use crate::world::netrc::Netrc;
use std::time::Duration;
use url::Url;

/// Names may move at any time; a run that follows another within this time takes the same answer.
const NAMES_FOR: Duration = Duration::from_secs(300);
/// The largest known lists of names have some tens of MiB.
const LIMIT: u64 = 256 << 20;

/// The client of all git hosts.
#[derive(Debug)]
pub struct GitHost {
    http: Http,
    environment: Environment,
    netrc: Netrc,
    rewrites: Vec<(String, String)>,
}

impl GitHost {
    /// A client with the logins that the environment names and the `url.*.insteadOf` rules of the user's git configuration.
    pub fn new(http: Http, environment: &Environment) -> GitHost {
        let netrc = Netrc::of(environment);
        GitHost { http, environment: environment.clone(), netrc, rewrites: program::rewrites() }
    }

    /// The names of a repository by its URL.
    pub async fn refs(&self, url: &str) -> Result<GitRefs, Failure> {
        let url = self.rewritten(url.trim().strip_prefix("git+").unwrap_or(url.trim()));
        match Url::parse(&url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => self.over_http(&url).await,
            _ if self.http.mode() == Mode::Offline => Err(Failure::Offline { what: crate::world::http::shown(&url) }),
            _ => program::refs(&url).await,
        }
    }

    /// The longest `insteadOf` prefix decides, as in git.
    fn rewritten(&self, url: &str) -> String {
        let fitting = self.rewrites.iter().filter(|(from, _)| url.starts_with(from.as_str()));
        let best = fitting.max_by_key(|(from, _)| from.len());
        best.map_or_else(|| url.to_string(), |(from, to)| format!("{to}{}", &url[from.len()..]))
    }

    async fn over_http(&self, url: &str) -> Result<GitRefs, Failure> {
        let base = url.trim_end_matches('/');
        // Asking in protocol 2 straight away spares the greeting; servers that do not speak it are greeted first.
        let direct = self.ask(&Self::list_names(base, "")?).await;
        if let Ok(answer) = &direct
            && answer.status == 200
            && let Some(refs) = wire::listing(&answer.body)
        {
            return Ok(refs);
        }
        if let Err(failure @ (Failure::Offline { .. } | Failure::Unreachable { .. } | Failure::Limited { .. })) = direct
        {
            return Err(failure);
        }
        let greeting = Request::get(&format!("{base}/info/refs?service=git-upload-pack"))?
            .header("git-protocol", "version=2")
            .limit(LIMIT)
            .caching(Caching::For(NAMES_FOR));
        let answer = self.ask(&greeting).await?.success()?;
        let lying = |why: &str| Failure::Lying { what: crate::world::http::shown(base), why: why.to_string() };
        if let Some(refs) = wire::advertisement(&answer.body) {
            return Ok(refs);
        }
        let format =
            wire::object_format(&answer.body).ok_or_else(|| lying("it does not speak git's smart protocol"))?;
        // A repository that was renamed answers at its new address.
        let moved = answer.url.as_str().split("/info/refs").next().unwrap_or(base).to_string();
        let answer = self.ask(&Self::list_names(&moved, &format)?).await?.success()?;
        wire::listing(&answer.body).ok_or_else(|| lying("its list of names cannot be read"))
    }

    fn list_names(base: &str, object_format: &str) -> Result<Request, Failure> {
        let request = Request::post(&format!("{base}/git-upload-pack"), wire::list_names(object_format))?;
        Ok(request
            .repeatable()
            .header("content-type", "application/x-git-upload-pack-request")
            .header("accept", "application/x-git-upload-pack-result")
            .header("git-protocol", "version=2")
            .limit(LIMIT)
            .caching(Caching::For(NAMES_FOR)))
    }

    async fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.http.send(request).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        match self.login(&answer.url) {
            Some(login) => self.http.send(&request.clone().authorized(Some(login))).await,
            None => Ok(answer),
        }
    }

    /// What is known for a host: `netrc`, and the token of the CI system whose server it is.
    fn login(&self, url: &Url) -> Option<Authorization> {
        let host = url.host_str()?;
        if let Some((user, password)) = self.netrc.find(host) {
            return Some(Authorization::Basic(user, password));
        }
        let serves = |variable: &str, usual: &str| {
            let named = self.environment.get(variable).and_then(|text| Url::parse(text).ok());
            let named = named.as_ref().and_then(|url| url.host_str()).unwrap_or(usual).to_string();
            !named.is_empty() && host == named
        };
        let token = |name: &str| self.environment.get(name).map(Token::new);
        let basic = |user: &str, token: Token| Authorization::Basic(user.to_string(), token);
        if url.scheme() == "https" && serves("GITHUB_SERVER_URL", "github.com") {
            let token = token("GH_TOKEN").or_else(|| token("GITHUB_TOKEN"))?;
            return Some(basic("x-access-token", token));
        }
        if serves("CI_SERVER_URL", "") {
            return Some(basic("gitlab-ci-token", token("CI_JOB_TOKEN")?));
        }
        None
    }
}

/// A name and its commit, before tags are peeled.
pub(super) fn named(name: &str, commit: &str) -> GitRef {
    GitRef { name: name.to_string(), commit: commit.to_string(), object: None, date: None }
}

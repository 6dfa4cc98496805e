//! Bad weather for `pinguard upgrade`: each failure is held or said with the way out, other groups go on, and the exit code tells.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use std::time::Duration;
use support::Run;
use support::git_host::{TOKEN, git};
use support::host::{Asked, Given, Host};
use support::oci_server::sha256;
use support::upgrade_world::{NOW, World, held, states};

fn world(name: &str, configuration: &str) -> World {
    let world = World::new(name);
    world.actions.repository("actions/checkout", &[&["v4.0.0"], &["v4.1.0"], &["v5.0.0"]]);
    world.index.add("other", "1.0", &[], "2026-01-01T00:00:00Z");
    world.index.add("other", "2.0", &[], "2026-06-01T00:00:00Z");
    let workflow = "on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4.0.0\n      \
                    - run: pip install -r requirements.txt\n";
    world.commit(&[
        ("requirements.txt", "demo==1.0\nother==1.0\n"),
        (".github/workflows/ci.yml", workflow),
        ("pinguard.toml", configuration),
    ]);
    world.sync();
    world
}

fn has(list: &[String], words: &str) -> bool {
    list.iter().any(|text| text.contains(words))
}

#[test]
fn an_index_that_fails_holds_its_packages_and_nothing_else() {
    for (status, words) in [(401, "401"), (403, "403"), (429, "too often"), (500, "500"), (404, "no index has demo")] {
        let world = world("weather-index", "");
        world.index.fail(Some(status));
        let (code, report) = world.upgrade(&[]);
        // That an index does not know a name is no failure of the world.
        assert_eq!(code, if status == 404 { 0 } else { 2 }, "{status}: {report:#}");
        assert!(has(&held(&report), words), "{status}: {:?}", held(&report));
        assert_eq!(world.branches(), ["git-actions-checkout"], "{status}");
        // Branches of what could not be looked up are not taken for superseded.
        world.index.fail(None);
        assert_eq!(world.upgrade(&[]).0, 0);
        assert_eq!(world.branches().len(), 3);
        world.index.fail(Some(status));
        let (_, report) = world.upgrade(&[]);
        assert_eq!(report["closed"], serde_json::json!([]), "{status}");
        assert_eq!(world.branches().len(), 3, "{status}");
    }
}

#[test]
fn a_forge_that_refuses_leaves_the_branch_and_says_why() {
    for (status, words) in [
        (401, "PINGUARD_TOKEN"),
        (403, "right to write"),
        (404, "name of the repository"),
        (422, "mend"),
        (429, "too often"),
    ] {
        let world = world("weather-forge", "");
        world.forge.set(|memory| memory.refuses = Some((status, "No.".into())));
        let (code, report) = world.upgrade(&[]);
        assert_eq!(code, 2, "{status}");
        assert!(has(&held(&report), words), "{status}: {:?}", held(&report));
        assert_eq!(world.branches().len(), 3, "{status}");
        world.forge.set(|memory| memory.refuses = None);
        let (code, report) = world.upgrade(&[]);
        assert_eq!(code, 0, "{status}: {report:#}");
        assert!(states(&report).iter().all(|state| state.ends_with(" unchanged opened")), "{:?}", states(&report));
    }
}

#[test]
fn what_cannot_begin_says_what_to_do() {
    let world = world("weather-begin", "");
    let fails = |arguments: &[&str], change: &dyn Fn(&mut std::process::Command), words: &str| {
        let mut all = vec!["upgrade"];
        all.extend(arguments);
        let mut command = world.command(&all);
        change(&mut command);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(words) && !text.contains(TOKEN), "{words}: {text}");
    };
    let nothing = |_: &mut std::process::Command| {};
    fails(&["--remote", "upstream"], &nothing, "has no remote `upstream` here (there are: origin)");
    fails(&["--base", "develop"], &nothing, "has no branch `develop`");
    fails(&["--offline"], &nothing, "add --no-push or --dry-run");
    fails(
        &[],
        &|command| {
            command.env_remove("PINGUARD_TOKEN");
        },
        "set PINGUARD_TOKEN",
    );
    let elsewhere = |command: &mut std::process::Command| {
        command.env("GITHUB_SERVER_URL", "https://example.org");
    };
    fails(&[], &elsewhere, "no forge can be told from it");
    git(&world.clone, &["remote", "set-url", "origin", "http://127.0.0.1:1/acme/shop.git"]);
    fails(&[], &nothing, "gave no answer");
    assert!(world.branches().is_empty() && world.forge.requests().is_empty());
}

#[test]
fn the_limit_of_open_requests_is_kept() {
    let world = world("weather-limit", "[upgrade]\nlimit = 1\n");
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0);
    assert_eq!((world.forge.open().len(), world.branches().len()), (1, 1), "{:?}", states(&report));
    assert!(has(&held(&report), "limit"), "{:?}", held(&report));
    assert_eq!(world.upgrade(&[]).0, 0);
    assert_eq!(world.forge.open().len(), 1);
}

#[test]
fn the_policy_decides_what_moves_and_how_far() {
    let configuration = "[upgrade]\nignore = [\"other\"]\nlabels = [\"deps\"]\nmessage = \"chore: {title}\"\nprefix = \"bot/\"\n\
                         [[upgrade.levels]]\nmatch = [\"git:*\"]\nlevel = \"minor\"\n";
    let world = world("weather-policy", configuration);
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    let titles: Vec<String> = world.forge.open().into_iter().map(|request| request.title).collect();
    assert_eq!(titles, ["chore: actions/checkout v4.0.0 to v4.1.0", "chore: demo 1.0 to 1.1"]);
    assert_eq!(world.forge.open()[0].labels, ["deps"]);
    assert!(has(&held(&report), "`[upgrade] ignore` has \"other\""), "{:?}", held(&report));
    assert!(world.branches().is_empty(), "the prefix is another one");
    assert_eq!(world.git.refs("refs/heads/bot").len(), 2);
    assert!(world.show("bot/pypi-demo", "requirements.txt").contains("demo==1.1\nother==1.0"));
}

#[test]
fn young_releases_wait_and_groups_move_together() {
    let configuration = "[upgrade.cooldown]\nall = 30\n[[upgrade.groups]]\nname = \"all\"\nmatch = [\"pypi:*\"]\n";
    let world = world("weather-young", configuration);
    world.index.add("demo", "1.2", &[], "2026-11-10T00:00:00Z");
    let (code, report) = world.upgrade(&["--only", "pypi:*"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["group-all pushed opened"]);
    let text = world.show("pinguard/group-all", "requirements.txt");
    assert_eq!(text, "demo==1.1\nother==2.0", "the newest that is old enough");
    let (_, later) = world.upgrade(&["--only", "pypi:*", "--now", "2026-12-20T00:00:00Z"]);
    assert_eq!(states(&later), ["group-all rebuilt changed"]);
    assert!(world.show("pinguard/group-all", "requirements.txt").contains("demo==1.2"));
}

#[test]
fn no_push_makes_branches_here_and_needs_no_token() {
    let world = world("weather-local", "");
    let output =
        world.command(&["upgrade", "--no-push", "--now", "2026-11-20"]).env_remove("PINGUARD_TOKEN").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(world.branches().is_empty() && world.forge.requests().is_empty());
    let made = git(&world.clone, &["for-each-ref", "--format=%(refname:short)", "refs/heads/pinguard"]);
    assert_eq!(made, "pinguard/git-actions-checkout\npinguard/pypi-demo\npinguard/pypi-other");
    assert_eq!(git(&world.clone, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert!(git(&world.clone, &["diff", "--cached", "--name-only"]).contains("staged.txt"));
}

#[test]
fn no_request_pushes_branches_and_asks_the_forge_nothing() {
    let world = world("weather-no-request", "");
    let (code, report) = world.upgrade(&["--no-request"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(world.branches(), ["git-actions-checkout", "pypi-demo", "pypi-other"]);
    assert!(world.forge.host.log().is_empty(), "{:?}", world.forge.host.log());
    assert_eq!(
        states(&report),
        ["git-actions-checkout pushed none", "pypi-demo pushed none", "pypi-other pushed none"]
    );
    let requests = || report["branches"].as_array().unwrap().iter().map(|branch| &branch["request"]);
    assert!(requests().all(|request| request["url"].is_null()), "{report:#}");
    assert!(requests().all(|request| request["body"].as_str().unwrap().contains("released")), "what it would say");
    assert_eq!((&report["failed"], &report["warnings"]), (&serde_json::json!([]), &serde_json::json!([])));
    let told = world.run(&["upgrade", "--no-request", "--now", NOW]).out;
    assert!(told.contains("unchanged") && !told.contains("request opened"), "{told}");
    assert!(world.forge.host.log().is_empty());
    // The next run with requests opens them for the branches that stand.
    let (code, report) = world.upgrade(&[]);
    assert_eq!((code, world.forge.open().len()), (0, 3), "{report:#}");
    assert!(states(&report).iter().all(|state| state.ends_with(" unchanged opened")), "{:?}", states(&report));
}

#[test]
fn without_a_cooldown_ages_are_told_all_the_same() {
    let world = world("weather-no-cooldown", "[upgrade.cooldown]\nall = 0\n");
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(world.branches().len(), 3, "{report:#}");
    for request in world.forge.open() {
        assert!(!request.body.contains("not known"), "{}", request.body);
    }
    assert!(world.git.refs("refs/pinguard").is_empty(), "dates that are known need no record");
}

#[test]
fn a_compiled_file_is_made_anew_by_our_own_resolver() {
    let world = world("weather-compiled", "[upgrade]\nignore = [\"git:*\"]\n");
    world.index.add("lib", "1.0", &["dep>=1"], "2026-01-01T00:00:00Z");
    world.index.add("lib", "2.0", &["dep>=2"], "2026-06-01T00:00:00Z");
    world.index.add("dep", "1.0", &[], "2026-01-01T00:00:00Z");
    world.index.add("dep", "2.0", &[], "2026-06-01T00:00:00Z");
    world.index.add("dep", "2.1", &[], "2026-11-19T00:00:00Z");
    let header = "# This file was autogenerated by uv via the following command:\n\
                  #    uv pip compile requirements-dev.in -o requirements-dev.txt --python-version 3.12\n";
    let compiled = format!("{header}dep==1.0\n    # via lib\nlib==1.0\n    # via -r requirements-dev.in\n");
    world.commit(&[("requirements-dev.in", "lib\n"), ("requirements-dev.txt", &compiled)]);
    let (code, report) = world.upgrade(&["--only", "lib"]);
    assert_eq!(code, 0, "{report:#}");
    // The newest `dep` is too young to come along, so the one before does.
    assert!(world.show("pinguard/pypi-lib", "requirements-dev.txt").contains("dep==2.0\n"), "{:?}", held(&report));
    let (code, report) = world.upgrade(&["--only", "lib", "--now", "2026-11-30T00:00:00Z"]);
    assert_eq!(code, 0, "{report:#}");
    let text = world.show("pinguard/pypi-lib", "requirements-dev.txt");
    assert!(text.starts_with(header) && text.contains("lib==2.0\n") && text.contains("dep==2.1\n"), "{text}");
    assert!(report["branches"][0]["request"]["body"].as_str().unwrap().contains("pinguard lock --check"));
}

#[test]
fn a_release_without_a_date_waits_from_the_day_it_was_first_seen() {
    let world = world("weather-seen", "");
    world.index.add("demo", "1.2", &[], "");
    let (code, report) = world.upgrade(&["--only", "demo"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["pypi-demo pushed opened"], "1.1 has a date");
    assert_eq!(world.git.refs("refs/pinguard").len(), 1);
    let early = world.upgrade(&["--only", "demo", "--now", "2026-11-22T00:00:00Z"]).1;
    assert_eq!(states(&early), ["pypi-demo unchanged unchanged"]);
    let late = world.upgrade(&["--only", "demo", "--now", "2026-11-24T00:00:00Z"]).1;
    assert_eq!(states(&late), ["pypi-demo rebuilt changed"], "{late:#}");
    assert!(world.show("pinguard/pypi-demo", "requirements.txt").contains("demo==1.2"));
}

/// An upgrade with these variables on top.
fn upgrade_in(world: &World, environment: &[(&str, &str)]) -> (i32, serde_json::Value) {
    let mut command = world.command(&["upgrade", "--format", "json", "--now", support::upgrade_world::NOW]);
    let run = Run::of(command.envs(environment.iter().copied()).output().unwrap());
    assert!(!run.out.contains(TOKEN) && !run.err.contains(TOKEN), "{} {}", run.out, run.err);
    assert!(!run.out.contains("hunter2") && !run.err.contains("hunter2"), "{} {}", run.out, run.err);
    (run.code, run.json())
}

fn is_page_of_demo(asked: &Asked) -> bool {
    asked.path == "/simple/demo/"
}

#[test]
fn an_index_that_is_slow_is_waited_for() {
    let world = world("weather-slow", "");
    world.index.twist(|_| {
        std::thread::sleep(Duration::from_secs(2));
        None
    });
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(world.branches().len(), 3);
}

#[test]
fn an_answer_that_cannot_be_right_is_used_for_nothing() {
    let given = |body: &str| Given::status(200).with("content-type", "application/vnd.pypi.simple.v1+json").body(body);
    let file = "{\"filename\": \"NAME-9.0-py3-none-any.whl\", \"url\": \"/files/x\", \"hashes\": {}, \"upload-time\": \"2026-01-01T00:00:00Z\"}";
    let page = |name: &str, file_of: &str| {
        let file = file.replace("NAME", file_of);
        given(&format!("{{\"meta\": {{\"api-version\": \"1.1\"}}, \"name\": \"{name}\", \"files\": [{file}]}}"))
    };
    let short = given("{\"meta\": {\"api-version\"").with("content-length", "10000").with("connection", "close");
    let answers = [
        ("truncated", short),
        ("no JSON", given("<html>gateway</html>")),
        ("another project", page("evil", "evil")),
        ("files of another project", page("demo", "evil")),
        ("a circle", Given::status(302).with("location", "/simple/demo/")),
    ];
    for (what, answer) in answers {
        let world = world("weather-lies", "");
        // A file is resolved as a whole: what stands in another one does not depend on `demo`.
        world.commit(&[("requirements.txt", "demo==1.0\n"), ("other/requirements.txt", "other==1.0\n")]);
        world.sync();
        world.index.twist(move |asked| is_page_of_demo(asked).then(|| answer.clone()));
        let (code, report) = world.upgrade(&[]);
        let held = held(&report);
        // Files of another project are no releases of this one: then there is nothing newer.
        let expected = if what == "files of another project" { (0, false) } else { (2, true) };
        assert_eq!((code, has(&held, "demo: ")), expected, "{what}: {held:?}");
        assert_eq!(world.branches(), ["git-actions-checkout", "pypi-other"], "{what}: the rest goes on");
    }
}

#[test]
fn metadata_that_is_not_what_its_hash_says_is_used_for_nothing() {
    let world = world("weather-hash", "");
    world.index.twist(|asked| {
        let lie = "Metadata-Version: 2.1\nName: demo\nVersion: 1.1\nRequires-Dist: evil\n";
        asked.path.ends_with("demo-1.1-py3-none-any.whl.metadata").then(|| Given::status(200).body(lie))
    });
    let (code, report) = world.upgrade(&[]);
    let texts = format!("{:?} {:?}", held(&report), report["branches"]);
    assert!(!texts.contains("evil"), "{texts}");
    assert!(world.branches().contains(&"pypi-other".to_string()), "{code} {texts}");
}

#[test]
fn credentials_are_dropped_on_the_way_to_another_host() {
    let world = world("weather-redirect", "");
    let real = world.index.url();
    let logged = Host::start(move |asked| match asked.header("authorization") {
        "" => Given::status(401),
        _ => Given::status(302).with("location", format!("{real}{}", asked.path.trim_start_matches("/simple"))),
    });
    let address = format!("http://me:hunter2@127.0.0.1:{}/simple", logged.port);
    let (code, report) = upgrade_in(&world, &[("UV_DEFAULT_INDEX", &address)]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(world.branches().len(), 3, "{:?}", held(&report));
    assert!(logged.log().iter().any(|asked| !asked.header("authorization").is_empty()));
    let asked = world.index.host.log();
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.header("authorization").is_empty()));
}

#[test]
fn a_registry_without_the_tag_and_a_repository_without_tags_are_held() {
    let world = world("weather-nothing", "");
    let registry = Host::start(|asked| match asked.path.as_str() {
        "/v2/" => Given::status(200),
        "/v2/base/tags/list" => Given::json(200, &serde_json::json!({ "name": "base", "tags": [] })),
        _ => Given::status(404),
    });
    world.actions.repository("actions/bare", &[&[]]);
    let steps = "on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/bare@v1\n      \
                 - uses: actions/none@v1\n";
    let dockerfile = format!("FROM 127.0.0.1:{}/base:1.0\nFROM 127.0.0.1:{}/gone:1.0\n", registry.port, registry.port);
    world.commit(&[("Dockerfile", &dockerfile), (".github/workflows/more.yml", steps)]);
    world.sync();
    let (_, report) = world.upgrade(&[]);
    let held = held(&report);
    for name in ["base:", "gone:", "actions/bare:", "actions/none:"] {
        assert!(held.iter().any(|text| text.contains(name)), "{name} {held:#?}");
    }
    assert_eq!(world.branches().len(), 3, "the rest goes on");
}

#[test]
fn a_branch_that_may_not_be_pushed_is_said_and_the_rest_goes_on() {
    let world = world("weather-protected", "");
    world.git.refuse("[ \"$ref\" = refs/heads/pinguard/pypi-demo ]", "protected branch hook declined");
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 2, "{report:#}");
    assert!(has(&held(&report), "protected branch hook declined"), "{:?}", held(&report));
    assert_eq!(world.branches(), ["git-actions-checkout", "pypi-other"]);
    assert_eq!(world.forge.open().len(), 2, "no request without its branch");
    world.git.allow_all();
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(world.forge.open().len(), 3);
}

#[test]
fn a_forge_that_is_out_of_order_leaves_the_branches_for_the_next_run() {
    let world = world("weather-forge-down", "");
    let (code, report) = upgrade_in(&world, &[("GITHUB_API_URL", "http://127.0.0.1:1/api/v3")]);
    assert_eq!(code, 2, "{report:#}");
    assert!(has(&held(&report), "gave no answer"), "{:?}", held(&report));
    let (code, report) = world.upgrade(&[]);
    assert_eq!((code, world.forge.open().len()), (0, 3), "{report:#}");
}

#[test]
fn a_forge_whose_limit_is_reached_is_asked_again_by_the_next_run() {
    let world = world("weather-forge-limit", "");
    world.forge.set(|memory| memory.refuses = Some((403, "API rate limit exceeded for installation".into())));
    let (code, report) = world.upgrade(&[]);
    assert_eq!((code, world.forge.open().len()), (2, 0), "{report:#}");
    assert!(has(&held(&report), "too often"), "{:?}", held(&report));
    world.forge.set(|memory| memory.refuses = None);
    assert_eq!((world.upgrade(&[]).0, world.forge.open().len()), (0, 3));
}

#[test]
fn a_tool_that_fails_holds_its_lock_and_nothing_else() {
    let mut world = world("weather-tool", "");
    let bin = world.folder.0.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let script = "#!/bin/sh\ncase $1 in --version) echo 'uv 0.9.0';; *) echo \"error: $PINGUARD_TOKEN no space left\" >&2; exit 2;; esac\n";
    std::fs::write(bin.join("uv"), script).unwrap();
    std::process::Command::new("chmod").args(["+x", "uv"]).current_dir(&bin).status().unwrap();
    world.path = format!("{}:{}", bin.display(), world.path);
    let project =
        "[project]\nname = \"shop\"\nversion = \"0\"\nrequires-python = \">=3.9\"\ndependencies = [\"lib>=1\"]\n";
    let lock = "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n[[package]]\nname = \"lib\"\nversion = \"1.0\"\n\
                source = { registry = \"https://pypi.org/simple\" }\n\n[[package]]\nname = \"shop\"\nversion = \"0\"\n\
                source = { virtual = \".\" }\ndependencies = [{ name = \"lib\" }]\n\n[package.metadata]\n\
                requires-dist = [{ name = \"lib\", specifier = \">=1\" }]\n";
    world.index.add("lib", "1.0", &[], "2026-01-01T00:00:00Z");
    world.index.add("lib", "1.2", &[], "2026-06-01T00:00:00Z");
    world.commit(&[("pyproject.toml", project), ("uv.lock", lock)]);
    world.sync();
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 2, "{report:#}");
    assert!(has(&held(&report), "uv cannot make uv.lock anew: error:  no space left"), "{:?}", held(&report));
    assert_eq!(world.branches().len(), 3, "the rest goes on");
}

/// The index of an image. What differs between its states is in its name: the platform that `arm…`, `amd…` or `proof…` begins with.
fn image_index(name: &str, state: &str) -> String {
    let entry = |platform: &str, word: &str| {
        let content = if name.starts_with(word) { format!("{platform} {state}") } else { platform.to_string() };
        let (os, architecture) = platform.split_once('/').unwrap();
        let mut entry = serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": sha256(content.as_bytes()), "size": 2,
            "platform": { "os": os, "architecture": architecture },
        });
        if os == "unknown" {
            entry["annotations"] = serde_json::json!({ "vnd.docker.reference.type": "attestation-manifest" });
        }
        entry
    };
    let entries = [entry("linux/amd64", "amd"), entry("linux/arm64", "arm"), entry("unknown/unknown", "proof")];
    let kind = "application/vnd.oci.image.index.v1+json";
    serde_json::json!({ "schemaVersion": 2, "mediaType": kind, "manifests": entries }).to_string()
}

/// A registry whose tags were moved from the `old` state of an image to its `new` one.
fn registry() -> Host {
    Host::start(|asked| {
        let parts: Vec<&str> = asked.path.trim_start_matches("/v2/").split('/').collect();
        match parts[..] {
            [name, "tags", "list"] => Given::json(200, &serde_json::json!({ "name": name, "tags": ["1.0.0"] })),
            [name, "manifests", which] => {
                let states = ["new", "old"].map(|state| image_index(name, state));
                let is_it = |text: &&String| which == "1.0.0" || which == sha256(text.as_bytes());
                let Some(text) = states.iter().find(is_it) else { return Given::status(404) };
                let given = Given::status(200).with("docker-content-digest", sha256(text.as_bytes()));
                given.with("content-type", "application/vnd.oci.image.index.v1+json").body(text.as_str())
            }
            _ => Given::status(if asked.path == "/v2/" { 200 } else { 404 }),
        }
    })
}

#[test]
fn a_digest_moves_only_for_platforms_that_are_used() {
    let world = world("weather-digest", "[upgrade.cooldown]\nall = 0\n");
    let registry = registry();
    let job = |machine: &str| {
        format!("on: push\njobs:\n  a:\n    runs-on: {machine}\n    steps:\n      - run: docker build .\n")
    };
    let cases = [
        ("FROM", "ubuntu-24.04", &["amd-1"][..]),
        ("FROM --platform=linux/arm64", "ubuntu-24.04", &["amd-1", "arm-1"]),
        ("FROM", "ubuntu-24.04-arm", &["amd-1", "arm-1"]),
    ];
    for (from, machine, expected) in cases {
        let lines = ["proof-1", "arm-1", "amd-1"].map(|name| {
            let digest = sha256(image_index(name, "old").as_bytes());
            format!("{from} 127.0.0.1:{}/{name}:1.0.0@{digest}\n", registry.port)
        });
        world.commit(&[("Dockerfile", &lines.concat()), (".github/workflows/build.yml", &job(machine))]);
        world.sync();
        let (code, report) = world.upgrade(&["--dry-run", "--only", "oci:*"]);
        assert_eq!(code, 0, "{report:#}");
        let branches = report["branches"].as_array().unwrap();
        let name = |branch: &serde_json::Value| {
            branch["steps"][0]["name"].as_str().unwrap().rsplit('/').next().unwrap().to_string()
        };
        let mut names: Vec<String> = branches.iter().map(name).collect();
        names.sort();
        assert_eq!(names, expected, "{from} {machine}: {report:#}");
    }
}

#[test]
fn a_superseded_branch_with_a_persons_commit_is_left_alone_and_said() {
    let world = world("weather-left", "");
    assert_eq!(world.upgrade(&[]).0, 0);
    let person = world.folder.0.join("person");
    git(&person, &["fetch", "--quiet", "origin"]);
    git(&person, &["checkout", "--quiet", "-B", "mine", "origin/pinguard/pypi-demo"]);
    git(&person, &["commit", "--quiet", "--allow-empty", "-m", "a person's"]);
    git(&person, &["push", "--quiet", "origin", "mine:pinguard/pypi-demo"]);
    world.commit(&[("requirements.txt", "demo==1.1\nother==2.0\n")]);
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["closed"], serde_json::json!(["pinguard/pypi-other"]));
    assert!(
        report["warnings"].to_string().contains("pinguard/pypi-demo: nothing needs this branch any more"),
        "{report:#}"
    );
    assert!(world.branches().contains(&"pypi-demo".to_string()));
}

/// What a remote's address holds does not come into a request, which everybody can read.
#[test]
fn a_password_in_the_address_of_the_remote_is_not_told() {
    let world = world("weather-address", "");
    let address = world.git.url().replace("http://", &format!("http://me:{TOKEN}@"));
    let (code, report) = world.upgrade(&["--dry-run", "--remote", &address, "--only", "demo"]);
    assert_eq!(code, 0, "{report:#}");
    let body = report["branches"][0]["request"]["body"].as_str().unwrap();
    assert!(body.contains(&format!("git fetch {} pinguard/pypi-demo\n", world.git.url())), "{body}");
}

/// conda's channels are out of reach of a test, so the tool is one that does as it is told.
#[test]
fn a_conda_lock_moves_by_its_own_tool() {
    let mut world = world("weather-conda", "[upgrade]\nignore = [\"git:*\", \"other\"]\n");
    let bin = world.folder.0.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let script = "#!/bin/sh\ncase $1 in --version) echo 'conda-lock, version 3.0.4';; *) sed -i \"s/'1.0'/'1.1'/\" conda-lock.yml;; esac\n";
    for (name, text) in [("conda-lock", script), ("conda", "#!/bin/sh\n")] {
        std::fs::write(bin.join(name), text).unwrap();
        std::process::Command::new("chmod").args(["+x", name]).current_dir(&bin).status().unwrap();
    }
    let entry = |name: &str, manager: &str, version: &str| {
        format!(
            "- {{name: {name}, version: '{version}', manager: {manager}, platform: linux-64, dependencies: {{}}, \
             url: 'https://example.org/{name}', hash: {{sha256: {}}}, category: main, optional: false}}\n",
            "0".repeat(64)
        )
    };
    let lock = |conda: &str| {
        format!(
            "version: 1\nmetadata:\n  content_hash: {{linux-64: x}}\n  channels: [{{url: conda-forge, used_env_vars: []}}]\n  \
             platforms: [linux-64]\n  sources: [environment.yml]\npackage:\n{}{}",
            entry("zlib", "conda", conda),
            entry("demo", "pip", "1.0")
        )
    };
    let environment = "channels:\n  - conda-forge\ndependencies:\n  - zlib=1\n  - pip:\n    - demo==1.0\n";
    world.commit(&[("requirements.txt", ""), ("environment.yml", environment), ("conda-lock.yml", &lock("1.3"))]);
    world.sync();
    let (code, report) = world.upgrade(&["--only", "demo"]);
    assert_eq!(code, 2, "{report:#}");
    assert!(has(&held(&report), "conda-lock is not installed here: `pipx install conda-lock`"), "{:?}", held(&report));
    world.path = format!("{}:{}", bin.display(), world.path);
    let (code, report) = world.upgrade(&["--only", "demo"]);
    assert_eq!((code, states(&report)), (0, vec!["pypi-demo pushed opened".to_string()]), "{report:#}");
    assert!(world.show("pinguard/pypi-demo", "environment.yml").contains("demo==1.1"));
    assert!(world.show("pinguard/pypi-demo", "conda-lock.yml").contains("{name: demo, version: '1.1'"));
    let body = report["branches"][0]["request"]["body"].as_str().unwrap();
    assert!(body.contains("was made by conda-lock 3.0.4") && body.contains("cannot be told how old"), "{body}");
    // What comes along from a channel has an age that nobody tells.
    world.commit(&[("conda-lock.yml", &lock("1.0"))]);
    let (_, report) = world.upgrade(&["--only", "demo"]);
    assert!(has(&held(&report), "zlib 1.1 along from a channel of conda, which tells no age"), "{:?}", held(&report));
}

#[test]
fn a_run_is_told_to_people_and_as_markdown() {
    let world = world("weather-report", "[upgrade]\nignore = [\"other\"]\n");
    world.forge.set(|memory| memory.user = "github-actions[bot]".into());
    let report = |arguments: &[&str]| {
        let mut all = vec!["upgrade", "--now", NOW, "--format"];
        all.extend(arguments);
        world.run(&all).out
    };
    let has_all = |text: &str, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    };
    let held = "`[upgrade] ignore` has \"other\"";
    let body = "git fetch origin pinguard/pypi-demo";
    has_all(
        &report(&["human", "--dry-run"]),
        &["demo 1.0 -> 1.1  requirements.txt:1", "planned", held, "    +demo==1.1", body],
    );
    has_all(
        &report(&["markdown", "--dry-run"]),
        &["| `pinguard/pypi-demo` | `demo 1.0 to 1.1` | planned |", held, "\n+demo==1.1", body],
    );
    has_all(&report(&["markdown"]), &["pushed, request opened http", "### Warnings", "starts no workflows"]);
    world.commit(&[("requirements.txt", "demo==1.1\nother==1.0\n")]);
    has_all(&report(&["human"]), &["closed (1):\n  pinguard/pypi-demo"]);
    world.commit(&[("requirements.txt", "demo==1.0\nother==1.0\n")]);
    // What was superseded is proposed again when it is wanted again: no person said no.
    has_all(&report(&["human"]), &["pushed, request opened http"]);
    world.commit(&[("requirements.txt", "demo==1.1\nother==1.0\n")]);
    has_all(&report(&["markdown"]), &["### Closed\n\n- pinguard/pypi-demo"]);
}

//! Bad weather for `pinguard upgrade`: each failure is held or said with the way out, other groups go on, and the exit code tells.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use support::git_host::{TOKEN, git};
use support::upgrade_world::{World, held, states};

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
    for (status, words) in [(401, "401"), (403, "403"), (500, "500"), (404, "no index has demo")] {
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
    for (status, words) in
        [(401, "PINGUARD_TOKEN"), (403, "right to write"), (404, "name of the repository"), (422, "mend")]
    {
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

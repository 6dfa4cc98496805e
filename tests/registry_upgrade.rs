//! `pinguard upgrade` from end to end: a loose Dockerfile, a workflow, requirements and a uv.lock become branches on a git server and
//! requests on a forge, each held against GitHub's own description. The registry is Debian's docker-registry, the locker is uv from PyPI (see `test.sh`).
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::git_host::git;
use support::oci_server::Registry;
use support::tree_of;
use support::upgrade_world::{NOW, World, held, states, tools};

const WORKFLOW: &str = "on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n      \
                        - run: |\n          pip install -r requirements.txt\n          uv sync --locked\n";
const PROJECT: &str =
    "[project]\nname = \"shop\"\nversion = \"0\"\nrequires-python = \">=3.9\"\ndependencies = [\"lib>=1\"]\n";

fn shop() -> World {
    let mut world = World::new("upgrade");
    let registry = Registry::start();
    for (tags, content) in [(&["1.0", "1.0.0"], "one"), (&["1.1", "1.1.0"], "two")] {
        registry.push("base", tags, content);
    }
    world.actions.repository("actions/checkout", &[&["v4.0.0"], &["a:v4.1.0", "v4"], &["v5.0.0"]]);
    world.index.add("lib", "1.0", &["dep>=1"], "2026-01-01T00:00:00Z");
    world.index.add("dep", "1.0", &[], "2026-01-01T00:00:00Z");
    world.path = format!("{}:{}", tools().display(), world.path);
    let dockerfile = format!("FROM {}/base:1.0\nRUN make\n", registry.host);
    world.registry = Some(registry);
    let files: [(&str, &str); 6] = [
        ("Dockerfile", &dockerfile),
        (".github/workflows/ci.yml", WORKFLOW),
        ("requirements.txt", "demo==1.0  # why\n"),
        ("pyproject.toml", PROJECT),
        ("uv.lock", &lock(&world)),
        ("pinguard.toml", "[upgrade]\nlabels = [\"dependencies\"]\nreviewers = [\"alice\"]\n"),
    ];
    world.commit(&files);
    // A newer release, which needs a newer dependency, and one that is too young.
    world.index.add("lib", "1.2", &["dep>=2"], "2026-06-01T00:00:00Z");
    world.index.add("lib", "1.3", &["dep>=2"], "2026-11-19T00:00:00Z");
    world.index.add("dep", "2.0", &[], "2026-06-01T00:00:00Z");
    world.sync();
    world
}

/// What uv writes for the project as the index is now.
fn lock(world: &World) -> String {
    let folder = world.folder.0.join("lock");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("pyproject.toml"), PROJECT).unwrap();
    let mut uv = Command::new(tools().join("uv"));
    uv.arg("lock").current_dir(&folder).env("UV_DEFAULT_INDEX", world.index.url()).env("UV_NO_CACHE", "1");
    let done = uv.output().expect("uv is installed by test.sh");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read_to_string(folder.join("uv.lock")).unwrap()
}

const ALL: [&str; 4] = ["git-actions-checkout", "oci-", "pypi-demo", "pypi-lib"];

fn branch(world: &World, lead: &str) -> String {
    let found = world.branches().into_iter().find(|name| name.starts_with(lead));
    format!("pinguard/{}", found.unwrap_or_else(|| panic!("no branch {lead}")))
}

fn killed_in_the_middle(world: &World) {
    let mut run =
        world.command(&["upgrade", "--now", NOW]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while world.branches().is_empty() {
        assert_eq!(run.try_wait().unwrap(), None, "it ended before it pushed anything");
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    // A push that git had begun ends after its parent.
    std::thread::sleep(Duration::from_secs(1));
    assert!(world.forge.open().len() < 4, "the run was in the middle of its work");
}

#[test]
fn a_loose_repository_becomes_branches_and_requests() {
    let mut world = shop();
    let description = world.hold_requests();
    let before = tree_of(&world.clone);

    // A dry run says everything and does nothing.
    let (code, planned) = world.upgrade(&["--dry-run"]);
    assert_eq!(code, 0, "{planned:#}");
    assert_eq!(states(&planned).len(), 4, "{planned:#}");
    assert!(states(&planned).iter().all(|state| state.ends_with(" planned none")), "{:?}", states(&planned));
    assert!(world.branches().is_empty() && world.forge.requests().is_empty());

    // A first run is killed as soon as it has pushed something; the next one ends what it began.
    killed_in_the_middle(&world);
    assert_eq!(tree_of(&world.clone), before, "a killed run leaves everything as it was");
    let (code, first) = world.upgrade(&[]);
    assert_eq!(code, 0, "{first:#}");
    let ended = |state: &String| state.ends_with(" opened") || state.ends_with(" unchanged unchanged");
    assert!(states(&first).iter().all(ended), "{first:#}");
    for (branch, lead) in world.branches().iter().zip(ALL) {
        assert!(branch.starts_with(lead), "{branch}");
    }
    let patch = |report: &serde_json::Value, at: usize| report["branches"][at]["commit"].clone();
    for at in 0..4 {
        assert_eq!(patch(&planned, at), patch(&first, at), "what was planned is what was done");
    }
    let oci = branch(&world, "oci-");
    assert!(world.show(&oci, "Dockerfile").contains("/base:1.1.0@sha256:"), "{}", world.show(&oci, "Dockerfile"));
    let workflow = world.show("pinguard/git-actions-checkout", ".github/workflows/ci.yml");
    assert!(workflow.contains(" # v5.0.0\n") && !workflow.contains("@v4"), "{workflow}");
    assert_eq!(world.show("pinguard/pypi-demo", "requirements.txt"), "demo==1.1  # why");
    let lock = world.show("pinguard/pypi-lib", "uv.lock");
    assert!(lock.contains("version = \"1.2\"") && lock.contains("version = \"2.0\""), "{lock}");
    assert_eq!(world.show("pinguard/pypi-lib", "pyproject.toml"), PROJECT.trim_end(), "the range stays");
    let requests = world.forge.open();
    assert_eq!(requests.len(), 4);
    for asked in world.forge.host.log() {
        assert_eq!(description.unknown(&asked), Vec::<String>::new(), "{} {}", asked.method, asked.path);
    }
    let body = &requests.iter().find(|request| request.branch == "pinguard/pypi-lib").unwrap().body;
    for words in
        ["2026-06-01", "| `dep` | `1.0` | `2.0` |", "uv lock --check", "pinguard check", "ignore = [\"pypi:lib\"]"]
    {
        assert!(body.contains(words), "{words}: {body}");
    }
    assert_eq!(tree_of(&world.clone), before, "work tree, index and repository stay as they are");

    // The second one does nothing.
    let refs = world.git.refs("refs/heads");
    world.forge.host.forget();
    let (code, second) = world.upgrade(&[]);
    assert_eq!(code, 0);
    assert!(states(&second).iter().all(|state| state.ends_with(" unchanged unchanged")), "{second:#}");
    assert_eq!(world.git.refs("refs/heads"), refs);
    assert!(world.forge.host.log().iter().all(|asked| asked.method == "GET"), "{:?}", world.forge.host.log());

    // A base that moved, and a branch with a person's commit.
    world.commit(&[("README", "new\n")]);
    let person = world.folder.0.join("person");
    git(&person, &["fetch", "--quiet", "origin"]);
    git(&person, &["checkout", "--quiet", "-B", "mine", "origin/pinguard/pypi-demo"]);
    git(&person, &["commit", "--quiet", "--allow-empty", "-m", "a person's"]);
    git(&person, &["push", "--quiet", "origin", "mine:pinguard/pypi-demo"]);
    let own = git(&person, &["rev-parse", "mine"]);
    let (code, third) = world.upgrade(&[]);
    assert_eq!(code, 0);
    let states = states(&third);
    assert!(states.contains(&"pypi-demo left-alone none".to_string()), "{states:?}");
    assert_eq!(states.iter().filter(|state| state.ends_with(" rebuilt unchanged")).count(), 3, "{states:?}");
    assert!(held(&third).iter().any(|text| text.contains("somebody pushed")), "{:?}", held(&third));
    assert_eq!(git(&world.git.bare, &["rev-parse", "refs/heads/pinguard/pypi-demo"]), own);
    assert_eq!(
        git(&world.git.bare, &["rev-parse", "pinguard/pypi-lib^"]),
        git(&world.git.bare, &["rev-parse", "main"])
    );

    // One is merged, one is closed by hand: the first goes, the second is not proposed again.
    git(&person, &["checkout", "--quiet", "main"]);
    git(&person, &["fetch", "--quiet", "origin"]);
    git(&person, &["merge", "--quiet", "--ff-only", "origin/pinguard/git-actions-checkout"]);
    git(&person, &["push", "--quiet", "origin", "main"]);
    world.forge.set(|memory| {
        let mut list = memory.requests.iter_mut();
        list.find(|request| request.branch.starts_with("pinguard/oci-")).unwrap().state = "closed".into();
    });
    let (code, fourth) = world.upgrade(&[]);
    assert_eq!(code, 0, "{fourth:#}");
    assert_eq!(fourth["closed"], serde_json::json!(["pinguard/git-actions-checkout"]));
    let of_oci = fourth["branches"].as_array().unwrap().iter().find(|one| one["branch"] == oci.as_str()).unwrap();
    assert_eq!(of_oci["state"], "closed-by-hand");
    let closed =
        world.forge.requests().into_iter().find(|request| request.branch.ends_with("actions-checkout")).unwrap();
    assert_eq!((closed.state.as_str(), closed.comments.len()), ("closed", 1));
    assert!(!world.branches().contains(&"git-actions-checkout".to_string()));
    assert!(world.git.refs("refs/heads").iter().any(|(name, _)| name == "refs/heads/main"));
}

#[test]
fn a_group_that_cannot_be_made_is_split_until_the_culprit_stands_alone() {
    let world = shop();
    let groups = "[[upgrade.groups]]\nname = \"all\"\nmatch = [\"pypi:*\"]\n";
    world.commit(&[("pinguard.toml", groups)]);
    world.index.add("lib", "1.2.1", &["dep>=3"], "2026-06-02T00:00:00Z");
    world.sync();
    let (code, report) = world.upgrade(&["--only", "pypi:*"]);
    assert_eq!(code, 2, "{report:#}");
    assert_eq!(states(&report), ["group-all pushed opened"]);
    assert_eq!(world.show("pinguard/group-all", "requirements.txt"), "demo==1.1  # why");
    let held = held(&report);
    assert!(
        held.iter().any(|text| text.starts_with("lib: uv cannot make uv.lock anew") && text.contains("dep")),
        "{held:?}"
    );
}

#[test]
fn what_is_too_young_is_held_and_the_rest_of_the_world_goes_on() {
    let world = shop();
    world.git.refuse("[ \"$ref\" = refs/heads/pinguard/pypi-demo ]", "this branch is protected");
    world.registry.as_ref().unwrap();
    let (code, report) = world.upgrade(&["--only", "pypi:*", "--only", "git:*"]);
    assert_eq!(code, 2, "{report:#}");
    assert!(held(&report).iter().any(|text| text.contains("this branch is protected")), "{:?}", held(&report));
    assert_eq!(world.branches(), ["git-actions-checkout", "pypi-lib"]);
    world.git.allow_all();

    // uv is not there.
    let mut bare = world;
    bare.path = bare
        .path
        .split_once(':')
        .unwrap()
        .1
        .split(':')
        .filter(|part| !std::path::Path::new(part).join("uv").exists())
        .collect::<Vec<_>>()
        .join(":");
    let (code, report) = bare.upgrade(&["--only", "pypi:*"]);
    assert_eq!(code, 2);
    assert!(
        held(&report).iter().any(|text| text.contains("uv is not installed here: `pipx install uv`")),
        "{:?}",
        held(&report)
    );
    assert!(bare.branches().contains(&"pypi-demo".to_string()));
}

#[test]
fn lines_that_must_move_together_are_one_branch_and_what_does_not_resolve_is_held() {
    let world = World::new("lines");
    let old = "2026-01-01T00:00:00Z";
    for (name, version, needs) in [
        ("app", "1.0", &["lib<2"][..]),
        ("app", "2.0", &["lib>=2"]),
        ("lib", "1.0", &[]),
        ("lib", "2.0", &[]),
        ("lone", "1.0", &[]),
        ("lone", "2.0", &["lib>=9"]),
        ("firm", "1.0", &["demo<1.1"]),
        ("wide", "1.0", &[]),
        ("wide", "2.0", &["more"]),
        ("more", "3.0", &[]),
        // Only a pre-release of `slow` goes with the new `quick`: nobody asked for one.
        ("quick", "1.0", &[]),
        ("quick", "2.0", &[]),
        ("slow", "1.0", &["quick<2"]),
        ("slow", "1.1.dev1", &[]),
    ] {
        world.index.add(name, version, needs, old);
    }
    let hashed = |name: &str, version: &str| {
        format!("{name}=={version} \\\n    --hash=sha256:{}\n", world.index.hash(name, version))
    };
    world.commit(&[
        ("pinguard.toml", "[upgrade]\nignore = [\"firm\"]\n"),
        ("requirements-base.txt", "app==1.0  # ours\nlib==1.0\nlone==1.0\nquick==1.0\nslow==1.0\n./here\n"),
        ("requirements.txt", "-r requirements-base.txt\ndemo==1.0\nfirm==1.0\n"),
        ("hashed-requirements.txt", &hashed("wide", "1.0")),
    ]);
    world.sync();
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["pypi-app pushed opened", "pypi-wide pushed opened"], "{report:#}");
    let base = world.show("pinguard/pypi-app", "requirements-base.txt");
    assert_eq!(base, "app==2.0  # ours\nlib==2.0\nlone==1.0\nquick==1.0\nslow==1.0\n./here");
    let request = world.forge.open().into_iter().find(|request| request.branch == "pinguard/pypi-app").unwrap();
    assert!(request.title.contains("app and lib"), "{}", request.title);
    let closed = world.show("pinguard/pypi-wide", "hashed-requirements.txt");
    assert_eq!(closed, format!("{}{}", hashed("wide", "2.0"), hashed("more", "3.0")).trim_end());
    let held = held(&report);
    assert!(
        held.iter()
            .any(|text| text.starts_with("lone: requirements.txt would not resolve with it") && text.contains("lib")),
        "{held:?}"
    );
    assert!(
        held.iter()
            .any(|text| text.starts_with("demo: requirements.txt would not resolve with it") && text.contains("firm")),
        "{held:?}"
    );
}

#[test]
fn a_security_release_does_not_wait_and_stands_alone() {
    let world = World::new("security");
    let young = "2026-11-19T12:00:00Z";
    world.index.add("shaky", "1.0", &[], "2026-01-01T00:00:00Z");
    for version in ["1.0.1", "1.1"] {
        world.index.add("shaky", version, &[], young);
    }
    world.index.add("calm", "1.0", &[], "2026-01-01T00:00:00Z");
    world.index.add("calm", "1.1", &[], young);
    world.index.endanger("shaky", "1.0", "PYSEC-2026-1", &["1.0.1"]);
    world.index.add("still", "1.0", &[], "2026-01-01T00:00:00Z");
    world.index.endanger("still", "1.0", "PYSEC-2026-2", &["1.1"]);
    let groups = "[[upgrade.groups]]\nname = \"all\"\nmatch = [\"pypi:*\"]\n";
    let lines = "shaky==1.0\ncalm==1.0\ndemo==1.0\nstill==1.0\n";
    world.commit(&[("pinguard.toml", groups), ("requirements.txt", lines)]);
    world.sync();
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["group-all pushed opened", "security-pypi-shaky pushed opened"], "{report:#}");
    assert_eq!(world.show("pinguard/group-all", "requirements.txt"), "shaky==1.0\ncalm==1.0\ndemo==1.1\nstill==1.0");
    // The nearest release that mends it, not the newest: nobody has looked at either of them for long.
    assert_eq!(
        world.show("pinguard/security-pypi-shaky", "requirements.txt"),
        "shaky==1.0.1\ncalm==1.0\ndemo==1.0\nstill==1.0"
    );
    // What nothing can take the place of is not asked about.
    let asked = |path: &str| world.index.host.log().iter().any(|asked| asked.path == path);
    assert!(asked("/pypi/shaky/1.0/json") && !asked("/pypi/still/1.0/json"));
    let request = world.forge.open().into_iter().find(|one| one.branch == "pinguard/security-pypi-shaky").unwrap();
    assert!(request.title.ends_with("[security]"), "{}", request.title);
    for words in ["mends `PYSEC-2026-1`", "does not wait for the cooldown of 3 days"] {
        assert!(request.body.contains(words), "{words}: {}", request.body);
    }
    assert!(held(&report).iter().any(|text| text.starts_with("calm: the release is younger")), "{:?}", held(&report));
}

#[test]
fn ranges_are_written_as_their_strategy_says() {
    let world = World::new("ranges");
    let old = "2026-01-01T00:00:00Z";
    for version in ["1.0", "1.4", "2.1"] {
        world.index.add("lib", version, &[], old);
    }
    let lock = "# This file was autogenerated by uv via the following command:\n#    uv pip compile requirements.in -o requirements.txt\n\
                lib==1.0\n    # via -r requirements.in\n";
    let files = |strategy: &str| {
        world.commit(&[
            (".python-version", "3.12\n"),
            ("pinguard.toml", &format!("[upgrade]\nrange-strategy = \"{strategy}\"\n")),
            ("requirements.in", "lib>=1,<2\n"),
            ("requirements.txt", lock),
        ]);
        world.sync();
        let (code, report) = world.upgrade(&["--dry-run"]);
        assert_eq!(code, 0, "{report:#}");
        report["branches"][0]["patch"].as_str().unwrap_or("").to_string()
    };
    for (strategy, range, version) in [
        ("auto", "", "1.4"),
        ("replace", "+lib>=2,<3\n", "2.1"),
        ("widen", "+lib>=1,<3\n", "2.1"),
        ("pin", "+lib==2.1\n", "2.1"),
    ] {
        let patch = files(strategy);
        assert!(patch.contains(&format!("+lib=={version}\n")), "{strategy}: {patch}");
        assert_eq!(patch.contains("a/requirements.in"), !range.is_empty(), "{strategy}: {patch}");
        assert!(patch.contains(range), "{strategy}: {patch}");
    }
}

#[test]
fn a_private_index_of_the_project_is_asked_for_ages() {
    let world = World::new("private");
    let own = support::package_index::PackageIndex::start();
    own.add("inner", "1.0", &[], "2026-01-01T00:00:00Z");
    own.add("inner", "1.1", &[], "2026-06-01T00:00:00Z");
    world.commit(&[("requirements.txt", &format!("--index-url {}\ninner==1.0\n", own.url()))]);
    world.sync();
    let (code, report) = world.upgrade(&["--dry-run"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["pypi-inner planned none"], "{report:#}");
    assert_eq!(report["branches"][0]["steps"][0]["released"], "2026-06-01T00:00:00Z");
}

/// npm, crates.io, Go's proxy and CircleCI on one host, with recorded answers cut down to what matters.
fn lists() -> support::host::Host {
    use support::host::Given;
    support::host::Host::start(|asked| {
        let json = |text: &str| Given::status(200).with("content-type", "application/json").body(text);
        match asked.path.as_str() {
            "/npm/prettier" => json(
                r#"{"dist-tags": {"latest": "3.6.2"}, "versions": {"3.5.0": {}, "3.6.2": {}, "3.6.3": {"deprecated": "broken"}, "4.0.0-alpha.1": {}},
                    "time": {"created": "2017-01-10T00:00:00Z", "3.5.0": "2025-02-09T00:00:00Z", "3.6.2": "2025-06-27T00:00:00Z"}}"#,
            ),
            "/npm/@scope%2Ftool" => json(r#"{"versions": {"1.0.0": {}, "1.1.0": {}}, "time": {"1.1.0": "2026-11-19T00:00:00Z"}}"#),
            "/crates/ri/pg/ripgrep" => Given::status(200).body(
                "{\"vers\":\"14.0.0\",\"yanked\":false,\"pubtime\":\"2023-11-27T00:00:00Z\"}\n{\"vers\":\"14.1.1\",\"yanked\":false,\"pubtime\":\"2024-09-09T00:00:00Z\"}\n{\"vers\":\"15.0.0\",\"yanked\":true}\n",
            ),
            "/go/golang.org/x/tools/@v/list" => Given::status(200).body("v0.29.0\nv0.30.0\nv0.31.0-pre\n"),
            "/go/golang.org/x/tools/@v/v0.30.0.info" => json(r#"{"Version": "v0.30.0", "Time": "2025-02-10T00:00:00Z"}"#),
            "/graphql-unstable" => json(
                r#"{"data": {"orb": {"versions": [{"version": "2.2.0", "createdAt": "2025-05-01T00:00:00Z"}, {"version": "2.1.1", "createdAt": "2024-01-01T00:00:00Z"}]}}}"#,
            ),
            _ => Given::status(404),
        }
    })
}

#[test]
fn tools_orbs_and_interpreters_move_too() {
    let world = World::new("lists");
    let host = lists();
    world.actions.repository("python/cpython", &[&["v3.12.1"], &["v3.12.4"], &["v3.13.0"], &["v3.14.0rc1"]]);
    let circle = "version: 2.1\norbs:\n  python: circleci/python@2.1.1\njobs: {}\n";
    let workflow = "on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/setup-python@v5\n        \
                    with:\n          python-version: 3.12.1\n      - run: npx prettier@3.5.0 --check .\n      \
                    - run: npx @scope/tool@1.0.0\n      - run: cargo install --locked ripgrep@14.0.0\n      \
                    - run: go install golang.org/x/tools/cmd/goimports@v0.29.0\n";
    world.commit(&[(".circleci/config.yml", circle), (".github/workflows/ci.yml", workflow)]);
    world.sync();
    let home = world.folder.0.join("home");
    std::fs::create_dir_all(&home).unwrap();
    let rewrite = format!("[url \"{}/\"]\n\tinsteadOf = https://github.com/\n", world.actions.address);
    std::fs::write(home.join(".gitconfig"), rewrite).unwrap();
    let kinds = ["npm:*", "cargo:*", "go:*", "orb:*", "toolchain:*"];
    let mut arguments = vec!["upgrade", "--dry-run", "--format", "json", "--now", support::upgrade_world::NOW];
    kinds.iter().for_each(|kind| arguments.extend(["--only", kind]));
    let mut command = world.command(&arguments);
    command.env("NPM_CONFIG_REGISTRY", format!("{}/npm", host.url()));
    command.env("CARGO_REGISTRIES_CRATES_IO_INDEX", format!("sparse+{}/crates/", host.url()));
    command.env("GOPROXY", format!("{}/go,direct", host.url())).env("CIRCLECI_CLI_HOST", host.url());
    let run = support::Run::of(command.output().unwrap());
    let report = run.json();
    let moves: Vec<String> = report["branches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| {
            let step = &branch["steps"][0];
            let word = |key: &str| step[key].as_str().unwrap_or("").to_string();
            format!("{} {} {}", word("name"), word("to"), word("released"))
        })
        .collect();
    assert_eq!(moves.len(), 5, "{report:#}");
    for want in [
        "ripgrep 14.1.1 2024-09-09T00:00:00Z",
        "golang.org/x/tools/cmd/goimports v0.30.0 2025-02-10T00:00:00Z",
        "prettier 3.6.2 2025-06-27T00:00:00Z",
        "circleci/python 2.2.0 2025-05-01T00:00:00Z",
    ] {
        assert!(moves.contains(&want.to_string()), "{want}: {moves:?}");
    }
    assert!(moves.iter().any(|text| text.starts_with("python 3.13.0 ")), "{moves:?}");
    assert!(
        held(&report).iter().any(|text| text.starts_with("@scope/tool: the release is younger")),
        "{:?}",
        held(&report)
    );
    let patch = |at: usize| report["branches"][at]["patch"].as_str().unwrap_or("").to_string();
    let patches: String = (0..5).map(patch).collect();
    for line in [
        "+  python: circleci/python@2.2.0",
        "+          python-version: 3.13.0",
        "ripgrep@14.1.1",
        "goimports@v0.30.0",
        "prettier@3.6.2",
    ] {
        assert!(patches.contains(line), "{line}: {patches}");
    }
}

#[test]
fn a_release_from_its_repository_moves_to_the_next_tag() {
    let world = World::new("vcs");
    world.actions.repository("acme/tool", &[&["v1.0.0"], &["v1.1.0"]]);
    let line = format!("tool @ git+{}/acme/tool@v1.0.0  # ours", world.actions.address);
    world.commit(&[("requirements.txt", &format!("{line}\ndemo==1.0\n"))]);
    world.sync();
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["pypi-demo pushed opened", "pypi-tool pushed opened"], "{report:#}");
    let moved = line.replace("v1.0.0", "v1.1.0");
    assert_eq!(world.show("pinguard/pypi-tool", "requirements.txt"), format!("{moved}\ndemo==1.0"));
    assert_eq!(world.show("pinguard/pypi-demo", "requirements.txt"), format!("{line}\ndemo==1.1"));
}

#[test]
fn lines_that_contradict_each_other_already_hold_nobody_else_back() {
    let world = World::new("odds");
    let old = "2026-01-01T00:00:00Z";
    for (name, version, needs) in
        [("odd", "1.0", &["dep<2"][..]), ("dep", "1.0", &[]), ("dep", "2.0", &[]), ("demo", "1.2", &["dep<2"])]
    {
        world.index.add(name, version, needs, if name == "demo" { "2026-11-19T00:00:00Z" } else { old });
    }
    world.commit(&[("requirements.txt", "odd==1.0\ndep==2.0\ndemo==1.0\n")]);
    world.sync();
    let (code, report) = world.upgrade(&[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(states(&report), ["pypi-demo pushed opened"], "{report:#}");
    assert_eq!(world.show("pinguard/pypi-demo", "requirements.txt"), "odd==1.0\ndep==2.0\ndemo==1.1");
    let body = &world.forge.open()[0].body;
    assert!(body.contains("does not resolve as it stands") && body.contains("`dep`"), "{body}");
}

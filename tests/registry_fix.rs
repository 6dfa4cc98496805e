//! `check --fix` and `--diff` against real servers on loopback: what is changed, byte for byte, and what is left with its reason.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use support::Sandbox;
use support::fake::Fake;
use support::fix_world::{World, commit_all, read};
use support::git_server::git;

const JOB: &str = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n";

#[test]
fn images_actions_and_hooks_become_immutable() {
    let world = World::new();
    let digest = world.registry.push("team/app", &["1", "1.2.3", "latest"], "one");
    let commits = world.git.repository("team/action", &[&["v1.0.0"], &["a:v1.1.0", "v1"], &[]]);
    let hooks = world.git.repository("team/hooks", &[&["v2.0.0", "v2"]]);
    let (image, address) = (format!("{}/team/app", world.registry.host), &world.git.address);
    let steps =
        "      - uses: team/action@v1\n      - uses: 'team/action/sub@main'  # why\n      - {uses: team/action@v1}\n";
    let sandbox = Sandbox::new("fix")
        .file("Dockerfile", format!("# é\r\nFROM {image}:1 AS a\r\nFROM {image}\r\nCOPY --from=a /x /x"))
        .file(".github/workflows/ci.yml", format!("{JOB}{steps}"))
        .file(
            ".pre-commit-config.yaml",
            format!("repos:\n- repo: {address}/team/hooks\n  rev: v2\n  hooks:\n  - id: x\n"),
        );
    commit_all(&sandbox);
    let run = world.run(&sandbox, &["check", "--fix"]);
    let pinned = format!("{image}:1.2.3@{digest}");
    assert_eq!(
        read(&sandbox, "Dockerfile"),
        format!("# é\r\nFROM {pinned} AS a\r\nFROM {pinned}\r\nCOPY --from=a /x /x"),
        "{}{}",
        run.out,
        run.err
    );
    let steps = format!(
        "      - uses: team/action@{} # v1.1.0\n      - uses: 'team/action/sub@{}' # main  # why\n      - {{uses: team/action@v1}}\n",
        commits[1], commits[2]
    );
    assert_eq!(read(&sandbox, ".github/workflows/ci.yml"), format!("{JOB}{steps}"), "{}{}", run.out, run.err);
    let frozen =
        format!("repos:\n- repo: {address}/team/hooks\n  rev: {}  # frozen: v2.0.0\n  hooks:\n  - id: x\n", hooks[0]);
    assert_eq!(read(&sandbox, ".pre-commit-config.yaml"), frozen);
    // A comment cannot stand inside of braces: that one is left, and said.
    assert!(run.out.contains("Not fixed 1 place"), "{}", run.out);
    assert_eq!(run.code, 1, "{}", run.out);
    // Fixing twice is fixing once.
    git(&sandbox.0, &["commit", "--quiet", "-am", "fixed"]);
    world.run(&sandbox, &["check", "--fix"]);
    assert_eq!(git(&sandbox.0, &["status", "--porcelain"]), "");
}

#[test]
fn a_diff_changes_nothing_and_can_be_applied() {
    let world = World::new();
    let commits = world.git.repository("team/action", &[&["v1.0.0", "v1"]]);
    let sandbox = Sandbox::new("diff").file(".github/workflows/ci.yml", format!("{JOB}      - uses: team/action@v1\n"));
    commit_all(&sandbox);
    let run = world.run(&sandbox, &["check", "--diff"]);
    assert_eq!((run.code, git(&sandbox.0, &["status", "--porcelain"]).as_str()), (1, ""), "{}", run.err);
    assert!(run.err.contains("Would fix 1 place"), "{}", run.err);
    let patch = world.home.0.join("patch");
    fs::write(&patch, &run.out).expect("a file");
    git(&sandbox.0, &["apply", patch.to_str().expect("text")]);
    assert!(read(&sandbox, ".github/workflows/ci.yml").ends_with(&format!("team/action@{} # v1.0.0\n", commits[0])));
    let again = world.run(&sandbox, &["check", "--diff"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);
}

#[test]
fn offline_uses_what_is_kept_and_nothing_else() {
    let world = World::new();
    world.git.repository("team/action", &[&["v1.0.0", "v1"]]);
    let text = format!("{JOB}      - uses: team/action@v1\n");
    let sandbox = Sandbox::new("offline").file(".github/workflows/ci.yml", &text);
    let run = world.run(&sandbox, &["check", "--fix", "--offline"]);
    assert_eq!((run.code, read(&sandbox, ".github/workflows/ci.yml")), (1, text));
    assert!(run.out.contains("nothing is cached"), "{}", run.out);
    assert_eq!(world.git.requests().len(), 0);
    world.run(&sandbox, &["check", "--diff"]);
    let asked = world.git.requests().len();
    assert!(asked > 0);
    let run = world.run(&sandbox, &["check", "--fix", "--offline"]);
    assert_eq!((run.code, world.git.requests().len()), (0, asked), "{}{}", run.out, run.err);
    assert!(read(&sandbox, ".github/workflows/ci.yml").contains(" # v1.0.0"));
}

#[test]
fn unstaged_work_is_left_alone() {
    let world = World::new();
    world.git.repository("team/action", &[&["v1.0.0", "v1"]]);
    let sandbox =
        Sandbox::new("dirty").file(".github/workflows/ci.yml", format!("{JOB}      - uses: team/action@v1\n"));
    commit_all(&sandbox);
    let mine = format!("# mine\n{JOB}      - uses: team/action@v1\n");
    fs::write(sandbox.0.join(".github/workflows/ci.yml"), &mine).expect("a file");
    let run = world.run(&sandbox, &["check", "--fix"]);
    assert_eq!((run.code, read(&sandbox, ".github/workflows/ci.yml")), (1, mine.clone()));
    assert!(run.out.contains("unstaged changes"), "{}", run.out);
    git(&sandbox.0, &["add", "."]);
    let run = world.run(&sandbox, &["check", "--fix", "--format", "json"]);
    assert_ne!(read(&sandbox, ".github/workflows/ci.yml"), mine);
    assert_eq!(run.json()["fixed"][0]["path"], ".github/workflows/ci.yml");
    assert_eq!(run.json()["held"].as_array().map(Vec::len), Some(0));
    fs::write(sandbox.0.join(".github/workflows/ci.yml"), &mine).expect("a file");
    world.run(&sandbox, &["check", "--fix", "--allow-dirty"]);
    assert_ne!(read(&sandbox, ".github/workflows/ci.yml"), mine);
}

#[test]
fn bad_weather_is_said_and_the_rest_is_fixed() {
    let world = World::new();
    world.git.repository("team/action", &[&["v1.0.0", "v1"]]);
    let steps = "      - uses: team/action@v1\n      - uses: team/none@v1\n      - uses: team/action@v9\n";
    let sandbox = Sandbox::new("weather")
        .file(".github/workflows/ci.yml", format!("{JOB}{steps}"))
        .file("Dockerfile", "FROM 127.0.0.1:1/app:1\n");
    let run = world.run(&sandbox, &["check", "--fix"]);
    let text = read(&sandbox, ".github/workflows/ci.yml");
    assert!(text.contains(" # v1.0.0") && text.contains("team/none@v1\n") && text.contains("@v9\n"), "{text}");
    for part in ["is not there (404)", "`v9` is neither a tag nor a branch", "127.0.0.1:1 gave no answer"] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert_eq!(run.code, 1);
    world.forget();
}

#[test]
fn only_what_is_asked_for_is_fixed_and_modes_and_links_stay() {
    let world = World::new();
    let digest = world.registry.push("app", &["2", "2.0.1"], "two");
    world.git.repository("team/action", &[&["v1.0.0", "v1"]]);
    let workflow = format!("{JOB}      - uses: team/action@v1\n");
    let sandbox = Sandbox::new("asked")
        .file("Dockerfile", format!("FROM {}/app:2\n", world.registry.host))
        .file(".github/workflows/ci.yml", &workflow);
    let (file, real) = (sandbox.0.join("Dockerfile"), sandbox.0.join("real.cfg"));
    fs::rename(&file, &real).expect("a file");
    std::os::unix::fs::symlink("real.cfg", &file).expect("a link");
    std::os::unix::fs::PermissionsExt::set_mode(&mut fs::metadata(&real).expect("meta").permissions(), 0o640);
    let mode = fs::metadata(&real).expect("meta").permissions();
    let run = world.run(&sandbox, &["check", "--fix", "--select", "images"]);
    assert_eq!(read(&sandbox, "real.cfg"), format!("FROM {}/app:2.0.1@{digest}\n", world.registry.host), "{}", run.out);
    assert!(fs::symlink_metadata(&file).expect("meta").is_symlink());
    assert_eq!(fs::metadata(&real).expect("meta").permissions(), mode);
    assert_eq!(read(&sandbox, ".github/workflows/ci.yml"), workflow);
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn shared_text_is_not_decided_by_one_of_its_users() {
    let world = World::new();
    let one = world.registry.push("one", &["1", "1.0.1"], "one");
    world.registry.push("two", &["1", "1.0.9"], "two");
    let host = &world.registry.host;
    let text = format!("ARG V=1\nFROM {host}/one:$V AS a\nFROM {host}/two:$V\n");
    let sandbox = Sandbox::new("shared").file("Dockerfile", &text);
    let run = world.run(&sandbox, &["check", "--fix"]);
    assert_eq!(read(&sandbox, "Dockerfile"), text, "{}", run.out);
    assert!(run.out.contains("another reference shares this text"), "{}", run.out);
    let same = format!("ARG V=1\nFROM {host}/one:$V AS a\nFROM {host}/one:$V\n");
    let sandbox = Sandbox::new("shared").file("Dockerfile", same);
    world.run(&sandbox, &["check", "--fix"]);
    assert_eq!(
        read(&sandbox, "Dockerfile"),
        format!("ARG V=1.0.1\nFROM {host}/one:$V@{one} AS a\nFROM {host}/one:$V@{one}\n")
    );
}

/// An index whose newest `app` does not go with the newest `lib`.
fn index() -> Fake {
    Fake::start(|asked, address| {
        let path = asked.split(' ').nth(1).unwrap_or("");
        let wheel = |name: &str| {
            let hash = "1".repeat(64);
            format!(
                r#"{{"filename": "{name}", "url": "{address}/files/{name}", "hashes": {{"sha256": "{hash}"}}, "core-metadata": true, "upload-time": "2025-01-02T03:04:05Z"}}"#
            )
        };
        let page = |name: &str, versions: &[&str]| {
            let files: Vec<String> =
                versions.iter().map(|version| wheel(&format!("{name}-{version}-py3-none-any.whl"))).collect();
            Fake::answer(
                "200 OK",
                "content-type: application/vnd.pypi.simple.v1+json\r\n",
                &format!(r#"{{"meta": {{"api-version": "1.1"}}, "name": "{name}", "files": [{}]}}"#, files.join(",")),
            )
        };
        let metadata = |name: &str, version: &str, needs: &str| {
            let needs = if needs.is_empty() { String::new() } else { format!("Requires-Dist: {needs}\n") };
            Fake::answer("200 OK", "", &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"))
        };
        match path.trim_end_matches('/') {
            "/simple/app" => page("app", &["1.0", "2.0"]),
            "/simple/lib" => page("lib", &["1.0", "1.5", "3.0"]),
            "/files/app-2.0-py3-none-any.whl.metadata" => metadata("app", "2.0", "lib<2"),
            "/files/app-1.0-py3-none-any.whl.metadata" => metadata("app", "1.0", ""),
            path if path.starts_with("/files/lib-") => metadata("lib", path.split('-').nth(1).unwrap_or(""), ""),
            _ => Fake::answer("404 Not Found", "", ""),
        }
    })
}

#[test]
fn a_requirements_file_is_pinned_as_a_whole_and_a_tool_alone() {
    let (world, index) = (World::new(), index());
    let steps = "      - uses: ./setup\n      - run: pip install -r requirements.txt\n      - run: pipx run app\n";
    let sandbox = Sandbox::new("whole")
        .file("requirements.txt", "# kept\nlib  # why\napp>=1 ; python_version >= '3.8'\n")
        .file(".python-version", "3.12.4\n")
        .file(".github/workflows/ci.yml", format!("{JOB}{steps}"));
    let simple = format!("{}/simple", index.address);
    let home = world.home.0.to_str().expect("text");
    let environment =
        [("HOME", home), ("XDG_CACHE_HOME", home), ("PIP_INDEX_URL", simple.as_str()), ("UV_DEFAULT_INDEX", &simple)];
    let run = sandbox.run_in(&environment, &["check", "--fix", "--select", "req-unpinned,tool-run-unpinned"]);
    // Line by line it would be lib 3.0, with which nothing installs.
    let want = "# kept\nlib==1.5  # why\napp==2.0 ; python_version >= '3.8'\n";
    assert_eq!(read(&sandbox, "requirements.txt"), want, "{}{}", run.out, run.err);
    assert!(read(&sandbox, ".github/workflows/ci.yml").ends_with("pipx run app==2.0\n"), "{}", run.out);
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn lines_with_hashes_get_hashes_and_packages_of_one_command_go_together() {
    let (world, index) = (World::new(), index());
    let steps =
        "      - run: pip install --require-hashes -r requirements.txt\n      - run: pip install lib 'app>=1'\n";
    let hash = format!("    --hash=sha256:{}", "1".repeat(64));
    let sandbox = Sandbox::new("hashes")
        .file("requirements.txt", format!("app==2.0 \\\n{hash}  # why\nlib>=1 ; python_version >= '3.8'\n"))
        .file(".python-version", "3.12.4\n")
        .file(".github/workflows/ci.yml", format!("{JOB}{steps}"));
    let simple = format!("{}/simple", index.address);
    let home = world.home.0.to_str().expect("text");
    let environment =
        [("HOME", home), ("XDG_CACHE_HOME", home), ("PIP_INDEX_URL", simple.as_str()), ("UV_DEFAULT_INDEX", &simple)];
    let rules = "req-unpinned,req-adhoc-install,lock-partial-hashes";
    let run = sandbox.run_in(&environment, &["check", "--fix", "--select", rules]);
    let want = format!("app==2.0 \\\n{hash}  # why\nlib==1.5 ; python_version >= '3.8' \\\n{hash}\n");
    assert_eq!(read(&sandbox, "requirements.txt"), want, "{}{}", run.out, run.err);
    let workflow = read(&sandbox, ".github/workflows/ci.yml");
    assert!(workflow.ends_with("pip install lib==1.5 'app==2.0'\n"), "{workflow}{}", run.out);
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn orbs_pipes_tools_and_interpreters_get_the_version_of_today() {
    let world = World::new();
    world
        .git
        .repository("python/cpython", &[&["v3.11.9"], &["v3.12.4"], &["v3.12.10"], &["v3.13.0"], &["v3.12.11rc1"]]);
    world.git.repository("atlassian/aws-s3-deploy", &[&["1.5.0"], &["1.6.1", "1"], &["2.0.0"]]);
    let rewrite = |from: &str| format!("[url \"{}/\"]\n\tinsteadOf = https://{from}/\n", world.git.address);
    let home = world.home.0.to_str().expect("text").to_string();
    fs::write(world.home.0.join(".gitconfig"), rewrite("github.com") + &rewrite("bitbucket.org")).expect("a file");
    let lists = Fake::start(|asked, _| match asked.split(' ').nth(1).unwrap_or("") {
        "/graphql-unstable" => {
            let body = r#"{"data": {"orb": {"versions": [{"version": "3.0.0"}, {"version": "2.1.1"}, {"version": "2.1.0"}]}}}"#;
            Fake::answer("200 OK", "content-type: application/json\r\n", body)
        }
        "/npm/prettier" => {
            let body = r#"{"dist-tags": {"latest": "3.6.2"}, "versions": {"3.6.2": {}, "4.0.0": {}}}"#;
            Fake::answer("200 OK", "content-type: application/json\r\n", body)
        }
        _ => Fake::answer("404 Not Found", "", ""),
    });
    let python = "      - uses: actions/setup-python@v5\n        with:\n          python-version: '3.12'\n      - run: npx prettier .\n      - run: npx none-such .\n";
    let sandbox = Sandbox::new("versions")
        .file(".github/workflows/ci.yml", format!("{JOB}{python}"))
        .file(".circleci/config.yml", "version: 2.1\norbs:\n  py: circleci/python@2.1\n  other: acme/x@1\njobs: {}\n")
        .file(
            "bitbucket-pipelines.yml",
            "pipelines:\n  default:\n    - step:\n        script:\n          - pipe: atlassian/aws-s3-deploy:1\n",
        );
    let (npm, circle) = (format!("{}/npm", lists.address), lists.address.clone());
    let environment = [
        ("HOME", home.as_str()),
        ("XDG_CACHE_HOME", &home),
        ("NPM_CONFIG_REGISTRY", &npm),
        ("CIRCLECI_CLI_HOST", &circle),
    ];
    let rules = "runtime-python-minor,tool-run-unpinned,component-floating-tag,component-not-sha";
    let run = sandbox.run_in(&environment, &["check", "--profile", "audit", "--fix", "--select", rules]);
    let workflow = read(&sandbox, ".github/workflows/ci.yml");
    assert!(
        workflow.contains("python-version: '3.12.10'") && workflow.contains("npx prettier@3.6.2 ."),
        "{workflow}{}",
        run.out
    );
    assert!(read(&sandbox, ".circleci/config.yml").contains("circleci/python@2.1.1\n"), "{}", run.out);
    assert!(read(&sandbox, "bitbucket-pipelines.yml").contains("aws-s3-deploy:1.6.1\n"), "{}", run.out);
    assert!(workflow.contains("npx none-such .") && run.out.contains("none-such"), "{}", run.out);
}

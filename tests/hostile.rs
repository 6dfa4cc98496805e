//! Files that nobody writes by accident: every run over one ends, says what it could not read, and judges the file beside it.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use support::{Run, Sandbox};

/// A good file with a known finding; it stands beside every hostile one.
const BESIDE: (&str, &str) = (
    ".pre-commit-config.yaml",
    "repos:\n  - repo: https://github.com/psf/black\n    rev: main\n    hooks: [{id: black}]\n",
);

const WORKFLOW: &str = ".github/workflows/x.yml";
const UNREADABLE: &str = "file-unreadable";
const DEEP: usize = 100_000;

fn repository(files: &[(&str, String)]) -> Sandbox {
    let sandbox = Sandbox::new("hostile").file(BESIDE.0, BESIDE.1);
    files.iter().fold(sandbox, |sandbox, (path, text)| sandbox.file(path, text))
}

/// The findings as `path rule`, after the promises that hold for every run.
fn findings(name: &str, sandbox: &Sandbox) -> Vec<String> {
    let run: Run = sandbox.bounded(&["check", "--format", "json", "--profile", "audit"]);
    assert_eq!(run.code, 1, "{name}: {}", run.err);
    let json = run.json();
    let found = json["findings"].as_array().expect("findings").iter();
    let word = |value: &serde_json::Value| value.as_str().expect("text").to_string();
    let found: Vec<String> = found.map(|one| format!("{} {}", word(&one["path"]), word(&one["rule"]))).collect();
    let beside = format!("{} precommit-rev-mutable", BESIDE.0);
    assert!(found.contains(&beside), "{name}: the good file is judged");
    assert!(run.out.len() < 4 << 20, "{name}: {} bytes of report", run.out.len());
    found
}

/// Runs over one hostile text.
fn says(name: &str, path: &str, text: impl Into<String>, rule: &str) {
    says_of(name, &[(path, text.into())], &[(path, rule)]);
}

/// Runs over hostile files; each of `wanted` is found at its file.
fn says_of(name: &str, files: &[(&str, String)], wanted: &[(&str, &str)]) {
    let found = findings(name, &repository(files));
    for (path, rule) in wanted {
        assert!(found.contains(&format!("{path} {rule}")), "{name}: {path} {rule} is not in {found:?}");
    }
}

fn workflow(script: &str) -> String {
    let lines: String = script.lines().map(|line| format!("          {line}\n")).collect();
    format!("on: pull_request\njobs:\n  t:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n{lines}")
}

const YAML: &[&str] = &[WORKFLOW, ".gitlab-ci.yml", "compose.yaml", ".readthedocs.yaml"];
const TOML: &[&str] = &["pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "pylock.toml", "pixi.toml"];
const JSON: &[&str] = &["Pipfile.lock", ".devcontainer/devcontainer.json", "renovate.json"];
const TEXT: &[&str] = &[
    "Dockerfile",
    "requirements.txt",
    "tox.ini",
    "setup.cfg",
    "setup.py",
    "noxfile.py",
    "Makefile",
    "justfile",
    "ci.sh",
    ".python-version",
    ".tool-versions",
];

#[test]
fn what_is_not_utf8_is_said_of_every_format() {
    for path in YAML.iter().chain(TOML).chain(JSON).chain(TEXT) {
        let latin = Sandbox::new("hostile").file(BESIDE.0, BESIDE.1).file(path, b"# caf\xe9\nname: x\n");
        assert!(findings(path, &latin).contains(&format!("{path} {UNREADABLE}")), "{path}");
    }
    for mark in [[0xff, 0xfe, b'a', 0], [0xfe, 0xff, 0, b'a']] {
        let wide = Sandbox::new("hostile").file(BESIDE.0, BESIDE.1).file("Dockerfile", mark);
        assert!(findings("UTF-16", &wide).contains(&format!("Dockerfile {UNREADABLE}")));
    }
}

#[test]
fn what_is_no_text_and_of_no_format_is_nobodys() {
    let elf = b"\x7fELF\x02\x01\x01\0\xff\xfe";
    let sandbox = Sandbox::new("hostile")
        .file(BESIDE.0, BESIDE.1)
        .file("bin/protoc", elf)
        .file("README.txt", b"caf\xe9\n")
        .file("secrets/creds.sh", b"\0GITCRYPT\0N$\xeb\x0f\xc8")
        .file("NEWS.txt", [0xff, 0xfe, b'N', 0])
        .file("old.py", b"# -*- coding: latin-1 -*-\nname = 'caf\xe9'\n")
        .file("deps.txt", b"# caf\xe9\nrequests>=2\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/nowhere/at/all", sandbox.0.join("LICENSE.txt")).expect("link");
    let found = findings("other files", &sandbox);
    let unreadable: Vec<&String> = found.iter().filter(|one| one.ends_with(UNREADABLE)).collect();
    assert_eq!(unreadable, [&format!("deps.txt {UNREADABLE}")]);
}

#[test]
fn what_ends_too_early_is_said() {
    says("workflow", WORKFLOW, "on: push\njobs:\n  t: {steps: [{run: \"pip", UNREADABLE);
    says("pyproject", "pyproject.toml", "[project]\nname = \"x", UNREADABLE);
    says("uv.lock", "uv.lock", "version = 1\n[[package]]\nname = \"a\"\nsdist = { url = ", UNREADABLE);
    says("Pipfile.lock", "Pipfile.lock", "{\"_meta\": {\"hash\": {\"sha256\": ", UNREADABLE);
    says("tox.ini", "tox.ini", "[testenv\ndeps = x\n", UNREADABLE);
    says("Dockerfile", "Dockerfile", "FROM a:1\nRUN <<EOF\npip install a\n", UNREADABLE);
}

#[test]
fn deep_nesting_is_said_and_takes_no_stack() {
    for path in YAML {
        for (name, text) in [
            ("flow lists", format!("a: {}", "[".repeat(DEEP))),
            ("closed flow lists", format!("a: {}{}", "[".repeat(DEEP), "]".repeat(DEEP))),
            ("flow mappings", format!("a: {}", "{a: ".repeat(DEEP))),
            ("block lists", format!("{}x", "- ".repeat(DEEP))),
            ("explicit keys", format!("{}x", "? ".repeat(DEEP))),
        ] {
            says(&format!("{name} in {path}"), path, text, UNREADABLE);
        }
    }
    for path in TOML {
        says(path, path, format!("a = {}", "[".repeat(DEEP)), UNREADABLE);
        says(path, path, format!("a = {}", "{a = ".repeat(DEEP)), UNREADABLE);
        says(path, path, format!("[{}a]\n", "a.".repeat(DEEP)), UNREADABLE);
    }
    for path in JSON {
        says(path, path, "[".repeat(DEEP), UNREADABLE);
        says(path, path, "{\"a\":".repeat(DEEP), UNREADABLE);
    }
}

#[test]
fn aliases_that_explode_are_said() {
    let lists: String =
        (1..40).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","))).collect();
    let maps: String = (1..40).map(|i| format!("a{i}: &a{i} {{l: *a{0}, r: *a{0}, m: *a{0}}}\n", i - 1)).collect();
    let merges: String =
        (1..40).map(|i| format!("a{i}: &a{i} {{<<: [*a{0}, *a{0}, *a{0}], k{i}: 1}}\n", i - 1)).collect();
    for path in YAML {
        for (name, text) in
            [("lists", format!("a0: &a0 [x]\n{lists}")), ("mappings", format!("a0: &a0 {{k: x}}\n{maps}"))]
        {
            says(&format!("{name} in {path}"), path, format!("{text}jobs: *a39\nservices: *a39\n"), UNREADABLE);
        }
        findings(path, &repository(&[(path, format!("a0: &a0 {{k: x}}\n{merges}jobs: *a39\nservices: *a39\n"))]));
        says(path, path, "a: &a {b: *a}\n", UNREADABLE);
    }
}

#[test]
fn mistakes_of_yaml_are_said_and_thousands_of_them_briefly() {
    for path in YAML {
        says("tab", path, "jobs:\n\tt:\n\t\truns-on: x\n", UNREADABLE);
        says("keys that stand twice", path, "a: 1\na: 2\n", UNREADABLE);
        says("NUL", path, "a: \0b\nc: d\0\n", UNREADABLE);
        says("open quotes", path, "a: \"open\n".repeat(2000), UNREADABLE);
    }
    says("20000 keys that stand twice", WORKFLOW, "k: v\n".repeat(20_000), UNREADABLE);
    says("20000 unknown aliases", WORKFLOW, "- *x\n".repeat(20_000), UNREADABLE);
    says("20000 broken documents", WORKFLOW, "---\na: [\n".repeat(20_000), UNREADABLE);
    says("20000 broken lines", "pyproject.toml", "= 1\n".repeat(20_000), UNREADABLE);
    says("20000 lines that are no requirement", "requirements.txt", "a b c\n".repeat(20_000), "opaque-reference");
}

#[test]
fn what_is_too_large_is_said_and_what_is_large_is_read() {
    let line = "  # a comment that says nothing at all, to fill the file\n";
    says("60 MB", WORKFLOW, format!("on: push\n{}", line.repeat((60 << 20) / line.len())), UNREADABLE);
    let fill = |first: &str, line: &str, bytes: usize| first.to_string() + &line.repeat(bytes / line.len());
    let yaml = fill("name: x\nservices:\n  a: {image: \"python:latest\"}\nx-list:\n", "  - a: b # c\n", 5 << 20);
    says("5 MB of YAML", "compose.yaml", yaml, "image-tag-latest");
    let requirements = fill("", "django==5.1.2 # a comment to fill the line\n", 5 << 20);
    findings("5 MB of requirements", &repository(&[("requirements.txt", requirements)]));
    let script = fill("#!/bin/bash\n", "echo \"$a\" | sort > /dev/null # c\n", 5 << 20);
    findings("5 MB of shell", &repository(&[("ci.sh", script), (WORKFLOW, workflow("./ci.sh"))]));
    findings("a line of 1 MB", &repository(&[("requirements.txt", "a".repeat(1 << 20))]));
    findings("a line of 1 MB", &repository(&[("Dockerfile", format!("FROM {}\n", "a".repeat(1 << 20)))]));
    findings("a line of 1 MB", &repository(&[(WORKFLOW, workflow(&"pip install a; ".repeat(2_000)))]));
}

#[test]
fn requirements_that_include_each_other_or_leave_the_tree_are_followed_to_their_end() {
    let files = [
        (WORKFLOW, workflow("pip install -r a.txt -r ../../etc/passwd -r /etc/passwd -c a.txt")),
        ("a.txt", "-r b.txt\n-c a.txt\nflask\n".to_string()),
        ("b.txt", "-r a.txt\n-r ../../etc/passwd\n-r /etc/passwd\ndjango\n".to_string()),
    ];
    says_of("circle", &files, &[("a.txt", "req-unpinned"), ("b.txt", "req-unpinned")]);
    let chain: Vec<(String, String)> =
        (0..200).map(|i| (format!("r{i}.txt"), format!("-r r{}.txt\n-r r{}.txt\nflask\n", i + 1, i + 2))).collect();
    let mut files: Vec<(&str, String)> = chain.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    files.push((WORKFLOW, workflow("pip install -r r0.txt")));
    says_of("paths that double", &files, &[("r199.txt", "req-unpinned")]);
}

#[test]
fn gitlab_configuration_that_goes_in_circles_ends() {
    let path = ".gitlab-ci.yml";
    let files = [
        (
            path,
            "include: [a.yml, ../../etc/passwd, /etc/passwd]\nt: {image: 'python:latest', script: [x]}\n".to_string(),
        ),
        ("a.yml", "include: [local: b.yml]\n".to_string()),
        ("b.yml", "include: [/a.yml, .gitlab-ci.yml]\n".to_string()),
    ];
    says_of("includes", &files, &[(path, "image-tag-latest")]);
    let job = "t: {image: 'python:latest', script: [x]}\n";
    let references = vec!["!reference [a, script]"; 200].join(", ");
    let chain: String = (0..2000).map(|i| format!(".a{i}: {{extends: [.a{}, .a{i}]}}\n", i + 1)).collect();
    let doubles: String = (1..60).map(|i| format!("  A{i}: $A{0}$A{0}\n", i - 1)).collect();
    for (name, text) in [
        ("extends", "a: {extends: b, script: [x]}\nb: {extends: [a, b]}\n".to_string()),
        ("long extends", format!("{chain}u: {{extends: .a0, script: [x]}}\n")),
        ("references", format!("a: {{script: [{references}]}}\nb: {{script: [!reference [b, script]]}}\n")),
        ("variables", format!("variables:\n  A0: xx\n{doubles}u: {{image: $A59, script: [pip install $A59]}}\n")),
        ("conditions", format!("u: {{script: [x], rules: [{{if: '{}'}}]}}\n", "(".repeat(DEEP))),
        ("negations", format!("u: {{script: [x], rules: [{{if: '{}'}}]}}\n", "!".repeat(DEEP))),
    ] {
        says(name, path, format!("{text}{job}"), "image-tag-latest");
    }
    let script = format!(".s: {{script: [\"{}\"]}}\n", "pip install a; ".repeat(100));
    let jobs: String = (0..200).map(|i| format!("j{i}: {{extends: .s}}\n")).collect();
    says("a script in many jobs", path, script + &jobs + job, "req-adhoc-install");
}

#[test]
fn what_calls_itself_is_followed_once() {
    let action = |calls: &str| {
        let steps = format!("    - uses: {calls}\n").repeat(100);
        format!("runs:\n  using: composite\n  steps:\n{steps}    - {{run: pip install flask, shell: bash}}\n")
    };
    let uses = "on: pull_request\njobs:\n  t:\n    runs-on: x\n    steps: [{uses: ./a}, {uses: ./}, {uses: ../x}]\n  u: {uses: ./.github/workflows/x.yml}\n";
    let files = [(WORKFLOW, uses.to_string()), ("a/action.yml", action("./b")), ("b/action.yml", action("./a"))];
    says_of("actions", &files, &[("a/action.yml", "req-adhoc-install"), ("b/action.yml", "req-adhoc-install")]);
    let files = [
        (WORKFLOW, workflow("./a.sh\nmake\njust")),
        ("a.sh", "#!/bin/bash\n./b.sh\nbash a.sh\n. a.sh\nmake\npip install flask\n".to_string()),
        ("b.sh", "#!/bin/bash\nsource ./a.sh\n\"$0\"\n".to_string()),
        ("Makefile", "include Makefile\nall: a\n\t$(MAKE) all\n\tmake\n\t./a.sh\na: all\n".to_string()),
        ("justfile", "import 'justfile'\nall: a\n  just all\na: all\n  just\n".to_string()),
    ];
    says_of("scripts", &files, &[("a.sh", "req-adhoc-install")]);
    let fan: Vec<(String, String)> = (0..40)
        .map(|i| (format!("s{i}.sh"), format!("#!/bin/bash\n{}", format!("./s{}.sh\n", i + 1).repeat(50))))
        .collect();
    let mut files: Vec<(&str, String)> = fan.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    files.push((WORKFLOW, workflow("./s0.sh")));
    says_of("scripts that double", &files, &[]);
}

#[test]
fn values_that_double_and_matrices_that_explode_end() {
    let doubles = |line: fn(usize) -> String| -> String { (1..60).map(line).collect() };
    for (name, path, text) in [
        ("ARG", "Dockerfile", "ARG A=x\n".to_string() + &"ARG A=$A$A\n".repeat(60) + "FROM $A\n"),
        ("ARGs", "Dockerfile", "ARG A0=x\n".to_string() + &doubles(|i| format!("ARG A{i}=$A{0}$A{0}\n", i - 1)) + "FROM $A59\n"),
        ("defaults", "Dockerfile", format!("FROM {}{}\n", "${a:-".repeat(DEEP), "}".repeat(DEEP))),
        ("stages", "Dockerfile", "FROM a AS a\nFROM b AS c\nFROM c AS b\n".to_string()),
        ("make", "Makefile", "A0=x\n".to_string() + &doubles(|i| format!("A{i}=$(A{0})$(A{0})\n", i - 1)) + "all:\n\tpip install $(A59)\n"),
        ("make itself", "Makefile", "A=$(A)$(A)\n".repeat(60) + "all:\n\tpip install $(A)\n"),
        ("just", "justfile", "a0 := 'x'\n".to_string() + &doubles(|i| format!("a{i} := a{0} + a{0}\n", i - 1)) + "all:\n  pip install {{a59}}\n"),
        ("setup.py", "setup.py", "a0=['x']\n".to_string() + &doubles(|i| format!("a{i}=a{0}+a{0}\n", i - 1)) + "setup(install_requires=a59)\n"),
        ("tox", "tox.ini", format!("[tox]\nenvlist = {}c\n[testenv]\ndeps = flask\n", "{a,b}-".repeat(40))),
        ("tox itself", "tox.ini", "[testenv]\ndeps = {[testenv]deps}{[testenv]deps}\n".to_string()),
        ("tox range", "tox.ini", "[tox]\nenvlist = py{1-1000000000}\n[testenv]\ndeps = flask\n".to_string()),
        ("compose", "compose.yaml", "services:\n  a: {extends: {service: b}}\n  b: {extends: {service: a, file: compose.yaml}}\ninclude: [compose.yaml]\n".to_string()),
    ] {
        findings(name, &repository(&[(path, text), (WORKFLOW, workflow("make\njust\ntox\npip install ."))]));
    }
    let axes: String = (0..6).map(|i| format!("        a{i}: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n")).collect();
    let many: String = (0..20_000).map(|i| format!("        b{i}: 1\n")).collect();
    for axes in [axes, many] {
        let text = format!(
            "on: pull_request\njobs:\n  t:\n    runs-on: x\n    container: python:${{{{ matrix.a1 }}}}\n    strategy:\n      matrix:\n{axes}    steps: [{{run: \"pip install foo==${{{{ matrix.a2 }}}}\"}}]\n"
        );
        findings("matrix", &repository(&[(WORKFLOW, text)]));
    }
}

#[test]
fn shell_text_without_end_takes_neither_stack_nor_time() {
    for piece in [
        "$(",
        "(",
        "((",
        "$((",
        "${",
        "${a:-",
        "{ ",
        "`",
        "\"$(",
        "'",
        "\"a",
        "<(",
        "$'",
        "if ",
        "if a; then ",
        "case x in x) ",
        "while x; do ",
        "f() { ",
        "! ",
        "[[ ",
        "> ",
        "eval ",
        "sudo ",
        "a | ",
        "a && ",
        "cat <<E ",
        "bash -c '",
    ] {
        let text = piece.repeat(DEEP);
        let files = [
            (WORKFLOW, workflow("./ci.sh")),
            ("ci.sh", format!("#!/bin/bash\n{text}\n")),
            ("Dockerfile", format!("FROM a:1\nRUN {text}\n")),
        ];
        findings(piece, &repository(&files));
    }
    let unended = "#!/bin/bash\npip install flask\ncat <<EOF\nnever ended\n".to_string() + &"cat <<E\n".repeat(20_000);
    says_of(
        "here-documents",
        &[(WORKFLOW, workflow("./ci.sh")), ("ci.sh", unended)],
        &[("ci.sh", "req-adhoc-install")],
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_left_alone() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let sandbox = Sandbox::new("hostile")
        .file(BESIDE.0, BESIDE.1)
        .file("requirements.txt/x", "")
        .file("closed/Dockerfile", "FROM a\n");
    let at = |path: &str| sandbox.0.join(path);
    fs::create_dir_all(at("loop")).expect("folder");
    symlink("..", at("loop/loop")).expect("link");
    symlink("Makefile", at("Makefile")).expect("link");
    let fifo = std::process::Command::new("mkfifo").arg(at("Dockerfile")).status().expect("mkfifo runs");
    assert!(fifo.success());
    fs::write(at("compose.yaml\n::error::x\u{1b}[31m"), "a: [").expect("file");
    fs::create_dir_all(at("new\nline\u{1b}[31m")).expect("folder");
    fs::write(at("new\nline\u{1b}[31m/Dockerfile"), "FROM python:latest\n").expect("file");
    // Not every file system takes names that are no text.
    let _ = fs::write(sandbox.0.join(std::ffi::OsStr::from_bytes(b"caf\xe9.sh")), "#!/bin/sh\n");
    fs::set_permissions(at("closed/Dockerfile"), fs::Permissions::from_mode(0o000)).expect("permissions");
    let found = findings("links", &sandbox);
    assert!(found.contains(&format!("Makefile {UNREADABLE}")), "{found:?}");
    // Root reads everything.
    if fs::read(at("closed/Dockerfile")).is_err() {
        assert!(found.contains(&format!("closed/Dockerfile {UNREADABLE}")), "{found:?}");
    }
    for format in ["human", "concise", "github"] {
        let run = sandbox.bounded(&["check", "--format", format]);
        assert!(
            !run.out.contains('\u{1b}') && !run.out.lines().any(|line| line.starts_with("::error::x")),
            "{}",
            run.out
        );
    }
}

//! How fast each syntax is read, and a whole check, on texts that are made here: `cargo bench`.

use divan::Bencher;
use divan::counter::BytesCount;
use pinguard::model::script::Shell;
use pinguard::model::source::Sources;
use pinguard::model::span::SourceId;
use pinguard::model::text::Mapped;
use pinguard::{check, syntax};
use std::fmt::Write;
use std::hint::black_box;

fn main() {
    divan::main();
}

const SOURCE: SourceId = SourceId(0);

/// `count` pieces, each with its number.
fn repeated(head: &str, count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).fold(head.to_string(), |mut text, number| {
        text.push_str(&piece(number));
        text
    })
}

fn workflow(jobs: usize) -> String {
    repeated("on: [push, pull_request]\njobs:\n", jobs, |n| {
        format!(
            "  job{n}:\n    runs-on: ubuntu-24.04\n    container: {{image: \"python:3.12.{n}\"}}\n    env:\n      NAME: value {n}  # why\n    \
             steps:\n      - uses: actions/checkout@v4\n      - run: |\n          python -m pip install -r requirements/{n}.txt\n          \
             pytest -x tests/{n} | tee log.txt\n"
        )
    })
}

fn uv_lock(packages: usize) -> String {
    repeated("version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n", packages, |n| {
        let mut text = format!(
            "\n[[package]]\nname = \"package-{n}\"\nversion = \"1.{n}.0\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\n\
             dependencies = [\n    {{ name = \"package-{}\" }},\n]\nwheels = [\n",
            n + 1
        );
        for tag in ["cp312", "cp313", "cp314"] {
            let hash = "0123456789abcdef".repeat(4);
            let _ = writeln!(
                text,
                "    {{ url = \"https://files.example/{n}/package_{n}-1.{n}.0-{tag}-none-any.whl\", hash = \"sha256:{hash}\", size = {n} }},"
            );
        }
        text.push_str("]\n");
        text
    })
}

fn requirements(lines: usize) -> String {
    repeated("# made by hand\n", lines, |n| {
        let hash = "0123456789abcdef".repeat(4);
        format!(
            "package-{n}[extra]==1.{n} ; python_version >= '3.9' \\\n    --hash=sha256:{hash}\n    # via -r in.txt\n"
        )
    })
}

fn dockerfile(stages: usize) -> String {
    repeated("# syntax=docker/dockerfile:1\nARG V=3.12\n", stages, |n| {
        format!(
            "FROM python:$V AS stage{n}\nENV A={n} B=\"two words\"\nRUN --mount=type=cache,target=/root/.cache \\\n    pip install \\\n    \
             package-{n}==1.0 && \\\n    rm -rf /tmp/*\nCOPY --from=stage{n} /a /b\n"
        )
    })
}

fn script(lines: usize) -> String {
    repeated("set -euo pipefail\n", lines, |n| {
        format!("if [ -n \"$X{n}\" ]; then pip install \"package-{n}==${{V:-1.0}}\" | tee \"log-{n}.txt\"; fi\n")
    })
}

macro_rules! parser {
    ($name:ident, $text:expr, $parse:expr) => {
        #[divan::bench(sample_count = 30)]
        fn $name(bencher: Bencher) {
            let text = $text;
            bencher.counter(BytesCount::of_str(text.as_str())).bench(|| {
                let _ = black_box($parse(black_box(&text)));
            });
        }
    };
}

parser!(yaml, workflow(500), |text| syntax::yaml::parse(SOURCE, text).roots().count());
parser!(toml, uv_lock(500), |text| syntax::toml::parse(SOURCE, text).roots().count());
parser!(json, format!("[{}0]", "{\"name\": [1, true, null, \"text\"]},\n".repeat(2_000)), |text| {
    syntax::json::parse(SOURCE, text).roots().count()
});
parser!(
    ini,
    repeated("[tox]\n", 2_000, |n| format!("[testenv:{n}]\ncommands =\n    pytest {n}\n    ruff .\n")),
    |text| { syntax::ini::parse(SOURCE, text) }
);
parser!(dockerfile_text, dockerfile(300), |text| syntax::dockerfile::parse(SOURCE, text));
parser!(requirements_text, requirements(1_000), |text| syntax::requirements::parse(SOURCE, text));
parser!(shell, script(500), |text: &String| {
    syntax::shell::parse(&Mapped::verbatim(text.as_str(), SOURCE, 0), Shell::PIPEFAIL)
});

/// A repository of one file through formats, gate and every rule.
fn checked(path: &str, text: &str) -> usize {
    let mut sources = Sources::default();
    sources.add(path, text);
    check::findings(&check::read(sources, Vec::new(), Default::default())).len()
}

parser!(check_workflow, workflow(200), |text: &String| checked(".github/workflows/ci.yml", text));
parser!(check_uv_lock, uv_lock(500), |text: &String| checked("uv.lock", text));
parser!(check_dockerfile, dockerfile(200), |text: &String| checked("Dockerfile", text));
parser!(check_requirements, requirements(1_000), |text: &String| checked("requirements.txt", text));

//! Commands whose verdict counts: tests, linters, type checkers, builds. Does not know whether the verdict is swallowed.

use super::args::{Args, Spec};
use super::{Call, Inner, Out};
use crate::model::script::{CheckKind, Deed, Word};

/// Programs that are a check whatever their arguments (questions for version or help left out).
const ALWAYS: &[(&str, CheckKind)] = &[
    ("pytest", CheckKind::Test),
    ("py.test", CheckKind::Test),
    ("tox", CheckKind::Test),
    ("nox", CheckKind::Test),
    ("nosetests", CheckKind::Test),
    ("nose2", CheckKind::Test),
    ("unit2", CheckKind::Test),
    ("zope-testrunner", CheckKind::Test),
    ("stestr", CheckKind::Test),
    ("trial", CheckKind::Test),
    ("behave", CheckKind::Test),
    ("ctest", CheckKind::Test),
    ("jest", CheckKind::Test),
    ("vitest", CheckKind::Test),
    ("mocha", CheckKind::Test),
    ("phpunit", CheckKind::Test),
    ("rspec", CheckKind::Test),
    ("bats", CheckKind::Test),
    ("gotestsum", CheckKind::Test),
    ("lit", CheckKind::Test),
    ("flake8", CheckKind::Lint),
    ("pylint", CheckKind::Lint),
    ("bandit", CheckKind::Lint),
    ("pydocstyle", CheckKind::Lint),
    ("pycodestyle", CheckKind::Lint),
    ("pyflakes", CheckKind::Lint),
    ("vulture", CheckKind::Lint),
    ("codespell", CheckKind::Lint),
    ("yamllint", CheckKind::Lint),
    ("shellcheck", CheckKind::Lint),
    ("hadolint", CheckKind::Lint),
    ("actionlint", CheckKind::Lint),
    ("zizmor", CheckKind::Lint),
    ("eslint", CheckKind::Lint),
    ("golangci-lint", CheckKind::Lint),
    ("ansible-lint", CheckKind::Lint),
    ("lint-imports", CheckKind::Lint),
    ("interrogate", CheckKind::Lint),
    ("check-manifest", CheckKind::Lint),
    ("doc8", CheckKind::Lint),
    ("djlint", CheckKind::Lint),
    ("typos", CheckKind::Lint),
    ("deptry", CheckKind::Lint),
    ("refurb", CheckKind::Lint),
    ("pip-audit", CheckKind::Lint),
    ("mypy", CheckKind::Types),
    ("dmypy", CheckKind::Types),
    ("pyright", CheckKind::Types),
    ("basedpyright", CheckKind::Types),
    ("pytype", CheckKind::Types),
    ("ty", CheckKind::Types),
    ("tsc", CheckKind::Types),
    ("stubtest", CheckKind::Types),
    ("sphinx-build", CheckKind::Build),
    ("pyproject-build", CheckKind::Build),
    ("cibuildwheel", CheckKind::Build),
    ("maturin", CheckKind::Build),
];

/// Programs that are a check with these first words.
const WITH_WORD: &[(&str, &[&str], CheckKind)] = &[
    ("coverage", &["report"], CheckKind::Test),
    ("ruff", &["check"], CheckKind::Lint),
    ("pre-commit", &["run"], CheckKind::Lint),
    ("pre_commit", &["run"], CheckKind::Lint),
    ("prek", &["run"], CheckKind::Lint),
    ("hatch", &["test"], CheckKind::Test),
    ("hatch", &["build"], CheckKind::Build),
    ("poetry", &["build"], CheckKind::Build),
    ("pdm", &["build"], CheckKind::Build),
    ("uv", &["build"], CheckKind::Build),
    ("flit", &["build"], CheckKind::Build),
    ("twine", &["check"], CheckKind::Build),
    ("mkdocs", &["build"], CheckKind::Build),
    ("npm", &["test", "t", "tst"], CheckKind::Test),
    ("yarn", &["test"], CheckKind::Test),
    ("pnpm", &["test", "t"], CheckKind::Test),
    ("bun", &["test"], CheckKind::Test),
    ("go", &["test"], CheckKind::Test),
    ("go", &["vet"], CheckKind::Lint),
    ("go", &["build"], CheckKind::Build),
    ("cargo", &["test", "nextest"], CheckKind::Test),
    ("cargo", &["clippy"], CheckKind::Lint),
    ("cargo", &["build", "check"], CheckKind::Build),
    ("mvn", &["test", "verify"], CheckKind::Test),
    ("gradle", &["test", "check"], CheckKind::Test),
    ("gradlew", &["test", "check"], CheckKind::Test),
    ("dotnet", &["test"], CheckKind::Test),
    ("helm", &["lint"], CheckKind::Lint),
    ("terraform", &["validate"], CheckKind::Lint),
    ("molecule", &["test"], CheckKind::Test),
    ("django-admin", &["test"], CheckKind::Test),
    ("pixi", &["test"], CheckKind::Test),
];

/// Formatters that are a check only when they do not write.
const WITH_FLAG: &[(&str, &[&str])] = &[
    ("black", &["--check", "--diff"]),
    ("isort", &["--check", "--check-only", "-c", "--diff"]),
    ("autopep8", &["--exit-code"]),
    ("yapf", &["-d", "--diff"]),
    ("docformatter", &["--check", "-c"]),
    ("pyupgrade", &["--exit-zero-even-if-changed-never"]),
    ("prettier", &["--check", "-c", "-l", "--list-different"]),
    ("cmake-format", &["--check"]),
    ("clang-format", &["--Werror", "-Werror"]),
    ("djhtml", &["--check"]),
    ("taplo", &["--check"]),
];

/// Targets of make, just, invoke and npm that say what they are.
const TARGETS: &[(&[&str], CheckKind)] = &[
    (
        &["test", "tests", "check", "unittest", "unit", "pytest", "coverage", "cov", "integration", "e2e", "doctest"],
        CheckKind::Test,
    ),
    (
        &["lint", "flake8", "ruff", "style", "format-check", "check-format", "pre-commit", "pylint", "checkstyle"],
        CheckKind::Lint,
    ),
    (&["mypy", "typecheck", "type-check", "types", "typing", "pyright"], CheckKind::Types),
];

/// Words in a target that make it another thing: `test-deps`, `teardown-tests`, `build-test-image`.
const NO_CHECK: [&str; 26] = [
    "teardown",
    "clean",
    "setup",
    "install",
    "build",
    "up",
    "down",
    "start",
    "stop",
    "deps",
    "dependencies",
    "requirements",
    "data",
    "image",
    "images",
    "env",
    "venv",
    "prepare",
    "download",
    "publish",
    "report",
    "upload",
    "list",
    "push",
    "pull",
    "fixtures",
];

/// Says which check a call is.
pub fn read(call: &Call, out: &mut Out) {
    if call.module {
        read_module(call, out);
    }
    read_program(call.program, call.words, out);
}

/// `python -m build`, `python -m unittest`: names that are no programs, or other ones.
fn read_module(call: &Call, out: &mut Out) {
    let name = call.words[0].text.text.as_str();
    let kind = match name {
        "unittest" | "nose" | "nose2" | "xdoctest" | "doctest" | "twisted.trial" | "test" | "pytest_cov" => {
            CheckKind::Test
        }
        "mypy.stubtest" => CheckKind::Types,
        "build" | "sphinx" | "compileall" => CheckKind::Build,
        _ => return,
    };
    check(kind, name, out);
}

/// The same for a program whose name does not stand alone in a word (`hatch run test:pytest`).
pub fn read_program(program: &str, words: &[Word], out: &mut Out) {
    let args = words.get(1..).unwrap_or(&[]);
    let given = |name: &str| args.iter().any(|word| word.text.text == name);
    if given("--version") || given("--help") || args.len() == 1 && (given("-h") || given("-V") || given("version")) {
        return;
    }
    if let Some((name, kind)) = ALWAYS.iter().find(|(name, _)| *name == program) {
        if is_real(name, args) {
            check(*kind, name, out);
        }
        return;
    }
    let word = args.iter().map(|word| word.text.text.as_str()).find(|text| !text.starts_with(['-', '+'])).unwrap_or("");
    if let Some((name, _, kind)) = WITH_WORD.iter().find(|(name, words, _)| *name == program && words.contains(&word)) {
        check(*kind, &shown(name, word), out);
        return;
    }
    if WITH_FLAG
        .iter()
        .any(|(name, flags)| *name == program && args.iter().any(|arg| flags.contains(&arg.text.text.as_str())))
    {
        check(CheckKind::Lint, program, out);
        return;
    }
    by_arguments(program, word, args, out);
}

fn shown(name: &str, word: &str) -> String {
    match (name, word) {
        ("ruff" | "pre-commit" | "pre_commit" | "prek" | "coverage", _) => name.replace('_', "-"),
        (name, word) => format!("{name} {word}"),
    }
}

/// `pytest --collect-only` runs nothing; `tox -l` lists.
fn is_real(name: &str, args: &[Word]) -> bool {
    let lists: &[&str] = match name {
        "tox" => {
            &["-l", "-a", "--listenvs", "--listenvs-all", "list", "l", "config", "c", "--notest", "-n", "devenv", "d"]
        }
        "nox" => &["-l", "--list", "--list-sessions", "--install-only"],
        "ruff" => &["--fix-only"],
        "maturin" => &["develop", "upload", "publish", "sdist"],
        _ => &[],
    };
    !args.iter().any(|word| lists.contains(&word.text.text.as_str()))
}

fn by_arguments(program: &str, word: &str, args: &[Word], out: &mut Out) {
    let given = |name: &str| args.iter().any(|arg| arg.text.text == name);
    match program {
        "ruff" if word == "format" && (given("--check") || given("--diff")) => check(CheckKind::Lint, "ruff", out),
        // Before `ruff check` there was `ruff .`.
        "ruff" if word.starts_with('.') || word == "src" => check(CheckKind::Lint, "ruff", out),
        "hatch" if word == "fmt" && given("--check") => check(CheckKind::Lint, "hatch fmt", out),
        "cargo" if word == "fmt" && given("--check") => check(CheckKind::Lint, "cargo fmt", out),
        "make" | "gmake" | "just" | "invoke" | "inv" | "task" | "rake" | "ninja" => targets(program, args, out),
        "npm" | "yarn" | "pnpm" | "bun" if word == "run" || word == "run-script" => targets(program, &args[1..], out),
        "manage.py" if word == "test" => check(CheckKind::Test, "manage.py test", out),
        "setup.py" => setup(word, out),
        name if super::prefix::is_python(name) => python_file(args, out),
        _ => {}
    }
}

/// `python setup.py test`, `python manage.py test`.
pub fn python_file(args: &[Word], out: &mut Out) {
    let mut plain = args.iter().map(|word| word.text.text.as_str()).skip_while(|text| text.starts_with('-'));
    let file = plain.next().unwrap_or("");
    let next = plain.find(|text| !text.starts_with('-')).unwrap_or("");
    match file.rsplit('/').next().unwrap_or("") {
        "setup.py" => setup(next, out),
        "manage.py" if next == "test" => check(CheckKind::Test, "manage.py test", out),
        "runtests.py" | "run_tests.py" => check(CheckKind::Test, file.rsplit('/').next().unwrap_or(""), out),
        _ => {}
    }
}

fn setup(command: &str, out: &mut Out) {
    match command {
        "test" | "pytest" => check(CheckKind::Test, "setup.py test", out),
        "build" | "sdist" | "bdist_wheel" | "build_ext" | "build_sphinx" => check(CheckKind::Build, "setup.py", out),
        _ => {}
    }
}

fn targets(program: &str, args: &[Word], out: &mut Out) {
    let names =
        args.iter().map(|word| word.text.text.as_str()).filter(|text| !text.starts_with('-') && !text.contains('='));
    for name in names {
        let is = |known: &&str| name == *known || name.split(['-', '_', ':', '/']).any(|part| part == *known);
        if name.split(['-', '_', ':', '/', '.']).any(|part| NO_CHECK.contains(&part)) {
            continue;
        }
        if name == "ci" {
            check(CheckKind::Test, &format!("{program} {name}"), out);
        } else if let Some((_, kind)) = TARGETS.iter().find(|(list, _)| list.iter().any(is)) {
            check(*kind, &format!("{program} {name}"), out);
        }
    }
}

fn check(kind: CheckKind, tool: &str, out: &mut Out) {
    let deed = Deed::Check { kind, tool: tool.to_string() };
    if !out.deeds.contains(&deed) {
        out.deed(deed);
    }
}

/// `pre-commit autoupdate` moves revisions; `pre-commit run` runs hooks.
pub fn read_pre_commit<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(
        call.args(),
        &[Spec { long: &["--config", "--color", "--repo", "--jobs"], short: "cj", leading: true, ..Spec::default() }],
    );
    match args.text(0) {
        "autoupdate" | "auto-update" => out.upgrade("pre-commit hooks"),
        "run" => {
            let tail = &args.tail(0, call.args())[1..];
            let long = &[
                "--config",
                "--color",
                "--hook-stage",
                "--from-ref",
                "--to-ref",
                "--source",
                "--origin",
                "--files",
                "--stage",
            ];
            let run = Args::read(tail, &[Spec { long, short: "cso", ..Spec::default() }]);
            out.entry("pre-commit", super::texts(run.rest(0)));
        }
        _ => {}
    }
    None
}

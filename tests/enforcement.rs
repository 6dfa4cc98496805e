//! Installs beside a committed lock: which commands are bound by it, in CI and in image builds. Each row that is found has a twin that is not.

use pinguard::check;
use pinguard::model::policy::Policy;
use pinguard::model::project::Project;
use pinguard::model::rule::Level::{self, Info, Warning};
use pinguard::model::source::Sources;

type Files = Vec<(String, String)>;

/// A sound project of a tool: its manifest and a lock that describes it.
fn sound(tool: &str) -> Files {
    let text = include_str!("../fixtures/locks/tampered.json");
    let table: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    let cases = table["cases"].as_array().expect("the fixture lists cases");
    let case =
        cases.iter().find(|case| case["tool"] == tool && case["rule"].is_null()).expect("the tool has a sound case");
    let files = case["files"].as_object().expect("files").iter();
    files.map(|(path, text)| (path.clone(), text.as_str().expect("a text").to_string())).collect()
}

fn project(files: &Files) -> Project {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(path.as_str(), text.as_str());
    }
    check::read(sources, Vec::new(), Policy::default())
}

/// The level of the rule's finding, when there is one.
fn found(files: &Files, rule: &str) -> Option<Level> {
    let findings = check::findings(&project(files));
    let mut levels: Vec<Level> = findings.iter().filter(|f| f.rule.id == rule).map(|f| f.levels.default).collect();
    levels.sort();
    levels.pop()
}

fn workflow(env: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("          {}\n", line.trim())).collect();
    let head = "on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n";
    format!("{head}{env}    steps:\n      - uses: actions/checkout@v5\n      - run: |\n{lines}")
}

const RULE: &str = "req-lock-not-enforced";

/// Tool, commands of the job, what is said of them.
const COMMANDS: &[(&str, &str, Option<Level>)] = &[
    ("uv", "uv sync", Some(Info)),
    ("uv", "uv sync --all-extras --group test", Some(Info)),
    ("uv", "uv run pytest", Some(Info)),
    ("uv", "uv run --with rich==13.9.4 pytest", Some(Info)),
    ("uv", "uv sync --locked", None),
    ("uv", "uv sync --frozen", None),
    ("uv", "uv run --locked pytest", None),
    ("uv", "uv run --frozen pytest", None),
    ("uv", "UV_LOCKED=1 uv sync", None),
    ("uv", "export UV_FROZEN=1\nuv sync\nuv run pytest", None),
    ("uv", "uv lock --check\nuv sync\nuv run pytest", None),
    ("uv", "uv sync --locked\nuv run pytest", None),
    ("uv", "uv sync --frozen\nuv run pytest", Some(Info)),
    ("uv", "uv run --no-project python x.py", None),
    ("uv", "uv run --no-sync pytest", None),
    ("uv", "uv run --script tool.py", None),
    ("uv", "uv tool run ruff@0.14.0 check", None),
    ("uv", "uvx ruff@0.14.0 check", None),
    ("uv", "uv lock\nuv sync --frozen", Some(Info)),
    ("uv", "uv lock\ngit diff --exit-code uv.lock\nuv sync --frozen", None),
    ("uv", "uv sync --locked\nuv add rich", Some(Info)),
    ("uv", "uv pip install .", Some(Warning)),
    ("uv", "uv pip install -r pyproject.toml", Some(Warning)),
    ("uv", "pip install -e .", Some(Warning)),
    ("uv", "pip install --no-deps .", None),
    ("uv", "uv export --locked -o c.txt\npip install -c c.txt .", None),
    ("uv", "uv export --frozen -o r.txt\npip install -r r.txt\npip install -e .", None),
    ("poetry", "poetry install", None),
    ("poetry", "poetry sync --no-root", None),
    ("poetry", "poetry lock\npoetry install", Some(Info)),
    ("poetry", "poetry check --lock\npoetry install", None),
    ("poetry", "poetry add rich", Some(Info)),
    ("poetry", "pip install .", Some(Warning)),
    ("poetry-1", "poetry lock --no-update\npoetry install", Some(Info)),
    ("poetry-1", "poetry lock --check\npoetry install", None),
    ("pdm", "pdm install", Some(Info)),
    ("pdm", "pdm install --check", None),
    ("pdm", "pdm install --frozen-lockfile", None),
    ("pdm", "pdm sync", None),
    ("pdm", "pdm lock --check\npdm install", None),
    ("pdm", "PDM_FROZEN_LOCKFILE=1 pdm install", None),
    ("pdm", "pdm lock --refresh\npdm sync", Some(Info)),
    ("pdm", "uv lock --check\npdm install", Some(Info)),
    ("pdm", "pip install .", Some(Warning)),
    ("pipenv", "pipenv install --dev", Some(Info)),
    ("pipenv", "pipenv install --dev --deploy", None),
    ("pipenv", "pipenv install --ignore-pipfile", None),
    ("pipenv", "pipenv sync --dev", None),
    ("pipenv", "pipenv verify\npipenv install --dev", None),
    ("pipenv", "pipenv lock\npipenv sync", Some(Info)),
    ("pipenv", "pipenv install --skip-lock", Some(Warning)),
    (
        "compiled",
        "pip-compile --generate-hashes --output-file=requirements.txt requirements.in\npip install -r requirements.txt",
        Some(Info),
    ),
    ("compiled", "pip-compile requirements.in\npip-sync", None),
    ("compiled", "pip-compile requirements.in\npip-sync requirements.txt", Some(Info)),
    ("compiled", "uv pip compile requirements.in -o requirements.txt\nuv pip sync requirements.txt", Some(Info)),
    ("compiled", "uv pip compile requirements.in > requirements.txt\nuv pip sync requirements.txt", Some(Info)),
    ("compiled", "pip-compile requirements.in\ngit diff --exit-code\npip install -r requirements.txt", None),
    ("compiled", "pip install -r requirements.txt", None),
    ("compiled", "pip-sync requirements.txt", None),
    ("conda-lock", "conda env create -f environment.yml", Some(Warning)),
    ("conda-lock", "mamba env update --file environment.yml", Some(Warning)),
    ("conda-lock", "conda-lock install --name demo conda-lock.yml", None),
    ("conda-lock", "micromamba create -n demo -f conda-lock.yml", None),
    ("pixi", "pixi install", Some(Info)),
    ("pixi", "pixi run pytest", Some(Info)),
    ("pixi", "pixi install --locked", None),
    ("pixi", "pixi install --locked\npixi run pytest", None),
    ("pixi", "pixi run --frozen pytest", None),
    ("pixi", "PIXI_LOCKED=true pixi install", None),
    ("pixi", "pixi lock --check\npixi run pytest", None),
];

#[test]
fn commands_of_jobs_are_bound_by_the_lock_or_said_not_to_be() {
    let mut wrong = Vec::new();
    for (tool, lines, expected) in COMMANDS {
        let mut files = sound(tool);
        files.push((".github/workflows/ci.yml".to_string(), workflow("", lines)));
        let found = found(&files, RULE);
        if found != *expected {
            wrong.push(format!("{tool}: {lines:?}: wants {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn variables_around_a_job_bind_its_commands() {
    for (tool, command, variable) in [
        ("uv", "uv sync", "UV_LOCKED"),
        ("uv", "uv run pytest", "UV_FROZEN"),
        ("uv", "uv run pytest", "UV_NO_SYNC"),
        ("pdm", "pdm install", "PDM_FROZEN_LOCKFILE"),
        ("pipenv", "pipenv install", "PIPENV_DEPLOY"),
        ("pixi", "pixi run pytest", "PIXI_LOCKED"),
        ("pixi", "pixi run pytest", "PIXI_FROZEN"),
    ] {
        for (value, expected) in [("1", None), ("0", Some(Info))] {
            let mut files = sound(tool);
            let env = format!("    env:\n      {variable}: \"{value}\"\n");
            files.push((".github/workflows/ci.yml".to_string(), workflow(&env, command)));
            assert_eq!(found(&files, RULE), expected, "{variable}={value} {command}");
        }
    }
}

#[test]
fn a_stale_lock_that_nothing_enforces_is_a_warning() {
    for (tool, manifest, command) in [
        ("uv", "pyproject.toml", "uv sync"),
        ("pdm", "pyproject.toml", "pdm install"),
        ("pipenv", "Pipfile", "pipenv install"),
        ("pixi", "pixi.toml", "pixi install"),
        ("compiled", "requirements.in", "pip-compile requirements.in\npip install -r requirements.txt"),
    ] {
        let mut files = sound(tool);
        for (path, text) in &mut files {
            if path == manifest {
                *text = text
                    .replace("idna = \">=3\"", "idna = \">=4\"")
                    .replace("idna>=3", "idna>=4")
                    .replace("1.3.*", "1.4.*");
            }
        }
        files.push((".github/workflows/ci.yml".to_string(), workflow("", command)));
        assert_eq!(found(&files, RULE), Some(Warning), "{tool}");
    }
}

/// Tool, Dockerfile behind `FROM`, `.dockerignore`, what is said.
const IMAGES: &[(&str, &str, &str, Option<Level>)] = &[
    // The lock is there and enforced, or not.
    ("uv", "COPY pyproject.toml uv.lock ./\nRUN uv sync --locked", "", None),
    ("uv", "COPY pyproject.toml uv.lock ./\nRUN uv sync", "", Some(Info)),
    ("uv", "ENV UV_LOCKED=1\nCOPY pyproject.toml uv.lock ./\nRUN uv sync", "", None),
    ("uv", "COPY . .\nRUN uv lock --check\nRUN uv sync", "", None),
    ("uv", "COPY pyproject.toml uv.lock ./\nRUN pip install .", "", Some(Warning)),
    // It is not copied.
    ("uv", "COPY pyproject.toml ./\nRUN uv sync", "", Some(Warning)),
    ("uv", "COPY pyproject.toml uv.lock* ./\nRUN uv sync --frozen", "", None),
    ("poetry", "COPY pyproject.toml .\nRUN poetry install --no-root\nCOPY . .", "", Some(Warning)),
    ("poetry", "COPY pyproject.toml poetry.lock ./\nRUN poetry install --no-root\nCOPY . .", "", None),
    ("poetry", "COPY pyproject.toml poetry.loc[k] ./\nRUN poetry install --no-root", "", None),
    ("poetry", "COPY --from=build /app /app\nCOPY pyproject.toml .\nRUN poetry install", "", None),
    (
        "poetry",
        "COPY --from=tools /usr/bin/poetry /usr/bin/poetry\nCOPY pyproject.toml .\nRUN poetry install",
        "",
        Some(Warning),
    ),
    ("pdm", "COPY pyproject.toml README.md /app/\nRUN pdm install --prod", "", Some(Warning)),
    ("pdm", "COPY pyproject.toml pdm.lock README.md /app/\nRUN pdm install --check --prod", "", None),
    ("pipenv", "COPY Pipfile ./\nRUN pipenv install --system", "", Some(Warning)),
    ("pipenv", "COPY Pipfile* ./\nRUN pipenv install --system --deploy", "", None),
    ("pixi", "COPY pixi.toml .\nRUN pixi install", "", Some(Warning)),
    ("pixi", "COPY pixi.toml pixi.lock ./\nRUN pixi install --locked", "", None),
    // Mounts bring it too.
    (
        "uv",
        "RUN --mount=type=bind,source=uv.lock,target=uv.lock --mount=type=bind,source=pyproject.toml,target=pyproject.toml uv sync --frozen",
        "",
        None,
    ),
    (
        "poetry",
        "COPY pyproject.toml .\nRUN --mount=type=bind,source=poetry.lock,target=poetry.lock poetry install",
        "",
        None,
    ),
    // Everything is copied and .dockerignore leaves the lock out.
    ("poetry", "COPY . .\nRUN poetry install", "*.lock\n", Some(Warning)),
    ("poetry", "COPY . .\nRUN poetry install", "*.lock\n!poetry.lock\n", None),
    ("poetry", "COPY . .\nRUN poetry install", "*\n!pyproject.toml\n!src\n", Some(Warning)),
    ("poetry", "COPY . .\nRUN poetry install", "*\n!pyproject.toml\n!poetry.lock\n", None),
    ("poetry", "COPY . .\nRUN poetry install", "", None),
    ("uv", "COPY . .\nRUN uv sync", "**/uv.lock", Some(Warning)),
];

#[test]
fn an_image_build_gets_the_lock_or_is_said_not_to() {
    let mut wrong = Vec::new();
    for (tool, body, ignored, expected) in IMAGES {
        let mut files = sound(tool);
        files.push(("Dockerfile".to_string(), format!("FROM python:3.12.7\nWORKDIR /app\n{body}\n")));
        files.push((".dockerignore".to_string(), ignored.to_string()));
        let found = found(&files, RULE);
        if found != *expected {
            wrong.push(format!("{tool}: {body:?} {ignored:?}: wants {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Commands that install the project, where nothing holds what it needs.
#[test]
fn a_project_that_the_gate_installs_without_any_lock_is_said() {
    for (tool, command) in [
        ("uv", "uv sync"),
        ("uv", "pip install ."),
        ("uv", "pip install -e '.[test]'"),
        ("poetry", "poetry install"),
        ("pdm", "pdm install"),
        ("pipenv", "pipenv install"),
        ("pixi", "pixi install"),
        ("uv", "hatch run test"),
    ] {
        let mut files = sound(tool);
        files.push((".github/workflows/ci.yml".to_string(), workflow("", command)));
        assert_eq!(found(&files, "req-lock-missing"), None, "{tool} {command}");
        files.retain(|(path, _)| !path.ends_with("lock"));
        assert!(found(&files, "req-lock-missing").is_some(), "{tool} {command} without a lock");
        assert_eq!(found(&files, RULE), None, "{tool} {command} without a lock");
    }
}

/// The file of all that a project needs is its lock where pip installs it.
#[test]
fn a_compiled_file_of_the_whole_project_is_its_lock() {
    let manifest = "[project]\nname = \"demo\"\nversion = \"1\"\ndependencies = [\"idna>=3\"]\n";
    let head = "# This file was autogenerated by uv via the following command:\n#    uv pip compile pyproject.toml -o requirements.txt\n";
    for (lines, expected) in [
        ("pip install .", Some(Warning)),
        ("pip install -r requirements.txt\npip install .", None),
        ("pip install . -c requirements.txt", None),
    ] {
        let mut files = vec![("pyproject.toml".to_string(), manifest.to_string())];
        files.push(("requirements.txt".to_string(), format!("{head}idna==3.10\n    # via demo (pyproject.toml)\n")));
        files.push((".github/workflows/ci.yml".to_string(), workflow("", lines)));
        assert_eq!(found(&files, RULE), expected, "{lines}");
    }
}

/// Components create environments from a file too.
#[test]
fn an_environment_file_of_a_component_is_an_install() {
    for (component, file, expected) in [
        ("mamba-org/setup-micromamba", "environment.yml", Some(Warning)),
        ("conda-incubator/setup-miniconda", "./environment.yml", Some(Warning)),
        ("mamba-org/setup-micromamba", "conda-lock.yml", None),
        ("mamba-org/setup-micromamba", "${{ env.FILE }}", None),
    ] {
        let mut files = sound("conda-lock");
        let step = format!("      - uses: {component}@v2\n        with:\n          environment-file: {file}\n");
        files.push((".github/workflows/ci.yml".to_string(), workflow("", "pytest") + &step));
        assert_eq!(found(&files, RULE), expected, "{component} {file}");
    }
}

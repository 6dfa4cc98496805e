//! What a project declares elsewhere is read before a lock is blamed: ages of releases, hosts of indexes.

use pinguard::check;
use pinguard::model::finding::Finding;
use pinguard::model::policy::Policy;
use pinguard::model::source::Sources;

const MANIFEST: &str =
    "[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \">=3.12\"\ndependencies = [\"idna>=3\"]\n";

/// A lock of one release, made on 15 September 2024.
fn lock(options: &str, host: &str) -> String {
    format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n\n{options}[[package]]\nname = \"demo\"\nversion = \"1\"\nsource = {{ virtual = \".\" }}\n\
         dependencies = [{{ name = \"idna\" }}]\n\n[package.metadata]\nrequires-dist = [{{ name = \"idna\", specifier = \">=3\" }}]\n\n[[package]]\n\
         name = \"idna\"\nversion = \"3.10\"\nsource = {{ registry = \"https://{host}/simple\" }}\nwheels = [{{ url = \"https://{host}/idna-3.10-py3-none-any.whl\", \
         hash = \"sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3\", upload-time = \"2024-09-15T18:07:37Z\" }}]\n"
    )
}

fn found(files: &[(&str, &str)], rule: &str, today: i64) -> Vec<Finding> {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(*path, *text);
    }
    let mut project = check::read(sources, Vec::new(), Policy::default());
    project.today = Some(today);
    check::findings(&project).into_iter().filter(|finding| finding.rule.id == rule).collect()
}

/// 18 September 2024: three days after the release.
const TODAY: i64 = 19_984;

#[test]
fn the_age_that_the_project_asks_for_counts_before_our_own() {
    let plain = lock("", "pypi.org");
    let day = |settings: &[(&str, &str)], today: i64| {
        let mut files = vec![("pyproject.toml", MANIFEST), ("uv.lock", plain.as_str())];
        for (path, text) in settings {
            match *path {
                "pyproject.toml" => files[0].1 = text,
                _ => files.push((path, text)),
            }
        }
        found(&files, "lock-too-fresh", today).first().map(|finding| finding.message.clone())
    };
    let with_uv = |text: &str| format!("{MANIFEST}\n[tool.uv]\n{text}\n");
    let week = with_uv("exclude-newer = \"7 days\"");
    let excepted = with_uv("exclude-newer = \"7 days\"\nexclude-newer-package = { idna = false }");
    let before = with_uv("exclude-newer = \"2024-09-01\"");
    let after = with_uv("exclude-newer = \"2024-09-16T00:00:00Z\"");
    let dependabot = "version: 2\nupdates:\n- package-ecosystem: uv\n  directory: /\n  cooldown: {default-days: 10}\n";
    let let_through = "version: 2\nupdates:\n- package-ecosystem: uv\n  directory: /\n  cooldown: {default-days: 10, exclude: [\"idn*\"]}\n";
    let renovate = "{\"packageRules\": [{\"matchManagers\": [\"pep621\"], \"minimumReleaseAge\": \"2 weeks\"}]}";
    for (settings, today, said) in [
        (vec![], TODAY - 1, Some("no cooldown is configured")),
        (vec![], TODAY, None),
        (vec![("pyproject.toml", week.as_str())], TODAY + 2, Some("`exclude-newer` of `pyproject.toml`")),
        (vec![("pyproject.toml", week.as_str())], TODAY + 5, None),
        (vec![("pyproject.toml", excepted.as_str())], TODAY, None),
        (vec![("uv.toml", "exclude-newer = \"P7D\"\n")], TODAY + 2, Some("`exclude-newer` of `uv.toml`")),
        // A date does not move with the calendar.
        (vec![("pyproject.toml", before.as_str())], TODAY + 900, Some("after `exclude-newer`")),
        (vec![("pyproject.toml", after.as_str())], TODAY - 2, None),
        (vec![(".github/dependabot.yml", dependabot)], TODAY + 5, Some("the cooldown of dependabot")),
        (vec![(".github/dependabot.yml", dependabot)], TODAY + 9, None),
        (vec![(".github/dependabot.yml", let_through)], TODAY, None),
        (vec![("renovate.json", renovate)], TODAY + 9, Some("the cooldown of renovate")),
        // uv's own setting goes before the updater's.
        (vec![("pyproject.toml", after.as_str()), ("renovate.json", renovate)], TODAY + 9, None),
    ] {
        let message = day(&settings, today);
        let fits = match (said, &message) {
            (Some(said), Some(message)) => message.contains(said),
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "{settings:?} on {today}: wants {said:?}, found {message:?}");
    }
}

#[test]
fn what_the_lock_was_made_under_counts_first() {
    for (options, count) in [
        ("[options]\nexclude-newer = \"0001-01-01T00:00:00Z\"\nexclude-newer-span = \"P2D\"\n\n", 0),
        ("[options]\nexclude-newer = \"0001-01-01T00:00:00Z\"\nexclude-newer-span = \"P7D\"\n\n", 1),
        ("[options]\nexclude-newer = \"2024-09-01T00:00:00Z\"\n\n", 1),
        ("[options]\nexclude-newer = \"2024-09-20T00:00:00Z\"\nexclude-newer-span = \"P7D\"\n\n", 0),
        (
            "[options]\nexclude-newer = \"2024-09-01T00:00:00Z\"\n\n[options.exclude-newer-package]\nidna = \"2024-10-01T00:00:00Z\"\n\n",
            0,
        ),
    ] {
        let text = lock(options, "pypi.org");
        let files = [("pyproject.toml", MANIFEST), ("uv.lock", text.as_str())];
        assert_eq!(found(&files, "lock-too-fresh", TODAY).len(), count, "{options}");
    }
}

/// Every place where a project can name its index; and the twin that names another one.
#[test]
fn hosts_that_the_project_names_anywhere_are_declared() {
    let workflow = |lines: &str| {
        format!("on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n{lines}")
    };
    let places: Vec<(&str, String)> = vec![
        ("pip.conf", "[global]\nindex-url = https://HOST/simple\n".into()),
        ("deploy/pip.conf", "[global]\nextra-index-url =\n    https://pypi.org/simple\n    https://HOST/simple\n".into()),
        ("pip.ini", "[install]\nfind-links = https://HOST/wheels\n".into()),
        ("uv.toml", "index-url = \"https://HOST/simple\"\n".into()),
        ("uv.toml", "[[index]]\nname = \"ours\"\nurl = \"https://HOST/simple\"\n".into()),
        ("poetry.toml", "[repositories.ours]\nurl = \"https://HOST/simple\"\n".into()),
        ("pdm.toml", "[pypi]\nurl = \"https://HOST/simple\"\n".into()),
        (".pdm.toml", "[pypi]\nurl = \"https://HOST/simple\"\n".into()),
        ("Dockerfile", "FROM python:3.12.7\nENV PIP_INDEX_URL=https://HOST/simple\n".into()),
        ("Dockerfile", "ARG UV_INDEX_URL=https://HOST/simple\nFROM python:3.12.7\n".into()),
        ("Dockerfile", "FROM python:3.12.7\nRUN pip config set global.index-url https://HOST/simple\n".into()),
        ("Dockerfile", "FROM python:3.12.7\nRUN UV_DEFAULT_INDEX=https://HOST/simple uv sync --locked\n".into()),
        ("requirements.in", "--index-url https://HOST/simple\nidna\n".into()),
        ("other.txt", "# This file is autogenerated by pip-compile with Python 3.12\n# by the following command:\n#\n#    pip-compile --index-url=https://HOST/simple other.in\n#\nidna==3.10\n".into()),
        ("compose.yaml", "services:\n  app:\n    build:\n      context: .\n      args:\n        PIP_EXTRA_INDEX_URL: https://HOST/simple\n".into()),
        (".env", "PIPENV_PYPI_MIRROR=https://HOST/simple\n".into()),
        ("tox.ini", "[testenv]\nset_env =\n    PIP_INDEX_URL = https://HOST/simple\n".into()),
        (".github/workflows/ci.yml", workflow("    env:\n      UV_INDEX_URL: https://HOST/simple\n    steps:\n      - run: uv sync --locked\n")),
        (".github/workflows/ci.yml", workflow("    steps:\n      - env:\n          PIP_INDEX_URL: https://u:${{ secrets.T }}@HOST/simple\n        run: pip install -r r.txt\n")),
        (".github/workflows/ci.yml", workflow("    steps:\n      - run: |\n          export PIP_INDEX_URL=https://HOST/simple\n          uv sync --locked\n")),
        (".github/workflows/ci.yml", workflow("    steps:\n      - run: poetry source add ours https://HOST/simple\n")),
        (".gitlab-ci.yml", "variables:\n  UV_DEFAULT_INDEX: https://HOST/simple\ntest:\n  script: [uv sync --locked]\n".into()),
    ];
    let text = lock("", "packages.acme.example");
    for (path, settings) in &places {
        for (host, count) in [("packages.acme.example", 0), ("other.example.net", 1)] {
            let settings = settings.replace("HOST", host);
            let files = [("pyproject.toml", MANIFEST), ("uv.lock", text.as_str()), (*path, settings.as_str())];
            assert_eq!(found(&files, "lock-host-undeclared", TODAY).len(), count, "{path}: {settings}");
        }
    }
}

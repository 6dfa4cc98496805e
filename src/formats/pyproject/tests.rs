use super::*;
use crate::model::pin::Strength;
use crate::model::reference::{Origin, Reference};

fn read_text(text: &str) -> Facts {
    let mut sources = Sources::default();
    let id = sources.add("pyproject.toml", text);
    let mut facts = Facts::of(id, "pyproject");
    read(sources.get(id), &sources, &mut facts);
    for reference in &facts.references {
        for slot in [reference.site.version, reference.site.digest].into_iter().flatten() {
            assert!(text.get(slot.at.span.range()).is_some());
        }
    }
    facts
}

fn named<'f>(facts: &'f Facts, name: &str) -> &'f Reference {
    facts.references.iter().find(|reference| reference.subject.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn standard_tables_give_roles_and_groups() {
    let facts = read_text(
        r#"
[project]
name = "My.Pkg"
requires-python = ">=3.9"
classifiers = ["Programming Language :: Python :: 3.12", "Programming Language :: Python :: 3"]
dependencies = ["requests>=2"]
[project.optional-dependencies]
Test = ["pytest==8.0.0"]
[dependency-groups]
dev = ["ruff", {include-group = "test"}]
[build-system]
requires = ["setuptools>=61"]
[tool.setuptools.dynamic]
dependencies = { file = ["requirements.txt"] }
"#,
    );
    let roles: Vec<(&str, Role)> = facts.references.iter().map(|r| (r.subject.name.as_str(), r.role)).collect();
    let expected =
        [("requests", Role::Runtime), ("pytest", Role::Extra), ("setuptools", Role::Build), ("ruff", Role::Dev)];
    assert_eq!(roles, expected);
    let manifest = &facts.manifests[0];
    assert_eq!(manifest.name.as_deref(), Some("my-pkg"));
    assert_eq!(manifest.python_versions[0].text, "3.12");
    assert_eq!(manifest.python_versions.len(), 1);
    assert_eq!(manifest.includes[0].path.text, "requirements.txt");
    assert_eq!(manifest.requires_python.as_ref().unwrap().text, ">=3.9");
}

#[test]
fn poetry_tables_are_read() {
    let facts = read_text(
        r#"
[tool.poetry.dependencies]
python = "^3.9"
a = "^1.2"
b = { git = "https://github.com/o/b.git", branch = "main" }
c = { git = "https://github.com/o/c.git", rev = "0123456789abcdef0123456789abcdef01234567" }
d = [{ version = "1.0", python = "<3.10" }, { version = "*" }]
e = { path = "../e", develop = true }
f = { version = "2.0.0", optional = true, extras = ["x"] }
[tool.poetry.group.test.dependencies]
pytest = ">=7"
[[tool.poetry.source]]
name = "internal"
url = "https://user:pass@example.org/simple"
priority = "explicit"
"#,
    );
    assert_eq!(facts.manifests[0].requires_python.as_ref().unwrap().text, "^3.9");
    assert_eq!(facts.references.len(), 8);
    assert!(matches!(named(&facts, "b").origin, Origin::Vcs(_)));
    assert!(named(&facts, "b").strength < Some(Strength::Exact));
    assert_eq!(named(&facts, "c").strength, Some(Strength::Immutable));
    assert_eq!(named(&facts, "e").origin, Origin::Path("../e".to_string()));
    assert_eq!((named(&facts, "f").role, named(&facts, "f").strength), (Role::Extra, Some(Strength::Exact)));
    assert_eq!(facts.manifests[0].indexes[0].url, "https://example.org/simple");
    assert!(facts.manifests[0].indexes[0].explicit);
}

#[test]
fn uv_sources_say_where_a_requirement_comes_from() {
    let facts = read_text(
        r#"
[project]
dependencies = ["a", "b>=1", "c"]
[tool.uv.sources]
a = { git = "https://github.com/o/a", branch = "dev" }
b = { workspace = true }
c = { index = "pytorch" }
[[tool.uv.index]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
"#,
    );
    assert!(matches!(named(&facts, "a").origin, Origin::Vcs(_)));
    assert!(matches!(named(&facts, "b").origin, Origin::Path(_)));
    assert_eq!(named(&facts, "c").origin, Origin::Registry);
    assert_eq!(facts.manifests[0].indexes.iter().map(|i| (i.extra, i.explicit)).collect::<Vec<_>>(), [(false, true)]);
}

#[test]
fn environments_of_hatch_tox_and_pixi_are_read() {
    let facts = read_text(
        r#"
[tool.hatch.envs.default]
dependencies = ["pytest"]
[tool.hatch.envs.default.scripts]
test = "pytest"
[tool.hatch.envs.docs.scripts]
build = "mkdocs build"
[tool.tox.env_run_base]
deps = ["-r requirements.txt", "coverage==7.0"]
[tool.pytest.ini_options]
addopts = "-q"
[tool.pixi.dependencies]
numpy = "1.26.*"
[tool.pixi.feature.test.pypi-dependencies]
pytest = "==8.0.0"
"#,
    );
    let manifest = &facts.manifests[0];
    assert_eq!(manifest.entry_points, ["test", "docs:build", "env_run_base"]);
    assert_eq!(manifest.settings[0].0, "pytest.addopts");
    assert_eq!(manifest.includes.len(), 1);
    assert_eq!(facts.manifests[1].kind, ManifestKind::Pixi);
    assert_eq!(facts.manifests[1].entries.len(), 2);
}

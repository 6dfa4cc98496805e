#!/usr/bin/env bash
# Prints how long the verdict on a lock takes beside the tools that own it, as ratios.
#
# Makes a project whose uv.lock has at least 10,000 lines (uv asks PyPI once; its cache is warm afterwards), and the same packages as a
# poetry, a pdm and a pipenv project, with the hash that each tool writes. Each tool has to call its lock fresh, and so has pinguard.
# Then hyperfine compares `pinguard check` of the whole project, every rule included, with
#   uv lock --check, poetry check --lock, pdm lock --check, pipenv verify.
#
# Needs on the PATH: hyperfine (Debian), python3, and uv, poetry, pdm, pipenv (PyPI; see tests/tools.in). Goals: under 50 ms; at most 0.05 of
# poetry, pdm and pipenv; at most 1 of uv.
#
# usage: [PINGUARD=path/to/pinguard] benches/locks.sh [FOLDER]     FOLDER keeps the projects for the next run
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${PINGUARD:-}" ] || cargo build --release --locked --quiet
pinguard=${PINGUARD:-$PWD/target/release/pinguard}
if [ $# -gt 0 ]; then work=$1; mkdir -p "$work"; else work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
work=$(cd "$work" && pwd)
export PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_VENV_IN_PROJECT=0 PDM_CHECK_UPDATE=0 POETRY_VIRTUALENVS_CREATE=false

if [ ! -e "$work/uv/uv.lock" ]; then
  mkdir -p "$work"/{uv,poetry,pdm,pipenv}
  cat > "$work/uv/pyproject.toml" <<'T'
[project]
name = "demo"
version = "1"
requires-python = ">=3.10"
dependencies = [
    "aiohttp", "black", "boto3", "celery[redis]", "cryptography", "django", "fastapi", "flask", "grpcio", "httpx", "ipython", "jupyterlab",
    "kafka-python", "lxml", "matplotlib", "mypy", "numpy", "orjson", "pandas", "pillow", "polars", "psycopg[binary]", "pyarrow", "pydantic",
    "pylint", "pymongo", "pytest", "pyzmq", "rich", "ruff", "scikit-learn", "scipy", "scrapy", "sphinx", "sqlalchemy",
    "streamlit", "twisted", "uvicorn[standard]", "wandb", "zstandard", "kubernetes", "opencv-python", "numba", "dask",
    "h5py", "contourpy", "regex", "greenlet", "websockets", "rpds-py", "cython", "coverage",
]
T
  (cd "$work/uv" && uv lock --quiet)
fi
for tool in poetry pdm pipenv; do python3 - "$work" "$tool" <<'P'
import hashlib, json, pathlib, sys, tomllib

work, tool = pathlib.Path(sys.argv[1]), sys.argv[2]
manifest = (work / "uv/pyproject.toml").read_text()
project = tomllib.loads(manifest)["project"]
lock = tomllib.loads((work / "uv/uv.lock").read_text())
packages = [package for package in lock["package"] if "registry" in package["source"]]
sha = lambda value, **spelling: hashlib.sha256(json.dumps(value, sort_keys=True, **spelling).encode()).hexdigest()


def files(package):
    all = package.get("wheels", []) + [package[key] for key in ("sdist",) if key in package]
    return [(file["url"].rsplit("/", 1)[1], file["hash"]) for file in all]


lines = []
if tool == "pipenv":
    names = sorted({package["name"] for package in packages})
    wanted = sorted({text.split("[")[0] for text in project["dependencies"]} & set(names))
    source = {"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": True}
    pipfile = '[[source]]\nurl = "https://pypi.org/simple"\nverify_ssl = true\nname = "pypi"\n\n[packages]\n'
    (work / "pipenv/Pipfile").write_text(pipfile + "".join(f'{name} = "*"\n' for name in wanted))
    meta = {"_meta": {"sources": [source], "requires": {}}, "default": {name: "*" for name in wanted}, "develop": {}}
    default = {}
    for package in packages:
        hashes = sorted(hash for _, hash in files(package))
        default[package["name"]] = {"hashes": hashes, "index": "pypi", "version": f"=={package['version']}"}
    meta = {"hash": {"sha256": sha(meta, separators=(",", ":"))}, "pipfile-spec": 6, "requires": {}, "sources": [source]}
    (work / "pipenv/Pipfile.lock").write_text(json.dumps({"_meta": meta, "default": default, "develop": {}}, indent=4) + "\n")
    sys.exit()

(work / tool / "pyproject.toml").write_text(manifest)
if tool == "pdm":
    content = {
        "sources": [], "dependencies": project["dependencies"], "dev-dependencies": {}, "optional-dependencies": {},
        "requires-python": project["requires-python"], "resolution": {},
    }
    lines += ["[metadata]", 'groups = ["default"]', 'strategy = ["inherit_metadata"]', 'lock_version = "4.5.1"']
    lines += [f'content_hash = "sha256:{sha(content)}"', "", "[[metadata.targets]]", f'requires_python = "{project["requires-python"]}"', ""]
for package in packages:
    needs = sorted({need["name"] for need in package.get("dependencies", [])})
    lines += ["[[package]]", f'name = "{package["name"]}"', f'version = "{package["version"]}"']
    if tool == "poetry":
        lines += ['description = ""', "optional = false", 'python-versions = ">=3.10"', 'groups = ["main"]']
    else:
        lines += ['requires_python = ">=3.10"', 'summary = ""', 'groups = ["default"]']
        lines += ["dependencies = ["] + [f'    "{need}",' for need in needs] + ["]"]
    lines += ["files = ["] + [f'    {{file = "{name}", hash = "{hash}"}},' for name, hash in files(package)] + ["]"]
    if tool == "poetry" and needs:
        lines += ["", "[package.dependencies]"] + [f'{need} = "*"' for need in needs]
    lines.append("")
if tool == "poetry":
    keys = ("requires-python", "dependencies")
    content = {"project": {key: project[key] for key in keys}, "tool": {"poetry": {}}}
    lines += ["[metadata]", 'lock-version = "2.1"', f'python-versions = "{project["requires-python"]}"', f'content-hash = "{sha(content)}"']
head = "# This file is automatically @generated by Poetry 2.5.1 and should not be changed by hand.\n\n" if tool == "poetry" else ""
(work / tool / f"{tool}.lock").write_text(head + "\n".join(lines) + "\n")
P
done

declare -A command=([uv]="uv lock --check --offline" [poetry]="poetry check --lock" [pdm]="pdm lock --check" [pipenv]="pipenv verify")
declare -A goal=([uv]=1 [poetry]=0.05 [pdm]=0.05 [pipenv]=0.05)
mean() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["results"][int(sys.argv[2])]["median"])' "$1" "$2"; }
for tool in uv poetry pdm pipenv; do
  cd "$work/$tool"
  [ -d .git ] || git init -q
  lock=$(ls ./*.lock)
  ${command[$tool]} >/dev/null 2>&1 || { echo "$tool: ${command[$tool]} does not call its lock fresh"; exit 1; }
  verdict=$("$pinguard" check --exit-zero --isolated --format json . | python3 -c 'import json, sys; print(json.load(sys.stdin)["locks"][0]["verdict"])')
  [ "$verdict" = fresh ] || { echo "$tool: pinguard says $verdict"; exit 1; }
  hyperfine -N --warmup 3 --runs "${RUNS:-15}" --export-json "$work/$tool.json" "$pinguard check --exit-zero --isolated --format json ." "${command[$tool]}" >/dev/null 2>&1
  python3 - "$tool" "$(wc -l < "$lock")" "$(mean "$work/$tool.json" 0)" "$(mean "$work/$tool.json" 1)" "${goal[$tool]}" "${command[$tool]}" <<'P'
import sys
tool, lines, ours, theirs, goal, command = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6]), sys.argv[6]
print(f"{tool} lock of {lines} lines, pinguard check : {command} (goal <= {goal:g}): {ours * 1000:.1f} ms : {theirs * 1000:.1f} ms = {ours / theirs:.3f}")
P
done

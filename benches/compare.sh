#!/usr/bin/env bash
# Prints how long `pinguard check` takes beside its peers, as ratios. Needs hyperfine and ripgrep (Debian) and zizmor (PyPI) on the PATH.
#
# usage: benches/compare.sh [FOLDER_OF_REPOSITORIES]
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${PINGUARD:-}" ] || cargo build --release --locked --quiet
pinguard=${PINGUARD:-$PWD/target/release/pinguard}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mean() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["results"][int(sys.argv[2])]["mean"])' "$1" "$2"; }
ratio() { python3 -c 'import sys; a, b = map(float, sys.argv[1:]); print(f"{a * 1000:.1f} ms : {b * 1000:.1f} ms = {a / b:.3f}")' "$1" "$2"; }

# 300 workflows, made from the one of the demo.
mkdir -p "$work/many/.github/workflows" && git -C "$work/many" init -q
for n in $(seq 300); do cp fixtures/shop/.github/workflows/ci.yml "$work/many/.github/workflows/ci$n.yml"; done
hyperfine -N -i --warmup 2 --export-json "$work/many.json" \
  "$pinguard check --exit-zero --format json $work/many" "zizmor --offline --no-progress --no-exit-codes --format json $work/many" >/dev/null 2>&1
echo "300 workflows, pinguard : zizmor offline (goal < 0.2): $(ratio "$(mean "$work/many.json" 0)" "$(mean "$work/many.json" 1)")"

# 50,000 files that no format wants.
mkdir -p "$work/tree" && git -C "$work/tree" init -q
python3 - "$work/tree" <<'P'
import pathlib, sys
root = pathlib.Path(sys.argv[1])
for folder in range(500):
    path = root / f"pkg{folder % 25}" / f"mod{folder}"
    path.mkdir(parents=True)
    for n in range(100):
        (path / f"file{n}.{['py', 'rs', 'md', 'json', 'html'][n % 5]}").write_text("x = 1\n")
P
hyperfine -N -i --warmup 2 --export-json "$work/tree.json" "$pinguard check --exit-zero $work/tree" "rg --files --hidden $work/tree" >/dev/null 2>&1
echo "50,000 irrelevant files, pinguard : rg --files (goal < 2): $(ratio "$(mean "$work/tree.json" 0)" "$(mean "$work/tree.json" 1)")"

# One file.
mkdir -p "$work/one" && git -C "$work/one" init -q && cp fixtures/shop/Dockerfile "$work/one/"
hyperfine -N -i --warmup 3 --export-json "$work/one.json" "$pinguard check --exit-zero $work/one/Dockerfile" >/dev/null 2>&1
echo "one file (goal < 10 ms): $(python3 -c 'import sys; print(f"{float(sys.argv[1]) * 1000:.1f} ms")' "$(mean "$work/one.json" 0)")"

if [ $# -gt 0 ]; then
  hyperfine -N -i --warmup 2 --export-json "$work/all.json" "$pinguard check --exit-zero --format json $1" >/dev/null 2>&1
  echo "$1 (goal < 300 ms): $(python3 -c 'import sys; print(f"{float(sys.argv[1]) * 1000:.1f} ms")' "$(mean "$work/all.json" 0)"), peak $(
    /usr/bin/env python3 -c 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "MiB")' "$pinguard" check --exit-zero --format json "$1")"
fi

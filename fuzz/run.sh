#!/usr/bin/env bash
# Fuzzes every target for a while; needs `cargo install cargo-fuzz`. usage: fuzz/run.sh [SECONDS_PER_TARGET]
#
# libFuzzer's instrumentation is a nightly flag; RUSTC_BOOTSTRAP lets the stable toolchain take it, for fuzzing only.
set -euo pipefail
cd "$(dirname "$0")/.."
for target in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$target" .rs)
  mkdir -p "fuzz/corpus/$name"
  RUSTC_BOOTSTRAP=1 cargo fuzz run "$name" -- -max_total_time="${1:-30}" -timeout=5 -rss_limit_mb=2048 -max_len=4096 -verbosity=0
done

#!/usr/bin/env bash
# Resolves every input of resolve.txt with `pinguard lock` and with `uv pip compile`, and compares pins, bytes and times.
#
#   benches/resolve.sh PINGUARD [one|universal] [NAME..]
#
# Needs uv (UV=/path/to/uv), GNU date and a network. CUTOFF is the date that both see the index at; PYTHON the one of mode `one`.
# A row: input, pins (same, differ, or how each failed), bytes without the header, seconds of both with a warm cache.
# INTERPRETER=/path/to/python3 spares uv the search for one, which takes longer than the rest. COLD=1 gives each run an empty cache. KEEP=FOLDER keeps both outputs.
set -u
pinguard=$(realpath "${1:?usage: resolve.sh PINGUARD [one|universal] [NAME..]}"); shift
mode=${1:-one}; shift || true
here=$(dirname "$(realpath "$0")")
uv=${UV:-uv}; cutoff=${CUTOFF:-2026-06-01}; python=${PYTHON:-3.12}
work=${KEEP:-$(mktemp -d)}; mkdir -p "$work"; cd "$work" || exit 2
[ -d .git ] || mkdir .git
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$work/cache} UV_CACHE_DIR=${UV_CACHE_DIR:-$work/uv-cache}

pins() { grep -v '^[ #-]' "$1" | grep '==' | sed 's/ *\\$//; s/ *;.*//; s/  #.*//' | sort -u; }
body() { grep -v '^#' "$1"; }
seconds() { # runs a command, leaves its seconds in $took
    if [ "${COLD:-}" ]; then rm -rf "$XDG_CACHE_HOME" "$UV_CACHE_DIR"; fi
    local start; start=$(date +%s%N); "$@"; local code=$?
    took=$(awk -v n=$(( $(date +%s%N) - start )) 'BEGIN { printf "%.2f", n / 1e9 }'); return $code
}
all=0 same=0 bytes=0 sum_ours=0 sum_uv=0
printf '%-20s %-28s %-10s %8s %8s\n' input pins bytes pinguard uv
while IFS= read -r line; do
    case $line in ''|'#'*) continue ;; esac
    name=${line%% *}; rest=${line#* }; oldest=${rest%% *}; rest=${rest#* }
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    awk -v text="$rest" 'BEGIN { n = split(text, part, /  +/); for (i = 1; i <= n; i++) if (part[i] != "" && part[i] !~ /^-c /) print part[i] }' > "$name.in"
    awk -v text="$rest" 'BEGIN { n = split(text, part, /  +/); for (i = 1; i <= n; i++) if (part[i] ~ /^-c /) print substr(part[i], 4) }' > "$name.limits"
    if [ -s "$name.limits" ]; then printf -- '-c %s.limits\n' "$name" >> "$name.in"; fi
    if [ "$mode" = universal ]; then
        ours=(--universal --python "$oldest") theirs=(--universal --python-version "$oldest")
    else
        ours=(--python "$python" --platform linux) theirs=(--python-version "$python" --python-platform linux)
    fi
    theirs+=(${INTERPRETER:+--python "$INTERPRETER"})
    common=(--exclude-newer "$cutoff" --no-build --generate-hashes)
    if [ ! "${COLD:-}" ]; then # once for the cache
        "$uv" pip compile -q "$name.in" "${common[@]}" "${theirs[@]}" > /dev/null 2>&1
        "$pinguard" lock "$name.in" "${common[@]}" "${ours[@]}" > /dev/null 2>&1
    fi
    seconds "$uv" pip compile -q "$name.in" "${common[@]}" "${theirs[@]}" > "$name.$mode.uv.txt" 2> "$name.$mode.uv.err"; uv_code=$? uv_took=$took
    seconds "$pinguard" lock "$name.in" "${common[@]}" "${ours[@]}" > "$name.$mode.ours.txt" 2> "$name.$mode.ours.err"; our_code=$? our_took=$took
    all=$((all + 1)); told=differ; equal=-
    if [ $uv_code -ne 0 ] || [ $our_code -ne 0 ]; then
        told="uv exit $uv_code, pinguard $our_code"
        if [ $uv_code -ne 0 ] && [ $our_code -ne 0 ]; then told="both fail"; same=$((same + 1)); bytes=$((bytes + 1)); fi
    else
        if [ "$(pins "$name.$mode.uv.txt")" = "$(pins "$name.$mode.ours.txt")" ]; then told=same; same=$((same + 1)); fi
        if [ "$(body "$name.$mode.uv.txt")" = "$(body "$name.$mode.ours.txt")" ]; then equal=same; bytes=$((bytes + 1)); else equal=differ; fi
    fi
    sum_ours=$(awk "BEGIN { print $sum_ours + $our_took }"); sum_uv=$(awk "BEGIN { print $sum_uv + $uv_took }")
    printf '%-20s %-28s %-10s %8s %8s\n' "$name" "$told" "$equal" "$our_took" "$uv_took"
done < "$here/resolve.txt"
printf '%s inputs: %s with the same pins, %s with the same bytes; %s s against %s s\n' "$all" "$same" "$bytes" "$sum_ours" "$sum_uv"
[ "$same" -eq "$all" ]

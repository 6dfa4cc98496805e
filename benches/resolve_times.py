#!/usr/bin/env python3
"""How long `pinguard lock` and `uv pip compile` take for the inputs of resolve.txt, and how much memory.

    benches/resolve_times.py PINGUARD [--cold | --offline] [--universal] [--rounds N] [NAME..]

Both see the index as of CUTOFF, with hashes and without building anything. --cold gives every run an empty cache; without it each input is
resolved once beforehand. --offline then lets both use their caches only, so that no answer of the network is measured: an index that
sends no `Cache-Control` makes uv confirm everything again. In every second round pinguard goes first. A row: input, then median seconds, median seconds of processor time
and peak MiB of pinguard and of uv. Needs uv (UV=/path/to/uv), an interpreter that uv need not search for (INTERPRETER=/path/to/python3)
and a network.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CUTOFF = os.environ.get("CUTOFF", "2026-06-01")


def inputs(wanted):
    """Every input of resolve.txt: its name, its oldest Python, its lines."""
    for line in (HERE / "resolve.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, oldest, rest = line.split(" ", 2)
        if not wanted or name in wanted:
            yield name, oldest, [part.strip() for part in rest.split("  ") if part.strip()]


def write(folder, name, lines):
    """The input as a requirements file, its constraints beside it."""
    limits = [line[3:] for line in lines if line.startswith("-c ")]
    own = [line for line in lines if not line.startswith("-c ")]
    if limits:
        (folder / f"{name}.limits").write_text("\n".join(limits) + "\n")
        own.append(f"-c {name}.limits")
    (folder / f"{name}.in").write_text("\n".join(own) + "\n")


def run(command, folder, environment, out=subprocess.DEVNULL):
    """Seconds, seconds of processor time, peak MiB, exit code."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pinguard", type=Path)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--universal", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_intermixed_args()
    folder = Path(tempfile.mkdtemp(prefix="resolve-"))
    (folder / ".git").mkdir()
    caches = folder / "cache", folder / "uv-cache"
    environment = dict(os.environ, XDG_CACHE_HOME=str(caches[0]), UV_CACHE_DIR=str(caches[1]))
    interpreter = os.environ.get("INTERPRETER")
    totals = [0.0] * 6
    print(f"{'input':<20} {'pinguard':>9} {'cpu':>7} {'MiB':>6} {'uv':>9} {'cpu':>7} {'MiB':>6}")
    for name, oldest, lines in inputs(asked.names):
        write(folder, name, lines)
        common = ["--exclude-newer", CUTOFF, "--no-build", "--generate-hashes"]
        ours = [str(asked.pinguard.resolve()), "lock", f"{name}.in", *common]
        theirs = [os.environ.get("UV", "uv"), "pip", "compile", "-q", f"{name}.in", *common]
        if asked.universal:
            ours += ["--universal", "--python", oldest]
            theirs += ["--universal", "--python-version", oldest]
        else:
            ours += ["--python", "3.12", "--platform", "linux"]
            theirs += ["--python-version", "3.12", "--python-platform", "linux"]
        if interpreter:
            theirs += ["--python", interpreter]
        both = [("pinguard", ours), ("uv", theirs)]
        if not asked.cold:
            for _, command in both:
                run(command, folder, environment)
                if asked.offline:
                    command.append("--offline")
        seen = {"pinguard": [], "uv": []}
        for round_ in range(asked.rounds):
            for who, command in both if round_ % 2 == 0 else reversed(both):
                if asked.cold:
                    for cache in caches:
                        shutil.rmtree(cache, ignore_errors=True)
                seen[who].append(run(command, folder, environment))
        row = []
        for who in ("pinguard", "uv"):
            wall, cpu, memory, _ = zip(*seen[who])
            row += [statistics.median(wall), statistics.median(cpu), max(memory)]
        for at, value in enumerate(row):
            totals[at] = max(totals[at], value) if at % 3 == 2 else totals[at] + value
        print("{:<20} {:>9.3f} {:>7.3f} {:>6.0f} {:>9.3f} {:>7.3f} {:>6.0f}".format(name, *row), flush=True)
    print("{:<20} {:>9.3f} {:>7.3f} {:>6.0f} {:>9.3f} {:>7.3f} {:>6.0f}".format("all", *totals))
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())

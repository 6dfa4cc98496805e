#!/usr/bin/env python3
"""How long `pinguard upgrade --dry-run` takes for the 200 references of lookup.txt, and Renovate's own look-up of the same repository.

    benches/lookup_times.py PINGUARD [--rounds N]

Every run has empty caches; in every second round pinguard goes first. Needs git, a network, and Renovate with its node:
RENOVATE=node_modules/renovate/dist/renovate.js (`npm install --ignore-scripts renovate`), NODE=/path/to/node. Without RENOVATE only pinguard
is measured. A row: who, then seconds, seconds of processor time and peak MiB of each run, and how many steps it found.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from resolve_times import HERE, run


def repository(folder):
    """A repository whose one file holds the references, with itself as its remote."""
    shop = folder / "shop"
    shop.mkdir()
    lines = (HERE / "lookup.txt").read_text().splitlines()
    (shop / "requirements.txt").write_text("\n".join(line for line in lines if not line.startswith("#")) + "\n")
    git = ["git", "-C", str(shop), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "work"]):
        subprocess.run(git + arguments, check=True)
    subprocess.run(git + ["remote", "add", "origin", shop.as_uri()], check=True)
    return shop


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pinguard", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lookup-"))
    shop = repository(folder)
    cache, said = folder / "cache", folder / "said"
    common = dict(os.environ, XDG_CACHE_HOME=str(cache), RENOVATE_BASE_DIR=str(cache / "renovate"))
    common |= {"LOG_FORMAT": "json", "LOG_LEVEL": "debug", "RENOVATE_ENABLED_MANAGERS": "pip_requirements"}
    sides = [("pinguard", [str(asked.pinguard.resolve()), "upgrade", "--dry-run", "--no-request", "--format", "json"])]
    if renovate := os.environ.get("RENOVATE"):
        node = [os.environ.get("NODE", "node"), str(Path(renovate).resolve())]
        sides.append(("renovate", [*node, "--platform=local", "--dry-run=lookup", "--require-config=ignored"]))
    print(f"{'who':<10} {'seconds':>9} {'cpu':>7} {'MiB':>6} {'steps':>6} exit")
    for round_ in range(asked.rounds):
        for who, command in sides if round_ % 2 == 0 else reversed(sides):
            shutil.rmtree(cache, ignore_errors=True)
            with said.open("w") as out:
                wall, cpu, memory, code = run(command, shop, common, out)
            print(f"{who:<10} {wall:>9.2f} {cpu:>7.2f} {memory:>6.0f} {steps(who, said):>6} {code}", flush=True)
    shutil.rmtree(folder)


def steps(who, said):
    """Updates that a run found."""
    if who == "pinguard":
        return sum(len(branch["steps"]) for branch in json.loads(said.read_text() or '{"branches": []}')["branches"])
    for line in said.read_text().splitlines():
        entry = json.loads(line)
        if entry.get("msg") == "packageFiles with updates":
            return sum(1 for file in entry["config"]["pip_requirements"] for one in file["deps"] if one.get("updates"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

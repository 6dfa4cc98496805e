#!/usr/bin/env python3
"""Counts what the rules find in a folder of repositories and compares it with what their manuals say.

Usage: recount.py FOLDER BINARY [--rules src/rules] [--write]

FOLDER holds one repository per entry (`OWNER__NAME`); BINARY is `pinguard`. For each rule the findings of profile `default` and of
profile `audit` are counted over the whole folder, with the number of repositories that have any. A manual (`//!` lines of
`src/rules/*.rs`) states them below `# Measured`:

    In 52 public repositories: 13 findings in 7 of them.
    In 52 public repositories, profile `audit`: 120 findings in 36 of them.
    In 52 public repositories: no finding.

Prints one line a rule and exits with 1 when a manual says something else; with `--write` it corrects the numbers in place.
Needs nothing but Python 3.9 or newer. Says nothing about whether a finding is right: that is in the ledgers beside this file.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

STATED = re.compile(
    r"In (?P<of>\d+) public repositories(?P<audit>, profile `audit`)?: (?:(?P<none>no finding)|(?P<count>\d+) findings? in (?P<in>\d+) of them)"
)


def findings(binary, repository, profile):
    """The rule ids of every finding of a repository, in order."""
    command = [binary, "check", str(repository), "--isolated", "--profile", profile, "--format", "json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if run.returncode not in (0, 1):
        sys.exit(f"{repository.name}: exit code {run.returncode}: {run.stderr.strip()[:500]}")
    return [finding["rule"] for finding in json.loads(run.stdout)["findings"]]


def count(binary, repositories, profile):
    """For each rule: how many findings, in how many repositories."""
    totals = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for rules in pool.map(lambda repository: findings(binary, repository, profile), repositories):
            for rule in set(rules):
                found, places = totals.get(rule, (0, 0))
                totals[rule] = (found + rules.count(rule), places + 1)
    return totals


def manual(text):
    """The `//!` lines of a rule's file as one text, and where each of its characters stands is not kept."""
    lines = [line[3:].strip() for line in text.splitlines() if line.startswith("//!")]
    return " ".join(lines)


def spelled(of, audit, totals):
    """The sentence for these numbers."""
    profile = ", profile `audit`" if audit else ""
    found, places = totals
    if found == 0:
        return f"In {of} public repositories{profile}: no finding"
    noun = "finding" if found == 1 else "findings"
    return f"In {of} public repositories{profile}: {found} {noun} in {places} of them"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("binary")
    parser.add_argument("--rules", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "src" / "rules")
    parser.add_argument("--write", action="store_true", help="correct the numbers in the manuals")
    arguments = parser.parse_args()
    repositories = sorted(entry for entry in arguments.folder.iterdir() if entry.is_dir())
    totals = {profile: count(arguments.binary, repositories, profile) for profile in ("default", "audit")}
    wrong = 0
    for file in sorted(arguments.rules.glob("*.rs")):
        text = file.read_text(encoding="utf-8")
        rule = file.stem.replace("_", "-")
        if f'id: "{rule}"' not in text:
            continue
        counted = {profile: totals[profile].get(rule, (0, 0)) for profile in totals}
        shown = ", ".join(f"{profile} {found} in {places}" for profile, (found, places) in counted.items())
        stated = [match for match in STATED.finditer(manual(text)) if int(match["of"]) == len(repositories)]
        if not stated:
            print(f"{rule}: {shown}; the manual states no number")
            continue
        for match in stated:
            want = spelled(len(repositories), match["audit"], counted["audit" if match["audit"] else "default"])
            said = match[0].replace(" 1 findings", " 1 finding")
            if said == want:
                print(f"{rule}: {shown}; as stated")
                continue
            wrong += 1
            print(f"{rule}: {shown}; the manual says: {match[0]}")
            if arguments.write and match[0] in text:
                text = text.replace(match[0], want)
                file.write_text(text, encoding="utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

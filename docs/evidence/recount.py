#!/usr/bin/env python3
"""Counts what the rules find in a folder of repositories and compares it with what their manuals say.

Usage: recount.py FOLDER BINARY [--rules src/rules] [--write]

FOLDER holds one repository per entry (`OWNER__NAME`); BINARY is `pinguard`. For each rule the findings of profile `default` and of
profile `audit` are counted over the whole folder, with the number of repositories that have any. A manual (`//!` lines of
`src/rules/*.rs`) states them below `# Measured`:

    In 52 public repositories: 13 findings in 7 of them.
    In 52 public repositories, profile `audit`: 120 findings in 36 of them.
    In 52 public repositories: no finding.
    13 findings in 7 of 52 public repositories, or: No finding in 52 public repositories.

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

STATED = [
    re.compile(
        r"In (?P<of>\d+) public repositories(?P<audit>, profile `audit`)?: "
        r"(?:no finding|(?P<count>\d+) findings? in (?P<places>\d+) of them)"
    ),
    re.compile(r"(?P<count>\d+) findings? in (?P<places>\d+) of (?P<of>\d+) public repositories(?P<audit>, profile `audit`)?"),
    re.compile(r"No finding in (?P<of>\d+) public repositories(?P<audit>, profile `audit`)?"),
]


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
    """The `//!` lines of a rule's file as one text."""
    lines = [line[3:].strip() for line in text.splitlines() if line.startswith("//!")]
    return " ".join(lines)


def stated(text, of):
    """Every statement over that many repositories: what it says, its profile, and the two numbers."""
    for pattern in STATED:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            if int(groups["of"]) == of:
                numbers = (int(groups.get("count") or 0), int(groups.get("places") or 0))
                yield match[0], "audit" if groups["audit"] else "default", numbers


def corrected(said, of, profile, numbers):
    """The same statement with these numbers."""
    where = f"{of} public repositories" + (", profile `audit`" if profile == "audit" else "")
    found, places = numbers
    noun = "finding" if found == 1 else "findings"
    if said.startswith("In "):
        return f"In {where}: " + (f"{found} {noun} in {places} of them" if found else "no finding")
    return f"{found} {noun} in {places} of {where}" if found else f"No finding in {where}"


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
        statements = list(stated(manual(text), len(repositories)))
        if not statements:
            print(f"{rule}: {shown}; the manual states no number")
        for said, profile, numbers in statements:
            if numbers == counted[profile]:
                print(f"{rule}: {shown}; as stated")
                continue
            wrong += 1
            print(f"{rule}: {shown}; the manual says: {said}")
            # A statement that is broken over two lines is left to a person.
            if arguments.write and said in text:
                text = text.replace(said, corrected(said, len(repositories), profile, counted[profile]))
                file.write_text(text, encoding="utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

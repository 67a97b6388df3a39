#!/usr/bin/env python3
"""Fails when docs/errors.md lacks a refusal code of JB_CODES or a jb_status, has one that does not exist, or gives another number.

    check_errors.py [ROOT]
"""
import pathlib
import re
import sys


def rows(document, name):
    """First two cells of each row of the table behind `<!-- table: name -->`."""
    part = document.split(f"<!-- table: {name} -->\n")
    if len(part) != 2:
        raise SystemExit(f"docs/errors.md: there is not exactly one table `{name}`")
    out = []
    for line in part[1].lstrip("\n").split("\n"):
        if not line.startswith("|"):
            break
        out.append(tuple(c.strip().strip("`") for c in line.strip("|").split("|")))
    return out[2:]


def compare(what, want, document_rows):
    have = {r[1]: r[0] for r in document_rows}
    bad = 0
    for word, number in want.items():
        if word not in have:
            print(f"docs/errors.md: {what} {word} ({number}) is missing")
            bad += 1
        elif have[word] != number:
            print(f"docs/errors.md: {what} {word} has number {have[word]}, the source says {number}")
            bad += 1
    for word in have.keys() - want.keys():
        print(f"docs/errors.md: there is no {what} {word}")
        bad += 1
    for r in document_rows:
        if any(cell == "" for cell in r):
            print(f"docs/errors.md: {what} {r[1]} has an empty cell")
            bad += 1
    return bad


def main(args):
    root = pathlib.Path(args[0]) if args else pathlib.Path(__file__).resolve().parents[2]
    document = (root / "docs/errors.md").read_text(encoding="utf-8")
    command_h = (root / "core/include/jangbu/command.h").read_text(encoding="utf-8")
    base_h = (root / "core/include/jangbu/base.h").read_text(encoding="utf-8")
    codes = re.search(r"#define JB_CODES\(X\)(.*?[^\\])\n", command_h, re.S).group(1)
    bad = compare("code", {w: n for n, w in re.findall(r"X\((\d+), (\w+)\)", codes)}, rows(document, "codes"))
    statuses = re.search(r"typedef enum jb_status \{(.*?)\} jb_status;", base_h, re.S).group(1)
    bad += compare("status", {w: n for w, n in re.findall(r"(JB_\w+)\s*=\s*(-?\d+)", statuses)}, rows(document, "statuses"))
    outcomes = re.search(r"typedef enum jb_outcome \{(.*?)\} jb_outcome;", command_h, re.S).group(1)
    bad += compare("outcome", {w: n for w, n in re.findall(r"(JB_\w+)\s*=\s*(\d+)", outcomes)}, rows(document, "outcomes"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Fails when docs/errors.md lacks a refusal code of JB_CODES, a jb_status or a code of the gateway, has one that does not exist, or gives
another number, or another HTTP status than tools/gateway/problem.c.

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


def column(document, name, title):
    """Word and cell of that column."""
    part = document.split(f"<!-- table: {name} -->\n")[1].lstrip("\n")
    head = [c.strip() for c in part.split("\n", 1)[0].strip("|").split("|")]
    at, word = head.index(title), head.index({"codes": "code", "statuses": "status", "gateway": "code"}[name])
    return {r[word]: r[at] for r in rows(document, name)}


def cases(source, function):
    """A switch over statuses: what each case returns, and those that break what stands behind it."""
    body = source[source.index(function):]
    body = body[:body.index("\n}\n")]
    last = re.findall(r"return (\d+);", body)[-1]
    found, waiting = {}, []
    for line in body.split("\n"):
        waiting += re.findall(r"case (\w+):", line)
        if "return" in line or "break;" in line:
            value = re.search(r"return (\d+);", line)
            found.update({w: value.group(1) if value else last for w in waiting})
            waiting = []
    return found


def compare_http(name, want, document):
    have = column(document, name, "http")
    bad = [w for w in want.keys() | have.keys() if want.get(w) != have.get(w)]
    for w in sorted(bad):
        print(f"docs/errors.md: {name}: {w} has http {have.get(w)}, tools/gateway/problem.c says {want.get(w)}")
    return len(bad)


def gateway(root, document, codes):
    source = (root / "tools/gateway/problem.c").read_text(encoding="utf-8")
    others = dict(re.findall(r"\{JB_CODE_(\w+), (\d+)\}", source))
    usual = re.search(r"http_status_of_code\(jb_code code\).*?\n    return (\d+);\n}", source, re.S).group(1)
    bad = compare_http("codes", {w: others.get(w, usual) for w in codes}, document)
    bad += compare_http("statuses", cases(source, "http_status_of_status(jb_status status)"), document)
    own = dict(re.findall(r'\[GATEWAY_\w+\]\s*=\s*\{"(\w+)",\s*(\d+),', source))
    return bad + compare_http("gateway", own, document)


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
    bad += gateway(root, document, [w for _, w in re.findall(r"X\((\d+), (\w+)\)", codes)])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

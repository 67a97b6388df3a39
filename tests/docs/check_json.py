#!/usr/bin/env python3
"""The tables of docs/json.md are those of the library: the query "queries" says them. The table of commands in docs/vocabulary.md has the
ops and members that the query "commands" says.

    check_json.py ROOT LIBRARY"""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests/json"))
from ledger import Ledger, Library  # noqa: E402


def table(document, name):
    part = document.split(f"<!-- table: {name} -->\n")
    if len(part) != 2:
        raise SystemExit(f"docs/json.md: there is not exactly one table `{name}`")
    rows = [line for line in part[1].lstrip("\n").split("\n\n")[0].split("\n")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def value(member):
    if member["kind"] == "number":
        return f"number, {member['min']} to {member['max']}"
    if member["kind"] == "word":
        return "word: " + ", ".join(f"`{word}`" for word in member["words"])
    return member["kind"]


ANY = {"key", "caller", "actor", "at", "clock", "note", "expect"}  # of all or of most: said below the table


def check_commands(said):
    document = (ROOT / "docs/vocabulary.md").read_text(encoding="utf-8")
    members = {m["name"] for m in said["members"]}
    rows = document.split("| op | required | optional |\n|---|---|---|\n")[1].split("\n\n")[0].split("\n")
    have = {}
    for row in rows:
        ops, *cells = [cell.strip() for cell in row.strip("|").split("|")]
        for op in re.findall(r"`([^`]+)`", ops):
            have[op] = set(re.findall(r"[a-z_]+", " ".join(cells))) & members
    want = {op["op"]: set(op["required"] + op["optional"]) - ANY for op in said["ops"]}
    bad = [f"docs/vocabulary.md: {op}: {sorted(have.get(op, ()))}, the library says {sorted(want.get(op, ()))}"
           for op in sorted(have.keys() | want.keys()) if have.get(op) != want.get(op)]
    for line in bad:
        print(line)
    return len(bad)


def main():
    document = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as work:
        ledger = Ledger(Library(sys.argv[2]), work + "/ledger", {"init": {}})
        said = ledger.ask("queries")
        commands = ledger.ask("commands")
        ledger.close()
    want = {"queries": [[f"`{q['ask']}`", ", ".join(q["required"]), ", ".join(q["optional"]), q["answer"]] for q in said["queries"]],
            "members": [[f"`{m['name']}`", value(m)] for m in said["members"]]}
    want.update({f"options {call}": [[f"`{m['name']}`", value(m)] for m in members] for call, members in said["options"].items()})
    bad = check_commands(commands)
    for name, rows in want.items():
        have = [row[:len(rows[0])] for row in table(document, name)]
        for row in [r for r in rows if r not in have] + [r for r in have if r not in rows]:
            print(f"docs/json.md: table {name}: {'missing or wrong' if row in rows else 'not so'}: {row}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

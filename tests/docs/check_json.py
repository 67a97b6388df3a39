#!/usr/bin/env python3
"""The tables of docs/json.md are those of the library: the query "queries" says them.

    check_json.py ROOT LIBRARY"""
import pathlib
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


def main():
    document = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as work:
        ledger = Ledger(Library(sys.argv[2]), work + "/ledger", {"init": {}})
        said = ledger.ask("queries")
        ledger.close()
    want = {"queries": [[f"`{q['ask']}`", ", ".join(q["required"]), ", ".join(q["optional"]), q["answer"]] for q in said["queries"]],
            "members": [[f"`{m['name']}`", value(m)] for m in said["members"]]}
    want.update({f"options {call}": [[f"`{m['name']}`", value(m)] for m in members] for call, members in said["options"].items()})
    bad = 0
    for name, rows in want.items():
        have = [row[:len(rows[0])] for row in table(document, name)]
        for row in [r for r in rows if r not in have] + [r for r in have if r not in rows]:
            print(f"docs/json.md: table {name}: {'missing or wrong' if row in rows else 'not so'}: {row}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

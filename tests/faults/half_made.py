#!/usr/bin/python3
"""A file whose making was cut short by a full disk: one page of the two that LMDB begins a file with, or part of it. Nothing was ever committed in it,
so it is made anew: the next command goes on, and the audit calls nothing damaged. A file that had commits and is cut is not taken for one.

usage: half_made.py JANGBU"""
import json
import os
import subprocess
import sys
import tempfile

import lmdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import commands, run  # noqa: E402

LENGTHS = (1, 100, 4095, 4096, 8191, 8192)  # the last: whole, and nothing in it


def first_pages(work):
    path = os.path.join(work, "fresh")
    lmdb.open(path, subdir=False).close()
    data = open(path, "rb").read()
    assert len(data) == 8192, len(data)
    return data


def main():
    jangbu, failed = os.path.abspath(sys.argv[1]), 0
    feed = "\n".join(commands(10)) + "\n"
    with tempfile.TemporaryDirectory() as work:
        fresh, number = first_pages(work), 0
        for name in ("people.mdb", "state.mdb", "views.mdb"):
            for n in LENGTHS:
                number += 1
                ledger = os.path.join(work, "l%d" % number)
                run(jangbu, "init", ledger)
                with open(os.path.join(ledger, name), "wb") as f:
                    f.write(fresh[:n])
                reads = run(jangbu, "log", ledger, "--json").returncode
                before = json.loads(run(jangbu, "audit", ledger, "--json").stdout)["verdict"]
                out = run(jangbu, "apply", ledger, "--clock=at", feed=feed)
                after = json.loads(run(jangbu, "audit", ledger, "--json").stdout)["verdict"]
                ok = before == "verified" and reads == 0 and out.returncode in (0, 1) and len(out.stdout.splitlines()) == 14 and after == "verified"
                failed += not ok
                if not ok:
                    print(f"{name} of {n} bytes: log {reads}, audit {before}, apply {out.returncode} {out.stderr}, audit {after}")
        ledger = os.path.join(work, "cut")
        run(jangbu, "init", ledger)
        for _ in range(2):
            run(jangbu, "apply", ledger, "--clock=at", feed=feed.replace('"k', '"again'))
            run(jangbu, "apply", ledger, "--clock=at", feed=feed)
        os.truncate(os.path.join(ledger, "people.mdb"), 4096)
        verdict = json.loads(run(jangbu, "audit", ledger, "--json").stdout)["verdict"]
        if verdict == "verified":
            print("a people.mdb that had texts and was cut is taken for a new one")
            failed += 1
    print(f"{number} files half made: {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

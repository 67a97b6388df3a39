#!/usr/bin/python3
"""A query on a ledger whose projections are far behind stores what it folds, so that the next one finds it; where it may not write it
answers all the same, and one that has little to fold writes nothing.

usage: backlog.py JANGBU"""
import json
import os
import subprocess
import sys
import tempfile

EVENTS = 210_000
FEW = 1_000


def main():
    jangbu = sys.argv[1]
    failed = []

    def run(*args, text=None):
        return subprocess.run([jangbu, *args], capture_output=True, text=True, input=text)

    def check(what, ok, *shown):
        if not ok:
            failed.append(what)
            print(f"{what}: not so", *shown)

    def rows(path):
        r = run("cash-status", path, "W", "--view", "known", "--json")
        return json.loads(r.stdout)["rows"] if r.returncode == 0 else r

    def stored(path):
        return json.loads(run("stat", path, "--json").stdout)["views_seq"]

    with tempfile.TemporaryDirectory() as d:
        for name, events in (("long", EVENTS), ("short", FEW)):
            path = os.path.join(d, name)
            run("init", path)
            lines = ['{"op":"wallet.create","wallet":"W","kind":"PERSONAL","name":"n"}', '{"op":"charge","wallet":"W","charge":"C","amount":1000000000}']
            lines += [f'{{"op":"consume","wallet":"W","usage":"U{i}","amount":1}}' for i in range(events)]
            check(f"{name}: applied", run("apply", path, text="\n".join(lines)).returncode == 0)
            before = rows(path)
            os.unlink(os.path.join(path, "views.mdb"))
            check(f"{name}: the same answer", len(before) == 1 and rows(path) == before, before)
            check(f"{name}: it was stored", os.path.exists(os.path.join(path, "views.mdb")) == (events == EVENTS))
            check(f"{name}: and again", rows(path) == before)
        path = os.path.join(d, "long")
        check("all of it", stored(path) > EVENTS, stored(path))
        os.unlink(os.path.join(path, "views.mdb"))
        os.mkdir(os.path.join(path, "views.mdb"))  # who may write everywhere cannot make this file
        blocked = rows(path)
        os.rmdir(os.path.join(path, "views.mdb"))
        check("nothing can be stored", blocked == rows(path), blocked)
    print("a backlog is stored by who meets it" if not failed else f"{len(failed)} of the checks failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

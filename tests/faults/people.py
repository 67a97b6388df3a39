#!/usr/bin/python3
"""people.mdb: a text that is not what was written is said to be damaged and never shown as another one; no figure changes; the audit names it. A file
of the first layout, which had no checks, gets them with the next text.

usage: people.py JANGBU"""
import json
import os
import random
import shutil
import sys
import tempfile

import lmdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import commands, figures, run  # noqa: E402


def name_of(jangbu, ledger, wallet):
    out = run(jangbu, "balance", ledger, wallet, "--json")
    assert out.returncode == 0, out
    found = json.loads(out.stdout)
    return found["name"], found.get("name_damaged", False)


def tables(path):
    env = lmdb.open(path, subdir=False, max_dbs=8)
    with env.begin() as txn:
        names = [k for k, _ in txn.cursor()]
    return env, names


def change(path, table, change_rows):
    env, _ = tables(path)
    db = env.open_db(table, create=False)
    with env.begin(write=True) as txn:
        change_rows(txn, db)
    env.close()


def audit(jangbu, ledger):
    out = run(jangbu, "audit", ledger, "--json")
    return json.loads(out.stdout)


def main():
    jangbu, chance = os.path.abspath(sys.argv[1]), random.Random(3)
    with tempfile.TemporaryDirectory() as work:
        ledger, copy = os.path.join(work, "l"), os.path.join(work, "copy")
        run(jangbu, "init", ledger)
        run(jangbu, "apply", ledger, "--clock=at", feed="\n".join(commands(20)) + "\n")
        before = figures(jangbu, ledger)
        assert audit(jangbu, ledger)["verdict"] == "verified"
        path = os.path.join(copy, "people.mdb")
        right = {"W%d" % i: "name of wallet %d" % i for i in range(4)}
        assert {w: name_of(jangbu, ledger, w)[0] for w in right} == right
        env, names = tables(os.path.join(ledger, "people.mdb"))
        assert names == [b"checks", b"index", b"meta", b"texts"], names
        with env.begin() as txn:
            rows = list(txn.cursor(db=env.open_db(b"texts", txn=txn, create=False)))
        env.close()
        ref = {v: k for k, v in rows}
        first, second = ref[b"name of wallet 0"], ref[b"name of wallet 1"]

        def damage(table, change_rows, *, shown=True):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(ledger, copy)
            change(path, table, change_rows)
            given = {w: name_of(jangbu, copy, w) for w in right}
            for wallet, (name, damaged) in given.items():
                assert name == right[wallet] or (name is None and damaged), (table, wallet, name, damaged)
            assert not shown or any(damaged for _, damaged in given.values()), (table, given)
            assert figures(jangbu, copy) == before
            report = audit(jangbu, copy)
            assert report["verdict"] == "refuted" and report["problems"][0]["check"] == "people", (table, report)

        def flip(key, bit, value):
            def change_rows(txn, db):
                data = bytearray(value)
                data[bit // 8] ^= 1 << bit % 8
                txn.put(key, bytes(data), db=db)
            return change_rows

        def swap(txn, db):
            a, b = txn.get(first, db=db), txn.get(second, db=db)
            txn.put(first, b, db=db)
            txn.put(second, a, db=db)
        for _ in range(12):
            damage(b"texts", flip(first, chance.randrange(8 * 16), b"name of wallet 0"))
        damage(b"texts", swap)
        damage(b"texts", lambda txn, db: txn.delete(first, db=db))
        damage(b"checks", lambda txn, db: txn.delete(first, db=db))
        damage(b"checks", swap)
        damage(b"meta", lambda txn, db: txn.put(b"meta", bytes(32), db=db), shown=False)
        out = run(jangbu, "balance", copy, "W0")
        assert out.returncode == 0 and "name of wallet 0" in out.stdout
        # The first layout.
        shutil.rmtree(copy)
        shutil.copytree(ledger, copy)
        env, _ = tables(path)
        for table in (b"checks", b"meta"):
            db = env.open_db(table, create=False)
            with env.begin(write=True) as txn:
                txn.drop(db)
        env.close()
        assert {w: name_of(jangbu, copy, w)[0] for w in right} == right
        report = audit(jangbu, copy)
        assert report["verdict"] == "verified" and any("has no checks" in s for s in report["not_checked"]), report
        out = run(jangbu, "wallet", "create", copy, "WX", "--kind", "PERSONAL", "--name", "new one")
        assert out.returncode == 0 and name_of(jangbu, copy, "WX")[0] == "new one", out
        report = audit(jangbu, copy)
        assert report["verdict"] == "verified" and not any("people" in s for s in report["not_checked"]), report
        # An older people.mdb: the log refers to a text that it has never had.
        older = os.path.join(work, "older")
        shutil.copy(path, older)
        last = json.loads(run(jangbu, "wallet", "rename", copy, "WX", "--name", "newer one", "--json").stdout)["seq"]
        shutil.copy(older, path)
        report = audit(jangbu, copy)
        assert report["verdict"] == "refuted", report
        assert [(p["check"], p["seq"]) for p in report["problems"]] == [("people", last)], report
        assert name_of(jangbu, copy, "WX")[0] is None
        assert json.loads(run(jangbu, "balance", copy, "W0", "--json").stdout)["name"] == "name of wallet 0"
    print("people.mdb: damage is said, and shown as nobody's name")
    return 0


if __name__ == "__main__":
    sys.exit(main())

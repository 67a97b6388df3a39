#!/usr/bin/python3
"""Files beside the log as a later version may write them: this one writes nothing over them, shows nothing that it does not understand, and the audit
could not tell. The same files with one bit changed are damaged, and not newer.

usage: newer.py JANGBU"""
import json
import os
import shutil
import sys
import tempfile

import lmdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import check, checks, commands, run  # noqa: E402

WRITES = (("wallet", "create", "LEDGER", "WX", "--kind", "BUSINESS", "--name", "plain text"), ("charge", "LEDGER", "W0", "CX", "5000", "--key", "kx", "--accept-clock"))


def contents(ledger):
    """What must not change: stores are made again, lock files are made."""
    return {name: open(os.path.join(ledger, name), "rb").read() for name in sorted(os.listdir(ledger)) if name in ("log.mdb", "people.mdb", "secret", "HEAD", "FAULT")}


def rows_of(path):
    env = lmdb.open(path, subdir=False, max_dbs=16, readonly=True)
    with env.begin() as txn:
        found = {name: list(txn.cursor(env.open_db(name, txn, create=False))) for name, _ in txn.cursor()}
    env.close()
    return found


def in_people(change):
    def make(ledger):
        env = lmdb.open(os.path.join(ledger, "people.mdb"), subdir=False, max_dbs=16, map_size=1 << 26)
        with env.begin(write=True) as txn:
            change(env, txn)
        env.close()
    return make


def sealed(env, txn):
    """Owners, sealed texts, a `meta` of its own and no `checks`."""
    for name in (b"checks", b"meta"):
        txn.drop(env.open_db(name, txn, create=False))
    txn.put(b"form", b"2", db=env.open_db(b"meta", txn))
    txn.put(b"P1", bytes(48), db=env.open_db(b"owners", txn))
    txn.put((1).to_bytes(8, "big"), b"\x99\x00\xff", db=env.open_db(b"texts", txn, create=False))


def other_tables(env, txn):
    for name in (b"texts", b"index", b"checks", b"meta"):
        txn.drop(env.open_db(name, txn, create=False))
    env.open_db(b"boxes", txn)


def meta_row(key, value):
    return lambda env, txn: txn.put(key, value, db=env.open_db(b"meta", txn, create=False))


def file_of(name, change):
    def make(ledger):
        path = os.path.join(ledger, name)
        data = b""
        if os.path.exists(path):
            with open(path, "rb") as f:
                data = f.read()
        with open(path, "wb") as f:
            f.write(change(data))
    return make


def main():
    jangbu = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        whole, ledger = os.path.join(work, "whole"), os.path.join(work, "l")
        run(jangbu, "init", whole)
        run(jangbu, "apply", whole, "--clock=at", feed="\n".join(commands(20)) + "\n")

        def copy(make):
            shutil.rmtree(ledger, ignore_errors=True)
            shutil.copytree(whole, ledger)
            make(ledger)

        def newer(title, make, *, reads, people=False):
            copy(make)
            before = contents(ledger)
            rows = rows_of(os.path.join(ledger, "people.mdb"))
            for words in WRITES:
                out = run(jangbu, *(ledger if w == "LEDGER" else w for w in words))
                check(f"{title}: {words[0]} says so", out.returncode == 3 and ("newer version" in out.stderr), (out.returncode, out.stdout, out.stderr))
            out = run(jangbu, "balance", ledger, "W0")
            check(f"{title}: reading", (out.returncode == 0) if reads else (out.returncode == 3 and "newer version" in out.stderr), (out.returncode, out.stdout, out.stderr))
            out = run(jangbu, "audit", ledger, "--json")
            check(f"{title}: the audit could not tell", out.returncode == 3 and json.loads(out.stdout)["verdict"] == "unknown", out.stdout[:300] + out.stderr)
            check(f"{title}: nothing was written", contents(ledger) == before and rows_of(os.path.join(ledger, "people.mdb")) == rows)

        def damaged(title, make):
            copy(make)
            out = run(jangbu, *(ledger if w == "LEDGER" else w for w in WRITES[1]))
            check(f"{title} is damage, and no reason to stop", out.returncode == 0, (out.returncode, out.stdout, out.stderr))

        def put(at, data):
            return lambda b: b[:at] + data + b[at + len(data):]

        newer("sealed texts", in_people(sealed), reads=False)
        newer("another table", in_people(lambda env, txn: env.open_db(b"owners", txn)), reads=False)
        newer("a table with a part of a name", in_people(lambda env, txn: env.open_db(b"ndex", txn)), reads=False)
        newer("none of the tables", in_people(other_tables), reads=False)
        newer("no checks, and a meta", in_people(lambda env, txn: txn.drop(env.open_db(b"checks", txn, create=False))), reads=False)
        newer("no meta, and checks", in_people(lambda env, txn: txn.drop(env.open_db(b"meta", txn, create=False))), reads=False)
        newer("another key in meta", in_people(meta_row(b"magic", b"form 2")), reads=False)
        newer("a longer row in meta", in_people(meta_row(b"meta", bytes(40))), reads=False)
        newer("HEAD of another form", file_of("HEAD", lambda b: b"jangbuH2" + os.urandom(88)), reads=True)
        newer("HEAD of another form and this length", file_of("HEAD", lambda b: b"jangbuH2" + os.urandom(56)), reads=True)
        newer("HEAD of another form, this one and more", file_of("HEAD", lambda b: b"jangbuH2" + b[8:] + bytes(32)), reads=True)
        newer("HEAD of another form, short", file_of("HEAD", lambda b: b"jangbuH2" + os.urandom(8)), reads=True)
        newer("a longer secret", file_of("secret", lambda b: b + os.urandom(32)), reads=True)
        for size in (8, 64, 128):
            # The audit does not read FAULT: it says nothing about the log.
            copy(file_of("FAULT", lambda b, size=size: (b"jangbuF2" + os.urandom(size))[:size]))
            before = contents(ledger)
            for words in WRITES:
                out = run(jangbu, *(ledger if w == "LEDGER" else w for w in words))
                check(f"FAULT of another form ({size})", out.returncode == 3 and "newer version" in out.stderr, (out.returncode, out.stderr))
            check(f"FAULT of another form: nothing was written ({size})", contents(ledger) == before)
        for bit in range(8):
            damaged(f"HEAD with bit {bit} of its form changed", file_of("HEAD", lambda b, bit=bit: put(7, bytes([b[7] ^ 1 << bit]))(b)))
        damaged("a short HEAD", file_of("HEAD", lambda b: b[:40]))
        damaged("HEAD in zeros", file_of("HEAD", lambda b: bytes(64)))
        damaged("a short secret", file_of("secret", lambda b: b[:100]))
        damaged("a secret of 192 bytes", file_of("secret", lambda b: b[:192]))
        # Stores of a later version are made again: nobody has them open.
        for name in ("state.mdb", "views.mdb"):
            def later(ledger, name=name):
                os.remove(os.path.join(ledger, name))
                shutil.rmtree(os.path.join(ledger, name + "-lock"), ignore_errors=True)
                env = lmdb.open(os.path.join(ledger, name), subdir=False, max_dbs=4)
                with env.begin(write=True) as txn:
                    txn.put(b"meta", (99).to_bytes(4, "big") + bytes(4) + os.urandom(300))
                env.close()
            damaged(f"a later {name}", later)
    print("{passed} passed, {failed} failed".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Bits of LMDB's two first pages of each file: how far a file goes, how large its map is, which transaction is the newest. No command runs without end,
none dies by a signal, and what is answered is right or an error with a sentence; a cache is made again.

usage: meta_pages.py JANGBU [SEED [BITS]]"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import commands, run  # noqa: E402

FEED = "\n".join(commands(80)) + "\n"
# Behind the page's header of 16 bytes: magic, version, address, mapsize, two databases of 48 bytes, last page, transaction.
FIELDS = {"mapsize": (16 + 16, 8), "root of free": (16 + 24 + 40, 8), "root of main": (16 + 24 + 88, 8), "last page": (16 + 24 + 96, 8), "transaction": (16 + 24 + 104, 8)}
SECONDS_MAX = 30


def balances(text):
    return [{k: v for k, v in json.loads(line).items() if k != "as_of"} for line in text.splitlines()]


def newest(data):
    """The meta page that LMDB uses."""
    txns = [struct.unpack_from("<Q", data, page * 4096 + FIELDS["transaction"][0])[0] for page in (0, 1)]
    return 0 if txns[0] > txns[1] else 1


def main():
    jangbu = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 20)
    wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    print("seed", seed)
    rng, failed, outcomes = random.Random(seed), 0, {}
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        run(jangbu, "init", ledger)
        run(jangbu, "apply", ledger, "--clock=at", feed=FEED)
        run(jangbu, "rebuild", ledger)
        right = balances(run(jangbu, "balance", ledger, "--all", "--json").stdout)
        cases = [(name, field, page, bit) for name in ("log.mdb", "people.mdb", "state.mdb", "views.mdb") for field in FIELDS for page in (0, 1) for bit in range(64)]
        always = [(name, "last page", None, bit) for name in ("log.mdb", "people.mdb", "state.mdb", "views.mdb") for bit in (52, 57, 63)]
        for name, field, page, bit in always + rng.sample(cases, wanted):
            copy = os.path.join(work, "copy")
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(ledger, copy)
            path = os.path.join(copy, name)
            data = bytearray(open(path, "rb").read())
            page = newest(data) if page is None else page
            data[page * 4096 + FIELDS[field][0] + bit // 8] ^= 1 << bit % 8
            open(path, "wb").write(data)
            for words in (["balance", copy, "--all", "--json"], ["audit", copy], ["consume", copy, "W0", "meta", "1", "--overdraft"], ["backup", copy, copy + "-of"]):
                what = f"{name}, meta page {page}, {field}, bit {bit}: {words[0]}"
                try:
                    out = subprocess.run([jangbu, *words], capture_output=True, text=True, timeout=SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    failed += 1
                    print(f"failed: {what} runs without end")
                    continue
                shutil.rmtree(copy + "-of", ignore_errors=True)
                outcomes[(name, words[0], out.returncode)] = outcomes.get((name, words[0], out.returncode), 0) + 1
                # LMDB ends a process that reads some damaged pages, but not for how far a file goes.
                dies = out.returncode < 0 and not field.startswith("root") and words[0] != "audit"
                if dies or (out.returncode > 0 and out.stderr + out.stdout == ""):
                    failed += 1
                    print(f"failed: {what}: {out.returncode}: {out.stderr}")
                wrong = words[0] == "balance" and out.returncode == 0 and field in ("last page", "mapsize") and balances(out.stdout) != right
                if wrong:
                    failed += 1
                    print(f"failed: {what}: a wrong figure")
    print({f"{k[0]} {k[1]} exits {k[2]}": v for k, v in sorted(outcomes.items(), key=str)})
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

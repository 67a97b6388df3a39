#!/usr/bin/python3
"""Every golden ledger opens, prints the events that it printed when it was made, and is sound; keys in it still answer.

usage: check.py JANGBU"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def main():
    jangbu = os.path.abspath(sys.argv[1])
    for folder in sorted(glob.glob(HERE + "/v*")):
        with tempfile.TemporaryDirectory() as work:
            ledger = os.path.join(work, "l")
            os.mkdir(ledger)
            for name in ("log.mdb", "secret"):
                shutil.copy(os.path.join(folder, name), ledger)

            def ask(*args, feed=None):
                out = subprocess.run([jangbu, args[0], ledger, *args[1:]], input=feed, capture_output=True, text=True)
                return out.returncode, [json.loads(line) for line in out.stdout.splitlines()]

            events = lines(os.path.join(folder, "events.jsonl"))
            code, now = ask("log", "--json")
            # Members may be added to what is printed, never taken away or changed.
            for old, new in zip(events, now):
                assert all(new.get(k) == v for k, v in old.items()), (old, new)
            assert code == 0 and len(now) == len(events)
            assert ask("balance", "--all", "--json", "--as-of", str(len(events)))[1] == lines(os.path.join(folder, "balances.jsonl"))
            code, report = ask("audit", "--json")
            assert code == 0, report
            rules = ask("stat", "--json")[1][0]["policies"]["rules"]
            assert rules == {"v1": 1, "v2": 2}[os.path.basename(folder)], rules
            own = os.path.join(folder, "commands.jsonl")
            feed = open(own if os.path.exists(own) else os.path.join(HERE, "../format/every-type.jsonl"), encoding="utf-8").read()
            _, again = ask("apply", "--clock=at", feed=feed)
            keyed = [r for r in again if "key" in r]
            assert keyed and all(r.get("duplicate") for r in keyed), keyed
            print(f"{os.path.basename(folder)}: {len(events)} events, {len(keyed)} keys answered as then")
    return 0


if __name__ == "__main__":
    sys.exit(main())

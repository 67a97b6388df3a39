#!/usr/bin/python3
"""The reader of tests/format/reader.py, which knows docs/format.md and nothing else, prints the events that `jangbu log --json` prints; mdb_stat and
mdb_dump open the log.

usage: check.py JANGBU"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../witness"))
EVERY_TYPE = ("every-type.jsonl", "every-type-who.jsonl")  # one behind the other


def run(args, **kw):
    return subprocess.run(args, capture_output=True, text=True, **kw)


def events(args):
    out = run(args)
    assert out.returncode == 0, out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


def main():
    jangbu = os.path.abspath(sys.argv[1])
    compared = 0
    with tempfile.TemporaryDirectory() as work:
        roles = ["--roles=enforce", "--operator", "op-7"]
        for name, offset, feed in (("month", ["+09:00", *roles], open(os.path.join(HERE, "../../tools/example/month.jsonl"), encoding="utf-8").read()),
                                   ("west", ["-03:30"], "".join(open(os.path.join(HERE, part), encoding="utf-8").read() for part in EVERY_TYPE))):
            ledger = os.path.join(work, name)
            run([jangbu, "init", ledger, "--offset", *offset], check=True)
            run([jangbu, "apply", ledger, "--clock=at"], input=feed)
            ours, theirs = events([jangbu, "log", ledger, "--json"]), events(["/usr/bin/python3", os.path.join(HERE, "reader.py"), ledger])
            for a, b in zip(ours, theirs):
                if a != b:
                    print(f"{name}: event {a['seq']} differs:\n  jangbu {a}\n  reader {b}")
                    return 1
            assert len(ours) == len(theirs), (len(ours), len(theirs))
            compared += len(ours)
            types = {e["type"] for e in ours}
            stat = run(["mdb_stat", "-n", ledger + "/log.mdb"])
            frames = json.loads(run([jangbu, "stat", ledger, "--json"]).stdout)["frames"]
            assert stat.returncode == 0 and f"Entries: {frames}" in stat.stdout, stat.stdout + stat.stderr
        # The golden ledgers: every version of every type that was ever written.
        for folder in sorted(glob.glob(os.path.join(HERE, "../golden/v*"))):
            ledger = os.path.join(work, os.path.basename(folder))
            os.mkdir(ledger)
            shutil.copy(os.path.join(folder, "log.mdb"), ledger)
            ours, theirs = events([jangbu, "log", ledger, "--json"]), events(["/usr/bin/python3", os.path.join(HERE, "reader.py"), ledger])
            assert ours == theirs, (folder, [(a, b) for a, b in zip(ours, theirs) if a != b][:1])
            compared += len(ours)
    with open(os.path.join(HERE, "../../docs/format.md"), encoding="utf-8") as f:
        table = f.read().split("<!-- table: events -->")[1].split("\n\n")[1]
    made_elsewhere = {"forgotten", "people_encrypted"}  # by what is done to people.mdb
    missing = {row.split("|")[2].strip() for row in table.split("\n")[2:]} - types - made_elsewhere
    if missing:
        print("no command makes", ", ".join(sorted(missing)))
        return 1
    print(f"{compared} events are the same, {len(types)} types")
    return 0


if __name__ == "__main__":
    sys.exit(main())

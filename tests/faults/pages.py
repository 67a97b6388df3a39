#!/usr/bin/python3
"""Pages of log.mdb and people.mdb zeroed, filled, swapped, or cut off: no command dies of a signal. It ends by itself, with a figure that is right or
with a sentence.

usage: pages.py JANGBU"""
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import commands, run  # noqa: E402

PAGE = 4096


def changes(data):
    pages = len(data) // PAGE
    for p in range(pages):
        for name, page in (("zeroed", bytes(PAGE)), ("filled", b"\xff" * PAGE), ("replaced", data[(p + 1) % pages * PAGE:][:PAGE])):
            yield f"page {p} {name}", data[:p * PAGE] + page + data[(p + 1) * PAGE:]
        yield f"cut to {p} pages", data[:p * PAGE]


def main():
    jangbu = os.path.abspath(sys.argv[1])
    tried = right = said = 0
    with tempfile.TemporaryDirectory() as work:
        ledger, copy = os.path.join(work, "l"), os.path.join(work, "copy")
        run(jangbu, "init", ledger)
        for i in range(0, 60, 12):
            run(jangbu, "apply", ledger, "--clock=at", feed="\n".join(commands(60)[i:i + 12]) + "\n")
        expected = json.loads(run(jangbu, "balance", ledger, "W0", "--json").stdout)["total"]
        for name in ("log.mdb", "people.mdb"):
            for what, data in changes(open(os.path.join(ledger, name), "rb").read()):
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(ledger, copy)
                open(os.path.join(copy, name), "wb").write(data)
                for words in (("balance", copy, "W0", "--json"), ("log", copy, "--json"), ("wallet", "create", copy, "WX", "--kind", "PERSONAL", "--name", "n"), ("audit", copy)):
                    out = run(jangbu, *words)
                    where = f"{name}, {what}, {words[0]}: exit {out.returncode}: {out.stderr}"
                    assert out.returncode in (0, 1, 2, 3), where
                    assert out.returncode == 0 or out.stdout or out.stderr, where
                    tried += 1
                    if words[0] == "balance" and out.returncode == 0:
                        assert json.loads(out.stdout)["total"] == expected, where
                        right += 1
                    said += "was ended inside" in out.stderr
    print(f"{tried} commands on damaged pages: {right} balances right, {said} told that they were ended inside")
    return 0


if __name__ == "__main__":
    sys.exit(main())

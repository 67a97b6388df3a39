#!/usr/bin/python3
"""The projections are rebuilt again and again while one process writes (among it word of tax invoices that were issued long before), another writes single
commands, and queries and audits are made: every answer is right,
nothing contradicts the log, and rebuild always says "identical".

usage: rebuild.py JANGBU"""
import json
import os
import subprocess
import sys
import tempfile

LINES = 800000
PAPERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "example", "papers.jsonl")


def run(jangbu, *args):
    return subprocess.run([jangbu, *args], capture_output=True, text=True)


def main():
    jangbu = os.path.abspath(sys.argv[1])
    rounds = 0
    with tempfile.TemporaryDirectory() as work:
        ledger, feed = os.path.join(work, "l"), os.path.join(work, "feed")
        run(jangbu, "init", ledger)
        with open(PAPERS) as f:  # a month of wallet B up to its tax invoice
            first = "".join(f.readlines()[:8])
        papers = subprocess.run([jangbu, "apply", ledger, "--clock=at"], input=first, capture_output=True, text=True)
        assert papers.returncode == 0, papers.stdout + papers.stderr
        of_b = json.loads(run(jangbu, "balance", ledger, "B", "--json").stdout)["total"]
        with open(feed, "w") as f:
            for w in range(200):
                f.write('{"op":"wallet.create","wallet":"W%d","kind":"BUSINESS","name":"w"}\n' % w)
                f.write('{"op":"charge","wallet":"W%d","charge":"C","amount":100000000}\n' % w)
            for i in range(LINES):
                f.write('{"op":"consume","wallet":"W%d","usage":"U%d","amount":%d}\n' % (i * 7919 % 200, i, 1 + i % 100))
                if i % 4096 == 0:
                    f.write('{"op":"invoice.mail","wallet":"B","invoice":1,"result":"%s"}\n' % ("SENT", "BOUNCED")[i // 4096 % 2])
        writer = subprocess.Popen([jangbu, "apply", ledger, feed, "--accept-clock"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        single = 0
        while writer.poll() is None or rounds < 5:
            out = run(jangbu, "rebuild", ledger)
            assert out.returncode == 0 and "DIFFERENT" not in out.stdout, out.stdout + out.stderr
            if run(jangbu, "balance", ledger, "W7").returncode == 0:
                out = run(jangbu, "consume", ledger, "W7", "S%d" % single, "1", "--key", "s%d" % single)
                assert out.returncode == 0 or "INSUFFICIENT" in out.stdout, out.stdout + out.stderr
                single += out.returncode == 0
                x = json.loads(run(jangbu, "explain", ledger, "W7", "--json").stdout)
                assert x["rest"] == 0, x
                report = json.loads(run(jangbu, "audit", ledger, "--json").stdout)
                assert report["verdict"] == "verified", report
            rounds += 1
        assert writer.returncode == 0, writer.stderr.read()
        report = json.loads(run(jangbu, "audit", ledger, "--json").stdout)
        assert report["verdict"] == "verified", report
        total = sum(json.loads(line)["total"] for line in run(jangbu, "balance", ledger, "--all", "--json").stdout.splitlines())
        expected = of_b + 200 * 100000000 - sum(1 + i % 100 for i in range(LINES)) - single
        assert total == expected, (total, expected)
        # A tail far longer than anything that is kept in memory or written behind: everything derived is gone.
        for name in ("state.mdb", "views.mdb"):
            os.remove(os.path.join(ledger, name))
            os.remove(os.path.join(ledger, name + "-lock"))
        again = sum(json.loads(line)["total"] for line in run(jangbu, "balance", ledger, "--all", "--json").stdout.splitlines())
        assert again == expected, (again, expected)
        assert run(jangbu, "consume", ledger, "W7", "T", "1", "--key", "s0").returncode == 1, "a key that was used for another command"
        assert run(jangbu, "audit", ledger).returncode == 0
    print(f"{rounds} rebuilds and {single} single commands beside {LINES} lines: all sums right")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""A ledger that grows is opened while it does, by a program to which each size of the log comes late: it is never called cut short or refuted.

usage: live.py JANGBU SHIM"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import preload, run  # noqa: E402


def main():
    jangbu, shim = sys.argv[1:3]
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "l")
        run(jangbu, "init", ledger)
        env = {**preload(shim, work), "JB_SHIM_STAT": "100000"}
        path = os.path.join(ledger, "log.mdb")
        writer = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        feeder = os.fork()
        if feeder == 0:
            i = 0
            try:
                while True:
                    writer.stdin.write(json.dumps({"op": "wallet.create", "wallet": f"W{i}" + "x" * 50, "kind": "BUSINESS", "name": "name", "note": "n" * 400}) + "\n")
                    i += 1
            except (BrokenPipeError, KeyboardInterrupt):
                os._exit(0)
        writer.stdin.close()
        try:
            before = os.stat(path).st_size
            for words in (("stat", "--json"), ("log", "--from", "9"), ("audit",)) * 3:
                out = run(jangbu, words[0], ledger, *words[1:], env=env)
                if out.returncode != 0:
                    failed += 1
                    print(f"failed: {words[0]} of a ledger in use: {out.returncode}: {(out.stdout[-300:] + out.stderr)[-600:]}")
            grown = os.stat(path).st_size - before
        finally:
            os.kill(feeder, 9)
            os.waitpid(feeder, 0)
            writer.wait()
        if grown < 1 << 20:
            failed += 1
            print(f"failed: the log grew by {grown} bytes only: the test shows nothing")
        print(f"the log grew by {grown} bytes meanwhile, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

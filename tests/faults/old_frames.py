#!/usr/bin/python3
"""Flips single bits of old frames of log.mdb and asks for what only they know: the answers to repeated keys, the parts of a consumption that comes back,
the returns before this one, the legs of a refund that fails. What comes is what came from the whole file, or an error that says where the damage is.

usage: old_frames.py JANGBU [STEP]     STEP: one bit in every so many bytes of frames; default 31"""
import json
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flips import frames_of  # noqa: E402
from support import commands, run  # noqa: E402


def more():
    """Commands that read old events by number."""
    at = "2026-10-20T00:00:00+09:00"

    def add(op, n, **members):
        return json.dumps({"op": op, **members, "at": at, "key": "new-%d" % n})
    lines = [add("consume.reverse", i, wallet="W%d" % (i % 4), usage="U%d" % i, amount=1) for i in range(4, 40, 5)]
    lines += [add("refund.fail", 100, wallet="W0", refund="R1")]
    return lines


def feed_of(lines):
    return "\n".join(lines) + "\n"


def main():
    jangbu = os.path.abspath(sys.argv[1])
    step = int(sys.argv[2]) if len(sys.argv) > 2 else 31
    chance = random.Random(7)
    same = told = 0
    with tempfile.TemporaryDirectory() as work:
        ledger, copy = os.path.join(work, "l"), os.path.join(work, "copy")
        run(jangbu, "init", ledger)
        old = commands(40)
        early = "2026-10-19T00:00:00+09:00"
        old += [json.dumps({"op": op, "wallet": "W0", "refund": "R1", "at": early, "key": op, **m}) for op, m in
                (("refund.request", {"amount": 1000}), ("refund.approve", {}))]
        for i in range(0, len(old), 3):  # a frame for every few commands
            out = run(jangbu, "apply", ledger, "--clock=at", feed=feed_of(old[i:i + 3]))
            assert out.returncode in (0, 1), out
        files = {name: open(os.path.join(ledger, name), "rb").read() for name in os.listdir(ledger)
                 if os.path.isfile(os.path.join(ledger, name))}
        feed = feed_of(old + more())
        shutil.copytree(ledger, copy)
        expected = run(jangbu, "apply", copy, "--clock=at", feed=feed).stdout.splitlines()
        assert len(expected) == len(old) + len(more()) and '"seq"' in expected[-1], expected[-1]
        whole = files["log.mdb"]
        for first, value in frames_of(os.path.join(ledger, "log.mdb")):
            copies = [at for at in range(len(whole)) if whole.startswith(value, at)]  # one of them is the page in use
            for offset in range(chance.randrange(step), len(value), step):
                for name, content in files.items():
                    open(os.path.join(copy, name), "wb").write(content)
                bit = chance.randrange(8)
                with open(os.path.join(copy, "log.mdb"), "r+b") as f:
                    for at in copies:
                        f.seek(at + offset)
                        f.write(bytes([value[offset] ^ 1 << bit]))
                out = run(jangbu, "apply", copy, "--clock=at", feed=feed)
                given = out.stdout.splitlines()
                where = f"frame {first}, byte {offset}, bit {bit}: exit {out.returncode}"
                if out.returncode == 3:
                    given = [line for line in given if '"status":"' not in line]
                    words = ("damaged", "chain of the log", "newer version")
                    assert any(w in out.stderr + out.stdout for w in words), (where, out.stdout[-300:], out.stderr)
                    told += 1
                else:
                    assert out.returncode in (0, 1) and len(given) == len(expected), (where, out.stderr)
                    same += 1
                wrong = [(g, e) for g, e in zip(given, expected) if g != e and '"outcome":0' not in g]
                assert not wrong, (where, wrong[0])
    print(f"{told} flips were told, {same} made no difference to any answer")
    assert told > same, "most of these frames are read"
    return 0


if __name__ == "__main__":
    sys.exit(main())

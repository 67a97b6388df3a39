#!/usr/bin/python3
"""Flips bytes of a small ledger's log.mdb, one at a time: every byte that belongs to a frame must be found by the audit, with the frame's number
(a quarter of them, another half of that quarter at each commit); elsewhere (LMDB's own pages, free space) the audit may say that all is well only if it is. It never crashes and never hangs.

usage: flips.py JANGBU [STEP]     STEP: only every so many bytes of what is no frame; default 41"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from turn import turn  # noqa: E402


def frames_of(path):
    """First number and bytes of every frame, as mdb_dump sees them."""
    dump = subprocess.run(["mdb_dump", "-n", path], check=True, capture_output=True, text=True).stdout
    lines = [bytes.fromhex(line) for line in dump.splitlines() if line.startswith(" ")]
    return [(int.from_bytes(k, "big"), v) for k, v in zip(lines[::2], lines[1::2])]


def main():
    jangbu = os.path.abspath(sys.argv[1])
    step = int(sys.argv[2]) if len(sys.argv) > 2 else 41
    found = elsewhere_found = silent = 0
    with tempfile.TemporaryDirectory() as work:
        ledger, copy = os.path.join(work, "l"), os.path.join(work, "copy")
        subprocess.run([jangbu, "init", ledger, "--roles=enforce", "--operator", "op-7"], check=True, capture_output=True)
        subprocess.run([jangbu, "apply", ledger, os.path.join(HERE, "../../tools/example/month.jsonl"), "--clock=at"], capture_output=True)
        log = os.path.join(ledger, "log.mdb")
        whole = open(log, "rb").read()
        owner = {}
        for first, value in frames_of(log):
            at = whole.rindex(value)  # the newest copy of the page is the one in use
            for i in range(len(value)):
                owner[at + i] = (first, i)
        end = len(whole.rstrip(b"\0")) + 4096  # behind it is room for what is to come
        half = 4 * turn(2)
        picked = [o for o in range(min(end, len(whole))) if (o in owner and o % 8 == half) or o % step == 0]
        shutil.copytree(ledger, copy)
        for offset in picked:
            data = bytearray(whole)
            data[offset] ^= 1 << (offset % 8)
            open(os.path.join(copy, "log.mdb"), "wb").write(data)
            out = subprocess.run([jangbu, "audit", copy, "--json"], capture_output=True, text=True, timeout=60)
            assert out.returncode in (0, 1, 3), f"byte {offset}: exit {out.returncode}: {out.stderr}"
            if offset in owner:
                frame, inside = owner[offset]
                assert out.returncode == 1, f"byte {inside} of frame {frame} was changed and not found: {out.stdout[:300]}{out.stderr[:300]}"
                problems = json.loads(out.stdout)["problems"]
                assert any(p["frame"] == frame or p["seq"] >= frame for p in problems), (frame, problems)
                found += 1
            elif out.returncode:
                elsewhere_found += 1
            else:
                report = json.loads(out.stdout)
                assert report["verdict"] == "verified" and report["events"] > 80, report
                silent += 1
    print(f"{found} bytes of frames changed, every one found; of other bytes {elsewhere_found} found, {silent} without effect on any event")
    return 0


if __name__ == "__main__":
    sys.exit(main())

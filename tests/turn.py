#!/usr/bin/python3
"""Which part of its trials a test makes at this commit: its hash says so, so that all parts come up, also where each clone has one commit of the
history or every merge brings two. Without a repository it is the first.

usage: turn.py PARTS PROGRAM [ARGUMENT ...]     runs PROGRAM; an argument "TURN" becomes the number of the part, from 0 on
       turn.py --selftest"""
import os
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def turn(parts, source=TOP):
    r = subprocess.run(["git", "-C", source, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return int(r.stdout, 16) % parts if r.returncode == 0 else 0


def selftest():
    """In clones of one commit each part comes up, and it is that of the whole history."""
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "n"), ("EMAIL", "e"), ("DATE", "2026-01-01T00:00:00Z"))}
    with tempfile.TemporaryDirectory() as work:
        whole, parts = os.path.join(work, "whole"), {2: [], 6: []}
        git = lambda *words: subprocess.run(["git", *words], check=True, capture_output=True, env={**os.environ, **who})
        git("init", "-q", whole)
        for i in range(16):
            git("-C", whole, "-c", "commit.gpgsign=false", "commit", "-q", "--allow-empty", "-m", str(i))
            clone = os.path.join(work, str(i))
            git("clone", "-q", "--depth", "1", "file://" + whole, clone)
            for n, found in parts.items():
                found.append(turn(n, clone))
                assert found[-1] == turn(n, whole), (n, found)
        assert all(set(found) == set(range(n)) for n, found in parts.items()), parts
    print("turn: each part comes up")


if __name__ == "__main__":
    if sys.argv[1] == "--selftest":
        selftest()
    else:
        which = str(turn(int(sys.argv[1])))
        os.execv(sys.argv[2], [which if argument == "TURN" else argument for argument in sys.argv[2:]])

#!/usr/bin/python3
"""Which part of its trials a test makes at this commit: they are counted, so that another part is made at each. Without a history it is the first.

usage: turn.py PARTS PROGRAM [ARGUMENT ...]     runs PROGRAM; an argument "TURN" becomes the number of the part, from 0 on"""
import os
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def turn(parts, source=TOP):
    r = subprocess.run(["git", "-C", source, "rev-list", "--count", "HEAD"], capture_output=True, text=True, check=False)
    return int(r.stdout) % parts if r.returncode == 0 else 0


if __name__ == "__main__":
    which = str(turn(int(sys.argv[1])))
    os.execv(sys.argv[2], [which if argument == "TURN" else argument for argument in sys.argv[2:]])

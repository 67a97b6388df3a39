#!/usr/bin/python3
"""Every allocation of every sub-command fails in turn, once and with all that follow it. What does not fit into the time is a sample, by the seed.

usage: allocations.py PROGRAM HELPERS [--seconds N] [--seed S]"""
import argparse
import os
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Bench, Failure, Skip, known  # noqa: E402
from nth import Case, commands  # noqa: E402


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("helpers")
    p.add_argument("--seconds", type=float, default=1e9)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", default="")
    a = p.parse_args()
    began, rng, failures, expected, tried, clean, everything = time.monotonic(), random.Random(a.seed), [], [], 0, 0, 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as work:
        bench = Bench(os.path.abspath(a.program), os.path.abspath(a.helpers), work)
        cases, chosen = [], []
        try:
            for number in range(len(commands("", ""))):
                place = os.path.join(work, "c%d" % number)
                os.mkdir(place)
                case = Case(bench, place, number)
                if a.only and a.only != case.name:
                    continue
                cases.append(case)
                count = case.count("alloc")
                everything += 2 * count
                chosen += [(case, n, sticky) for n in range(1, count + 1) for sticky in (False, True)]
        except Skip as e:
            print("skipped: %s" % e)
            return 77
        rng.shuffle(chosen)
        for case, n, sticky in chosen:
            if time.monotonic() - began > a.seconds:
                break
            tried += 1
            try:
                clean += case.fail("alloc", n, 0, sticky)
            except Failure as e:
                if known(str(e)):
                    expected.append(known(str(e)))
                    continue
                failures.append(str(e))
                print("FAILED (%s): %s" % (e.column, e), flush=True)
    print("%d of %d failing allocations in %d sub-commands (seed %d): %d ended with an error, %d went on, %d failures, %d known" % (
        tried, everything, len(cases), a.seed, clean, tried - clean - len(failures) - len(expected), len(failures), len(expected)))
    for reason in sorted(set(expected)):
        print("known: %s (%d)" % (reason, expected.count(reason)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

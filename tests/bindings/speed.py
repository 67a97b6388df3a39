#!/usr/bin/python3
"""Keyed consumptions a CPU second: batches of 1,000 through the Python binding, beside `jangbu apply` of the same commands, in turn.
Measures, so it is run by hand. With the directory of the test bindings-node it has the Node binding, too.

usage: speed.py PROGRAM LIBRARY [ROUNDS [COMMANDS [NODE_DIRECTORY]]]"""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/bindings/python/src"))
PROGRAM = os.path.abspath(sys.argv[1])
os.environ["JANGBU_LIBRARY"] = os.path.abspath(sys.argv[2])
import jangbu  # noqa: E402


def made(work, name):
    ledger = jangbu.Ledger.init(os.path.join(work, name))
    ledger.wallet_create(wallet="W", kind="BUSINESS", name="w")
    ledger.charge(wallet="W", charge="C", amount=10**12)
    return ledger


def by_binding(work, commands):
    with made(work, "binding") as ledger:
        began = time.process_time()
        for start in range(0, len(commands), 1000):
            if not all(a.ok for a in ledger.submit(commands[start:start + 1000])):
                sys.exit("a command was refused")
        return time.process_time() - began


def by_program(work, commands):
    made(work, "program").close()
    lines = "".join(json.dumps(c) + "\n" for c in commands).encode()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([PROGRAM, "apply", os.path.join(work, "program")], input=lines, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_node(work, n, directory):
    out = subprocess.run(["node", "test.mjs", "speed", work, str(n)], cwd=directory, check=True, capture_output=True, text=True).stdout
    return int(out) / 1e6


def main():
    rounds, n = (int(a) for a in (sys.argv[3:] + ["7", "100000"][len(sys.argv) - 3:])[:2])
    commands = [{"op": "consume", "wallet": "W", "usage": f"U{i}", "amount": 10, "key": f"k{i}"} for i in range(n)]
    node = sys.argv[5] if len(sys.argv) > 5 else None
    ratios, of_node = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as work:
            binding, program = by_binding(work, commands), by_program(work, commands)
            ratios.append(program / binding)
            if node is not None:
                took = by_node(work, n, node)
                of_node.append(program / took)
                print(f"Node {n / took:,.0f} a CPU second: {of_node[-1]:.2f}")
            print(f"Python {n / binding:,.0f} a CPU second, apply {n / program:,.0f}: {ratios[-1]:.2f}", flush=True)
    for name, of in (("Python", ratios), ("Node", of_node)):
        if of:
            print(f"{name}: median {statistics.median(of):.2f} of apply ({min(of):.2f} to {max(of):.2f})")


if __name__ == "__main__":
    main()

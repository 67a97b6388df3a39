#!/usr/bin/python3
"""No false alarm: random streams of the witness, each in a ledger of its own, in pieces of random length and several processes one
after the other; the audit must verify every part of each.

usage: streams.py JANGBU GENERATE [--seed N] [--ledgers N] [--commands N]     commands: of each ledger"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile


def stream(generate, jangbu, seed, commands):
    out = subprocess.run([sys.executable, generate, "--seed", str(seed), "--commands", str(commands), "--program", jangbu], capture_output=True, check=True)
    return out.stdout.splitlines(keepends=True)


def apply(jangbu, ledger, lines, rng):
    at = 0
    while at < len(lines):
        n = rng.choice((1, 3, 40, 700, 9000))
        subprocess.run([jangbu, "apply", ledger, "--clock=at"], input=b"".join(lines[at:at + n]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at += n


def main():
    p = argparse.ArgumentParser()
    p.add_argument("jangbu")
    p.add_argument("generate")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--ledgers", type=int, default=3)
    p.add_argument("--commands", type=int, default=3000)
    a = p.parse_args()
    commands = events = failed = 0
    for seed in range(a.seed, a.seed + a.ledgers):
        with tempfile.TemporaryDirectory() as d:
            ledger = os.path.join(d, "l")
            subprocess.run([a.jangbu, "init", ledger, "--invoice-from", "none"], check=True, capture_output=True)
            lines = stream(a.generate, a.jangbu, seed, a.commands)
            apply(a.jangbu, ledger, lines, random.Random(seed))
            report = json.loads(subprocess.run([a.jangbu, "audit", ledger, "--json"], capture_output=True, text=True).stdout)
            commands, events = commands + len(lines), events + report["events"]
            if set(report["parts"].values()) != {"verified"}:
                failed += 1
                print(f"seed {seed}: {report['parts']}: {report['problems'][:3]}", flush=True)
    print(f"{commands} commands, {events} events in {a.ledgers} ledgers audited: {failed} refuted or not known")
    return 1 if failed else 0


sys.exit(main())

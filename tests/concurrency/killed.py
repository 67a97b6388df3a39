#!/usr/bin/python3
"""Four processes write the same keyed commands at once and are killed at random moments, five times over, before they may finish: whatever anybody was
ever told about a key stays true, each key stands once in the log, and the audit and the rebuild find nothing.

usage: killed.py JANGBU [SEED]"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from together import WALLETS, WRITERS, commands  # noqa: E402

ROUNDS, ATTEMPTS = 8, 6


def attempt(jangbu, ledger, work, lines, rng, kill):
    """Runs the writers, kills some of them, and returns what they said and how many died."""
    writers = []
    for n in range(WRITERS):
        feed = "".join(json.dumps(line) + "\n" for line in lines[:WALLETS] + rng.sample(lines[WALLETS:], len(lines) - WALLETS))
        with open(os.path.join(work, f"out{n}"), "wb") as out:
            p = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE)
        p.stdin.write(feed.encode())
        p.stdin.close()
        writers.append(p)
    for p in rng.sample(writers, rng.randrange(1, WRITERS + 1)) if kill else []:
        time.sleep(rng.random() * 0.012)
        p.kill()
    said = []
    for n, p in enumerate(writers):
        error = p.stderr.read().decode()
        assert p.wait() in (0, 1, -9), (p.returncode, error)
        with open(os.path.join(work, f"out{n}"), encoding="utf-8", errors="replace") as out:
            said += out.read().splitlines()
    return said, sum(p.returncode == -9 for p in writers)


def main():
    jangbu, seed = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20261124
    print("seed", seed)
    kills = 0
    for number in range(ROUNDS):
        rng, told = random.Random(seed + number), {}
        lines = commands(rng)
        with tempfile.TemporaryDirectory() as work:
            ledger = os.path.join(work, "ledger")
            subprocess.run([jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
            for tried in range(ATTEMPTS):
                said, died = attempt(jangbu, ledger, work, lines, rng, tried + 1 < ATTEMPTS)
                kills += died
                for text in said:
                    try:
                        answer = json.loads(text)
                    except ValueError:
                        continue  # cut by the kill
                    answer = {k: v for k, v in answer.items() if k not in ("line", "duplicate")}
                    assert told.setdefault(answer["key"], answer) == answer, (told[answer["key"]], answer)
            stands = {}
            for text in subprocess.run([jangbu, "log", ledger, "--json"], capture_output=True, text=True, check=True).stdout.splitlines():
                event = json.loads(text)
                if "key" in event:
                    assert event["key"] not in stands, f"key {event['key']} stands in events {stands[event['key']]} and {event['seq']}"
                    stands[event["key"]] = event["seq"]
            assert {key: answer["seq"] for key, answer in told.items()} == stands, "somebody was told of another event, or of none"
            for check in ("audit", "rebuild"):
                out = subprocess.run([jangbu, check, ledger], capture_output=True, text=True)
                assert out.returncode == 0 and out.stdout.rstrip().endswith(("verified: form, sums, rules", "identical")), out.stdout + out.stderr
    assert kills >= ROUNDS, f"only {kills} kills landed"
    print(f"{ROUNDS} rounds of {WRITERS} processes, {kills} of them killed: every answer ever given holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""kill -9 of `jangbu apply`: at every call that changes a file in turn, so that most kills land inside a commit, and at random moments. After
each: nothing that was acknowledged is lost or changed, nothing happened twice; the file applied again ends in the same results, balances and day
rows as one undisturbed run.

usage: kills.py JANGBU SHIM"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import commands, figures, preload, results, run  # noqa: E402

KILLS_AT_CALLS = 150
KILLS_AT_RANDOM = 30


def feed_slowly(jangbu, ledger, lines, env, kill_after):
    """Feeds a few lines at a time, so that the run has many commits; returns what it printed before it died."""
    p = subprocess.Popen([jangbu, "apply", ledger, "--clock=at"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         env={**os.environ, **env})
    printed, began = b"", time.monotonic()
    try:
        for i in range(0, len(lines), 7):
            p.stdin.write(("\n".join(lines[i:i + 7]) + "\n").encode())
            p.stdin.flush()
            for _ in lines[i:i + 7]:
                line = p.stdout.readline()
                if not line:
                    raise BrokenPipeError
                printed += line
            if kill_after is not None and time.monotonic() - began > kill_after:
                p.kill()
        p.stdin.close()
    except (BrokenPipeError, OSError):
        pass
    printed += p.stdout.read()
    try:
        p.stdin.close()
    except OSError:
        pass
    return p.wait(), printed.decode()


def keys_in_log(jangbu, ledger):
    seen = {}
    for line in run(jangbu, "log", ledger, "--json").stdout.splitlines():
        event = json.loads(line)
        if "key" in event:
            assert event["key"] not in seen, "key %s stands in events %d and %d" % (event["key"], seen[event["key"]], event["seq"])
            seen[event["key"]] = event["seq"]
    return seen


def one(jangbu, lines, whole, work, env, kill_after):
    """One ledger, one kill. True: it was killed."""
    ledger = os.path.join(work, "l")
    subprocess.run(["rm", "-rf", ledger], check=True)
    run(jangbu, "init", ledger)
    code, printed = feed_slowly(jangbu, ledger, lines, env, kill_after)
    acknowledged = results(printed)
    in_log = keys_in_log(jangbu, ledger)
    for key, result in acknowledged.items():
        if "seq" in result:
            assert in_log.get(key) == result["seq"], "key %s was acknowledged as event %d and is %s" % (key, result["seq"], in_log.get(key))
        assert whole[0][key] == result, "key %s: %s, undisturbed %s" % (key, result, whole[0][key])
    again = run(jangbu, "apply", ledger, "--clock=at", feed="\n".join(lines) + "\n")
    assert again.returncode in (0, 1), again.stderr
    assert results(again.stdout) == whole[0], "the results after the kill differ"
    assert figures(jangbu, ledger) == whole[1], "balances or day rows after the kill differ"
    audit = json.loads(run(jangbu, "audit", ledger, "--json").stdout)
    assert audit["verdict"] == "verified", audit
    return code == -9


def main():
    jangbu, shim = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    seed = int(os.environ.get("SEED", "20261124"))
    random.seed(seed)
    print("seed", seed)
    lines = commands(240)
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "whole")
        run(jangbu, "init", ledger)
        count = os.path.join(work, "count")
        began = time.monotonic()
        _, printed = feed_slowly(jangbu, ledger, lines, {**preload(shim, work), "JB_SHIM_COUNT": count}, None)
        duration = time.monotonic() - began
        calls = int(open(count).read())
        whole = results(printed), figures(jangbu, ledger)
        assert len(whole[0]) == len(lines)
        inside = at_random = 0
        chosen = sorted(random.sample(range(1, calls + 1), min(KILLS_AT_CALLS, calls)))
        for n in chosen:
            inside += one(jangbu, lines, whole, work, {**preload(shim, work), "JB_SHIM_KILL": str(n)}, None)
        for _ in range(KILLS_AT_RANDOM):
            at_random += one(jangbu, lines, whole, work, {}, random.random() * duration)
    print(f"{len(lines)} commands, {calls} calls that change a file; killed at {inside} of them, and {at_random} times at a random moment: nothing lost, nothing twice")
    if inside < 100:
        print(f"only {inside} kills landed inside a commit; at least 100 are wanted")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

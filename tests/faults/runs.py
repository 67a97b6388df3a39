#!/usr/bin/python3
"""Runs (core/runs): killed at every call that changes a file or a name, in writing and in merging; every call fails once, with EIO and with
ENOSPC; every write is cut short. After each: what was said to be durable is there, nothing is there that was not written, whoever goes on ends
with all rows, and no half-written file is left.

usage: runs.py RUNS_LOAD SHIM"""
import errno
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import preload  # noqa: E402

ROWS = 2500
AT_MOST = 400


def load(program, *args, env=None):
    return subprocess.run([program, *args], capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=120)


def covers(program, place):
    p = load(program, "check", place)
    assert p.returncode == 0, p.stderr
    return int(p.stdout.split()[-1])


def one(program, work, name, env, ended):
    """One directory, one fault. ended: what may become of who meets it."""
    place = os.path.join(work, name)
    p = load(program, "fill", place, str(ROWS), env=env)
    assert p.returncode in ended, f"{name}: ended with {p.returncode}: {p.stderr}"
    said = [int(line.split()[1]) for line in p.stdout.splitlines() if line.startswith("done ") and line.split()[1:]]
    there = covers(program, place)
    assert there >= max(said, default=0), f"{name}: {max(said)} rows were durable, {there} are there"
    if p.returncode == 0:
        assert there == ROWS, f"{name}: {there} rows instead of {ROWS}"
    p = load(program, "fill", place, str(ROWS))
    assert p.returncode == 0 and covers(program, place) == ROWS, f"{name}: going on: {p.stderr}"
    left = [f for f in os.listdir(place) if f.endswith(".new")]
    assert not left, f"{name}: {left} are left"
    subprocess.run(["rm", "-r", place], check=True)


def main():
    program, shim = sys.argv[1:]
    ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=ram) as work:
        env = {**preload(shim, work), "JB_SHIM_NAMES": "1"}
        count = os.path.join(work, "count")
        one(program, work, "whole", {**env, "JB_SHIM_COUNT": count}, {0})
        calls = int(open(count).read())
        assert calls > 250, f"only {calls} calls change a file"
        step = max(1, calls // AT_MOST)
        for n in range(1, calls + 1, step):
            one(program, work, f"kill-{n}", {**env, "JB_SHIM_KILL": str(n)}, {0, -9})
        failures = range(1, calls + 1, max(step, calls // 40))
        for n in failures:
            code = (errno.EIO, errno.ENOSPC)[n % 2]
            one(program, work, f"fail-{n}", {**env, "JB_SHIM_FAIL": str(n), "JB_SHIM_ERRNO": str(code)}, {0})
        for most in (1000, 4095):
            one(program, work, f"short-{most}", {**env, "JB_SHIM_SHORT": str(most)}, {0})
        print(f"{len(range(1, calls + 1, step))} kills at {calls} calls, {len(failures)} failures: every row that was durable is there")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Runs (core/runs): killed at every call that changes a file or a name, in writing, in merging, and in the switch to another generation (at every
second one, the others at other commits); calls fail once, with EIO and with ENOSPC; every write is cut short. After each: what was said to be durable is there, nothing is there that was
not written, whoever goes on ends with all rows, and no half-written file is left.

usage: runs.py [--quick] [--seed S] RUNS_LOAD KEYS_LOAD SHIM"""
import argparse
import concurrent.futures
import errno
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
from support import preload  # noqa: E402
from turn import turn  # noqa: E402

ROWS = 2500
SMALL_RUNS, SMALL_ROWS = 128, 30  # 16 merges of 8, and two of what they made
KEYS_BEFORE, KEYS = 600, 1000


class Faults:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.env = {**preload(args.shim, work), "JB_SHIM_NAMES": "1"}
        self.rng = random.Random(args.seed)
        self.killed = 0
        self.half = turn(2)

    def path(self, name):
        return os.path.join(self.work, name)

    def run(self, program, *args, env=None):
        return subprocess.run([program, *args], capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=120)

    def calls(self, program, *args):
        """How many calls of it change something."""
        count = self.path("count")
        p = self.run(program, *args, env={**self.env, "JB_SHIM_COUNT": count})
        assert p.returncode == 0, p.stderr
        return int(open(count).read())

    def chosen(self, calls, whole, quick):
        """At which of them to strike."""
        most, half = quick if self.args.quick else whole, range(1 + self.half, calls + 1, 2)
        return half if len(half) <= most else sorted(self.rng.sample(half, most))

    def kill(self, n, program, *args):
        p = self.run(program, *args, env={**self.env, "JB_SHIM_KILL": str(n)})
        assert p.returncode in (0, -9), f"{args} killed at call {n}: ended with {p.returncode}: {p.stderr}"
        self.killed += p.returncode == -9
        return p

    def said(self, p):
        return max((int(line.split()[1]) for line in p.stdout.splitlines() if line.startswith("done ") and line.split()[1:]), default=0)

    # ---- runs alone ----

    def covers(self, place):
        p = self.run(self.args.runs_load, "check", place)
        assert p.returncode == 0, p.stderr
        return int(p.stdout.split()[-1])

    def one(self, name, env, ended):
        """One directory, one fault. ended: what may become of who meets it."""
        place = self.path(name)
        p = self.run(self.args.runs_load, "fill", place, str(ROWS), env=env)
        assert p.returncode in ended, f"{name}: ended with {p.returncode}: {p.stderr}"
        self.killed += p.returncode == -9
        there, said = self.covers(place), self.said(p)
        assert there >= said, f"{name}: {said} rows were durable, {there} are there"
        if p.returncode == 0:
            assert there == ROWS, f"{name}: {there} rows instead of {ROWS}"
        p = self.run(self.args.runs_load, "fill", place, str(ROWS))
        assert p.returncode == 0 and self.covers(place) == ROWS, f"{name}: going on: {p.stderr}"
        self.nothing_half(place, name)
        shutil.rmtree(place)

    def nothing_half(self, place, what):
        left = [f for f in os.listdir(place) if f.endswith(".new")]
        assert not left, f"{what}: {left} are left"

    def filling(self):
        calls = self.calls(self.args.runs_load, "fill", self.path("whole"), str(ROWS))
        assert self.covers(self.path("whole")) == ROWS
        assert calls > 250, f"only {calls} calls change a file"
        before = self.killed
        for n in self.chosen(calls, 400, 6):
            self.one(f"kill-{n}", {**self.env, "JB_SHIM_KILL": str(n)}, {0, -9})
        failures = self.chosen(calls, 40, 4)
        codes = itertools.cycle((errno.EIO, errno.ENOSPC))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # who failed waits before it goes on
            list(pool.map(lambda n, code: self.one(f"fail-{n}", {**self.env, "JB_SHIM_FAIL": str(n), "JB_SHIM_ERRNO": str(code)}, {0}), failures, codes))
        for most in (1000, 4095):
            self.one(f"short-{most}", {**self.env, "JB_SHIM_SHORT": str(most)}, {0})
        return f"{self.killed - before} kills while rows are written (of {calls} calls), {len(failures)} failures"

    def merging(self):
        """All that is called here belongs to merges: their writing, their taking the places of what they merged."""
        rows, small, place = SMALL_RUNS * SMALL_ROWS, self.path("small"), self.path("merged")
        p = self.run(self.args.runs_load, "small", small, str(SMALL_RUNS))
        assert p.returncode == 0, p.stderr
        # By links: a run is written once, and what merges it may read it and take its name away, no more (looked at in the end).
        shutil.copytree(small, place, copy_function=os.link)
        calls = self.calls(self.args.runs_load, "merge", place)
        before, half, twice = self.killed, 0, 0
        for n in self.chosen(calls, 600, 20):
            shutil.rmtree(place)
            shutil.copytree(small, place, copy_function=os.link)
            self.kill(n, self.args.runs_load, "merge", place)
            names = os.listdir(place)
            half += any(name.endswith(".new") for name in names)
            firsts = [name.split("-")[1] for name in names if name.endswith(".run")]
            twice += len(firsts) != len(set(firsts))
            assert self.covers(place) == rows, f"killed at call {n} of a merge: {self.covers(place)} rows of {rows}"
            p = self.run(self.args.runs_load, "merge", place)
            assert p.returncode == 0 and p.stdout.startswith(f"{rows} rows"), f"killed at call {n}: {p.stdout}{p.stderr}"
            assert len(os.listdir(place)) < 16, f"killed at call {n}: {len(os.listdir(place))} files are left"
            self.nothing_half(place, f"killed at call {n}")
        shutil.rmtree(place)
        assert self.covers(small) == rows, "a merge wrote into a run"
        shutil.rmtree(small)
        return f"{self.killed - before} kills in merges (of {calls} calls; {half} left a file half written, {twice} a run beside what it replaces)"

    # ---- in a ledger ----

    def ledger(self, name, *steps):
        place = self.path(name)
        p = self.run(self.args.keys_load, "make", place)
        assert p.returncode == 0, p.stderr
        self.events = p.stdout.strip()
        p = self.run(self.args.keys_load, "write", place, str(KEYS_BEFORE))
        assert p.returncode == 0, p.stderr
        return place

    def check(self, place, used, what):
        p = self.run(self.args.keys_load, "check", place, str(used), str(KEYS), self.events)
        assert p.returncode == 0, f"{what}: {p.stderr}"
        self.nothing_half(os.path.join(place, "state"), what)
        generations = sorted({int(f[:8], 16) for f in os.listdir(os.path.join(place, "state"))})
        assert generations[-1] - generations[0] <= 1, f"{what}: runs of the generations {generations} are left"
        return generations

    def switching(self, image):
        """`rebuild` killed at every call; then the same beside a process that writes."""
        place, before = self.path("l"), self.killed
        shutil.copytree(image, place)
        calls = self.calls(self.args.keys_load, "rebuild", place)
        for n in self.chosen(calls, 200, 10):
            shutil.rmtree(place)
            shutil.copytree(image, place)
            self.kill(n, self.args.keys_load, "rebuild", place)
            self.check(place, KEYS_BEFORE, f"rebuild killed at call {n}")
        for n in self.chosen(calls, 100, 5):
            shutil.rmtree(place)
            shutil.copytree(image, place)
            writer = subprocess.Popen([self.args.keys_load, "write", place, str(KEYS - 100)], stdout=subprocess.PIPE, text=True)
            self.kill(n, self.args.keys_load, "rebuild", place)
            said = [line for line in writer.communicate(timeout=120)[0].splitlines() if line.startswith("done ")]
            assert writer.returncode == 0 and int(said[-1].split()[1]) == KEYS - 100, f"a writer beside rebuild killed at call {n}: {said[-1:]}"
            self.check(place, KEYS - 100, f"rebuild killed at call {n} beside a writer")
        for _ in range(2):  # what was made for a switch that never came goes with the next one
            p = self.run(self.args.keys_load, "rebuild", place)
            assert p.returncode == 0, p.stderr
            generations = self.check(place, KEYS, "rebuilt")
            assert len(generations) == 1, f"runs of the generations {generations} are left"
        shutil.rmtree(place)
        return f"{self.killed - before} kills in switches (of {calls} calls)"

    def slow_disk(self):
        """Who writes faster than the thread does waits for it, and does not fill the memory."""
        place = self.ledger("slow")
        p = self.run(self.args.keys_load, "fast", place, "3000", env={**self.env, "JB_SHIM_SLOW": "20000"})
        assert p.returncode == 0, p.stderr
        most = int(p.stdout.split()[0])
        assert 4 <= most <= 16, f"{most} tables were in memory"
        shutil.rmtree(place)
        return f"at most {most} tables wait for a slow disk"

    def committing(self, image):
        """A process that writes keys killed at every call, and beside another one that goes on."""
        place, before = self.path("l"), self.killed
        shutil.copytree(image, place)
        calls = self.calls(self.args.keys_load, "write", place, str(KEYS - 100))
        for n in self.chosen(calls, 300, 15):
            shutil.rmtree(place)
            shutil.copytree(image, place)
            other = None
            if n % 3 == 0:
                other = subprocess.Popen([self.args.keys_load, "write", place, str(KEYS - 100)], stdout=subprocess.PIPE, text=True)
            said = self.said(self.kill(n, self.args.keys_load, "write", place, str(KEYS - 100)))
            if other is not None:
                other.communicate(timeout=120)
                assert other.returncode == 0, f"the other one ended with {other.returncode}"
                said = KEYS - 100
            self.check(place, max(said, KEYS_BEFORE), f"a writer killed at call {n}")
        shutil.rmtree(place)
        return f"{self.killed - before} kills while keys are written (of {calls} calls)"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--quick", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("runs_load")
    p.add_argument("keys_load")
    p.add_argument("shim")
    args = p.parse_args()
    ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=ram) as work:
        faults = Faults(args, work)
        print(faults.filling(), flush=True)
        print(faults.merging(), flush=True)
        image = faults.ledger("image")
        print(faults.switching(image), flush=True)
        print(faults.committing(image), flush=True)
        print(faults.slow_disk(), flush=True)
        print(f"{faults.killed} kills in all: every row that was durable is there, every key has its answer")


if __name__ == "__main__":
    main()

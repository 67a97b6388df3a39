#!/usr/bin/python3
"""jangbud is killed under 64 writers, again and again, and each goes on with the key that it was not answered for: every answer that
said so is in the log, once; a retry gets the first answer; the audit verifies.

usage: kills.py JANGBU JANGBUD [--kills N] [--writers N] [--seconds S]"""
import argparse
import collections
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from served import Served, keyed

PATIENCE = 60  # seconds until a daemon that was started again has to answer


class Writer(threading.Thread):
    """Consumes and charges in its wallet, one command after the other; each until it is answered."""

    def __init__(self, number, path, ending):
        super().__init__(daemon=True)
        self.number, self.path, self.ending = number, path, ending
        self.answered, self.retries, self.trouble = {}, 0, None

    def command(self, n):
        return keyed(self.number, n, 4)

    def run(self):
        try:
            served = Served.__new__(Served)
            served.unix, served.timeout = self.path, 20
            n, connection, since = 0, None, time.monotonic()
            while not self.ending.is_set():
                try:
                    connection = connection or served.connection(unix=True)
                    a = served.post(self.command(n), connection=connection)
                except (OSError, http.client.HTTPException):
                    connection = None
                    self.retries += 1
                    time.sleep(0.02)
                    a = None
                if a is not None and a.status == 200:
                    self.answered[f"{self.number}-{n}"] = a.json["seq"]
                    n, since = n + 1, time.monotonic()
                elif a is not None and a.status != 503:
                    raise AssertionError(f"{self.command(n)}: {a}")
                if time.monotonic() - since > PATIENCE:
                    raise AssertionError(f"no answer for {PATIENCE} s")
        except Exception as e:  # noqa: BLE001
            self.trouble = e


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jangbu")
    parser.add_argument("jangbud")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.4, help="between two kills")
    a = parser.parse_args()
    work = tempfile.mkdtemp(prefix="jangbud-")
    ledger = os.path.join(work, "ledger")
    try:
        return killed(a, ledger)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def killed(a, ledger):
    subprocess.run([a.jangbu, "init", ledger], check=True, capture_output=True)
    ending, faults = threading.Event(), []
    served = Served(a.jangbud, ledger, flags=["--log", "off"])
    writers = [Writer(i, served.unix, ending) for i in range(a.writers)]
    for w in writers:
        w.start()
    for _ in range(a.kills):
        before = sum(len(w.answered) for w in writers)
        until = time.monotonic() + PATIENCE
        time.sleep(a.seconds)
        while sum(len(w.answered) for w in writers) < before + a.writers and time.monotonic() < until:
            time.sleep(0.02)
        served.kill()
        served = Served(a.jangbud, ledger, flags=["--log", "off"])
    time.sleep(a.seconds)
    ending.set()
    for w in writers:
        w.join()
        if w.trouble:
            faults.append(f"writer {w.number}: {w.trouble}")
    answered = {key: seq for w in writers for key, seq in w.answered.items()}
    connection = served.connection(unix=True)
    for w in writers:
        for n in list(range(len(w.answered)))[-3:]:
            again = served.post(w.command(n), connection=connection)
            if again.status != 200 or again.json["seq"] != w.answered[f"{w.number}-{n}"] or again.headers["Idempotent-Replayed"] != "true":
                faults.append(f"the retry of {w.number}-{n} is answered otherwise: {again}")
    if served.stop() != 0:
        faults.append("jangbud did not end well")
    log = [json.loads(line) for line in subprocess.run([a.jangbu, "log", ledger, "--json"], capture_output=True, check=True).stdout.splitlines()]
    held = {e["key"]: e["seq"] for e in log if e.get("key")}
    times = collections.Counter(e["key"] for e in log if e.get("key"))
    faults += [f"{key} was answered as event {seq}, and the log has {held.get(key)}" for key, seq in answered.items() if held.get(key) != seq]
    faults += [f"{key} is in the log {n} times" for key, n in times.items() if n > 1]
    audit = subprocess.run([a.jangbu, "audit", ledger], capture_output=True, text=True)
    if audit.returncode != 0:
        faults.append(f"audit: {audit.stdout[-500:]}{audit.stderr[-500:]}")
    for fault in faults[:20]:
        print(fault)
    print(f"{a.kills} kills under {a.writers} writers: {len(answered)} answered, {sum(w.retries for w in writers)} tries that were not, "
          f"{len(held) - len(answered)} done and not answered, {len(faults)} faults")
    return 1 if faults or len(answered) < a.writers * (a.kills + 1) else 0


if __name__ == "__main__":
    sys.exit(main())

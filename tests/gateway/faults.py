#!/usr/bin/python3
"""What docs/operating.md says of faults, each tried for real on a daemon: a full disk (a small tmpfs), clocks that are wrong (libfaketime),
files that are damaged before the start and while it runs, a key file and a secret that are lost, a log that was put back, kill -9. By hand;
the full disk takes root.

usage: faults.py JANGBU JANGBUD"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from served import Served

JANGBU, JANGBUD = (os.path.abspath(p) for p in sys.argv[1:3])
FAKETIME = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None])[0]
failures = []


def check(what, ok, detail=""):
    print(f"{'well' if ok else 'FAILED'}: {what}" + (f": {str(detail)[:600]}" if not ok else ""), flush=True)
    if not ok:
        failures.append(what)


def jangbu(*args, text=None):
    return subprocess.run([JANGBU, *args], capture_output=True, text=True, input=text, check=False)


def consume(name, amount=10):
    return {"op": "consume", "wallet": "W1", "usage": name, "amount": amount, "key": name}


def made(directory, events=300):
    ledger = os.path.join(directory, "shop")
    for args in (("init", ledger), ("wallet", "create", ledger, "W1", "--kind", "PERSONAL", "--name", "w"), ("charge", ledger, "W1", "C", "1000000")):
        jangbu(*args)
    jangbu("apply", ledger, text="".join(json.dumps(consume(f"u{i}")) + "\n" for i in range(events)))
    jangbu("balance", ledger, "W1")
    return ledger


def reasons(s):
    return {r["reason"]: r["message"] for r in s.get("/readyz").json["reasons"]}


def comes(what, of, seconds=10):
    """Within some seconds."""
    until = time.monotonic() + seconds
    while not of() and time.monotonic() < until:
        time.sleep(0.1)
    check(what, of(), "it does not come")


def full_disk(work):
    place = os.path.join(work, "full")
    os.mkdir(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", place], capture_output=True, check=False).returncode != 0:
        print("skipped: no tmpfs can be mounted")
        return
    try:
        ledger = made(place)
        with Served(JANGBUD, ledger, flags=["--disk-free", "1M", "--listen-unix", os.path.join(work, "s")]) as s:
            s.unix = os.path.join(work, "s")
            last = None
            for i in range(1000):
                last = s.lines([consume(f"f{i}-{k}", 1) for k in range(200)])
                if last.status != 200 or last.lines[-1].get("error"):
                    break
            check("a full disk: 507 E_FULL", last.status == 507 and last.json["code"] == "E_FULL", last)
            check("reads go on", s.get("/v1/wallets/W1").status == 200)
            comes("not ready: disk, writes", lambda: {"disk", "writes"} <= set(reasons(s)))
            subprocess.run(["mount", "-o", "remount,size=16m", place], check=True)
            again = s.lines([consume(f"f{i}-{k}", 1) for k in range(200)])
            check("with room the same keys go through", again.status == 200 and all(a["ok"] for a in again.lines), again)
            comes("and it is ready", lambda: s.get("/readyz").status == 200)
        check("the audit verifies", jangbu("audit", ledger).returncode == 0)
    finally:
        subprocess.run(["umount", place], check=False)


class At:
    """The daemon under another clock."""

    def __init__(self, ledger, offset):
        self.ledger, self.offset = ledger, offset

    def __enter__(self):
        os.environ.update({"LD_PRELOAD": FAKETIME, "FAKETIME": self.offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        try:
            self.s = Served(JANGBUD, self.ledger)
        finally:
            for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"):
                del os.environ[name]
        return self.s

    def __exit__(self, *rest):
        check(f"{self.offset}: it ends well", self.s.stop() == 0)


def clocks(work):
    if FAKETIME is None:
        print("skipped: no libfaketime")
        return
    ledger = made(work, 5)
    with At(ledger, "-1h") as s:
        a = s.post(consume("b"))
        check("backwards: CLOCK_BEHIND", a.status == 503 and a.json["code"] == "CLOCK_BEHIND", a)
        comes("not ready: ledger", lambda: "behind the last event" in reasons(s).get("ledger", ""))
        check("reads go on", s.get("/v1/wallets/W1").status == 200)
    with At(ledger, "+100d") as s:
        a = s.post(consume("b"))
        check("forwards by 100 days: CLOCK_AHEAD", a.status == 503 and a.json["code"] == "CLOCK_AHEAD", a)
    with At(ledger, "+10d") as s:
        a = s.post(consume("b"))
        check("forwards by 10 days: taken", a.status == 200, a)
    with Served(JANGBUD, ledger) as s:
        a = s.post(consume("c"))
        check("and then the right clock waits", a.status == 503 and a.json["code"] == "CLOCK_BEHIND", a)
        check("unless the tolerance is set", jangbu("policy", "set", ledger, "clock_tolerance", "1000000").returncode == 0)
        check("the same key goes through", s.post(consume("c")).status == 200)
    check("the audit verifies", jangbu("audit", ledger).returncode == 0)


def damage(path, rng):
    with open(path, "r+b") as f:
        for at in range(8192, os.path.getsize(path), 4096):
            f.seek(at + 16)
            f.write(rng.randbytes(600))


def starts(ledger):
    try:
        return Served(JANGBUD, ledger)
    except RuntimeError:
        return None


def damaged(work):
    rng = random.Random(20261127)
    good = made(work)
    for name in ("state.mdb", "views.mdb", "people.mdb", "log.mdb"):
        for running in (False, True):
            directory = os.path.join(work, f"{name}-{running}")
            ledger = os.path.join(directory, "shop")
            shutil.copytree(good, ledger)
            s = starts(ledger) if running else None
            damage(os.path.join(ledger, name), rng)
            s = s or starts(ledger)
            answered = []
            for i in range(3 if s else 0):
                try:
                    answered.append(s.post(consume(f"d{i}")).status)
                except OSError:
                    answered.append("gone")
                time.sleep(0.3)
            ended = None if s is None else s.process.poll()
            print(f"  {name} damaged {'while it runs' if running else 'before the start'}: {'it does not start' if s is None else answered}, ended {ended}")
            if s is not None and ended is None:
                s.stop()
            if name == "log.mdb":
                check("log.mdb: writes nothing more, or does not start", s is None or 503 in answered, answered)
                check("the audit refutes it", jangbu("audit", ledger).returncode == 1)
                continue
            check(f"{name}: it starts with it", running or name == "people.mdb" or 200 in answered, answered)
            if name == "people.mdb":
                shutil.copy(os.path.join(good, name), os.path.join(ledger, name))
            with Served(JANGBUD, ledger) as s:
                paid = s.get("/v1/wallets/W1").json["paid"]
                check(f"{name}: as the page says, nothing that was answered is lost", paid == 997000 - 10 * answered.count(200), (paid, answered))


def lost(work):
    ledger = made(work, 5)
    key = ledger + ".key"
    check("sealed", jangbu("people", "encrypt", ledger).returncode == 0)
    os.rename(key, key + ".kept")
    with Served(JANGBUD, ledger) as s:
        a = s.post(consume("k"))
        check("no key: E_KEY, and names are sealed", a.status == 503 and a.json["code"] == "E_KEY" and s.get("/v1/wallets/W1", people="true").json.get("name_sealed"), a)
        comes("not ready: ledger", lambda: "key file" in reasons(s).get("ledger", ""))
        shutil.copy2(key + ".kept", key)
        check("put back: the same key goes through", s.post(consume("k")).status == 200)
    with Served(JANGBUD, ledger) as s:
        check("answered", s.post(consume("9")).status == 200)
        s.kill()
    with Served(JANGBUD, ledger) as s:
        check("kill -9: a key gives its first answer", s.post(consume("9")).json.get("duplicate") is True)
    jangbu("backup", ledger, ledger + ".b")
    jangbu("charge", ledger, "W1", "late", "500")
    shutil.copy(ledger + ".b/log.mdb", ledger + "/log.mdb")
    check("a log that was put back: it does not start", starts(ledger) is None)
    check("unless it is meant", jangbu("rebuild", ledger, "--accept-rollback").returncode == 0 and (s := starts(ledger)) is not None and s.stop() == 0)


def main():
    for part in (full_disk, clocks, damaged, lost):
        with tempfile.TemporaryDirectory(prefix="jangbud-") as work:
            part(work)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

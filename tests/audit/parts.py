#!/usr/bin/python3
"""The parts of an audit: which ran is said, each subset can be asked for, and a child that somebody kills is no damage.

usage: parts.py JANGBU GENERATE"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import lmdb

JANGBU, GENERATE = sys.argv[1], sys.argv[2]
PARTS = ("form", "sums", "rules")
failed = passed = 0


def check(name, ok, detail=""):
    global failed, passed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"failed: {name}: {str(detail)[:600]}")


def run(*args):
    return subprocess.run([JANGBU, *args], capture_output=True, text=True)


def make(ledger, commands):
    lines = subprocess.run([sys.executable, GENERATE, "--seed", "3", "--commands", str(commands), "--program", JANGBU], capture_output=True).stdout
    run("init", ledger, "--invoice-from", "none")
    subprocess.run([JANGBU, "apply", ledger, "--clock=at"], input=lines, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def subsets(ledger):
    for bits in range(1, 1 << len(PARTS)):
        chosen = [p for i, p in enumerate(PARTS) if bits >> i & 1]
        out = run("audit", ledger, "--only", ",".join(chosen))
        last = out.stdout.splitlines()[-1]
        check(f"the sentence names {chosen}", out.returncode == 0 and last.startswith("verified: " + ", ".join(chosen)), out.stdout + out.stderr)
        report = json.loads(run("audit", ledger, "--json", "--only", ",".join(reversed(chosen))).stdout)
        check(f"so does JSON {chosen}", report["parts"] == {p: "verified" if p in chosen else "skipped" for p in PARTS}, report["parts"])
        check("and its verdict", report["verdict"] == "verified" and report["ok"] is True, report)
    said = run("audit", ledger).stdout
    check("what was not checked, and how it can be", all(w in said for w in ("not checked: forgery", "restore LEDGER BACKUP --dry-run", "policy set LEDGER roles 1", "KEY_CONFLICT", "log LEDGER --json")), said)
    report = json.loads(run("audit", ledger, "--json").stdout)
    check("all of them unless something is said", set(report["parts"].values()) == {"verified"}, report["parts"])
    for wrong in ("", "form,", "form,form ", "figures", "form;sums"):
        check(f"--only {wrong!r} is wrong usage", run("audit", ledger, "--only", wrong).returncode == 2)


def flipped(ledger, copy):
    """A byte of the log that makes the chain differ: form is refuted where it runs, and no part that ran alone says "verified" of
    a log that it could not read."""
    shutil.copytree(ledger, copy)
    path = os.path.join(copy, "log.mdb")
    with lmdb.open(path, subdir=False, readonly=True, lock=False) as env, env.begin() as txn:
        frames = [bytes(value) for _, value in txn.cursor()]
    piece = frames[len(frames) // 2][:60]  # a header, its chain value and what follows: this frame's alone
    with open(path, "rb") as f:
        data = f.read()
    assert piece in data
    with open(path, "wb") as f:
        # In the page that is in use, and in older copies of it that lie in free ones.
        f.write(data.replace(piece, piece[:52] + bytes([piece[52] ^ 1]) + piece[53:]))
    report = json.loads(run("audit", copy, "--json").stdout)
    check("form is refuted", report["parts"]["form"] == "refuted" and report["verdict"] == "refuted", report["parts"])
    check("each problem has its part", all(p["part"] in PARTS for p in report["problems"]), report["problems"][:3])
    check("a stored state that says something else", any(p["part"] == "form" for p in report["problems"]))


def lost(ledger, copy):
    """What a part cannot know is that part's."""
    shutil.copytree(ledger, copy)
    os.remove(os.path.join(copy, "secret"))
    out = run("audit", copy, "--json")
    report = json.loads(out.stdout)
    check("without its secret form cannot be told", report["parts"] == {"form": "unknown", "sums": "verified", "rules": "verified"}, report["parts"])
    check("and the exit code says so", out.returncode == 3 and report["verdict"] == "unknown", out.returncode)


def child_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return int(f.read().split()[0])
    except (OSError, IndexError):
        return None


def dies_of(pid, number):
    """Waits until the process has no handler of that signal, as the child has a moment after its beginning."""
    for _ in range(5000):
        try:
            with open(f"/proc/{pid}/status") as f:
                caught = int(next(line for line in f if line.startswith("SigCgt:")).split()[1], 16)
        except (OSError, StopIteration):
            return
        if caught >> (number - 1) & 1 == 0:
            return
        time.sleep(0.0005)


# A sanitizer's own handlers would make an exit code of these signals.
NO_HANDLERS = {name: os.environ.get(name, "") + ":handle_segv=0:handle_sigbus=0:handle_abort=0" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")}


def killed(ledger, number, verdict, code):
    """The child that reads is ended by a signal: only those that damaged pages lead to are damage."""
    for _ in range(50):
        p = subprocess.Popen([JANGBU, "audit", ledger, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **NO_HANDLERS})
        child = None
        while child is None and p.poll() is None:
            child = child_of(p.pid)
        if child is not None:
            dies_of(child, number)
            try:
                os.kill(child, number)
            except OSError:
                pass
        out, _ = p.communicate()
        report = json.loads(out)
        if report["verdict"] != "verified":
            check(f"ended by signal {number}: {verdict}", report["verdict"] == verdict and p.returncode == code, report)
            return
    check(f"the child was never ended by signal {number}", False)


def main():
    with tempfile.TemporaryDirectory() as d:
        small, large = os.path.join(d, "small"), os.path.join(d, "large")
        make(small, 2000)
        make(large, 10000)
        subsets(small)
        flipped(small, os.path.join(d, "flipped"))
        lost(small, os.path.join(d, "lost"))
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGXCPU):
            killed(large, number, "unknown", 3)
        for number in (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV):
            killed(large, number, "refuted", 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())

#!/usr/bin/python3
"""What a process may find around it: descriptors 0, 1 and 2 closed, a file size limit, a full device, pipes that close or that nobody reads, signals,
the place of process 1 in a container.

usage: process.py JANGBU"""
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import check, checks, new, run  # noqa: E402


def consumptions(n, name="u"):
    return "".join(json.dumps({"op": "consume", "wallet": "W0", "usage": f"{name}{i}", "amount": 1, "overdraft": True, "key": f"{name}{i}"}) + "\n" for i in range(n))


def in_log(jangbu, ledger):
    return {e["key"] for e in map(json.loads, run(jangbu, "log", ledger, "--json").stdout.splitlines()) if "key" in e}


def closed_descriptors(jangbu, work):
    """Whatever is closed: no answer goes into a file of the ledger, and one that cannot be printed is exit 3."""
    ledger = new(jangbu, work, "closed")
    for number in range(8):
        closed = [fd for fd in range(3) if number >> fd & 1]
        redirect = " ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in closed)
        for words in (["charge", ledger, "W0", f"D{number}", "5000"], ["charge", ledger, "W0", "C0", "5000"], ["balance", ledger, "W0"], ["audit", ledger], ["--version"],
                      ["rebuild", ledger]):
            out = subprocess.run(["sh", "-c", f'exec "$@" {redirect}', "sh", jangbu, *words], capture_output=True, text=True, timeout=60)
            told = out.returncode == 3 if 1 in closed and words[2:] != ["W0", "C0", "5000"] else out.returncode in (0, 1)
            check(f"{words[0]} with {closed} closed", told or (1 in closed and out.returncode in (1, 3)), (out.returncode, out.stderr))
            if 1 in closed and 2 not in closed and out.returncode == 3:
                check(f"{words[0]} says so", "cannot write to standard output" in out.stderr, out.stderr)
        check(f"the ledger is whole after {closed}", run(jangbu, "audit", ledger).returncode == 0)
        files = {n: open(os.path.join(ledger, n), "rb").read() for n in os.listdir(ledger) if os.path.isfile(os.path.join(ledger, n))}
        check("no file of it has an answer", not any(b"done:" in data or b"refused:" in data for data in files.values()))
    out = subprocess.run(["sh", "-c", 'exec "$1" apply "$2" <&-', "sh", jangbu, ledger], capture_output=True, text=True, timeout=60)
    check("apply without standard input says so", out.returncode == 3 and "cannot read the input" in out.stderr, (out.returncode, out.stderr))


def limits(jangbu, work):
    ledger = new(jangbu, work, "limits")
    for blocks in (0, 8, 16, 64, 128, 256):
        name = os.path.join(work, f"limited-{blocks}")
        for words in (["init", name], ["apply", ledger], ["rebuild", ledger], ["backup", ledger, name + "-copy"], ["balance", ledger, "W0"]):
            out = subprocess.run(["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", jangbu, *words], input=consumptions(3000, f"f{blocks}-") if words[0] == "apply" else None,
                                 capture_output=True, text=True, timeout=120)
            check(f"{words[0]} with files of {blocks} blocks at most is no signal", out.returncode in (0, 3), (out.returncode, out.stderr))
    check("and nothing is damaged", run(jangbu, "audit", ledger).returncode == 0)
    with open("/dev/full", "w") as full:
        for words in (["--version"], ["help"], ["help", "charge"], ["charge", "--help"], ["balance", ledger, "W0"], ["log", ledger], ["stat", ledger, "--json"]):
            out = subprocess.run([jangbu, *words], stdout=full, stderr=subprocess.PIPE, text=True)
            check(f"{words} on a full device", out.returncode == 3 and "cannot write" in out.stderr, (out.returncode, out.stderr))


def piped(jangbu, *words, feed=None):
    """Standard output is a pipe that nobody reads any more."""
    r, w = os.pipe()
    os.close(r)
    out = subprocess.run([jangbu, *words], input=feed, stdout=w, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(w)
    return out


def pipes(jangbu, work):
    ledger = new(jangbu, work, "pipes")
    for words in (["--version"], ["help"], ["log", ledger], ["log", ledger, "--json"], ["log", ledger, "--follow"], ["balance", ledger, "--all", "--json"],
                  ["balance", ledger, "W0"], ["history", ledger, "W0", "--json"], ["stat", ledger], ["export", ledger, "--format", "csv"], ["audit", ledger],
                  ["audit", ledger, "--json"]):
        out = piped(jangbu, *words)
        check(f"{words} into a closed pipe is no error", out.returncode == 0 and out.stderr == "", (out.returncode, out.stderr))
    out = piped(jangbu, "charge", ledger, "W0", "P1", "5000")
    check("who changes something is told", out.returncode == 3 and "cannot write" in out.stderr, (out.returncode, out.stderr))
    out = piped(jangbu, "apply", ledger, feed=consumptions(2000))
    check("apply says how far", out.returncode == 3 and "are done" in out.stderr, (out.returncode, out.stderr))
    said = int(out.stderr.split("ines up to ")[1].split()[0])
    check("and that is true", {f"u{i}" for i in range(said)} <= in_log(jangbu, ledger), said)
    follow = subprocess.Popen([jangbu, "log", ledger, "--follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    follow.stdout.readline()
    follow.stdout.close()
    try:
        check("log --follow ends when its reader has", follow.wait(5) == 0 and follow.stderr.read() == "", follow.returncode)
    except subprocess.TimeoutExpired:
        check("log --follow ends when its reader has", False)
        follow.kill()


def slow_reader(jangbu, work):
    """Who does not read on holds no snapshot: the log's file does not grow by more than what is written."""
    ledger = new(jangbu, work, "slow")
    run(jangbu, "apply", ledger, feed="".join(json.dumps({"op": "wallet.create", "wallet": f"S{i:06}" + "x" * 50, "kind": "BUSINESS", "name": "n"}) + "\n" for i in range(6000)))
    holders = []
    try:
        for words in (["balance", ledger, "--all", "--json"], ["log", ledger, "--json"], ["export", ledger, "--format", "jsonl"]):
            holders.append(subprocess.Popen([jangbu, *words], stdout=subprocess.PIPE))
            select.select([holders[-1].stdout], [], [], 20)
        time.sleep(1)
        reader_table = subprocess.run(["mdb_stat", "-n", "-r", os.path.join(ledger, "log.mdb")], capture_output=True, text=True).stdout
        held = [line.split() for line in reader_table.splitlines() if line.split() and line.split()[0].isdigit()]
        check("nobody who waits for a reader holds a snapshot", all(row[2] == "-" for row in held) and len({row[0] for row in held}) >= 3, reader_table)
        for holder in holders:
            lines = holder.stdout.read().decode().splitlines()
            check("and the rest of the answer is whole", len(lines) >= 6000 and all(json.loads(line) for line in lines), len(lines))
            check("and the exit code", holder.wait() == 0)
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def signals(jangbu, work):
    ledger = new(jangbu, work, "signals")
    for number, word, code in ((signal.SIGINT, "SIGINT", 130), (signal.SIGTERM, "SIGTERM", 143)):
        for full in (False, True):
            name = f"{word}{full}-"
            apply = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            apply.stdin.write(consumptions(20, name))
            apply.stdin.flush()
            first = apply.stdout.readline()
            if full:
                apply.stdin.write(consumptions(700, name + "b"))  # more results than a pipe holds: it waits for a reader
                apply.stdin.flush()
                time.sleep(0.3)
            apply.send_signal(number)
            began = time.monotonic()
            try:
                apply.wait(10)
            except subprocess.TimeoutExpired:
                apply.kill()
            took = time.monotonic() - began
            text = apply.stderr.read()
            check(f"apply ends by {word}", apply.returncode == code and took < 2.5, (apply.returncode, took, text))
            check(f"and says how far ({word})", f"ended by {word}. Lines up to " in text and json.loads(first)["ok"], text)
            keys = in_log(jangbu, ledger)
            told = {json.loads(line)["key"] for line in apply.stdout.read().splitlines() if line.endswith("}")} | {json.loads(first)["key"]}
            check("and what it printed is in the log", told <= keys, sorted(told - keys)[:3])
            said = int(text.split("ines up to ")[1].split()[0])
            check("and what it said is", {f"{name}{i}" for i in range(min(said, 20))} <= keys, said)
    group = subprocess.Popen([jangbu, "apply", ledger, "--atomic"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    group.stdin.write(consumptions(2, "g"))
    group.stdin.flush()
    time.sleep(0.3)
    group.send_signal(signal.SIGTERM)
    check("a group that waits for its rest ends, too", group.wait(5) == 143 and not {"g0", "g1"} & in_log(jangbu, ledger), group.returncode)


def blocked(pid, name):
    """The signals that the thread of that name has blocked; None: there is no such thread."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as f:
            status = dict(line.split(":", 1) for line in f.read().splitlines() if ":" in line)
        if status["Name"].strip() == name:
            return {number for number in range(1, 65) if int(status["SigBlk"], 16) >> (number - 1) & 1}
    return None


def faults_in_a_thread(jangbu, work):
    """Where a fault's signal is blocked the kernel ends the process without the sentence about damage."""
    apply = subprocess.Popen([jangbu, "apply", new(jangbu, work, "faults")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    apply.stdin.write(consumptions(1))
    apply.stdin.flush()
    apply.stdout.readline()
    found = blocked(apply.pid, "jangbu-follow")
    for _ in range(100):  # it names itself when it has begun
        time.sleep(0 if found is not None else 0.1)
        found = blocked(apply.pid, "jangbu-follow") if found is None else found
    apply.communicate()
    check("apply follows in a thread", found is not None)
    damage = {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV}
    check("which blocks no signal of a fault", not (found or damage) & damage, found)
    check("and handles no other", {signal.SIGINT, signal.SIGTERM} <= (found or set()), found)


def process_one(jangbu, work):
    ledger = new(jangbu, work, "one")
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        checks["skipped"] += 1
        print("skipped: process 1: no right to unshare")
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        for words in (["log", ledger, "--follow"], ["apply", ledger]):
            holder = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child=KILL", jangbu, *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.7)
            with open(f"/proc/{holder.pid}/task/{holder.pid}/children") as f:
                child = int(f.read().split()[0])
            os.kill(child, number)
            try:
                holder.wait(3)
                ended = True
            except subprocess.TimeoutExpired:
                ended = False
                holder.kill()
                holder.wait()
            check(f"{words[0]} as process 1 ends by {number.name}", ended)


def main():
    jangbu = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        for part in (closed_descriptors, limits, pipes, slow_reader, signals, faults_in_a_thread, process_one):
            part(jangbu, work)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

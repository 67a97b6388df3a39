#!/usr/bin/python3
"""What jangbud says when the machine is at fault: the writer lock is held by another process that does not go on, the disk is full. Each
is said with what to do, nothing that was answered is lost, reads go on, and the same key goes through when the trouble is over.

usage: troubles.py JANGBU JANGBUD SHIM"""
import errno
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from served import Served, check, checks, ledger_in

JANGBU, JANGBUD, SHIM = sys.argv[1:4]
made = functools.partial(ledger_in, JANGBU)


def charge(number):
    return {"op": "charge", "wallet": "W", "charge": number, "amount": 1000, "key": number}


def created(s):
    a = s.post({"op": "wallet.create", "wallet": "W", "kind": "PERSONAL", "name": "W", "key": "w"})
    check("a wallet", a.status == 200, a)


def stopped_in_the_midst(ledger):
    """A process that has the writer lock and does not go on."""
    env = {**os.environ, "LD_PRELOAD": SHIM, "JB_SHIM_STOP": "log.mdb", "JB_SHIM_STOP_AT": "1"}
    holder = subprocess.Popen([JANGBU, "charge", ledger, "W", "H", "1000"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    pid, status = os.waitpid(holder.pid, os.WUNTRACED)
    check("it is stopped", os.WIFSTOPPED(status), status)
    return holder


def submits(s):
    return int(re.search(rb"^jangbu_submit_seconds_count (\d+)", s.get("/metrics").body, re.M).group(1))


def waiting(s):
    return int(re.search(rb"^jangbu_queue_depth (\d+)", s.get("/metrics").body, re.M).group(1))


def until_not_ready(s):
    for _ in range(100):
        ready = s.get("/readyz")
        if ready.status == 503:
            break
        time.sleep(0.05)
    return ready


def together(work):
    """What waits is carried out in few calls, also where one of it fails its call; beyond the queue it is refused."""
    ledger = made(work, "together")
    with Served(JANGBUD, ledger, flags=["--lock-time", "20s", "--queue", "40"]) as s:
        created(s)
        holder = stopped_in_the_midst(ledger)
        before, got = submits(s), {}

        def post(i):
            got[i] = s.post({"op": "forget", "person": "nobody", "key": f"K{i}"} if i in (7, 19) else charge(f"K{i}"))
        writers = [threading.Thread(target=post, args=(i,)) for i in range(30)]
        for i, w in enumerate(writers):
            w.start()
            if i < 2:
                time.sleep(0.2)  # each submitter has one of these
        while waiting(s) < 20:
            time.sleep(0.02)
        ready = until_not_ready(s)  # also while both have a command and nobody is left to look
        check("it is not ready long before they end", ready.status == 503 and "writer_lock" in json.dumps(ready.json) and not got, (ready, got))
        group = {"op": "atomic", "commands": [charge(f"G{i}") for i in range(30)], "key": "group"}
        for member in group["commands"]:
            del member["key"]
        a = s.post(group)
        check("a group counts as its commands where they wait", a.status == 503 and a.json["code"] == "QUEUE_FULL" and a.headers["Retry-After"] == "1", a)
        os.kill(holder.pid, signal.SIGCONT)
        holder.wait(60)
        for w in writers:
            w.join()
        calls = submits(s) - before
        check("who cannot be forgotten", all(got[i].status == 409 and got[i].json["code"] == "E_KEY" for i in (7, 19)), got)
        check("all others are done", all(a.status == 200 for i, a in got.items() if i not in (7, 19)), got)
        check("in few calls", calls <= 7, calls)


def held(work):
    """Another process stopped in the midst of writing."""
    ledger = made(work, "held")
    with Served(JANGBUD, ledger, flags=["--lock-time", "300ms"]) as s:
        created(s)
        holder, got = stopped_in_the_midst(ledger), []
        pid = holder.pid
        writers = [threading.Thread(target=lambda i=i: got.append(s.post(charge(f"C{i}")))) for i in range(8)]
        for w in writers:
            w.start()
        check("reads go on", s.get("/v1/wallets/W").json["paid"] == 0)
        for w in writers:
            w.join()
        for a in got:
            check("who holds it is said", a.status == 503 and a.json["code"] == "E_BUSY" and f"process {pid} " in a.json["detail"]
                  and int(a.headers["Retry-After"]) >= 1, a)
        lines = s.lines([charge("L1"), charge("L2")])
        check("lines are refused whole", lines.status == 503 and lines.json["code"] == "E_BUSY", lines)
        ready = until_not_ready(s)
        check("it is not ready, and says why", ready.status == 503 and "writer_lock" in json.dumps(ready.json), ready)
        os.kill(pid, signal.SIGCONT)
        holder.wait(60)
        again = [s.post(charge(f"C{i}")) for i in range(8)]
        check("the same keys go through", all(a.status == 200 for a in again), again)
        check("each is done once", s.get("/v1/wallets/W").json["paid"] == 9000, s.get("/v1/wallets/W"))


def far_behind(work):
    """Projections that are 200,000 events behind, and stay there: another process is stopped while it stores them. Balances need none, so
    they are answered while a slow read waits for those, over every loop: also that of the slow read."""
    ledger = made(work, "behind")
    lines = b"".join(json.dumps({"op": "charge", "wallet": "W", "charge": f"C{i}", "amount": 1000}).encode() + b"\n" for i in range(201_000))
    first = json.dumps({"op": "wallet.create", "wallet": "W", "kind": "PERSONAL", "name": "W"}).encode() + b"\n"
    subprocess.run([JANGBU, "apply", ledger, "-"], input=first, check=True, capture_output=True)
    subprocess.run([JANGBU, "cash-status", ledger, "W"], check=True, capture_output=True)
    views, before = os.path.join(ledger, "views.mdb"), os.path.join(work, "views.before")
    shutil.copyfile(views, before)
    subprocess.run([JANGBU, "apply", ledger, "-"], input=lines, check=True, capture_output=True)
    os.replace(before, views)  # as after a loss of power
    env = {**os.environ, "LD_PRELOAD": SHIM, "JB_SHIM_STOP": "views.mdb", "JB_SHIM_STOP_AT": "1"}
    holder = subprocess.Popen([JANGBU, "cash-status", ledger, "W"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    status = os.waitpid(holder.pid, os.WUNTRACED)[1]
    check("it is stopped while it stores", os.WIFSTOPPED(status), status)
    with Served(JANGBUD, ledger, timeout=60) as s:
        check("roles", s.get("/v1/wallets/W/who").status == 200)  # the first has the state folded
        slow, loops = [], [s.connection(unix=True) for _ in range(3)]
        for connection in loops:  # loops take them in turn, and there are two: the last has that of the first
            s.get("/healthz", connection=connection)
        reader = threading.Thread(target=lambda: slow.append(s.get("/v1/wallets/W/cash-status", connection=loops[0])))
        reader.start()
        answered = [0, 0, 0]
        while reader.is_alive() and min(answered[1:]) < 5000:
            for i in (1, 2):
                got = s.get("/v1/wallets/W", connection=loops[i]).json["paid"] == 201_000_000
                answered[i] += got and reader.is_alive()
        reader.join()
        check("balances are answered while the slow read waits", min(answered[1:]) >= 20, answered)
        check("and that has its answer", slow[0].status in (200, 503), slow)
        os.kill(holder.pid, signal.SIGCONT)
        holder.wait(60)


def stopped_with_it(work):
    """A stop while a command waits for the writer lock: clients have had their time long before, and the command is answered."""
    ledger = made(work, "stop")
    s = Served(JANGBUD, ledger, flags=["--lock-time", "1600ms", "--stop-time", "100ms", "--slow-time", "50ms"])
    created(s)
    holder, got = stopped_in_the_midst(ledger), []
    writer = threading.Thread(target=lambda: got.append(s.post(charge("C"))))
    writer.start()
    time.sleep(0.2)
    began = time.monotonic()
    status = s.stop()
    took = time.monotonic() - began
    writer.join()
    check("it ends well", status == 0 and took < 10, (status, took, s.log[-3:]))
    check("and the command has its answer", len(got) == 1 and got[0].status == 503 and got[0].json["code"] == "E_BUSY", got)
    os.kill(holder.pid, signal.SIGCONT)
    holder.wait(60)


SENTENCE = "the ledger is in use from another PID namespace (container), where processes have the same numbers: locks do not hold between the two"


def containers(work):
    """Each is process 1 of its own, as in two containers on one volume: the second one refuses, and the first goes on."""
    alone = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        print("unshare --pid is not allowed here: two containers were not tried")
        return
    ledger = made(work, "containers")
    wrapper = os.path.join(work, "contained")
    with open(wrapper, "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\nexec {" ".join(alone)} "{os.path.abspath(JANGBUD)}" "$@"\n')
    os.chmod(wrapper, 0o755)
    with Served(wrapper, ledger) as s:
        created(s)
        for program in ([*alone, os.path.abspath(JANGBUD), ledger, "--listen", "none", "--listen-unix", s.unix + "2"], [*alone, JANGBU, "charge", ledger, "W", "X", "1000"],
                        [os.path.abspath(JANGBUD), ledger, "--check"]):
            out = subprocess.run(program, capture_output=True, text=True, timeout=60)
            check("another container is refused", out.returncode in (2, 3) and SENTENCE in out.stderr, out)
        a = s.post(charge("after"))
        check("and the first one goes on", a.status == 200 and s.get("/v1/wallets/W").json["paid"] == 1000, a)
        s.process.terminate()
        subprocess.run(["kill", "-TERM", *children(s.process.pid)], check=False)
        s.process.wait(20)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return f.read().split()


def full(work):
    """A write finds no space, at one call after the other."""
    seen = set()
    for n in (1, 3, 6, 9, 12, 15):
        ledger = made(work, f"full-{n}")
        subprocess.run([JANGBU, "wallet", "create", ledger, "W", "--kind", "PERSONAL", "--name", "W"], check=True, capture_output=True)
        os.environ.update({"LD_PRELOAD": SHIM, "JB_SHIM_CALL": "write", "JB_SHIM_FAIL": str(n), "JB_SHIM_ERRNO": str(errno.ENOSPC)})
        try:
            s = Served(JANGBUD, ledger, flags=["--sync-time", "60s"])
        except RuntimeError:
            continue  # it found none when it began
        finally:
            for name in ("LD_PRELOAD", "JB_SHIM_CALL", "JB_SHIM_FAIL", "JB_SHIM_ERRNO"):
                del os.environ[name]
        with s:
            for i in range(12):
                a = s.post(charge(f"F{i}"))
                seen.add(a.status)
                check("done, or why not", a.status == 200 or (a.status in (503, 507) and a.json["code"] in ("E_FULL", "E_IO", "E_UNKNOWN") and a.json["detail"]), a)
                reasons = [r["reason"] for r in s.get("/readyz").json["reasons"]]
                check("it is not ready where the last write failed", ("writes" in reasons) == (a.status != 200), (a, reasons))
                again = s.post(charge(f"F{i}"))
                check("the same key goes through", again.status == 200, again)
                check("and it is ready again", b'"writes"' not in s.get("/readyz").body)
            check("each is done once", s.get("/v1/wallets/W").json["paid"] == 12000, s.get("/v1/wallets/W"))
        check("the audit verifies", subprocess.run([JANGBU, "audit", ledger], capture_output=True).returncode == 0)
    check("507 was among them", 507 in seen, seen)


def main():
    global SHIM
    with tempfile.TemporaryDirectory(prefix="jangbud-") as work:
        # LD_PRELOAD cannot name a path with a blank: the shim by another name.
        os.symlink(os.path.abspath(SHIM), os.path.join(work, "shim.so"))
        SHIM = os.path.join(work, "shim.so")
        held(work)
        far_behind(work)
        stopped_with_it(work)
        containers(work)
        together(work)
        full(work)
    print(f"{checks['passed']} checks passed, {checks['failed']} failed")
    return 1 if checks["failed"] or checks["passed"] < 60 else 0


if __name__ == "__main__":
    sys.exit(main())

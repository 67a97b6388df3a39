#!/usr/bin/python3
"""Who else uses the ledger, and what of its locks is left: another PID namespace, lock files deleted while they are in use, a process that is stopped
inside each file, killed readers, more handles than LMDB has places for readers.

usage: locks.py JANGBU           what a deadline is not waited for in
       locks.py JANGBU SHIM      the processes that are stopped"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import lmdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import check, checks, new, preload, run  # noqa: E402


def consume(name):
    return json.dumps({"op": "consume", "wallet": "W0", "usage": name, "amount": 1, "overdraft": True, "key": name, "note": "note " + name}) + "\n"


def in_log(jangbu, ledger):
    return {e["key"] for e in map(json.loads, run(jangbu, "log", ledger, "--json").stdout.splitlines()) if "key" in e}


def contents(ledger):
    return {name: open(os.path.join(ledger, name), "rb").read() for name in os.listdir(ledger)
            if not name.endswith("lock") and os.path.isfile(os.path.join(ledger, name))}


def side_by_side(programs):
    """They wait, most of the time, and not for each other."""
    with ThreadPoolExecutor(len(programs)) as pool:
        return list(pool.map(lambda words: subprocess.run(words, capture_output=True, text=True, timeout=60), programs))


def namespaces(jangbu, work):
    """Processes of two PID namespaces have the same numbers, by which mutexes know their owners: whoever comes second is refused, and writes nothing."""
    ledger = new(jangbu, work, "namespaces")
    apart = ["unshare", "--pid", "--fork", "--kill-child=KILL"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode != 0:
        checks["skipped"] += 1
        print("skipped: PID namespaces: no right to unshare")
        return
    for first in (["log", ledger, "--follow"], ["apply", ledger]):
        holder = subprocess.Popen([*apart, jangbu, *first], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        time.sleep(0.7)
        before = contents(ledger)
        seconds = [[*second, jangbu, *words] for second in ([], apart)
                   for words in (["balance", ledger, "W0"], ["charge", ledger, "W0", "N1", "5000"], ["audit", ledger], ["rebuild", ledger], ["log", ledger],
                                 ["backup", ledger, ledger + "-copy"])]
        for words, out in zip(seconds, side_by_side(seconds)):
            check(f"{words} beside {first[0]} of another namespace", out.returncode in (2, 3) and "PID namespace" in out.stderr, (out.returncode, out.stderr))
        check("and nothing was written", contents(ledger) == before and not os.path.exists(ledger + "-copy"))
        holder.kill()
        holder.wait()
        time.sleep(0.2)
        check("once it has ended, others may", run(jangbu, "balance", ledger, "W0").returncode == 0)
    script = 'mount -t tmpfs none /proc && exec "$@"'
    hidden = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*hidden, "true"], capture_output=True).returncode != 0:
        checks["skipped"] += 1
        print("skipped: without /proc: no right to mount")
        return
    out = subprocess.run([*hidden, jangbu, "balance", ledger, "W0"], capture_output=True, text=True)
    check("without /proc one alone may", out.returncode == 0, out.stderr)
    for one, other in ((hidden, []), ([], hidden), (hidden, hidden)):
        holder = subprocess.Popen([*one, jangbu, "log", ledger, "--follow"], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        out = subprocess.run([*other, jangbu, "balance", ledger, "W0"], capture_output=True, text=True)
        check("without /proc a second may not", out.returncode == 2 and "/proc" in out.stderr, (out.returncode, out.stderr))
        holder.kill()
        holder.wait()


class Apply:
    """A program that waits for its next line."""

    def __init__(self, jangbu, ledger):
        self.process = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def say(self, name):
        """True: it was acknowledged."""
        try:
            self.process.stdin.write(consume(name))
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        line = self.process.stdout.readline()
        return line != "" and json.loads(line)["ok"]

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.process.wait(30), self.process.stderr.read()


LOCKS = ["lock", "log.mdb-lock", "people.mdb-lock", "state.mdb-lock", "views.mdb-lock"]


def deleted_of(jangbu, work, names):
    ledger = new(jangbu, work, "deleted-" + names[-1] + str(len(names)))
    one = Apply(jangbu, ledger)
    told = {name for name in ("a1", "a2") if one.say(name)}
    for name in names:
        os.remove(os.path.join(ledger, name))
    others = []
    for words in (["apply", ledger], ["balance", ledger, "W0"], ["audit", ledger]):
        out = run(jangbu, *words, feed=consume("b0") if words[0] == "apply" else None)
        others.append((out.returncode, out.stderr))
        told |= {"b0"} if words[0] == "apply" and out.returncode == 0 else set()
    told |= {"a3"} if one.say("a3") else set()
    code, text = one.end()
    check(f"whoever finds {names} deleted says so", any("was deleted while programs use the ledger" in t for _, t in others), (others, text))
    check(f"the first goes on or says so ({names})", code == 0 or "was deleted while" in text, (code, text))
    lost = told - in_log(jangbu, ledger)
    check(f"nothing acknowledged is lost ({names})", not lost and len(told) >= 2, lost)
    check(f"and the ledger is whole ({names})", run(jangbu, "audit", ledger).returncode == 0, run(jangbu, "audit", ledger).stdout)


def deleted(jangbu, work):
    cases = [[name] for name in LOCKS] + [LOCKS]
    with ThreadPoolExecutor(len(cases)) as pool:
        list(pool.map(lambda names: deleted_of(jangbu, work, names), cases))


def counted_elsewhere(jangbu, work):
    """Two transactions through a lock file that the program does not know: its next command must not write over them."""
    for name in ("log.mdb", "people.mdb", "state.mdb"):
        ledger = new(jangbu, work, "elsewhere-" + name)
        one = Apply(jangbu, ledger)
        check("the program runs", one.say("a1"))
        os.remove(os.path.join(ledger, name + "-lock"))
        with lmdb.open(os.path.join(ledger, name), subdir=False, max_dbs=32) as env:
            key = b"\xff" * 8 if name == "log.mdb" else b"other"
            with env.begin(write=True) as txn:
                txn.put(key, b"x")
            with env.begin(write=True) as txn:
                txn.delete(key)
        told = {f"a{i}" for i in range(2, 9) if one.say(f"a{i}")}
        code, text = one.end()
        if name != "state.mdb":  # a cache that cannot be written is left as it is
            check(f"it does not write over what others committed to {name}", not told and code == 3 and "was deleted while" in text, (told, code, text))
        lost = (told | {"a1"}) - in_log(jangbu, ledger)
        check(f"and nothing acknowledged is lost ({name})", not lost, lost)
        check(f"nor anything damaged ({name})", run(jangbu, "audit", ledger).returncode == 0, run(jangbu, "audit", ledger).stdout)


STOPS = (
    ("people.mdb", ["wallet", "create", "LEDGER", "WX", "--kind", "PERSONAL", "--name", "n"], "1", False, True),
    ("log.mdb", ["wallet", "create", "LEDGER", "WX", "--kind", "PERSONAL", "--name", "n"], "1", False, True),
    ("state.mdb", ["rebuild", "LEDGER"], "2", False, False),
    ("views.mdb", ["rebuild", "LEDGER"], "2", False, False),
    ("views.mdb", ["apply", "LEDGER"], "1", True, True),
    ("state.mdb", ["charge", "LEDGER", "W0", "M1", "5000"], "1", True, True),
)


def stopped_in(jangbu, preloaded, work, name, words, at, make, held):
    """A process that is stopped while it writes to one of the files, or makes it."""
    ledger = new(jangbu, work, f"stopped-{name}-{words[0]}-{make}")
    run(jangbu, "balance", ledger, "W0")
    if make:
        os.remove(os.path.join(ledger, name))
        os.remove(os.path.join(ledger, name + "-lock"))
    env = {**os.environ, **preloaded, "JB_SHIM_STOP": name, "JB_SHIM_STOP_AT": at}
    holder = subprocess.Popen([jangbu, *[ledger if w == "LEDGER" else w for w in words]], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    pid, status = os.waitpid(holder.pid, os.WUNTRACED)
    check(f"{words[0]} is stopped in {name}", os.WIFSTOPPED(status), status)
    seconds = [[jangbu, "charge", ledger, "W0", "S1", "5000"], [jangbu, "balance", ledger, "W0"], [jangbu, "log", ledger]]
    for more, out in zip(seconds, side_by_side(seconds)):
        told = out.returncode == 3 and f"process {pid} " in out.stderr
        ok = out.returncode == 0 or told
        check(f"{more[1]} beside {words[0]} stopped in {name}{' while it makes it' if make else ''}", ok and (not held or more[1] != "charge" or told),
              (out.returncode, out.stderr))
    os.kill(pid, signal.SIGCONT)
    holder.wait(60)
    check("and then all goes on", run(jangbu, "charge", ledger, "W0", "S2", "5000").returncode == 0 and run(jangbu, "audit", ledger).returncode == 0)


def stopped(jangbu, shim, work):
    preloaded = preload(shim, work)
    with ThreadPoolExecutor(len(STOPS)) as pool:
        list(pool.map(lambda stop: stopped_in(jangbu, preloaded, work, *stop), STOPS))


def readers(jangbu, work):
    """Many programs that follow the log at once, and killed ones."""
    ledger = new(jangbu, work, "readers")
    followers = [subprocess.Popen([jangbu, "log", ledger, "--follow"], stdout=subprocess.DEVNULL) for _ in range(60)]
    time.sleep(2)
    table = subprocess.run(["mdb_stat", "-n", "-r", os.path.join(ledger, "log.mdb")], capture_output=True, text=True).stdout
    places = [line.split()[0] for line in table.splitlines() if line.split() and line.split()[0].isdigit()]
    check("a program that waits keeps at most two places for readers", len(places) <= 120 and len(set(places)) >= 60, len(places))
    for follower in followers:
        follower.kill()
        follower.wait()
    run(jangbu, "charge", ledger, "W0", "R1", "5000")
    table = subprocess.run(["mdb_stat", "-n", "-r", os.path.join(ledger, "log.mdb")], capture_output=True, text=True).stdout
    places = [line.split()[0] for line in table.splitlines() if line.split() and line.split()[0].isdigit()]
    check("and those of killed ones are given back", len(places) <= 2, table)


def main():
    jangbu = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        if len(sys.argv) > 2:
            stopped(jangbu, sys.argv[2], work)
        else:
            for part in (namespaces, deleted, counted_elsewhere, readers):
                part(jangbu, work)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**checks))
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

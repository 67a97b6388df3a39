"""Load with a recorded history: processes of several threads write and read one ledger while some are killed or stopped for a moment, and a rebuild and
backups go on. Afterwards each answer is judged by the log: every key once and where it was said to be, numbers follow real time, no read is older
than what was answered before it began, and each read is the fold of the log up to its number."""
import bisect
import json
import os
import signal
import subprocess
import time

from common import Failure, check_balances, check_verified, events, fold, move

ROWS = ("load",)
WALLETS = 8
ROUND_SECONDS = 3


def start(bench, ledger, work, rng, number, threads):
    history = os.path.join(work, "h%d" % number)
    p = subprocess.Popen([bench.helper("load"), ledger, history, str(ROUND_SECONDS), str(rng.randrange(1 << 30)), str(1 + number * 1000000), str(threads)],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return p, history


def disturb(bench, ledger, work, rng, processes):
    """Until all have ended. Returns those that were killed."""
    killed, stopped, backups = set(), {}, 0
    end = time.monotonic() + ROUND_SECONDS + 30
    while any(p.poll() is None for p, _ in processes):
        if time.monotonic() > end:
            for p, _ in processes:
                p.kill()
            raise Failure("hangs", "a process of the load did not end")
        time.sleep(0.1)
        for pid, until in list(stopped.items()):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGCONT)
                del stopped[pid]
        p, _ = rng.choice(processes)
        what = rng.random()
        if p.poll() is None and what < 0.04 and len(killed) + 1 < len(processes):
            p.kill()
            killed.add(p.pid)
            stopped.pop(p.pid, None)
        elif p.poll() is None and what < 0.12 and p.pid not in stopped:
            os.kill(p.pid, signal.SIGSTOP)
            stopped[p.pid] = time.monotonic() + rng.choice((0.1, 0.3, 0.8))
        elif what < 0.15:
            bench.run("rebuild", ledger)
        elif what < 0.18:
            backups += 1
            bench.run("backup", ledger, os.path.join(work, "copy%d" % backups))
    return killed


def read_histories(paths):
    writes, reads = [], []
    for path in paths:
        for line in open(path, encoding="ascii").read().split("\n")[:-1] if os.path.exists(path) else []:
            x = line.split()
            if x[0] == "W":
                writes.append((int(x[1]), int(x[2]), x[3], int(x[4]), int(x[6])))
            else:
                reads.append((int(x[1]), int(x[2]), x[3], int(x[4]), int(x[5]), int(x[6]), int(x[7])))
    return writes, reads


DONE, REFUSED, DUPLICATE = 1, 2, 3


def judge_writes(writes, keys):
    told = {}
    for _, _, key, outcome, seq in writes:
        if outcome not in (DONE, REFUSED, DUPLICATE):
            continue
        if told.setdefault(key, seq) != seq:
            raise Failure("doubled", "key %s was answered as event %d and as %d" % (key, told[key], seq))
        if keys.get(("", key)) != seq:
            raise Failure("lost", "key %s was answered as event %d and is %s" % (key, seq, keys.get(("", key))))
    return len(told)


def judge_time(writes, reads):
    """What begins after an answer sees what was answered; what is done after it stands behind it."""
    ended = sorted((end, seq) for _, end, _, outcome, seq in writes if outcome in (DONE, REFUSED, DUPLICATE))
    began = sorted([(begin, seq, outcome in (DONE, REFUSED), "write") for begin, _, _, outcome, seq in writes if outcome in (DONE, REFUSED, DUPLICATE)] +
                   [(begin, seq, False, "read") for begin, _, _, seq, _, _, _ in reads])
    at = newest = 0
    for begin, seq, is_new, what in began:
        while at < len(ended) and ended[at][0] < begin:
            newest = max(newest, ended[at][1])
            at += 1
        if is_new and seq <= newest:
            raise Failure("other", "event %d was answered before a command began that became event %d" % (newest, seq))
        if what == "read" and seq < newest:
            raise Failure("unseen", "a read as of event %d began after event %d was answered" % (seq, newest))


def judge_reads(log, reads):
    state, steps = {}, {}
    for e in log:
        if e["wallet"] is None:
            continue
        w = state.setdefault(e["wallet"], {"paid": 0, "free": 0, "free_dormant": 0})
        if e["type"] != "wallet_created":
            move(w, e)
        steps.setdefault(e["wallet"], []).append((e["seq"], w["paid"], w["free"]))
    for _, _, wallet, seq, paid, free, version in reads:
        step = steps[wallet][bisect.bisect_right(steps[wallet], (seq, 1 << 62, 0)) - 1]
        if (version, paid, free) != step:
            raise Failure("unseen", "%s as of event %d was read as %s, the log says %s" % (wallet, seq, (version, paid, free), step))


def one_round(bench, row, rng, work):
    ledger = os.path.join(work, "l")
    bench.run("init", ledger, check=True)
    bench.run("apply", ledger, check=True, feed="".join(json.dumps(
        {"op": "wallet.create", "wallet": "W%d" % w, "kind": "BUSINESS", "name": "w"}) + "\n" for w in range(WALLETS)))
    processes = [start(bench, ledger, work, rng, i, rng.choice((1, 2, 8))) for i in range(rng.randrange(2, 6))]
    killed = disturb(bench, ledger, work, rng, processes)
    for p, _ in processes:
        errors = p.stderr.read().decode("utf-8", "replace")
        p.stderr.close()
        if p.returncode < 0 and p.pid not in killed:
            raise Failure("crashes", "a process of the load ended by signal %d: %s" % (-p.returncode, errors[-300:]))
        if p.returncode > 0:
            raise Failure("other", "a process of the load ended with %d: %s" % (p.returncode, errors[-300:]))
    writes, reads = read_histories([history for _, history in processes])
    log = events(bench, ledger)
    row.add("acknowledged", judge_writes(writes, fold(log)[1]))
    judge_time(writes, reads)
    judge_reads(log, reads)
    check_balances(bench, ledger, log)
    check_verified(bench, ledger)

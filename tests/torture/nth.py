"""The n-th call of a kind fails, once or from then on, in each sub-command of the program: calls that the kernel refuses, and allocations. Each time:
no signal, no hang, no wrong answer (what is answered is what a run without failures answers, or it is an error), and the ledger is sound
afterwards: the audit verifies it, and the same input settles it."""
import json
import os
import shutil

from common import Failure, check_acknowledged, check_balances, check_verified, copy_ledger, events, fold, results, same_every_time, stream

ROWS = ("n-th calls", "n-th allocations")
ERRNOS = {"write": (5, 28), "sync": (5,), "open": (24, 13, 2), "map": (12,), "read": (5, 4), "size": (28, 27), "name": (5, 28)}
CALLS = tuple(ERRNOS)
EINTR = 4


def commands(ledger, work):
    """(name, arguments, input, whether it may write to the ledger) of every sub-command."""
    lines = stream(__import__("random").Random(2), 12, "n", create=False)
    lines.append(json.dumps({"op": "atomic", "key": "group", "commands": [
        {"op": "charge", "wallet": "W0", "charge": "ga", "amount": 2000}, {"op": "consume", "wallet": "W0", "usage": "gu", "amount": 10}]}))
    lines.append('{"op":"consume","wallet":"W0","usage":"malformed","amount":"x","key":"bad"}')
    one = ("--key", "one")
    new = os.path.join(work, "new")
    return [
        ("init", ("init", new), None, False),
        ("apply", ("apply", ledger), "\n".join(lines) + "\n", True),
        ("dry run", ("apply", ledger, "--dry-run"), "\n".join(lines) + "\n", False),
        ("wallet", ("wallet", "create", ledger, "W9", "--kind", "PERSONAL", "--name", "nine", *one), None, True),
        ("charge", ("charge", ledger, "W0", "one", "5000", *one), None, True),
        ("repay", ("repay", ledger, "W0", "1000", *one), None, True),
        ("grant", ("grant", ledger, "W0", "one", "300", "--expires-on", "2090-01-01", *one), None, True),
        ("activate", ("activate", ledger, "W0", "none", *one), None, True),
        ("consume", ("consume", ledger, "W0", "one", "10", "--overdraft", *one), None, True),
        ("refund", ("refund", "request", ledger, "W0", "one", "10", *one), None, True),
        ("policy", ("policy", "set", ledger, "min_charge", "2000", *one), None, True),
        ("day", ("day", "close", ledger, "2026-01-01", *one), None, True),
        ("balance", ("balance", ledger, "--all", "--json"), None, False),
        ("balance of one", ("balance", ledger, "W1"), None, False),
        ("cash-status", ("cash-status", ledger, "W1", "--json"), None, False),
        ("history", ("history", ledger, "W1", "--json"), None, False),
        ("explain", ("explain", ledger, "W1", "--json"), None, False),
        ("log", ("log", ledger, "--json"), None, False),
        ("log as a table", ("log", ledger), None, False),
        ("stat", ("stat", ledger, "--json"), None, False),
        ("audit", ("audit", ledger, "--json"), None, False),
        ("rebuild", ("rebuild", ledger), None, False),
        ("export csv", ("export", ledger, "--format", "csv"), None, False),
        ("export jsonl", ("export", ledger, "--format", "jsonl"), None, False),
        ("export hledger", ("export", ledger, "--format", "hledger"), None, False),
        ("backup", ("backup", ledger, new), None, False),
    ]


def base_of(bench):
    base = os.path.join(bench.work, "nth-base")
    if not os.path.exists(base):
        made = base + ".new"
        bench.run("init", made, check=True)
        bench.run("apply", made, feed="\n".join(stream(__import__("random").Random(3), 40, "b")) + "\n", check=True)
        os.rename(made, base)
    return base


class Case:
    """One sub-command on a copy of one ledger, with and without failures."""

    def __init__(self, bench, work, number):
        self.bench, self.work, self.ledger = bench, work, os.path.join(work, "l")
        self.name, self.args, self.feed, self.writes = commands(self.ledger, work)[number]
        self.env = bench.preload("libnth.so")
        self.good = self.fresh_run({})

    def fresh_run(self, env):
        copy_ledger(base_of(self.bench), self.ledger)
        shutil.rmtree(os.path.join(self.work, "new"), ignore_errors=True)
        return self.bench.run(*self.args, feed=self.feed, env=env, seconds=30)

    def count(self, kind):
        path = os.path.join(self.work, "count")
        if os.path.exists(path):
            os.unlink(path)
        self.fresh_run({**self.env, "JB_NTH_CLASS": kind, "JB_NTH_COUNT": path})
        return max((int(line) for line in open(path)), default=0) if os.path.exists(path) else 0

    def fail(self, kind, n, errno, sticky):
        """True: the program ended with an error; False: it went on."""
        what = "%s: the %s call of %s fails%s" % (self.name, n, kind, " with %d" % errno if errno else "") + (", and all after it" if sticky else "")
        try:
            out = self.fresh_run({**self.env, "JB_NTH_CLASS": kind, "JB_NTH": str(n), "JB_NTH_ERRNO": str(errno), "JB_NTH_STICKY": "1" if sticky else "0"})
            self.judge(out, kind)
            self.settle(results(out.stdout))
        except Failure as e:
            raise Failure(e.column, "%s: %s" % (what, e)) from None
        return out.returncode == 3

    def judge(self, out, kind):
        good, got = same_every_time(self.good.stdout), same_every_time(out.stdout)
        if out.returncode == self.good.returncode and got == good:
            return
        if self.name in ("apply", "dry run"):
            self.judge_answers(out)
        elif out.returncode == self.good.returncode and "it is done; what the wallet has now cannot be told" in out.stderr:
            without = [line for line in good.split("\n") if not line.startswith("balance now: ")]
            if got.split("\n") != without:
                raise Failure("unseen", "more is left out than the balance: %s" % got[:400])
        elif out.returncode == self.good.returncode and self.name not in ("audit", "stat", "rebuild"):
            raise Failure("unseen", "exit %d as without failures, with other output: %s" % (out.returncode, got[:400]))
        elif out.returncode != 3 and not (self.name in ("audit", "stat", "rebuild") and out.returncode == self.good.returncode):
            raise Failure("other", "exit %d: %s %s" % (out.returncode, out.stdout[:300], out.stderr[-300:]))
        if out.returncode == 3 and self.name not in ("audit", "apply", "dry run") and not good.startswith(got) and got.strip():
            raise Failure("unseen", "what was printed before the error is not what is right: %s" % got[:400])
        if kind == "alloc" and out.returncode == 3 and not any(word in (out.stderr + out.stdout).lower() for word in ("memory", "start a thread")):
            raise Failure("other", "it does not say that memory was short: %s" % out.stderr[-300:])

    def judge_answers(self, out):
        """Each answer by key is the right one; what is missing is told by the exit code."""
        right, got = results(self.good.stdout), results(out.stdout)
        for key, result in got.items():
            if same_every_time(json.dumps(right.get(key))) != same_every_time(json.dumps(result)):
                raise Failure("unseen", "key %s was answered %s, right is %s" % (key, result, right.get(key)))
        if len(got) != len(right) and out.returncode != 3:
            raise Failure("other", "exit %d with %d answers of %d: %s" % (out.returncode, len(got), len(right), out.stderr[-300:]))

    def settle(self, told):
        bench = self.bench
        log = events(bench, self.ledger)
        if self.name == "apply":
            check_acknowledged(fold(log)[1], told)
        check_verified(bench, self.ledger)
        check_balances(bench, self.ledger, log)
        if self.name in ("init", "backup"):
            # What failed leaves nothing in the way.
            made = self.args[-1]
            again = bench.run(*self.args)
            if again.returncode != 0 and bench.run("stat", made, "--json").returncode != 0:
                raise Failure("other", "it failed and cannot be repeated: %s" % again.stderr[-300:])
            check_verified(bench, made)
        elif self.writes:
            again = bench.run(*self.args, feed=self.feed)
            if again.returncode not in (0, 1):
                raise Failure("other", "the same again ends with %d: %s" % (again.returncode, again.stderr[-300:]))
            if self.name == "apply" and same_every_time(json.dumps(results(again.stdout))) != same_every_time(json.dumps(results(self.good.stdout))):
                raise Failure("doubled", "the same again is answered otherwise: %s" % again.stdout[:400])
            fold(events(bench, self.ledger))


def one_round(bench, row, rng, work):
    number = rng.randrange(len(commands("", "")))
    case = Case(bench, work, number)
    kind = "alloc" if row.name == ROWS[1] else rng.choice(CALLS)
    count = case.count(kind)
    if count == 0:
        return
    for n in rng.sample(range(1, count + 1), min(4, count)):
        errno = 0 if kind == "alloc" else rng.choice(ERRNOS[kind])
        sticky = rng.random() < 0.25 and errno != EINTR  # no kernel interrupts for ever
        case.fail(kind, n, errno, sticky)
        row.add("rounds")
    row.add("rounds", -1)

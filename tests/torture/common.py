"""Shared by the kinds of fault that tools/torture knows: running the program, what it acknowledged, and an oracle outside of the library.

The oracle is what stood on standard output, the same input applied again, balances folded here from `log --json`, and `audit`."""
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time

HANG_SECONDS = 60
COLUMNS = ("rounds", "acknowledged", "lost", "doubled", "unseen", "crashes", "hangs", "other", "known", "skipped")


# What is known and not mended yet, with the reason: counted, and no failure. Empty it with the mend.
KNOWN = (
    ("device errors: .*people.mdb is not a file of this program",
     "the device failed while people.mdb was made, and so long that FAULT could not be written either: the next process does not know of it"),
)


def known(text):
    return next((reason for pattern, reason in KNOWN if re.search(pattern, text, re.S)), None)


class Failure(Exception):
    """column: lost, doubled, unseen, crashes, hangs or other."""

    def __init__(self, column, text):
        super().__init__(text)
        self.column = column


class Skip(Exception):
    """This machine does not allow it."""


class Row:
    """One line of the table."""

    def __init__(self, name):
        self.name = name
        self.counts = dict.fromkeys(COLUMNS, 0)

    def add(self, column, n=1):
        self.counts[column] += n


class Bench:
    """What every round has at hand: the program, the helpers that were built beside it, and a directory of its own."""

    def __init__(self, program, helpers, work):
        self.program, self.helpers, self.work = program, helpers, work

    def helper(self, name):
        path = os.path.join(self.helpers, name)
        if not os.path.exists(path):
            raise Skip("%s is not built" % name)
        return path

    def preload(self, name):
        """LD_PRELOAD cannot name a path with a space or a colon: a link in a directory that has neither."""
        link = os.path.join(self.work, name)
        if not os.path.exists(link):
            os.symlink(self.helper(name), link)
        if " " in link or ":" in link:
            raise Skip("the temporary directory has a space or a colon in its name")
        return {"LD_PRELOAD": link}

    def run(self, *args, feed=None, env=None, seconds=HANG_SECONDS, limits=None, check=False):
        """Runs the program. A signal is a crash, no end is a hang: nobody sends either here."""
        try:
            out = subprocess.run([self.program, *args], input=feed.encode() if feed is not None else None, capture_output=True,
                                 env={**os.environ, **(env or {})}, timeout=seconds, preexec_fn=limits)
        except subprocess.TimeoutExpired:
            raise Failure("hangs", "`%s` did not end within %d s" % (" ".join(args), seconds)) from None
        out.stdout, out.stderr = out.stdout.decode("utf-8", "replace"), out.stderr.decode("utf-8", "replace")
        if out.returncode < 0:
            raise Failure("crashes", "`%s` ended by signal %d: %s" % (" ".join(args), -out.returncode, out.stderr[-300:]))
        if check and out.returncode not in (0, 1):
            raise Failure("other", "`%s` ended with %d: %s" % (" ".join(args), out.returncode, out.stderr[-300:]))
        return out


def copy_ledger(source, target):
    """Lock files are left out: they are made again, and are most of the bytes."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=lambda _, names: [n for n in names if n == "lock" or n.endswith("-lock") or n.endswith("-users")])


def stream(rng, n, prefix, wallets=4, create=True):
    """n keyed commands (or a few more) on some wallets; some are refused. No times: the system's clock is the ledger's."""
    lines, used = [], []

    def add(op, **members):
        lines.append(json.dumps({"op": op, **members, "key": "%s-%d" % (prefix, len(lines))}))

    if create:
        for w in range(wallets):
            add("wallet.create", wallet="W%d" % w, kind="BUSINESS", name="name %d" % w, master="master-%d" % w, note="a note on %d" % w)
    while len(lines) < n:
        wallet, i, what = "W%d" % rng.randrange(wallets), len(lines), rng.random()
        if what < 0.3:
            add("charge", wallet=wallet, charge="%s-C%d" % (prefix, i), amount=1000 + rng.randrange(9000))
        elif what < 0.4:
            add("free.grant", wallet=wallet, grant="%s-G%d" % (prefix, i), amount=1 + rng.randrange(900), expires_on="2090-01-01", reason="thanks")
            add("free.activate", wallet=wallet, grant="%s-G%d" % (prefix, i))
        elif what < 0.5 and used:
            wallet, usage = rng.choice(used)
            add("consume.reverse", wallet=wallet, usage=usage, amount=1 + rng.randrange(300))
        elif what < 0.55:
            add("refund.request", wallet=wallet, refund="%s-R%d" % (prefix, i), amount=1 + rng.randrange(500))
            add("refund.approve", wallet=wallet, refund="%s-R%d" % (prefix, i))
        else:
            used.append((wallet, "%s-U%d" % (prefix, i)))
            add("consume", wallet=wallet, usage=used[-1][1], amount=1 + rng.randrange(2500), overdraft=rng.random() < 0.3)
    return lines


def results(text):
    """Final answers by key, without what only says that one is a repetition. A line that a kill cut is none."""
    found = {}
    for line in text.split("\n")[:-1]:
        try:
            result = json.loads(line)
        except ValueError:
            continue
        if "key" not in result or result.get("outcome") == "UNKNOWN":
            continue
        result.pop("duplicate", None)
        result.pop("line", None)
        found[result["key"]] = result
    return found


def events(bench, ledger):
    out = bench.run("log", ledger, "--json")
    if out.returncode != 0:
        raise Failure("lost", "the log cannot be read: %s" % out.stderr[-300:])
    return [json.loads(line) for line in out.stdout.splitlines()]


def fold(log):
    """(balances by wallet, sequence numbers by key). Written from docs/rules.md: none of the library's code takes part."""
    wallets, keys = {}, {}
    for number, e in enumerate(log, 1):
        if e["seq"] != number:
            raise Failure("lost", "event %d stands where %d should" % (e["seq"], number))
        if "key" in e:
            key = e["caller"], e["key"]
            if key in keys:
                raise Failure("doubled", "key %s stands in events %d and %d" % (key, keys[key], number))
            keys[key] = number
        if e["type"] == "wallet_created":
            wallets[e["wallet"]] = {"paid": 0, "free": 0, "free_dormant": 0}
        elif e["wallet"] is not None:
            move(wallets[e["wallet"]], e)
    return wallets, keys


def move(w, e):
    kind = e["type"]
    if kind in ("charge_settled", "debt_repaid"):
        w["paid"] += e["amount"]
    elif kind == "free_granted":
        w["free_dormant"] += e["amount"]
    elif kind == "free_activated":
        w["free_dormant"] -= e["amount"]
        w["free"] += e["amount"]
    elif kind == "free_revoked":
        w["free_dormant"] -= e["amount"]
    elif kind in ("free_expired", "free_forfeited"):
        w["free" if e["in_use"] else "free_dormant"] -= e["amount"]
    elif kind in ("cash_consumed", "charge_reversed", "refund_approved"):
        for part in e["parts"]:
            w["free" if part["from"] == "free" else "paid"] -= part["amount"]
    elif kind in ("consumption_reversed", "refund_failed"):
        for part in e["parts"]:
            if part["to"] in ("paid", "debt", "free"):
                w["free" if part["to"] == "free" else "paid"] += part["amount"]


def check_acknowledged(log_keys, told, caller=""):
    for key, result in told.items():
        if "seq" in result and log_keys.get((caller, key)) != result["seq"]:
            raise Failure("lost", "key %s was acknowledged as event %d and is %s" % (key, result["seq"], log_keys.get((caller, key))))


def check_balances(bench, ledger, log):
    wallets, _ = fold(log)
    out = bench.run("balance", ledger, "--all", "--json", check=True)
    seen = 0
    for line in out.stdout.splitlines():
        b = json.loads(line)
        seen += 1
        for name, value in wallets[b["wallet"]].items():
            if b[name] != value:
                raise Failure("unseen", "%s of %s is said to be %s and is %s by the log" % (name, b["wallet"], b[name], value))
    if seen != len(wallets):
        raise Failure("unseen", "%d balances of %d wallets" % (seen, len(wallets)))


def check_verified(bench, ledger):
    out = bench.run("audit", ledger, "--json")
    verdict = json.loads(out.stdout)["verdict"] if out.stdout.strip() else None
    if verdict != "verified":
        raise Failure("other", "audit says %s, exit %d: %s %s" % (verdict, out.returncode, out.stdout[-600:], out.stderr[-200:]))


def check_settled(bench, ledger, lines, told):
    """The whole of the oracle: nothing acknowledged is lost, nothing is there twice, and the same input again gives the same answers."""
    log = events(bench, ledger)
    check_acknowledged(fold(log)[1], told)
    again = bench.run("apply", ledger, feed="\n".join(lines) + "\n", check=True)
    second = results(again.stdout)
    for key, result in told.items():
        if second.get(key) != result:
            raise Failure("lost", "key %s was answered %s and then %s" % (key, result, second.get(key)))
    if len(second) != len(lines):
        raise Failure("other", "the same input again has %d answers of %d" % (len(second), len(lines)))
    if sum(result["ok"] for result in second.values()) < 4:
        raise Failure("other", "hardly any command was carried out: this round has shown nothing")
    check_balances(bench, ledger, events(bench, ledger))
    check_verified(bench, ledger)
    return second


class Feeder:
    """`jangbu apply` that is fed some lines at a time and whose answers are kept as they come."""

    def __init__(self, bench, ledger, lines, step, wrap=(), env=None):
        self.lines, self.step, self.printed = lines, step, []
        self.process = subprocess.Popen([*wrap, bench.program, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **(env or {})})
        self.thread = threading.Thread(target=self.feed, daemon=True)
        self.thread.start()

    def feed(self):
        try:
            for i in range(0, len(self.lines), self.step):
                part = self.lines[i:i + self.step]
                self.process.stdin.write(("\n".join(part) + "\n").encode())
                self.process.stdin.flush()
                for _ in part:
                    line = self.process.stdout.readline()
                    if not line:
                        return
                    self.printed.append(line)
        except (OSError, ValueError):
            pass
        finally:
            try:
                self.process.stdin.close()
            except OSError:
                pass

    def kill(self):
        self.process.kill()

    def end(self, may_be_killed):
        """Its final answers by key."""
        self.thread.join(HANG_SECONDS)
        if self.thread.is_alive():
            self.process.kill()
            self.thread.join()
            self.close()
            raise Failure("hangs", "apply did not answer for %d s" % HANG_SECONDS)
        rest = self.process.stdout.read()
        code = self.process.wait()
        errors = self.process.stderr.read().decode("utf-8", "replace")
        self.close()
        if code < 0 and not (may_be_killed and code == -9):
            raise Failure("crashes", "apply ended by signal %d: %s" % (-code, errors[-300:]))
        self.code, self.errors = code, errors
        return results((b"".join(self.printed) + rest).decode("utf-8", "replace"))

    def close(self):
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def rng_of(seed, kind, number):
    return random.Random("%s/%s/%d" % (seed, kind, number))


def nap(seconds):
    time.sleep(seconds)


INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?")


def same_every_time(text):
    """Without what differs from run to run: times, ids of ledgers, chain values."""
    return re.sub(r"\b[0-9a-f]{32}\b", "HEX", INSTANT.sub("TIME", text))

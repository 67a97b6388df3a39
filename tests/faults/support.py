"""Shared by the fault tests: a stream of keyed commands, and what an undisturbed run makes of it."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import check, checks  # noqa: E402, F401: for those who ask

checks["skipped"] = 0


def commands(n=400):
    """Keyed commands over five days and four wallets; some are refused; days close by themselves on the way."""
    lines = []

    def add(minute, op, **members):
        at = "2026-10-%02dT%02d:%02d:00+09:00" % (1 + minute // 1440, minute // 60 % 24, minute % 60)
        lines.append(json.dumps({"op": op, **members, "at": at, "key": "k%d" % len(lines)}))

    for w in range(4):
        add(0, "wallet.create", wallet="W%d" % w, kind="BUSINESS", name="name of wallet %d" % w, master="master-of-wallet-%d" % w, note="note on wallet %d" % w)
    for i in range(n):
        minute, wallet = 10 + i * 17, "W%d" % (i % 4)
        kind = i % 10
        if kind == 0:
            add(minute, "charge", wallet=wallet, charge="C%d" % i, amount=5000 + i)
        elif kind == 1:
            add(minute, "free.grant", wallet=wallet, grant="G%d" % i, amount=300, expires_on="2026-10-%02d" % (1 + (minute + 2000) // 1440))
        elif kind == 2:
            add(minute, "free.activate", wallet="W%d" % ((i - 1) % 4), grant="G%d" % (i - 1))
        elif kind == 3:
            add(minute, "consume.reverse", wallet="W%d" % ((i - 4) % 4), usage="U%d" % (i - 4), amount=10)
        else:
            add(minute, "consume", wallet=wallet, usage="U%d" % i, amount=40 + i, overdraft=i % 3 == 0)
    return lines


def new(jangbu, work, name):
    """A ledger with some of them."""
    ledger = os.path.join(work, name)
    run(jangbu, "init", ledger)
    run(jangbu, "apply", ledger, "--clock=at", feed="\n".join(commands(60)) + "\n")
    return ledger


def preload(shim, work):
    """LD_PRELOAD cannot name a path with a space or a colon: the shim by another name, in a directory whose name has neither."""
    link = os.path.join(work, "shim.so")
    if not os.path.exists(link):
        os.symlink(os.path.abspath(shim), link)
    assert " " not in link and ":" not in link, f"TMPDIR has a space or a colon in its name: {link}"
    return {"LD_PRELOAD": link}


def run(jangbu, *args, feed=None, env=None):
    return subprocess.run([jangbu, *args], input=feed, capture_output=True, text=True, env={**os.environ, **(env or {})})


def results(text):
    """Results by key, without what only says that it is a repetition."""
    found = {}
    for line in text.splitlines():
        try:
            result = json.loads(line)
        except ValueError:
            continue  # cut by the kill
        result.pop("duplicate", None)
        result.pop("line", None)
        found[result["key"]] = result
    return found


def figures(jangbu, ledger):
    """Balances and day rows of a ledger: what a run comes to."""
    seq = json.loads(run(jangbu, "stat", ledger, "--json").stdout)["events"]
    out = run(jangbu, "balance", ledger, "--all", "--json", "--as-of", str(seq)).stdout
    for w in range(4):
        out += run(jangbu, "cash-status", ledger, "W%d" % w, "--json", "--as-of", str(seq)).stdout
    return out

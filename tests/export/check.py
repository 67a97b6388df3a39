#!/usr/bin/python3
"""Exports a ledger for hledger, ledger and beancount, has each program check its books, and compares their balances with ours to the unit.

usage: check.py JANGBU              a month of three wallets, and wallets with hostile ids
       check.py JANGBU LEDGER       that ledger
"""
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTILE = ["w1", "W1", "w_1", "a.b", "(x)", "W;1", "W:1", "W-1", "W-31", "월렛", '"', "\\", "*", "=A1", "x|y", "@", "{}", "Assets", "0", "é", "#tag", "W%1"]


def run(args, **kw):
    return subprocess.run(args, capture_output=True, text=True, **kw)


def escaped(prefix, text):
    out = prefix
    for byte in text.encode():
        char = chr(byte)
        out += char if char.isascii() and char.isalnum() else "-%02x" % byte
    return out


def to_units(text, exponent):
    whole, _, fraction = text.replace(",", "").partition(".")
    sign = -1 if whole.startswith("-") else 1
    fraction = (fraction + "0" * exponent)[:exponent]
    return sign * int(whole.lstrip("-") + fraction)


def hledger_balances(path, exponent):
    check = run(["hledger", "-f", path, "check", "-s"])
    assert check.returncode == 0, "hledger check -s: " + check.stderr
    out = run(["hledger", "-f", path, "bal", "--flat", "-E", "-O", "csv", "--no-total"])
    rows = list(csv.reader(io.StringIO(out.stdout)))[1:]
    return {name: to_units(amount.split()[0], exponent) if amount != "0" else 0 for name, amount in rows}


def ledger_balances(path, exponent):
    out = run(["ledger", "-f", path, "--strict", "--pedantic", "bal", "--flat", "--empty", "--no-total", "--format", "%(account)\t%(quantity(display_total))\n"])
    assert out.returncode == 0, "ledger bal: " + out.stderr
    balances = {}
    for line in out.stdout.splitlines():
        name, amount = line.split("\t")
        balances[name] = to_units(amount.strip(), exponent)
    return balances


def beancount_balances(path, exponent):
    check = run(["bean-check", path])
    assert check.returncode == 0, "bean-check: " + check.stderr + check.stdout
    out = run(["bean-query", "-f", "csv", path, "select account, sum(number) as n group by account"])
    assert out.returncode == 0, "bean-query: " + out.stderr
    balances = {}
    for name, amount in list(csv.reader(io.StringIO(out.stdout)))[1:]:
        balances[name.strip()] = to_units(amount.strip(), exponent)
    return balances


READERS = {"hledger": hledger_balances, "ledger": ledger_balances, "beancount": beancount_balances}


def our_balances(jangbu, ledger, seq):
    out = run([jangbu, "balance", ledger, "--all", "--json", "--as-of", str(seq)])
    assert out.returncode == 0, out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


def check_ledger(jangbu, ledger, work):
    stat = json.loads(run([jangbu, "stat", ledger, "--json"]).stdout)
    ours = our_balances(jangbu, ledger, stat["events"])
    compared = 0
    for name, reader in READERS.items():
        path = os.path.join(work, "books." + name)
        export = run([jangbu, "export", ledger, "--format", name, "-o", path])
        assert export.returncode == 0, export.stderr
        theirs = reader(path, stat["exponent"])
        for w in ours:
            for account, figure in (("Paid", w["paid"]), ("Free", w["free"]), ("Dormant", w["free_dormant"]), ("RefundPayable", w["refund_in_transit"])):
                full = f"Liabilities:{account}:" + escaped("W", w["wallet"])
                assert theirs.get(full, 0) == -figure, f"{name}: {full} is {theirs.get(full, 0)}, our {account} is {figure}"
                compared += 1
        assert sum(theirs.values()) == 0, f"{name}: the books do not balance: {sum(theirs.values())}"
        print(f"  {name}: accepted, {len(ours)} wallets' liabilities are ours", flush=True)
        os.remove(path)
    rows = list(csv.DictReader(io.StringIO(run([jangbu, "export", ledger, "--format", "csv"]).stdout)))
    assert len(rows) == stat["events"], "csv has %d rows for %d events" % (len(rows), stat["events"])
    for w in ours:
        effect = sum(int(r["effect"]) for r in rows if r["wallet"] == w["wallet"])
        assert effect == w["total"], f"csv: effects of {w['wallet']} add up to {effect}, the total is {w['total']}"
    return compared


def hostile_ledger(jangbu, work):
    ledger = os.path.join(work, "hostile")
    assert run([jangbu, "init", ledger]).returncode == 0
    lines = []
    for i, wallet in enumerate(HOSTILE):
        def add(op, **kw):
            lines.append({"op": op, "wallet": wallet, "clock": "2026-0%d-10T10:00:00+09:00" % (len(lines) // (len(HOSTILE) * 5) + 1), **kw})
        add("wallet.create", kind="BUSINESS", name="x")
        add("charge", charge="C;1", amount=10000 + i, pg=HOSTILE[i][:30], txn_ref="a;b|c")
        add("free.grant", grant="G 1".replace(" ", "_"), amount=500 + i, expires_on="2026-12-31")
        add("free.activate", grant="G_1")
        add("consume", usage="U;#1", amount=5500 + i)
        add("refund.request", refund="R1", amount=100)
        add("refund.approve", refund="R1")
        if i % 2:
            add("refund.complete", refund="R1")
        if i % 3 == 0:
            add("charge.reverse", charge="C;1", amount=9000)
    feed = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in sorted(lines, key=lambda line: line["clock"]))
    out = run([jangbu, "apply", ledger, "--clock=at"], input=feed)
    bad = [line for line in out.stdout.splitlines() if '"ok":false' in line]
    assert not bad, bad[:3]
    close = json.dumps({"op": "wallet.create", "wallet": "later", "kind": "PERSONAL", "name": "x", "clock": "2026-06-01T12:00:00+09:00"}) + "\n"
    assert run([jangbu, "apply", ledger, "--clock=at"], input=close).returncode == 0
    return ledger


def main():
    jangbu = os.path.abspath(sys.argv[1])
    missing = [p for p in ("hledger", "ledger", "bean-check", "bean-query") if shutil.which(p) is None]
    if missing:
        print("skipped: not installed:", ", ".join(missing))
        return 77
    with tempfile.TemporaryDirectory() as work:
        ledgers = sys.argv[2:]
        if not ledgers:
            month = os.path.join(work, "month")
            run([jangbu, "init", month], check=True)
            run([jangbu, "apply", month, os.path.join(HERE, "../../tools/example/month.jsonl"), "--clock=at"])
            ledgers = [month, hostile_ledger(jangbu, work)]
        for ledger in ledgers:
            print(f"{os.path.basename(ledger)}: {check_ledger(jangbu, ledger, work)} balances compared")
    return 0


if __name__ == "__main__":
    sys.exit(main())

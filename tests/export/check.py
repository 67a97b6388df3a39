#!/usr/bin/python3
"""Exports a ledger for hledger, ledger and beancount, has each program check its books, and compares their balances with ours to the unit.

Every account of every program is compared with what books.py makes of the exported events, and the wallets' liabilities with `jangbu balance`.

usage: check.py JANGBU              a month of three wallets, hostile ids, months and accounts of every kind, random streams
       check.py JANGBU LEDGER       that ledger
       check.py JANGBU --seed N     random streams from this seed on
"""
import collections
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../witness")]
import books
import generate

RANDOM_LEDGERS, RANDOM_COMMANDS = 6, 1500
HOSTILE = ["w1", "W1", "w_1", "a.b", "(x)", "W;1", "W:1", "W-1", "W-31", "월렛", '"', "\\", "*", "=A1", "x|y", "@", "{}", "Assets", "0", "é", "#tag", "W%1",
           "a,type:A", "b,type:Q", "type:X", "date:2026", "[2026-01-01]", ",date:9", ":", "::", "-", "--", "!", "=x", "~", "%(x)", "P", "Unspecified", "A" * 64]


def run(args, **kw):
    return subprocess.run(args, capture_output=True, text=True, **kw)


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


def entries_of(path):
    """(day, what) of each entry, in the order in which they stand."""
    with open(path, encoding="utf-8") as file:
        return re.findall(r'^(\d{4}-\d\d-\d\d) \* "?([^"\n]+)"?$', file.read(), re.M)


def check_order(name, entries, vat, events):
    posted = {e["seq"]: e["posted_on"] for e in events}
    keys = [(day, float("inf") if what.startswith("vat") else int(what.split()[-1])) for day, what in entries]
    for day, seq in keys:
        assert posted.get(seq, day) == day, f"{name}: event {seq} stands on {day}, it was posted to {posted[seq]}"
    assert keys == sorted(keys), f"{name}: not sorted by posting day, then sequence number"
    have = sorted(day for day, what in entries if what.startswith("vat"))
    assert have == sorted(day for _, _, day in vat), f"{name}: VAT lines on {have}, expected for {sorted(vat)}"


def check_wallets(model, ours):
    """The events' own figures against `jangbu balance`, which leaves out what is past its deadline."""
    for w in ours:
        name, day = books.escaped("W", w["wallet"]), w["as_of"]["at"][:10]
        for account, figure in (("Paid", w["paid"]), ("Free", w["free"]), ("Dormant", w["free_dormant"]), ("RefundPayable", w["refund_in_transit"])):
            full = f"Liabilities:{account}:{name}"
            due = model.overdue(full, day)
            assert model.balances[full] == -(figure + due), f"{full} is {model.balances[full]}, our {account} is {figure}, and {due} is due"


def check_ledger(jangbu, ledger, work):
    stat = json.loads(run([jangbu, "stat", ledger, "--json"]).stdout)
    ours = our_balances(jangbu, ledger, stat["events"])
    events = [json.loads(line) for line in run([jangbu, "export", ledger, "--format", "jsonl"]).stdout.splitlines()]
    model = books.Books(events)
    check_wallets(model, ours)
    for name, reader in READERS.items():
        path = os.path.join(work, "books." + name)
        export = run([jangbu, "export", ledger, "--format", name, "-o", path])
        assert export.returncode == 0, export.stderr
        theirs = reader(path, stat["exponent"])
        for account in sorted(set(theirs) | set(model.balances)):
            have, want = theirs.get(account, 0), model.balances[account]
            assert have == want, f"{name}: {account} is {have}, the events say {want}"
        assert sum(theirs.values()) == 0, f"{name}: the books do not balance: {sum(theirs.values())}"
        check_order(name, entries_of(path), model.vat, events)
        os.remove(path)
    rows = list(csv.DictReader(io.StringIO(run([jangbu, "export", ledger, "--format", "csv"]).stdout)))
    assert len(rows) == len(events) == stat["events"], "csv has %d rows, jsonl %d, for %d events" % (len(rows), len(events), stat["events"])
    order = [(e["posted_on"] or "", e["seq"]) for e in events]
    assert order == sorted(order) and [e["seq"] for e in events] == [int(r["seq"]) for r in rows], "the tables are not sorted"
    effects = collections.Counter()
    for row, event in zip(rows, events):
        effects[plain(row["wallet"])] += int(row["effect"])
        assert row["currency"] == stat["currency"] and int(row["exponent"]) == stat["exponent"], row
        for column in ("method", "pg", "txn_ref", "approve_no", "key"):
            stands = column == "key" or not event["type"].startswith("invoice_")  # the tax office's approval is not a gateway's
            assert plain(row[column]) == (stands and event.get(column) or ""), f"event {event['seq']}: {column} differs between csv and jsonl"
        assert not any(cell[:1] in "=+-@\t\r" and cell for name, cell in row.items() if name not in FIGURES), row
        for figure in ("free", "paid", "debt", "lapsed", "effect"):
            assert int(row[figure]) == event[figure], f"event {event['seq']}: {figure} differs between csv and jsonl"
    for w in ours:
        due = model.overdue("Liabilities:Free:" + books.escaped("W", w["wallet"]), w["as_of"]["at"][:10])
        assert effects[w["wallet"]] == w["total"] + due, f"csv: effects of {w['wallet']} add up to {effects[w['wallet']]}, the total is {w['total']}"
    return f"{stat['events']} events, {len(ours)} wallets, {len(model.balances)} accounts, {len(model.vat)} lines of VAT: the same in {', '.join(READERS)}"


FIGURES = ("amount", "free", "paid", "debt", "lapsed", "effect")


def plain(cell):
    """A text of the CSV without the ' that keeps spreadsheets from calculating it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


def check_as_of(jangbu, ledger, work):
    """Books as of an earlier event are the books of the events up to it."""
    everything = run([jangbu, "export", ledger, "--format", "jsonl"]).stdout.splitlines()
    last = max(json.loads(line)["seq"] for line in everything) * 2 // 3
    then = run([jangbu, "export", ledger, "--format", "jsonl", "--as-of", str(last)]).stdout.splitlines()
    assert then == [line for line in everything if json.loads(line)["seq"] <= last], "export --as-of is not a part of the whole"
    path = os.path.join(work, "then.hledger")
    assert run([jangbu, "export", ledger, "--format", "hledger", "--as-of", str(last), "-o", path]).returncode == 0
    model = books.Books(map(json.loads, then))
    theirs = hledger_balances(path, json.loads(run([jangbu, "stat", ledger, "--json"]).stdout)["exponent"])
    for account in set(theirs) | set(model.balances):
        assert theirs.get(account, 0) == model.balances[account], f"as of {last}: {account}"


def check_output(jangbu, ledger, work):
    """-o does not overwrite, and leaves nothing half done."""
    path = os.path.join(work, "there")
    open(path, "w").close()
    assert run([jangbu, "export", ledger, "--format", "csv", "-o", path]).returncode == 1 and os.path.getsize(path) == 0
    named = os.path.join(work, "named")
    before = os.umask(0)
    for fmt in ("csv", "jsonl"):  # whatever the umask: nobody else reads names
        assert run([jangbu, "export", ledger, "--format", fmt, "--people", "-o", named]).returncode == 0
        assert os.stat(named).st_mode & 0o777 == 0o600, f"{fmt} with names: mode {os.stat(named).st_mode & 0o777:o}"
        os.remove(named)
    os.umask(before)
    with open("/dev/full", "w") as full:
        out = subprocess.run([jangbu, "export", ledger, "--format", "csv"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert out.returncode == 3 and "cannot write" in out.stderr, out


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


def apply_lines(jangbu, ledger, lines, *init):
    out = run([jangbu, "init", ledger, *init])
    assert out.returncode == 0, out.stderr
    out = run([jangbu, "apply", ledger, "--clock=at"], input="".join(line + "\n" for line in lines))
    assert out.returncode in (0, 1), out.stderr
    return out.stdout.splitlines()


def kinds_ledger(jangbu, work, exponent):
    """Every kind of entry, and months whose VAT is negative, has a tie's neighbours, is above the largest amount, or is not due yet."""
    ledger, lines = os.path.join(work, "kinds-%d" % exponent), []

    def add(clock, op, wallet="W", **kw):
        lines.append(json.dumps({"op": op, "wallet": wallet, "clock": clock + ":00+09:00", **kw}))
    for wallet in ("W", "V", "big"):
        add("2026-01-05T09:00", "wallet.create", wallet, kind="BUSINESS", name="x")
    add("2026-01-05T10:00", "charge", charge="card", amount=50000, method="CREDIT_CARD", pg="toss")
    add("2026-01-05T10:01", "charge", charge="none", amount=40000)
    add("2026-01-05T10:02", "charge", charge="admin", amount=30000, method="ADMIN_CASH", pg="ignored")
    add("2026-01-05T10:03", "charge", charge="back", amount=20000, method="ADV_RET_CASH")
    for grant, last in (("used", "2026-01-20"), ("dormant", "2026-01-20"), ("revoked", "2026-12-31"), ("left", "2026-12-31")):
        add("2026-01-05T11:00", "free.grant", grant=grant, amount=7000, expires_on=last)
    add("2026-01-05T11:01", "free.activate", grant="used")
    add("2026-01-05T11:02", "free.revoke", grant="revoked")
    add("2026-01-10T12:00", "consume", usage="U1", amount=27005)                 # 7,000 free, 20,005 paid
    add("2026-01-12T12:00", "charge.reverse", charge="card", amount=29000)
    add("2026-01-12T12:01", "charge.reverse", charge="admin", amount=1000)
    add("2026-01-12T12:02", "consume", "V", usage="U1", amount=5, overdraft=True)  # a VAT of 0: no line
    add("2026-01-13T12:00", "refund.request", refund="R1", amount=45000)
    add("2026-01-13T12:01", "refund.approve", refund="R1")                       # legs at Adjustment and Clearing
    add("2026-01-14T12:00", "refund.complete", refund="R1")
    add("2026-01-14T12:01", "refund.request", refund="R2", amount=3000)
    add("2026-01-14T12:02", "refund.approve", refund="R2")
    add("2026-01-14T12:03", "refund.fail", refund="R2")
    add("2026-01-15T12:00", "debt.repay", "V", amount=3, pg="toss")
    for i in range(3):
        add("2026-01-16T12:0%d" % i, "charge", "big", charge="C%d" % i, amount=10**15 - 6)
        add("2026-01-16T12:0%d" % i, "consume", "big", usage="U%d" % i, amount=10**15 - 6)
    add("2026-02-05T12:00", "consume.reverse", usage="U1", amount=26001)         # February is negative; 7,000 of it lapse at once
    add("2026-02-06T12:00", "consume", "V", usage="U2", amount=6, overdraft=True)
    add("2026-03-01T00:05", "consume", "V", usage="U3", amount=1000, overdraft=True, at="2026-02-28T23:59:00+09:00")  # February is still open
    add("2026-03-01T00:15", "consume", "V", usage="U4", amount=2000, overdraft=True, at="2026-02-28T23:59:30+09:00")  # and now closed: late
    add("2026-04-01T09:00", "charge", "V", charge="C", amount=10000, pg="toss")
    add("2026-04-01T09:01", "refund.request", "V", refund="R")
    add("2026-04-01T09:02", "refund.approve", "V", refund="R")
    add("2026-04-01T09:03", "refund.complete", "V", refund="R")
    add("2026-04-01T09:04", "free.grant", "V", grant="gone", amount=900, expires_on="2026-12-31")
    add("2026-04-01T09:05", "free.activate", "V", grant="gone")
    add("2026-04-01T09:06", "free.grant", "V", grant="gone dormant".replace(" ", "-"), amount=90, expires_on="2026-12-31")
    add("2026-04-01T09:07", "wallet.off", "V")
    add("2026-04-01T09:08", "wallet.delete", "V")                                # forfeits both
    add("2026-04-02T09:00", "free.grant", grant="due", amount=40, expires_on="2026-04-02")
    add("2026-04-02T09:01", "free.activate", grant="due")
    add("2026-04-03T00:05", "consume", "big", usage="U9", amount=1, overdraft=True)  # due is over, its expiry not written
    init = ("--currency", "BHD", "--exponent", str(exponent)) if exponent else ("--invoice-from", "none")
    if exponent:
        lines.insert(0, json.dumps({"op": "policy.set", "policy": "vat_rate", "value": 10, "clock": "2026-01-01T00:00:00+09:00"}))
        lines.append(json.dumps({"op": "policy.set", "policy": "vat_rate", "value": 0, "clock": "2026-04-03T00:06:00+09:00"}))
    bad = [line for line in apply_lines(jangbu, ledger, lines, *init) if '"ok":false' in line]
    assert not bad, bad[:3]
    return ledger


def random_ledgers(jangbu, work, seed, commands):
    for i in range(RANDOM_LEDGERS):
        ledger = os.path.join(work, "random-%d" % (seed + i))
        apply_lines(jangbu, ledger, generate.stream(seed + i, commands))
        yield ledger


def main():
    jangbu = os.path.abspath(sys.argv[1])
    missing = [p for p in ("hledger", "ledger", "bean-check", "bean-query") if shutil.which(p) is None]
    if missing:
        print("skipped: not installed:", ", ".join(missing))
        return 77
    with tempfile.TemporaryDirectory() as work:
        ledgers, seed = sys.argv[2:], time.time_ns() % 1_000_000
        if ledgers[:1] == ["--seed"]:
            seed, ledgers = int(ledgers[1]), []
        if not ledgers:
            print("seed", seed, flush=True)
            month, empty = os.path.join(work, "month"), os.path.join(work, "empty")
            with open(os.path.join(HERE, "../../tools/example/month.jsonl"), encoding="utf-8") as file:
                apply_lines(jangbu, month, file.read().splitlines(), "--roles=enforce", "--operator", "op-7")
            apply_lines(jangbu, empty, [])
            ledgers = [month, empty, hostile_ledger(jangbu, work), kinds_ledger(jangbu, work, 0), kinds_ledger(jangbu, work, 3)]
            check_as_of(jangbu, ledgers[3], work)
            check_output(jangbu, month, work)
            ledgers += random_ledgers(jangbu, work, seed, RANDOM_COMMANDS)
        for ledger in ledgers:
            try:
                print(f"{os.path.basename(ledger)}: {check_ledger(jangbu, ledger, work)}", flush=True)
            except AssertionError as e:
                print(f"{os.path.basename(ledger)}: {e}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

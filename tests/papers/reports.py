#!/usr/bin/python3
"""A tax month by document, made again from `jangbu log --json` by other hands, as of many moments, and compared in all forms.

usage: reports.py JANGBU [SEED]"""
import csv
import datetime
import io
import json
import os
import random
import re
import sys
import tempfile

import run as papers
from run import HOSTILE, KST, Page, ask, check, number_in, parts, run

MONTHS = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]
REASONS = {"invoice.correct": ["ENTRY_ERROR", "ENTRY_ERROR", "ISSUED_TWICE"]}


# ---- a ledger in which everything goes wrong that can ----

def commands(rng):
    at, usages, n = [datetime.datetime(2026, 1, 1, 9, tzinfo=KST)], [], 0

    def line(op, **members):
        at[0] += datetime.timedelta(minutes=rng.randrange(1, 200))
        return {"op": op, "wallet": "B", **members, "clock": at[0].isoformat()}

    yield line("wallet.create", kind="BUSINESS", name="n")
    yield {**line("wallet.create", kind="PERSONAL", name="p"), "wallet": "P"}
    yield line("biz.request", biz="1208147521", biz_name="n", representative="r", address="a")
    yield line("biz.approve", seq=BIZ)
    yield line("charge", charge="C", amount=10**8)
    yield {**line("charge", charge="C", amount=10**8), "wallet": "P"}
    while at[0] < datetime.datetime(2026, 6, 12, tzinfo=KST):
        n += 1
        what = rng.randrange(28)
        if what < 9:
            late = {"at": (at[0] - datetime.timedelta(hours=rng.randrange(1, 30 * 24))).isoformat()} if rng.randrange(3) == 0 else {}
            usage = f"U{n}" if rng.randrange(4) else f"U{n}{rng.choice(HOSTILE)}"
            usages.append(usage)
            c = line("consume", usage=usage, amount=rng.randrange(1, 99999), **late)
            yield {**c, "wallet": "P"} if rng.randrange(5) == 0 else c
        elif what < 12 and usages:
            yield line("consume.reverse", usage=rng.choice(usages[-40:]), amount=rng.randrange(1, 30000))
        elif what < 14:
            yield line("free.grant", grant=f"G{n}", amount=rng.randrange(100, 50000), expires_on=(at[0] + datetime.timedelta(days=rng.randrange(1, 60))).date().isoformat())
            yield line("free.activate", grant=f"G{n}")
        elif what < 18:
            yield line("invoice.issue", month=rng.choice(MONTHS))
        elif what < 24:
            # Of the newest ones, which are those that something can become of.
            yield line(*rng.choice([("invoice.confirm",), ("invoice.confirm",), ("invoice.fail",)]), invoice=NEWEST - rng.randrange(3), why="OTHER")
        elif what < 26:
            op = "invoice.correct"
            yield line(op, invoice=NEWEST - rng.randrange(4), reason=rng.choice(REASONS[op]))
        else:
            at[0] += datetime.timedelta(hours=rng.randrange(1, 40))
    yield line("day.close", day=(at[0].date() - datetime.timedelta(days=1)).isoformat(), wallet=None)


class Later(int):
    """Known when the commands before it are done."""
    def __sub__(self, other):
        return Later(int(self) + other)


BIZ, NEWEST = Later(1 << 40), Later(1 << 41)


def make(work, rng):
    """A command at a time, because some name what others made: through one `apply`, which answers as it goes."""
    import subprocess
    ledger = os.path.join(work, "ledger")
    run("init", ledger)
    refused, newest, biz = {}, 0, 0
    p = subprocess.Popen([papers.JANGBU, "apply", ledger, "--clock=at"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for c in commands(rng):
        for k, v in list(c.items()):
            if isinstance(v, Later):
                c[k] = biz if v == BIZ else max(1, newest - (int(v) - (1 << 41)))
        if c["op"] == "invoice.confirm":
            c.pop("why")
        p.stdin.write(json.dumps({k: v for k, v in c.items() if v is not None}, ensure_ascii=False) + "\n")
        p.stdin.flush()
        answer = json.loads(p.stdout.readline())
        refused[c["op"]] = refused.get(c["op"], 0) + (not answer["ok"])
        newest = answer.get("invoice", newest) if answer["ok"] else newest
        biz = answer["seq"] if c["op"] == "biz.request" else biz
    p.stdin.close()
    p.wait()
    return ledger, [json.loads(line) for line in run("log", ledger, "--json").stdout.splitlines()]


# ---- by other hands ----

def paid(e):
    return parts(e, {"lot", "debt", "paid"})


def day(text):
    return text[:10]


def expected(log, wallet, month, seq):
    log = log[:seq]
    made = {e["seq"]: e for e in log}
    rows, cash, back, open_, other, elsewhere = [], 0, [0, 0], 0, 0, 0
    closed = max((e["day"] for e in log if e["type"] == "day_closed"), default="")
    for e in log:
        if e["wallet"] != wallet or e["type"] not in ("cash_consumed", "consumption_reversed"):
            continue
        returned = e["type"] == "consumption_reversed"
        of = made[e["consumption"]] if returned else e
        amount = -paid(e) if returned else paid(e)
        mine = min(day(of["occurred_at"]), day(of["recorded_at"]))[:7] == month
        here = e["posted_on"][:7] == month
        if mine and amount:
            rows.append((e["seq"], of["usage"], amount, e["posted_on"]))
        if here and e["posted_on"] > closed:
            open_ += amount
        elif here and returned:
            back[0] += e["amount"]
            back[1] += e["amount"] + amount
        elif here:
            cash += amount
        other += amount if here and not mine else 0
        elsewhere += amount if mine and not here else 0
    return rows, {"consumed_paid": cash, "returned": back[0], "returned_free": back[1], "open": open_, "other_months": other, "elsewhere": elsewhere}


def documents(log, month, seq):
    """Each with the events of its rows."""
    found = {}
    for e in log[:seq]:
        if e["type"] == "invoice_issued" and e["month"] == month:
            found[e["invoice"]] = {**e, "state": "ISSUED"}
        elif e["type"] in ("invoice_confirmed", "invoice_failed") and e["invoice"] in found:
            found[e["invoice"]]["state"] = e["type"][8:].upper()
    return list(found.values())


def check_report(ledger, log, wallet, month, seq, seen):
    name = f"{wallet} {month} as of {seq}"
    rows, cash = expected(log, wallet, month, seq)
    papers_of = documents(log, month, seq) if wallet == "B" else []
    r = ask("report", ledger, wallet, month, "--as-of", str(seq))
    if not isinstance(r, dict):
        check(name, False, r.stderr)
        return None
    got = [(d["invoice"], d["state"], d["total"], d["vat"]) for d in r["documents"]]
    check(f"{name}: documents", got == [(d["invoice"], d["state"], d["total"], d["vat"]) for d in papers_of], (got, papers_of))
    through = 0
    for d, g in zip(papers_of, r["documents"]):
        mine = [(s, u, -a if d["kind"] == "NEGATIVE" else a, p) for s, u, a, p in rows if d["after"] < s <= d["through"]]
        have = [(x["seq"], x["usage"], x["amount"], x["posted_on"]) for x in g["rows"]]
        check(f"{name}: rows of {d['invoice']}", have == (mine if d["state"] != "FAILED" else []), (have[:3], mine[:3]))
        check(f"{name}: {d['invoice']} is the sum of its rows", d["state"] == "FAILED" or sum(m[2] for m in mine) == d["total"])
        if d["state"] != "FAILED" and d["kind"] in ("ORIGINAL", "DELTA"):
            through = max(through, d["through"])
        seen.add((d["kind"], d["state"]))
    left = [(s, u, a, p) for s, u, a, p in rows if s > through]
    check(f"{name}: rows in none", [(x["seq"], x["usage"], x["amount"], x["posted_on"]) for x in r["uninvoiced_rows"]] == left, (r["uninvoiced_rows"][:2], left[:2]))
    net, invoiced = sum(x[2] for x in rows), sum(d["total"] for d in papers_of if d["state"] != "FAILED")
    check(f"{name}: sums", (r["net"], r["invoiced"], r["uninvoiced"]) == (net, invoiced, sum(x[2] for x in left)), (r["net"], net, r["invoiced"], invoiced))
    check(f"{name}: VAT", r["vat"] == sum(d["vat"] for d in papers_of if d["state"] != "FAILED"))
    check(f"{name}: nothing is left over", r["net"] == r["invoiced"] + r["uninvoiced"] + r["outside"] + r["unsettled"], r["net"])
    check(f"{name}: the cash status", {k: r["cash_status"][k] for k in cash} == cash, (r["cash_status"], cash))
    c = r["cash_status"]
    check(f"{name}: to the won", net == c["consumed_paid"] - c["returned"] + c["returned_free"] + c["open"] - c["other_months"] + c["elsewhere"], c)
    seen |= {k for k in ("outside", "unsettled", "uninvoiced") if r[k]} | {k for k in cash if cash[k]} | ({"papers"} if invoiced else set())
    return r


def forms(ledger, wallet, month, r, seq):
    flat = [(str(d["invoice"]) if d else "", x["seq"], x["amount"]) for d in r["documents"] + [None] for x in (d["rows"] if d else r["uninvoiced_rows"])]
    name = f"{wallet} {month}"
    table = list(csv.DictReader(io.StringIO(run("report", ledger, wallet, month, "--csv", "--as-of", str(seq)).stdout)))
    check(f"{name}: CSV", [(t["invoice"], int(t["seq"]), int(t["amount"])) for t in table] == flat, table[:2])
    for lang in ("ko", "en"):
        out = run("report", ledger, wallet, month, "--html", "--lang", lang, "--as-of", str(seq))
        page = Page(out.stdout)
        check(f"{name}: a page, {lang}", out.returncode == 0 and not page.bad and ("소진" in page.title) == (lang == "ko"), (page.bad[:5], out.stderr))
        got = [(x[0].split()[0].replace("-", ""), int(x[3]), number_in(x[4])) for x in page.rows if len(x) == 5 and x[1][:3] == "202"]
        check(f"{name}: rows of the page, {lang}", got == flat, (got[:3], flat[:3]))
        codes = [cell for row in page.rows for cell in row if re.search(r"\b(ORIGINAL|DELTA|NEGATIVE|CORRECTED|ISSUED|CONFIRMED|FAILED)\b", cell)]
        check(f"{name}: words for customers, no codes, {lang}", not codes, codes[:5])
        check(f"{name}: a chart, {lang}", ("<svg" in out.stdout) == (r["cash_status"]["through"] is not None))
        text = run("report", ledger, wallet, month, "--lang", lang, "--as-of", str(seq)).stdout
        check(f"{name}: in words, {lang}", f"{r['net']:,}" in text and ("과세월" in text) == (lang == "ko"), text[-300:])


def main():
    papers.JANGBU = os.path.abspath(sys.argv[1])
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261127)
    seen = set()
    with tempfile.TemporaryDirectory() as work:
        ledger, log = make(work, rng)
        for wallet in ("B", "P"):
            for month in MONTHS + ["2026-06"]:
                r = check_report(ledger, log, wallet, month, len(log), seen)
                forms(ledger, wallet, month, r, len(log))
        for _ in range(60):
            check_report(ledger, log, "B", rng.choice(MONTHS), rng.randrange(40, len(log)), seen)
        last = ask("report", ledger, "B", "2026-03", "--as-of", "2026-04-10")
        check("as of a day", last["as_of"]["at"].startswith("2026-04-10T23:59:59"), last)
        for args, code, said in ((["B", "2025-11"], 1, "did not exist"), (["N", "2026-01"], 1, "no wallet"), (["B", "2026-13"], 2, "2026-13"), (["B"], 2, "a month"),
                                 (["B", "2026-01", "--csv", "--json"], 2, "one of"), (["B", "2026-01", "--supplier", "x"], 2, "--html"),
                                 (["B", "2026-01", "--as-of", "5"], 1, "did not exist")):
            out = run("report", ledger, *args)
            check(f"report {args}", out.returncode == code and said in out.stderr and out.stdout == "", (out.returncode, out.stderr))
        old = os.path.join(work, "old")
        run("init", old, "--invoice-from", "none")
        run("apply", old, "--clock=at", feed="".join(json.dumps({"op": op, "wallet": "W", **m, "clock": "2026-03-10T10:00:00+09:00"}) + "\n" for op, m in (
            ("wallet.create", {"kind": "BUSINESS", "name": "n"}), ("consume", {"usage": "U", "amount": 500, "overdraft": True}))).encode())
        r = ask("report", old, "W", "2026-03")
        check("without invoices", (r["net"], r["counted"], r["uninvoiced"], r["documents"]) == (500, False, 500, []), r)
        check("without invoices, in words", "of which no tax invoice is made" in run("report", old, "W", "2026-03").stdout)
        if len(sys.argv) < 3:
            want = {"outside", "unsettled", "uninvoiced", "consumed_paid", "returned", "returned_free", "open", "other_months", "elsewhere", "papers"}
            kinds = {(k, s) for k in ("ORIGINAL", "DELTA", "NEGATIVE", "CORRECTED") for s in ("ISSUED", "CONFIRMED", "FAILED")}
            check("everything was there", want | kinds <= seen, (want | kinds) - seen)
    print(f"{papers.checks['passed']} passed, {papers.checks['failed']} failed")
    return papers.checks["failed"] != 0


if __name__ == "__main__":
    sys.exit(main())
